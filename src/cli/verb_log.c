/* SPDX-License-Identifier: Apache-2.0 */
/* kuraban log: tail, show and who read the files; checkpoint asks the server. */
#include <getopt.h>
#include <inttypes.h>
#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/state.h"
#include "cli/table.h"
#include "proc/ledger/book.h"

#define _(s) gettext(s)

enum { TAIL_LINES = 20, FOLLOW_MS = 500, WHO_TOKENS_MAX = 4096 };

struct options {
	const char *conf, *what, *number, *database, *subject, *since;
	uint64_t lines;
	bool follow, json;
};

static enum err
reader_open(const char *verb, const struct conf *c, struct ledger_reader **r)
{
	char dir[BOOK_PATH_MAX];
	enum err err;

	snprintf(dir, sizeof(dir), "%s/ledger", c->state);
	if ((err = ledger_reader_open(r, dir, NULL)) == ERR_OK)
		return ERR_OK;
	fprintf(stderr, "kuraban %s: %s: %s\n", verb, dir, _(err_text(err)));
	if (err == ERR_DENIED || err == ERR_IO)
		fprintf(stderr, "%s\n",
		    _("Only root and the ledger's user may do this; use sudo."));
	return err;
}

static int
read_failed(const char *verb, uint64_t index, enum err err)
{
	char what[32];

	snprintf(what, sizeof(what), "%" PRIu64, index);
	return cli_fail(verb, err, what);
}

/* --- entries for people ------------------------------------------------- */

