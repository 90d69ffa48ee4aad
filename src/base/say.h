/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of a running process to its operator, on standard error: one line,
 * "kuraban[role] level: text". Only process roles and verbs call this; library
 * folders return errors instead. Never pass personal data.
 */
#ifndef KB_BASE_SAY_H
#define KB_BASE_SAY_H

void say_role(const char *role);
void say_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
