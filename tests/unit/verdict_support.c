/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict_support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

static const char conf_text[] =
"listen = \"127.0.0.1:1\"\n"
"state = \"/nowhere\"\n"
"database \"crm\" {\n"
"  engine = \"postgresql\"\n"
"  upstream = \"host=127.0.0.1 dbname=crm user=kuraban_gate password=x\"\n"
"  table \"public.customers\" { subject = \"customer_id\"\n"
"    personal = { \"name\", \"kana\", \"birth_date\", \"sex\", \"postal_code\",\n"
"      \"address\", \"phone\", \"email\" } }\n"
"  table \"public.complaints\" { subject = \"customer_id\" personal = { \"body\" } }\n"
"  table \"public.visits\" { subject = \"customer_id\" subject_of = \"public.customers\"\n"
"    personal = { \"place\" } }\n"
"  table \"public.staff\" { subject = \"login\" personal = { \"full_name\", \"boss\" } }\n"
"  table \"public.tagged\" { subject = \"customer_id\" personal = { \"name\" } }\n"
"  table \"public.grown\" { subject = \"customer_id\" personal = { \"name\" } }\n"
"  table \"public.Odd Table\" { subject = \"Key Col\" personal = { \"Na\\\"me\" } }\n"
"  table \"public.parts\" { subject = \"customer_id\" personal = { \"name\" } }\n"
"  table \"public.aged\" { subject = \"customer_id\" personal = { \"born\" } }\n"
"  table \"public.personal_child\" { subject = \"customer_id\" personal = { \"label\" } }\n"
"  table \"public.typed\" { subject = \"customer_id\"\n"
"    personal = { \"phone\", \"m\", \"p\", \"tags\", \"doc\", \"during\" } }\n"
"  table \"public.triggered\" { subject = \"customer_id\" personal = { \"name\" } }\n"
"  table \"public.guarded\" { subject = \"customer_id\" personal = { \"name\" } }\n"
"  table \"public.guarded2\" { subject = \"customer_id\" personal = { \"name\" } }\n"
"  table \"public.orders\" { open = true }\n"
"  table \"public.products\" { open = true }\n"
"  table \"public.open_parent\" { open = true }\n"
"  table \"public.open_log\" { open = true }\n"
"  table \"public.identity_open\" { open = true }\n"
"  table \"public.ruled\" { open = true }\n"
"  table \"public.ruled_log\" { open = true }\n"
"  table \"public.ruled_off\" { open = true }\n"
"  table \"public.ruled_rows\" { open = true }\n"
"  function \"public.f_open\" { open = true }\n"
"  function \"public.f_opaque\" { open = false }\n"
"}\n"
"role \"r\" { databases = { \"crm\" } subjects_per_day = 1 }\n";

static void
die(const char *what, const char *detail)
{
	fprintf(stderr, "verdict_support: %s: %s\n", what, detail);
	exit(99);
}

static struct conf *confs[8];
static size_t nconfs;

static void
free_confs(void)
{
	while (nconfs > 0)
		conf_free(confs[--nconfs]);
}

const struct conf_database *
support_conf_text(const char *text)
{
	struct conf_notes notes;
	struct conf *c;

	if (nconfs == 0)
		atexit(free_confs);
	if (nconfs == 8)
		die("conf", "too many");

	if (conf_parse(&c, "test", text, &notes) != ERR_OK)
		die("conf", notes.n > 0 ? notes.v[0].text : "?");
	conf_notes_fini(&notes);
	confs[nconfs++] = c;
	return &c->databases[0];
}

const struct conf_database *
support_conf(void)
{
	static const struct conf_database *db;

	if (db == NULL)
		db = support_conf_text(conf_text);
	return db;
}

static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct buf b;

	if (f == NULL)
		return NULL;
	buf_init(&b, 64u << 20);
	for (;;) {
		uint8_t *p = buf_room(&b, 65536);
		size_t n = fread(p, 1, 65536, f);

		buf_added(&b, n);
		if (n == 0)
			break;
	}
	fclose(f);
	buf_u8(&b, 0);
	return (char *)b.data;
}

/* --- the server --- */

#if HAVE_LIBPQ

static char scratch[64];

