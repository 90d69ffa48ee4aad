/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of one gate worker: framing, phases, what is not about a session. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/say.h"
#include "proc/ledger/server.h"

enum { TABLE_COLUMNS_MAX = 1700 };	/* PostgreSQL: 1,600 */

void
worker_open(struct server *s, int fd)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = &s->workers[i];

		if (w->fd >= 0)
			continue;
		*w = (struct worker){.fd = fd, .server = s};
		buf_init(&w->in, WORKER_IN_MAX);
		buf_init(&w->out, WORKER_OUT_MAX);
		map_init(&w->sessions);
		return;
	}
	say_error("more than %d gate workers", WORKERS_MAX);
	close(fd);
}

void
worker_close(struct server *s, struct worker *w, const char *why)
{
	struct session *x, *next;

	for (x = s->sessions; x != NULL; x = next) {
		next = x->next;
		if (x->worker == w)
			session_end(s, x, slice_cstr(why));
	}
	map_fini(&w->sessions, NULL);
	buf_fini(&w->in);
	buf_fini(&w->out);
	close(w->fd);
	w->fd = -1;
}

/* --- messages about the worker ------------------------------------------ */

static bool
hello(struct worker *w, struct ipc_msg *m)
{
	uint16_t version = rd_u16(&m->body);

	w->number = rd_u16(&m->body);
	if (!rd_end(&m->body) || version != IPC_VERSION || w->hello)
		return false;
	snprintf(w->gate, sizeof(w->gate), "%u", w->number);
	w->hello = true;
	return true;
}

static void
send_baseline(struct worker *w, uint16_t database, struct slice table,
    const struct book_baseline *l)
{
	size_t mark = ipc_begin(&w->out, IPC_BASELINE, 0);

	buf_u16(&w->out, database);
	buf_lp16(&w->out, table);
	buf_u16(&w->out, l ? l->ncolumns : 0);
	if (l != NULL)
		buf_put(&w->out, buf_head(&l->columns), buf_used(&l->columns));
	ipc_end(&w->out, mark);
}

/*
 * The columns that a table has now. The first time, and after a change of the
 * table's section of the configuration, they are the baseline; later ones are new.
 */
static bool
catalog(struct server *s, struct worker *w, struct ipc_msg *m)
{
	uint16_t database = rd_u16(&m->body), n;
	struct slice table = rd_lp16(&m->body), columns[TABLE_COLUMNS_MAX];
	const struct conf_database *db;
	struct book_baseline *l;
	char hash[BOOK_TABLE_HASH];

	n = rd_u16(&m->body);
	if (n > TABLE_COLUMNS_MAX)
		return false;
	for (uint16_t i = 0; i < n; i++)
		columns[i] = rd_lp16(&m->body);
	if (!rd_end(&m->body) || database >= s->conf->ndatabases)
		return false;
	db = &s->conf->databases[database];
	book_table_hash(hash, db, table);
	l = book_baseline(&s->book, db->name, table);
	if (hash[0] != 0 && (l == NULL || strcmp(l->conf, hash) != 0)) {
		server_entry(s, book_baseline_set(&s->book, db->name, table, hash,
		    columns, n));
		l = book_baseline(&s->book, db->name, table);
	}
	/* Not in the configuration: no column of it is known. */
	send_baseline(w, database, table, hash[0] ? l : NULL);
	return true;
}

static void
broadcast(struct server *s, const struct worker *from, enum ipc_type type,
    struct slice body)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = &s->workers[i];
		size_t mark;

		if (w->fd < 0 || w == from || !w->hello || w->broken)
			continue;
		mark = ipc_begin(&w->out, type, 0);
		buf_put(&w->out, body.p, body.len);
		ipc_end(&w->out, mark);
	}
}

static bool
epoch(struct server *s, struct worker *w, struct ipc_msg *m)
{
	struct slice body = {m->body.p, m->body.left};

	rd_u16(&m->body);
	if (!rd_end(&m->body))
		return false;
	broadcast(s, w, IPC_EPOCH_ALL, body);
	return true;
}

static bool
cancel(struct server *s, struct worker *w, struct ipc_msg *m)
{
	struct slice body = {m->body.p, m->body.left};

	rd_u64(&m->body);
	if (!rd_end(&m->body))
		return false;
	broadcast(s, w, IPC_CANCEL_ALL, body);
	return true;
}

/* --- messages of any phase ---------------------------------------------- */

static struct entry_head
head_of(struct server *s, struct worker *w, const struct session *x)
{
	if (x != NULL && x->phase == SESSION_LIVE)
		return session_head(s, x);
	return (struct entry_head){.time_us = book_now(&s->book),
	    .gate = slice_cstr(w->gate)};
}

/* A word of ours that a gate names: never more than a short identifier. */
static bool
word_ok(struct slice s)
{
	if (s.len == 0 || s.len > 64)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	return true;
}

