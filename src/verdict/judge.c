/* SPDX-License-Identifier: Apache-2.0 */
/* verdict_judge(): from the tree to the class, the keys and the weights. */
#include "verdict/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 256

struct block {
	struct block *next;
	max_align_t data[];
};

const char *
verdict_class_word(enum verdict_class c)
{
	static const char *const words[] = {
#define X(name, word) word,
		VERDICT_CLASSES(X)
#undef X
	};

	return words[c];
}

const char *
verdict_why_sqlstate(enum verdict_why w)
{
	static const char *const states[] = {
#define X(name, state, text, hint) state,
		VERDICT_WHYS(X)
#undef X
	};

	return states[w];
}

const char *
verdict_why_text(enum verdict_why w)
{
	static const char *const texts[] = {
#define X(name, state, text, hint) text,
		VERDICT_WHYS(X)
#undef X
	};

	return texts[w];
}

const char *
verdict_why_hint(enum verdict_why w)
{
	static const char *const hints[] = {
#define X(name, state, text, hint) hint,
		VERDICT_WHYS(X)
#undef X
	};

	return hints[w];
}

/* --- the judgement's state --- */

void *
judge_alloc(struct judge *j, size_t n, size_t size)
{
	struct block *b = calloc(1, sizeof(*b) + (n == 0 ? 1 : n) * size);

	if (b == NULL) {
		j->err = ERR_NOMEM;
		j->stop = true;
		return NULL;
	}
	b->next = j->blocks;
	j->blocks = b;
	return b->data;
}

void
judge_refuse(struct judge *j, enum verdict_why why, const char *object)
{
	if (j->stop)
		return;
	j->stop = true;
	j->v->why = why;
	j->v->object = strdup(object);
	if (j->v->object == NULL)
		j->err = ERR_NOMEM;
}

void
judge_refuse_node(struct judge *j, const struct tree *t)
{
	char label[64] = "list";

	if (t != NULL && t->kind == TREE_NODE)
		snprintf(label, sizeof(label), "%.*s", t->len > 60 ? 60 : (int)t->len, t->text);
	judge_refuse(j, WHY_UNKNOWN_NODE, label);
}

bool
judge_enter(struct judge *j)
{
	if (j->stop)
		return false;
	if (j->depth >= MAX_DEPTH || j->steps >= MAX_STEPS) {
		judge_refuse(j, WHY_UNKNOWN_NODE, "too complex");
		return false;
	}
	j->depth++;
	j->steps++;
	return true;
}

void
judge_leave(struct judge *j)
{
	j->depth--;
}

int
judge_instance(struct judge *j, struct instance inst)
{
	if (j->ninst == MAX_INSTANCES)
		return -1;
	for (unsigned i = 0; i < j->ninst; i++)
		j->inst[i].same &= ~bit((int)j->ninst);
	inst.same = 0;
	j->inst[j->ninst] = inst;
	return (int)j->ninst++;
}

void
judge_touch(struct judge *j, const struct rte *r, int attnum, bool uncovered)
{
	struct touched *t;
	size_t i = 0;

	if (j->quiet)
		return;
	j->v->touches_personal = true;
	while (i < j->ntouched && j->touched[i].relid != r->relid)
		i++;
	if (i == j->ntouched) {
		if ((i & (i - 1)) == 0) {
			t = judge_alloc(j, i == 0 ? 1 : 2 * i, sizeof(*t));
			if (t == NULL)
				return;
			if (i > 0)
				memcpy(t, j->touched, i * sizeof(*t));
			j->touched = t;
		}
		memset(&j->touched[i], 0, sizeof(j->touched[i]));
		j->touched[i].relid = r->relid;
		j->touched[i].rel = r->rel;
		j->ntouched++;
	}
	t = &j->touched[i];
	t->uncovered |= uncovered;
	if (attnum > 0 && (size_t)attnum < sizeof(t->cols) * 8)
		t->cols[attnum / 8] |= (uint8_t)(1u << (attnum % 8));
	else
		t->all = true;
}

