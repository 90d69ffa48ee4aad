/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dict/dict.h"

#define CANON_MAX 160

struct city {
	struct slice name;
	uint8_t pref;
	uint32_t today;		/* itself, or the city that took it over */
	uint32_t parent;	/* 横浜市 of 横浜市港北区, or ADDRESS_NONE */
	bool ward_parent;	/* 横浜市: look in its wards */
	bool kyoto, sapporo;
	bool daiji;		/* where a town has no 丁目, it is a 大字 */
	uint8_t longest;	/* canonical units of its longest town */
};

struct town {
	struct slice name;
	uint32_t city, zip;
	bool daiji;		/* known to be a 大字 */
	uint8_t chome;		/* highest 丁目 seen; 0: none seen */
};

struct slot {
	uint64_t key;
	uint32_t value;
};

/*
 * A multi-map from hashes to indexes: equal keys follow each other. Most look-ups
 * find nothing: a bit filter that fits the second-level cache answers those.
 */
#define FILTER_BITS (1u << 21)

struct multi {
	struct slot *v;
	uint64_t *filter;
	size_t cap, count;
};

struct places {
	struct slice pref[48];
	uint16_t pref_units[48][4];
	uint8_t pref_len[48];
	struct city *city;
	struct town *town;
	size_t ncity, ntown, city_cap, town_cap;
	struct multi cities;	/* canonical name: city */
	struct multi towns;	/* (city, canonical name): town */
	struct multi loose;	/* the same over confusable characters */
	struct multi zips;	/* zip: town */
	struct multi wards;	/* parent city: ward */
};

/*
 * The canonical form that both the gazetteer and an address take for looking
 * up: T1, large kana, one form of の and of dashes, numerals as arabic digits.
 * from[i] is the unit of the text that canonical unit i came from.
 */
struct canon {
	uint16_t v[CANON_MAX];
	uint16_t from[CANON_MAX + 1];
	bool kanji_number[CANON_MAX];	/* a digit that was written in kanji */
	unsigned n;
};

static int
kanji_digit(uint16_t c)
{
	switch (c) {
	case 0x3007: case 0x96f6: return 0;
	case 0x4e00: return 1;
	case 0x4e8c: return 2;
	case 0x4e09: return 3;
	case 0x56db: return 4;
	case 0x4e94: return 5;
	case 0x516d: return 6;
	case 0x4e03: return 7;
	case 0x516b: return 8;
	case 0x4e5d: return 9;
	case 0x5341: return 10;
	case 0x767e: return 100;
	case 0x5343: return 1000;
	default: return -1;
	}
}

static uint16_t
canon_unit(uint16_t c)
{
	uint16_t s = text_same(c);

	if (s >= 0x30a1 && s <= 0x30fa) {
		uint16_t k = text_kana(s);

		/* ヵ ヶ ガ and ノ 之 stand for each other in place names. */
		if (s == 0x30ac || k == 0x30ab || k == 0x30b1)
			return s == 0x30ab ? s : 0x30b1;
		return k ? k : s;
	}
	if (s == 0x4e4b)
		return 0x30ce;
	if (s == 0x30fc || s == 0x2212)
		return '-';
	return s;
}

static void
canon_number(struct canon *o, const uint16_t *v, unsigned n, unsigned at)
{
	char digits[16];
	unsigned total = 0, part = 0;
	bool units = false;
	int len = 0;

	for (unsigned i = 0; i < n; i++)
		units = units || kanji_digit(v[i]) >= 10;
	for (unsigned i = 0; i < n; i++) {
		int d = kanji_digit(v[i]);

		if (d < 10) {
			part = units ? (unsigned)d : part * 10 + (unsigned)d;
		} else {
			total += (part ? part : 1) * (unsigned)d;
			part = 0;
		}
		if (part > 100000 || total > 100000)
			break;
	}
	total += part;
	do
		digits[len++] = (char)('0' + total % 10);
	while ((total /= 10) > 0);
	while (len-- > 0 && o->n < CANON_MAX) {
		o->kanji_number[o->n] = true;
		o->from[o->n] = (uint16_t)at;
		o->v[o->n++] = (uint16_t)digits[len];
	}
}

static void
canon_make(struct canon *o, const uint16_t *v, unsigned n)
{
	bool numbers = false;

	o->n = 0;
	for (unsigned i = 0; i < n && o->n < CANON_MAX;) {
		unsigned run = 0;

		/* 京都市 下京区: spaces count only once numbers have begun. */
		numbers = numbers || (v[i] >= '0' && v[i] <= '9');
		if (v[i] == ' ' && !numbers && i + 1 < n &&
		    !(v[i + 1] >= '0' && v[i + 1] <= '9')) {
			i++;
			continue;
		}

		while (i + run < n && run < 9 && kanji_digit(v[i + run]) >= 0)
			run++;
		if (run) {
			canon_number(o, v + i, run, i);
			i += run;
			continue;
		}
		o->kanji_number[o->n] = false;
		o->from[o->n] = (uint16_t)i;
		o->v[o->n++] = canon_unit(v[i++]);
	}
	o->from[o->n] = (uint16_t)n;
}

