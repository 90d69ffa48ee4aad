/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meter against a naive model that keeps every subject in the clear:
 * L2 (exact edge), L4 (distinct per actor, across requests and years).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "meter/meter.h"
#include "meter/set.h"
#include "meter/token.h"

static uint64_t seed = 88172645463325252u;

static uint64_t
rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static uint64_t
token(int year, uint64_t subject)
{
	return set_mix(subject * 1000003u + (uint64_t)year * 77777777777u);
}

/* --- the model ---------------------------------------------------------- */

enum { SUBJECTS = 400, DAYS = 1600, ACTORS = 3, ROWS = 40, KEYS = 3 };

struct model {
	int32_t last[SUBJECTS];		/* -1: never */
	uint64_t anon[DAYS];
};

static const int len[METER_WINDOWS] = {1, 30, 365, 1000000};

static uint64_t
model_used(const struct model *m, int32_t today, int w)
{
	uint64_t n = 0;

	for (int i = 0; i < SUBJECTS; i++)
		n += m->last[i] >= 0 && m->last[i] > today - len[w];
	for (int d = 0; d <= today; d++)
		n += d > today - len[w] ? m->anon[d] : 0;
	return n;
}

struct request {
	struct meter_row rows[ROWS];
	size_t nrows, ntokens;
	uint64_t subjects[ROWS * KEYS], tokens[ROWS * KEYS];
	int oldest;
};

static bool
older(void *arg, size_t i, int year, uint64_t *t)
{
	const struct request *q = arg;

	if (year < q->oldest)
		return false;
	*t = token(year, q->subjects[i]);
	return true;
}

/* Rows that fit, charging the model. */
static size_t
model_decide(struct model *m, const struct request *q, int32_t today,
    const uint64_t *limit, bool observe)
{
	size_t k = 0, i;

	for (i = 0; i < q->nrows; i++) {
		struct model before = *m;
		bool fits = true;

		for (uint32_t j = 0; j < q->rows[i].nkeys; j++)
			m->last[q->subjects[k + j]] = today;
		m->anon[today] += q->rows[i].anon;
		for (int w = 0; w < METER_WINDOWS; w++)
			if (model_used(m, today, w) > limit[w] &&
			    model_used(m, today, w) > model_used(&before, today, w))
				fits = false;
		if (!fits && !observe) {
			*m = before;
			break;
		}
		k += q->rows[i].nkeys;
	}
	return i;
}

static int32_t
model_frees(const struct model *m, int32_t today, int w, uint64_t limit,
    uint64_t need)
{
	if (w == METER_EVER)
		return METER_NEVER;
	for (int32_t d = today + 1; d <= today + 366; d++)
		if (model_used(m, d, w) + need <= limit)
			return d;
	return METER_NEVER;
}

static void
make_request(struct request *q, int year, uint64_t universe)
{
	q->nrows = 1 + rnd(ROWS);
	q->ntokens = 0;
	for (size_t i = 0; i < q->nrows; i++) {
		q->rows[i].nkeys = (uint32_t)rnd(KEYS + 1);
		q->rows[i].anon = rnd(8) == 0 ? (uint32_t)rnd(5) : 0;
		for (uint32_t j = 0; j < q->rows[i].nkeys; j++) {
			uint64_t s = rnd(universe);

			q->subjects[q->ntokens] = s;
			q->tokens[q->ntokens++] = token(year, s);
		}
	}
}

/* --- snapshot in memory ------------------------------------------------- */

static bool
put(void *arg, const void *p, size_t n)
{
	buf_put(arg, p, n);
	return !((struct buf *)arg)->bad;
}

static bool
get(void *arg, void *p, size_t n)
{
	struct buf *b = arg;

	if (buf_used(b) < n)
		return false;
	memcpy(p, buf_head(b), n);
	b->off += n;
	return true;
}

