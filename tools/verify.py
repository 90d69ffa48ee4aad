#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Checks a Kuraban ledger offline, from nothing but its files and its public key.

This is the second verifier: it was written from RFC 6962 (Merkle tree), RFC 8032
(Ed25519), the C2SP texts signed-note, tlog-checkpoint, tlog-tiles and
tlog-cosignature, and docs/spec/ledger.md (entries). It shares no code with
Kuraban, which has its own verifier in C, and needs only the standard library of
Python 3.9 or later. That two programs that have nothing in common agree is the
point (law L9), so keep it that way: never port a fix from the one to the other,
fix the text and then each program.

    verify.py DIR --key VKEY [--witness VKEY]... [--old CHECKPOINT]
              [--entry N] [--json]

DIR is STATE/ledger or a copy. Every entry is read and hashed; every tile is
compared with what those hashes give; their root with the signed checkpoint. The
whole log passes through once, in constant memory.

Exit: 0 whole, 1 no such entry, 2 usage, 3 broken.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import stat
import sys

WIDTH = 256                 # hashes in a full tile, entries in a full bundle
HASH = 32
ENTRY_MAX = 65535
NOTE_MAX = 1 << 20          # a checkpoint with many post-quantum cosignatures
PROBLEMS_SHOWN = 100


class Broken(Exception):
    """What is wrong, and where: file (or None) and byte offset (or None)."""

    def __init__(self, text, file=None, offset=None):
        super().__init__(text)
        self.text, self.file, self.offset = text, file, offset


# ---------------------------------------------------------------------------
# Ed25519, RFC 8032 section 5.1. Verification only: no secret passes here, so
# that it is slow and its timing uneven does no harm.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def ed_x(y, odd):
    """The x of the point with this y and this lowest bit of x, or None (5.1.3)."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or x == 0 and odd:
        return None
    return x if x & 1 == odd else P - x


def ed_decode(data):
    """Bytes to (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z; None: no point."""
    n = int.from_bytes(data, "little")
    y = n & ((1 << 255) - 1)
    x = ed_x(y, n >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def ed_encode(point):
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    return ((x * inverse % P & 1) << 255 | y * inverse % P).to_bytes(32, "little")


def ed_add(one, two):
    """5.1.4; also right when both are the same point."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = two
    a, b = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * D * t1 * t2, 2 * z1 * z2
    e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
    return e * f % P, g * h % P, f * g % P, e * h % P


def ed_times(n, point):
    result = (0, 1, 1, 0)
    for bit in bin(n)[2:]:
        result = ed_add(result, result)
        if bit == "1":
            result = ed_add(result, point)
    return result


ED_BASE = ed_decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def ed25519_ok(public, message, signature):
    """5.1.7, in the strict form: S < order, and R compared as bytes."""
    a = ed_decode(public) if len(public) == 32 else None
    if a is None or len(signature) != 64:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little")
    minus_a = (-a[0] % P, a[1], a[2], -a[3] % P)
    return ed_encode(ed_add(ed_times(s, ED_BASE),
                            ed_times(k % ORDER, minus_a))) == r


# ---------------------------------------------------------------------------
# RFC 6962 section 2.1.

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """The hash of a growing list of leaves, from the perfect subtrees on its
    right edge: one for each 1 bit of the size, largest first."""

    def __init__(self):
        self.size = 0
        self.edge = []

    def add(self, leaf):
        self.size += 1
        h, n = leaf, self.size
        while n & 1 == 0:
            h = node_hash(self.edge.pop(), h)
            n >>= 1
        self.edge.append(h)

    def root(self):
        if not self.edge:
            return EMPTY_ROOT
        h = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            h = node_hash(left, h)
        return h


def inclusion_ranges(index, size):
    """The subtrees [lo, hi) whose hashes prove a leaf, leaf's sibling first."""
    lo, hi, out = 0, size, []
    while hi - lo > 1:
        k = 1 << ((hi - lo - 1).bit_length() - 1)
        if index < lo + k:
            out.append((lo + k, hi))
            hi = lo + k
        else:
            out.append((lo, lo + k))
            lo += k
    return out[::-1]


def root_from_inclusion(leaf, index, size, proof):
    """RFC 9162 section 2.1.3.2; None when the proof has the wrong length."""
    if index >= size:
        return None
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, p)
        fn >>= 1
        sn >>= 1
    return r if sn == 0 else None


# ---------------------------------------------------------------------------
# C2SP signed-note, tlog-checkpoint, tlog-cosignature.

