/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/people.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dict/dict.h"

struct word {
	const char *kanji, *kana;	/* in the dictionaries: not terminated */
	uint16_t kanji_len, kana_len;
};

struct town {
	const char *line;
	uint32_t len, city;
};

struct people {
	struct word *sur;
	double *sur_sum;		/* cumulated counts */
	size_t nsur;
	struct word *given[2];
	double *given_sum[2];
	size_t ngiven[2];
	struct town *town;
	size_t ntown;
	const char **city;		/* its "#" line */
	uint32_t *city_len;
	size_t ncity;
};

/* Katakana from hiragana, both three bytes a character. */
static void
katakana(char *out, size_t cap, const char *s, size_t n)
{
	size_t o = 0;

	for (size_t i = 0; i + 3 <= n; i += 3) {
		unsigned c = ((unsigned)s[i] & 15) << 12 |
		    ((unsigned)s[i + 1] & 63) << 6 | ((unsigned)s[i + 2] & 63);

		if (c >= 0x3041 && c <= 0x3096)
			c += 0x60;
		if (o + 4 > cap)
			break;
		out[o++] = (char)(0xe0 | c >> 12);
		out[o++] = (char)(0x80 | (c >> 6 & 63));
		out[o++] = (char)(0x80 | (c & 63));
	}
	out[o] = '\0';
}

static enum err
load_surnames(struct people *p)
{
	struct dict_file f = dict_surnames(), more = dict_surnames_more();
	const char *line;
	size_t len, cap = 110000;
	double sum = 0;

	p->sur = calloc(cap, sizeof *p->sur);
	p->sur_sum = calloc(cap, sizeof *p->sur_sum);
	if (!p->sur || !p->sur_sum)
		return ERR_NOMEM;
	while (dict_line(&f, &line, &len)) {
		const char *c1 = memchr(line, ',', len), *c2, *c3;

		if (!c1 || !(c2 = memchr(c1 + 1, ',', (size_t)(line + len -
		    c1 - 1))) || !(c3 = memchr(c2 + 1, ',', (size_t)(line +
		    len - c2 - 1))))
			continue;
		sum += strtod(c1 + 1, NULL);
		p->sur[p->nsur] = (struct word){line, c2 + 1,
		    (uint16_t)(c1 - line), (uint16_t)(c3 - c2 - 1)};
		p->sur_sum[p->nsur++] = sum;
	}
	/* A fifth of the country has none of the 2,000 most common ones. */
	for (size_t k = 0, n = 90000; k < n && dict_line(&more, &line, &len);
	    k++) {
		const char *tab = memchr(line, '\t', len);
		const char *comma;

		if (!tab || p->nsur == cap)
			continue;
		comma = memchr(tab + 1, ',', (size_t)(line + len - tab - 1));
		sum += 250;
		p->sur[p->nsur] = (struct word){line, tab + 1,
		    (uint16_t)(tab - line), (uint16_t)((comma ? comma : line +
		    len) - tab - 1)};
		p->sur_sum[p->nsur++] = sum;
	}
	return ERR_OK;
}

static enum err
load_given(struct people *p, int sex, struct dict_file f)
{
	const char *line;
	size_t len, cap = 60000;
	struct rng r = {.s = 77 + (uint64_t)sex};
	double sum = 0;

	p->given[sex] = calloc(cap, sizeof *p->given[sex]);
	p->given_sum[sex] = calloc(cap, sizeof *p->given_sum[sex]);
	if (!p->given[sex] || !p->given_sum[sex])
		return ERR_NOMEM;
	while (dict_line(&f, &line, &len)) {
		const char *end = line + len, *c = memchr(line, ',', len), *q;
		size_t kana = c ? (size_t)(c - line) : 0;
		/* Fame of a reading, then of each way to write it: Zipf. */
		double fame = pow(1 + rng_unit(&r) * 3000, -.9);
		unsigned rank = 0;

		if (!c || !(q = memchr(c + 1, ',', (size_t)(end - c - 1))))
			continue;
		for (q++; q < end && p->ngiven[sex] < cap; rank++) {
			const char *e = memchr(q, ',', (size_t)(end - q));

			if (!e)
				e = end;
			if (e > q) {
				sum += fame / (1 + rank);
				p->given[sex][p->ngiven[sex]] = (struct word){
				    q, line, (uint16_t)(e - q),
				    (uint16_t)kana};
				p->given_sum[sex][p->ngiven[sex]++] = sum;
			}
			q = e + 1;
		}
	}
	return ERR_OK;
}

