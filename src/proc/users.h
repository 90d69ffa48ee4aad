/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users that the roles run as when Kuraban was started as root. A name in the
 * configuration must exist; without one "kuraban-gate" and "kuraban-ledger" are
 * used if they exist, else fixed numbers out of the range that systemd calls
 * dynamic (61184..65519), so that a fresh machine needs no set-up.
 */
#ifndef KB_PROC_USERS_H
#define KB_PROC_USERS_H

#include <stdbool.h>
#include <sys/types.h>

enum users_role { USERS_GATE, USERS_LEDGER };

bool users_lookup(const char *name, enum users_role role, uid_t *uid, gid_t *gid,
    const char **why);

#endif
