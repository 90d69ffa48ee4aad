/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql_classify: kinds, spans, names, and the place for one more column. What a
 * statement is taken for decides how it is judged (L3), so every statement of
 * the grammar is here, and what is not known must be OTHER or an error (L5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pg_query.h>

#include "sql/sql.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct sql_list
classify(const char *text)
{
	struct sql_list l;
	enum err e = sql_classify(&l, text, strlen(text));

	if (e != ERR_OK)
		fail_msg("%s: %s", text, err_text(e));
	return l;
}

/* One text a line; the kinds are written with ! after one that creates code. */
static const struct {
	const char *text, *kinds;
} kinds[] = {
	{"", "EMPTY"},
	{" ;; -- x\n;", "EMPTY"},
	{"SELECT 1", "QUERY"},
	{";;SELECT 1;; TABLE t ;VALUES (1);", "QUERY QUERY QUERY"},
	{"WITH x AS (SELECT 1) SELECT * FROM x", "QUERY"},
	{"INSERT INTO t DEFAULT VALUES", "QUERY"},
	{"UPDATE t SET a = f(b)", "QUERY"},
	{"DELETE FROM t", "QUERY"},
	{"MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", "QUERY"},
	{"(SELECT 1) UNION (SELECT 2)", "QUERY"},
	{"SELECT a INTO z FROM t", "SELECT_INTO"},
	{"WITH x AS (SELECT 1) SELECT * INTO z FROM x", "SELECT_INTO"},
	{"SELECT a INTO z FROM t UNION SELECT 1 EXCEPT SELECT 2", "SELECT_INTO"},
	{"(SELECT a INTO z FROM t)", "SELECT_INTO"},
	{"DECLARE k CURSOR FOR SELECT 1", "DECLARE"},
	{"FETCH ALL FROM k", "FETCH"},
	{"MOVE 5 k", "MOVE"},
	{"CLOSE k; CLOSE ALL", "CLOSE CLOSE"},
	{"PREPARE p AS SELECT 1", "PREPARE"},
	{"EXECUTE p", "EXECUTE"},
	{"DEALLOCATE p; DEALLOCATE ALL", "DEALLOCATE DEALLOCATE"},
	{"COPY t TO STDOUT", "COPY_OUT"},
	{"COPY t TO STDIN", "COPY_OUT"},
	{"COPY (SELECT 1) TO STDOUT", "COPY_OUT"},
	{"COPY (DELETE FROM t RETURNING a) TO STDOUT", "COPY_OUT"},
	{"COPY t FROM STDIN", "COPY_IN"},
	{"COPY t FROM STDOUT", "COPY_IN"},
	{"COPY t FROM STDIN WHERE a > 5", "COPY_IN"},
	{"COPY t FROM STDIN WHERE f(a)", "OTHER"},
	{"COPY t FROM STDIN WHERE a <%> b", "OTHER"},
	{"COPY t TO '/x'", "COPY_FILE"},
	{"COPY t FROM '/x'", "COPY_FILE"},
	{"COPY t TO PROGRAM 'x'", "COPY_FILE"},
	{"COPY t FROM PROGRAM 'x'", "COPY_FILE"},
	{"EXPLAIN SELECT 1", "EXPLAIN"},
	{"CREATE TABLE z AS SELECT 1", "CREATE_AS"},
	{"CREATE TABLE z AS EXECUTE p", "CREATE_AS"},
	{"CREATE MATERIALIZED VIEW z AS SELECT 1", "CREATE_AS"},
	{"BEGIN; START TRANSACTION READ ONLY; BEGIN WORK",
	    "TXN_BEGIN TXN_BEGIN TXN_BEGIN"},
	{"COMMIT; END", "TXN_COMMIT TXN_COMMIT"},
	{"ROLLBACK; ABORT; ROLLBACK TO w",
	    "TXN_ROLLBACK TXN_ROLLBACK TXN_ROLLBACK"},
	{"SAVEPOINT w; RELEASE w; SET CONSTRAINTS ALL DEFERRED",
	    "TXN_OTHER TXN_OTHER TXN_OTHER"},
	{"SET TRANSACTION READ ONLY; SET LOCAL TRANSACTION READ ONLY",
	    "TXN_OTHER TXN_OTHER"},
	{"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "TXN_OTHER"},
	{"SET TRANSACTION SNAPSHOT 'x'", "TXN_OTHER"},
	{"PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'; ROLLBACK PREPARED 'x'",
	    "TXN_TWO_PHASE TXN_TWO_PHASE TXN_TWO_PHASE"},
	{"SET a TO b; RESET a; RESET ALL; SET a TO DEFAULT; SET a FROM CURRENT",
	    "SET SET SET SET SET"},
	{"SHOW a; SHOW ALL", "SHOW SHOW"},
	{"DISCARD ALL", "DISCARD"},
	{"LISTEN c; UNLISTEN c; UNLISTEN *; NOTIFY c, 'x'",
	    "LISTEN UNLISTEN UNLISTEN NOTIFY"},
	{"LOCK t", "LOCK"},
	{"VACUUM; ANALYZE t; REINDEX TABLE t; CLUSTER t; CHECKPOINT",
	    "MAINTAIN MAINTAIN MAINTAIN MAINTAIN MAINTAIN"},
	{"REFRESH MATERIALIZED VIEW m", "MAINTAIN"},
	{"CREATE TABLE t (a int)", "DDL_CREATE"},
	{"CREATE TABLE t (a int DEFAULT 5 + 1, CHECK (a > 5), b text "
	    "DEFAULT CURRENT_USER, c int GENERATED ALWAYS AS IDENTITY)",
	    "DDL_CREATE"},
	{"CREATE TABLE t (a int DEFAULT now())", "DDL_CREATE!"},
	{"CREATE TABLE t (a int DEFAULT (SELECT f()))", "DDL_CREATE!"},
	{"CREATE TABLE t (a int, CHECK (a <%> 5))", "DDL_CREATE!"},
	{"CREATE TABLE t (a int, CHECK (a OPERATOR(x.+) 5 > 1))", "DDL_CREATE!"},
	{"CREATE TABLE t (a int, CHECK (a OPERATOR(pg_catalog.+) 5 > 1))",
	    "DDL_CREATE"},
	{"CREATE TABLE t (a int CHECK (a BETWEEN 1 AND 2 AND a IN (1) AND "
	    "a::text LIKE 'x' AND a IS NOT DISTINCT FROM 1 AND NULLIF(a, 1) = 2))",
	    "DDL_CREATE"},
	{"CREATE TABLE t (a int CHECK (CASE WHEN a > 1 THEN f(a) END))",
	    "DDL_CREATE!"},
	{"CREATE TABLE t (a int, b int GENERATED ALWAYS AS (f(a)) STORED)",
	    "DDL_CREATE!"},
	{"CREATE TABLE t (a int, EXCLUDE USING gist (a WITH =))", "DDL_CREATE"},
	{"CREATE TABLE t (a int, EXCLUDE USING gist (a WITH <%>))",
	    "DDL_CREATE!"},
	{"CREATE TABLE t (a int, EXCLUDE USING gist (f(a) WITH =))",
	    "DDL_CREATE!"},
	{"CREATE TABLE t (a int, EXCLUDE USING gist (a WITH =) WHERE (f(a)))",
	    "DDL_CREATE!"},
	{"CREATE TABLE t (a int) PARTITION BY RANGE ((f(a)))", "DDL_CREATE!"},
	{"CREATE TABLE t PARTITION OF u FOR VALUES FROM (f(1)) TO (MAXVALUE)",
	    "DDL_CREATE!"},
	{"CREATE TABLE t PARTITION OF u FOR VALUES IN (1, f(1))", "DDL_CREATE!"},
	{"CREATE TABLE t PARTITION OF u FOR VALUES IN (1)", "DDL_CREATE"},
	{"CREATE TABLE t (LIKE u INCLUDING ALL) INHERITS (v) WITH (fillfactor=9)",
	    "DDL_CREATE"},
	{"CREATE TABLE t OF u", "DDL_CREATE"},
	{"CREATE VIEW v AS SELECT a FROM t WHERE b > 5 ORDER BY c",
	    "DDL_CREATE"},
	{"CREATE VIEW v AS SELECT f(a) FROM t", "DDL_CREATE!"},
	{"CREATE VIEW v AS SELECT a FROM t ORDER BY a USING <%>", "DDL_CREATE!"},
	{"CREATE VIEW v AS SELECT a <%> ANY (SELECT 1) FROM t", "DDL_CREATE!"},
	{"CREATE VIEW v AS SELECT a <%> ANY (b) FROM t", "DDL_CREATE!"},
	{"CREATE VIEW v AS SELECT a FROM t, f(1)", "DDL_CREATE!"},
	{"CREATE RECURSIVE VIEW v (a) AS SELECT 1", "DDL_CREATE"},
	{"CREATE INDEX ON t (a) WHERE b > 5", "DDL_CREATE"},
	{"CREATE INDEX ON t (f(a))", "DDL_CREATE!"},
	{"CREATE INDEX ON t (a) WHERE f(b)", "DDL_CREATE!"},
	{"CREATE STATISTICS s ON a, b FROM t", "DDL_CREATE"},
	{"CREATE STATISTICS s ON (f(a)) FROM t", "DDL_CREATE!"},
	{"CREATE SCHEMA s", "DDL_CREATE"},
	{"CREATE SCHEMA s CREATE TABLE t (a int) CREATE VIEW v AS SELECT f()",
	    "DDL_CREATE!"},
	{"CREATE SCHEMA s CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION "
	    "f()", "DDL_DEFINE!"},
	{"CREATE SEQUENCE q", "DDL_CREATE"},
	{"CREATE TYPE c AS (a int); CREATE TYPE e AS ENUM ('a')",
	    "DDL_CREATE DDL_CREATE"},
	{"CREATE DOMAIN d AS int CHECK (VALUE > 5)", "DDL_CREATE"},
	{"CREATE DOMAIN d AS int CHECK (f(VALUE))", "DDL_CREATE!"},
	{"COMMENT ON TABLE t IS 'x'", "DDL_CREATE"},
	{"DROP TABLE t; DROP VIEW v; DROP INDEX i; DROP SCHEMA s; TRUNCATE t",
	    "DDL_DROP DDL_DROP DDL_DROP DDL_DROP DDL_DROP"},
	{"DROP SEQUENCE q; DROP MATERIALIZED VIEW m; DROP TYPE c; DROP DOMAIN d",
	    "DDL_DROP DDL_DROP DDL_DROP DDL_DROP"},
	{"DROP STATISTICS s", "DDL_DROP"},
	{"ALTER TABLE t ADD a int", "DDL_ALTER"},
	{"ALTER TABLE t ADD a int DEFAULT f()", "DDL_ALTER!"},
	{"ALTER TABLE t ALTER a SET DEFAULT f()", "DDL_ALTER!"},
	{"ALTER TABLE t ALTER a TYPE text USING f(a)", "DDL_ALTER!"},
	{"ALTER TABLE t ADD CHECK (f(a))", "DDL_ALTER!"},
	{"ALTER TABLE t ATTACH PARTITION u FOR VALUES IN (f(1))", "DDL_ALTER!"},
	{"ALTER TABLE t INHERIT u, OWNER TO x, SET (fillfactor = 9), "
	    "REPLICA IDENTITY FULL, ALTER a SET STATISTICS 5, OF u, "
	    "ALTER a ADD GENERATED ALWAYS AS IDENTITY, CLUSTER ON i",
	    "DDL_ALTER"},
	{"ALTER TABLE t DISABLE TRIGGER ALL", "DDL_DEFINE"},
	{"ALTER TABLE t ENABLE RULE x", "DDL_DEFINE"},
	{"ALTER TABLE t DISABLE ROW LEVEL SECURITY", "DDL_DEFINE"},
	{"ALTER TABLE t RENAME TO u; ALTER TABLE t RENAME a TO b",
	    "DDL_ALTER DDL_ALTER"},
	{"ALTER TABLE t RENAME CONSTRAINT a TO b", "DDL_ALTER"},
	{"ALTER VIEW v RENAME TO w; ALTER INDEX i SET (fillfactor = 9)",
	    "DDL_ALTER DDL_ALTER"},
	{"ALTER TABLE t SET SCHEMA s; ALTER TYPE c ADD ATTRIBUTE x int",
	    "DDL_ALTER DDL_ALTER"},
	{"ALTER SEQUENCE q OWNED BY t.a; ALTER TYPE e ADD VALUE 'x'",
	    "DDL_ALTER DDL_ALTER"},
	{"ALTER TYPE e RENAME VALUE 'a' TO 'b'; ALTER SCHEMA s OWNER TO x",
	    "DDL_ALTER DDL_ALTER"},
	{"ALTER DOMAIN d ADD CHECK (f(VALUE)); ALTER DOMAIN d DROP NOT NULL",
	    "DDL_ALTER! DDL_ALTER"},
	{"ALTER STATISTICS s SET STATISTICS 9", "DDL_ALTER"},
	{"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
	    "DDL_DEFINE"},
	{"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; "
	    "SELECT 1", "DDL_DEFINE QUERY"},
	{"CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'", "DDL_DEFINE"},
	{"ALTER FUNCTION f() STABLE; ALTER FUNCTION f() RENAME TO g",
	    "DDL_DEFINE DDL_DEFINE"},
	{"DROP FUNCTION f; ALTER FUNCTION f() OWNER TO x",
	    "DDL_DEFINE DDL_DEFINE"},
	{"ALTER FUNCTION f() SET SCHEMA s; ALTER FUNCTION f() DEPENDS ON "
	    "EXTENSION x", "DDL_DEFINE DDL_DEFINE"},
	{"CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()",
	    "DDL_DEFINE"},
	{"DROP TRIGGER x ON t; ALTER TRIGGER x ON t RENAME TO y",
	    "DDL_DEFINE DDL_DEFINE"},
	{"CREATE RULE x AS ON INSERT TO t DO NOTHING; DROP RULE x ON t",
	    "DDL_DEFINE DDL_DEFINE"},
	{"CREATE POLICY x ON t; ALTER POLICY x ON t USING (true); "
	    "DROP POLICY x ON t", "DDL_DEFINE DDL_DEFINE DDL_DEFINE"},
	{"CREATE OPERATOR <%> (FUNCTION = f, LEFTARG = int)", "DDL_DEFINE"},
	{"ALTER OPERATOR + (int, int) SET (RESTRICT = NONE)", "DDL_DEFINE"},
	{"CREATE OPERATOR CLASS x FOR TYPE int USING btree AS STORAGE int",
	    "DDL_DEFINE"},
	{"CREATE OPERATOR FAMILY x USING btree", "DDL_DEFINE"},
	{"ALTER OPERATOR FAMILY x USING btree DROP OPERATOR 1 (int)",
	    "DDL_DEFINE"},
	{"CREATE AGGREGATE x (int) (SFUNC = f, STYPE = int)", "DDL_DEFINE"},
	{"CREATE CAST (int AS c) WITH FUNCTION f(int); DROP CAST (int AS c)",
	    "DDL_DEFINE DDL_DEFINE"},
	{"CREATE CONVERSION x FOR 'a' TO 'b' FROM f", "DDL_DEFINE"},
	{"CREATE TYPE r AS RANGE (SUBTYPE = int); CREATE TYPE x (INPUT = f)",
	    "DDL_DEFINE DDL_DEFINE"},
	{"CREATE TYPE x; ALTER TYPE x SET (SEND = f)", "DDL_DEFINE DDL_DEFINE"},
	{"CREATE COLLATION c (LOCALE = 'x'); ALTER COLLATION c REFRESH VERSION",
	    "DDL_DEFINE DDL_DEFINE"},
	{"CREATE EXTENSION x; ALTER EXTENSION x UPDATE; DROP EXTENSION x",
	    "DDL_DEFINE DDL_DEFINE DDL_DEFINE"},
	{"ALTER EXTENSION x ADD TABLE t", "DDL_DEFINE"},
	{"CREATE LANGUAGE x HANDLER f; CREATE TRANSFORM FOR int LANGUAGE x "
	    "(FROM SQL WITH FUNCTION f(int))", "DDL_DEFINE DDL_DEFINE"},
	{"CREATE ACCESS METHOD x TYPE INDEX HANDLER f", "DDL_DEFINE"},
	{"CREATE FOREIGN DATA WRAPPER x; ALTER FOREIGN DATA WRAPPER x OPTIONS "
	    "(a 'b')", "DDL_DEFINE DDL_DEFINE"},
	{"CREATE SERVER x FOREIGN DATA WRAPPER y; ALTER SERVER x VERSION 'a'",
	    "DDL_DEFINE DDL_DEFINE"},
	{"CREATE USER MAPPING FOR x SERVER y; DROP USER MAPPING FOR x SERVER y",
	    "DDL_DEFINE DDL_DEFINE"},
	{"ALTER USER MAPPING FOR x SERVER y OPTIONS (a 'b')", "DDL_DEFINE"},
	{"CREATE FOREIGN TABLE t (a int) SERVER x; DROP FOREIGN TABLE t",
	    "DDL_DEFINE DDL_DEFINE"},
	{"ALTER FOREIGN TABLE t OPTIONS (a 'b'); ALTER FOREIGN TABLE t RENAME "
	    "a TO b", "DDL_DEFINE DDL_DEFINE"},
	{"ALTER TABLE t OPTIONS (a 'b')", "DDL_DEFINE"},
	{"IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c", "DDL_DEFINE"},
	{"CREATE PUBLICATION x FOR ALL TABLES; ALTER PUBLICATION x ADD TABLE t",
	    "DDL_DEFINE DDL_DEFINE"},
	{"CREATE SUBSCRIPTION x CONNECTION 'y' PUBLICATION z", "DDL_DEFINE"},
	{"ALTER SUBSCRIPTION x ENABLE; DROP SUBSCRIPTION x",
	    "DDL_DEFINE DDL_DEFINE"},
	{"CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION f()",
	    "DDL_DEFINE"},
	{"ALTER EVENT TRIGGER x DISABLE", "DDL_DEFINE"},
	{"CREATE TEXT SEARCH DICTIONARY x (TEMPLATE = y)", "DDL_DEFINE"},
	{"ALTER TEXT SEARCH DICTIONARY x (a = b)", "DDL_DEFINE"},
	{"ALTER TEXT SEARCH CONFIGURATION x DROP MAPPING FOR y", "DDL_DEFINE"},
	{"SECURITY LABEL ON TABLE t IS 'x'; DROP OWNED BY x",
	    "DDL_DEFINE DDL_DEFINE"},
	{"GRANT SELECT ON t TO x; REVOKE ALL ON t FROM x; GRANT a TO b",
	    "GRANT GRANT GRANT"},
	{"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x", "GRANT"},
	{"CREATE ROLE x; CREATE USER x; ALTER ROLE x LOGIN; DROP ROLE x",
	    "GRANT GRANT GRANT GRANT"},
	{"ALTER ROLE x RENAME TO y; REASSIGN OWNED BY x TO y; ALTER GROUP x "
	    "ADD USER y", "GRANT GRANT GRANT"},
	{"DO 'x'", "DO"},
	{"CALL f(1)", "CALL"},
	{"ALTER ROLE x SET a TO b; ALTER SYSTEM SET a TO b; LOAD 'x'",
	    "OTHER OTHER OTHER"},
	{"CREATE DATABASE x TEMPLATE y; DROP DATABASE x; ALTER DATABASE x SET a "
	    "TO b", "OTHER OTHER OTHER"},
	{"ALTER DATABASE x RENAME TO y; ALTER DATABASE x OWNER TO y; "
	    "ALTER DATABASE x CONNECTION LIMIT 5", "OTHER OTHER OTHER"},
	{"ALTER DATABASE x REFRESH COLLATION VERSION", "OTHER"},
	{"CREATE TABLESPACE x LOCATION '/y'; DROP TABLESPACE x; "
	    "ALTER TABLESPACE x SET (a = 1)", "OTHER OTHER OTHER"},
	{"ALTER TABLE ALL IN TABLESPACE x SET TABLESPACE y", "OTHER"},
	{"ALTER LARGE OBJECT 5 OWNER TO x", "OTHER"},
};

static void
every_kind(void **state)
{
	bool seen[SQL_KIND_COUNT] = {false};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct sql_list l = classify(kinds[i].text);
		char got[256] = "";

		for (size_t k = 0; k < l.n; k++) {
			seen[l.v[k].kind] = true;
			sprintf(got + strlen(got), "%s%s%s", k > 0 ? " " : "",
			    sql_kind_name(l.v[k].kind),
			    l.v[k].creates_code ? "!" : "");
		}
		if (strcmp(got, kinds[i].kinds) != 0)
			fail_msg("%s: %s", kinds[i].text, got);
		sql_list_fini(&l);
	}
	for (int k = 0; k < SQL_KIND_COUNT; k++) {
		if (!seen[k])
			fail_msg("no test of %s", sql_kind_name(k));
	}
	assert_true(sql_kind_needs_tree(SQL_QUERY));
	assert_false(sql_kind_needs_tree(SQL_SET));
	assert_true(sql_kind_changes_context(SQL_SET));
	assert_false(sql_kind_changes_context(SQL_QUERY));
}

/* [ ] around each statement, { } around its inner one, ^ where a column may go */
static const char *const spans[] = {
	"[SELECT 1]",
	" -- x\n [SELECT /* y */ 1] -- z",
	"/* ; */[SELECT ';'];[SELECT 2]  ; ;;\n[SELECT $$;$$];",
	"[SELECT \xe5\x90\x8d, 'a']; [SELECT 2]",
	"[SELECT ^a FROM t]",
	"[SELECT ALL ^* FROM t]",
	"[SELECT/**/^(a).b AS c FROM t]",
	"[(SELECT ^a FROM t)]",
	"[((SELECT ^a FROM t) LIMIT 5)]",
	"[SELECT ^'x' FROM t ORDER BY a, b DESC, f(1) LIMIT 5 FOR UPDATE]",
	"[SELECT ^sum(a) OVER (PARTITION BY b ORDER BY 1) FROM t]",
	"[WITH x AS (SELECT 1 FROM y) SELECT ^a FROM x]",
	"[SELECT ^(SELECT a FROM t GROUP BY 1) FROM t]",
	"[SELECT a FROM t ORDER BY 1]",
	"[SELECT a FROM t ORDER BY b, (2)]",
	"[(SELECT a FROM t) ORDER BY 1]",
	"[SELECT DISTINCT a FROM t]",
	"[SELECT DISTINCT ON (a) a FROM t]",
	"[SELECT a FROM t GROUP BY a]",
	"[SELECT a FROM t GROUP BY ()]",
	"[SELECT 1 FROM t HAVING true]",
	"[SELECT a FROM t UNION ALL SELECT a FROM t]",
	"[SELECT 1]",
	"[SELECT FROM t]",
	"[TABLE t]",
	"[VALUES (1)]",
	"[SELECT a INTO z FROM t]",
	"[INSERT INTO t SELECT a FROM u RETURNING ^a, b]",
	"[INSERT INTO t SELECT a FROM u]",
	"[INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING RETURNING ^*]",
	"[UPDATE t SET a = 1 RETURNING/**/^a]",
	"[DELETE FROM t USING u WHERE true RETURNING ^a]",
	"[WITH x AS (DELETE FROM t RETURNING a) SELECT ^a FROM x]",
	"[EXPLAIN {SELECT 1}]",
	"[EXPLAIN {(SELECT 1)}]",
	"[EXPLAIN ANALYZE VERBOSE {SELECT ^a FROM t}]",
	"[EXPLAIN VERBOSE {(SELECT ^a FROM t)}]",
	"[EXPLAIN ( ANALYZE, FORMAT json ) {(SELECT ^a FROM t)}]",
	"[EXPLAIN (ANALYZE) {DELETE FROM t RETURNING ^a}] /* x */",
	"[EXPLAIN {CREATE TABLE z AS SELECT a FROM t WITH NO DATA}]",
	"[EXPLAIN {DECLARE k CURSOR FOR SELECT a FROM t}]",
	"[EXPLAIN {EXECUTE p(1)}]",
	"[PREPARE p AS {SELECT ^a FROM t}]",
	"[PREPARE \"as\" ( int, text ) AS /* x */ {SELECT ^a AS b FROM t}]",
	"[DECLARE k CURSOR FOR {SELECT ^a FROM t}]",
	"[DECLARE k BINARY CURSOR WITH HOLD FOR {(SELECT ^a FROM t)}]",
	"[CREATE TABLE z AS {SELECT a FROM t}]",
	"[CREATE TEMP TABLE z (a) WITH (fillfactor=9) AS {SELECT a FROM data}]",
	"[CREATE TABLE z AS {WITH data AS (SELECT 1) SELECT a FROM data}]",
	"[CREATE TABLE z AS {SELECT a FROM t} WITH NO DATA]",
	"[CREATE TABLE z AS {SELECT a FROM t} WITH /**/ DATA]",
	"[CREATE TABLE z AS {TABLE data}]",
	"[CREATE TABLE z AS {SELECT a AS \"with\" FROM no, data}]",
	"[CREATE TABLE z AS {SELECT a FROM t ORDER BY b FETCH FIRST ROW WITH TIES}]",
	"[CREATE TABLE z AS {EXECUTE p(1)} WITH NO DATA]",
	"[CREATE MATERIALIZED VIEW z AS {(SELECT 1)}]",
	"[COPY ({SELECT ^a FROM t}) TO STDOUT]",
	"[COPY (  {SELECT ^(a) FROM t} -- x\n /**/ -- y\n) TO STDOUT (FORMAT csv)]",
	"[COPY ({(SELECT ^(a) FROM t)}) TO STDOUT]",
	"[COPY ({DELETE FROM t RETURNING ^a}) TO STDOUT]",
	"[COPY ({VALUES (1)}) TO '/x']",
	"[CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END];[SELECT 1]",
	"[SELECT 'a' -- b 'c\n'd'];[SELECT ^E'a' -- b\n'\\'' FROM t]",
};

/* Takes the marks out of a text; puts them back by what was found. */
static void
check_spans(const char *marked)
{
	char text[512], got[1024];
	struct sql_list l;
	size_t n = 0, o = 0, end = 0;

	for (const char *p = marked; *p; p++) {
		if (strchr("[]{}^", *p) == NULL)
			text[n++] = *p;
	}
	text[n] = 0;
	l = classify(text);
	for (size_t at = 0; at <= n; at++) {
		for (size_t i = 0; i < l.n; i++) {
			const struct sql_stmt *s = &l.v[i];

			if (s->inner_len > 0 &&
			    at == s->inner_start + s->inner_len)
				got[o++] = '}';
			if (at == s->start + s->len)
				got[o++] = ']';
			if (at == s->start) {
				assert_true(at >= end);
				end = at + s->len;
				got[o++] = '[';
			}
			if (s->inner_len > 0 && at == s->inner_start)
				got[o++] = '{';
			if (s->first_target > 0 && at == s->first_target)
				got[o++] = '^';
		}
		if (at < n)
			got[o++] = text[at];
	}
	got[o] = 0;
	assert_string_equal(got, marked);
	sql_list_fini(&l);
}

static void
statement_spans(void **state)
{
	for (size_t i = 0; i < COUNT(spans); i++)
		check_spans(spans[i]);
}

/* Takes every "key":number out of a JSON text. */
static void
drop_numbers(char *json, const char *key)
{
	char *p = json, *q;

	while ((p = strstr(p, key)) != NULL) {
		q = p + strlen(key);
		q += strspn(q, "-0123456789");
		q += *q == ',';
		memmove(p, q, strlen(q) + 1);
	}
}

static char *
tree_of(const char *text)
{
	PgQueryParseResult r = pg_query_parse(text);
	char *tree;

	if (r.error != NULL)
		fail_msg("%s: %s", text, r.error->message);
	tree = strdup(r.parse_tree);
	pg_query_free_parse_result(r);
	drop_numbers(tree, "\"location\":");
	drop_numbers(tree, "\"stmt_location\":");
	drop_numbers(tree, "\"stmt_len\":");
	return tree;
}

static void
ends_with(const char *text, size_t len, const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);

	assert_true((len >= na && memcmp(text + len - na, a, na) == 0) ||
	    (len >= nb && memcmp(text + len - nb, b, nb) == 0));
}

