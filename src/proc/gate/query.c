/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client messages of a protected session: each statement gets its verdict, then
 * is sent as it came, with a hidden key, or not at all. A refused statement is
 * replaced by one that fails on the server, so that transactions and pipelines
 * stand exactly as after any error; only the error's text is ours.
 */
#include "proc/gate/gate.h"

#include <stdlib.h>
#include <string.h>


#define POISON "kuraban refused this statement"

/* ---- ops: what answers are for ---- */

struct op *
op_at(struct session *s, size_t i)
{
	return &s->ops[(s->ops_head + i) % s->ops_cap];
}

struct op *
op_head(struct session *s)
{
	return s->ops_len > 0 ? op_at(s, 0) : NULL;
}

struct op *
op_push(struct session *s, enum op_type type)
{
	struct op *op;

	if (s->ops_len == s->ops_cap) {
		size_t cap = s->ops_cap ? s->ops_cap * 2 : 8;
		struct op *ops = malloc(cap * sizeof(*ops));

		must(ops != NULL);
		for (size_t i = 0; i < s->ops_len; i++)
			ops[i] = *op_at(s, i);
		free(s->ops);
		s->ops = ops;
		s->ops_cap = cap;
		s->ops_head = 0;
	}
	op = op_at(s, s->ops_len++);
	*op = (struct op){.type = type, .copy_ends = s->copy_ends};
	if (type == OP_SYNC || type == OP_QUERY) {
		s->syncs++;
		s->in_pipeline = false;
	} else {
		s->in_pipeline = true;
	}
	return op;
}

struct stmt *
stmt_ref(struct stmt *st)
{
	if (st != NULL)
		st->refs++;
	return st;
}

void
stmt_unref(struct stmt *st)
{
	if (st == NULL || --st->refs > 0)
		return;
	judged_unref(st->j);
	free(st->text);
	free(st->name);
	free(st->value);
	free(st);
}

void
pstmt_free(struct pstmt *p)
{
	if (p == NULL)
		return;
	stmt_unref(p->stmt);
	buf_fini(&p->types);
	free(p);
}

void
portal_free(struct portal *p)
{
	if (p == NULL)
		return;
	stmt_unref(p->stmt);
	free(p->formats);
	free(p);
}

/*
 * Names are kept as if every message succeeded. One that failed or was skipped
 * leaves what was there before: call it for the newest first.
 */
void
op_undo(struct session *s, struct op *op)
{
	struct slice name;
	bool stmt = op->type == OP_PARSE || (op->type == OP_CLOSE && op->object == 'S');

	if (!op->has_undo)
		return;
	op->has_undo = false;
	name = slice_cstr(op->name);
	if (stmt)
		pstmt_free(op->undo ? map_put(&s->stmts, name, op->undo) :
		    map_del(&s->stmts, name));
	else
		portal_free(op->undo ? map_put(&s->portals, name, op->undo) :
		    map_del(&s->portals, name));
	op->undo = NULL;
}

static void
op_fini(struct op *op)
{
	if (op->type == OP_PARSE || (op->type == OP_CLOSE && op->object == 'S'))
		pstmt_free(op->undo);
	else
		portal_free(op->undo);
	stmt_unref(op->stmt);
	free(op->name);
	free(op->formats);
}

void
op_pop(struct session *s)
{
	struct op op = *op_head(s);

	s->ops_head = (s->ops_head + 1) % s->ops_cap;
	s->ops_len--;
	op_fini(&op);
	if (s->ops_len == 0 && s->ops_cap > 64) {
		free(s->ops);
		s->ops = NULL;
		s->ops_cap = s->ops_head = 0;
	}
}

static struct stmt *
stmt_new(struct judged *j, const char *text, size_t len,
    const struct sql_stmt *info, uint64_t hash)
{
	struct stmt *st = calloc(1, sizeof(*st));

	must(st != NULL);
	st->refs = 1;
	must((st->text = malloc(len + 1)) != NULL);
	memcpy(st->text, text, len);
	st->text[len] = 0;
	st->len = len;
	st->hash = hash;
	st->j = judged_ref(j);
	st->kind = info ? info->kind : j->kind;
	if (info != NULL) {
		st->name = info->name ? strdup(info->name) : NULL;
		st->value = info->value ? strdup(info->value) : NULL;
		st->temp = info->temp;
		st->copy.format = info->copy_format == SQL_FORMAT_CSV ? PG_COPY_CSV :
		    info->copy_format == SQL_FORMAT_BINARY ? PG_COPY_BINARY :
		    PG_COPY_TEXT;
		st->copy.delimiter = info->copy_delimiter;
		st->copy.quote = info->copy_quote;
		st->copy.escape = info->copy_escape;
		st->copy_header = info->copy_header;
	}
	return st;
}

