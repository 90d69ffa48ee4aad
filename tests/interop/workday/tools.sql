-- SPDX-License-Identifier: Apache-2.0
-- What graphical clients ask the catalogues: written after what pgAdmin, DBeaver,
-- DataGrip and Navicat want to know, not copied from them.

-- free: pgAdmin: on connect
SELECT db.oid AS did, db.datname, db.datallowconn, pg_encoding_to_char(db.encoding) AS serverencoding, has_database_privilege(db.oid, 'CREATE') AS cancreate, datistemplate FROM pg_catalog.pg_database db WHERE db.datname = current_database();

-- free: pgAdmin: who am I
SELECT roles.oid AS id, roles.rolname AS name, roles.rolsuper AS is_superuser, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreaterole END AS can_create_role, roles.rolcreatedb AS can_create_db FROM pg_catalog.pg_roles AS roles WHERE rolname = current_user;

-- free: pgAdmin: session settings
SET DateStyle = ISO;
SET client_min_messages = notice;
SELECT set_config('bytea_output', 'hex', false) FROM pg_show_all_settings() WHERE name = 'bytea_output';
SET client_encoding = 'UTF8';

-- free: pgAdmin: databases
SELECT db.oid AS did, db.datname AS name, ta.spcname AS spcname, db.datallowconn, has_database_privilege(db.oid, 'CREATE') AS cancreate, datdba AS owner, descr.description FROM pg_catalog.pg_database db LEFT OUTER JOIN pg_catalog.pg_tablespace ta ON db.dattablespace = ta.oid LEFT OUTER JOIN pg_catalog.pg_shdescription descr ON (db.oid = descr.objoid AND descr.classoid = 'pg_database'::regclass) ORDER BY datname;

-- free: pgAdmin: schemas
SELECT nsp.oid, nsp.nspname AS name, has_schema_privilege(nsp.oid, 'CREATE') AS can_create, has_schema_privilege(nsp.oid, 'USAGE') AS has_usage, des.description FROM pg_catalog.pg_namespace nsp LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = nsp.oid AND des.classoid = 'pg_namespace'::regclass) WHERE nspname NOT LIKE 'pg\_%' AND NOT ((nsp.nspname = 'pg_catalog' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'pg_class' AND relnamespace = nsp.oid LIMIT 1))) ORDER BY nspname;

-- free: pgAdmin: tables of a schema
SELECT rel.oid, rel.relname AS name, (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = rel.oid AND tgisinternal = false) AS triggercount, (CASE WHEN rel.relkind = 'p' THEN true ELSE false END) AS is_partitioned, (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhrelid = rel.oid LIMIT 1) AS is_inherits, des.description FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = rel.oid AND des.objsubid = 0 AND des.classoid = 'pg_class'::regclass) WHERE rel.relkind IN ('r', 's', 't', 'p') AND rel.relnamespace = 'public'::regnamespace AND NOT rel.relispartition ORDER BY rel.relname;

-- free: pgAdmin: columns of a table
SELECT att.attname AS name, att.attnum, att.attnotnull, format_type(ty.oid, att.atttypmod) AS displaytypname, pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS defval, (CASE WHEN att.attnum = ANY (conkey) THEN true ELSE false END) AS is_pk, coll.collname, des.description, seq.seqstart FROM pg_catalog.pg_attribute att JOIN pg_catalog.pg_type ty ON ty.oid = atttypid LEFT OUTER JOIN pg_catalog.pg_attrdef def ON adrelid = att.attrelid AND adnum = att.attnum LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = att.attrelid AND des.objsubid = att.attnum) LEFT OUTER JOIN (pg_catalog.pg_depend dep JOIN pg_catalog.pg_class cs ON dep.classid = 'pg_class'::regclass AND dep.objid = cs.oid AND cs.relkind = 'S') ON dep.refobjid = att.attrelid AND dep.refobjsubid = att.attnum LEFT OUTER JOIN pg_catalog.pg_index pi ON pi.indrelid = att.attrelid AND indisprimary LEFT OUTER JOIN pg_catalog.pg_constraint con ON con.conrelid = att.attrelid AND con.contype = 'p' LEFT OUTER JOIN pg_catalog.pg_collation coll ON att.attcollation = coll.oid LEFT OUTER JOIN pg_catalog.pg_sequence seq ON cs.oid = seq.seqrelid WHERE att.attrelid = 'public.customers'::regclass AND att.attnum > 0 AND att.attisdropped IS FALSE ORDER BY att.attnum;

