/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many releases a second the ledger process decides, seals and answers: the
 * whole of it (channel, session, meter, entry, disk), in a process of its own, fed
 * by one gate whose sessions each have one statement of one new subject waiting.
 *
 *   release DIR SECONDS OUTSTANDING
 *
 * prints: releases/s, p50 of an answer in us, CPU of the ledger in us a release
 */
#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proc/ledger/server.h"

#define SAMPLES_MAX (1u << 23)
#define OUTSTANDING_MAX 4096

static const char conf_text[] =
    "state = \"/tmp\"\n"
    "database \"crm\" {\n"
    "    upstream = \"host=127.0.0.1 dbname=crm user=gate\"\n"
    "    table \"public.customers\" { subject = \"id\"\n"
    "        personal = { \"name\" } }\n"
    "}\n"
    "role \"bench\" { databases = { \"crm\" }\n"
    "    subjects_per_day = 1000000000\n"
    "    subjects_per_year = 1000000000 }\n";

struct gate {
	int fd;
	struct buf in, out;
	size_t used;			/* of the message read last */
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
cpu_ns(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
		errx(1, "the ledger's CPU time");
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int
ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Starts the process; *parent is what its parent would hold. */
static pid_t
ledger_start(const char *dir, int *parent)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct serve_options o = { .dir = dir,
		.conf_text = slice_cstr(conf_text) };
	struct conf_notes notes;
	struct conf *conf;
	int pair[2];
	char ready;
	pid_t pid;

	if (conf_parse(&conf, "kuraban.conf", conf_text, &notes) != ERR_OK)
		errx(1, "%s", notes.n > 0 ? notes.v[0].text : "configuration");
	conf_notes_fini(&notes);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/control.sock", dir);
	o.control_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(o.control_fd, (struct sockaddr *)&un, sizeof(un)) != 0 ||
	    listen(o.control_fd, 8) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		err(1, "%s", un.sun_path);
	o.parent_fd = pair[1];
	if ((pid = fork()) < 0)
		err(1, "fork");
	if (pid == 0) {
		close(pair[0]);
		_exit(ledger_serve(conf, &o) == ERR_OK ? 0 : 1);
	}
	close(pair[1]);
	close(o.control_fd);
	conf_free(conf);
	*parent = pair[0];
	if (read(*parent, &ready, 1) != 1 || ready != 'R')
		errx(1, "the ledger did not start");
	return pid;
}

static void
actor_add(const char *dir)
{
	static const char request[] = "{\"do\":\"actor-add\",\"name\":\"bench\","
	    "\"role\":\"bench\",\"password\":\"correct horse 1\","
	    "\"login\":\"bench\"}\n";
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char answer[512];
	ssize_t n;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/control.sock", dir);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0 ||
	    write(fd, request, sizeof(request) - 1) != sizeof(request) - 1)
		err(1, "%s", un.sun_path);
	n = read(fd, answer, sizeof(answer) - 1);
	answer[n > 0 ? n : 0] = '\0';
	if (strstr(answer, "\"ok\":true") == NULL &&
	    strstr(answer, "\"ok\": true") == NULL)
		errx(1, "actor-add: %s", answer);
	close(fd);
}

static void
gate_flush(struct gate *g)
{
	while (buf_used(&g->out) > 0) {
		ssize_t n = send(g->fd, buf_head(&g->out), buf_used(&g->out),
		    MSG_NOSIGNAL);

		if (n <= 0)
			err(1, "send");
		buf_drop(&g->out, (size_t)n);
	}
	buf_clear(&g->out);
}

/* Hands the ledger its end of a new channel, as the parent does. */
static void
gate_open(struct gate *g, int parent)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { { 0 } };
	char byte = 'G';
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1,
		.msg_control = u.space, .msg_controllen = sizeof(u.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int pair[2];
	size_t mark;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		err(1, "socketpair");
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pair[1], sizeof(int));
	if (sendmsg(parent, &m, 0) != 1)
		err(1, "sendmsg");
	close(pair[1]);
	g->fd = pair[0];
	g->used = 0;
	buf_init(&g->in, 4u << 20);
	buf_init(&g->out, 4u << 20);
	mark = ipc_begin(&g->out, IPC_HELLO, 0);
	buf_u16(&g->out, IPC_VERSION);
	buf_u16(&g->out, 0);
	ipc_end(&g->out, mark);
	gate_flush(g);
}

/* The next message; wait false: only if it is here already. */
static bool
gate_next(struct gate *g, struct ipc_msg *m, bool wait)
{
	buf_drop(&g->in, g->used);
	g->used = 0;
	for (;;) {
		enum err e = ipc_next(m, buf_head(&g->in), buf_used(&g->in),
		    &g->used);
		uint8_t *room;
		ssize_t n;

		if (e == ERR_OK)
			return true;
		g->used = 0;
		if (e != ERR_SHORT)
			errx(1, "ledger's answer: %s", err_text(e));
		if (!wait)
			return false;
		if ((room = buf_room(&g->in, 65536)) == NULL)
			errx(1, "%s", err_text(ERR_NOMEM));
		n = recv(g->fd, room, 65536, 0);
		if (n <= 0)
			errx(1, "the ledger closed the channel");
		buf_added(&g->in, (size_t)n);
	}
}

static struct ipc_msg
gate_expect(struct gate *g, enum ipc_type type)
{
	struct ipc_msg m;

	do
		gate_next(g, &m, true);
	while (m.type == IPC_BASELINE);
	if (m.type != type)
		errx(1, "%s instead of %s", ipc_name(m.type), ipc_name(type));
	return m;
}

