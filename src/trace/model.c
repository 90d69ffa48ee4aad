/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/model.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { V_SUR, V_KSUR, V_GIV, V_KGIV, V_DOB, V_TOWN, V_PLACE, V_PHONE, V_EMAIL,
    V_ALL, V_COUNT };

static const struct {
	const char *name;
	uint8_t n;
	const char *level[7];
	float m[7], u[7];	/* where the files themselves are too small */
} jp[F_COUNT] = {
	[F_SURNAME] = {"surname", 6, {"same", "same-kanji", "reading",
	    "reading-other-kanji", "near", "differs"},
	    {.85f, .06f, .03f, .03f, .01f, .02f},
	    {.002f, .0005f, .001f, .0005f, .001f, .995f}},
	[F_GIVEN] = {"given", 6, {"same", "same-kanji", "reading",
	    "reading-other-kanji", "near", "differs"},
	    {.87f, .06f, .03f, .03f, .005f, .005f},
	    {.0005f, .0003f, .001f, .002f, .005f, .991f}},
	[F_BIRTH] = {"birth", 4, {"same", "part", "one-off", "differs"},
	    {.96f, .01f, .02f, .01f}, {.0001f, .001f, .01f, .9889f}},
	[F_SEX] = {"sex", 2, {"same", "differs"}, {.99f, .01f}, {.5f, .5f}},
	[F_ADDRESS] = {"address", 7, {"same-building", "same", "part", "town",
	    "town-other-number", "city", "differs"},
	    {.35f, .4f, .05f, .05f, .02f, .04f, .09f},
	    {2e-6f, 3e-6f, 5e-6f, 2e-5f, 1e-4f, .005f, .9949f}},
	[F_PHONE] = {"phone", 2, {"same", "differs"}, {.85f, .15f},
	    {1e-6f, .999999f}},
	[F_EMAIL] = {"email", 2, {"same", "differs"}, {.7f, .3f},
	    {1e-6f, .999999f}},
};

/* String and name, date, number, exact. */
static const struct {
	uint8_t n;
	const char *level[4];
	float m[4], u[4];
} types[] = {
	[TYPE_STRING] = {4, {"same", "close", "near", "differs"},
	    {.85f, .07f, .03f, .05f}, {.002f, .003f, .02f, .975f}},
	[TYPE_NAME] = {4, {"same", "close", "near", "differs"},
	    {.85f, .08f, .03f, .04f}, {.004f, .006f, .03f, .96f}},
	[TYPE_DATE] = {3, {"same", "one-off", "differs"},
	    {.9f, .06f, .04f}, {.0002f, .005f, .9948f}},
	[TYPE_NUMBER] = {3, {"same", "close", "differs"},
	    {.87f, .06f, .07f}, {.01f, .03f, .96f}},
	[TYPE_EXACT] = {2, {"same", "differs"}, {.93f, .07f},
	    {.001f, .999f}},
};

/* Where the levels of a field are looked up. */
static inline unsigned
row_of(const struct model *m, unsigned f, unsigned address)
{
	return !m->schema && f == F_PHONE && address >= 5 &&
	    address != LEVEL_MISSING ? F_MOVED : f;
}

static void
weigh(struct model *m, unsigned row, unsigned levels)
{
	for (unsigned l = 0; l < levels; l++) {
		m->w[row][l] = log2f(m->m[row][l] / m->u[row][l]);
		m->log_m[row][l] = log2f(m->m[row][l]);
	}
}