-- free: pgAdmin: definition of a view
SELECT c.oid, c.relname AS name, pg_get_userbyid(c.relowner) AS owner, pg_catalog.pg_get_viewdef(c.oid, true) AS definition, array_to_string(c.relacl, ', ') AS acl FROM pg_catalog.pg_class c WHERE c.relkind IN ('v', 'm') AND c.relnamespace = 'public'::regnamespace ORDER BY relname;

-- free: pgAdmin: functions
SELECT pr.oid, pr.proname || '(' || COALESCE(pg_catalog.pg_get_function_identity_arguments(pr.oid), '') || ')' AS name, lanname, pg_catalog.pg_get_userbyid(proowner) AS funcowner, pg_catalog.pg_get_functiondef(pr.oid) FROM pg_catalog.pg_proc pr JOIN pg_catalog.pg_language lng ON lng.oid = pr.prolang WHERE pr.prokind IN ('f', 'w') AND pronamespace = 'public'::regnamespace AND lanname = 'sql' ORDER BY proname;

-- free: pgAdmin: constraints of a table
SELECT conname, contype, condeferrable, pg_catalog.pg_get_constraintdef(oid, true), confupdtype, confdeltype, convalidated FROM pg_catalog.pg_constraint WHERE conrelid = 'public.orders'::regclass ORDER BY conname;

-- free: pgAdmin: indexes of a table
SELECT cls.oid, cls.relname AS name, indisclustered, indisvalid, indisunique, tab.relname AS tabname, pg_catalog.pg_get_expr(idx.indpred, idx.indrelid, true) AS indconstraint, pg_catalog.pg_get_indexdef(idx.indexrelid) FROM pg_catalog.pg_index idx JOIN pg_catalog.pg_class cls ON cls.oid = indexrelid JOIN pg_catalog.pg_class tab ON tab.oid = indrelid LEFT JOIN pg_catalog.pg_depend dep ON (dep.classid = cls.tableoid AND dep.objid = cls.oid AND dep.refobjsubid = '0' AND dep.refclassid = 'pg_constraint'::regclass AND dep.deptype = 'i') WHERE indrelid = 'public.customers'::regclass ORDER BY cls.relname;

-- free: pgAdmin: statistics of a table
SELECT seq_scan, idx_scan, n_tup_ins, n_live_tup, n_dead_tup, last_vacuum, last_analyze, pg_catalog.pg_relation_size(relid) AS size FROM pg_catalog.pg_stat_all_tables WHERE relid = 'public.customers'::regclass;

-- free: pgAdmin: dependents of a table
SELECT DISTINCT dep.deptype, dep.classid, cl.relkind, COALESCE(coc.relname || '.' || ad.adnum, cl.relname) AS refname FROM pg_catalog.pg_depend dep LEFT JOIN pg_catalog.pg_class cl ON dep.objid = cl.oid LEFT JOIN pg_catalog.pg_attrdef ad ON ad.oid = dep.objid LEFT JOIN pg_catalog.pg_class coc ON ad.adrelid = coc.oid WHERE dep.refobjid = 'public.customers'::regclass ORDER BY 1, 2, 4;

-- free: pgAdmin: dashboard, sessions
SELECT pid, datname, usename, application_name, client_addr, backend_start, xact_start, state, wait_event_type || ': ' || wait_event AS wait_event, array_to_string(pg_catalog.pg_blocking_pids(pid), ', ') AS blocking_pids, state_change FROM pg_catalog.pg_stat_activity WHERE datname = current_database() ORDER BY pid;

