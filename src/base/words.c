/* SPDX-License-Identifier: Apache-2.0 */
#include "base/words.h"

#include <string.h>

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
