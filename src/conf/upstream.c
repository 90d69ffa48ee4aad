/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/parts.h"

#include <libintl.h>
#include <stdlib.h>
#include <string.h>

#define _(s) gettext(s)
#define N_(s) s

static const struct {
	const char *name;
	size_t offset;
} supported[] = {
#define KEY(k) {#k, offsetof(struct conf_upstream, k)}
	KEY(host), KEY(hostaddr), KEY(port), KEY(dbname), KEY(user),
	KEY(password), KEY(sslmode), KEY(sslrootcert), KEY(sslcert),
	KEY(sslkey), KEY(options), KEY(connect_timeout), KEY(passfile),
#undef KEY
};

/* libpq's other keywords, and what to do instead. */
static const struct {
	const char *name, *instead;
} unsupported[] = {
	{"service", N_("write the service's own keywords here")},
	{"servicefile", N_("write the service's own keywords here")},
	{"application_name", N_("leave it out; the client's own is used")},
	{"fallback_application_name", N_("leave it out; the client's own is used")},
	{"client_encoding", N_("leave it out; the client's own is used")},
	{"replication", N_("leave it out; replication does not go through the gate")},
	{"target_session_attrs", N_("name one server; use one database section a server")},
	{"load_balance_hosts", N_("name one server; use one database section a server")},
	{"channel_binding", N_("leave it out; it is used whenever the server offers it")},
	{"requiressl", N_("use sslmode=require")},
	{"sslpassword", N_("use a key file without a passphrase, readable by the gate only")},
	{"sslcrl", N_("use sslrootcert with a CA of your own")},
	{"sslcrldir", N_("use sslrootcert with a CA of your own")},
	{"krbsrvname", N_("use a password or a client certificate")},
	{"gssencmode", N_("use sslmode")},
	{"gsslib", N_("use a password or a client certificate")},
	{"gssdelegation", N_("use a password or a client certificate")},
	{"require_auth", N_("leave it out; set the method in the server's pg_hba.conf")},
};

void
upstream_fini(struct conf_upstream *u)
{
	for (size_t i = 0; i < sizeof(supported) / sizeof(*supported); i++)
		free(*(char **)((char *)u + supported[i].offset));
	*u = (struct conf_upstream){0};
}

static void
blame(const char *name, int line, struct conf_notes *notes)
{
	const char *words[sizeof(supported) / sizeof(*supported) + 1] = {0}, *near;

	for (size_t i = 0; i < sizeof(unsupported) / sizeof(*unsupported); i++)
		if (strcmp(unsupported[i].name, name) == 0) {
			notes_add(notes, CONF_ERROR, line,
			    _("upstream: %s is not supported; %s"), name,
			    _(unsupported[i].instead));
			return;
		}
	for (size_t i = 0; i < sizeof(supported) / sizeof(*supported); i++)
		words[i] = supported[i].name;
	if ((near = word_nearest(name, words)) != NULL)
		notes_add(notes, CONF_ERROR, line,
		    _("upstream: unknown keyword %s; is it %s?"), name, near);
	else
		notes_add(notes, CONF_ERROR, line,
		    _("upstream: unknown keyword %s; expected: %s"), name,
		    "host hostaddr port dbname user password passfile sslmode "
		    "sslrootcert sslcert sslkey options connect_timeout");
}

static bool
space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * One value: bare up to a space, or in single quotes; a backslash takes the next
 * character as it is. out has room for it. NULL: the quote does not end.
 */
static const char *
value(const char *p, char *out)
{
	bool quote = *p == '\'';

	p += quote;
	while (*p != '\0' && (quote ? *p != '\'' : !space(*p))) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		*out++ = *p++;
	}
	*out = '\0';
	if (quote && *p != '\'')
		return NULL;
	return p + quote;
}

static bool
number_in(const char *s, long low, long high)
{
	char *end;
	long n = strtol(s, &end, 10);

	return *s >= '0' && *s <= '9' && *end == '\0' && n >= low && n <= high;
}

