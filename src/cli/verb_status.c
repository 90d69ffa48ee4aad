/* SPDX-License-Identifier: Apache-2.0 */
/* kuraban status: is it running, releasing, and who is connected. */
#include <getopt.h>
#include <libintl.h>
#include <stdio.h>
#include <string.h>

#include "cli/state.h"
#include "cli/table.h"

#define _(s) gettext(s)

static const char *
str(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static long long
num(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void
head_print(json_t *o)
{
	json_t *ledger = json_object_get(o, "ledger");
	json_t *meter = json_object_get(o, "meter");

	if (json_is_true(json_object_get(ledger, "releasing")))
		printf(_("Kuraban %s: running, releasing\n"), str(o, "version"));
	else
		printf(_("Kuraban %s: running, but NOTHING IS RELEASED: the ledger has "
		    "no space\n"), str(o, "version"));
	printf(_("Ledger: %lld entries, %lld MiB free\n"), num(ledger, "entries"),
	    num(ledger, "free_bytes") >> 20);
	if (num(ledger, "dropped") > 0)
		printf(_("Entries that found no space: %lld\n"),
		    num(ledger, "dropped"));
	printf(_("Meter: %lld (actor, person) pairs, %lld MiB of memory\n"),
	    num(meter, "pairs"), num(meter, "bytes") >> 20);
	printf(_("Gate workers: %lld\n"), num(o, "workers"));
}

static void
sessions_print(json_t *rows)
{
	struct table t;
	json_t *o;
	size_t i;

	if (json_array_size(rows) == 0) {
		printf("\n%s\n", _("No sessions."));
		return;
	}
	putchar('\n');
	table_init(&t, 7, 0x60);
	table_cell(&t, _("ACTOR"));
	table_cell(&t, _("ROLE"));
	table_cell(&t, _("DATABASE"));
	table_cell(&t, _("FROM"));
	table_cell(&t, _("SINCE"));
	table_cell(&t, _("SESSION"));
	table_cell(&t, _("ROWS"));
	json_array_foreach(rows, i, o) {
		char since[32];

		time_local(since, str(o, "since"));
		table_cell(&t, str(o, "actor"));
		table_cell(&t, str(o, "role"));
		table_cell(&t, str(o, "database"));
		table_cell(&t, str(o, "address"));
		table_cell(&t, since);
		table_cellf(&t, "%lld", num(o, "session"));
		table_cellf(&t, "%lld", num(o, "rows"));
	}
	table_print(&t, stdout);
}

/* Of each actor the window that is used most. */
static void
budgets_print(json_t *rows)
{
	struct table t;
	json_t *o;
	size_t i, lines = 0;

	table_init(&t, 3, 4);
	json_array_foreach(rows, i, o) {
		json_t *limit = json_object_get(o, "limit");
		long long max = json_integer_value(limit), used = num(o, "used");

		if (json_is_null(limit) || used == 0 || used * 10 < max * 8)
			continue;
		lines++;
		table_cell(&t, str(o, "actor"));
		table_cell(&t, str(o, "window"));
		table_cellf(&t, "%lld/%lld", used, max);
	}
	if (lines > 0)
		printf("\n%s\n", _("Budgets nearly used up:"));
	table_print(&t, stdout);
}

static void
coverage_print(json_t *rows)
{
	json_t *o, *name;
	size_t i, k;

	printf("\n%s\n", _("Coverage:"));
	json_array_foreach(rows, i, o) {
		if (json_is_true(json_object_get(o, "protected")))
			printf(_("  %s: protected, %lld tables with personal data, %lld "
			    "declared open; all others are charged\n"),
			    str(o, "database"), num(o, "personal_tables"),
			    num(o, "open_tables"));
		else
			printf(_("  %s: NOT protected: declared free of personal data by "
			    "%s since %s\n"), str(o, "database"),
			    str(o, "declared_by"), str(o, "since"));
		json_array_foreach(json_object_get(o, "uncovered"), k, name)
			printf(_("    seen, but in nobody's catalog: %s\n"),
			    json_string_value(name));
	}
}

int
verb_status(int argc, char **argv)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'}, {0}};
	const char *file = NULL;
	json_t *request, *o;
	bool json = false;
	struct conf *c;
	int ch, status;

	while ((ch = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (ch == 'c')
			file = optarg;
		else if (ch == 'j')
			json = true;
		else
			return STATUS_USAGE;
	}
	if (optind < argc)
		return cli_usage(argv[0], _("unexpected argument %s"), argv[optind]);
	if ((c = cli_conf(file)) == NULL)
		return STATUS_REFUSED;
	request = json_pack("{s:s}", "do", "status");
	o = state_ask(argv[0], c, request, &status);
	json_decref(request);
	if (o == NULL && status == STATUS_DONE) {
		fprintf(stderr, "kuraban %s: %s (%s)\n", argv[0],
		    _("no server runs on this state directory"), c->state);
		status = STATUS_REFUSED;
	} else if (o != NULL && !json_is_true(json_object_get(o, "ok"))) {
		status = state_refused(argv[0], o);
	} else if (o != NULL) {
		status = STATUS_DONE;
		if (json) {
			json_dumpf(o, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			head_print(o);
			sessions_print(json_object_get(o, "sessions"));
			budgets_print(json_object_get(o, "budgets"));
			coverage_print(json_object_get(o, "coverage"));
		}
	}
	json_decref(o);
	conf_free(c);
	return status;
}
