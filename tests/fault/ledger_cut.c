/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L1, L5: power cuts and kills at random writes of the ledger, on a disk that
 * drops, reorders and tears what was not synced. And: without any one of its
 * syncs (src/ledger/sync.tbl.h), this test would fail.
 *
 *	ledger_cut [CUTS [SEED]]
 *
 * 2,000 cuts without arguments; KURABAN_LONG=1 in the environment makes it 20,000.
 */
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/index.h"
#include "ledger/sites.h"
#include "ledger_world.h"

enum { ENTRIES_MAX = 2500, WITHOUT_TRIES = 1500 };

/* One life from a power-on to a cut or a kill. */
static const char *
one_cut(struct world *w)
{
	static const uint64_t spans[] = {12, 80, 80, 500};
	const char *bad;
	bool kill = world_random(w) % 4 == 0;

	simdisk_cut_after(w->d, 1 + world_random(w) % spans[world_random(w) % 4]);
	if ((bad = world_open(w)) != NULL)
		return bad;
	while (w->l != NULL && !simdisk_dead(w->d))
		if ((bad = world_step(w)) != NULL)
			return bad;
	world_close(w);
	if (kill)
		simdisk_revive(w->d);
	else
		simdisk_reboot(w->d);
	return world_inspect(w, false);
}

/* In the end, undisturbed: nothing is left over. */
static const char *
last(struct world *w)
{
	const char *bad;

	if ((bad = world_open(w)) != NULL || (bad = world_append(w, 3, false)) != NULL)
		return bad;
	world_close(w);
	w->promised = w->n;
	return world_inspect(w, true);
}

/* Brings a log near to its first index segment. */
static const char *
fill(struct world *w)
{
	const char *bad = world_open(w);

	while (bad == NULL && w->n < INDEX_SPAN - 100)
		bad = world_append(w, 50, false);
	if (bad == NULL)
		bad = world_append(w, world_random(w) % 100, false);
	world_close(w);
	return bad;
}

/* Cuts on ever new disks; a disk lives for some cuts or until the log is long. */
static const char *
cuts(unsigned n, uint64_t seed, unsigned lives, const char *without, bool filled,
    char where[80])
{
	const char *bad = NULL;
	struct world w;

	for (unsigned i = 0, disk = 0; bad == NULL && i < n; disk++) {
		size_t entries_max = filled || disk % 8 == 7 ? INDEX_SPAN + 500 :
		    ENTRIES_MAX;
		static char text[600];
		unsigned first = i;

		world_init(&w, seed + disk);
		simdisk_ignore(w.d, without);
		if (filled || disk % 8 == 7)
			bad = fill(&w);
		while (bad == NULL && i < n && i - first < lives && w.n < entries_max) {
			bad = one_cut(&w);
			i++;
		}
		if (bad == NULL)
			bad = last(&w);
		if (bad != NULL) {
			snprintf(text, sizeof text, "%s", bad);
			bad = text;
			snprintf(where, 80, "seed %llu, cut %u", (unsigned long long)
			    (seed + disk), i - first);
		}
		world_fini(&w);
	}
	return bad;
}

static int
each_sync_is_needed(uint64_t seed)
{
	static const struct {
		const char *name, *site;
	} sites[] = {
#define SYNC(name, label, loss) {#name, label},
#include "ledger/sync.tbl.h"
#undef SYNC
	};
	int bad = 0;
	char where[80];

	for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
		bool index = strncmp(sites[i].site, "index", 5) == 0;
		const char *seen = cuts(WITHOUT_TRIES, seed, 5, sites[i].site, index,
		    where);

		printf("without %-16s %s (%s)\n", sites[i].site,
		    seen != NULL ? seen : "NOTHING IS SEEN", seen != NULL ? where : "");
		bad += seen == NULL;
	}
	return bad;
}

int
main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) :
	    getenv("KURABAN_LONG") != NULL ? 20000 : 2000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	const char *bad;
	char where[80];

	if (sodium_init() < 0)
		return 1;
	mallopt(M_MMAP_THRESHOLD, 64 << 20);	/* disks come and go */
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	if ((bad = cuts(n, seed, 60, NULL, false, where)) != NULL) {
		printf("%s: %s\n", where, bad);
		return 1;
	}
	printf("%u cuts\n", n);
	return each_sync_is_needed(seed) == 0 ? 0 : 1;
}
