/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: what loads, and that every mistake is named with its line
 * (law L5: an unreadable policy never passes as a loose one).
 */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The sample of the design, verbatim. */
static const char sample[] =
"listen = \"127.0.0.1:6432\"\n"
"state  = \"/var/lib/kuraban\"            # ledger, keys, actors\n"
"\n"
"database \"crm\" {\n"
"    engine   = \"postgresql\"\n"
"    upstream = \"host=127.0.0.1 port=5432 dbname=crm user=kuraban_gate password=secret\"\n"
"    table \"public.customers\" {\n"
"        subject  = \"customer_id\"\n"
"        personal = { \"name\", \"kana\", \"birth_date\", \"sex\", \"postal_code\",\n"
"                     \"address\", \"phone\", \"email\" }\n"
"    }\n"
"}\n"
"\n"
"role \"operator\" {\n"
"    databases           = { \"crm\" }\n"
"    subjects_per_day    = 100\n"
"    subjects_per_30days = 1000\n"
"    subjects_per_year   = 5000\n"
"    subjects_ever       = 20000\n"
"    on_excess           = \"refuse\"     # refuse | hold | observe\n"
"}\n";

static void
test_sample(void **state)
{
	struct conf_notes notes;
	struct conf *c;
	const struct conf_database *d;
	const struct conf_role *r;

	assert_int_equal(conf_parse(&c, "x", sample, &notes), ERR_OK);
	assert_int_equal(notes.n, 0);
	conf_notes_fini(&notes);
	assert_int_equal(c->nlisten, 1);
	assert_string_equal(c->listen[0], "127.0.0.1:6432");
	assert_string_equal(c->state, "/var/lib/kuraban");
	assert_int_equal(strncmp(c->origin, "kuraban.local/", 14), 0);
	assert_in_range(c->workers, 1, 8);
	assert_int_equal(c->password_min_length, 12);
	assert_int_equal(c->ledger_low_water_mb, 256);
	assert_false(c->tls_required);

	d = conf_database(c, "crm");
	assert_non_null(d);
	assert_int_equal(d->line, 4);
	assert_false(d->unprotected);
	assert_string_equal(d->upstream.host, "127.0.0.1");
	assert_string_equal(d->upstream.port, "5432");
	assert_string_equal(d->upstream.dbname, "crm");
	assert_string_equal(d->upstream.user, "kuraban_gate");
	assert_string_equal(d->upstream.password, "secret");
	assert_string_equal(d->upstream.sslmode, "prefer");
	assert_int_equal(d->ntables, 1);
	assert_int_equal(d->tables[0].line, 7);
	assert_string_equal(d->tables[0].schema, "public");
	assert_string_equal(d->tables[0].name, "customers");
	assert_string_equal(d->tables[0].subject, "customer_id");
	assert_int_equal(d->tables[0].npersonal, 8);
	assert_string_equal(d->tables[0].personal[7], "email");
	assert_false(d->tables[0].open);

	r = conf_role(c, "operator");
	assert_non_null(r);
	assert_int_equal(r->line, 14);
	assert_int_equal(r->limit[WINDOW_DAY], 100);
	assert_int_equal(r->limit[WINDOW_30DAYS], 1000);
	assert_int_equal(r->limit[WINDOW_YEAR], 5000);
	assert_int_equal(r->limit[WINDOW_EVER], 20000);
	assert_int_equal(r->on_excess, EXCESS_REFUSE);
	assert_false(r->ddl_allowed);
	assert_true(conf_role_may(r, "crm"));
	assert_false(conf_role_may(r, "hr"));
	assert_null(conf_role(c, "nobody"));
	conf_free(c);
}

#define UP "upstream = \"host=h dbname=d user=u\"\n"
#define ROLE "role \"r\" { databases = { \"d\" } }\n"

