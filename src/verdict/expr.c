/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The taint of expressions. Every node label that is not in the table at the end
 * is refused, and children of nodes that have no rule of their own are all
 * visited, so a field that a later server adds is not passed over.
 */
#include "verdict/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/settings.h"

enum sublink { EXISTS_SUBLINK, ALL_SUBLINK, ANY_SUBLINK, ROWCOMPARE_SUBLINK, EXPR_SUBLINK,
	MULTIEXPR_SUBLINK, ARRAY_SUBLINK };

enum { PARAM_EXTERN, PARAM_EXEC, PARAM_SUBLINK, PARAM_MULTIEXPR };

#define TEXTOID 25
#define FIRST_USER_OID 16384

static struct value
tainted(struct taint t)
{
	return (struct value){.t = t, .key_of = -1};
}

static uint32_t
get_oid(const struct tree *n, const char *field)
{
	int64_t v = tree_int(n, field, 0);

	return v < 0 || v > UINT32_MAX ? 0 : (uint32_t)v;
}

/* The taint of everything below a value: a node, a list of nodes, or nothing. */
struct taint
expr_list(struct judge *j, struct query *q, const struct tree *t)
{
	struct taint sum = {0};

	if (t == NULL || j->stop)
		return sum;
	if (t->kind == TREE_NODE)
		return expr_eval(j, q, t).t;
	if (t->kind == TREE_LIST)
		for (const struct tree *e = t->first; e != NULL; e = e->next)
			taint_merge(&sum, expr_list(j, q, e));
	return sum;
}

static struct taint
children(struct judge *j, struct query *q, const struct tree *n)
{
	struct taint sum = {0};

	for (const struct tree *f = n->first; f != NULL; f = f->next)
		taint_merge(&sum, expr_list(j, q, f));
	return sum;
}

/* --- functions --- */

static void
fn_refuse(struct judge *j, enum verdict_why why, uint32_t oid)
{
	const char *name = catalog_fn_name(j->c, oid);
	char unnamed[32];

	if (name[0] == '\0') {
		snprintf(unnamed, sizeof(unnamed), "oid %lu", (unsigned long)oid);
		name = unnamed;
	}
	judge_refuse(j, why, name);
}

static void
set_sink(struct judge *j, const char *name)
{
	j->nsinks++;
	j->sink = name;
}

