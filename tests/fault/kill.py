#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Any process dies at any moment; the server, the disk and the clients fail.

What a client saw is in the ledger (L1), what was acknowledged stays, personal
data stops rather than passes unsealed (L5), and the service comes back by
itself.
"""
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "interop"))

import people  # noqa: E402
from harness import (ACTOR_PASSWORD, ROLE_PASSWORD, Failure,  # noqa: E402
                     Gate, Skip, Suite, check, descendants, gone,
                     rss_bytes, wait_for)
from wire import AuthError, Closed  # noqa: E402

SEED = int(os.environ.get("KURABAN_SEED", "0")) or random.randrange(1 << 30)
RANDOM = random.Random(SEED)


class Load:
    """A few clients that ask for people and note whom they really saw."""

    def __init__(self, gate, actor, threads=3):
        self.gate, self.actor = gate, actor
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.seen, self.errors, self.done = set(), {}, 0
        self.hung = 0
        self.threads = [threading.Thread(target=self.run, args=(i,),
                                         daemon=True) for i in range(threads)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join(30)
        check(not any(t.is_alive() for t in self.threads), "clients hang")

    def run(self, number):
        rng = random.Random(SEED + number)
        while not self.stop.is_set():
            try:
                with self.gate.connect(self.actor, timeout=10) as w:
                    while not self.stop.is_set():
                        self.ask(w, rng)
            except (AuthError, Closed, OSError) as e:
                if isinstance(e, socket.timeout):
                    self.hung += 1
                with self.lock:
                    k = (e.fields.get("C") if isinstance(e, AuthError)
                         else type(e).__name__)
                    self.errors[k] = self.errors.get(k, 0) + 1
                time.sleep(0.05)

    def ask(self, w, rng):
        n = rng.randrange(1, 1000)
        w.messages.clear()
        kind = rng.randrange(4)
        try:
            if kind == 0:
                r = w.query("SELECT name FROM customers WHERE customer_id = "
                            "%d" % n)
            elif kind == 1:
                r = w.extended("SELECT customer_id, email FROM customers "
                               "WHERE customer_id = $1", [n])
            elif kind == 2:
                r = w.query("COPY (SELECT phone FROM customers WHERE "
                            "customer_id BETWEEN %d AND %d) TO STDOUT"
                            % (n, n + 2))
            else:
                r = w.query("SELECT count(*) FROM orders")
        finally:
            blob = b"\n".join(b for t, b in w.messages if t in "DdEN")
            with self.lock:
                self.seen |= people.find(blob, deep=False)
        with self.lock:
            for e in r.errors:
                self.errors[e.get("C")] = self.errors.get(e.get("C"), 0) + 1
            self.done += 1
        if r.closed:
            raise Closed("in a statement")


def served(gate, actor):
    try:
        with gate.connect(actor, timeout=5) as w:
            return w.query("SELECT name FROM customers WHERE customer_id = 1"
                           ).ok()
    except (AuthError, Closed, OSError):
        return False


def account(gate, actor, load):
    """All that was seen is charged; some of it is looked up one by one."""
    used = gate.used(actor)
    check(len(load.seen) <= used, "%d people seen, %d in the ledger",
          len(load.seen), used)
    for s in RANDOM.sample(sorted(load.seen), min(8, len(load.seen))):
        check(any(h["actor"] == actor for h in gate.who(s)),
              "person %d was seen and is not in the ledger", s)
    return used


def victims(gate, what):
    if what == "parent":
        return [gate.process.pid]
    if what == "all":
        return gate.pids()
    if what == "both":
        return [RANDOM.choice(gate.pids("gate"))] + gate.pids("ledger")
    found = gate.pids(what)
    check(found, "no %s process among %s", what, gate.pids())
    return [RANDOM.choice(found)]


def kill(world, what, rounds):
    """Each round has an actor of its own, so that few people are counted."""
    gate = world.gate
    before = gate.entries()
    done = seen = sealed = 0
    errors = {}
    for i in range(rounds):
        actor = gate.actor("kill-%s-%d" % (what, i), "bulk")
        with Load(gate, actor) as load:
            time.sleep(RANDOM.uniform(0.05, 0.4))
            old = descendants(gate.process.pid)
            for pid in victims(gate, what):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if what in ("parent", "all"):
                gate.process.wait(10)
                wait_for("orphans to end", lambda: all(map(gone, old)), 10)
                gate.start()
            wait_for("service", lambda: served(gate, gate.actor(
                "probe", "bulk")), 30, 0.05)
        check(not load.hung, "%d clients waited for 10 s", load.hung)
        check(load.done, "nothing was done: %s", load.errors)
        used = account(gate, actor, load)
        done, seen, sealed = (done + load.done, seen + len(load.seen),
                              sealed + used)
        for k, v in load.errors.items():
            errors[k] = errors.get(k, 0) + v
    after = gate.entries()
    check(after[:len(before)] == before, "entries changed or were lost")
    check(gate.verify().returncode == 0, "verify")
    return "%d statements, %d people seen, %d sealed, errors %s" % (
        done, seen, sealed, errors)


def acknowledged(world):
    """The entry of the last row that was seen survives kill -9 at once."""
    gate = world.gate
    for i in range(5):
        actor = gate.actor("ack-%d" % i, "bulk")
        w = gate.connect(actor)
        w.send("Q", b"SELECT name FROM customers ORDER BY customer_id\0")
        n = RANDOM.randrange(1, 400)
        seen = set()
        while len(seen) < n:
            kind, body = w.read()
            if kind == "D":
                seen |= people.find(body, deep=False)
        gate.kill()
        w.sock.settimeout(2)
        try:	# what is in the socket's buffers was released too
            while True:
                kind, body = w.read()
                if kind == "D":
                    seen |= people.find(body, deep=False)
        except (Closed, OSError):
            pass
        w.sock.close()
        gate.start()
        used = gate.used(actor)
        check(used >= len(seen), "%d seen, %d sealed", len(seen), used)
    check(gate.verify().returncode == 0, "verify")


def stop_under_load(world):
    gate = world.gate
    actor = gate.actor("stop", "bulk")
    with Load(gate, actor) as load:
        time.sleep(0.7)
        code = gate.stop(timeout=15)
        check(code == 0, "exit %s: %s", code, gate.tail(300))
        gate.start()
        wait_for("service", lambda: served(gate, actor))
    r = gate.verify()
    check(r.returncode == 0, "verify: %s", (r.stdout + r.stderr)[-300:])
    return "%d seen, %d sealed" % (len(load.seen),
                                   account(gate, actor, load))


def ledger_stopped(world):
    """The ledger does not answer: personal data waits, it does not pass."""
    gate = world.gate
    actor = gate.actor("frozen", "bulk")
    pid = gate.pids("ledger")[0]
    with gate.connect(actor, timeout=3) as w:
        w.query("SELECT name FROM customers WHERE customer_id = 1")
        os.kill(pid, signal.SIGSTOP)
        try:
            w.messages.clear()
            w.send("Q", b"SELECT name FROM customers WHERE customer_id = 2\0")
            try:
                r = w.until("Z")
                check(r.errors or r.closed, "released without the ledger")
            except socket.timeout:
                pass
            check(not people.find(b"".join(b for t, b in w.messages)),
                  "a person passed")
        finally:
            os.kill(pid, signal.SIGCONT)
    wait_for("service", lambda: served(gate, actor), 30)


# -- the server ------------------------------------------------------------------

def server_dies(world, how):
    """PostgreSQL ends in the middle of a result; then it comes back."""
    gate, pg = world.gate, world.pg
    actor = gate.actor("server-" + how.name.lower(), "bulk")
    pids = sorted(gate.pids())
    w = gate.connect(actor)
    w.send("Q", b"SELECT name, pg_sleep(0.001) FROM customers\0")
    for _ in range(20):
        w.read()
    pg.stop(how)
    r = w.until("Z")
    check(r.errors or r.closed, "a short result looks complete")
    w.sock.close()
    state = None
    try:
        with gate.connect(actor) as w:
            r = w.query("SELECT 1")
            check(r.errors or r.closed, "an answer from nowhere")
    except AuthError as e:
        state = e.fields.get("C")
        check(state[:2] in ("08", "57", "53"), "%s", e)
    except Closed:
        pass
    pg.start()
    wait_for("service", lambda: served(gate, actor), 30, 0.2)
    check(sorted(gate.pids()) == pids, "processes of the gate died")
    return "says %s while it is down" % state


def backend_dies(world):
    gate = world.gate
    actor = gate.actor("backend", "bulk")
    with gate.connect(actor) as w:
        w.send("Q", b"SELECT name, pg_sleep(0.002) FROM customers\0")
        for _ in range(20):
            w.read()
        world.pg.psql("crm", "SELECT pg_terminate_backend(pid) FROM "
                      "pg_stat_activity WHERE query LIKE '%pg_sleep(0.002)%' "
                      "AND pid <> pg_backend_pid()")
        r = w.until("Z")
        check(r.sqlstate == "57P01" or r.closed, "%s", r.error)
    check(served(gate, actor), "others")


def all_backends_die(world):
    """Also the gate's own connections: it opens them again."""
    gate = world.gate
    actor = gate.actor("backends", "bulk")
    for _ in range(3):
        world.pg.psql("postgres", "SELECT pg_terminate_backend(pid) FROM "
                      "pg_stat_activity WHERE usename LIKE 'kuraban%'")
        wait_for("service", lambda: served(gate, actor), 20, 0.1)


