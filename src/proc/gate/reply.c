/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server messages of a protected session. Each belongs to the op at the head;
 * a message that fits none ends the session. What could carry data beside the
 * rows (errors, notices, notifications, parameters, tags, column names) is
 * passed, withheld or charged here.
 */
#include "proc/gate/gate.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


enum { MAX_COLUMNS = 1664, TREE_MESSAGE_MAX = 64 << 20 };

static void
broken(struct session *s, const char *what)
{
	link_incident(s, "server", what);
	session_fatal(s, "08P01", _("the database server broke the protocol"), what, NULL);
}

static void
put_message(struct session *s, char type, struct slice body)
{
	uint8_t head[PG_HEAD_BYTES] = {(uint8_t)type,
	    (uint8_t)((body.len + 4) >> 24), (uint8_t)((body.len + 4) >> 16),
	    (uint8_t)((body.len + 4) >> 8), (uint8_t)(body.len + 4)};

	/* When the head lies before the body, both are one run. */
	if (memcmp(body.p - PG_HEAD_BYTES, head, PG_HEAD_BYTES) == 0) {
		front_put(s, body.p - PG_HEAD_BYTES, PG_HEAD_BYTES + body.len);
		return;
	}
	front_put(s, head, PG_HEAD_BYTES);
	front_put(s, body.p, body.len);
}

static bool
dropped(const struct op *op)
{
	return op != NULL && (op->internal != INT_NONE || op->cut);
}

/* ---- errors and notices ---- */

/*
 * Texts of these SQLSTATEs (or classes) are about the statement, the session or
 * the server, never about a value: shown when no user's code could have raised
 * them. Class 42 is not among them: a cast to regclass quotes its argument.
 */
static bool
text_is_safe(const char *state)
{
	static const char *const safe[] = {"08", "25", "26", "34", "40", "42501",
	    "53", "55P03", "57"};

	for (size_t i = 0; i < sizeof(safe) / sizeof(*safe); i++) {
		if (strncmp(state, safe[i], strlen(safe[i])) == 0)
			return true;
	}
	return false;
}

static bool
withhold(const struct session *s, const struct op *op, const char *state)
{
	const struct judged *j = op ? op_judged(op) : NULL;

	if (j == NULL || !j->v.touches_personal)
		return s->txn_touched && !text_is_safe(state);
	/*
	 * Making and dropping objects evaluates immutable expressions at most: what
	 * they raise of class 42 (or as notices) is about names in the statement.
	 */
	if ((op->stmt->kind == SQL_DDL_CREATE || op->stmt->kind == SQL_DDL_DROP) &&
	    (strncmp(state, "42", 2) == 0 || strncmp(state, "00", 2) == 0 ||
	    strncmp(state, "2B", 2) == 0 || strncmp(state, "3F", 2) == 0))
		return false;
	return j->v.runs_user_code || !text_is_safe(state);
}

/*
 * How many notices there are could be a number of people, so one that is withheld is
 * not passed at all. User code chooses the SQLSTATE and the names in its errors.
 */
static void
put_notice(struct session *s, const struct op *op, char type, struct slice body)
{
	const struct judged *j = op ? op_judged(op) : NULL;
	const char *state = pg_field(body, 'C');
	char text[160], detail[256];

	if (state == NULL || strlen(state) != 5)
		state = "XX000";
	if (!withhold(s, op, state)) {
		put_message(s, type, body);
		return;
	}
	if (type == 'N')
		return;
	snprintf(text, sizeof(text), _("%s (text withheld by the gate)"),
	    pg_condition(state));
	snprintf(detail, sizeof(detail), "%s",
	    _("The statement touches personal data, which the text could show."));
	if (j == NULL || j->v.runs_user_code)
		pg_put_error(front_out(s), 'E', pg_field(body, 'V'),
		    pg_condition_known(state) ? state : "P0001", text, detail, NULL);
	else
		pg_put_withheld(front_out(s), type, body, text, detail);
}

