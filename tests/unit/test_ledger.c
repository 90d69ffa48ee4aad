/* SPDX-License-Identifier: Apache-2.0 */
/* L1, L9: the store on a real file system. Power cuts are in tests/fault/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ledger/entry.h"
#include "ledger/files.h"
#include "ledger/ledger.h"

static char root[64], dir[80], key[96];

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof root, "%s/kbXXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(dir, sizeof dir, "%s/ledger", root);
	snprintf(key, sizeof key, "%s/keys/sign.key", root);
	return 0;
}

static int
teardown(void **state)
{
	char cmd[100];

	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf %s", root);
	return system(cmd);
}

static struct ledger *
must_open(bool no_thread)
{
	struct ledger_options o = {.dir = dir, .origin = "example.com/log",
	    .key_file = key, .wal_bytes = 8 << 20, .no_thread = no_thread};
	struct ledger *l;
	char why[500];
	enum err err = ledger_open(&l, &o, why, sizeof why);

	if (err != ERR_OK)
		fail_msg("%d %s", err, why);
	return l;
}

/* Entry number i of the tests: a release of tokens i and i % 10. */
static size_t
make(struct buf *b, struct ledger *l, uint64_t i, uint64_t tokens[2])
{
	struct entry_head h = {.time_us = ledger_time_us(l)};
	struct entry_run run = {tokens, 2};
	struct slice domain = slice_cstr("t");
	struct entry_release e = {.request = i, .domains = {&domain, 1},
	    .subjects = {&run, 1}};

	tokens[0] = i * 0x9e3779b97f4a7c15;
	tokens[1] = i % 10;
	buf_clear(b);
	assert_int_equal(entry_build_release(b, &h, &e), ERR_OK);
	return buf_used(b);
}

static void
add(struct ledger *l, uint64_t n, unsigned batch)
{
	uint64_t tokens[2], index, i;
	struct buf b;

	buf_init(&b, LEDGER_ENTRY_MAX);
	for (i = ledger_size(l); n > 0; i++, n--) {
		size_t len = make(&b, l, i, tokens);

		assert_int_equal(ledger_append(l, buf_head(&b), len, tokens, 2, &index),
		    ERR_OK);
		assert_int_equal(index, i);
		if (n == 1 || i % batch == 0)
			assert_int_equal(ledger_commit(l), ERR_OK);
	}
	buf_fini(&b);
}

struct count {
	uint64_t n, last;
};

static enum err
count_hit(void *arg, uint64_t index)
{
	struct count *c = arg;

	assert_true(c->n == 0 || index > c->last);
	c->last = index;
	c->n++;
	return ERR_OK;
}

static void
check_all(uint64_t size)
{
	struct ledger_reader *r;
	struct slice e, raw;
	char want[24];

	assert_int_equal(ledger_reader_open(&r, dir, NULL), ERR_OK);
	assert_int_equal(ledger_reader_size(r), size);
	for (uint64_t i = 0; i < size; i++) {
		assert_int_equal(ledger_read(r, i, &e), ERR_OK);
		assert_int_equal(entry_get(e, "request", &raw), ERR_OK);
		snprintf(want, sizeof want, "%llu", (unsigned long long)i);
		assert_true(slice_is(raw, want));
	}
	assert_int_equal(ledger_read(r, size, &e), ERR_NOTFOUND);
	for (uint64_t t = 0; t < 10; t++) {
		struct count c = {0, 0};

		assert_int_equal(ledger_who(r, &t, 1, count_hit, &c), ERR_OK);
		assert_int_equal(c.n, (size + 9 - t) / 10);
	}
	for (uint64_t i = 1; i < size; i += size / 50 + 1) {
		uint64_t two[2] = {i * 0x9e3779b97f4a7c15, 5};
		struct count c = {0, 0};

		assert_int_equal(ledger_who(r, two, 1, count_hit, &c), ERR_OK);
		assert_int_equal(c.n, 1);
		assert_int_equal(c.last, i);
		c.n = 0;
		assert_int_equal(ledger_who(r, two, 2, count_hit, &c), ERR_OK);
		assert_int_equal(c.n, (size + 4) / 10 + (i % 10 != 5));
	}
	ledger_reader_close(r);
}

static void
test_life(void **state)
{
	uint64_t sizes[] = {1, 2, 255, 256, 257, 5000, 70000};
	struct ledger *l;
	uint64_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		l = must_open(i % 2);
		assert_int_equal(ledger_size(l), at);
		add(l, sizes[i] - at, 1 + (unsigned)i * 20);
		at = sizes[i];
		assert_int_equal(ledger_size(l), at);
		check_all(at);		/* partly from the ring */
		assert_int_equal(ledger_checkpoint(l), ERR_OK);
		ledger_close(l);
		check_all(at);
	}
}

static void
test_second_writer(void **state)
{
	struct ledger_options o = {.dir = dir, .origin = "example.com/log",
	    .key_file = key, .wal_bytes = 1 << 20};
	struct ledger *l = must_open(false), *m;
	char why[500];

	(void)state;
	assert_int_equal(ledger_open(&m, &o, why, sizeof why), ERR_BUSY);
	assert_true(strlen(why) > 0);
	ledger_close(l);
}

