/* SPDX-License-Identifier: Apache-2.0 */
#include "simdisk.h"

#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512 };

struct bytes {
	uint8_t *p;
	size_t len, cap;
};

/* A change of a file's content that is not durable yet. */
struct change {
	bool truncate;		/* to off; else a write of len bytes at off */
	uint64_t off;
	size_t len;
	uint8_t *p;
};

struct inode {
	bool dir, locked;
	unsigned refs;		/* names seen, names durable, open files */
	struct bytes seen, disk;
	struct change *changes;
	size_t n, cap;
	/* of a directory */
	struct names {
		struct name {
			char *text;
			struct inode *to;
		} *v;
		size_t n, cap;
	} now, safe;
};

/* A change of names that is not durable yet. Renames are one change. */
struct link {
	struct inode *dir;
	char *from, *to;	/* from NULL: created; to NULL: removed */
	struct inode *node;
};

struct simdisk {
	struct vfs vfs;
	struct inode root;
	struct link *links;
	size_t nlinks, cap_links;
	uint64_t rng, cut_at, changes, fail_at, calls, reads;
	enum err fail_err;
	bool dead, failed;
	const char *failed_site, *ignore;
	uint64_t capacity, used;
};

struct handle {
	struct vfs_file base;
	struct simdisk *d;
	struct inode *node;
	unsigned flags;
	const char *site;
	bool locked;
};

static void *
need(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

uint64_t
simdisk_random(struct simdisk *d)
{
	uint64_t z = d->rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static struct simdisk *
disk_of(const struct vfs *v)
{
	return (struct simdisk *)(uintptr_t)v;	/* its first member */
}

/* --- bytes --------------------------------------------------------------- */

static void
bytes_resize(struct bytes *b, uint64_t len)
{
	if (len > b->cap) {
		size_t cap = b->cap * 2 > len ? b->cap * 2 : len;

		b->p = need(realloc(b->p, cap));
		b->cap = cap;
	}
	if (len > b->len)
		memset(b->p + b->len, 0, len - b->len);
	b->len = len;
}

static void
bytes_write(struct bytes *b, uint64_t off, const void *p, size_t n)
{
	if (off + n > b->len)
		bytes_resize(b, off + n);
	if (n > 0)
		memcpy(b->p + off, p, n);
}

/* --- names --------------------------------------------------------------- */

static struct name *
names_find(const struct names *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].text, text) == 0)
			return &s->v[i];
	return NULL;
}

static void inode_drop(struct inode *i);

static void
names_del(struct names *s, const char *text)
{
	struct name *e = names_find(s, text);
	struct inode *to;

	if (e == NULL)
		return;
	to = e->to;
	free(e->text);
	*e = s->v[--s->n];
	inode_drop(to);
}

static void
names_set(struct names *s, const char *text, struct inode *to)
{
	to->refs++;
	names_del(s, text);
	if (s->n == s->cap) {
		s->cap = s->cap > 0 ? s->cap * 2 : 8;
		s->v = need(realloc(s->v, s->cap * sizeof *s->v));
	}
	s->v[s->n++] = (struct name){need(strdup(text)), to};
}

static void
names_clear(struct names *s)
{
	while (s->n > 0)
		names_del(s, s->v[0].text);
	free(s->v);
	*s = (struct names){NULL, 0, 0};
}

static void
changes_clear(struct inode *i)
{
	for (size_t k = 0; k < i->n; k++)
		free(i->changes[k].p);
	free(i->changes);
	i->changes = NULL;
	i->n = i->cap = 0;
}

static void
inode_drop(struct inode *i)
{
	if (--i->refs > 0)
		return;
	names_clear(&i->now);
	names_clear(&i->safe);
	changes_clear(i);
	free(i->seen.p);
	free(i->disk.p);
	free(i);
}