/* --- keys --- */

struct provider {
	int inst, col;
	char *expr;		/* in the judge's memory */
};

static bool
is_null(const struct tree *t)
{
	return t == NULL || t->kind == TREE_NULL;
}

/* A name as SQL text, in quotes; false when it cannot be given exactly. */
static bool
quoted(const struct tree *atom, char *out, size_t cap)
{
	char name[NAME_BYTES];
	size_t n = 0;

	if (atom == NULL || atom->kind != TREE_ATOM ||
	    memchr(atom->text, '\n', atom->len) != NULL ||
	    tree_name(atom, name, sizeof(name)) == 0)
		return false;
	out[n++] = '"';
	for (const char *p = name; *p != '\0'; p++) {
		if (n + 4 > cap)
			return false;
		if (*p == '"')
			out[n++] = '"';
		out[n++] = *p;
	}
	out[n++] = '"';
	out[n] = '\0';
	return true;
}

struct visible {
	const struct tree *alias;	/* ALIAS: its names */
	struct rte *rte;
	struct visible *next;
};

static void
see(struct judge *j, struct query *q, struct visible **list, int64_t index)
{
	struct rte *r = query_rte(j, q, index);
	struct visible *v = r == NULL ? NULL : judge_alloc(j, 1, sizeof(*v));

	if (v == NULL)
		return;
	*v = (struct visible){.alias = tree_get(r->node, "eref"), .rte = r};
	while (*list != NULL)
		list = &(*list)->next;
	*list = v;
}

/* What the select list may name: an alias of a join hides what is in it. */
static void
see_item(struct judge *j, struct query *q, struct visible **list, const struct tree *n)
{
	if (!judge_enter(j))
		return;
	if (tree_is(n, "RANGETBLREF")) {
		see(j, q, list, tree_int(n, "rtindex", 0));
	} else if (tree_is(n, "JOINEXPR")) {
		if (is_null(tree_get(n, "alias"))) {
			see_item(j, q, list, tree_get(n, "larg"));
			see_item(j, q, list, tree_get(n, "rarg"));
		} else {
			see(j, q, list, tree_int(n, "rtindex", 0));
		}
	}
	judge_leave(j);
}

static struct visible *
see_all(struct judge *j, struct query *q)
{
	const struct tree *n = tree_get(tree_get(q->node, "jointree"), "fromlist");
	int64_t target = tree_int(q->node, "resultRelation", 0);
	struct visible *list = NULL, *v;

	for (n = is_null(n) ? NULL : n->first; n != NULL; n = n->next)
		see_item(j, q, &list, n);
	for (v = list; v != NULL; v = v->next)
		if (target > 0 && v->rte == &q->rtes[target - 1])
			return list;
	if (target > 0)
		see(j, q, &list, target);
	return list;
}

static const struct tree *
column_name(const struct tree *alias, size_t n)
{
	const struct tree *c = tree_get(alias, "colnames");

	for (c = is_null(c) ? NULL : c->first; c != NULL && n > 0; n--)
		c = c->next;
	return c;
}

static bool
same_atom(const struct tree *a, const struct tree *b)
{
	char x[NAME_BYTES], y[NAME_BYTES];

	(void)tree_name(a, x, sizeof(x));
	(void)tree_name(b, y, sizeof(y));
	return strcmp(x, y) == 0;
}

static bool
ambiguous(const struct visible *list, const struct visible *v, size_t col)
{
	const struct tree *name = column_name(v->alias, col), *c;
	size_t i = 0;

	for (const struct visible *o = list; o != NULL; o = o->next)
		if (o != v && same_atom(tree_get(o->alias, "aliasname"),
		    tree_get(v->alias, "aliasname")))
			return true;
	c = tree_get(v->alias, "colnames");
	for (c = is_null(c) ? NULL : c->first; c != NULL; c = c->next, i++)
		if (i != col && same_atom(c, name))
			return true;
	return false;
}

