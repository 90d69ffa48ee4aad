/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { BUF_MIN = 256, BUF_KEEP = 16384 };

void
buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){.max = max_bytes};
}

void
buf_fini(struct buf *b)
{
	size_t max = b->max;

	free(b->data);
	buf_init(b, max);
}

uint8_t *
buf_room(struct buf *b, size_t n)
{
	size_t used = buf_used(b), cap;
	uint8_t *p;

	if (b->bad)
		return NULL;
	if (b->cap - b->len >= n)
		return b->data + b->len;
	if (n > b->max || used > b->max - n) {
		b->bad = true;
		return NULL;
	}
	if (b->off > 0) {
		memmove(b->data, b->data + b->off, used);
		b->off = 0;
		b->len = used;
		if (b->cap - b->len >= n)
			return b->data + b->len;
	}
	cap = b->cap < BUF_MIN ? BUF_MIN : b->cap;
	while (cap < used + n)
		cap *= 2;
	if (cap > b->max)
		cap = b->max;
	if ((p = realloc(b->data, cap)) == NULL) {
		b->bad = true;
		return NULL;
	}
	b->data = p;
	b->cap = cap;
	return p + b->len;
}

void
buf_drop(struct buf *b, size_t n)
{
	must(n <= buf_used(b));
	b->off += n;
	if (b->off == b->len)
		buf_clear(b);
}

void
buf_clear(struct buf *b)
{
	b->off = b->len = 0;
	if (b->cap > BUF_KEEP)
		buf_fini(b);
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
	uint8_t *d = n ? buf_room(b, n) : NULL;

	if (d != NULL) {
		memcpy(d, p, n);
		b->len += n;
	}
}

void
buf_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, 1);
}

void
buf_u16(struct buf *b, uint16_t v)
{
	uint8_t w[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	buf_put(b, w, sizeof(w));
}

void
buf_u32(struct buf *b, uint32_t v)
{
	uint8_t w[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
	    (uint8_t)(v >> 8), (uint8_t)v};

	buf_put(b, w, sizeof(w));
}

void
buf_u64(struct buf *b, uint64_t v)
{
	buf_u32(b, (uint32_t)(v >> 32));
	buf_u32(b, (uint32_t)v);
}

void
buf_cstr(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s) + 1);
}

void
buf_str(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_lp16(struct buf *b, struct slice s)
{
	if (s.len > UINT16_MAX) {
		b->bad = true;
		return;
	}
	buf_u16(b, (uint16_t)s.len);
	buf_put(b, s.p, s.len);
}

void
buf_lp32(struct buf *b, struct slice s)
{
	if (s.len > UINT32_MAX) {
		b->bad = true;
		return;
	}
	buf_u32(b, (uint32_t)s.len);
	buf_put(b, s.p, s.len);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	uint8_t *d;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0 && (d = buf_room(b, (size_t)n + 1)) != NULL) {
		vsnprintf((char *)d, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void
buf_set_u32(struct buf *b, size_t pos, uint32_t v)
{
	uint8_t *d = buf_head(b) + pos;

	if (b->bad)
		return;
	must(pos + 4 <= buf_used(b));
	d[0] = (uint8_t)(v >> 24);
	d[1] = (uint8_t)(v >> 16);
	d[2] = (uint8_t)(v >> 8);
	d[3] = (uint8_t)v;
}
