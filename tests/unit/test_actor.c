/* SPDX-License-Identifier: Apache-2.0 */
/* The actors' file, passwords, lock-out, and names that do not exist. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actor/actor.h"

static const uint8_t secret[SCRAM_KEY] = {1, 2, 3};
static const uint8_t salt[SCRAM_SALT] = {4, 5, 6};
static const struct actor_rules rules = {12, 180, 3, 15};
static const int64_t day = 86400000000, minute = 60000000;

static struct actors *
some(void)
{
	struct actors *a = actors_new(secret);
	struct actor *p;

	assert_int_equal(actors_add(a, "tanaka", "operator", 1000, &p), ERR_OK);
	actor_password_set(p, "correct horse 1", salt, 2000);
	assert_int_equal(actors_add(a, "鈴木", "analyst", 3000, &p), ERR_OK);
	actor_password_set(p, "correct horse 2", salt, 4000);
	p->disabled = true;
	p->failed = 2;
	p->locked_until_us = 5000;
	return a;
}

static void
file_round_trip(void **state)
{
	struct actors *a = some(), *b;
	struct buf text, again;
	struct actor *p;
	unsigned line;

	buf_init(&text, 1 << 20);
	buf_init(&again, 1 << 20);
	actors_print(a, &text);
	assert_int_equal(actors_parse(&b, (struct slice){buf_head(&text),
	    buf_used(&text)}, &line), ERR_OK);
	assert_int_equal(actors_count(b), 2);
	p = actors_find(b, "鈴木");
	assert_non_null(p);
	assert_true(p->disabled);
	assert_int_equal(p->failed, 2);
	assert_int_equal(p->locked_until_us, 5000);
	assert_true(scram_verifier_check(&p->verifier, "correct horse 2"));
	actors_print(b, &again);
	assert_int_equal(buf_used(&text), buf_used(&again));
	assert_memory_equal(buf_head(&text), buf_head(&again), buf_used(&text));
	actors_free(b);
	/* No part of a file is taken for the whole, but for whole lines. */
	for (size_t n = 0; n < buf_used(&text); n++) {
		enum err err = actors_parse(&b, (struct slice){buf_head(&text), n},
		    &line);

		if (err == ERR_OK) {
			assert_int_equal(buf_head(&text)[n - 1], '\n');
			actors_free(b);
		}
	}
	buf_fini(&text);
	buf_fini(&again);
	actors_free(a);
}

static void
malformed_files(void **state)
{
	static const char *const bad[] = {
		"", "\n", "kuraban-actors 1 \n", "kuraban-actors 2 AQIDAAAAAAAA\n",
		"kuraban-actors 1 AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nx\n",
		"kuraban-actors 1 AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		"a\tb\tmaybe\t1\t1\t0\t0\tSCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$"
		"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
		"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"kuraban-actors 1 AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		"a\tb\tenabled\t1\t1\t0\t0\tSCRAM-SHA-256$1:AAAAAAAAAAAAAAAAAAAAAA==$"
		"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
		"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	};
	struct actors *a;
	unsigned line;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(actors_parse(&a, slice_cstr(bad[i]), &line),
		    ERR_FORMAT);
}

static void
names(void **state)
{
	static const char *const good[] = {"tanaka", "a", "o.suzuki@example.com",
		"鈴木", "svc-billing", "A_1"};
	static const char *const bad[] = {"", "two words", "tab\t", "-c", "a/b",
		"a,b", "a\"b", "\x80", "\xc2\x9b[31m", "new\nline", "a:b",
		"1234567890123456789012345678901234567890123456789012345678901234"};
	struct actors *a = some();
	struct actor *p;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(actor_name_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(actor_name_ok(bad[i]));
		assert_null(actors_claim(a, bad[i]));
	}
	assert_int_equal(actors_add(a, "tanaka", "operator", 0, &p), ERR_EXISTS);
	assert_int_equal(actors_add(a, "ok", "no role", 0, &p), ERR_FORMAT);
	actors_free(a);
}

static void
passwords(void **state)
{
	static const struct {
		const char *text;
		enum actor_password want;
	} t[] = {
		{"correct horse 1", ACTOR_PASSWORD_OK},
		{"tanaka-password-1", ACTOR_PASSWORD_OK},
		{"", ACTOR_PASSWORD_SHORT},
		{"elevenchars", ACTOR_PASSWORD_SHORT},
		{"TanakaTanaka1", ACTOR_PASSWORD_NAME},
		{"tanaka1234567", ACTOR_PASSWORD_NAME},
		{"abababababababab", ACTOR_PASSWORD_REPEATS},
		{"パスワードパスワード", ACTOR_PASSWORD_CHARS},
		{"tab\tinside the text", ACTOR_PASSWORD_CHARS},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_int_equal(actor_password_judge(&rules, "tanaka", t[i].text),
		    t[i].want);
}

static void
locking_and_expiry(void **state)
{
	struct actors *a = some();
	struct actor *p = actors_find(a, "tanaka");
	int64_t now = 10 * day;

	assert_false(actor_failed(p, &rules, now));
	assert_false(actor_failed(p, &rules, now));
	assert_true(actor_succeeded(p));
	assert_false(actor_failed(p, &rules, now));
	assert_false(actor_failed(p, &rules, now));
	assert_true(actor_failed(p, &rules, now));
	assert_int_equal(actor_state(p, &rules, now), ACTOR_LOCKED);
	/* More tries do not make it longer: nobody can lock others out for ever. */
	assert_false(actor_failed(p, &rules, now + minute));
	assert_int_equal(actor_state(p, &rules, now + 15 * minute - 1),
	    ACTOR_LOCKED);
	assert_int_equal(actor_state(p, &rules, now + 15 * minute), ACTOR_OK);
	assert_int_equal(actor_state(p, &rules, 2000 + 180 * day), ACTOR_OK);
	assert_int_equal(actor_state(p, &rules, 2001 + 180 * day), ACTOR_EXPIRED);
	p->disabled = true;
	assert_int_equal(actor_state(p, &rules, 2001 + 180 * day), ACTOR_DISABLED);
	actors_free(a);
}

static void
ghosts(void **state)
{
	struct actors *a = some();
	struct scram_verifier first;
	struct actor *g = actors_claim(a, "nobody");
	char name[32];

	assert_true(g->ghost);
	assert_ptr_equal(actors_claim(a, "nobody"), g);
	assert_null(actors_find(a, "nobody"));
	assert_int_equal(actors_count(a), 2);
	first = g->verifier;
	for (int i = 0; i < 3; i++)
		actor_failed(g, &rules, 5);
	assert_int_equal(actor_state(g, &rules, 6), ACTOR_LOCKED);
	/* Any number of them is bounded, and their salts stay the same. */
	for (int i = 0; i < 3 * ACTOR_GHOSTS_MAX; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		assert_non_null(actors_claim(a, name));
	}
	g = actors_claim(a, "nobody");
	assert_memory_equal(&first, &g->verifier, sizeof(first));
	actors_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_round_trip),
		cmocka_unit_test(malformed_files),
		cmocka_unit_test(names),
		cmocka_unit_test(passwords),
		cmocka_unit_test(locking_and_expiry),
		cmocka_unit_test(ghosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
