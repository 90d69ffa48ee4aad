/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/catalog: what load.c builds and catalog.c answers from. */
#ifndef KB_CATALOG_IMPL_H
#define KB_CATALOG_IMPL_H

#include "catalog/catalog.h"

struct function {
	uint32_t oid;
	enum catalog_fn_class class;
	enum catalog_agg agg;
	uint64_t opaque_columns;
	char *name;		/* schema.name */
};

struct operator {
	uint32_t oid, fn;
};

struct type {
	uint32_t oid;
	bool plain;
	uint32_t *parts;
	size_t nparts;
};

struct pair {			/* inheritance */
	uint32_t child, parent;
};

struct fk {
	uint32_t rel, refrel;
	int16_t col, refcol;
	bool subject;		/* refers to a subject key */
};

struct source {			/* the columns that a generated one is made of */
	uint32_t rel;
	int16_t col, from;
};

struct part {			/* a column that a table is partitioned by; 0: an expression */
	uint32_t rel;
	int16_t col;
};

struct block;

#define ARRAY(type, name) type *name; size_t n##name, cap##name

struct catalog {
	const struct conf_database *db;
	struct block *blocks;	/* all strings */
	bool finished, nomem;
	ARRAY(struct catalog_rel, rels);	/* by OID once finished */
	ARRAY(struct colrow, colrows);		/* until finished */
	ARRAY(struct source, sources);
	ARRAY(struct pair, pairs);
	ARRAY(struct fk, fks);
	ARRAY(struct part, parts);
	ARRAY(struct function, fns);
	ARRAY(struct operator, operators);
	ARRAY(struct type, types);
	struct catalog_rel unknown;
	/* Per table of the configuration: */
	uint32_t *table_rel;	/* 0: missing */
	uint16_t *table_domain;
	bool *table_missing;
	char **domains;
	size_t ndomains;
};

struct colrow {
	uint32_t rel;
	struct catalog_col col;
};

#undef ARRAY

void catalog_mark_splits(struct catalog *c);
struct catalog_rel *catalog_rel_find(const struct catalog *c, uint32_t oid);

#endif
