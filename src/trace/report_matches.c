/* SPDX-License-Identifier: Apache-2.0 */
/* matches.csv: docs/spec/trace.md. A line a mention, hence tens of millions. */
#include "trace/trace.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUT_BYTES (1u << 20)
#define KEY_MAX 1023u
#define LINE_MAX_BYTES (2 * KEY_MAX + 4096)
#define KEYS_PART .3			/* of the time that it all takes */
#define RELEASE_ROWS 500000u	/* how often pages of ours are given back */

/* The keys of the rows of ours that are named, in the order of the rows. */
struct keys {
	uint64_t *named;	/* a bit a row */
	uint32_t *before;	/* named rows before each 64 */
	uint64_t *at;		/* where the key of the n-th begins in text */
	char *text;
	size_t len, cap;
};

struct out {
	int fd;
	char *p;
	size_t n;
	bool bad;
};

static void
out_flush(struct out *o)
{
	for (size_t done = 0; done < o->n && !o->bad;) {
		ssize_t k = write(o->fd, o->p + done, o->n - done);

		o->bad = k <= 0;
		done += k > 0 ? (size_t)k : 0;
	}
	o->n = 0;
}

static void
put(struct out *o, const char *s, size_t n)
{
	memcpy(o->p + o->n, s, n);
	o->n += n;
}

