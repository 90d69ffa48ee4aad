/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Merkle tree of RFC 6962, section 2.1, over SHA-256: hashes, the growing
 * tree, roots, proofs. Pure. docs/spec/ledger.md, section 4.
 */
#ifndef KB_MERKLE_TREE_H
#define KB_MERKLE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MERKLE_BYTES 32
#define MERKLE_PROOF_MAX 64

struct merkle_hash {
	uint8_t b[MERKLE_BYTES];
};

void merkle_empty(struct merkle_hash *out);	/* root of no entries */
void merkle_leaf(struct merkle_hash *out, const void *entry, size_t len);
void merkle_node(struct merkle_hash *out, const struct merkle_hash *left,
    const struct merkle_hash *right);
bool merkle_eq(const struct merkle_hash *a, const struct merkle_hash *b);
/* A plain SHA-256, for frames and files. */
void merkle_sha256(struct merkle_hash *out, const void *p, size_t len);

/*
 * A tree that grows at its right end. sub[k] is the root of the complete subtree
 * of 2^k entries when bit k of size is set.
 */
struct merkle_tree {
	uint64_t size;
	struct merkle_hash sub[64];
};

/*
 * Adds a leaf. made (may be NULL) is called for each subtree that becomes
 * complete, lowest first: level 0 is the leaf itself.
 */
void merkle_tree_add(struct merkle_tree *t, const struct merkle_hash *leaf,
    void (*made)(void *arg, unsigned level, uint64_t index,
    const struct merkle_hash *h), void *arg);
void merkle_tree_root(const struct merkle_tree *t, struct merkle_hash *out);

/*
 * Where proofs get their hashes: get(arg, level, index, out) gives the root of
 * the complete subtree over entries [index << level, (index + 1) << level).
 */
struct merkle_source {
	enum err (*get)(void *arg, unsigned level, uint64_t index,
	    struct merkle_hash *out);
	void *arg;
};

enum err merkle_root_at(const struct merkle_source *s, uint64_t size,
    struct merkle_hash *out);
/* Fills a tree of that size, to go on from. */
enum err merkle_tree_at(const struct merkle_source *s, uint64_t size,
    struct merkle_tree *out);
/* proof has room for MERKLE_PROOF_MAX; index < size. */
enum err merkle_inclusion(const struct merkle_source *s, uint64_t index,
    uint64_t size, struct merkle_hash *proof, size_t *n);
/* 0 <= old <= size; empty when old is 0 or size. */
enum err merkle_consistency(const struct merkle_source *s, uint64_t old,
    uint64_t size, struct merkle_hash *proof, size_t *n);

bool merkle_check_inclusion(uint64_t index, uint64_t size,
    const struct merkle_hash *leaf, const struct merkle_hash *proof, size_t n,
    const struct merkle_hash *root);
bool merkle_check_consistency(uint64_t old, uint64_t size,
    const struct merkle_hash *old_root, const struct merkle_hash *root,
    const struct merkle_hash *proof, size_t n);

#endif
