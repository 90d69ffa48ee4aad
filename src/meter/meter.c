/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/meter.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "meter/parts.h"

static const int window_days[METER_WINDOWS] = {1, 30, RING, 0};

struct meter *
meter_new(void)
{
	struct meter *m = calloc(1, sizeof(*m));

	if (m != NULL)
		map_init(&m->names);
	return m;
}

void
meter_free(struct meter *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->nactors; i++) {
		set_fini(&m->actors[i]->set);
		free(m->actors[i]->name);
		free(m->actors[i]->anon);
		free(m->actors[i]);
	}
	free(m->actors);
	map_fini(&m->names, NULL);
	free(m->steps);
	free(m->moved);
	free(m);
}

uint32_t
meter_actor_find(const struct meter *m, const char *name)
{
	const void *v = map_get(&m->names, slice_cstr(name));

	return v ? (uint32_t)((uintptr_t)v - 1) : UINT32_MAX;
}

uint32_t
meter_actor(struct meter *m, const char *name)
{
	uint32_t n = meter_actor_find(m, name);
	struct actor *a;

	if (n != UINT32_MAX)
		return n;
	if (m->nactors == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 16;
		m->actors = realloc(m->actors, m->cap * sizeof(*m->actors));
		must(m->actors != NULL);
	}
	must((a = calloc(1, sizeof(*a))) != NULL);
	must((a->name = strdup(name)) != NULL);
	a->day = m->today;
	m->actors[m->nactors] = a;
	map_put(&m->names, slice_cstr(name), (void *)(uintptr_t)(m->nactors + 1));
	return (uint32_t)m->nactors++;
}

size_t
meter_actors(const struct meter *m)
{
	return m->nactors;
}

const char *
meter_actor_name(const struct meter *m, uint32_t actor)
{
	must(actor < m->nactors);
	return m->actors[actor]->name;
}

static inline size_t
slot(int32_t day)
{
	int32_t r = day % RING;

	return (size_t)(r < 0 ? r + RING : r);
}

/* What was received last on a day of the ring. */
static inline uint64_t
day_count(const struct actor *a, int32_t day)
{
	return a->ring[slot(day)] + (a->anon ? a->anon[slot(day)] : 0);
}

void
meter_sums(struct actor *a)
{
	uint64_t sum = 0;

	for (int d = 0; d < RING; d++) {
		sum += day_count(a, a->day - d);
		for (int w = 0; w < METER_EVER; w++)
			if (d == window_days[w] - 1)
				a->sum[w] = sum;
	}
	a->sum[METER_EVER] = sum + a->older + a->anon_older;
}

/* Turns the actor's calendar to today: days that leave the ring become older. */
static void
actor_turn(struct actor *a, int32_t today)
{
	if (today == a->day)
		return;
	for (int32_t d = today; d > a->day && d > today - RING; d--) {
		a->older += a->ring[slot(d)];
		a->ring[slot(d)] = 0;
		if (a->anon != NULL) {
			a->anon_older += a->anon[slot(d)];
			a->anon[slot(d)] = 0;
		}
	}
	a->day = today;
	meter_sums(a);
}

/* The window's first day; INT32_MIN for ever. */
static inline int32_t
window_start(int window, int32_t today)
{
	return window == METER_EVER ? INT32_MIN : today - window_days[window] + 1;
}

/* A pair that was last received on `from` (-1: never) is now so on `to`. */
static void
actor_bump(struct actor *a, int32_t from, int32_t to)
{
	if (from == to)
		return;
	if (from >= 0) {
		if (from > a->day - RING)
			a->ring[slot(from)]--;
		else
			a->older--;
	}
	if (to >= 0) {
		if (to > a->day - RING)
			a->ring[slot(to)]++;
		else
			a->older++;
	}
	for (int w = 0; w < METER_WINDOWS; w++) {
		int32_t start = window_start(w, a->day);

		a->sum[w] += (to >= 0 && to >= start);
		a->sum[w] -= (from >= 0 && from >= start);
	}
}

