/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of a statement (sql_shape in sql.h). Runs for every statement: one
 * pass, no allocation.
 *
 * Why a shape stands for one verdict: two texts of one shape have the same
 * tokens but for the values of literals, and a value matters to the server's
 * analysis only as a column position, as the type of a number (also at the edges
 * where a minus in front changes it) and as the escape character of a U&""
 * identifier. Those stay in the shape. A placeholder never touches a letter, so
 * that date'x' and an identifier date$s differ.
 */
#include "sql/sql.h"

#include <string.h>

#include "sql/lex.h"

#define NONE SIZE_MAX

enum {
	CHUNK = 256,		/* the hash takes the shape in pieces of this size */
	POSITION_MAX = 1664,	/* columns that a target list may have */
	LEVELS = 64		/* parentheses that are told apart */
};

struct sink {
	char *out;
	size_t cap, n;
	bool full;		/* something did not fit: only the hash goes on */
	bool spaced;		/* white space came since the last token */
	uint8_t last;		/* last byte put */
	bool placed;		/* the last token was a placeholder */
	uint64_t hash;
	size_t fill;
	char chunk[CHUNK];
};

static void
sink_hash(struct sink *s, const char *p, size_t n)
{
	size_t take;

	while (n > 0) {
		take = n < CHUNK - s->fill ? n : CHUNK - s->fill;
		memcpy(s->chunk + s->fill, p, take);
		s->fill += take;
		p += take;
		n -= take;
		if (s->fill == CHUNK) {
			s->hash = hash64(s->chunk, CHUNK, s->hash);
			s->fill = 0;
		}
	}
}

static uint64_t
sink_end(struct sink *s)
{
	size_t at = 0;

	if (!s->full) {
		for (; s->n - at >= CHUNK; at += CHUNK)
			s->hash = hash64(s->out + at, CHUNK, s->hash);
		return hash64(s->out + at, s->n - at, s->hash);
	}
	return hash64(s->chunk, s->fill, s->hash);
}

static inline void
sink_put(struct sink *s, const char *p, size_t n, bool placeholder)
{
	bool space = (s->spaced && s->last != 0) ||
	    (placeholder && lex_ident_byte(s->last) && !s->placed) ||
	    (s->placed && !placeholder && lex_ident_byte((uint8_t)*p));

	if (!s->full && n + space > s->cap - s->n) {
		s->full = true;
		sink_hash(s, s->out, s->n);
	}
	if (s->full) {
		if (space)
			sink_hash(s, " ", 1);
		sink_hash(s, p, n);
	} else {
		if (space)
			s->out[s->n++] = ' ';
		memcpy(s->out + s->n, p, n);
		s->n += n;
	}
	s->last = (uint8_t)p[n - 1];
	s->spaced = false;
	s->placed = placeholder;
}

static inline void
sink_place(struct sink *s, const char *placeholder)
{
	sink_put(s, placeholder, strlen(placeholder), true);
}

/* Words that decide whether a number is a column position. */
enum word {
	W_NONE, W_ALL, W_AND, W_AT, W_BETWEEN, W_BY, W_COLLATE, W_CUBE,
	W_DISTINCT, W_EXCEPT, W_GROUP, W_GROUPING, W_ILIKE, W_IN, W_INTERSECT,
	W_IS, W_ISNULL, W_LIKE, W_NOT, W_NOTNULL, W_ON, W_OPERATOR, W_OR,
	W_ORDER, W_OVERLAPS, W_RETURNING, W_ROLLUP, W_SELECT, W_SETS, W_SIMILAR,
	W_UESCAPE, W_UNION
};

static const struct word_text {
	const char *text;
	enum word id;
} words_of[10][7] = {
	[2] = {{"at", W_AT}, {"by", W_BY}, {"in", W_IN}, {"is", W_IS},
	    {"on", W_ON}, {"or", W_OR}},
	[3] = {{"all", W_ALL}, {"and", W_AND}, {"not", W_NOT}},
	[4] = {{"cube", W_CUBE}, {"like", W_LIKE}, {"sets", W_SETS}},
	[5] = {{"group", W_GROUP}, {"ilike", W_ILIKE}, {"order", W_ORDER},
	    {"union", W_UNION}},
	[6] = {{"except", W_EXCEPT}, {"isnull", W_ISNULL},
	    {"rollup", W_ROLLUP}, {"select", W_SELECT}},
	[7] = {{"between", W_BETWEEN}, {"collate", W_COLLATE},
	    {"notnull", W_NOTNULL}, {"similar", W_SIMILAR},
	    {"uescape", W_UESCAPE}},
	[8] = {{"distinct", W_DISTINCT}, {"grouping", W_GROUPING},
	    {"operator", W_OPERATOR}, {"overlaps", W_OVERLAPS}},
	[9] = {{"intersect", W_INTERSECT}, {"returning", W_RETURNING}},
};