static char *
expression(struct judge *j, const struct visible *list, const struct visible *v, size_t col)
{
	char alias[2 * NAME_BYTES + 3], name[2 * NAME_BYTES + 3], *s;

	if (ambiguous(list, v, col) ||
	    !quoted(tree_get(v->alias, "aliasname"), alias, sizeof(alias)) ||
	    !quoted(column_name(v->alias, col), name, sizeof(name)))
		return NULL;
	s = judge_alloc(j, strlen(alias) + strlen(name) + 2, 1);
	if (s != NULL)
		sprintf(s, "%s.%s", alias, name);
	return s;
}

/* The tree of a write through a view names other relations than its text. */
static bool
writes_view(const struct query *q)
{
	if (tree_int(q->node, "resultRelation", 0) == 0)
		return false;
	for (size_t i = 0; i < q->nrtes; i++) {
		const struct tree *k = tree_get(q->rtes[i].node, "relkind");

		if (k != NULL && k->kind == TREE_ATOM && k->len == 1 && k->text[0] == 'v')
			return true;
	}
	return tree_int(q->node, "querySource", 0) != 0;
}

static size_t
find_providers(struct judge *j, struct query *q, const struct result *r,
    struct provider out[MAX_INSTANCES])
{
	struct visible *list, *v;
	uint64_t have = 0;
	size_t n = 0;

	for (size_t i = 0; i < r->ncols; i++) {
		int key = r->cols[i].key_of;

		if (key < 0 || (have & bit(key)) != 0 || j->inst[key].domain == UINT16_MAX)
			continue;
		have |= bit(key);
		out[n++] = (struct provider){.inst = key, .col = (int)i};
	}
	if (q->gathers || writes_view(q))
		return n;
	j->quiet = true;
	list = see_all(j, q);
	for (v = list; v != NULL; v = v->next) {
		size_t ncols = 0;

		while (column_name(v->alias, ncols) != NULL)
			ncols++;
		for (size_t c = 0; c < ncols && !j->stop; c++) {
			struct value x = rte_column(j, q, v->rte, (int64_t)c + 1);
			char *expr;

			if (x.key_of < 0 || (have & bit(x.key_of)) != 0 ||
			    j->inst[x.key_of].domain == UINT16_MAX)
				continue;
			expr = expression(j, list, v, c);
			if (expr == NULL)
				continue;
			have |= bit(x.key_of);
			out[n++] = (struct provider){.inst = x.key_of, .col = -1, .expr = expr};
		}
	}
	j->quiet = false;
	return n;
}

/*
 * Who names the instances of a set: those that stand for most of it first,
 * columns of the result before expressions. Returns how many; *set: the rest.
 */
static size_t
cover(const struct judge *j, uint64_t *set, const struct provider *p, size_t np,
    size_t *chosen)
{
	size_t n = 0;

	while (*set != 0) {
		int most = 0, best = -1;

		for (size_t i = 0; i < np; i++) {
			int k = __builtin_popcountll(judge_same(j, bit(p[i].inst)) & *set);

			if (k > most) {
				most = k;
				best = (int)i;
			}
		}
		if (best < 0)
			break;
		chosen[n++] = (size_t)best;
		*set &= ~judge_same(j, bit(p[best].inst));
	}
	return n;
}

static uint32_t
persons(const struct judge *j, uint64_t set)
{
	uint32_t n = 0;

	while (set != 0) {
		uint64_t best = set & -set;

		/* The one that stands for most of the others. */
		for (uint64_t s = set; s != 0; s &= s - 1)
			if (__builtin_popcountll(judge_same(j, s & -s) & set) >
			    __builtin_popcountll(judge_same(j, best) & set))
				best = s & -s;
		set &= ~judge_same(j, best);
		n++;
	}
	return n;
}

/* --- the class --- */

