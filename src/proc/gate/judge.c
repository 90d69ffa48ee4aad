/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a statement's text to its verdict.
 *
 * The text alone decides statements that show no table's data (SET, BEGIN, DDL,
 * ...). For the others the server resolves the text in the session's own
 * connection, where search_path, role, temporary and uncommitted objects are
 * what the statement will see: a Parse with debug_print_rewritten on, nothing
 * executed. Its tree goes to verdict_judge(). When rows could be charged by key
 * but the key is not among the columns, it is put in as a hidden first column
 * and the edited text is judged again: the verdict is always over what runs.
 *
 * Results are cached per database by context, parameter types and shape.
 */
#include "proc/gate/gate.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "catalog/settings.h"

#define DDL_HINT _("A role with ddl = \"allow\" may: ask its holder, or delete rows instead of emptying a table.")

enum { CACHE_MAX_BYTES = 64 << 20, SHAPE_KEY_MAX = 1 << 20, TREE_LIMIT = 64 << 20 };

#define SQL_ON "SELECT pg_catalog.set_config('kuraban.level', " \
	"pg_catalog.current_setting('client_min_messages'), false), " \
	"pg_catalog.set_config('client_min_messages', 'log', false), " \
	"pg_catalog.set_config('debug_pretty_print', 'off', false), " /* it cuts names in two */ \
	"pg_catalog.set_config('debug_print_rewritten', 'on', false)"
#define SQL_OFF "SELECT pg_catalog.set_config('debug_print_rewritten', 'off', false), " \
	"pg_catalog.set_config('client_min_messages', " \
	"pg_catalog.current_setting('kuraban.level'), false)"

/* ---- judged: shared results ---- */

struct judged *
judged_ref(struct judged *j)
{
	if (j != NULL)
		j->refs++;
	return j;
}

void
judged_unref(struct judged *j)
{
	if (j == NULL || --j->refs > 0)
		return;
	for (int i = 0; i < VERDICT_MAX_KEYS; i++)
		free(j->domains[i]);
	verdict_fini(&j->v);
	free(j->hidden);
	free(j->message);
	free(j->hint);
	free(j);
}

static struct judged *
judged_new(enum sql_kind kind)
{
	struct judged *j = calloc(1, sizeof(*j));

	must(j != NULL);
	j->refs = 1;
	j->kind = kind;
	j->class = VERDICT_FREE;
	j->v.class = j->v.fallback = VERDICT_FREE;
	return j;
}

struct judged *
judged_refusal(const char *sqlstate, const char *message, const char *hint,
    unsigned why, const char *object)
{
	struct judged *j = judged_new(SQL_OTHER);

	memcpy(j->sqlstate, sqlstate, 5);
	must((j->message = strdup(message)) != NULL);
	j->hint = hint ? strdup(hint) : NULL;
	j->v.why = (enum verdict_why)why;
	j->v.object = object ? strdup(object) : NULL;
	j->class = j->v.class = VERDICT_REFUSED;
	return j;
}

/*
 * A statement that shows no rows, but runs over stored data (an index over an
 * expression, a materialized view): its errors could show values.
 */
static struct judged *
judged_maintains(enum sql_kind kind)
{
	struct judged *j = judged_new(kind);

	j->v.touches_personal = true;
	return j;
}

static struct judged *
refuse(const char *format, const char *object, const char *hint)
{
	char text[512];

	snprintf(text, sizeof(text), format, object ? object : "");
	return judged_refusal("KB003", text, hint, WHY_NONE, object);
}

bool
judged_charges(const struct judged *j)
{
	return j != NULL && (j->class == VERDICT_KEY || j->class == VERDICT_ROWS ||
	    j->class == VERDICT_BYTES || j->v.tag_depends);
}

enum verdict_class
judged_class(const struct judged *j)
{
	return j->class == VERDICT_FREE && j->v.tag_depends ? VERDICT_BYTES : j->class;
}

static void
cache_drop(void *p)
{
	judged_unref(p);
}

void
cache_clear(struct db *db)
{
	map_fini(&db->cache, cache_drop);
	db->cache_bytes = 0;
}

/* context, number of type bytes, types, then the shape or (exact) the text */
static void
cache_key(struct buf *k, struct session *s, struct slice types, char how,
    const char *text, size_t len)
{
	buf_init(k, SQL_MAX_BYTES + (1 << 20));
	buf_u64(k, s->ctx);
	buf_u8(k, (uint8_t)how);
	buf_lp32(k, types);
	buf_put(k, text, len);
}

