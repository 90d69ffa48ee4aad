/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: read all, handle all, commit once, answer all. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/say.h"
#include "proc/ledger/server.h"

enum {
	READ_BYTES = 256 << 10,		/* of one channel in one turn */
	TICK_MS = 1000,
	HEARTBEAT_US = 60000000,
	SNAPSHOT_ENTRIES = 200000,
	FLUSH_MS = 2000,		/* at stop, for answers under way */
	LOCK_WAIT_MS = 5000,
	LOCK_STEP_MS = 50
};
static const int64_t snapshot_us = 3600 * (int64_t)1000000;

/* --- entries that nobody waits for -------------------------------------- */

void
server_entry(struct server *s, enum err err)
{
	if (err == ERR_OK)
		return;
	if (err == ERR_NOSPACE && !s->low)
		say_error("the ledger has no space: nothing is released; %s",
		    err_advice(err));
	else if (err == ERR_BROKEN && s->fatal == ERR_OK)
		say_error("the ledger is broken: nothing is released any more; %s",
		    err_advice(err));
	else if (err != ERR_NOSPACE && err != ERR_BROKEN)
		say_warn("an entry was not written: %s", err_text(err));
	if (err == ERR_NOSPACE)
		s->low = true;
	if (err == ERR_BROKEN)
		s->fatal = err;
}

/* --- configuration ------------------------------------------------------ */

static void
limit_text(char out[24], uint64_t limit)
{
	if (limit == CONF_NO_LIMIT)
		snprintf(out, 24, "none");
	else
		snprintf(out, 24, "%llu", (unsigned long long)limit);
}

static void
role_policy(struct server *s, const struct conf_role *r)
{
	static const char *const excess[] = {"refuse", "hold", "observe"};
	char text[WINDOW_COUNT][24];
	struct entry_pair pairs[WINDOW_COUNT + 2] = {
		{slice_cstr("role"), slice_cstr(r->name)},
		{slice_cstr("on_excess"), slice_cstr(excess[r->on_excess])}};

	for (int w = 0; w < WINDOW_COUNT; w++) {
		limit_text(text[w], r->limit[w]);
		pairs[2 + w] = (struct entry_pair){slice_cstr(conf_window_name[w]),
		    slice_cstr(text[w])};
	}
	server_entry(s, book_policy(&s->book, "role", "kuraban.conf", pairs,
	    WINDOW_COUNT + 2));
}

static void
declared_policy(struct server *s, const struct conf_database *d,
    const struct conf_table *t)
{
	const char *by = t ? t->declared_by : d->declared_by;
	const char *since = t ? t->since : d->since;
	char name[512] = "";
	struct entry_pair pairs[] = {
		{slice_cstr("database"), slice_cstr(d->name)},
		{slice_cstr("table"), slice_cstr(name)},
		{slice_cstr("declared_by"), slice_cstr(by ? by : "")},
		{slice_cstr("since"), slice_cstr(since ? since : "")}};

	if (t != NULL) {
		snprintf(name, sizeof(name), "%s.%s", t->schema, t->name);
		pairs[1].value = slice_cstr(name);
	}
	server_entry(s, book_policy(&s->book, "declared-open", "kuraban.conf",
	    pairs, 4));
}

/* What is in force from now on, when it is not what was in force before. */
static void
conf_policy(struct server *s, const char *hash)
{
	struct entry_pair pairs[] = {
		{slice_cstr("hash"), slice_cstr(hash)},
		{slice_cstr("file"), slice_cstr(s->conf->file)}};

	if (strcmp(s->book.conf_hash, hash) == 0)
		return;
	server_entry(s, book_policy(&s->book, "config", "kuraban.conf", pairs, 2));
	snprintf(s->book.conf_hash, sizeof(s->book.conf_hash), "%s", hash);
	for (size_t i = 0; i < s->conf->nroles; i++)
		role_policy(s, &s->conf->roles[i]);
	for (size_t i = 0; i < s->conf->ndatabases; i++) {
		const struct conf_database *d = &s->conf->databases[i];

		if (d->unprotected)
			declared_policy(s, d, NULL);
		for (size_t k = 0; k < d->ntables; k++)
			if (d->tables[k].open)
				declared_policy(s, d, &d->tables[k]);
	}
}

static void
passwords_read(struct server *s)
{
	for (size_t i = 0; i < s->conf->ndatabases; i++) {
		const struct conf_upstream *u = &s->conf->databases[i].upstream;

		if (u->password != NULL)
			must((s->passwords[i] = strdup(u->password)) != NULL);
		else if (u->passfile != NULL)
			s->passwords[i] = passfile_find(u->passfile, u);
	}
}