static enum err
load_towns(struct people *p)
{
	struct dict_file f = dict_towns();
	const char *line;
	size_t len;

	p->town = calloc(130000, sizeof *p->town);
	p->city = calloc(130000, sizeof *p->city);
	p->city_len = calloc(130000, sizeof *p->city_len);
	if (!p->town || !p->city || !p->city_len)
		return ERR_NOMEM;
	while (dict_line(&f, &line, &len) && p->ntown < 130000) {
		if (len && line[0] == '#') {
			p->city[p->ncity] = line;
			p->city_len[p->ncity++] = (uint32_t)len;
		} else if (p->ncity && len > 8 && line[8] != '\t')
			p->town[p->ntown++] = (struct town){line,
			    (uint32_t)len, (uint32_t)p->ncity - 1};
	}
	return ERR_OK;
}

enum err
people_open(struct people **out)
{
	struct people *p = calloc(1, sizeof *p);
	enum err e = p ? load_surnames(p) : ERR_NOMEM;

	if (e == ERR_OK)
		e = load_given(p, 0, dict_given_m());
	if (e == ERR_OK)
		e = load_given(p, 1, dict_given_f());
	if (e == ERR_OK)
		e = load_towns(p);
	if (e == ERR_OK)
		*out = p;
	else
		people_close(p);
	return e;
}

void
people_close(struct people *p)
{
	if (!p)
		return;
	free(p->sur);
	free(p->sur_sum);
	for (int i = 0; i < 2; i++) {
		free(p->given[i]);
		free(p->given_sum[i]);
	}
	free(p->town);
	free(p->city);
	free(p->city_len);
	free(p);
}

