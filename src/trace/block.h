/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocking by sort-merge. A pass gives each mention at most two keys; mentions
 * that share one are candidates. Ours is first thinned by a filter of the list's
 * keys, so a small list against a large table sorts little.
 *
 * Entries are partitioned by their key's top bits into BLOCK_BUCKETS buckets and
 * each is radix-sorted when a worker takes it; within one key the list's come
 * before ours, each in rising order.
 */
#ifndef KB_TRACE_BLOCK_H
#define KB_TRACE_BLOCK_H

#include "trace/model.h"

#define BLOCK_BUCKETS 1024u

struct block_entry {
	uint64_t key;
	uint32_t id;
} __attribute__((packed));

struct blocks;

enum err blocks_new(struct blocks **out, const struct model *m, size_t nlist,
    size_t nours);
void blocks_free(struct blocks *b);
unsigned blocks_passes(const struct blocks *b);
/* The fields that a pass makes agree. */
uint32_t blocks_fields(const struct blocks *b, unsigned pass);
/* sample: only some of the keys, for learning. */
enum err blocks_fill(struct blocks *b, const struct model *m,
    const uint8_t *sigs, size_t nlist, size_t nours, unsigned pass,
    bool sample);
/* Entries of the largest bucket. */
size_t blocks_largest(const struct blocks *b);
/* Sorts a bucket and returns it; tmp takes blocks_largest() entries. */
size_t blocks_sort(struct blocks *b, size_t bucket, struct block_entry *tmp,
    const struct block_entry **out);
/* Whether an earlier pass has brought these two together. */
bool blocks_seen_before(const struct model *m, const struct blocks *b,
    unsigned pass, const uint8_t *x, const uint8_t *y);

/* Three words, sorted by the first, then the second, then the third. */
struct triple {
	uint32_t w[3];
};
/* tmp takes n as well; the result is in v. */
void triples_sort(struct triple *v, struct triple *tmp, size_t n);

#endif
