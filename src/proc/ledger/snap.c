/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STATE/meter.snap, so that a start need not read the whole ledger. Derived: a
 * missing or damaged one costs time, nothing else.
 *
 *   "KBSNAP03", u64 entries covered, 32 bytes BLAKE2b of the last of them,
 *   s16 configuration's hash, u32 count of baselines, each: s16 database NUL
 *   table, s16 hash, u16 count, s32 names; u32 day and count of alerts, each 32
 *   bytes; u32 count of uncovered objects, each s16 database NUL object; the
 *   meter (meter_save); 32 bytes BLAKE2b of all before
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proc/ledger/parts.h"

#define MAGIC "KBSNAP03"
enum { IO_BYTES = 1 << 18, SUM_BYTES = 32 };

struct snap_file {
	const struct vfs *vfs;
	struct vfs_file *f;
	uint64_t off, size;
	crypto_generichash_state sum;
	uint8_t *buf;
	size_t len, at;
	enum err err;
};

/* --- writing ------------------------------------------------------------ */

static bool
snap_flush(struct snap_file *s)
{
	if (s->err == ERR_OK && s->len > 0)
		s->err = s->vfs->write(s->f, s->buf, s->len, s->off);
	s->off += s->len;
	s->len = 0;
	return s->err == ERR_OK;
}

static bool
snap_put_raw(struct snap_file *s, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t room = IO_BYTES - s->len, part = n < room ? n : room;

		memcpy(s->buf + s->len, p, part);
		s->len += part;
		p += part;
		n -= part;
		if (s->len == IO_BYTES && !snap_flush(s))
			return false;
	}
	return s->err == ERR_OK;
}

static bool
snap_put(void *arg, const void *p, size_t n)
{
	struct snap_file *s = arg;

	crypto_generichash_update(&s->sum, p, n);
	return snap_put_raw(s, p, n);
}

static void
snap_head(struct book *b, struct buf *h)
{
	struct book_baseline *l;
	struct slice key;
	void *value;

	if (buf_used(&b->last) > 0)
		replay_hash(b->last_hash, (struct slice){buf_head(&b->last),
		    buf_used(&b->last)});
	buf_str(h, MAGIC);
	buf_u64(h, b->next);
	buf_put(h, b->last_hash, 32);
	buf_lp16(h, slice_cstr(b->conf_hash));
	buf_u32(h, (uint32_t)b->baselines.count);
	for (size_t i = 0; map_each(&b->baselines, &i, &key, &value);) {
		l = value;
		buf_lp16(h, key);
		buf_lp16(h, slice_cstr(l->conf));
		buf_u16(h, l->ncolumns);
		buf_lp32(h, (struct slice){buf_head(&l->columns),
		    buf_used(&l->columns)});
	}
	buf_u32(h, (uint32_t)b->alerts_day);
	buf_u32(h, (uint32_t)b->alerts.count);
	for (size_t i = 0; map_each(&b->alerts, &i, &key, NULL);)
		buf_put(h, key.p, key.len);
	buf_u32(h, (uint32_t)b->uncovered.count);
	for (size_t i = 0; map_each(&b->uncovered, &i, &key, NULL);)
		buf_lp16(h, key);
}

enum err
book_snapshot(struct book *b)
{
	struct snap_file s = {.vfs = b->vfs};
	char path[BOOK_PATH_MAX], tmp[BOOK_PATH_MAX];
	uint8_t sum[SUM_BYTES];
	struct buf head;

	if (!book_path(path, b->dir, "meter.snap") ||
	    !book_path(tmp, b->dir, "meter.snap.tmp"))
		return ERR_TOOBIG;
	buf_init(&head, 64u << 20);
	snap_head(b, &head);
	if (head.bad || (s.buf = malloc(IO_BYTES)) == NULL) {
		buf_fini(&head);
		return ERR_NOMEM;
	}
	crypto_generichash_init(&s.sum, NULL, 0, SUM_BYTES);
	s.err = b->vfs->open(b->vfs, &s.f, tmp,
	    VFS_WRITE | VFS_CREATE | VFS_TRUNC | VFS_PRIVATE, NULL);
	if (s.err != ERR_OK)
		goto out;
	if (snap_put(&s, buf_head(&head), buf_used(&head)))
		s.err = meter_save(b->meter, snap_put, &s);
	crypto_generichash_final(&s.sum, sum, sizeof(sum));
	if (s.err == ERR_OK && snap_put_raw(&s, sum, sizeof(sum)) && snap_flush(&s))
		s.err = b->vfs->sync(s.f, "book.snap");
	b->vfs->close(s.f);
	if (s.err == ERR_OK)
		s.err = b->vfs->rename(b->vfs, tmp, path);
	if (s.err == ERR_OK)
		s.err = b->vfs->sync_dir(b->vfs, b->dir, "book.snap-dir");
	if (s.err == ERR_OK)
		b->snap_covers = b->next;
out:
	buf_fini(&head);
	free(s.buf);
	return s.err;
}

/* --- reading ------------------------------------------------------------ */

