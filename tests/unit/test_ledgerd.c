/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger process through its real channels: a thread runs ledger_serve(), the
 * test is the parent and the gates. L1 (nothing answered before it is durable),
 * L2 (exact edge), L4 (one meter), L5 (fail closed), and the phases of ipc.tbl.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "fake_ledger.h"
#include "proc/ledger/server.h"

enum { WAIT_MS = 10000 };

static const char conf_text[] =
    "state = \"/tmp\"\n"
    "lockout_failures = 3\n"
    "database \"crm\" {\n"
    "    upstream = \"host=127.0.0.1 dbname=crm user=gate password=secret\"\n"
    "    table \"public.customers\" { subject = \"id\"\n"
    "        personal = { \"name\" } }\n"
    "}\n"
    "database \"hr\" {\n"
    "    upstream = \"host=127.0.0.1 dbname=hr user=gate password=secret\"\n"
    "    table \"public.staff\" { subject = \"id\"  personal = { \"name\" } }\n"
    "}\n"
    "role \"operator\" { databases = { \"crm\" }  subjects_per_day = 100 }\n"
    "role \"both\" { databases = { \"crm\", \"hr\" }  subjects_per_day = 50 }\n"
    "role \"asker\" { databases = { \"crm\" }  subjects_per_day = 10\n"
    "    on_excess = \"hold\" }\n"
    "role \"watched\" { databases = { \"crm\" }  subjects_per_day = 10\n"
    "    on_excess = \"observe\" }\n";

static const char password[] = "correct horse 1";

/* --- the process -------------------------------------------------------- */

struct proc {
	char dir[64];
	const char *text;		/* of the configuration; NULL: conf_text */
	struct conf *conf;
	struct serve_options o;
	int parent, listener;
	pthread_t thread;
	enum err result;
};

static void *
run(void *arg)
{
	struct proc *p = arg;

	p->result = ledger_serve(p->conf, &p->o);
	close(p->o.parent_fd);
	return NULL;
}

/* Does not wait until it is ready: it may not come to that. */
static void
proc_start_unready(struct proc *p)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct conf_notes notes;
	int pair[2];

	if (p->text == NULL)
		p->text = conf_text;
	if (conf_parse(&p->conf, "kuraban.conf", p->text, &notes) != ERR_OK)
		fail_msg("%s", notes.n ? notes.v[0].text : "conf");
	conf_notes_fini(&notes);
	if (p->dir[0] == 0) {
		strcpy(p->dir, "/tmp/kuraban-test-XXXXXX");
		assert_non_null(mkdtemp(p->dir));
	}
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/control.sock", p->dir);
	unlink(un.sun_path);
	p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(p->listener, 8), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	p->parent = pair[0];
	p->o = (struct serve_options){.dir = p->dir, .conf_text = slice_cstr(p->text),
	    .parent_fd = pair[1], .control_fd = p->listener};
	assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
}

static void
proc_start(struct proc *p)
{
	char ready;

	proc_start_unready(p);
	assert_int_equal(read(p->parent, &ready, 1), 1);
	assert_int_equal(ready, 'R');
}

static enum err
proc_stop(struct proc *p)
{
	(void)send(p->parent, "S", 1, MSG_NOSIGNAL);
	pthread_join(p->thread, NULL);
	close(p->parent);
	close(p->listener);
	conf_free(p->conf);
	return p->result;
}

static void
proc_remove(struct proc *p)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", p->dir);
	assert_int_equal(system(cmd), 0);
	fake_reset();
}

static json_t *
control(struct proc *p, const char *request)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	static char line[1 << 16];
	size_t n = 0;
	json_t *o;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/control.sock", p->dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_true(write(fd, request, strlen(request)) > 0);
	assert_true(write(fd, "\n", 1) > 0);
	while (memchr(line, '\n', n) == NULL) {
		ssize_t got = read(fd, line + n, sizeof(line) - n);

		assert_true(got > 0);
		n += (size_t)got;
	}
	close(fd);
	o = json_loadb(line, n, 0, NULL);
	assert_non_null(o);
	return o;
}

static bool
control_ok(struct proc *p, const char *request)
{
	json_t *o = control(p, request);
	bool ok = json_is_true(json_object_get(o, "ok"));

	json_decref(o);
	return ok;
}

static void
actor_add(struct proc *p, const char *name, const char *role)
{
	char q[256];

	snprintf(q, sizeof(q), "{\"do\":\"actor-add\",\"name\":\"%s\","
	    "\"role\":\"%s\",\"password\":\"%s\",\"login\":\"suzuki\"}", name, role,
	    password);
	assert_true(control_ok(p, q));
}

/* --- a gate ------------------------------------------------------------- */

struct gate {
	int fd;
	struct buf in, out;
	size_t used;			/* of the message that was read last */
};

static void
gate_send(struct gate *g)
{
	while (buf_used(&g->out) > 0) {
		ssize_t n = send(g->fd, buf_head(&g->out), buf_used(&g->out),
		    MSG_NOSIGNAL);

		if (n <= 0)
			break;
		buf_drop(&g->out, (size_t)n);
	}
	buf_clear(&g->out);
}

static void
gate_open(struct gate *g, struct proc *p, unsigned number)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = {{0}};
	char byte = 'G';
	struct iovec io = {&byte, 1};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1,
	    .msg_control = u.space, .msg_controllen = sizeof(u.space)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int pair[2];
	size_t mark;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pair[1], sizeof(int));
	assert_int_equal(sendmsg(p->parent, &m, 0), 1);
	close(pair[1]);
	g->fd = pair[0];
	g->used = 0;
	buf_init(&g->in, 4u << 20);
	buf_init(&g->out, 4u << 20);
	mark = ipc_begin(&g->out, IPC_HELLO, 0);
	buf_u16(&g->out, IPC_VERSION);
	buf_u16(&g->out, (uint16_t)number);
	ipc_end(&g->out, mark);
	gate_send(g);
}