def server_hangs(world):
    """A server that does not answer keeps only its own clients waiting."""
    gate = world.gate
    actor = gate.actor("hang", "bulk")
    a = gate.connect(actor, timeout=3)
    pid = a.query("SELECT pg_backend_pid()").value
    os.kill(int(pid), signal.SIGSTOP)
    try:
        a.send("Q", b"SELECT name FROM customers\0")
        check(served(gate, actor), "others wait too")
        a.abort()
    finally:
        os.kill(int(pid), signal.SIGCONT)


def database_dropped(world):
    gate = world.gate
    actor = gate.actor("dropped", "bulk")
    world.pg.psql("postgres", "CREATE DATABASE brief; GRANT ALL ON DATABASE "
                  "brief TO kuraban_gate")

    def up():
        try:
            with gate.connect(actor, "brief") as w:
                return w.query("SELECT 1").value == "1"
        except (AuthError, Closed):
            return False
    wait_for("the database", up, 30, 0.3)
    w = gate.connect(actor, "brief")
    world.pg.psql("postgres", "DROP DATABASE brief WITH (FORCE)")
    r = w.query("SELECT 1")
    check(r.errors or r.closed, "an answer from a dropped database")
    w.sock.close()
    try:
        gate.connect(actor, "brief").close()
        raise Failure("a session on a dropped database")
    except AuthError as e:
        check(e.fields["C"] in ("3D000", "08006", "08001", "57P03", "08004"),
              "%s", e)
    except Closed:
        pass
    check(served(gate, actor), "other databases")


