/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *text, *advice;
} err_tbl[] = {
#define ERR(name, text, advice) [ERR_##name] = {text, advice},
#include "base/err.tbl.h"
#undef ERR
};

const char *
err_text(enum err e)
{
	return (unsigned)e < ERR_COUNT ? err_tbl[e].text : "unknown error";
}

const char *
err_advice(enum err e)
{
	return (unsigned)e < ERR_COUNT ? err_tbl[e].advice : "";
}

_Noreturn void
must_fail(const char *cond, const char *file, int line)
{
	fprintf(stderr, "kuraban: must(%s) failed at %s:%d\n", cond, file, line);
	abort();
}
