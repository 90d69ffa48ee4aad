/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/synth.h"

#include <errno.h>
#include <iconv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "synth/input.h"
#include "synth/people.h"

static enum err
open_out(const char *dir, const char *name, FILE **f)
{
	char path[4096];

	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		return ERR_IO;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	*f = fopen(path, "w");
	return *f ? ERR_OK : ERR_IO;
}

static enum err
close_out(FILE *f, enum err e)
{
	if (f && (ferror(f) || fclose(f) != 0) && e == ERR_OK)
		return ERR_IO;
	return e;
}

static unsigned
days_in(unsigned y, unsigned m)
{
	static const uint8_t d[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
	    31};

	return m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 :
	    d[m - 1];
}

static void
birth(struct rng *r, struct person *p, unsigned from, unsigned years)
{
	p->year = from + rng_below(r, years);
	p->month = 1 + rng_below(r, 12);
	p->day = 1 + rng_below(r, days_in(p->year, p->month));
}

struct household {
	struct person member[6];	/* parents first */
	unsigned parents, n;
	struct home home;
	char landline[16];
};

static void
make_household(const struct people *p, struct rng *r, struct household *h)
{
	unsigned children;

	memset(h, 0, sizeof *h);
	people_surname(p, r, &h->member[0]);
	if (rng_chance(r, .08))
		people_rare_form(r, h->member[0].surname,
		    sizeof h->member[0].surname);
	people_home(p, r, &h->home);
	people_landline(r, h->landline);
	h->parents = rng_chance(r, .75) ? 2 : 1;
	children = rng_below(r, 4);
	h->n = h->parents + children;
	for (unsigned i = 0; i < h->n; i++) {
		struct person *x = &h->member[i];

		if (i)
			memcpy(x, &h->member[0], sizeof *x);
		x->female = i < h->parents ? (h->parents == 1 ?
		    rng_chance(r, .5) : i == 1) : rng_chance(r, .5);
		for (int tries = 0; tries < 20; tries++) {
			bool taken = false;

			people_given(p, r, x);
			for (unsigned k = 0; k < i; k++)
				taken = taken || !strcmp(x->given_kana,
				    h->member[k].given_kana);
			if (!taken)
				break;
		}
		if (i < h->parents)
			birth(r, x, 1950, 40);
		else
			birth(r, x, 1996, 20);
		/* Twins: the birth date of the child before. */
		if (i > h->parents && rng_chance(r, .03)) {
			x->year = x[-1].year;
			x->month = x[-1].month;
			x->day = x[-1].day;
		}
		if (i < h->parents && rng_chance(r, .7))
			people_mobile(r, x->phone);
		else
			memcpy(x->phone, h->landline, 16);
		if (i < h->parents && rng_chance(r, .5))
			snprintf(x->email, sizeof x->email,
			    "u%08llx@example.jp", (unsigned long long)
			    rng_next(r) & 0xffffffff);
	}
}

static void
put_customer(FILE *f, uint64_t id, const struct household *h, unsigned who,
    const struct person *guardian, bool with_guardian)
{
	static const char *const service[] = {"study", "baby", "travel"};
	const struct person *x = &h->member[who];
	char address[768];

	home_text(&h->home, 0, address, sizeof address);
	fprintf(f, "C%08llu,%s　%s,%s　%s,%04u-%02u-%02u,%s,%.3s-%s,%s,%s,%s,"
	    "%s", (unsigned long long)id, x->surname, x->given,
	    x->surname_kana, x->given_kana, x->year, x->month, x->day,
	    x->female ? "女" : "男", h->home.zip, h->home.zip + 3, address,
	    x->phone, x->email, service[id % 7 % 3]);
	if (with_guardian)
		fprintf(f, ",%s　%s,%s　%s", guardian->surname,
		    guardian->given, guardian->surname_kana,
		    guardian->given_kana);
	fputc('\n', f);
}

