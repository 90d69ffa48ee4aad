/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's tree and the verdict over it. The catalog is made of numbers, so
 * that it suits trees of any database: relations 16384..17383 are personal, open
 * or unknown by turns, functions below 16384 are pure but for every 97th.
 */
#include <stdio.h>
#include <string.h>

#include "verdict/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char c1[] = "c1", c2[] = "c2", c3[] = "c3", c8[] = "c8", public[] = "public",
    fuzz[] = "fuzz";
static char *personal_columns[] = { c2, c3, c8 };

static void
row(struct catalog *c, enum catalog_part part, unsigned n, const char *const *text)
{
	struct slice v[8];

	for (unsigned i = 0; i < n; i++)
		v[i] = slice_cstr(text[i]);
	must(catalog_row(c, part, v, n) == ERR_OK);
}

static struct catalog *
make_catalog(void)
{
	static struct conf_table tables[700];
	static char names[700][8];
	static struct conf_database db = {.name = fuzz, .tables = tables};
	struct catalog *c;
	char oid[12], name[12], num[12];

	for (unsigned i = 0; i < 1000; i++) {
		if (i % 3 == 2)
			continue;
		snprintf(names[db.ntables], sizeof(names[0]), "r%u", i);
		tables[db.ntables] = (struct conf_table){.schema = public,
		    .name = names[db.ntables], .open = i % 3 == 1,
		    .subject = i % 3 == 0 ? c1 : NULL,
		    .personal = personal_columns, .npersonal = i % 3 == 0 ? 3 : 0};
		db.ntables++;
	}
	c = catalog_new(&db);
	must(c != NULL);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(oid, sizeof(oid), "%u", 16384 + i);
		snprintf(name, sizeof(name), "r%u", i);
		row(c, CATALOG_RELS, 7, (const char *[]){oid, "public", name, "r",
		    i % 5 == 0 ? "t" : "f", "f", i % 7 == 0 ? "2" : ""});
		for (unsigned k = 1; k < 10; k++) {
			snprintf(name, sizeof(name), "c%u", k);
			snprintf(num, sizeof(num), "%u", k);
			row(c, CATALOG_COLS, 8, (const char *[]){oid, num, name, "25",
			    i % 2 == 0 ? "t" : "f", "f", "", k == 3 ? "t" : "f"});
		}
	}
	for (unsigned i = 1; i < 16384; i++) {
		snprintf(oid, sizeof(oid), "%u", i);
		row(c, CATALOG_FUNCTIONS, 6, (const char *[]){oid, "pg_catalog",
		    i % 97 == 0 ? "lo_get" : i == 2803 ? "count" : i == 2129 ? "max" :
		    i == 2078 ? "set_config" : i % 61 == 0 ? "nextval" : "f", "1",
		    i == 2803 || i == 2129 ? "a" : "f", "i"});
	}
	must(catalog_finish(c) == ERR_OK);
	return c;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct catalog *c;
	struct verdict v;

	if (c == NULL)
		c = make_catalog();
	for (int target = -1; target <= REL_PERSONAL; target++) {
		must(verdict_judge(&v, (const char *)data, size, c, target) == ERR_OK);
		must((v.class == VERDICT_REFUSED) == (v.why != WHY_NONE));
		must(v.class != VERDICT_REFUSED || v.object != NULL);
		must((v.class == VERDICT_KEY) == (v.nkeys > 0));
		must(v.nkeys <= VERDICT_MAX_KEYS && v.ntables <= VERDICT_MAX_TABLES);
		must(v.class != VERDICT_FREE || v.row_weight == 0);
		must(v.class == VERDICT_FREE || v.class == VERDICT_REFUSED ||
		    v.row_weight > 0);
		for (size_t i = 0; i < v.ncols && v.class == VERDICT_FREE; i++)
			must(v.weight[i] == 0);
		for (size_t i = 0; i < v.nkeys; i++)
			must(v.keys[i].col >= 0 || v.keys[i].expr != NULL);
		verdict_fini(&v);
	}
	return 0;
}