static void
link_note(struct simdisk *d, struct inode *dir, const char *from, const char *to,
    struct inode *node)
{
	if (d->nlinks == d->cap_links) {
		d->cap_links = d->cap_links > 0 ? d->cap_links * 2 : 64;
		d->links = need(realloc(d->links, d->cap_links * sizeof *d->links));
	}
	dir->refs++;
	node->refs++;
	d->links[d->nlinks++] = (struct link){dir, from ? need(strdup(from)) : NULL,
	    to ? need(strdup(to)) : NULL, node};
}

static void
link_apply(const struct link *l)
{
	if (l->from != NULL)
		names_del(&l->dir->safe, l->from);
	if (l->to != NULL)
		names_set(&l->dir->safe, l->to, l->node);
}

static void
link_free(struct link *l)
{
	struct inode *dir = l->dir, *node = l->node;

	free(l->from);
	free(l->to);
	inode_drop(dir);
	inode_drop(node);
}

/* The directory that holds path, and the last part of it. */
static enum err
walk(struct simdisk *d, const char *path, struct inode **dir, char name[256])
{
	struct inode *at = &d->root;
	const char *p = path, *slash;
	struct name *e;

	while (*p == '/')
		p++;
	while ((slash = strchr(p, '/')) != NULL) {
		memcpy(name, p, (size_t)(slash - p));
		name[slash - p] = 0;
		if ((e = names_find(&at->now, name)) == NULL || !e->to->dir)
			return ERR_NOTFOUND;
		at = e->to;
		p = slash + 1;
	}
	strcpy(name, p);
	*dir = at;
	return ERR_OK;
}

static enum err
find(struct simdisk *d, const char *path, struct inode **out)
{
	struct inode *dir;
	char name[256];
	struct name *e;
	enum err err = walk(d, path, &dir, name);

	if (err != ERR_OK)
		return err;
	if (name[0] == 0) {
		*out = dir;
		return ERR_OK;
	}
	if ((e = names_find(&dir->now, name)) == NULL)
		return ERR_NOTFOUND;
	*out = e->to;
	return ERR_OK;
}

/* --- faults -------------------------------------------------------------- */

/* Every call begins here. site: of a sync. */
static enum err
call(struct simdisk *d, const char *site)
{
	if (d->dead)
		return ERR_IO;
	d->calls++;
	if (d->fail_at != 0 && --d->fail_at == 0) {
		d->failed = true;
		d->failed_site = site;
		return site != NULL ? ERR_IO : d->fail_err;
	}
	return ERR_OK;
}

/* Every change comes here; true: the power goes now. */
static bool
cut_now(struct simdisk *d)
{
	d->changes++;
	if (d->cut_at != 0 && --d->cut_at == 0)
		d->dead = true;
	return d->dead;
}

static bool
ignored(const struct simdisk *d, const char *site)
{
	return d->ignore != NULL && site != NULL && strcmp(d->ignore, site) == 0;
}

/* --- content ------------------------------------------------------------- */

static void
change_note(struct inode *i, struct change c)
{
	if (i->n == i->cap) {
		i->cap = i->cap > 0 ? i->cap * 2 : 8;
		i->changes = need(realloc(i->changes, i->cap * sizeof *i->changes));
	}
	i->changes[i->n++] = c;
}

static void
changes_apply(struct inode *i)
{
	for (size_t k = 0; k < i->n; k++) {
		struct change *c = &i->changes[k];

		if (c->truncate)
			bytes_resize(&i->disk, c->off);
		else
			bytes_write(&i->disk, c->off, c->p, c->len);
	}
	changes_clear(i);
}

/* Each sector of a write by itself; the length may come without the data. */
static void
write_some(struct simdisk *d, struct bytes *disk, const struct change *c)
{
	uint64_t end = c->off + c->len;

	if (end > disk->len && simdisk_random(d) % 2) {
		uint64_t from = disk->len;

		bytes_resize(disk, end);
		if (simdisk_random(d) % 2)
			memset(disk->p + from, 0xa5, end - from);
	}
	for (uint64_t at = c->off; at < end;) {
		uint64_t next = (at / SECTOR + 1) * SECTOR;

		if (next > end)
			next = end;
		if (simdisk_random(d) % 2)
			bytes_write(disk, at, c->p + (at - c->off), next - at);
		at = next;
	}
}

