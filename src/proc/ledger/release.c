/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements and what they release: the decision of law L2 and the entries of
 * law L1. Rows are charged and written in pieces of at most ENTRY_TOKENS_MAX
 * tokens; a piece whose entry cannot be written is taken back.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "proc/ledger/server.h"

enum { REASON_ALL, REASON_BUDGET, REASON_HOLD, REASON_SEAL, REASON_OBSERVED };
enum { CLASS_COUNT = 5, TABLES_MAX = 64 };

static const char *const class_word[CLASS_COUNT] = {"free", "key", "rows",
    "bytes", "refused"};

/* --- statements --------------------------------------------------------- */

void
statement_free(struct statement *t)
{
	if (t != NULL)
		free(t->memory);
	free(t);
}

static void
statement_close(struct session *x)
{
	statement_free(x->open);
	x->open = NULL;
}

/* Such an original holds no literal, and the entry shows all of it. */
static bool
is_shape(struct slice original, struct slice sql)
{
	/* Written as JSON, a byte may become six. */
	return original.len <= ENTRY_LONG_MAX / 6 && original.len == sql.len &&
	    memcmp(original.p, sql.p, sql.len) == 0;
}

static void
seal(struct server *s, struct statement *t, struct slice original,
    struct slice sql)
{
	enum err err;

	if (original.len == 0 || is_shape(original, sql))
		return;
	err = sealed_put(s->book.sealed, original, &t->sealed, t->commitment);
	/* Too much is waiting: write it now. */
	if (err == ERR_NOSPACE && sealed_flush(s->book.sealed) == ERR_OK)
		err = sealed_put(s->book.sealed, original, &t->sealed,
		    t->commitment);
	/* Without the original the entry is still worth writing. */
	if (err != ERR_OK)
		t->sealed = 0;
}

/* Moves the borrowed slice into memory that the statement owns. */
static struct slice
keep(uint8_t **at, struct slice v)
{
	struct slice r = {*at, v.len};

	if (v.len > 0)
		memcpy(*at, v.p, v.len);
	*at += v.len;
	return r;
}

bool
stmt_open(struct server *s, struct session *x, struct ipc_msg *m)
{
	size_t total = m->body.left;
	uint8_t class = rd_u8(&m->body), fallback = rd_u8(&m->body), *at;
	struct slice sql = rd_lp32(&m->body), original = rd_lp32(&m->body);
	struct entry_table tables[TABLES_MAX];
	struct slice domains[ENTRY_DOMAINS_MAX];
	struct statement *t;
	uint16_t nt, nd;

	nt = rd_u16(&m->body);
	if (nt > TABLES_MAX)
		return false;
	for (uint16_t i = 0; i < nt; i++) {
		tables[i].table = rd_lp16(&m->body);
		tables[i].columns = rd_lp16(&m->body);
	}
	nd = rd_u16(&m->body);
	if (nd > ENTRY_DOMAINS_MAX)
		return false;
	for (uint16_t i = 0; i < nd; i++)
		if ((domains[i] = rd_lp16(&m->body)).len > 255)
			return false;
	if (!rd_end(&m->body) || class >= CLASS_COUNT || fallback > 1 ||
	    x->open != NULL)
		return false;
	must((t = calloc(1, sizeof(*t))) != NULL);
	must((t->memory = malloc(total + nt * sizeof(tables[0]) + 1)) != NULL);
	t->class = class;
	t->fallback = fallback;
	t->tables = t->memory;
	t->ntables = nt;
	at = (uint8_t *)(t->tables + nt);
	for (uint16_t i = 0; i < nt; i++) {
		t->tables[i].table = keep(&at, tables[i].table);
		t->tables[i].columns = keep(&at, tables[i].columns);
	}
	t->ndomains = nd;
	for (uint16_t i = 0; i < nd; i++)
		t->domains[i] = keep(&at, domains[i]);
	if (sql.len > STATEMENT_SQL_MAX)
		sql.len = STATEMENT_SQL_MAX;
	t->sql = keep(&at, sql);
	seal(s, t, original, sql);
	x->requests++;
	x->open = t;
	return true;
}