enum err
model_init(struct model *m, const struct schema *s)
{
	memset(m, 0, sizeof *m);
	m->schema = s;
	m->nfields = s ? s->n : F_COUNT;
	m->stride = s ? s->n * sizeof(struct cell) : sizeof(struct sig);
	for (unsigned f = 0; f < m->nfields; f++) {
		unsigned t = s ? s->column[f].type : 0;

		m->nlevels[f] = s ? types[t].n : jp[f].n;
		for (unsigned l = 0; l < m->nlevels[f]; l++) {
			m->m[f][l] = s ? types[t].m[l] : jp[f].m[l];
			m->u[f][l] = s ? types[t].u[l] : jp[f].u[l];
		}
		weigh(m, f, m->nlevels[f]);
	}
	if (!s) {
		m->m[F_MOVED][0] = .6f;
		m->m[F_MOVED][1] = .4f;
		memcpy(m->u[F_MOVED], m->u[F_PHONE], sizeof m->u[F_MOVED]);
		weigh(m, F_MOVED, 2);
	}
	return ERR_OK;
}

void
model_fini(struct model *m)
{
	for (unsigned i = 0; i < TABLES_MAX; i++) {
		free(m->freq[i].count[0]);
		free(m->freq[i].count[1]);
		free(m->freq[i].rare);
	}
	memset(m, 0, sizeof *m);
}

const char *
model_field_name(const struct model *m, unsigned f)
{
	return m->schema ? m->schema->column[f].name : jp[f].name;
}

const char *
model_level_name(const struct model *m, unsigned f, unsigned level)
{
	if (level == LEVEL_MISSING)
		return "missing";
	return m->schema ? types[m->schema->column[f].type].level[level] :
	    jp[f].level[level];
}

static unsigned
tables(const struct model *m)
{
	return m->schema ? m->nfields : V_COUNT;
}

/* The value of a mention that a table counts; 0: missing. */
static inline uint32_t
value(const struct model *m, const uint8_t *p, unsigned table)
{
	const struct sig *s = (const struct sig *)p;

	if (m->schema)
		return ((const struct cell *)p)[table].hash;
	switch (table) {
	case V_SUR: return s->sur;
	case V_KSUR: return s->ksur;
	case V_GIV: return s->giv;
	case V_KGIV: return s->kgiv;
	case V_DOB: return s->dob;
	case V_TOWN: return s->town;
	case V_PLACE: return s->num ? s->town * 0x9e3779b1u ^ s->num : 0;
	case V_PHONE: return s->phone;
	case V_EMAIL: return s->email;
	case V_ALL: return s->all;
	default: return 0;
	}
}

static inline uint32_t
slot(const struct freq *f, uint32_t v)
{
	return (v * 0x85ebca6bu ^ v >> 15) & f->mask;
}

struct count_job {
	struct model *m;
	const uint8_t *sigs;
	size_t n;
	unsigned side, first;
};

static void *
count_run(void *arg)
{
	struct count_job *j = arg;

	for (unsigned t = j->first; t < tables(j->m); t += 2) {
		struct freq *f = &j->m->freq[t];
		const uint8_t *p = j->sigs;

		for (size_t i = 0; i < j->n; i++, p += j->m->stride) {
			uint32_t v = value(j->m, p, t);

			if (v)
				f->count[j->side][slot(f, v)]++;
		}
	}
	return NULL;
}

enum err
model_count(struct model *m, const uint8_t *sigs, size_t n, unsigned side,
    size_t larger)
{
	struct count_job j[2] = {{m, sigs, n, side, 0}, {m, sigs, n, side, 1}};
	pthread_t t;

	for (unsigned i = 0; i < tables(m); i++) {
		/* Of most there are no more values than that in the country. */
		bool few = !m->schema && i != V_PLACE && i != V_PHONE &&
		    i != V_EMAIL && i != V_ALL;
		size_t cap = 1 << 16, most = (size_t)1 << (few ? 22 : 25);

		while (cap < larger * 2 && cap < most)
			cap *= 2;
		m->freq[i].mask = (uint32_t)cap - 1;
		if (!m->freq[i].count[side])
			m->freq[i].count[side] = calloc(cap, 4);
		if (!m->freq[i].count[side])
			return ERR_NOMEM;
	}
	m->total[side] += (double)n;
	if (pthread_create(&t, NULL, count_run, &j[1]) == 0) {
		count_run(&j[0]);
		pthread_join(t, NULL);
	} else {
		count_run(&j[0]);
		count_run(&j[1]);
	}
	return ERR_OK;
}

