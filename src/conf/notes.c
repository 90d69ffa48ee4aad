/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
notes_add(struct conf_notes *n, int level, int line, const char *fmt, ...)
{
	struct conf_note *v;
	char *text;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	v = len < 0 ? NULL : realloc(n->v, (n->n + 1) * sizeof(*v));
	must(v != NULL);	/* a note lost would be an error lost */
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

/* Edit distance, cut at 4; words are short. */
static unsigned
distance(const char *a, const char *b)
{
	enum { MAX = 32 };
	unsigned row[MAX + 1], before, left;
	size_t na = strlen(a), nb = strlen(b);

	if (na > MAX || nb > MAX)
		return MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		left = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			before = row[j];
			row[j] = left + (a[i - 1] != b[j - 1]);
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			if (before + 1 < row[j])
				row[j] = before + 1;
			left = before;
		}
	}
	return row[nb];
}

const char *
word_nearest(const char *s, const char *const *words)
{
	const char *best = NULL;
	unsigned near = 4;

	for (; *words != NULL; words++) {
		unsigned d = distance(s, *words);

		if (d < near && d < strlen(*words)) {
			near = d;
			best = *words;
		}
	}
	return best;
}