static void
gate_close(struct gate *g)
{
	close(g->fd);
	buf_fini(&g->in);
	buf_fini(&g->out);
}

/* The next message; false: the channel was closed. */
static bool
gate_next(struct gate *g, struct ipc_msg *m)
{
	buf_drop(&g->in, g->used);
	g->used = 0;
	for (;;) {
		struct pollfd p = {g->fd, POLLIN, 0};
		enum err err = ipc_next(m, buf_head(&g->in), buf_used(&g->in),
		    &g->used);
		uint8_t *room;
		ssize_t n;

		if (err == ERR_OK)
			return true;
		assert_int_equal(err, ERR_SHORT);
		g->used = 0;
		if (poll(&p, 1, WAIT_MS) != 1)
			fail_msg("no answer");
		room = buf_room(&g->in, 65536);
		n = recv(g->fd, room, 65536, 0);
		if (n <= 0)
			return false;
		buf_added(&g->in, (size_t)n);
	}
}

static struct ipc_msg
gate_expect(struct gate *g, enum ipc_type type)
{
	struct ipc_msg m;

	if (!gate_next(g, &m))
		fail_msg("closed instead of %s", ipc_name(type));
	assert_string_equal(ipc_name(m.type), ipc_name(type));
	return m;
}

static void
gate_expect_closed(struct gate *g)
{
	struct ipc_msg m;

	while (gate_next(g, &m))
		;
}

static void
lp(struct buf *b, const char *s)
{
	buf_lp16(b, slice_cstr(s));
}

/* Logs in; "" or the SQLSTATE of the refusal. */
static const char *
gate_login(struct gate *g, uint32_t sid, const char *actor, const char *pass,
    const char *database)
{
	static const uint8_t nonce[SCRAM_NONCE] = "nonce";
	static char state[6];
	struct scram_client c;
	struct scram_cache cache = {0};
	struct buf first;
	struct ipc_msg m;
	size_t mark;

	state[0] = 0;
	buf_init(&first, 4096);
	scram_client_first(&c, nonce, &first);
	mark = ipc_begin(&g->out, IPC_AUTH_FIRST, sid);
	lp(&g->out, "127.0.0.1:4000");
	lp(&g->out, actor);
	lp(&g->out, database);
	buf_u8(&g->out, 0);
	lp(&g->out, "");
	lp(&g->out, SCRAM_SHA_256);
	buf_lp16(&g->out, (struct slice){buf_head(&first), buf_used(&first)});
	lp(&g->out, "test");
	ipc_end(&g->out, mark);
	gate_send(g);
	assert_true(gate_next(g, &m));
	if (m.type == IPC_AUTH_CONT) {
		buf_clear(&first);
		assert_int_equal(scram_client_final(&c, pass, &cache,
		    rd_lp16(&m.body), &first), ERR_OK);
		mark = ipc_begin(&g->out, IPC_AUTH_FINAL, sid);
		buf_lp16(&g->out, (struct slice){buf_head(&first),
		    buf_used(&first)});
		ipc_end(&g->out, mark);
		gate_send(g);
		assert_true(gate_next(g, &m));
	}
	if (m.type == IPC_AUTH_OK) {
		assert_int_equal(scram_client_verify(&c, rd_lp16(&m.body)), ERR_OK);
	} else {
		assert_int_equal(m.type, IPC_AUTH_FAIL);
		memcpy(state, m.body.p, 5);
		state[5] = 0;
	}
	buf_fini(&first);
	return state;
}

static void
put_open_of(struct gate *g, uint32_t sid, unsigned class, const char *original)
{
	size_t mark = ipc_begin(&g->out, IPC_STMT_OPEN, sid);

	buf_u8(&g->out, (uint8_t)class);
	buf_u8(&g->out, 0);
	buf_lp32(&g->out, slice_cstr("SELECT name FROM customers WHERE id < $i"));
	buf_lp32(&g->out, slice_cstr(original));
	buf_u16(&g->out, 1);
	lp(&g->out, "public.customers");
	lp(&g->out, "name");
	buf_u16(&g->out, 1);
	lp(&g->out, "public.customers");
	ipc_end(&g->out, mark);
}

static void
put_open(struct gate *g, uint32_t sid, unsigned class)
{
	put_open_of(g, sid, class, "SELECT name FROM customers WHERE id < 9");
}

/* Rows of one subject each: from, from + 1, ... */
static void
put_rows(struct gate *g, uint32_t sid, uint32_t request, bool last,
    uint32_t from, uint32_t n)
{
	size_t mark = ipc_begin(&g->out, IPC_RELEASE, sid);

	buf_u32(&g->out, request);
	buf_u32(&g->out, n);
	buf_u64(&g->out, 1000);
	buf_u8(&g->out, last);
	for (uint32_t i = 0; i < n; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%u", from + i);
		buf_u8(&g->out, 1);
		buf_u8(&g->out, 0);
		lp(&g->out, key);
	}
	ipc_end(&g->out, mark);
}

static void
put_release(struct gate *g, uint32_t sid, uint32_t request, uint32_t from,
    uint32_t n)
{
	put_rows(g, sid, request, false, from, n);
}

static void
put_end(struct gate *g, uint32_t sid)
{
	size_t mark = ipc_begin(&g->out, IPC_STMT_END, sid);

	buf_u64(&g->out, 1);
	buf_u64(&g->out, 1);
	buf_u8(&g->out, 0);
	ipc_end(&g->out, mark);
}

struct grant {
	uint32_t request, rows;
	uint8_t reason, window;
	uint64_t used, limit, frees_us;
};

static struct grant
gate_grant(struct gate *g)
{
	struct ipc_msg m = gate_expect(g, IPC_GRANT);
	struct grant r;

	r.request = rd_u32(&m.body);
	r.rows = rd_u32(&m.body);
	r.reason = rd_u8(&m.body);
	r.window = rd_u8(&m.body);
	r.used = rd_u64(&m.body);
	r.limit = rd_u64(&m.body);
	r.frees_us = rd_u64(&m.body);
	assert_true(rd_end(&m.body));
	return r;
}

