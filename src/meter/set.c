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

#define NONE SIZE_MAX
typedef uint8_t tags __attribute__((vector_size(16)));

/* Bytes of a suffix but for its last, which is the tag. */
static inline unsigned
shard_width(const struct set_shard *b)
{
	return b->depth < 8 ? 7 : b->depth < 16 ? 6 : 5;
}

static inline uint64_t
width_mask(unsigned width)
{
	return ((uint64_t)1 << 8 * width) - 1;
}

/* The bits of a mixed token that the shard's place implies. */
static inline uint64_t
shard_high(const struct set_shard *b, uint64_t mixed)
{
	unsigned bytes = shard_width(b) + 1;

	return bytes == 8 ? 0 : mixed & ~width_mask(bytes);
}

static inline uint8_t *
shard_entry(const struct set_shard *b, size_t i)
{
	return (uint8_t *)(uintptr_t)b->body + b->cap + i * (shard_width(b) + 2);
}

static inline uint64_t
shard_rest(const struct set_shard *b, size_t i)
{
	uint64_t v;

	memcpy(&v, shard_entry(b, i), sizeof(v));
	return v & width_mask(shard_width(b));
}

static inline uint64_t
shard_suffix(const struct set_shard *b, size_t i)
{
	return shard_rest(b, i) << 8 | b->body[i];
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
	/* One more: an entry of 7 bytes is read as 8. */
	return sizeof(*b) + cap * (1 + shard_width(b) + 2) + 1;
}

static inline size_t
dir_index(const struct set *s, uint64_t mixed)
{
	return s->depth == 0 ? 0 : (size_t)(mixed >> (64 - s->depth));
}

/* Its place in the shard, or NONE: tags of sixteen at a time, then the rest. */
static size_t
shard_find(const struct set_shard *b, uint64_t mixed)
{
	const tags want = (uint8_t)mixed - (tags){0};
	uint64_t rest = mixed >> 8 & width_mask(shard_width(b)), same[2];
	tags t;

	for (size_t i = 0; i < b->n; i += sizeof(t)) {
		memcpy(&t, b->body + i, sizeof(t));
		t = (tags)(t == want);
		memcpy(same, &t, sizeof(t));
		for (unsigned h = 0; h < 2; h++) {
			while (same[h] != 0) {
				unsigned bit = (unsigned)__builtin_ctzll(same[h]);
				size_t at = i + 8 * h + bit / 8;

				if (at < b->n && shard_rest(b, at) == rest)
					return at;
				same[h] &= ~((uint64_t)0xff << bit);
			}
		}
	}
	return NONE;
}

static void
shard_write(struct set_shard *b, size_t i, uint64_t mixed, uint16_t day)
{
	uint8_t *p = shard_entry(b, i);
	uint64_t rest = mixed >> 8;

	b->body[i] = (uint8_t)mixed;
	memcpy(p, &rest, shard_width(b));
	memcpy(p + shard_width(b), &day, 2);
}

/* NULL, and the shard as it was, without memory to grow. */
static struct set_shard *
shard_resize(struct set *s, struct set_shard *b, size_t cap)
{
	size_t before = shard_bytes(b, b->cap), used = b->n * (shard_width(b) + 2);
	struct set_shard *v;

	if (cap < b->cap)
		memmove(b->body + cap, b->body + b->cap, used);
	if ((v = realloc(b, shard_bytes(b, cap))) == NULL) {
		if (cap > b->cap)
			return NULL;
		v = b;
	}
	if (cap > v->cap)
		memmove(v->body + cap, v->body + v->cap, used);
	v->cap = (uint16_t)cap;
	s->bytes = s->bytes - before + shard_bytes(v, cap);
	return v;
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

/* Replaces the full shard that `mixed` lives in by its two halves. */
static bool
shard_split(struct set *s, uint64_t mixed)
{
	struct set_shard *b = s->dir[dir_index(s, mixed)], *half[2];
	unsigned depth = b->depth + 1u, up = 64 - depth;
	uint64_t high = shard_high(b, mixed);
	size_t ones = 0, first, span;

	if (depth > s->depth && !dir_double(s))
		return false;
	for (size_t i = 0; i < b->n; i++)
		ones += (shard_suffix(b, i) | high) >> up & 1;
	if ((half[0] = shard_new(s, depth, b->n - ones)) == NULL)
		return false;
	if ((half[1] = shard_new(s, depth, ones)) == NULL) {
		shard_free(s, half[0]);
		return false;
	}
	for (size_t i = 0; i < b->n; i++) {
		uint64_t whole = shard_suffix(b, i) | high;
		struct set_shard *to = half[whole >> up & 1];

		shard_write(to, to->n++, whole, shard_day(b, i));
	}
	span = (size_t)1 << (s->depth - depth);
	first = dir_index(s, mixed) & ~(2 * span - 1);
	for (size_t i = 0; i < span; i++) {
		s->dir[first + i] = half[0];
		s->dir[first + span + i] = half[1];
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
	size_t i;

	if (s->dir == NULL)
		return -1;
	b = s->dir[dir_index(s, mixed)];
	i = shard_find(b, mixed);
	return i != NONE ? shard_day(b, i) : -1;
}

bool
set_put(struct set *s, uint64_t mixed, uint16_t day, int32_t *old)
{
	struct set_shard *b;
	size_t i;

	if (s->dir != NULL) {
		b = s->dir[dir_index(s, mixed)];
		if ((i = shard_find(b, mixed)) != NONE) {
			*old = shard_day(b, i);
			memcpy(shard_entry(b, i) + shard_width(b), &day, 2);
			return true;
		}
	}
	if ((b = set_room(s, mixed)) == NULL)
		return false;
	shard_write(b, b->n++, mixed, day);
	s->count++;
	*old = -1;
	return true;
}

bool
set_del(struct set *s, uint64_t mixed)
{
	struct set_shard *b;
	uint64_t last;
	size_t i;

	if (s->dir == NULL)
		return false;
	b = s->dir[dir_index(s, mixed)];
	if ((i = shard_find(b, mixed)) == NONE)
		return false;
	last = shard_suffix(b, b->n - 1u);
	shard_write(b, i, last, shard_day(b, b->n - 1u));
	b->n--;
	s->count--;
	if (b->cap - b->n >= 4 * SET_STEP)
		dir_replace(s, mixed, shard_resize(s, b, b->cap - 2 * SET_STEP));
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
	const uint8_t *p;

	if (s->dir == NULL)
		return;
	p = (const uint8_t *)s->dir[dir_index(s, mixed)];
	__builtin_prefetch(p);
	__builtin_prefetch(p + 64);
}

/* Where a new one would go. */
void
set_hint_next(const struct set *s, uint64_t mixed)
{
	const struct set_shard *b;

	if (s->dir == NULL)
		return;
	b = s->dir[dir_index(s, mixed)];
	__builtin_prefetch(shard_entry(b, b->n), 1);
}

bool
set_each(const struct set *s,
    bool (*each)(void *arg, uint64_t mixed, uint16_t day), void *arg)
{
	size_t n = s->dir ? (size_t)1 << s->depth : 0, span;

	for (size_t i = 0; i < n; i += span) {
		const struct set_shard *b = s->dir[i];
		uint64_t high = s->depth == 0 ? 0 :
		    shard_high(b, (uint64_t)i << (64 - s->depth));

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
