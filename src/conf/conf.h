/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration, kuraban.conf, in libconfuse syntax (docs/manual: generated
 * from conf.tbl.h). conf_load() is the only way in; unknown keys and bad values
 * are errors with file and line. Everything in struct conf is owned by it.
 *
 * Called by: the parent, every verb. The gate and the ledger get it as text
 * from the parent (conf_parse), because they cannot open files.
 */
#ifndef KB_CONF_CONF_H
#define KB_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum conf_excess { EXCESS_REFUSE, EXCESS_HOLD, EXCESS_OBSERVE };

/* The budget windows, in the order of struct conf_role.limit. */
enum conf_window { WINDOW_DAY, WINDOW_30DAYS, WINDOW_YEAR, WINDOW_EVER, WINDOW_COUNT };
extern const char *const conf_window_name[WINDOW_COUNT]; /* "day","30days","year","ever" */

struct conf_table {
	char *schema, *name;	/* "public.customers"; no dot means public */
	char *subject;		/* the subject key column; NULL: none */
	char *subject_of;	/* "public.customers": same people as there; NULL: own */
	char **personal;	/* column names */
	size_t npersonal;
	bool open;		/* declared free of personal data */
	char *declared_by, *since;	/* who declared it open, when; or NULL */
	int line;
};

/* A function of the user's own that statements may call. */
struct conf_function {
	char *schema, *name;
	bool open;		/* true: releases no personal data; false: output charged by bytes */
	int line;
};

struct conf_upstream {		/* parsed libpq keywords */
	char *host, *hostaddr, *port, *dbname, *user, *password;
	char *sslmode, *sslrootcert, *sslcert, *sslkey;
	char *options, *connect_timeout, *passfile;
};

struct conf_database {
	char *name;
	char *engine;
	char *upstream_text;	/* as written, for messages: never print it */
	struct conf_upstream upstream;
	bool unprotected;	/* personal = "none" */
	char *declared_by, *since;
	struct conf_table *tables;
	size_t ntables;
	struct conf_function *functions;
	size_t nfunctions;
	int line;
};

#define CONF_NO_LIMIT UINT64_MAX

struct conf_role {
	char *name;
	char **databases;
	size_t ndatabases;
	uint64_t limit[WINDOW_COUNT];	/* CONF_NO_LIMIT when missing */
	enum conf_excess on_excess;
	bool ddl_allowed;	/* ddl = "allow": may change definitions of covered objects */
	char *contact;		/* how to ask for a grant; shown in KB001; or NULL */
	int line;
};

struct conf {
	char *file;
	char **listen;		/* "127.0.0.1:6432", "[::1]:6432" */
	size_t nlisten;
	char *state;
	char *origin;		/* ledger's origin / key name; default "kuraban.local/" hostname */
	char *tls_cert, *tls_key;
	bool tls_required;
	unsigned workers;	/* gate processes; default 1 per CPU, at most 8 */
	unsigned login_timeout_s;	/* default 60 */
	unsigned max_clients;
	char *language;		/* "en" or "ja": of messages to clients; default from LANG */
	char *user_gate, *user_ledger;	/* run-as users when started as root; NULL: built-in ids */
	unsigned password_min_length;	/* default 12 */
	unsigned password_max_age_days;	/* 0: never expires; default 180 */
	unsigned lockout_failures;	/* default 10 */
	unsigned lockout_minutes;	/* default 15 */
	unsigned ledger_low_water_mb;	/* stop releasing below this free space; default 256 */
	struct conf_database *databases;
	size_t ndatabases;
	struct conf_role *roles;
	size_t nroles;
};

/* A message about the configuration. text is translated, one sentence. */
struct conf_note {
	enum { CONF_ERROR, CONF_WARNING, CONF_MEANING } level;
	int line;		/* 0: the whole file */
	char *text;
};

struct conf_notes {
	struct conf_note *v;
	size_t n;
};

/*
 * Reads and validates FILE. On ERR_CONFIG (or ERR_IO) *out is NULL and notes
 * say what, where and what is expected. notes is init'ed by the call; free it
 * with conf_notes_fini in both cases.
 */
enum err conf_load(struct conf **out, const char *file, struct conf_notes *notes);
/* The same from text; `file` only names it in messages. */
enum err conf_parse(struct conf **out, const char *file, const char *text,
    struct conf_notes *notes);
void conf_free(struct conf *c);
void conf_notes_fini(struct conf_notes *n);

/*
 * What the file means and what it leaves open, in plain words (kuraban check).
 * notes is init'ed by the call.
 */
void conf_explain(const struct conf *c, struct conf_notes *notes);

/* NULL when there is none. The index is stable: position in the file. */
const struct conf_database *conf_database(const struct conf *c, const char *name);
const struct conf_role *conf_role(const struct conf *c, const char *name);
bool conf_role_may(const struct conf_role *r, const char *database);

/* -c FILE, else $KURABAN_CONF, ./kuraban.conf, /etc/kuraban/kuraban.conf. */
const char *conf_find(const char *option_c);

#endif
