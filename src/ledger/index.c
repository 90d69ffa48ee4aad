/* SPDX-License-Identifier: Apache-2.0 */
/* Segment names, listing, search. The writer is in index_write.c. */
#include "ledger/index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
segment_name(char out[INDEX_NAME + 1], const struct segment *s)
{
	snprintf(out, INDEX_NAME + 1, "%016" PRIx64 "-%08" PRIx32 "-%08" PRIx32,
	    s->first, s->entries, s->tokens);
}

bool
segment_parse(struct segment *out, const char *name)
{
	struct segment s;
	char again[INDEX_NAME + 1];

	if (strlen(name) != INDEX_NAME || name[16] != '-' || name[25] != '-')
		return false;
	s.first = strtoull(name, NULL, 16);
	s.entries = (uint32_t)strtoul(name + 17, NULL, 16);
	s.tokens = (uint32_t)strtoul(name + 26, NULL, 16);
	segment_name(again, &s);
	if (strcmp(again, name) != 0 || s.entries == 0 || s.entries > INDEX_BIG ||
	    s.first > INT64_MAX)
		return false;
	*out = s;
	return true;
}

bool
segment_head(const uint8_t head[INDEX_HEAD], const struct segment *s,
    uint32_t *words)
{
	struct rd r = rd_init(head, INDEX_HEAD);

	if (memcmp(rd_bytes(&r, 8).p, "KBINDEX\1", 8) != 0 ||
	    rd_u64(&r) != s->first || rd_u32(&r) != s->entries ||
	    rd_u32(&r) != s->tokens)
		return false;
	*words = rd_u32(&r);
	return rd_u32(&r) == 0;
}

/* --- listing ------------------------------------------------------------- */

struct listing {
	struct segments *s;
	void (*extra)(void *arg, const char *name);
	void *arg;
};

static enum err
list_one(void *arg, const char *name, enum vfs_kind kind)
{
	struct listing *l = arg;
	struct segments *s = l->s;
	struct segment g, *v;

	if (kind != VFS_FILE || !segment_parse(&g, name)) {
		if (l->extra != NULL)
			l->extra(l->arg, name);
		return ERR_OK;
	}
	if (s->n == s->cap) {
		size_t cap = s->cap > 0 ? s->cap * 2 : 64;

		if ((v = realloc(s->v, cap * sizeof *v)) == NULL)
			return ERR_NOMEM;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = g;
	return ERR_OK;
}

/* By first entry, the longer one first. */
static int
by_place(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->entries != y->entries)
		return x->entries > y->entries ? -1 : 1;
	return 0;
}

enum err
segments_list(struct segments *out, const struct vfs *v, const char *dir,
    void (*extra)(void *arg, const char *name), void *arg)
{
	struct segments s = {.v = NULL};
	struct listing l = {&s, extra, arg};
	char name[INDEX_NAME + 1];
	enum err err;
	size_t n = 0;

	err = v->list(v, dir, list_one, &l);
	if (err != ERR_OK && err != ERR_NOTFOUND) {
		segments_fini(&s);
		return err;
	}
	if (s.n > 0)
		qsort(s.v, s.n, sizeof *s.v, by_place);
	for (size_t i = 0; i < s.n; i++) {
		if (s.v[i].first == s.end) {
			s.end += s.v[i].entries;
			s.v[n++] = s.v[i];
		} else if (extra != NULL) {
			segment_name(name, &s.v[i]);
			extra(arg, name);
		}
	}
	s.n = n;
	*out = s;
	return ERR_OK;
}

void
segments_fini(struct segments *s)
{
	free(s->v);
	*s = (struct segments){.v = NULL};
}

/* --- searching ----------------------------------------------------------- */

enum err
segment_open(struct vfs_file **out, const struct vfs *v, const char *dir,
    const struct segment *s)
{
	char path[PATH_BYTES], name[INDEX_NAME + 1];
	enum err err;

	segment_name(name, s);
	if ((err = path_join(path, dir, name)) != ERR_OK)
		return err;
	return v->open(v, out, path, 0, NULL);
}

/* What is known of a token's place: in items [lo, hi), all from lo_token up. */
struct range {
	uint64_t lo, hi;
	uint64_t lo_token, hi_token;
};

static uint64_t
sqrt_of(uint64_t n)
{
	uint64_t r = n > 0 ? 1ull << (64 - __builtin_clzll(n)) / 2 : 0, next;

	if (r == 0)
		return 0;
	while ((next = (r + n / r) / 2) < r)
		r = next;
	return r;
}

/*
 * The items to read next: around the interpolated place, two standard deviations
 * (each at most half the root of n) to either side, in whole pages. bisect: when
 * the tokens turn out not to be spread evenly.
 */
