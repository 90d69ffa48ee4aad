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

/* Kinds of columns: X(NAME, "name", what people call it in ja, in en). */
#define COLUMN_KINDS(X)							\
	X(NONE, "ignore", "対象外", "ignored")				\
	X(KEY, "key", "番号", "key")					\
	X(NAME, "name", "氏名", "name")					\
	X(SURNAME, "surname", "姓", "surname")				\
	X(GIVEN, "given", "名", "given name")				\
	X(KANA, "kana", "フリガナ", "reading")				\
	X(KANA_SURNAME, "kana_surname", "セイ", "surname's reading")	\
	X(KANA_GIVEN, "kana_given", "メイ", "given name's reading")	\
	X(BIRTH, "birth", "生年月日", "date of birth")			\
	X(SEX, "sex", "性別", "sex")					\
	X(ZIP, "zip", "郵便番号", "postal code")			\
	X(PREF, "prefecture", "都道府県", "prefecture")		\
	X(CITY, "city", "市区町村", "city")				\
	X(ADDRESS, "address", "住所", "address")			\
	X(ADDRESS2, "address2", "住所2", "address, continued")		\
	X(PHONE, "phone", "電話番号", "telephone")			\
	X(PHONE2, "phone2", "電話番号2", "second telephone")		\
	X(EMAIL, "email", "メール", "e-mail")				\
	X(GUARDIAN, "guardian", "保護者氏名", "guardian's name")	\
	X(GUARDIAN_KANA, "guardian_kana", "保護者フリガナ",		\
	    "guardian's reading")					\
	X(SERVICE, "service", "サービス", "service or table")

enum column_kind {
#define X(name, text, ja, en) COL_##name,
	COLUMN_KINDS(X)
#undef X
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
