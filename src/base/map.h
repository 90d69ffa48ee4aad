/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small hash map from byte strings to pointers (keys are copied, values are
 * shared). Iteration order is not defined. For names and cached verdicts.
 */
#ifndef KB_BASE_MAP_H
#define KB_BASE_MAP_H

#include "base/bytes.h"

struct map_slot {
	uint64_t hash;
	uint8_t *key;		/* NULL: empty */
	size_t key_len;
	void *value;
};

struct map {
	struct map_slot *slots;
	size_t cap, count;
};

void map_init(struct map *m);
/* drop may be NULL; called with each value. */
void map_fini(struct map *m, void (*drop)(void *value));
void *map_get(const struct map *m, struct slice key);
/* Returns the replaced value (NULL when new). Stops the process without memory. */
void *map_put(struct map *m, struct slice key, void *value);
/* Returns the removed value, or NULL. */
void *map_del(struct map *m, struct slice key);
/* for (size_t i = 0; map_each(m, &i, &key, &value);) */
bool map_each(const struct map *m, size_t *i, struct slice *key, void **value);

#endif
