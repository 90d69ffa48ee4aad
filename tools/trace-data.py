#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the dictionaries under data/ from the packages they come from.

Run by hand when a package has a new version; the results are committed, so
that a build needs no network. Usage: trace-data.py PACKAGES OUT where PACKAGES
holds the unpacked npm packages @mandel59/mojidata (mojidata/) and
jquery-jpostal-ja (jpostal/), and Debian's skkdic-extra and enamdict are
installed. Licences: data/LICENSES.
"""
import glob
import json
import re
import sqlite3
import sys
import unicodedata


def variants(pkg, out):
    """char, canonical char, source: single edges, never a closure."""
    db = sqlite3.connect(pkg + "/mojidata/package/dist/moji.db")
    char = {}
    for name, a, b, compat in db.execute(
            "select MJ文字図形名, 対応するUCS, 実装したUCS, 対応する互換漢字 from mji"):
        char[name] = [c for c in dict.fromkeys((a, b, compat)) if c]
    rows = []
    for table, source, where in (
            ("mjsm_JIS包摂規準UCS統合規則", "jis", ""),
            ("mjsm_戸籍統一文字情報_親字正字", "koseki", " where ホップ数=1")):
        for name, to in db.execute(
                f'select MJ文字図形名, 縮退UCS from "{table}"{where}'):
            rows += [(c, to, source) for c in char.get(name, ())]
    for table, source in (("kdpv_jp/old-style", "old"),
                          ("kdpv_jp/old-style/compat", "old"),
                          ("kdpv_jinmei2/variant", "jinmei"),
                          ("kdpv_joyo/variant", "joyo")):
        for new, old in db.execute(f'select subject, object from "{table}"'):
            strip = lambda s: "".join(
                c for c in s if not 0xE0100 <= ord(c) <= 0xE01EF)
            rows.append((strip(old), strip(new), source))
    # A common character is its own canonical form, whatever a table says.
    common = {chr(int(u)) if not isinstance(u, str) else u for (u,) in
              db.execute("select UCS from unihan_each_kJoyoKanji")}
    rows = sorted({r + ("+" if r[1] in common else "-",) for r in rows
                   if len(r[0]) == len(r[1]) == 1 and r[0] != r[1]
                   and r[0] not in common},
                  key=lambda r: (r[2], r[0], r[1]))
    with open(out + "/kanji-variants.tsv", "w") as f:
        f.writelines("\t".join(r) + "\n" for r in rows)


def towns(pkg, out):
    now = []
    for name in sorted(glob.glob(pkg + "/jpostal/package/json/*.json")):
        text = open(name, encoding="utf-8").read()
        body = text[text.index("(") + 1:text.rindex(")")]
        for r in json.loads(body):
            code, pref, city, town = r[0][1:], r[1], r[2], r[3]
            if not code.isdigit() or len(code) != 7:
                continue
            if r[5] or "階" in town:    # an office or a floor of a tower
                continue
            kana = [unicodedata.normalize("NFKC", k) for k in r[6:9]]
            now.append((code, pref, city, town, kana[1], kana[2]))
    now = sorted(set(now))
    with open(out + "/towns.tsv", "w") as f:
        last = None
        for code, pref, city, town, ckana, tkana in now:
            if (pref, city) != last:
                f.write(f"#\t{pref}\t{city}\t{ckana}\n")
                last = (pref, city)
            f.write(f"{code}\t{town}\t{tkana}\n")
    have = {}
    for r in now:
        have.setdefault(r[0], set()).add(r[1] + r[2] + r[3])
    prefs = sorted({r[1] for r in now})
    with open(out + "/towns-2022.tsv", "w") as f:
        for line in open("/usr/share/skk/SKK-JISYO.zipcode", "rb"):
            line = line.decode("euc_jis_2004", "replace").rstrip("\n")
            m = re.match(r"(\d{7}) /(.*)/$", line)
            if not m or m[1] not in have:
                continue
            for a in m[2].split("/"):
                a = a.split(";")[0]
                if a not in have[m[1]] and a.startswith(tuple(prefs)):
                    f.write(f"{m[1]}\t{a}\n")


def details(out):
    """What real office addresses show of a town: 大字 before it, its 丁目."""
    cities, towns, pc = {}, {}, None
    for line in open(out + "/towns.tsv", encoding="utf-8"):
        f = line.rstrip("\n").split("\t")
        if f[0] == "#":
            pc = f[1] + f[2]
            towns.setdefault(pc, set())
        elif f[1]:
            towns[pc].add(f[1])
    seen = {}
    for line in open("/usr/share/skk/SKK-JISYO.office.zipcode", "rb"):
        line = line.decode("euc_jis_2004", "replace")
        if " @ " not in line:
            continue
        a = unicodedata.normalize("NFKC", line.split(" @ ")[1]).strip("/\n")
        pc = next((a[:n] for n in range(12, 4, -1) if a[:n] in towns), None)
        if not pc:
            continue
        rest = a[len(pc):]
        daiji = rest.startswith("大字")
        rest = rest[2:] if daiji else rest
        town = next((rest[:n] for n in range(14, 0, -1)
                     if rest[:n] in towns[pc]), None)
        if not town:
            continue
        m = re.match(r"(\d{1,2})丁目", rest[len(town):])
        x = seen.setdefault((pc, town), [0, 0])
        x[0] |= daiji
        x[1] = max(x[1], int(m[1]) if m else 0)
        c = cities.setdefault(pc, [0, 0])
        if daiji:
            c[0] += 1
        elif not m and not town.endswith("町"):
            c[1] += 1
    with open(out + "/towns-detail.tsv", "w") as f:
        for pc, (yes, no) in sorted(cities.items()):
            if yes > no:
                f.write(f"{pc}\t\t1\t0\n")
        for (pc, town), (daiji, chome) in sorted(seen.items()):
            if daiji or chome:
                f.write(f"{pc}\t{town}\t{int(daiji)}\t{chome}\n")


def surnames(out):
    seen = set()
    for line in open("/usr/share/edict/enamdict", "rb"):
        line = line.decode("euc_jp", "replace")
        m = re.match(r"(\S+) \[([^\]]+)\] /(.*?)/", line)
        if m and re.search(r"\([^)]*\bs\b[^)]*\)", m[3]):
            kata = "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c
                           for c in m[2])
            if len(m[1]) <= 5:
                seen.add((m[1], kata))
    kanji = {}
    for k, r in seen:
        kanji.setdefault(k, []).append(r)
    with open(out + "/surnames-more.tsv", "w") as f:
        for k in sorted(kanji):
            f.write(k + "\t" + ",".join(sorted(kanji[k])) + "\n")


variants(sys.argv[1], sys.argv[2])
towns(sys.argv[1], sys.argv[2])
details(sys.argv[2])
surnames(sys.argv[2])
