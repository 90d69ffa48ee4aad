/* SPDX-License-Identifier: Apache-2.0 */
#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif

#ifdef UNDER_ASAN
#include <sanitizer/lsan_interface.h>

/* Its search for leaks at exit traces the process, which would wait for ever. */
static int inside;

int
__lsan_is_turned_off(void)
{
	return inside;
}
#endif

bool
sandbox_user(uid_t uid, gid_t gid, const char **why)
{
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0) {
		*why = "cannot change to the role's user";
		return false;
	}
	if (setresuid(0, 0, 0) == 0) {
		*why = "the role could become root again";
		return false;
	}
	return true;
}

#define LANDLOCK_ALL_V1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* Rules for everything the first ABI knows; a later kernel knows these too. */
static bool
landlock(const char *dir)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = LANDLOCK_ALL_V1};
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ALL_V1 & ~(uint64_t)(
		    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
		    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)};
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	bool ok = rules >= 0;

	if (!ok)
		return false;
	if (dir != NULL) {
		beneath.parent_fd = open(dir, O_PATH | O_CLOEXEC);
		ok = beneath.parent_fd >= 0 && syscall(SYS_landlock_add_rule,
		    rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
		if (beneath.parent_fd >= 0)
			close(beneath.parent_fd);
	}
	ok = ok && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return ok;
}

/* Both roles: memory, time, waiting, threads, sockets they have, exit. */
static const int calls_common[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek),
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
	SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mlock), SCMP_SYS(munlock),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(futex), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
	SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2), SCMP_SYS(pipe2),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime), SCMP_SYS(fcntl), SCMP_SYS(dup),
	SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),
	SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(accept4),
	SCMP_SYS(accept), SCMP_SYS(prlimit64), SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo), SCMP_SYS(restart_syscall), SCMP_SYS(prctl),
};

static const int calls_gate[] = {
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(ioctl),
};

static const int calls_ledger[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(creat), SCMP_SYS(pread64),
	SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(fallocate),
	SCMP_SYS(fadvise64), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(flock),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(getdents64),
	SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(fchmod), SCMP_SYS(chmod),
	SCMP_SYS(fchmodat), SCMP_SYS(umask), SCMP_SYS(getcwd), SCMP_SYS(chdir),
	SCMP_SYS(sync_file_range), SCMP_SYS(readlink), SCMP_SYS(mlockall),
	SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(ioctl),
};

static bool
add_calls(scmp_filter_ctx f, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0) < 0)
			return false;
	}
	return true;
}

/*
 * Everything else ends the process, except opening files in the gate, which is
 * only refused: libraries look for files (time zones, locales) and can do without.
 */
static bool
filter(enum sandbox_role role)
{
	static const int refused[] = {SCMP_SYS(open), SCMP_SYS(openat),
	    SCMP_SYS(stat), SCMP_SYS(access), SCMP_SYS(readlink), SCMP_SYS(statx),
	    SCMP_SYS(getdents64), SCMP_SYS(lstat), SCMP_SYS(faccessat2)};
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool ok = f != NULL;

	ok = ok && add_calls(f, calls_common,
	    sizeof(calls_common) / sizeof(*calls_common));
	if (role == SANDBOX_GATE) {
		ok = ok && add_calls(f, calls_gate,
		    sizeof(calls_gate) / sizeof(*calls_gate));
		for (size_t i = 0; ok && i < sizeof(refused) / sizeof(*refused); i++)
			ok = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES),
			    refused[i], 0) == 0;
	} else {
		ok = ok && add_calls(f, calls_ledger,
		    sizeof(calls_ledger) / sizeof(*calls_ledger)) &&
		    seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES),
		    SCMP_SYS(socket), 0) == 0;
	}
	ok = ok && seccomp_load(f) == 0;
	seccomp_release(f);
	return ok;
}

bool
sandbox_enter(enum sandbox_role role, const char *dir, bool *have_landlock,
    const char **why)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
		*why = "prctl failed";
		return false;
	}
	*have_landlock = landlock(dir);
	if (!filter(role)) {
		*why = "the seccomp filter was not accepted";
		return false;
	}
#ifdef UNDER_ASAN
	inside = 1;
#endif
	return true;
}
