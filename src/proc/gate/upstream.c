/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a database server up to its first ReadyForQuery. */
#include "proc/gate/gate.h"

#include <string.h>

#include "base/clock.h"


enum { UP_IN_MAX = 1 << 20, UP_OUT_MAX = 64 << 20 };

static void
up_fail(struct up *u, const char *why, struct slice body)
{
	if (u->phase != UP_CLOSED)
		u->fail(u, why, body);
}

static void
send_startup(struct up *u)
{
	struct buf *b = &u->conn.out;
	size_t mark = buf_used(b);

	buf_u32(b, 0);
	buf_u32(b, PG_PROTOCOL_3_0);
	buf_put(b, buf_head(&u->params), buf_used(&u->params));
	buf_u8(b, 0);
	buf_set_u32(b, mark, (uint32_t)(buf_used(b) - mark));
	u->phase = UP_AUTH;
}

static void
after_connect(struct up *u)
{
	if (conn_connect_error(&u->conn) != 0) {
		up_fail(u, _("the database server does not answer"),
		    (struct slice){NULL, 0});
		return;
	}
	if (u->db->tls != NULL) {
		buf_u32(&u->conn.out, 8);
		buf_u32(&u->conn.out, PG_CODE_SSL);
		u->phase = UP_SSL;
	} else {
		send_startup(u);
	}
}

/* The one-byte answer to SSLRequest; read alone, so TLS bytes stay unread. */
static void
ssl_answer(struct up *u)
{
	const char *mode = u->db->conf->upstream.sslmode;
	const char *host = u->db->conf->upstream.host;
	char c;
	ssize_t n = conn_recv(&u->conn, &c, 1);

	if (n == 0)
		return;
	if (n < 0) {
		up_fail(u, _("the database server closed the connection"),
		    (struct slice){NULL, 0});
		return;
	}
	if (c == 'S') {
		if (!conn_start_tls(&u->conn, u->db->tls, false,
		    mode && strcmp(mode, "verify-full") == 0 ? host : NULL)) {
			up_fail(u, conn_tls_error(), (struct slice){NULL, 0});
			return;
		}
		u->phase = UP_TLS;
	} else if (c == 'N' && (mode == NULL || strcmp(mode, "prefer") == 0 ||
	    strcmp(mode, "allow") == 0)) {
		send_startup(u);
	} else {
		up_fail(u, _("the database server does not offer TLS, but sslmode demands it"),
		    (struct slice){NULL, 0});
	}
}

/* Messages before the first ReadyForQuery; false: closed or failed. */
static bool
up_messages(struct up *u)
{
	struct pg_head h;
	enum err e;

	while (u->phase == UP_AUTH && buf_used(&u->in) > 0) {
		struct slice body;

		e = pg_head(&h, buf_head(&u->in), buf_used(&u->in));
		if (e == ERR_SHORT)
			return true;
		if (e != ERR_OK || h.type == 0 || strchr("RSKNEZv", h.type) == NULL ||
		    h.len > 65536) {
			up_fail(u, _("the database server broke the protocol"),
			    (struct slice){NULL, 0});
			return false;
		}
		if (buf_used(&u->in) < PG_HEAD_BYTES + h.len)
			return true;
		body = (struct slice){buf_head(&u->in) + PG_HEAD_BYTES, h.len};
		if (h.type == 'E') {
			up_fail(u, _("the database server refused the gate"), body);
			return false;
		}
		if (h.type == 'R') {
			struct rd r = rd_init(body.p, body.len);
			uint32_t code = rd_u32(&r);

			if (r.bad) {
				up_fail(u, _("the database server broke the protocol"), body);
				return false;
			}
			if (code == PG_AUTH_CLEARTEXT && u->conn.ssl == NULL &&
			    u->db->addr.ss_family != AF_UNIX) {
				/* Whoever sits on the line could ask for it. */
				up_fail(u, _("the database server asks for the password in clear, without TLS"),
				    (struct slice){NULL, 0});
				return false;
			}
			if (code != PG_AUTH_OK)
				u->auth(u, code, (struct slice){r.p, r.left});
		} else if (h.type == 'Z') {
			u->phase = UP_LIVE;
			u->greet(u, 'Z', body);
		} else {
			u->greet(u, h.type, body);
		}
		if (u->phase == UP_CLOSED)
			return false;
		buf_drop(&u->in, PG_HEAD_BYTES + h.len);
	}
	return true;
}

