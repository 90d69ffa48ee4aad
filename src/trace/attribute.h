/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which releases explain the list. Ours has n subjects, some of which turned up
 * (the leak); a release is a set of subjects. Two rates: a subject in the union
 * of the culprits turns up with rate s, one outside with rate q. Forward
 * selection with swaps maximises the likelihood; releases that cannot be told
 * from a chosen one form its group.
 *
 * A list that shares our customers by trade or region is no sample of any
 * release: its rate differs between releases all over. How much it does (phi)
 * divides every likelihood ratio, so that correlation is not taken for guilt.
 */
#ifndef KB_TRACE_ATTRIBUTE_H
#define KB_TRACE_ATTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* No chance of being wrong is given below this: no simulation shows it true. */
#define ATTRIBUTE_CHANCE_FLOOR 1e-4

struct release {
	char *id;		/* owned by the reader */
	uint32_t *v;		/* subjects, sorted, each once */
	size_t n, cap;
};

struct release_group {
	uint32_t *release;	/* indexes, best first */
	size_t n;
	double log_likelihood;	/* gained by having this group in, nats */
	double against_next;	/* over the best release outside the group */
	double chance_wrong;
	bool explains;
	size_t subjects, found;	/* of its best release; of these in the list */
};

struct attribution {
	struct release_group *group;
	size_t n;
	double phi;		/* overdispersion; 1: as random as it should be */
	double rate_in, rate_out;
};

/* Sorts each release's subjects and drops doubles. */
void release_finish(struct release *r);
/* leak: bit set over n subjects. Groups that explain come first. */
enum err attribute(struct attribution *out, const struct release *r,
    size_t nreleases, const uint64_t *leak, size_t n);
void attribution_fini(struct attribution *a);

#endif
