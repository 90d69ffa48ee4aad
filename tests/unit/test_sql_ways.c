/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measured ways by which personal data leaves a PostgreSQL session, each by
 * its statements: what kind the gate takes them for (L3: none of them is a kind
 * that passes without a tree or a refusal). "error": only the server could tell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sql/sql.h"

static const struct {
	const char *text, *kinds;
} ways[] = {
	{"SELECT name FROM customers",
	    "QUERY"},
	{"SELECT count(*) FROM customers",
	    "QUERY"},
	{"SELECT string_agg(name,',') FROM customers",
	    "QUERY"},
	{"SELECT json_agg(c) FROM customers c",
	    "QUERY"},
	{"SELECT array_agg(name) FROM customers",
	    "QUERY"},
	{"SELECT xmlagg(xmlelement(name n,name)) FROM customers",
	    "QUERY"},
	{"SELECT ARRAY(SELECT name FROM customers)",
	    "QUERY"},
	{"SELECT jsonb_object_agg(id,name) FROM customers",
	    "QUERY"},
	{"SELECT min(name) FROM customers GROUP BY id",
	    "QUERY"},
	{"COPY customers TO STDOUT",
	    "COPY_OUT"},
	{"COPY customers TO STDOUT CSV",
	    "COPY_OUT"},
	{"COPY customers TO STDOUT (FORMAT binary)",
	    "COPY_OUT"},
	{"COPY (SELECT string_agg(name,',') FROM customers) TO STDOUT",
	    "COPY_OUT"},
	{"BEGIN; DECLARE k CURSOR FOR SELECT name FROM customers; FETCH "
	    "ALL FROM k; COMMIT",
	    "TXN_BEGIN DECLARE FETCH TXN_COMMIT"},
	{"BEGIN; DECLARE k SCROLL CURSOR FOR SELECT name FROM "
	    "customers; FETCH ALL FROM k; FETCH BACKWARD ALL FROM k; COMMIT",
	    "TXN_BEGIN DECLARE FETCH FETCH TXN_COMMIT"},
	{"SELECT 1; SELECT name FROM customers; SELECT 2",
	    "QUERY QUERY QUERY"},
	{"PREPARE p AS SELECT name FROM customers; EXECUTE p",
	    "PREPARE EXECUTE"},
	{"SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE "
	    "tablename='customers' AND attname='name'",
	    "QUERY"},
	{"SELECT histogram_bounds FROM pg_stats WHERE "
	    "tablename='customers' AND attname='name'",
	    "QUERY"},
	{"SELECT stavalues1,stavalues2 FROM pg_statistic WHERE "
	    "starelid='customers'::regclass",
	    "QUERY"},
	{"SELECT string_agg(name,',')::int FROM customers",
	    "QUERY"},
	{"SELECT name::int FROM customers",
	    "QUERY"},
	{"BEGIN; CREATE TEMP TABLE z(t text, CHECK (t='')); INSERT INTO "
	    "z SELECT string_agg(name,',') FROM customers",
	    "TXN_BEGIN DDL_CREATE QUERY"},
	{"BEGIN; CREATE TEMP TABLE z(t text primary key); INSERT INTO z "
	    "SELECT name FROM customers WHERE id=7; INSERT INTO z SELECT "
	    "name FROM customers WHERE id=7",
	    "TXN_BEGIN DDL_CREATE QUERY QUERY"},
	{"DO $$BEGIN EXECUTE format('FETCH %I', (SELECT name FROM "
	    "customers WHERE id=5)); END$$",
	    "DO"},
	{"DO $$DECLARE r record; BEGIN FOR r IN SELECT name FROM "
	    "customers LOOP RAISE NOTICE '%', r.name; END LOOP; END$$",
	    "DO"},
	{"DO $$BEGIN RAISE NOTICE '%', (SELECT string_agg(name,',') "
	    "FROM customers); END$$",
	    "DO"},
	{"DO $$BEGIN RAISE DEBUG '%', (SELECT string_agg(name,',') FROM "
	    "customers); END$$",
	    "DO"},
	{"DO $$BEGIN RAISE EXCEPTION '%', (SELECT string_agg(name,',') "
	    "FROM customers); END$$",
	    "DO"},
	{"DO $$BEGIN PERFORM set_config('application_name',(SELECT "
	    "string_agg(name,',') FROM customers WHERE id<9),false); END$$",
	    "DO"},
	{"BEGIN; DO $$DECLARE r refcursor := 'zz'; BEGIN OPEN r FOR "
	    "EXECUTE (SELECT 'SELECT '||string_agg(format('1 AS "
	    "%I',name),',') FROM customers)||' WHERE false'; END$$; FETCH "
	    "ALL FROM zz; COMMIT",
	    "TXN_BEGIN DO FETCH TXN_COMMIT"},
	{"CREATE TEMP TABLE z AS SELECT generate_series(1,(SELECT "
	    "substr(ssn,1,6)::int FROM customers WHERE id=7)) LIMIT 55433",
	    "CREATE_AS"},
	{"LISTEN ch; SELECT pg_notify('ch',(SELECT string_agg(name,',') "
	    "FROM customers WHERE id<=800))",
	    "LISTEN QUERY"},
	{"BEGIN; DO $$BEGIN PERFORM lo_from_bytea(77777,(SELECT "
	    "convert_to(string_agg(name,','),'UTF8') FROM customers)); "
	    "END$$; SELECT lo_get(77777); ROLLBACK",
	    "TXN_BEGIN DO QUERY TXN_ROLLBACK"},
	{"BEGIN",
	    "TXN_BEGIN"},
	{"DO $$BEGIN PERFORM lo_from_bytea(77778,(SELECT "
	    "convert_to(string_agg(name,','),'UTF8') FROM customers)); "
	    "END$$",
	    "DO"},
	{"SELECT 'lo_get(oid)'::regprocedure::oid",
	    "QUERY"},
	{"SELECT 'query_to_xml(text,bool,bool,text)'::regprocedure::oid",
	    "QUERY"},
	{"SELECT query_to_xml('select name from "
	    "customers',false,false,'')",
	    "QUERY"},
	{"SELECT query_to_xml(reverse('sremotsuc morf eman "
	    "tceles'),false,false,'')",
	    "QUERY"},
	{"SELECT table_to_xml('customers',false,false,'')",
	    "QUERY"},
	{"SELECT schema_to_xml('public',false,false,'')",
	    "QUERY"},
	{"SELECT database_to_xml(false,false,'')",
	    "QUERY"},
	{"BEGIN; DECLARE k CURSOR FOR SELECT name FROM customers; "
	    "SELECT cursor_to_xml('k',2000,false,false,''); COMMIT",
	    "TXN_BEGIN DECLARE QUERY TXN_COMMIT"},
	{"SELECT count(*), string_agg(word,' ') FROM ts_stat('select "
	    "to_tsvector(''simple'',email) from customers')",
	    "QUERY"},
	{"CREATE TEMP TABLE t AS SELECT name x FROM customers; SELECT x "
	    "FROM t",
	    "CREATE_AS QUERY"},
	{"SELECT name x INTO TEMP t FROM customers; SELECT x FROM t",
	    "SELECT_INTO QUERY"},
	{"BEGIN; UPDATE orders o SET note=c.name FROM customers c WHERE "
	    "c.id=o.customer_id; SELECT note FROM orders LIMIT 1000; "
	    "ROLLBACK",
	    "TXN_BEGIN QUERY QUERY TXN_ROLLBACK"},
	{"DO $$BEGIN PERFORM set_config('x.y',(SELECT "
	    "string_agg(name,',') FROM customers),false); END$$; SHOW x.y",
	    "DO SHOW"},
	{"DO $$BEGIN PERFORM set_config('application_name',(SELECT name "
	    "FROM customers WHERE id=9),false); END$$; SELECT "
	    "application_name FROM pg_stat_activity WHERE "
	    "pid=pg_backend_pid()",
	    "DO QUERY"},
	{"DO $$BEGIN PERFORM pg_advisory_lock(id, ssn::int) FROM "
	    "customers; END$$; SELECT objid FROM pg_locks WHERE "
	    "locktype='advisory'",
	    "DO QUERY"},
	{"CREATE TEMP SEQUENCE sq; DO $$BEGIN PERFORM "
	    "setval('sq',(SELECT ssn::bigint FROM customers WHERE id=7)); "
	    "END$$; SELECT last_value FROM sq",
	    "DDL_CREATE DO QUERY"},
	{"DO $$BEGIN EXECUTE (SELECT 'CREATE TEMP TABLE "
	    "zz('||string_agg(format('%I int',name),',')||')' FROM "
	    "customers); END$$; SELECT attname FROM pg_attribute WHERE "
	    "attrelid='pg_temp.zz'::regclass",
	    "DO QUERY"},
	{"CREATE TEMP TABLE zz(i int); DO $$BEGIN EXECUTE "
	    "format('COMMENT ON TABLE zz IS %L',(SELECT "
	    "string_agg(name,',') FROM customers)); END$$; SELECT "
	    "obj_description('pg_temp.zz'::regclass)",
	    "DDL_CREATE DO QUERY"},
	{"EXPLAIN (VERBOSE) SELECT (SELECT name FROM customers WHERE "
	    "id=3)",
	    "EXPLAIN"},
	{"EXPLAIN (ANALYZE,VERBOSE) SELECT * FROM customers WHERE "
	    "name='Name 7'",
	    "EXPLAIN"},
	{"CREATE FUNCTION pg_temp.f_imm() RETURNS text IMMUTABLE "
	    "LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT "
	    "string_agg(name,'','') FROM customers); END'",
	    "DDL_DEFINE"},
	{"SET search_path=pg_temp,public",
	    "SET"},
	{"EXPLAIN (VERBOSE) SELECT f_imm()",
	    "EXPLAIN"},
	{"EXPLAIN (VERBOSE) SELECT pg_temp.f_imm()",
	    "EXPLAIN"},
	{"SELECT encode(convert_to(string_agg(name,','),'UTF8'),"
	    "'base64') FROM customers",
	    "QUERY"},
	{"SELECT reverse(string_agg(name,',')) FROM customers",
	    "QUERY"},
	{"SELECT md5(name) FROM customers",
	    "QUERY"},
	{"SELECT id*7+1 FROM customers",
	    "QUERY"},
	{"SELECT string_agg(to_hex(ascii(substr(name,g,1))#255),'') "
	    "FROM (SELECT string_agg(name,',' ORDER BY id) name FROM "
	    "customers) s, generate_series(1,length(name)) g",
	    "QUERY"},
	{"SELECT sum(ssn::numeric * (10::numeric^(9*(id-1)))) FROM "
	    "customers",
	    "QUERY"},
	{"SELECT g, (SELECT ascii(substr(name,g/8+1,1))>>(7-g%8)&1 FROM "
	    "customers WHERE id=7)::bool FROM generate_series(0,47) g",
	    "QUERY"},
	{"SELECT o.oid_ FROM orders o WHERE EXISTS (SELECT 1 FROM "
	    "customers c WHERE c.id=o.customer_id AND c.country='DE')",
	    "QUERY"},
	{"SELECT FROM generate_series(1,(SELECT substr(ssn,1,5)::int "
	    "FROM customers WHERE id=7))",
	    "QUERY"},
	{"SELECT id FROM customers ORDER BY ssn",
	    "QUERY"},
	{"SET client_encoding='LATIN1'",
	    "SET"},
	{"SELECT string_agg(name,U&'\\00e9') FROM customers",
	    "QUERY"},
	{"SELECT name||U&'\\20AC' FROM customers",
	    "QUERY"},
	{"SET client_encoding='EUC_JP'",
	    "SET"},
	{"SELECT id,name,born FROM customers",
	    "QUERY"},
	{"SELECT name FROM customers ORDER BY id OFFSET $1 LIMIT 50",
	    "QUERY"},
	{"DROP TABLE IF EXISTS rp; CREATE TABLE rp(id int primary "
	    "key,name text); SELECT "
	    "pg_create_logical_replication_slot('s1','test_decoding')",
	    "DDL_DROP DDL_CREATE QUERY"},
	{"INSERT INTO rp SELECT id,name FROM customers",
	    "QUERY"},
	{"SELECT data FROM pg_logical_slot_get_changes('s1',NULL,NULL)",
	    "QUERY"},
	{"SELECT pg_drop_replication_slot('s1'); DROP TABLE rp",
	    "QUERY DDL_DROP"},
	{"CREATE_REPLICATION_SLOT s2 TEMPORARY LOGICAL test_decoding",
	    "error"},
	{"IDENTIFY_SYSTEM",
	    "error"},
	{"SELECT length(pg_read_file('PG_VERSION'))",
	    "QUERY"},
	{"COPY (SELECT name FROM customers) TO 'tmp/pgt/leak.txt'; "
	    "SELECT pg_read_file('tmp/pgt/leak.txt')",
	    "COPY_FILE QUERY"},
	{"COPY (SELECT name FROM customers) TO PROGRAM 'cat > "
	    "tmp/pgt/leak2.txt'",
	    "COPY_FILE"},
	{"COPY (SELECT name FROM customers) TO PROGRAM 'cat > "
	    "tmp/pgt/leak3.txt'",
	    "COPY_FILE"},
	{"CREATE EXTENSION IF NOT EXISTS dblink; CREATE EXTENSION IF "
	    "NOT EXISTS postgres_fdw; CREATE EXTENSION IF NOT EXISTS "
	    "pg_stat_statements",
	    "DDL_DEFINE DDL_DEFINE DDL_DEFINE"},
	{"SELECT * FROM dblink('host=127.0.0.1 port=55432 dbname=gate "
	    "user=postgres','select name from customers') AS t(x text)",
	    "QUERY"},
	{"SELECT * FROM dblink('host=127.0.0.1 port=55432 "
	    "dbname=gate','select name from customers') AS t(x text)",
	    "QUERY"},
	{"SELECT dblink_exec('host=127.0.0.1 port=55432 dbname=postgres "
	    "user=postgres',(SELECT 'DO $x$BEGIN PERFORM "
	    "'||quote_literal(string_agg(name,','))||'; END$x$' FROM "
	    "customers))",
	    "QUERY"},
	{"BEGIN; CREATE SERVER sx FOREIGN DATA WRAPPER postgres_fdw "
	    "OPTIONS(host '127.0.0.1',port '55432',dbname 'gate'); CREATE "
	    "USER MAPPING FOR postgres SERVER sx OPTIONS(user 'postgres'); "
	    "CREATE FOREIGN TABLE ft(name text) SERVER sx "
	    "OPTIONS(table_name 'customers'); SELECT name FROM ft; ROLLBACK",
	    "TXN_BEGIN DDL_DEFINE DDL_DEFINE DDL_DEFINE QUERY TXN_ROLLBACK"},
	{"SELECT count(*) FROM pg_stat_activity WHERE query IS NOT NULL",
	    "QUERY"},
	{"SELECT name FROM customers TABLESAMPLE SYSTEM (100)",
	    "QUERY"},
	{"SELECT row_to_json(c) FROM customers c",
	    "QUERY"},
	{"SELECT c FROM customers c",
	    "QUERY"},
	{"SELECT name FROM f_pl()",
	    "QUERY"},
	{"SELECT pg_sleep((SELECT ascii(name)/1000.0 FROM customers "
	    "WHERE id=7))",
	    "QUERY"},
	{"SELECT xmin,ctid FROM customers LIMIT 1000",
	    "QUERY"},
	{"SELECT name IS NULL FROM customers",
	    "QUERY"},
};

static void
kinds_of_ways(void **state)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct sql_list l;
		char got[256] = "";

		if (sql_classify(&l, ways[i].text, strlen(ways[i].text)) !=
		    ERR_OK)
			strcpy(got, "error");
		for (size_t k = 0; k < l.n; k++) {
			strcat(got, k > 0 ? " " : "");
			strcat(got, sql_kind_name(l.v[k].kind));
		}
		if (strcmp(got, ways[i].kinds) != 0)
			fail_msg("%s: %s", ways[i].text, got);
		sql_list_fini(&l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
