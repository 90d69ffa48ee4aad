/* SPDX-License-Identifier: Apache-2.0 */
#include "base/i18n.h"

#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN "kuraban"

/* Where the catalogues are, relative to the program: built, installed. */
static const char *const places[] = {"../../po", "../share/locale"};

static void
bind(void)
{
	char dir[PATH_MAX], path[PATH_MAX + 64], *slash;
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);

	if (n <= 0)
		return;
	dir[n] = '\0';
	if ((slash = strrchr(dir, '/')) == NULL)
		return;
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s/%s/ja/LC_MESSAGES/%s.mo", dir,
		    places[i], DOMAIN);
		if (access(path, R_OK) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, places[i]);
		bindtextdomain(DOMAIN, path);
		return;
	}
}

static const char *
wanted(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	const char *v;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if ((v = getenv(names[i])) != NULL && *v != '\0')
			return v;
	return "C";
}

void
i18n_init(void)
{
	char language[3] = "";

	bind();
	textdomain(DOMAIN);
	bind_textdomain_codeset(DOMAIN, "UTF-8");
	if (setlocale(LC_ALL, "") == NULL) {
		/* Not generated here: any UTF-8 locale will do, the catalogue is ours. */
		snprintf(language, sizeof(language), "%s", wanted());
		i18n_use(language);
	}
	setlocale(LC_NUMERIC, "C");	/* numbers in JSON */
}

void
i18n_use(const char *language)
{
	extern int _nl_msg_cat_cntr;	/* glibc's documented way to say "changed" */
	const char *now = setlocale(LC_MESSAGES, NULL);

	/* In the locale "C" gettext never translates. */
	if (now == NULL || strcmp(now, "C") == 0 || strcmp(now, "POSIX") == 0) {
		setlocale(LC_CTYPE, "C.UTF-8");
		setlocale(LC_MESSAGES, "C.UTF-8");
	}
	setenv("LANGUAGE", language, 1);
	_nl_msg_cat_cntr++;
	gettext("done");
}