bool
stmt_end(struct server *s, struct session *x, struct ipc_msg *m)
{
	static const char *const outcomes[] = {"complete", "cut", "error"};
	struct entry_statement e = {.count = 1};
	struct statement *t = x->open;
	struct entry_head h;
	uint8_t outcome;
	enum err err;

	e.rows = rd_u64(&m->body);
	e.bytes = rd_u64(&m->body);
	outcome = rd_u8(&m->body);
	if (!rd_end(&m->body) || outcome > 2 || t == NULL)
		return false;
	h = session_head(s, x);
	e.request = x->requests;
	e.class = slice_cstr(class_word[t->class]);
	e.outcome = slice_cstr(outcomes[outcome]);
	/* What released nothing has no entry yet that shows it. */
	if (t->released == 0) {
		e.sql = t->sql;
		e.sealed = t->sealed;
		e.commitment = t->sealed ? t->commitment : NULL;
	}
	err = entry_build_statement(&s->book.entry, &h, &e);
	server_entry(s, err ? err : book_append(&s->book, NULL, 0, NULL));
	statement_close(x);
	return true;
}

/* Free statements: told, not awaited. */
bool
stmt_free(struct server *s, struct session *x, struct ipc_msg *m)
{
	uint8_t class = rd_u8(&m->body);
	struct entry_statement e = {.count = rd_u32(&m->body)};
	struct statement t = {.sealed = 0};
	struct slice original;
	struct entry_head h;
	enum err err;

	e.rows = rd_u64(&m->body);
	e.bytes = rd_u64(&m->body);
	e.sql = rd_lp32(&m->body);
	original = rd_lp32(&m->body);
	if (!rd_end(&m->body) || class >= CLASS_COUNT)
		return false;
	h = session_head(s, x);
	seal(s, &t, original, e.sql);
	e.class = slice_cstr(class_word[class]);
	e.sealed = t.sealed;
	e.commitment = t.sealed ? t.commitment : NULL;
	err = entry_build_statement(&s->book.entry, &h, &e);
	server_entry(s, err ? err : book_append(&s->book, NULL, 0, NULL));
	return true;
}

bool
stmt_deny(struct server *s, struct session *x, struct ipc_msg *m)
{
	struct slice state = rd_bytes(&m->body, 5), original;
	struct entry_deny e = {.sqlstate = state};
	struct statement t = {.sealed = 0};
	struct entry_head h;
	char why[8];
	enum err err;

	snprintf(why, sizeof(why), "%u", rd_u8(&m->body));
	e.why = slice_cstr(why);
	e.object = rd_lp16(&m->body);
	e.sql = rd_lp32(&m->body);
	original = rd_lp32(&m->body);
	if (!rd_end(&m->body))
		return false;
	h = session_head(s, x);
	seal(s, &t, original, e.sql);
	e.sealed = t.sealed;
	e.commitment = t.sealed ? t.commitment : NULL;
	err = entry_build_deny(&s->book.entry, &h, &e);
	server_entry(s, err ? err : book_append(&s->book, NULL, 0, NULL));
	return true;
}

/* --- releases ----------------------------------------------------------- */

/* The rows of one request, taken apart. Kept between requests. */
struct arrays {
	struct meter_row *rows;
	size_t rows_cap;
	struct slice *keys;
	uint8_t *domains;
	uint64_t *tokens;
	size_t nkeys, keys_cap;
	uint64_t sorted[ENTRY_TOKENS_MAX];
};

static bool
arrays_rows(struct arrays *a, size_t n)
{
	if (n <= a->rows_cap)
		return true;
	free(a->rows);
	a->rows = malloc(n * sizeof(*a->rows));
	a->rows_cap = a->rows ? n : 0;
	return a->rows != NULL;
}

static void
arrays_keys(struct arrays *a)
{
	if (a->nkeys < a->keys_cap)
		return;
	a->keys_cap = a->keys_cap ? 2 * a->keys_cap : 1024;
	a->keys = realloc(a->keys, a->keys_cap * sizeof(*a->keys));
	a->domains = realloc(a->domains, a->keys_cap);
	a->tokens = realloc(a->tokens, a->keys_cap * sizeof(*a->tokens));
	must(a->keys != NULL && a->domains != NULL && a->tokens != NULL);
}