/* ---- the context in which names are resolved ---- */

void
ctx_changed(struct session *s, const char *text, size_t len, bool unique)
{
	static uint64_t serial;

	s->ctx = hash64(text, len, s->ctx + 1);
	if (unique)
		s->ctx = hash64(&s->sid, sizeof(s->sid), s->ctx + ++serial) | 1;
	s->txn_dirty = true;
}

/* A statement of this kind is about to be sent. */
static void
note_effects(struct session *s, struct op *op)
{
	const struct stmt *st = op->stmt;

	if (st->j->v.touches_personal)
		s->txn_touched = true;
	switch (st->kind) {
	case SQL_TXN_COMMIT:
	case SQL_TXN_ROLLBACK:
		if (s->txn_dirty)
			ctx_changed(s, st->text, st->len, true);
		break;
	case SQL_DDL_CREATE: case SQL_DDL_DROP: case SQL_DDL_ALTER:
	case SQL_DDL_DEFINE: case SQL_CREATE_AS: case SQL_GRANT:
		ctx_changed(s, st->text, st->len, true);
		s->txn_ddl = true;
		op->changes_context = true;
		if (!st->temp)
			db_bump(s->db, true);
		break;
	default:
		if (st->j->v.changes_context) {
			ctx_changed(s, st->text, st->len, true);
			op->changes_context = true;
		} else if (sql_kind_changes_context(st->kind) &&
		    !st->j->keeps_context) {
			ctx_changed(s, st->text, st->len, false);
			op->changes_context = true;
		}
		break;
	}
}

static void
drop_pstmt(void *p)
{
	pstmt_free(p);
}

static void
drop_portal(void *p)
{
	portal_free(p);
}

/* A statement succeeded: names that it made or removed. */
void
query_op_done(struct session *s, struct op *op, const char *tag)
{
	struct stmt *st = op->stmt;
	struct portal *p;
	struct pstmt *ps;

	(void)tag;
	if (st == NULL)
		return;
	switch (st->kind) {
	case SQL_DECLARE:
		p = calloc(1, sizeof(*p));
		must(p != NULL && st->name != NULL);
		p->stmt = stmt_ref(st);
		portal_free(map_put(&s->portals, slice_cstr(st->name), p));
		break;
	case SQL_PREPARE:
		ps = calloc(1, sizeof(*ps));
		must(ps != NULL && st->name != NULL);
		ps->stmt = stmt_ref(st);
		ps->ctx = s->ctx;
		pstmt_free(map_put(&s->stmts, slice_cstr(st->name), ps));
		break;
	case SQL_SET:
		/* Set for the client's eyes only: the database sees the actor. */
		if (st->name != NULL && st->value != NULL &&
		    strcmp(st->name, "application_name") == 0)
			pg_put_param(front_out(s), st->name, st->value);
		break;
	case SQL_CLOSE:
		if (st->name != NULL)
			portal_free(map_del(&s->portals, slice_cstr(st->name)));
		else
			map_fini(&s->portals, drop_portal);
		break;
	case SQL_DEALLOCATE:
		if (st->name != NULL) {
			pstmt_free(map_del(&s->stmts, slice_cstr(st->name)));
			break;
		}
		map_fini(&s->stmts, drop_pstmt);
		s->tree_ready = false;
		break;
	case SQL_DISCARD:
		map_fini(&s->stmts, drop_pstmt);
		map_fini(&s->portals, drop_portal);
		s->tree_ready = false;
		break;
	case SQL_DDL_CREATE: case SQL_DDL_DROP: case SQL_DDL_ALTER:
	case SQL_DDL_DEFINE: case SQL_CREATE_AS: case SQL_GRANT:
		if (!st->temp)
			db_bump(s->db, true);
		break;
	case SQL_TXN_COMMIT:
		if (s->txn_ddl)
			db_bump(s->db, true);
		s->txn_ddl = false;
		break;
	default:
		break;
	}
}

