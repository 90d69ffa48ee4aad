/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/trace.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "merkle/tree.h"

#define Z95 1.96
/* Share of ours that a list must show before it is not "not ours". */
#define OURS_LEAST .02
/* What the model itself may be off by, beyond chance: measured over seeds. */
#define MODEL_SLACK .0015

struct run {
	const struct trace_options *o;
	struct trace_result *r;
	struct schema schema;
	const struct schema *schema_used;
	struct names *names;
	struct places *places;
	struct sigs sigs;
	struct model model;
	char *why;
	size_t why_cap;
};

static enum err
read_table(struct run *u, struct table *t, struct sigs *sigs,
    const char *path, const void *data, size_t len, const char *told,
    bool is_list, const char *stage)
{
	struct table_options to = {
		.path = path, .data = data, .len = len, .told = told,
		.schema = u->schema_used, .names = u->names,
		.places = u->places, .threads = u->o->threads,
		.dedup = is_list, .keys = !is_list, .stage = stage,
		.progress = u->o->progress, .arg = u->o->arg,
	};

	return table_read(t, sigs, &to, u->why, u->why_cap);
}

/* A list with nothing to compare by is an error, not an empty answer. */
static enum err
usable(struct run *u, const struct table *t)
{
	static const enum column_kind who[] = {COL_NAME, COL_SURNAME, COL_KANA,
	    COL_KANA_SURNAME, COL_PHONE, COL_EMAIL, COL_GUARDIAN};
	unsigned n = 0;

	if (u->schema_used) {
		for (unsigned i = 0; i < u->schema.n; i++)
			n += t->cols.generic[i] >= 0;
	} else
		for (size_t i = 0; i < sizeof who / sizeof who[0]; i++)
			n += t->cols.at[who[i]] >= 0;
	if (n > 0)
		return ERR_OK;
	snprintf(u->why, u->why_cap, "%s: no usable column; name them with "
	    "--columns or --schema", t->path ? t->path : "");
	return ERR_FORMAT;
}

static struct estimate
exactly(double v)
{
	return (struct estimate){v, v, v};
}

static struct estimate
around(double v, double sd, double slack, double most)
{
	double half = Z95 * sd + slack;
	struct estimate e = {v, v - half, v + half};

	if (e.low < 0)
		e.low = 0;
	if (e.high > most)
		e.high = most;
	if (e.estimate > most)
		e.estimate = most;
	return e;
}

/* Distinct persons among the rows' own mentions, guardians left out. */
static size_t
count_records(const struct run *u, size_t *mentions)
{
	const struct link_result *l = &u->r->link;
	uint8_t *seen = calloc(l->npersons + 1, 1);
	size_t n = 0;

	*mentions = 0;
	for (size_t i = 0; seen && i < u->r->list.nmentions; i++) {
		const struct sig *s = (const struct sig *)(u->sigs.v + i *
		    u->sigs.stride);

		if (!u->schema_used && (s->role & SIG_GUARDIAN))
			continue;
		++*mentions;
		n += !seen[l->person[i]];
		seen[l->person[i]] = 1;
	}
	free(seen);
	return n;
}

/* Of ours, unseen: nothing was left to know them by. */
struct unseen {
	double mentions;
	double again;		/* share of mentions whose person has others */
};

/*
 * Who moved, changed the telephone and gives no birth date cannot be found. Those
 * of them who do give one are, so they say how many are not, as the marked fish
 * of a lake do; and so for a misread reading where no kanji stand beside it.
 */
