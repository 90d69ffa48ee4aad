/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L5, invariants 2 and 3: each single call to the disk fails once, with EIO and
 * with ENOSPC, in a life that opens, appends, wraps the ring, checkpoints and
 * closes. Acknowledged entries are there afterwards, also after a power cut; a
 * failed sync ends the ledger for good; no space does not.
 *
 *	ledger_eio [STEP]	every STEP-th call; 1 with KURABAN_LONG=1
 */
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_world.h"

static char text[600];

/* What a ledger may say after a fault, by kind of fault and place. */
static const char *
check_after(struct world *w, enum err err)
{
	const char *site = simdisk_failed_site(w->d);
	uint64_t index;

	if (w->l == NULL || site == NULL)
		return NULL;
	if (ledger_append(w->l, "{}", 2, NULL, 0, &index) != ERR_BROKEN ||
	    ledger_commit(w->l) != ERR_BROKEN ||
	    ledger_checkpoint(w->l) != ERR_BROKEN) {
		snprintf(text, sizeof text, "%s at sync %s did not stop the ledger",
		    err_text(err), site);
		return text;
	}
	return NULL;
}

/* The same calls each time. Errors end it, but only after the fault. */
static const char *
life(struct world *w)
{
	const char *bad = world_open(w);

	for (int i = 0; bad == NULL && w->l != NULL && i < 3; i++) {
		if ((bad = world_append(w, 1, false)) == NULL &&
		    (bad = world_append(w, 40, false)) == NULL &&
		    (bad = world_append(w, 35, true)) == NULL)
			bad = ledger_checkpoint(w->l) == ERR_OK ? NULL : "checkpoint";
		if (bad == NULL && i == 1) {
			world_close(w);
			if (!simdisk_failed(w->d))
				bad = world_open(w);
		}
	}
	return bad;
}

static const char *
one(uint64_t k, enum err err, bool power, bool *done)
{
	const char *bad;
	struct world w;

	world_init(&w, 7);
	simdisk_fail_after(w.d, k, err);
	bad = life(&w);
	*done = !simdisk_failed(w.d);
	if (*done || bad == NULL || simdisk_failed(w.d))
		bad = *done ? bad : check_after(&w, err);
	if (bad == NULL && w.l != NULL && !*done && err == ERR_NOSPACE &&
	    simdisk_failed_site(w.d) == NULL) {
		/* it goes on when there is space again */
		if (ledger_commit(w.l) != ERR_OK || ledger_checkpoint(w.l) != ERR_OK)
			bad = "no space once, and it stays stopped";
		else
			w.acked = w.n;
	}
	world_close(&w);
	if (power)
		simdisk_reboot(w.d);
	else
		simdisk_revive(w.d);
	if (bad == NULL && (bad = world_inspect(&w, false)) == NULL &&
	    (bad = world_open(&w)) == NULL)
		bad = w.l == NULL ? "it does not open" : world_append(&w, 2, false);
	if (bad != NULL && bad != text)
		snprintf(text, sizeof text, "%s", bad);
	world_fini(&w);
	return bad != NULL ? text : NULL;
}

int
main(int argc, char **argv)
{
	unsigned step = argc > 1 ? (unsigned)atoi(argv[1]) :
	    getenv("KURABAN_LONG") != NULL ? 1 : 3;
	static const enum err errors[] = {ERR_IO, ERR_NOSPACE};
	unsigned n = 0;

	if (sodium_init() < 0)
		return 1;
	mallopt(M_MMAP_THRESHOLD, 64 << 20);	/* disks come and go */
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	for (size_t e = 0; e < 2; e++)
		for (int power = 0; power < 2; power++) {
			bool done = false;

			for (uint64_t k = 1 + (uint64_t)power % step; !done; k += step) {
				const char *bad = one(k, errors[e], power, &done);

				n++;
				if (bad != NULL) {
					printf("call %llu fails with \"%s\", then %s: %s\n",
					    (unsigned long long)k, err_text(errors[e]),
					    power ? "a power cut" : "a kill", bad);
					return 1;
				}
			}
		}
	printf("%u faults\n", n);
	return 0;
}
