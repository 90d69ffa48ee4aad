/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/impl.h"

#include <stdlib.h>
#include <string.h>

static int
oid_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Every table below begins with its OID. */
static void *
find(uint32_t oid, const void *v, size_t n, size_t size)
{
	return n == 0 ? NULL : bsearch(&oid, v, n, size, oid_order);
}

struct catalog_rel *
catalog_rel_find(const struct catalog *c, uint32_t oid)
{
	return find(oid, c->rels, c->nrels, sizeof(*c->rels));
}

const struct catalog_rel *
catalog_rel(const struct catalog *c, uint32_t oid)
{
	const struct catalog_rel *r = catalog_rel_find(c, oid);

	return r != NULL ? r : &c->unknown;
}

const struct catalog_rel *
catalog_rel_named(const struct catalog *c, const char *schema, const char *name)
{
	for (size_t i = 0; i < c->nrels; i++)
		if (strcmp(c->rels[i].name, name) == 0 &&
		    strcmp(c->rels[i].schema, schema) == 0)
			return &c->rels[i];
	return NULL;
}

const struct catalog_col *
catalog_col(const struct catalog_rel *r, int attnum)
{
	for (size_t i = 0; i < r->ncols; i++)
		if (r->cols[i].attnum == attnum)
			return &r->cols[i];
	return NULL;
}

static const struct function *
function(const struct catalog *c, uint32_t oid)
{
	return find(oid, c->fns, c->nfns, sizeof(*c->fns));
}

enum catalog_fn_class
catalog_fn(const struct catalog *c, uint32_t oid)
{
	const struct function *f = function(c, oid);

	return f != NULL ? f->class : FN_USER;
}

const char *
catalog_fn_name(const struct catalog *c, uint32_t oid)
{
	const struct function *f = function(c, oid);

	return f != NULL ? f->name : "";
}

enum catalog_agg
catalog_agg(const struct catalog *c, uint32_t oid)
{
	const struct function *f = function(c, oid);

	return f != NULL ? f->agg : AGG_ANY;
}

uint64_t
catalog_fn_opaque_columns(const struct catalog *c, uint32_t oid)
{
	const struct function *f = function(c, oid);

	return f != NULL ? f->opaque_columns : 0;
}

uint32_t
catalog_operator_fn(const struct catalog *c, uint32_t oid)
{
	const struct operator *o = find(oid, c->operators, c->noperators,
	    sizeof(*c->operators));

	return o != NULL ? o->fn : 0;
}

static bool
type_plain(const struct catalog *c, uint32_t oid, unsigned depth)
{
	const struct type *t;

	if (oid < 16384)
		return true;
	t = find(oid, c->types, c->ntypes, sizeof(*c->types));
	if (t == NULL || !t->plain || depth == 0)
		return false;
	for (size_t i = 0; i < t->nparts; i++)
		if (!type_plain(c, t->parts[i], depth - 1))
			return false;
	return true;
}

bool
catalog_type_plain(const struct catalog *c, uint32_t oid)
{
	return type_plain(c, oid, 8);
}

bool
catalog_refers_to_subject(const struct catalog *c, uint32_t relid, int attnum)
{
	for (size_t i = 0; i < c->nfks; i++)
		if (c->fks[i].rel == relid && c->fks[i].col == attnum &&
		    c->fks[i].subject)
			return true;
	return false;
}

size_t
catalog_missing(const struct catalog *c, const struct conf_table **out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < c->db->ntables; i++) {
		if (!c->table_missing[i])
			continue;
		if (n < cap)
			out[n] = &c->db->tables[i];
		n++;
	}
	return n;
}

const struct catalog_rel *
catalog_personal(const struct catalog *c, size_t i)
{
	for (size_t t = 0; t < c->db->ntables; t++) {
		const struct catalog_rel *r;

		if (c->table_rel[t] == 0)
			continue;
		r = catalog_rel(c, c->table_rel[t]);
		if (r->class == REL_PERSONAL && i-- == 0)
			return r;
	}
	return NULL;
}

static bool
among(const char *name, const struct slice *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(names[i], name))
			return true;
	return false;
}

void
catalog_baseline(struct catalog *c, const struct catalog_rel *r,
    const struct slice *names, size_t n)
{
	for (size_t i = 0; i < c->nrels; i++) {
		struct catalog_rel *o = &c->rels[i];

		if (o->class != REL_PERSONAL || o->conf != r->conf)
			continue;
		for (size_t k = 0; k < o->ncols; k++)
			if (o->cols[k].class == COL_FREE &&
			    !among(o->cols[k].name, names, n))
				o->cols[k].class = COL_NEW;
	}
	catalog_mark_splits(c);
}

const char *
catalog_domain(const struct catalog *c, uint16_t domain)
{
	return domain < c->ndomains ? c->domains[domain] : "";
}

size_t
catalog_ndomains(const struct catalog *c)
{
	return c->ndomains;
}
