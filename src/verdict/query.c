/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One query level: FROM and WHERE, groups, windows, DISTINCT, set operations,
 * ORDER BY, LIMIT. What a row shows that stands for several rows is in flow.h.
 *
 * Absence says something of everybody: a row that an outer join keeps because
 * nobody matched, NOT EXISTS, EXCEPT, a condition on max(). Such a row may show
 * any number of persons at once, so its presence is opaque, unless all that was
 * looked at belongs to the subject of the row itself (joined by the key).
 */
#include "verdict/flow.h"

#include <string.h>

enum { JOIN_INNER, JOIN_LEFT, JOIN_FULL, JOIN_RIGHT };
enum { CMD_SELECT = 1, CMD_MERGE = 5 };
enum { SETOP_NONE, SETOP_UNION, SETOP_INTERSECT, SETOP_EXCEPT };

static bool
has_nodes(const struct tree *t)
{
	if (t->kind == TREE_NODE)
		return true;
	if (t->kind == TREE_LIST)
		for (t = t->first; t != NULL; t = t->next)
			if (has_nodes(t))
				return true;
	return false;
}

static bool
is_null(const struct tree *t)
{
	return t == NULL || t->kind == TREE_NULL;
}

/* A part of the query that this code does not know must not be passed over. */
static bool
known_fields(struct judge *j, const struct tree *node)
{
	static const char *const known[] = {
		"cteList", "rtable", "jointree", "targetList", "onConflict",
		"returningList", "groupClause", "groupingSets", "havingQual",
		"windowClause", "distinctClause", "sortClause", "limitOffset",
		"limitCount", "rowMarks", "setOperations", "constraintDeps",
		"withCheckOptions", "mergeActionList",
	};

	for (const struct tree *f = node->first; f != NULL; f = f->next) {
		size_t i = 0, n = sizeof(known) / sizeof(known[0]);

		while (i < n && (strlen(known[i]) != f->field_len ||
		    memcmp(known[i], f->field, f->field_len) != 0))
			i++;
		if (i == n && has_nodes(f)) {
			judge_refuse_node(j, node);
			return false;
		}
	}
	return true;
}

/* --- columns that are read --- */

/* Only to note what is read: what it computes is known. */
static void
show_expr(struct judge *j, struct query *q, const struct tree *n)
{
	unsigned ninst = j->ninst;

	(void)expr_list(j, q, n);
	j->ninst = ninst;
}

static void
show_set(struct judge *j, struct query *q, const struct tree *n, int64_t column)
{
	struct rte *leaf;

	if (!judge_enter(j))
		return;
	if (tree_is(n, "RANGETBLREF")) {
		leaf = query_rte(j, q, tree_int(n, "rtindex", 0));
		if (leaf != NULL && leaf->sub != NULL)
			query_show(j, leaf->sub, column);
	} else {
		show_set(j, q, tree_get(n, "larg"), column);
		show_set(j, q, tree_get(n, "rarg"), column);
	}
	judge_leave(j);
}

void
query_show(struct judge *j, struct query *q, int64_t column)
{
	const struct tree *set = tree_get(q->node, "setOperations"), *t;
	bool writes = tree_int(q->node, "commandType", 0) != CMD_SELECT;

	if (j->quiet || column < 0 || column >= (int64_t)sizeof(q->shown) * 8)
		return;
	if ((q->shown[column / 8] >> (column % 8) & 1) != 0 || (q->shown[0] & 1) != 0)
		return;
	q->shown[column / 8] |= (uint8_t)(1u << (column % 8));
	if (!is_null(set)) {
		show_set(j, q, set, column);
		return;
	}
	t = tree_get(q->node, writes ? "returningList" : "targetList");
	for (t = is_null(t) ? NULL : t->first; t != NULL && !j->stop; t = t->next)
		if (!tree_bool(t, "resjunk") &&
		    (column == 0 || tree_int(t, "resno", 0) == column))
			show_expr(j, q, tree_get(t, "expr"));
}

/* --- FROM --- */

static uint64_t from_item(struct judge *, struct query *, const struct tree *,
    struct taint *);