static void
on_notice(struct session *s, struct op *op, struct slice body)
{
	const char *severity = pg_field(body, 'V'), *detail;

	if (op != NULL && op->internal == INT_TREE && s->judge != NULL) {
		detail = pg_field(body, 'D');
		if (severity != NULL && strcmp(severity, "LOG") == 0 &&
		    detail != NULL && detail[0] == '(') {
			buf_clear(&s->judge->tree);
			buf_str(&s->judge->tree, detail);
			s->judge->trees++;
		}
		return;
	}
	/* LOG and DEBUG lines are the server operator's (trees among them). */
	if (severity == NULL || strcmp(severity, "LOG") == 0 ||
	    strncmp(severity, "DEBUG", 5) == 0 || dropped(op))
		return;
	put_notice(s, op, 'N', body);
}

static void
put_refusal(struct session *s, const struct judged *j)
{
	const char *contact = s->role ? s->role->contact : NULL;
	char hint[2048];

	/* What the gate refuses can be asked about; other errors are the client's. */
	if (contact != NULL && strncmp(j->sqlstate, "KB", 2) == 0)
		snprintf(hint, sizeof(hint), _("%s%sQuestions: %s"),
		    j->hint ? j->hint : "", j->hint ? " " : "", contact);
	else
		snprintf(hint, sizeof(hint), "%s", j->hint ? j->hint : "");
	pg_put_error(front_out(s), 'E', "ERROR", j->sqlstate, j->message, NULL,
	    hint[0] ? hint : NULL);
}

/* The rest of the pipeline is skipped by the server: nothing will answer. */
static void
skip_pipeline(struct session *s)
{
	bool judging = false, charged = false;
	size_t n = 0;

	while (n < s->ops_len && op_at(s, n)->type != OP_SYNC)
		n++;
	for (size_t i = n; i > 0; i--) {
		judging |= op_at(s, i - 1)->internal == INT_END;
		charged |= op_at(s, i - 1)->charged;
		op_undo(s, op_at(s, i - 1));
	}
	while (n-- > 0)
		op_pop(s);
	s->skip_to_sync = s->ops_len == 0;
	if (s->ops_len > 0)
		op_head(s)->saw_error = true;
	if (charged && !s->charge_over) {
		/* An Execute behind what failed: its rows will not come. */
		s->charge_failed = true;
		meter_over(s);
	}
	if (judging && s->judge != NULL && s->wait == WAIT_TREE) {
		judge_free(s->judge);
		s->judge = NULL;
		s->wait = WAIT_NONE;
		s->skip_to_sync = true;
	}
}

static void
on_error(struct session *s, struct op *op, struct slice body)
{
	/* The next statement's tree may have been asked for before a cut's own error. */
	bool tree = op != NULL && op->internal != INT_NONE && op->internal != INT_FAIL &&
	    op->internal != INT_READY && s->judge != NULL && s->wait == WAIT_TREE;
	bool whole;

	if (s->txn_dirty)
		ctx_changed(s, "error", 5, true);
	if (op == NULL) {
		put_notice(s, NULL, 'E', body);
		return;
	}
	whole = op->type == OP_QUERY;
	if (tree) {
		const char *state = pg_field(body, 'C');
		struct slice all = {body.p - PG_HEAD_BYTES, body.len + PG_HEAD_BYTES};

		/* The client deallocated our own statements: prepare them again. */
		if (state != NULL && strcmp(state, "26000") == 0)
			s->tree_ready = false;
		if (s->judge->extended) {
			/* Ours to answer: the client's own message was not sent yet. */
			struct judge *j = s->judge;

			while (s->ops_len > 0 && op_head(s)->type != OP_SYNC)
				op_pop(s);
			s->judge = j;
			judge_tree_done(s, all);
			return;
		}
		buf_put(&s->judge->error, all.p, all.len);
		while (s->ops_len > 0 && op_head(s)->type != OP_SYNC)
			op_pop(s);
		if (s->ops_len > 0)
			op_head(s)->saw_error = true;
		return;
	}
	if (op->poisoned)
		put_refusal(s, op->stmt->j);
	else if (!dropped(op))
		put_notice(s, op, 'E', body);
	else if (op->internal == INT_END)	/* COMMIT of a split text failed */
		put_notice(s, op, 'E', body);
	op->saw_error = true;
	if (op->quiet)
		s->pieces_failed = true;
	if (op->charged) {
		s->charge_failed = true;
		meter_over(s);
	}
	if (!whole)
		skip_pipeline(s);
}

