#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
tools/verify.py against ledgers of an independent writer, golden vectors, and
every kind of damage (laws L8, L9; no single changed bit may pass).
"""

import base64
import contextlib
import functools
import hashlib
import io
import json
import os
import random
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tools")]
sys.dont_write_bytecode = True

import verify  # noqa: E402
import verify_writer as writer  # noqa: E402
from verify_entries import (  # noqa: E402
    WHO, entry, release, sample, sample_dicts, some_entries, tokens, when)
from verify_writer import dumps  # noqa: E402

# A signature is checked again for each of many thousand mutations that leave it
# alone; remembering the answer changes no answer.
verify.ed25519_ok = functools.lru_cache(maxsize=4096)(verify.ed25519_ok)


def run(*args):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = verify.main([str(a) for a in args])
        except SystemExit as e:
            code = e.code
    return code, out.getvalue(), err.getvalue()


class Vectors(unittest.TestCase):
    def test_ed25519_rfc8032(self):
        """RFC 8032 7.1, tests 1 to 3."""
        for public, message, signature in (
            ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
             "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8"
             "821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
            ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
             "72",
             "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085a"
             "c1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
            ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
             "af82",
             "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff"
             "9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
        ):
            public, message, signature = map(bytes.fromhex,
                                             (public, message, signature))
            self.assertTrue(verify.ed25519_ok(public, message, signature))
            self.assertFalse(verify.ed25519_ok(public, message + b"x", signature))
            for i in range(0, len(signature) * 8, 5):
                bad = flip(signature, i)
                self.assertFalse(verify.ed25519_ok(public, message, bad), i)
            s = int.from_bytes(signature[32:], "little") + verify.ORDER
            again = signature[:32] + s.to_bytes(32, "little")
            self.assertFalse(verify.ed25519_ok(public, message, again),
                             "the same signature in another spelling")

    def test_ed25519_points(self):
        """5.1.3: exactly the points of the curve decode, in one spelling."""
        p = 2**255 - 19
        for y in (*range(200), *range(p - 200, p)):
            x2 = (y * y - 1) * pow(verify.D * y * y + 1, -1, p) % p
            for odd in (0, 1):
                data = (y | odd << 255).to_bytes(32, "little")
                point = verify.ed_decode(data)
                if x2 == 0:
                    exists = not odd
                else:
                    exists = pow(x2, (p - 1) // 2, p) == 1
                self.assertEqual(point is not None, exists, (y, odd))
                if point:
                    self.assertEqual(point[0] ** 2 % p, x2)
                    self.assertEqual(point[0] & 1, odd)
                    self.assertEqual(verify.ed_encode(point), data)
        for y in range(p, 2**255):
            self.assertIsNone(verify.ed_decode(y.to_bytes(32, "little")), y - p)

    def test_ed25519_malformed(self):
        good = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a"
                             "0ee172f3daa62325af021a68f707511a")
        for public in (b"", good[:31], good + b"\0", b"\2" + bytes(31)):
            self.assertFalse(verify.ed25519_ok(public, b"", bytes(64)))
        for signature in (b"", bytes(63), bytes(65)):
            self.assertFalse(verify.ed25519_ok(good, b"", signature))

    def test_signed_note_example(self):
        """The example of the signed-note text."""
        key = verify.Key("example.com/foo+530d903a+"
                         "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
        sig = base64.b64decode("Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTg"
                               "K7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=")
        self.assertEqual(sig[:4], key.id)
        self.assertTrue(key.ok(b"This is an example message.\n", sig[4:]))

    def test_key_ids(self):
        for kind, want in ((1, "f8b2ceac"), (4, "ef883a35")):
            raw = bytes([kind]) + bytes(range(32))
            with self.assertRaisesRegex(ValueError, want):
                verify.Key("example.com/k+00000000+" +
                           base64.b64encode(raw).decode())

    def test_roots(self):
        """Vectors made with golang.org/x/mod/sumdb/tlog."""
        inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                  "606162636465666768696a6b6c6d6e6f"]
        roots = """
            6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
            fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
            aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
            d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
            4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
            76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
            ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
            5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
            """.split()
        t = verify.Tree()
        self.assertEqual(t.root(), hashlib.sha256().digest())
        leaves = [verify.leaf_hash(bytes.fromhex(x)) for x in inputs]
        for h, want in zip(leaves, roots):
            t.add(h)
            self.assertEqual(t.root().hex(), want)
            self.assertEqual(writer.mth(leaves[:t.size]).hex(), want)
        proof = [bytes.fromhex(h) for h in """
            bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b
            ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
            d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
            """.split()]
        self.assertEqual(writer.path(5, leaves), proof)
        self.assertEqual(verify.root_from_inclusion(leaves[5], 5, 8, proof),
                         t.root())

    def test_inclusion_all_sizes(self):
        leaves = [writer.leaf(b"%d" % i) for i in range(70)]
        for size in (*range(1, 20), 31, 32, 33, 63, 64, 65, 70):
            root = writer.mth(leaves[:size])
            for i in range(size):
                proof = writer.path(i, leaves[:size])
                ranges = verify.inclusion_ranges(i, size)
                self.assertEqual([writer.mth(leaves[a:b]) for a, b in ranges],
                                 proof)
                self.assertEqual(
                    verify.root_from_inclusion(leaves[i], i, size, proof), root)
                for wrong in (proof[:-1], proof + [root]):
                    if wrong != proof:
                        self.assertNotEqual(verify.root_from_inclusion(
                            leaves[i], i, size, wrong), root)

    def test_70000(self):
        """Roots and tiles of 70,000 leaves, from the same Go program."""
        tiles, roots = {}, {}

        class Counted(verify.Ledger):
            def __init__(self):
                self.levels = []

            def tile(self, level, n, hashes):
                tiles[verify.tile_path(level, n, len(hashes))] = \
                    hashlib.sha256(b"".join(hashes)).hexdigest()[:16]

        ledger, t = Counted(), verify.Tree()
        for i in range(70000):
            h = verify.leaf_hash(b"%d" % i)
            t.add(h)
            ledger.push(0, h)
            if t.size in (255, 256, 257, 65536, 65537, 70000):
                roots[t.size] = t.root().hex()
        for level, (n, hashes) in enumerate(ledger.levels):
            ledger.tile(level, n, hashes)
        self.assertEqual(roots, {
            255: "32f85bcaa87d7bcd05728f09e9aeba35"
                 "0ba6a2f733830087f0597682848be5cb",
            256: "828515d033c19d8c901f37eccb8aed91"
                 "9667703486f8d2fff1cf7040321c5db1",
            257: "1eda049a4351d86f76252bd7ec0b7746"
                 "ad75b7fa0316ad5f541dbda458a312c4",
            65536: "f025d06ed804859fd274a1bdacadd6e4"
                   "8ea87634aa91e1edb20143f9498cd02b",
            65537: "dc8795a25fd4bd52a0b84f639fd3139b"
                   "a160824023d188e428eb5db0f3ce221a",
            70000: "1a4cdfcb66374a0c0dcbef49acbd4976"
                   "d13ee864fb3cb241fc943cad04f02f7e"})
        self.assertEqual(len(tiles), 277)
        for name, want in (("tile/0/000", "b9704a8bfbee2c61"),
                           ("tile/0/272", "c2f1c18b351a6cde"),
                           ("tile/0/273.p/112", "4d21244557c97699"),
                           ("tile/1/000", "ea7b038bc73489c8"),
                           ("tile/1/001.p/17", "adfaca2731630fe7"),
                           ("tile/2/000.p/1", "f0113c8bad855b49")):
            self.assertEqual(tiles[name], want, name)

    def test_tile_names(self):
        self.assertEqual(verify.tile_path(0, 1234067), "tile/0/x001/x234/067")
        for name in ("tile/0/x001/x234/067", "tile/entries/000.p/255",
                     "tile/63/999", "tile/0/x001/000"):
            self.assertIsNotNone(verify.parse_tile_path(name), name)
        for name in ("tile/0/x000/001", "tile/00/000", "tile/64/000",
                     "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/000.p/01",
                     "tile/0/0", "tile/0/0000", "tile/0/x001", "tile/0/000.p",
                     "tile/8/0/000", "tile/entries/000\n", "tile/0/\u0660\u0660"
                     "\u0660"):
            self.assertIsNone(verify.parse_tile_path(name), name)


def flip(data, bit):
    b = bytearray(data)
    b[bit // 8] ^= 1 << bit % 8
    return bytes(b)


class LogCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.log = writer.Signer("kuraban.example/test")
        cls.witness = writer.Signer("witness.example/w1", kind=4)

    def setUp(self):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.dir = tempfile.mkdtemp(prefix="kuraban-verify-", dir=base)
        self.addCleanup(shutil.rmtree, self.dir)

    def lay(self, entries, signers=None):
        files = writer.files_of(entries, signers or (self.log, self.witness))
        shutil.rmtree(self.dir)
        writer.write(self.dir, files)
        return files

    def put(self, name, data):
        writer.write(self.dir, {name: data})

    def verify(self, *more, witness=True):
        args = [self.dir, "--key", self.log.vkey]
        if witness:
            args += ["--witness", self.witness.vkey]
        return run(*args, *more)

    def passes(self, *more, **kw):
        code, out, err = self.verify(*more, **kw)
        self.assertEqual(code, 0, err)
        return out

    def broken(self, pattern="", *more, **kw):
        code, _, err = self.verify(*more, **kw)
        self.assertEqual(code, 3, err)
        self.assertRegex(err, pattern or "BROKEN")


class Accepts(LogCase):
    def test_sizes(self):
        for size in (0, 1, 2, 3, 255, 256, 257, 511, 512, 600):
            self.lay(some_entries(size))
            out = self.passes()
            self.assertIn("whole: kuraban.example/test, %d entries" % size, out)

    def test_every_kind(self):
        self.lay(sample())
        self.passes()

    def test_old_partials(self):
        """tlog-tiles: a log may keep partial tiles of earlier sizes."""
        entries = some_entries(300)
        self.lay(entries)
        for size in (1, 100, 255, 257, 299):
            for name, data in writer.files_of(entries[:size], (self.log,)).items():
                if name.startswith("tile"):
                    self.put(name, data)
        self.passes()
        for name in ("tile/0/000.p/100", "tile/entries/000.p/100",
                     "tile/0/001.p/43", "tile/entries/001.p/43"):
            with open(os.path.join(self.dir, name), "rb") as f:
                data = f.read()
            for i in range(0, len(data) * 8, 1999):
                self.put(name, flip(data, i))
                self.broken(name)
            self.put(name, data)
        self.passes()

    def test_unknown_signatures_are_ignored(self):
        other = writer.Signer(self.log.name)
        self.lay(some_entries(3), (self.log, other, self.witness))
        self.passes()

    def test_proof(self):
        for size in (1, 5, 300):
            entries = some_entries(size)
            leaves = [writer.leaf(e) for e in entries]
            files = self.lay(entries)
            for n in {0, size // 2, size - 1}:
                want = b"c2sp.org/tlog-proof@v1\nindex %d\n" % n + b"".join(
                    base64.b64encode(h) + b"\n" for h in writer.path(n, leaves)) \
                    + b"\n" + files["checkpoint"]
                out = self.passes("--entry", n)
                self.assertEqual(out.encode(), want)
                lines = self.passes("--entry", n, "--json").splitlines()
                self.assertEqual(json.loads(lines[0])["result"], "whole")
                last = json.loads(lines[1])
                self.assertEqual(last["entry"].encode(), entries[n])
                self.assertEqual(last["proof"].encode(), want)
            self.assertEqual(self.verify("--entry", size)[0], 1)

    def test_old(self):
        entries = some_entries(300)
        self.lay(entries)
        old = os.path.join(tempfile.mkdtemp(dir=self.dir + "/.."), "old")
        self.addCleanup(shutil.rmtree, os.path.dirname(old))
        leaves = [writer.leaf(e) for e in entries]
        for size in (0, 1, 7, 256, 299, 300):
            with open(old, "wb") as f:
                f.write(writer.checkpoint((self.log,), leaves[:size]))
            self.passes("--old", old)
        with open(old, "wb") as f:      # history was rewritten
            f.write(writer.checkpoint((self.log,), leaves[1:20]))
        self.broken("first 19 entries are not", "--old", old)
        with open(old, "wb") as f:      # rolled back
            f.write(writer.checkpoint((self.log,), leaves + leaves[:1]))
        self.broken("had 301 entries, now it has 300", "--old", old)
        with open(old, "wb") as f:      # not signed by the log
            f.write(writer.checkpoint((writer.Signer(self.log.name),), leaves))
        self.broken("not signed by", "--old", old)

    def test_usage(self):
        self.lay(some_entries(1))
        for args in ((self.dir,), (self.dir, "--key", "x"),
                     (self.dir + "/none", "--key", self.log.vkey),
                     (self.dir, "--key", self.log.vkey, "--entry", "-1"),
                     (self.dir, "--key", self.log.vkey, "--old", "/nonexistent"),
                     (self.dir, "--key", self.log.vkey[:-4] + "AAA=")):
            self.assertEqual(run(*args)[0], 2, args)


class Notices(LogCase):
    """L9: whatever is changed without the key, and whatever the holder of the key
    writes against the entry rules, is noticed."""

    def each_bit(self, files, bits):
        for name, data in files.items():
            for i in bits(len(data) * 8):
                self.put(name, flip(data, i))
                code = self.verify()[0]
                self.assertEqual(code, 3, "%s bit %d passed" % (name, i))
            self.put(name, data)
        self.passes()

    def test_every_bit(self):
        self.each_bit(self.lay(some_entries(3)), range)

    def test_bits_of_larger_logs(self):
        rng = random.Random(1)
        self.each_bit(self.lay(sample()),
                      lambda n: rng.sample(range(n), min(n, 200)))
        self.each_bit(self.lay(some_entries(257)),
                      lambda n: rng.sample(range(n), min(n, 40)))

    def test_files(self):
        files = self.lay(some_entries(258))
        names = sorted(files)
        for name in names:
            where = os.path.join(self.dir, name)
            os.unlink(where)
            self.broken("%s: missing" % name)
            os.mkdir(where)
            self.broken("%s: (missing|not a regular)" % name)
            os.rmdir(where)
            os.symlink("/dev/null", where)
            self.broken(name)
            os.unlink(where)
            data = files[name]
            for bad in (b"", data[:1], data[:len(data) // 2], data[:-1],
                        data + b"\0", data + b"\n", data + data, data[::-1]):
                self.put(name, bad)
                self.broken(name)
            self.put(name, data)
        for a in names:                 # one file in the place of another
            for b in names:
                if files[a] != files[b]:
                    self.put(a, files[b])
                    self.broken()
            self.put(a, files[a])
        self.passes()

    def test_superfluous(self):
        files = self.lay(some_entries(258))
        for name, like in (("tile/0/x000/000", "tile/0/000"),
                           ("tile/0/002.p/256", "tile/0/000"),
                           ("tile/64/000", "tile/0/000"),
                           ("tile/entries/000~", "tile/entries/000"),
                           ("tile/data", "tile/entries/000"),
                           ("tile/000", "tile/0/000"),
                           ("index/000", "tile/0/000"),
                           ("lock", "vkey"),
                           ("checkpoint.old", "checkpoint")):
            self.put(name, files[like])
            self.broken(name)
            os.unlink(os.path.join(self.dir, name))
        for name, like in (("tile/0/001", "tile/0/000"),
                           ("tile/0/001.p/3", "tile/0/001.p/2"),
                           ("tile/0/002.p/2", "tile/0/001.p/2"),
                           ("tile/1/000.p/2", "tile/1/000.p/1"),
                           ("tile/2/000.p/1", "tile/1/000.p/1"),
                           ("tile/entries/001.p/3", "tile/entries/001.p/2"),
                           ("tile/entries/002.p/1", "tile/entries/001.p/2")):
            self.put(name, files[like])     # section 5: no part of the log
            self.assertIn("1 files of tiles beyond", self.passes())
            os.unlink(os.path.join(self.dir, name))
        os.rmdir(os.path.join(self.dir, "tile/64"))
        os.mkdir(os.path.join(self.dir, "tile/data"))
        self.broken("tile/data: superfluous")
        os.rmdir(os.path.join(self.dir, "tile/data"))
        os.symlink("000", os.path.join(self.dir, "tile/0/002"))
        self.broken("tile/0/002: not a regular file")
        os.unlink(os.path.join(self.dir, "tile/0/002"))
        self.passes()

    def test_entries_moved(self):
        """Entries dropped, doubled, swapped, cut: with the tiles recomputed, but
        without the key."""
        entries = some_entries(12)
        signed = self.lay(entries)["checkpoint"]
        for changed in ([e for i, e in enumerate(entries) if i != j] for j in
                        range(12)):
            self.refuse(changed, signed)
        for j in range(11):
            self.refuse(entries[:j + 1] + entries[j:], signed)
            swapped = list(entries)
            swapped[j], swapped[j + 1] = swapped[j + 1], swapped[j]
            self.refuse(swapped, signed)
            self.refuse(entries[:j] + [entries[j][:-1]] + entries[j + 1:], signed)
        self.refuse([], signed)

    def refuse(self, entries, signed):
        self.lay(entries)
        self.put("checkpoint", signed)
        self.broken()

    def test_signatures(self):
        entries = some_entries(4)
        leaves = [writer.leaf(e) for e in entries]
        self.lay(entries)
        text = writer.note_text(self.log.name, leaves)
        log, wit = self.log.line(text), self.witness.line(text)
        stranger = writer.Signer(self.log.name)
        forged = stranger.line(text)
        # a stranger's signature under the log's key id
        raw = bytearray(base64.b64decode(forged.split()[-1]))
        raw[:4] = self.log.id
        forged_id = b"\xe2\x80\x94 %s %s\n" % (self.log.name.encode(),
                                               base64.b64encode(raw))
        for pattern, note in (
            ("not signed by kuraban", text + b"\n" + wit),
            ("not signed by witness", text + b"\n" + log),
            ("not signed by kuraban", text + b"\n" + forged + wit),
            ("signature of kuraban.* is wrong", text + b"\n" + forged_id + wit),
            ("signature of kuraban.* is wrong",
             text + b"\n" + log + wit + forged_id),
            ("signature of witness.* is wrong",
             text + b"\n" + log + self.witness.line(text, time=0)),
            ("signature of witness.* is wrong",
             text + b"\n" + log + self.witness.line(text, time=1 << 63)),
            ("not a signature line", text + b"\n" + log + wit + b"junk\n"),
            ("do not end", text + b"\n" + log + wit[:-1]),
            ("no empty line", text + log + wit),
        ):
            self.put("checkpoint", note)
            self.broken(pattern)
        self.put("checkpoint", text + b"\n" + log + wit)
        self.passes()

    def test_note_text(self):
        """Well-signed, but not a checkpoint of this log."""
        entries = some_entries(4)
        leaves = [writer.leaf(e) for e in entries]
        self.lay(entries)
        root = base64.b64encode(writer.mth(leaves))
        name = self.log.name.encode()
        for pattern, text in (
            ("origin", b"\n4\n" + root + b"\n"),
            ("is the log", b"other\n4\n" + root + b"\n"),
            ("tree size", name + b"\n04\n" + root + b"\n"),
            ("tree size", name + b"\n-4\n" + root + b"\n"),
            ("tree size", name + b"\n4 \n" + root + b"\n"),
            ("tree size", name + b"\n99999999999999999999\n" + root + b"\n"),
            ("not base64", name + b"\n4\n" + root[:-1] + b"\n"),
            ("31 bytes", name + b"\n4\n" +
             base64.b64encode(writer.mth(leaves)[1:]) + b"\n"),
            ("extension", name + b"\n4\n" + root + b"\nmore\n"),
            ("has an origin", name + b"\n4\n"),
            ("control character", name + b"\n4\n" + root + b"\r\n"),
            ("not UTF-8", name + b"\n4\n" + root + b"\xff\n"),
            ("missing", name + b"\n5\n" + root + b"\n"),
            ("000.p/3: missing", name + b"\n3\n" + root + b"\n"),
        ):
            self.put("checkpoint", text + b"\n" + self.log.line(text))
            self.broken(pattern, witness=False)

    def entry_rule(self, pattern, entries):
        self.lay(entries, (self.log,))
        self.broken(pattern, witness=False)

    def test_entry_form(self):
        """Section 3.1: the bytes are well signed, but break the rules."""
        e = dumps(entry("heartbeat", 0, sessions=0))
        time = '"time":"2026-11-21T05:00:00.000000Z"'
        head = '{"v":1,"kind":"heartbeat",%s,' % time
        for pattern, raw in (
            ("has 0 bytes", b""), ("has 1 bytes", b"1"),
            ("not a JSON object", b"[]"), ("not JSON", b"{}{}"),
            ("not JSON", e[:-1]), ("not JSON", e + b"}"),
            ("not JSON", b"\xef\xbb\xbf" + e), ("not UTF-8", e + b"\xff"),
            ("white space", e + b" "), ("white space", b"\n" + e),
            ("white space", e.replace(b",", b", ", 1)),
            ("not JSON", e.replace(b"0}", b"'0'}")),
            ("bad number 00|not JSON", e.replace(b"0}", b"00}")),
            ("bad number -1", e.replace(b"0}", b"-1}")),
            ("bad number -0", e.replace(b"0}", b"-0}")),
            ("bad number 1e3", e.replace(b"0}", b"1e3}")),
            ("bad number 1.0", e.replace(b"0}", b"1.0}")),
            ("bad number NaN", e.replace(b"0}", b"NaN}")),
            ("bad number 9223372036854775808",
             e.replace(b"0}", b"9223372036854775808}")),
            ("key appears twice", (head + '"sessions":0,"sessions":0}').encode()),
            ("key appears twice", (head + '"sessions":0,"x":{"a":1,"a":1}}').encode()),
            ("an escape", (head + '"sessions":0,"x":"\\ud800"}').encode()),
            ("nested", (head + '"x":' + "[" * 9000 + "]" * 9000 + "}").encode()),
            ('begin with "v":1', ('{"kind":"heartbeat",%s,"sessions":0}' %
                                  time).encode()),
            ('begin with "v":1', ('{"kind":"heartbeat","v":1,%s,"sessions":0}' %
                                  time).encode()),
            ('begin with "v":1', e.replace(b":1,", b":2,", 1)),
            ('begin with "v":1', e.replace(b":1,", b":true,", 1)),
            ('begin with "v":1', e.replace(b":1,", b':"1",', 1)),
            ("unknown kind", e.replace(b"heartbeat", b"heartbeats")),
            ("unknown kind", e.replace(b'"heartbeat"', b'["x"]')),
            ("bad time", e.replace(b"Z", b"+00:00")),
            ("bad time", e.replace(b".000000", b".00000")),
            ("bad time", e.replace(b"05:00", b"25:00")),
            ("bad time", e.replace(b"11-21", b"02-30")),
            ('begin with "v":1', ('{"v":1,%s,"kind":"heartbeat","sessions":0}' %
                                time).encode()),
            ("in their order", (head + '"sessions":0,"actor":"a"}').encode()),
            ("sessions is missing", (head[:-1] + "}").encode()),
        ):
            self.entry_rule(pattern, [raw])
        for raw in (e.replace(b"0}", b"9223372036854775807}"),
                    (head + '"x":[" \\" , "],"sessions":0,"y":null}').encode()):
            self.lay([raw])
            self.passes()

    def test_entry_fields(self):
        """Section 3.3: a missing or misshapen field of any kind is noticed."""
        entries = sample_dicts()
        optional = {"config", "version", "why", "application", "address", "sealed",
                    "commitment", "until", "subjects_max", "by", "what", "detail",
                    "who", "id", "object", "sqlstate", "sql", "outcome", "class",
                    "basis", "gate", "role", "database", "actor", "later", "request"}
        for i, e in enumerate(entries):
            for name in e:
                less = {k: v for k, v in e.items() if k != name}
                changed = [dumps(x) for x in entries]
                changed[i] = dumps(less)
                self.lay(changed)
                if name in optional and (e["kind"], name) not in (
                        ("release", "request"), ("grant", "id"),
                        ("policy", "detail")):
                    if e["kind"] != "x":
                        self.passes()
                elif (e["kind"], name) != ("session", "event") and \
                        not (name == "session" and e["kind"] != "session"):
                    self.broken("entry %d" % i)
                if name in ("later",):
                    continue
                for wrong in (None, ["x", 1], {"x": 1}):
                    changed[i] = dumps(dict(e, **{name: wrong}))
                    self.lay(changed)
                    self.broken("entry %d" % i)

    def test_entry_order(self):
        """Section 3.2."""
        e, who = entry, WHO
        start = e("start", 0, workers=1)

        def session(number, event, **more):
            return e("session", 1, **dict(who, session=number), event=event,
                     tls=False, **more)

        deny = dict(e("deny", 2, **dict(who, session=2)))
        for pattern, entries in (
            ("time goes back", [e("heartbeat", 5, sessions=0),
                                e("heartbeat", 4, sessions=0)]),
            ("opens session 1, not 2", [start, session(1, "open")]),
            ("opens session None", [start, {k: v for k, v in session(
                2, "open").items() if k != "session"}]),
            ("session 2 is not open", [start, start, deny]),
            ("session 2 is not open", [deny]),
            ("session 2 is not open",
             [start, session(2, "open"), session(2, "close"), deny]),
            ("session 2 is not open",
             [start, session(2, "open"), session(2, "close"),
              session(2, "close")]),
            ("session 2 is not open",
             [start, session(2, "open"), dict(start, time=when(1)), deny]),
            ("closes no session", [start, {k: v for k, v in session(
                2, "close").items() if k != "session"}]),
            ("failed login has", [start, session(2, "failed")]),
        ):
            self.entry_rule(pattern, [dumps(x) for x in entries])
        self.lay([dumps(x) for x in (
            start, session(2, "open"), session(3, "open"), deny,
            session(3, "close"), deny | {"time": when(2)},
            session(2, "close") | {"time": when(2)})][:4])
        self.passes()

    def test_entry_subjects(self):
        """Section 3.4."""
        good = release(0, [1, 2])
        many = release(0, range(4096))
        for pattern, e in (
            ("1 domains, subjects of 2", dict(good, subjects=good["subjects"] * 2)),
            ("2 domains, subjects of 1", dict(good, domains=["a", "b"])),
            ("not tokens", dict(good, subjects=[base64.b64encode(
                bytes(15)).decode()])),
            ("not tokens", dict(good, subjects=["AAAAAAAAAAA"])),
            ("not tokens", dict(good, subjects=["AAAAAAAAAAB="])),
            ("not tokens", dict(good, subjects=["AAAAAAAA\u00e4AA="])),
            ("not tokens", release(0, range(4097))),
            ("not tokens", dict(many, domains=["a", "b"], subjects=many[
                "subjects"] + [tokens(1)])),
            ("subjects is not", entry("heartbeat", 0, sessions=0, subjects=["x"])),
            ("not tables", dict(good, tables=[{"table": "x"}])),
            ("not tables", dict(good, tables=["\u2026", {"table": "x",
                                                         "columns": "*"}])),
        ):
            self.entry_rule(pattern, [dumps(e)])
        for e in (many, dict(good, domains=["a", "b"], subjects=["", tokens(1)]),
                  dict(good, domains=[], subjects=[]),
                  dict(good, tables=good["tables"] + ["\u2026"])):
            self.lay([dumps(e)])
            self.passes()

    def test_messages_name_the_place(self):
        entries = some_entries(300)
        files = self.lay(entries)
        name = "tile/entries/001.p/44"
        at = len(writer.bundle(entries[256:260]))
        data = bytearray(files[name])
        data[at + 10] ^= 1
        self.put(name, bytes(data))
        self.broken(r"tile/0/001\.p/44:128: hash differs from entries 260\.\.260")
        out = self.verify("--json")[1].splitlines()
        self.assertEqual(json.loads(out[-1])["result"], "broken")
        self.assertTrue(all({"file", "offset", "problem"} == set(json.loads(x))
                            for x in out[:-1]))


class OwnFiles(LogCase):
    """Sections 7 and 8: state, ring and who-index of a ledger in use."""

    RING_ID = bytes(range(16))

    def lay_own(self, signed=270, archived=290, committed=310, epoch=1):
        """A log with entries in the three places, its ring wrapped round."""
        self.entries = some_entries(committed)
        leaves = [writer.leaf(e) for e in self.entries]
        files = self.lay(self.entries[:signed])
        for name, data in writer.files_of(self.entries[:archived],
                                          (self.log,)).items():
            if name.startswith("tile"):
                files[name] = data
        # Old frames, then live ones from near the end of the file on.
        size, at, seq, prev, blocks = 512 << 10, 4096, 40, bytes(32), {}
        self.live = []
        for first in range(0, archived, 10):
            data, prev = writer.frame(seq, first, self.entries[first:first + 10],
                                      self.RING_ID, prev, epoch)
            blocks[at], at, seq = data, at + len(data), seq + 1
        at = size - 4096
        files["state"] = writer.state(self.log.name, leaves[:archived], signed, at,
                                      seq, prev, epoch)
        for first in range(archived, committed, 5):
            data, prev = writer.frame(seq, first, self.entries[first:first + 5],
                                      self.RING_ID, prev, epoch)
            if at + len(data) > size:
                at = 4096
            blocks[at] = data
            self.live.append((at, len(data)))
            at, seq = at + len(data), seq + 1
        files["wal"] = writer.ring(blocks, size, self.RING_ID)
        sets = [verify.tokens_of(json.loads(e)) for e in self.entries]
        a = self.indexed = archived * 7 // 8
        for first, end in ((0, a), (a, archived), (0, a // 2), (a // 2, a - 1)):
            name, data = writer.segment(first, sets[first:end])
            files[name] = data
        files["lock"] = b""
        writer.write(self.dir, files)
        return files

    def test_whole(self):
        for sizes in ((270, 290, 310), (256, 256, 281), (255, 257, 258),
                      (290, 290, 290), (300, 512, 512), (511, 513, 520)):
            self.lay_own(*sizes)
            out = self.passes()
            self.assertIn("%d entries" % sizes[0], out)
            if sizes[2] > sizes[0]:
                self.assertIn("%d more entries are not signed yet" %
                              (sizes[2] - sizes[0]), out)
        for name in ("state.tmp", "checkpoint.tmp", "vkey.tmp", "index/new.tmp",
                     "broken"):
            self.put(name, b"whatever")
            self.passes()

    def test_bits(self):
        files = self.lay_own(9, 16, 36)
        rng = random.Random(2)
        own = [n for n in files if n == "state" or n.startswith("index")]
        for name in (*own, "tile/entries/000.p/16"):    # archived, not signed
            data = files[name]
            for i in range(0, len(data) * 8, 1 if name == "state" else 5):
                self.put(name, flip(data, i))
                self.broken()
            self.put(name, data)
        wal = files["wal"]
        for i in range(0, 4096 * 8, 101):
            self.put("wal", flip(wal, i))
            self.broken("wal")
        for at, length in self.live[:-1]:
            for i in rng.sample(range(at * 8, (at + length) * 8), 60):
                self.put("wal", flip(wal, i))
                self.broken("wal:[0-9]+: frame .* is damaged")
        # The last frame cannot be told from one that was cut off by a crash.
        self.put("wal", flip(wal, self.live[-1][0] * 8 + 8000))
        self.assertIn("22 more", self.passes())
        self.put("wal", wal)
        self.passes()

    def test_dead_blocks_mean_nothing(self):
        files = self.lay_own(9, 16, 36)
        used = [(0, 4096)] + self.live
        for at in range(0, len(files["wal"]), 4096):
            if not any(a <= at < a + n for a, n in used):
                self.put("wal", flip(files["wal"], at * 8 + 5))
                self.passes()

    def test_missing(self):
        files = self.lay_own()
        for name in ("state", "wal", "tile/entries/001.p/34"):
            os.unlink(os.path.join(self.dir, name))
            self.broken("missing")
            self.put(name, files[name])
        first = next(n for n in files if n.startswith("index/%016x-%08x" %
                                                      (0, self.indexed)))
        os.unlink(os.path.join(self.dir, first))    # leaves two, then a gap
        self.broken("which does not fit")
        shutil.rmtree(os.path.join(self.dir, "index"))
        self.passes()

    def test_state(self):
        files = self.lay_own()
        leaves = [writer.leaf(e) for e in self.entries]
        at, seq, prev = 508 << 10, 69, None
        line = [x for x in files["state"].split(b"\n") if x.startswith(b"prev ")][0]
        prev = bytes.fromhex(line[5:].decode())
        good = (self.log.name, leaves[:290], 270, at, seq, prev)
        self.assertEqual(writer.state(*good), files["state"])
        for pattern, args in (
            ("is of the log", ("other",) + good[1:]),
            ("state:0: the entries give", (good[0], leaves[1:291]) + good[2:]),
            ("has 269 entries, the checkpoint 270",
             (good[0], leaves[:269], 269) + good[3:]),
            ("bad offset", good[:3] + (at + 1,) + good[4:]),
            ("bad offset", good[:3] + (0,) + good[4:]),
            ("frame 68 is damaged", good[:4] + (68,) + good[5:]),
            ("frame 69 is damaged", good[:5] + (bytes(32),)),
        ):
            self.put("state", writer.state(*args))
            self.broken(pattern)
        for old, new in ((b"root ", b"root 0"), (b"offset ", b"offset 0"),
                         (b"seq ", b"seq -"), (b"prev ", b"prev X"),
                         (b"epoch", b"epocH"), (b"state 1", b"state 2"),
                         (b"size 2", b"size\n2"), (b"origin", b"\norigin")):
            text = files["state"].replace(old, new, 1).rpartition(b"sum ")[0]
            self.put("state", text + b"sum %s\n" %
                     hashlib.sha256(text).hexdigest().encode())
            self.broken("state:0: (bad|not in the form)")

    def test_ring_entries_obey(self):
        """Their order is checked too (section 7.4)."""
        self.lay_own(5, 5, 5)
        files = writer.files_of(some_entries(5), (self.log, self.witness))
        for pattern, raw in (
            ("time goes back", dumps(entry("heartbeat", 1, sessions=0))),
            ("not open", dumps(entry("deny", 9, **WHO))),
            ("not JSON", b"{]"),
        ):
            data, _ = writer.frame(1, 5, [raw], self.RING_ID, bytes(32))
            leaves = [writer.leaf(e) for e in some_entries(5)]
            self.put("wal", writer.ring({4096: data}))
            self.put("state", writer.state(self.log.name, leaves))
            self.broken("wal:4224: entry 5: .*" + pattern)
        self.assertTrue(files)

    def test_frames(self):
        """7.2 and 7.4: what is no whole frame that follows on ends the log."""
        entries = some_entries(4)
        leaves = [writer.leaf(e) for e in entries]
        late = [dumps(entry("heartbeat", 9, sessions=0))] * 2
        self.lay(entries)
        good, total = writer.frame(7, 4, late, self.RING_ID, bytes(32), 3)
        state = writer.state(self.log.name, leaves, offset=4096, seq=7)
        self.put("state", state)

        def ring(*frames, size=512 << 10):
            self.put("wal", writer.ring(dict(frames), size, self.RING_ID))

        ring((4096, good))
        self.assertIn("2 more", self.passes())
        for other in (writer.frame(6, 4, late, self.RING_ID, bytes(32))[0],
                      writer.frame(7, 4, late, bytes(16), bytes(32))[0],
                      good[:-4096], b"KBFRAME\1", good[:8] + bytes(4088)):
            ring((4096, other))
            self.assertNotIn("more", self.passes())
        for other in (writer.frame(7, 5, late, self.RING_ID, bytes(32))[0],
                      writer.frame(8, 4, late, self.RING_ID, bytes(32))[0],
                      writer.frame(7, 4, late, self.RING_ID, total)[0]):
            ring((4096, other))
            self.broken("frame 7 is damaged")
        def patched(at, value):
            """The frame with another number in its head, and the sum mended."""
            raw = bytearray(good + bytes(4096))
            raw[at:at + len(value)] = value
            raw = raw[:4096 * int.from_bytes(raw[36:40], "big")] or raw[:4096]
            raw[88:120] = bytes(32)
            raw[88:120] = hashlib.sha256(raw).digest()
            return bytes(raw)

        ring((4096, patched(36, writer.number(1, 4))))
        self.assertIn("2 more", self.passes())
        for at, value in ((12, 0), (12, 1), (12, 3), (32, 1), (32, 9999), (36, 2),
                          (36, 0), (120, 1)):
            ring((4096, patched(at, writer.number(value, 4))))
            self.assertNotIn("more", self.passes())
        large = [dumps(entry("heartbeat", 9, sessions=0, x="y" * 60000))] * 2
        for ring_size, most in ((512 << 10, ""), (1 << 20, "2 more")):
            ring((4096, writer.frame(7, 4, large, self.RING_ID, bytes(32))[0]),
                 size=ring_size)        # 30 blocks, of 127 or 255
            self.assertIn("2 more", self.passes())
            ring((4096, writer.frame(7, 4, large + [large[0][:-2] + b'"}'],
                                     self.RING_ID, bytes(32))[0]), size=ring_size)
            self.assertEqual("3 more" in self.passes(), bool(most))
        older = writer.frame(8, 6, late, self.RING_ID, total, 2)[0]
        newer = writer.frame(8, 6, late, self.RING_ID, total, 4)[0]
        ring((4096, good), (8192, newer))
        self.assertIn("4 more", self.passes())
        ring((4096, good), (8192, older))       # of a start that is over
        self.assertIn("2 more", self.passes())
        self.put("state", writer.state(self.log.name, leaves, seq=7, epoch=4))
        ring((4096, good), (8192, older))
        self.assertNotIn("more", self.passes())
        ring((8192, newer))
        self.broken("frame 7 is damaged")
        self.put("state", state)
        ring((4096, good), (12288, newer))      # a hole between them
        self.broken("frame 8 is damaged")
        ring((8192, good))                      # not at 4096, though it would fit
        self.broken("frame 7 is damaged")
        self.put("state", writer.state(self.log.name, leaves, offset=512 << 10,
                                       seq=7))
        ring((4096, good))                      # at the end: goes on at 4096
        self.assertIn("2 more", self.passes())
        self.put("state", state)
        for size in (508 << 10, (512 << 10) + 512, 256 << 10):
            ring(size=size)
            self.broken("wal:%d: bad length" % size)

    def test_index(self):
        """Well-formed segments that do not say what the entries say."""
        entries = some_entries(60)
        sets = [verify.tokens_of(json.loads(e)) for e in entries]
        self.lay(entries)

        def lay(*segments):
            shutil.rmtree(os.path.join(self.dir, "index"), ignore_errors=True)
            for first, tokens_of_entries in segments:
                self.put(*writer.segment(first, tokens_of_entries))

        lay((0, sets))
        self.passes()
        lay((0, sets[:20]), (20, sets[20:40]), (0, sets[:40]), (40, sets[40:50]))
        self.passes()
        less, more = [set(x) for x in sets], [set(x) for x in sets]
        less[2].pop()
        more[3].add(12345)
        for pattern, segments in (
            ("does not name entry 2", [(0, less)]),
            ("names 1 entries too many", [(0, more)]),
            ("does not name entry", [(0, sets[1:])]),
            ("does not fit", [(0, sets[:20]), (21, sets[21:])]),
            ("does not fit", [(1, sets[1:])]),
            ("does not fit", [(0, sets[:20]), (10, sets[10:30])]),
            ("does not fit", [(0, sets + [set()])]),
            ("does not name entry 2", [(0, sets), (0, less[:20])]),
        ):
            lay(*segments)
            self.broken(pattern)


if __name__ == "__main__":
    unittest.main()
