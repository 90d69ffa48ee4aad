/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/link.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trace/block.h"

#define EM_PAIRS 300000u
#define RANDOM_PAIRS 300000u
#define LOCKS 4096


struct worker {
	struct link_job *job;
	struct worker *first;		/* of all, and how many they are */
	unsigned count;
	struct triple *edge;		/* order of the weight, a, b */
	size_t nedges, edge_cap;
	struct block_entry *tmp;
	size_t tmp_cap;
	uint64_t pairs, capped_blocks, capped_mentions;
	unsigned largest;
	bool nomem;
	uint32_t histogram[2][64];
	struct patterns patterns;	/* while learning */
};

struct link_job {
	const struct link_input *in;
	struct link_result *out;
	struct model *model;
	struct blocks *blocks;
	unsigned pass;
	bool learning;
	float keep_ours, keep_list;	/* least weight worth remembering */
	uint32_t *canon;		/* of ours: the first entry of the person */
	atomic_size_t next;
	atomic_bool stopped;
	uint64_t begin_us;		/* of the matching */
	atomic_flag lock[LOCKS];
};

static bool
progress(const struct link_input *in, const char *stage, double part,
    double rate)
{
	return !in->progress || in->progress(in->arg, stage, part, rate);
}

static inline const uint8_t *
sig_at(const struct link_job *j, uint32_t id)
{
	return j->in->sigs + (size_t)id * j->model->stride;
}

/* So that the heaviest has the least order, and back. */
static uint32_t
order_of(float weight)
{
	uint32_t bits;

	memcpy(&bits, &weight, sizeof bits);
	return ~(bits >> 31 ? ~bits : bits | 1u << 31);
}

static float
weight_of(uint32_t order)
{
	uint32_t bits = ~order;
	float weight;

	bits = bits >> 31 ? bits & ~(1u << 31) : ~bits;
	memcpy(&weight, &bits, sizeof weight);
	return weight;
}

static void
edge_add(struct worker *w, uint32_t a, uint32_t b, float weight)
{
	if (w->nedges == w->edge_cap) {
		size_t cap = w->edge_cap ? w->edge_cap + w->edge_cap / 2 :
		    4096;
		struct triple *e = realloc(w->edge, cap * sizeof *e);

		if (!e) {
			w->nomem = true;
			return;
		}
		w->edge = e;
		w->edge_cap = cap;
	}
	w->edge[w->nedges++] = (struct triple){{order_of(weight),
	    a < b ? a : b, a < b ? b : a}};
}

/* Better: heavier, then the earlier row. Keeps the two best different ones. */
static void
best_offer(struct link_best *b, uint32_t id, float weight)
{
	if (id == b->id || id == b->second_id)
		return;
	if (b->id == LINK_NONE || weight > b->weight ||
	    (weight == b->weight && id < b->id)) {
		b->second = b->weight;
		b->second_id = b->id;
		b->weight = weight;
		b->id = id;
	} else if (b->second_id == LINK_NONE || weight > b->second ||
	    (weight == b->second && id < b->second_id)) {
		b->second = weight;
		b->second_id = id;
	}
}

static inline unsigned
bin(float weight)
{
	int b = (int)floorf(weight / 2) + 16;

	return b < 0 ? 0 : b > 63 ? 63 : (unsigned)b;
}

