/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql_classify: reads libpg_query's raw parse tree, whose structs are those of
 * the PostgreSQL server headers (the only file that includes them; see
 * sql_self_test). Fails closed: whatever it does not know is SQL_OTHER, and a
 * statement whose parts it cannot find is ERR_FORMAT.
 *
 * libpg_query's scanner gives comments as tokens, so that a look-ahead over them
 * and a string continued after one differ from the server's. So it gets a copy of
 * the text whose comments are spaces; positions are those of the input.
 *
 * Recursion: the grammar is a table-driven LALR parser with its own limit of
 * depth (10,000); our walk over expressions keeps its own list, no stack.
 */
#include <postgres.h>
#include <nodes/nodeFuncs.h>
#include <nodes/parsenodes.h>
#include <nodes/pg_list.h>

enum { HEADERS_MAJOR = PG_VERSION_NUM / 10000 };
#undef PG_MAJORVERSION
#undef PG_VERSION
#undef PG_VERSION_NUM
#include <pg_query.h>
_Static_assert(PG_VERSION_NUM / 10000 == HEADERS_MAJOR,
    "libpg_query and the server headers are of one major version");

#include <stdlib.h>
#include <string.h>

#include "sql/lex.h"
#include "sql/span.h"
#include "sql/sql.h"

/* From libpg_query's pg_query_internal.h, which does not compile outside of it. */
typedef struct {
	List *tree;
	char *stderr_buffer;
	PgQueryError *error;
} PgQueryInternalParsetreeAndError;
PgQueryInternalParsetreeAndError pg_query_raw_parse(const char *input);
MemoryContext pg_query_enter_memory_context(void);
void pg_query_exit_memory_context(MemoryContext ctx);
void pg_query_free_error(PgQueryError *error);

enum {
	NODES_MAX = 1 << 22,	/* waiting in one walk; a tree of all tokens has fewer */
	OPERATORS_MAX = 256,	/* operator characters in a row */
	NUMBER_MAX = 4096	/* digits of a number */
};

/* What one statement is read into; the first error stays. */
struct reader {
	const char *text;
	struct sql_stmt *s;
	enum err err;
};

/* ---- small readers of the tree ---- */

static char *
copy_string(struct reader *r, const char *p)
{
	char *c;

	if (p == NULL)
		return NULL;
	if ((c = strdup(p)) == NULL)
		r->err = ERR_NOMEM;
	return c;
}

static void
set_name(struct reader *r, const char *name)
{
	free(r->s->name);
	r->s->name = copy_string(r, name);
}

static void
add_object(struct reader *r, const char *schema, const char *name)
{
	struct sql_stmt *s = r->s;
	struct sql_name *v;

	if (name == NULL)
		return;
	v = realloc(s->objects, (s->nobjects + 1) * sizeof(*v));
	if (v == NULL) {
		r->err = ERR_NOMEM;
		return;
	}
	s->objects = v;
	v[s->nobjects].schema = copy_string(r, schema);
	v[s->nobjects].name = copy_string(r, name);
	s->nobjects++;
}

static bool
is_temp_schema(const char *schema)
{
	return schema != NULL && (strcmp(schema, "pg_temp") == 0 ||
	    strncmp(schema, "pg_temp_", 8) == 0);
}

static void
add_range(struct reader *r, const RangeVar *v)
{
	if (v != NULL)
		add_object(r, v->schemaname, v->relname);
}

static void
add_ranges(struct reader *r, const List *l)
{
	ListCell *c;

	foreach(c, l)
		add_range(r, lfirst_node(RangeVar, c));
}

/* A list of Strings: [[database.]schema.]name. */
static void
add_names(struct reader *r, const List *names)
{
	int n = list_length(names);

	if (n > 0)
		add_object(r, n > 1 ? strVal(list_nth(names, n - 2)) : NULL,
		    strVal(list_nth(names, n - 1)));
}

/* An object as DROP, ALTER and RENAME have it in the plain kinds. */
static void
add_node(struct reader *r, Node *n)
{
	if (n == NULL)
		return;
	switch (nodeTag(n)) {
	case T_List:
		add_names(r, (List *)n);
		break;
	case T_TypeName:
		add_names(r, ((TypeName *)n)->names);
		break;
	case T_String:
		add_object(r, NULL, strVal(n));
		break;
	case T_RangeVar:
		add_range(r, (RangeVar *)n);
		break;
	default:
		break;
	}
}

/* The thing that is made. */
static void
add_new(struct reader *r, const RangeVar *v)
{
	add_range(r, v);
	r->s->temp = v != NULL && (v->relpersistence == 't' ||
	    is_temp_schema(v->schemaname));
}

/* defGetBoolean() of the server, where an unknown word is an error: true. */
static bool
option_bool(const DefElem *d)
{
	if (d->arg == NULL)
		return true;
	switch (nodeTag(d->arg)) {
	case T_Integer:
		return intVal(d->arg) != 0;
	case T_Boolean:
		return boolVal(d->arg);
	case T_String:
		return strcasecmp(strVal(d->arg), "false") != 0 &&
		    strcasecmp(strVal(d->arg), "off") != 0;
	default:
		return true;
	}
}

static const char *
option_string(const DefElem *d)
{
	return d->arg != NULL && IsA(d->arg, String) ? strVal(d->arg) : "";
}

/* ---- expressions that call code ---- */