static uint64_t
canon_hash(uint64_t seed, const uint16_t *v, unsigned n)
{
	uint64_t h = TEXT_HASH_INIT ^ seed * 0x9e3779b97f4a7c15ull;

	for (unsigned i = 0; i < n; i++)
		h = text_hash_add(h, v[i]);
	return text_hash_end(h);
}

static enum err
multi_init(struct multi *m, size_t cap)
{
	m->cap = cap;
	m->v = calloc(cap, sizeof *m->v);
	m->filter = calloc(FILTER_BITS / 64, sizeof *m->filter);
	return m->v && m->filter ? ERR_OK : ERR_NOMEM;
}

static inline bool
multi_may(const struct multi *m, uint64_t key)
{
	uint32_t bit = key >> 40 & (FILTER_BITS - 1);

	return m->filter[bit / 64] >> (bit % 64) & 1;
}

static const struct slot *
multi_get(const struct multi *m, uint64_t key, const struct slot *after)
{
	size_t i = after ? (size_t)(after - m->v + 1) : key;

	for (;; i++) {
		i &= m->cap - 1;
		if (!m->v[i].key)
			return NULL;
		if (m->v[i].key == key)
			return &m->v[i];
	}
}

static void
multi_add(struct multi *m, uint64_t key, uint32_t value)
{
	const struct slot *s = NULL;
	size_t i = key & (m->cap - 1);

	while ((s = multi_get(m, key, s)))
		if (s->value == value)
			return;
	must(++m->count < m->cap);
	m->filter[(key >> 40 & (FILTER_BITS - 1)) / 64] |= 1ull <<
	    ((key >> 40 & (FILTER_BITS - 1)) % 64);
	while (m->v[i].key)
		i = (i + 1) & (m->cap - 1);
	m->v[i] = (struct slot){key, value};
}

static struct slice
slice_of(const char *p, size_t n)
{
	return (struct slice){(const uint8_t *)p, n};
}

static void
canon_slice(struct canon *o, struct slice s)
{
	struct text t;

	text_decode(&t, s.p, s.len, ENC_UTF8);
	canon_make(o, t.v, t.n);
}

static uint32_t
pref_add(struct places *p, struct slice name)
{
	struct text t;
	uint32_t i = 1;

	for (; i < 48 && p->pref[i].p; i++)
		if (slice_eq(p->pref[i], name))
			return i;
	must(i < 48);
	p->pref[i] = name;
	text_decode(&t, name.p, name.len, ENC_UTF8);
	p->pref_len[i] = (uint8_t)t.n;
	memcpy(p->pref_units[i], t.v, t.n * 2);
	return i;
}

static struct city *
city_new(struct places *p, struct slice name, uint32_t pref)
{
	struct city *c = &p->city[p->ncity];

	must(p->ncity < p->city_cap);
	*c = (struct city){.name = name, .pref = (uint8_t)pref,
	    .today = (uint32_t)p->ncity, .parent = ADDRESS_NONE};
	p->ncity++;
	return c;
}

/* Registers a city's name, and also without its county (郡). */
static void
city_keys(struct places *p, uint32_t index, struct canon *k)
{
	canon_slice(k, p->city[index].name);
	multi_add(&p->cities, canon_hash(0, k->v, k->n), index);
	for (unsigned i = 1; i + 2 < k->n && i < 6; i++)
		if (k->v[i] == 0x90e1) {
			multi_add(&p->cities, canon_hash(0, k->v + i + 1,
			    k->n - i - 1), index);
			break;
		}
}

static void
ward_parent(struct places *p, uint32_t ward, struct canon *k)
{
	struct slice name = p->city[ward].name;
	const struct slot *s;
	uint32_t parent = ADDRESS_NONE;
	struct text t;
	unsigned cut = 0;

	text_decode(&t, name.p, name.len, ENC_UTF8);
	for (unsigned i = 1; i + 2 < t.n; i++)
		if (t.v[i] == 0x5e02 && t.v[t.n - 1] == 0x533a)
			cut = i + 1;
	if (!cut)
		return;
	name.len = cut * 3;	/* all are three bytes in UTF-8 */
	canon_slice(k, name);
	for (s = NULL; (s = multi_get(&p->cities, canon_hash(0, k->v, k->n),
	    s));)
		if (p->city[s->value].pref == p->city[ward].pref &&
		    p->city[s->value].ward_parent)
			parent = s->value;
	if (parent == ADDRESS_NONE) {
		struct city *c = city_new(p, name, p->city[ward].pref);

		c->ward_parent = true;
		parent = (uint32_t)(c - p->city);
		multi_add(&p->cities, canon_hash(0, k->v, k->n), parent);
	}
	p->city[ward].parent = parent;
	multi_add(&p->wards, parent + 1, ward);
}

