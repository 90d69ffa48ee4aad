/* SPDX-License-Identifier: Apache-2.0 */
/* The lexer: token borders as in PostgreSQL's scan.l. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sql/lex.h"

static const char letters[] = {
	[LEX_SPACE] = '_', [LEX_COMMENT] = 'c', [LEX_WORD] = 'w',
	[LEX_IDENT] = 'q', [LEX_INT] = 'i', [LEX_NUMERIC] = 'n',
	[LEX_STRING] = 's', [LEX_NSTRING] = 'N', [LEX_BITS] = 'b',
	[LEX_PARAM] = 'p', [LEX_OP] = 'o', [LEX_PUNCT] = '.',
	[LEX_BROKEN] = '!',
};

/* The kinds of a text's tokens, and each token's length as digits. */
static void
describe(char *out, const char *text, bool std_strings)
{
	struct lex l = lex_init(text, strlen(text), std_strings);
	struct lex_token t;
	size_t at = 0;

	while (lex_next(&l, &t) != LEX_END) {
		assert_int_equal(t.start, at);
		assert_true(t.len > 0);
		at += t.len;
		*out++ = letters[t.kind];
		if (t.len > 9)
			*out++ = (char)('0' + t.len / 10);
		*out++ = (char)('0' + t.len % 10);
	}
	assert_int_equal(at, strlen(text));
	*out = 0;
}

static const struct {
	const char *text, *tokens;
	bool off;		/* standard_conforming_strings is off */
} cases[] = {
	{"select a.b", "w6_1w1.1w1", false},
	{"a$b$c$d", "w7", false},
	{"\xe5\x90\x8d\xe5\x89\x8d=1", "w6o1i1", false},
	{"\x80\xf0\x9f\x98\x80\xff\xc0 1", "w7_1i1", false},
	{"'a''b' 'c'", "s6_1s3", false},
	{"'a'\n'b'", "s7", false},
	{"'a'\r'b'", "s7", false},
	{"'a' \t'b'", "s3_2s3", false},
	{"'a' -- x 'y\n  -- z\n 'b'x", "s23w1", false},
	{"'a' /* \n */ 'b'", "s3_1c7_1s3", false},
	{"'a\\'c'", "s4w1!1", false},
	{"'a\\'b'", "s6", true},
	{"E'a\\'b''c' e'\\\\'", "s10_1s5", false},
	{"E'a'\n'\\'b'", "s10", false},
	{"one'x'", "w3s3", false},
	{"b'01' X'ff' n'x'", "b5_1b5_1N4", false},
	{"b'1''0'", "b4s3", false},
	{"U&'d!0061' u&\"x\"\"y\" U&x", "s10_1q8_1w1o1w1", false},
	{"U&'a\\'", "s6", true},
	{"\"a\"\"b\" \"'\"", "q6_1q3", false},
	{"$$a$b$$ $t$ $$ $ $t$ $1 $t", "s7_1s12_1p2_1.1w1", false},
	{"$a$ $a $ab$ $a$", "s15", false},
	{"$\xc3\xa9$x$\xc3\xa9$", "s9", false},
	{"x$$y", "w4", false},
	{"1 1.5 .5 1. 1e5 1.5E-3 1..2", "i1_1n3_1n2_1n2_1n3_1n6_1i1.2i1", false},
	{"..5 ...5", ".2i1_1.2n2", false},
	{"0x1F 0o17 0b11 1_000 1_000.5_0 0x 1__0",
	    "i4_1i4_1i4_1i5_1n9_1n2_1n4", false},
	{"123abc 1e 1e+ 1E'\\'' 1n'x' 1u&'x'",
	    "n6_1n2_1n2o1_1i1s5_1i1N4_1i1s5", false},
	{"1a.5 1a.b", "n4_1n2.1w1", false},
	{"a-- x\nb", "w1c4_1w1", false},
	{"a/* /* */ **/b*//**/c", "w1c12w1o2c4w1", false},
	{"+- <- @- *-1 =--\n", "o1o1_1o1o1_1o2_1o1o1i1_1o1c2_1", false},
	{"a::b[1]:=c", "w1.2w1.1i1.1.2w1", false},
	{"'abc", "!4", false},
	{"E'abc\\", "!6", false},
	{"E'abc\\'", "!7", false},
	{"\"abc", "!4", false},
	{"$a$ $b$", "!7", false},
	{"x /* /* */", "w1_1!8", false},
	{"'a' -- b", "s3_1c4", false},
	{"\v\f", "_2", false},
};