TYPE_ED25519 = 0x01
TYPE_COSIGNATURE = 0x04


def b64(text):
    """RFC 4648 section 4, one spelling only: Python alone would let the unused
    bits of the last character differ."""
    if isinstance(text, str):
        text = text.encode("utf-8")
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw) != text:
        raise ValueError("not the canonical spelling")
    return raw


def decimal(text):
    if not re.fullmatch(r"0|[1-9][0-9]{0,19}", text, re.ASCII):
        return None
    n = int(text)
    return n if n < 1 << 63 else None


class Key:
    """A verifier key line: NAME+KEYID+BASE64(TYPE || PUBLIC)."""

    def __init__(self, vkey):
        try:
            self.name, ident, public = vkey.split("+", 2)
            self.id = bytes.fromhex(ident)
            raw = b64(public)
        except ValueError:
            raise ValueError("not a verifier key: %r" % vkey) from None
        if not good_key_name(self.name) or ident != self.id.hex():
            raise ValueError("not a verifier key: %r" % vkey)
        self.type, self.public = raw[:1], raw[1:]
        want = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        if self.id != want:
            raise ValueError("the verifier key's id should be %s, not %s" %
                             (want.hex(), ident))
        if self.type not in (b"\x01", b"\x04") or len(self.public) != 32 or \
                ed_decode(self.public) is None:
            raise ValueError("only Ed25519 verifier keys (type 1 or 4) are known")

    def ok(self, text, signature):
        if self.type[0] == TYPE_ED25519:
            return ed25519_ok(self.public, text, signature)
        if len(signature) != 72:
            return False
        when = int.from_bytes(signature[:8], "big")
        if not 0 < when < 1 << 63:
            return False
        return ed25519_ok(self.public, b"cosignature/v1\ntime %d\n" % when + text,
                          signature[8:])


def good_key_name(name):
    return name != "" and "+" not in name and not any(c.isspace() for c in name)


class Checkpoint:
    """A checkpoint file, signed by `key` and by each of `witnesses`."""

    def __init__(self, raw, file, key, witnesses=()):
        self.raw = raw

        def bad(text, offset=0):
            raise Broken(text, file, offset)

        if len(raw) > NOTE_MAX:
            bad("larger than any checkpoint", NOTE_MAX)
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as e:
            bad("not UTF-8", e.start)
        for i, c in enumerate(raw):
            if c < 0x20 and c != 0x0A:
                bad("control character 0x%02x" % c, i)
        cut = raw.rfind(b"\n\n")
        if cut < 0:
            bad("no empty line before the signatures")
        text, self.signed = raw[:cut + 1], set()
        self.parse_text(text, bad)
        if key.name != self.origin:
            bad("this is the log %r, the key is of %r" % (self.origin, key.name))
        self.check_signatures(raw, text, cut + 2, (key, *witnesses), bad)
        for k in (key, *witnesses):
            if k not in self.signed:
                bad("not signed by %s (key id %s)" % (k.name, k.id.hex()), cut + 2)

    def parse_text(self, text, bad):
        lines = text.decode("utf-8").split("\n")[:-1]
        if len(lines) < 3:
            bad("a checkpoint has an origin, a size and a root")
        self.origin = lines[0]
        if not good_key_name(self.origin):
            bad("bad origin %r" % self.origin)
        at = len(lines[0].encode()) + 1
        self.size = decimal(lines[1])
        if self.size is None:
            bad("bad tree size %r" % lines[1], at)
        at += len(lines[1]) + 1
        try:
            self.root = b64(lines[2])
        except ValueError:
            bad("the root is not base64", at)
        if len(self.root) != HASH:
            bad("the root has %d bytes, not %d" % (len(self.root), HASH), at)
        if len(lines) > 3:      # allowed by C2SP, forbidden by docs/spec/ledger.md
            bad("extension lines", at + len(lines[2]) + 1)

    def check_signatures(self, raw, text, at, keys, bad):
        rest = raw[at:]
        if not rest or not rest.endswith(b"\n"):
            bad("the signatures do not end in a newline", at)
        for line in rest.decode("utf-8")[:-1].split("\n"):
            m = re.fullmatch("\u2014 ([^ ]+) ([^ ]+)", line)
            try:
                sig = b64(m.group(2)) if m else b""
            except ValueError:
                sig = b""
            if not m or not good_key_name(m.group(1)) or len(sig) < 5:
                bad("not a signature line", at)
            for k in keys:
                if (k.name, k.id) != (m.group(1), sig[:4]):
                    continue
                if not k.ok(text, sig[4:]):
                    bad("the signature of %s is wrong" % k.name, at)
                self.signed.add(k)
            at += len(line.encode()) + 1