static void
town_keys(struct places *p, uint32_t city, uint32_t town, struct slice name,
    struct canon *k)
{
	unsigned at = 0;

	canon_slice(k, name);
	if (k->n == 0)
		return;
	if (k->n > 3 && k->v[0] == 0x5927 && k->v[1] == 0x5b57)
		at = 2;		/* 大字 */
	if (k->n - at > p->city[city].longest)
		p->city[city].longest = (uint8_t)(k->n - at);
	multi_add(&p->towns, canon_hash(city, k->v + at, k->n - at), town);
	for (unsigned i = at; i < k->n; i++)
		k->v[i] = text_like(k->v[i]);
	multi_add(&p->loose, canon_hash(city, k->v + at, k->n - at), town);
}

static uint32_t
number_of(const char *p, size_t n)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n && p[i] >= '0' && p[i] <= '9'; i++)
		v = v * 10 + (uint32_t)(p[i] - '0');
	return v;
}

static unsigned
split(const char *p, size_t n, char sep, struct slice *out, unsigned max)
{
	unsigned k = 0;

	while (k < max) {
		const char *e = memchr(p, sep, n);
		size_t len = e ? (size_t)(e - p) : n;

		out[k++] = slice_of(p, len);
		if (!e)
			break;
		p += len + 1;
		n -= len + 1;
	}
	return k;
}

static void
load_towns(struct places *p, struct canon *k)
{
	struct dict_file f = dict_towns();
	const char *line;
	size_t len;
	struct slice s[4];
	uint32_t city = 0;

	while (dict_line(&f, &line, &len)) {
		unsigned n = split(line, len, '\t', s, 4);

		if (n >= 3 && slice_is(s[0], "#")) {
			struct city *c;
			uint32_t pref = pref_add(p, s[1]);

			/* Codes interleave cities: one entry a name. */
			for (city = 0; city < p->ncity; city++)
				if (p->city[city].pref == pref &&
				    slice_eq(p->city[city].name, s[2]))
					break;
			if (city < p->ncity)
				continue;
			c = city_new(p, s[2], pref);
			c->kyoto = s[2].len > 9 &&
			    !memcmp(s[2].p, "京都市", 9);
			c->sapporo = s[2].len > 9 &&
			    !memcmp(s[2].p, "札幌市", 9);
			city_keys(p, city, k);
			ward_parent(p, city, k);
		} else if (n >= 2) {
			must(p->ntown < p->town_cap);
			p->town[p->ntown] = (struct town){.name = s[1],
			    .city = city, .zip = number_of(
			    (const char *)s[0].p, s[0].len)};
			multi_add(&p->zips, p->town[p->ntown].zip + 1ull,
			    (uint32_t)p->ntown);
			town_keys(p, city, (uint32_t)p->ntown, s[1], k);
			p->ntown++;
		}
	}
}

static uint32_t
city_find(const struct places *p, struct slice name, uint32_t pref,
    struct canon *k)
{
	const struct slot *s = NULL;

	canon_slice(k, name);
	while ((s = multi_get(&p->cities, canon_hash(0, k->v, k->n), s)))
		if (!pref || p->city[s->value].pref == pref)
			return s->value;
	return ADDRESS_NONE;
}

/* "愛知県","愛知郡長久手町","長久手市",...: old name to the city of today. */
static void
load_mergers(struct places *p, struct canon *k)
{
	struct slice s[4];

	/* Twice: a successor may itself have merged in an earlier line. */
	for (int pass = 0; pass < 3; pass++) {
		struct dict_file f = dict_mergers();
		const char *line;
		size_t len;

		while (dict_line(&f, &line, &len)) {
			uint32_t pref, to, old;

			if (split(line, len, ',', s, 4) < 4)
				continue;
			for (int i = 0; i < 3; i++)
				if (s[i].len >= 2)
					s[i] = slice_of((const char *)s[i].p +
					    1, s[i].len - 2);
			for (pref = 1; pref < 48; pref++)
				if (slice_eq(p->pref[pref], s[0]))
					break;
			if (pref == 48)
				continue;
			to = city_find(p, s[2], pref, k);
			if (to == ADDRESS_NONE ||
			    city_find(p, s[1], pref, k) != ADDRESS_NONE)
				continue;
			old = (uint32_t)(city_new(p, s[1], pref) - p->city);
			p->city[old].today = p->city[to].today;
			city_keys(p, old, k);
		}
	}
}

