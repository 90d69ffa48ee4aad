# SPDX-License-Identifier: Apache-2.0
"""The SQL that builds the two databases of the tests."""
import people

CRM = """
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION dblink;
CREATE EXTENSION tablefunc;
CREATE EXTENSION pgcrypto;

CREATE TABLE customers (
    customer_id int PRIMARY KEY,
    name text NOT NULL, kana text, birth_date date, sex text,
    postal_code text, address text, phone text, email varchar(80),
    country text, created_at timestamptz, memo text, rank int
);
CREATE TABLE orders (
    order_id int PRIMARY KEY,
    customer_id int NOT NULL REFERENCES customers,
    total numeric NOT NULL, note text
);
CREATE INDEX ON orders (customer_id);
CREATE TABLE products (product_id int PRIMARY KEY, title text, price numeric);

-- The same people as customers, partitioned.
CREATE TABLE contacts (
    contact_id int, customer_id int NOT NULL, day date NOT NULL, phone text
) PARTITION BY RANGE (day);
CREATE TABLE contacts_2025 PARTITION OF contacts
    FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE contacts_2026 PARTITION OF contacts
    FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- A parent and a child that inherits.
CREATE TABLE staff (staff_id int PRIMARY KEY, name text, email text, dept text);
CREATE TABLE staff_left (since date) INHERITS (staff);

-- Row level security.
CREATE TABLE patients (patient_id int PRIMARY KEY, name text, owner text);
ALTER TABLE patients ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON patients USING (owner = current_user OR patient_id % 2 = 0);

-- Named by nobody.
CREATE TABLE legacy (id int, full_name text, tel text);
CREATE TABLE legacy_log (id int, t text);

CREATE VIEW v_plain AS SELECT customer_id, name, phone, country FROM customers;
CREATE VIEW v_expr AS SELECT customer_id, upper(name) AS who FROM customers;
CREATE VIEW v_view AS SELECT customer_id, name AS n FROM v_plain;
CREATE VIEW v_union AS SELECT customer_id, name AS n FROM customers
    WHERE customer_id <= 500 UNION ALL
    SELECT customer_id, name FROM customers WHERE customer_id > 500;
CREATE VIEW v_view_union AS SELECT n FROM v_union;
CREATE VIEW v_open AS SELECT customer_id, country, created_at FROM customers;
CREATE VIEW v_sum AS SELECT country, count(*) AS n FROM customers GROUP BY country;
CREATE VIEW v_barrier WITH (security_barrier) AS
    SELECT customer_id, name FROM customers WHERE customer_id <= 900;
CREATE VIEW v_writable AS SELECT order_id, customer_id, note FROM orders;
CREATE RULE v_sum_ins AS ON INSERT TO v_sum DO INSTEAD
    SELECT name FROM customers;
CREATE TABLE ruled (id int);
CREATE RULE ruled_ins AS ON INSERT TO ruled DO ALSO SELECT name FROM customers;
CREATE RULE ruled_upd AS ON UPDATE TO ruled DO INSTEAD NOTHING;

CREATE FUNCTION f_sql() RETURNS SETOF text LANGUAGE sql STABLE AS
    'SELECT name FROM customers';
CREATE FUNCTION f_sql_table() RETURNS SETOF customers LANGUAGE sql STABLE AS
    'SELECT * FROM customers';
CREATE FUNCTION f_pl() RETURNS TABLE (who text) LANGUAGE plpgsql STABLE AS
    'BEGIN RETURN QUERY SELECT c.name FROM customers c; END';
CREATE FUNCTION f_name(int) RETURNS text LANGUAGE sql STABLE AS
    'SELECT name FROM customers WHERE customer_id = $1';
CREATE FUNCTION f_all_names() RETURNS text LANGUAGE sql STABLE AS
    'SELECT string_agg(name, '','') FROM customers';
CREATE FUNCTION f_imm() RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RETURN (SELECT string_agg(name, '','') FROM customers); END';
CREATE FUNCTION f_dyn(q text) RETURNS text LANGUAGE plpgsql AS
    'DECLARE r text; BEGIN EXECUTE q INTO r; RETURN r; END';
CREATE FUNCTION f_cursor() RETURNS refcursor LANGUAGE plpgsql AS
    'DECLARE c refcursor := ''fc''; BEGIN OPEN c FOR SELECT name FROM customers;
     RETURN c; END';
CREATE FUNCTION f_sql_refcursor() RETURNS refcursor LANGUAGE sql AS
    'SELECT f_cursor()';
CREATE PROCEDURE p_name(INOUT x text) LANGUAGE plpgsql AS
    'BEGIN x := (SELECT string_agg(name, '','') FROM customers); END';
CREATE FUNCTION f_double(int) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT $1 * 2';
CREATE FUNCTION count(text) RETURNS text LANGUAGE sql AS
    'SELECT string_agg(name, '','') FROM customers WHERE $1 IS NOT NULL';
CREATE FUNCTION op_impl(int, int) RETURNS text LANGUAGE sql AS
    'SELECT name FROM customers WHERE customer_id = $1 + $2';
CREATE OPERATOR @+ (LEFTARG = int, RIGHTARG = int, FUNCTION = op_impl);
CREATE FUNCTION text_of_key(customers) RETURNS text LANGUAGE sql STABLE AS
    'SELECT $1.name';
CREATE FUNCTION cast_impl(numeric) RETURNS oidvector LANGUAGE sql AS
    'SELECT NULL::oidvector';
CREATE DOMAIN checked AS text CHECK (length(value) < 4);
CREATE AGGREGATE cat(text) (SFUNC = textcat, STYPE = text, INITCOND = '');
CREATE FUNCTION t_note() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE NOTICE ''%'', (SELECT string_agg(name, '','') FROM customers);
     RETURN NEW; END';
CREATE TABLE trig (id int);
CREATE TRIGGER t BEFORE INSERT ON trig FOR EACH ROW EXECUTE FUNCTION t_note();
CREATE SEQUENCE seq;
"""