-- free: pgAdmin: dashboard, transactions a second
SELECT 'session_stats' AS chart_name, pg_catalog.row_to_json(t) AS chart_data FROM (SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity) AS "Total", (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active') AS "Active", (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'idle') AS "Idle") t;

-- free: pgAdmin: dashboard, tuples in and out of all databases
SELECT sum(xact_commit) AS commits, sum(xact_rollback) AS rollbacks, sum(tup_inserted) AS inserts, sum(blks_read) AS reads, sum(blks_hit) AS hits FROM pg_catalog.pg_stat_database;

-- free: pgAdmin: settings
SELECT name, category, setting, unit, short_desc FROM pg_catalog.pg_settings ORDER BY category, name;

-- free: pgAdmin: locks
SELECT pid, locktype, datname, relation::regclass, page, tuple, virtualxid, transactionid, classid::regclass, objid, virtualtransaction, mode, granted, fastpath FROM pg_catalog.pg_locks l LEFT OUTER JOIN pg_catalog.pg_database d ON (l.database = d.oid) ORDER BY pid, locktype;

-- free: pgAdmin: properties of a sequence
SELECT * FROM pg_catalog.pg_sequences WHERE schemaname = 'public' ORDER BY sequencename;

-- free: DBeaver: on connect
SELECT version();
SELECT current_schema(), session_user;
SHOW search_path;
SHOW server_version_num;

-- free: DBeaver: data types
SELECT t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_type_name, d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid = t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid = t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid = d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C');

-- free: DBeaver: relations of a schema, with sizes
SELECT c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr, pg_catalog.pg_get_partkeydef(c.oid) AS partition_key, pg_catalog.pg_total_relation_size(c.oid) AS total_rel_size FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass WHERE c.relnamespace = 'public'::regnamespace AND c.relkind NOT IN ('i', 'I', 'c');

-- free: DBeaver: columns
SELECT c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) AS def_value, dsc.description, dep.objid FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON a.attrelid = c.oid LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT OUTER JOIN pg_catalog.pg_description dsc ON c.oid = dsc.objoid AND a.attnum = dsc.objsubid LEFT OUTER JOIN pg_catalog.pg_depend dep ON dep.refobjid = a.attrelid AND dep.deptype = 'i' AND dep.refobjsubid = a.attnum AND dep.classid = dep.refclassid WHERE NOT a.attisdropped AND c.oid = 'customers'::regclass ORDER BY a.attnum;

-- free: DBeaver: constraints
SELECT c.oid, c.*, t.relname AS tabrelname, rt.relnamespace AS refnamespace, d.description, null AS consrc_copy FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid = c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid = c.confrelid LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_constraint'::regclass WHERE c.conrelid = 'payments'::regclass ORDER BY c.oid;

-- free: DBeaver: statistics of relations
SELECT c.oid, pg_catalog.pg_total_relation_size(c.oid) AS total_rel_size, pg_catalog.pg_relation_size(c.oid) AS rel_size FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace;

-- shows 200: DBeaver: data of a table, first 200 rows
SELECT * FROM customers LIMIT 200;

-- shows 200: DBeaver: the same, named
SELECT c.* FROM public.customers c ORDER BY c.customer_id LIMIT 200;

-- free: DBeaver: data of an open table
SELECT x.* FROM public.products x WHERE x.price > 1000 ORDER BY x.price DESC LIMIT 200;

-- free: DBeaver: number of rows of a table
SELECT count(*) FROM public.customers;

-- free: DBeaver: save a changed cell
UPDATE public.products SET title = 'Desk 5 (new)' WHERE product_id = 5;

-- free: DBeaver: save a changed cell of a customer
UPDATE public.customers SET address = '9 Chuo' WHERE customer_id = 9;

