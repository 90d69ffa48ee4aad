/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L9: our trees, tiles and notes are those of RFC 6962 and C2SP. The golden
 * vectors were made with golang.org/x/mod/sumdb, which shares no code with us.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "merkle/note.h"
#include "merkle/tile.h"
#include "merkle/tree.h"

#define LEAVES_MAX 70000

/* Every complete subtree of a tree, as tree_add() reports them. */
struct all {
	struct merkle_hash *level[20];
	struct merkle_tree tree;
};

static void
keep(void *arg, unsigned level, uint64_t index, const struct merkle_hash *h)
{
	struct all *a = arg;

	if (a->level[level] == NULL)
		a->level[level] = calloc((LEAVES_MAX >> level) + 1, sizeof *h);
	a->level[level][index] = *h;
}

static enum err
give(void *arg, unsigned level, uint64_t index, struct merkle_hash *out)
{
	struct all *a = arg;

	assert_true((index + 1) << level <= a->tree.size);
	*out = a->level[level][index];
	return ERR_OK;
}

static void
add(struct all *a, const void *p, size_t n)
{
	struct merkle_hash leaf;

	merkle_leaf(&leaf, p, n);
	merkle_tree_add(&a->tree, &leaf, keep, a);
}

static void
drop(struct all *a)
{
	for (int i = 0; i < 20; i++)
		free(a->level[i]);
}

static void
same_hex(const struct merkle_hash *h, const char *hex)
{
	char got[65];

	hex_encode(got, h->b, 32);
	assert_string_equal(got, hex);
}

