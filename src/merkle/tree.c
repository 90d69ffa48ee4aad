/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The low-level SHA256_* calls are deprecated but 3.5 times as fast as the
 * one-shot ones for inputs of this size, and need no memory.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "merkle/tree.h"

#include <openssl/sha.h>
#include <string.h>

void
merkle_sha256(struct merkle_hash *out, const void *p, size_t len)
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, p, len);
	SHA256_Final(out->b, &c);
}

void
merkle_empty(struct merkle_hash *out)
{
	merkle_sha256(out, "", 0);
}

void
merkle_leaf(struct merkle_hash *out, const void *entry, size_t len)
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, "\0", 1);
	SHA256_Update(&c, entry, len);
	SHA256_Final(out->b, &c);
}

void
merkle_node(struct merkle_hash *out, const struct merkle_hash *left,
    const struct merkle_hash *right)
{
	uint8_t in[1 + 2 * MERKLE_BYTES];

	in[0] = 1;
	memcpy(in + 1, left->b, MERKLE_BYTES);
	memcpy(in + 1 + MERKLE_BYTES, right->b, MERKLE_BYTES);
	merkle_sha256(out, in, sizeof in);
}

bool
merkle_eq(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->b, b->b, MERKLE_BYTES) == 0;
}

void
merkle_tree_add(struct merkle_tree *t, const struct merkle_hash *leaf,
    void (*made)(void *arg, unsigned level, uint64_t index,
    const struct merkle_hash *h), void *arg)
{
	struct merkle_hash h = *leaf;
	uint64_t i = t->size;
	unsigned level = 0;

	if (made != NULL)
		made(arg, 0, i, &h);
	for (; i & 1; i >>= 1) {
		merkle_node(&h, &t->sub[level], &h);
		level++;
		if (made != NULL)
			made(arg, level, i >> 1, &h);
	}
	t->sub[level] = h;
	t->size++;
}

void
merkle_tree_root(const struct merkle_tree *t, struct merkle_hash *out)
{
	bool any = false;
	struct merkle_hash h;

	merkle_empty(&h);
	for (unsigned k = 0; k < 64; k++) {
		if (!(t->size >> k & 1))
			continue;
		if (any)
			merkle_node(&h, &t->sub[k], &h);
		else
			h = t->sub[k];
		any = true;
	}
	*out = h;
}

/* Level of the largest power of two below n (n > 1). */
static unsigned
split_level(uint64_t n)
{
	return 63 - (unsigned)__builtin_clzll(n - 1);
}

/* MTH of entries [lo, lo + n), lo a multiple of the power of two >= n. */
static enum err
range(const struct merkle_source *s, uint64_t lo, uint64_t n,
    struct merkle_hash *out)
{
	struct merkle_hash left;
	enum err err;
	unsigned k;

	if ((n & (n - 1)) == 0) {
		k = (unsigned)__builtin_ctzll(n);
		return s->get(s->arg, k, lo >> k, out);
	}
	k = split_level(n);
	if ((err = s->get(s->arg, k, lo >> k, &left)) == ERR_OK &&
	    (err = range(s, lo + (1ull << k), n - (1ull << k), out)) == ERR_OK)
		merkle_node(out, &left, out);
	return err;
}

enum err
merkle_root_at(const struct merkle_source *s, uint64_t size,
    struct merkle_hash *out)
{
	if (size == 0) {
		merkle_empty(out);
		return ERR_OK;
	}
	return range(s, 0, size, out);
}

enum err
merkle_tree_at(const struct merkle_source *s, uint64_t size,
    struct merkle_tree *out)
{
	enum err err = ERR_OK;

	out->size = size;
	for (unsigned k = 0; err == ERR_OK && k < 64; k++)
		if (size >> k & 1)
			err = s->get(s->arg, k, (size >> k) - 1, &out->sub[k]);
	return err;
}

static void
reverse(struct merkle_hash *p, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct merkle_hash h = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = h;
	}
}

enum err
merkle_inclusion(const struct merkle_source *s, uint64_t index, uint64_t size,
    struct merkle_hash *proof, size_t *n)
{
	enum err err = ERR_OK;
	uint64_t lo = 0, len = size;
	size_t k = 0;

	must(index < size);
	while (err == ERR_OK && len > 1) {
		uint64_t half = 1ull << split_level(len);

		if (index - lo < half) {
			err = range(s, lo + half, len - half, &proof[k++]);
			len = half;
		} else {
			err = range(s, lo, half, &proof[k++]);
			lo += half;
			len -= half;
		}
	}
	reverse(proof, k);
	if (err == ERR_OK)
		*n = k;
	return err;
}

enum err
merkle_consistency(const struct merkle_source *s, uint64_t old, uint64_t size,
    struct merkle_hash *proof, size_t *n)
{
	enum err err = ERR_OK;
	uint64_t lo = 0, len = size;
	size_t k = 0;

	must(old <= size);
	if (old == 0 || old == size) {
		*n = 0;
		return ERR_OK;
	}
	while (err == ERR_OK && lo + len != old) {
		uint64_t half = 1ull << split_level(len);

		if (old - lo <= half) {
			err = range(s, lo + half, len - half, &proof[k++]);
			len = half;
		} else {
			err = range(s, lo, half, &proof[k++]);
			lo += half;
			len -= half;
		}
	}
	if (err == ERR_OK && lo > 0)
		err = range(s, lo, len, &proof[k++]);
	reverse(proof, k);
	if (err == ERR_OK)
		*n = k;
	return err;
}

/* RFC 9162, section 2.1.3.2. */
bool
merkle_check_inclusion(uint64_t index, uint64_t size,
    const struct merkle_hash *leaf, const struct merkle_hash *proof, size_t n,
    const struct merkle_hash *root)
{
	uint64_t fn = index, sn = size - 1;
	struct merkle_hash r = *leaf;

	if (index >= size)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			merkle_node(&r, &proof[i], &r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(&r, &r, &proof[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && merkle_eq(&r, root);
}

/* RFC 9162, section 2.1.4.2. */
bool
merkle_check_consistency(uint64_t old, uint64_t size,
    const struct merkle_hash *old_root, const struct merkle_hash *root,
    const struct merkle_hash *proof, size_t n)
{
	struct merkle_hash fr, sr;
	uint64_t fn, sn;
	size_t i = 0;

	if (old > size)
		return false;
	if (old == size)
		return n == 0 && merkle_eq(old_root, root);
	if (old == 0) {
		merkle_empty(&fr);
		return n == 0 && merkle_eq(&fr, old_root);
	}
	fn = old - 1;
	sn = size - 1;
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	if (fn == 0) {		/* old is a power of two: its root is not in the proof */
		fr = sr = *old_root;
	} else {
		if (n == 0)
			return false;
		fr = sr = proof[i++];
	}
	for (; i < n; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			merkle_node(&fr, &proof[i], &fr);
			merkle_node(&sr, &proof[i], &sr);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(&sr, &sr, &proof[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && merkle_eq(&fr, old_root) && merkle_eq(&sr, root);
}