/* One statement that releases n rows. */
static struct grant
release(struct gate *g, uint32_t sid, uint32_t from, uint32_t n)
{
	struct grant r;

	put_open(g, sid, 1);
	put_release(g, sid, 7, from, n);
	put_end(g, sid);
	gate_send(g);
	r = gate_grant(g);
	assert_int_equal(r.request, 7);
	return r;
}

/* --- tests -------------------------------------------------------------- */

static void
exact_edge_and_repeats_L2(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	struct grant r;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	r = release(&g, 1, 1, 60);
	assert_int_equal(r.rows, 60);
	assert_int_equal(r.reason, 0);
	/* 130 wanted, 60 of them known: 100 of them go. */
	r = release(&g, 1, 1, 130);
	assert_int_equal(r.rows, 100);
	assert_int_equal(r.reason, 1);
	assert_int_equal(r.window, WINDOW_DAY);
	assert_int_equal(r.used, 100);
	assert_int_equal(r.limit, 100);
	assert_true((int64_t)r.frees_us > clock_wall_us());
	assert_true((int64_t)r.frees_us < clock_wall_us() + 90000000000);
	/* Repeats are free, new ones are not. */
	r = release(&g, 1, 1, 100);
	assert_int_equal(r.rows, 100);
	r = release(&g, 1, 101, 1);
	assert_int_equal(r.rows, 0);
	gate_close(&g);
	/* The book knows it after a restart by its snapshot ... */
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_start(&p);
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	assert_int_equal(release(&g, 1, 101, 1).rows, 0);
	assert_int_equal(release(&g, 1, 50, 51).rows, 51);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	/* ... and by the ledger alone. */
	char snap[128];
	snprintf(snap, sizeof(snap), "%s/meter.snap", p.dir);
	assert_int_equal(unlink(snap), 0);
	proc_start(&p);
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	assert_int_equal(release(&g, 1, 101, 1).rows, 0);
	assert_int_equal(release(&g, 1, 50, 51).rows, 51);
	json_t *o = control(&p, "{\"do\":\"budget\",\"actor\":\"tanaka\"}");
	json_t *row = json_array_get(json_object_get(o, "rows"), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "used")), 100);
	assert_int_equal(json_integer_value(json_object_get(row, "limit")), 100);
	assert_string_equal(json_string_value(json_object_get(row, "database")),
	    "crm");
	json_decref(o);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

/* A snapshot of another ledger, or a damaged one, is not believed. */
static void
snapshot_is_only_derived(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	char snap[128];
	FILE *f;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	assert_int_equal(release(&g, 1, 1, 100).rows, 100);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	snprintf(snap, sizeof(snap), "%s/meter.snap", p.dir);
	for (long at = 0; at < 3000; at += 97) {
		int c;

		assert_non_null(f = fopen(snap, "r+"));
		fseek(f, at, SEEK_SET);
		if ((c = fgetc(f)) == EOF) {
			fclose(f);
			break;
		}
		fseek(f, at, SEEK_SET);
		fputc(c ^ 0x40, f);
		fclose(f);
		proc_start(&p);
		gate_open(&g, &p, 0);
		assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"),
		    "");
		assert_int_equal(release(&g, 1, 101, 1).rows, 0);
		assert_int_equal(release(&g, 1, 1, 100).rows, 100);
		gate_close(&g);
		assert_int_equal(proc_stop(&p), ERR_OK);
	}
	/* The snapshot of another ledger that is as long. */
	char kept[160];
	snprintf(kept, sizeof(kept), "%s.kept", snap);
	assert_int_equal(rename(snap, kept), 0);
	size_t entries = fake_count();
	fake_reset();
	proc_start(&p);
	while (fake_count() < entries + 20)
		control_ok(&p, "{\"do\":\"actor-enable\",\"name\":\"tanaka\"}");
	assert_int_equal(proc_stop(&p), ERR_OK);
	assert_int_equal(rename(kept, snap), 0);
	proc_start(&p);
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	assert_int_equal(release(&g, 1, 101, 1).rows, 1);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	/* The ledger was put back to an older state under a newer snapshot. */
	fake_reset();
	proc_start(&p);
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	assert_int_equal(release(&g, 1, 101, 1).rows, 1);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

struct racer {
	struct gate g;
	uint32_t sid, from, granted;
};

static void *
race(void *arg)
{
	struct racer *r = arg;

	for (uint32_t i = 0; i < 40; i++)
		r->granted += release(&r->g, r->sid, r->from + 5 * i, 5).rows;
	return NULL;
}

/* Two gates, three sessions of one actor, all at once. */
static void
one_meter_for_all_gates_L4(void **state)
{
	struct proc p = {.dir = ""};
	struct racer r[3] = {{.sid = 1, .from = 1000}, {.sid = 1, .from = 2000},
	    {.sid = 9, .from = 3000}};
	pthread_t t[3];

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	for (unsigned i = 0; i < 3; i++) {
		gate_open(&r[i].g, &p, i);
		assert_string_equal(gate_login(&r[i].g, r[i].sid, "tanaka", password,
		    "crm"), "");
	}
	for (unsigned i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, race, &r[i]);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(r[0].granted + r[1].granted + r[2].granted, 100);
	for (unsigned i = 0; i < 3; i++)
		gate_close(&r[i].g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

/* One person's budget, two databases; the same key in each is another person. */
static void
one_meter_for_all_databases_L4(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;

	proc_start(&p);
	actor_add(&p, "sato", "both");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "sato", password, "crm"), "");
	assert_string_equal(gate_login(&g, 2, "sato", password, "hr"), "");
	assert_int_equal(release(&g, 1, 1, 30).rows, 30);
	assert_int_equal(release(&g, 2, 1, 30).rows, 20);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

static void
hold_and_observe(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	struct grant r;

	proc_start(&p);
	actor_add(&p, "ask", "asker");
	actor_add(&p, "watch", "watched");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "ask", password, "crm"), "");
	r = release(&g, 1, 1, 12);
	assert_int_equal(r.rows, 10);
	assert_int_equal(r.reason, 2);
	/* The request's number is the entry's. */
	assert_non_null(memmem(fake_entry(r.frees_us).p, fake_entry(r.frees_us).len,
	    "\"kind\":\"grant\"", 14));
	assert_string_equal(gate_login(&g, 2, "watch", password, "crm"), "");
	r = release(&g, 2, 1, 12);
	assert_int_equal(r.rows, 12);
	assert_int_equal(r.reason, 4);
	r = release(&g, 2, 100, 12);
	assert_int_equal(r.rows, 12);
	assert_int_equal(r.reason, 4);
	assert_int_equal(r.used, 24);
	assert_int_equal(fake_find("\"kind\":\"alert\"", "over-budget"), 1);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

