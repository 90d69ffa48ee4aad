#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ordinary work with the clients that people have: it must just work.

Where it can be compared, the answer is the one that PostgreSQL gives without a
gate, byte for byte.
"""
import hashlib
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

from harness import (ACTOR_PASSWORD, HERE, ROLE_PASSWORD, Gate, Skip, Suite,
                     at_once, check, wait_for)
from wire import AuthError, Closed, Wire

TLS = {}


def certificate(top):
    """A self-signed EC certificate for localhost and 127.0.0.1."""
    cert, key = top + "/gate.crt", top + "/gate.key"
    r = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,"
         "IP:127.0.0.1", "-keyout", key, "-out", cert], capture_output=True)
    if r.returncode:
        raise Skip("openssl cannot make a certificate")
    os.chmod(key, 0o600)
    return cert, key


class Session:
    """Where a client goes: the gate, or PostgreSQL itself."""

    def __init__(self, world, actor, direct=False, database="crm"):
        end = world.pg if direct or not world.gate else world.gate
        self.host, self.port, self.database = end.host, end.port, database
        self.user = actor if end is world.gate else "kuraban_gate"
        self.password = (ACTOR_PASSWORD if end is world.gate
                         else ROLE_PASSWORD)

    def env(self, **more):
        return dict(os.environ, PGHOST=self.host, PGPORT=str(self.port),
                    PGUSER=self.user, PGPASSWORD=self.password,
                    PGDATABASE=self.database, PGSSLMODE="disable",
                    PGAPPNAME="test", LC_ALL="C.UTF-8", PGTZ="UTC",
                    PSQLRC="/dev/null", PAGER="cat", PGCONNECT_TIMEOUT="20",
                    **more)

    def dsn(self, **more):
        d = dict(host=self.host, port=self.port, user=self.user,
                 password=self.password, dbname=self.database,
                 sslmode="disable", connect_timeout=20)
        d.update(more)
        return d


def psql(world, session, text, *args, check_exit=True, env=None):
    r = subprocess.run([world.pg.bin + "/psql", "-X", *args], input=text,
                       text=True, capture_output=True, timeout=60,
                       env=session.env(**(env or {})))
    check(not check_exit or r.returncode == 0, "psql: exit %d: %s",
          r.returncode, r.stderr[-300:])
    return r


def same(world, text, *args, database="crm"):
    """psql prints the same through the gate as without."""
    actor = world.gate.actor("psql", "bulk") if world.gate else "-"
    a = psql(world, Session(world, actor, database=database), text, *args,
             check_exit=False)
    b = psql(world, Session(world, actor, True, database), text, *args,
             check_exit=False)
    check(a.stdout == b.stdout and a.stderr == b.stderr and
          a.returncode == b.returncode, "differs:\n%s%s--- direct\n%s%s",
          a.stdout[-600:], a.stderr[-600:], b.stdout[-600:], b.stderr[-600:])


BACKSLASH = ("\\d", "\\d customers", "\\d+ customers", "\\d+ v_view_union",
             "\\dt+", "\\dv", "\\dm", "\\di", "\\ds", "\\df", "\\df+ f_sql",
             "\\dn+", "\\dp", "\\dT", "\\do @+", "\\dx", "\\dE", "\\des",
             "\\dy", "\\dRp", "\\sf f_sql", "\\sv v_plain", "\\dO", "\\dc",
             "\\du", "\\l", "\\dd", "\\dC", "\\dg", "\\dL", "\\dP+",
             "\\encoding", "\\echo :ENCODING", "\\d pg_class", "\\h SELECT",
             "\\z orders", "\\dconfig search_path", "\\drds", "\\dX")


def psql_backslash(world, command):
    same(world, command + "\n")


PSQL = (
    ("select", "SELECT * FROM customers ORDER BY customer_id LIMIT 3;"),
    ("expanded", "\\x\nSELECT * FROM orders ORDER BY 1 LIMIT 2;"),
    ("error", "SELECT 1/0;\nselect nothing from nowhere;\nSELECT 2;"),
    ("error-position", "SELECT order_id,\n  wrong FROM orders;"),
    ("transaction", "BEGIN;\nUPDATE orders SET note = 'x' WHERE order_id = 1;"
     "\nSAVEPOINT s;\nSELECT 1/0;\nROLLBACK TO s;\n"
     "SELECT note FROM orders WHERE order_id = 1;\nROLLBACK;"),
    ("copy-out", "\\copy (SELECT * FROM products ORDER BY 1) TO STDOUT CSV "
     "HEADER"),
    ("copy-in", "BEGIN;\n\\copy products FROM STDIN\n900\ta\t1\n901\tb\t2\n"
     "\\.\nSELECT count(*) FROM products;\nROLLBACK;"),
    ("copy-in-error", "\\copy products FROM STDIN\nx\ty\n\\.\nSELECT 1;"),
    ("gset", "SELECT count(*) AS n FROM orders \\gset\n\\echo :n"),
    ("gexec", "SELECT 'SELECT ' || g FROM generate_series(1, 3) g \\gexec"),
    ("gdesc", "SELECT order_id, note AS x FROM orders \\gdesc"),
    ("crosstabview", "SELECT country, rank, count(*) FROM customers "
     "GROUP BY 1, 2 ORDER BY 1, 2 \\crosstabview"),
    ("fetch-count", "\\set FETCH_COUNT 7\nSELECT order_id, note FROM orders "
     "ORDER BY 1 LIMIT 40;"),
    ("multi", "SELECT 1\\; SELECT 2\\; SELECT title FROM products "
     "WHERE product_id = 1;"),
    ("prepare", "PREPARE p(int) AS SELECT note FROM orders "
     "WHERE order_id = $1;\nEXECUTE p(3);\nDEALLOCATE p;\nEXECUTE p(3);"),
    ("cursor", "BEGIN;\nDECLARE k SCROLL CURSOR FOR SELECT order_id "
     "FROM orders ORDER BY 1;\nFETCH 3 FROM k;\nFETCH BACKWARD 1 FROM k;\n"
     "MOVE 10 FROM k;\nFETCH k;\nCLOSE k;\nCOMMIT;"),
    ("notice", "SET client_min_messages = notice;\n"
     "DROP TABLE IF EXISTS never_was;"),
    ("settings", "SHOW server_version;\nSET work_mem = '8MB';\nSHOW work_mem;"
     "\nRESET work_mem;\nSET LOCAL work_mem = '1MB';\nSHOW TimeZone;"),
    ("encoding", "SELECT '\u6771\u4eac' AS \u90fd;"),
    ("empty", ";\n;\nSELECT;"),
    ("types", "SELECT 1::numeric, now() - now(), '{1,2}'::int[], "
     "'a=>1'::text, 'x'::bytea, true, null, 1.5::float8, '1 day'::interval;"),
    ("write", "BEGIN;\nINSERT INTO orders VALUES (70000, 1, 5, 'n') RETURNING "
     "order_id;\nDELETE FROM orders WHERE order_id = 70000;\nROLLBACK;"),
    ("explain", "EXPLAIN (COSTS off) SELECT * FROM orders WHERE order_id=1;"),
    ("temp", "CREATE TEMP TABLE t (i int);\nINSERT INTO t VALUES (1), (2);\n"
     "SELECT count(*) FROM products;\nDROP TABLE t;"),
    ("errverbose", "SELECT 1/0;\n\\errverbose"),
    ("single-transaction", "SELECT 1;"),
    ("describe-timing", "\\set VERBOSITY verbose\nSELECT 1/0;"),
)


def psql_script(world, text):
    same(world, text + "\n")


def psql_plain(world):
    same(world, "\\d\nLISTEN x;\nUNLISTEN *;\nSELECT 1;\n"
         "CREATE TEMP TABLE t AS SELECT 1 AS a;\nSELECT * FROM t;\n"
         "DO $$BEGIN RAISE NOTICE 'n'; END$$;\nUPDATE pgbench_accounts SET "
         "abalance = 1 WHERE aid = 1;\n", "-A", database="plain")


def psql_cancel(world):
    """SIGINT during a statement: psql ends a script that is interrupted."""
    actor = world.gate.actor("psql", "bulk")
    s = Session(world, actor)
    p = subprocess.Popen([world.pg.bin + "/psql", "-X", "-A", "-t"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, env=s.env())
    p.stdin.write("SELECT 'up';\nSELECT pg_sleep(30);\n")
    p.stdin.flush()

    def sleeping():
        return world.pg.psql("crm", "SELECT count(*) FROM pg_stat_activity "
                             "WHERE query LIKE '%pg_sleep(30)%' AND "
                             "state = 'active' AND pid <> pg_backend_pid()"
                             ).strip() != "0"
    wait_for("pg_sleep to run", sleeping)
    start = time.monotonic()
    p.send_signal(signal.SIGINT)
    p.stdin.close()
    p.stdin = None
    out, err = p.communicate(timeout=20)
    check("canceling statement due to user request" in err, "%s", err)
    check(out.split() == ["up"], "%r", out)
    check(time.monotonic() - start < 10, "took long")


def pgbench(world):
    actor = world.gate.actor("pgbench", "bulk")
    s = Session(world, actor, database="plain")
    for mode in ("simple", "extended", "prepared"):
        r = subprocess.run([world.pg.bin + "/pgbench", "-n", "-M", mode,
                            "-t", "50", "-c", "4", "-f", "-"],
                           input="\\set a random(1, 10000)\nBEGIN;\n"
                           "UPDATE pgbench_accounts SET abalance = abalance "
                           "+ 1 WHERE aid = :a;\nSELECT abalance FROM "
                           "pgbench_accounts WHERE aid = :a;\nEND;\n",
                           text=True, capture_output=True, env=s.env(),
                           timeout=60)
        check("200/200" in r.stdout, "%s: %s", mode,
              (r.stdout + r.stderr)[-400:])


def pg_dump(world):
    """A dump of personal tables is a release like any other."""
    actor = world.gate.actor("dump")
    s = Session(world, actor)
    r = subprocess.run([world.pg.bin + "/pg_dump", "-t", "customers", "-a"],
                       capture_output=True, text=True, env=s.env(),
                       timeout=60)
    import people
    n = people.find(r.stdout.encode())
    check(r.returncode != 0 and len(n) <= 100, "exit %d, %d people",
          r.returncode, len(n))
    return (r.stderr.strip().splitlines() or [""])[0][:100]


# -- TLS --------------------------------------------------------------------------

def tls_psql(world, mode, host, fails=None, **more):
    actor = world.gate.actor("psql", "bulk")
    s = Session(world, actor)
    env = {"PGSSLMODE": mode, "PGHOST": host, **more}
    e = s.env()
    e.update(env)
    r = subprocess.run([world.pg.bin + "/psql", "-X", "-A", "-t", "-c",
                        "SELECT count(*) FROM orders"], env=e, text=True,
                       capture_output=True, timeout=30)
    if fails:
        check(r.returncode and re.search(fails, r.stderr), "%s", r.stderr)
        return
    check(r.stdout.strip() == "2000", "%s", r.stderr)


def tls_wire(world):
    actor = world.gate.actor("tls", "bulk")
    with world.gate.connect(actor, tls=True) as w:
        check("SCRAM-SHA-256-PLUS" in w.mechanisms, "%s", w.mechanisms)
        r = w.query("SELECT repeat('x', 100000) FROM generate_series(1, 100)")
        check(len(r.rows) == 100, "%s", r.error)
    with world.gate.connect(actor, tls=True, plus=True) as w:
        check(w.query("SELECT 1").value == "1", "with channel binding")
    with world.gate.connect(actor) as w:
        check("SCRAM-SHA-256-PLUS" not in w.mechanisms, "PLUS without TLS")


def tls_binding(world):
    """A wrong channel binding is a man in the middle."""
    actor = world.gate.actor("tls", "bulk")

    class Mitm(Wire):
        def channel_binding(self):
            return hashlib.sha256(b"another certificate").digest()
    try:
        Mitm(world.gate.host, world.gate.port, actor, "crm", ACTOR_PASSWORD,
             tls=True, plus=True)
        check(False, "accepted")
    except AuthError as e:
        check(e.fields["C"] in ("28000", "28P01", "08P01"), "%s", e)


def tls_required(world):
    """tls_required: no password and no statement in clear."""
    top = world.top + "/required"
    os.mkdir(top)
    gate = Gate(top, world.options.build, world.pg, workers=1,
                extra='tls_cert = "%s"\ntls_key = "%s"\ntls_required = true'
                % (TLS["cert"], TLS["key"]))
    gate.start()
    try:
        actor = gate.actor("tls")
        with gate.connect(actor, tls=True) as w:
            check(w.query("SELECT 1").value == "1", "over TLS")
        try:
            gate.connect(actor).close()
            check(False, "accepted without TLS")
        except (AuthError, Closed):
            pass
    finally:
        gate.stop()


# -- psycopg --------------------------------------------------------------------------

def psycopg2_work(world):
    try:
        import psycopg2
        import psycopg2.extras
    except ImportError:
        raise Skip("no psycopg2") from None
    actor = world.gate.actor("psycopg2", "bulk")
    c = psycopg2.connect(**Session(world, actor).dsn())
    k = c.cursor()
    k.execute("SELECT name FROM customers WHERE customer_id = %s", (5,))
    check(len(k.fetchone()[0]) == 8 and len(k.description) == 1, "one")
    k.execute("SELECT customer_id, birth_date, created_at FROM customers "
              "ORDER BY 1")
    rows = k.fetchall()
    check(len(rows) == 1000 and rows[0][1].year == 1930, "typed rows")
    n = c.cursor("named")
    n.itersize = 33
    n.execute("SELECT name FROM customers")
    check(sum(1 for _ in n) == 1000, "server-side cursor")
    n.close()
    psycopg2.extras.execute_values(
        k, "INSERT INTO products VALUES %s",
        [(800 + i, "p%d" % i, i) for i in range(200)])
    k.execute("SELECT count(*) FROM products")
    check(k.fetchone()[0] == 250, "execute_values")
    c.rollback()
    try:
        k.execute("SELECT 1/0")
        check(False, "no error")
    except psycopg2.errors.DivisionByZero:
        c.rollback()
    import io
    out = io.StringIO()
    k.copy_expert("COPY (SELECT * FROM orders) TO STDOUT", out)
    check(out.getvalue().count("\n") == 2000, "copy out")
    k.copy_expert("COPY products FROM STDIN",
                  io.StringIO("".join("%d\tx\t1\n" % (5000 + i)
                                      for i in range(5000))))
    k.execute("SELECT count(*) FROM products")
    check(k.fetchone()[0] == 5050, "copy in")
    c.rollback()
    c.set_session(isolation_level="SERIALIZABLE", readonly=True)
    k.execute("SHOW transaction_isolation")
    check(k.fetchone()[0] == "serializable", "isolation")
    c.rollback()
    c.set_client_encoding("UTF8")
    c.close()


def psycopg2_notify(world):
    try:
        import select
        import psycopg2
    except ImportError:
        raise Skip("no psycopg2") from None
    actor = world.gate.actor("psycopg2", "bulk")
    a, b = [psycopg2.connect(**Session(world, actor, database="plain").dsn())
            for _ in range(2)]
    a.autocommit = b.autocommit = True
    a.cursor().execute("LISTEN ch")
    for i in range(10):
        b.cursor().execute("SELECT pg_notify('ch', %s)", ("m%d" % i,))
    end = time.monotonic() + 10
    while len(a.notifies) < 10 and time.monotonic() < end:
        select.select([a], [], [], 1)
        a.poll()
    check([n.payload for n in a.notifies] == ["m%d" % i for i in range(10)],
          "%s", a.notifies)
    a.close()
    b.close()


def psycopg3_work(world):
    try:
        import psycopg
    except ImportError:
        raise Skip("no psycopg") from None
    actor = world.gate.actor("psycopg3", "bulk")
    with psycopg.connect(**Session(world, actor).dsn()) as c:
        for binary in (False, True):
            k = c.cursor(binary=binary)
            k.execute("SELECT customer_id, name, birth_date FROM customers "
                      "ORDER BY 1")
            rows = k.fetchall()
            check(len(rows) == 1000 and rows[4][0] == 5 and
                  rows[0][2].year == 1930, "binary %s", binary)
        k = c.cursor()
        for i in range(1, 30):		# prepared from the fifth on
            k.execute("SELECT name FROM customers WHERE customer_id = %s",
                      (i,))
            check(len(k.fetchall()) == 1, "prepared %d", i)
        with c.cursor("server") as s:
            s.itersize = 100
            s.execute("SELECT name FROM customers")
            check(sum(1 for _ in s) == 1000, "server cursor")
        if c.pgconn.pipeline_status is not None and \
           psycopg.Pipeline.is_supported():
            with c.pipeline() as p:
                cursors = []
                for i in range(200):
                    cursors.append(c.execute("SELECT %s::int + 1", (i,)))
                p.sync()
                check([x.fetchone()[0] for x in cursors] ==
                      list(range(1, 201)), "pipeline")
            with c.pipeline() as p:
                cursors = [c.execute("SELECT name FROM customers WHERE "
                                     "customer_id = %s", (i,))
                           for i in range(1, 101)]
                p.sync()
                check(all(len(x.fetchone()[0]) == 8 for x in cursors),
                      "pipeline of personal rows")
        with k.copy("COPY customers TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "text", "date"] + ["text"] * 6 +
                           ["timestamptz", "text", "int4"])
            rows = list(copy.rows())
            check(len(rows) == 1000 and rows[0][3].year == 1930, "binary copy")
        with k.copy("COPY products FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "numeric"])
            for i in range(3000):
                copy.write_row((9000 + i, "x", 1))
        k.execute("SELECT count(*) FROM products")
        check(k.fetchone()[0] == 3050, "binary copy in")
        k.executemany("INSERT INTO products VALUES (%s, %s, %s)",
                      [(20000 + i, "m", i) for i in range(300)])
        c.rollback()
        try:
            with c.transaction():
                k.execute("INSERT INTO products VALUES (1, 'dup', 1)")
            check(False, "no error")
        except psycopg.errors.UniqueViolation as e:
            check("products_pkey" in str(e) and "(1)" in str(e), "%s", e)
        c.cancel()


# -- others ---------------------------------------------------------------------------

def jdbc(world):
    jar = "/usr/share/java/postgresql.jar"
    java = shutil.which("java")
    if not java or not os.path.exists(jar):
        raise Skip("no java with pgjdbc")
    actor = world.gate.actor("jdbc", "bulk")
    r = subprocess.run(
        [java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
         "-cp", jar, HERE + "/java/Work.java",
         "jdbc:postgresql://%s:%d/crm" % (world.gate.host, world.gate.port),
         actor, ACTOR_PASSWORD, "tls"],
        capture_output=True, text=True, timeout=240)
    check(r.returncode == 0 and "done" in r.stdout, "%s",
          (r.stdout + r.stderr)[-700:])
    return r.stdout.strip()


def node(world):
    if not shutil.which("node") or not shutil.which("npm"):
        raise Skip("no node")
    where = os.path.join(os.path.abspath(world.options.build), "npm-pg")
    if not os.path.isdir(where + "/node_modules/pg"):
        os.makedirs(where, exist_ok=True)
        try:
            r = subprocess.run(["npm", "install", "--no-audit", "--no-fund",
                                "--ignore-scripts", "--prefix", where, "pg@8"],
                               capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            raise Skip("npm does not answer") from None
        if r.returncode:
            raise Skip("npm install pg: no network?")
    actor = world.gate.actor("node", "bulk")
    r = subprocess.run(
        ["node", HERE + "/node/work.js", world.gate.host,
         str(world.gate.port), actor, ACTOR_PASSWORD],
        capture_output=True, text=True, timeout=60,
        env=dict(os.environ, NODE_PATH=where + "/node_modules"))
    check(r.returncode == 0, "%s", (r.stdout + r.stderr)[-700:])


# -- sizes and pipelines -----------------------------------------------------------------

def large(world, sql, database, expected):
    """Many megabytes in one result, hashed on the way."""
    actor = world.gate.actor("large", "bulk")
    sums = []
    for end in (world.gate, None):
        w = (world.gate.connect(actor, database, keep=False, timeout=120)
             if end else world.pg.direct(database if database == "plain"
                                         else "crm", keep=False, timeout=120))
        with w:
            w.send("Q", sql.encode() + b"\0")
            h, n, kinds = hashlib.sha256(), 0, set()
            while True:
                kind, body = w.read()
                kinds.add(kind)
                if kind in "Dd":
                    h.update(body)
                    n += len(body)
                if kind == "Z":
                    break
            sums.append((n, h.hexdigest(), "E" in kinds))
    check(sums[0] == sums[1] and sums[0][0] >= expected, "%s", sums)


def large_in(world):
    """64 MB go up in one statement's COPY, 8 MB in one parameter."""
    actor = world.gate.actor("large", "bulk")
    with world.gate.connect(actor, "plain", timeout=120) as w:
        w.query("CREATE TEMP TABLE big (t text)")
        line = b"x" * (1 << 20) + b"\n"
        r = w.copy_in("COPY big FROM STDIN", (line for _ in range(64)))
        check(r.tags == ["COPY 64"], "%s", r.error)
        r = w.query("SELECT sum(length(t)) FROM big")
        check(r.value == str(64 << 20), "%s", r.value)
        r = w.extended("SELECT length($1::text)", [b"y" * (8 << 20)])
        check(r.value == str(8 << 20), "%s", r.error)
    with world.gate.connect(actor, timeout=120) as w:
        r = w.extended("SELECT length($1::text)", [b"y" * (8 << 20)])
        check(r.value == str(8 << 20), "protected: %s", r.error)
        r = w.query("SELECT length('%s')" % ("z" * 500000))
        check(r.value == "500000", "a long literal: %s", r.error)


