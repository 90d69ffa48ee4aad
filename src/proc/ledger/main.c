/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `kuraban -x ledger`, started by the parent with fd 3, the channel to it, and
 * fd 4, the listening control socket. See docs/spec/ipc.md, section 5.
 */
#include "proc/ledger/ledger_main.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/say.h"
#include "os/sandbox.h"
#include "proc/ledger/server.h"
#include "proc/users.h"

enum { PARENT_FD = 3, CONTROL_FD = 4, CONF_MAX = 16 << 20, EXIT_BROKEN = 3 };

static bool
read_all(int fd, void *buf, size_t n)
{
	uint8_t *p = buf;

	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

/* u32 length, then the file's name, NUL, its text, which *body borrows. */
static struct conf *
conf_receive(char **all, struct slice *body)
{
	uint8_t head[4];
	struct rd r = rd_init(head, sizeof(head));
	struct conf_notes notes;
	struct conf *c = NULL;
	char *text, *end;
	uint32_t n;

	if (!read_all(PARENT_FD, head, sizeof(head)))
		return NULL;
	n = rd_u32(&r);
	if (n > CONF_MAX || (text = malloc((size_t)n + 1)) == NULL)
		return NULL;
	text[n] = 0;
	if (read_all(PARENT_FD, text, n) && (end = memchr(text, 0, n)) != NULL) {
		if (conf_parse(&c, text, end + 1, &notes) != ERR_OK)
			for (size_t i = 0; i < notes.n; i++)
				say_error("%s:%d: %s", text, notes.v[i].line,
				    notes.v[i].text);
		conf_notes_fini(&notes);
		*body = slice_cstr(end + 1);
	}
	*all = text;
	return c;
}

/* Another user, no way out of the state directory (L10). */
static bool
enter(const struct conf *c)
{
	const char *why = "";
	bool landlock = false;
	uid_t uid;
	gid_t gid;

	/* Its file is outside. */
	tzset();
	if (geteuid() == 0 && (!users_lookup(c->user_ledger, USERS_LEDGER, &uid,
	    &gid, &why) || !sandbox_user(uid, gid, &why))) {
		say_error("%s", why);
		return false;
	}
	if (chdir(c->state) != 0) {
		say_error("%s: %s", c->state, strerror(errno));
		return false;
	}
	if (!sandbox_enter(SANDBOX_LEDGER, ".", &landlock, &why)) {
		say_error("%s", why);
		return false;
	}
	if (!landlock)
		say_warn("this kernel has no landlock: the ledger process is kept "
		    "from other files by its user alone");
	return true;
}

int
ledger_main(int argc, char **argv)
{
	struct serve_options o = {.dir = ".", .parent_fd = PARENT_FD,
	    .control_fd = CONTROL_FD, .enter = enter};
	char *text = NULL;
	struct conf *c;
	enum err err;

	say_role("ledger");
	signal(SIGPIPE, SIG_IGN);
	/* A terminal and systemd signal all processes: the parent says when. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (sodium_init() < 0 || (c = conf_receive(&text, &o.conf_text)) == NULL)
		return 1;
	if (c->language != NULL)
		i18n_use(c->language);
	err = ledger_serve(c, &o);
	conf_free(c);
	free(text);
	if (err == ERR_BROKEN) {
		say_error("the ledger cannot be trusted any more: nothing is released");
		return EXIT_BROKEN;
	}
	return err == ERR_OK ? 0 : 1;
}
