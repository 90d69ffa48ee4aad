-- SPDX-License-Identifier: Apache-2.0
-- @ role=dba once
-- Migrations and maintenance, by a role that may change definitions.

-- free: new table
CREATE TABLE suppliers (supplier_id serial PRIMARY KEY, title text NOT NULL, created_at timestamptz DEFAULT now());

-- free: new table, if it is not there
CREATE TABLE IF NOT EXISTS suppliers (supplier_id serial PRIMARY KEY);

-- free: new column
ALTER TABLE products ADD COLUMN supplier_id int REFERENCES suppliers;

-- free: new column with a default, of a table of people
ALTER TABLE customers ADD COLUMN newsletter boolean NOT NULL DEFAULT false;

-- free: column renamed and back
ALTER TABLE products RENAME COLUMN discontinued TO ended;
ALTER TABLE products RENAME COLUMN ended TO discontinued;

-- free: type widened
ALTER TABLE order_items ALTER COLUMN line_no TYPE bigint;

-- free: default, NOT NULL
ALTER TABLE tickets ALTER COLUMN priority SET DEFAULT 2, ALTER COLUMN priority SET NOT NULL;

-- free: check constraint, validated later
ALTER TABLE tickets ADD CONSTRAINT tickets_priority CHECK (priority BETWEEN 1 AND 9) NOT VALID;
ALTER TABLE tickets VALIDATE CONSTRAINT tickets_priority;

-- free: index
CREATE INDEX tickets_open ON tickets (opened_at) WHERE state = 'open';

-- free: index, concurrently
CREATE INDEX CONCURRENTLY call_logs_phone ON call_logs (caller_phone);

-- free: unique index on a personal column
CREATE UNIQUE INDEX IF NOT EXISTS staff_email ON staff (lower(email));

-- free: index by trigrams
CREATE INDEX customers_kana_trgm ON customers USING gin (kana gin_trgm_ops);

-- free: index dropped
DROP INDEX call_logs_phone;

-- free: next month's partition
CREATE TABLE orders_2026_07 PARTITION OF orders FOR VALUES FROM ('2026-07-01') TO ('2026-08-01');

-- free: partition detached and attached
ALTER TABLE orders DETACH PARTITION orders_2026_07;
ALTER TABLE orders ATTACH PARTITION orders_2026_07 FOR VALUES FROM ('2026-07-01') TO ('2026-08-01');

-- free: view over open columns
CREATE VIEW v_orders_by_state AS SELECT status, count(*) AS n FROM orders GROUP BY status;

-- free: view replaced
CREATE OR REPLACE VIEW v_orders_by_state AS SELECT status, count(*) AS n, sum(total) AS amount FROM orders GROUP BY status;

-- free: reading that view
SELECT * FROM v_orders_by_state ORDER BY status;

-- free: materialized view
CREATE MATERIALIZED VIEW monthly_sales AS SELECT date_trunc('month', ordered_at) AS month, sum(total) AS amount FROM orders GROUP BY 1;

-- free: materialized view refreshed
REFRESH MATERIALIZED VIEW daily_sales;

-- free: materialized view refreshed beside readers
REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales;

