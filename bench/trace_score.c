/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report against the generator's truth, for lists of any size without
 * guardians: trace_score MATCHES.CSV TRUTH.CSV. Both are read side by side; the
 * truth starts again from its top when MATCHES goes on (a list replayed).
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct grown {
	uint32_t *v;
	size_t cap;
};

static uint32_t *
at(struct grown *g, size_t i)
{
	if (i >= g->cap) {
		size_t cap = i * 2 + 1024;

		g->v = realloc(g->v, cap * sizeof *g->v);
		if (!g->v)
			exit(1);
		memset(g->v + g->cap, 0, (cap - g->cap) * sizeof *g->v);
		g->cap = cap;
	}
	return &g->v[i];
}

static char *
field(char **line)
{
	char *s = *line, *e = s + strcspn(s, ",\n");

	*line = *e ? e + 1 : e;
	*e = '\0';
	return s;
}

int
main(int argc, char **argv)
{
	FILE *m = argc == 3 ? fopen(argv[1], "r") : NULL;
	FILE *t = argc == 3 ? fopen(argv[2], "r") : NULL;
	struct grown who = {0}, seen[2] = {{0}, {0}}, parts = {0};
	uint64_t right = 0, wrong = 0, missed = 0, mixed = 0, rows = 0;
	uint64_t persons = 0, found = 0, last = 0, base = 0;
	char ml[8192], tl[256], *s;

	if (!m || !t) {
		fputs("trace_score MATCHES.CSV TRUTH.CSV\n", stderr);
		return 2;
	}
	if (!fgets(ml, sizeof ml, m) || !fgets(tl, sizeof tl, t))
		return 1;
	while (fgets(ml, sizeof ml, m)) {
		uint64_t row, person, id, truth = 0;
		char *key, *customer = NULL, *agree;
		bool accepted, foreign;

		s = ml;
		row = strtoull(field(&s), NULL, 10);
		field(&s);
		key = field(&s);
		field(&s);
		accepted = field(&s)[0] == '1';
		person = strtoull(field(&s), NULL, 10);
		agree = s;
		if (row == last || !strncmp(agree, "guardian", 8))
			continue;
		last = row;
		/* Rows between are empty ones: nobody can be found in them. */
		while (truth < row - base) {
			if (!fgets(tl, sizeof tl, t)) {
				base = row - 1;
				rewind(t);
				if (!fgets(tl, sizeof tl, t) || !fgets(tl,
				    sizeof tl, t))
					return 1;
			}
			s = tl;
			truth = strtoull(field(&s), NULL, 10);
			customer = field(&s);
			missed += truth < row - base && customer[0];
		}
		s = field(&s);
		foreign = s[0] == 'F';
		id = strtoull(s + 1, NULL, 10);
		if (!*at(&seen[foreign], id)) {
			*at(&seen[foreign], id) = (uint32_t)person;
			persons++;
		}
		*at(&parts, person) += 1;
		found += *at(&parts, person) == 1;
		/* Foreign ones get numbers of their own. */
		id = id * 2 + foreign + 1;
		if (!*at(&who, person))
			*at(&who, person) = (uint32_t)id;
		mixed += *at(&who, person) != (uint32_t)id;
		rows++;
		if (accepted && !strcmp(key, customer))
			right++;
		else {
			wrong += accepted;
			missed += customer[0] != '\0';
		}
	}
	printf("    %llu rows, %llu persons found, %llu true, off by %+.3f %%, "
	    "%llu rows with a stranger", (unsigned long long)rows,
	    (unsigned long long)found, (unsigned long long)persons,
	    100 * ((double)found / (double)persons - 1),
	    (unsigned long long)mixed);
	if (right + wrong)
		printf(", precision %.6f, recall %.6f", (double)right /
		    (double)(right + wrong), (double)right / (double)(right +
		    missed));
	putchar('\n');
	return 0;
}