# Needs the people loaded.
CRM_AFTER = """
CREATE MATERIALIZED VIEW mv_customers AS SELECT customer_id, name FROM customers;
CREATE MATERIALIZED VIEW mv_count AS SELECT count(*) AS n FROM customers;
CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host '127.0.0.1', port '@PORT@', dbname 'crm');
CREATE USER MAPPING FOR PUBLIC SERVER loop
    OPTIONS (user 'kuraban_gate', password '@PASSWORD@');
CREATE FOREIGN TABLE f_customers (customer_id int, name text) SERVER loop
    OPTIONS (schema_name 'public', table_name 'customers');
CREATE STATISTICS s1 (mcv) ON country, sex FROM customers;
GRANT CONNECT ON DATABASE crm TO kuraban_gate;
GRANT ALL ON SCHEMA public TO kuraban_gate;
GRANT ALL ON ALL TABLES IN SCHEMA public TO kuraban_gate;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO kuraban_gate;
GRANT USAGE ON FOREIGN SERVER loop TO kuraban_gate;
VACUUM ANALYZE;
"""

PLAIN = """
CREATE TABLE pgbench_accounts (
    aid int PRIMARY KEY, bid int, abalance int, filler char(84));
CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int);
CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int,
    mtime timestamp);
INSERT INTO pgbench_accounts
    SELECT g, 1, 0, '' FROM generate_series(1, 10000) g;
INSERT INTO pgbench_branches VALUES (1, 0);
GRANT ALL ON SCHEMA public TO kuraban_gate;
GRANT ALL ON ALL TABLES IN SCHEMA public TO kuraban_gate;
VACUUM ANALYZE;
"""


def _copy(table, rows):
    yield "COPY %s FROM STDIN;\n" % table
    for r in rows:
        yield "\t".join(str(x) for x in r) + "\n"
    yield "\\.\n"


def crm(port, password):
    """psql input that builds database crm."""
    v = people.value
    out = [CRM]
    out += _copy("customers", (
        [s] + [v(s, c) for c in people.COLUMNS] +
        [("JP", "DE", "FR", "US")[s % 4],
         "2024-%02d-%02d 09:00:00+09" % (s % 12 + 1, s % 28 + 1),
         "memo %d" % (s % 7), s % 10] for s in people.CUSTOMERS))
    out += _copy("orders", (
        [o, (o - 1) % 1000 + 1, o % 90 + 1, "note %d" % (o % 5)]
        for o in range(1, 2001)))
    out += _copy("products", (
        [p, "Product %d" % p, p * 10] for p in range(1, 51)))
    out += _copy("contacts", (
        [s, s, "%d-06-01" % (2025 + s % 2), v(s, "phone")]
        for s in people.CUSTOMERS))
    out += _copy("staff", (
        [s, v(s, "name"), v(s, "email"), "dept %d" % (s % 3)]
        for s in people.STAFF[:200]))
    out += _copy("staff_left", (
        [s, v(s, "name"), v(s, "email"), "dept %d" % (s % 3), "2025-01-01"]
        for s in people.STAFF[200:]))
    out += _copy("patients", (
        [s, v(s, "name"), "kuraban_gate" if s % 3 else "nobody"]
        for s in people.PATIENTS))
    out += _copy("legacy", (
        [s, v(s, "name"), v(s, "phone")] for s in people.LEGACY))
    out.append(CRM_AFTER.replace("@PORT@", str(port))
               .replace("@PASSWORD@", password))
    return "".join(out)
