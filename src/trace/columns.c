/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/columns.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/csv.h"
#include "trace/names.h"

#define SAMPLE_ROWS 400

const char *
column_kind_name(enum column_kind k)
{
	static const char *const name[] = {
#define COL(id, text, ja, en) text,
		COLUMN_KINDS(COL)
#undef COL
	};

	return k < COL_COUNT ? name[k] : "";
}

/*
 * Header words, most telling first; folded, lower case, without spaces and
 * underscores. "=x" must be all of it.
 */
static const struct {
	const char *word;
	enum column_kind kind;
} words[] = {
	{"保護者フリガナ", COL_GUARDIAN_KANA}, {"保護者カナ", COL_GUARDIAN_KANA},
	{"保護者氏名カナ", COL_GUARDIAN_KANA}, {"保護者名カナ", COL_GUARDIAN_KANA},
	{"保護者セイ", COL_GUARDIAN_KANA}, {"guardiankana", COL_GUARDIAN_KANA},
	{"parentkana", COL_GUARDIAN_KANA}, {"保護者電話", COL_PHONE2},
	{"保護者", COL_GUARDIAN}, {"guardian", COL_GUARDIAN},
	{"parentname", COL_GUARDIAN}, {"世帯主", COL_GUARDIAN},
	{"subjectkey", COL_KEY}, {"customerid", COL_KEY}, {"会員番号", COL_KEY},
	{"顧客番号", COL_KEY}, {"顧客id", COL_KEY}, {"会員id", COL_KEY},
	{"顧客コード", COL_KEY}, {"お客様番号", COL_KEY}, {"memberid", COL_KEY},
	{"personid", COL_KEY}, {"recid", COL_KEY}, {"userid", COL_KEY},
	{"=id", COL_KEY}, {"=key", COL_KEY}, {"=no", COL_KEY}, {"=no.", COL_KEY},
	{"=ourkey", COL_KEY}, {"管理番号", COL_KEY},
	{"生年月日", COL_BIRTH}, {"誕生日", COL_BIRTH}, {"生年", COL_BIRTH},
	{"birth", COL_BIRTH}, {"=dob", COL_BIRTH},
	{"郵便", COL_ZIP}, {"〒", COL_ZIP}, {"postal", COL_ZIP},
	{"postcode", COL_ZIP}, {"zip", COL_ZIP},
	{"メール", COL_EMAIL}, {"mail", COL_EMAIL},
	{"携帯", COL_PHONE2}, {"電話番号2", COL_PHONE2}, {"mobile", COL_PHONE2},
	{"phone2", COL_PHONE2}, {"tel2", COL_PHONE2}, {"電話2", COL_PHONE2},
	{"電話", COL_PHONE}, {"phone", COL_PHONE}, {"=tel", COL_PHONE},
	{"tel", COL_PHONE},
	{"性別", COL_SEX}, {"=sex", COL_SEX}, {"gender", COL_SEX},
	{"都道府県", COL_PREF}, {"prefecture", COL_PREF}, {"=pref", COL_PREF},
	{"市区町村", COL_CITY}, {"=city", COL_CITY}, {"municipality", COL_CITY},
	{"住所2", COL_ADDRESS2}, {"建物", COL_ADDRESS2}, {"番地", COL_ADDRESS2},
	{"マンション", COL_ADDRESS2}, {"building", COL_ADDRESS2},
	{"address2", COL_ADDRESS2}, {"住所カナ", COL_NONE},
	{"住所", COL_ADDRESS}, {"address", COL_ADDRESS}, {"所在地", COL_ADDRESS},
	{"=addr", COL_ADDRESS},
	{"姓カナ", COL_KANA_SURNAME}, {"姓フリガナ", COL_KANA_SURNAME},
	{"=セイ", COL_KANA_SURNAME}, {"surnamekana", COL_KANA_SURNAME},
	{"lastnamekana", COL_KANA_SURNAME}, {"familynamekana", COL_KANA_SURNAME},
	{"姓カナ", COL_KANA_SURNAME}, {"カナ姓", COL_KANA_SURNAME},
	{"名カナ", COL_KANA_GIVEN}, {"名フリガナ", COL_KANA_GIVEN},
	{"=メイ", COL_KANA_GIVEN}, {"givennamekana", COL_KANA_GIVEN},
	{"firstnamekana", COL_KANA_GIVEN}, {"カナ名", COL_KANA_GIVEN},
	{"フリガナ", COL_KANA}, {"ふりがな", COL_KANA}, {"カナ", COL_KANA},
	{"かな", COL_KANA}, {"kana", COL_KANA}, {"furigana", COL_KANA},
	{"ヨミ", COL_KANA}, {"reading", COL_KANA},
	{"=姓", COL_SURNAME}, {"苗字", COL_SURNAME}, {"surname", COL_SURNAME},
	{"lastname", COL_SURNAME}, {"familyname", COL_SURNAME},
	{"氏名", COL_NAME}, {"名前", COL_NAME}, {"お名前", COL_NAME},
	{"=名", COL_GIVEN}, {"givenname", COL_GIVEN}, {"firstname", COL_GIVEN},
	{"fullname", COL_NAME}, {"=name", COL_NAME}, {"customername", COL_NAME},
	{"personname", COL_NAME}, {"会員名", COL_NAME}, {"顧客名", COL_NAME},
	{"サービス", COL_SERVICE}, {"=service", COL_SERVICE},
	{"=table", COL_SERVICE}, {"商品", COL_SERVICE}, {"=client", COL_SERVICE},
};

