/* SPDX-License-Identifier: Apache-2.0 */
/* kuraban actor: the people and programs who may ask for data. */
#include <getopt.h>
#include <libintl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "actor/actor.h"
#include "cli/state.h"
#include "cli/table.h"

#define _(s) gettext(s)
#define N_(s) s

/* --- passwords ---------------------------------------------------------- */

static bool
line_read(FILE *f, char out[ACTOR_PASSWORD_MAX + 2])
{
	size_t n;

	if (fgets(out, ACTOR_PASSWORD_MAX + 2, f) == NULL)
		return false;
	n = strcspn(out, "\r\n");
	if (out[n] == 0 && n > ACTOR_PASSWORD_MAX)
		return false;
	out[n] = 0;
	return true;
}

/* Asks on the terminal, without showing what is typed. */
static bool
prompt(FILE *tty, const char *text, char out[ACTOR_PASSWORD_MAX + 2])
{
	struct termios was, quiet;
	bool ok;

	if (tcgetattr(fileno(tty), &was) != 0)
		return false;
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
	fputs(text, tty);
	fflush(tty);
	ok = line_read(tty, out);
	tcsetattr(fileno(tty), TCSAFLUSH, &was);
	fputc('\n', tty);
	return ok;
}

static int
password_read(const char *verb, bool from_stdin,
    char out[ACTOR_PASSWORD_MAX + 2])
{
	char again[ACTOR_PASSWORD_MAX + 2];
	FILE *tty;
	bool ok;

	if (from_stdin) {
		if (line_read(stdin, out))
			return STATUS_DONE;
		fprintf(stderr, "kuraban %s: %s\n", verb,
		    _("no password on standard input, or it is too long"));
		return STATUS_REFUSED;
	}
	if ((tty = fopen("/dev/tty", "r+e")) == NULL) {
		fprintf(stderr, "kuraban %s: %s\n", verb,
		    _("no terminal to ask for the password: use --password-stdin"));
		return STATUS_REFUSED;
	}
	ok = prompt(tty, _("Password: "), out) &&
	    prompt(tty, _("Again: "), again);
	fclose(tty);
	if (ok && strcmp(out, again) != 0) {
		fprintf(stderr, "kuraban %s: %s\n", verb,
		    _("the two are not the same"));
		ok = false;
	}
	sodium_memzero(again, sizeof(again));
	return ok ? STATUS_DONE : STATUS_REFUSED;
}

/* --- list --------------------------------------------------------------- */

static const char *
state_word(const char *state)
{
	static const char *const words[][2] = {
		{"enabled", N_("enabled")}, {"disabled", N_("disabled")},
		{"locked", N_("locked")}, {"expired", N_("password expired")}};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i][0], state) == 0)
			return _(words[i][1]);
	return state;
}

static void
list_print(json_t *rows)
{
	struct table t;
	json_t *o;
	size_t i;

	if (json_array_size(rows) == 0) {
		puts(_("No actors yet: kuraban actor add NAME --role ROLE"));
		return;
	}
	table_init(&t, 4, 0);
	table_cell(&t, _("ACTOR"));
	table_cell(&t, _("ROLE"));
	table_cell(&t, _("STATE"));
	table_cell(&t, _("PASSWORD SET"));
	json_array_foreach(rows, i, o) {
		char when[32];

		table_cell(&t, json_string_value(json_object_get(o, "actor")));
		table_cell(&t, json_string_value(json_object_get(o, "role")));
		table_cell(&t, state_word(json_string_value(
		    json_object_get(o, "state"))));
		time_local(when, json_string_value(
		    json_object_get(o, "password_set")));
		table_cell(&t, when);
	}
	table_print(&t, stdout);
}

/* --- the verb ----------------------------------------------------------- */

struct options {
	const char *conf, *role;
	bool from_stdin, json;
	const char *what, *name;
};

static int
parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"role", required_argument, NULL, 'r'},
		{"password-stdin", no_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'}, {0}};
	int ch;

	while ((ch = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		switch (ch) {
		case 'c':
			o->conf = optarg;
			break;
		case 'r':
			o->role = optarg;
			break;
		case 'p':
			o->from_stdin = true;
			break;
		case 'j':
			o->json = true;
			break;
		default:
			return STATUS_USAGE;
		}
	}
	if (optind < argc)
		o->what = argv[optind++];
	if (optind < argc)
		o->name = argv[optind++];
	if (optind < argc)
		return cli_usage(argv[0], _("unexpected argument %s"), argv[optind]);
	if (o->what == NULL)
		return cli_usage(argv[0], "%s",
		    _("say what to do: add, list, disable, enable or password"));
	return STATUS_DONE;
}

static int
run(const char *verb, const struct options *o, const struct conf *c)
{
	char what[32], password[ACTOR_PASSWORD_MAX + 2] = "";
	json_t *request, *answer;
	int status;

	snprintf(what, sizeof(what), "actor-%s", o->what);
	request = json_pack("{s:s}", "do", what);
	if (o->name != NULL)
		json_object_set_new(request, "name", json_string(o->name));
	if (o->role != NULL)
		json_object_set_new(request, "role", json_string(o->role));
	if (strcmp(o->what, "add") == 0 || strcmp(o->what, "password") == 0) {
		status = password_read(verb, o->from_stdin, password);
		if (status != STATUS_DONE) {
			json_decref(request);
			return status;
		}
		json_object_set_new(request, "password", json_string(password));
		sodium_memzero(password, sizeof(password));
	}
	if ((answer = state_run(verb, c, request, &status)) == NULL)
		return status;
	if (o->json && json_object_get(answer, "rows") != NULL)
		rows_json(json_object_get(answer, "rows"));
	else if (json_object_get(answer, "rows") != NULL)
		list_print(json_object_get(answer, "rows"));
	else if (strcmp(o->what, "add") == 0)
		printf(_("%s may now log in with role %s.\n"), o->name, o->role);
	else if (strcmp(o->what, "disable") == 0)
		printf(_("%s is disabled; open sessions were ended.\n"), o->name);
	else if (strcmp(o->what, "enable") == 0)
		printf(_("%s is enabled.\n"), o->name);
	else
		printf(_("The password of %s is set.\n"), o->name);
	json_decref(answer);
	return STATUS_DONE;
}

int
verb_actor(int argc, char **argv)
{
	static const char *const named[] = {"add", "disable", "enable", "password"};
	struct options o = {.conf = NULL};
	bool needs_name = false;
	struct conf *c;
	int status;

	if ((status = parse(&o, argc, argv)) != STATUS_DONE)
		return status;
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
		needs_name |= strcmp(o.what, named[i]) == 0;
	if (!needs_name && strcmp(o.what, "list") != 0)
		return cli_usage(argv[0], _("there is no %s"), o.what);
	if (needs_name && o.name == NULL)
		return cli_usage(argv[0], "%s", _("the actor's name is missing"));
	if (!needs_name && o.name != NULL)
		return cli_usage(argv[0], _("unexpected argument %s"), o.name);
	if (strcmp(o.what, "add") == 0 && o.role == NULL)
		return cli_usage(argv[0], "%s", _("--role ROLE is missing"));
	if ((c = cli_conf(o.conf)) == NULL)
		return STATUS_REFUSED;
	status = run(argv[0], &o, c);
	conf_free(c);
	return status;
}