static void
test_everything(void **state)
{
	static const char text[] =
	    "listen = { \"0.0.0.0:6432\", \"[::1]:6432\" }\n"
	    "tls_cert = \"/c\" tls_key = \"/k\" tls_required = yes\n"
	    "workers = 2 max_clients = 77 language = ja\n"
	    "database \"d\" {\n" UP
	    "table orders { subject = customer subject_of = customers\n"
	    "               personal = { note } }\n"
	    "table customers { subject = \"id\" personal = \"name\" }\n"
	    "table '\"Odd.Schema\".\"T\"\"x\"' { open = true declared_by = a\n"
	    "    since = 2026-01-31 }\n"
	    "function \"app.mask\" { open = true }\n"
	    "function lookup { }\n"
	    "}\n"
	    "database \"log\" { personal = none declared_by = b since = 2026-02-01\n" UP "}\n"
	    "role r { databases = { d, log } on_excess = hold ddl = allow\n"
	    "         contact = \"内線 4649\" subjects_per_day = 0 }\n";
	struct conf_notes notes;
	const struct conf_database *d;
	const struct conf_role *r;
	struct conf *c;

	assert_int_equal(conf_parse(&c, "x", text, &notes), ERR_OK);
	conf_notes_fini(&notes);
	assert_int_equal(c->nlisten, 2);
	assert_true(c->tls_required);
	assert_int_equal(c->workers, 2);
	assert_int_equal(c->max_clients, 77);
	assert_string_equal(c->language, "ja");
	d = conf_database(c, "d");
	assert_int_equal(d->ntables, 3);
	assert_string_equal(d->tables[0].schema, "public");
	assert_string_equal(d->tables[0].subject_of, "customers");
	assert_string_equal(d->tables[2].schema, "Odd.Schema");
	assert_string_equal(d->tables[2].name, "T\"x");
	assert_true(d->tables[2].open);
	assert_string_equal(d->tables[2].since, "2026-01-31");
	assert_int_equal(d->tables[2].line, 9);
	assert_int_equal(d->nfunctions, 2);
	assert_true(d->functions[0].open);
	assert_string_equal(d->functions[0].schema, "app");
	assert_false(d->functions[1].open);
	assert_true(conf_database(c, "log")->unprotected);
	r = conf_role(c, "r");
	assert_int_equal(r->on_excess, EXCESS_HOLD);
	assert_true(r->ddl_allowed);
	assert_int_equal(r->limit[WINDOW_DAY], 0);
	assert_true(r->limit[WINDOW_EVER] == CONF_NO_LIMIT);
	assert_string_equal(r->contact, "内線 4649");
	conf_free(c);
}