static enum word
word_of(const struct lex *l, const struct lex_token *t)
{
	if (t->len > 9)
		return W_NONE;
	for (const struct word_text *w = words_of[t->len]; w->text; w++) {
		if ((l->p[t->start] | 0x20) == w->text[0] &&
		    lex_is_word(l, t, w->text))
			return w->id;
	}
	return W_NONE;
}

struct shaper {
	struct lex lex;
	struct sink sink;
	size_t first_quoted;	/* in the output; NONE: none yet */
	/*
	 * Lists whose items may be positions: ORDER BY and GROUP BY items,
	 * DISTINCT ON (items), also in further parentheses. Bit i: inside the
	 * i-th open parenthesis we are in such a list; deeper than LEVELS we
	 * always are.
	 */
	uint64_t lists;
	unsigned depth;
	bool item;		/* at the beginning of an item */
	bool on;		/* DISTINCT ON came, '(' must follow */
	bool minus;		/* a minus came, at most '(' since */
	bool unicode_ident;	/* U&"" came; then also UESCAPE */
	bool uescape;
	enum word word;		/* the last token, when it was such a word */
};

static bool
in_list(const struct shaper *s)
{
	return s->depth >= LEVELS || s->lists >> s->depth & 1;
}

static void
set_list(struct shaper *s, bool on)
{
	if (s->depth >= LEVELS)
		return;
	s->lists &= ~(UINT64_C(1) << s->depth);
	s->lists |= (uint64_t)on << s->depth;
}

static void
shape_word(struct shaper *s, enum word w)
{
	enum word before = s->word;
	bool item = s->item, unicode_ident = s->unicode_ident;

	s->item = s->on = s->minus = s->unicode_ident = s->uescape = false;
	switch (w) {
	case W_BY:
		if (before == W_ORDER || before == W_GROUP) {
			set_list(s, true);
			s->item = true;
		}
		break;
	case W_ON:
		s->on = before == W_DISTINCT;
		break;
	case W_ALL:
	case W_CUBE:
	case W_DISTINCT:
	case W_GROUPING:
	case W_ROLLUP:
	case W_SETS:
		s->item = item;	/* these may stand in front of GROUP BY items */
		break;
	case W_EXCEPT:
	case W_INTERSECT:
	case W_RETURNING:
	case W_SELECT:
	case W_UNION:
		/* another list may follow; reserved words, so never an item */
		set_list(s, false);
		break;
	case W_UESCAPE:
		s->uescape = unicode_ident;
		break;
	default:
		break;
	}
	s->word = w;
}

static void
shape_open(struct shaper *s, bool round)
{
	bool list = round && (s->on || (s->item && in_list(s)));

	s->depth++;
	set_list(s, list);
	s->item = round && in_list(s);
}

static void
shape_punct(struct shaper *s, uint8_t c)
{
	switch (c) {
	case '(':
	case '[':
		shape_open(s, c == '(');
		s->minus = s->minus && c == '(';
		return;
	case ')':
	case ']':
		if (s->depth > 0)
			s->depth--;
		s->item = false;
		break;
	case ',':
		s->item = in_list(s);
		break;
	case ';':
		s->depth = 0;
		s->lists = 0;
		s->item = false;
		break;
	default:
		s->item = false;
	}
	s->minus = false;
}

/* What follows makes the number before it an operand, not an item. */
static bool
operand_follows(const struct shaper *s)
{
	struct lex l = s->lex;
	struct lex_token t;

	switch (lex_next_real(&l, &t)) {
	case LEX_END:
		return false;
	case LEX_PUNCT:
		return !lex_is_punct(&l, &t, ',') && !lex_is_punct(&l, &t, ')') &&
		    !lex_is_punct(&l, &t, ';');
	case LEX_WORD:
		switch (word_of(&l, &t)) {
		case W_AND:
		case W_AT:
		case W_BETWEEN:
		case W_COLLATE:
		case W_ILIKE:
		case W_IN:
		case W_IS:
		case W_ISNULL:
		case W_LIKE:
		case W_NOT:
		case W_NOTNULL:
		case W_OPERATOR:
		case W_OR:
		case W_OVERLAPS:
		case W_SIMILAR:
			return true;
		default:
			return false;
		}
	default:
		return true;
	}
}

