# SPDX-License-Identifier: Apache-2.0
"""A raw PostgreSQL wire client that keeps every byte it is sent.

libpq and the drivers swallow what they do not understand; a leak may hide in a
notice, a column name, a tag or a parameter status. So the suites that prove
law L3 talk the protocol themselves.
"""
import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct
import time

PROTOCOL_3_0 = 196608
SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
CANCEL_REQUEST = 80877102


class Closed(Exception):
    """The other side closed the connection."""


class AuthError(Exception):
    """The server refused the login; .fields as in an ErrorResponse."""

    def __init__(self, fields):
        super().__init__("%s %s" % (fields.get("C"), fields.get("M")))
        self.fields = fields


def fields(body):
    """ErrorResponse or NoticeResponse as {code: text}."""
    out = {}
    for part in body.split(b"\0"):
        if part:
            out[chr(part[0])] = part[1:].decode("utf-8", "replace")
    return out


def data_row(body):
    n = struct.unpack_from("!H", body)[0]
    at, cells = 2, []
    for _ in range(n):
        size = struct.unpack_from("!i", body, at)[0]
        at += 4
        if size < 0:
            cells.append(None)
        else:
            cells.append(body[at:at + size])
            at += size
    return cells


def row_description(body):
    """[(name, table oid, attnum, type oid, format)]"""
    n = struct.unpack_from("!H", body)[0]
    at, out = 2, []
    for _ in range(n):
        end = body.index(b"\0", at)
        name = body[at:end].decode("utf-8", "replace")
        table, att, typ, _size, _mod, fmt = struct.unpack_from(
            "!IhIhih", body, end + 1)
        out.append((name, table, att, typ, fmt))
        at = end + 19
    return out


class Result:
    """What came back for one request (or several, when pipelined)."""

    def __init__(self, messages, closed=False):
        self.messages = messages
        self.closed = closed

    def of(self, kind):
        return [b for t, b in self.messages if t == kind]

    @property
    def rows(self):
        return [data_row(b) for b in self.of("D")]

    @property
    def columns(self):
        d = self.of("T")
        return [c[0] for c in row_description(d[-1])] if d else []

    @property
    def errors(self):
        return [fields(b) for b in self.of("E")]

    @property
    def error(self):
        e = self.errors
        return e[0] if e else None

    @property
    def sqlstate(self):
        e = self.errors
        return e[0].get("C") if e else None

    @property
    def notices(self):
        return [fields(b) for b in self.of("N")]

    @property
    def tags(self):
        return [b.rstrip(b"\0").decode() for b in self.of("C")]

    @property
    def copied(self):
        return b"".join(self.of("d"))

    @property
    def value(self):
        """First cell of the first row, as text."""
        r = self.rows
        return r[0][0].decode() if r and r[0][0] is not None else None

    def ok(self):
        return not self.errors and not self.closed


def scram_client(user_password, mechanism, channel, nonce=None):
    """A generator of the client's side; send() it the server's messages."""
    nonce = nonce or base64.b64encode(os.urandom(18)).decode()
    if mechanism.endswith("-PLUS"):
        gs2, binding = "p=tls-server-end-point,,", channel
    else:
        gs2, binding = ("y,," if channel == b"offered" else "n,,"), b""
    bare = "n=,r=" + nonce
    server_first = (yield (gs2 + bare).encode()).decode()
    attrs = dict(p.split("=", 1) for p in server_first.split(","))
    if not attrs["r"].startswith(nonce):
        raise AuthError({"C": "08P01", "M": "server nonce"})
    salted = hashlib.pbkdf2_hmac("sha256", user_password.encode(),
                                 base64.b64decode(attrs["s"]), int(attrs["i"]))
    ckey = hmac.digest(salted, b"Client Key", "sha256")
    skey = hmac.digest(salted, b"Server Key", "sha256")
    stored = hashlib.sha256(ckey).digest()
    cbind = base64.b64encode(gs2.encode() + binding).decode()
    without = "c=%s,r=%s" % (cbind, attrs["r"])
    message = ",".join((bare, server_first, without)).encode()
    sig = hmac.digest(stored, message, "sha256")
    proof = bytes(a ^ b for a, b in zip(ckey, sig))
    final = yield (without + ",p=" + base64.b64encode(proof).decode()).encode()
    want = base64.b64encode(hmac.digest(skey, message, "sha256"))
    if final != b"v=" + want:
        raise AuthError({"C": "28000", "M": "server signature is wrong"})
    yield b""


