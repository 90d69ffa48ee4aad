/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/trace_own.h"

#include <libintl.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/map.h"
#include "ledger/entry.h"
#include "ledger/ledger.h"
#include "os/vfs.h"
#include "proc/ledger/book.h"

#define _(s) gettext(s)
#define SQL_MAX 65536

static enum err
grow(struct trace_own *o, size_t need)
{
	size_t cap = o->cap ? o->cap : (size_t)1 << 20;
	void *p;

	if (need <= o->cap)
		return ERR_OK;
	while (cap < need)
		cap *= 2;
	p = o->csv ? mremap(o->csv, o->cap, cap, MREMAP_MAYMOVE) :
	    mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
	if (p == MAP_FAILED)
		return ERR_NOMEM;
	o->csv = p;
	o->cap = cap;
	return ERR_OK;
}

/* Adds an identifier, quoted; cut at the end of the buffer (then SQL fails). */
static size_t
quoted(char *sql, size_t n, const char *name)
{
	if (n + 2 * strlen(name) + 4 > SQL_MAX)
		return n;
	sql[n++] = '"';
	for (; *name; name++) {
		if (*name == '"')
			sql[n++] = '"';
		sql[n++] = *name;
	}
	sql[n++] = '"';
	sql[n] = '\0';
	return n;
}

static void
copy_statement(const struct trace_own *o, char *sql)
{
	const struct conf_table *t = o->table;
	size_t n = (size_t)sprintf(sql, "COPY (SELECT ");

	n = quoted(sql, n, t->subject);
	for (size_t i = 0; i < t->npersonal; i++) {
		if (strcmp(t->personal[i], t->subject) == 0)
			continue;
		sql[n++] = ',';
		n = quoted(sql, n, t->personal[i]);
	}
	n += (size_t)snprintf(sql + n, SQL_MAX - n, " FROM ");
	n = quoted(sql, n, t->schema);
	sql[n++] = '.';
	n = quoted(sql, n, t->name);
	n += (size_t)snprintf(sql + n, SQL_MAX - n, " ORDER BY ");
	n = quoted(sql, n, t->subject);
	snprintf(sql + n, SQL_MAX - n, ") TO STDOUT (FORMAT csv, HEADER)");
}

static PGconn *
connect_upstream(const struct conf_upstream *u)
{
	const char *key[16], *value[16];
	const struct {
		const char *key;
		const char *value;
	} all[] = {
		{"host", u->host}, {"hostaddr", u->hostaddr},
		{"port", u->port}, {"dbname", u->dbname}, {"user", u->user},
		{"password", u->password}, {"sslmode", u->sslmode},
		{"sslrootcert", u->sslrootcert}, {"sslcert", u->sslcert},
		{"sslkey", u->sslkey}, {"options", u->options},
		{"connect_timeout", u->connect_timeout},
		{"passfile", u->passfile}, {"client_encoding", "UTF8"},
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i].value) {
			key[n] = all[i].key;
			value[n++] = all[i].value;
		}
	key[n] = value[n] = NULL;
	return PQconnectdbParams(key, value, 0);
}

static enum err
read_table(struct trace_own *o, char *why, size_t why_cap)
{
	PGconn *c = connect_upstream(&o->db->upstream);
	char *sql = malloc(SQL_MAX), *row = NULL;
	PGresult *res = NULL;
	enum err e = sql && c ? ERR_OK : ERR_NOMEM;
	int n;

	if (e == ERR_OK && PQstatus(c) != CONNECTION_OK) {
		snprintf(why, why_cap, "%s", PQerrorMessage(c));
		e = ERR_IO;
	}
	if (e != ERR_OK)
		goto out;
	copy_statement(o, sql);
	res = PQexec(c, sql);
	if (PQresultStatus(res) != PGRES_COPY_OUT) {
		snprintf(why, why_cap, "%s", PQerrorMessage(c));
		e = ERR_DENIED;
		goto out;
	}
	while (e == ERR_OK && (n = PQgetCopyData(c, &row, 0)) > 0) {
		e = grow(o, o->len + (size_t)n);
		if (e == ERR_OK) {
			memcpy(o->csv + o->len, row, (size_t)n);
			o->len += (size_t)n;
		}
		PQfreemem(row);
	}
	if (e == ERR_OK && n == -2) {
		snprintf(why, why_cap, "%s", PQerrorMessage(c));
		e = ERR_IO;
	}
out:
	PQclear(res);
	PQfinish(c);
	free(sql);
	return e;
}