# -- the disk -----------------------------------------------------------------------

def small_disk(top, megabytes):
    """A file system of its own; its mount point, or Skip."""
    if os.getuid():
        raise Skip("needs root")
    where, image = top + "/disk", top + "/disk.img"
    os.makedirs(where)
    with open(image, "wb") as f:
        f.truncate(megabytes << 20)
    tries = (["mkfs.ext4", "-q", "-F", "-m", "0", image],
             ["mount", "-o", "loop", image, where])
    if all(subprocess.run(t, capture_output=True).returncode == 0
           for t in tries):
        return where
    r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % megabytes,
                        "tmpfs", where], capture_output=True)
    if r.returncode:
        raise Skip("cannot mount a small file system")
    return where


def disk_full(world):
    top = tempfile.mkdtemp(prefix="kuraban-disk-")
    os.chmod(top, 0o755)
    where, gate = None, None
    try:
        where = small_disk(top, 256)
        gate = Gate(top, world.options.build, world.pg, workers=1,
                    state=where + "/state", low_water=32)
        gate.start()
        actor = gate.actor("full", "bulk")
        check(served(gate, actor), "with space")
        fill = where + "/fill"
        st = os.statvfs(where)
        subprocess.run(["dd", "if=/dev/zero", "of=" + fill, "bs=1M",
                        "count=%d" % (st.f_bavail * st.f_frsize >> 20)],
                       capture_output=True)
        seen, told = [], []

        def stops():
            try:
                with gate.connect(actor) as w:
                    r = w.query("SELECT name FROM customers WHERE "
                                "customer_id = %d" % (len(seen) + 2))
            except AuthError as e:	# not even a log-in is sealed
                told.append(e.fields)
                return e.fields["C"] == "KB005"
            seen.append(r)
            return r.sqlstate == "KB005"
        wait_for("KB005", stops, 20, 0.3)
        check(not seen or seen[-1].sqlstate != "KB005" or
              not people.find(b"".join(b for t, b in seen[-1].messages)),
              "a person with KB005")
        try:
            with gate.connect(actor) as w:
                r = w.query("SELECT count(*) FROM products")
                said = r.value or r.sqlstate
        except AuthError as e:
            said = str(e)
        for e in told + [r.error for r in seen if r.error]:
            check("ledger" in e["M"] and "nothing was released" in e["M"],
                  "is this understood? %s", e)
        with open(gate.log) as f:
            check("free space" in f.read(), "the operator is not told what to do")
        os.unlink(fill)
        wait_for("service with space again", lambda: served(gate, actor), 30,
                 0.5)
        used = gate.used(actor)
        shown = set()
        for r in seen:
            shown |= people.find(b"".join(b for t, b in r.messages))
        check(len(shown) <= used, "%d shown, %d sealed", len(shown), used)
        check(gate.verify().returncode == 0, "verify")
        return "open statements meanwhile: %s" % said
    finally:
        if gate:
            gate.stop()
            gate.kill()
        if where:
            subprocess.run(["umount", "-l", where], capture_output=True)
        shutil.rmtree(top, ignore_errors=True)


