-- SPDX-License-Identifier: Apache-2.0
-- The database of the verdict's tests; what is personal in it: conf in verdict_case.c.
CREATE TABLE customers (
	customer_id int PRIMARY KEY, name text, kana text, birth_date date, sex char(1),
	postal_code text, address text, phone varchar(20), email text UNIQUE,
	country text, created_at timestamptz DEFAULT now(), vip boolean);
CREATE TABLE products (product_id int PRIMARY KEY, product text, price numeric);
CREATE TABLE orders (
	order_id serial PRIMARY KEY, customer_id int REFERENCES customers,
	product_id int REFERENCES products, total numeric, note text,
	ordered_at timestamptz DEFAULT now());
CREATE TABLE secrets (id int, body text);
-- the same people, by foreign key; several rows a person
CREATE TABLE complaints (
	complaint_id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers,
	body text, opened date);
-- the same people, key may be NULL
CREATE TABLE visits (customer_id int, place text, day date);
-- other people
CREATE TABLE staff (login text PRIMARY KEY, full_name text, boss text);
CREATE TABLE tagged (customer_id int PRIMARY KEY, name text,
	shout text GENERATED ALWAYS AS (upper(name)) STORED, code int,
	twice int GENERATED ALWAYS AS (code * 2) STORED);
CREATE TABLE grown (customer_id int PRIMARY KEY, name text, since date);
ALTER TABLE grown ADD COLUMN extra text;
CREATE TABLE "Odd Table" ("Key Col" int PRIMARY KEY, "Na""me" text);

CREATE TABLE parts (customer_id int NOT NULL, region text, name text) PARTITION BY LIST (region);
CREATE TABLE parts_jp PARTITION OF parts FOR VALUES IN ('jp');
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
CREATE TABLE aged (customer_id int NOT NULL, born date, note text) PARTITION BY RANGE (born);
CREATE TABLE aged_old PARTITION OF aged FOR VALUES FROM (MINVALUE) TO ('1960-01-01');
CREATE TABLE aged_young PARTITION OF aged DEFAULT;
CREATE TABLE open_parent (id int, label text);
CREATE TABLE personal_child (customer_id int NOT NULL) INHERITS (open_parent);
CREATE TABLE open_log (id bigserial, day date, line text) PARTITION BY RANGE (day);
CREATE TABLE open_log_2026 PARTITION OF open_log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE identity_open (id int GENERATED ALWAYS AS IDENTITY, line text);

CREATE VIEW v_cust AS SELECT customer_id, name, upper(email) AS em FROM customers;
CREATE VIEW v_cust2 AS SELECT * FROM v_cust WHERE name <> '';
CREATE VIEW v_nokey AS SELECT name, country FROM customers;
CREATE VIEW v_sorted AS SELECT customer_id, country FROM customers ORDER BY name;
CREATE VIEW v_country AS SELECT country, count(*) AS n FROM customers GROUP BY country;
CREATE VIEW v_all AS
	SELECT customer_id, name FROM customers
	UNION ALL SELECT customer_id, body FROM complaints;
CREATE VIEW v_write AS SELECT customer_id, name, country FROM customers WHERE country = 'jp'
	WITH CHECK OPTION;
CREATE MATERIALIZED VIEW mv AS SELECT customer_id, name FROM customers;

CREATE DOMAIN phone_no AS text CHECK (VALUE ~ '^[0-9+-]+$');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE span AS RANGE (subtype = text);
CREATE TABLE typed (customer_id int PRIMARY KEY, phone phone_no, m mood, p pair, tags text[],
	doc jsonb, during tstzrange, open_doc jsonb);

CREATE FUNCTION f_user(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION f_open(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION f_opaque(int) RETURNS text LANGUAGE sql AS 'SELECT name FROM customers WHERE customer_id = $1';
CREATE FUNCTION f_rows() RETURNS TABLE (a int, b text) LANGUAGE sql AS 'SELECT customer_id, name FROM customers';
CREATE FUNCTION f_check(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE DOMAIN checked AS text CHECK (f_check(VALUE));
CREATE FUNCTION f_eq(text, int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = int, FUNCTION = f_eq);
CREATE AGGREGATE f_agg (text) (SFUNC = textcat, STYPE = text, INITCOND = '');
CREATE FUNCTION t_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE triggered (customer_id int PRIMARY KEY, name text, free text);
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION t_trigger();

CREATE TABLE ruled (id int, line text);
CREATE TABLE ruled_log (id int, line text);
CREATE RULE r_also AS ON INSERT TO ruled DO ALSO INSERT INTO ruled_log VALUES (NEW.id, NEW.line);
CREATE TABLE ruled_off (id int);
CREATE RULE r_off AS ON INSERT TO ruled_off DO INSTEAD NOTHING;
CREATE TABLE ruled_rows (id int);
CREATE RULE r_rows AS ON INSERT TO ruled_rows DO INSTEAD (SELECT 1; SELECT name FROM customers);

CREATE TABLE guarded (customer_id int PRIMARY KEY, name text, owner text);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (owner = current_user);
CREATE TABLE guarded2 (customer_id int PRIMARY KEY, name text, free text);
ALTER TABLE guarded2 ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded2 FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded2 USING (name LIKE 'a%');
