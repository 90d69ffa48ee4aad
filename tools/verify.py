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
compared with what those hashes give; their root with the signed checkpoint; what
the writer keeps beside them (state, ring, who-index) with the entries. The log
passes through once, in memory that does not grow with it. A writer may run
meanwhile.

Exit: 0 whole, 1 no such entry, 2 usage, 3 broken.
"""

import argparse
import array
import base64
import bisect
import datetime
import hashlib
import json
import os
import re
import resource
import stat
import sys
import time

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
        self.line = vkey.encode() + b"\n"
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
# Entries, docs/spec/ledger.md section 3. Numbers of sections from here on are
# that text's.

CUT = "\u2026"
TOKENS_MAX = 4096
COMMON = "v kind time gate session actor role database".split()
FIELDS = {                  # section 3.3; * marks the fields that must be there
    "start": "version:text config:text *workers:number",
    "stop": "version:text config:text *workers:number why:text",
    "session": "event:text address:text *tls:flag application:text why:text",
    "statement": "request:number class:text *count:number *rows:number "
                 "*bytes:number outcome:text sql:text sealed:number "
                 "commitment:salted",
    "release": "*tables:tables class:text *request:number sql:text *rows:number "
               "*bytes:number *anon:number moved:text outcome:text end:text "
               "grant:number sealed:number commitment:salted *domains:names "
               "*subjects:tokens",
    "deny": "sqlstate:text why:text object:text sql:text sealed:number "
            "commitment:salted",
    "alert": "what:text object:text detail:text",
    "grant": "what:text *id:number by:text sql:text subjects_max:number "
             "until:time why:text",
    "policy": "what:text who:text *detail:pairs",
    "key": "what:text id:text",
    "heartbeat": "*sessions:number",
    "erase": "what:text by:text basis:text sealed:number *domains:names "
             "*subjects:tokens",
    "incident": "what:text detail:text",
}


def is_text(v):
    return isinstance(v, str)


def is_number(v):
    return isinstance(v, int) and not isinstance(v, bool)


def is_time(v):
    if not is_text(v) or not re.fullmatch(
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", v):
        return False
    try:
        datetime.datetime.strptime(v, "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        return False
    return v >= "1970"


def is_names(v):
    return isinstance(v, list) and all(is_text(x) for x in v)


def is_tables(v):
    return isinstance(v, list) and all(
        isinstance(x, dict) and is_text(x.get("table")) and
        is_text(x.get("columns")) for x in (v[:-1] if v[-1:] == [CUT] else v))


def is_salted(v):
    try:
        return is_text(v) and len(b64(v)) == 32
    except ValueError:
        return False


def is_tokens(v):
    return is_names(v) and all(token_list(x) is not None for x in v) and \
        sum(len(token_list(x)) for x in v) <= TOKENS_MAX


TYPES = {"text": is_text, "number": is_number, "time": is_time, "names": is_names,
         "flag": lambda v: isinstance(v, bool), "tables": is_tables,
         "tokens": is_tokens, "salted": is_salted,
         "pairs": lambda v: isinstance(v, dict) and
         all(is_text(x) for x in v.values())}
COMMON_TYPES = {"gate": is_text, "session": lambda v: is_number(v) and v > 0,
                "actor": is_text, "role": is_text, "database": is_text}


def fields_of(kind):
    """(name, is it required, type) in order."""
    return [(f.lstrip("*").split(":")[0], f[0] == "*", f.split(":")[1])
            for f in FIELDS[kind].split()]


FIELDS = {kind: fields_of(kind) for kind in FIELDS}
PLACES = {kind: {name: i for i, name in enumerate(COMMON + [f[0] for f in fields])}
         for kind, fields in FIELDS.items()}
NEST_MAX = 16
PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|([ \t\r\n])|([][{}])', re.DOTALL)
ESCAPED = re.compile(r'"(?:[^"\\]|\\["\\btnfr]|\\u00[01][0-9a-f])*"')


def token_list(text):
    """The tokens of one domain as numbers; None when it is no such list."""
    try:
        raw = b64(text)
    except ValueError:
        return None
    if len(raw) % 8:
        return None
    out = array.array("Q", raw)
    if sys.byteorder == "little":
        out.byteswap()
    return out


def tokens_of(entry):
    """What the who-index has of an entry (section 8)."""
    subjects = entry.get("subjects")
    return set().union(*map(token_list, subjects)) if is_tokens(subjects) else set()


def pairs_once(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key appears twice")
    return out


def json_number(text):
    n = decimal(text)
    if n is None:
        raise ValueError("bad number %s" % text[:30])
    return n


def parse_entry(raw):
    """Section 3.1, as far as it does not depend on the kind."""
    try:
        text = raw.decode("utf-8")
        e = json.loads(text, object_pairs_hook=pairs_once, parse_int=json_number,
                       parse_float=json_number, parse_constant=json_number)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except json.JSONDecodeError as x:
        raise ValueError("not JSON: %s" % x) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(e, dict):
        raise ValueError("not a JSON object")
    if "\\u0000" in text:
        raise ValueError("U+0000")
    depth = deepest = 0
    for m in PARTS.finditer(text):
        if m.group(1):
            raise ValueError("white space outside a string")
        if m.group(2):
            depth += 1 if m.group(2) in "{[" else -1
            deepest = max(deepest, depth)
        elif "\\" in m.group() and not ESCAPED.fullmatch(m.group()):
            raise ValueError("an escape that is not needed")
    if deepest > NEST_MAX:
        raise ValueError("nested too deeply")
    return e


def check_entry(e):
    """Sections 3.1 and 3.3. ValueError says what is wrong."""
    if list(e)[:3] != COMMON[:3] or not is_number(e["v"]) or e["v"] != 1:
        raise ValueError('does not begin with "v":1, kind and time')
    kind = e.get("kind")
    if not is_text(kind) or kind not in FIELDS:
        raise ValueError("unknown kind %r" % (kind,))
    if not is_time(e.get("time")):
        raise ValueError("bad time %r" % (e.get("time"),))
    for name, ok in COMMON_TYPES.items():
        if name in e and not ok(e[name]):
            raise ValueError("bad %s" % name)
    for name, required, kind_of in FIELDS[kind]:
        if name in e and not TYPES[kind_of](e[name]):
            raise ValueError("%s is not %s" % (name, kind_of))
        if required and name not in e:
            raise ValueError("%s is missing" % name)
    if "subjects" in e and not is_tokens(e["subjects"]):
        raise ValueError("subjects is not tokens")
    places = [PLACES[kind][name] for name in e if name in PLACES[kind]]
    if places != sorted(places):
        raise ValueError("keys are not in their order")
    if "subjects" in PLACES[kind] and len(e["subjects"]) != len(e["domains"]):
        raise ValueError("%d domains, subjects of %d" %
                         (len(e["domains"]), len(e["subjects"])))


class Order:
    """Section 3.2, over all entries from the first on."""

    def __init__(self):
        self.count, self.time, self.open = 0, "", set()

    def add(self, e):
        index, self.count = self.count, self.count + 1
        if e["time"] < self.time:
            raise ValueError("time goes back from %s to %s" % (self.time, e["time"]))
        self.time = e["time"]
        number = e.get("session")
        event = e.get("event") if e["kind"] == "session" else None
        if event == "open":
            if number != index + 1:
                raise ValueError("opens session %s, not %d" % (number, index + 1))
            self.open.add(number)
        elif event == "failed" and number is not None:
            raise ValueError("a failed login has no session")
        elif e["kind"] == "start" and number is not None:
            raise ValueError("a start has no session")
        elif event == "close" and number is None:
            raise ValueError("closes no session")
        elif number is not None and number not in self.open:
            raise ValueError("session %d is not open" % number)
        if event == "close":
            self.open.discard(number)
        if e["kind"] == "start":
            self.open.clear()


# ---------------------------------------------------------------------------
# C2SP tlog-tiles; section 5.

TILE = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})"
                  r"(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
TILE_FOLDER = re.compile(r"tile(/(entries|0|[1-9][0-9]?)(/x[0-9]{3})*"
                         r"(/[0-9]{3}\.p)?)?", re.ASCII)


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


def cut_bundle(raw, width):
    """[(offset, entry)] and the offset behind them; fewer entries than width when
    the bytes end too early."""
    out, at = [], 0
    while len(out) < width and len(raw) - at >= 2:
        length = int.from_bytes(raw[at:at + 2], "big")
        if len(raw) - at - 2 < length:
            break
        out.append((at, raw[at + 2:at + 2 + length]))
        at += 2 + length
    return out, at


# ---------------------------------------------------------------------------
# The writer's own files: state (7.3), ring (7.1, 7.2, 7.4), who-index (8).

BLOCK = 4096
FRAME_HEAD = 128


class State:
    TITLE = "kuraban ledger state 1"
    KEYS = "origin epoch size previous root offset seq prev sum".split()

    def __init__(self, raw):
        def bad(text, at=0):
            raise Broken(text, "state", at)

        cut = raw.rfind(b"sum ")
        if hashlib.sha256(raw[:max(cut, 0)]).hexdigest().encode() + b"\n" != \
                raw[cut + 4:]:
            bad("the sum is wrong")
        lines = raw.decode("utf-8", "replace").split("\n")
        if lines[0] != self.TITLE or lines[-1] or [
                x.split(" ", 1)[0] for x in lines[1:-1]] != self.KEYS:
            bad("not in the form of a state")
        v = dict(x.split(" ", 1) for x in lines[1:-1] if " " in x)
        self.origin = v.get("origin", "")
        for key in "epoch size previous offset seq".split():
            setattr(self, key, decimal(v.get(key, "")))
            if getattr(self, key) is None:
                bad("bad %s" % key)
        if self.epoch >= 1 << 32 or self.previous > self.size:
            bad("bad numbers")
        for key in ("root", "prev"):
            if not re.fullmatch("[0-9a-f]{64}", v.get(key, ""), re.ASCII):
                bad("bad %s" % key)
            setattr(self, key, bytes.fromhex(v[key]))


class Frame:
    def __init__(self, raw):
        u = [int.from_bytes(raw[a:b], "big") for a, b in
             ((8, 12), (12, 16), (16, 24), (24, 32), (32, 36), (36, 40))]
        self.epoch, self.count, self.seq, self.first, self.length, self.blocks = u
        self.prev, self.sum = raw[56:88], raw[88:120]


class Ring:
    def __init__(self, f):
        self.f, self.size = f, os.fstat(f.fileno()).st_size
        head = self.at(0, BLOCK)

        def bad(text, at=0):
            raise Broken(text, "wal", at)

        if self.size % BLOCK or not 512 << 10 <= self.size <= 1 << 30:
            bad("bad length %d" % self.size, self.size)
        if head[:8] != b"KBRING\0\1":
            bad("not a ring")
        if hashlib.sha256(head[:32]).digest() != head[32:64]:
            bad("the sum of block 0 is wrong", 32)
        if int.from_bytes(head[8:16], "big") != self.size:
            bad("the file had %d bytes, it has %d" %
                (int.from_bytes(head[8:16], "big"), self.size), 8)
        if any(head[64:]):
            bad("block 0 does not end in zeros", 64)
        self.id = head[16:32]
        self.blocks_max = min(256, (self.size // BLOCK - 1) // 4)

    def at(self, offset, length):
        return os.pread(self.f.fileno(), length, offset)

    def frame(self, offset, least_seq, least_epoch):
        """The whole frame at an offset, with its entries; or None."""
        raw = self.at(offset, FRAME_HEAD)
        if len(raw) < FRAME_HEAD or raw[:8] != b"KBFRAME\1" or \
                raw[40:56] != self.id or any(raw[120:]):
            return None
        f = Frame(raw)
        if f.seq < least_seq or f.epoch < least_epoch or f.count < 1 or f.blocks > self.blocks_max or \
                f.blocks != -(-(FRAME_HEAD + f.length) // BLOCK):
            return None
        raw = self.at(offset, f.blocks * BLOCK)
        if len(raw) != f.blocks * BLOCK or f.sum != hashlib.sha256(
                raw[:88] + bytes(32) + raw[120:]).digest():
            return None
        payload = raw[FRAME_HEAD:FRAME_HEAD + f.length]
        f.entries, end = cut_bundle(payload, f.count)
        if len(f.entries) != f.count or end != f.length or \
                any(raw[FRAME_HEAD + f.length:]):
            return None
        return f

    def next(self, state, seq, prev, first, epoch, offset):
        for at in (offset, BLOCK):
            f = self.frame(at, seq, epoch)
            if f and (f.seq, f.prev, f.first) == (seq, prev, first) and \
                    (at == offset or f.blocks * BLOCK > self.size - offset):
                return at, f
        return None

    def read(self, state):
        """[(offset in the file, entry)] behind the archive."""
        if state.offset % BLOCK or not BLOCK <= state.offset <= self.size:
            raise Broken("bad offset %d" % state.offset, "state", 0)
        out = []
        want = (state.seq, state.prev, state.size, state.epoch, state.offset)
        while True:
            found = self.next(state, *want)
            if not found:
                # Whoever writes just now: a frame that was not whole yet is so
                # before the one behind it is begun.
                later = self.later(want[0], want[3])
                found = self.next(state, *want) if later else None
                if later and not found:
                    raise Broken("frame %d is damaged or gone; a later one, %d, is "
                                 "there" % (want[0], later.seq), "wal", want[4])
            if not found:
                return out
            at, f = found
            out += [(at + FRAME_HEAD + o, e) for o, e in f.entries]
            want = (f.seq + 1, f.sum, f.first + f.count, f.epoch,
                    at + f.blocks * BLOCK)

    def later(self, seq, epoch):
        for at in range(BLOCK, self.size, BLOCK):
            f = self.frame(at, seq, epoch)
            if f:
                return f
        return None


def numbers(code, raw):
    out = array.array(code, raw)
    if sys.byteorder == "little":
        out.byteswap()
    return out


class Segment:
    """One file of the who-index. Its name and form are checked at once, what it
    says entry by entry as they pass."""
    NAME = re.compile("([0-9a-f]{16})-([0-9a-f]{8})-([0-9a-f]{8})", re.ASCII)
    LIST = 1 << 31

    def __init__(self, name, f):
        self.name, self.f = "index/" + name, f
        self.first, self.count, self.ntokens = (
            int(x, 16) for x in self.NAME.fullmatch(name).groups())
        self.end = self.first + self.count
        self.tokens, self.seen = None, 0

    def bad(self, text, at=0):
        raise Broken(text, self.name, at)

    def load(self):
        with self.f:
            raw = self.f.read()
        u = [int.from_bytes(raw[a:b], "big") for a, b in
             ((8, 16), (16, 20), (20, 24), (24, 28), (28, 32))]
        if len(raw) < 64 or raw[:8] != b"KBINDEX\1":
            self.bad("not an index segment")
        if hashlib.sha256(raw[64:] + raw[:32]).digest() != raw[32:64]:
            self.bad("the sum is wrong", 32)
        if u[:3] != [self.first, self.count, self.ntokens] or u[4] or \
                not 1 <= self.count <= 1 << 20:
            self.bad("the head does not fit the name", 8)
        if len(raw) != 64 + 12 * u[2] + 4 * u[3]:
            self.bad("bad length %d" % len(raw), 24)
        words_at = 64 + 12 * self.ntokens
        rows, tokens, values = raw[64:words_at], bytearray(8 * u[2]), bytearray(4 * u[2])
        for i in range(8):
            tokens[i::8] = rows[i::12]
        for i in range(4):
            values[i::4] = rows[8 + i::12]
        self.values, self.words = numbers("I", bytes(values)), \
            numbers("I", raw[words_at:])
        self.tokens = numbers("Q", bytes(tokens))
        self.check_form(words_at)

    def check_form(self, words_at):
        last, place, self.postings = -1, 0, 0
        for i, (token, value) in enumerate(zip(self.tokens, self.values)):
            if token <= last:
                self.bad("tokens do not rise", 64 + 12 * i)
            last = token
            if value < self.LIST:
                n, entries = 1, (value,)
            else:
                if value - self.LIST != place or place >= len(self.words):
                    self.bad("a list is not where it should be", 64 + 12 * i + 8)
                n = self.words[place]
                entries = self.words[place + 1:place + 1 + n]
                if n < 2 or len(entries) != n or \
                        any(a >= b for a, b in zip(entries, entries[1:])):
                    self.bad("bad list", words_at + 4 * place)
                place += 1 + n
            if entries[-1] >= self.count:
                self.bad("names an entry that it does not cover", 64 + 12 * i + 8)
            self.postings += n
        if place != len(self.words):
            self.bad("words behind the last list", words_at + 4 * place)

    def pass_entry(self, index, tokens):
        if self.tokens is None:
            self.load()
        for token in tokens:
            if not self.names(token, index - self.first):
                self.bad("does not name entry %d, token %016x" % (index, token))
        self.seen += len(tokens)
        if index + 1 == self.end:
            if self.seen != self.postings:
                self.bad("names %d entries too many" % (self.postings - self.seen))
            self.tokens = self.values = self.words = ()

    def names(self, token, entry):
        i = bisect.bisect_left(self.tokens, token)
        if i == len(self.tokens) or self.tokens[i] != token:
            return False
        value = self.values[i]
        if value < self.LIST:
            return value == entry
        lo = value - self.LIST + 1
        hi = lo + self.words[lo - 1]
        j = bisect.bisect_left(self.words, entry, lo, hi)
        return j < hi and self.words[j] == entry


# ---------------------------------------------------------------------------
# The whole of it, section 10.

class Ledger:
    FILES = {"checkpoint", "vkey", "state", "wal", "lock", "broken", "state.tmp",
             "checkpoint.tmp", "vkey.tmp"}
    TRIES = 200

    def __init__(self, root, key, witnesses):
        self.root, self.key, self.witnesses = root, key, witnesses
        self.problems, self.more, self.beyond = [], 0, 0
        self.old_partials = {}      # (kind, n): widths, still lying about
        self.levels = []            # [tile number, its hashes so far] per level
        self.order, self.tree, self.unsigned = Order(), Tree(), 0
        self.found, self.parts = None, []
        self.settle()
        self.size = self.checkpoint.size
        self.archived = max(self.size, self.state.size if self.state else 0)

    def problem(self, text, file=None, offset=None):
        self.note(Broken(text, file, offset))

    def note(self, broken):
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append(broken)
        else:
            self.more += 1

    def open(self, name):
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
        return open(fd, "rb")

    def read(self, name, limit):
        if name in self.kept:
            return self.kept[name]
        with self.open(name) as f:
            return f.read(limit)

    def exists(self, name):
        return os.path.lexists(os.path.join(self.root, name))

    # What a writer may change under our hands is read first and at one go: again
    # until nothing has changed meanwhile. The rest never changes.

    def settle(self):
        for _ in range(self.TRIES):
            self.kept, early = {}, []
            try:
                self.segments = self.open_segments(early)
            except FileNotFoundError:
                continue            # merged just now
            raw = self.read("checkpoint", NOTE_MAX + 1)
            self.checkpoint = Checkpoint(raw, "checkpoint", self.key, self.witnesses)
            self.keep_partials(self.checkpoint.size)
            state = self.read_own_files(early)
            if self.read("checkpoint", NOTE_MAX + 1) == raw and \
                    (state is None or self.read("state", BLOCK) == state):
                for e in early:
                    self.note(e)
                return
            for s in self.segments:
                s.f.close()
            time.sleep(0.01)
        raise Broken("changes too fast to be read", "checkpoint")

    def open_segments(self, early):
        out = []
        try:
            names = sorted(os.listdir(os.path.join(self.root, "index")))
        except (FileNotFoundError, NotADirectoryError):
            return out
        for name in names:
            if Segment.NAME.fullmatch(name):
                try:
                    out.append(Segment(name, self.open("index/" + name)))
                except Broken as e:
                    if not self.exists("index/" + name):
                        raise FileNotFoundError from None
                    early.append(e)
            elif name != "new.tmp":
                early.append(Broken("superfluous", "index/" + name))
        return out

    def keep(self, name, limit):
        try:
            self.kept[name] = self.read(name, limit)
        except Broken:
            pass                    # the pass over the tiles will say so

    def keep_partials(self, size):
        level = 0
        while size >> (8 * level):
            n, width = tiles_of(size, level)
            if width:
                self.keep(tile_path(level, n, width), WIDTH * HASH + 1)
                if level == 0:
                    self.keep(tile_path("entries", n, width),
                              width * (2 + ENTRY_MAX) + 1)
            level += 1

    def read_own_files(self, early):
        """The bytes of `state`, or None."""
        self.state, self.ring, raw = None, [], None
        try:
            if self.exists("state"):
                raw = self.read("state", BLOCK)
                self.state = State(raw)
                self.keep_partials(self.state.size)
            if self.exists("wal"):
                with self.open("wal") as f:
                    ring = Ring(f)
                    if self.state:
                        self.ring = ring.read(self.state)
            if self.exists("state") != self.exists("wal"):
                raise Broken("one of state and wal is missing")
        except Broken as e:
            early.append(e)
        return raw

    # Which files there are -------------------------------------------------

    def mode(self, name):
        """0 when the writer has taken it away since it was listed."""
        try:
            return os.lstat(os.path.join(self.root, name)).st_mode
        except FileNotFoundError:
            return 0

    def check_names(self):
        for name in sorted(os.listdir(self.root)):
            mode = self.mode(name)
            if mode == 0:
                continue
            if name == "tile":
                self.walk(name)
            elif name == "index":
                if not stat.S_ISDIR(mode):
                    self.problem("not a directory", name)
            elif name not in self.FILES:
                self.problem("superfluous", name)
            elif not stat.S_ISREG(mode):
                self.problem("not a regular file", name)
            elif name == "lock" and self.read(name, 1):
                self.problem("not empty", name, 0)
        try:
            if self.read("vkey", 4096) != self.key.line:
                self.problem("not the key that was given", "vkey", 0)
        except Broken as e:
            self.note(e)

    def walk(self, folder):
        if not TILE_FOLDER.fullmatch(folder):
            self.problem("superfluous", folder)
            return
        try:
            items = sorted(os.scandir(os.path.join(self.root, folder)),
                           key=lambda i: i.name)
        except OSError as e:
            if self.exists(folder):
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
        full, partial = tiles_of(self.archived, 0 if kind == "entries" else kind)
        if n < full:
            if width < WIDTH:
                self.old_partials.setdefault((kind, n), []).append(width)
        elif n > full or width > partial:
            self.beyond += 1
        elif width < partial:
            self.old_partials.setdefault((kind, n), []).append(width)

    # What is in them -------------------------------------------------------

    def olds(self, kind, n, limit, most):
        """Name, width, bytes of the partial forerunners of a tile. One that is
        gone by now was removed by the writer."""
        for width in self.old_partials.get((kind, n), ()):
            if width > most:
                continue            # of a size between the signed and the archived
            name = tile_path(kind, n, width)
            try:
                yield name, width, self.read(name, limit)
            except Broken as e:
                if self.exists(name):
                    self.note(e)

    def tile(self, level, n, hashes):
        want = b"".join(hashes)
        for name, width, got in self.olds(level, n, WIDTH * HASH + 1,
                                          len(hashes)):
            self.compare(name, got, want[:width * HASH], level, n)
        name = tile_path(level, n, len(hashes))
        try:
            self.compare(name, self.read(name, WIDTH * HASH + 1), want, level, n)
        except Broken as e:
            self.note(e)

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
        """[(file, offset, entry)]; raises when it has not `width` entries."""
        name = tile_path("entries", n, width)
        raw = self.read(name, width * (2 + ENTRY_MAX) + 1)
        entries, end = cut_bundle(raw, width)
        if len(entries) < width:
            raise Broken("ends inside entry %d" % (n * WIDTH + len(entries)), name,
                         end)
        if end != len(raw):
            self.problem("bytes after the last entry", name, end)
        starts = [at for at, _ in entries] + [end]
        for old, w, got in self.olds("entries", n, len(raw) + 1, width):
            self.prefix(old, got, raw[:starts[w]])
        return [(name, at, e) for at, e in entries]

    def prefix(self, name, got, want):
        if got != want:
            i = 0
            while i < min(len(got), len(want)) and got[i] == want[i]:
                i += 1
            self.problem("differs from what took its place", name, i)

    def entry(self, name, at, raw):
        """Everything about an entry but its place in the tree."""
        index = self.order.count
        try:
            if not 2 <= len(raw) <= ENTRY_MAX:
                raise ValueError("has %d bytes" % len(raw))
            e = parse_entry(raw)
        except ValueError as x:
            self.order.count += 1
            self.problem("entry %d: %s" % (index, x), name, at)
            self.index_entry(index, ())
            return
        try:
            check_entry(e)
            self.order.add(e)
        except ValueError as x:
            self.order.count = index + 1
            self.problem("entry %d: %s" % (index, x), name, at)
        self.index_entry(index, tokens_of(e))

    def check_segments(self, total):
        """Which segments cover what; those that do not fit are reported and left
        out."""
        by_first, chain, end = {}, [], 0
        for s in self.segments:
            by_first.setdefault(s.first, []).append(s)
        while end in by_first:
            chain.append(max(by_first[end], key=lambda s: s.end))
            if chain[-1].count == 0:
                break
            end = chain[-1].end
        for s in list(self.segments):
            inside = any(c.first <= s.first and s.end <= c.end for c in chain)
            if not inside or s.count == 0 or s.end > total:
                self.problem("covers entries %d..%d, which does not fit" %
                             (s.first, s.end - 1), s.name, 0)
                self.segments.remove(s)

    def index_entry(self, index, tokens):
        for s in list(self.segments):
            if not s.first <= index < s.end:
                continue
            try:
                s.pass_entry(index, tokens)
            except Broken as e:
                self.note(e)
                self.segments.remove(s)

    def check(self, old=None, entry=None):
        """Reads all. Returns (entry, inclusion proof) of entry number `entry`."""
        if entry is not None:
            self.parts = [(lo, hi, Tree()) for lo, hi in
                          inclusion_ranges(entry, self.size)]
        try:
            self.check_names()
            self.check_segments(self.archived)
            self.check_signed(old, entry)
            self.check_unsigned()
        except Broken as e:
            self.problem(e.text + "; what comes after it was not read", e.file,
                         e.offset)
            return None
        if entry is None:
            return None
        proof = [part.root() for _, _, part in self.parts]
        if root_from_inclusion(leaf_hash(self.found), entry, self.size, proof) != \
                self.signed_root:
            raise AssertionError("the proof does not prove")
        return self.found, proof

    def check_signed(self, old, entry):
        full, partial = tiles_of(self.size, 0)
        self.check_old(old)
        for n in range(full + (partial > 0)):
            for name, at, raw in self.bundle(n, WIDTH if n < full else partial):
                index, h = self.tree.size, leaf_hash(raw)
                self.entry(name, at, raw)
                self.tree.add(h)
                self.push(0, h)
                if index == entry:
                    self.found = raw
                for lo, hi, part in self.parts:
                    if lo <= index < hi:
                        part.add(h)
                self.check_old(old)
        self.partial_tiles()
        self.signed_root = self.tree.root()
        if self.signed_root != self.checkpoint.root:
            self.problem("the entries give the root %s" %
                         base64.b64encode(self.signed_root).decode(),
                         "checkpoint", 0)
        if old and old.size > self.size:
            self.problem("the log had %d entries, now it has %d" %
                         (old.size, self.size), "checkpoint", 0)

    def partial_tiles(self):
        for level, (n, hashes) in enumerate(self.levels):
            if hashes:
                self.tile(level, n, hashes)

    def check_old(self, old):
        if old and old.size == self.tree.size and old.root != self.tree.root():
            self.problem("the first %d entries are not those of the old "
                         "checkpoint" % old.size, "checkpoint", 0)

    def check_unsigned(self):
        """Section 7.4: from the checkpoint to `state`, and the ring."""
        state = self.state
        if state is None:
            return
        if state.origin != self.checkpoint.origin:
            self.problem("is of the log %r" % state.origin, "state", 0)
        if state.size < self.size:
            self.problem("has %d entries, the checkpoint %d" %
                         (state.size, self.size), "state", 0)
            return
        full, partial = tiles_of(state.size, 0)
        last = full + (partial > 0) if state.size > self.size else 0
        for n in range(self.size // WIDTH, last):
            bundle = self.bundle(n, WIDTH if n < full else partial)
            for name, at, raw in bundle[max(self.size - n * WIDTH, 0):]:
                h = leaf_hash(raw)
                self.entry(name, at, raw)
                self.tree.add(h)
                self.push(0, h)
        if last:
            self.partial_tiles()
        if self.tree.root() != state.root:
            self.problem("the entries give the root %s" % self.tree.root().hex(),
                         "state", 0)
        for at, raw in self.ring:
            self.entry("wal", at, raw)
        self.unsigned = self.order.count - self.size


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
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
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
                       root=base64.b64encode(c.root).decode(),
                       unsigned=ledger.unsigned, beyond=ledger.beyond)
    if args.json:
        print(json.dumps(summary))
    elif problems:
        print("BROKEN: %d problem(s)" % summary["problems"], file=sys.stderr)
    else:
        print("whole: %s, %d entries, root %s" %
              (summary["origin"], summary["size"], summary["root"]), file=out)
        if ledger.unsigned:
            print("%d more entries are not signed yet" % ledger.unsigned, file=out)
        if ledger.beyond:
            print("%d files of tiles beyond the signed size were left aside" %
                  ledger.beyond, file=out)


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
