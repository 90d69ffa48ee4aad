/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The who-index: what it answers is what the entries say, in one or two reads a
 * segment, however unevenly the tokens occur.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/entry.h"
#include "ledger/index.h"
#include "ledger/ledger.h"

enum { ENTRIES = 3 * INDEX_MID + 2 * INDEX_SPAN + 100, HOT = 50 };

static char root[64];
static struct vfs counting;
static unsigned reads;

static enum err
count_read(struct vfs_file *f, void *buf, size_t n, uint64_t off, size_t *got)
{
	reads++;
	return vfs_os()->read(f, buf, n, off, got);
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof root, "%s/kbXXXXXX", tmp != NULL ? tmp : "/tmp");
	counting = *vfs_os();
	counting.read = count_read;
	return mkdtemp(root) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	char cmd[100];

	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf %s", root);
	return system(cmd);
}

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Token 0 of an entry is its own; token 1 is one of a few hot ones. */
static void
tokens_of(uint64_t i, uint64_t t[2])
{
	t[0] = mix(i + 1000);
	t[1] = mix(mix(i) % HOT * (mix(i) % 3));
}

static void
add_all(struct index *x)
{
	uint64_t t[2];
	struct entry_run run = {t, 2};
	struct slice domain = slice_cstr("t");
	struct entry_release e = {.domains = {&domain, 1}, .subjects = {&run, 1}};
	struct entry_head h = {.time_us = 1};
	struct buf b;

	buf_init(&b, LEDGER_ENTRY_MAX);
	for (uint64_t i = 0; i < ENTRIES; i++) {
		tokens_of(i, t);
		buf_clear(&b);
		assert_int_equal(entry_build_release(&b, &h, &e), ERR_OK);
		assert_int_equal(index_add(x, (struct slice){buf_head(&b),
		    buf_used(&b)}), ERR_OK);
	}
	buf_fini(&b);
}

/* How many entries of a segment name the token, by the segment. */
static size_t
ask(const struct segments *have, const char *dir, uint64_t token, uint64_t *last,
    unsigned *most)
{
	size_t n = 0;

	*most = 0;
	for (size_t i = 0; i < have->n; i++) {
		struct hits h = {NULL, 0, 0};
		struct vfs_file *f;
		unsigned before = reads;

		assert_int_equal(segment_open(&f, &counting, dir, &have->v[i]), ERR_OK);
		assert_int_equal(segment_find(f, &have->v[i], token, &h), ERR_OK);
		counting.close(f);
		if (reads - before > *most && h.n < 1000)
			*most = reads - before;
		for (size_t k = 1; k < h.n; k++)
			assert_true(h.v[k] > h.v[k - 1]);
		if (h.n > 0)
			*last = have->v[i].first + h.v[h.n - 1];
		n += h.n;
		free(h.v);
	}
	return n;
}

static void
test_answers(void **state)
{
	unsigned most, seconds = 0, asked = 0;
	uint64_t last, t[2], want;
	struct segments have;
	struct index x;
	char dir[100];

	(void)state;
	assert_int_equal(index_open(&x, vfs_os(), root, 0), ERR_OK);
	add_all(&x);
	assert_int_equal(x.have.n, 3 + 2);
	assert_int_equal(index_next(&x), ENTRIES);
	index_fini(&x);
	snprintf(dir, sizeof dir, "%s/index", root);
	assert_int_equal(segments_list(&have, vfs_os(), dir, NULL, NULL), ERR_OK);
	assert_int_equal(have.n, 5);
	assert_int_equal(have.end, ENTRIES - 100);
	reads = 0;
	for (uint64_t i = 0; i < have.end; i += 97) {
		tokens_of(i, t);
		assert_int_equal(ask(&have, dir, t[0], &last, &most), 1);
		assert_int_equal(last, i);
		assert_true(most <= 4);
		seconds += most > 2;
		asked++;
	}
	/* two standard deviations: one window in twenty misses at most */
	assert_true(reads < asked * have.n * 1.2);
	assert_true(seconds < asked / 4);
	for (uint64_t i = 0; i < 500; i++)	/* nobody has these */
		assert_int_equal(ask(&have, dir, mix(i + (1ull << 40)), &last, &most), 0);
	for (uint64_t i = 0; i < 20; i++) {
		want = 0;
		tokens_of(i, t);
		for (uint64_t k = 0; k < have.end; k++) {
			uint64_t u[2];

			tokens_of(k, u);
			want += u[1] == t[1];
		}
		assert_int_equal(ask(&have, dir, t[1], &last, &most), want);
	}
	segments_fini(&have);
}

/* A segment that is cut or of another name is an error, never a wrong answer. */
static void
test_damaged(void **state)
{
	struct segment s = {0, 4096, 4096};
	struct hits h = {NULL, 0, 0};
	struct vfs_file *f;
	char dir[100];

	(void)state;
	snprintf(dir, sizeof dir, "%s/bad", root);
	assert_int_equal(vfs_os()->mkdir(vfs_os(), dir), ERR_OK);
	snprintf(dir, sizeof dir, "%s/bad/0000000000000000-00001000-00001000", root);
	assert_int_equal(vfs_replace(vfs_os(), dir, "short", 5, 0, NULL, NULL), ERR_OK);
	snprintf(dir, sizeof dir, "%s/bad", root);
	assert_int_equal(segment_open(&f, vfs_os(), dir, &s), ERR_OK);
	assert_int_equal(segment_find(f, &s, 5, &h), ERR_FORMAT);
	vfs_os()->close(f);
}

static void
test_names(void **state)
{
	static const char *const bad[] = {"", "0", "new.tmp",
	    "0000000000000000-00000000-00000000", "000000000000000g-00001000-00000001",
	    "0000000000000000-00001000-0000000A", "0000000000000000-00100001-00000001",
	    "0000000000000000-00001000-000000001", "0000000000000000 00001000-00000001",
	    "+000000000000000-00001000-00000001"};
	struct segment s;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(segment_parse(&s, bad[i]));
	assert_true(segment_parse(&s, "0000000000001000-00001000-000000ff"));
	assert_int_equal(s.first, 4096);
	assert_int_equal(s.tokens, 255);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
