/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client: start-up packets, TLS, authentication, its end; and the stream of
 * bytes to it, with the part that waits for the ledger.
 */
#include "proc/gate/gate.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/say.h"

enum { CATALOG_TIMEOUT_US = 15000000 };

#define IN_MAX (SQL_MAX_BYTES + (1u << 20))

static char *
peer_name(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char host[INET6_ADDRSTRLEN] = "?", *out;
	unsigned port = 0;

	if (getpeername(fd, (struct sockaddr *)&ss, &len) == 0) {
		if (ss.ss_family == AF_INET) {
			struct sockaddr_in *in = (struct sockaddr_in *)&ss;

			inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
			port = ntohs(in->sin_port);
		} else if (ss.ss_family == AF_INET6) {
			struct sockaddr_in6 *in = (struct sockaddr_in6 *)&ss;

			inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
			port = ntohs(in->sin6_port);
		}
	}
	must(asprintf(&out, "%s:%u", host, port) >= 0);
	return out;
}

void
front_accept(struct gate *g, int fd, bool too_many)
{
	struct session *s = calloc(1, sizeof(*s));

	must(s != NULL);
	s->gate = g;
	s->too_many = too_many;
	do {
		s->sid = g->next_sid++;
	} while (s->sid == 0 || gate_session(g, s->sid) != NULL);
	s->phase = PH_START;
	s->txn = 'I';
	s->std_strings = true;
	s->started_us = clock_mono_us();
	s->chunks_tail = &s->chunks;
	buf_init(&s->in, IN_MAX);
	buf_init(&s->startup, PG_STARTUP_MAX * 2);
	buf_init(&s->rows, 2 * CHUNK_BYTES + COLLECT_MAX);
	map_init(&s->stmts);
	map_init(&s->portals);
	must(getrandom(&s->cancel_key, sizeof(s->cancel_key), 0) ==
	    sizeof(s->cancel_key));
	s->peer = peer_name(fd);
	conn_init(&s->front, &g->loop, fd, FRONT_OUT_MAX + FRONT_OUT_HIGH,
	    front_ready, s);
	s->next = g->sessions;
	if (s->next != NULL)
		s->next->prev = s;
	g->sessions = s;
	g->nsessions++;
	gate_count(g);
	map_put(&g->by_sid, (struct slice){(uint8_t *)&s->sid, sizeof(s->sid)}, s);
	conn_watch(&s->front, 0);
}

static void
session_free(struct conn *c)
{
	struct session *s = c->owner;

	free(s->actor);
	free(s->peer);
	free(s->app);
	free(s);
}

static void
pstmt_drop(void *p)
{
	pstmt_free(p);
}

static void
portal_drop(void *p)
{
	portal_free(p);
}

void
session_close(struct session *s)
{
	struct gate *g = s->gate;
	size_t mark;

	if (s->phase == PH_CLOSING)
		return;
	tally_flush(s);
	s->phase = PH_CLOSING;
	mark = ipc_begin(&g->link_out, IPC_SESSION_END, s->sid);
	buf_lp16(&g->link_out, slice_cstr("closed"));
	ipc_end(&g->link_out, mark);
	map_del(&g->by_sid, (struct slice){(uint8_t *)&s->sid, sizeof(s->sid)});
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		g->sessions = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	g->nsessions--;
	gate_count(g);
	cancel_abandoned(s);
	back_close(s);
	while (s->ops_len > 0)
		op_pop(s);
	free(s->ops);
	map_fini(&s->stmts, pstmt_drop);
	map_fini(&s->portals, portal_drop);
	judge_free(s->judge);
	free(s->pieces);
	sql_list_fini(&s->piece_list);
	while (s->chunks != NULL) {
		struct chunk *c = s->chunks;

		s->chunks = c->next;
		free(c);
	}
	buf_fini(&s->in);
	buf_fini(&s->startup);
	buf_fini(&s->rows);
	stmt_unref(s->charge);
	s->charge = NULL;
	conn_close(&s->front, session_free);
}

size_t
front_sendable(const struct session *s)
{
	size_t used = buf_used(&s->front.out);

	if (s->chunks != NULL)
		return (size_t)(s->chunks->start - s->out_base);
	return s->rows_n > 0 ? (size_t)(s->rows_start - s->out_base) : used;
}

