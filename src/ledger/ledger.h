/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealed log's store. One writer (the ledger process), any readers.
 *
 * Invariants:
 *  1. ledger_commit() returns OK only when every appended entry is durable in the
 *     write-ahead ring (O_DIRECT|O_DSYNC, pre-zeroed).
 *  2. An acknowledged entry survives kill -9 and power loss at any point, at its
 *     index, bit for bit.
 *  3. Any sync error is final: every later call returns ERR_BROKEN.
 *  4. No two inconsistent checkpoints are ever signed.
 *
 * Formats: docs/spec/ledger.md.
 */
#ifndef KB_LEDGER_LEDGER_H
#define KB_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct ledger;
struct vfs;			/* os/vfs.h: the swappable file layer */

#define LEDGER_ENTRY_MAX 65535

struct ledger_options {
	const char *dir;	/* STATE/ledger; created when missing */
	const char *origin;	/* of a new log; an existing one keeps its own */
	const char *key_file;	/* STATE/keys/sign.key (Ed25519 seed); created 0600 when missing */
	const struct vfs *vfs;	/* NULL: the real one */
	uint32_t wal_bytes;	/* 0: default 64 MiB */
	bool no_thread;		/* archive inline, for tests with a simulated disk */
	/* Called at open for each entry from replay_from on, in order. May be NULL. */
	uint64_t replay_from;
	enum err (*replay)(void *arg, uint64_t index, struct slice entry);
	void *arg;
};

/* why: what failed, for people. */
enum err ledger_open(struct ledger **out, const struct ledger_options *o,
    char *why, size_t why_cap);
/*
 * Why the writer before had stopped for good, or NULL. Said at every open until
 * ledger_stopped_noted(): call it when that is in the log, and durable.
 */
const char *ledger_stopped(const struct ledger *l);
void ledger_stopped_noted(struct ledger *l);
/* Archives what is open, signs, closes. NULL is fine. */
void ledger_close(struct ledger *l);

/*
 * Puts one entry (a JSON object, see ledger/entry.h) in the current batch; its
 * index is final once committed. tokens: the 8-byte subject tokens that were
 * charged; they must be those that the entry names, in order (the who-index is
 * made from the entry), else ERR_FORMAT. ERR_TOOBIG, ERR_NOSPACE (ring or disk
 * too full: nothing was appended), ERR_BROKEN.
 */
enum err ledger_append(struct ledger *l, const void *entry, size_t len,
    const uint64_t *tokens, size_t ntokens, uint64_t *index);
/*
 * Makes the batch durable. OK at once when the batch is empty. ERR_NOSPACE: the
 * ring is full and the archive stuck; nothing was promised, what is not durable
 * yet is kept for the next call.
 */
enum err ledger_commit(struct ledger *l);
/* Brings tiles, index and the signed checkpoint up to date now. */
enum err ledger_checkpoint(struct ledger *l);
uint64_t ledger_size(const struct ledger *l);	/* committed entries */
/* The wall clock, but never before the newest entry: the time to write. */
int64_t ledger_time_us(struct ledger *l);
/* Free bytes that may still be released into; below low water: do not release. */
uint64_t ledger_free_bytes(const struct ledger *l);

/* Readers (verbs, other processes). Sees committed entries, also unarchived ones. */
struct ledger_reader;
enum err ledger_reader_open(struct ledger_reader **out, const char *dir,
    const struct vfs *vfs);
void ledger_reader_close(struct ledger_reader *r);
uint64_t ledger_reader_size(struct ledger_reader *r);
/* Borrowed until the next call. ERR_NOTFOUND past the end. */
enum err ledger_read(struct ledger_reader *r, uint64_t index, struct slice *entry);
/*
 * Calls hit(index) in rising order for every entry that names one of the tokens.
 * <= 100 ms cold over 1e9 releases: sorted, immutable index segments.
 */
enum err ledger_who(struct ledger_reader *r, const uint64_t *tokens, size_t n,
    enum err (*hit)(void *arg, uint64_t index), void *arg);

#endif
