/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/record.h"

#include <stdlib.h>
#include <string.h>

enum { T_NAME, T_KANA, T_ADDR, T_X, T_Y, ROW_TEXTS };

const char *
row_issue_text(enum row_issue i, bool japanese)
{
	static const char *const text[][2] = {
#define ROW(name, en, ja) {en, ja},
		ROW_ISSUES(ROW)
#undef ROW
	};

	return i < ISSUE_COUNT ? text[i][japanese] : "";
}

enum err
row_reader_init(struct row_reader *r, const struct columns *c,
    const struct schema *s, const struct names *n, const struct places *p,
    enum text_enc usual, uint8_t sep)
{
	*r = (struct row_reader){.cols = c, .schema = s, .names = n,
	    .places = p, .usual = usual, .sep = sep};
	r->scratch = malloc(CSV_ROW_MAX + 1);
	r->units = malloc((CSV_ROW_MAX + 1) * sizeof *r->units);
	r->text = calloc(ROW_TEXTS, sizeof *r->text);
	if (r->scratch && r->units && r->text)
		return ERR_OK;
	row_reader_fini(r);
	return ERR_NOMEM;
}

void
row_reader_fini(struct row_reader *r)
{
	free(r->scratch);
	free(r->units);
	free(r->text);
	r->scratch = NULL;
	r->units = NULL;
	r->text = NULL;
}

static uint32_t
short_hash(uint64_t h)
{
	uint32_t s = (uint32_t)(h ^ h >> 32);

	return s ? s : 1;
}

static void
get(const struct row *row, int at, struct text *t)
{
	t->n = 0;
	if (at < 0 || (unsigned)at >= row->n)
		return;
	if (row->units[at]) {
		t->n = row->nunits[at];
		memcpy(t->v, row->units[at], t->n * sizeof *t->v);
	} else
		text_decode(t, row->f[at].p, row->f[at].len, row->enc);
}

static void
get_kind(const struct row *row, enum column_kind k, struct text *t)
{
	get(row, row->moved[k], t);
}

/*
 * A row with other columns than the header: each column whose content does not
 * fit is looked for up to two places away.
 */
static uint32_t
realign(struct row_reader *r, struct row *row)
{
	static const enum column_kind telling[] = {COL_ZIP, COL_PHONE,
	    COL_BIRTH, COL_ADDRESS, COL_EMAIL, COL_KANA, COL_NAME};
	struct text *t = &r->text[T_X];
	bool moved = false;

	for (size_t k = 0; k < sizeof telling / sizeof telling[0]; k++) {
		enum column_kind kind = telling[k];
		static const int by[] = {1, -1, 2, -2};
		int at = r->cols->at[kind];

		if (at < 0)
			continue;
		get(row, at, t);
		if (t->n > 0 && column_plausible(kind, t))
			continue;
		for (size_t i = 0; i < 4; i++) {
			int to = at + by[i];

			if (to < 0 || (unsigned)to >= row->n)
				continue;
			get(row, to, t);
			if (t->n == 0 || !column_plausible(kind, t))
				continue;
			row->moved[kind] = to;
			moved = true;
			break;
		}
	}
	return moved ? 1u << ISSUE_MOVED : 0;
}

static uint8_t
same8(const uint16_t *v, unsigned n)
{
	return (uint8_t)(text_hash_same(v, n) >> 24);
}

static void
put_kanji(struct sig *s, const struct name *n)
{
	uint64_t raw = TEXT_HASH_INIT;

	if (n->n == 0)
		return;
	s->all = short_hash(text_hash_like(n->all, n->n));
	s->giv1 = same8(n->all, n->n);
	if (n->split) {
		s->sur = short_hash(text_hash_like(n->all, n->split));
		s->giv = short_hash(text_hash_like(n->all + n->split,
		    n->n - (size_t)n->split));
		s->sur1 = same8(n->all, n->split);
		s->giv1 = same8(n->all + n->split, n->n - (unsigned)n->split);
	}
	for (unsigned i = 0; i < n->n; i++) {
		raw = text_hash_add(raw, n->all[i]);
		if (text_is_kanji(n->all[i]) &&
		    text_same(n->all[i]) != n->all[i])
			s->role |= SIG_RARE;
	}
	s->raw = (uint16_t)text_hash_end(raw);
}