static bool
cond_depends(struct taint t)
{
	return t.extra > 0 || t.one != 0 || t.opaque || t.vague || t.chosen;
}

/*
 * kept: instances of the side that stays; gone: of the one that may be missing;
 * inside: presence of the latter's rows; t: all that decides whether it is missing.
 */
static struct taint
missing_side(const struct judge *j, const struct query *q, uint64_t kept, uint64_t gone,
    struct taint inside, struct taint t)
{
	uint64_t there = kept | bits(0, q->base), look = t.p & gone;

	if (!t.dep)
		return t;
	t.opaque |= cond_depends(inside);
	for (; look != 0; look &= look - 1) {
		uint64_t b = look & -look, o;
		bool same = false;

		for (o = there; o != 0; o &= o - 1) {
			if ((judge_same(j, o & -o) & b) == 0)
				continue;
			t.p |= o & -o;
			same = true;
		}
		t.opaque |= !same;
	}
	return t;
}

static uint64_t
outer_join(struct judge *j, struct query *q, const struct tree *keep,
    const struct tree *miss, const struct tree *quals, struct taint *presence)
{
	struct taint inside = {0}, t;
	uint64_t kept, gone;

	/* The server builds the left side first, and only it can be referred to. */
	kept = from_item(j, q, keep, presence);
	gone = from_item(j, q, miss, &inside);
	t = inside;
	expr_qual(j, q, quals, COND_OUTER, gone, &t);
	taint_merge(presence, missing_side(j, q, kept, gone, inside, t));
	return kept | gone;
}

static uint64_t
full_join(struct judge *j, struct query *q, const struct tree *n, struct taint *presence)
{
	struct taint inside = {0}, t;
	uint64_t gone;

	gone = from_item(j, q, tree_get(n, "larg"), &inside);
	gone |= from_item(j, q, tree_get(n, "rarg"), &inside);
	t = inside;
	expr_qual(j, q, tree_get(n, "quals"), COND_FULL, gone, &t);
	taint_merge(presence, missing_side(j, q, 0, gone, inside, t));
	return gone;
}

static uint64_t
from_join(struct judge *j, struct query *q, const struct tree *n, struct taint *presence)
{
	const struct tree *larg = tree_get(n, "larg"), *rarg = tree_get(n, "rarg");
	const struct tree *quals = tree_get(n, "quals");
	uint64_t set = 0;

	switch (tree_int(n, "jointype", -1)) {
	case JOIN_INNER:
		set = from_item(j, q, larg, presence);
		set |= from_item(j, q, rarg, presence);
		expr_qual(j, q, quals, COND_FILTER, ~UINT64_C(0), presence);
		break;
	case JOIN_LEFT:
		set = outer_join(j, q, larg, rarg, quals, presence);
		break;
	case JOIN_RIGHT:
		set = outer_join(j, q, rarg, larg, quals, presence);
		break;
	case JOIN_FULL:
		set = full_join(j, q, n, presence);
		break;
	default:
		judge_refuse_node(j, n);
		break;
	}
	if (tree_int(n, "rtindex", 0) > 0)
		(void)query_rte(j, q, tree_int(n, "rtindex", 0));
	return set;
}

static uint64_t
from_item(struct judge *j, struct query *q, const struct tree *n, struct taint *presence)
{
	uint64_t set = 0;
	struct rte *r;

	if (!judge_enter(j))
		return 0;
	if (tree_is(n, "RANGETBLREF")) {
		r = query_rte(j, q, tree_int(n, "rtindex", 0));
		if (r != NULL) {
			if (r->opaque)
				judge_touch(j, r, 0, true);
			taint_presence(presence, r->presence);
			taint_presence(&q->order, r->order);
			set = bits(r->first, r->end);
		} else {
			judge_refuse(j, WHY_TREE, "RANGETBLREF");
		}
	} else if (tree_is(n, "JOINEXPR")) {
		set = from_join(j, q, n, presence);
	} else {
		judge_refuse_node(j, n);
	}
	judge_leave(j);
	return set;
}

