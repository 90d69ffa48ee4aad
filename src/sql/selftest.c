/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql_self_test: statements that reach every struct of the raw tree that parse.c
 * reads, so that another libpg_query or other headers cannot go unnoticed.
 */
#include <string.h>

#include "sql/sql.h"

static const struct probe {
	const char *text;
	enum sql_kind kind;
	const char *name, *value, *schema, *object;
	size_t first_target;
	bool flag;		/* temp, analyze, local, hold or creates_code */
} probes[] = {
	{"SELECT a AS b, c FROM s.t ORDER BY x", SQL_QUERY, .first_target = 7},
	{"SELECT a FROM t ORDER BY 1", SQL_QUERY, .first_target = 0},
	{"SELECT DISTINCT a FROM t", SQL_QUERY, .first_target = 0},
	{"SELECT a FROM t GROUP BY a", SQL_QUERY, .first_target = 0},
	{"SELECT a FROM t HAVING true", SQL_QUERY, .first_target = 0},
	{"SELECT a FROM t UNION SELECT b FROM u", SQL_QUERY, .first_target = 0},
	{"VALUES (1, 2)", SQL_QUERY, .first_target = 0},
	{"SELECT a INTO TEMP s.z FROM t UNION SELECT 1", SQL_SELECT_INTO,
	    .schema = "s", .object = "z", .flag = true},
	{"INSERT INTO t VALUES (1) RETURNING a", SQL_QUERY, .first_target = 35},
	{"UPDATE t SET a = 1 RETURNING a", SQL_QUERY, .first_target = 29},
	{"DELETE FROM t RETURNING a", SQL_QUERY, .first_target = 24},
	{"SET LOCAL Work_Mem = '64kB'", SQL_SET, "work_mem", "64kB",
	    .flag = true},
	{"SET x.y TO 7", SQL_SET, "x.y", "7", .flag = false},
	{"SET x.y TO 7.5", SQL_SET, "x.y", "7.5", .flag = false},
	{"RESET ALL", SQL_SET, "all", .flag = false},
	{"EXPLAIN (ANALYZE on) SELECT a FROM t", SQL_EXPLAIN,
	    .first_target = 28, .flag = true},
	{"COPY s.t (a) TO STDOUT CSV", SQL_COPY_OUT, .schema = "s",
	    .object = "t"},
	{"COPY t FROM '/x'", SQL_COPY_FILE, .object = "t"},
	{"DECLARE k CURSOR WITH HOLD FOR SELECT a FROM t", SQL_DECLARE, "k",
	    .first_target = 38, .flag = true},
	{"FETCH 1 FROM k", SQL_FETCH, "k", .flag = false},
	{"PREPARE p (int) AS SELECT a FROM t", SQL_PREPARE, "p",
	    .first_target = 26},
	{"EXECUTE p (1, $1::int)", SQL_EXECUTE, "p", .flag = false},
	{"CREATE TEMP TABLE z AS SELECT 1", SQL_CREATE_AS, .object = "z",
	    .flag = true},
	{"CREATE TABLE s.z (a int DEFAULT f(1))", SQL_DDL_CREATE,
	    .schema = "s", .object = "z", .flag = true},
	{"CREATE INDEX ON t ((a + 1))", SQL_DDL_CREATE, .object = "t"},
	{"CREATE INDEX ON t ((a <+> 1))", SQL_DDL_CREATE, .object = "t",
	    .flag = true},
	{"DROP TABLE s.t", SQL_DDL_DROP, .schema = "s", .object = "t"},
	{"ALTER TABLE s.t ADD b int CHECK (f(b))", SQL_DDL_ALTER,
	    .schema = "s", .object = "t", .flag = true},
	{"ROLLBACK TO w", SQL_TXN_ROLLBACK, "w", .flag = false},
	{"DISCARD PLANS", SQL_DISCARD, "plans", .flag = false},
};

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
holds(const struct probe *p, const struct sql_stmt *s)
{
	const struct sql_name none = {0};
	const struct sql_name *o = s->nobjects > 0 ? &s->objects[0] : &none;

	return s->kind == p->kind && s->start == 0 &&
	    s->len == strlen(p->text) && same(s->name, p->name) &&
	    same(s->value, p->value) && same(o->schema, p->schema) &&
	    same(o->name, p->object) && s->first_target == p->first_target &&
	    (s->temp || s->analyze || s->local || s->hold ||
	    s->creates_code) == p->flag;
}

bool
sql_self_test(void)
{
	bool good = true;

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		const struct probe *p = &probes[i];
		struct sql_list l;

		good &= sql_classify(&l, p->text, strlen(p->text)) == ERR_OK &&
		    l.n == 1 && holds(p, &l.v[0]);
		sql_list_fini(&l);
	}
	return good;
}
