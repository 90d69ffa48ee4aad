#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast the tracer is, and how right at that size.

Usage: trace.py KURABAN REPLAY SCORE; sizes come from the environment, see
tools/bench-trace.sh. Prints wall and CPU seconds, rows a second of wall time and
resident memory, and what the report says against the truth.
"""
import filecmp
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

KURABAN, REPLAY, SCORE = sys.argv[1:4]
SIZE = {n: int(os.environ[n]) for n in
        ("OURS", "LIST", "BIG", "DEDUP", "REPLAYED", "SKEW")}


def run(what, rows, *args, stdin=None):
    begin = time.monotonic()
    p = subprocess.Popen([KURABAN, *args], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, stdin=stdin)
    _, status, after = os.wait4(p.pid, 0)
    p.returncode = status
    if status:
        sys.exit("%s failed" % what)
    wall = time.monotonic() - begin
    cpu = after.ru_utime + after.ru_stime
    print("%-44s %7.1f s wall %7.1f s CPU %9.0f rows/s %6.0f MiB" %
          (what, wall, cpu, rows / wall, after.ru_maxrss / 1024), flush=True)
    return wall


def rows_of(path):
    with open(path, "rb") as f:
        return sum(b.count(b"\n") for b in iter(lambda: f.read(1 << 24), b""))


def broker(d, customers, rows, *options):
    """A list of about so many rows; the ratio is of the generator's defaults."""
    people = rows_of(customers) - 1
    run("make a list of about %d" % rows, rows, "synth", "broker",
        "--customers", customers, "--sample", "%.5f" %
        min(1, rows / people / 1.3263), "--out", d, *options)
    return rows_of(d + "/list.csv") - 1


def comparisons(d):
    j = json.load(open(d + "/report.json"))
    print("    %d comparisons, %d persons (%d to %d), %d blocks cut" %
          (j["comparisons"], j["persons"]["estimate"], j["persons"]["low"],
           j["persons"]["high"], j["capped_blocks"]), flush=True)
    return j["comparisons"]


def score(d, truth):
    sys.stdout.flush()
    subprocess.run([SCORE, d + "/matches.csv", truth], check=True)


def against(d, rows):
    b = d + "/b%d" % rows
    n = broker(b, d + "/customers.csv", rows, "--seed", str(rows))
    run("trace %d rows against %d" % (n, SIZE["OURS"]), n + SIZE["OURS"],
        "trace", b + "/list.csv", "--ours", d + "/customers.csv", "--out",
        d + "/r")
    comparisons(d + "/r")
    score(d + "/r", b + "/truth.csv")
    shutil.rmtree(d + "/r")
    return b


def replayed(d, b, rows):
    """A list sold over and over, from a pipe: it need not fit on the disk."""
    p = subprocess.Popen([REPLAY, b + "/list.csv", str(rows)],
                         stdout=subprocess.PIPE)
    run("persons among %d rows from a pipe" % rows, rows, "trace", "-",
        "--out", d + "/r", stdin=p.stdout)
    p.stdout.close()
    p.wait()
    comparisons(d + "/r")
    score(d + "/r", b + "/truth.csv")
    shutil.rmtree(d + "/r")


