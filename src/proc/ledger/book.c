/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/ledger/book.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proc/ledger/parts.h"

enum { CLOCK_SLACK_US = 1000000, KEY_NAME_MAX = 32 };

bool
book_path(char out[BOOK_PATH_MAX], const char *dir, const char *name)
{
	return snprintf(out, BOOK_PATH_MAX, "%s/%s", dir, name) < BOOK_PATH_MAX;
}

/* --- entries ------------------------------------------------------------ */

int64_t
book_now(struct book *b)
{
	int64_t wall = clock_wall_us();
	int64_t now = b->ledger ? ledger_time_us(b->ledger) : wall;
	int64_t behind = now - wall;

	if (behind <= 0) {
		b->clock_back = false;
	} else if (behind > CLOCK_SLACK_US && !b->clock_back) {
		struct entry_head h = {.time_us = now};
		char text[64];

		b->clock_back = true;
		snprintf(text, sizeof(text), "the clock is %lld ms behind the ledger",
		    (long long)(behind / 1000));
		(void)book_incident(b, &h, "clock-back", slice_cstr(text));
	}
	return now;
}

enum err
book_append(struct book *b, const uint64_t *tokens, size_t n, uint64_t *index)
{
	struct slice e = {buf_head(&b->entry), buf_used(&b->entry)};
	uint64_t at = 0;
	enum err err;

	if (b->entry.bad || e.len == 0) {
		buf_fini(&b->entry);
		return ERR_NOMEM;
	}
	err = ledger_append(b->ledger, e.p, e.len, tokens, n, &at);
	if (err == ERR_NOSPACE && ledger_commit(b->ledger) == ERR_OK)
		err = ledger_append(b->ledger, e.p, e.len, tokens, n, &at);
	if (err == ERR_OK) {
		struct buf last = b->last;

		b->next = at + 1;
		b->last = b->entry;
		b->entry = last;
		if (index != NULL)
			*index = at;
	} else {
		b->dropped++;
	}
	/* Not buf_clear(): the next one needs the room again. */
	b->entry.off = b->entry.len = 0;
	return err;
}

enum err
book_start(struct book *b, const char *conf_hash, unsigned workers)
{
	/* Not book_now(): what it may have to tell comes after the start. */
	struct entry_head h = {.time_us = ledger_time_us(b->ledger)};
	struct entry_start e = {.version = slice_cstr(KURABAN_VERSION),
	    .config = slice_cstr(conf_hash), .workers = workers};
	enum err err = entry_build_start(&b->entry, &h, &e);

	return err ? err : book_append(b, NULL, 0, NULL);
}

enum err
book_stop(struct book *b, const char *why)
{
	struct entry_head h = {.time_us = book_now(b)};
	struct entry_stop e = {.version = slice_cstr(KURABAN_VERSION),
	    .config = slice_cstr(b->conf_hash), .workers = b->conf->workers,
	    .why = slice_cstr(why)};
	enum err err = entry_build_stop(&b->entry, &h, &e);

	return err ? err : book_append(b, NULL, 0, NULL);
}

enum err
book_incident(struct book *b, const struct entry_head *h, const char *what,
    struct slice detail)
{
	struct entry_incident e = {.what = slice_cstr(what), .detail = detail};
	enum err err = entry_build_incident(&b->entry, h, &e);

	return err ? err : book_append(b, NULL, 0, NULL);
}

enum err
book_policy(struct book *b, const char *what, const char *who,
    const struct entry_pair *pairs, size_t n)
{
	struct entry_head h = {.time_us = book_now(b)};
	struct entry_policy e = {.what = slice_cstr(what), .who = slice_cstr(who),
	    .detail = {pairs, n}};
	enum err err = entry_build_policy(&b->entry, &h, &e);

	return err ? err : book_append(b, NULL, 0, NULL);
}

enum err
book_alert(struct book *b, const struct entry_head *h, const char *what,
    struct slice object, struct slice detail)
{
	struct entry_alert e = {.what = slice_cstr(what), .object = object,
	    .detail = detail};
	enum err err;

	uncovered_note(b, e.what, h->database, object);
	if (!alert_note(b, clock_day(h->time_us), e.what, object, h->actor,
	    h->database))
		return ERR_EXISTS;
	err = entry_build_alert(&b->entry, h, &e);
	return err ? err : book_append(b, NULL, 0, NULL);
}