/* ---- sending ---- */

static void
refuse_with(struct session *s, struct op *op, struct judged *j, const char *text,
    size_t len)
{
	op->poisoned = true;
	op->stmt = stmt_new(j, text, len, NULL, 0);
	link_deny(s, j->sqlstate, j->v.why, j->v.object, text, len);
}

static void
send_query(struct session *s, struct judged *j, const char *text, size_t len,
    const struct sql_stmt *info, uint64_t hash, bool quiet)
{
	struct op *op = op_push(s, OP_QUERY);
	char *edited;

	op->quiet = quiet;
	if (j->class == VERDICT_REFUSED) {
		refuse_with(s, op, j, text, len);
		pg_put_query(back_out(s), POISON);
		return;
	}
	must(j->hidden == NULL || info != NULL);
	op->stmt = stmt_new(j, text, len, info, hash);
	note_effects(s, op_at(s, s->ops_len - 1));
	if (info != NULL && (j->hidden != NULL || setting_is(info, "application_name"))) {
		edited = judged_text(j, text, info);
		pg_put_query(back_out(s), edited);
		free(edited);
	} else {
		size_t mark = pg_begin(back_out(s), 'Q');

		buf_put(back_out(s), text, len);
		buf_u8(back_out(s), 0);
		pg_end(back_out(s), mark);
	}
	meter_begin(s, op_at(s, s->ops_len - 1));
}

void
query_abort(struct session *s, enum op_internal how)
{
	struct op *op = op_push(s, OP_QUERY);

	op->internal = (uint8_t)how;
	op->quiet = true;
	pg_put_query(back_out(s), CUT_TEXT);
}

static void next_piece(struct session *s);

static void
start_pieces(struct session *s, const char *text, size_t len, struct sql_list *list)
{
	bool txn = false;

	must((s->pieces = malloc(len + 1)) != NULL);
	memcpy(s->pieces, text, len);
	s->pieces[len] = 0;
	s->piece_list = *list;
	*list = (struct sql_list){0};
	s->piece_next = 0;
	s->pieces_began = s->pieces_failed = false;
	for (size_t i = 0; i < s->piece_list.n; i++) {
		enum sql_kind k = s->piece_list.v[i].kind;

		txn |= k == SQL_TXN_BEGIN || k == SQL_TXN_COMMIT ||
		    k == SQL_TXN_ROLLBACK || k == SQL_MAINTAIN;
	}
	s->wait = WAIT_PIECE;
	if (!txn && s->txn == 'I') {
		/* As the server does: one text, one transaction. */
		struct op *op = op_push(s, OP_QUERY);

		op->internal = INT_BEGIN;
		op->quiet = true;
		s->pieces_began = true;
		pg_put_query(back_out(s), "BEGIN");
		return;
	}
	next_piece(s);
}

static void
end_pieces(struct session *s)
{
	free(s->pieces);
	s->pieces = NULL;
	sql_list_fini(&s->piece_list);
	s->piece_list = (struct sql_list){0};
	s->wait = WAIT_NONE;
	s->charge_cut = false;	/* what was cut has been rolled back */
	pg_put_ready(front_out(s), s->txn);
}

static void
next_piece(struct session *s)
{
	const struct sql_stmt *st;
	struct judge *j;

	if (s->pieces_failed || s->piece_next == s->piece_list.n) {
		if (s->pieces_began) {
			struct op *op = op_push(s, OP_QUERY);

			op->internal = INT_END;
			op->quiet = true;
			s->pieces_began = false;
			pg_put_query(back_out(s), s->pieces_failed ? "ROLLBACK" : "COMMIT");
			if (s->pieces_failed && s->txn_dirty)
				ctx_changed(s, "ROLLBACK", 8, true);
			return;
		}
		if (s->pieces_failed && s->txn == 'T') {
			s->wait = WAIT_PIECE;
			query_abort(s, INT_QUIET);
			return;
		}
		end_pieces(s);
		return;
	}
	st = &s->piece_list.v[s->piece_next++];
	j = calloc(1, sizeof(*j));
	must(j != NULL && (j->text = malloc(st->len + 1)) != NULL);
	memcpy(j->text, s->pieces + st->start, st->len);
	j->text[st->len] = 0;
	j->len = st->len;
	j->mode = 'Q';
	s->wait = WAIT_NONE;
	if (judge_start(s, j))
		query_judged(s);
}