/* Towns whose address has changed since 2022: old text to the town of today. */
static void
load_2022(struct places *p, struct canon *k)
{
	struct dict_file f = dict_towns_2022();
	const char *line;
	size_t len;
	struct slice s[2];

	while (dict_line(&f, &line, &len)) {
		uint32_t zip, pref, city, town = ADDRESS_NONE;
		struct slice a, name, rest;
		const struct slot *z = NULL;
		size_t cut = 0;

		if (split(line, len, '\t', s, 2) < 2)
			continue;
		zip = number_of((const char *)s[0].p, s[0].len);
		a = s[1];
		for (pref = 1; pref < 48; pref++)
			if (a.len > p->pref[pref].len && !memcmp(a.p,
			    p->pref[pref].p, p->pref[pref].len))
				break;
		if (pref == 48)
			continue;
		a.p += p->pref[pref].len;
		a.len -= p->pref[pref].len;
		/* The longest known municipality, else up to a ward (区). */
		for (size_t n = 3; n <= a.len && n <= 30; n += 3) {
			if (city_find(p, slice_of((const char *)a.p, n), pref,
			    k) != ADDRESS_NONE)
				cut = n;
			else if (n > 9 && a.p && !memcmp(a.p + n - 3, "区", 3) &&
			    memmem(a.p, n, "市", 3)) {
				cut = n;
				break;
			}
		}
		if (!cut)
			continue;
		name = slice_of((const char *)a.p, cut);
		rest = slice_of((const char *)a.p + cut, a.len - cut);
		city = city_find(p, name, pref, k);
		if (city == ADDRESS_NONE) {
			city = (uint32_t)(city_new(p, name, pref) - p->city);
			p->city[city].today = ADDRESS_NONE;
			city_keys(p, city, k);
		}
		while ((z = multi_get(&p->zips, zip + 1ull, z))) {
			if (town == ADDRESS_NONE)
				town = z->value;
			if (slice_eq(p->town[z->value].name, rest))
				town = z->value;
		}
		if (town == ADDRESS_NONE)
			continue;
		if (p->city[city].today == ADDRESS_NONE)
			p->city[city].today = p->town[town].city;
		if (rest.len)
			town_keys(p, city, town, rest, k);
	}
}

/* Prefecture and city, town or "", 大字, 丁目: what office addresses show. */
static void
load_detail(struct places *p, struct canon *k)
{
	struct dict_file f = dict_towns_detail();
	const char *line;
	size_t len;
	struct slice s[4];

	while (dict_line(&f, &line, &len)) {
		uint32_t pref, city;
		const struct slot *t = NULL;
		bool daiji;

		if (split(line, len, '\t', s, 4) < 4)
			continue;
		for (pref = 1; pref < 48; pref++)
			if (s[0].len > p->pref[pref].len && !memcmp(s[0].p,
			    p->pref[pref].p, p->pref[pref].len))
				break;
		if (pref == 48)
			continue;
		city = city_find(p, slice_of((const char *)s[0].p +
		    p->pref[pref].len, s[0].len - p->pref[pref].len), pref, k);
		if (city == ADDRESS_NONE)
			continue;
		daiji = s[2].p[0] == '1';
		if (s[1].len == 0) {
			p->city[city].daiji = daiji;
			continue;
		}
		canon_slice(k, s[1]);
		while ((t = multi_get(&p->towns, canon_hash(city, k->v, k->n),
		    t))) {
			p->town[t->value].daiji = daiji;
			p->town[t->value].chome = (uint8_t)number_of(
			    (const char *)s[3].p, s[3].len);
		}
	}
}

enum err
places_open(struct places **out)
{
	struct places *p = calloc(1, sizeof *p);
	struct canon *k = calloc(1, sizeof *k);
	enum err e = p && k ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK) {
		p->city_cap = 6000;
		p->town_cap = 140000;
		p->city = calloc(p->city_cap, sizeof *p->city);
		p->town = calloc(p->town_cap, sizeof *p->town);
		if (!p->city || !p->town)
			e = ERR_NOMEM;
	}
	if (e == ERR_OK)
		e = multi_init(&p->cities, 1 << 14);
	if (e == ERR_OK)
		e = multi_init(&p->towns, 1 << 18);
	if (e == ERR_OK)
		e = multi_init(&p->loose, 1 << 18);
	if (e == ERR_OK)
		e = multi_init(&p->zips, 1 << 18);
	if (e == ERR_OK)
		e = multi_init(&p->wards, 1 << 10);
	if (e == ERR_OK) {
		load_towns(p, k);
		load_mergers(p, k);
		load_2022(p, k);
		load_detail(p, k);
		*out = p;
	} else
		places_close(p);
	free(k);
	return e;
}

