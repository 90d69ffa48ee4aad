/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger on a simulated disk, with a model of what it must hold, for the fault
 * tests. Every function returns NULL, or what went wrong.
 *
 * What is checked, at every look:
 *  - an acknowledged entry is there, at its index, bit for bit (invariants 1, 2);
 *  - no entry was added, doubled or changed;
 *  - a checkpoint that could be seen is over a prefix of the log as it is now and
 *    ever after, and never goes back (invariant 4);
 *  - what ledger_checkpoint() promised is signed and indexed after a power cut;
 *  - the log opens after any crash, and the verifier calls it whole before that.
 */
#ifndef KB_TESTS_LEDGER_WORLD_H
#define KB_TESTS_LEDGER_WORLD_H

#include "ledger/ledger.h"
#include "merkle/tree.h"
#include "simdisk.h"

struct world {
	struct simdisk *d;
	struct ledger *l;
	uint64_t rng;
	struct item {
		uint8_t *p;
		size_t len;
		struct merkle_hash root;	/* of the log up to and with it */
	} *v;
	size_t n, cap;			/* appended */
	struct merkle_tree tree;	/* over all n */
	uint64_t acked;			/* must survive */
	uint64_t seen;			/* size of the newest checkpoint anyone saw */
	bool any_seen;
	uint64_t promised;		/* by ledger_checkpoint() */
	bool created;			/* an open has succeeded */
	uint64_t serial;
	char text[500];			/* of what went wrong */
};

void world_init(struct world *w, uint64_t seed);
void world_fini(struct world *w);
uint64_t world_random(struct world *w);

/* Opens and compares everything. NULL with w->l NULL: the disk died meanwhile. */
const char *world_open(struct world *w);
/* A random batch or something else. */
const char *world_step(struct world *w);
const char *world_append(struct world *w, size_t entries, bool large);
/* Looks at the checkpoint as a witness would. */
const char *world_look(struct world *w);
/* After the power is back, before an open: what is on the disk by itself. */
const char *world_inspect(struct world *w, bool no_leftovers);
void world_close(struct world *w);

#endif
