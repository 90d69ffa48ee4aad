#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
`kuraban verify` and tools/verify.py say the same of every ledger, whole or
damaged (law L9): of those that the product's own writer leaves behind, and of
those of an independent writer.

    verify_agree.py KURABAN VERIFY_LEDGER
"""

import hashlib
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


def agreeing(base, *names):
    """Tests of the Python verifier by itself, with the other one asked as well."""
    class Agrees(base):
        def verify(self, *more, witness=True):
            if not more:        # witnesses, old checkpoints, proofs: verify.py's own
                py, _, err = super().verify(witness=False)
                c = subprocess.run([KURABAN, "verify", self.dir, "--key",
                                    self.log.vkey], capture_output=True, text=True)
                self.assertEqual(py, c.returncode, "verify.py: %skuraban: %s%s" %
                                 (err, c.stdout, c.stderr))
            return super().verify(*more, witness=witness)
    for name in dir(base):
        if name.startswith("test_") and name not in names:
            setattr(Agrees, name, None)
    Agrees.__name__ = Agrees.__qualname__ = "Same" + base.__name__
    return Agrees


SameNotices = agreeing(alone.Notices, "test_entry_form", "test_entry_fields",
                       "test_entry_order", "test_entry_subjects",
                       "test_superfluous")
SameAccepts = agreeing(alone.Accepts, "test_every_kind")


class SameOwnFiles(agreeing(alone.OwnFiles, "test_whole", "test_state",
                            "test_frames", "test_index", "test_ring_entries_obey",
                            "test_missing")):
    def verdict(self, expected, what):
        code, _, err = self.verify(witness=False)
        self.assertEqual(code, expected, what + ": " + err)

    def test_what_is_there(self):
        """Sections 2 and 5: files and folders that must or may not be there."""
        files = self.lay_own()
        for name, code in (("vkey", 3), ("state", 3), ("wal", 3), ("lock", 0)):
            os.unlink(os.path.join(self.dir, name))
            self.verdict(code, name + " is missing")
            self.put(name, files[name])
        for name in ("state", "wal"):
            os.unlink(os.path.join(self.dir, name))
        for name in os.listdir(self.dir + "/index"):
            os.unlink(self.dir + "/index/" + name)
        # A copy of the published files that was made behind the checkpoint.
        self.verdict(0, "neither state nor wal")
        self.lay_own()
        self.put("lock", b"x")
        self.verdict(3, "lock")
        self.put("lock", b"")
        for folder, code in (
                ("tile/0/007.p", 0), ("tile/3", 0), ("tile/0/x000", 0),
                ("tile/entries/x001/002.p", 0), ("tile/64", 0), ("tile/7/", 0),
                ("tile/entry", 3), ("tile/0/7.p", 3), ("tile/0/0070.p", 3),
                ("tile/0/y000", 3), ("tile/0/x000x", 3), ("tile/00", 3),
                ("tile/100", 3), ("tile/x", 3), ("other", 3), ("state.tmp", 3),
                ("tile/0/007", 3), ("tile/0/007.p/x", 3), ("index/x", 3),
                ("tile/0/007.p/3", 3)):
            os.makedirs(os.path.join(self.dir, folder))
            self.verdict(code, "folder " + folder)
            os.removedirs(os.path.join(self.dir, folder))

    def test_state_numbers(self):
        """Section 7.3, under a right sum."""
        raw = self.lay_own()["state"]
        for old, new in ((b"epoch 1", b"epoch 01"), (b"epoch 1", b"epoch 4294967296"),
                         (b"epoch 1", b"epoch -1"), (b"epoch 1", b"epoch "),
                         (b"previous 270", b"previous 291"),
                         (b"previous 270", b"previous 0270"),
                         (b"size 290", b"size 9223372036854775808"),
                         (b"size 290", b"size 289"), (b"seq ", b"seq 0"),
                         (b"offset ", b"offset 1"), (b"offset ", b"offset  ")):
            text = raw[:raw.rindex(b"sum ")].replace(old, new)
            self.assertNotEqual(text, raw[:raw.rindex(b"sum ")])
            self.put("state", text + b"sum %s\n" %
                     hashlib.sha256(text).hexdigest().encode())
            self.verdict(3, repr(new))
        at = raw.index(b"root ") + 5
        text = raw[:at] + raw[at:at + 64].upper() + raw[at + 64:raw.rindex(b"sum ")]
        self.put("state", text + b"sum %s\n" %
                 hashlib.sha256(text).hexdigest().encode())
        self.verdict(3, "upper case")

    def test_more_entries(self):
        """Section 3, what the cases of the Python verifier leave out."""
        time = '"time":"2026-11-21T05:00:00.000000Z"'
        head = '{"v":1,"kind":"heartbeat",%s' % time
        release = ('{"v":1,"kind":"release",%s,"tables":%%s,"request":1,"rows":1,'
                   '"bytes":1,"anon":0,"domains":%%s,"subjects":%%s}' % time)
        table, one = '{"table":"a","columns":"b"}', '["AAAAAAAAAAE="]'
        for code, text in (
            (0, head + ',"gate":"0","sessions":0}'),
            (3, head + ',"gate":0,"sessions":0}'),
            (3, head + ',"session":0,"sessions":0}'),
            (3, head + ',"session":"1","sessions":0}'),
            (3, head + ',"actor":1,"sessions":0}'),
            (3, head + ',"role":null,"sessions":0}'),
            (3, head + ',"database":["x"],"sessions":0}'),
            (3, head + ',"sessions":0,"subjects":["AAAA"]}'),
            (0, head + ',"sessions":0,"subjects":%s}' % one),
            (3, head + ',"sessions":0,"subjects":null}'),
            (3, head + ',"sessions":0,"x":"\\/"}'),
            (3, head + ',"sessions":0,"x":"\\u0041"}'),
            (3, head + ',"sessions":0,"x":"\\u0000"}'),
            (3, head + ',"sessions":0,"x":"\\u001F"}'),
            (0, head + ',"sessions":0,"x":"\\u001f\\n\x7f"}'),
            (0, head + ',"sessions":0,"x":%s}' % ("[" * 15 + "]" * 15)),
            (3, head + ',"sessions":0,"x":%s}' % ("[" * 16 + "]" * 16)),
            (3, head + ',"sessions":0,"x":[,]}'),
            (3, head + ',"sessions":0,"x":{"a":{"b":1,"b":2}}}'),
            (0, '{"v":1,"kind":"heartbeat",%s,"new":1,"sessions":0}' % time),
            (3, '{"v":1,"new":1,"kind":"heartbeat",%s,"sessions":0}' % time),
            (3, head.replace("2026", "1969") + ',"sessions":0}'),
            (0, head.replace("2026", "1970") + ',"sessions":0}'),
            (3, head.replace("11-21", "02-30") + ',"sessions":0}'),
            (3, '{"v":1,"kind":"start",%s,"session":1,"workers":1}' % time),
            (0, release % ("[%s]" % table, '["d"]', one)),
            (0, release % ('[%s,"\u2026"]' % table, '["d"]', one)),
            (3, release % ('["\u2026",%s]' % table, '["d"]', one)),
            (3, release % ('[%s,"..."]' % table, '["d"]', one)),
            (3, release % ('[{"table":"a"}]', '["d"]', one)),
            (3, release % ("{}", '["d"]', one)),
            (3, release % ("[]", '["d","e"]', one)),
            (3, release % ("[]", '["d"]', '["AAAAAAAAAAF="]')),
            (3, release % ("[]", '["d"]', '["AAAAAAAAAAE"]')),
            (3, release % ("[]", '["d"]', '[["AAAAAAAAAAE="]]')),
            (3, release % ("[]", "[1]", one)),
            (0, release % ("[]", "[]", "[]")),
        ):
            self.lay([text.encode()])
            self.verdict(code, text)


if __name__ == "__main__":
    KURABAN, WRITER = (os.path.abspath(p) for p in sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main()
