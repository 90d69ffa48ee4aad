/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the text of a statement says by itself: where each statement of a string
 * begins, its kind, the names and the inner query that the server's tree does
 * not show, and its shape. The meaning of names is never decided here: that is
 * the server tree's part (pg/tree.h, verdict/verdict.h).
 *
 * Uses libpg_query's RAW parser only (pg_query_raw_parse); never its normalize,
 * fingerprint, protobuf, JSON or deparse functions (known crashes). Pure: no I/O,
 * no clock, no globals but libpg_query's thread-local ones.
 */
#ifndef KB_SQL_SQL_H
#define KB_SQL_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define SQL_MAX_BYTES (16u << 20)	/* longer text is refused in a protected database */
#define SQL_MAX_TOKENS (1u << 20)	/* each costs the parser some 200 bytes */

/*
 * SQL_KIND(name, needs_tree, changes_context)
 * needs_tree: `query` (start,len of the statement or of inner) must be Parsed by
 * the server to judge it. changes_context: name resolution of later statements
 * may differ after it (SET, DDL, DISCARD, ...): cached verdicts no longer hold.
 */
#define SQL_KINDS(X) \
	X(EMPTY, 0, 0) \
	X(QUERY, 1, 0)		/* SELECT VALUES TABLE INSERT UPDATE DELETE MERGE */ \
	X(SELECT_INTO, 0, 1) \
	X(DECLARE, 1, 0)	/* name = cursor, inner */ \
	X(FETCH, 0, 0)		/* name = cursor */ \
	X(MOVE, 0, 0) \
	X(CLOSE, 0, 0) \
	X(PREPARE, 1, 0)	/* name, inner, param_types */ \
	X(EXECUTE, 0, 0)	/* name; args_plain */ \
	X(DEALLOCATE, 0, 0)	/* name or NULL = ALL */ \
	X(COPY_OUT, 1, 0)	/* TO STDOUT; inner = query, or objects[0] + columns */ \
	X(COPY_IN, 0, 0)	/* FROM STDIN; objects[0] */ \
	X(COPY_FILE, 0, 0)	/* to or from a file or program of the server */ \
	X(EXPLAIN, 1, 0)	/* inner; analyze */ \
	X(CREATE_AS, 1, 1)	/* CREATE [TEMP] TABLE AS / MATERIALIZED VIEW AS: inner, objects[0] */ \
	X(TXN_BEGIN, 0, 0) \
	X(TXN_COMMIT, 0, 0) \
	X(TXN_ROLLBACK, 0, 1)	/* also ROLLBACK TO (name = savepoint): may undo a SET */ \
	X(TXN_OTHER, 0, 0)	/* SAVEPOINT, RELEASE (name), SET TRANSACTION, SET CONSTRAINTS */ \
	X(TXN_TWO_PHASE, 0, 1)	/* PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED */ \
	X(SET, 0, 1)		/* name = setting (lower case), value; RESET too (value NULL) */ \
	X(SHOW, 0, 0)		/* name */ \
	X(DISCARD, 0, 1)	/* name = all, plans, sequences or temp */ \
	X(LISTEN, 0, 0) \
	X(UNLISTEN, 0, 0) \
	X(NOTIFY, 0, 0) \
	X(LOCK, 0, 0) \
	X(MAINTAIN, 0, 0)	/* VACUUM ANALYZE REINDEX CLUSTER CHECKPOINT REFRESH MATVIEW */ \
	X(DDL_CREATE, 0, 1)	/* CREATE TABLE, VIEW, INDEX, SCHEMA, SEQUENCE, plain TYPE, \
				   DOMAIN, STATISTICS; COMMENT */ \
	X(DDL_DROP, 0, 1)	/* DROP of those, TRUNCATE; objects = what */ \
	X(DDL_ALTER, 0, 1)	/* ALTER and RENAME of those; objects, then the new name of \
				   a RENAME or SET SCHEMA, and parents or partitions */ \
	X(DDL_DEFINE, 0, 1)	/* making, altering or dropping functions, triggers, rules, \
				   operators, casts, types with code, extensions, servers and \
				   foreign tables, policies, publications, languages, ...; \
				   turning triggers, rules or row security on or off */ \
	X(GRANT, 0, 0)		/* GRANT REVOKE, roles, default privileges, REASSIGN OWNED */ \
	X(DO, 0, 1) \
	X(CALL, 0, 1) \
	X(OTHER, 0, 1)		/* anything else (databases, tablespaces, LOAD, ALTER SYSTEM, \
				   ALTER ROLE SET, COPY FROM with a WHERE that calls \
				   something): refused by the caller */

enum sql_kind {
#define X(name, tree, context) SQL_##name,
	SQL_KINDS(X)
#undef X
	SQL_KIND_COUNT
};

const char *sql_kind_name(enum sql_kind k);	/* "QUERY", ... */
bool sql_kind_needs_tree(enum sql_kind k);
bool sql_kind_changes_context(enum sql_kind k);

struct sql_name {
	char *schema;		/* NULL when not written */
	char *name;
};

