/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KB_SYNTH_RNG_H
#define KB_SYNTH_RNG_H

#include <stdbool.h>
#include <stdint.h>

/* splitmix64: any seed is good, and streams by seed do not overlap in practice. */
struct rng {
	uint64_t s;
};

static inline uint64_t
rng_next(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Seeds that are near each other must not give shifted copies of one stream. */
static inline struct rng
rng_seed(uint64_t seed, uint64_t stream)
{
	struct rng r = {.s = seed};

	r.s = rng_next(&r) ^ stream * 0xd1342543de82ef95ull;
	r.s = rng_next(&r);
	return r;
}

static inline uint32_t
rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rng_next(r) >> 32) * n >> 32);
}

static inline double
rng_unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

static inline bool
rng_chance(struct rng *r, double p)
{
	return rng_unit(r) < p;
}

#endif