static void
shape_int(struct shaper *s, const struct lex_token *t)
{
	uint64_t v = lex_int(&s->lex, t);
	char digits[8];
	size_t n = sizeof(digits);

	if (s->item && in_list(s) && v >= 1 && v <= POSITION_MAX &&
	    !operand_follows(s)) {
		for (; v > 0; v /= 10)
			digits[--n] = (char)('0' + v % 10);
		sink_put(&s->sink, digits + n, sizeof(digits) - n, false);
	} else if (v <= INT32_MAX) {
		sink_place(&s->sink, "$i");
	} else if (v == (uint64_t)INT32_MAX + 1 && s->minus) {
		sink_place(&s->sink, "$j");
	} else if (v <= INT64_MAX) {
		sink_place(&s->sink, "$l");
	} else if (v == (uint64_t)INT64_MAX + 1 && s->minus) {
		sink_place(&s->sink, "$m");
	} else {
		sink_place(&s->sink, "$n");
	}
}

/* PostgreSQL's check_uescapechar(). */
static bool
is_uescape(int c)
{
	return c > 0 && strchr("0123456789abcdefABCDEF+'\" \t\n\r\f", c) == NULL;
}

static void
shape_string(struct shaper *s, const struct lex_token *t)
{
	int c = s->uescape ? lex_single_byte(&s->lex, t) : -1;
	char quoted[3] = {'\'', (char)c, '\''};

	if (s->first_quoted == NONE)
		s->first_quoted = s->sink.n;
	if (is_uescape(c))
		sink_put(&s->sink, quoted, sizeof(quoted), false);
	else
		sink_place(&s->sink, t->kind == LEX_NSTRING ? "$c" :
		    t->kind == LEX_BITS ? "$b" : "$s");
}

static void
shape_token(struct shaper *s, const struct lex_token *t)
{
	const char *p = (const char *)s->lex.p + t->start;
	bool operand = true;

	switch (t->kind) {
	case LEX_SPACE:
	case LEX_COMMENT:
		s->sink.spaced = true;
		return;
	case LEX_WORD:
		sink_put(&s->sink, p, t->len, false);
		shape_word(s, word_of(&s->lex, t));
		return;
	case LEX_PUNCT:
		sink_put(&s->sink, p, t->len, false);
		shape_punct(s, (uint8_t)*p);
		operand = false;
		break;
	case LEX_OP:
		sink_put(&s->sink, p, t->len, false);
		s->minus = p[t->len - 1] == '-';
		s->item = operand = false;
		break;
	case LEX_IDENT:
		if (s->first_quoted == NONE)
			s->first_quoted = s->sink.n;
		sink_put(&s->sink, p, t->len, false);
		break;
	case LEX_PARAM:
		sink_put(&s->sink, p, t->len, false);
		break;
	case LEX_INT:
		shape_int(s, t);
		break;
	case LEX_NUMERIC:
		sink_place(&s->sink, "$n");
		break;
	default:
		shape_string(s, t);
		break;
	}
	if (operand)
		s->item = s->minus = false;
	s->on = false;
	s->uescape = false;
	s->unicode_ident = t->kind == LEX_IDENT && *p != '"';
	s->word = W_NONE;
}

/*
 * With a quote that never closes, nobody knows which side of the earlier quotes
 * was meant to be inside. No server runs such a text; so nothing is kept from
 * its first quote on.
 */
static void
shape_broken(struct shaper *s)
{
	struct sink *k = &s->sink;

	if (s->first_quoted < k->n)
		k->n = s->first_quoted;
	*k = (struct sink){.out = k->out, .cap = k->cap, .n = k->n,
	    .last = k->n > 0 ? (uint8_t)k->out[k->n - 1] : 0,
	    .spaced = k->n > 0 && k->out[k->n - 1] != ' '};
	sink_place(k, "$?");
}

size_t
sql_shape(char *out, size_t cap, const char *text, size_t len,
    bool std_strings, uint64_t *hash)
{
	struct shaper s;
	struct lex_token t;

	/* the hash's chunk needs no clearing */
	s.lex = lex_init(text, len, std_strings);
	s.sink.out = out;
	s.sink.cap = cap;
	s.sink.n = s.sink.fill = 0;
	s.sink.hash = 0;
	s.sink.last = 0;
	s.sink.full = s.sink.spaced = s.sink.placed = false;
	s.first_quoted = NONE;
	s.lists = 0;
	s.depth = 0;
	s.item = s.on = s.minus = s.unicode_ident = s.uescape = false;
	s.word = W_NONE;
	while (lex_next(&s.lex, &t) != LEX_END) {
		if (t.kind == LEX_BROKEN) {
			shape_broken(&s);
			break;
		}
		shape_token(&s, &t);
	}
	if (hash != NULL)
		*hash = sink_end(&s.sink);
	return s.sink.n;
}