void
places_close(struct places *p)
{
	if (!p)
		return;
	free(p->city);
	free(p->town);
	free(p->cities.v);
	free(p->cities.filter);
	free(p->towns.v);
	free(p->towns.filter);
	free(p->loose.v);
	free(p->loose.filter);
	free(p->zips.v);
	free(p->zips.filter);
	free(p->wards.v);
	free(p->wards.filter);
	free(p);
}

static bool
is_digit(uint16_t c)
{
	return c >= '0' && c <= '9';
}

/* A town of the city that begins at `at`; the longest. Returns its end or 0. */
static unsigned
town_at(const struct places *p, uint32_t city, const struct canon *c,
    unsigned at, bool loose, uint32_t *town)
{
	const struct multi *m = loose ? &p->loose : &p->towns;
	unsigned longest = p->city[city].longest;
	uint64_t h = TEXT_HASH_INIT ^ city * 0x9e3779b97f4a7c15ull;
	unsigned best = 0;

	for (unsigned i = at; i < c->n && i < at + longest; i++) {
		const struct slot *s;
		uint64_t key;

		h = text_hash_add(h, loose ? text_like(c->v[i]) : c->v[i]);
		if (i + 1 < c->n && is_digit(c->v[i]) &&
		    is_digit(c->v[i + 1]))
			continue;	/* not inside a number */
		key = text_hash_end(h);
		s = multi_may(m, key) ? multi_get(m, key, NULL) : NULL;
		if (s) {
			best = i + 1;
			*town = s->value;
		}
	}
	return best;
}

static unsigned
skip_prefix(const struct canon *c, unsigned at)
{
	if (at + 1 < c->n && c->v[at] == ' ')
		at++;
	if (at + 2 < c->n && c->v[at] == 0x5927 && c->v[at + 1] == 0x5b57)
		return at + 2;		/* 大字 */
	if (at + 1 < c->n && c->v[at] == 0x5b57)
		return at + 1;		/* 字 */
	return at;
}

/* After 上る 下る 東入 西入: where the town of a Kyoto address begins. */
static unsigned
kyoto_town(const struct canon *c, unsigned at)
{
	unsigned begin = 0;

	for (unsigned i = at; i + 1 < c->n; i++) {
		uint16_t a = c->v[i], b = c->v[i + 1];

		if ((a == 0x4e0a || a == 0x4e0b) && b == 0x30eb)
			begin = i + 2;	/* 上ル 下ル */
		else if ((a == 0x6771 || a == 0x897f) && b == 0x5165)
			begin = i + 2 < c->n && (c->v[i + 2] == 0x30eb ||
			    c->v[i + 2] == 0x30eb) ? i + 3 : i + 2;
	}
	return begin;
}

static unsigned
town_search(const struct places *p, uint32_t city, const struct canon *c,
    unsigned at, uint32_t *town)
{
	const struct city *ct = &p->city[city];
	unsigned end, from = skip_prefix(c, at);

	end = town_at(p, city, c, from, false, town);
	if (ct->kyoto && !ct->ward_parent) {
		unsigned k = kyoto_town(c, at), kend;
		uint32_t ktown;

		if (k && (kend = town_at(p, city, c, k, false,
		    &ktown)) > end) {
			*town = ktown;
			end = kend;
		}
	}
	if (end)
		return end;
	if (ct->sapporo && from + 2 < c->n && is_digit(c->v[from])) {
		/* 24-2-...: 二十四軒二条. */
		struct canon d = {.n = 0};
		unsigned i = from, dash = 0;

		for (; i < c->n && d.n < 20 && dash < 2; i++) {
			if (is_digit(c->v[i]))
				d.v[d.n++] = c->v[i];
			else if (c->v[i] == '-')
				d.v[d.n++] = dash++ ? 0x6761 : 0x8ed2;
			else
				break;
		}
		if (dash == 2 && town_at(p, city, &d, 0, false,
		    town) == d.n)
			return i;
	}
	end = town_at(p, city, c, from, true, town);
	return end;
}

static const uint16_t u_chome[] = {0x4e01, 0x76ee};
static const uint16_t u_banchi[] = {0x756a, 0x5730};

