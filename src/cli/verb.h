/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the command line. One file a verb, src/cli/verb_NAME.c, with
 * int verb_NAME(int argc, char **argv): argv[0] is the verb's name, the return
 * value the exit status. `--help` anywhere is answered before the call.
 */
#ifndef KB_CLI_VERB_H
#define KB_CLI_VERB_H

#include "base/err.h"
#include "conf/conf.h"

enum exit_status {
	STATUS_DONE = 0,
	STATUS_REFUSED = 1,	/* refused or not found */
	STATUS_USAGE = 2,
	STATUS_BROKEN = 3	/* the ledger or a proof is broken */
};

#define VERB(name, usage, help) int verb_##name(int argc, char **argv);
#include "cli/verbs.tbl.h"
#undef VERB
#define ROLE(name, function) int function(int argc, char **argv);
#include "cli/roles.tbl.h"
#undef ROLE

/*
 * Loads -c FILE (option_c, may be NULL: see conf_find). Prints what is wrong and
 * returns NULL when it cannot: the verb then returns STATUS_REFUSED.
 */
struct conf *cli_conf(const char *option_c);
/* "kuraban VERB: text" and where help is, on standard error. STATUS_USAGE. */
int cli_usage(const char *verb, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "kuraban VERB: what: error; advice" on standard error, and its exit status. */
int cli_fail(const char *verb, enum err e, const char *what);

#endif
