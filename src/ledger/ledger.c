/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: appends to frames, commits frames to the ring, and lets the archive
 * bring them into bundles, tiles, index and checkpoint, in rounds.
 *
 * Two threads. The caller's owns the batch and the ring's head; the archive
 * thread owns archive and index. Between them, under `mu`: the queue of committed
 * frames, the ring's tail, and what is asked and done. With no_thread the caller
 * runs the rounds.
 */
#include "ledger/ledger.h"

#include <inttypes.h>
#include <libintl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "ledger/archive.h"
#include "ledger/entry.h"
#include "ledger/index.h"
#include "ledger/sites.h"

#define _(s) gettext(s)

enum {
	ROUND_AFTER_US = 500000,	/* of the oldest entry: published within 1 s */
	RETRY_AFTER_US = 1000000,	/* when there was no space */
	SPACE_EVERY_US = 100000,
	CATCH_UP = 65536,		/* entries indexed anew in one round */
	SPACE_RESERVE = 16 << 20,
	MARKER_MAX = 256
};

struct queue {
	struct frame *first, *last;
};

struct ledger {
	const struct vfs *vfs;
	char dir[PATH_BYTES];
	struct vfs_file *lock;
	bool threaded;

	/* the caller's */
	uint8_t *stage;			/* payload of the frame being filled */
	size_t stage_len, stage_max;
	uint32_t stage_count;
	struct queue batch;		/* sealed, not yet in the ring */
	uint64_t batch_bytes;
	uint64_t next;			/* index of the next entry */
	int64_t time_us;		/* of the newest entry */
	uint32_t epoch;
	uint64_t space, space_at_us;

	/* shared, under mu */
	pthread_mutex_t mu;
	pthread_cond_t work, done;
	struct wal wal;
	struct queue live;		/* in the ring, not yet archived */
	uint64_t committed, archived;
	uint64_t oldest_us;		/* when the oldest of live came; 0: none */
	uint64_t asked, answered;	/* rounds wanted, rounds ended */
	bool stop, stalled;
	enum err round_err;		/* of the last round */
	bool broken;
	char stopped[MARKER_MAX];	/* why the writer before had; empty: it had not */

	/* the archive thread's */
	pthread_t thread;
	bool running;
	struct archive arc;
	bool arc_dirty;			/* a round failed: load anew */
	struct index idx;
	uint8_t *secret;		/* owns; 64 bytes, guarded */
};

/* --- small parts --------------------------------------------------------- */

static void
queue_push(struct queue *q, struct frame *f)
{
	f->next = NULL;
	if (q->last != NULL)
		q->last->next = f;
	else
		q->first = f;
	q->last = f;
}

static struct frame *
queue_pop(struct queue *q)
{
	struct frame *f = q->first;

	if ((q->first = f->next) == NULL)
		q->last = NULL;
	return f;
}

static void
queue_drop(struct queue *q)
{
	while (q->first != NULL)
		frame_free(queue_pop(q));
}

/* For good: also a later open says so. The file is a hint and may be missing. */
static void
broken_mark(struct ledger *l, const char *what, enum err err)
{
	char path[PATH_BYTES], text[256], when[28];
	struct vfs_file *f;
	int n;

	pthread_mutex_lock(&l->mu);
	l->broken = true;
	pthread_cond_broadcast(&l->done);
	pthread_mutex_unlock(&l->mu);
	clock_rfc3339(when, clock_wall_us());
	n = snprintf(text, sizeof text, "%s %s: %s\n", when, what, err_text(err));
	if (path_join(path, l->dir, "broken") != ERR_OK || l->vfs->open(l->vfs, &f,
	    path, VFS_WRITE | VFS_CREATE | VFS_TRUNC, NULL) != ERR_OK)
		return;
	l->vfs->write(f, text, (size_t)n, 0);
	l->vfs->close(f);
}

static bool
is_broken(struct ledger *l)
{
	bool b;

	pthread_mutex_lock(&l->mu);
	b = l->broken;
	pthread_mutex_unlock(&l->mu);
	return b;
}

/* Errors after which a later round may succeed. */
static bool
passing(enum err err)
{
	return err == ERR_NOSPACE || err == ERR_NOMEM;
}

/* --- one round of the archive -------------------------------------------- */

/* Entries that the index does not have yet, from the bundles. */
static enum err
catch_up(struct ledger *l, uint64_t to, uint64_t most)
{
	enum err err = ERR_OK;

	while (err == ERR_OK && index_next(&l->idx) < to && most > 0) {
		uint64_t at = index_next(&l->idx), n = at / TILE_WIDTH * TILE_WIDTH;
		struct slice entry;
		struct rd r;
		uint8_t *p;
		size_t len;

		err = tile_read_at(l->vfs, l->dir, l->arc.state.size, TILE_ENTRIES,
		    at / TILE_WIDTH, &p, &len);
		if (err != ERR_OK)
			break;
		r = rd_init(p, len);
		for (; err == ERR_OK && n < to && bundle_next(&r, &entry); n++)
			if (n >= at && most > 0) {
				err = index_add(&l->idx, entry);
				most--;
			}
		free(p);
		if (err == ERR_OK && n <= at)	/* a bundle shorter than it must be */
			err = ERR_BROKEN;
	}
	return err;
}