/* How many units at `at` separate or end a number; *kind: what they said. */
static unsigned
number_suffix(const struct canon *c, unsigned at, uint16_t *kind)
{
	uint16_t a = at < c->n ? c->v[at] : 0;
	uint16_t b = at + 1 < c->n ? c->v[at + 1] : 0;

	*kind = a;
	if (a == u_chome[0])
		return b == u_chome[1] ? 2 : 1;
	if (a == u_banchi[0] && b == u_banchi[1]) {
		/* 番地の3 */
		return at + 2 < c->n && c->v[at + 2] == 0x30ce ? 3 : 2;
	}
	if (a == 0x5730 && b == 0x5272)
		return 2;			/* 地割 */
	if (a == 0x756a || a == 0x53f7)		/* 番 号 */
		return at + 1 < c->n && b == 0x30ce ? 2 : 1;
	if (a == 0x7dda && !(b && !is_digit(b) && b != '-'))
		return 1;			/* 線 */
	if ((a == '-' || a == 0x30ce || a == '/') && is_digit(b))
		return 1;
	return 0;
}

/* 2001/2/3 or 2001年2月3日: what a spreadsheet made of 1-2-3. */
static void
undo_date(struct address *a)
{
	if (a->nnumbers == 3 && a->number[0] >= 2001 && a->number[0] <= 2012 &&
	    a->number[1] <= 12 && a->number[2] <= 31)
		a->number[0] = (uint16_t)(a->number[0] - 2000);
}

/*
 * What may stand between a listed town and its numbers: a hamlet (字), or in
 * Kyoto the streets. Remembered as town_begin..town_end. Where no number
 * follows, nothing is skipped.
 */
static unsigned
skip_between(struct address *a, const struct canon *c, unsigned at, bool kyoto)
{
	unsigned from = skip_prefix(c, at), i = from;
	unsigned max = kyoto ? 24 : 8;

	while (i < c->n && i - from <= max && c->v[i] != ' ' &&
	    !(is_digit(c->v[i]) && !c->kanji_number[i]))
		i++;
	if (i == c->n || i - from > max || c->v[i] == ' ' || i == from)
		return from;
	if (is_digit(c->v[from]) || (c->v[from] == 0x7b2c && i == from + 1))
		return from;
	for (unsigned k = from; k < i; k++)
		if (c->v[k] < 0x3000 || c->v[k] == 0x68df)	/* 棟 */
			return at;
	if (!kyoto && a->town_end == 0 && from == at) {
		a->town_begin = c->from[from];
		a->town_end = c->from[i];
	}
	return i;
}

static void
parse_numbers(struct address *a, const struct canon *c, unsigned at,
    bool kyoto, bool *banchi)
{
	uint16_t first = 0;
	bool slash = false;
	unsigned rest = at;

	at = skip_between(a, c, at, kyoto);
	if (at < c->n && c->v[at] == 0x7b2c && at + 1 < c->n &&
	    is_digit(c->v[at + 1]))
		at++;				/* 第3地割 */
	while (at < c->n && a->nnumbers < ADDRESS_NUMBERS) {
		unsigned v = 0, i = at, used;
		uint16_t kind;

		if (c->v[i] == ' ' && a->nnumbers == 0) {
			at++;
			continue;
		}
		if (!is_digit(c->v[i]))
			break;
		while (i < c->n && is_digit(c->v[i]) &&
		    c->kanji_number[i] == c->kanji_number[at]) {
			v = v < 6000 ? v * 10 + (c->v[i] - '0') : 65535;
			i++;
		}
		used = number_suffix(c, i, &kind);
		/* A kanji numeral is a number only where something says so. */
		if (c->kanji_number[at] && used == 0 && i < c->n &&
		    c->v[i] != ' ')
			break;
		if (kind == 0x4e01 && a->nnumbers == 0 && !a->chome) {
			a->chome = v;
			a->cho = used == 1;
		} else
			a->number[a->nnumbers++] = (uint16_t)(v > 65535 ?
			    65535 : v);
		if (!first)
			first = used ? kind : 1;
		slash = slash || kind == '/' || kind == 0x5e74;
		at = rest = i + used;
		if (used == 0)
			break;		/* no separator: the rest is a building */
		if (kind == 0x53f7)
			break;			/* after 号 comes a building */
	}
	if (slash)
		undo_date(a);
	*banchi = first == 0x756a;
	a->rest = c->from[rest < c->n ? rest : c->n];
	if (a->nnumbers || a->chome)
		a->level = ADDR_NUMBER;
}

/* A town that no list has: the text up to its first number. */
static unsigned
unlisted_town(struct address *a, const struct canon *c, unsigned at)
{
	unsigned from = skip_prefix(c, at), i = from;

	while (i < c->n && !(is_digit(c->v[i]) && (!c->kanji_number[i] ||
	    (i + 1 < c->n && (c->v[i + 1] == u_chome[0] ||
	    c->v[i + 1] == u_banchi[0])))))
		i++;
	if (i == c->n || i == from || i - from > 16)
		return at;
	a->town_hash = canon_hash(a->city, c->v + from, i - from);
	a->town_begin = c->from[from];
	a->town_end = c->from[i];
	return i;
}

struct guess {
	uint32_t city, town;
	unsigned city_end, town_end;
};

