#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile servers: what the gate does when the other side breaks the protocol.

A man in the middle stands between the gate and a real PostgreSQL and turns
hostile when a client's statement names a trick. Each case ends with a clear
error at the client, no process dies, an `incident` is sealed and nobody sees a
row that was not charged.
"""
import base64
import socket
import struct
import sys
import threading
import time

from scene import Watch, check, wait_for

import people
from harness import ROLE_PASSWORD, TABLES, Failure, Suite, free_port, rss_bytes
from wire import SSL_REQUEST, AuthError, Closed

ACTOR = "victim"
LOGIN_S = 2		# connect_timeout of the database


def message(kind, body=b"", length=None):
    n = len(body) + 4 if length is None else length
    return kind.encode() + struct.pack("!I", n & 0xffffffff) + body


def error(fields, end=b"\0"):
    return message("E", b"".join(k.encode() + v + b"\0"
                                 for k, v in fields) + end)


ERROR = error((("S", b"ERROR"), ("V", b"ERROR"), ("C", b"22012"),
               ("M", b"made up")))
READY = message("Z", b"I")
NAMES = people.value(900, "name").encode()
ROW = message("D", struct.pack("!HI", 1, len(NAMES)) + NAMES)

# What is sent: at the first message of the server's answer, or, when its name is in
# IN_ROWS, at the first row. In BEFORE: then the true answer goes on; else it is
# dropped up to its end, and the connection stays.
FULL = ERROR + READY
TRICKS = {
    "length-0": message("D", b"", 0),
    "length-3": message("D", b"", 3),
    "length-negative": message("D", b"x" * 50, -1),
    "length-max": message("D", b"x" * 5000, 0x7fffffff),
    "unknown-type": message("!", b"x"),
    "type-nul": message("\0", b""),
    "frontend-type": message("Q", b"SELECT 1\0"),
    "error-twice": ERROR + FULL,
    "error-no-state": error((("S", b"ERROR"), ("V", b"ERROR"), ("M", b"made up"))) + READY,
    "error-short-state": error((("S", b"ERROR"), ("V", b"ERROR"), ("C", b"1"),
                                ("M", b"made up"))) + READY,
    "error-empty": message("E", b"\0") + READY,
    "error-no-body": message("E") + READY,
    "error-no-end": error((("S", b"ERROR"), ("V", b"ERROR"), ("C", b"22012"),
                           ("M", b"made up")), b"") + READY,
    "error-large": error((("S", b"ERROR"), ("V", b"ERROR"), ("C", b"22012"),
                          ("M", b"x" * (3 << 20)))) + READY,
    "row-before-description": ROW + message("C", b"SELECT 1\0") + READY,
    "row-names": ROW * 50,
    "row-count": message("D", struct.pack("!H", 65535)) + FULL,
    "row-cell-long": message("D", struct.pack("!HI", 1, 1000) + b"x") + FULL,
    "row-cell-negative": message("D", struct.pack("!Hi", 1, -5)) + FULL,
    "row-short": message("D", b"\0") + FULL,
    "description-short": message("T", struct.pack("!H", 3) + b"x\0") + FULL,
    "description-many": message("T", struct.pack("!H", 65535)) + FULL,
    "description-none": message("T", struct.pack("!H", 0)) +
    message("D", struct.pack("!H", 0)) + message("C", b"SELECT 1\0") + READY,
    "ready-twice": READY + READY,
    "row-after-complete": message("C", b"SELECT 1\0") + ROW + READY,
    "row-after-error": ERROR + ROW + READY,
    "complete-alone": message("C", b"SELECT 1\0") + READY,
    "complete-no-nul": message("C", b"SELECT 1") + READY,
    "copy-out": message("H", b"\0\0\1\0\0") + message("d", NAMES + b"\n") +
    message("c") + message("C", b"COPY 1\0") + READY,
    "copy-in": message("G", b"\0\0\1\0\0"),
    "copy-both": message("W", b"\0\0\1\0\0"),
    "copy-data": message("d", NAMES + b"\n") + FULL,
    "function-result": message("V", struct.pack("!I", len(NAMES)) + NAMES) +
    READY,
    "authentication": message("R", struct.pack("!I", 3)),
    "authentication-ok": message("R", struct.pack("!I", 0)),
    "new-key": message("K", b"\0\0\0\1\0\0\0\2"),
    "negotiate": message("v", struct.pack("!II", 2, 0)),
    "parameter-short": message("S", b"x"),
    "parameter-data": message("S", b"application_name\0" + NAMES + b"\0"),
    "notification": message("A", struct.pack("!I", 1) + b"c\0" + NAMES +
                            b"\0"),
    "notification-short": message("A", b"\0"),
    "notice-data": message("N", b"SNOTICE\0VNOTICE\0C00000\0M" + NAMES + b"\0\0"),
    "notice-short": message("N", b"S"),
    "ready-bad-state": message("Z", b"?"),
    "ready-empty": message("Z"),
    "parse-complete": message("1") * 5,
    "no-data": message("n") * 3,
    "suspended": message("s") + READY,
    "parameter-description": message("t", struct.pack("!H", 60000)),
    "garbage": bytes(range(256)) * 20,
    "tls-alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "notice-flood": None,
    "parameter-flood": None,
    "close": None,
    "reset": None,
    "half-message": None,
}
BEFORE = {"new-key", "parameter-data", "notification", "notice-data",
          "notice-flood", "parameter-flood", "ready-twice", "row-names",
          "parse-complete", "no-data", "parameter-short",
          "notification-short", "notice-short", "negotiate",
          "authentication-ok"}
IN_ROWS = {"row-names", "row-count", "row-cell-long", "row-cell-negative",
           "row-short", "copy-data", "suspended", "ready-bad-state"}

LATE = "ready-late"		# ReadyForQuery comes half a second after the rest

BROKEN = "FATAL 08P01"		# with an incident in the ledger
LOST = "FATAL 08006"
PASSES = "passes"
CUT = "ERROR 22012"

# What the gate must do, in a free statement, in a personal one, and while it asks
# for the tree of a personal one. Where nothing stands: BROKEN in all three.
EXPECTED = {
    # PostgreSQL may say these at any time. None of them shows a person who was not
    # charged: application_name is the gate's, a payload and a notice's text are
    # withheld.
    "parameter-data": (PASSES, PASSES, PASSES),
    "parameter-flood": (PASSES, PASSES, PASSES),
    "notification": (PASSES, PASSES, PASSES),
    "notice-data": (PASSES, PASSES, PASSES),
    "notice-flood": (PASSES, PASSES, PASSES),
    # An error may be of any length in PostgreSQL; the gate reads 1 MiB of it.
    "error-large": ("FATAL 54000", "FATAL 54000", "FATAL 54000"),
    # What is in the rows of a free statement is the server's own affair, and
    # passes as it comes; a client that cannot read it says so.
    "row-before-description": (PASSES, BROKEN, BROKEN),
    "row-names": (PASSES, BROKEN, BROKEN),
    "row-count": (CUT, BROKEN, BROKEN),
    "row-cell-long": (CUT, BROKEN, BROKEN),
    "row-cell-negative": (CUT, BROKEN, BROKEN),
    "row-short": (CUT, BROKEN, BROKEN),
    "description-none": (PASSES, BROKEN, BROKEN),
    # A result without rows is one.
    "complete-alone": (PASSES, PASSES, BROKEN),
    "close": (LOST, LOST, LOST),
    "reset": (LOST, LOST, LOST),
    # The rest of a free row would be taken from the error.
    "half-message": ("closed", LOST, LOST),
}
CONTEXTS = (
    # name, what, statement, messages of the gate after which the trick is played
    ("free", "in a free statement", "SELECT title FROM products", "Q"),
    ("personal", "in a personal statement", "SELECT name FROM customers WHERE "
     "customer_id BETWEEN %d AND 900", "Q"),
    ("judging", "while a statement is judged", "SELECT phone AS p%d FROM "
     "customers WHERE customer_id BETWEEN 1 AND 10", "P"),
)


class Middle(threading.Thread):
    """Relays to PostgreSQL until it is told to play a trick."""

    def __init__(self):
        super().__init__(daemon=True)
        self.pg = None
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port),
                                             backlog=64)
        self.login = None	# a function(socket, startup) instead of a relay
        self.armed = None	# the next trick, and after which message
        self.played = []
        self.start()

    def run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,),
                             daemon=True).start()

    def serve(self, s):
        try:
            head = recvn(s, 4)
            size = struct.unpack("!I", head)[0]
            packet = head + recvn(s, size - 4)
            if packet[4:] == struct.pack("!I", SSL_REQUEST):
                s.sendall(b"N")
                head = recvn(s, 4)
                size = struct.unpack("!I", head)[0]
                packet = head + recvn(s, size - 4)
            if self.login:
                self.login(s, packet)
                return
            up = socket.create_connection(("127.0.0.1", self.pg.port))
            up.sendall(packet)
            Relay(self, s, up, b"application_name\0kuraban\0" in packet).run()
        except (OSError, EOFError, struct.error):
            pass
        finally:
            s.close()


class Relay:
    """One connection; forward() and backward() in two threads."""

    def __init__(self, middle, client, server, side):
        self.middle, self.client, self.server = middle, client, server
        self.side = side	# the gate's own connection for the catalog
        self.trick = None

    def run(self):
        t = threading.Thread(target=self.forward, daemon=True)
        t.start()
        try:
            self.backward()
        except (OSError, EOFError):
            pass
        for s in (self.client, self.server):
            try:
                s.shutdown(socket.SHUT_RD)	# wakes forward()
            except OSError:
                pass
        t.join(5)
        self.client.close()
        self.server.close()

    def forward(self):
        try:
            while True:
                head = recvn(self.client, 5)
                size = struct.unpack("!I", head[1:])[0]
                body = recvn(self.client, size - 4)
                armed = self.middle.armed
                if armed and not self.side and chr(head[0]) == armed[1] and \
                        b" FROM " in body:
                    self.trick, self.middle.armed = armed[0], None
                self.server.sendall(head + body)
        except (OSError, EOFError):
            try:
                self.server.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def backward(self):
        drop = False
        while True:
            head = recvn(self.server, 5)
            size = struct.unpack("!I", head[1:])[0]
            body = recvn(self.server, size - 4)
            kind = chr(head[0])
            if self.trick == LATE:
                if kind == "Z":		# what the ledger says comes before
                    self.trick = None
                    self.middle.played.append(LATE)
                    time.sleep(0.5)
            elif self.trick and (self.trick not in IN_ROWS or kind in "DE1"):
                name, self.trick = self.trick, None
                self.middle.played.append(name)
                if self.play(name):
                    return
                drop = name not in BEFORE
            if not drop:
                self.client.sendall(head + body)
            elif kind == "Z":
                drop = False

    def play(self, name):
        """True: the connection ends."""
        c = self.client
        if name == "notice-flood":
            notice = message("N", b"SNOTICE\0VNOTICE\0C00000\0Mflood %s\0\0" %
                             (b"x" * 1000)) * 100
            for _ in range(160):		# 16 MB
                c.sendall(notice)
        elif name == "parameter-flood":
            for i in range(400):		# 16 MB
                c.sendall(message("S", b"p%d\0" % i + b"v" * 4000 + b"\0") *
                          10)
        elif name == "close":
            return True
        elif name == "reset":
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
            return True
        elif name == "half-message":
            c.sendall(message("D", b"x" * 1000)[:500])
            return True
        else:
            c.sendall(TRICKS[name])
        return False


def recvn(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def trick(world, number, name, context):
    """Plays it; the outcome is exactly what is expected."""
    where, _, sql, after = context
    expected = EXPECTED.get(name, (BROKEN,) * 3)[
        [c[0] for c in CONTEXTS].index(where)]
    middle, gate = world.middle, world.gate
    w = gate.connect(gate.actor(ACTOR + "-" + where, "bulk"), "middle",
                     timeout=20)
    pids = gate.pids()
    if "%d" in sql:		# a shape that was judged is not asked for again
        sql = sql % (800 + number)
    w.query("SELECT 1")
    start = len(w.messages)
    before = max(map(rss_bytes, gate.pids("gate")))
    middle.played, middle.armed = [], (name, after)
    try:
        r = w.query(sql)
        said = [e["S"] + " " + e["C"] for e in r.errors]
        if r.closed:
            said = said or ["closed"]
        else:
            later = w.query("SELECT 2")
            said += [e["S"] + " " + e["C"] for e in later.errors]
            check(later.errors or later.value == "2", "the next answer is %s",
                  later.messages)
    except socket.timeout:
        raise Failure("the client hangs") from None
    finally:
        middle.armed = None
    more = max(map(rss_bytes, gate.pids("gate"))) - before
    w.sock.close()
    check(middle.played == [name], "it was not played: %s", middle.played)
    outcome = said[-1] if said else PASSES
    check(outcome == expected, "%s, not %s", said or outcome, expected)
    check(gate.pids() == pids, "processes died")
    check(more < (128 if gate.sanitized else 16) << 20, "%d MB more", more >> 20)
    # Of a free statement the server may say what it likes: it is trusted there.
    if where != "free":
        world.seen |= people.find(b"\n".join(b for t, b in w.messages[start:]),
                                  deep=False)
    world.breaches += outcome == BROKEN
    return outcome


def late(world):
    """A change that the budget cuts is undone, though COMMIT is sent already (L2)."""
    middle, gate = world.middle, world.gate
    for i, sql in enumerate((
            "UPDATE /* FROM */ customers SET rank = 79 WHERE name > 'A'",
            "UPDATE /* FROM */ customers SET rank = 79 RETURNING name")):
        with gate.connect(gate.actor(ACTOR + "-late%d" % i), "middle",
                          timeout=20) as w:
            w.query("BEGIN")
            middle.played, middle.armed = [], (LATE, "Q")
            w.send("Q", sql.encode() + b"\0")
            w.send("Q", b"COMMIT\0")
            said = [b for t, b in w.until("Z", 2).messages if t in "EC"]
            check(middle.played == [LATE], "%s: played %s", sql, middle.played)
            check(b"KB001" in said[0], "%s: not cut: %s", sql, said)
            check(said[-1] == b"ROLLBACK\0", "%s: %s", sql, said)
            check(w.query("SELECT 3").value == "3", "the session lives")
        n = world.pg.psql("crm", "SELECT count(*) FROM customers WHERE rank = 79")
        check(n.strip() == "0", "%s: %s rows were written", sql, n.strip())


def accounts(world):
    """Nobody saw anybody who was not charged; each breach is an incident."""
    gate = world.gate
    used = {s for s in world.seen
            if any(h["actor"].startswith(ACTOR + "-") for h in gate.who(s, "middle"))}
    check(world.seen == used, "seen and not charged: %s", world.seen - used)
    check(world.seen, "nobody was ever seen")
    n = len([e for e in gate.entries(kind="incident") if e["what"] == "server"])
    check(n == world.breaches, "%d incidents, %d breaches", n, world.breaches)
    return "%d breaches, %d people seen" % (n, len(world.seen))


# -- servers that are hostile before the first statement -------------------------

def scram_first(extra=b"", iterations=b"4096", nonce=None, salt=None):
    """Answers SCRAM's first message in a hostile way, then says OK."""
    def run(s, packet):
        s.sendall(message("R", struct.pack("!I", 10) + b"SCRAM-SHA-256\0\0"))
        kind = recvn(s, 5)
        data = recvn(s, struct.unpack("!I", kind[1:])[0] - 4)
        client = data.split(b"r=", 1)[1]
        first = b"r=" + client + (b"server" if nonce is None else nonce)
        if nonce == b"-":
            first = b"r=somebodyelses"
        first += b",s=" + (salt or base64.b64encode(b"salt" * 4))
        first += b",i=" + iterations + extra
        s.sendall(message("R", struct.pack("!I", 11) + first))
        kind = recvn(s, 5)
        recvn(s, struct.unpack("!I", kind[1:])[0] - 4)
        s.sendall(message("R", struct.pack("!I", 12) + b"v=" +
                          base64.b64encode(b"x" * 32)))
        s.sendall(message("R", struct.pack("!I", 0)) + GREETING)
        time.sleep(5)
    return run


