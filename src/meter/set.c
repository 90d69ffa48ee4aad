/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct set_shard {
	uint16_t n, cap;
	uint8_t depth;
	uint8_t body[];
};

/* MurmurHash3's finalizer: a bijection, so no two tokens meet. */
uint64_t
set_mix(uint64_t t)
{
	t = (t ^ t >> 33) * 0xff51afd7ed558ccdu;
	t = (t ^ t >> 33) * 0xc4ceb9fe1a85ec53u;
	return t ^ t >> 33;
}

/* Bytes of a suffix: 8, 7 or 6; then an entry has at least 8 bytes to read. */
static inline unsigned
shard_width(const struct set_shard *b)
{
	return b->depth < 8 ? 8 : b->depth < 16 ? 7 : 6;
}

static inline uint64_t
width_mask(unsigned width)
{
	return width == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * width) - 1;
}

static inline uint8_t *
shard_entry(const struct set_shard *b, size_t i)
{
	return (uint8_t *)(uintptr_t)b->body + i * (shard_width(b) + 2);
}

static inline uint64_t
shard_suffix(const struct set_shard *b, size_t i)
{
	uint64_t v;

	memcpy(&v, shard_entry(b, i), sizeof(v));
	return v & width_mask(shard_width(b));
}

static inline uint16_t
shard_day(const struct set_shard *b, size_t i)
{
	uint16_t day;

	memcpy(&day, shard_entry(b, i) + shard_width(b), 2);
	return day;
}

static inline size_t
shard_bytes(const struct set_shard *b, size_t cap)
{
	return sizeof(*b) + cap * (shard_width(b) + 2);
}

static inline size_t
dir_index(const struct set *s, uint64_t mixed)
{
	return s->depth == 0 ? 0 : (size_t)(mixed >> (64 - s->depth));
}

/* Where uniform tokens would have it. */
static inline size_t
shard_guess(const struct set_shard *b, uint64_t mixed)
{
	return (size_t)((((mixed << b->depth) >> 32) * b->n) >> 32);
}

/* The first entry that is not below `mixed`, and whether it is equal. */
static size_t
shard_find(const struct set_shard *b, uint64_t mixed, bool *found)
{
	uint64_t want = mixed & width_mask(shard_width(b));
	size_t i = shard_guess(b, mixed);

	*found = false;
	if (b->n == 0)
		return 0;
	while (i < b->n && shard_suffix(b, i) < want)
		i++;
	while (i > 0 && shard_suffix(b, i - 1) >= want)
		i--;
	*found = i < b->n && shard_suffix(b, i) == want;
	return i;
}

static void
shard_write(struct set_shard *b, size_t i, uint64_t mixed, uint16_t day)
{
	uint8_t *p = shard_entry(b, i);

	memcpy(p, &mixed, shard_width(b));
	memcpy(p + shard_width(b), &day, 2);
}

/* NULL, and the shard as it was, without memory. */
static struct set_shard *
shard_resize(struct set *s, struct set_shard *b, size_t cap)
{
	size_t before = shard_bytes(b, b->cap);

	if ((b = realloc(b, shard_bytes(b, cap))) == NULL)
		return NULL;
	b->cap = (uint16_t)cap;
	s->bytes = s->bytes - before + shard_bytes(b, cap);
	return b;
}

static struct set_shard *
shard_new(struct set *s, unsigned depth, size_t n)
{
	const struct set_shard like = {.depth = (uint8_t)depth};
	size_t cap = (n / SET_STEP + 1) * SET_STEP;
	struct set_shard *b = malloc(shard_bytes(&like, cap));

	if (b == NULL)
		return NULL;
	b->n = 0;
	b->cap = (uint16_t)cap;
	b->depth = (uint8_t)depth;
	s->bytes += shard_bytes(b, cap);
	return b;
}

static void
shard_free(struct set *s, struct set_shard *b)
{
	s->bytes -= shard_bytes(b, b->cap);
	free(b);
}

static bool
dir_double(struct set *s)
{
	size_t n = (size_t)1 << s->depth;
	struct set_shard **dir = realloc(s->dir, 2 * n * sizeof(*dir));

	if (dir == NULL)
		return false;
	for (size_t i = n; i-- > 0;)
		dir[2 * i] = dir[2 * i + 1] = dir[i];
	s->dir = dir;
	s->depth++;
	s->bytes += n * sizeof(*dir);
	return true;
}

/* Puts entries [from, to) of a shard behind those of a deeper one. */
static void
shard_append(struct set_shard *to, const struct set_shard *b, size_t from,
    size_t end, uint64_t high)
{
	for (size_t i = from; i < end; i++)
		shard_write(to, to->n++, shard_suffix(b, i) | high,
		    shard_day(b, i));
}

/* Replaces the full shard that `mixed` lives in by its two halves. */
static bool
shard_split(struct set *s, uint64_t mixed)
{
	struct set_shard *b = s->dir[dir_index(s, mixed)], *lo, *hi;
	unsigned depth = b->depth + 1u;
	uint64_t bit = (uint64_t)1 << (64 - depth);
	uint64_t high = mixed & ~width_mask(shard_width(b));
	size_t mid = 0, first, span;

	if (depth > s->depth && !dir_double(s))
		return false;
	while (mid < b->n && !((shard_suffix(b, mid) | high) & bit))
		mid++;
	if ((lo = shard_new(s, depth, mid)) == NULL)
		return false;
	if ((hi = shard_new(s, depth, b->n - mid)) == NULL) {
		shard_free(s, lo);
		return false;
	}
	shard_append(lo, b, 0, mid, high);
	shard_append(hi, b, mid, b->n, high);
	span = (size_t)1 << (s->depth - depth);
	first = dir_index(s, mixed) & ~(2 * span - 1);
	for (size_t i = 0; i < span; i++) {
		s->dir[first + i] = lo;
		s->dir[first + span + i] = hi;
	}
	shard_free(s, b);
	return true;
}

