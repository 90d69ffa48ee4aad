/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L9: the verifier also judges the order of what was sealed: sessions and their
 * numbers. (Every bit of the files is in tests/fault/ledger_flip.c.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/entry.h"
#include "ledger/files.h"
#include "ledger/ledger.h"
#include "ledger/verify.h"

static char said[300];

static void
on_problem(void *arg, const char *file, uint64_t offset, const char *what)
{
	(void)arg;
	(void)file;
	(void)offset;
	snprintf(said, sizeof said, "%s", what);
}

static void
on_note(void *arg, const char *file, const char *what)
{
	(void)arg;
	(void)file;
	(void)what;
}

static void
on_progress(void *arg, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)done;
	(void)total;
}

/* One letter an entry: o open, c close, s start, d deny; then the session. */
static enum err
judge(const char *script)
{
	static const struct verify_report report = {on_problem, on_note, on_progress,
	    NULL};
	char root[64], dir[80], key[96], vkey[100], cmd[100], why[300];
	struct ledger_options o = {.dir = dir, .origin = "example.com/log",
	    .key_file = key, .wal_bytes = 1, .no_thread = true};
	const char *tmp = getenv("TMPDIR");
	struct verify_result r;
	struct note_key k;
	struct ledger *l;
	struct buf b;
	uint64_t index;
	uint8_t *p;
	size_t len;
	enum err err;

	snprintf(root, sizeof root, "%s/kbXXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(root));
	snprintf(dir, sizeof dir, "%s/ledger", root);
	snprintf(key, sizeof key, "%s/keys/sign.key", root);
	assert_int_equal(ledger_open(&l, &o, why, sizeof why), ERR_OK);
	buf_init(&b, LEDGER_ENTRY_MAX);
	for (; script[0] != 0; script += 2) {
		struct entry_head h = {.time_us = ledger_time_us(l),
		    .session = (uint64_t)(script[1] - '0')};
		struct entry_session s = {.event = slice_cstr(script[0] == 'o' ? "open" :
		    script[0] == 'c' ? "close" : "failed")};
		struct entry_start st = {.workers = 1};
		struct entry_deny d = {.why = slice_cstr("x")};

		buf_clear(&b);
		if (script[0] == 's')
			entry_build_start(&b, &h, &st);
		else if (script[0] == 'd')
			entry_build_deny(&b, &h, &d);
		else
			entry_build_session(&b, &h, &s);
		assert_int_equal(ledger_append(l, buf_head(&b), buf_used(&b), NULL, 0,
		    &index), ERR_OK);
	}
	assert_int_equal(ledger_commit(l), ERR_OK);
	ledger_close(l);
	buf_fini(&b);
	snprintf(vkey, sizeof vkey, "%s/vkey", dir);
	assert_int_equal(vfs_read_all(vfs_os(), vkey, 1000, &p, &len), ERR_OK);
	assert_int_equal(note_key_parse(&k, (struct slice){p, len - 1}), ERR_OK);
	free(p);
	said[0] = 0;
	err = verify_run(&r, dir, NULL, &k, &report);
	snprintf(cmd, sizeof cmd, "rm -rf %s", root);
	assert_int_equal(system(cmd), 0);
	return err;
}

static void
test_sessions(void **state)
{
	(void)state;
	assert_int_equal(judge("s0o2d2c2f0d0o7d7"), ERR_OK);
	assert_int_equal(judge("o1o2d1d2c1d2c2"), ERR_OK);
	assert_int_equal(judge("s0o3"), ERR_BROKEN);		/* wrong number */
	assert_non_null(strstr(said, "number"));
	assert_int_equal(judge("s0d5"), ERR_BROKEN);		/* never opened */
	assert_non_null(strstr(said, "not open"));
	assert_int_equal(judge("o1c1d1"), ERR_BROKEN);		/* closed */
	assert_int_equal(judge("o1c1c1"), ERR_BROKEN);
	assert_int_equal(judge("o1s0d1"), ERR_BROKEN);		/* ended by a start */
	assert_int_equal(judge("o1f1"), ERR_BROKEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
