#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the intervals hold: made-up lists, each with another seed, size and
harm, from files to report; how often the truth lies inside.

Usage: calibrate.py KURABAN [--seeds 100] [--from 1] [--rows 20000]
Prints one line a list and the totals; exits 1 when the count of persons is off
by more than 0.5 % or fewer than 93 in 100 intervals hold.
"""
import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile


def kuraban(*args):
    subprocess.run([a.kuraban, *args], check=True, capture_output=True)


def read(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def truth_of(d):
    """Persons, those who are ours, records: what the report should say."""
    who = {r["customer_id"]: r for r in read(d + "/truth-population.csv")}
    persons, ours, records = set(), set(), set()
    for t in read(d + "/b/truth.csv"):
        c = t["customer_id"]
        records.add(who[c]["person"] if c else t["person"])
        persons.add(who[c]["person"] if c else t["person"])
        if c:
            ours.add(who[c]["person"])
        if t["guardian_person"]:
            persons.add(who[c]["guardian_person"] if c else
                        t["guardian_person"])
            if c:
                ours.add(who[c]["guardian_person"])
    return {"persons": len(persons), "persons_ours": len(ours),
            "records": len(records)}


def one(d, seed):
    r = random.Random(seed)
    children = seed % 4 == 0
    rows = int(a.rows * r.uniform(.5, 1.5))
    options = {"sample": r.uniform(.2, .9), "foreign": r.uniform(0, .4),
               "copies": r.uniform(0, 1), "exact": r.uniform(0, .2),
               "damage": r.uniform(.05, .3)}
    kuraban("synth", "population", "--rows", str(rows), "--seed", str(seed),
            "--out", d, *(["--children"] if children else []))
    kuraban("synth", "broker", "--customers", d + "/customers.csv", "--seed",
            str(seed), "--out", d + "/b",
            *[x for k, v in options.items() for x in ("--" + k, "%.3f" % v)])
    kuraban("trace", d + "/b/list.csv", "--ours", d + "/customers.csv",
            "--out", d + "/r")
    report = json.load(open(d + "/r/report.json"))
    line = "%4d %s damage %.2f" % (seed, "children" if children else
                                   "adults  ", options["damage"])
    for k, v in truth_of(d).items():
        e = report[k]
        off = e["estimate"] / v - 1 if v else 0
        inside = e["low"] <= v <= e["high"]
        held[k] += inside
        worst[k] = max(worst[k], abs(off))
        line += "  %s %d: %+.3f %% %d..%d %s" % (
            k, v, 100 * off, e["low"], e["high"], "" if inside else "MISS")
    verdicts[report["verdict"]] = verdicts.get(report["verdict"], 0) + 1
    print(line, report["verdict"], flush=True)


p = argparse.ArgumentParser()
p.add_argument("kuraban")
p.add_argument("--seeds", type=int, default=100)
p.add_argument("--from", type=int, default=1, dest="first")
p.add_argument("--rows", type=int, default=20000)
a = p.parse_args()
names = ("persons", "persons_ours", "records")
held, worst = dict.fromkeys(names, 0), dict.fromkeys(names, 0.0)
verdicts = {}
with tempfile.TemporaryDirectory() as tmp:
    for s in range(a.first, a.first + a.seeds):
        one(tmp, s)
for k in names:
    print("%s: %d of %d intervals hold, worst error %.3f %%" %
          (k, held[k], a.seeds, 100 * worst[k]))
print("verdicts:", verdicts)
least = int(.93 * a.seeds)
sys.exit(worst["persons"] > .005 or held["persons"] < least or
         held["persons_ours"] < least)
