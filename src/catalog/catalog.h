/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is personal in one database: the configuration's tables joined with what
 * the server says of them (OIDs, columns, children, foreign keys, functions).
 * Built by running catalog_sql() on a side connection and feeding the rows;
 * immutable after catalog_finish(). Pure.
 *
 * Invariant (L3): whatever the catalog does not know is UNCOVERED, never free.
 */
#ifndef KB_CATALOG_CATALOG_H
#define KB_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "conf/conf.h"

enum catalog_rel_class {
	REL_UNCOVERED,		/* in nobody's catalog: its data is charged as opaque */
	REL_PERSONAL,
	REL_OPEN,		/* declared free of personal data */
	REL_SYSTEM,		/* pg_catalog / information_schema, free */
	REL_SYSTEM_OPAQUE	/* pg_statistic, pg_largeobject, pg_authid, ...: opaque */
};

enum catalog_col_class { COL_FREE, COL_KEY, COL_PERSONAL, COL_NEW /* opaque */ };

enum catalog_fn_class {
	FN_PURE,		/* depends on its arguments alone; result carries their taint */
	FN_SINK,		/* effect outside the result: only with untainted arguments */
	FN_SETTING,		/* set_config: judged by its constant first argument */
	FN_OPAQUE,		/* output charged by bytes (declared, or reads others' statements) */
	FN_REFUSED,		/* runs SQL text, reads files, large objects, ... */
	FN_USER			/* not in the catalog of functions: refused, named in the message */
};

struct catalog_col {
	int16_t attnum;
	char *name;
	uint32_t type;
	enum catalog_col_class class;
	bool generated;
	bool not_null;
	bool unique;		/* a unique index or exclusion constraint looks at it */
};

struct catalog_rel {
	uint32_t oid;
	char *schema, *name;
	char relkind;
	enum catalog_rel_class class;
	const struct conf_table *conf;	/* NULL unless configured (children: the parent's) */
	uint16_t domain;		/* which people its key names; see catalog_domain() */
	struct catalog_col *cols;	/* of PERSONAL and SYSTEM_OPAQUE relations (there COL_NEW
					   or COL_FREE) */
	size_t ncols;
	bool has_triggers, has_rls;
	/* Partitioned by a personal column: which partition a row is in tells of it. */
	bool split;		/* this one, or one above it */
	bool split_child;	/* one above it */
};

struct catalog;

enum catalog_part {
	CATALOG_RELS, CATALOG_COLS, CATALOG_INHERITS, CATALOG_FKS, CATALOG_FUNCTIONS,
	CATALOG_OPERATORS, CATALOG_TYPES,
	CATALOG_PARTS
};

/* What an aggregate or window function shows of the rows that it sees. */
enum catalog_agg {
	AGG_ANY,		/* anything: one value may hold every row */
	AGG_COUNT,		/* how many rows there are, never a value of theirs */
	AGG_PICK		/* the value of one row, chosen by the others */
};

struct catalog *catalog_new(const struct conf_database *db);	/* borrows db */
void catalog_free(struct catalog *c);
/* The query of a part; text results, column order as catalog_row expects. */
const char *catalog_sql(enum catalog_part part);
enum err catalog_row(struct catalog *c, enum catalog_part part,
    const struct slice *cols, size_t ncols);
/* Resolves. After it the catalog is immutable but for catalog_baseline().
 * Views that the configuration names count as missing: the server shows what is
 * behind them, so their tables must be named instead. */
enum err catalog_finish(struct catalog *c);
/*
 * One row, one column: a number that differs when any definition changed. Run
 * from time to time on the side connection; a change means: load a new catalog.
 */
const char *catalog_epoch_sql(void);

/* Tables that the configuration names but the server does not have, and such. */
size_t catalog_missing(const struct catalog *c, const struct conf_table **out, size_t cap);

/* Relation by OID; never NULL: an unknown OID gives a shared REL_UNCOVERED one. */
const struct catalog_rel *catalog_rel(const struct catalog *c, uint32_t oid);
const struct catalog_rel *catalog_rel_named(const struct catalog *c,
    const char *schema, const char *name);	/* NULL when unknown */
const struct catalog_col *catalog_col(const struct catalog_rel *r, int attnum); /* or NULL */
enum catalog_fn_class catalog_fn(const struct catalog *c, uint32_t oid);
/* schema.name for messages, "" when unknown. */
const char *catalog_fn_name(const struct catalog *c, uint32_t oid);
enum catalog_agg catalog_agg(const struct catalog *c, uint32_t oid);
/* Result columns of a set-returning FN_PURE function that are opaque: a bit mask. */
uint64_t catalog_fn_opaque_columns(const struct catalog *c, uint32_t oid);
/* Function of an operator that users defined; 0 when unknown. */
uint32_t catalog_operator_fn(const struct catalog *c, uint32_t oid);
/*
 * Whether values of the type are read, written and compared by the server's own
 * code alone (enums, composites, arrays, ranges and domains of such types).
 */
bool catalog_type_plain(const struct catalog *c, uint32_t oid);
/* The column refers, by a foreign key, to a subject key of a configured table. */
bool catalog_refers_to_subject(const struct catalog *c, uint32_t relid, int attnum);

/* for each personal relation that the configuration names directly */
const struct catalog_rel *catalog_personal(const struct catalog *c, size_t i); /* NULL: end */
/*
 * Columns that were there when the table's entry in the configuration was first
 * in force; every other column of it becomes COL_NEW (unless listed personal).
 */
void catalog_baseline(struct catalog *c, const struct catalog_rel *r,
    const struct slice *names, size_t n);

/* "public.customers": the table whose key it is. Domains are 0..n-1. */
const char *catalog_domain(const struct catalog *c, uint16_t domain);
size_t catalog_ndomains(const struct catalog *c);

#endif
