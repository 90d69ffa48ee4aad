/* SPDX-License-Identifier: Apache-2.0 */
#include <libintl.h>
#include <stdlib.h>
#include <string.h>

#include "proc/ledger/server.h"

#define _(s) gettext(s)

static struct slice
sid_key(const uint32_t *sid)
{
	return (struct slice){(const uint8_t *)sid, sizeof(*sid)};
}

struct session *
session_find(const struct worker *w, uint32_t sid)
{
	return map_get(&w->sessions, sid_key(&sid));
}

struct session *
session_new(struct server *s, struct worker *w, uint32_t sid)
{
	struct session *x = calloc(1, sizeof(*x));

	must(x != NULL && session_find(w, sid) == NULL);
	x->sid = sid;
	x->worker = w;
	x->phase = SESSION_AUTH;
	map_put(&w->sessions, sid_key(&sid), x);
	x->next = s->sessions;
	x->prev = &s->sessions;
	if (x->next != NULL)
		x->next->prev = &x->next;
	s->sessions = x;
	s->nsessions++;
	return x;
}

/* Of the session's entries; the time is now. */
struct entry_head
session_head(struct server *s, const struct session *x)
{
	struct entry_head h = {.time_us = book_now(&s->book),
	    .gate = slice_cstr(x->worker->gate), .session = x->number};

	if (x->number != 0) {
		h.actor = slice_cstr(x->name);
		h.role = slice_cstr(s->conf->roles[x->role].name);
		h.database = slice_cstr(s->conf->databases[x->database].name);
	}
	return h;
}

static void
session_close_entry(struct server *s, struct session *x, struct slice why)
{
	struct entry_head h = session_head(s, x);
	struct entry_session e = {.event = slice_cstr("close"), .tls = x->tls,
	    .address = slice_cstr(x->address), .why = why};
	enum err err = entry_build_session(&s->book.entry, &h, &e);

	server_entry(s, err ? err : book_append(&s->book, NULL, 0, NULL));
}

void
session_end(struct server *s, struct session *x, struct slice why)
{
	if (x->phase == SESSION_LIVE)
		session_close_entry(s, x, why);
	map_del(&x->worker->sessions, sid_key(&x->sid));
	*x->prev = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	s->nsessions--;
	scram_server_fini(&x->scram);
	statement_free(x->open);
	free(x->address);
	free(x->application);
	free(x);
}

void
session_kill(struct server *s, struct session *x, const char *sqlstate,
    const char *message, const char *why)
{
	struct buf *out = &x->worker->out;
	size_t mark;

	if (x->phase == SESSION_DEAD)
		return;
	if (x->phase == SESSION_LIVE)
		session_close_entry(s, x, slice_cstr(why));
	x->phase = SESSION_DEAD;
	mark = ipc_begin(out, IPC_KILL, x->sid);
	buf_put(out, sqlstate, 5);
	buf_lp16(out, slice_cstr(message));
	ipc_end(out, mark);
}

void
sessions_kill_actor(struct server *s, const char *name)
{
	for (struct session *x = s->sessions; x != NULL; x = x->next)
		if (strcmp(x->name, name) == 0)
			session_kill(s, x, "KB006", _("this actor is disabled"),
			    "the actor was disabled");
}
