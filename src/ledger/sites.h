/* SPDX-License-Identifier: Apache-2.0 */
/* SITE_WAL_FRAME and so on: the labels of sync.tbl.h. */
#ifndef KB_LEDGER_SITES_H
#define KB_LEDGER_SITES_H

#define SYNC(name, label, loss)                                                \
	static const char SITE_##name[] __attribute__((unused)) = label;
#include "ledger/sync.tbl.h"
#undef SYNC

#endif
