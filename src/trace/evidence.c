/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why the list is, or is not, ours: canaries, rare spellings, values that only
 * we held; which items and services; which releases.
 */
#include "trace/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err
key_map_init(struct key_map *m, const struct table *ours)
{
	m->cap = 1 << 10;
	while (m->cap < ours->nrows * 2)
		m->cap *= 2;
	m->hash = calloc(m->cap, sizeof *m->hash);
	m->row = malloc(m->cap * sizeof *m->row);
	if (!m->hash || !m->row) {
		key_map_fini(m);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < ours->nrows; i++) {
		uint64_t h = ours->key_hash[i];
		size_t k = h & (m->cap - 1);

		if (!h)
			continue;
		while (m->hash[k] && m->hash[k] != h)
			k = (k + 1) & (m->cap - 1);
		if (!m->hash[k]) {
			m->hash[k] = h;
			m->row[k] = (uint32_t)i;
		}
	}
	return ERR_OK;
}

uint32_t
key_map_get(const struct key_map *m, uint64_t h)
{
	size_t k = h & (m->cap - 1);

	while (m->hash[k]) {
		if (m->hash[k] == h)
			return m->row[k];
		k = (k + 1) & (m->cap - 1);
	}
	return TABLE_NO_ROW;
}

void
key_map_fini(struct key_map *m)
{
	free(m->hash);
	free(m->row);
	memset(m, 0, sizeof *m);
}

static uint32_t
ours_row(const struct trace_result *r, uint32_t mention)
{
	return r->ours.row_of[mention - r->ours.base];
}

uint64_t *
evidence_leak(const struct trace_result *r)
{
	uint64_t *bits = calloc(r->ours.nrows / 64 + 1, 8);

	for (size_t i = 0; bits && i < r->list.nmentions; i++)
		if (r->link.best[i].accepted) {
			uint32_t row = ours_row(r, r->link.best[i].id);

			bits[row / 64] |= 1ull << (row % 64);
		}
	return bits;
}

/* A small CSV with a header: fields by name. */
struct side_file {
	const uint8_t *p;
	size_t len;
	struct csv csv;
	uint8_t *scratch;
	struct slice f[COLUMNS_MAX];
	unsigned n;
};

static enum err
side_open(struct side_file *s, const char *path, const char *const *names,
    int *at, unsigned n, char *why, size_t cap)
{
	struct text_made made;
	enum err e = file_map_text(path, &s->p, &s->len, &made, why, cap);
	struct csv_row row;

	s->scratch = NULL;
	if (e != ERR_OK) {
		s->p = NULL;
		return e;
	}
	s->scratch = malloc(CSV_ROW_MAX + 1);
	if (!s->scratch)
		return ERR_NOMEM;
	csv_open(&s->csv, s->p, s->len);
	for (unsigned i = 0; i < n; i++)
		at[i] = -1;
	if (csv_next(&s->csv, &row))
		s->n = csv_split(s->p + row.offset, row.len, s->csv.sep, s->f,
		    COLUMNS_MAX, s->scratch);
	for (unsigned c = 0; c < s->n; c++)
		for (unsigned i = 0; i < n; i++)
			if (slice_is(s->f[c], names[i]))
				at[i] = (int)c;
	for (unsigned i = 0; i < n; i++)
		if (at[i] < 0) {
			snprintf(why, cap, "%s: no column \"%s\"", path,
			    names[i]);
			return ERR_FORMAT;
		}
	return ERR_OK;
}

static bool
side_next(struct side_file *s)
{
	struct csv_row row;

	if (!csv_next(&s->csv, &row))
		return false;
	s->n = csv_split(s->p + row.offset, row.len, s->csv.sep, s->f,
	    COLUMNS_MAX, s->scratch);
	return true;
}

static struct slice
side_field(const struct side_file *s, int at)
{
	return (unsigned)at < s->n ? s->f[at] : (struct slice){NULL, 0};
}

static void
side_close(struct side_file *s)
{
	file_unmap(s->p, s->len);
	free(s->scratch);
}