/* Each mistake: the text, the line it is in, a part of what is said. */
static const struct mistake {
	const char *text;
	int line;
	const char *says;
} mistakes[] = {
	{"", 0, "no database"},
	{"\nlisen = \"x\"\n", 2, "is it listen?"},
	{"frobnicate = 1\n", 1, "expected one of: listen"},
	{"database d {\n" UP "\n subjct = x }" ROLE, 4, "unknown option subjct"},
	{"role r {\n databases = d\n on_exces = hold }", 3, "is it on_excess?"},
	{"database d {\n" UP "}\nrole r { databases = d\n on_excess = \"refuze\" }", 5,
	    "expected one of: refuse hold observe"},
	{"database d { engine = mysql\n" UP "}" ROLE, 1, "expected postgresql"},
	{"database d {\n" UP "}\ndatabase d {\n" UP "}" ROLE, 4, "defined twice"},
	{"database d {\n" UP "}" ROLE ROLE, 4, "defined twice"},
	{"database d {\n" UP UP "}" ROLE, 3, "upstream is set twice"},
	{"database d {\n" UP "}\nrole r { databases = { d,\n x } }", 4, "\"x\", which is not"},
	{"database d {\n" UP "}\nrole r { }", 4, "names no database"},
	{"database d {\n" UP "}", 0, "no role"},
	{"database d {\n" UP "table t { personal = { a } } }" ROLE, 3, "no subject"},
	{"database d {\n" UP "table t { subject = a } }" ROLE, 3, "neither"},
	{"database d {\n" UP "table t { subject = a\n personal = b\n open = true } }" ROLE,
	    5, "open and names"},
	{"database d {\n" UP "personal = none\ntable t { open = true } }" ROLE, 3,
	    "free of personal data and has table"},
	{"database d {\n" UP "personal = some }" ROLE, 3, "expected one of: none"},
	{"database d {\n" UP "table t { subject = a subject_of = x personal = b } }" ROLE,
	    3, "no table section"},
	{"database d {\n" UP "table t { subject = a subject_of = t personal = b } }" ROLE,
	    3, "does not own the key"},
	{"database d {\n" UP "table a { subject = x personal = b }\n"
	    "table b { subject = x subject_of = a personal = b }\n"
	    "table c { subject = x\nsubject_of = b personal = b } }" ROLE,
	    6, "does not own the key"},
	{"/* two\nlines */ lisen = x", 2, "is it listen?"},
	{"state = \"a\nb\"\nlisen = x", 3, "is it listen?"},
	{"database d {\n" UP "table t { open = true }\ntable public.t { open = true } }"
	    ROLE, 4, "defined twice"},
	{"database d {\n" UP "table a.b.c { open = true } }" ROLE, 3, "is not a name"},
	{"database d {\n" UP "table t { open = perhaps } }" ROLE, 3, "true or false"},
	{"database d {\n" UP "table t { open = true since = 2026-13-01 } }" ROLE, 3,
	    "YYYY-MM-DD"},
	{"database d {\n" UP "function f { }\nfunction public.f { } }" ROLE, 4,
	    "defined twice"},
	{"database d { }" ROLE, 1, "has no upstream"},
	{"listen = \"localhost:6432\"\ndatabase d {" UP "}" ROLE, 1, "an address and a port"},
	{"listen = \"127.0.0.1\"\ndatabase d {" UP "}" ROLE, 1, "an address and a port"},
	{"listen = \"::1:6432\"\ndatabase d {" UP "}" ROLE, 1, "an address and a port"},
	{"listen = \"127.0.0.1:70000\"\ndatabase d {" UP "}" ROLE, 1, "an address"},
	{"state = \"here\"\ndatabase d {" UP "}" ROLE, 1, "absolute path"},
	{"workers = many\ndatabase d {" UP "}" ROLE, 1, "whole number from 1 to 64"},
	{"workers = 0\ndatabase d {" UP "}" ROLE, 1, "whole number"},
	{"workers = -1\ndatabase d {" UP "}" ROLE, 1, "whole number"},
	{"tls_cert = \"/x\"\ndatabase d {" UP "}" ROLE, 1, "belong together"},
	{"tls_required = on\ndatabase d {" UP "}" ROLE, 1, "needs tls_cert"},
	{"origin = \"a b\"\ndatabase d {" UP "}" ROLE, 1, "without spaces"},
	{"state = \"\"\ndatabase d {" UP "}" ROLE, 1, "is empty"},
	{"database d {" UP "}\nrole r { databases = d subjects_per_day = \"100 people\" }",
	    3, "whole number"},
	{"database d {" UP "}\nrole r { databases = { d, d } }", 3, "twice"},
	/* syntax */
	{"database d {\n" UP, 1, "never ends"},
	{"database d {" UP "table t {\nsubject = \"a\"\n}", 1, "never ends"},
	{"listen = { \"a\"", 1, "ends too early"},
	{"database {\n" UP "}", 1, "a name is missing"},
	{"listen \"x\"", 1, "\"=\" is missing"},
	{"\n}", 2, "closes nothing"},
	{"\nstate = \"abc\n\n", 2, "never ends"},
	{"/* \n\n", 1, "comment begins"},
	{"state = \"/${HOME}\"", 1, "is not replaced"},
	{"state = ${HOME}", 1, "is not replaced"},
	{"state = \"/a\\0b\"", 1, "not an escape"},
	{"database|d|engine = \"x\"", 1, "unknown option"},
	{"workers = { 1 }", 1, "unexpected"},
	{"include(\"/etc/passwd\")", 1, "unknown option include"},
};