/* 氏名カナ is a reading although 氏名 is in it: judged after the others. */
static enum column_kind
kind_of_header(const char *text)
{
	char h[256];
	size_t n = 0;

	for (; *text && n + 1 < sizeof h; text++)
		if (*text != ' ' && *text != '_' && *text != '-')
			h[n++] = *text >= 'A' && *text <= 'Z' ?
			    (char)(*text + 32) : *text;
	h[n] = '\0';
	if (strstr(h, "氏名") && (strstr(h, "カナ") || strstr(h, "かな")) &&
	    !strstr(h, "保護者"))
		return COL_KANA;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const char *w = words[i].word;

		if (*w == '=' ? strcmp(h, w + 1) == 0 : strstr(h, w) != NULL)
			return words[i].kind;
	}
	return COL_NONE;
}

static unsigned
count_digits(const struct text *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->n; i++)
		n += t->v[i] >= '0' && t->v[i] <= '9';
	return n;
}

bool
column_plausible(enum column_kind k, const struct text *t)
{
	unsigned digits = count_digits(t), kana = 0, kanji = 0;
	struct phone phone;
	struct date date;

	if (t->n == 0)
		return true;
	for (unsigned i = 0; i < t->n; i++) {
		kana += text_is_kana(t->v[i]);
		kanji += text_is_kanji(t->v[i]);
	}
	switch (k) {
	case COL_KANA: case COL_KANA_SURNAME: case COL_KANA_GIVEN:
	case COL_GUARDIAN_KANA:
		return kana == t->n;
	case COL_NAME: case COL_GUARDIAN:
		return digits == 0 && t->n <= 24 && kanji + kana > t->n / 2;
	case COL_SURNAME: case COL_GIVEN:
		return digits == 0 && t->n <= 12 && kanji + kana > t->n / 2;
	case COL_BIRTH:
		date_parse(&date, t, NULL);
		return date.year != 0;
	case COL_SEX:
		return t->n <= 6;
	case COL_ZIP:
		return digits >= 6 && digits <= 7 && t->n <= digits + 2;
	case COL_PHONE: case COL_PHONE2:
		phone_parse(&phone, t);
		return phone.kind == PHONE_LAND || phone.kind == PHONE_MOBILE ||
		    phone.kind == PHONE_FILLER;
	case COL_EMAIL:
		for (unsigned i = 1; i + 1 < t->n; i++)
			if (t->v[i] == '@')
				return true;
		return false;
	case COL_ADDRESS: {
		bool place = false;

		for (unsigned i = 0; i < t->n; i++)
			place = place || t->v[i] == 0x770c ||
			    t->v[i] == 0x5e02 || t->v[i] == 0x533a ||
			    t->v[i] == 0x753a || t->v[i] == 0x90fd ||
			    t->v[i] == 0x6751 || t->v[i] == 0x9053 ||
			    t->v[i] == 0x5e9c;
		return place && t->n >= 5 && kanji >= 3;
	}
	default:
		return true;
	}
}

