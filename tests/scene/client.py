#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile clients: raw bytes at every step of the protocol.

Each case ends with a clear error or a closed connection; no process of the gate
dies of it and nobody else notices (L5, L10).
"""
import socket
import struct
import sys
import time

from scene import Watch, check, no_sessions

from harness import (ACTOR_PASSWORD, Failure, Suite, at_once, rss_bytes)
from wire import (GSSENC_REQUEST, PROTOCOL_3_0, SSL_REQUEST, AuthError, Closed,
                  Result, Wire, cancel, fields, preamble)

ACTOR = "hostile"


def naked(world, **kw):
    """Connected, nothing said."""
    return Wire(world.gate.host, world.gate.port, login=False, timeout=15,
                **kw)


def session(world, **kw):
    return world.gate.connect(ACTOR, **kw)


def startup_packet(pairs, protocol=PROTOCOL_3_0, end=b"\0"):
    body = struct.pack("!I", protocol)
    for k, v in pairs:
        body += k.encode() + b"\0" + v.encode() + b"\0"
    body += end
    return struct.pack("!I", len(body) + 4) + body


def ends(w, states=None):
    """An error, or at least a closed connection; within the time-out."""
    try:
        r = w.until("EZ")
    except socket.timeout:
        raise Failure("the connection hangs") from None
    if r.errors:
        check(not states or r.sqlstate in states, "SQLSTATE %s: %s",
              r.sqlstate, r.error.get("M"))
        check(r.error.get("M"), "an error without a message")
    else:
        check(r.closed, "no error: %s", r.messages[-3:])
    return r


# -- before the start -----------------------------------------------------------

def ssl_twice(world):
    w = naked(world)
    w.raw(struct.pack("!II", 8, SSL_REQUEST))
    check(w.sock.recv(1) == b"N", "no TLS here")
    w.raw(struct.pack("!II", 8, SSL_REQUEST))
    ends(w)
    w.sock.close()


def gss(world):
    check(preamble(w_address(world), GSSENC_REQUEST) == b"N", "GSSENCRequest")
    w = naked(world)
    for code in (GSSENC_REQUEST, SSL_REQUEST):
        w.raw(struct.pack("!II", 8, code))
        check(w.sock.recv(1) == b"N", "%d", code)
    w.startup(ACTOR, "crm")
    w.authenticate(ACTOR_PASSWORD)
    check(w.query("SELECT 1").value == "1", "goes on in clear")
    w.close()


def w_address(world):
    return (world.gate.host, world.gate.port)


def ssl_injection(world):
    """Bytes sent with the SSLRequest must not be taken as said inside TLS."""
    w = naked(world)
    w.raw(struct.pack("!II", 8, SSL_REQUEST) +
          startup_packet([("user", ACTOR), ("database", "crm")]))
    answer = w.sock.recv(1)
    check(answer in (b"N", b"E", b""), "%r", answer)
    w.sock.close()


def negotiate(world):
    w = naked(world)
    w.raw(startup_packet([("user", ACTOR), ("database", "crm"),
                          ("_pq_.unheard", "1")], (3 << 16) | 2))
    kind, body = w.read()
    check(kind == "v", "NegotiateProtocolVersion, not %s", kind)
    minor, n = struct.unpack_from("!II", body)
    check(minor & 0xffff == 0 and n == 1 and b"_pq_.unheard" in body, "%r",
          body)
    w.authenticate(ACTOR_PASSWORD)
    check(w.query("SELECT 1").value == "1", "goes on with 3.0")
    check(len(w.key) == 8, "key of %d bytes in 3.0", len(w.key))
    w.close()


def protocol(number):
    def run(world):
        w = naked(world)
        w.raw(startup_packet([("user", ACTOR), ("database", "crm")], number))
        ends(w, ("0A000", "08P01"))
        w.sock.close()
    return run


def start(data, states=None, shut=False):
    def run(world):
        w = naked(world)
        w.raw(data)
        if shut:
            w.sock.shutdown(socket.SHUT_WR)
        ends(w, states)
        w.sock.close()
    return run


STARTS = (
    ("length-0", struct.pack("!I", 0)),
    ("length-4", struct.pack("!I", 4)),
    ("length-7", struct.pack("!I", 7) + b"abc"),
    ("length-max", struct.pack("!I", 0x7fffffff) + b"x" * 100),
    ("length-negative", struct.pack("!I", 0xffffffff) + b"x" * 100),
    ("length-10001", struct.pack("!II", 10001, PROTOCOL_3_0) + b"x" * 9993),
    ("no-terminator", startup_packet([("user", ACTOR)], end=b"")),
    ("no-user", startup_packet([("database", "crm")])),
    ("empty-user", startup_packet([("user", ""), ("database", "crm")])),
    ("name-without-value", startup_packet([("user", ACTOR)], end=b"x\0")),
    ("garbage-after-end", startup_packet([("user", ACTOR)], end=b"\0zzz")),
    ("nothing-but-nul", startup_packet([], end=b"\0" * 100)),
    ("long-user", startup_packet([("user", "u" * 9000), ("database", "crm")])),
    ("invalid-utf8", startup_packet([("database", "crm")], end=b"user\0\xff"
                                    b"\xfe\0\0")),
    ("http", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("random", bytes((i * 73 + 11) & 255 for i in range(2000))),
    ("ssh", b"SSH-2.0-OpenSSH_9.2\r\n"),
)


def half_start(world):
    """Half a packet, then silence from a client that left."""
    for n in (1, 3, 4, 6, 8, 20):
        w = naked(world)
        w.raw(startup_packet([("user", ACTOR), ("database", "crm")])[:n])
        w.abort()


def slow_start(world):
    """One byte at a time is slow, not wrong."""
    w = naked(world)
    for b in startup_packet([("user", ACTOR), ("database", "crm")]):
        w.raw(bytes([b]))
    w.authenticate(ACTOR_PASSWORD)
    for b in b"Q" + struct.pack("!I", 13) + b"SELECT 1\0":
        w.raw(bytes([b]))
    check(w.until("Z").value == "1", "byte by byte")
    w.close()


def duplicate_user(world):
    """The last one counts in PostgreSQL; nobody becomes somebody else."""
    w = naked(world)
    w.raw(startup_packet([("user", ACTOR), ("user", "other"),
                          ("database", "crm")]))
    try:
        w.authenticate(ACTOR_PASSWORD)
        who = w.query("SELECT 1")
        check(who.ok(), "%s", who.error)
        sessions = world.gate.entries(kind="session", event="open")
        check(sessions[-1]["actor"] in (ACTOR,), "%s", sessions[-1])
    except (AuthError, Closed):
        pass
    w.sock.close()


def replication(value):
    def run(world):
        try:
            w = world.gate.connect(ACTOR, params={"replication": value})
        except AuthError as e:
            check(e.fields["C"] == "KB003", "%s", e)
            return
        w.close()
        raise Failure("accepted")
    return run


def replication_false(world):
    with world.gate.connect(ACTOR, params={"replication": "false"}) as w:
        check(w.query("SELECT 1").value == "1", "an ordinary session")


# -- login -------------------------------------------------------------------------

def login(message, states=("28P01", "08P01", "28000", "KB006", "0A000")):
    """Answers the request for SASL with this."""
    def run(world):
        w = naked(world)
        w.startup(ACTOR + "-login", "crm")
        kind, body = w.read()
        check(kind == "R", "%s", kind)
        w.raw(message)
        w.sock.shutdown(socket.SHUT_WR)
        r = w.until("EZR")
        if r.messages and r.messages[-1][0] == "R":
            data = r.messages[-1][1]
            check(struct.unpack_from("!I", data)[0] == 11, "let in: %r", data)
        else:
            check(r.errors or r.closed, "no error: %s", r.messages)
            check(not r.errors or r.sqlstate in states, "%s", r.error)
        w.sock.close()
    return run


def p(body):
    return b"p" + struct.pack("!I", len(body) + 4) + body


def sasl(first, mechanism=b"SCRAM-SHA-256"):
    return p(mechanism + b"\0" + struct.pack("!i", len(first)) + first)


LOGINS = (
    ("cleartext", p(b"password\0")),
    ("unknown-mechanism", sasl(b"n,,n=,r=abc", b"SCRAM-MD5")),
    ("plus-without-tls", sasl(b"p=tls-server-end-point,,n=,r=abcdefgh",
                              b"SCRAM-SHA-256-PLUS")),
    ("binding-without-plus", sasl(b"p=tls-unique,,n=,r=abcdefghij")),
    ("long-nonce", sasl(b"n,,n=,r=" + b"x" * 60000)),
    ("empty", sasl(b"")),
    ("no-nonce", sasl(b"n,,n=")),
    ("empty-nonce", sasl(b"n,,n=,r=")),
    ("no-gs2", sasl(b"n=,r=abcdefgh")),
    ("authzid", sasl(b"n,a=other,n=,r=abcdefghijkl")),
    ("extension", sasl(b"n,,m=x,n=,r=abcdefghijkl")),
    ("nul-in-nonce", sasl(b"n,,n=,r=abc\0def")),
    ("length-wrong", p(b"SCRAM-SHA-256\0" + struct.pack("!i", 9999) + b"n,,")),
    ("length-negative", p(b"SCRAM-SHA-256\0" + struct.pack("!i", -1))),
    ("no-terminator", p(b"SCRAM-SHA-256")),
    ("no-body", p(b"")),
    ("length-2", b"p" + struct.pack("!I", 2)),
    ("length-max", b"p" + struct.pack("!I", 0x7fffffff) + b"x" * 1000),
    ("query", b"Q" + struct.pack("!I", 13) + b"SELECT 1\0"),
    ("terminate", b"X" + struct.pack("!I", 4)),
    ("function-call", b"F" + struct.pack("!I", 4)),
    ("unknown-type", b"\0" + struct.pack("!I", 4)),
)


def final(message):
    """A good client-first, then this as client-final."""
    def run(world):
        w = naked(world)
        w.startup(ACTOR + "-login", "crm")
        w.read()
        w.raw(sasl(b"n,,n=,r=abcdefghijklmnop"))
        kind, body = w.read()
        if kind == "E":		# locked by the cases before
            check(fields(body)["C"] in ("KB006", "28P01"), "%s", body)
            return
        nonce = dict(x.split(b"=", 1) for x in body[4:].split(b","))[b"r"]
        w.raw(p(message.replace(b"NONCE", nonce)))
        ends(w, ("28P01", "08P01", "28000", "KB006"))
        w.sock.close()
    return run


PROOF = b"A" * 43 + b"="
FINALS = (
    ("wrong-proof", b"c=biws,r=NONCE,p=" + PROOF),
    ("wrong-nonce", b"c=biws,r=zzz,p=" + PROOF),
    ("longer-nonce", b"c=biws,r=NONCEx,p=" + PROOF),
    ("no-proof", b"c=biws,r=NONCE"),
    ("short-proof", b"c=biws,r=NONCE,p=AAAA"),
    ("long-proof", b"c=biws,r=NONCE,p=" + b"A" * 4096),
    ("bad-base64", b"c=biws,r=NONCE,p=" + b"*" * 44),
    ("bad-binding", b"c=eSws,r=NONCE,p=" + PROOF),
    ("extra", b"c=biws,r=NONCE,p=" + PROOF + b",x=1"),
    ("empty", b""),
    ("nul", b"c=biws\0,r=NONCE,p=" + PROOF),
)


def lockout(world):
    """Ten wrong passwords lock the actor; the right one does not help then."""
    actor = world.gate.actor("lockme")
    states = []
    for i in range(12):
        try:
            world.gate.connect(actor, password="wrong-%d" % i).close()
        except AuthError as e:
            states.append(e.fields["C"])
    try:
        world.gate.connect(actor).close()
        raise Failure("not locked: %s" % states)
    except AuthError as e:
        check(e.fields["C"] in ("KB006", "28P01"), "%s", e)
    check(world.gate.entries(kind="alert") or world.gate.entries(
        kind="session", event="failed"), "nothing in the ledger")


def same_answer(world):
    """An unknown name is answered like a wrong password, salt included."""
    firsts = []
    for name in ("unknown-one", "unknown-one", ACTOR):
        w = naked(world)
        w.startup(name, "crm")
        w.read()
        w.raw(sasl(b"n,,n=,r=abcdefghijklmnop"))
        kind, body = w.read()
        check(kind == "R", "%s: %s", name, body)
        attrs = dict(x.split(b"=", 1) for x in body[4:].split(b","))
        firsts.append((attrs[b"s"], attrs[b"i"]))
        w.sock.close()
    check(firsts[0] == firsts[1], "the salt of an unknown name changes")
    check(firsts[0][1] == firsts[2][1] and
          len(firsts[0][0]) == len(firsts[2][0]), "it looks different: %s",
          firsts)


# -- in a session ---------------------------------------------------------------------

def message(kind, body=b"", length=None):
    n = len(body) + 4 if length is None else length
    return kind + struct.pack("!I", n & 0xffffffff) + body


SYNC = message(b"S")


def inside(data, states=None, lives=None):
    """Says this in a session. lives: must the session go on after it?"""
    def run(world):
        w = session(world)
        w.raw(data)
        if lives:
            r = w.until("Z")
            check(r.errors and not r.closed, "no error: %s", r.messages)
            check(not states or r.sqlstate in states, "%s", r.error)
            check(w.query("SELECT 1").value == "1", "the session goes on")
            w.close()
            return
        try:
            w.raw(SYNC)
        except (Closed, OSError):
            pass
        ends(w, states)
        w.sock.close()
    return run


U16 = struct.Struct("!H").pack
BAD = ("08P01", "54000", "KB003", "22021", "26000", "34000", "42601", "0A000")
INSIDE = (
    # name, bytes, SQLSTATEs, the session goes on
    ("unknown-type", message(b"!"), BAD, False),
    ("type-0", message(b"\0"), BAD, False),
    ("backend-type", message(b"T", U16(0)), BAD, False),
    ("length-0", message(b"Q", b"", 0), BAD, False),
    ("length-3", message(b"Q", b"", 3), BAD, False),
    ("length-max", message(b"Q", b"x" * 500, 0x7fffffff), BAD, False),
    ("length-negative", message(b"Q", b"x" * 500, -1), BAD, False),
    ("length-wraps", message(b"Q", b"x" * 500, 0x100000003), BAD, False),
    ("password-again", p(b"secret\0"), BAD, False),
    ("query-without-nul", message(b"Q", b"SELECT 1"), BAD, None),
    ("query-empty-body", message(b"Q"), BAD, None),
    ("query-nul-inside", message(b"Q", b"SELECT 1\0; SELECT 2\0"), BAD, None),
    ("parse-without-nul", message(b"P", b"name"), BAD, None),
    ("parse-no-count", message(b"P", b"\0SELECT 1\0"), BAD, None),
    ("parse-count-too-big", message(b"P", b"\0SELECT 1\0" + U16(9)), BAD, None),
    ("parse-extra", message(b"P", b"\0SELECT 1\0" + U16(0) + b"xx"), BAD, None),
    ("bind-truncated", message(b"B", b"\0\0" + U16(1)), BAD, None),
    ("bind-negative", message(b"B", b"\0\0" + U16(0) + U16(1) +
                              struct.pack("!i", -2) + U16(0)), BAD, None),
    ("bind-too-long", message(b"B", b"\0\0" + U16(0) + U16(1) +
                              struct.pack("!i", 9999) + U16(0)), BAD, None),
    ("bind-formats", message(b"B", b"\0\0" + U16(65535) + U16(0)), BAD, None),
    ("describe-kind", message(b"D", b"Zx\0"), BAD, None),
    ("describe-empty", message(b"D"), BAD, None),
    ("close-kind", message(b"C", b"Zx\0"), BAD, None),
    ("execute-short", message(b"E", b"\0\0"), BAD, None),
    ("sync-with-body", message(b"S", b"x"), BAD, None),
    ("function-call", message(b"F", struct.pack("!IHHH", 2925, 0, 0, 0)),
     ("KB003",), False),
    ("invalid-utf8", message(b"Q", b"SELECT '\xff\xfe'\0"), BAD, True),
    ("syntax", message(b"Q", b"SELEC 1\0"), ("42601",), True),
    ("unknown-statement", message(b"E", b"none\0" + b"\0" * 4) + SYNC,
     ("34000",), True),
    ("unknown-prepared", message(b"B", b"\0none\0" + U16(0) * 3) + SYNC,
     ("26000",), True),
    ("nested-parens", message(b"Q", b"SELECT " + b"(" * 5000 + b"1" +
                              b")" * 5000 + b"\0"), None, True),
    ("many-terms", message(b"Q", b"SELECT 1" + b"+1" * 100000 + b"\0"), None,
     None),
    ("many-unions", message(b"Q", b"SELECT 1" + b" UNION SELECT 1" * 20000 +
                            b"\0"), None, None),
    ("many-nots", message(b"Q", b"SELECT " + b"NOT " * 50000 + b"true\0"),
     None, None),
    ("many-statements", message(b"Q", b"SELECT 1;" * 20000 + b"\0"), None,
     None),
    ("only-semicolons", message(b"Q", b";" * 100000 + b"\0"), None, None),
    ("open-comment", message(b"Q", b"SELECT 1 /* \0"), ("42601",), True),
    ("open-dollar", message(b"Q", b"SELECT $x$ abc\0"), ("42601",), True),
    ("deep-comment", message(b"Q", b"/*" * 50000 + b" SELECT 1\0"), None, True),
)


def survives(data):
    """Only that nothing breaks: an answer or an end, whatever it is."""
    def run(world):
        w = session(world, timeout=60)
        w.raw(data)
        w.raw(SYNC)
        r = w.until("Z", 1)
        w.sock.close()
        return "closed" if r.closed else (r.sqlstate or "fine")
    return run


def giant_query(world):
    """Half a gigabyte announced, a little sent: nothing is set aside for it."""
    pids = world.gate.pids()
    before = sum(map(rss_bytes, pids))
    ws = []
    for _ in range(20):
        w = session(world)
        w.raw(message(b"Q", b"x" * 65536, 500 << 20))
        ws.append(w)
    time.sleep(0.5)
    after = sum(map(rss_bytes, world.gate.pids()))
    for w in ws:
        w.abort()
    check(after - before < 64 << 20, "%d MB more", (after - before) >> 20)


def copy_out_of_phase(world):
    """CopyData without a COPY is ignored, as PostgreSQL does."""
    w = session(world)
    w.raw(message(b"d", b"1\n") + message(b"c") + message(b"f", b"x\0"))
    r = w.query("SELECT 1")
    if not r.closed and r.value != "1":
        check(r.errors, "%s", r.messages)
    w.sock.close()


def copy_abandoned(world):
    w = session(world)
    w.send("Q", b"COPY products FROM STDIN\0")
    w.until("G")
    w.send("d", b"7000\tx\t1\n")
    w.send("f", b"changed my mind\0")
    r = w.until("Z")
    check(r.sqlstate == "57014", "%s", r.error)
    check(w.query("SELECT count(*) FROM products").value == "50", "no row")
    # A query in the middle of COPY FROM is an error, not a row.
    w.send("Q", b"COPY products FROM STDIN\0")
    w.until("G")
    w.send("Q", b"SELECT name FROM customers\0")
    r = ends(w)
    w.sock.close()
    with session(world) as w:
        check(w.query("SELECT count(*) FROM products").value == "50", "no row")


def copy_goes_away(world):
    w = session(world)
    w.send("Q", b"COPY products FROM STDIN\0")
    w.until("G")
    w.send("d", b"7000\tx\t1\n")
    w.abort()
    no_sessions(world)


def goes_away(world):
    """Clients that vanish leave no session on the server."""
    for sql in (b"SELECT pg_sleep(3)", b"SELECT * FROM customers",
                b"BEGIN; LOCK TABLE products", b"COPY customers TO STDOUT",
                b"SELECT repeat('x', 1000000) FROM generate_series(1, 1000)"):
        w = session(world)
        w.send("Q", sql + b"\0")
        time.sleep(0.1)
        w.abort()
    no_sessions(world)


def parse_fails(world):
    """A Parse that fails, and charged Executes behind it in one pipeline."""
    with session(world) as w:
        for i in range(3):
            w.parse("SELECT phone FROM customers WHERE customer_id = $1", "p")
            for n in (1, 2, 3):
                w.bind([n], name="p")
                w.execute()
            r = w.sync()
            check(r.messages[-1][0] == "Z", "no answer: %s", r.messages)
            check(r.sqlstate == (None if i == 0 else "42P05"), "%s", r.error)
            check(len(r.rows) == (3 if i == 0 else 0), "%s", r.rows)
        check(w.query("SELECT 1").value == "1", "the session goes on")


def cancel_bogus(world):
    with session(world) as w:
        pid, secret = struct.unpack("!II", w.key)
        w.send("Q", b"SELECT pg_sleep(1)\0")
        for k in ((1, 1), (pid, secret ^ 1), (pid ^ 1, secret), (0, 0)):
            check(cancel(w.address, *k) == b"", "an answer to a cancel")
        check(w.until("Z").ok(), "cancelled with a wrong key")


def cancel_shapes(world):
    for data in (struct.pack("!II", 8, 80877102),
                 struct.pack("!III", 12, 80877102, 1),
                 struct.pack("!II", 300, 80877102) + b"x" * 292,
                 struct.pack("!IIII", 17, 80877102, 1, 2) + b"x"):
        w = naked(world)
        w.raw(data)
        w.sock.shutdown(socket.SHUT_WR)
        ends(w)
        w.sock.close()


def cancel_storm(world):
    with session(world) as w:
        pid, secret = struct.unpack("!II", w.key)
        at_once([lambda: [cancel(w.address, pid, secret ^ 5)
                          for _ in range(40)] for _ in range(10)])
        check(w.query("SELECT 1").value == "1", "the session goes on")


def key_space(world):
    """A key names the server's process; its secret is the gate's own."""
    secrets = set()
    for _ in range(10):
        with session(world) as w:
            pid, secret = struct.unpack("!II", w.key)
            secrets.add(secret)
            check(w.query("SELECT pg_backend_pid()").value == str(pid),
                  "another process than the server's")
            w.send("Q", b"SELECT pg_sleep(0.2)\0")
            cancel((world.pg.host, world.pg.port), pid, secret)
            check(w.until("Z").ok(), "the server takes the client's key")
    check(len(secrets) == 10, "%d different secrets of 10", len(secrets))


def many_prepared(world):
    """Ten thousand statements of one session stay bounded."""
    w = session(world, timeout=60)
    before = sum(map(rss_bytes, world.gate.pids()))
    n, r = 0, Result([])
    for block in range(20):
        for i in range(500):
            w.parse("SELECT %d" % (i % 10), "s%d" % (block * 500 + i))
        r = w.sync()
        if r.errors or r.closed:
            break
        n += 500
    after = sum(map(rss_bytes, world.gate.pids()))
    w.sock.close()
    check(after - before < 100 << 20, "%d MB", (after - before) >> 20)
    return "%d statements, %s, %d MB" % (n, r.sqlstate or "fine",
                                         (after - before) >> 20)


def flood(world):
    """A client that sends and never reads is held, not buffered without end."""
    before = sum(map(rss_bytes, world.gate.pids()))
    w = session(world, timeout=5)
    w.sock.settimeout(3)
    sent = 0
    try:
        for _ in range(2000):
            data = message(b"Q", b"SELECT repeat('x', 100000)\0") * 50
            w.sock.sendall(data)
            sent += 50
    except (socket.timeout, OSError):
        pass
    after = sum(map(rss_bytes, world.gate.pids()))
    w.abort()
    check(after - before < 128 << 20, "%d MB", (after - before) >> 20)
    return "%d queries taken, %d MB" % (sent, (after - before) >> 20)


def half_open(world):
    """200 connections that say nothing; others are served."""
    ws = [naked(world) for _ in range(200)]
    with session(world) as w:
        check(w.query("SELECT 1").value == "1", "served")
    for w in ws:
        w.sock.close()


def half_close(world):
    """A client that sends all, then shuts its side, still reads."""
    w = session(world)
    w.send("Q", b"SELECT 42\0")
    w.send("X")
    w.sock.shutdown(socket.SHUT_WR)
    r = w.until("Z")
    check(r.value == "42" or r.closed, "%s", r.messages)
    w.sock.close()


def early_queries(world):
    """Queries pipelined behind the login wait for it."""
    w = naked(world)
    w.startup("nobody-such", "crm")
    w.send("Q", b"SELECT name FROM customers\0")
    ends(w)
    check(not any(t == "D" for t, _ in w.messages), "rows before the login")
    w.sock.close()


def long_names(world):
    with session(world, timeout=30) as w:
        for n in (100, 70000, 1 << 20):
            w.parse("SELECT 1", "n" * n)
            w.bind(name="n" * n, portal="p" * n)
            w.describe("P", "p" * n)
            w.execute("p" * n)
            r = w.sync()
            if r.closed:
                break
            check(r.value == "1" or r.errors, "%d: %s", n, r.messages)
    with session(world) as w:
        check(w.query("SELECT 1").value == "1", "others")


def body(suite, world):
    def case(name, what, fn, incident=False, watch=True):
        def run():
            with Watch(world, incident):
                return fn(world)
        suite.case(name, what, run if watch else lambda: fn(world))

    if world:
        world.gate.actor(ACTOR, "bulk")
        world.gate.actor(ACTOR + "-login", "bulk")
    case("ssl-twice", "two SSLRequests", ssl_twice)
    case("gssenc", "GSSENCRequest is answered N", gss)
    case("ssl-injection", "bytes behind an SSLRequest", ssl_injection)
    case("negotiate", "protocol 3.2 and options", negotiate)
    for number in (0x20000, 0x40000, 0x30000 | 9999, 0, 1234 << 16 | 9999):
        if number == 0x30000 | 9999:
            continue
        case("protocol-%x" % number, "another protocol", protocol(number))
    for name, data in STARTS:
        case("start-" + name, "a start-up packet", start(data, shut=True))
    case("start-half", "half packets", half_start)
    case("start-slow", "byte by byte", slow_start)
    case("start-duplicate", "user twice", duplicate_user)
    for value in ("true", "1", "on", "yes", "database", "DATABASE", "t"):
        case("replication-" + value, "a replication session",
             replication(value))
    case("replication-false", "not a replication session", replication_false)
    for name, data in LOGINS:
        case("login-" + name, "instead of SCRAM's first message", login(data))
    for name, data in FINALS:
        case("final-" + name, "as SCRAM's last message", final(data))
    case("lockout", "wrong passwords lock", lockout)
    case("same-answer", "unknown names look known", same_answer)
    case("early-queries", "queries before the login", early_queries)
    for name, data, states, lives in INSIDE:
        if states is None:
            case("inside-" + name, "hostile SQL", survives(data))
        else:
            case("inside-" + name, "in a session", inside(data, states, lives),
                 incident=lives is False and name != "function-call")
    case("giant-query", "half a gigabyte announced", giant_query)
    case("copy-phase", "CopyData without a COPY", copy_out_of_phase)
    case("copy-abandoned", "CopyFail; a query inside COPY", copy_abandoned)
    case("copy-goes-away", "a client leaves inside COPY", copy_goes_away)
    case("goes-away", "clients leave inside statements", goes_away)
    case("half-close", "a client that only reads", half_close)
    case("parse-fails", "charged Executes behind a failed Parse", parse_fails)
    case("cancel-bogus", "wrong keys", cancel_bogus)
    case("cancel-shapes", "malformed cancels", cancel_shapes)
    case("cancel-storm", "400 cancels", cancel_storm)
    case("key-space", "the keys are the gate's own", key_space)
    case("many-prepared", "10,000 statements", many_prepared)
    case("long-names", "names of a megabyte", long_names)
    case("flood", "sends and never reads", flood)
    case("half-open", "200 silent connections", half_open)


if __name__ == "__main__":
    suite = Suite(__doc__.splitlines()[0])
    sys.exit(suite.run(body, extra="max_clients = 400"))
