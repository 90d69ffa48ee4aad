/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger in memory, linked instead of the real one: tests set its clock and its
 * failures and look at its entries. It outlives ledger_close(), as a disk does.
 */
#ifndef KB_TESTS_FAKE_LEDGER_H
#define KB_TESTS_FAKE_LEDGER_H

#include "ledger/ledger.h"

extern int64_t fake_now_us;		/* 0: the wall clock */
extern uint64_t fake_free;		/* ledger_free_bytes() */
extern int fake_fail_append;		/* appends from now until ERR_NOSPACE; -1 never */
extern int fake_fail_commit;		/* commits from now until ERR_BROKEN; -1 never */
extern unsigned fake_commits;		/* with something to commit */
extern const char *fake_stopped;	/* why the writer before had stopped */

void fake_reset(void);
size_t fake_count(void);
struct slice fake_entry(size_t i);	/* committed and not */
/* Entries whose text has both words. */
size_t fake_find(const char *a, const char *b);

#endif