static void
pair(struct worker *w, uint32_t a, uint32_t b)
{
	struct link_job *j = w->job;
	const uint8_t *pa = sig_at(j, a), *pb = sig_at(j, b);
	struct levels l;
	bool ours = b >= j->in->nlist;
	float weight, keep = ours ? j->keep_ours : j->keep_list;
	atomic_flag *lock;

	w->pairs++;
	if (j->learning) {
		bool apart = !model_compare(j->model, pa, pb, &l);

		model_levels(j->model, pa, pb, &l);
		patterns_add(&w->patterns, &l, j->model->nfields, apart);
		return;
	}
	if (!model_compare(j->model, pa, pb, &l))
		return;
	weight = model_weight(j->model, &l);
	if (weight + MODEL_RARE_MAX < keep)
		return;
	/* Found already by an earlier pass: once is enough. */
	if (blocks_seen_before(j->model, j->blocks, j->pass, pa, pb))
		return;
	weight = model_weight_rare(j->model, &l, pa, pb);
	if (weight < keep)
		return;
	w->histogram[!ours][bin(weight)]++;
	if (!ours) {
		edge_add(w, a, b, weight);
		return;
	}
	lock = &j->lock[a % LOCKS];
	while (atomic_flag_test_and_set_explicit(lock, memory_order_acquire))
		;
	best_offer(&j->out->best[a], b, weight);
	atomic_flag_clear_explicit(lock, memory_order_release);
}

/* Names first, so that neighbours in a window are likely the same person. */
static uint64_t
window_order(const struct link_job *j, uint32_t id)
{
	const uint8_t *p = sig_at(j, id);

	if (j->model->schema) {
		const struct cell *c = (const struct cell *)p;
		uint64_t h = 0;

		for (unsigned f = 0; f < j->model->nfields; f++)
			h = h * 0x9e3779b97f4a7c15ull + c[f].hash;
		return h;
	}
	const struct sig *s = (const struct sig *)p;

	return (uint64_t)(s->kall ? s->kall : s->all) << 32 |
	    (s->dob ^ s->town * 0x9e3779b1u);
}

struct window {
	uint64_t order;
	uint32_t id;
};

