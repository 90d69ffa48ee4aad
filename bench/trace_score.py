#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A report against the truth that the generator wrote, for lists of any size.

Usage: trace_score.py REPORT_DIR TRUTH.CSV. For lists without guardians: one
mention a row. Reads both files side by side and holds eight bytes a person.
"""
import json
import sys
from array import array

FOREIGN = 1 << 40


def ident(s):
    return FOREIGN + int(s[1:]) if s[:1] == b"F" else int(s[1:])


def score(report, truth):
    j = json.load(open(report + "/report.json"))
    who = array("q", [0]) * (j["rows"]["estimate"] + 1)
    seen = {False: bytearray(1 << 20), True: bytearray(1 << 20)}
    right = wrong = missed = mixed = persons = 0
    matches = open(report + "/matches.csv", "rb")
    truth = open(truth, "rb")
    next(matches), next(truth)
    m = next(matches, None)
    for t in truth:
        row, customer, person, _ = t.split(b",")
        p = ident(person)
        place = seen[p >= FOREIGN]
        at = p % FOREIGN
        if at >= len(place):
            place.extend(bytes(max(len(place), at)))
        persons += not place[at]
        place[at] = 1
        if m is None or not m.startswith(row + b","):
            missed += customer != b""
            continue
        f = m.split(b",", 6)
        n = int(f[5])
        if who[n] == 0:
            who[n] = p
        mixed += who[n] != p
        if f[4] == b"1" and f[2] == customer:
            right += 1
        else:
            wrong += f[4] == b"1"
            missed += customer != b""
        m = next(matches, None)
    if m is not None:
        sys.exit("matches.csv has a row that the list has not")
    got = j["persons"]
    out = {"persons": got["estimate"], "true_persons": persons,
           "off_percent": round(100 * (got["estimate"] / persons - 1), 4),
           "interval_holds": got["low"] <= persons <= got["high"],
           "rows_with_a_stranger": mixed,
           "comparisons": j["comparisons"]}
    if right + wrong:
        out["precision"] = round(right / (right + wrong), 6)
        out["recall"] = round(right / (right + missed), 6)
    return out


if __name__ == "__main__":
    print("    " + " ".join("%s=%s" % i for i in
                            score(sys.argv[1], sys.argv[2]).items()))