static bool
snap_get_raw(struct snap_file *s, uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t part;

		if (s->at == s->len) {
			s->at = s->len = 0;
			s->err = s->vfs->read(s->f, s->buf, IO_BYTES, s->off, &s->len);
			if (s->err == ERR_OK && s->len == 0)
				s->err = ERR_SHORT;
			if (s->err != ERR_OK)
				return false;
			s->off += s->len;
		}
		part = s->len - s->at < n ? s->len - s->at : n;
		memcpy(p, s->buf + s->at, part);
		s->at += part;
		p += part;
		n -= part;
	}
	return true;
}

static bool
snap_get(void *arg, void *p, size_t n)
{
	struct snap_file *s = arg;

	if (!snap_get_raw(s, p, n))
		return false;
	crypto_generichash_update(&s->sum, p, n);
	return true;
}

static uint64_t
get_int(struct snap_file *s, size_t n)
{
	uint8_t p[8];
	uint64_t v = 0;

	if (s->err != ERR_OK || !snap_get(s, p, n)) {
		s->err = ERR_FORMAT;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* A text of at most cap - 1 bytes; NUL-terminated. Returns its length. */
static size_t
get_text(struct snap_file *s, char *out, size_t cap)
{
	size_t n = (size_t)get_int(s, 2);

	if (s->err != ERR_OK || n >= cap || !snap_get(s, out, n)) {
		s->err = ERR_FORMAT;
		n = 0;
	}
	out[n] = 0;
	return n;
}

static void
get_baseline(struct book *b, struct snap_file *s)
{
	char key[1025], conf[BOOK_TABLE_HASH];
	struct book_baseline *l;
	size_t n = get_text(s, key, sizeof(key)), used = strlen(key) + 1, len;
	uint8_t *p;

	get_text(s, conf, sizeof(conf));
	if (s->err != ERR_OK || used > n || (l = baseline_make(b, key,
	    (struct slice){(uint8_t *)key + used, n - used})) == NULL) {
		s->err = ERR_FORMAT;
		return;
	}
	memcpy(l->conf, conf, sizeof(conf));
	l->ncolumns = (uint16_t)get_int(s, 2);
	len = (size_t)get_int(s, 4);
	p = s->err == ERR_OK && len > 0 ? buf_room(&l->columns, len) : NULL;
	if (len > 0 && (p == NULL || !snap_get(s, p, len)))
		s->err = ERR_FORMAT;
	else
		buf_added(&l->columns, len);
}

static void
get_head(struct book *b, struct snap_file *s)
{
	uint8_t magic[8], hash[32];
	uint64_t n;

	if (!snap_get(s, magic, 8) || memcmp(magic, MAGIC, 8) != 0) {
		s->err = ERR_FORMAT;
		return;
	}
	b->snap_covers = get_int(s, 8);
	if (s->err == ERR_OK && !snap_get(s, b->last_hash, 32))
		s->err = ERR_FORMAT;
	get_text(s, b->conf_hash, sizeof(b->conf_hash));
	n = get_int(s, 4);
	for (uint64_t i = 0; i < n && s->err == ERR_OK; i++)
		get_baseline(b, s);
	b->alerts_day = (int32_t)get_int(s, 4);
	n = get_int(s, 4);
	for (uint64_t i = 0; i < n && s->err == ERR_OK; i++) {
		if (!snap_get(s, hash, 32))
			s->err = ERR_FORMAT;
		else
			map_put(&b->alerts, (struct slice){hash, 32}, b);
	}
	n = get_int(s, 4);
	for (uint64_t i = 0; i < n && s->err == ERR_OK; i++) {
		char key[1025];
		size_t len = get_text(s, key, sizeof(key));

		map_put(&b->uncovered, (struct slice){(uint8_t *)key, len}, b);
	}
}

enum err
snap_load(struct book *b)
{
	struct snap_file s = {.vfs = b->vfs};
	char path[BOOK_PATH_MAX];
	uint8_t want[SUM_BYTES], got[SUM_BYTES];
	struct meter *m = NULL;
	enum err err;

	if (!book_path(path, b->dir, "meter.snap"))
		return ERR_TOOBIG;
	if ((err = b->vfs->open(b->vfs, &s.f, path, 0, NULL)) != ERR_OK)
		return err;
	must((s.buf = malloc(IO_BYTES)) != NULL);
	crypto_generichash_init(&s.sum, NULL, 0, SUM_BYTES);
	get_head(b, &s);
	if (s.err == ERR_OK)
		s.err = meter_load(&m, snap_get, &s);
	if (s.err == ERR_OK) {
		crypto_generichash_final(&s.sum, want, sizeof(want));
		if (!snap_get_raw(&s, got, sizeof(got)) ||
		    memcmp(want, got, sizeof(want)) != 0 || s.at != s.len)
			s.err = ERR_FORMAT;
	}
	b->vfs->close(s.f);
	free(s.buf);
	if (s.err != ERR_OK) {
		meter_free(m);
		return s.err;
	}
	meter_free(b->meter);
	b->meter = m;
	return ERR_OK;
}
