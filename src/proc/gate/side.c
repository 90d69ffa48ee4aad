/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's own connection to each protected database: loads the catalog,
 * and asks now and then whether any definition changed.
 */
#include "proc/gate/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/say.h"

enum {
	SIDE_MSG_MAX = 4 << 20,
	RETRY_US = 1000000,
	POLL_US = 2000000,
	ANSWER_US = 30000000,	/* a catalog query takes milliseconds */
	SIDE_COLS = 32,
	STEP_EPOCH = CATALOG_PARTS,	/* steps below are catalog parts */
	STEP_IDLE,
};

struct side {
	struct up up;
	struct db *db;
	struct buf in;
	uint32_t handle;
	int step;
	bool live, closed, reload;
	uint64_t next_us, asked_us;
	char epoch[64];
	char seen[64];		/* value of the query that runs */
	struct catalog *loading;
	size_t baselines;	/* answers of the ledger still to come */
	bool complained;
};

bool
side_ready(const struct db *db)
{
	return db->catalog != NULL && db->side != NULL && db->side->live &&
	    !db->side->reload && db->side->loading == NULL;
}

void
db_bump(struct db *db, bool tell)
{
	struct buf *b = &db->gate->link_out;
	size_t mark;

	if (db->conf->unprotected)
		return;
	db->epoch++;
	cache_clear(db);
	if (db->side != NULL)
		db->side->reload = true;
	if (tell) {
		mark = ipc_begin(b, IPC_EPOCH, 0);
		buf_u16(b, db->index);
		ipc_end(b, mark);
	}
}

static void
side_query(struct side *k, int step)
{
	k->step = step;
	k->asked_us = clock_mono_us();
	pg_put_query(&k->up.conn.out, step == STEP_EPOCH ? catalog_epoch_sql() :
	    catalog_sql((enum catalog_part)step));
}

static void
side_load(struct side *k)
{
	catalog_free(k->loading);
	k->loading = catalog_new(k->db->conf);
	k->reload = false;
	side_query(k, 0);
}

static void
wake(struct db *db)
{
	for (struct session *s = db->gate->sessions, *next; s != NULL; s = next) {
		next = s->next;
		if (s->db == db && s->wait == WAIT_CATALOG) {
			judge_catalog_ready(s);
			session_update(s);
		}
	}
}

/* The ledger knows which columns each table had when it was first covered. */
static void
ask_baselines(struct side *k)
{
	struct buf *b = &k->db->gate->link_out;
	const struct catalog_rel *r;

	k->baselines = 0;
	for (size_t i = 0; (r = catalog_personal(k->loading, i)) != NULL; i++) {
		size_t mark = ipc_begin(b, IPC_CATALOG, 0);
		char name[160];

		snprintf(name, sizeof(name), "%s.%s", r->schema, r->name);
		buf_u16(b, k->db->index);
		buf_lp16(b, slice_cstr(name));
		buf_u16(b, (uint16_t)r->ncols);
		for (size_t c = 0; c < r->ncols; c++)
			buf_lp16(b, slice_cstr(r->cols[c].name));
		ipc_end(b, mark);
		k->baselines++;
	}
}

static void
load_done(struct side *k)
{
	struct db *db = k->db;
	const struct conf_table *missing[64];
	size_t n;

	catalog_free(db->catalog);
	db->catalog = k->loading;
	k->loading = NULL;
	db->epoch++;
	cache_clear(db);
	n = catalog_missing(db->catalog, missing, 64);
	for (size_t i = 0; i < n && !k->complained; i++) {
		say_warn(_("database \"%s\": the table %s.%s of the configuration does not exist"),
		    db->conf->name, missing[i]->schema, missing[i]->name);
		link_alert(db->gate, "table-missing", db->conf->name, missing[i]->name);
	}
	k->complained = true;
	wake(db);
}