/* --- keys --------------------------------------------------------------- */

const uint8_t *
book_keys_find(const struct book_keys *k, int year)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->v[i].year == year)
			return k->v[i].key;
	return NULL;
}

static void
keys_add(struct book_keys *k, int year, const uint8_t key[TOKEN_KEY_BYTES])
{
	size_t i = 0;

	while (i < k->n && k->v[i].year > year)
		i++;
	if (k->n == BOOK_YEARS_MAX)
		k->n--;
	if (i >= BOOK_YEARS_MAX)
		return;
	memmove(&k->v[i + 1], &k->v[i], (k->n - i) * sizeof(k->v[0]));
	k->v[i].year = year;
	memcpy(k->v[i].key, key, TOKEN_KEY_BYTES);
	k->n++;
}

struct key_list {
	int years[BOOK_YEARS_MAX];
	size_t n;
};

static enum err
key_listed(void *arg, const char *name, enum vfs_kind kind)
{
	struct key_list *l = arg;
	int year, used = 0;

	if (sscanf(name, "subject-%4d.key%n", &year, &used) == 1 && used > 0 &&
	    name[used] == 0 && l->n < BOOK_YEARS_MAX)
		l->years[l->n++] = year;
	return ERR_OK;
}

static bool
key_path(char out[BOOK_PATH_MAX], const char *dir, int year)
{
	char name[KEY_NAME_MAX];

	snprintf(name, sizeof(name), "keys/subject-%04d.key", year);
	return book_path(out, dir, name);
}

enum err
book_keys_load(struct book_keys *k, const char *dir, const struct vfs *vfs)
{
	struct key_list l = {.n = 0};
	char path[BOOK_PATH_MAX];
	enum err err;

	k->n = 0;
	if (!book_path(path, dir, "keys"))
		return ERR_TOOBIG;
	if ((err = vfs->list(vfs, path, key_listed, &l)) != ERR_OK)
		return err;
	for (size_t i = 0; i < l.n; i++) {
		uint8_t *p;
		size_t len;

		if (!key_path(path, dir, l.years[i]))
			return ERR_TOOBIG;
		err = vfs_read_all(vfs, path, TOKEN_KEY_BYTES, &p, &len);
		if (err != ERR_OK)
			return err;
		if (len != TOKEN_KEY_BYTES) {
			free(p);
			return ERR_FORMAT;
		}
		keys_add(k, l.years[i], p);
		sodium_memzero(p, len);
		free(p);
	}
	return ERR_OK;
}

enum err
book_year_key(struct book *b, int year, const uint8_t **key)
{
	struct entry_head h = {.time_us = book_now(b)};
	struct entry_key e = {.what = slice_cstr("subject-key")};
	uint8_t fresh[TOKEN_KEY_BYTES];
	char path[BOOK_PATH_MAX], id[16];
	enum err err;

	if ((*key = book_keys_find(&b->keys, year)) != NULL)
		return ERR_OK;
	if (!key_path(path, b->dir, year))
		return ERR_TOOBIG;
	randombytes_buf(fresh, sizeof(fresh));
	err = vfs_replace(b->vfs, path, fresh, sizeof(fresh), VFS_PRIVATE,
	    "book.key", "book.key-dir");
	if (err != ERR_OK)
		return err;
	snprintf(id, sizeof(id), "%04d", year);
	e.id = slice_cstr(id);
	if ((err = entry_build_key(&b->entry, &h, &e)) == ERR_OK)
		err = book_append(b, NULL, 0, NULL);
	/* A key that the ledger does not know is not used; the next replaces it. */
	if (err == ERR_OK)
		keys_add(&b->keys, year, fresh);
	sodium_memzero(fresh, sizeof(fresh));
	*key = book_keys_find(&b->keys, year);
	return err;
}

enum err
book_conf_hash(struct book *b, struct slice text, char out[BOOK_CONF_HASH])
{
	uint8_t key[32], sum[32], *p;
	char path[BOOK_PATH_MAX];
	size_t len;
	enum err err;

	must(book_path(path, b->dir, "keys/config.key"));
	err = vfs_read_all(b->vfs, path, sizeof(key), &p, &len);
	if (err == ERR_OK) {
		if (len == sizeof(key))
			memcpy(key, p, len);
		else
			err = ERR_FORMAT;
		free(p);
	} else if (err == ERR_NOTFOUND) {
		randombytes_buf(key, sizeof(key));
		err = vfs_replace(b->vfs, path, key, sizeof(key), VFS_PRIVATE,
		    "book.key", "book.key-dir");
	}
	if (err != ERR_OK)
		return err;
	crypto_generichash(sum, sizeof(sum), text.p, text.len, key, sizeof(key));
	hex_encode(out, sum, sizeof(sum));
	return ERR_OK;
}

