/* SPDX-License-Identifier: Apache-2.0 */
/* L8 and L9: entries are strict JSON, bounded, and give back what went in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "ledger/entry.h"
#include "ledger/ledger.h"

#define S(text) slice_cstr(text)

static const struct entry_head head = {.time_us = 1795237200123456, .session = 7,
    .gate = {(const uint8_t *)"g1", 2}, .actor = {(const uint8_t *)"tanaka", 6},
    .role = {(const uint8_t *)"operator", 8}, .database = {(const uint8_t *)"crm", 3}};

struct seen {
	size_t n;
	uint64_t token[ENTRY_TOKENS_MAX];
	unsigned domain[ENTRY_TOKENS_MAX];
};

static enum err
see(void *arg, unsigned domain, uint64_t token)
{
	struct seen *s = arg;

	assert_true(s->n < ENTRY_TOKENS_MAX);
	s->domain[s->n] = domain;
	s->token[s->n++] = token;
	return ERR_OK;
}

static struct slice
all(const struct buf *b)
{
	return (struct slice){buf_head(b), buf_used(b)};
}

static void
test_release(void **state)
{
	uint64_t a[2] = {0x0102030405060708, UINT64_MAX}, b[1] = {0};
	struct entry_run runs[] = {{a, 2}, {b, 1}};
	struct slice domains[] = {S("public.customers"), S("public.staff")};
	struct entry_table tables[] = {{S("public.customers"), S("name,phone")}};
	struct entry_release e = {.tables = {tables, 1}, .class = S("key"),
	    .request = 3, .sql = S("ab\"c\\\n\x01"), .rows = 3, .bytes = 120, .anon = 1,
	    .domains = {domains, 2}, .subjects = {runs, 2}};
	static struct seen seen;
	struct entry_front f;
	struct slice raw;
	struct buf out;
	json_t *j;

	(void)state;
	buf_init(&out, 1 << 17);
	assert_int_equal(entry_build_release(&out, &head, &e), ERR_OK);
	static const char want[] = "{\"v\":1,\"kind\":\"release\","
	    "\"time\":\"2026-11-21T05:00:00.123456Z\",\"gate\":\"g1\",\"session\":7,"
	    "\"actor\":\"tanaka\",\"role\":\"operator\",\"database\":\"crm\","
	    "\"tables\":[{\"table\":\"public.customers\",\"columns\":\"name,phone\"}],"
	    "\"class\":\"key\",\"request\":3,\"sql\":\"ab\\\"c\\\\\\n\\u0001\","
	    "\"rows\":3,\"bytes\":120,\"anon\":1,"
	    "\"domains\":[\"public.customers\",\"public.staff\"],"
	    "\"subjects\":[\"AQIDBAUGBwj//////////w==\",\"AAAAAAAAAAA=\"]}";
	assert_int_equal(buf_used(&out), strlen(want));
	assert_memory_equal(buf_head(&out), want, strlen(want));
	assert_int_equal(entry_parse(all(&out), &j), ERR_OK);
	assert_string_equal(json_string_value(json_object_get(j, "sql")),
	    "ab\"c\\\n\x01");
	json_decref(j);
	assert_int_equal(entry_tokens(all(&out), see, &seen), ERR_OK);
	assert_int_equal(seen.n, 3);
	assert_true(seen.token[0] == a[0] && seen.token[1] == a[1] &&
	    seen.token[2] == 0);
	assert_true(seen.domain[1] == 0 && seen.domain[2] == 1);
	assert_int_equal(entry_front(&f, all(&out)), ERR_OK);
	assert_int_equal(f.kind, ENTRY_KIND_release);
	assert_int_equal(f.session, 7);
	assert_true(f.time_us == head.time_us);
	assert_int_equal(entry_get(all(&out), "class", &raw), ERR_OK);
	assert_true(slice_is(raw, "\"key\""));
	assert_int_equal(entry_get(all(&out), "clas", &raw), ERR_NOTFOUND);
	buf_fini(&out);
}

/* Invariants 1 and 2: the worst input still gives an entry, and valid JSON. */
static void
test_worst_case(void **state)
{
	static uint8_t junk[100000];
	static uint64_t tokens[ENTRY_TOKENS_MAX + 1];
	struct slice big = {junk, sizeof junk};
	struct entry_run runs[ENTRY_DOMAINS_MAX] = {{tokens, ENTRY_TOKENS_MAX - 7}};
	struct slice domains[ENTRY_DOMAINS_MAX];
	struct entry_table tables[300];
	struct entry_pair pairs[300];
	uint8_t salted[32] = {0};
	struct entry_head h = {.time_us = INT64_MAX, .gate = big, .actor = big,
	    .session = UINT64_MAX, .role = big, .database = big};
	struct entry_release r = {.tables = {tables, 300}, .class = big,
	    .request = UINT64_MAX, .sql = big, .rows = UINT64_MAX,
	    .bytes = UINT64_MAX, .anon = UINT64_MAX, .outcome = big,
	    .grant = UINT64_MAX, .sealed = UINT64_MAX, .commitment = salted,
	    .domains = {domains, ENTRY_DOMAINS_MAX},
	    .subjects = {runs, ENTRY_DOMAINS_MAX}};
	struct entry_policy p = {.what = big, .who = big, .detail = {pairs, 300}};
	struct buf out;
	json_t *j;

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		tables[i] = (struct entry_table){big, big};
		pairs[i] = (struct entry_pair){big, big};
	}
	for (size_t i = 0; i < ENTRY_DOMAINS_MAX; i++) {
		domains[i] = big;
		if (i > 0)
			runs[i] = (struct entry_run){tokens, 1};
	}
	buf_init(&out, 1 << 17);
	for (int fill = 0; fill < 256; fill++) {
		memset(junk, fill, sizeof junk);
		buf_clear(&out);
		assert_int_equal(entry_build_release(&out, &h, &r), ERR_OK);
		assert_true(buf_used(&out) <= LEDGER_ENTRY_MAX);
		assert_int_equal(entry_parse(all(&out), &j), ERR_OK);
		json_decref(j);
	}
	srand(1);
	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < sizeof junk; i++)
			junk[i] = (uint8_t)rand();
		buf_clear(&out);
		assert_int_equal(entry_build_release(&out, &h, &r), ERR_OK);
		assert_true(buf_used(&out) <= LEDGER_ENTRY_MAX);
		assert_int_equal(entry_parse(all(&out), &j), ERR_OK);
		json_decref(j);
		buf_clear(&out);
		for (size_t i = 0; i < 300; i++)	/* keys must differ */
			pairs[i].name = (struct slice){junk + i, 40};
		assert_int_equal(entry_build_policy(&out, &h, &p), ERR_OK);
		assert_int_equal(entry_parse(all(&out), &j), ERR_OK);
		json_decref(j);
	}
	runs[1].n = 2;
	buf_clear(&out);
	assert_int_equal(entry_build_release(&out, &h, &r), ERR_TOOBIG);
	assert_int_equal(buf_used(&out), 0);
	buf_fini(&out);
}