static struct judged *
cache_get(struct session *s, const struct judge *j, char how, const char *text,
    size_t len)
{
	struct buf key;
	struct judged *found;

	cache_key(&key, s, (struct slice){buf_head(&j->types), buf_used(&j->types)},
	    how, text, len);
	found = map_get(&s->db->cache, (struct slice){buf_head(&key), buf_used(&key)});
	buf_fini(&key);
	return found != NULL && found->epoch == s->db->epoch ? found : NULL;
}

static void
cache_put(struct session *s, const struct judge *j, struct judged *v)
{
	struct db *db = s->db;
	struct buf key;
	bool exact = v->v.exact_only;

	if (db->cache_bytes > CACHE_MAX_BYTES)
		cache_clear(db);
	cache_key(&key, s, (struct slice){buf_head(&j->types), buf_used(&j->types)},
	    exact ? 'x' : 's', exact ? j->text : j->shape,
	    exact ? j->len : j->shape_len);
	if (!key.bad) {
		db->cache_bytes += buf_used(&key) + 512;
		judged_unref(map_put(&db->cache,
		    (struct slice){buf_head(&key), buf_used(&key)}, judged_ref(v)));
	}
	buf_fini(&key);
}

/* ---- what the text alone decides ---- */

/* Does the configuration name a table of this name? Without a schema: any. */
static const struct conf_table *
conf_names(const struct db *db, const struct sql_name *n)
{
	for (size_t i = 0; i < db->conf->ntables; i++) {
		const struct conf_table *t = &db->conf->tables[i];

		if (strcmp(t->name, n->name) == 0 &&
		    (n->schema == NULL || strcmp(t->schema, n->schema) == 0))
			return t;
	}
	return NULL;
}

bool
setting_is(const struct sql_stmt *st, const char *name)
{
	return st->kind == SQL_SET && st->name != NULL && strcmp(st->name, name) == 0;
}

static struct judged *
judge_ddl(struct session *s, const struct sql_stmt *st)
{
	bool defines = st->kind == SQL_DDL_DEFINE || st->kind == SQL_DDL_ALTER ||
	    st->kind == SQL_GRANT || st->creates_code;

	if (s->role->ddl_allowed)
		return judged_maintains(st->kind);
	if (defines)
		return refuse(_("this role may not change definitions (functions, triggers, rights, existing objects)%s"),
		    NULL, DDL_HINT);
	for (size_t i = 0; i < st->nobjects; i++) {
		if (conf_names(s->db, &st->objects[i]) != NULL)
			return refuse(_("this role may not create, drop or empty %s: the catalog names it"),
			    st->objects[i].name, DDL_HINT);
	}
	return judged_maintains(st->kind);
}

/*
 * Settings that the gate relies on pass where it can follow them: message level
 * and encoding are looked after (ask_tree, ParameterStatus), strings must end
 * where the lexer thinks.
 */
bool
setting_allowed(const char *name, const char *value)
{
	switch (catalog_setting(name)) {
	case SETTING_FREE:
	case SETTING_CONTEXT:
	case SETTING_LITERAL:
		return true;
	case SETTING_HELD:
		if (strcasecmp(name, "client_min_messages") == 0 ||
		    strcasecmp(name, "client_encoding") == 0)
			return true;
		return strcasecmp(name, "standard_conforming_strings") == 0 &&
		    value != NULL && (strcasecmp(value, "on") == 0 ||
		    strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0 ||
		    strcmp(value, "1") == 0);
	case SETTING_REFUSED:
		break;
	}
	return false;
}

static struct judged *
judge_set(const struct sql_stmt *st)
{
	struct judged *j;

	if (st->name == NULL || (strcmp(st->name, "all") != 0 &&
	    !setting_allowed(st->name, st->value)))
		return refuse(_("setting %s cannot be changed through the gate"),
		    st->name, gettext(verdict_why_hint(WHY_SETTING)));
	j = judged_new(SQL_SET);
	j->keeps_context = strcmp(st->name, "all") != 0 &&
	    catalog_setting(st->name) != SETTING_CONTEXT;
	return j;
}

