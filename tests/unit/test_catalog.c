/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog: what the configuration says of tables, and what follows for their
 * children, parents, generated columns and foreign keys. Law L3: whatever is not
 * known is uncovered, never free; L7: what is missing is shown.
 */
#include "verdict_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/settings.h"

static struct catalog *cat;

static const struct catalog_rel *
rel(const char *name)
{
	const struct catalog_rel *r = catalog_rel_named(cat, "public", name);

	assert_non_null(r);
	assert_ptr_equal(catalog_rel(cat, r->oid), r);
	return r;
}

static enum catalog_col_class
col(const struct catalog_rel *r, const char *name)
{
	for (size_t i = 0; i < r->ncols; i++)
		if (strcmp(r->cols[i].name, name) == 0)
			return r->cols[i].class;
	fail_msg("%s has no column %s", r->name, name);
	return COL_NEW;
}

static const char *
domain(const char *name)
{
	return catalog_domain(cat, rel(name)->domain);
}

static void
classes(void **state)
{
	const struct catalog_rel *r = rel("customers");

	(void)state;
	assert_int_equal(r->class, REL_PERSONAL);
	assert_int_equal(col(r, "customer_id"), COL_KEY);
	assert_int_equal(col(r, "email"), COL_PERSONAL);
	assert_int_equal(col(r, "country"), COL_FREE);
	assert_true(catalog_col(r, 1)->not_null);
	assert_false(catalog_col(rel("visits"), 1)->not_null);
	assert_null(catalog_col(r, 99));
	assert_int_equal(rel("orders")->class, REL_OPEN);
	assert_int_equal(rel("secrets")->class, REL_UNCOVERED);
	assert_int_equal(rel("mv")->class, REL_UNCOVERED);
	assert_int_equal(rel("v_cust")->class, REL_UNCOVERED);
	assert_int_equal(rel("orders_order_id_seq")->class, REL_OPEN);
	assert_int_equal(catalog_rel(cat, 4000000000u)->class, REL_UNCOVERED);
	assert_int_equal(catalog_rel(cat, 0)->class, REL_UNCOVERED);
	r = catalog_rel_named(cat, "pg_catalog", "pg_class");
	assert_int_equal(r->class, REL_SYSTEM);
	r = catalog_rel_named(cat, "pg_catalog", "pg_authid");
	assert_int_equal(r->class, REL_SYSTEM_OPAQUE);
	assert_int_equal(col(r, "rolname"), COL_FREE);
	assert_int_equal(col(r, "rolpassword"), COL_NEW);
	assert_true(rel("triggered")->has_triggers);
	assert_false(rel("customers")->has_triggers);
	assert_true(rel("guarded")->has_rls);
	assert_int_equal(catalog_missing(cat, NULL, 0), 0);
}

static void
generated_columns(void **state)
{
	(void)state;
	assert_int_equal(col(rel("tagged"), "shout"), COL_PERSONAL);
	assert_int_equal(col(rel("tagged"), "twice"), COL_FREE);
}

static void
children_and_parents(void **state)
{
	(void)state;
	assert_int_equal(rel("parts_jp")->class, REL_PERSONAL);
	assert_int_equal(col(rel("parts_jp"), "name"), COL_PERSONAL);
	assert_int_equal(rel("parts_jp")->domain, rel("parts")->domain);
	assert_int_equal(rel("open_log_2026")->class, REL_OPEN);
	assert_false(rel("parts")->split);
	assert_true(rel("aged")->split);
	assert_false(rel("aged")->split_child);
	assert_true(rel("aged_old")->split_child);
	/* Its rows are also those of a personal child. */
	assert_int_equal(rel("open_parent")->class, REL_UNCOVERED);
}

static void
domains(void **state)
{
	(void)state;
	assert_string_equal(domain("customers"), "public.customers");
	assert_string_equal(domain("complaints"), "public.customers");
	assert_string_equal(domain("visits"), "public.customers");
	assert_string_equal(domain("staff"), "public.staff");
	assert_string_equal(domain("tagged"), "public.tagged");
	assert_string_equal(catalog_domain(cat, 999), "");
	for (uint16_t i = 0; i < catalog_ndomains(cat); i++)
		assert_true(catalog_domain(cat, i)[0] != '\0');
	assert_true(catalog_refers_to_subject(cat, rel("orders")->oid, 2));
	assert_false(catalog_refers_to_subject(cat, rel("orders")->oid, 3));
}

