/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

void
table_init(struct table *t, unsigned columns, unsigned right)
{
	must(columns <= TABLE_COLUMNS_MAX);
	*t = (struct table){.columns = columns, .right = right};
}

void
table_cell(struct table *t, const char *text)
{
	if (t->ncells == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->cells = realloc(t->cells, t->cap * sizeof(*t->cells));
		must(t->cells != NULL);
	}
	must((t->cells[t->ncells++] = strdup(text)) != NULL);
}

void
table_cellf(struct table *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_cell(t, text);
}

/* The blocks that East Asian terminals show two columns wide. */
static bool
wide(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
	    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	    (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x20000 && c <= 0x3fffd);
}

size_t
text_width(const char *text)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t left = strlen(text), width = 0, n;

	for (; left > 0; p += n, left -= n) {
		uint32_t c = p[0];

		if ((n = utf8_char(p, left)) > 1) {
			c = p[0] & (0xffu >> (n + 1));
			for (size_t i = 1; i < n; i++)
				c = c << 6 | (p[i] & 0x3f);
		} else {
			n = 1;
		}
		width += wide(c) ? 2 : 1;
	}
	return width;
}

void
table_print(struct table *t, FILE *to)
{
	size_t width[TABLE_COLUMNS_MAX] = {0};

	for (size_t i = 0; i < t->ncells; i++) {
		size_t w = text_width(t->cells[i]);

		if (w > width[i % t->columns])
			width[i % t->columns] = w;
	}
	for (size_t i = 0; i < t->ncells; i++) {
		unsigned col = (unsigned)(i % t->columns);
		int pad = (int)(width[col] - text_width(t->cells[i]));
		bool last = col == t->columns - 1;

		if (t->right & 1u << col)
			fprintf(to, "%*s%s", pad, "", t->cells[i]);
		else
			fprintf(to, "%s%*s", t->cells[i], last ? 0 : pad, "");
		fputs(last ? "\n" : "  ", to);
		free(t->cells[i]);
	}
	free(t->cells);
	*t = (struct table){0};
}
