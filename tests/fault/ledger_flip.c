/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L9: the verifier notices every change of one bit, in every byte of every file of
 * a small log, and every removal, truncation, swap, doubling and superfluous file.
 *
 *	ledger_flip [STEP]	a bit of every STEP-th byte; 1 with KURABAN_LONG=1
 *
 * What may change unseen, because it means nothing: ring blocks outside of live
 * frames. The newest frame of the ring cannot be told from one that was torn by a
 * power cut before it was acknowledged, so it is left out.
 */
#include <inttypes.h>
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/entry.h"
#include "ledger/files.h"
#include "ledger/ledger.h"
#include "ledger/verify.h"
#include "simdisk.h"

enum { TAIL = 20, FILES_MAX = 64 };

static struct simdisk *disk;
static const struct vfs *vfs;
static struct note_key key;
static char files[FILES_MAX][80];
static size_t nfiles;
static char said[400];
static unsigned failures;

/* --- the log ------------------------------------------------------------- */

static void
must_ok(enum err err, const char *what)
{
	if (err == ERR_OK)
		return;
	printf("%s: %s\n", what, err_text(err));
	exit(1);
}

static void
append(struct ledger *l, const struct buf *b, const uint64_t *tokens, size_t n)
{
	uint64_t index;

	must_ok(ledger_append(l, buf_head(b), buf_used(b), tokens, n, &index),
	    "append");
}

/* Sessions that open, release, deny and close, some across a start. */
static void
fill(struct ledger *l, uint64_t to)
{
	uint64_t session = 0, tokens[3] = {0};
	struct entry_run run = {tokens, 3};
	struct slice domain = slice_cstr("public.customers");
	struct buf b;

	buf_init(&b, LEDGER_ENTRY_MAX);
	for (uint64_t i = ledger_size(l); i < to; i++) {
		struct entry_head h = {.time_us = ledger_time_us(l)};
		struct entry_session s = {.event = slice_cstr("open")};
		struct entry_release r = {.request = i, .domains = {&domain, 1},
		    .subjects = {&run, 1}};
		struct entry_heartbeat beat = {.sessions = i};
		size_t n = 0;

		buf_clear(&b);
		h.session = session;
		if (i % 50 == 0) {
			session = h.session = i + 1;
			must_ok(entry_build_session(&b, &h, &s), "session");
		} else if (i % 50 == 40) {
			s.event = slice_cstr("close");
			must_ok(entry_build_session(&b, &h, &s), "session");
			session = 0;
		} else if (i % 3 == 0) {
			for (n = 0; n < 3; n++)
				tokens[n] = n == 0 ? i % 7 : simdisk_random(disk);
			must_ok(entry_build_release(&b, &h, &r), "release");
		} else {
			h.session = 0;
			must_ok(entry_build_heartbeat(&b, &h, &beat), "heartbeat");
		}
		append(l, &b, tokens, n);
		if (i % 20 == 0)
			must_ok(ledger_commit(l), "commit");
		must_ok(ledger_commit(l), "commit");
	}
	buf_fini(&b);
}

static struct ledger *
must_open(void)
{
	struct ledger_options o = {.dir = "/log", .origin = "example.com/log",
	    .key_file = "/keys/sign.key", .vfs = vfs, .wal_bytes = 1,
	    .no_thread = true};
	struct ledger *l;
	char why[400];

	must_ok(ledger_open(&l, &o, why, sizeof why), "open");
	return l;
}

static enum err
collect(void *arg, const char *name, enum vfs_kind kind)
{
	const char *dir = arg;
	char path[160];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (kind == VFS_DIR)
		return vfs->list(vfs, path, collect, path);
	if (nfiles < FILES_MAX)
		snprintf(files[nfiles++], sizeof *files, "%s", path);
	return ERR_OK;
}

/* --- the verifier -------------------------------------------------------- */

static void
on_problem(void *arg, const char *file, uint64_t offset, const char *what)
{
	(void)arg;
	snprintf(said, sizeof said, "%s:%" PRId64 ": %s", file, (int64_t)offset, what);
}

static void
on_note(void *arg, const char *file, const char *what)
{
	(void)arg;
	(void)file;
	(void)what;
}

static void
on_progress(void *arg, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)done;
	(void)total;
}

static enum err
run(struct verify_result *r)
{
	static const struct verify_report report = {on_problem, on_note, on_progress,
	    NULL};

	said[0] = 0;
	return verify_run(r, "/log", vfs, &key, &report);
}

static void
expect_broken(const char *what, const char *file, uint64_t at)
{
	struct verify_result r;

	if (run(&r) == ERR_BROKEN)
		return;
	if (failures++ < 20)
		printf("%s %s at %" PRIu64 ": not noticed\n", what, file, at);
}

static void
expect_whole(const char *after)
{
	struct verify_result r;

	if (run(&r) == ERR_OK)
		return;
	printf("not whole after %s: %s\n", after, said);
	exit(1);
}

/* --- damages ------------------------------------------------------------- */

/* The part of the ring that means something: its head and the live frames. */
static bool
matters(const char *file, uint64_t at, uint64_t live_from, uint64_t live_to)
{
	if (strcmp(file, "/log/wal") != 0)
		return true;
	return at < WAL_BLOCK || (at >= live_from && at < live_to);
}

static unsigned
flip(const char *file, size_t len, unsigned step, uint64_t live_from,
    uint64_t live_to)
{
	unsigned n = 0;

	if (len < 1000)		/* small ones whole, or nearly */
		step = (step + 15) / 16;
	for (uint64_t at = simdisk_random(disk) % step; at < len; at += step) {
		uint64_t bit = at * 8 + simdisk_random(disk) % 8;

		if (!matters(file, at, live_from, live_to))
			continue;
		simdisk_flip(disk, file, bit);
		expect_broken("bit", file, at);
		simdisk_flip(disk, file, bit);
		n++;
	}
	return n;
}