static void
test_mistakes(void **state)
{
	struct conf_notes notes;
	struct conf *c;

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		const struct mistake *m = &mistakes[i];
		bool found = false;

		assert_int_equal(conf_parse(&c, "x", m->text, &notes), ERR_CONFIG);
		assert_null(c);
		for (size_t j = 0; j < notes.n; j++)
			found |= notes.v[j].level == CONF_ERROR &&
			    notes.v[j].line == m->line &&
			    strstr(notes.v[j].text, m->says) != NULL;
		if (!found)
			for (size_t j = 0; j < notes.n; j++)
				print_error("%s\n=> %d: %s\n", m->text,
				    notes.v[j].line, notes.v[j].text);
		assert_true(found);
		conf_notes_fini(&notes);
		/* No state stays behind in the parser. */
		assert_int_equal(conf_parse(&c, "x", sample, &notes), ERR_OK);
		conf_notes_fini(&notes);
		conf_free(c);
	}
}

static const struct {
	const char *text, *says;	/* says NULL: it is right */
	const char *password;
} upstreams[] = {
	{"host=h dbname=d user=u password='it''s'", "\"=\" is missing", NULL},
	{"host=h dbname=d user=u password='it\\'s me'", NULL, "it's me"},
	{"host = h dbname =d user= u password=a\\ b", NULL, "a b"},
	{"host=h dbname=d user=u password=a'b", NULL, "a'b"},
	{"host=h dbname=d user=u password=''", NULL, NULL},
	{"host=h dbname=d user=u password='x", "never ends", NULL},
	{"host=h dbname=d user=u sslmode=verify-full sslrootcert=/ca", NULL, NULL},
	{"host=h dbname=d user=u sslmode=verify-full", "needs sslrootcert", NULL},
	{"host=h dbname=d user=u sslmode=always", "expected disable", NULL},
	{"hostaddr=10.0.0.1 dbname=d user=u passfile=/p connect_timeout=5", NULL, NULL},
	{"host=h dbname=d", "user= is missing", NULL},
	{"host=h user=d", "dbname= is missing", NULL},
	{"dbname=d user=u", "host= is missing", NULL},
	{"host=a,b dbname=d user=u", "more than one host", NULL},
	{"host=h port=0 dbname=d user=u", "port=0", NULL},
	{"host=h host=g dbname=d user=u", "given twice", NULL},
	{"host=h dbname=d user=u sslcert=/c", "belong together", NULL},
	{"host=h dbname=d usr=u", "is it user?", NULL},
	{"host=h dbname=d user=u zzzzzzzzzz=1", "expected: host", NULL},
	{"host=h dbname=d user=u service=x", "write the service's own", NULL},
	{"host=h dbname=d user=u target_session_attrs=any", "name one server", NULL},
	{"postgresql://u@h/d", "a URI is not supported", NULL},
	{"host=h dbname", "\"=\" is missing", NULL},
	{"=x", "\"=\" is missing", NULL},
};

