-- SPDX-License-Identifier: Apache-2.0
-- @ extended
-- SQLAlchemy, Django, Rails, Hibernate, by the extended protocol with parameters.

-- free: SQLAlchemy: on connect
SELECT pg_catalog.version();

-- free: SQLAlchemy: on connect, schema
SELECT current_schema();

-- free: SQLAlchemy: on connect, strings
SHOW standard_conforming_strings;

-- free: SQLAlchemy: on connect, isolation
SHOW transaction isolation level;

-- free: SQLAlchemy: has_table
SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relname = $1::VARCHAR AND pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm']) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog';
-- params: customers

-- free: SQLAlchemy: columns
SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS format_type, (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef) AS "default", a.attnotnull AS not_null, c.relname AS table_name, pg_catalog.col_description(c.oid, a.attnum) AS comment, a.attgenerated AS generated, (SELECT json_build_object('always', a.attidentity = 'a', 'start', s.seqstart, 'increment', s.seqincrement) FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class k ON s.seqrelid = k.oid WHERE k.relkind = 'S' AND a.attidentity != '' AND s.seqrelid = pg_catalog.pg_get_serial_sequence(CAST(CAST(a.attrelid AS REGCLASS) AS TEXT), a.attname)::regclass::oid) AS identity_options FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_attribute a ON c.oid = a.attrelid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = ANY (ARRAY['r', 'p', 'f']) AND pg_catalog.pg_table_is_visible(c.oid) AND n.nspname != 'pg_catalog' AND c.relname IN ($1::VARCHAR) ORDER BY c.relname, a.attnum;
-- params: orders

-- free: SQLAlchemy: primary and unique keys
SELECT attr.conrelid, array_agg(CAST(attr.attname AS TEXT) ORDER BY attr.ord) AS cols, attr.conname, min(attr.description) FROM (SELECT con.conrelid, con.conname, con.conindid, con.description, con.ord, a.attname FROM pg_catalog.pg_attribute a JOIN (SELECT conrelid, conindid, conname, unnest(conkey) AS attnum, generate_subscripts(conkey, 1) AS ord, pg_catalog.obj_description(oid, 'pg_constraint') AS description FROM pg_catalog.pg_constraint WHERE contype = $1::VARCHAR) con ON a.attnum = con.attnum AND a.attrelid = con.conrelid) attr GROUP BY attr.conrelid, attr.conname ORDER BY attr.conrelid, attr.conname;
-- params: p

-- free: SQLAlchemy: foreign keys
SELECT c.relname, r.conname, pg_catalog.pg_get_constraintdef(r.oid, true), nr.nspname, pg_catalog.obj_description(r.oid, 'pg_constraint') FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_constraint r ON c.oid = r.conrelid AND r.contype = 'f' LEFT JOIN pg_catalog.pg_class f ON f.oid = r.confrelid LEFT JOIN pg_catalog.pg_namespace nr ON nr.oid = f.relnamespace WHERE c.relkind = ANY (ARRAY['r', 'p']) AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY c.relname, r.conname;

-- free: SQLAlchemy: indexes
SELECT i.indrelid, c.relname, i.indisunique, i.indnkeyatts, am.amname, c.reloptions, pg_catalog.pg_get_expr(i.indpred, i.indrelid), pg_catalog.pg_get_indexdef(i.indexrelid, 1, true), EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON i.indexrelid = c.oid JOIN pg_catalog.pg_am am ON c.relam = am.oid WHERE NOT i.indisprimary ORDER BY i.indrelid, c.relname;

-- free: SQLAlchemy: enums and domains
SELECT t.typname AS name, pg_catalog.pg_type_is_visible(t.oid) AS visible, n.nspname AS schema, x.labels FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace LEFT JOIN (SELECT enumtypid, array_agg(CAST(enumlabel AS TEXT) ORDER BY enumsortorder) AS labels FROM pg_catalog.pg_enum GROUP BY enumtypid) x ON t.oid = x.enumtypid WHERE t.typtype = 'e' ORDER BY 3, 1;

-- shows 1: SQLAlchemy: get by key
SELECT customers.customer_id AS customers_customer_id, customers.name AS customers_name, customers.phone AS customers_phone FROM customers WHERE customers.customer_id = $1::INTEGER;
-- params: 77

-- shows 3: SQLAlchemy: eager load of three customers' orders
SELECT orders.customer_id AS orders_customer_id, orders.order_id AS orders_order_id, orders.ship_name AS orders_ship_name FROM orders WHERE orders.customer_id IN ($1::INTEGER, $2::INTEGER, $3::INTEGER) ORDER BY orders.order_id;
-- params: 8 | 15 | 22

