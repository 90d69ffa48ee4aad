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

# What is sent instead of (or before, when it returns "+") the server's answer.
TRICKS = {
    "length-0": message("D", b"", 0),
    "length-3": message("D", b"", 3),
    "length-negative": message("D", b"x" * 50, -1),
    "length-max": message("D", b"x" * 5000, 0x7fffffff),
    "unknown-type": message("!", b"x"),
    "type-nul": message("\0", b""),
    "frontend-type": message("Q", b"SELECT 1\0"),
    "error-twice": ERROR + ERROR + READY,
    "error-no-state": error((("S", b"ERROR"), ("V", b"ERROR"), ("M", b"made up"))) + READY,
    "error-short-state": error((("S", b"ERROR"), ("V", b"ERROR"), ("C", b"1"),
                                ("M", b"made up"))) + READY,
    "error-empty": message("E", b"\0") + READY,
    "error-no-body": message("E") + READY,
    "error-no-end": error((("S", b"ERROR"), ("V", b"ERROR"), ("C", b"22012"),
                           ("M", b"made up")), b"") + READY,
    "error-large": error((("S", b"ERROR"), ("V", b"ERROR"), ("C", b"22012"),
                          ("M", b"x" * (9 << 20)))) + READY,
    "row-before-description": ROW + READY,
    "row-names": ROW * 50,
    "row-count": message("D", struct.pack("!H", 65535)),
    "row-cell-long": message("D", struct.pack("!HI", 1, 1000) + b"x"),
    "row-cell-negative": message("D", struct.pack("!Hi", 1, -5)),
    "row-short": message("D", b"\0"),
    "description-short": message("T", struct.pack("!H", 3) + b"x\0"),
    "description-many": message("T", struct.pack("!H", 65535)),
    "description-none": message("T", struct.pack("!H", 0)) +
    message("D", struct.pack("!H", 0)),
    "ready-twice": READY + READY,
    "complete-alone": message("C", b"SELECT 1\0") + READY,
    "complete-no-nul": message("C", b"SELECT 1") + READY,
    "copy-out": message("H", b"\0\0\1\0\0") + message("d", NAMES + b"\n") +
    message("c") + message("C", b"COPY 1\0") + READY,
    "copy-in": message("G", b"\0\0\1\0\0"),
    "copy-both": message("W", b"\0\0\1\0\0"),
    "copy-data": message("d", NAMES + b"\n"),
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
    "suspended": message("s"),
    "parameter-description": message("t", struct.pack("!H", 60000)),
    "garbage": bytes(range(256)) * 20,
    "tls-alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "notice-flood": None,
    "parameter-flood": None,
    "close": None,
    "reset": None,
    "half-message": None,
}
# After these the rest of the server's true answer follows.
BEFORE = {"new-key", "parameter-data", "notification", "notice-data",
          "notice-flood", "parameter-flood", "ready-twice", "row-names",
          "parse-complete", "no-data", "parameter-short",
          "notification-short", "notice-short", "negotiate",
          "authentication-ok"}
# In the middle of rows, not before their description.
IN_ROWS = {"row-names", "row-count", "row-cell-long", "row-cell-negative",
           "row-short", "copy-data", "suspended", "ready-bad-state"}
# The bytes of rows of a free statement are passed as they come.
ROWS = {"row-before-description", "row-count", "row-cell-long",
        "row-cell-negative", "row-short", "description-none", "half-message"}
# These are no breach: PostgreSQL may send them at any time.
ALLOWED = {"row-names", "copy-out", "complete-alone", "notification", "notice-data", "notice-flood", "parameter-flood",
           "parameter-data", "error-large", "close", "reset"}


class Middle(threading.Thread):
    """Relays to PostgreSQL until it is told to play a trick."""

    def __init__(self):
        super().__init__(daemon=True)
        self.pg = None
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port),
                                             backlog=64)
        self.login = None	# a function(socket, startup) instead of a relay
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
            Relay(s, up).run()
        except (OSError, EOFError, struct.error):
            pass
        finally:
            s.close()


class Relay:
    """One connection; forward() and backward() in two threads."""

    def __init__(self, client, server):
        self.client, self.server = client, server
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
                # Not the Parse by which the gate asks for the tree.
                if head[:1] == b"Q" and b"trick:" in body:
                    self.trick = body.split(b"trick:")[1].split(b" ")[0] \
                        .decode()
                self.server.sendall(head + body)
        except (OSError, EOFError):
            try:
                self.server.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def backward(self):
        while True:
            head = recvn(self.server, 5)
            size = struct.unpack("!I", head[1:])[0]
            body = recvn(self.server, size - 4)
            kinds = "D" if self.trick in IN_ROWS else "DCTHE"
            if self.trick in TRICKS and chr(head[0]) in kinds:
                name, self.trick = self.trick, None
                if self.play(name):
                    return
                if name not in BEFORE:
                    continue
            self.client.sendall(head + body)

    def play(self, name):
        """True: nothing follows."""
        c = self.client
        if name == "notice-flood":
            notice = message("N", b"SNOTICE\0VNOTICE\0C00000\0Mflood %s\0\0" %
                             (b"x" * 1000)) * 100
            for _ in range(500):
                c.sendall(notice)
        elif name == "parameter-flood":
            for i in range(200):
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
            if name not in BEFORE:
                time.sleep(0.3)
                return True
        return False


