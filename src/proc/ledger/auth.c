/* SPDX-License-Identifier: Apache-2.0 */
/* People log in to the gate; the gate logs in to the databases. */
#include <libintl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "proc/ledger/server.h"

#define _(s) gettext(s)

enum { FAILED_PER_MINUTE = 60, TEXT_MAX = 256 };

/* --- answers ------------------------------------------------------------ */

static void
send_text(struct worker *w, enum ipc_type type, uint32_t sid,
    const struct buf *text)
{
	size_t mark = ipc_begin(&w->out, type, sid);

	buf_lp16(&w->out, (struct slice){buf_head(text), buf_used(text)});
	ipc_end(&w->out, mark);
}

static void
send_fail(struct worker *w, uint32_t sid, const char *sqlstate,
    const char *message)
{
	size_t mark = ipc_begin(&w->out, IPC_AUTH_FAIL, sid);

	buf_put(&w->out, sqlstate, 5);
	buf_lp16(&w->out, slice_cstr(message));
	ipc_end(&w->out, mark);
}

/*
 * The entry of a failed log-in. A name that nobody has is not written: it may be
 * a password typed in the wrong place. Bounded, for guessing must not fill disks.
 */
static void
failed_entry(struct server *s, const struct session *x, bool known,
    const char *why)
{
	struct entry_head h = {.time_us = book_now(&s->book),
	    .gate = slice_cstr(x->worker->gate)};
	struct entry_session e = {.event = slice_cstr("failed"), .tls = x->tls,
	    .address = slice_cstr(x->address), .why = slice_cstr(why)};
	enum err err;

	if (known)
		h.actor = slice_cstr(x->name);
	if (h.time_us / 60000000 != s->failed_minute) {
		s->failed_minute = h.time_us / 60000000;
		s->failed_count = 0;
	}
	if (++s->failed_count > FAILED_PER_MINUTE) {
		h.actor = (struct slice){NULL, 0};
		err = book_alert(&s->book, &h, "login-flood", slice_cstr(x->address),
		    (struct slice){NULL, 0});
		server_entry(s, err == ERR_EXISTS ? ERR_OK : err);
		return;
	}
	err = entry_build_session(&s->book.entry, &h, &e);
	server_entry(s, err ? err : book_append(&s->book, NULL, 0, NULL));
}

static bool
auth_fail(struct server *s, struct session *x, const char *sqlstate,
    const char *message, const char *why)
{
	bool known = actors_find(s->book.actors, x->name) != NULL;

	failed_entry(s, x, known, known ? why : "unknown actor");
	send_fail(x->worker, x->sid, sqlstate, message);
	session_end(s, x, (struct slice){NULL, 0});
	return true;
}

/* --- people ------------------------------------------------------------- */

static char *
text_copy(struct slice t)
{
	char *p = strndup(t.p ? (const char *)t.p : "",
	    t.len < TEXT_MAX ? t.len : TEXT_MAX);

	must(p != NULL);
	return p;
}

static bool
name_copy(char *out, size_t cap, struct slice t)
{
	if (t.len >= cap || (t.len > 0 && memchr(t.p, 0, t.len) != NULL))
		return false;
	if (t.len > 0)
		memcpy(out, t.p, t.len);
	out[t.len] = 0;
	return true;
}

bool
auth_first(struct server *s, struct worker *w, struct ipc_msg *m)
{
	struct slice address = rd_lp16(&m->body), actor = rd_lp16(&m->body);
	struct slice database = rd_lp16(&m->body);
	uint8_t tls = rd_u8(&m->body), nonce[SCRAM_NONCE];
	struct slice binding = rd_lp16(&m->body), mechanism = rd_lp16(&m->body);
	struct slice first = rd_lp16(&m->body), application = rd_lp16(&m->body);
	struct actor *a;
	struct session *x;
	struct buf out;
	enum err err;

	if (!rd_end(&m->body) || tls > 1 || s->nsessions > 2 * s->conf->max_clients)
		return false;
	x = session_new(s, w, m->sid);
	x->tls = tls;
	x->address = text_copy(address);
	x->application = text_copy(application);
	if (!name_copy(x->claimed_database, sizeof(x->claimed_database), database))
		x->claimed_database[0] = 0;
	if (!name_copy(x->name, sizeof(x->name), actor) ||
	    (a = actors_claim(s->book.actors, x->name)) == NULL)
		return auth_fail(s, x, "28P01", _("password authentication failed"),
		    "name");
	randombytes_buf(nonce, sizeof(nonce));
	buf_init(&out, SCRAM_MAX_BYTES);
	err = scram_server_first(&x->scram, &a->verifier, mechanism, binding, first,
	    nonce, &out);
	if (err == ERR_OK)
		send_text(w, IPC_AUTH_CONT, x->sid, &out);
	else
		auth_fail(s, x, "28P01", _("password authentication failed"),
		    err == ERR_AUTH ? "channel binding" : "malformed");
	buf_fini(&out);
	return true;
}

