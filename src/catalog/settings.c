/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/settings.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum setting_policy policy;
} table[] = {
#define SETTING(name, policy, reason) { name, SETTING_##policy },
#include "catalog/settings.tbl.h"
#undef SETTING
};

enum setting_policy
catalog_setting(const char *name)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = strlen(table[i].name);

		if (table[i].name[n - 1] == '*' ?
		    strncasecmp(name, table[i].name, n - 1) == 0 :
		    strcasecmp(name, table[i].name) == 0)
			return table[i].policy;
	}
	return strchr(name, '.') != NULL ? SETTING_FREE : SETTING_CONTEXT;
}