/* The run still in the scratch buffer becomes part of the output buffer. */
void
front_settle(struct session *s)
{
	size_t n = s->run_len;

	if (n == 0)
		return;
	s->run_len = 0;
	buf_put(&s->front.out, s->run, n);
}

/*
 * Bytes that come in order out of one read are kept as a run and sent from
 * where they lie; anything else is copied.
 */
void
front_put(struct session *s, const void *p, size_t len)
{
	const uint8_t *b = p;
	bool in_scratch = b >= s->gate->scratch && b < s->gate->scratch + SCRATCH_BYTES;

	if (s->run_len > 0 && b == s->run + s->run_len && in_scratch) {
		s->run_len += len;
		return;
	}
	if (s->run_len > 0)
		front_settle(s);
	if (in_scratch && buf_used(&s->front.out) == 0 && s->chunks == NULL &&
	    !s->charged) {
		s->run = b;
		s->run_len = len;
		return;
	}
	buf_put(&s->front.out, p, len);
}

static bool
front_send(struct session *s)
{
	size_t had;
	ssize_t n;
	bool ok;

	if (s->run_len > 0 && buf_used(&s->front.out) == 0) {
		n = conn_send(&s->front, s->run, s->run_len);
		if (n < 0)
			return false;
		s->run += n;
		s->run_len -= (size_t)n;
		s->out_base += (uint64_t)n;
	}
	if (s->run_len > 0)
		front_settle(s);
	had = buf_used(&s->front.out);
	ok = conn_flush(&s->front, front_sendable(s));
	s->out_base += had - buf_used(&s->front.out);
	return ok && !s->front.out.bad;
}

/*
 * After any event of the session: what was queued goes out, and each side is
 * read only while the other can take more (a slow side costs no memory).
 */
void
session_update(struct session *s)
{
	size_t back_queued = 0;

	if (s->phase == PH_CLOSING)
		return;
	if (s->front.failed || !front_send(s)) {
		session_close(s);
		return;
	}
	if (s->kill && buf_used(&s->front.out) == 0) {
		session_close(s);
		return;
	}
	if (s->back != NULL && s->back->up.phase == UP_LIVE) {
		struct conn *b = &s->back->up.conn;

		if (!conn_flush(b, SIZE_MAX) || b->out.bad) {
			if (s->leaving) {
				session_close(s);
				return;
			}
			session_fatal(s, "08006",
			    _("the connection to the database server was lost"),
			    NULL, NULL);
			return;
		}
		back_queued = buf_used(&b->out);
		b->want_read = buf_used(&s->front.out) < FRONT_OUT_HIGH &&
		    !link_congested(s->gate);
		conn_watch(b, back_queued);
	}
	s->front.want_read = !s->kill && (s->phase != PH_LIVE ?
	    s->phase != PH_CONNECT && buf_used(&s->in) < PG_STARTUP_MAX :
	    back_queued < BACK_OUT_HIGH &&
	    (s->wait == WAIT_NONE || buf_used(&s->in) < 65536));
	conn_watch(&s->front, front_sendable(s));
}

/* Closes once the client has what was queued for it. */
void
session_finish(struct session *s)
{
	if (s->phase == PH_CLOSING || s->kill)
		return;
	s->kill = true;
	cancel_abandoned(s);
	back_close(s);
	session_update(s);
}

void
session_fatal(struct session *s, const char *sqlstate, const char *message,
    const char *detail, const char *hint)
{
	if (s->phase == PH_CLOSING || s->kill)
		return;
	/* What was never sealed is never sent: the queue ends before it. */
	if (s->run_len > 0)
		front_settle(s);
	s->front.out.len = s->front.out.off + front_sendable(s);
	s->rows_n = 0;
	while (s->chunks != NULL) {
		struct chunk *c = s->chunks;

		s->chunks = c->next;
		free(c);
	}
	s->chunks_tail = &s->chunks;
	/* Inside a message that is passed as it comes, an error would be part of it:
	 * a row that looks whole. */
	if (s->back_left == 0 || s->back_drop)
		pg_put_error(&s->front.out, 'E', "FATAL", sqlstate, message, detail,
		    hint);
	session_finish(s);
}

