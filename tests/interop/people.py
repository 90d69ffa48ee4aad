# SPDX-License-Identifier: Apache-2.0
"""Generated subjects, and a detector of them in whatever bytes leave.

Every personal value of every subject is unique (its marker), so one byte string
names one subject. The detector looks for plain values, and for the same
through reversal, base64, hex, single-byte XOR, digests and binary formats.
"""
import base64
import binascii
import datetime
import functools
import hashlib
import re

COLUMNS = ("name", "kana", "birth_date", "sex", "postal_code", "address",
           "phone", "email")

# Groups of subjects: who lives in which table.
CUSTOMERS = range(1, 1001)
STAFF = range(1001, 1301)
PATIENTS = range(1301, 1601)
LEGACY = range(1601, 1901)
EVERYONE = range(1, 1901)

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


@functools.lru_cache(maxsize=None)
def marker(subject, column):
    """Eight letters that occur nowhere else."""
    h = hashlib.sha256(("%d/%s" % (subject, column)).encode()).digest()
    # The last four name the subject, so that two never collide.
    tail, n = "", subject
    for _ in range(2):
        tail = ALPHABET[n % 32] + tail
        n //= 32
    tail = ALPHABET[n] + tail
    return "".join(ALPHABET[b % 32] for b in h[:5]) + tail


@functools.lru_cache(maxsize=None)
def birth(subject):
    return datetime.date(1930, 1, 2) + datetime.timedelta(days=subject * 13)


@functools.lru_cache(maxsize=None)
def digits(subject, column, n):
    h = hashlib.sha256(("%s/%d" % (column, subject)).encode()).digest()
    v = int.from_bytes(h[:8], "big") % 10 ** (n - 4)
    return "%0*d%04d" % (n - 4, v, subject)


def value(subject, column):
    """The value as PostgreSQL prints it."""
    if column == "birth_date":
        return birth(subject).isoformat()
    if column == "postal_code":
        d = digits(subject, column, 7)
        return d[:3] + "-" + d[3:]
    if column == "phone":
        d = "9" + digits(subject, column, 9)
        return "0%s-%s-%s" % (d[:2], d[2:6], d[6:])
    m = marker(subject, column)
    return {"name": "%s", "kana": "k %s", "sex": "%s",
            "address": "\u6771\u4eac\u90fd %s 1-2-3",
            "email": "%s@example.jp"}[column] % m


def phone_number(subject):
    """The phone number as an integer."""
    return int(value(subject, "phone").replace("-", ""))


@functools.lru_cache(maxsize=None)
def _index():
    words, dates, digests, numbers = {}, {}, {}, {}
    for s in EVERYONE:
        for c in COLUMNS:
            v = value(s, c)
            if c in ("birth_date", "postal_code", "phone"):
                numbers[v] = s
                numbers[v.replace("-", "")] = s
            else:
                words[marker(s, c)] = s
            for name in ("md5", "sha1", "sha224", "sha256"):
                digests[hashlib.new(name, v.encode()).hexdigest()[:28]] = s
        numbers[str(phone_number(s))] = s
        dates[(birth(s) - datetime.date(2000, 1, 1)).days] = s
    return words, dates, digests, numbers


_WORD = re.compile(r"(?=([a-z2-7]{8}))")
_NUM = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d|\d{3}-\d{4}-\d{4}|"
                  r"\d{3}-\d{4}|\d{10,11})(?!\d)")
_HEX = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}){4,}(?![0-9a-fA-F])")
_DIGEST = re.compile(r"(?=([0-9a-f]{28}))")
_B64 = re.compile(r"[A-Za-z0-9+/]{8,}(?:\n[A-Za-z0-9+/]+)*={0,2}")


def _plain(text, out):
    words, _dates, digests, numbers = _index()
    for m in _WORD.finditer(text):
        s = words.get(m.group(1))
        if s:
            out.add(s)
    for m in _NUM.finditer(text):
        s = numbers.get(m.group(1))
        if s:
            out.add(s)


def find(blob, deep=True):
    """The subjects whose markers are in these bytes, however written."""
    out = set()
    words, _dates, digests, _numbers = _index()
    text = blob.decode("latin-1")
    _plain(text, out)
    if not deep:
        return out
    _plain(text[::-1], out)
    _plain(text.lower(), out)
    for m in _DIGEST.finditer(text):
        s = digests.get(m.group(1))
        if s:
            out.add(s)
    for m in _HEX.finditer(text):
        raw = binascii.unhexlify(m.group(0))
        _plain(raw.decode("latin-1"), out)
        _plain(raw.decode("latin-1")[::-1], out)
        mask = bytes(b ^ 255 for b in raw)
        _plain(mask.decode("latin-1"), out)
    for m in _B64.finditer(text):
        s = m.group(0).replace("\n", "").rstrip("=")
        for skip in range(4):
            part = s[skip:]
            try:
                raw = base64.b64decode(part + "=" * (-len(part) % 4))
                _plain(raw.decode("latin-1"), out)
            except (binascii.Error, ValueError):
                pass
    return out


def find_in_cells(rows):
    """Binary dates, and text split over the columns of one row."""
    out = set()
    _words, dates, _digests, _numbers = _index()
    for row in rows:
        for c in row:
            if c is not None and len(c) == 4:
                days = int.from_bytes(c, "big", signed=True)
                s = dates.get(days) if days < 0 else None
                if s:
                    out.add(s)
        if len(row) > 1:
            _plain(b"".join(c or b"" for c in row).decode("latin-1"), out)
    return out
