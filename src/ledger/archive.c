/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/sites.h"

void
archive_init(struct archive *a, const struct vfs *v, const char *dir)
{
	*a = (struct archive){.vfs = v, .dir = dir, .published = UINT64_MAX};
	buf_init(&a->bundle, BUNDLE_MAX);
}

static void
forget_unsynced(struct archive *a)
{
	while (a->nopen > 0)
		a->vfs->close(a->open[--a->nopen]);
}

static void
forget_dirs(struct archive *a)
{
	while (a->ndirs > 0)
		free(a->dirs[--a->ndirs]);
}

void
archive_fini(struct archive *a)
{
	forget_unsynced(a);
	forget_dirs(a);
	buf_fini(&a->bundle);
}

/* --- making durable ------------------------------------------------------ */

static enum err
sync_files(struct archive *a)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < a->nopen; i++)
		err = a->vfs->sync(a->open[i], SITE_TILE_FILE);
	forget_unsynced(a);
	return err;
}

static enum err
sync_dirs(struct archive *a)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < a->ndirs; i++) {
		err = a->vfs->sync_dir(a->vfs, a->dirs[i], SITE_TILE_DIR);
		if (err == ERR_NOTFOUND)	/* removed since, as superseded */
			err = ERR_OK;
	}
	if (err == ERR_OK)
		forget_dirs(a);
	return err;
}

/* The directory that holds path gets synced in this round. */
static enum err
dirty_parent(struct archive *a, const char *path)
{
	char dir[PATH_BYTES + 2];
	enum err err;

	vfs_dirname(dir, path);
	for (size_t i = 0; i < a->ndirs; i++)
		if (strcmp(a->dirs[i], dir) == 0)
			return ERR_OK;
	if (a->ndirs == ARCHIVE_DIRS_MAX && (err = sync_dirs(a)) != ERR_OK)
		return err;
	if ((a->dirs[a->ndirs] = strdup(dir)) == NULL)
		return ERR_NOMEM;
	a->ndirs++;
	return ERR_OK;
}

/* Makes the directories above path, up to the log's own. */
static enum err
make_dirs(struct archive *a, const char *path)
{
	char dir[PATH_BYTES + 2];
	enum err err;

	vfs_dirname(dir, path);
	if ((err = a->vfs->mkdir(a->vfs, dir)) == ERR_NOTFOUND) {
		if (strlen(dir) <= strlen(a->dir))
			return ERR_NOTFOUND;
		if ((err = make_dirs(a, dir)) == ERR_OK)
			err = a->vfs->mkdir(a->vfs, dir);
	}
	if (err == ERR_EXISTS)
		return ERR_OK;
	return err == ERR_OK ? dirty_parent(a, dir) : err;
}

static enum err
write_tile(struct archive *a, const struct tile *t, const void *p, size_t len)
{
	enum { FLAGS = VFS_WRITE | VFS_CREATE | VFS_TRUNC };
	char path[PATH_BYTES], name[TILE_PATH_MAX];
	struct vfs_file *f;
	enum err err;

	tile_path(name, t);
	if ((err = path_join(path, a->dir, name)) != ERR_OK)
		return err;
	err = a->vfs->open(a->vfs, &f, path, FLAGS, NULL);
	if (err == ERR_NOTFOUND && (err = make_dirs(a, path)) == ERR_OK)
		err = a->vfs->open(a->vfs, &f, path, FLAGS, NULL);
	if (err != ERR_OK)
		return err;
	if ((err = a->vfs->write(f, p, len, 0)) != ERR_OK) {
		a->vfs->close(f);
		return err;
	}
	a->vfs->write_soon(f);
	a->open[a->nopen++] = f;
	if (a->nopen == ARCHIVE_OPEN_MAX && (err = sync_files(a)) != ERR_OK)
		return err;
	return dirty_parent(a, path);
}

/* --- adding -------------------------------------------------------------- */

static void
made(void *arg, unsigned level, uint64_t index, const struct merkle_hash *h)
{
	struct archive *a = arg;
	struct tile t = {(int)(level / 8), index / TILE_WIDTH, TILE_WIDTH};

	if (level % 8 != 0 || t.level >= TILE_LEVELS)
		return;
	a->level[t.level][index % TILE_WIDTH] = *h;
	if (index % TILE_WIDTH == TILE_WIDTH - 1 && a->failed == ERR_OK)
		a->failed = write_tile(a, &t, a->level[t.level], TILE_BYTES);
}

enum err
archive_add(struct archive *a, struct slice entry)
{
	struct tile t = {TILE_ENTRIES, a->tree.size / TILE_WIDTH, TILE_WIDTH};
	struct merkle_hash leaf;

	buf_lp16(&a->bundle, entry);
	if (a->bundle.bad) {
		buf_fini(&a->bundle);
		return ERR_NOMEM;
	}
	merkle_leaf(&leaf, entry.p, entry.len);
	merkle_tree_add(&a->tree, &leaf, made, a);
	if (a->tree.size % TILE_WIDTH == 0 && a->failed == ERR_OK) {
		a->failed = write_tile(a, &t, buf_head(&a->bundle),
		    buf_used(&a->bundle));
		buf_clear(&a->bundle);
	}
	return a->failed;
}

