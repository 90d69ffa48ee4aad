#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An actor with 100 subjects a day gets exactly 100 people, whatever the way.

Laws L2 (exact edge), L4 (one meter) and, over a restart, L1.
"""
import re
import sys

import people
from harness import ACTOR_PASSWORD, Failure, Suite, at_once, check, wait_for
from wire import AuthError, Result

LIMIT = 100
ROLES = """
role "month" { databases = { "crm" } subjects_per_30days = 40 }
role "year" { databases = { "crm" } subjects_per_year = 30 }
role "ever" {
    databases = { "crm" }
    subjects_per_day = 100
    subjects_ever = 20
}
role "nothing" { databases = { "crm" } subjects_per_day = 0 }
role "elsewhere" { databases = { "plain" } subjects_per_day = 10 }
"""


def seen(*results):
    """Distinct subjects in all the messages."""
    out = set()
    for r in results:
        out |= people.find(b"\n".join(b for t, b in r.messages if t in "DdENTSA"))
        out |= people.find_in_cells(r.rows)
    return out


def cut(result, rows=None):
    """The result was cut, and says so."""
    check(result.sqlstate == "KB001", "expected KB001, got %s %s",
          result.sqlstate, result.tags)
    check(not any(t.startswith(("SELECT", "COPY", "FETCH"))
                  for t in result.tags) or rows is None,
          "a cut result has a tag: %s", result.tags)
    if rows is not None:
        n = len(result.rows) or len(result.of("d"))
        check(n == rows, "%d rows before the edge, expected %d", n, rows)


def charged(world, actor, n):
    used = world.gate.used(actor)
    check(used == n, "%d charged, expected %d", used, n)


# -- the ways ------------------------------------------------------------------

def simple(sql):
    def run(w):
        r = w.query(sql)
        cut(r, LIMIT)
        return r
    return run


def extended(sql, result=(), describe=True):
    def run(w):
        r = w.extended(sql, result=result, describe=describe)
        cut(r, LIMIT)
        return r
    return run


def copy(sql):
    def run(w):
        r = w.query(sql)
        cut(r)
        return r
    return run


def cursor(step):
    def run(w):
        got = [w.query("BEGIN"),
               w.query("DECLARE k CURSOR FOR SELECT name FROM customers")]
        for _ in range(1000 // step):
            r = w.query("FETCH %d FROM k" % step)
            got.append(r)
            if r.errors:
                cut(r)
                break
        else:
            raise Failure("never cut")
        got.append(w.query("ROLLBACK"))
        check(got[-1].ok(), "ROLLBACK after the edge: %s", got[-1].error)
        return Result([m for r in got for m in r.messages])
    return run


def portal(step):
    def run(w):
        w.query("BEGIN")
        w.parse("SELECT name, phone FROM customers")
        w.bind(portal="p")
        got = []
        for _ in range(1000 // step):
            w.execute("p", step)
            w.send("H")
            r = w.until("sCE")
            got += r.messages
            if r.errors:
                cut(r)
                break
        else:
            raise Failure("never cut")
        got += w.sync().messages
        check(w.query("ROLLBACK").ok(), "the session goes on")
        return Result(got)
    return run


def portal_pipelined(w):
    w.query("BEGIN")
    w.parse("SELECT name FROM customers")
    w.bind(portal="p")
    for _ in range(50):
        w.execute("p", 20)
    r = w.sync()
    cut(r)
    w.query("ROLLBACK")
    return r


def returning(w):
    w.query("BEGIN")
    r = w.query("UPDATE customers SET rank = rank RETURNING name, rank")
    cut(r, LIMIT)
    check(r.columns == ["name", "rank"], "columns: %s", r.columns)
    check(w.query("ROLLBACK").ok(), "ROLLBACK")
    return r


WAYS = (
    ("select-star", "SELECT *", simple("SELECT * FROM customers")),
    ("select-key", "the key is selected",
     simple("SELECT customer_id, name FROM customers")),
    ("hidden-key", "the key is not selected",
     simple("SELECT name FROM customers")),
    ("ordered", "in another order",
     simple("SELECT name FROM customers ORDER BY email DESC")),
    ("joined", "each person twice, with orders",
     lambda w: copy("SELECT c.name, o.total FROM orders o JOIN customers c "
                    "USING (customer_id) ORDER BY c.customer_id")(w)),
    ("row-json", "as JSON", simple("SELECT row_to_json(c) FROM customers c")),
    ("extended", "extended protocol", extended("SELECT * FROM customers")),
    ("extended-binary", "binary results, key hidden",
     extended("SELECT name, birth_date FROM customers", (1,))),
    ("extended-blind", "binary results without Describe",
     extended("SELECT name FROM customers", (1,), False)),
    ("copy-text", "COPY text", copy("COPY customers TO STDOUT")),
    ("copy-csv", "COPY csv",
     copy("COPY customers TO STDOUT (FORMAT csv, HEADER)")),
    ("copy-binary", "COPY binary",
     copy("COPY customers TO STDOUT (FORMAT binary)")),
    ("copy-hidden", "COPY of columns without the key",
     copy("COPY customers (name, email) TO STDOUT")),
    ("copy-query-hidden", "COPY (query) without the key, csv",
     copy("COPY (SELECT name FROM customers) TO STDOUT (FORMAT csv)")),
    ("copy-query-binary", "COPY (query) without the key, binary",
     copy("COPY (SELECT name FROM customers) TO STDOUT (FORMAT binary)")),
    ("cursor-all", "FETCH 1000", cursor(1000)),
    ("cursor-30", "FETCH 30, which does not divide 100", cursor(30)),
    ("portal-50", "a portal, 50 rows a time", portal(50)),
    ("portal-7", "a portal, 7 rows a time", portal(7)),
    ("portal-pipelined", "50 executions before one Sync", portal_pipelined),
    ("returning", "UPDATE .. RETURNING", returning),
)


def exactly(world, name, way):
    actor = world.gate.actor("exact-" + name)
    with world.gate.connect(actor) as w:
        r = way(w)
        n = seen(r)
        check(len(n) == LIMIT, "%d people reached the client", len(n))
        charged(world, actor, LIMIT)
        check(w.query("SELECT count(*) FROM orders").value == "2000",
              "open work goes on")
    with world.gate.connect(actor) as w:
        more = w.query("SELECT name FROM customers ORDER BY customer_id")
        check(len(n | seen(more)) == LIMIT, "a second session got %d others",
              len(seen(more) - n))
        keys = ", ".join(map(str, sorted(n)))
        again = w.query("SELECT name FROM customers WHERE customer_id IN (%s)"
                        % keys)
        check(again.ok() and len(again.rows) == LIMIT,
              "the same again is free: %s %d", again.error, len(again.rows))
        charged(world, actor, LIMIT)


def pages(world):
    actor = world.gate.actor("pages")

    def one(number):
        got = []
        with world.gate.connect(actor) as w:
            for p in range(number, 20, 5):
                got.append(w.extended("SELECT name FROM customers ORDER BY "
                                      "customer_id OFFSET $1 LIMIT 50",
                                      [p * 50]))
        return got
    results = [r for rs in at_once([lambda i=i: one(i) for i in range(5)])
               for r in rs]
    n = len(seen(*results))
    check(n == LIMIT, "%d people over five sessions", n)
    charged(world, actor, LIMIT)
    check(any(r.sqlstate == "KB001" for r in results), "no KB001")
    for r in results:
        check(r.errors or len(r.rows) == 50, "a short page without an error")


def storm(world):
    """Twenty sessions ask for everything at once, in different orders."""
    actor = world.gate.actor("storm")

    def one(i):
        with world.gate.connect(actor) as w:
            r = w.query("SELECT name FROM customers ORDER BY "
                        "md5(customer_id::text || '%d')" % i)
            # The order depends on the key only, so the class is by key.
            check(r.sqlstate == "KB001", "session %d: %s", i, r.sqlstate)
            return r
    results = at_once([lambda i=i: one(i) for i in range(20)])
    n = len(seen(*results))
    check(n <= LIMIT, "%d people", n)
    charged(world, actor, LIMIT)
    return "%d people to 20 sessions" % n


def restart(world, way):
    """way: "stop" or "kill" of every process."""
    gate = world.gate
    actor = gate.actor("restart-" + way)
    with gate.connect(actor) as w:
        first = seen(w.query("SELECT name FROM customers"))
    check(len(first) == LIMIT, "%d before", len(first))
    if way == "kill":
        gate.kill()
    else:
        gate.stop()
    gate.start()
    with gate.connect(actor) as w:
        r = w.query("SELECT name FROM customers WHERE customer_id NOT IN (%s)"
                    % ", ".join(map(str, first)))
        cut(r, 0)
        check(not seen(r), "%d more people after a restart", len(seen(r)))
        r = w.query("SELECT name FROM customers WHERE customer_id IN (%s)"
                    % ", ".join(map(str, first)))
        check(r.ok() and len(r.rows) == LIMIT, "the same 100 are free: %s",
              r.error)
    charged(world, actor, LIMIT)


def repeat(world):
    actor = world.gate.actor("repeat")
    asks = (
        lambda w: w.query("SELECT name FROM customers WHERE customer_id = 7"),
        lambda w: w.query("SELECT * FROM v_plain WHERE customer_id = 7"),
        lambda w: w.extended("SELECT customer_id, birth_date FROM customers "
                             "WHERE customer_id = $1", [7], result=(1,)),
        lambda w: w.extended("SELECT email FROM customers WHERE "
                             "customer_id = $1", [7], describe=False),
        lambda w: w.query("COPY (SELECT customer_id, phone FROM customers "
                          "WHERE customer_id = 7) TO STDOUT (FORMAT binary)"),
        lambda w: w.query("COPY (SELECT phone FROM customers "
                          "WHERE customer_id = 7) TO STDOUT"),
        lambda w: w.query("SELECT phone FROM contacts WHERE customer_id = 7"),
        lambda w: w.query("SELECT c.name, o.total FROM orders o JOIN "
                          "customers c USING (customer_id) "
                          "WHERE customer_id = 7"),
        lambda w: w.extended("SELECT o.customer_id::bigint, c.name FROM orders"
                             " o JOIN customers c USING (customer_id) WHERE "
                             "o.customer_id = $1", [7], result=(1,)),
        lambda w: w.query("SELECT a.name, b.name FROM customers a, customers b"
                          " WHERE a.customer_id = 7 AND b.customer_id = 7"),
    )
    for i, ask in enumerate(asks):
        with world.gate.connect(actor) as w:
            r = ask(w)
            check(r.ok(), "ask %d: %s", i, r.error)
            check(seen(r) == {7}, "ask %d showed %s", i, seen(r))
        used = world.gate.used(actor)
        check(used == 1, "after ask %d: %d charged", i, used)


def two_per_row(world):
    actor = world.gate.actor("two")
    sql = ("SELECT a.name, b.name FROM customers a JOIN customers b "
           "ON b.customer_id = a.customer_id + 500 ORDER BY a.customer_id")
    with world.gate.connect(actor) as w:
        r = w.query(sql)
        cut(r, 50)
        check(len(seen(r)) == 100, "%d people", len(seen(r)))
    charged(world, actor, 100)


def two_into_one(world):
    """One subject is left, the next row has two: it is not shown."""
    actor = world.gate.actor("odd")
    with world.gate.connect(actor) as w:
        r = w.query("SELECT name FROM customers WHERE customer_id <= 99")
        check(r.ok() and len(r.rows) == 99, "%s", r.error)
        r = w.query("SELECT a.name, b.name FROM customers a JOIN customers b "
                    "ON b.customer_id = a.customer_id + 400 "
                    "WHERE a.customer_id > 500 AND a.customer_id < 503")
        cut(r, 0)
        check(not seen(r), "saw %s", seen(r))
        r = w.query("SELECT name FROM customers WHERE customer_id = 1000")
        check(r.ok() and len(r.rows) == 1, "the hundredth: %s", r.error)
        r = w.query("SELECT name FROM customers WHERE customer_id = 101")
        cut(r, 0)
    charged(world, actor, 100)


def message(world):
    """KB001 carries used, limit, window, when it frees, how to ask."""
    actor = world.gate.actor("message")
    with world.gate.connect(actor) as w:
        r = w.query("SELECT * FROM customers")
        cut(r)
        e = r.errors[-1]
        text = " ".join(e.values())
        check(e.get("S") == "ERROR", "severity %s", e.get("S"))
        check(re.search(r"\b100\b", text), "no limit in: %s", text)
        check(re.search(r"day", text, re.I), "no window in: %s", text)
        check(re.search(r"20\d\d-\d\d-\d\d", text), "no date in: %s", text)
        check("4649" in text, "no contact in: %s", text)
        return e.get("M")


def window(world, role, limit, word):
    actor = world.gate.actor("window-" + role, role)
    with world.gate.connect(actor) as w:
        r = w.query("SELECT name FROM customers")
        cut(r, limit)
        text = " ".join(r.errors[-1].values())
        check(re.search(r"\b%d\b" % limit, text), "no %d in: %s", limit, text)
        check(re.search(word, text, re.I), "no %s in: %s", word, text)
    used = {b["window"]: b["used"] for b in world.gate.json("budget", actor)}
    check(all(v == limit for v in used.values()), "%s", used)


def observe(world):
    actor = world.gate.actor("observed", "watched")
    with world.gate.connect(actor) as w:
        r = w.query("SELECT name FROM customers")
        check(r.ok() and len(seen(r)) == 1000, "%s", r.error)
    charged(world, actor, 1000)
    alerts = world.gate.entries(kind="alert", actor=actor)
    check(alerts, "no alert")


def hold(world):
    actor = world.gate.actor("held", "holder")
    with world.gate.connect(actor) as w:
        r = w.query("SELECT name FROM customers")
        check(r.sqlstate == "KB002", "%s", r.error)
        check(len(seen(r)) <= LIMIT, "%d people", len(seen(r)))
        check(re.search(r"\d", " ".join(r.error.values())), "no request number")
    return r.error["M"]


def after_the_edge(world):
    """The session and the transaction behave as after any error."""
    actor = world.gate.actor("after")
    with world.gate.connect(actor) as w:
        w.query("SELECT name FROM customers")
        check(w.status == "I", "status %s", w.status)
        w.query("BEGIN")
        r = w.query("SELECT name FROM customers ORDER BY customer_id DESC")
        cut(r, 0)
        check(w.status == "E", "status %s in the transaction", w.status)
        r = w.query("SELECT 1")
        check(r.sqlstate == "25P02", "%s", r.error)
        check(w.query("ROLLBACK").ok() and w.status == "I", "ROLLBACK")
        r = w.query("SELECT 1; SELECT phone FROM customers WHERE customer_id "
                    "= 900; SELECT 2")
        cut(r)
        check(r.tags == ["SELECT 1"], "the rest of the query was run: %s",
              r.tags)
        w.parse("SELECT phone FROM customers WHERE customer_id = 901")
        w.bind()
        w.execute()
        w.parse("SELECT 3")
        w.bind()
        w.execute()
        r = w.sync()
        cut(r)
        check("SELECT 1" not in r.tags, "what follows was not skipped")
        check(w.extended("SELECT 4").value == "4", "the session lives")


def failed_pipelines(world):
    """What fails beside a charged statement leaves the session as after an error."""
    actor = world.gate.actor("pipelines")
    by_key = "SELECT name FROM customers WHERE customer_id = $1"
    with world.gate.connect(actor) as w:
        w.parse(by_key)
        w.bind(("no number",))
        w.execute()
        r = w.sync()
        check(r.sqlstate == "22P02" and w.status == "I", "%s", r.error)
        w.parse(by_key, name="s")
        w.sync()
        w.parse(by_key, name="s")	# there already
        w.bind((1,), name="s")
        w.execute()
        w.bind((2,), name="s")
        w.execute()
        r = w.sync()
        check(r.sqlstate == "42P05" and not r.rows, "%s", r.error)
        check(len(w.extended(by_key, (1,)).rows) == 1, "the session lives")
        # The error that ends a cut transaction is not the next statement's.
        for sql in ("BEGIN", "SELECT name FROM customers",
                    "SELECT count(*) FROM orders WHERE note = 'x'", "ROLLBACK",
                    "SELECT count(*) FROM orders"):
            w.send("Q", sql.encode() + b"\0")
        states = [w.until("Z").sqlstate for _ in range(5)]
        check(states == [None, "KB001", "25P02", None, None], "%s", states)


def execute_again(world):
    """EXECUTE is judged again, like Bind, when its context has changed."""
    actor = world.gate.actor("executes")
    with world.gate.connect(actor) as w:
        def ask(sql, rows):
            r = w.query(sql)
            check(r.ok() and len(r.rows) == rows, "%s: %s", sql, r.error)
        ask("PREPARE p (int) AS SELECT name FROM customers WHERE customer_id = $1", 0)
        ask("PREPARE o AS SELECT count(*) FROM orders", 0)
        ask("EXECUTE p (3)", 1)
        ask("SET search_path = public, pg_catalog", 0)
        ask("EXECUTE p (3)", 1)
        ask("CREATE TEMP TABLE other (note text)", 0)
        ask("EXECUTE o", 1)
        ask("EXECUTE p (4)", 1)
        check(w.extended("EXECUTE p (5)").ok(), "by the extended protocol")
        # Another table now: its rows are charged by bytes.
        ask("PREPARE t AS SELECT country FROM v_open LIMIT 1", 0)
        ask("EXECUTE t", 1)
        before = world.gate.used(actor)
        ask("CREATE TEMP TABLE v_open AS SELECT name AS country FROM customers "
            "WHERE customer_id = 6", 0)
        ask("EXECUTE t", 1)
        check(world.gate.used(actor) > before, "the new table was free")


def writes_stay(world):
    """A write whose RETURNING is cut does not half happen."""
    actor = world.gate.actor("writer")
    with world.gate.connect(actor) as w:
        r = w.query("UPDATE customers SET rank = 77 RETURNING name")
        cut(r)
    n = world.pg.psql("crm", "SELECT count(*) FROM customers WHERE rank = 77")
    check(n.strip() == "0", "%s rows were written", n.strip())


CHANGES = (
    "UPDATE customers SET rank = 78 RETURNING name",
    "UPDATE customers SET rank = 78 WHERE phone LIKE '0%'",
    "DELETE FROM contacts WHERE phone LIKE '0%'",
    "UPDATE orders SET note = 'seen' WHERE customer_id IN "
    "(SELECT customer_id FROM customers WHERE name > 'A')",
    "INSERT INTO products SELECT 5000 + o.order_id, 'x', 1 FROM orders o "
    "JOIN customers c USING (customer_id) WHERE c.birth_date > '1000-01-01'",
    "SELECT 1; UPDATE customers SET rank = 78 WHERE name > 'A'",
    "SELECT 1; UPDATE customers SET rank = 78 RETURNING name",
)


def changes_undone(world):
    """A change beyond the budget is undone, also inside a transaction (L2)."""
    actor = world.gate.actor("changer")
    look = ("SELECT (SELECT count(*) FROM customers WHERE rank = 78), "
            "(SELECT count(*) FROM contacts), (SELECT count(*) FROM orders "
            "WHERE note = 'seen'), (SELECT count(*) FROM products)")
    before = world.pg.psql("crm", look)
    for sql in CHANGES:
        for extended in (False, True):
            if extended and ";" in sql:
                continue
            with world.gate.connect(actor) as w:
                send = w.extended if extended else w.query
                w.query("BEGIN")
                r = send(sql)
                cut(r)
                check(w.status == "E", "%s: status %s", sql, w.status)
                check(w.query(look).sqlstate == "25P02", "%s: goes on", sql)
                check(w.query("COMMIT").tags == ["ROLLBACK"], "%s: COMMIT", sql)
                r = send(sql)
                cut(r)
                check(w.query("SELECT 1").value == "1", "the session lives")
            check(world.pg.psql("crm", look) == before, "%s: was written", sql)


def changes_counted(world):
    """Each changed row is charged when personal data chose it (L3)."""
    for name, sql, n in (
            ("plain", "UPDATE customers SET rank = rank WHERE phone = '%s'", 2),
            ("tag", "DELETE FROM contacts WHERE phone = '%s' AND "
             "contact_id = 0", 1),
            ("key", "UPDATE customers SET rank = rank WHERE customer_id = 7", 0),
            ("scalar", "UPDATE orders SET note = note WHERE customer_id = "
             "(SELECT customer_id FROM customers WHERE phone = '%s')", 2 * 8 + 1)):
        actor = world.gate.actor("chg_" + name, "bulk")
        with world.gate.connect(actor) as w:
            r = w.query(sql.replace("%s", people.value(7, "phone")))
            check(r.ok(), "%s: %s", sql, r.error)
        charged(world, actor, n)
    with world.gate.connect(world.gate.actor("chg_explain", "bulk")) as w:
        sql = "UPDATE customers SET rank = 1 WHERE phone LIKE '0%'"
        check(w.query("EXPLAIN ANALYZE " + sql).sqlstate == "KB003", "ANALYZE")
        check(w.query("EXPLAIN " + sql).ok(), "EXPLAIN")


def hidden_is_hidden(world):
    """A key that the gate adds is never seen by the client."""
    actor = world.gate.actor("hidden", "bulk")
    asks = (
        ("SELECT name FROM customers WHERE customer_id < 4", 1, 3),
        ("SELECT name, phone AS p FROM customers WHERE customer_id < 4", 2, 3),
        ("SELECT a.name, b.name FROM customers a JOIN customers b "
         "ON b.customer_id = a.customer_id + 1 WHERE a.customer_id < 4", 2, 3),
        ("SELECT name FROM v_plain WHERE customer_id < 4 ORDER BY name", 1, 3),
        ("SELECT upper(name) FROM customers WHERE customer_id < 4", 1, 3),
    )
    with world.gate.connect(actor) as w, world.pg.direct() as d:
        for sql, ncols, nrows in asks:
            for result in ((), (1,)):
                a, b = [x.extended(sql, result=result) for x in (w, d)]
                check(a.messages == b.messages, "%s (binary %s): differs: %s",
                      sql, result, a.error or a.columns)
                check(all(len(r) == ncols for r in a.rows) and
                      len(a.rows) == nrows, "%s: shape", sql)
            a, b = w.query(sql), d.query(sql)
            check(a.messages == b.messages, "%s: differs: %s", sql, a.error)
            for form in ("text", "csv, HEADER", "binary"):
                c = "COPY (%s) TO STDOUT (FORMAT %s)" % (sql, form)
                a, b = w.query(c), d.query(c)
                check(a.messages == b.messages, "%s: differs: %s", c,
                      a.error or (a.of("H"), a.of("d"), b.of("H")))
        # Describe of a statement, before Bind.
        for x in (w, d):
            x.parse("SELECT name FROM customers WHERE customer_id = $1", "s")
            x.describe("S", "s")
        a, b = w.sync(), d.sync()
        check(a.messages == b.messages, "Describe: %s", a.columns)
        a = w.query("BEGIN; DECLARE k CURSOR FOR SELECT name FROM customers; "
                    "FETCH 3 FROM k; COMMIT")
        b = d.query("BEGIN; DECLARE k CURSOR FOR SELECT name FROM customers; "
                    "FETCH 3 FROM k; COMMIT")
        check(a.messages == b.messages, "cursor: %s", a.error)


def who(world):
    """The ledger can say who received whom (L1, L8)."""
    actor = world.gate.actor("asker")
    with world.gate.connect(actor) as w:
        w.query("SELECT name, phone FROM customers WHERE customer_id = 321")
    hits = [h for h in world.gate.who(321) if h.get("actor") == actor]
    check(len(hits) == 1, "%d hits", len(hits))
    check("customers" in hits[0]["table"] and "phone" in str(hits[0]["columns"]),
          "%s", hits[0])
    check(not [h for h in world.gate.who(322) if h.get("actor") == actor],
          "a person who was not shown")
    # As another text of the same key.
    check(not world.gate.who(100321), "a person who does not exist")
    shown = world.gate.cli("log", "tail", "-n", "1000000", "--json").stdout
    leaked = people.find(shown.encode(), deep=False)
    check(not leaked, "the ledger shows personal data of %s", leaked)


def login(world):
    """Wrong passwords, unknown names, disabled actors, other databases."""
    gate = world.gate
    actor = gate.actor("login")

    def attempt(user, password, database="crm"):
        try:
            with gate.connect(user, database, password=password):
                return None
        except AuthError as e:
            return e.fields.get("C")
    check(attempt(actor, ACTOR_PASSWORD) is None, "the right password")
    check(attempt(actor, "wrong") == "28P01", "a wrong password")
    check(attempt("nobody-such", "wrong") == "28P01", "an unknown name")
    check(attempt("kuraban_gate", "") == "28P01", "the upstream's own role")
    state = attempt(actor, ACTOR_PASSWORD, "nowhere")
    check(state == "3D000", "an unknown database: %s", state)
    gate.actor("outsider", "elsewhere")
    state = attempt("outsider", ACTOR_PASSWORD)
    check(state in ("3D000", "42501", "KB003"), "not the role's database: %s",
          state)
    with gate.connect(actor) as live:
        check(gate.cli("actor", "disable", actor).returncode == 0, "disable")
        state = attempt(actor, ACTOR_PASSWORD)
        check(state == "KB006", "a disabled actor: %s", state)

        def gone():
            r = live.query("SELECT name FROM customers WHERE customer_id = 1")
            return r.closed or r.sqlstate == "KB006"
        wait_for("the live session of a disabled actor to end", gone, 5)
    check(gate.cli("actor", "enable", actor).returncode == 0, "enable")
    check(attempt(actor, ACTOR_PASSWORD) is None, "enabled again")
    check(gate.cli("actor", "password", actor, "--password-stdin",
                   data="Another-password-1\n").returncode == 0, "password")
    check(attempt(actor, ACTOR_PASSWORD) == "28P01", "the old password")
    check(attempt(actor, "Another-password-1") is None, "the new password")
    failed = [e for e in gate.entries(kind="session", event="failed")]
    check(len(failed) >= 4, "%d failed logins in the ledger", len(failed))


def no_budget(world):
    actor = world.gate.actor("none", "nothing")
    with world.gate.connect(actor) as w:
        cut(w.query("SELECT name FROM customers"), 0)
        r = w.query("SELECT count(*) FROM customers")
        check(r.value == "1000", "free work: %s", r.error)


def sealed_first(world):
    """What a client saw is in the ledger at the moment it saw it (L1)."""
    actor = world.gate.actor("sealed", "bulk")
    with world.gate.connect(actor) as w:
        for i in range(1, 21):
            w.send("Q", b"SELECT name FROM customers WHERE customer_id = %d\0"
                   % i)
            w.until("D")
            hits = [h for h in world.gate.who(i) if h["actor"] == actor]
            check(hits, "person %d is shown, not sealed", i)
            w.until("Z")


def slow_reader(world):
    """Few rows are read: at most what was sent is charged, and no less."""
    actor = world.gate.actor("slow", "bulk")
    w = world.gate.connect(actor)
    w.send("Q", b"SELECT name FROM customers\0")
    for _ in range(11):
        w.read()
    w.abort()
    used = world.gate.used(actor)
    check(used >= 10, "%d charged", used)
    return "%d charged" % used


def verified(world):
    r = world.gate.verify()
    check(r.returncode == 0, "%s", (r.stdout + r.stderr)[-400:])


def body(suite, world):
    for name, what, way in WAYS:
        suite.case("exact-" + name, "exactly 100 by: " + what,
                   exactly, world, name, way)
    suite.case("pages", "50-row pages over five sessions at once", pages, world)
    suite.case("storm", "20 sessions ask for all at once", storm, world)
    suite.case("repeat", "the same person, asked in ten ways", repeat, world)
    suite.case("two-per-row", "two people a row", two_per_row, world)
    suite.case("two-into-one", "a row of two when one is left", two_into_one,
               world)
    suite.case("message", "what KB001 says", message, world)
    suite.case("window-30days", "another window", window, world, "month", 40,
               "30 days")
    suite.case("window-year", "another window", window, world, "year", 30,
               "year")
    suite.case("window-ever", "the tightest of two windows", window, world,
               "ever", 20, "ever|total|all time|lifetime")
    suite.case("no-budget", "a limit of 0", no_budget, world)
    suite.case("observe", "observe passes, with alerts", observe, world)
    suite.case("hold", "hold asks for a grant", hold, world)
    suite.case("after-the-edge", "transactions after KB001", after_the_edge,
               world)
    suite.case("failed-pipelines", "errors beside a charged statement",
               failed_pipelines, world)
    suite.case("execute-again", "EXECUTE in another context", execute_again, world)
    suite.case("changes-undone", "a change beyond the budget is undone",
               changes_undone, world)
    suite.case("changes-counted", "rows that are changed are charged",
               changes_counted, world)
    suite.case("writes", "a cut RETURNING writes nothing", writes_stay, world)
    suite.case("hidden-is-hidden", "an added key is never seen",
               hidden_is_hidden, world)
    suite.case("who", "who received whom", who, world)
    suite.case("sealed-first", "seen means sealed", sealed_first, world)
    suite.case("slow-reader", "a client that goes away", slow_reader, world)
    suite.case("login", "passwords, disabled actors", login, world)
    suite.case("restart-stop", "a restart forgets nothing", restart, world,
               "stop")
    suite.case("restart-kill", "kill -9 of all forgets nothing", restart,
               world, "kill")
    suite.case("verify", "the ledger verifies", verified, world)


if __name__ == "__main__":
    suite = Suite(__doc__.splitlines()[0])
    if suite.options.direct:
        sys.exit("--direct has no meaning here")
    sys.exit(suite.run(body, roles=ROLES))