static void
test_upstream(void **state)
{
	struct conf_notes notes;
	struct conf *c;
	char text[512];

	for (size_t i = 0; i < sizeof(upstreams) / sizeof(*upstreams); i++) {
		const char *says = upstreams[i].says;

		/* single-quoted for libconfuse would need care: use the escapes of "" */
		char quoted[256], *w = quoted;

		for (const char *p = upstreams[i].text; *p != '\0'; p++) {
			if (*p == '\\')
				*w++ = '\\';
			*w++ = *p;
		}
		*w = '\0';
		snprintf(text, sizeof(text), "database d {\nupstream = \"%s\" }\n" ROLE,
		    quoted);
		if (says == NULL) {
			assert_int_equal(conf_parse(&c, "x", text, &notes), ERR_OK);
			if (upstreams[i].password == NULL)
				assert_null(c->databases[0].upstream.password);
			else
				assert_string_equal(c->databases[0].upstream.password,
				    upstreams[i].password);
			conf_free(c);
		} else {
			assert_int_equal(conf_parse(&c, "x", text, &notes), ERR_CONFIG);
			assert_int_equal(notes.v[0].line, 2);
			if (strstr(notes.v[0].text, says) == NULL)
				fail_msg("%s => %s", upstreams[i].text, notes.v[0].text);
		}
		conf_notes_fini(&notes);
	}
}

static void
explain(const char *text, struct conf_notes *out)
{
	struct conf_notes notes;
	struct conf *c;

	assert_int_equal(conf_parse(&c, "x", text, &notes), ERR_OK);
	conf_notes_fini(&notes);
	conf_explain(c, out);
	conf_free(c);
}

static bool
warned(const struct conf_notes *n, const char *says)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].level == CONF_WARNING && strstr(n->v[i].text, says) != NULL)
			return true;
	return false;
}

static void
test_explain(void **state)
{
	static const char *const says[] = {
		"beyond this machine without tls_cert", "has no limit",
		"only observes", "may change the definitions", "without certain TLS",
		"without saying by whom", "declared free of personal data without",
		"No role may use database free", "has no table section",
	};
	struct conf_notes n;

	explain("listen = \"0.0.0.0:1\" database d { upstream = \"host=db.example.jp "
	    "dbname=d user=u\"\ntable t { open = true } }\n"
	    "database e {" UP "} database free { personal = none\n" UP "}\n"
	    "role r { databases = { d, e } ddl = allow on_excess = observe }", &n);
	for (size_t i = 0; i < sizeof(says) / sizeof(*says); i++)
		if (!warned(&n, says[i]))
			fail_msg("no warning: %s", says[i]);
	conf_notes_fini(&n);

	explain("database d { upstream = \"host=/run/postgresql dbname=d user=u\" }\n"
	    "role r { databases = d subjects_per_year = 5 subjects_per_day = 10 }", &n);
	assert_true(warned(&n, "limit a year is below"));
	assert_false(warned(&n, "certain TLS"));
	conf_notes_fini(&n);

	/* The sample has one gap only: nobody is named to ask. */
	explain(sample, &n);
	for (size_t i = 0; i < n.n; i++)
		if (n.v[i].level == CONF_WARNING)
			assert_non_null(strstr(n.v[i].text, "contact is not set"));
	conf_notes_fini(&n);
}

static void
test_load(void **state)
{
	struct conf_notes notes;
	struct conf *c;

	assert_int_equal(conf_load(&c, "/nonexistent", &notes), ERR_IO);
	assert_null(c);
	assert_int_equal(notes.n, 1);
	conf_notes_fini(&notes);
	assert_int_equal(conf_load(&c, "/", &notes), ERR_IO);
	conf_notes_fini(&notes);
	assert_int_equal(conf_load(&c, "/dev/null", &notes), ERR_CONFIG);
	conf_notes_fini(&notes);
	assert_int_equal(conf_load(&c, "/dev/zero", &notes), ERR_CONFIG);
	conf_notes_fini(&notes);
}

static void
test_find(void **state)
{
	unsetenv("KURABAN_CONF");
	assert_string_equal(conf_find("/a"), "/a");
	setenv("KURABAN_CONF", "/b", 1);
	assert_string_equal(conf_find("/a"), "/a");
	assert_string_equal(conf_find(NULL), "/b");
	setenv("KURABAN_CONF", "", 1);
	assert_string_not_equal(conf_find(NULL), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_upstream),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
