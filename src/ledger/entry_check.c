/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that docs/spec/ledger.md, section 3, says of one entry by itself. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "ledger/entry.h"

enum { NEST_MAX = 16, SALT_BYTES = 32 };

typedef bool type_check(const json_t *v);

/* --- form ---------------------------------------------------------------- */

/* The one escape of a character that needs one; returns its length, or 0. */
static size_t
escape_length(const uint8_t *p, size_t left)
{
	if (left >= 2 && memchr("\"\\btnfr", p[1], 7) != NULL)
		return 2;
	if (left >= 6 && memcmp(p + 1, "u00", 3) == 0 &&
	    (p[4] == '0' || p[4] == '1') &&
	    memchr("0123456789abcdef", p[5], 16) != NULL)
		return 6;
	return 0;
}

/* Where a string that begins at i ends; 0: malformed. */
static size_t
string_end(struct slice e, size_t i)
{
	for (i++; i < e.len && e.p[i] != '"';) {
		size_t n = e.p[i] == '\\' ? escape_length(e.p + i, e.len - i) : 1;

		if (n == 0)
			return 0;
		i += n;
	}
	return i < e.len ? i + 1 : 0;
}

/*
 * What a JSON parser lets pass: white space, other spellings of numbers and
 * characters, deep nesting.
 */
static bool
one_spelling(struct slice e)
{
	unsigned depth = 0;

	for (size_t i = 0; i < e.len;) {
		uint8_t c = e.p[i];
		size_t from = i;

		if (c == '"') {
			if ((i = string_end(e, i)) == 0)
				return false;
			continue;
		}
		if (c >= '0' && c <= '9') {
			while (i < e.len && e.p[i] >= '0' && e.p[i] <= '9')
				i++;
			if ((c == '0' && i > from + 1) || i == e.len ||
			    memchr(",]}", e.p[i], 3) == NULL)
				return false;
			continue;
		}
		if (c == '{' || c == '[') {
			if (++depth > NEST_MAX)
				return false;
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		} else if (c != ',' && c != ':' && (c < 'a' || c > 'z')) {
			return false;
		}
		i++;
	}
	return true;
}

/* --- types, section 3.3 -------------------------------------------------- */

static bool
is_text(const json_t *v)
{
	return json_is_string(v);
}

static bool
is_number(const json_t *v)
{
	return json_is_integer(v);
}

static bool
is_flag(const json_t *v)
{
	return json_is_boolean(v);
}

static bool
is_time(const json_t *v)
{
	int64_t us;
	char raw[64];

	if (!json_is_string(v) || json_string_length(v) > 60)
		return false;
	snprintf(raw, sizeof raw, "\"%s\"", json_string_value(v));
	return entry_time(slice_cstr(raw), &us);
}

static bool
is_names(const json_t *v)
{
	size_t i;
	json_t *x;

	if (!json_is_array(v))
		return false;
	json_array_foreach(v, i, x)
		if (!json_is_string(x))
			return false;
	return true;
}

static bool
is_tables(const json_t *v)
{
	size_t i, n = json_array_size(v);
	json_t *x;

	if (!json_is_array(v))
		return false;
	json_array_foreach(v, i, x) {
		const char *cut = json_string_value(x);

		if (i + 1 == n && cut != NULL && strcmp(cut, "\xe2\x80\xa6") == 0)
			return true;
		if (!json_is_string(json_object_get(x, "table")) ||
		    !json_is_string(json_object_get(x, "columns")))
			return false;
	}
	return true;
}

static enum err
count_token(void *arg, unsigned domain, uint64_t token)
{
	(void)domain;
	(void)token;
	return ++*(size_t *)arg > ENTRY_TOKENS_MAX ? ERR_TOOBIG : ERR_OK;
}

static bool
is_tokens(const json_t *v)
{
	return is_names(v);	/* the tokens in them: entry_subjects() */
}

static bool
is_pairs(const json_t *v)
{
	const char *key;
	json_t *x;

	if (!json_is_object(v))
		return false;
	json_object_foreach((json_t *)(uintptr_t)v, key, x)
		if (!json_is_string(x))
			return false;
	return true;
}

static bool
is_salted(const json_t *v)
{
	uint8_t out[SALT_BYTES];
	size_t n;

	return json_is_string(v) && b64_decode(out, sizeof out,
	    json_string_value(v), json_string_length(v), &n) && n == SALT_BYTES;
}

/* --- kinds --------------------------------------------------------------- */

struct field {
	const char *name;
	type_check *ok;
	bool required;
};

#define FIELD_TEXT is_text, false
#define FIELD_LONG is_text, false
#define FIELD_NUM is_number, true
#define FIELD_OPT is_number, false
#define FIELD_FLAG is_flag, true
#define FIELD_TIME is_time, false
#define FIELD_TABLES is_tables, true
#define FIELD_NAMES is_names, true
#define FIELD_TOKENS is_tokens, true
#define FIELD_PAIRS is_pairs, true
#define FIELD_SALTED is_salted, false

#define ENTRY(kind) static const struct field fields_##kind[] = {
#define FIELD(kind, type, name) {#name, FIELD_##type},
#define END(kind) {NULL, NULL, false}};
#include "ledger/entry.tbl.h"
#undef ENTRY
#undef FIELD
#undef END

static const struct field *const fields_of[] = {
#define ENTRY(kind) [ENTRY_KIND_##kind] = fields_##kind,
#define FIELD(kind, type, name)
#define END(kind)
#include "ledger/entry.tbl.h"
#undef ENTRY
#undef FIELD
#undef END
};

static const struct field head[] = {
	{"v", is_number, true}, {"kind", is_text, true}, {"time", is_time, true},
	{"gate", is_text, false}, {"session", is_number, false},
	{"actor", is_text, false}, {"role", is_text, false},
	{"database", is_text, false}, {NULL, NULL, false}};

/* Those of a table that are there, in the order of the table. */
static bool
fields_ok(json_t *o, const struct field *f, void **at)
{
	for (; f->name != NULL; f++) {
		void *i = json_object_iter_at(o, f->name);
		json_t *v = json_object_iter_value(i);

		if (i == NULL) {
			if (f->required)
				return false;
			continue;
		}
		if (!f->ok(v))
			return false;
		/* Behind the one before it: walk on from there. */
		while (*at != i && *at != NULL)
			*at = json_object_iter_next(o, *at);
		if (*at == NULL)
			return false;
		*at = json_object_iter_next(o, *at);
	}
	return true;
}

static bool
subjects_ok(json_t *o, struct slice raw)
{
	json_t *domains = json_object_get(o, "domains");
	json_t *subjects = json_object_get(o, "subjects");
	size_t n = 0;

	if (subjects == NULL)
		return true;
	return is_tokens(subjects) &&
	    entry_subjects(raw, count_token, &n) == ERR_OK &&
	    (domains == NULL || !json_is_array(domains) ||
	    json_array_size(domains) == json_array_size(subjects));
}

enum err
entry_check(struct slice entry, const struct entry_front *f)
{
	json_t *o, *session;
	void *at;
	bool ok;

	if (!one_spelling(entry))
		return ERR_FORMAT;
	o = json_loadb((const char *)entry.p, entry.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(o)) {
		json_decref(o);
		return ERR_FORMAT;
	}
	at = json_object_iter(o);
	session = json_object_get(o, "session");
	ok = fields_ok(o, head, &at) && fields_ok(o, fields_of[f->kind], &at) &&
	    (session == NULL || json_integer_value(session) > 0) &&
	    subjects_ok(o, f->subjects);
	json_decref(o);
	return ok ? ERR_OK : ERR_FORMAT;
}
