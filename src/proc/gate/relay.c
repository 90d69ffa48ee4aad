/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database declared free of personal data: every byte passes as it came.
 * Frames are walked only to count statements and rows for the log.
 */
#include "proc/gate/gate.h"

#include <string.h>

enum { SMALL_MAX = 512 };	/* server message that is looked into */

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
		if (h.type == 'Q' || h.type == 'S' || h.type == 'F') {
			s->outstanding++;
			s->in_pipeline = false;
		} else if (h.type == 'E') {
			s->in_pipeline = true;
		}
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
		if (rd_end(&r) && strcmp(name, "standard_conforming_strings") == 0)
			s->std_strings = strcmp(value, "off") != 0;
	} else if (type == 'Z' && body.len == 1) {
		s->txn = (char)body.p[0];
		if (s->outstanding > 0)
			s->outstanding--;
	}
}

static bool
is_small(const struct pg_head *h)
{
	return (h->type == 'S' || h->type == 'Z') && h->len <= SMALL_MAX;
}

static void
broken(struct session *s)
{
	session_fatal(s, "08006", _("the database server broke the protocol"), NULL,
	    NULL);
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

		buf_put(&s->rows, p, len < SMALL_MAX + PG_HEAD_BYTES ? len :
		    SMALL_MAX + PG_HEAD_BYTES);
		head = buf_head(&s->rows);
		e = pg_head(&h, head, buf_used(&s->rows));
		if (e != ERR_OK && e != ERR_SHORT) {
			broken(s);
			return;
		}
		if (e == ERR_OK && is_small(&h))
			need += h.len;
		if (buf_used(&s->rows) < need)
			return;
		if (need > PG_HEAD_BYTES)
			relay_small(s, h.type, (struct slice){head + PG_HEAD_BYTES, h.len});
		front_put(s, head, need);
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
			continue;
		}
		e = pg_head(&h, p + pos, len - pos);
		if (e != ERR_OK && e != ERR_SHORT) {
			broken(s);
			return;
		}
		small = e == ERR_OK && is_small(&h);
		if (e == ERR_SHORT || (small && len - pos < PG_HEAD_BYTES + h.len))
			break;
		if (small)
			relay_small(s, h.type, (struct slice){p + pos + PG_HEAD_BYTES, h.len});
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
	}
	if (pos > start)
		front_put(s, p + start, pos - start);
	if (pos < len)
		buf_put(&s->rows, p + pos, len - pos);
}