static bool
alert(struct server *s, struct worker *w, struct session *x, struct ipc_msg *m)
{
	struct slice kind = rd_lp16(&m->body), database = rd_lp16(&m->body);
	struct slice object = rd_lp16(&m->body);
	struct entry_head h = head_of(s, w, x);
	char what[65];
	enum err err;

	if (!rd_end(&m->body) || !word_ok(kind))
		return false;
	memcpy(what, kind.p, kind.len);
	what[kind.len] = 0;
	h.database = database;
	/* Deduplicated per object, whoever asked. */
	h.actor = (struct slice){NULL, 0};
	h.role = h.actor;
	h.session = 0;
	err = book_alert(&s->book, &h, what, object, (struct slice){NULL, 0});
	server_entry(s, err == ERR_EXISTS ? ERR_OK : err);
	return true;
}

static bool
incident(struct server *s, struct worker *w, struct session *x,
    struct ipc_msg *m)
{
	struct slice kind = rd_lp16(&m->body), detail = rd_lp16(&m->body);
	struct entry_head h = head_of(s, w, x);
	char what[65];

	if (!rd_end(&m->body) || !word_ok(kind))
		return false;
	memcpy(what, kind.p, kind.len);
	what[kind.len] = 0;
	server_entry(s, book_incident(&s->book, &h, what, detail));
	return true;
}

static bool
end(struct server *s, struct session *x, struct ipc_msg *m)
{
	struct slice why = rd_lp16(&m->body);

	if (!rd_end(&m->body))
		return false;
	if (x != NULL)
		session_end(s, x, why);
	return true;
}

/* --- dispatch ----------------------------------------------------------- */

static enum ipc_when
phase_of(const struct worker *w, uint32_t sid, const struct session *x)
{
	if (sid == 0)
		return IPC_LINK;
	if (x == NULL)
		return IPC_NEW;
	return x->phase == SESSION_AUTH ? IPC_AUTH : IPC_LIVE;
}

static bool
dispatch(struct server *s, struct worker *w, struct ipc_msg *m)
{
	struct session *x = m->sid ? session_find(w, m->sid) : NULL;

	if (x != NULL && x->phase == SESSION_DEAD) {
		/* Killed: what the gate sent before it knew is void. */
		if (m->type != IPC_SESSION_END && m->type != IPC_AUTH_FIRST)
			return true;
		session_end(s, x, (struct slice){NULL, 0});
		x = NULL;
	}
	if (!ipc_allowed(m->type, 'G', phase_of(w, m->sid, x)) ||
	    (!w->hello && m->type != IPC_HELLO))
		return false;
	switch (m->type) {
	case IPC_HELLO:
		return hello(w, m);
	case IPC_AUTH_FIRST:
		return auth_first(s, w, m);
	case IPC_AUTH_FINAL:
		return auth_final(s, x, m);
	case IPC_UP_AUTH:
		return up_auth(s, x, m);
	case IPC_UP_AUTH_LINK:
		return up_auth_link(s, w, m);
	case IPC_SESSION_END:
		return end(s, x, m);
	case IPC_STATEMENT:
		return stmt_free(s, x, m);
	case IPC_STMT_OPEN:
		return stmt_open(s, x, m);
	case IPC_RELEASE:
		return stmt_release(s, x, m);
	case IPC_STMT_END:
		return stmt_end(s, x, m);
	case IPC_DENY:
		return stmt_deny(s, x, m);
	case IPC_ALERT:
		return alert(s, w, x, m);
	case IPC_INCIDENT:
		return incident(s, w, x, m);
	case IPC_CATALOG:
		return catalog(s, w, m);
	case IPC_EPOCH:
		return epoch(s, w, m);
	case IPC_CANCEL:
		return cancel(s, w, m);
	default:
		return false;
	}
}

static void
malformed(struct server *s, struct worker *w, const char *what)
{
	struct entry_head h = {.time_us = book_now(&s->book),
	    .gate = slice_cstr(w->gate)};

	w->broken = true;
	say_error("gate worker %u sent a malformed or forbidden message (%s); "
	    "its channel is closed", w->number, what);
	server_entry(s, book_incident(&s->book, &h, "gate-malformed",
	    slice_cstr(what)));
}

void
worker_handle(struct server *s, struct worker *w)
{
	struct ipc_msg m;
	size_t used;
	enum err err;

	while (!w->broken && s->fatal == ERR_OK) {
		err = ipc_next(&m, buf_head(&w->in), buf_used(&w->in), &used);
		if (err == ERR_SHORT)
			return;
		if (err != ERR_OK) {
			malformed(s, w, "framing");
			return;
		}
		if (!dispatch(s, w, &m))
			malformed(s, w, ipc_name(m.type));
		else
			buf_drop(&w->in, used);
	}
}
