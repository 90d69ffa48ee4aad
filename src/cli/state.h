/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How verbs reach the state: through the running server's control socket, or, when
 * none runs, by opening the files themselves under the ledger's lock.
 */
#ifndef KB_CLI_STATE_H
#define KB_CLI_STATE_H

#include <jansson.h>

#include "cli/verb.h"

/*
 * Asks the running server. NULL and *status: it could not be asked, which was
 * said; NULL and *status STATUS_DONE: no server runs.
 */
json_t *state_ask(const char *verb, const struct conf *c, json_t *request,
    int *status);
/*
 * Asks the server; when none runs, does the same with the files, as the ledger's
 * user and with the entries `start` and `stop` around it (requests that only read
 * leave no trace). Refusals are said, and NULL returned. Takes request.
 */
json_t *state_run(const char *verb, const struct conf *c, json_t *request,
    int *status);
/* Says why the answer is not ok, in the user's language; its exit status. */
int state_refused(const char *verb, json_t *answer);
/* One object a line. */
void rows_json(json_t *rows);
/* "2026-11-21 05:00:00" local, from an RFC 3339 text; out gets 32 bytes. */
void time_local(char out[32], const char *rfc3339);
/* Microseconds since 1970 of RFC 3339 or of a local date; false: neither. */
int state_time(const char *text, int64_t *us);

#endif
