/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tiles as in C2SP tlog-tiles: names, widths, the hashes inside, and bundles of
 * entries. Pure. docs/spec/ledger.md, section 5.
 */
#ifndef KB_MERKLE_TILE_H
#define KB_MERKLE_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "merkle/tree.h"

#define TILE_WIDTH 256u
#define TILE_LEVELS 8		/* 256^8 entries: all that 64 bits can count */
#define TILE_ENTRIES (-1)	/* as a level: the bundles of entries */
#define TILE_PATH_MAX 64
#define TILE_BYTES (TILE_WIDTH * MERKLE_BYTES)

struct tile {
	int level;		/* TILE_ENTRIES, 0 .. TILE_LEVELS-1 */
	uint64_t n;
	unsigned width;		/* 1 .. TILE_WIDTH */
};

/*
 * "tile/0/x001/x234/067", with ".p/W" when partial. Returns the length of the
 * path of the full tile (where ".p" begins).
 */
size_t tile_path(char out[TILE_PATH_MAX], const struct tile *t);
/* The inverse; false for anything that tile_path() would not write. */
bool tile_parse(struct tile *out, const char *path);

/* Hashes (or entries) of a level in a tree of that size. */
uint64_t tile_hashes(uint64_t size, int level);
/* Width of tile n of a level in a tree of that size; 0: there is none. */
unsigned tile_width(uint64_t size, int level, uint64_t n);

/*
 * Which tile holds a complete subtree's root or what it is computed from, and the
 * range of its hashes: first and a power of two of them.
 */
void tile_of(unsigned level, uint64_t index, struct tile *t, unsigned *first,
    unsigned *count);
/* Root over count (a power of two, at most 256) hashes. */
void tile_fold(struct merkle_hash *out, const struct merkle_hash *h,
    unsigned count);

/* Reads a bundle entry by entry; r->bad when it is malformed. */
static inline bool
bundle_next(struct rd *r, struct slice *entry)
{
	if (r->left == 0)
		return false;
	*entry = rd_lp16(r);
	return !r->bad;
}

#endif