static const char *
str(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* Tables and columns of a release, "public.customers(name,phone)". */
static void
put_tables(struct buf *b, json_t *o)
{
	json_t *tables = json_object_get(o, "tables"), *t;
	size_t i;

	json_array_foreach(tables, i, t)
		buf_printf(b, "%s%s(%s)", i ? " " : "", str(t, "table"),
		    str(t, "columns"));
}

/* The rest of an entry in a few words: what tells it from others of its kind. */
static void
put_summary(struct buf *b, json_t *o)
{
	static const char *const keys[] = {"event", "what", "sqlstate", "outcome",
	    "class", "object", "who", "by", "why", "address", "id", "config"};
	json_t *rows = json_object_get(o, "rows");
	json_t *detail = json_object_get(o, "detail"), *v;
	const char *name;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (*str(o, keys[i]))
			buf_printf(b, "%s ", str(o, keys[i]));
	if (json_is_integer(rows))
		buf_printf(b, _("rows %lld "),
		    (long long)json_integer_value(rows));
	put_tables(b, o);
	json_object_foreach(detail, name, v)
		if (json_is_string(v))
			buf_printf(b, "%s=%s ", name, json_string_value(v));
	if (json_is_string(detail))
		buf_printf(b, "%s ", json_string_value(detail));
}

static void
entry_line(uint64_t index, json_t *o)
{
	char when[32];
	struct buf b;

	buf_init(&b, LEDGER_ENTRY_MAX * 2);
	time_local(when, str(o, "time"));
	put_summary(&b, o);
	printf("%8" PRIu64 "  %s  %-9s  %-12s %s%s%.*s\n", index, when,
	    str(o, "kind"), str(o, "actor"), str(o, "database"),
	    *str(o, "database") ? " " : "", (int)buf_used(&b),
	    b.data ? (char *)buf_head(&b) : "");
	buf_fini(&b);
}

static int
entry_print(const char *verb, struct ledger_reader *r, uint64_t index, bool json)
{
	struct slice e;
	json_t *o;
	enum err err = ledger_read(r, index, &e);

	if (err != ERR_OK)
		return read_failed(verb, index, err);
	if (json && e.len > 1) {
		printf("{\"index\":%" PRIu64 ",%.*s\n", index, (int)e.len - 1,
		    (const char *)e.p + 1);
		return STATUS_DONE;
	}
	if ((err = entry_parse(e, &o)) != ERR_OK)
		return read_failed(verb, index, err);
	entry_line(index, o);
	json_decref(o);
	return STATUS_DONE;
}

/* --- tail, show --------------------------------------------------------- */

static int
tail(const char *verb, struct ledger_reader *r, const struct options *o)
{
	const struct timespec wait = {.tv_nsec = FOLLOW_MS * 1000000};
	uint64_t size = ledger_reader_size(r);
	uint64_t i = size > o->lines ? size - o->lines : 0;
	int status = STATUS_DONE;

	for (;;) {
		for (; i < size && status == STATUS_DONE; i++)
			status = entry_print(verb, r, i, o->json);
		if (!o->follow || status != STATUS_DONE)
			return status;
		if (fflush(stdout) != 0)
			return STATUS_DONE;
		nanosleep(&wait, NULL);
		size = ledger_reader_size(r);
	}
}

static int
show(const char *verb, struct ledger_reader *r, const struct options *o)
{
	char *end;
	uint64_t index = strtoull(o->number, &end, 10);
	struct slice e;
	json_t *entry;
	enum err err;

	if (*o->number < '0' || *o->number > '9' || *end != 0)
		return cli_usage(verb, _("%s is not a number of an entry"),
		    o->number);
	if ((err = ledger_read(r, index, &e)) != ERR_OK)
		return read_failed(verb, index, err);
	if (o->json) {
		printf("%.*s\n", (int)e.len, (const char *)e.p);
		return STATUS_DONE;
	}
	if ((err = entry_parse(e, &entry)) != ERR_OK)
		return read_failed(verb, index, err);
	json_dumpf(entry, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(entry);
	return STATUS_DONE;
}

/* --- who ---------------------------------------------------------------- */

struct who {
	struct ledger_reader *r;
	const struct options *o;
	int64_t since_us;
	uint64_t hits;
};

static json_t *
columns_json(const char *columns)
{
	json_t *a = json_array();

	while (*columns) {
		size_t n = strcspn(columns, ",");

		json_array_append_new(a, json_stringn(columns, n));
		columns += n + (columns[n] == ',');
	}
	return a;
}

static void
who_json(uint64_t index, json_t *e, json_t *table)
{
	json_t *row = json_pack("{s:I, s:s, s:s, s:I, s:s, s:s, s:o, s:s}",
	    "index", (json_int_t)index, "time", str(e, "time"),
	    "actor", str(e, "actor"), "session",
	    json_integer_value(json_object_get(e, "session")),
	    "database", str(e, "database"), "table", str(table, "table"),
	    "columns", columns_json(str(table, "columns")),
	    "statement", str(e, "sql"));

	json_dumpf(row, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(row);
}

static void
who_line(uint64_t index, json_t *e, json_t *table)
{
	char when[32];

	time_local(when, str(e, "time"));
	printf("%s  %s  %s(%s)  #%" PRIu64 "\n    %s\n", when, str(e, "actor"),
	    str(table, "table"), str(table, "columns"), index, str(e, "sql"));
}

static enum err
who_hit(void *arg, uint64_t index)
{
	struct who *w = arg;
	json_t *e, *tables, *t;
	struct slice text;
	int64_t at = 0;
	size_t i;
	enum err err = ledger_read(w->r, index, &text);

	if (err == ERR_OK)
		err = entry_parse(text, &e);
	if (err != ERR_OK)
		return err;
	/* Other databases may have a subject of the same token: never by chance,
	 * but an entry of another kind can name it (erase). */
	if (strcmp(str(e, "kind"), "release") == 0 &&
	    strcmp(str(e, "database"), w->o->database) == 0 &&
	    (w->since_us == 0 || (state_time(str(e, "time"), &at) &&
	    at >= w->since_us))) {
		tables = json_object_get(e, "tables");
		json_array_foreach(tables, i, t) {
			w->hits++;
			(w->o->json ? who_json : who_line)(index, e, t);
		}
	}
	json_decref(e);
	return ERR_OK;
}

/* The subject's tokens: every domain of the database, every kept year. */
static size_t
who_tokens(const struct conf_database *db, const struct book_keys *keys,
    const char *subject, uint64_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < db->ntables; i++) {
		const struct conf_table *t = &db->tables[i];
		char name[512];

		/* Every domain is the name of a table with a key. */
		if (t->subject == NULL)
			continue;
		if (snprintf(name, sizeof(name), "%s.%s", t->schema, t->name) > 255)
			continue;
		for (size_t k = 0; k < keys->n && n < WHO_TOKENS_MAX; k++)
			out[n++] = token_make(keys->v[k].key, slice_cstr(db->name),
			    slice_cstr(name), slice_cstr(subject));
	}
	return n;
}

static int
who(const char *verb, const struct conf *c, struct ledger_reader *r,
    const struct options *o)
{
	const struct conf_database *db = conf_database(c, o->database);
	struct who w = {.r = r, .o = o};
	static uint64_t tokens[WHO_TOKENS_MAX];
	struct book_keys keys;
	size_t n;
	enum err err;

	if (db == NULL)
		return cli_fail(verb, ERR_NOTFOUND, o->database);
	if (o->since != NULL && !state_time(o->since, &w.since_us))
		return cli_usage(verb, _("%s is not a date (2026-11-21)"), o->since);
	if (strlen(o->subject) > TOKEN_KEY_MAX)
		return cli_fail(verb, ERR_TOOBIG, "--subject");
	if ((err = book_keys_load(&keys, c->state, vfs_os())) != ERR_OK)
		return cli_fail(verb, err, "keys");
	n = who_tokens(db, &keys, o->subject, tokens);
	if ((err = ledger_who(r, tokens, n, who_hit, &w)) != ERR_OK)
		return cli_fail(verb, err, "ledger");
	if (w.hits > 0)
		return STATUS_DONE;
	if (!o->json)
		puts(_("Nobody received data of this subject."));
	return STATUS_REFUSED;
}

/* --- the verb ----------------------------------------------------------- */

static int
checkpoint(const char *verb, const struct conf *c, bool json)
{
	json_t *answer;
	int status;

	answer = state_run(verb, c, json_pack("{s:s}", "do", "checkpoint"), &status);
	if (answer == NULL)
		return status;
	if (json) {
		json_object_del(answer, "ok");
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		printf(_("The signed checkpoint covers %lld entries.\n"),
		    (long long)json_integer_value(json_object_get(answer, "size")));
	}
	json_decref(answer);
	return STATUS_DONE;
}

static int
parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"database", required_argument, NULL, 'd'},
		{"subject", required_argument, NULL, 's'},
		{"since", required_argument, NULL, 't'},
		{"follow", no_argument, NULL, 'f'},
		{"json", no_argument, NULL, 'j'}, {0}};
	char *end;
	int ch;

	while ((ch = getopt_long(argc, argv, "c:n:f", longs, NULL)) != -1) {
		switch (ch) {
		case 'c':
			o->conf = optarg;
			break;
		case 'n':
			o->lines = strtoull(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end != 0)
				return cli_usage(argv[0], _("%s is not a number"),
				    optarg);
			break;
		case 'd':
			o->database = optarg;
			break;
		case 's':
			o->subject = optarg;
			break;
		case 't':
			o->since = optarg;
			break;
		case 'f':
			o->follow = true;
			break;
		case 'j':
			o->json = true;
			break;
		default:
			return STATUS_USAGE;
		}
	}
	if (optind < argc)
		o->what = argv[optind++];
	if (o->what != NULL && strcmp(o->what, "show") == 0 && optind < argc)
		o->number = argv[optind++];
	if (optind < argc)
		return cli_usage(argv[0], _("unexpected argument %s"), argv[optind]);
	if (o->what == NULL)
		return cli_usage(argv[0], "%s",
		    _("say what to do: tail, show, who or checkpoint"));
	return STATUS_DONE;
}