/* ---- rows ---- */

/* RowDescription without the hidden columns. */
static bool
on_row_description(struct session *s, struct op *op, struct slice body)
{
	struct rd r = rd_init(body.p, body.len);
	const struct judged *j = op_judged(op);
	unsigned n = rd_u16(&r), hidden = j ? j->nhidden : 0;
	const uint8_t *rest = r.p;
	size_t left = r.left, mark;

	if (op->type == OP_QUERY && j != NULL && judged_charges(j)) {
		free(op->formats);
		must((op->formats = calloc(n ? n : 1, 2)) != NULL);
		op->formats_count = n;
	}
	for (unsigned i = 0; i < n; i++) {
		struct slice fixed;

		rd_cstr(&r);
		fixed = rd_bytes(&r, 18);
		if (r.bad)
			return false;
		if (op->type == OP_QUERY && op->formats != NULL)
			memcpy(op->formats + 2 * i, fixed.p + 16, 2);
		if (i + 1 == hidden) {
			rest = r.p;
			left = r.left;
		}
	}
	if (!rd_end(&r) || hidden > n)
		return false;
	if (hidden == 0) {
		put_message(s, 'T', body);
		return true;
	}
	mark = pg_begin(front_out(s), 'T');
	buf_u16(front_out(s), (uint16_t)(n - hidden));
	buf_put(front_out(s), rest, left);
	pg_end(front_out(s), mark);
	return true;
}

static bool
on_data_row(struct session *s, struct op *op, struct slice body)
{
	static struct pg_cell cells[MAX_COLUMNS];
	const struct judged *j = op_judged(op);
	uint64_t start;
	size_t n, skip = 2, mark;

	if (pg_row(cells, MAX_COLUMNS, &n, body) != ERR_OK || n > MAX_COLUMNS ||
	    n < j->nhidden || (op->type == OP_QUERY && n != op->formats_count))
		return false;
	front_settle(s);
	start = front_pos(s);
	if (j->nhidden == 0) {
		put_message(s, 'D', body);
	} else {
		for (unsigned i = 0; i < j->nhidden; i++)
			skip += 4 + cells[i].value.len;
		mark = pg_begin(front_out(s), 'D');
		buf_u16(front_out(s), (uint16_t)(n - j->nhidden));
		buf_put(front_out(s), body.p + skip, body.len - skip);
		pg_end(front_out(s), mark);
	}
	meter_row(s, op, start, cells, n);
	return true;
}

static bool
on_copy_out(struct session *s, struct op *op, struct slice body)
{
	struct rd r = rd_init(body.p, body.len);
	const struct judged *j = op_judged(op);
	unsigned format = rd_u8(&r), n = rd_u16(&r), hidden = j ? j->nhidden : 0;
	struct slice formats = rd_bytes(&r, (size_t)n * 2);
	size_t mark;

	if (!rd_end(&r) || hidden > n)
		return false;
	op->ncols = (uint16_t)n;
	op->copy_first = true;
	if (hidden == 0) {
		put_message(s, 'H', body);
		return true;
	}
	mark = pg_begin(front_out(s), 'H');
	buf_u8(front_out(s), (uint8_t)format);
	buf_u16(front_out(s), (uint16_t)(n - hidden));
	buf_put(front_out(s), formats.p, (size_t)(n - hidden) * 2);
	pg_end(front_out(s), mark);
	return true;
}

static void
put_copy_data(struct session *s, struct slice a, struct slice b)
{
	size_t mark = pg_begin(front_out(s), 'd');

	buf_put(front_out(s), a.p, a.len);
	buf_put(front_out(s), b.p, b.len);
	pg_end(front_out(s), mark);
}