/* One entry for a statement that ends with its rows; none of them after a cut. */
static void
last_rows_end_the_statement(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	struct grant r, after;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	for (uint32_t i = 1; i <= 10; i++) {
		/* Every other one has no literal: its shape is the original. */
		put_open_of(&g, 1, 1, i % 2 ? "SELECT name FROM customers WHERE id "
		    "< 9" : "SELECT name FROM customers WHERE id < $i");
		put_rows(&g, 1, i, true, i, 1);
		gate_send(&g);
		assert_int_equal(gate_grant(&g).rows, 1);
	}
	assert_int_equal(fake_find("\"kind\":\"release\"", "\"end\":\"complete\""),
	    10);
	assert_int_equal(fake_find("\"kind\":\"statement\"", ""), 0);
	assert_int_equal(fake_find("\"kind\":\"release\"", "\"sealed\":"), 5);
	assert_int_equal(fake_find("\"kind\":\"release\"", "\"commitment\":"), 5);
	/* Of several entries the last says it. */
	put_open(&g, 1, 1);
	put_release(&g, 1, 11, 1, 40);
	put_rows(&g, 1, 12, true, 1, 50);
	put_open(&g, 1, 1);
	put_rows(&g, 1, 13, false, 50, 1);
	put_end(&g, 1);
	gate_send(&g);
	for (int i = 0; i < 3; i++)
		assert_int_equal(gate_grant(&g).reason, 0);
	assert_int_equal(fake_find("\"kind\":\"release\"", "\"end\""), 11);
	assert_int_equal(fake_find("\"kind\":\"statement\"", "complete"), 1);
	/* Rows behind a cut are not shown, so they are not counted, seen or new. */
	put_open(&g, 1, 1);
	put_release(&g, 1, 14, 41, 70);
	put_rows(&g, 1, 15, true, 1, 5);
	put_end(&g, 1);
	gate_send(&g);
	r = gate_grant(&g);
	assert_int_equal(r.rows, 60);
	assert_int_equal(r.reason, 1);
	after = gate_grant(&g);
	assert_int_equal(after.request, 15);
	assert_int_equal(after.rows, 0);
	assert_int_equal(after.reason, 1);
	assert_int_equal(after.used, r.used);
	assert_int_equal(after.frees_us, r.frees_us);
	assert_int_equal(fake_find("\"kind\":\"release\"", ""), 14);
	assert_int_equal(fake_find("\"kind\":\"release\"", "\"end\""), 11);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

/* 20,000 rows: more than one entry takes; every token is in the ledger. */
static void
bulk_is_cut_into_entries(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	struct grant r;

	proc_start(&p);
	actor_add(&p, "watch", "watched");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 2, "watch", password, "crm"), "");
	r = release(&g, 2, 1, 20000);
	assert_int_equal(r.rows, 20000);
	assert_int_equal(fake_find("\"kind\":\"release\"", "watch"), 5);
	/* All known: nothing grows, so nothing is exceeded by it. */
	assert_int_equal(release(&g, 2, 1, 20000).reason, 0);
	assert_int_equal(release(&g, 2, 30000, 1).used, 20001);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

static void
people_and_passwords(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", "wrong", "crm"), "28P01");
	assert_string_equal(gate_login(&g, 1, "nobody", "wrong", "crm"), "28P01");
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "hr"), "3D000");
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "no"), "3D000");
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	/* Nobody's names behave alike, down to the lock-out. */
	for (int i = 0; i < 3; i++) {
		assert_string_equal(gate_login(&g, 2, "tanaka", "bad", "crm"),
		    "28P01");
		assert_string_equal(gate_login(&g, 2, "nemo", "bad", "crm"),
		    "28P01");
	}
	assert_string_equal(gate_login(&g, 2, "tanaka", "bad", "crm"), "KB006");
	assert_string_equal(gate_login(&g, 2, "nemo", "bad", "crm"), "KB006");
	/* A right password does not show while locked. */
	assert_string_equal(gate_login(&g, 2, "tanaka", password, "crm"), "KB006");
	assert_true(control_ok(&p, "{\"do\":\"actor-enable\",\"name\":\"tanaka\"}"));
	assert_string_equal(gate_login(&g, 2, "tanaka", password, "crm"), "");
	assert_int_equal(fake_find("nemo", ""), 0);
	assert_int_equal(fake_find("actor-locked", "tanaka"), 1);
	/* 180 days later. */
	fake_now_us = clock_wall_us() + 181 * 86400000000;
	/* Which to the process is a clock that was put back by so much: told once. */
	assert_string_equal(gate_login(&g, 3, "tanaka", password, "crm"), "KB006");
	assert_false(control_ok(&p, "{\"do\":\"actor-password\",\"name\":"
	    "\"tanaka\",\"password\":\"short\"}"));
	assert_false(control_ok(&p, "{\"do\":\"actor-password\",\"name\":"
	    "\"tanaka\",\"password\":\"Tanaka1234567\"}"));
	assert_false(control_ok(&p, "{\"do\":\"actor-password\",\"name\":"
	    "\"tanaka\",\"password\":\"correct horse 1\"}"));
	assert_true(control_ok(&p, "{\"do\":\"actor-password\",\"name\":"
	    "\"tanaka\",\"password\":\"another horse 2\"}"));
	assert_string_equal(gate_login(&g, 3, "tanaka", "another horse 2", "crm"),
	    "");
	assert_int_equal(fake_find("\"kind\":\"incident\"", "clock-back"), 1);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

