/* SPDX-License-Identifier: Apache-2.0 */
/* From entries to what is derived of them. */
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proc/ledger/parts.h"

/* --- baselines ---------------------------------------------------------- */

static void
baseline_free(void *p)
{
	struct book_baseline *l = p;

	buf_fini(&l->columns);
	free(l);
}

void
baselines_drop(struct book *b)
{
	map_fini(&b->baselines, baseline_free);
}

/* "database" NUL "table"; PostgreSQL's names are 63 bytes, a database's ours. */
static struct slice
baseline_key(char out[1024], const char *database, struct slice table)
{
	size_t n = strlen(database);

	if (n + 1 + table.len > 1024)
		return (struct slice){NULL, 0};
	memcpy(out, database, n + 1);
	if (table.len > 0)
		memcpy(out + n + 1, table.p, table.len);
	return (struct slice){(uint8_t *)out, n + 1 + table.len};
}

struct book_baseline *
book_baseline(struct book *b, const char *database, struct slice table)
{
	char key[1024];
	struct slice k = baseline_key(key, database, table);

	return k.p ? map_get(&b->baselines, k) : NULL;
}

/* The table's baseline, emptied; NULL: names too long. */
struct book_baseline *
baseline_make(struct book *b, const char *database, struct slice table)
{
	struct book_baseline *l = book_baseline(b, database, table);
	char key[1024];
	struct slice k = baseline_key(key, database, table);

	if (k.p == NULL)
		return NULL;
	if (l == NULL) {
		must((l = calloc(1, sizeof(*l))) != NULL);
		map_put(&b->baselines, k, l);
		buf_init(&l->columns, 1u << 20);
	}
	buf_clear(&l->columns);
	l->ncolumns = 0;
	l->conf[0] = 0;
	return l;
}

static void
hash_text(crypto_generichash_state *st, const char *s)
{
	crypto_generichash_update(st, (const uint8_t *)s, strlen(s) + 1);
}

void
book_table_hash(char out[BOOK_TABLE_HASH], const struct conf_database *db,
    struct slice table)
{
	crypto_generichash_state st;
	uint8_t h[(BOOK_TABLE_HASH - 1) / 2];

	out[0] = 0;
	for (size_t i = 0; i < db->ntables; i++) {
		const struct conf_table *t = &db->tables[i];
		char name[512];

		snprintf(name, sizeof(name), "%s.%s", t->schema, t->name);
		if (!slice_is(table, name))
			continue;
		crypto_generichash_init(&st, NULL, 0, sizeof(h));
		hash_text(&st, t->subject ? t->subject : "");
		hash_text(&st, t->subject_of ? t->subject_of : "");
		hash_text(&st, t->open ? "open" : "personal");
		for (size_t k = 0; k < t->npersonal; k++)
			hash_text(&st, t->personal[k]);
		crypto_generichash_final(&st, h, sizeof(h));
		hex_encode(out, h, sizeof(h));
	}
}

/*
 * One entry's worth: a JSON array of names as text, short enough not to be cut
 * by the entry's builder. The first replaces, the others add.
 */
static enum err
baseline_entry(struct book *b, const char *database, struct slice table,
    const char *conf_hash, bool first, json_t *names)
{
	char *text = json_dumps(names, JSON_COMPACT);
	struct entry_pair pairs[] = {
		{slice_cstr("database"), slice_cstr(database)},
		{slice_cstr("table"), table},
		{slice_cstr("conf"), slice_cstr(conf_hash)},
		{slice_cstr("columns"), slice_cstr(text ? text : "")},
	};
	enum err err = ERR_NOMEM;

	if (text != NULL)
		err = book_policy(b, first ? "baseline" : "baseline-more", "kuraban",
		    pairs, 4);
	free(text);
	json_array_clear(names);
	return err;
}

