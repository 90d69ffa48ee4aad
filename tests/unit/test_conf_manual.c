/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual page of kuraban.conf is printed from the option table:
 * test_conf_manual FILE compares, test_conf_manual --write FILE writes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *scope, *name, *kind, *def, *text;
	unsigned long long low, high;
} options[] = {
#define OPT(scope, name, kind, field, def, low, high, text) \
	{#scope, name, #kind, def, text, low, high},
#define LIST(scope, name, field, count, def, text) \
	{#scope, name, "LIST", def, text, 0, 0},
#include "conf/conf.tbl.h"
#undef OPT
#undef LIST
};
enum { NOPTIONS = sizeof(options) / sizeof(*options) };

static const struct {
	const char *scope, *head, *text;
} scopes[] = {
	{"ROOT", "Outside of sections", ""},
	{"DATABASE", "database \"NAME\" { ... }",
	    "One for each database. NAME is what clients connect to.\n\n"},
	{"TABLE", "table \"SCHEMA.NAME\" { ... } in a database",
	    "What is personal in a table. Without a schema: public. Names are as the\n"
	    "catalogue of the server has them; a part with a dot in it is written in\n"
	    "double quotes. A table without a section is uncovered: its data is charged.\n\n"},
	{"FUNCTION", "function \"SCHEMA.NAME\" { ... } in a database",
	    "A function of your own that statements may call.\n\n"},
	{"ROLE", "role \"NAME\" { ... }",
	    "What the actors of a role may use, and how many people's data.\n\n"},
};

static const char head[] =
    "# kuraban.conf\n\n"
    "<!-- Printed from src/conf/conf.tbl.h by tests/unit/test_conf_manual.c. -->\n\n"
    "The file is UTF-8 text: `name = value`, lists in braces, comments from `#` or\n"
    "`//` to the end of the line or between `/*` and `*/`. Values with spaces or\n"
    "punctuation are quoted. `${...}` is not replaced. An unknown option, an option\n"
    "set twice or a wrong value is an error with its line; nothing starts then.\n"
    "`kuraban check -c FILE` says what a file means.\n";

static const char *
kind_text(size_t i, char *out, size_t cap)
{
	static const struct {
		const char *kind, *text;
	} kinds[] = {
		{"TEXT", "text"}, {"LIST", "list of texts"}, {"YESNO", "true or false"},
		{"EXCESS", "refuse, hold or observe"}, {"PERSONAL", "none"},
		{"DDL", "refuse or allow"}, {"LANGUAGE", "en or ja"},
	};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
		if (strcmp(kinds[k].kind, options[i].kind) == 0)
			return kinds[k].text;
	snprintf(out, cap, "number, %llu to %llu", options[i].low, options[i].high);
	return out;
}

static void
manual(FILE *f)
{
	char kind[64];

	fputs(head, f);
	for (size_t s = 0; s < sizeof(scopes) / sizeof(*scopes); s++) {
		fprintf(f, "\n## %s\n\n%s| option | value | default | meaning |\n"
		    "|---|---|---|---|\n", scopes[s].head, scopes[s].text);
		for (size_t i = 0; i < NOPTIONS; i++) {
			if (strcmp(options[i].scope, scopes[s].scope) != 0)
				continue;
			fprintf(f, "| `%s` | %s | %s%s%s | %s |\n", options[i].name,
			    kind_text(i, kind, sizeof(kind)),
			    options[i].def != NULL ? "`" : "",
			    options[i].def != NULL ? options[i].def : "",
			    options[i].def != NULL ? "`" : "", options[i].text);
		}
	}
}

int
main(int argc, char **argv)
{
	char *now = NULL, *then;
	size_t len = 0, n;
	FILE *f;

	if (argc == 3 && strcmp(argv[1], "--write") == 0) {
		if ((f = fopen(argv[2], "w")) == NULL) {
			perror(argv[2]);
			return 1;
		}
		manual(f);
		return fclose(f) != 0;
	}
	if (argc != 2 || (f = open_memstream(&now, &len)) == NULL)
		return 2;
	manual(f);
	fclose(f);
	then = calloc(1, len + 2);
	if (then == NULL || (f = fopen(argv[1], "r")) == NULL) {
		perror(argv[1]);
		return 1;
	}
	n = fread(then, 1, len + 1, f);
	fclose(f);
	if (n != len || memcmp(now, then, len) != 0) {
		printf("%s is not what the table says; write it with\n%s --write %s\n",
		    argv[1], argv[0], argv[1]);
		return 1;
	}
	free(now);
	free(then);
	return 0;
}
