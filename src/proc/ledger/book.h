/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory, opened by the one process that may write it: the ledger,
 * and what is derived from it or lies beside it (meter, actors, keys, sealed
 * originals, column baselines). Called by the ledger process and, when it is
 * down, by verbs; the ledger's lock keeps them apart.
 *
 *   STATE/ledger/            the log (ledger/ledger.h)
 *   STATE/keys/sign.key      its signing key
 *   STATE/keys/subject-YYYY.key   16 bytes: the year's key of subject tokens
 *   STATE/keys/config.key    32 bytes: see book_conf_hash()
 *   STATE/sealed/            originals (ledger/sealed.h)
 *   STATE/actors             actor/actor.h
 *   STATE/meter.snap         derived; docs/spec/meter.md, section 5
 *
 * Invariant: meter and baselines are always what a replay of the ledger's
 * entries (also those not yet committed) gives.
 */
#ifndef KB_PROC_LEDGER_BOOK_H
#define KB_PROC_LEDGER_BOOK_H

#include "actor/actor.h"
#include "base/map.h"
#include "conf/conf.h"
#include "ledger/entry.h"
#include "ledger/ledger.h"
#include "ledger/sealed.h"
#include "meter/meter.h"
#include "meter/token.h"
#include "os/vfs.h"

enum {
	BOOK_YEARS_MAX = 64,
	BOOK_PATH_MAX = 1024,
	BOOK_CONF_HASH = 65,		/* hex of 32 bytes and NUL */
	BOOK_UNCOVERED_MAX = 1000,
	BOOK_ALERTS_MAX = 10000,	/* a day; a hostile gate could send any number */
	BOOK_TABLE_HASH = 33
};

struct book_year {
	int year;
	uint8_t key[TOKEN_KEY_BYTES];
};

/* The yearly keys there are, newest first. */
struct book_keys {
	struct book_year v[BOOK_YEARS_MAX];
	size_t n;
};

/* The columns that a table had when its configuration came into force. */
struct book_baseline {
	char conf[BOOK_TABLE_HASH];	/* of the table's section */
	struct buf columns;		/* s16-prefixed names */
	uint16_t ncolumns;
};

struct book {
	const struct conf *conf;	/* borrows */
	const struct vfs *vfs;
	char dir[BOOK_PATH_MAX - 64];
	struct ledger *ledger;
	struct sealed *sealed;
	struct meter *meter;
	struct actors *actors;
	bool actors_changed;		/* to be written at the next tick */
	struct book_keys keys;
	struct map baselines;		/* "database" NUL "table" */
	char conf_hash[BOOK_CONF_HASH];	/* what the ledger says is in force */
	struct map uncovered;		/* "database" NUL object, from alerts */
	struct map alerts;		/* hashes of what was said today already */
	int32_t alerts_day;
	uint64_t next;			/* index of the next entry */
	uint64_t snap_covers;		/* entries in the last snapshot */
	uint64_t replayed;		/* entries read at open */
	struct buf last;		/* the newest entry; empty: see last_hash */
	uint8_t last_hash[32];		/* of the newest entry of the snapshot */
	bool clock_back;		/* told already */
	bool snapshots;			/* may write meter.snap: the server, not verbs */
	uint64_t dropped;		/* entries that found no space */
	struct buf entry;		/* scratch of the builders */
};

/* why: for people, when it fails. ERR_BROKEN: the ledger. */
enum err book_open(struct book *b, const struct conf *c, const char *dir,
    const struct vfs *vfs, char *why, size_t why_cap);
/* Writes what changed and the snapshot, closes. */
enum err book_close(struct book *b);

/* Time for entries and budgets: never goes back (law L4's calendar). */
int64_t book_now(struct book *b);

/*
 * Appends what is in b->entry (built there by entry_build_*) and clears it.
 * index may be NULL. Commits and tries again when the ring is full. ERR_NOSPACE:
 * it is not in the ledger. ERR_BROKEN: nothing will ever be again.
 */
enum err book_append(struct book *b, const uint64_t *tokens, size_t n,
    uint64_t *index);
/*
 * The first entry after an open, which ends all sessions before it; and the last.
 */
enum err book_start(struct book *b, const char *conf_hash, unsigned workers);
enum err book_stop(struct book *b, const char *why);
/* Appends an incident / policy / key / alert entry. */
enum err book_incident(struct book *b, const struct entry_head *h,
    const char *what, struct slice detail);
enum err book_policy(struct book *b, const char *what, const char *who,
    const struct entry_pair *pairs, size_t n);
/*
 * The same kind and object only once a day for the head's actor and database;
 * ERR_EXISTS when it was said already.
 */
enum err book_alert(struct book *b, const struct entry_head *h,
    const char *what, struct slice object, struct slice detail);

/* The year's key, made (and told to the ledger) when there is none. */
enum err book_year_key(struct book *b, int year, const uint8_t **key);
const uint8_t *book_keys_find(const struct book_keys *k, int year);
/* Reads all subject-YYYY.key; for `log who` too. */
enum err book_keys_load(struct book_keys *k, const char *dir,
    const struct vfs *vfs);

enum err book_actors_save(struct book *b);
/*
 * Of the configuration's text, under a key of this state: it holds passwords, so
 * whoever has the ledger must not be able to try them.
 */
enum err book_conf_hash(struct book *b, struct slice text,
    char out[BOOK_CONF_HASH]);

/* NULL when there is none. */
struct book_baseline *book_baseline(struct book *b, const char *database,
    struct slice table);
/* Makes these the baseline and appends the policy entries that say so. */
enum err book_baseline_set(struct book *b, const char *database,
    struct slice table, const char *conf_hash, const struct slice *columns,
    size_t n);
/* Hash of a table's section of the configuration; "" when it has none. */
void book_table_hash(char out[BOOK_TABLE_HASH], const struct conf_database *db,
    struct slice table);

/* Writes meter.snap. Only when nothing is appended and not committed. */
enum err book_snapshot(struct book *b);
/*
 * What the files say now, without the lock and without changing them: meter and
 * actors only. For verbs while no server runs. book_close() frees.
 */
enum err book_view(struct book *b, const struct conf *c, const char *dir,
    const struct vfs *vfs, char *why, size_t why_cap);

#endif