void
side_baseline(struct gate *g, struct rd *body)
{
	uint16_t index = rd_u16(body), n;
	struct slice name = rd_lp16(body), names[1664];
	struct side *k = index < g->conf->ndatabases ? g->dbs[index].side : NULL;
	const struct catalog_rel *r;
	char full[160], *dot;

	n = rd_u16(body);
	for (uint16_t i = 0; i < n && !body->bad; i++) {
		struct slice s = rd_lp16(body);

		if (i < 1664)
			names[i] = s;
	}
	if (!rd_end(body)) {
		body->bad = true;
		return;
	}
	if (k == NULL || k->loading == NULL || name.len >= sizeof(full) ||
	    k->baselines == 0)
		return;
	memcpy(full, name.p, name.len);
	full[name.len] = 0;
	if ((dot = strchr(full, '.')) != NULL) {
		*dot = 0;
		r = catalog_rel_named(k->loading, full, dot + 1);
		if (r != NULL)
			catalog_baseline(k->loading, r, names, n < 1664 ? n : 1664);
	}
	if (--k->baselines == 0)
		load_done(k);
}

static void side_settle(struct up *u);

/* One answer to the running query is complete. */
static void
side_step_done(struct side *k)
{
	if (k->step == STEP_EPOCH) {
		if (k->epoch[0] != 0 && strcmp(k->epoch, k->seen) != 0)
			db_bump(k->db, false);
		memcpy(k->epoch, k->seen, sizeof(k->epoch));
		k->step = STEP_IDLE;
		k->next_us = clock_mono_us() + POLL_US;
		if (k->reload)
			side_load(k);
	} else if (k->step < CATALOG_PARTS - 1) {
		side_query(k, k->step + 1);
	} else if (k->step == CATALOG_PARTS - 1) {
		k->step = STEP_IDLE;
		if (catalog_finish(k->loading) != ERR_OK) {
			k->up.fail(&k->up, "catalog", (struct slice){NULL, 0});
			return;
		}
		ask_baselines(k);
		if (k->baselines == 0)
			load_done(k);
	}
}

static void
side_row(struct side *k, struct slice body)
{
	struct pg_cell cells[SIDE_COLS];
	struct slice cols[SIDE_COLS];
	size_t n;

	if (pg_row(cells, SIDE_COLS, &n, body) != ERR_OK || n > SIDE_COLS)
		return;
	for (size_t i = 0; i < n; i++)
		cols[i] = cells[i].value;
	if (k->step == STEP_EPOCH && n == 1) {
		size_t len = cols[0].len < sizeof(k->seen) - 1 ? cols[0].len :
		    sizeof(k->seen) - 1;

		memcpy(k->seen, cols[0].p, len);
		k->seen[len] = 0;
	} else if (k->step < CATALOG_PARTS) {
		catalog_row(k->loading, (enum catalog_part)k->step, cols, n);
	}
}

static void
side_data(struct up *u, const uint8_t *p, size_t len)
{
	struct side *k = u->owner;
	struct pg_head h;

	buf_put(&k->in, p, len);
	while (buf_used(&k->in) > 0 && !k->closed) {
		enum err e = pg_head(&h, buf_head(&k->in), buf_used(&k->in));
		struct slice body;

		if (e == ERR_SHORT)
			break;
		if (e != ERR_OK || h.len > SIDE_MSG_MAX || k->in.bad) {
			u->fail(u, _("the database server broke the protocol"),
			    (struct slice){NULL, 0});
			return;
		}
		if (buf_used(&k->in) < PG_HEAD_BYTES + h.len)
			break;
		body = (struct slice){buf_head(&k->in) + PG_HEAD_BYTES, h.len};
		if (h.type == 'D') {
			side_row(k, body);
		} else if (h.type == 'E') {
			u->fail(u, _("the catalog query failed"), body);
			return;
		} else if (h.type == 'Z') {
			side_step_done(k);
		}
		if (!k->closed)
			buf_drop(&k->in, PG_HEAD_BYTES + h.len);
	}
}