/* --- actors ------------------------------------------------------------- */

enum err
book_actors_save(struct book *b)
{
	char path[BOOK_PATH_MAX];
	struct buf text;
	enum err err;

	if (!book_path(path, b->dir, "actors"))
		return ERR_TOOBIG;
	buf_init(&text, ACTORS_FILE_MAX);
	actors_print(b->actors, &text);
	err = text.bad ? ERR_NOMEM : vfs_replace(b->vfs, path, buf_head(&text),
	    buf_used(&text), VFS_PRIVATE, "book.actors", "book.actors-dir");
	if (text.data != NULL)
		sodium_memzero(text.data, text.cap);
	buf_fini(&text);
	if (err == ERR_OK)
		b->actors_changed = false;
	return err;
}

/* make: a state without actors gets an empty file. */
static enum err
actors_load(struct book *b, bool make, char *why, size_t cap)
{
	uint8_t secret[SCRAM_KEY], *p;
	char path[BOOK_PATH_MAX];
	unsigned line = 0;
	size_t len;
	enum err err;

	if (!book_path(path, b->dir, "actors"))
		return ERR_TOOBIG;
	err = vfs_read_all(b->vfs, path, ACTORS_FILE_MAX, &p, &len);
	if (err == ERR_NOTFOUND) {
		randombytes_buf(secret, sizeof(secret));
		b->actors = actors_new(secret);
		if (b->actors == NULL)
			return ERR_NOMEM;
		return make ? book_actors_save(b) : ERR_OK;
	}
	if (err == ERR_OK) {
		err = actors_parse(&b->actors, (struct slice){p, len}, &line);
		sodium_memzero(p, len);
		free(p);
	}
	if (err != ERR_OK)
		snprintf(why, cap, "%s line %u: %s", path, line, err_text(err));
	return err;
}

/* --- open and close ----------------------------------------------------- */

/* Opens the ledger; what the snapshot does not cover is replayed. */
static enum err
ledger_start(struct book *b, uint64_t from, char *why, size_t cap)
{
	char dir[BOOK_PATH_MAX], key[BOOK_PATH_MAX];
	struct ledger_options o = {.dir = dir, .origin = b->conf->origin,
	    .key_file = key, .vfs = b->vfs, .replay_from = from, .arg = b,
	    .replay = (enum err (*)(void *, uint64_t, struct slice))replay_entry};

	if (!book_path(dir, b->dir, "ledger") ||
	    !book_path(key, b->dir, "keys/sign.key"))
		return ERR_TOOBIG;
	b->replayed = 0;
	return ledger_open(&b->ledger, &o, why, cap);
}

static void
derived_reset(struct book *b)
{
	meter_free(b->meter);
	must((b->meter = meter_new()) != NULL);
	baselines_drop(b);
	map_fini(&b->alerts, NULL);
	map_fini(&b->uncovered, NULL);
	b->conf_hash[0] = 0;
	b->snap_covers = b->next = 0;
}

/* With the snapshot when it fits this ledger, else from the first entry. */
static enum err
ledger_replay(struct book *b, char *why, size_t cap)
{
	enum err err = snap_load(b);

	if (err == ERR_OK && b->snap_covers > 0) {
		b->next = b->snap_covers;
		/* The last covered entry comes first: it must be the same. */
		err = ledger_start(b, b->snap_covers - 1, why, cap);
		if (err == ERR_OK && b->replayed > 0)
			return ERR_OK;
		if (err == ERR_BUSY || err == ERR_BROKEN)
			return err;
		ledger_close(b->ledger);
		b->ledger = NULL;
	}
	derived_reset(b);
	return ledger_start(b, 0, why, cap);
}