/*
 * A column put at first_target is one more target in front, and nothing else of
 * the tree differs.
 */
static void
one_more_column(const char *text)
{
	static const char insert[] = "\"c\".\"id\" AS \"?k?\", ";
	struct sql_list l = classify(text);
	size_t at = l.v[0].first_target;
	char edited[1024], *before, *after, *name, *from, *to;

	assert_int_equal(l.n, 1);
	assert_true(at > 0);
	snprintf(edited, sizeof(edited), "%.*s%s%s", (int)at, text, insert,
	    text + at);
	before = tree_of(text);
	after = tree_of(edited);
	name = strstr(after, "{\"ResTarget\":{\"name\":\"?k?\"");
	assert_non_null(name);
	ends_with(after, (size_t)(name - after), "\"targetList\":[",
	    "\"returningList\":[");
	from = name;
	to = strstr(name, "},{\"ResTarget\"");
	assert_non_null(to);
	memmove(from, to + 2, strlen(to + 2) + 1);
	assert_string_equal(before, after);
	free(before);
	free(after);
	sql_list_fini(&l);
}

static void
first_target(void **state)
{
	char text[512];

	for (size_t i = 0; i < COUNT(spans); i++) {
		size_t n = 0;

		if (strchr(spans[i], '^') == NULL ||
		    strstr(spans[i], "];[") != NULL)
			continue;
		for (const char *p = spans[i]; *p; p++) {
			if (strchr("[]{}^", *p) == NULL)
				text[n++] = *p;
		}
		text[n] = 0;
		one_more_column(text);
	}
}

