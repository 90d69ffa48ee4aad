/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing before release. Rows of a charged statement are queued behind a mark;
 * their subjects go to the ledger, chunk by chunk without waiting in between;
 * each grant moves the mark. A partial grant cuts the queue at that very row.
 */
#include "proc/gate/gate.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


void
meter_begin(struct session *s, struct op *op)
{
	if (!judged_charges(op_judged(op)))
		return;
	front_settle(s);
	must(!s->charged);
	s->charged = op->charged = true;
	s->charge = stmt_ref(op->stmt);
	s->flush_asked = false;
	s->charge_opened = s->charge_ended = s->charge_over = false;
	s->charge_cut = s->charge_failed = false;
	s->charge_rows = s->charge_bytes = 0;
	s->cut_untold = false;
	if (s->wait == WAIT_NONE)
		s->wait = op->type == OP_EXECUTE && op->stmt->j->v.modifies ?
		    WAIT_COMMIT : WAIT_METER;
}

static void
open_statement(struct session *s)
{
	static char shape[16384];
	const struct stmt *st = s->charge;
	const struct judged *j = st->j;
	struct buf *b = &s->gate->link_out;
	size_t mark = ipc_begin(b, IPC_STMT_OPEN, s->sid), n;

	buf_u8(b, (uint8_t)judged_class(j));
	buf_u8(b, j->class != j->v.class);
	n = sql_shape(shape, sizeof(shape), st->text, st->len, s->std_strings, NULL);
	buf_lp32(b, (struct slice){(uint8_t *)shape, n});
	buf_lp32(b, (struct slice){(uint8_t *)st->text,
	    st->len < 65536 ? st->len : 65536});
	buf_u16(b, (uint16_t)j->v.ntables);
	for (size_t i = 0; i < j->v.ntables; i++) {
		buf_lp16(b, slice_cstr(j->v.tables[i].name));
		buf_lp16(b, slice_cstr(j->v.tables[i].columns ?
		    j->v.tables[i].columns : ""));
	}
	n = j->class == VERDICT_KEY ? j->v.nkeys : 0;
	buf_u16(b, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		buf_lp16(b, slice_cstr(j->domains[i]));
	ipc_end(b, mark);
	s->charge_opened = true;
}

/* Starts a row of the chunk; its subjects follow. */
static void
row_begin(struct session *s, uint64_t start)
{
	if (!s->charge_opened)
		open_statement(s);
	if (s->rows_n++ == 0) {
		s->rows_start = start;
		s->rows_bytes = 0;
	}
}

static void
row_end(struct session *s, uint64_t start)
{
	s->rows_bytes += front_pos(s) - start;
	s->charge_rows++;
	s->charge_bytes += front_pos(s) - start;
	if (s->rows_n >= CHUNK_ROWS || s->rows_bytes >= CHUNK_BYTES)
		meter_flush(s);
}

enum { ROW_HEAD_MAX = 5 };

/* The beginning of a row of RELEASE; returns its length. */
static size_t
row_head(uint8_t out[ROW_HEAD_MAX], uint64_t anon, unsigned nkeys)
{
	uint32_t n = htobe32(anon > UINT32_MAX ? UINT32_MAX : (uint32_t)anon);

	out[0] = (uint8_t)(nkeys | (anon > 0 ? 0x80 : 0));
	if (anon == 0)
		return 1;
	memcpy(out + 1, &n, 4);
	return ROW_HEAD_MAX;
}

static void
put_anon(struct session *s, uint64_t anon)
{
	uint8_t head[ROW_HEAD_MAX];

	buf_put(&s->rows, head, row_head(head, anon, 0));
}

void
meter_units(struct session *s, uint64_t start, uint32_t units)
{
	row_begin(s, start);
	put_anon(s, units);
	row_end(s, start);
}

static void
put_keys(struct session *s, char keys[][PG_KEY_MAX], const size_t *lens,
    unsigned n, uint64_t anon)
{
	uint8_t row[ROW_HEAD_MAX + VERDICT_MAX_KEYS * (3 + PG_KEY_MAX)];
	unsigned present = 0;
	size_t at;

	for (unsigned i = 0; i < n; i++)
		present += lens[i] != SIZE_MAX;
	at = row_head(row, anon, present);
	for (unsigned i = 0; i < n; i++) {
		if (lens[i] == SIZE_MAX)
			continue;
		must(lens[i] <= PG_KEY_MAX);
		row[at++] = (uint8_t)i;
		row[at++] = (uint8_t)(lens[i] >> 8);
		row[at++] = (uint8_t)lens[i];
		memcpy(row + at, keys[i], lens[i]);
		at += lens[i];
	}
	buf_put(&s->rows, row, at);
}

void
meter_row(struct session *s, const struct op *op, uint64_t start,
    const struct pg_cell *cells, size_t n)
{
	const struct judged *j = s->charge->j;
	char keys[VERDICT_MAX_KEYS][PG_KEY_MAX];
	size_t lens[VERDICT_MAX_KEYS];
	uint64_t anon = 0;

	row_begin(s, start);
	if (j->class == VERDICT_KEY) {
		for (size_t i = 0; i < j->v.nkeys; i++) {
			const struct verdict_key *k = &j->v.keys[i];

			lens[i] = SIZE_MAX;
			if (k->col < 0 || (size_t)k->col >= n || cells[k->col].null) {
				anon += k->null_charged || k->col < 0 ||
				    (size_t)k->col >= n;
				continue;
			}
			lens[i] = pg_key(keys[i], cells[k->col].value,
			    pg_format(op->formats, op->formats_count,
			    (unsigned)k->col), k->type);
		}
		put_keys(s, keys, lens, (unsigned)j->v.nkeys, anon);
	} else {
		anon = j->v.row_weight;
		for (size_t i = 0; j->class == VERDICT_BYTES && i < n; i++) {
			if (i < j->v.ncols && j->v.weight[i] != VERDICT_OPAQUE)
				continue;
			anon += cells[i].value.len;
		}
		if (j->class == VERDICT_FREE ||
		    (j->first_row_only && s->charge_rows > 0))
			anon = 0;
		put_anon(s, anon);
	}
	row_end(s, start);
}

void
meter_line(struct session *s, uint64_t start, struct slice line)
{
	const struct stmt *st = s->charge;
	const struct judged *j = st->j;
	char keys[VERDICT_MAX_KEYS][PG_KEY_MAX];
	size_t lens[VERDICT_MAX_KEYS];
	uint64_t anon = 0;
	struct pg_cell cell;
	struct slice rest;

	row_begin(s, start);
	if (j->class == VERDICT_KEY) {
		for (size_t i = 0; i < j->v.nkeys; i++) {
			const struct verdict_key *k = &j->v.keys[i];

			lens[i] = SIZE_MAX;
			if (k->col < 0 || pg_copy_cell(&st->copy, line,
			    (unsigned)k->col, &cell, &rest) != ERR_OK)
				anon += line.len;	/* not the line that was judged */
			else if (cell.null)
				anon += k->null_charged;
			else
				lens[i] = pg_copy_key(keys[i], &st->copy, cell.value,
				    k->type);
		}
		put_keys(s, keys, lens, (unsigned)j->v.nkeys, anon);
	} else {
		anon = j->v.row_weight;
		if (j->class == VERDICT_BYTES)
			anon += line.len;
		put_anon(s, anon);
	}
	row_end(s, start);
}

/* last: the statement is complete with these rows, its end is told with them. */
static void
release(struct session *s, bool last)
{
	struct buf *b = &s->gate->link_out;
	struct chunk *c;
	size_t mark;

	if (s->rows_n == 0)
		return;
	s->charge_ended = last;
	c = calloc(1, sizeof(*c));
	must(c != NULL && !s->rows.bad);
	c->request = s->next_request++;
	c->start = s->rows_start;
	c->end = front_pos(s);
	c->nrows = s->rows_n;
	*s->chunks_tail = c;
	s->chunks_tail = &c->next;
	mark = ipc_begin(b, IPC_RELEASE, s->sid);
	buf_u32(b, c->request);
	buf_u32(b, c->nrows);
	buf_u64(b, s->rows_bytes);
	buf_u8(b, last);
	buf_put(b, buf_head(&s->rows), buf_used(&s->rows));
	ipc_end(b, mark);
	buf_clear(&s->rows);
	s->rows_n = 0;
}

void
meter_flush(struct session *s)
{
	release(s, false);
}

/* What was counted, and what would be counted less. */
static const char *
how_counted(const struct judged *j)
{
	switch (j->class) {
	case VERDICT_KEY:
		return _("Each person in the result counts once; whom you have seen in this time already counts nothing.");
	case VERDICT_ROWS:
		return j->v.ncols == 0 ? _("A plan of this statement tells of people, and counts.") :
		    _("Each row counts, because it does not say whose it is: with the subject key in the result each person counts once.");
	case VERDICT_BYTES:
		return _("Each byte counts, because the result mixes people's data (as aggregates of personal columns do) or is from a table that the catalog does not name: rows with the subject key count less.");
	case VERDICT_FREE:
		if (j->v.tag_weight > 0)
			return _("Each row that is changed counts, because personal data chose it; nothing was changed.");
		return _("The digits of the answer count, because personal data decides it.");
	default:
		return "";
	}
}

static void
put_budget_error(struct session *s, const struct grant *g)
{
	static const char *const windows[] = {
		N_("a day"), N_("in 30 days"), N_("a year"), N_("ever")};
	const struct conf_role *role = s->role;
	const char *how = how_counted(s->charge->j);
	const char *alone = g->used < g->limit ?
	    _("What was cut counts for more than what is left. ") : "";
	const char *contact = role->contact ? role->contact : _("the supervisor of your role");
	char message[256], detail[1024], hint[512], when[64];
	time_t t = (time_t)(g->frees_at_us / 1000000);
	struct tm tm;

	if (g->reason == 3) {
		pg_put_error(front_out(s), 'E', "ERROR", "KB005",
		    _("the ledger cannot seal: nothing was released"), NULL,
		    _("The statement is not at fault. Tell those who run the gate; its log says why."));
		return;
	}
	snprintf(hint, sizeof(hint), _("To see more people now, ask for a grant: %s"), contact);
	if (g->reason == 2) {
		snprintf(message, sizeof(message),
		    _("held: more people than the budget allows; a grant is needed (request %llu)"),
		    (unsigned long long)g->frees_at_us);
		snprintf(detail, sizeof(detail), _("Nobody beyond the budget was shown. %s"), how);
		snprintf(hint, sizeof(hint), _("Name the request's number to: %s"), contact);
		pg_put_error(front_out(s), 'E', "ERROR", "KB002", message, detail, hint);
		return;
	}
	snprintf(message, sizeof(message),
	    _("budget reached: %llu of %llu people %s; the result was cut here"),
	    (unsigned long long)g->used, (unsigned long long)g->limit,
	    _(windows[g->window & 3]));
	if (g->frees_at_us > 0) {
		localtime_r(&t, &tm);
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M %z", &tm);
		snprintf(detail, sizeof(detail),
		    _("You may receive the data of %llu people %s, and %llu are used. The next become free at %s. %s%s"),
		    (unsigned long long)g->limit, _(windows[g->window & 3]),
		    (unsigned long long)g->used, when, alone, how);
	} else {
		snprintf(detail, sizeof(detail),
		    _("You may receive the data of %llu people %s, and %llu are used. That does not become free by itself. %s%s"),
		    (unsigned long long)g->limit, _(windows[g->window & 3]),
		    (unsigned long long)g->used, alone, how);
	}
	pg_put_error(front_out(s), 'E', "ERROR", "KB001", message, detail, hint);
}

/*
 * As after any error, the rest of the client's pipeline is not executed and what
 * went before it in the same implicit transaction is undone.
 */
static void
skip_rest(struct session *s)
{
	struct op *op;

	s->skip_to_sync = true;
	s->charge_cut = false;
	if (s->charge_failed)
		return;
	op = op_push(s, OP_PARSE);
	op->internal = INT_FAIL;
	pg_put_parse(back_out(s), "kb$cut", slice_cstr(CUT_TEXT),
	    (struct slice){NULL, 0});
}

/* Wholly decided, and the server is done with it. */
static void
settle(struct session *s)
{
	struct buf *b = &s->gate->link_out;
	struct op *op = op_head(s);
	size_t mark;

	if (!s->charged || !s->charge_over || s->chunks != NULL || s->rows_n > 0 ||
	    s->cutting)
		return;
	/* What follows a cut query must find its transaction aborted, and that is
	 * sent at its ReadyForQuery: until then the client's next message waits. */
	if (s->charge_cut && op != NULL && op->charged && op->type == OP_QUERY)
		return;
	if (s->cut_untold) {
		/* Not before the server is done: a client that saw the error but no
		 * ReadyForQuery would cancel, and hit its next statement. */
		put_budget_error(s, &s->cut_by);
		s->cut_untold = false;
	}
	if (s->charge_opened && !s->charge_ended) {
		mark = ipc_begin(b, IPC_STMT_END, s->sid);
		buf_u64(b, s->charge_rows);
		buf_u64(b, s->charge_bytes);
		buf_u8(b, s->charge_cut ? 1 : s->charge_failed ? 2 : 0);
		ipc_end(b, mark);
	} else if (!s->charge_opened) {
		tally_count(s, judged_class(s->charge->j), s->charge->hash,
		    s->charge->text, s->charge->len, 1, 0);
	}
	stmt_unref(s->charge);
	s->charge = NULL;
	s->charged = false;
	if (op != NULL && op->charged)
		op->charged = false;
	if (s->wait == WAIT_METER || s->wait == WAIT_COMMIT)
		s->wait = WAIT_NONE;
	if (s->held_piece) {
		s->held_piece = false;
		s->charge_cut = false;
		query_piece_done(s);
	}
	if (s->charge_cut && s->in_pipeline)
		skip_rest(s);
	for (; s->held_ready > 0; s->held_ready--)
		reply_ready(s);
}

void
meter_over(struct session *s)
{
	release(s, !s->charge_failed);
	s->charge_over = true;
	settle(s);
}

static void
cut_cancelled(struct session *s)
{
	s->cutting = false;
	settle(s);
	if (s->wait == WAIT_NONE)
		front_take(s);
	session_update(s);
}

/* Where row number n (0-based) of the chunk begins in front.out. */
static uint64_t
row_position(const struct session *s, const struct chunk *c, uint32_t n)
{
	const uint8_t *base = buf_head(&s->front.out);
	uint64_t pos = c->start;
	struct pg_head h;

	for (uint32_t seen = 0; pos < c->end; pos += PG_HEAD_BYTES + h.len) {
		must(pg_head(&h, base + (pos - s->out_base), PG_HEAD_BYTES) == ERR_OK);
		if ((h.type == 'D' || h.type == 'd' || h.type == 'C') && seen++ == n)
			break;
	}
	return pos;
}

static void
cut(struct session *s, const struct grant *g)
{
	struct op *op = op_head(s);
	uint64_t at = row_position(s, s->chunks, g->rows);

	front_settle(s);
	s->front.out.len = s->front.out.off + (size_t)(at - s->out_base);
	while (s->chunks != NULL) {
		struct chunk *c = s->chunks;

		s->chunks = c->next;
		free(c);
	}
	s->chunks_tail = &s->chunks;
	buf_clear(&s->rows);
	s->rows_n = 0;
	s->first_request = s->next_request;
	s->charge_cut = s->cut_untold = true;
	s->charge_ended = false;	/* the ledger ends only what it grants whole */
	s->cut_by = *g;
	if (s->pieces != NULL)
		s->pieces_failed = true;
	if (s->charge_over)
		return;
	must(op != NULL && op->charged);
	op->cut = true;
	s->cutting = true;
	cancel_back(s, cut_cancelled);
}

void
meter_grant(struct session *s, struct rd *body)
{
	struct grant g;
	struct chunk *c = s->chunks;

	g.request = rd_u32(body);
	g.rows = rd_u32(body);
	g.reason = rd_u8(body);
	g.window = rd_u8(body);
	g.used = rd_u64(body);
	g.limit = rd_u64(body);
	g.frees_at_us = rd_u64(body);
	must(rd_end(body));
	if (s->phase != PH_LIVE || s->kill || (int32_t)(g.request - s->first_request) < 0)
		return;
	must(c != NULL && c->request == g.request && g.rows <= c->nrows);
	if (g.rows == c->nrows) {
		s->chunks = c->next;
		if (s->chunks == NULL)
			s->chunks_tail = &s->chunks;
		free(c);
	} else {
		cut(s, &g);
	}
	settle(s);
	if (s->wait == WAIT_NONE)
		front_take(s);
	session_update(s);
}
