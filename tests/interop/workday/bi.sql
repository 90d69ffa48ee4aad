-- SPDX-License-Identifier: Apache-2.0
-- What Metabase, Tableau and their like send: their own catalogue queries, field
-- values for filters, and aggregates in their manner of quoting.

-- free: Metabase: schemas and tables
SELECT n.nspname AS "schema", c.relname AS name, d.description FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid LEFT JOIN pg_catalog.pg_description d ON c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass WHERE c.relkind IN ('r', 'p', 'v', 'f', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1, 2;

-- free: Metabase: fields
SELECT c.column_name AS name, c.udt_name AS "database-type", c.ordinal_position - 1 AS "database-position", c.table_schema, c.table_name, pk.column_name IS NOT NULL AS "pk?" FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, kc.column_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kc ON tc.constraint_name = kc.constraint_name AND tc.table_schema = kc.table_schema AND tc.table_name = kc.table_name WHERE tc.constraint_type = 'PRIMARY KEY') pk ON c.table_schema = pk.table_schema AND c.table_name = pk.table_name AND c.column_name = pk.column_name WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' ORDER BY c.table_schema, c.table_name, c.ordinal_position;

-- free: Metabase: foreign keys
SELECT fk_ns.nspname, fk_table.relname, fk_column.attname, pk_table.relname, pk_column.attname FROM pg_constraint c JOIN pg_class fk_table ON c.conrelid = fk_table.oid JOIN pg_namespace fk_ns ON c.connamespace = fk_ns.oid JOIN pg_attribute fk_column ON c.conrelid = fk_column.attrelid AND fk_column.attnum = ANY (c.conkey) JOIN pg_class pk_table ON c.confrelid = pk_table.oid JOIN pg_attribute pk_column ON c.confrelid = pk_column.attrelid AND pk_column.attnum = ANY (c.confkey) WHERE c.contype = 'f' ORDER BY 1, 2, 3;

-- free: Metabase: enum values
SELECT nspname, typname, enumlabel FROM pg_enum JOIN pg_type t ON enumtypid = t.oid JOIN pg_namespace n ON n.oid = t.typnamespace ORDER BY 1, 2, enumsortorder;

-- free: field values for a filter: region
SELECT "public"."stores"."region" AS "region" FROM "public"."stores" GROUP BY "public"."stores"."region" ORDER BY "public"."stores"."region" ASC LIMIT 1000;

-- free: field values for a filter: rank of customers
SELECT "public"."customers"."rank" AS "rank" FROM "public"."customers" GROUP BY "public"."customers"."rank" ORDER BY "public"."customers"."rank" ASC LIMIT 5000;

-- hint 60: field values for a filter: prefecture of customers (personal here)
SELECT "public"."customers"."prefecture" AS "prefecture" FROM "public"."customers" GROUP BY "public"."customers"."prefecture" ORDER BY "public"."customers"."prefecture" ASC LIMIT 1000;

-- free: fingerprint of an open field
SELECT count(distinct "public"."orders"."status") AS "n", avg(char_length("public"."orders"."status")) AS l FROM "public"."orders";

-- free: row count
SELECT count(*) AS "count" FROM "public"."orders";

-- free: sample rows of an open table
SELECT "public"."products"."product_id", "public"."products"."title", "public"."products"."price", "public"."products"."specs" FROM "public"."products" LIMIT 2000;

-- shows 24: sample rows of a table of people: all of them are shown
SELECT "public"."staff"."staff_id" AS "staff_id", "public"."staff"."name" AS "name" FROM "public"."staff" LIMIT 2000;

-- free: sum by month with a filter on region
SELECT DATE_TRUNC('month', "public"."orders"."ordered_at") AS "ordered_at", SUM("public"."orders"."total") AS "sum" FROM "public"."orders" LEFT JOIN "public"."stores" AS "Stores" ON "public"."orders"."store_id" = "Stores"."store_id" WHERE "Stores"."region" = 'East' GROUP BY DATE_TRUNC('month', "public"."orders"."ordered_at") ORDER BY 1 ASC;

-- free: distinct customers by month and region
SELECT DATE_TRUNC('month', "source"."ordered_at") AS "m", "source"."region" AS "region", COUNT(DISTINCT "source"."customer_id") AS "count" FROM (SELECT "public"."orders"."ordered_at", "public"."orders"."customer_id", "Stores"."region" FROM "public"."orders" LEFT JOIN "public"."stores" "Stores" ON "public"."orders"."store_id" = "Stores"."store_id") AS "source" GROUP BY 1, 2 ORDER BY 1, 2;

