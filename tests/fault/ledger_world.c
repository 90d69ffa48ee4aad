/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_world.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/entry.h"
#include "ledger/files.h"
#include "ledger/index.h"
#include "ledger/verify.h"

#define DIR_PATH "/state/ledger"
#define KEY_PATH "/secret/keys/sign.key"

uint64_t
world_random(struct world *w)
{
	uint64_t z = w->rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void
world_init(struct world *w, uint64_t seed)
{
	const struct vfs *v;

	*w = (struct world){.rng = seed, .d = simdisk_new(seed ^ 0x5bd1e995)};
	v = simdisk_vfs(w->d);
	v->mkdir(v, "/state");
	v->mkdir(v, "/secret");
	v->sync_dir(v, "/", NULL);
}

void
world_close(struct world *w)
{
	ledger_close(w->l);
	w->l = NULL;
}

void
world_fini(struct world *w)
{
	world_close(w);
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i].p);
	free(w->v);
	simdisk_free(w->d);
}

/* Forgets the entries from n on: a crash took them. */
static void
forget(struct world *w, size_t n)
{
	struct merkle_hash leaf;

	while (w->n > n)
		free(w->v[--w->n].p);
	w->tree = (struct merkle_tree){.size = 0};
	for (size_t i = 0; i < n; i++) {
		merkle_leaf(&leaf, w->v[i].p, w->v[i].len);
		merkle_tree_add(&w->tree, &leaf, NULL, NULL);
	}
}

static void
remember(struct world *w, const void *p, size_t len)
{
	struct merkle_hash leaf;
	struct item *it;

	if (w->n == w->cap) {
		w->cap = w->cap > 0 ? w->cap * 2 : 256;
		w->v = realloc(w->v, w->cap * sizeof *w->v);
	}
	it = &w->v[w->n++];
	it->p = malloc(len);
	memcpy(it->p, p, len);
	it->len = len;
	merkle_leaf(&leaf, p, len);
	merkle_tree_add(&w->tree, &leaf, NULL, NULL);
	merkle_tree_root(&w->tree, &it->root);
}

/* --- comparing ----------------------------------------------------------- */

struct who {
	uint64_t last, n;
	bool rising;
};

static enum err
who_hit(void *arg, uint64_t index)
{
	struct who *q = arg;

	if (q->n++ > 0 && index <= q->last)
		q->rising = false;
	q->last = index;
	return ERR_OK;
}

/* Tokens 0 to 4 occur often; the others once. */
static enum err
count_token(void *arg, unsigned domain, uint64_t token)
{
	uint64_t *n = arg;

	(void)domain;
	if (token < 5)
		n[token]++;
	return ERR_OK;
}

static const char *
compare_reader(struct world *w, struct ledger_reader *r, uint64_t size)
{
	uint64_t want[5] = {0}, i;
	struct slice e;
	enum err err;

	for (i = 0; i < size; i++) {
		if ((err = ledger_read(r, i, &e)) != ERR_OK) {
			snprintf(w->text, sizeof w->text, "entry %" PRIu64 " of %" PRIu64
			    ": %s", i, size, err_text(err));
			return w->text;
		}
		if (e.len != w->v[i].len || memcmp(e.p, w->v[i].p, e.len) != 0) {
			snprintf(w->text, sizeof w->text, "entry %" PRIu64 " changed", i);
			return w->text;
		}
		entry_tokens(e, count_token, want);
	}
	if (ledger_read(r, size, &e) != ERR_NOTFOUND)
		return "the reader sees more entries than there are";
	for (uint64_t t = 0; t < 5; t++) {
		struct who q = {0, 0, true};

		if (ledger_who(r, &t, 1, who_hit, &q) != ERR_OK || !q.rising ||
		    q.n != want[t]) {
			snprintf(w->text, sizeof w->text, "who: token %" PRIu64 " in %"
			    PRIu64 " entries, not %" PRIu64, t, q.n, want[t]);
			return w->text;
		}
	}
	return NULL;
}

