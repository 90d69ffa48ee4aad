/* SPDX-License-Identifier: Apache-2.0 */
/* STATE/control.sock: one JSON object a line, one answer a line. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/say.h"
#include "proc/ledger/ops.h"
#include "proc/ledger/server.h"

/* root, ourselves, or the owner of the state directory. */
static bool
peer_allowed(const struct server *s, int fd, uint32_t *uid)
{
	struct ucred u;
	socklen_t len = sizeof(u);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len) != 0)
		return false;
	*uid = u.uid;
	return u.uid == 0 || u.uid == geteuid() || u.uid == s->owner;
}

void
control_open(struct server *s, int fd)
{
	uint32_t uid;

	if (!peer_allowed(s, fd, &uid)) {
		say_warn("control socket: a process of another user was refused");
		close(fd);
		return;
	}
	for (size_t i = 0; i < CONTROLS_MAX; i++) {
		struct control *c = &s->controls[i];

		if (c->fd >= 0)
			continue;
		*c = (struct control){.fd = fd, .uid = uid};
		buf_init(&c->in, CONTROL_IN_MAX);
		buf_init(&c->out, CONTROL_OUT_MAX);
		return;
	}
	close(fd);
}

void
control_close(struct control *c)
{
	if (c->in.data != NULL)
		sodium_memzero(c->in.data, c->in.cap);
	buf_fini(&c->in);
	buf_fini(&c->out);
	close(c->fd);
	c->fd = -1;
}

/* --- status ------------------------------------------------------------- */

static json_t *
session_rows(struct server *s)
{
	json_t *rows = json_array();

	for (struct session *x = s->sessions; x != NULL; x = x->next) {
		char since[28];

		if (x->phase != SESSION_LIVE)
			continue;
		clock_rfc3339(since, x->since_us);
		json_array_append_new(rows, json_pack(
		    "{s:I, s:s, s:s, s:s, s:s, s:b, s:s, s:I, s:I, s:s}",
		    "session", (json_int_t)x->number, "actor", x->name,
		    "role", s->conf->roles[x->role].name,
		    "database", s->conf->databases[x->database].name,
		    "address", x->address, "tls", x->tls, "since", since,
		    "statements", (json_int_t)x->requests,
		    "rows", (json_int_t)x->rows, "gate", x->worker->gate));
	}
	return rows;
}

/* What gates met in a database that the configuration does not name still. */
static json_t *
uncovered_names(const struct server *s, const struct conf_database *d)
{
	json_t *names = json_array();
	struct slice key;

	for (size_t i = 0; map_each(&s->book.uncovered, &i, &key, NULL);) {
		size_t n = strlen((const char *)key.p) + 1;
		char hash[BOOK_TABLE_HASH];
		struct slice object = {key.p + n, key.len - n};

		if (strcmp((const char *)key.p, d->name) != 0)
			continue;
		book_table_hash(hash, d, object);
		if (hash[0] == 0)
			json_array_append_new(names, json_stringn(
			    (const char *)object.p, object.len));
	}
	return names;
}

/* What the configuration declares, and what was seen outside of it (L7). */
static json_t *
coverage_rows(const struct server *s)
{
	const struct conf *c = s->conf;
	json_t *rows = json_array();

	for (size_t i = 0; i < c->ndatabases; i++) {
		const struct conf_database *d = &c->databases[i];
		int personal = 0, open = 0;

		for (size_t k = 0; k < d->ntables; k++) {
			personal += !d->tables[k].open;
			open += d->tables[k].open;
		}
		json_array_append_new(rows, json_pack(
		    "{s:s, s:b, s:i, s:i, s:o, s:s?, s:s?}", "database", d->name,
		    "protected", !d->unprotected, "personal_tables", personal,
		    "open_tables", open, "uncovered", uncovered_names(s, d),
		    "declared_by", d->declared_by,
		    "since", d->since));
	}
	return rows;
}

static json_t *
status(struct server *s)
{
	json_t *budgets = json_array();
	char now[28];
	int64_t t = book_now(&s->book);
	unsigned workers = 0;

	for (size_t i = 0; i < WORKERS_MAX; i++)
		workers += s->workers[i].fd >= 0 && s->workers[i].hello;
	clock_rfc3339(now, t);
	ops_budget_rows(budgets, s->conf, s->book.meter, s->book.actors, NULL,
	    clock_day(t));
	return json_pack("{s:b, s:s, s:s, s:i, s:o, s:o, s:o, s:{s:I, s:I, s:b, s:I},"
	    " s:{s:I, s:I}}", "ok", 1, "version", KURABAN_VERSION, "time", now,
	    "workers", (int)workers, "sessions", session_rows(s),
	    "budgets", budgets, "coverage", coverage_rows(s), "ledger",
	    "entries", (json_int_t)ledger_size(s->book.ledger),
	    "free_bytes", (json_int_t)ledger_free_bytes(s->book.ledger),
	    "releasing", s->fatal == ERR_OK && !s->low,
	    "dropped", (json_int_t)s->book.dropped, "meter",
	    "pairs", (json_int_t)meter_pairs(s->book.meter),
	    "bytes", (json_int_t)meter_bytes(s->book.meter));
}

/* --- requests ----------------------------------------------------------- */

static json_t *
run(struct server *s, const struct control *c, json_t *q)
{
	const char *what = json_string_value(json_object_get(q, "do"));
	const char *claimed = json_string_value(json_object_get(q, "login"));
	const char *killed = NULL;
	struct ops_who who = {c->uid, server_login(s, c->uid),
	    claimed && actor_name_ok(claimed) ? claimed : ""};
	json_t *o;

	if (what == NULL)
		return ops_error("usage", "\"do\" is missing");
	if (strcmp(what, "status") == 0)
		return status(s);
	if (strcmp(what, "stop") == 0) {
		s->stopping = true;
		server_entry(s, book_policy(&s->book, "stop", who.login, NULL, 0));
		return json_pack("{s:b}", "ok", 1);
	}
	o = ops_run(&s->book, q, &who, &killed);
	if (killed != NULL)
		sessions_kill_actor(s, killed);
	if (o != NULL && strcmp(what, "checkpoint") == 0) {
		const char *code = json_string_value(json_object_get(o, "code"));

		if (code != NULL && strcmp(code, "broken") == 0)
			s->fatal = ERR_BROKEN;
	}
	return o ? o : ops_error("usage", "unknown request");
}

static void
answer(struct control *c, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	buf_str(&c->out, text ? text : "{\"ok\":false,\"error\":\"out of memory\"}");
	buf_str(&c->out, "\n");
	free(text);
	json_decref(o);
	if (c->out.bad)
		c->closing = true;
}

void
control_handle(struct server *s, struct control *c)
{
	while (!c->closing) {
		const uint8_t *p = buf_head(&c->in);
		size_t n = buf_used(&c->in);
		const uint8_t *lf = n ? memchr(p, '\n', n) : NULL;
		json_t *q;

		if (lf == NULL) {
			c->closing = n == CONTROL_IN_MAX;
			return;
		}
		q = json_loadb((const char *)p, (size_t)(lf - p),
		    JSON_REJECT_DUPLICATES, NULL);
		answer(c, json_is_object(q) ? run(s, c, q) :
		    ops_error("usage", "not a JSON object"));
		json_decref(q);
		sodium_memzero(buf_head(&c->in), (size_t)(lf - p) + 1);
		buf_drop(&c->in, (size_t)(lf - p) + 1);
	}
}
