/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/span.h"

#include <stdlib.h>
#include <string.h>

#include "sql/lex.h"

/* The tokens of a span, with the depth of parentheses and the last token's end. */
struct walk {
	struct lex l;
	struct lex_token t;
	size_t end;		/* of the token before t */
	int depth;		/* outside of t when t opens or closes */
	bool open;		/* t was '(': counts from the next token on */
};

static struct walk
walk_init(const char *text, struct span s)
{
	struct walk w = {.l = lex_init(text, s.start + s.len, true)};

	w.l.pos = w.end = s.start;
	return w;
}

static bool
walk_next(struct walk *w)
{
	if (w->t.len > 0)
		w->end = w->t.start + w->t.len;
	w->depth += w->open;
	lex_next_real(&w->l, &w->t);
	w->open = lex_is_punct(&w->l, &w->t, '(');
	if (lex_is_punct(&w->l, &w->t, ')'))
		w->depth--;
	return w->t.kind != LEX_END && w->t.kind != LEX_BROKEN;
}

static bool
walk_word(const struct walk *w, const char *word)
{
	return lex_is_word(&w->l, &w->t, word);
}

/* From an opening parenthesis to its end; inner may be empty. */
static bool
walk_group(struct walk *w, struct span *inner)
{
	int depth = w->depth;

	if (!w->open || !walk_next(w))
		return false;
	inner->start = w->t.start;
	while (w->depth > depth) {
		if (!walk_next(w))
			return false;
	}
	inner->len = w->end > inner->start ? w->end - inner->start : 0;
	return true;
}

bool
span_trim(const char *text, struct span *s)
{
	struct walk w = walk_init(text, *s);

	if (!walk_next(&w))
		return false;
	s->start = w.t.start;
	while (walk_next(&w))
		;
	s->len = w.end - s->start;
	return w.t.kind == LEX_END;
}

bool
span_explain(const char *text, struct span s, bool listed, struct span *inner)
{
	struct walk w = walk_init(text, s);
	struct span options;

	if (!walk_next(&w) || !walk_next(&w))
		return false;
	if (listed && w.open) {
		if (!walk_group(&w, &options) || !walk_next(&w))
			return false;
	} else {
		while (walk_word(&w, "analyze") || walk_word(&w, "analyse") ||
		    walk_word(&w, "verbose")) {
			if (!walk_next(&w))
				return false;
		}
	}
	inner->start = w.t.start;
	inner->len = s.start + s.len - w.t.start;
	return true;
}

bool
span_for(const char *text, struct span s, struct span *inner)
{
	struct walk w = walk_init(text, s);

	do {
		if (!walk_next(&w))
			return false;
	} while (w.depth > 0 || !walk_word(&w, "for"));
	if (!walk_next(&w))
		return false;
	inner->start = w.t.start;
	inner->len = s.start + s.len - inner->start;
	return true;
}

bool
span_as(const char *text, struct span s, struct span *types,
    struct span *inner)
{
	struct walk w = walk_init(text, s);
	size_t with = 0;
	bool data = false;

	*types = (struct span){0};
	do {
		if (w.open && w.depth == 0) {
			if (!walk_group(&w, types))
				return false;
		}
		if (!walk_next(&w))
			return false;
	} while (w.depth > 0 || !walk_word(&w, "as"));
	if (!walk_next(&w))
		return false;
	inner->start = w.t.start;
	do {
		/* nothing but a trailing WITH [NO] DATA ends in these words */
		if (walk_word(&w, "with"))
			with = w.end;
		data = walk_word(&w, "data") && with > 0;
		if (!walk_word(&w, "with") && !walk_word(&w, "no") && !data)
			with = 0;
	} while (walk_next(&w));
	if (w.t.kind != LEX_END)
		return false;
	inner->len = (data && with > 0 ? with : w.end) - inner->start;
	return true;
}

bool
span_copy(const char *text, struct span s, bool query, struct span_copy *out)
{
	struct walk w = walk_init(text, s);

	*out = (struct span_copy){0};
	if (!walk_next(&w) || !walk_next(&w))
		return false;
	if (query) {
		if (!walk_group(&w, &out->inner) || !walk_next(&w))
			return false;
	} else {
		out->binary = walk_word(&w, "binary");
		while (!walk_word(&w, "to") && !walk_word(&w, "from")) {
			if (w.open && !walk_group(&w, &out->columns))
				return false;
			if (!walk_next(&w))
				return false;
		}
	}
	/* on TO or FROM; the next is STDIN or STDOUT */
	if (!walk_next(&w))
		return false;
	out->options.start = w.t.start + w.t.len;
	if (walk_next(&w)) {
		out->options.start = w.t.start;
		out->options.len = s.start + s.len - w.t.start;
	}
	return w.t.kind != LEX_BROKEN;
}

bool
span_is_target(const char *text, struct span s, size_t at)
{
	struct walk w = walk_init(text, s);
	bool after = false;

	while (walk_next(&w)) {
		if (w.t.start == at)
			return after;
		after = walk_word(&w, "select") || walk_word(&w, "all") ||
		    walk_word(&w, "returning");
	}
	return false;
}

char *
span_fold(const char *text, struct span s)
{
	struct lex l = lex_init(text, s.start + s.len, true);
	struct lex_token t;
	char *out = malloc(s.len + 1);
	size_t n = 0;

	if (out == NULL)
		return NULL;
	l.pos = s.start;
	while (lex_next(&l, &t) != LEX_END) {
		if (t.kind != LEX_SPACE && t.kind != LEX_COMMENT) {
			memcpy(out + n, text + t.start, t.len);
			n += t.len;
		} else if (n > 0 && out[n - 1] != ' ') {
			out[n++] = ' ';
		}
	}
	out[n] = 0;
	return out;
}
