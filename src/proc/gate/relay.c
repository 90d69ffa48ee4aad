/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database declared free of personal data: every byte passes as it came.
 * Frames are walked only to count statements and rows for the log, and to put
 * application_name back when it was changed.
 */
#include "proc/gate/gate.h"

#include <string.h>


/* Counts a statement's text when it lies whole in the bytes at hand. */
static void
note_statement(struct session *s, char type, const uint8_t *body, size_t have,
    uint32_t len)
{
	struct rd r = rd_init(body, have < len ? have : len);
	static char shape[8192];
	const char *text;
	uint64_t hash;
	size_t n;

	if (type == 'P') {
		const uint8_t *end = memchr(r.p, 0, r.left);

		if (end == NULL)
			return;
		r = rd_init(end + 1, r.left - (size_t)(end + 1 - r.p));
	}
	text = (const char *)r.p;
	n = strnlen(text, r.left);
	if (n > 8192)
		n = 8192;
	sql_shape(shape, sizeof(shape), text, n, s->std_strings, &hash);
	tally_count(s, VERDICT_FREE, hash, text, n, 1, 0);
}

void
relay_front(struct session *s, const uint8_t *p, size_t len)
{
	size_t pos = 0, start = 0;
	struct pg_head h;
	enum err e;

	while (pos < len) {
		if (s->front_left > 0) {
			size_t n = len - pos < s->front_left ? len - pos : s->front_left;

			s->front_left -= (uint32_t)n;
			pos += n;
			continue;
		}
		e = pg_head(&h, p + pos, len - pos);
		if (e == ERR_SHORT)
			break;
		if (e != ERR_OK) {
			session_protocol_error(s, "invalid length of message");
			return;
		}
		if (h.type == 'Q' || h.type == 'S' || h.type == 'F')
			s->outstanding++;
		if (h.type == 'X')
			s->leaving = true;
		if (h.type == 'Q' || h.type == 'P')
			note_statement(s, h.type, p + pos + PG_HEAD_BYTES,
			    len - pos - PG_HEAD_BYTES, h.len);
		pos += PG_HEAD_BYTES;
		s->front_left = h.len;
	}
	if (pos > start) {
		struct conn *c = &s->back->up.conn;
		ssize_t n = 0;

		if (buf_used(&c->out) == 0 && (n = conn_send(c, p, pos)) < 0)
			n = 0;
		buf_put(&c->out, p + n, pos - (size_t)n);
	}
	/* At most four bytes of a head that is not complete. */
	if (pos < len)
		buf_put(&s->in, p + pos, len - pos);
}

static void
set_name_back(struct session *s)
{
	struct buf *b = back_out(s);
	size_t mark = pg_begin(b, 'Q');

	buf_str(b, "SET application_name = '");
	for (const char *p = s->actor; *p; p++) {
		if (*p == '\'')
			buf_u8(b, '\'');
		buf_u8(b, (uint8_t)*p);
	}
	buf_cstr(b, "'");
	pg_end(b, mark);
	s->name_wrong = false;
	s->outstanding++;
	s->relay_skip = 1;	/* until its ReadyForQuery */
}

/*
 * Most messages are only counted. ParameterStatus and ReadyForQuery are small;
 * one that is split over two reads is completed in s->rows (unused here).
 */
static void
relay_small(struct session *s, char type, struct slice body)
{
	struct rd r = rd_init(body.p, body.len);
	const char *name, *value;

	if (type == 'S') {
		name = rd_cstr(&r);
		value = rd_cstr(&r);
		if (rd_end(&r) && strcmp(name, "application_name") == 0 &&
		    strcmp(value, s->actor) != 0)
			s->name_wrong = true;
		if (strcmp(name, "standard_conforming_strings") == 0)
			s->std_strings = strcmp(value, "off") != 0;
	} else if (type == 'Z' && body.len == 1) {
		s->txn = (char)body.p[0];
		if (s->outstanding > 0)
			s->outstanding--;
	}
}

void
relay_back(struct session *s, const uint8_t *p, size_t len)
{
	size_t pos = 0, start = 0;
	struct pg_head h;
	enum err e;

	if (buf_used(&s->rows) > 0) {
		/* The head (or the small message) that the last read cut short. */
		uint8_t *head;
		size_t had = buf_used(&s->rows), need = PG_HEAD_BYTES;

		buf_put(&s->rows, p, len < 512 ? len : 512);
		head = buf_head(&s->rows);
		if (pg_head(&h, head, buf_used(&s->rows)) == ERR_OK &&
		    (h.type == 'S' || h.type == 'Z') && h.len <= 512)
			need += h.len;
		if (buf_used(&s->rows) < need)
			return;
		if (need > PG_HEAD_BYTES)
			relay_small(s, h.type, (struct slice){head + PG_HEAD_BYTES, h.len});
		if (s->relay_skip == 0 || h.type == 'N' || h.type == 'A')
			front_put(s, head, need);
		s->back_drop = s->relay_skip != 0;
		if (h.type == 'Z')
			s->relay_skip = 0;
		s->back_left = PG_HEAD_BYTES + (uint64_t)h.len - need;
		start = pos = need - had;
		buf_clear(&s->rows);
	}
	while (pos < len) {
		bool small;

		if (s->back_left > 0) {
			size_t n = len - pos < s->back_left ? len - pos :
			    (size_t)s->back_left;

			s->back_left -= n;
			pos += n;
			if (s->back_drop)
				start = pos;
			continue;
		}
		e = pg_head(&h, p + pos, len - pos);
		if (e != ERR_OK && e != ERR_SHORT) {
			session_fatal(s, "08006", _("the database server broke the protocol"),
			    NULL, NULL);
			return;
		}
		small = e == ERR_OK && (h.type == 'S' || h.type == 'Z') && h.len <= 512;
		if (e == ERR_SHORT || (small && len - pos < PG_HEAD_BYTES + h.len))
			break;
		if (small)
			relay_small(s, h.type, (struct slice){p + pos + PG_HEAD_BYTES, h.len});
		if (s->relay_skip != 0) {
			/* Answers to the gate's own SET are not the client's. */
			s->back_drop = true;
			if (pos > start)
				front_put(s, p + start, pos - start);
			pos += PG_HEAD_BYTES;
			s->back_left = h.len;
			start = pos;
			if (h.type == 'Z') {
				pos += h.len;
				start = pos;
				s->back_left = 0;
				s->relay_skip = 0;
				s->name_wrong = false;
			}
			continue;
		}
		s->back_drop = false;
		if (h.type == 'D' || h.type == 'd') {
			for (int i = 0; i < TALLIES; i++) {
				if (s->tallies[i].shape != NULL) {
					s->tallies[i].rows++;
					break;
				}
			}
		}
		pos += PG_HEAD_BYTES;
		s->back_left = h.len;
		if (h.type == 'Z' && s->name_wrong && s->txn == 'I' &&
		    s->outstanding == 0 && s->front_left == 0) {
			pos += h.len;
			s->back_left = 0;
			set_name_back(s);
		}
	}
	if (pos > start)
		front_put(s, p + start, pos - start);
	if (pos < len)
		buf_put(&s->rows, p + pos, len - pos);
}
