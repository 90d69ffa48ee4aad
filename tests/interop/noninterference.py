#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random statements must not tell apart databases that differ in people only.

Law L3, tested by machine. Databases are equal but for personal columns: in `b`
a few people (statements.OTHER) have other data than in `a`, in `c` everybody has.
Each statement is sent five times, in every way that the protocol knows:

  nobody   Actors without any budget ask a and c. What comes back must be the same
           bytes: all that they got is free.
  others   Actors that have been charged for everybody but the people that differ,
           and have nothing left, ask a and b. What comes back must be the same:
           all that they got is of the others.
  meter    An actor without a limit. Each value of each person is unique: the
           people found in what came back, however encoded, must be among those
           whom the ledger charged for this very statement. Where the key is in
           the result and a row is about one person, exactly those.

What is left open (docs/soundness.md) is told apart and counted:
  edge     one answer was cut (KB001), or both at different rows: somebody else's
           data begins there. Every row of it must be one that the other database
           gives too.
  bit      an error on one side where the other has another one or none, maybe
           behind rows that are free.
  rank     other rows in front of a LIMIT (others only), all of them charged.
  order    the same rows in another order (others only): rows that are equal to
           ORDER BY change places when another row moves.

sqlsmith, when it is installed, adds statements of its own (--sqlsmith N).
"""
import base64
import collections
import multiprocessing
import re
import shutil
import struct
import subprocess
import sys
import time

import people
import schema
import statements
from harness import ROLE_PASSWORD, TABLES, Failure, Skip, Suite, check
from statements import OTHER, Generator, Statement
from wire import Closed, data_row

ARGS = {"seed": 1, "statements": 400, "sqlsmith": 0, "jobs": 2,
        "seconds": 0}
THEM = {*statements.CUSTOMERS, *statements.STAFF, *statements.PATIENTS,
        *statements.LEGACY}
SMITH = 10 ** 11		# statements of sqlsmith are numbered from here
WORLDS = "acdbm"	# nobody: a, c; others: d (equal to a), b; meter: m


# -- the databases ---------------------------------------------------------------

def build(world):
    pg = world.pg
    pg.psql("postgres", "CREATE DATABASE base")
    pg.psql("base", schema.CRM.replace("CREATE EXTENSION dblink;\n", "") +
            statements.FIXTURE.replace("@PORT@", str(pg.port))
            .replace("@PASSWORD@", ROLE_PASSWORD) +
            "GRANT ALL ON SCHEMA public TO kuraban_gate;"
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO kuraban_gate;")
    # Copies of the empty one: the same OIDs, later the same row addresses.
    for i in range(ARGS["jobs"]):
        for w in WORLDS:
            pg.psql("postgres", "CREATE DATABASE %s%d TEMPLATE base" % (w, i))
            changed = {"b": OTHER, "c": range(1, 1000)}.get(w, ())
            pg.psql("%s%d" % (w, i), statements.data(changed) +
                    "ALTER SERVER loop OPTIONS (SET dbname '%s%d');" % (w, i))


def databases(world):
    return "".join("""