static enum err
count_unseen(const struct run *u, struct unseen *out)
{
	const struct trace_result *r = u->r;
	const struct link_result *l = &r->link;
	uint32_t *times = calloc(l->npersons + 1, sizeof *times);
	double n = 0, no_birth = 0, no_kanji = 0, linked = 0, alone = 0;
	double by_birth = 0, by_kanji = 0;
	struct levels v;

	*out = (struct unseen){0, 0};
	if (!times)
		return ERR_NOMEM;
	for (size_t i = 0; i < r->list.nmentions && !u->schema_used; i++) {
		const struct sig *a = (const struct sig *)u->sigs.v + i, *b;

		if (a->role & SIG_GUARDIAN)
			continue;
		n++;
		no_birth += !a->dob;
		no_kanji += !a->all && a->kall;
		if (!l->best[i].accepted)
			continue;
		b = (const struct sig *)u->sigs.v + l->best[i].id;
		model_levels(&l->learned, (const uint8_t *)a,
		    (const uint8_t *)b, &v);
		linked++;
		times[l->person[i]]++;
		by_birth += v.v[F_BIRTH] <= 2 && v.v[F_ADDRESS] > 4 &&
		    v.v[F_PHONE] > 0 && v.v[F_EMAIL] > 0;
		by_kanji += a->all && a->all == b->all && a->kall &&
		    b->kall && a->kall != b->kall;
	}
	for (size_t i = 0; i < l->npersons; i++)
		alone += times[i] == 1;
	free(times);
	if (linked < 1 || no_birth > .9 * n || no_kanji > .9 * n)
		return ERR_OK;
	out->mentions = by_birth * no_birth / (n - no_birth) +
	    by_kanji * no_kanji / (n - no_kanji);
	out->again = 1 - alone / linked;
	return ERR_OK;
}

/* What ours has no column for cannot link anybody. */
static void
without_missing(const struct run *u, uint8_t *sig)
{
	const struct columns *c = &u->r->ours.cols;
	struct sig *s = (struct sig *)sig;

	for (unsigned f = 0; u->schema_used && f < u->schema.n; f++)
		if (c->generic[f] < 0)
			((struct cell *)sig)[f].hash = 0;
	if (u->schema_used)
		return;
	if (c->at[COL_NAME] < 0 && c->at[COL_SURNAME] < 0)
		s->all = s->sur = s->giv = 0;
	if (c->at[COL_KANA] < 0 && c->at[COL_KANA_SURNAME] < 0)
		s->kall = s->ksur = s->kgiv = 0;
	if (c->at[COL_BIRTH] < 0)
		s->dob = 0;
	if (c->at[COL_ADDRESS] < 0 && c->at[COL_CITY] < 0)
		s->num = 0;
	if (!s->num && c->at[COL_ZIP] < 0)
		s->town = s->zip = 0;
	if (c->at[COL_PHONE] < 0 && c->at[COL_PHONE2] < 0)
		s->phone = s->phone2 = 0;
	if (c->at[COL_EMAIL] < 0)
		s->email = 0;
}

/*
 * Whether a mention says enough: if all of it agreed with one of ours, would it
 * be accepted on a list with this share of ours? Else its not being found means
 * nothing.
 */
static bool
is_comparable(const struct run *u, size_t mention, uint8_t *copy)
{
	const struct model *m = &u->r->link.learned;
	const struct sig *s = (const struct sig *)copy;
	double n = (double)u->r->ours.nmentions;
	struct levels l;

	memcpy(copy, u->sigs.v + mention * u->sigs.stride, u->sigs.stride);
	without_missing(u, copy);
	/* A name alone is not looked for: too many share it. */
	if (!m->schema && !s->dob && !s->town && !s->zip && !s->phone &&
	    !s->phone2 && !s->email)
		return false;
	model_levels(m, copy, copy, &l);
	return model_weight_rare(m, &l, copy, copy) >
	    log2(n * (1 - OURS_LEAST) / OURS_LEAST + 1);
}

/*
 * Persons who are ours, by probability: each person counts with the best of
 * its mentions, so doubtful links move the estimate and widen the interval.
 * Those who say too little to be linked may be ours as often as the others are.
 */
