/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text: no crash; statements in order, inside the text, apart; each is by
 * itself a statement of the same kind; a column put at first_target leaves the
 * kind and the place as they are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sql/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char column[] = "\"c\".\"id\" AS \"?k?\", ";

static void
check_target(const char *text, const struct sql_stmt *s)
{
	size_t n = sizeof(column) - 1, at = s->first_target - s->start;
	struct sql_list l;
	char *edited;

	edited = malloc(s->len + n);
	must(edited != NULL);
	memcpy(edited, text + s->start, at);
	memcpy(edited + at, column, n);
	memcpy(edited + at + n, text + s->start + at, s->len - at);
	must(sql_classify(&l, edited, s->len + n) == ERR_OK && l.n == 1);
	must(l.v[0].kind == s->kind && l.v[0].len == s->len + n);
	must(l.v[0].first_target == at);
	sql_list_fini(&l);
	free(edited);
}

static void
check_statement(const char *text, const struct sql_stmt *s)
{
	struct sql_list l;

	must(sql_classify(&l, text + s->start, s->len) == ERR_OK && l.n == 1);
	must(l.v[0].kind == s->kind && l.v[0].len == s->len);
	must(l.v[0].inner_len == s->inner_len);
	must(l.v[0].nobjects == s->nobjects);
	must(l.v[0].creates_code == s->creates_code);
	sql_list_fini(&l);
	if (s->inner_len > 0) {
		must(sql_classify(&l, text + s->inner_start, s->inner_len) ==
		    ERR_OK && l.n == 1 && l.v[0].len == s->inner_len);
		sql_list_fini(&l);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct sql_list l;
	size_t end = 0;

	if (sql_classify(&l, text, size) != ERR_OK) {
		must(l.n == 0);
		return 0;
	}
	must(l.n > 0);
	for (size_t i = 0; i < l.n; i++) {
		const struct sql_stmt *s = &l.v[i];

		must(s->start >= end && s->start <= size);
		must(s->len <= size - s->start);
		end = s->start + s->len;
		must(s->kind < SQL_KIND_COUNT);
		must((s->kind == SQL_EMPTY) == (s->len == 0));
		must(s->kind != SQL_EMPTY || l.n == 1);
		must(s->inner_len == 0 || (s->inner_start > s->start &&
		    s->inner_start + s->inner_len <= end));
		must(s->copy_options_len == 0 || (s->copy_options_start >
		    s->start && s->copy_options_start + s->copy_options_len ==
		    end));
		must(s->first_target == 0 || (s->first_target > s->start &&
		    s->first_target < end));
		for (size_t k = 0; k < s->nobjects; k++)
			must(s->objects[k].name != NULL);
		if (s->len > 0)
			check_statement(text, s);
		if (s->first_target > 0)
			check_target(text, s);
	}
	sql_list_fini(&l);
	return 0;
}