/* May the actor, whose password was right, have a session? Tells the positions. */
static bool
permitted(struct server *s, struct session *x, const struct actor *a)
{
	const struct conf_role *role = conf_role(s->conf, a->role);
	const struct conf_database *db = conf_database(s->conf,
	    x->claimed_database);

	if (role == NULL || db == NULL || !conf_role_may(role, db->name))
		return false;
	x->role = (uint16_t)(role - s->conf->roles);
	x->database = (uint16_t)(db - s->conf->databases);
	return true;
}

/* The session's number is the place of its first entry, so it only rises. */
static enum err
open_entry(struct server *s, struct session *x)
{
	struct entry_head h;
	struct entry_session e = {.event = slice_cstr("open"), .tls = x->tls,
	    .address = slice_cstr(x->address),
	    .application = slice_cstr(x->application)};
	uint64_t index;
	enum err err;

	x->since_us = book_now(&s->book);
	x->number = s->book.next + 1;
	h = session_head(s, x);
	h.session = x->number = s->book.next + 1;
	if ((err = entry_build_session(&s->book.entry, &h, &e)) == ERR_OK)
		err = book_append(&s->book, NULL, 0, &index);
	if (err == ERR_OK)
		must(index + 1 == x->number);
	else
		x->number = 0;
	return err;
}

static bool
auth_done(struct server *s, struct session *x, const struct buf *server_final)
{
	enum err err = s->low ? ERR_NOSPACE : open_entry(s, x);
	struct buf *out = &x->worker->out;
	size_t mark;

	if (err != ERR_OK) {
		server_entry(s, err);
		return auth_fail(s, x, "KB005", err == ERR_NOSPACE ?
		    _("the ledger has no space, so nobody is let in and nothing was released: tell whoever runs the gate") :
		    _("the ledger cannot seal: nothing was released"), "cannot seal");
	}
	x->phase = SESSION_LIVE;
	x->meter_actor = meter_actor(s->book.meter, x->name);
	scram_server_fini(&x->scram);
	mark = ipc_begin(out, IPC_AUTH_OK, x->sid);
	buf_lp16(out, (struct slice){buf_head(server_final),
	    buf_used(server_final)});
	buf_u64(out, x->number);
	buf_u16(out, x->database);
	buf_u16(out, x->role);
	ipc_end(out, mark);
	return true;
}

static bool
auth_wrong(struct server *s, struct session *x, struct actor *a)
{
	bool locked = actor_failed(a, &s->rules, book_now(&s->book));

	if (!a->ghost) {
		s->book.actors_changed = true;
		if (locked) {
			struct entry_head h = {.time_us = book_now(&s->book),
			    .actor = slice_cstr(x->name)};
			enum err err = book_alert(&s->book, &h, "actor-locked",
			    slice_cstr(x->address), (struct slice){NULL, 0});

			server_entry(s, err == ERR_EXISTS ? ERR_OK : err);
		}
	}
	return auth_fail(s, x, "28P01", _("password authentication failed"),
	    "password");
}

bool
auth_final(struct server *s, struct session *x, struct ipc_msg *m)
{
	struct slice client_final = rd_lp16(&m->body);
	struct actor *a = actors_claim(s->book.actors, x->name);
	enum actor_state state;
	struct buf out;
	enum err err;
	bool ok;

	if (!rd_end(&m->body))
		return false;
	must(a != NULL);
	buf_init(&out, SCRAM_MAX_BYTES);
	err = scram_server_final(&x->scram, client_final, &out);
	state = actor_state(a, &s->rules, book_now(&s->book));
	/*
	 * While locked a right password gets the same answer as a wrong one, or
	 * the lock would stop nobody. The other states are told to their owner only.
	 */
	if (state == ACTOR_LOCKED) {
		ok = auth_fail(s, x, "KB006",
		    _("too many failed log-ins: locked for some minutes"), "locked");
	} else if (err != ERR_OK) {
		ok = auth_wrong(s, x, a);
	} else if (state == ACTOR_DISABLED) {
		ok = auth_fail(s, x, "KB006", _("this actor is disabled"),
		    "disabled");
	} else if (state == ACTOR_EXPIRED) {
		ok = auth_fail(s, x, "KB006",
		    _("the password has expired: ask for a new one"), "expired");
	} else if (!permitted(s, x, a)) {
		ok = auth_fail(s, x, "3D000",
		    _("this database is not permitted for your role"), "database");
	} else {
		if (actor_succeeded(a))
			s->book.actors_changed = true;
		ok = auth_done(s, x, &out);
	}
	buf_fini(&out);
	return ok;
}

/* --- databases ---------------------------------------------------------- */

enum { UP_SEND, UP_NOTHING, UP_REFUSED };
enum { AUTH_OK = 0, AUTH_CLEARTEXT = 3, AUTH_MD5 = 5, AUTH_SASL = 10,
    AUTH_SASL_CONTINUE = 11, AUTH_SASL_FINAL = 12 };

