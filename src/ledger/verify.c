/* SPDX-License-Identifier: Apache-2.0 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ledger/verify.h"

#include <inttypes.h>
#include <libintl.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/entry.h"
#include "ledger/index.h"
#include "ledger/ledger.h"

#define _(s) gettext(s)

enum {
	BLAMES_MAX = 100,
	STRAYS_MAX = 100000,
	PROGRESS_EVERY = 65536,
	LATER_TRIES = 20		/* newer checkpoints that we follow */
};

/* A hash that differs: the tile's fault or the entries'; the root decides. */
struct blame {
	uint64_t entry;
	char bundle[TILE_PATH_MAX];
	uint64_t offset;
};

/* A set of the sessions that are open. 0 is free, as no session has it. */
struct sessions {
	uint64_t *v;
	size_t cap, n;
};

/* An order-free sum over (token, entry) under a key of this run. */
struct tally {
	uint64_t a, b, n;
};

struct check {
	const struct vfs *vfs;
	const char *dir;
	const struct note_key *key;
	const struct verify_report *to;
	struct verify_result r;
	bool stop;			/* memory: not a matter of the log */

	struct checkpoint signed_at;
	bool have_state, checked_signed;
	struct state state;

	struct merkle_tree tree;
	struct merkle_hash level[TILE_LEVELS][TILE_WIDTH];
	char bundle_name[TILE_PATH_MAX];
	uint64_t entry_at[TILE_WIDTH];	/* offsets in the bundle */
	struct blame blame[BLAMES_MAX];
	size_t nblames;
	struct tile *stray;		/* owns; partial tiles of older sizes */
	size_t nstrays, cap_strays;

	int64_t time_us;
	struct sessions sessions;

	uint8_t tally_key[crypto_shorthash_siphashx24_KEYBYTES];
	struct segments index;
	size_t segment;			/* the one being tallied */
	struct tally tally;
	uint64_t tokens[ENTRY_TOKENS_MAX + 1];
	size_t ntokens;
};

