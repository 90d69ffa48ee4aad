/* SPDX-License-Identifier: Apache-2.0 */
/* The demonstration's count of people in what psql printed. */
#include "cli/demo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static const char text[] =
    "佐藤 蓮|000-0000-0001|c00000001@demo.example\n"
    "{\"phone\":\"000-0000-0002\"}0000-0000-0003"
    " 000-00-0004 00-0000-0005 c0000006@ cc00000007@ 000-0009-9999 c00000010";

static void
expect(const struct demo_seen *s)
{
	assert_int_equal(s->count, 4);
	assert_true(demo_seen_has(s, 1));
	assert_true(demo_seen_has(s, 2));
	assert_true(demo_seen_has(s, 3));
	assert_true(demo_seen_has(s, 7));
	assert_false(demo_seen_has(s, 10));
	assert_false(demo_seen_has(s, 0));
	assert_false(demo_seen_has(s, 100000));
}

static void
test_plain(void **state)
{
	struct demo_seen s;

	for (size_t step = 1; step < sizeof(text); step++) {
		assert_true(demo_seen_init(&s, 1000));
		for (size_t i = 0; i < sizeof(text) - 1; i += step)
			demo_seen_feed(&s, text + i, step < sizeof(text) - 1 - i ?
			    step : sizeof(text) - 1 - i);
		expect(&s);
		demo_seen_fini(&s);
	}
}

static void
test_base64(void **state)
{
	char b64[512], lines[600];
	struct demo_seen s;

	for (size_t before = 0; before < 5; before++) {
		size_t n = b64_encode(b64, text, sizeof(text) - 1), w = 0;

		/* A column name before it shifts the alignment; lines break it. */
		w += (size_t)sprintf(lines, "%.*s\n", (int)before, "abcdef");
		for (size_t i = 0; i < n; i++) {
			lines[w++] = b64[i];
			if (i % 76 == 75)
				lines[w++] = '\n';
		}
		assert_true(demo_seen_init(&s, 1000));
		demo_seen_feed(&s, lines, w);
		expect(&s);
		demo_seen_fini(&s);
	}
}

static void
test_add(void **state)
{
	struct demo_seen a, b;

	assert_true(demo_seen_init(&a, 1000) && demo_seen_init(&b, 1000));
	demo_seen_feed(&a, text, sizeof(text) - 1);
	demo_seen_feed(&b, "000-0000-0002 000-0000-0500", 27);
	assert_int_equal(demo_seen_add(&a, &b), 1);
	assert_int_equal(a.count, 5);
	demo_seen_fini(&a);
	demo_seen_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