void
query_from(struct judge *j, struct query *q)
{
	const struct tree *from = tree_get(q->node, "jointree"), *item;

	if (is_null(from))
		return;
	if (!tree_is(from, "FROMEXPR")) {
		judge_refuse_node(j, from);
		return;
	}
	item = tree_get(from, "fromlist");
	for (item = item == NULL ? NULL : item->first; item != NULL && !j->stop;
	    item = item->next)
		(void)from_item(j, q, item, &q->presence);
	expr_qual(j, q, tree_get(from, "quals"), COND_FILTER, ~UINT64_C(0), &q->presence);
}

/* --- targets --- */

void
query_targets(struct judge *j, struct query *q, const struct tree *list,
    struct value **values, struct result *r)
{
	bool quiet = j->quiet;
	struct value *v;
	size_t n = 0, i = 0;
	const struct tree *t;

	for (t = is_null(list) ? NULL : list->first; t != NULL; t = t->next)
		n++;
	v = judge_alloc(j, n, sizeof(*v));
	/* Of a row that is written, resno is a column of the relation. */
	if (values == NULL || tree_int(q->node, "commandType", 0) == CMD_SELECT)
		r->cols = judge_alloc(j, n, sizeof(*r->cols));
	r->ncols = 0;
	if (values != NULL)
		*values = v;
	j->quiet = quiet || (q->outer != NULL && r->cols != NULL);
	for (t = n == 0 ? NULL : list->first; t != NULL && !j->stop; t = t->next, i++) {
		unsigned before = j->nsinks;
		int64_t resno = tree_int(t, "resno", 0);

		if (!tree_is(t, "TARGETENTRY") || resno < 1 ||
		    (r->cols != NULL && (uint64_t)resno > n)) {
			judge_refuse_node(j, t);
			break;
		}
		q->targets = tree_int(q->node, "commandType", 0) == CMD_SELECT;
		v[i] = expr_eval(j, q, tree_get(t, "expr"));
		q->targets = false;
		expr_check_sink(j, before, v[i].t);
		if (tree_bool(t, "resjunk") || r->cols == NULL)
			continue;
		r->cols[resno - 1] = v[i];
		if ((size_t)resno > r->ncols)
			r->ncols = (size_t)resno;
	}
	j->quiet = quiet;
}

/* The columns of the result, again, from the values of all targets. */
static void
targets_to_columns(const struct tree *list, const struct value *values, struct result *r)
{
	size_t i = 0;

	for (const struct tree *t = list->first; t != NULL; t = t->next, i++)
		if (!tree_bool(t, "resjunk"))
			r->cols[tree_int(t, "resno", 1) - 1] = values[i];
}

static bool
exact_collation(const struct tree *expr)
{
	return tree_int(expr, "varcollid", 0) < 16384 &&
	    tree_int(expr, "resultcollid", 0) < 16384;
}

void
query_sort_refs(struct judge *j, struct query *q, const struct tree *clauses,
    const struct tree *targets, const struct value *values, struct taint *sum,
    uint64_t *keys)
{
	if (is_null(clauses))
		return;
	for (const struct tree *c = clauses->first; c != NULL && !j->stop; c = c->next) {
		int64_t ref = tree_int(c, "tleSortGroupRef", 0);
		const struct tree *t = is_null(targets) ? NULL : targets->first;
		struct taint none = {0};
		struct value v;
		size_t i = 0;

		for (; t != NULL && tree_int(t, "ressortgroupref", 0) != ref; t = t->next)
			i++;
		if (!tree_is(c, "SORTGROUPCLAUSE") || ref == 0 || t == NULL) {
			judge_refuse_node(j, c);
			return;
		}
		if (sum == NULL)
			sum = &none;
		if (values != NULL)
			show_expr(j, q, tree_get(t, "expr"));
		v = values != NULL ? values[i] : expr_eval(j, q, tree_get(t, "expr"));
		expr_operator(j, c, "eqop", &v.t);
		expr_operator(j, c, "sortop", &v.t);
		taint_merge(sum, v.t);
		if (keys != NULL && v.key_of >= 0 && j->inst[v.key_of].not_null &&
		    tree_int(c, "eqop", 16384) < 16384 &&
		    exact_collation(tree_get(t, "expr")))
			*keys |= bit(v.key_of);
	}
}