static void
changes_apply_some(struct simdisk *d, struct inode *i)
{
	uint64_t mood = simdisk_random(d) % 4;

	for (size_t k = 0; k < i->n && mood > 0; k++) {
		struct change *c = &i->changes[k];

		if (mood == 1 || simdisk_random(d) % 2) {
			if (c->truncate)
				bytes_resize(&i->disk, c->off);
			else if (mood == 1)
				bytes_write(&i->disk, c->off, c->p, c->len);
			else
				write_some(d, &i->disk, c);
		}
	}
	changes_clear(i);
}

/* --- the calls ----------------------------------------------------------- */

static enum err
sim_open(const struct vfs *v, struct vfs_file **out, const char *path,
    unsigned flags, const char *site)
{
	struct simdisk *d = disk_of(v);
	struct inode *dir, *node;
	struct handle *h;
	char name[256];
	struct name *e;
	enum err err;

	if ((err = call(d, NULL)) != ERR_OK ||
	    (err = walk(d, path, &dir, name)) != ERR_OK)
		return err;
	e = names_find(&dir->now, name);
	if (e != NULL && (flags & VFS_EXCL))
		return ERR_EXISTS;
	if (e == NULL) {
		if (!(flags & VFS_CREATE))
			return ERR_NOTFOUND;
		if (cut_now(d))
			return ERR_IO;
		node = need(calloc(1, sizeof *node));
		names_set(&dir->now, name, node);
		link_note(d, dir, NULL, name, node);
	} else {
		node = e->to;
	}
	if (node->dir && (flags & VFS_WRITE))
		return ERR_IO;
	if ((flags & VFS_TRUNC) && node->seen.len > 0) {
		if (cut_now(d))
			return ERR_IO;
		d->used -= node->seen.len;
		bytes_resize(&node->seen, 0);
		change_note(node, (struct change){true, 0, 0, NULL});
	}
	h = need(calloc(1, sizeof *h));
	*h = (struct handle){{v}, d, node, flags, site, false};
	node->refs++;
	*out = &h->base;
	return ERR_OK;
}

static void
sim_close(struct vfs_file *f)
{
	struct handle *h = (struct handle *)f;

	if (h == NULL)
		return;
	if (h->locked)
		h->node->locked = false;
	inode_drop(h->node);
	free(h);
}

static enum err
sim_read(struct vfs_file *f, void *buf, size_t n, uint64_t off, size_t *got)
{
	struct handle *h = (struct handle *)f;
	struct bytes *b = &h->node->seen;
	enum err err;

	if ((err = call(h->d, NULL)) != ERR_OK)
		return err;
	h->d->reads++;
	*got = off >= b->len ? 0 : n < b->len - off ? n : b->len - off;
	if (*got > 0)
		memcpy(buf, b->p + off, *got);
	return ERR_OK;
}

static enum err
sim_write(struct vfs_file *f, const void *buf, size_t n, uint64_t off)
{
	struct handle *h = (struct handle *)f;
	bool dsync = (h->flags & VFS_DSYNC) && !ignored(h->d, h->site);
	struct change c = {false, off, n, (uint8_t *)(uintptr_t)buf};
	struct simdisk *d = h->d;
	uint64_t grow;
	enum err err;

	if ((err = call(d, (h->flags & VFS_DSYNC) ? h->site : NULL)) != ERR_OK) {
		if (!d->dead && (h->flags & VFS_DSYNC))
			write_some(d, &h->node->disk, &c);
		return err;
	}
	grow = off + n > h->node->seen.len ? off + n - h->node->seen.len : 0;
	if (grow > 0 && d->used + grow > d->capacity)
		return ERR_NOSPACE;
	if ((h->flags & VFS_DSYNC) && (off % 4096 || n % 4096 ||
	    (uintptr_t)buf % 4096))
		abort();	/* O_DIRECT would refuse it */
	if (cut_now(d)) {
		if (dsync) {
			write_some(d, &h->node->disk, &c);
			return ERR_IO;
		}
	} else if (dsync) {
		bytes_write(&h->node->disk, off, buf, n);
	}
	d->used += grow;
	bytes_write(&h->node->seen, off, buf, n);
	if (!dsync) {
		c.p = need(malloc(n + 1));
		memcpy(c.p, buf, n);
		change_note(h->node, c);
	}
	return d->dead ? ERR_IO : ERR_OK;
}