def pipeline(world):
    """200 queries before an answer is read: the order stays."""
    actor = world.gate.actor("pipeline", "bulk")
    for database in ("crm", "plain"):
        with world.gate.connect(actor, database) as w:
            for i in range(200):
                w.send("Q", b"SELECT %d\0" % i)
            r = w.until("Z", 200)
            check([x[0] for x in r.rows] == [b"%d" % i for i in range(200)],
                  "%s: simple", database)
            for i in range(200):
                w.parse("SELECT %d" % i)
                w.bind()
                w.describe()
                w.execute()
                if i % 10 == 9:
                    w.send("S")
            r = w.until("Z", 20)
            check([x[0] for x in r.rows] == [b"%d" % i for i in range(200)],
                  "%s: extended", database)
            for i in range(100):
                w.parse("SELECT 1/0" if i % 3 == 0 else "SELECT %d" % i)
                w.bind()
                w.execute()
                w.send("S")
            r = w.until("Z", 100)
            check(len(r.errors) == 34 and len(r.rows) == 66,
                  "%s: errors in a pipeline: %d %d", database, len(r.errors),
                  len(r.rows))


def copy_early(world):
    """COPY data that does not wait for CopyInResponse, as asyncpg sends it."""
    actor = world.gate.actor("copy", "bulk")
    line = b"770001\tx\t1\n"
    data = b"d" + struct.pack("!I", 4 + len(line)) + line
    done, fail = b"c\0\0\0\4", b"f\0\0\0\6x\0"
    texts = (("COPY products FROM STDIN", data, done),
             ("COPY products FROM STDIN", data * 20000, done),
             ("COPY products FROM STDIN", data, fail),
             ("COPY nowhere FROM STDIN", data, done),
             ("SELECT 1", data, done),
             ("SELECT 1; COPY products FROM STDIN; SELECT 2", data, done),
             ("BEGIN; COPY products FROM STDIN; ROLLBACK", data, done))
    for text, first, last in texts:
        seen = []
        for w in (world.gate.connect(actor, timeout=20),
                  world.pg.direct(timeout=20)):
            with w:
                w.query("BEGIN")
                w.raw(b"Q" + struct.pack("!I", len(text) + 5) + text.encode() +
                      b"\0" + first + last)
                r = w.until("Z")
                # Refused before it is sent: of the same state, in other words.
                seen.append([r.sqlstate] if "nowhere" in text else r.messages)
                w.query("ROLLBACK")
                if ";" not in text:
                    w.query("BEGIN")
                    w.parse(text)
                    w.bind()
                    w.execute()
                    w.raw(first + last)
                    w.send("S")
                    r = w.until("Z")
                    seen[-1] += ([r.sqlstate] if "nowhere" in text
                                 else r.messages)
                w.query("ROLLBACK")
                check(w.query("SELECT 1").value == "1", "%s: after it", text)
        check(seen[0] == seen[1], "%s: %s, not %s", text, seen[0][-4:],
              seen[1][-4:])


