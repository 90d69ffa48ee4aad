/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/parts.h"

#include <arpa/inet.h>
#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define _(s) gettext(s)

/* One part of a name: as in SQL when quoted, else as it stands. */
static const char *
part(const char *p, char **out)
{
	char *w = *out = malloc(strlen(p) + 1);

	must(w != NULL);
	if (*p != '"') {
		while (*p != '\0' && *p != '.' && *p != '"')
			*w++ = *p++;
	} else {
		for (p++; *p != '\0' && (*p != '"' || p[1] == '"'); p++) {
			p += *p == '"';
			*w++ = *p;
		}
		p = *p == '"' ? p + 1 : NULL;
	}
	*w = '\0';
	return p;
}

bool
name_split(const char *text, char **schema, char **name)
{
	const char *p = part(text, name);

	if (p != NULL && *p == '.') {
		*schema = *name;
		p = part(p + 1, name);
	} else {
		must((*schema = strdup("public")) != NULL);
	}
	return p != NULL && *p == '\0' && **schema != '\0' && **name != '\0';
}

bool
listen_valid(const char *text, bool *loopback)
{
	char host[64];
	const char *colon = strrchr(text, ':'), *p;
	struct in_addr v4;
	struct in6_addr v6;
	bool six = text[0] == '[', ok;
	size_t len;

	if (colon == NULL || colon[1] < '1' || colon[1] > '9' ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strlen(colon + 1) > 5 || atoi(colon + 1) > 65535)
		return false;
	p = text + six;
	len = (size_t)(colon - p);
	if (six && (len == 0 || p[--len] != ']'))
		return false;
	if (len >= sizeof(host))
		return false;
	memcpy(host, p, len);
	host[len] = '\0';
	if (six) {
		ok = inet_pton(AF_INET6, host, &v6) == 1;
		if (ok && loopback != NULL)
			*loopback = IN6_IS_ADDR_LOOPBACK(&v6);
	} else {
		ok = inet_pton(AF_INET, host, &v4) == 1;
		if (ok && loopback != NULL)
			*loopback = (ntohl(v4.s_addr) >> 24) == 127;
	}
	return ok;
}

static bool
date_valid(const char *s)
{
	int y, m, d, end = 0;

	return strlen(s) == 10 &&
	    sscanf(s, "%4d-%2d-%2d%n", &y, &m, &d, &end) == 3 && end == 10 &&
	    y >= 1900 && m >= 1 && m <= 12 && d >= 1 && d <= 31;
}

static void
check_root(const struct conf *c, const struct conf_marks *m,
    struct conf_notes *notes)
{
	for (size_t i = 0; i < c->nlisten; i++)
		if (!listen_valid(c->listen[i], NULL))
			notes_add(notes, CONF_ERROR, scan_line(m, -1, "listen"),
			    _("listen = \"%s\"; expected an address and a port, as in "
			    "\"127.0.0.1:6432\" or \"[::1]:6432\""), c->listen[i]);
	if (c->state[0] != '/')
		notes_add(notes, CONF_ERROR, scan_line(m, -1, "state"),
		    _("state = \"%s\"; expected an absolute path"), c->state);
	if (strpbrk(c->origin, " \t\r\n+") != NULL)
		notes_add(notes, CONF_ERROR, scan_line(m, -1, "origin"),
		    _("origin = \"%s\"; expected a name without spaces and \"+\""),
		    c->origin);
	if ((c->tls_cert == NULL) != (c->tls_key == NULL))
		notes_add(notes, CONF_ERROR,
		    scan_line(m, -1, c->tls_cert != NULL ? "tls_cert" : "tls_key"),
		    _("tls_cert and tls_key belong together; set both"));
	if (c->tls_required && c->tls_cert == NULL)
		notes_add(notes, CONF_ERROR, scan_line(m, -1, "tls_required"),
		    _("tls_required needs tls_cert and tls_key"));
	if (c->ndatabases == 0)
		notes_add(notes, CONF_ERROR, 0,
		    _("no database is configured; expected: database \"name\" { ... }"));
	if (c->nroles == 0)
		notes_add(notes, CONF_ERROR, 0,
		    _("no role is configured; expected: role \"name\" { ... }"));
}

static const struct conf_table *
table_named(const struct conf_database *d, const char *schema, const char *name)
{
	for (size_t i = 0; i < d->ntables; i++)
		if (d->tables[i].schema != NULL && d->tables[i].name != NULL &&
		    strcmp(d->tables[i].schema, schema) == 0 &&
		    strcmp(d->tables[i].name, name) == 0)
			return &d->tables[i];
	return NULL;
}