/* The answers of a quiet query are in; s->txn is up to date. */
void
query_piece_done(struct session *s)
{
	if (s->pieces == NULL)
		return;
	if (s->charged) {
		s->held_piece = true;
		return;
	}
	next_piece(s);
	if (s->wait == WAIT_NONE)
		front_take(s);
}

static const struct sql_stmt *
judge_info(const struct judge *j)
{
	return j->list.n == 1 ? &j->list.v[0] : NULL;
}

/*
 * A change whose answer is charged: it runs in a hidden transaction, so that it
 * is undone when its answer may not be shown.
 */
static bool
undoable(const struct session *s, const struct judged *j)
{
	return j->v.modifies && judged_charges(j) && s->txn == 'I';
}

static void
finish_query(struct session *s, struct judge *j)
{
	bool quiet = s->pieces != NULL;

	if (j->failed) {
		front_put(s, buf_head(&j->error), buf_used(&j->error));
		if (quiet) {
			s->pieces_failed = true;
			s->wait = WAIT_PIECE;
			next_piece(s);
		} else {
			pg_put_ready(front_out(s), s->txn);
		}
		return;
	}
	if (quiet) {
		s->wait = WAIT_PIECE;
	} else if (undoable(s, j->result)) {
		struct sql_list one;

		if (sql_classify(&one, j->text, j->len) == ERR_OK && one.n == 1) {
			start_pieces(s, j->text, j->len, &one);
			return;
		}
		sql_list_fini(&one);
	}
	send_query(s, j->result, j->text, j->len, judge_info(j), j->hash, quiet);
}

static void
finish_parse(struct session *s, struct judge *j)
{
	struct buf *b = back_out(s);
	struct pstmt *p;
	struct op *op;
	char *edited = NULL;
	const struct sql_stmt *info = judge_info(j);

	if (j->failed) {
		front_put(s, buf_head(&j->error), buf_used(&j->error));
		s->skip_to_sync = true;
		return;
	}
	op = op_push(s, OP_PARSE);
	op->name = strdup(j->name);
	if (j->result->class == VERDICT_REFUSED) {
		refuse_with(s, op, j->result, j->text, j->len);
		pg_put_parse(b, j->name, slice_cstr(POISON), (struct slice){NULL, 0});
		s->skip_to_sync = true;
		return;
	}
	p = calloc(1, sizeof(*p));
	must(p != NULL);
	must(j->result->hidden == NULL || info != NULL);
	p->stmt = stmt_new(j->result, j->text, j->len, info, j->hash);
	p->types = j->types;
	buf_init(&j->types, j->types.max);
	p->ctx = s->ctx;
	p->pending = true;
	p->syncs = s->syncs;
	if (info != NULL && (j->result->hidden != NULL ||
	    setting_is(info, "application_name")))
		edited = judged_text(j->result, j->text, info);
	pg_put_parse(b, j->name, edited ? slice_cstr(edited) :
	    (struct slice){(uint8_t *)j->text, j->len},
	    (struct slice){buf_head(&p->types), buf_used(&p->types)});
	free(edited);
	op->has_undo = true;
	op->undo = map_put(&s->stmts, slice_cstr(j->name), p);
}

static void
poison_bind(struct session *s, struct judged *j, const char *text, size_t len)
{
	struct op *op = op_push(s, OP_PARSE);

	op->name = strdup("kb$poison");
	refuse_with(s, op, j, text, len);
	pg_put_parse(back_out(s), "kb$poison", slice_cstr(POISON),
	    (struct slice){NULL, 0});
	s->skip_to_sync = true;
}

static void
send_bind(struct session *s, struct pstmt *ps, const struct pg_bind *bind,
    struct slice body)
{
	struct buf *b = back_out(s);
	unsigned add = ps->stmt->j->nhidden;
	struct portal *p = calloc(1, sizeof(*p));
	struct op *op = op_push(s, OP_BIND);
	size_t mark = pg_begin(b, 'B'), n = bind->nformats;

