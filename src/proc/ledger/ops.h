/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the control socket offers, as JSON in and out (docs/spec/control.md).
 * Used by the ledger process and, when it is down, by verbs that hold the
 * ledger's lock themselves: so both write the same entries.
 */
#ifndef KB_PROC_LEDGER_OPS_H
#define KB_PROC_LEDGER_OPS_H

#include <jansson.h>

#include "proc/ledger/book.h"

/* Who asks: what the kernel says, and whom sudo says. */
struct ops_who {
	uint32_t uid;
	const char *login;		/* "" unknown */
	const char *claimed;		/* "" none */
};

/*
 * Runs "actor-add", "actor-list", "actor-disable", "actor-enable",
 * "actor-password", "budget" or "checkpoint". Returns a new object with "ok", or
 * NULL: not one of these. *killed: the name of an actor whose sessions must end
 * (borrowed from the request). Entries are appended, not committed.
 */
json_t *ops_run(struct book *b, json_t *request, const struct ops_who *who,
    const char **killed);
/* {"ok":false,"code":code,"error":text}; code may be NULL. */
json_t *ops_error(const char *code, const char *text);
/* Budgets of an actor, or of all (NULL), appended to rows. */
void ops_budget_rows(json_t *rows, const struct conf *c, struct meter *m,
    const struct actors *actors, const char *actor, int32_t today);

#endif