database "%s" {
    upstream = "host=127.0.0.1 port=%d dbname=%s user=kuraban_gate password=%s"
%s%s}
""" % (n, world.pg.port, n, ROLE_PASSWORD, TABLES, statements.TABLES)
        for n in ("%s%d" % (w, i) for w in WORLDS
                  for i in range(ARGS["jobs"])))


def roles(_world):
    def role(name, worlds, limit):
        return 'role "%s" { databases = { %s } subjects_per_day = %d }\n' % (
            name, ", ".join('"%s%d"' % (w, i) for w in worlds
                            for i in range(ARGS["jobs"])), limit)
    known = statements.KEYED_PEOPLE - len(OTHER)
    return (role("none", "ac", 0) + role("others", "db", known) +
            role("meter", "m", 100000000))


# -- a statement on the wire -------------------------------------------------------

def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def q(text):
    return message(b"Q", text.encode() + b"\0")


def extended(sql, binary=False, portal=b"", limits=(0,), name=b"", binds=1):
    out = message(b"C", b"S" + name + b"\0") if name else b""
    out += message(b"P", name + b"\0" + sql.encode() + b"\0" +
                  struct.pack("!HI", 1, 23))
    for i in range(binds):
        out += message(b"B", portal + b"\0" + name + b"\0\0\0" +
                       struct.pack("!Hi", 1, 1) + str(3 + i).encode() +
                       (struct.pack("!HH", 1, 1) if binary else b"\0\0"))
        out += message(b"D", b"P" + portal + b"\0")
        for n in limits:
            out += message(b"E", portal + b"\0" + struct.pack("!I", n))
    return out + message(b"S")


EXPLAIN = ("EXPLAIN ", "EXPLAIN (COSTS OFF) ", "EXPLAIN (VERBOSE, FORMAT JSON) ",
           "EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) ")
PROBES = ("SELECT count(*), sum(rank) FROM customers",
          "SELECT memo, rank FROM customers ORDER BY customer_id",
          "SELECT note, total FROM orders ORDER BY order_id",
          "SELECT title FROM products ORDER BY product_id",
          "SELECT level FROM cards ORDER BY card_id",
          "SELECT dept FROM staff ORDER BY staff_id",
          "SELECT count(*) FROM ruled", "SELECT count(*) FROM trig")
WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE)\b")


def script(st):
    """The bytes to send, and how many ReadyForQuery come back."""
    raw, n = st.sql, st.number
    sql = raw.replace("$1", "3")
    if st.route == "simple":
        parts = [q(sql)]
    elif st.route == "text":
        parts = [extended(raw)]
    elif st.route == "binary":
        parts = [extended(raw, binary=True)]
    elif st.route == "portal":
        parts = [extended(raw, portal=b"p", limits=(3, 3, 3, 3))]
    elif st.route == "named":
        parts = [extended(raw, name=b"s", binds=2)]
    elif st.route == "cursor":
        parts = [q("BEGIN"), q("DECLARE k%d SCROLL CURSOR FOR %s" % (n, sql))]
        parts += [q("%s k%d" % (x, n)) for x in (
            "FETCH 2 FROM", "FETCH ALL FROM", "FETCH BACKWARD 2 FROM",
            "MOVE ABSOLUTE 1 FROM", "FETCH RELATIVE 0 FROM")]
        parts += [q("ROLLBACK")]
    elif st.route == "hold":
        parts = [q("BEGIN"),
                 q("DECLARE k%d CURSOR WITH HOLD FOR %s" % (n, sql)),
                 q("COMMIT"), q("FETCH 3 FROM k%d" % n),
                 q("FETCH ALL FROM k%d" % n), q("CLOSE ALL")]
    elif st.route.startswith("copy"):
        parts = [q("COPY (%s) TO STDOUT%s" % (sql, {
            "copy": "", "copy_csv": " (FORMAT csv, HEADER)",
            "copy_binary": " (FORMAT binary)"}[st.route]))]
    elif st.route == "prepared":
        parts = [q("PREPARE p%d (int) AS %s" % (n, raw)),
                 q("EXECUTE p%d (3)" % n), q("DEALLOCATE ALL")]
    elif st.route == "explain":
        parts = [q(EXPLAIN[n % len(EXPLAIN)] + sql)]
    elif st.route == "two":
        parts = [q("SELECT count(*) FROM orders; " + sql)]
    elif st.route == "create":
        parts = [q("BEGIN"), q("CREATE TEMP TABLE k%d AS %s" % (n, sql)),
                 q("SELECT * FROM k%d" % n), q("ROLLBACK")]
    elif st.route == "probe":
        parts = [q("BEGIN"), q(sql)] + [q(x) for x in PROBES] + [q("ROLLBACK")]
    else:
        raise KeyError(st.route)
    if WRITES.search(sql) and st.route in ("simple", "text", "binary", "named",
                                           "explain", "two", "portal"):
        parts = [q("BEGIN")] + parts + [q("ROLLBACK")]
    return b"".join(parts), len(parts)


def answer(w, ready):
    """All bytes up to the last ReadyForQuery."""
    at = 0
    while ready:
        while len(w.buf) < at + 5:
            w._need(at + 5)
        size = struct.unpack_from("!I", w.buf, at + 1)[0]
        w._need(at + 1 + size)
        ready -= w.buf[at] == 90
        at += 1 + size
    out = bytes(w.buf[:at])
    del w.buf[:at]
    return out


def split(raw):
    at, out = 0, []
    while at < len(raw):
        size = struct.unpack_from("!I", raw, at + 1)[0]
        out.append((chr(raw[at]), raw[at + 5:at + 1 + size]))
        at += 1 + size
    return out


def errors(messages):
    return [re.search(rb"\0C(\w{5})", b).group(1).decode()
            for t, b in messages if t == "E"]


def rows(messages, route):
    """DataRows and COPY lines, without the heads that COPY's formats have."""
    out = [b for t, b in messages if t in "Dd"]
    if route == "copy_csv":
        out = out[1:]
    elif route == "copy_binary":
        out = [b[19:] if b.startswith(b"PGCOPY") else b for b in out]
    return collections.Counter(b for b in out if b not in (b"", b"\xff\xff"))