	must(p != NULL);
	p->stmt = stmt_ref(ps->stmt);
	p->pending = true;
	p->syncs = s->syncs;
	if (add == 0 || n <= 1) {
		buf_put(b, body.p, body.len);
		add = 0;
	} else {
		buf_put(b, bind->head.p, bind->head.len);
		buf_u16(b, (uint16_t)(n + add));
		for (unsigned i = 0; i < add; i++)
			buf_u16(b, 0);
		buf_put(b, bind->formats.p, bind->formats.len);
	}
	pg_end(b, mark);
	if (n > 0) {
		must((p->formats = calloc(n + add, 2)) != NULL);
		memcpy(p->formats + 2 * add, bind->formats.p, bind->formats.len);
	}
	p->formats_count = (unsigned)(n + add);
	op->name = strdup(bind->portal);
	op->has_undo = true;
	op->undo = map_put(&s->portals, slice_cstr(bind->portal), p);
}

static void
no_such(struct session *s, const char *sqlstate, const char *text)
{
	struct judged *r = judged_refusal(sqlstate, text, NULL, 0, NULL);

	poison_bind(s, r, "", 0);
	judged_unref(r);
}

bool
pstmt_judged(struct session *s, struct pstmt *ps, const struct judge *j)
{
	const char *now = j->result->hidden, *was = ps->stmt->j->hidden;

	if ((now == NULL) != (was == NULL) || (now != NULL && strcmp(now, was) != 0))
		return false;
	if (ps->stmt->refs > 1) {
		struct stmt *copy = stmt_new(j->result, ps->stmt->text, ps->stmt->len,
		    judge_info(j), ps->stmt->hash);

		stmt_unref(ps->stmt);
		ps->stmt = copy;
	} else {
		judged_unref(ps->stmt->j);
		ps->stmt->j = judged_ref(j->result);
	}
	ps->ctx = s->ctx;
	return true;
}

static void
finish_bind(struct session *s, struct judge *j)
{
	struct pg_bind bind;
	struct pstmt *ps;
	struct slice body = {buf_head(&j->msg), buf_used(&j->msg)};

	if (j->failed) {
		front_put(s, buf_head(&j->error), buf_used(&j->error));
		s->skip_to_sync = true;
		return;
	}
	must(pg_read_bind(&bind, body) == ERR_OK);
	ps = map_get(&s->stmts, slice_cstr(bind.stmt));
	if (ps == NULL || strcmp(ps->stmt->text, j->text) != 0) {
		no_such(s, "26000", _("prepared statement does not exist"));
		return;
	}
	if (j->result->class == VERDICT_REFUSED) {
		poison_bind(s, j->result, ps->stmt->text, ps->stmt->len);
		return;
	}
	if (!pstmt_judged(s, ps, j)) {
		no_such(s, "0A000",
		    _("definitions changed since this statement was prepared: prepare it again"));
		return;
	}
	send_bind(s, ps, &bind, body);
}

void
query_judged(struct session *s)
{
	struct judge *j = s->judge;

	if (j->execute != NULL) {
		judge_execute(s);
		j = s->judge;
	}
	s->judge = NULL;
	if (j->mode == 'Q')
		finish_query(s, j);
	else if (j->mode == 'P')
		finish_parse(s, j);
	else
		finish_bind(s, j);
	judge_free(j);
}

/*
 * Answers still to come may decide what names or context mean: then a verdict
 * must wait for them. true: the session waits.
 */
static bool
must_drain(struct session *s, bool names)
{
	bool drain = s->txn_dirty && s->ops_len > 0;

	for (size_t i = 0; !drain && names && i < s->ops_len; i++) {
		const struct op *op = op_at(s, i);

		drain = op->stmt != NULL && (op->stmt->kind == SQL_DECLARE ||
		    op->stmt->kind == SQL_CLOSE || op->stmt->kind == SQL_PREPARE ||
		    op->stmt->kind == SQL_DEALLOCATE);
	}
	if (!drain)
		return false;
	if (s->in_pipeline)
		pg_put_empty(back_out(s), 'H');
	s->wait = WAIT_DRAIN;
	return true;
}

static void
start_judge(struct session *s, struct judge *j)
{
	s->judge = j;
	if (must_drain(s, true))
		return;
	if (judge_start(s, j))
		query_judged(s);
}

static void on_bind(struct session *s, struct slice body);

