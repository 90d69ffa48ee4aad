/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attribution over many made-up businesses: the culprit is named, innocent lists,
 * also such that resemble our customers by trade, accuse nobody, and a chance of
 * being wrong is what it says. TRACE_TRIALS=N does N times as much, TRACE_ONLY=
 * a test's name that one alone; what docs/trace.md claims was seen with 30.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/attribute.h"

enum { N = 20000, R = 150, JOBS = 10 };

static uint64_t state = 88172645463325252ull;

static double
unit(void)
{
	state += 0x9e3779b97f4a7c15ull;
	uint64_t z = state;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* A customer: when he joined, where he lives, his age, his service. */
static struct {
	double joined;
	int pref, year, service;
} who[N];

static struct release rel[R];
static uint64_t leak[N / 64 + 1];

struct job {
	int kind, a, b;
};

static bool
takes(const struct job *j, int i, double until)
{
	if (who[i].joined > until)
		return false;
	switch (j->kind) {
	case 0: return who[i].service == j->a;
	case 1: return who[i].year >= j->a && who[i].year <= j->a + 3;
	case 2: return who[i].pref % 7 == j->a % 7;
	default: return who[i].service == j->b && who[i].year >= j->a;
	}
}

static int
times(int trials)
{
	const char *n = getenv("TRACE_TRIALS");

	return trials * (n ? atoi(n) : 1);
}

/*
 * A business: customers and releases. Half of the releases are runs of a few
 * jobs, the rest are one-off.
 */
static void
found_business(void)
{
	struct job job[JOBS], once;

	for (int i = 0; i < N; i++) {
		who[i].joined = unit() < .6 ? 0 : unit();
		who[i].pref = (int)(47 * unit() * unit());
		who[i].year = (int)(24 * unit());
		who[i].service = (int)(4 * unit());
	}
	for (int r = 0; r < R; r++) {
		struct job *j = r < R / 2 ? &job[r % JOBS] : &once;
		double until = unit();

		if (r < JOBS || r >= R / 2)
			*j = (struct job){(int)(4 * unit()),
			    (int)(20 * unit()), (int)(4 * unit())};
		if (j->kind == 0)
			j->a %= 4;
		free(rel[r].v);
		rel[r] = (struct release){.v = malloc(N * sizeof *rel[r].v)};
		for (int i = 0; i < N; i++)
			if (takes(j, i, until))
				rel[r].v[rel[r].n++] = (uint32_t)i;
		release_finish(&rel[r]);
	}
}

static int
setup(void **unused)
{
	found_business();
	return 0;
}

static int
teardown(void **unused)
{
	for (int r = 0; r < R; r++)
		free(rel[r].v);
	return 0;
}

static void
leak_from(const int *culprit, int n, double sample, double foreign)
{
	static bool in[N];

	memset(in, 0, sizeof in);
	memset(leak, 0, sizeof leak);
	for (int c = 0; c < n; c++)
		for (size_t k = 0; k < rel[culprit[c]].n; k++)
			in[rel[culprit[c]].v[k]] = true;
	for (int i = 0; i < N; i++)
		if ((in[i] && unit() < sample) || unit() < foreign)
			leak[i / 64] |= 1ull << (i % 64);
}

static bool
in_group(const struct release_group *g, int r)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->release[i] == (uint32_t)r)
			return true;
	return false;
}

static void
test_one_culprit(void **unused)
{
	struct attribution a;
	int right = 0, trials = 0;

	while (trials < times(60)) {
		int c = (int)(R * unit());

		if (trials % 60 == 59)
			found_business();

		if (rel[c].n < 200)
			continue;
		trials++;
		leak_from(&c, 1, .2, .002);
		assert_int_equal(attribute(&a, rel, R, leak, N), ERR_OK);
		right += a.n > 0 && a.group[0].explains &&
		    in_group(&a.group[0], c);
		attribution_fini(&a);
	}
	printf("one culprit, a fifth: %d of %d in the first group\n", right,
	    trials);
	assert_int_equal(right, trials);
}