def flush(world):
    """Flush sends what is there without ending the sequence."""
    actor = world.gate.actor("pipeline", "bulk")
    for sql in ("SELECT 1", "SELECT name FROM customers WHERE customer_id=1"):
        with world.gate.connect(actor) as w:
            w.parse(sql)
            w.describe("S")
            w.send("H")
            r = w.until("T")
            check(r.ok(), "%s: Parse, Describe: %s", sql, r.error)
            w.bind()
            w.execute()
            w.send("H")
            r = w.until("CE")
            check(len(r.rows) == 1, "%s: Execute: %s", sql, r.error)
            check(w.sync().ok(), "Sync")


def cancels(world):
    """A cancel reaches the session that it names, in whatever worker."""
    actor = world.gate.actor("cancel", "bulk")

    def one(i):
        with world.gate.connect(actor, "plain" if i % 2 else "crm") as w:
            for _ in range(3):
                w.send("Q", b"SELECT pg_sleep(20)\0")
                time.sleep(0.3)
                w.cancel()
                r = w.until("Z")
                check(r.sqlstate == "57014", "%s", r.error)
                check(w.query("SELECT 1").value == "1", "after")
    at_once([lambda i=i: one(i) for i in range(8)])


def parameters(world):
    """The start of a session tells the client what the server told."""
    actor = world.gate.actor("parameters", "bulk")
    with world.gate.connect(actor, params={
            "application_name": "app", "client_encoding": "UTF8",
            "DateStyle": "ISO, YMD"}) as a, \
        world.pg.direct(params={"application_name": "app",
                                "client_encoding": "UTF8",
                                "DateStyle": "ISO, YMD"}) as b:
        for k, v in b.parameters.items():
            if k not in ("session_authorization", "is_superuser"):
                check(a.parameters.get(k) == v, "%s: %s, not %s", k,
                      a.parameters.get(k), v)
        check(len(a.key) == 8, "key data")
        a.query("SET TimeZone = 'Asia/Tokyo'")
        check(a.parameters["TimeZone"] == "Asia/Tokyo", "SET is reported")