static void
choose_keys(struct judge *j, struct query *q, const struct result *r, uint64_t set)
{
	struct provider p[MAX_INSTANCES];
	size_t chosen[MAX_INSTANCES], n;

	n = find_providers(j, q, r, p);
	if (j->stop)
		return;
	n = cover(j, &set, p, n, chosen);
	if (set != 0 || n == 0 || n > VERDICT_MAX_KEYS)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct instance *inst = &j->inst[p[chosen[i]].inst];
		struct verdict_key *k = &j->v->keys[j->v->nkeys];

		*k = (struct verdict_key){.domain = inst->domain, .type = inst->type,
		    .col = p[chosen[i]].col, .null_charged = !inst->not_null};
		if (k->col < 0) {
			k->expr = strdup(p[chosen[i]].expr);
			if (k->expr == NULL) {
				j->err = ERR_NOMEM;
				j->stop = true;
				return;
			}
		}
		j->v->nkeys++;
	}
	j->v->class = VERDICT_KEY;
}

static void
decide(struct judge *j, struct query *q, struct result *r)
{
	struct verdict *v = j->v;
	struct taint all = {0};
	size_t opaque = 0;
	uint64_t set;

	taint_presence(&r->presence, r->order);
	v->ncols = r->ncols;
	v->weight = calloc(r->ncols + 1, sizeof(*v->weight));
	if (v->weight == NULL) {
		j->err = ERR_NOMEM;
		return;
	}
	all = r->presence;
	for (size_t i = 0; i < r->ncols; i++) {
		taint_merge(&all, r->cols[i].t);
		/* A row that anybody may be behind says anything, in any column. */
		v->weight[i] = r->presence.opaque ? VERDICT_OPAQUE :
		    taint_weight(r->cols[i].t);
		opaque += v->weight[i] == VERDICT_OPAQUE;
	}
	set = all.p | all.k | all.one;
	v->row_weight = persons(j, set);
	v->row_weight = all.extra > VERDICT_OPAQUE - 2000 - v->row_weight ?
	    VERDICT_OPAQUE - 2000 : v->row_weight + all.extra;
	if (v->row_weight == 0 && (all.dep || all.vague))
		v->row_weight = 1;
	/* Empty or not, NULL or not: an opaque cell without bytes is something too. */
	v->row_weight += (uint32_t)opaque;
	if (opaque > 0)
		v->class = VERDICT_BYTES;
	else if (v->row_weight > 0)
		v->class = VERDICT_ROWS;
	else
		v->class = VERDICT_FREE;
	v->fallback = v->class;
	if (v->class == VERDICT_ROWS && all.one == 0 && all.extra == 0 && !all.vague &&
	    !all.opaque)
		choose_keys(j, q, r, set);
}

/* --- the tables, for the ledger --- */

static bool
append(char **s, const char *more)
{
	size_t n = *s == NULL ? 0 : strlen(*s), k = strlen(more);
	char *p = realloc(*s, n + k + 2);

	if (p == NULL)
		return false;
	if (n > 0)
		p[n++] = ',';
	memcpy(p + n, more, k + 1);
	*s = p;
	return true;
}

static bool
list_table(const struct touched *t, struct verdict_table *out)
{
	char name[160];

	*out = (struct verdict_table){.oid = t->relid, .domain = t->rel->domain,
	    .uncovered = t->uncovered};
	if (t->rel->name[0] == '\0')
		snprintf(name, sizeof(name), "oid %lu", (unsigned long)t->relid);
	else
		snprintf(name, sizeof(name), "%s.%s", t->rel->schema, t->rel->name);
	for (size_t i = 0; !t->all && i < t->rel->ncols; i++) {
		int a = t->rel->cols[i].attnum;

		if ((t->cols[a / 8] >> (a % 8) & 1) != 0 &&
		    !append(&out->columns, t->rel->cols[i].name))
			return false;
	}
	if (out->columns == NULL && !append(&out->columns, "*"))
		return false;
	out->name = strdup(name);
	return out->name != NULL;
}

static void
list_tables(struct judge *j)
{
	struct verdict *v = j->v;

	for (size_t i = 0; i < j->ntouched && v->ntables < VERDICT_MAX_TABLES; i++)
		if (!list_table(&j->touched[i], &v->tables[v->ntables++]))
			j->err = ERR_NOMEM;
}