enum err
evidence_canaries(struct trace_result *r, const struct key_map *keys,
    const struct trace_options *o, char *why, size_t cap)
{
	static const char *const names[] = {"subject_key"};
	struct side_file f = {0};
	uint64_t *leak = evidence_leak(r);
	int at[1];
	enum err e = leak ? side_open(&f, o->canaries, names, at, 1, why, cap) :
	    ERR_NOMEM;

	while (e == ERR_OK && side_next(&f)) {
		uint32_t row = key_map_get(keys, key_hash(side_field(&f,
		    at[0])));

		r->canaries++;
		r->unknown_canaries += row == TABLE_NO_ROW;
		if (row != TABLE_NO_ROW && leak[row / 64] >> (row % 64) & 1)
			r->canaries_hit++;
	}
	r->has_canaries = true;
	side_close(&f);
	free(leak);
	return e;
}

/* Hash of a value's text that spacing, width and hyphens do not change. */
static uint64_t
loose_hash(const struct text *t)
{
	uint64_t h = TEXT_HASH_INIT;

	for (unsigned i = 0; i < t->n; i++) {
		uint16_t c = text_same(t->v[i]);

		if (c != ' ' && c != '-' && c != 0x30fc)
			h = text_hash_add(h, c);
	}
	return text_hash_end(h);
}

static int
cmp_date(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct dates {
	char (*v)[12];
	size_t n, cap;
};

static enum err
date_push(struct dates *d, struct slice s)
{
	if (s.len < 4)
		return ERR_OK;
	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 1024;
		void *v = realloc(d->v, cap * sizeof *d->v);

		if (!v)
			return ERR_NOMEM;
		d->v = v;
		d->cap = cap;
	}
	memset(d->v[d->n], 0, sizeof d->v[0]);
	memcpy(d->v[d->n++], s.p, s.len < 11 ? s.len : 11);
	return ERR_OK;
}

/*
 * The latest beginning and the earliest end of the versions that the list
 * has; one in two hundred may be chance, so the extremes are not believed.
 */
static void
window_of(struct trace_window *w, struct dates *from, struct dates *to)
{
	qsort(from->v, from->n, sizeof *from->v, cmp_date);
	qsort(to->v, to->n, sizeof *to->v, cmp_date);
	if (from->n)
		snprintf(w->from, sizeof w->from, "%.11s",
		    from->v[from->n - 1 - from->n / 200]);
	if (to->n)
		snprintf(w->to, sizeof w->to, "%.11s", to->v[to->n / 200]);
	w->values = from->n;
}

static int
cmp_row(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

enum err
evidence_history(struct trace_result *r, const struct key_map *keys,
    const struct trace_options *o, char *why, size_t cap)
{
	static const char *const names[] = {"subject_key", "column", "value",
	    "from", "to"};
	struct side_file f = {0};
	struct row_reader reader = {0};
	struct text *a = malloc(sizeof *a), *b = malloc(sizeof *b);
	uint32_t *list_row = malloc((r->ours.nrows + 1) * sizeof *list_row);
	size_t ngroups = r->attribution.n;
	struct dates *from = calloc(ngroups + 1, sizeof *from);
	struct dates *to = calloc(ngroups + 1, sizeof *to);
	int at[5];
	enum err e = a && b && list_row && from && to ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK)
		e = row_reader_init(&reader, &r->list.cols, NULL, NULL, NULL,
		    r->list.usual, r->list.sep);
	if (e == ERR_OK)
		e = side_open(&f, o->history, names, at, 5, why, cap);
	if (e != ERR_OK)
		goto out;
	for (size_t i = 0; i < r->ours.nrows; i++)
		list_row[i] = TABLE_NO_ROW;
	for (size_t i = r->list.nmentions; i-- > 0;)
		if (r->link.best[i].accepted)
			list_row[ours_row(r, r->link.best[i].id)] =
			    r->list.row_of[i];
	while (e == ERR_OK && side_next(&f)) {
		struct slice value = side_field(&f, at[2]);
		struct slice column = side_field(&f, at[1]), end, row_bytes;
		uint32_t row = key_map_get(keys, key_hash(side_field(&f,
		    at[0])));
		int col = -1;

		r->unknown_history += row == TABLE_NO_ROW;
		if (row == TABLE_NO_ROW || list_row[row] == TABLE_NO_ROW)
			continue;
		for (unsigned k = COL_NAME; k < COL_COUNT; k++)
			if (slice_is(column, column_kind_name(k)))
				col = r->list.cols.at[k];
		for (unsigned k = 0; k < r->ours.cols.n && col < 0; k++)
			if (slice_is(column, r->ours.cols.name[k]) &&
			    r->ours.cols.kind[k] != COL_NONE)
				col = r->list.cols.at[r->ours.cols.kind[k]];
		if (col < 0)
			continue;
		row_bytes = table_row(&r->list, list_row[row]);
		row_field(&reader, row_bytes.p, row_bytes.len, col, a);
		text_decode(b, value.p, value.len, text_guess(value.p,
		    value.len, ENC_UTF8));
		if (a->n == 0 || loose_hash(a) != loose_hash(b))
			continue;
		end = side_field(&f, at[4]);
		r->stale += end.len > 0;
		for (size_t g = 0; g <= ngroups && e == ERR_OK; g++) {
			const struct release *rel = g < ngroups ? &r->release[
			    r->attribution.group[g].release[0]] : NULL;

			if (rel && !bsearch(&row, rel->v, rel->n, sizeof row,
			    cmp_row))
				continue;
			e = date_push(&from[g], side_field(&f, at[3]));
			if (e == ERR_OK)
				e = date_push(&to[g], end);
		}
	}
	if (e != ERR_OK)
		goto out;
	r->has_history = true;
	window_of(&r->window, &from[ngroups], &to[ngroups]);
	r->group_window = calloc(ngroups + 1, sizeof *r->group_window);
	for (size_t g = 0; r->group_window && g < ngroups; g++)
		window_of(&r->group_window[g], &from[g], &to[g]);
out:
	for (size_t g = 0; from && to && g <= ngroups; g++) {
		free(from[g].v);
		free(to[g].v);
	}
	free(from);
	free(to);
	free(list_row);
	free(a);
	free(b);
	row_reader_fini(&reader);
	side_close(&f);
	return e;
}