/* A minute of silence is filled. */
static void
heartbeat(void **state)
{
	struct proc p = {.dir = ""};

	proc_start(&p);
	fake_now_us = clock_wall_us() + 3600000000;
	for (int i = 0; i < 100 && fake_find("clock-back", "") == 0; i++)
		usleep(100000);
	assert_int_equal(fake_find("heartbeat", ""), 0);
	usleep(2100000);
	fake_now_us += 61000000;
	for (int i = 0; i < 100 && fake_find("heartbeat", "") == 0; i++)
		usleep(100000);
	assert_int_equal(fake_find("heartbeat", "\"sessions\":0"), 1);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

static void
disabled_actor_is_killed(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	struct ipc_msg m;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	assert_true(control_ok(&p,
	    "{\"do\":\"actor-disable\",\"name\":\"tanaka\"}"));
	m = gate_expect(&g, IPC_KILL);
	assert_int_equal(m.sid, 1);
	assert_memory_equal(m.body.p, "KB006", 5);
	/* What was under way is void, not malformed. */
	put_open(&g, 1, 1);
	put_release(&g, 1, 7, 1, 5);
	gate_send(&g);
	assert_string_equal(gate_login(&g, 2, "tanaka", password, "crm"), "KB006");
	assert_int_equal(fake_find("\"kind\":\"release\"", ""), 0);
	assert_int_equal(fake_find("actor-disable", "tanaka"), 1);
	/* The change survives. */
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_start(&p);
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 2, "tanaka", password, "crm"), "KB006");
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

/* Each of these must cost the gate its channel, and be told. */
static void
phases_and_malformed(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	size_t mark;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	for (int i = 0; i < 13; i++) {
		bool login = i >= 4;

		gate_open(&g, &p, 3);
		if (login)
			assert_string_equal(gate_login(&g, 1, "tanaka", password,
			    "crm"), "");
		switch (i) {
		case 0:		/* release without a session */
			put_release(&g, 1, 1, 1, 1);
			break;
		case 1:		/* a message of the other direction */
			mark = ipc_begin(&g.out, IPC_GRANT, 1);
			ipc_end(&g.out, mark);
			break;
		case 2:		/* an unknown type */
			buf_u32(&g.out, 8);
			buf_u16(&g.out, 63);
			buf_u16(&g.out, 0);
			buf_u32(&g.out, 0);
			break;
		case 3:		/* second HELLO */
			mark = ipc_begin(&g.out, IPC_HELLO, 0);
			buf_u16(&g.out, IPC_VERSION);
			buf_u16(&g.out, 3);
			ipc_end(&g.out, mark);
			break;
		case 4:		/* release without a statement */
			put_release(&g, 1, 1, 1, 1);
			break;
		case 5:		/* two statements at once */
			put_open(&g, 1, 1);
			put_open(&g, 1, 1);
			break;
		case 6:		/* more rows than said */
			put_open(&g, 1, 1);
			mark = ipc_begin(&g.out, IPC_RELEASE, 1);
			buf_u32(&g.out, 1);
			buf_u32(&g.out, 1);
			buf_u64(&g.out, 0);
			buf_u8(&g.out, 0);
			buf_u16(&g.out, 0);
			ipc_end(&g.out, mark);
			break;
		case 7:		/* fewer rows than said, far fewer */
			put_open(&g, 1, 1);
			mark = ipc_begin(&g.out, IPC_RELEASE, 1);
			buf_u32(&g.out, 1);
			buf_u32(&g.out, UINT32_MAX);
			buf_u64(&g.out, 0);
			buf_u8(&g.out, 0);
			ipc_end(&g.out, mark);
			break;
		case 8:		/* a domain that is not there */
			put_open(&g, 1, 1);
			mark = ipc_begin(&g.out, IPC_RELEASE, 1);
			buf_u32(&g.out, 1);
			buf_u32(&g.out, 1);
			buf_u64(&g.out, 0);
			buf_u8(&g.out, 0);
			buf_u8(&g.out, 1);
			buf_u8(&g.out, 1);
			lp(&g.out, "k");
			ipc_end(&g.out, mark);
			break;
		case 9:		/* an upstream that is not its own */
			mark = ipc_begin(&g.out, IPC_UP_AUTH, 1);
			buf_u16(&g.out, 1);
			buf_u32(&g.out, 3);
			buf_u32(&g.out, 0);
			ipc_end(&g.out, mark);
			break;
		case 10:	/* a word that is none */
			mark = ipc_begin(&g.out, IPC_INCIDENT, 1);
			lp(&g.out, "two words");
			lp(&g.out, "");
			ipc_end(&g.out, mark);
			break;
		case 11:	/* too long to be one message */
			buf_u32(&g.out, IPC_MAX_BYTES + 1);
			break;
		case 12:	/* the end of a statement that has ended */
			put_open(&g, 1, 1);
			put_rows(&g, 1, 1, true, 0, 0);
			put_end(&g, 1);
			put_end(&g, 1);
			break;
		}
		gate_send(&g);
		gate_expect_closed(&g);
		gate_close(&g);
	}
	assert_int_equal(fake_find("\"kind\":\"incident\"", "gate-malformed"), 13);
	assert_int_equal(fake_find("\"kind\":\"release\"", ""), 0);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

static uint64_t seed = 88172645463325252u;

static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed % n);
}