static void
put_text(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

static void
put_char(struct out *o, char c)
{
	o->p[o->n++] = c;
}

static void
put_number(struct out *o, uint64_t v, unsigned least)
{
	char d[20];
	unsigned n = sizeof d;

	do {
		d[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v || sizeof d - n < least);
	put(o, d + n, sizeof d - n);
}

static void
put_csv(struct out *o, const char *s, size_t n)
{
	if (!memchr(s, '"', n) && !memchr(s, ',', n) && !memchr(s, '\n', n) &&
	    !memchr(s, '\r', n)) {
		put(o, s, n);
		return;
	}
	put_char(o, '"');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			put_char(o, '"');
		put_char(o, s[i]);
	}
	put_char(o, '"');
}

static void
put_agree(struct out *o, const struct model *m, const uint8_t *sigs,
    uint32_t a, uint32_t b)
{
	const uint8_t *x = sigs + (size_t)a * m->stride;
	const struct sig *s = (const struct sig *)x;
	const char *sep = "";
	struct levels l;

	if (!m->schema && (s->role & SIG_GUARDIAN)) {
		put_text(o, "guardian");
		sep = ";";
	}
	if (b == LINK_NONE)
		return;
	model_levels(m, x, sigs + (size_t)b * m->stride, &l);
	for (unsigned i = 0; i < m->nfields; i++) {
		if (l.v[i] == LEVEL_MISSING)
			continue;
		put_text(o, sep);
		put_text(o, model_field_name(m, i));
		put_char(o, '=');
		put_text(o, model_level_name(m, i, l.v[i]));
		sep = ";";
	}
}

static uint32_t
ours_row(const struct trace_result *r, uint32_t mention)
{
	return r->ours.row_of[mention - r->ours.base];
}

static bool
wrote(const struct trace_options *o, double part)
{
	return !o->progress || o->progress(o->arg, "write", part, 0);
}

/* In the order of the rows, so that ours is read once from end to end. */
static enum err
keys_read(struct keys *k, const struct trace_result *r, uint8_t *scratch,
    const struct trace_options *o)
{
	const struct table *t = &r->ours;
	size_t words = t->nrows / 64 + 1, n = 0;

	k->named = calloc(words, sizeof *k->named);
	k->before = calloc(words, sizeof *k->before);
	if (!k->named || !k->before)
		return ERR_NOMEM;
	for (size_t i = 0; i < r->list.nmentions; i++)
		if (r->link.best[i].id != LINK_NONE) {
			uint32_t row = ours_row(r, r->link.best[i].id);

			k->named[row / 64] |= 1ull << row % 64;
		}
	for (size_t i = 0; i < words; i++) {
		k->before[i] = (uint32_t)n;
		n += (size_t)__builtin_popcountll(k->named[i]);
	}
	k->at = malloc((n + 1) * sizeof *k->at);
	if (!k->at)
		return ERR_NOMEM;
	n = 0;
	for (size_t row = 0; row < t->nrows; row++) {
		if (row % RELEASE_ROWS == 0 && row) {
			table_release(t, row - RELEASE_ROWS, row);
			if (!wrote(o, KEYS_PART * (double)row /
			    (double)t->nrows))
				return ERR_CLOSED;
		}
		if (!(k->named[row / 64] >> row % 64 & 1))
			continue;
		if (k->len + KEY_MAX + 1 > k->cap) {
			size_t cap = k->cap ? k->cap * 2 : 1 << 20;
			char *text = realloc(k->text, cap);

			if (!text)
				return ERR_NOMEM;
			k->text = text;
			k->cap = cap;
		}
		k->at[n++] = k->len;
		k->len += table_key(t, row, scratch, k->text + k->len,
		    KEY_MAX + 1);
	}
	k->at[n] = k->len;
	return ERR_OK;
}

static void
put_key(struct out *o, const struct keys *k, uint32_t row)
{
	uint64_t below = k->named[row / 64] & ((1ull << row % 64) - 1);
	size_t n = k->before[row / 64] + (size_t)__builtin_popcountll(below);

	put_csv(o, k->text + k->at[n], (size_t)(k->at[n + 1] - k->at[n]));
}

static void
put_row(struct out *o, const struct trace_result *r, const struct keys *k,
    const uint8_t *sigs, size_t row, uint64_t offset)
{
	const struct table *t = &r->list;
	const struct model *model = &r->link.learned;
	uint32_t m = t->first[row], of;

	if (m == TABLE_NO_ROW)	/* an empty row */
		return;
	of = t->row_of[m];
	for (; m < t->nmentions && t->row_of[m] == of; m++) {
		const struct link_best *b = &r->link.best[m];
		uint64_t millionths = (uint64_t)llrint((double)b->probability *
		    1e6);

		if (m + 12 < t->nmentions && b[12].id != LINK_NONE)
			__builtin_prefetch(sigs + (size_t)b[12].id *
			    model->stride);
		if (o->n + LINE_MAX_BYTES > OUT_BYTES)
			out_flush(o);
		put_number(o, row + 1, 1);
		put_char(o, ',');
		put_number(o, offset, 1);
		put_char(o, ',');
		if (b->id != LINK_NONE)
			put_key(o, k, ours_row(r, b->id));
		put_char(o, ',');
		put_number(o, millionths / 1000000, 1);
		put_char(o, '.');
		put_number(o, millionths % 1000000, 6);
		put_text(o, b->accepted ? ",1," : ",0,");
		put_number(o, r->link.person[m] + 1ull, 1);
		put_char(o, ',');
		put_agree(o, model, sigs, m, b->id);
		put_char(o, '\n');
	}
}

enum err
report_matches(const struct trace_result *r, const uint8_t *sigs,
    const struct trace_options *opt, const char *path)
{
	struct out o = {.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0644), .p = malloc(OUT_BYTES)};
	uint8_t *scratch = malloc(CSV_ROW_MAX + 1);
	struct table_source at = {0, 0};
	struct keys k = {0};
	enum err e = o.fd < 0 ? ERR_IO : o.p && scratch ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK)
		e = keys_read(&k, r, scratch, opt);
	if (e == ERR_OK)
		put_text(&o, "list_row,list_offset,our_key,probability,"
		    "accepted,person,agree\n");
	for (size_t row = 0; e == ERR_OK && row < r->list.nrows; row++) {
		put_row(&o, r, &k, sigs, row, table_source(&r->list, row,
		    &at));
		if (row % 65536 == 0 && !wrote(opt, KEYS_PART + (1 -
		    KEYS_PART) * (double)row / (double)r->list.nrows))
			e = ERR_CLOSED;
		if (o.bad)
			e = ERR_IO;
	}
	if (e == ERR_OK)
		out_flush(&o);
	if (o.fd >= 0 && close(o.fd) != 0)
		o.bad = true;
	free(k.named);
	free(k.before);
	free(k.at);
	free(k.text);
	free(scratch);
	free(o.p);
	return e == ERR_OK && o.bad ? ERR_IO : e;
}
