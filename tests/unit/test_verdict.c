/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict over trees of a real server. Every statement of verdict/cases.tbl.h
 * names what it must be judged as; the law is in the heading of its group (all are
 * L3, provable or charged; keys serve L4, one meter).
 *
 * Without a server the trees in verdict/NAME.tree are judged, with the catalog in
 * verdict/catalog.rows. With KURABAN_TEST_PG (a conninfo of a superuser) all are,
 * and the statements of psql in verdict/psql.sql must be free.
 * KURABAN_TEST_WRITE=DIR writes the files (verdict/make.sh).
 */
#include "verdict_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *name, *sql, *expected;
} cases[] = {
#define CASE(sql, expected) { NULL, sql, expected },
#define TREE(name, sql, expected) { name, sql, expected },
#include "verdict/cases.tbl.h"
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static PGconn *pg;
static struct catalog *live, *saved;

static char *
read_all(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *s = NULL;
	long n;

	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0) {
		rewind(f);
		s = calloc(1, (size_t)n + 1);
		*len = fread(s, 1, (size_t)n, f);
	}
	fclose(f);
	return s;
}

static unsigned
check(const char *sql, const char *expected, const char *tree, size_t len,
    const struct catalog *c)
{
	struct verdict v;
	char got[4096];

	assert_int_equal(verdict_judge(&v, tree, len, c, -1), ERR_OK);
	snprintf(got, sizeof(got), "%s [%s]", support_render(&v), support_tables(&v));
	verdict_fini(&v);
	if (strcmp(got, expected) == 0)
		return 0;
	fprintf(stderr, "%s\n  expected %s\n  got      %s\n", sql, expected, got);
	return 1;
}

static void
saved_trees(void **state)
{
	unsigned wrong = 0, n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char path[512], *tree;
		size_t len;

		if (cases[i].name == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/%s.tree", VERDICT_DIR, cases[i].name);
		tree = read_all(path, &len);
		assert_non_null(tree);
		wrong += check(cases[i].sql, cases[i].expected, tree, len, saved);
		n++;
		free(tree);
	}
	assert_int_equal(wrong, 0);
	assert_true(n > 30);
}

static void
live_trees(void **state)
{
	unsigned wrong = 0;

	(void)state;
	if (pg == NULL) {
		print_message("KURABAN_TEST_PG is not set: %zu statements not tried\n",
		    COUNT(cases));
		skip();
	}
	/* Row security does not bind a superuser. */
	support_exec(pg, "SET ROLE pg_read_all_data");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *error;
		char *tree = support_tree(pg, cases[i].sql, &error);

		if (tree == NULL) {
			fprintf(stderr, "%s\n  %s", cases[i].sql, error);
			wrong++;
			continue;
		}
		wrong += check(cases[i].sql, cases[i].expected, tree, strlen(tree), live);
		free(tree);
	}
	support_exec(pg, "RESET ROLE");
	assert_int_equal(wrong, 0);
}

/* What psql and other tools ask of the catalogs must cost nothing. */
static void
tools_are_free(void **state)
{
	unsigned wrong = 0;
	size_t len;
	char *text, *line, *rest;

	(void)state;
	if (pg == NULL)
		skip();
	rest = text = read_all(VERDICT_DIR "/psql.sql", &len);
	assert_non_null(text);
	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *error;
		struct verdict v;
		char *tree;

		if (line[0] == '\0' || strncmp(line, "--", 2) == 0)
			continue;
		tree = support_tree(pg, line, &error);
		if (tree == NULL) {
			fprintf(stderr, "%s\n  %s", line, error);
			wrong++;
			continue;
		}
		assert_int_equal(verdict_judge(&v, tree, strlen(tree), live, -1), ERR_OK);
		if (v.class != VERDICT_FREE) {
			fprintf(stderr, "%s\n  %s\n", line, support_render(&v));
			wrong++;
		}
		verdict_fini(&v);
		free(tree);
	}
	free(text);
	assert_int_equal(wrong, 0);
}

