/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libpq's password file: lines host:port:database:user:password, '*' matches
 * anything, '\' quotes the next character, '#' begins a comment line. Like libpq
 * it is ignored when others than its owner may read it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/say.h"
#include "proc/ledger/server.h"

enum { LINE_MAX_BYTES = 4096 };

/* Does the field at *p match? Moves *p past it and its colon. */
static bool
field(const char **p, const char *want)
{
	bool same = true, star = (*p)[0] == '*' && (*p)[1] == ':';

	for (; **p && **p != ':'; ++*p) {
		if (**p == '\\' && (*p)[1] != 0)
			++*p;
		if (*want == 0 || *want != **p)
			same = false;
		else
			want++;
	}
	if (**p != ':')
		return false;
	++*p;
	return star || (same && *want == 0);
}

static char *
unquote(const char *p)
{
	char *out = malloc(strlen(p) + 1), *o = out;

	must(out != NULL);
	for (; *p; p++) {
		if (*p == '\\' && p[1] != 0)
			p++;
		*o++ = *p;
	}
	*o = 0;
	return out;
}

char *
passfile_find(const char *path, const struct conf_upstream *u)
{
	const char *host = u->host ? u->host : u->hostaddr;
	char line[LINE_MAX_BYTES], *found = NULL;
	struct stat st;
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		say_warn("passfile %s: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 077) != 0) {
		say_warn("passfile %s is not used: it must be a file that only its "
		    "owner can read", path);
		fclose(f);
		return NULL;
	}
	/* Over a Unix socket libpq looks for localhost. */
	if (host == NULL || host[0] == '/')
		host = "localhost";
	while (found == NULL && fgets(line, sizeof(line), f) != NULL) {
		const char *p = line;

		line[strcspn(line, "\r\n")] = 0;
		if (line[0] != '#' && field(&p, host) &&
		    field(&p, u->port ? u->port : "5432") &&
		    field(&p, u->dbname ? u->dbname : u->user ? u->user : "") &&
		    field(&p, u->user ? u->user : ""))
			found = unquote(p);
	}
	explicit_bzero(line, sizeof(line));
	fclose(f);
	return found;
}
