/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language of messages. Works without the locale being generated on the
 * machine, from the build tree and installed. Call before any sandbox: the
 * catalogue is a file.
 */
#ifndef KB_BASE_I18N_H
#define KB_BASE_I18N_H

/* From LC_ALL, LC_MESSAGES, LANG, as always. Once, first thing in main(). */
void i18n_init(void);
/* Switches to a language ("en", "ja") and loads its catalogue now. */
void i18n_use(const char *language);

#endif
