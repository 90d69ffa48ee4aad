/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list, read: its columns, each data row's offset and its mentions' signatures.
 * Rows are numbered from 0 here and from 1 for people. `threads` workers read
 * batches of rows; what depends on earlier rows is done in order.
 *
 * A file is mapped; a pipe goes through a window and is gone when read, so that
 * a list may be larger than the disk. What stays of a row is 13 bytes, and for
 * one that says something new its mentions. Not new are rows equal to an earlier
 * one, and in lists rows that read the same where it matters: the mentions of
 * both have equal signatures and enough in them to be one person (see strong()).
 */
#ifndef KB_TRACE_TABLE_H
#define KB_TRACE_TABLE_H

#include "trace/record.h"

/* Signatures of several tables, one after another; grows by mremap. */
struct sigs {
	uint8_t *v;
	size_t n, cap, stride;
};

#define TABLE_NO_ROW UINT32_MAX
#define ISSUE_ROWS 8

/* What was done to a file before it could be read as lines of bytes. */
struct text_made {
	enum text_utf16 utf16;
	bool copy;			/* p is no mapping of the file */
};

struct table {
	const char *path;
	const uint8_t *p;		/* NULL: it came through a pipe */
	uint64_t len;
	struct columns cols;
	enum text_enc usual;
	uint8_t sep;
	struct text_made made;		/* how p came from the file */
	size_t nrows;
	uint64_t *offset;		/* of each row */
	/*
	 * First mention, its own or of the earlier row that it repeats; the
	 * mentions of one row have one row_of. TABLE_NO_ROW: none.
	 */
	uint32_t *first;
	uint8_t *remark;		/* dedup: what its people's part remarked */
	uint64_t *key_hash;		/* keys: hash of the key's bytes */
	size_t row_cap;
	uint32_t *row_of;		/* of each mention, from base on */
	size_t base, nmentions, mention_cap;
	size_t nduplicates;		/* rows equal to an earlier one */
	uint64_t filled[COLUMNS_MAX];	/* rows with something in the column */
	uint64_t encodings[ENC_COUNT];
	uint64_t issue[ISSUE_COUNT];
	uint32_t issue_row[ISSUE_COUNT][ISSUE_ROWS];	/* from 1 */
	uint64_t rare_rows;
};

struct table_options {
	const char *path;		/* "-": standard input; or data, len */
	const void *data;
	size_t len;
	const char *told;		/* columns, or NULL */
	const struct schema *schema;
	const struct names *names;
	const struct places *places;
	unsigned threads;
	bool dedup;			/* find exact duplicates (the list) */
	bool keys;			/* hash the key column (ours) */
	const char *stage;
	bool (*progress)(void *arg, const char *stage, double part,
	    double rate);
	void *arg;
};

enum err table_read(struct table *t, struct sigs *sigs,
    const struct table_options *o, char *why, size_t why_cap);
void table_fini(struct table *t);
/* A row's bytes, without the line end. Not of what came through a pipe. */
struct slice table_row(const struct table *t, size_t row);
/* Pages of rows that are not needed soon; the cache keeps them. */
void table_release(const struct table *t, size_t from, size_t to);
/* The key of a row as written; the row's number where there is no key column. */
size_t table_key(const struct table *t, size_t row, uint8_t *scratch,
    char *out, size_t cap);

/* Where a row begins in the file itself; rows in order, at begins as {0}. */
struct table_source {
	uint64_t text, file;
};
uint64_t table_source(const struct table *t, size_t row,
    struct table_source *at);

/* Maps a whole file; an empty one gives p = "" and len 0. why: for people. */
enum err file_map(const char *path, const uint8_t **p, size_t *len, char *why,
    size_t why_cap);
/* The same as text that the CSV reader takes: UTF-16 and bare CR undone. */
enum err file_map_text(const char *path, const uint8_t **p, size_t *len,
    struct text_made *made, char *why, size_t why_cap);
void file_unmap(const uint8_t *p, size_t len);

#endif
