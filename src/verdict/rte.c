/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in FROM: relations, sub-queries, functions, VALUES, CTEs. */
#include "verdict/flow.h"

#include <string.h>

enum { KIND_RELATION, KIND_SUBQUERY, KIND_JOIN, KIND_FUNCTION, KIND_TABLEFUNC, KIND_VALUES,
	KIND_CTE, KIND_NAMED, KIND_RESULT };

#define NAME_BYTES 256

static size_t
list_length(const struct tree *t)
{
	size_t n = 0;

	if (t == NULL || t->kind != TREE_LIST)
		return 0;
	for (t = t->first; t != NULL; t = t->next)
		n++;
	return n;
}

static struct value
whole(const struct value *cols, size_t n)
{
	struct value v = {.key_of = -1};

	for (size_t i = 0; i < n; i++)
		taint_merge(&v.t, cols[i].t);
	return v;
}

/* --- relations --- */

static bool
is_view(const struct tree *n)
{
	const struct tree *k = tree_get(n, "relkind");

	return k == NULL || k->kind != TREE_ATOM || k->len != 1 || k->text[0] == 'v';
}

static struct value
opaque(void)
{
	return (struct value){.t = {.dep = true, .opaque = true}, .key_of = -1};
}

static struct value
personal_column(struct judge *j, const struct rte *r, const struct catalog_col *col)
{
	struct value v = value_free();

	switch (col->class) {
	case COL_FREE:
		return v;
	case COL_KEY:
		v.t.k = bit(r->inst);
		v.key_of = r->inst;
		break;
	case COL_PERSONAL:
		v.t.p = bit(r->inst);
		v.t.dep = true;
		break;
	case COL_NEW:
		v = opaque();
		break;
	}
	v.t.opaque |= r->inst < 0;
	judge_touch(j, r, col->attnum, col->class == COL_NEW);
	return v;
}

static struct value
relation_column(struct judge *j, const struct rte *r, int64_t attnum)
{
	const struct catalog_rel *rel = r->rel;
	const struct catalog_col *col;
	struct value v = value_free();

	if (attnum < 0) {	/* tableoid, ctid, xmin, ... */
		if (rel->split && !r->opaque)
			v.t = (struct taint){.p = bit(r->inst), .dep = true,
			    .opaque = r->inst < 0};
		return v;
	}
	if (r->opaque) {
		judge_touch(j, r, 0, true);
		return opaque();
	}
	if (rel->class == REL_OPEN || rel->class == REL_SYSTEM)
		return v;
	if (attnum > 0) {
		col = catalog_col(rel, (int)attnum);
		if (col == NULL) {	/* younger than the catalog */
			judge_touch(j, r, 0, true);
			return opaque();
		}
		if (rel->class == REL_PERSONAL)
			return personal_column(j, r, col);
		if (col->class == COL_FREE)
			return v;
		judge_touch(j, r, col->attnum, false);
		return opaque();
	}
	for (size_t i = 0; i < rel->ncols; i++)
		taint_merge(&v.t, relation_column(j, r, rel->cols[i].attnum).t);
	if (rel->ncols == 0)
		return opaque();
	return v;
}

static const struct catalog_col *
key_column(const struct catalog_rel *rel)
{
	for (size_t i = 0; i < rel->ncols; i++)
		if (rel->cols[i].class == COL_KEY)
			return &rel->cols[i];
	return NULL;
}

static void
build_relation(struct judge *j, struct query *q, struct rte *r)
{
	const struct tree *sample = tree_get(r->node, "tablesample");
	int64_t oid = tree_int(r->node, "relid", 0);
	const struct catalog_col *key;
	struct instance inst = {.domain = UINT16_MAX};

	r->relid = oid < 0 || oid > UINT32_MAX ? 0 : (uint32_t)oid;
	r->rel = catalog_rel(j->c, r->relid);
	r->opaque = r->rel->class == REL_UNCOVERED || is_view(r->node);
	if (r->opaque || r->rel->class == REL_PERSONAL || r->rel->class == REL_SYSTEM_OPAQUE)
		j->v->touches_personal = true;
	/*
	 * Rows of an uncovered table may be there, or in this partition of it,
	 * because of somebody's data: it may be one's own, filled by INSERT ... SELECT.
	 */
	if (r->opaque)
		r->presence = (struct taint){.dep = true, .opaque = true};
	if (!r->opaque && r->rel->class == REL_PERSONAL) {
		key = key_column(r->rel);
		if (key != NULL && r->rel->domain != UINT16_MAX) {
			inst.domain = r->rel->domain;
			inst.type = key->type;
			inst.not_null = key->not_null;
		}
		r->inst = judge_instance(j, inst);
		/* Its rows come one partition after the other. */
		if (r->rel->split) {
			j->v->splits = true;
			r->order = (struct taint){.p = bit(r->inst), .dep = true,
			    .opaque = r->inst < 0};
		}
		if (r->rel->split_child)
			r->presence = (struct taint){.p = bit(r->inst), .dep = true,
			    .opaque = r->inst < 0};
	}
	if (sample == NULL || sample->kind == TREE_NULL)
		return;
	if (!tree_is(sample, "TABLESAMPLECLAUSE") || tree_int(sample, "tsmhandler", 0) >= 16384) {
		judge_refuse_node(j, sample);
		return;
	}
	taint_presence(&r->presence, expr_list(j, q, tree_get(sample, "args")));
	taint_presence(&r->presence, expr_list(j, q, tree_get(sample, "repeatable")));
}

