#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How right the tracer is, on labelled addresses, FEBRL and made-up lists.

Usage: accuracy.py KURABAN. Prints one line a case; exits 1 when one fails.
"""
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

KURABAN = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
failed = passed = 0


def check(name, ok, text):
    global failed, passed
    failed += not ok
    passed += bool(ok)
    print("%s %s: %s" % ("ok  " if ok else "FAIL", name, text), flush=True)


def kuraban(*args, **kw):
    return subprocess.run([KURABAN, *args], check=True, capture_output=True,
                          **kw).stdout


def addresses():
    rows = list(csv.reader(open(HERE + "/addresses.csv",
                                encoding="utf-8")))[1:]
    text = "".join(r[0].replace("\n", " ") + "\n" for r in rows)
    out = kuraban("normalize", "address", input=text.encode())
    city = town = same = 0
    plain = lambda s: s.removeprefix("大字").removeprefix("字")
    for r, o in zip(rows, out.decode().split("\n")):
        o = o.split("\t")
        right = o[1:3] == r[1:3]
        city += right
        town += right and o[3] == r[3]
        same += right and plain(o[3]) == plain(r[3])
    n = len(rows)
    check("addresses: city", city / n >= .999, "%d of %d" % (city, n))
    check("addresses: town, letter for letter", town / n >= .993,
          "%.4f" % (town / n))
    check("addresses: town, 大字 aside", same / n >= .995,
          "%.4f" % (same / n))


def febrl(d):
    kuraban("trace", HERE + "/febrl4b.csv", "--ours", HERE + "/febrl4a.csv",
            "--schema", HERE + "/febrl.conf", "--out", d + "/febrl")
    ids = [r[0] for r in csv.reader(open(HERE + "/febrl4b.csv"))][1:]
    right = wrong = 0
    for r in csv.DictReader(open(d + "/febrl/matches.csv")):
        if r["accepted"] == "1":
            good = ids[int(r["list_row"]) - 1].split("-")[1] == \
                r["our_key"].split("-")[1]
            right += good
            wrong += not good
    f1 = 2 * right / (right + wrong + len(ids))
    check("febrl4 without labels", f1 >= .9993, "F1 %.5f" % f1)


def made_up(d, seed, *options):
    kuraban("synth", "population", "--rows", "20000", "--seed", str(seed),
            "--out", d, *options)
    kuraban("synth", "broker", "--customers", d + "/customers.csv",
            "--sample", "0.6", "--seed", str(seed), "--copies", "0.5",
            "--out", d + "/b")
    kuraban("trace", d + "/b/list.csv", "--ours", d + "/customers.csv",
            "--out", d + "/r")
    truth = {int(r["list_row"]): r for r in
             csv.DictReader(open(d + "/b/truth.csv"))}
    who = {r["customer_id"]: r for r in
           csv.DictReader(open(d + "/truth-population.csv"))}
    persons, ours = set(), set()
    for t in truth.values():
        c = t["customer_id"]
        persons.add(who[c]["person"] if c else t["person"])
        if c:
            ours.add(who[c]["person"])
        if t["guardian_person"]:
            g = who[c]["guardian_person"] if c else t["guardian_person"]
            persons.add(g)
            if c:
                ours.add(g)
    right = wrong = missed = mixed = 0
    of = {}
    for r in csv.DictReader(open(d + "/r/matches.csv")):
        if r["agree"].startswith("guardian"):
            continue
        t = truth[int(r["list_row"])]
        mixed += of.setdefault(r["person"], t["person"]) != t["person"]
        if r["accepted"] == "1" and r["our_key"] == t["customer_id"]:
            right += 1
        else:
            wrong += r["accepted"] == "1"
            missed += t["customer_id"] != ""
    j = json.load(open(d + "/r/report.json"))
    off = j["persons"]["estimate"] / len(persons) - 1
    inside = j["persons"]["low"] <= len(persons) <= j["persons"]["high"]
    name = "made-up list %d%s" % (seed, " of children" if options else "")
    check(name, right / (right + wrong) >= .999 and
          right / (right + missed) >= .985 and not mixed and
          abs(off) <= .005 and inside and j["verdict"] == "ours",
          "precision %.5f recall %.5f, %d persons mixed, count off by %+.2f %%,"
          " interval %s" % (right / (right + wrong),
                            right / (right + missed), mixed, 100 * off,
                            "holds" if inside else "fails"))


def unrelated(d):
    kuraban("synth", "population", "--rows", "5000", "--seed", "77",
            "--out", d + "/other")
    kuraban("synth", "broker", "--customers", d + "/other/customers.csv",
            "--seed", "77", "--out", d + "/other/b")
    kuraban("trace", d + "/other/b/list.csv", "--ours", d + "/customers.csv",
            "--out", d + "/other/r")
    j = json.load(open(d + "/other/r/report.json"))
    check("an unrelated list", j["verdict"] == "not-ours", j["verdict"])


def culprit(d):
    kuraban("synth", "releases", "--customers", d + "/customers.csv",
            "--count", "300", "--seed", "4", "--out", d)
    size = {}
    for r in csv.DictReader(open(d + "/releases.csv")):
        size[r["release_id"]] = size.get(r["release_id"], 0) + 1
    # A fifth of a handful would be one person: that proves nothing.
    good = 0
    culprits = [c for c in sorted(size) if size[c] >= 100][5:50:15]
    for i, c in enumerate(culprits):
        kuraban("synth", "broker", "--customers", d + "/customers.csv",
                "--releases", d + "/releases.csv", "--culprits", c,
                "--sample", "0.2", "--foreign", "0.05", "--seed", str(i),
                "--out", d + "/c")
        kuraban("trace", d + "/c/list.csv", "--ours", d + "/customers.csv",
                "--releases", d + "/releases.csv", "--out", d + "/cr")
        g = json.load(open(d + "/cr/report.json"))["groups"][0]
        good += g["explains"] and c in g["releases"]
    check("one culprit at a fifth, 5 % foreign", good == 3, "%d of %d" %
          (good, len(culprits)))


def same_bytes(d):
    names = ("matches.csv", "report.json", "index.html")
    got = []
    for threads in ("1", "2", "2"):
        kuraban("trace", d + "/b/list.csv", "--ours", d + "/customers.csv",
                "--threads", threads, "--out", d + "/same")
        got.append([open(d + "/same/" + n, "rb").read() for n in names])
    with open(d + "/b/list.csv", "rb") as f:
        p = subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE)
        kuraban("trace", "-", "--ours", d + "/customers.csv", "--out",
                d + "/same", stdin=p.stdout)
        p.stdout.close()
        p.wait()
    piped = open(d + "/same/matches.csv", "rb").read()
    j = [json.loads(r) for r in (open(d + "/same/report.json", "rb").read(),
                                 got[0][1])]
    for r in j:  # a pipe is gone when it is read
        r.pop("list_sha256", None)
    check("a pipe gives what the file gives", piped == got[0][0] and
          j[0] == j[1], "matches and report")
    check("the same bytes again", got[0] == got[1] == got[2],
          "1 and 2 threads")


def stopped(d):
    p = subprocess.Popen([KURABAN, "trace", d + "/b/list.csv", "--ours",
                          d + "/customers.csv", "--out", d + "/stopped"],
                         stderr=subprocess.DEVNULL)
    time.sleep(.15)
    p.send_signal(signal.SIGINT)
    rc = p.wait()
    left = [n for n in os.listdir(d) if n.startswith("stopped")]
    check("Ctrl-C leaves nothing", rc == 0 or left == [],
          "exit %d, %s" % (rc, left))


with tempfile.TemporaryDirectory() as tmp:
    addresses()
    febrl(tmp)
    made_up(tmp + "/k", 3, "--children")
    for s in (1, 2):
        made_up(tmp, s)
    unrelated(tmp)
    culprit(tmp)
    same_bytes(tmp)
    stopped(tmp)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