/* One CopyData: a line, but for the header and trailer of a format. */
static bool
on_copy_data(struct session *s, struct op *op, struct slice line)
{
	static const uint8_t signature[11] = "PGCOPY\n\377\r\n";
	const struct stmt *st = op->stmt;
	struct slice head = {line.p, 0}, rest = line;
	struct pg_cell cell;
	uint64_t start;
	bool first = op->copy_first, binary = st->copy.format == PG_COPY_BINARY;

	op->copy_first = false;
	front_settle(s);
	if (binary && first) {
		struct rd r = rd_init(line.p, line.len);
		struct slice sig = rd_bytes(&r, 11);

		rd_u32(&r);
		rd_lp32(&r);
		if (r.bad || memcmp(sig.p, signature, 11) != 0)
			return false;
		head.len = line.len - r.left;
		line = rest = (struct slice){r.p, r.left};
		if (line.len == 0) {
			put_copy_data(s, head, line);
			return true;
		}
	}
	start = front_pos(s);
	if (binary && line.len == 2 && line.p[0] == 0xff && line.p[1] == 0xff) {
		put_copy_data(s, head, line);
		return true;
	}
	if (!binary && (line.len == 0 || line.p[line.len - 1] != '\n' ||
	    (st->copy.format == PG_COPY_TEXT &&
	    memchr(line.p, '\n', line.len - 1) != NULL)))
		return false;
	if (st->j->nhidden == 0 && head.len == 0) {
		put_message(s, 'd', line);
	} else if (st->j->nhidden == 0) {
		put_copy_data(s, head, line);
	} else if (binary) {
		struct rd r = rd_init(line.p, line.len);
		unsigned n = rd_u16(&r), hidden = st->j->nhidden;
		size_t mark;

		for (unsigned i = 0; i < hidden; i++) {
			uint32_t len = rd_u32(&r);

			rd_bytes(&r, len == UINT32_MAX ? 0 : len);
		}
		if (r.bad || n < hidden)
			return false;
		mark = pg_begin(front_out(s), 'd');
		buf_put(front_out(s), head.p, head.len);
		buf_u16(front_out(s), (uint16_t)(n - hidden));
		buf_put(front_out(s), r.p, r.left);
		pg_end(front_out(s), mark);
	} else {
		for (unsigned i = 0; i < st->j->nhidden; i++) {
			if (pg_copy_cell(&st->copy, rest, 0, &cell, &rest) != ERR_OK)
				return false;
		}
		put_copy_data(s, (struct slice){NULL, 0}, rest);
	}
	if (first && st->copy_header)
		return true;	/* names, not data */
	meter_line(s, start, line);
	return true;
}

/* Its digits, and the rows that its last number counts. */
static uint32_t
tag_units(const struct verdict *v, struct slice tag)
{
	uint64_t digits = 0, rows = 0;

	for (size_t i = 0; i < tag.len; i++) {
		if (isdigit(tag.p[i])) {
			digits++;
			rows = rows > UINT32_MAX ? rows : 10 * rows + (tag.p[i] - '0');
		} else if (tag.p[i] == ' ') {
			rows = 0;
		}
	}
	digits += rows * v->tag_weight;
	return digits > UINT32_MAX ? UINT32_MAX : (uint32_t)digits;
}

static void
on_complete(struct session *s, struct op *op, char type, struct slice body)
{
	struct judged *j = op_judged(op);
	uint64_t start;

	if (type == 'C' && !op->internal && !op->cut) {
		query_op_done(s, op, (const char *)body.p);
		if (op->charged && j->v.tag_depends) {
			front_settle(s);
			start = front_pos(s);
			put_message(s, type, body);
			meter_units(s, start, tag_units(&j->v, body));
			goto done;
		}
	}
	if (!dropped(op))
		put_message(s, type, body);
done:
	if (op->stmt != NULL && !op->internal && !op->charged && op->stmt->hash != 0 &&
	    j->class == VERDICT_FREE)
		tally_count(s, VERDICT_FREE, op->stmt->hash, op->stmt->text, op->stmt->len,
		    1, op->rows);
	op->rows = 0;
	op->complete = true;
	if (op->charged)
		meter_over(s);
	if (op->type == OP_EXECUTE)
		op_pop(s);
}

/* ---- ready ---- */

void
reply_ready(struct session *s)
{
	if (s->charge_cut && s->txn == 'T') {
		s->charge_cut = false;
		query_abort(s, INT_READY);
		return;
	}
	s->charge_cut = false;
	pg_put_ready(front_out(s), s->txn);
}