/* One message of the session, mostly well-formed, sometimes bent. */
static void
put_hostile(struct gate *g)
{
	size_t start = buf_used(&g->out), mark;
	uint32_t sid = 1 + (rnd(8) == 0);

	switch (rnd(9)) {
	case 0:
		put_open(g, sid, rnd(6));
		break;
	case 1:
	case 2:
		put_rows(g, sid, rnd(9), rnd(2), rnd(300), rnd(30));
		break;
	case 3:
		put_end(g, sid);
		break;
	case 4:
		mark = ipc_begin(&g->out, IPC_UP_AUTH, sid);
		buf_u16(&g->out, 0);
		buf_u32(&g->out, rnd(14));
		buf_lp32(&g->out, slice_cstr("SCRAM-SHA-256"));
		ipc_end(&g->out, mark);
		break;
	case 5:
		mark = ipc_begin(&g->out, IPC_DENY, sid);
		buf_put(&g->out, "KB003", 5);
		buf_u8(&g->out, (uint8_t)rnd(256));
		lp(&g->out, "\"\\\x80");
		buf_lp32(&g->out, slice_cstr("select $i"));
		buf_lp32(&g->out, slice_cstr("select 1"));
		ipc_end(&g->out, mark);
		break;
	case 6:
		mark = ipc_begin(&g->out, IPC_STATEMENT, sid);
		buf_u8(&g->out, 0);
		buf_u32(&g->out, rnd(1000));
		buf_u64(&g->out, UINT64_MAX);
		buf_u64(&g->out, 1);
		buf_lp32(&g->out, slice_cstr("select $i"));
		buf_lp32(&g->out, slice_cstr(""));
		ipc_end(&g->out, mark);
		break;
	case 7:
		mark = ipc_begin(&g->out, IPC_ALERT, 0);
		lp(&g->out, "uncovered");
		lp(&g->out, "crm");
		buf_u16(&g->out, 3);
		buf_u16(&g->out, (uint16_t)rnd(65536));
		buf_u8(&g->out, 0);
		ipc_end(&g->out, mark);
		break;
	case 8:
		mark = ipc_begin(&g->out, IPC_SESSION_END, sid);
		lp(&g->out, "closed");
		ipc_end(&g->out, mark);
		break;
	}
	if (rnd(4) == 0)
		buf_head(&g->out)[start + rnd((uint32_t)(buf_used(&g->out) -
		    start))] ^= (uint8_t)(1u << rnd(8));
	if (rnd(40) == 0)
		g->out.len -= rnd((uint32_t)(buf_used(&g->out) - start));
}

/* A gate that was taken over: the ledger stays up, and in the budget. */
static void
hostile_gate_L10(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	json_t *o;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	for (int i = 0; i < 250; i++) {
		gate_open(&g, &p, 0);
		assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"),
		    "");
		for (uint32_t n = rnd(30); n > 0; n--)
			put_hostile(&g);
		gate_send(&g);
		if (rnd(2) == 0) {
			shutdown(g.fd, SHUT_WR);
			gate_expect_closed(&g);
		}
		gate_close(&g);
	}
	/* What it left of the budget is exactly what an honest one still gets. */
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	release(&g, 1, 1000, 101);
	gate_close(&g);
	o = control(&p, "{\"do\":\"budget\",\"actor\":\"tanaka\"}");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(
	    json_object_get(o, "rows"), 0), "used")), 100);
	json_decref(o);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

static void
no_seal_no_release_L5(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	struct grant r;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	fake_free = 1000;
	r = release(&g, 1, 1, 5);
	assert_int_equal(r.rows, 0);
	assert_int_equal(r.reason, 3);
	assert_string_equal(gate_login(&g, 2, "tanaka", password, "crm"), "KB005");
	fake_free = 1ull << 40;
	/* Neither the key's nor the release's entry finds space: nothing is charged. */
	fake_fail_append = 0;
	assert_int_equal(release(&g, 1, 1, 5).reason, 3);
	fake_fail_append = -1;
	assert_int_equal(release(&g, 1, 1, 5).rows, 5);
	assert_int_equal(fake_find("subject-key", ""), 1);
	fake_fail_append = 0;
	r = release(&g, 1, 1001, 5);
	assert_int_equal(r.rows, 0);
	assert_int_equal(r.reason, 3);
	fake_fail_append = -1;
	r = release(&g, 1, 1, 130);
	assert_int_equal(r.rows, 100);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

/* The batch could not be made durable: no answer, and the process ends (L1). */
static void
broken_ledger_answers_nothing_L1_L5(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	struct ipc_msg m;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	fake_fail_commit = 0;
	put_open(&g, 1, 1);
	put_release(&g, 1, 7, 1, 5);
	gate_send(&g);
	assert_false(gate_next(&g, &m));
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_BROKEN);
	proc_remove(&p);
}