static const char *
compare_all(struct world *w)
{
	struct ledger_reader *r;
	uint64_t size = ledger_size(w->l);
	const char *bad = NULL;
	enum err err;

	if (size < w->acked) {
		snprintf(w->text, sizeof w->text, "%" PRIu64 " entries, but %" PRIu64
		    " were acknowledged", size, w->acked);
		return w->text;
	}
	if (size > w->n)
		return "more entries than were ever appended";
	if ((err = ledger_reader_open(&r, DIR_PATH, simdisk_vfs(w->d))) != ERR_OK) {
		snprintf(w->text, sizeof w->text, "reader: %s", err_text(err));
		return w->text;
	}
	if (ledger_reader_size(r) != size)
		bad = "the reader sees another size";
	else
		bad = compare_reader(w, r, size);
	ledger_reader_close(r);
	return bad;
}

const char *
world_look(struct world *w)
{
	struct checkpoint c;
	struct slice text;
	uint8_t *p, *end;
	size_t len;
	enum err err = ERR_FORMAT;

	if (!simdisk_peek(w->d, DIR_PATH "/checkpoint", &p, &len))
		return w->any_seen ? "the checkpoint has vanished" : NULL;
	if ((end = memmem(p, len, "\n\n", 2)) != NULL) {
		text = (struct slice){p, (size_t)(end - p) + 1};
		err = checkpoint_parse(&c, text);
	}
	free(p);
	if (err != ERR_OK)
		return "the checkpoint is malformed";
	if (c.size > w->n)
		return "a checkpoint over entries that were never appended";
	if (c.size > 0 && !merkle_eq(&c.root, &w->v[c.size - 1].root))
		return "a checkpoint over other entries";
	if (c.size > w->seen)
		w->seen = c.size;
	if (c.size > w->acked)	/* signed: it has to stay */
		w->acked = c.size;
	w->any_seen = true;
	return NULL;
}

struct findings {
	struct world *w;
	unsigned notes, problems;
};

static void
on_problem(void *arg, const char *file, uint64_t offset, const char *what)
{
	struct findings *f = arg;

	if (f->problems++ == 0)
		snprintf(f->w->text, sizeof f->w->text, "verify: %s:%" PRId64 ": %s",
		    file, (int64_t)offset, what);
}

static void
on_note(void *arg, const char *file, const char *what)
{
	struct findings *f = arg;

	if (f->notes++ == 0 && f->problems == 0)
		snprintf(f->w->text, sizeof f->w->text, "verify: %s: %s", file, what);
}

static void
on_progress(void *arg, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)done;
	(void)total;
}

static const char *
verify(struct world *w, bool no_leftovers)
{
	struct findings f = {w, 0, 0};
	struct verify_report rep = {on_problem, on_note, on_progress, &f};
	struct verify_result r;
	struct note_key key;
	uint8_t *p;
	size_t len;
	enum err err;

	if (!simdisk_peek(w->d, DIR_PATH "/vkey", &p, &len))
		return "the vkey is missing";
	err = note_key_parse(&key, (struct slice){p, len > 0 ? len - 1 : 0});
	free(p);
	if (err != ERR_OK)
		return "the vkey is malformed";
	err = verify_run(&r, DIR_PATH, simdisk_vfs(w->d), &key, &rep);
	if (err == ERR_BROKEN)
		return w->text;
	if (err != ERR_OK)
		return "verify could not run";
	if (no_leftovers && f.notes > 0)
		return w->text;
	if (r.committed < w->acked)
		return "verify sees fewer entries than were acknowledged";
	return NULL;
}

const char *
world_inspect(struct world *w, bool no_leftovers)
{
	struct segments have;
	uint64_t before = w->seen;
	struct checkpoint c;
	const char *bad;
	uint8_t *p, *end;
	size_t len;

	if (!w->created)
		return NULL;
	if ((bad = world_look(w)) != NULL)
		return bad;
	w->seen = before;
	if (!simdisk_peek(w->d, DIR_PATH "/checkpoint", &p, &len))
		return "the checkpoint has vanished";
	end = memmem(p, len, "\n\n", 2);
	checkpoint_parse(&c, (struct slice){p, (size_t)(end - p) + 1});
	free(p);
	if (c.size < w->promised)
		return "a checkpoint that was promised is gone";
	if (segments_list(&have, simdisk_vfs(w->d), DIR_PATH "/index", NULL, NULL) !=
	    ERR_OK)
		return "the index cannot be listed";
	len = have.end;
	segments_fini(&have);
	if (len < w->promised / INDEX_SPAN * INDEX_SPAN)
		return "index segments that were made are gone";
	return verify(w, no_leftovers);
}

