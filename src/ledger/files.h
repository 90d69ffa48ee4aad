/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small files of a log and its tiles as they lie on the disk: what the
 * writer, the readers and the verifier share. docs/spec/ledger.md, section 2.
 */
#ifndef KB_LEDGER_FILES_H
#define KB_LEDGER_FILES_H

#include "base/bytes.h"
#include "base/err.h"
#include "ledger/wal.h"
#include "merkle/note.h"
#include "merkle/tile.h"
#include "os/vfs.h"

#define PATH_BYTES 4096
#define BUNDLE_MAX (TILE_WIDTH * (2u + 65535u))
#define STATE_MAX 2048

/* dir/name, ERR_TOOBIG when it does not fit. */
enum err path_join(char out[PATH_BYTES], const char *dir, const char *name);

/*
 * STATE/ledger/state: up to where entries are in tiles (so a checkpoint of that
 * size may have been signed), and where the ring goes on.
 */
struct state {
	char origin[NOTE_NAME_MAX + 1];
	uint32_t epoch;			/* of the last open */
	uint64_t size, previous;	/* previous: the size before, for cleaning up */
	struct merkle_hash root;
	struct wal_pos wal;
};
void state_put(struct buf *out, const struct state *s);
enum err state_parse(struct state *out, struct slice text);
enum err state_read(struct state *out, const struct vfs *v, const char *dir);

/* A tile or bundle that is at least t->width wide; takes: free() *out. */
enum err tile_read(const struct vfs *v, const char *dir, const struct tile *t,
    uint8_t **out, size_t *len);
/* Reads it for a log of that size: full, or partial with that size's width. */
enum err tile_read_at(const struct vfs *v, const char *dir, uint64_t size,
    int level, uint64_t n, uint8_t **out, size_t *len);

/* A merkle_source over the tiles of a log of a given size. */
struct tile_source {
	const struct vfs *vfs;
	const char *dir;
	uint64_t size;
	struct tile have;		/* have.width 0: nothing */
	struct merkle_hash hash[TILE_WIDTH];
};
enum err tile_source_get(void *arg, unsigned level, uint64_t index,
    struct merkle_hash *out);

#endif
