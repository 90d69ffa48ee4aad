/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INSERT, UPDATE, DELETE, MERGE: what a row that is written may depend on, so
 * that later verdicts over the written relation stay true.
 *
 *	open		nothing personal, not even which rows are written
 *	uncovered	anything (reading it back is charged by bytes), but for
 *			foreign tables, whose rows leave at once
 *	personal	personal columns: the personal columns of the same subject;
 *			free columns: nothing personal; the key: never another one
 *	system		never
 *
 * Which rows of a personal relation a statement changed can be seen afterwards
 * without reading a personal column (a row is gone, has moved or has another
 * xmin), and be undone and asked again. So where that depends on personal columns,
 * each changed row is charged (it is returned, or the command tag counts it), or is
 * one row at most (docs/adr/0010-changes-are-charged.md). Rows of an open relation
 * are the same as free columns of a personal one in this.
 */
#include "verdict/flow.h"

#include <stdio.h>
#include <string.h>

enum { CMD_SELECT = 1, CMD_UPDATE, CMD_INSERT, CMD_DELETE, CMD_MERGE, CMD_UTILITY, CMD_NOTHING };
enum { CONFLICT_NONE, CONFLICT_NOTHING, CONFLICT_UPDATE };

/* Which of all rows was changed: a number of so many bytes, where it may say anything. */
enum { OPAQUE_ROW_WEIGHT = 8 };

static bool
is_null(const struct tree *t)
{
	return t == NULL || t->kind == TREE_NULL;
}

static void
refuse(struct judge *j, enum verdict_why why, const struct rte *target)
{
	char name[160];

	snprintf(name, sizeof(name), "%s.%s", target->rel->schema, target->rel->name);
	judge_refuse(j, why, name);
}

/* A key alone may be written where a foreign key says that it is one. */
static bool
key_allowed(struct judge *j, const struct rte *target, int64_t attnum, struct taint t)
{
	return !t.dep && catalog_refers_to_subject(j->c, target->relid, (int)attnum);
}

static bool
is_foreign(const struct rte *target)
{
	const struct tree *k = tree_get(target->node, "relkind");

	return k != NULL && k->kind == TREE_ATOM && k->len == 1 && k->text[0] == 'f';
}

/* of: instances whose subject the written row is about; 0: unknown. */
static void
check_column(struct judge *j, const struct rte *target, int64_t attnum, struct value v,
    uint64_t of)
{
	const struct catalog_col *col;
	struct taint t = v.t;

	if (!taint_any(t))
		return;
	if (target->opaque) {
		if (is_foreign(target))
			refuse(j, WHY_SINK, target);
		return;
	}
	col = catalog_col(target->rel, (int)attnum);
	if (target->rel->class == REL_PERSONAL && col != NULL && col->class != COL_FREE) {
		if (col->class == COL_KEY ? v.key_of >= 0 && (bit(v.key_of) & of) != 0 :
		    taint_rowwise(t, of))
			return;
	}
	if (!key_allowed(j, target, attnum, t))
		refuse(j, WHY_COPIES, target);
}

static void
check_columns(struct judge *j, const struct rte *target, const struct tree *list,
    const struct value *v, uint64_t of, bool insert)
{
	const struct catalog_col *col;
	size_t i = 0;

	for (const struct tree *t = is_null(list) ? NULL : list->first; t != NULL && !j->stop;
	    t = t->next, i++) {
		int64_t attnum = tree_int(t, "resno", 0);

		if (tree_bool(t, "resjunk"))
			continue;
		check_column(j, target, attnum, v[i], of);
		if (insert || target->opaque || target->rel->class != REL_PERSONAL)
			continue;
		/* Another key would put one person's data under another's name. */
		col = catalog_col(target->rel, (int)attnum);
		if (col != NULL && col->class == COL_KEY &&
		    (v[i].key_of < 0 || (bit(v[i].key_of) & of) == 0))
			refuse(j, WHY_KEY, target);
	}
}