enum err
synth_population(const struct synth_population *o)
{
	struct people *p = NULL;
	struct rng r = rng_seed(o->seed, 1);
	struct household h;
	FILE *f = NULL, *truth = NULL;
	uint64_t id = 0, person = 0;
	enum err e = people_open(&p);

	if (e == ERR_OK)
		e = open_out(o->out, "customers.csv", &f);
	if (e == ERR_OK)
		e = open_out(o->out, "truth-population.csv", &truth);
	if (e != ERR_OK)
		goto out;
	fprintf(f, "customer_id,name,kana,birth_date,sex,postal_code,address,"
	    "phone,email,service%s\n", o->children ?
	    ",guardian_name,guardian_kana" : "");
	fprintf(truth, "customer_id,person,guardian_person\n");
	while (id < o->rows) {
		make_household(p, &r, &h);
		for (unsigned i = 0; i < h.n && id < o->rows; i++) {
			if (o->children ? i < h.parents :
			    !rng_chance(&r, i < h.parents ? .7 : .4))
				continue;
			id++;
			put_customer(f, id, &h, i, &h.member[h.parents - 1],
			    o->children);
			fprintf(truth, "C%08llu,%llu,", (unsigned long long)id,
			    (unsigned long long)(person + i + 1));
			if (o->children)
				fprintf(truth, "%llu", (unsigned long long)
				    (person + h.parents));
			fputc('\n', truth);
		}
		person += h.n;
	}
out:
	e = close_out(f, e);
	e = close_out(truth, e);
	people_close(p);
	return e;
}

/*
 * Releases as a business makes them: recurring jobs whose result grows a little
 * each time, one-off selections by service, region or age, small look-ups.
 */
struct selection {
	unsigned kind;
	unsigned service, pref, year, years;
	uint64_t until;		/* customers known at that time */
	uint64_t salt;
	double share;
};

static bool
selects(const struct selection *s, uint64_t row, const struct input_row *x)
{
	struct rng r = rng_seed(s->salt, row);
	unsigned year = (unsigned)strtoul(x->v[ROLE_BIRTH], NULL, 10);
	unsigned zip = (unsigned)strtoul(x->v[ROLE_ZIP], NULL, 10) / 20;
	unsigned service = (unsigned)x->v[ROLE_SERVICE][0];

	if (row > s->until)
		return false;
	switch (s->kind) {
	case 0: return service == s->service && rng_chance(&r, s->share * 4);
	case 1: return zip % 47 >= s->pref && zip % 47 < s->pref + 5 &&
	    rng_chance(&r, fmin(1, s->share * 10));
	case 2: return year >= s->year && year < s->year + s->years &&
	    rng_chance(&r, fmin(1, s->share * 8));
	default: return rng_chance(&r, s->share);
	}
}

