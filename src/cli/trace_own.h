/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracer's own side from the configuration: a protected table read through
 * libpq as CSV, and the ledger's releases as sets of its rows. A release's id is
 * the number of its first ledger entry, as `kuraban log show` takes it.
 */
#ifndef KB_CLI_TRACE_OWN_H
#define KB_CLI_TRACE_OWN_H

#include "conf/conf.h"
#include "trace/trace.h"

struct trace_own {
	const struct conf *conf;	/* borrows */
	const struct conf_database *db;
	const struct conf_table *table;
	uint8_t *csv;			/* mapped */
	size_t len, cap;
	char key_column[300];		/* "customer_id=key": for --our-columns */
};

/* table: "public.customers", or NULL for the first with personal columns. */
enum err trace_own_open(struct trace_own *o, const struct conf *c,
    const char *database, const char *table, char *why, size_t why_cap);
void trace_own_close(struct trace_own *o);
/* For struct trace_options.load_releases; arg is a struct trace_own. */
enum err trace_own_releases(void *arg, const struct table *ours,
    struct release **r, size_t *n, uint64_t *unknown, char *why,
    size_t why_cap);

#endif