static void
on_ready(struct session *s, struct op *op, struct slice body)
{
	uint8_t internal = op->internal;
	bool quiet = op->quiet, charged = op->charged;

	s->txn = (char)body.p[0];
	if (s->txn == 'I') {
		s->txn_dirty = s->txn_touched = s->txn_ddl = false;
	}
	op_pop(s);
	if (charged)
		meter_over(s);
	s->copy_in = false;
	if (internal == INT_READY) {
		reply_ready(s);
	} else if (internal == INT_END && s->judge != NULL && s->wait == WAIT_TREE) {
		struct judge *j = s->judge;
		struct buf error = j->error;

		buf_init(&j->error, COLLECT_MAX);
		judge_tree_done(s, (struct slice){error.data ? buf_head(&error) : NULL,
		    buf_used(&error)});
		buf_fini(&error);
	} else if (quiet) {
		query_piece_done(s);
	} else if (internal == INT_NONE) {
		/* That of an earlier pipeline does not wait for this one's rows. */
		if (s->charged && s->charge_over)
			s->held_ready++;
		else
			reply_ready(s);
	}
}

/* ---- one message ---- */

/* It executes a statement of this kind. */
static bool
runs(const struct op *op, enum sql_kind kind)
{
	return op && (op->type == OP_EXECUTE || op->type == OP_QUERY) &&
	    op->stmt != NULL && op->stmt->kind == kind;
}

static bool
fits(const struct op *op, char type)
{
	if (op && op->type == OP_QUERY && (op->complete || op->saw_error) &&
	    strchr("TDCIGHdc", type) != NULL)
		return false;
	switch (type) {
	case '1': return op && op->type == OP_PARSE;
	case '2': return op && op->type == OP_BIND;
	case '3': return op && op->type == OP_CLOSE;
	case 't': return op && op->type == OP_DESCRIBE_STMT;
	case 'n': return op && (op->type == OP_DESCRIBE_STMT ||
	    op->type == OP_DESCRIBE_PORTAL);
	case 'T': return op && (op->type == OP_DESCRIBE_STMT ||
	    op->type == OP_DESCRIBE_PORTAL || op->type == OP_QUERY);
	case 'D': case 'C': case 'I':
		return op && (op->type == OP_EXECUTE || op->type == OP_QUERY);
	case 'G':
		return runs(op, SQL_COPY_IN);
	case 'H': case 'd': case 'c':
		return runs(op, SQL_COPY_OUT);
	case 's': return op && op->type == OP_EXECUTE;
	case 'Z': return op && (op->type == OP_SYNC || op->type == OP_QUERY);
	case 'E': case 'N': case 'S': case 'A': return true;
	default: return false;
	}
}

static void
end_of(struct session *s, struct op *op)
{
	bool end = op->internal == INT_END;

	op_pop(s);
	if (end && s->judge != NULL && s->wait == WAIT_TREE && s->judge->extended)
		judge_tree_done(s, (struct slice){NULL, 0});
}

static void
not_pending(struct session *s, const struct op *op)
{
	struct pstmt *ps;
	struct portal *p;

	if (op->name == NULL)
		return;
	if (op->type == OP_PARSE &&
	    (ps = map_get(&s->stmts, slice_cstr(op->name))) != NULL)
		ps->pending = false;
	if (op->type == OP_BIND &&
	    (p = map_get(&s->portals, slice_cstr(op->name))) != NULL)
		p->pending = false;
}

static bool
encoding_is_safe(const char *name)
{
	/* Bytes of a character may look like ASCII: quotes, braces, backslashes. */
	static const char *const embeds_ascii[] = {"SJIS", "BIG5", "GBK", "UHC",
	    "GB18030", "JOHAB", "SHIFT_JIS_2004"};

	for (size_t i = 0; i < sizeof(embeds_ascii) / sizeof(*embeds_ascii); i++) {
		if (strcmp(name, embeds_ascii[i]) == 0)
			return false;
	}
	return true;
}

void
reply_parameter(struct session *s, const char *name, const char *value)
{
	if (strcmp(name, "standard_conforming_strings") == 0)
		s->std_strings = strcmp(value, "off") != 0;
	if (strcmp(name, "client_encoding") == 0 && !s->db->conf->unprotected &&
	    !encoding_is_safe(value)) {
		link_deny(s, "KB003", WHY_SETTING, "client_encoding", "", 0);
		session_fatal(s, "KB003",
		    _("this client encoding cannot be judged safely; use UTF8 or EUC_JP"),
		    value, NULL);
	}
}

