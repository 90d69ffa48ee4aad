#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
`kuraban verify` and tools/verify.py say the same of every ledger, whole or
damaged (law L9): of those that the product's own writer leaves behind, and of
those of an independent writer.

    verify_agree.py KURABAN VERIFY_LEDGER
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
sys.dont_write_bytecode = True

import verify_test as alone  # noqa: E402
import verify_writer as writer  # noqa: E402
from verify_entries import sample, some_entries  # noqa: E402
from verify_test import verify  # noqa: E402

KURABAN, WRITER = None, None
SEED = int(os.environ.get("KURABAN_SEED", "0")) or random.randrange(1 << 30)


class AgreeCase(unittest.TestCase):
    def setUp(self):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.top = tempfile.mkdtemp(prefix="kuraban-agree-", dir=base)
        self.addCleanup(shutil.rmtree, self.top)
        self.dir = os.path.join(self.top, "ledger")
        self.rng = random.Random(SEED)

    def both(self, what=""):
        """The exit code that both give."""
        py, py_out, py_err = alone.run(self.dir, "--key", self.vkey)
        c = subprocess.run([KURABAN, "verify", self.dir, "--key", self.vkey],
                           capture_output=True, text=True)
        self.assertEqual(
            py, c.returncode, "%s (KURABAN_SEED=%d)\nverify.py: %s%s\nkuraban: %s%s" %
            (what, SEED, py_out, py_err, c.stdout, c.stderr))
        return py

    def put(self, name, data):
        writer.write(self.dir, {name: data})

    def flip(self, name, bit):
        with open(os.path.join(self.dir, name), "r+b") as f:
            f.seek(bit // 8)
            byte = f.read(1)[0]
            f.seek(bit // 8)
            f.write(bytes([byte ^ 1 << bit % 8]))

    def files(self):
        out = {}
        for folder, _, names in os.walk(self.dir):
            for name in names:
                where = os.path.join(folder, name)
                with open(where, "rb") as f:
                    out[os.path.relpath(where, self.dir)] = f.read()
        return out

    def damage(self, bits_per_file):
        """Every file: bits, truncation, growth, absence, exchange. Returns how
        many of the changes passed as whole."""
        files, passed = self.files(), 0
        self.assertEqual(self.both("undamaged"), 0)
        for name in sorted(files):
            data = files[name]
            n = len(data) * 8
            if name == "wal":       # the frames in use are the interesting ones
                bits = self.live_bits(data, bits_per_file)
            else:
                bits = self.rng.sample(range(n), min(n, bits_per_file))
            for i in bits:
                self.flip(name, i)
                passed += self.both("%s: bit %d" % (name, i)) == 0
                self.flip(name, i)
            for bad in (b"", data[:1], data[:len(data) // 2], data[:-1],
                        data + b"\0", data + b"\n", data + data):
                if bad != data and not (name == "lock" and bad):
                    self.put(name, bad)
                    passed += self.both("%s: %d bytes" % (name, len(bad))) == 0
            os.unlink(os.path.join(self.dir, name))
            # Which runs an index has is the writer's choice.
            if not name.startswith("index"):
                passed += self.both("%s: gone" % name) == 0
            for other in self.rng.sample(sorted(files), min(4, len(files))):
                if files[other] != data and name != "lock" and \
                        not name.startswith("index"):
                    self.put(name, files[other])
                    passed += self.both("%s in place of %s" % (other, name)) == 0
            self.put(name, data)
        self.assertEqual(self.both("restored"), 0)
        return passed

    def live_bits(self, wal, count):
        at = [i for i in range(0, len(wal), 4096) if any(wal[i:i + 4096])]
        return [8 * self.rng.choice(at) + self.rng.randrange(4096 * 8)
                for _ in range(count)]


class Written(AgreeCase):
    """Ledgers of the product's own writer."""

    def lead(self, lines):
        subprocess.run([WRITER, self.top, "agree.example/log"], check=True,
                       input="".join(x + "\n" for x in lines).encode())
        with open(os.path.join(self.dir, "vkey")) as f:
            self.vkey = f.read().strip()

    @staticmethod
    def lines(entries, first=0, per_commit=5):
        for i, raw in enumerate(entries[first:]):
            tokens = [t for text in json.loads(raw).get("subjects", ())
                      for t in verify.token_list(text)]
            yield "append %s %s" % (",".join("%x" % t for t in tokens) or "-",
                                    raw.decode())
            if i % per_commit == per_commit - 1:
                yield "commit"
        yield "commit"

    def test_closed(self):
        self.lead(self.lines(sample()))
        self.damage(150)

    def test_killed(self):
        """What is in the ring only, and what is archived and not signed."""
        entries = some_entries(900)
        self.lead([*self.lines(entries[:600]), "checkpoint",
                   *self.lines(entries[600:640]), "die"])
        self.assertEqual(self.both(), 0)
        self.damage(25)
        # And what the next start makes of it.
        self.lead([*self.lines(entries, 640, 50), "sleep 300", "die"])
        self.assertEqual(self.both(), 0)
        self.damage(8)
        self.lead([])
        code, out, _ = alone.run(self.dir, "--key", self.vkey)
        self.assertEqual(code, 0)
        self.assertIn("900 entries", out)
        self.assertEqual(self.both(), 0)

    def test_killed_anywhere(self):
        entries = some_entries(2000)
        at = 0
        for _ in range(12):
            more = self.rng.randrange(1, 150)
            self.lead([*self.lines(entries[:at + more], at,
                                   self.rng.randrange(1, 40)),
                       "sleep %d" % self.rng.randrange(0, 60),
                       self.rng.choice(["die", "checkpoint", "commit"])])
            at += more
            self.assertEqual(self.both("after %d" % at), 0)
            with open(os.path.join(self.dir, "checkpoint"), "rb") as f:
                raw = f.read()
            code, out, err = alone.run(self.dir, "--key", self.vkey, "--entry", 0)
            self.assertIn(code, (0, 1), err)
            old = os.path.join(self.top, "old")
            if os.path.exists(old):     # what was signed stays (invariant 4)
                code, _, err = alone.run(self.dir, "--key", self.vkey, "--old", old)
                self.assertEqual(code, 0, err)
            with open(old, "wb") as f:
                f.write(raw)

    def test_while_it_writes(self):
        """Both verifiers, again and again, beside a writer at work."""
        entries = some_entries(3000)
        p = subprocess.Popen([WRITER, self.top, "agree.example/log"],
                             stdin=subprocess.PIPE)
        p.stdin.write(b"checkpoint\n")
        p.stdin.flush()
        at, looks, sizes = 0, 0, set()
        while not os.path.exists(os.path.join(self.dir, "checkpoint")):
            pass
        with open(os.path.join(self.dir, "vkey")) as f:
            self.vkey = f.read().strip()
        while at < len(entries):
            lines = self.lines(entries[at:at + 60], 0, 7)
            p.stdin.write("".join(x + "\n" for x in lines).encode() +
                          b"sleep 10\n" * 3)
            p.stdin.flush()
            at += 60
            code, out, err = alone.run(self.dir, "--key", self.vkey, "--json")
            self.assertEqual(code, 0, out + err)
            sizes.add(json.loads(out.splitlines()[-1])["size"])
            if looks % 5 == 0:
                c = subprocess.run([KURABAN, "verify", self.dir, "--key", self.vkey],
                                   capture_output=True, text=True)
                self.assertEqual(c.returncode, 0, c.stdout + c.stderr)
            looks += 1
        p.stdin.close()
        self.assertEqual(p.wait(), 0)
        self.assertGreater(len(sizes), 1)
        self.assertEqual(self.both(), 0)


class Foreign(AgreeCase):
    """Copies made by an independent writer, as an outsider has them."""

    def lay(self, entries):
        log = writer.Signer("kuraban.example/test")
        self.vkey = log.vkey
        writer.write(self.dir, writer.files_of(entries, (log,)))

    def test_damage(self):
        for entries, bits in ((sample(), 250), (some_entries(1), 100),
                              (some_entries(256), 10), (some_entries(515), 10)):
            shutil.rmtree(self.dir, ignore_errors=True)
            self.lay(entries)
            self.assertEqual(self.damage(bits), 0)

    def test_order(self):
        """What the holder of the key may not do either (section 3.2)."""
        cases = [[b"{}"], [b"[]"], [b'{"v":1}'], [b""], [b" {}"], [b"{]"]]
        entries = sample()
        for i in range(1, len(entries)):
            cases.append(entries[i:])
            cases.append(entries[:i] + entries[i - 1:])
            swapped = list(entries)
            swapped[i - 1:i + 1] = swapped[i], swapped[i - 1]
            cases.append(swapped)
        for case in cases:
            shutil.rmtree(self.dir, ignore_errors=True)
            self.lay(case)
            self.both(repr(case)[:200])


if __name__ == "__main__":
    KURABAN, WRITER = (os.path.abspath(p) for p in sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main()