/* The partial tile of a level in a log of that size; false: there is none. */
static bool
partial(struct tile *t, uint64_t size, int level)
{
	uint64_t n = tile_hashes(size, level);

	*t = (struct tile){level, n / TILE_WIDTH, (unsigned)(n % TILE_WIDTH)};
	return t->width > 0;
}

static enum err
write_partials(struct archive *a)
{
	enum err err = ERR_OK;
	struct tile t, old;

	for (int level = TILE_ENTRIES; err == ERR_OK && level < TILE_LEVELS; level++) {
		if (!partial(&t, a->tree.size, level) ||
		    (partial(&old, a->state.size, level) && old.n == t.n &&
		    old.width == t.width))
			continue;
		if (level == TILE_ENTRIES)
			err = write_tile(a, &t, buf_head(&a->bundle),
			    buf_used(&a->bundle));
		else
			err = write_tile(a, &t, a->level[level],
			    t.width * (size_t)MERKLE_BYTES);
	}
	return err;
}

/* --- publishing ---------------------------------------------------------- */

static enum err
write_state(struct archive *a, const struct state *s)
{
	char path[PATH_BYTES];
	struct buf b;
	enum err err;

	buf_init(&b, STATE_MAX);
	state_put(&b, s);
	err = b.bad ? ERR_NOMEM : path_join(path, a->dir, "state");
	if (err == ERR_OK)
		err = vfs_replace(a->vfs, path, buf_head(&b), buf_used(&b), 0,
		    SITE_STATE_FILE, SITE_STATE_DIR);
	buf_fini(&b);
	return err;
}

enum err
archive_publish(struct archive *a)
{
	struct checkpoint c = {.size = a->state.size, .root = a->state.root};
	char path[PATH_BYTES];
	struct buf text, note;
	enum err err;

	strcpy(c.origin, a->state.origin);
	buf_init(&text, 1024);
	buf_init(&note, 4096);
	checkpoint_put(&text, &c);
	if (!text.bad)
		note_sign(&note, (struct slice){buf_head(&text), buf_used(&text)},
		    &a->key, a->secret);
	err = text.bad || note.bad ? ERR_NOMEM :
	    path_join(path, a->dir, "checkpoint");
	if (err == ERR_OK)
		err = vfs_replace(a->vfs, path, buf_head(&note), buf_used(&note), 0,
		    SITE_CHECKPOINT_FILE, SITE_CHECKPOINT_DIR);
	if (err == ERR_OK)
		a->published = c.size;
	buf_fini(&text);
	buf_fini(&note);
	return err;
}

static enum err
remove_file(struct archive *a, const char *path)
{
	enum err err = a->vfs->unlink(a->vfs, path);

	if (err == ERR_NOTFOUND)
		return ERR_OK;
	return err == ERR_OK ? dirty_parent(a, path) : err;
}

static enum err
remove_dir(struct archive *a, const char *path)
{
	enum err err = a->vfs->rmdir(a->vfs, path);

	if (err == ERR_NOTFOUND || err == ERR_EXISTS)
		return ERR_OK;
	return err == ERR_OK ? dirty_parent(a, path) : err;
}

/*
 * Removes the partial tiles of the size before. The directories are synced in
 * the next round, before `previous` moves on: what a power cut brings back is
 * found by archive_clean().
 */
static enum err
remove_superseded(struct archive *a)
{
	char path[PATH_BYTES], name[TILE_PATH_MAX];
	enum err err = ERR_OK;
	struct tile t, now;

	for (int level = TILE_ENTRIES; err == ERR_OK && level < TILE_LEVELS; level++) {
		if (!partial(&t, a->oldest, level))
			continue;
		partial(&now, a->state.size, level);
		if (now.n == t.n && now.width == t.width)
			continue;
		tile_path(name, &t);
		if ((err = path_join(path, a->dir, name)) != ERR_OK ||
		    (err = remove_file(a, path)) != ERR_OK || now.n == t.n)
			continue;
		*strrchr(path, '/') = 0;
		err = remove_dir(a, path);
	}
	if (err == ERR_OK)
		a->oldest = a->state.size;
	return err;
}

enum err
archive_finish(struct archive *a, const struct wal_pos *pos)
{
	struct state s = a->state;
	enum err err;

	s.previous = a->oldest;
	s.size = a->tree.size;
	s.wal = *pos;
	merkle_tree_root(&a->tree, &s.root);
	if ((err = write_partials(a)) != ERR_OK ||
	    (err = sync_files(a)) != ERR_OK ||
	    (err = sync_dirs(a)) != ERR_OK ||
	    (err = write_state(a, &s)) != ERR_OK)
		return err;
	a->state = s;
	if (a->published != s.size && (err = archive_publish(a)) != ERR_OK)
		return err;
	return remove_superseded(a);
}