/* --- start and stop ----------------------------------------------------- */

static void
owner_read(struct server *s, const char *dir)
{
	struct stat st;

	s->owner = geteuid();
	if (stat(dir, &st) == 0)
		s->owner = st.st_uid;
}

/* Names are looked up while files may still be opened. */
static void
logins_read(struct server *s)
{
	uid_t uids[] = {0, geteuid(), s->owner};

	for (size_t i = 0; i < 3; i++) {
		const struct passwd *p = getpwuid(uids[i]);

		s->logins[i].uid = uids[i];
		snprintf(s->logins[i].name, sizeof(s->logins[i].name), "%s",
		    p ? p->pw_name : "");
	}
}

const char *
server_login(const struct server *s, uint32_t uid)
{
	for (size_t i = 0; i < 3; i++)
		if (s->logins[i].uid == uid)
			return s->logins[i].name;
	return "";
}

static void
server_prepare(struct server *s, const struct conf *c, const char *dir)
{
	*s = (struct server){.conf = c, .control_fd = -1, .parent_fd = -1,
	    .rules = {c->password_min_length, c->password_max_age_days,
	    c->lockout_failures, c->lockout_minutes}};
	for (size_t i = 0; i < WORKERS_MAX; i++)
		s->workers[i].fd = -1;
	for (size_t i = 0; i < CONTROLS_MAX; i++)
		s->controls[i].fd = -1;
	s->caches = calloc(c->ndatabases + 1, sizeof(*s->caches));
	s->passwords = calloc(c->ndatabases + 1, sizeof(*s->passwords));
	must(s->caches != NULL && s->passwords != NULL);
	passwords_read(s);
	owner_read(s, dir);
	logins_read(s);
}

/*
 * That the writer before had stopped for good is said in the log itself, as soon
 * as that can be written.
 */
static void
stopped_incident(struct server *s)
{
	struct entry_head h = {.time_us = book_now(&s->book)};
	const char *why = ledger_stopped(s->book.ledger);
	enum err err = ERR_OK;

	if (why == NULL)
		return;
	if (!s->stopped_said && (err = book_incident(&s->book, &h, "writer-stopped",
	    slice_cstr(why))) == ERR_OK) {
		s->stopped_said = true;
		say_warn("the ledger had stopped for good and was recovered: %s", why);
	}
	if (err == ERR_OK && (err = ledger_commit(s->book.ledger)) == ERR_OK)
		ledger_stopped_noted(s->book.ledger);
	server_entry(s, err);
}

/* A writer that was killed may still be ending a sync; its lock ends with it. */
static enum err
open_when_free(struct server *s, const struct serve_options *o, char *why,
    size_t cap)
{
	static const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000};
	enum err err;

	for (int left = LOCK_WAIT_MS; (err = book_open(&s->book, s->conf, o->dir,
	    o->vfs, why, cap)) == ERR_BUSY && left > 0; left -= LOCK_STEP_MS)
		nanosleep(&step, NULL);
	return err;
}

static enum err
server_start(struct server *s, const struct serve_options *o)
{
	char why[256], hash[BOOK_CONF_HASH];
	enum err err = open_when_free(s, o, why, sizeof(why));

	if (err == ERR_OK &&
	    (err = book_conf_hash(&s->book, o->conf_text, hash)) != ERR_OK)
		snprintf(why, sizeof(why), "keys/config.key: %s", err_text(err));
	if (err != ERR_OK) {
		say_error("%s; %s", why, err_advice(err));
		return err;
	}
	s->book.snapshots = true;
	if ((err = book_start(&s->book, hash, s->conf->workers)) == ERR_OK)
		conf_policy(s, hash);
	server_entry(s, err);
	stopped_incident(s);
	server_commit(s);
	return s->fatal ? s->fatal : err;
}

static void
server_fini(struct server *s)
{
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (s->workers[i].fd >= 0)
			worker_close(s, &s->workers[i], "the server stopped");
	for (size_t i = 0; i < CONTROLS_MAX; i++)
		if (s->controls[i].fd >= 0)
			control_close(&s->controls[i]);
	if (s->book.ledger != NULL) {
		if (s->fatal == ERR_OK)
			server_entry(s, book_stop(&s->book, "asked"));
		if (s->fatal == ERR_OK)
			server_entry(s, ledger_commit(s->book.ledger));
		if (book_close(&s->book) != ERR_OK)
			say_error("the actors could not be written");
	}
	for (size_t i = 0; i < s->conf->ndatabases; i++) {
		if (s->passwords[i] != NULL)
			sodium_memzero(s->passwords[i], strlen(s->passwords[i]));
		free(s->passwords[i]);
	}
	sodium_memzero(s->caches, s->conf->ndatabases * sizeof(*s->caches));
	free(s->passwords);
	free(s->caches);
	arrays_free(s->arrays);
}

