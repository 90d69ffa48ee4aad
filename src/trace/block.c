/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/block.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PASSES_MAX 64
#define FILLERS 2u		/* threads that look through the mentions */
#define F(f) (1u << F_##f)

enum pass { P_PHONE, P_EMAIL, P_KANA_DOB, P_NAME_DOB, P_NAME_TOWN, P_KANA_TOWN,
    P_GIVEN_DOB_CITY, P_KGIVEN_DOB_CITY, P_DOB_PLACE, P_SUR_PLACE,
    P_GIVEN_PLACE, P_DOB_ZIP, P_COUNT };

static const uint32_t jp_fields[P_COUNT] = {
	[P_PHONE] = F(PHONE), [P_EMAIL] = F(EMAIL),
	[P_KANA_DOB] = F(SURNAME) | F(GIVEN) | F(BIRTH),
	[P_NAME_DOB] = F(SURNAME) | F(GIVEN) | F(BIRTH),
	[P_NAME_TOWN] = F(SURNAME) | F(GIVEN) | F(ADDRESS),
	[P_KANA_TOWN] = F(SURNAME) | F(GIVEN) | F(ADDRESS),
	[P_GIVEN_DOB_CITY] = F(GIVEN) | F(BIRTH) | F(ADDRESS),
	[P_KGIVEN_DOB_CITY] = F(GIVEN) | F(BIRTH) | F(ADDRESS),
	[P_DOB_PLACE] = F(BIRTH) | F(ADDRESS),
	[P_SUR_PLACE] = F(SURNAME) | F(ADDRESS),
	[P_GIVEN_PLACE] = F(GIVEN) | F(ADDRESS),
	[P_DOB_ZIP] = F(BIRTH) | F(ADDRESS),
};

struct blocks {
	unsigned npasses;
	uint32_t fields[PASSES_MAX];	/* generic: the columns of the key */
	struct part {			/* of the list, of ours: by each filler */
		struct block_entry *v;
		size_t n, cap;
		size_t at[BLOCK_BUCKETS];	/* entries; where they go */
	} part[2 * FILLERS];
	struct block_entry *v;		/* partitioned */
	size_t n, cap;
	size_t start[BLOCK_BUCKETS + 1];
	uint64_t *filter;
	size_t filter_mask;		/* bits - 1 */
};

static inline uint64_t
key2(uint32_t a, uint32_t b, unsigned pass)
{
	uint64_t k;

	if (!a || !b)
		return 0;
	k = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15ull;
	k ^= k >> 29;
	k *= 0xbf58476d1ce4e5b9ull + 2 * pass;
	return k ^ k >> 32 ? k ^ k >> 32 : 1;
}

static inline uint64_t
jp_key(const struct sig *s, unsigned pass, uint64_t *second)
{
	*second = 0;
	switch ((enum pass)pass) {
	case P_PHONE:
		*second = s->phone2 == s->phone ? 0 :
		    key2(s->phone2, 1, pass);
		return key2(s->phone, 1, pass);
	case P_EMAIL:
		return key2(s->email, 1, pass);
	case P_KANA_DOB:
		return key2(s->kall, s->dob, pass);
	case P_NAME_DOB:
		return key2(s->all, s->dob, pass);
	case P_NAME_TOWN:
		return key2(s->all, s->town ? s->town : s->zip, pass);
	case P_KANA_TOWN:
		return key2(s->kall, s->town ? s->town : s->zip, pass);
	case P_GIVEN_DOB_CITY:
		return s->dob ? key2(s->giv, s->dob ^ (s->town >> 20) *
		    0x85ebca6bu, pass) : 0;
	case P_KGIVEN_DOB_CITY:
		return s->dob ? key2(s->kgiv, s->dob ^ (s->town >> 20) *
		    0x85ebca6bu, pass) : 0;
	case P_DOB_PLACE:
		return s->num ? key2(s->dob, s->town ^ s->num * 0x9e3779b1u,
		    pass) : 0;
	case P_SUR_PLACE:
		return s->num ? key2(s->sur ? s->sur : s->ksur, s->town ^
		    s->num * 0x9e3779b1u, pass) : 0;
	case P_GIVEN_PLACE:
		return s->num ? key2(s->giv ? s->giv : s->kgiv, s->town ^
		    s->num * 0x9e3779b1u, pass) : 0;
	case P_DOB_ZIP:
		return key2(s->dob, s->zip, pass);
	default:
		return 0;
	}
}