static enum err
sim_size(struct vfs_file *f, uint64_t *bytes)
{
	struct handle *h = (struct handle *)f;
	enum err err = call(h->d, NULL);

	if (err == ERR_OK)
		*bytes = h->node->seen.len;
	return err;
}

static enum err
sim_truncate(struct vfs_file *f, uint64_t bytes)
{
	struct handle *h = (struct handle *)f;
	enum err err;

	if ((err = call(h->d, NULL)) != ERR_OK)
		return err;
	if (cut_now(h->d))
		return ERR_IO;
	h->d->used += bytes - h->node->seen.len;
	bytes_resize(&h->node->seen, bytes);
	change_note(h->node, (struct change){true, bytes, 0, NULL});
	return ERR_OK;
}

static enum err
sim_sync(struct vfs_file *f, const char *site)
{
	struct handle *h = (struct handle *)f;
	enum err err;

	if ((err = call(h->d, site)) != ERR_OK) {
		if (!h->d->dead)
			changes_apply_some(h->d, h->node);
		return err;
	}
	if (cut_now(h->d))
		return ERR_IO;
	if (!ignored(h->d, site))
		changes_apply(h->node);
	return ERR_OK;
}

static void
sim_write_soon(struct vfs_file *f)
{
	(void)f;
}

static void
sim_read_soon(struct vfs_file *f, uint64_t off, size_t n)
{
	(void)f;
	(void)off;
	(void)n;
}

static enum err
sim_lock(struct vfs_file *f)
{
	struct handle *h = (struct handle *)f;
	enum err err = call(h->d, NULL);

	if (err != ERR_OK)
		return err;
	if (h->node->locked)
		return ERR_BUSY;
	h->node->locked = h->locked = true;
	return ERR_OK;
}

static enum err
sim_rename(const struct vfs *v, const char *from, const char *to)
{
	struct simdisk *d = disk_of(v);
	struct inode *dir, *dir2, *node;
	char a[256], b[256];
	struct name *e;
	enum err err;

	if ((err = call(d, NULL)) != ERR_OK ||
	    (err = walk(d, from, &dir, a)) != ERR_OK ||
	    (err = walk(d, to, &dir2, b)) != ERR_OK)
		return err;
	if (dir != dir2)
		abort();	/* not needed, not modelled */
	if ((e = names_find(&dir->now, a)) == NULL)
		return ERR_NOTFOUND;
	if (cut_now(d))
		return ERR_IO;
	node = e->to;
	node->refs++;
	names_del(&dir->now, a);
	names_set(&dir->now, b, node);
	link_note(d, dir, a, b, node);
	inode_drop(node);
	return ERR_OK;
}

static enum err
remove_name(const struct vfs *v, const char *path, bool want_dir)
{
	struct simdisk *d = disk_of(v);
	struct inode *dir, *node;
	char name[256];
	struct name *e;
	enum err err;

	if ((err = call(d, NULL)) != ERR_OK ||
	    (err = walk(d, path, &dir, name)) != ERR_OK)
		return err;
	if ((e = names_find(&dir->now, name)) == NULL)
		return ERR_NOTFOUND;
	node = e->to;
	if (node->dir != want_dir)
		return ERR_IO;
	if (node->now.n > 0)
		return ERR_EXISTS;
	if (cut_now(d))
		return ERR_IO;
	d->used -= node->seen.len;
	link_note(d, dir, name, NULL, node);
	names_del(&dir->now, name);
	return ERR_OK;
}

