/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/lex.h"

#include <string.h>

#define NONE SIZE_MAX

enum {
	SPACE = 1,
	START = 2,		/* begins an identifier or a dollar-quote tag */
	DIGIT = 4,
	OP = 8,
	DOLLAR = 16,
	IDENT = START | DIGIT | DOLLAR
};

#define START4(c) [c] = START, [(c) + 1] = START, [(c) + 2] = START, \
	[(c) + 3] = START
#define START16(c) START4(c), START4((c) + 4), START4((c) + 8), START4((c) + 12)

static const uint8_t class_of[256] = {
	[' '] = SPACE, ['\t'] = SPACE, ['\n'] = SPACE, ['\v'] = SPACE,
	['\f'] = SPACE, ['\r'] = SPACE,
	START16('a'), START4('q'), START4('u'), ['y'] = START, ['z'] = START,
	START16('A'), START4('Q'), START4('U'), ['Y'] = START, ['Z'] = START,
	['_'] = START,
	START16(0x80), START16(0x90), START16(0xa0), START16(0xb0),
	START16(0xc0), START16(0xd0), START16(0xe0), START16(0xf0),
	['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT,
	['4'] = DIGIT, ['5'] = DIGIT, ['6'] = DIGIT, ['7'] = DIGIT,
	['8'] = DIGIT, ['9'] = DIGIT,
	['$'] = DOLLAR,
	['~'] = OP, ['!'] = OP, ['@'] = OP, ['#'] = OP, ['^'] = OP, ['&'] = OP,
	['|'] = OP, ['`'] = OP, ['?'] = OP, ['+'] = OP, ['-'] = OP, ['*'] = OP,
	['/'] = OP, ['%'] = OP, ['<'] = OP, ['>'] = OP, ['='] = OP,
};

bool
lex_ident_byte(uint8_t c)
{
	return (class_of[c] & IDENT) != 0;
}

/* The byte at position at; 0 past the end (0 is in no class). */
static inline uint8_t
peek(const struct lex *l, size_t at)
{
	return at < l->len ? l->p[at] : 0;
}

static size_t
run_end(const struct lex *l, size_t at, unsigned mask)
{
	while (at < l->len && class_of[l->p[at]] & mask)
		at++;
	return at;
}

static size_t
line_comment_end(const struct lex *l, size_t at)
{
	while (at < l->len && l->p[at] != '\n' && l->p[at] != '\r')
		at++;
	return at;
}

static size_t
block_comment_end(const struct lex *l, size_t at)
{
	size_t depth = 1;

	for (at += 2; at < l->len; at++) {
		if (l->p[at] == '*' && peek(l, at + 1) == '/') {
			at++;
			if (--depth == 0)
				return at + 1;
		} else if (l->p[at] == '/' && peek(l, at + 1) == '*') {
			at++;
			depth++;
		}
	}
	return NONE;
}

/*
 * A string goes on after white space with a line end in it (line comments
 * count as such) and another quote. Returns the place after that quote.
 */
static size_t
continuation(const struct lex *l, size_t at)
{
	bool newline = false;
	size_t end;
	uint8_t c;

	for (;;) {
		c = peek(l, at);
		if (class_of[c] & SPACE) {
			newline |= c == '\n' || c == '\r';
			at++;
		} else if (c == '-' && peek(l, at + 1) == '-') {
			end = line_comment_end(l, at);
			if (l->blank != NULL)
				memset(l->blank + at, ' ', end - at);
			at = end;
		} else {
			return newline && c == '\'' ? at + 1 : NONE;
		}
	}
}

enum string_rules { BACKSLASH = 1, DOUBLED = 2 };

/* at: after the opening quote. */
static size_t
string_end(const struct lex *l, size_t at, unsigned rules)
{
	const uint8_t *q;
	size_t more;

	for (;;) {
		if (rules & BACKSLASH) {
			while (at < l->len && l->p[at] != '\'')
				at += l->p[at] == '\\' ? 2 : 1;
			if (at >= l->len)
				return NONE;
		} else {
			q = at < l->len ?
			    memchr(l->p + at, '\'', l->len - at) : NULL;
			if (q == NULL)
				return NONE;
			at = (size_t)(q - l->p);
		}
		at++;
		if (rules & DOUBLED && peek(l, at) == '\'') {
			at++;
			continue;
		}
		if ((more = continuation(l, at)) == NONE)
			return at;
		at = more;
	}
}

/* at: after the opening quote. */
static size_t
ident_end(const struct lex *l, size_t at)
{
	const uint8_t *q;

	for (;;) {
		q = at < l->len ? memchr(l->p + at, '"', l->len - at) : NULL;
		if (q == NULL)
			return NONE;
		at = (size_t)(q - l->p) + 1;
		if (peek(l, at) != '"')
			return at;
		at++;
	}
}

/* at: on the first dollar. Returns at when it begins no dollar-quoted string. */
static size_t
dollar_end(const struct lex *l, size_t at)
{
	size_t tag = at + 1, body;
	const uint8_t *q;

	if (class_of[peek(l, tag)] & START)
		tag = run_end(l, tag, START | DIGIT);
	if (peek(l, tag) != '$')
		return at;
	body = tag + 1;
	q = memmem(l->p + body, l->len - body, l->p + at, body - at);
	return q == NULL ? NONE : (size_t)(q - l->p) + (body - at);
}

/* A letter that, with what follows, begins a string and no identifier. */
static bool
begins_prefixed(const struct lex *l, size_t at)
{
	switch (l->p[at] | 0x20) {
	case 'b':
	case 'e':
	case 'n':
	case 'x':
		return peek(l, at + 1) == '\'';
	case 'u':
		return peek(l, at + 1) == '&' && (peek(l, at + 2) == '\'' ||
		    peek(l, at + 2) == '"');
	}
	return false;
}

static bool
digit_of_base(uint8_t c, unsigned base, unsigned *value)
{
	unsigned v;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		v = (c | 0x20) - 'a' + 10u;
	else
		return false;
	*value = v;
	return v < base;
}

/*
 * Integer forms of PostgreSQL 16: digits of the base, single underscores only
 * in front of a digit, none at the very beginning of a decimal.
 */
static bool
int_value(const uint8_t *p, size_t len, uint64_t *value)
{
	unsigned base = 10, digit;
	uint64_t v = 0;
	size_t i = 0;

	if (len > 2 && p[0] == '0') {
		switch (p[1] | 0x20) {
		case 'x':
			base = 16;
			break;
		case 'o':
			base = 8;
			break;
		case 'b':
			base = 2;
			break;
		}
		if (base != 10)
			i = 2;
	}
	for (; i < len; i++) {
		if (p[i] == '_' && i + 1 < len)
			i++;
		if (!digit_of_base(p[i], base, &digit))
			return false;
		v = v > (UINT64_MAX - digit) / base ? UINT64_MAX :
		    v * base + digit;
	}
	*value = v;
	return true;
}

/*
 * Letters glued to a number are an error in 15, were a second token before, and
 * are digits or underscores in 16. They are taken as part of the number (it may
 * be a literal typed without its quotes) unless they begin a string.
 */
static size_t
number_end(const struct lex *l, size_t at, enum lex_kind *kind)
{
	size_t start = at, e;
	bool glued;
	uint64_t v;

	*kind = LEX_INT;
	at = run_end(l, at, DIGIT);
	do {
		glued = false;
		if (peek(l, at) == '.' && peek(l, at + 1) != '.') {
			*kind = LEX_NUMERIC;
			at = run_end(l, at + 1, DIGIT);
		}
		if ((peek(l, at) | 0x20) == 'e') {
			e = at + 1;
			if (peek(l, e) == '+' || peek(l, e) == '-')
				e++;
			if (class_of[peek(l, e)] & DIGIT) {
				*kind = LEX_NUMERIC;
				at = run_end(l, e, DIGIT);
			}
		}
		if (class_of[peek(l, at)] & START && !begins_prefixed(l, at)) {
			at = run_end(l, at, IDENT);
			glued = true;
		}
	} while (glued && peek(l, at) == '.' &&
	    class_of[peek(l, at + 1)] & DIGIT);
	if (*kind == LEX_INT && !int_value(l->p + start, at - start, &v))
		*kind = LEX_NUMERIC;
	return at;
}

/*
 * A longer operator ends in + or - only when it also has one of the characters
 * that standard SQL operators never have. The signs cut off are then tokens of
 * one byte; remembering so keeps a long run of them linear.
 */
static size_t
op_end(struct lex *l, size_t at)
{
	size_t start = at, i;

	if (at < l->signs)
		return at + 1;
	for (; class_of[peek(l, at)] & OP; at++) {
		if ((l->p[at] == '-' && peek(l, at + 1) == '-') ||
		    (l->p[at] == '/' && peek(l, at + 1) == '*'))
			break;
	}
	for (i = start; i < at; i++) {
		if (strchr("~!@#^&|`?%", l->p[i]) != NULL)
			return at;
	}
	l->signs = at;
	while (at > start + 1 && (l->p[at - 1] == '+' || l->p[at - 1] == '-'))
		at--;
	return at;
}

static size_t
prefixed_end(const struct lex *l, size_t at, enum lex_kind *kind)
{
	switch (l->p[at] | 0x20) {
	case 'e':
		*kind = LEX_STRING;
		return string_end(l, at + 2, BACKSLASH | DOUBLED);
	case 'n':
		*kind = LEX_NSTRING;
		return string_end(l, at + 2,
		    l->std_strings ? DOUBLED : BACKSLASH | DOUBLED);
	case 'u':
		if (l->p[at + 2] == '"') {
			*kind = LEX_IDENT;
			return ident_end(l, at + 3);
		}
		*kind = LEX_STRING;
		return string_end(l, at + 3, DOUBLED);
	}
	*kind = LEX_BITS;
	return string_end(l, at + 2, 0);
}

static size_t
token_end(struct lex *l, size_t at, enum lex_kind *kind)
{
	uint8_t c = l->p[at], next = peek(l, at + 1);
	size_t end;

	if (class_of[c] & START) {
		if (begins_prefixed(l, at))
			return prefixed_end(l, at, kind);
		*kind = LEX_WORD;
		return run_end(l, at + 1, IDENT);
	}
	if (class_of[c] & SPACE) {
		*kind = LEX_SPACE;
		return run_end(l, at + 1, SPACE);
	}
	if (class_of[c] & DIGIT || (c == '.' && class_of[next] & DIGIT))
		return number_end(l, at, kind);
	if ((c == '.' && next == '.') ||
	    (c == ':' && (next == ':' || next == '='))) {
		*kind = LEX_PUNCT;
		return at + 2;
	}
	if (class_of[c] & OP) {
		*kind = LEX_COMMENT;
		if (c == '-' && next == '-')
			return line_comment_end(l, at);
		if (c == '/' && next == '*')
			return block_comment_end(l, at);
		*kind = LEX_OP;
		return op_end(l, at);
	}
	switch (c) {
	case '\'':
		*kind = LEX_STRING;
		return string_end(l, at + 1,
		    l->std_strings ? DOUBLED : BACKSLASH | DOUBLED);
	case '"':
		*kind = LEX_IDENT;
		return ident_end(l, at + 1);
	case '$':
		if (class_of[next] & DIGIT) {
			*kind = LEX_PARAM;
			return run_end(l, at + 1, DIGIT);
		}
		*kind = LEX_STRING;
		if ((end = dollar_end(l, at)) != at)
			return end;
	}
	*kind = LEX_PUNCT;
	return at + 1;
}

enum lex_kind
lex_next(struct lex *l, struct lex_token *t)
{
	size_t end;

	t->start = l->pos;
	t->len = 0;
	t->kind = LEX_END;
	if (l->pos < l->len) {
		end = token_end(l, l->pos, &t->kind);
		if (end == NONE) {
			t->kind = LEX_BROKEN;
			end = l->len;
		}
		if (t->kind == LEX_COMMENT && l->blank != NULL)
			memset(l->blank + l->pos, ' ', end - l->pos);
		t->len = end - t->start;
		l->pos = end;
	}
	return t->kind;
}

enum lex_kind
lex_next_real(struct lex *l, struct lex_token *t)
{
	do
		lex_next(l, t);
	while (t->kind == LEX_SPACE || t->kind == LEX_COMMENT);
	return t->kind;
}

bool
lex_is_word(const struct lex *l, const struct lex_token *t, const char *w)
{
	const uint8_t *p = l->p + t->start;

	if (t->kind != LEX_WORD)
		return false;
	for (size_t i = 0; i < t->len; i++) {
		uint8_t c = p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i];

		if (w[i] == 0 || c != (uint8_t)w[i])
			return false;
	}
	return w[t->len] == 0;
}