static void
put_kana(struct sig *s, const struct name *n)
{
	if (n->n == 0)
		return;
	s->kall = short_hash(text_hash_kana(n->all, n->n));
	if (!n->split)
		return;
	s->ksur = short_hash(text_hash_kana(n->all, n->split));
	s->kgiv = short_hash(text_hash_kana(n->all + n->split,
	    n->n - (size_t)n->split));
	for (unsigned i = n->split; i < n->n; i++)
		s->gmask |= 1u << (text_kana(n->all[i]) * 0x9e3779b1u >> 27);
}

/* Kanji and reading of one person into a signature. */
static void
put_names(struct row_reader *r, struct sig *s, const struct text *name,
    const struct text *kana)
{
	struct name n, k;

	memset(&n, 0, sizeof n);
	memset(&k, 0, sizeof k);
	if (kana->n)
		kana_parse(r->names, &k, kana, NULL);
	if (name->n)
		name_parse(r->names, &n, name, k.n ? &k : NULL);
	if (k.n && !k.split && n.split)
		kana_parse(r->names, &k, kana, &n);
	/* Kana in the name's column is a reading too. */
	if (n.n && n.kana && !k.n)
		put_kana(s, &n);
	else if (n.n)
		put_kanji(s, &n);
	if (k.n)
		put_kana(s, &k);
}

static void
join(struct text *to, const struct text *part, bool space)
{
	if (part->n == 0)
		return;
	if (space && to->n && to->n < TEXT_MAX)
		to->v[to->n++] = ' ';
	for (unsigned i = 0; i < part->n && to->n < TEXT_MAX; i++)
		to->v[to->n++] = part->v[i];
}

/*
 * An address that no gazetteer has (new, abroad, made up) still equals itself:
 * its words behind the prefecture stand for the town, its digits for the house.
 */
static void
put_words(struct row_reader *r, const struct address *a, const struct text *t,
    struct sig *s)
{
	unsigned i = a->pref ? (unsigned)places_pref(r->places, a->pref).len /
	    3 : 0;
	uint64_t h = TEXT_HASH_INIT;
	uint32_t seq[3] = {0};
	unsigned letters = 0, n = 0;

	for (; i < t->n && (t->v[i] < '0' || t->v[i] > '9'); i++)
		if (t->v[i] != ' ') {
			h = text_hash_add(h, text_same(t->v[i]));
			letters++;
		}
	for (; i < t->n && n < 3; i++) {
		if (t->v[i] < '0' || t->v[i] > '9')
			continue;
		for (; i < t->n && t->v[i] >= '0' && t->v[i] <= '9'; i++)
			seq[n] = (seq[n] * 10 + (t->v[i] - '0')) & 0xfff;
		n++;
	}
	if (letters < 3)
		return;
	s->town = SIG_NO_CITY << 20 | (short_hash(text_hash_end(h)) &
	    0xfffff) | 1;
	if (n)
		s->num = seq[0] << 20 | (seq[1] & 0x3ff) << 10 |
		    (seq[2] & 0x3ff);
}

