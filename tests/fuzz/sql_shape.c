/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of a statement. An even first byte: the rest is a text. An odd one:
 * each further byte is a token, many of them literals with a mark inside; the
 * mark, which is a word when a quote is misjudged, must not be in the shape (L8).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sql/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MARK "Xq7391Zj"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const literals[] = {
	"'" MARK "'", "'x''" MARK "'", "'x'\n'" MARK "'", "'\"" MARK "'",
	"'x' -- y'\n\n '" MARK "'", "'--" MARK "'", "'/*" MARK "'",
	"'$$" MARK "'", "'$x$" MARK "'", " E'\\'" MARK "'", " E'x''" MARK "'",
	" e'\\\\'\n'\\'" MARK "'", " E'x' -- '\n'\\'" MARK "'", " U&'" MARK "'",
	" N'" MARK "'", " B'" MARK "'", " X'" MARK "'", " $$" MARK "$$",
	" $$'" MARK "$$", " $a$ $$ ' $$" MARK "$b$$a$", " $a1$$a$ $a" MARK "$a1$",
	"/*" MARK "*/", "/*/*'*/" MARK "*/", "/*--\n" MARK "*/",
	" U&\"x\" UESCAPE '" MARK "'", " U&\"x\" UESCAPE $$" MARK "$$",
	" U&\"x\" UESCAPE E'\\'" MARK "'", " 7391" MARK, " 0x" MARK,
	" 1." MARK, " .5" MARK, " 1_" MARK, " 1e5" MARK,
};

static const char *const others[] = {
	" ", "\n", ",", "(", ")", "[", "]", "+", "- ", "*", "/ ", "<", "@",
	"::", ".", ";", "a", "e", "x ", "n", "u&", "b", "_", "\xe3\x81\x82",
	"$1 ", "$9", "\"b\"", "\"'\"", "\"$$\"", " U&\"d\"", " UESCAPE ", "1",
	"7 ", "42", "1.5", "1e", "0x1f", "2147483648", " ORDER BY ",
	" GROUP BY ", " DISTINCT ON (", " SELECT ", " ROLLUP (", " LIMIT ",
	"--\n", "-- '\n", "/**/",
};

static void
check(const char *text, size_t len, bool std_strings, bool marked)
{
	size_t cap = SQL_SHAPE_CAP(len), n, m;
	char *out = malloc(cap), *cut;
	uint64_t h1, h2;

	must(out != NULL);
	n = sql_shape(out, cap, text, len, std_strings, &h1);
	must(n <= cap);
	must(!marked || memmem(out, n, MARK, strlen(MARK)) == NULL);
	cap = n / 2;
	cut = malloc(cap + 1);
	must(cut != NULL);
	m = sql_shape(cut, cap, text, len, std_strings, &h2);
	must(m <= cap);
	/* a broken text may be cut elsewhere, and has no verdict anyway */
	if (n < 2 || memcmp(out + n - 2, "$?", 2) != 0)
		must(h1 == h2 && memcmp(out, cut, m) == 0);
	free(cut);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[8192];
	size_t len = 0;

	if (size == 0)
		return 0;
	if (*data % 2 == 0) {
		check((const char *)data + 1, size - 1, *data & 2, false);
		return 0;
	}
	for (size_t i = 1; i < size && len < sizeof(text) - 64; i++) {
		unsigned k = data[i] % (COUNT(literals) + COUNT(others));
		const char *s = k < COUNT(literals) ? literals[k] :
		    others[k - COUNT(literals)];

		memcpy(text + len, s, strlen(s));
		len += strlen(s);
	}
	check(text, len, true, true);
	return 0;
}
