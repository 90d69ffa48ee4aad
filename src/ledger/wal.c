/* SPDX-License-Identifier: Apache-2.0 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ledger/wal.h"

#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ledger/sites.h"

static const uint8_t ring_magic[8] = {'K', 'B', 'R', 'I', 'N', 'G', 0, 1};
static const uint8_t frame_magic[8] = {'K', 'B', 'F', 'R', 'A', 'M', 'E', 1};

enum { SUM_AT = 88, RING_HEAD = 64, WINDOW = 256 << 10 };

void
frame_free(struct frame *f)
{
	if (f == NULL)
		return;
	free(f->block);
	free(f);
}

bool
frame_head(struct frame *out, const uint8_t block[WAL_BLOCK],
    const uint8_t id[WAL_ID])
{
	struct rd r = rd_init(block, WAL_HEAD);
	struct frame f = {.next = NULL};
	uint32_t blocks;

	if (memcmp(rd_bytes(&r, 8).p, frame_magic, 8) != 0)
		return false;
	f.epoch = rd_u32(&r);
	f.count = rd_u32(&r);
	f.seq = rd_u64(&r);
	f.first = rd_u64(&r);
	f.len = rd_u32(&r);
	blocks = rd_u32(&r);
	if (memcmp(rd_bytes(&r, WAL_ID).p, id, WAL_ID) != 0)
		return false;
	memcpy(f.prev.b, rd_bytes(&r, MERKLE_BYTES).p, MERKLE_BYTES);
	memcpy(f.sum.b, rd_bytes(&r, MERKLE_BYTES).p, MERKLE_BYTES);
	if (rd_u64(&r) != 0 || blocks == 0 || blocks > WAL_FRAME_MAX / WAL_BLOCK ||
	    f.count == 0 ||
	    ((uint64_t)f.len + WAL_HEAD + WAL_BLOCK - 1) / WAL_BLOCK != blocks)
		return false;
	f.bytes = (size_t)blocks * WAL_BLOCK;
	*out = f;
	return true;
}

static void
frame_sum(struct merkle_hash *out, const uint8_t *bytes, size_t n)
{
	static const uint8_t zero[MERKLE_BYTES];
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, bytes, SUM_AT);
	SHA256_Update(&c, zero, sizeof zero);
	SHA256_Update(&c, bytes + SUM_AT + MERKLE_BYTES,
	    n - SUM_AT - MERKLE_BYTES);
	SHA256_Final(out->b, &c);
}

bool
frame_whole(const struct frame *f, const uint8_t *bytes)
{
	struct rd r = rd_init(bytes + WAL_HEAD, f->len);
	struct merkle_hash sum;
	uint32_t n = 0;

	frame_sum(&sum, bytes, f->bytes);
	if (!merkle_eq(&sum, &f->sum))
		return false;
	for (size_t i = WAL_HEAD + f->len; i < f->bytes; i++)
		if (bytes[i] != 0)
			return false;
	while (r.left > 0 && !r.bad) {
		rd_lp16(&r);
		n++;
	}
	return rd_end(&r) && n == f->count;
}

static void *
blocks_alloc(size_t bytes)
{
	void *p = aligned_alloc(WAL_BLOCK, bytes);

	if (p != NULL)
		memset(p, 0, bytes);
	return p;
}

enum err
wal_create(const struct vfs *v, const char *path, uint64_t bytes)
{
	enum { STEP = WAL_MIN / 2 };
	struct vfs_file *f = NULL;
	uint8_t *p = blocks_alloc(STEP);
	struct merkle_hash sum;
	enum err err;

	if (p == NULL)
		return ERR_NOMEM;
	bytes -= bytes % STEP;
	if ((err = v->open(v, &f, path, VFS_WRITE | VFS_CREATE | VFS_TRUNC |
	    VFS_PRIVATE, NULL)) != ERR_OK)
		goto out;
	memcpy(p, ring_magic, 8);
	for (int i = 0; i < 8; i++)
		p[8 + i] = (uint8_t)(bytes >> (56 - 8 * i));
	randombytes_buf(p + 16, WAL_ID);
	merkle_sha256(&sum, p, 32);
	memcpy(p + 32, sum.b, MERKLE_BYTES);
	for (uint64_t off = 0; err == ERR_OK && off < bytes; off += STEP) {
		err = v->write(f, p, STEP, off);
		memset(p, 0, RING_HEAD);
	}
	if (err == ERR_OK)
		err = v->sync(f, SITE_WAL_CREATE);
out:
	if (f != NULL)
		v->close(f);
	free(p);
	return err;
}

enum err
wal_open(struct wal *w, const struct vfs *v, const char *path, bool writable)
{
	uint8_t *p = blocks_alloc(WAL_BLOCK);
	struct merkle_hash sum;
	uint64_t size;
	struct rd r;
	size_t got;
	enum err err;

	*w = (struct wal){.file = NULL};
	if (p == NULL)
		return ERR_NOMEM;
	if ((err = v->open(v, &w->file, path, writable ? VFS_WRITE | VFS_DSYNC : 0,
	    writable ? SITE_WAL_FRAME : NULL)) != ERR_OK ||
	    (err = v->size(w->file, &size)) != ERR_OK ||
	    (err = v->read(w->file, p, WAL_BLOCK, 0, &got)) != ERR_OK)
		goto out;
	r = rd_init(p, got);
	merkle_sha256(&sum, p, 32);
	err = ERR_FORMAT;
	if (got != WAL_BLOCK || memcmp(rd_bytes(&r, 8).p, ring_magic, 8) != 0)
		goto out;
	w->end = rd_u64(&r);
	memcpy(w->id, rd_bytes(&r, WAL_ID).p, WAL_ID);
	if (memcmp(rd_bytes(&r, MERKLE_BYTES).p, sum.b, MERKLE_BYTES) != 0 ||
	    w->end != size || w->end < WAL_MIN || w->end > WAL_MAX ||
	    w->end % WAL_BLOCK != 0)
		goto out;
	while (r.left > 0)
		if (rd_u8(&r) != 0)
			goto out;
	w->frame_max = (w->end - WAL_BLOCK) / 4 / WAL_BLOCK * WAL_BLOCK;
	if (w->frame_max > WAL_FRAME_MAX)
		w->frame_max = WAL_FRAME_MAX;
	w->head.offset = w->tail = WAL_BLOCK;
	err = ERR_OK;
out:
	free(p);
	if (err != ERR_OK)
		wal_close(w);
	return err;
}

static void
window_forget(struct wal *w)
{
	free(w->win);
	w->win = NULL;
	w->win_len = 0;
}

void
wal_close(struct wal *w)
{
	if (w->file != NULL)
		w->file->vfs->close(w->file);
	w->file = NULL;
	window_forget(w);
}

/* n bytes at an offset, through a read-ahead window; NULL: not there. */
static enum err
window(struct wal *w, uint64_t offset, size_t n, const uint8_t **out)
{
	size_t want = n > WINDOW ? n : WINDOW, got;
	enum err err;

	*out = NULL;
	if (offset > w->end || n > w->end - offset)
		return ERR_OK;
	if (offset < w->win_at || offset - w->win_at > w->win_len ||
	    n > w->win_len - (offset - w->win_at)) {
		if (w->win == NULL && (w->win = aligned_alloc(WAL_BLOCK,
		    w->frame_max > WINDOW ? w->frame_max : WINDOW)) == NULL)
			return ERR_NOMEM;
		w->win_len = 0;
		err = w->file->vfs->read(w->file, w->win, want, offset, &got);
		if (err != ERR_OK)
			return err;
		w->win_at = offset;
		w->win_len = got;
	}
	if (n <= w->win_len - (offset - w->win_at))
		*out = w->win + (offset - w->win_at);
	return ERR_OK;
}