static uint32_t
put_address(struct row_reader *r, const struct row *row, struct sig *s)
{
	struct text *t = &r->text[T_ADDR], *x = &r->text[T_X];
	struct address a;
	uint32_t city, town;
	uint16_t seq[3] = {0};
	unsigned n = 0;
	uint64_t h = TEXT_HASH_INIT;

	get_kind(row, COL_ZIP, x);
	if (x->n) {
		uint32_t zip = 0;
		unsigned digits = 0;

		for (unsigned i = 0; i < x->n; i++)
			if (x->v[i] >= '0' && x->v[i] <= '9' && digits < 7) {
				zip = zip * 10 + (x->v[i] - '0');
				digits++;
			}
		if (digits >= 6)	/* six: a lost leading zero */
			s->zip = zip + 1;
	}
	get_kind(row, COL_PREF, t);
	get_kind(row, COL_CITY, x);
	join(t, x, false);
	get_kind(row, COL_ADDRESS, x);
	join(t, x, false);
	get_kind(row, COL_ADDRESS2, x);
	join(t, x, true);
	if (t->n == 0 && s->zip == 0)
		return 0;
	address_parse(r->places, &a, t);
	if (a.city == ADDRESS_NONE && s->zip) {
		places_by_zip(r->places, s->zip - 1, &city, &town);
		a.city = city;
		if (t->n == 0)
			a.town = town;
	}
	if (a.city == ADDRESS_NONE || a.ambiguous) {
		if (t->n == 0)
			return 0;
		put_words(r, &a, t, s);
		return 1u << ISSUE_PLACE;
	}
	s->town = (a.city + 1) << 20;
	if (a.town != ADDRESS_NONE) {
		struct slice name = places_town(r->places, a.town);

		/* By name: some towns have several postal codes. */
		s->town |= (short_hash(hash64(name.p, name.len, 0)) &
		    0xfffff) | 1;
	} else if (a.town_hash)
		s->town |= (short_hash(a.town_hash) & 0xfffff) | 1;
	if (a.chome)
		seq[n++] = (uint16_t)a.chome;
	for (unsigned i = 0; i < a.nnumbers && n < 3; i++)
		seq[n++] = a.number[i];
	if (n)
		s->num = (uint32_t)(seq[0] & 0xfff) << 20 |
		    (uint32_t)(seq[1] & 0x3ff) << 10 | (seq[2] & 0x3ff);
	n = 0;
	for (unsigned i = a.rest; i < t->n; i++) {
		uint16_t c = text_same(t->v[i]);

		if (c == ' ' || c == '-' || c == 0x30fc)
			continue;
		h = text_hash_add(h, c);
		n++;
	}
	if (n)
		s->building = (uint16_t)(text_hash_end(h) | 1);
	return 0;
}

static uint32_t
put_birth(struct row_reader *r, const struct row *row, struct sig *s)
{
	struct text *t = &r->text[T_X];
	struct date d;

	get_kind(row, COL_BIRTH, t);
	if (t->n == 0)
		return 0;
	date_parse(&d, t, NULL);
	s->dob = date_pack(&d);
	if (!d.year)
		return 1u << ISSUE_BIRTH;
	return d.flags & DATE_SERIAL ? 1u << ISSUE_SERIAL : 0;
}

static uint32_t
put_phone(struct row_reader *r, const struct row *row, enum column_kind k,
    uint32_t *to)
{
	struct text *t = &r->text[T_X];
	struct phone p;

	get_kind(row, k, t);
	if (t->n == 0)
		return 0;
	phone_parse(&p, t);
	if (p.kind == PHONE_DAMAGED)
		return 1u << ISSUE_PHONE;
	if (p.kind == PHONE_FILLER)
		return 1u << ISSUE_FILLER;
	if (p.number)
		*to = short_hash(hash64(&p.number, sizeof p.number, 7));
	return 0;
}

static void
put_sex(struct row_reader *r, const struct row *row, struct sig *s)
{
	struct text *t = &r->text[T_X];

	get_kind(row, COL_SEX, t);
	if (t->n == 0)
		return;
	switch (t->v[0]) {
	case '1': case 'm': case 'M': case 0x7537:
		s->sex = 1;
		break;
	case '2': case 'f': case 'F': case 0x5973: case 'w': case 'W':
		s->sex = 2;
		break;
	}
}

static void
put_email(struct row_reader *r, const struct row *row, struct sig *s)
{
	struct text *t = &r->text[T_X];
	uint64_t h = TEXT_HASH_INIT;
	bool at = false;

	get_kind(row, COL_EMAIL, t);
	for (unsigned i = 0; i < t->n; i++) {
		at = at || t->v[i] == '@';
		h = text_hash_add(h, text_same(t->v[i]));
	}
	if (at)
		s->email = short_hash(text_hash_end(h));
}