static enum err
count_ours(struct run *u, const struct unseen *unseen)
{
	struct trace_result *r = u->r;
	const struct link_result *l = &r->link;
	float *p = calloc(l->npersons + 1, sizeof *p);
	uint8_t *can = calloc(l->npersons + 1, 1);
	uint8_t *copy = malloc(u->sigs.stride);
	double sum = 0, var = 0, silent = 0;
	enum err e = p && can && copy ? ERR_OK : ERR_NOMEM;

	for (size_t i = 0; e == ERR_OK && i < r->list.nmentions; i++) {
		uint32_t who = l->person[i];

		if (l->best[i].probability > p[who])
			p[who] = l->best[i].probability;
		if (!can[who])
			can[who] = l->best[i].accepted ||
			    is_comparable(u, i, copy);
	}
	for (size_t i = 0; e == ERR_OK && i < l->npersons; i++) {
		sum += p[i];
		var += p[i] * (1 - p[i]);
		r->comparable += can[i];
		r->comparable_ours += can[i] && p[i] >= LINK_THRESHOLD;
		silent += !can[i];
	}
	free(p);
	free(can);
	free(copy);
	/* Who is on the list once, and unseen. */
	sum += unseen->mentions * (1 - unseen->again);
	var += unseen->mentions * (1 - unseen->again);
	r->persons_ours = around(sum, sqrt(var), MODEL_SLACK * sum +
	    (sum > 0 ? .5 : 0), (double)l->npersons);
	/* At most so often, by the rule of three where nobody was found. */
	r->persons_ours.high = fmin((double)l->npersons, r->persons_ours.high +
	    floor(silent * fmin(1, ((double)r->comparable_ours + 3) /
	    ((double)r->comparable + 3))));
	return e;
}

static enum err
count_all(struct run *u)
{
	struct trace_result *r = u->r;
	const struct link_result *l = &r->link;
	size_t mentions, records = count_records(u, &mentions);
	struct unseen unseen;
	enum err e = count_unseen(u, &unseen);
	/* An unseen one who is on the list again was counted twice. */
	double twice = unseen.mentions * unseen.again;
	double fewer = l->missed - l->wrong + twice;
	double persons = (double)l->npersons - fewer;
	double share = l->npersons ? (double)records / (double)l->npersons : 0;
	double sd = sqrt(l->missed_var + twice);

	r->rows = exactly((double)r->list.nrows);
	r->exact_duplicates = exactly((double)r->list.nduplicates);
	r->persons = around(persons, sd, MODEL_SLACK * persons,
	    (double)r->list.nmentions);
	r->records = around((double)records - fewer * share,
	    sd * share, MODEL_SLACK * (double)records, (double)mentions);
	if (u->o->called) {
		double n = (double)u->o->called, p = (double)u->o->reached / n;
		double z2 = Z95 * Z95, mid = (p + z2 / 2 / n) / (1 + z2 / n);
		double half = Z95 * sqrt(p * (1 - p) / n + z2 / 4 / n / n) /
		    (1 + z2 / n);

		r->has_reach = true;
		r->reach = (struct estimate){r->records.estimate * p,
		    r->records.low * (mid - half),
		    r->records.high * (mid + half)};
	}
	return e == ERR_OK && r->ours.nrows ? count_ours(u, &unseen) : e;
}

static enum err
match(struct run *u, const uint8_t *sigs, size_t nlist, size_t nours,
    struct link_result *out)
{
	struct link_input in = {.model = &u->model, .sigs = sigs,
	    .nlist = nlist, .nours = nours, .threads = u->o->threads,
	    .progress = u->o->progress, .arg = u->o->arg};
	size_t larger = nlist > nours ? nlist : nours;
	enum err e;

	model_init(&u->model, u->schema_used);
	e = model_count(&u->model, sigs, nlist, 0, larger);
	if (e == ERR_OK && nours)
		e = model_count(&u->model, sigs + nlist * u->sigs.stride,
		    nours, 1, larger);
	if (e == ERR_OK) {
		model_counted(&u->model);
		e = link_run(&in, out);
	}
	return e;
}

