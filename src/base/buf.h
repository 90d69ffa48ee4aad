/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable byte buffer with a maximum that its creator must give, and a
 * sticky `bad`: an append past the maximum (or without memory) changes nothing
 * and sets it. Readable bytes are data[off .. len).
 */
#ifndef KB_BASE_BUF_H
#define KB_BASE_BUF_H

#include "base/bytes.h"

struct buf {
	uint8_t *data;
	size_t off, len, cap, max;
	bool bad;
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_fini(struct buf *b);	/* frees, keeps max: usable again */
static inline size_t
buf_used(const struct buf *b)
{
	return b->len - b->off;
}
static inline uint8_t *
buf_head(const struct buf *b)
{
	return b->data + b->off;
}
/* Makes room for n more bytes and returns where they go, or NULL and bad. */
uint8_t *buf_room(struct buf *b, size_t n);
/* Counts n bytes written into buf_room() as part of the buffer. */
static inline void
buf_added(struct buf *b, size_t n)
{
	b->len += n;
}
/* Drops n readable bytes; frees the memory when that empties a large buffer. */
void buf_drop(struct buf *b, size_t n);
void buf_clear(struct buf *b);

void buf_put(struct buf *b, const void *p, size_t n);
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_cstr(struct buf *b, const char *s);	/* with its NUL */
void buf_str(struct buf *b, const char *s);	/* without */
void buf_lp16(struct buf *b, struct slice s);
void buf_lp32(struct buf *b, struct slice s);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Overwrites a u32 at position pos of the readable bytes. */
void buf_set_u32(struct buf *b, size_t pos, uint32_t v);

#endif
