/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters: from the bytes of a list (UTF-8, CP932 or EUC-JP, told line by
 * line) to folded 16-bit units. Three strengths of folding, each a table lookup
 * a character (tools/trace-tables.py):
 *   fold  width and compatibility forms; what is shown
 *   same  T1: the same character in another form (髙 = 高); what agrees
 *   like  T2: characters that are confused (斎 ~ 斉); what may be a candidate
 * Pure. Characters beyond U+FFFF become their T1 form, or one private unit.
 */
#ifndef KB_TRACE_TEXT_H
#define KB_TRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum text_enc { ENC_ASCII, ENC_UTF8, ENC_CP932, ENC_EUCJP, ENC_COUNT };

/* One field is at most this many units; the rest of a longer one is ignored. */
#define TEXT_MAX 512

struct text {
	uint16_t v[TEXT_MAX];
	unsigned n;
};

/* The encoding of a line; `usual` decides where bytes allow several. */
enum text_enc text_guess(const uint8_t *p, size_t n, enum text_enc usual);
/* Decodes and folds; spaces trimmed at both ends and made single inside. */
void text_decode(struct text *t, const uint8_t *p, size_t n, enum text_enc e);
void text_cstr(struct text *t, const char *utf8);
/* UTF-8, NUL-terminated, cut at a character when cap is short. */
size_t text_utf8(char *out, size_t cap, const uint16_t *v, size_t n);

/*
 * UTF-16 is made UTF-8 before anything reads it. Told by its mark, or without
 * one by the zero half of its ASCII.
 */
enum text_utf16 { UTF16_NO, UTF16_LE, UTF16_BE };
enum text_utf16 text_utf16_guess(const uint8_t *p, size_t n);
/* At most n / 2 * 3 + 3 bytes; half pairs and an odd end become U+FFFD. */
size_t text_utf16_read(uint8_t *out, const uint8_t *p, size_t n,
    enum text_utf16 order);

uint16_t text_same(uint16_t c);
uint16_t text_like(uint16_t c);
uint16_t text_kana(uint16_t c);	/* 0: dropped */
bool text_is_kana(uint16_t c);	/* after folding: hiragana or katakana */
bool text_is_kanji(uint16_t c);

/* Reads UTF-8; returns its length, 0 when malformed. */
unsigned text_utf8_get(const uint8_t *p, size_t n, uint32_t *cp);

/* 64-bit FNV-1a over units with a final mix; never 0. */
#define TEXT_HASH_INIT 0xcbf29ce484222325ull
static inline uint64_t
text_hash_add(uint64_t h, uint16_t c)
{
	return (h ^ c) * 0x100000001b3ull;
}
static inline uint64_t
text_hash_end(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ull;
	h ^= h >> 32;
	return h ? h : 1;
}
uint64_t text_hash_same(const uint16_t *v, size_t n);
uint64_t text_hash_like(const uint16_t *v, size_t n);
uint64_t text_hash_kana(const uint16_t *v, size_t n);

#endif