void
arrays_free(struct arrays *a)
{
	if (a == NULL)
		return;
	free(a->rows);
	free(a->keys);
	free(a->domains);
	free(a->tokens);
	free(a);
}

/* All rows, or false: malformed. */
static bool
read_rows(struct arrays *a, struct rd *r, uint32_t nrows,
    const struct statement *t)
{
	a->nkeys = 0;
	/* A row has at least one byte. */
	if (r->bad || nrows > r->left || !arrays_rows(a, nrows))
		return false;
	for (uint32_t i = 0; i < nrows; i++) {
		uint8_t n = rd_u8(r);

		a->rows[i].anon = n & 0x80 ? rd_u32(r) : 0;
		a->rows[i].nkeys = n & 0x7f;
		for (uint8_t k = 0; k < (n & 0x7f) && !r->bad; k++) {
			arrays_keys(a);
			a->domains[a->nkeys] = rd_u8(r);
			a->keys[a->nkeys] = rd_lp16(r);
			if (a->domains[a->nkeys++] >= t->ndomains)
				return false;
		}
	}
	return rd_end(r);
}

struct decision {
	struct server *s;
	struct session *x;
	struct statement *t;
	struct arrays *a;
	const struct conf_role *role;
	struct slice database;
	int32_t today;
	int year;
	struct entry_head head;
	size_t first_key;		/* of the piece */
	struct meter_answer answer;	/* of the last piece */
	uint32_t granted;
	unsigned exceeded;
	bool sealed;			/* false: an entry could not be written */
	bool last;			/* the statement is complete with the rows */
};

static bool
older_token(void *arg, size_t i, int year, uint64_t *token)
{
	struct decision *d = arg;
	const uint8_t *key = book_keys_find(&d->s->book.keys, year);

	if (key == NULL)
		return false;
	i += d->first_key;
	*token = token_make(key, d->database,
	    d->t->domains[d->a->domains[i]], d->a->keys[i]);
	return true;
}

/* "day:count day:count" for the entry; NULL p when nothing moved. */
static struct slice
moved_text(char *out, size_t cap, const struct meter_answer *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nmoved; i++)
		n += (size_t)snprintf(out + n, cap - n, "%s%" PRId32 ":%" PRIu32,
		    i ? " " : "", r->moved[i].day, r->moved[i].count);
	must(n < cap);
	return (struct slice){n ? (uint8_t *)out : NULL, n};
}

/* The entry of the rows that the last piece was granted. */
static enum err
release_entry(struct decision *d, const char *outcome, bool end, uint64_t bytes)
{
	/* A row has at most 127 keys, so a piece moves at most so many. */
	static char moved[ENTRY_TOKENS_MAX * 24];
	struct entry_run runs[ENTRY_DOMAINS_MAX];
	struct statement *t = d->t;
	struct entry_release e = {
		.tables = {t->tables, t->ntables},
		.class = slice_cstr(class_word[t->class]),
		.request = d->x->requests,
		.sql = t->sql,
		.rows = d->answer.rows,
		.bytes = bytes,
		.anon = d->answer.anon,
		.moved = moved_text(moved, sizeof(moved), &d->answer),
		.outcome = slice_cstr(outcome),
		.end = end ? slice_cstr("complete") : (struct slice){NULL, 0},
		.sealed = t->sealed,
		.commitment = t->sealed ? t->commitment : NULL,
		.domains = {t->domains, t->ndomains},
		.subjects = {runs, t->ndomains},
	};
	size_t n = 0;
	enum err err;

	/* Too many days for the entry: the caller halves the piece. */
	if (e.moved.len > ENTRY_LONG_MAX)
		return ERR_TOOBIG;
	for (size_t k = 0; k < t->ndomains; k++) {
		runs[k].v = d->a->sorted + n;
		for (size_t i = 0; i < d->answer.tokens; i++)
			if (d->a->domains[d->first_key + i] == k)
				d->a->sorted[n++] = d->a->tokens[d->first_key + i];
		runs[k].n = (size_t)(d->a->sorted + n - runs[k].v);
	}
	err = entry_build_release(&d->s->book.entry, &d->head, &e);
	return err ? err : book_append(&d->s->book, d->a->sorted, n, NULL);
}