static bool
is_constant(const struct tree *n)
{
	if (tree_is(n, "CONST"))
		return true;
	if (tree_is(n, "PARAM"))
		return tree_int(n, "paramkind", -1) == 0;
	return (tree_is(n, "RELABELTYPE") || tree_is(n, "COERCEVIAIO")) &&
	    is_constant(tree_get(n, "arg"));
}

/* WHERE has `key = constant` of the target among its AND-ed parts. */
static bool
one_subject(struct judge *j, struct query *q, const struct tree *n, int inst)
{
	const struct tree *a;

	if (inst < 0 || is_null(n) || !judge_enter(j))
		return false;
	a = tree_get(n, "args");
	a = is_null(a) ? NULL : a->first;
	if (expr_is_and(n)) {
		while (a != NULL && !one_subject(j, q, a, inst))
			a = a->next;
	} else if (!expr_is_equality(n) || a == NULL || a->next == NULL ||
	    !((is_constant(a) && expr_eval(j, q, a->next).key_of == inst) ||
	    (is_constant(a->next) && expr_eval(j, q, a).key_of == inst))) {
		a = NULL;
	}
	judge_leave(j);
	return a != NULL;
}

/* Every changed row is charged when the command tag has counted it. */
static bool
count_changed(struct judge *j, struct query *q, struct taint presence)
{
	uint32_t weight;

	if (q->outer != NULL || j->several || !tree_bool(q->node, "canSetTag"))
		return false;
	weight = taint_weight(presence);
	if (weight == VERDICT_OPAQUE || presence.vague || presence.chosen)
		weight = OPAQUE_ROW_WEIGHT;
	if (weight > j->v->tag_weight)
		j->v->tag_weight = weight;
	q->tag_depends = true;
	return true;
}

/* Which rows are changed: may that be seen in the relation afterwards? */
static void
check_presence(struct judge *j, struct query *q, const struct rte *target,
    struct taint presence)
{
	const struct tree *where = tree_get(tree_get(q->node, "jointree"), "quals");

	if (!presence.dep)
		return;
	if (target->opaque) {
		if (is_foreign(target))
			refuse(j, WHY_SINK, target);
		return;
	}
	if (q->outer == NULL && !is_null(tree_get(q->node, "returningList")))
		return;		/* each of them is charged */
	if (target->rel->class == REL_PERSONAL &&
	    taint_rowwise(presence, judge_same(j, bit(target->inst))) &&
	    one_subject(j, q, where, target->inst))
		return;
	if (!count_changed(j, q, presence))
		refuse(j, WHY_CHOICE, target);
}

static uint64_t
target_subject(const struct judge *j, const struct rte *target)
{
	return judge_same(j, bit(target->inst));
}

/*
 * The instances of the subject whose key an INSERT copies. In MERGE its rows are
 * those that did not meet the condition, so nothing follows from that.
 */
static uint64_t
copied_subject(const struct judge *j, const struct rte *target, const struct tree *list,
    const struct value *v, bool merge)
{
	size_t i = 0;

	for (const struct tree *t = is_null(list) ? NULL : list->first; t != NULL;
	    t = t->next, i++) {
		const struct catalog_col *col = catalog_col(target->rel,
		    (int)tree_int(t, "resno", 0));

		if (!tree_bool(t, "resjunk") && col != NULL && col->class == COL_KEY &&
		    v[i].key_of >= 0 && j->inst[v[i].key_of].domain == target->rel->domain)
			return merge ? bit(v[i].key_of) : judge_same(j, bit(v[i].key_of));
	}
	return 0;
}

static void
write_insert(struct judge *j, struct query *q, const struct rte *target,
    const struct tree *list, const struct value *v, struct taint presence)
{
	uint64_t of = target->rel->class == REL_PERSONAL ?
	    copied_subject(j, target, list, v, tree_int(q->node, "commandType", 0) == CMD_MERGE) :
	    0;

	check_columns(j, target, list, v, of, true);
	check_presence(j, q, target, presence);
}

static void
write_update(struct judge *j, struct query *q, const struct rte *target,
    const struct tree *list, const struct value *v, struct taint presence)
{
	uint64_t of = target_subject(j, target);

	check_columns(j, target, list, v, of, false);
	check_presence(j, q, target, presence);
}

