/* SPDX-License-Identifier: Apache-2.0 */
/* Making and merging the segments of the who-index. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/entry.h"
#include "ledger/index.h"
#include "ledger/sites.h"

enum { CHUNK = 64 << 10, MERGE_MAX = 64 };

/* --- writing one segment ------------------------------------------------- */

struct out {
	const struct vfs *vfs;
	struct vfs_file *file;
	SHA256_CTX hash;
	uint64_t at;
	struct segment seg;
	struct buf dict;		/* not yet written */
	struct buf words;		/* all of them: they follow the dictionary */
	char tmp[PATH_BYTES];
};

static enum err
out_begin(struct out *o, const struct index *x, uint64_t first, uint32_t entries)
{
	enum err err;

	*o = (struct out){.vfs = x->vfs, .at = INDEX_HEAD,
	    .seg = {first, entries, 0}};
	SHA256_Init(&o->hash);
	buf_init(&o->dict, CHUNK + INDEX_ITEM);
	buf_init(&o->words, (size_t)1 << 31);
	if ((err = path_join(o->tmp, x->dir, "new.tmp")) != ERR_OK)
		return err;
	return o->vfs->open(o->vfs, &o->file, o->tmp, VFS_WRITE | VFS_CREATE |
	    VFS_TRUNC, NULL);
}

static enum err
out_drain(struct out *o, struct buf *b)
{
	enum err err;

	if (b->bad)
		return ERR_NOMEM;
	SHA256_Update(&o->hash, buf_head(b), buf_used(b));
	err = o->vfs->write(o->file, buf_head(b), buf_used(b), o->at);
	o->at += buf_used(b);
	buf_clear(b);
	return err;
}

/* One token with its entries, which rise; n > 0. */
static enum err
out_token(struct out *o, uint64_t token, const uint32_t *entries, size_t n)
{
	buf_u64(&o->dict, token);
	if (n == 1) {
		buf_u32(&o->dict, entries[0]);
	} else {
		buf_u32(&o->dict, 1u << 31 | (uint32_t)(buf_used(&o->words) / 4));
		buf_u32(&o->words, (uint32_t)n);
		for (size_t i = 0; i < n; i++)
			buf_u32(&o->words, entries[i]);
	}
	o->seg.tokens++;
	return buf_used(&o->dict) >= CHUNK ? out_drain(o, &o->dict) : ERR_OK;
}

/* Head, sync, name. The name says what is in it, so it is never half there. */
static enum err
out_end(struct out *o, struct index *x)
{
	uint8_t raw[INDEX_HEAD];
	struct buf head = {.data = raw, .cap = sizeof raw, .max = sizeof raw};
	char path[PATH_BYTES], name[INDEX_NAME + 1];
	uint32_t words = (uint32_t)(buf_used(&o->words) / 4);
	enum err err;

	if ((err = out_drain(o, &o->dict)) != ERR_OK ||
	    (err = out_drain(o, &o->words)) != ERR_OK)
		return err;
	buf_put(&head, "KBINDEX\1", 8);
	buf_u64(&head, o->seg.first);
	buf_u32(&head, o->seg.entries);
	buf_u32(&head, o->seg.tokens);
	buf_u32(&head, words);
	buf_u32(&head, 0);
	SHA256_Update(&o->hash, raw, 32);
	SHA256_Final(raw + 32, &o->hash);
	if ((err = o->vfs->write(o->file, raw, sizeof raw, 0)) != ERR_OK)
		return err;
	segment_name(name, &o->seg);
	if ((err = path_join(path, x->dir, name)) != ERR_OK)
		return err;
	if ((err = o->vfs->sync(o->file, SITE_INDEX_FILE)) != ERR_OK ||
	    (err = o->vfs->rename(o->vfs, o->tmp, path)) != ERR_OK)
		return err;
	return o->vfs->sync_dir(o->vfs, x->dir, SITE_INDEX_DIR);
}

static void
out_fini(struct out *o)
{
	if (o->file != NULL)
		o->vfs->close(o->file);
	buf_fini(&o->dict);
	buf_fini(&o->words);
}

/* --- a new segment ------------------------------------------------------- */