static uint64_t
generic_key(const struct cell *c, uint32_t fields)
{
	uint64_t k = fields;

	for (; fields; fields &= fields - 1) {
		uint32_t h = c[__builtin_ctz(fields)].hash;

		if (!h)
			return 0;
		k = (k ^ h) * 0x9e3779b97f4a7c15ull;
		k ^= k >> 31;
	}
	return k ? k : 1;
}

static inline uint64_t
key_of(const struct model *m, const struct blocks *b, unsigned pass,
    const uint8_t *p, uint64_t *second)
{
	if (!m->schema)
		return jp_key((const struct sig *)p, pass, second);
	*second = 0;
	return generic_key((const struct cell *)p, b->fields[pass]);
}

bool
blocks_seen_before(const struct model *m, const struct blocks *b,
    unsigned pass, const uint8_t *x, const uint8_t *y)
{
	for (unsigned p = 0; p < pass; p++) {
		uint64_t x2, y2, x1 = key_of(m, b, p, x, &x2);
		uint64_t y1 = key_of(m, b, p, y, &y2);

		if ((x1 && (x1 == y1 || x1 == y2)) ||
		    (x2 && (x2 == y1 || x2 == y2)))
			return true;
	}
	return false;
}

/* Pairs that agree on one column by chance, from the counts. */
static double
chance_pairs(const struct model *m, unsigned table)
{
	const struct freq *f = &m->freq[table];
	double sum = 0;

	for (size_t i = 0; i <= f->mask; i++) {
		double l = f->count[0] ? f->count[0][i] : 0;
		double o = f->count[1] ? f->count[1][i] : 0;

		sum += l * (o + l / 2);
	}
	return sum;
}

struct choice {
	double pairs;
	uint32_t fields;
};

static int
choice_cmp(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	if (x->pairs != y->pairs)
		return x->pairs < y->pairs ? -1 : 1;
	return x->fields < y->fields ? -1 : x->fields > y->fields;
}

/*
 * Keys for columns we know nothing about: every column, every two and every
 * three, the most selective first, as far as the work stays near linear.
 */
static void
choose_generic(struct blocks *b, const struct model *m, size_t nlist,
    size_t nours)
{
	struct choice *c = calloc(1024, sizeof *c);
	double one[FIELDS_MAX], all, budget, spent = 0;
	unsigned n = 0, f = m->nfields;

	all = (double)nlist * ((double)nours + (double)nlist / 2) + 1;
	budget = 60.0 * (double)(nlist + nours) + 2e6;
	if (!c)
		return;
	for (unsigned i = 0; i < f; i++)
		one[i] = chance_pairs(m, i) + 1;
	for (unsigned i = 0; i < f; i++) {
		c[n++] = (struct choice){one[i], 1u << i};
		for (unsigned j = i + 1; j < f; j++) {
			/* Columns are not independent: a tenth of it is. */
			c[n++] = (struct choice){one[i] * one[j] / all * 10,
			    1u << i | 1u << j};
			for (unsigned k = j + 1; k < f && n < 1020; k++)
				c[n++] = (struct choice){one[i] * one[j] / all
				    * one[k] / all * 100,
				    1u << i | 1u << j | 1u << k};
		}
	}
	qsort(c, n, sizeof *c, choice_cmp);
	/* A key that contains a chosen smaller one finds nothing new. */
	for (unsigned size = 1; size <= 3; size++)
		for (unsigned i = 0; i < n && b->npasses < PASSES_MAX; i++) {
			bool useless = (unsigned)__builtin_popcount(
			    c[i].fields) != size;

			for (unsigned k = 0; k < b->npasses && !useless; k++)
				useless = (b->fields[k] & c[i].fields) ==
				    b->fields[k];
			if (useless || spent + c[i].pairs > budget ||
			    (size == 1 && c[i].pairs > budget / 8))
				continue;
			spent += c[i].pairs;
			b->fields[b->npasses++] = c[i].fields;
		}
	free(c);
}

enum err
blocks_new(struct blocks **out, const struct model *m, size_t nlist,
    size_t nours)
{
	struct blocks *b = calloc(1, sizeof *b);
	size_t bits = 1 << 16;

	if (!b)
		return ERR_NOMEM;
	if (m->schema)
		choose_generic(b, m, nlist, nours);
	else
		b->npasses = P_COUNT;
	while (bits < nlist * 16 && bits < (size_t)1 << 31)
		bits *= 2;
	b->filter_mask = bits - 1;
	b->filter = calloc(bits / 64, sizeof *b->filter);
	if (!b->filter) {
		free(b);
		return ERR_NOMEM;
	}
	*out = b;
	return ERR_OK;
}