static struct meter *
reload(struct meter *m)
{
	struct meter *out;
	struct buf b;

	buf_init(&b, 1u << 24);
	assert_int_equal(meter_save(m, put, &b), ERR_OK);
	/* Any truncation is refused, not believed. */
	for (int i = 0; i < 20; i++) {
		struct buf cut = b;

		cut.len = rnd(b.len);
		assert_int_equal(meter_load(&out, get, &cut), ERR_FORMAT);
	}
	assert_int_equal(meter_load(&out, get, &b), ERR_OK);
	assert_int_equal(buf_used(&b), 0);
	buf_fini(&b);
	meter_free(m);
	return out;
}

static void
charge_replay(struct meter *r, uint32_t actor, int32_t day, int year,
    const struct request *q, const struct meter_answer *ans)
{
	struct meter_replay e = {actor, day, year, q->tokens, ans->tokens,
	    ans->anon, ans->moved, ans->nmoved};

	assert_int_equal(meter_replay(r, &e), ERR_OK);
}

static void
check_used(struct meter *m, struct meter *replayed, const struct model *model,
    int32_t today)
{
	for (uint32_t a = 0; a < ACTORS; a++)
		for (int w = 0; w < METER_WINDOWS; w++) {
			uint64_t want = model_used(&model[a], today, w);

			assert_int_equal(meter_used(m, a, today, w), want);
			assert_int_equal(meter_used(replayed, a, today, w), want);
		}
}

/* The meter itself holds each subject once; one that was rebuilt may hold more. */
static void
check_pairs(const struct meter *m, const struct model *model)
{
	uint64_t n = 0;

	for (uint32_t a = 0; a < ACTORS; a++)
		for (int i = 0; i < SUBJECTS; i++)
			n += model[a].last[i] >= 0;
	assert_int_equal(meter_pairs(m), n);
}

static void
one_run(void)
{
	static struct model model[ACTORS];
	struct meter *m = meter_new(), *r = meter_new();
	uint64_t limit[ACTORS][METER_WINDOWS];
	int32_t today = (int32_t)rnd(300);

	memset(model, 0, sizeof(model));
	for (uint32_t a = 0; a < ACTORS; a++) {
		char name[8];

		snprintf(name, sizeof(name), "a%u", a);
		assert_int_equal(meter_actor(m, name), a);
		assert_int_equal(meter_actor(r, name), a);
		for (int i = 0; i < SUBJECTS; i++)
			model[a].last[i] = -1;
		for (int w = 0; w < METER_WINDOWS; w++)
			limit[a][w] = rnd(4) == 0 ? METER_NO_LIMIT :
			    rnd(60u * (unsigned)(w + 1));
	}
	for (int step = 0; step < 150; step++) {
		uint32_t a = (uint32_t)rnd(ACTORS);
		int year = token_year(today);
		bool observe = rnd(6) == 0;
		struct model before = model[a];
		struct request q;
		struct meter_answer ans;
		size_t want;

		make_request(&q, year, 1 + rnd(SUBJECTS));
		q.oldest = 0;
		struct meter_ask ask = {a, today, year, limit[a], observe, q.rows,
		    q.nrows, q.tokens, older, &q};

		want = model_decide(&model[a], &q, today, limit[a], observe);
		assert_int_equal(meter_decide(m, &ask, &ans), ERR_OK);
		assert_int_equal(ans.rows, want);
		if (ans.window >= 0) {
			assert_int_equal(ans.used,
			    model_used(&model[a], today, ans.window));
			assert_int_equal(ans.limit, limit[a][ans.window]);
		}
		if (!observe)
			assert_int_equal(ans.window >= 0, want < q.nrows);
		if (rnd(5) == 0) {
			/* As when the ledger could not take it. */
			meter_undo(m);
			model[a] = before;
		} else {
			charge_replay(r, a, today, year, &q, &ans);
		}
		check_used(m, r, model, today);
		check_pairs(m, model);
		if (rnd(3) == 0 && today < DAYS - 400)
			today += rnd(12) == 0 ? (int32_t)rnd(380) :
			    (int32_t)rnd(20);
		if (rnd(40) == 0)
			m = reload(m);
		if (rnd(40) == 0)
			r = reload(r);
	}
	meter_free(m);
	meter_free(r);
}