# ---------------------------------------------------------------------------
# Entries, docs/spec/ledger.md.

KINDS = set("start stop session statement release deny alert grant policy key "
            "heartbeat erase incident".split())


def pairs_once(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key appears twice")
    return out


def no_constant(name):
    raise ValueError("%s is not JSON" % name)


def check_entry(raw):
    """Returns the entry as a dict; ValueError says what is wrong with it."""
    try:
        e = json.loads(raw.decode("utf-8"), object_pairs_hook=pairs_once,
                       parse_constant=no_constant)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(e, dict):
        raise ValueError("not a JSON object")
    if e.get("v") != 1 or e.get("v") is True:
        raise ValueError("unknown version %r" % (e.get("v"),))
    if e.get("kind") not in KINDS:
        raise ValueError("unknown kind %r" % (e.get("kind"),))
    return e


# ---------------------------------------------------------------------------
# C2SP tlog-tiles.

TILE = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})"
                  r"(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


def tile_path(kind, n, width=WIDTH):
    parts = ["%03d" % (n % 1000)]
    rest = n // 1000
    while rest:
        parts.insert(0, "x%03d" % (rest % 1000))
        rest //= 1000
    tail = "" if width == WIDTH else ".p/%d" % width
    return "tile/%s/%s%s" % (kind, "/".join(parts), tail)


def parse_tile_path(path):
    """(kind, n, width), kind "entries" or a level; None for any other name."""
    m = TILE.fullmatch(path)
    if not m:
        return None
    kind = m.group(1) if m.group(1) == "entries" else int(m.group(1))
    n = int(m.group(2).replace("x", "").replace("/", ""))
    width = int(m.group(3)) if m.group(3) else WIDTH
    if kind != "entries" and kind > 63 or m.group(3) and width >= WIDTH or \
            tile_path(kind, n, width) != path:
        return None
    return kind, n, width


def tiles_of(size, level):
    """How many full tiles a level has, and how wide the partial one is."""
    hashes = size >> (8 * level)
    return hashes // WIDTH, hashes % WIDTH