static enum err
add_frame(struct ledger *l, const struct frame *f)
{
	struct slice p = frame_payload(f), entry;
	struct rd r = rd_init(p.p, p.len);
	enum err err = ERR_OK;

	while (err == ERR_OK && bundle_next(&r, &entry))
		err = archive_add(&l->arc, entry);
	return err;
}

/* Feeds the index from memory while it is in step; else catch_up() does it. */
static enum err
index_frame(struct ledger *l, const struct frame *f)
{
	struct slice p = frame_payload(f), entry;
	struct rd r = rd_init(p.p, p.len);
	uint64_t n = f->first;
	enum err err = ERR_OK;

	for (; err == ERR_OK && bundle_next(&r, &entry); n++)
		if (index_next(&l->idx) == n)
			err = index_add(&l->idx, entry);
	return err;
}

/* last: the newest frame of this round, or NULL when there is none. */
static enum err
archive_frames(struct ledger *l, struct frame *first, struct frame *last)
{
	struct wal_pos pos = last != NULL ? frame_after(last) : l->arc.state.wal;
	enum err err = ERR_OK;

	if (l->arc_dirty) {
		uint64_t to = last != NULL ? last->first + last->count :
		    l->arc.state.size;

		if ((err = archive_load(&l->arc)) != ERR_OK ||
		    (err = archive_clean(&l->arc, to)) != ERR_OK)
			return err;
	}
	l->arc_dirty = true;
	for (struct frame *f = first; err == ERR_OK && f != NULL; f = f->next) {
		if (f->first >= l->arc.state.size)
			err = add_frame(l, f);
		if (f == last)
			break;
	}
	if (err == ERR_OK)
		err = archive_finish(&l->arc, &pos);
	if (err == ERR_OK)
		l->arc_dirty = false;
	return err;
}

static enum err
index_frames(struct ledger *l, struct frame *first, struct frame *last)
{
	enum err err = ERR_OK;

	for (struct frame *f = first; err == ERR_OK && f != NULL; f = f->next) {
		err = index_frame(l, f);
		if (f == last)
			break;
	}
	if (err == ERR_OK)
		err = catch_up(l, l->arc.state.size, CATCH_UP);
	/* A segment that cannot be made leaves a longer tail to read, no more. */
	if (passing(err) || err == ERR_FORMAT)
		err = ERR_OK;
	return err;
}

/* Frees the ring of what is in the archive. */
static void
recycle(struct ledger *l)
{
	struct frame *f;

	pthread_mutex_lock(&l->mu);
	while ((f = l->live.first) != NULL &&
	    f->first + f->count <= l->arc.state.size) {
		queue_pop(&l->live);
		wal_recycle(&l->wal, l->live.first);
		frame_free(f);
	}
	l->archived = l->arc.state.size;
	pthread_cond_broadcast(&l->done);
	pthread_mutex_unlock(&l->mu);
}

static enum err
round_run(struct ledger *l)
{
	struct frame *first, *last;
	uint64_t asked;
	enum err err;

	pthread_mutex_lock(&l->mu);
	first = l->live.first;
	last = l->live.last;
	l->oldest_us = 0;
	asked = l->asked;
	pthread_mutex_unlock(&l->mu);

	err = archive_frames(l, first, last);
	if (err == ERR_OK)
		err = index_frames(l, first, last);
	recycle(l);
	if (err != ERR_OK && !passing(err))
		broken_mark(l, "archive", err);

	pthread_mutex_lock(&l->mu);
	l->answered = asked;
	l->round_err = err;
	l->stalled = err != ERR_OK;
	if (err != ERR_OK && l->live.first != NULL && l->oldest_us == 0)
		l->oldest_us = clock_mono_us();
	pthread_cond_broadcast(&l->done);
	pthread_mutex_unlock(&l->mu);
	return err;
}

/* --- the archive thread -------------------------------------------------- */

static bool
ring_is_filling(const struct ledger *l)
{
	return wal_used(&l->wal) > l->wal.end / 4;
}

/* Waits until a round is due; false: stop. Holds mu. */
static bool
wait_for_work(struct ledger *l)
{
	while (!l->stop && !l->broken) {
		uint64_t due = UINT64_MAX, now = clock_mono_us();
		struct timespec ts;

		if (l->oldest_us != 0)
			due = l->oldest_us + (l->stalled ? RETRY_AFTER_US :
			    ROUND_AFTER_US);
		if (l->asked != l->answered || now >= due ||
		    (ring_is_filling(l) && !l->stalled))
			return true;
		if (due == UINT64_MAX) {
			pthread_cond_wait(&l->work, &l->mu);
			continue;
		}
		ts.tv_sec = (time_t)(due / 1000000);
		ts.tv_nsec = (long)(due % 1000000) * 1000;
		pthread_cond_timedwait(&l->work, &l->mu, &ts);
	}
	return false;
}

