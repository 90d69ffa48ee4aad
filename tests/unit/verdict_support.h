/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of catalog and verdict: a configuration, a catalog loaded from a
 * server or from a file, the server's trees, and a verdict as one line of text.
 */
#ifndef KB_TESTS_VERDICT_SUPPORT_H
#define KB_TESTS_VERDICT_SUPPORT_H

#include <stdio.h>

#if HAVE_LIBPQ
#include <libpq-fe.h>
#else
typedef struct pg_conn PGconn;	/* libpq's own name; there is never one */
#endif

#include "catalog/catalog.h"
#include "conf/conf.h"
#include "verdict/verdict.h"

/* The configuration of tests/unit/verdict/schema.sql; lives until the end. */
const struct conf_database *support_conf(void);
const struct conf_database *support_conf_text(const char *text);

/* $KURABAN_TEST_PG, in a database of its own with schema.sql; NULL: no server. */
PGconn *support_connect(void);
void support_disconnect(PGconn *);
void support_exec(PGconn *, const char *sql);

struct catalog *support_catalog(PGconn *, const struct conf_database *);
/* The rows of all parts as a text file, and back. */
void support_catalog_save(PGconn *, FILE *);
struct catalog *support_catalog_load(const char *path, const struct conf_database *);

/* The rewritten tree of a statement; NULL and *error when the server says no. */
char *support_tree(PGconn *, const char *sql, const char **error);

/*
 * "key w=0,1 r=1 k=0", "bytes w=* r=1", "refused COPIES public.orders", ... and
 * flags: touch tag exact context mod code. Keys: the column, or +expression, `?`
 * when NULL is charged. Static buffer.
 */
const char *support_render(const struct verdict *);
/* "public.customers(name,phone)", "!oid 5(*)" when uncovered; static buffer. */
const char *support_tables(const struct verdict *);

#endif