/* Multiple assignments from a sub-query: it stands behind those who use it. */
static void
find_multi(struct judge *j, struct query *q, const struct tree *list)
{
	for (const struct tree *t = is_null(list) ? NULL : list->first; t != NULL; t = t->next)
		if (tree_bool(t, "resjunk") && tree_is(tree_get(t, "expr"), "SUBLINK"))
			(void)expr_eval(j, q, tree_get(t, "expr"));
}

static void
keep_excluded(struct judge *j, struct query *q, const struct tree *conflict,
    const struct tree *list, const struct value *v)
{
	int64_t index = tree_int(conflict, "exclRelIndex", 0);
	size_t n = 0, i = 0;
	const struct tree *t;

	for (t = is_null(list) ? NULL : list->first; t != NULL; t = t->next)
		if (tree_int(t, "resno", 0) > (int64_t)n && tree_int(t, "resno", 0) <= 1700)
			n = (size_t)tree_int(t, "resno", 0);
	if (index < 1 || (uint64_t)index > q->nrtes) {
		judge_refuse_node(j, conflict);
		return;
	}
	q->excluded = judge_alloc(j, n, sizeof(*q->excluded));
	if (j->stop)
		return;
	for (i = 0; i < n; i++)
		q->excluded[i] = value_free();
	for (i = 0, t = is_null(list) ? NULL : list->first; t != NULL; t = t->next, i++)
		if (!tree_bool(t, "resjunk") && tree_int(t, "resno", 0) <= (int64_t)n)
			q->excluded[tree_int(t, "resno", 1) - 1] = v[i];
	q->nexcluded = n;
	q->excluded_rte = (size_t)index;
	q->rtes[index - 1].state = RTE_DONE;
}

static bool
personal_unique(const struct rte *target)
{
	for (size_t i = 0; i < target->rel->ncols; i++)
		if (target->rel->cols[i].unique && (target->rel->cols[i].class == COL_PERSONAL ||
		    target->rel->cols[i].class == COL_NEW))
			return true;
	return false;
}

/* Whether a conflict shows that a row with these personal values is there. */
static struct taint
conflict_taint(struct judge *j, struct query *q, const struct rte *target,
    const struct tree *c)
{
	const struct tree *arbiter = tree_get(c, "arbiterElems");
	struct taint found = expr_list(j, q, arbiter);

	taint_merge(&found, expr_list(j, q, tree_get(c, "arbiterWhere")));
	if (!is_null(arbiter))
		return found;
	if (target->opaque)
		return (struct taint){.dep = true, .opaque = true};
	if (target->rel->class == REL_PERSONAL && personal_unique(target))
		return (struct taint){.p = bit(target->inst), .dep = true,
		    .opaque = target->inst < 0};
	return (struct taint){0};
}

static void
write_conflict(struct judge *j, struct query *q, const struct rte *target,
    const struct tree *list, const struct value *v)
{
	const struct tree *c = tree_get(q->node, "onConflict"), *set;
	const struct tree *from = tree_get(tree_get(q->node, "jointree"), "fromlist");
	struct taint presence = q->presence, found;
	unsigned before = j->nsinks;
	struct result none = {0};
	struct value *values;

	if (is_null(c))
		return;
	if (!tree_is(c, "ONCONFLICTEXPR")) {
		judge_refuse_node(j, c);
		return;
	}
	/* Defaults are computed before anybody looks for a conflict. */
	if (before > q->sinks && q->presence.dep)
		judge_refuse(j, WHY_SINK, j->sink);
	found = conflict_taint(j, q, target, c);
	q->tag_depends |= found.dep;
	taint_presence(&presence, found);
	/* Of several rows, those that were not inserted are known afterwards. */
	if (found.dep && !target->opaque && !is_null(from) && from->first != NULL)
		refuse(j, WHY_CHOICE, target);
	if (tree_int(c, "action", 0) == CONFLICT_UPDATE) {
		set = tree_get(c, "onConflictSet");
		keep_excluded(j, q, c, list, v);
		find_multi(j, q, set);
		query_targets(j, q, set, &values, &none);
		expr_qual(j, q, tree_get(c, "onConflictWhere"), COND_FILTER, 0, &presence);
		if (j->stop)
			return;
		check_columns(j, target, set, values, target_subject(j, target), false);
		/* Of a single row the tag tells by its digits. */
		if (target->rel->class != REL_PERSONAL ||
		    (!is_null(from) && from->first != NULL))
			check_presence(j, q, target, presence);
	}
	if (j->nsinks > before && presence.dep)
		judge_refuse(j, WHY_SINK, j->sink);
	q->sinks = j->nsinks;
	q->tag_depends |= presence.dep;
	q->presence = presence;
}

