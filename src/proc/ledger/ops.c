/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/ledger/ops.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

json_t *
ops_error(const char *code, const char *text)
{
	json_t *o = json_pack("{s:b, s:s*, s:s}", "ok", 0, "code", code, "error",
	    text);

	must(o != NULL);
	return o;
}

static json_t *
ops_err(enum err e)
{
	return ops_error(NULL, err_text(e));
}

static json_t *
ops_ok(void)
{
	json_t *o = json_pack("{s:b}", "ok", 1);

	must(o != NULL);
	return o;
}

static const char *
arg(json_t *request, const char *key)
{
	return json_string_value(json_object_get(request, key));
}

/* "uid 0 (root), sudo tanaka" */
static void
who_text(char *out, size_t cap, const struct ops_who *w)
{
	snprintf(out, cap, "uid %u%s%s%s%s%s", w->uid, w->login[0] ? " (" : "",
	    w->login, w->login[0] ? ")" : "", w->claimed[0] ? ", sudo " : "",
	    w->claimed);
}

/*
 * First the entry that says who does it, then the change: a change that nobody
 * can see in the ledger must not exist (L6).
 */
static enum err
tell(struct book *b, const char *what, const char *actor, const char *role,
    const struct ops_who *who)
{
	char text[256];
	struct entry_pair pairs[2] = {{slice_cstr("actor"), slice_cstr(actor)}};
	size_t n = 1;

	if (role != NULL)
		pairs[n++] = (struct entry_pair){slice_cstr("role"),
		    slice_cstr(role)};
	who_text(text, sizeof(text), who);
	return book_policy(b, what, text, pairs, n);
}

static struct actor_rules
rules_of(const struct conf *c)
{
	return (struct actor_rules){c->password_min_length,
	    c->password_max_age_days, c->lockout_failures, c->lockout_minutes};
}

static json_t *
password_fault(enum actor_password f, const struct conf *c)
{
	static const struct {
		const char *code, *text;
	} t[] = {
		[ACTOR_PASSWORD_SHORT] = {"password-short", "the password is too short"},
		[ACTOR_PASSWORD_LONG] = {"password-long", "the password is too long"},
		[ACTOR_PASSWORD_NAME] = {"password-name",
		    "the password is little more than the actor's name"},
		[ACTOR_PASSWORD_REPEATS] = {"password-repeats",
		    "the password has too few different characters"},
		[ACTOR_PASSWORD_CHARS] = {"password-chars",
		    "the password has characters other than printable ASCII"},
	};
	json_t *o = ops_error(t[f].code, t[f].text);

	if (f == ACTOR_PASSWORD_SHORT)
		json_object_set_new(o, "min", json_integer(c->password_min_length));
	return o;
}

/* --- actors ------------------------------------------------------------- */

static json_t *
actor_add(struct book *b, json_t *q, const struct ops_who *who)
{
	const char *name = arg(q, "name"), *role = arg(q, "role");
	const char *password = arg(q, "password");
	struct actor_rules rules = rules_of(b->conf);
	enum actor_password fault;
	uint8_t salt[SCRAM_SALT];
	struct actor *a;
	enum err err;

	if (name == NULL || role == NULL || password == NULL)
		return ops_error("usage", "name, role and password are needed");
	if (!actor_name_ok(name))
		return ops_error("name", "this cannot be an actor's name");
	if (conf_role(b->conf, role) == NULL)
		return ops_error("role", "there is no such role");
	fault = actor_password_judge(&rules, name, password);
	if (fault != ACTOR_PASSWORD_OK)
		return password_fault(fault, b->conf);
	err = actors_add(b->actors, name, role, book_now(b), &a);
	if (err == ERR_EXISTS)
		return ops_error("exists", "there is an actor of this name already");
	if (err != ERR_OK)
		return ops_err(err);
	randombytes_buf(salt, sizeof(salt));
	actor_password_set(a, password, salt, book_now(b));
	if ((err = tell(b, "actor-add", name, role, who)) == ERR_OK)
		err = book_actors_save(b);
	if (err == ERR_OK)
		return ops_ok();
	actors_remove_last(b->actors);
	return ops_err(err);
}

static json_t *
actor_password(struct book *b, json_t *q, struct actor *a,
    const struct ops_who *who)
{
	const char *password = arg(q, "password");
	struct actor_rules rules = rules_of(b->conf);
	struct actor before = *a;
	enum actor_password fault;
	uint8_t salt[SCRAM_SALT];
	enum err err;

	if (password == NULL)
		return ops_error("usage", "a password is needed");
	fault = actor_password_judge(&rules, a->name, password);
	if (fault != ACTOR_PASSWORD_OK)
		return password_fault(fault, b->conf);
	/* An expired password is not renewed by itself. */
	if (scram_verifier_check(&a->verifier, password))
		return ops_error("password-same", "this is the password already");
	if ((err = tell(b, "actor-password", a->name, NULL, who)) != ERR_OK)
		return ops_err(err);
	randombytes_buf(salt, sizeof(salt));
	actor_password_set(a, password, salt, book_now(b));
	if ((err = book_actors_save(b)) == ERR_OK)
		return ops_ok();
	*a = before;
	return ops_err(err);
}

