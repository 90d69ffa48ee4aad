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
from verify_entries import sample, some_entries  # noqa: E402

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
            for i in range(0, len(data) * 8, 499):
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
        self.each_bit(self.lay(sample()), range)

    def test_bits_of_full_tiles(self):
        rng = random.Random(1)
        self.each_bit(self.lay(some_entries(257)),
                      lambda n: rng.sample(range(n), min(n, 60)))

    def test_files(self):
        files = self.lay(some_entries(258))
        names = sorted(files)
        for name in names:
            where = os.path.join(self.dir, name)
            if name != "vkey":      # a copy may go without
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
        for name, like in (("tile/0/001", "tile/0/000"),
                           ("tile/0/001.p/3", "tile/0/001.p/2"),
                           ("tile/0/002.p/2", "tile/0/001.p/2"),
                           ("tile/0/x000/000", "tile/0/000"),
                           ("tile/1/000.p/2", "tile/1/000.p/1"),
                           ("tile/2/000.p/1", "tile/1/000.p/1"),
                           ("tile/entries/001.p/3", "tile/entries/001.p/2"),
                           ("tile/entries/002.p/1", "tile/entries/001.p/2"),
                           ("tile/entries/000~", "tile/entries/000"),
                           ("tile/data/000", "tile/entries/000"),
                           ("tile/000", "tile/0/000"),
                           ("checkpoint.old", "checkpoint")):
            self.put(name, files[like])
            self.broken(name)
            os.unlink(os.path.join(self.dir, name))
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
            ("beyond the signed size 3", name + b"\n3\n" + root + b"\n"),
        ):
            self.put("checkpoint", text + b"\n" + self.log.line(text))
            self.broken(pattern, witness=False)

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


if __name__ == "__main__":
    unittest.main()
