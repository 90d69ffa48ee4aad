/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the parts of a statement are that the raw parse tree has no positions
 * for. Called for statements that libpg_query has parsed, so their grammar is
 * known; a part that is not found all the same gives false (then the statement
 * is not used). Private to this folder.
 */
#ifndef KB_SQL_SPAN_H
#define KB_SQL_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	size_t start, len;
};

/* Without outer white space and comments. False: nothing is left. */
bool span_trim(const char *text, struct span *s);
/* after EXPLAIN and its options; listed: the tree has options */
bool span_explain(const char *text, struct span s, bool listed,
    struct span *inner);
/* after DECLARE ... CURSOR ... FOR */
bool span_for(const char *text, struct span s, struct span *inner);
/* after AS, without WITH [NO] DATA; types: between the parentheses before AS */
bool span_as(const char *text, struct span s, struct span *types,
    struct span *inner);

struct span_copy {
	struct span inner;	/* without its parentheses; of COPY (query) */
	struct span columns;	/* without their parentheses */
	struct span options;	/* after STDIN or STDOUT, maybe empty */
	bool binary;		/* COPY BINARY: a word that is not in options */
};
bool span_copy(const char *text, struct span s, bool query,
    struct span_copy *out);

/* A target list can begin at this position: SELECT, ALL or RETURNING precedes. */
bool span_is_target(const char *text, struct span s, size_t at);
/* malloc: the span's text with white space and comments folded to one space */
char *span_fold(const char *text, struct span s);

#endif