static void
test_cut_text(void **state)
{
	char text[ENTRY_TEXT_MAX + 1];
	struct entry_key e = {.what = {0}};
	struct slice raw;
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 17);
	memset(text, 'x', sizeof text);
	e.what = (struct slice){(uint8_t *)text, ENTRY_TEXT_MAX - 3};
	assert_int_equal(entry_build_key(&out, &head, &e), ERR_OK);
	assert_int_equal(entry_get(all(&out), "what", &raw), ERR_OK);
	assert_int_equal(raw.len, ENTRY_TEXT_MAX - 3 + 2);
	e.what.len++;
	buf_clear(&out);
	assert_int_equal(entry_build_key(&out, &head, &e), ERR_OK);
	assert_int_equal(entry_get(all(&out), "what", &raw), ERR_OK);
	assert_int_equal(raw.len, ENTRY_TEXT_MAX + 2);
	assert_memory_equal(raw.p + raw.len - 4, "\xe2\x80\xa6\"", 4);
	buf_fini(&out);
}

static void
test_malformed(void **state)
{
	static const char *const bad[] = {"", "{", "{}", "[]", "{\"v\":1}",
	    "{\"v\":2,\"kind\":\"key\",\"time\":\"2026-11-21T05:00:00.123456Z\"}",
	    "{\"v\":1,\"kind\":\"nokind\",\"time\":\"2026-11-21T05:00:00.123456Z\"}",
	    "{\"v\":1,\"kind\":\"key\",\"time\":\"2026-02-29T05:00:00.123456Z\"}",
	    "{\"v\":1,\"kind\":\"key\",\"time\":\"2026-11-21T05:00:00.12345xZ\"}",
	    "{\"v\":1,\"kind\":\"key\",\"time\":\"2026-11-21T05:00:00.123456Z\"",
	    "{\"v\":1,\"kind\":\"key\",\"time\":\"2026-11-21T05:00:00.123456Z\",}",
	    "{\"v\":1,\"kind\":\"key\",\"time\":\"2026-11-21T05:00:00.123456Z\",\"a\":}",
	    "{\"v\":1,\"kind\":\"key\",\"time\":\"2026-11-21T05:00:00.123456Z\",\"a\":[}",
	    "{\"v\":1,\"kind\":\"key\",\"time\":\"2026-11-21T05:00:00.123456Z\",\"a\":\"\\x\"}",
	    "{\"v\":1,\"kind\":\"key\",\"time\":\"2026-11-21T05:00:00.123456Z\",\"a\":01}",
	    "{\"v\":1,\"kind\":\"key\",\"time\":\"2026-11-21T05:00:00.123456Z\",\"session\":\"1\"}"};
	static const char *const bad_tokens[] = {
	    "{\"subjects\":[\"AAAA\"]}", "{\"subjects\":[\"AAAAAAAAAAB=\"]}",
	    "{\"subjects\":[1]}", "{\"subjects\":\"AAAAAAAAAAA=\"}"};
	static struct seen seen;
	struct entry_front f;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(entry_front(&f, S(bad[i])), ERR_FORMAT);
	for (size_t i = 0; i < sizeof bad_tokens / sizeof *bad_tokens; i++)
		assert_int_equal(entry_tokens(S(bad_tokens[i]), see, &seen), ERR_FORMAT);
	assert_int_equal(entry_tokens(S("free text"), see, &seen), ERR_OK);
	assert_int_equal(seen.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_worst_case),
		cmocka_unit_test(test_cut_text),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