static void
fold_header(char *out, size_t cap, struct slice s)
{
	struct text t;

	text_decode(&t, s.p, s.len, text_guess(s.p, s.len, ENC_CP932));
	text_utf8(out, cap, t.v, t.n);
}

static bool
same_name(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

/* name=kind,...: overrides what was guessed. */
static enum err
apply_told(struct columns *c, const char *told, char *why, size_t cap)
{
	char *copy = strdup(told), *save = NULL;
	enum err e = copy ? ERR_OK : ERR_NOMEM;

	for (char *w = copy ? strtok_r(copy, ",", &save) : NULL;
	    w && e == ERR_OK; w = strtok_r(NULL, ",", &save)) {
		char *eq = strrchr(w, '=');
		unsigned at = 0, k = 0;

		if (!eq) {
			snprintf(why, cap, "%s: name=kind", w);
			e = ERR_CONFIG;
			break;
		}
		*eq++ = '\0';
		while (at < c->n && !same_name(c->name[at], w))
			at++;
		while (k < COL_COUNT && strcmp(column_kind_name(k), eq) != 0)
			k++;
		if (at == c->n || k == COL_COUNT) {
			snprintf(why, cap, "%s=%s: %s", w, eq, at == c->n ?
			    "no such column" : "no such kind");
			e = ERR_CONFIG;
			break;
		}
		for (unsigned i = 0; i < c->n; i++)
			if (c->kind[i] == k)
				c->kind[i] = COL_NONE;
		c->kind[at] = k;
	}
	free(copy);
	return e;
}

struct sample {
	unsigned rows;
	unsigned filled[COLUMNS_MAX];
	unsigned fits[COLUMNS_MAX][COL_COUNT];
};

/* Content decides where the header says nothing. */
static void
guess_by_content(struct columns *c, const struct sample *s)
{
	static const enum column_kind order[] = {COL_EMAIL, COL_ZIP, COL_PHONE,
	    COL_BIRTH, COL_ADDRESS, COL_KANA, COL_NAME};
	bool have[COL_COUNT] = {false};

	for (unsigned i = 0; i < c->n; i++)
		have[c->kind[i]] = true;
	have[COL_NAME] = have[COL_NAME] || have[COL_SURNAME];
	have[COL_KANA] = have[COL_KANA] || have[COL_KANA_SURNAME];
	for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
		if (have[order[k]])
			continue;
		for (unsigned i = 0; i < c->n; i++) {
			unsigned fit = s->fits[i][order[k]];

			if (c->kind[i] != COL_NONE || s->filled[i] < 1 ||
			    fit * 10 < s->filled[i] * 8)
				continue;
			c->kind[i] = order[k];
			break;
		}
	}
}

static void
sample_rows(struct columns *c, struct sample *s, struct csv csv,
    uint8_t *scratch)
{
	struct slice f[COLUMNS_MAX];
	struct csv_row row;
	struct text t;

	while (s->rows < SAMPLE_ROWS && csv_next(&csv, &row)) {
		const uint8_t *p = csv.p + row.offset;
		enum text_enc e = text_guess(p, row.len, ENC_CP932);
		unsigned n = csv_split(p, row.len, csv.sep, f, COLUMNS_MAX,
		    scratch);

		s->rows++;
		for (unsigned i = 0; i < n && i < c->n; i++) {
			text_decode(&t, f[i].p, f[i].len, e);
			if (t.n == 0)
				continue;
			s->filled[i]++;
			for (unsigned k = COL_NAME; k < COL_COUNT; k++)
				s->fits[i][k] += column_plausible(k, &t);
		}
	}
}