struct release_index {
	uint32_t *slot;		/* release + 1 */
	size_t cap;
};

static enum err
release_find(struct trace_result *r, struct release_index *x, size_t *cap,
    struct slice id, size_t *out)
{
	size_t i;

	if ((r->nreleases + 1) * 2 > x->cap) {
		size_t n = x->cap ? x->cap * 2 : 1024;
		uint32_t *slot = calloc(n, sizeof *slot);

		if (!slot)
			return ERR_NOMEM;
		for (size_t k = 0; k < r->nreleases; k++) {
			i = hash64(r->release[k].id, strlen(r->release[k].id),
			    3) & (n - 1);
			while (slot[i])
				i = (i + 1) & (n - 1);
			slot[i] = (uint32_t)k + 1;
		}
		free(x->slot);
		x->slot = slot;
		x->cap = n;
	}
	i = hash64(id.p, id.len, 3) & (x->cap - 1);
	while (x->slot[i]) {
		if (slice_is(id, r->release[x->slot[i] - 1].id)) {
			*out = x->slot[i] - 1;
			return ERR_OK;
		}
		i = (i + 1) & (x->cap - 1);
	}
	if (r->nreleases == *cap) {
		size_t n = *cap ? *cap * 2 : 64;
		struct release *v = realloc(r->release, n * sizeof *v);

		if (!v)
			return ERR_NOMEM;
		r->release = v;
		*cap = n;
	}
	r->release[r->nreleases] = (struct release){
	    strndup((const char *)id.p, id.len), NULL, 0, 0};
	if (!r->release[r->nreleases].id)
		return ERR_NOMEM;
	x->slot[i] = (uint32_t)r->nreleases + 1;
	*out = r->nreleases++;
	return ERR_OK;
}

static enum err
read_releases(struct trace_result *r, const struct key_map *keys,
    const struct trace_options *o, char *why, size_t cap)
{
	static const char *const names[] = {"release_id", "subject_key"};
	struct side_file f = {0};
	struct release_index x = {0};
	size_t release_cap = 0, last = SIZE_MAX;
	int at[2];
	enum err e = side_open(&f, o->releases, names, at, 2, why, cap);

	while (e == ERR_OK && side_next(&f)) {
		struct slice id = side_field(&f, at[0]);
		uint32_t row = key_map_get(keys, key_hash(side_field(&f,
		    at[1])));
		struct release *rel;

		if (id.len == 0)
			continue;
		if (last == SIZE_MAX || !slice_is(id, r->release[last].id))
			e = release_find(r, &x, &release_cap, id, &last);
		if (e != ERR_OK)
			break;
		if (row == TABLE_NO_ROW) {
			r->unknown_subjects++;
			continue;
		}
		rel = &r->release[last];
		if (rel->n == rel->cap) {
			size_t n = rel->cap ? rel->cap * 2 : 64;
			uint32_t *v = realloc(rel->v, n * sizeof *v);

			if (!v) {
				e = ERR_NOMEM;
				break;
			}
			rel->v = v;
			rel->cap = n;
		}
		rel->v[rel->n++] = row;
	}
	free(x.slot);
	side_close(&f);
	return e;
}

