# SPDX-License-Identifier: Apache-2.0
"""What the hostile clients and the hostile servers have in common."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "interop"))

from harness import Failure, check, wait_for  # noqa: E402


class Watch:
    """The gate lives through it, on the same processes, and says what it saw."""

    def __init__(self, world, incident=False, same_workers=True):
        self.world = world
        self.incident = incident
        self.same_workers = same_workers

    def __enter__(self):
        g = self.world.gate
        self.pids = sorted(g.pids())
        self.before = len(g.entries(kind="incident")) if self.incident else 0
        return self

    def __exit__(self, kind, *_):
        if kind:
            return
        g = self.world.gate
        actor = g.actor("probe", "bulk")

        def lives():
            try:
                with g.connect(actor, timeout=5) as w:
                    return w.query("SELECT 1").value == "1"
            except Exception:
                return False
        wait_for("the gate to serve others", lives, 15)
        if self.same_workers:
            now = sorted(g.pids())
            check(now == self.pids, "processes died: %s, now %s", self.pids,
                  now)
        if self.incident:
            def written():
                return len(g.entries(kind="incident")) > self.before
            wait_for("an incident entry", written, 3, 0.3)


def upstream_sessions(world):
    """What the server runs for clients of the gate: a set of pid and query."""
    out = world.pg.psql("crm", "SELECT pid, state, left(query, 40) "
                        "FROM pg_stat_activity WHERE usename = 'kuraban_gate' "
                        "AND application_name <> 'kuraban'")
    return set(out.splitlines())


def no_sessions(world, seconds=15):
    """Every session that clients left is gone from the server."""
    try:
        wait_for("the upstream sessions to end",
                 lambda: not upstream_sessions(world), seconds)
    except Failure as e:
        raise Failure("%s: %s" % (e, sorted(upstream_sessions(world)))
                      ) from None