/* No answer is missing any more. */
void
query_drained(struct session *s)
{
	struct judge *j = s->judge;

	s->wait = WAIT_NONE;
	if (j == NULL)
		return;
	if (s->skip_to_sync || j->mode == 'B') {
		/* What a Bind means may have changed: look again. */
		s->judge = NULL;
		if (!s->skip_to_sync)
			on_bind(s, (struct slice){buf_head(&j->msg), buf_used(&j->msg)});
		judge_free(j);
		return;
	}
	if (judge_start(s, j))
		query_judged(s);
}

/* ---- messages ---- */

static void
on_query(struct session *s, struct slice body)
{
	struct sql_list list;
	struct judged *r;
	struct judge *j;
	uint64_t hash;
	const char *text = (const char *)body.p;
	size_t len;

	if (body.len == 0 || body.p[body.len - 1] != 0 ||
	    memchr(body.p, 0, body.len - 1) != NULL) {
		session_protocol_error(s, "malformed Query");
		return;
	}
	len = body.len - 1;
	if (!s->txn_dirty &&
	    (r = judged_peek(s, text, len, (struct slice){NULL, 0}, &hash)) != NULL &&
	    !undoable(s, r)) {
		send_query(s, r, text, len, NULL, hash, false);
		return;
	}
	if (sql_classify(&list, text, len) == ERR_OK && list.n > 1) {
		start_pieces(s, text, len, &list);
		sql_list_fini(&list);
		return;
	}
	sql_list_fini(&list);
	j = calloc(1, sizeof(*j));
	must(j != NULL && (j->text = malloc(len + 1)) != NULL);
	memcpy(j->text, text, len + 1);
	j->len = len;
	j->mode = 'Q';
	buf_init(&j->types, 64);
	start_judge(s, j);
}

static void
on_parse(struct session *s, struct slice body)
{
	struct rd r = rd_init(body.p, body.len);
	const char *name = rd_cstr(&r), *text = rd_cstr(&r);
	struct slice types = {r.p, r.left};
	struct judge *j;
	uint16_t n = rd_u16(&r);

	rd_bytes(&r, (size_t)n * 4);
	if (!rd_end(&r) || strncmp(name, "kb$", 3) == 0) {
		session_protocol_error(s, "malformed Parse");
		return;
	}
	j = calloc(1, sizeof(*j));
	must(j != NULL);
	must((j->text = strdup(text)) != NULL && (j->name = strdup(name)) != NULL);
	j->len = strlen(text);
	j->mode = 'P';
	j->extended = true;
	buf_init(&j->types, 4 * 65536 + 2);
	buf_put(&j->types, types.p, types.len);
	start_judge(s, j);
}

static void
on_bind(struct session *s, struct slice body)
{
	struct pg_bind bind;
	struct pstmt *ps;
	struct judge *j;

	if (pg_read_bind(&bind, body) != ERR_OK) {
		session_protocol_error(s, "malformed Bind");
		return;
	}
	ps = map_get(&s->stmts, slice_cstr(bind.stmt));
	if (ps == NULL) {
		no_such(s, "26000", _("prepared statement does not exist"));
		return;
	}
	if (ps->stmt->j->epoch == s->db->epoch && ps->ctx == s->ctx &&
	    !(s->txn_dirty && s->ops_len > 0) &&
	    !(ps->pending && ps->syncs != s->syncs) &&
	    ps->stmt->kind != SQL_FETCH && ps->stmt->kind != SQL_EXECUTE) {
		send_bind(s, ps, &bind, body);
		return;
	}
	j = calloc(1, sizeof(*j));
	must(j != NULL && (j->text = strdup(ps->stmt->text)) != NULL);
	j->len = ps->stmt->len;
	j->mode = 'B';
	j->extended = true;
	buf_init(&j->types, 4 * 65536 + 2);
	buf_put(&j->types, buf_head(&ps->types), buf_used(&ps->types));
	buf_init(&j->msg, SQL_MAX_BYTES);
	buf_put(&j->msg, body.p, body.len);
	s->judge = j;
	if (ps->pending && ps->syncs != s->syncs && s->ops_len > 0) {
		if (s->in_pipeline)
			pg_put_empty(back_out(s), 'H');
		s->wait = WAIT_DRAIN;
		return;
	}
	start_judge(s, j);
}