static bool
is_table(const struct conf_table *t, const char *name)
{
	char full[512];

	if (!name)
		return t->subject && t->npersonal > 0;
	snprintf(full, sizeof full, "%s.%s", t->schema, t->name);
	return strcmp(full, name) == 0 || strcmp(t->name, name) == 0;
}

enum err
trace_own_open(struct trace_own *o, const struct conf *c,
    const char *database, const char *table, char *why, size_t why_cap)
{
	memset(o, 0, sizeof *o);
	o->conf = c;
	o->db = conf_database(c, database);
	if (!o->db) {
		snprintf(why, why_cap, _("the configuration has no database "
		    "\"%s\""), database);
		return ERR_NOTFOUND;
	}
	for (size_t i = 0; i < o->db->ntables && !o->table; i++)
		if (is_table(&o->db->tables[i], table) &&
		    o->db->tables[i].subject)
			o->table = &o->db->tables[i];
	if (!o->table) {
		snprintf(why, why_cap, _("no table of database %s names "
		    "personal columns"), database);
		return ERR_NOTFOUND;
	}
	snprintf(o->key_column, sizeof o->key_column, "%s=key",
	    o->table->subject);
	return read_table(o, why, why_cap);
}

void
trace_own_close(struct trace_own *o)
{
	if (o->csv)
		munmap(o->csv, o->cap);
	memset(o, 0, sizeof *o);
}

/* Tokens of our keys under every year's key, to rows. */
struct tokens {
	uint64_t *token;
	uint32_t *row;
	size_t cap;
};

static void
token_add(struct tokens *t, uint64_t token, uint32_t row)
{
	size_t i = (token * 0x9e3779b97f4a7c15ull >> 20) & (t->cap - 1);

	while (t->row[i] != TABLE_NO_ROW)
		i = (i + 1) & (t->cap - 1);
	t->token[i] = token;
	t->row[i] = row;
}

static uint32_t
token_get(const struct tokens *t, uint64_t token)
{
	size_t i = (token * 0x9e3779b97f4a7c15ull >> 20) & (t->cap - 1);

	while (t->row[i] != TABLE_NO_ROW) {
		if (t->token[i] == token)
			return t->row[i];
		i = (i + 1) & (t->cap - 1);
	}
	return TABLE_NO_ROW;
}

static enum err
tokens_make(struct tokens *t, const struct trace_own *o,
    const struct table *ours)
{
	const struct conf_table *ct = o->table;
	struct book_keys keys;
	char domain[512], key[1024];
	uint8_t *scratch = malloc(CSV_ROW_MAX + 1);
	enum err e = scratch ? book_keys_load(&keys, o->conf->state, vfs_os()) :
	    ERR_NOMEM;

	if (e != ERR_OK)
		goto out;
	if (ct->subject_of)
		snprintf(domain, sizeof domain, "%s%s",
		    strchr(ct->subject_of, '.') ? "" : "public.",
		    ct->subject_of);
	else
		snprintf(domain, sizeof domain, "%s.%s", ct->schema, ct->name);
	for (t->cap = 1024; t->cap < ours->nrows * keys.n * 2;)
		t->cap *= 2;
	t->token = malloc(t->cap * sizeof *t->token);
	t->row = malloc(t->cap * sizeof *t->row);
	if (!t->token || !t->row || strlen(domain) > 255) {
		e = t->row && t->token ? ERR_TOOBIG : ERR_NOMEM;
		goto out;
	}
	memset(t->row, 0xff, t->cap * sizeof *t->row);
	for (size_t i = 0; i < ours->nrows; i++) {
		size_t n = table_key(ours, i, scratch, key, sizeof key);

		for (size_t y = 0; y < keys.n; y++)
			token_add(t, token_make(keys.v[y].key,
			    slice_cstr(o->db->name), slice_cstr(domain),
			    (struct slice){(uint8_t *)key, n}), (uint32_t)i);
	}
out:
	free(scratch);
	return e;
}