static void
sort_digit(struct index *x, unsigned shift)
{
	enum { DIGIT = 2048 };
	uint32_t at[DIGIT] = {0}, sum = 0;
	struct posting *swap;

	for (size_t i = 0; i < x->n; i++)
		at[x->v[i].token >> shift & (DIGIT - 1)]++;
	for (size_t i = 0; i < DIGIT; i++) {
		uint32_t n = at[i];

		at[i] = sum;
		sum += n;
	}
	for (size_t i = 0; i < x->n; i++)
		x->tmp[at[x->v[i].token >> shift & (DIGIT - 1)]++] = x->v[i];
	swap = x->v;
	x->v = x->tmp;
	x->tmp = swap;
}

/* false: far from sorted, it would take too long; equal ones keep their order. */
static bool
sort_near(struct index *x)
{
	size_t moves = 8 * x->n;

	for (size_t i = 1; i < x->n; i++) {
		struct posting p = x->v[i];
		size_t k = i;

		for (; k > 0 && x->v[k - 1].token > p.token; k--)
			x->v[k] = x->v[k - 1];
		x->v[k] = p;
		if (i - k > moves)
			return false;
		moves -= i - k;
	}
	return true;
}

/*
 * By token; postings come in the order of entries and stay so. Tokens are keyed
 * hashes: sorted by their first 22 bits, nearly all are where they belong.
 */
static void
sort(struct index *x)
{
	sort_digit(x, 42);
	sort_digit(x, 53);
	if (sort_near(x))
		return;
	for (unsigned shift = 0; shift < 64; shift += 11)
		sort_digit(x, shift);
}

static enum err
write_sorted(struct index *x, struct out *o)
{
	uint32_t *entries = malloc(x->count * sizeof *entries);
	enum err err = entries != NULL ? ERR_OK : ERR_NOMEM;

	for (size_t i = 0, n; err == ERR_OK && i < x->n;) {
		uint64_t token = x->v[i].token;

		for (n = 0; i < x->n && x->v[i].token == token; i++)
			if (n == 0 || entries[n - 1] != x->v[i].entry)
				entries[n++] = x->v[i].entry;
		err = out_token(o, token, entries, n);
	}
	free(entries);
	return err;
}

