/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/state.h"

#include <errno.h>
#include <libintl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "actor/actor.h"
#include "os/sandbox.h"
#include "proc/ledger/ops.h"
#include "proc/users.h"

#define _(s) gettext(s)
#define N_(s) s

enum { ANSWER_SECONDS = 120, ANSWER_MAX = 64 << 20 };

/* --- the running server ------------------------------------------------- */

static int
control_connect(const struct conf *c)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	int fd, saved;

	if (snprintf(un.sun_path, sizeof(un.sun_path), "%s/control.sock",
	    c->state) >= (int)sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static bool
request_send(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0;
	bool ok = text != NULL && send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n &&
	    send(fd, "\n", 1, MSG_NOSIGNAL) == 1;

	if (text != NULL)
		sodium_memzero(text, n);
	free(text);
	return ok;
}

static json_t *
answer_read(int fd)
{
	struct buf b;
	json_t *o = NULL;

	buf_init(&b, ANSWER_MAX);
	for (;;) {
		uint8_t *p = buf_room(&b, 65536);
		ssize_t n = p ? recv(fd, p, 65536, 0) : -1;

		if (n <= 0)
			break;
		buf_added(&b, (size_t)n);
		if (memchr(p, '\n', (size_t)n) == NULL)
			continue;
		o = json_loadb((char *)buf_head(&b), buf_used(&b), 0, NULL);
		break;
	}
	buf_fini(&b);
	return o;
}

json_t *
state_ask(const char *verb, const struct conf *c, json_t *request, int *status)
{
	const char *sudo = getenv("SUDO_USER");
	json_t *o = NULL;
	int fd = control_connect(c);

	*status = STATUS_DONE;
	if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
		return NULL;
	*status = STATUS_REFUSED;
	if (fd < 0) {
		fprintf(stderr, "kuraban %s: %s/control.sock: %s\n", verb, c->state,
		    strerror(errno));
		if (errno == EACCES)
			fprintf(stderr, "%s\n",
			    _("Only root and the ledger's user may do this; use sudo."));
		return NULL;
	}
	if (sudo != NULL)
		json_object_set_new(request, "login", json_string(sudo));
	if (!request_send(fd, request) || (o = answer_read(fd)) == NULL)
		fprintf(stderr, "kuraban %s: %s\n", verb,
		    _("the server did not answer; only root and the ledger's user are "
		    "answered"));
	close(fd);
	return o;
}

/* --- the files ---------------------------------------------------------- */

static bool
make_parents(char *path)
{
	for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = 0;
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return false;
		*at = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/*
 * Makes the state directory as the server would, and becomes its user: what root
 * leaves behind there the server could not write.
 */
static bool
state_enter(const char *verb, const struct conf *c)
{
	const char *why = NULL;
	char *path = strdup(c->state);
	uid_t uid = geteuid();
	gid_t gid = getegid();
	bool ok;

	must(path != NULL);
	ok = geteuid() != 0 || users_lookup(c->user_ledger, USERS_LEDGER, &uid, &gid,
	    &why);
	if (ok && !make_parents(path)) {
		why = strerror(errno);
		ok = false;
	}
	if (ok && geteuid() == 0) {
		if (chown(c->state, uid, gid) != 0) {
			why = strerror(errno);
			ok = false;
		} else {
			ok = sandbox_user(uid, gid, &why);
		}
	}
	free(path);
	if (!ok)
		fprintf(stderr, "kuraban %s: %s: %s\n", verb, c->state,
		    why ? why : "");
	return ok;
}

static json_t *
book_do(struct book *b, json_t *request, const struct ops_who *who,
    enum err *err)
{
	const char *killed;
	json_t *o;

	if ((*err = book_start(b, b->conf_hash, 0)) != ERR_OK)
		return NULL;
	o = ops_run(b, request, who, &killed);
	*err = book_stop(b, "verb");
	if (*err == ERR_OK)
		*err = ledger_commit(b->ledger);
	if (*err != ERR_OK) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *
open_failed(const char *verb, enum err err, const char *why, int *status)
{
	fprintf(stderr, "kuraban %s: %s\n", verb, why);
	if (err == ERR_DENIED)
		fprintf(stderr, "%s\n",
		    _("Only root and the ledger's user may do this; use sudo."));
	*status = err == ERR_BROKEN ? STATUS_BROKEN : STATUS_REFUSED;
	return NULL;
}

/* What only reads needs no lock and leaves no trace. */
static json_t *
state_view(const char *verb, const struct conf *c, json_t *request, int *status)
{
	const struct ops_who who = {getuid(), "", ""};
	const char *killed;
	char why[256];
	struct book b;
	json_t *o;
	enum err err = book_view(&b, c, c->state, NULL, why, sizeof(why));

	if (err != ERR_OK)
		return open_failed(verb, err, why, status);
	o = ops_run(&b, request, &who, &killed);
	book_close(&b);
	return o;
}

static json_t *
state_do(const char *verb, const struct conf *c, json_t *request, int *status)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *p = getpwuid(getuid());
	char login[ACTOR_NAME_MAX + 1] = "", why[256];
	struct ops_who who = {getuid(), login, ""};
	struct book b;
	json_t *o = NULL;
	enum err err;

	if (p != NULL)
		snprintf(login, sizeof(login), "%s", p->pw_name);
	if (sudo != NULL && actor_name_ok(sudo))
		who.claimed = sudo;
	*status = STATUS_REFUSED;
	tzset();
	if (!state_enter(verb, c))
		return NULL;
	if ((err = book_open(&b, c, c->state, NULL, why, sizeof(why))) == ERR_OK) {
		o = book_do(&b, request, &who, &err);
		if (book_close(&b) != ERR_OK && err == ERR_OK)
			err = ERR_IO;
		if (err == ERR_OK)
			return o;
		json_decref(o);
		snprintf(why, sizeof(why), "%s", c->state);
		*status = cli_fail(verb, err, why);
		return NULL;
	}
	return open_failed(verb, err, why, status);
}

json_t *
state_run(const char *verb, const struct conf *c, json_t *request, int *status)
{
	const char *what = json_string_value(json_object_get(request, "do"));
	bool reads = strcmp(what, "actor-list") == 0 ||
	    strcmp(what, "budget") == 0;
	json_t *o = state_ask(verb, c, request, status);

	if (o == NULL && *status == STATUS_DONE)
		o = reads ? state_view(verb, c, request, status) :
		    state_do(verb, c, request, status);
	json_decref(request);
	if (o == NULL)
		return NULL;
	if (json_is_true(json_object_get(o, "ok"))) {
		*status = STATUS_DONE;
		return o;
	}
	*status = state_refused(verb, o);
	json_decref(o);
	return NULL;
}

/* --- texts -------------------------------------------------------------- */

static const struct {
	const char *code, *text;
} refusals[] = {
	{"exists", N_("there is an actor of this name already")},
	{"not-found", N_("there is no such actor")},
	{"name", N_("this cannot be an actor's name")},
	{"role", N_("there is no such role in the configuration")},
	{"password-short", N_("the password is too short")},
	{"password-long", N_("the password is too long")},
	{"password-name", N_("the password is little more than the actor's name")},
	{"password-repeats", N_("the password has too few different characters")},
	{"password-chars",
	    N_("the password has characters other than printable ASCII")},
	{"password-same", N_("this is the password already")},
};

int
state_refused(const char *verb, json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));
	const char *text = json_string_value(json_object_get(answer, "error"));
	json_int_t min = json_integer_value(json_object_get(answer, "min"));

	for (size_t i = 0; code && i < sizeof(refusals) / sizeof(*refusals); i++)
		if (strcmp(refusals[i].code, code) == 0)
			text = _(refusals[i].text);
	fprintf(stderr, "kuraban %s: %s", verb, text ? _(text) : "?");
	if (min > 0)
		fprintf(stderr, _(" (at least %lld characters)"), (long long)min);
	fputc('\n', stderr);
	return code != NULL && strcmp(code, "broken") == 0 ? STATUS_BROKEN :
	    STATUS_REFUSED;
}

void
rows_json(json_t *rows)
{
	json_t *o;
	size_t i;

	json_array_foreach(rows, i, o) {
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
	}
}

int
state_time(const char *text, int64_t *us)
{
	struct tm tm = {.tm_isdst = -1};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	long long micro = 0;

	if (end != NULL) {
		if (*end == '.' && sscanf(end + 1, "%6lld", &micro) != 1)
			return false;
		*us = (int64_t)timegm(&tm) * 1000000 + micro;
		return end[strspn(end, ".0123456789")] == 'Z';
	}
	tm = (struct tm){.tm_isdst = -1};
	end = strptime(text, "%Y-%m-%d", &tm);
	if (end == NULL || *end != 0)
		return false;
	*us = (int64_t)mktime(&tm) * 1000000;
	return true;
}

void
time_local(char out[32], const char *rfc3339)
{
	int64_t us;
	time_t t;
	struct tm tm;

	snprintf(out, 32, "%s", rfc3339 ? rfc3339 : "-");
	if (rfc3339 == NULL || !state_time(rfc3339, &us))
		return;
	t = (time_t)(us / 1000000);
	localtime_r(&t, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
}