static void
put_csv(FILE *f, const char *s)
{
	if (!strpbrk(s, "\",\r\n")) {
		fputs(s, f);
		return;
	}
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

enum err
synth_releases(const struct synth_releases *o, char *why, size_t cap)
{
	struct rng r = rng_seed(o->seed, 2);
	struct selection *s = calloc(o->count + 1, sizeof *s);
	struct input_row *x = malloc(sizeof *x);
	struct input *in = NULL;
	static const char services[] = "sbt";
	FILE *f = NULL;
	uint64_t n = 0;
	enum err e = s && x ? input_open(&in, o->customers, o->columns, why,
	    cap) : ERR_NOMEM;

	if (e == ERR_OK)
		e = open_out(o->out, "releases.csv", &f);
	if (e != ERR_OK)
		goto out;
	n = input_rows(in);
	for (unsigned i = 0; i < o->count; i++) {
		s[i] = (struct selection){
			.kind = rng_below(&r, 4),
			.service = (unsigned)services[rng_below(&r, 3)],
			.pref = rng_below(&r, 43),
			.year = 1950 + rng_below(&r, 60),
			.years = 3 + rng_below(&r, 6),
			.until = n / 5 + (uint64_t)(rng_unit(&r) * (double)n),
			.salt = rng_next(&r),
			.share = o->share * (.3 + 1.4 * rng_unit(&r)),
		};
		/* Nearly half are runs of one of a few recurring jobs. */
		if (i >= 12 && rng_chance(&r, .45)) {
			uint64_t until = s[i].until;

			s[i] = s[rng_below(&r, 12)];
			s[i].until = until;
		}
		/* By service only where there are services. */
		if (s[i].kind == 0 && !input_has(in, ROLE_SERVICE))
			s[i].kind = 3;
	}
	fputs("release_id,subject_key\n", f);
	for (uint64_t row = 0; row < n; row++) {
		e = input_row(in, row, x);
		if (e != ERR_OK)
			break;
		for (unsigned i = 0; i < o->count; i++) {
			if (!selects(&s[i], row + 1, x))
				continue;
			fprintf(f, "R%u,", i + 1);
			put_csv(f, x->v[ROLE_KEY]);
			fputc('\n', f);
		}
	}
out:
	input_close(in);
	e = close_out(f, e);
	free(x);
	free(s);
	return e;
}

struct broker {
	const struct synth_broker *o;
	struct people *people;
	struct rng r;
	FILE *list, *truth;
	iconv_t to_cp932;
	uint64_t row;
	struct input *in;
	bool *wanted;		/* by customer row */
};

/* The row that is written: what the broker has of one person. */
struct entry {
	char name[160], kana[224], birth[48], sex[16], zip[16], address[768],
	    phone[32], guardian[160], guardian_kana[224];
	bool has_guardian;
};

static bool
hit(struct broker *b, double scale)
{
	return rng_chance(&b->r, b->o->damage * scale);
}

static void
replace(char *s, size_t cap, const char *from, const char *to)
{
	char *at = strstr(s, from), tail[600];

	if (!at || strlen(s) + strlen(to) >= cap)
		return;
	snprintf(tail, sizeof tail, "%s", at + strlen(from));
	sprintf(at, "%s%s", to, tail);
}

/* 髙 becomes 高 in many hands. */
static void
common_forms(char *s, size_t cap)
{
	static const char *const form[][2] = {{"髙", "高"}, {"﨑", "崎"},
	    {"邉", "辺"}, {"邊", "辺"}, {"齋", "斎"}, {"齊", "斉"},
	    {"濱", "浜"}, {"嶋", "島"}, {"澤", "沢"}, {"廣", "広"},
	    {"櫻", "桜"}, {"冨", "富"}, {"眞", "真"}, {"國", "国"}};

	for (size_t i = 0; i < sizeof form / sizeof form[0]; i++)
		replace(s, cap, form[i][0], form[i][1]);
}

static void
hiragana(char *s)
{
	for (; s[0] && s[1] && s[2]; s += 3) {
		unsigned c = ((unsigned)s[0] & 15) << 12 |
		    ((unsigned)s[1] & 63) << 6 | ((unsigned)s[2] & 63);

		if (c < 0x30a1 || c > 0x30f6)
			continue;
		c -= 0x60;
		s[0] = (char)(0xe0 | c >> 12);
		s[1] = (char)(0x80 | (c >> 6 & 63));
		s[2] = (char)(0x80 | (c & 63));
	}
}

/* One character of a reading mistyped. */
static void
kana_typo(struct broker *b, char *s)
{
	size_t n = strlen(s) / 3;
	char *at;
	unsigned c;

	if (n < 3)
		return;
	at = s + 3 * rng_below(&b->r, (uint32_t)n);
	c = ((unsigned)at[0] & 15) << 12 | ((unsigned)at[1] & 63) << 6 |
	    ((unsigned)at[2] & 63);
	if (c < 0x30a2 || c > 0x30f0)
		return;
	c += c & 1 ? 1 : (unsigned)-1;
	at[1] = (char)(0x80 | (c >> 6 & 63));
	at[2] = (char)(0x80 | (c & 63));
}

static void
birth_style(struct broker *b, char *s, size_t cap)
{
	unsigned y, m, d;

	if (sscanf(s, "%u-%u-%u", &y, &m, &d) != 3)
		return;
	switch (rng_below(&b->r, 6)) {
	case 0:
		snprintf(s, cap, "%u/%u/%u", y, m, d);
		break;
	case 1:
		snprintf(s, cap, "%04u%02u%02u", y, m, d);
		break;
	case 2:
		snprintf(s, cap, "%u年%u月%u日", y, m, d);
		break;
	case 3:
		if (y > 1989 && y < 2019)
			snprintf(s, cap, "H%u.%u.%u", y - 1988, m, d);
		else if (y > 1926 && y < 1989)
			snprintf(s, cap, "昭和%u年%u月%u日", y - 1925, m, d);
		break;
	case 4: {
		/* A spreadsheet's serial number; 25569 is 1970-01-01. */
		unsigned mm = m > 2 ? m - 3 : m + 9, yy = m > 2 ? y : y - 1;
		unsigned days = 365 * yy + yy / 4 - yy / 100 + yy / 400 +
		    (153 * mm + 2) / 5 + d - 1;

		snprintf(s, cap, "%u", days - 719468 + 25569);
		break;
	}
	}
}

static void
phone_style(struct broker *b, char *s, size_t cap)
{
	char t[32];
	size_t n = 0;

	switch (rng_below(&b->r, 4)) {
	case 0:		/* no hyphens */
		for (char *c = s; *c; c++)
			if (*c != '-')
				t[n++] = *c;
		t[n] = '\0';
		snprintf(s, cap, "%s", t);
		break;
	case 1:		/* as a number: the leading zero goes */
		for (char *c = s + 1; *c; c++)
			if (*c != '-')
				t[n++] = *c;
		t[n] = '\0';
		snprintf(s, cap, "%s", t);
		break;
	case 2:
		snprintf(t, sizeof t, "+81-%s", s + 1);
		snprintf(s, cap, "%s", t);
		break;
	}
}

/* Takes an address apart only as far as its own writer put it together. */
static void
address_style(struct broker *b, char *s, size_t cap)
{
	switch (rng_below(&b->r, 5)) {
	case 0:
		replace(s, cap, "丁目", "-");
		replace(s, cap, "番地", "-");
		replace(s, cap, "番", "-");
		replace(s, cap, "号", "");
		break;
	case 1: {	/* without the building */
		char *at = strstr(s, "　");

		if (at)
			*at = '\0';
		break;
	}
	case 2:
		replace(s, cap, "　", " ");
		break;
	case 3: {	/* without the prefecture */
		static const char *const ends[] = {"都", "道", "府", "県"};

		for (size_t i = 0; i < 4; i++) {
			char *at = strstr(s, ends[i]);

			if (at && at - s <= 9) {
				memmove(s, at + 3, strlen(at + 3) + 1);
				break;
			}
		}
		break;
	}
	}
}

static void
damage(struct broker *b, struct entry *e)
{
	if (hit(b, 1))
		common_forms(e->name, sizeof e->name);
	if (hit(b, 1))
		replace(e->name, sizeof e->name, "　", "");
	if (hit(b, 1))
		replace(e->name, sizeof e->name, "　", " ");
	if (hit(b, .5))
		hiragana(e->kana);
	if (hit(b, .15))
		kana_typo(b, e->kana);
	if (hit(b, .4))
		e->kana[0] = '\0';
	else if (hit(b, .15) && e->kana[0])
		e->name[0] = '\0';
	if (hit(b, 2))
		birth_style(b, e->birth, sizeof e->birth);
	if (hit(b, .25))
		e->birth[0] = '\0';
	if (hit(b, 2))
		phone_style(b, e->phone, sizeof e->phone);
	if (hit(b, .3))
		e->phone[0] = '\0';
	if (hit(b, 2))
		address_style(b, e->address, sizeof e->address);
	if (hit(b, .3))
		e->zip[0] = '\0';
	if (hit(b, .3))
		e->sex[0] = '\0';
	if (hit(b, .15)) {	/* moved: all of it is new */
		struct home h;

		people_home(b->people, &b->r, &h);
		home_text(&h, rng_below(&b->r, HOME_STYLES), e->address,
		    sizeof e->address);
		snprintf(e->zip, sizeof e->zip, "%.3s-%s", h.zip, h.zip + 3);
		if (rng_chance(&b->r, .4))
			people_mobile(&b->r, e->phone);
	}
	if (e->sex[0] && hit(b, .5))
		snprintf(e->sex, sizeof e->sex, "%s", strcmp(e->sex, "女") ?
		    "M" : "F");
}

static void
write_line(struct broker *b, const char *line)
{
	char out[8192], *in = (char *)(uintptr_t)line, *to = out;
	size_t left = strlen(line), room = sizeof out;

	/* Blocks of lines pasted together from files in either encoding. */
	struct rng block = rng_seed(b->o->seed, b->row / 50 + 99);

	if (rng_chance(&block, b->o->cp932)) {
		iconv(b->to_cp932, NULL, NULL, NULL, NULL);
		if (iconv(b->to_cp932, &in, &left, &to, &room) !=
		    (size_t)-1) {
			fwrite(out, 1, sizeof out - room, b->list);
			return;
		}
	}
	fputs(line, b->list);
}

/* A field of a line; in quotes where it has a comma. */
static size_t
append(char *line, size_t n, size_t cap, bool comma, const char *s)
{
	const char *q = strchr(s, ',') ? "\"" : "";

	return n + (size_t)snprintf(line + n, cap - n, "%s%s%s%s",
	    comma ? "," : "", q, s, q);
}

static void
write_entry(struct broker *b, const struct entry *e, const char *customer,
    const char *person, const char *guardian)
{
	const char *const field[] = {e->name, e->kana, e->birth, e->sex, e->zip,
	    e->address, e->phone, e->guardian, e->guardian_kana};
	char line[3072];
	size_t n = 0;
	unsigned times = rng_chance(&b->r, b->o->exact) ? 2 : 1;

	line[0] = '\0';
	for (size_t i = 0; i < (e->has_guardian ? 9 : 7); i++)
		n = append(line, n, sizeof line, i > 0, field[i]);
	append(line, n, sizeof line, false, "\r\n");
	for (unsigned i = 0; i < times; i++) {
		b->row++;
		write_line(b, line);
		fprintf(b->truth, "%llu,", (unsigned long long)b->row);
		put_csv(b->truth, customer);
		fputc(',', b->truth);
		put_csv(b->truth, person);
		fputc(',', b->truth);
		put_csv(b->truth, guardian);
		fputc('\n', b->truth);
	}
}

/* A space of either width between surname and given name, as lists have it. */
static void
wide_space(char *out, size_t cap, const char *s)
{
	snprintf(out, cap, "%s", s);
	replace(out, cap, " ", "　");
}

static void
entry_of(struct entry *e, const struct input *in, const struct input_row *x)
{
	memset(e, 0, sizeof *e);
	wide_space(e->name, sizeof e->name, x->v[ROLE_NAME]);
	wide_space(e->kana, sizeof e->kana, x->v[ROLE_KANA]);
	snprintf(e->birth, sizeof e->birth, "%s", x->v[ROLE_BIRTH]);
	snprintf(e->sex, sizeof e->sex, "%s", x->v[ROLE_SEX]);
	snprintf(e->zip, sizeof e->zip, "%s", x->v[ROLE_ZIP]);
	snprintf(e->address, sizeof e->address, "%s", x->v[ROLE_ADDRESS]);
	snprintf(e->phone, sizeof e->phone, "%s", x->v[ROLE_PHONE]);
	e->has_guardian = input_has(in, ROLE_GUARDIAN);
	wide_space(e->guardian, sizeof e->guardian, x->v[ROLE_GUARDIAN]);
	wide_space(e->guardian_kana, sizeof e->guardian_kana,
	    x->v[ROLE_GUARDIAN_KANA]);
}

static void
foreign(struct broker *b, bool guardian, uint64_t number)
{
	struct household h;
	struct entry e;
	struct person *x;
	char id[32], gid[32] = "";

	make_household(b->people, &b->r, &h);
	x = &h.member[h.n - 1];
	memset(&e, 0, sizeof e);
	snprintf(e.name, sizeof e.name, "%s　%s", x->surname, x->given);
	snprintf(e.kana, sizeof e.kana, "%s　%s", x->surname_kana,
	    x->given_kana);
	snprintf(e.birth, sizeof e.birth, "%04u-%02u-%02u", x->year, x->month,
	    x->day);
	snprintf(e.sex, sizeof e.sex, "%s", x->female ? "女" : "男");
	snprintf(e.zip, sizeof e.zip, "%.3s-%s", h.home.zip, h.home.zip + 3);
	home_text(&h.home, 0, e.address, sizeof e.address);
	snprintf(e.phone, sizeof e.phone, "%s", x->phone);
	e.has_guardian = guardian;
	if (guardian && h.n > 1) {
		snprintf(e.guardian, sizeof e.guardian, "%s　%s",
		    h.member[0].surname, h.member[0].given);
		snprintf(e.guardian_kana, sizeof e.guardian_kana, "%s　%s",
		    h.member[0].surname_kana, h.member[0].given_kana);
		snprintf(gid, sizeof gid, "G%llu",
		    (unsigned long long)number);
	}
	snprintf(id, sizeof id, "F%llu", (unsigned long long)number);
	damage(b, &e);
	write_entry(b, &e, "", id, gid);
}

static bool
named(const char *list, const char *id)
{
	size_t n = strlen(id);

	for (const char *s = list; s; s = strchr(s, ',')) {
		s += *s == ',';
		if (!strncmp(s, id, n) && (s[n] == ',' || !s[n]))
			return true;
	}
	return false;
}

static uint64_t
key_hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3ull;
	h ^= h >> 32;
	return h ? h : 1;
}

