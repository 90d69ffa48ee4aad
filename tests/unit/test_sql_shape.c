/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of a statement. Proves L8's half of it: no part of a literal is in a
 * shape; and L3's: what changes a verdict is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sql/sql.h"

static uint64_t
shape_of(char *out, size_t cap, const char *text, bool std_strings)
{
	uint64_t hash;
	size_t n = sql_shape(out, cap - 1, text, strlen(text), std_strings,
	    &hash);

	assert_true(n < cap);
	out[n] = 0;
	return hash;
}

static const struct {
	const char *text, *shape;
	bool off;		/* standard_conforming_strings is off */
} cases[] = {
	{"", "", false},
	{" \n-- x\n", "", false},
	{"SELECT a FROM t WHERE id=5", "SELECT a FROM t WHERE id=$i", false},
	{" select\t\"A b\" /* x */from--y\nt;", "select \"A b\" from t;", false},
	{"SELECT 1, 2147483647, 2147483648, 9223372036854775808, 1.5, .5, 1e5",
	    "SELECT $i, $i, $l, $n, $n, $n, $n", false},
	{"SELECT 00005, 0x7fffffff, 0x80000000, 1_000",
	    "SELECT $i, $i, $l, $i", false},
	{"SELECT -2147483647, -2147483648, - ( (2147483648)), -2147483649",
	    "SELECT -$i, -$j, - ( ($j)), -$l", false},
	{"SELECT -9223372036854775807,-9223372036854775808, a-(b)2147483648",
	    "SELECT -$l,-$m, a-(b)$l", false},
	{"SELECT 'a' 'b', 'it''s', E'\\'', N'x', n'x', B'01', X'1f', $$a$$",
	    "SELECT $s $s, $s, $s, $c, $c, $b, $b, $s", false},
	{"SELECT 'a'\n 'b', E'a' -- x\n'\\'', U&'\\0061' UESCAPE '!'",
	    "SELECT $s, $s, $s UESCAPE $s", false},
	{"SELECT date'2020-01-01', date '2020-01-01', date$s",
	    "SELECT date $s, date $s, date$s", false},
	{"SELECT 'a'b, 'a' b, $$a$$b, 5'a', a.5", "SELECT $s b, $s b, $s b, "
	    "$i$s, a $n", false},
	{"SELECT 'a''b\\', x FROM t", "SELECT $s, x FROM t", false},
	{"SELECT 'a''b\\', x FROM t", "SELECT $?", true},
	{"SELECT 'a\\' , secret ', x", "SELECT $s, x", true},
	{"SELECT N'a\\' , secret ', x", "SELECT $c, x", true},
	{"EXECUTE p($1, $12, 'x')", "EXECUTE p($1, $12, $s)", false},
	{"COPY t TO STDOUT (DELIMITER '|')", "COPY t TO STDOUT (DELIMITER $s)",
	    false},
	{"ALTER ROLE x PASSWORD 'geheim'", "ALTER ROLE x PASSWORD $s", false},
	{"SELECT 123abc, 0312-1234", "SELECT $n, $i-$i", false},
	/* column positions */
	{"SELECT a FROM t ORDER BY 1, 2 DESC, 3+4, b, (5), ((6)), +7",
	    "SELECT a FROM t ORDER BY 1, 2 DESC, $i+$i, b, (5), ((6)), +$i",
	    false},
	{"SELECT a FROM t ORDER BY f(1, 2), 3, ARRAY[4, 5], x[6], 7",
	    "SELECT a FROM t ORDER BY f($i, $i), 3, ARRAY[$i, $i], x[$i], 7",
	    false},
	{"SELECT 9 FROM t GROUP BY 0001, 1664, 1665, 99999999999 HAVING "
	    "x IN (4, 5) LIMIT 6", "SELECT $i FROM t GROUP BY 1, 1664, $i, $l "
	    "HAVING x IN ($i, $i) LIMIT $i", false},
	{"SELECT a FROM t GROUP /**/ by GROUPING SETS ((1), (2, 3), ()), "
	    "rollup(4, 5), CUBE (6), (7, 8)",
	    "SELECT a FROM t GROUP by GROUPING SETS ((1), (2, 3), ()), "
	    "rollup(4, 5), CUBE (6), (7, 8)", false},
	{"SELECT a FROM t GROUP BY DISTINCT 1, (SELECT 2, 3 ORDER BY 4), 5",
	    "SELECT a FROM t GROUP BY DISTINCT 1, (SELECT $i, $i ORDER BY 4), "
	    "5", false},
	{"SELECT DISTINCT ON (1, (2), a+3) 4, 5 FROM t JOIN u ON (6=7)",
	    "SELECT DISTINCT ON (1, (2), a+$i) $i, $i FROM t JOIN u ON "
	    "($i=$i)", false},
	{"SELECT a FROM t ORDER BY 1 UNION SELECT 2, 3 ORDER BY a, 4",
	    "SELECT a FROM t ORDER BY 1 UNION SELECT $i, $i ORDER BY a, 4",
	    false},
	{"SELECT a FROM t GROUP BY a UNION VALUES (2), (3)",
	    "SELECT a FROM t GROUP BY a UNION VALUES ($i), ($i)", false},
	{"SELECT a FROM t GROUP BY a RETURNING 2, 3; VALUES (4), (5)",
	    "SELECT a FROM t GROUP BY a RETURNING $i, $i; VALUES ($i), ($i)",
	    false},
	{"SELECT a FROM t GROUP BY a HAVING (b, 5) = (6, 7) LIMIT (8); "
	    "VALUES (9), (10)", "SELECT a FROM t GROUP BY a HAVING (b, $i) = "
	    "($i, $i) LIMIT ($i); VALUES ($i), ($i)", false},
	{"SELECT a GROUP BY 1; VALUES (2), (3)",
	    "SELECT a GROUP BY 1; VALUES ($i), ($i)", false},
	{"SELECT a FROM t JOIN u ON (6) JOIN v ON (a, 7) DISTINCT ON + (8)",
	    "SELECT a FROM t JOIN u ON ($i) JOIN v ON (a, $i) DISTINCT ON + "
	    "($i)", false},
	{"SELECT a FROM t ORDER BY a::timestamp with time zone, 2",
	    "SELECT a FROM t ORDER BY a::timestamp with time zone, 2", false},
	{"SELECT a FROM t GROUP BY rows, 2 ORDER BY 5 IS NULL, 6 IN (7), 8::int",
	    "SELECT a FROM t GROUP BY rows, 2 ORDER BY $i IS NULL, $i IN ($i), "
	    "$i::int", false},
	{"CREATE SEQUENCE s INCREMENT BY 5; SELECT a PARTITION BY 5",
	    "CREATE SEQUENCE s INCREMENT BY $i; SELECT a PARTITION BY $i",
	    false},
	{"SELECT a ORDER BY 1; SELECT 2, 3", "SELECT a ORDER BY 1; "
	    "SELECT $i, $i", false},
	{"\"order\" BY 1, order \"by\" 2, ORDER 'x' BY 3",
	    "\"order\" BY $i, order \"by\" $i, ORDER $s BY $i", false},
	/* the escape character of an identifier decides what it names */
	{"SELECT U&\"d!0061\" UESCAPE '!', U&\"d@0061\" uescape/**/E'\\100'",
	    "SELECT U&\"d!0061\" UESCAPE '!', U&\"d@0061\" uescape '@'", false},
	{"SELECT U&\"d\" UESCAPE 'long', uescape 'x', U&\"d\" x UESCAPE 'y'",
	    "SELECT U&\"d\" UESCAPE $s, uescape $s, U&\"d\" x UESCAPE $s", false},
	{"SELECT \"d\" UESCAPE '!'", "SELECT \"d\" UESCAPE $s", false},
	{"SELECT U&\"d\" UESCAPE 'a'", "SELECT U&\"d\" UESCAPE $s", false},
	/* what cannot be lexed is not kept, nor anything after an odd quote */
	{"SELECT a FROM t WHERE n = 'Tanaka", "SELECT a FROM t WHERE n = $?",
	    false},
	{"SELECT 'O'Brien', x FROM t WHERE y = 'Paris'", "SELECT $?", false},
	{"SELECT a, \"b' FROM t WHERE n='Tanaka", "SELECT a, $?", false},
	{"SELECT a, \"b\", 'x' FROM t /* Tanaka", "SELECT a, $?", false},
	{"SELECT $a$ Tanaka $b$", "SELECT $?", false},
	{"'", "$?", false},
};