static void
write_merge(struct judge *j, struct query *q, const struct rte *target)
{
	const struct tree *list = tree_get(q->node, "mergeActionList");
	struct taint any = q->presence;

	for (const struct tree *a = is_null(list) ? NULL : list->first; a != NULL && !j->stop;
	    a = a->next) {
		const struct tree *targets = tree_get(a, "targetList");
		struct taint presence = q->presence;
		struct result none = {0};
		struct value *v;

		if (!tree_is(a, "MERGEACTION")) {
			judge_refuse_node(j, a);
			return;
		}
		expr_qual(j, q, tree_get(a, "qual"), COND_FILTER, 0, &presence);
		find_multi(j, q, targets);
		query_targets(j, q, targets, &v, &none);
		taint_merge(&any, presence);
		if (j->stop)
			return;
		switch (tree_int(a, "commandType", 0)) {
		case CMD_INSERT:
			write_insert(j, q, target, targets, v, presence);
			break;
		case CMD_UPDATE:
			write_update(j, q, target, targets, v, presence);
			break;
		case CMD_DELETE:
			check_presence(j, q, target, presence);
			break;
		case CMD_NOTHING:
			break;
		default:
			judge_refuse_node(j, a);
			break;
		}
	}
	q->presence = any;
}

/* Their conditions only decide whether the statement fails; they may run code. */
static void
check_options(struct judge *j, struct query *q)
{
	const struct tree *list = tree_get(q->node, "withCheckOptions");

	for (const struct tree *o = is_null(list) ? NULL : list->first; o != NULL; o = o->next) {
		if (tree_is(o, "WITHCHECKOPTION"))
			(void)expr_list(j, q, tree_get(o, "qual"));
		else
			judge_refuse_node(j, o);
	}
}

void
write_analyze(struct judge *j, struct query *q, struct result *r)
{
	int64_t command = tree_int(q->node, "commandType", 0);
	const struct tree *targets = tree_get(q->node, "targetList");
	struct rte *target = query_rte(j, q, tree_int(q->node, "resultRelation", 0));
	struct result written = {0};
	struct value *v;

	if (target == NULL || target->rel == NULL) {
		if (!j->stop)
			judge_refuse(j, WHY_TREE, "resultRelation");
		return;
	}
	j->v->modifies = true;
	if (target->rel->class == REL_SYSTEM || target->rel->class == REL_SYSTEM_OPAQUE) {
		refuse(j, WHY_SYSTEM, target);
		return;
	}
	if (target->rel->has_triggers || target->rel->relkind == 'v') {
		j->v->runs_user_code = true;
		j->v->touches_personal = true;
	}
	query_from(j, q);
	find_multi(j, q, targets);
	query_targets(j, q, targets, &v, &written);
	if (j->stop)
		return;
	switch (command) {
	case CMD_INSERT:
		write_insert(j, q, target, targets, v, q->presence);
		write_conflict(j, q, target, targets, v);
		break;
	case CMD_UPDATE:
		write_update(j, q, target, targets, v, q->presence);
		break;
	case CMD_DELETE:
		check_presence(j, q, target, q->presence);
		break;
	case CMD_MERGE:
		write_merge(j, q, target);
		break;
	}
	check_options(j, q);
	/* The rows that are returned are charged, and tell their number. */
	q->tag_depends |= q->presence.dep;
	if (!is_null(tree_get(q->node, "returningList")))
		q->tag_depends = false;
	query_targets(j, q, tree_get(q->node, "returningList"), NULL, r);
}
