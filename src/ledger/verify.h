/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a log offline: docs/spec/ledger.md, section 10. Needs nothing but the
 * directory and the public key. Constant memory but for names that should not be
 * there, and one pass.
 */
#ifndef KB_LEDGER_VERIFY_H
#define KB_LEDGER_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "merkle/note.h"

struct vfs;

struct verify_report {
	/* offset: UINT64_MAX when there is none. */
	void (*problem)(void *arg, const char *file, uint64_t offset,
	    const char *what);
	void (*note)(void *arg, const char *file, const char *what);
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *arg;
};

struct verify_result {
	uint64_t size;			/* signed */
	uint64_t archived;		/* in bundles; more than size after a crash */
	uint64_t committed;		/* with what the ring holds */
	uint64_t problems;
	struct merkle_hash root;
	bool live;			/* a writer runs */
};

/*
 * ERR_OK: whole; ERR_BROKEN: problems were reported; anything else: it could not
 * be checked (the directory cannot be read, no memory).
 */
enum err verify_run(struct verify_result *out, const char *dir,
    const struct vfs *vfs, const struct note_key *key,
    const struct verify_report *report);

#endif
