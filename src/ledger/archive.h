/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the ring to the published log: bundles, tiles, `state`, the signed
 * checkpoint. One round: archive_add() for each entry, then archive_finish().
 *
 * Order in a round, each step durable before the next: tiles and bundles; state
 * (what is about to be signed); checkpoint; only then may ring frames be recycled
 * and superseded partial tiles be removed. Never writes a tile that lies within
 * the size in `state`. After an error archive_load() goes back to that size.
 */
#ifndef KB_LEDGER_ARCHIVE_H
#define KB_LEDGER_ARCHIVE_H

#include "base/buf.h"
#include "ledger/files.h"

#define ARCHIVE_OPEN_MAX 64	/* files written and not yet synced */
#define ARCHIVE_DIRS_MAX 32

struct archive {
	const struct vfs *vfs;		/* shares */
	const char *dir;
	struct note_key key;
	const uint8_t *secret;		/* shares; 64 bytes */
	struct state state;		/* durable */
	uint64_t oldest;		/* size whose partial tiles may still be there */
	uint64_t published;		/* size of the checkpoint; UINT64_MAX: none */

	struct merkle_tree tree;
	struct merkle_hash level[TILE_LEVELS][TILE_WIDTH];
	struct buf bundle;		/* the open one */
	enum err failed;		/* of the tiles written by archive_add() */
	struct vfs_file *open[ARCHIVE_OPEN_MAX];
	size_t nopen;
	char *dirs[ARCHIVE_DIRS_MAX];
	size_t ndirs;
};

void archive_init(struct archive *a, const struct vfs *v, const char *dir);
void archive_fini(struct archive *a);
/* Goes to state.size; ERR_BROKEN when the tiles do not have state.root. */
enum err archive_load(struct archive *a);
enum err archive_add(struct archive *a, struct slice entry);
/* pos: behind the last frame added. */
enum err archive_finish(struct archive *a, const struct wal_pos *pos);
/*
 * After a round that was cut short: removes the partial tiles that it may have
 * left, of sizes from `oldest` up to `to`, but those of state.size.
 */
enum err archive_clean(struct archive *a, uint64_t to);
/* Signs and publishes state's size and root. */
enum err archive_publish(struct archive *a);

#endif
