/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw dictionaries of data/, linked into the program byte for byte. Only
 * text: what is made of them is the business of those who read them (the
 * tracer and the generator of test people must not share more than this).
 * Licences: data/LICENSES. Formats: data/README.
 */
#ifndef KB_DICT_DICT_H
#define KB_DICT_DICT_H

#include <stddef.h>

struct dict_file {
	const char *p;
	size_t len;
};

struct dict_file dict_towns(void);
struct dict_file dict_towns_2022(void);
struct dict_file dict_towns_detail(void);
struct dict_file dict_mergers(void);
struct dict_file dict_surnames(void);
struct dict_file dict_surnames_more(void);
struct dict_file dict_given_m(void);
struct dict_file dict_given_f(void);

/* The next line without its end; false at the end of the file. */
static inline int
dict_line(struct dict_file *f, const char **line, size_t *len)
{
	const char *p = f->p;
	size_t n = 0;

	if (f->len == 0)
		return 0;
	while (n < f->len && p[n] != '\n')
		n++;
	*line = p;
	*len = n > 0 && p[n - 1] == '\r' ? n - 1 : n;
	if (n < f->len)
		n++;
	f->p += n;
	f->len -= n;
	return 1;
}

#endif
