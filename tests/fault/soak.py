#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Soak: mixed load for a long time while every process is killed at random.

Many actors, each for a short while, so that nobody ends up knowing everybody:
simple and prepared statements, cursors, portals read in pieces, COPY both ways,
changes, open tables, cancels, with TLS and without. Meanwhile workers, the ledger, the
parent, PostgreSQL's own processes or everything at once die by kill -9, or the service is
stopped in order. In the end, for every actor and to the single person:

    received  <=  sealed  <=  received + asked for by a statement that was cut off

where the first are the clients' own counts, and the second the ledger's index,
which must also be what the meter says. Both verifiers call the ledger whole, no
session is left on the server, and the gate is as large as it was (L1, L2, L4).

SOAK_MINUTES (30; fractions are fine) and KURABAN_SEED may be set.
"""
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "interop"),
                os.path.join(HERE, "..", "scene")]

import people  # noqa: E402
from clients import certificate  # noqa: E402
from harness import (Failure, Suite, check, descendants,  # noqa: E402
                     gone, rss_bytes, wait_for)
from scene import no_sessions  # noqa: E402
from wire import AuthError, Closed  # noqa: E402

SEED = int(os.environ.get("KURABAN_SEED", "0")) or random.randrange(1 << 30)
MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
CLIENTS = 6
HANGS_S = 30		# a client that waits longer has been forgotten

ROLES = """
role "soak" {
    databases = { "crm" }
    subjects_ever = 1000000
}
role "small" {
    databases = { "crm" }
    subjects_ever = 40
    on_excess = "refuse"
}
"""


class Account:
    """What one actor's client knows."""

    def __init__(self, name, limit):
        self.name, self.limit = name, limit
        self.received = set()
        self.doubtful = set()	# asked for by statements that were cut off
        self.cut = False	# KB001 was seen


class Client(threading.Thread):
    """One human after another, each with a few dozen statements."""

    def __init__(self, soak, number):
        super().__init__(daemon=True)
        self.soak, self.number = soak, number
        self.rng = random.Random(SEED * 1000 + number)
        self.accounts = []
        self.statements, self.states, self.broken = 0, {}, 0
        self.problems = []
        self.begun = None	# when the statement that runs was sent

    def run(self):
        n = 0
        while not self.soak.over.is_set():
            small = self.rng.random() < 0.2
            a = Account("s%d-%d" % (self.number, n), 40 if small else None)
            n += 1
            try:
                self.soak.gate.actor(a.name, "small" if small else "soak")
            except (Failure, subprocess.TimeoutExpired):
                # Perhaps it was added before the ledger died: not this one.
                time.sleep(0.2)
                continue
            self.accounts.append(a)
            left = self.rng.randrange(20, 60)
            while left > 0 and not self.soak.over.is_set():
                left -= self.session(a, self.rng.randrange(1, 15))

    def note(self, state):
        self.states[state] = self.states.get(state, 0) + 1

    def session(self, a, count):
        """Some statements on one connection; how many."""
        done = 0
        try:
            w = self.soak.gate.connect(a.name, timeout=HANGS_S,
                                       tls=self.rng.random() < 0.4)
        except socket.timeout:
            self.problems.append("a login hangs")
            return 1
        except AuthError as e:
            self.note("login " + e.fields.get("C", "?"))
            time.sleep(0.1)
            return 0
        except (Closed, OSError):
            self.note("login closed")
            time.sleep(0.1)
            return 0
        try:
            while done < count and not self.soak.over.is_set():
                done += 1
                if not self.statement(a, w):
                    break
                time.sleep(self.rng.random() * 0.02)
        finally:
            if self.rng.random() < 0.7:
                w.close()
            else:
                w.abort()
        return done

    def statement(self, a, w):
        """False: the session is over."""
        rng = self.rng
        lo = rng.randrange(1, 995)
        hi = min(1000, lo + rng.choice((0, 0, 0, 1, 4, 30)))
        asked = set(range(lo, hi + 1))
        w.messages.clear()
        self.begun = time.monotonic()
        try:
            kind = rng.choice(KINDS)
            whole = kind(w, rng, lo, hi)
        except socket.timeout:
            self.problems.append("%s hangs: %s of %s, %d to %d, after %s" % (
                kind.__name__, a.name, a.limit, lo, hi,
                "".join(t for t, b in w.messages)))
            whole = False
        except (Closed, OSError):
            whole = False
        self.begun = None
        got = people.find(b"\n".join(b for t, b in w.messages if t in "DdENA"),
                          deep=False)
        a.received |= got
        if got - asked:
            self.problems.append("%s got %s, asked for %d to %d" %
                                 (kind.__name__, sorted(got - asked), lo, hi))
        ready = any(t == "Z" for t, b in w.messages)
        errors = [e for e in (error_code(b) for t, b in w.messages if t == "E")]
        for state in errors:
            self.note(state)
            a.cut |= state == "KB001"
        if not whole or not ready or any(f in FATAL for f in errors):
            self.broken += 1
            if kind.touches:
                a.doubtful |= asked
            return False
        self.statements += 1
        # An ordinary answer is all of what was asked, or says that it is not.
        if kind.complete and not errors and got != asked:
            self.problems.append("%s: %d of %d people and no error" %
                                 (kind.__name__, len(got), len(asked)))
        return True


