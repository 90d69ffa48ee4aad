/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void
map_init(struct map *m)
{
	*m = (struct map){0};
}

void
map_fini(struct map *m, void (*drop)(void *value))
{
	for (size_t i = 0; i < m->cap; i++) {
		if (m->slots[i].key == NULL)
			continue;
		if (drop != NULL)
			drop(m->slots[i].value);
		free(m->slots[i].key);
	}
	free(m->slots);
	map_init(m);
}

/* The slot of the key, or the empty slot where it would go. */
static size_t
map_find(const struct map *m, struct slice key, uint64_t hash)
{
	size_t i = hash & (m->cap - 1);

	for (;; i = (i + 1) & (m->cap - 1)) {
		const struct map_slot *s = &m->slots[i];

		if (s->key == NULL || (s->hash == hash && s->key_len == key.len &&
		    memcmp(s->key, key.p, key.len) == 0))
			return i;
	}
}

static void
map_grow(struct map *m)
{
	struct map_slot *old = m->slots;
	size_t n = m->cap;

	m->cap = n ? n * 2 : 16;
	must((m->slots = calloc(m->cap, sizeof(*m->slots))) != NULL);
	for (size_t i = 0; i < n; i++) {
		if (old[i].key == NULL)
			continue;
		m->slots[map_find(m, (struct slice){old[i].key, old[i].key_len},
		    old[i].hash)] = old[i];
	}
	free(old);
}

void *
map_get(const struct map *m, struct slice key)
{
	const struct map_slot *s;

	if (m->count == 0)
		return NULL;
	s = &m->slots[map_find(m, key, hash64(key.p, key.len, 0))];
	return s->key ? s->value : NULL;
}

void *
map_put(struct map *m, struct slice key, void *value)
{
	uint64_t hash = hash64(key.p, key.len, 0);
	struct map_slot *s;
	void *old;

	if ((m->count + 1) * 4 > m->cap * 3)
		map_grow(m);
	s = &m->slots[map_find(m, key, hash)];
	if (s->key != NULL) {
		old = s->value;
		s->value = value;
		return old;
	}
	must((s->key = malloc(key.len + 1)) != NULL);
	memcpy(s->key, key.p, key.len);
	s->key_len = key.len;
	s->hash = hash;
	s->value = value;
	m->count++;
	return NULL;
}

void *
map_del(struct map *m, struct slice key)
{
	size_t i, hole;
	void *old;

	if (m->count == 0)
		return NULL;
	i = map_find(m, key, hash64(key.p, key.len, 0));
	if (m->slots[i].key == NULL)
		return NULL;
	old = m->slots[i].value;
	free(m->slots[i].key);
	m->slots[i] = (struct map_slot){0};
	m->count--;
	/* Close the gap: move back every follower that may not skip the hole. */
	for (hole = i, i = (i + 1) & (m->cap - 1); m->slots[i].key != NULL;
	    i = (i + 1) & (m->cap - 1)) {
		size_t home = m->slots[i].hash & (m->cap - 1);

		if (((i - home) & (m->cap - 1)) < ((i - hole) & (m->cap - 1)))
			continue;
		m->slots[hole] = m->slots[i];
		m->slots[i] = (struct map_slot){0};
		hole = i;
	}
	return old;
}

bool
map_each(const struct map *m, size_t *i, struct slice *key, void **value)
{
	for (; *i < m->cap; (*i)++) {
		const struct map_slot *s = &m->slots[*i];

		if (s->key == NULL)
			continue;
		if (key != NULL)
			*key = (struct slice){s->key, s->key_len};
		if (value != NULL)
			*value = s->value;
		(*i)++;
		return true;
	}
	return false;
}
