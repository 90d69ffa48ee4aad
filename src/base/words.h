/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KB_BASE_WORDS_H
#define KB_BASE_WORDS_H

/* The one of words (NULL at the end) nearest to s, or NULL when none is near. */
const char *word_nearest(const char *s, const char *const *words);

#endif
