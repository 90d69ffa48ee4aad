/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cancel requests. The client's key is the server's process id with a random
 * secret of the gate's own: only the gate can turn it into a cancel. The request
 * to the server uses the server's key on a connection of its own, with TLS where
 * the session has it. A key of another worker's session goes round by the ledger.
 */
#include "proc/gate/gate.h"

#include <stdlib.h>
#include <string.h>

struct cancel {
	struct conn conn;
	struct gate *gate;
	struct db *db;
	uint32_t sid;		/* whose cut it ends; 0: a client's request */
	uint32_t pid, secret;
	void (*done)(struct session *);
	enum { CA_CONNECT, CA_SSL, CA_TLS, CA_SENT } phase;
};

static void
cancel_free(struct conn *c)
{
	struct cancel *k = c->owner;
	struct session *s = k->sid ? gate_session(k->gate, k->sid) : NULL;

	if (s != NULL && k->done != NULL)
		k->done(s);
	free(k);
}

static void
cancel_send(struct cancel *k)
{
	struct buf *b = &k->conn.out;

	buf_u32(b, 16);
	buf_u32(b, PG_CODE_CANCEL);
	buf_u32(b, k->pid);
	buf_u32(b, k->secret);
	k->phase = CA_SENT;
}

static void
cancel_ready(struct conn *c, int events)
{
	struct cancel *k = c->owner;
	char byte;
	ssize_t n;
	int done;

	(void)events;
	switch (k->phase) {
	case CA_CONNECT:
		if (conn_connect_error(c) != 0)
			goto close;
		if (k->db->tls != NULL) {
			buf_u32(&c->out, 8);
			buf_u32(&c->out, PG_CODE_SSL);
			k->phase = CA_SSL;
		} else {
			cancel_send(k);
		}
		break;
	case CA_SSL:
		if ((n = conn_recv(c, &byte, 1)) < 0)
			goto close;
		if (n == 0)
			break;
		if (byte != 'S') {
			cancel_send(k);
			break;
		}
		if (!conn_start_tls(c, k->db->tls, false, NULL))
			goto close;
		k->phase = CA_TLS;
		/* FALLTHROUGH */
	case CA_TLS:
		if ((done = conn_handshake(c)) < 0)
			goto close;
		if (done > 0)
			cancel_send(k);
		break;
	case CA_SENT:
		/* The server closes once the signal is sent. */
		if (conn_recv(c, &byte, 1) < 0)
			goto close;
		break;
	}
	if (!conn_flush(c, SIZE_MAX))
		goto close;
	conn_watch(c, buf_used(&c->out));
	return;
close:
	conn_close(c, cancel_free);
}

static void
cancel_start(struct gate *g, struct session *s, void (*done)(struct session *))
{
	struct cancel *k = calloc(1, sizeof(*k));
	int fd;

	must(k != NULL);
	k->gate = g;
	k->db = s->db;
	k->sid = done ? s->sid : 0;
	k->done = done;
	k->pid = s->back->pid;
	k->secret = s->back->secret;
	fd = conn_connect((struct sockaddr *)&s->db->addr, s->db->addr_len);
	if (fd < 0) {
		free(k);
		if (done != NULL)
			done(s);
		return;
	}
	conn_init(&k->conn, &g->loop, fd, 4096, cancel_ready, k);
	conn_watch(&k->conn, 1);
}

/* Something was asked that is not answered, as far as the gate can see. */
static bool
is_busy(const struct session *s)
{
	return s->ops_len > 0 || s->outstanding > 0 || s->in_pipeline;
}

/* The client is gone: what it left running on the server is of no use. */
void
cancel_abandoned(struct session *s)
{
	if (!s->leaving && s->back != NULL && s->back->up.phase == UP_LIVE &&
	    !s->gate->link_dead && is_busy(s))
		cancel_start(s->gate, s, NULL);
}

void
cancel_back(struct session *s, void (*done)(struct session *))
{
	cancel_start(s->gate, s, done);
}

bool
cancel_local(struct gate *g, uint32_t pid, uint32_t secret)
{
	for (struct session *s = g->sessions; s != NULL; s = s->next) {
		if (s->phase != PH_LIVE || s->back == NULL ||
		    s->back->pid != pid || s->cancel_key != secret)
			continue;
		/* An idle session has nothing to cancel: late is too late. */
		if (!s->cutting && is_busy(s))
			cancel_start(g, s, NULL);
		return true;
	}
	return false;
}

void
cancel_request(struct gate *g, uint32_t pid, uint32_t secret)
{
	size_t mark;

	if (cancel_local(g, pid, secret))
		return;
	mark = ipc_begin(&g->link_out, IPC_CANCEL, 0);
	buf_u32(&g->link_out, pid);
	buf_u32(&g->link_out, secret);
	ipc_end(&g->link_out, mark);
}
