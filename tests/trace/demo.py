#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From the gate to a list on the market and back: in the demonstration's own
database an actor takes what the budget allows, a broker sells it altered, and
`kuraban trace --database` names the ledger entry of that extraction.

Usage: demo.py KURABAN. Exits 77 (skipped) without PostgreSQL.
"""
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

KURABAN = os.path.abspath(sys.argv[1])
failed = passed = 0


def check(name, ok, text=""):
    global failed, passed
    failed += not ok
    passed += bool(ok)
    print("%s %s %s" % ("ok  " if ok else "FAIL", name, text), flush=True)


def run(*args, **kw):
    p = subprocess.run(args, capture_output=True, text=True, timeout=120,
                       env=dict(os.environ, LC_ALL="C.UTF-8"), **kw)
    if p.returncode:
        raise RuntimeError("%s: exit %d: %s" % (" ".join(args), p.returncode,
                                                p.stderr[-800:]))
    return p.stdout


def end(text):
    """Ends what --keep left running; it says how."""
    m = re.search(r"kill (\d+); kill -QUIT (\d+); rm -rf (\S+)", text)
    if not m:
        return
    os.kill(int(m[1]), signal.SIGTERM)
    os.kill(int(m[2]), signal.SIGQUIT)
    for _ in range(100):
        if not any(os.path.exists("/proc/" + m[i]) for i in (1, 2)):
            break
        time.sleep(.1)
    shutil.rmtree(m[3], ignore_errors=True)


def sell(d, name, stolen, *options):
    run(KURABAN, "synth", "broker", "--customers", stolen, "--seed", "11",
        "--out", d + "/" + name, *options)


def trace(d, name, *options):
    run(KURABAN, "trace", d + "/%s/list.csv" % name, "--database", "crm",
        "--out", d + "/%s/report" % name, *options)
    return json.load(open(d + "/%s/report/report.json" % name))


def play(d, said):
    conf = ("-c", re.search(r"rm -rf (\S+)", said)[1] + "/kuraban.conf")
    text = open(conf[1], encoding="utf-8").read()
    port = re.search(r"port=(\d+) dbname=crm user=suzuki", said)[1]
    upstream = re.search(r'upstream = "([^"]+)"', text)[1]
    # Three people at work; tanaka's extraction is the one that is sold.
    stolen = {}
    for who, where in (("sato", "customer_id % 211 = 5"),
                       ("tanaka", "birth_date between '2011-03-01' and "
                        "'2011-03-12' order by customer_id limit 90"),
                       ("ito", "customer_id between 5001 and 5080")):
        run(KURABAN, "actor", "add", who, "--role", "operator",
            "--password-stdin", *conf, input="pass-" + who + "-0423\n")
        stolen[who] = d + "/%s.csv" % who
        with open(stolen[who], "w") as f:
            f.write(run("psql", "-X", "--csv", "-d", "host=127.0.0.1 port=%s "
                        "dbname=crm user=%s password=pass-%s-0423" %
                        (port, who, who), "-c",
                        "select * from customers where " + where))
    rows = len(list(csv.DictReader(open(stolen["tanaka"]))))
    check("tanaka received %d people" % rows, 30 <= rows <= 90)
    sell(d, "market", stolen["tanaka"], "--sample", "0.8", "--foreign", "0.3")
    r = trace(d, "market", *conf)
    g = r["groups"][0]
    check("the list is ours", r["verdict"] == "ours" and g["explains"],
          json.dumps(g))
    entry = run(KURABAN, "log", "show", g["releases"][0], *conf)
    check("its entry is tanaka's", '"tanaka"' in entry and
          '"release"' in entry and len(g["releases"]) == 1, entry[:200])
    # Copied past the gate, as in 2014: ours, and no entry explains it.
    past = d + "/past.csv"
    with open(past, "w") as f:
        f.write(run("psql", "-X", "--csv", "-d", upstream, "-c",
                    "select * from customers"))
    sell(d, "whole", past, "--sample", "0.9")
    r = trace(d, "whole", *conf)
    check("what went past the gate is ours and unexplained",
          r["verdict"] == "ours" and not any(x["explains"] for x in
                                             r["groups"]),
          "%s %s" % (r["verdict"], r["persons_ours"]))
    # Somebody else's people.
    run(KURABAN, "synth", "population", "--rows", "3000", "--seed", "8",
        "--out", d + "/rival")
    sell(d, "other", d + "/rival/customers.csv")
    r = trace(d, "other", *conf)
    check("another company's list is not ours", r["verdict"] == "not-ours" and
          not any(x["explains"] for x in r["groups"]), r["verdict"])


demo = subprocess.run([KURABAN, "demo", "--keep", "--subjects", "20000"],
                      capture_output=True, text=True, timeout=280,
                      env=dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE="en"))
if "apt-get install postgresql-15" in demo.stderr or not shutil.which("psql"):
    print("skipped: PostgreSQL 15 is not installed")
    sys.exit(77)
try:
    check("the demonstration", demo.returncode == 0, demo.stderr[-300:])
    if demo.returncode == 0:
        with tempfile.TemporaryDirectory() as tmp:
            play(tmp, demo.stdout)
finally:
    end(demo.stdout)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