static int
cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Keys of the culprits' releases, hashed and sorted. */
static enum err
read_culprits(const struct synth_broker *o, uint64_t **out, size_t *n)
{
	FILE *f = fopen(o->releases, "r");
	char line[1024];
	size_t cap = 0;

	*out = NULL;
	*n = 0;
	if (!f)
		return ERR_NOTFOUND;
	while (fgets(line, sizeof line, f)) {
		char *comma = strchr(line, ',');

		if (!comma)
			continue;
		*comma = '\0';
		comma[1 + strcspn(comma + 1, "\r\n")] = '\0';
		if (!named(o->culprits, line))
			continue;
		if (*n == cap) {
			uint64_t *v = realloc(*out, (cap ? cap * 2 : 1024) *
			    sizeof *v);

			if (!v) {
				fclose(f);
				return ERR_NOMEM;
			}
			*out = v;
			cap = cap ? cap * 2 : 1024;
		}
		(*out)[(*n)++] = key_hash(comma + 1);
	}
	fclose(f);
	if (*n)
		qsort(*out, *n, sizeof **out, cmp_u64);
	return *n ? ERR_OK : ERR_NOTFOUND;
}

/* Customers in one of the culprits' releases; all when there are none. */
static enum err
choose(struct broker *b, char *why, size_t cap)
{
	uint64_t n = input_rows(b->in), *key = NULL;
	struct input_row *x = malloc(sizeof *x);
	size_t nkeys = 0;
	enum err e = ERR_OK;

	b->wanted = calloc(n + 1, sizeof *b->wanted);
	if (!b->wanted || !x)
		e = ERR_NOMEM;
	else if (!b->o->releases || !b->o->culprits)
		memset(b->wanted, 1, n);
	else {
		snprintf(why, cap, "%s: %s", b->o->releases, b->o->culprits);
		e = read_culprits(b->o, &key, &nkeys);
		for (uint64_t i = 0; e == ERR_OK && i < n; i++) {
			uint64_t h;

			e = input_row(b->in, i, x);
			h = e == ERR_OK ? key_hash(x->v[ROLE_KEY]) : 0;
			b->wanted[i] = bsearch(&h, key, nkeys, sizeof *key,
			    cmp_u64) != NULL;
		}
	}
	free(key);
	free(x);
	return e;
}

