/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent: reads the configuration, binds, starts the roles, starts them
 * again when they die. It holds no data and reads no byte from outside.
 */
#ifndef KB_PROC_PARENT_PARENT_H
#define KB_PROC_PARENT_PARENT_H

/* Runs until SIGTERM/SIGINT. Exit code: 0 stopped, 1 could not start, 3 ledger broken. */
int parent_run(const char *conf_file);

#endif
