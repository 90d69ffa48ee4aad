/* SPDX-License-Identifier: Apache-2.0 */
/* One error enum for the whole program; texts come from err.tbl.h. */
#ifndef KB_BASE_ERR_H
#define KB_BASE_ERR_H

enum err {
#define ERR(name, text, advice) ERR_##name,
#include "base/err.tbl.h"
#undef ERR
	ERR_COUNT
};

/* Short text, never NULL. Untranslated; callers pass it to gettext. */
const char *err_text(enum err e);
/* What the operator should do, "" when there is nothing to say. */
const char *err_advice(enum err e);

/*
 * must(cond): a programming error stops the process, in every build. A stopped
 * gate passes nothing (L5), so this is the safe side.
 */
_Noreturn void must_fail(const char *cond, const char *file, int line);
#define must(cond) ((cond) ? (void)0 : must_fail(#cond, __FILE__, __LINE__))

#endif
