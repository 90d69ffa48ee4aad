/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the columns of a list mean. Guessed from the header (Japanese and
 * English) and from what the fields look like, or told: --columns
 * '氏名=name,...', or a schema file (trace.conf) with columns of any kind.
 */
#ifndef KB_TRACE_COLUMNS_H
#define KB_TRACE_COLUMNS_H

#include "base/bytes.h"
#include "base/err.h"
#include "trace/text.h"

/* Kinds of columns: COL(NAME, "name", what people call it in ja, in en). */
#define COLUMN_KINDS(COL)							\
	COL(NONE, "ignore", "対象外", "ignored")				\
	COL(KEY, "key", "番号", "key")					\
	COL(NAME, "name", "氏名", "name")					\
	COL(SURNAME, "surname", "姓", "surname")				\
	COL(GIVEN, "given", "名", "given name")				\
	COL(KANA, "kana", "フリガナ", "reading")				\
	COL(KANA_SURNAME, "kana_surname", "セイ", "surname's reading")	\
	COL(KANA_GIVEN, "kana_given", "メイ", "given name's reading")	\
	COL(BIRTH, "birth", "生年月日", "date of birth")			\
	COL(SEX, "sex", "性別", "sex")					\
	COL(ZIP, "zip", "郵便番号", "postal code")			\
	COL(PREF, "prefecture", "都道府県", "prefecture")		\
	COL(CITY, "city", "市区町村", "city")				\
	COL(ADDRESS, "address", "住所", "address")			\
	COL(ADDRESS2, "address2", "住所2", "address, continued")		\
	COL(PHONE, "phone", "電話番号", "telephone")			\
	COL(PHONE2, "phone2", "電話番号2", "second telephone")		\
	COL(EMAIL, "email", "メール", "e-mail")				\
	COL(GUARDIAN, "guardian", "保護者氏名", "guardian's name")	\
	COL(GUARDIAN_KANA, "guardian_kana", "保護者フリガナ",		\
	    "guardian's reading")					\
	COL(SERVICE, "service", "サービス", "service or table")

enum column_kind {
#define COL(name, text, ja, en) COL_##name,
	COLUMN_KINDS(COL)
#undef COL
	COL_COUNT
};

/* A column of a schema of the user's own (--schema). */
enum generic_type { TYPE_STRING, TYPE_NAME, TYPE_DATE, TYPE_NUMBER, TYPE_EXACT };

struct generic_column {
	char *name;
	enum generic_type type;
	char *format;		/* of a date; or NULL */
};

#define GENERIC_MAX 16

struct schema {
	char *key;		/* column name; or NULL */
	struct generic_column column[GENERIC_MAX];
	unsigned n;
};

/* Reads a schema file; why: file, line and what, for people. */
enum err schema_load(struct schema *s, const char *file, char *why,
    size_t why_cap);
void schema_fini(struct schema *s);

#define COLUMNS_MAX 64

/* How one file's columns are read. */
struct columns {
	unsigned n;			/* columns of the file */
	bool header;			/* the first row names them */
	char *name[COLUMNS_MAX];	/* owned; from the header, or "1", "2" */
	enum column_kind kind[COLUMNS_MAX];
	int at[COL_COUNT];		/* column of a kind, or -1 */
	int generic[GENERIC_MAX];	/* column of a schema's column, or -1 */
	int key;			/* column of the key, or -1 */
};

/*
 * Guesses from the first rows of a file; told is the user's "name=kind,..." or
 * NULL, s a schema or NULL. ERR_CONFIG with why when told names nothing.
 */
enum err columns_guess(struct columns *c, const void *p, size_t len,
    const char *told, const struct schema *s, char *why, size_t why_cap);
void columns_fini(struct columns *c);
const char *column_kind_name(enum column_kind k);
/* Whether a field can be of that kind, by its look alone. */
bool column_plausible(enum column_kind k, const struct text *t);

#endif
