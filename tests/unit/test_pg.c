/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pg/msg, pg/row: framing, error fields, Bind formats, cells and canonical keys
 * (L4: one person has one key in every format).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pg/msg.h"
#include "pg/row.h"

#define S(text) ((struct slice){(const uint8_t *)(text), sizeof(text) - 1})

static void
key_is(struct slice value, int format, uint32_t type, const char *want)
{
	char key[PG_KEY_MAX];
	size_t n = pg_key(key, value, format, type);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(key, want, n);
}

static void
test_keys_are_one_in_every_format(void **state)
{
	(void)state;
	key_is(S("7"), 0, 23, "7");
	key_is(S("\0\0\0\7"), 1, 23, "7");
	key_is(S("\0\0\0\0\0\0\0\7"), 1, 20, "7");
	key_is(S("\0\7"), 1, 21, "7");
	key_is(S("\377\377\377\376"), 1, 23, "-2");
	key_is(S("abc"), 1, 25, "abc");
	key_is(S("\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0"),
	    1, 2950, "12345678-9abc-def0-1234-56789abcdef0");
	/* An integer of the wrong width is no integer: a key of its own. */
	key_is(S("xyz"), 1, 23, "b:xyz");
}

static void
copy_cell_is(const struct pg_copy *c, struct slice line, unsigned col,
    const char *want, bool null)
{
	struct pg_cell cell;
	struct slice rest;

	assert_int_equal(pg_copy_cell(c, line, col, &cell, &rest), ERR_OK);
	assert_int_equal(cell.null, null);
	if (!null) {
		assert_int_equal(cell.value.len, strlen(want));
		assert_memory_equal(cell.value.p, want, cell.value.len);
	}
}

static void
test_copy_text(void **state)
{
	struct pg_copy c = {PG_COPY_TEXT, '\t', '"', '"'};
	struct pg_cell cell;
	struct slice rest;
	char key[PG_KEY_MAX];

	(void)state;
	copy_cell_is(&c, S("1\ttwo\t\\N\n"), 0, "1", false);
	copy_cell_is(&c, S("1\ttwo\t\\N\n"), 1, "two", false);
	copy_cell_is(&c, S("1\ttwo\t\\N\n"), 2, "", true);
	copy_cell_is(&c, S("a\\\tb\tc\n"), 0, "a\\\tb", false);
	assert_int_equal(pg_copy_cell(&c, S("1\t2\n"), 2, &cell, &rest), ERR_NOTFOUND);
	assert_int_equal(pg_copy_cell(&c, S("1\t2\n"), 0, &cell, &rest), ERR_OK);
	assert_memory_equal(rest.p, "2\n", 2);
	assert_int_equal(pg_copy_key(key, &c, S("a\\tb\\\\"), 25), 4);
	assert_memory_equal(key, "a\tb\\", 4);
}

static void
test_copy_csv(void **state)
{
	struct pg_copy c = {PG_COPY_CSV, ',', '"', '"'};
	char key[PG_KEY_MAX];

	(void)state;
	copy_cell_is(&c, S("\"a,b\",\"c\"\"d\",\n"), 0, "\"a,b\"", false);
	copy_cell_is(&c, S("\"a,b\",\"c\"\"d\",\n"), 1, "\"c\"\"d\"", false);
	copy_cell_is(&c, S("\"a,b\",\"c\"\"d\",\n"), 2, "", true);
	copy_cell_is(&c, S("\"two\nlines\",x\n"), 1, "x", false);
	assert_int_equal(pg_copy_key(key, &c, S("\"c\"\"d\""), 25), 3);
	assert_memory_equal(key, "c\"d", 3);
}

static void
test_row(void **state)
{
	struct pg_cell cells[4];
	size_t n;

	(void)state;
	assert_int_equal(pg_row(cells, 4, &n,
	    S("\0\2\0\0\0\1" "7\377\377\377\377")), ERR_OK);
	assert_int_equal(n, 2);
	assert_false(cells[0].null);
	assert_true(cells[1].null);
	assert_int_equal(pg_row(cells, 4, &n, S("\0\2\0\0\0\1" "7")), ERR_FORMAT);
	assert_int_equal(pg_row(cells, 4, &n, S("\0\1\0\0\0\1" "7x")), ERR_FORMAT);
	assert_int_equal(pg_row(cells, 4, &n, S("\0\1\177\377\377\377" "7")), ERR_FORMAT);
}

static void
test_heads(void **state)
{
	struct pg_head h;

	(void)state;
	assert_int_equal(pg_head(&h, (const uint8_t *)"Q\0\0\0", 4), ERR_SHORT);
	assert_int_equal(pg_head(&h, (const uint8_t *)"Q\0\0\0\3", 5), ERR_FORMAT);
	assert_int_equal(pg_head(&h, (const uint8_t *)"Q\377\377\377\377", 5), ERR_TOOBIG);
	assert_int_equal(pg_head(&h, (const uint8_t *)"Q\0\0\0\5", 5), ERR_OK);
	assert_int_equal(h.len, 1);
	assert_false(pg_client_type(0));
	assert_false(pg_server_type(0));
}

static void
test_withheld_error_keeps_no_text(void **state)
{
	struct buf b;
	struct slice body = S("SERROR\0VERROR\0C22P02\0Mbad: \"Taro\"\0DTaro\0Wq\0npk\0\0");

	(void)state;
	buf_init(&b, 4096);
	pg_put_withheld(&b, 'E', body, "withheld", "why");
	body = (struct slice){buf_head(&b) + 5, buf_used(&b) - 5};
	assert_string_equal(pg_field(body, 'C'), "22P02");
	assert_string_equal(pg_field(body, 'M'), "withheld");
	assert_string_equal(pg_field(body, 'n'), "pk");
	assert_null(pg_field(body, 'W'));
	assert_null(memmem(buf_head(&b), buf_used(&b), "Taro", 4));
	/* An error without its end is no error (PgBouncer, CVE-2026-6666). */
	assert_null(pg_field(S("SERROR"), 'S'));
	buf_fini(&b);
}

static void
test_bind(void **state)
{
	struct pg_bind bind;

	(void)state;
	assert_int_equal(pg_read_bind(&bind,
	    S("p\0s\0\0\0\0\1\0\0\0\2ab\0\2\0\0\0\1")), ERR_OK);
	assert_string_equal(bind.portal, "p");
	assert_string_equal(bind.stmt, "s");
	assert_int_equal(bind.nformats, 2);
	assert_int_equal(pg_format(bind.formats.p, 2, 1), 1);
	assert_int_equal(pg_read_bind(&bind, S("p\0s\0\0\0\0\1\0\0\0\11ab")), ERR_FORMAT);
	assert_int_equal(pg_read_bind(&bind, S("p\0s\0\0\0\0\0\0\0x")), ERR_FORMAT);
	assert_string_equal(pg_condition("22P02"), "invalid_text_representation");
	assert_string_equal(pg_condition("22ZZZ"), "data_exception");
	assert_string_equal(pg_condition("QQ000"), "error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_one_in_every_format),
		cmocka_unit_test(test_copy_text),
		cmocka_unit_test(test_copy_csv),
		cmocka_unit_test(test_row),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_withheld_error_keeps_no_text),
		cmocka_unit_test(test_bind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