/* No header: hardly any header word, and fields that look like data. */
static bool
is_header(const struct slice *f, unsigned n)
{
	unsigned known = 0, data = 0;
	char h[256];
	struct text t;

	for (unsigned i = 0; i < n; i++) {
		fold_header(h, sizeof h, f[i]);
		known += kind_of_header(h) != COL_NONE;
		text_cstr(&t, h);
		if (t.n == 0)
			continue;
		data += column_plausible(COL_PHONE, &t) ||
		    column_plausible(COL_ZIP, &t) ||
		    column_plausible(COL_EMAIL, &t) ||
		    (column_plausible(COL_ADDRESS, &t) && count_digits(&t)) ||
		    (t.n >= 8 && column_plausible(COL_BIRTH, &t));
	}
	return data == 0 || known > data;
}

enum err
columns_guess(struct columns *c, const void *p, size_t len, const char *told,
    const struct schema *schema, char *why, size_t cap)
{
	struct csv csv, head;
	struct csv_row row;
	struct slice f[COLUMNS_MAX];
	struct sample *s = calloc(1, sizeof *s);
	uint8_t *scratch = malloc(CSV_ROW_MAX + 1);
	enum err e = s && scratch ? ERR_OK : ERR_NOMEM;
	char h[256];

	memset(c, 0, sizeof *c);
	c->key = -1;
	memset(c->at, -1, sizeof c->at);
	memset(c->generic, -1, sizeof c->generic);
	csv_open(&csv, p, len);
	head = csv;
	if (e != ERR_OK)
		goto out;
	if (!csv_next(&csv, &row)) {
		snprintf(why, cap, "the file is empty");
		e = ERR_FORMAT;
		goto out;
	}
	c->n = csv_split(csv.p + row.offset, row.len, csv.sep, f, COLUMNS_MAX,
	    scratch);
	c->header = schema || told || is_header(f, c->n);
	for (unsigned i = 0; i < c->n; i++) {
		if (c->header)
			fold_header(h, sizeof h, f[i]);
		else
			snprintf(h, sizeof h, "%u", i + 1);
		c->name[i] = strdup(h);
		if (!c->name[i]) {
			e = ERR_NOMEM;
			goto out;
		}
		if (c->header && !schema)
			c->kind[i] = kind_of_header(h);
	}
	sample_rows(c, s, c->header ? csv : head, scratch);
	if (!schema) {
		/* One column a kind: the first. A name in kana is a reading. */
		for (unsigned i = 0; i < c->n; i++)
			for (unsigned j = i + 1; j < c->n; j++)
				if (c->kind[i] == c->kind[j] &&
				    c->kind[i] == COL_PHONE)
					c->kind[j] = COL_PHONE2;
				else if (c->kind[i] == c->kind[j] &&
				    c->kind[i] == COL_ADDRESS)
					c->kind[j] = COL_ADDRESS2;
				else if (c->kind[i] == c->kind[j])
					c->kind[j] = COL_NONE;
		guess_by_content(c, s);
		if (told)
			e = apply_told(c, told, why, cap);
	}
	for (unsigned i = 0; i < c->n; i++)
		if (c->kind[i] != COL_NONE && c->at[c->kind[i]] < 0)
			c->at[c->kind[i]] = (int)i;
	c->key = c->at[COL_KEY];
	/* Only a mobile number: it is the telephone. */
	if (c->at[COL_PHONE] < 0 && c->at[COL_PHONE2] >= 0) {
		c->at[COL_PHONE] = c->at[COL_PHONE2];
		c->at[COL_PHONE2] = -1;
	}
	if (schema)
		for (unsigned i = 0; i < c->n; i++) {
			if (schema->key && same_name(c->name[i], schema->key))
				c->key = (int)i;
			for (unsigned k = 0; k < schema->n; k++)
				if (same_name(c->name[i],
				    schema->column[k].name))
					c->generic[k] = (int)i;
		}
out:
	free(s);
	free(scratch);
	if (e != ERR_OK)
		columns_fini(c);
	return e;
}

