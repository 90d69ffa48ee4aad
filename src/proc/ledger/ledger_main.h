/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KB_PROC_LEDGER_MAIN_H
#define KB_PROC_LEDGER_MAIN_H

/* The role's entry: 0 stopped as asked, 1 could not start, 3 the ledger broke. */
int ledger_main(int argc, char **argv);

#endif
