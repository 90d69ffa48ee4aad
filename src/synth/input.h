/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Customers from a CSV file of any schema (UTF-8, with a header, RFC 4180), by
 * role. Roles come from the header's words or from the user. This is not the
 * tracer's reader: what measures it must not share its mistakes.
 */
#ifndef KB_SYNTH_INPUT_H
#define KB_SYNTH_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum role { ROLE_KEY, ROLE_NAME, ROLE_SURNAME, ROLE_GIVEN, ROLE_KANA,
    ROLE_KANA_SURNAME, ROLE_KANA_GIVEN, ROLE_BIRTH, ROLE_SEX, ROLE_ZIP,
    ROLE_PREFECTURE, ROLE_CITY, ROLE_ADDRESS, ROLE_ADDRESS2, ROLE_PHONE,
    ROLE_EMAIL, ROLE_SERVICE, ROLE_GUARDIAN, ROLE_GUARDIAN_KANA, ROLE_COUNT };

#define INPUT_TEXT 8192			/* bytes of a row's fields */

struct input_row {
	const char *v[ROLE_COUNT];	/* never NULL; in text */
	char text[INPUT_TEXT];
};

struct input;

/* columns: "header=role,..." or NULL; why: for people. */
enum err input_open(struct input **out, const char *path, const char *columns,
    char *why, size_t why_cap);
void input_close(struct input *in);
uint64_t input_rows(const struct input *in);
bool input_has(const struct input *in, enum role r);
/* Rows from 0. */
enum err input_row(const struct input *in, uint64_t row,
    struct input_row *out);

#endif
