/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader for the text that PostgreSQL's nodeToString() writes (debug_print_
 * rewritten): {LABEL :field value ...}, (list ...), (i 1 2), (o 1 2), (b 8 9),
 * "quoted" and bare atoms, <> for null, Const values as `len [ b b b ]` (one atom).
 * Generic: it knows no node types, so other server versions read as well.
 * The text must be in the server's own encoding (client_encoding = server_encoding).
 * Pure; bounded by TREE_MAX_*. PostgreSQL source: src/backend/nodes/outfuncs.c.
 */
#ifndef KB_PG_TREE_H
#define KB_PG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TREE_MAX_BYTES (64u << 20)
#define TREE_MAX_DEPTH 1000

enum tree_kind { TREE_NULL, TREE_ATOM, TREE_NODE, TREE_LIST };

struct tree {
	enum tree_kind kind;
	const char *text;	/* ATOM: its characters; NODE: its label; not NUL-terminated */
	size_t len;
	const char *field;	/* name of the field this is the value of; NULL in lists */
	size_t field_len;
	struct tree *first;	/* NODE: first field; LIST: first element */
	struct tree *next;	/* next field or element */
};

struct tree_doc;	/* owns all nodes; borrows the text */

/* Reads one value that fills the text. ERR_FORMAT, ERR_TOOBIG, ERR_NOMEM. */
enum err tree_parse(struct tree_doc **out, const char *text, size_t len);
void tree_free(struct tree_doc *d);
const struct tree *tree_root(const struct tree_doc *d);

bool tree_is(const struct tree *t, const char *label);	/* a NODE of that label */
/* The field's value, or NULL when there is none (TREE_NULL counts as there). */
const struct tree *tree_get(const struct tree *t, const char *field);
/* Field as integer; `missing` when absent, null or not a number. */
int64_t tree_int(const struct tree *t, const char *field, int64_t missing);
bool tree_bool(const struct tree *t, const char *field);	/* false when absent */
bool tree_atom_int(const struct tree *t, int64_t *out);
/*
 * The name that an ATOM stands for, without quotes and escapes, and its length.
 * Lossy in one point: a newline may read as a space. 0 and "" when it is not an
 * atom, empty or longer than cap - 1.
 */
size_t tree_name(const struct tree *t, char *out, size_t cap);

#endif
