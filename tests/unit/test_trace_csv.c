/* SPDX-License-Identifier: Apache-2.0 */
/* Broken input costs the rows that are broken, and time linear in its size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "trace/columns.h"
#include "trace/csv.h"

static uint8_t scratch[65536];

static unsigned
rows(const char *text, size_t len, unsigned *flags)
{
	struct csv c;
	struct csv_row r;
	unsigned n = 0;

	*flags = 0;
	csv_open(&c, text, len);
	while (csv_next(&c, &r)) {
		n++;
		*flags |= r.flags;
	}
	return n;
}

static void
test_rows(void **state)
{
	unsigned f;

	assert_int_equal(rows("", 0, &f), 0);
	assert_int_equal(rows("a,b\n1,2", 7, &f), 2);
	assert_int_equal(rows("a,b\r\n1,\"x\ny\"\r\n2,3\n", 18, &f), 3);
	assert_int_equal(f, 0);
	/* A quote that never closes: its own row only. */
	assert_int_equal(rows("a,b\n1,\"x\n2,3\n4,5\n", 17, &f), 4);
	assert_int_equal(f, CSV_BROKEN_QUOTE);
	/* A quote in the middle is text. */
	assert_int_equal(rows("a,b\n1,5\" nail\n2,3\n", 18, &f), 3);
	assert_int_equal(f, 0);
}

static void
test_fields(void **state)
{
	struct slice s[8];
	const char *t = "1,\"a,b\",\"say \"\"x\"\"\",,\"open";

	assert_int_equal(csv_split((const uint8_t *)t, strlen(t), ',', s, 8,
	    scratch), 5);
	assert_true(slice_is(s[1], "a,b"));
	assert_true(slice_is(s[2], "say \"x\""));
	assert_int_equal(s[3].len, 0);
	assert_true(slice_is(s[4], "\"open"));
	assert_int_equal(csv_split((const uint8_t *)"a,b,c", 5, ',', s, 2,
	    scratch), 2);
}

static void
test_linear(void **state)
{
	size_t n = 5 << 20, line = 3 << 20;
	char *t = malloc(n);
	unsigned f;

	/* Every row opens a quote. */
	for (size_t i = 0; i < n; i++)
		t[i] = "1,\"x\n"[i % 5];
	assert_int_equal(rows(t, n, &f), n / 5);
	assert_int_equal(f, CSV_BROKEN_QUOTE);
	/* One line longer than the limit, then an ordinary one. */
	memset(t, 'x', line);
	memcpy(t + line, "\n1,2\n", 5);
	assert_int_equal(rows(t, line + 5, &f), 2);
	assert_int_equal(f, CSV_TOO_LONG);
	free(t);
}

/* What comes through a window gives the rows that it gives as a whole. */
static void
test_window(void **state)
{
	static const char piece[] = "a,\"\n\",\r\nx\"y\n\"\"";
	size_t n = 9 << 20, room = CSV_WINDOW + 777, had = 0, end = 0;
	char *t = malloc(n), *window = malloc(room);
	struct csv whole, part;
	struct csv_row a, b;
	uint64_t x = 88172645463325252ull, rows = 0;

	for (size_t i = 0; i < n; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		/* Two lines that are too long, one of them quoted. */
		t[i] = (i > 1 << 20 && i < 5 << 19) || (i > 3 << 20 &&
		    i < 6 << 20) ? 'z' : piece[(x >> 33) % (sizeof piece - 1)];
	}
	t[3 << 20] = '"';
	csv_open(&whole, t, n);
	part = whole;
	csv_window(&part, window, 0, true);
	while (csv_next(&whole, &a)) {
		while (!csv_next(&part, &b)) {
			size_t left = part.len - (part.at < part.len ?
			    part.at : part.len);

			assert_true(part.more);
			memmove(window, part.p + part.len - left, left);
			had = n - end < room - left ? n - end : room - left;
			memcpy(window + left, t + end, had);
			end += had;
			csv_window(&part, window, left + had, end < n);
		}
		assert_int_equal(a.offset, b.offset);
		assert_int_equal(a.len, b.len);
		assert_int_equal(a.flags, b.flags);
		rows++;
	}
	assert_false(csv_next(&part, &b));
	assert_true(rows > 100000);
	free(t);
	free(window);
}

