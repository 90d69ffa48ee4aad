/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person mention as the matcher sees it: one fixed-size signature, no text.
 * A row gives one mention, or two where it names a guardian as well.
 *
 * Japanese lists use struct sig (64 bytes). A schema of the user's own gives a
 * row of struct cell, one a column. Hashes are 32 bits and 0 means missing.
 */
#ifndef KB_TRACE_RECORD_H
#define KB_TRACE_RECORD_H

#include "trace/columns.h"
#include "trace/csv.h"
#include "trace/names.h"
#include "trace/places.h"

struct sig {
	uint32_t sur, giv, all;		/* T2 of the kanji; all: without a space */
	uint32_t ksur, kgiv, kall;	/* of the reading */
	uint32_t gmask;			/* characters of the given reading */
	uint32_t dob;			/* date_pack() */
	uint32_t phone, phone2, email;
	uint32_t zip;			/* number + 1 */
	uint32_t town;			/* city + 1 << 20 | town in it; see below */
	uint32_t num;			/* 12 + 10 + 10 bits */
	uint16_t building;
	uint8_t sur1, giv1;		/* 8 bits of the T1 form */
	uint8_t sex;			/* 1 male, 2 female */
	uint8_t role;			/* SIG_ bits */
	uint16_t raw;			/* of the name as spelled; see rare */
};
enum { SIG_GUARDIAN = 1,	/* not the row's own person */
    SIG_RARE = 2 };		/* the name has a rare form of a character */
_Static_assert(sizeof(struct sig) == 64, "one cache line");

/* "City" of an address that the gazetteer does not have: town is its words. */
#define SIG_NO_CITY 0xfffu

#define CELL_TEXT 19

struct cell {
	uint64_t bigrams;
	uint32_t hash;
	uint8_t len;
	uint8_t text[CELL_TEXT];	/* one byte a character; dates: packed */
};
_Static_assert(sizeof(struct cell) == 32, "two a cache line");

/* What a row's reader remarked; counted and reported with row numbers. */
#define ROW_ISSUES(ROW)							\
	ROW(QUOTE, "broken quote", "閉じていない引用符")					\
	ROW(LONG, "row longer than 1 MiB, cut", "1 MiB を超える行（切り詰め）")				\
	ROW(NUL, "NUL byte", "NUL バイト")						\
	ROW(COLUMNS, "other number of columns than the header", "列数が見出しと違う")		\
	ROW(WIDE, "more than 64 columns, the rest not read", "64 列を超える行（それ以降は読まない）")	\
	ROW(FIELD, "field of more than 512 characters, its end not compared", "512 文字を超える欄（それ以降は比較しない）")	\
	ROW(MOVED, "columns moved back by their content", "内容から列のずれを戻した")			\
	ROW(ENCODING, "bytes that are no text", "文字として読めないバイト")				\
	ROW(EMPTY, "empty row", "空の行")						\
	ROW(NO_NAME, "no name", "氏名がない")						\
	ROW(BIRTH, "unreadable date of birth", "読めない生年月日")				\
	ROW(SERIAL, "date as a spreadsheet's serial number", "表計算の通し番号になった日付")		\
	ROW(PHONE, "telephone number damaged", "壊れた電話番号")				\
	ROW(FILLER, "telephone number is a filler", "穴埋めの電話番号")			\
	ROW(PLACE, "address not in the gazetteer", "辞書にない住所")			\
	ROW(BOTH_ENC, "in another encoding than most of the file", "ファイルの大半と違う文字コード")

enum row_issue {
#define ROW(name, en, ja) ISSUE_##name,
	ROW_ISSUES(ROW)
#undef ROW
	ISSUE_COUNT
};
const char *row_issue_text(enum row_issue i, bool japanese);

/* How one worker reads rows. Owns its buffers; borrows the rest. */
struct row_reader {
	const struct columns *cols;
	const struct schema *schema;	/* NULL: Japanese lists */
	const struct names *names;
	const struct places *places;
	enum text_enc usual;
	uint8_t sep;
	uint8_t *scratch;
	uint16_t *units;
	struct text *text;		/* ROW_TEXTS of them */
};

enum err row_reader_init(struct row_reader *r, const struct columns *c,
    const struct schema *s, const struct names *n, const struct places *p,
    enum text_enc usual, uint8_t sep);
void row_reader_fini(struct row_reader *r);

/* A row taken apart. Borrows the row's bytes and the scratch. */
struct row {
	struct slice f[COLUMNS_MAX + 1];
	const uint16_t *units[COLUMNS_MAX];	/* decoded; NULL: ASCII */
	uint16_t nunits[COLUMNS_MAX];
	unsigned n;
	enum text_enc enc;
	int moved[COL_COUNT];	/* where a kind's column is in this row */
};

struct row_facts {
	uint64_t hash;		/* of all fields, decoded: equal for duplicates */
	uint64_t key;		/* hash of the key column; 0: none */
	uint64_t filled;	/* 1 << column: not empty */
	enum text_enc enc;
	uint32_t issues;	/* 1 << enum row_issue */
	unsigned nsigs;		/* mentions, 0..2 */
};

/* Of a key as written; spaces around it do not count. Never 0. */
uint64_t key_hash(struct slice key);
/*
 * First half: the row apart, hashed, its form judged. scratch takes len bytes,
 * units len of them.
 * Second half: its persons; adds to the facts' issues and sets nsigs. sigs takes
 * two, or schema->n cells.
 */
void row_open(struct row_reader *r, const uint8_t *p, size_t len,
    unsigned flags, uint8_t *scratch, uint16_t *units, struct row *row,
    struct row_facts *f);
void row_people(struct row_reader *r, struct row *row, void *sigs,
    struct row_facts *f);
/* Both. */
void row_read(struct row_reader *r, const uint8_t *p, size_t len,
    unsigned flags, void *sigs, struct row_facts *f);
/* One column of a row, folded; empty when there is none. */
void row_field(struct row_reader *r, const uint8_t *p, size_t len, int column,
    struct text *out);

#endif
