/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/text.h"

#include <string.h>

#include "trace/tables.h"

struct tables {
	uint16_t cp932[65536], fold[65536], same[65536], like[65536],
	    kana[65536];
	uint32_t nastral;
	struct {
		uint32_t cp, to;
	} astral[];
};

static inline const struct tables *
tables(void)
{
	return (const struct tables *)trace_tables;
}

uint16_t
text_same(uint16_t c)
{
	return tables()->same[c];
}

uint16_t
text_like(uint16_t c)
{
	return tables()->like[c];
}

uint16_t
text_kana(uint16_t c)
{
	return tables()->kana[c];
}

bool
text_is_kana(uint16_t c)
{
	return (c >= 0x3041 && c <= 0x30fe) || c == ' ' || c == '-';
}

bool
text_is_kanji(uint16_t c)
{
	return (c >= 0x3400 && c < 0xa000) || (c >= 0xf900 && c < 0xfb00) ||
	    c == 0x3005;
}

/* Beyond U+FFFF: the T1 form, dropped for variation selectors, else private. */
static uint16_t
astral(uint32_t cp)
{
	const struct tables *t = tables();
	size_t lo = 0, hi = t->nastral;

	if (cp >= 0xe0100 && cp <= 0xe01ef)
		return 0;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (t->astral[mid].cp == cp)
			return (uint16_t)t->astral[mid].to;
		if (t->astral[mid].cp < cp)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (uint16_t)(0xe000 + cp % 0x1900);
}

/* Three bytes as most of Japanese text has them; 0 when it is not such. */
static inline uint32_t
utf8_three(const uint8_t *p, size_t n)
{
	if (n < 3 || p[0] < 0xe1 || p[0] > 0xec || (p[1] & 0xc0) != 0x80 ||
	    (p[2] & 0xc0) != 0x80)
		return 0;
	return (p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u);
}

