/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of any bytes: columns guessed, every row found, split and read. Rows
 * follow each other without a gap and lie in the input.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trace/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct names *names;
	static struct places *places;
	struct columns cols;
	struct row_reader r;
	struct csv csv;
	struct csv_row row;
	struct row_facts f;
	struct sig sigs[2];
	char why[128];
	size_t last = 0;

	if (!names)
		must(names_open(&names) == ERR_OK &&
		    places_open(&places) == ERR_OK);
	if (columns_guess(&cols, data, size, NULL, NULL, why, sizeof why) !=
	    ERR_OK)
		return 0;
	csv_open(&csv, data, size);
	must(row_reader_init(&r, &cols, NULL, names, places, ENC_CP932,
	    csv.sep) == ERR_OK);
	while (csv_next(&csv, &row)) {
		must(row.offset >= last && row.offset + row.len <= size);
		last = row.offset + row.len;
		row_read(&r, data + row.offset, row.len, row.flags, sigs, &f);
		must(f.nsigs <= 2);
		for (unsigned i = 0; i < f.nsigs; i++)
			must((sigs[i].dob >> 5 & 15) <= 12);
	}
	row_reader_fini(&r);
	columns_fini(&cols);
	return 0;
}