/* The verdict of a statement that needs no tree; NULL: it needs one. */
static struct judged *
judge_text(struct session *s, const char *input, const struct sql_stmt *st)
{
	const char *statement = input + st->start;
	struct portal *p;
	struct pstmt *ps;
	struct judged *j;
	char text[160];

	switch (st->kind) {
	case SQL_EMPTY: case SQL_TXN_BEGIN: case SQL_TXN_COMMIT:
	case SQL_TXN_ROLLBACK: case SQL_TXN_OTHER: case SQL_SHOW: case SQL_DISCARD:
	case SQL_LISTEN: case SQL_UNLISTEN: case SQL_NOTIFY: case SQL_LOCK:
	case SQL_CLOSE: case SQL_DEALLOCATE:
		return judged_new(st->kind);
	case SQL_MAINTAIN:
		/* Sorted by a personal column, a table's free columns would tell it. */
		if (!s->role->ddl_allowed && strncasecmp(statement, "cluster", 7) == 0)
			return refuse(_("this role may not change definitions (functions, triggers, rights, existing objects)%s"),
			    NULL, DDL_HINT);
		return judged_maintains(st->kind);
	case SQL_SET:
		return judge_set(st);
	case SQL_DDL_CREATE: case SQL_DDL_DROP: case SQL_DDL_ALTER:
	case SQL_DDL_DEFINE: case SQL_GRANT:
		return judge_ddl(s, st);
	case SQL_FETCH: case SQL_MOVE:
		p = st->name ? map_get(&s->portals, slice_cstr(st->name)) : NULL;
		if (p == NULL) {
			snprintf(text, sizeof(text), _("cursor \"%s\" does not exist"),
			    st->name ? st->name : "");
			return judged_refusal("34000", text, NULL, WHY_NONE, st->name);
		}
		if (st->kind == SQL_FETCH || p->stmt->j->class == VERDICT_FREE)
			return judged_ref(p->stmt->j);
		/* MOVE shows no row, but says how many there were. */
		j = judged_maintains(st->kind);
		j->v.tag_depends = true;
		return j;
	case SQL_EXECUTE:
		ps = st->name ? map_get(&s->stmts, slice_cstr(st->name)) : NULL;
		j = ps ? ps->stmt->j : NULL;
		if (j == NULL) {
			snprintf(text, sizeof(text),
			    _("prepared statement \"%s\" does not exist"),
			    st->name ? st->name : "");
			return judged_refusal("26000", text, NULL, WHY_NONE, st->name);
		}
		if (ps->ctx != s->ctx || j->epoch != s->db->epoch)
			return refuse(_("definitions changed since %s was prepared: prepare it again"),
			    st->name, NULL);
		if (!st->args_plain)
			return refuse(_("EXECUTE %s: only constants may be passed"),
			    st->name, _("Send the values themselves, without functions or sub-queries."));
		return judged_ref(j);
	case SQL_SELECT_INTO:
		return refuse(_("SELECT INTO is refused%s"), NULL,
		    _("Use CREATE TABLE ... AS SELECT."));
	case SQL_COPY_FILE:
		return refuse(_("COPY to or from files and programs of the server is refused%s"),
		    NULL, _("Use COPY ... TO STDOUT or FROM STDIN (\\copy in psql)."));
	case SQL_DO: case SQL_CALL:
		return refuse(_("DO and CALL run code that the gate cannot judge%s"), NULL,
		    _("Send the statements themselves, one by one; a role with ddl = \"allow\" can put them into a function that the catalog declares."));
	case SQL_TXN_TWO_PHASE:
		return refuse(_("two-phase transactions are refused through the gate%s"),
		    NULL, _("Use COMMIT or ROLLBACK."));
	case SQL_QUERY: case SQL_DECLARE: case SQL_PREPARE: case SQL_COPY_OUT:
	case SQL_EXPLAIN: case SQL_CREATE_AS: case SQL_COPY_IN:
		return NULL;
	default:
		return refuse(_("the gate does not know this kind of statement%s"), NULL,
		    _("If it is ordinary work, report it to those who run the gate."));
	}
}

/* ---- what the server is asked ---- */

static void
put_ident(struct buf *b, const char *s)
{
	buf_u8(b, '"');
	for (; *s; s++) {
		if (*s == '"')
			buf_u8(b, '"');
		buf_u8(b, (uint8_t)*s);
	}
	buf_u8(b, '"');
}

static int
class_of_target(struct session *s, const struct sql_stmt *st)
{
	const struct conf_table *t;

	if (st->nobjects == 0)
		return REL_UNCOVERED;
	t = conf_names(s->db, &st->objects[0]);
	return t == NULL ? REL_UNCOVERED : t->open ? REL_OPEN : REL_PERSONAL;
}