void
session_protocol_error(struct session *s, const char *what)
{
	link_incident(s, "protocol", what);
	session_fatal(s, "08P01", what, NULL, NULL);
}

/* ---- start-up ---- */

static void
start_tls_client(struct session *s)
{
	char yes = s->gate->tls != NULL ? 'S' : 'N';

	if (s->tls_asked || buf_used(&s->in) > 0) {
		/* Bytes before the handshake would be a man in the middle's. */
		session_protocol_error(s, "data after SSLRequest");
		return;
	}
	s->tls_asked = true;
	if (conn_send(&s->front, &yes, 1) != 1) {
		session_close(s);
		return;
	}
	if (yes == 'S' && !conn_start_tls(&s->front, s->gate->tls, true, NULL))
		session_close(s);
}

/* Start-up parameters that a client may set by itself on the server. */
static bool
startup_param_passes(struct session *s, const char *name, const char *value)
{
	if (strcmp(name, "user") == 0 || strcmp(name, "database") == 0 ||
	    strcmp(name, "application_name") == 0 || name[0] == '_')
		return false;
	return s->db->conf->unprotected || strcmp(name, "options") == 0 ||
	    setting_allowed(name, value);
}

/* -c name=value and --name=value: each must be a setting that SET may change. */
static bool
options_pass(const char *options, char *bad, size_t cap)
{
	char *copy = strdup(options), *save = NULL, *w, *eq;
	bool ok = true;

	must(copy != NULL);
	for (w = strtok_r(copy, " \t\n", &save); ok && w != NULL;
	    w = strtok_r(NULL, " \t\n", &save)) {
		if (strcmp(w, "-c") == 0) {
			if ((w = strtok_r(NULL, " \t\n", &save)) == NULL)
				break;
		} else if (strncmp(w, "-c", 2) == 0 || strncmp(w, "--", 2) == 0) {
			w += 2;
		} else {
			ok = false;
		}
		if (ok && (eq = strchr(w, '=')) != NULL) {
			*eq = 0;
			for (char *p = w; *p; p++)
				*p = *p == '-' ? '_' : (char)tolower((unsigned char)*p);
			ok = setting_allowed(w, eq + 1);
		}
		if (!ok)
			snprintf(bad, cap, "%s", w);
	}
	free(copy);
	return ok;
}

static void
put_sasl_request(struct session *s)
{
	struct buf *b = &s->front.out;
	size_t mark = pg_begin(b, 'R');

	buf_u32(b, PG_AUTH_SASL);
	if (s->front.ssl != NULL)
		buf_cstr(b, "SCRAM-SHA-256-PLUS");
	buf_cstr(b, "SCRAM-SHA-256");
	buf_u8(b, 0);
	pg_end(b, mark);
}