enum sql_format { SQL_FORMAT_TEXT, SQL_FORMAT_CSV, SQL_FORMAT_BINARY };

struct sql_stmt {
	enum sql_kind kind;
	size_t start, len;	/* in the input; no trailing ';', no outer white space */
	/*
	 * The inner statement's text in the input: of EXPLAIN, PREPARE, DECLARE, CREATE AS,
	 * COPY (query). 0,0 when none. For nested EXPLAIN ... CREATE AS / DECLARE
	 * / EXECUTE it is the text after EXPLAIN's options: classify it again.
	 */
	size_t inner_start, inner_len;
	/*
	 * Where "<expr>, " may be inserted in the input so that the rows of this
	 * statement (or of its inner query) get one more FIRST column and nothing
	 * else changes; 0 when it may not: DISTINCT, set operation, GROUP BY,
	 * HAVING, VALUES, no FROM, positions in ORDER BY, SELECT INTO, a query
	 * that begins with WITH is fine. For INSERT/UPDATE/DELETE: the first
	 * target of RETURNING. For COPY_OUT of a table: see copy_*. An ORDER BY
	 * of the statement prefers the names of its result columns: so give the
	 * new one a name that no ORDER BY has (<expr> AS "?kuraban?", ).
	 */
	size_t first_target;
	char *name;		/* see SQL_KINDS; else NULL */
	char *value;		/* SET name = one constant: its text; else NULL */
	char *param_types;	/* PREPARE p (int, text): "int, text"; else NULL */
	struct sql_name *objects;
	size_t nobjects;
	char *copy_columns;	/* COPY t (a, "B"): `a, "B"`; NULL: all */
	size_t copy_options_start, copy_options_len; /* after TO STDOUT, maybe empty */
	bool copy_binary_word;	/* COPY BINARY t: a word that is not in the options */
	enum sql_format copy_format;
	char copy_delimiter, copy_quote, copy_escape;
	bool copy_header;
	bool analyze;		/* EXPLAIN ANALYZE */
	bool temp;		/* a temporary object is made */
	bool hold;		/* DECLARE ... WITH HOLD */
	bool binary;		/* DECLARE BINARY */
	bool args_plain;	/* EXECUTE: only constants, parameters and casts of them */
	bool local;		/* SET LOCAL */
	bool ends_chain;	/* COMMIT/ROLLBACK AND CHAIN */
	bool creates_code;	/* a default, check, index expression or generated column that \
				   calls something: judged as DDL_DEFINE unless the caller allows */
};

struct sql_list {
	struct sql_stmt *v;
	size_t n;
};

/*
 * Splits and classifies. text need not be NUL-terminated. On a syntax error:
 * ERR_FORMAT and out->n == 0 (the server may still understand it, or will tell
 * the client why not). ERR_TOOBIG over the limits above or too deep. A text without
 * any statement gives one of kind EMPTY; empty ones between others are left out.
 * Free with sql_list_fini in every case.
 *
 * Reads the text as with standard_conforming_strings on, which the caller must
 * know to be so, and as UTF-8 or another encoding in which no second byte of a
 * character is ASCII (not SJIS, BIG5, GBK, GB18030, UHC, JOHAB: refuse those as
 * client_encoding; sql_shape needs the same).
 */
enum err sql_classify(struct sql_list *out, const char *text, size_t len);
void sql_list_fini(struct sql_list *l);

/*
 * The headers that we were compiled with and the libpg_query in use agree: call
 * it once at the start and stop if it does not hold.
 */
bool sql_self_test(void);

/*
 * The shape of a statement: its text with every literal replaced by a
 * placeholder of its class ($i int4, $l int8, $n numeric, $s string, $c national
 * string, $b bit string; $j and $m: the numbers that are an int4 or int8 only
 * with the minus in front), white space and comments folded to one space,
 * identifiers and keywords as written. Parameters $1 stay. An integer that could
 * be a column position (an item of ORDER BY, GROUP BY or DISTINCT ON, at most
 * 1664) keeps its value; so does the one character of UESCAPE after a U&""
 * identifier. Two statements of one shape have the same verdict unless it says
 * exact_only.
 *
 * The same text is what the ledger stores (L8): so the replacement is by a pure
 * lexer that never fails: what it cannot lex (an unterminated string) is
 * replaced to the end by $?, from the first quote on, because an odd quote makes
 * it unknown what was meant to be inside. It never lets through a part of a
 * literal.
 * std_strings: standard_conforming_strings is on (as ParameterStatus says).
 *
 * Returns the bytes written to out, never more than cap. With cap of
 * SQL_SHAPE_CAP(len) it is complete; with less it may be cut at a token border,
 * while *hash (may be NULL) is that of the complete shape. The hash is for
 * tables, not against an enemy: who decides by it must compare the shape too.
 */
#define SQL_SHAPE_CAP(len) (2 * (len) + 64)
size_t sql_shape(char *out, size_t cap, const char *text, size_t len,
    bool std_strings, uint64_t *hash);

#endif