static void
validate(struct conf_upstream *u, int line, struct conf_notes *notes)
{
	static const char *const modes[] = {"disable", "allow", "prefer",
		"require", "verify-ca", "verify-full", NULL};
	size_t i;

	if (u->host == NULL && u->hostaddr == NULL)
		notes_add(notes, CONF_ERROR, line,
		    _("upstream: host= is missing; name the database server"));
	if (u->dbname == NULL)
		notes_add(notes, CONF_ERROR, line,
		    _("upstream: dbname= is missing; name the database"));
	if (u->user == NULL)
		notes_add(notes, CONF_ERROR, line,
		    _("upstream: user= is missing; name the gate's own database user"));
	if ((u->host != NULL && strchr(u->host, ',') != NULL) ||
	    (u->hostaddr != NULL && strchr(u->hostaddr, ',') != NULL))
		notes_add(notes, CONF_ERROR, line,
		    _("upstream: more than one host; use one database section a server"));
	if (u->port != NULL && !number_in(u->port, 1, 65535))
		notes_add(notes, CONF_ERROR, line,
		    _("upstream: port=%s; expected a number from 1 to 65535"), u->port);
	if (u->connect_timeout != NULL && !number_in(u->connect_timeout, 0, 86400))
		notes_add(notes, CONF_ERROR, line,
		    _("upstream: connect_timeout=%s; expected seconds from 0 to 86400"),
		    u->connect_timeout);
	if (u->sslmode != NULL) {
		for (i = 0; modes[i] != NULL; i++)
			if (strcmp(modes[i], u->sslmode) == 0)
				break;
		if (modes[i] == NULL)
			notes_add(notes, CONF_ERROR, line,
			    _("upstream: sslmode=%s; expected disable, allow, prefer, "
			    "require, verify-ca or verify-full"), u->sslmode);
		else if (i >= 4 && u->sslrootcert == NULL)
			notes_add(notes, CONF_ERROR, line,
			    _("upstream: sslmode=%s needs sslrootcert= with the CA's "
			    "certificate"), u->sslmode);
	}
	if ((u->sslcert == NULL) != (u->sslkey == NULL))
		notes_add(notes, CONF_ERROR, line,
		    _("upstream: sslcert and sslkey belong together"));
}

bool
upstream_parse(struct conf_upstream *u, const char *text, int line,
    struct conf_notes *notes)
{
	size_t before = notes->n, i, len = strlen(text);
	char *name = malloc(len + 1), *word = malloc(len + 1), **field;
	const char *p = text;

	*u = (struct conf_upstream){0};
	must(name != NULL && word != NULL);
	if (strstr(text, "://") != NULL && strncmp(text, "postgres", 8) == 0) {
		notes_add(notes, CONF_ERROR, line,
		    _("upstream: a URI is not supported; write keywords: "
		    "\"host=... port=5432 dbname=... user=...\""));
		goto out;
	}
	for (;;) {
		while (space(*p))
			p++;
		if (*p == '\0')
			break;
		len = strcspn(p, "= \t\r\n");
		memcpy(name, p, len);
		name[len] = '\0';
		for (p += len; space(*p); p++)
			;
		if (*p != '=' || len == 0) {
			notes_add(notes, CONF_ERROR, line,
			    _("upstream: \"=\" is missing after \"%s\"; values with "
			    "spaces need single quotes"), name);
			goto out;
		}
		for (p++; space(*p); p++)
			;
		if ((p = value(p, word)) == NULL) {
			notes_add(notes, CONF_ERROR, line,
			    _("upstream: the quote of %s never ends"), name);
			goto out;
		}
		for (i = 0; i < sizeof(supported) / sizeof(*supported); i++)
			if (strcmp(supported[i].name, name) == 0)
				break;
		if (i == sizeof(supported) / sizeof(*supported)) {
			blame(name, line, notes);
			continue;
		}
		field = (char **)((char *)u + supported[i].offset);
		if (*field != NULL) {
			notes_add(notes, CONF_ERROR, line,
			    _("upstream: %s is given twice"), name);
			continue;
		}
		/* As libpq: an empty value is the same as none. */
		if (*word != '\0')
			must((*field = strdup(word)) != NULL);
	}
	validate(u, line, notes);
	if (u->port == NULL)
		must((u->port = strdup("5432")) != NULL);
	if (u->sslmode == NULL)
		must((u->sslmode = strdup("prefer")) != NULL);
out:
	free(name);
	free(word);
	return notes->n == before;
}
