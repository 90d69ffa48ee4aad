/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the catalog from the rows of sql.c. Rows are only collected; the
 * classes are decided in catalog_finish(), so the order of the parts is free.
 *
 * Invariant (L3): a relation is read with everything that inherits from it. So
 * what is personal below is personal, or uncovered, above.
 */
#include "catalog/impl.h"

#include <stdlib.h>
#include <string.h>

struct block {
	struct block *next;
	size_t used, size;
	char data[];
};

static const struct {
	const char *name;
	int nargs;
	enum catalog_fn_class class;
} fn_table[] = {
#define FN(name, nargs, class, reason) { name, nargs, FN_##class },
#include "catalog/functions.tbl.h"
};

static const char *const fn_stable[] = {
#define FN_STABLE(names, reason) names,
#include "catalog/functions.tbl.h"
};

static const struct {
	const char *name;
	uint64_t mask;
} fn_columns[] = {
#define FN_COLUMNS(name, mask, reason) { name, mask },
#include "catalog/functions.tbl.h"
};

static const struct {
	const char *name;
	enum catalog_agg kind;
} agg_table[] = {
#define AGG(name, kind, reason) { name, AGG_##kind },
#include "catalog/functions.tbl.h"
};

static const struct {
	const char *name, *columns;
} systems[] = {
#define SYSTEM(name, columns, reason) { name, columns },
#include "catalog/systems.tbl.h"
#undef SYSTEM
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char *
keep(struct catalog *c, const char *a, size_t alen, const char *b, size_t blen)
{
	struct block *k = c->blocks;
	size_t need = alen + blen + 1;
	char *s;

	if (k == NULL || k->size - k->used < need) {
		size_t size = need > 16384 ? need : 16384;

		k = malloc(sizeof(*k) + size);
		if (k == NULL) {
			c->nomem = true;
			return NULL;
		}
		k->next = c->blocks;
		k->used = 0;
		k->size = size;
		c->blocks = k;
	}
	s = k->data + k->used;
	k->used += need;
	if (alen > 0)
		memcpy(s, a, alen);
	if (blen > 0)
		memcpy(s + alen, b, blen);
	s[alen + blen] = '\0';
	return s;
}

static char *
keep_slice(struct catalog *c, struct slice s)
{
	return keep(c, (const char *)s.p, s.len, NULL, 0);
}

/* Room for one more element, or NULL and nomem. */
static void *
grow(struct catalog *c, void **v, size_t *n, size_t *cap, size_t size)
{
	if (*n == *cap) {
		size_t more = *cap == 0 ? 64 : *cap * 2;
		void *p = realloc(*v, more * size);

		if (p == NULL) {
			c->nomem = true;
			return NULL;
		}
		*v = p;
		*cap = more;
	}
	memset((char *)*v + *n * size, 0, size);
	return (char *)*v + (*n)++ * size;
}

#define ADD(c, array) \
	grow((c), (void **)&(c)->array, &(c)->n##array, &(c)->cap##array, \
	    sizeof(*(c)->array))

static bool
number(struct slice s, int64_t min, int64_t max, int64_t *out)
{
	bool minus = s.len > 1 && s.p[0] == '-';
	int64_t v = 0;

	if (s.p == NULL || s.len - minus == 0 || s.len > 12)
		return false;
	for (size_t i = minus; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*out = minus ? -v : v;
	return *out >= min && *out <= max;
}

static bool
oid(struct slice s, uint32_t *out)
{
	int64_t v;

	if (!number(s, 0, UINT32_MAX, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool
attnum(struct slice s, int16_t *out)
{
	int64_t v;

	if (!number(s, INT16_MIN, INT16_MAX, &v))
		return false;
	*out = (int16_t)v;
	return true;
}

static bool
truth(struct slice s)
{
	return slice_is(s, "t");
}

/* The next number of "1,2,3"; false at the end. */
static bool
list_next(struct slice *s, struct slice *item)
{
	size_t n = 0;

	if (s->p == NULL || s->len == 0)
		return false;
	while (n < s->len && s->p[n] != ',')
		n++;
	*item = (struct slice){s->p, n};
	n += n < s->len;
	*s = (struct slice){s->p + n, s->len - n};
	return true;
}

struct catalog *
catalog_new(const struct conf_database *db)
{
	struct catalog *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->db = db;
	c->table_rel = calloc(db->ntables + 1, sizeof(*c->table_rel));
	c->table_domain = calloc(db->ntables + 1, sizeof(*c->table_domain));
	c->table_missing = calloc(db->ntables + 1, sizeof(*c->table_missing));
	c->domains = calloc(db->ntables + 1, sizeof(*c->domains));
	c->unknown = (struct catalog_rel){.class = REL_UNCOVERED, .domain = UINT16_MAX};
	c->unknown.schema = c->unknown.name = keep(c, "", 0, NULL, 0);
	if (c->table_rel == NULL || c->table_domain == NULL ||
	    c->table_missing == NULL || c->domains == NULL || c->nomem) {
		catalog_free(c);
		return NULL;
	}
	return c;
}

void
catalog_free(struct catalog *c)
{
	struct block *b, *next;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->nrels; i++)
		free(c->rels[i].cols);
	for (size_t i = 0; i < c->ntypes; i++)
		free(c->types[i].parts);
	for (b = c->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(c->rels);
	free(c->colrows);
	free(c->sources);
	free(c->pairs);
	free(c->fks);
	free(c->parts);
	free(c->fns);
	free(c->operators);
	free(c->types);
	free(c->table_rel);
	free(c->table_domain);
	free(c->table_missing);
	free(c->domains);
	free(c);
}

static enum err
row_rel(struct catalog *c, const struct slice *v)
{
	struct catalog_rel *r = ADD(c, rels);
	struct slice list = v[6], item;

	if (r == NULL)
		return ERR_NOMEM;
	if (!oid(v[0], &r->oid) || v[3].len != 1)
		return ERR_FORMAT;
	r->schema = keep_slice(c, v[1]);
	r->name = keep_slice(c, v[2]);
	r->relkind = (char)v[3].p[0];
	r->has_triggers = truth(v[4]);
	r->has_rls = truth(v[5]);
	r->domain = UINT16_MAX;
	while (list_next(&list, &item)) {
		struct part *p = ADD(c, parts);

		if (p == NULL)
			return ERR_NOMEM;
		p->rel = r->oid;
		if (!attnum(item, &p->col))
			return ERR_FORMAT;
	}
	return ERR_OK;
}

static enum err
row_col(struct catalog *c, const struct slice *v)
{
	struct colrow *r = ADD(c, colrows);
	struct slice list = v[6], item;

	if (r == NULL)
		return ERR_NOMEM;
	if (!oid(v[0], &r->rel) || !attnum(v[1], &r->col.attnum) ||
	    !oid(v[3], &r->col.type))
		return ERR_FORMAT;
	r->col.name = keep_slice(c, v[2]);
	r->col.not_null = truth(v[4]);
	r->col.generated = truth(v[5]);
	r->col.unique = truth(v[7]);
	while (list_next(&list, &item)) {
		struct source *s = ADD(c, sources);

		if (s == NULL)
			return ERR_NOMEM;
		s->rel = r->rel;
		s->col = r->col.attnum;
		if (!attnum(item, &s->from))
			return ERR_FORMAT;
	}
	return ERR_OK;
}

static enum err
row_pair(struct catalog *c, const struct slice *v)
{
	struct pair *p = ADD(c, pairs);

	if (p == NULL)
		return ERR_NOMEM;
	return oid(v[0], &p->child) && oid(v[1], &p->parent) ? ERR_OK : ERR_FORMAT;
}

static enum err
row_fk(struct catalog *c, const struct slice *v)
{
	struct fk *f = ADD(c, fks);

	if (f == NULL)
		return ERR_NOMEM;
	return oid(v[0], &f->rel) && attnum(v[1], &f->col) && oid(v[2], &f->refrel) &&
	    attnum(v[3], &f->refcol) ? ERR_OK : ERR_FORMAT;
}

static bool
matches(const char *pattern, size_t n, struct slice name)
{
	if (pattern[n - 1] == '*')
		return name.len >= n - 1 && memcmp(name.p, pattern, n - 1) == 0;
	return name.len == n && memcmp(name.p, pattern, n) == 0;
}

static enum catalog_fn_class
builtin_class(struct slice name, int64_t nargs, bool immutable)
{
	for (size_t i = 0; i < COUNT(fn_table); i++)
		if (matches(fn_table[i].name, strlen(fn_table[i].name), name) &&
		    (fn_table[i].nargs < 0 || fn_table[i].nargs == nargs))
			return fn_table[i].class;
	for (size_t i = 0; !immutable && i < COUNT(fn_stable); i++)
		for (const char *p = fn_stable[i]; *p != '\0'; p += strspn(p, " ")) {
			size_t n = strcspn(p, " ");

			if (matches(p, n, name))
				return FN_PURE;
			p += n;
		}
	return immutable ? FN_PURE : FN_REFUSED;
}

static enum catalog_fn_class
declared_class(const struct catalog *c, struct slice schema, struct slice name)
{
	for (size_t i = 0; i < c->db->nfunctions; i++) {
		const struct conf_function *f = &c->db->functions[i];

		if (slice_is(schema, f->schema) && slice_is(name, f->name))
			return f->open ? FN_PURE : FN_OPAQUE;
	}
	return FN_USER;
}

static enum err
row_function(struct catalog *c, const struct slice *v)
{
	struct function *f = ADD(c, fns);
	int64_t nargs;
	bool system;
	char *dot;

	if (f == NULL)
		return ERR_NOMEM;
	if (!oid(v[0], &f->oid) || !number(v[3], 0, 1000, &nargs))
		return ERR_FORMAT;
	dot = keep(c, (const char *)v[1].p, v[1].len, ".", 1);
	if (dot == NULL)
		return ERR_NOMEM;
	f->name = keep(c, dot, strlen(dot), (const char *)v[2].p, v[2].len);
	system = f->oid < 16384;
	f->agg = AGG_ANY;
	if (system && slice_is(v[1], "pg_catalog")) {
		f->class = builtin_class(v[2], nargs, slice_is(v[5], "i"));
		for (size_t i = 0; i < COUNT(agg_table); i++)
			if (slice_is(v[2], agg_table[i].name) &&
			    (slice_is(v[4], "a") || slice_is(v[4], "w")))
				f->agg = agg_table[i].kind;
		for (size_t i = 0; i < COUNT(fn_columns); i++)
			if (slice_is(v[2], fn_columns[i].name))
				f->opaque_columns = fn_columns[i].mask;
	} else if (system && slice_is(v[1], "information_schema")) {
		f->class = FN_PURE;
	} else {
		f->class = declared_class(c, v[1], v[2]);
	}
	return ERR_OK;
}

static enum err
row_operator(struct catalog *c, const struct slice *v)
{
	struct operator *o = ADD(c, operators);

	if (o == NULL)
		return ERR_NOMEM;
	return oid(v[0], &o->oid) && oid(v[1], &o->fn) ? ERR_OK : ERR_FORMAT;
}

static enum err
row_type(struct catalog *c, const struct slice *v)
{
	struct type *t = ADD(c, types);
	struct slice list = v[2], item;
	size_t n = 0;

	if (t == NULL)
		return ERR_NOMEM;
	if (!oid(v[0], &t->oid))
		return ERR_FORMAT;
	t->plain = truth(v[1]);
	while (list_next(&list, &item))
		n++;
	if (n == 0)
		return ERR_OK;
	t->parts = calloc(n, sizeof(*t->parts));
	if (t->parts == NULL)
		return ERR_NOMEM;
	for (list = v[2]; list_next(&list, &item); t->nparts++)
		if (!oid(item, &t->parts[t->nparts]))
			return ERR_FORMAT;
	return ERR_OK;
}

enum err
catalog_row(struct catalog *c, enum catalog_part part, const struct slice *v, size_t n)
{
	static const struct {
		size_t ncols;
		enum err (*fn)(struct catalog *, const struct slice *);
	} parts[CATALOG_PARTS] = {
		[CATALOG_RELS] = { 7, row_rel },
		[CATALOG_COLS] = { 8, row_col },
		[CATALOG_INHERITS] = { 2, row_pair },
		[CATALOG_FKS] = { 4, row_fk },
		[CATALOG_FUNCTIONS] = { 6, row_function },
		[CATALOG_OPERATORS] = { 2, row_operator },
		[CATALOG_TYPES] = { 3, row_type },
	};
	enum err e;

	if (c->finished || part >= CATALOG_PARTS)
		return ERR_PHASE;
	if (n != parts[part].ncols)
		return ERR_FORMAT;
	e = parts[part].fn(c, v);
	return c->nomem ? ERR_NOMEM : e;
}

/* --- catalog_finish() --- */

static int
oid_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int
colrow_order(const void *a, const void *b)
{
	const struct colrow *x = a, *y = b;

	if (x->rel != y->rel)
		return x->rel < y->rel ? -1 : 1;
	return x->col.attnum - y->col.attnum;
}

#define SORT(c, array, order) \
	do { \
		if ((c)->n##array > 1) \
			qsort((c)->array, (c)->n##array, sizeof(*(c)->array), order); \
	} while (0)

/* Each relation gets all its columns; those that need none lose them later. */
static enum err
give_columns(struct catalog *c)
{
	size_t i, end;

	SORT(c, colrows, colrow_order);
	for (i = 0; i < c->ncolrows; i = end) {
		struct catalog_rel *r = catalog_rel_find(c, c->colrows[i].rel);

		for (end = i; end < c->ncolrows && c->colrows[end].rel == c->colrows[i].rel;)
			end++;
		if (r == NULL || r->cols != NULL)
			continue;
		r->cols = calloc(end - i, sizeof(*r->cols));
		if (r->cols == NULL)
			return ERR_NOMEM;
		for (size_t k = i; k < end; k++)
			r->cols[r->ncols++] = c->colrows[k].col;
	}
	free(c->colrows);
	c->colrows = NULL;
	c->ncolrows = c->capcolrows = 0;
	return ERR_OK;
}

static struct catalog_col *
col_named(const struct catalog_rel *r, const char *name)
{
	for (size_t i = 0; name != NULL && i < r->ncols; i++)
		if (strcmp(r->cols[i].name, name) == 0)
			return &r->cols[i];
	return NULL;
}

static bool
listed(const char *name, const char *list)
{
	size_t n = strlen(name);

	if (strcmp(list, "*") == 0)
		return true;
	for (; *list != '\0'; list += *list == ',') {
		size_t k = strcspn(list, ",");

		if (k == n && memcmp(list, name, n) == 0)
			return true;
		list += k;
	}
	return false;
}

static void
classify_system(struct catalog_rel *r)
{
	r->class = REL_SYSTEM;
	for (size_t i = 0; i < COUNT(systems); i++) {
		if (strcmp(systems[i].name, r->name) != 0)
			continue;
		r->class = REL_SYSTEM_OPAQUE;
		for (size_t k = 0; k < r->ncols; k++)
			r->cols[k].class = listed(r->cols[k].name, systems[i].columns) ?
			    COL_NEW : COL_FREE;
	}
}

static void
classify_named(struct catalog *c)
{
	for (size_t t = 0; t < c->db->ntables; t++)
		c->table_missing[t] = true;
	for (size_t i = 0; i < c->nrels; i++) {
		struct catalog_rel *r = &c->rels[i];
		bool system = r->oid < 16384 && (strcmp(r->schema, "pg_catalog") == 0 ||
		    strcmp(r->schema, "information_schema") == 0);

		r->class = REL_UNCOVERED;
		if (system) {
			classify_system(r);
			continue;
		}
		if (r->relkind == 'S') {
			r->class = REL_OPEN;
			continue;
		}
		if (r->relkind == 'v')
			continue;
		for (size_t t = 0; t < c->db->ntables; t++) {
			const struct conf_table *k = &c->db->tables[t];

			if (strcmp(k->schema, r->schema) != 0 ||
			    strcmp(k->name, r->name) != 0)
				continue;
			r->class = k->open ? REL_OPEN : REL_PERSONAL;
			r->conf = k;
			c->table_rel[t] = r->oid;
			c->table_missing[t] = false;
		}
	}
}

/* A child takes its parent's entry unless the configuration names it personal. */
static void
inherit_down(struct catalog *c)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < c->npairs; i++) {
			struct catalog_rel *k = catalog_rel_find(c, c->pairs[i].child);
			const struct catalog_rel *p = catalog_rel_find(c, c->pairs[i].parent);

			if (k == NULL || p == NULL || p->conf == NULL || k->conf == p->conf ||
			    (k->conf != NULL && !k->conf->open) ||
			    (p->class == REL_OPEN && k->conf != NULL))
				continue;
			k->conf = p->conf;
			k->class = p->class;
			changed = true;
		}
	}
}

static void
classify_columns(struct catalog *c, struct catalog_rel *r)
{
	const struct conf_table *k = r->conf;
	const struct catalog_rel *named = NULL;

	for (size_t t = 0; t < c->db->ntables; t++)
		if (&c->db->tables[t] == k && c->table_rel[t] != r->oid)
			named = catalog_rel_find(c, c->table_rel[t]);
	for (size_t i = 0; i < r->ncols; i++) {
		struct catalog_col *col = &r->cols[i];

		col->class = COL_FREE;
		if (named != NULL && col_named(named, col->name) == NULL)
			col->class = COL_NEW;	/* a child's own column */
		for (size_t p = 0; p < k->npersonal; p++)
			if (strcmp(k->personal[p], col->name) == 0)
				col->class = COL_PERSONAL;
		if (k->subject != NULL && strcmp(k->subject, col->name) == 0)
			col->class = COL_KEY;
	}
}

static void
classify_generated(struct catalog *c)
{
	for (size_t i = 0; i < c->nsources; i++) {
		const struct source *s = &c->sources[i];
		struct catalog_rel *r = catalog_rel_find(c, s->rel);
		const struct catalog_col *from;

		if (r == NULL || r->class != REL_PERSONAL)
			continue;
		from = catalog_col(r, s->from);
		for (size_t k = 0; k < r->ncols; k++)
			if (r->cols[k].attnum == s->col && r->cols[k].class == COL_FREE &&
			    (from == NULL || from->class != COL_FREE))
				r->cols[k].class = COL_PERSONAL;
	}
}

static void
find_missing_columns(struct catalog *c)
{
	for (size_t t = 0; t < c->db->ntables; t++) {
		const struct conf_table *k = &c->db->tables[t];
		const struct catalog_rel *r = catalog_rel_find(c, c->table_rel[t]);

		if (r == NULL || k->open)
			continue;
		if (k->subject != NULL && col_named(r, k->subject) == NULL)
			c->table_missing[t] = true;
		for (size_t p = 0; p < k->npersonal; p++)
			if (col_named(r, k->personal[p]) == NULL)
				c->table_missing[t] = true;
	}
}

static size_t
table_of(const struct catalog *c, const struct conf_table *k)
{
	return (size_t)(k - c->db->tables);
}

/* The configured table whose people table t's key names; t itself when own. */
static size_t
people_of(const struct catalog *c, size_t t)
{
	const struct conf_table *k = &c->db->tables[t];
	const struct catalog_rel *r;
	const struct catalog_col *key;

	if (k->subject_of != NULL) {
		for (size_t o = 0; o < c->db->ntables; o++) {
			const struct conf_table *other = &c->db->tables[o];
			size_t n = strlen(other->schema);

			if (strncmp(k->subject_of, other->schema, n) == 0 &&
			    k->subject_of[n] == '.' &&
			    strcmp(k->subject_of + n + 1, other->name) == 0)
				return o;
			if (strcmp(other->schema, "public") == 0 &&
			    strcmp(k->subject_of, other->name) == 0)
				return o;
		}
		return t;
	}
	r = catalog_rel_find(c, c->table_rel[t]);
	key = r == NULL ? NULL : col_named(r, k->subject);
	if (key == NULL)
		return t;
	for (size_t i = 0; i < c->nfks; i++) {
		const struct fk *f = &c->fks[i];
		const struct catalog_rel *ref;
		const struct catalog_col *refkey;

		if (f->rel != r->oid || f->col != key->attnum || f->refrel == r->oid)
			continue;
		ref = catalog_rel_find(c, f->refrel);
		if (ref == NULL || ref->class != REL_PERSONAL || ref->conf == NULL)
			continue;
		refkey = col_named(ref, ref->conf->subject);
		if (refkey != NULL && refkey->attnum == f->refcol)
			return table_of(c, ref->conf);
	}
	return t;
}

static enum err
number_domains(struct catalog *c)
{
	for (size_t t = 0; t < c->db->ntables; t++)
		c->table_domain[t] = UINT16_MAX;
	for (size_t t = 0; t < c->db->ntables; t++) {
		const struct conf_table *k;
		size_t home = t;

		if (c->db->tables[t].open || c->db->tables[t].subject == NULL)
			continue;
		for (size_t hops = 0; hops < c->db->ntables; hops++)
			home = people_of(c, home);
		if (c->table_domain[home] == UINT16_MAX) {
			k = &c->db->tables[home];
			c->domains[c->ndomains] = keep(c, k->schema, strlen(k->schema),
			    ".", 1);
			if (c->nomem)
				return ERR_NOMEM;
			c->domains[c->ndomains] = keep(c, c->domains[c->ndomains],
			    strlen(k->schema) + 1, k->name, strlen(k->name));
			c->table_domain[home] = (uint16_t)c->ndomains++;
		}
		c->table_domain[t] = c->table_domain[home];
	}
	for (size_t i = 0; i < c->nrels; i++) {
		struct catalog_rel *r = &c->rels[i];

		if (r->class == REL_PERSONAL && col_named(r, r->conf->subject) != NULL)
			r->domain = c->table_domain[table_of(c, r->conf)];
	}
	return c->nomem ? ERR_NOMEM : ERR_OK;
}

static bool
uncover(struct catalog_rel *r)
{
	if (r->class == REL_UNCOVERED)
		return false;
	r->class = REL_UNCOVERED;
	return true;
}

/* What a parent shows of its child must be charged no less than in the child. */
static bool
raise_parent(struct catalog_rel *p, const struct catalog_rel *k)
{
	bool changed = false;

	if (p->has_triggers < k->has_triggers)
		p->has_triggers = changed = true;
	if (p->class == REL_UNCOVERED || k->class == REL_OPEN)
		return changed;
	if (k->class != REL_PERSONAL || p->class != REL_PERSONAL)
		return uncover(p) || changed;
	if (p->conf != k->conf && (p->domain != k->domain ||
	    p->conf->subject == NULL || k->conf->subject == NULL ||
	    strcmp(p->conf->subject, k->conf->subject) != 0))
		return uncover(p) || changed;
	for (size_t i = 0; i < p->ncols; i++) {
		const struct catalog_col *col = col_named(k, p->cols[i].name);

		if (p->cols[i].class == COL_FREE && col != NULL && col->class != COL_FREE) {
			p->cols[i].class = col->class;
			changed = true;
		}
	}
	return changed;
}

/* A child that the configuration names itself adds to its parent's columns. */
static bool
raise_child(const struct catalog_rel *p, struct catalog_rel *k)
{
	bool changed = false;

	if (p->conf == NULL || p->conf->open || k->class != REL_PERSONAL ||
	    p->conf == k->conf)
		return false;
	for (size_t i = 0; i < k->ncols; i++) {
		const struct catalog_col *col = col_named(p, k->cols[i].name);

		if (k->cols[i].class == COL_FREE && col != NULL &&
		    (col->class == COL_PERSONAL || col->class == COL_NEW)) {
			k->cols[i].class = col->class;
			changed = true;
		}
	}
	return changed;
}

static void
inherit_up(struct catalog *c)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < c->npairs; i++) {
			struct catalog_rel *k = catalog_rel_find(c, c->pairs[i].child);
			struct catalog_rel *p = catalog_rel_find(c, c->pairs[i].parent);

			if (p == NULL)
				continue;
			if (k == NULL)
				changed = uncover(p) || changed;
			else if (raise_parent(p, k) || raise_child(p, k))
				changed = true;
		}
	}
}

/* After inherit_up(): a column may be personal because it is so below. */
void
catalog_mark_splits(struct catalog *c)
{
	bool changed = true;

	for (size_t i = 0; i < c->nparts; i++) {
		struct catalog_rel *r = catalog_rel_find(c, c->parts[i].rel);
		const struct catalog_col *col;

		if (r == NULL || r->class != REL_PERSONAL)
			continue;
		col = catalog_col(r, c->parts[i].col);
		if (col == NULL || col->class == COL_PERSONAL || col->class == COL_NEW)
			r->split = true;
	}
	while (changed) {
		changed = false;
		for (size_t i = 0; i < c->npairs; i++) {
			struct catalog_rel *k = catalog_rel_find(c, c->pairs[i].child);
			const struct catalog_rel *p = catalog_rel_find(c, c->pairs[i].parent);

			if (k == NULL || p == NULL || !p->split || k->split_child)
				continue;
			k->split = k->split_child = changed = true;
		}
	}
}

static void
mark_subject_fks(struct catalog *c)
{
	for (size_t i = 0; i < c->nfks; i++) {
		const struct catalog_rel *r = catalog_rel_find(c, c->fks[i].refrel);
		const struct catalog_col *col;

		if (r == NULL || r->class != REL_PERSONAL)
			continue;
		col = catalog_col(r, c->fks[i].refcol);
		c->fks[i].subject = col != NULL && col->class == COL_KEY;
	}
}

enum err
catalog_finish(struct catalog *c)
{
	enum err e;

	if (c->finished)
		return ERR_PHASE;
	SORT(c, rels, oid_order);
	SORT(c, fns, oid_order);
	SORT(c, operators, oid_order);
	SORT(c, types, oid_order);
	e = give_columns(c);
	if (e != ERR_OK)
		return e;
	classify_named(c);
	find_missing_columns(c);
	inherit_down(c);
	for (size_t i = 0; i < c->nrels; i++)
		if (c->rels[i].class == REL_PERSONAL)
			classify_columns(c, &c->rels[i]);
	classify_generated(c);
	e = number_domains(c);
	if (e != ERR_OK)
		return e;
	inherit_up(c);
	catalog_mark_splits(c);
	mark_subject_fks(c);
	for (size_t i = 0; i < c->nrels; i++) {
		struct catalog_rel *r = &c->rels[i];

		if (r->class == REL_PERSONAL || r->class == REL_SYSTEM_OPAQUE)
			continue;
		free(r->cols);
		r->cols = NULL;
		r->ncols = 0;
	}
	c->finished = true;
	return ERR_OK;
}
