/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes in the whole answer to one statement and throws it away.
 *
 *   drain CONNINFO SQL		prints: seconds bytes rows
 *
 * libpq logs in; then its socket is read raw, so that the client costs next to
 * nothing and the path is what is measured. Rows are DataRow and CopyData.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct answer {
	uint8_t head[5];	/* of the message being read */
	size_t head_len;
	uint32_t left;		/* of its body */
	uint64_t bytes, rows;
	bool error, ready;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void
take(struct answer *a, const uint8_t *p, size_t n)
{
	size_t part;

	a->bytes += n;
	while (n > 0) {
		if (a->left > 0) {
			part = a->left < n ? a->left : n;
			if (a->head[0] == 'E') {
				a->error = true;
				fprintf(stderr, "%.*s", (int)part, p);
			}
			p += part;
			n -= part;
			a->left -= part;
			continue;
		}
		if (a->head_len == 5)
			a->head_len = 0;
		part = 5 - a->head_len < n ? 5 - a->head_len : n;
		memcpy(a->head + a->head_len, p, part);
		a->head_len += part;
		p += part;
		n -= part;
		if (a->head_len < 5)
			return;
		memcpy(&a->left, a->head + 1, 4);
		a->left = ntohl(a->left) - 4;
		a->rows += a->head[0] == 'D' || a->head[0] == 'd';
		a->ready |= a->head[0] == 'Z';
	}
}

static void
ask(int fd, const char *sql)
{
	size_t len = strlen(sql) + 1;
	uint32_t be = htonl((uint32_t)len + 4);
	char *m = malloc(len + 5);

	if (m == NULL)
		err(1, NULL);
	m[0] = 'Q';
	memcpy(m + 1, &be, 4);
	memcpy(m + 5, sql, len);
	if (send(fd, m, len + 5, MSG_NOSIGNAL) != (ssize_t)(len + 5))
		err(1, "send");
	free(m);
}

int
main(int argc, char **argv)
{
	static uint8_t buf[256 * 1024];
	struct answer a = { 0 };
	PGconn *c;
	double start;
	int fd;

	if (argc != 3)
		errx(2, "usage: drain CONNINFO SQL");
	c = PQconnectdb(argv[1]);
	if (PQstatus(c) != CONNECTION_OK)
		errx(1, "%s", PQerrorMessage(c));
	fd = PQsocket(c);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) != 0)
		err(1, "fcntl");

	start = now();
	ask(fd, argv[2]);
	while (!a.ready || a.left > 0) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n == 0)
			errx(1, "the server closed the connection");
		if (n < 0 && errno != EINTR)
			err(1, "recv");
		if (n > 0)
			take(&a, buf, (size_t)n);
	}
	printf("%.6f %" PRIu64 " %" PRIu64 "\n", now() - start, a.bytes, a.rows);
	return a.error;
}