static void
lp(struct buf *b, const char *s)
{
	buf_lp16(b, slice_cstr(s));
}

static void
gate_login(struct gate *g, uint32_t sid, struct scram_cache *cache)
{
	static const uint8_t nonce[SCRAM_NONCE] = "nonce";
	struct scram_client c;
	struct buf text;
	struct ipc_msg m;
	size_t mark;

	buf_init(&text, 4096);
	scram_client_first(&c, nonce, &text);
	mark = ipc_begin(&g->out, IPC_AUTH_FIRST, sid);
	lp(&g->out, "127.0.0.1:4000");
	lp(&g->out, "bench");
	lp(&g->out, "crm");
	buf_u8(&g->out, 0);
	lp(&g->out, "");
	lp(&g->out, SCRAM_SHA_256);
	buf_lp16(&g->out, (struct slice){ buf_head(&text), buf_used(&text) });
	lp(&g->out, "bench");
	ipc_end(&g->out, mark);
	gate_flush(g);
	m = gate_expect(g, IPC_AUTH_CONT);
	buf_clear(&text);
	if (scram_client_final(&c, "correct horse 1", cache, rd_lp16(&m.body),
	    &text) != ERR_OK)
		errx(1, "SCRAM");
	mark = ipc_begin(&g->out, IPC_AUTH_FINAL, sid);
	buf_lp16(&g->out, (struct slice){ buf_head(&text), buf_used(&text) });
	ipc_end(&g->out, mark);
	gate_flush(g);
	gate_expect(g, IPC_AUTH_OK);
	buf_fini(&text);
}

/* What a gate sends for one statement that gives one row. */
static void
gate_ask(struct gate *g, uint32_t sid, uint64_t serial)
{
	char key[24];
	size_t mark = ipc_begin(&g->out, IPC_STMT_OPEN, sid);

	snprintf(key, sizeof(key), "%" PRIu64, serial);
	buf_u8(&g->out, 1);
	buf_u8(&g->out, 0);
	buf_lp32(&g->out, slice_cstr("SELECT name FROM customers WHERE id = $1"));
	buf_lp32(&g->out, slice_cstr("SELECT name FROM customers WHERE id = $1"));
	buf_u16(&g->out, 1);
	lp(&g->out, "public.customers");
	lp(&g->out, "name");
	buf_u16(&g->out, 1);
	lp(&g->out, "public.customers");
	ipc_end(&g->out, mark);

	mark = ipc_begin(&g->out, IPC_RELEASE, sid);
	buf_u32(&g->out, 1);
	buf_u32(&g->out, 1);
	buf_u64(&g->out, 60);
	buf_u8(&g->out, 1);
	buf_u8(&g->out, 1);
	buf_u8(&g->out, 0);
	lp(&g->out, key);
	ipc_end(&g->out, mark);
}

static size_t
run(struct gate *g, unsigned outstanding, double seconds, uint32_t *took)
{
	static uint64_t asked[OUTSTANDING_MAX + 1];
	uint64_t serial = 0, end = now_ns() + (uint64_t)(seconds * 1e9), at;
	size_t n = 0;
	bool waiting = false;

	for (unsigned i = 1; i <= outstanding; i++) {
		asked[i] = now_ns();
		gate_ask(g, i, ++serial);
	}
	gate_flush(g);
	for (at = now_ns(); at < end && n < SAMPLES_MAX; ) {
		struct ipc_msg m;

		/* All answers that are here, then all new questions at once. */
		if (!gate_next(g, &m, waiting)) {
			gate_flush(g);
			waiting = true;
			continue;
		}
		waiting = false;
		if (m.type != IPC_GRANT || rd_u32(&m.body) != 1 ||
		    rd_u32(&m.body) != 1)
			errx(1, "%s: not granted", ipc_name(m.type));
		at = now_ns();
		took[n++] = (uint32_t)(at - asked[m.sid]);
		asked[m.sid] = at;
		gate_ask(g, m.sid, ++serial);
	}
	return n;
}

int
main(int argc, char **argv)
{
	struct scram_cache cache = { 0 };
	unsigned outstanding;
	uint32_t *took;
	uint64_t start, cpu;
	struct gate g;
	int parent, status;
	double seconds;
	size_t n;
	pid_t pid;

	if (argc != 4 || (outstanding = (unsigned)atoi(argv[3])) < 1 ||
	    outstanding > OUTSTANDING_MAX)
		errx(2, "usage: release DIR SECONDS OUTSTANDING");
	took = calloc(SAMPLES_MAX, sizeof(*took));
	if (took == NULL)
		err(1, NULL);
	pid = ledger_start(argv[1], &parent);
	actor_add(argv[1]);
	gate_open(&g, parent);
	for (unsigned i = 1; i <= outstanding; i++)
		gate_login(&g, i, &cache);
	start = now_ns();
	cpu = cpu_ns(pid);
	n = run(&g, outstanding, atof(argv[2]), took);
	cpu = cpu_ns(pid) - cpu;
	seconds = (double)(now_ns() - start) / 1e9;
	if (n == 0)
		errx(1, "too short");
	qsort(took, n, sizeof(*took), ascending);
	printf("%.0f %.1f %.3f\n", (double)n / seconds, took[n / 2] / 1e3,
	    (double)cpu / 1e3 / (double)n);
	close(g.fd);
	if (send(parent, "S", 1, MSG_NOSIGNAL) != 1 || waitpid(pid, &status, 0) < 0)
		err(1, "stop");
	free(took);
	return 0;
}
