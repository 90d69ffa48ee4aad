/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers: other processes that look at a log while its writer goes on. They
 * take no lock: what is archived never changes, and the ring is read between two
 * equal looks at `state`.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/entry.h"
#include "ledger/index.h"
#include "ledger/ledger.h"

enum { TRIES = 100, OPEN_AT_ONCE = 64 };

struct ledger_reader {
	const struct vfs *vfs;
	char dir[PATH_BYTES];
	struct state state;
	struct frame *first, *last;	/* owns; what the ring adds to the archive */
	uint64_t size;

	uint8_t *bundle;		/* owns; the one read last */
	size_t bundle_len;
	uint64_t bundle_n;
	uint32_t at[TILE_WIDTH];	/* where its entries begin */
	unsigned count;
};

static void
frames_drop(struct ledger_reader *r)
{
	while (r->first != NULL) {
		struct frame *f = r->first;

		r->first = f->next;
		frame_free(f);
	}
	r->last = NULL;
}

static enum err
take(void *arg, struct frame *f)
{
	struct ledger_reader *r = arg;

	if (f->first != r->size) {
		frame_free(f);
		return ERR_NOTFOUND;
	}
	f->next = NULL;
	if (r->last != NULL)
		r->last->next = f;
	else
		r->first = f;
	r->last = f;
	r->size += f->count;
	return ERR_OK;
}

/* Of a directory without state and ring, a copy of the public files. */
static enum err
state_of_copy(struct ledger_reader *r)
{
	struct checkpoint c;
	char path[PATH_BYTES];
	struct slice text;
	uint8_t *p, *end;
	size_t len;
	enum err err;

	if ((err = path_join(path, r->dir, "checkpoint")) != ERR_OK ||
	    (err = vfs_read_all(r->vfs, path, NOTE_MAX_BYTES, &p, &len)) != ERR_OK)
		return err;
	if ((end = memmem(p, len, "\n\n", 2)) == NULL) {
		free(p);
		return ERR_FORMAT;
	}
	text = (struct slice){p, (size_t)(end - p) + 1};
	if ((err = checkpoint_parse(&c, text)) == ERR_OK) {
		r->state = (struct state){.size = c.size, .root = c.root};
		strcpy(r->state.origin, c.origin);
		r->size = c.size;
	}
	free(p);
	return err;
}

static bool
state_eq(const struct state *a, const struct state *b)
{
	return a->size == b->size && a->epoch == b->epoch &&
	    a->wal.seq == b->wal.seq && merkle_eq(&a->root, &b->root);
}

static enum err
refresh(struct ledger_reader *r)
{
	char path[PATH_BYTES];
	struct state again;
	struct wal w;
	enum err err;

	if ((err = path_join(path, r->dir, "wal")) != ERR_OK)
		return err;
	for (int i = 0; i < TRIES; i++) {
		frames_drop(r);
		r->bundle_n = UINT64_MAX;
		err = state_read(&r->state, r->vfs, r->dir);
		if (err == ERR_NOTFOUND)
			return state_of_copy(r);
		if (err != ERR_OK)
			return err;
		r->size = r->state.size;
		if ((err = wal_open(&w, r->vfs, path, false)) != ERR_OK)
			return err == ERR_NOTFOUND ? ERR_OK : err;
		err = wal_walk(&w, &r->state.wal, r->state.epoch, take, r);
		wal_close(&w);
		if (err != ERR_OK && err != ERR_NOTFOUND)
			return err;
		if ((err = state_read(&again, r->vfs, r->dir)) != ERR_OK)
			return err;
		if (state_eq(&again, &r->state))
			return ERR_OK;
	}
	return ERR_BUSY;
}

enum err
ledger_reader_open(struct ledger_reader **out, const char *dir,
    const struct vfs *vfs)
{
	struct ledger_reader *r;
	enum err err;

	if (strlen(dir) + 64 > PATH_BYTES)
		return ERR_TOOBIG;
	if ((r = calloc(1, sizeof *r)) == NULL)
		return ERR_NOMEM;
	r->vfs = vfs != NULL ? vfs : vfs_os();
	strcpy(r->dir, dir);
	if ((err = refresh(r)) != ERR_OK) {
		ledger_reader_close(r);
		return err;
	}
	*out = r;
	return ERR_OK;
}

void
ledger_reader_close(struct ledger_reader *r)
{
	if (r == NULL)
		return;
	frames_drop(r);
	free(r->bundle);
	free(r);
}

uint64_t
ledger_reader_size(struct ledger_reader *r)
{
	uint64_t before = r->size;

	if (refresh(r) != ERR_OK)
		r->size = before;
	return r->size;
}

static enum err
load_bundle(struct ledger_reader *r, uint64_t n)
{
	struct slice entry;
	struct rd rd;
	enum err err;

	if (r->bundle_n == n)
		return ERR_OK;
	free(r->bundle);
	r->bundle = NULL;
	r->bundle_n = UINT64_MAX;
	err = tile_read_at(r->vfs, r->dir, r->state.size, TILE_ENTRIES, n,
	    &r->bundle, &r->bundle_len);
	if (err != ERR_OK)
		return err;
	rd = rd_init(r->bundle, r->bundle_len);
	for (r->count = 0; r->count < TILE_WIDTH && rd.left > 0; r->count++) {
		r->at[r->count] = (uint32_t)(rd.p - r->bundle);
		if (!bundle_next(&rd, &entry))
			break;
	}
	if (!rd_end(&rd) ||
	    r->count != tile_width(r->state.size, TILE_ENTRIES, n))
		return ERR_FORMAT;
	r->bundle_n = n;
	return ERR_OK;
}