static void
names(void **state)
{
	static const struct {
		const char *text, *name, *value;
		bool local;
	} c[] = {
		{"SET Search_Path TO \"$user\"", "search_path", "$user", false},
		{"SET a TO 'B''c'", "a", "B'c", false},
		{"SET a TO '\xe5\x90\x8d\xff'", "a", "\xe5\x90\x8d\xff", false},
		{"SET a TO E'\\x41'", "a", "A", false},
		{"SET LOCAL a = -5", "a", "-5", true},
		{"SET SESSION a = 5.50", "a", "5.50", false},
		{"SET a = on", "a", "on", false},
		{"SET a = true", "a", "true", false},
		{"SET \"A\".B = x", "a.b", "x", false},
		{"SET a = b, c", "a", NULL, false},
		{"SET a TO DEFAULT", "a", NULL, false},
		{"SET a FROM CURRENT", "a", NULL, false},
		{"RESET a.b", "a.b", NULL, false},
		{"RESET ALL", "all", NULL, false},
		{"SET TIME ZONE 'UTC'", "timezone", "UTC", false},
		{"SET TIME ZONE LOCAL", "timezone", NULL, false},
		{"SET TIME ZONE INTERVAL '1' HOUR", "timezone", NULL, false},
		{"RESET TIME ZONE", "timezone", NULL, false},
		{"SET NAMES 'UTF8'", "client_encoding", "UTF8", false},
		{"SET SCHEMA 'x'", "search_path", "x", false},
		{"SET ROLE x", "role", "x", false},
		{"SET ROLE NONE", "role", "none", false},
		{"SET LOCAL ROLE 'x'", "role", "x", true},
		{"RESET ROLE", "role", NULL, false},
		{"SET SESSION AUTHORIZATION x", "session_authorization", "x",
		    false},
		{"RESET SESSION AUTHORIZATION", "session_authorization", NULL,
		    false},
		{"SET XML OPTION DOCUMENT", "xmloption", "DOCUMENT", false},
		{"SHOW Work_Mem", "work_mem", NULL, false},
		{"SHOW ALL", "all", NULL, false},
		{"DISCARD TEMP", "temp", NULL, false},
		{"FETCH ALL FROM \"K\"", "K", NULL, false},
		{"CLOSE ALL", NULL, NULL, false},
		{"DEALLOCATE PREPARE p", "p", NULL, false},
		{"DEALLOCATE ALL", NULL, NULL, false},
		{"LISTEN c", "c", NULL, false},
		{"UNLISTEN *", NULL, NULL, false},
		{"SAVEPOINT w", "w", NULL, false},
		{"ROLLBACK TO SAVEPOINT w", "w", NULL, false},
		{"ROLLBACK", NULL, NULL, false},
	};

	for (size_t i = 0; i < COUNT(c); i++) {
		struct sql_list l = classify(c[i].text);
		const struct sql_stmt *s = l.v;

		if (c[i].name != NULL)
			assert_string_equal(s->name, c[i].name);
		else
			assert_null(s->name);
		if (c[i].value != NULL)
			assert_string_equal(s->value, c[i].value);
		else if (s->value != NULL)
			fail_msg("%s: %s", c[i].text, s->value);
		assert_int_equal(s->local, c[i].local);
		sql_list_fini(&l);
	}
}

