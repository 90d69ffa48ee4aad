/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matcher: candidate pairs from sort-merge blocking, their weights, and the
 * links that follow. Mentions are numbered 0 .. nlist-1 (the list), then
 * nlist .. nlist+nours-1 (ours). Ours is not compared with itself.
 *
 * A block whose pairs exceed LINK_BLOCK_PAIRS is not expanded: its members are
 * sorted by name and each is compared with its LINK_WINDOW neighbours. That is
 * counted and reported, so the work is linear whatever the input. The result
 * does not depend on the number of threads or their timing.
 */
#ifndef KB_TRACE_LINK_H
#define KB_TRACE_LINK_H

#include "trace/model.h"

#define LINK_BLOCK_PAIRS 200000u
#define LINK_WINDOW 40u
#define LINK_NONE UINT32_MAX

struct link_input {
	const struct model *model;	/* with its counts */
	const uint8_t *sigs;		/* nlist, then nours */
	size_t nlist, nours;
	unsigned threads;
	/* Returns false to stop (Ctrl-C). May be NULL. */
	bool (*progress)(void *arg, const char *stage, double part,
	    double rate);
	void *arg;
};

struct link_best {
	float weight, second;
	uint32_t id, second_id;		/* mention of ours, or LINK_NONE */
	float probability;
	bool accepted;
};

struct link_result {
	struct link_best *best;		/* one a list mention */
	uint32_t *person;		/* distinct person, 0 .. npersons-1 */
	size_t npersons;
	size_t npersons_ours;		/* persons with an accepted link */
	double missed, wrong;		/* expected: merges missed, merges wrong */
	double missed_var;
	double ours_expected, ours_var;	/* persons of ours, by probability */
	uint64_t pairs;			/* compared */
	uint64_t capped_blocks, capped_mentions;
	unsigned largest_block;
	double prior;			/* share of the list that is ours */
	uint32_t histogram[2][64];	/* weights -32..: list to ours; in list */
	struct model learned;		/* shares the counts of the input's */
};

enum err link_run(const struct link_input *in, struct link_result *out);
void link_fini(struct link_result *r);

/* Smallest probability that a link is accepted with. */
#define LINK_THRESHOLD 0.5

#endif
