/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one meter (law L4): how many distinct subjects each actor received in
 * each budget window, exactly, and which rows of a request still fit (law L2).
 * Pure: no I/O, no clock. Called by the ledger process and by offline verbs.
 *
 * A subject is an 8-byte token (meter/token.h). Of each (actor, subject) pair
 * the meter keeps the last day on which it was received; the pair counts in
 * every window that this day lies in. A repeat moves the pair to today.
 *
 * Tokens change with the yearly key. A subject that is known under the token of
 * an earlier year is moved: the old token leaves the meter, the new one enters.
 * A rebuild from the ledger cannot know which old token that was (the ledger
 * does not link them, L8); it is told the days on which moved subjects had been
 * received last, which is all that the counts need. See docs/spec/meter.md.
 *
 * Invariants:
 *  1. used(window) never exceeds max(its limit, what it was) by meter_decide().
 *  2. The sum of the day counts and the older count is the "ever" count.
 *  3. Days never go back: an earlier `today` counts as the latest one seen.
 */
#ifndef KB_METER_METER_H
#define KB_METER_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { METER_DAY, METER_30DAYS, METER_YEAR, METER_EVER, METER_WINDOWS };
#define METER_NO_LIMIT UINT64_MAX
#define METER_NEVER INT32_MAX	/* a day that does not come */

struct meter;

struct meter *meter_new(void);	/* NULL without memory */
void meter_free(struct meter *m);
/* The number of an actor, new or known. Stops the process without memory. */
uint32_t meter_actor(struct meter *m, const char *name);
/* UINT32_MAX when the actor has never received anything. */
uint32_t meter_actor_find(const struct meter *m, const char *name);
size_t meter_actors(const struct meter *m);
const char *meter_actor_name(const struct meter *m, uint32_t actor);

/* A row: the next nkeys tokens of the request, and `anon` unknown subjects. */
struct meter_row {
	uint32_t nkeys, anon;
};

/* That many subjects, last received on `day`, came under an older token. */
struct meter_moved {
	int32_t day;
	uint32_t count;
};

struct meter_ask {
	uint32_t actor;
	int32_t today;		/* clock_day() */
	int year;		/* whose key made the tokens */
	const uint64_t *limit;	/* [METER_WINDOWS] */
	bool observe;		/* charge every row, only report what is exceeded */
	const struct meter_row *rows;
	size_t nrows;
	const uint64_t *tokens;
	/*
	 * Token i under the key of an earlier year; false when that key is not
	 * kept. Only asked for years in which the actor has tokens, newest first.
	 */
	bool (*older)(void *arg, size_t i, int year, uint64_t *token);
	void *arg;
};

struct meter_answer {
	size_t rows;		/* the first rows that were charged */
	size_t tokens;		/* the tokens that these rows have */
	uint64_t anon;		/* and their unknown subjects */
	/*
	 * The window that stopped the next row (observed: that is exceeded), of
	 * several the one that frees last, of equals the shortest; -1: none.
	 */
	int window;
	uint64_t used, limit;	/* of that window, after the charge */
	int32_t frees;		/* first day with room for the next row; METER_NEVER */
	unsigned exceeded;	/* bit per window over its limit when observed */
	const struct meter_moved *moved; /* borrowed until the next call */
	size_t nmoved;
};

/*
 * Finds the longest run of first rows that fits every limit, and charges it.
 * ERR_NOMEM: nothing was charged.
 */
enum err meter_decide(struct meter *m, const struct meter_ask *ask,
    struct meter_answer *out);
/* Takes back everything that the last meter_decide() charged. */
void meter_undo(struct meter *m);

/* Charges what an entry of the ledger says was released. */
struct meter_replay {
	uint32_t actor;
	int32_t day;
	int year;
	const uint64_t *tokens;
	size_t ntokens;
	uint64_t anon;
	const struct meter_moved *moved;
	size_t nmoved;
};
enum err meter_replay(struct meter *m, const struct meter_replay *r);

uint64_t meter_used(struct meter *m, uint32_t actor, int32_t today, int window);
uint64_t meter_pairs(const struct meter *m);
size_t meter_bytes(const struct meter *m);	/* of memory, about */

/* The whole meter as bytes, for the snapshot; put returns false to stop. */
enum err meter_save(const struct meter *m,
    bool (*put)(void *arg, const void *p, size_t n), void *arg);
/* Into a new meter; get fills exactly n bytes or returns false. */
enum err meter_load(struct meter **out,
    bool (*get)(void *arg, void *p, size_t n), void *arg);

#endif