static uint32_t
fn_named(const char *name)
{
	for (uint32_t oid = 1; oid < 100000000; oid++)
		if (strcmp(catalog_fn_name(cat, oid), name) == 0)
			return oid;
	fail_msg("no function %s", name);
	return 0;
}

static void
functions(void **state)
{
	static const struct {
		const char *name;
		enum catalog_fn_class class;
	} t[] = {
		{ "pg_catalog.upper", FN_PURE }, { "pg_catalog.now", FN_PURE },
		{ "pg_catalog.query_to_xml", FN_REFUSED }, { "pg_catalog.lo_get", FN_REFUSED },
		{ "pg_catalog.lower", FN_PURE }, { "pg_catalog.pg_notify", FN_SINK },
		{ "pg_catalog.set_config", FN_SETTING }, { "pg_catalog.pg_cursor", FN_OPAQUE },
		{ "pg_catalog.pg_ls_dir", FN_REFUSED }, { "pg_catalog.nextval", FN_SINK },
		{ "public.f_user", FN_USER }, { "public.f_open", FN_PURE },
		{ "public.f_opaque", FN_OPAQUE },
		{ "information_schema._pg_index_position", FN_PURE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(catalog_fn(cat, fn_named(t[i].name)), t[i].class);
	assert_int_equal(catalog_fn(cat, 4000000000u), FN_USER);
	assert_string_equal(catalog_fn_name(cat, 4000000000u), "");
	assert_int_equal(catalog_agg(cat, fn_named("pg_catalog.string_agg")), AGG_ANY);
	assert_int_equal(catalog_agg(cat, fn_named("pg_catalog.max")), AGG_PICK);
	assert_int_equal(catalog_agg(cat, fn_named("pg_catalog.count")), AGG_COUNT);
	assert_int_equal(catalog_fn_opaque_columns(cat,
	    fn_named("pg_catalog.pg_stat_get_activity")), 1u << 5);
}

/* A function that a later server adds, and that is not immutable, is refused. */
static void
new_functions(void **state)
{
	struct catalog *c = catalog_new(support_conf());
	struct slice v[6] = { slice_cstr("9001"), slice_cstr("pg_catalog"),
	    slice_cstr("pg_new_thing"), slice_cstr("1"), slice_cstr("f"), slice_cstr("s") };

	(void)state;
	assert_int_equal(catalog_row(c, CATALOG_FUNCTIONS, v, 6), ERR_OK);
	v[0] = slice_cstr("9002");
	v[5] = slice_cstr("i");
	assert_int_equal(catalog_row(c, CATALOG_FUNCTIONS, v, 6), ERR_OK);
	v[0] = slice_cstr("9003");
	v[1] = slice_cstr("public");
	assert_int_equal(catalog_row(c, CATALOG_FUNCTIONS, v, 6), ERR_OK);
	assert_int_equal(catalog_row(c, CATALOG_FUNCTIONS, v, 5), ERR_FORMAT);
	v[0] = slice_cstr("x");
	assert_int_equal(catalog_row(c, CATALOG_FUNCTIONS, v, 6), ERR_FORMAT);
	assert_int_equal(catalog_finish(c), ERR_OK);
	assert_int_equal(catalog_row(c, CATALOG_FUNCTIONS, v, 6), ERR_PHASE);
	assert_int_equal(catalog_fn(c, 9001), FN_REFUSED);
	assert_int_equal(catalog_fn(c, 9002), FN_PURE);
	assert_int_equal(catalog_fn(c, 9003), FN_USER);
	catalog_free(c);
}

static void
types(void **state)
{
	(void)state;
	assert_true(catalog_type_plain(cat, 25));
	assert_false(catalog_type_plain(cat, 4000000000u));
}

static void
baseline(void **state)
{
	struct slice names[] = { slice_cstr("customer_id"), slice_cstr("name"),
	    slice_cstr("since") };
	struct slice none[1] = { slice_cstr("customer_id") };
	const struct catalog_rel *r = rel("grown");

	(void)state;
	assert_int_equal(col(r, "extra"), COL_FREE);
	catalog_baseline(cat, r, names, 3);
	assert_int_equal(col(r, "extra"), COL_NEW);
	assert_int_equal(col(r, "since"), COL_FREE);
	assert_int_equal(col(r, "name"), COL_PERSONAL);
	assert_int_equal(col(r, "customer_id"), COL_KEY);
	/* Children share it. */
	catalog_baseline(cat, rel("parts"), none, 1);
	assert_int_equal(col(rel("parts_jp"), "region"), COL_NEW);
	assert_int_equal(col(rel("parts_jp"), "customer_id"), COL_KEY);
}

static void
personal_list(void **state)
{
	size_t n = 0;

	(void)state;
	while (catalog_personal(cat, n) != NULL)
		n++;
	assert_int_equal(n, 14);
	assert_string_equal(catalog_personal(cat, 0)->name, "customers");
}

static void
missing_tables(void **state)
{
	const struct conf_database *db = support_conf_text(
	    "listen = \"127.0.0.1:1\" state = \"/nowhere\"\n"
	    "database \"crm\" { engine = \"postgresql\" upstream = \"host=h dbname=d user=u\"\n"
	    "  table \"public.customers\" { subject = \"customer_id\" personal = { \"gone\" } }\n"
	    "  table \"public.v_cust\" { open = true }\n"
	    "  table \"public.nowhere\" { open = true }\n"
	    "  table \"public.orders\" { open = true } }\n"
	    "role \"r\" { databases = { \"crm\" } subjects_per_day = 1 }\n");
	struct catalog *c = support_catalog_load(VERDICT_DIR "/catalog.rows", db);
	const struct conf_table *t[4];

	(void)state;
	assert_int_equal(catalog_missing(c, t, 4), 3);
	assert_string_equal(t[0]->name, "customers");
	assert_string_equal(t[1]->name, "v_cust");
	assert_string_equal(t[2]->name, "nowhere");
	catalog_free(c);
}

static void
settings(void **state)
{
	(void)state;
	assert_int_equal(catalog_setting("DateStyle"), SETTING_FREE);
	assert_int_equal(catalog_setting("search_path"), SETTING_CONTEXT);
	assert_int_equal(catalog_setting("SEARCH_PATH"), SETTING_CONTEXT);
	assert_int_equal(catalog_setting("application_name"), SETTING_LITERAL);
	assert_int_equal(catalog_setting("client_encoding"), SETTING_HELD);
	assert_int_equal(catalog_setting("debug_print_rewritten"), SETTING_REFUSED);
	assert_int_equal(catalog_setting("log_statement"), SETTING_REFUSED);
	assert_int_equal(catalog_setting("session_replication_role"), SETTING_REFUSED);
	assert_int_equal(catalog_setting("something_new"), SETTING_CONTEXT);
	assert_int_equal(catalog_setting("my.own"), SETTING_FREE);
	assert_int_equal(catalog_setting(""), SETTING_CONTEXT);
}

/* The epoch changes with a definition, and with nothing else. */
static void
epoch(void **state)
{
	PGconn *k = support_connect();

	(void)state;
	if (k == NULL)
		skip();
#if HAVE_LIBPQ
	static const struct {
		const char *sql;
		bool changes;
	} t[] = {
		{ "SELECT 1", false }, { "INSERT INTO secrets VALUES (1, 'x')", false },
		{ "ANALYZE secrets", false }, { "CREATE TEMP TABLE t (i int)", false },
		{ "ALTER TABLE secrets ADD more text", true },
		{ "CREATE OR REPLACE FUNCTION f_user(text) RETURNS text LANGUAGE sql AS "
		  "'SELECT $1 || $1'", true },
		{ "CREATE TABLE child () INHERITS (products)", true },
		{ "CREATE OR REPLACE VIEW v_nokey AS SELECT name, phone::text AS country "
		  "FROM customers", true },
		{ "ALTER TABLE products RENAME TO goods", true },
		{ "DROP POLICY p ON guarded", true },
	};
	char last[64] = "", now[64];

	support_exec(k, "SET client_min_messages = warning");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		PGresult *r;

		support_exec(k, t[i].sql);
		r = PQexec(k, catalog_epoch_sql());
		assert_int_equal(PQntuples(r), 1);
		snprintf(now, sizeof(now), "%s", PQgetvalue(r, 0, 0));
		PQclear(r);
		if (i > 0 && (strcmp(last, now) != 0) != t[i].changes)
			fail_msg("%s", t[i].sql);
		strcpy(last, now);
	}
#endif
	support_disconnect(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes),
		cmocka_unit_test(generated_columns),
		cmocka_unit_test(children_and_parents),
		cmocka_unit_test(domains),
		cmocka_unit_test(functions),
		cmocka_unit_test(new_functions),
		cmocka_unit_test(types),
		cmocka_unit_test(baseline),
		cmocka_unit_test(personal_list),
		cmocka_unit_test(missing_tables),
		cmocka_unit_test(settings),
		cmocka_unit_test(epoch),
	};
	int failed;

	cat = support_catalog_load(VERDICT_DIR "/catalog.rows", support_conf());
	failed = cat == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
	catalog_free(cat);
	return failed;
}
