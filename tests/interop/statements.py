# SPDX-License-Identifier: Apache-2.0
"""Random SQL over few people: every construct that the verdict must judge.

Generator(seed).statement() gives a Statement: its text (with $1 where an integer
may be bound), the way it is sent, and what is known about it. FIXED are texts that
always run: what was once wrong, and what random text does not reach.
"""
import collections
import random

import people
import schema

CUSTOMERS = range(1, 25)
STAFF = range(25, 37)
PATIENTS = range(37, 45)
LEGACY = range(45, 51)
OTHER = (7, 27, 39)		# who differs between two worlds that are nearly equal
# Who is known by which key: the same number is somebody else in another table.
KEY = {"customers": lambda s: s, "staff": lambda s: s - 24,
       "patients": lambda s: s - 36}
PEOPLE = (("customers", "customer_id", CUSTOMERS), ("staff", "staff_id", STAFF),
          ("patients", "patient_id", PATIENTS))
KEYED_PEOPLE = len(CUSTOMERS) + len(STAFF) + len(PATIENTS)

FIXTURE = """
CREATE TYPE addr AS (street text, zip text);
CREATE DOMAIN label AS text CHECK (length(VALUE) < 100);
CREATE TABLE cards (
    card_id int PRIMARY KEY,
    customer_id int NOT NULL REFERENCES customers,
    home addr, tags text[], doc jsonb, who label, stay daterange,
    initial text GENERATED ALWAYS AS (substr(tags[1], 1, 1)) STORED,
    color text, level int
);
CREATE INDEX ON cards (customer_id);

-- Split by a personal column: where a row lies says something of the person.
CREATE TABLE visits (
    visit_id int, customer_id int NOT NULL, born date NOT NULL, place text, nights int
) PARTITION BY RANGE (born);
CREATE TABLE visits_old PARTITION OF visits
    FOR VALUES FROM ('1900-01-01') TO ('1930-10-01');
CREATE TABLE visits_new PARTITION OF visits
    FOR VALUES FROM ('1930-10-01') TO ('2100-01-01');

CREATE VIEW visits_open AS SELECT visit_id, place FROM visits;
CREATE VIEW v_deep AS SELECT v.customer_id, v.name AS n2, c.color, c.level
    FROM v_plain v LEFT JOIN cards c USING (customer_id);
CREATE VIEW v_deeper AS SELECT customer_id, upper(n2) AS n3, level FROM v_deep
    WHERE color <> 'red';
CREATE VIEW v_agg AS SELECT country, max(name) AS top,
    count(*) FILTER (WHERE phone LIKE '%1%') AS n FROM customers GROUP BY country;
CREATE VIEW v_win AS SELECT customer_id, country, rank() OVER (ORDER BY name) AS r
    FROM customers;
CREATE VIEW v_cte AS WITH x AS MATERIALIZED (SELECT * FROM customers)
    SELECT customer_id, email::text AS mail, rank FROM x WHERE sex < 'm';
CREATE VIEW v_lateral AS SELECT c.customer_id, c.kana, l.n, l.s
    FROM customers c, LATERAL (SELECT count(*) AS n, sum(o.total) AS s FROM orders o
    WHERE o.customer_id = c.customer_id) l;
CREATE VIEW v_except AS SELECT country FROM customers
    EXCEPT SELECT country FROM customers WHERE name > 'm';
CREATE VIEW v_limited AS SELECT customer_id, memo FROM customers
    ORDER BY phone LIMIT 5;

CREATE FUNCTION t_row() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE NOTICE ''% is %'', OLD.customer_id, OLD.name;
     IF OLD.customer_id = 2 OR OLD.name < ''d'' THEN
         RAISE EXCEPTION ''no % here'', OLD.name USING CONSTRAINT = OLD.name,
             ERRCODE = upper(left(OLD.name, 5));
     END IF;
     RETURN NEW; END';
CREATE TRIGGER row_told BEFORE UPDATE OF rank ON customers FOR EACH ROW
    EXECUTE FUNCTION t_row();
CREATE FUNCTION f_twice(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RETURN $1 || $1; END';

CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host '127.0.0.1', port '@PORT@', dbname '@DB@');
CREATE USER MAPPING FOR PUBLIC SERVER loop
    OPTIONS (user 'kuraban_gate', password '@PASSWORD@');
CREATE FOREIGN TABLE f_customers (customer_id int, name text, country text)
    SERVER loop OPTIONS (schema_name 'public', table_name 'customers');
CREATE FOREIGN TABLE f_orders (order_id int, customer_id int, note text)
    SERVER loop OPTIONS (schema_name 'public', table_name 'orders');
GRANT USAGE ON FOREIGN SERVER loop TO kuraban_gate;
"""

TABLES = """\
    table "public.cards" {
        subject = "customer_id"
        subject_of = "public.customers"
        personal = { "home", "tags", "doc", "who", "stay" }
    }
    table "public.visits" {
        subject = "customer_id"
        subject_of = "public.customers"
        personal = { "born" }
    }
    function "public.f_twice" { open = true }
"""


def data(changed):
    """COPY text of all tables; `changed` subjects get another person's values."""
    def v(s, c):
        return people.value(s + 1000 if s in changed else s, c)
    out = list(schema._copy("customers", (
        [s] + [v(s, c) for c in people.COLUMNS] +
        [("JP", "DE", "FR", "US")[s % 4],
         "2024-%02d-%02d 09:00:00+09" % (s % 12 + 1, s % 28 + 1),
         "memo %d" % (s % 7), s % 10] for s in CUSTOMERS)))
    out += schema._copy("orders", (
        [o, (o - 1) % 24 + 1, o % 9 + 1, "note %d" % (o % 5)]
        for o in range(1, 49)))
    out += schema._copy("products", (
        [p, "Product %d" % p, p * 10] for p in range(1, 9)))
    out += schema._copy("contacts", (
        [s, s, "%d-06-01" % (2025 + s % 2), v(s, "phone")] for s in CUSTOMERS))
    out += schema._copy("cards (card_id, customer_id, home, tags, doc, who, stay, "
                        "color, level)", (
        [c, (c - 1) % 24 + 1,
         "(%s,%s)" % (v((c - 1) % 24 + 1, "name"),
                      v((c - 1) % 24 + 1, "postal_code")),
         "{%s,%s}" % (v((c - 1) % 24 + 1, "sex"),
                      v((c - 1) % 24 + 1, "email")),
         '{"name": "%s", "tel": "%s", "n": [%d, 2], "in": {"mail": "%s"}}' % (
             v((c - 1) % 24 + 1, "name"), v((c - 1) % 24 + 1, "phone"),
             (c - 1) % 24 + 1, v((c - 1) % 24 + 1, "email")),
         v((c - 1) % 24 + 1, "sex"),
         "[%s,2020-01-01)" % v((c - 1) % 24 + 1, "birth_date"),
         ("red", "blue", "white")[c % 3], c % 4] for c in range(1, 31)))
    out += schema._copy("visits", (
        [x, x, v(x, "birth_date"), "place %d" % (x % 3), x % 5]
        for x in CUSTOMERS))
    out += schema._copy("staff", (
        [KEY["staff"](s), v(s, "name"), v(s, "email"), "dept %d" % (s % 3)]
        for s in STAFF[:8]))
    out += schema._copy("staff_left", (
        [KEY["staff"](s), v(s, "name"), v(s, "email"), "dept %d" % (s % 3),
         "2025-01-01"]
        for s in STAFF[8:]))
    out += schema._copy("patients", (
        [KEY["patients"](s), v(s, "name"),
         "kuraban_gate" if s % 3 else "nobody"]
        for s in PATIENTS))
    out += schema._copy("legacy", (
        [s, v(s, "name"), v(s, "phone")] for s in LEGACY))
    return "".join(out)