static void
startup_message(struct session *s, uint32_t version, struct rd *r)
{
	const char *name, *value, *database = NULL;
	struct buf unknown;
	unsigned unknown_count = 0;
	char bad[64];
	struct rd params = *r;

	if (version >> 16 != 3) {
		session_fatal(s, "0A000", _("only protocol 3 is spoken here"), NULL, NULL);
		return;
	}
	if (s->too_many) {
		session_fatal(s, "53300",
		    _("the gate has as many clients as it may have at a time"), NULL,
		    _("Close sessions that are not used, or raise max_clients in kuraban.conf."));
		return;
	}
	if (s->gate->conf->tls_required && s->front.ssl == NULL) {
		session_fatal(s, "28000", _("this gate accepts TLS connections only"),
		    NULL, _("Set sslmode=require in your client."));
		return;
	}
	while (*(name = rd_cstr(r)) != 0 && !r->bad) {
		value = rd_cstr(r);
		if (strcmp(name, "user") == 0 && s->actor == NULL)
			s->actor = strdup(value);
		else if (strcmp(name, "database") == 0)
			database = value;
		else if (strcmp(name, "application_name") == 0 && s->app == NULL)
			s->app = strdup(value);
		else if (strcmp(name, "replication") == 0 &&
		    strcasecmp(value, "false") != 0 && strcasecmp(value, "off") != 0 &&
		    strcasecmp(value, "no") != 0 && strcmp(value, "0") != 0) {
			link_incident(s, "replication", s->actor ? s->actor : "");
			session_fatal(s, "KB003",
			    _("replication connections are refused by the gate"),
			    _("A replication connection can copy the whole cluster."), NULL);
			return;
		}
	}
	if (!rd_end(r)) {
		session_protocol_error(s, "malformed start-up packet");
		return;
	}
	if (s->actor == NULL || s->actor[0] == 0 || strlen(s->actor) > 63) {
		session_fatal(s, "28000", _("no user name was given"), NULL, NULL);
		return;
	}
	if (database == NULL || database[0] == 0)
		database = s->actor;
	for (size_t i = 0; i < s->gate->conf->ndatabases; i++) {
		if (strcmp(s->gate->conf->databases[i].name, database) == 0)
			s->db = &s->gate->dbs[i];
	}
	if (s->db == NULL) {
		/* Told before the password is checked, as PostgreSQL does not: but
		 * names of databases are in every client's configuration anyway. */
		session_fatal(s, "3D000", _("the gate knows no such database"), NULL,
		    _("The databases are those named in kuraban.conf."));
		return;
	}
	buf_init(&unknown, PG_STARTUP_MAX);
	while (*(name = rd_cstr(&params)) != 0 && !params.bad) {
		value = rd_cstr(&params);
		if (strncmp(name, "_pq_.", 5) == 0) {
			buf_cstr(&unknown, name);
			unknown_count++;
		} else if (strcmp(name, "options") == 0 && !s->db->conf->unprotected &&
		    !options_pass(value, bad, sizeof(bad))) {
			char msg[160];

			snprintf(msg, sizeof(msg),
			    _("setting \"%s\" cannot be changed through the gate"), bad);
			buf_fini(&unknown);
			session_fatal(s, "KB003", msg, NULL, NULL);
			return;
		} else if (startup_param_passes(s, name, value) &&
		    strcmp(name, "replication") != 0) {
			buf_cstr(&s->startup, name);
			buf_cstr(&s->startup, value);
		}
	}
	if ((version & 0xffff) != 0 || unknown_count > 0) {
		size_t mark = pg_begin(&s->front.out, 'v');

		buf_u32(&s->front.out, PG_PROTOCOL_3_0);
		buf_u32(&s->front.out, unknown_count);
		buf_put(&s->front.out, buf_head(&unknown), buf_used(&unknown));
		pg_end(&s->front.out, mark);
	}
	buf_fini(&unknown);
	s->ctx = hash64(buf_head(&s->startup), buf_used(&s->startup), 0);
	s->phase = PH_AUTH;
	put_sasl_request(s);
}

/* One packet without a type byte. Returns bytes used, 0: more are needed. */
static size_t
start_packet(struct session *s, const uint8_t *p, size_t len)
{
	struct rd r = rd_init(p, len);
	uint32_t n = rd_u32(&r), code;

	if (r.bad)
		return 0;
	if (n < 8 || n > PG_STARTUP_MAX) {
		session_protocol_error(s, "invalid length of start-up packet");
		return 0;
	}
	if (len < n)
		return 0;
	r = rd_init(p + 4, n - 4);
	code = rd_u32(&r);
	if (code == PG_CODE_CANCEL) {
		uint32_t pid = rd_u32(&r), secret = rd_u32(&r);

		if (rd_end(&r))
			cancel_request(s->gate, pid, secret);
		session_close(s);
		return 0;
	}
	if (code == PG_CODE_GSSENC) {
		if (s->gss_asked || n != 8 || conn_send(&s->front, "N", 1) != 1) {
			session_close(s);
			return 0;
		}
		s->gss_asked = true;
		return n;
	}
	if (code == PG_CODE_SSL) {
		if (s->front.ssl != NULL || n != 8) {
			session_protocol_error(s, "SSLRequest inside TLS");
			return 0;
		}
		buf_drop(&s->in, n);
		start_tls_client(s);
		return 0;
	}
	startup_message(s, code, &r);
	return n;
}

/* ---- authentication: the ledger decides, we carry ---- */