enum err
book_baseline_set(struct book *b, const char *database, struct slice table,
    const char *conf_hash, const struct slice *columns, size_t n)
{
	enum { TEXT_MAX = 500 };	/* quotes escaped twice stay below 1,200 */
	struct book_baseline *l = baseline_make(b, database, table);
	json_t *names = json_array(), *name;
	size_t used = 0;
	bool first = true;
	enum err err = ERR_OK;

	if (l == NULL || names == NULL) {
		json_decref(names);
		return ERR_TOOBIG;
	}
	snprintf(l->conf, sizeof(l->conf), "%s", conf_hash);
	for (size_t i = 0; i < n && err == ERR_OK; i++) {
		name = json_stringn((const char *)columns[i].p, columns[i].len);
		/* Not UTF-8: it stays out of the baseline, so it is charged. */
		if (name == NULL || columns[i].len > 255) {
			json_decref(name);
			continue;
		}
		if (used + columns[i].len > TEXT_MAX) {
			err = baseline_entry(b, database, table, conf_hash, first,
			    names);
			first = false;
			used = 0;
		}
		json_array_append_new(names, name);
		used += columns[i].len + 4;
		buf_lp16(&l->columns, columns[i]);
		l->ncolumns++;
	}
	if (err == ERR_OK)
		err = baseline_entry(b, database, table, conf_hash, first, names);
	json_decref(names);
	return err;
}

static void
replay_baseline(struct book *b, json_t *detail, bool more)
{
	const char *db, *table, *conf, *columns;
	struct book_baseline *l;
	json_t *names, *name;
	size_t i;

	if (json_unpack(detail, "{s:s, s:s, s:s, s:s}", "database", &db, "table",
	    &table, "conf", &conf, "columns", &columns) != 0 ||
	    strlen(conf) >= BOOK_TABLE_HASH)
		return;
	l = more ? book_baseline(b, db, slice_cstr(table)) :
	    baseline_make(b, db, slice_cstr(table));
	if (l == NULL || (names = json_loads(columns, 0, NULL)) == NULL)
		return;
	memcpy(l->conf, conf, strlen(conf) + 1);
	json_array_foreach(names, i, name) {
		if (!json_is_string(name))
			continue;
		buf_lp16(&l->columns, (struct slice){
		    (const uint8_t *)json_string_value(name),
		    json_string_length(name)});
		l->ncolumns++;
	}
	json_decref(names);
}

/* --- alerts ------------------------------------------------------------- */

bool
alert_note(struct book *b, int32_t day, struct slice what, struct slice object,
    struct slice actor, struct slice database)
{
	struct slice parts[] = {what, object, actor, database};
	uint8_t hash[crypto_generichash_BYTES];
	crypto_generichash_state st;
	struct slice key = {hash, sizeof(hash)};

	if (day != b->alerts_day) {
		map_fini(&b->alerts, NULL);
		b->alerts_day = day;
	}
	crypto_generichash_init(&st, NULL, 0, sizeof(hash));
	for (size_t i = 0; i < 4; i++) {
		uint64_t len = parts[i].len;

		/* The lengths keep the parts apart. */
		crypto_generichash_update(&st, (const uint8_t *)&len, sizeof(len));
		if (len > 0)
			crypto_generichash_update(&st, parts[i].p, len);
	}
	crypto_generichash_final(&st, hash, sizeof(hash));
	if (b->alerts.count >= BOOK_ALERTS_MAX || map_get(&b->alerts, key) != NULL)
		return false;
	map_put(&b->alerts, key, b);
	return true;
}

void
uncovered_note(struct book *b, struct slice what, struct slice database,
    struct slice object)
{
	char key[1024];

	if (!slice_is(what, "uncovered") || b->uncovered.count >= BOOK_UNCOVERED_MAX ||
	    database.len + 1 + object.len > sizeof(key))
		return;
	if (database.len > 0)
		memcpy(key, database.p, database.len);
	key[database.len] = 0;
	if (object.len > 0)
		memcpy(key + database.len + 1, object.p, object.len);
	map_put(&b->uncovered, (struct slice){(uint8_t *)key,
	    database.len + 1 + object.len}, b);
}

static struct slice
text_of(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (!json_is_string(v))
		return (struct slice){NULL, 0};
	return (struct slice){(const uint8_t *)json_string_value(v),
	    json_string_length(v)};
}

/* --- entries ------------------------------------------------------------ */

void
replay_hash(uint8_t out[32], struct slice entry)
{
	crypto_generichash(out, 32, entry.p, entry.len, NULL, 0);
}

struct tokens {
	uint64_t v[ENTRY_TOKENS_MAX];
	size_t n;
};

static enum err
token_hit(void *arg, unsigned domain, uint64_t token)
{
	struct tokens *t = arg;

	if (t->n == ENTRY_TOKENS_MAX)
		return ERR_FORMAT;
	t->v[t->n++] = token;
	return ERR_OK;
}