/* --- groups, DISTINCT, LIMIT --- */

static void
leave_all(struct judge *j, struct query *q, uint64_t keep, struct value *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		taint_leave(j, q, keep, &v[i].t);
		if (v[i].key_of >= 0 && (bit(v[i].key_of) & (keep | bits(0, q->base))) == 0)
			v[i].key_of = -1;
	}
}

static bool
is_grouped(const struct tree *n)
{
	return tree_bool(n, "hasAggs") || !is_null(tree_get(n, "groupClause")) ||
	    !is_null(tree_get(n, "groupingSets")) || !is_null(tree_get(n, "havingQual"));
}

static void
group_begin(struct judge *j, struct query *q)
{
	const struct tree *n = q->node;
	struct taint by = {0};
	uint64_t keys = 0;

	query_sort_refs(j, q, tree_get(n, "groupClause"), tree_get(n, "targetList"), NULL,
	    &by, &keys);
	if (is_null(tree_get(n, "groupingSets")))
		q->group = judge_same(j, keys);
	taint_presence(&q->presence, by);
	expr_qual(j, q, tree_get(n, "havingQual"), COND_FILTER, 0, &q->having);
	q->gathers = true;
}

static size_t
ntargets(const struct query *q)
{
	const struct tree *t = tree_get(q->node, "targetList");
	size_t n = 0;

	for (t = is_null(t) ? NULL : t->first; t != NULL; t = t->next)
		n++;
	return n;
}

static void
group_end(struct judge *j, struct query *q, struct value *values)
{
	struct taint before = q->presence;

	if (j->nsinks > q->sinks && before.dep)
		judge_refuse(j, WHY_SINK, j->sink);
	leave_all(j, q, q->group, values, ntargets(q));
	/* Without GROUP BY there is always one row. */
	if (is_null(tree_get(q->node, "groupClause")) &&
	    is_null(tree_get(q->node, "groupingSets")))
		before = q->order = (struct taint){0};
	taint_leave(j, q, q->group, &before);
	taint_leave(j, q, q->group, &q->having);
	taint_leave(j, q, q->group, &q->order);
	q->presence = before;
	taint_presence(&q->presence, q->having);
}

static void
distinct(struct judge *j, struct query *q, struct value *values)
{
	const struct tree *n = q->node;
	struct taint of = {0};
	uint64_t keys = 0;

	if (is_null(tree_get(n, "distinctClause")))
		return;
	query_sort_refs(j, q, tree_get(n, "distinctClause"), tree_get(n, "targetList"), values,
	    &of, &keys);
	keys = judge_same(j, keys);
	leave_all(j, q, keys, values, ntargets(q));
	taint_presence(&q->presence, of);
	if (tree_bool(n, "hasDistinctOn")) {	/* the first row of each, by the order */
		query_sort_refs(j, q, tree_get(n, "sortClause"), tree_get(n, "targetList"),
		    values, &q->order, NULL);
		if (q->order.dep && !taint_rowwise(q->order, keys | bits(0, q->base)))
			q->presence.opaque |= cond_depends(q->order);
		taint_presence(&q->presence, q->order);
	}
	taint_leave(j, q, keys, &q->presence);
	taint_leave(j, q, keys, &q->order);
	q->gathers = true;
}

/* OFFSET 0 is none; the verdict then holds for this text only. */
static bool
is_zero(struct judge *j, const struct tree *n)
{
	const struct tree *v;

	if (tree_is(n, "FUNCEXPR") && tree_int(n, "funcid", 0) == 481)	/* int4 to int8 */
		n = tree_get(n, "args")->first;
	v = tree_is(n, "CONST") ? tree_get(n, "constvalue") : NULL;
	if (v == NULL || v->kind != TREE_ATOM || v->len < 4 ||
	    (v->text[0] != '4' && v->text[0] != '8'))
		return false;
	for (size_t i = 1; i < v->len; i++)
		if (v->text[i] > '0' && v->text[i] <= '9')
			return false;
	j->v->exact_only = true;
	return true;
}

