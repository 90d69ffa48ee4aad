/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readers of entries. The walk over the top-level keys is strict JSON but for
 * the grammar of nested values, of which it checks strings and nesting only;
 * entry_parse() is strict in everything.
 */
#include <endian.h>
#include <jansson.h>
#include <string.h>

#include "ledger/entry.h"

enum { DEPTH_MAX = 16 };

/* Compares with a literal, whose length the compiler knows. */
#define IS(s, lit) ((s).len == sizeof(lit) - 1 &&                              \
	memcmp((s).p, "" lit, sizeof(lit) - 1) == 0)

struct walk {
	const uint8_t *p, *end;
	bool first, bad;
};

static struct walk
walk_init(struct slice e)
{
	struct walk w = {e.p, e.p + e.len, true, false};

	if (e.len < 2 || e.p[0] != '{' || e.p[e.len - 1] != '}') {
		w.bad = true;
	} else {
		w.p++;
		w.end--;
	}
	return w;
}

/*
 * Moves to the next byte of a string that is its end, an escape or a control
 * character; 8 at a time: a set high bit marks the first such byte (and maybe
 * later ones wrongly).
 */
static const uint8_t *
to_special(const uint8_t *p, const uint8_t *end)
{
	const uint64_t ones = 0x0101010101010101, high = ones << 7;
	uint64_t v, quote, slash, mark;

	for (; end - p >= 8; p += 8) {
		memcpy(&v, p, 8);
		v = le64toh(v);
		quote = v ^ ones * '"';
		slash = v ^ ones * '\\';
		mark = (((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
		    ((v - ones * 0x20) & ~v)) & high;
		if (mark != 0)
			return p + __builtin_ctzll(mark) / 8;
	}
	while (p < end && *p >= 0x20 && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* Moves past a string that begins at p; NULL when it does not end or is malformed. */
static const uint8_t *
skip_string(const uint8_t *p, const uint8_t *end)
{
	if (p == end || *p++ != '"')
		return NULL;
	while ((p = to_special(p, end)) < end) {
		uint8_t c = *p++;

		if (c == '"')
			return p;
		if (c != '\\' || p == end)
			return NULL;
		c = *p++;
		if (c == 'u') {
			for (int i = 0; i < 4; i++, p++)
				if (p == end || memchr("0123456789abcdefABCDEF",
				    *p, 22) == NULL)
					return NULL;
		} else if (memchr("\"\\/bfnrt", c, 8) == NULL) {
			return NULL;
		}
	}
	return NULL;
}

static const uint8_t *
skip_digits(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *from = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p == from ? NULL : p;
}

static const uint8_t *
skip_scalar(const uint8_t *p, const uint8_t *end)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(end - p) >= n && memcmp(p, words[i], n) == 0)
			return p + n;
	}
	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else if ((p = skip_digits(p, end)) == NULL)
		return NULL;
	if (p < end && *p == '.' && (p = skip_digits(p + 1, end)) == NULL)
		return NULL;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = skip_digits(p, end);
	}
	return p;
}

static const uint8_t *
skip_value(const uint8_t *p, const uint8_t *end)
{
	char open[DEPTH_MAX];
	int depth = 0;

	do {
		if (p == end)
			return NULL;
		if (*p == '"') {
			p = skip_string(p, end);
		} else if (*p == '[' || *p == '{') {
			if (depth == DEPTH_MAX)
				return NULL;
			open[depth++] = *p++ == '[' ? ']' : '}';
			continue;
		} else if (*p == ']' || *p == '}') {
			if (depth == 0 || *p != open[depth - 1])
				return NULL;
			depth--;
			p++;
		} else if (depth > 0 && (*p == ',' || *p == ':')) {
			p++;
		} else {
			p = skip_scalar(p, end);
		}
		if (p == NULL)
			return NULL;
	} while (depth > 0);
	return p;
}

/* The next key and its raw value; false at the end and when malformed. */
static bool
walk_next(struct walk *w, struct slice *key, struct slice *raw)
{
	const uint8_t *p = w->p, *q;

	if (w->bad || (p == w->end && !w->first))
		return false;
	w->bad = true;
	if (p == w->end)	/* {} is no entry */
		return false;
	if (!w->first && *p++ != ',')
		return false;
	w->first = false;
	if ((q = skip_string(p, w->end)) == NULL)
		return false;
	*key = (struct slice){p + 1, (size_t)(q - p) - 2};
	if (q == w->end || *q++ != ':' || (p = skip_value(q, w->end)) == NULL)
		return false;
	*raw = (struct slice){q, (size_t)(p - q)};
	w->p = p;
	w->bad = false;
	return true;
}

enum err
entry_get(struct slice entry, const char *key, struct slice *raw)
{
	struct walk w = walk_init(entry);
	struct slice k, v;

	while (walk_next(&w, &k, &v))
		if (slice_is(k, key)) {
			*raw = v;
			return ERR_OK;
		}
	return w.bad ? ERR_FORMAT : ERR_NOTFOUND;
}

static bool
digits(const uint8_t *p, int n, unsigned *out)
{
	unsigned v = 0;

	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (p[i] - '0');
	}
	*out = v;
	return true;
}