/* schema.name of every object, a space between */
static void
objects(void **state)
{
	static const struct {
		const char *text, *objects;
		bool temp;
	} c[] = {
		{"CREATE TABLE s.t (a int)", "s.t", false},
		{"CREATE TEMP TABLE t (a int)", ".t", true},
		{"CREATE TABLE pg_temp.t (a int)", "pg_temp.t", true},
		{"CREATE TABLE db.s.\"T x\" AS SELECT 1", "s.T x", false},
		{"CREATE UNLOGGED TABLE t AS SELECT 1", ".t", false},
		{"SELECT 1 INTO TEMPORARY t", ".t", true},
		{"CREATE TEMP VIEW v AS SELECT 1", ".v", true},
		{"CREATE TEMP SEQUENCE q", ".q", true},
		{"CREATE INDEX i ON s.t (a)", "s.t", false},
		{"CREATE TYPE s.c AS (a int)", "s.c", false},
		{"CREATE TYPE s.e AS ENUM ('a')", "s.e", false},
		{"CREATE DOMAIN s.d AS int", "s.d", false},
		{"CREATE SCHEMA s", ".s", false},
		{"DROP TABLE a, s.b, x.s.c", ".a s.b s.c", false},
		{"DROP SCHEMA a, b", ".a .b", false},
		{"DROP TYPE s.c", "s.c", false},
		{"TRUNCATE a, ONLY s.b", ".a s.b", false},
		{"ALTER TABLE s.t ADD x int", "s.t", false},
		{"ALTER TABLE s.t RENAME TO u", "s.t s.u", false},
		{"ALTER TABLE s.t RENAME a TO b", "s.t", false},
		{"ALTER TABLE s.t SET SCHEMA x", "s.t x.t", false},
		{"ALTER TABLE t INHERIT s.u", ".t s.u", false},
		{"ALTER TABLE t ATTACH PARTITION s.u DEFAULT", ".t s.u", false},
		{"ALTER TYPE s.c RENAME TO d", "s.c s.d", false},
		{"ALTER SCHEMA s RENAME TO u", ".s .u", false},
		{"ALTER TYPE s.e ADD VALUE 'x'", "s.e", false},
		{"ALTER SEQUENCE s.q RESTART", "s.q", false},
		{"LOCK a, s.b", ".a s.b", false},
		{"VACUUM a, s.b", ".a s.b", false},
		{"REINDEX TABLE s.t", "s.t", false},
		{"REFRESH MATERIALIZED VIEW s.m", "s.m", false},
		{"COPY s.t FROM STDIN", "s.t", false},
		{"CALL s.f(1)", "s.f", false},
	};

	for (size_t i = 0; i < COUNT(c); i++) {
		struct sql_list l = classify(c[i].text);
		const struct sql_stmt *s = l.v;
		char got[256] = "";

		for (size_t k = 0; k < s->nobjects; k++)
			sprintf(got + strlen(got), "%s%s.%s", k ? " " : "",
			    s->objects[k].schema ? s->objects[k].schema : "",
			    s->objects[k].name);
		assert_string_equal(got, c[i].objects);
		assert_int_equal(s->temp, c[i].temp);
		sql_list_fini(&l);
	}
}