static bool
actor_anon(struct actor *a, uint64_t n)
{
	if (a->anon == NULL &&
	    (a->anon = calloc(RING, sizeof(*a->anon))) == NULL)
		return false;
	a->anon[slot(a->day)] += n;
	for (int w = 0; w < METER_WINDOWS; w++)
		a->sum[w] += n;
	return true;
}

static void
actor_year(struct actor *a, int year, int64_t change)
{
	unsigned i = 0;

	while (i < a->nyears && a->years[i].year > year)
		i++;
	if (i == a->nyears || a->years[i].year != year) {
		/* The oldest falls off: its key is long gone. */
		if (a->nyears == YEARS_MAX)
			a->nyears--;
		if (i >= YEARS_MAX)
			return;
		memmove(&a->years[i + 1], &a->years[i],
		    (a->nyears - i) * sizeof(a->years[0]));
		a->years[i] = (struct year){year, 0};
		a->nyears++;
	}
	a->years[i].count += (uint64_t)change;
}

/* Sets the calendar of the meter and of the actor; days never go back. */
static struct actor *
meter_turn(struct meter *m, uint32_t actor, int32_t today)
{
	must(actor < m->nactors);
	/* The set's days are 16 bits: 1970 to 2149. */
	if (today < 0)
		today = 0;
	if (today > UINT16_MAX)
		today = UINT16_MAX;
	if (today > m->today)
		m->today = today;
	actor_turn(m->actors[actor], m->today);
	return m->actors[actor];
}

static bool
steps_room(struct meter *m, size_t more)
{
	size_t cap = m->steps_cap ? m->steps_cap : 256;
	struct step *v;

	if (m->steps_cap - m->nsteps >= more)
		return true;
	while (cap - m->nsteps < more)
		cap *= 2;
	if ((v = realloc(m->steps, cap * sizeof(*v))) == NULL)
		return false;
	m->steps = v;
	m->steps_cap = cap;
	return true;
}

static void
step_undo(struct meter *m, struct actor *a, const struct step *s)
{
	int32_t now;

	switch (s->kind) {
	case STEP_NEW:
		must(set_del(&a->set, s->token));
		actor_year(a, m->steps_year, -1);
		actor_bump(a, a->day, -1);
		break;
	case STEP_AGAIN:
		must(set_put(&a->set, s->token, (uint16_t)s->day, &now));
		actor_bump(a, a->day, s->day);
		break;
	case STEP_MOVED:
		must(set_del(&a->set, s->token));
		must(set_put(&a->set, s->old_token, (uint16_t)s->day, &now));
		actor_year(a, m->steps_year, -1);
		actor_year(a, s->year, 1);
		actor_bump(a, a->day, s->day);
		break;
	case STEP_ANON:
		a->anon[slot(a->day)] -= s->token;
		for (int w = 0; w < METER_WINDOWS; w++)
			a->sum[w] -= s->token;
		break;
	}
}

static void
steps_undo(struct meter *m, size_t to)
{
	while (m->nsteps > to)
		step_undo(m, m->actors[m->steps_actor], &m->steps[--m->nsteps]);
}

void
meter_undo(struct meter *m)
{
	steps_undo(m, 0);
}

/* Looks for token i of the request under the keys of earlier years. */
static bool
find_older(struct actor *a, const struct meter_ask *ask, size_t i,
    struct step *s)
{
	uint64_t t;

	for (unsigned y = 0; y < a->nyears; y++) {
		if (a->years[y].year == ask->year || a->years[y].count == 0 ||
		    !ask->older(ask->arg, i, a->years[y].year, &t))
			continue;
		t = set_mix(t);
		if ((s->day = set_get(&a->set, t)) < 0)
			continue;
		s->year = a->years[y].year;
		s->old_token = t;
		return true;
	}
	return false;
}