def normal(messages, route):
    """
    A temporary table has another OID in each database; that a transaction is
    aborted is said by the gate or by the server, as the verdict is known or not.
    """
    out = []
    for t, b in messages:
        if t == "E" and b"\0C25P02\0" in b:
            b = b"25P02"
        if t == "T" and route == "create":
            at = 2
            b = bytearray(b)
            for _ in range(struct.unpack_from("!H", b)[0]):
                at = b.index(b"\0", at) + 1
                b[at:at + 4] = bytes(4)
                at += 18
            b = bytes(b)
        out.append((t, b))
    return out


TAIL = re.compile(r" (LIMIT \d+( OFFSET \d+)?|OFFSET \d+( FETCH NEXT \d+ ROWS ONLY)?|"
                  r"FETCH FIRST \d+ ROWS WITH TIES)$")


def plan(got):
    return [re.sub(rb"\(cost=[^)]*\)", b"", data_row(b)[0])
            for t, b in got if t == "D"]


class Worker:
    """Runs statements against the worlds of one job."""

    def __init__(self, world, job):
        self.world, self.job = world, job
        self.count = collections.Counter()
        self.bad, self.seen = [], []
        self.free_bytes = 0
        self.plain = {}
        gate = world.gate
        self.ws = {}
        for name, actor in (("a", "nobody"), ("c", "nobody"), ("d", "others-d"),
                            ("b", "others-b"), ("m", "meter")):
            w = self.ws[name] = gate.connect(
                "%s%d" % (actor, job), "%s%d" % (name, job))
            w.keep = False
            r = w.query("SET statement_timeout = '%ds'" % (
                3 if ARGS["statements"] < 2000 else 1))
            check(r.ok(), "%s", r.error)
            if name in "db":
                self.charge(w)

    def charge(self, w):
        for how, cut in (("<>", False), ("=", True)):
            for table, key, who in statements.PEOPLE:
                s = next(s for s in who if s in OTHER)
                r = w.query("SELECT name FROM %s WHERE %s %s %d" % (
                    table, key, how, statements.KEY[table](s)))
                check(not r.rows and r.sqlstate in ("KB001", None) if cut else
                      r.ok() and len(r.rows) > 5, "%s: %s, %s", table, r.rows,
                      r.error)

    def within(self, st, r1, r2, names):
        """Every row of each is one that the other database gives too."""
        whole = st._replace(sql=TAIL.sub("", st.sql), route={
            "portal": "text", "named": "text", "cursor": "simple",
            "hold": "simple", "two": "simple", "create": "simple",
            "prepared": "simple"}.get(st.route, st.route))
        return set(r1) - set(r2) <= set(self.direct(names[1], whole)) and \
            set(r2) - set(r1) <= set(self.direct(names[0], whole))

    def direct(self, name, st):
        if name not in self.plain:
            w = self.plain[name] = self.world.pg.direct(
                "%s%d" % (name, self.job))
            w.keep = False
        data, ready = script(st)
        self.plain[name].raw(data)
        return rows(split(answer(self.plain[name], ready)), st.route)

    def fail(self, what, st, *more):
        self.bad.append("%s: %s: %s\n%s" % (what, st.route, st.sql, "\n".join(
            "      %.1500r" % ([x for x in m if x[0] != "T"][-6:]
                             if isinstance(m, list) and m and
                             isinstance(m[0], tuple) else m,)
            for m in more)))

    def run(self, todo):
        start = time.monotonic()
        for st in todo:
            if ARGS["seconds"] and time.monotonic() > start + ARGS["seconds"]:
                break
            data, ready = script(st)
            for w in self.ws.values():
                w.raw(data)
            raw = {}
            for k, w in self.ws.items():
                try:
                    raw[k] = answer(w, ready)
                except (Closed, TimeoutError) as e:
                    raise Failure("session %s ended (%s) at: %s: %s\n%r" % (
                        k, e, st.route, st.sql, bytes(w.buf[-600:])))
            self.pair("nobody", st, raw["a"], raw["c"], "ac", True)
            self.pair("others", st, raw["d"], raw["b"], "db", False)
            self.meter(st, raw["m"])

    # two worlds

    def pair(self, what, st, raw1, raw2, names, strict):
        if raw1 == raw2:
            self.count[what, "same"] += 1
            if strict and b"KB00" not in raw1:
                self.free_bytes += len(raw1)
            return
        g1, g2 = split(raw1), split(raw2)
        e1, e2 = errors(g1), errors(g2)
        if "57014" in e1 + e2:
            self.count[what, "timeout"] += 1
            return
        if normal(g1, st.route) == normal(g2, st.route):
            self.count[what, "same"] += 1
            return
        kind = self.residual(st, g1, g2, e1, e2, names, strict)
        if kind is None and st.number >= SMITH and self.unstable(
                st, raw1, names[0]):
            kind = "unstable"
        self.count[what, kind or "DIFFERS"] += 1
        if kind is None:
            self.fail("%s: tells %s from %s" % ((what,) + tuple(names)), st,
                      e1, e2, g1, g2)

    def unstable(self, st, raw, name):
        """sqlsmith likes random(), clocks and the like."""
        data, ready = script(st)
        self.ws[name].raw(data)
        return answer(self.ws[name], ready) != raw

    def residual(self, st, g1, g2, e1, e2, names, strict):
        r1, r2 = rows(g1, st.route), rows(g2, st.route)
        cut = "KB001" in e1 or "KB001" in e2
        if not strict and e1 == e2 and r1 == r2:
            return "order"
        if not strict and e1 == e2 == [] and (
                TAIL.search(st.sql) or
                st.route in ("portal", "cursor", "hold")) and \
           self.within(st, r1, r2, names):
            return "rank"
        several = st.route in ("two", "probe", "cursor", "hold", "create")
        if cut and strict:
            # Nothing that is charged may come: not one row.
            if several or not r1 and not r2:
                return "edge" if r1 <= r2 or r2 <= r1 else None
            return None
        if cut:
            if r1 <= r2 or r2 <= r1:
                return "edge"
            return "edge" if self.within(st, r1, r2, names) else None
        if e1 != e2 and (r1 <= r2 or r2 <= r1):
            return "bit"
        if st.route == "explain" and e1 == e2 == [] and plan(g1) == plan(g2):
            # The same plan over tables that undone changes have made larger.
            return "sizes"
        return None

    # what the ledger should have

    def meter(self, st, raw):
        got = split(raw)
        err = errors(got)
        found, keys = set(), None
        if not err or len(raw) > 200:
            found = people.find(b"\n".join(b for t, b in got if t not in "SZ"))
            found &= THEM
        if st.exact and not err and st.route not in ("copy_csv", "copy_binary"):
            at, add = st.exact
            keys = {self.key(data_row(b)[at], st) + add
                    for t, b in got if t == "D"}
            keys |= {int(b.split(b"\t")[at]) + add for t, b in got if t == "d"}
        self.seen.append((st, found, keys, err))

    @staticmethod
    def key(cell, st):
        return int.from_bytes(cell, "big") if st.route == "binary" else int(cell)