static void
borders(void **state)
{
	char got[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		describe(got, cases[i].text, !cases[i].off);
		assert_string_equal(got, cases[i].tokens);
	}
}

static int
single_byte(const char *text, bool std_strings)
{
	struct lex l = lex_init(text, strlen(text), std_strings);
	struct lex_token t;

	lex_next(&l, &t);
	assert_int_equal(t.len, strlen(text));
	return lex_single_byte(&l, &t);
}

static void
single_bytes(void **state)
{
	assert_int_equal(single_byte("'!'", true), '!');
	assert_int_equal(single_byte("'\\'", true), '\\');
	assert_int_equal(single_byte("'\\\\'", false), '\\');
	assert_int_equal(single_byte("E'\\041'", true), '!');
	assert_int_equal(single_byte("E'\\x21'", true), '!');
	assert_int_equal(single_byte("e'\\u0021'", true), '!');
	assert_int_equal(single_byte("e'\\U00000021'", true), '!');
	assert_int_equal(single_byte("e'\\!'", true), '!');
	assert_int_equal(single_byte("e'\\t'", true), '\t');
	assert_int_equal(single_byte("''\n'!'\n''", true), '!');
	assert_int_equal(single_byte("$$!$$", true), '!');
	assert_int_equal(single_byte("$x$!$x$", true), '!');
	assert_int_equal(single_byte("$x$$x$", true), -1);
	assert_int_equal(single_byte("''", true), -1);
	assert_int_equal(single_byte("''''", true), -1);
	assert_int_equal(single_byte("'!!'", true), -1);
	assert_int_equal(single_byte("'!'\n'!'", true), -1);
	assert_int_equal(single_byte("E'\\u3042'", true), -1);
	assert_int_equal(single_byte("U&'!'", true), -1);
	assert_int_equal(single_byte("5", true), -1);
}

static void
blanking(void **state)
{
	static const struct {
		const char *in, *out;
	} c[] = {
		{"a--b\nc", "a   \nc"},
		{"a/*b\n*/c", "a      c"},
		{"'--a' -- b\n -- c\n '--d'", "'--a'     \n     \n '--d'"},
		{"$$--a$$ --", "$$--a$$   "},
		{"\"/*\" /**/", "\"/*\"     "},
		{"", ""},
	};
	char got[64];

	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct lex l = lex_init(c[i].in, strlen(c[i].in), true);
		struct lex_token t;

		strcpy(got, c[i].in);
		l.blank = got;
		while (lex_next(&l, &t) != LEX_END)
			;
		assert_string_equal(got, c[i].out);
	}
}

/* A megabyte of each takes no more than linear time. */
static void
linear(void **state)
{
	static const char *const parts[] = {"+", "-+", "*+", "$a", "'' ",
	    "'a' -- b\n", "/*", "$$", "1.", "1e", "..", "\"\""};
	size_t n = 1 << 20;
	char *text = malloc(n + 16);

	assert_non_null(text);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct lex_token t;
		struct lex l;
		size_t len = 0, at = 0;

		for (; len < n; len += strlen(parts[i]))
			strcpy(text + len, parts[i]);
		l = lex_init(text, len, true);
		for (; lex_next(&l, &t) != LEX_END; at += t.len)
			assert_int_equal(t.start, at);
		assert_int_equal(at, len);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(borders),
		cmocka_unit_test(single_bytes),
		cmocka_unit_test(blanking),
		cmocka_unit_test(linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
