/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Who saw subject X" over years of releases: builds synthetic index segments, then
 * asks for tokens that are there once, with the page cache emptied of them.
 *
 *   who DIR ENTRIES [make]	ENTRIES in millions (1000: ten years at 3 a second)
 *
 * prints: segments, bytes a posting, p50 and worst of a cold query in ms
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "ledger/index.h"
#include "ledger/ledger.h"

enum { QUERIES = 20, MILLION = INDEX_BIG };

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct posting2 {
	uint64_t token;
	uint32_t entry;
};

static int
by_token(const void *a, const void *b)
{
	const struct posting2 *x = a, *y = b;

	return (x->token > y->token) - (x->token < y->token);
}

/* A segment as the writer makes it, one token an entry; the sum is left out. */
static void
make_segment(const char *dir, uint64_t number, struct posting2 *v)
{
	struct segment s = {number * MILLION, MILLION, MILLION};
	char name[INDEX_NAME + 1], path[PATH_BYTES];
	struct buf b;
	FILE *f;

	for (uint32_t i = 0; i < MILLION; i++)
		v[i] = (struct posting2){mix(s.first + i), i};
	qsort(v, MILLION, sizeof *v, by_token);
	buf_init(&b, INDEX_HEAD + (size_t)MILLION * INDEX_ITEM);
	buf_put(&b, "KBINDEX\1", 8);
	buf_u64(&b, s.first);
	buf_u32(&b, s.entries);
	buf_u32(&b, s.tokens);
	for (int i = 0; i < 10; i++)
		buf_u32(&b, 0);
	for (uint32_t i = 0; i < MILLION; i++) {
		buf_u64(&b, v[i].token);
		buf_u32(&b, v[i].entry);
	}
	segment_name(name, &s);
	snprintf(path, sizeof path, "%s/index/%s", dir, name);
	if ((f = fopen(path, "w")) == NULL ||
	    fwrite(buf_head(&b), 1, buf_used(&b), f) != buf_used(&b) || fclose(f) != 0)
		err(1, "%s", path);
	buf_fini(&b);
}

static void
make(const char *dir, uint64_t millions)
{
	struct posting2 *v = malloc(sizeof *v * MILLION);
	char path[PATH_BYTES];

	if (v == NULL)
		err(1, NULL);
	mkdir(dir, 0755);
	snprintf(path, sizeof path, "%s/index", dir);
	mkdir(path, 0755);
	/* A log of nothing: all there is to ask are the segments. */
	snprintf(path, sizeof path, "%s/checkpoint", dir);
	FILE *f = fopen(path, "w");
	if (f == NULL)
		err(1, "%s", path);
	fputs("bench.example/who\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
	    f);
	fclose(f);
	for (uint64_t i = 0; i < millions; i++)
		make_segment(dir, i, v);
	free(v);
}

static void
forget(const char *dir, uint64_t millions)
{
	for (uint64_t i = 0; i < millions; i++) {
		struct segment s = {i * MILLION, MILLION, MILLION};
		char name[INDEX_NAME + 1], path[PATH_BYTES];
		int fd;

		segment_name(name, &s);
		snprintf(path, sizeof path, "%s/index/%s", dir, name);
		if ((fd = open(path, O_RDONLY)) < 0)
			err(1, "%s", path);
		fdatasync(fd);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
	/* Names and inodes too, where we may. */
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (fd >= 0) {
		if (write(fd, "2", 1) != 1)
			warn("drop_caches");
		close(fd);
	}
}

static enum err
hit(void *arg, uint64_t index)
{
	uint64_t *found = arg;

	found[0]++;
	found[1] = index;
	return ERR_OK;
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	double took[QUERIES];
	uint64_t millions;

	if (argc < 3)
		errx(2, "usage: who DIR MILLIONS [make]");
	millions = strtoull(argv[2], NULL, 10);
	if (argc > 3)
		make(argv[1], millions);
	for (int i = 0; i < QUERIES; i++) {
		uint64_t entry = mix((uint64_t)i + 77) % (millions * MILLION);
		uint64_t token = mix(entry), found[2] = {0, 0};
		struct ledger_reader *r;
		double start;
		enum err e;

		forget(argv[1], millions);
		start = now_ms();
		if ((e = ledger_reader_open(&r, argv[1], NULL)) != ERR_OK ||
		    (e = ledger_who(r, &token, 1, hit, found)) != ERR_OK)
			errx(1, "who: %s", err_text(e));
		ledger_reader_close(r);
		took[i] = now_ms() - start;
		if (found[0] != 1 || found[1] != entry)
			errx(1, "token of entry %" PRIu64 ": %" PRIu64 " hits", entry,
			    found[0]);
	}
	qsort(took, QUERIES, sizeof *took, ascending);
	printf("%" PRIu64 " %d %.1f %.1f\n", millions, INDEX_ITEM,
	    took[QUERIES / 2], took[QUERIES - 1]);
	return 0;
}
