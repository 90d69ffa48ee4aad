/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict: what a statement may release, from the server's own resolved
 * query tree (debug_print_rewritten) and the catalog. A pure function; laws L2,
 * L3 and L4 rest on it.
 *
 * It is an information-flow analysis. Every expression has a taint: the set of
 * personal relation instances whose personal columns it depends on, or OPAQUE.
 * A row's presence, order or multiplicity has a taint too (quals, joins, GROUP
 * BY, DISTINCT, ORDER BY, LIMIT, set operations, set-returning functions).
 * Anything that it does not know (a node label, a function) is refused.
 *
 * What it leaves open: the rank that ORDER BY ... LIMIT over personal columns tells
 * (without OFFSET), that a statement returned no row, sizes in pages and other
 * physical traces (plans, the order of rows that are equal).
 */
#ifndef KB_VERDICT_VERDICT_H
#define KB_VERDICT_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/catalog.h"

/* VERDICT_CLASS(name, word): the word is what users and the ledger see. */
#define VERDICT_CLASSES(X) \
	X(FREE, "free")		/* proven: no personal column reaches the client */ \
	X(KEY, "key")		/* each row names its subjects: charged exactly */ \
	X(ROWS, "rows")		/* each row is charged row_weight subjects */ \
	X(BYTES, "bytes")	/* rows, and one subject a byte of the opaque columns */ \
	X(REFUSED, "refused")

enum verdict_class {
#define X(name, word) VERDICT_##name,
	VERDICT_CLASSES(X)
#undef X
	VERDICT_CLASS_COUNT
};
const char *verdict_class_word(enum verdict_class c);

/*
 * Why a statement is refused: VERDICT_WHY(name, sqlstate, English text with %s =
 * object, what to do instead, likewise).
 */
#define VERDICT_WHYS(X) \
	X(NONE, "00000", "", "") \
	X(UNKNOWN_NODE, "KB003", "the statement contains a construct that Kuraban cannot judge (%s)", \
	    "Say the same with plain joins and sub-queries.") \
	X(RUNS_SQL, "KB003", "function %s runs SQL text or reads outside the tables", \
	    "Query the tables themselves.") \
	X(USER_FUNCTION, "KB003", "function %s is not declared in the catalog", \
	    "Query the tables that it reads. Or have it declared, in this database's section of kuraban.conf: function \"%s\" { open = true } when its result depends on its arguments alone; with open = false its result is charged by bytes.") \
	X(SINK, "KB003", "personal data must not be passed to %s, which keeps or sends it elsewhere", \
	    "Choose the rows by their key first, then call it.") \
	X(COPIES, "KB003", "personal data must not be copied into %s, which is declared free of it", \
	    "Write it to the person's own row, or have the table declared with a subject. A subject key may be written where a foreign key names it.") \
	X(KEY, "KB003", "the subject key of %s cannot be changed through the gate", \
	    "Insert a new row under the other key, and delete this one.") \
	X(CHOICE, "KB003", "which rows of %s are changed depends on personal data, and nothing counts them here", \
	    "Send it as a statement of its own (not in WITH), one row at a time for ON CONFLICT, or choose the rows by their key.") \
	X(SYSTEM, "KB003", "the system catalog %s cannot be changed through the gate", \
	    "Use ALTER, COMMENT or GRANT.") \
	X(SETTING, "KB003", "setting %s cannot be changed through the gate", \
	    "Leave it out; the gate or the server's safety relies on it.") \
	X(NOT_COVERED, "KB004", "%s is not in the catalog", \
	    "Have it declared in kuraban.conf: table \"%s\" { subject = ... personal = { ... } }, or { open = true }.") \
	X(TREE, "KB003", "the server's query tree could not be read (%s)", \
	    "This is no fault of the statement: report it to those who run the gate.")

enum verdict_why {
#define X(name, state, text, hint) WHY_##name,
	VERDICT_WHYS(X)
#undef X
	WHY_COUNT
};
const char *verdict_why_sqlstate(enum verdict_why w);
const char *verdict_why_text(enum verdict_why w);
const char *verdict_why_hint(enum verdict_why w);

#define VERDICT_MAX_KEYS 8
#define VERDICT_MAX_TABLES 32
#define VERDICT_OPAQUE UINT32_MAX	/* column weight: charged by its bytes */

struct verdict_key {
	uint16_t domain;
	int col;		/* 0-based result column that holds the key; -1: not there */
	uint32_t type;		/* type OID of the key column */
	/*
	 * When col is -1 and a top-level expression gives the key: its SQL text
	 * (quoted: "c"."customer_id"), to be inserted at sql_stmt.first_target.
	 * NULL when there is none: then the class is not KEY.
	 */
	char *expr;
	/*
	 * A NULL key is charged one subject, because the column may be NULL beside
	 * somebody's data. Otherwise NULL is an outer join's missing row, and free:
	 * where that it is missing depends on personal columns the class is not KEY.
	 */
	bool null_charged;
};

struct verdict_table {		/* for the ledger entry and for alerts */
	uint32_t oid;
	uint16_t domain;	/* UINT16_MAX: none */
	bool uncovered;		/* not in the catalog (or new columns of it): alert */
	char *columns;		/* touched personal/opaque columns, "name,phone"; "*" */
	char *name;		/* schema.table or "oid 1234" */
};

struct verdict {
	enum verdict_class class;
	enum verdict_why why;
	char *object;		/* for why's %s; NULL otherwise */
	/*
	 * Class as if no key could be added (what to fall back to when a missing
	 * key's expr cannot be inserted): ROWS or BYTES. Equal to class otherwise.
	 */
	enum verdict_class fallback;
	size_t ncols;		/* result columns (of SELECT or RETURNING); 0: none */
	uint32_t *weight;	/* per column: 0 free, n persons at most, VERDICT_OPAQUE */
	/*
	 * Persons a row shows at most, and one for each opaque column: that it is
	 * NULL or empty says something too.
	 */
	uint32_t row_weight;
	size_t nkeys;
	struct verdict_key keys[VERDICT_MAX_KEYS];
	size_t ntables;
	struct verdict_table tables[VERDICT_MAX_TABLES];
	bool touches_personal;	/* errors and notices of it may carry data: withhold their text */
	bool tag_depends;	/* the command tag's number depends on personal data (DML): charge its digits */
	uint32_t tag_weight;	/* and so many persons for each row that it counts */
	bool exact_only;	/* holds for this exact text, not for its shape */
	bool changes_context;	/* may change how later statements resolve (set_config) */
	bool modifies;		/* INSERT UPDATE DELETE MERGE (also in a CTE) */
	bool splits;		/* reads partitions that a personal column decides: plans show them */
	bool runs_user_code;	/* triggers or declared functions run */
};

/*
 * Judges one server tree text (the DETAIL of one "rewritten parse tree" notice:
 * a list of queries, more than one when rules fired). Always fills *out; a tree
 * that cannot be read gives REFUSED/WHY_TREE. Only ERR_NOMEM is returned as an
 * error. target: relation that the result rows are written to (CREATE TABLE AS,
 * SELECT INTO): its class, or -1 when the rows go to the client. When they are
 * written, REL_OPEN targets refuse (WHY_COPIES) and others are free of charge
 * (class FREE, touches_personal set, tag_depends as computed).
 */
enum err verdict_judge(struct verdict *out, const char *tree, size_t len,
    const struct catalog *c, int target_class);
void verdict_fini(struct verdict *v);

#endif