static void
shapes(void **state)
{
	char got[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		shape_of(got, sizeof(got), cases[i].text, !cases[i].off);
		assert_string_equal(got, cases[i].shape);
	}
}

static void
same_shape(void **state)
{
	static const char *const pairs[][2] = {
		{"SELECT a FROM t WHERE id = 5", "SELECT a FROM t WHERE id = 77"},
		{"SELECT 'a'", "SELECT /* x */ E'b\\n'"},
		{"SELECT $$a$$ ", "SELECT $x$ ' $x$"},
		{"SELECT a FROM t ORDER BY 1", "SELECT a FROM t ORDER BY 01"},
		{"SELECT a LIMIT 10", "SELECT a LIMIT 20"},
	};
	char a[256], b[256];

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_true(shape_of(a, sizeof(a), pairs[i][0], true) ==
		    shape_of(b, sizeof(b), pairs[i][1], true));
		assert_string_equal(a, b);
	}
}

static void
other_shape(void **state)
{
	static const char *const pairs[][2] = {
		{"SELECT a FROM t ORDER BY 1", "SELECT a FROM t ORDER BY 2"},
		{"SELECT DISTINCT ON (1) a", "SELECT DISTINCT ON (2) a"},
		{"SELECT f(1)", "SELECT f(2147483648)"},
		{"SELECT f(1)", "SELECT f(1.0)"},
		{"SELECT f(-2147483648)", "SELECT f(-2147483649)"},
		{"SELECT f('1')", "SELECT f(1)"},
		{"SELECT f('1')", "SELECT f(N'1')"},
		{"SELECT f(B'1')", "SELECT f('1')"},
		{"SELECT date'2020-01-01'", "SELECT date$s"},
		{"SELECT U&\"d!0061\" UESCAPE '!'",
		    "SELECT U&\"d!0061\" UESCAPE '@'"},
		{"SELECT a", "SELECT A"},
		{"SELECT $1", "SELECT $2"},
		{"SELECT ab", "SELECT a b"},
	};
	char a[256], b[256];

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_true(shape_of(a, sizeof(a), pairs[i][0], true) !=
		    shape_of(b, sizeof(b), pairs[i][1], true));
		assert_string_not_equal(a, b);
	}
}