static void
side_auth(struct up *u, uint32_t code, struct slice data)
{
	struct side *k = u->owner;
	struct buf *b = &u->db->gate->link_out;
	size_t mark = ipc_begin(b, IPC_UP_AUTH_LINK, 0);

	buf_u16(b, u->db->index);
	buf_u32(b, k->handle);
	buf_u32(b, code);
	buf_lp32(b, data);
	ipc_end(b, mark);
}

void
side_up_reply(struct gate *g, uint32_t handle, uint8_t status, struct slice payload)
{
	for (size_t i = 0; i < g->conf->ndatabases; i++) {
		struct side *k = g->dbs[i].side;

		if (k == NULL || k->handle != handle || k->closed)
			continue;
		if (status == 0)
			up_password(&k->up, payload);
		else if (status == 2)
			k->up.fail(&k->up, _("the gate could not log in"),
			    (struct slice){NULL, 0});
		return;
	}
}

static void
side_greet(struct up *u, char type, struct slice body)
{
	struct side *k = u->owner;

	(void)body;
	if (type == 'Z') {
		k->live = true;
		/* The epoch first: a change during the load is seen afterwards. */
		k->reload = true;
		side_query(k, STEP_EPOCH);
	}
}

static void
side_fail(struct up *u, const char *why, struct slice body)
{
	struct side *k = u->owner;
	const char *text = body.len > 0 ? pg_field(body, 'M') : NULL;

	if (k->closed)
		return;
	say_warn("%s \"%s\": %s%s%s", _("side connection of database"),
	    k->db->conf->name, why, text ? ": " : "", text ? text : "");
	k->closed = true;
	k->live = false;
	k->next_us = clock_mono_us() + RETRY_US;
	catalog_free(k->loading);
	k->loading = NULL;
	k->baselines = 0;
	buf_fini(&k->in);
	up_close(u);
}

static void
side_settle(struct up *u)
{
	if (!conn_flush(&u->conn, SIZE_MAX)) {
		u->fail(u, _("connection lost"), (struct slice){NULL, 0});
		return;
	}
	conn_watch(&u->conn, buf_used(&u->conn.out));
}

static void
side_closed(struct up *u)
{
	struct side *k = u->owner;
	struct db *db = k->db;

	if (db->side == k)
		db->side = NULL;
	free(k);
}

/* Called at every tick: connects, or polls when it is time. */
void
side_start(struct db *db)
{
	static uint32_t handles = 1;
	struct side *k = db->side;
	uint64_t now = clock_mono_us();

	if (db->conf->unprotected || db->gate->link_dead)
		return;
	if (k == NULL) {
		if (now < db->side_next_us)
			return;
		db->side_next_us = now + RETRY_US;
		k = calloc(1, sizeof(*k));
		must(k != NULL);
		k->db = db;
		k->handle = (handles++ << 8 | db->gate->worker) | 1u << 31;
		k->step = STEP_IDLE;
		buf_init(&k->in, SIDE_MSG_MAX + SCRATCH_BYTES);
		k->up.owner = k;
		k->up.auth = side_auth;
		k->up.greet = side_greet;
		k->up.data = side_data;
		k->up.settle = side_settle;
		k->up.fail = side_fail;
		k->up.closed = side_closed;
		if (!up_start(&k->up, db, "kuraban")) {
			free(k);
			return;
		}
		db->side = k;
		return;
	}
	if (!k->closed && (up_late(&k->up, now) ||
	    (k->live && k->step != STEP_IDLE && now - k->asked_us > ANSWER_US))) {
		k->up.fail(&k->up, _("the database server does not answer"),
		    (struct slice){NULL, 0});
		return;
	}
	if (k->live && k->step == STEP_IDLE && k->baselines == 0 &&
	    (k->reload || now >= k->next_us)) {
		if (k->reload && k->loading == NULL)
			side_load(k);
		else
			side_query(k, STEP_EPOCH);
		side_settle(&k->up);
	}
}
