/* SPDX-License-Identifier: Apache-2.0 */
/* May a setting be changed through the gate? The table is settings.tbl.h. */
#ifndef KB_CATALOG_SETTINGS_H
#define KB_CATALOG_SETTINGS_H

enum setting_policy {
	SETTING_FREE,		/* no effect on what a statement means or on what leaves */
	SETTING_CONTEXT,	/* allowed, but names may resolve otherwise afterwards */
	SETTING_LITERAL,	/* SET to a constant only: its value is sent to others */
	SETTING_HELD,		/* the gate relies on it: only what keeps its value passes */
	SETTING_REFUSED
};

/* Case does not matter. Names that are not in the table: CONTEXT; with a dot: FREE. */
enum setting_policy catalog_setting(const char *name);

#endif