static void
up_ready(struct conn *c, int events)
{
	struct up *u = c->owner;
	uint8_t *scratch = u->db->gate->scratch;
	ssize_t n;

	if (u->phase == UP_CONNECT) {
		if (!(events & (UV_WRITABLE | UV_READABLE)))
			return;
		after_connect(u);
	} else if (u->phase == UP_SSL) {
		ssl_answer(u);
	} else if (u->phase == UP_TLS) {
		int done = conn_handshake(c);

		if (done < 0)
			up_fail(u, conn_tls_error(), (struct slice){NULL, 0});
		else if (done > 0)
			send_startup(u);
	} else if (u->phase != UP_CLOSED) {
		do {
			if (!c->want_read)
				break;
			n = conn_recv(c, scratch, SCRATCH_BYTES);
			if (n == 0)
				break;
			if (n < 0) {
				up_fail(u, _("the connection to the database server was lost"),
				    (struct slice){NULL, 0});
				return;
			}
			if (u->phase == UP_LIVE) {
				u->data(u, scratch, (size_t)n);
			} else {
				buf_put(&u->in, scratch, (size_t)n);
				if (!up_messages(u))
					return;
				if (u->phase == UP_LIVE && buf_used(&u->in) > 0) {
					up_fail(u, _("the database server broke the protocol"),
					    (struct slice){NULL, 0});
					return;
				}
			}
		} while (u->phase != UP_CLOSED && conn_pending(c));
	}
	if (u->phase == UP_CLOSED)
		return;
	if (u->phase == UP_LIVE) {
		u->settle(u);
		return;
	}
	if (!conn_flush(c, SIZE_MAX)) {
		up_fail(u, _("the connection to the database server was lost"),
		    (struct slice){NULL, 0});
		return;
	}
	conn_watch(c, u->phase == UP_CONNECT ? 1 : buf_used(&c->out));
}

bool
up_start(struct up *u, struct db *db, const char *application_name)
{
	const struct conf_upstream *c = &db->conf->upstream;
	int fd = conn_connect((struct sockaddr *)&db->addr, db->addr_len);

	u->phase = UP_CLOSED;
	if (fd < 0)
		return false;
	u->db = db;
	u->phase = UP_CONNECT;
	u->started_us = clock_mono_us();
	buf_init(&u->in, UP_IN_MAX);
	buf_init(&u->params, 4 * PG_STARTUP_MAX);
	buf_cstr(&u->params, "user");
	buf_cstr(&u->params, c->user ? c->user : "");
	buf_cstr(&u->params, "database");
	buf_cstr(&u->params, c->dbname ? c->dbname : c->user ? c->user : "");
	buf_cstr(&u->params, "application_name");
	buf_cstr(&u->params, application_name);
	if (c->options != NULL) {
		buf_cstr(&u->params, "options");
		buf_cstr(&u->params, c->options);
	}
	conn_init(&u->conn, &db->gate->loop, fd, UP_OUT_MAX, up_ready, u);
	conn_watch(&u->conn, 1);
	return true;
}

bool
up_late(const struct up *u, uint64_t now_us)
{
	return u->phase < UP_LIVE && now_us - u->started_us > u->db->connect_us;
}

void
up_password(struct up *u, struct slice payload)
{
	size_t mark;

	if (u->phase != UP_AUTH)
		return;
	mark = pg_begin(&u->conn.out, 'p');
	buf_put(&u->conn.out, payload.p, payload.len);
	pg_end(&u->conn.out, mark);
	if (!conn_flush(&u->conn, SIZE_MAX)) {
		up_fail(u, _("the connection to the database server was lost"),
		    (struct slice){NULL, 0});
		return;
	}
	conn_watch(&u->conn, buf_used(&u->conn.out));
}

static void
up_closed(struct conn *c)
{
	struct up *u = c->owner;

	if (u->closed != NULL)
		u->closed(u);
}

void
up_close(struct up *u)
{
	if (u->phase == UP_CLOSED)
		return;
	u->phase = UP_CLOSED;
	buf_fini(&u->in);
	buf_fini(&u->params);
	conn_close(&u->conn, up_closed);
}
