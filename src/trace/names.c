/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dict/dict.h"

/* A set of hashes with a small weight each; open addressing. */
struct set {
	uint64_t *key;
	uint8_t *weight;
	size_t cap, count;
};

struct names {
	struct set surname, given, reading;
};

static enum err
set_init(struct set *s, size_t cap)
{
	s->cap = cap;
	s->key = calloc(cap, sizeof *s->key);
	s->weight = calloc(cap, 1);
	return s->key && s->weight ? ERR_OK : ERR_NOMEM;
}

static void
set_add(struct set *s, uint64_t key, unsigned weight)
{
	size_t i = key & (s->cap - 1);

	while (s->key[i] && s->key[i] != key)
		i = (i + 1) & (s->cap - 1);
	if (!s->key[i]) {
		must(++s->count < s->cap);
		s->key[i] = key;
	}
	if (weight > s->weight[i])
		s->weight[i] = (uint8_t)weight;
}

static unsigned
set_get(const struct set *s, uint64_t key)
{
	size_t i = key & (s->cap - 1);

	while (s->key[i]) {
		if (s->key[i] == key)
			return s->weight[i];
		i = (i + 1) & (s->cap - 1);
	}
	return 0;
}

static uint64_t
reading_key(uint64_t kanji, uint64_t kana)
{
	kanji ^= kana << 17 | kana >> 47;
	return kanji ? kanji : 1;
}

/* Splits on a byte; returns fields, at most max. */
static unsigned
fields(const char *p, size_t n, char sep, struct text *out, unsigned max)
{
	unsigned k = 0;

	while (k < max) {
		const char *e = memchr(p, sep, n);
		size_t len = e ? (size_t)(e - p) : n;

		text_decode(&out[k++], (const uint8_t *)p, len, ENC_UTF8);
		if (!e)
			break;
		p += len + 1;
		n -= len + 1;
	}
	return k;
}

static void
load_surnames(struct names *d, struct text *f)
{
	struct dict_file file = dict_surnames();
	const char *line;
	size_t len;
	char count[16];

	while (dict_line(&file, &line, &len)) {
		uint64_t key;
		unsigned weight = 0;

		if (fields(line, len, ',', f, 4) < 3)
			continue;
		text_utf8(count, sizeof count, f[1].v, f[1].n);
		for (unsigned long c = strtoul(count, NULL, 10); c > 1; c /= 2)
			weight++;
		key = text_hash_same(f[0].v, f[0].n);
		set_add(&d->surname, key, weight);
		set_add(&d->reading, reading_key(key,
		    text_hash_kana(f[2].v, f[2].n)), 1);
	}
	file = dict_surnames_more();
	while (dict_line(&file, &line, &len)) {
		const char *tab = memchr(line, '\t', len);
		unsigned k;
		uint64_t key;

		if (!tab)
			continue;
		text_decode(&f[0], (const uint8_t *)line, (size_t)(tab - line),
		    ENC_UTF8);
		key = text_hash_same(f[0].v, f[0].n);
		set_add(&d->surname, key, 2);
		k = fields(tab + 1, len - (size_t)(tab + 1 - line), ',', f, 8);
		for (unsigned i = 0; i < k; i++)
			set_add(&d->reading, reading_key(key,
			    text_hash_kana(f[i].v, f[i].n)), 1);
	}
}

static void
load_given(struct names *d, struct dict_file file)
{
	const char *line, *end, *p;
	size_t len;
	struct text t;

	while (dict_line(&file, &line, &len)) {
		for (p = line; p < line + len; p = end + 1) {
			end = memchr(p, ',', (size_t)(line + len - p));
			if (!end)
				end = line + len;
			text_decode(&t, (const uint8_t *)p, (size_t)(end - p),
			    ENC_UTF8);
			if (t.n > 0 && t.v[0] > 0x7f)
				set_add(&d->given, text_hash_same(t.v, t.n), 1);
		}
	}
}

