/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast releases become durable, without the network.
 *
 *   seal DIR SECONDS raw		a bare loop: one 4 KiB block, O_DIRECT|O_DSYNC,
 *				in a file filled beforehand
 *   seal DIR SECONDS OUTSTANDING	the ledger: that many entries a commit
 *
 * prints: entries/s, p50 of a commit in us, CPU in us an entry
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "ledger/entry.h"
#include "ledger/ledger.h"

#define BLOCK 4096
#define BLOCKS 16384
#define SAMPLES_MAX (1u << 22)

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int
ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct raw {
	int fd;
	void *block;
	uint64_t n;
};

static void
raw_open(struct raw *r, const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/raw", dir);
	r->fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_DSYNC, 0600);
	if (r->fd < 0)
		err(1, "%s", path);
	if (posix_memalign(&r->block, BLOCK, 64 * BLOCK) != 0)
		err(1, NULL);
	memset(r->block, 0, 64 * BLOCK);
	for (off_t i = 0; i < BLOCKS; i += 64)
		if (pwrite(r->fd, r->block, 64 * BLOCK, i * BLOCK) != 64 * BLOCK)
			err(1, "%s", path);
}

static void
raw_commit(struct raw *r)
{
	memset(r->block, (int)(r->n & 0xff), 64);
	if (pwrite(r->fd, r->block, BLOCK, (off_t)(r->n++ % BLOCKS) * BLOCK) !=
	    BLOCK)
		err(1, "pwrite");
}

/* Entries as a gate's releases give them, about 400 bytes. */
static void
ledger_batch(struct ledger *l, unsigned outstanding, uint64_t *serial,
    struct buf *entry)
{
	uint64_t index, token;
	struct entry_run run = {&token, 1};
	struct slice domain = slice_cstr("public.customers");
	struct entry_table table = {domain,
	    slice_cstr("name,kana,birth_date,postal_code,address,phone,email")};
	struct entry_release rel = {.tables = {&table, 1}, .class = slice_cstr("key"),
	    .sql = slice_cstr("0123456789abcdef0123456789abcdef"), .rows = 1,
	    .bytes = 200, .outcome = slice_cstr("all"), .domains = {&domain, 1},
	    .subjects = {&run, 1}};
	enum err e;

	for (unsigned i = 0; i < outstanding; i++) {
		struct entry_head h = {.time_us = ledger_time_us(l),
		    .gate = slice_cstr("1"), .session = 1,
		    .actor = slice_cstr("tanaka"), .role = slice_cstr("operator"),
		    .database = slice_cstr("crm")};

		token = ++*serial * 0x9e3779b97f4a7c15u;
		rel.request = *serial;
		buf_clear(entry);
		e = entry_build_release(entry, &h, &rel);
		if (e == ERR_OK)
			e = ledger_append(l, buf_head(entry), buf_used(entry), &token, 1,
			    &index);
		if (e != ERR_OK)
			errx(1, "append: %s", err_text(e));
	}
	if ((e = ledger_commit(l)) != ERR_OK)
		errx(1, "commit: %s", err_text(e));
}

int
main(int argc, char **argv)
{
	struct raw raw = { 0 };
	struct ledger *l = NULL;
	struct buf entry;
	uint64_t *took, start, end, cpu, serial = 0;
	size_t n = 0;
	unsigned outstanding;

	if (argc != 4)
		errx(2, "usage: seal DIR SECONDS raw|OUTSTANDING");
	buf_init(&entry, LEDGER_ENTRY_MAX);
	outstanding = strcmp(argv[3], "raw") == 0 ? 0 : (unsigned)atoi(argv[3]);
	took = calloc(SAMPLES_MAX, sizeof(*took));
	if (took == NULL)
		err(1, NULL);
	if (outstanding == 0) {
		raw_open(&raw, argv[1]);
	} else {
		char dir[4096], key[4096], why[256] = "";
		struct ledger_options o = { .dir = dir, .key_file = key,
			.origin = "bench.example/seal" };

		snprintf(dir, sizeof(dir), "%s/ledger", argv[1]);
		snprintf(key, sizeof(key), "%s/sign.key", argv[1]);
		if (ledger_open(&l, &o, why, sizeof(why)) != ERR_OK)
			errx(1, "ledger: %s", why);
	}
	start = clock_ns(CLOCK_MONOTONIC);
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	end = start + (uint64_t)(atof(argv[2]) * 1e9);
	for (uint64_t at = start; at < end && n < SAMPLES_MAX; n++) {
		uint64_t then = at;

		if (l != NULL)
			ledger_batch(l, outstanding, &serial, &entry);
		else
			raw_commit(&raw);
		at = clock_ns(CLOCK_MONOTONIC);
		took[n] = at - then;
	}
	end = clock_ns(CLOCK_MONOTONIC);
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	qsort(took, n, sizeof(*took), ascending);
	if (outstanding == 0)
		outstanding = 1;
	printf("%.0f %.1f %.3f\n",
	    (double)(n * outstanding) / ((double)(end - start) / 1e9),
	    (double)took[n / 2] / 1e3,
	    (double)cpu / 1e3 / (double)(n * outstanding));
	ledger_close(l);
	buf_fini(&entry);
	return 0;
}
