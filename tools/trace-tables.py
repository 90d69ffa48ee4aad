#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the character tables of src/trace from data/kanji-variants.tsv.

Usage: trace-tables.py DATA_DIR OUT.bin OUT.h. Little-endian u16[65536] each, in this
order: cp932 (index lead<<8|trail, or the single byte) to UCS; fold (width and
compatibility, one character to one); same (T1, the same character: one
canonical hop over `fold`, never a closure); like (T2, confusable, over
`same`); kana (readings that are written in several ways, over `same`). Then
u32 count and that many pairs u32 code point, u32 canonical for characters
beyond U+FFFF.
"""
import array
import hashlib
import sys
import unicodedata

N = 65536
ident = lambda: array.array("H", range(N))


def cp932():
    t = array.array("H", [0xFFFD]) * N
    for b in range(256):
        try:
            t[b] = ord(bytes([b]).decode("cp932"))
        except UnicodeDecodeError:
            pass
    for lead in list(range(0x81, 0xA0)) + list(range(0xE0, 0xFD)):
        for trail in range(0x40, 0xFD):
            try:
                c = bytes([lead, trail]).decode("cp932")
                t[lead << 8 | trail] = ord(c)
            except (UnicodeDecodeError, TypeError):
                pass
    return t


def fold():
    t = ident()
    for i in range(N):
        c = chr(i)
        if 0xD800 <= i < 0xE000:
            t[i] = 0xFFFD
            continue
        n = unicodedata.normalize("NFKC", c)
        if len(n) == 1 and ord(n) < N:
            t[i] = ord(n)
        if unicodedata.category(chr(t[i])) in ("Cc", "Cf", "Mn"):
            t[i] = 0
    for c in "\u3099\u309b\uff9e":
        t[ord(c)] = 0x3099
    for c in "\u309a\u309c\uff9f":
        t[ord(c)] = 0x309A
    for c in "\t\u00a0\u3000\u2003\u2002\u2009\n\r\u200b":
        t[ord(c)] = 0x20
    for c in "－−‐‑‒–—―─━\u2212\ufe63\uff0d":
        t[ord(c)] = ord("-")
    for c in "～〜∼":
        t[ord(c)] = ord("~")
    t[ord("ｰ")] = ord("ー")
    return t


def canonical(data, fold_table):
    """One canonical hop a character, by the trust in its source."""
    rank = {"joyo": 0, "jinmei": 1, "old": 2, "jis": 3, "koseki": 4}
    best = {}
    for line in open(data + "/kanji-variants.tsv", encoding="utf-8"):
        a, b, source, common = line.rstrip("\n").split("\t")
        key = (common != "+", rank[source], b)
        if a not in best or key < best[a]:
            best[a] = key
    def hop(c):
        return best[c][2] if c in best else c
    # An edge between two that are both somebody's target would go in circles.
    return {a: k[2] for a, k in best.items() if hop(k[2]) != a}


def same(hops, fold_table):
    t = ident()
    for i in range(N):
        f = fold_table[i]
        c = hops.get(chr(f), chr(f)) if f else None
        t[i] = ord(c) if c and ord(c) < N else f
        if 0x3041 <= t[i] <= 0x3096:
            t[i] += 0x60
        if 0x41 <= t[i] <= 0x5A:
            t[i] += 0x20
    return t


LIKE = ("斎斉", "大太犬", "己巳已", "ケヶガ", "ニ二", "カ力", "ロ口", "-ー一",
        "未末", "土士", "日曰", "千干", "タ夕", "エ工", "ハ八", "ノ之乃",
        "弘宏", "裕祐", "真眞", "沢澤", "丁町", "広廣", "崎埼", "島嶋", "竜龍")


def like(same_table):
    to = {}
    for group in LIKE:
        for c in group:
            to[same_table[ord(c)]] = same_table[ord(group[0])]
    return array.array("H", (to.get(c, c) for c in same_table))


def kana(same_table):
    pairs = dict(zip("ァィゥェォッャュョヮヵヶヰヱヲヴヂヅ",
                     "アイウエオツヤユヨワカケイエオブジズ"))
    pairs.update({"ー": 0, "-": 0, "・": 0, "'": 0, " ": 32})
    t = array.array("H", same_table)
    for i in range(N):
        to = pairs.get(chr(t[i]))
        if to is not None:
            t[i] = to if isinstance(to, int) else ord(to)
    return t


def main():
    data, out, stamp = sys.argv[1:]
    f = fold()
    hops = canonical(data, f)
    s = same(hops, f)
    astral = []
    for a, b in sorted(hops.items()):
        if ord(a) >= N and ord(b) < N:
            astral.append((ord(a), s[ord(b)]))
    for i in range(0x2F800, 0x2FA20):
        n = unicodedata.normalize("NFKC", chr(i))
        if len(n) == 1 and ord(n) < N:
            astral.append((i, s[ord(n)]))
    astral.sort()
    tables = [cp932(), f, s, like(s), kana(s)]
    flat = array.array("I", [len(astral)] + [x for p in astral for x in p])
    if sys.byteorder != "little":
        for t in tables + [flat]:
            t.byteswap()
    with open(out, "wb") as o:
        for t in tables:
            o.write(t.tobytes())
        o.write(flat.tobytes())
    digest = hashlib.sha256(open(out, "rb").read()).hexdigest()
    with open(stamp, "w") as o:
        o.write(f"/* tables {digest} */\n")


main()