/*
 * Which rows LIMIT keeps depends on all others. At the top that is accepted: all
 * rows before the last one are there and show whom they are of. With OFFSET, or
 * inside, rows can be asked about and then hidden: a little when it is evaluated
 * once, anything when an outer row can choose the question.
 */
static void
limit(struct judge *j, struct query *q)
{
	const struct tree *count = tree_get(q->node, "limitCount");
	const struct tree *offset = tree_get(q->node, "limitOffset");
	struct taint t;

	if (is_null(count) && is_null(offset))
		return;
	taint_presence(&q->presence, expr_list(j, q, count));
	taint_presence(&q->presence, expr_list(j, q, offset));
	t = q->presence;
	taint_merge(&t, q->order);
	if (!t.dep)
		return;
	q->presence.opaque |= q->order.opaque;
	q->presence.dep |= q->order.opaque;
	if (q->outer == NULL && (is_null(offset) || is_zero(j, offset)))
		return;
	taint_absorb(j, q->base, &t);
	if (taint_rowwise(t, bits(0, q->base)))
		return;
	taint_presence(&q->presence, q->order);
	if (q->correlated)
		q->presence.opaque = true;
	else
		q->presence.vague = true;
}

static void
select_rows(struct judge *j, struct query *q, struct result *r)
{
	const struct tree *targets = tree_get(q->node, "targetList"), *w;
	bool grouped = is_grouped(q->node);
	struct taint order = {0}, windows = {0};
	struct value *values;

	query_from(j, q);
	if (grouped)
		group_begin(j, q);
	query_targets(j, q, targets, &values, r);
	w = tree_get(q->node, "windowClause");
	for (w = is_null(w) ? NULL : w->first; w != NULL && !j->stop; w = w->next) {
		query_sort_refs(j, q, tree_get(w, "partitionClause"), targets, NULL, &windows,
		    NULL);
		query_sort_refs(j, q, tree_get(w, "orderClause"), targets, NULL, &windows, NULL);
	}
	if (j->stop)
		return;
	/* Rows leave a window in its order, whether its value is shown or not. */
	taint_presence(&q->order, windows);
	if (grouped)
		group_end(j, q, values);
	if (tree_bool(q->node, "hasTargetSRFs"))
		for (size_t i = 0; i < ntargets(q); i++)
			taint_presence(&q->presence, values[i].t);
	distinct(j, q, values);
	if (j->stop)
		return;
	if (r->ncols > 0)
		targets_to_columns(targets, values, r);
	query_sort_refs(j, q, tree_get(q->node, "sortClause"), targets, values, &order, NULL);
	taint_presence(&q->order, order);
}

/* --- set operations --- */

/* Makes one instance of each pair: the row is of the left or of the right one. */
static int
pair_up(struct judge *j, int a, int b)
{
	struct instance i = {.domain = UINT16_MAX};

	if (a >= 0 && b >= 0 && j->inst[a].domain == j->inst[b].domain &&
	    j->inst[a].type == j->inst[b].type) {
		i = j->inst[a];
		i.not_null &= j->inst[b].not_null;
		i.same = 0;
	}
	return judge_instance(j, i);
}

