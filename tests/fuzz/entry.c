/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries: the fast readers agree with jansson on whatever both take; and texts of
 * all bytes become strict JSON.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ledger/entry.h"
#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err
count(void *arg, unsigned domain, uint64_t token)
{
	size_t *n = arg;

	(void)domain;
	(void)token;
	(*n)++;
	return ERR_OK;
}

static void
read_it(struct slice in)
{
	struct entry_front f;
	struct slice raw;
	size_t n = 0;
	json_t *j, *v;

	entry_tokens(in, count, &n);
	must(n <= in.len / 10 + 1);
	if (entry_front(&f, in) != ERR_OK || entry_parse(in, &j) != ERR_OK)
		return;
	must(strcmp(json_string_value(json_object_get(j, "kind")),
	    entry_kind_word(f.kind)) == 0);
	(void)entry_check(in, &f);
	v = json_object_get(j, "session");
	must(v == NULL || (uint64_t)json_integer_value(v) == f.session);
	v = json_object_get(j, "event");
	must((v == NULL) == (entry_get(in, "event", &raw) == ERR_NOTFOUND));
	json_decref(j);
}

/* What was built obeys the spec in everything. */
static bool
whole(const struct buf *b)
{
	struct slice e = {buf_head(b), buf_used(b)};
	struct entry_front f;

	return entry_front(&f, e) == ERR_OK && entry_check(e, &f) == ERR_OK;
}

static void
write_it(struct slice in)
{
	struct entry_head h = {.time_us = 1, .gate = in, .actor = in};
	struct entry_pair pair = {slice_cstr("k"), in};
	struct entry_policy p = {.what = in, .detail = {&pair, 1}};
	struct entry_deny d = {.sql = in, .why = in};
	struct buf b;
	json_t *j;

	buf_init(&b, 2 * LEDGER_ENTRY_MAX);
	must(entry_build_policy(&b, &h, &p) == ERR_OK);
	must(entry_parse((struct slice){buf_head(&b), buf_used(&b)}, &j) == ERR_OK);
	json_decref(j);
	must(whole(&b));
	buf_clear(&b);
	must(entry_build_deny(&b, &h, &d) == ERR_OK);
	must(entry_parse((struct slice){buf_head(&b), buf_used(&b)}, &j) == ERR_OK);
	json_decref(j);
	must(whole(&b));
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};

	read_it(in);
	write_it(in);
	return 0;
}
