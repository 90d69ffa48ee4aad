/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/parent/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <libintl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/say.h"
#include "conf/conf.h"
#include "proc/users.h"
#include "proc/workers.h"

#define _(s) gettext(s)

enum {
	MAX_LISTEN = 16,
	FD_HIGH = 100,		/* children's fds are moved up here, then to 3... */
	BACKOFF_MIN_MS = 50,
	BACKOFF_MAX_MS = 5000,
	LEDGER_START_MS = 600000,	/* it may have to rebuild what it counts */
	EXIT_BROKEN = 3,
	FILES_BESIDE = 128,		/* for the rest, and clients above the limit */
};

struct child {
	pid_t pid;		/* 0: not running */
	uint64_t started_us, restart_us;
	unsigned backoff_ms;
};

struct parent {
	struct conf *conf;
	char *text;		/* the configuration: name NUL text */
	size_t text_len;
	int ledger_fd, control_fd, signal_fd, counts_fd;
	int listen_fd[WORKERS_MAX][MAX_LISTEN];
	struct child ledger, gate[WORKERS_MAX];
	unsigned workers;
	bool stopping;
};

static bool
read_conf(struct parent *p, const char *file)
{
	struct conf_notes notes;
	enum err e = conf_load(&p->conf, file, &notes);
	size_t name = strlen(file) + 1;
	struct stat st;
	int fd;

	for (size_t i = 0; i < notes.n; i++) {
		if (notes.v[i].level == CONF_ERROR)
			say_error("%s:%d: %s", file, notes.v[i].line, notes.v[i].text);
	}
	conf_notes_fini(&notes);
	if (e != ERR_OK)
		return false;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	p->text_len = name + (size_t)st.st_size;
	if ((p->text = malloc(p->text_len + 1)) == NULL)
		return false;
	memcpy(p->text, file, name);
	if (read(fd, p->text + name, (size_t)st.st_size) != st.st_size)
		return false;
	close(fd);
	return true;
}

static bool
make_state(struct parent *p)
{
	const char *dir = p->conf->state, *why = "";
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	bool root = geteuid() == 0;
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (root && !users_lookup(p->conf->user_ledger, USERS_LEDGER, &uid, &gid, &why)) {
		say_error("%s", why);
		return false;
	}
	for (char *s = strdup(dir), *at = s; at != NULL;) {
		at = strchr(at + 1, '/');
		if (at != NULL)
			*at = 0;
		if (mkdir(s, at != NULL ? 0755 : 0700) < 0 && errno != EEXIST) {
			say_error("%s %s: %s", _("cannot make the state directory"), s,
			    strerror(errno));
			free(s);
			return false;
		}
		if (at == NULL) {
			free(s);
			break;
		}
		*at = '/';
	}
	if (root && chown(dir, uid, gid) < 0) {
		say_error("%s: %s", dir, strerror(errno));
		return false;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/control.sock", dir) >=
	    sizeof(path)) {
		say_error("%s", _("the path of the state directory is too long"));
		return false;
	}
	memcpy(un.sun_path, path, sizeof(path));
	/* A socket that answers belongs to a running server: keep off. */
	p->control_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(p->control_fd, (struct sockaddr *)&un, sizeof(un)) == 0) {
		say_error("%s: %s", dir,
		    _("another kuraban runs on this state directory"));
		return false;
	}
	close(p->control_fd);
	unlink(path);
	p->control_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(p->control_fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(p->control_fd, 64) < 0 || chmod(path, 0600) < 0 ||
	    (root && chown(path, uid, gid) < 0)) {
		say_error("%s: %s", path, strerror(errno));
		return false;
	}
	return true;
}

static int
bind_one(const char *address)
{
	char host[256];
	const char *colon = strrchr(address, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *ai;
	size_t n = (size_t)(colon - address);
	int fd, one = 1, e;

	if (address[0] == '[' && n > 2) {
		address++;
		n -= 2;
	}
	snprintf(host, sizeof(host), "%.*s", (int)n, address);
	if ((e = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &ai)) != 0) {
		say_error("%s %s: %s", _("cannot listen on"), host, gai_strerror(e));
		return -1;
	}
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 1024) < 0) {
		say_error("%s %s:%s: %s", _("cannot listen on"), host, colon + 1,
		    strerror(errno));
		close(fd);
		fd = -1;
	}
	freeaddrinfo(ai);
	return fd;
}

/* Another server on the port would share it, thanks to SO_REUSEPORT: ask first. */
static bool
port_is_free(const char *address)
{
	char host[256];
	const char *colon = strrchr(address, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *ai;
	size_t n = (size_t)(colon - address);
	int fd, one = 1;
	bool ok;

	if (address[0] == '[' && n > 2) {
		address++;
		n -= 2;
	}
	snprintf(host, sizeof(host), "%.*s", (int)n, address);
	if (getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &ai) != 0)
		return true;	/* bind_one says it better */
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ok = bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 || errno != EADDRINUSE;
	close(fd);
	freeaddrinfo(ai);
	if (!ok)
		say_error("%s %s: %s", _("cannot listen on"), address, strerror(EADDRINUSE));
	return ok;
}