static void
rename_bits(struct taint *t, unsigned base, const int *map)
{
	uint64_t sets[3] = { t->p, t->k, t->one };

	for (int s = 0; s < 3; s++) {
		uint64_t old = sets[s] & ~bits(0, base);

		sets[s] &= bits(0, base);
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

static uint64_t
used(const struct result *r)
{
	uint64_t set = r->presence.p | r->presence.k | r->presence.one |
	    r->order.p | r->order.k | r->order.one;

	for (size_t i = 0; i < r->ncols; i++)
		set |= r->cols[i].t.p | r->cols[i].t.k | r->cols[i].t.one;
	return set;
}

/*
 * UNION ALL: instances of both sides that put their key into the same column are
 * paired, then the others as they come.
 */
static void
union_all(struct judge *j, const struct query *q, struct result *l, struct result *r)
{
	int lmap[MAX_INSTANCES], rmap[MAX_INSTANCES];
	uint64_t lset = used(l) & ~bits(0, q->base), rset = used(r) & ~bits(0, q->base);

	memset(lmap, -1, sizeof(lmap));
	memset(rmap, -1, sizeof(rmap));
	for (size_t i = 0; i < l->ncols && i < r->ncols; i++) {
		int a = l->cols[i].key_of, b = r->cols[i].key_of;

		if (a >= 0 && b >= 0 && (lset & bit(a)) != 0 && (rset & bit(b)) != 0 &&
		    j->inst[a].domain == j->inst[b].domain) {
			lmap[a] = rmap[b] = pair_up(j, a, b);
			lset &= ~bit(a);
			rset &= ~bit(b);
		}
	}
	while (lset != 0 || rset != 0) {
		int s = pair_up(j, -1, -1);

		if (lset != 0)
			lmap[__builtin_ctzll(lset)] = s;
		if (rset != 0)
			rmap[__builtin_ctzll(rset)] = s;
		lset &= lset - 1;
		rset &= rset - 1;
	}
	for (size_t i = 0; i < l->ncols; i++) {
		int a = l->cols[i].key_of, b = i < r->ncols ? r->cols[i].key_of : -1;

		rename_bits(&l->cols[i].t, q->base, lmap);
		if (i < r->ncols) {
			rename_bits(&r->cols[i].t, q->base, rmap);
			taint_merge(&l->cols[i].t, r->cols[i].t);
		}
		/* What is left over is paired too, but keys of two domains are not one. */
		l->cols[i].key_of = a >= 0 && b >= 0 && lmap[a] >= 0 && lmap[a] == rmap[b] &&
		    j->inst[lmap[a]].domain != UINT16_MAX ? lmap[a] : -1;
	}
	rename_bits(&l->presence, q->base, lmap);
	rename_bits(&l->order, q->base, lmap);
	rename_bits(&r->presence, q->base, rmap);
	rename_bits(&r->order, q->base, rmap);
	taint_presence(&l->presence, r->presence);
	taint_presence(&l->order, r->order);
}

static void
both_sides(struct result *l, const struct result *r, bool except)
{
	struct taint right = r->presence;

	for (size_t i = 0; i < l->ncols && i < r->ncols; i++) {
		taint_merge(&right, r->cols[i].t);
		if (!except)
			taint_merge(&l->cols[i].t, r->cols[i].t);
		l->cols[i].key_of = -1;
	}
	taint_presence(&l->presence, right);
	if (except && right.dep)
		l->presence.opaque = true;
}

/* Rows that are equal become one: a witness of them is shown. */
static void
set_distinct(struct judge *j, struct query *q, const struct tree *n, struct result *l)
{
	const struct tree *c = tree_get(n, "groupClauses");
	struct taint cells = {0};
	uint64_t keys = 0;
	int64_t collation;
	bool exact = true;

	for (c = is_null(c) ? NULL : c->first; c != NULL; c = c->next) {
		exact &= tree_int(c, "eqop", 16384) < 16384;
		expr_operator(j, c, "eqop", &cells);
	}
	c = tree_get(n, "colCollations");
	for (c = is_null(c) ? NULL : c->first; c != NULL; c = c->next)
		exact &= !tree_atom_int(c, &collation) || collation < 16384;
	for (size_t i = 0; i < l->ncols; i++) {
		int key = l->cols[i].key_of;

		taint_merge(&cells, l->cols[i].t);
		if (exact && key >= 0 && j->inst[key].not_null)
			keys |= bit(key);
	}
	show_set(j, q, n, 0);
	keys = judge_same(j, keys);
	leave_all(j, q, keys, l->cols, l->ncols);
	taint_presence(&l->presence, cells);
	taint_leave(j, q, keys, &l->presence);
	taint_leave(j, q, keys, &l->order);
}

static struct result
set_operation(struct judge *j, struct query *q, const struct tree *n)
{
	struct result l = {0}, r;
	int64_t op = tree_int(n, "op", SETOP_NONE);
	struct rte *leaf;

	if (!judge_enter(j))
		return l;
	if (tree_is(n, "RANGETBLREF")) {
		leaf = query_rte(j, q, tree_int(n, "rtindex", 0));
		if (leaf == NULL)
			judge_refuse(j, WHY_TREE, "RANGETBLREF");
		else
			l = (struct result){.cols = leaf->cols, .ncols = leaf->ncols,
			    .presence = leaf->presence, .order = leaf->order};
	} else if (tree_is(n, "SETOPERATIONSTMT") && op >= SETOP_UNION && op <= SETOP_EXCEPT) {
		l = set_operation(j, q, tree_get(n, "larg"));
		r = set_operation(j, q, tree_get(n, "rarg"));
		if (op == SETOP_UNION)
			union_all(j, q, &l, &r);
		else
			both_sides(&l, &r, op == SETOP_EXCEPT);
		if (op != SETOP_UNION || !tree_bool(n, "all"))
			set_distinct(j, q, n, &l);
	} else {
		judge_refuse_node(j, n);
	}
	judge_leave(j);
	return l;
}

static void
select_set(struct judge *j, struct query *q, struct result *r)
{
	struct taint order = {0};
	const struct tree *c;

	*r = set_operation(j, q, tree_get(q->node, "setOperations"));
	q->presence = r->presence;
	q->order = r->order;
	q->gathers = true;
	if (q->outer == NULL)
		show_set(j, q, tree_get(q->node, "setOperations"), 0);
	/* ORDER BY can name columns of the result only. */
	c = tree_get(q->node, "sortClause");
	if (!is_null(c)) {
		for (size_t i = 0; i < r->ncols; i++)
			taint_merge(&order, r->cols[i].t);
		for (c = c->first; c != NULL; c = c->next)
			expr_operator(j, c, "sortop", &order);
		taint_presence(&q->order, order);
	}
}

/* --- a query --- */

struct query *
query_run(struct judge *j, const struct tree *node, struct query *outer, struct result *r)
{
	int64_t command = tree_int(node, "commandType", 0);
	const struct tree *rtable, *t;
	struct query *q;
	size_t i = 0;

	*r = (struct result){0};
	if (!tree_is(node, "QUERY") || command < CMD_SELECT || command > CMD_MERGE) {
		judge_refuse(j, WHY_TREE, "QUERY");
		return NULL;
	}
	if (!known_fields(j, node) || !judge_enter(j))
		return NULL;
	q = judge_alloc(j, 1, sizeof(*q));
	rtable = tree_get(node, "rtable");
	for (t = is_null(rtable) ? NULL : rtable->first; t != NULL; t = t->next)
		i++;
	if (!j->stop) {
		*q = (struct query){.node = node, .outer = outer, .base = j->ninst, .nrtes = i,
		    .sinks = j->nsinks};
		q->rtes = judge_alloc(j, i, sizeof(*q->rtes));
	}
	if (j->stop) {
		judge_leave(j);
		return NULL;
	}
	for (i = 0, t = is_null(rtable) ? NULL : rtable->first; t != NULL; t = t->next)
		q->rtes[i++] = (struct rte){.node = t, .inst = -1};
	query_ctes(j, q);
	if (command != CMD_SELECT)
		write_analyze(j, q, r);
	else if (!is_null(tree_get(node, "setOperations")))
		select_set(j, q, r);
	else
		select_rows(j, q, r);
	if (command == CMD_SELECT)
		limit(j, q);
	/* Rows that were locked can be told afterwards, by xmax. */
	if (!is_null(tree_get(node, "rowMarks")) && q->presence.dep &&
	    (outer != NULL || q->gathers))
		judge_refuse(j, WHY_UNKNOWN_NODE, "FOR UPDATE");
	r->presence = q->presence;
	r->order = q->order;
	r->correlated = q->correlated;
	if (j->nsinks > q->sinks && (r->presence.dep || r->order.dep))
		judge_refuse(j, WHY_SINK, j->sink);
	judge_leave(j);
	return j->stop ? NULL : q;
}