/* --- functions and VALUES --- */

static void
build_functions(struct judge *j, struct query *q, struct rte *r)
{
	const struct tree *list = tree_get(r->node, "functions"), *f;
	size_t n = 1, i = 0;	/* one more: WITH ORDINALITY */

	for (f = list == NULL ? NULL : list->first; f != NULL; f = f->next) {
		int64_t k = tree_int(f, "funccolcount", 0);

		n += k < 0 || k > 10000 ? 0 : (size_t)k;
	}
	r->cols = judge_alloc(j, n, sizeof(*r->cols));
	if (j->stop)
		return;
	for (f = list == NULL ? NULL : list->first; f != NULL; f = f->next) {
		const struct tree *call = tree_get(f, "funcexpr");
		int64_t k = tree_int(f, "funccolcount", 0);
		struct taint t = expr_list(j, q, f);
		uint64_t mask = !tree_is(call, "FUNCEXPR") ? 0 :
		    catalog_fn_opaque_columns(j->c, (uint32_t)tree_int(call, "funcid", 0));

		taint_presence(&r->presence, t);
		for (int64_t c = 0; c < k && i < n; c++, i++) {
			r->cols[i] = (struct value){.t = t, .key_of = -1};
			if (c < 64 && (mask >> c & 1) != 0) {
				r->cols[i] = opaque();
				j->v->touches_personal = true;
			}
		}
	}
	r->cols[i] = value_free();
	r->ncols = n;
}

static void
build_table_func(struct judge *j, struct query *q, struct rte *r)
{
	struct taint t = expr_list(j, q, tree_get(r->node, "tablefunc"));

	r->ncols = list_length(tree_get(tree_get(r->node, "eref"), "colnames"));
	r->cols = judge_alloc(j, r->ncols, sizeof(*r->cols));
	for (size_t i = 0; !j->stop && i < r->ncols; i++)
		r->cols[i] = (struct value){.t = t, .key_of = -1};
	taint_presence(&r->presence, t);
}

static void
build_values(struct judge *j, struct query *q, struct rte *r)
{
	const struct tree *rows = tree_get(r->node, "values_lists"), *row, *e;

	rows = rows == NULL ? NULL : rows->first;
	r->ncols = list_length(rows);
	r->cols = judge_alloc(j, r->ncols, sizeof(*r->cols));
	for (size_t i = 0; !j->stop && i < r->ncols; i++)
		r->cols[i] = value_free();
	for (row = rows; row != NULL; row = row->next) {
		size_t i = 0;

		for (e = row->first; e != NULL && i < r->ncols && !j->stop; e = e->next, i++)
			taint_merge(&r->cols[i].t, expr_list(j, q, e));
	}
}

/* --- CTEs --- */

static bool
same_name(const struct tree *a, const struct tree *b)
{
	char x[NAME_BYTES], y[NAME_BYTES];
	size_t n = tree_name(a, x, sizeof(x));

	return n > 0 && n == tree_name(b, y, sizeof(y)) && memcmp(x, y, n) == 0;
}

static struct cte *
find_cte(struct query *q, const struct tree *name)
{
	for (size_t i = 0; i < q->nctes; i++)
		if (same_name(q->ctes[i].name, name))
			return &q->ctes[i];
	return NULL;
}

/*
 * A recursive query may put together anything that it once read, so its columns
 * are all opaque as soon as one part of it is tainted. What it reads of itself
 * is found by repetition: free, then keys, then everything.
 */