static void
copies(void **state)
{
	static const struct {
		const char *text, *columns, *options;
		enum sql_format format;
		char delimiter, quote, escape;
		bool header, binary;
	} c[] = {
		{"COPY t TO STDOUT", NULL, "", SQL_FORMAT_TEXT, '\t', '"', '"',
		    false, false},
		{"COPY t (a,  \"B c\" /* x */) TO STDOUT -- y", "a, \"B c\"",
		    "", SQL_FORMAT_TEXT, '\t', '"', '"', false, false},
		{"COPY t TO STDOUT CSV HEADER QUOTE '''' -- x", NULL,
		    "CSV HEADER QUOTE ''''", SQL_FORMAT_CSV, ',', '\'', '\'',
		    true, false},
		{"COPY t TO STDOUT WITH (FORMAT csv, HEADER off, DELIMITER ';', "
		    "ESCAPE E'\\\\')", NULL,
		    "WITH (FORMAT csv, HEADER off, DELIMITER ';', "
		    "ESCAPE E'\\\\')", SQL_FORMAT_CSV, ';', '"', '\\', false,
		    false},
		{"COPY t TO STDOUT (FORMAT text, DELIMITER '|', HEADER)", NULL,
		    "(FORMAT text, DELIMITER '|', HEADER)", SQL_FORMAT_TEXT,
		    '|', '"', '"', true, false},
		{"COPY t TO STDOUT (FORMAT 'binary')", NULL,
		    "(FORMAT 'binary')", SQL_FORMAT_BINARY, '\t', '"', '"',
		    false, false},
		{"COPY BINARY t TO STDOUT", NULL, "", SQL_FORMAT_BINARY, '\t',
		    '"', '"', false, true},
		{"COPY t TO STDOUT USING DELIMITERS '|'", NULL,
		    "USING DELIMITERS '|'", SQL_FORMAT_TEXT, '|', '"', '"',
		    false, false},
		{"COPY (SELECT a AS \"to\" FROM t) TO STDOUT (HEADER 1)", NULL,
		    "(HEADER 1)", SQL_FORMAT_TEXT, '\t', '"', '"', true, false},
		{"COPY t (x) FROM STDIN CSV", "x", "CSV", SQL_FORMAT_CSV, ',',
		    '"', '"', false, false},
	};

	for (size_t i = 0; i < COUNT(c); i++) {
		struct sql_list l = classify(c[i].text);
		const struct sql_stmt *s = l.v;

		assert_int_equal(s->copy_options_len, strlen(c[i].options));
		assert_memory_equal(c[i].text + s->copy_options_start,
		    c[i].options, s->copy_options_len);
		if (c[i].columns != NULL)
			assert_string_equal(s->copy_columns, c[i].columns);
		else
			assert_null(s->copy_columns);
		assert_int_equal(s->copy_format, c[i].format);
		assert_int_equal(s->copy_delimiter, c[i].delimiter);
		assert_int_equal(s->copy_quote, c[i].quote);
		assert_int_equal(s->copy_escape, c[i].escape);
		assert_int_equal(s->copy_header, c[i].header);
		assert_int_equal(s->copy_binary_word, c[i].binary);
		sql_list_fini(&l);
	}
}