def many(world):
    """150 sessions come and go."""
    actor = world.gate.actor("many", "bulk")

    def one(i):
        for _ in range(5):
            with world.gate.connect(actor, "crm") as w:
                check(w.query("SELECT %d" % i).value == str(i), "value")
    at_once([lambda i=i: one(i) for i in range(30)], 30)


def same_messages(world, sql, result):
    """The wire says the same as PostgreSQL's, message by message."""
    actor = world.gate.actor("messages", "bulk")
    with world.gate.connect(actor) as a, world.pg.direct() as b:
        for q in sql if isinstance(sql, list) else [sql]:
            x, y = [w.query(q) if result is None else
                    w.extended(q, result=result) for w in (a, b)]
            check(x.messages == y.messages, "%s: %s, not %s", q,
                  [m for m in x.messages if m not in y.messages][:3],
                  [m for m in y.messages if m not in x.messages][:3])


SAME = (
    "SELECT * FROM orders ORDER BY 1 LIMIT 20",
    "SELECT * FROM customers ORDER BY customer_id",
    "SELECT name FROM customers ORDER BY customer_id",
    "SELECT c.name, o.* FROM orders o JOIN customers c USING (customer_id) "
    "ORDER BY order_id",
    "SELECT wrong FROM orders",
    "SELECT name FROM customers WHERE wrong = 1",
    "SELECT FROM orders LIMIT 3",
    "SELECT 1 AS a, 1 AS a",
    "",
    "VALUES (1, 'x'), (2, NULL)",
    "TABLE products",
    "COPY products TO STDOUT",
    "COPY (SELECT customer_id, name FROM customers ORDER BY 1) TO STDOUT "
    "(FORMAT csv)",
    "INSERT INTO orders VALUES (1, 1, 1, 'dup')",
    "UPDATE products SET price = price WHERE product_id < 4 RETURNING title",
    "SHOW server_version",
)


