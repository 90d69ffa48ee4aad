/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/block.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PASSES_MAX 64
#define FILLERS 2u		/* threads that look through ours */
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
	struct part {			/* what each filler found */
		struct block_entry *v;
		size_t n, cap;
	} part[FILLERS + 1];
	struct block_entry *v, *tmp;	/* partitioned; for sorting */
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
	for (unsigned i = 0; i <= FILLERS; i++)
		free(b->part[i].v);
	free(b->v);
	free(b->tmp);
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

	b->filter[i / 64] |= 1ull << (i % 64);
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
	return true;
}

static inline unsigned
bucket_of(uint64_t key)
{
	return (unsigned)(key >> 54);
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

/* Space for n entries, twice; what was in it is of no use. */
static enum err
make_room(struct blocks *b, size_t n)
{
	if (n <= b->cap && b->v)
		return ERR_OK;
	free(b->v);
	free(b->tmp);
	b->cap = n + n / 8 + 1;
	b->v = malloc(b->cap * sizeof *b->v);
	b->tmp = malloc(b->cap * sizeof *b->tmp);
	return b->v && b->tmp ? ERR_OK : ERR_NOMEM;
}

enum err
blocks_fill(struct blocks *b, const struct model *m, const uint8_t *sigs,
    size_t nlist, size_t nours, unsigned pass, bool sample)
{
	size_t all = nlist + nours, at[BLOCK_BUCKETS];
	struct fill f[FILLERS + 1];
	uint64_t keep = UINT64_MAX;
	pthread_t t[FILLERS];
	bool ok, started[FILLERS] = {false};

	/* About a million keys are plenty to learn from. */
	if (sample && all > 1000000)
		keep = UINT64_MAX / (all / 1000000);
	memset(b->filter, 0, (b->filter_mask + 1) / 8);
	f[0] = (struct fill){b, m, sigs, 0, nlist, pass, keep, &b->part[0],
	    true, false};
	fill_run(&f[0]);
	for (unsigned i = 0; i < FILLERS; i++) {
		f[i + 1] = (struct fill){b, m, sigs, nlist + nours * i /
		    FILLERS, nlist + nours * (i + 1) / FILLERS, pass, keep,
		    &b->part[i + 1], false, false};
		if (i + 1 < FILLERS)
			started[i] = pthread_create(&t[i], NULL, fill_run,
			    &f[i + 1]) == 0;
		if (!started[i])
			fill_run(&f[i + 1]);
	}
	ok = f[0].ok;
	b->n = b->part[0].n;
	for (unsigned i = 0; i < FILLERS; i++) {
		if (started[i])
			pthread_join(t[i], NULL);
		ok = ok && f[i + 1].ok;
		b->n += b->part[i + 1].n;
	}
	if (!ok || make_room(b, b->n) != ERR_OK)
		return ERR_NOMEM;
	/* Parts follow each other in rising order of mentions. */
	memset(b->start, 0, sizeof b->start);
	for (unsigned p = 0; p <= FILLERS; p++)
		for (size_t i = 0; i < b->part[p].n; i++)
			b->start[bucket_of(b->part[p].v[i].key) + 1]++;
	for (size_t i = 0; i < BLOCK_BUCKETS; i++)
		b->start[i + 1] += b->start[i];
	memcpy(at, b->start, sizeof at);
	for (unsigned p = 0; p <= FILLERS; p++)
		for (size_t i = 0; i < b->part[p].n; i++) {
			const struct block_entry *e = &b->part[p].v[i];

			b->v[at[bucket_of(e->key)]++] = *e;
		}
	return ERR_OK;
}

/* Stable radix sort by 44 of the remaining 54 bits, 11 at a time. */
size_t
blocks_sort(struct blocks *b, size_t bucket, const struct block_entry **out)
{
	struct block_entry *x = b->v + b->start[bucket];
	struct block_entry *y = b->tmp + b->start[bucket];
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