def recvn(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def trick(world, name, sql):
    actor = world.gate.actor(ACTOR + "-" + name + str(len(sql)), "operator")
    w = world.gate.connect(actor, "middle", timeout=20)
    w.query("SELECT 1")
    start = len(w.messages)
    try:
        r = w.query(sql % ("/* trick:%s */" % name))
    except socket.timeout:
        raise Failure("the client hangs") from None
    except Closed:
        r = None
    breach = not (r is None or r.closed or r.errors)
    if breach:
        try:
            later = w.query("SELECT 2")
            breach = not (later.closed or later.errors)
        except (Closed, socket.timeout):
            breach = False
    w.sock.close()
    blob = b"\n".join(b for t, b in w.messages[start:])
    seen = people.find(blob)
    used = world.gate.used(actor)
    # Of a free statement the server may say what it likes: it is trusted there.
    if "customers" in sql:
        check(len(seen) <= used, "saw %s, %d charged", sorted(seen), used)
    if name not in ALLOWED:
        check(not breach, "the breach passed: %s", r and r.messages[-3:])
    return "closed" if r is None or r.closed else r.sqlstate or "passed"


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


LOGINS = (
    ("trust", "no authentication at all, then nothing true",
     says(auth(0) + GREETING, then=1)),
    ("cleartext", "asks for the password in clear", says(auth(3))),
    ("md5", "asks for MD5", says(auth(5, b"salt"))),
    ("gss", "asks for GSSAPI", says(auth(7))),
    ("unknown", "an unknown method", says(auth(99))),
    ("sasl-none", "SASL without a mechanism", says(auth(10, b"\0"))),
    ("sasl-other", "SASL without SCRAM", says(auth(10, b"PLAIN\0\0"))),
    ("sasl-no-end", "a list of mechanisms without an end",
     says(auth(10, b"SCRAM-SHA-256"))),
    ("scram-signature", "a wrong server signature", scram_first()),
    ("scram-long-nonce", "a nonce of 100 kB", scram_first(
        nonce=b"x" * 100000)),
    ("scram-iterations-0", "0 iterations", scram_first(iterations=b"0")),
    ("scram-iterations-max", "2^31 iterations",
     scram_first(iterations=b"2147483647")),
    ("scram-iterations-text", "iterations are no number",
     scram_first(iterations=b"many")),
    ("scram-iterations-long", "a number of 1000 digits",
     scram_first(iterations=b"9" * 1000)),
    ("scram-salt", "a salt that is not base64", scram_first(salt=b"%%%")),
    ("scram-salt-long", "a salt of 100 kB", scram_first(salt=b"QUFB" * 25000)),
    ("scram-nonce", "another nonce", scram_first(nonce=b"-")),
    ("scram-extension", "an extension it must refuse",
     scram_first(extra=b",m=x")),
    ("error-no-state", "an error without SQLSTATE",
     says(error((("S", b"FATAL"), ("M", b"no"))))),
    ("error-empty", "an empty error", says(message("E", b"\0"))),
    ("close", "closes at once", says(then=0)),
    ("garbage", "bytes of no protocol", says(bytes(range(255, 0, -1)) * 10)),
    ("http", "an HTTP answer", says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    ("length", "a message of 2 GB", says(b"R" + struct.pack("!I", 0x7fffffff)
                                         + b"x" * 10000)),
    ("rows", "rows before the login ends", says(ROW * 10)),
    ("silent", "says nothing for ever", says(then=40)),
)


def login(world, middle, play):
    """The gate tells its client, quickly, and stays in service."""
    actor = world.gate.actor(ACTOR, "bulk")
    pids = world.gate.pids()
    before = sum(map(rss_bytes, pids))
    middle.login = play
    start = time.monotonic()
    try:
        w = world.gate.connect(actor, "middle", timeout=45)
        r = w.query("SELECT name FROM customers")
        check(r.errors or r.closed, "served: %s", r.messages[:3])
        check(not people.find(b"".join(b for t, b in r.messages)), "rows")
        state = r.sqlstate or "closed"
        w.sock.close()
    except AuthError as e:
        state = e.fields.get("C")
        check(state and state != "28P01", "says that the client's password "
              "is wrong: %s", e)
    except Closed:
        state = "closed"
    except socket.timeout:
        raise Failure("the client waits for ever") from None
    finally:
        middle.login = None
    took = time.monotonic() - start
    more = sum(map(rss_bytes, world.gate.pids())) - before
    check(more < 64 << 20, "%d MB", more >> 20)
    return "%s after %.1f s" % (state, took)


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
    middle = world.middle if world else None

    def case(name, what, fn, incident=False):
        def run():
            with Watch(world, incident):
                return fn()
        suite.case(name, what, run)
    case("start", "through the man in the middle", lambda: back(world))
    for name in TRICKS:
        case("free-" + name, "in a free statement",
             lambda n=name: trick(world, n, "SELECT title FROM products %s"),
             name not in ALLOWED | ROWS)
        case("personal-" + name, "in a personal statement",
             lambda n=name: trick(world, n, "SELECT name FROM customers %s"))
    for name, what, play in LOGINS:
        case("login-" + name, what, lambda p=play: login(world, middle, p))
        case("back-" + name, "serves again", lambda: back(world))


def main():
    suite = Suite(__doc__.splitlines()[0])
    if suite.options.direct:
        return "--direct has no meaning here"
    middle = Middle()
    database = ('database "middle" {\n    upstream = "host=127.0.0.1 port=%d '
                'dbname=crm user=kuraban_gate password=%s"\n%s}\n'
                % (middle.port, ROLE_PASSWORD, TABLES))

    def prepare(world):
        middle.pg = world.pg
        world.middle = middle
    return suite.run(body, prepare=prepare, databases=database)


if __name__ == "__main__":
    sys.exit(main())
