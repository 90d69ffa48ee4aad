/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/attribute.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>


#define CULPRITS_MAX 8
#define GROUP_NATS 6.9		/* ln 1000: within it nothing is told apart */
#define ACCUSE_NATS 9.2		/* ln 10000, beyond the number of releases */

#define CLEAR_SHARE .5
#define CLEAR_RATIO 20
#define UNEVEN 3	/* phi of a sample is near 1, of a trade above 3 */

struct counts {
	double n;		/* of the release, outside the union so far */
	double a;		/* of these in the leak */
};

struct search {
	const struct release *r;
	size_t nr, n;
	const uint64_t *leak;
	double leaked;
	uint64_t *taken;	/* the union, a bit set */
	double union_n, union_a;
	struct counts *c;
};

static int
cmp_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void
release_finish(struct release *r)
{
	size_t n = 0;
	bool sorted = true;

	for (size_t i = 1; i < r->n && sorted; i++)
		sorted = r->v[i - 1] < r->v[i];
	if (sorted)
		return;
	qsort(r->v, r->n, sizeof *r->v, cmp_u32);
	for (size_t i = 0; i < r->n; i++)
		if (n == 0 || r->v[n - 1] != r->v[i])
			r->v[n++] = r->v[i];
	r->n = n;
}

static inline bool
has(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static double
xlogy(double x, double y)
{
	return x > 0 ? x * log(y) : 0;
}

/* Log likelihood of the leak for a union of n1 subjects, a of them leaked. */
static double
likelihood(const struct search *s, double n1, double a)
{
	double n = (double)s->n, out = n - n1, b = s->leaked - a;
	double p = n1 > 0 ? a / n1 : 0, q = out > 0 ? b / out : 0;

	/* Those inside must turn up more often than those outside. */
	if (n1 > 0 && p <= q) {
		p = q = s->leaked / n;
	}
	return xlogy(a, p) + xlogy(n1 - a, 1 - p) + xlogy(b, q) +
	    xlogy(out - b, 1 - q);
}

static void
count_all(struct search *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		const struct release *r = &s->r[i];
		size_t n = 0, a = 0;

		for (size_t k = 0; k < r->n; k++) {
			bool out = !has(s->taken, r->v[k]);

			n += out;
			a += out && has(s->leak, r->v[k]);
		}
		s->c[i] = (struct counts){(double)n, (double)a};
	}
}

static double
with(const struct search *s, size_t i)
{
	return likelihood(s, s->union_n + s->c[i].n, s->union_a + s->c[i].a);
}

static void
set_union(struct search *s, const size_t *chosen, size_t n, size_t without)
{
	memset(s->taken, 0, (s->n + 63) / 64 * 8);
	s->union_n = s->union_a = 0;
	for (size_t c = 0; c < n; c++) {
		const struct release *r = &s->r[chosen[c]];

		if (c == without)
			continue;
		for (size_t k = 0; k < r->n; k++) {
			uint32_t v = r->v[k];

			if (has(s->taken, v))
				continue;
			s->taken[v / 64] |= 1ull << (v % 64);
			s->union_n++;
			s->union_a += has(s->leak, v);
		}
	}
}

static size_t
best_of(const struct search *s, double *ll)
{
	size_t best = 0;

	*ll = -INFINITY;
	for (size_t i = 0; i < s->nr; i++) {
		double v = with(s, i);

		if (v > *ll) {
			*ll = v;
			best = i;
		}
	}
	return best;
}