static void
on_parameter(struct session *s, struct op *op, struct slice body)
{
	struct rd r = rd_init(body.p, body.len);
	const char *name = rd_cstr(&r), *value = rd_cstr(&r);

	if (!rd_end(&r)) {
		broken(s, "ParameterStatus");
		return;
	}
	reply_parameter(s, name, value);
	/* Its value is the client's to choose, so it could carry anything. */
	if (s->kill || strcmp(name, "application_name") == 0 ||
	    (dropped(op) && op->internal))
		return;
	put_message(s, 'S', body);
}

/* A notification's payload comes from anywhere: only its channel is passed. */
static void
on_notification(struct session *s, struct slice body)
{
	struct rd r = rd_init(body.p, body.len);
	uint32_t pid = rd_u32(&r);
	const char *channel = rd_cstr(&r);
	size_t mark;

	rd_cstr(&r);
	if (!rd_end(&r)) {
		broken(s, "NotificationResponse");
		return;
	}
	mark = pg_begin(front_out(s), 'A');
	buf_u32(front_out(s), pid);
	buf_cstr(front_out(s), channel);
	buf_cstr(front_out(s), "");
	pg_end(front_out(s), mark);
}

static void
on_copy_in(struct session *s, struct op *op)
{
	size_t keep = 0;

	if (op->type == OP_EXECUTE) {
		/* Syncs sent before the copy's end are ignored by the server. */
		for (size_t i = 0; i < s->ops_len; i++) {
			struct op *o = op_at(s, i);

			if (i > 0 && o->type == OP_SYNC && o->copy_ends == op->copy_ends)
				continue;
			*op_at(s, keep++) = *o;
		}
		s->ops_len = keep;
	}
	s->copy_in = s->copy_ends == op_head(s)->copy_ends;
}

/* An error or notice as the protocol has it; clients may crash of others. */
static bool
is_report(struct slice body)
{
	const char *state = pg_field(body, 'C');

	return body.len > 1 && body.p[body.len - 1] == 0 &&
	    body.p[body.len - 2] == 0 && pg_field(body, 'V') != NULL &&
	    pg_field(body, 'M') != NULL && state != NULL && strlen(state) == 5;
}

/* After an error there is no other one before ReadyForQuery. */
static bool
second_error(const struct session *s, const struct op *op, struct slice body)
{
	if (strcmp(pg_field(body, 'V'), "ERROR") != 0)
		return false;	/* the end of the session may always be told */
	if (op == NULL)
		return s->skip_to_sync;
	return op->saw_error && (op->type == OP_QUERY || op->type == OP_SYNC);
}

static void
on_message(struct session *s, char type, struct slice body)
{
	struct op *op = op_head(s);
	bool ok = true;

	if (!fits(op, type)) {
		broken(s, "unexpected message");
		return;
	}
	switch (type) {
	case '1': case '2': case '3':
		not_pending(s, op);
		if (!dropped(op))
			put_message(s, type, body);
		end_of(s, op);
		break;
	case 't':
		if (!dropped(op))
			put_message(s, type, body);
		break;
	case 'n':
		put_message(s, type, body);
		end_of(s, op);
		break;
	case 'T':
		if (!dropped(op))
			ok = on_row_description(s, op, body);
		if (op->type != OP_QUERY)
			end_of(s, op);
		break;
	case 'D':
		op->rows++;
		if (dropped(op))
			break;
		if (op->charged)
			ok = on_data_row(s, op, body);
		else
			put_message(s, type, body);
		break;
	case 'H':
		if (!dropped(op))
			ok = on_copy_out(s, op, body);
		break;
	case 'd':
		op->rows++;
		if (dropped(op))
			break;
		if (op->charged)
			ok = on_copy_data(s, op, body);
		else
			put_message(s, type, body);
		break;
	case 'c':
		if (!dropped(op))
			put_message(s, type, body);
		break;
	case 'G':
		if (!dropped(op)) {
			on_copy_in(s, op);
			put_message(s, type, body);
		}
		break;
	case 'C': case 'I': case 's':
		ok = type != 'C' || (body.len > 0 && body.p[body.len - 1] == 0);
		if (ok)
			on_complete(s, op, type, body);
		break;
	case 'E':
		ok = is_report(body) && !second_error(s, op, body);
		if (ok)
			on_error(s, op, body);
		break;
	case 'N':
		ok = is_report(body);
		if (ok)
			on_notice(s, op, body);
		break;
	case 'S':
		on_parameter(s, op, body);
		break;
	case 'A':
		on_notification(s, body);
		break;
	case 'Z':
		ok = body.len == 1 && strchr("ITE", body.p[0]) != NULL;
		if (ok)
			on_ready(s, op, body);
		break;
	default:
		ok = false;
		break;
	}
	if (!ok)
		broken(s, "malformed message");
}

