/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum err
path_join(char out[PATH_BYTES], const char *dir, const char *name)
{
	int n = snprintf(out, PATH_BYTES, "%s/%s", dir, name);

	return n < 0 || n >= PATH_BYTES ? ERR_TOOBIG : ERR_OK;
}

static const char state_title[] = "kuraban ledger state 1\n";

void
state_put(struct buf *out, const struct state *s)
{
	char root[65], prev[65], sum[65];
	struct merkle_hash h;
	size_t from = buf_used(out);

	hex_encode(root, s->root.b, MERKLE_BYTES);
	hex_encode(prev, s->wal.prev.b, MERKLE_BYTES);
	buf_printf(out, "%sorigin %s\nepoch %" PRIu32 "\nsize %" PRIu64
	    "\nprevious %" PRIu64 "\nroot %s\noffset %" PRIu64 "\nseq %" PRIu64
	    "\nprev %s\n", state_title, s->origin, s->epoch, s->size, s->previous,
	    root, s->wal.offset, s->wal.seq, prev);
	if (out->bad)
		return;
	merkle_sha256(&h, buf_head(out) + from, buf_used(out) - from);
	hex_encode(sum, h.b, MERKLE_BYTES);
	buf_printf(out, "sum %s\n", sum);
}

/* The value of "key value\n" at the front of rest. */
static bool
field(struct slice *rest, const char *key, struct slice *value)
{
	size_t n = strlen(key);
	const uint8_t *end = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;

	if (end == NULL || (size_t)(end - rest->p) <= n ||
	    memcmp(rest->p, key, n) != 0 || rest->p[n] != ' ')
		return false;
	*value = (struct slice){rest->p + n + 1, (size_t)(end - rest->p) - n - 1};
	rest->len -= (size_t)(end - rest->p) + 1;
	rest->p = end + 1;
	return true;
}

static bool
field_u64(struct slice *rest, const char *key, uint64_t *out)
{
	struct slice v;
	uint64_t n = 0;

	if (!field(rest, key, &v) || v.len == 0 || v.len > 19 ||
	    (v.len > 1 && v.p[0] == '0'))
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
		n = n * 10 + (v.p[i] - '0');
	}
	*out = n;
	return n <= INT64_MAX;
}

static bool
field_hash(struct slice *rest, const char *key, struct merkle_hash *out)
{
	char again[65];
	struct slice v;

	if (!field(rest, key, &v) || v.len != 64 ||
	    !hex_decode(out->b, (const char *)v.p, 64))
		return false;
	hex_encode(again, out->b, MERKLE_BYTES);	/* lower case only */
	return memcmp(again, v.p, 64) == 0;
}

enum err
state_parse(struct state *out, struct slice text)
{
	struct state s = {.epoch = 0};
	struct slice rest = text, origin;
	uint64_t epoch;
	struct merkle_hash sum, want;

	if (text.len < sizeof state_title - 1 + 69 || text.len > STATE_MAX ||
	    memcmp(text.p, state_title, sizeof state_title - 1) != 0)
		return ERR_FORMAT;
	merkle_sha256(&want, text.p, text.len - 69);	/* "sum ", 64, newline */
	rest.p += sizeof state_title - 1;
	rest.len -= sizeof state_title - 1;
	if (!field(&rest, "origin", &origin) || !note_name_ok(origin) ||
	    !field_u64(&rest, "epoch", &epoch) || epoch > UINT32_MAX ||
	    !field_u64(&rest, "size", &s.size) ||
	    !field_u64(&rest, "previous", &s.previous) ||
	    !field_hash(&rest, "root", &s.root) ||
	    !field_u64(&rest, "offset", &s.wal.offset) ||
	    !field_u64(&rest, "seq", &s.wal.seq) ||
	    !field_hash(&rest, "prev", &s.wal.prev) || rest.len != 69 ||
	    !field_hash(&rest, "sum", &sum) || rest.len != 0 ||
	    !merkle_eq(&sum, &want) || s.previous > s.size)
		return ERR_FORMAT;
	memcpy(s.origin, origin.p, origin.len);
	s.epoch = (uint32_t)epoch;
	*out = s;
	return ERR_OK;
}

enum err
state_read(struct state *out, const struct vfs *v, const char *dir)
{
	char path[PATH_BYTES];
	uint8_t *p;
	size_t len;
	enum err err;

	if ((err = path_join(path, dir, "state")) != ERR_OK ||
	    (err = vfs_read_all(v, path, STATE_MAX, &p, &len)) != ERR_OK)
		return err;
	err = state_parse(out, (struct slice){p, len});
	free(p);
	return err;
}

enum err
tile_read(const struct vfs *v, const char *dir, const struct tile *t,
    uint8_t **out, size_t *len)
{
	char path[PATH_BYTES], name[TILE_PATH_MAX];
	bool entries = t->level == TILE_ENTRIES;
	uint8_t *p;
	size_t n;
	enum err err;

	tile_path(name, t);
	if ((err = path_join(path, dir, name)) != ERR_OK)
		return err;
	err = vfs_read_all(v, path, entries ? BUNDLE_MAX : TILE_BYTES, &p, &n);
	if (err != ERR_OK)
		return err == ERR_TOOBIG ? ERR_FORMAT : err;
	if (!entries && n != t->width * (size_t)MERKLE_BYTES) {
		free(p);
		return ERR_FORMAT;
	}
	*out = p;
	*len = n;
	return ERR_OK;
}

enum err
tile_read_at(const struct vfs *v, const char *dir, uint64_t size, int level,
    uint64_t n, uint8_t **out, size_t *len)
{
	struct tile t = {level, n, tile_width(size, level, n)};

	if (t.width == 0)
		return ERR_NOTFOUND;
	return tile_read(v, dir, &t, out, len);
}

enum err
tile_source_get(void *arg, unsigned level, uint64_t index,
    struct merkle_hash *out)
{
	struct tile_source *s = arg;
	unsigned first, count;
	struct tile t;
	uint8_t *p;
	size_t len;
	enum err err;

	tile_of(level, index, &t, &first, &count);
	if (s->have.width == 0 || s->have.level != t.level || s->have.n != t.n) {
		s->have.width = 0;
		err = tile_read_at(s->vfs, s->dir, s->size, t.level, t.n, &p, &len);
		if (err != ERR_OK)
			return err;
		memcpy(s->hash, p, len);
		free(p);
		s->have = t;
		s->have.width = (unsigned)(len / MERKLE_BYTES);
	}
	if (first + count > s->have.width)
		return ERR_NOTFOUND;
	tile_fold(out, s->hash + first, count);
	return ERR_OK;
}
