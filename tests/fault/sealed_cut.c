/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L8: sealed texts under power cuts. What was flushed can be read, what was erased
 * cannot, numbers are never given twice, and no damage goes unnoticed; and without
 * any one of its syncs this test would fail.
 */
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/sealed.h"
#include "simdisk.h"

enum { RECORDS = 400 };

struct text {
	uint64_t record;
	uint8_t commitment[SEALED_COMMITMENT_BYTES];
	uint32_t n;		/* what it says */
	bool flushed, erased;
};

static void
say(char out[40], uint32_t n)
{
	snprintf(out, 40, "SELECT %u FROM customers", n);
}

static const char *
check(struct sealed *s, const struct text *t)
{
	char want[40];
	struct buf b;
	enum err err;
	bool same;

	say(want, t->n);
	buf_init(&b, SEALED_TEXT_MAX + 16);
	err = sealed_get(s, t->record, t->commitment, &b);
	same = err == ERR_OK && buf_used(&b) == strlen(want) &&
	    memcmp(buf_head(&b), want, strlen(want)) == 0;
	buf_fini(&b);
	if (t->erased)
		return err == ERR_NOTFOUND ? NULL : "an erased text is there";
	if (t->flushed)
		return same ? NULL : "a flushed text is gone";
	return same || err == ERR_NOTFOUND ? NULL : "a text is wrong";
}

static const char *
one_life(struct simdisk *d, struct text *v, size_t *n)
{
	const char *bad = NULL;
	size_t from = *n;	/* the first that is not flushed */
	struct sealed *s;
	char text[40];
	enum err err;

	simdisk_cut_after(d, 1 + simdisk_random(d) % 60);
	err = sealed_open(&s, "/state/sealed", simdisk_vfs(d));
	if (err != ERR_OK)
		return simdisk_dead(d) ? NULL : "it does not open";
	for (size_t i = 0; bad == NULL && i < *n && !simdisk_dead(d); i++)
		if ((bad = check(s, &v[i])) != NULL && simdisk_dead(d))
			bad = NULL;
	while (bad == NULL && !simdisk_dead(d) && *n < RECORDS) {
		uint64_t dice = simdisk_random(d) % 10;
		struct text *t = &v[*n];

		if (dice < 6) {
			*t = (struct text){.n = (uint32_t)*n};
			say(text, t->n);
			if (sealed_put(s, slice_cstr(text), &t->record,
			    t->commitment) != ERR_OK)
				bad = "put failed";
			if (*n > 0 && t->record <= v[*n - 1].record)
				bad = "a number was given twice";
			(*n)++;
			if (bad == NULL)
				bad = check(s, t);
		} else if (dice < 9) {
			if (sealed_flush(s) == ERR_OK)
				for (; from < *n; from++)
					v[from].flushed = true;
		} else if (*n > 0) {
			t = &v[simdisk_random(d) % *n];
			err = sealed_erase(s, t->record);
			for (; err == ERR_OK && from < *n; from++)
				v[from].flushed = true;	/* erasing flushes */
			if (err == ERR_OK || (err == ERR_NOTFOUND && !t->flushed))
				t->erased = true;
			else if (!simdisk_dead(d) && !t->erased)
				bad = "it cannot be erased";
			else if (!t->erased)
				t->flushed = false;	/* may be erased or not */
		}
	}
	sealed_close(s);
	return bad;
}

static const char *
lives(unsigned n, uint64_t seed, const char *without)
{
	const char *bad = NULL;

	for (unsigned i = 0; bad == NULL && i < n; i++) {
		struct simdisk *d = simdisk_new(seed + i);
		static struct text v[RECORDS];
		size_t records = 0;

		simdisk_vfs(d)->mkdir(simdisk_vfs(d), "/state");
		simdisk_vfs(d)->sync_dir(simdisk_vfs(d), "/", NULL);
		simdisk_ignore(d, without);
		for (int k = 0; bad == NULL && k < 20 && records < RECORDS; k++) {
			bad = one_life(d, v, &records);
			if (simdisk_random(d) % 4 == 0)
				simdisk_revive(d);
			else
				simdisk_reboot(d);
		}
		simdisk_free(d);
	}
	return bad;
}

int
main(void)
{
	static const char *const sites[] = {
#define SYNC(name, label, loss) label,
#include "ledger/sealed_sync.tbl.h"
#undef SYNC
	};
	const char *bad;
	int rc = 0;

	if (sodium_init() < 0)
		return 1;
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	if ((bad = lives(200, 1, NULL)) != NULL) {
		printf("%s\n", bad);
		return 1;
	}
	for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
		bad = lives(300, 1, sites[i]);
		printf("without %-12s %s\n", sites[i], bad ? bad : "NOTHING IS SEEN");
		rc |= bad == NULL;
	}
	return rc;
}