-- free: function
CREATE FUNCTION net(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round($1 / 1.1)';

-- free: trigger
CREATE TRIGGER touch_customers BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION touch();

-- free: trigger switched off and on
ALTER TABLE products DISABLE TRIGGER touch;
ALTER TABLE products ENABLE TRIGGER touch;

-- free: enum value
ALTER TYPE ticket_state ADD VALUE IF NOT EXISTS 'escalated' AFTER 'waiting';

-- free: domain and composite type
CREATE DOMAIN percent AS numeric CHECK (value BETWEEN 0 AND 100);
CREATE TYPE money_range AS (low numeric, high numeric);

-- free: sequence
CREATE SEQUENCE invoice_numbers START 100 OWNED BY payments.payment_id;
ALTER SEQUENCE invoice_numbers INCREMENT 5;

-- free: backfill of a new column, in portions
UPDATE customers SET newsletter = true WHERE customer_id BETWEEN 1 AND 200 AND newsletter = false;
-- known charged some: until the catalogue says what a new column is, it is taken for personal

-- free: backfill from another table, by key
UPDATE payments p SET method = 'card' FROM orders o WHERE o.order_id = p.order_id AND p.method = 'Card';

-- free: backfill of an open column
UPDATE products SET supplier_id = NULL WHERE supplier_id IS NULL;

-- free: comments
COMMENT ON TABLE suppliers IS 'who delivers';
COMMENT ON COLUMN customers.newsletter IS 'asked for in 2026';

-- free: rights
CREATE ROLE reader NOLOGIN;
GRANT SELECT ON products, stores TO reader;
REVOKE SELECT ON stores FROM reader;
-- known refused 42501: the gate's own role may not create roles; not the gate's refusal

-- free: rights on a table
GRANT SELECT ON products TO PUBLIC;
REVOKE SELECT ON products FROM PUBLIC;

-- free: row security
ALTER TABLE call_logs ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON call_logs USING (true);

-- free: statistics
CREATE STATISTICS orders_state (dependencies) ON status, store_id FROM orders_2026_01;

-- free: vacuum
VACUUM products;

-- free: vacuum of everything that is ours
VACUUM (ANALYZE) customers;

-- free: analyze
ANALYZE;

-- free: analyze, talkative
ANALYZE VERBOSE products;

-- free: vacuum, talkative
VACUUM (VERBOSE) stores;

-- free: reindex
REINDEX TABLE products;
REINDEX INDEX CONCURRENTLY customers_phone;

-- free: cluster
CLUSTER products USING products_pkey;

-- free: storage
ALTER TABLE audit_log SET (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 90);
ALTER TABLE audit_log ALTER COLUMN new_row SET STORAGE EXTERNAL;

-- free: owner
ALTER TABLE suppliers OWNER TO kuraban_gate;

-- free: schema
CREATE SCHEMA archive;
CREATE TABLE archive.orders_2025 (LIKE orders INCLUDING DEFAULTS);
DROP SCHEMA archive CASCADE;

-- free: the migration tool's table
INSERT INTO schema_migrations (version) VALUES ('20260601000000') ON CONFLICT DO NOTHING;

-- free: all in one transaction, as migration tools do
BEGIN;
CREATE TABLE tags (tag_id serial PRIMARY KEY, title text UNIQUE);
CREATE TABLE product_tags (product_id int REFERENCES products, tag_id int REFERENCES tags, PRIMARY KEY (product_id, tag_id));
INSERT INTO schema_migrations (version) VALUES ('20260602000000');
COMMIT;

-- free: a migration that is rolled back
BEGIN;
ALTER TABLE products ADD COLUMN colour text;
UPDATE products SET colour = 'red';
ROLLBACK;

-- free: seeds
INSERT INTO tags (title) VALUES ('new'), ('sale') ON CONFLICT (title) DO NOTHING;
-- known charged 2: a table that the catalogue does not name yet: the digits of the tag

-- free: copy of a table's definition
CREATE TABLE products_old (LIKE products INCLUDING ALL);

-- free: copy of an open table
CREATE TABLE products_2026 AS TABLE products;

-- free: copy of an open table by SELECT INTO
SELECT * INTO stores_2026 FROM stores;
-- known refused KB003: CREATE TABLE AS does the same and can be judged

-- free: staging table of people, without the index (rows do not leave)
CREATE TABLE customers_backup AS TABLE customers;

-- free: staging table dropped
DROP TABLE customers_backup;

-- free: tables dropped
DROP TABLE IF EXISTS products_old, products_2026, product_tags, tags CASCADE;

-- free: truncate
TRUNCATE jobs RESTART IDENTITY;

-- free: extension that is there
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- free: anonymous block
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'colour') THEN CREATE TYPE colour AS ENUM ('red', 'blue'); END IF; END $$;
-- known refused KB003: the gate cannot see what a block will run

-- free: is the migration there already
SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'products' AND column_name = 'supplier_id');

-- free: how long would it lock
SELECT relname, reltuples FROM pg_class WHERE oid = 'customers'::regclass;

-- free: online swap of a column
BEGIN;
ALTER TABLE stores ADD COLUMN name2 text;
UPDATE stores SET name2 = name;
ALTER TABLE stores DROP COLUMN name2;
COMMIT;

-- free: constraint on people
ALTER TABLE contacts ADD CONSTRAINT contacts_channel CHECK (channel <> '');

-- free: foreign key, added without a check, then checked
ALTER TABLE tickets ADD CONSTRAINT tickets_staff2 FOREIGN KEY (staff_id) REFERENCES staff NOT VALID;
ALTER TABLE tickets VALIDATE CONSTRAINT tickets_staff2;

-- free: size before and after
SELECT pg_size_pretty(pg_total_relation_size('customers'));

-- free: prepared transactions are not used
SHOW max_prepared_transactions;

-- free: lock time-out before a migration
SET lock_timeout = '3s';
ALTER TABLE products ADD COLUMN IF NOT EXISTS weight numeric;
RESET lock_timeout;