static void *
archive_main(void *arg)
{
	struct ledger *l = arg;

	pthread_mutex_lock(&l->mu);
	while (wait_for_work(l)) {
		pthread_mutex_unlock(&l->mu);
		round_run(l);
		pthread_mutex_lock(&l->mu);
	}
	pthread_cond_broadcast(&l->done);
	pthread_mutex_unlock(&l->mu);
	return NULL;
}

/* Asks for a round and waits for its end. */
static enum err
round_now(struct ledger *l)
{
	uint64_t mine;
	enum err err;

	if (!l->running)
		return round_run(l);
	pthread_mutex_lock(&l->mu);
	mine = ++l->asked;
	pthread_cond_signal(&l->work);
	while (l->answered < mine && !l->broken)
		pthread_cond_wait(&l->done, &l->mu);
	err = l->broken ? ERR_BROKEN : l->round_err;
	pthread_mutex_unlock(&l->mu);
	return err;
}

/* --- appending ----------------------------------------------------------- */

static void
space_refresh(struct ledger *l)
{
	uint64_t now = clock_mono_us(), bytes, used;

	if (l->space_at_us != 0 && now - l->space_at_us < SPACE_EVERY_US)
		return;
	l->space_at_us = now;
	if (l->vfs->free_bytes(l->vfs, l->dir, &bytes) != ERR_OK)
		bytes = 0;
	pthread_mutex_lock(&l->mu);
	used = wal_used(&l->wal) + l->batch_bytes + SPACE_RESERVE;
	pthread_mutex_unlock(&l->mu);
	l->space = bytes > used ? bytes - used : 0;
}

uint64_t
ledger_free_bytes(const struct ledger *l)
{
	struct ledger *m = (struct ledger *)l;	/* a cache inside */

	space_refresh(m);
	return l->space;
}

/* Makes a frame of what is staged. */
static enum err
stage_seal(struct ledger *l)
{
	size_t bytes = (WAL_HEAD + l->stage_len + WAL_BLOCK - 1) / WAL_BLOCK *
	    WAL_BLOCK;
	struct frame *f;

	if (l->stage_count == 0)
		return ERR_OK;
	if ((f = calloc(1, sizeof *f)) == NULL)
		return ERR_NOMEM;
	if ((f->block = aligned_alloc(WAL_BLOCK, bytes)) == NULL) {
		free(f);
		return ERR_NOMEM;
	}
	memset(f->block, 0, WAL_HEAD);
	memcpy(f->block + WAL_HEAD, l->stage, l->stage_len);
	memset(f->block + WAL_HEAD + l->stage_len, 0,
	    bytes - WAL_HEAD - l->stage_len);
	f->bytes = bytes;
	f->len = (uint32_t)l->stage_len;
	f->count = l->stage_count;
	f->first = l->next - l->stage_count;
	f->epoch = l->epoch;
	queue_push(&l->batch, f);
	l->batch_bytes += bytes;
	l->stage_len = 0;
	l->stage_count = 0;
	return ERR_OK;
}

/* A batch must fit the ring; and the ring must not be full and stuck. */
static bool
ring_takes(struct ledger *l, size_t more)
{
	uint64_t ring = l->wal.end - WAL_BLOCK, need;
	bool ok;

	need = l->batch_bytes + l->stage_len + more + 2 * l->wal.frame_max;
	pthread_mutex_lock(&l->mu);
	ok = need <= ring && (!l->stalled || wal_used(&l->wal) + need <= ring);
	pthread_mutex_unlock(&l->mu);
	return ok;
}

struct compare {
	const uint64_t *tokens;
	size_t n;
};

static enum err
compare_one(void *arg, unsigned domain, uint64_t token)
{
	struct compare *c = arg;

	(void)domain;
	if (c->n == 0 || *c->tokens != token)
		return ERR_FORMAT;
	c->tokens++;
	c->n--;
	return ERR_OK;
}

