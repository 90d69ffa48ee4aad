#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists as they turn up broken: every harm is counted and shown with its rows,
nothing is dropped in silence, and what can be matched still is.

Usage: badinput.py KURABAN
"""
import csv
import json
import os
import subprocess
import sys
import tempfile

KURABAN = sys.argv[1]
N = 300
HEAD = "氏名,フリガナ,生年月日,性別,郵便番号,住所,電話番号"
failed = passed = 0


def check(name, ok, text=""):
    global failed, passed
    failed += not ok
    passed += bool(ok)
    print("%s %s %s" % ("ok  " if ok else "FAIL", name, text), flush=True)


def run(d, data, *options, name="list.csv"):
    """Writes the list, traces it; gives status, what was said, the report."""
    path = os.path.join(d, name)
    if data is not None:
        with open(path, "wb") as f:
            f.write(data)
    out = os.path.join(d, "out")
    for n in ("report.json", "matches.csv", "index.html"):
        if os.path.exists(out + "/" + n):
            os.unlink(out + "/" + n)
    p = subprocess.run([KURABAN, "trace", path, "--ours", d + "/ours.csv",
                        "--out", out, *options], capture_output=True,
                       text=True, timeout=120)
    report = None
    if os.path.exists(out + "/report.json"):
        report = json.load(open(out + "/report.json"))
    return p.returncode, p.stderr, report


def issues(report):
    return {i["what"]: (i["count"], i["first_rows"])
            for i in report["issues"]}


def matches(d):
    with open(d + "/out/matches.csv", newline="") as f:
        return list(csv.DictReader(f))


def linked(d):
    return sum(m["accepted"] == "1" for m in matches(d))


def expect(d, name, data, rows, ours, **want):
    """rows and links as they must be; want: part of an issue's name to its
    count and first row."""
    rc, said, r = run(d, data)
    if rc != 0 or r is None:
        check(name, False, "exit %d: %s" % (rc, said))
        return None
    got = issues(r)
    bad = []
    if r["rows"]["estimate"] != rows:
        bad.append("rows %s" % r["rows"])
    if linked(d) != ours:
        bad.append("%d linked" % linked(d))
    for what, (count, first) in want.items():
        hit = [v for k, v in got.items() if what.replace("_", " ") in k]
        if not hit or hit[0][0] != count or hit[0][1][0] != first:
            bad.append("%s: %s" % (what, hit))
    for what, _ in got.items():
        if not any(w.replace("_", " ") in what for w in want):
            bad.append("unexpected: %s %s" % (what, got[what]))
    check(name, not bad, "; ".join(bad))
    return r


def offsets_lead_back(d, data, width, order):
    """list_offset is a place in the file as it came, whatever it is in."""
    ok = True
    for m in matches(d)[::37]:
        at = int(m["list_offset"])
        end = data.find("\n".encode(order), at)
        while (end - at) % width:
            end = data.find("\n".encode(order), end + 1)
        name = data[at:end].decode(order).split(",")[0]
        ok = ok and name == LIST[int(m["list_row"]) - 1].split(",")[0]
    return ok


def encodings(d):
    text = HEAD + "\r\n" + "\r\n".join(LIST) + "\r\n"
    expect(d, "UTF-8 with a mark", b"\xef\xbb\xbf" + text.encode(), N, N)
    for order in ("utf-16-le", "utf-16-be"):
        for mark in (True, False):
            data = ("\ufeff" if mark else "").encode(order) + \
                text.encode(order)
            name = "%s%s" % (order, "" if mark else " without a mark")
            if expect(d, name, data, N, N):
                check(name + ": offsets", offsets_lead_back(d, data, 2,
                                                            order))
    data = ("\ufeff" + text).encode("utf-16-le")
    expect(d, "UTF-16 with a byte too many", data + b"x", N + 1, N,
           number_of_columns=(1, N + 1), no_text=(1, N + 1))
    tabs = ("\ufeff" + text.replace(",", "\t")).encode("utf-16-le")
    expect(d, "a spreadsheet's Unicode text: UTF-16 with tabs", tabs, N, N)
    # Characters that CP932 does not have stay as UTF-8 rows.
    mixed, other = [HEAD.encode("cp932")], 0
    for i, row in enumerate(LIST):
        enc = ("cp932", "utf-8", "euc-jp")[i * 3 // N]
        try:
            mixed.append(row.encode(enc))
        except UnicodeEncodeError:
            mixed.append(row.encode())
            enc = "utf-8"
        other += enc != "cp932"
    first = 1 + next(i for i in range(N) if mixed[i + 1] ==
                     LIST[i].encode())
    expect(d, "three encodings in one file", b"\n".join(mixed), N, N,
           another_encoding=(other, first))
    expect(d, "lines that end in CR alone",
           text.replace("\r\n", "\r").encode(), N, N)


def structure(d):
    lines = list(LIST)
    lines[4] = '"' + lines[4]
    lines[9] = lines[9].replace(",", ',"', 1)
    expect(d, "quotes that never close", "\n".join([HEAD] + lines).encode(),
           N, N, broken_quote=(2, 5))
    lines = list(LIST)
    lines[2] = lines[2].replace(",", "\0,", 1)
    expect(d, "NULs", "\n".join([HEAD] + lines).encode(), N, N, NUL=(1, 3))
    lines = ["x," + l if i % 10 == 6 else l for i, l in enumerate(LIST)]
    expect(d, "columns that move", "\n".join([HEAD] + lines).encode(), N, N,
           number_of_columns=(N // 10, 7), moved_back=(N // 10, 7))
    lines = [l.rsplit(",", 2)[0] if i == 11 else l
             for i, l in enumerate(LIST)]
    expect(d, "columns that are missing", "\n".join([HEAD] + lines).encode(),
           N, N, number_of_columns=(1, 12))
    expect(d, "an empty column", "\n".join(
        l.replace(",", ",,", 1) for l in [HEAD] + LIST).encode(), N, N)
    lines = [x for l in LIST for x in (l, "", ",,,,,,")]
    expect(d, "empty rows", "\n".join([HEAD] + lines).encode(), 3 * N, N,
           empty_row=(2 * N, 2))
    lines = [",".join(["x"] * 80 + [l]) if i == 1 else l
             for i, l in enumerate(LIST)]
    expect(d, "a row of 87 columns", "\n".join([HEAD] + lines).encode(), N,
           N - 1, number_of_columns=(1, 2), more_than_64=(1, 2),
           date_of_birth=(1, 2), gazetteer=(1, 2))
    lines = [l + "号" * 600 if i == 8 else l for i, l in enumerate(LIST)]
    expect(d, "a field of 600 characters", "\n".join([HEAD] + lines).encode(),
           N, N, more_than_512=(1, 9))
    lines = [l.replace(l.split(",")[2], str(excel(l.split(",")[2])))
             if i % 3 == 1 else l for i, l in enumerate(LIST)]
    expect(d, "dates as serial numbers", "\n".join([HEAD] + lines).encode(),
           N, N, serial=(N // 3, 2))


def excel(date):
    import datetime
    return (datetime.date.fromisoformat(date) -
            datetime.date(1899, 12, 30)).days


def huge(d):
    # One line without an end among the rest; a gibibyte where asked for.
    size = 1 << (30 if os.environ.get("TRACE_HUGE") else 25)
    path = os.path.join(d, "list.csv")
    with open(path, "wb") as f:
        f.write((HEAD + "\n" + "\n".join(LIST[:200]) + "\n").encode())
        for _ in range(size >> 20):
            f.write(b"x" * (1 << 20))
        f.write(("\n" + "\n".join(LIST[200:]) + "\n").encode())
    rc, said, r = run(d, None)
    got = issues(r) if r else {}
    check("a line of %d MiB" % (size >> 20), rc == 0 and
          r["rows"]["estimate"] == N + 1 and linked(d) == N and
          got.get("row longer than 1 MiB, cut") == (1, [201]), str(got))
    os.unlink(path)


def skew(d):
    n = 500000 if os.environ.get("TRACE_HUGE") else 60000
    same = "保護者様,,1900-01-01,,,東京都渋谷区神宮前1-1-1,000-0000-0000"
    rows = [same.replace("様", "様" + chr(0x4e00 + i % 9)) for i in range(n)]
    r = expect(d, "one value %d times" % n, "\n".join(
        [HEAD] + LIST + rows).encode(), N + n, N, filler=(n, N + 1))
    # Its nine spellings are no mega-cluster of other people, and fast.
    check("... and few comparisons", r["comparisons"] < 200 * n,
          str(r["comparisons"]))


def nothing(d):
    def refused(name, data, word, path="list.csv"):
        rc, said, r = run(d, data, name=path)
        check(name, rc == 1 and r is None and word in said, "exit %d: %s" %
              (rc, said.strip().split("\n")[-1]))
    refused("an empty file", b"", "empty")
    refused("a byte order mark alone", b"\xff\xfe", "empty")
    refused("no column to use", "色,数\n1,2\n".encode(), "no usable column")
    os.mkdir(d + "/folder")
    refused("a folder", None, "not a regular file", path="folder")
    refused("a missing file", None, "No such file", path="absent.csv")
    rc, said, r = run(d, (HEAD + "\n").encode())
    check("only a header says nothing about us", rc == 0 and
          r["rows"]["estimate"] == 0 and r["verdict"] == "unclear", str(rc))
    # Names alone link nobody; that must not read as "not ours".
    rc, said, r = run(d, ("氏名\n" + "\n".join(
        l.split(",")[0] for l in LIST) + "\n").encode())
    check("names alone are unclear", rc == 0 and r["verdict"] == "unclear" and
          r["persons_ours"]["high"] >= N, str(r and r["persons_ours"]))
    rc, said, r = run(d, os.urandom(200000))
    check("no text at all", rc in (0, 1) and (r is None or
          r["verdict"] != "ours"), "exit %d" % rc)
    if os.getuid() != 0:
        open(d + "/closed.csv", "w").close()
        os.chmod(d + "/closed.csv", 0)
        refused("an unreadable file", None, "Permission denied",
                path="closed.csv")


def output(d):
    list_ = "\n".join([HEAD] + LIST).encode()
    rc, said, r = run(d, list_)
    with open(d + "/out/notes.txt", "w") as f:
        f.write("ours")
    rc, said, r = run(d, list_)
    check("the report's directory exists", rc == 0 and
          os.path.exists(d + "/out/notes.txt"))
    open(d + "/file", "w").close()
    p = subprocess.run([KURABAN, "trace", d + "/list.csv", "--ours", d +
                        "/ours.csv", "--out", d + "/file"],
                       capture_output=True, text=True)
    check("the report's directory is a file", p.returncode == 1 and
          d + "/file" in p.stderr and os.path.getsize(d + "/file") == 0 and
          not os.path.exists(d + "/file.partial"),
          p.stderr.strip().split("\n")[-1])
    p = subprocess.run([KURABAN, "trace", d + "/list.csv", "--ours", d +
                        "/ours.csv", "--out", d + "/no/such/place"],
                       capture_output=True, text=True)
    check("the report's directory has no parent", p.returncode == 1 and
          "No such file" in p.stderr, p.stderr.strip().split("\n")[-1])


with tempfile.TemporaryDirectory() as tmp:
    subprocess.run([KURABAN, "synth", "population", "--rows", str(N * 5),
                    "--seed", "31", "--out", tmp], check=True)
    with open(tmp + "/customers.csv", encoding="utf-8") as f:
        ours = f.read().split("\n")
    os.rename(tmp + "/customers.csv", tmp + "/ours.csv")
    LIST = [",".join(l.split(",")[1:8]) for l in ours[1:N + 1]]
    encodings(tmp)
    structure(tmp)
    huge(tmp)
    skew(tmp)
    nothing(tmp)
    output(tmp)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