enum err
names_open(struct names **out)
{
	struct names *d = calloc(1, sizeof *d);
	struct text *f = calloc(8, sizeof *f);
	enum err e = d && f ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK)
		e = set_init(&d->surname, 1 << 18);
	if (e == ERR_OK)
		e = set_init(&d->given, 1 << 18);
	if (e == ERR_OK)
		e = set_init(&d->reading, 1 << 19);
	if (e == ERR_OK) {
		load_surnames(d, f);
		load_given(d, dict_given_m());
		load_given(d, dict_given_f());
		*out = d;
	} else
		names_close(d);
	free(f);
	return e;
}

void
names_close(struct names *n)
{
	if (!n)
		return;
	free(n->surname.key);
	free(n->surname.weight);
	free(n->given.key);
	free(n->given.weight);
	free(n->reading.key);
	free(n->reading.weight);
	free(n);
}

static const uint16_t titles[][4] = {
	{0x69d8}, {0x6bbf}, {0x3055, 0x307e}, {0x3055, 0x3093},
	{0x3061, 0x3083, 0x3093}, {0x304f, 0x3093}, {0x69d8, 0x65b9},
};

/* Copies without parentheses and titles; space positions to `gap`. */
static void
strip(struct name *out, const struct text *t, unsigned *gap)
{
	unsigned depth = 0, end;

	memset(out, 0, sizeof *out);
	*gap = 0;
	for (unsigned i = 0; i < t->n && out->n < 63; i++) {
		uint16_t c = t->v[i];

		if (c == '(' || c == 0x3010 || c == '[') {
			depth++;
		} else if (c == ')' || c == 0x3011 || c == ']') {
			if (depth)
				depth--;
		} else if (depth == 0 && (c == ' ' || c == 0x30fb)) {
			if (*gap == 0)
				*gap = out->n;
		} else if (depth == 0 && c != '?' && c != 0x3013)
			out->all[out->n++] = c;
		else if (depth == 0)
			out->all[out->n++] = 0x3013;	/* 〓: lost */
	}
	for (size_t k = 0; k < sizeof titles / sizeof titles[0]; k++) {
		unsigned len = 0;

		while (len < 4 && titles[k][len])
			len++;
		if (out->n < len + 2)
			continue;
		end = out->n - len;
		if (memcmp(out->all + end, titles[k], len * 2) == 0) {
			out->n = (uint8_t)end;
			break;
		}
	}
	if (*gap >= out->n)
		*gap = 0;
	out->kana = out->n > 0;
	for (unsigned i = 0; i < out->n; i++)
		out->kana = out->kana && text_is_kana(out->all[i]);
}

void
name_parse(const struct names *d, struct name *out, const struct text *t,
    const struct name *reading)
{
	unsigned gap, best = 0;
	int best_score = 0;

	strip(out, t, &gap);
	out->split = (uint8_t)gap;
	if (gap || out->n < 2 || out->kana)
		return;
	for (unsigned k = 1; k < out->n && k <= 5; k++) {
		uint64_t key = text_hash_same(out->all, k);
		int score = (int)set_get(&d->surname, key);

		if (set_get(&d->given, text_hash_same(out->all + k,
		    out->n - k)))
			score += 8;
		if (k == 2)
			score += 3;
		if (reading && reading->split && set_get(&d->reading,
		    reading_key(key, text_hash_kana(reading->all,
		    reading->split))))
			score += 20;
		if (score > best_score) {
			best_score = score;
			best = k;
		}
	}
	out->split = (uint8_t)best;
}

void
kana_parse(const struct names *d, struct name *out, const struct text *t,
    const struct name *kanji)
{
	unsigned gap;
	uint64_t key;

	strip(out, t, &gap);
	out->split = (uint8_t)gap;
	if (gap || out->n < 2 || !kanji || !kanji->split)
		return;
	key = text_hash_same(kanji->all, kanji->split);
	for (unsigned k = out->n - 1u; k > 0; k--)
		if (set_get(&d->reading, reading_key(key,
		    text_hash_kana(out->all, k)))) {
			out->split = (uint8_t)k;
			return;
		}
}