/* --- input and output --------------------------------------------------- */

/*
 * Reads what there is, up to a bound. false: the channel is over. By way of one
 * buffer for all, so that small messages do not need large ones of their own.
 */
static bool
fill(int fd, struct buf *in)
{
	static uint8_t all[READ_BYTES];
	size_t room = in->max - buf_used(in);
	ssize_t got;

	if (room == 0)
		return true;
	got = recv(fd, all, room < sizeof(all) ? room : sizeof(all), MSG_DONTWAIT);
	if (got > 0) {
		buf_put(in, all, (size_t)got);
		/* Keys and, from the control socket, passwords. */
		sodium_memzero(all, (size_t)got);
		return !in->bad;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Sends what it takes now. false: the other side is gone. */
static bool
drain(int fd, struct buf *out)
{
	while (buf_used(out) > 0) {
		ssize_t n = send(fd, buf_head(out), buf_used(out),
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		buf_drop(out, (size_t)n);
	}
	return true;
}

static void
send_answers(struct server *s)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = &s->workers[i];

		if (w->fd < 0)
			continue;
		if (w->out.bad || !drain(w->fd, &w->out) || w->broken)
			worker_close(s, w, w->broken ? "malformed message" :
			    "the gate worker is gone");
	}
	for (size_t i = 0; i < CONTROLS_MAX; i++) {
		struct control *c = &s->controls[i];

		if (c->fd < 0)
			continue;
		if (!drain(c->fd, &c->out) ||
		    (c->closing && buf_used(&c->out) == 0))
			control_close(c);
	}
}

void
server_commit(struct server *s)
{
	if (s->fatal == ERR_OK && ledger_commit(s->book.ledger) != ERR_OK)
		server_entry(s, ERR_BROKEN);
	/* What is not durable is not answered (L1). */
	if (s->fatal == ERR_OK)
		send_answers(s);
}

/* --- the parent --------------------------------------------------------- */

/* One byte, and with 'G' a channel. false: stop. */
static bool
parent_read(struct server *s)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u;
	char byte = 0;
	struct iovec io = {&byte, 1};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1,
	    .msg_control = u.space, .msg_controllen = sizeof(u.space)};
	struct cmsghdr *c;
	int fd = -1;
	ssize_t n = recvmsg(s->parent_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	if (byte == 'G' && fd >= 0)
		worker_open(s, fd);
	else if (fd >= 0)
		close(fd);
	return byte != 'S';
}

/* --- the loop ----------------------------------------------------------- */

enum { FDS_MAX = WORKERS_MAX + CONTROLS_MAX + 2 };

static nfds_t
poll_set(struct server *s, struct pollfd *p)
{
	nfds_t n = 0;

	p[n++] = (struct pollfd){s->parent_fd, POLLIN, 0};
	p[n++] = (struct pollfd){s->control_fd, POLLIN, 0};
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		const struct worker *w = &s->workers[i];

		p[n++] = (struct pollfd){w->fd, (short)(POLLIN |
		    (w->fd >= 0 && buf_used(&w->out) ? POLLOUT : 0)), 0};
	}
	for (size_t i = 0; i < CONTROLS_MAX; i++) {
		const struct control *c = &s->controls[i];

		p[n++] = (struct pollfd){c->fd, (short)(POLLIN |
		    (c->fd >= 0 && buf_used(&c->out) ? POLLOUT : 0)), 0};
	}
	return n;
}

static void
workers_read(struct server *s, const struct pollfd *p)
{
	bool gone[WORKERS_MAX] = {false};

	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = &s->workers[i];

		if (w->fd >= 0 && p[i].fd == w->fd && p[i].revents & ~POLLOUT)
			gone[i] = !fill(w->fd, &w->in);
	}
	/* All have been read before any is handled: one commit for all. */
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = &s->workers[i];

		if (w->fd < 0 || p[i].fd != w->fd)
			continue;
		worker_handle(s, w);
		if (gone[i])
			worker_close(s, w, "the gate worker ended");
	}
}