static int
window_cmp(const void *a, const void *b)
{
	const struct window *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void
capped(struct worker *w, const struct block_entry *e, size_t n)
{
	struct link_job *j = w->job;
	struct window *v = malloc(n * sizeof *v);

	w->capped_blocks++;
	w->capped_mentions += n;
	if (!v) {
		w->nomem = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = (struct window){window_order(j, e[i].id), e[i].id};
	qsort(v, n, sizeof *v, window_cmp);
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n && k <= i + LINK_WINDOW; k++) {
			uint32_t a = v[i].id, b = v[k].id;

			if (a > b) {
				uint32_t t = a;

				a = b;
				b = t;
			}
			if (a < j->in->nlist && a != b)
				pair(w, a, b);
		}
	free(v);
}

/* Entries of one key: the list's first, then ours, each by number. */
static void
block(struct worker *w, const struct block_entry *e, size_t n)
{
	struct link_job *j = w->job;
	size_t nl = 0;
	uint64_t pairs;

	while (nl < n && e[nl].id < j->in->nlist)
		nl++;
	if (nl == 0 || n < 2)
		return;
	if (n > w->largest)
		w->largest = (unsigned)n;
	pairs = (uint64_t)nl * (n - nl) + (uint64_t)nl * (nl - 1) / 2;
	if (pairs > LINK_BLOCK_PAIRS && pairs > n * LINK_WINDOW) {
		capped(w, e, n);
		return;
	}
	for (size_t i = 0; i < nl; i++) {
		if (i + 1 < nl && j->learning && w->patterns.total >
		    EM_PAIRS)
			return;
		for (size_t k = i + 1; k < n; k++) {
			if (k + 8 < n)
				__builtin_prefetch(sig_at(j, e[k + 8].id));
			if (e[k].id != e[i].id)
				pair(w, e[i].id, e[k].id);
		}
	}
}

/* The first worker speaks for all: each has done about as much. */
static void
tell(struct worker *w, size_t bucket)
{
	struct link_job *j = w->job;
	double passes = blocks_passes(j->blocks), part, rate;
	uint64_t us = clock_mono_us() - j->begin_us + 1;

	if (j->learning || w->first != w || bucket % 16 != 0)
		return;
	part = ((double)j->pass + (double)bucket / BLOCK_BUCKETS) / passes;
	rate = (double)w->pairs * w->count * 1e6 / (double)us;
	if (!progress(j->in, "match", part, rate))
		atomic_store(&j->stopped, true);
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct link_job *j = w->job;
	size_t b, most = blocks_largest(j->blocks);

	if (most > w->tmp_cap) {
		free(w->tmp);
		w->tmp = malloc(most * sizeof *w->tmp);
		w->tmp_cap = w->tmp ? most : 0;
		w->nomem = !w->tmp;
	}
	while (!w->nomem && !atomic_load(&j->stopped) &&
	    (b = atomic_fetch_add(&j->next, 1)) < BLOCK_BUCKETS) {
		const struct block_entry *e;
		size_t n = blocks_sort(j->blocks, b, w->tmp, &e), ahead = 0;

		tell(w, b);

		for (size_t i = 0, k; i < n; i = k) {
			for (k = i + 1; k < n && e[k].key == e[i].key; k++)
				;
			/* The signatures of the blocks to come. */
			for (; ahead < n && ahead < k + 24; ahead++)
				__builtin_prefetch(sig_at(j, e[ahead].id));
			block(w, e + i, k - i);
		}
		/* Learning needs a sample: whole buckets, in fixed order. */
		if (j->learning && w->patterns.total > EM_PAIRS)
			break;
	}
	return NULL;
}

static enum err
run_pass(struct link_job *j, struct worker *w, unsigned nworkers)
{
	pthread_t t[16];
	bool started[16] = {false};

	atomic_store(&j->next, 0);
	for (unsigned i = 1; i < nworkers; i++)
		started[i] = pthread_create(&t[i], NULL, work, &w[i]) == 0;
	work(&w[0]);
	for (unsigned i = 1; i < nworkers; i++)
		if (started[i])
			pthread_join(t[i], NULL);
	for (unsigned i = 0; i < nworkers; i++)
		if (w[i].nomem)
			return ERR_NOMEM;
	return atomic_load(&j->stopped) ? ERR_CLOSED : ERR_OK;
}

static uint64_t
next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/*
 * Pairs of the pass that agree on their key by chance, from u; for passes by
 * full name, where nothing but chance brings strangers together. Else -1.
 */
static double
chance(const struct link_job *j, uint32_t fields)
{
	const struct link_input *in = j->in;
	const struct model *m = j->model;
	uint32_t name = 1u << F_SURNAME | 1u << F_GIVEN;
	double n, part = (double)atomic_load(&j->next) / BLOCK_BUCKETS;

	if (m->schema || (fields & name) != name)
		return -1;
	n = (double)in->nlist * ((double)in->nours + (double)in->nlist / 2);
	for (unsigned f = 0; f < m->nfields; f++) {
		unsigned same = f == F_ADDRESS ? 4 : f == F_BIRTH ? 0 : 2;
		double u = 0;

		if (!(fields >> f & 1))
			continue;
		for (unsigned l = 0; l <= same; l++)
			u += m->u[f][l];
		n *= u;
	}
	n *= part < 1 ? part : 1;
	if (in->nlist + in->nours > 1000000)
		n /= (double)(in->nlist + in->nours) / 1000000;
	return n;
}

/* u from random pairs, then m from the blocked pairs of each pass. */
static enum err
learn(struct link_job *j, struct worker *w)
{
	const struct link_input *in = j->in;
	double sum[ROWS_MAX][LEVELS_MAX] = {{0}};
	uint64_t x = 88172645463325252ull;
	size_t all = in->nlist + in->nours;
	enum err e = patterns_init(&w->patterns);
	struct levels l;

	if (e != ERR_OK)
		return e;
	for (unsigned i = 0; i < RANDOM_PAIRS && in->nlist > 0 && all > 1;
	    i++) {
		uint32_t a = (uint32_t)(next_random(&x) % in->nlist);
		uint32_t b = (uint32_t)(in->nours ? in->nlist +
		    next_random(&x) % in->nours : next_random(&x) % all);

		if (a == b)
			continue;
		model_levels(j->model, sig_at(j, a), sig_at(j, b), &l);
		patterns_add(&w->patterns, &l, j->model->nfields, false);
	}
	model_learn_u(j->model, &w->patterns);
	j->learning = true;
	for (j->pass = 0; j->pass < blocks_passes(j->blocks); j->pass++) {
		uint32_t fields = blocks_fields(j->blocks, j->pass);

		if (!progress(in, "learn", (double)j->pass /
		    blocks_passes(j->blocks), 0)) {
			e = ERR_CLOSED;
			break;
		}
		patterns_fini(&w->patterns);
		e = patterns_init(&w->patterns);
		if (e == ERR_OK)
			e = blocks_fill(j->blocks, j->model, in->sigs,
			    in->nlist, in->nours, j->pass, true);
		if (e == ERR_OK)
			e = run_pass(j, w, 1);
		if (e != ERR_OK)
			break;
		if (w->patterns.total >= 50)
			model_em(j->model, &w->patterns, ~fields,
			    chance(j, fields), sum);
	}
	patterns_fini(&w->patterns);
	j->learning = false;
	w->pairs = 0;
	w->capped_blocks = w->capped_mentions = 0;
	w->largest = 0;
	if (e == ERR_OK)
		model_learn_m(j->model, sum);
	return e;
}

static double
odds(double weight, double prior)
{
	double o = exp2(weight) * prior;

	return o > 1e300 ? 1e300 : o;
}

/* A million are enough to see what share of the list is ours. */
#define SHARE_SAMPLE 1000000u

/* Posterior of the best against the second and against none; of either. */
static double
posterior(struct link_best *b, double prior)
{
	double o1 = odds(b->weight, prior);
	double o2 = b->second_id == LINK_NONE ? 0 : odds(b->second, prior);

	b->probability = (float)(o1 / (1 + o1 + o2));
	return (o1 + o2) / (1 + o1 + o2);
}

/*
 * Each list mention has at most one partner in ours, any of nours with equal
 * chance. The share of the list that is ours is found on the way.
 */
static void
posteriors(struct link_job *j)
{
	struct link_result *r = j->out;
	size_t nl = j->in->nlist, step = nl / SHARE_SAMPLE + 1;
	double share = .5, n = (double)j->in->nours, prior;

	for (int round = 0; round < 20; round++) {
		double sum = 0, seen = 0, was = share;

		prior = share / n / (1 - share);
		for (size_t i = 0; i < nl; i += step, seen++)
			if (r->best[i].id != LINK_NONE)
				sum += posterior(&r->best[i], prior);
		share = (sum + .5) / (seen + 1);
		if (share > .999)
			share = .999;
		if (share < 1e-6)
			share = 1e-6;
		if (round > 0 && fabs(share - was) < 1e-6)
			break;
	}
	r->prior = share;
	prior = share / n / (1 - share);
	for (size_t i = 0; i < nl; i++) {
		struct link_best *b = &r->best[i];
		struct levels l;
		double o;

		if (b->id == LINK_NONE)
			continue;
		posterior(b, prior);
		/*
		 * Two of ours that are one person (a double entry) tie: either
		 * is right, so the tie does not count against them.
		 */
		if (b->second_id != LINK_NONE && b->probability < .99f &&
		    model_compare(j->model, sig_at(j, b->id),
		    sig_at(j, b->second_id), &l) &&
		    model_weight_rare(j->model, &l, sig_at(j, b->id),
		    sig_at(j, b->second_id)) > log2(n + 2) + 3) {
			o = odds(b->weight, prior);
			b->probability = (float)(o / (1 + o));
		}
		b->accepted = b->probability >= LINK_THRESHOLD;
	}
}

static uint32_t
find(uint32_t *parent, uint32_t x)
{
	while (parent[x] != x) {
		parent[x] = parent[parent[x]];
		x = parent[x];
	}
	return x;
}

/*
 * Ours may hold one person several times, a guardian under each child above
 * all. Among those that the list links to, entries of one name that share a
 * home or a telephone are one person.
 */
static enum err
same_in_ours(struct link_job *j)
{
	size_t nl = j->in->nlist, n = 0;
	struct triple *v, *tmp;
	double least = log2((double)j->in->nours + 2) + 3;
	struct levels l;

	for (size_t i = 0; i < nl; i++)
		n += 2u * j->out->best[i].accepted;
	v = malloc((n + 1) * sizeof *v);
	tmp = malloc((n + 1) * sizeof *tmp);
	j->canon = malloc((j->in->nours + 1) * sizeof *j->canon);
	if (!v || !tmp || !j->canon) {
		free(v);
		free(tmp);
		return ERR_NOMEM;
	}
	n = 0;
	for (size_t i = 0; i < j->in->nours; i++)
		j->canon[i] = (uint32_t)i;
	for (size_t i = 0; i < nl && !j->model->schema; i++) {
		const struct link_best *b = &j->out->best[i];
		const struct sig *s;
		uint32_t name;

		if (!b->accepted)
			continue;
		s = (const struct sig *)sig_at(j, b->id);
		name = s->all ? s->all : s->kall;
		if (s->num)
			v[n++] = (struct triple){{name, s->town ^ s->num *
			    0x9e3779b1u, b->id}};
		if (s->phone)
			v[n++] = (struct triple){{name, s->phone, b->id}};
	}
	triples_sort(v, tmp, n);
	free(tmp);
	for (size_t i = 0, k; i < n; i = k)
		for (k = i + 1; k < n && v[k].w[0] == v[i].w[0] &&
		    v[k].w[1] == v[i].w[1]; k++) {
			const uint8_t *x = sig_at(j, v[i].w[2]);
			const uint8_t *y = sig_at(j, v[k].w[2]);
			uint32_t a = find(j->canon, v[i].w[2] - (uint32_t)nl);
			uint32_t b = find(j->canon, v[k].w[2] - (uint32_t)nl);

			if (a == b || !model_compare(j->model, x, y, &l) ||
			    model_weight_rare(j->model, &l, x, y) < least)
				continue;
			if (a < b)
				j->canon[b] = a;
			else
				j->canon[a] = b;
		}
	free(v);
	return ERR_OK;
}

static uint32_t
canon(const struct link_job *j, uint32_t ours)
{
	return find(j->canon, ours - (uint32_t)j->in->nlist);
}

static bool
is_guardian(const struct link_job *j, size_t i, size_t end)
{
	return i < end && (((const struct sig *)sig_at(j,
	    (uint32_t)i))->role & SIG_GUARDIAN);
}

/*
 * A guardian follows his child's mention. Where the child is known, a guardian
 * of the same name in the child's row of ours is the same person, although a
 * name alone would never say so.
 */
static void
guardians(struct link_job *j)
{
	struct link_result *r = j->out;
	size_t nl = j->in->nlist, all = nl + j->in->nours;
	struct levels l;

	for (size_t i = 1; i < nl && !j->model->schema; i++) {
		struct link_best *b = &r->best[i];
		const struct link_best *child = &r->best[i - 1];

		if (!is_guardian(j, i, nl) || is_guardian(j, i - 1, nl) ||
		    !child->accepted || b->probability >= child->probability ||
		    !is_guardian(j, (size_t)child->id + 1, all) ||
		    is_guardian(j, child->id, all))
			continue;
		model_levels(j->model, sig_at(j, (uint32_t)i),
		    sig_at(j, child->id + 1), &l);
		if (l.v[F_GIVEN] > 3)
			continue;
		b->id = child->id + 1;
		b->weight = child->weight;
		b->probability = child->probability;
		b->accepted = true;
	}
}

static enum err
counting(const struct link_job *j, double part)
{
	return progress(j->in, "cluster", part, 0) ? ERR_OK : ERR_CLOSED;
}

/* Joins two clusters unless their first members cannot be one person. */
static bool
join(struct link_job *j, uint32_t *parent, uint32_t a, uint32_t b)
{
	struct levels l;

	a = find(parent, a);
	b = find(parent, b);
	if (a == b)
		return true;
	if (!j->model->schema) {
		const struct sig *x = (const struct sig *)sig_at(j, a);
		const struct sig *y = (const struct sig *)sig_at(j, b);

		model_levels(j->model, sig_at(j, a), sig_at(j, b), &l);
		if (l.v[F_GIVEN] == 5 || (x->dob && y->dob &&
		    l.v[F_BIRTH] == 3))
			return false;
	}
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
	return true;
}

/*
 * Two list mentions that link to one of ours must be one person themselves.
 * Where the pair says clearly that they are not, the weaker link is wrong.
 */
static enum err
settle(struct link_job *j, uint32_t *parent)
{
	struct link_result *r = j->out;
	size_t n = 0, nl = j->in->nlist;
	struct triple *v, *tmp;		/* of ours, order of the weight, mention */
	struct levels l;

	for (size_t i = 0; i < nl; i++)
		n += r->best[i].accepted;
	v = malloc((n + 1) * sizeof *v);
	tmp = malloc((n + 1) * sizeof *tmp);
	if (!v || !tmp) {
		free(v);
		free(tmp);
		return ERR_NOMEM;
	}
	n = 0;
	for (size_t i = 0; i < nl; i++)
		if (r->best[i].accepted)
			v[n++] = (struct triple){{canon(j, r->best[i].id),
			    order_of(r->best[i].weight), (uint32_t)i}};
	triples_sort(v, tmp, n);
	free(tmp);
	for (size_t i = 0, k; i < n; i = k) {
		uint32_t one = v[i].w[2];

		for (k = i + 1; k < n && v[k].w[0] == v[i].w[0]; k++) {
			uint32_t other = v[k].w[2];
			struct link_best *b = &r->best[other];
			const uint8_t *x = sig_at(j, one);
			const uint8_t *y = sig_at(j, other);

			if (find(parent, one) == find(parent, other))
				continue;
			if (r->best[one].weight > b->weight + 6 &&
			    (!model_compare(j->model, x, y, &l) ||
			    model_weight_rare(j->model, &l, x, y) < -5)) {
				b->accepted = false;
				b->probability = .25f;
			} else
				join(j, parent, one, other);
		}
	}
	free(v);
	return ERR_OK;
}

/* Rows of one child name one guardian: the same name is the same person. */
static void
same_guardians(struct link_job *j, uint32_t *parent)
{
	size_t nl = j->in->nlist;
	struct levels l;

	for (size_t i = 1; i < nl && !j->model->schema; i++) {
		uint32_t child;

		if (!is_guardian(j, i, nl) || is_guardian(j, i - 1, nl))
			continue;
		child = find(parent, (uint32_t)i - 1);
		if (child == i - 1 || !is_guardian(j, (size_t)child + 1, nl))
			continue;
		model_levels(j->model, sig_at(j, (uint32_t)i),
		    sig_at(j, child + 1), &l);
		if (l.v[F_GIVEN] <= 3 && l.v[F_SURNAME] != 5)
			join(j, parent, (uint32_t)i, child + 1);
	}
}

/* The edges of all workers, the heaviest first. */
static enum err
all_edges(struct worker *w, unsigned nworkers, struct triple **out, size_t *n)
{
	struct triple *e = w[0].edge, *tmp;
	size_t at = w[0].nedges;

	*n = 0;
	for (unsigned i = 0; i < nworkers; i++)
		*n += w[i].nedges;
	if (*n > w[0].edge_cap || !e) {
		e = realloc(w[0].edge, (*n + 1) * sizeof *e);
		if (!e)
			return ERR_NOMEM;
	}
	w[0].edge = NULL;
	*out = e;
	for (unsigned i = 1; i < nworkers; i++) {
		if (w[i].nedges)
			memcpy(e + at, w[i].edge, w[i].nedges * sizeof *e);
		at += w[i].nedges;
		free(w[i].edge);
		w[i].edge = NULL;
	}
	tmp = malloc((*n + 1) * sizeof *tmp);
	if (!tmp)
		return ERR_NOMEM;
	triples_sort(e, tmp, *n);
	free(tmp);
	return ERR_OK;
}

/*
 * What ours says of a pair in the list: they are different ones of ours, or one
 * is ours and the other cannot be that person (三宅 光 and ひかり may be one, but
 * ours reads 光 ヒカル).
 */
static bool
ours_differ(const struct link_job *j, uint32_t a, uint32_t b)
{
	const struct link_best *x = &j->out->best[a], *y = &j->out->best[b];
	bool sure_x = x->accepted && x->probability > .9f;
	bool sure_y = y->accepted && y->probability > .9f;
	struct levels l;

	if (sure_x && sure_y)
		return canon(j, x->id) != canon(j, y->id);
	if (sure_x)
		return !model_compare(j->model, sig_at(j, b),
		    sig_at(j, x->id), &l);
	return sure_y && !model_compare(j->model, sig_at(j, a),
	    sig_at(j, y->id), &l);
}

static enum err
cluster(struct link_job *j, struct worker *w, unsigned nworkers)
{
	struct link_result *r = j->out;
	size_t nl = j->in->nlist, n = 0;
	uint32_t *parent = malloc((nl + 1) * sizeof *parent);
	uint32_t *number = malloc((nl + 1) * sizeof *number);
	uint8_t *ours = calloc(nl + 1, 1);
	struct triple *e = NULL;
	enum err err = parent && number && ours ? ERR_OK : ERR_NOMEM;
	double prior = 1 / (double)(nl + 1);

	if (err == ERR_OK)
		err = all_edges(w, nworkers, &e, &n);
	if (err == ERR_OK)
		err = counting(j, .5);
	if (err != ERR_OK)
		goto out;
	for (size_t i = 0; i < nl; i++)
		parent[i] = (uint32_t)i;
	/* First what is sure through ours, then edges from the strongest. */
	err = settle(j, parent);
	for (size_t i = 0; i < n && err == ERR_OK; i++) {
		uint32_t a = e[i].w[1], b = e[i].w[2];
		double p;

		if (i % 1000000 == 0)
			err = counting(j, .7 + .3 * (double)i / (double)n);
		if (find(parent, a) == find(parent, b))
			continue;
		if (ours_differ(j, a, b))
			continue;
		p = odds(weight_of(e[i].w[0]), prior);
		p /= 1 + p;
		if (p >= LINK_THRESHOLD && join(j, parent, a, b)) {
			r->wrong += 1 - p;
			r->missed_var += p * (1 - p);
		} else {
			r->missed += p;
			r->missed_var += p * (1 - p);
		}
	}
	if (err != ERR_OK)
		goto out;
	same_guardians(j, parent);
	for (size_t i = 0; i < nl; i++) {
		uint32_t root = find(parent, (uint32_t)i);

		if (root == i)
			number[i] = (uint32_t)r->npersons++;
		r->person[i] = number[root];
		if (r->best[i].accepted && !ours[root]) {
			ours[root] = 1;
			r->npersons_ours++;
		}
		if (r->best[i].id != LINK_NONE) {
			double p = r->best[i].probability;

			if (root == i || !ours[root])
				r->ours_var += p * (1 - p);
		}
	}
out:
	free(parent);
	free(number);
	free(ours);
	free(e);
	return err;
}

static enum err
score_all(struct link_job *j, struct worker *w, unsigned nworkers)
{
	unsigned passes = blocks_passes(j->blocks);
	enum err e = ERR_OK;

	j->begin_us = clock_mono_us();
	for (j->pass = 0; j->pass < passes && e == ERR_OK; j->pass++) {
		e = blocks_fill(j->blocks, j->model, j->in->sigs,
		    j->in->nlist, j->in->nours, j->pass, false);
		if (e == ERR_OK)
			e = run_pass(j, w, nworkers);
	}
	return e;
}

enum err
link_run(const struct link_input *in, struct link_result *out)
{
	struct link_job *j = calloc(1, sizeof *j);
	unsigned nworkers = in->threads < 1 ? 1 : in->threads > 16 ? 16 :
	    in->threads;
	struct worker *w = calloc(nworkers, sizeof *w);
	enum err e = j && w ? ERR_OK : ERR_NOMEM;

	memset(out, 0, sizeof *out);
	out->learned = *in->model;
	if (e == ERR_OK) {
		out->best = malloc((in->nlist + 1) * sizeof *out->best);
		out->person = calloc(in->nlist + 1, sizeof *out->person);
		if (!out->best || !out->person)
			e = ERR_NOMEM;
	}
	if (e != ERR_OK)
		goto out;
	for (size_t i = 0; i < in->nlist; i++)
		out->best[i] = (struct link_best){0, 0, LINK_NONE, LINK_NONE,
		    0, false};
	j->in = in;
	j->out = out;
	j->model = &out->learned;
	for (size_t i = 0; i < LOCKS; i++)
		atomic_flag_clear(&j->lock[i]);
	for (unsigned i = 0; i < nworkers; i++)
		w[i] = (struct worker){.job = j, .first = w, .count =
		    nworkers};
	e = blocks_new(&j->blocks, j->model, in->nlist, in->nours);
	if (e == ERR_OK)
		e = learn(j, w);
	if (e != ERR_OK)
		goto out;
	/* Far below even odds nothing can change what is accepted. */
	j->keep_ours = (float)log2((double)in->nours + 2) - 8;
	j->keep_list = (float)log2((double)in->nlist + 2) - 8;
	e = score_all(j, w, nworkers);
	if (e != ERR_OK)
		goto out;
	for (unsigned i = 0; i < nworkers; i++) {
		out->pairs += w[i].pairs;
		out->capped_blocks += w[i].capped_blocks;
		out->capped_mentions += w[i].capped_mentions;
		if (w[i].largest > out->largest_block)
			out->largest_block = w[i].largest;
		for (unsigned k = 0; k < 64; k++) {
			out->histogram[0][k] += w[i].histogram[0][k];
			out->histogram[1][k] += w[i].histogram[1][k];
		}
	}
	if ((e = counting(j, 0)) != ERR_OK)
		goto out;
	blocks_free(j->blocks);
	j->blocks = NULL;
	for (unsigned i = 0; i < nworkers; i++) {
		free(w[i].tmp);
		w[i].tmp = NULL;
	}
	if (in->nours) {
		posteriors(j);
		guardians(j);
	}
	if ((e = counting(j, .2)) == ERR_OK)
		e = same_in_ours(j);
	if (e == ERR_OK)
		e = cluster(j, w, nworkers);
out:
	if (j)
		blocks_free(j->blocks);
	for (unsigned i = 0; w && i < nworkers; i++) {
		free(w[i].edge);
		free(w[i].tmp);
		patterns_fini(&w[i].patterns);
	}
	free(w);
	if (j)
		free(j->canon);
	free(j);
	if (e != ERR_OK)
		link_fini(out);
	return e;
}

void
link_fini(struct link_result *r)
{
	free(r->best);
	free(r->person);
	r->best = NULL;
	r->person = NULL;
}