static void
test_columns(void **state)
{
	static const char named[] = "会員番号,氏名,フリガナ,生年月日,郵便番号,住所,"
	    "電話番号\n1,田中 一郎,タナカ イチロウ,1980-01-02,150-0001,東京都渋谷区"
	    "神宮前1-2-3,03-1234-5678\n";
	static const char bare[] = "田中 一郎,タナカ イチロウ,1980-01-02,150-0001,"
	    "東京都渋谷区神宮前1-2-3,03-1234-5678\n鈴木 花子,スズキ ハナコ,"
	    "1990-11-22,530-0001,大阪府大阪市北区梅田1-1-1,06-1234-5678\n";
	struct columns c;
	char why[128];

	assert_int_equal(columns_guess(&c, named, sizeof named - 1, NULL, NULL,
	    why, sizeof why), ERR_OK);
	assert_true(c.header);
	assert_int_equal(c.key, 0);
	assert_int_equal(c.at[COL_KANA], 2);
	assert_int_equal(c.at[COL_PHONE], 6);
	columns_fini(&c);
	assert_int_equal(columns_guess(&c, bare, sizeof bare - 1, NULL, NULL,
	    why, sizeof why), ERR_OK);
	assert_false(c.header);
	assert_int_equal(c.at[COL_NAME], 0);
	assert_int_equal(c.at[COL_KANA], 1);
	assert_int_equal(c.at[COL_BIRTH], 2);
	assert_int_equal(c.at[COL_ZIP], 3);
	assert_int_equal(c.at[COL_ADDRESS], 4);
	assert_int_equal(c.at[COL_PHONE], 5);
	columns_fini(&c);
	assert_int_equal(columns_guess(&c, named, sizeof named - 1,
	    "会員番号=ignore,氏名=guardian", NULL, why, sizeof why), ERR_OK);
	assert_int_equal(c.key, -1);
	assert_int_equal(c.at[COL_GUARDIAN], 1);
	columns_fini(&c);
	assert_int_equal(columns_guess(&c, named, sizeof named - 1, "x=name",
	    NULL, why, sizeof why), ERR_CONFIG);
}

static void
test_utf16(void **state)
{
	/* a 髙 𠮷 (a pair), half a pair, b; little endian, then an odd byte. */
	static const uint8_t le[] = "\xff\xfe" "a\0" "\xd9\x9a" "\x42\xd8"
	    "\xb7\xdf" "\x00\xdc" "b\0" "c";
	static const char want[] = "\xef\xbb\xbf" "a髙\U00020bb7" "\xef\xbf\xbd"
	    "b\xef\xbf\xbd";
	uint8_t be[sizeof le], out[64];
	size_t n = sizeof le - 1;

	assert_int_equal(text_utf16_guess(le, n), UTF16_LE);
	assert_int_equal(text_utf16_read(out, le, n, UTF16_LE),
	    sizeof want - 1);
	assert_memory_equal(out, want, sizeof want - 1);
	for (size_t i = 0; i + 1 < n; i += 2) {
		be[i] = le[i + 1];
		be[i + 1] = le[i];
	}
	assert_int_equal(text_utf16_guess(be, n - 1), UTF16_BE);
	assert_int_equal(text_utf16_read(out, be, n - 1, UTF16_BE),
	    sizeof want - 4);
	assert_memory_equal(out, want, sizeof want - 4);
	/* Without a mark; and text with a NUL here and there is none. */
	assert_int_equal(text_utf16_guess((const uint8_t *)
	    "n\0a\0m\0e\0,\0t\0e\0l\0", 16), UTF16_LE);
	assert_int_equal(text_utf16_guess((const uint8_t *)
	    "\0n\0a\0m\0e\0,\0t\0e\0l", 16), UTF16_BE);
	assert_int_equal(text_utf16_guess((const uint8_t *)
	    "name,tel\0,x,y\0z\0,", 18), UTF16_NO);
	assert_int_equal(text_utf16_guess((const uint8_t *)"", 0), UTF16_NO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_utf16),
	};

	return cmocka_run_group_tests_name("trace: csv", tests, NULL, NULL);
}
