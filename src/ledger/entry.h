/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ledger entries: one JSON object each (docs/spec/ledger.md, section 3). Builders
 * for the ledger process, readers for verbs, replay and the verifier. Pure.
 *
 *	struct entry_head h = {.time_us = ledger_time_us(l), .session = 7, ...};
 *	struct entry_release e = {.rows = 1, ...};
 *	buf_clear(&b);
 *	err = entry_build_release(&b, &h, &e);
 *
 * Invariants:
 *  1. What is built is strict JSON in UTF-8 with a fixed order of keys; invalid
 *     UTF-8 in the input becomes U+FFFD.
 *  2. What is built fits LEDGER_ENTRY_MAX whatever the input is, as long as it
 *     has at most ENTRY_TOKENS_MAX tokens: longer texts and lists are cut and
 *     end in U+2026.
 *  3. Numbers above 2^63-1 are written as that.
 *  4. entry_tokens() gives back the tokens that went in, in order.
 *
 * What the verifier asks of the order of entries (the ledger process keeps it):
 *  - time never goes back;
 *  - the first entry after an open of the log is a `start`; it ends all sessions;
 *  - a session's number, given by `session` `open`, is greater than that of every
 *    one opened before in the whole log; other entries of a session lie between
 *    its open and its close. `failed` and entries of no session have session 0.
 */
#ifndef KB_LEDGER_ENTRY_H
#define KB_LEDGER_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

#define ENTRY_TOKENS_MAX 4096	/* in one entry, over all domains */
#define ENTRY_DOMAINS_MAX 8
#define ENTRY_TEXT_MAX 512	/* bytes of a TEXT as written, without quotes */
#define ENTRY_LONG_MAX 4096
#define ENTRY_LIST_MAX 6144	/* bytes of a TABLES or PAIRS as written */

enum entry_kind {
#define ENTRY(kind) ENTRY_KIND_##kind,
#define FIELD(kind, type, name)
#define END(kind)
#include "ledger/entry.tbl.h"
#undef ENTRY
#undef FIELD
#undef END
	ENTRY_KIND_COUNT
};
const char *entry_kind_word(enum entry_kind k);

struct entry_head {
	int64_t time_us;	/* wall clock; see ledger_time_us() */
	struct slice gate;	/* texts are not written when their p is NULL */
	uint64_t session;	/* not written when 0 */
	struct slice actor, role, database;
};

struct entry_table {
	struct slice table, columns;
};
struct entry_tables {
	const struct entry_table *v;	/* borrows */
	size_t n;
};
struct entry_names {
	const struct slice *v;
	size_t n;		/* at most ENTRY_DOMAINS_MAX */
};
struct entry_run {
	const uint64_t *v;
	size_t n;
};
struct entry_runs {		/* as many as there are domains, in their order */
	const struct entry_run *v;
	size_t n;
};
struct entry_pair {
	struct slice name, value;
};
struct entry_pairs {
	const struct entry_pair *v;
	size_t n;
};

/* struct entry_release and so on, from the table. */
#define ENTRY_TYPE_TEXT struct slice
#define ENTRY_TYPE_LONG struct slice
#define ENTRY_TYPE_NUM uint64_t
#define ENTRY_TYPE_OPT uint64_t
#define ENTRY_TYPE_FLAG bool
#define ENTRY_TYPE_TIME int64_t
#define ENTRY_TYPE_TABLES struct entry_tables
#define ENTRY_TYPE_NAMES struct entry_names
#define ENTRY_TYPE_TOKENS struct entry_runs
#define ENTRY_TYPE_PAIRS struct entry_pairs
#define ENTRY_TYPE_SALTED const uint8_t *
#define ENTRY(kind) struct entry_##kind {
#define FIELD(kind, type, name) ENTRY_TYPE_##type name;
#define END(kind) };
#include "ledger/entry.tbl.h"
#undef ENTRY
#undef FIELD
#undef END

/*
 * entry_build_KIND(b, head, fields): appends the entry to b, whose maximum should
 * be at least LEDGER_ENTRY_MAX. ERR_TOOBIG: more than ENTRY_TOKENS_MAX tokens or
 * ENTRY_DOMAINS_MAX domains, or b is full; b is as before then.
 */
#define ENTRY(kind)                                                            \
	enum err entry_build_##kind(struct buf *b, const struct entry_head *h,   \
	    const struct entry_##kind *e);
#define FIELD(kind, type, name)
#define END(kind)
#include "ledger/entry.tbl.h"
#undef ENTRY
#undef FIELD
#undef END

/* --- reading ------------------------------------------------------------ */

/* The front of an entry, without building a tree. ERR_FORMAT. */
struct entry_front {
	enum entry_kind kind;
	int64_t time_us;
	uint64_t session;	/* 0: none */
	struct slice event;	/* of `session`: the word; else empty */
	struct slice subjects;	/* raw value, for entry_subjects(); empty: none */
};
enum err entry_front(struct entry_front *out, struct slice entry);
/* All of section 3 of the spec but for the order among entries. ERR_FORMAT. */
enum err entry_check(struct slice entry, const struct entry_front *f);
/* "2026-11-21T05:00:00.123456Z" with its quotes. */
bool entry_time(struct slice raw, int64_t *us);

/*
 * The value of a top-level key as it stands in the text (strings with their
 * quotes and escapes), without building a tree. ERR_NOTFOUND, ERR_FORMAT.
 */
enum err entry_get(struct slice entry, const char *key, struct slice *raw);

/*
 * Calls hit(arg, domain, token) for each token of "subjects", in order; domain is
 * its place in "domains". An entry without subjects, or text that is no entry at
 * all, has none. ERR_FORMAT: malformed subjects. Stops at the first error of hit.
 */
enum err entry_tokens(struct slice entry,
    enum err (*hit)(void *arg, unsigned domain, uint64_t token), void *arg);
/* The same from the raw value that entry_front() found. */
enum err entry_subjects(struct slice raw,
    enum err (*hit)(void *arg, unsigned domain, uint64_t token), void *arg);

/*
 * The whole entry as a jansson object (json_t *): strict, no duplicate keys, "v"
 * is 1, a known kind. The caller json_decref()s it. ERR_FORMAT, ERR_NOMEM.
 */
struct json_t;
enum err entry_parse(struct slice entry, struct json_t **out);

#endif
