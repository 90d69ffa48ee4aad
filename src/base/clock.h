/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KB_BASE_CLOCK_H
#define KB_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_mono_us(void);
int64_t clock_wall_us(void);	/* microseconds since 1970-01-01 UTC */
/* Days since 1970-01-01 in the local time zone (TZ): the budget's calendar. */
int32_t clock_day(int64_t wall_us);
/* RFC 3339 in UTC with microseconds, "2026-11-21T05:00:00.000000Z"; 28 bytes. */
void clock_rfc3339(char out[28], int64_t wall_us);

#endif