def body(suite, world):
    for c in BACKSLASH:
        suite.case("psql " + c, "the same as without a gate", psql_backslash,
                   world, c)
    for name, text in PSQL:
        suite.case("psql-" + name, "the same as without a gate", psql_script,
                   world, text)
    suite.case("psql-plain", "the unprotected database", psql_plain, world)
    suite.case("psql-cancel", "SIGINT", psql_cancel, world)
    suite.case("pgbench", "three protocols, four clients", pgbench, world)
    suite.case("pg_dump", "a dump is cut at 100 people", pg_dump, world)
    for i, sql in enumerate(SAME):
        for result in (None, (), (1,)):
            if result and sql.startswith("COPY"):
                continue
            word = {None: "simple", (): "text", (1,): "binary"}[result]
            suite.case("same-%d-%s" % (i, word), sql[:50] or "nothing",
                       same_messages, world, sql, result)
    cert = TLS.get("cert", "")
    suite.case("tls-require", "sslmode=require", tls_psql, world, "require",
               "127.0.0.1")
    suite.case("tls-verify-ca", "sslmode=verify-ca",
               lambda: tls_psql(world, "verify-ca", "127.0.0.1",
                                PGSSLROOTCERT=cert))
    suite.case("tls-verify-full", "sslmode=verify-full",
               lambda: tls_psql(world, "verify-full", "localhost",
                                PGSSLROOTCERT=cert))
    suite.case("tls-binding-required", "channel_binding=require",
               lambda: tls_psql(world, "require", "127.0.0.1",
                                PGCHANNELBINDING="require"))
    suite.case("tls-wire", "SCRAM-SHA-256-PLUS", tls_wire, world)
    suite.case("tls-mitm", "a wrong channel binding", tls_binding, world)
    suite.case("tls-required", "tls_required refuses plain", tls_required,
               world)
    suite.case("psycopg2", "psycopg2", psycopg2_work, world)
    suite.case("psycopg2-notify", "LISTEN and NOTIFY", psycopg2_notify, world)
    suite.case("psycopg3", "psycopg 3", psycopg3_work, world)
    suite.case("jdbc", "pgjdbc", jdbc, world)
    suite.case("node", "npm pg", node, world)
    rows64 = "SELECT repeat(md5(g::text), 32768) FROM generate_series(1,64) g"
    suite.case("large-rows", "64 MB of rows, unprotected", large, world,
               rows64, "plain", 64 << 20)
    suite.case("large-rows-protected", "64 MB of free rows", large, world,
               rows64, "crm", 64 << 20)
    suite.case("large-cell", "one value of 32 MB", large, world,
               "SELECT repeat('0123456789abcdef', 2097152)", "crm", 32 << 20)
    suite.case("large-copy", "64 MB by COPY", large, world,
               "COPY (%s) TO STDOUT" % rows64, "crm", 64 << 20)
    suite.case("large-personal", "personal rows with wide open columns", large,
               world, "SELECT name, repeat(md5(memo), 1024) FROM customers "
               "ORDER BY customer_id", "crm", 32 << 20 >> 1)
    suite.case("large-in", "64 MB up", large_in, world)
    suite.case("pipeline", "200 queries before an answer", pipeline, world)
    suite.case("copy-early", "COPY data before CopyInResponse", copy_early,
               world)
    suite.case("flush", "Flush", flush, world)
    suite.case("cancels", "cancel over workers", cancels, world)
    suite.case("parameters", "ParameterStatus, BackendKeyData", parameters,
               world)
    suite.case("many", "150 sessions", many, world)


def main():
    suite = Suite(__doc__.splitlines()[0])
    if suite.options.direct:
        sys.exit("--direct has no meaning here")
    import tempfile
    with tempfile.TemporaryDirectory(prefix="kuraban-tls-") as top:
        os.chmod(top, 0o755)
        TLS["cert"], TLS["key"] = certificate(top)
        return suite.run(body, extra='tls_cert = "%s"\ntls_key = "%s"'
                         % (TLS["cert"], TLS["key"]))


if __name__ == "__main__":
    sys.exit(main())