static enum err
add_segment(struct segments *s, const struct segment *g)
{
	struct segment *v;

	if (s->n == s->cap) {
		size_t cap = s->cap > 0 ? s->cap * 2 : 64;

		if ((v = realloc(s->v, cap * sizeof *v)) == NULL)
			return ERR_NOMEM;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = *g;
	s->end = g->first + g->entries;
	return ERR_OK;
}

static enum err
close_segment(struct index *x)
{
	struct out o;
	enum err err;

	sort(x);
	if ((err = out_begin(&o, x, x->first, x->count)) == ERR_OK &&
	    (err = write_sorted(x, &o)) == ERR_OK &&
	    (err = out_end(&o, x)) == ERR_OK)
		err = add_segment(&x->have, &o.seg);
	out_fini(&o);
	return err;
}

/* --- merging ------------------------------------------------------------- */

/* A run of bytes of a file, read front to back. */
struct cursor {
	struct vfs_file *file;
	uint64_t at, end;
	uint8_t *buf;			/* owns; CHUNK */
	size_t have, used;
};

static enum err
cursor_need(struct cursor *c, size_t n)
{
	size_t left = c->have - c->used, want;
	enum err err;

	if (left >= n)
		return ERR_OK;
	memmove(c->buf, c->buf + c->used, left);
	want = CHUNK - left;
	if (want > c->end - c->at)
		want = (size_t)(c->end - c->at);
	err = c->file->vfs->read(c->file, c->buf + left, want, c->at, &want);
	c->at += want;
	c->have = left + want;
	c->used = 0;
	if (err == ERR_OK && c->have < n)
		err = ERR_FORMAT;
	return err;
}

struct in {
	struct segment seg;
	struct vfs_file *file;
	struct cursor dict, words;
	uint32_t left;			/* tokens */
	uint64_t token;
	uint32_t value;
};

static enum err
in_next(struct in *in)
{
	struct rd r;
	enum err err;

	if (in->left == 0)
		return ERR_NOTFOUND;
	if ((err = cursor_need(&in->dict, INDEX_ITEM)) != ERR_OK)
		return err;
	r = rd_init(in->dict.buf + in->dict.used, INDEX_ITEM);
	in->token = rd_u64(&r);
	in->value = rd_u32(&r);
	in->dict.used += INDEX_ITEM;
	in->left--;
	return ERR_OK;
}

static enum err
in_open(struct in *in, const struct index *x, const struct segment *s)
{
	uint8_t head[INDEX_HEAD];
	uint32_t words;
	uint64_t body;
	size_t got;
	enum err err;

	*in = (struct in){.seg = *s, .left = s->tokens};
	if ((err = segment_open(&in->file, x->vfs, x->dir, s)) != ERR_OK ||
	    (err = x->vfs->read(in->file, head, sizeof head, 0, &got)) != ERR_OK)
		return err;
	if (got != sizeof head || !segment_head(head, s, &words))
		return ERR_FORMAT;
	body = INDEX_HEAD + (uint64_t)s->tokens * INDEX_ITEM;
	in->dict = (struct cursor){in->file, INDEX_HEAD, body, malloc(CHUNK), 0, 0};
	in->words = (struct cursor){in->file, body, body + (uint64_t)words * 4,
	    malloc(CHUNK), 0, 0};
	return in->dict.buf == NULL || in->words.buf == NULL ? ERR_NOMEM : ERR_OK;
}

static void
in_close(struct in *in)
{
	if (in->file != NULL)
		in->file->vfs->close(in->file);
	free(in->dict.buf);
	free(in->words.buf);
}

/* The entries of in's token, relative to base; n grows. Words lie in order. */
static enum err
in_entries(struct in *in, uint64_t base, struct hits *out)
{
	uint32_t shift = (uint32_t)(in->seg.first - base), count = 1, *v;
	enum err err = ERR_OK;
	struct rd r;

	if (in->value >> 31) {
		if ((err = cursor_need(&in->words, 4)) != ERR_OK)
			return err;
		r = rd_init(in->words.buf + in->words.used, 4);
		count = rd_u32(&r);
		in->words.used += 4;
	}
	if (count > in->seg.entries)
		return ERR_FORMAT;
	if (out->n + count > out->cap) {
		if ((v = realloc(out->v, (out->n + count) * 2 * sizeof *v)) == NULL)
			return ERR_NOMEM;
		out->v = v;
		out->cap = (out->n + count) * 2;
	}
	if (!(in->value >> 31)) {
		out->v[out->n++] = shift + in->value;
		return ERR_OK;
	}
	for (uint32_t i = 0; err == ERR_OK && i < count; i++) {
		if ((err = cursor_need(&in->words, 4)) != ERR_OK)
			break;
		r = rd_init(in->words.buf + in->words.used, 4);
		out->v[out->n++] = shift + rd_u32(&r);
		in->words.used += 4;
	}
	return err;
}

/* All tokens of n adjacent segments, in order. */
static enum err
merge_tokens(struct in *in, size_t n, struct out *o)
{
	struct hits h = {NULL, 0, 0};
	bool live[MERGE_MAX];
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		err = in_next(&in[i]);
		live[i] = err == ERR_OK;
		if (err == ERR_NOTFOUND)
			err = ERR_OK;
	}
	while (err == ERR_OK) {
		uint64_t token = UINT64_MAX;
		bool any = false;

		for (size_t i = 0; i < n; i++)
			if (live[i] && (!any || in[i].token < token)) {
				token = in[i].token;
				any = true;
			}
		if (!any)
			break;
		h.n = 0;
		for (size_t i = 0; err == ERR_OK && i < n; i++) {
			if (!live[i] || in[i].token != token)
				continue;
			if ((err = in_entries(&in[i], o->seg.first, &h)) != ERR_OK)
				break;
			err = in_next(&in[i]);
			live[i] = err == ERR_OK;
			if (err == ERR_NOTFOUND)
				err = ERR_OK;
		}
		if (err == ERR_OK)
			err = out_token(o, token, h.v, h.n);
	}
	free(h.v);
	return err;
}

/* Makes have.v[at .. at + n) one segment. */
static enum err
merge(struct index *x, size_t at, size_t n)
{
	struct segment *s = x->have.v + at;
	struct in in[MERGE_MAX] = {{.left = 0}};
	char path[PATH_BYTES], name[INDEX_NAME + 1];
	struct out o;
	enum err err;

	err = out_begin(&o, x, s[0].first, (uint32_t)(s[n - 1].first +
	    s[n - 1].entries - s[0].first));
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = in_open(&in[i], x, &s[i]);
	if (err == ERR_OK)
		err = merge_tokens(in, n, &o);
	if (err == ERR_OK)
		err = out_end(&o, x);
	for (size_t i = 0; i < n; i++)
		in_close(&in[i]);
	if (err != ERR_OK)
		goto out;
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		segment_name(name, &s[i]);
		if ((err = path_join(path, x->dir, name)) == ERR_OK)
			err = x->vfs->unlink(x->vfs, path);
	}
	s[0] = o.seg;
	memmove(s + 1, s + n, (x->have.n - at - n) * sizeof *s);
	x->have.n -= n - 1;
