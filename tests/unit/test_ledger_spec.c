/* SPDX-License-Identifier: Apache-2.0 */
/* L9: docs/spec/ledger.md names every kind and field, in the order of the code. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TYPE_TEXT "text?"
#define TYPE_LONG "text?"
#define TYPE_NUM "number"
#define TYPE_OPT "number?"
#define TYPE_FLAG "flag"
#define TYPE_TIME "time?"
#define TYPE_TABLES "tables"
#define TYPE_NAMES "names"
#define TYPE_TOKENS "tokens"
#define TYPE_PAIRS "pairs"
#define TYPE_SALTED "salted?"

static const char *const rows[] = {
#define ENTRY(kind)
#define FIELD(kind, type, name) "| " #kind " | " #name " | " TYPE_##type " |",
#define END(kind)
#include "ledger/entry.tbl.h"
#undef ENTRY
#undef FIELD
#undef END
};
enum { ROWS = sizeof rows / sizeof *rows };

int
main(int argc, char **argv)
{
	FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
	bool table = false;
	char line[500];
	size_t n = 0;

	if (f == NULL)
		return 2;
	while (fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, "| kind | field |", 16) == 0) {
			table = true;
			continue;
		}
		if (!table || strncmp(line, "|---", 4) == 0)
			continue;
		if (line[0] != '|')
			break;
		if (n == ROWS || strncmp(line, rows[n], strlen(rows[n])) != 0) {
			printf("%s has\n%sthe code has\n%s\n", argv[1], line,
			    n < ROWS ? rows[n] : "no more");
			return 1;
		}
		n++;
	}
	fclose(f);
	if (n < ROWS)
		printf("%s ends before\n%s\n", argv[1], rows[n]);
	return n < ROWS;
}