static size_t
draw(const double *sum, size_t n, struct rng *r)
{
	double x = rng_unit(r) * sum[n - 1];
	size_t lo = 0, hi = n - 1;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (sum[mid] > x)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

void
people_surname(const struct people *p, struct rng *r, struct person *x)
{
	const struct word *w = &p->sur[draw(p->sur_sum, p->nsur, r)];

	snprintf(x->surname, sizeof x->surname, "%.*s", w->kanji_len,
	    w->kanji);
	katakana(x->surname_kana, sizeof x->surname_kana, w->kana,
	    w->kana_len);
}

void
people_given(const struct people *p, struct rng *r, struct person *x)
{
	int s = x->female;
	const struct word *w = &p->given[s][draw(p->given_sum[s],
	    p->ngiven[s], r)];

	snprintf(x->given, sizeof x->given, "%.*s", w->kanji_len, w->kanji);
	katakana(x->given_kana, sizeof x->given_kana, w->kana, w->kana_len);
}

static const char *const building_words[] = {"コーポ", "メゾン", "ハイツ",
    "グランド", "サンライズ", "パーク", "ロイヤル", "シティ", "第一", "第二"};
static const char *const building_ends[] = {"マンション", "ハイム", "荘",
    "ビル", "レジデンス", "コート", "ヒルズ", "アパート"};

void
people_home(const struct people *p, struct rng *r, struct home *h)
{
	const struct town *t = &p->town[rng_below(r, (uint32_t)p->ntown)];
	const char *c = p->city[t->city], *end = c + p->city_len[t->city];
	const char *pref = c + 2, *city, *e;

	e = memchr(pref, '\t', (size_t)(end - pref));
	snprintf(h->pref, sizeof h->pref, "%.*s", (int)(e - pref), pref);
	city = e + 1;
	e = memchr(city, '\t', (size_t)(end - city));
	snprintf(h->city, sizeof h->city, "%.*s", (int)(e - city), city);
	snprintf(h->zip, sizeof h->zip, "%.7s", t->line);
	e = memchr(t->line + 8, '\t', t->len - 8);
	snprintf(h->town, sizeof h->town, "%.*s", (int)(e - t->line - 8),
	    t->line + 8);
	h->chome = rng_chance(r, .45) ? 1 + rng_below(r, 6) : 0;
	h->banchi = 1 + rng_below(r, h->chome ? 40 : 3000);
	h->go = rng_chance(r, .85) ? 1 + rng_below(r, 30) : 0;
	h->building[0] = '\0';
	h->room = 0;
	if (rng_chance(r, .4)) {
		snprintf(h->building, sizeof h->building, "%s%s",
		    building_words[rng_below(r, 10)],
		    building_ends[rng_below(r, 8)]);
		h->room = (1 + rng_below(r, 9)) * 100 + 1 + rng_below(r, 12);
	}
}

void
people_mobile(struct rng *r, char out[16])
{
	static const char *const head[] = {"090", "080", "070"};

	snprintf(out, 16, "%s-%04u-%04u", head[rng_below(r, 3)],
	    1000 + rng_below(r, 9000), rng_below(r, 10000));
}

void
people_landline(struct rng *r, char out[16])
{
	if (rng_chance(r, .3))
		snprintf(out, 16, "0%u-%04u-%04u", rng_chance(r, .5) ? 3u : 6u,
		    2000 + rng_below(r, 8000), rng_below(r, 10000));
	else
		snprintf(out, 16, "0%u-%03u-%04u", 22 + rng_below(r, 70),
		    200 + rng_below(r, 800), rng_below(r, 10000));
}

bool
people_rare_form(struct rng *r, char *name, size_t cap)
{
	static const char *const form[][2] = {{"高", "髙"}, {"崎", "﨑"},
	    {"辺", "邉"}, {"辺", "邊"}, {"斎", "齋"}, {"斉", "齊"},
	    {"浜", "濱"}, {"島", "嶋"}, {"沢", "澤"}, {"広", "廣"},
	    {"桜", "櫻"}, {"富", "冨"}, {"栄", "榮"}, {"恵", "惠"},
	    {"真", "眞"}, {"国", "國"}, {"竜", "龍"}, {"滝", "瀧"}};
	unsigned first = rng_below(r, 18);

	for (unsigned k = 0; k < 18; k++) {
		const char *const *f = form[(first + k) % 18];
		char *at = strstr(name, f[0]);

		if (at && strlen(f[0]) == strlen(f[1])) {
			memcpy(at, f[1], strlen(f[1]));
			return true;
		}
	}
	(void)cap;
	return false;
}

static void
wide_number(char *out, size_t cap, unsigned v)
{
	char d[12];
	size_t o = 0;

	snprintf(d, sizeof d, "%u", v);
	for (char *c = d; *c && o + 4 < cap; c++)
		o += (size_t)snprintf(out + o, cap - o, "\xef\xbc%c",
		    0x90 + (*c - '0'));
}

static const char *const kanji_digit[] = {"", "一", "二", "三", "四", "五",
    "六", "七", "八", "九"};

void
home_text(const struct home *h, unsigned style, char *out, size_t cap)
{
	char a[24], b[24], c[24], numbers[128], room[32] = "";
	const char *pref = style == 3 ? "" : h->pref;

	if (style == 1) {
		wide_number(a, sizeof a, h->chome);
		wide_number(b, sizeof b, h->banchi);
		wide_number(c, sizeof c, h->go);
	} else {
		snprintf(a, sizeof a, "%u", h->chome);
		snprintf(b, sizeof b, "%u", h->banchi);
		snprintf(c, sizeof c, "%u", h->go);
	}
	if (style == 2 || style == 3) {		/* 1-2-3 */
		snprintf(numbers, sizeof numbers, "%s%s%s%s%s",
		    h->chome ? a : "", h->chome ? "-" : "", b,
		    h->go ? "-" : "", h->go ? c : "");
	} else if (style == 4) {		/* 一丁目2-3 */
		snprintf(numbers, sizeof numbers, "%s%s%s%s%s",
		    h->chome ? kanji_digit[h->chome % 10] : "",
		    h->chome ? "丁目" : "", b, h->go ? "-" : "",
		    h->go ? c : "");
	} else {				/* 1丁目2番3号, 2番地3 */
		snprintf(numbers, sizeof numbers, "%s%s%s%s%s%s",
		    h->chome ? a : "", h->chome ? "丁目" : "", b,
		    h->chome ? "番" : "番地", h->go ? c : "",
		    h->go && h->chome ? "号" : "");
	}
	if (h->room)
		snprintf(room, sizeof room, style == 1 ? "%u号室" : " %u",
		    h->room);
	snprintf(out, cap, "%s%s%s%s%s%s%s", pref, h->city, h->town, numbers,
	    h->building[0] && style != 5 ? (style == 0 ? "　" : " ") : "",
	    style == 5 ? "" : h->building, style == 5 ? "" : room);
}