static int
up_sasl(struct up_auth *u, struct slice data, struct buf *out)
{
	uint8_t nonce[SCRAM_NONCE];
	struct buf first;

	if (!scram_offered(data, SCRAM_SHA_256))
		return UP_REFUSED;
	randombytes_buf(nonce, sizeof(nonce));
	buf_init(&first, SCRAM_MAX_BYTES);
	scram_client_first(&u->scram, nonce, &first);
	buf_cstr(out, SCRAM_SHA_256);
	buf_lp32(out, (struct slice){buf_head(&first), buf_used(&first)});
	buf_fini(&first);
	return UP_SEND;
}

/* Answers one Authentication message of a server; out gets a 'p' body. */
static int
up_answer(struct server *s, struct up_auth *u, uint16_t database, uint32_t method,
    struct slice data, struct buf *out)
{
	const struct conf_upstream *up = &s->conf->databases[database].upstream;
	const char *password = s->passwords[database];
	char md5[36];

	/* Ok before the server has shown that it knows the password, too. */
	if (method == AUTH_OK)
		return u->scram.state == SCRAM_CLIENT_NEW ||
		    u->scram.state == SCRAM_CLIENT_DONE ? UP_NOTHING : UP_REFUSED;
	if (password == NULL)
		return UP_REFUSED;
	switch (method) {
	case AUTH_CLEARTEXT:
		buf_cstr(out, password);
		return UP_SEND;
	case AUTH_MD5:
		if (data.len != 4 || scram_md5_answer(md5, up->user ? up->user : "",
		    password, data.p) != ERR_OK)
			return UP_REFUSED;
		buf_cstr(out, md5);
		return UP_SEND;
	case AUTH_SASL:
		return up_sasl(u, data, out);
	case AUTH_SASL_CONTINUE:
		return scram_client_final(&u->scram, password, &s->caches[database],
		    data, out) == ERR_OK ? UP_SEND : UP_REFUSED;
	case AUTH_SASL_FINAL:
		return scram_client_verify(&u->scram, data) == ERR_OK ?
		    UP_NOTHING : UP_REFUSED;
	default:
		return UP_REFUSED;
	}
}

static int
up_step(struct server *s, struct worker *w, struct up_auth *u, uint32_t sid,
    uint32_t handle, uint16_t database, uint32_t method, struct slice data)
{
	struct buf payload;
	size_t mark;
	int status;

	buf_init(&payload, 4 * SCRAM_MAX_BYTES);
	status = up_answer(s, u, database, method, data, &payload);
	mark = ipc_begin(&w->out, IPC_UP_REPLY, sid);
	buf_u32(&w->out, handle);
	buf_u8(&w->out, (uint8_t)status);
	buf_lp32(&w->out, status == UP_SEND ? (struct slice){buf_head(&payload),
	    buf_used(&payload)} : (struct slice){NULL, 0});
	ipc_end(&w->out, mark);
	if (payload.data != NULL)
		sodium_memzero(payload.data, payload.cap);
	buf_fini(&payload);
	return status;
}

bool
up_auth(struct server *s, struct session *x, struct ipc_msg *m)
{
	uint16_t database = rd_u16(&m->body);
	uint32_t method = rd_u32(&m->body);
	struct slice data = rd_lp32(&m->body);

	/* A session logs in to its own database and no other. */
	if (!rd_end(&m->body) || database != x->database)
		return false;
	if (method == AUTH_SASL)
		x->up = (struct up_auth){.used = true, .database = database};
	up_step(s, x->worker, &x->up, x->sid, 0, database, method, data);
	return true;
}

static struct up_auth *
link_find(struct worker *w, uint32_t handle)
{
	for (size_t i = 0; i < LINKS_MAX; i++)
		if (w->links[i].used && w->links[i].handle == handle)
			return &w->links[i];
	return NULL;
}

static struct up_auth *
link_make(struct worker *w, uint32_t handle)
{
	struct up_auth *u = link_find(w, handle);

	for (size_t i = 0; u == NULL && i < LINKS_MAX; i++)
		if (!w->links[i].used)
			u = &w->links[i];
	/* A gate that leaves so many unfinished loses an old one. */
	if (u == NULL)
		u = &w->links[handle % LINKS_MAX];
	*u = (struct up_auth){.used = true, .handle = handle};
	return u;
}

bool
up_auth_link(struct server *s, struct worker *w, struct ipc_msg *m)
{
	uint16_t database = rd_u16(&m->body);
	uint32_t handle = rd_u32(&m->body), method = rd_u32(&m->body);
	struct slice data = rd_lp32(&m->body);
	struct up_auth once = {.used = false}, *u;
	int status;

	if (!rd_end(&m->body) || database >= s->conf->ndatabases)
		return false;
	u = method == AUTH_SASL ? link_make(w, handle) : link_find(w, handle);
	if (u != NULL && method == AUTH_SASL)
		u->database = database;
	if (u == NULL || u->database != database)
		u = &once;
	status = up_step(s, w, u, 0, handle, database, method, data);
	if (status == UP_REFUSED || method == AUTH_SASL_FINAL || method == AUTH_OK)
		u->used = false;
	return true;
}
