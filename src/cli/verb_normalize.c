/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kuraban normalize KIND: lines in, one line of tab-separated values out for
 * each, the input first. The same code that trace compares with, for looking.
 */
#include "cli/verb.h"

#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/names.h"
#include "trace/places.h"

#define _(s) gettext(s)

struct tools {
	struct names *names;
	struct places *places;
};

static void
put_units(const uint16_t *v, size_t n)
{
	char out[TEXT_MAX * 3 + 1];

	text_utf8(out, sizeof out, v, n);
	fputs(out, stdout);
}

static void
put_name(const struct name *n)
{
	uint16_t same[64], like[64];

	for (unsigned i = 0; i < n->n; i++) {
		same[i] = n->kana ? text_kana(n->all[i]) :
		    text_same(n->all[i]);
		if (same[i] == 0)
			same[i] = 0x30fc;
		like[i] = text_like(n->all[i]);
	}
	putchar('\t');
	put_units(n->all, n->split);
	putchar('\t');
	put_units(n->all + n->split, n->n - (size_t)n->split);
	putchar('\t');
	put_units(same, n->n);
	putchar('\t');
	put_units(like, n->n);
}

static void
do_name(const struct tools *t, const struct text *x)
{
	struct name n;

	name_parse(t->names, &n, x, NULL);
	put_name(&n);
}

static void
do_kana(const struct tools *t, const struct text *x)
{
	struct name n;

	kana_parse(t->names, &n, x, NULL);
	put_name(&n);
}

static void
do_phone(const struct tools *t, const struct text *x)
{
	static const char *const kind[] = {"none", "land", "mobile", "other",
	    "damaged", "filler"};
	struct phone p;
	char out[24] = "";

	phone_parse(&p, x);
	if (p.number)
		phone_text(out, &p);
	printf("\t%s\t%s", out, kind[p.kind]);
}

static void
do_date(const struct tools *t, const struct text *x)
{
	static const char *const flag[] = {"no-day", "no-month",
	    "two-digit-year", "serial", "invalid-day", "era"};
	struct date d;
	const char *sep = "";

	date_parse(&d, x, NULL);
	if (!d.year)
		fputs("\t", stdout);
	else if (!d.month)
		printf("\t%04u", d.year);
	else if (!d.day)
		printf("\t%04u-%02u", d.year, d.month);
	else
		printf("\t%04u-%02u-%02u", d.year, d.month, d.day);
	putchar('\t');
	for (unsigned i = 0; i < 6; i++)
		if (d.flags & 1 << i) {
			printf("%s%s", sep, flag[i]);
			sep = ",";
		}
}

static void
put_slice(struct slice s)
{
	putchar('\t');
	if (s.len)
		fwrite(s.p, 1, s.len, stdout);
}

static void
do_address(const struct tools *t, const struct text *x)
{
	static const char *const level[] = {"none", "prefecture", "city",
	    "town", "number"};
	struct address a;
	char town[256], number[64];

	address_parse(t->places, &a, x);
	put_slice(places_pref(t->places, a.pref));
	put_slice(a.ambiguous ? (struct slice){NULL, 0} :
	    places_city(t->places, a.city));
	address_town_text(t->places, &a, x, town, sizeof town);
	address_number_text(&a, number, sizeof number);
	printf("\t%s\t%s\t", town, number);
	put_units(x->v + a.rest, x->n - a.rest);
	printf("\t%s%s", level[a.level], a.ambiguous ? ",ambiguous" :
	    a.old ? ",old-name" : "");
	if (a.town != ADDRESS_NONE)
		printf("\t%07u", places_zip(t->places, a.town));
	else
		putchar('\t');
}

static const struct kind {
	const char *name;
	void (*line)(const struct tools *, const struct text *);
	const char *header;
} kinds[] = {
	{"address", do_address,
	    "input\tprefecture\tcity\ttown\tnumber\trest\tlevel\tzip"},
	{"name", do_name, "input\tsurname\tgiven\tsame\tlike"},
	{"kana", do_kana, "input\tsurname\tgiven\tsame\tlike"},
	{"phone", do_phone, "input\tnumber\tkind"},
	{"date", do_date, "input\tdate\tflags"},
};

int
verb_normalize(int argc, char **argv)
{
	const struct kind *k = NULL;
	struct tools t = {NULL, NULL};
	bool header = false;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	enum err e;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--header") == 0) {
			header = true;
			continue;
		}
		for (size_t j = 0; j < sizeof kinds / sizeof kinds[0]; j++)
			if (strcmp(argv[i], kinds[j].name) == 0)
				k = &kinds[j];
		if (!k)
			return cli_usage(argv[0], _("unknown kind \"%s\""),
			    argv[i]);
	}
	if (!k)
		return cli_usage(argv[0], "%s", _("which kind?"));
	e = names_open(&t.names);
	if (e == ERR_OK)
		e = places_open(&t.places);
	if (e != ERR_OK) {
		names_close(t.names);
		return cli_fail(argv[0], e, k->name);
	}
	if (header)
		puts(k->header);
	while ((n = getline(&line, &cap, stdin)) >= 0) {
		struct text x;
		char shown[TEXT_MAX * 3 + 1];

		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			n--;
		text_decode(&x, (const uint8_t *)line, (size_t)n,
		    text_guess((const uint8_t *)line, (size_t)n, ENC_ASCII));
		text_utf8(shown, sizeof shown, x.v, x.n);
		fputs(shown, stdout);
		k->line(&t, &x);
		putchar('\n');
	}
	free(line);
	names_close(t.names);
	places_close(t.places);
	return fflush(stdout) == 0 ? STATUS_DONE : STATUS_REFUSED;
}