/* Persons who are ours and not in the background list as well. */
static enum err
background(struct run *u)
{
	struct trace_result *r = u->r;
	struct sigs s = {.stride = u->sigs.stride};
	struct table t = {0};
	struct link_result l = {0};
	size_t n = r->list.nmentions, both = 0;
	uint8_t *seen = calloc(r->link.npersons + 1, 1);
	enum err e = seen ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK) {
		s.v = malloc((n + 1) * s.stride);
		s.n = s.cap = n;
		if (!s.v)
			e = ERR_NOMEM;
		else
			memcpy(s.v, u->sigs.v, n * s.stride);
	}
	if (e == ERR_OK)
		e = read_table(u, &t, &s, u->o->background, NULL, 0, NULL,
		    false, "background");
	model_fini(&u->model);
	if (e == ERR_OK)
		e = match(u, s.v, n, s.n - n, &l);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		uint32_t p = r->link.person[i];

		if (!l.best[i].accepted || !r->link.best[i].accepted ||
		    seen[p])
			continue;
		seen[p] = 1;
		both++;
	}
	if (e == ERR_OK) {
		r->has_background = true;
		r->only_ours = (struct estimate){
		    r->persons_ours.estimate - (double)both,
		    fmax(0, r->persons_ours.low - (double)both),
		    r->persons_ours.high - (double)both};
	}
	link_fini(&l);
	table_fini(&t);
	free(s.v);
	free(seen);
	return e;
}

static enum err
evidence(struct run *u)
{
	struct trace_result *r = u->r;
	const struct trace_options *o = u->o;
	struct key_map keys = {0};
	enum err e = key_map_init(&keys, &r->ours);

	if (e == ERR_OK && (o->releases || o->load_releases)) {
		if (o->progress && !o->progress(o->arg, "attribute", 0, 0))
			e = ERR_CLOSED;
		if (e == ERR_OK)
			e = evidence_releases(r, &keys, o, u->why,
			    u->why_cap);
	}
	if (e == ERR_OK && o->canaries)
		e = evidence_canaries(r, &keys, o, u->why, u->why_cap);
	if (e == ERR_OK && o->history)
		e = evidence_history(r, &keys, o, u->why, u->why_cap);
	if (e == ERR_OK && !u->schema_used) {
		evidence_rare(r, u->sigs.v);
		evidence_pairs(r, u->sigs.v);
	}
	if (e == ERR_OK)
		evidence_items(r, u->schema_used);
	if (e == ERR_OK)
		e = evidence_services(r);
	if (e == ERR_OK && o->background)
		e = background(u);
	if (e == ERR_OK)
		evidence_verdict(r);
	key_map_fini(&keys);
	return e;
}

/* Which file it was, for whoever must prove it later. */
static enum err
hash_list(struct run *u)
{
	const uint8_t *p;
	size_t len;
	struct merkle_hash h;
	enum err e;

	if (!u->r->list.p)
		return ERR_OK;
	e = file_map(u->o->list, &p, &len, u->why, u->why_cap);
	if (e != ERR_OK)
		return e;
	merkle_sha256(&h, p, len);
	file_unmap(p, len);
	hex_encode(u->r->list_sha256, h.b, sizeof h.b);
	u->r->list_sha256[64] = '\0';
	return ERR_OK;
}

static const char *const files[] = {"matches.csv", "report.json",
    "index.html"};

static void
path_of(char *out, size_t cap, const char *dir, const char *file)
{
	snprintf(out, cap, "%s/%s", dir, file);
}

