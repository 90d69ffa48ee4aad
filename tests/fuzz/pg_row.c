/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile server: rows, COPY lines, errors, Binds. First byte picks the parser. */
#include <stdint.h>
#include <stddef.h>

#include "pg/msg.h"
#include "pg/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pg_cell cells[16], cell;
	struct pg_bind bind;
	struct pg_copy c = {PG_COPY_TEXT, '\t', '"', '"'};
	struct slice body, rest;
	struct buf out;
	char key[PG_KEY_MAX];
	size_t n;

	if (size < 2)
		return 0;
	body = (struct slice){data + 2, size - 2};
	switch (data[0] % 5) {
	case 0:
		if (pg_row(cells, 16, &n, body) == ERR_OK) {
			for (size_t i = 0; i < n && i < 16; i++) {
				if (!cells[i].null)
					pg_key(key, cells[i].value, data[1] & 1, 20 + data[1]);
			}
		}
		break;
	case 1:
		pg_read_bind(&bind, body);
		break;
	case 2:
		buf_init(&out, 1 << 20);
		pg_put_withheld(&out, 'E', body, "text", NULL);
		if (pg_field(body, 'C') != NULL)
			pg_condition(pg_field(body, 'C'));
		buf_fini(&out);
		break;
	default:
		c.format = data[1] % 3;
		if (c.format == PG_COPY_CSV)
			c.delimiter = ',';
		if (body.len > 0 && pg_copy_cell(&c, body, data[1] >> 4, &cell, &rest) ==
		    ERR_OK && !cell.null)
			pg_copy_key(key, &c, cell.value, 25);
		break;
	}
	return 0;
}