static void
test_three_culprits(void **unused)
{
	struct attribution a;
	int accused = 0, right = 0;

	for (int t = 0; t < times(30); t++) {
		int c[3];

		if (t % 30 == 29)
			found_business();

		for (int i = 0; i < 3; i++)
			do
				c[i] = (int)(R * unit());
			while (rel[c[i]].n < 200);
		leak_from(c, 3, .2, .002);
		assert_int_equal(attribute(&a, rel, R, leak, N), ERR_OK);
		for (size_t g = 0; g < a.n; g++) {
			if (!a.group[g].explains)
				continue;
			accused++;
			for (int i = 0; i < 3; i++)
				if (in_group(&a.group[g], c[i])) {
					right++;
					break;
				}
		}
		attribution_fini(&a);
	}
	printf("three culprits: %d accused, %d of them rightly\n", accused,
	    right);
	assert_true(accused >= times(50));
	assert_true(right >= accused * .95);
}

static void
test_innocent(void **unused)
{
	struct attribution a;
	int accused = 0;

	for (int t = 0; t < times(150); t++) {
		if (t % 50 == 49)
			found_business();
		double base = .02 + .4 * unit(), age = 3 * unit() - 1.5;
		double town = 3 * unit() - 1.5, service = 2 * unit() - 1;

		/* By chance alone, or by age, region and trade as well. */
		if (t % 3 == 0)
			age = town = service = 0;
		memset(leak, 0, sizeof leak);
		for (int i = 0; i < N; i++) {
			double x = log(base / (1 - base)) + age *
			    (who[i].year - 12) / 8. + town *
			    (who[i].pref - 12) / 12. + service *
			    (who[i].service - 1.5);

			if (unit() < 1 / (1 + exp(-x)))
				leak[i / 64] |= 1ull << (i % 64);
		}
		assert_int_equal(attribute(&a, rel, R, leak, N), ERR_OK);
		accused += a.n > 0 && a.group[0].explains;
		attribution_fini(&a);
	}
	printf("innocent lists: %d of %d accuse\n", accused, times(150));
	assert_true(accused * 1000 <= times(150));
}

/*
 * Answers with a chance of being wrong of p are wrong that often, or less. From
 * leaks so thin that nothing can be said to such that leave no doubt.
 */
static void
test_chance_wrong(void **unused)
{
	static const double upto[] = {1e-4, 1e-3, 1e-2, .1, .5, 1};
	int n[6] = {0}, wrong[6] = {0}, explains = 0, explains_wrong = 0;
	struct attribution a;

	for (int t = 0; t < times(120); t++) {
		double sample = exp(log(.004) + unit() * log(80));
		double foreign = unit() < .3 ? 0 : .01 * unit() * unit();
		int c, bin = 0;
		bool miss;

		if (t % 40 == 39)
			found_business();
		do
			c = (int)(R * unit());
		while (rel[c].n < 50);
		leak_from(&c, 1, sample, foreign);
		assert_int_equal(attribute(&a, rel, R, leak, N), ERR_OK);
		if (a.n == 0)
			continue;
		miss = !in_group(&a.group[0], c);
		while (a.group[0].chance_wrong > upto[bin] && bin < 5)
			bin++;
		n[bin]++;
		wrong[bin] += miss;
		explains += a.group[0].explains;
		explains_wrong += a.group[0].explains && miss;
		attribution_fini(&a);
	}
	for (int i = 0; i < 6; i++) {
		double most = upto[i] * n[i];

		printf("chance of being wrong up to %g: %d of %d wrong\n",
		    upto[i], wrong[i], n[i]);
		assert_true(wrong[i] <= most + 3 * sqrt(most) + 1);
	}
	printf("of those that explain: %d of %d wrong\n", explains_wrong,
	    explains);
}

static void
test_empty(void **unused)
{
	struct attribution a;

	memset(leak, 0, sizeof leak);
	assert_int_equal(attribute(&a, rel, R, leak, N), ERR_OK);
	assert_int_equal(a.n, 0);
	assert_int_equal(attribute(&a, rel, 0, leak, N), ERR_OK);
	assert_int_equal(a.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_culprit),
		cmocka_unit_test(test_three_culprits),
		cmocka_unit_test(test_innocent),
		cmocka_unit_test(test_chance_wrong),
		cmocka_unit_test(test_empty),
	};

	cmocka_set_test_filter(getenv("TRACE_ONLY"));
	return cmocka_run_group_tests_name("trace: attribution", tests, setup,
	    teardown);
}
