/* SPDX-License-Identifier: Apache-2.0 */
/* The program: a table of verbs for people, a table of roles for the parent. */
#include "cli/verb.h"

#include <libintl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/words.h"

#define _(s) gettext(s)
#define N_(s) s

static const struct verb {
	const char *name, *usage, *help;
	int (*run)(int argc, char **argv);
} verbs[] = {
#define VERB(name, usage, help) {#name, usage, help, verb_##name},
#include "cli/verbs.tbl.h"
#undef VERB
};
enum { NVERBS = sizeof(verbs) / sizeof(*verbs) };

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} roles[] = {
#define ROLE(name, function) {name, function},
#include "cli/roles.tbl.h"
#undef ROLE
	{NULL, NULL}
};

static const struct verb *
verb_find(const char *name)
{
	for (size_t i = 0; i < NVERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int
verb_unknown(const char *name)
{
	const char *words[NVERBS + 1] = {0}, *near;

	for (size_t i = 0; i < NVERBS; i++)
		words[i] = verbs[i].name;
	if ((near = word_nearest(name, words)) != NULL)
		fprintf(stderr, _("kuraban: there is no command %s; did you mean %s?\n"),
		    name, near);
	else
		fprintf(stderr, _("kuraban: there is no command %s; see kuraban help\n"),
		    name);
	return STATUS_USAGE;
}

static void
verb_show(const struct verb *v)
{
	printf(_("usage: kuraban %s %s\n"), v->name, v->usage);
	printf("  %s\n", _(v->help));
}

static int
list(FILE *to)
{
	fputs(_("Kuraban meters and stops the release of personal data from "
	    "PostgreSQL.\n\nusage: kuraban COMMAND ...\n\n"), to);
	for (size_t i = 0; i < NVERBS; i++)
		fprintf(to, "  %-9s %s\n", verbs[i].name, _(verbs[i].help));
	fputs(_("\nkuraban COMMAND --help shows its options. Commands that need the "
	    "configuration\ntake -c FILE; without it $KURABAN_CONF, ./kuraban.conf, "
	    "then\n/etc/kuraban/kuraban.conf.\n"), to);
	return to == stdout ? STATUS_DONE : STATUS_USAGE;
}

int
verb_help(int argc, char **argv)
{
	const struct verb *v;

	if (argc < 2)
		return list(stdout);
	if ((v = verb_find(argv[1])) == NULL)
		return verb_unknown(argv[1]);
	verb_show(v);
	return STATUS_DONE;
}

int
verb_version(int argc, char **argv)
{
	puts("kuraban " KURABAN_VERSION);
	return STATUS_DONE;
}

int
cli_usage(const char *verb, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "kuraban %s: ", verb);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, _("; see kuraban %s --help\n"), verb);
	return STATUS_USAGE;
}

int
cli_fail(const char *verb, enum err e, const char *what)
{
	fprintf(stderr, "kuraban %s: %s: %s%s%s\n", verb, what, _(err_text(e)),
	    *err_advice(e) != '\0' ? "; " : "",
	    *err_advice(e) != '\0' ? _(err_advice(e)) : "");
	return e == ERR_BROKEN ? STATUS_BROKEN : STATUS_REFUSED;
}

static int
role_run(int argc, char **argv)
{
	for (size_t i = 0; roles[i].name != NULL; i++)
		if (argc > 2 && strcmp(roles[i].name, argv[2]) == 0)
			return roles[i].run(argc - 2, argv + 2);
	fputs("kuraban: -x is for the parent process\n", stderr);
	return STATUS_USAGE;
}

int
main(int argc, char **argv)
{
	const struct verb *v;

	i18n_init();
	if (argc > 1 && strcmp(argv[1], "-x") == 0)
		return role_run(argc, argv);
	if (argc < 2)
		return list(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return list(stdout);
	if (strcmp(argv[1], "--version") == 0)
		return verb_version(argc, argv);
	if ((v = verb_find(argv[1])) == NULL)
		return verb_unknown(argv[1]);
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			verb_show(v);
			return STATUS_DONE;
		}
	return v->run(argc - 1, argv + 1);
}
