# SPDX-License-Identifier: Apache-2.0
"""Entries as docs/spec/ledger.md has them, for the tests of the verifiers."""

from verify_writer import dumps


def some_entries(count):
    return [dumps({"v": 1, "kind": "heartbeat", "time": "x%d" % i}) for i in range(count)]


def sample():
    return some_entries(5)
