/* SPDX-License-Identifier: Apache-2.0 */
/* pg/tree.c. Invariant: a name in the text can never become a field (L3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pg/tree.h"

static enum err
parse(struct tree_doc **d, const char *s)
{
	return tree_parse(d, s, strlen(s));
}

static void
reads_every_kind(void **state)
{
	static const char text[] =
	    "({QUERY :commandType 1 :canSetTag true\n:utilityStmt <> :list (i 1 2)"
	    " :names (\"a\" \"b\\ c\") :bits (b) :quals {CONST :constvalue 5 [ 20 0 0 0 -120\n]"
	    " :location -1}})";
	struct tree_doc *d;
	const struct tree *q, *c;
	char name[8];
	int64_t v;

	(void)state;
	assert_int_equal(parse(&d, text), ERR_OK);
	assert_int_equal(tree_root(d)->kind, TREE_LIST);
	q = tree_root(d)->first;
	assert_true(tree_is(q, "QUERY"));
	assert_false(tree_is(q, "QUER"));
	assert_int_equal(tree_int(q, "commandType", 9), 1);
	assert_int_equal(tree_int(q, "utilityStmt", 9), 9);
	assert_int_equal(tree_int(q, "nothing", -7), -7);
	assert_true(tree_bool(q, "canSetTag"));
	assert_false(tree_bool(q, "commandType"));
	assert_int_equal(tree_get(q, "utilityStmt")->kind, TREE_NULL);
	assert_null(tree_get(q, "utility"));
	assert_true(tree_atom_int(tree_get(q, "list")->first->next, &v));
	assert_int_equal(v, 1);
	assert_int_equal(tree_name(tree_get(q, "names")->first->next, name, 8), 3);
	assert_string_equal(name, "b c");
	assert_int_equal(tree_name(tree_get(q, "names")->first->next, name, 3), 0);
	c = tree_get(q, "quals");
	assert_true(tree_is(c, "CONST"));
	assert_int_equal(tree_get(c, "constvalue")->kind, TREE_ATOM);
	assert_int_equal(tree_int(c, "constvalue", -1), -1);
	assert_int_equal(tree_int(c, "location", 0), -1);
	tree_free(d);
}

static void
names_stay_names(void **state)
{
	static const char *const text[] = {
		"{A :n x\\ :expr\\ 1}", "{A :n \\{B\\ :x\\ 1\\}}", "{A :n a\\\\\\ \\(}",
		"{A :n a\\\n:b}", "{A :n \\<>}", "{A :n \"}",
	};
	static const char *const name[] = {
		"x :expr 1", "{B :x 1}", "a\\ (", "a :b", "<>", "\"",
	};
	struct tree_doc *d;
	char got[32];

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		assert_int_equal(parse(&d, text[i]), ERR_OK);
		assert_null(tree_root(d)->first->next);
		tree_name(tree_root(d)->first, got, sizeof(got));
		assert_string_equal(got, name[i]);
		tree_free(d);
	}
}

static void
malformed_is_refused(void **state)
{
	static const char *const text[] = {
		"", " ", "(", ")", "{", "{A", "{A :b}", "{A :b :c 1}", "{A b 1}", "{A : 1}",
		"(1))", "1 2", "{A :b 1 2}", "{A :b 5 [ 1 2}", "{A :b 5 [ x ]}", "a\\",
		"{:a 1}", "{A :b <> <>}", "{(A) :b 1}",
	};
	struct tree_doc *d;

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		assert_int_equal(parse(&d, text[i]), ERR_FORMAT);
		assert_null(d);
	}
	assert_int_equal(tree_parse(&d, "a\0b", 3), ERR_FORMAT);
}

/* A line of 78 bytes without a space may be a token that was cut in two. */
static void
cut_tokens_are_refused(void **state)
{
	char s[256];
	struct tree_doc *d;

	(void)state;
	for (int first = 0; first < 3; first++) {
		/* 0: at the start, 1: after a newline, 2: after an escaped one */
		for (size_t n = 76; n <= 80; n++) {
			size_t k = 0;

			k += (size_t)sprintf(s, "%s",
			    first == 0 ? "" : first == 1 ? "(a\n" : "(a\\\n");
			memset(s + k, 'x', n);
			sprintf(s + k + n, "\ny%s", first == 0 ? "" : ")");
			if (first == 0) {
				memmove(s + 1, s, strlen(s) + 1);
				s[0] = '(';
				strcat(s, ")");
			}
			assert_int_equal(parse(&d, s),
			    n + (first == 0) == 78 ? ERR_FORMAT : ERR_OK);
			tree_free(d);
		}
	}
}

static void
depth_is_bounded(void **state)
{
	enum { N = 200000 };
	char *s = malloc(2 * N);
	struct tree_doc *d;

	(void)state;
	memset(s, '(', N);
	memset(s + N, ')', N);
	assert_int_equal(tree_parse(&d, s, 2 * N), ERR_TOOBIG);
	assert_int_equal(tree_parse(&d, s + N - 900, 1800), ERR_OK);
	tree_free(d);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_kind),
		cmocka_unit_test(names_stay_names),
		cmocka_unit_test(malformed_is_refused),
		cmocka_unit_test(cut_tokens_are_refused),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