THE_WORLD = None		# for the forked workers


def job(i, todo):
    w = Worker(THE_WORLD, i)
    w.run(todo)
    return w.count, w.bad, w.seen, w.free_bytes


# -- the ledger ---------------------------------------------------------------------

def tokens(entry):
    out = set()
    for domain, packed in zip(entry.get("domains", ()), entry.get("subjects", ())):
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4))
        out |= {(domain, raw[i:i + 8]) for i in range(0, len(raw), 8)}
    return out


def learn(world):
    """{token: person}, from one release of each."""
    gate = world.gate
    out = {}
    for i in range(ARGS["jobs"]):
        actor = gate.actor("learner%d" % i, "meter")
        asked = []
        with gate.connect(actor, "m%d" % i) as w:
            for table, key, who in statements.PEOPLE:
                for s in who:
                    r = w.query("SELECT name FROM %s WHERE %s = %d" % (
                        table, key, statements.KEY[table](s)))
                    if r.rows:
                        asked.append(s)
        entries = gate.entries(kind="release", actor=actor)
        check(len(entries) == len(asked), "%d releases of %d people",
              len(entries), len(asked))
        for s, e in zip(asked, entries):
            t = tokens(e)
            check(len(t) == 1 and e["anon"] == 0, "%s", e)
            out[i, t.pop()] = s
    return out


