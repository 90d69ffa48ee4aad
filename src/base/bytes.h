/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two cursors over bytes, each with a sticky `bad` flag: after the first
 * failure every further call is a no-op that returns zero, so a parser checks
 * once, at its end. Lengths are compared, pointers are never summed past an end.
 * All integers on the wires that Kuraban speaks are big-endian.
 */
#ifndef KB_BASE_BYTES_H
#define KB_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed run of bytes; not NUL-terminated. */
struct slice {
	const uint8_t *p;
	size_t len;
};

struct rd {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static inline struct rd
rd_init(const void *p, size_t len)
{
	return (struct rd){p, len, false};
}

uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
/* Borrows len bytes; {NULL,0} and bad when fewer are left. */
struct slice rd_bytes(struct rd *r, size_t len);
/* u16 length, then that many bytes. */
struct slice rd_lp16(struct rd *r);
/* u32 length, then that many bytes. */
struct slice rd_lp32(struct rd *r);
/* Up to and with a NUL; the slice is without it, but p[len] == 0. */
const char *rd_cstr(struct rd *r);
/* true when nothing failed and every byte was used. */
bool rd_end(const struct rd *r);

struct slice slice_cstr(const char *s);
bool slice_eq(struct slice a, struct slice b);
bool slice_is(struct slice a, const char *s);

/* 64-bit hash for tables inside one process; not keyed, not for the ledger. */
uint64_t hash64(const void *p, size_t len, uint64_t seed);

/* RFC 4648 section 4, with padding. out needs b64_len(n)+1; NUL-terminated. */
size_t b64_len(size_t n);
size_t b64_encode(char *out, const void *p, size_t n);
/* Strict: no spaces, right padding, zero pad bits. cap >= n/4*3. */
bool b64_decode(uint8_t *out, size_t cap, const char *s, size_t n, size_t *len);
/* Length of the valid UTF-8 character at p (RFC 3629), 0 when it is none. */
size_t utf8_char(const uint8_t *p, size_t n);
void hex_encode(char *out, const void *p, size_t n);
bool hex_decode(uint8_t *out, const char *s, size_t n);

#endif
