# SPDX-License-Identifier: Apache-2.0
"""Entries as docs/spec/ledger.md section 3 has them, for the tests of verifiers."""

import base64

from verify_writer import dumps


def when(i):
    return "2026-11-21T05:%02d:%02d.%06dZ" % (i // 60 % 60, i % 60, i)


def tokens(*numbers):
    return base64.b64encode(b"".join(n.to_bytes(8, "big") for n in numbers)).decode()


def entry(kind, i, **fields):
    return {"v": 1, "kind": kind, "time": when(i), **fields}


def some_entries(count):
    """Heartbeats and, every third, a release to no session."""
    return [dumps(release(i, [i % 7 + 1, i % 11 + 100]) if i % 3 == 2 else
                  entry("heartbeat", i, sessions=0)) for i in range(count)]


def release(i, subjects, **who):
    return entry("release", i, **who, tables=[
        {"table": "public.customers", "columns": "name,kana"}], request=1,
        rows=len(subjects), bytes=100, anon=0,
        domains=["public.customers"], subjects=[tokens(*subjects)])


WHO = {"gate": "1", "session": 3, "actor": "tanaka", "role": "operator",
       "database": "crm"}


def sample_dicts():
    """One of every kind, and a session from open to close."""
    salted = base64.b64encode(bytes(range(32))).decode()
    return [
        entry("start", 0, version="0.1.0", config="ab12", workers=2),
        entry("session", 1, gate="1", actor="tanaka", database="crm", event="failed",
              address="192.0.2.7", tls=True, why="wrong password"),
        entry("session", 1, **WHO, event="open", address="192.0.2.7", tls=True,
              application="psql \u84b5\u756a"),
        entry("statement", 2, **WHO, request=1, **{"class": "free"}, count=1,
              rows=2, bytes=77, outcome="complete", sql="SELECT $1", sealed=1,
              commitment=salted),
        dict(release(3, [1, 2**64 - 1, 7], **WHO), later="unknown to this reader"),
        entry("deny", 4, **WHO, sqlstate="KB003", why="refused", object="f()"),
        entry("alert", 4, database="crm", what="uncovered", object="public.new"),
        entry("grant", 5, actor="tanaka", what="asked", id=1, by="sato",
              subjects_max=500, until="2026-11-22T00:00:00.000000Z"),
        entry("session", 6, **WHO, event="close", tls=True, why="client left"),
        entry("policy", 7, what="limits", who="sato", detail={"role": "operator"}),
        entry("key", 8, what="rotated", id="00ff"),
        entry("heartbeat", 9, sessions=0),
        entry("erase", 10, what="subject", by="sato", basis="request",
              domains=["public.customers"], subjects=[tokens(7)]),
        entry("incident", 11, what="fsync", detail="disk\u2026"),
        entry("stop", 12, version="0.1.0", workers=2, why="asked to"),
    ]


def sample():
    return [dumps(e) for e in sample_dicts()]
