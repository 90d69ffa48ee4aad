/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of result rows: DataRow bodies and COPY TO STDOUT lines. Pure.
 *
 * A subject key is made canonical here, so that one person has one token in
 * every format: integers and uuid to their text, everything else as it stands
 * with its format marked.
 */
#ifndef KB_PG_ROW_H
#define KB_PG_ROW_H

#include "base/buf.h"
#include "base/err.h"

struct pg_cell {
	struct slice value;
	bool null;
};

/*
 * Cells [0, cap) of a DataRow body (after the head). *n = how many columns the
 * row has. ERR_FORMAT unless lengths add up exactly.
 */
enum err pg_row(struct pg_cell *cells, size_t cap, size_t *n, struct slice body);

/* Lines of COPY TO STDOUT. */
struct pg_copy {
	enum { PG_COPY_TEXT, PG_COPY_CSV, PG_COPY_BINARY } format;
	char delimiter, quote, escape;
};
/*
 * Cell number col (0-based) of one line. The value is raw (escapes and quotes as
 * sent); rest is what follows the cell and its delimiter. ERR_NOTFOUND when the
 * line has fewer cells.
 */
enum err pg_copy_cell(const struct pg_copy *c, struct slice line, unsigned col,
    struct pg_cell *cell, struct slice *rest);

#define PG_KEY_MAX 256
/*
 * The canonical key of a cell: format 0 text, 1 binary; type is the column's
 * OID. Longer keys than PG_KEY_MAX are cut to their 64-bit hashes (collisions
 * only ever merge two people's keys of > 256 bytes: none has such).
 */
size_t pg_key(char out[PG_KEY_MAX], struct slice value, int format, uint32_t type);
/* A text or CSV cell as COPY wrote it, unescaped, then like pg_key. */
size_t pg_copy_key(char out[PG_KEY_MAX], const struct pg_copy *c,
    struct slice raw, uint32_t type);

#endif