static void
flags(void **state)
{
	static const struct {
		const char *text;
		size_t flag;
		bool set;
	} c[] = {
#define FLAG(text, name, set) {text, offsetof(struct sql_stmt, name), set}
		FLAG("EXPLAIN SELECT 1", analyze, false),
		FLAG("EXPLAIN ANALYZE SELECT 1", analyze, true),
		FLAG("EXPLAIN ANALYSE SELECT 1", analyze, true),
		FLAG("EXPLAIN (ANALYZE false) SELECT 1", analyze, false),
		FLAG("EXPLAIN (ANALYZE 0) SELECT 1", analyze, false),
		FLAG("EXPLAIN (ANALYZE 1) SELECT 1", analyze, true),
		FLAG("EXPLAIN (ANALYZE off, ANALYZE) SELECT 1", analyze, true),
		FLAG("DECLARE k CURSOR WITH HOLD FOR SELECT 1", hold, true),
		FLAG("DECLARE k CURSOR WITHOUT HOLD FOR SELECT 1", hold, false),
		FLAG("DECLARE k BINARY CURSOR FOR SELECT 1", binary, true),
		FLAG("DECLARE k CURSOR FOR SELECT 1", binary, false),
		FLAG("EXECUTE p", args_plain, true),
		FLAG("EXECUTE p(1, -2, 'x', NULL, true, $1, $2::int, "
		    "date '2020-01-01', CAST(CAST(1 AS text) AS int))",
		    args_plain, true),
		FLAG("EXECUTE p(1 + 1)", args_plain, false),
		FLAG("EXECUTE p(f())", args_plain, false),
		FLAG("EXECUTE p(1, (SELECT 1))", args_plain, false),
		FLAG("EXECUTE p(f()::int)", args_plain, false),
		FLAG("EXECUTE p(ARRAY[1])", args_plain, false),
		FLAG("COMMIT AND CHAIN", ends_chain, true),
		FLAG("ROLLBACK AND CHAIN", ends_chain, true),
		FLAG("COMMIT AND NO CHAIN", ends_chain, false),
#undef FLAG
	};

	for (size_t i = 0; i < COUNT(c); i++) {
		struct sql_list l = classify(c[i].text);
		bool got = ((const bool *)l.v)[c[i].flag];

		if (got != c[i].set)
			fail_msg("%s", c[i].text);
		sql_list_fini(&l);
	}
}

