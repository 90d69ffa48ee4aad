/* SPDX-License-Identifier: Apache-2.0 */
/* kuraban budget: how many people each actor has received, and may. */
#include <getopt.h>
#include <libintl.h>
#include <stdio.h>
#include <string.h>

#include "cli/state.h"
#include "cli/table.h"

#define _(s) gettext(s)

/* Four rows of an actor, one a window, become one line. */
static void
print(json_t *rows)
{
	struct table t;
	json_t *o;
	size_t i;

	table_init(&t, 3 + WINDOW_COUNT, 0x78);
	table_cell(&t, _("ACTOR"));
	table_cell(&t, _("ROLE"));
	table_cell(&t, _("DATABASE"));
	table_cell(&t, _("TODAY"));
	table_cell(&t, _("30 DAYS"));
	table_cell(&t, _("YEAR"));
	table_cell(&t, _("EVER"));
	json_array_foreach(rows, i, o) {
		json_t *limit = json_object_get(o, "limit");
		long long used = json_integer_value(json_object_get(o, "used"));

		if (i % WINDOW_COUNT == 0) {
			table_cell(&t, json_string_value(json_object_get(o, "actor")));
			table_cell(&t, json_string_value(json_object_get(o, "role")));
			table_cell(&t, json_string_value(
			    json_object_get(o, "database")));
		}
		if (json_is_null(limit))
			table_cellf(&t, "%lld", used);
		else
			table_cellf(&t, "%lld/%lld", used,
			    (long long)json_integer_value(limit));
	}
	table_print(&t, stdout);
}

int
verb_budget(int argc, char **argv)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'}, {0}};
	const char *file = NULL, *actor = NULL;
	json_t *request, *answer, *rows;
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
		actor = argv[optind++];
	if (optind < argc)
		return cli_usage(argv[0], _("unexpected argument %s"), argv[optind]);
	if ((c = cli_conf(file)) == NULL)
		return STATUS_REFUSED;
	request = json_pack("{s:s, s:s*}", "do", "budget", "actor", actor);
	if ((answer = state_run(argv[0], c, request, &status)) != NULL) {
		rows = json_object_get(answer, "rows");
		if (json)
			rows_json(rows);
		else
			print(rows);
	}
	json_decref(answer);
	conf_free(c);
	return status;
}
