/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/report_say.h"

#include <math.h>
#include <string.h>

void
esc(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			fputs("&lt;", f);
		else if (*s == '>')
			fputs("&gt;", f);
		else if (*s == '&')
			fputs("&amp;", f);
		else if (*s == '"')
			fputs("&quot;", f);
		else
			fputc(*s, f);
	}
}

void
say(FILE *f, const char *ja, const char *en)
{
	fprintf(f, "<span class=ja lang=ja>%s</span>"
	    "<span class=en lang=en>%s</span>", ja, en);
}

void
heading(FILE *f, const char *extra, const char *ja, const char *en)
{
	fprintf(f, "<h2%s>", extra);
	say(f, ja, en);
	fputs("</h2>\n", f);
}

void
para(FILE *f, const char *class, const char *ja, const char *en)
{
	fprintf(f, "<p%s>", class);
	say(f, ja, en);
	fputs("</p>\n", f);
}

const char *
number(char out[32], double v)
{
	char d[32];
	size_t n, o = 0;

	snprintf(d, sizeof d, "%.0f", v < 0 ? 0 : v);
	n = strlen(d);
	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			out[o++] = ',';
		out[o++] = d[i];
	}
	out[o] = '\0';
	return out;
}

void
range(FILE *f, struct estimate e)
{
	char a[32], b[32];

	if (floor(e.low) >= ceil(e.high)) {	/* counted, not estimated */
		say(f, "確定値", "exact");
		return;
	}
	number(a, floor(e.low));
	number(b, ceil(e.high));
	fprintf(f, "<span class=ja>%s～%s</span><span class=en>%s to %s</span>",
	    a, b, a, b);
}

double
percent(double part, double all)
{
	return all > 0 ? 100 * part / all : 0;
}

const struct release_group *
explained(const struct trace_result *r)
{
	return r->attribution.n && r->attribution.group[0].explains ?
	    &r->attribution.group[0] : NULL;
}

void
chance(FILE *f, double p)
{
	char n[32];

	number(n, floor(1 / p + .5));
	/* Below the floor the model itself is the larger doubt. */
	if (p <= ATTRIBUTE_CHANCE_FLOOR)
		fprintf(f, "<span class=ja lang=ja>%s 分の 1 以下</span>"
		    "<span class=en lang=en>at most 1 in %s</span>", n, n);
	else
		fprintf(f, "<span class=ja lang=ja>およそ %s 分の 1</span>"
		    "<span class=en lang=en>about 1 in %s</span>", n, n);
}

void
kind_text(FILE *f, const struct trace_item *it)
{
	static const char *const ja[] = {
#define COL(id, name, j, e) j,
		COLUMN_KINDS(COL)
#undef COL
	};
	static const char *const en[] = {
#define COL(id, name, j, e) e,
		COLUMN_KINDS(COL)
#undef COL
	};

	if (it->kind == COL_NONE)
		esc(f, it->name);
	else
		say(f, ja[it->kind], en[it->kind]);
}