/* log2 of how rare the values of a slot are where they are more common. */
static float
rarity_of(const struct model *m, const struct freq *f, size_t at)
{
	double most = 0, n = m->total[0] + m->total[1];

	for (unsigned s = 0; s < 2; s++) {
		double share;

		if (!f->count[s] || m->total[s] < 1)
			continue;
		/* A small file's shares are those of its authors' choice. */
		share = f->count[s][at] / (m->total[s] + 1000);
		if (share > most)
			most = share;
	}
	if (n < 1000)
		n = 1000;
	if (most < 1 / n)
		most = 1 / n;
	return (float)-log2(most);
}

static inline float
rarity(const struct model *m, unsigned table, uint32_t v)
{
	const struct freq *f = &m->freq[table];

	return f->rare ? f->rare[slot(f, v)] : rarity_of(m, f, slot(f, v));
}

static void
counted(struct model *m, struct freq *f)
{
	float *rare = malloc(((size_t)f->mask + 1) * sizeof *rare);
	uint32_t last[2] = {0};
	float was = 0;

	if (!rare)
		return;		/* slower, not wrong */
	for (size_t i = 0; i <= f->mask; i++) {
		uint32_t c[2] = {f->count[0] ? f->count[0][i] : 0,
		    f->count[1] ? f->count[1][i] : 0};

		if (i == 0 || c[0] != last[0] || c[1] != last[1])
			was = rarity_of(m, f, i);
		rare[i] = was;
		last[0] = c[0];
		last[1] = c[1];
	}
	for (unsigned s = 0; s < 2; s++) {
		free(f->count[s]);
		f->count[s] = NULL;
	}
	f->rare = rare;
}

void
model_counted(struct model *m)
{
	/* Keys for a schema are chosen by the counts. */
	for (unsigned i = 0; !m->schema && i < V_COUNT; i++)
		counted(m, &m->freq[i]);
}

static unsigned
name_level(uint32_t ka, uint32_t kb, uint8_t a1, uint8_t b1, uint32_t ra,
    uint32_t rb, uint32_t mask_a, uint32_t mask_b)
{
	if (ka && kb) {
		if (ka == kb)
			return (ra && rb && ra != rb) || a1 != b1;
		return ra && ra == rb ? 3 : 5;
	}
	if (ra && rb) {
		if (ra == rb)
			return 2;
		return mask_a && mask_b &&
		    __builtin_popcount(mask_a ^ mask_b) <= 2 ? 4 : 5;
	}
	return LEVEL_MISSING;
}

static void
compare_names(const struct sig *a, const struct sig *b, uint8_t *sur,
    uint8_t *giv)
{
	uint32_t ras = a->ksur, rbs = b->ksur, rag = a->kgiv, rbg = b->kgiv;

	/* A reading that could not be split agrees as a whole or not at all. */
	if (a->kall && b->kall && (!ras || !rbs)) {
		ras = rag = a->kall;
		rbs = rbg = b->kall;
	}
	if (a->all && b->all && (a->all == b->all || !a->sur || !b->sur)) {
		if (a->all == b->all) {
			bool read = a->kall && b->kall && a->kall != b->kall;

			*sur = *giv = read;
			if (a->sur && b->sur && a->sur == b->sur) {
				*sur = *sur || a->sur1 != b->sur1;
				*giv = *giv || a->giv1 != b->giv1;
			}
			return;
		}
		*sur = *giv = a->kall && a->kall == b->kall ? 3 : 5;
		return;
	}
	*sur = (uint8_t)name_level(a->sur, b->sur, a->sur1, b->sur1, ras, rbs,
	    0, 0);
	*giv = (uint8_t)name_level(a->giv, b->giv, a->giv1, b->giv1, rag, rbg,
	    a->gmask, b->gmask);
}