GREETING = (message("S", b"server_version\x0015.0\0") +
            message("S", b"client_encoding\0UTF8\0") +
            message("K", b"\0\0\0\1\0\0\0\2") + READY)


def says(*parts, then=3):
    def run(s, packet):
        for part in parts:
            s.sendall(part)
        time.sleep(then)
    return run


def auth(code, data=b""):
    return message("R", struct.pack("!I", code) + data)


# What the client is told: 08006 when the server breaks the protocol or leaves,
# 08001 when the gate does not want to log in that way.
LOGINS = (
    ("trust", "no authentication at all, then nothing true", "08006",
     says(auth(0) + GREETING, then=0.2)),
    ("cleartext", "asks for the password in clear", "08006", says(auth(3))),
    ("md5", "asks for MD5, then leaves", "08006", says(auth(5, b"salt"), then=0.2)),
    ("gss", "asks for GSSAPI", "08001", says(auth(7))),
    ("unknown", "an unknown method", "08001", says(auth(99))),
    ("sasl-none", "SASL without a mechanism", "08001", says(auth(10, b"\0"))),
    ("sasl-other", "SASL without SCRAM", "08001", says(auth(10, b"PLAIN\0\0"))),
    ("sasl-no-end", "a list of mechanisms without an end", "08001",
     says(auth(10, b"SCRAM-SHA-256"))),
    ("scram-signature", "a wrong server signature", "08001", scram_first()),
    ("scram-long-nonce", "a nonce of 100 kB", "08006", scram_first(
        nonce=b"x" * 100000)),
    ("scram-nonce-4k", "a nonce of 4 kB", "08001", scram_first(nonce=b"x" * 4096)),
    ("scram-iterations-0", "0 iterations", "08001", scram_first(iterations=b"0")),
    ("scram-iterations-max", "2^31 iterations", "08001",
     scram_first(iterations=b"2147483647")),
    ("scram-iterations-text", "iterations are no number", "08001",
     scram_first(iterations=b"many")),
    ("scram-iterations-long", "a number of 1000 digits", "08001",
     scram_first(iterations=b"9" * 1000)),
    ("scram-salt", "a salt that is not base64", "08001", scram_first(salt=b"%%%")),
    ("scram-salt-long", "a salt of 100 kB", "08006",
     scram_first(salt=b"QUFB" * 25000)),
    ("scram-nonce", "another nonce", "08001", scram_first(nonce=b"-")),
    ("scram-extension", "an extension it must refuse", "08001",
     scram_first(extra=b",m=x")),
    ("error-no-state", "an error without SQLSTATE", "08006",
     says(error((("S", b"FATAL"), ("M", b"no"))))),
    ("error-empty", "an empty error", "08006", says(message("E", b"\0"))),
    ("close", "closes at once", "08006", says(then=0)),
    ("garbage", "bytes of no protocol", "08006",
     says(bytes(range(255, 0, -1)) * 10)),
    ("http", "an HTTP answer", "08006", says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    ("length", "a message of 2 GB", "08006",
     says(b"R" + struct.pack("!I", 0x7fffffff) + b"x" * 10000)),
    ("rows", "rows before the login ends", "08006", says(ROW * 10)),
    ("silent", "says nothing for ever", "08001", says(then=40)),
)


def login(world, play, expected):
    """The gate tells its client, quickly, and stays in service."""
    gate, middle = world.gate, world.middle
    actor = gate.actor(ACTOR, "bulk")
    before = sum(map(rss_bytes, gate.pids()))
    middle.login = play
    start = time.monotonic()
    try:
        w = gate.connect(actor, "middle", timeout=20)
        r = w.query("SELECT name FROM customers")
        check(r.errors or r.closed, "served: %s", r.messages[:3])
        check(not people.find(b"".join(b for t, b in r.messages)), "rows")
        state = r.sqlstate
        w.sock.close()
    except AuthError as e:
        state = e.fields.get("C")
    except socket.timeout:
        raise Failure("the client waits for ever") from None
    finally:
        middle.login = None
    took = time.monotonic() - start
    check(state == expected, "%s, not %s", state, expected)
    check(took < LOGIN_S + 1, "after %.1f s", took)
    more = sum(map(rss_bytes, gate.pids())) - before
    check(more < (64 if gate.sanitized else 8) << 20, "%d MB", more >> 20)


def back(world):
    """A true server again: the gate serves by itself."""
    actor = world.gate.actor(ACTOR, "bulk")

    def served():
        try:
            with world.gate.connect(actor, "middle") as w:
                return w.query("SELECT name FROM customers "
                               "WHERE customer_id = 1").ok()
        except (AuthError, Closed):
            return False
    wait_for("service", served, 30, 0.5)


def body(suite, world):
    case = suite.case

    def watched(fn):
        with Watch(world):
            return fn()
    case("start", "through the man in the middle", lambda: back(world))
    for context in CONTEXTS:
        for number, name in enumerate(TRICKS):
            case("%s-%s" % (context[0], name), context[1],
                 lambda a=number, n=name, c=context: trick(world, a, n, c))
    case(LATE, "a cut before ReadyForQuery", lambda: watched(lambda: late(world)))
    case("accounts", "people and incidents", lambda: accounts(world))
    for name, what, state, play in LOGINS:
        case("login-" + name, what, lambda p=play, x=state: watched(
            lambda: login(world, p, x)))
    case("back", "serves again", lambda: back(world))


def main():
    suite = Suite(__doc__.splitlines()[0])
    if suite.options.direct:
        return "--direct has no meaning here"
    middle = Middle()
    database = ('database "middle" {\n    upstream = "host=127.0.0.1 port=%d '
                'dbname=crm user=kuraban_gate password=%s connect_timeout=%d"\n%s}\n'
                % (middle.port, ROLE_PASSWORD, LOGIN_S, TABLES))

    def prepare(world):
        middle.pg = world.pg
        world.middle, world.seen, world.breaches = middle, set(), 0
    return suite.run(body, prepare=prepare, databases=database)


if __name__ == "__main__":
    sys.exit(main())