static uint32_t
read_japanese(struct row_reader *r, const struct row *row, struct sig *s,
    unsigned *n)
{
	struct text *name = &r->text[T_NAME], *kana = &r->text[T_KANA];
	uint32_t issues = 0;

	memset(s, 0, 2 * sizeof *s);
	get_kind(row, COL_NAME, name);
	if (name->n == 0 && r->cols->at[COL_SURNAME] >= 0) {
		get_kind(row, COL_SURNAME, name);
		get_kind(row, COL_GIVEN, &r->text[T_X]);
		join(name, &r->text[T_X], true);
	}
	get_kind(row, COL_KANA, kana);
	if (kana->n == 0 && r->cols->at[COL_KANA_SURNAME] >= 0) {
		get_kind(row, COL_KANA_SURNAME, kana);
		get_kind(row, COL_KANA_GIVEN, &r->text[T_X]);
		join(kana, &r->text[T_X], true);
	}
	put_names(r, s, name, kana);
	issues |= put_address(r, row, s);
	issues |= put_phone(r, row, COL_PHONE, &s->phone);
	issues |= put_phone(r, row, COL_PHONE2, &s->phone2);
	put_email(r, row, s);
	s[1] = s[0];
	issues |= put_birth(r, row, s);
	put_sex(r, row, s);
	*n = 1;
	if (!s->all && !s->kall)
		issues |= 1u << ISSUE_NO_NAME;
	if (r->cols->at[COL_GUARDIAN] < 0 && r->cols->at[COL_GUARDIAN_KANA] < 0)
		return issues;
	s[1].sur = s[1].giv = s[1].all = s[1].ksur = s[1].kgiv = 0;
	s[1].kall = s[1].gmask = 0;
	s[1].raw = 0;
	s[1].sur1 = s[1].giv1 = 0;
	s[1].role = SIG_GUARDIAN;
	get_kind(row, COL_GUARDIAN, name);
	get_kind(row, COL_GUARDIAN_KANA, kana);
	put_names(r, &s[1], name, kana);
	/* The same name again is the person, not somebody else. */
	if ((s[1].all && s[1].all == s[0].all) ||
	    (s[1].kall && s[1].kall == s[0].kall && !s[1].all))
		s[1].all = s[1].kall = 0;
	if (s[1].all || s[1].kall) {
		if (!s[0].all && !s[0].kall)
			s[0] = s[1];
		else
			*n = 2;
	}
	return issues;
}

static void
read_generic(struct row_reader *r, const struct row *row, struct cell *c)
{
	struct text *t = &r->text[T_X];

	memset(c, 0, r->schema->n * sizeof *c);
	for (unsigned k = 0; k < r->schema->n; k++, c++) {
		const struct generic_column *col = &r->schema->column[k];
		uint64_t h = TEXT_HASH_INIT;
		uint16_t last = ' ';
		struct date d;

		get(row, r->cols->generic[k], t);
		if (t->n == 0)
			continue;
		if (col->type == TYPE_DATE) {
			date_parse(&d, t, col->format);
			if (d.year == 0)
				continue;
			c->hash = date_pack(&d);
			c->len = 8;
			continue;
		}
		for (unsigned i = 0; i < t->n; i++) {
			uint16_t u = text_same(t->v[i]);

			if (col->type == TYPE_NUMBER && i + 1 < t->n &&
			    u == '0' && h == TEXT_HASH_INIT)
				continue;	/* leading zeros */
			if (u == ' ' || u == '-' || u == '\'')
				continue;
			h = text_hash_add(h, u);
			c->bigrams |= 1ull << ((last * 31u + u) * 0x9e3779b1u
			    >> 26);
			if (c->len < CELL_TEXT)
				c->text[c->len++] = (uint8_t)(u < 0x80 ? u :
				    0x80 | (u * 0x9e3779b1u >> 25));
			last = u;
		}
		c->hash = short_hash(text_hash_end(h));
	}
}

uint64_t
key_hash(struct slice key)
{
	uint64_t h;

	while (key.len > 0 && key.p[0] == ' ') {
		key.p++;
		key.len--;
	}
	while (key.len > 0 && key.p[key.len - 1] == ' ')
		key.len--;
	h = hash64(key.p, key.len, 99);
	return h ? h : 1;
}

/* Spaces at its end do not count. Whether anything is left. */
static bool
hash_ascii(struct slice f, uint64_t *h)
{
	while (f.len > 0 && f.p[f.len - 1] == ' ')
		f.len--;
	*h = hash64(f.p, f.len, *h + 1);
	return f.len > 0;
}

