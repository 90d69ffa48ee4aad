/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and time of the meter: ACTORS actors who receive in turns, 100 subjects a
 * time (one actor alone: 4,000), until each has received SUBJECTS that nobody had.
 *
 *   meter ACTORS SUBJECTS
 *
 * prints: resident bytes a pair, GiB of 1e8 pairs at that, CPU in ns a pair
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "meter/meter.h"

enum { BATCH = 4000, TURN = 100 };

static uint64_t
next_token(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static double
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
		errx(1, "/proc/self/statm");
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int
main(int argc, char **argv)
{
	static const uint64_t limit[METER_WINDOWS] = {METER_NO_LIMIT,
	    METER_NO_LIMIT, METER_NO_LIMIT, METER_NO_LIMIT};
	static struct meter_row rows[BATCH];
	static uint64_t tokens[BATCH];
	struct meter *m = meter_new();
	struct meter_ask ask = {.today = 20000, .year = 2026, .limit = limit,
	    .rows = rows, .tokens = tokens};
	struct meter_answer got;
	unsigned actors;
	uint64_t subjects;
	double bytes, ns, pairs;

	if (argc != 3 || (actors = (unsigned)atoi(argv[1])) < 1 ||
	    (subjects = strtoull(argv[2], NULL, 10)) < 1 || m == NULL)
		errx(2, "usage: meter ACTORS SUBJECTS");
	for (size_t i = 0; i < BATCH; i++)
		rows[i].nkeys = 1;
	for (unsigned a = 0; a < actors; a++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", a);
		meter_actor(m, name);
	}
	bytes = resident();
	ns = cpu_ns();
	for (uint64_t done = 0; done < subjects; done += ask.nrows) {
		ask.nrows = actors > 1 ? TURN : BATCH;
		if (ask.nrows > subjects - done)
			ask.nrows = (size_t)(subjects - done);
		for (ask.actor = 0; ask.actor < actors; ask.actor++) {
			for (size_t i = 0; i < ask.nrows; i++)
				tokens[i] = next_token();
			if (meter_decide(m, &ask, &got) != ERR_OK ||
			    got.rows != ask.nrows)
				errx(1, "not charged");
		}
	}
	pairs = (double)actors * (double)subjects;
	ns = (cpu_ns() - ns) / pairs;
	bytes = (resident() - bytes) / pairs;
	printf("%.2f %.2f %.0f\n", bytes, bytes * 1e8 / (1 << 30), ns);
	meter_free(m);
	return 0;
}