static int
cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* How uneven the rates are over the releases, given the chosen union. */
static double
overdispersion(struct search *s)
{
	double in = s->union_n > 0 ? s->union_a / s->union_n : 0;
	double out_n = (double)s->n - s->union_n, phi;
	double out = out_n > 0 ? (s->leaked - s->union_a) / out_n : 0;
	double *z = malloc((2 * s->nr + 1) * sizeof *z);
	size_t n = 0;

	if (!z)
		return 1;
	for (size_t i = 0; i < s->nr; i++) {
		const struct release *r = &s->r[i];
		double ni = 0, ai = 0, no = s->c[i].n, ao = s->c[i].a, d;

		for (size_t k = 0; k < r->n; k++)
			if (has(s->taken, r->v[k])) {
				ni++;
				ai += has(s->leak, r->v[k]);
			}
		/* A part that is nearly the whole tells nothing. */
		d = ni * in * (1 - in) * (1 - ni / (s->union_n + 1));
		if (ni * in >= 5 && d > 1)
			z[n++] = (ai - in * ni) * (ai - in * ni) / d;
		d = no * out * (1 - out) * (1 - no / (out_n + 1));
		if (no * out >= 5 && d > 1)
			z[n++] = (ao - out * no) * (ao - out * no) / d;
	}
	qsort(z, n, sizeof *z, cmp_double);
	/* Against chi-squared: the usual unevenness, and that of the worst. */
	phi = n >= 5 ? z[n * 9 / 10] / 2.71 : 1;
	if (n >= 50 && z[n * 49 / 50] / 5.41 > phi)
		phi = z[n * 49 / 50] / 5.41;
	free(z);
	return phi > 1 ? phi : 1;
}

struct rank {
	double ll;
	uint32_t i;
};

static int
cmp_rank(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->ll != y->ll)
		return x->ll > y->ll ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

/* The group of one chosen release: all that would do as well in its place. */
static enum err
make_group(struct search *s, struct release_group *g, const size_t *chosen,
    size_t n, size_t at, double phi, struct rank *rank)
{
	double base, top, all = 0, in = 0, need;
	size_t found = 0;

	set_union(s, chosen, n, at);
	count_all(s);
	base = likelihood(s, s->union_n, s->union_a);
	for (size_t i = 0; i < s->nr; i++)
		rank[i] = (struct rank){with(s, i), (uint32_t)i};
	qsort(rank, s->nr, sizeof *rank, cmp_rank);
	top = rank[0].ll;
	for (size_t i = 0; i < s->nr; i++)
		all += exp((rank[i].ll - top) / phi);
	while (g->n < s->nr && rank[g->n].ll >= top - GROUP_NATS * phi)
		in += exp((rank[g->n++].ll - top) / phi);
	g->release = malloc(g->n * sizeof *g->release);
	if (!g->release)
		return ERR_NOMEM;
	for (size_t i = 0; i < g->n; i++)
		g->release[i] = rank[i].i;
	g->log_likelihood = top - base;
	g->against_next = g->n < s->nr ? top - rank[g->n].ll : top - base;
	need = log((double)s->nr + 1) + ACCUSE_NATS;
	g->explains = g->log_likelihood / phi > need;
	/* Wrong: another release outside the group, or none of them at all. */
	g->chance_wrong = (all - in) / all;
	g->chance_wrong += (1 - g->chance_wrong) / (1 + exp(fmin(700,
	    g->log_likelihood / phi - log((double)s->nr + 1))));
	/* Below this the model itself is the larger doubt. */
	if (g->chance_wrong < ATTRIBUTE_CHANCE_FLOOR)
		g->chance_wrong = ATTRIBUTE_CHANCE_FLOOR;
	for (size_t k = 0; k < s->r[rank[0].i].n; k++)
		found += has(s->leak, s->r[rank[0].i].v[k]);
	g->subjects = s->r[rank[0].i].n;
	g->found = found;
	return ERR_OK;
}

static int
cmp_group(const void *a, const void *b)
{
	const struct release_group *x = a, *y = b;

	if (x->explains != y->explains)
		return x->explains ? -1 : 1;
	if (x->log_likelihood != y->log_likelihood)
		return x->log_likelihood > y->log_likelihood ? -1 : 1;
	return 0;
}