static unsigned
date_level(uint32_t a, uint32_t b)
{
	uint32_t ya = a >> 9, yb = b >> 9, ma = a >> 5 & 15, mb = b >> 5 & 15;
	uint32_t da = a & 31, db = b & 31;

	if (a == b)
		return 0;
	if (ya == yb && (!ma || !mb || (ma == mb && (!da || !db))))
		return 1;
	if ((ya == yb) + (ma == mb) + (da == db) >= 2 ||
	    (ya == yb && ma == db && da == mb))
		return 2;
	return 3;
}

static unsigned
address_level(const struct sig *a, const struct sig *b)
{
	if (a->town && a->town == b->town && (a->town & 0xfffff)) {
		uint32_t x = a->num, y = b->num;

		if (!x || !y)
			return 3;
		if (x == y)
			return a->building && a->building == b->building ?
			    0 : 1;
		/* A room or a branch number left out on one side. */
		if (x >> 20 == y >> 20 && (x >> 10 == y >> 10 ?
		    !(x & 1023) || !(y & 1023) :
		    (!(x >> 10 & 1023) || !(y >> 10 & 1023))))
			return 2;
		return 4;
	}
	if (a->zip && a->zip == b->zip)
		return a->num && a->num == b->num ? 2 : 3;
	if (a->town && b->town) {
		unsigned ca = a->town >> 20, cb = b->town >> 20;

		/* Words against a place: nothing can be said. */
		if (ca != cb && (ca == SIG_NO_CITY || cb == SIG_NO_CITY))
			return LEVEL_MISSING;
		return ca == cb ? 5 : 6;
	}
	if (a->zip && b->zip)
		return 6;
	return LEVEL_MISSING;
}

static unsigned
phone_level(const struct sig *a, const struct sig *b)
{
	if ((!a->phone && !a->phone2) || (!b->phone && !b->phone2))
		return LEVEL_MISSING;
	if ((a->phone && (a->phone == b->phone || a->phone == b->phone2)) ||
	    (a->phone2 && (a->phone2 == b->phone || a->phone2 == b->phone2)))
		return 0;
	return 1;
}

static bool
compare_jp(const struct sig *a, const struct sig *b, struct levels *o,
    bool learning)
{
	uint8_t given;

	compare_names(a, b, &o->v[F_SURNAME], &o->v[F_GIVEN]);
	given = o->v[F_GIVEN];
	if ((given == 5 || given == 4) && !learning)
		return false;	/* twins, siblings, couples */
	o->v[F_BIRTH] = (uint8_t)(a->dob && b->dob ? date_level(a->dob,
	    b->dob) : LEVEL_MISSING);
	o->v[F_ADDRESS] = (uint8_t)address_level(a, b);
	o->v[F_PHONE] = (uint8_t)phone_level(a, b);
	o->v[F_EMAIL] = a->email && b->email ? a->email != b->email :
	    LEVEL_MISSING;
	o->v[F_SEX] = a->sex && b->sex ? a->sex != b->sex : LEVEL_MISSING;
	/* 優花 and 結花: one reading, two persons, unless they live together. */
	if (given == 3 && o->v[F_ADDRESS] > 2 && o->v[F_PHONE] != 0 &&
	    o->v[F_EMAIL] != 0)
		return false;
	if (o->v[F_BIRTH] == 3 && given >= 2)
		return false;
	/* A parent on one side, a child with a birth date on the other. */
	if (given == LEVEL_MISSING && ((a->role ^ b->role) & SIG_GUARDIAN))
		return false;
	return true;
}