/* Is there a whole frame at an offset, with a number of at least seq? Leftovers
 * of an earlier epoch are none. */
static enum err
frame_at(struct wal *w, uint64_t offset, uint64_t seq, struct frame *out,
    const uint8_t **bytes)
{
	const uint8_t *p;
	enum err err;

	if ((err = window(w, offset, WAL_BLOCK, &p)) != ERR_OK)
		return err;
	if (p == NULL || !frame_head(out, p, w->id) || out->seq < seq ||
	    out->epoch < w->epoch || out->bytes > w->frame_max)
		return ERR_NOTFOUND;
	if ((err = window(w, offset, out->bytes, &p)) != ERR_OK)
		return err;
	if (p == NULL || !frame_whole(out, p))
		return ERR_NOTFOUND;
	out->offset = offset;
	*bytes = p;
	return ERR_OK;
}

static bool
follows(const struct wal *w, const struct frame *f)
{
	return f->seq == w->head.seq && merkle_eq(&f->prev, &w->head.prev);
}

/* The expected frame: behind the last one, or at the start when it did not fit. */
static enum err
frame_next(struct wal *w, struct frame **out)
{
	struct frame f, *copy;
	const uint8_t *p;
	enum err err;

	err = frame_at(w, w->head.offset, w->head.seq, &f, &p);
	if (err == ERR_OK && !follows(w, &f))
		err = ERR_NOTFOUND;
	if (err == ERR_NOTFOUND && w->head.offset != WAL_BLOCK) {
		err = frame_at(w, WAL_BLOCK, w->head.seq, &f, &p);
		if (err == ERR_OK && (!follows(w, &f) ||
		    f.bytes <= w->end - w->head.offset))
			err = ERR_NOTFOUND;
	}
	if (err != ERR_OK)
		return err;
	if ((copy = malloc(sizeof *copy)) == NULL)
		return ERR_NOMEM;
	*copy = f;
	if ((copy->block = blocks_alloc(f.bytes)) == NULL) {
		free(copy);
		return ERR_NOMEM;
	}
	memcpy(copy->block, p, f.bytes);
	*out = copy;
	return ERR_OK;
}