static void
group_commit(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	unsigned before;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	before = fake_commits;
	for (uint32_t i = 0; i < 50; i++) {
		put_open(&g, 1, 1);
		put_release(&g, 1, i, i, 1);
		put_end(&g, 1);
	}
	gate_send(&g);
	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(gate_grant(&g).request, i);
	/* Sent in one piece, so handled in few turns. */
	assert_true(fake_commits - before < 10);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

static void
baselines_and_broadcasts(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g, h;
	struct ipc_msg m;
	size_t mark;

	for (int round = 0; round < 3; round++) {
		proc_start(&p);
		gate_open(&g, &p, 0);
		gate_open(&h, &p, 1);
		/* A table that the configuration does not have. */
		mark = ipc_begin(&h.out, IPC_CATALOG, 0);
		buf_u16(&h.out, 0);
		lp(&h.out, "public.other");
		buf_u16(&h.out, 1);
		lp(&h.out, "id");
		ipc_end(&h.out, mark);
		gate_send(&h);
		m = gate_expect(&h, IPC_BASELINE);
		rd_u16(&m.body);
		rd_lp16(&m.body);
		assert_int_equal(rd_u16(&m.body), 0);
		mark = ipc_begin(&g.out, IPC_CATALOG, 0);
		buf_u16(&g.out, 0);
		lp(&g.out, "public.customers");
		/* Later there is one column more: it is not in the baseline. */
		buf_u16(&g.out, (uint16_t)(round ? 3 : 2));
		lp(&g.out, "id");
		lp(&g.out, "odd,\"name");
		if (round)
			lp(&g.out, "new");
		ipc_end(&g.out, mark);
		mark = ipc_begin(&g.out, IPC_EPOCH, 0);
		buf_u16(&g.out, 0);
		ipc_end(&g.out, mark);
		gate_send(&g);
		m = gate_expect(&g, IPC_BASELINE);
		assert_int_equal(rd_u16(&m.body), 0);
		assert_true(slice_is(rd_lp16(&m.body), "public.customers"));
		assert_int_equal(rd_u16(&m.body), 2);
		assert_true(slice_is(rd_lp16(&m.body), "id"));
		assert_true(slice_is(rd_lp16(&m.body), "odd,\"name"));
		assert_true(rd_end(&m.body));
		m = gate_expect(&h, IPC_EPOCH_ALL);
		assert_int_equal(rd_u16(&m.body), 0);
		gate_close(&g);
		gate_close(&h);
		assert_int_equal(proc_stop(&p), ERR_OK);
		if (round == 1) {
			char snap[128];

			snprintf(snap, sizeof(snap), "%s/meter.snap", p.dir);
			assert_int_equal(unlink(snap), 0);
		}
	}
	assert_int_equal(fake_find("\"what\":\"baseline\"", ""), 1);
	proc_remove(&p);
}

/* The worker logs in to a database: SCRAM and md5, with the real other side. */
static void
upstream_login(void **state)
{
	static const uint8_t salt[SCRAM_SALT] = "salt", nonce[SCRAM_NONCE] = "n";
	static const char list[] = "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0";
	struct proc p = {.dir = ""};
	struct scram_verifier v;
	struct scram_server s;
	struct gate g;
	struct ipc_msg m;
	struct slice payload;
	struct buf out;
	size_t mark;

	proc_start(&p);
	gate_open(&g, &p, 0);
	buf_init(&out, 4096);
	scram_verifier_make(&v, "secret", salt, 4096);
	for (int step = 0; step < 3; step++) {
		mark = ipc_begin(&g.out, IPC_UP_AUTH_LINK, 0);
		buf_u16(&g.out, 1);
		buf_u32(&g.out, 77);
		buf_u32(&g.out, 10 + (uint32_t)step);
		if (step == 0)
			buf_lp32(&g.out, (struct slice){(const uint8_t *)list,
			    sizeof(list)});
		else
			buf_lp32(&g.out, (struct slice){buf_head(&out),
			    buf_used(&out)});
		ipc_end(&g.out, mark);
		gate_send(&g);
		m = gate_expect(&g, IPC_UP_REPLY);
		assert_int_equal(rd_u32(&m.body), 77);
		assert_int_equal(rd_u8(&m.body), step == 2 ? 1 : 0);
		payload = rd_lp32(&m.body);
		buf_clear(&out);
		if (step == 0) {
			struct rd r = rd_init(payload.p, payload.len);

			assert_string_equal(rd_cstr(&r), SCRAM_SHA_256);
			assert_int_equal(scram_server_first(&s, &v,
			    slice_cstr(SCRAM_SHA_256), slice_cstr(""),
			    rd_lp32(&r), nonce, &out), ERR_OK);
		} else if (step == 1) {
			assert_int_equal(scram_server_final(&s, payload, &out),
			    ERR_OK);
		}
	}
	scram_server_fini(&s);
	buf_fini(&out);
	/* A server that says Ok without its proof is not believed. */
	for (int step = 0; step < 2; step++) {
		mark = ipc_begin(&g.out, IPC_UP_AUTH_LINK, 0);
		buf_u16(&g.out, 1);
		buf_u32(&g.out, 78);
		buf_u32(&g.out, step ? 0 : 10);
		buf_lp32(&g.out, (struct slice){(const uint8_t *)list,
		    step ? 0 : sizeof(list)});
		ipc_end(&g.out, mark);
		gate_send(&g);
		m = gate_expect(&g, IPC_UP_REPLY);
		assert_int_equal(rd_u32(&m.body), 78);
		assert_int_equal(rd_u8(&m.body), step ? 2 : 0);
	}
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_remove(&p);
}

/* A year change: the same person under two yearly keys is one person. */
static void
new_year_L4(void **state)
{
	const int64_t day = 86400000000;
	struct proc p = {.dir = ""};
	struct gate g;
	char path[128];

	fake_now_us = 1798600000000000;		/* 2026-12-30 */
	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	assert_int_equal(release(&g, 1, 1, 100).rows, 100);
	fake_now_us += 5 * day;			/* 2027-01-04 */
	assert_int_equal(release(&g, 1, 51, 130).rows, 100);
	for (int round = 0; round < 3; round++) {
		json_t *o = control(&p, "{\"do\":\"budget\",\"actor\":\"tanaka\"}");
		json_t *rows = json_object_get(o, "rows");
		static const int used[WINDOW_COUNT] = {100, 150, 150, 150};

		for (size_t w = 0; w < WINDOW_COUNT; w++)
			assert_int_equal(json_integer_value(json_object_get(
			    json_array_get(rows, w), "used")), used[w]);
		json_decref(o);
		if (round == 0)
			gate_close(&g);
		assert_int_equal(proc_stop(&p), ERR_OK);
		if (round == 0) {
			snprintf(path, sizeof(path), "%s/meter.snap", p.dir);
			assert_int_equal(unlink(path), 0);
		}
		proc_start(&p);
	}
	assert_int_equal(proc_stop(&p), ERR_OK);
	snprintf(path, sizeof(path), "%s/keys/subject-2026.key", p.dir);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/keys/subject-2027.key", p.dir);
	assert_int_equal(access(path, F_OK), 0);
	proc_remove(&p);
}

/* What a gate met outside of the catalog stays on the list. */
static void
uncovered_is_shown_L7(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	size_t mark;

	for (int round = 0; round < 3; round++) {
		json_t *o, *names;
		char snap[128];

		proc_start(&p);
		gate_open(&g, &p, 0);
		for (int i = 0; round == 0 && i < 4; i++) {
			mark = ipc_begin(&g.out, IPC_ALERT, 0);
			lp(&g.out, "uncovered");
			lp(&g.out, "crm");
			lp(&g.out, i < 2 ? "public.other" : "public.customers");
			ipc_end(&g.out, mark);
		}
		mark = ipc_begin(&g.out, IPC_CATALOG, 0);
		buf_u16(&g.out, 0);
		lp(&g.out, "x.y");
		buf_u16(&g.out, 0);
		ipc_end(&g.out, mark);
		gate_send(&g);
		gate_expect(&g, IPC_BASELINE);
		o = control(&p, "{\"do\":\"status\"}");
		names = json_object_get(json_array_get(json_object_get(o,
		    "coverage"), 0), "uncovered");
		/* The other one is in the configuration: covered by now. */
		assert_int_equal(json_array_size(names), 1);
		assert_string_equal(json_string_value(json_array_get(names, 0)),
		    "public.other");
		json_decref(o);
		gate_close(&g);
		assert_int_equal(proc_stop(&p), ERR_OK);
		snprintf(snap, sizeof(snap), "%s/meter.snap", p.dir);
		if (round == 1)
			assert_int_equal(unlink(snap), 0);
	}
	assert_int_equal(fake_find("\"kind\":\"alert\"", "uncovered"), 2);
	proc_remove(&p);
}

/* Every change of the configuration is in the ledger, its secrets are not. */
static void
configuration_is_policy_L6(void **state)
{
	struct proc p = {.dir = ""};
	char *other = strdup(conf_text);

	proc_start(&p);
	assert_int_equal(proc_stop(&p), ERR_OK);
	assert_int_equal(fake_find("\"what\":\"config\"", ""), 1);
	assert_int_equal(fake_find("\"what\":\"role\"", "operator"), 1);
	proc_start(&p);
	assert_int_equal(proc_stop(&p), ERR_OK);
	assert_int_equal(fake_find("\"what\":\"config\"", ""), 1);
	strstr(other, "100")[0] = '9';
	p.text = other;
	proc_start(&p);
	assert_int_equal(proc_stop(&p), ERR_OK);
	assert_int_equal(fake_find("\"what\":\"config\"", ""), 2);
	assert_int_equal(fake_find("\"what\":\"role\"", "\"day\":\"900\""), 1);
	assert_int_equal(fake_find("secret", ""), 0);
	free(other);
	proc_remove(&p);
}

static void
status_and_stop(void **state)
{
	struct proc p = {.dir = ""};
	struct gate g;
	json_t *o;

	proc_start(&p);
	actor_add(&p, "tanaka", "operator");
	assert_false(control_ok(&p, "{\"do\":\"nothing\"}"));
	assert_false(control_ok(&p, "[1]"));
	gate_open(&g, &p, 0);
	assert_string_equal(gate_login(&g, 1, "tanaka", password, "crm"), "");
	o = control(&p, "{\"do\":\"status\"}");
	assert_int_equal(json_array_size(json_object_get(o, "sessions")), 1);
	assert_int_equal(json_integer_value(json_object_get(o, "workers")), 1);
	json_decref(o);
	assert_true(control_ok(&p, "{\"do\":\"checkpoint\"}"));
	assert_true(control_ok(&p, "{\"do\":\"stop\"}"));
	gate_expect_closed(&g);
	gate_close(&g);
	assert_int_equal(proc_stop(&p), ERR_OK);
	assert_int_equal(fake_find("\"kind\":\"stop\"", ""), 1);
	assert_int_equal(fake_find("actor-add", "sudo suzuki"), 1);
	proc_remove(&p);
}

/* Why the writer before had stopped is in the log, once, as soon as it takes it. */
static void
stopped_writer_is_an_incident_L5(void **state)
{
	struct proc p = {.dir = ""};

	fake_stopped = "ring: input/output error";
	proc_start(&p);
	assert_null(fake_stopped);
	assert_int_equal(proc_stop(&p), ERR_OK);
	proc_start(&p);
	assert_int_equal(proc_stop(&p), ERR_OK);
	assert_int_equal(fake_find("writer-stopped", "input/output error"), 1);

	fake_fail_append = 0;
	fake_stopped = "archive: no space";
	proc_start_unready(&p);
	assert_int_equal(proc_stop(&p), ERR_NOSPACE);
	assert_non_null(fake_stopped);
	fake_fail_append = -1;
	proc_start(&p);
	assert_int_equal(proc_stop(&p), ERR_OK);
	assert_int_equal(fake_find("writer-stopped", ""), 2);
	proc_remove(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_edge_and_repeats_L2),
		cmocka_unit_test(snapshot_is_only_derived),
		cmocka_unit_test(one_meter_for_all_gates_L4),
		cmocka_unit_test(one_meter_for_all_databases_L4),
		cmocka_unit_test(hold_and_observe),
		cmocka_unit_test(last_rows_end_the_statement),
		cmocka_unit_test(bulk_is_cut_into_entries),
		cmocka_unit_test(people_and_passwords),
		cmocka_unit_test(heartbeat),
		cmocka_unit_test(disabled_actor_is_killed),
		cmocka_unit_test(phases_and_malformed),
		cmocka_unit_test(hostile_gate_L10),
		cmocka_unit_test(no_seal_no_release_L5),
		cmocka_unit_test(broken_ledger_answers_nothing_L1_L5),
		cmocka_unit_test(group_commit),
		cmocka_unit_test(baselines_and_broadcasts),
		cmocka_unit_test(upstream_login),
		cmocka_unit_test(new_year_L4),
		cmocka_unit_test(uncovered_is_shown_L7),
		cmocka_unit_test(configuration_is_policy_L6),
		cmocka_unit_test(status_and_stop),
		cmocka_unit_test(stopped_writer_is_an_incident_L5),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