void
blocks_free(struct blocks *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < 2 * FILLERS; i++)
		free(b->part[i].v);
	free(b->v);
	free(b->filter);
	free(b);
}

unsigned
blocks_passes(const struct blocks *b)
{
	return b->npasses;
}

uint32_t
blocks_fields(const struct blocks *b, unsigned pass)
{
	return b->fields[pass] ? b->fields[pass] : jp_fields[pass];
}

static inline bool
filter_has(const struct blocks *b, uint64_t k)
{
	uint64_t i = (k * 0xd6e8feb86659fd93ull >> 20) & b->filter_mask;

	return b->filter[i / 64] >> (i % 64) & 1;
}

static inline void
filter_add(struct blocks *b, uint64_t k)
{
	uint64_t i = (k * 0xd6e8feb86659fd93ull >> 20) & b->filter_mask;

	__atomic_fetch_or(&b->filter[i / 64], 1ull << (i % 64),
	    __ATOMIC_RELAXED);
}

static inline unsigned
bucket_of(uint64_t key)
{
	return (unsigned)(key >> 54);
}

static bool
push(struct part *b, uint64_t key, uint32_t id)
{
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap + b->cap / 2 : 1 << 16;
		struct block_entry *v = realloc(b->v, cap * sizeof *v);

		if (!v)
			return false;
		b->v = v;
		b->cap = cap;
	}
	b->v[b->n++] = (struct block_entry){key, id};
	b->at[bucket_of(key)]++;
	return true;
}

struct fill {
	struct blocks *b;
	const struct model *m;
	const uint8_t *sigs;
	size_t from, to;
	unsigned pass;
	uint64_t keep;			/* of the mixed key, for samples */
	struct part *part;
	bool list, ok;
};

static void *
fill_run(void *arg)
{
	struct fill *f = arg;
	uint64_t second;

	f->part->n = 0;
	memset(f->part->at, 0, sizeof f->part->at);
	f->ok = true;
	for (size_t i = f->from; i < f->to && f->ok; i++) {
		uint64_t k = key_of(f->m, f->b, f->pass, f->sigs + i *
		    f->m->stride, &second);

		for (int which = 0; which < 2; which++, k = second) {
			if (!k || k * 0xff51afd7ed558ccdull > f->keep)
				continue;
			if (f->list)
				filter_add(f->b, k);
			else if (!filter_has(f->b, k))
				continue;
			f->ok = f->ok && push(f->part, k, (uint32_t)i);
		}
	}
	return NULL;
}

/* To where the part's entries of each bucket begin. */
static void *
scatter(void *arg)
{
	struct fill *f = arg;

	for (size_t i = 0; i < f->part->n; i++) {
		const struct block_entry *e = &f->part->v[i];

		f->b->v[f->part->at[bucket_of(e->key)]++] = *e;
	}
	return NULL;
}

/* The last of the n in this thread, the others beside it. */
static void
run_all(void *(*run)(void *), struct fill *f, unsigned n)
{
	pthread_t t[2 * FILLERS];
	bool started[2 * FILLERS] = {false};

	for (unsigned i = 0; i < n; i++) {
		if (i + 1 < n)
			started[i] = pthread_create(&t[i], NULL, run, &f[i]) ==
			    0;
		if (!started[i])
			run(&f[i]);
	}
	for (unsigned i = 0; i < n; i++)
		if (started[i])
			pthread_join(t[i], NULL);
}