class Wire:
    """One session. Nothing is raised for SQL errors: look at the Result."""

    def __init__(self, host, port, user=None, database=None, password="",
                 params=None, tls=None, plus=False, timeout=20.0,
                 protocol=PROTOCOL_3_0, login=True, keep=True, rcvbuf=None):
        self.sock = socket.socket(
            socket.AF_UNIX if host.startswith("/") else socket.AF_INET)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        where = ("%s/.s.PGSQL.%d" % (host, port) if host.startswith("/")
                 else (host, port))
        self.address = where
        self.sock.connect(where)
        if not host.startswith("/"):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.keep = keep
        self.tls = False
        self.timeout = timeout
        self.buf = bytearray()
        self.messages = []	# everything, from the first byte on
        self.received = 0
        self.parameters = {}
        self.key = None
        self.mechanisms = []
        self.status = None
        if tls:
            self.start_tls(tls)
        if login:
            self.startup(user, database, params, protocol)
            self.authenticate(password, plus)

    # -- bytes

    def start_tls(self, context=None):
        self.sock.sendall(struct.pack("!II", 8, SSL_REQUEST))
        answer = self.sock.recv(1)
        if answer != b"S":
            raise Closed("TLS refused: %r" % answer)
        if not isinstance(context, ssl.SSLContext):
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.tls = True

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as e:
            # What the other side said before it closed can still be read.
            if not self.buf and isinstance(e, ConnectionResetError):
                raise Closed(str(e)) from None

    def send(self, kind, body=b""):
        self.raw(kind.encode() + struct.pack("!I", len(body) + 4) + body)

    def _need(self, n):
        while len(self.buf) < n:
            try:
                data = self.sock.recv(1 << 18)
            except (ConnectionResetError, ssl.SSLError, BrokenPipeError) as e:
                raise Closed(str(e)) from None
            if not data:
                raise Closed("end of stream")
            self.received += len(data)
            self.buf += data

    def read(self):
        """One message (type, body)."""
        self._need(5)
        kind = chr(self.buf[0])
        size = struct.unpack_from("!I", self.buf, 1)[0]
        if size < 4 or size > 1 << 30:
            raise Closed("bad length %d of %r" % (size, kind))
        self._need(size + 1)
        body = bytes(self.buf[5:size + 1])
        del self.buf[:size + 1]
        if self.keep:
            self.messages.append((kind, body))
        if kind == "S":
            name, value = body.split(b"\0")[:2]
            self.parameters[name.decode()] = value.decode("utf-8", "replace")
        elif kind == "K":
            self.key = body
        elif kind == "Z":
            self.status = chr(body[0])
        return kind, body

    def until(self, stop="Z", count=1):
        """Reads up to `count` messages of a kind in `stop`, or the end."""
        got = []
        try:
            while count:
                kind, body = self.read()
                got.append((kind, body))
                if kind in stop:
                    count -= 1
        except Closed:
            return Result(got, closed=True)
        return Result(got)

    def close(self):
        try:
            self.send("X")
        except (Closed, OSError, ValueError):
            pass
        self.sock.close()

    def abort(self):
        """Ends with a reset, as a pulled cable would not."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- start

    def startup(self, user, database, params=None, protocol=PROTOCOL_3_0):
        pairs = [("user", user), ("database", database)]
        pairs += list((params or {}).items())
        body = struct.pack("!I", protocol)
        for k, v in pairs:
            if v is not None:
                body += k.encode() + b"\0" + v.encode() + b"\0"
        body += b"\0"
        self.raw(struct.pack("!I", len(body) + 4) + body)

    def channel_binding(self):
        der = self.sock.getpeercert(binary_form=True)
        return hashlib.sha256(der).digest()

    def authenticate(self, password, plus=False, nonce=None):
        scram = None
        while True:
            kind, body = self.read()
            if kind == "E":
                raise AuthError(fields(body))
            if kind == "Z":
                return
            if kind != "R":
                continue
            code = struct.unpack_from("!I", body)[0]
            if code == 10:
                self.mechanisms = [m.decode() for m in
                                   body[4:].split(b"\0") if m]
                name = "SCRAM-SHA-256" + ("-PLUS" if plus else "")
                channel = self.channel_binding() if plus else b""
                scram = scram_client(password, name, channel, nonce)
                first = next(scram)
                self.send("p", name.encode() + b"\0" +
                          struct.pack("!I", len(first)) + first)
            elif code == 11:
                self.send("p", scram.send(body[4:]))
            elif code == 12:
                scram.send(body[4:])
            elif code == 3:
                self.send("p", password.encode() + b"\0")
            elif code != 0:
                raise AuthError({"C": "0A000", "M": "method %d" % code})

    # -- requests

    def query(self, sql):
        self.send("Q", sql.encode() + b"\0")
        return self.until("Z")

    def parse(self, sql, name="", types=()):
        self.send("P", name.encode() + b"\0" + sql.encode() + b"\0" +
                  struct.pack("!H", len(types)) +
                  b"".join(struct.pack("!I", t) for t in types))

    def bind(self, params=(), portal="", name="", result=(), formats=()):
        body = portal.encode() + b"\0" + name.encode() + b"\0"
        body += struct.pack("!H", len(formats))
        body += b"".join(struct.pack("!H", f) for f in formats)
        body += struct.pack("!H", len(params))
        for p in params:
            if p is None:
                body += struct.pack("!i", -1)
            else:
                p = p if isinstance(p, bytes) else str(p).encode()
                body += struct.pack("!i", len(p)) + p
        body += struct.pack("!H", len(result))
        body += b"".join(struct.pack("!H", f) for f in result)
        self.send("B", body)

    def describe(self, kind="P", name=""):
        self.send("D", kind.encode() + name.encode() + b"\0")

    def execute(self, portal="", limit=0):
        self.send("E", portal.encode() + b"\0" + struct.pack("!I", limit))

    def sync(self):
        self.send("S")
        return self.until("Z")

    def extended(self, sql, params=(), result=(), describe=True, limit=0):
        self.parse(sql)
        self.bind(params, result=result)
        if describe:
            self.describe()
        self.execute(limit=limit)
        return self.sync()

    def copy_in(self, sql, chunks):
        self.send("Q", sql.encode() + b"\0")
        got = self.until("GZ")
        if got.messages and got.messages[-1][0] == "G":
            for c in chunks:
                self.send("d", c)
            self.send("c")
            more = self.until("Z")
            got = Result(got.messages + more.messages, more.closed)
        return got

    def cancel(self):
        """Asks to cancel what this session runs, as libpq does."""
        pid, secret = struct.unpack("!II", self.key)
        cancel(self.address, pid, secret)

    def parameter(self, name, deadline=2.0):
        end = time.monotonic() + deadline
        while name not in self.parameters and time.monotonic() < end:
            self.query("")
        return self.parameters.get(name)


def cancel(address, pid, secret, timeout=5.0):
    """Sends a CancelRequest; returns what was answered (normally nothing)."""
    s = socket.socket(socket.AF_UNIX if isinstance(address, str)
                      else socket.AF_INET)
    s.settimeout(timeout)
    s.connect(address)
    s.sendall(struct.pack("!IIII", 16, CANCEL_REQUEST, pid, secret))
    try:
        return s.recv(64)
    except ConnectionResetError:
        return b""
    finally:
        s.close()


def preamble(address, code, timeout=5.0):
    """The one byte that answers an SSLRequest or GSSENCRequest."""
    s = socket.create_connection(address, timeout)
    try:
        s.sendall(struct.pack("!II", 8, code))
        return s.recv(1)
    finally:
        s.close()
