/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. Private to it. */
#ifndef KB_METER_PARTS_H
#define KB_METER_PARTS_H

#include "base/map.h"
#include "meter/meter.h"
#include "meter/set.h"

enum { RING = 365, YEARS_MAX = 64 };

struct year {
	int year;
	uint64_t count;		/* pairs whose token is of that year's key */
};

struct actor {
	char *name;
	struct set set;
	int32_t day;			/* what the ring and the sums are as of */
	uint32_t ring[RING];		/* pairs by last day, slot day % RING */
	uint64_t *anon;			/* the same of unknown subjects; NULL: none */
	uint64_t older;			/* pairs received last before the ring */
	uint64_t anon_older;
	uint64_t sum[METER_WINDOWS];	/* with the unknown ones */
	struct year years[YEARS_MAX];	/* newest first */
	unsigned nyears;
};

/* What one step of a charge did, so that it can be taken back. */
struct step {
	enum { STEP_NEW, STEP_AGAIN, STEP_MOVED, STEP_ANON } kind;
	int32_t day;		/* the last day before */
	int year;		/* MOVED: of the old token */
	uint64_t token;		/* mixed; ANON: the amount */
	uint64_t old_token;	/* MOVED: mixed */
};

struct meter {
	struct actor **actors;
	size_t nactors, cap;
	struct map names;
	int32_t today;
	struct step *steps;
	size_t nsteps, steps_cap;
	uint32_t steps_actor;
	int steps_year;
	struct meter_moved *moved;
	size_t moved_cap;
};

/* Computes the window sums from the ring. */
void meter_sums(struct actor *a);

#endif
