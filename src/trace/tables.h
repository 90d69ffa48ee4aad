/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KB_TRACE_TABLES_H
#define KB_TRACE_TABLES_H

#include <stdint.h>

extern const uint8_t trace_tables[];	/* layout: struct tables in text.c */

#endif
