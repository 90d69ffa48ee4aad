/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of src/conf; not for others. */
#ifndef KB_CONF_PARTS_H
#define KB_CONF_PARTS_H

#include "base/words.h"
#include "conf/conf.h"

#define CONF_MAX_BYTES (1u << 20)

enum conf_scope { SCOPE_ROOT, SCOPE_DATABASE, SCOPE_TABLE, SCOPE_FUNCTION,
	SCOPE_ROLE, SCOPE_COUNT };

void notes_add(struct conf_notes *n, int level, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool notes_failed(const struct conf_notes *n);

/*
 * Where things stand in the text, which libconfuse does not keep: one mark for
 * each section and each "name =" in order.
 */
struct conf_mark {
	char *name;
	int line;
	int parent;		/* index of the section it is in; -1: none */
	bool section;
};

struct conf_marks {
	struct conf_mark *v;
	size_t n;
};

/*
 * Finds the marks, and the mistakes that libconfuse would accept or trip over:
 * unterminated strings and sections, options set twice, ${VARIABLES}. Replaces
 * the comments in text by blanks.
 */
enum err scan_text(struct conf_marks *out, char *text, struct conf_notes *notes);
void scan_fini(struct conf_marks *m);
/* Index of the n-th section `name` in parent, or -1. */
int scan_section(const struct conf_marks *m, int parent, const char *name,
    size_t n);
/* Line of an option in a section; the section's when it is not there. */
int scan_line(const struct conf_marks *m, int section, const char *option);

/* libpq's "keyword = value" text. false: notes say why. */
bool upstream_parse(struct conf_upstream *u, const char *text, int line,
    struct conf_notes *notes);
void upstream_fini(struct conf_upstream *u);

/* schema.table, either part quoted as in SQL; no dot: public. false: malformed. */
bool name_split(const char *text, char **schema, char **name);

/* The checks across options; m gives the lines. */
void conf_check(struct conf *c, const struct conf_marks *m,
    struct conf_notes *notes);

/* 127.0.0.1:6432, [::1]:6432; loopback may be NULL. */
bool listen_valid(const char *text, bool *loopback);

#endif