static void explain_charge(struct judged *r, const struct judged *of, bool analyze);

static void
put_object(struct buf *b, const struct sql_name *n)
{
	if (n->schema != NULL) {
		put_ident(b, n->schema);
		buf_u8(b, '.');
	}
	put_ident(b, n->name);
}

/* tree_text := COPY's table as a query. */
static void
copy_as_query(struct buf *b, const struct sql_stmt *st, const char *hidden,
    size_t *first_target)
{
	buf_str(b, "SELECT ");
	*first_target = buf_used(b);
	buf_str(b, hidden);
	buf_str(b, st->copy_columns ? st->copy_columns : "*");
	buf_str(b, " FROM ONLY ");
	put_object(b, &st->objects[0]);
}

/*
 * Fills tree_text, first_target, target_class from text[st]. false: *refusal is
 * the verdict already.
 */
static bool
tree_plan(struct session *s, struct judge *j, const char *text,
    const struct sql_stmt *st, struct judged **refusal)
{
	struct sql_list inner;
	bool ok;

	j->target_class = -1;
	switch (st->kind) {
	case SQL_QUERY:
		buf_put(&j->tree_text, text + st->start, st->len);
		if (st->first_target != 0)
			j->first_target = st->first_target - st->start;
		return true;
	case SQL_CREATE_AS:
		j->target_class = class_of_target(s, st);
		if (!s->role->ddl_allowed && j->target_class != REL_UNCOVERED) {
			*refusal = refuse(_("this role may not create, drop or empty %s: the catalog names it"),
			    st->objects[0].name, DDL_HINT);
			return false;
		}
		buf_put(&j->tree_text, text + st->inner_start, st->inner_len);
		return true;
	case SQL_COPY_IN:
		/* Shows which triggers and rules rows that come in will meet. */
		buf_str(&j->tree_text, "INSERT INTO ");
		put_object(&j->tree_text, &st->objects[0]);
		buf_str(&j->tree_text, " DEFAULT VALUES");
		return true;
	case SQL_COPY_OUT:
		if (st->inner_len == 0) {
			copy_as_query(&j->tree_text, st, "", &j->first_target);
			/* Old spellings have no counterpart in COPY (query). */
			if (st->copy_binary_word || (st->copy_options_len >= 5 &&
			    strncasecmp(text + st->copy_options_start, "USING", 5) == 0))
				j->first_target = 0;
			return true;
		}
		break;
	case SQL_PREPARE:
		j->as_prepare = true;
		buf_str(&j->tree_text, "PREPARE \"kb$p\" ");
		if (st->param_types != NULL)
			buf_printf(&j->tree_text, "(%s) ", st->param_types);
		buf_str(&j->tree_text, "AS ");
		break;
	case SQL_EXPLAIN:
		if (sql_classify(&inner, text + st->inner_start, st->inner_len) !=
		    ERR_OK || inner.n != 1) {
			sql_list_fini(&inner);
			break;
		}
		j->explain = true;
		j->analyze = st->analyze;
		*refusal = sql_kind_needs_tree(inner.v[0].kind) ? NULL :
		    judge_text(s, text + st->inner_start, &inner.v[0]);
		ok = *refusal == NULL && tree_plan(s, j, text + st->inner_start,
		    &inner.v[0], refusal);
		if (inner.v[0].kind == SQL_EXECUTE && *refusal != NULL &&
		    (*refusal)->class != VERDICT_REFUSED) {
			struct judged *of = *refusal;

			*refusal = judged_maintains(SQL_EXPLAIN);
			explain_charge(*refusal, of, st->analyze);
			judged_unref(of);
		}
		sql_list_fini(&inner);
		j->first_target = 0;
		return ok;
	default:
		break;
	}
	if (st->first_target != 0)
		j->first_target = st->first_target - st->inner_start +
		    buf_used(&j->tree_text);
	buf_put(&j->tree_text, text + st->inner_start, st->inner_len);
	return true;
}

static struct op *
put_op(struct session *s, enum op_type type, enum op_internal internal)
{
	struct op *op = op_push(s, type);

	op->internal = (uint8_t)internal;
	return op;
}