/* Optimal string alignment distance of two short strings, at most 3. */
static unsigned
edits(const struct cell *a, const struct cell *b)
{
	uint8_t row[3][CELL_TEXT + 2];
	unsigned n = a->len, k = b->len;

	if ((n > k ? n - k : k - n) > 2)
		return 3;
	for (unsigned j = 0; j <= k; j++)
		row[0][j] = (uint8_t)j;
	for (unsigned i = 1; i <= n; i++) {
		uint8_t *now = row[i % 3], *up = row[(i + 2) % 3];
		uint8_t *up2 = row[(i + 1) % 3];
		unsigned best;

		now[0] = (uint8_t)i;
		best = i;
		for (unsigned j = 1; j <= k; j++) {
			unsigned v = up[j - 1] + (a->text[i - 1] !=
			    b->text[j - 1]);

			if (up[j] + 1u < v)
				v = up[j] + 1u;
			if (now[j - 1] + 1u < v)
				v = now[j - 1] + 1u;
			if (i > 1 && j > 1 && a->text[i - 1] ==
			    b->text[j - 2] && a->text[i - 2] ==
			    b->text[j - 1] && up2[j - 2] + 1u < v)
				v = up2[j - 2] + 1u;
			now[j] = (uint8_t)v;
			if (v < best)
				best = v;
		}
		if (best > 2)
			return 3;
	}
	return row[n % 3][k];
}

static unsigned
string_level(const struct cell *a, const struct cell *b)
{
	unsigned both, sum, d;

	if (a->hash == b->hash)
		return 0;
	both = 2u * (unsigned)__builtin_popcountll(a->bigrams & b->bigrams);
	sum = (unsigned)(__builtin_popcountll(a->bigrams) +
	    __builtin_popcountll(b->bigrams));
	if (both * 5 < sum)
		return 3;
	d = edits(a, b);
	if (d == 1 || (d == 2 && a->len >= 6 && b->len >= 6))
		return 1;
	if (d == 2 || both * 10 >= sum * 6)
		return 2;
	return 3;
}

static bool
compare_generic(const struct model *m, const struct cell *a,
    const struct cell *b, struct levels *o)
{
	for (unsigned f = 0; f < m->nfields; f++) {
		unsigned l;

		if (!a[f].hash || !b[f].hash) {
			o->v[f] = LEVEL_MISSING;
			continue;
		}
		switch (m->schema->column[f].type) {
		case TYPE_DATE:
			l = date_level(a[f].hash, b[f].hash);
			l = l == 0 ? 0 : l == 3 ? 2 : 1;
			break;
		case TYPE_NUMBER:
			l = a[f].hash == b[f].hash ? 0 :
			    edits(&a[f], &b[f]) == 1 ? 1 : 2;
			break;
		case TYPE_EXACT:
			l = a[f].hash != b[f].hash;
			break;
		case TYPE_NAME:
			l = string_level(&a[f], &b[f]);
			/* Given name and surname exchanged. */
			for (unsigned g = 0; l == 3 && g < m->nfields; g++)
				if (g != f && m->schema->column[g].type ==
				    TYPE_NAME && (a[f].hash == b[g].hash ||
				    a[g].hash == b[f].hash))
					l = 1;
			break;
		default:
			l = string_level(&a[f], &b[f]);
		}
		o->v[f] = (uint8_t)l;
	}
	return true;
}

bool
model_compare(const struct model *m, const uint8_t *a, const uint8_t *b,
    struct levels *out)
{
	if (m->schema)
		return compare_generic(m, (const struct cell *)a,
		    (const struct cell *)b, out);
	return compare_jp((const struct sig *)a, (const struct sig *)b, out,
	    false);
}

void
model_levels(const struct model *m, const uint8_t *a, const uint8_t *b,
    struct levels *out)
{
	if (m->schema)
		compare_generic(m, (const struct cell *)a,
		    (const struct cell *)b, out);
	else
		compare_jp((const struct sig *)a, (const struct sig *)b, out,
		    true);
}

float
model_weight(const struct model *m, const struct levels *l)
{
	float w = 0;

	for (unsigned f = 0; f < m->nfields; f++)
		w += m->w[row_of(m, f, l->v[F_ADDRESS])][l->v[f]];
	return w;
}

/* m against the share of the very value, for a level where values are equal. */
static float
exact(const struct model *m, unsigned f, unsigned level, unsigned table,
    uint32_t v)
{
	float w;

	if (!v)
		return m->w[f][level];
	w = m->log_m[f][level] + rarity(m, table, v);
	/* Learned m of a rare level must not turn agreement into a penalty. */
	return w > 0 ? w : 0;
}