static enum err
read_frame(struct ledger_reader *r, uint64_t index, struct slice *entry)
{
	struct frame *f = r->first;
	struct rd rd;

	while (f->first + f->count <= index)
		f = f->next;
	rd = rd_init(frame_payload(f).p, f->len);
	for (uint64_t n = f->first; n <= index; n++)
		*entry = rd_lp16(&rd);
	return ERR_OK;
}

enum err
ledger_read(struct ledger_reader *r, uint64_t index, struct slice *entry)
{
	enum err err;
	struct rd rd;

	if (index >= r->size && ((err = refresh(r)) != ERR_OK || index >= r->size))
		return err != ERR_OK ? err : ERR_NOTFOUND;
	if (index >= r->state.size)
		return read_frame(r, index, entry);
	err = load_bundle(r, index / TILE_WIDTH);
	for (int i = 0; err == ERR_NOTFOUND && i < TRIES; i++) {
		/* the partial bundle was superseded meanwhile */
		if ((err = refresh(r)) == ERR_OK)
			err = load_bundle(r, index / TILE_WIDTH);
	}
	if (err != ERR_OK)	/* it must be there */
		return err == ERR_NOTFOUND ? ERR_BROKEN : err;
	rd = rd_init(r->bundle + r->at[index % TILE_WIDTH],
	    r->bundle_len - r->at[index % TILE_WIDTH]);
	*entry = rd_lp16(&rd);
	return ERR_OK;
}

/* --- who ----------------------------------------------------------------- */

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

struct asking {
	struct ledger_reader *r;
	const char *dir;
	const uint64_t *tokens;
	size_t n;
	uint64_t from;		/* the first entry not asked about yet */
	enum err (*hit)(void *arg, uint64_t index);
	void *arg;
};

/* Hands out what a segment has, once each, in order. */
static enum err
ask_segment(const struct asking *q, struct vfs_file *f, const struct segment *s)
{
	struct hits h = {NULL, 0, 0};
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < q->n; i++)
		err = segment_find(f, s, q->tokens[i], &h);
	if (q->n > 1 && h.n > 0)
		qsort(h.v, h.n, sizeof *h.v, by_number);
	for (size_t i = 0; err == ERR_OK && i < h.n; i++)
		if (s->first + h.v[i] >= q->from && (i == 0 || h.v[i] != h.v[i - 1]))
			err = q->hit(q->arg, s->first + h.v[i]);
	free(h.v);
	return err;
}

/* Opens a group of segments and lets the disk begin, then asks one by one. */
static enum err
ask_group(const struct asking *q, const struct segment *s, size_t n)
{
	struct vfs_file *f[OPEN_AT_ONCE] = {NULL};
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		err = segment_open(&f[i], q->r->vfs, q->dir, &s[i]);
		for (size_t k = 0; err == ERR_OK && k < q->n; k++)
			segment_soon(f[i], &s[i], q->tokens[k]);
	}
	/* Nothing is handed out before all are open: a merge may remove one. */
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = ask_segment(q, f[i], &s[i]);
	for (size_t i = 0; i < n; i++)
		if (f[i] != NULL)
			q->r->vfs->close(f[i]);
	return err;
}

/* ERR_NOTFOUND: a segment was merged meanwhile, look again. */
static enum err
ask_segments(struct asking *q)
{
	struct segments have;
	enum err err;
	size_t i = 0, n;

	if ((err = segments_list(&have, q->r->vfs, q->dir, NULL, NULL)) != ERR_OK)
		return err;
	while (i < have.n && have.v[i].first + have.v[i].entries <= q->from)
		i++;
	for (; err == ERR_OK && i < have.n; i += n) {
		n = have.n - i < OPEN_AT_ONCE ? have.n - i : OPEN_AT_ONCE;
		if ((err = ask_group(q, have.v + i, n)) == ERR_OK)
			q->from = have.v[i + n - 1].first + have.v[i + n - 1].entries;
	}
	segments_fini(&have);
	return err;
}

struct match {
	const struct asking *q;
	bool found;
};

static enum err
match_one(void *arg, unsigned domain, uint64_t token)
{
	struct match *m = arg;

	(void)domain;
	for (size_t i = 0; i < m->q->n; i++)
		if (m->q->tokens[i] == token)
			m->found = true;
	return ERR_OK;
}

/* The entries that no segment has yet. */
static enum err
ask_tail(const struct asking *q, uint64_t to)
{
	enum err err = ERR_OK;
	struct slice entry;

	for (uint64_t i = q->from; err == ERR_OK && i < to; i++) {
		struct match m = {q, false};

		if ((err = ledger_read(q->r, i, &entry)) != ERR_OK)
			break;
		entry_tokens(entry, match_one, &m);
		if (m.found)
			err = q->hit(q->arg, i);
	}
	return err;
}

enum err
ledger_who(struct ledger_reader *r, const uint64_t *tokens, size_t n,
    enum err (*hit)(void *arg, uint64_t index), void *arg)
{
	char dir[PATH_BYTES];
	struct asking q = {r, dir, tokens, n, 0, hit, arg};
	enum err err;
	uint64_t to;

	if ((err = path_join(dir, r->dir, "index")) != ERR_OK)
		return err;
	to = ledger_reader_size(r);
	do
		err = ask_segments(&q);
	while (err == ERR_NOTFOUND);
	return err == ERR_OK ? ask_tail(&q, to) : err;
}