static size_t
select_releases(struct search *s, size_t *chosen)
{
	double best, now, need = log((double)s->nr + 1) + 5;
	size_t n = 0;

	set_union(s, chosen, 0, SIZE_MAX);
	now = likelihood(s, 0, 0);
	while (n < CULPRITS_MAX) {
		size_t i;

		count_all(s);
		i = best_of(s, &best);
		if (n > 0 && best - now < need)
			break;
		chosen[n++] = i;
		now = best;
		set_union(s, chosen, n, SIZE_MAX);
	}
	/* Later choices may make an earlier one wrong: exchange each. */
	for (size_t round = 0; n > 1 && round < 2; round++)
		for (size_t c = 0; c < n; c++) {
			set_union(s, chosen, n, c);
			count_all(s);
			chosen[c] = best_of(s, &best);
		}
	/* And one that no longer adds anything goes. */
	for (size_t c = 0; n > 1 && c < n;) {
		double full;

		set_union(s, chosen, n, SIZE_MAX);
		full = likelihood(s, s->union_n, s->union_a);
		set_union(s, chosen, n, c);
		if (full - likelihood(s, s->union_n, s->union_a) < need) {
			memmove(chosen + c, chosen + c + 1, (n - c - 1) *
			    sizeof *chosen);
			n--;
		} else
			c++;
	}
	return n;
}

/*
 * What explains a list accounts for most of it, or leaves those outside almost
 * untouched. A list that only resembles our customers does neither.
 */
static bool
is_clear(const struct attribution *a, double inside, double leaked)
{
	double excess = (a->rate_in - a->rate_out) * inside / leaked;

	if (a->rate_in >= CLEAR_RATIO * a->rate_out)
		return true;
	return excess >= CLEAR_SHARE && a->phi <= UNEVEN;
}

enum err
attribute(struct attribution *out, const struct release *r, size_t nr,
    const uint64_t *leak, size_t n)
{
	struct search s = {.r = r, .nr = nr, .n = n, .leak = leak};
	size_t chosen[CULPRITS_MAX + 1] = {0}, nchosen;
	struct rank *rank = malloc((nr + 1) * sizeof *rank);
	enum err e = ERR_OK;
	bool clear;

	memset(out, 0, sizeof *out);
	out->phi = 1;
	s.taken = calloc(n / 64 + 1, 8);
	s.c = calloc(nr + 1, sizeof *s.c);
	if (!rank || !s.taken || !s.c) {
		e = ERR_NOMEM;
		goto out;
	}
	for (size_t i = 0; i <= n / 64; i++)
		s.leaked += __builtin_popcountll(leak[i]);
	if (nr == 0 || s.leaked < 1 || n == 0)
		goto out;
	nchosen = select_releases(&s, chosen);
	set_union(&s, chosen, nchosen, SIZE_MAX);
	count_all(&s);
	out->phi = overdispersion(&s);
	out->rate_in = s.union_n > 0 ? s.union_a / s.union_n : 0;
	out->rate_out = (double)n > s.union_n ? (s.leaked - s.union_a) /
	    ((double)n - s.union_n) : 0;
	out->group = calloc(nchosen, sizeof *out->group);
	if (!out->group) {
		e = ERR_NOMEM;
		goto out;
	}
	clear = is_clear(out, s.union_n, s.leaked);
	for (size_t c = 0; c < nchosen && e == ERR_OK; c++) {
		e = make_group(&s, &out->group[c], chosen, nchosen, c,
		    out->phi, rank);
		out->group[c].explains = out->group[c].explains && clear;
		out->n = c + 1;
	}
	qsort(out->group, out->n, sizeof *out->group, cmp_group);
out:
	free(rank);
	free(s.taken);
	free(s.c);
	if (e != ERR_OK)
		attribution_fini(out);
	return e;
}

void
attribution_fini(struct attribution *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->group[i].release);
	free(a->group);
	memset(a, 0, sizeof *a);
}
