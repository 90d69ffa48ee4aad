/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The who-index: which entries name a token. Sorted, immutable segments under
 * STATE/ledger/index/, each over a run of entries, made by the archive thread and
 * merged to larger ones; everything in them can be made again from the entries.
 * docs/spec/ledger.md, section 8.
 *
 *	name	first entry (16 hex) "-" entries (8 hex) "-" tokens (8 hex)
 *	head	"KBINDEX\1" u64 first, u32 entries, u32 tokens, u32 words, u32 0
 *	sum	SHA-256 over dictionary, words, head
 *	dictionary	tokens times (u64 token, u32 value), rising
 *	words	u32 each
 *
 * value below 2^31: the one entry, relative to first. Otherwise its low 31 bits
 * are the place in words of a count and that many entries, rising.
 *
 * Tokens are keyed hashes, hence evenly spread, and each is in the dictionary
 * once: interpolation finds its page in one read, however often it occurs.
 */
#ifndef KB_LEDGER_INDEX_H
#define KB_LEDGER_INDEX_H

#include "base/bytes.h"
#include "base/err.h"
#include "ledger/files.h"

enum {
	INDEX_SPAN = 4096,		/* entries of a new segment at most */
	INDEX_MID = 65536,		/* merged at these multiples */
	INDEX_BIG = 1 << 20,
	INDEX_POSTINGS = 1 << 20,	/* of a new segment, before it is closed */
	INDEX_HEAD = 64,		/* head and sum */
	INDEX_ITEM = 12,
	INDEX_NAME = 16 + 1 + 8 + 1 + 8
};
#define INDEX_MERGE_BYTES (64u << 20)	/* larger ones are not merged */

struct segment {
	uint64_t first;
	uint32_t entries, tokens;
};
void segment_name(char out[INDEX_NAME + 1], const struct segment *s);
bool segment_parse(struct segment *out, const char *name);
/* Reads a head; false when it is not the one of that segment. */
bool segment_head(const uint8_t head[INDEX_HEAD], const struct segment *s,
    uint32_t *words);

/* The segments of a log: in order, without gaps from entry 0, none in another. */
struct segments {
	struct segment *v;		/* owns */
	size_t n, cap;
	uint64_t end;			/* the first entry that is in none */
};
/* extra (may be NULL) is called for every other name in the directory. */
enum err segments_list(struct segments *out, const struct vfs *v,
    const char *dir, void (*extra)(void *arg, const char *name), void *arg);
void segments_fini(struct segments *s);

enum err segment_open(struct vfs_file **out, const struct vfs *v,
    const char *dir, const struct segment *s);
/* Hints the read that segment_find() will begin with. */
void segment_soon(struct vfs_file *f, const struct segment *s, uint64_t token);
struct hits {
	uint32_t *v;			/* owns */
	size_t n, cap;
};
/* Appends the entries that name the token, relative to first and rising. */
enum err segment_find(struct vfs_file *f, const struct segment *s,
    uint64_t token, struct hits *hits);

/* --- the writer ---------------------------------------------------------- */

struct posting {
	uint64_t token;
	uint32_t entry;			/* relative to the open segment's first */
};

struct index {
	const struct vfs *vfs;		/* shares */
	char dir[PATH_BYTES];
	struct segments have;
	uint64_t first;			/* of the open segment */
	uint32_t count;			/* entries in it */
	struct posting *v, *tmp;	/* owns */
	size_t n, cap;
};

/* Lists the segments, removes what is not in order. size: entries of the log. */
enum err index_open(struct index *x, const struct vfs *v, const char *dir,
    uint64_t size);
void index_fini(struct index *x);
static inline uint64_t
index_next(const struct index *x)
{
	return x->first + x->count;
}
/*
 * Adds entry index_next(). At the end of a segment's run it writes it and merges.
 * After an error index_next() goes back to the last segment's end.
 */
enum err index_add(struct index *x, struct slice entry);

#endif