static void
run_named(struct session *s, const char *name)
{
	pg_put_bind(back_out(s), "kb$", name);
	put_op(s, OP_BIND, INT_QUIET);
	pg_put_execute(back_out(s), "kb$");
	put_op(s, OP_EXECUTE, INT_QUIET);
	pg_put_close(back_out(s), 'P', "kb$");
	put_op(s, OP_CLOSE, INT_QUIET);
}

/* Sends everything that makes the server show the tree of j->tree_text. */
static void
ask_tree(struct session *s, struct judge *j)
{
	struct buf *b = back_out(s);
	struct slice text = {buf_head(&j->tree_text), buf_used(&j->tree_text)};
	struct slice types = {buf_head(&j->types), buf_used(&j->types)};

	buf_clear(&j->tree);
	j->trees = 0;
	if (!s->tree_ready) {
		pg_put_close(b, 'S', "kb$on");
		put_op(s, OP_CLOSE, INT_QUIET);
		pg_put_close(b, 'S', "kb$off");
		put_op(s, OP_CLOSE, INT_QUIET);
		pg_put_parse(b, "kb$on", slice_cstr(SQL_ON), (struct slice){NULL, 0});
		put_op(s, OP_PARSE, INT_QUIET);
		pg_put_parse(b, "kb$off", slice_cstr(SQL_OFF), (struct slice){NULL, 0});
		put_op(s, OP_PARSE, INT_QUIET);
		s->tree_ready = true;
	}
	run_named(s, "kb$on");
	pg_put_parse(b, "kb$t", text, types);
	put_op(s, OP_PARSE, j->as_prepare ? INT_QUIET : INT_TREE);
	if (j->as_prepare) {
		pg_put_bind(b, "kb$", "kb$t");
		put_op(s, OP_BIND, INT_QUIET);
		pg_put_execute(b, "kb$");
		put_op(s, OP_EXECUTE, INT_TREE);
		pg_put_close(b, 'P', "kb$");
		put_op(s, OP_CLOSE, INT_QUIET);
	}
	pg_put_close(b, 'S', "kb$t");
	put_op(s, OP_CLOSE, INT_QUIET);
	if (j->as_prepare) {
		pg_put_close(b, 'S', "kb$p");
		put_op(s, OP_CLOSE, INT_QUIET);
	}
	run_named(s, "kb$off");
	op_at(s, s->ops_len - 1)->internal = INT_END;
	if (j->extended) {
		pg_put_empty(b, 'H');
	} else {
		pg_put_empty(b, 'S');
		op_at(s, s->ops_len - 1)->internal = INT_QUIET;
		put_op(s, OP_SYNC, INT_END);
	}
	s->wait = WAIT_TREE;
}

/* ---- from the tree to the result ---- */