static bool
is_ascii(struct slice f)
{
	size_t i = 0;
	uint64_t w;
	uint8_t high = 0;

	for (; i + 8 <= f.len; i += 8) {
		memcpy(&w, f.p + i, 8);
		if (w & 0x8080808080808080ull)
			return false;
	}
	for (; i < f.len; i++)
		high |= f.p[i];
	return high < 0x80;
}

void
row_open(struct row_reader *r, const uint8_t *p, size_t len, unsigned flags,
    uint8_t *scratch, uint16_t *units, struct row *row, struct row_facts *f)
{
	struct text *t = &r->text[T_Y];
	uint64_t h = 1;

	f->issues = 0;
	f->nsigs = 0;
	f->filled = 0;
	if (flags & CSV_BROKEN_QUOTE)
		f->issues |= 1u << ISSUE_QUOTE;
	if (flags & CSV_TOO_LONG)
		f->issues |= 1u << ISSUE_LONG;
	if (memchr(p, 0, len))
		f->issues |= 1u << ISSUE_NUL;
	row->enc = text_guess(p, len, r->usual);
	if (row->enc != ENC_ASCII && row->enc != r->usual)
		f->issues |= 1u << ISSUE_BOTH_ENC;
	row->n = csv_split(p, len, r->sep, row->f, COLUMNS_MAX + 1, scratch);
	if (row->n > COLUMNS_MAX) {
		f->issues |= 1u << ISSUE_WIDE;
		row->n = COLUMNS_MAX;
	}
	f->enc = row->enc;
	f->key = r->cols->key >= 0 && (unsigned)r->cols->key < row->n ?
	    key_hash(row->f[r->cols->key]) : 0;
	if (row->n != r->cols->n && len > 0)
		f->issues |= 1u << ISSUE_COLUMNS;
	/*
	 * The same row in another encoding or quoting is a duplicate: ASCII
	 * hashes as bytes, the rest decoded.
	 */
	for (unsigned i = 0; i < row->n; i++) {
		bool any, whole = row->f[i].len <= TEXT_MAX;

		row->units[i] = NULL;
		if (is_ascii(row->f[i])) {
			any = hash_ascii(row->f[i], &h);
			f->issues |= (uint32_t)!whole << ISSUE_FIELD;
		} else {
			text_decode(t, row->f[i].p, row->f[i].len, row->enc);
			any = t->n > 0;
			for (unsigned k = 0; k < t->n; k++)
				if (t->v[k] == 0xfffd)
					f->issues |= 1u << ISSUE_ENCODING;
			h = hash64(t->v, t->n * 2, h + 2);
			if (!whole && t->n == TEXT_MAX) {
				f->issues |= 1u << ISSUE_FIELD;
				h = hash64(row->f[i].p, row->f[i].len, h);
			}
			row->units[i] = units;
			row->nunits[i] = (uint16_t)t->n;
			memcpy(units, t->v, t->n * sizeof *units);
			units += t->n;
		}
		f->filled |= (uint64_t)any << i;
	}
	f->hash = h ? h : 1;
	if (!f->filled)
		f->issues |= 1u << ISSUE_EMPTY;
}

void
row_people(struct row_reader *r, struct row *row, void *sigs,
    struct row_facts *f)
{
	if (f->issues & 1u << ISSUE_EMPTY)
		return;
	memcpy(row->moved, r->cols->at, sizeof row->moved);
	if (r->schema) {
		read_generic(r, row, sigs);
		f->nsigs = 1;
		return;
	}
	if (f->issues & 1u << ISSUE_COLUMNS)
		f->issues |= realign(r, row);
	f->issues |= read_japanese(r, row, sigs, &f->nsigs);
}

void
row_read(struct row_reader *r, const uint8_t *p, size_t len, unsigned flags,
    void *sigs, struct row_facts *f)
{
	struct row row;

	row_open(r, p, len, flags, r->scratch, r->units, &row, f);
	row_people(r, &row, sigs, f);
}

void
row_field(struct row_reader *r, const uint8_t *p, size_t len, int column,
    struct text *out)
{
	struct slice f[COLUMNS_MAX];
	unsigned n = csv_split(p, len, r->sep, f, COLUMNS_MAX, r->scratch);

	out->n = 0;
	if (column >= 0 && (unsigned)column < n)
		text_decode(out, f[column].p, f[column].len,
		    text_guess(p, len, r->usual));
}
