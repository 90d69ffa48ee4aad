/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The builders of entries. All write through struct out, which never passes its
 * end; the limits of entry.h add up to less than LEDGER_ENTRY_MAX.
 */
#include "ledger/entry.h"

#include <endian.h>
#include <string.h>

#include "ledger/ledger.h"

static const char *const words[] = {
#define ENTRY(kind) #kind,
#define FIELD(kind, type, name)
#define END(kind)
#include "ledger/entry.tbl.h"
#undef ENTRY
#undef FIELD
#undef END
};

const char *
entry_kind_word(enum entry_kind k)
{
	return k < ENTRY_KIND_COUNT ? words[k] : "";
}

enum { NAME_MAX_BYTES = 256, SLACK = 512 };

/*
 * The longest entry: the tokens; six texts of the head and of release; two long
 * texts; the tables; the domains; keys, numbers and the rest.
 */
_Static_assert((ENTRY_TOKENS_MAX * 8 + 2) / 3 * 4 + ENTRY_DOMAINS_MAX * 8 +
    6 * (ENTRY_TEXT_MAX + 2) + 2 * ENTRY_LONG_MAX + ENTRY_LIST_MAX +
    ENTRY_DOMAINS_MAX * (NAME_MAX_BYTES + 3) + SLACK < LEDGER_ENTRY_MAX,
    "an entry may be too long");

struct out {
	uint8_t *p;
	size_t len, cap;
	bool bad;
};

static void
put(struct out *o, const void *p, size_t n)
{
	if (o->bad || o->cap - o->len < n) {
		o->bad = true;
		return;
	}
	memcpy(o->p + o->len, p, n);
	o->len += n;
}

#define put_lit(o, s) put(o, "" s, sizeof(s) - 1)

/* No number passes 2^63-1: readers of JSON commonly have signed integers. */
static void
put_u64(struct out *o, uint64_t v)
{
	char d[20];
	size_t n = sizeof d;

	if (v > INT64_MAX)
		v = INT64_MAX;
	do
		d[--n] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	put(o, d + n, sizeof d - n);
}