static void
put(const char *path, const uint8_t *p, size_t len)
{
	struct vfs_file *f;

	must_ok(vfs->open(vfs, &f, path, VFS_WRITE | VFS_CREATE | VFS_TRUNC, NULL),
	    path);
	must_ok(vfs->write(f, p, len, 0), path);
	vfs->close(f);
}

/* Which files may be missing: what is made again, and what only locks. */
static bool
may_go(const char *file)
{
	return strcmp(file, "/log/lock") == 0 || strstr(file, "/index/") != NULL;
}

static void
damage(const char *file, const char *other)
{
	uint8_t *p, *q;
	size_t len, olen;
	char more[160];

	if (!simdisk_peek(disk, file, &p, &len) ||
	    !simdisk_peek(disk, other, &q, &olen))
		exit(1);
	vfs->unlink(vfs, file);
	if (!may_go(file))
		expect_broken("removal", file, 0);
	if (len > 0) {
		put(file, p, len - 1);
		expect_broken("shorter", file, len - 1);
		put(file, p, 0);
		expect_broken("emptied", file, 0);
		if (olen != len || memcmp(p, q, len) != 0) {
			put(file, q, olen);
			expect_broken("another's content", file, 0);
		}
		p[len] = 'x';	/* peek leaves room for one more */
		put(file, p, len + 1);
		expect_broken("longer", file, len);
	}
	put(file, p, len);
	snprintf(more, sizeof more, "%s.x", file);
	put(more, p, len);
	expect_broken("superfluous", more, 0);
	vfs->unlink(vfs, more);
	free(p);
	free(q);
}

/* Two entries of a bundle change places; all tiles stay as they are. */
static void
swap_entries(void)
{
	uint8_t *p, *copy;
	size_t len, a, b;

	if (!simdisk_peek(disk, "/log/tile/entries/000", &p, &len))
		exit(1);
	copy = malloc(len);
	a = 2 + (size_t)(p[0] << 8 | p[1]);
	b = 2 + (size_t)(p[a] << 8 | p[a + 1]);
	memcpy(copy, p + a, b);
	memcpy(copy + b, p, a);
	memcpy(copy + a + b, p + a + b, len - a - b);
	put("/log/tile/entries/000", copy, len);
	expect_broken("swapped entries", "/log/tile/entries/000", 0);
	put("/log/tile/entries/000", p, len);
	free(p);
	free(copy);
}

/* A partial tile of an older size beside the full one, both whole and damaged. */
static void
older_partial(void)
{
	static const char full[] = "/log/tile/0/000", part[] = "/log/tile/0/000.p/3";
	struct verify_result r;
	uint8_t *p;
	size_t len;

	if (!simdisk_peek(disk, full, &p, &len))
		exit(1);
	vfs->mkdir(vfs, "/log/tile/0/000.p");
	put(part, p, 3 * MERKLE_BYTES);
	must_ok(run(&r), "with an older partial tile");
	put(part, p, 3 * MERKLE_BYTES - 1);
	expect_broken("shorter", part, 0);
	put(part, p + 1, 3 * MERKLE_BYTES);
	expect_broken("other", part, 0);
	put(part, p, 3 * MERKLE_BYTES);
	put(full, p, len - 1);
	expect_broken("shorter beside a partial one", full, 0);
	put(full, p, len);
	vfs->unlink(vfs, part);
	vfs->rmdir(vfs, "/log/tile/0/000.p");
	free(p);
}

int
main(int argc, char **argv)
{
	unsigned step = argc > 1 ? (unsigned)atoi(argv[1]) :
	    getenv("KURABAN_LONG") != NULL ? 1 : 331, n = 0;
	char root[] = "/log";
	struct verify_result r;
	struct ledger *l;
	struct state s;
	uint8_t *p;
	size_t len;

	if (sodium_init() < 0)
		return 1;
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	disk = simdisk_new(3);
	vfs = simdisk_vfs(disk);
	l = must_open();
	fill(l, 4096 + 100);	/* one index segment */
	ledger_close(l);
	l = must_open();
	fill(l, 4096 + 100 + TAIL);
	simdisk_cut_after(disk, 1);	/* the tail stays in the ring */
	ledger_close(l);
	simdisk_revive(disk);
	if (!simdisk_peek(disk, "/log/vkey", &p, &len) ||
	    note_key_parse(&key, (struct slice){p, len - 1}) != ERR_OK)
		return 1;
	free(p);
	must_ok(vfs->list(vfs, root, collect, root), "list");
	must_ok(state_read(&s, vfs, root), "state");
	must_ok(run(&r), "whole log");
	if (r.committed - r.archived != TAIL)
		return 1;
	for (size_t i = 0; i < nfiles; i++) {
		if (!simdisk_peek(disk, files[i], &p, &len))
			return 1;
		free(p);
		n += flip(files[i], len, step, s.wal.offset, s.wal.offset +
		    (TAIL - 1) * (uint64_t)WAL_BLOCK);
	}
	expect_whole("the bits");
	for (size_t i = 0; i < nfiles; i++)
		damage(files[i], files[(i + 1) % nfiles]);
	swap_entries();
	older_partial();
	expect_whole("all damages");
	printf("%u bits, %u not noticed\n", n, failures);
	simdisk_free(disk);
	return failures > 0;
}