static void
overlaps(struct trace_result *r)
{
	size_t n = r->attribution.n < 8 ? r->attribution.n : 8;

	for (size_t a = 0; a < n; a++)
		for (size_t b = 0; b < n; b++) {
			const struct release *x = &r->release[
			    r->attribution.group[a].release[0]];
			const struct release *y = &r->release[
			    r->attribution.group[b].release[0]];
			size_t i = 0, k = 0, both = 0;

			while (i < x->n && k < y->n) {
				if (x->v[i] == y->v[k])
					both++, i++, k++;
				else if (x->v[i] < y->v[k])
					i++;
				else
					k++;
			}
			r->overlap[a][b] = x->n ? (double)both /
			    (double)x->n : 0;
		}
}

enum err
evidence_releases(struct trace_result *r, const struct key_map *keys,
    const struct trace_options *o, char *why, size_t cap)
{
	uint64_t *leak = evidence_leak(r);
	enum err e = leak ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK)
		e = o->load_releases ? o->load_releases(o->load_arg, &r->ours,
		    &r->release, &r->nreleases, &r->unknown_subjects, why,
		    cap) :
		    read_releases(r, keys, o, why, cap);
	for (size_t i = 0; e == ERR_OK && i < r->nreleases; i++)
		release_finish(&r->release[i]);
	if (e == ERR_OK)
		e = attribute(&r->attribution, r->release, r->nreleases, leak,
		    r->ours.nrows);
	if (e == ERR_OK) {
		r->has_releases = true;
		overlaps(r);
	}
	free(leak);
	return e;
}

/*
 * Who belongs to whom is known to few: children of ours whose guardian on the
 * list is the one that we have for them.
 */
void
evidence_pairs(struct trace_result *r, const uint8_t *sigs)
{
	const struct sig *s = (const struct sig *)sigs;
	size_t all = r->list.nmentions + r->ours.nmentions;
	struct levels l;

	for (size_t i = 1; i < r->list.nmentions; i++) {
		const struct link_best *child = &r->link.best[i - 1];
		size_t own = (size_t)child->id + 1;

		if (!(s[i].role & SIG_GUARDIAN) || !child->accepted ||
		    r->list.row_of[i] != r->list.row_of[i - 1] ||
		    own >= all || !(s[own].role & SIG_GUARDIAN))
			continue;
		model_levels(&r->link.learned, (const uint8_t *)&s[i],
		    (const uint8_t *)&s[own], &l);
		if (l.v[F_GIVEN] <= 3)
			r->pairs_same++;
		else
			r->pairs_other++;
	}
}

/*
 * Rare forms of characters (髙, 﨑, 邉): where we hold one, does the list? Who
 * collects a name on his own writes the common form about as often, so each
 * that is kept is a bit of evidence that the spelling came from us.
 */
void
evidence_rare(struct trace_result *r, const uint8_t *sigs)
{
	for (size_t i = 0; i < r->list.nmentions; i++) {
		const struct link_best *b = &r->link.best[i];
		const struct sig *x, *y;

		if (!b->accepted)
			continue;
		x = (const struct sig *)(sigs + i * sizeof *x);
		y = (const struct sig *)(sigs + b->id * sizeof *y);
		if (!(y->role & SIG_RARE) || !x->all || x->all != y->all)
			continue;
		if (x->raw == y->raw)
			r->rare_same++;
		else
			r->rare_other++;
	}
	/* log2 of the likelihood ratio: kept with 0.9 against 0.5. */
	r->rare_bits = (double)r->rare_same * log2(.9 / .5) +
	    (double)r->rare_other * log2(.1 / .5);
}

