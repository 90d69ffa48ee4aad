/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client, one prepared statement with one integer parameter, one row at a
 * time, one after the other.
 *
 *   latency CONNINFO SECONDS HIGHEST SQL	prints: count p50 p99 (microseconds)
 */
#include <err.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SAMPLES_MAX (1u << 22)

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int
ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t
once(PGconn *c, long key)
{
	char text[24];
	const char *v = text;
	uint64_t start = now_ns(), took;
	PGresult *r;

	snprintf(text, sizeof(text), "%ld", key);
	r = PQexecPrepared(c, "q", 1, &v, NULL, NULL, 0);
	took = now_ns() - start;
	if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1)
		errx(1, "%s", PQerrorMessage(c));
	PQclear(r);
	return took;
}

int
main(int argc, char **argv)
{
	uint64_t *took, end;
	size_t n = 0;
	PGconn *c;
	PGresult *r;
	long highest;

	if (argc != 5)
		errx(2, "usage: latency CONNINFO SECONDS HIGHEST SQL");
	highest = atol(argv[3]);
	took = calloc(SAMPLES_MAX, sizeof(*took));
	if (took == NULL)
		err(1, NULL);
	c = PQconnectdb(argv[1]);
	if (PQstatus(c) != CONNECTION_OK)
		errx(1, "%s", PQerrorMessage(c));
	r = PQprepare(c, "q", argv[4], 1, NULL);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		errx(1, "%s", PQerrorMessage(c));
	PQclear(r);
	srandom(1);
	for (int i = 0; i < 100; i++)	/* warm: catalogue, plan, verdict */
		once(c, 1 + random() % highest);
	end = now_ns() + (uint64_t)(atof(argv[2]) * 1e9);
	while (n < SAMPLES_MAX && now_ns() < end)
		took[n++] = once(c, 1 + random() % highest);
	PQfinish(c);
	if (n == 0)
		errx(1, "too short");
	qsort(took, n, sizeof(*took), ascending);
	printf("%zu %.1f %.1f\n", n, (double)took[n / 2] / 1e3,
	    (double)took[n * 99 / 100] / 1e3);
	free(took);
	return 0;
}