/* "2026-11-21T05:00:00.000000Z" with its quotes. */
bool
entry_time(struct slice raw, int64_t *us)
{
	static const char form[] = "\"....-..-..T..:..:.........Z\"";
	static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned y, mo, d, h, mi, s, frac;
	int64_t era, yoe, doy;

	if (raw.len != sizeof form - 1)
		return false;
	for (size_t i = 0; i < raw.len; i++)
		if (form[i] != '.' && raw.p[i] != (uint8_t)form[i])
			return false;
	if (raw.p[20] != '.' || !digits(raw.p + 1, 4, &y) ||
	    !digits(raw.p + 6, 2, &mo) || !digits(raw.p + 9, 2, &d) ||
	    !digits(raw.p + 12, 2, &h) || !digits(raw.p + 15, 2, &mi) ||
	    !digits(raw.p + 18, 2, &s) || !digits(raw.p + 21, 6, &frac))
		return false;
	if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > days[mo - 1] || h > 23 ||
	    mi > 59 || s > 59)
		return false;
	if (mo == 2 && d == 29 && (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)))
		return false;
	if (mo <= 2)
		y--;
	era = y / 400;
	yoe = y % 400;
	doy = (153 * (mo > 2 ? mo - 3 : mo + 9) + 2) / 5 + d - 1;
	*us = ((era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468) *
	    86400 + h * 3600 + mi * 60 + s) * 1000000 + frac;
	return true;
}

static bool
read_u64(struct slice raw, uint64_t *out)
{
	uint64_t v = 0;

	if (raw.len == 0 || raw.len > 20 || (raw.len > 1 && raw.p[0] == '0'))
		return false;
	for (size_t i = 0; i < raw.len; i++) {
		unsigned d = (unsigned)raw.p[i] - '0';

		if (d > 9 || v > ((uint64_t)INT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

static bool
kind_of(struct slice raw, enum entry_kind *out)
{
	struct slice word = {raw.p + 1, raw.len - 2};

	if (raw.len < 2 || raw.p[0] != '"')
		return false;
#define ENTRY(kind)                                                            \
	if (IS(word, #kind)) {                                                   \
		*out = ENTRY_KIND_##kind;                                      \
		return true;                                                   \
	}
#define FIELD(kind, type, name)
#define END(kind)
#include "ledger/entry.tbl.h"
#undef ENTRY
#undef FIELD
#undef END
	return false;
}

enum err
entry_front(struct entry_front *out, struct slice entry)
{
	struct walk w = walk_init(entry);
	struct entry_front f = {.kind = ENTRY_KIND_COUNT};
	struct slice k, v;

	if (!walk_next(&w, &k, &v) || !IS(k, "v") || !IS(v, "1") ||
	    !walk_next(&w, &k, &v) || !IS(k, "kind") ||
	    !kind_of(v, &f.kind) ||
	    !walk_next(&w, &k, &v) || !IS(k, "time") ||
	    !entry_time(v, &f.time_us))
		return ERR_FORMAT;
	while (walk_next(&w, &k, &v)) {
		if (IS(k, "session") && !read_u64(v, &f.session))
			return ERR_FORMAT;
		if (IS(k, "event") && v.len >= 2)
			f.event = (struct slice){v.p + 1, v.len - 2};
		if (IS(k, "subjects"))
			f.subjects = v;
	}
	if (w.bad)
		return ERR_FORMAT;
	*out = f;
	return ERR_OK;
}

/* One base64 string of packed tokens; *p moves past its closing quote. */
static enum err
run_tokens(const uint8_t *p, size_t len, unsigned domain,
    enum err (*hit)(void *arg, unsigned domain, uint64_t token), void *arg)
{
	enum { STEP = 256 };	/* characters at a time: 24 tokens */
	enum err err = ERR_OK;
	uint8_t be[STEP / 4 * 3];
	size_t n;

	for (size_t i = 0; err == ERR_OK && i < len; i += STEP) {
		if (!b64_decode(be, sizeof be, (const char *)p + i,
		    len - i < STEP ? len - i : STEP, &n) || n % 8 != 0)
			return ERR_FORMAT;
		if (n < sizeof be && len - i > STEP)
			return ERR_FORMAT;	/* padding inside */
		for (size_t k = 0; err == ERR_OK && k < n; k += 8) {
			struct rd r = rd_init(be + k, 8);

			err = hit(arg, domain, rd_u64(&r));
		}
	}
	return err;
}

enum err
entry_subjects(struct slice raw,
    enum err (*hit)(void *arg, unsigned domain, uint64_t token), void *arg)
{
	enum err err = ERR_OK;
	const uint8_t *p, *end, *q;

	if (raw.len == 0)
		return ERR_OK;
	if (raw.len < 2 || raw.p[0] != '[' || raw.p[raw.len - 1] != ']')
		return ERR_FORMAT;
	p = raw.p + 1;
	end = raw.p + raw.len - 1;
	for (unsigned domain = 0; err == ERR_OK && p < end; domain++) {
		if (domain > 0 && *p++ != ',')
			return ERR_FORMAT;
		if (p == end || *p != '"' ||
		    (q = memchr(p + 1, '"', (size_t)(end - p) - 1)) == NULL)
			return ERR_FORMAT;
		err = run_tokens(p + 1, (size_t)(q - p) - 1, domain, hit, arg);
		p = q + 1;
	}
	return err;
}

enum err
entry_tokens(struct slice entry,
    enum err (*hit)(void *arg, unsigned domain, uint64_t token), void *arg)
{
	struct slice raw;

	if (entry_get(entry, "subjects", &raw) != ERR_OK)
		return ERR_OK;
	return entry_subjects(raw, hit, arg);
}

enum err
entry_parse(struct slice entry, struct json_t **out)
{
	enum entry_kind kind;
	struct slice raw;
	json_t *j;

	j = json_loadb((const char *)entry.p, entry.len, JSON_REJECT_DUPLICATES,
	    NULL);
	if (!json_is_object(j) ||
	    json_integer_value(json_object_get(j, "v")) != 1 ||
	    entry_get(entry, "kind", &raw) != ERR_OK || !kind_of(raw, &kind)) {
		json_decref(j);
		return ERR_FORMAT;
	}
	*out = j;
	return ERR_OK;
}
