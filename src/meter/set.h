/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compact set of 8-byte tokens with a 16-bit day each: the meter's memory.
 *
 * Extendible hashing over a bijective mix of the token: a directory of 2^depth
 * pointers to shards of at most SET_SHARD entries. A shard is one allocation
 * that grows in small steps; its entries are in no order, found by a tag of one
 * byte. The bytes of the mixed token that a shard's place in the directory implies
 * are not stored. So an insert touches few lines of memory, and there is no
 * rebuild and no merge pause. About 8.5 to 10.9 bytes a pair before the allocator.
 *
 *   shard: header, cap tags (last byte of the suffix), cap entries; entry: the 7, 6
 *   or 5 bytes of suffix before the tag, by the shard's depth, 2 bytes of day
 */
#ifndef KB_METER_SET_H
#define KB_METER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SET_SHARD = 128, SET_STEP = 8, SET_DEPTH_MAX = 32 };

struct set_shard;

struct set {
	struct set_shard **dir;	/* NULL: empty */
	unsigned depth;
	uint64_t count;
	size_t bytes;		/* asked of the allocator */
};

/* The bijection: what the set stores, and what set_each() gives. */
uint64_t set_mix(uint64_t token);

void set_fini(struct set *s);
/* The day of a mixed token, or -1. */
int32_t set_get(const struct set *s, uint64_t mixed);
/*
 * Puts it, new or known, and says in *old what its day was (-1: it is new).
 * false without memory: nothing changed.
 */
bool set_put(struct set *s, uint64_t mixed, uint16_t day, int32_t *old);
/* Removes it; false when it was not there. */
bool set_del(struct set *s, uint64_t mixed);
/* Hints that this will be asked for: call far ahead, then near, then next. */
void set_hint_far(const struct set *s, uint64_t mixed);
void set_hint_near(const struct set *s, uint64_t mixed);
void set_hint_next(const struct set *s, uint64_t mixed);
/* Calls each entry, those of a shard together, until one returns false. */
bool set_each(const struct set *s,
    bool (*each)(void *arg, uint64_t mixed, uint16_t day), void *arg);

#endif