static uint64_t
number_of(struct slice entry, const char *key)
{
	struct slice raw;
	uint64_t v = 0;

	if (entry_get(entry, key, &raw) != ERR_OK)
		return 0;
	for (size_t i = 0; i < raw.len && raw.p[i] >= '0' && raw.p[i] <= '9'; i++)
		v = v * 10 + (uint64_t)(raw.p[i] - '0');
	return v;
}

/* "day:count day:count"; returns how many, at most cap. */
static size_t
moved_of(struct slice entry, struct meter_moved *out, size_t cap)
{
	char text[ENTRY_LONG_MAX + 1], *p = text, *end;
	struct slice raw;
	size_t n = 0;

	if (entry_get(entry, "moved", &raw) != ERR_OK || raw.len < 2 ||
	    raw.len - 2 >= sizeof(text))
		return 0;
	memcpy(text, raw.p + 1, raw.len - 2);
	text[raw.len - 2] = 0;
	while (n < cap && *p) {
		out[n].day = (int32_t)strtol(p, &end, 10);
		if (end == p || *end != ':')
			break;
		p = end + 1;
		out[n].count = (uint32_t)strtoul(p, &end, 10);
		if (end == p)
			break;
		n++;
		p = *end == ' ' ? end + 1 : end;
	}
	return n;
}

static enum err
replay_release(struct book *b, const struct entry_front *f, struct slice entry)
{
	struct meter_moved moved[ENTRY_LONG_MAX / 4];
	struct tokens *t = malloc(sizeof(*t));
	char name[ACTOR_NAME_MAX + 1];
	struct meter_replay r = {.day = clock_day(f->time_us), .moved = moved};
	struct slice actor;
	enum err err = ERR_FORMAT;

	if (t == NULL)
		return ERR_NOMEM;
	t->n = 0;
	/* An actor's name needs no escapes in JSON: see actor_name_ok(). */
	if (entry_get(entry, "actor", &actor) != ERR_OK || actor.len < 3 ||
	    actor.len - 2 > ACTOR_NAME_MAX)
		goto out;
	memcpy(name, actor.p + 1, actor.len - 2);
	name[actor.len - 2] = 0;
	if ((err = entry_tokens(entry, token_hit, t)) != ERR_OK)
		goto out;
	r.actor = meter_actor(b->meter, name);
	r.year = token_year(r.day);
	r.tokens = t->v;
	r.ntokens = t->n;
	r.anon = number_of(entry, "anon");
	r.nmoved = moved_of(entry, moved, sizeof(moved) / sizeof(*moved));
	err = meter_replay(b->meter, &r);
out:
	free(t);
	return err;
}

static void
replay_other(struct book *b, const struct entry_front *f, struct slice entry)
{
	json_t *o, *detail;
	struct slice what, hash;

	if (entry_parse(entry, &o) != ERR_OK)
		return;
	what = text_of(o, "what");
	detail = json_object_get(o, "detail");
	if (f->kind == ENTRY_KIND_alert) {
		uncovered_note(b, what, text_of(o, "database"),
		    text_of(o, "object"));
		(void)alert_note(b, clock_day(f->time_us), what, text_of(o, "object"),
		    text_of(o, "actor"), text_of(o, "database"));
	} else if (slice_is(what, "baseline") || slice_is(what, "baseline-more")) {
		replay_baseline(b, detail, slice_is(what, "baseline-more"));
	} else if (slice_is(what, "config")) {
		hash = text_of(detail, "hash");
		if (hash.len < sizeof(b->conf_hash) && hash.len > 0) {
			memcpy(b->conf_hash, hash.p, hash.len);
			b->conf_hash[hash.len] = 0;
		}
	}
	json_decref(o);
}

enum err
replay_entry(struct book *b, uint64_t index, struct slice entry)
{
	uint8_t hash[32];
	struct entry_front f;

	b->replayed++;
	if (index + 1 == b->snap_covers) {
		replay_hash(hash, entry);
		return memcmp(hash, b->last_hash, 32) == 0 ? ERR_OK : ERR_FORMAT;
	}
	b->last.off = b->last.len = 0;
	buf_put(&b->last, entry.p, entry.len);
	/* What is no entry of ours changes nothing; `verify` will say so. */
	if (entry_front(&f, entry) != ERR_OK)
		return ERR_OK;
	if (f.kind == ENTRY_KIND_release)
		return replay_release(b, &f, entry);
	if (f.kind == ENTRY_KIND_policy || f.kind == ENTRY_KIND_alert)
		replay_other(b, &f, entry);
	return ERR_OK;
}