/* Tries the towns of one municipality, its wards or its successor. */
static bool
try_city(const struct places *p, uint32_t city, unsigned end,
    const struct canon *c, struct guess *best)
{
	const struct city *ct = &p->city[city];
	uint32_t town;
	unsigned t;

	if (ct->ward_parent) {
		const struct slot *s = NULL;
		bool any = false;

		while ((s = multi_get(&p->wards, city + 1ull, s)))
			any = try_city(p, s->value, end, c, best) || any;
		return any;
	}
	t = town_search(p, city, c, end, &town);
	if (!t && ct->today != city && ct->today != ADDRESS_NONE) {
		const struct city *now = &p->city[ct->today];

		if (now->ward_parent)
			return try_city(p, ct->today, end, c, best);
		t = town_search(p, ct->today, c, end, &town);
	}
	if (!t)
		return false;
	if (t > best->town_end) {
		*best = (struct guess){p->town[town].city, town, end, t};
		return true;
	}
	return t == best->town_end && best->city != p->town[town].city;
}

/* Every municipality whose name the text begins with; shortest first. */
static unsigned
find_cities(const struct places *p, const struct canon *c, unsigned at,
    uint32_t pref, uint32_t *found, unsigned *ends)
{
	uint64_t h = TEXT_HASH_INIT;
	unsigned n = 0;

	for (unsigned i = at; i < c->n && i < at + 16; i++) {
		const struct slot *s = NULL;
		uint64_t key;

		h = text_hash_add(h, c->v[i]);
		key = text_hash_end(h);
		while (multi_may(&p->cities, key) &&
		    (s = multi_get(&p->cities, key, s))) {
			if ((pref && p->city[s->value].pref != pref) || n == 8)
				continue;
			found[n] = s->value;
			ends[n++] = i + 1;
		}
	}
	return n;
}

void
address_parse(const struct places *p, struct address *a, const struct text *t)
{
	struct canon c;
	unsigned at = 0, longest = 0, ncity = 0, end;
	uint32_t found[8];
	unsigned ends[8];
	struct guess best = {ADDRESS_NONE, ADDRESS_NONE, 0, 0};
	bool banchi = false;

	memset(a, 0, sizeof *a);
	a->city = a->town = ADDRESS_NONE;
	canon_make(&c, t->v, t->n);
	if (c.n > 2 && c.v[0] == 0x3012)	/* 〒150-0001 */
		for (at = 1; at < c.n && (is_digit(c.v[at]) ||
		    c.v[at] == '-' || c.v[at] == ' '); at++)
			;
	/* Prefectures hold no numerals but 千葉 and 三重: compare the text. */
	for (uint32_t i = 1; i < 48; i++) {
		unsigned k = c.from[at], n = p->pref_len[i];

		if (n && k + n <= t->n && t->v[k] == p->pref_units[i][0] &&
		    !memcmp(t->v + k,
		    p->pref_units[i], n * 2)) {
			a->pref = i;
			a->level = ADDR_PREF;
			while (at < c.n && c.from[at] < k + n)
				at++;
			break;
		}
	}
	while (at < c.n && c.v[at] == ' ')
		at++;
	ncity = find_cities(p, &c, at, a->pref, found, ends);
	/* 福島石川郡...: a prefecture without its 県. */
	for (uint32_t i = 1; i < 48 && ncity == 0 && !a->pref; i++) {
		unsigned k = c.from[at], n = p->pref_len[i] - 1u;

		if (k + n > t->n || memcmp(t->v + k, p->pref_units[i], n * 2) != 0)
			continue;
		while (at < c.n && c.from[at] < k + n)
			at++;
		ncity = find_cities(p, &c, at, i, found, ends);
		if (ncity)
			a->pref = i;
	}
	if (ncity)
		longest = ends[ncity - 1];
	if (ncity == 0) {
		a->rest = c.from[at];
		return;
	}
	/* The longest name first; a shorter one only with a known town. */
	for (unsigned i = 0; i < ncity; i++) {
		struct guess g = {ADDRESS_NONE, ADDRESS_NONE, 0, 0};

		if (!try_city(p, found[i], ends[i], &c, &g))
			continue;
		if (g.town_end > best.town_end) {
			best = g;
			a->ambiguous = false;
			a->old = p->city[found[i]].today != found[i] ||
			    (!p->city[found[i]].ward_parent &&
			    g.city != found[i]);
		} else if (g.town_end == best.town_end && g.city != best.city)
			a->ambiguous = true;
	}
	if (best.city != ADDRESS_NONE) {
		a->city = best.city;
		a->town = best.town;
		a->level = ADDR_TOWN;
		end = best.town_end;
	} else {
		for (unsigned i = 0; i < ncity; i++) {
			if (ends[i] != longest)
				continue;
			if (a->city != ADDRESS_NONE)
				a->ambiguous = true;
			a->city = p->city[found[i]].today;
			if (a->city == ADDRESS_NONE)
				a->city = found[i];
			a->old = a->city != found[i];
		}
		a->level = ADDR_CITY;
		end = unlisted_town(a, &c, longest);
	}
	if (a->ambiguous && !a->pref)
		a->pref = 0;
	else
		a->pref = p->city[a->city].pref;
	a->rest = c.from[end];
	a->daiji = longest + 1 < c.n && c.v[longest] == 0x5927 &&
	    c.v[longest + 1] == 0x5b57;
	a->aza = longest < c.n && c.v[longest] == 0x5b57;
	parse_numbers(a, &c, end, a->city != ADDRESS_NONE &&
	    p->city[a->city].kyoto, &banchi);
	/* 豊洲4-11-25: the first of three is the 丁目; of one or two where known. */
	if (a->town != ADDRESS_NONE && !a->chome && a->nnumbers &&
	    a->number[0] && !banchi &&
	    (a->number[0] <= p->town[a->town].chome ||
	    (a->nnumbers >= 3 && a->number[0] <= 9 && a->number[1] < 100))) {
		a->chome = a->number[0];
		a->nnumbers--;
		memmove(a->number, a->number + 1, sizeof a->number[0] *
		    a->nnumbers);
	}
	if (a->town == ADDRESS_NONE && a->level == ADDR_NUMBER &&
	    !a->town_hash)
		a->level = ADDR_CITY;
}