FATAL = ("57P01", "57P02", "57P03", "08006", "08001", "08P01", "KB005")


def error_code(body):
    for part in body.split(b"\0"):
        if part[:1] == b"C":
            return part[1:].decode()
    return "?"


def kind(touches=True, complete=True):
    def mark(fn):
        fn.touches, fn.complete = touches, complete
        return fn
    return mark


@kind()
def simple(w, rng, lo, hi):
    r = w.query("SELECT name, address FROM customers WHERE customer_id "
                "BETWEEN %d AND %d" % (lo, hi))
    return not r.closed


@kind()
def extended(w, rng, lo, hi):
    r = w.extended("SELECT customer_id, email FROM customers WHERE "
                   "customer_id BETWEEN $1 AND $2", [lo, hi])
    return not r.closed


@kind()
def prepared(w, rng, lo, hi):
    """A named statement, executed once for each person."""
    w.parse("SELECT phone FROM customers WHERE customer_id = $1", "p")
    for n in range(lo, hi + 1):
        w.bind([n], name="p")
        w.execute()
    w.send("C", b"Sp\0")
    r = w.sync()
    return not r.closed


@kind()
def pieces(w, rng, lo, hi):
    """A portal that is read some rows at a time."""
    w.query("BEGIN")
    w.parse("SELECT name FROM customers WHERE customer_id BETWEEN %d AND %d "
            "ORDER BY customer_id" % (lo, hi))
    w.bind(portal="c")
    for _ in range((hi - lo) // 5 + 1):
        w.execute("c", 5)
    r = w.sync()
    if r.closed:
        return False
    return not w.query("COMMIT").closed


@kind()
def cursor(w, rng, lo, hi):
    w.query("BEGIN")
    r = w.query("DECLARE c CURSOR FOR SELECT kana, name FROM customers "
                "WHERE customer_id BETWEEN %d AND %d" % (lo, hi))
    while not r.closed and not r.errors:
        r = w.query("FETCH 7 FROM c")
        if not r.rows:
            break
    if r.closed:
        return False
    return not w.query("COMMIT").closed


@kind()
def copy_out(w, rng, lo, hi):
    r = w.query("COPY (SELECT name, phone FROM customers WHERE customer_id "
                "BETWEEN %d AND %d) TO STDOUT%s" % (lo, hi, rng.choice((
                    "", " (FORMAT csv, HEADER)"))))
    return not r.closed


@kind()
def returning(w, rng, lo, hi):
    """A change whose answer is charged: undone when it may not be shown."""
    r = w.query("UPDATE customers SET rank = coalesce(rank, 0) + 1 WHERE "
                "customer_id BETWEEN %d AND %d RETURNING customer_id, name"
                % (lo, hi))
    return not r.closed


@kind(complete=False)
def cancelled(w, rng, lo, hi):
    w.send("Q", b"SELECT name, pg_sleep(0.01) FROM customers WHERE customer_id "
           b"BETWEEN %d AND %d\0" % (lo, hi))
    time.sleep(rng.random() * 0.1)
    w.cancel()
    r = w.until("Z")
    return not r.closed


@kind(complete=False)
def goes_away(w, rng, lo, hi):
    """Asks and leaves without reading: sealed perhaps, received by nobody."""
    w.send("Q", b"SELECT name FROM customers WHERE customer_id BETWEEN %d AND "
           b"%d\0" % (lo, hi))
    time.sleep(rng.random() * 0.02)
    return False


@kind(touches=False, complete=False)
def free(w, rng, lo, hi):
    r = w.query("SELECT product_id, title FROM products")
    return not r.closed


@kind(touches=False, complete=False)
def open_change(w, rng, lo, hi):
    r = w.query("UPDATE products SET price = price + 1 WHERE product_id = %d"
                % (lo % 50 + 1))
    return not r.closed


@kind(touches=False, complete=False)
def copy_in(w, rng, lo, hi):
    r = w.query("CREATE TEMP TABLE IF NOT EXISTS t (a int, b text)")
    if r.closed or r.errors:
        return not r.closed
    r = w.copy_in("COPY t FROM STDIN", [b"%d\tx\n" % i for i in range(50)])
    return not r.closed


KINDS = (simple, simple, simple, extended, extended, prepared, pieces, cursor,
         copy_out, copy_out, returning, cancelled, goes_away, free, free,
         open_change, copy_in)


class Soak:
    def __init__(self, world):
        self.world, self.gate = world, world.gate
        self.over = threading.Event()
        self.rng = random.Random(SEED)
        self.kills = {}
        self.waits = []

    def served(self):
        try:
            with self.gate.connect("soak-probe", timeout=5) as w:
                return w.query("SELECT name FROM customers WHERE customer_id "
                               "= 1").ok()
        except (AuthError, Closed, OSError):
            return False

    def disturb(self):
        gate, rng = self.gate, self.rng
        what = rng.choice(("gate", "gate", "ledger", "ledger", "both", "parent",
                           "all", "restart", "backends"))
        self.kills[what] = self.kills.get(what, 0) + 1
        start = time.monotonic()
        old = descendants(gate.process.pid)
        victims = {"gate": lambda: [rng.choice(gate.pids("gate"))],
                   "ledger": lambda: gate.pids("ledger"),
                   "both": lambda: gate.pids("ledger") + gate.pids("gate")[:1],
                   "parent": lambda: [gate.process.pid],
                   "all": gate.pids}
        if what == "restart":
            code = gate.stop()
            check(code == 0, "SIGTERM: exit %s: %s", code, gate.tail(300))
        elif what == "backends":
            self.world.pg.psql("postgres", "SELECT pg_terminate_backend(pid) "
                               "FROM pg_stat_activity WHERE usename = "
                               "'kuraban_gate'")
        else:
            for pid in victims[what]():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if what in ("parent", "all", "restart"):
            gate.process.wait(20)
            wait_for("orphans to end", lambda: all(map(gone, old)), 20)
            gate.start()
        wait_for("service after %s" % what, self.served, 30, 0.1)
        self.waits.append(time.monotonic() - start)

    def sizes(self):
        return {role: max(map(rss_bytes, self.gate.pids(role)))
                for role in ("gate", "ledger")}

    def run(self):
        self.gate.actor("soak-probe", "soak")
        wait_for("service", self.served, 30)
        clients = [Client(self, i) for i in range(CLIENTS)]
        end = time.monotonic() + MINUTES * 60
        for c in clients:
            c.start()
        try:
            while time.monotonic() < end - 10:
                time.sleep(min(self.rng.uniform(1, 8),
                               max(0, end - time.monotonic())))
                self.disturb()
            time.sleep(max(0, end - time.monotonic()))
        finally:
            self.over.set()
            for c in clients:
                c.join(HANGS_S + 10)
        check(not any(c.is_alive() for c in clients), "clients hang")
        return clients

    def charged(self, accounts):
        """{actor: people whom the ledger's index says it was released}"""
        out = {a.name: set() for a in accounts}
        for s in people.CUSTOMERS:
            for hit in self.gate.who(s):
                if hit["actor"] in out:
                    out[hit["actor"]].add(s)
        return out


def verified(gate):
    r = gate.verify()
    check(r.returncode == 0, "kuraban verify: %s", (r.stdout + r.stderr)[-400:])
    with open(gate.state + "/ledger/vkey") as f:
        key = f.read().strip()
    r = subprocess.run([sys.executable, HERE + "/../../tools/verify.py",
                        gate.state + "/ledger", "--key", key],
                       capture_output=True, text=True)
    check(r.returncode == 0, "verify.py: %s", (r.stdout + r.stderr)[-400:])
    return r.stdout.split(", ")[1]


def soak(world):
    s = Soak(world)
    clients = s.run()
    accounts = [a for c in clients for a in c.accounts]
    problems = [p for c in clients for p in c.problems]
    check(not problems, "%d problems: %s", len(problems), problems[:5])
    entries = verified(world.gate)
    no_sessions(world, 30)
    charged = s.charged(accounts)
    used = {b["actor"]: b["used"] for b in world.gate.json("budget")
            if b["window"] == "ever"}
    received = sealed = extra = doubt = 0
    for a in accounts:
        c = charged[a.name]
        check(used.get(a.name, 0) == len(c), "%s: the meter says %s, the index "
              "%d", a.name, used.get(a.name), len(c))
        check(a.received <= c, "%s received %s, not in the ledger", a.name,
              sorted(a.received - c))
        check(c <= a.received | a.doubtful, "%s was charged %s, never asked "
              "for by a statement that was cut off", a.name,
              sorted(c - a.received - a.doubtful))
        check(a.limit is None or len(c) <= a.limit, "%s: %d above the limit",
              a.name, len(c))
        check(not a.cut or len(c) == a.limit, "%s: KB001 at %d of %s", a.name,
              len(c), a.limit)
        received, sealed = received + len(a.received), sealed + len(c)
        extra += len(c - a.received)
        doubt += len(a.doubtful - a.received)
    check(sealed and s.kills, "nothing happened")
    states = {}
    for c in clients:
        for k, v in c.states.items():
            states[k] = states.get(k, 0) + v
    done = sum(c.statements for c in clients)
    check(done > 20 * MINUTES, "%d statements only", done)
    sizes = s.sizes()
    return ("seed %d, %g minutes: %d disturbances %s (service again after %.1f "
            "s at most), %d actors, %d statements, %d cut off; people received "
            "%d, sealed %d, sealed and not received %d of at most %d; %s; gate "
            "%d MB, ledger %d MB; errors seen %s" % (
                SEED, MINUTES, sum(s.kills.values()), s.kills, max(s.waits),
                len(accounts), done, sum(c.broken for c in clients), received,
                sealed, extra, doubt, entries, sizes["gate"] >> 20,
                sizes["ledger"] >> 20, states))


def main():
    suite = Suite(__doc__.splitlines()[0])
    if suite.options.direct:
        return "--direct has no meaning here"
    print("seed %d" % SEED)
    with tempfile.TemporaryDirectory(prefix="kuraban-soak-") as top:
        os.chmod(top, 0o755)
        cert, key = certificate(top)
        return suite.run(
            lambda suite, world: suite.case(
                "soak", "mixed load and kills", soak, world),
            roles=ROLES, extra='tls_cert = "%s"\ntls_key = "%s"' % (cert, key))


if __name__ == "__main__":
    sys.exit(main())