unsigned
text_utf8_get(const uint8_t *p, size_t n, uint32_t *cp)
{
	unsigned len;
	uint32_t c;

	if (n == 0)
		return 0;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] < 0xe0)
		len = 2, c = p[0] & 0x1f;
	else if (p[0] >= 0xe0 && p[0] < 0xf0)
		len = 3, c = p[0] & 0x0f;
	else if (p[0] >= 0xf0 && p[0] < 0xf5)
		len = 4, c = p[0] & 0x07;
	else
		return 0;
	if (n < len)
		return 0;
	for (unsigned i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((len == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
	    (len == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	*cp = c;
	return len;
}

static bool
is_lead(uint8_t b)
{
	return (b >= 0x81 && b < 0xa0) || (b >= 0xe0 && b < 0xfd);
}

enum text_enc
text_guess(const uint8_t *p, size_t n, enum text_enc usual)
{
	size_t i = 0, euc = 0, kana = 0, sjis_bad = 0, half = 0;
	bool utf8 = true, euc_ok = true;
	uint32_t cp;

	while (i + 8 <= n) {
		uint64_t w;

		memcpy(&w, p + i, 8);
		if (w & 0x8080808080808080ull)
			break;
		i += 8;
	}
	while (i < n && p[i] < 0x80)
		i++;
	if (i == n)
		return ENC_ASCII;
	for (size_t j = i; j < n && utf8;) {
		unsigned len;

		if (p[j] < 0x80) {
			j++;
			continue;
		}
		len = utf8_three(p + j, n - j) ? 3 : text_utf8_get(p + j,
		    n - j, &cp);

		utf8 = len > 0;
		j += len;
	}
	if (utf8)
		return ENC_UTF8;
	for (size_t j = i; j < n && euc_ok; j++) {
		if (p[j] < 0x80)
			continue;
		if (p[j] == 0x8e && j + 1 < n && p[j + 1] >= 0xa1) {
			j++;
		} else if (p[j] >= 0xa1 && p[j] < 0xff && j + 1 < n &&
		    p[j + 1] >= 0xa1 && p[j + 1] < 0xff) {
			euc++;
			kana += p[j] == 0xa4 || p[j] == 0xa5 ||
			    (p[j] >= 0xb0 && p[j] < 0xd0);
			j++;
		} else
			euc_ok = false;
	}
	for (size_t j = i; j < n; j++) {
		if (p[j] < 0x80)
			continue;
		if (is_lead(p[j]) && j + 1 < n && p[j + 1] >= 0x40 &&
		    p[j + 1] != 0x7f && p[j + 1] < 0xfd)
			j++;
		else if (p[j] >= 0xa1 && p[j] < 0xe0)
			half++;
		else
			sjis_bad++;
	}
	/*
	 * Bytes that are EUC-JP kanji and kana read as CP932 give runs of
	 * half-width katakana: believe EUC when most of it is common EUC.
	 */
	if (euc_ok && (sjis_bad || (half >= euc && kana * 10 >= euc * 9) ||
	    usual == ENC_EUCJP))
		return ENC_EUCJP;
	if (sjis_bad == 0)
		return ENC_CP932;
	/* Broken in every reading: the file's own, its bad bytes show as U+FFFD. */
	return usual == ENC_ASCII ? ENC_UTF8 : usual;
}

/* か + voiced mark: が; ハ + ゜: パ. 0 when they do not compose. */
static uint16_t
compose(uint16_t c, uint16_t mark)
{
	if (mark == 0x3099) {
		if (c == 0x30a6 || c == 0x3046)
			return (uint16_t)(c + 0x4e);
		if ((c >= 0x30ab && c <= 0x30c2 && (c & 1)) ||
		    (c >= 0x30c4 && c <= 0x30c8 && !(c & 1)) ||
		    (c >= 0x304b && c <= 0x3062 && (c & 1)) ||
		    (c >= 0x3064 && c <= 0x3068 && !(c & 1)))
			return (uint16_t)(c + 1);
	}
	if ((c >= 0x30cf && c <= 0x30db && (c - 0x30cf) % 3 == 0) ||
	    (c >= 0x306f && c <= 0x307b && (c - 0x306f) % 3 == 0))
		return (uint16_t)(c + (mark == 0x3099 ? 1 : 2));
	return 0;
}

static inline void
put(struct text *t, uint16_t c)
{
	if (c == 0)
		return;
	if (c == ' ') {
		if (t->n == 0 || t->v[t->n - 1] == ' ')
			return;
	} else if ((c == 0x3099 || c == 0x309a) && t->n > 0) {
		uint16_t made = compose(t->v[t->n - 1], c);

		if (made)
			t->v[t->n - 1] = made;
		return;
	}
	if (t->n < TEXT_MAX)
		t->v[t->n++] = c;
}

void
text_decode(struct text *t, const uint8_t *p, size_t n, enum text_enc e)
{
	const struct tables *tab = tables();
	size_t i = 0;
	uint32_t cp;

	t->n = 0;
	while (i < n && t->n < TEXT_MAX) {
		if (p[i] < 0x80) {
			put(t, tab->fold[p[i++]]);
			continue;
		}
		switch (e) {
		case ENC_CP932:
			if (is_lead(p[i]) && i + 1 < n) {
				put(t, tab->fold[tab->cp932[p[i] << 8 |
				    p[i + 1]]]);
				i += 2;
			} else
				put(t, tab->fold[tab->cp932[p[i++]]]);
			break;
		case ENC_EUCJP:
			if (p[i] == 0x8e && i + 1 < n) {
				put(t, tab->fold[tab->cp932[p[i + 1]]]);
				i += 2;
			} else if (i + 1 < n && p[i] >= 0xa1 &&
			    p[i + 1] >= 0xa1) {
				unsigned a = p[i] - 0xa1u, b = p[i + 1] - 0xa1u;
				unsigned lead = a / 2 + (a < 62 ? 0x81 : 0xc1);
				unsigned trail = (a & 1) ? b + 0x9f :
				    b + (b < 63 ? 0x40 : 0x41);

				put(t, tab->fold[tab->cp932[lead << 8 |
				    trail]]);
				i += 2;
			} else {
				put(t, 0xfffd);
				i++;
			}
			break;
		default: {
			unsigned len;

			cp = utf8_three(p + i, n - i);
			if (cp) {
				put(t, tab->fold[cp]);
				i += 3;
				break;
			}
			len = text_utf8_get(p + i, n - i, &cp);
			if (len == 0) {
				put(t, 0xfffd);
				i++;
				break;
			}
			put(t, cp < 0x10000 ? tab->fold[cp] : astral(cp));
			i += len;
		}
		}
	}
	while (t->n > 0 && t->v[t->n - 1] == ' ')
		t->n--;
}

enum text_utf16
text_utf16_guess(const uint8_t *p, size_t n)
{
	size_t zero[2] = {0, 0}, units = (n < 65536 ? n : 65536) / 2;

	if (n >= 2 && p[0] == 0xff && p[1] == 0xfe)
		return UTF16_LE;
	if (n >= 2 && p[0] == 0xfe && p[1] == 0xff)
		return UTF16_BE;
	for (size_t i = 0; i < units * 2; i++)
		zero[i & 1] += p[i] == 0;
	/* U+3000 has its zero on the other side: a few are no doubt. */
	for (unsigned k = 0; k < 2; k++)
		if (units >= 8 && zero[k] * 20 > units &&
		    zero[k] > zero[!k] * 4)
			return k ? UTF16_LE : UTF16_BE;
	return UTF16_NO;
}

size_t
text_utf16_read(uint8_t *out, const uint8_t *p, size_t n,
    enum text_utf16 order)
{
	unsigned hi = order == UTF16_LE;
	size_t o = 0;

	for (size_t i = 0; i < n; i += 2) {
		uint32_t c = i + 1 < n ? (uint32_t)p[i + hi] << 8 |
		    p[i + !hi] : 0xfffd;

		if (c >= 0xd800 && c < 0xdc00 && i + 3 < n &&
		    (p[i + 2 + hi] & 0xfc) == 0xdc) {
			c = 0x10000 + ((c & 0x3ff) << 10 |
			    (p[i + 2 + hi] & 3u) << 8 | p[i + 2 + !hi]);
			i += 2;
		} else if (c >= 0xd800 && c < 0xe000)
			c = 0xfffd;
		if (c < 0x80) {
			out[o++] = (uint8_t)c;
			continue;
		}
		if (c >= 0x10000) {
			out[o++] = (uint8_t)(0xf0 | c >> 18);
			out[o++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		} else if (c >= 0x800)
			out[o++] = (uint8_t)(0xe0 | c >> 12);
		out[o++] = (uint8_t)(c < 0x800 ? 0xc0 | c >> 6 :
		    0x80 | (c >> 6 & 0x3f));
		out[o++] = (uint8_t)(0x80 | (c & 0x3f));
	}
	return o;
}

void
text_cstr(struct text *t, const char *utf8)
{
	text_decode(t, (const uint8_t *)utf8, strlen(utf8), ENC_UTF8);
}

size_t
text_utf8(char *out, size_t cap, const uint16_t *v, size_t n)
{
	size_t o = 0;

	for (size_t i = 0; i < n; i++) {
		uint16_t c = v[i];
		size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : 3;

		if (o + len >= cap)
			break;
		if (len == 1) {
			out[o] = (char)c;
		} else if (len == 2) {
			out[o] = (char)(0xc0 | c >> 6);
			out[o + 1] = (char)(0x80 | (c & 0x3f));
		} else {
			out[o] = (char)(0xe0 | c >> 12);
			out[o + 1] = (char)(0x80 | ((c >> 6) & 0x3f));
			out[o + 2] = (char)(0x80 | (c & 0x3f));
		}
		o += len;
	}
	if (cap)
		out[o] = '\0';
	return o;
}

uint64_t
text_hash_same(const uint16_t *v, size_t n)
{
	const uint16_t *same = tables()->same;
	uint64_t h = TEXT_HASH_INIT;

	for (size_t i = 0; i < n; i++)
		h = text_hash_add(h, same[v[i]]);
	return text_hash_end(h);
}

uint64_t
text_hash_like(const uint16_t *v, size_t n)
{
	const uint16_t *like = tables()->like;
	uint64_t h = TEXT_HASH_INIT;

	for (size_t i = 0; i < n; i++)
		h = text_hash_add(h, like[v[i]]);
	return text_hash_end(h);
}

uint64_t
text_hash_kana(const uint16_t *v, size_t n)
{
	const uint16_t *kana = tables()->kana;
	uint64_t h = TEXT_HASH_INIT;

	for (size_t i = 0; i < n; i++)
		if (kana[v[i]] && kana[v[i]] != ' ')
			h = text_hash_add(h, kana[v[i]]);
	return text_hash_end(h);
}