void
support_exec(PGconn *k, const char *sql)
{
	PGresult *r = PQexec(k, sql);
	ExecStatusType s = PQresultStatus(r);

	if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK)
		die(sql, PQerrorMessage(k));
	PQclear(r);
}

PGconn *
support_connect(void)
{
	const char *info = getenv("KURABAN_TEST_PG");
	const char *keys[] = { "dbname", "dbname", NULL };
	const char *values[] = { info, scratch, NULL };
	char sql[128], *schema;
	PGconn *k;

	if (info == NULL || info[0] == '\0')
		return NULL;
	k = PQconnectdb(info);
	if (PQstatus(k) != CONNECTION_OK)
		die("connect", PQerrorMessage(k));
	snprintf(scratch, sizeof(scratch), "kuraban_unit_%ld", (long)getpid());
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0", scratch);
	support_exec(k, sql);
	PQfinish(k);
	k = PQconnectdbParams(keys, values, 1);
	if (PQstatus(k) != CONNECTION_OK)
		die("connect", PQerrorMessage(k));
	schema = read_file(VERDICT_DIR "/schema.sql");
	if (schema == NULL)
		die("schema.sql", VERDICT_DIR);
	support_exec(k, schema);
	free(schema);
	support_exec(k, "SET client_min_messages = log; SET debug_pretty_print = off");
	return k;
}

void
support_disconnect(PGconn *k)
{
	char sql[128];

	if (k == NULL)
		return;
	PQfinish(k);
	k = PQconnectdb(getenv("KURABAN_TEST_PG"));
	snprintf(sql, sizeof(sql), "DROP DATABASE %s", scratch);
	support_exec(k, sql);
	PQfinish(k);
}

struct catalog *
support_catalog(PGconn *k, const struct conf_database *db)
{
	struct catalog *c = catalog_new(db);

	for (int part = 0; part < CATALOG_PARTS; part++) {
		PGresult *r = PQexec(k, catalog_sql((enum catalog_part)part));
		struct slice v[16];
		int n = PQnfields(r);

		if (PQresultStatus(r) != PGRES_TUPLES_OK)
			die("catalog_sql", PQerrorMessage(k));
		for (int i = 0; i < PQntuples(r); i++) {
			for (int f = 0; f < n; f++)
				v[f] = PQgetisnull(r, i, f) ? (struct slice){NULL, 0} :
				    (struct slice){(const uint8_t *)PQgetvalue(r, i, f),
				    (size_t)PQgetlength(r, i, f)};
			if (catalog_row(c, (enum catalog_part)part, v, (size_t)n) != ERR_OK)
				die("catalog_row", PQgetvalue(r, i, 0));
		}
		PQclear(r);
	}
	if (catalog_finish(c) != ERR_OK)
		die("catalog_finish", "");
	return c;
}

/* One row a line: part, then the columns, separated by 0x1f; NULL is 0x1e. */
void
support_catalog_save(PGconn *k, FILE *f)
{
	for (int part = 0; part < CATALOG_PARTS; part++) {
		PGresult *r = PQexec(k, catalog_sql((enum catalog_part)part));

		for (int i = 0; i < PQntuples(r); i++) {
			fprintf(f, "%d", part);
			for (int c = 0; c < PQnfields(r); c++)
				fprintf(f, "\x1f%s", PQgetisnull(r, i, c) ? "\x1e" :
				    PQgetvalue(r, i, c));
			fputc('\n', f);
		}
		PQclear(r);
	}
}

static char *last_tree;
static char last_error[512];

static void
receive(void *arg, const PGresult *r)
{
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);

	(void)arg;
	if (text == NULL || detail == NULL || strcmp(text, "rewritten parse tree:") != 0)
		return;
	free(last_tree);
	last_tree = strdup(detail);
}

char *
support_tree(PGconn *k, const char *sql, const char **error)
{
	char *t;
	PGresult *r;

	PQsetNoticeReceiver(k, receive, NULL);
	support_exec(k, "SET debug_print_rewritten = on");
	free(last_tree);
	last_tree = NULL;
	r = PQprepare(k, "", sql, 0, NULL);
	snprintf(last_error, sizeof(last_error), "%s", PQerrorMessage(k));
	*error = last_error;
	t = last_tree;
	last_tree = NULL;
	if (PQresultStatus(r) != PGRES_COMMAND_OK) {
		free(t);
		t = NULL;
	}
	PQclear(r);
	support_exec(k, "SET debug_print_rewritten = off");
	return t;
}

