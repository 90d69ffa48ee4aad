/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os/sandbox (L10): a gate cannot open any file, the ledger's least of all; the
 * ledger cannot open files elsewhere nor reach the network; neither can run a
 * program or become root again. Each try runs in a child of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/sandbox.h"

static char dir[] = "/tmp/kuraban-sandbox-XXXXXX";
static char secret[64];

static int
make_state(void **state)
{
	int fd;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(secret, sizeof(secret), "%s/sign.key", dir);
	fd = open(secret, O_CREAT | O_WRONLY, 0644);
	return fd < 0 || write(fd, "key", 3) != 3 || close(fd) < 0;
}

static int
drop_state(void **state)
{
	(void)state;
	unlink(secret);
	return rmdir(dir);
}

/* Runs try() in a child of that role; the wait status. 100: no sandbox. */
static int
in_role(enum sandbox_role role, int (*try)(void))
{
	const char *why;
	bool landlock;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && chmod(dir, 0755) == 0 &&
		    !sandbox_user(64741, 64741, &why))
			_exit(100);
		if (!sandbox_enter(role, role == SANDBOX_LEDGER ? dir : NULL,
		    &landlock, &why))
			_exit(100);
		_exit(try());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int
try_open_secret(void)
{
	return open(secret, O_RDONLY) < 0 ? errno : 0;
}

static int
try_open_elsewhere(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
}

static int
try_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? errno : 0;
}

static int
try_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static int
try_root(void)
{
	return setuid(0) == 0 ? 0 : 1;
}

static void
exits(int status, int code)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static void
killed(int status)
{
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void
test_gate(void **state)
{
	(void)state;
	exits(in_role(SANDBOX_GATE, try_open_secret), EACCES);
	exits(in_role(SANDBOX_GATE, try_open_elsewhere), EACCES);
	exits(in_role(SANDBOX_GATE, try_socket), 0);
	killed(in_role(SANDBOX_GATE, try_exec));
	killed(in_role(SANDBOX_GATE, try_root));
}

static void
test_ledger(void **state)
{
	(void)state;
	exits(in_role(SANDBOX_LEDGER, try_open_secret), 0);
	exits(in_role(SANDBOX_LEDGER, try_open_elsewhere), EACCES);
	exits(in_role(SANDBOX_LEDGER, try_socket), EACCES);
	killed(in_role(SANDBOX_LEDGER, try_exec));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_ledger),
	};

	return cmocka_run_group_tests(tests, make_state, drop_state);
}