/* --- doing --------------------------------------------------------------- */

const char *
world_open(struct world *w)
{
	struct ledger_options o = {.dir = DIR_PATH, .origin = "example.com/log",
	    .key_file = KEY_PATH, .vfs = simdisk_vfs(w->d), .wal_bytes = 1,
	    .no_thread = true};
	char why[400];
	const char *bad;
	enum err err = ledger_open(&w->l, &o, why, sizeof why);

	if (err != ERR_OK) {
		w->l = NULL;
		if (simdisk_dead(w->d) || simdisk_failed(w->d))
			return NULL;
		snprintf(w->text, sizeof w->text, "it does not open: %s: %s",
		    err_text(err), why);
		return w->text;
	}
	w->created = true;
	if (ledger_stopped(w->l) != NULL)
		ledger_stopped_noted(w->l);
	if ((bad = compare_all(w)) != NULL) {
		if (simdisk_dead(w->d) || simdisk_failed(w->d))
			return NULL;
		return bad;
	}
	forget(w, ledger_size(w->l));
	w->acked = w->n;	/* recovered entries are archived */
	return world_look(w);
}

static size_t
build(struct world *w, struct buf *b, uint64_t tokens[2], size_t *ntokens,
    bool large)
{
	struct entry_head h = {.time_us = ledger_time_us(w->l)};
	uint64_t serial = w->serial++;
	char text[ENTRY_LONG_MAX];

	buf_clear(b);
	*ntokens = 0;
	if (serial % 2 == 0) {
		struct entry_run run = {tokens, 2};
		struct slice domain = slice_cstr("t");
		struct entry_release e = {.request = serial, .domains = {&domain, 1},
		    .subjects = {&run, 1}};

		tokens[0] = serial % 5;
		tokens[1] = world_random(w) | 8;
		*ntokens = 2;
		entry_build_release(b, &h, &e);
	} else {
		struct entry_incident e = {.what = slice_cstr("test")};
		size_t n = large ? sizeof text : world_random(w) % 300;

		for (size_t i = 0; i < n; i++)
			text[i] = (char)('a' + world_random(w) % 26);
		e.detail = (struct slice){(uint8_t *)text, n};
		entry_build_incident(b, &h, &e);
	}
	return buf_used(b);
}

const char *
world_append(struct world *w, size_t entries, bool large)
{
	uint64_t tokens[2], index;
	size_t ntokens, len;
	const char *bad = NULL;
	struct buf b;
	enum err err;

	buf_init(&b, LEDGER_ENTRY_MAX);
	for (size_t i = 0; bad == NULL && i < entries; i++) {
		len = build(w, &b, tokens, &ntokens, large);
		err = ledger_append(w->l, buf_head(&b), len, tokens, ntokens, &index);
		if (err != ERR_OK) {
			snprintf(w->text, sizeof w->text, "append: %s", err_text(err));
			bad = w->text;
		} else if (index != w->n) {
			bad = "append gave a wrong index";
		} else {
			remember(w, buf_head(&b), len);
		}
	}
	buf_fini(&b);
	if (bad == NULL && (err = ledger_commit(w->l)) != ERR_OK) {
		snprintf(w->text, sizeof w->text, "commit: %s", err_text(err));
		bad = w->text;
	}
	if (bad == NULL)
		w->acked = w->n;
	return bad;
}

const char *
world_step(struct world *w)
{
	uint64_t dice = world_random(w) % 100;
	const char *bad = NULL;
	enum err err;

	if (dice < 70) {
		bad = world_append(w, 1 + world_random(w) % 6, false);
	} else if (dice < 76) {
		bad = world_append(w, world_random(w) % 300, false);
	} else if (dice < 78) {
		bad = world_append(w, 30, true);
	} else if (dice < 95) {
		if ((err = ledger_checkpoint(w->l)) == ERR_OK) {
			w->promised = w->n;
		} else {
			snprintf(w->text, sizeof w->text, "checkpoint: %s",
			    err_text(err));
			bad = w->text;
		}
	} else {
		world_close(w);
		return simdisk_dead(w->d) ? NULL : world_open(w);
	}
	if (simdisk_dead(w->d))
		return world_look(w);	/* errors are right then */
	return bad != NULL ? bad : world_look(w);
}
