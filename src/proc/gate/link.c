/* SPDX-License-Identifier: Apache-2.0 */
/* The channel to the ledger: one buffer each way, flushed once a loop turn. */
#include "proc/gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/say.h"

enum { LINK_MAX = 64 << 20, LINK_HIGH = 4 << 20 };

static void link_event(uv_poll_t *p, int status, int events);

static void
link_watch(struct gate *g)
{
	int events = UV_READABLE | (buf_used(&g->link_out) > 0 ? UV_WRITABLE : 0);

	if (g->link_dead || events == g->link_events)
		return;
	g->link_events = events;
	uv_poll_start(&g->link_poll, events, link_event);
}

/* Without the ledger nothing may be released: every session ends, then we do. */
static void
link_lost(struct gate *g, const char *why)
{
	if (g->link_dead)
		return;
	g->link_dead = true;
	uv_poll_stop(&g->link_poll);
	say_error("%s: %s", _("the ledger is gone; ending all sessions"), why);
	for (struct session *s = g->sessions, *next; s != NULL; s = next) {
		next = s->next;
		session_fatal(s, "KB005", _("the ledger cannot seal: nothing was released"),
		    NULL, _("Connect again in a moment."));
	}
	uv_stop(&g->loop);
}

void
link_flush(struct gate *g)
{
	while (!g->link_dead && buf_used(&g->link_out) > 0) {
		ssize_t n = write(g->link_fd, buf_head(&g->link_out),
		    buf_used(&g->link_out));

		if (n > 0) {
			buf_drop(&g->link_out, (size_t)n);
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			break;
		} else {
			link_lost(g, "write");
			return;
		}
	}
	if (g->link_out.bad) {
		link_lost(g, "queue full");
		return;
	}
	link_watch(g);
}

bool
link_congested(const struct gate *g)
{
	return buf_used(&g->link_out) > LINK_HIGH;
}

static bool
link_message(struct gate *g, struct ipc_msg *m)
{
	struct session *s = m->sid ? gate_session(g, m->sid) : NULL;
	struct rd *b = &m->body;
	uint32_t handle, pid;
	uint8_t status;
	uint16_t index;
	struct slice payload;

	switch (m->type) {
	case IPC_AUTH_CONT:
	case IPC_AUTH_OK:
	case IPC_AUTH_FAIL:
		if (s != NULL)
			front_auth(s, m->type, b);
		return true;
	case IPC_UP_REPLY:
		handle = rd_u32(b);
		status = rd_u8(b);
		payload = rd_lp32(b);
		if (!rd_end(b))
			return false;
		if (handle != 0)
			side_up_reply(g, handle, status, payload);
		else if (s != NULL)
			back_up_reply(s, status, payload);
		return true;
	case IPC_GRANT:
		if (s != NULL)
			meter_grant(s, b);
		return true;
	case IPC_BASELINE:
		side_baseline(g, b);
		return !b->bad;
	case IPC_EPOCH_ALL:
		index = rd_u16(b);
		if (!rd_end(b) || index >= g->conf->ndatabases)
			return false;
		db_bump(&g->dbs[index], false);
		return true;
	case IPC_CANCEL_ALL:
		pid = rd_u32(b);
		handle = rd_u32(b);
		if (!rd_end(b))
			return false;
		cancel_local(g, pid, handle);
		return true;
	case IPC_KILL:
		if (s != NULL) {
			struct slice code = rd_bytes(b, 5), text = rd_lp16(b);
			char state[6] = "", msg[512];

			if (!rd_end(b))
				return false;
			memcpy(state, code.p, 5);
			snprintf(msg, sizeof(msg), "%.*s", (int)text.len,
			    (const char *)text.p);
			session_fatal(s, state, msg, NULL, NULL);
		}
		return true;
	default:
		return false;
	}
}