NUMBER = re.compile(r"\b[tkp](\d+)(?:_\d+)?\b")


class Charge:
    def __init__(self):
        self.people, self.anon, self.classes = set(), 0, set()


def charges(world, known):
    """{statement number: Charge} of the meter's sessions."""
    out = collections.defaultdict(Charge)
    for e in world.gate.entries():
        actor = e.get("actor", "")
        if not actor.startswith("meter") or e["kind"] not in ("release",
                                                              "statement"):
            continue
        m = NUMBER.search(e.get("sql", ""))
        if not m:
            continue
        c = out[int(m.group(1))]
        c.classes.add(e["class"])
        if e["kind"] == "release":
            c.anon += e["anon"]
            c.people |= {known.get((int(actor[5:]), t), str(t))
                         for t in tokens(e)}
    return out


def judge_meter(seen, charged):
    """(failures, distribution)"""
    bad, dist = [], collections.Counter()
    worst = 0
    for st, found, keys, err in seen:
        c = charged.get(st.number, Charge())
        refused = [e for e in err if e in ("KB003", "KB004")]
        failed = [e for e in err if e[:2] != "KB"]
        for word in ("bytes", "rows", "key", "free"):
            if word in c.classes:
                dist[word] += 1
                break
        else:
            dist["refused" if refused else "timeout" if "57014" in err else
                 "error" if failed else "other"] += 1
        if st.number == 0:
            continue
        if len(found) > len(c.people) + c.anon or \
           c.anon == 0 and not found <= c.people:
            bad.append("upper bound: %s: %s\n      found %s, charged %s + %d" % (
                st.route, st.sql, sorted(found), c.people, c.anon))
        if not c.people <= THEM:
            bad.append("charged for nobody known: %s: %s\n      %s" % (
                st.route, st.sql, c.people - THEM))
        worst = max(worst, len(found))
        if keys is None or failed or refused or "KB005" in err:
            continue
        if c.classes <= {"key"} and c.anon == 0:
            dist["exact"] += 1
            if keys != c.people:
                bad.append("exactness: %s: %s\n      keys %s, charged %s" % (
                    st.route, st.sql, sorted(keys), c.people))
    check(worst > 1, "the detector found nobody in anything")
    return bad, dist


# -- the run -------------------------------------------------------------------------

def sqlsmith(world, n, seed):
    if not shutil.which("sqlsmith"):
        raise Skip("no sqlsmith")
    r = subprocess.run(
        ["sqlsmith", "--seed=%d" % seed, "--dry-run", "--max-queries=%d" % n,
         "--exclude-catalog", "--target=host=%s port=%d dbname=a0 "
         "user=postgres" % (world.pg.dir, world.pg.port)],
        capture_output=True, text=True, timeout=280)
    out = [x.strip() for x in r.stdout.split(";\n") if x.strip()]
    keep = [x for x in out if re.match(r"(select|with)\b", x, re.I)]
    check(keep, "sqlsmith: %s", r.stderr[-300:])
    # A number to find it by in the ledger, as an alias of its own.
    first = SMITH + seed % 10000 * 100000
    return [Statement("SELECT * FROM (%s) t%d_0" % (x, first + i), "simple", None,
                      first + i) for i, x in enumerate(keep)]