class Ledger:
    # Beside the published files, the ledger folder holds the writer's own.
    PUBLIC = {"checkpoint", "vkey"}

    def __init__(self, root, key, witnesses):
        self.root, self.key = root, key
        self.problems, self.more = [], 0
        self.old_partials = {}      # (kind, n): widths, still lying about
        self.levels = []            # hashes of the tile being filled, per level
        self.last_time = None
        self.checkpoint = Checkpoint(self.read("checkpoint", NOTE_MAX + 1),
                                     "checkpoint", key, witnesses)
        self.size = self.checkpoint.size

    def problem(self, text, file=None, offset=None):
        self.note(Broken(text, file, offset))

    def note(self, broken):
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append(broken)
        else:
            self.more += 1

    def read(self, name, limit):
        try:
            fd = os.open(os.path.join(self.root, name),
                         os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            raise Broken("missing", name) from None
        except OSError as e:
            raise Broken(e.strerror, name) from None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise Broken("not a regular file", name)
        with open(fd, "rb") as f:
            return f.read(limit)

    # Which files there are -------------------------------------------------

    def check_names(self):
        for name in sorted(os.listdir(self.root)):
            if name == "tile":
                self.walk(name)
            elif name == "vkey":
                if self.read(name, 4096).decode("utf-8", "replace") != \
                        self.vkey_line():
                    self.problem("not the key that was given", name, 0)
            elif name not in self.PUBLIC:
                self.problem("superfluous", name)

    def vkey_line(self):
        return "%s+%s+%s\n" % (self.key.name, self.key.id.hex(), base64.b64encode(
            self.key.type + self.key.public).decode())

    def walk(self, folder):
        try:
            items = sorted(os.scandir(os.path.join(self.root, folder)),
                           key=lambda i: i.name)
        except OSError as e:
            self.problem(e.strerror, folder)
            return
        for item in items:
            name = folder + "/" + item.name
            if item.is_dir(follow_symlinks=False):
                self.walk(name)
            elif not item.is_file(follow_symlinks=False):
                self.problem("not a regular file", name)
            else:
                self.check_tile_name(name)

    def check_tile_name(self, name):
        parsed = parse_tile_path(name)
        if parsed is None:
            self.problem("superfluous", name)
            return
        kind, n, width = parsed
        full, partial = tiles_of(self.size, 0 if kind == "entries" else kind)
        if n < full:
            if width < WIDTH:
                self.old_partials.setdefault((kind, n), []).append(width)
        elif n > full or width > partial:
            self.problem("beyond the signed size %d" % self.size, name)
        elif width < partial:
            self.old_partials.setdefault((kind, n), []).append(width)

    # What is in them -------------------------------------------------------

    def tile(self, level, n, hashes):
        """Compares a tile, and its partial forerunners, with `hashes`."""
        want = b"".join(hashes)
        for width in (*self.old_partials.get((level, n), ()), len(hashes)):
            name = tile_path(level, n, width)
            try:
                got = self.read(name, WIDTH * HASH + 1)
            except Broken as e:
                self.note(e)
                continue
            self.compare(name, got, want[:width * HASH], level, n)

    def compare(self, name, got, want, level, n):
        if len(got) != len(want):
            self.problem("has %s bytes, not %d" % (
                len(got) if len(got) <= WIDTH * HASH else "more than 8192",
                len(want)), name, min(len(got), len(want)))
        for i in range(0, min(len(got), len(want)), HASH):
            if got[i:i + HASH] != want[i:i + HASH]:
                span = WIDTH**level
                first = (n * WIDTH + i // HASH) * span
                self.problem("hash differs from entries %d..%d" %
                             (first, first + span - 1), name, i)
                return

    def push(self, level, h):
        if level == len(self.levels):
            self.levels.append([0, []])
        tile = self.levels[level]
        tile[1].append(h)
        if len(tile[1]) == WIDTH:
            self.tile(level, tile[0], tile[1])
            t = Tree()
            for x in tile[1]:
                t.add(x)
            tile[0] += 1
            tile[1] = []
            self.push(level + 1, t.root())

    def bundle(self, n, width):
        """The entries of a bundle; raises where it cannot be cut further."""
        name = tile_path("entries", n, width)
        raw = self.read(name, width * (2 + ENTRY_MAX) + 1)
        for old in self.old_partials.get(("entries", n), ()):
            self.old_bundle(tile_path("entries", n, old), old, raw)
        at = 0
        for i in range(width):
            if len(raw) - at < 2:
                raise Broken("ends before entry %d" % (n * WIDTH + i), name, at)
            length = int.from_bytes(raw[at:at + 2], "big")
            if len(raw) - at - 2 < length:
                raise Broken("ends inside entry %d" % (n * WIDTH + i), name, at)
            yield name, at, raw[at + 2:at + 2 + length]
            at += 2 + length
        if at != len(raw):
            self.problem("bytes after the last entry", name, at)

    def old_bundle(self, name, width, newer):
        try:
            raw = self.read(name, len(newer) + 1)
        except Broken as e:
            self.note(e)
            return
        at = 0
        for _ in range(width):
            at += 2 + int.from_bytes(newer[at:at + 2], "big")
        if raw != newer[:at]:
            i = 0
            while i < min(len(raw), at) and raw[i] == newer[i]:
                i += 1
            self.problem("differs from its successor", name, i)

    def entry(self, index, name, at, raw):
        try:
            self.last_time = check_time(check_entry(raw), self.last_time)
        except ValueError as e:
            self.problem("entry %d: %s" % (index, e), name, at)

    def check(self, old=None, entry=None):
        """Reads all. Returns (entry bytes, inclusion proof) of `entry`."""
        tree, found = Tree(), None
        parts = [(lo, hi, Tree()) for lo, hi in
                 inclusion_ranges(entry, self.size)] if entry is not None else []
        self.check_names()
        full, partial = tiles_of(self.size, 0)
        if old and old.size == 0:
            self.check_old(old, tree)
        try:
            for n in range(full + (partial > 0)):
                for name, at, raw in self.bundle(n, WIDTH if n < full else partial):
                    index = tree.size
                    h = leaf_hash(raw)
                    self.entry(index, name, at, raw)
                    tree.add(h)
                    self.push(0, h)
                    if index == entry:
                        found = raw
                    for lo, hi, part in parts:
                        if lo <= index < hi:
                            part.add(h)
                    if old and old.size == tree.size:
                        self.check_old(old, tree)
        except Broken as e:
            self.problem(e.text + "; what comes after it was not read", e.file,
                         e.offset)
            return None
        for level, (n, hashes) in enumerate(self.levels):
            if hashes:
                self.tile(level, n, hashes)
        if tree.root() != self.checkpoint.root:
            self.problem("the entries give the root %s" %
                         base64.b64encode(tree.root()).decode(), "checkpoint", 0)
        if old and old.size > self.size:
            self.problem("the log had %d entries, now it has %d" %
                         (old.size, self.size), "checkpoint", 0)
        if entry is None:
            return None
        proof = [part.root() for _, _, part in parts]
        if root_from_inclusion(leaf_hash(found), entry, self.size, proof) != \
                tree.root():
            raise AssertionError("the proof does not prove")
        return found, proof

    def check_old(self, old, tree):
        if tree.root() != old.root:
            self.problem("the first %d entries are not those of the old "
                         "checkpoint" % old.size, "checkpoint", 0)


def check_time(e, last):
    return last


# ---------------------------------------------------------------------------

def proof_text(index, proof, checkpoint):
    """C2SP tlog-proof."""
    lines = ["c2sp.org/tlog-proof@v1", "index %d" % index]
    lines += [base64.b64encode(h).decode() for h in proof]
    return "\n".join(lines).encode() + b"\n\n" + checkpoint.raw


def main(argv=None):
    ap = argparse.ArgumentParser(
        prog="verify.py", allow_abbrev=False,
        description="Checks a Kuraban ledger offline. Exit 0: whole, 1: no such "
        "entry, 2: usage, 3: broken.")
    ap.add_argument("dir", metavar="DIR", help="STATE/ledger or a copy of it")
    ap.add_argument("--key", required=True, metavar="VKEY",
                    help="the ledger's public key line, got by another way")
    ap.add_argument("--witness", action="append", default=[], metavar="VKEY",
                    help="whose cosignature the checkpoint must carry")
    ap.add_argument("--old", metavar="FILE", help="an earlier checkpoint, which "
                    "this log must continue")
    ap.add_argument("--entry", type=int, metavar="N",
                    help="print the proof that entry N is in the log")
    ap.add_argument("--json", action="store_true", help="one object a line")
    args = ap.parse_args(argv)
    try:
        key = Key(args.key.strip())
        witnesses = [Key(w.strip()) for w in args.witness]
    except ValueError as e:
        ap.error(str(e))
    if not os.path.isdir(args.dir):
        ap.error("%s is not a directory" % args.dir)
    if args.entry is not None and args.entry < 0:
        ap.error("entries are numbered from 0")
    return run(args, key, witnesses)


def run(args, key, witnesses):
    ledger, proof, problems, more = None, None, [], 0
    try:
        ledger = Ledger(args.dir, key, witnesses)
        problems = ledger.problems
        old = None
        if args.old:
            with open(args.old, "rb") as f:
                old = Checkpoint(f.read(NOTE_MAX + 1), args.old, key)
        if args.entry is not None and args.entry >= ledger.size:
            print("verify.py: there is no entry %d: the log has %d" %
                  (args.entry, ledger.size), file=sys.stderr)
            return 1
        proof = ledger.check(old, args.entry)
        more = ledger.more
    except Broken as e:
        problems.append(e)
    except OSError as e:
        print("verify.py: %s" % e, file=sys.stderr)
        return 2
    report(args, ledger, problems, more)
    if problems:
        return 3
    if proof:
        show_proof(args, ledger, *proof)
    return 0


def report(args, ledger, problems, more):
    out = sys.stdout if args.json or args.entry is None else sys.stderr
    for p in problems:
        if args.json:
            print(json.dumps({"file": p.file, "offset": p.offset,
                              "problem": p.text}))
        else:
            where = ":".join(str(x) for x in (p.file, p.offset) if x is not None)
            print("%s: %s" % (where, p.text), file=sys.stderr)
    if more and not args.json:
        print("and %d more" % more, file=sys.stderr)
    summary = {"result": "broken" if problems else "whole",
               "problems": len(problems) + more}
    if ledger:
        c = ledger.checkpoint
        summary.update(origin=c.origin, size=c.size,
                       root=base64.b64encode(c.root).decode())
    if args.json:
        print(json.dumps(summary))
    elif problems:
        print("BROKEN: %d problem(s)" % summary["problems"], file=sys.stderr)
    else:
        print("whole: %s, %d entries, root %s" %
              (summary["origin"], summary["size"], summary["root"]), file=out)


def show_proof(args, ledger, entry, proof):
    text = proof_text(args.entry, proof, ledger.checkpoint)
    if args.json:
        print(json.dumps({"index": args.entry,
                          "entry": entry.decode("utf-8"),
                          "proof": text.decode("utf-8")}))
    else:
        sys.stdout.write(text.decode("utf-8"))


if __name__ == "__main__":
    sys.exit(main())