def two_serves(world):
    """A second one on the same state directory refuses and harms nothing."""
    gate = world.gate
    actor = gate.actor("two", "bulk")
    top = world.top + "/two"
    os.mkdir(top)
    second = Gate(top, world.options.build, world.pg, workers=1,
                  state=gate.state)
    try:
        second.start(timeout=20)
        second.stop()
        raise Failure("it started")
    except Failure as e:
        if str(e) == "it started":
            raise
        text = second.tail(500)
    check(second.process.poll() not in (0, None), "exit %s",
          second.process.poll())
    check(text.strip(), "it says nothing")
    check(served(gate, actor), "the first one")
    check(gate.verify().returncode == 0, "verify")
    return text.strip().splitlines()[-1][:120]


# -- clients ----------------------------------------------------------------------------

def slow_reader(world):
    """Clients that do not read hold their own result back, not memory."""
    gate = world.gate
    actor = gate.actor("slow", "bulk")
    before = sum(map(rss_bytes, gate.pids()))
    ws = []
    for sql in (b"SELECT repeat('x', 1000000) FROM generate_series(1, 2000)",
                b"SELECT name, repeat('x', 1000000) FROM customers",
                b"COPY (SELECT name, repeat('x', 1000000) FROM customers) "
                b"TO STDOUT") * 4:
        w = gate.connect(actor, rcvbuf=4096)
        w.send("Q", sql + b"\0")
        ws.append(w)
    peak = 0
    for _ in range(15):
        time.sleep(0.2)
        peak = max(peak, sum(map(rss_bytes, gate.pids())))
    check(served(gate, actor), "others wait")
    for w in ws:
        w.abort()
    check(peak - before < 192 << 20, "%d MB for 12 clients",
          (peak - before) >> 20)
    return "%d MB for 12 results of 1 to 2 GB" % ((peak - before) >> 20)