static void
check_subject_of(const struct conf_database *d, const struct conf_table *t,
    int line, struct conf_notes *notes)
{
	char *schema = NULL, *name = NULL;
	const struct conf_table *of;

	if (!name_split(t->subject_of, &schema, &name)) {
		notes_add(notes, CONF_ERROR, line,
		    _("subject_of = \"%s\" is not a name; expected \"schema.name\""),
		    t->subject_of);
	} else if ((of = table_named(d, schema, name)) == NULL) {
		notes_add(notes, CONF_ERROR, line,
		    _("subject_of names %s, which has no table section in this "
		    "database"), t->subject_of);
	} else if (of == t || of->subject == NULL || of->subject_of != NULL) {
		notes_add(notes, CONF_ERROR, line,
		    _("subject_of names %s, which does not own the key; expected a "
		    "table with a subject of its own"), t->subject_of);
	}
	free(schema);
	free(name);
}

static void
check_declared(const char *since, const struct conf_marks *m, int section,
    struct conf_notes *notes)
{
	if (since != NULL && !date_valid(since))
		notes_add(notes, CONF_ERROR, scan_line(m, section, "since"),
		    _("since = \"%s\"; expected a date, YYYY-MM-DD"), since);
}

static void
check_table(const struct conf_database *d, size_t i, const struct conf_marks *m,
    int section, struct conf_notes *notes)
{
	const struct conf_table *t = &d->tables[i];
	int at = scan_section(m, section, "table", i);

	if (t->schema == NULL || t->name == NULL)
		return;
	for (size_t j = 0; j < i; j++)
		if (table_named(d, t->schema, t->name) != t) {
			notes_add(notes, CONF_ERROR, t->line,
			    _("table %s.%s is defined twice; the first is in line %d"),
			    t->schema, t->name,
			    table_named(d, t->schema, t->name)->line);
			break;
		}
	if (t->open && (t->npersonal > 0 || t->subject != NULL || t->subject_of != NULL))
		notes_add(notes, CONF_ERROR, scan_line(m, at, "open"),
		    _("table %s.%s is open and names a subject or personal columns; "
		    "remove one of them"), t->schema, t->name);
	else if (!t->open && t->npersonal == 0)
		notes_add(notes, CONF_ERROR, t->line,
		    _("table %s.%s says neither what is personal nor that it is open; "
		    "expected: personal = { ... } or open = true"), t->schema, t->name);
	else if (!t->open && t->subject == NULL)
		notes_add(notes, CONF_ERROR, t->line,
		    _("table %s.%s has personal columns and no subject; expected: "
		    "subject = \"the column that says whose data it is\""),
		    t->schema, t->name);
	if (t->subject_of != NULL)
		check_subject_of(d, t, scan_line(m, at, "subject_of"), notes);
	check_declared(t->since, m, at, notes);
}

static void
check_database(struct conf_database *d, const struct conf_marks *m, int section,
    struct conf_notes *notes)
{
	if (strcmp(d->engine, "postgresql") != 0)
		notes_add(notes, CONF_ERROR, scan_line(m, section, "engine"),
		    _("engine = \"%s\"; expected postgresql"), d->engine);
	if (d->upstream_text == NULL)
		notes_add(notes, CONF_ERROR, d->line,
		    _("database %s has no upstream; expected: upstream = \"host=... "
		    "dbname=... user=...\""), d->name);
	else
		upstream_parse(&d->upstream, d->upstream_text,
		    scan_line(m, section, "upstream"), notes);
	if (d->unprotected && (d->ntables > 0 || d->nfunctions > 0))
		notes_add(notes, CONF_ERROR, scan_line(m, section, "personal"),
		    _("database %s is declared free of personal data and has table or "
		    "function sections; remove one of them"), d->name);
	check_declared(d->since, m, section, notes);
	for (size_t i = 0; i < d->ntables; i++)
		check_table(d, i, m, section, notes);
	for (size_t i = 1; i < d->nfunctions; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(d->functions[i].schema, d->functions[j].schema) == 0 &&
			    strcmp(d->functions[i].name, d->functions[j].name) == 0)
				notes_add(notes, CONF_ERROR, d->functions[i].line,
				    _("function %s.%s is defined twice; the first is in "
				    "line %d"), d->functions[i].schema,
				    d->functions[i].name, d->functions[j].line);
}

static void
check_role(const struct conf *c, const struct conf_role *r,
    const struct conf_marks *m, int section, struct conf_notes *notes)
{
	if (r->ndatabases == 0)
		notes_add(notes, CONF_ERROR, r->line,
		    _("role %s names no database; expected: databases = { \"name\" }"),
		    r->name);
	for (size_t i = 0; i < r->ndatabases; i++)
		if (conf_database(c, r->databases[i]) == NULL)
			notes_add(notes, CONF_ERROR, scan_line(m, section, "databases"),
			    _("role %s names the database \"%s\", which is not in this "
			    "file"), r->name, r->databases[i]);
}

void
conf_check(struct conf *c, const struct conf_marks *m, struct conf_notes *notes)
{
	check_root(c, m, notes);
	for (size_t i = 0; i < c->ndatabases; i++)
		check_database(&c->databases[i], m,
		    scan_section(m, -1, "database", i), notes);
	for (size_t i = 0; i < c->nroles; i++)
		check_role(c, &c->roles[i], m, scan_section(m, -1, "role", i), notes);
}