static void
why_message(const char *format, const struct verdict *v, char *text, size_t cap)
{
	/* Texts and their order of arguments come from VERDICT_WHYS. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
	snprintf(text, cap, gettext(format), v->object ? v->object : "");
#pragma GCC diagnostic pop
}

/*
 * EXPLAIN shows plans, not rows; but estimates come from samples of the data, and
 * ANALYZE counts rows and bytes at every step. One subject for a plan, one a line
 * with ANALYZE.
 */
static void
explain_charge(struct judged *r, const struct judged *of, bool analyze)
{
	bool charged = of->class != VERDICT_FREE || of->v.splits ||
	    (analyze && of->v.touches_personal);

	r->v.nkeys = 0;
	r->v.ncols = 0;
	r->v.tag_depends = false;
	r->v.row_weight = 1;
	r->first_row_only = !analyze;
	r->class = r->v.class = r->v.fallback = charged ? VERDICT_ROWS : VERDICT_FREE;
}

static bool
keys_present(const struct verdict *v)
{
	for (size_t i = 0; i < v->nkeys; i++) {
		if (v->keys[i].col < 0)
			return false;
	}
	return true;
}

/* "expr, " of every key that is not among the columns; NULL: one has no expr. */
static char *
hidden_text(const struct verdict *v, unsigned *n)
{
	struct buf b;
	char *out = NULL;

	*n = 0;
	buf_init(&b, 65536);
	for (size_t i = 0; i < v->nkeys; i++) {
		if (v->keys[i].col >= 0)
			continue;
		if (v->keys[i].expr == NULL)
			goto out;
		/* An alias that no ORDER BY or USING of the statement can mean. */
		buf_printf(&b, "%s AS \"?kuraban%u?\", ", v->keys[i].expr, (*n)++);
	}
	buf_u8(&b, 0);
	if (!b.bad)
		out = strdup((char *)buf_head(&b));
out:
	buf_fini(&b);
	return out;
}

static void
insert_hidden(struct judge *j)
{
	struct buf b;
	size_t at = j->first_target;

	buf_init(&b, j->tree_text.max);
	buf_put(&b, buf_head(&j->tree_text), at);
	buf_str(&b, j->hidden);
	buf_put(&b, buf_head(&j->tree_text) + at, buf_used(&j->tree_text) - at);
	buf_fini(&j->tree_text);
	j->tree_text = b;
}

static void
remove_hidden(struct judge *j)
{
	struct buf b;
	size_t at = j->first_target, n = strlen(j->hidden);

	buf_init(&b, j->tree_text.max);
	buf_put(&b, buf_head(&j->tree_text), at);
	buf_put(&b, buf_head(&j->tree_text) + at + n,
	    buf_used(&j->tree_text) - at - n);
	buf_fini(&j->tree_text);
	j->tree_text = b;
	free(j->hidden);
	j->hidden = NULL;
	j->nhidden = 0;
	j->first_target = 0;
}

static void
alert_uncovered(struct session *s, const struct verdict *v)
{
	for (size_t i = 0; i < v->ntables; i++) {
		if (v->tables[i].uncovered)
			link_alert(s->gate, "uncovered", s->db->conf->name,
			    v->tables[i].name);
	}
}

static void
finish(struct session *s, struct judge *j, struct judged *r)
{
	r->epoch = s->db->epoch;
	j->result = r;
}

/* true: decided. false: the server is asked again. */
static bool
judge_tree(struct session *s, struct judge *j)
{
	struct judged *r;
	struct verdict v;
	char text[512], hint[1024];

	if (verdict_judge(&v, (char *)buf_head(&j->tree), buf_used(&j->tree),
	    s->db->catalog, j->target_class) != ERR_OK) {
		j->result = judged_refusal("53200", _("out of memory"), NULL, 0, NULL);
		return true;
	}
	if (j->trees != 1 && v.class != VERDICT_REFUSED) {
		verdict_fini(&v);
		j->result = refuse(_("the server's query tree could not be read (%s)"),
		    j->trees == 0 ? "none" : "several", gettext(verdict_why_hint(WHY_TREE)));
		return true;
	}
	/* It would change the rows, and there is no tag to charge them by. */
	if (j->explain && j->analyze && v.tag_weight > 0) {
		verdict_fini(&v);
		j->result = refuse(_("EXPLAIN ANALYZE is refused for a change that depends on personal data%s"),
		    NULL, _("EXPLAIN without ANALYZE does not change anything."));
		return true;
	}
	if (v.class == VERDICT_REFUSED) {
		why_message(verdict_why_text(v.why), &v, text, sizeof(text));
		why_message(verdict_why_hint(v.why), &v, hint, sizeof(hint));
		r = judged_refusal(verdict_why_sqlstate(v.why), text, hint, v.why,
		    v.object);
		r->v.exact_only = v.exact_only;
		verdict_fini(&v);
		cache_put(s, j, r);
		finish(s, j, r);
		return true;
	}
	if (v.class == VERDICT_KEY && !keys_present(&v) && j->round == 0 &&
	    j->first_target != 0 && (j->hidden = hidden_text(&v, &j->nhidden)) != NULL) {
		j->round = 1;
		j->ncols = v.ncols;
		verdict_fini(&v);
		insert_hidden(j);
		ask_tree(s, j);
		return false;
	}
	if (j->hidden != NULL && (v.class != VERDICT_KEY || !keys_present(&v) ||
	    v.ncols != j->ncols + j->nhidden)) {
		/* The edit did not do what it should: judge the text as it came. */
		verdict_fini(&v);
		remove_hidden(j);
		j->round = 2;
		ask_tree(s, j);
		return false;
	}
	alert_uncovered(s, &v);
	r = judged_new(j->kind);
	r->v = v;
	r->class = v.class == VERDICT_KEY && !keys_present(&v) ? v.fallback : v.class;
	if (j->hidden != NULL) {
		r->hidden = j->hidden;
		r->nhidden = j->nhidden;
		j->hidden = NULL;
	}
	if (j->explain)
		explain_charge(r, r, j->analyze);
	for (size_t i = 0; i < r->v.nkeys; i++)
		r->domains[i] = strdup(catalog_domain(s->db->catalog,
		    r->v.keys[i].domain));
	r->plain = j->kind == SQL_QUERY && r->hidden == NULL && !v.changes_context;
	cache_put(s, j, r);
	finish(s, j, r);
	return true;
}

/* All answers to ask_tree() are in; error: the server's, when it refused. */
void
judge_tree_done(struct session *s, struct slice error)
{
	struct judge *j = s->judge;

	must(j != NULL && s->wait == WAIT_TREE);
	s->wait = WAIT_NONE;
	if (error.len > 0) {
		if (j->hidden != NULL && !j->extended) {
			remove_hidden(j);
			j->round = 2;
			ask_tree(s, j);
			return;
		}
		buf_put(&j->error, error.p, error.len);
		j->failed = true;
	} else if (!judge_tree(s, j)) {
		return;
	}
	query_judged(s);
}

/* The prepared statement that an EXECUTE names, when it was judged in another context. */
static struct pstmt *
stale(struct session *s, const struct sql_stmt *st)
{
	struct pstmt *ps = st->kind == SQL_EXECUTE && st->name != NULL ?
	    map_get(&s->stmts, slice_cstr(st->name)) : NULL;

	return ps != NULL && (ps->ctx != s->ctx || ps->stmt->j->epoch != s->db->epoch) ?
	    ps : NULL;
}

/* Judges the prepared statement again before the EXECUTE; true: decided. */
static bool
execute_stale(struct session *s, struct judge *j, const struct pstmt *ps)
{
	struct judge *again = calloc(1, sizeof(*again));

	must(again != NULL && (again->text = malloc(ps->stmt->len + 1)) != NULL);
	memcpy(again->text, ps->stmt->text, ps->stmt->len + 1);
	again->len = ps->stmt->len;
	again->extended = j->extended;
	again->execute = j;
	buf_init(&again->types, 4 * 65536 + 2);
	buf_put(&again->types, buf_head(&ps->types), buf_used(&ps->types));
	if (!judge_start(s, again))
		return false;
	judge_execute(s);
	return true;
}

/* true: decided. */
static bool
judge_go(struct session *s, struct judge *j)
{
	struct judged *r = NULL;
	struct sql_stmt whole = {.kind = SQL_QUERY, .len = j->len};
	const struct sql_stmt *st = j->list.n == 1 ? &j->list.v[0] : &whole;
	const struct pstmt *ps = j->execute == NULL ? stale(s, st) : NULL;

	if (ps != NULL)
		return execute_stale(s, j, ps);
	buf_init(&j->tree_text, SQL_MAX_BYTES + 65536);
	buf_init(&j->tree, TREE_LIMIT);
	buf_init(&j->error, 2 * COLLECT_MAX);
	j->kind = st->kind;
	if ((r = judge_text(s, j->text, st)) != NULL ||
	    !tree_plan(s, j, j->text, st, &r)) {
		if (j->result == NULL) {
			j->result = r;
			if (r->epoch == 0)
				r->epoch = s->db->epoch;
		}
		return true;
	}
	if (s->txn == 'E' && !j->extended && s->ops_len == 0) {
		j->result = judged_refusal("25P02",
		    _("current transaction is aborted, commands ignored until end of transaction block"),
		    NULL, 0, NULL);
		return true;
	}
	ask_tree(s, j);
	return false;
}

void
judge_execute(struct session *s)
{
	struct judge *again = s->judge, *j = again->execute;
	struct pstmt *ps = stale(s, &j->list.v[0]);

	again->execute = NULL;
	s->judge = j;
	if (again->failed) {
		buf_init(&j->error, 2 * COLLECT_MAX);
		buf_put(&j->error, buf_head(&again->error), buf_used(&again->error));
		j->failed = true;
	} else if (again->result->class == VERDICT_REFUSED) {
		j->result = judged_ref(again->result);
	} else if (ps == NULL || strcmp(ps->stmt->text, again->text) != 0 ||
	    !pstmt_judged(s, ps, again)) {
		j->result = refuse(_("definitions changed since %s was prepared: prepare it again"),
		    j->list.v[0].name, NULL);
	} else {
		must(judge_go(s, j));
	}
	judge_free(again);
}

void
judge_catalog_ready(struct session *s)
{
	s->wait = WAIT_NONE;
	if (judge_go(s, s->judge))
		query_judged(s);
}

bool
judge_start(struct session *s, struct judge *j)
{
	struct judged *r;
	enum err e;

	s->judge = j;
	/* A literal of one byte becomes two: the shape is never cut. */
	must((j->shape = malloc(SQL_SHAPE_CAP(j->len))) != NULL);
	j->shape_len = sql_shape(j->shape, SQL_SHAPE_CAP(j->len), j->text, j->len,
	    s->std_strings, &j->hash);
	if ((r = cache_get(s, j, 's', j->shape, j->shape_len)) != NULL ||
	    (r = cache_get(s, j, 'x', j->text, j->len)) != NULL) {
		j->result = judged_ref(r);
		j->kind = r->kind;
		/* A hidden key's place depends on this very text. */
		if (!r->plain && r->class != VERDICT_REFUSED &&
		    sql_classify(&j->list, j->text, j->len) != ERR_OK)
			j->list.n = 0;
		return true;
	}
	e = sql_classify(&j->list, j->text, j->len);
	if (e == ERR_TOOBIG) {
		j->result = judged_refusal("54000",
		    _("the statement is too long or too deep to be judged"), NULL, 0, NULL);
		return true;
	}
	if (e == ERR_OK && j->list.n == 0) {
		j->result = judged_new(SQL_EMPTY);
		return true;
	}
	if (j->list.n > 1) {
		j->result = judged_refusal("42601",
		    _("cannot insert multiple commands into a prepared statement"),
		    NULL, 0, NULL);
		return true;
	}
	if (j->list.n == 1 && !sql_kind_needs_tree(j->list.v[0].kind) &&
	    j->list.v[0].kind != SQL_COPY_IN)
		return judge_go(s, j);
	if (!side_ready(s->db)) {
		s->wait = WAIT_CATALOG;
		s->wait_since_us = clock_mono_us();
		return false;
	}
	return judge_go(s, j);
}

struct judged *
judged_peek(struct session *s, const char *text, size_t len, struct slice types,
    uint64_t *hash)
{
	static char key[65536];
	size_t n = 8 + 1 + 4;
	struct judged *j;

	if (len > 16384 || types.len > 4096)
		return NULL;
	for (int i = 0; i < 8; i++)
		key[i] = (char)(s->ctx >> (56 - 8 * i));
	key[8] = 's';
	key[9] = key[10] = 0;
	key[11] = (char)(types.len >> 8);
	key[12] = (char)types.len;
	if (types.len > 0)
		memcpy(key + n, types.p, types.len);
	n += types.len;
	n += sql_shape(key + n, sizeof(key) - n, text, len, s->std_strings, hash);
	j = map_get(&s->db->cache, (struct slice){(uint8_t *)key, n});
	return j != NULL && j->epoch == s->db->epoch && j->plain ? j : NULL;
}

char *
judged_text(const struct judged *v, const char *text, const struct sql_stmt *st)
{
	struct buf b;
	size_t at, end = st->start + st->len;
	char *out;

	buf_init(&b, SQL_MAX_BYTES + 131072);
	if (setting_is(st, "application_name")) {
		buf_str(&b, st->local ? "SET LOCAL application_name TO DEFAULT" :
		    "SET application_name TO DEFAULT");
	} else if (v->hidden == NULL || st->kind == SQL_FETCH ||
	    st->kind == SQL_EXECUTE) {
		buf_put(&b, text + st->start, st->len);
	} else if (st->kind == SQL_COPY_OUT && st->inner_len == 0) {
		buf_str(&b, "COPY (");
		copy_as_query(&b, st, v->hidden, &at);
		buf_str(&b, ") TO STDOUT ");
		buf_put(&b, text + st->copy_options_start, st->copy_options_len);
	} else {
		at = st->first_target;
		buf_put(&b, text + st->start, at - st->start);
		buf_str(&b, v->hidden);
		buf_put(&b, text + at, end - at);
	}
	buf_u8(&b, 0);
	must(!b.bad);
	out = strdup((char *)buf_head(&b));
	must(out != NULL);
	buf_fini(&b);
	return out;
}

void
judge_free(struct judge *j)
{
	if (j == NULL)
		return;
	judge_free(j->execute);
	judged_unref(j->result);
	free(j->text);
	free(j->shape);
	free(j->hidden);
	free(j->name);
	buf_fini(&j->types);
	buf_fini(&j->tree_text);
	buf_fini(&j->tree);
	buf_fini(&j->error);
	buf_fini(&j->msg);
	sql_list_fini(&j->list);
	free(j);
}