static void
sasl_message(struct session *s, struct slice body)
{
	struct buf *b = &s->gate->link_out;
	struct rd r = rd_init(body.p, body.len);
	size_t mark;

	if (s->sasl_step == 0) {
		const char *mech = rd_cstr(&r);
		uint32_t n = rd_u32(&r);
		struct slice first = rd_bytes(&r, n);

		if (!rd_end(&r) || first.len > 4096 || strlen(mech) > 64) {
			session_protocol_error(s, "malformed SASLInitialResponse");
			return;
		}
		mark = ipc_begin(b, IPC_AUTH_FIRST, s->sid);
		buf_lp16(b, slice_cstr(s->peer));
		buf_lp16(b, slice_cstr(s->actor));
		buf_lp16(b, slice_cstr(s->db->conf->name));
		buf_u8(b, s->front.ssl != NULL);
		buf_lp16(b, (struct slice){s->gate->cert_hash,
		    s->front.ssl != NULL ? s->gate->cert_hash_len : 0});
		buf_lp16(b, slice_cstr(mech));
		buf_lp16(b, first);
		buf_lp16(b, slice_cstr(s->app ? s->app : ""));
		ipc_end(b, mark);
		s->sasl_step = 1;
	} else if (s->sasl_step == 2) {
		if (body.len > 4096) {
			session_protocol_error(s, "malformed SASLResponse");
			return;
		}
		mark = ipc_begin(b, IPC_AUTH_FINAL, s->sid);
		buf_lp16(b, body);
		ipc_end(b, mark);
		s->sasl_step = 3;
	} else {
		session_protocol_error(s, "SASL message out of order");
	}
}

static void
put_auth(struct session *s, uint32_t code, struct slice data)
{
	size_t mark = pg_begin(&s->front.out, 'R');

	buf_u32(&s->front.out, code);
	buf_put(&s->front.out, data.p, data.len);
	pg_end(&s->front.out, mark);
}

void
front_auth(struct session *s, enum ipc_type type, struct rd *body)
{
	struct slice data, code;
	char state[6] = "", msg[512];
	uint16_t role;

	if (type == IPC_AUTH_CONT && s->sasl_step == 1) {
		data = rd_lp16(body);
		put_auth(s, PG_AUTH_SASL_CONTINUE, data);
		s->sasl_step = 2;
	} else if (type == IPC_AUTH_OK && s->sasl_step == 3) {
		data = rd_lp16(body);
		s->id = rd_u64(body);
		rd_u16(body);
		role = rd_u16(body);
		must(rd_end(body) && role < s->gate->conf->nroles);
		s->role = &s->gate->conf->roles[role];
		put_auth(s, PG_AUTH_SASL_FINAL, data);
		put_auth(s, PG_AUTH_OK, (struct slice){NULL, 0});
		s->phase = PH_CONNECT;
		s->sasl_step = 4;
		back_start(s);
	} else if (type == IPC_AUTH_FAIL) {
		code = rd_bytes(body, 5);
		data = rd_lp16(body);
		must(rd_end(body));
		memcpy(state, code.p, 5);
		snprintf(msg, sizeof(msg), "%.*s", (int)data.len, (const char *)data.p);
		session_fatal(s, state, msg, NULL, NULL);
		return;
	}
	session_update(s);
}

/* The server said ReadyForQuery for the first time. */
void
front_live(struct session *s)
{
	struct buf *b = &s->front.out;
	size_t mark;

	s->phase = PH_LIVE;
	s->back_ready = true;
	mark = pg_begin(b, 'K');
	/* The process id is the server's: clients compare it with what pg_locks,
	 * notifications and pg_backend_pid() say. The secret is not. */
	buf_u32(b, s->back->pid);
	buf_u32(b, s->cancel_key);
	pg_end(b, mark);
	pg_put_ready(b, 'I');
	front_take(s);
}

static void
start_input(struct session *s)
{
	struct pg_head h;
	size_t used;
	enum err e;

	while (s->phase == PH_START && buf_used(&s->in) > 0) {
		used = start_packet(s, buf_head(&s->in), buf_used(&s->in));
		if (used == 0 || s->phase == PH_CLOSING)
			return;
		buf_drop(&s->in, used);
		if (s->kill)
			return;
	}
	while (s->phase == PH_AUTH && buf_used(&s->in) > 0 && !s->kill) {
		e = pg_head(&h, buf_head(&s->in), buf_used(&s->in));
		if (e == ERR_SHORT)
			return;
		if (e != ERR_OK || h.type != 'p' || h.len > 8192) {
			session_protocol_error(s, "expected a password message");
			return;
		}
		if (buf_used(&s->in) < PG_HEAD_BYTES + h.len)
			return;
		sasl_message(s, (struct slice){buf_head(&s->in) + PG_HEAD_BYTES, h.len});
		if (s->phase == PH_CLOSING || s->kill)
			return;
		buf_drop(&s->in, PG_HEAD_BYTES + h.len);
	}
}

