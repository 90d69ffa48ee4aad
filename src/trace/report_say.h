/* SPDX-License-Identifier: Apache-2.0 */
/* Words and numbers of index.html, always in Japanese and English at once. */
#ifndef KB_TRACE_REPORT_SAY_H
#define KB_TRACE_REPORT_SAY_H

#include <stdio.h>

#include "trace/trace.h"

/* Text of others, escaped. */
void esc(FILE *f, const char *s);
/* One text in both languages. */
void say(FILE *f, const char *ja, const char *en);
/* attributes: " class=..." or "". */
void heading(FILE *f, const char *attributes, const char *ja, const char *en);
void para(FILE *f, const char *attributes, const char *ja, const char *en);
/* 35,040,000 */
const char *number(char out[32], double v);
/* The interval of an estimate, or that it is exact. */
void range(FILE *f, struct estimate e);
double percent(double part, double all);
/* A chance in words: about 1 in 5,000. */
void chance(FILE *f, double p);
/* The first group when it explains the list, else NULL. */
const struct release_group *explained(const struct trace_result *r);
void kind_text(FILE *f, const struct trace_item *it);

/* report_answer.c: the first page. */
void report_answer(FILE *f, const struct trace_result *r,
    const struct trace_options *o);

#endif