/* Entries of one statement make one release. */
struct gather {
	const struct trace_own *own;
	struct tokens tokens;
	struct map by_statement;	/* session, request: index + 1 */
	struct release *release;
	size_t n, cap;
	struct release *now;
	uint64_t unknown;		/* tokens of nobody in ours now */
};

static enum err
gather_token(void *arg, unsigned domain, uint64_t token)
{
	struct gather *g = arg;
	struct release *r = g->now;
	uint32_t row = token_get(&g->tokens, token);

	if (row == TABLE_NO_ROW) {
		g->unknown++;
		return ERR_OK;
	}
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 64;
		uint32_t *v = realloc(r->v, cap * sizeof *v);

		if (!v)
			return ERR_NOMEM;
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n++] = row;
	return ERR_OK;
}

static enum err
gather_entry(struct gather *g, uint64_t index, struct slice entry)
{
	struct entry_front f;
	struct slice database, request = {NULL, 0};
	char key[64], name[300];
	struct slice k;
	uintptr_t at;

	if (entry_front(&f, entry) != ERR_OK ||
	    f.kind != ENTRY_KIND_release || f.subjects.len == 0)
		return ERR_OK;
	snprintf(name, sizeof name, "\"%s\"", g->own->db->name);
	if (entry_get(entry, "database", &database) != ERR_OK ||
	    !slice_is(database, name) ||
	    entry_get(entry, "request", &request) != ERR_OK)
		return ERR_OK;
	snprintf(key, sizeof key, "%llu.%.*s", (unsigned long long)f.session,
	    (int)(request.len < 24 ? request.len : 24),
	    (const char *)request.p);
	k = slice_cstr(key);
	at = (uintptr_t)map_get(&g->by_statement, k);
	if (!at) {
		if (g->n == g->cap) {
			size_t cap = g->cap ? g->cap * 2 : 256;
			struct release *v = realloc(g->release, cap *
			    sizeof *v);

			if (!v)
				return ERR_NOMEM;
			g->release = v;
			g->cap = cap;
		}
		snprintf(name, sizeof name, "%llu",
		    (unsigned long long)index);
		g->release[g->n] = (struct release){strdup(name), NULL, 0, 0};
		if (!g->release[g->n].id)
			return ERR_NOMEM;
		at = ++g->n;
		/* A number in a pointer: the map's values are shared. */
		map_put(&g->by_statement, k, (void *)at);
	}
	g->now = &g->release[at - 1];
	return entry_subjects(f.subjects, gather_token, g);
}

enum err
trace_own_releases(void *arg, const struct table *ours, struct release **r,
    size_t *n, uint64_t *unknown, char *why, size_t why_cap)
{
	struct gather g = {.own = arg};
	struct ledger_reader *reader = NULL;
	struct slice entry;
	char dir[4096];
	uint64_t size;
	enum err e = tokens_make(&g.tokens, arg, ours);

	map_init(&g.by_statement);
	snprintf(dir, sizeof dir, "%s/ledger", g.own->conf->state);
	if (e == ERR_OK)
		e = ledger_reader_open(&reader, dir, NULL);
	size = e == ERR_OK ? ledger_reader_size(reader) : 0;
	for (uint64_t i = 0; i < size && e == ERR_OK; i++) {
		e = ledger_read(reader, i, &entry);
		if (e == ERR_OK)
			e = gather_entry(&g, i, entry);
	}
	if (e != ERR_OK)
		snprintf(why, why_cap, "%s", dir);
	if (reader)
		ledger_reader_close(reader);
	map_fini(&g.by_statement, NULL);
	free(g.tokens.token);
	free(g.tokens.row);
	*r = g.release;
	*n = g.n;
	*unknown = g.unknown;
	return e;
}
