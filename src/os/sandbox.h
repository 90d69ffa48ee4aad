/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a role may still do once it runs (L10): its own user, no new
 * privileges, a seccomp filter and landlock rules. Called once, after the role
 * has opened what it needs and before it reads a byte from outside.
 */
#ifndef KB_OS_SANDBOX_H
#define KB_OS_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

enum sandbox_role {
	SANDBOX_GATE,		/* sockets only: no file may be opened */
	SANDBOX_LEDGER		/* files under one directory only: no internet sockets */
};

/* Gives up root for good. false: still root, why says what failed. */
bool sandbox_user(uid_t uid, gid_t gid, const char **why);
/*
 * dir: the directory that SANDBOX_LEDGER may use, NULL for the gate. Landlock is
 * skipped where the kernel lacks it (*landlock tells); seccomp never is.
 */
bool sandbox_enter(enum sandbox_role role, const char *dir, bool *landlock,
    const char **why);

#endif