static bool
is_copy(char type)
{
	return type == 'd' || type == 'c' || type == 'f';
}

/* May this message be taken while the session waits? */
static bool
may_take(const struct session *s, char type)
{
	return s->wait == WAIT_NONE || type == 'X' || (s->wait == WAIT_METER &&
	    (type == 'S' || type == 'H')) || (s->copy_in && is_copy(type));
}

/* Clients need not wait for CopyInResponse: what was sent last may ask for it. */
bool
front_copy_comes(struct session *s)
{
	for (size_t i = s->ops_len; !s->copy_in && i-- > 0;) {
		const struct op *op = op_at(s, i);

		if (op->type != OP_SYNC)
			return op->stmt != NULL && op->stmt->kind == SQL_COPY_IN &&
			    (op->type == OP_QUERY || op->type == OP_EXECUTE) &&
			    !op->poisoned && !op->saw_error;
	}
	return false;
}

/* Takes what it can of client bytes of a protected session; returns how much. */
static size_t
protected_input(struct session *s, const uint8_t *p, size_t len)
{
	size_t pos = 0;
	struct pg_head h;
	enum err e;

	while (pos < len && s->phase == PH_LIVE && !s->kill) {
		if (s->front_left > 0) {
			size_t n = len - pos < s->front_left ? len - pos : s->front_left;

			if (!s->front_drop)
				back_put(s, p + pos, n);
			s->front_left -= (uint32_t)n;
			pos += n;
			continue;
		}
		e = pg_head(&h, p + pos, len - pos);
		if (e == ERR_SHORT)
			break;
		if (e != ERR_OK || !pg_client_type(h.type) || h.type == 'p') {
			session_protocol_error(s, "invalid message from the client");
			break;
		}
		if (!may_take(s, h.type)) {
			/* A pipeline goes on after the charged query: the server keeps
			 * its answer back until somebody asks. */
			if (s->wait == WAIT_METER && s->in_pipeline && !s->flush_asked) {
				pg_put_empty(back_out(s), 'H');
				s->flush_asked = true;
			}
			break;
		}
		if (is_copy(h.type) && front_copy_comes(s)) {
			s->wait = WAIT_COPY;
			break;
		}
		if (h.type == 'd') {
			s->front_drop = !s->copy_in;
			if (s->copy_in)
				back_put(s, p + pos, PG_HEAD_BYTES);
			s->front_left = h.len;
			pos += PG_HEAD_BYTES;
			continue;
		}
		if (h.len > SQL_MAX_BYTES) {
			link_incident(s, "too-long", "client message");
			session_fatal(s, "54000",
			    _("a message to a protected database may have 16 MiB at most"),
			    NULL, _("Send large values with COPY ... FROM STDIN."));
			break;
		}
		if (len - pos < PG_HEAD_BYTES + h.len)
			break;
		query_message(s, h, (struct slice){p + pos + PG_HEAD_BYTES, h.len});
		pos += PG_HEAD_BYTES + h.len;
	}
	return pos;
}

static void
live_input(struct session *s, const uint8_t *p, size_t len)
{
	size_t used;

	if (s->db->conf->unprotected && buf_used(&s->in) == 0) {
		relay_front(s, p, len);
		return;
	}
	if (buf_used(&s->in) > 0) {
		buf_put(&s->in, p, len);
		front_take(s);
		return;
	}
	used = protected_input(s, p, len);
	if (s->phase == PH_LIVE && used < len)
		buf_put(&s->in, p + used, len - used);
}

/* Takes what was kept back, after a wait. */
void
front_take(struct session *s)
{
	if (s->phase != PH_LIVE || buf_used(&s->in) == 0)
		return;
	if (s->db->conf->unprotected) {
		struct buf in = s->in;

		buf_init(&s->in, in.max);
		relay_front(s, buf_head(&in), buf_used(&in));
		buf_fini(&in);
	} else {
		/* query_message() may come back here through a wait that ends at
		 * once; the head is taken off first, so nothing is seen twice. */
		size_t used = protected_input(s, buf_head(&s->in), buf_used(&s->in));

		if (s->phase == PH_LIVE)
			buf_drop(&s->in, used);
	}
}