bool
lex_is_punct(const struct lex *l, const struct lex_token *t, char c)
{
	return t->kind == LEX_PUNCT && t->len == 1 &&
	    l->p[t->start] == (uint8_t)c;
}

uint64_t
lex_int(const struct lex *l, const struct lex_token *t)
{
	uint64_t v = UINT64_MAX;

	int_value(l->p + t->start, t->len, &v);
	return v;
}

/* One character of an E'' string that begins with a backslash; -1: not a byte. */
static int
escape_byte(const uint8_t *p, size_t len, size_t *used)
{
	unsigned base, digit, v = 0;
	size_t max, i;

	if (len < 2)
		return -1;
	if (p[1] >= '0' && p[1] <= '7') {
		base = 8, i = 1, max = 4;
	} else if (p[1] == 'x' || p[1] == 'u' || p[1] == 'U') {
		base = 16, i = 2, max = p[1] == 'x' ? 4 : p[1] == 'u' ? 6 : 10;
	} else {
		*used = 2;
		switch (p[1]) {
		case 'b':
			return '\b';
		case 'f':
			return '\f';
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		case 'v':
			return -1;	/* 'v' or '\v', by version */
		}
		return p[1];
	}
	for (; i < len && i < max && digit_of_base(p[i], base, &digit); i++)
		v = v * base + digit;
	*used = i;
	return i > 1 && v < 128 ? (int)v : -1;
}

int
lex_single_byte(const struct lex *l, const struct lex_token *t)
{
	const uint8_t *p = l->p + t->start;
	size_t at = t->start, end = t->start + t->len, used;
	bool backslash = false;
	int found = -1;

	if (t->kind != LEX_STRING)
		return -1;
	if (*p == '$') {
		used = (size_t)((const uint8_t *)memchr(p + 1, '$', t->len - 1)
		    - p) + 1;
		return t->len == 2 * used + 1 ? p[used] : -1;
	}
	if (*p == '\'')
		backslash = !l->std_strings;
	else if ((*p | 0x20) == 'e')
		backslash = true;
	else
		return -1;	/* U&'' may not be an answer */
	for (at += *p == '\'' ? 1 : 2; at < end; at += used) {
		used = 1;
		if (l->p[at] == '\'') {
			if (at + 1 == end)
				return found;
			if (l->p[at + 1] == '\'')
				return -1;
			used = continuation(l, at + 1) - at;
			continue;
		}
		if (found >= 0)
			return -1;
		found = l->p[at];
		if (backslash && found == '\\')
			found = escape_byte(l->p + at, end - at, &used);
		if (found < 0)
			return -1;
	}
	return -1;
}