/* Charges token i and pushes the step; there is room for it. */
static bool
charge_token(struct meter *m, struct actor *a, const struct meter_ask *ask,
    size_t i)
{
	struct step s = {.kind = STEP_NEW, .token = set_mix(ask->tokens[i])};

	if (!set_put(&a->set, s.token, (uint16_t)a->day, &s.day))
		return false;
	if (s.day >= 0) {
		if (s.day == a->day)
			return true;
		s.kind = STEP_AGAIN;
	} else {
		actor_year(a, ask->year, 1);
		if (ask->older != NULL && find_older(a, ask, i, &s)) {
			set_del(&a->set, s.old_token);
			actor_year(a, s.year, -1);
			s.kind = STEP_MOVED;
		}
	}
	actor_bump(a, s.day, a->day);
	m->steps[m->nsteps++] = s;
	return true;
}

/* Bits of the windows over their limit of those that `before` grew in. */
static unsigned
over(const struct actor *a, const uint64_t *limit,
    const uint64_t before[METER_WINDOWS])
{
	unsigned bits = 0;

	for (int w = 0; w < METER_WINDOWS; w++)
		if (a->sum[w] > before[w] && a->sum[w] > limit[w])
			bits |= 1u << w;
	return bits;
}

/* First day on which `need` more fit into the window. */
static int32_t
frees(const struct actor *a, int window, uint64_t limit, uint64_t need)
{
	uint64_t used = a->sum[window];

	if (window == METER_EVER || need > limit)
		return METER_NEVER;
	for (int32_t d = 1; d <= window_days[window]; d++) {
		used -= day_count(a, a->day + d - window_days[window]);
		if (used <= limit - need)
			return a->day + d;
	}
	return METER_NEVER;
}

/* Of the windows in bits, tells the one that frees last. */
static void
tell_window(const struct actor *a, const struct meter_ask *ask, unsigned bits,
    const uint64_t need[METER_WINDOWS], struct meter_answer *out)
{
	for (int w = 0; w < METER_WINDOWS; w++) {
		int32_t day;

		if (!(bits & 1u << w))
			continue;
		day = frees(a, w, ask->limit[w], need[w]);
		if (out->window >= 0 && day <= out->frees)
			continue;
		out->window = w;
		out->frees = day;
		out->used = a->sum[w];
		out->limit = ask->limit[w];
	}
}

/* Charges one row whole. */
static bool
charge_row(struct meter *m, struct actor *a, const struct meter_ask *ask,
    const struct meter_row *row, size_t first)
{
	if (!steps_room(m, (size_t)row->nkeys + 1))
		return false;
	for (uint32_t k = 0; k < row->nkeys; k++)
		if (!charge_token(m, a, ask, first + k))
			return false;
	if (row->anon > 0) {
		if (!actor_anon(a, row->anon))
			return false;
		m->steps[m->nsteps++] = (struct step){.kind = STEP_ANON,
		    .token = row->anon};
	}
	return true;
}

static bool
collect_moved(struct meter *m, struct meter_answer *out)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < m->nsteps; i++)
		n += m->steps[i].kind == STEP_MOVED;
	if (n > m->moved_cap) {
		void *v = realloc(m->moved, n * sizeof(*m->moved));

		if (v == NULL)
			return false;
		m->moved = v;
		m->moved_cap = n;
	}
	n = 0;
	for (size_t i = 0; i < m->nsteps; i++) {
		if (m->steps[i].kind != STEP_MOVED)
			continue;
		for (k = 0; k < n && m->moved[k].day != m->steps[i].day; k++)
			;
		if (k == n)
			m->moved[n++] = (struct meter_moved){m->steps[i].day, 0};
		m->moved[k].count++;
	}
	out->moved = m->moved;
	out->nmoved = n;
	return true;
}