/* Every operator name of a fresh PostgreSQL 15, sorted. */
static const char *const builtin_ops[] = {
	"!!", "!~", "!~*", "!~~", "!~~*", "#", "##", "#-", "#>", "#>>", "%", "&",
	"&&", "&<", "&<|", "&>", "*", "*<", "*<=", "*<>", "*=", "*>", "*>=", "+",
	"-", "->", "->>", "-|-", "/", "<", "<->", "<<", "<<=", "<<|", "<=", "<>",
	"<@", "<^", "=", ">", ">=", ">>", ">>=", ">^", "?", "?#", "?&", "?-",
	"?-|", "?|", "?||", "@", "@-@", "@>", "@?", "@@", "@@@", "^", "^@", "|",
	"|&>", "|/", "|>>", "||", "||/", "~", "~*", "~<=~", "~<~", "~=", "~>=~",
	"~>~", "~~", "~~*",
};

static int
compare_ops(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

static bool
is_builtin_op(const List *name)
{
	int n = list_length(name);

	if (n == 0 || n > 2 ||
	    (n == 2 && strcmp(strVal(linitial(name)), "pg_catalog") != 0))
		return false;
	return bsearch(strVal(llast(name)), builtin_ops, lengthof(builtin_ops),
	    sizeof(builtin_ops[0]), compare_ops) != NULL;
}

/* EXCLUDE (a WITH =): a list of pairs, an IndexElem and an operator's name. */
static bool
excludes_by_builtin(const Constraint *k)
{
	ListCell *c;

	foreach(c, k->exclusions) {
		if (!is_builtin_op(lsecond_node(List, lfirst_node(List, c))))
			return false;
	}
	return true;
}

/* The nodes that a walk has still to see. */
struct todo {
	Node **v;
	size_t n, cap;
	enum err err;
};

/* raw_expression_tree_walker()'s callback: never lets it recurse. */
static bool
todo_push(Node *n, struct todo *t)
{
	Node **v;
	size_t cap;

	if (n == NULL || t->err != ERR_OK)
		return t->err != ERR_OK;
	if (t->n == t->cap) {
		cap = t->cap ? t->cap * 2 : 64;
		if (cap > NODES_MAX) {
			t->err = ERR_TOOBIG;
			return true;
		}
		if ((v = realloc(t->v, cap * sizeof(Node *))) == NULL) {
			t->err = ERR_NOMEM;
			return true;
		}
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n++] = n;
	return false;
}

#define PUSH(n) todo_push((Node *)(n), t)

/*
 * Pushes the children of a node. False when the node calls code or is unknown.
 */
static bool
push_children(Node *n, struct todo *t)
{
	switch (nodeTag(n)) {
	case T_FuncCall:
		return false;
	case T_A_Expr:
		if (((A_Expr *)n)->kind < AEXPR_BETWEEN &&
		    !is_builtin_op(((A_Expr *)n)->name))
			return false;
		break;
	case T_SubLink:
		if (((SubLink *)n)->operName != NIL &&
		    !is_builtin_op(((SubLink *)n)->operName))
			return false;
		break;
	case T_SortBy:
		if (((SortBy *)n)->useOp != NIL &&
		    !is_builtin_op(((SortBy *)n)->useOp))
			return false;
		break;
	/* definitions, which raw_expression_tree_walker() does not know */
	case T_CreateStmt:
		PUSH(((CreateStmt *)n)->tableElts);
		PUSH(((CreateStmt *)n)->constraints);
		PUSH(((CreateStmt *)n)->partspec);
		PUSH(((CreateStmt *)n)->partbound);
		return true;
	case T_ColumnDef:
		PUSH(((ColumnDef *)n)->typeName);
		PUSH(((ColumnDef *)n)->raw_default);
		PUSH(((ColumnDef *)n)->constraints);
		return true;
	case T_Constraint:
		if (!excludes_by_builtin((Constraint *)n))
			return false;
		PUSH(((Constraint *)n)->raw_expr);
		PUSH(((Constraint *)n)->exclusions);
		PUSH(((Constraint *)n)->where_clause);
		return true;
	case T_TableLikeClause:
	case T_CreateSeqStmt:
		return true;
	case T_PartitionSpec:
		PUSH(((PartitionSpec *)n)->partParams);
		return true;
	case T_PartitionElem:
		PUSH(((PartitionElem *)n)->expr);
		return true;
	case T_PartitionBoundSpec:
		PUSH(((PartitionBoundSpec *)n)->listdatums);
		PUSH(((PartitionBoundSpec *)n)->lowerdatums);
		PUSH(((PartitionBoundSpec *)n)->upperdatums);
		return true;
	case T_PartitionCmd:
		PUSH(((PartitionCmd *)n)->bound);
		return true;
	case T_IndexStmt:
		PUSH(((IndexStmt *)n)->indexParams);
		PUSH(((IndexStmt *)n)->whereClause);
		return true;
	case T_IndexElem:
		PUSH(((IndexElem *)n)->expr);
		return true;
	case T_CreateStatsStmt:
		PUSH(((CreateStatsStmt *)n)->exprs);
		return true;
	case T_StatsElem:
		PUSH(((StatsElem *)n)->expr);
		return true;
	case T_CreateDomainStmt:
		PUSH(((CreateDomainStmt *)n)->constraints);
		return true;
	case T_CompositeTypeStmt:
		PUSH(((CompositeTypeStmt *)n)->coldeflist);
		return true;
	case T_ViewStmt:
		PUSH(((ViewStmt *)n)->query);
		return true;
	case T_CreateSchemaStmt:
		PUSH(((CreateSchemaStmt *)n)->schemaElts);
		return true;
	case T_AlterTableStmt:
		PUSH(((AlterTableStmt *)n)->cmds);
		return true;
	case T_AlterTableCmd:
		PUSH(((AlterTableCmd *)n)->def);
		return true;
	case T_AlterDomainStmt:
		PUSH(((AlterDomainStmt *)n)->def);
		return true;
	case T_DefElem:
	case T_ReplicaIdentityStmt:
		return true;
	/* what it knows, and what needs no look of ours first */
	case T_A_ArrayExpr:
	case T_A_Const:
	case T_A_Indices:
	case T_A_Indirection:
	case T_A_Star:
	case T_Alias:
	case T_BitString:
	case T_BoolExpr:
	case T_Boolean:
	case T_BooleanTest:
	case T_CaseExpr:
	case T_CoalesceExpr:
	case T_CollateClause:
	case T_ColumnRef:
	case T_CommonTableExpr:
	case T_CurrentOfExpr:
	case T_DeleteStmt:
	case T_Float:
	case T_GroupingFunc:
	case T_GroupingSet:
	case T_InferClause:
	case T_InsertStmt:
	case T_Integer:
	case T_IntoClause:
	case T_JoinExpr:
	case T_List:
	case T_LockingClause:
	case T_MergeStmt:
	case T_MergeWhenClause:
	case T_MinMaxExpr:
	case T_MultiAssignRef:
	case T_NamedArgExpr:
	case T_NullTest:
	case T_OnConflictClause:
	case T_ParamRef:
	case T_RangeFunction:
	case T_RangeSubselect:
	case T_RangeTableFunc:
	case T_RangeTableFuncCol:
	case T_RangeTableSample:
	case T_RangeVar:
	case T_ResTarget:
	case T_RowExpr:
	case T_SelectStmt:
	case T_SetToDefault:
	case T_SQLValueFunction:
	case T_String:
	case T_TypeCast:
	case T_TypeName:
	case T_UpdateStmt:
	case T_WindowDef:
	case T_WithClause:
	case T_XmlExpr:
	case T_XmlSerialize:
		break;
	default:
		return false;
	}
	raw_expression_tree_walker(n, todo_push, t);
	return true;
}

#undef PUSH

static bool
calls_code(struct reader *r, void *root)
{
	struct todo t = {0};
	bool calls = false;

	todo_push(root, &t);
	while (t.n > 0 && t.err == ERR_OK && !calls)
		calls = !push_children(t.v[--t.n], &t);
	free(t.v);
	if (t.err != ERR_OK)
		r->err = t.err;
	return calls;
}

/* ---- the column that may be added ---- */

static bool
select_is_plain(const SelectStmt *q)
{
	ListCell *c;

	if (q->op != SETOP_NONE || q->valuesLists != NIL ||
	    q->distinctClause != NIL || q->intoClause != NULL ||
	    q->fromClause == NIL || q->groupClause != NIL ||
	    q->havingClause != NULL)
		return false;
	foreach(c, q->sortClause) {
		const SortBy *by = lfirst_node(SortBy, c);

		if (by->node != NULL && IsA(by->node, A_Const))
			return false;
	}
	return true;
}

static void
find_target(struct reader *r, struct span s, Node *n)
{
	List *targets = NIL;
	int at;

	switch (nodeTag(n)) {
	case T_SelectStmt:
		if (select_is_plain((SelectStmt *)n))
			targets = ((SelectStmt *)n)->targetList;
		break;
	case T_InsertStmt:
		targets = ((InsertStmt *)n)->returningList;
		break;
	case T_UpdateStmt:
		targets = ((UpdateStmt *)n)->returningList;
		break;
	case T_DeleteStmt:
		targets = ((DeleteStmt *)n)->returningList;
		break;
	default:
		break;
	}
	if (targets == NIL)
		return;
	at = linitial_node(ResTarget, targets)->location;
	if (at > 0 && span_is_target(r->text, s, (size_t)at))
		r->s->first_target = (size_t)at;
}

/* ---- one reader a family of statements ---- */

static struct span
whole(const struct reader *r)
{
	return (struct span){r->s->start, r->s->len};
}

static void
set_inner(struct reader *r, struct span inner)
{
	r->s->inner_start = inner.start;
	r->s->inner_len = inner.len;
}

static enum sql_kind
read_select(struct reader *r, SelectStmt *q)
{
	const SelectStmt *first = q;

	while (first->op != SETOP_NONE)
		first = first->larg;
	if (first->intoClause != NULL) {
		add_new(r, first->intoClause->rel);
		return SQL_SELECT_INTO;
	}
	find_target(r, whole(r), (Node *)q);
	return SQL_QUERY;
}

static enum sql_kind
read_declare(struct reader *r, DeclareCursorStmt *d)
{
	struct span inner;

	if (!span_for(r->text, whole(r), &inner)) {
		r->err = ERR_FORMAT;
		return SQL_OTHER;
	}
	set_name(r, d->portalname);
	set_inner(r, inner);
	r->s->hold = (d->options & CURSOR_OPT_HOLD) != 0;
	r->s->binary = (d->options & CURSOR_OPT_BINARY) != 0;
	find_target(r, inner, d->query);
	return SQL_DECLARE;
}

static enum sql_kind
read_prepare(struct reader *r, PrepareStmt *p)
{
	struct span types, inner;

	if (!span_as(r->text, whole(r), &types, &inner)) {
		r->err = ERR_FORMAT;
		return SQL_OTHER;
	}
	set_name(r, p->name);
	set_inner(r, inner);
	if (p->argtypes != NIL) {
		r->s->param_types = span_fold(r->text, types);
		if (r->s->param_types == NULL)
			r->err = ERR_NOMEM;
	}
	find_target(r, inner, p->query);
	return SQL_PREPARE;
}

static enum sql_kind
read_execute(struct reader *r, const ExecuteStmt *e)
{
	ListCell *c;

	set_name(r, e->name);
	r->s->args_plain = true;
	foreach(c, e->params) {
		Node *n = lfirst(c);

		while (n != NULL && IsA(n, TypeCast))
			n = ((TypeCast *)n)->arg;
		if (n == NULL || (!IsA(n, A_Const) && !IsA(n, ParamRef)))
			r->s->args_plain = false;
	}
	return SQL_EXECUTE;
}

static enum sql_kind
read_explain(struct reader *r, ExplainStmt *e)
{
	struct span inner;
	ListCell *c;

	if (!span_explain(r->text, whole(r), e->options != NIL, &inner)) {
		r->err = ERR_FORMAT;
		return SQL_OTHER;
	}
	set_inner(r, inner);
	foreach(c, e->options) {
		const DefElem *d = lfirst_node(DefElem, c);

		if (strcmp(d->defname, "analyze") == 0)
			r->s->analyze = option_bool(d);
	}
	find_target(r, inner, e->query);
	return SQL_EXPLAIN;
}

static enum sql_kind
read_create_as(struct reader *r, const CreateTableAsStmt *a)
{
	struct span types, inner;

	if (!span_as(r->text, whole(r), &types, &inner)) {
		r->err = ERR_FORMAT;
		return SQL_OTHER;
	}
	set_inner(r, inner);
	add_new(r, a->into->rel);
	return SQL_CREATE_AS;
}

static void
read_copy_options(struct sql_stmt *s, const List *options)
{
	bool quote = false, escape = false, delimiter = false;
	ListCell *c;

	foreach(c, options) {
		const DefElem *d = lfirst_node(DefElem, c);
		const char *v = option_string(d);

		if (strcmp(d->defname, "format") == 0) {
			s->copy_format = strcmp(v, "csv") == 0 ?
			    SQL_FORMAT_CSV : strcmp(v, "binary") == 0 ?
			    SQL_FORMAT_BINARY : SQL_FORMAT_TEXT;
		} else if (strcmp(d->defname, "header") == 0) {
			s->copy_header = option_bool(d);
		} else if (strcmp(d->defname, "delimiter") == 0) {
			s->copy_delimiter = *v;
			delimiter = true;
		} else if (strcmp(d->defname, "quote") == 0) {
			s->copy_quote = *v;
			quote = true;
		} else if (strcmp(d->defname, "escape") == 0) {
			s->copy_escape = *v;
			escape = true;
		}
	}
	if (!delimiter)
		s->copy_delimiter = s->copy_format == SQL_FORMAT_CSV ?
		    ',' : '\t';
	if (!quote)
		s->copy_quote = '"';
	if (!escape)
		s->copy_escape = s->copy_quote;
}

static enum sql_kind
read_copy(struct reader *r, CopyStmt *y)
{
	struct sql_stmt *s = r->s;
	struct span_copy sp;

	if (!span_copy(r->text, whole(r), y->query != NULL, &sp)) {
		r->err = ERR_FORMAT;
		return SQL_OTHER;
	}
	add_range(r, y->relation);
	if (y->attlist != NIL) {
		s->copy_columns = span_fold(r->text, sp.columns);
		if (s->copy_columns == NULL)
			r->err = ERR_NOMEM;
	}
	set_inner(r, sp.inner);
	if (y->query != NULL)
		find_target(r, sp.inner, y->query);
	read_copy_options(s, y->options);
	s->copy_binary_word = sp.binary;
	if (y->filename != NULL || y->is_program)
		return SQL_COPY_FILE;
	s->copy_options_start = sp.options.start;
	s->copy_options_len = sp.options.len;
	if (!y->is_from)
		return SQL_COPY_OUT;
	/* the server runs WHERE for every row, and shows no tree of it */
	return calls_code(r, y->whereClause) ? SQL_OTHER : SQL_COPY_IN;
}

static enum sql_kind
read_transaction(struct reader *r, const TransactionStmt *t)
{
	r->s->ends_chain = t->chain;
	set_name(r, t->savepoint_name);
	switch (t->kind) {
	case TRANS_STMT_BEGIN:
	case TRANS_STMT_START:
		return SQL_TXN_BEGIN;
	case TRANS_STMT_COMMIT:
		return SQL_TXN_COMMIT;
	case TRANS_STMT_ROLLBACK:
	case TRANS_STMT_ROLLBACK_TO:
		return SQL_TXN_ROLLBACK;
	case TRANS_STMT_SAVEPOINT:
	case TRANS_STMT_RELEASE:
		return SQL_TXN_OTHER;
	case TRANS_STMT_PREPARE:
	case TRANS_STMT_COMMIT_PREPARED:
	case TRANS_STMT_ROLLBACK_PREPARED:
		return SQL_TXN_TWO_PHASE;
	}
	return SQL_OTHER;
}

static void
set_constant(struct reader *r, const A_Const *k)
{
	char number[16];

	if (k->isnull)
		return;
	switch (nodeTag(&k->val)) {
	case T_String:
		r->s->value = copy_string(r, strVal(&k->val));
		break;
	case T_Float:
		r->s->value = copy_string(r, k->val.fval.fval);
		break;
	case T_Integer:
		snprintf(number, sizeof(number), "%d", intVal(&k->val));
		r->s->value = copy_string(r, number);
		break;
	case T_Boolean:
		r->s->value = copy_string(r,
		    boolVal(&k->val) ? "true" : "false");
		break;
	default:
		break;
	}
}

static enum sql_kind
read_set(struct reader *r, const VariableSetStmt *v)
{
	if (v->kind == VAR_SET_MULTI)
		return SQL_TXN_OTHER;
	r->s->local = v->is_local;
	set_name(r, v->kind == VAR_RESET_ALL ? "all" : v->name);
	for (char *p = r->s->name; p != NULL && *p != 0; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	}
	if (v->kind == VAR_SET_VALUE && list_length(v->args) == 1 &&
	    IsA(linitial(v->args), A_Const))
		set_constant(r, linitial(v->args));
	return SQL_SET;
}

static enum sql_kind
read_discard(struct reader *r, const DiscardStmt *d)
{
	static const char *const names[] = {
		[DISCARD_ALL] = "all", [DISCARD_PLANS] = "plans",
		[DISCARD_SEQUENCES] = "sequences", [DISCARD_TEMP] = "temp",
	};

	if (d->target < lengthof(names))
		set_name(r, names[d->target]);
	return SQL_DISCARD;
}

/*
 * The kind of a DROP, ALTER or RENAME of such an object: plain (tables and what
 * has no code in it) or the kind that making one has.
 */
static enum sql_kind
kind_of_object(ObjectType t, enum sql_kind plain)
{
	switch (t) {
	case OBJECT_ATTRIBUTE:
	case OBJECT_COLUMN:
	case OBJECT_DOMAIN:
	case OBJECT_DOMCONSTRAINT:
	case OBJECT_INDEX:
	case OBJECT_MATVIEW:
	case OBJECT_SCHEMA:
	case OBJECT_SEQUENCE:
	case OBJECT_STATISTIC_EXT:
	case OBJECT_TABCONSTRAINT:
	case OBJECT_TABLE:
	case OBJECT_TYPE:
	case OBJECT_VIEW:
		return plain;
	case OBJECT_ROLE:
		return SQL_GRANT;
	case OBJECT_ACCESS_METHOD:
	case OBJECT_AGGREGATE:
	case OBJECT_AMOP:
	case OBJECT_AMPROC:
	case OBJECT_CAST:
	case OBJECT_COLLATION:
	case OBJECT_CONVERSION:
	case OBJECT_DEFAULT:
	case OBJECT_EVENT_TRIGGER:
	case OBJECT_EXTENSION:
	case OBJECT_FDW:
	case OBJECT_FOREIGN_SERVER:
	case OBJECT_FOREIGN_TABLE:
	case OBJECT_FUNCTION:
	case OBJECT_LANGUAGE:
	case OBJECT_OPCLASS:
	case OBJECT_OPERATOR:
	case OBJECT_OPFAMILY:
	case OBJECT_POLICY:
	case OBJECT_PROCEDURE:
	case OBJECT_PUBLICATION:
	case OBJECT_PUBLICATION_NAMESPACE:
	case OBJECT_PUBLICATION_REL:
	case OBJECT_ROUTINE:
	case OBJECT_RULE:
	case OBJECT_SUBSCRIPTION:
	case OBJECT_TRANSFORM:
	case OBJECT_TRIGGER:
	case OBJECT_TSCONFIGURATION:
	case OBJECT_TSDICTIONARY:
	case OBJECT_TSPARSER:
	case OBJECT_TSTEMPLATE:
	case OBJECT_USER_MAPPING:
		return SQL_DDL_DEFINE;
	case OBJECT_DATABASE:
	case OBJECT_DEFACL:
	case OBJECT_LARGEOBJECT:
	case OBJECT_PARAMETER_ACL:
	case OBJECT_TABLESPACE:
		return SQL_OTHER;
	}
	return SQL_OTHER;
}

static enum sql_kind
read_drop(struct reader *r, const DropStmt *d)
{
	enum sql_kind kind = kind_of_object(d->removeType, SQL_DDL_DROP);
	ListCell *c;

	if (kind == SQL_DDL_DROP) {
		foreach(c, d->objects)
			add_node(r, lfirst(c));
	}
	return kind;
}

static enum sql_kind
read_rename(struct reader *r, const RenameStmt *n)
{
	enum sql_kind kind = kind_of_object(n->renameType, SQL_DDL_ALTER);

	if (kind != SQL_DDL_ALTER)
		return kind;
	if (n->relationType == OBJECT_FOREIGN_TABLE)
		return SQL_DDL_DEFINE;
	if (n->relation == NULL) {
		add_node(r, n->object);
		if (n->renameType == OBJECT_SCHEMA)
			add_object(r, NULL, n->subname);
		if (n->renameType != OBJECT_DOMCONSTRAINT && r->s->nobjects > 0)
			add_object(r, r->s->objects[0].schema, n->newname);
		return kind;
	}
	add_range(r, n->relation);
	if (n->renameType != OBJECT_COLUMN &&
	    n->renameType != OBJECT_ATTRIBUTE &&
	    n->renameType != OBJECT_TABCONSTRAINT)
		add_object(r, n->relation->schemaname, n->newname);
	return kind;
}

static enum sql_kind
read_set_schema(struct reader *r, const AlterObjectSchemaStmt *a)
{
	enum sql_kind kind = kind_of_object(a->objectType, SQL_DDL_ALTER);

	if (kind == SQL_DDL_ALTER) {
		add_range(r, a->relation);
		add_node(r, a->object);
		if (r->s->nobjects > 0)
			add_object(r, a->newschema, r->s->objects[0].name);
	}
	return kind;
}

/* Turning triggers, rules and row security on or off, and foreign options. */
static bool
defines_code(AlterTableType t)
{
	switch (t) {
	case AT_EnableTrig:
	case AT_EnableAlwaysTrig:
	case AT_EnableReplicaTrig:
	case AT_DisableTrig:
	case AT_EnableTrigAll:
	case AT_DisableTrigAll:
	case AT_EnableTrigUser:
	case AT_DisableTrigUser:
	case AT_EnableRule:
	case AT_EnableAlwaysRule:
	case AT_EnableReplicaRule:
	case AT_DisableRule:
	case AT_EnableRowSecurity:
	case AT_DisableRowSecurity:
	case AT_ForceRowSecurity:
	case AT_NoForceRowSecurity:
	case AT_AlterColumnGenericOptions:
	case AT_GenericOptions:
	case AT_SetAccessMethod:
		return true;
	default:
		return false;
	}
}

static enum sql_kind
read_alter_table(struct reader *r, AlterTableStmt *a)
{
	enum sql_kind kind = kind_of_object(a->objtype, SQL_DDL_ALTER);
	ListCell *c;

	add_range(r, a->relation);
	foreach(c, a->cmds) {
		AlterTableCmd *m = lfirst_node(AlterTableCmd, c);

		if (defines_code(m->subtype))
			kind = SQL_DDL_DEFINE;
		if (m->def != NULL && IsA(m->def, RangeVar))
			add_range(r, (RangeVar *)m->def);
		if (m->def != NULL && IsA(m->def, PartitionCmd))
			add_range(r, ((PartitionCmd *)m->def)->name);
	}
	r->s->creates_code = calls_code(r, a);
	return kind;
}

static enum sql_kind
read_create_schema(struct reader *r, CreateSchemaStmt *m)
{
	ListCell *c;

	add_object(r, NULL, m->schemaname);
	r->s->creates_code = calls_code(r, m);
	foreach(c, m->schemaElts) {
		switch (nodeTag(lfirst(c))) {
		case T_CreateStmt:
		case T_IndexStmt:
		case T_CreateSeqStmt:
		case T_ViewStmt:
			break;
		default:
			return SQL_DDL_DEFINE;
		}
	}
	return SQL_DDL_CREATE;
}

static enum sql_kind
read_create(struct reader *r, Node *n)
{
	ListCell *c;

	switch (nodeTag(n)) {
	case T_CreateStmt:
		add_new(r, ((CreateStmt *)n)->relation);
		/* Rows of a child show through its parent: the parent is changed. */
		foreach(c, ((CreateStmt *)n)->inhRelations)
			add_range(r, lfirst_node(RangeVar, c));
		break;
	case T_ViewStmt:
		add_new(r, ((ViewStmt *)n)->view);
		break;
	case T_CreateSeqStmt:
		add_new(r, ((CreateSeqStmt *)n)->sequence);
		break;
	case T_IndexStmt:
		add_range(r, ((IndexStmt *)n)->relation);
		break;
	case T_CompositeTypeStmt:
		add_new(r, ((CompositeTypeStmt *)n)->typevar);
		break;
	case T_CreateDomainStmt:
		add_names(r, ((CreateDomainStmt *)n)->domainname);
		break;
	case T_CreateStatsStmt:
		add_names(r, ((CreateStatsStmt *)n)->defnames);
		break;
	default:
		break;
	}
	r->s->creates_code = calls_code(r, n);
	return SQL_DDL_CREATE;
}

static enum sql_kind
read_vacuum(struct reader *r, const VacuumStmt *v)
{
	ListCell *c;

	foreach(c, v->rels)
		add_range(r, lfirst_node(VacuumRelation, c)->relation);
	return SQL_MAINTAIN;
}

/* Every statement of PostgreSQL 15's grammar has a case; others are OTHER. */
static enum sql_kind
read_statement(struct reader *r, Node *n)
{
	switch (nodeTag(n)) {
	case T_SelectStmt:
		return read_select(r, (SelectStmt *)n);
	case T_InsertStmt:
	case T_UpdateStmt:
	case T_DeleteStmt:
	case T_MergeStmt:
		find_target(r, whole(r), n);
		return SQL_QUERY;
	case T_DeclareCursorStmt:
		return read_declare(r, (DeclareCursorStmt *)n);
	case T_FetchStmt:
		set_name(r, ((FetchStmt *)n)->portalname);
		return ((FetchStmt *)n)->ismove ? SQL_MOVE : SQL_FETCH;
	case T_ClosePortalStmt:
		set_name(r, ((ClosePortalStmt *)n)->portalname);
		return SQL_CLOSE;
	case T_PrepareStmt:
		return read_prepare(r, (PrepareStmt *)n);
	case T_ExecuteStmt:
		return read_execute(r, (ExecuteStmt *)n);
	case T_DeallocateStmt:
		set_name(r, ((DeallocateStmt *)n)->name);
		return SQL_DEALLOCATE;
	case T_CopyStmt:
		return read_copy(r, (CopyStmt *)n);
	case T_ExplainStmt:
		return read_explain(r, (ExplainStmt *)n);
	case T_CreateTableAsStmt:
		return read_create_as(r, (CreateTableAsStmt *)n);

	case T_TransactionStmt:
		return read_transaction(r, (TransactionStmt *)n);
	case T_ConstraintsSetStmt:
		return SQL_TXN_OTHER;
	case T_VariableSetStmt:
		return read_set(r, (VariableSetStmt *)n);
	case T_VariableShowStmt:
		set_name(r, ((VariableShowStmt *)n)->name);
		return SQL_SHOW;
	case T_DiscardStmt:
		return read_discard(r, (DiscardStmt *)n);
	case T_ListenStmt:
		set_name(r, ((ListenStmt *)n)->conditionname);
		return SQL_LISTEN;
	case T_UnlistenStmt:
		set_name(r, ((UnlistenStmt *)n)->conditionname);
		return SQL_UNLISTEN;
	case T_NotifyStmt:
		set_name(r, ((NotifyStmt *)n)->conditionname);
		return SQL_NOTIFY;
	case T_LockStmt:
		add_ranges(r, ((LockStmt *)n)->relations);
		return SQL_LOCK;

	case T_VacuumStmt:
		return read_vacuum(r, (VacuumStmt *)n);
	case T_ClusterStmt:
		add_range(r, ((ClusterStmt *)n)->relation);
		return SQL_MAINTAIN;
	case T_ReindexStmt:
		add_range(r, ((ReindexStmt *)n)->relation);
		return SQL_MAINTAIN;
	case T_RefreshMatViewStmt:
		add_range(r, ((RefreshMatViewStmt *)n)->relation);
		return SQL_MAINTAIN;
	case T_CheckPointStmt:
		return SQL_MAINTAIN;

	case T_CreateStmt:
	case T_ViewStmt:
	case T_CreateSeqStmt:
	case T_IndexStmt:
	case T_CompositeTypeStmt:
	case T_CreateDomainStmt:
	case T_CreateStatsStmt:
		return read_create(r, n);
	case T_CreateSchemaStmt:
		return read_create_schema(r, (CreateSchemaStmt *)n);
	case T_CreateEnumStmt:
		add_names(r, ((CreateEnumStmt *)n)->typeName);
		return SQL_DDL_CREATE;
	case T_CommentStmt:
		return SQL_DDL_CREATE;
	case T_DropStmt:
		return read_drop(r, (DropStmt *)n);
	case T_TruncateStmt:
		add_ranges(r, ((TruncateStmt *)n)->relations);
		return SQL_DDL_DROP;

	case T_AlterTableStmt:
		return read_alter_table(r, (AlterTableStmt *)n);
	case T_RenameStmt:
		return read_rename(r, (RenameStmt *)n);
	case T_AlterObjectSchemaStmt:
		return read_set_schema(r, (AlterObjectSchemaStmt *)n);
	case T_AlterOwnerStmt:
		add_node(r, ((AlterOwnerStmt *)n)->object);
		return kind_of_object(((AlterOwnerStmt *)n)->objectType,
		    SQL_DDL_ALTER);
	case T_AlterSeqStmt:
		add_range(r, ((AlterSeqStmt *)n)->sequence);
		return SQL_DDL_ALTER;
	case T_AlterEnumStmt:
		add_names(r, ((AlterEnumStmt *)n)->typeName);
		return SQL_DDL_ALTER;
	case T_AlterDomainStmt:
		add_names(r, ((AlterDomainStmt *)n)->typeName);
		r->s->creates_code = calls_code(r, n);
		return SQL_DDL_ALTER;
	case T_AlterStatsStmt:
		add_names(r, ((AlterStatsStmt *)n)->defnames);
		return SQL_DDL_ALTER;

	case T_AlterCollationStmt:
	case T_AlterEventTrigStmt:
	case T_AlterExtensionContentsStmt:
	case T_AlterExtensionStmt:
	case T_AlterFdwStmt:
	case T_AlterForeignServerStmt:
	case T_AlterFunctionStmt:
	case T_AlterObjectDependsStmt:
	case T_AlterOpFamilyStmt:
	case T_AlterOperatorStmt:
	case T_AlterPolicyStmt:
	case T_AlterPublicationStmt:
	case T_AlterSubscriptionStmt:
	case T_AlterTSConfigurationStmt:
	case T_AlterTSDictionaryStmt:
	case T_AlterTypeStmt:
	case T_AlterUserMappingStmt:
	case T_CreateAmStmt:
	case T_CreateCastStmt:
	case T_CreateConversionStmt:
	case T_CreateEventTrigStmt:
	case T_CreateExtensionStmt:
	case T_CreateFdwStmt:
	case T_CreateForeignServerStmt:
	case T_CreateForeignTableStmt:
	case T_CreateFunctionStmt:
	case T_CreateOpClassStmt:
	case T_CreateOpFamilyStmt:
	case T_CreatePLangStmt:
	case T_CreatePolicyStmt:
	case T_CreatePublicationStmt:
	case T_CreateRangeStmt:
	case T_CreateSubscriptionStmt:
	case T_CreateTransformStmt:
	case T_CreateTrigStmt:
	case T_CreateUserMappingStmt:
	case T_DefineStmt:
	case T_DropOwnedStmt:
	case T_DropSubscriptionStmt:
	case T_DropUserMappingStmt:
	case T_ImportForeignSchemaStmt:
	case T_RuleStmt:
	case T_SecLabelStmt:
		return SQL_DDL_DEFINE;

	case T_GrantStmt:
	case T_GrantRoleStmt:
	case T_AlterDefaultPrivilegesStmt:
	case T_CreateRoleStmt:
	case T_AlterRoleStmt:
	case T_DropRoleStmt:
	case T_ReassignOwnedStmt:
		return SQL_GRANT;
	case T_DoStmt:
		return SQL_DO;
	case T_CallStmt:
		add_names(r, ((CallStmt *)n)->funccall->funcname);
		return SQL_CALL;

	/* they reach beyond this database, or change what sessions begin with */
	case T_AlterDatabaseRefreshCollStmt:
	case T_AlterDatabaseSetStmt:
	case T_AlterDatabaseStmt:
	case T_AlterRoleSetStmt:
	case T_AlterSystemStmt:
	case T_AlterTableMoveAllStmt:
	case T_AlterTableSpaceOptionsStmt:
	case T_CreateTableSpaceStmt:
	case T_CreatedbStmt:
	case T_DropTableSpaceStmt:
	case T_DropdbStmt:
	case T_LoadStmt:
	default:
		return SQL_OTHER;
	}
}

/* ---- the whole text ---- */

/*
 * The copy that libpg_query gets. What it would take much time (its scanner is
 * quadratic in a run of operator characters) or memory for (a copy of a number
 * for each minus in front; nodes for tokens) is too big.
 */
static enum err
prepare(char *copy, const char *text, size_t len)
{
	struct lex l = lex_init(text, len, true);
	struct lex_token t;
	size_t tokens = 0, run = 0;

	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = 0;
	l.blank = copy;
	while (lex_next(&l, &t) != LEX_END) {
		run = t.kind == LEX_OP ? run + t.len : 0;
		if (t.kind == LEX_BROKEN)
			return ERR_FORMAT;
		if (t.kind != LEX_SPACE && t.kind != LEX_COMMENT)
			tokens++;
		if (tokens > SQL_MAX_TOKENS || run > OPERATORS_MAX ||
		    (t.len > NUMBER_MAX &&
		    (t.kind == LEX_INT || t.kind == LEX_NUMERIC)))
			return ERR_TOOBIG;
	}
	return ERR_OK;
}

static enum err
read_raw(struct sql_list *out, const char *text, size_t len,
    const RawStmt *raw)
{
	struct sql_stmt *s = &out->v[out->n];
	struct reader r = {text, s, ERR_OK};
	struct span all;

	*s = (struct sql_stmt){0};
	if (raw->stmt_location < 0 || (size_t)raw->stmt_location > len ||
	    raw->stmt_len < 0 ||
	    (size_t)raw->stmt_len > len - (size_t)raw->stmt_location)
		return ERR_FORMAT;
	all.start = (size_t)raw->stmt_location;
	all.len = raw->stmt_len > 0 ? (size_t)raw->stmt_len : len - all.start;
	if (!span_trim(text, &all))
		return ERR_FORMAT;
	s->start = all.start;
	s->len = all.len;
	out->n++;
	s->kind = read_statement(&r, raw->stmt);
	return r.err;
}

static enum err
read_tree(struct sql_list *out, const char *text, size_t len, const List *tree)
{
	size_t n = (size_t)list_length(tree);
	enum err e = ERR_OK;
	ListCell *c;

	out->v = calloc(n > 0 ? n : 1, sizeof(*out->v));
	if (out->v == NULL)
		return ERR_NOMEM;
	if (n == 0) {
		out->v[0].kind = SQL_EMPTY;
		out->n = 1;
		return ERR_OK;
	}
	foreach(c, tree) {
		if ((e = read_raw(out, text, len,
		    lfirst_node(RawStmt, c))) != ERR_OK)
			break;
	}
	return e;
}

enum err
sql_classify(struct sql_list *out, const char *text, size_t len)
{
	PgQueryInternalParsetreeAndError parsed;
	MemoryContext ctx;
	enum err e;
	char *copy;

	*out = (struct sql_list){0};
	if (len > SQL_MAX_BYTES)
		return ERR_TOOBIG;
	if (len > 0 && memchr(text, 0, len) != NULL)
		return ERR_FORMAT;
	if ((copy = malloc(len + 1)) == NULL)
		return ERR_NOMEM;
	if ((e = prepare(copy, text, len)) != ERR_OK) {
		free(copy);
		return e;
	}
	ctx = pg_query_enter_memory_context();
	parsed = pg_query_raw_parse(copy);
	if (parsed.error == NULL) {
		e = read_tree(out, text, len, parsed.tree);
	} else {
		/* the parser's own limit of depth */
		e = strncmp(parsed.error->message, "memory exhausted", 16) == 0
		    ? ERR_TOOBIG : ERR_FORMAT;
		pg_query_free_error(parsed.error);
	}
	free(parsed.stderr_buffer);
	pg_query_exit_memory_context(ctx);
	free(copy);
	if (e != ERR_OK)
		sql_list_fini(out);
	return e;
}
