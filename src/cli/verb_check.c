/* SPDX-License-Identifier: Apache-2.0 */
/* kuraban check: lints the configuration and prints what it means. */
#include "cli/verb.h"

#include <getopt.h>
#include <jansson.h>
#include <libintl.h>
#include <stdio.h>
#include <string.h>

#define _(s) gettext(s)
#define N_(s) s

static const char *const level_name[] = {
	[CONF_ERROR] = "error", [CONF_WARNING] = "warning", [CONF_MEANING] = "meaning"};
static const char *const level_text[] = {
	[CONF_ERROR] = N_("error"), [CONF_WARNING] = N_("warning"),
	[CONF_MEANING] = N_("meaning")};

static void
note_print(FILE *to, const char *file, const struct conf_note *n)
{
	if (n->line > 0)
		fprintf(to, "%s:%d: %s: %s\n", file, n->line, _(level_text[n->level]),
		    n->text);
	else
		fprintf(to, "%s: %s: %s\n", file, _(level_text[n->level]), n->text);
}

static void
note_json(const char *file, const struct conf_note *n)
{
	json_t *o = json_pack("{s:s, s:s, s:i, s:s}", "level", level_name[n->level],
	    "file", file, "line", n->line, "text", n->text);

	/* NULL: a value is not UTF-8, so it cannot be said in JSON */
	if (o != NULL) {
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	} else {
		note_print(stderr, file, n);
	}
}

struct conf *
cli_conf(const char *option_c)
{
	const char *file = conf_find(option_c);
	struct conf_notes notes;
	struct conf *c;

	if (conf_load(&c, file, &notes) != ERR_OK)
		for (size_t i = 0; i < notes.n; i++)
			note_print(stderr, file, &notes.v[i]);
	conf_notes_fini(&notes);
	return c;
}

static void
notes_show(const char *file, const struct conf_notes *n, bool json)
{
	size_t warnings = 0;

	for (size_t i = 0; i < n->n; i++) {
		warnings += n->v[i].level == CONF_WARNING;
		if (json)
			note_json(file, &n->v[i]);
		else if (n->v[i].level == CONF_MEANING)
			printf("  %s\n", n->v[i].text);
	}
	if (json)
		return;
	if (warnings > 0)
		putchar('\n');
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].level == CONF_WARNING)
			note_print(stdout, file, &n->v[i]);
	if (warnings == 0)
		printf(_("%s: no errors, no warnings\n"), file);
	else
		printf(ngettext("%s: no errors, %zu warning\n",
		    "%s: no errors, %zu warnings\n", warnings), file, warnings);
}

int
verb_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {0}};
	const char *option_c = NULL, *file;
	struct conf_notes notes;
	struct conf *c;
	bool json = false;
	enum err e;
	int ch;

	while ((ch = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (ch == 'c')
			option_c = optarg;
		else if (ch == 'j')
			json = true;
		else
			return STATUS_USAGE;
	}
	if (optind < argc)
		return cli_usage(argv[0], _("unexpected argument %s"), argv[optind]);
	file = conf_find(option_c);
	if ((e = conf_load(&c, file, &notes)) == ERR_OK) {
		conf_notes_fini(&notes);
		conf_explain(c, &notes);
		notes_show(file, &notes, json);
	} else {
		for (size_t i = 0; i < notes.n; i++) {
			if (json)
				note_json(file, &notes.v[i]);
			else
				note_print(stderr, file, &notes.v[i]);
		}
	}
	conf_notes_fini(&notes);
	conf_free(c);
	return e == ERR_OK ? STATUS_DONE : STATUS_REFUSED;
}