#else

PGconn *
support_connect(void)
{
	return NULL;
}

void
support_disconnect(PGconn *k)
{
	(void)k;
}

void
support_exec(PGconn *k, const char *sql)
{
	(void)k;
	die("no libpq", sql);
}

struct catalog *
support_catalog(PGconn *k, const struct conf_database *db)
{
	(void)k;
	(void)db;
	return NULL;
}

void
support_catalog_save(PGconn *k, FILE *f)
{
	(void)k;
	(void)f;
}

char *
support_tree(PGconn *k, const char *sql, const char **error)
{
	(void)k;
	(void)sql;
	*error = "no libpq\n";
	return NULL;
}

#endif

/* --- text --- */

struct catalog *
support_catalog_load(const char *path, const struct conf_database *db)
{
	char *text = read_file(path), *line, *rest = text;
	struct catalog *c;

	if (text == NULL)
		return NULL;
	c = catalog_new(db);
	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
		int part = atoi(strsep(&line, "\x1f"));
		struct slice v[16];
		size_t n = 0;
		char *field;

		while ((field = strsep(&line, "\x1f")) != NULL && n < 16)
			v[n++] = strcmp(field, "\x1e") == 0 ? (struct slice){NULL, 0} :
			    slice_cstr(field);
		if (catalog_row(c, (enum catalog_part)part, v, n) != ERR_OK)
			die("catalog_row", path);
	}
	if (catalog_finish(c) != ERR_OK)
		die("catalog_finish", path);
	free(text);
	return c;
}

const char *
support_render(const struct verdict *v)
{
	static const char *const why[] = {
#define X(name, state, text, hint) #name,
		VERDICT_WHYS(X)
#undef X
	};
	static const char *const sep[] = { " k=", ";" };
	static struct buf b;

	buf_fini(&b);
	buf_init(&b, 1 << 16);
	buf_str(&b, verdict_class_word(v->class));
	if (v->class == VERDICT_REFUSED) {
		buf_printf(&b, " %s %s", why[v->why], v->object == NULL ? "" : v->object);
		buf_u8(&b, 0);
		return (char *)b.data;
	}
	for (size_t i = 0; i < v->ncols; i++) {
		buf_str(&b, i == 0 ? " w=" : ",");
		if (v->weight[i] == VERDICT_OPAQUE)
			buf_str(&b, "*");
		else
			buf_printf(&b, "%u", v->weight[i]);
	}
	if (v->row_weight > 0)
		buf_printf(&b, " r=%u", v->row_weight);
	for (size_t i = 0; i < v->nkeys; i++) {
		buf_str(&b, sep[i > 0]);
		if (v->keys[i].col >= 0)
			buf_printf(&b, "%d", v->keys[i].col);
		else
			buf_printf(&b, "+%s", v->keys[i].expr);
		if (v->keys[i].null_charged)
			buf_str(&b, "?");
		if (v->keys[i].domain != 0)
			buf_printf(&b, "@%u", v->keys[i].domain);
	}
	if (v->touches_personal)
		buf_str(&b, " touch");
	if (v->tag_depends)
		buf_str(&b, " tag");
	if (v->tag_weight > 0)
		buf_printf(&b, "=%lu", (unsigned long)v->tag_weight);
	if (v->exact_only)
		buf_str(&b, " exact");
	if (v->changes_context)
		buf_str(&b, " context");
	if (v->modifies)
		buf_str(&b, " mod");
	if (v->runs_user_code)
		buf_str(&b, " code");
	buf_u8(&b, 0);
	return (char *)b.data;
}

const char *
support_tables(const struct verdict *v)
{
	static struct buf b;

	buf_fini(&b);
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < v->ntables; i++)
		buf_printf(&b, "%s%s%s(%s)", i == 0 ? "" : " ",
		    v->tables[i].uncovered ? "!" : "", v->tables[i].name,
		    v->tables[i].columns);
	buf_u8(&b, 0);
	return (char *)b.data;
}