static void
prepares(void **state)
{
	struct sql_list l = classify("PREPARE p (int -- x\n, \"A b\"[] ,\n"
	    "numeric(5,2)) AS SELECT 1");

	assert_string_equal(l.v[0].name, "p");
	assert_string_equal(l.v[0].param_types, "int , \"A b\"[] , numeric(5,2)");
	sql_list_fini(&l);
	l = classify("PREPARE p AS SELECT (1)");
	assert_null(l.v[0].param_types);
	sql_list_fini(&l);
}

static void
refused(void **state)
{
	static const char *const bad[] = {
		"SELEC 1", "SELECT 1; SELEC 2", "SELECT 'a", "SELECT \"a",
		"SELECT 1 /* x", "SELECT $a$ $b$", "SELECT 1a", "SELECT \v1",
		"SELECT 'a' /* x */ 'b'", "SELECT a FROM t -- x\n'b' 'c'",
		"SELECT a FROM t WHERE a = 'x' 'y'", "IDENTIFY_SYSTEM",
		"SELECT U&'\\D800'", ")", "'",
	};
	struct sql_list l;
	char *big;

	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(sql_classify(&l, bad[i], strlen(bad[i])),
		    ERR_FORMAT);
		assert_int_equal(l.n, 0);
		sql_list_fini(&l);
	}
	assert_int_equal(sql_classify(&l, "SELECT 1\0; DROP", 15), ERR_FORMAT);
	assert_int_equal(sql_classify(&l, NULL, 0), ERR_OK);
	assert_int_equal(l.v[0].kind, SQL_EMPTY);
	sql_list_fini(&l);
	big = malloc(SQL_MAX_BYTES + 1);
	memset(big, ' ', SQL_MAX_BYTES + 1);
	assert_int_equal(sql_classify(&l, big, SQL_MAX_BYTES + 1), ERR_TOOBIG);
	assert_int_equal(sql_classify(&l, big, SQL_MAX_BYTES), ERR_OK);
	sql_list_fini(&l);
	free(big);
}