void
columns_fini(struct columns *c)
{
	for (unsigned i = 0; i < c->n; i++)
		free(c->name[i]);
	c->n = 0;
}

struct why {
	char *text;
	size_t cap;
};

static struct why *schema_why;	/* libconfuse gives its callback no argument */

static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	size_t n;

	if (!schema_why || !schema_why->cap || schema_why->text[0])
		return;
	n = (size_t)snprintf(schema_why->text, schema_why->cap, "%s:%d: ",
	    cfg && cfg->filename ? cfg->filename : "", cfg ? cfg->line : 0);
	if (n < schema_why->cap)
		vsnprintf(schema_why->text + n, schema_why->cap - n, fmt, ap);
}

enum err
schema_load(struct schema *s, const char *file, char *why, size_t cap)
{
	static const char *const types[] = {"string", "name", "date", "number",
	    "exact"};
	cfg_opt_t column[] = {
		CFG_STR("type", "string", CFGF_NONE),
		CFG_STR("format", NULL, CFGF_NONE),
		CFG_END()
	};
	cfg_opt_t opts[] = {
		CFG_STR("key", NULL, CFGF_NONE),
		CFG_SEC("column", column, CFGF_MULTI | CFGF_TITLE |
		    CFGF_NO_TITLE_DUPES),
		CFG_END()
	};
	struct why w = {why, cap};
	cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	enum err e = ERR_OK;
	int rc;

	memset(s, 0, sizeof *s);
	if (cap)
		why[0] = '\0';
	if (!cfg)
		return ERR_NOMEM;
	cfg_set_error_function(cfg, on_error);
	schema_why = &w;
	rc = cfg_parse(cfg, file);
	schema_why = NULL;
	if (rc != CFG_SUCCESS) {
		e = rc == CFG_FILE_ERROR ? ERR_IO : ERR_CONFIG;
		if (cap && !why[0])
			snprintf(why, cap, "%s", file);
		goto out;
	}
	if (cfg_getstr(cfg, "key"))
		s->key = strdup(cfg_getstr(cfg, "key"));
	for (unsigned i = 0; i < cfg_size(cfg, "column"); i++) {
		cfg_t *col = cfg_getnsec(cfg, "column", i);
		const char *type = cfg_getstr(col, "type");
		const char *format = cfg_getstr(col, "format");
		unsigned t = 0;

		while (t < 5 && strcmp(types[t], type) != 0)
			t++;
		if (t == 5 || s->n == GENERIC_MAX) {
			snprintf(why, cap, "%s: column \"%s\": %s", file,
			    cfg_title(col), t == 5 ? "type must be string, "
			    "name, date, number or exact" :
			    "at most 16 columns");
			e = ERR_CONFIG;
			break;
		}
		s->column[s->n].name = strdup(cfg_title(col));
		s->column[s->n].type = t;
		s->column[s->n].format = format ? strdup(format) : NULL;
		s->n++;
	}
	if (e == ERR_OK && s->n == 0) {
		snprintf(why, cap, "%s: no column", file);
		e = ERR_CONFIG;
	}
out:
	cfg_free(cfg);
	if (e != ERR_OK)
		schema_fini(s);
	return e;
}

void
schema_fini(struct schema *s)
{
	free(s->key);
	for (unsigned i = 0; i < s->n; i++) {
		free(s->column[i].name);
		free(s->column[i].format);
	}
	memset(s, 0, sizeof *s);
}