/* --- statements --- */

static const struct tree *
inner_query(struct judge *j, const struct tree *query)
{
	const struct tree *utility = tree_get(query, "utilityStmt");

	if (tree_is(query, "QUERY") && is_null(utility))
		return query;
	if (tree_is(utility, "DECLARECURSORSTMT"))
		return tree_get(utility, "query");
	judge_refuse(j, WHY_TREE, "utility");
	return NULL;
}

/*
 * Rules may turn one statement into several. Only one may give rows: what the
 * others return goes to the client too, under the first one's description.
 */
static void
judge_all(struct judge *j, const struct tree *list, struct query **main, struct result *r)
{
	*main = NULL;
	j->several = list->first->next != NULL;
	for (const struct tree *t = list->first; t != NULL && !j->stop; t = t->next) {
		const struct tree *query = inner_query(j, t);
		struct result one;
		struct query *q;

		if (query == NULL) {
			judge_refuse(j, WHY_TREE, "utility");
			return;
		}
		j->ninst = 0;
		q = query_run(j, query, NULL, &one);
		if (q == NULL)
			return;
		j->v->tag_depends |= q->tag_depends;
		if (j->several &&
		    (one.ncols > 0 || tree_int(query, "commandType", 0) == 1)) {
			judge_refuse(j, WHY_UNKNOWN_NODE, "a rule that returns rows");
			return;
		}
		*main = q;
		*r = one;
	}
}

static void
judge_written(struct judge *j, struct query *q, struct result *r, int target_class)
{
	struct taint all = r->presence;

	for (size_t i = 0; i < r->ncols; i++)
		taint_merge(&all, r->cols[i].t);
	j->v->ncols = 0;
	j->v->class = j->v->fallback = VERDICT_FREE;
	j->v->modifies = true;
	j->v->tag_depends |= r->presence.dep;
	if (taint_any(all) && target_class != REL_UNCOVERED)
		judge_refuse(j, WHY_COPIES, "the new table");
}

static void
judge_tree(struct judge *j, const struct tree *root, int target_class)
{
	struct result r = {0};
	struct query *q;

	if (root->kind == TREE_NULL)	/* DO INSTEAD NOTHING */
		return;
	if (root->kind != TREE_LIST || root->first == NULL) {
		judge_refuse(j, WHY_TREE, "not a list of queries");
		return;
	}
	judge_all(j, root, &q, &r);
	if (j->stop)
		return;
	if (target_class >= 0)
		judge_written(j, q, &r, target_class);
	else if (r.ncols > 0 || tree_int(q->node, "commandType", 0) == 1)
		decide(j, q, &r);
}

static void
drop_keys(struct verdict *v)
{
	for (size_t i = 0; i < v->nkeys; i++)
		free(v->keys[i].expr);
	v->nkeys = 0;
}

enum err
verdict_judge(struct verdict *out, const char *tree, size_t len, const struct catalog *c,
    int target_class)
{
	struct judge *j;
	struct tree_doc *doc = NULL;
	struct block *b, *next;
	enum err e;

	memset(out, 0, sizeof(*out));
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return ERR_NOMEM;
	j->v = out;
	j->c = c;
	e = tree_parse(&doc, tree, len);
	if (e == ERR_OK)
		judge_tree(j, tree_root(doc), target_class);
	else if (e == ERR_NOMEM)
		j->err = e;
	else
		judge_refuse(j, WHY_TREE, err_text(e));
	list_tables(j);
	if (out->why != WHY_NONE || j->err != ERR_OK) {
		out->class = out->fallback = VERDICT_REFUSED;
		drop_keys(out);
	}
	e = j->err;
	for (b = j->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	tree_free(doc);
	free(j);
	return e;
}

void
verdict_fini(struct verdict *v)
{
	drop_keys(v);
	free(v->object);
	free(v->weight);
	for (size_t i = 0; i < v->ntables; i++) {
		free(v->tables[i].name);
		free(v->tables[i].columns);
	}
	memset(v, 0, sizeof(*v));
}