/* A tree that is not whole, or not a tree, is refused (L3, L5). */
static void
broken_trees(void **state)
{
	static const char *const broken[] = { "", "(", "({QUERY})", "{QUERY :commandType 1}",
	    "({QUERY :commandType 1 :canSetTag true :jointree <> :targetList <> :surprise {X}})",
	    "({QUERY :commandType 6 :utilityStmt ?})", "(1 2)", "()",
	    "({QUERY :commandType 1 :rtable <> :jointree {FROMEXPR :fromlist "
	    "({RANGETBLREF :rtindex 1}) :quals <>} :targetList <>})",
	    "({QUERY :commandType 1 :rtable <> :jointree {FROMEXPR :fromlist <> :quals <>} "
	    ":targetList ({TARGETENTRY :expr {NEWEXPR :x 1} :resno 1 :resjunk false})})" };
	char path[512], *tree;
	struct verdict v;
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		assert_int_equal(verdict_judge(&v, broken[i], strlen(broken[i]), saved, -1),
		    ERR_OK);
		if (v.class != VERDICT_REFUSED)
			fprintf(stderr, "%s\n", broken[i]);
		assert_int_equal(v.class, VERDICT_REFUSED);
		assert_non_null(v.object);
		verdict_fini(&v);
	}
	snprintf(path, sizeof(path), "%s/key.tree", VERDICT_DIR);
	tree = read_all(path, &len);
	assert_non_null(tree);
	while (len > 0 && tree[len - 1] != ')')
		len--;
	for (size_t n = 0; n < len; n++) {
		assert_int_equal(verdict_judge(&v, tree, n, saved, -1), ERR_OK);
		assert_int_equal(v.class, VERDICT_REFUSED);
		verdict_fini(&v);
	}
	free(tree);
}

/* Rows that CREATE TABLE AS writes: free of charge, but not into open tables. */
static void
written_rows(void **state)
{
	static const struct {
		const char *name;
		int target;
		enum verdict_class class;
	} t[] = {
		{ "key", REL_UNCOVERED, VERDICT_FREE }, { "key", REL_OPEN, VERDICT_REFUSED },
		{ "key", REL_PERSONAL, VERDICT_REFUSED }, { "key", -1, VERDICT_KEY },
		{ "free_count", REL_OPEN, VERDICT_FREE },
		{ "free_count", REL_UNCOVERED, VERDICT_FREE },
		{ "bytes_string_agg", REL_UNCOVERED, VERDICT_FREE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		char path[512], *tree;
		struct verdict v;
		size_t len;

		snprintf(path, sizeof(path), "%s/%s.tree", VERDICT_DIR, t[i].name);
		tree = read_all(path, &len);
		assert_non_null(tree);
		assert_int_equal(verdict_judge(&v, tree, len, saved, t[i].target), ERR_OK);
		assert_int_equal(v.class, t[i].class);
		if (v.class == VERDICT_REFUSED)
			assert_int_equal(v.why, WHY_COPIES);
		verdict_fini(&v);
		free(tree);
	}
}

static void
write_files(const char *dir)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/catalog.rows", dir);
	f = fopen(path, "wb");
	support_catalog_save(pg, f);
	fclose(f);
	support_exec(pg, "SET ROLE pg_read_all_data");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *error;
		char *tree;

		if (cases[i].name == NULL)
			continue;
		tree = support_tree(pg, cases[i].sql, &error);
		snprintf(path, sizeof(path), "%s/%s.tree", dir, cases[i].name);
		f = fopen(path, "wb");
		fprintf(f, "%s\n", tree);
		fclose(f);
		free(tree);
	}
	support_exec(pg, "RESET ROLE");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saved_trees),
		cmocka_unit_test(broken_trees),
		cmocka_unit_test(written_rows),
		cmocka_unit_test(live_trees),
		cmocka_unit_test(tools_are_free),
	};
	int failed;

	pg = support_connect();
	if (pg != NULL)
		live = support_catalog(pg, support_conf());
	if (pg != NULL && getenv("KURABAN_TEST_WRITE") != NULL)
		write_files(getenv("KURABAN_TEST_WRITE"));
	saved = support_catalog_load(VERDICT_DIR "/catalog.rows", support_conf());
	failed = saved == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
	catalog_free(live);
	catalog_free(saved);
	support_disconnect(pg);
	return failed;
}