/* 明治 大正 昭和 平成 令和: the letter, both first characters, year 0. */
static const struct {
	uint16_t letter, kanji, both[2];
	unsigned base;
} eras[] = {
	{'m', 0x660e, {0x660e, 0x6cbb}, 1867},
	{'t', 0x5927, {0x5927, 0x6b63}, 1911},
	{'s', 0x662d, {0x662d, 0x548c}, 1925},
	{'h', 0x5e73, {0x5e73, 0x6210}, 1988},
	{'r', 0x4ee4, {0x4ee4, 0x548c}, 2018},
};

static unsigned
month_days(unsigned y, unsigned m)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31};

	if (m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0))
		return 29;
	return days[m - 1];
}

static void
date_set(struct date *d, unsigned y, unsigned m, unsigned day, unsigned flags)
{
	if (y < 1850 || y > 2150 || m > 12 || day > 31)
		return;
	if (m == 0)
		flags |= DATE_NO_MONTH | DATE_NO_DAY;
	else if (day == 0)
		flags |= DATE_NO_DAY;
	else if (day > month_days(y, m))
		flags |= DATE_INVALID;
	*d = (struct date){(uint16_t)y, (uint8_t)m, (uint8_t)day,
	    (uint8_t)flags};
}

/* Days since 1899-12-30, Excel's calendar, to a date. */
static void
date_serial(struct date *d, unsigned serial)
{
	unsigned y = 1900, m = 1, left;

	if (serial < 367)
		return;
	left = serial - 2;	/* day 2 is 1900-01-01 after Excel's false leap day */
	for (;; y++) {
		unsigned len = month_days(y, 2) == 29 ? 366 : 365;

		if (left < len)
			break;
		left -= len;
	}
	for (; left >= month_days(y, m); m++)
		left -= month_days(y, m);
	date_set(d, y, m, left + 1, DATE_SERIAL);
}

static void
date_by_format(struct date *out, const struct text *t, const char *format)
{
	unsigned i = 0, y = 0, m = 0, d = 0, flags = 0;

	for (; *format; format++) {
		unsigned *to, width, v = 0, got = 0;

		if (*format != '%') {
			if (i < t->n && t->v[i] == (uint8_t)*format)
				i++;
			continue;
		}
		switch (*++format) {
		case 'Y': to = &y; width = 4; break;
		case 'y': to = &y; width = 2; flags |= DATE_TWO_DIGITS; break;
		case 'm': to = &m; width = 2; break;
		case 'd': to = &d; width = 2; break;
		default: return;
		}
		for (; got < width && i < t->n && t->v[i] >= '0' &&
		    t->v[i] <= '9'; i++, got++)
			v = v * 10 + (t->v[i] - '0');
		if (got == 0)
			return;
		*to = v;
	}
	if (flags & DATE_TWO_DIGITS)
		y += y > 30 ? 1900 : 2000;
	date_set(out, y, m, d, flags);
}

