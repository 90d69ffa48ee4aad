/* SPDX-License-Identifier: Apache-2.0 */
/* The server connection of one client. */
#include "proc/gate/gate.h"

#include <stdlib.h>
#include <string.h>


static void
back_auth(struct up *u, uint32_t code, struct slice data)
{
	struct back *k = u->owner;
	struct buf *b = &u->db->gate->link_out;
	size_t mark = ipc_begin(b, IPC_UP_AUTH, k->session->sid);

	buf_u16(b, u->db->index);
	buf_u32(b, code);
	buf_lp32(b, data);
	ipc_end(b, mark);
}

void
back_up_reply(struct session *s, uint8_t status, struct slice payload)
{
	if (s->back == NULL)
		return;
	if (status == 2) {
		session_fatal(s, "08001",
		    _("the gate could not log in to the database server"), NULL,
		    _("Check user and password of `upstream` in kuraban.conf."));
		return;
	}
	if (status == 0)
		up_password(&s->back->up, payload);
}

static void
back_greet(struct up *u, char type, struct slice body)
{
	struct back *k = u->owner;
	struct session *s = k->session;
	struct rd r = rd_init(body.p, body.len);
	const char *name, *value;

	switch (type) {
	case 'S':
		name = rd_cstr(&r);
		value = rd_cstr(&r);
		if (r.bad)
			break;
		reply_parameter(s, name, value);
		if (s->kill)
			return;
		if (strcmp(name, "application_name") == 0 &&
		    !s->db->conf->unprotected) {
			pg_put_param(front_out(s), name, s->app ? s->app : "");
			break;
		}
		goto pass;
	case 'K':
		k->pid = rd_u32(&r);
		k->secret = rd_u32(&r);
		break;
	case 'Z':
		front_live(s);
		break;
	case 'N':
	pass: {
		size_t mark = pg_begin(front_out(s), type);

		buf_put(front_out(s), body.p, body.len);
		pg_end(front_out(s), mark);
		break;
	}
	default:
		break;
	}
}

static void
back_data(struct up *u, const uint8_t *p, size_t len)
{
	struct session *s = ((struct back *)u->owner)->session;

	if (s->db->conf->unprotected)
		relay_back(s, p, len);
	else
		reply_bytes(s, p, len);
	if (s->phase != PH_CLOSING && s->run_len > 0 && conn_pending(&u->conn))
		front_settle(s);
}

static void
back_settle(struct up *u)
{
	session_update(((struct back *)u->owner)->session);
}

static void
back_fail(struct up *u, const char *why, struct slice body)
{
	struct session *s = ((struct back *)u->owner)->session;
	const char *state = body.len > 0 ? pg_field(body, 'C') : NULL;
	const char *text = body.len > 0 ? pg_field(body, 'M') : NULL;

	/* The server's end after Terminate is no news. */
	if (s->leaving) {
		session_close(s);
		return;
	}
	/* What an unprotected database says when it ends a session is passed. */
	if (s->phase == PH_LIVE && s->db->conf->unprotected) {
		session_finish(s);
		return;
	}
	/* Only before login: its text is the server's about the gate, not data. */
	session_fatal(s, state && strlen(state) == 5 ? state : "08006", why, text,
	    NULL);
}

static void
back_free(struct up *u)
{
	free(u->owner);
}

void
back_start(struct session *s)
{
	struct back *k = calloc(1, sizeof(*k));

	must(k != NULL);
	k->session = s;
	k->up.owner = k;
	k->up.auth = back_auth;
	k->up.greet = back_greet;
	k->up.data = back_data;
	k->up.settle = back_settle;
	k->up.fail = back_fail;
	k->up.closed = back_free;
	/* A protected database sees the actor; an unprotected one what it is told. */
	if (!up_start(&k->up, s->db,
	    s->db->conf->unprotected && s->app != NULL ? s->app : s->actor)) {
		free(k);
		session_fatal(s, "08001", _("the database server does not answer"),
		    NULL, NULL);
		return;
	}
	buf_put(&k->up.params, buf_head(&s->startup), buf_used(&s->startup));
	buf_fini(&s->startup);
	s->back = k;
}

void
back_close(struct session *s)
{
	struct back *k = s->back;

	if (k == NULL)
		return;
	s->back = NULL;
	if (k->up.phase == UP_LIVE) {
		pg_put_empty(&k->up.conn.out, 'X');
		conn_flush(&k->up.conn, SIZE_MAX);
	}
	up_close(&k->up);
}

struct buf *
back_out(struct session *s)
{
	return &s->back->up.conn.out;
}

void
back_put(struct session *s, const void *p, size_t len)
{
	struct conn *c = &s->back->up.conn;
	ssize_t n = 0;

	/* Large pieces go out at once when nothing is queued: no copy. */
	if (len >= 4096 && buf_used(&c->out) == 0 && (n = conn_send(c, p, len)) < 0)
		n = 0;
	buf_put(&c->out, (const uint8_t *)p + n, len - (size_t)n);
}
