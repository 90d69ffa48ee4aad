#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every known way to carry persons out of a PostgreSQL session, tried.

Each row of ATTACKS is one technique. For an actor with 100 subjects a day:

  - the distinct subjects whose data reached the client, in whatever encoding
    and whatever message, are at most those charged to the actor (L3, L4);
  - and at most 100 (L2);
  - the ledger names the verdict class that the row expects.

Where the data may leave at a price, an actor with a large budget must get it
whole, at no smaller a charge: a gate that breaks honest work is no gate.
With --direct the rows run against PostgreSQL itself: there they must succeed.
"""
import struct
import sys
import time

import people
from harness import ROLE_PASSWORD, Failure, Suite, check
from wire import AuthError, Closed

FREE = frozenset(["free"])
KEY = frozenset(["key"])
ROWS = frozenset(["rows"])
BYTES = frozenset(["bytes"])
REFUSED = frozenset(["refused"])
CHARGED = KEY | ROWS | BYTES
ANY = CHARGED | REFUSED		# anything but free
ORDER = ("free", "key", "rows", "bytes", "refused")

N = 1000			# customers
ATTACKS = []


class Attack:
    """One technique.

    action: SQL text, a list of them (one simple query each), or a function of
    the session. expect: the classes of which the ledger must show one as the
    strictest. direct: how many subjects leave when there is no gate.
    """

    def __init__(self, name, what, action, expect, direct=N, db="crm",
                 decode=None, whole=True, charge=0, before=None, after=None):
        self.name, self.what, self.action = name, what, action
        self.expect, self.direct, self.db = expect, direct, db
        self.decode = decode		# function(session) -> bytes or set
        self.whole = whole		# the large budget gets all of it
        self.charge = charge		# at least so many subjects are charged
        self.before, self.after = before, after	# admin's SQL around it


def add(*args, **kw):
    ATTACKS.append(Attack(*args, **kw))


# -- decoders: what a patient thief does at home ---------------------------

def cells(session):
    from wire import data_row
    return [data_row(b) for t, b in session.messages if t == "D"]


def column(session, i=0):
    return [r[i] for r in cells(session) if len(r) > i and r[i] is not None]


def joined(session):
    return b"".join(c or b"" for r in cells(session) for c in r)


def sum_of_phones(session):
    """One numeric holds every phone number, eleven digits each."""
    out = set()
    for c in column(session):
        v = int(c.split(b".")[0])
        for s in people.CUSTOMERS:
            if v // 10 ** (11 * (s - 1)) % 10 ** 11 == people.phone_number(s):
                out.add(s)
    return out


def affine(session):
    got = {int(c) for c in column(session)}
    return {s for s in people.CUSTOMERS
            if people.phone_number(s) * 7 + 1 in got}


def bits(session):
    v = 0
    for c in column(session, 1):
        v = v << 1 | (c == b"t")
    return v.to_bytes(max(1, (len(column(session, 1)) + 7) // 8), "big")


def positions(session):
    """One character a row: (key, position, code)."""
    text = {}
    for r in cells(session):
        if len(r) == 3 and None not in r:
            text.setdefault(int(r[0]), {})[int(r[1])] = chr(int(r[2]))
    return " ".join("".join(w[k] for k in sorted(w))
                    for w in text.values()).encode()


# -- plain work, for comparison -------------------------------------------

add("count", "count(*) tells nothing of a person",
    "SELECT count(*) FROM customers", FREE, 0)
add("open-table", "rows of an open table",
    "SELECT * FROM orders", FREE, 0)
add("open-columns", "columns that are not personal",
    "SELECT country, created_at, memo FROM customers", FREE, 0)
add("open-group", "how many per country",
    "SELECT country, count(*), min(created_at) FROM customers GROUP BY 1",
    FREE, 0)
add("open-view", "a view without personal columns",
    "SELECT country, created_at FROM v_open", FREE, 0)
add("key-alone", "whose row it is, without anything of them",
    "SELECT customer_id FROM customers", KEY | FREE, 0)
add("system-columns", "xmin and ctid are not personal",
    "SELECT xmin, ctid FROM customers", FREE, 0)
add("catalogs", "what psql's \\d asks for",
    "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a "
    "ON a.attrelid = c.oid WHERE c.relname = 'customers'", FREE, 0)
add("show", "SHOW and constants", ["SHOW search_path", "SELECT 1, 'x', now()"],
    FREE, 0)
add("declared-function", "a function that the catalog declares open",
    "SELECT f_double(order_id) FROM orders", FREE, 0)

add("select-name", "SELECT name", "SELECT name FROM customers", KEY)
add("select-star", "SELECT *", "SELECT * FROM customers", KEY)
add("table-command", "TABLE customers", "TABLE customers", KEY)
add("whole-row", "the row as one composite value",
    "SELECT c FROM customers c", KEY)
add("whole-row-star", "(c).* expanded", "SELECT (c).* FROM customers c", KEY)
add("functional-notation", "name(c), the old way to write c.name",
    "SELECT name(c) FROM customers c", KEY)
add("row-to-json", "one JSON object a row",
    "SELECT row_to_json(c) FROM customers c", KEY)
add("row-value", "ROW(name, phone)", "SELECT ROW(name, phone) FROM customers",
    KEY)
add("json-each", "one line per column of each person",
    "SELECT j.key, j.value FROM customers c, jsonb_each_text(to_jsonb(c)) j",
    CHARGED)
add("tablesample", "TABLESAMPLE SYSTEM (100)",
    "SELECT name FROM customers TABLESAMPLE SYSTEM (100)", KEY)
add("tid-scan", "rows by physical address, which counters do not see",
    "SELECT name FROM customers WHERE ctid >= '(0,0)'::tid", KEY)
add("null-test", "one bit a person: is it null",
    "SELECT name IS NULL FROM customers", KEY, 0, charge=100)
add("join-open", "names beside their orders",
    "SELECT o.total, c.name FROM orders o JOIN customers c "
    "USING (customer_id)", KEY)
add("lateral", "LATERAL sub-select",
    "SELECT x.name FROM orders o, LATERAL (SELECT name FROM customers c "
    "WHERE c.customer_id = o.customer_id) x", CHARGED)
add("cte", "a common table expression",
    "WITH x AS MATERIALIZED (SELECT name FROM customers) SELECT * FROM x",
    CHARGED)
add("sub-query-3", "three sub-queries deep",
    "SELECT a FROM (SELECT b AS a FROM (SELECT name AS b FROM customers) x) y",
    KEY | ROWS)

# -- many people in one row -------------------------------------------------

for fn, sql in (
        ("string-agg", "string_agg(name, ',')"),
        ("json-agg", "json_agg(c)"),
        ("jsonb-agg", "jsonb_agg(to_jsonb(c) - 'memo')"),
        ("array-agg", "array_agg(name)"),
        ("xmlagg", "xmlagg(xmlelement(name n, name))"),
        ("json-object-agg", "json_object_agg(customer_id, name)"),
        ("jsonb-object-agg", "jsonb_object_agg(customer_id, name)")):
    add(fn, "every name in one value by " + sql,
        "SELECT %s FROM customers c" % sql, BYTES)
add("array-sub-select", "ARRAY(SELECT name ...)",
    "SELECT ARRAY(SELECT name FROM customers)", BYTES)
add("multi-array", "ARRAY[ARRAY(..), ARRAY(..)]",
    "SELECT ARRAY[ARRAY(SELECT name FROM customers WHERE customer_id <= 500),"
    " ARRAY(SELECT name FROM customers WHERE customer_id > 500)]", BYTES)
add("cast-array-text", "an array as text, in pieces",
    "SELECT substr(a, g * 500 + 1, 500) FROM (SELECT string_agg(name, ',') a"
    " FROM customers) x, generate_series(0, 20) g", BYTES, 980)
add("min-per-group", "min(name) of groups of one",
    "SELECT min(name) FROM customers GROUP BY customer_id", CHARGED)
add("group-by-name", "GROUP BY name", "SELECT name FROM customers GROUP BY name",
    CHARGED)
add("distinct-name", "DISTINCT", "SELECT DISTINCT name FROM customers",
    CHARGED)
add("group-by-sex", "count per personal value",
    "SELECT sex, count(*) FROM customers GROUP BY sex", CHARGED)
add("rollup", "ROLLUP: the total row has no key but every name",
    "SELECT customer_id, string_agg(name, ',') FROM customers "
    "GROUP BY ROLLUP (customer_id)", BYTES)
add("grouping-sets", "only the total row is asked for",
    "SELECT customer_id, string_agg(name, ',') FROM customers GROUP BY "
    "GROUPING SETS ((customer_id), ()) HAVING customer_id IS NULL", BYTES)
add("crosstab-filter", "one row of 1000 columns by FILTER",
    "SELECT " + ",".join("max(name) FILTER (WHERE customer_id = %d)" % i
                         for i in people.CUSTOMERS) + " FROM customers",
    BYTES | ROWS)
add("crosstab-sub-selects", "one row of 200 scalar sub-selects",
    "SELECT " + ",".join("(SELECT name FROM customers WHERE customer_id = %d)"
                         % i for i in range(1, 201)), BYTES | ROWS, 200)
add("concat-columns", "one value per person, cut over columns",
    "SELECT substr(name, 1, 3), substr(name, 4, 2), substr(name, 6) "
    "FROM customers", KEY)
add("window-agg", "string_agg() OVER (): every row shows all",
    "SELECT string_agg(name, ',') OVER () FROM customers LIMIT 1", BYTES)
add("window-running", "a running string_agg beside the honest key",
    "SELECT customer_id, string_agg(name, ',') OVER (ORDER BY customer_id) "
    "FROM customers ORDER BY customer_id DESC LIMIT 1", BYTES)
add("window-lead", "the next row's name beside this row's key",
    "SELECT customer_id, lead(name) OVER (ORDER BY customer_id) "
    "FROM customers", BYTES | ROWS, 999)
add("percentile", "percentile_disc WITHIN GROUP over 1000 fractions",
    "SELECT percentile_disc(ARRAY(SELECT g / 1000.0 FROM "
    "generate_series(1, 1000) g)) WITHIN GROUP (ORDER BY name) "
    "FROM customers", BYTES)
add("recursive", "a recursive query gathers the names",
    "WITH RECURSIVE r(i, t) AS (SELECT 1, name FROM customers "
    "WHERE customer_id = 1 UNION ALL SELECT i + 1, t || c.name FROM r JOIN "
    "customers c ON c.customer_id = i + 1 WHERE i < 300) "
    "SELECT t FROM r ORDER BY i DESC LIMIT 1", ANY, 300)
add("large-cell", "a value of 16 MB, above any inspection limit",
    "SELECT repeat(string_agg(name, ','), 2000) FROM customers", BYTES,
    whole=False)
add("sum-packing", "one number holds 1000 phone numbers",
    "SELECT sum(replace(phone, '-', '')::numeric * 10::numeric ^ "
    "(11 * (customer_id - 1))) FROM customers", BYTES, decode=sum_of_phones)
add("bit-packing", "bit_or of shifted personal bits",
    "SELECT bit_or(CASE WHEN sex < 'n' THEN 1::bigint << customer_id::int "
    "ELSE 0 END) FROM customers WHERE customer_id < 60", BYTES | ROWS, 0,
    charge=1)

# -- set operations ----------------------------------------------------------

add("union-all", "UNION ALL hides the origin",
    "SELECT name FROM customers UNION ALL SELECT 'x'", CHARGED)
add("union", "UNION", "SELECT name FROM customers UNION SELECT 'x'", CHARGED)
add("intersect", "INTERSECT",
    "SELECT name FROM customers INTERSECT SELECT name FROM customers", CHARGED)
add("except", "EXCEPT", "SELECT name FROM customers EXCEPT SELECT 'x'",
    CHARGED)
add("union-open-first", "the personal arm second",
    "SELECT title FROM products UNION ALL SELECT name FROM customers", CHARGED)
add("membership", "is this name among them: one bit a guess",
    "SELECT 'x' INTERSECT SELECT name FROM customers", CHARGED, 0)

# -- keys that lie ---------------------------------------------------------------

add("forged-key", "a constant called customer_id",
    "SELECT 7 AS customer_id, name FROM customers", KEY)
add("forged-key-sub-query", "the same inside a sub-query",
    "SELECT customer_id, name FROM (SELECT 7 AS customer_id, name "
    "FROM customers) customers", KEY | ROWS)
add("modulo-key", "customer_id % 2 called customer_id",
    "SELECT customer_id % 2 AS customer_id, name FROM customers", KEY)
add("shifted-key", "the name of the next person beside this person's key",
    "SELECT c.customer_id, (SELECT name FROM customers d WHERE "
    "d.customer_id = c.customer_id % 1000 + 1) FROM customers c", BYTES | ROWS)
add("crossed-join", "key of one, name of another",
    "SELECT c.customer_id, d.name FROM customers c, customers d "
    "WHERE c.customer_id = 1", CHARGED)
add("null-key", "an outer join gives every name a NULL key",
    "SELECT c.customer_id, d.name FROM customers d LEFT JOIN customers c "
    "ON false", CHARGED)
add("union-key", "the second arm of a UNION has a constant key",
    "SELECT customer_id, name FROM customers WHERE customer_id = 1 UNION ALL "
    "SELECT 1, name FROM customers", CHARGED)
add("full-join-key", "FULL JOIN USING merges two keys",
    "SELECT customer_id, a.name FROM customers a FULL JOIN "
    "(SELECT * FROM customers WHERE customer_id < 3) b USING (customer_id)",
    ANY)
add("distinct-on", "DISTINCT ON (country)",
    "SELECT DISTINCT ON (country, rank) customer_id, name FROM customers "
    "ORDER BY country, rank, customer_id", CHARGED, 10)
add("two-per-row", "two people a row by a self join",
    "SELECT a.name, b.name FROM customers a JOIN customers b "
    "ON b.customer_id = a.customer_id + 500", KEY | ROWS | BYTES)
add("max-key", "max(customer_id), max(name): the key is another's",
    "SELECT max(customer_id), max(name) FROM customers "
    "GROUP BY customer_id / 2", CHARGED, 400)
add("order-key", "the order's own key instead of the customer's",
    "SELECT o.order_id AS customer_id, c.name FROM orders o "
    "JOIN customers c USING (customer_id) WHERE o.order_id <= 1000", KEY)

# -- transformation inside the server ------------------------------------------

add("base64", "encode(.., 'base64')",
    "SELECT encode(convert_to(string_agg(name, ','), 'UTF8'), 'base64') "
    "FROM customers", BYTES)
add("hex-per-row", "encode(.., 'hex') of each",
    "SELECT encode(convert_to(name, 'UTF8'), 'hex') FROM customers", KEY)
add("reverse", "reverse()", "SELECT reverse(string_agg(name, ',')) "
    "FROM customers", BYTES)
add("upper", "upper() of each", "SELECT upper(name) FROM customers", KEY)
add("md5", "md5 of each, undone with a dictionary",
    "SELECT md5(name) FROM customers", KEY)
add("sha256", "sha256 of each", "SELECT sha256(convert_to(phone, 'UTF8')) "
    "FROM customers", KEY)
add("arithmetic", "phone * 7 + 1",
    "SELECT replace(phone, '-', '')::bigint * 7 + 1 FROM customers", KEY,
    decode=affine)
add("hashtext", "hashtext(name)", "SELECT hashtext(name) FROM customers", KEY,
    0, charge=100)
add("translate", "a cipher by translate()",
    "SELECT translate(name, 'abcdefghijklmnopqrstuvwxyz234567', "
    "'bcdefghijklmnopqrstuvwxyz234567a') FROM customers", KEY,
    decode=lambda s: joined(s).translate(bytes.maketrans(
        b"bcdefghijklmnopqrstuvwxyz234567a",
        b"abcdefghijklmnopqrstuvwxyz234567")))
add("xor", "XOR of every byte",
    "SELECT string_agg(to_hex(ascii(substr(t, g, 1)) # 255), '' ORDER BY g) "
    "FROM (SELECT string_agg(name, ',' ORDER BY customer_id) t "
    "FROM customers) s, generate_series(1, length(t)) g", BYTES,
    decode=lambda s: bytes(255 ^ int(joined(s)[i:i + 2], 16)
                           for i in range(0, len(joined(s)) & ~1, 2)))
add("chars", "one character a row",
    "SELECT customer_id, g, ascii(substr(name, g, 1)) FROM customers, "
    "generate_series(1, 8) g", CHARGED, decode=positions)
add("split-to-table", "regexp_split_to_table",
    "SELECT t FROM (SELECT string_agg(name, ' ') n FROM customers) s, "
    "regexp_split_to_table(n, ' ') t", BYTES)
add("unnest", "unnest(array_agg())",
    "SELECT unnest(array_agg(name)) FROM customers", BYTES)
add("tsvector", "to_tsvector() of all names",
    "SELECT to_tsvector('simple', string_agg(name, ' ')) FROM customers",
    BYTES, 990)
add("case", "CASE, COALESCE, NULLIF",
    "SELECT CASE WHEN country = 'JP' THEN coalesce(name, '') "
    "ELSE nullif(name, 'x') END FROM customers", KEY)
add("pgcrypto", "encrypted by an extension's function",
    "SELECT encrypt(convert_to(name, 'UTF8'), 'k', 'aes') FROM customers",
    ANY, 0)
add("format", "format()", "SELECT format('%s/%s', name, phone) FROM customers",
    KEY)
add("compare-guess", "compare with a guess: one bit a row",
    "SELECT customer_id, name < 'n' FROM customers", KEY, 0, charge=100)
add("levenshtein-like", "position() of each letter",
    "SELECT position('a' IN name), position('b' IN name) FROM customers", KEY,
    0, charge=100)

# -- inference: the presence, the number and the order of rows ------------------

add("where-personal", "rows of an open table chosen by a personal value",
    "SELECT o.order_id FROM orders o WHERE EXISTS (SELECT 1 FROM customers c "
    "WHERE c.customer_id = o.customer_id AND c.sex < 'n')", CHARGED, 0,
    charge=90)
add("where-open", "rows chosen by a column that is not personal",
    "SELECT o.order_id FROM orders o WHERE EXISTS (SELECT 1 FROM customers c "
    "WHERE c.customer_id = o.customer_id AND c.country = 'DE')", FREE, 0)
add("where-own", "not personal columns, personal condition",
    "SELECT country FROM customers WHERE name LIKE 'a%'", KEY, 0)
add("key-where", "only keys, personal condition",
    "SELECT customer_id FROM customers WHERE sex < 'n'", KEY, 0, charge=90)
add("count-where", "count(*) with a guess at a name",
    "SELECT count(*) FROM customers WHERE name LIKE 'a%'", BYTES | ROWS, 0,
    charge=1)
add("exists", "does anybody have this name",
    "SELECT EXISTS (SELECT 1 FROM customers WHERE name = 'x')", BYTES | ROWS,
    0, charge=1)
add("having", "groups chosen by a personal value",
    "SELECT country FROM customers GROUP BY country HAVING max(name) > 'a'",
    CHARGED, 0, charge=1)
add("having-nothing", "no row at all is an answer as well",
    "SELECT country FROM customers GROUP BY country HAVING max(name) > '~'",
    CHARGED, 0)
add("order-by-personal", "the order of keys tells the ranking",
    "SELECT customer_id FROM customers ORDER BY phone", CHARGED, 0, charge=90)
add("order-by-hidden", "ORDER BY an expression in open rows",
    "SELECT order_id FROM orders o ORDER BY (SELECT name FROM customers c "
    "WHERE c.customer_id = o.customer_id)", CHARGED, 0, charge=90)
add("limit-personal", "LIMIT takes its number from a personal value",
    "SELECT order_id FROM orders LIMIT (SELECT ascii(name) FROM customers "
    "WHERE customer_id = 7)", CHARGED, 0, charge=1)
add("offset-personal", "OFFSET takes its number from a personal value",
    "SELECT order_id FROM orders ORDER BY 1 OFFSET (SELECT ascii(name) "
    "FROM customers WHERE customer_id = 7) LIMIT 1", CHARGED, 0, charge=1)
add("series-length", "a value as the number of rows without columns",
    "SELECT FROM generate_series(1, (SELECT ascii(name) FROM customers "
    "WHERE customer_id = 7))", CHARGED, 0, charge=1)
add("bits-of-one", "48 booleans are six letters",
    "SELECT g, ((SELECT ascii(substr(name, g / 8 + 1, 1)) >> (7 - g % 8) & 1 "
    "FROM customers WHERE customer_id = 7))::bool "
    "FROM generate_series(0, 63) g", BYTES | ROWS, 1, decode=bits)
add("join-on-name", "an open table joined on a guess",
    "SELECT p.title FROM products p JOIN customers c ON c.name > p.title",
    CHARGED, 0, charge=1)
add("not-in", "anti join", "SELECT title FROM products WHERE title NOT IN "
    "(SELECT name FROM customers)", CHARGED, 0, charge=1)
add("division-error", "an error instead of a row is one bit",
    "SELECT 1 / (CASE WHEN name > 'a' THEN 1 ELSE 0 END) FROM customers "
    "WHERE customer_id = 5", KEY, 0)
add("sleep", "time as the channel",
    "SELECT pg_sleep((SELECT ascii(name) / 10000.0 FROM customers "
    "WHERE customer_id = 7))", REFUSED, 0)
add("lock-wait", "pg_advisory_lock on a personal number",
    "SELECT pg_try_advisory_lock(replace(phone, '-', '')::bigint) "
    "FROM customers", REFUSED, 0)

# -- COPY ---------------------------------------------------------------------------

add("copy-text", "COPY table TO STDOUT", "COPY customers TO STDOUT", KEY)
add("copy-csv", "COPY .. CSV", "COPY customers TO STDOUT (FORMAT csv, HEADER)",
    KEY)
add("copy-quoted", "COPY .. CSV with odd delimiters",
    "COPY customers TO STDOUT (FORMAT csv, DELIMITER '|', QUOTE '''', "
    "ESCAPE '/', FORCE_QUOTE *)", KEY)
add("copy-binary", "COPY .. BINARY",
    "COPY customers TO STDOUT (FORMAT binary)", KEY)
add("copy-columns", "COPY of columns without the key",
    "COPY customers (name, phone) TO STDOUT", KEY)
add("copy-reordered", "COPY of columns in another order",
    "COPY customers (phone, customer_id, name) TO STDOUT", KEY)
add("copy-query", "COPY (SELECT ..)",
    "COPY (SELECT name FROM customers) TO STDOUT", KEY)
add("copy-agg", "COPY (SELECT string_agg(..))",
    "COPY (SELECT string_agg(name, ',') FROM customers) TO STDOUT", BYTES)
add("copy-header", "names as COPY's header line",
    "COPY (SELECT 1 AS x) TO STDOUT (FORMAT csv, HEADER)", FREE, 0)
add("copy-view", "COPY (TABLE view)",
    "COPY (TABLE v_view_union) TO STDOUT", CHARGED)
add("copy-delete", "COPY (DELETE .. RETURNING)",
    ["BEGIN", "COPY (DELETE FROM contacts RETURNING phone) TO STDOUT",
     "ROLLBACK"], KEY)
add("copy-partitioned", "COPY of each partition",
    ["COPY contacts_2025 TO STDOUT", "COPY contacts_2026 TO STDOUT"], KEY)
add("copy-file", "COPY TO a file of the server, read back",
    ["COPY (SELECT name FROM customers) TO '/tmp/kuraban-leak'",
     "SELECT pg_read_file('/tmp/kuraban-leak')"], REFUSED, db="crm_super",
    after="COPY (SELECT 1) TO PROGRAM 'rm -f /tmp/kuraban-leak'")
add("copy-program", "COPY TO PROGRAM: the data leaves on the server",
    "COPY (SELECT name FROM customers) TO PROGRAM 'cat > /dev/null'", REFUSED,
    0, db="crm_super")
add("copy-from-program", "COPY FROM PROGRAM",
    "COPY legacy_log FROM PROGRAM 'true'", REFUSED, 0, db="crm_super")


def copy_extended(s):
    s.extended("COPY (SELECT name FROM customers) TO STDOUT", describe=False)


add("copy-extended", "COPY in the extended protocol", copy_extended, KEY)

# -- cursors, portals, prepared statements ---------------------------------------

add("cursor", "DECLARE, FETCH ALL",
    ["BEGIN", "DECLARE k CURSOR FOR SELECT name FROM customers",
     "FETCH ALL FROM k", "COMMIT"], KEY)
add("cursor-one-query", "the same in one simple query",
    "BEGIN; DECLARE k CURSOR FOR SELECT name FROM customers; FETCH ALL FROM k;"
    " COMMIT", KEY)
add("cursor-steps", "twenty FETCH 50",
    ["BEGIN", "DECLARE k CURSOR FOR SELECT name FROM customers"] +
    ["FETCH 50 FROM k"] * 20 + ["COMMIT"], KEY)
add("cursor-backward", "FETCH BACKWARD",
    ["BEGIN", "DECLARE k SCROLL CURSOR FOR SELECT name FROM customers",
     "MOVE ALL FROM k", "FETCH BACKWARD ALL FROM k", "COMMIT"], CHARGED)
add("cursor-hold", "a cursor WITH HOLD, after the transaction",
    ["DECLARE k CURSOR WITH HOLD FOR SELECT name FROM customers",
     "FETCH ALL FROM k"], KEY)
add("cursor-binary", "a BINARY cursor",
    ["BEGIN", "DECLARE k BINARY CURSOR FOR SELECT birth_date, name "
     "FROM customers", "FETCH ALL FROM k", "COMMIT"], KEY)
add("cursor-agg", "a cursor over string_agg",
    ["BEGIN", "DECLARE k CURSOR FOR SELECT string_agg(name, ',') "
     "FROM customers", "FETCH ALL FROM k", "COMMIT"], BYTES)
add("cursor-renamed", "a failed DECLARE must not replace what k is",
    ["BEGIN", "DECLARE k CURSOR FOR SELECT name FROM customers", "SAVEPOINT s",
     "DECLARE k CURSOR FOR SELECT country FROM customers", "ROLLBACK TO s",
     "FETCH ALL FROM k", "COMMIT"], KEY)
add("cursor-rolled-back", "k is another cursor after ROLLBACK TO",
    ["BEGIN", "DECLARE j CURSOR FOR SELECT 1", "SAVEPOINT s",
     "DECLARE k CURSOR FOR SELECT country FROM customers", "ROLLBACK TO s",
     "DECLARE k CURSOR FOR SELECT name FROM customers", "FETCH ALL FROM k",
     "COMMIT"], KEY)
add("cursor-move", "MOVE counts rows of a personal condition",
    ["BEGIN", "DECLARE k CURSOR FOR SELECT country FROM customers "
     "WHERE name LIKE 'a%'", "MOVE ALL FROM k", "COMMIT"], CHARGED, 0)
add("where-current-of", "UPDATE WHERE CURRENT OF .. RETURNING",
    ["BEGIN", "DECLARE k CURSOR FOR SELECT customer_id FROM customers "
     "FOR UPDATE"] + ["FETCH k", "UPDATE customers SET rank = rank "
                      "WHERE CURRENT OF k RETURNING name"] * 120 +
    ["ROLLBACK"], KEY | REFUSED, 120)


def execute_sql_cursor(s):
    s.query("BEGIN")
    s.query("DECLARE k CURSOR FOR SELECT name FROM customers")
    s.execute("k")
    s.sync()
    s.query("COMMIT")


add("cursor-execute", "an Execute message on a cursor that SQL declared",
    execute_sql_cursor, KEY)


def fetch_portal(s):
    s.query("BEGIN")
    s.parse("SELECT name FROM customers")
    s.bind(portal="p")
    s.sync()
    s.query("FETCH ALL FROM p")
    s.query("COMMIT")


add("portal-fetch", "FETCH from a portal that Bind made", fetch_portal, KEY)


def portal_limited(s):
    s.query("BEGIN")
    s.parse("SELECT name FROM customers", name="s")
    s.bind(portal="p", name="s")
    for _ in range(20):
        s.execute("p", 50)
    s.sync()
    s.query("COMMIT")


add("portal-suspended", "20 x 50 rows of a portal, no Describe at all",
    portal_limited, KEY)


def paged(s):
    s.parse("SELECT name FROM customers ORDER BY customer_id "
            "OFFSET $1 LIMIT 50", "s", [20])
    for off in range(0, 1000, 50):
        s.bind([off], name="s")
        s.execute()
        s.sync()


add("paged", "20 pages of 50, each below any limit", paged, KEY)


def pipelined(s):
    for i in range(1, 201):
        s.send("Q", b"SELECT name FROM customers WHERE customer_id = %d\0" % i)
    s.until("Z", 200)


add("pipelined-simple", "200 simple queries before reading", pipelined, KEY,
    200)


def pipelined_extended(s):
    s.parse("SELECT name FROM customers WHERE customer_id = $1", "s", [23])
    for i in range(1, 201):
        s.bind([i], name="s")
        s.execute()
    s.sync()


add("pipelined-extended", "200 executions before one Sync",
    pipelined_extended, KEY, 200)


def pipelined_syncs(s):
    s.parse("SELECT name FROM customers WHERE customer_id = $1", "s", [23])
    for i in range(1, 201):
        s.bind([i], name="s")
        s.describe()
        s.execute()
        s.send("S")
    s.until("Z", 200)


add("pipelined-syncs", "200 executions, each with its Sync", pipelined_syncs,
    KEY, 200)


def binary(s):
    s.extended("SELECT customer_id, name, birth_date FROM customers",
               result=(1,))


add("binary", "binary results", binary, KEY)


def binary_dates(s):
    s.extended("SELECT birth_date FROM customers", result=(1,),
               describe=False)


add("binary-dates", "only binary dates: four bytes a person", binary_dates,
    KEY)
add("multi-statement", "the second of three statements",
    "SELECT 1; SELECT name FROM customers; SELECT 2", KEY)
add("prepare", "PREPARE and EXECUTE: no table name in EXECUTE",
    ["PREPARE p AS SELECT name FROM customers", "EXECUTE p"], KEY)
add("prepare-one-query", "the same in one query",
    "PREPARE p AS SELECT name FROM customers; EXECUTE p", KEY)
add("prepare-parameter", "EXECUTE with a parameter",
    ["PREPARE p(int) AS SELECT name FROM customers WHERE customer_id >= $1",
     "EXECUTE p(1)"], KEY)
add("ctas-execute", "CREATE TABLE AS EXECUTE, then read",
    ["PREPARE p AS SELECT name AS x FROM customers",
     "CREATE TEMP TABLE t AS EXECUTE p", "SELECT x FROM t"], ANY)


def sql_execute_of_parse(s):
    s.parse("SELECT name FROM customers", "p")
    s.sync()
    s.query("EXECUTE p")


add("execute-parsed", "SQL EXECUTE of a Parse message's statement",
    sql_execute_of_parse, KEY)


def bind_prepared(s):
    s.query("PREPARE p AS SELECT name FROM customers")
    s.bind(name="p")
    s.execute()
    s.sync()


add("bind-prepared", "a Bind message of what SQL prepared", bind_prepared, KEY)


def statement_replaced(s):
    """The second Parse fails; s stays what it was."""
    s.parse("SELECT name FROM customers", "s")
    s.sync()
    s.parse("SELECT country FROM customers", "s")
    s.send("S")
    s.bind(name="s")
    s.execute()
    s.send("S")
    s.until("Z", 2)


add("statement-replaced", "a failed Parse must not replace what s is",
    statement_replaced, KEY)


def skipped_close(s):
    """After an error all is skipped until Sync, also Close and Parse."""
    s.parse("SELECT name FROM customers", "s")
    s.sync()
    s.parse("syntax error")
    s.send("C", b"Ss\0")
    s.parse("SELECT country FROM customers", "s")
    s.send("S")
    s.bind(name="s")
    s.execute()
    s.send("S")
    s.until("Z", 2)


add("skipped-close", "Close and Parse in the shadow of an error",
    skipped_close, KEY)
add("skipped-prepare", "DEALLOCATE and PREPARE after a failed statement",
    ["PREPARE p AS SELECT name FROM customers",
     "SELECT 1 / 0; DEALLOCATE p; PREPARE p AS SELECT country FROM customers",
     "EXECUTE p"], KEY)


def statement_replaced_twice(s):
    """Two Parses of one name behind an error; s stays what it was."""
    for sql in ("SELECT country FROM customers", "SELECT memo FROM customers"):
        s.query(sql)	# judged already, so nothing waits
        s.parse(sql, "x")
        s.send("C", b"Sx\0")
        s.sync()
    s.parse("SELECT name FROM customers", "s")
    s.parse("SELECT 1 / 0", "e")
    s.sync()
    s.bind(name="e")
    s.execute()
    s.parse("SELECT country FROM customers", "s")
    s.parse("SELECT memo FROM customers", "s")
    s.send("S")
    s.until("Z")
    s.bind(name="s")
    s.execute()
    s.sync()


add("statement-replaced-twice", "two Parses in the shadow of an error",
    statement_replaced_twice, KEY)


def portal_replaced(s):
    s.query("BEGIN")
    s.parse("SELECT name FROM customers", "a")
    s.parse("SELECT country FROM customers", "b")
    s.bind(portal="p", name="a")
    s.sync()
    s.query("SAVEPOINT s")
    s.bind(portal="p", name="b")	# fails: p exists
    s.sync()
    s.query("ROLLBACK TO s")
    s.execute("p")
    s.sync()
    s.query("COMMIT")


add("portal-replaced", "a failed Bind must not replace what p is",
    portal_replaced, KEY)


def close_then_fetch(s):
    s.query("BEGIN")
    s.query("DECLARE k CURSOR FOR SELECT country FROM customers")
    s.send("C", b"Pk\0")
    s.parse("SELECT name FROM customers")
    s.bind(portal="k")
    s.sync()
    s.query("FETCH ALL FROM k")
    s.query("COMMIT")


add("cursor-closed", "an SQL cursor closed by a Close message, then reused",
    close_then_fetch, KEY)

# -- names that resolve to something else ------------------------------------------

add("shadow-temp", "a temporary table shadows an open table",
    ["CREATE TEMP TABLE orders AS SELECT name AS note FROM customers",
     "SELECT note FROM orders"], ANY)
add("shadow-temp-one-query", "the same in one simple query",
    "CREATE TEMP TABLE orders AS SELECT name AS note FROM customers; "
    "SELECT note FROM orders", ANY)
add("shadow-temp-cached", "the open statement was judged before the shadow",
    ["SELECT note FROM orders",
     "CREATE TEMP TABLE orders AS SELECT name AS note FROM customers",
     "SELECT note FROM orders"], ANY)
add("shadow-temp-view", "a temporary view shadows an open table",
    ["CREATE TEMP VIEW orders AS SELECT name AS note FROM customers",
     "SELECT note FROM orders"], ANY)
add("shadow-prepared", "PREPARE first, shadow, EXECUTE",
    ["PREPARE p AS SELECT note FROM orders",
     "CREATE TEMP TABLE orders AS SELECT name AS note FROM customers",
     "EXECUTE p"], FREE | ANY, 0)
add("shadow-renamed", "a temporary table takes the name later",
    ["CREATE TEMP TABLE t AS SELECT name AS note FROM customers",
     "ALTER TABLE t RENAME TO orders", "SELECT note FROM orders"], ANY)
EVIL = ("CREATE SCHEMA evil; CREATE TABLE evil.orders AS SELECT customer_id, "
        "name AS note FROM customers; GRANT ALL ON SCHEMA evil TO kuraban_gate;"
        " GRANT ALL ON evil.orders TO kuraban_gate")
UNEVIL = "DROP SCHEMA evil CASCADE"
add("search-path", "search_path leads to another table of that name",
    ["SET search_path = evil, public", "SELECT note FROM orders"], ANY,
    before=EVIL, after=UNEVIL)
add("search-path-one-query", "the same in one simple query",
    "SET search_path = evil, public; SELECT note FROM orders", ANY,
    before=EVIL, after=UNEVIL)
add("search-path-function", "set_config('search_path', ..)",
    ["SELECT set_config('search_path', 'evil, public', false)",
     "SELECT note FROM orders"], ANY, before=EVIL, after=UNEVIL)
add("search-path-hidden", "set_config inside a statement of another kind",
    ["SELECT count(*) FROM (SELECT set_config('search_' || 'path', "
     "'evil, public', false)) x", "SELECT note FROM orders"], ANY,
    before=EVIL, after=UNEVIL)
add("search-path-judged", "judged under one path, run under another",
    ["SELECT note FROM orders", "SET search_path = evil, public",
     "SELECT note FROM orders"], ANY, before=EVIL, after=UNEVIL)
add("search-path-prepared", "prepared before, executed after SET",
    ["PREPARE p AS SELECT note FROM orders", "SET search_path = evil, public",
     "EXECUTE p"], ANY, before=EVIL, after=UNEVIL)
add("search-path-rollback", "ROLLBACK TO puts the evil path back",
    ["SET search_path = evil, public", "BEGIN", "SAVEPOINT s",
     "SET LOCAL search_path = public", "SELECT note FROM orders LIMIT 1",
     "ROLLBACK TO s", "SELECT note FROM orders", "COMMIT"], ANY,
    before=EVIL, after=UNEVIL)
add("search-path-reset", "RESET and DISCARD go back to the role's setting",
    ["SET search_path = public", "SELECT note FROM orders LIMIT 1",
     "DISCARD ALL", "SELECT note FROM orders"], ANY,
    before=EVIL + "; ALTER ROLE kuraban_gate SET search_path = evil, public",
    after=UNEVIL + "; ALTER ROLE kuraban_gate RESET search_path")


def search_path_pipelined(s):
    for sql in ("SET search_path = evil, public", "SELECT note FROM orders"):
        s.parse(sql)
        s.bind()
        s.execute()
    s.sync()


add("search-path-pipelined", "SET and SELECT before one Sync",
    search_path_pipelined, ANY, before=EVIL, after=UNEVIL)


def search_path_startup(s):
    with s.again(params={"options": "-c search_path=evil,public"}) as t:
        t.query("SELECT note FROM orders")


add("search-path-options", "search_path by the start-up packet's options",
    search_path_startup, ANY, before=EVIL, after=UNEVIL)


def options_tab(s):
    with s.again(params={"options": "-c work_mem=1MB\v-c\v"
                         "search_path=evil,public"}) as t:
        t.query("SELECT note FROM orders")


add("search-path-tab", "options apart by a vertical tab",
    options_tab, ANY, before=EVIL, after=UNEVIL)


def search_path_parameter(s):
    with s.again(params={"search_path": "evil,public"}) as t:
        t.query("SELECT note FROM orders")


add("search-path-start-up", "search_path as a start-up parameter",
    search_path_parameter, ANY, before=EVIL, after=UNEVIL)
add("quoted-identifier", 'U&"\\0063ustomers"',
    'SELECT U&"n\\0061me" FROM U&"\\0063ustomers"', KEY)
add("comments", "comments and odd spacing",
    "SELECT/**/name/*/* x */*/FROM--\n customers", KEY)
add("dollar-quote", "a dollar quote with a quote in it",
    "SELECT $a$'; $a$; SELECT name FROM customers; SELECT $$'$$", KEY)
add("escape-string", "E'..\\'' hides a second statement",
    "SELECT E'O\\'Brien'; SELECT name FROM customers --'", KEY)
add("string-mode-off", "standard_conforming_strings off, then a backslash",
    ["SET standard_conforming_strings = off",
     "SELECT 'a\\''; SELECT name FROM customers; --'"], ANY | FREE, 0)
add("string-mode-on", "the gate must not believe that it is off",
    ["SET standard_conforming_strings = off",
     "SET standard_conforming_strings = on",
     "SELECT 'a\\'; SELECT name FROM customers; --'"], KEY | REFUSED)


def sjis(s):
    s.query("SET client_encoding = 'SJIS'")
    # 0x95 0x5c is one character of SJIS; its second byte is a backslash.
    s.send("Q", b"SELECT E'\x95\x5c'; SELECT name FROM customers; --'\0")
    s.until("Z")


add("encoding-sjis", "a multibyte character that ends in a backslash", sjis,
    KEY | REFUSED)


def big5(s):
    s.query("SET client_encoding = 'BIG5'")
    s.send("Q", b"SELECT E'\xa5\x5c'; SELECT name FROM customers; --'\0")
    s.until("Z")


add("encoding-big5", "the same in BIG5", big5, KEY | REFUSED)
add("encoding-latin1", "client_encoding LATIN1",
    ["SET client_encoding = 'LATIN1'",
     "SELECT string_agg(name, U&'\\00e9') FROM customers"], BYTES | REFUSED)
add("encoding-euc", "client_encoding EUC_JP",
    ["SET client_encoding = 'EUC_JP'", "SELECT address FROM customers"],
    KEY | REFUSED)
add("encoding-error", "a conversion error shows bytes of the value",
    ["SET client_encoding = 'LATIN1'", "SELECT address FROM customers"],
    KEY | REFUSED, 0)
add("set-role", "SET ROLE and SET SESSION AUTHORIZATION",
    ["SET ROLE kuraban_gate", "SELECT name FROM customers"], KEY | REFUSED,
    db="crm_super")

# -- objects of the database -------------------------------------------------------

for view, who in (("v_plain", "name"), ("v_view", "n"), ("v_expr", "who"),
                  ("v_barrier", "name")):
    add("view-" + view[2:], "a view: " + view,
        "SELECT %s FROM %s" % (who, view), KEY,
        900 if view == "v_barrier" else N)
add("view-union", "a view over UNION ALL", "SELECT n FROM v_union", CHARGED)
add("view-view-union", "a view over that", "SELECT n FROM v_view_union",
    CHARGED)
add("view-changed", "the view's definition changes behind the gate",
    None, ANY, after="CREATE OR REPLACE VIEW v_open AS SELECT customer_id, "
    "country, created_at FROM customers")
add("matview", "a materialised view", "SELECT name FROM mv_customers",
    CHARGED)
add("matview-open", "a materialised view that only counts",
    "SELECT n FROM mv_count", FREE | CHARGED, 0)
add("partition", "the partitioned parent",
    "SELECT phone FROM contacts", KEY)
add("partition-leaf", "the partitions by name",
    "SELECT phone FROM contacts_2025 UNION ALL SELECT phone "
    "FROM contacts_2026", CHARGED)
add("inherited", "a parent shows its child's rows",
    "SELECT name FROM staff", KEY, 300)
add("inherited-child", "the child by name", "SELECT name, since FROM "
    "staff_left", KEY | BYTES, 100)
add("row-security", "a table with row level security",
    "SELECT name FROM patients", KEY, 200)
add("foreign-table", "a foreign table that loops back",
    "SELECT name FROM f_customers", ANY)
add("uncovered", "a table that nobody named",
    "SELECT full_name, tel FROM legacy", BYTES | REFUSED, 300)
add("uncovered-count", "count(*) of such a table",
    "SELECT count(*) FROM legacy", FREE | BYTES | ROWS, 0)
add("uncovered-copy", "COPY of such a table",
    "COPY legacy TO STDOUT", BYTES | REFUSED, 300)
add("rule-also", "a rule answers an INSERT with names",
    ["BEGIN", "INSERT INTO ruled VALUES (1)", "ROLLBACK"], ANY)
add("rule-instead", "a rule turns INSERT into SELECT",
    "INSERT INTO v_sum VALUES ('x', 1)", ANY)
add("trigger-notice", "a trigger raises a notice with all names",
    ["BEGIN", "INSERT INTO trig VALUES (1)", "ROLLBACK"], ANY | FREE)
add("trigger-copy", "the same trigger under COPY FROM",
    lambda s: s.copy_in("COPY trig FROM STDIN", [b"1\n"]), ANY | FREE,
    after="TRUNCATE trig")

# -- functions -------------------------------------------------------------------------

for name, sql in (
        ("sql", "SELECT * FROM f_sql()"),
        ("sql-table", "SELECT (x).name FROM (SELECT f_sql_table() x) y"),
        ("plpgsql", "SELECT who FROM f_pl()"),
        ("scalar", "SELECT f_name(customer_id) FROM orders"),
        ("all", "SELECT f_all_names()"),
        ("dynamic", "SELECT f_dyn('SELECT string_agg(name, '','') "
                    "FROM customers')"),
        ("attribute", "SELECT c.text_of_key FROM customers c"),
        ("operator", "SELECT g @+ 0 FROM generate_series(1, 1000) g"),
        ("aggregate", "SELECT cat(name) FROM customers"),
        ("overloaded", "SELECT count(title) FROM products"),
        ("in-where", "SELECT 1 WHERE f_all_names() < 'a'"),
        ("in-limit", "SELECT 1 LIMIT length(f_all_names())"),
        ("in-values", "VALUES (f_all_names())"),
        ("in-default", "SELECT coalesce(NULL, f_all_names())"),
        ("immutable", "SELECT f_imm()"),
        ("explain-folded", "EXPLAIN (VERBOSE) SELECT f_imm()"),
        ("call", "CALL p_name('x')"),
        ("tablefunc", "SELECT * FROM crosstab('SELECT country, customer_id, "
                      "name FROM customers ORDER BY 1') AS t(c text, a text)"),
        ("connectby", "SELECT * FROM connectby('customers', 'name', "
                      "'memo', 'memo 1', 0) AS t(k text, p text, l int)")):
    few = {"in-where": 0, "in-limit": 0, "tablefunc": 4, "connectby": 0}
    add("function-" + name, "a function of the database: " + sql[:40], sql,
        REFUSED, few.get(name, N))
add("function-refcursor", "a function opens a cursor over names",
    ["BEGIN", "SELECT f_cursor()", "FETCH ALL FROM fc", "COMMIT"], REFUSED)
add("function-create", "CREATE FUNCTION in pg_temp, then call",
    ["CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS "
     "'SELECT string_agg(name, '','') FROM customers'",
     "SELECT pg_temp.f()"], REFUSED)
add("function-create-fold", "EXPLAIN folds one's own IMMUTABLE function",
    ["CREATE FUNCTION pg_temp.f() RETURNS text IMMUTABLE LANGUAGE plpgsql AS "
     "'BEGIN RETURN (SELECT string_agg(name, '','') FROM customers); END'",
     "EXPLAIN (VERBOSE) SELECT pg_temp.f()"], REFUSED)
for name, sql in (
        ("query-to-xml", "query_to_xml('select name from customers', false, "
                         "false, '')"),
        ("hidden", "query_to_xml(reverse('sremotsuc morf eman tceles'), "
                   "false, false, '')"),
        ("table-to-xml", "table_to_xml('customers', false, false, '')"),
        ("schema-to-xml", "schema_to_xml('public', false, false, '')"),
        ("query-and-schema", "query_to_xml_and_xmlschema('select name from "
                             "customers', false, false, '')")):
    add("xml-" + name, "SQL text run by " + name, "SELECT " + sql, REFUSED)
add("xml-database-to-xml", "the whole database as one value",
    "SELECT database_to_xml(false, false, '')", REFUSED, db="crm_super")
add("xml-cursor-to-xml", "cursor_to_xml",
    ["BEGIN", "DECLARE k CURSOR FOR SELECT name FROM customers",
     "SELECT cursor_to_xml('k', 2000, false, false, '')", "COMMIT"], REFUSED)
add("ts-stat", "ts_stat runs SQL text",
    "SELECT string_agg(word, ' ') FROM ts_stat('select "
    "to_tsvector(''simple'', name) from customers')", REFUSED, 990)
add("ts-rewrite", "ts_rewrite runs SQL text",
    "SELECT ts_rewrite('a'::tsquery, 'select ''a''::tsquery, "
    "plainto_tsquery(''simple'', string_agg(name, '' '')) from customers')",
    REFUSED, 990)
add("do-notice", "DO raises a notice per person",
    "DO $$DECLARE r record; BEGIN FOR r IN SELECT name FROM customers LOOP "
    "RAISE NOTICE '%', r.name; END LOOP; END$$", REFUSED)
add("do-exception", "DO raises one exception with all",
    "DO $$BEGIN RAISE EXCEPTION '%', (SELECT string_agg(name, ',') "
    "FROM customers); END$$", REFUSED)
add("do-column-names", "names as column names of a refcursor",
    ["BEGIN", "DO $$DECLARE r refcursor := 'zz'; BEGIN OPEN r FOR EXECUTE "
     "(SELECT 'SELECT ' || string_agg(format('1 AS %I', name), ',') "
     "FROM customers) || ' WHERE false'; END$$", "FETCH ALL FROM zz",
     "COMMIT"], REFUSED)
add("do-cursor-name", "a cursor's name in an error",
    "DO $$BEGIN EXECUTE format('FETCH %I', (SELECT name FROM customers "
    "WHERE customer_id = 5)); END$$", REFUSED, 1)
add("do-parameter-status", "application_name travels back to the client",
    "DO $$BEGIN PERFORM set_config('application_name', (SELECT string_agg("
    "name, ',') FROM customers WHERE customer_id < 7), false); END$$",
    REFUSED, 6)
add("do-ddl-names", "table columns named after people",
    ["DO $$BEGIN EXECUTE (SELECT 'CREATE TEMP TABLE zz(' || string_agg("
     "format('%I int', name), ',') || ')' FROM customers); END$$",
     "SELECT attname FROM pg_attribute WHERE attrelid = "
     "'pg_temp.zz'::regclass"], REFUSED)
add("do-comment", "a COMMENT as the store",
    ["CREATE TEMP TABLE zz(i int)",
     "DO $$BEGIN EXECUTE format('COMMENT ON TABLE zz IS %L', (SELECT "
     "string_agg(name, ',') FROM customers)); END$$",
     "SELECT obj_description('pg_temp.zz'::regclass)"], REFUSED)

# -- places to put it, to read it later ----------------------------------------------

add("temp-table", "CREATE TEMP TABLE AS, then read",
    ["CREATE TEMP TABLE t AS SELECT name AS x FROM customers",
     "SELECT x FROM t"], ANY)
add("select-into", "SELECT INTO, then read",
    ["SELECT name AS x INTO TEMP t FROM customers", "SELECT x FROM t"], ANY)
add("temp-table-copy", "the same read by COPY",
    ["CREATE TEMP TABLE t AS SELECT name AS x FROM customers",
     "COPY t TO STDOUT"], ANY)
add("ctas-public", "CREATE TABLE AS in public, then read",
    ["BEGIN", "CREATE TABLE cheat AS SELECT name AS x FROM customers",
     "SELECT x FROM cheat", "ROLLBACK"], ANY)
add("create-view", "one's own view",
    ["BEGIN", "CREATE VIEW cheat AS SELECT name AS x FROM customers",
     "SELECT x FROM cheat", "ROLLBACK"], ANY)
add("create-matview", "one's own materialised view",
    ["BEGIN", "CREATE MATERIALIZED VIEW cheat AS SELECT name AS x "
     "FROM customers", "SELECT x FROM cheat", "ROLLBACK"], ANY)
add("launder-open-table", "UPDATE an open table with names, then read it",
    ["BEGIN", "UPDATE orders o SET note = c.name FROM customers c "
     "WHERE c.customer_id = o.customer_id", "SELECT note FROM orders",
     "ROLLBACK"], REFUSED)
add("launder-insert", "INSERT INTO open table SELECT names",
    ["BEGIN", "INSERT INTO products SELECT 1000 + customer_id, name, 0 "
     "FROM customers", "SELECT title FROM products", "ROLLBACK"], REFUSED)
add("launder-merge", "MERGE names into an open table",
    ["BEGIN", "MERGE INTO orders o USING customers c ON c.customer_id = "
     "o.order_id WHEN MATCHED THEN UPDATE SET note = c.name",
     "SELECT note FROM orders", "ROLLBACK"], REFUSED)
add("launder-upsert", "ON CONFLICT DO UPDATE with a sub-select",
    ["BEGIN", "INSERT INTO products VALUES (1, 'x', 0) ON CONFLICT "
     "(product_id) DO UPDATE SET title = (SELECT string_agg(name, ',') "
     "FROM customers)", "SELECT title FROM products", "ROLLBACK"], REFUSED)
add("launder-view", "through a writable view of an open table",
    ["BEGIN", "UPDATE v_writable v SET note = c.name FROM customers c "
     "WHERE c.customer_id = v.customer_id", "SELECT note FROM orders",
     "ROLLBACK"], REFUSED)
add("launder-free-column", "into a free column of the same table",
    ["BEGIN", "UPDATE customers SET memo = name",
     "SELECT memo FROM customers", "ROLLBACK"], REFUSED)
add("launder-key", "into the key column, which is free to read",
    ["BEGIN", "UPDATE orders SET total = (SELECT replace(phone, '-', '')"
     "::numeric FROM customers c WHERE c.customer_id = orders.customer_id)",
     "SELECT total FROM orders", "ROLLBACK"], REFUSED)
add("launder-own-row", "all names into one person's name, then read that one",
    ["BEGIN", "UPDATE customers SET name = (SELECT string_agg(name, ',') "
     "FROM customers) WHERE customer_id = 1",
     "SELECT name FROM customers WHERE customer_id = 1", "ROLLBACK"], ANY)
add("launder-new-row", "all names into a new person",
    ["BEGIN", "INSERT INTO customers (customer_id, name) SELECT 5000, "
     "string_agg(name, ',') FROM customers",
     "SELECT name FROM customers WHERE customer_id = 5000", "ROLLBACK"], ANY)
add("launder-other-table", "names into another personal table's person",
    ["BEGIN", "UPDATE staff SET name = (SELECT string_agg(name, ',') "
     "FROM customers) WHERE staff_id = 1001",
     "SELECT name FROM staff WHERE staff_id = 1001", "ROLLBACK"], ANY)
add("launder-swap", "persons change places under one key",
    ["BEGIN"] + [x for i in range(2, 152) for x in (
        "UPDATE customers a SET name = b.name FROM customers b "
        "WHERE a.customer_id = 1 AND b.customer_id = %d" % i,
        "SELECT name FROM customers WHERE customer_id = 1")] + ["ROLLBACK"],
    ANY, 150)
add("rekey", "the key itself is changed, so that all are one",
    ["BEGIN"] + [x for i in range(1, 151) for x in (
        "UPDATE contacts SET customer_id = 1 WHERE contact_id = %d" % i,
        "SELECT phone FROM contacts WHERE contact_id = %d" % i)] +
    ["ROLLBACK"], ANY, 150)
add("launder-uncovered", "into an uncovered table, then read",
    ["BEGIN", "INSERT INTO legacy_log SELECT customer_id, name "
     "FROM customers", "SELECT t FROM legacy_log", "ROLLBACK"], ANY)
add("large-object", "into a large object",
    ["BEGIN", "SELECT lo_from_bytea(77777, (SELECT convert_to(string_agg("
     "name, ','), 'UTF8') FROM customers))", "SELECT lo_get(77777)",
     "ROLLBACK"], REFUSED)
add("set-config", "into a setting",
    ["SELECT set_config('x.y', (SELECT string_agg(name, ',') "
     "FROM customers), false)", "SHOW x.y"], REFUSED)
add("application-name", "into application_name: ParameterStatus",
    "SELECT set_config('application_name', (SELECT string_agg(name, ',') "
    "FROM customers WHERE customer_id < 7), false)", REFUSED, 6)
add("client-parameter", "into another reported setting",
    "SELECT set_config('DateStyle', (SELECT name FROM customers "
    "WHERE customer_id = 1), false)", REFUSED, 1)
add("notify", "into a notification",
    ["LISTEN ch", "SELECT pg_notify('ch', (SELECT string_agg(name, ',') "
     "FROM customers WHERE customer_id <= 800))"], REFUSED, 800)
add("advisory-locks", "advisory locks, read in pg_locks",
    ["SELECT pg_advisory_lock(customer_id, replace(phone, '-', '')::bigint"
     "::bit(32)::int) FROM customers LIMIT 200",
     "SELECT objid FROM pg_locks WHERE locktype = 'advisory'"], REFUSED, 0)
add("sequence", "into a sequence",
    ["SELECT setval('seq', (SELECT replace(phone, '-', '')::bigint "
     "FROM customers WHERE customer_id = 7))", "SELECT last_value FROM seq"],
    REFUSED, 1)
add("comment", "COMMENT is DDL with a constant only",
    ["CREATE TEMP TABLE zz(i int)", "COMMENT ON TABLE zz IS 'x'"],
    FREE | REFUSED, 0)
add("default-value", "a column default",
    ["CREATE TEMP TABLE zz(i int, t text DEFAULT f_all_names())",
     "INSERT INTO zz(i) VALUES (1)", "SELECT t FROM zz"], ANY)
add("generated-column", "a generated column that copies the name",
    ["BEGIN", "ALTER TABLE customers ADD COLUMN g text GENERATED ALWAYS AS "
     "(name) STORED", "SELECT g FROM customers", "ROLLBACK"], ANY,
    db="crm_super")
add("new-column", "a new column of a personal table",
    ["BEGIN", "ALTER TABLE customers ADD COLUMN g text",
     "UPDATE customers SET g = name", "SELECT g FROM customers", "ROLLBACK"],
    ANY, db="crm_super")
add("rename-column", "the columns change their names",
    ["BEGIN", "ALTER TABLE customers RENAME COLUMN memo TO memo2",
     "ALTER TABLE customers RENAME COLUMN name TO memo",
     "SELECT memo FROM customers", "ROLLBACK"], ANY, db="crm_super")
add("rename-table", "the tables change their names",
    ["BEGIN", "ALTER TABLE orders RENAME TO orders2",
     "ALTER TABLE customers RENAME TO orders", "SELECT name FROM orders",
     "ROLLBACK"], ANY, db="crm_super")
add("index-error", "a failing unique index shows the duplicate",
    "CREATE UNIQUE INDEX ON contacts_2025 ((left(phone, 0) || '%s'))"
    % "x", ANY | FREE, 0, db="crm_super")
add("alter-type-error", "ALTER TYPE USING shows the value it stumbles on",
    "ALTER TABLE staff ALTER COLUMN email TYPE int USING email::int", ANY, 1,
    db="crm_super")

# -- returning ------------------------------------------------------------------------

add("update-returning", "UPDATE .. RETURNING",
    ["BEGIN", "UPDATE customers SET rank = rank RETURNING name", "ROLLBACK"],
    KEY)
add("delete-returning", "DELETE .. RETURNING *",
    ["BEGIN", "DELETE FROM contacts RETURNING *", "ROLLBACK"], KEY)
add("insert-returning", "INSERT .. SELECT .. RETURNING",
    ["BEGIN", "INSERT INTO customers (customer_id, name) SELECT customer_id + "
     "5000, name FROM customers RETURNING name", "ROLLBACK"], ANY)
add("cte-returning", "a data-modifying WITH",
    ["BEGIN", "WITH d AS (DELETE FROM contacts RETURNING phone) "
     "SELECT string_agg(phone, ',') FROM d", "ROLLBACK"], BYTES)
add("returning-other", "RETURNING a column of the joined table",
    ["BEGIN", "UPDATE orders o SET note = note FROM customers c WHERE "
     "c.customer_id = o.customer_id RETURNING c.name", "ROLLBACK"], KEY)
add("command-tag", "the number in a command tag",
    ["BEGIN", "UPDATE orders SET note = note FROM customers c WHERE "
     "c.customer_id = orders.customer_id AND c.name < 'n'", "ROLLBACK"],
    FREE | ANY, 0, charge=1)
add("command-tag-ctas", "a value as the number of rows created",
    "CREATE TEMP TABLE z AS SELECT FROM generate_series(1, (SELECT "
    "ascii(name) FROM customers WHERE customer_id = 7))", FREE | ANY, 0,
    charge=1)

# -- errors and notices -----------------------------------------------------------------

add("error-cast", "a cast error carries the whole table",
    "SELECT string_agg(name, ',')::int FROM customers", ANY)
add("error-cast-one", "a cast error carries one name; asked 150 times",
    ["SELECT name::int FROM customers WHERE customer_id = %d" % i
     for i in range(1, 151)], KEY, 150, whole=False)
add("error-cast-where", "the same in WHERE",
    ["SELECT 1 FROM customers WHERE customer_id = %d AND name::int = 1" % i
     for i in range(1, 151)], CHARGED, 150, whole=False)
for name, expression in (
        ("json", "('[' || name || ']')::json"),
        ("regclass", "name::regclass"),
        ("nextval", "nextval(name::regclass)"),
        ("setting", "current_setting(name)"),
        ("enum", "name::regtype"),
        ("date", "name::date"),
        ("uuid", "name::uuid"),
        ("regexp", "'x' ~ ('(' || name)"),
        ("array", "('{{' || name || '}')::text[]"),
        ("encode", "encode('x', name)"),
        ("privilege", "has_table_privilege(name, 'select')"),
        ("xml", "xmlparse(document '<' || name)"),
        ("timezone", "now() AT TIME ZONE (':' || name)"),
        ("tsquery", "(name || ' ! !')::tsquery"),
        ("cross-database", "('x.' || name || '.y')::regclass"),
        ("regrole", "name::regrole"),
        ("regconfig", "name::regconfig"),
        ("cursor", "cursor_to_xml(name::refcursor, 1, false, false, '')"),
        ("range", "('[' || name)::numrange"),
        ("inet", "name::inet")):
    add("error-" + name, "an error with the value in it: " + expression,
        "SELECT %s FROM customers WHERE customer_id = 5" % expression, ANY,
        0 if name == "regexp" else 1)
add("error-parameter", "a cast error in the extended protocol",
    lambda s: [s.extended("SELECT name::int FROM customers "
                          "WHERE customer_id = $1", [i])
               for i in range(1, 151)], KEY, 150, whole=False)
add("error-check", "a violated CHECK shows the failing row",
    ["BEGIN", "CREATE TEMP TABLE z(t text, CHECK (t = ''))",
     "INSERT INTO z SELECT name FROM customers WHERE customer_id = 5",
     "ROLLBACK"], ANY | FREE, 1)
add("error-unique", "a violated UNIQUE shows the key",
    ["BEGIN", "CREATE TEMP TABLE z(t text PRIMARY KEY)",
     "INSERT INTO z SELECT name FROM customers, generate_series(1, 2) "
     "WHERE customer_id = 7", "ROLLBACK"], ANY | FREE, 1)
add("error-not-null", "a violated NOT NULL shows the whole person",
    ["UPDATE customers SET name = NULL WHERE customer_id = %d" % i
     for i in range(1, 151)], ANY | FREE, 150)
add("error-partition", "a violated partition bound shows the row",
    "UPDATE contacts_2025 SET day = '1990-01-01' WHERE contact_id = 2",
    ANY | FREE, 1)
add("error-foreign-key", "a violated foreign key shows a constant only",
    "INSERT INTO orders VALUES (99999, 99999, 1, 'x')", FREE | ANY, 0)
add("error-domain", "a domain's CHECK", "SELECT name::checked FROM customers",
    ANY, 0)
add("error-copy-context", "COPY's error context",
    "COPY (SELECT name::int FROM customers) TO STDOUT", ANY, 1)
add("debug-print", "debug_print_* sends trees to the client",
    ["SET client_min_messages = debug5", "SET debug_print_plan = on",
     "SET debug_print_rewritten = on",
     "SELECT count(*) FROM customers WHERE country = 'JP'"],
    FREE | ANY, 0)

# -- EXPLAIN -----------------------------------------------------------------------------

add("explain", "EXPLAIN shows no value",
    "EXPLAIN (VERBOSE) SELECT (SELECT name FROM customers "
    "WHERE customer_id = 3)", FREE | ANY, 0)
add("explain-analyze", "EXPLAIN ANALYZE counts rows of a personal condition",
    "EXPLAIN (ANALYZE, TIMING off) SELECT 1 FROM customers WHERE name < 'b'",
    ANY, 0)
add("explain-execute", "EXPLAIN EXECUTE",
    ["PREPARE p(int) AS SELECT name FROM customers WHERE customer_id = $1",
     "EXPLAIN EXECUTE p(1)"], FREE | ANY, 0)

# -- what the server knows about the data ---------------------------------------------------

add("pg-stats", "histograms and common values hold personal data",
    "SELECT most_common_vals, histogram_bounds FROM pg_stats "
    "WHERE tablename = 'customers'", BYTES | REFUSED, 100)
add("pg-statistic", "the same from pg_statistic",
    "SELECT stavalues1, stavalues2 FROM pg_statistic WHERE starelid = "
    "'customers'::regclass", BYTES | REFUSED, 100, db="crm_super")
add("pg-stats-ext", "extended statistics",
    "SELECT most_common_vals FROM pg_stats_ext", BYTES | REFUSED, 0)
add("pg-stat-activity", "other sessions' statements",
    "SELECT query FROM pg_stat_activity", BYTES | ROWS | REFUSED, 0)
add("pg-authid", "password hashes",
    "SELECT rolname, rolpassword FROM pg_authid", BYTES | REFUSED, 0,
    db="crm_super")
add("pg-user-mapping", "stored passwords of other servers",
    "SELECT umoptions FROM pg_user_mappings", BYTES | REFUSED | FREE, 0)
add("pg-read-file", "pg_read_file",
    "SELECT pg_read_file('PG_VERSION')", REFUSED, 0, db="crm_super")
add("pg-ls-dir", "pg_ls_dir", "SELECT pg_ls_dir('.')", REFUSED, 0,
    db="crm_super")
add("pg-largeobject", "large objects from their table",
    "SELECT data FROM pg_largeobject", BYTES | REFUSED, 0, db="crm_super")
add("logical-slot", "changes from a logical slot",
    ["SELECT pg_create_logical_replication_slot('leak', 'test_decoding')",
     "SELECT data FROM pg_logical_slot_get_changes('leak', NULL, NULL)"],
    REFUSED, 0, db="crm_super",
    after="SELECT pg_drop_replication_slot(slot_name) "
    "FROM pg_replication_slots")
add("dblink", "dblink back into the same server",
    None, REFUSED)
add("create-extension", "CREATE EXTENSION", "CREATE EXTENSION pageinspect",
    REFUSED, 0, db="crm_super", after="DROP EXTENSION IF EXISTS pageinspect")
add("load", "LOAD a library", "LOAD 'auto_explain'", REFUSED, 0,
    db="crm_super")
add("foreign-server", "a foreign server of one's own",
    "CREATE SERVER sx FOREIGN DATA WRAPPER postgres_fdw "
    "OPTIONS (host '127.0.0.1')", REFUSED, 0, db="crm_super",
    after="DROP SERVER IF EXISTS sx")
add("alter-system", "ALTER SYSTEM", "ALTER SYSTEM SET work_mem = '5MB'",
    REFUSED, 0, db="crm_super", after="ALTER SYSTEM RESET work_mem")
add("publication", "a publication for a subscriber elsewhere",
    "CREATE PUBLICATION leak FOR TABLE customers", REFUSED, 0, db="crm_super",
    after="DROP PUBLICATION IF EXISTS leak")

# -- messages that are not SQL -----------------------------------------------------------------


def function_call(s):
    r = s.query("SELECT 'query_to_xml(text,bool,bool,text)'::regprocedure"
                "::oid")
    oid = int(r.value or 2925)
    text = b"select name from customers"
    s.send("F", struct.pack("!IHHH", oid, 1, 0, 4) +
           struct.pack("!I", len(text)) + text + b"\0\0\0\1f\0\0\0\1f"
           b"\0\0\0\0" + struct.pack("!H", 0))
    s.until("Z")


add("function-message", "a FunctionCall message runs query_to_xml",
    function_call, REFUSED)


def walsender(mode):
    def run(s):
        try:
            with s.again(params={"replication": mode}) as t:
                if mode == "database":
                    t.query("SELECT name FROM customers")
                else:
                    t.query("IDENTIFY_SYSTEM")
        except AuthError as e:
            if e.fields.get("C") != "KB003":
                raise Failure("replication=%s: %s" % (mode, e)) from None
            s.sessions[0].messages.append(("E", b"\0CKB003\0"))
    return run


add("walsender-database", "replication=database runs plain SQL",
    walsender("database"), REFUSED, db="crm_super")
add("walsender-physical", "replication=true leads to BASE_BACKUP",
    walsender("true"), REFUSED, 0, db="crm_super")


# -- actions that need the world ----------------------------------------------------

def view_changed(s):
    s.query("SELECT country FROM v_open")
    s.world.pg.psql("crm", "CREATE OR REPLACE VIEW v_open AS SELECT "
                    "customer_id, name AS country, created_at FROM customers")
    time.sleep(3)	# the gate asks every two seconds
    s.query("SELECT country FROM v_open")


def dblink(s):
    s.query("SELECT * FROM dblink('host=127.0.0.1 port=%d dbname=crm "
            "user=kuraban_super password=%s', 'select name from customers') "
            "AS t(x text)" % (s.world.pg.port, ROLE_PASSWORD))


for a in ATTACKS:
    if a.name == "view-changed":
        a.action = view_changed
    elif a.name == "dblink":
        a.action = dblink


class Thief:
    """A session, plus the further sessions that its technique opens."""

    def __init__(self, world, actor, db):
        self.world, self.actor, self.db = world, actor, db
        self.sessions = []
        self.again()

    def again(self, **kw):
        w = self.world.connect(self.actor, self.db, **kw)
        self.sessions.append(w)
        return w

    def __getattr__(self, name):
        return getattr(self.sessions[0], name)

    @property
    def messages(self):
        return [m for s in self.sessions for m in s.messages]

    def close(self):
        for s in self.sessions:
            s.close()


def attempt(world, attack, actor):
    """Runs it; the thief with all that was received."""
    thief = Thief(world, actor, attack.db)
    try:
        if callable(attack.action):
            attack.action(thief)
        else:
            sql = attack.action
            for q in [sql] if isinstance(sql, str) else sql:
                if thief.query(q).closed:
                    break
    except Closed:
        pass
    finally:
        thief.close()
    return thief


def seen_by(thief, attack):
    blob = b"\n".join(b for t, b in thief.messages if t not in "RK")
    seen = people.find(blob, deep=len(blob) < 4 << 20)
    seen |= people.find_in_cells(cells(thief))
    if attack.decode:
        try:
            more = attack.decode(thief)
        except (ValueError, IndexError):
            more = b""	# cut short: nothing to decode
        seen |= more if isinstance(more, set) else people.find(more)
    return seen


def admin(world, sql):
    if sql:
        world.pg.psql("crm", sql + ";\n")


def strictest(classes):
    return max(classes, key=ORDER.index, default=None)


def classes_of(entries):
    out = set()
    for e in entries:
        if e.get("kind") == "deny":
            out.add("refused" if e.get("sqlstate") in ("KB003", "KB004")
                    else e.get("class", "refused"))
        elif e.get("kind") in ("statement", "release") and e.get("class"):
            out.add(e["class"])
    return out


def run_direct(world, attack):
    admin(world, attack.before)
    try:
        thief = attempt(world, attack, "nobody")
    finally:
        admin(world, attack.after)
    seen = seen_by(thief, attack)
    errors = [m for t, m in thief.messages if t == "E"]
    check(len(seen) >= attack.direct, "only %d of %d subjects left: %s",
          len(seen), attack.direct, errors[:1])
    if not attack.direct and errors and "error" not in attack.name:
        return "no subject, error %r" % errors[0][:120]
    return "%d subjects" % len(seen)


def run_gate(world, attack):
    out = []
    roles = ["operator"]
    if attack.whole and attack.expect & CHARGED:
        roles.append("bulk")
    for role in roles:
        actor = world.gate.actor("%s-%s" % (attack.name, role), role)
        admin(world, attack.before)
        try:
            thief = attempt(world, attack, actor)
        finally:
            admin(world, attack.after)
        seen = seen_by(thief, attack)
        used = world.gate.used(actor)
        got = classes_of(world.gate.entries(actor=actor))
        states = {f for t, b in thief.messages if t == "E"
                  for f in [b.split(b"\0C")[1][:5].decode()]}
        if states & {"KB003", "KB004"}:
            got.add("refused")
        said = "%d seen, %d charged, %s %s" % (
            len(seen), used, "/".join(sorted(got)) or "-",
            " ".join(sorted(states)))
        out.append(said)
        check(len(seen) <= used, "%s: seen but not charged", said)
        if role == "operator":
            check(used <= 100, "%s: above the budget", said)
            if attack.expect == FREE:
                check(not states, "%s: free work was stopped", said)
        elif attack.expect <= CHARGED and attack.direct:
            check(len(seen) >= attack.direct,
                  "%s: a large budget must get all %d", said, attack.direct)
        if not attack.expect & (FREE | REFUSED):
            check(used >= min(attack.charge, 100), "%s: at least %d owed",
                  said, attack.charge)
        worst = strictest(got)
        check(worst in attack.expect or (worst is None and "free" in
                                         attack.expect),
              "%s: expected %s", said, "/".join(sorted(attack.expect)))
        if attack.expect == REFUSED:
            check(states & {"KB003", "KB004"}, "%s: no KB003", said)
    return "; ".join(out)


def body(suite, world):
    for a in ATTACKS:
        if world is not None and world.gate is None:
            suite.case(a.name, a.what, run_direct, world, a)
        else:
            suite.case(a.name, a.what, run_gate, world, a)


if __name__ == "__main__":
    sys.set_int_max_str_digits(0)
    names = [a.name for a in ATTACKS]
    assert len(names) == len(set(names)), "names must differ"
    suite = Suite(__doc__.splitlines()[0])
    sys.exit(suite.run(body))
