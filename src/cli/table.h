/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aligned columns for people. Widths are of a terminal: wide characters of
 * Japanese count two. Cells are copied.
 */
#ifndef KB_CLI_TABLE_H
#define KB_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 10 };

struct table {
	char **cells;
	size_t ncells, cap;
	unsigned columns;
	unsigned right;		/* bit per column that is aligned to the right */
};

void table_init(struct table *t, unsigned columns, unsigned right);
void table_cell(struct table *t, const char *text);
void table_cellf(struct table *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints the rows (the last column unpadded) and frees. */
void table_print(struct table *t, FILE *to);
/* Columns on a terminal that the text takes. */
size_t text_width(const char *text);

#endif