float
model_weight_rare(const struct model *m, const struct levels *l,
    const uint8_t *pa, const uint8_t *pb)
{
	const struct sig *a = (const struct sig *)pa;
	const struct sig *b = (const struct sig *)pb;
	float w = 0;

	for (unsigned f = 0; f < m->nfields; f++) {
		unsigned v = l->v[f], row;

		if (m->schema) {
			w += v == 0 ? exact(m, f, 0, f, value(m, pa, f)) :
			    m->w[f][v];
			continue;
		}
		switch (f) {
		case F_SURNAME:
			if (v <= 1 && a->sur == 0)
				w += m->w[f][v];
			else if (v <= 1)
				w += exact(m, f, 0, V_SUR, a->sur);
			else if (v == 2)
				w += exact(m, f, 0, V_KSUR, a->ksur);
			else
				w += m->w[f][v];
			break;
		case F_GIVEN:
			/* No split: what is known is how rare the name is. */
			if (v <= 1 && a->giv == 0)
				w += exact(m, f, 0, V_ALL, a->all) -
				    m->w[F_SURNAME][l->v[F_SURNAME]];
			else if (v <= 1)
				w += exact(m, f, 0, V_GIV, a->giv);
			else if (v == 2)
				w += exact(m, f, 0, V_KGIV, a->kgiv);
			else
				w += m->w[f][v];
			break;
		case F_BIRTH:
			w += v == 0 ? exact(m, f, 0, V_DOB, a->dob) :
			    m->w[f][v];
			break;
		case F_ADDRESS:
			if (v <= 1)
				w += exact(m, f, v, V_PLACE, a->town ==
				    b->town ? value(m, pa, V_PLACE) : 0);
			else if (v == 2 || v == 3)
				w += exact(m, f, v, V_TOWN, a->town);
			else
				w += m->w[f][v];
			break;
		case F_PHONE:
			row = row_of(m, f, l->v[F_ADDRESS]);
			w += v != 0 ? m->w[row][v] : exact(m, row, 0, V_PHONE,
			    a->phone == b->phone || a->phone == b->phone2 ?
			    a->phone : a->phone2);
			break;
		case F_EMAIL:
			w += v == 0 ? exact(m, f, 0, V_EMAIL, a->email) :
			    m->w[f][v];
			break;
		default:
			w += m->w[f][v];
		}
	}
	return w;
}

enum err
patterns_init(struct patterns *p)
{
	memset(p, 0, sizeof *p);
	p->cap = 1 << 17;
	p->key = calloc(p->cap, sizeof *p->key);
	p->count = calloc(p->cap, sizeof *p->count);
	return p->key && p->count ? ERR_OK : ERR_NOMEM;
}

void
patterns_fini(struct patterns *p)
{
	free(p->key);
	free(p->count);
	memset(p, 0, sizeof *p);
}

void
patterns_add(struct patterns *p, const struct levels *l, unsigned nfields,
    bool apart)
{
	uint64_t k = apart ? 3 : 1;
	size_t i;

	for (unsigned f = 0; f < nfields; f++)
		k = k << 3 | l->v[f];
	i = (k * 0x9e3779b97f4a7c15ull >> 40) & (p->cap - 1);
	while (p->key[i] && p->key[i] != k)
		i = (i + 1) & (p->cap - 1);
	if (!p->key[i]) {
		if (p->used * 2 > p->cap)
			return;		/* the tail of rare patterns */
		p->used++;
		p->key[i] = k;
	}
	p->count[i]++;
	p->total++;
}

static inline unsigned
level_of(uint64_t key, unsigned f, unsigned nfields)
{
	return key >> 3 * (nfields - 1 - f) & 7;
}