static void
dir_replace(struct set *s, uint64_t mixed, struct set_shard *b)
{
	size_t span = (size_t)1 << (s->depth - b->depth);
	size_t first = dir_index(s, mixed) & ~(span - 1);

	for (size_t i = 0; i < span; i++)
		s->dir[first + i] = b;
}

/* The shard of `mixed` with room for one more, or NULL. */
static struct set_shard *
set_room(struct set *s, uint64_t mixed)
{
	struct set_shard *b;

	if (s->dir == NULL) {
		if ((s->dir = malloc(sizeof(*s->dir))) == NULL)
			return NULL;
		if ((s->dir[0] = shard_new(s, 0, 0)) == NULL) {
			free(s->dir);
			s->dir = NULL;
			return NULL;
		}
		s->bytes += sizeof(*s->dir);
	}
	for (;;) {
		b = s->dir[dir_index(s, mixed)];
		if (b->n < b->cap)
			return b;
		if (b->n >= SET_SHARD && b->depth < SET_DEPTH_MAX) {
			if (!shard_split(s, mixed))
				return NULL;
			continue;
		}
		if (b->cap > UINT16_MAX - SET_STEP ||
		    (b = shard_resize(s, b, b->cap + SET_STEP)) == NULL)
			return NULL;
		dir_replace(s, mixed, b);
		return b;
	}
}

int32_t
set_get(const struct set *s, uint64_t mixed)
{
	const struct set_shard *b;
	bool found;
	size_t i;

	if (s->dir == NULL)
		return -1;
	b = s->dir[dir_index(s, mixed)];
	i = shard_find(b, mixed, &found);
	return found ? shard_day(b, i) : -1;
}

bool
set_put(struct set *s, uint64_t mixed, uint16_t day, int32_t *old)
{
	struct set_shard *b;
	bool found;
	size_t i;

	if (s->dir != NULL) {
		b = s->dir[dir_index(s, mixed)];
		i = shard_find(b, mixed, &found);
		if (found) {
			*old = shard_day(b, i);
			memcpy(shard_entry(b, i) + shard_width(b), &day, 2);
			return true;
		}
	}
	if ((b = set_room(s, mixed)) == NULL)
		return false;
	i = shard_find(b, mixed, &found);
	memmove(shard_entry(b, i + 1), shard_entry(b, i),
	    (b->n - i) * (shard_width(b) + 2));
	shard_write(b, i, mixed, day);
	b->n++;
	s->count++;
	*old = -1;
	return true;
}

bool
set_del(struct set *s, uint64_t mixed)
{
	struct set_shard *b;
	bool found;
	size_t i;

	if (s->dir == NULL)
		return false;
	b = s->dir[dir_index(s, mixed)];
	i = shard_find(b, mixed, &found);
	if (!found)
		return false;
	memmove(shard_entry(b, i), shard_entry(b, i + 1),
	    (b->n - i - 1u) * (shard_width(b) + 2));
	b->n--;
	s->count--;
	if (b->cap - b->n >= 4 * SET_STEP &&
	    (b = shard_resize(s, b, b->cap - 2 * SET_STEP)) != NULL)
		dir_replace(s, mixed, b);
	return true;
}

void
set_hint_far(const struct set *s, uint64_t mixed)
{
	if (s->dir != NULL)
		__builtin_prefetch(&s->dir[dir_index(s, mixed)]);
}

void
set_hint_near(const struct set *s, uint64_t mixed)
{
	if (s->dir != NULL)
		__builtin_prefetch(s->dir[dir_index(s, mixed)]);
}

void
set_hint_next(const struct set *s, uint64_t mixed)
{
	const struct set_shard *b;

	if (s->dir == NULL)
		return;
	b = s->dir[dir_index(s, mixed)];
	__builtin_prefetch(shard_entry(b, shard_guess(b, mixed)));
}

bool
set_each(const struct set *s,
    bool (*each)(void *arg, uint64_t mixed, uint16_t day), void *arg)
{
	size_t n = s->dir ? (size_t)1 << s->depth : 0, span;

	for (size_t i = 0; i < n; i += span) {
		const struct set_shard *b = s->dir[i];
		uint64_t high = s->depth == 0 ? 0 :
		    ((uint64_t)i << (64 - s->depth)) & ~width_mask(shard_width(b));

		span = (size_t)1 << (s->depth - b->depth);
		for (size_t k = 0; k < b->n; k++)
			if (!each(arg, shard_suffix(b, k) | high,
			    shard_day(b, k)))
				return false;
	}
	return true;
}

void
set_fini(struct set *s)
{
	size_t n = s->dir ? (size_t)1 << s->depth : 0, span;

	for (size_t i = 0; i < n; i += span) {
		span = (size_t)1 << (s->depth - s->dir[i]->depth);
		free(s->dir[i]);
	}
	free(s->dir);
	*s = (struct set){0};
}
