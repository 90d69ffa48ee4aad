/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/parts.h"

#include <libintl.h>
#include <stdio.h>
#include <string.h>

#define _(s) gettext(s)
#define N_(s) s

static void
join(char *out, size_t cap, char *const *words, size_t n)
{
	size_t len = 0;

	*out = '\0';
	for (size_t i = 0; i < n && len < cap; i++)
		len += (size_t)snprintf(out + len, cap - len, "%s%s",
		    i > 0 ? ", " : "", words[i]);
}

static void
explain_root(const struct conf *c, struct conf_notes *n)
{
	bool outside = false, loopback;
	char text[512];

	join(text, sizeof(text), c->listen, c->nlisten);
	for (size_t i = 0; i < c->nlisten; i++)
		if (listen_valid(c->listen[i], &loopback) && !loopback)
			outside = true;
	notes_add(n, CONF_MEANING, 0,
	    _("Clients connect to %s; %u gate processes serve at most %u of them."),
	    text, c->workers, c->max_clients);
	notes_add(n, CONF_MEANING, 0, _("The ledger is kept in %s/ledger."), c->state);
	if (outside && c->tls_cert == NULL)
		notes_add(n, CONF_WARNING, 0,
		    _("The gate listens beyond this machine without tls_cert: passwords "
		    "are safe (SCRAM), the data is not."));
	else if (outside && !c->tls_required)
		notes_add(n, CONF_WARNING, 0,
		    _("tls_required is not set: a client may still connect without TLS."));
	if (c->password_max_age_days == 0)
		notes_add(n, CONF_WARNING, 0,
		    _("Passwords of actors never expire (password_max_age_days = 0)."));
}

static bool
is_local(const struct conf_upstream *u)
{
	const char *h = u->hostaddr != NULL ? u->hostaddr : u->host;

	return h[0] == '/' || h[0] == '@' || strcmp(h, "localhost") == 0 ||
	    strcmp(h, "::1") == 0 || strncmp(h, "127.", 4) == 0;
}

static void
explain_open(const struct conf_table *t, struct conf_notes *n)
{
	if (t->declared_by == NULL || t->since == NULL)
		notes_add(n, CONF_WARNING, t->line,
		    _("Table %s.%s is declared open without saying by whom and since "
		    "when (declared_by, since)."), t->schema, t->name);
	notes_add(n, CONF_MEANING, t->line,
	    _("Table %s.%s is declared free of personal data: nothing of it is "
	    "counted."), t->schema, t->name);
}

static void
explain_personal(const struct conf_table *t, struct conf_notes *n)
{
	char text[512];

	join(text, sizeof(text), t->personal, t->npersonal);
	if (t->subject_of != NULL)
		notes_add(n, CONF_MEANING, t->line,
		    _("Table %s.%s: column %s says whose data a row is, the same people "
		    "as in %s; personal: %s."),
		    t->schema, t->name, t->subject, t->subject_of, text);
	else
		notes_add(n, CONF_MEANING, t->line,
		    _("Table %s.%s: column %s says whose data a row is; personal: %s."),
		    t->schema, t->name, t->subject, text);
}

static void
explain_database(const struct conf_database *d, struct conf_notes *n)
{
	const struct conf_upstream *u = &d->upstream;

	if (!is_local(u) && strcmp(u->sslmode, "require") != 0 &&
	    strncmp(u->sslmode, "verify", 6) != 0)
		notes_add(n, CONF_WARNING, d->line,
		    _("Database %s is reached over the network without certain TLS "
		    "(sslmode=%s); use sslmode=verify-full."), d->name, u->sslmode);
	else if (!is_local(u) && strcmp(u->sslmode, "require") == 0)
		notes_add(n, CONF_WARNING, d->line,
		    _("Database %s: sslmode=require does not check who answers; use "
		    "sslmode=verify-full."), d->name);
	if (d->unprotected) {
		notes_add(n, CONF_MEANING, d->line,
		    _("Database %s is declared free of personal data: its statements "
		    "are logged and pass, whatever they are."), d->name);
		if (d->declared_by == NULL || d->since == NULL)
			notes_add(n, CONF_WARNING, d->line,
			    _("Database %s is declared free of personal data without "
			    "saying by whom and since when (declared_by, since)."),
			    d->name);
		return;
	}
	notes_add(n, CONF_MEANING, d->line,
	    _("Database %s is protected: data of a table that is not mentioned here "
	    "is charged as personal."), d->name);
	if (d->ntables == 0)
		notes_add(n, CONF_WARNING, d->line,
		    _("Database %s has no table section: everything in it counts as "
		    "uncovered."), d->name);
	for (size_t i = 0; i < d->ntables; i++) {
		if (d->tables[i].open)
			explain_open(&d->tables[i], n);
		else
			explain_personal(&d->tables[i], n);
	}
	for (size_t i = 0; i < d->nfunctions; i++)
		notes_add(n, CONF_MEANING, d->functions[i].line,
		    d->functions[i].open ?
		    _("Function %s.%s may be called; its result counts as free of "
		    "personal data.") :
		    _("Function %s.%s may be called; what it returns is charged by "
		    "bytes."), d->functions[i].schema, d->functions[i].name);
}