void
front_ready(struct conn *c, int events)
{
	struct session *s = c->owner;
	struct gate *g = s->gate;
	ssize_t n;

	if (s->phase == PH_CLOSING)
		return;
	if (c->ssl != NULL && !SSL_is_init_finished(c->ssl)) {
		int done = conn_handshake(c);

		if (done < 0)
			session_close(s);
		if (done <= 0) {
			if (s->phase != PH_CLOSING)
				conn_watch(c, 0);
			return;
		}
	}
	do {
		if (!c->want_read)
			break;
		n = conn_recv(c, g->scratch, SCRATCH_BYTES);
		if (n < 0) {
			session_close(s);
			return;
		}
		if (n == 0)
			break;
		if (s->phase == PH_LIVE) {
			live_input(s, g->scratch, (size_t)n);
		} else {
			buf_put(&s->in, g->scratch, (size_t)n);
			start_input(s);
		}
		if (s->in.bad && s->phase != PH_CLOSING) {
			session_protocol_error(s, "message too long");
			return;
		}
		if (s->phase == PH_CLOSING)
			return;
		session_update(s);
	} while (s->phase != PH_CLOSING && conn_pending(c));
	if (s->phase != PH_CLOSING)
		session_update(s);
}

void
session_tick(struct session *s, uint64_t now_us)
{
	if ((s->phase == PH_START || s->phase == PH_AUTH) &&
	    now_us - s->started_us > s->gate->conf->login_timeout_s * 1000000ull) {
		session_fatal(s, "57014", _("the login took too long"), NULL, NULL);
		return;
	}
	if (s->phase == PH_CONNECT && s->back != NULL && up_late(&s->back->up, now_us)) {
		session_fatal(s, "08001", _("the database server does not answer"), NULL,
		    NULL);
		return;
	}
	if (s->wait == WAIT_CATALOG && now_us - s->wait_since_us > CATALOG_TIMEOUT_US) {
		session_fatal(s, "57P03",
		    _("the catalog of this database could not be loaded"), NULL,
		    _("Statements cannot be judged until the gate reaches the database."));
		return;
	}
	/* A client that does not read its last message is not waited for. */
	if (s->kill && s->kill_ticks++ > 20) {
		session_close(s);
		return;
	}
	if (s->gate->tick_count % 4 == s->sid % 4)
		tally_flush(s);
}

/* ---- statements that released nothing: counted, logged once a second ---- */

void
tally_count(struct session *s, enum verdict_class class, uint64_t hash,
    const char *text, size_t len, uint32_t count, uint64_t rows)
{
	static char shape[8192];
	struct tally *st = &s->tallies[0];

	for (int i = 0; i < TALLIES; i++) {
		if (s->tallies[i].shape == NULL) {
			st = &s->tallies[i];
		} else if (s->tallies[i].hash == hash && s->tallies[i].class == class) {
			s->tallies[i].count += count;
			s->tallies[i].rows += rows;
			return;
		}
	}
	if (st->shape != NULL) {
		link_statement(s, st);
		free(st->shape);
		free(st->original);
	}
	*st = (struct tally){.hash = hash, .class = (uint8_t)class, .count = count,
	    .rows = rows, .original_len = len < 65536 ? len : 65536};
	st->shape_len = sql_shape(shape, sizeof(shape), text, len, s->std_strings,
	    &hash);
	must((st->shape = malloc(st->shape_len + 1)) != NULL);
	memcpy(st->shape, shape, st->shape_len);
	must((st->original = malloc(st->original_len + 1)) != NULL);
	memcpy(st->original, text, st->original_len);
}

void
tally_flush(struct session *s)
{
	for (int i = 0; i < TALLIES; i++) {
		struct tally *st = &s->tallies[i];

		if (st->shape == NULL)
			continue;
		if (s->id != 0)
			link_statement(s, st);
		free(st->shape);
		free(st->original);
		*st = (struct tally){0};
	}
}