static void
forward(struct session *s, struct pg_head h, struct slice body)
{
	struct buf *b = back_out(s);
	size_t mark = pg_begin(b, h.type);

	buf_put(b, body.p, body.len);
	pg_end(b, mark);
}

static void
on_describe_close(struct session *s, struct pg_head h, struct slice body)
{
	struct rd r = rd_init(body.p, body.len);
	char what = (char)rd_u8(&r);
	const char *name = rd_cstr(&r);
	struct op *op;

	if (!rd_end(&r) || (what != 'S' && what != 'P') ||
	    strncmp(name, "kb$", 3) == 0) {
		session_protocol_error(s, "malformed Describe or Close");
		return;
	}
	forward(s, h, body);
	if (h.type == 'C') {
		op = op_push(s, OP_CLOSE);
		op->has_undo = true;
		op->undo = map_del(what == 'S' ? &s->stmts : &s->portals,
		    slice_cstr(name));
	} else if (what == 'S') {
		struct pstmt *p = map_get(&s->stmts, slice_cstr(name));

		op = op_push(s, OP_DESCRIBE_STMT);
		op->stmt = p ? stmt_ref(p->stmt) : NULL;
	} else {
		struct portal *p = map_get(&s->portals, slice_cstr(name));

		op = op_push(s, OP_DESCRIBE_PORTAL);
		op->stmt = p ? stmt_ref(p->stmt) : NULL;
	}
	op->object = what;
	op->name = strdup(name);
}

static void
on_execute(struct session *s, struct slice body)
{
	struct rd r = rd_init(body.p, body.len);
	const char *name = rd_cstr(&r);
	struct portal *p;
	struct op *op;

	rd_u32(&r);
	if (!rd_end(&r)) {
		session_protocol_error(s, "malformed Execute");
		return;
	}
	p = map_get(&s->portals, slice_cstr(name));
	if (p == NULL || (p->pending && p->syncs != s->syncs && s->ops_len > 0)) {
		no_such(s, "34000", _("portal does not exist"));
		return;
	}
	op = op_push(s, OP_EXECUTE);
	op->stmt = stmt_ref(p->stmt);
	op->formats_count = p->formats_count;
	if (p->formats_count > 0) {
		must((op->formats = malloc(2 * p->formats_count)) != NULL);
		memcpy(op->formats, p->formats, 2 * p->formats_count);
	}
	note_effects(s, op);
	forward(s, (struct pg_head){'E', 0}, body);
	meter_begin(s, op);
	if (op->charged && op->stmt->j->v.modifies)
		pg_put_empty(back_out(s), 'H');
}

void
query_message(struct session *s, struct pg_head h, struct slice body)
{
	if (h.type == 'X') {
		s->leaving = true;
		session_close(s);
		return;
	}
	if (s->copy_in && (h.type == 'c' || h.type == 'f')) {
		s->copy_in = false;
		s->copy_ends++;
		forward(s, h, body);
		return;
	}
	if (s->copy_in) {
		/* As the server: Sync and Flush are ignored, others end the copy. */
		if (h.type != 'S' && h.type != 'H')
			session_protocol_error(s, "message not allowed during COPY");
		return;
	}
	if (s->skip_to_sync && h.type != 'S' && h.type != 'Q' && h.type != 'F')
		return;
	switch (h.type) {
	case 'Q':
		s->skip_to_sync = false;
		on_query(s, body);
		break;
	case 'P':
		on_parse(s, body);
		break;
	case 'B':
		on_bind(s, body);
		break;
	case 'C':
	case 'D':
		on_describe_close(s, h, body);
		break;
	case 'E':
		on_execute(s, body);
		break;
	case 'S':
		s->skip_to_sync = false;
		forward(s, h, body);
		op_push(s, OP_SYNC);
		break;
	case 'H':
		forward(s, h, body);
		break;
	case 'F':
		link_incident(s, "function-call", "refused");
		link_deny(s, "KB003", WHY_NONE, "FunctionCall", "", 0);
		session_fatal(s, "KB003",
		    _("the function call message is refused by the gate"), NULL,
		    _("Use SELECT function(...)."));
		break;
	case 'c':
	case 'f':
		/* Late: the copy ended with an error already. */
		s->copy_ends++;
		break;
	default:
		session_protocol_error(s, "message not allowed here");
		break;
	}
}