static void
link_event(uv_poll_t *p, int status, int events)
{
	struct gate *g = p->data;
	struct ipc_msg m;
	size_t used;
	uint8_t *room;
	ssize_t n;

	if (events & UV_WRITABLE)
		link_flush(g);
	if (g->link_dead || !(events & UV_READABLE || status < 0))
		return;
	if ((room = buf_room(&g->link_in, 65536)) == NULL) {
		link_lost(g, "memory");
		return;
	}
	n = read(g->link_fd, room, 65536);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		link_lost(g, "closed");
		return;
	}
	buf_added(&g->link_in, (size_t)n);
	for (;;) {
		enum err e = ipc_next(&m, buf_head(&g->link_in),
		    buf_used(&g->link_in), &used);

		if (e == ERR_SHORT)
			break;
		if (e != ERR_OK || !link_message(g, &m)) {
			link_lost(g, "malformed message");
			return;
		}
		buf_drop(&g->link_in, used);
	}
}

void
link_start(struct gate *g, int fd)
{
	size_t mark;

	g->link_fd = fd;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	buf_init(&g->link_in, 4 << 20);
	buf_init(&g->link_out, LINK_MAX);
	must(uv_poll_init(&g->loop, &g->link_poll, fd) == 0);
	g->link_poll.data = g;
	mark = ipc_begin(&g->link_out, IPC_HELLO, 0);
	buf_u16(&g->link_out, IPC_VERSION);
	buf_u16(&g->link_out, (uint16_t)g->worker);
	ipc_end(&g->link_out, mark);
	link_watch(g);
}

void
link_alert(struct gate *g, const char *kind, const char *db, const char *object)
{
	struct buf *b = &g->link_out;
	size_t mark = ipc_begin(b, IPC_ALERT, 0);

	buf_lp16(b, slice_cstr(kind));
	buf_lp16(b, slice_cstr(db));
	buf_lp16(b, slice_cstr(object));
	ipc_end(b, mark);
}

void
link_incident(struct session *s, const char *kind, const char *detail)
{
	struct buf *b = &s->gate->link_out;
	size_t mark = ipc_begin(b, IPC_INCIDENT, s->sid);

	buf_lp16(b, slice_cstr(kind));
	buf_lp16(b, slice_cstr(detail));
	ipc_end(b, mark);
}

enum { SHAPE_MAX = 16384, ORIGINAL_MAX = 65536 };

/* Puts the shape and the original of a text, both bounded. */
static void
put_sql(struct session *s, const char *text, size_t len)
{
	static char shape[SHAPE_MAX];
	size_t n = sql_shape(shape, sizeof(shape), text, len, s->std_strings, NULL);

	buf_lp32(&s->gate->link_out, (struct slice){(uint8_t *)shape, n});
	buf_lp32(&s->gate->link_out, (struct slice){(const uint8_t *)text,
	    len < ORIGINAL_MAX ? len : ORIGINAL_MAX});
}

void
link_deny(struct session *s, const char *sqlstate, unsigned why,
    const char *object, const char *text, size_t len)
{
	struct buf *b = &s->gate->link_out;
	size_t mark = ipc_begin(b, IPC_DENY, s->sid);

	buf_put(b, sqlstate, 5);
	buf_u8(b, (uint8_t)why);
	buf_lp16(b, slice_cstr(object ? object : ""));
	put_sql(s, text, len);
	ipc_end(b, mark);
}

void
link_statement(struct session *s, const struct tally *st)
{
	struct buf *b = &s->gate->link_out;
	size_t mark = ipc_begin(b, IPC_STATEMENT, s->sid);

	buf_u8(b, st->class);
	buf_u32(b, st->count);
	buf_u64(b, st->rows);
	buf_u64(b, st->bytes);
	buf_lp32(b, (struct slice){(uint8_t *)st->shape, st->shape_len});
	buf_lp32(b, (struct slice){(uint8_t *)st->original, st->original_len});
	ipc_end(b, mark);
}