/* Memory far away is asked for before its turn: most of the time goes there. */
static void
hint(const struct actor *a, const struct meter_ask *ask, size_t total, size_t i)
{
	if (i + 32 < total)
		set_hint_far(&a->set, set_mix(ask->tokens[i + 32]));
	if (i + 16 < total)
		set_hint_near(&a->set, set_mix(ask->tokens[i + 16]));
	if (i + 6 < total)
		set_hint_next(&a->set, set_mix(ask->tokens[i + 6]));
}

enum err
meter_decide(struct meter *m, const struct meter_ask *ask,
    struct meter_answer *out)
{
	struct actor *a = meter_turn(m, ask->actor, ask->today);
	struct meter_answer r = {.window = -1};
	uint64_t before[METER_WINDOWS], need[METER_WINDOWS] = {0};
	unsigned bits = 0;
	size_t total = 0;

	m->nsteps = 0;
	m->steps_actor = ask->actor;
	m->steps_year = ask->year;
	for (size_t i = 0; i < ask->nrows; i++)
		total += ask->rows[i].nkeys;
	for (; r.rows < ask->nrows; r.rows++) {
		const struct meter_row *row = &ask->rows[r.rows];
		size_t mark = m->nsteps;

		memcpy(before, a->sum, sizeof(before));
		hint(a, ask, total, r.tokens);
		if (!charge_row(m, a, ask, row, r.tokens))
			goto nomem;
		bits = over(a, ask->limit, before);
		if (ask->observe) {
			r.exceeded |= bits;
		} else if (bits != 0) {
			for (int w = 0; w < METER_WINDOWS; w++)
				need[w] = a->sum[w] - before[w];
			steps_undo(m, mark);
			break;
		}
		r.tokens += row->nkeys;
		r.anon += row->anon;
	}
	tell_window(a, ask, ask->observe ? r.exceeded : bits, need, &r);
	if (!collect_moved(m, &r))
		goto nomem;
	*out = r;
	return ERR_OK;
nomem:
	steps_undo(m, 0);
	return ERR_NOMEM;
}

enum err
meter_replay(struct meter *m, const struct meter_replay *r)
{
	struct actor *a = meter_turn(m, r->actor, r->day);
	size_t nmoved = 0, used = 0;
	int32_t old;

	for (size_t i = 0; i < r->ntokens; i++) {
		if (i + 16 < r->ntokens)
			set_hint_far(&a->set, set_mix(r->tokens[i + 16]));
		if (i + 8 < r->ntokens)
			set_hint_near(&a->set, set_mix(r->tokens[i + 8]));
		if (!set_put(&a->set, set_mix(r->tokens[i]), (uint16_t)a->day,
		    &old))
			return ERR_NOMEM;
		if (old < 0) {
			actor_year(a, r->year, 1);
			while (nmoved < r->nmoved &&
			    used == r->moved[nmoved].count) {
				nmoved++;
				used = 0;
			}
			if (nmoved < r->nmoved) {
				old = r->moved[nmoved].day;
				used++;
			}
		}
		actor_bump(a, old, a->day);
	}
	if (r->anon > 0 && !actor_anon(a, r->anon))
		return ERR_NOMEM;
	return ERR_OK;
}

uint64_t
meter_used(struct meter *m, uint32_t actor, int32_t today, int window)
{
	must(window >= 0 && window < METER_WINDOWS);
	return meter_turn(m, actor, today)->sum[window];
}

uint64_t
meter_pairs(const struct meter *m)
{
	uint64_t n = 0;

	for (size_t i = 0; i < m->nactors; i++)
		n += m->actors[i]->set.count;
	return n;
}

size_t
meter_bytes(const struct meter *m)
{
	size_t n = sizeof(*m) + m->steps_cap * sizeof(struct step);

	for (size_t i = 0; i < m->nactors; i++)
		n += sizeof(struct actor) + m->actors[i]->set.bytes +
		    (m->actors[i]->anon ? RING * sizeof(uint64_t) : 0);
	return n;
}
