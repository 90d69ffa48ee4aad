/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL's lexical rules (scan.l of 15; the number forms of 16 too), without
 * its meanings: where a token ends. Called by the shape and by the span finder.
 *
 * Invariants: every byte belongs to exactly one token, in order; a token has at
 * least one byte; after LEX_BROKEN comes LEX_END. Byte transparent: any byte
 * above 127 is a letter, so the client encoding must be one in which the second
 * byte of a character is never ASCII (UTF-8, EUC_*, LATIN*; not SJIS, BIG5, GBK,
 * GB18030, UHC, JOHAB).
 */
#ifndef KB_SQL_LEX_H
#define KB_SQL_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lex_kind {
	LEX_END,
	LEX_SPACE,
	LEX_COMMENT,		/* one comment; nested ones are inside */
	LEX_WORD,		/* identifier or keyword */
	LEX_IDENT,		/* "quoted", U&"quoted" */
	LEX_INT,		/* also 0x1F, 1_000 */
	LEX_NUMERIC,		/* 1.5 .5 1e5, and a number with letters glued to it */
	LEX_STRING,		/* '' E'' U&'' $$ $$, with its continuation lines */
	LEX_NSTRING,		/* N'' */
	LEX_BITS,		/* B'' X'' */
	LEX_PARAM,		/* $1 */
	LEX_OP,			/* a run of operator characters */
	LEX_PUNCT,		/* .. :: := and any other byte by itself */
	LEX_BROKEN		/* an unterminated string, identifier or comment: all the rest */
};

struct lex_token {
	enum lex_kind kind;
	size_t start, len;
};

struct lex {
	const uint8_t *p;	/* borrowed */
	size_t len, pos;
	bool std_strings;	/* standard_conforming_strings: '' has no backslashes */
	size_t signs;		/* up to here each + and - is a token */
	/*
	 * NULL, or a copy of the text in which every comment is overwritten by
	 * spaces as it is passed (also those between the lines of a continued
	 * string), so that positions stay.
	 */
	char *blank;
};

static inline struct lex
lex_init(const void *text, size_t len, bool std_strings)
{
	return (struct lex){text, len, 0, std_strings, 0, NULL};
}

enum lex_kind lex_next(struct lex *l, struct lex_token *t);
/* The next one that is neither white space nor a comment. */
enum lex_kind lex_next_real(struct lex *l, struct lex_token *t);

/* t is the unquoted word w (in lower case), in any case of letters. */
bool lex_is_word(const struct lex *l, const struct lex_token *t, const char *w);
bool lex_is_punct(const struct lex *l, const struct lex_token *t, char c);
/* Value of a LEX_INT; UINT64_MAX when it is that or more. */
uint64_t lex_int(const struct lex *l, const struct lex_token *t);
/* The one byte that a LEX_STRING stands for, or -1 (as UESCAPE wants it). */
int lex_single_byte(const struct lex *l, const struct lex_token *t);
/* The byte can be inside an unquoted identifier. */
bool lex_ident_byte(uint8_t c);

#endif
