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


# What the writer keeps for itself: docs/spec/ledger.md sections 7 and 8.

def number(n, length):
    return n.to_bytes(length, "big")


def frame(seq, first, entries, ring_id, prev, epoch=1):
    payload = bundle(entries)
    blocks = -(-(128 + len(payload)) // 4096)
    head = b"KBFRAME\x01" + number(epoch, 4) + number(len(entries), 4) + \
        number(seq, 8) + number(first, 8) + number(len(payload), 4) + \
        number(blocks, 4) + ring_id + prev
    assert len(head) == 88
    tail = bytes(8) + payload
    tail += bytes(blocks * 4096 - 120 - len(tail))
    total = hashlib.sha256(head + bytes(32) + tail).digest()
    return head + total + tail, total


def ring(frames, size=512 << 10, ring_id=bytes(range(16))):
    """A `wal` with raw bytes at the offsets given: {offset: bytes}."""
    head = b"KBRING\x00\x01" + number(size, 8) + ring_id
    out = bytearray(size)
    out[:64] = head + hashlib.sha256(head).digest()
    for at, data in frames.items():
        out[at:at + len(data)] = data
    return bytes(out)


def state(origin, leaves, previous=0, offset=4096, seq=1, prev=bytes(32), epoch=1):
    text = ("kuraban ledger state 1\norigin %s\nepoch %d\nsize %d\nprevious %d\n"
            "root %s\noffset %d\nseq %d\nprev %s\n" % (
                origin, epoch, len(leaves), previous, mth(leaves).hex(), offset,
                seq, prev.hex())).encode()
    return text + b"sum %s\n" % hashlib.sha256(text).hexdigest().encode()


def segment(first, tokens_of_entries):
    """(name, bytes) of an index segment over entries with these token sets."""
    postings = {}
    for i, tokens in enumerate(tokens_of_entries):
        for t in set(tokens):
            postings.setdefault(t, []).append(i)
    rows, words = b"", []
    for t in sorted(postings):
        entries = postings[t]
        value = entries[0]
        if len(entries) > 1:
            value = 1 << 31 | len(words)
            words += [len(entries)] + entries
        rows += number(t, 8) + number(value, 4)
    body = rows + b"".join(number(w, 4) for w in words)
    head = b"KBINDEX\x01" + number(first, 8) + number(len(tokens_of_entries), 4) + \
        number(len(postings), 4) + number(len(words), 4) + bytes(4)
    name = "index/%016x-%08x-%08x" % (first, len(tokens_of_entries), len(postings))
    return name, head + hashlib.sha256(body + head).digest() + body