/* As many of the rows as one entry takes; their keys are counted in *keys. */
static size_t
piece_rows(const struct arrays *a, size_t first, size_t nrows, size_t max,
    size_t *keys)
{
	size_t n = 0;

	*keys = 0;
	while (first + n < nrows && n < max &&
	    *keys + a->rows[first + n].nkeys <= ENTRY_TOKENS_MAX)
		*keys += a->rows[first + n++].nkeys;
	return n;
}

/* false: stop here (budget, or it could not be sealed). */
static bool
release_piece(struct decision *d, size_t nrows, uint64_t bytes, size_t *max)
{
	struct meter_ask ask = {
		.actor = d->x->meter_actor,
		.today = d->today,
		.year = d->year,
		.limit = d->role->limit,
		.observe = d->role->on_excess == EXCESS_OBSERVE,
		.rows = d->a->rows + d->granted,
		.tokens = d->a->tokens + d->first_key,
		.older = older_token,
		.arg = d,
	};
	size_t keys, n = piece_rows(d->a, d->granted, nrows, *max, &keys);
	const char *outcome;
	enum err err;

	ask.nrows = n;
	if (meter_decide(d->s->book.meter, &ask, &d->answer) != ERR_OK) {
		d->sealed = false;
		return false;
	}
	outcome = d->answer.rows < n ? "cut" :
	    d->answer.exceeded ? "observed" : "all";
	if (d->answer.rows > 0) {
		err = release_entry(d, outcome, d->last &&
		    d->granted + d->answer.rows == nrows, d->granted == 0 ? bytes : 0);
		if (err == ERR_TOOBIG && n > 1) {
			meter_undo(d->s->book.meter);
			*max = (n + 1) / 2;
			return true;
		}
		if (err != ERR_OK) {
			meter_undo(d->s->book.meter);
			server_entry(d->s, err);
			d->sealed = false;
			return false;
		}
		d->t->released++;
	}
	d->exceeded |= d->answer.exceeded;
	d->granted += (uint32_t)d->answer.rows;
	d->first_key += d->answer.tokens;
	return d->answer.rows == n;
}

/* Local midnight at which a day begins; 0: never. */
static uint64_t
day_begins_us(int32_t day)
{
	struct tm tm = {.tm_year = 70, .tm_mday = 1, .tm_isdst = -1};
	time_t t;

	if (day == METER_NEVER)
		return 0;
	tm.tm_mday += day;
	t = mktime(&tm);
	return t > 0 ? (uint64_t)t * 1000000 : 0;
}

/* Asks for a grant, once a statement; its number is the entry's index. */
static uint64_t
hold_request(struct decision *d, uint32_t nrows)
{
	struct entry_grant e = {.what = slice_cstr("asked"),
	    .by = slice_cstr(d->x->name), .sql = d->t->sql,
	    .id = d->s->book.next, .subjects_max = nrows - d->granted};
	uint64_t index;
	enum err err;

	if (d->t->hold != 0)
		return d->t->hold;
	err = entry_build_grant(&d->s->book.entry, &d->head, &e);
	if (err == ERR_OK)
		err = book_append(&d->s->book, NULL, 0, &index);
	server_entry(d->s, err);
	return d->t->hold = err == ERR_OK ? index : 0;
}

static void
observed_alerts(struct decision *d)
{
	for (int w = 0; w < WINDOW_COUNT; w++) {
		struct entry_head h = d->head;
		enum err err;

		if (!(d->exceeded & 1u << w))
			continue;
		/* Budgets are the actor's, whatever the database. */
		h.database = (struct slice){NULL, 0};
		err = book_alert(&d->s->book, &h, "over-budget",
		    slice_cstr(conf_window_name[w]), (struct slice){NULL, 0});
		server_entry(d->s, err == ERR_EXISTS ? ERR_OK : err);
	}
}