void
date_parse(struct date *out, const struct text *t, const char *format)
{
	unsigned v[3] = {0}, len[3] = {0}, k = 0, i = 0, base = 0;
	bool first = false;

	memset(out, 0, sizeof *out);
	if (format) {
		date_by_format(out, t, format);
		return;
	}
	for (size_t e = 0; e < sizeof eras / sizeof eras[0] && t->n; e++) {
		uint16_t c = t->v[0] >= 'A' && t->v[0] <= 'Z' ?
		    t->v[0] + 32 : t->v[0];

		if (c == eras[e].letter)
			i = 1;
		else if (t->n > 1 && t->v[0] == eras[e].both[0] &&
		    t->v[1] == eras[e].both[1])
			i = 2;
		else if (t->v[0] == eras[e].kanji)
			i = 1;
		else
			continue;
		base = eras[e].base;
		break;
	}
	for (; i < t->n && k < 3; i++) {
		uint16_t c = t->v[i];

		if (c >= '0' && c <= '9') {
			if (len[k] < 8)
				v[k] = v[k] * 10 + (c - '0');
			len[k]++;
		} else if (c == 0x5143 && base && k == 0 && len[0] == 0) {
			v[0] = 1;	/* 元 */
			len[0] = 1;
			first = true;
		} else if (len[k] > 0) {
			if (c == ':' || c == 'E' || c == 'e' || c == '+')
				return;
			k++;
			if ((c == ' ' || c == 'T') && k < 3)
				break;
		} else if (c != ' ' && c != '.' && c != '/' && c != '-')
			return;
	}
	if (k < 3 && len[k])
		k++;
	(void)first;
	if (base && k >= 1 && len[0] <= 2) {
		date_set(out, base + v[0], v[1], v[2], DATE_ERA);
		return;
	}
	if (base && k == 1 && len[0] == 6) {	/* H010501 */
		date_set(out, base + v[0] / 10000, v[0] / 100 % 100,
		    v[0] % 100, DATE_ERA);
		return;
	}
	if (base)
		return;
	if (k == 1) {
		if (len[0] == 8)
			date_set(out, v[0] / 10000, v[0] / 100 % 100,
			    v[0] % 100, 0);
		else if (len[0] == 6 && v[0] / 100 >= 1850 &&
		    v[0] / 100 <= 2100 && v[0] % 100 >= 1 && v[0] % 100 <= 12)
			date_set(out, v[0] / 100, v[0] % 100, 0, 0);
		else if (len[0] == 6)
			date_set(out, v[0] / 10000 + (v[0] / 10000 > 30 ?
			    1900 : 2000), v[0] / 100 % 100, v[0] % 100,
			    DATE_TWO_DIGITS);
		else if (len[0] == 5)
			date_serial(out, v[0]);
		else if (len[0] == 4)
			date_set(out, v[0], 0, 0, 0);
		return;
	}
	if (len[0] == 4)
		date_set(out, v[0], v[1], v[2], 0);
	else if (k == 3 && len[2] == 4 && v[0] >= 1 && v[0] <= 12)
		date_set(out, v[2], v[0], v[1], 0);
	else if (k == 3 && len[0] <= 2)
		date_set(out, v[0] + (v[0] > 30 ? 1900 : 2000), v[1], v[2],
		    DATE_TWO_DIGITS);
}

void
phone_parse(struct phone *out, const struct text *t)
{
	uint8_t d[24];
	unsigned n = 0, i = 0;
	bool plus = false, same = true;

	*out = (struct phone){0, PHONE_NONE};
	for (; i < t->n && n < sizeof d; i++) {
		uint16_t c = t->v[i];

		if (c >= '0' && c <= '9')
			d[n++] = (uint8_t)(c - '0');
		else if (c == '+' && n == 0)
			plus = true;
		else if ((c == 'E' || c == 'e') && n > 0) {
			out->kind = PHONE_DAMAGED;
			return;
		} else if ((c == '/' || c == ',' || c == ';' || c == 0x3001) &&
		    n >= 9)
			break;
		else if (c == '.' && n > 0 && i + 2 == t->n)
			break;		/* 312345678.0 */
	}
	if (n == 0)
		return;
	i = 0;
	if (plus && n > 2 && d[0] == 8 && d[1] == 1) {
		i = 2;
		if (d[i] == 0)
			i++;
		d[--i] = 0;
	} else if (n > 5 && d[0] == 0 && d[1] == 0 && d[2] == 8 && d[3] == 1) {
		d[3] = 0;
		i = 3;
	} else if (d[0] != 0 && (n == 9 || n == 10)) {
		memmove(d + 1, d, n);	/* Excel took the leading zero */
		d[0] = 0;
		n++;
	}
	for (unsigned k = i + 1; k < n; k++) {
		out->number = out->number * 10 + d[k];
		same = same && d[k] == d[i + 1];
	}
	n -= i;
	if (n < 8)
		out->number = 0;
	if (n < 8)
		out->kind = PHONE_DAMAGED;
	else if (out->number == 0 || same)
		out->kind = PHONE_FILLER;
	else if (d[i] != 0 || d[i + 1] == 0 || n > 12)
		out->kind = PHONE_OTHER;
	else
		out->kind = n == 11 ? PHONE_MOBILE : n == 10 ? PHONE_LAND :
		    PHONE_OTHER;
	if (out->kind == PHONE_FILLER && out->number == 0)
		out->number = 1;
}

void
phone_text(char *out, const struct phone *p)
{
	snprintf(out, 16, "0%0*llu", p->kind == PHONE_MOBILE ? 10 : 9,
	    (unsigned long long)p->number);
}