static void
analyze_recursive(struct judge *j, struct query *q, struct cte *c, const struct tree *query)
{
	for (int pass = 0; pass < 4 && !j->stop; pass++) {
		struct taint all = {0};

		j->ninst = c->first;
		c->q = query_run(j, query, q, &c->r);
		for (size_t i = 0; i < c->r.ncols; i++)
			taint_merge(&all, c->r.cols[i].t);
		taint_presence(&all, c->r.presence);
		taint_presence(&all, c->r.order);
		if (taint_any(all))
			all = (struct taint){.opaque = true, .dep = all.dep};
		if (all.opaque == c->self.opaque && all.dep == c->self.dep) {
			for (size_t i = 0; all.opaque && i < c->r.ncols; i++)
				c->r.cols[i] = (struct value){.t = all, .key_of = -1};
			c->r.presence = c->r.order = (struct taint){0};
			taint_presence(&c->r.presence, all);
			return;
		}
		c->self = all;
	}
	judge_refuse(j, WHY_UNKNOWN_NODE, "WITH RECURSIVE");
}

/*
 * A copy of an outer row's key is no key of the sub-query's rows: it is missing
 * where they are, though the outer row is not.
 */
static void
forget_outer_keys(struct value *cols, size_t n, unsigned base)
{
	for (size_t i = 0; i < n; i++)
		if (cols[i].key_of >= 0 && (unsigned)cols[i].key_of < base)
			cols[i].key_of = -1;
}

static void
analyze_cte(struct judge *j, struct query *q, struct cte *c)
{
	const struct tree *query = tree_get(c->node, "ctequery");

	if (c->state != CTE_NEW)
		return;
	c->state = CTE_BUSY;
	c->first = j->ninst;
	if (tree_bool(c->node, "cterecursive"))
		analyze_recursive(j, q, c, query);
	else
		c->q = query_run(j, query, q, &c->r);
	forget_outer_keys(c->r.cols, c->r.ncols, c->first);
	c->end = j->ninst;
	c->state = CTE_DONE;
}

void
query_ctes(struct judge *j, struct query *q)
{
	const struct tree *list = tree_get(q->node, "cteList"), *t;

	q->nctes = list_length(list);
	q->ctes = judge_alloc(j, q->nctes, sizeof(*q->ctes));
	if (j->stop || q->nctes == 0)
		return;
	q->nctes = 0;
	for (t = list->first; t != NULL; t = t->next) {
		const struct tree *name = tree_get(t, "ctename");

		/* Names that only look alike here would be mixed up. */
		if (!tree_is(t, "COMMONTABLEEXPR") || find_cte(q, name) != NULL) {
			judge_refuse_node(j, t);
			return;
		}
		q->ctes[q->nctes++] = (struct cte){.node = t, .name = name};
	}
	for (size_t i = 0; i < q->nctes && !j->stop; i++)
		analyze_cte(j, q, &q->ctes[i]);
}

static void
map_taint(struct taint *t, const struct cte *c, const int *map)
{
	uint64_t range = bits(c->first, c->end), sets[3] = { t->p, t->k, t->one };

	for (int s = 0; s < 3; s++) {
		uint64_t old = sets[s] & range;

		sets[s] &= ~range;
		for (; old != 0; old &= old - 1) {
			int to = map[__builtin_ctzll(old)];

			sets[s] |= bit(to);
			t->opaque |= to < 0;
		}
	}
	t->p = sets[0];
	t->k = sets[1];
	t->one = sets[2];
}

/* Every reference to a CTE reads rows of its own: other persons than its twin's. */
static void
copy_cte(struct judge *j, struct cte *c, struct rte *r)
{
	int map[MAX_INSTANCES];
	uint64_t range = bits(c->first, c->end);
	unsigned known = j->ninst;

	memset(map, -1, sizeof(map));
	for (unsigned i = c->first; i < c->end; i++)
		map[i] = judge_instance(j, (struct instance){.domain = j->inst[i].domain,
		    .type = j->inst[i].type, .not_null = j->inst[i].not_null});
	for (unsigned i = 0; i < known; i++) {
		struct taint t = {.p = j->inst[i].same};

		map_taint(&t, c, map);
		if (i < c->first || i >= c->end)
			j->inst[i].same |= t.p;
		else if (map[i] >= 0)
			j->inst[map[i]].same = t.p;
	}
	r->ncols = c->r.ncols;
	r->cols = judge_alloc(j, r->ncols, sizeof(*r->cols));
	if (j->stop)
		return;
	for (size_t i = 0; i < r->ncols; i++) {
		struct value v = c->r.cols[i];

		map_taint(&v.t, c, map);
		if (v.key_of >= 0 && (range & bit(v.key_of)) != 0)
			v.key_of = map[v.key_of];
		r->cols[i] = v;
	}
	r->presence = c->r.presence;
	map_taint(&r->presence, c, map);
	r->order = c->r.order;
	map_taint(&r->order, c, map);
}