static void
put_digits(char *p, unsigned v, int n)
{
	while (n-- > 0) {
		p[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

/* Howard Hinnant's civil_from_days, for days since 1970-01-01. */
static void
put_time(struct out *o, int64_t us)
{
	char t[] = "\"0000-00-00T00:00:00.000000Z\"";
	uint64_t u = us > 0 ? (uint64_t)us : 0;
	uint64_t day = u / 86400000000u, in = u % 86400000000u;
	uint64_t z = day + 719468, era = z / 146097, doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153, m = mp < 10 ? mp + 3 : mp - 9;

	put_digits(t + 1, (unsigned)((yoe + era * 400 + (m <= 2)) % 10000), 4);
	put_digits(t + 6, (unsigned)m, 2);
	put_digits(t + 9, (unsigned)(doy - (153 * mp + 2) / 5 + 1), 2);
	put_digits(t + 12, (unsigned)(in / 3600000000u), 2);
	put_digits(t + 15, (unsigned)(in / 60000000u % 60), 2);
	put_digits(t + 18, (unsigned)(in / 1000000u % 60), 2);
	put_digits(t + 21, (unsigned)(in % 1000000u), 6);
	put(o, t, sizeof t - 1);
}

/* The written form of the character at p; returns how many bytes it used. */
static size_t
escape(uint8_t out[6], size_t *n, const uint8_t *p, size_t left)
{
	static const char shorts[] = "btn\vfr";
	size_t used = utf8_char(p, left);

	*n = 2;
	out[0] = '\\';
	if (used == 0 || p[0] == 0) {
		memcpy(out, "\xef\xbf\xbd", 3);
		*n = 3;
		return 1;
	}
	if (p[0] == '"' || p[0] == '\\') {
		out[1] = p[0];
	} else if (p[0] >= 8 && p[0] <= 13 && p[0] != 11) {
		out[1] = (uint8_t)shorts[p[0] - 8];
	} else if (p[0] < 0x20) {
		memcpy(out, "\\u00", 4);
		hex_encode((char *)out + 4, p, 1);
		*n = 6;
	} else {
		memcpy(out, p, used);
		*n = used;
	}
	return used;
}

static bool
plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* A string of at most max bytes between its quotes. */
static void
put_text(struct out *o, struct slice s, size_t max)
{
	size_t used = 0, i = 0, run, n;
	uint8_t e[8];

	put_lit(o, "\"");
	while (i < s.len) {
		for (run = i; run < s.len && plain(s.p[run]); run++)
			;
		run -= i;
		if (run > max - 3 - used) {
			put(o, s.p + i, max - 3 - used);
			break;
		}
		put(o, s.p + i, run);
		used += run;
		if ((i += run) == s.len)
			break;
		run = escape(e, &n, s.p + i, s.len - i);
		if (n > max - 3 - used)
			break;
		put(o, e, n);
		used += n;
		i += run;
	}
	if (i < s.len)
		put_lit(o, "\xe2\x80\xa6");
	put_lit(o, "\"");
}

/* Splits the room of a list evenly enough: an element has at most this much. */
enum { ELEMENT_MAX = ENTRY_LIST_MAX / 4 };

static void
put_tables(struct out *o, const struct entry_tables *t)
{
	size_t start = o->len;

	put_lit(o, "[");
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0)
			put_lit(o, ",");
		if (o->len - start > ENTRY_LIST_MAX - ELEMENT_MAX) {
			put_lit(o, "{\"table\":\"\xe2\x80\xa6\",\"columns\":\"\"}");
			break;
		}
		put_lit(o, "{\"table\":");
		put_text(o, t->v[i].table, NAME_MAX_BYTES);
		put_lit(o, ",\"columns\":");
		put_text(o, t->v[i].columns, ELEMENT_MAX - NAME_MAX_BYTES - 64);
		put_lit(o, "}");
	}
	put_lit(o, "]");
}

static void
put_pairs(struct out *o, const struct entry_pairs *t)
{
	size_t start = o->len;

	put_lit(o, "{");
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0)
			put_lit(o, ",");
		if (o->len - start > ENTRY_LIST_MAX - ELEMENT_MAX) {
			put_lit(o, "\"\xe2\x80\xa6\":\"\"");
			break;
		}
		put_text(o, t->v[i].name, NAME_MAX_BYTES);
		put_lit(o, ":");
		put_text(o, t->v[i].value, ELEMENT_MAX - NAME_MAX_BYTES - 64);
	}
	put_lit(o, "}");
}

static void
put_names(struct out *o, const struct entry_names *t)
{
	if (t->n > ENTRY_DOMAINS_MAX)
		o->bad = true;
	put_lit(o, "[");
	for (size_t i = 0; !o->bad && i < t->n; i++) {
		if (i > 0)
			put_lit(o, ",");
		put_text(o, t->v[i], NAME_MAX_BYTES);
	}
	put_lit(o, "]");
}

static void
put_run(struct out *o, const struct entry_run *r)
{
	enum { STEP = 24 };	/* tokens at a time: 192 bytes, no padding inside */
	uint8_t be[STEP * 8];
	char text[STEP * 8 / 3 * 4 + 1];

	put_lit(o, "\"");
	for (size_t i = 0; i < r->n; i += STEP) {
		size_t n = r->n - i < STEP ? r->n - i : STEP;

		for (size_t k = 0; k < n; k++) {
			uint64_t v = htobe64(r->v[i + k]);

			memcpy(be + k * 8, &v, 8);
		}
		put(o, text, b64_encode(text, be, n * 8));
	}
	put_lit(o, "\"");
}

static void
put_runs(struct out *o, const struct entry_runs *t)
{
	size_t total = 0;

	if (t->n > ENTRY_DOMAINS_MAX)
		o->bad = true;
	put_lit(o, "[");
	for (size_t i = 0; !o->bad && i < t->n; i++) {
		if (i > 0)
			put_lit(o, ",");
		if (t->v[i].n > ENTRY_TOKENS_MAX - total) {
			o->bad = true;
			return;
		}
		total += t->v[i].n;
		put_run(o, &t->v[i]);
	}
	put_lit(o, "]");
}

static void
put_32(struct out *o, const uint8_t *p)
{
	char text[45];

	b64_encode(text, p, 32);
	put_lit(o, "\"");
	put(o, text, 44);
	put_lit(o, "\"");
}