/* May its bytes pass (or be dropped) before all of it is here? */
static bool
streams(const struct op *op, char type, bool *drop)
{
	const struct judged *j = op ? op_judged(op) : NULL;

	*drop = dropped(op);
	if ((type != 'D' && type != 'd') || !fits(op, type))
		return false;
	return *drop || j == NULL || !op->charged;
}

static size_t
take(struct session *s, const uint8_t *p, size_t len)
{
	size_t pos = 0, n;
	struct pg_head h;
	enum err e;
	bool drop;

	while (pos < len && s->phase == PH_LIVE && !s->kill) {
		struct op *op = op_head(s);

		if (s->back_left > 0) {
			n = len - pos < s->back_left ? len - pos : (size_t)s->back_left;
			if (!s->back_drop)
				front_put(s, p + pos, n);
			s->back_left -= n;
			pos += n;
			continue;
		}
		e = pg_head(&h, p + pos, len - pos);
		if (e == ERR_SHORT)
			break;
		if (e != ERR_OK || !pg_server_type(h.type)) {
			broken(s, "invalid message head");
			return len;
		}
		if (len - pos < PG_HEAD_BYTES + (size_t)h.len) {
			if (streams(op, h.type, &drop)) {
				op->rows++;
				if (!drop)
					front_put(s, p + pos, PG_HEAD_BYTES);
				s->back_left = h.len;
				s->back_drop = drop;
				pos += PG_HEAD_BYTES;
				continue;
			}
			if (h.len > (h.type == 'N' && op != NULL &&
			    op->internal == INT_TREE ? TREE_MESSAGE_MAX :
			    h.type == 'D' || h.type == 'd' || h.type == 'T' ?
			    FRONT_OUT_MAX / 2 : COLLECT_MAX)) {
				if (h.type == 'N') {
					s->back_left = h.len;
					s->back_drop = true;
					pos += PG_HEAD_BYTES;
					continue;
				}
				session_fatal(s, "54000", h.type == 'D' || h.type == 'd' ?
				    _("a row of personal data may have 32 MiB at most") :
				    _("a message of the database server is too long"),
				    NULL, NULL);
				return len;
			}
			break;
		}
		on_message(s, h.type, (struct slice){p + pos + PG_HEAD_BYTES, h.len});
		pos += PG_HEAD_BYTES + h.len;
	}
	return pos;
}

void
reply_bytes(struct session *s, const uint8_t *p, size_t len)
{
	struct buf *in = &s->back->up.in;
	size_t used;

	in->max = TREE_MESSAGE_MAX + SCRATCH_BYTES * 2;
	if (buf_used(in) > 0) {
		buf_put(in, p, len);
		used = take(s, buf_head(in), buf_used(in));
		if (s->phase == PH_LIVE && s->back != NULL)
			buf_drop(in, used);
	} else {
		used = take(s, p, len);
		if (s->phase == PH_LIVE && s->back != NULL && used < len)
			buf_put(in, p + used, len - used);
	}
	if (s->phase != PH_LIVE || s->kill)
		return;
	meter_flush(s);
	if (s->wait == WAIT_DRAIN && s->ops_len == 0)
		query_drained(s);
	if (s->wait == WAIT_COPY && !front_copy_comes(s))
		s->wait = WAIT_NONE;
	if (s->wait == WAIT_NONE || s->copy_in)
		front_take(s);
}