enum err
ledger_append(struct ledger *l, const void *entry, size_t len,
    const uint64_t *tokens, size_t ntokens, uint64_t *index)
{
	struct compare c = {tokens, ntokens};
	struct entry_front f;
	enum err err;

	if (is_broken(l))
		return ERR_BROKEN;
	if (len > LEDGER_ENTRY_MAX)
		return ERR_TOOBIG;
	if (entry_front(&f, (struct slice){entry, len}) != ERR_OK ||
	    f.time_us < l->time_us ||
	    entry_subjects(f.subjects, compare_one, &c) != ERR_OK || c.n != 0)
		return ERR_FORMAT;
	space_refresh(l);
	if (l->space == 0 || !ring_takes(l, len + 2))
		return ERR_NOSPACE;
	if (l->stage_len + 2 + len > l->stage_max &&
	    (err = stage_seal(l)) != ERR_OK)
		return err;
	l->stage[l->stage_len] = (uint8_t)(len >> 8);
	l->stage[l->stage_len + 1] = (uint8_t)len;
	memcpy(l->stage + l->stage_len + 2, entry, len);
	l->stage_len += 2 + len;
	l->stage_count++;
	l->time_us = f.time_us;
	*index = l->next++;
	return ERR_OK;
}

/* Where the frame goes, when there is room or the archive makes some. */
static enum err
ring_place(struct ledger *l, const struct frame *f, uint64_t *at)
{
	enum err err = ERR_OK;

	pthread_mutex_lock(&l->mu);
	while (!l->broken && !wal_room(&l->wal, f->bytes, at)) {
		if (!l->running) {
			pthread_mutex_unlock(&l->mu);
			if ((err = round_run(l)) != ERR_OK)
				return is_broken(l) ? ERR_BROKEN : err;
			pthread_mutex_lock(&l->mu);
		} else if (l->stalled) {
			err = ERR_NOSPACE;
			break;
		} else {
			pthread_cond_signal(&l->work);
			pthread_cond_wait(&l->done, &l->mu);
		}
	}
	if (l->broken)
		err = ERR_BROKEN;
	pthread_mutex_unlock(&l->mu);
	return err;
}

enum err
ledger_commit(struct ledger *l)
{
	uint64_t at, now = 0;
	bool due = false;
	enum err err;

	if (is_broken(l))
		return ERR_BROKEN;
	if ((err = stage_seal(l)) != ERR_OK)
		return err;
	while (l->batch.first != NULL) {
		struct frame *f = l->batch.first;

		if ((err = ring_place(l, f, &at)) != ERR_OK)
			return err;
		if ((err = wal_write(&l->wal, f, at)) != ERR_OK) {
			broken_mark(l, "ring", err);
			return ERR_BROKEN;
		}
		queue_pop(&l->batch);
		l->batch_bytes -= f->bytes;
		now = clock_mono_us();
		pthread_mutex_lock(&l->mu);
		wal_wrote(&l->wal, f);
		queue_push(&l->live, f);
		l->committed = f->first + f->count;
		due = l->oldest_us == 0 || ring_is_filling(l);
		if (l->oldest_us == 0)
			l->oldest_us = now;
		if (due)
			pthread_cond_signal(&l->work);
		due = ring_is_filling(l) || now - l->oldest_us >= ROUND_AFTER_US;
		pthread_mutex_unlock(&l->mu);
	}
	if (!l->running && due && round_run(l) != ERR_OK && is_broken(l))
		return ERR_BROKEN;
	return ERR_OK;
}

enum err
ledger_checkpoint(struct ledger *l)
{
	enum err err;

	if (is_broken(l))
		return ERR_BROKEN;
	err = round_now(l);
	return is_broken(l) ? ERR_BROKEN : err;
}

uint64_t
ledger_size(const struct ledger *l)
{
	struct ledger *m = (struct ledger *)l;
	uint64_t n;

	pthread_mutex_lock(&m->mu);
	n = m->committed;
	pthread_mutex_unlock(&m->mu);
	return n;
}

int64_t
ledger_time_us(struct ledger *l)
{
	int64_t now = clock_wall_us();

	return now > l->time_us ? now : l->time_us;
}

/* --- opening ------------------------------------------------------------- */

struct opening {
	struct ledger *l;
	const struct ledger_options *o;
	char *why;
	size_t why_cap;
	char key[PATH_BYTES], key_new[PATH_BYTES];
	struct note_key pub;
};

