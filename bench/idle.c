/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens many sessions and leaves them idle until standard input ends.
 *
 *   idle CONNINFO COUNT [SQL]		prints "open COUNT" once all are
 *
 * With SQL, each session has run it once before it idles.
 */
#include <err.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

int
main(int argc, char **argv)
{
	struct rlimit files;
	int count;

	if (argc != 3 && argc != 4)
		errx(2, "usage: idle CONNINFO COUNT [SQL]");
	count = atoi(argv[2]);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (int i = 0; i < count; i++) {
		PGconn *c = PQconnectdb(argv[1]);
		PGresult *r;

		if (PQstatus(c) != CONNECTION_OK)
			errx(1, "session %d: %s", i, PQerrorMessage(c));
		if (argc != 4)
			continue;
		r = PQexec(c, argv[3]);
		if (PQresultStatus(r) != PGRES_TUPLES_OK)
			errx(1, "session %d: %s", i, PQerrorMessage(c));
		PQclear(r);
	}
	printf("open %d\n", count);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;	/* the sessions end with the process */
}
