/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subject's token: SipHash-2-4 under the key of the year over
 * database NUL domain NUL key (docs/spec/meter.md). Pure.
 */
#ifndef KB_METER_TOKEN_H
#define KB_METER_TOKEN_H

#include "base/bytes.h"

#define TOKEN_KEY_BYTES 16
#define TOKEN_KEY_MAX 65535	/* bytes of one subject key */

/* database and domain are at most 255 bytes each; key at most TOKEN_KEY_MAX. */
uint64_t token_make(const uint8_t year_key[TOKEN_KEY_BYTES], struct slice database,
    struct slice domain, struct slice key);
/* The calendar year of a day since 1970-01-01. */
int token_year(int32_t day);

#endif