static void
remove_partial(const char *dir)
{
	char path[4096];

	for (size_t i = 0; i < 3; i++) {
		path_of(path, sizeof path, dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

/* All three or none: written beside, then renamed into place. */
static enum err
write_report(struct run *u)
{
	char dir[3600], from[4096], to[4096];
	const char *out = u->o->out;
	size_t n = strlen(out);
	enum err e;

	while (n > 1 && out[n - 1] == '/')
		n--;
	if (n > 3500)
		return ERR_TOOBIG;
	snprintf(dir, sizeof dir, "%.*s.partial", (int)n, out);
	remove_partial(dir);
	if (mkdir(dir, 0700) != 0) {
		snprintf(u->why, u->why_cap, "%s: %s", dir, strerror(errno));
		return ERR_IO;
	}
	if (u->o->progress && !u->o->progress(u->o->arg, "write", 0, 0)) {
		remove_partial(dir);
		return ERR_CLOSED;
	}
	path_of(from, sizeof from, dir, files[0]);
	e = report_matches(u->r, u->sigs.v, u->o, from);
	path_of(from, sizeof from, dir, files[1]);
	if (e == ERR_OK)
		e = report_json(u->r, from);
	path_of(from, sizeof from, dir, files[2]);
	if (e == ERR_OK)
		e = report_html(u->r, u->o, from);
	if (e == ERR_OK && u->o->progress && !u->o->progress(u->o->arg,
	    "write", 1, 0))
		e = ERR_CLOSED;
	if (e == ERR_OK && mkdir(out, 0700) != 0 && errno != EEXIST)
		e = ERR_IO;
	for (size_t i = 0; i < 3 && e == ERR_OK; i++) {
		path_of(from, sizeof from, dir, files[i]);
		path_of(to, sizeof to, out, files[i]);
		if (rename(from, to) != 0)
			e = ERR_IO;
	}
	if (e == ERR_IO)
		snprintf(u->why, u->why_cap, "%s: %s", out, strerror(errno));
	remove_partial(dir);
	return e;
}

enum err
trace_run(const struct trace_options *o, struct trace_result *r, char *why,
    size_t why_cap)
{
	struct run u = {.o = o, .r = r, .why = why, .why_cap = why_cap};
	enum err e = ERR_OK;

	memset(r, 0, sizeof *r);
	r->threshold = LINK_THRESHOLD;
	if (why_cap)
		why[0] = '\0';
	if (o->schema) {
		e = schema_load(&u.schema, o->schema, why, why_cap);
		u.schema_used = &u.schema;
	} else {
		e = names_open(&u.names);
		if (e == ERR_OK)
			e = places_open(&u.places);
	}
	if (e != ERR_OK)
		goto out;
	u.sigs.stride = u.schema_used ? u.schema.n * sizeof(struct cell) :
	    sizeof(struct sig);
	e = read_table(&u, &r->list, &u.sigs, o->list, NULL, 0, o->columns,
	    true, "list");
	/* Former values are compared with the list's own text. */
	if (e == ERR_OK && o->history && !r->list.p) {
		snprintf(why, why_cap, "%s: a pipe; --history needs the list "
		    "as a file", o->list);
		e = ERR_FORMAT;
	}
	if (e == ERR_OK)
		e = usable(&u, &r->list);
	/* Without ours the list's own persons are counted, and no more. */
	if (e == ERR_OK && (o->ours || o->ours_data))
		e = read_table(&u, &r->ours, &u.sigs, o->ours, o->ours_data,
		    o->ours_len, o->ours_columns, false, "ours");
	if (e == ERR_OK && (o->ours || o->ours_data))
		e = usable(&u, &r->ours);
	if (e == ERR_OK)
		e = match(&u, u.sigs.v, r->list.nmentions,
		    u.sigs.n - r->list.nmentions, &r->link);
	if (e == ERR_OK)
		e = count_all(&u);
	if (e == ERR_OK) {
		if (r->ours.nrows)
			e = evidence(&u);
		else {
			r->verdict = VERDICT_UNCLEAR;
			r->doubt = DOUBT_SHARE;
			memset(r->ours.cols.at, -1, sizeof r->ours.cols.at);
			memset(r->ours.cols.generic, -1,
			    sizeof r->ours.cols.generic);
			evidence_items(r, u.schema_used);
		}
	}
	if (e == ERR_OK)
		e = hash_list(&u);
	if (e == ERR_OK)
		e = write_report(&u);
out:
	model_fini(&u.model);
	r->link.learned.schema = NULL;
	free(u.sigs.v);
	names_close(u.names);
	places_close(u.places);
	schema_fini(&u.schema);
	if (e != ERR_OK)
		trace_fini(r);
	return e;
}

void
trace_fini(struct trace_result *r)
{
	for (size_t i = 0; i < r->nreleases; i++) {
		free(r->release[i].id);
		free(r->release[i].v);
	}
	free(r->release);
	free(r->group_window);
	attribution_fini(&r->attribution);
	link_fini(&r->link);
	table_fini(&r->list);
	table_fini(&r->ours);
	memset(r, 0, sizeof *r);
}