enum err
wal_walk(struct wal *w, const struct wal_pos *pos, uint32_t epoch,
    enum err (*take)(void *arg, struct frame *f), void *arg)
{
	struct frame *f;
	enum err err;

	w->head = *pos;
	w->epoch = epoch;
	w->tail = pos->offset;
	w->live = 0;
	window_forget(w);
	if (pos->offset < WAL_BLOCK || pos->offset > w->end ||
	    pos->offset % WAL_BLOCK != 0)
		return ERR_FORMAT;
	while ((err = frame_next(w, &f)) == ERR_OK) {
		if (w->live++ == 0)
			w->tail = f->offset;
		w->head = frame_after(f);
		w->epoch = f->epoch;
		if ((err = take(arg, f)) != ERR_OK)
			break;
	}
	window_forget(w);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err
wal_nothing_later(struct wal *w)
{
	enum err err = ERR_NOTFOUND;
	const uint8_t *p;
	struct frame f;

	for (uint64_t at = WAL_BLOCK; err == ERR_NOTFOUND && at < w->end;
	    at += WAL_BLOCK)
		err = frame_at(w, at, w->head.seq, &f, &p);
	window_forget(w);
	return err == ERR_OK ? ERR_BROKEN : err == ERR_NOTFOUND ? ERR_OK : err;
}

bool
wal_room(const struct wal *w, size_t bytes, uint64_t *at)
{
	uint64_t h = w->head.offset;

	if (w->live > 0 && h <= w->tail) {	/* wrapped */
		*at = h;
		return bytes <= w->tail - h;
	}
	if (h < w->end && bytes <= w->end - h) {
		*at = h;
		return true;
	}
	*at = WAL_BLOCK;
	return bytes <= (w->live > 0 ? w->tail : w->end) - WAL_BLOCK;
}

uint64_t
wal_used(const struct wal *w)
{
	if (w->live == 0)
		return 0;
	if (w->head.offset > w->tail)
		return w->head.offset - w->tail;
	return w->end - w->tail + w->head.offset - WAL_BLOCK;
}

enum err
wal_write(struct wal *w, struct frame *f, uint64_t at)
{
	uint8_t raw[WAL_HEAD] = {0};
	struct buf b = {.data = raw, .cap = sizeof raw, .max = sizeof raw};

	f->seq = w->head.seq;
	f->prev = w->head.prev;
	f->offset = at;
	buf_put(&b, frame_magic, sizeof frame_magic);
	buf_u32(&b, f->epoch);
	buf_u32(&b, f->count);
	buf_u64(&b, f->seq);
	buf_u64(&b, f->first);
	buf_u32(&b, f->len);
	buf_u32(&b, (uint32_t)(f->bytes / WAL_BLOCK));
	buf_put(&b, w->id, WAL_ID);
	buf_put(&b, f->prev.b, MERKLE_BYTES);
	memcpy(f->block, raw, sizeof raw);
	frame_sum(&f->sum, f->block, f->bytes);
	memcpy(f->block + SUM_AT, f->sum.b, MERKLE_BYTES);
	return w->file->vfs->write(w->file, f->block, f->bytes, at);
}

void
wal_wrote(struct wal *w, const struct frame *f)
{
	if (w->live++ == 0)
		w->tail = f->offset;
	w->head = frame_after(f);
}

void
wal_recycle(struct wal *w, const struct frame *next)
{
	must(w->live > 0);
	w->live--;
	w->tail = next != NULL ? next->offset : w->head.offset;
}