-- shows 20: SQLAlchemy: joined load with a sub-query and LIMIT
SELECT anon_1.customer_id, anon_1.name, addresses_1.address_id, addresses_1.city FROM (SELECT customers.customer_id AS customer_id, customers.name AS name FROM customers ORDER BY customers.customer_id LIMIT $1::INTEGER) AS anon_1 LEFT OUTER JOIN addresses AS addresses_1 ON anon_1.customer_id = addresses_1.customer_id ORDER BY anon_1.customer_id;
-- params: 20

-- free: SQLAlchemy: insert and its key
INSERT INTO products (sku, title, price) VALUES ($1::VARCHAR, $2::VARCHAR, $3::NUMERIC) RETURNING products.product_id;
-- params: SKU-0080 | Hook | 50

-- free: SQLAlchemy: update by key
UPDATE customers SET phone = $1::VARCHAR, updated_at = now() WHERE customers.customer_id = $2::INTEGER;
-- params: 090-7777-0001 | 77

-- free: SQLAlchemy: delete by key
DELETE FROM contacts WHERE contacts.contact_id = $1::INTEGER;
-- params: 1190

-- free: Django: table list
SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END, obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid);

-- free: Django: table description
SELECT a.attname AS column_name, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable, pg_get_expr(ad.adbin, ad.adrelid) AS column_default, CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation, a.attidentity != '' AS is_autofield, col_description(a.attrelid, a.attnum) AS column_comment FROM pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT JOIN pg_collation co ON a.attcollation = co.oid JOIN pg_type t ON a.atttypid = t.oid JOIN pg_class c ON a.attrelid = c.oid JOIN pg_namespace n ON c.relnamespace = n.oid WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND c.relname = $1 AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid);
-- params: tickets

-- free: Django: limit of a description (reads no row)
SELECT * FROM "tickets" LIMIT 1 OFFSET 1000000;

-- free: Django: constraints
SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), c.contype, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]), cl.reloptions FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = $1 AND pg_catalog.pg_table_is_visible(cl.oid);
-- params: tickets

-- free: Django: index definitions
SELECT indexname, array_agg(attname ORDER BY arridx), indisunique, indisprimary, array_agg(ordering ORDER BY arridx), amname, exprdef, s2.attoptions FROM (SELECT c2.relname AS indexname, idx.*, attr.attname, am.amname, CASE WHEN idx.indexprs IS NOT NULL THEN pg_get_indexdef(idx.indexrelid) END AS exprdef, CASE am.amname WHEN 'btree' THEN CASE (option & 1) WHEN 1 THEN 'DESC' ELSE 'ASC' END END AS ordering, c2.reloptions AS attoptions FROM (SELECT * FROM pg_index i, unnest(i.indkey, i.indoption) WITH ORDINALITY koi(key, option, arridx)) idx LEFT JOIN pg_class c ON idx.indrelid = c.oid LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid LEFT JOIN pg_am am ON c2.relam = am.oid LEFT JOIN pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key WHERE c.relname = $1 AND pg_catalog.pg_table_is_visible(c.oid)) s2 GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions;
-- params: customers

-- free: Django: sequences of a table
SELECT s.relname AS sequence_name, a.attname AS colname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass JOIN pg_attribute a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum JOIN pg_class tbl ON tbl.oid = d.refobjid AND tbl.relname = $1 AND pg_catalog.pg_table_is_visible(tbl.oid) WHERE s.relkind = 'S';
-- params: products

-- free: Django: applied migrations
SELECT "schema_migrations"."version", "schema_migrations"."applied_at" FROM "schema_migrations";

-- shows 1: Django: get()
SELECT "customers"."customer_id", "customers"."name", "customers"."email" FROM "customers" WHERE "customers"."email" = $1 LIMIT 21;
-- params: c88@mail.example

-- hint 1: Django: exists()
SELECT 1 AS "a" FROM "customers" WHERE "customers"."email" = $1 LIMIT 1;
-- params: c88@mail.example

-- hint 5: Django: count() with a filter on a personal column
SELECT COUNT(*) AS "__count" FROM "customers" WHERE "customers"."phone" LIKE $1::text;
-- params: 090-0001%

-- free: Django: count() for the paginator
SELECT COUNT(*) AS "__count" FROM "orders" WHERE "orders"."store_id" = $1;
-- params: 3

-- shows 25: Django: a page of the admin's list
SELECT "customers"."customer_id", "customers"."name", "customers"."phone", "stores"."store_id", "stores"."name" FROM "customers" LEFT OUTER JOIN "stores" ON ("customers"."store_id" = "stores"."store_id") ORDER BY "customers"."customer_id" DESC LIMIT 25;

-- free: Django: update() of a queryset
UPDATE "tickets" SET "priority" = $1 WHERE ("tickets"."state" = $2::ticket_state AND "tickets"."opened_at" < $3);
-- params: 2 | waiting | 2026-03-20