static json_t *
actor_switch(struct book *b, struct actor *a, bool disable,
    const struct ops_who *who, const char **killed)
{
	bool before = a->disabled;
	enum err err;

	err = tell(b, disable ? "actor-disable" : "actor-enable", a->name, NULL,
	    who);
	if (err != ERR_OK)
		return ops_err(err);
	a->disabled = disable;
	if (!disable) {
		a->failed = 0;
		a->locked_until_us = 0;
	}
	if ((err = book_actors_save(b)) != ERR_OK) {
		a->disabled = before;
		return ops_err(err);
	}
	if (disable)
		*killed = a->name;
	return ops_ok();
}

static json_t *
time_json(int64_t us)
{
	char text[28];

	if (us == 0)
		return json_null();
	clock_rfc3339(text, us);
	return json_string(text);
}

static json_t *
actor_list(struct book *b)
{
	static const char *const states[] = {
		[ACTOR_OK] = "enabled", [ACTOR_LOCKED] = "locked",
		[ACTOR_DISABLED] = "disabled", [ACTOR_EXPIRED] = "expired"};
	struct actor_rules rules = rules_of(b->conf);
	int64_t now = book_now(b);
	json_t *rows = json_array(), *o;

	for (size_t i = 0; i < actors_count(b->actors); i++) {
		const struct actor *a = actors_at(b->actors, i);
		enum actor_state state = actor_state(a, &rules, now);

		/* Disabled says more than locked. */
		if (a->disabled)
			state = ACTOR_DISABLED;
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:o, s:o, s:i}",
		    "actor", a->name, "role", a->role, "state", states[state],
		    "created", time_json(a->created_us),
		    "password_set", time_json(a->password_set_us),
		    "failed", (int)a->failed));
	}
	o = ops_ok();
	json_object_set_new(o, "rows", rows);
	return o;
}

/* --- budgets ------------------------------------------------------------ */

static json_t *
databases_of(const struct conf_role *r)
{
	struct buf b;
	json_t *o;

	buf_init(&b, 64 << 10);
	for (size_t i = 0; r != NULL && i < r->ndatabases; i++)
		buf_printf(&b, "%s%s", i ? "," : "", r->databases[i]);
	o = json_stringn((const char *)(b.data ? b.data : (uint8_t *)""),
	    buf_used(&b));
	buf_fini(&b);
	return o ? o : json_string("");
}

void
ops_budget_rows(json_t *rows, const struct conf *c, struct meter *m,
    const struct actors *actors, const char *actor, int32_t today)
{
	for (size_t i = 0; i < actors_count(actors); i++) {
		const struct actor *a = actors_at(actors, i);
		const struct conf_role *r = conf_role(c, a->role);
		uint32_t n = meter_actor_find(m, a->name);

		if (actor != NULL && strcmp(actor, a->name) != 0)
			continue;
		for (int w = 0; w < WINDOW_COUNT; w++) {
			uint64_t limit = r ? r->limit[w] : 0, used = 0;

			if (n != UINT32_MAX)
				used = meter_used(m, n, today, w);
			json_array_append_new(rows, json_pack(
			    "{s:s, s:s, s:o, s:s, s:I, s:o}", "actor", a->name,
			    "role", a->role, "database", databases_of(r),
			    "window", conf_window_name[w], "used", (json_int_t)used,
			    "limit", limit == CONF_NO_LIMIT ? json_null() :
			    json_integer((json_int_t)limit)));
		}
	}
}

static json_t *
budget(struct book *b, json_t *q)
{
	const char *actor = arg(q, "actor");
	json_t *rows, *o;

	if (actor != NULL && actors_find(b->actors, actor) == NULL)
		return ops_error("not-found", "there is no such actor");
	rows = json_array();
	ops_budget_rows(rows, b->conf, b->meter, b->actors, actor,
	    clock_day(book_now(b)));
	o = ops_ok();
	json_object_set_new(o, "rows", rows);
	return o;
}

/* --- all ---------------------------------------------------------------- */

static json_t *
checkpoint(struct book *b)
{
	enum err err = ledger_commit(b->ledger);
	json_t *o;

	if (err == ERR_OK)
		err = ledger_checkpoint(b->ledger);
	if (err != ERR_OK)
		return ops_error(err == ERR_BROKEN ? "broken" : NULL, err_text(err));
	o = ops_ok();
	json_object_set_new(o, "size",
	    json_integer((json_int_t)ledger_size(b->ledger)));
	return o;
}

json_t *
ops_run(struct book *b, json_t *q, const struct ops_who *who,
    const char **killed)
{
	const char *what = arg(q, "do"), *name = arg(q, "name");
	struct actor *a;

	*killed = NULL;
	if (what == NULL)
		return NULL;
	if (strcmp(what, "budget") == 0)
		return budget(b, q);
	if (strcmp(what, "checkpoint") == 0)
		return checkpoint(b);
	if (strcmp(what, "actor-list") == 0)
		return actor_list(b);
	if (strcmp(what, "actor-add") == 0)
		return actor_add(b, q, who);
	if (strcmp(what, "actor-password") != 0 &&
	    strcmp(what, "actor-disable") != 0 &&
	    strcmp(what, "actor-enable") != 0)
		return NULL;
	a = name ? actors_find(b->actors, name) : NULL;
	if (a == NULL)
		return ops_error("not-found", "there is no such actor");
	if (strcmp(what, "actor-password") == 0)
		return actor_password(b, q, a, who);
	return actor_switch(b, a, strcmp(what, "actor-disable") == 0, who, killed);
}