COLUMNS = {
    "customers": {
        "customer_id": "int", "name": "text", "kana": "text",
        "birth_date": "date", "sex": "text", "phone": "text", "email": "text",
        "country": "text", "memo": "text", "rank": "int"},
    "orders": {"order_id": "int", "customer_id": "int", "total": "num",
               "note": "text"},
    "products": {"product_id": "int", "title": "text", "price": "num"},
    "contacts": {"contact_id": "int", "customer_id": "int", "day": "date",
                 "phone": "text"},
    "contacts_2025": {"contact_id": "int", "customer_id": "int", "day": "date",
                      "phone": "text"},
    "cards": {"card_id": "int", "customer_id": "int", "home": "addr",
              "tags": "arr", "doc": "json", "who": "text", "stay": "range",
              "initial": "text", "color": "text", "level": "int"},
    "visits": {"visit_id": "int", "customer_id": "int", "born": "date",
               "place": "text", "nights": "int"},
    "visits_old": {"visit_id": "int", "customer_id": "int", "born": "date",
                   "place": "text", "nights": "int"},
    "staff": {"staff_id": "int", "name": "text", "email": "text",
              "dept": "text"},
    "staff_left": {"staff_id": "int", "name": "text", "dept": "text",
                   "since": "date"},
    "patients": {"patient_id": "int", "name": "text", "owner": "text"},
    "legacy": {"id": "int", "full_name": "text", "tel": "text"},
    "v_plain": {"customer_id": "int", "name": "text", "phone": "text",
                "country": "text"},
    "v_expr": {"customer_id": "int", "who": "text"},
    "v_union": {"customer_id": "int", "n": "text"},
    "v_open": {"customer_id": "int", "country": "text"},
    "v_sum": {"country": "text", "n": "int"},
    "v_barrier": {"customer_id": "int", "name": "text"},
    "v_deep": {"customer_id": "int", "n2": "text", "color": "text",
               "level": "int"},
    "v_deeper": {"customer_id": "int", "n3": "text", "level": "int"},
    "v_agg": {"country": "text", "top": "text", "n": "int"},
    "v_win": {"customer_id": "int", "country": "text", "r": "int"},
    "v_cte": {"customer_id": "int", "mail": "text", "rank": "int"},
    "v_lateral": {"customer_id": "int", "kana": "text", "n": "int",
                  "s": "num"},
    "v_except": {"country": "text"},
    "v_limited": {"customer_id": "int", "memo": "text"},
    "f_customers": {"customer_id": "int", "name": "text", "country": "text"},
    "f_orders": {"order_id": "int", "customer_id": "int", "note": "text"},
}
USUAL = (["customers"] * 10 + ["cards"] * 6 + ["orders"] * 5 + ["visits"] * 2 +
         ["staff"] * 2 + ["contacts"] * 2 + ["v_open"] * 2 +
         [t for t in COLUMNS if not t.startswith(("f_", "legacy"))])
KEYED = ("customers", "orders", "contacts", "cards", "v_plain", "v_union", "v_open",
         "v_deep", "visits")
# One row is about one person, whose key this column is.
PERSONS = {"customers": "customer_id", "contacts": "customer_id",
           "cards": "customer_id", "staff": "staff_id", "patients": "patient_id",
           "v_plain": "customer_id", "v_barrier": "customer_id"}

PERSONAL = {"name", "kana", "birth_date", "sex", "phone", "email", "home", "tags", "doc",
            "who", "stay", "initial", "born", "n", "n2", "n3", "top", "mail"}

# number: aliases have it, so that the ledger's entry can be found; exact: (the column
# of the result that holds the key of the one person whom a row is about, what to add
# to it), or None.
Statement = collections.namedtuple("Statement", "sql route exact number")

READ = (("simple", 8), ("text", 4), ("binary", 4), ("portal", 3), ("cursor", 4),
        ("hold", 2), ("copy", 3), ("copy_csv", 2), ("copy_binary", 2),
        ("prepared", 3), ("named", 3), ("explain", 2), ("two", 2), ("create", 1))
WRITE = (("simple", 4), ("text", 2), ("named", 1), ("explain", 1), ("probe", 4))


def weighted(r, pairs):
    n = r.randrange(sum(w for _, w in pairs))
    for x, w in pairs:
        n -= w
        if n < 0:
            return x
    raise AssertionError


