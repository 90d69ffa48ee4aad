/* SPDX-License-Identifier: Apache-2.0 */
/* The character tables that tools/trace-tables.py makes at build time. */
#include "trace/tables.h"
#include "trace-tables-stamp.h"	/* changes when they do */

__asm__(".section .rodata\n.balign 16\n.global trace_tables\n"
    "trace_tables:\n.incbin \"" TABLES_BIN "\"\n.previous\n");