out:
	out_fini(&o);
	return err;
}

static enum err
segment_bytes(const struct index *x, const struct segment *s, uint64_t *bytes)
{
	struct vfs_file *f;
	enum err err;

	if ((err = segment_open(&f, x->vfs, x->dir, s)) != ERR_OK)
		return err;
	err = x->vfs->size(f, bytes);
	x->vfs->close(f);
	return err;
}

/* Merges the segments from entry `from` on into as few as the limits allow. */
static enum err
merge_from(struct index *x, uint64_t from)
{
	uint64_t bytes = 0, more;
	enum err err = ERR_OK;
	size_t at = x->have.n, n = 0;

	while (at > 0 && x->have.v[at - 1].first >= from)
		at--;
	while (err == ERR_OK && at + n < x->have.n) {
		err = segment_bytes(x, &x->have.v[at + n], &more);
		if (err == ERR_OK && n > 0 && (n == MERGE_MAX ||
		    bytes + more > INDEX_MERGE_BYTES)) {
			if (n > 1)
				err = merge(x, at, n);
			at++;
			n = 0;
			bytes = 0;
		} else {
			bytes += more;
			n++;
		}
	}
	return err == ERR_OK && n > 1 ? merge(x, at, n) : err;
}

/* --- adding -------------------------------------------------------------- */

static enum err
take(void *arg, unsigned domain, uint64_t token)
{
	struct index *x = arg;
	struct posting *v;

	(void)domain;
	if (x->n == x->cap) {
		size_t cap = x->cap > 0 ? x->cap * 2 : 1024;

		if ((v = realloc(x->v, cap * sizeof *v)) == NULL)
			return ERR_NOMEM;
		x->v = v;
		if ((v = realloc(x->tmp, cap * sizeof *v)) == NULL)
			return ERR_NOMEM;
		x->tmp = v;
		x->cap = cap;
	}
	x->v[x->n++] = (struct posting){token, x->count};
	return ERR_OK;
}

static void
restart(struct index *x)
{
	x->first = x->have.end;
	x->count = 0;
	x->n = 0;
}

enum err
index_add(struct index *x, struct slice entry)
{
	enum err err = entry_tokens(entry, take, x);
	uint64_t end = x->first + ++x->count;

	if (err == ERR_FORMAT)	/* it was sealed so; it names nobody we can read */
		err = ERR_OK;
	if (err == ERR_OK && end % INDEX_SPAN != 0 && x->n < INDEX_POSTINGS)
		return ERR_OK;
	if (err == ERR_OK)
		err = close_segment(x);
	if (err == ERR_OK && end % INDEX_MID == 0)
		err = merge_from(x, end - INDEX_MID);
	if (err == ERR_OK && end % INDEX_BIG == 0)
		err = merge_from(x, end - INDEX_BIG);
	restart(x);
	return err;
}

static void
stray(void *arg, const char *name)
{
	struct index *x = arg;
	char path[PATH_BYTES];

	if (path_join(path, x->dir, name) == ERR_OK)
		x->vfs->unlink(x->vfs, path);
}

enum err
index_open(struct index *x, const struct vfs *v, const char *dir, uint64_t size)
{
	enum err err;

	*x = (struct index){.vfs = v};
	if ((err = path_join(x->dir, dir, "index")) != ERR_OK)
		return err;
	if ((err = v->mkdir(v, x->dir)) != ERR_OK && err != ERR_EXISTS)
		return err;
	err = segments_list(&x->have, v, x->dir, stray, x);
	while (err == ERR_OK && x->have.end > size) {	/* of another log */
		char name[INDEX_NAME + 1];

		segment_name(name, &x->have.v[--x->have.n]);
		x->have.end = x->have.v[x->have.n].first;
		stray(x, name);
	}
	restart(x);
	if (err == ERR_OK)	/* a kill may have come just before this */
		err = v->sync_dir(v, x->dir, SITE_INDEX_DIR);
	return err;
}

void
index_fini(struct index *x)
{
	segments_fini(&x->have);
	free(x->v);
	free(x->tmp);
}