static enum err say(struct opening *c, enum err err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum err
say(struct opening *c, enum err err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (c->why_cap > 0)
		vsnprintf(c->why, c->why_cap, fmt, ap);
	va_end(ap);
	return err;
}

/* An error from a file that must be there and readable. */
static enum err
say_file(struct opening *c, enum err err, const char *name)
{
	return say(c, err, "%s: %s", name, _(err_text(err)));
}

static enum err
in_dir(struct opening *c, char out[PATH_BYTES], const char *name)
{
	return path_join(out, c->l->dir, name);
}

static enum err
lock_dir(struct opening *c)
{
	struct ledger *l = c->l;
	char path[PATH_BYTES];
	enum err err;

	err = vfs_mkdir_sync(l->vfs, l->dir, SITE_LEDGER_DIR);
	if (err != ERR_OK)
		return say_file(c, err, l->dir);
	if ((err = in_dir(c, path, "lock")) != ERR_OK ||
	    (err = l->vfs->open(l->vfs, &l->lock, path, VFS_WRITE | VFS_CREATE |
	    VFS_PRIVATE, NULL)) != ERR_OK)
		return say_file(c, err, path);
	if ((err = l->vfs->lock(l->lock)) == ERR_BUSY)
		return say(c, err, _("another process writes to %s"), l->dir);
	/*
	 * The writer before may have been killed between a renaming and its sync:
	 * what we see here must be what a power cut leaves.
	 */
	if (err == ERR_OK)
		err = l->vfs->sync_dir(l->vfs, l->dir, SITE_STATE_DIR);
	return err == ERR_OK ? err : say_file(c, err, path);
}

/* Reads a 32-byte seed and makes the key pair. */
static enum err
key_load(struct opening *c, const char *path)
{
	struct ledger *l = c->l;
	uint8_t pub[32], *seed;
	size_t len;
	enum err err;

	if ((err = vfs_read_all(l->vfs, path, 64, &seed, &len)) != ERR_OK)
		return say_file(c, err, path);
	if (len != crypto_sign_SEEDBYTES) {
		err = say(c, ERR_FORMAT, _("%s is not a key of 32 bytes"), path);
	} else {
		crypto_sign_seed_keypair(pub, l->secret, seed);
		note_key_make(&l->arc.key, l->arc.state.origin, NOTE_ED25519, pub);
	}
	sodium_memzero(seed, len);
	free(seed);
	return err;
}

static enum err
key_create(struct opening *c)
{
	const struct vfs *v = c->l->vfs;
	char dir[PATH_BYTES + 2];
	uint8_t seed[crypto_sign_SEEDBYTES];
	enum err err;

	vfs_dirname(dir, c->key);
	if ((err = vfs_mkdir_sync(v, dir, SITE_KEY_DIR)) != ERR_OK)
		return say_file(c, err, dir);
	randombytes_buf(seed, sizeof seed);
	err = vfs_replace(v, c->key_new, seed, sizeof seed, VFS_PRIVATE,
	    SITE_KEY_FILE, SITE_KEY_DIR);
	sodium_memzero(seed, sizeof seed);
	return err == ERR_OK ? err : say_file(c, err, c->key_new);
}

static enum err
vkey_write(struct opening *c)
{
	struct ledger *l = c->l;
	char path[PATH_BYTES];
	struct buf b;
	enum err err;

	buf_init(&b, 1024);
	note_key_put(&b, &l->arc.key);
	buf_str(&b, "\n");
	err = b.bad ? ERR_NOMEM : in_dir(c, path, "vkey");
	if (err == ERR_OK)
		err = vfs_replace(l->vfs, path, buf_head(&b), buf_used(&b), 0,
		    SITE_VKEY_FILE, SITE_STATE_DIR);
	buf_fini(&b);
	return err == ERR_OK ? err : say_file(c, err, "vkey");
}

/*
 * A new log. The key gets its name last: as long as it has not, nothing was
 * signed that anybody relies on, and a start that was cut short begins again.
 */
static enum err
create(struct opening *c)
{
	struct ledger *l = c->l;
	struct state *s = &l->arc.state;
	uint64_t bytes = c->o->wal_bytes > 0 ? c->o->wal_bytes : WAL_DEFAULT;
	char path[PATH_BYTES];
	struct buf b;
	enum err err;

	if (!note_name_ok(slice_cstr(c->o->origin)))
		return say(c, ERR_CONFIG, _("\"%s\" cannot be the name of a log: no "
		    "spaces, no \"+\", at most %d bytes"), c->o->origin, NOTE_NAME_MAX);
	if (vfs_exists(l->vfs, c->key))
		return say(c, ERR_BROKEN, _("%s has signed a log, but %s holds none: "
		    "restore the log, or move the key away to begin a new one"), c->key,
		    l->dir);
	if ((err = in_dir(c, path, "checkpoint")) != ERR_OK)
		return err;
	if (vfs_exists(l->vfs, path))
		return say(c, ERR_BROKEN, _("%s: there is a checkpoint, but no state: "
		    "restore the whole directory"), l->dir);
	strcpy(s->origin, c->o->origin);
	merkle_empty(&s->root);
	s->wal = (struct wal_pos){WAL_BLOCK, 1, {{0}}};
	if (bytes < WAL_MIN)
		bytes = WAL_MIN;
	if (bytes > WAL_MAX)
		bytes = WAL_MAX;
	if ((err = key_create(c)) != ERR_OK ||
	    (err = in_dir(c, path, "wal")) != ERR_OK)
		return err;
	/* The ring's name too: a state without a ring is a broken log. */
	if ((err = wal_create(l->vfs, path, bytes)) != ERR_OK ||
	    (err = l->vfs->sync_dir(l->vfs, l->dir, SITE_WAL_CREATE)) != ERR_OK)
		return say_file(c, err, path);
	buf_init(&b, STATE_MAX);
	state_put(&b, s);
	err = b.bad ? ERR_NOMEM : in_dir(c, path, "state");
	if (err == ERR_OK)
		err = vfs_replace(l->vfs, path, buf_head(&b), buf_used(&b), 0,
		    SITE_STATE_FILE, SITE_STATE_DIR);
	buf_fini(&b);
	return err == ERR_OK ? err : say_file(c, err, "state");
}

/* Goes on where create() was cut short behind its state, or was not. */
static enum err
create_end(struct opening *c)
{
	struct ledger *l = c->l;
	char dir[PATH_BYTES + 2];
	enum err err;

	vfs_dirname(dir, c->key);
	if (vfs_exists(l->vfs, c->key)) {
		/* its name may have come just before a kill, and not be durable */
		err = l->vfs->sync_dir(l->vfs, dir, SITE_KEY_DIR);
		return err == ERR_OK ? key_load(c, c->key) : say_file(c, err, dir);
	}
	if (l->arc.state.size > 0 || !vfs_exists(l->vfs, c->key_new))
		return say(c, ERR_BROKEN, _("%s: the log's signing key is missing"),
		    c->key);
	if ((err = key_load(c, c->key_new)) != ERR_OK ||
	    (err = vkey_write(c)) != ERR_OK)
		return err;
	if ((err = archive_publish(&l->arc)) != ERR_OK)
		return say_file(c, err, "checkpoint");
	if ((err = l->vfs->rename(l->vfs, c->key_new, c->key)) != ERR_OK ||
	    (err = l->vfs->sync_dir(l->vfs, dir, SITE_KEY_DIR)) != ERR_OK)
		return say_file(c, err, c->key);
	return ERR_OK;
}

static enum err
check_vkey(struct opening *c)
{
	struct ledger *l = c->l;
	char path[PATH_BYTES];
	struct note_key k;
	uint8_t *p;
	size_t len;
	enum err err;

	if ((err = in_dir(c, path, "vkey")) != ERR_OK ||
	    (err = vfs_read_all(l->vfs, path, 1024, &p, &len)) != ERR_OK)
		return say_file(c, err == ERR_NOTFOUND ? ERR_BROKEN : err, path);
	err = note_key_parse(&k, (struct slice){p, len > 0 ? len - 1 : 0});
	free(p);
	if (err != ERR_OK || memcmp(k.pub, l->arc.key.pub, 32) != 0 ||
	    strcmp(k.name, l->arc.key.name) != 0)
		return say(c, ERR_BROKEN, _("%s is not the public key of %s"), path,
		    c->key);
	return ERR_OK;
}

/* What was signed must be what the tiles hold. */
static enum err
check_checkpoint(struct opening *c)
{
	struct ledger *l = c->l;
	struct tile_source src = {l->vfs, l->dir, l->arc.state.size, {0}, {{{0}}}};
	const struct merkle_source s = {tile_source_get, &src};
	struct merkle_hash root;
	struct checkpoint cp;
	char path[PATH_BYTES];
	struct slice text;
	uint8_t *p;
	size_t len;
	enum err err;

	if ((err = in_dir(c, path, "checkpoint")) != ERR_OK ||
	    (err = vfs_read_all(l->vfs, path, NOTE_MAX_BYTES, &p, &len)) != ERR_OK)
		return say_file(c, err == ERR_NOTFOUND ? ERR_BROKEN : err, path);
	err = note_verify((struct slice){p, len}, &l->arc.key, 1, &text, NULL);
	if (err == ERR_OK)
		err = checkpoint_parse(&cp, text);
	free(p);
	if (err != ERR_OK || strcmp(cp.origin, l->arc.state.origin) != 0)
		return say(c, ERR_BROKEN, _("%s is not a checkpoint of this log under "
		    "its key"), path);
	if (cp.size > l->arc.state.size)
		return say(c, ERR_BROKEN, _("a checkpoint over %" PRIu64 " entries was "
		    "signed, but the log has only %" PRIu64), cp.size,
		    l->arc.state.size);
	if ((err = merkle_root_at(&s, cp.size, &root)) != ERR_OK &&
	    err != ERR_NOTFOUND && err != ERR_FORMAT)
		return say_file(c, err, "tile");
	if (err != ERR_OK || !merkle_eq(&root, &cp.root))
		return say(c, ERR_BROKEN, _("the entries are not those of the signed "
		    "checkpoint over %" PRIu64 " entries"), cp.size);
	l->arc.published = cp.size;
	return ERR_OK;
}

static enum err
load_archive(struct opening *c)
{
	struct ledger *l = c->l;
	enum err err = archive_load(&l->arc);

	if (err == ERR_BROKEN || err == ERR_NOTFOUND || err == ERR_FORMAT)
		return say(c, ERR_BROKEN, _("the tiles up to entry %" PRIu64 " are "
		    "damaged or missing; kuraban verify says where"),
		    l->arc.state.size);
	return err == ERR_OK ? err : say_file(c, err, "tile");
}

static enum err
take_frame(void *arg, struct frame *f)
{
	struct ledger *l = arg;
	uint64_t next = l->live.last != NULL ? l->live.last->first +
	    l->live.last->count : l->arc.state.size;

	if (f->first != next) {
		frame_free(f);
		return ERR_BROKEN;
	}
	queue_push(&l->live, f);
	return ERR_OK;
}

static enum err
recover_ring(struct opening *c)
{
	struct ledger *l = c->l;
	char path[PATH_BYTES];
	enum err err;

	if ((err = in_dir(c, path, "wal")) != ERR_OK)
		return err;
	err = wal_open(&l->wal, l->vfs, path, true);
	if (err == ERR_NOTFOUND || err == ERR_FORMAT)
		return say(c, ERR_BROKEN, _("%s is missing or damaged; entries that "
		    "were promised may be in it"), path);
	if (err != ERR_OK)
		return say_file(c, err, path);
	err = wal_walk(&l->wal, &l->arc.state.wal, l->arc.state.epoch, take_frame, l);
	if (err == ERR_OK)
		err = wal_nothing_later(&l->wal);
	if (err == ERR_BROKEN || err == ERR_FORMAT)
		return say(c, ERR_BROKEN, _("%s: a frame at offset %" PRIu64 " is "
		    "damaged, and later ones are not: this was no power cut"), path,
		    l->wal.head.offset);
	if (err != ERR_OK)
		return say_file(c, err, path);
	l->committed = l->live.last != NULL ?
	    l->live.last->first + l->live.last->count : l->arc.state.size;
	l->next = l->committed;
	l->archived = l->arc.state.size;
	return ERR_OK;
}

static void
note_marker(struct opening *c)
{
	struct ledger *l = c->l;
	char path[PATH_BYTES];
	uint8_t *p;
	size_t len;

	if (in_dir(c, path, "broken") != ERR_OK || !vfs_exists(l->vfs, path))
		return;
	strcpy(l->stopped, "?");	/* it has no text when the disk took none */
	if (vfs_read_all(l->vfs, path, sizeof l->stopped - 1, &p, &len) != ERR_OK)
		return;
	while (len > 0 && p[len - 1] == '\n')
		len--;
	if (len > 0) {
		memcpy(l->stopped, p, len);
		l->stopped[len] = 0;
	}
	free(p);
}

static enum err
remove_tmp(void *arg, const char *name, enum vfs_kind kind)
{
	struct ledger *l = arg;
	const char *dot = strrchr(name, '.');
	char path[PATH_BYTES];

	if (kind != VFS_FILE || dot == NULL || strcmp(dot, ".tmp") != 0)
		return ERR_OK;
	if (path_join(path, l->dir, name) == ERR_OK)
		l->vfs->unlink(l->vfs, path);
	return ERR_OK;
}

/* Everything recovered goes to the archive now: durable whatever the ring does. */
static enum err
first_round(struct opening *c)
{
	struct ledger *l = c->l;
	enum err err;

	l->epoch = ++l->arc.state.epoch;
	l->arc_dirty = true;	/* a round before may have been cut short */
	l->arc.oldest = l->arc.state.previous;
	if ((err = l->vfs->list(l->vfs, l->dir, remove_tmp, l)) != ERR_OK)
		return say_file(c, err, l->dir);
	err = index_open(&l->idx, l->vfs, l->dir, l->committed);
	if (err != ERR_OK)
		return say_file(c, err, "index");
	if ((err = round_run(l)) != ERR_OK)
		return say(c, err, _("the recovered entries could not be archived: %s"),
		    err_text(err));
	return ERR_OK;
}

static enum err
replay(struct opening *c)
{
	const struct ledger_options *o = c->o;
	struct ledger *l = c->l;
	uint64_t at = o->replay_from, n;
	enum err err = ERR_OK;
	struct entry_front f;
	struct slice entry;
	uint8_t *p;
	size_t len;

	/* The newest entry is read in any case, for its time. */
	if (o->replay == NULL || at >= l->committed)
		at = l->committed > 0 ? l->committed - 1 : 0;
	while (err == ERR_OK && at < l->committed) {
		struct rd r;

		err = tile_read_at(l->vfs, l->dir, l->arc.state.size, TILE_ENTRIES,
		    at / TILE_WIDTH, &p, &len);
		if (err != ERR_OK)
			return say_file(c, err, "tile/entries");
		r = rd_init(p, len);
		for (n = at / TILE_WIDTH * TILE_WIDTH; err == ERR_OK &&
		    bundle_next(&r, &entry); n++) {
			if (n < at)
				continue;
			if (o->replay != NULL && n >= o->replay_from)
				err = o->replay(o->arg, n, entry);
			if (n == l->committed - 1 && entry_front(&f, entry) == ERR_OK)
				l->time_us = f.time_us;
		}
		free(p);
		if (err == ERR_OK && n <= at)
			return say_file(c, ERR_BROKEN, "tile/entries");
		at = n;
	}
	if (err != ERR_OK)
		return say(c, err, _("reading the entries again failed: %s"),
		    err_text(err));
	return ERR_OK;
}

static enum err
start_thread(struct opening *c)
{
	struct ledger *l = c->l;

	l->stage_max = l->wal.frame_max - WAL_HEAD;
	if ((l->stage = malloc(l->stage_max)) == NULL)
		return say_file(c, ERR_NOMEM, "ledger");
	if (!l->threaded)
		return ERR_OK;
	if (pthread_create(&l->thread, NULL, archive_main, l) != 0)
		return say(c, ERR_NOMEM, _("the archive thread could not be started"));
	l->running = true;
	return ERR_OK;
}

static enum err
open_steps(struct opening *c)
{
	struct ledger *l = c->l;
	enum err err;

	if ((err = lock_dir(c)) != ERR_OK)
		return err;
	err = state_read(&l->arc.state, l->vfs, l->dir);
	if (err == ERR_NOTFOUND)
		err = create(c);
	else if (err == ERR_FORMAT || err == ERR_TOOBIG)
		return say(c, ERR_BROKEN, _("%s/state is damaged"), l->dir);
	else if (err != ERR_OK)
		return say_file(c, err, "state");
	if (err != ERR_OK)
		return err;
	note_marker(c);
	if ((err = create_end(c)) != ERR_OK ||
	    (err = check_vkey(c)) != ERR_OK ||
	    (err = load_archive(c)) != ERR_OK ||
	    (err = check_checkpoint(c)) != ERR_OK ||
	    (err = recover_ring(c)) != ERR_OK ||
	    (err = first_round(c)) != ERR_OK ||
	    (err = replay(c)) != ERR_OK)
		return err;
	return start_thread(c);
}

static void
release(struct ledger *l)
{
	queue_drop(&l->batch);
	queue_drop(&l->live);
	wal_close(&l->wal);
	archive_fini(&l->arc);
	index_fini(&l->idx);
	if (l->secret != NULL)
		sodium_free(l->secret);
	if (l->lock != NULL)
		l->vfs->close(l->lock);
	free(l->stage);
	pthread_cond_destroy(&l->work);
	pthread_cond_destroy(&l->done);
	pthread_mutex_destroy(&l->mu);
	free(l);
}

static void
init_locks(struct ledger *l)
{
	pthread_condattr_t mono;

	pthread_mutex_init(&l->mu, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&l->work, &mono);
	pthread_cond_init(&l->done, NULL);
	pthread_condattr_destroy(&mono);
}

enum err
ledger_open(struct ledger **out, const struct ledger_options *o, char *why,
    size_t why_cap)
{
	struct opening c = {.o = o, .why = why, .why_cap = why_cap};
	struct ledger *l;
	enum err err;

	if (why_cap > 0)
		why[0] = 0;
	if (sodium_init() < 0 || strlen(o->dir) + 64 > PATH_BYTES ||
	    strlen(o->key_file) + 8 > PATH_BYTES)
		return ERR_CONFIG;
	if ((l = calloc(1, sizeof *l)) == NULL)
		return ERR_NOMEM;
	l->vfs = o->vfs != NULL ? o->vfs : vfs_os();
	l->threaded = !o->no_thread;
	strcpy(l->dir, o->dir);
	init_locks(l);
	archive_init(&l->arc, l->vfs, l->dir);
	strcpy(c.key, o->key_file);
	sprintf(c.key_new, "%s.new", o->key_file);
	c.l = l;
	if ((l->secret = sodium_malloc(crypto_sign_SECRETKEYBYTES)) == NULL) {
		release(l);
		return ERR_NOMEM;
	}
	l->arc.secret = l->secret;
	if ((err = open_steps(&c)) != ERR_OK) {
		release(l);
		return err;
	}
	*out = l;
	return ERR_OK;
}

const char *
ledger_stopped(const struct ledger *l)
{
	return l->stopped[0] != 0 ? l->stopped : NULL;
}

void
ledger_stopped_noted(struct ledger *l)
{
	char path[PATH_BYTES];

	l->stopped[0] = 0;
	if (path_join(path, l->dir, "broken") == ERR_OK)
		l->vfs->unlink(l->vfs, path);
}

void
ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	if (!is_broken(l))
		round_now(l);
	if (l->running) {
		pthread_mutex_lock(&l->mu);
		l->stop = true;
		pthread_cond_signal(&l->work);
		pthread_mutex_unlock(&l->mu);
		pthread_join(l->thread, NULL);
	}
	release(l);
}