/* A small cap cuts between tokens; the hash is that of the whole shape. */
static void
caps(void **state)
{
	char text[4096], whole[2 * sizeof(text) + 64], cut[sizeof(whole)];
	size_t n, at = 0, got;
	uint64_t hash, h;

	for (int i = 0; i < 100; i++)
		at += (size_t)sprintf(text + at, "%s col%d, 'x%d',%d,",
		    i ? "" : "SELECT", i, i, i);
	n = sql_shape(whole, SQL_SHAPE_CAP(at), text, at, true, &hash);
	for (size_t cap = 0; cap <= n + 1; cap++) {
		memset(cut, 'Z', sizeof(cut));
		got = sql_shape(cut, cap, text, at, true, &h);
		assert_true(got <= cap && got <= n);
		assert_true(h == hash);
		assert_int_equal(cut[cap], 'Z');
		assert_memory_equal(cut, whole, got);
		/* nothing but a token or two is missing up to the cap */
		assert_true(got == n || cap - got < 8);
	}
	assert_int_equal(sql_shape(whole, 0, text, at, true, NULL), 0);
}

static uint64_t seed = 20261121;

static unsigned
dice(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

#define MARK "9182736450"	/* no position, and in no other token */

/* Any run of literals and tokens: L8 holds, and twice the text is room enough. */
static void
redaction(void **state)
{
	static const char *const literals[] = {
		"'" MARK "'", "'x''" MARK "'", "'x'\n'" MARK "'",
		"'x' -- y\n '" MARK "'", "E'" MARK "'", "E'\\'" MARK "'",
		"e'\\\\'\n'\\'" MARK "'", "U&'" MARK "'", "N'" MARK "'",
		"B'" MARK "'", "X'" MARK "'", "$$" MARK "$$",
		"$a$ ' $$" MARK "$b$$a$", MARK, MARK ".5", "." MARK,
		"1e" MARK, "1." MARK, MARK "e1", MARK "abc", "0x" MARK,
		"1_" MARK, "/*" MARK "*/", "/*/*x*/" MARK "*/",
		"--" MARK "\n", "'--" MARK "'", "'$$" MARK "'",
		"'/*" MARK "'", "U&\"x\" UESCAPE '" MARK "'",
	};
	static const char *const others[] = {
		" ", "\n", ",", "(", ")", "+", "-", "a", "\"b\"", "ORDER BY ",
		"GROUP BY ", "DISTINCT ON(", "[", "::", "$1", "x$y", ";", "=",
		"U&\"d\"", " UESCAPE ", "e", "n", "b", "u&", "1", "7 ", ".",
	};
	char text[1024], got[SQL_SHAPE_CAP(sizeof(text)) + 1];
	char more[4 * sizeof(text)];

	for (int round = 0; round < 200000; round++) {
		unsigned parts = 1 + dice(10);
		size_t len = 0, n;

		for (unsigned i = 0; i < parts; i++) {
			const char *s = dice(3) == 0 ? literals[
			    dice(sizeof(literals) / sizeof(literals[0]))] :
			    others[dice(sizeof(others) / sizeof(others[0]))];

			/* letters in front would make it a part of a name */
			if (len > 0 && (*s == '$' || strchr(MARK, *s)) &&
			    !strchr(" \n,()+-[:;=", text[len - 1]))
				text[len++] = ' ';
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%s", s);
		}
		/* "u&" and such may swallow a quote: all ends up broken then */
		n = sql_shape(got, SQL_SHAPE_CAP(len), text, len, true, NULL);
		assert_int_equal(n, sql_shape(more, sizeof(more), text, len,
		    true, NULL));
		got[n] = 0;
		if (strstr(got, MARK) != NULL)
			fail_msg("%s -> %s", text, got);
	}
}

/* Long and deep texts take no stack and keep positions (they are too many). */
static void
extremes(void **state)
{
	size_t n = 1 << 20, len = 0, k;
	char *text = malloc(n + 64), *out = malloc(SQL_SHAPE_CAP(n + 64));

	assert_non_null(text);
	assert_non_null(out);
	memset(text, '(', n);
	k = sql_shape(out, SQL_SHAPE_CAP(n), text, n, true, NULL);
	assert_int_equal(k, n);
	for (size_t i = 0; i + 2 < n; i += 2)
		len += (size_t)sprintf(text + len, "1+");
	k = sql_shape(out, SQL_SHAPE_CAP(len), text, len, true, NULL);
	assert_int_equal(k, len / 2 * 3);
	for (int deep = 60; deep < 70; deep++) {
		len = (size_t)sprintf(text, "ORDER BY ");
		for (int i = 0; i < deep; i++)
			text[len++] = '(';
		text[len++] = '5';
		k = sql_shape(out, SQL_SHAPE_CAP(len), text, len, true, NULL);
		assert_int_equal(k, len);
		assert_int_equal(out[k - 1], '5');
	}
	free(text);
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes),
		cmocka_unit_test(same_shape),
		cmocka_unit_test(other_shape),
		cmocka_unit_test(caps),
		cmocka_unit_test(redaction),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