static void
explain_limit(const struct conf_role *r, enum conf_window w, struct conf_notes *n)
{
	unsigned long long v = r->limit[w];

	if (r->limit[w] == CONF_NO_LIMIT)
		return;
	switch (w) {
	case WINDOW_DAY:
		notes_add(n, CONF_MEANING, r->line,
		    _("Role %s: at most %llu people a day."), r->name, v);
		break;
	case WINDOW_30DAYS:
		notes_add(n, CONF_MEANING, r->line,
		    _("Role %s: at most %llu people in 30 days."), r->name, v);
		break;
	case WINDOW_YEAR:
		notes_add(n, CONF_MEANING, r->line,
		    _("Role %s: at most %llu people a year."), r->name, v);
		break;
	default:
		notes_add(n, CONF_MEANING, r->line,
		    _("Role %s: at most %llu people ever."), r->name, v);
	}
}

static void
explain_role(const struct conf *c, const struct conf_role *r, struct conf_notes *n)
{
	static const char *const windows[WINDOW_COUNT] = {
		N_("a day"), N_("in 30 days"), N_("a year"), N_("ever")};
	uint64_t longest = 0;
	bool limited = false, personal = false;
	char text[512];

	join(text, sizeof(text), r->databases, r->ndatabases);
	notes_add(n, CONF_MEANING, r->line, _("Role %s may use: %s."), r->name, text);
	for (size_t i = 0; i < r->ndatabases; i++)
		personal |= !conf_database(c, r->databases[i])->unprotected;
	for (int w = WINDOW_DAY; w < WINDOW_COUNT; w++) {
		explain_limit(r, (enum conf_window)w, n);
		if (r->limit[w] == CONF_NO_LIMIT)
			continue;
		limited = true;
		if (r->limit[w] < longest)
			notes_add(n, CONF_WARNING, r->line,
			    _("Role %s: the limit %s is below a limit of a shorter "
			    "time, which has no effect."), r->name, _(windows[w]));
		else
			longest = r->limit[w];
	}
	if (!limited && personal)
		notes_add(n, CONF_WARNING, r->line,
		    _("Role %s has no limit: one actor can take every person's data."),
		    r->name);
	if (r->on_excess == EXCESS_OBSERVE)
		notes_add(n, CONF_WARNING, r->line,
		    _("Role %s only observes: nothing is stopped at a limit, an alert "
		    "is sealed."), r->name);
	else if (r->on_excess == EXCESS_HOLD)
		notes_add(n, CONF_MEANING, r->line,
		    _("Role %s: at a limit the statement is held until a supervisor "
		    "grants it."), r->name);
	else
		notes_add(n, CONF_MEANING, r->line,
		    _("Role %s: at a limit the result is cut at that row, with an "
		    "error."), r->name);
	if (r->ddl_allowed)
		notes_add(n, CONF_WARNING, r->line,
		    _("Role %s may change the definitions of covered tables (ddl)."),
		    r->name);
	if (limited && r->contact == NULL)
		notes_add(n, CONF_WARNING, r->line,
		    _("Role %s: contact is not set; the error at a limit cannot say "
		    "whom to ask."), r->name);
}

void
conf_explain(const struct conf *c, struct conf_notes *notes)
{
	*notes = (struct conf_notes){0};
	explain_root(c, notes);
	for (size_t i = 0; i < c->ndatabases; i++) {
		bool used = false;

		explain_database(&c->databases[i], notes);
		for (size_t j = 0; j < c->nroles; j++)
			used |= conf_role_may(&c->roles[j], c->databases[i].name);
		if (!used)
			notes_add(notes, CONF_WARNING, c->databases[i].line,
			    _("No role may use database %s."), c->databases[i].name);
	}
	for (size_t i = 0; i < c->nroles; i++)
		explain_role(c, &c->roles[i], notes);
}