-- free: DBeaver: foreign keys that point to a table
SELECT con.conname, con.conrelid::regclass, con.confrelid::regclass, con.conkey, con.confkey FROM pg_catalog.pg_constraint con WHERE con.confrelid = 'customers'::regclass ORDER BY 1;

-- free: DataGrip: introspection state
SELECT current_database() AS a, current_schema() AS b, pg_catalog.pg_is_in_recovery() AS is_standby, txid_current()::bigint > 0 AS tx;

-- free: DataGrip: databases
SELECT N.oid::bigint AS id, datname AS name, D.description, datistemplate AS is_template, datallowconn AS allow_connections, pg_catalog.pg_get_userbyid(N.datdba) AS "owner" FROM pg_catalog.pg_database N LEFT JOIN pg_catalog.pg_shdescription D ON N.oid = D.objoid ORDER BY CASE WHEN datname = pg_catalog.current_database() THEN -1::bigint ELSE N.oid::bigint END;

-- free: DataGrip: schemas with their state number
SELECT N.oid::bigint AS id, N.xmin AS state_number, nspname AS name, D.description, pg_catalog.pg_get_userbyid(N.nspowner) AS "owner" FROM pg_catalog.pg_namespace N LEFT JOIN pg_catalog.pg_description D ON N.oid = D.objoid ORDER BY 1;

-- free: DataGrip: tables that changed since
SELECT T.relkind AS table_kind, T.relname AS table_name, T.oid AS table_id, T.xmin AS table_state_number, false AS table_with_oids, T.reltablespace, T.reloptions AS options, T.relpersistence, (SELECT pg_catalog.array_agg(inhparent::bigint ORDER BY inhseqno)::varchar FROM pg_catalog.pg_inherits WHERE T.oid = inhrelid) AS ancestors, T.relispartition, pg_catalog.pg_get_partkeydef(T.oid), T.relam FROM pg_catalog.pg_class T WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm', 'v', 'f', 'p') AND pg_catalog.age(T.xmin) <= coalesce(nullif(greatest(pg_catalog.age('3'::xid), -1), -1), 2147483647) ORDER BY table_kind, table_id;

-- free: DataGrip: routines
SELECT oid AS r_id, proname AS r_name, prolang, pronamespace, prokind, provolatile, pg_catalog.oidvectortypes(proargtypes), pg_catalog.pg_get_function_arguments(oid) AS args FROM pg_catalog.pg_proc WHERE pronamespace = 'public'::regnamespace;

-- free: DataGrip: sources of views
SELECT T.relkind AS view_kind, T.oid AS view_id, pg_catalog.pg_get_viewdef(T.oid, true) AS source_text FROM pg_catalog.pg_class T JOIN pg_catalog.pg_namespace N ON T.relnamespace = N.oid WHERE N.nspname = 'public' AND T.relkind IN ('m', 'v');

-- free: DataGrip: access of roles
SELECT T.oid AS object_id, T.relacl AS acl FROM pg_catalog.pg_class T WHERE T.relnamespace = 'public'::regnamespace AND T.relkind IN ('r', 'v', 'S', 'p');

-- free: DataGrip: roles
SELECT R.oid::bigint AS role_id, rolname AS role_name, rolsuper AS is_super, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit, rolvaliduntil, rolbypassrls, rolconfig, D.description FROM pg_catalog.pg_roles R LEFT JOIN pg_catalog.pg_shdescription D ON D.objoid = R.oid;

-- free: DataGrip: members
SELECT member AS id, roleid AS role_id, admin_option FROM pg_catalog.pg_auth_members ORDER BY id, roleid::text;

-- free: DataGrip: extensions
SELECT E.oid AS id, E.xmin AS state_number, extname AS name, extversion AS version, extnamespace AS schema_id, nspname AS schema_name, array(SELECT unnest FROM unnest(array(SELECT target FROM pg_catalog.pg_extension_update_paths(extname) WHERE source = extversion AND path IS NOT NULL))) AS available_updates FROM pg_catalog.pg_extension E JOIN pg_namespace N ON E.extnamespace = N.oid;

