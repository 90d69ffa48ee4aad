/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static volatile sig_atomic_t stopped;

static void
on_signal(int sig)
{
	stopped = 1;
}

bool
demo_stopped(void)
{
	return stopped != 0;
}

void
demo_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static _Noreturn void
child(const struct demo_run *r, const int fd[3], bool stays)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

	/* Ctrl-C is for the demonstration, which then ends the others in order. */
	setsid();
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_DFL);
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) < 0)
			_exit(127);
	if (r->uid != 0 && (setgroups(0, NULL) != 0 || setgid(r->gid) != 0 ||
	    setuid(r->uid) != 0))
		_exit(127);
	if (!stays)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	execvp(r->argv[0], (char *const *)(uintptr_t)r->argv);
	dprintf(STDERR_FILENO, "%s: %s\n", r->argv[0], strerror(errno));
	_exit(127);
}

static bool
pipe_pair(int fd[2])
{
	return pipe2(fd, O_CLOEXEC) == 0;
}

/*
 * psql with VERBOSITY=verbose: "[psql:<stdin>:1: ]ERROR:  KB001: text"; the word
 * before may be in any language.
 */
static void
error_line(struct demo_result *out, const char *text)
{
	const char *p = text, *end;

	for (; (p = strstr(p, ":  ")) != NULL; p++) {
		size_t n = strspn(p + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

		if (n == 5 && p[8] == ':' && p[9] == ' ') {
			snprintf(out->state, sizeof(out->state), "%.5s", p + 3);
			p += 10;
			break;
		}
	}
	if (p == NULL)
		p = text;
	end = strchr(p, '\n');
	snprintf(out->error, sizeof(out->error), "%.*s",
	    (int)(end != NULL ? end - p : (ptrdiff_t)strlen(p)), p);
}

struct pump {
	int in, out, err;	/* our ends; -1: closed */
	const char *input;
	size_t left;
	char errors[4096];
	size_t nerrors;
};

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
pump_write(struct pump *p)
{
	ssize_t n = write(p->in, p->input, p->left);

	if (n > 0) {
		p->input += n;
		p->left -= (size_t)n;
	}
	if (p->left == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		shut(&p->in);
}

static void
pump_read(struct pump *p, const struct demo_run *r, struct demo_result *out)
{
	static char chunk[65536];
	ssize_t n = read(p->out, chunk, sizeof(chunk));

	if (n <= 0) {
		if (n == 0 || errno != EINTR)
			shut(&p->out);
		return;
	}
	out->bytes += (uint64_t)n;
	if (r->output >= 0 && write(r->output, chunk, (size_t)n) < 0)
		return;
}

static void
pump_error(struct pump *p)
{
	char drop[1024];
	size_t room = sizeof(p->errors) - 1 - p->nerrors;
	ssize_t n = room > 0 ? read(p->err, p->errors + p->nerrors, room) :
	    read(p->err, drop, sizeof(drop));

	if (n <= 0 && (n == 0 || errno != EINTR))
		shut(&p->err);
	else if (n > 0 && room > 0)
		p->nerrors += (size_t)n;
}

static void
pump_all(struct pump *p, const struct demo_run *r, struct demo_result *out, pid_t pid)
{
	while (p->in >= 0 || p->out >= 0 || p->err >= 0) {
		struct pollfd v[6] = {{p->in, POLLOUT, 0}, {p->out, POLLIN, 0},
			{p->err, POLLIN, 0}, {-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}};

		if (r->wire != NULL)
			demo_wire_poll(r->wire, v + 3);
		if (poll(v, 6, 1000) < 0) {
			if (errno != EINTR)
				break;
			memset(v, 0, sizeof(v));
		}
		if (stopped && !r->anyway) {
			kill(pid, SIGTERM);
			break;
		}
		if (v[0].revents != 0)
			pump_write(p);
		if (v[1].revents != 0)
			pump_read(p, r, out);
		if (v[2].revents != 0)
			pump_error(p);
		if (r->wire != NULL)
			demo_wire_event(r->wire, v + 3, r->seen);
	}
}

void
demo_run(const struct demo_run *r, struct demo_result *out)
{
	struct pump p = {-1, -1, -1, r->input, 0, "", 0};
	int in[2] = {-1, -1}, o[2] = {-1, -1}, err[2] = {-1, -1}, status;
	uint64_t from = clock_mono_us();
	pid_t pid = -1;

	*out = (struct demo_result){.status = -1};
	if (pipe_pair(in) && pipe_pair(o) && pipe_pair(err) && (pid = fork()) == 0) {
		const int fd[3] = {in[0], o[1], err[1]};

		child(r, fd, false);
	}
	shut(&in[0]);
	shut(&o[1]);
	shut(&err[1]);
	p.in = in[1];
	p.out = o[0];
	p.err = err[0];
	p.left = r->input != NULL ? strlen(r->input) : 0;
	if (p.in >= 0)
		fcntl(p.in, F_SETFL, O_NONBLOCK);
	if (p.left == 0)
		shut(&p.in);
	if (pid > 0) {
		pump_all(&p, r, out, pid);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		out->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	}
	shut(&p.in);
	shut(&p.out);
	shut(&p.err);
	p.errors[p.nerrors] = '\0';
	error_line(out, p.errors);
	out->seconds = (double)(clock_mono_us() - from) / 1e6;
}

pid_t
demo_start(const struct demo_run *r, int log_fd, bool stays)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid = -1;

	if (null >= 0 && (pid = fork()) == 0) {
		const int fd[3] = {null, r->output >= 0 ? r->output : log_fd, log_fd};

		child(r, fd, stays);
	}
	shut(&null);
	return pid;
}

bool
demo_alive(pid_t pid)
{
	return pid > 0 && waitpid(pid, NULL, WNOHANG) == 0;
}

void
demo_stop(pid_t pid, int signal)
{
	if (pid <= 0)
		return;
	kill(pid, signal);
	for (int i = 0; i < 100; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		usleep(100000);
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

unsigned
demo_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	unsigned port = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&a, &len) == 0)
		port = ntohs(a.sin_port);
	shut(&fd);
	return port;
}
