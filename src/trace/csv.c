/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/csv.h"

#include <string.h>

void
csv_open(struct csv *c, const void *p, size_t len)
{
	static const uint8_t seps[] = {',', '\t', ';', '|'};
	size_t n = len < 65536 ? len : 65536, best = 0;
	const uint8_t *b = p;

	*c = (struct csv){.p = p, .len = len, .sep = ','};
	if (len >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf)
		c->at = 3;
	for (size_t k = 0; k < sizeof seps; k++) {
		size_t lines = 0, with = 0, i = c->at;

		while (i < n && lines < 20) {
			const uint8_t *e = memchr(b + i, '\n', n - i);
			size_t end = e ? (size_t)(e - b) : n;

			with += memchr(b + i, seps[k], end - i) != NULL;
			lines++;
			i = end + 1;
		}
		if (with > best) {
			best = with;
			c->sep = seps[k];
		}
	}
}

/*
 * Whether the row ends inside an open quote. A quote opens only at the start of
 * a field and closes only before a separator or an end.
 */
static bool
ends_open(const uint8_t *p, size_t n, uint8_t sep, size_t *open_at)
{
	size_t i = 0;

	while (i < n) {
		if (p[i] != '"') {
			const uint8_t *e = memchr(p + i, sep, n - i);

			if (!e)
				return false;
			i = (size_t)(e - p) + 1;
			continue;
		}
		*open_at = i++;
		for (;;) {
			const uint8_t *q = i < n ? memchr(p + i, '"', n - i) :
			    NULL;

			if (!q)
				return true;
			i = (size_t)(q - p) + 1;
			if (i == n || p[i] == sep || (p[i] == '\r' &&
			    i + 1 == n))
				break;
			if (p[i] == '"')
				i++;
		}
		i++;	/* the separator */
	}
	return false;
}

/*
 * A quote is open at the end of the line: the end of the row in which it closes,
 * or 0. `most` is where patience ends, from the start of the row.
 */
static size_t
quoted_end(struct csv *c, const uint8_t *start, size_t left, size_t line,
    size_t open_at, size_t most)
{
	const uint8_t *e;
	size_t at = open_at + 1, n;
	unsigned lines = 0;
	bool closed = false;

	/* From the open quote on, one pass to the one that closes it. */
	while (at < left && at < most && !closed) {
		if (start[at] == '\n' && ++lines > CSV_QUOTED_LINES)
			break;
		if (start[at] == '"') {
			if (at + 1 < left && start[at + 1] == '"') {
				at += 2;
				continue;
			}
			closed = at > line && (at + 1 == left ||
			    start[at + 1] == c->sep ||
			    start[at + 1] == '\n' || start[at + 1] == '\r');
			if (!closed && at > line)
				break;
		}
		at++;
	}
	c->probed += at;
	if (!closed)
		return 0;
	e = memchr(start + at, '\n', left - at);
	n = e ? (size_t)(e - start) : left;
	if (n > most + line || ends_open(start, n, c->sep, &open_at))
		return 0;
	return n;
}

bool
csv_next(struct csv *c, struct csv_row *row)
{
	const uint8_t *start, *e;
	size_t left, n, open_at = 0;
	bool sure;

	if (c->skip) {
		e = c->at < c->len ? memchr(c->p + c->at, '\n', c->len -
		    c->at) : NULL;
		c->at = e ? (size_t)(e - c->p) + 1 : c->len;
		c->skip = !e;
	}
	if (c->at >= c->len)
		return false;
	start = c->p + c->at;
	left = c->len - c->at;
	sure = !c->more || left >= CSV_WINDOW;
	e = memchr(start, '\n', left);
	if (!e && !sure)
		return false;
	n = e ? (size_t)(e - start) : left;
	row->flags = 0;
	row->offset = c->base + c->at;
	if (n <= CSV_ROW_MAX && memchr(start, '"', n) &&
	    ends_open(start, n, c->sep, &open_at)) {
		/* Less patience once a file has shown that it is broken. */
		size_t most = c->probed > c->base + c->at + CSV_QUOTED_BYTES ?
		    2048 : CSV_QUOTED_BYTES;
		size_t end;

		if (!sure)
			return false;
		end = quoted_end(c, start, left, n, open_at, most);
		if (end)
			n = end;
		else
			row->flags |= CSV_BROKEN_QUOTE;
	}
	c->skip = c->more && n == left;
	c->at += n + 1;
	if (n > 0 && start[n - 1] == '\r')
		n--;
	if (n > CSV_ROW_MAX) {
		n = CSV_ROW_MAX;
		row->flags |= CSV_TOO_LONG;
	}
	row->len = n;
	return true;
}

void
csv_window(struct csv *c, const void *p, size_t len, bool more)
{
	c->base += c->at < c->len ? c->at : c->len;
	c->p = p;
	c->len = len;
	c->at = 0;
	c->more = more;
}

unsigned
csv_split(const uint8_t *p, size_t n, uint8_t sep, struct slice *out,
    unsigned max, uint8_t *scratch)
{
	unsigned k = 0;
	size_t i = 0;

	while (k < max) {
		const uint8_t *e;
		size_t end;

		while (i < n && p[i] == ' ')
			i++;
		if (i < n && p[i] == '"') {
			size_t j = i + 1, len = 0;
			bool closed = false, doubled = false;

			for (; j < n; j++) {
				if (p[j] != '"')
					continue;
				if (j + 1 < n && p[j + 1] == '"') {
					doubled = true;
					j++;
				} else if (j + 1 == n || p[j + 1] == sep) {
					closed = true;
					break;
				}
			}
			if (closed && !doubled) {
				out[k++] = (struct slice){p + i + 1, j - i - 1};
			} else if (closed) {
				for (size_t s = i + 1; s < j; s++) {
					scratch[len++] = p[s];
					if (p[s] == '"')
						s++;
				}
				out[k++] = (struct slice){scratch, len};
				scratch += len;
			}
			if (closed) {
				i = j + 1;
				if (i >= n)
					break;
				i++;
				continue;
			}
		}
		e = i < n ? memchr(p + i, sep, n - i) : NULL;
		end = e ? (size_t)(e - p) : n;
		out[k++] = (struct slice){p + i, end - i};
		if (!e)
			break;
		i = end + 1;
	}
	return k;
}