static void
controls_read(struct server *s, const struct pollfd *p)
{
	for (size_t i = 0; i < CONTROLS_MAX; i++) {
		struct control *c = &s->controls[i];

		if (c->fd < 0 || p[i].fd != c->fd || !(p[i].revents & ~POLLOUT))
			continue;
		if (!fill(c->fd, &c->in))
			c->closing = true;
		control_handle(s, c);
	}
}

/* Says when releasing stops and goes on for want of space. */
static void
low_water(struct server *s)
{
	bool low = ledger_free_bytes(s->book.ledger) <
	    (uint64_t)s->conf->ledger_low_water_mb << 20;

	if (low && !s->low)
		say_error("the ledger has no space: nothing is released; %s",
		    err_advice(ERR_NOSPACE));
	else if (!low && s->low)
		say_warn("the ledger has space again");
	s->low = low;
}

/* One turn; wait_ms bounds the wait. */
static void
turn(struct server *s, int wait_ms)
{
	struct pollfd p[FDS_MAX];
	nfds_t n = poll_set(s, p);

	if (poll(p, n, wait_ms) <= 0)
		return;
	low_water(s);
	if (p[0].revents && !parent_read(s))
		s->stopping = true;
	if (p[1].revents & POLLIN) {
		int fd = accept4(s->control_fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			control_open(s, fd);
	}
	workers_read(s, p + 2);
	controls_read(s, p + 2 + WORKERS_MAX);
	server_commit(s);
}

static void
server_tick(struct server *s)
{
	int64_t now = book_now(&s->book);
	struct book *b = &s->book;

	if (b->next != s->beat_next) {
		s->beat_next = b->next;
		s->beat_us = now;
	} else if (now - s->beat_us >= HEARTBEAT_US) {
		struct entry_head h = {.time_us = now};
		struct entry_heartbeat e = {.sessions = s->nsessions};
		enum err err = entry_build_heartbeat(&b->entry, &h, &e);

		server_entry(s, err ? err : book_append(b, NULL, 0, NULL));
	}
	stopped_incident(s);
	server_commit(s);
	if (s->fatal != ERR_OK)
		return;
	if (b->actors_changed && book_actors_save(b) != ERR_OK)
		say_error("%s/actors could not be written", b->dir);
	if (sealed_flush(b->sealed) != ERR_OK)
		say_error("sealed originals could not be written");
	if (b->next - b->snap_covers >= SNAPSHOT_ENTRIES +
	    meter_pairs(b->meter) / 8 || (b->next > b->snap_covers &&
	    now - s->snap_us >= snapshot_us)) {
		s->snap_us = now;
		if (book_snapshot(b) != ERR_OK)
			say_warn("meter.snap could not be written; a start will take "
			    "longer");
	}
}

static void
server_run(struct server *s)
{
	uint64_t tick = clock_mono_us(), stop;

	s->beat_us = s->snap_us = book_now(&s->book);
	while (!s->stopping && s->fatal == ERR_OK) {
		uint64_t now = clock_mono_us();
		int64_t left = (int64_t)(tick + TICK_MS * 1000ull - now) / 1000;

		turn(s, left > 0 ? (int)left + 1 : 0);
		if (clock_mono_us() - tick >= TICK_MS * 1000ull) {
			tick = clock_mono_us();
			server_tick(s);
		}
	}
	stop = clock_mono_us() + FLUSH_MS * 1000ull;
	for (bool left = true; left && s->fatal == ERR_OK &&
	    clock_mono_us() < stop;) {
		left = false;
		for (size_t i = 0; i < CONTROLS_MAX; i++)
			left |= s->controls[i].fd >= 0 &&
			    buf_used(&s->controls[i].out) > 0;
		if (left)
			send_answers(s);
	}
}

enum err
ledger_serve(const struct conf *c, const struct serve_options *o)
{
	struct server *s = malloc(sizeof(*s));
	enum err err;

	must(s != NULL);
	server_prepare(s, c, o->dir);
	err = o->enter != NULL && !o->enter(c) ? ERR_DENIED :
	    server_start(s, o);
	if (err == ERR_OK) {
		s->parent_fd = o->parent_fd;
		s->control_fd = o->control_fd;
		if (o->parent_fd >= 0 &&
		    send(o->parent_fd, "R", 1, MSG_NOSIGNAL) != 1)
			s->stopping = true;
		server_run(s);
	}
	if (s->fatal != ERR_OK)
		err = s->fatal;
	server_fini(s);
	free(s);
	return err;
}