struct slice
places_pref(const struct places *p, uint32_t pref)
{
	return pref < 48 ? p->pref[pref] : (struct slice){NULL, 0};
}

struct slice
places_city(const struct places *p, uint32_t city)
{
	return city < p->ncity ? p->city[city].name : (struct slice){NULL, 0};
}

struct slice
places_town(const struct places *p, uint32_t town)
{
	return town < p->ntown ? p->town[town].name : (struct slice){NULL, 0};
}

uint32_t
places_zip(const struct places *p, uint32_t town)
{
	return town < p->ntown ? p->town[town].zip : 0;
}

void
places_by_zip(const struct places *p, uint32_t zip, uint32_t *city,
    uint32_t *town)
{
	const struct slot *s = NULL;

	*city = *town = ADDRESS_NONE;
	while ((s = multi_get(&p->zips, zip + 1ull, s))) {
		if (*town != ADDRESS_NONE && *town != s->value) {
			*town = ADDRESS_NONE;
			return;
		}
		*town = s->value;
		*city = p->town[s->value].city;
	}
}

static size_t
kanji_number(char *out, unsigned v)
{
	static const char *const d[] = {"", "一", "二", "三", "四", "五", "六",
	    "七", "八", "九"};

	return (size_t)sprintf(out, "%s%s%s", v >= 20 ? d[v / 10 % 10] : "",
	    v >= 10 ? "十" : "", d[v % 10]);
}

static bool
ends_with_cho(const struct places *p, uint32_t town)
{
	struct slice s = p->town[town].name;

	return s.len > 3 && !memcmp(s.p + s.len - 3, "町", 3);
}

size_t
address_town_text(const struct places *p, const struct address *a,
    const struct text *t, char *out, size_t cap)
{
	size_t n = 0;

	must(cap >= 64);
	out[0] = '\0';
	if ((a->daiji && !(a->town != ADDRESS_NONE &&
	    ends_with_cho(p, a->town))) || (a->town != ADDRESS_NONE && !a->chome &&
	    (p->town[a->town].daiji || (p->city[a->city].daiji &&
	    !p->town[a->town].chome && !ends_with_cho(p, a->town)))))
		n = (size_t)sprintf(out, "大字");
	else if (a->aza)
		n = (size_t)sprintf(out, "字");
	if (a->town != ADDRESS_NONE) {
		struct slice s = places_town(p, a->town);
		size_t len = s.len < cap - 48 ? s.len : cap - 48;

		memcpy(out + n, s.p, len);
		n += len;
		out[n] = '\0';
	}
	if (a->town_end > a->town_begin && n + 32 < cap)
		n += text_utf8(out + n, cap - 32 - n, t->v + a->town_begin,
		    a->town_end - a->town_begin);
	if (a->chome && a->chome < 100) {
		n += kanji_number(out + n, a->chome);
		n += (size_t)sprintf(out + n, a->cho ? "丁" : "丁目");
	}
	return n;
}

size_t
address_number_text(const struct address *a, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < a->nnumbers && n + 8 < cap; i++)
		n += (size_t)snprintf(out + n, cap - n, i ? "-%u" : "%u",
		    a->number[i]);
	return n;
}