/* prefix, then n times part, then suffix n times closing: what comes of it */
static enum err
repeated(const char *prefix, const char *part, const char *middle,
    const char *closing, size_t n, enum sql_kind *kind)
{
	char *text = malloc(strlen(prefix) + strlen(middle) +
	    n * (strlen(part) + strlen(closing)) + 1), *p = text;
	struct sql_list l;
	enum err e;

	p = stpcpy(p, prefix);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, part);
	p = stpcpy(p, middle);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, closing);
	e = sql_classify(&l, text, (size_t)(p - text));
	*kind = l.n > 0 ? l.v[0].kind : SQL_OTHER;
	sql_list_fini(&l);
	free(text);
	return e;
}

static void
deep(void **state)
{
	enum sql_kind k;

	assert_int_equal(repeated("SELECT 1", "+1", "", "", 10000, &k), ERR_OK);
	assert_int_equal(k, SQL_QUERY);
	assert_int_equal(repeated("CREATE VIEW v AS SELECT 1", "+1", "", "",
	    200000, &k), ERR_OK);
	assert_int_equal(k, SQL_DDL_CREATE);
	assert_int_equal(repeated("SELECT ", "(", "1", ")", 1000, &k), ERR_OK);
	assert_int_equal(repeated("SELECT ", "(", "1", ")", 100000, &k),
	    ERR_TOOBIG);
	assert_int_equal(repeated("CREATE VIEW v AS SELECT ", "(SELECT ", "1",
	    ")", 1500, &k), ERR_OK);
	assert_int_equal(repeated("SELECT ", "-", "a", "", 100000, &k),
	    ERR_OK);	/* a comment, and a SELECT of no columns */
	assert_int_equal(repeated("SELECT ", "- ", "a", "", 100000, &k),
	    ERR_TOOBIG);
	/* what would take the parser's time or memory */
	assert_int_equal(repeated("SELECT ", "+", "1", "", 200, &k), ERR_OK);
	assert_int_equal(repeated("SELECT ", "+", "1", "", 1 << 20, &k),
	    ERR_TOOBIG);
	assert_int_equal(repeated("SELECT ", "1", "", "", 4000, &k), ERR_OK);
	assert_int_equal(repeated("SELECT ", "1", "", "", 5000, &k),
	    ERR_TOOBIG);
	assert_int_equal(repeated("SELECT 1", ",1", "", "", 500000, &k), ERR_OK);
	assert_int_equal(repeated("SELECT 1", ",1", "", "", 600000, &k),
	    ERR_TOOBIG);
	assert_int_equal(repeated("", "EXPLAIN ", "SELECT 1", "", 5, &k),
	    ERR_FORMAT);
	assert_int_equal(repeated("SELECT 1", " UNION SELECT 1", "", "", 20000,
	    &k), ERR_OK);
	assert_int_equal(repeated("", ";", "SELECT 1", ";", 10000, &k), ERR_OK);
	assert_int_equal(repeated("", "SELECT 1;", "", "", 5000, &k), ERR_OK);
}

static void
self_test(void **state)
{
	assert_true(sql_self_test());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(statement_spans),
		cmocka_unit_test(first_target),
		cmocka_unit_test(names),
		cmocka_unit_test(objects),
		cmocka_unit_test(copies),
		cmocka_unit_test(flags),
		cmocka_unit_test(prepares),
		cmocka_unit_test(refused),
		cmocka_unit_test(deep),
		cmocka_unit_test(self_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