static enum err
sim_unlink(const struct vfs *v, const char *path)
{
	return remove_name(v, path, false);
}

static enum err
sim_rmdir(const struct vfs *v, const char *path)
{
	return remove_name(v, path, true);
}

static enum err
sim_mkdir(const struct vfs *v, const char *path)
{
	struct simdisk *d = disk_of(v);
	struct inode *dir, *node;
	char name[256];
	enum err err;

	if ((err = call(d, NULL)) != ERR_OK ||
	    (err = walk(d, path, &dir, name)) != ERR_OK)
		return err;
	if (names_find(&dir->now, name) != NULL)
		return ERR_EXISTS;
	if (cut_now(d))
		return ERR_IO;
	node = need(calloc(1, sizeof *node));
	node->dir = true;
	names_set(&dir->now, name, node);
	link_note(d, dir, NULL, name, node);
	return ERR_OK;
}

static enum err
sim_sync_dir(const struct vfs *v, const char *path, const char *site)
{
	struct simdisk *d = disk_of(v);
	struct inode *dir;
	size_t n = 0;
	enum err err;

	if ((err = call(d, site)) != ERR_OK ||
	    (err = find(d, path, &dir)) != ERR_OK)
		return err;
	if (!dir->dir)
		return ERR_IO;
	if (cut_now(d))
		return ERR_IO;
	if (ignored(d, site))
		return ERR_OK;
	for (size_t i = 0; i < d->nlinks; i++) {
		if (d->links[i].dir == dir) {
			link_apply(&d->links[i]);
			link_free(&d->links[i]);
		} else {
			d->links[n++] = d->links[i];
		}
	}
	d->nlinks = n;
	return ERR_OK;
}

static enum err
sim_list(const struct vfs *v, const char *path,
    enum err (*each)(void *arg, const char *name, enum vfs_kind kind), void *arg)
{
	struct simdisk *d = disk_of(v);
	struct inode *dir;
	struct names copy = {NULL, 0, 0};
	enum err err;

	if ((err = call(d, NULL)) != ERR_OK || (err = find(d, path, &dir)) != ERR_OK)
		return err;
	if (!dir->dir)
		return ERR_IO;
	for (size_t i = 0; i < dir->now.n; i++)
		names_set(&copy, dir->now.v[i].text, dir->now.v[i].to);
	for (size_t i = 0; err == ERR_OK && i < copy.n; i++)
		err = each(arg, copy.v[i].text, copy.v[i].to->dir ? VFS_DIR : VFS_FILE);
	names_clear(&copy);
	return err;
}

static enum err
sim_free_bytes(const struct vfs *v, const char *path, uint64_t *bytes)
{
	struct simdisk *d = disk_of(v);

	(void)path;
	*bytes = d->capacity > d->used ? d->capacity - d->used : 0;
	return d->dead ? ERR_IO : ERR_OK;
}

/* --- power --------------------------------------------------------------- */

static void
settle(struct simdisk *d, struct inode *i)
{
	if (!i->dir) {
		if (i->n > 0 || i->seen.len != i->disk.len || (i->disk.len > 0 &&
		    memcmp(i->seen.p, i->disk.p, i->disk.len) != 0)) {
			changes_apply_some(d, i);
			d->used += i->disk.len - i->seen.len;
			bytes_resize(&i->seen, 0);
			bytes_write(&i->seen, 0, i->disk.p, i->disk.len);
		}
		i->locked = false;
		return;
	}
	names_clear(&i->now);
	for (size_t k = 0; k < i->safe.n; k++)
		names_set(&i->now, i->safe.v[k].text, i->safe.v[k].to);
	for (size_t k = 0; k < i->now.n; k++)
		settle(d, i->now.v[k].to);
}