static enum err
book_init(struct book *b, const struct conf *c, const char *dir,
    const struct vfs *vfs)
{
	*b = (struct book){.conf = c, .vfs = vfs ? vfs : vfs_os()};
	buf_init(&b->entry, 2 * LEDGER_ENTRY_MAX);
	buf_init(&b->last, 2 * LEDGER_ENTRY_MAX);
	map_init(&b->baselines);
	map_init(&b->alerts);
	map_init(&b->uncovered);
	return sodium_init() >= 0 && snprintf(b->dir, sizeof(b->dir), "%s", dir) <
	    (int)sizeof(b->dir) ? ERR_OK : ERR_TOOBIG;
}

enum err
book_open(struct book *b, const struct conf *c, const char *dir,
    const struct vfs *vfs, char *why, size_t cap)
{
	char path[BOOK_PATH_MAX];
	enum err err;

	*why = 0;
	if ((err = book_init(b, c, dir, vfs)) != ERR_OK)
		return err;
	must(book_path(path, b->dir, "keys"));
	if ((err = vfs_mkdir_sync(b->vfs, path, "book.keys-dir")) != ERR_OK)
		goto out;
	/* First: it holds the lock that keeps a second writer away. */
	if ((err = ledger_replay(b, why, cap)) != ERR_OK)
		goto out;
	b->next = ledger_size(b->ledger);
	if ((err = book_keys_load(&b->keys, b->dir, b->vfs)) != ERR_OK) {
		snprintf(why, cap, "%s: %s", path, err_text(err));
		goto out;
	}
	if ((err = actors_load(b, true, why, cap)) != ERR_OK)
		goto out;
	must(book_path(path, b->dir, "sealed"));
	if ((err = sealed_open(&b->sealed, path, b->vfs)) != ERR_OK)
		snprintf(why, cap, "%s: %s", path, err_text(err));
out:
	if (err == ERR_OK)
		return ERR_OK;
	if (*why == 0)
		snprintf(why, cap, "%s: %s", b->dir, err_text(err));
	b->actors_changed = false;
	book_close(b);
	return err;
}

/* Replays what the snapshot does not cover, as far as the files go. */
static enum err
view_replay(struct book *b, struct ledger_reader *r)
{
	uint64_t size = ledger_reader_size(r), i = 0;
	struct slice e;
	enum err err = snap_load(b);

	if (err == ERR_OK && b->snap_covers > 0 && b->snap_covers <= size &&
	    ledger_read(r, b->snap_covers - 1, &e) == ERR_OK &&
	    replay_entry(b, b->snap_covers - 1, e) == ERR_OK)
		i = b->snap_covers;
	else
		derived_reset(b);
	for (err = ERR_OK; i < size && err == ERR_OK; i++)
		if ((err = ledger_read(r, i, &e)) == ERR_OK)
			err = replay_entry(b, i, e);
	return err;
}

enum err
book_view(struct book *b, const struct conf *c, const char *dir,
    const struct vfs *vfs, char *why, size_t cap)
{
	struct ledger_reader *r = NULL;
	char path[BOOK_PATH_MAX];
	enum err err;

	*why = 0;
	if ((err = book_init(b, c, dir, vfs)) != ERR_OK)
		return err;
	must(book_path(path, b->dir, "ledger"));
	if ((err = ledger_reader_open(&r, path, vfs)) == ERR_OK)
		err = view_replay(b, r);
	ledger_reader_close(r);
	if (err == ERR_OK)
		err = actors_load(b, false, why, cap);
	if (err == ERR_OK)
		return ERR_OK;
	if (*why == 0)
		snprintf(why, cap, "%s: %s", path, err_text(err));
	book_close(b);
	return err;
}

enum err
book_close(struct book *b)
{
	enum err err = ERR_OK;

	if (b->ledger != NULL && b->actors != NULL) {
		if (b->actors_changed)
			err = book_actors_save(b);
		if (b->snapshots && b->next > b->snap_covers &&
		    ledger_size(b->ledger) == b->next)
			(void)book_snapshot(b);
	}
	sealed_close(b->sealed);
	ledger_close(b->ledger);
	actors_free(b->actors);
	meter_free(b->meter);
	baselines_drop(b);
	map_fini(&b->alerts, NULL);
	map_fini(&b->uncovered, NULL);
	buf_fini(&b->entry);
	buf_fini(&b->last);
	sodium_memzero(&b->keys, sizeof(b->keys));
	*b = (struct book){0};
	return err;
}