def stopped_client(world):
    """A real psql under SIGSTOP, continued later, gets everything."""
    gate = world.gate
    actor = gate.actor("stopped", "bulk")
    p = subprocess.Popen(
        [world.pg.bin + "/psql", "-X", "-A", "-t", "-c", "SELECT "
         "repeat('x', 100000), name FROM customers"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=dict(os.environ, PGHOST=gate.host, PGPORT=str(gate.port),
                 PGUSER=actor, PGPASSWORD=ACTOR_PASSWORD, PGDATABASE="crm",
                 PGSSLMODE="disable"))
    time.sleep(0.1)
    p.send_signal(signal.SIGSTOP)
    time.sleep(1)
    check(served(gate, actor), "others wait")
    p.send_signal(signal.SIGCONT)
    out, err = p.communicate(timeout=60)
    check(p.returncode == 0 and out.count(b"\n") == 1000, "%s", err)


def few_files(world):
    """A worker that may open few files refuses, and lives."""
    gate = world.gate
    actor = gate.actor("files", "bulk")
    old = {}
    for pid in gate.pids("gate"):
        try:
            old[pid] = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            n = len(os.listdir("/proc/%d/fd" % pid))
        except PermissionError:
            raise Skip("the gate's process cannot be inspected here") from None
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (n + 12, old[pid][1]))
    ws, refused = [], 0
    for _ in range(60):
        try:
            ws.append(gate.connect(actor, timeout=3))
        except (AuthError, Closed, OSError):
            refused += 1
            if refused > 4:
                break
    for w in ws:
        w.close()
    alive = gate.pids("gate")
    for pid, limit in old.items():
        if pid in alive:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
    wait_for("service", lambda: served(gate, actor), 20, 0.2)
    check(set(old) <= set(alive), "workers died")
    check(refused, "nothing was refused")


def body(suite, world):
    def case(name, what, fn, *args):
        suite.case(name, what, lambda: fn(world, *args))
    case("kill-gate", "kill -9 of a worker", kill, "gate", 5)
    case("kill-ledger", "kill -9 of the ledger", kill, "ledger", 5)
    case("kill-both", "kill -9 of a worker and the ledger", kill, "both", 3)
    case("kill-parent", "kill -9 of the parent", kill, "parent", 3)
    case("kill-all", "kill -9 of everything", kill, "all", 3)
    case("acknowledged", "kill -9 right after a row", acknowledged)
    case("stop", "SIGTERM under load", stop_under_load)
    case("ledger-stopped", "SIGSTOP of the ledger", ledger_stopped)
    case("server-fast", "PostgreSQL shuts down", server_dies, signal.SIGINT)
    case("server-immediate", "PostgreSQL shuts down at once", server_dies,
         signal.SIGQUIT)
    case("server-kill", "kill -9 of PostgreSQL", server_dies, signal.SIGKILL)
    case("backend-dies", "one server process ends", backend_dies)
    case("backends-die", "all server processes end", all_backends_die)
    case("server-hangs", "a server process does not answer", server_hangs)
    case("database-dropped", "DROP DATABASE", database_dropped)
    case("disk-full", "no space for the ledger", disk_full)
    case("two-serves", "two on one state directory", two_serves)
    case("slow-reader", "clients that do not read", slow_reader)
    case("stopped-client", "a stopped psql", stopped_client)
    case("few-files", "no file descriptors left", few_files)


BRIEF = """
database "brief" {
    upstream = "host=127.0.0.1 port=%d dbname=brief user=kuraban_gate password=%s"
    personal = "none"
}
"""


def main():
    suite = Suite(__doc__.splitlines()[0])
    if suite.options.direct:
        return "--direct has no meaning here"
    print("seed %d" % SEED)
    return suite.run(body, databases=lambda world: BRIEF % (
        world.pg.port, ROLE_PASSWORD))


if __name__ == "__main__":
    sys.exit(main())