/* The text of a Const of type text, as nodeToString() shows its varlena. */
static bool
const_text(const struct tree *n, char *out, size_t cap)
{
	const struct tree *v = tree_get(n, "constvalue");
	char buf[1024];
	uint8_t bytes[256];
	size_t len = 0;
	long want;
	char *p;

	if (!tree_is(n, "CONST") || get_oid(n, "consttype") != TEXTOID ||
	    v == NULL || v->kind != TREE_ATOM || v->len >= sizeof(buf))
		return false;
	memcpy(buf, v->text, v->len);
	buf[v->len] = '\0';
	want = strtol(buf, &p, 10);
	p += strspn(p, " \n\t");
	if (*p++ != '[' || want < 4 || want > (long)sizeof(bytes))
		return false;
	for (;;) {
		char *end;
		long b;

		p += strspn(p, " \n\t");
		if (*p == ']')
			break;
		b = strtol(p, &end, 10);
		if (end == p || len == sizeof(bytes) || b < -128 || b > 255)
			return false;
		bytes[len++] = (uint8_t)b;
		p = end;
	}
	if (len != (size_t)want || len - 4 >= cap)
		return false;
	/* A plain 4-byte header of either byte order, else it is not read. */
	if (((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	    (uint32_t)bytes[3] << 24) != (uint32_t)len << 2 &&
	    ((uint32_t)bytes[3] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[1] << 16 |
	    (uint32_t)bytes[0] << 24) != (uint32_t)len)
		return false;
	if (memchr(bytes + 4, 0, len - 4) != NULL)
		return false;
	memcpy(out, bytes + 4, len - 4);
	out[len - 4] = '\0';
	return true;
}

static bool
same_column(const struct tree *a, const struct tree *b)
{
	return tree_is(a, "VAR") && tree_is(b, "VAR") &&
	    tree_int(a, "varlevelsup", 1) == 0 && tree_int(b, "varlevelsup", 1) == 0 &&
	    tree_int(a, "varno", -1) == tree_int(b, "varno", -2) &&
	    tree_int(a, "varattno", -1) == tree_int(b, "varattno", -2);
}

/* A condition of which every part must hold says that a column is one text. */
static bool
held_text(const struct tree *cond, const struct tree *column, char *out, size_t cap)
{
	const struct tree *a = tree_get(cond, "args");

	if (a == NULL || a->kind != TREE_LIST)
		return false;
	a = a->first;
	if (expr_is_and(cond)) {
		for (; a != NULL; a = a->next)
			if (held_text(a, column, out, cap))
				return true;
		return false;
	}
	return expr_is_equality(cond) && a != NULL && a->next != NULL &&
	    same_column(a, column) && const_text(a->next, out, cap);
}

static void
set_config(struct judge *j, const struct query *q, const struct tree *n, struct taint args)
{
	const struct tree *list = tree_get(n, "args");
	char name[128];

	/* Targets are computed of rows that meet the condition; pg_dump asks so. */
	if (list == NULL || list->kind != TREE_LIST ||
	    (!const_text(list->first, name, sizeof(name)) &&
	    !(q != NULL && q->targets && held_text(tree_get(tree_get(q->node, "jointree"),
	    "quals"), list->first, name, sizeof(name))))) {
		judge_refuse(j, WHY_SETTING, "(computed name)");
		return;
	}
	if (taint_any(args)) {
		judge_refuse(j, WHY_SINK, "set_config");
		return;
	}
	switch (catalog_setting(name)) {
	case SETTING_FREE:
		break;
	case SETTING_CONTEXT:
		j->v->changes_context = true;
		break;
	case SETTING_LITERAL:
	case SETTING_HELD:
	case SETTING_REFUSED:
		judge_refuse(j, WHY_SETTING, name);
		return;
	}
	j->v->exact_only = true;
	set_sink(j, "set_config");
}

/*
 * A function is called with arguments of that taint. For set_config: n is the node,
 * q the query, if it is called as a function there.
 */
static void
fn_use(struct judge *j, const struct query *q, uint32_t oid, const struct tree *n,
    struct taint *t)
{
	enum catalog_fn_class class = catalog_fn(j->c, oid);

	if (oid >= FIRST_USER_OID && class != FN_USER)
		j->v->runs_user_code = true;
	switch (class) {
	case FN_PURE:
		break;
	case FN_SINK:
		if (taint_any(*t))
			fn_refuse(j, WHY_SINK, oid);
		set_sink(j, catalog_fn_name(j->c, oid));
		break;
	case FN_SETTING:
		set_config(j, q, n, *t);
		break;
	case FN_OPAQUE:
		t->opaque = t->dep = true;
		j->v->touches_personal = true;
		break;
	case FN_REFUSED:
		fn_refuse(j, WHY_RUNS_SQL, oid);
		break;
	case FN_USER:
		fn_refuse(j, WHY_USER_FUNCTION, oid);
		break;
	}
}

void
expr_operator(struct judge *j, const struct tree *n, const char *op_field, struct taint *t)
{
	uint32_t op = get_oid(n, op_field);

	if (op < FIRST_USER_OID)
		return;
	fn_use(j, NULL, catalog_operator_fn(j->c, op), n, t);
}

/* Reading or writing a value of the type may run code that users defined. */
static void
oid_use(struct judge *j, uint32_t type, struct taint *t)
{
	if (catalog_type_plain(j->c, type))
		return;
	j->v->runs_user_code = true;
	if (taint_any(*t))
		t->opaque = true;
}

static void
type_use(struct judge *j, const struct tree *n, const char *field, struct taint *t)
{
	oid_use(j, get_oid(n, field), t);
}

void
expr_check_sink(struct judge *j, unsigned before, struct taint t)
{
	if (j->nsinks > before && t.dep)
		judge_refuse(j, WHY_SINK, j->sink);
}

static struct value
eval_func(struct judge *j, struct query *q, const struct tree *n)
{
	struct taint t = children(j, q, n);

	fn_use(j, q, get_oid(n, "funcid"), n, &t);
	type_use(j, n, "funcresulttype", &t);
	return tainted(t);
}

/* A function in FROM, with the types that the statement gives its columns. */
static struct value
eval_columns(struct judge *j, struct query *q, const struct tree *n)
{
	struct taint t = children(j, q, n);
	const struct tree *list = tree_get(n, "funccoltypes");
	int64_t type;

	if (list == NULL)
		list = tree_get(n, "coltypes");
	for (list = list == NULL ? NULL : list->first; list != NULL; list = list->next)
		if (tree_atom_int(list, &type))
			oid_use(j, (uint32_t)type, &t);
	return tainted(t);
}

static struct value
eval_op(struct judge *j, struct query *q, const struct tree *n)
{
	struct taint t = children(j, q, n);
	uint32_t fn = get_oid(n, "opfuncid");

	if (fn != 0)
		fn_use(j, NULL, fn, n, &t);
	else
		expr_operator(j, n, "opno", &t);
	return tainted(t);
}

static struct value
eval_row_compare(struct judge *j, struct query *q, const struct tree *n)
{
	struct taint t = children(j, q, n);
	const struct tree *ops = tree_get(n, "opnos");
	int64_t op;

	for (ops = ops == NULL ? NULL : ops->first; ops != NULL; ops = ops->next)
		if (tree_atom_int(ops, &op) && op >= FIRST_USER_OID)
			fn_use(j, NULL, catalog_operator_fn(j->c, (uint32_t)op), n, &t);
	return tainted(t);
}

static struct value
eval_nextval(struct judge *j, struct query *q, const struct tree *n)
{
	set_sink(j, "nextval");
	return value_free();
}

/* --- leaves and wrappers --- */

static struct value
eval_free(struct judge *j, struct query *q, const struct tree *n)
{
	return value_free();
}

static struct value
eval_children(struct judge *j, struct query *q, const struct tree *n)
{
	return tainted(children(j, q, n));
}

static struct value
eval_typed(struct judge *j, struct query *q, const struct tree *n)
{
	struct taint t = children(j, q, n);

	type_use(j, n, "resulttype", &t);
	type_use(j, n, "minmaxtype", &t);
	type_use(j, n, "refcontainertype", &t);
	return tainted(t);
}

/* A relabelled key is still the key where its text is the same. */
static struct value
eval_relabel(struct judge *j, struct query *q, const struct tree *n)
{
	static const uint32_t same_text[] = { 20, 21, 23, 25, 1043, 1700, 2950 };
	struct value v = expr_eval(j, q, tree_get(n, "arg"));
	uint32_t type = get_oid(n, "resulttype");

	for (size_t i = 0; i < sizeof(same_text) / sizeof(same_text[0]); i++)
		if (same_text[i] == type)
			return v;
	v.key_of = -1;
	return v;
}

static struct value
eval_field(struct judge *j, struct query *q, const struct tree *n)
{
	const struct tree *arg = tree_get(n, "arg");
	int64_t up = tree_int(arg, "varlevelsup", 0);
	struct query *at = q;
	struct rte *r;

	if (!tree_is(arg, "VAR") || tree_int(arg, "varattno", -1) != 0)
		return tainted(children(j, q, n));
	for (; up > 0 && at != NULL; up--) {
		at->correlated = true;
		at = at->outer;
	}
	r = at == NULL ? NULL : query_rte(j, at, tree_int(arg, "varno", 0));
	if (r == NULL || r->rel == NULL)
		return tainted(children(j, q, n));
	return rte_column(j, at, r, tree_int(n, "fieldnum", 0));
}

static struct value
eval_var(struct judge *j, struct query *q, const struct tree *n)
{
	int64_t up = tree_int(n, "varlevelsup", 0);
	struct rte *r;

	for (; up > 0 && q != NULL; up--) {
		q->correlated = true;
		q = q->outer;
	}
	r = q == NULL || up < 0 ? NULL : query_rte(j, q, tree_int(n, "varno", 0));
	if (r == NULL) {
		judge_refuse(j, WHY_TREE, "VAR");
		return value_free();
	}
	return rte_column(j, q, r, tree_int(n, "varattno", 0));
}

static struct value
eval_param(struct judge *j, struct query *q, const struct tree *n)
{
	switch (tree_int(n, "paramkind", PARAM_EXEC)) {
	case PARAM_EXTERN:	/* the client's own value */
	case PARAM_SUBLINK:	/* counted with the sub-query */
		return value_free();
	case PARAM_MULTIEXPR:
		return tainted(q->multi);
	}
	judge_refuse_node(j, n);
	return value_free();
}

/* --- aggregates and windows --- */

/*
 * What comes of many rows. `all`: everything that the rows and their choice
 * depend on; within: instances of which all these rows belong to one subject.
 */
static struct taint
of_many(struct judge *j, const struct query *q, enum catalog_agg kind, struct taint all,
    uint64_t within)
{
	struct taint gone;

	taint_absorb(j, q->base, &all);
	within |= bits(0, q->base);
	if (!taint_any(all) || (kind == AGG_COUNT && !all.dep))
		return (struct taint){0};
	if (taint_rowwise(all, within))
		return all;
	gone = all;
	gone.p &= ~within;
	gone.k &= ~within;
	all.p &= within;
	all.k &= within;
	all.one = 0;
	all.chosen = true;
	if (kind == AGG_PICK && !all.opaque)
		all.extra = taint_weight(gone);	/* another row than its neighbours' */
	else
		all.opaque = true;
	return all;
}

static struct value
eval_aggregate(struct judge *j, struct query *q, const struct tree *n)
{
	uint32_t fn = get_oid(n, "aggfnoid");
	enum catalog_agg kind = catalog_agg(j->c, fn);
	struct query *at = q;
	struct taint all = expr_list(j, q, tree_get(n, "args")), t;

	taint_merge(&all, expr_list(j, q, tree_get(n, "aggdirectargs")));
	taint_merge(&all, expr_list(j, q, tree_get(n, "aggfilter")));
	query_sort_refs(j, q, tree_get(n, "aggorder"), tree_get(n, "args"), NULL,
	    NULL, NULL);
	query_sort_refs(j, q, tree_get(n, "aggdistinct"), tree_get(n, "args"), NULL,
	    NULL, NULL);
	fn_use(j, NULL, fn, n, &all);
	for (int64_t up = tree_int(n, "agglevelsup", 0); up > 0 && at != NULL; up--) {
		at->correlated = true;
		at = at->outer;
	}
	if (at == NULL) {
		judge_refuse(j, WHY_TREE, "AGGREF");
		return value_free();
	}
	t = all;
	taint_merge(&t, at->presence);
	if (kind == AGG_ANY)
		taint_presence(&t, at->order);
	return tainted(of_many(j, at, kind, t, at->group));
}

static const struct tree *
find_window(const struct query *q, int64_t winref)
{
	const struct tree *w = tree_get(q->node, "windowClause");

	for (w = w == NULL ? NULL : w->first; w != NULL; w = w->next)
		if (tree_int(w, "winref", -1) == winref)
			return w;
	return NULL;
}

static struct value
eval_window(struct judge *j, struct query *q, const struct tree *n)
{
	const struct tree *w = find_window(q, tree_int(n, "winref", 0));
	const struct tree *targets = tree_get(q->node, "targetList");
	uint32_t fn = get_oid(n, "winfnoid");
	enum catalog_agg kind = catalog_agg(j->c, fn);
	struct taint all = expr_list(j, q, tree_get(n, "args"));
	uint64_t keys = 0;

	if (w == NULL) {
		judge_refuse(j, WHY_TREE, "WINDOWFUNC");
		return value_free();
	}
	taint_merge(&all, expr_list(j, q, tree_get(n, "aggfilter")));
	fn_use(j, NULL, fn, n, &all);
	query_sort_refs(j, q, tree_get(w, "partitionClause"), targets, NULL, &all, &keys);
	query_sort_refs(j, q, tree_get(w, "orderClause"), targets, NULL, &all, NULL);
	taint_merge(&all, expr_list(j, q, tree_get(w, "startOffset")));
	taint_merge(&all, expr_list(j, q, tree_get(w, "endOffset")));
	taint_merge(&all, q->presence);
	taint_merge(&all, q->having);
	taint_presence(&all, q->order);
	return tainted(of_many(j, q, kind, all, judge_same(j, keys)));
}

/* --- sub-queries in expressions --- */

/* a = b, where equal values are equal texts too. */
bool
expr_is_equality(const struct tree *n)
{
	static const int64_t ops[] = { 15, 93, 94, 96, 98, 410, 416, 532, 533, 607, 1054,
	    1093, 1752, 1862, 1868, 1955, 2972 };
	int64_t op = tree_int(n, "opno", 0);

	if (!tree_is(n, "OPEXPR") || tree_int(n, "inputcollid", 0) >= FIRST_USER_OID)
		return false;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (ops[i] == op)
			return true;
	return false;
}

static bool
same_people(const struct judge *j, int a, int b)
{
	return a >= 0 && b >= 0 && a != b &&
	    j->inst[a].domain != UINT16_MAX && j->inst[a].domain == j->inst[b].domain;
}

/*
 * `key = ANY (SELECT key ...)`: whatever else the sub-query holds, only its rows
 * of the same subject matter. (A NULL among them would, so the key must be NOT
 * NULL.)
 */
static void
link_any(struct judge *j, struct query *q, const struct tree *n, const struct result *r)
{
	const struct tree *test = tree_get(n, "testexpr"), *arg, *other;
	int key;

	if (!expr_is_equality(test) || r->ncols != 1 || r->cols[0].key_of < 0 ||
	    !j->inst[r->cols[0].key_of].not_null)
		return;
	arg = tree_get(test, "args")->first;
	other = arg == NULL ? NULL : arg->next;
	while (tree_is(other, "RELABELTYPE"))
		other = tree_get(other, "arg");
	if (!tree_is(other, "PARAM"))
		return;
	key = expr_eval(j, q, arg).key_of;
	if (same_people(j, key, r->cols[0].key_of))
		j->inst[key].same |= bit(r->cols[0].key_of);
}

/* positive: it is one of the conditions that a row must meet, so one witness counts. */
static struct taint
sublink(struct judge *j, struct query *q, const struct tree *n, bool positive)
{
	int64_t type = tree_int(n, "subLinkType", -1);
	unsigned base = j->ninst;
	struct query *sub, inner = {.base = base};
	struct taint t = {0}, cells = {0};
	struct result r;
	bool many;

	sub = query_run(j, tree_get(n, "subselect"), q, &r);
	if (sub == NULL)
		return t;
	if (type != EXISTS_SUBLINK)
		query_show(j, sub, 0);
	for (size_t i = 0; i < r.ncols; i++)
		taint_merge(&cells, r.cols[i].t);
	t = expr_list(j, q, tree_get(n, "testexpr"));
	switch (type) {
	case EXISTS_SUBLINK:
		break;
	case ANY_SUBLINK:
		link_any(j, q, n, &r);
		taint_merge(&t, cells);
		break;
	case ALL_SUBLINK:
	case ROWCOMPARE_SUBLINK:
	case EXPR_SUBLINK:
	case MULTIEXPR_SUBLINK:
	case ARRAY_SUBLINK:
		taint_merge(&t, cells);
		break;
	default:
		judge_refuse_node(j, n);
		return t;
	}
	taint_presence(&t, r.presence);
	if (type == ARRAY_SUBLINK)
		taint_presence(&t, r.order);
	taint_absorb(j, base, &t);
	many = !taint_rowwise(t, bits(0, base)) && (r.presence.dep || taint_any(cells));
	switch (type) {
	case EXPR_SUBLINK:
	case ROWCOMPARE_SUBLINK:
	case MULTIEXPR_SUBLINK:
		/* At most one row; that there is none says something of all. */
		if (many && (r.presence.dep || r.order.dep))
			t.chosen = true;
		break;
	case EXISTS_SUBLINK:
	case ANY_SUBLINK:
		if (many && t.dep && !positive)
			t.opaque = true;
		break;
	case ALL_SUBLINK:
		if (many && t.dep)
			t.opaque = true;
		break;
	case ARRAY_SUBLINK:
		if (many)
			t.opaque = true;
		break;
	}
	taint_leave(j, &inner, 0, &t);
	return t;
}

static struct value
eval_sublink(struct judge *j, struct query *q, const struct tree *n)
{
	if (tree_int(n, "subLinkType", -1) == MULTIEXPR_SUBLINK) {
		q->multi = sublink(j, q, n, false);
		return value_free();
	}
	return tainted(sublink(j, q, n, false));
}

/* --- conditions --- */

static bool
is_bool(const struct tree *n, const char *op)
{
	const struct tree *b = tree_is(n, "BOOLEXPR") ? tree_get(n, "boolop") : NULL;

	return b != NULL && b->kind == TREE_ATOM && b->len == strlen(op) &&
	    memcmp(b->text, op, b->len) == 0;
}

static struct taint
condition(struct judge *j, struct query *q, const struct tree *n)
{
	struct taint t = {0};
	int64_t type;

	if (!judge_enter(j))
		return t;
	if (is_bool(n, "and") || is_bool(n, "or")) {
		const struct tree *args = tree_get(n, "args");

		for (args = args == NULL ? NULL : args->first; args != NULL; args = args->next)
			taint_merge(&t, condition(j, q, args));
	} else if (tree_is(n, "SUBLINK")) {
		type = tree_int(n, "subLinkType", -1);
		t = sublink(j, q, n, type == EXISTS_SUBLINK || type == ANY_SUBLINK);
	} else {
		t = expr_list(j, q, n);
	}
	judge_leave(j);
	return t;
}

bool
expr_is_and(const struct tree *n)
{
	return is_bool(n, "and");
}

/*
 * Rows that passed `a.key = b.key` hold one subject. In an outer join's own
 * condition that is so for the side that may be missing (nullable) only.
 */
static void
link_twin(struct judge *j, struct query *q, const struct tree *n, int inst)
{
	struct rte *r;
	struct twin *t;

	if (!tree_is(n, "VAR") || tree_int(n, "varlevelsup", 1) != 0 ||
	    tree_int(n, "varattno", 0) < 1 || (unsigned)inst < q->base ||
	    j->inst[inst].domain == UINT16_MAX ||
	    tree_int(n, "vartype", 0) != j->inst[inst].type)
		return;
	r = query_rte(j, q, tree_int(n, "varno", 0));
	t = r == NULL || r->aliases != NULL ? NULL : judge_alloc(j, 1, sizeof(*t));
	if (t == NULL)
		return;
	*t = (struct twin){.rte = r, .attnum = tree_int(n, "varattno", 0), .inst = inst,
	    .next = q->twins};
	q->twins = t;
}

static void
link_keys(struct judge *j, struct query *q, const struct tree *n, enum cond cond,
    uint64_t nullable)
{
	const struct tree *args;
	int a, b;

	if (!expr_is_equality(n))
		return;
	args = tree_get(n, "args");
	if (args == NULL || args->first == NULL || args->first->next == NULL)
		return;
	a = expr_eval(j, q, args->first).key_of;
	b = expr_eval(j, q, args->first->next).key_of;
	if (cond == COND_FILTER && nullable != 0 && a >= 0 && b < 0)
		link_twin(j, q, args->first->next, a);
	if (cond == COND_FILTER && nullable != 0 && b >= 0 && a < 0)
		link_twin(j, q, args->first, b);
	if (!same_people(j, a, b) || ((unsigned)a < q->base && (unsigned)b < q->base))
		return;
	/* Of an outer query's row this holds only as long as there is an inner one. */
	if ((nullable & bit(a)) != 0 && (unsigned)a >= q->base)
		j->inst[b].same |= bit(a);
	if ((nullable & bit(b)) != 0 && (unsigned)b >= q->base)
		j->inst[a].same |= bit(b);
}

void
expr_qual(struct judge *j, struct query *q, const struct tree *n, enum cond cond,
    uint64_t nullable, struct taint *presence)
{
	unsigned before = j->nsinks;
	struct taint t;

	if (n == NULL || n->kind == TREE_NULL || !judge_enter(j))
		return;
	if (is_bool(n, "and")) {
		const struct tree *args = tree_get(n, "args");

		for (args = args == NULL ? NULL : args->first; args != NULL; args = args->next)
			expr_qual(j, q, args, cond, nullable, presence);
	} else if (n->kind == TREE_LIST) {
		for (n = n->first; n != NULL; n = n->next)
			expr_qual(j, q, n, cond, nullable, presence);
	} else {
		if (cond != COND_FULL)
			link_keys(j, q, n, cond, nullable);
		t = cond == COND_FILTER ? condition(j, q, n) : expr_list(j, q, n);
		expr_check_sink(j, before, t);
		taint_presence(presence, t);
	}
	judge_leave(j);
}

/* --- dispatch --- */

static const struct {
	const char *label;
	struct value (*eval)(struct judge *, struct query *, const struct tree *);
} labels[] = {
	{ "VAR", eval_var },
	{ "CONST", eval_free },
	{ "FUNCEXPR", eval_func },
	{ "OPEXPR", eval_op },
	{ "TARGETENTRY", eval_children },
	{ "RELABELTYPE", eval_relabel },
	{ "BOOLEXPR", eval_children },
	{ "PARAM", eval_param },
	{ "AGGREF", eval_aggregate },
	{ "SUBLINK", eval_sublink },
	{ "CASEEXPR", eval_children },
	{ "CASEWHEN", eval_children },
	{ "CASETESTEXPR", eval_free },
	{ "NULLTEST", eval_children },
	{ "BOOLEANTEST", eval_children },
	{ "SCALARARRAYOPEXPR", eval_op },
	{ "DISTINCTEXPR", eval_op },
	{ "NULLIFEXPR", eval_op },
	{ "COALESCEEXPR", eval_children },
	{ "MINMAXEXPR", eval_typed },
	{ "COERCEVIAIO", eval_typed },
	{ "COERCETODOMAIN", eval_typed },
	{ "COERCETODOMAINVALUE", eval_free },
	{ "ARRAYCOERCEEXPR", eval_typed },
	{ "CONVERTROWTYPEEXPR", eval_typed },
	{ "COLLATEEXPR", eval_children },
	{ "ARRAY", eval_children },	/* "ARRAYEXPR" in later servers */
	{ "ARRAYEXPR", eval_children },
	{ "ROWEXPR", eval_children },
	{ "ROWCOMPAREEXPR", eval_row_compare },
	{ "FIELDSELECT", eval_field },
	{ "FIELDSTORE", eval_children },
	{ "SUBSCRIPTINGREF", eval_typed },
	{ "NAMEDARGEXPR", eval_children },
	{ "WINDOWFUNC", eval_window },
	{ "GROUPINGFUNC", eval_free },
	{ "SQLVALUEFUNCTION", eval_free },
	{ "XMLEXPR", eval_children },
	{ "TABLEFUNC", eval_columns },
	{ "RANGETBLFUNCTION", eval_columns },
	{ "SETTODEFAULT", eval_free },
	{ "NEXTVALUEEXPR", eval_nextval },
	/* The row that the client fetched last, and was charged for then. */
	{ "CURRENTOFEXPR", eval_free },
	{ "INFERENCEELEM", eval_children },
};

struct value
expr_eval(struct judge *j, struct query *q, const struct tree *n)
{
	struct value v = value_free();

	if (n == NULL || n->kind == TREE_NULL || !judge_enter(j))
		return v;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (!tree_is(n, labels[i].label))
			continue;
		v = labels[i].eval(j, q, n);
		judge_leave(j);
		return v;
	}
	judge_refuse_node(j, n);
	judge_leave(j);
	return v;
}