static void
build_cte(struct judge *j, struct query *q, struct rte *r)
{
	const struct tree *name = tree_get(r->node, "ctename");
	struct query *at = q;
	struct cte *c;

	for (int64_t up = tree_int(r->node, "ctelevelsup", 0); up > 0 && at != NULL; up--)
		at = at->outer;
	c = at == NULL ? NULL : find_cte(at, name);
	if (c == NULL) {
		judge_refuse(j, WHY_TREE, "CTE");
		return;
	}
	if (tree_bool(r->node, "self_reference")) {
		r->ncols = list_length(tree_get(r->node, "coltypes"));
		r->cols = judge_alloc(j, r->ncols, sizeof(*r->cols));
		for (size_t i = 0; !j->stop && i < r->ncols; i++)
			r->cols[i] = (struct value){.t = c->self, .key_of = -1};
		taint_presence(&r->presence, c->self);
		return;
	}
	if (c->state == CTE_NEW)
		analyze_cte(j, at, c);
	if (c->state != CTE_DONE) {
		judge_refuse(j, WHY_TREE, "CTE");
		return;
	}
	if (c->r.correlated)
		for (struct query *o = q; o != NULL; o = o == at ? NULL : o->outer)
			o->correlated = true;
	copy_cte(j, c, r);
	r->sub = c->q;
}

/* --- all --- */

static void
build_subquery(struct judge *j, struct query *q, struct rte *r)
{
	struct result res;

	r->sub = query_run(j, tree_get(r->node, "subquery"), q, &res);
	forget_outer_keys(res.cols, res.ncols, r->first);

	r->cols = res.cols;
	r->ncols = res.ncols;
	r->presence = res.presence;
	r->order = res.order;
}

static void
build(struct judge *j, struct query *q, struct rte *r)
{
	r->first = j->ninst;
	switch (tree_int(r->node, "rtekind", -1)) {
	case KIND_RELATION:
		build_relation(j, q, r);
		break;
	case KIND_SUBQUERY:
		build_subquery(j, q, r);
		break;
	case KIND_JOIN:
		r->aliases = tree_get(r->node, "joinaliasvars");
		break;
	case KIND_FUNCTION:
		build_functions(j, q, r);
		break;
	case KIND_TABLEFUNC:
		build_table_func(j, q, r);
		break;
	case KIND_VALUES:
		build_values(j, q, r);
		break;
	case KIND_CTE:
		build_cte(j, q, r);
		break;
	case KIND_RESULT:
		break;
	default:
		judge_refuse(j, WHY_UNKNOWN_NODE, "RANGETBLENTRY");
		break;
	}
	r->end = j->ninst;
	r->state = RTE_DONE;
	/* Row security: its conditions are about the relation's own columns. */
	expr_qual(j, q, tree_get(r->node, "securityQuals"), COND_FILTER, ~UINT64_C(0),
	    &r->presence);
	r->end = j->ninst;
}

struct rte *
query_rte(struct judge *j, struct query *q, int64_t index)
{
	struct rte *r;

	if (index < 1 || (uint64_t)index > q->nrtes)
		return NULL;
	r = &q->rtes[index - 1];
	if (r->state == RTE_BUSY)
		return NULL;
	if (r->state == RTE_NEW) {
		r->state = RTE_BUSY;
		build(j, q, r);
	}
	return r;
}

/* A column that a condition made equal to a key serves as that key. */
static struct value
with_twin(const struct query *q, const struct rte *r, int64_t attnum, struct value v)
{
	for (const struct twin *t = q->twins; v.key_of < 0 && t != NULL; t = t->next)
		if (t->rte == r && t->attnum == attnum)
			v.key_of = t->inst;
	return v;
}

struct value
rte_column(struct judge *j, struct query *q, struct rte *r, int64_t attnum)
{
	if (j->stop)
		return value_free();
	if (r->sub != NULL)
		query_show(j, r->sub, attnum);
	if (q->excluded_rte > 0 && r == &q->rtes[q->excluded_rte - 1]) {
		if (attnum == 0)
			return whole(q->excluded, q->nexcluded);
		if (attnum < 0 || (uint64_t)attnum > q->nexcluded)
			return value_free();
		return q->excluded[attnum - 1];
	}
	if (r->rel != NULL)
		return with_twin(q, r, attnum, relation_column(j, r, attnum));
	if (r->aliases != NULL) {
		const struct tree *a = r->aliases->first;

		if (attnum == 0)
			return (struct value){.t = expr_list(j, q, r->aliases), .key_of = -1};
		for (; a != NULL && attnum > 1; attnum--)
			a = a->next;
		if (a != NULL && attnum == 1)
			return expr_eval(j, q, a);
	} else if (attnum == 0) {
		return whole(r->cols, r->ncols);
	} else if (attnum > 0 && (uint64_t)attnum <= r->ncols) {
		return with_twin(q, r, attnum, r->cols[attnum - 1]);
	}
	judge_refuse(j, WHY_TREE, "RANGETBLENTRY");
	return value_free();
}