void
model_learn_u(struct model *m, const struct patterns *p)
{
	double n[FIELDS_MAX][LEVELS_MAX] = {{0}};

	for (size_t i = 0; i < p->cap; i++)
		for (unsigned f = 0; p->key[i] && f < m->nfields; f++)
			n[f][level_of(p->key[i], f, m->nfields)] +=
			    p->count[i];
	for (unsigned f = 0; f < m->nfields; f++) {
		double all = 0, prior = 200;

		for (unsigned l = 0; l < m->nlevels[f]; l++)
			all += n[f][l];
		for (unsigned l = 0; l < m->nlevels[f]; l++)
			m->u[f][l] = (float)((n[f][l] + prior * m->u[f][l]) /
			    (all + prior));
		weigh(m, f, m->nlevels[f]);
	}
	if (!m->schema) {
		memcpy(m->u[F_MOVED], m->u[F_PHONE], sizeof m->u[F_MOVED]);
		weigh(m, F_MOVED, 2);
	}
}

/* Shares of the levels of a row, from counts and what was thought before. */
static void
learned(const struct model *model, unsigned row, const double *got, float *m)
{
	unsigned n = row < model->nfields ? model->nlevels[row] :
	    row == F_MOVED && !model->schema ? 2 : 0;
	double all = 0, prior = 20;

	for (unsigned l = 0; l < n; l++)
		all += got[l];
	for (unsigned l = 0; l < n; l++)
		m[l] = (float)((got[l] + prior * model->m[row][l]) /
		    (all + prior));
}

double
model_em(const struct model *model, const struct patterns *p, uint32_t fields,
    double chance, double sum[ROWS_MAX][LEVELS_MAX])
{
	double lambda = .2, least = 0, together = 0, matches = 0;
	double got[ROWS_MAX][LEVELS_MAX];
	float m[ROWS_MAX][LEVELS_MAX];

	for (size_t i = 0; i < p->cap; i++)
		if (p->key[i] && !(p->key[i] >> 3 * model->nfields & 2))
			together += p->count[i];
	if (chance >= 0 && together > 0)
		least = 1 - 3 * chance / together;
	memcpy(m, model->m, sizeof m);
	for (int round = 0; round < 25; round++) {
		memset(got, 0, sizeof got);
		matches = 0;
		for (size_t i = 0; i < p->cap; i++) {
			double lm, lu, post;
			unsigned address = model->schema ? 0 : level_of(
			    p->key[i], F_ADDRESS, model->nfields);

			if (!p->key[i])
				continue;
			lm = lambda;
			lu = 1 - lambda;
			for (unsigned f = 0; f < model->nfields; f++) {
				unsigned l = level_of(p->key[i], f,
				    model->nfields);

				if (!(fields >> f & 1) || l == LEVEL_MISSING)
					continue;
				lm *= m[row_of(model, f, address)][l];
				lu *= model->u[f][l];
			}
			post = lm / (lm + lu + 1e-300) * p->count[i];
			/* Twins and couples must not teach what matches. */
			if (p->key[i] >> 3 * model->nfields & 2)
				continue;
			matches += post;
			for (unsigned f = 0; f < model->nfields; f++)
				got[row_of(model, f, address)][level_of(
				    p->key[i], f, model->nfields)] += post;
		}
		lambda = (matches + .1) / (together + 1);
		if (lambda < least)
			lambda = least;
		for (unsigned r = 0; r < ROWS_MAX; r++)
			learned(model, r, got[r], m[r]);
	}
	for (unsigned r = 0; r < ROWS_MAX; r++)
		for (unsigned l = 0; fields >> (r == F_MOVED ? F_PHONE : r) &
		    1 && l < LEVEL_MISSING; l++)
			sum[r][l] += got[r][l];
	return matches;
}

void
model_learn_m(struct model *m, double sum[ROWS_MAX][LEVELS_MAX])
{
	for (unsigned r = 0; r < ROWS_MAX; r++) {
		unsigned levels = 0;

		if (r == F_MOVED)
			levels = m->schema ? 0 : 2;
		else if (r < m->nfields)
			levels = m->nlevels[r];
		learned(m, r, sum[r], m->m[r]);
		weigh(m, r, levels);
	}
}