static void
window_of(const struct range *g, uint64_t token, bool bisect, uint64_t *from,
    uint64_t *to)
{
	enum { PAGE = 4096 };
	uint64_t n = g->hi - g->lo, mid, w, a, b;

	if (bisect) {
		mid = g->lo + n / 2;
		w = 0;
	} else {
		mid = g->lo + (uint64_t)((__uint128_t)(token - g->lo_token) * n /
		    ((__uint128_t)(g->hi_token - g->lo_token) + 1));
		w = sqrt_of(n);
	}
	a = (INDEX_HEAD + (mid > w ? mid - w : 0) * INDEX_ITEM) / PAGE * PAGE;
	b = (INDEX_HEAD + (mid + w + 1) * INDEX_ITEM + PAGE - 1) / PAGE * PAGE;
	a = a < INDEX_HEAD ? 0 : (a - INDEX_HEAD + INDEX_ITEM - 1) / INDEX_ITEM;
	b = (b - INDEX_HEAD) / INDEX_ITEM;
	*from = a < g->lo ? g->lo : a;
	*to = b > g->hi ? g->hi : b;
}

static struct range
everything(const struct segment *s)
{
	return (struct range){0, s->tokens, 0, UINT64_MAX};
}

void
segment_soon(struct vfs_file *f, const struct segment *s, uint64_t token)
{
	const struct range g = everything(s);
	uint64_t a, b;

	if (s->tokens == 0)
		return;
	window_of(&g, token, false, &a, &b);
	f->vfs->read_soon(f, INDEX_HEAD + a * INDEX_ITEM, (b - a) * INDEX_ITEM);
}

static enum err
read_exactly(struct vfs_file *f, void *p, size_t n, uint64_t off)
{
	size_t got;
	enum err err = f->vfs->read(f, p, n, off, &got);

	return err == ERR_OK && got != n ? ERR_FORMAT : err;
}

static uint64_t
item_token(const uint8_t *items, uint64_t i)
{
	struct rd r = rd_init(items + i * INDEX_ITEM, INDEX_ITEM);

	return rd_u64(&r);
}

/* Binary search in a window that must hold the token if any does. */
static bool
search(const uint8_t *items, uint64_t n, uint64_t token, uint32_t *value)
{
	uint64_t lo = 0, hi = n;
	struct rd r;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2, t = item_token(items, mid);

		if (t == token) {
			r = rd_init(items + mid * INDEX_ITEM + 8, 4);
			*value = rd_u32(&r);
			return true;
		}
		if (t < token)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/* ERR_NOTFOUND when the segment does not have the token. */
static enum err
lookup(struct vfs_file *f, const struct segment *s, uint64_t token,
    uint32_t *value)
{
	struct range g = everything(s);
	enum err err = ERR_NOTFOUND;
	uint8_t *items = NULL, *p;
	uint64_t a, b, n;

	for (int round = 0; g.lo < g.hi; round++) {
		window_of(&g, token, round >= 3, &a, &b);
		n = b - a;
		if ((p = realloc(items, n * INDEX_ITEM)) == NULL) {
			err = ERR_NOMEM;
			break;
		}
		items = p;
		err = read_exactly(f, items, n * INDEX_ITEM,
		    INDEX_HEAD + a * INDEX_ITEM);
		if (err != ERR_OK)
			break;
		err = ERR_NOTFOUND;
		if (token < item_token(items, 0)) {
			g.hi = a;
			g.hi_token = item_token(items, 0) - 1;
		} else if (token > item_token(items, n - 1)) {
			g.lo = b;
			g.lo_token = item_token(items, n - 1) + 1;
		} else {
			if (search(items, n, token, value))
				err = ERR_OK;
			break;
		}
	}
	free(items);
	return err;
}

static enum err
hits_push(struct hits *h, uint32_t entry)
{
	uint32_t *v;

	if (h->n == h->cap) {
		size_t cap = h->cap > 0 ? h->cap * 2 : 64;

		if ((v = realloc(h->v, cap * sizeof *v)) == NULL)
			return ERR_NOMEM;
		h->v = v;
		h->cap = cap;
	}
	h->v[h->n++] = entry;
	return ERR_OK;
}

/* A list among the words: its count and entries, mostly in one read. */
static enum err
read_list(struct vfs_file *f, const struct segment *s, uint32_t place,
    struct hits *hits)
{
	uint64_t at = INDEX_HEAD + (uint64_t)s->tokens * INDEX_ITEM +
	    (uint64_t)place * 4;
	uint8_t page[4096];
	uint32_t count, entry;
	struct rd r;
	size_t got;
	enum err err;

	if ((err = f->vfs->read(f, page, sizeof page, at, &got)) != ERR_OK)
		return err;
	r = rd_init(page, got);
	count = rd_u32(&r);
	at += got;
	if (r.bad || count > s->entries)
		return ERR_FORMAT;
	for (uint32_t i = 0; i < count; i++) {
		if (r.left == 0) {
			err = f->vfs->read(f, page, sizeof page, at, &got);
			if (err != ERR_OK)
				return err;
			r = rd_init(page, got);
			at += got;
		}
		entry = rd_u32(&r);
		if (r.bad || entry >= s->entries)
			return ERR_FORMAT;
		if ((err = hits_push(hits, entry)) != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum err
segment_find(struct vfs_file *f, const struct segment *s, uint64_t token,
    struct hits *hits)
{
	uint32_t value;
	enum err err;

	if ((err = lookup(f, s, token, &value)) != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	if (value >> 31)
		return read_list(f, s, value & INT32_MAX, hits);
	return value < s->entries ? hits_push(hits, value) : ERR_FORMAT;
}