static int
run(const char *verb, const struct conf *c, const struct options *o)
{
	struct ledger_reader *r;
	enum err err;
	int status;

	if (strcmp(o->what, "checkpoint") == 0)
		return checkpoint(verb, c, o->json);
	if ((err = reader_open(verb, c, &r)) != ERR_OK)
		return err == ERR_BROKEN ? STATUS_BROKEN : STATUS_REFUSED;
	if (strcmp(o->what, "tail") == 0)
		status = tail(verb, r, o);
	else if (strcmp(o->what, "show") == 0)
		status = show(verb, r, o);
	else
		status = who(verb, c, r, o);
	ledger_reader_close(r);
	return status;
}

int
verb_log(int argc, char **argv)
{
	struct options o = {.lines = TAIL_LINES};
	struct conf *c;
	int status;

	if ((status = parse(&o, argc, argv)) != STATUS_DONE)
		return status;
	if (strcmp(o.what, "show") == 0 && o.number == NULL)
		return cli_usage(argv[0], "%s", _("the entry's number is missing"));
	if (strcmp(o.what, "who") == 0 && (o.database == NULL || o.subject == NULL))
		return cli_usage(argv[0], "%s",
		    _("--database DB and --subject KEY are needed"));
	if (strcmp(o.what, "tail") != 0 && strcmp(o.what, "show") != 0 &&
	    strcmp(o.what, "who") != 0 && strcmp(o.what, "checkpoint") != 0)
		return cli_usage(argv[0], _("there is no %s"), o.what);
	if ((c = cli_conf(o.conf)) == NULL)
		return STATUS_REFUSED;
	status = run(argv[0], c, &o);
	conf_free(c);
	return status;
}
