/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
notes_add(struct conf_notes *n, int level, int line, const char *fmt, ...)
{
	struct conf_note *v;
	char *text;
	va_list ap;

	/* A note lost would be an error lost. */
	va_start(ap, fmt);
	must(vasprintf(&text, fmt, ap) >= 0);
	va_end(ap);
	v = realloc(n->v, (n->n + 1) * sizeof(*v));
	must(v != NULL);
	n->v = v;
	v[n->n++] = (struct conf_note){(unsigned)level, line, text};
}

bool
notes_failed(const struct conf_notes *n)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].level == CONF_ERROR)
			return true;
	return false;
}

void
conf_notes_fini(struct conf_notes *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->v[i].text);
	free(n->v);
	*n = (struct conf_notes){0};
}
