# SPDX-License-Identifier: Apache-2.0
"""
A ledger writer for the tests of the verifiers, written apart from both: the tree
by the recursive definition of RFC 6962 section 2.1 as it stands there, signatures
by the openssl program. Slow, and meant to be obvious.
"""

import atexit
import base64
import hashlib
import json
import os
import shutil
import subprocess
import tempfile


def mth(leaves):
    """RFC 6962 2.1: MTH over a list of leaf *hashes*."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def leaf(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def path(m, leaves):
    """RFC 6962 2.1.1: PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return path(m, leaves[:k]) + [mth(leaves[k:])]
    return path(m - k, leaves[k:]) + [mth(leaves[:k])]


class Signer:
    """An Ed25519 key in a file, used through the openssl program."""

    def __init__(self, name, kind=1):
        self.name, self.kind = name, kind
        self.dir = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, self.dir)
        self.file = os.path.join(self.dir, "key.pem")
        self.openssl("genpkey", "-algorithm", "ed25519", "-out", self.file)
        der = self.openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")
        self.public = der[-32:]
        body = bytes([kind]) + self.public
        self.id = hashlib.sha256(name.encode() + b"\n" + body).digest()[:4]
        self.vkey = "%s+%s+%s" % (name, self.id.hex(),
                                  base64.b64encode(body).decode())

    @staticmethod
    def openssl(*args):
        return subprocess.run(("openssl",) + args, check=True,
                              stdout=subprocess.PIPE).stdout

    def sign(self, message):
        with tempfile.NamedTemporaryFile(dir=self.dir) as f:
            f.write(message)
            f.flush()
            return self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.file,
                                "-in", f.name)

    def line(self, text, time=1789000000):
        if self.kind == 4:
            body = time.to_bytes(8, "big") + self.sign(
                b"cosignature/v1\ntime %d\n" % time + text)
        else:
            body = self.sign(text)
        return b"\xe2\x80\x94 %s %s\n" % (self.name.encode(),
                                          base64.b64encode(self.id + body))


def note_text(origin, leaves):
    return b"%s\n%d\n%s\n" % (origin.encode(), len(leaves),
                              base64.b64encode(mth(leaves)))


def checkpoint(signers, leaves):
    text = note_text(signers[0].name, leaves)
    return text + b"\n" + b"".join(s.line(text) for s in signers)


def tile_name(kind, n, width):
    digits = "%03d" % n
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i:i + 3] for i in range(0, len(digits), 3)]
    name = "tile/%s/%s" % (kind, "/".join(
        ["x" + g for g in groups[:-1]] + groups[-1:]))
    return name if width == 256 else "%s.p/%d" % (name, width)


def bundle(entries):
    return b"".join(len(e).to_bytes(2, "big") + e for e in entries)


def files_of(entries, signers):
    """The whole published ledger as {name: bytes}."""
    leaves = [leaf(e) for e in entries]
    out = {"checkpoint": checkpoint(signers, leaves),
           "vkey": signers[0].vkey.encode() + b"\n"}
    for i in range(0, len(entries), 256):
        part = entries[i:i + 256]
        out[tile_name("entries", i // 256, len(part))] = bundle(part)
    level, hashes = 0, leaves
    while hashes:
        for i in range(0, len(hashes), 256):
            part = hashes[i:i + 256]
            out[tile_name(level, i // 256, len(part))] = b"".join(part)
        hashes = [mth(hashes[i:i + 256])
                  for i in range(0, len(hashes) - 255, 256)]
        level += 1
    return out


def write(folder, files):
    for name, data in files.items():
        where = os.path.join(folder, name)
        os.makedirs(os.path.dirname(where), exist_ok=True)
        with open(where, "wb") as f:
            f.write(data)


def dumps(entry):
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode()