class Generator:
    """Statements that mostly work, over few rows, with every construct."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.number = seed % 10000 * 1000000
        self.n = 0
        self.plain = False	# no sub-queries
        self.open = False	# prefers columns that are not personal

    def pick(self, *xs):
        return self.r.choice(xs)

    def one(self, *fns):
        return self.r.choice(fns)()

    def chance(self, p):
        return self.r.random() < p

    def alias(self):
        self.n += 1
        return "t%d_%d" % (self.number, self.n)

    # FROM: text and scope {column expression: type}

    def table(self, a, name):
        return {"%s.%s" % (a, c): t for c, t in COLUMNS[name].items()}

    def source(self, depth, outer=None):
        a = self.alias()
        if depth > 0 and self.chance(0.2):
            sql, cols = self.select(depth - 1)
            return "(%s) %s" % (sql, a), {
                "%s.%s" % (a, c): t for c, t in cols.items()}
        if outer and self.chance(0.3):
            return self.lateral(a, outer)
        if self.chance(0.03):
            return self.values(a)
        table = self.r.choice(USUAL) if self.chance(0.96) else self.pick(
            "legacy", "f_customers", "f_orders")
        only = "ONLY " if table in ("staff", "contacts") and \
            self.chance(0.2) else ""
        sample = " TABLESAMPLE SYSTEM (100)" if table in (
            "customers", "cards") and self.chance(0.02) else ""
        return "%s%s %s%s" % (only, table, a, sample), self.table(a, table)

    def values(self, a):
        return "(VALUES (1, 'a'), (2, 'k'), (3, NULL)) %s (x, y)" % a, {
            a + ".x": "int", a + ".y": "text"}

    def lateral(self, a, scope):
        v = lambda t: self.value(scope, t, 1)
        sql, typ = self.one(
            lambda: ("unnest(%s) %s (x)" % (v("arr"), a), "text"),
            lambda: ("jsonb_each_text(%s) %s (k, x)" % (v("json"), a), "text"),
            lambda: ("regexp_split_to_table(%s, 'a') %s (x)" % (v("text"), a),
                     "text"),
            lambda: ("generate_series(1, length(%s) %% 4) %s (x)" % (
                v("text"), a), "int"),
            lambda: ("generate_series(1, %s %% 4) WITH ORDINALITY %s (x, o)" % (
                v("int"), a), "int"),
            lambda: ("ROWS FROM (unnest(%s), generate_series(1, 2)) %s (x, y)" %
                     (v("arr"), a), "text"),
            lambda: ("json_to_record(json_build_object('x', %s)) %s (x text)" % (
                v("text"), a), "text"),
            lambda: self.lateral_select(a, scope))
        return "LATERAL " + sql, {a + ".x": typ}

    def lateral_select(self, a, scope):
        frm, inner = self.source(0)
        both = dict(inner)
        both.update(scope)
        typ = self.pick("text", "int")
        tail = self.pick("", " LIMIT 1", " ORDER BY 1 LIMIT 2",
                         " ORDER BY 1 OFFSET 1")
        what = self.value(both, typ, 1)
        if self.chance(0.3):
            what, tail = self.aggregate(inner, typ, 0), ""
        return "(SELECT %s AS x FROM %s WHERE %s%s) %s" % (
            what, frm, self.where(both, scope, inner), tail, a), typ

    def where(self, both, scope, inner):
        keys = [(x, y) for x in scope for y in inner
                if x.endswith("customer_id") and y.endswith("customer_id")]
        where = self.boolean(both, 1)
        if keys and self.chance(0.7):
            where = "%s = %s AND %s" % (self.r.choice(keys) + (where,))
        return where

    def from_(self, depth):
        sql, scope = self.source(depth)
        free = 1		# joins that are not by a key
        for _ in range(self.pick(0, 0, 0, 0, 1, 1, 1, 2)):
            more, cols = self.source(depth, scope)
            kind = self.pick("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN",
                             "RIGHT JOIN", "FULL JOIN", "CROSS JOIN")
            keys = [(x, y) for x in scope for y in cols
                    if x.endswith(".customer_id") and
                    y.endswith(".customer_id")]
            both = dict(scope)
            both.update(cols)
            if more.startswith("LATERAL"):
                sql = "%s CROSS JOIN %s" % (sql, more) if self.chance(0.6) else \
                    "%s %s %s ON %s" % (sql, self.pick("JOIN", "LEFT JOIN"),
                                        more, self.boolean(both, 1))
            elif keys and kind != "CROSS JOIN":
                x, y = self.r.choice(keys)
                on = "%s = %s" % (x, y)
                if kind not in ("FULL JOIN", "RIGHT JOIN") and self.chance(0.2):
                    on += " AND " + self.boolean(both, 1)
                sql = "%s %s %s ON %s" % (sql, kind, more, on)
            elif free == 0:
                continue
            elif kind == "CROSS JOIN":
                free -= 1
                sql = "%s CROSS JOIN %s" % (sql, more)
            else:
                free -= 1
                on = (self.boolean(both, 1) if kind != "FULL JOIN" else
                      self.pick("true", "false"))
                sql = "%s %s %s ON %s" % (sql, kind, more, on)
            scope.update(cols)
        return sql, scope

    # expressions by type

    def column(self, scope, typ):
        cs = [c for c, t in scope.items() if t == typ]
        if self.chance(0.6):
            cs = [c for c in cs
                  if (c.split(".")[-1] in PERSONAL) != self.open] or cs
        return self.r.choice(cs) if cs else None

    def constant(self, typ):
        if typ == "int":
            return "$1" if self.chance(0.1) else str(self.r.randrange(0, 12))
        return {"text": self.pick("'a'", "'k'", "NULL::text", "'JP'"),
                "num": self.pick("1.5", "30"),
                "date": self.pick("'1950-01-01'::date", "'1930-08-04'::date"),
                "bool": self.pick("true", "false"),
                "json": "'{\"a\": 1, \"n\": [1]}'::jsonb",
                "arr": "'{a,k}'::text[]",
                "addr": "ROW('a', 'k')::addr",
                "range": "'[1930-03-01,1930-09-01)'::daterange"}[typ]

    def leaf(self, scope, typ):
        """A column, or the simplest that can be made of another column."""
        c = self.column(scope, typ)
        if c:
            return c
        t, d = self.column(scope, "text"), self.column(scope, "date")
        if t and typ in ("arr", "json", "addr") and self.chance(0.8):
            return {"arr": "ARRAY[%s, 'a']", "json": "to_jsonb(%s)",
                    "addr": "ROW(%s, 'k')::addr"}[typ] % t
        if d and typ == "range" and self.chance(0.8):
            return "daterange(%s, NULL)" % d
        if t and typ in ("int", "num") and self.chance(0.8):
            return "length(%s)" % t
        return self.constant(typ)

    def value(self, scope, typ, depth):
        c = self.column(scope, typ)
        if depth <= 0 or (self.chance(0.5) and (c or self.chance(0.3))):
            return self.leaf(scope, typ)
        d = depth - 1
        v = lambda t: self.value(scope, t, d)
        b = lambda: self.boolean(scope, d)
        case = lambda t: "CASE WHEN %s THEN %s ELSE %s END" % (b(), v(t), v(t))
        if typ == "text":
            return self.one(
                lambda: "upper(%s)" % v("text"),
                lambda: "substr(%s, 1, %d)" % (v("text"),
                                               self.r.randrange(1, 5)),
                lambda: "(%s || %s)" % (v("text"), v("text")),
                lambda: "coalesce(%s, %s)" % (v("text"), v("text")),
                lambda: case("text"),
                lambda: "md5(%s)" % v("text"),
                lambda: "%s::text" % v(self.pick("int", "date", "bool",
                                                 "json", "arr", "addr",
                                                 "range", "num")),
                lambda: "replace(%s, 'a', 'b')" % v("text"),
                lambda: "greatest(%s, %s)" % (v("text"), v("text")),
                lambda: "split_part(%s, '-', 2)" % v("text"),
                lambda: "nullif(%s, %s)" % (v("text"), v("text")),
                lambda: "reverse(%s)" % v("text"),
                lambda: "encode(convert_to(%s, 'UTF8'), %s)" % (
                    v("text"), self.pick("'hex'", "'base64'")),
                lambda: "%s::varchar(4)" % v("text"),
                lambda: "%s::label" % v("text"),
                lambda: "f_twice(%s)" % v("text"),
                lambda: "format('%%s %%L', %s, %s)" % (v("text"), v("int")),
                lambda: "translate(%s, 'abc', 'xyz') COLLATE \"C\"" % v("text"),
                lambda: "(%s ->> %s)" % (v("json"), self.pick(
                    "'name'", "'tel'", "'a'")),
                lambda: "(%s #>> '{in,mail}')" % v("json"),
                lambda: "jsonb_path_query_first(%s, '$.name')::text" % v("json"),
                lambda: "(%s)[%s]" % (v("arr"), self.pick("1", "2", v("int"))),
                lambda: "array_to_string(%s, ',')" % v("arr"),
                lambda: "(%s).%s" % (v("addr"), self.pick("street", "zip")),
                lambda: self.whole(scope) or v("text"),
                lambda: self.scalar(scope, "text", d),
            )
        if typ == "int":
            return self.one(
                lambda: "(%s + %s)" % (v("int"), v("int")),
                lambda: "(%s %% 3)" % v("int"),
                lambda: "length(%s)" % v("text"),
                lambda: "ascii(%s)" % v("text"),
                lambda: "abs(%s)" % v("int"),
                lambda: "extract(month FROM %s)::int" % v("date"),
                lambda: case("int"),
                lambda: "coalesce(%s, %s)" % (v("int"), v("int")),
                lambda: "cardinality(%s)" % v("arr"),
                lambda: "strpos(%s, 'a')" % v("text"),
                lambda: "(%s)::int" % b(),
                lambda: "hashtext(%s)" % v("text"),
                lambda: "num_nulls(%s, %s)" % (v("text"), v("int")),
                lambda: "jsonb_array_length(%s -> 'n')" % v("json"),
                lambda: "width_bucket(%s, ARRAY['a', 'h', 'p'])" % v("text"),
                lambda: "(%s - %s)" % (v("date"), v("date")),
                lambda: "(10 / nullif(%s, 0))" % v("int"),
                lambda: self.scalar(scope, "int", d),
            ) if not self.chance(0.02) else self.one(
                lambda: "substr(%s, 1, 1)::int" % v("text"),
                lambda: "(10 / %s)" % v("int"))
        if typ == "num":
            return self.one(lambda: "(%s * 2)" % v("num"),
                            lambda: "%s::numeric" % v("int"),
                            lambda: "round(%s)" % v("num"),
                            lambda: "ln(1 + abs(%s))" % v("num"))
        if typ == "date":
            return self.one(lambda: "(%s + %s %% 3)" % (v("date"), v("int")),
                            lambda: "lower(%s)" % v("range"),
                            lambda: "date_trunc('year', %s)::date" % v("date"),
                            lambda: "greatest(%s, %s)" % (v("date"), v("date")),
                            lambda: case("date"))
        if typ == "bool":
            return "(%s)" % b()
        if typ == "json":
            return self.one(
                lambda: "jsonb_build_object('a', %s, 'k', %s)" % (
                    v("text"), v("int")),
                lambda: "to_jsonb(%s)" % v(self.pick("text", "int", "arr")),
                lambda: "(%s || %s)" % (v("json"), v("json")),
                lambda: "(%s -> 'in')" % v("json"),
                lambda: "jsonb_set(%s, '{a}', to_jsonb(%s))" % (
                    v("json"), v("text")),
                lambda: "(%s #- '{name}')" % v("json"),
                lambda: "json_build_array(%s, %s)::jsonb" % (
                    v("text"), v("date")))
        if typ == "arr":
            return self.one(
                lambda: "ARRAY[%s, %s]" % (v("text"), v("text")),
                lambda: "(%s || %s)" % (v("arr"), v("text")),
                lambda: "string_to_array(%s, '-')" % v("text"),
                lambda: "(%s)[1:1]" % v("arr"),
                lambda: "array_remove(%s, %s)" % (v("arr"), v("text")),
                lambda: self.array(scope, d))
        if typ == "addr":
            return self.one(lambda: "ROW(%s, %s)::addr" % (v("text"), v("text")),
                            lambda: "CASE WHEN %s THEN %s END" % (b(), v("addr")))
        if typ == "range":
            return self.one(
                lambda: "daterange(least(%s, %s), NULL)" % (v("date"), v("date")),
                lambda: "(%s * %s)" % (v("range"), v("range")),
                lambda: "range_merge(%s, %s)" % (v("range"), v("range")))
        raise KeyError(typ)

    def whole(self, scope):
        rows = sorted({c.split(".")[0] for c in scope if "." in c})
        if not rows:
            return None
        a = self.r.choice(rows)
        return self.pick("%s::text", "row_to_json(%s)::text",
                         "to_jsonb(%s)::text", "md5(%s::text)",
                         "(%s IS NULL)::text") % a

    def scalar(self, scope, typ, depth):
        if self.plain:
            return self.constant(typ)
        a = self.alias()
        table = self.pick("customers", "customers", "cards", "visits", "staff",
                          "orders")
        cols = self.table(a, table)
        inner = dict(cols)
        if self.chance(0.5):
            inner.update(scope)
        what = self.column(cols, typ) or self.constant(typ)
        where = self.where(inner, scope, cols)
        if self.chance(0.4):
            return "(SELECT %s(%s) FROM %s %s WHERE %s)" % (
                self.pick("min", "max"), what, table, a, where)
        return "(SELECT %s FROM %s %s WHERE %s ORDER BY %s LIMIT 1)" % (
            what, table, a, where,
            self.pick(a + "." + next(iter(COLUMNS[table])), "1"))

    def array(self, scope, depth):
        if self.plain:
            return self.constant("arr")
        frm, cols = self.source(0)
        inner = dict(cols)
        inner.update(scope)
        return "ARRAY(SELECT %s FROM %s WHERE %s ORDER BY 1)" % (
            self.value(cols, "text", 0), frm, self.where(inner, scope, cols))

    def boolean(self, scope, depth):
        d = depth - 1
        if depth <= 0:
            i = self.column(scope, "int")
            return self.pick(
                "%s < %d" % (i or "1", self.r.randrange(0, 15)),
                "%s = %d" % (i or "1", self.r.randrange(0, 9)), "true")
        typ = self.pick("text", "text", "text", "int", "int", "date")
        v = lambda t=typ: self.value(scope, t, d)
        simple = (
            lambda: "%s %s %s" % (v(), self.pick("=", "<", ">=", "<>"), v()),
            lambda: "%s %s %s" % (v(), self.pick("=", "<", ">="),
                                  self.constant(typ)),
            lambda: "%s IS %sNULL" % (v(), self.pick("", "NOT ")),
            lambda: "%s IS %sDISTINCT FROM %s" % (v(), self.pick("", "NOT "),
                                                  v()),
            lambda: "%s %s '%%a%%'" % (v("text"), self.pick(
                "LIKE", "NOT LIKE", "ILIKE")),
            lambda: "%s ~ '^[a-m]'" % v("text"),
            lambda: "%s BETWEEN %s AND %s" % (v(), self.constant(typ), v()),
            lambda: "(%s AND %s)" % (self.boolean(scope, d),
                                     self.boolean(scope, d)),
            lambda: "(%s OR %s)" % (self.boolean(scope, d),
                                    self.boolean(scope, d)),
            lambda: "NOT (%s)" % self.boolean(scope, d),
            lambda: "%s IN (%s)" % (v(), ", ".join(
                self.constant(typ) for _ in range(3))),
            lambda: "%s = %s (%s)" % (v("text"), self.pick("ANY", "ALL"),
                                      v("arr")),
            lambda: "%s @> %s" % ((lambda t: (v(t), v(t)))(
                self.pick("json", "arr"))),
            lambda: "%s @> %s" % (v("range"), v("date")),
            lambda: "%s && %s" % ((lambda t: (v(t), v(t)))(
                self.pick("arr", "range"))),
            lambda: "%s ? 'name'" % v("json"),
            lambda: "jsonb_path_exists(%s, '$.name ? (@ > \"m\")')" % v("json"),
            lambda: "(%s, %s) < (%s, %s)" % (v("text"), v("int"), v("text"),
                                             v("int")),
            lambda: "(%s) IS %sTRUE" % (self.boolean(scope, d),
                                        self.pick("", "NOT ")),
            lambda: "%s = %s" % (v("addr"), v("addr")),
        )
        if self.plain:
            return self.one(*simple)
        return self.one(*simple + (
            lambda: self.exists(scope, d),
            lambda: self.exists(scope, d),
            lambda: "%s %sIN (SELECT %s FROM customers)" % (
                v("text"), self.pick("", "NOT "),
                self.pick("name", "country", "memo", "phone")),
            lambda: "%s IN (SELECT customer_id FROM %s)" % (
                v("int"), self.r.choice(KEYED)),
            lambda: "%s %s (SELECT rank FROM customers WHERE name > 'k')" % (
                v("int"), self.pick("> ALL", "< ANY", "<> ALL")),
            lambda: "(%s, %s) = (SELECT rank, name FROM customers WHERE "
                    "customer_id = %s)" % (v("int"), v("text"), v("int")),
        ))

    def exists(self, scope, depth):
        sql, cols = self.source(0)
        both = dict(cols)
        both.update(scope)
        return "%sEXISTS (SELECT 1 FROM %s WHERE %s)" % (
            self.pick("", "NOT "), sql, self.where(both, scope, cols))

    # aggregates and windows

    def aggregate(self, scope, typ, depth):
        v = lambda t: self.value(scope, t, depth)
        flt = (" FILTER (WHERE %s)" % self.boolean(scope, 1)
               if self.chance(0.2) else "")
        if typ == "text":
            return self.text_agg(v, flt)
        if typ == "int":
            return self.one(
                lambda: "count(*)" + flt,
                lambda: "count(*)" + flt,
                lambda: "count(DISTINCT %s)%s" % (
                    v(self.pick("text", "int")), flt),
                lambda: "max(%s)%s" % (v("int"), flt),
                lambda: "count(%s)%s" % (v("int"), flt),
                lambda: "bool_or(%s)%s::int" % (self.boolean(scope, 1), flt),
                lambda: "every(%s)%s::int" % (self.boolean(scope, 1), flt),
                lambda: "bit_or(%s)%s" % (v("int"), flt),
                lambda: "(rank('h') WITHIN GROUP (ORDER BY %s)%s)::int" % (
                    v("text"), flt),
                lambda: "cardinality(array_agg(%s)%s)" % (v("text"), flt))
        if typ == "num":
            return self.one(
                lambda: "sum(%s)%s" % (v("num"), flt),
                lambda: "avg(%s)%s" % (v("num"), flt),
                lambda: "round(var_pop(%s)%s, 3)" % (v("num"), flt),
                lambda: "percentile_cont(0.5) WITHIN GROUP (ORDER BY %s)%s"
                        "::numeric" % ("%s::float8" % v("num"), flt))
        if typ == "arr":
            return "array_agg(%s ORDER BY %s)%s" % (v("text"), v("int"), flt)
        if typ == "json":
            return "jsonb_agg(%s ORDER BY %s)%s" % (v("text"), v("int"), flt)
        return "%s(%s)%s" % (self.pick("min", "max"), v("date"), flt)

    def text_agg(self, v, flt):
        return self.one(
            lambda: "min(%s)%s" % (v("text"), flt),
            lambda: "max(%s)%s" % (v("text"), flt),
            lambda: "string_agg(%s, ',' ORDER BY %s)%s" % (
                v("text"), v(self.pick("text", "int")), flt),
            lambda: "string_agg(DISTINCT (%s)::text, ',')%s" % (v("text"), flt),
            lambda: "percentile_disc(0.5) WITHIN GROUP (ORDER BY %s)%s" % (
                v("text"), flt),
            lambda: "mode() WITHIN GROUP (ORDER BY %s)%s" % (v("text"), flt),
            lambda: "(jsonb_object_agg(coalesce(%s, ''), %s)%s)::text" % (
                v("text"), v("int"), flt))

    def frame(self):
        if self.chance(0.6):
            return ""
        return " " + self.pick(
            "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW",
            "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW",
            "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
            "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE TIES",
            "ROWS 2 PRECEDING")

    def over(self, scope):
        over = []
        if self.chance(0.4):
            over.append("PARTITION BY " + self.value(scope, "text", 0))
        typ = self.pick("int", "int", "text")
        order = self.column(scope, typ) or self.column(scope, "int")
        if order:
            over.append("ORDER BY " + order + self.pick(
                "", " DESC", " NULLS FIRST"))
            over.append(self.frame())
        return " ".join(over)

    def window(self, scope, typ, depth, named=None):
        v = self.value(scope, typ, depth)
        fn = self.pick("lag(%s)", "lead(%s)", "first_value(%s)",
                       "last_value(%s)", "nth_value(%s, 2)")
        if typ in ("text", "int", "date") and self.chance(0.3):
            fn = "max(%s)"
        if typ == "int" and self.chance(0.4):
            fn, v = self.pick("row_number()", "rank()", "count(*)",
                              "dense_rank()", "ntile(3)"), None
        if fn in ("count(*)", "max(%s)") and self.chance(0.3):
            fn += " FILTER (WHERE %s)" % self.boolean(
                scope, 1).replace("%", "%%") if v else \
                " FILTER (WHERE %s)" % self.boolean(scope, 1)
        fn = fn % v if v else fn
        return "%s OVER %s" % (fn, named or "(%s)" % self.over(scope))

    # SELECT: text and {name: type}

    def types(self):
        return [self.pick("text", "text", "text", "int", "int", "num", "date",
                          "json", "arr", "bool")
                for _ in range(self.pick(1, 1, 2, 2, 3))]

    def select(self, depth, top=False):
        if depth > 0 and self.chance(0.15):
            return self.set_operation(depth - 1)
        frm, scope = self.from_(depth)
        types = self.types()
        where = ""
        if self.chance(0.6):
            where = " WHERE " + self.boolean(scope, self.pick(0, 1, 1, 2))
        tail, out, cols = "", [], {}
        style = self.r.random()
        if style < 0.2:			# GROUP BY
            types = [t for t in types if t != "json"] or ["text"]
            keys = [self.value(scope, t, self.pick(0, 0, 1)) for t in types]
            types = [t for k, t in zip(keys, types) if "." in k] or ["int"]
            keys = [k for k in keys if "." in k] or ["(1 + 1)"]
            tail = self.group_by(keys)
            if self.chance(0.3):
                tail += " HAVING %s > %s" % (
                    self.aggregate(scope, "int", 0), self.pick("0", "1", "3"))
            exprs = list(zip(keys, types))
            if self.chance(0.3):
                exprs = []
            t = self.pick("int", "int", "text", "num")
            exprs.append((self.aggregate(scope, t, 0), t))
        elif style < 0.35:		# one row
            types = [t if t != "bool" else "int" for t in types]
            exprs = [(self.aggregate(scope, t, 1), t) for t in types]
            if self.chance(0.2):
                tail = " HAVING %s > %s" % (
                    self.aggregate(scope, "int", 0), self.pick("0", "10"))
        elif style < 0.5:
            named = None
            if self.chance(0.3):
                named = "w"
                tail = " WINDOW w AS (%s)" % self.over(scope)
            exprs = [(self.window(scope, t, 0, named), t) for t in types]
            if self.chance(0.5):
                exprs += [(self.value(scope, t, 1), t) for t in types]
        else:
            exprs = [(self.value(scope, t, self.pick(0, 0, 1, 2)), t)
                     for t in types]
            if self.chance(0.15):
                key = self.column(scope, "int")
                if key:
                    exprs.insert(0, (key, "int"))
            if top and self.chance(0.05):
                a = self.pick(*sorted({c.split(".")[0] for c in scope}))
                exprs.append((a + ".*", None))
            if self.chance(0.06):
                exprs.append((self.one(
                    lambda: "unnest(%s)" % self.value(scope, "arr", 1),
                    lambda: "regexp_split_to_table(%s, 'e')" % self.value(
                        scope, "text", 1)), "text"))
        for i, (e, t) in enumerate(exprs):
            if t is None:
                out.append(e)
                continue
            name = "c%d" % i
            if self.chance(0.1) and t == "int" and "customer_id" not in cols:
                name = "customer_id"
            cols[name] = t
            out.append("%s AS %s" % (e, name))
        distinct = ""
        if style >= 0.5 and self.chance(0.14):
            distinct = "DISTINCT "
            if self.chance(0.4):
                distinct = "DISTINCT ON (%s) " % self.sort_key(scope)
        sql = "SELECT %s%s FROM %s%s%s" % (distinct, ", ".join(out), frm,
                                           where, tail)
        if distinct.startswith("DISTINCT ON"):
            sql += " ORDER BY " + distinct[13:-2]
            if self.chance(0.5):
                sql += ", " + self.sort_key(scope)
        elif self.chance(0.4):
            sql += " ORDER BY " + ", ".join(
                str(i + 1) + self.pick("", "", " DESC")
                for i in range(len(cols)))
            sql += self.limit()
        elif not distinct and style >= 0.35 and self.chance(0.3):
            sql += " ORDER BY " + self.sort_key(scope, 1)
            if self.chance(0.1):
                sql += self.limit()
        if distinct or style < 0.5 or not top:
            return sql, cols
        if self.chance(0.03):
            sql += self.pick(" FOR UPDATE", " FOR SHARE")
        return sql, cols

    def sort_key(self, scope, depth=0):
        key = self.value(scope, self.pick("text", "text", "int"), depth)
        return key if "." in key else "(0 + 1)"

    def group_by(self, keys):
        group = ", ".join(keys)
        if self.chance(0.25):
            group = self.pick("ROLLUP (%s)", "CUBE (%s)",
                              "GROUPING SETS ((%s), ())") % group
            if self.chance(0.3) and len(keys) > 1:
                group = "GROUPING SETS (%s)" % ", ".join(
                    "(%s)" % k for k in keys)
        return " GROUP BY " + group

    def limit(self):
        if self.chance(0.5):
            return ""
        n, m = self.r.randrange(0, 8), self.r.randrange(0, 8)
        return self.pick(" LIMIT %d" % n, " LIMIT %d" % n,
                         " LIMIT %d OFFSET %d" % (n, m), " OFFSET %d" % m,
                         " FETCH FIRST %d ROWS WITH TIES" % max(n, 1),
                         " OFFSET %d FETCH NEXT %d ROWS ONLY" % (m, n),
                         " LIMIT %d OFFSET 0" % n)

    def set_operation(self, depth):
        types = [self.pick("text", "text", "int", "date")
                 for _ in range(self.pick(1, 2))]
        arms = []
        for _ in range(self.pick(2, 2, 2, 3)):
            frm, scope = self.source(0)
            arm = "SELECT %s FROM %s WHERE %s" % (
                ", ".join("%s AS c%d" % (self.value(scope, t, 1), i)
                          for i, t in enumerate(types)), frm,
                self.boolean(scope, 1))
            arms.append("(%s)" % arm if self.chance(0.3) else arm)
        sql = arms[0]
        for arm in arms[1:]:
            sql += " %s %s" % (self.pick(
                "UNION", "UNION ALL", "UNION ALL", "INTERSECT", "EXCEPT",
                "EXCEPT ALL", "INTERSECT ALL"), arm)
        if self.chance(0.3):
            sql += " ORDER BY 1" + self.limit()
        return sql, {"c%d" % i: t for i, t in enumerate(types)}

    # WITH

    def with_(self, sql):
        w, frm = self.alias(), None
        a = self.alias()
        body, cols = sql
        scope = {"%s.%s" % (a, c): t for c, t in cols.items()}
        kind = self.r.random()
        head = "%s AS %s(%s)" % (w, self.pick("", "MATERIALIZED ",
                                              "NOT MATERIALIZED "), body)
        rec = ""
        if kind < 0.25:
            frm, more = self.source(0)
            scope.update(more)
        elif kind < 0.5:		# the same twice
            b = self.alias()
            scope.update({"%s.%s" % (b, c): t for c, t in cols.items()})
            frm = "%s %s" % (w, b)
        elif kind < 0.75:
            rec = "RECURSIVE "
            z = self.alias()
            x, more = self.source(0)
            head += ", %s (n, s) AS (SELECT %s, %s FROM %s WHERE %s UNION %s" \
                "SELECT n + 1, %s FROM %s WHERE n < 3)" % (
                    z, self.value(more, "int", 0),
                    "(%s)::text" % self.value(more, "text", 0),
                    x, self.boolean(more, 1), self.pick("", "ALL "),
                    self.pick("s || 'x'", "s", "reverse(s)"), z)
            frm = z
            scope.update({z + ".n": "int", z + ".s": "text"})
        if kind >= 0.75:
            z = self.alias()
            dml, _ = self.change()
            head += ", %s AS (%s)" % (z, dml)
            if " RETURNING " in dml:
                frm = z
                return "WITH %s SELECT * FROM %s" % (head, z)
        return "WITH %s%s SELECT %s, %s AS x FROM %s %s%s%s" % (
            rec, head, self.value(scope, self.pick("int", "text"), 1),
            self.value(scope, "text", 1), w, a,
            ", " + frm if frm else "",
            " WHERE " + self.boolean(scope, 1) if self.chance(0.5) else "")

    # changes

    def change(self):
        """(text, table)"""
        table = self.pick("orders", "orders", "products", "customers",
                          "customers", "cards", "v_writable", "staff",
                          "legacy", "ruled", "trig")
        a = self.alias()
        free = {"orders": ("note", "text"), "products": ("title", "text"),
                "customers": ("memo", "text"), "cards": ("level", "int"),
                "v_writable": ("note", "text"), "staff": ("dept", "text"),
                "legacy": ("tel", "text")}
        if table in ("ruled", "trig"):
            frm, scope = self.source(0)
            return self.one(
                lambda: "INSERT INTO %s VALUES (%s)" % (table,
                                                        self.constant("int")),
                lambda: "INSERT INTO %s SELECT %s FROM %s WHERE %s" % (
                    table, self.value(scope, "int", 0), frm,
                    self.boolean(scope, 1))), table
        cols = dict(COLUMNS["orders"] if table == "v_writable" else
                    COLUMNS[table])
        if table == "v_writable":
            del cols["total"]
        scope = {"%s.%s" % (a, c): t for c, t in cols.items()}
        col, typ = free[table]
        if table == "customers" and self.chance(0.3):
            col, typ = self.pick(("name", "text"), ("rank", "int"),
                                 ("phone", "text"))
        ret = ""
        if self.chance(0.6):
            ret = " RETURNING " + self.value(scope, self.pick("int", "text"), 1)
        key = next(iter(cols))
        where = self.one(
            lambda: self.boolean(scope, self.pick(0, 1, 2)),
            lambda: "%s.%s = %d" % (a, key, self.r.randrange(1, 12)))
        kind = self.r.random()
        if kind < 0.35:
            return "UPDATE %s %s SET %s = %s WHERE %s%s" % (
                table, a, col, self.value(scope, typ, self.pick(0, 0, 1)),
                where, ret), table
        frm, more = self.source(0)
        both = dict(scope)
        both.update(more)
        if kind < 0.5:
            return "UPDATE %s %s SET %s = %s FROM %s WHERE %s AND %s%s" % (
                table, a, col, self.value(both, typ, 1), frm,
                self.where(both, scope, more), where, ret), table
        if kind < 0.62 and table not in ("customers",):
            return "DELETE FROM %s %s%s WHERE %s%s" % (
                table, a, " USING " + frm if self.chance(0.4) else "",
                where, ret), table
        if kind < 0.75 and table in ("orders", "products"):
            what = ("%d, 1, 5, %s" if table == "orders" else "%d, %s, 3") % (
                1000 + self.r.randrange(9), self.value(more, "text", 1))
            return "INSERT INTO %s SELECT DISTINCT %s FROM %s WHERE %s LIMIT 1%s" % (
                table, what, frm, self.boolean(more, 1),
                self.pick("", " RETURNING *")), table
        if kind < 0.85 and table in ("orders", "customers"):
            t = self.column(more, "text") or "'x'"
            i = self.column(more, "int") or "1"
            return "MERGE INTO %s %s USING %s ON %s.%s = %s%s " \
                "WHEN MATCHED%s THEN UPDATE SET %s = %s " \
                "WHEN NOT MATCHED THEN DO NOTHING" % (
                    table, a, frm, a, key, i,
                    " AND " + self.boolean(both, 1) if self.chance(0.3) else "",
                    " AND " + self.boolean(both, 1) if self.chance(0.4) else "",
                    col, t if self.chance(0.5) else self.constant(typ)), table
        if table == "products":
            return "INSERT INTO products AS %s VALUES (%d, %s, 3) ON CONFLICT " \
                "%s%s" % (a, self.r.randrange(1, 12), self.pick(
                    "'x'", "(SELECT name FROM customers WHERE customer_id = 2)",
                    "(SELECT memo FROM customers WHERE customer_id = 2)"),
                    self.pick("DO NOTHING",
                              "(product_id) DO UPDATE SET title = "
                              "excluded.title || %s.title" % a), ret), table
        return "UPDATE %s %s SET %s = (SELECT %s FROM %s WHERE %s LIMIT 1) " \
            "WHERE %s%s" % (table, a, col, self.value(more, typ, 0), frm,
                            self.boolean(more, 1), where, ret), table

    # statements

    def exact(self):
        """The key is in the result, and a row is about one person."""
        self.plain = True
        table = self.r.choice(sorted(PERSONS))
        a = self.alias()
        scope = self.table(a, table)
        frm = "%s %s" % (table, a)
        key = "%s.%s" % (a, PERSONS[table])
        if key.endswith("customer_id") and self.chance(0.3):
            b = self.alias()
            frm += " %s orders %s ON %s = %s.customer_id" % (
                self.pick("JOIN", "LEFT JOIN"), b, key, b)
            scope.update(self.table(b, "orders"))
        exprs = [self.value(scope, t, self.pick(0, 1, 2)) for t in self.types()]
        at = self.r.randrange(len(exprs) + 1)
        exprs.insert(at, key)
        sql = "SELECT %s FROM %s" % (", ".join(
            "%s AS c%d" % (e, i) for i, e in enumerate(exprs)), frm)
        if self.chance(0.7):
            sql += " WHERE " + self.boolean(scope, self.pick(0, 1, 2))
        if self.chance(0.5):
            sql += " ORDER BY %s, %s" % (
                self.sort_key(scope), key)
        if self.chance(0.2):
            sql += " LIMIT %d" % self.r.randrange(0, 8)
        self.plain = False
        return Statement(sql, weighted(self.r, [
            x for x in READ if x[0] not in ("explain", "create", "two", "hold",
                                            "cursor", "portal")]),
            (at, {"staff": 24, "patients": 36}.get(table, 0)), self.number)

    def statement(self):
        self.n = 0
        self.number += 1
        self.open = self.chance(0.4)
        if self.chance(0.2):
            return self.exact()
        if self.chance(0.1):
            sql, _ = self.change()
            return Statement(sql, weighted(self.r, WRITE), None, self.number)
        sql, cols = self.select(2, True)
        if self.chance(0.1):
            sql = self.with_((sql, cols))
            if "UPDATE" in sql or "INSERT" in sql or "DELETE" in sql or \
               "MERGE" in sql:
                return Statement(sql, self.pick("simple", "text"), None,
                                 self.number)
        return Statement(sql, weighted(self.r, READ), None, self.number)


# What was once wrong, and what random text does not reach.
FIXED = (
    ("simple", "DO $$ BEGIN RAISE NOTICE '%', (SELECT max(name) FROM customers); END $$"),
    ("simple", "CALL p_name(NULL)"),
    ("simple", "SELECT f_name(7)"),
    ("simple", "SELECT * FROM f_sql()"),
    ("simple", "SELECT * FROM f_pl() LIMIT 3"),
    ("simple", "SELECT f_dyn('SELECT max(name) FROM customers')"),
    ("simple", "SELECT f_twice(country) FROM customers ORDER BY 1"),
    ("simple", "SELECT cat(country) FROM customers"),
    ("simple", "SELECT cat(name) FROM customers"),
    ("simple", "INSERT INTO v_sum VALUES ('x', 1)"),
    ("simple", "INSERT INTO ruled VALUES (1)"),
    ("simple", "INSERT INTO trig VALUES (1)"),
    ("simple", "COPY customers (customer_id, country) TO STDOUT"),
    ("simple", "COPY customers TO STDOUT (FORMAT csv, HEADER)"),
    ("simple", "COPY cards (color, initial) TO STDOUT"),
    ("simple", "COPY visits_old (visit_id) TO STDOUT"),
    ("simple", "TABLE v_open"),
    ("simple", "SELECT initial FROM cards ORDER BY card_id"),
    ("simple", "SELECT tableoid::regclass, visit_id FROM visits ORDER BY 2"),
    ("simple", "SELECT count(*) FROM visits_old"),
    ("simple", "SELECT count(*), color FROM cards GROUP BY color ORDER BY 2"),
    ("simple", "SELECT pg_typeof(doc) FROM cards LIMIT 1"),
    ("explain", "SELECT * FROM customers WHERE name < 'k'"),
    ("explain", "SELECT country FROM customers"),
    # Rows come one partition after the other: their order says who lies where.
    ("simple", "SELECT visit_id FROM visits"),
    ("simple", "SELECT row_number() OVER (), visit_id FROM visits ORDER BY 2"),
    ("copy", "TABLE visits_open"),
    # Rows leave a window in its order, whether its value is shown or not.
    ("simple", "WITH x AS MATERIALIZED (SELECT country, rank() OVER (ORDER BY name) "
               "FROM customers) SELECT country FROM x"),
    ("simple", "SELECT country FROM (SELECT country, count(*) OVER (PARTITION BY name) "
               "FROM customers OFFSET 0) x"),
    # Customer 3 is not staff 3.
    ("simple", "SELECT k, string_agg(name, ',') FROM (SELECT customer_id AS k, name "
               "FROM customers UNION ALL SELECT staff_id, name FROM staff) @T "
               "GROUP BY k"),
    ("simple", "SELECT k, name FROM (SELECT customer_id AS k, name FROM customers "
               "UNION ALL SELECT staff_id, name FROM staff) @T"),
    # Plans show the rows of each partition, and ANALYZE those of every step.
    ("explain", "SELECT count(*) FROM visits"),
    ("simple", "EXPLAIN ANALYZE SELECT count(*) FROM (SELECT name FROM customers "
               "WHERE name < 'k' OFFSET 0) x WHERE false"),
    # An error's SQLSTATE and names, and the number of notices, carry values too.
    ("probe", "UPDATE customers SET rank = 1 WHERE customer_id < 3"),
    ("simple", "SELECT country FROM customers WHERE "
               "numnode(to_tsquery('english', left(name, 1))) > 100"),
)
