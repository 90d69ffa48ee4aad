/* SPDX-License-Identifier: Apache-2.0 */
/* What the parent, the gates and the ledger process must agree on. */
#ifndef KB_PROC_WORKERS_H
#define KB_PROC_WORKERS_H

#define WORKERS_MAX 64

#endif
