/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/users.h"

#include <pwd.h>
#include <stddef.h>

static const struct {
	const char *name;
	uid_t id;
} defaults[] = {
	[USERS_GATE] = {"kuraban-gate", 64741},
	[USERS_LEDGER] = {"kuraban-ledger", 64742},
};

bool
users_lookup(const char *name, enum users_role role, uid_t *uid, gid_t *gid,
    const char **why)
{
	struct passwd *pw = getpwnam(name ? name : defaults[role].name);

	if (pw == NULL && name != NULL) {
		*why = "the user named in the configuration does not exist";
		return false;
	}
	*uid = pw ? pw->pw_uid : defaults[role].id;
	*gid = pw ? pw->pw_gid : (gid_t)defaults[role].id;
	if (*uid == 0) {
		*why = "the role's user must not be root";
		return false;
	}
	return true;
}