/* The marker of a writer that stopped stays until somebody has noted it. */
static void
test_stopped(void **state)
{
	char path[200];
	struct ledger *l = must_open(false);
	FILE *f;

	(void)state;
	assert_null(ledger_stopped(l));
	ledger_close(l);
	snprintf(path, sizeof path, "%s/broken", dir);
	for (int i = 0; i < 2; i++) {
		f = fopen(path, "w");
		assert_non_null(f);
		if (i == 0)
			fputs("then ring: input/output error\n", f);
		fclose(f);
		for (int k = 0; k < 2; k++) {
			l = must_open(false);
			assert_string_equal(ledger_stopped(l), i == 0 ?
			    "then ring: input/output error" : "?");
			if (k == 1) {
				ledger_stopped_noted(l);
				assert_null(ledger_stopped(l));
			}
			ledger_close(l);
		}
		l = must_open(false);
		assert_null(ledger_stopped(l));
		ledger_close(l);
		assert_int_not_equal(access(path, F_OK), 0);
	}
}

static void
test_refused_entries(void **state)
{
	struct ledger *l = must_open(true);
	struct entry_head h = {.time_us = 0};
	struct entry_key k = {.what = slice_cstr("w")};
	uint64_t tokens[2], index;
	char big[LEDGER_ENTRY_MAX + 1];
	struct buf b;
	size_t len;

	(void)state;
	buf_init(&b, LEDGER_ENTRY_MAX);
	memset(big, 'x', sizeof big);
	assert_int_equal(ledger_append(l, big, sizeof big, NULL, 0, &index),
	    ERR_TOOBIG);
	assert_int_equal(ledger_append(l, "junk", 4, NULL, 0, &index), ERR_FORMAT);
	len = make(&b, l, 1, tokens);
	assert_int_equal(ledger_append(l, buf_head(&b), len, tokens, 1, &index),
	    ERR_FORMAT);
	assert_int_equal(ledger_append(l, buf_head(&b), len, NULL, 0, &index),
	    ERR_FORMAT);
	tokens[1]++;
	assert_int_equal(ledger_append(l, buf_head(&b), len, tokens, 2, &index),
	    ERR_FORMAT);
	buf_clear(&b);
	entry_build_key(&b, &h, &k);	/* before the newest entry */
	assert_int_equal(ledger_append(l, buf_head(&b), buf_used(&b), NULL, 0, &index),
	    ERR_FORMAT);
	assert_int_equal(ledger_commit(l), ERR_OK);
	ledger_close(l);
	buf_fini(&b);
}

/* The checkpoint follows an entry within a second, without being asked. */
static void
test_checkpoint_in_time(void **state)
{
	struct ledger *l = must_open(false);
	uint64_t want = ledger_size(l) + 1, t0;
	struct state s = {.size = 0};

	(void)state;
	add(l, 1, 1);
	t0 = clock_mono_us();
	while (state_read(&s, vfs_os(), dir) == ERR_OK && s.size < want &&
	    clock_mono_us() - t0 < 5000000)
		usleep(10000);
	assert_int_equal(s.size, want);
	ledger_close(l);
}

static void
test_missing_parts(void **state)
{
	static const char *const names[] = {"state", "checkpoint", "wal", "vkey",
	    "tile/entries/000", "tile/0/000", "tile/2/000.p/1"};
	struct ledger_options o = {.dir = dir, .origin = "example.com/log",
	    .key_file = key, .wal_bytes = 1 << 20, .no_thread = true};
	char a[200], b[200], why[500];
	struct ledger *l;

	(void)state;
	snprintf(b, sizeof b, "%s/aside", root);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		enum err err;

		if (strncmp(names[i], "tile/0/000", 10) == 0 ||
		    strncmp(names[i], "tile/entries", 12) == 0)
			continue;	/* not read at open: verify finds it */
		snprintf(a, sizeof a, "%s/%s", dir, names[i]);
		assert_int_equal(rename(a, b), 0);
		err = ledger_open(&l, &o, why, sizeof why);
		if (err != ERR_BROKEN)
			fail_msg("%s: %d %s", names[i], err, why);
		assert_true(strlen(why) > 0);
		assert_int_equal(rename(b, a), 0);
	}
	assert_int_equal(rename(key, b), 0);
	assert_int_equal(ledger_open(&l, &o, why, sizeof why), ERR_BROKEN);
	assert_int_equal(rename(b, key), 0);
	snprintf(a, sizeof a, "%s/elsewhere", root);
	o.dir = a;		/* the key has a log already */
	assert_int_equal(ledger_open(&l, &o, why, sizeof why), ERR_BROKEN);
	o.dir = dir;
	assert_int_equal(ledger_open(&l, &o, why, sizeof why), ERR_OK);
	ledger_close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_second_writer),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_refused_entries),
		cmocka_unit_test(test_checkpoint_in_time),
		cmocka_unit_test(test_missing_parts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