static void
put_head(struct out *o, enum entry_kind kind, const struct entry_head *h)
{
	const struct {
		const char *key;
		struct slice value;
	} who[] = {{",\"actor\":", h->actor}, {",\"role\":", h->role},
	    {",\"database\":", h->database}};

	put_lit(o, "{\"v\":1,\"kind\":\"");
	put(o, words[kind], strlen(words[kind]));
	put_lit(o, "\",\"time\":");
	put_time(o, h->time_us);
	if (h->gate.p != NULL) {
		put_lit(o, ",\"gate\":");
		put_text(o, h->gate, ENTRY_TEXT_MAX);
	}
	if (h->session != 0) {
		put_lit(o, ",\"session\":");
		put_u64(o, h->session);
	}
	for (size_t i = 0; i < sizeof who / sizeof *who; i++) {
		if (who[i].value.p == NULL)
			continue;
		put(o, who[i].key, strlen(who[i].key));
		put_text(o, who[i].value, ENTRY_TEXT_MAX);
	}
}

#define KEY(name) put_lit(o, ",\"" #name "\":")
#define WRITE_TEXT(name)                                                       \
	if (e->name.p != NULL) {                                               \
		KEY(name);                                                     \
		put_text(o, e->name, ENTRY_TEXT_MAX);                          \
	}
#define WRITE_LONG(name)                                                       \
	if (e->name.p != NULL) {                                               \
		KEY(name);                                                     \
		put_text(o, e->name, ENTRY_LONG_MAX);                          \
	}
#define WRITE_NUM(name)                                                        \
	KEY(name);                                                             \
	put_u64(o, e->name);
#define WRITE_OPT(name)                                                        \
	if (e->name != 0) {                                                    \
		WRITE_NUM(name)                                                \
	}
#define WRITE_FLAG(name)                                                       \
	KEY(name);                                                             \
	put(o, e->name ? "true" : "false", e->name ? 4 : 5);
#define WRITE_TIME(name)                                                       \
	if (e->name != 0) {                                                    \
		KEY(name);                                                     \
		put_time(o, e->name);                                          \
	}
#define WRITE_TABLES(name)                                                     \
	KEY(name);                                                             \
	put_tables(o, &e->name);
#define WRITE_NAMES(name)                                                      \
	KEY(name);                                                             \
	put_names(o, &e->name);
#define WRITE_TOKENS(name)                                                     \
	if (e->name.n != e->domains.n)                                         \
		o->bad = true;                                                 \
	KEY(name);                                                             \
	put_runs(o, &e->name);
#define WRITE_PAIRS(name)                                                      \
	KEY(name);                                                             \
	put_pairs(o, &e->name);
#define WRITE_SALTED(name)                                                     \
	if (e->name != NULL) {                                                 \
		KEY(name);                                                     \
		put_32(o, e->name);                                            \
	}

#define ENTRY(kind)                                                            \
	static void fields_##kind(struct out *o, const struct entry_##kind *e)   \
	{
#define FIELD(kind, type, name) WRITE_##type(name)
#define END(kind) }
#include "ledger/entry.tbl.h"
#undef ENTRY
#undef FIELD
#undef END

static struct out
out_begin(struct buf *b)
{
	uint8_t *p = buf_room(b, LEDGER_ENTRY_MAX);

	return (struct out){p, 0, LEDGER_ENTRY_MAX, p == NULL};
}

static enum err
out_end(struct out *o, struct buf *b)
{
	put_lit(o, "}");
	if (o->bad)
		return ERR_TOOBIG;
	buf_added(b, o->len);
	return ERR_OK;
}

#define ENTRY(kind)                                                            \
	enum err entry_build_##kind(struct buf *b, const struct entry_head *h,   \
	    const struct entry_##kind *e)                                        \
	{                                                                      \
		struct out o = out_begin(b);                                   \
		put_head(&o, ENTRY_KIND_##kind, h);                            \
		fields_##kind(&o, e);                                          \
		return out_end(&o, b);                                         \
	}
#define FIELD(kind, type, name)
#define END(kind)
#include "ledger/entry.tbl.h"
#undef ENTRY
#undef FIELD
#undef END