def dedup(d, rows):
    """Everybody some 25 times: what counts is comparisons a second."""
    b = d + "/dd"
    run("make %d people" % (rows // 26), rows // 26, "synth", "population",
        "--rows", str(rows // 26), "--seed", "7", "--out", b)
    run("make a list of each 25 times", rows, "synth", "broker",
        "--customers", b + "/customers.csv", "--copies", "24", "--exact", "0",
        "--damage", "0.5", "--seed", "7", "--out", b)
    n = rows_of(b + "/list.csv") - 1
    wall = run("deduplicate %d rows" % n, n, "trace", b + "/list.csv",
               "--out", d + "/r")
    print("    %.1f million comparisons a second of all the time" %
          (comparisons(d + "/r") / wall / 1e6))
    score(d + "/r", b + "/truth.csv")
    shutil.rmtree(d + "/r")
    shutil.rmtree(b)


def skewed(d, rows):
    """Half share a telephone, a quarter a birth date, many a name or a home."""
    r = random.Random(rows)
    path = d + "/skewed.csv"
    with open(d + "/customers.csv", encoding="utf-8") as f, \
            open(path, "w", encoding="utf-8") as out:
        out.write(next(f))
        for i, line in enumerate(f):
            if i == rows:
                break
            c = line.rstrip("\n").split(",")
            if r.random() < .5:
                c[7] = "03-1234-5678" if r.random() < .5 else "000-0000-0000"
            if r.random() < .25:
                c[3] = "1900-01-01"
            if r.random() < .05:
                c[1], c[2] = "テスト　太郎", "テスト　タロウ"
            if r.random() < .05:
                c[5], c[6] = "150-0001", "東京都渋谷区神宮前1丁目2番3号"
            out.write(",".join(c) + "\n")
    run("%d rows with one value in half of them" % rows, rows, "trace", path,
        "--out", d + "/r")
    comparisons(d + "/r")
    shutil.rmtree(d + "/r")
    os.unlink(path)


def same(d, b):
    """The same bytes by one thread, two, and two that are disturbed."""
    busy = None
    for i, threads in enumerate(("1", "2", "2")):
        if i == 2:
            busy = subprocess.Popen(["sh", "-c", "while :; do :; done"])
        run("again, %s thread(s)%s" % (threads, ", disturbed" if busy else
                                       ""), SIZE["LIST"], "trace",
            b + "/list.csv", "--threads", threads, "--out", d + "/s%d" % i)
    busy.kill()
    busy.wait()
    for i in (1, 2):
        for n in ("matches.csv", "report.json", "index.html"):
            if not filecmp.cmp(d + "/s0/" + n, d + "/s%d/" % i + n, False):
                sys.exit("%s differs" % n)
    print("    the same bytes")
    for i in range(3):
        shutil.rmtree(d + "/s%d" % i)


def stopped(d, b, wall):
    """Ctrl-C at several times of a long run: nothing is left, and soon."""
    worst = 0
    for part in (.1, .5, .7, .8, .9):
        p = subprocess.Popen([KURABAN, "trace", b + "/list.csv", "--ours",
                              d + "/customers.csv", "--out", d + "/st"],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(part * wall)
        p.send_signal(signal.SIGINT)
        begin = time.monotonic()
        p.wait()
        worst = max(worst, time.monotonic() - begin)
        if [n for n in os.listdir(d) if n.startswith("st")] and \
                p.returncode != 0:
            sys.exit("Ctrl-C left something")
        shutil.rmtree(d + "/st", ignore_errors=True)
    print("Ctrl-C in five places of a run: nothing left, after %.1f s at "
          "most" % worst, flush=True)


def addresses(d):
    n = min(1000000, SIZE["OURS"])
    with open(d + "/customers.csv", encoding="utf-8") as f, \
            open(d + "/addresses", "w", encoding="utf-8") as out:
        next(f)
        for _, line in zip(range(n), f):
            out.write(line.split(",")[6] + "\n")
    with open(d + "/addresses") as f:
        run("normalize addresses, one core", n, "normalize", "address",
            stdin=f)


def releases(d):
    s = d + "/small"
    run("make 60000 people", 60000, "synth", "population", "--rows", "60000",
        "--out", s)
    run("make 5000 releases", 5000, "synth", "releases", "--customers",
        s + "/customers.csv", "--count", "5000", "--share", "0.004", "--out",
        s)
    run("make its list", 1, "synth", "broker", "--customers",
        s + "/customers.csv", "--releases", s + "/releases.csv", "--culprits",
        "R777", "--sample", "0.2", "--out", s + "/b")
    run("attribute over 5000 releases", 60000, "trace", s + "/b/list.csv",
        "--ours", s + "/customers.csv", "--releases", s + "/releases.csv",
        "--out", s + "/r")
    g = json.load(open(s + "/r/report.json"))["groups"]
    print("    culprit R777 in the first group: %s" %
          ("R777" in g[0]["releases"]))


def main(d):
    run("make %d people" % SIZE["OURS"], SIZE["OURS"], "synth", "population",
        "--rows", str(SIZE["OURS"]), "--out", d)
    addresses(d)
    releases(d)
    begin = time.monotonic()
    b = against(d, SIZE["LIST"])
    stopped(d, b, (time.monotonic() - begin) / 2)
    same(d, b)
    for n in (1, 2, 4):
        skewed(d, n * SIZE["SKEW"])
    dedup(d, SIZE["DEDUP"])
    if SIZE["BIG"]:
        b = against(d, SIZE["BIG"])
    os.unlink(d + "/customers.csv")
    replayed(d, b, SIZE["REPLAYED"])


with tempfile.TemporaryDirectory() as tmp:
    main(tmp)