static void
property_against_naive_model_L2_L4(void **state)
{
	for (int i = 0; i < 60; i++)
		one_run();
}

static void
exact_edge_L2(void **state)
{
	struct meter *m = meter_new();
	uint64_t limit[METER_WINDOWS] = {100, METER_NO_LIMIT, METER_NO_LIMIT,
	    METER_NO_LIMIT}, t[130];
	struct meter_row rows[130];
	struct meter_answer ans;
	struct meter_ask ask = {meter_actor(m, "tanaka"), 20000, 2024, limit, false,
	    rows, 130, t, NULL, NULL};

	for (int i = 0; i < 130; i++) {
		t[i] = (uint64_t)i + 1;
		rows[i] = (struct meter_row){1, 0};
	}
	assert_int_equal(meter_decide(m, &ask, &ans), ERR_OK);
	assert_int_equal(ans.rows, 100);
	assert_int_equal(ans.used, 100);
	assert_int_equal(ans.window, METER_DAY);
	assert_int_equal(ans.frees, 20001);
	/* Repeats are free even at the edge, the next new one is not. */
	assert_int_equal(meter_decide(m, &ask, &ans), ERR_OK);
	assert_int_equal(ans.rows, 100);
	/* Tomorrow the same hundred use tomorrow's budget. */
	ask.today++;
	assert_int_equal(meter_decide(m, &ask, &ans), ERR_OK);
	assert_int_equal(ans.rows, 100);
	assert_int_equal(meter_used(m, 0, 20001, METER_30DAYS), 100);
	assert_int_equal(meter_used(m, 0, 20001, METER_EVER), 100);
	meter_free(m);
}

static void
frees_when_enough_old_ones_leave(void **state)
{
	struct meter *m = meter_new();
	struct model model = {0};
	uint64_t limit[METER_WINDOWS] = {METER_NO_LIMIT, 50, METER_NO_LIMIT,
	    METER_NO_LIMIT};
	struct meter_answer ans;

	for (int i = 0; i < SUBJECTS; i++)
		model.last[i] = -1;
	for (int32_t day = 100; day < 400; day++) {
		struct request q = {.nrows = 8, .ntokens = 8};
		struct meter_ask ask = {meter_actor(m, "a"), day, 1970, limit, false,
		    q.rows, 8, q.tokens, NULL, NULL};

		for (int i = 0; i < 8; i++) {
			q.rows[i].nkeys = 1;
			q.subjects[i] = rnd(SUBJECTS);
			q.tokens[i] = token(1970, q.subjects[i]);
		}
		model_decide(&model, &q, day, limit, false);
		assert_int_equal(meter_decide(m, &ask, &ans), ERR_OK);
		if (ans.window == METER_30DAYS)
			assert_int_equal(ans.frees,
			    model_frees(&model, day, METER_30DAYS, 50, 1));
	}
	meter_free(m);
}

static void
years_and_days(void **state)
{
	assert_int_equal(token_year(0), 1970);
	assert_int_equal(token_year(364), 1970);
	assert_int_equal(token_year(365), 1971);
	assert_int_equal(token_year(20453), 2025);
	assert_int_equal(token_year(20454), 2026);
	for (int32_t d = 0; d < 60000; d++) {
		time_t t = (time_t)d * 86400;
		struct tm tm;

		gmtime_r(&t, &tm);
		assert_int_equal(token_year(d), tm.tm_year + 1900);
	}
}

/* Where the database, the domain and the key end is part of the token. */
static void
token_parts_do_not_mix(void **state)
{
	uint8_t key[16], in[15];

	for (unsigned i = 0; i < 16; i++)
		key[i] = (uint8_t)i;
	for (unsigned i = 0; i < 15; i++)
		in[i] = (uint8_t)i;
	uint64_t a = token_make(key, (struct slice){in + 1, 2},
	    (struct slice){in + 3, 2}, (struct slice){in + 5, 3});
	uint64_t b = token_make(key, (struct slice){in + 1, 2},
	    (struct slice){in + 3, 3}, (struct slice){in + 6, 2});

	assert_true(a != b);
	/* The two NULs of empty parts, by an independent SipHash-2-4. */
	assert_int_equal(token_make(key, (struct slice){in, 0},
	    (struct slice){in, 0}, (struct slice){in, 0}), 0xde8bc20c29332251u);
}