def actors(world):
    for i in range(ARGS["jobs"]):
        for name, role in (("nobody", "none"), ("others-d", "others"),
                           ("others-b", "others"), ("meter", "meter")):
            world.gate.actor("%s%d" % (name, i), role)


def fixed(world, known):
    actors(world)
    w = Worker(world, 0)
    # @T is an alias by which the ledger's entry is found.
    w.run(Statement(sql.replace("@T", "t%d_0" % i), route, None,
                    i if "@T" in sql else 0)
          for i, (route, sql) in enumerate(statements.FIXED, 1))
    bad, _ = judge_meter(w.seen, charges(world, known))
    if w.bad + bad:
        raise Failure("\n".join(w.bad + bad))
    return "%d statements" % len(statements.FIXED)


def everything(world, todo, known, own=True):
    jobs = ARGS["jobs"]
    actors(world)
    global THE_WORLD
    THE_WORLD = world
    start = time.monotonic()
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        parts = pool.starmap(job, [(i, todo[i::jobs]) for i in range(jobs)],
                             chunksize=1)
    took = time.monotonic() - start
    count, bad, seen, free = collections.Counter(), [], [], 0
    for c, b, s, f in parts:
        count += c
        bad += b
        seen += s
        free += f
    n = len(seen)
    more, dist = judge_meter(seen, charges(world, known))
    bad += more
    for text in bad[:20]:
        print("    " + text)
    words = ["%s %s %d" % (a, b, n) for (a, b), n in sorted(count.items())]
    words += ["%s %d" % x for x in dist.most_common()]
    said = "%d statements, %.0f/s, %d free bytes; %s" % (
        n, n / took, free, ", ".join(words))
    if bad:
        raise Failure("%d FAILURES; %s" % (len(bad), said))
    check(not own or dist["free"] > n / 20 and
          dist["key"] + dist["rows"] + dist["bytes"] > n / 5,
          "the test is vacuous: %s", said)
    return said


def direct(world, todo):
    """How good the generator is: without a gate most differ."""
    count = collections.Counter()
    with world.pg.direct("a0") as a, world.pg.direct("c0") as c, \
            world.pg.direct("b0") as b:
        for w in (a, b, c):
            w.keep = False
            w.query("SET statement_timeout = '1s'")
        for st in todo:
            data, ready = script(st)
            for w in (a, b, c):
                w.raw(data)
            ra, rb, rc = (answer(w, ready) for w in (a, b, c))
            e = errors(split(ra))
            count["error " + e[0] if e else "ran"] += 1
            if e and e[0] in ("42601", "42883", "42804", "42703"):
                print("    %s %s" % (e[0], st.sql[:300]))
            count["a/c"] += ra != rc
            count["a/b"] += ra != rb
    n = len(todo)
    check(count["ran"] > n * 2 / 3, "too many in error: %s", count)
    check(count["a/c"] > n / 4 and count["a/b"] > n / 10,
          "too few differ: %s", count)
    return str(dict(count))


def body(suite, world):
    seed, n = ARGS["seed"], ARGS["statements"]
    g = Generator(seed)
    todo = [g.statement() for _ in range(n)]
    if suite.options.list:
        known = None
    elif suite.options.direct:
        suite.case("direct", "what the generator makes", direct, world, todo)
        return
    else:
        known = learn(world)
    suite.case("fixed", "what was once wrong", fixed, world, known)
    suite.case("random", "%d statements, seed %d" % (n, seed), everything, world,
               todo, known)
    if ARGS["sqlsmith"]:
        suite.case("sqlsmith", "statements of sqlsmith, seed %d" % seed,
                   lambda: everything(world, sqlsmith(
                       world, ARGS["sqlsmith"], seed), known, False))


def main():
    rest = []
    argv = sys.argv[1:]
    while argv:
        a = argv.pop(0)
        if a.startswith("--") and a[2:] in ARGS:
            ARGS[a[2:]] = int(argv.pop(0))
        else:
            rest.append(a)
    sys.argv[1:] = rest
    suite = Suite(__doc__.splitlines()[0])
    return suite.run(body, prepare=build, roles=roles, databases=databases)


if __name__ == "__main__":
    sys.exit(main())