-- free: DataGrip: time zones
SELECT name, is_dst FROM pg_catalog.pg_timezone_names UNION DISTINCT SELECT abbrev AS name, is_dst FROM pg_catalog.pg_timezone_abbrevs;

-- free: Navicat: objects with comments
SELECT c.oid, obj_description(c.oid), c.relhasindex AS hasindexes, n.nspname AS schemaname, c.relname AS tablename, c.relkind, pg_get_userbyid(c.relowner) AS tableowner, c.relpersistence FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' ORDER BY schemaname, tablename;

-- free: ODBC: columns
SELECT n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid), CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE 0 END, t.typtypmod, 0, a.attidentity FROM ((pg_catalog.pg_class c INNER JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND c.oid = 'orders'::regclass) INNER JOIN pg_catalog.pg_attribute a ON NOT a.attisdropped AND a.attnum > 0 AND a.attrelid = c.oid) INNER JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT OUTER JOIN pg_attrdef d ON a.atthasdef AND d.adrelid = a.attrelid AND d.adnum = a.attnum ORDER BY n.nspname, c.relname, attnum;

-- free: information_schema: everything a portable tool reads
SELECT t.table_schema, t.table_name, t.table_type, c.column_name, c.data_type, c.is_nullable, c.column_default FROM information_schema.tables t JOIN information_schema.columns c USING (table_schema, table_name) WHERE t.table_schema = 'public' ORDER BY 1, 2, c.ordinal_position;

-- free: information_schema: keys
SELECT rc.constraint_name, kcu.table_name, kcu.column_name, ccu.table_name AS refers_to, rc.delete_rule FROM information_schema.referential_constraints rc JOIN information_schema.key_column_usage kcu USING (constraint_schema, constraint_name) JOIN information_schema.constraint_column_usage ccu USING (constraint_schema, constraint_name) ORDER BY 1, 2, 3;

-- free: information_schema: views and routines
SELECT table_name, view_definition, is_updatable FROM information_schema.views WHERE table_schema = 'public';
SELECT routine_name, data_type, external_language FROM information_schema.routines WHERE routine_schema = 'public' ORDER BY 1;

-- free: information_schema: rights
SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants WHERE table_schema = 'public' ORDER BY 1, 2, 3;
SELECT * FROM information_schema.table_privileges WHERE table_name = 'products';

-- free: pg_tables, pg_views, pg_indexes
SELECT * FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename;
SELECT viewname, definition FROM pg_views WHERE schemaname = 'public';
SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2;

-- free: plan of a statement over open tables
EXPLAIN SELECT p.title, sum(i.quantity) FROM order_items i JOIN products p USING (product_id) GROUP BY 1;

-- free: plan with the times, over open tables
EXPLAIN (ANALYZE, BUFFERS) SELECT count(*) FROM order_items WHERE product_id = 5;

-- free: plan as JSON, over open columns
EXPLAIN (FORMAT json, VERBOSE) SELECT store_id, count(*) FROM orders GROUP BY store_id;

-- hint 1: plan of a look-up by telephone number
EXPLAIN SELECT * FROM customers WHERE phone = '090-0000-0005';

-- hint 1: plan of a search by name
EXPLAIN SELECT customer_id, name FROM customers WHERE name LIKE '佐藤%' ORDER BY kana;

-- hint 20: plan with the times of a look-up by telephone number
EXPLAIN ANALYZE SELECT * FROM customers WHERE phone = '090-0000-0005';

-- free: plan of a look-up by key (shows nothing that is not asked)
EXPLAIN SELECT name FROM customers WHERE customer_id = 5;
-- known charged 1: the gate charges one for any plan of a statement that would be charged

-- free: plan of an update
EXPLAIN UPDATE tickets SET state = 'closed' WHERE ticket_id = 3;