void
evidence_items(struct trace_result *r, const struct schema *schema)
{
	unsigned n = schema ? schema->n : COL_COUNT;
	const struct table *t = &r->list;

	for (unsigned k = schema ? 0 : COL_NAME; k < n &&
	    r->nitems < TRACE_ITEMS; k++) {
		struct trace_item *it = &r->item[r->nitems];
		int l = schema ? t->cols.generic[k] : t->cols.at[k];
		int us = schema ? r->ours.cols.generic[k] : r->ours.cols.at[k];

		if (l < 0 && us < 0)
			continue;
		snprintf(it->name, sizeof it->name, "%s", schema ?
		    schema->column[k].name : column_kind_name(k));
		it->kind = schema ? COL_NONE : k;
		it->in_list = l >= 0 && t->filled[l] > 0;
		it->in_ours = us >= 0;
		it->filled = l >= 0 && t->nrows ? (double)t->filled[l] /
		    (double)t->nrows : 0;
		r->nitems++;
	}
	for (unsigned c = 0; c < t->cols.n; c++) {
		bool read = (int)c == t->cols.key;

		for (unsigned k = 0; schema && k < schema->n; k++)
			read = read || t->cols.generic[k] == (int)c;
		if (!schema)
			read = read || t->cols.kind[c] != COL_NONE;
		r->unread_columns += !read && t->filled[c] > 0;
	}
}

static int
cmp_service(const void *a, const void *b)
{
	const struct trace_service *x = a, *y = b;

	if (x->persons != y->persons)
		return x->persons > y->persons ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Persons of the list by the service or table that ours has them in. */
enum err
evidence_services(struct trace_result *r)
{
	int col = r->ours.cols.at[COL_SERVICE];
	struct row_reader reader = {0};
	uint64_t *leak;
	struct text *t;
	enum err e;

	if (col < 0)
		return ERR_OK;
	leak = evidence_leak(r);
	t = malloc(sizeof *t);
	e = leak && t ? row_reader_init(&reader, &r->ours.cols, NULL, NULL,
	    NULL, r->ours.usual, r->ours.sep) : ERR_NOMEM;
	for (size_t i = 0; e == ERR_OK && i < r->ours.nrows; i++) {
		char name[96];
		unsigned k = 0;
		struct slice row;

		if (i % 500000 == 0 && i)
			table_release(&r->ours, i - 500000, i);
		if (!(leak[i / 64] >> (i % 64) & 1))
			continue;
		row = table_row(&r->ours, i);
		row_field(&reader, row.p, row.len, col, t);
		text_utf8(name, sizeof name, t->v, t->n);
		while (k < r->nservices && strcmp(r->service[k].name, name) != 0)
			k++;
		if (k == r->nservices) {
			if (k == TRACE_SERVICES)
				k--;	/* the last one gathers the rest */
			else
				snprintf(r->service[r->nservices++].name,
				    sizeof name, "%s", name);
		}
		r->service[k].persons++;
	}
	qsort(r->service, r->nservices, sizeof r->service[0], cmp_service);
	row_reader_fini(&reader);
	free(leak);
	free(t);
	return e;
}

/*
 * Thresholds: docs/trace.md says what each was tried against. Bits are those of
 * rare spellings, for us when positive.
 */
void
evidence_verdict(struct trace_result *r)
{
	const struct estimate *ours = r->has_background ? &r->only_ours :
	    &r->persons_ours;
	double persons = r->persons.estimate > 0 ? r->persons.estimate : 1;
	double high = ours->high / persons, low = ours->low / persons;
	uint64_t rare = r->rare_same + r->rare_other;
	/* Share of our own people who are on it. */
	double covered = ours->low / ((double)r->ours.nrows + 1);
	bool enough = rare >= 20, foreign = enough && r->rare_bits < -3;

	r->verdict = VERDICT_UNCLEAR;
	r->doubt = DOUBT_NONE;
	if (r->canaries_hit > 0)
		r->verdict = VERDICT_OURS;
	else if (r->list.nmentions == 0)
		r->doubt = DOUBT_EMPTY;
	else if ((double)r->comparable < .5 * (double)r->link.npersons)
		r->doubt = DOUBT_SILENT;
	else if (high < .02)
		r->verdict = VERDICT_NOT_OURS;
	else if (r->attribution.n > 0 && r->attribution.group[0].explains)
		r->verdict = VERDICT_OURS;
	else if (foreign)
		r->doubt = DOUBT_SPELLING;
	else if ((low >= .2 && enough && r->rare_bits >= 10) ||
	    (low >= .5 && r->rare_bits >= 3) ||
	    (low >= .8 && (!r->has_releases || covered >= .5)))
		r->verdict = VERDICT_OURS;
	else
		r->doubt = DOUBT_SHARE;
}
