#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ordinary work runs, and what shows nobody's data costs nothing.

The other side of exfil.py. tests/interop/workday/ holds what operators,
contractors, managers, DBAs and their tools send on an ordinary day, each with what
an informed person would say of it:

    -- free: ...        shows nobody: nothing may be charged
    -- shows N: ...     shows N people's data: exactly N are charged
    -- hint N: ...      shows nobody, but tells a little of many, like the number of
                        customers of an age: at most N are charged (its digits)

A line `-- known charged N: reason` (N may be `some`) or `-- known refused STATE: reason` after the
statement says that the gate does otherwise, and why. It must be true: a statement
that comes out otherwise, also better, fails. `-- @` lines set what holds from there
on in the file: role=, extended, order (results compared with the server's own).
"""
import base64
import os
import re
import subprocess
import sys

from harness import (ACTOR_PASSWORD, ROLE_PASSWORD, Failure, Skip, Suite, check,
                     wait_for)

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "workday")
FILES = ("desk", "edits", "reports", "search", "bi", "exports", "orm", "batch",
         "tools", "monitor", "dba")
HEAD = re.compile(r"-- (free|shows|hint)(?: (\d+|\?))?: (.+)")
KNOWN = re.compile(r"-- known (charged|refused) (\S+): (.+)")

TABLES = """
    table "public.customers" {
        subject = "customer_id"
        personal = { "name", "kana", "birth_date", "sex", "email", "phone",
                     "postal_code", "prefecture", "address", "memo", "attributes",
                     "search" }
    }
    table "public.addresses" {
        subject = "customer_id"  subject_of = "public.customers"
        personal = { "postal_code", "prefecture", "city", "street", "building" }
    }
    table "public.contacts" {
        subject = "customer_id"  subject_of = "public.customers"
        personal = { "value" }
    }
    table "public.consents" {
        subject = "customer_id"  subject_of = "public.customers"
        personal = { "granted" }
    }
    table "public.orders" {
        subject = "customer_id"  subject_of = "public.customers"
        personal = { "ship_name", "ship_address", "note" }
    }
    table "public.payments" {
        subject = "customer_id"  subject_of = "public.customers"
        personal = { "card_holder", "card_last4" }
    }
    table "public.tickets" {
        subject = "customer_id"  subject_of = "public.customers"
        personal = { "subject", "body" }
    }
    table "public.call_logs" {
        subject = "customer_id"  subject_of = "public.customers"
        personal = { "caller_phone", "note" }
    }
    table "public.campaign_targets" {
        subject = "customer_id"  subject_of = "public.customers"
        personal = { "email", "opened_at" }
    }
    table "public.web_sessions" {
        subject = "customer_id"  subject_of = "public.customers"
        personal = { "session_id", "email", "ip", "user_agent" }
    }
    table "public.audit_log" {
        subject = "customer_id"  subject_of = "public.customers"
        personal = { "old_row", "new_row" }
    }
    table "public.staff" {
        subject = "staff_id"
        personal = { "login", "name", "email", "phone" }
    }
""" + "".join('    table "public.%s" { open = true  declared_by = "office"  '
              'since = "2026-01-01" }\n' % t for t in (
                  "stores", "categories", "products", "campaigns", "order_items",
                  "jobs", "app_settings", "exchange_rates", "schema_migrations",
                  "daily_sales", "order_numbers", "pgbench_accounts",
                  "pgbench_branches", "pgbench_history", "pgbench_tellers"))

CONF = """
database "shop" {
    upstream = "host=127.0.0.1 port=@PORT@ dbname=shop user=kuraban_gate password=%s"
%s@FUNCTIONS@}
""" % (ROLE_PASSWORD, TABLES)

ROLES = """
role "desk" { databases = { "shop" } subjects_per_day = 1000000 }
role "dba" { databases = { "shop" } subjects_per_day = 1000000 ddl = "allow" }
"""


class Entry:
    """Statements that belong together, and what is true of them."""

    def __init__(self, name, kind, n, what, state):
        self.name, self.kind, self.n, self.what = name, kind, n, what
        self.role, self.extended, self.order = state
        self.known = None	# ("charged", 5, reason)
        self.lines, self.params, self.data = [], [], []
        self.charged, self.error, self.differs = 0, None, None

    def statements(self):
        text = "\n".join(self.lines)
        return [s for s in re.split(r";\n|;\Z", text) if s.strip()]

    def outcome(self):
        if self.error:
            return "refused %s" % self.error[0]
        return "charged %d" % self.charged

    def wanted(self):
        """(what must come out, does it?)"""
        if self.known and self.known[1] == "some":
            return "some charge", not self.error and self.charged > 0
        if self.known:
            want = "%s %s" % self.known[:2]
            return want, self.outcome() == want
        if self.error or self.differs:
            return "to run", False
        if self.kind == "free":
            return "charged 0", self.charged == 0
        if self.kind == "hint":
            return "charged at most %s" % self.n, self.charged <= self.n
        return "charged %s" % self.n, self.charged == self.n


def read(path, name):
    out, state, entry = [], ("desk", False, True), None
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            head, known = HEAD.match(line), KNOWN.match(line)
            if line.startswith("-- @"):
                words = line[4:].split()
                role = state[0]
                for w in words:
                    role = w[5:] if w.startswith("role=") else role
                state = (role, "extended" in words, "once" not in words)
            elif head:
                check((head[1] == "free") == (head[2] is None), "%s:%d: number",
                      path, number)
                n = -1 if head[2] == "?" else int(head[2] or 0)
                entry = Entry("%s:%d" % (name, number), head[1], n, head[3], state)
                out.append(entry)
            elif known:
                n = int(known[2]) if known[2].isdigit() else known[2]
                out[-1].known = (known[1], n, known[3])
            elif line.startswith("-- params: "):
                entry.params = line[11:].split(" | ")
            elif line.startswith("-- data: "):
                entry.data.append(line[9:].replace("\\t", "\t") + "\n")
            elif not line:
                entry = None
            elif entry is not None:
                entry.lines.append(line)
            else:
                check(line.startswith("--"), "%s:%d: no header", path, number)
    return out


def corpus():
    out = []
    for name in FILES:
        path = os.path.join(HERE, name + ".sql")
        if os.path.exists(path):
            out += read(path, name)
    return out


# -- programs that speak for themselves ----------------------------------------

def programs():
    out = []
    with open(os.path.join(HERE, "programs.txt"), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            head, known = HEAD.match(line), KNOWN.match(line)
            if head:
                n = int(head[2] or 0)
                out.append(Entry("programs:%d" % number, head[1], n, head[3],
                                 ("dba", False, False)))
            elif known:
                n = int(known[2]) if known[2].isdigit() else known[2]
                out[-1].known = (known[1], n, known[3])
            elif line.startswith("$ "):
                out[-1].lines.append(line[2:])
    return out


def run_program(world, entry):
    env = dict(os.environ, PGHOST=world.gate.host, PGPORT=str(world.gate.port),
               PGUSER="w_dba", PGPASSWORD=ACTOR_PASSWORD, PGDATABASE="shop",
               PGAPPNAME=entry.name, LC_ALL="C.UTF-8", PSQLRC="/dev/null")
    for line in entry.lines:
        if line.startswith("\\"):
            argv = ["psql", "-X", "-q", "-v", "VERBOSITY=verbose",
                    "-v", "ON_ERROR_STOP=1", "-c", line]
        else:
            argv = ["sh", "-c", line]
        r = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)
        if r.returncode:
            state = re.search(r"ERROR:\s+(\w{5}):", r.stderr)
            entry.error = (state[1] if state else "exit", r.stderr[-400:])
            return


# -- the run ---------------------------------------------------------------------

def build(world):
    pg = world.pg
    with open(os.path.join(HERE, "schema.sql"), encoding="utf-8") as f:
        text = f.read()
    pg.psql("postgres", "CREATE DATABASE shop OWNER kuraban_gate;"
            "GRANT pg_monitor TO kuraban_gate;"
            "GRANT pg_signal_backend TO kuraban_gate")
    pg.psql("shop", "ALTER SCHEMA public OWNER TO kuraban_gate;"
            "SET ROLE kuraban_gate;" + text)


def plain_query(entry, text):
    return entry.order and re.match(r"(SELECT|WITH|TABLE|VALUES)\b", text) and \
        not re.search(r"\b(UPDATE|INSERT|DELETE|nextval|now\(\)|pg_\w+|random|"
                      r"current_\w+|_uuid|uuid_\w+|clock_timestamp)\b", text)


def send(session, entry, text):
    if text.startswith("COPY") and "FROM STDIN" in text:
        return session.copy_in(text, [d.encode() for d in entry.data])
    if entry.extended:
        return session.extended(text, [p.encode() for p in entry.params])
    return session.query(text)


def run_sql(world, entry, direct):
    with world.gate.connect("w_" + entry.role, "shop",
                            params={"application_name": entry.name}) as s:
        texts = entry.statements()
        compare = all(plain_query(entry, t) for t in texts)
        for text in texts:
            want = send(direct, entry, text) if compare else None
            got = send(s, entry, text)
            if not got.ok():
                e = got.error or {}
                entry.error = (e.get("C", "closed"), "%s | %s | %s" % (
                    e.get("M"), e.get("D"), e.get("H")))
                return
            if want is None:
                continue
            check(want.ok(), "%s: %s", entry.name, want.error)
            a, b = want.rows, got.rows
            if "ORDER BY" not in text:
                a, b = sorted(a, key=repr), sorted(b, key=repr)
            if (a, want.columns, want.tags) != (b, got.columns, got.tags):
                entry.differs = "the result is not the server's"


def charges(world, entries):
    """From the ledger: whom each session was charged with."""
    by_name = {e.name: e for e in entries}
    sessions, people = {}, {}
    for x in world.gate.entries():
        who = (x.get("gate"), x.get("session"))
        if x["kind"] == "session" and x.get("event") == "open":
            sessions[who] = x.get("application")
        elif x["kind"] == "release" and sessions.get(who) in by_name:
            keys, anon = people.setdefault(sessions[who], (set(), [0]))
            for domain, packed in zip(x.get("domains", ()), x.get("subjects", ())):
                raw = base64.b64decode(packed)
                keys |= {(domain, raw[i:i + 8]) for i in range(0, len(raw), 8)}
            anon[0] += x["anon"]
    for name, (keys, anon) in people.items():
        by_name[name].charged = len(keys) + anon[0]


def report(entries, verbose):
    groups = {}
    for e in entries:
        groups.setdefault(e.name.split(":")[0], []).append(e)
    print("%-10s %9s %8s %8s %8s %8s" % ("file", "statements", "nobody's",
                                         "charged", "refused", "over"))
    for name, g in list(groups.items()) + [("all", entries)]:
        free = [e for e in g if e.kind == "free" and not e.error]
        shows = [e for e in g if e.kind == "shows" and not e.error]
        true = sum(e.n for e in shows)
        print("%-10s %9d %8d %8d %8d %8s" % (
            name, len(g), sum(e.kind == "free" for e in g),
            sum(e.charged > 0 for e in free),
            sum(e.error is not None for e in g),
            "%.2f" % (sum(e.charged for e in shows) / true) if true > 0 else "-"))
    free = [e for e in entries if e.kind == "free"]
    print("false charges: %d of %d (%.1f %%)" % (
        sum(e.charged > 0 for e in free), len(free),
        100.0 * sum(e.charged > 0 for e in free) / len(free)))
    print("refused: %d of %d (%.1f %%)" % (
        sum(e.error is not None for e in entries), len(entries),
        100.0 * sum(e.error is not None for e in entries) / len(entries)))
    for e in entries:
        if e.known or verbose:
            print("  %s %s: %s%s" % (e.name, e.what, e.outcome(), "; known: " +
                                     e.known[2] if e.known else ""))


def body(suite, world):
    entries = [] if suite.options.list else corpus() + programs()
    entries = [e for e in entries if suite.wants(e.name + " " + e.what)]
    suite.options.match = ""
    if suite.options.list:
        return

    def run():
        for role in ("desk", "dba"):
            world.gate.actor("w_" + role, role)
        direct = world.pg.direct("shop")
        for e in entries:
            if e.name.startswith("programs"):
                run_program(world, e)
            else:
                run_sql(world, e, direct)
        direct.close()
        charges(world, entries)
        report(entries, suite.options.verbose)
        bad = []
        for e in entries:
            want, good = e.wanted()
            if not good:
                bad.append("%s: %s: expected %s, is %s%s" % (
                    e.name, e.what, want, e.differs or e.outcome(),
                    " (%s)" % e.error[1].strip() if e.error else ""))
        check(not bad, "%d statements come out otherwise:\n%s", len(bad),
              "\n".join(bad))
        return "%d statements" % len(entries)
    suite.case("workday", "what people do on an ordinary day", run)


FUNCTIONS = """\
    function "public.age_band" { open = true }
    function "public.with_tax" { open = true }
    function "public.touch" { open = true }
"""


def main():
    with open(os.path.join(HERE, "..", "..", "..", "docs", "manual",
                           "extensions.conf"), encoding="utf-8") as f:
        functions = FUNCTIONS + f.read()
    suite = Suite(__doc__.splitlines()[0])
    return suite.run(body, prepare=build, roles=ROLES, databases=lambda w: CONF
                     .replace("@PORT@", str(w.pg.port))
                     .replace("@FUNCTIONS@", functions))


if __name__ == "__main__":
    sys.exit(main())