static void
set_keeps_everything(void **state)
{
	struct set s = {0};
	const uint64_t n = 200000;
	int32_t old;

	for (uint64_t i = 0; i < n; i++) {
		assert_true(set_put(&s, set_mix(i), (uint16_t)(i % 5000), &old));
		assert_int_equal(old, -1);
	}
	for (uint64_t i = 0; i < n; i += 3)
		assert_true(set_del(&s, set_mix(i)));
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(set_get(&s, set_mix(i)),
		    i % 3 == 0 ? -1 : (int32_t)(i % 5000));
	assert_int_equal(s.count, n - (n + 2) / 3);
	for (uint64_t i = 0; i < n; i++)
		assert_true(set_put(&s, set_mix(i), 7, &old));
	assert_int_equal(s.count, n);
	set_fini(&s);
	assert_int_equal(s.count, 0);
}

static long
rss_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size = 0, rss = 0;

	if (f != NULL) {
		if (fscanf(f, "%ld %ld", &size, &rss) != 2)
			rss = 0;
		fclose(f);
	}
	return rss * (sysconf(_SC_PAGESIZE) / 1024);
}

/* KURABAN_METER_PAIRS=10000000 KURABAN_METER_ACTORS=1000: memory and speed. */
static void
memory_bar(void **state)
{
	const char *env = getenv("KURABAN_METER_PAIRS");
	const char *env_actors = getenv("KURABAN_METER_ACTORS");
	uint64_t pairs = env ? strtoull(env, NULL, 10) : 300000;
	uint32_t actors = env_actors ? (uint32_t)atoi(env_actors) : 10;
	struct meter *m = meter_new();
	uint64_t no[METER_WINDOWS] = {METER_NO_LIMIT, METER_NO_LIMIT,
	    METER_NO_LIMIT, METER_NO_LIMIT};
	static struct meter_row rows[4096];
	static uint64_t t[4096];
	long before = rss_kib();
	clock_t began = clock();
	uint64_t done = 0;

	for (int i = 0; i < 4096; i++)
		rows[i].nkeys = 1;
	for (uint32_t a = 0; a < actors; a++) {
		char name[16];

		snprintf(name, sizeof(name), "actor%u", a);
		meter_actor(m, name);
	}
	while (done < pairs) {
		size_t n = pairs - done < 4096 ? pairs - done : 4096;
		struct meter_answer ans;
		struct meter_ask ask = {(uint32_t)rnd(actors), 20000, 2024, no, false,
		    rows, n, t, NULL, NULL};

		for (size_t i = 0; i < n; i++)
			t[i] = done + i;
		assert_int_equal(meter_decide(m, &ask, &ans), ERR_OK);
		done += n;
	}
	if (env != NULL)
		print_message("%llu pairs, %u actors: counted %.2f B, RSS %.2f B "
		    "a pair, %.0f ns an insert\n", (unsigned long long)pairs, actors,
		    (double)meter_bytes(m) / (double)pairs,
		    (double)(rss_kib() - before) * 1024 / (double)pairs,
		    (double)(clock() - began) / CLOCKS_PER_SEC * 1e9 / (double)pairs);
	assert_int_equal(meter_pairs(m), pairs);
	/* 1 GiB / 1e8, with the actor's own block apart */
	assert_true((double)(meter_bytes(m) - actors * 4096ul) <
	    10.73 * (double)pairs);
	meter_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(property_against_naive_model_L2_L4),
		cmocka_unit_test(exact_edge_L2),
		cmocka_unit_test(frees_when_enough_old_ones_leave),
		cmocka_unit_test(years_and_days),
		cmocka_unit_test(token_parts_do_not_mix),
		cmocka_unit_test(set_keeps_everything),
		cmocka_unit_test(memory_bar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