/* --- starting ------------------------------------------------------------ */

static enum err
load_bundle(struct archive *a)
{
	struct merkle_hash leaf;
	struct slice entry;
	uint8_t *p;
	size_t len, n = 0;
	struct rd r;
	enum err err;

	buf_clear(&a->bundle);
	if (a->state.size % TILE_WIDTH == 0)
		return ERR_OK;
	err = tile_read_at(a->vfs, a->dir, a->state.size, TILE_ENTRIES,
	    a->state.size / TILE_WIDTH, &p, &len);
	if (err != ERR_OK)
		return err;
	r = rd_init(p, len);
	while (err == ERR_OK && bundle_next(&r, &entry)) {
		merkle_leaf(&leaf, entry.p, entry.len);
		if (n >= a->state.size % TILE_WIDTH ||
		    !merkle_eq(&leaf, &a->level[0][n++]))
			err = ERR_BROKEN;
	}
	if (err == ERR_OK && (!rd_end(&r) || n != a->state.size % TILE_WIDTH))
		err = ERR_BROKEN;
	buf_put(&a->bundle, p, len);
	if (err == ERR_OK && a->bundle.bad)
		err = ERR_NOMEM;
	free(p);
	return err;
}

enum err
archive_load(struct archive *a)
{
	struct tile_source src = {a->vfs, a->dir, a->state.size, {0}, {{{0}}}};
	const struct merkle_source s = {tile_source_get, &src};
	struct merkle_hash root;
	struct tile t;
	uint8_t *p;
	size_t len;
	enum err err;

	forget_unsynced(a);
	a->failed = ERR_OK;
	if ((err = merkle_tree_at(&s, a->state.size, &a->tree)) != ERR_OK)
		return err;
	merkle_tree_root(&a->tree, &root);
	if (!merkle_eq(&root, &a->state.root))
		return ERR_BROKEN;
	for (int level = 0; level < TILE_LEVELS; level++) {
		if (!partial(&t, a->state.size, level))
			continue;
		if ((err = tile_read(a->vfs, a->dir, &t, &p, &len)) != ERR_OK)
			return err;
		memcpy(a->level[level], p, len);
		free(p);
	}
	return load_bundle(a);
}

/*
 * After a kill nobody knows which directories were still to be synced: what is
 * there, and what is gone, may be so only until a power cut.
 */
static enum err
dirty_all_above(struct archive *a, char *path)
{
	enum err err = ERR_OK;

	while (err == ERR_OK && strlen(path) > strlen(a->dir)) {
		err = dirty_parent(a, path);
		*strrchr(path, '/') = 0;
	}
	return err;
}

struct sweep {
	struct archive *a;
	const char *dir;
	unsigned keep;		/* this width stays; 0: none */
};

static enum err
sweep_one(void *arg, const char *name, enum vfs_kind kind)
{
	struct sweep *s = arg;
	char path[PATH_BYTES], keep[12];
	enum err err;

	snprintf(keep, sizeof keep, "%u", s->keep);
	if (kind != VFS_FILE || strcmp(name, keep) == 0)
		return ERR_OK;
	if ((err = path_join(path, s->dir, name)) != ERR_OK)
		return err;
	return remove_file(s->a, path);
}

static enum err
sweep_level(struct archive *a, int level, uint64_t to)
{
	uint64_t here = tile_hashes(a->state.size, level);
	char path[PATH_BYTES + 2], name[TILE_PATH_MAX];
	enum err err;

	if (tile_hashes(to, level) == 0)
		return ERR_OK;
	for (uint64_t n = tile_hashes(a->oldest, level) / TILE_WIDTH;
	    n <= tile_hashes(to, level) / TILE_WIDTH; n++) {
		struct tile t = {level, n, 1};
		struct sweep s = {a, path, 0};

		if (n == here / TILE_WIDTH)
			s.keep = (unsigned)(here % TILE_WIDTH);
		name[tile_path(name, &t) + 2] = 0;	/* ".p" */
		if ((err = path_join(path, a->dir, name)) != ERR_OK)
			return err;
		err = a->vfs->list(a->vfs, path, sweep_one, &s);
		if (err == ERR_OK && s.keep == 0)
			err = remove_dir(a, path);
		if (err != ERR_OK && err != ERR_NOTFOUND)
			return err;
		strcat(path, "/");
		if ((err = dirty_all_above(a, path)) != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum err
archive_clean(struct archive *a, uint64_t to)
{
	enum err err = ERR_OK;

	for (int level = TILE_ENTRIES; err == ERR_OK && level < TILE_LEVELS; level++)
		err = sweep_level(a, level, to);
	if (err == ERR_OK)
		a->oldest = a->state.size;
	return err;
}