-- hint 40: customers by age band and region of their store
SELECT CASE WHEN birth_date > '2006-07-01' THEN '-19' WHEN birth_date > '1986-07-01' THEN '20-39' WHEN birth_date > '1966-07-01' THEN '40-59' ELSE '60-' END AS band, s.region, count(*) AS n FROM customers c JOIN stores s USING (store_id) GROUP BY 1, 2 ORDER BY 1, 2;

-- hint 8: customers over 60 in one region
SELECT COUNT(*) FROM customers c JOIN stores s USING (store_id) WHERE s.region = 'East' AND c.birth_date < '1966-07-01';

-- hint 80: turnover by age band
SELECT age_band(c.birth_date) AS band, sum(o.total) FROM customers c JOIN orders o USING (customer_id) GROUP BY 1 ORDER BY 1;

-- free: Tableau: connection test
SELECT 1;

-- free: Tableau: temporary table check
SELECT 'x' WHERE 1 = 0;

-- free: Tableau: domain of a dimension
SELECT "orders"."status" AS "status" FROM "public"."orders" "orders" GROUP BY 1;

-- free: Tableau: custom SQL in a sub-query, with casts
SELECT "t0"."store_id" AS "store_id", SUM("t0"."total") AS "sum:total:ok", CAST(DATE_TRUNC('QUARTER', "t0"."ordered_at") AS DATE) AS "tqr:ordered_at:ok" FROM (SELECT store_id, total, ordered_at FROM orders WHERE status <> 'cancelled') "t0" GROUP BY 1, 3;

-- free: Tableau: only the description of a query
SELECT * FROM (SELECT store_id, total FROM orders) "x" LIMIT 0;

-- free: Tableau: description of a query over people, without rows
SELECT * FROM (SELECT * FROM customers) "x" LIMIT 0;

-- free: Power BI: top by category
SELECT _."category", _."a0" FROM (SELECT c.title AS "category", sum(i.quantity * i.price) AS "a0" FROM order_items i JOIN products p USING (product_id) JOIN categories c USING (category_id) GROUP BY c.title) _ ORDER BY _."a0" DESC LIMIT 101;

-- free: Superset: a time series with a limit on series
SELECT DATE_TRUNC('week', ordered_at) AS __timestamp, status, COUNT(*) AS "COUNT(*)" FROM orders JOIN (SELECT status AS status__, COUNT(*) AS mme_inner__ FROM orders GROUP BY status ORDER BY mme_inner__ DESC LIMIT 3) AS series_limit ON status = status__ WHERE ordered_at >= '2026-01-01' GROUP BY status, DATE_TRUNC('week', ordered_at) ORDER BY "COUNT(*)" DESC LIMIT 50000;

-- free: Grafana: values with a time filter
SELECT ordered_at AS time, total FROM orders WHERE ordered_at BETWEEN '2026-02-01T00:00:00Z' AND '2026-02-02T00:00:00Z' ORDER BY 1;

-- free: Grafana: by buckets of an hour
SELECT floor(extract(epoch FROM started_at) / 3600) * 3600 AS time, avg(seconds) FROM call_logs GROUP BY 1 ORDER BY 1;

-- free: Looker: persistent derived table
CREATE TABLE lr_sales AS SELECT store_id, date_trunc('month', ordered_at) AS month, sum(total) AS amount FROM orders GROUP BY 1, 2;

-- free: a funnel by ticket state
SELECT state, count(*) AS n, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent FROM tickets GROUP BY state ORDER BY state;

-- free: approximate row counts
SELECT relname, reltuples::bigint FROM pg_class WHERE relname IN ('customers', 'orders_2026_01', 'products') ORDER BY 1;

-- free: customers with two orders or more, by store
SELECT store_id, count(*) FROM (SELECT c.store_id, c.customer_id FROM customers c JOIN orders o USING (customer_id) GROUP BY 1, 2 HAVING count(*) >= 2) x GROUP BY 1 ORDER BY 1;

-- free: churn: customers whose last order is older than 60 days
SELECT count(*) FROM (SELECT customer_id FROM orders GROUP BY customer_id HAVING max(ordered_at) < '2026-04-30') x;

-- free: new and returning customers a month
WITH first AS (SELECT customer_id, min(ordered_at) AS at FROM orders GROUP BY 1) SELECT date_trunc('month', o.ordered_at) AS month, count(DISTINCT o.customer_id) FILTER (WHERE date_trunc('month', f.at) = date_trunc('month', o.ordered_at)) AS new, count(DISTINCT o.customer_id) AS all FROM orders o JOIN first f USING (customer_id) GROUP BY 1 ORDER BY 1;

-- free: average basket by hour of day
SELECT extract(hour FROM ordered_at) AS hour, avg(total)::int, count(*) FROM orders GROUP BY ROLLUP (1) ORDER BY 1 NULLS LAST;