-- free: Django: session table
DELETE FROM "jobs" WHERE "jobs"."done_at" < $1::timestamptz;
-- params: 2026-01-01

-- free: Django: select_for_update of a job
SELECT "jobs"."job_id", "jobs"."payload" FROM "jobs" WHERE "jobs"."done_at" IS NULL ORDER BY "jobs"."job_id" LIMIT 1 FOR UPDATE SKIP LOCKED;

-- free: Rails: types
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type AS t LEFT JOIN pg_range AS r ON oid = rngtypid WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'text', 'citext', 'hstore') OR t.typtype IN ('r', 'e', 'd') OR t.typelem IN (16, 20, 25);

-- free: Rails: columns
SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated AS attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"customers"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- free: Rails: primary keys
SELECT a.attname FROM (SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx FROM pg_index WHERE indrelid = '"orders"'::regclass AND indisprimary) i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[i.idx] ORDER BY i.idx;

-- free: Rails: advisory lock of a migration
SELECT pg_try_advisory_lock(2053462845);

-- free: Rails: advisory unlock
SELECT pg_advisory_unlock(2053462845);

-- free: Rails: schema_migrations
SELECT "schema_migrations"."version" FROM "schema_migrations" ORDER BY "schema_migrations"."version" ASC;

-- free: Rails: settings of a session
SET SESSION timezone TO 'UTC';

-- free: Rails: message level
SET client_min_messages TO 'warning';

-- free: Rails: intervals
SET intervalstyle = iso_8601;

-- shows 1: Rails: find_by
SELECT "customers".* FROM "customers" WHERE "customers"."customer_no" = $1 LIMIT $2;
-- params: C000100 | 1

-- shows 5: Rails: includes
SELECT "contacts".* FROM "contacts" WHERE "contacts"."customer_id" IN ($1, $2, $3, $4, $5);
-- params: 100 | 101 | 102 | 103 | 104

-- free: Rails: touch
UPDATE "customers" SET "updated_at" = $1 WHERE "customers"."customer_id" = $2;
-- params: 2026-06-01 00:00:00 | 100

-- free: Rails: counter
UPDATE "customers" SET "points" = COALESCE("points", 0) + $1 WHERE "customers"."customer_id" = $2;
-- params: 5 | 100

-- hint 1: Rails: uniqueness check
SELECT 1 AS one FROM "customers" WHERE LOWER("customers"."email"::text) = LOWER($1) LIMIT $2;
-- params: c88@mail.example | 1

-- free: Hibernate: sequence
select nextval('order_numbers');

-- free: Hibernate: sequence information
select * from information_schema.sequences;

-- shows 1: Hibernate: entity with its join
select c1_0.customer_id, c1_0.name, c1_0.phone, s1_0.store_id, s1_0.name from customers c1_0 left join stores s1_0 on s1_0.store_id = c1_0.store_id where c1_0.customer_id = $1;
-- params: 55

-- shows 5: Hibernate: page
select o1_0.order_id, o1_0.customer_id, o1_0.ship_name, o1_0.total from orders o1_0 where o1_0.store_id = $1 order by o1_0.order_id fetch first $2 rows only;
-- params: 3 | 5

-- free: Hibernate: page of an open table with an offset
select p1_0.product_id, p1_0.title from products p1_0 order by p1_0.product_id offset $1 rows fetch first $2 rows only;
-- params: 10 | 5

-- free: Hibernate: version check
update products set title = $1, price = $2::numeric where product_id = $3 and updated_at < $4::timestamptz;
-- params: Desk 5 | 600 | 5 | 2027-01-01

-- free: Hibernate: validation query of the pool
SELECT 1;

-- free: JDBC: type by OID
SELECT n.nspname = ANY(current_schemas(true)), n.nspname, t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid WHERE t.oid = $1::oid;
-- params: 1043

-- free: JDBC: getTables
SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true THEN 'SYSTEM TABLE' ELSE CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE 'OTHER' END END AS TABLE_TYPE, d.description AS REMARKS FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND c.relname LIKE 'cust%' ORDER BY TABLE_TYPE, TABLE_SCHEM, TABLE_NAME;

-- free: Npgsql: types on connect
SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid FROM (SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind, elemtyp.oid AS elemtypoid FROM (SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid, CASE WHEN proc.proname = 'array_recv' THEN 'a' ELSE typ.typtype END AS typtype FROM pg_type AS typ LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid) LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)) AS typ LEFT JOIN pg_type AS elemtyp ON elemtyp.oid = elemoid) AS t JOIN pg_namespace AS ns ON (ns.oid = typnamespace) WHERE typtype IN ('b', 'r', 'm', 'e', 'd') ORDER BY t.oid;