static bool
bind_all(struct parent *p)
{
	const struct conf *c = p->conf;

	if (c->nlisten > MAX_LISTEN) {
		say_error("%s", _("too many listen addresses"));
		return false;
	}
	p->workers = c->workers < WORKERS_MAX ? c->workers : WORKERS_MAX;
	for (size_t i = 0; i < c->nlisten; i++) {
		if (!port_is_free(c->listen[i]))
			return false;
	}
	for (unsigned w = 0; w < p->workers; w++) {
		for (size_t i = 0; i < c->nlisten; i++) {
			if ((p->listen_fd[w][i] = bind_one(c->listen[i])) < 0)
				return false;
		}
	}
	return true;
}

/* Child: the given fds become 3, 4, ...; then this program again, as a role. */
static _Noreturn void
become(const char *const *args, const int *fds, unsigned n)
{
	sigset_t none;

	for (unsigned i = 0; i < n; i++)
		dup2(fds[i], FD_HIGH + (int)i);
	for (unsigned i = 0; i < n; i++) {
		dup2(FD_HIGH + (int)i, 3 + (int)i);
		close(FD_HIGH + (int)i);
	}
	closefrom(3 + (int)n);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/proc/self/exe", (char *const *)args);
	_exit(127);
}

static bool
write_all(int fd, const void *p, size_t len)
{
	const char *b = p;

	while (len > 0) {
		ssize_t n = send(fd, b, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		b += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
start_ledger(struct parent *p)
{
	static const char *const args[] = {"kuraban", "-x", "ledger", NULL};
	uint8_t len[4] = {(uint8_t)(p->text_len >> 24), (uint8_t)(p->text_len >> 16),
	    (uint8_t)(p->text_len >> 8), (uint8_t)p->text_len};
	struct pollfd pfd;
	int pair[2];
	char ready = 0;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	if ((pid = fork()) < 0)
		return false;
	if (pid == 0)
		become(args, (int[]){pair[1], p->control_fd}, 2);
	close(pair[1]);
	p->ledger_fd = pair[0];
	p->ledger.pid = pid;
	p->ledger.started_us = clock_mono_us();
	if (!write_all(pair[0], len, 4) || !write_all(pair[0], p->text, p->text_len))
		return false;
	pfd = (struct pollfd){.fd = pair[0], .events = POLLIN};
	for (int left = LEDGER_START_MS; left > 0; left -= 100) {
		int n = poll(&pfd, 1, 100), status;

		if (n > 0)
			return read(pair[0], &ready, 1) == 1 && ready == 'R';
		if (waitpid(pid, &status, WNOHANG) == pid) {
			p->ledger.pid = 0;
			return false;
		}
	}
	return false;
}

static bool
send_fd(int via, char byte, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = {{0}};
	struct iovec io = {&byte, 1};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1,
	    .msg_control = u.space, .msg_controllen = sizeof(u.space)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(via, &m, MSG_NOSIGNAL) == 1;
}

static bool
start_gate(struct parent *p, unsigned w)
{
	char number[16], listeners[16];
	const char *args[] = {"kuraban", "-x", "gate", number, listeners, NULL};
	int pair[2], fds[3 + MAX_LISTEN], conf, size = 4 << 20;
	unsigned n = (unsigned)p->conf->nlisten;
	pid_t pid;

	snprintf(number, sizeof(number), "%u", w);
	snprintf(listeners, sizeof(listeners), "%u", n);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	for (int i = 0; i < 2; i++) {
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		setsockopt(pair[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	conf = memfd_create("conf", MFD_CLOEXEC);
	if (conf < 0 || pwrite(conf, p->text, p->text_len, 0) != (ssize_t)p->text_len)
		return false;
	if (!send_fd(p->ledger_fd, 'G', pair[0])) {
		close(pair[0]);
		close(pair[1]);
		close(conf);
		return false;
	}
	fds[0] = pair[1];
	fds[1] = conf;
	fds[2] = p->counts_fd;
	for (unsigned i = 0; i < n; i++)
		fds[3 + i] = p->listen_fd[w][i];
	if ((pid = fork()) == 0)
		become(args, fds, 3 + n);
	close(pair[0]);
	close(pair[1]);
	close(conf);
	if (pid < 0)
		return false;
	p->gate[w].pid = pid;
	p->gate[w].started_us = clock_mono_us();
	return true;
}

/* The longer a child lived, the sooner it is started again. */
static void
schedule(struct child *c)
{
	uint64_t now = clock_mono_us();

	if (c->backoff_ms == 0 || now - c->started_us > 10000000)
		c->backoff_ms = BACKOFF_MIN_MS;
	else if (c->backoff_ms < BACKOFF_MAX_MS)
		c->backoff_ms *= 2;
	c->pid = 0;
	c->restart_us = now + c->backoff_ms * 1000ull;
}

/* Returns the exit code when the whole must end, else -1. */
static int
reap(struct parent *p)
{
	int status, broken = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->ledger.pid) {
			close(p->ledger_fd);
			p->ledger_fd = -1;
			schedule(&p->ledger);
			if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_BROKEN) {
				say_error("%s", _("the ledger is broken: nothing is released until somebody has looked (docs/recovery.md)"));
				broken = EXIT_BROKEN;
			} else if (!p->stopping) {
				say_error("%s (%d)", _("the ledger process ended; starting it again"), status);
			}
		}
		for (unsigned w = 0; w < p->workers; w++) {
			if (pid != p->gate[w].pid)
				continue;
			schedule(&p->gate[w]);
			if (!p->stopping && !(WIFEXITED(status) &&
			    WEXITSTATUS(status) == 75))
				say_error("%s (%d)", _("a gate worker ended; starting it again"), status);
		}
	}
	return broken;
}

static void
stop_all(struct parent *p)
{
	int status;

	p->stopping = true;
	for (unsigned w = 0; w < p->workers; w++) {
		if (p->gate[w].pid > 0)
			kill(p->gate[w].pid, SIGKILL);
	}
	for (unsigned w = 0; w < p->workers; w++) {
		if (p->gate[w].pid > 0)
			waitpid(p->gate[w].pid, &status, 0);
	}
	if (p->ledger.pid > 0) {
		if (write(p->ledger_fd, "S", 1) != 1)
			kill(p->ledger.pid, SIGTERM);
		waitpid(p->ledger.pid, &status, 0);
	}
}

/* Each client takes two files of a worker; all may come to the same one. */
static void
raise_files(const struct conf *c)
{
	rlim_t want = 2 * (rlim_t)(c->max_clients + FILES_BESIDE);
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur >= want)
		return;
	r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur < want)
		say_warn(_("only %llu files may be open; max_clients needs %llu"),
		    (unsigned long long)r.rlim_cur, (unsigned long long)want);
}

static int
next_delay(struct parent *p)
{
	uint64_t now = clock_mono_us(), first = now + 60000000;

	if (p->ledger.pid == 0 && p->ledger.restart_us < first)
		first = p->ledger.restart_us;
	for (unsigned w = 0; w < p->workers; w++) {
		if (p->gate[w].pid == 0 && p->gate[w].restart_us < first)
			first = p->gate[w].restart_us;
	}
	return first <= now ? 0 : (int)((first - now) / 1000) + 1;
}

static void
restart_due(struct parent *p)
{
	uint64_t now = clock_mono_us();

	if (p->ledger.pid == 0) {
		if (now < p->ledger.restart_us)
			return;
		if (!start_ledger(p)) {
			if (p->ledger.pid > 0)
				kill(p->ledger.pid, SIGKILL);
			else
				schedule(&p->ledger);
			return;
		}
	}
	for (unsigned w = 0; w < p->workers; w++) {
		if (p->gate[w].pid == 0 && now >= p->gate[w].restart_us &&
		    !start_gate(p, w))
			schedule(&p->gate[w]);
	}
}

static int
run(struct parent *p)
{
	struct pollfd pfd = {.fd = p->signal_fd, .events = POLLIN};
	struct signalfd_siginfo si;
	int broken;

	for (;;) {
		int n = poll(&pfd, 1, next_delay(p));

		if (n > 0 && read(p->signal_fd, &si, sizeof(si)) == sizeof(si) &&
		    (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT))
			return 0;
		if ((broken = reap(p)) >= 0)
			return broken;
		restart_due(p);
	}
}

int
parent_run(const char *conf_file)
{
	static struct parent p = {.ledger_fd = -1, .control_fd = -1};
	char path[4200];
	sigset_t set;
	int code;

	say_role("parent");
	signal(SIGPIPE, SIG_IGN);
	if (!read_conf(&p, conf_file))
		return 1;
	i18n_use(p.conf->language);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p.signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (!make_state(&p) || !bind_all(&p))
		return 1;
	raise_files(p.conf);
	p.counts_fd = memfd_create("counts", MFD_CLOEXEC);
	if (p.counts_fd < 0 || ftruncate(p.counts_fd,
	    WORKERS_MAX * sizeof(uint32_t)) < 0) {
		say_error("%s", strerror(errno));
		return 1;
	}
	if (!start_ledger(&p)) {
		int status = 0;

		if (p.ledger.pid > 0) {
			kill(p.ledger.pid, SIGTERM);
			waitpid(p.ledger.pid, &status, 0);
		}
		say_error("%s", _("the ledger did not start"));
		return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_BROKEN ?
		    EXIT_BROKEN : 1;
	}
	for (unsigned w = 0; w < p.workers; w++) {
		if (!start_gate(&p, w)) {
			stop_all(&p);
			return 1;
		}
	}
	printf("ready");
	for (size_t i = 0; i < p.conf->nlisten; i++)
		printf(" %s", p.conf->listen[i]);
	printf("\n");
	fflush(stdout);
	code = run(&p);
	stop_all(&p);
	snprintf(path, sizeof(path), "%s/control.sock", p.conf->state);
	unlink(path);
	return code;
}
