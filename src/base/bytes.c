/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <string.h>

static const uint8_t *
rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || r->left < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

uint8_t
rd_u8(struct rd *r)
{
	const uint8_t *p = rd_take(r, 1);

	return p ? p[0] : 0;
}

uint16_t
rd_u16(struct rd *r)
{
	const uint8_t *p = rd_take(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t
rd_u32(struct rd *r)
{
	const uint8_t *p = rd_take(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3] : 0;
}

uint64_t
rd_u64(struct rd *r)
{
	uint64_t hi = rd_u32(r);

	return hi << 32 | rd_u32(r);
}

struct slice
rd_bytes(struct rd *r, size_t len)
{
	const uint8_t *p = rd_take(r, len);

	return p ? (struct slice){p, len} : (struct slice){NULL, 0};
}

struct slice
rd_lp16(struct rd *r)
{
	return rd_bytes(r, rd_u16(r));
}

struct slice
rd_lp32(struct rd *r)
{
	return rd_bytes(r, rd_u32(r));
}

const char *
rd_cstr(struct rd *r)
{
	const uint8_t *end;

	if (r->bad || (end = memchr(r->p, 0, r->left)) == NULL) {
		r->bad = true;
		return "";
	}
	return (const char *)rd_take(r, (size_t)(end - r->p) + 1);
}

bool
rd_end(const struct rd *r)
{
	return !r->bad && r->left == 0;
}

struct slice
slice_cstr(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
slice_is(struct slice a, const char *s)
{
	return slice_eq(a, slice_cstr(s));
}

static inline uint64_t
mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The folded-multiply construction (as in wyhash), 16 bytes a step. */
uint64_t
hash64(const void *p, size_t len, uint64_t seed)
{
	const uint8_t *s = p;
	uint64_t a, b, h = seed ^ 0x9e3779b97f4a7c15u;
	size_t n = len;

	for (; n > 16; n -= 16, s += 16) {
		memcpy(&a, s, 8);
		memcpy(&b, s + 8, 8);
		h = mix(a ^ 0xa0761d6478bd642fu, b ^ h);
	}
	a = b = 0;
	if (n > 8) {
		memcpy(&a, s, 8);
		memcpy(&b, s + 8, n - 8);
	} else if (n > 0) {
		memcpy(&a, s, n);
	}
	return mix(0xe7037ed1a0b428dbu ^ len, mix(a ^ 0x8ebc6af09c88c6e3u, b ^ h));
}

static const char b64_abc[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
b64_len(size_t n)
{
	return (n + 2) / 3 * 4;
}

size_t
b64_encode(char *out, const void *p, size_t n)
{
	const uint8_t *s = p;
	char *o = out;

	for (; n >= 3; n -= 3, s += 3) {
		uint32_t v = (uint32_t)s[0] << 16 | (uint32_t)s[1] << 8 | s[2];

		*o++ = b64_abc[v >> 18];
		*o++ = b64_abc[v >> 12 & 63];
		*o++ = b64_abc[v >> 6 & 63];
		*o++ = b64_abc[v & 63];
	}
	if (n > 0) {
		uint32_t v = (uint32_t)s[0] << 16 | (n > 1 ? (uint32_t)s[1] << 8 : 0);

		*o++ = b64_abc[v >> 18];
		*o++ = b64_abc[v >> 12 & 63];
		*o++ = n > 1 ? b64_abc[v >> 6 & 63] : '=';
		*o++ = '=';
	}
	*o = 0;
	return (size_t)(o - out);
}

/* Value of a base64 character plus one; 0: it is none. */
static const uint8_t b64_values[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
	20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
	44, 45, 46, 47, 48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['+'] = 63, ['/'] = 64,
};

bool
b64_decode(uint8_t *out, size_t cap, const char *s, size_t n, size_t *len)
{
	size_t pad = 0, o = 0;

	if (n % 4 != 0)
		return false;
	if (n > 0 && s[n - 1] == '=')
		pad = s[n - 2] == '=' ? 2 : 1;
	if (n / 4 * 3 - pad > cap)
		return false;
	for (size_t i = 0; i < n; i += 4) {
		size_t fill = i + 4 == n ? pad : 0;
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			int d = k >= 4 - fill ? 0 :
			    b64_values[(uint8_t)s[i + k]] - 1;

			if (d < 0)
				return false;
			v = v << 6 | (uint32_t)d;
		}
		if ((fill == 1 && (v & 0xff)) || (fill == 2 && (v & 0xffff)))
			return false;
		out[o++] = (uint8_t)(v >> 16);
		if (fill < 2)
			out[o++] = (uint8_t)(v >> 8);
		if (fill < 1)
			out[o++] = (uint8_t)v;
	}
	*len = o;
	return true;
}

void
hex_encode(char *out, const void *p, size_t n)
{
	static const char d[] = "0123456789abcdef";
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = d[s[i] >> 4];
		out[2 * i + 1] = d[s[i] & 15];
	}
	out[2 * n] = 0;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
hex_decode(uint8_t *out, const char *s, size_t n)
{
	if (n % 2 != 0)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		int h = hex_value(s[i]), l = hex_value(s[i + 1]);

		if (h < 0 || l < 0)
			return false;
		out[i / 2] = (uint8_t)(h << 4 | l);
	}
	return true;
}

size_t
utf8_char(const uint8_t *p, size_t n)
{
	size_t need;
	uint8_t lo = 0x80, hi = 0xbf;

	if (n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		lo = 0xa0;
	else if (p[0] == 0xed)
		hi = 0x9f;
	else if (p[0] == 0xf0)
		lo = 0x90;
	else if (p[0] == 0xf4)
		hi = 0x8f;
	if (n < need || p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < need; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return need;
}
