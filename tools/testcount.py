#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up the test cases of meson's JSON logs: testcount.py LOG...

A program of cmocka, unittest or TAP cases counts each of them, any other program
counts as one. Prints what did not pass, then "N passed, N failed, N skipped".
"""
import json
import re
import sys

CASES = (
    # (whole line of a passed, failed, skipped case)
    (r'^\[ +OK +\] \w', r'^\[ +(?:FAILED|ERROR) +\] \w+$', r'^\[ +SKIPPED +\] \w'),
    (r'^ok \d+(?!.*# SKIP)', r'^not ok \d+', r'^ok \d+.*# SKIP'),
    (r'^\S.* \.\.\. ok$', r'^\S.* \.\.\. (?:FAIL|ERROR)$', r'^\S.* \.\.\. skipped'),
)


def count(test):
    text = (test.get('stdout') or '') + '\n' + (test.get('stderr') or '')
    result = test['result']
    if result in ('SKIP', 'IGNORED'):
        return 0, 0, 1
    good = result in ('OK', 'EXPECTEDFAIL')
    for patterns in CASES:
        found = [len(set(re.findall(p + '.*' if not p.endswith('$') else p, text, re.M)))
                 for p in patterns]
        if sum(found):
            passed, failed, skipped = found
            if good:
                return passed, 0, skipped
            return passed, max(failed, 1), skipped
    return (1, 0, 0) if good else (0, 1, 0)


def main():
    total = [0, 0, 0]
    bad = []
    for path in sys.argv[1:]:
        try:
            lines = open(path, encoding='utf-8', errors='replace').read().splitlines()
        except OSError as e:
            print('no test log:', e)
            lines = []
            bad.append(path)
            total[1] += 1
        for line in lines:
            test = json.loads(line)
            n = count(test)
            total = [a + b for a, b in zip(total, n)]
            if n[1]:
                bad.append('%s (%s)' % (test['name'], test['result']))
            elif n[2]:
                print('skipped in', test['name'])
    for name in bad:
        print('failed:', name)
    print('%d passed, %d failed, %d skipped' % tuple(total))
    return 1 if total[1] or not total[0] else 0


if __name__ == '__main__':
    sys.exit(main())
