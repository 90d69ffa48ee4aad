/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delimited text as it turns up: quotes that never close, NULs, lines of any
 * length. Rows are found by bytes alone, which is right for UTF-8, CP932 and
 * EUC-JP, whose second bytes are never a quote, comma, tab or line end.
 *
 * A quote that is still open at the end of a line may continue over at most
 * CSV_QUOTED_LINES lines and CSV_QUOTED_BYTES; else it is a broken one and taken
 * literally, so that one bad quote costs one row. Pure, linear in the input.
 *
 * Input of unknown length comes through a window: `more` says that bytes follow
 * what is in it, and then csv_next() gives only rows that those cannot change.
 */
#ifndef KB_TRACE_CSV_H
#define KB_TRACE_CSV_H

#include "base/bytes.h"

#define CSV_FIELDS 256
#define CSV_ROW_MAX (1u << 20)		/* a longer row is reported and cut */
#define CSV_QUOTED_LINES 32
#define CSV_QUOTED_BYTES 65536u
/* With so many bytes in the window, csv_next() always gives a row. */
#define CSV_WINDOW (CSV_ROW_MAX + CSV_QUOTED_BYTES + 4096u)

struct csv {
	const uint8_t *p;
	size_t len, at;
	uint8_t sep;
	bool more;		/* p is a window: bytes follow */
	bool skip;		/* the rest of a row that was too long */
	uint64_t base;		/* offset of p[0] in the input */
	uint64_t probed;	/* bytes looked ahead for closing quotes */
};

enum { CSV_BROKEN_QUOTE = 1, CSV_TOO_LONG = 2 };

struct csv_row {
	uint64_t offset;	/* in the input, not in the window */
	size_t len;		/* without the line end; at most CSV_ROW_MAX */
	unsigned flags;
};

/* Chooses the separator from the first lines; skips a UTF-8 byte order mark. */
void csv_open(struct csv *c, const void *p, size_t len);
/* false: no further row, or with `more` none that is certain yet. */
bool csv_next(struct csv *c, struct csv_row *row);
/* What is read of the window goes; p is then where the rest is. */
void csv_window(struct csv *c, const void *p, size_t len, bool more);
/*
 * Splits a row; doubled quotes are undone in scratch (len bytes). Returns the
 * number of fields, at most max; further ones are ignored.
 */
unsigned csv_split(const uint8_t *p, size_t len, uint8_t sep,
    struct slice *out, unsigned max, uint8_t *scratch);

#endif