enum err
blocks_fill(struct blocks *b, const struct model *m, const uint8_t *sigs,
    size_t nlist, size_t nours, unsigned pass, bool sample)
{
	size_t all = nlist + nours, sum = 0;
	struct fill f[2 * FILLERS];
	uint64_t keep = UINT64_MAX;
	bool ok = true;

	/* About a million keys are plenty to learn from. */
	if (sample && all > 1000000)
		keep = UINT64_MAX / (all / 1000000);
	memset(b->filter, 0, (b->filter_mask + 1) / 8);
	for (unsigned i = 0; i < 2 * FILLERS; i++) {
		bool list = i < FILLERS;
		size_t from = list ? 0 : nlist, n = list ? nlist : nours;

		f[i] = (struct fill){b, m, sigs, from + n * (i % FILLERS) /
		    FILLERS, from + n * (i % FILLERS + 1) / FILLERS, pass,
		    keep, &b->part[i], list, false};
	}
	run_all(fill_run, f, FILLERS);
	run_all(fill_run, f + FILLERS, FILLERS);
	b->n = 0;
	for (unsigned p = 0; p < 2 * FILLERS; p++) {
		ok = ok && f[p].ok;
		b->n += b->part[p].n;
	}
	if (ok && b->n > b->cap) {
		free(b->v);
		b->cap = b->n + b->n / 8;
		b->v = malloc(b->cap * sizeof *b->v);
		ok = b->v != NULL;
	}
	if (!ok) {
		b->cap = 0;
		return ERR_NOMEM;
	}
	/* Parts follow each other in rising order of mentions. */
	for (size_t k = 0; k < BLOCK_BUCKETS; k++) {
		b->start[k] = sum;
		for (unsigned p = 0; p < 2 * FILLERS; p++) {
			size_t n = b->part[p].at[k];

			b->part[p].at[k] = sum;
			sum += n;
		}
	}
	b->start[BLOCK_BUCKETS] = sum;
	run_all(scatter, f, 2 * FILLERS);
	return ERR_OK;
}

size_t
blocks_largest(const struct blocks *b)
{
	size_t most = 0;

	for (size_t k = 0; k < BLOCK_BUCKETS; k++)
		if (b->start[k + 1] - b->start[k] > most)
			most = b->start[k + 1] - b->start[k];
	return most;
}

/* Stable radix sort by 44 of the remaining 54 bits, 11 at a time. */
size_t
blocks_sort(struct blocks *b, size_t bucket, struct block_entry *tmp,
    const struct block_entry **out)
{
	struct block_entry *x = b->v + b->start[bucket];
	struct block_entry *y = tmp;
	size_t n = b->start[bucket + 1] - b->start[bucket];
	uint32_t count[4][2048];

	*out = x;
	if (n < 2)
		return n;
	memset(count, 0, sizeof count);
	for (size_t i = 0; i < n; i++)
		for (unsigned p = 0; p < 4; p++)
			count[p][x[i].key >> (10 + 11 * p) & 2047]++;
	for (unsigned p = 0; p < 4; p++) {
		uint32_t sum = 0;
		struct block_entry *t;

		for (unsigned k = 0; k < 2048; k++) {
			uint32_t c = count[p][k];

			count[p][k] = sum;
			sum += c;
		}
		for (size_t i = 0; i < n; i++)
			y[count[p][x[i].key >> (10 + 11 * p) & 2047]++] = x[i];
		t = x;
		x = y;
		y = t;
	}
	*out = x;
	return n;
}

/* Eleven, eleven and ten bits of each word, the least significant first. */
static inline unsigned
digit(const struct triple *t, unsigned pass)
{
	return t->w[2 - pass / 3] >> 11 * (pass % 3) & 2047;
}

static int
triple_cmp(const void *a, const void *b)
{
	const struct triple *x = a, *y = b;

	for (unsigned i = 0; i < 3; i++)
		if (x->w[i] != y->w[i])
			return x->w[i] < y->w[i] ? -1 : 1;
	return 0;
}

void
triples_sort(struct triple *v, struct triple *tmp, size_t n)
{
	size_t (*count)[2048] = calloc(9, sizeof *count);
	struct triple *x = v, *y = tmp;

	if (!count) {		/* slower, the same order */
		qsort(v, n, sizeof *v, triple_cmp);
		return;
	}
	for (size_t i = 0; i < n; i++)
		for (unsigned p = 0; p < 9; p++)
			count[p][digit(&v[i], p)]++;
	for (unsigned p = 0; p < 9; p++) {
		size_t sum = 0;
		bool one = n > 0 && count[p][digit(&x[0], p)] == n;
		struct triple *t;

		if (one)
			continue;
		for (unsigned k = 0; k < 2048; k++) {
			size_t c = count[p][k];

			count[p][k] = sum;
			sum += c;
		}
		for (size_t i = 0; i < n; i++)
			y[count[p][digit(&x[i], p)]++] = x[i];
		t = x;
		x = y;
		y = t;
	}
	if (x != v && n)
		memcpy(v, x, n * sizeof *v);
	free(count);
}