/* What became of the decision; fewer rows than asked end the statement. */
static struct told
tell(struct decision *d, uint32_t nrows)
{
	const struct meter_answer *r = &d->answer;
	struct told t = {.reason = REASON_ALL};

	if (r->window >= 0) {
		t.window = (uint8_t)r->window;
		t.used = r->used;
		t.limit = r->limit;
	}
	if (!d->sealed) {
		t.reason = REASON_SEAL;
		d->granted = 0;
	} else if (d->exceeded != 0) {
		t.reason = REASON_OBSERVED;
		observed_alerts(d);
	} else if (d->granted < nrows) {
		t.reason = REASON_BUDGET;
		t.frees_us = day_begins_us(r->frees);
		if (d->role->on_excess == EXCESS_HOLD) {
			t.reason = REASON_HOLD;
			t.frees_us = hold_request(d, nrows);
		}
	}
	if (d->granted < nrows)
		d->t->cut = t;
	d->x->rows += d->granted;
	return t;
}

static void
send_grant(struct session *x, uint32_t request, uint32_t granted,
    const struct told *t)
{
	struct buf *out = &x->worker->out;
	size_t mark = ipc_begin(out, IPC_GRANT, x->sid);

	buf_u32(out, request);
	buf_u32(out, granted);
	buf_u8(out, t->reason);
	buf_u8(out, t->window);
	buf_u64(out, t->used);
	buf_u64(out, t->limit);
	buf_u64(out, t->frees_us);
	ipc_end(out, mark);
}

/*
 * The time of all that follows, and the key of its year. Making the key writes
 * an entry, so the time is taken again after it: entries never go back in time.
 */
static const uint8_t *
begin(struct decision *d)
{
	const uint8_t *key = NULL;
	enum err err = ERR_OK;

	for (int i = 0; i < 3; i++) {
		d->head = session_head(d->s, d->x);
		d->database = d->head.database;
		d->today = clock_day(d->head.time_us);
		d->year = token_year(d->today);
		if (!d->sealed)
			return NULL;
		key = book_keys_find(&d->s->book.keys, d->year);
		if (key != NULL || err != ERR_OK)
			break;
		err = book_year_key(&d->s->book, d->year, &key);
		server_entry(d->s, err);
	}
	d->sealed = key != NULL && err == ERR_OK;
	return key;
}

bool
stmt_release(struct server *s, struct session *x, struct ipc_msg *m)
{
	uint32_t request = rd_u32(&m->body), nrows = rd_u32(&m->body);
	uint64_t bytes = rd_u64(&m->body);
	uint8_t last = rd_u8(&m->body);
	struct decision d = {.s = s, .x = x, .t = x->open, .sealed = !s->low,
	    .role = &s->conf->roles[x->role], .answer = {.window = -1},
	    .last = last};
	size_t max = SIZE_MAX;
	struct told told;
	const uint8_t *key;

	if (x->open == NULL || last > 1)
		return false;
	if (s->arrays == NULL)
		must((s->arrays = calloc(1, sizeof(*s->arrays))) != NULL);
	d.a = s->arrays;
	if (!read_rows(d.a, &m->body, nrows, x->open))
		return false;
	/* What the gate sent before it knew of the cut will never be shown. */
	if (x->open->cut.reason != REASON_ALL) {
		send_grant(x, request, 0, &x->open->cut);
		return true;
	}
	key = begin(&d);
	for (size_t i = 0; d.sealed && i < d.a->nkeys; i++)
		d.a->tokens[i] = token_make(key, d.database,
		    x->open->domains[d.a->domains[i]], d.a->keys[i]);
	while (d.sealed && d.granted < nrows &&
	    release_piece(&d, nrows, bytes, &max))
		;
	told = tell(&d, nrows);
	send_grant(x, request, d.granted, &told);
	if (d.last && d.granted == nrows && nrows > 0)
		statement_close(x);
	return true;
}
