#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast the tracer is. Usage: trace.py KURABAN OURS LIST (rows).

Prints wall and CPU seconds and resident memory. CPU seconds are what to compare
on a machine that does other things as well.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile
import time

KURABAN, OURS, LIST = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def run(what, rows, *args, **kw):
    begin = time.monotonic()
    p = subprocess.Popen([KURABAN, *args], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, **kw)
    _, status, after = os.wait4(p.pid, 0)
    p.returncode = status
    if status:
        sys.exit("%s failed" % what)
    wall = time.monotonic() - begin
    cpu = after.ru_utime + after.ru_stime
    print("%-42s %8.1f s wall %8.1f s CPU %9.0f rows/s CPU %6.0f MiB" %
          (what, wall, cpu, rows / cpu, after.ru_maxrss / 1024), flush=True)


with tempfile.TemporaryDirectory() as d:
    run("make %d people" % OURS, OURS, "synth", "population", "--rows",
        str(OURS), "--out", d)
    sample = min(1, LIST / OURS / 1.3)
    run("make a list", LIST, "synth", "broker", "--customers",
        d + "/customers.csv", "--sample", "%.4f" % sample, "--out", d + "/b")
    rows = sum(1 for _ in open(d + "/b/list.csv", "rb")) - 1
    run("trace %d rows against %d" % (rows, OURS), rows + OURS, "trace",
        d + "/b/list.csv", "--ours", d + "/customers.csv", "--out", d + "/r")
    report = json.load(open(d + "/r/report.json"))
    print("    %d comparisons, %d persons" % (report["comparisons"],
                                            report["persons"]["estimate"]))
    run("deduplicate %d rows" % rows, rows, "trace", d + "/b/list.csv",
        "--out", d + "/dd")
    report = json.load(open(d + "/dd/report.json"))
    print("    %d comparisons" % report["comparisons"])
    with open(d + "/addresses", "w") as f:
        for i, r in enumerate(csv.reader(open(d + "/customers.csv"))):
            if 0 < i <= 400000:
                f.write(r[6] + "\n")
    with open(d + "/addresses") as f:
        run("normalize addresses", min(400000, OURS), "normalize", "address",
            stdin=f)
    small = d + "/s"
    run("make 60000 people", 60000, "synth", "population", "--rows", "60000",
        "--out", small)
    run("make 5000 releases", 5000, "synth", "releases", "--customers",
        small + "/customers.csv", "--count", "5000", "--share", "0.004",
        "--out", small)
    run("make its list", 1, "synth", "broker", "--customers",
        small + "/customers.csv", "--releases", small + "/releases.csv",
        "--culprits", "R777", "--sample", "0.2", "--out", small + "/b")
    run("attribute over 5000 releases", 60000, "trace", small +
        "/b/list.csv", "--ours", small + "/customers.csv", "--releases",
        small + "/releases.csv", "--out", small + "/r")
    g = json.load(open(small + "/r/report.json"))["groups"]
    print("    culprit R777 in the first group: %s" %
          ("R777" in g[0]["releases"]))