/* Rows come in any order: a list that was sorted by somebody else's key. */
static enum err
order(struct broker *b, uint64_t **out, uint64_t *n)
{
	uint64_t cap = input_rows(b->in) + 1, *v = malloc(cap * sizeof *v);
	uint64_t k = 0;
	double again = b->o->copies / (1 + b->o->copies);

	if (!v)
		return ERR_NOMEM;
	for (uint64_t i = 0; i < input_rows(b->in); i++) {
		if (!b->wanted[i] || !rng_chance(&b->r, b->o->sample))
			continue;
		do {
			if (k == cap) {
				uint64_t *w = realloc(v, 2 * cap * sizeof *v);

				if (!w) {
					free(v);
					return ERR_NOMEM;
				}
				v = w;
				cap *= 2;
			}
			v[k++] = i;
		} while (rng_chance(&b->r, again));
	}
	for (uint64_t i = k; i > 1; i--) {
		uint64_t j = rng_next(&b->r) % i, t = v[i - 1];

		v[i - 1] = v[j];
		v[j] = t;
	}
	*out = v;
	*n = k;
	return ERR_OK;
}

static enum err
write_list(struct broker *b)
{
	bool guardian = input_has(b->in, ROLE_GUARDIAN);
	struct input_row *x = malloc(sizeof *x);
	uint64_t *v = NULL, n = 0, foreigners = 0;
	enum err e = x ? order(b, &v, &n) : ERR_NOMEM;

	fprintf(b->list, "氏名,フリガナ,生年月日,性別,郵便番号,住所,電話番号%s\r\n",
	    guardian ? ",保護者氏名,保護者フリガナ" : "");
	fputs("list_row,customer_id,person,guardian_person\n", b->truth);
	for (uint64_t i = 0; e == ERR_OK && i < n; i++) {
		struct entry entry;
		char parent[264] = "";

		while (rng_chance(&b->r, b->o->foreign))
			foreign(b, guardian, ++foreigners);
		e = input_row(b->in, v[i], x);
		if (e != ERR_OK)
			break;
		entry_of(&entry, b->in, x);
		damage(b, &entry);
		if (guardian)
			snprintf(parent, sizeof parent, "P%.255s",
			    x->v[ROLE_KEY]);
		write_entry(b, &entry, x->v[ROLE_KEY], x->v[ROLE_KEY],
		    parent);
	}
	free(v);
	free(x);
	return e;
}

enum err
synth_broker(const struct synth_broker *o, char *why, size_t cap)
{
	struct broker b = {.o = o, .r = rng_seed(o->seed, 3)};
	enum err e = input_open(&b.in, o->customers, o->columns, why, cap);

	b.to_cp932 = iconv_open("CP932", "UTF-8");
	if (e == ERR_OK)
		e = people_open(&b.people);
	if (e == ERR_OK && b.to_cp932 == (iconv_t)-1)
		e = ERR_PHASE;
	if (e == ERR_OK)
		e = choose(&b, why, cap);
	if (e == ERR_OK)
		e = open_out(o->out, "list.csv", &b.list);
	if (e == ERR_OK)
		e = open_out(o->out, "truth.csv", &b.truth);
	if (e == ERR_OK)
		e = write_list(&b);
	e = close_out(b.list, e);
	e = close_out(b.truth, e);
	input_close(b.in);
	if (b.to_cp932 != (iconv_t)-1)
		iconv_close(b.to_cp932);
	people_close(b.people);
	free(b.wanted);
	return e;
}