static const char *const inputs[8] = {"", "00", "10", "2021", "3031", "40414243",
    "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const roots[9] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

static void
test_golden_small(void **state)
{
	static struct all a;
	struct merkle_source s = {give, &a};
	struct merkle_hash h, proof[MERKLE_PROOF_MAX];
	size_t n;

	(void)state;
	merkle_tree_root(&a.tree, &h);
	same_hex(&h, roots[0]);
	for (int i = 0; i < 8; i++) {
		uint8_t raw[16];

		n = strlen(inputs[i]) / 2;
		assert_true(hex_decode(raw, inputs[i], n * 2));
		add(&a, raw, n);
		merkle_tree_root(&a.tree, &h);
		same_hex(&h, roots[i + 1]);
		assert_int_equal(merkle_root_at(&s, (uint64_t)i + 1, &h), ERR_OK);
		same_hex(&h, roots[i + 1]);
	}
	assert_int_equal(merkle_inclusion(&s, 5, 8, proof, &n), ERR_OK);
	assert_int_equal(n, 3);
	same_hex(&proof[0], "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
	same_hex(&proof[1], "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
	same_hex(&proof[2], "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
	assert_int_equal(merkle_consistency(&s, 6, 8, proof, &n), ERR_OK);
	assert_int_equal(n, 3);
	same_hex(&proof[0], "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a");
	same_hex(&proof[1], "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
	same_hex(&proof[2], "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
	drop(&a);
}

static void
ascii_leaves(struct all *a, uint64_t to)
{
	char text[24];

	while (a->tree.size < to) {
		int n = sprintf(text, "%llu", (unsigned long long)a->tree.size);

		add(a, text, (size_t)n);
	}
}

static void
tile_hash(struct all *a, int level, uint64_t n, const char *path, const char *hex)
{
	struct tile t = {level, n, tile_width(a->tree.size, level, n)}, back;
	char name[TILE_PATH_MAX], got[17];
	struct merkle_hash h;

	tile_path(name, &t);
	assert_string_equal(name, path);
	assert_true(tile_parse(&back, path));
	assert_int_equal(back.n, n);
	assert_int_equal(back.width, t.width);
	merkle_sha256(&h, a->level[8 * level] + n * TILE_WIDTH,
	    t.width * (size_t)MERKLE_BYTES);
	hex_encode(got, h.b, 8);
	assert_string_equal(got, hex);
}

static void
test_golden_large(void **state)
{
	static const struct {
		uint64_t size;
		const char *root;
	} v[] = {
		{255, "32f85bcaa87d7bcd05728f09e9aeba350ba6a2f733830087f0597682848be5cb"},
		{256, "828515d033c19d8c901f37eccb8aed919667703486f8d2fff1cf7040321c5db1"},
		{257, "1eda049a4351d86f76252bd7ec0b7746ad75b7fa0316ad5f541dbda458a312c4"},
		{65536, "f025d06ed804859fd274a1bdacadd6e48ea87634aa91e1edb20143f9498cd02b"},
		{65537, "dc8795a25fd4bd52a0b84f639fd3139ba160824023d188e428eb5db0f3ce221a"},
		{70000, "1a4cdfcb66374a0c0dcbef49acbd4976d13ee864fb3cb241fc943cad04f02f7e"}};
	static struct all a;
	struct merkle_source s = {give, &a};
	struct merkle_hash h;

	(void)state;
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		ascii_leaves(&a, v[i].size);
		merkle_tree_root(&a.tree, &h);
		same_hex(&h, v[i].root);
	}
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct merkle_tree t = {0};

		assert_int_equal(merkle_tree_at(&s, v[i].size, &t), ERR_OK);
		merkle_tree_root(&t, &h);
		same_hex(&h, v[i].root);
	}
	tile_hash(&a, 0, 0, "tile/0/000", "b9704a8bfbee2c61");
	tile_hash(&a, 0, 272, "tile/0/272", "c2f1c18b351a6cde");
	tile_hash(&a, 0, 273, "tile/0/273.p/112", "4d21244557c97699");
	tile_hash(&a, 1, 0, "tile/1/000", "ea7b038bc73489c8");
	tile_hash(&a, 1, 1, "tile/1/001.p/17", "adfaca2731630fe7");
	tile_hash(&a, 2, 0, "tile/2/000.p/1", "f0113c8bad855b49");
	drop(&a);
}

static void
test_every_proof(void **state)
{
	static struct all a;
	struct merkle_source s = {give, &a};
	struct merkle_hash root[71], proof[MERKLE_PROOF_MAX];
	size_t n;

	(void)state;
	ascii_leaves(&a, 70);
	for (uint64_t size = 0; size <= 70; size++)
		merkle_root_at(&s, size, &root[size]);
	for (uint64_t size = 1; size <= 70; size++)
		for (uint64_t i = 0; i < size; i++) {
			const struct merkle_hash *leaf = &a.level[0][i];

			assert_int_equal(merkle_inclusion(&s, i, size, proof, &n), ERR_OK);
			assert_true(merkle_check_inclusion(i, size, leaf, proof, n,
			    &root[size]));
			assert_false(merkle_check_inclusion(i, size, &a.level[0][(i + 1) % 70],
			    proof, n, &root[size]));
			assert_false(merkle_check_inclusion(i, size, leaf, proof, n,
			    &root[size - 1]));
			assert_false(merkle_check_inclusion(i, size, leaf, proof, n + 1,
			    &root[size]));
			for (size_t k = 0; k < n; k++) {
				proof[k].b[31] ^= 1;
				assert_false(merkle_check_inclusion(i, size, leaf, proof, n,
				    &root[size]));
				proof[k].b[31] ^= 1;
			}
			if (n > 0)
				assert_false(merkle_check_inclusion(i, size, leaf, proof,
				    n - 1, &root[size]));
		}
	for (uint64_t size = 0; size <= 70; size++)
		for (uint64_t old = 0; old <= size; old++) {
			assert_int_equal(merkle_consistency(&s, old, size, proof, &n),
			    ERR_OK);
			assert_true(merkle_check_consistency(old, size, &root[old],
			    &root[size], proof, n));
			for (size_t k = 0; k < n; k++) {
				proof[k].b[0] ^= 1;
				assert_false(merkle_check_consistency(old, size, &root[old],
				    &root[size], proof, n));
				proof[k].b[0] ^= 1;
			}
			if (old > 0)
				assert_false(merkle_check_consistency(old, size,
				    &root[old - 1], &root[size], proof, n));
			if (old > 0 && old < size)
				assert_false(merkle_check_consistency(old, size, &root[old],
				    &root[size - 1], proof, n));
		}
	drop(&a);
}

static void
test_tile_paths(void **state)
{
	static const char *const good[] = {"tile/entries/x001/x234/067",
	    "tile/0/x001/x234/067.p/255", "tile/7/000", "tile/1/x001/000.p/1"};
	static const char *const bad[] = {"", "tile", "tile/", "tile/8/000", "tile/0",
	    "tile/0/", "tile/0/00", "tile/0/0000", "tile/0/x000/001", "tile/0/x001",
	    "tile/0/001/002", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
	    "tile/0/000.p/", "tile/0/000/", "tile/0/000.p/1/", "tile/-1/000",
	    "tile/entries/x1/000", "tile/entriesx/000",
	    "tile/0/x999/x999/x999/x999/x999/x999/x999/999"};
	struct tile t = {TILE_ENTRIES, 1234067, 256};
	char path[TILE_PATH_MAX];

	(void)state;
	assert_int_equal(tile_path(path, &t), 26);
	assert_string_equal(path, good[0]);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(tile_parse(&t, good[i]));
		tile_path(path, &t);
		assert_string_equal(path, good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(tile_parse(&t, bad[i]));
	assert_int_equal(tile_width(70000, 0, 273), 112);
	assert_int_equal(tile_width(70000, 1, 1), 17);
	assert_int_equal(tile_width(70000, 2, 0), 1);
	assert_int_equal(tile_width(70000, 2, 1), 0);
	assert_int_equal(tile_width(256, 0, 1), 0);
	assert_int_equal(tile_width(256, TILE_ENTRIES, 0), 256);
}

static void
test_key_ids(void **state)
{
	uint8_t pub[32];
	struct note_key k;
	struct buf b;
	const char *spec =
	    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

	(void)state;
	for (int i = 0; i < 32; i++)
		pub[i] = (uint8_t)i;
	assert_int_equal(note_key_id("example.com/k", 1, pub), 0xf8b2ceac);
	assert_int_equal(note_key_id("example.com/k", 4, pub), 0xef883a35);
	assert_int_equal(note_key_parse(&k, slice_cstr(spec)), ERR_OK);
	assert_string_equal(k.name, "example.com/foo");
	assert_int_equal(k.id, 0x530d903a);
	buf_init(&b, 1000);
	note_key_put(&b, &k);
	assert_int_equal(buf_used(&b), strlen(spec));
	assert_memory_equal(buf_head(&b), spec, strlen(spec));
	for (size_t i = 0; i < strlen(spec); i++) {	/* no other text is this key */
		char other[100];

		strcpy(other, spec);
		other[i] ^= 1;
		assert_int_equal(note_key_parse(&k, slice_cstr(other)), ERR_FORMAT);
	}
	buf_fini(&b);
}

static void
test_notes(void **state)
{
	uint8_t seed[32] = {7}, pub[32], sec[64];
	struct checkpoint c = {.origin = "example.com/log", .size = 8}, d;
	struct note_key key[2];
	struct buf text, note;
	struct slice body;
	uint64_t good;

	(void)state;
	crypto_sign_seed_keypair(pub, sec, seed);
	note_key_make(&key[0], c.origin, NOTE_ED25519, pub);
	note_key_make(&key[1], "other", NOTE_ED25519, pub);
	buf_init(&text, 1000);
	buf_init(&note, 2000);
	checkpoint_put(&text, &c);
	note_sign(&note, (struct slice){buf_head(&text), buf_used(&text)}, &key[0], sec);
	struct slice n = {buf_head(&note), buf_used(&note)};
	assert_int_equal(note_verify(n, key, 2, &body, &good), ERR_OK);
	assert_int_equal(good, 1);
	assert_int_equal(checkpoint_parse(&d, body), ERR_OK);
	assert_string_equal(d.origin, c.origin);
	assert_int_equal(d.size, 8);
	assert_int_equal(note_verify(n, key + 1, 1, &body, NULL), ERR_AUTH);
	for (size_t i = 0; i < n.len * 8; i++) {	/* no bit may change */
		note.data[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(note_verify(n, key, 1, &body, NULL), ERR_OK);
		note.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t cut = 0; cut < n.len; cut++)
		assert_int_not_equal(note_verify((struct slice){n.p, cut}, key, 1, &body,
		    NULL), ERR_OK);
	buf_fini(&text);
	buf_fini(&note);
}

/* A cosignature that Debian's sigsum-witness form has: time before signature. */
static void
test_cosignature(void **state)
{
	uint8_t seed[32] = {9}, pub[32], sec[64], raw[76];
	struct checkpoint c = {.origin = "example.com/log", .size = 1};
	struct note_key log, wit;
	struct buf text, msg, note;
	struct slice body;
	char line[200];

	(void)state;
	crypto_sign_seed_keypair(pub, sec, seed);
	note_key_make(&log, c.origin, NOTE_ED25519, pub);
	note_key_make(&wit, "witness.example/w", NOTE_COSIGNATURE, pub);
	buf_init(&text, 1000);
	buf_init(&msg, 2000);
	buf_init(&note, 4000);
	checkpoint_put(&text, &c);
	note_sign(&note, (struct slice){buf_head(&text), buf_used(&text)}, &log, sec);
	buf_printf(&msg, "cosignature/v1\ntime 1700000000\n");
	buf_put(&msg, buf_head(&text), buf_used(&text));
	for (int i = 0; i < 4; i++)
		raw[i] = (uint8_t)(wit.id >> (24 - 8 * i));
	for (int i = 0; i < 8; i++)
		raw[4 + i] = (uint8_t)(1700000000ull >> (56 - 8 * i));
	crypto_sign_detached(raw + 12, NULL, buf_head(&msg), buf_used(&msg), sec);
	b64_encode(line, raw, sizeof raw);
	buf_printf(&note, "\xe2\x80\x94 %s %s\n", wit.name, line);
	struct slice n = {buf_head(&note), buf_used(&note)};
	assert_int_equal(note_verify(n, &wit, 1, &body, NULL), ERR_OK);
	assert_int_equal(note_verify(n, &log, 1, &body, NULL), ERR_OK);
	note.data[0] ^= 1;
	assert_int_not_equal(note_verify(n, &wit, 1, &body, NULL), ERR_OK);
	buf_fini(&text);
	buf_fini(&msg);
	buf_fini(&note);
}

static void
test_bad_checkpoints(void **state)
{
	static const char *const bad[] = {"", "o\n", "o\n1\n", "o\n1\nAAAA\n",
	    "o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	    "o\n18446744073709551616\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	    "\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	    "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\next\n",
	    "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
	struct checkpoint c;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(checkpoint_parse(&c, slice_cstr(bad[i])), ERR_FORMAT);
	assert_int_equal(checkpoint_parse(&c, slice_cstr(
	    "o\n18446744073709551615\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")),
	    ERR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_small),
		cmocka_unit_test(test_golden_large),
		cmocka_unit_test(test_every_proof),
		cmocka_unit_test(test_tile_paths),
		cmocka_unit_test(test_key_ids),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_cosignature),
		cmocka_unit_test(test_bad_checkpoints),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
