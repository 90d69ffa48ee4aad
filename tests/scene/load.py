#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many, slow, vanished and huge: the gate's memory and files stay bounded.

Storms of connections and of cancels, idle crowds, clients that never read or
never finish their login, values of a gigabyte, a server that restarts under open
transactions, one client too many. KURABAN_LONG=1 makes the numbers full size.
"""
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import threading
import time

from scene import check, no_sessions, wait_for

from harness import (ACTOR_PASSWORD, Failure, Gate, Skip, Suite, at_once,
                     free_port, rss_bytes)
from wire import AuthError, Closed, Wire, cancel

LONG = os.environ.get("KURABAN_LONG") == "1"
LOGIN_S = 2
ACTOR = "crowd"
MB = 1 << 20


def long_or(full, short):
    return full if LONG else short


class Idle(threading.Thread):
    """A server that lets everybody in and answers nothing more."""

    HELLO = b"".join(k + struct.pack("!I", len(b) + 4) + b for k, b in (
        (b"R", struct.pack("!I", 0)), (b"S", b"server_version\x0015.0\0"),
        (b"S", b"client_encoding\0UTF8\0"), (b"K", struct.pack("!II", 1, 2)),
        (b"Z", b"I")))

    def __init__(self):
        super().__init__(daemon=True)
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port),
                                             backlog=1024)
        self.listener.setblocking(False)
        self.start()

    def run(self):
        sel = selectors.DefaultSelector()
        sel.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, _ in sel.select():
                if key.fileobj is self.listener:
                    s, _ = self.listener.accept()
                    sel.register(s, selectors.EVENT_READ, "new")
                    continue
                s = key.fileobj
                try:
                    data = s.recv(65536)
                    if data and key.data == "new":
                        s.sendall(self.HELLO)
                        sel.modify(s, selectors.EVENT_READ, "in")
                except OSError:
                    data = b""
                if not data:
                    sel.unregister(s)
                    s.close()


def files(gate):
    return sum(len(os.listdir("/proc/%d/fd" % p)) for p in gate.pids("gate"))


class Peak:
    """The most that any gate process grew by, from /proc (reset at the start)."""

    def __init__(self, gate):
        self.gate = gate

    def __enter__(self):
        self.before = {}
        for p in self.gate.pids("gate"):
            with open("/proc/%d/clear_refs" % p, "w") as f:
                f.write("5")
            self.before[p] = rss_bytes(p)
        return self

    def __exit__(self, *_):
        self.bytes = 0
        for p, was in self.before.items():
            with open("/proc/%d/status" % p) as f:
                hwm = [int(x.split()[1]) for x in f if x.startswith("VmHWM")][0]
            self.bytes = max(self.bytes, (hwm << 10) - was)

    def below(self, limit):
        check(self.bytes < limit, "%.1f MB more", self.bytes / MB)
        return "%.1f MB more" % (self.bytes / MB)


def served(gate, database="crm"):
    with gate.connect(gate.actor("probe", "bulk"), database, timeout=10) as w:
        check(w.query("SELECT 1").value == "1", "others are not served")


def idle_crowd(world):
    gate, n = world.gate, long_or(2000, 400)
    actor = gate.actor(ACTOR, "bulk")

    def memory():
        return (sum(map(rss_bytes, gate.pids("gate"))),
                sum(map(rss_bytes, gate.pids("ledger"))))
    said = []
    for database in ("idle", "idle_open"):
        warm = [gate.connect(actor, database) for _ in range(20)]
        before = memory()
        ws = at_once([lambda: [gate.connect(actor, database)
                               for _ in range(n // 8)] for _ in range(8)])
        after = memory()
        each = [(b - a) / n / 1024 for a, b in zip(before, after)]
        for w in warm + [w for block in ws for w in block]:
            w.close()
        said.append("%s: gate %.1f, ledger %.1f KiB each" % (
            database, *each))
        check(each[0] <= 16 and each[1] <= 8, "%s", said)
    return "%d clients, %s" % (n, "; ".join(said))


def storm(world):
    """Connections that come and go as fast as they can."""
    gate, n = world.gate, long_or(10000, 2000)
    wait_for("files of the last case", lambda: files(gate) < 200, 10)
    before = files(gate)
    seconds = []

    def some(kind):
        start = time.monotonic()
        for i in range(n // 4):
            s = socket.create_connection((gate.host, gate.port), 10)
            if kind == 1:
                s.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")	# SSLRequest
            elif kind == 2:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            elif kind == 3:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
            s.close()
        seconds.append(time.monotonic() - start)
    with Peak(gate) as peak:
        at_once([lambda k=k: some(k) for k in range(4)])
        served(gate)
    wait_for("files to be closed", lambda: files(gate) <= before + 4, 10)
    return "%.0f a second, %s" % (n / max(seconds), peak.below(16 * MB))


def cancel_storm(world):
    """Right keys, wrong keys and late ones, many times."""
    gate, n = world.gate, long_or(2000, 300)
    actor = gate.actor(ACTOR, "bulk")
    ws = [gate.connect(actor) for _ in range(10)]
    before = files(gate)
    for w in ws:
        w.send("Q", b"SELECT pg_sleep(30)\0")
    keys = [struct.unpack("!II", w.key) for w in ws]
    time.sleep(0.2)
    with Peak(gate) as peak:
        start = time.monotonic()

        def shoot(i):
            for k in range(n // 10):
                pid, secret = keys[(i + k) % len(keys)]
                cancel(ws[0].address, pid, secret ^ (k % 3 == 2))
        at_once([lambda i=i: shoot(i) for i in range(10)])
        took = time.monotonic() - start
        for w in ws:
            r = w.until("Z")
            check(r.sqlstate == "57014", "%s", r.error)
        for w in ws:	# and none of them comes late
            for _ in range(3):
                r = w.query("SELECT 1")
                check(r.value == "1" or r.sqlstate == "57014", "%s", r.error)
            check(w.query("SELECT 2").value == "2", "cancelled without being "
                  "asked")
            w.close()
    no_sessions(world)
    wait_for("files to be closed", lambda: files(gate) <= before, 10)
    return "%d in %.1f s, %s" % (n, took, peak.below(16 * MB))


def never_reads(database, sql, limit):
    """The server has a gigabyte for a client that does not take it."""
    def run(world):
        gate = world.gate
        actor = gate.actor(ACTOR, "bulk")
        with Peak(gate) as peak:
            w = gate.connect(actor, database, rcvbuf=4096)
            w.send("Q", sql + b"\0")
            time.sleep(2)
            served(gate, database)
            w.abort()
        no_sessions(world)
        return peak.below(limit)
    return run


def huge_value(database, personal=False):
    def run(world):
        gate, n = world.gate, long_or(1000000000, 200000000)
        actor = gate.actor(ACTOR, "bulk")
        w = gate.connect(actor, database, timeout=60)
        with Peak(gate) as peak:
            if personal:
                r = w.query("SELECT left(repeat(name, 9000000), %d) FROM customers "
                            "WHERE customer_id = 1" % (30 * MB))
                check(r.ok() and len(r.rows[0][0]) == 30 * MB, "%s", r.error)
                r = w.query("SELECT repeat(name, 9000000) FROM customers "
                            "WHERE customer_id = 1")
                check(r.sqlstate == "54000", "%s", r.error)
                check("32 MiB" in r.error["M"], "%s", r.error)
                check(not r.rows, "rows")
            else:
                w.send("Q", b"SELECT repeat('x', %d)\0" % n)
                got, last = 0, b""
                while not last.endswith(b"Z\0\0\0\5I"):
                    data = w.sock.recv(MB)
                    check(data, "closed after %d", got)
                    got += len(data)
                    last = (last + data)[-16:]
                check(n < got < n + 200, "%d bytes of %d", got, n)
                check(w.query("SELECT 1").value == "1", "goes on")
        w.sock.close()
        served(gate, database)
        return peak.below((100 if personal else 8) * MB)
    return run


def keepalive(world):
    """Both sides of an idle session are probed within a minute."""
    gate = world.gate
    with gate.connect(gate.actor(ACTOR, "bulk")) as w:
        ours = w.sock.getsockname()[1]
        check(w.query("SELECT 1").value == "1", "a session")
        time.sleep(0.3)
        found = {"client": [], "server": []}
        with open("/proc/net/tcp") as f:
            for line in f.readlines()[1:]:
                x = line.split()
                local, remote = (int(a.split(":")[1], 16) for a in x[1:3])
                timer, when = (int(v, 16) for v in x[5].split(":"))
                if (local, remote) == (gate.port, ours):
                    found["client"].append((timer, when))
                elif remote == world.pg.port and x[3] == "01":
                    found["server"].append((timer, when))
        ticks = os.sysconf("SC_CLK_TCK")
        for side, timers in found.items():
            check(timers, "no connection of the %s in /proc/net/tcp", side)
            for timer, when in timers:
                check(timer == 2 and when <= 60 * ticks, "%s: timer %d in %d s",
                      side, timer, when // ticks)
    return "%d connections" % sum(map(len, found.values()))


def vanished(world):
    """A client that is gone without a word, in a statement and outside."""
    if not LONG:
        raise Skip("takes 70 s: KURABAN_LONG=1")
    gate = world.gate
    actor = gate.actor(ACTOR, "bulk")
    ws = [gate.connect(actor) for _ in range(2)]
    ws[0].send("Q", b"SELECT pg_sleep(600)\0")
    time.sleep(0.3)
    for w in ws:	# closed in repair mode, a socket says nothing
        try:
            w.sock.setsockopt(socket.IPPROTO_TCP, 19, 1)
        except OSError as e:
            raise Skip("TCP_REPAIR: %s" % e) from None
        w.sock.close()
    start = time.monotonic()
    no_sessions(world, 90)
    return "noticed after %.0f s" % (time.monotonic() - start)


def slow_login(world):
    """Whoever does not finish the login is told so, and out."""
    gate = world.gate
    actor = gate.actor(ACTOR, "bulk")
    before = files(gate)
    ws = [Wire(gate.host, gate.port, login=False, timeout=LOGIN_S + 3)
          for _ in range(40)]
    for i, w in enumerate(ws):
        if i % 4 == 1:
            w.raw(b"\0\0\0\x20\0\3\0\0user\0x")
        elif i % 4 >= 2:
            w.startup(actor, "crm")
            w.read()
        if i % 4 == 3:
            w.raw(b"p\0\0\0\x50SCRAM-SHA-256\0")
    served(gate)
    for w in ws:
        try:
            r = w.until("Z")
        except socket.timeout:
            raise Failure("still there after %d s" % (LOGIN_S + 3)) from None
        check(r.sqlstate == "57014", "%s", r.messages)
        w.sock.close()
    wait_for("files to be closed", lambda: files(gate) <= before, 5)


def server_restarts(world):
    """Open transactions end with an error, and nothing of them is kept."""
    gate, pg = world.gate, world.pg
    actor = gate.actor(ACTOR, "bulk")
    pids = gate.pids()
    ws = [gate.connect(actor) for _ in range(12)]
    for i, w in enumerate(ws):
        w.query("BEGIN")
        r = w.query("UPDATE products SET price = 7777 WHERE product_id = %d"
                    % (i + 1))
        check(r.ok(), "%s", r.error)
    pg.stop(signal.SIGINT)
    pg.start()
    for i, w in enumerate(ws):
        r = w.query("COMMIT")
        check(r.closed, "a transaction goes on: %s", r.messages)
        check(not r.errors or r.sqlstate in ("57P01", "08006"), "%s", r.error)
        w.sock.close()

    def again():
        try:
            with gate.connect(actor, timeout=5) as w:
                return w.query("SELECT count(*) FROM products WHERE price = "
                               "7777").value == "0"
        except (AuthError, Closed):
            return False
    wait_for("service, without their changes", again, 30, 0.2)
    check(gate.pids() == pids, "processes died")


def too_many(world):
    """All workers together: the next client is told, and may come later."""
    top = world.top + "/few"
    os.mkdir(top)
    gate = Gate(top, world.options.build, world.pg, workers=3,
                extra="max_clients = 20")
    gate.start()
    try:
        actor = gate.actor(ACTOR, "bulk")
        ws = [gate.connect(actor) for _ in range(20)]
        for _ in range(5):
            try:
                gate.connect(actor)
                raise Failure("one more than max_clients")
            except AuthError as e:
                check(e.fields["C"] == "53300", "%s", e)
                check("max_clients" in e.fields.get("H", ""), "%s", e.fields)
        ws[0].send("Q", b"SELECT pg_sleep(30)\0")
        time.sleep(0.1)
        ws[0].cancel()
        check(ws[0].until("Z").sqlstate == "57014", "no cancel when full")
        os.kill(gate.pids("gate")[0], signal.SIGKILL)	# what it held is free
        wait_for("its clients to be gone", lambda: any(
            not alive(w) for w in ws), 5)
        for w in ws:
            w.sock.close()

        def room():
            try:
                with gate.connect(actor, timeout=5) as w:
                    return w.query("SELECT 1").ok()
            except (AuthError, Closed, OSError):
                return False
        wait_for("room again", room, 10)
        ws = []
        for _ in range(20):
            wait_for("a place", lambda: ws.append(gate.connect(actor)) or True)
        for w in ws:
            w.close()
    finally:
        gate.stop()
        gate.kill()


def alive(w):
    try:
        return w.query("SELECT 1").ok()
    except (Closed, OSError):
        return False


def body(suite, world):
    def case(name, what, fn):
        suite.case(name, what, lambda: fn(world))
    case("idle-crowd", "clients that are only there", idle_crowd)
    case("storm", "connections come and go", storm)
    case("cancel-storm", "cancels of ten sessions", cancel_storm)
    case("never-reads-free", "an open database", never_reads(
        "plain", b"SELECT repeat('x', 1000000) FROM generate_series(1, 1000)",
        8 * MB))
    case("never-reads-value", "one value of the size", never_reads(
        "plain", b"SELECT repeat('x', 100000000), repeat('y', 100000000)",
        8 * MB))
    case("never-reads-charged", "sealed rows", never_reads(
        "crm", b"SELECT name, repeat('x', 1000000) FROM customers", 16 * MB))
    case("huge-open", "a value through an open database", huge_value("plain"))
    case("huge-free", "in a free statement", huge_value("crm"))
    case("huge-personal", "a personal one has a limit",
         huge_value("crm", personal=True))
    case("keepalive", "half-open connections are probed", keepalive)
    case("vanished", "clients without a last word", vanished)
    case("slow-login", "logins that do not end", slow_login)
    case("server-restarts", "under open transactions", server_restarts)
    case("too-many", "max_clients is reached", too_many)


DATABASES = """
database "idle" {
    upstream = "host=127.0.0.1 port=%d dbname=x user=u sslmode=disable"
}
database "idle_open" {
    upstream = "host=127.0.0.1 port=%d dbname=x user=u sslmode=disable"
    personal = "none"
}
"""


def main():
    suite = Suite(__doc__.splitlines()[0])
    if suite.options.direct:
        return "--direct has no meaning here"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    idle = Idle()
    return suite.run(body, databases=DATABASES % (idle.port, idle.port),
                     extra="max_clients = 3000\nlogin_timeout = %d" % LOGIN_S)


if __name__ == "__main__":
    sys.exit(main())