static void problem(struct check *c, const char *file, uint64_t offset,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
problem(struct check *c, const char *file, uint64_t offset, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->r.problems++;
	c->to->problem(c->to->arg, file, offset, text);
}

#define NOWHERE UINT64_MAX

/* --- order (section 3.2) ------------------------------------------------- */

static uint64_t *
sessions_slot(const struct sessions *s, uint64_t id)
{
	size_t i = (size_t)(id * 0x9e3779b97f4a7c15 >> 20) & (s->cap - 1);

	while (s->v[i] != 0 && s->v[i] != id)
		i = (i + 1) & (s->cap - 1);
	return &s->v[i];
}

static bool
sessions_has(const struct sessions *s, uint64_t id)
{
	return s->cap > 0 && *sessions_slot(s, id) == id;
}

static bool
sessions_add(struct sessions *s, uint64_t id)
{
	if ((s->n + 1) * 2 > s->cap) {
		struct sessions big = {.cap = s->cap > 0 ? s->cap * 2 : 1024};

		if ((big.v = calloc(big.cap, sizeof *big.v)) == NULL)
			return false;
		for (size_t i = 0; i < s->cap; i++)
			if (s->v[i] != 0) {
				*sessions_slot(&big, s->v[i]) = s->v[i];
				big.n++;
			}
		free(s->v);
		*s = big;
	}
	*sessions_slot(s, id) = id;
	s->n++;
	return true;
}

static void
sessions_remove(struct sessions *s, uint64_t id)
{
	size_t i = (size_t)(sessions_slot(s, id) - s->v), gap = i;

	s->v[gap] = 0;		/* and close the gap */
	s->n--;
	while (s->v[i = (i + 1) & (s->cap - 1)] != 0) {
		uint64_t moved = s->v[i];

		s->v[i] = 0;
		*sessions_slot(s, moved) = moved;
	}
}

/* What is wrong with an entry's place, or NULL. */
static const char *
order(struct check *c, const struct entry_front *f, uint64_t index)
{
	bool session = f->kind == ENTRY_KIND_session;
	bool close = session && slice_is(f->event, "close");

	if (f->time_us < c->time_us)
		return _("its time lies before that of the entry before");
	c->time_us = f->time_us;
	if (f->kind == ENTRY_KIND_start && c->sessions.cap > 0) {
		memset(c->sessions.v, 0, c->sessions.cap * sizeof *c->sessions.v);
		c->sessions.n = 0;
	}
	if (session && slice_is(f->event, "open")) {
		if (f->session != index + 1)
			return _("a session is opened under a wrong number");
		if (!sessions_add(&c->sessions, f->session))
			c->stop = true;
		return NULL;
	}
	if (f->session == 0)
		return close ? _("it closes no session") : NULL;
	if ((session && slice_is(f->event, "failed")) ||
	    !sessions_has(&c->sessions, f->session))
		return _("it belongs to a session that is not open");
	if (close)
		sessions_remove(&c->sessions, f->session);
	return NULL;
}

/* --- index (section 8) --------------------------------------------------- */

static void
tally_add(const struct check *c, struct tally *t, uint64_t token, uint64_t entry)
{
	uint64_t in[2] = {token, entry}, out[2];

	crypto_shorthash_siphashx24((uint8_t *)out, (uint8_t *)in, sizeof in,
	    c->tally_key);
	t->a += out[0];
	t->b += out[1];
	t->n++;
}

static enum err
take_token(void *arg, unsigned domain, uint64_t token)
{
	struct check *c = arg;

	(void)domain;
	if (c->ntokens == ENTRY_TOKENS_MAX)
		return ERR_TOOBIG;
	c->tokens[c->ntokens++] = token;
	return ERR_OK;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Adds the entry's tokens, each once. */
static void
tally_entry(struct check *c, struct tally *t, uint64_t index)
{
	if (c->ntokens > 1)
		qsort(c->tokens, c->ntokens, sizeof *c->tokens, by_value);
	for (size_t i = 0; i < c->ntokens; i++)
		if (i == 0 || c->tokens[i] != c->tokens[i - 1])
			tally_add(c, t, c->tokens[i], index);
}

static bool
segment_sum_ok(const uint8_t *p, size_t len)
{
	struct merkle_hash sum;
	SHA256_CTX h;

	SHA256_Init(&h);
	SHA256_Update(&h, p + INDEX_HEAD, len - INDEX_HEAD);
	SHA256_Update(&h, p, 32);
	SHA256_Final(sum.b, &h);
	return memcmp(sum.b, p + 32, MERKLE_BYTES) == 0;
}

/* The entries of one token; what is wrong, or NULL. */
static const char *
token_entries(const struct check *c, const struct segment *s, uint64_t token,
    uint32_t value, uint32_t nwords, struct rd *words, struct tally *t)
{
	bool list = value >> 31;
	uint32_t n = 1, e, before = 0;

	if (list && ((value & INT32_MAX) != nwords - words->left / 4 ||
	    (n = rd_u32(words)) < 2 || n > words->left / 4))
		return _("a list of entries is not where it must be");
	for (uint32_t k = 0; k < n; k++) {
		e = list ? rd_u32(words) : value;
		if (e >= s->entries || (k > 0 && e <= before))
			return _("a list of entries does not rise");
		before = e;
		tally_add(c, t, token, s->first + e);
	}
	return NULL;
}

/* Takes a segment apart. Returns what is wrong, or NULL, and *at. */
static const char *
segment_content(const struct check *c, const struct segment *s,
    const uint8_t *p, size_t len, struct tally *t, uint64_t *at)
{
	uint64_t token, last = 0;
	const char *wrong;
	struct rd dict, words;
	uint32_t nwords;

	*at = 0;
	if (len < INDEX_HEAD || !segment_head(p, s, &nwords))
		return _("its head does not fit its name");
	if (len != INDEX_HEAD + (uint64_t)s->tokens * INDEX_ITEM + (uint64_t)nwords * 4)
		return _("it has a wrong length");
	*at = 32;
	if (!segment_sum_ok(p, len))
		return _("its sum is wrong");
	dict = rd_init(p + INDEX_HEAD, (size_t)s->tokens * INDEX_ITEM);
	words = rd_init(p + INDEX_HEAD + dict.left, (size_t)nwords * 4);
	for (uint32_t i = 0; i < s->tokens; i++) {
		*at = (uint64_t)(dict.p - p);
		token = rd_u64(&dict);
		if (i > 0 && token <= last)
			return _("its tokens do not rise");
		last = token;
		wrong = token_entries(c, s, token, rd_u32(&dict), nwords, &words, t);
		if (wrong != NULL)
			return wrong;
	}
	*at = (uint64_t)(words.p - p);
	return words.left == 0 ? NULL : _("words that belong to no token");
}

static void
segment_check(struct check *c, const struct segment *s, const struct tally *want)
{
	char file[INDEX_NAME + 8], path[PATH_BYTES], name[INDEX_NAME + 1];
	struct tally t = {0, 0, 0};
	const char *wrong;
	uint64_t at = 0;
	uint8_t *p;
	size_t len;
	enum err err;

	segment_name(name, s);
	snprintf(file, sizeof file, "index/%s", name);
	if ((err = path_join(path, c->dir, file)) == ERR_OK)
		err = vfs_read_all(c->vfs, path, SIZE_MAX / 2, &p, &len);
	if (err == ERR_NOTFOUND && c->r.live)
		return;		/* merged meanwhile */
	if (err != ERR_OK) {
		problem(c, file, NOWHERE, "%s", err_text(err));
		return;
	}
	wrong = segment_content(c, s, p, len, &t, &at);
	free(p);
	if (wrong != NULL)
		problem(c, file, at, "%s", wrong);
	else if (t.a != want->a || t.b != want->b || t.n != want->n)
		problem(c, file, INDEX_HEAD, _("it does not name what entries %" PRIu64
		    " to %" PRIu64 " name"), s->first, s->first + s->entries - 1);
}

/* Counts an entry for its segment; at its end, checks the segment. */
static void
index_entry(struct check *c, uint64_t index)
{
	const struct segment *s;

	if (c->segment == c->index.n)
		return;
	s = &c->index.v[c->segment];
	tally_entry(c, &c->tally, index);
	if (index + 1 < s->first + s->entries)
		return;
	segment_check(c, s, &c->tally);
	c->tally = (struct tally){0, 0, 0};
	c->segment++;
}

/* --- entries ------------------------------------------------------------- */

static void
check_entry(struct check *c, const char *file, uint64_t offset,
    struct slice entry, uint64_t index)
{
	struct entry_front f;
	const char *wrong;

	c->ntokens = 0;
	if (entry_front(&f, entry) != ERR_OK) {
		problem(c, file, offset, _("entry %" PRIu64 " is malformed"), index);
		return;
	}
	if (entry_subjects(f.subjects, take_token, c) != ERR_OK)
		problem(c, file, offset, _("the subjects of entry %" PRIu64
		    " are malformed"), index);
	else if (entry_check(entry, &f) != ERR_OK)
		problem(c, file, offset, _("entry %" PRIu64 " is malformed"), index);
	if ((wrong = order(c, &f, index)) != NULL)
		problem(c, file, offset, _("entry %" PRIu64 ": %s"), index, wrong);
}

/* Compares a tile with what its hashes must be. */
static void
compare_tile(struct check *c, const struct tile *t, const struct merkle_hash *want)
{
	char name[TILE_PATH_MAX];
	uint8_t *p;
	size_t len, n = t->width * (size_t)MERKLE_BYTES;
	enum err err;

	tile_path(name, t);
	err = tile_read(c->vfs, c->dir, t, &p, &len);
	if (err != ERR_OK) {
		problem(c, name, NOWHERE, "%s", err == ERR_NOTFOUND ? _("missing") :
		    err == ERR_FORMAT ? _("it has a wrong length") : err_text(err));
		return;
	}
	for (size_t i = 0; i < n; i += MERKLE_BYTES) {
		if (memcmp(p + i, want[i / MERKLE_BYTES].b, MERKLE_BYTES) == 0)
			continue;
		if (t->level == 0 && c->nblames < BLAMES_MAX) {
			struct blame *b = &c->blame[c->nblames++];

			b->entry = t->n * TILE_WIDTH + i / MERKLE_BYTES;
			b->offset = c->entry_at[i / MERKLE_BYTES];
			memcpy(b->bundle, c->bundle_name, sizeof b->bundle);
		}
		problem(c, name, i, _("a hash is not that of its entries"));
		break;
	}
	free(p);
}

static void
made(void *arg, unsigned level, uint64_t index, const struct merkle_hash *h)
{
	struct check *c = arg;
	struct tile t = {(int)(level / 8), index / TILE_WIDTH, TILE_WIDTH};

	if (level % 8 != 0 || t.level >= TILE_LEVELS)
		return;
	c->level[t.level][index % TILE_WIDTH] = *h;
	if (index % TILE_WIDTH == TILE_WIDTH - 1)
		compare_tile(c, &t, c->level[t.level]);
}

/* The root that a checkpoint or state names, when its size is reached. */
static void
check_roots(struct check *c)
{
	struct merkle_hash root;

	if (c->checked_signed || c->tree.size != c->signed_at.size)
		return;
	c->checked_signed = true;
	merkle_tree_root(&c->tree, &root);
	if (merkle_eq(&root, &c->signed_at.root))
		return;
	problem(c, "checkpoint", strlen(c->signed_at.origin) + 1,
	    _("the first %" PRIu64 " entries are not those that were signed"),
	    c->signed_at.size);
	for (size_t i = 0; i < c->nblames; i++)
		problem(c, c->blame[i].bundle, c->blame[i].offset, _("entry %" PRIu64
		    " is not the one that was signed"), c->blame[i].entry);
}

/* Goes through a bundle. false: it cannot be cut into its entries. */
static bool
check_bundle(struct check *c, uint64_t n, unsigned width, const uint8_t *p,
    size_t len)
{
	struct rd r = rd_init(p, len);
	struct merkle_hash leaf;
	struct slice entry;
	uint64_t at;

	for (unsigned i = 0; i < width; i++) {
		uint64_t index = n * TILE_WIDTH + i;

		at = (uint64_t)(r.p - p);
		entry = rd_lp16(&r);
		if (r.bad) {
			problem(c, c->bundle_name, at, _("it ends before entry %" PRIu64
			    " does; what comes after it was not read"), index);
			return false;
		}
		if (index < c->tree.size)	/* seen in a partial one before */
			continue;
		c->entry_at[i] = at;
		check_entry(c, c->bundle_name, at, entry, index);
		index_entry(c, index);
		merkle_leaf(&leaf, entry.p, entry.len);
		merkle_tree_add(&c->tree, &leaf, made, c);
		check_roots(c);
	}
	if (r.left > 0)
		problem(c, c->bundle_name, len - r.left,
		    _("bytes behind the last entry"));
	return true;
}

/* While a writer runs the state may move on; then the log is longer. */
static bool
follow(struct check *c)
{
	struct state s;

	if (!c->r.live || state_read(&s, c->vfs, c->dir) != ERR_OK ||
	    s.size <= c->state.size)
		return false;
	c->state = s;
	c->r.archived = s.size;
	return true;
}

static bool
check_bundles(struct check *c)
{
	uint64_t reported = 0;
	int tries = 0;
	uint8_t *p;
	size_t len;

	while (c->tree.size < c->r.archived && !c->stop) {
		uint64_t n = c->tree.size / TILE_WIDTH;
		struct tile t = {TILE_ENTRIES, n,
		    tile_width(c->r.archived, TILE_ENTRIES, n)};
		enum err err = tile_read(c->vfs, c->dir, &t, &p, &len);
		bool ok;

		if (err == ERR_NOTFOUND && tries++ < LATER_TRIES && follow(c))
			continue;
		tile_path(c->bundle_name, &t);
		if (err != ERR_OK) {
			problem(c, c->bundle_name, NOWHERE, _("%s; what comes after it "
			    "was not read"), err == ERR_NOTFOUND ? _("missing") :
			    err == ERR_FORMAT ? _("too large") : err_text(err));
			return false;
		}
		ok = check_bundle(c, n, t.width, p, len);
		free(p);
		if (!ok)
			return false;
		if (c->tree.size - reported >= PROGRESS_EVERY) {
			reported = c->tree.size;
			c->to->progress(c->to->arg, reported, c->r.archived);
		}
	}
	return !c->stop;
}

static void
check_partial_tiles(struct check *c)
{
	for (int level = 0; level < TILE_LEVELS; level++) {
		uint64_t n = tile_hashes(c->tree.size, level);
		struct tile t = {level, n / TILE_WIDTH, (unsigned)(n % TILE_WIDTH)};
		struct state s;

		if (t.width == 0)
			continue;
		/* A writer may have removed it by now: its state says so. */
		if (c->r.live && state_read(&s, c->vfs, c->dir) == ERR_OK &&
		    s.size != c->tree.size)
			continue;
		compare_tile(c, &t, c->level[level]);
	}
}

/* --- names --------------------------------------------------------------- */

struct walking {
	struct check *c;
	char path[PATH_BYTES];	/* whole */
	size_t skip;		/* to the part below the log's directory */
};

static void
stray_tile(struct check *c, const struct tile *t)
{
	struct tile *v;

	if (c->nstrays == c->cap_strays) {
		size_t cap = c->cap_strays > 0 ? c->cap_strays * 2 : 64;

		if (c->nstrays >= STRAYS_MAX ||
		    (v = realloc(c->stray, cap * sizeof *v)) == NULL) {
			c->stop = true;
			return;
		}
		c->stray = v;
		c->cap_strays = cap;
	}
	c->stray[c->nstrays++] = *t;
}

static void
tile_name(struct check *c, const char *name)
{
	uint64_t size = c->r.archived;
	struct tile t;
	unsigned width;

	if (!tile_parse(&t, name)) {
		problem(c, name, NOWHERE, _("superfluous"));
		return;
	}
	width = tile_width(size, t.level, t.n);
	if (t.width == width)
		return;
	if (t.width < width)
		stray_tile(c, &t);
	else	/* the tile of a round that was not finished, or is not yet */
		c->to->note(c->to->arg, name, _("beyond what is signed"));
}

/*
 * Is it a folder that a tile may lie in? tile/L, tile/L/x000/..., tile/.../000.p
 * with L "entries" or a level.
 */
static bool
tile_folder(const char *name)
{
	const char *p = name;
	size_t n;

	if (strncmp(p, "tile/", 5) != 0)
		return false;
	p += 5;
	if (strncmp(p, "entries", 7) == 0)
		n = 7;
	else if ((n = strspn(p, "0123456789")) == 0 || n > 2 || (n == 2 && *p == '0'))
		return false;
	p += n;
	while (p[0] == '/' && p[1] == 'x' && strspn(p + 2, "0123456789") == 3)
		p += 5;
	if (p[0] == '/' && strspn(p + 1, "0123456789") == 3 &&
	    strncmp(p + 4, ".p", 2) == 0)
		p += 6;
	return *p == 0;
}

static enum err
walk_one(void *arg, const char *name, enum vfs_kind kind)
{
	struct walking *w = arg;
	size_t n = strlen(w->path), m = strlen(name);
	enum err err = ERR_OK;

	if (n + m + 2 > sizeof w->path) {
		problem(w->c, w->path + w->skip, NOWHERE, _("superfluous"));
		return ERR_OK;
	}
	w->path[n] = '/';
	memcpy(w->path + n + 1, name, m + 1);
	if (kind == VFS_DIR && !tile_folder(w->path + w->skip))
		problem(w->c, w->path + w->skip, NOWHERE, _("superfluous"));
	else if (kind == VFS_DIR)
		err = w->c->vfs->list(w->c->vfs, w->path, walk_one, w);
	else if (kind == VFS_FILE)
		tile_name(w->c, w->path + w->skip);
	else
		problem(w->c, w->path + w->skip, NOWHERE, _("not a plain file"));
	w->path[n] = 0;
	return err == ERR_NOTFOUND ? ERR_OK : err;	/* removed meanwhile */
}

static void
check_lock(struct check *c)
{
	char path[PATH_BYTES];
	struct vfs_file *f;
	uint64_t size = 0;
	enum err err = path_join(path, c->dir, "lock");

	if (err == ERR_OK && (err = c->vfs->open(c->vfs, &f, path, 0, NULL)) == ERR_OK) {
		err = c->vfs->size(f, &size);
		c->vfs->close(f);
	}
	if (err != ERR_OK)
		problem(c, "lock", NOWHERE, "%s", err_text(err));
	else if (size > 0)
		problem(c, "lock", 0, _("it is not empty"));
}

static enum err
top_one(void *arg, const char *name, enum vfs_kind kind)
{
	static const char *const files[] = {"checkpoint", "vkey", "state", "wal",
	    "lock", "broken"};
	static const char *const tmp[] = {"state.tmp", "checkpoint.tmp", "vkey.tmp"};
	struct check *c = arg;

	if (kind == VFS_DIR && (strcmp(name, "tile") == 0 ||
	    strcmp(name, "index") == 0))
		return ERR_OK;
	for (size_t i = 0; kind == VFS_FILE && i < sizeof files / sizeof *files; i++)
		if (strcmp(name, files[i]) == 0) {
			if (strcmp(name, "lock") == 0)
				check_lock(c);
			if (strcmp(name, "broken") == 0)
				c->to->note(c->to->arg, name,
				    _("the writer had stopped after an error"));
			return ERR_OK;
		}
	for (size_t i = 0; kind == VFS_FILE && i < sizeof tmp / sizeof *tmp; i++)
		if (strcmp(name, tmp[i]) == 0) {
			c->to->note(c->to->arg, name, _("left by a crash"));
			return ERR_OK;
		}
	problem(c, name, NOWHERE, _("superfluous"));
	return ERR_OK;
}

static enum err
check_names(struct check *c)
{
	struct walking w = {.c = c, .skip = strlen(c->dir) + 1};
	enum err err;

	if ((err = c->vfs->list(c->vfs, c->dir, top_one, c)) != ERR_OK ||
	    (err = path_join(w.path, c->dir, "tile")) != ERR_OK)
		return err;
	err = c->vfs->list(c->vfs, w.path, walk_one, &w);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* A partial tile of an older size must be the beginning of today's. */
static void
check_stray(struct check *c, const struct tile *old)
{
	char name[TILE_PATH_MAX];
	uint8_t *p = NULL, *q = NULL;
	size_t plen = 0, qlen = 0, i = 0, want;
	struct slice entry;
	enum err err;
	struct rd r;

	tile_path(name, old);
	err = tile_read(c->vfs, c->dir, old, &p, &plen);
	if (err == ERR_NOTFOUND && c->r.live)
		return;
	if (err == ERR_OK)
		err = tile_read_at(c->vfs, c->dir, c->r.archived, old->level, old->n,
		    &q, &qlen);
	if (err == ERR_NOTFOUND && c->r.live) {
		free(p);
		return;
	}
	want = old->width * (size_t)MERKLE_BYTES;
	if (err == ERR_OK && old->level == TILE_ENTRIES) {
		r = rd_init(q, qlen);
		for (unsigned k = 0; k < old->width; k++)
			bundle_next(&r, &entry);
		want = r.bad ? 0 : qlen - r.left;
	}
	while (i < plen && i < qlen && p[i] == q[i])
		i++;
	if (err != ERR_OK)
		problem(c, name, NOWHERE, "%s", err_text(err));
	else if (plen != want || i != plen)
		problem(c, name, i, _("it differs from the tile that took its place"));
	else
		c->to->note(c->to->arg, name, _("of an older size, left by a crash"));
	free(p);
	free(q);
}

/* --- the writer's own files ---------------------------------------------- */

struct ring {
	struct check *c;
	uint64_t next;
};

static enum err
ring_frame(void *arg, struct frame *f)
{
	struct ring *k = arg;
	struct slice p = frame_payload(f), entry;
	struct rd r = rd_init(p.p, p.len);
	struct merkle_hash leaf;

	if (f->first != k->next)
		problem(k->c, "wal", f->offset, _("frame %" PRIu64 " does not follow "
		    "on"), f->seq);
	k->next = f->first + f->count;
	while (bundle_next(&r, &entry)) {
		check_entry(k->c, "wal", f->offset + WAL_HEAD +
		    (uint64_t)(entry.p - p.p), entry, k->c->tree.size);
		merkle_leaf(&leaf, entry.p, entry.len);
		merkle_tree_add(&k->c->tree, &leaf, NULL, NULL);
	}
	frame_free(f);
	return k->c->stop ? ERR_NOMEM : ERR_OK;
}

static void
check_ring(struct check *c)
{
	struct ring k = {c, c->state.size};
	struct merkle_hash root;
	char path[PATH_BYTES];
	struct state s;
	struct wal w;
	enum err err;

	/* While the writer moves on, the ring under this state is gone. */
	if (c->r.live && (state_read(&s, c->vfs, c->dir) != ERR_OK ||
	    s.size != c->state.size))
		return;
	merkle_tree_root(&c->tree, &root);
	if (!merkle_eq(&root, &c->state.root))
		problem(c, "state", NOWHERE, _("its root is not that of the entries"));
	if (strcmp(c->state.origin, c->key->name) != 0)
		problem(c, "state", NOWHERE, _("it is of another log"));
	if ((err = path_join(path, c->dir, "wal")) == ERR_OK)
		err = wal_open(&w, c->vfs, path, false);
	if (err != ERR_OK) {
		problem(c, "wal", err == ERR_FORMAT ? 0 : NOWHERE, "%s",
		    err == ERR_NOTFOUND ? _("missing") : err_text(err));
		return;
	}
	err = wal_walk(&w, &c->state.wal, c->state.epoch, ring_frame, &k);
	if (err == ERR_FORMAT)
		problem(c, "state", NOWHERE, _("its place in the ring is none"));
	else if (err == ERR_OK && !c->r.live)
		err = wal_nothing_later(&w);
	if (err == ERR_BROKEN)
		problem(c, "wal", w.head.offset, _("a frame is damaged, and later ones "
		    "are not"));
	else if (err != ERR_OK && err != ERR_FORMAT)
		problem(c, "wal", NOWHERE, "%s", err_text(err));
	wal_close(&w);
	c->r.committed = c->tree.size;
}

/* Reads entries [from, to) once more, for a segment that lies in a larger one. */
static enum err
tally_run(struct check *c, uint64_t from, uint64_t to, struct tally *t)
{
	struct slice entry;
	struct rd r;
	uint8_t *p;
	size_t len;
	enum err err;

	for (uint64_t n = from / TILE_WIDTH; n * TILE_WIDTH < to; n++) {
		uint64_t i = n * TILE_WIDTH;

		err = tile_read_at(c->vfs, c->dir, c->r.archived, TILE_ENTRIES, n, &p,
		    &len);
		if (err != ERR_OK)
			return err;
		r = rd_init(p, len);
		for (; i < to && bundle_next(&r, &entry); i++) {
			c->ntokens = 0;
			if (i >= from && entry_tokens(entry, take_token, c) == ERR_OK)
				tally_entry(c, t, i);
		}
		free(p);
	}
	return ERR_OK;
}

/* Does it lie inside one of the segments that cover the log without gaps? */
static bool
in_chain(const struct check *c, const struct segment *s)
{
	for (size_t i = 0; i < c->index.n; i++) {
		const struct segment *in = &c->index.v[i];

		if (s->entries > 0 && in->first <= s->first &&
		    s->first + s->entries <= in->first + in->entries)
			return true;
	}
	return false;
}

static void
extra_index(void *arg, const char *name)
{
	struct check *c = arg;
	char file[300], path[PATH_BYTES];
	struct tally t = {0, 0, 0};
	struct segment s;
	enum err err;

	snprintf(file, sizeof file, "index/%s", name);
	if (strcmp(name, "new.tmp") == 0) {
		c->to->note(c->to->arg, file, _("left by a crash"));
		return;
	}
	if (!segment_parse(&s, name)) {
		problem(c, file, NOWHERE, _("superfluous"));
		return;
	}
	if (c->r.live || path_join(path, c->dir, file) != ERR_OK)
		return;
	if (!in_chain(c, &s)) {
		problem(c, file, NOWHERE, _("it is neither next to the others nor in one"));
		return;
	}
	if ((err = tally_run(c, s.first, s.first + s.entries, &t)) != ERR_OK) {
		problem(c, file, NOWHERE, _("it is about entries that are not there"));
		return;
	}
	segment_check(c, &s, &t);
	c->to->note(c->to->arg, file, _("part of a larger one, left by a crash"));
}

/* --- all of it ----------------------------------------------------------- */

static void
check_vkey(struct check *c)
{
	char path[PATH_BYTES];
	struct buf b;
	uint8_t *p;
	size_t len, i = 0;
	enum err err;

	if ((err = path_join(path, c->dir, "vkey")) == ERR_OK)
		err = vfs_read_all(c->vfs, path, 4096, &p, &len);
	if (err != ERR_OK) {
		problem(c, "vkey", NOWHERE, "%s", err == ERR_NOTFOUND ? _("missing") :
		    err_text(err));
		return;
	}
	buf_init(&b, 4096);
	note_key_put(&b, c->key);
	buf_str(&b, "\n");
	while (i < len && i < buf_used(&b) && p[i] == buf_head(&b)[i])
		i++;
	if (len != buf_used(&b) || i != len)
		problem(c, "vkey", i, _("it is not the key that was given"));
	buf_fini(&b);
	free(p);
}

/* false: there is nothing to go on from. */
static bool
check_checkpoint(struct check *c)
{
	char path[PATH_BYTES];
	struct slice text;
	uint8_t *p;
	size_t len;
	enum err err;

	if ((err = path_join(path, c->dir, "checkpoint")) == ERR_OK)
		err = vfs_read_all(c->vfs, path, NOTE_MAX_BYTES, &p, &len);
	if (err != ERR_OK) {
		problem(c, "checkpoint", NOWHERE, "%s", err == ERR_NOTFOUND ?
		    _("missing") : err_text(err));
		return false;
	}
	err = note_verify((struct slice){p, len}, c->key, 1, &text, NULL);
	if (err == ERR_OK)
		err = checkpoint_parse(&c->signed_at, text);
	free(p);
	if (err != ERR_OK)
		problem(c, "checkpoint", 0, "%s", err == ERR_FORMAT ? _("malformed") :
		    err == ERR_AUTH ? _("not signed with the given key") :
		    _("the signature is wrong"));
	else if (strcmp(c->signed_at.origin, c->key->name) != 0)
		problem(c, "checkpoint", 0, _("its origin is not the key's name"));
	c->r.size = c->r.archived = c->r.committed = c->signed_at.size;
	c->r.root = c->signed_at.root;
	return err == ERR_OK;
}

static void
check_state(struct check *c)
{
	char path[PATH_BYTES];
	enum err err = state_read(&c->state, c->vfs, c->dir);

	if (err == ERR_NOTFOUND) {
		if (path_join(path, c->dir, "wal") == ERR_OK &&
		    vfs_exists(c->vfs, path))
			problem(c, "state", NOWHERE, _("missing"));
		return;
	}
	if (err != ERR_OK) {
		problem(c, "state", 0, "%s", err_text(err));
		return;
	}
	if (c->state.size < c->signed_at.size) {
		problem(c, "state", NOWHERE, _("it has fewer entries than were signed"));
		return;
	}
	c->have_state = true;
	c->r.archived = c->state.size;
}

static bool
writer_runs(const struct check *c)
{
	char path[PATH_BYTES];
	struct vfs_file *f;
	bool busy;

	if (path_join(path, c->dir, "lock") != ERR_OK ||
	    c->vfs->open(c->vfs, &f, path, 0, NULL) != ERR_OK)
		return false;
	busy = c->vfs->lock(f) == ERR_BUSY;
	c->vfs->close(f);
	return busy;
}

enum err
verify_run(struct verify_result *out, const char *dir, const struct vfs *vfs,
    const struct note_key *key, const struct verify_report *report)
{
	struct check *c = calloc(1, sizeof *c);
	struct segments again = {.v = NULL};
	char path[PATH_BYTES];
	enum err err;

	if (c == NULL || sodium_init() < 0) {
		free(c);
		return ERR_NOMEM;
	}
	c->vfs = vfs != NULL ? vfs : vfs_os();
	c->dir = dir;
	c->key = key;
	c->to = report;
	c->time_us = INT64_MIN;
	randombytes_buf(c->tally_key, sizeof c->tally_key);
	c->r.live = writer_runs(c);
	check_vkey(c);
	if (!check_checkpoint(c)) {
		err = ERR_OK;
		goto out;
	}
	check_state(c);
	if ((err = check_names(c)) != ERR_OK ||
	    (err = path_join(path, dir, "index")) != ERR_OK ||
	    (err = segments_list(&c->index, c->vfs, path, NULL, NULL)) != ERR_OK)
		goto out;
	check_roots(c);			/* of an empty log */
	if (check_bundles(c)) {
		check_partial_tiles(c);
		for (size_t i = 0; i < c->nstrays; i++)
			check_stray(c, &c->stray[i]);
		for (; c->segment < c->index.n && !c->r.live; c->segment++) {
			char name[INDEX_NAME + 1];

			segment_name(name, &c->index.v[c->segment]);
			problem(c, name, NOWHERE, _("it is about entries that are not "
			    "there"));
		}
		err = segments_list(&again, c->vfs, path, extra_index, c);
		segments_fini(&again);
		if (c->have_state)
			check_ring(c);
	}
	if (c->stop)
		err = ERR_NOMEM;
out:
	*out = c->r;
	if (err == ERR_OK && c->r.problems > 0)
		err = ERR_BROKEN;
	segments_fini(&c->index);
	free(c->sessions.v);
	free(c->stray);
	free(c);
	return err;
}