static uint64_t
bytes_under(const struct inode *i)
{
	uint64_t n = i->seen.len;

	for (size_t k = 0; k < i->now.n; k++)
		n += bytes_under(i->now.v[k].to);
	return n;
}

void
simdisk_reboot(struct simdisk *d)
{
	uint64_t mood = simdisk_random(d) % 4;

	for (size_t i = 0; i < d->nlinks; i++) {
		if (mood == 1 || (mood > 1 && simdisk_random(d) % 2))
			link_apply(&d->links[i]);
	}
	for (size_t i = 0; i < d->nlinks; i++)
		link_free(&d->links[i]);
	d->nlinks = 0;
	settle(d, &d->root);
	d->used = bytes_under(&d->root);
	simdisk_revive(d);
}

void
simdisk_revive(struct simdisk *d)
{
	d->dead = d->failed = false;
	d->cut_at = d->fail_at = 0;
}

/* --- handling ------------------------------------------------------------ */

struct simdisk *
simdisk_new(uint64_t seed)
{
	static const struct vfs calls = {
		.open = sim_open, .close = sim_close, .read = sim_read,
		.write = sim_write, .size = sim_size, .truncate = sim_truncate,
		.sync = sim_sync, .write_soon = sim_write_soon,
		.read_soon = sim_read_soon, .lock = sim_lock, .rename = sim_rename,
		.unlink = sim_unlink, .mkdir = sim_mkdir, .rmdir = sim_rmdir,
		.sync_dir = sim_sync_dir, .list = sim_list,
		.free_bytes = sim_free_bytes,
	};
	struct simdisk *d = need(calloc(1, sizeof *d));

	d->vfs = calls;
	d->root.dir = true;
	d->root.refs = 1u << 30;
	d->rng = seed;
	d->capacity = UINT64_MAX / 2;
	return d;
}

void
simdisk_free(struct simdisk *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->nlinks; i++)
		link_free(&d->links[i]);
	free(d->links);
	names_clear(&d->root.now);
	names_clear(&d->root.safe);
	free(d);
}

const struct vfs *
simdisk_vfs(struct simdisk *d)
{
	return &d->vfs;
}

void
simdisk_cut_after(struct simdisk *d, uint64_t n)
{
	d->cut_at = n;
}

bool
simdisk_dead(const struct simdisk *d)
{
	return d->dead;
}

void
simdisk_fail_after(struct simdisk *d, uint64_t n, enum err err)
{
	d->fail_at = n;
	d->fail_err = err;
	d->failed = false;
	d->failed_site = NULL;
}

bool
simdisk_failed(const struct simdisk *d)
{
	return d->failed;
}

const char *
simdisk_failed_site(const struct simdisk *d)
{
	return d->failed ? d->failed_site : NULL;
}

void
simdisk_ignore(struct simdisk *d, const char *site)
{
	d->ignore = site;
}

void
simdisk_capacity(struct simdisk *d, uint64_t bytes)
{
	d->capacity = bytes;
}

uint64_t
simdisk_reads(const struct simdisk *d)
{
	return d->reads;
}

uint64_t
simdisk_calls(const struct simdisk *d)
{
	return d->calls;
}

bool
simdisk_peek(struct simdisk *d, const char *path, uint8_t **p, size_t *len)
{
	struct inode *i;

	if (find(d, path, &i) != ERR_OK || i->dir)
		return false;
	*p = need(malloc(i->seen.len + 1));
	if (i->seen.len > 0)
		memcpy(*p, i->seen.p, i->seen.len);
	*len = i->seen.len;
	return true;
}

bool
simdisk_flip(struct simdisk *d, const char *path, uint64_t bit)
{
	struct inode *i;

	if (find(d, path, &i) != ERR_OK || i->dir || bit / 8 >= i->seen.len)
		return false;
	i->seen.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	if (bit / 8 < i->disk.len)
		i->disk.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	return true;
}
