/* SPDX-License-Identifier: Apache-2.0 */
#include "actor/actor.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"

#define HEADER "kuraban-actors 1 "
static const int64_t minute_us = 60 * (int64_t)1000000;
static const int64_t day_us = 86400 * (int64_t)1000000;

struct actors {
	uint8_t secret[SCRAM_KEY];
	struct actor **v;
	size_t n, cap;
	struct map names;
	struct actor *ghosts[ACTOR_GHOSTS_MAX];
	size_t nghosts;			/* ever made; slot = number % MAX */
	struct map ghost_names;
};

struct actors *
actors_new(const uint8_t secret[SCRAM_KEY])
{
	struct actors *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	memcpy(a->secret, secret, SCRAM_KEY);
	map_init(&a->names);
	map_init(&a->ghost_names);
	return a;
}

static void
actor_free(struct actor *p)
{
	if (p != NULL)
		sodium_memzero(p, sizeof(*p));
	free(p);
}

void
actors_free(struct actors *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n; i++)
		actor_free(a->v[i]);
	for (size_t i = 0; i < ACTOR_GHOSTS_MAX; i++)
		actor_free(a->ghosts[i]);
	free(a->v);
	map_fini(&a->names, NULL);
	map_fini(&a->ghost_names, NULL);
	sodium_memzero(a, sizeof(*a));
	free(a);
}

size_t
actors_count(const struct actors *a)
{
	return a->n;
}

struct actor *
actors_at(const struct actors *a, size_t i)
{
	must(i < a->n);
	return a->v[i];
}

struct actor *
actors_find(const struct actors *a, const char *name)
{
	return map_get(&a->names, slice_cstr(name));
}

/* UTF-8 without what would break a line, a list or a terminal. */
bool
actor_name_ok(const char *name)
{
	size_t len = strlen(name), i = 0, n;

	if (len == 0 || len > ACTOR_NAME_MAX || name[0] == '-')
		return false;
	while (i < len) {
		unsigned char c = (unsigned char)name[i];

		if (c <= 0x20 || c == 0x7f || strchr("\"'\\,:/", c) != NULL)
			return false;
		n = utf8_char((const uint8_t *)name + i, len - i);
		/* C1 controls are two bytes, c2 80 to c2 9f. */
		if (n == 0 || (c == 0xc2 && (unsigned char)name[i + 1] < 0xa0))
			return false;
		i += n;
	}
	return true;
}

static struct actor *
ghost_new(struct actors *a, const char *name)
{
	struct actor **slot = &a->ghosts[a->nghosts++ % ACTOR_GHOSTS_MAX];
	struct actor *p = calloc(1, sizeof(*p));

	must(p != NULL);
	if (*slot != NULL)
		map_del(&a->ghost_names, slice_cstr((*slot)->name));
	actor_free(*slot);
	*slot = p;
	memcpy(p->name, name, strlen(name) + 1);
	p->ghost = true;
	scram_verifier_mock(&p->verifier, a->secret, name);
	map_put(&a->ghost_names, slice_cstr(name), p);
	return p;
}

struct actor *
actors_claim(struct actors *a, const char *name)
{
	struct actor *p = actors_find(a, name);

	if (p != NULL)
		return p;
	if (!actor_name_ok(name))
		return NULL;
	p = map_get(&a->ghost_names, slice_cstr(name));
	return p ? p : ghost_new(a, name);
}

enum err
actors_add(struct actors *a, const char *name, const char *role,
    int64_t now_us, struct actor **out)
{
	struct actor *p;

	if (!actor_name_ok(name) || !actor_name_ok(role))
		return ERR_FORMAT;
	if (actors_find(a, name) != NULL)
		return ERR_EXISTS;
	if (a->n >= ACTORS_MAX)
		return ERR_TOOBIG;
	if (a->n == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 16;
		struct actor **v = realloc(a->v, cap * sizeof(*v));

		if (v == NULL)
			return ERR_NOMEM;
		a->v = v;
		a->cap = cap;
	}
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ERR_NOMEM;
	memcpy(p->name, name, strlen(name) + 1);
	memcpy(p->role, role, strlen(role) + 1);
	p->created_us = now_us;
	scram_verifier_mock(&p->verifier, a->secret, name);
	a->v[a->n++] = p;
	map_put(&a->names, slice_cstr(name), p);
	*out = p;
	return ERR_OK;
}

void
actors_remove_last(struct actors *a)
{
	must(a->n > 0);
	map_del(&a->names, slice_cstr(a->v[--a->n]->name));
	actor_free(a->v[a->n]);
}

/* --- passwords ---------------------------------------------------------- */

static unsigned
different_chars(const char *s)
{
	bool seen[256] = {false};
	unsigned n = 0;

	for (; *s; s++) {
		n += !seen[(unsigned char)*s];
		seen[(unsigned char)*s] = true;
	}
	return n;
}

/* Characters of the password that are not the name, in either case, again. */
static size_t
beside_name(const char *password, const char *name)
{
	size_t len = strlen(name), n = 0;

	while (*password) {
		if (len > 0 && strncasecmp(password, name, len) == 0) {
			password += len;
		} else {
			password++;
			n++;
		}
	}
	return n;
}

enum actor_password
actor_password_judge(const struct actor_rules *r, const char *name,
    const char *password)
{
	size_t len = strlen(password);

	if (len > 0 && scram_password_plain(password) != ERR_OK)
		return ACTOR_PASSWORD_CHARS;
	if (len < r->password_min_length || len == 0)
		return ACTOR_PASSWORD_SHORT;
	if (len > ACTOR_PASSWORD_MAX)
		return ACTOR_PASSWORD_LONG;
	if (beside_name(password, name) < ACTOR_PASSWORD_BESIDE_NAME)
		return ACTOR_PASSWORD_NAME;
	return different_chars(password) < 4 ? ACTOR_PASSWORD_REPEATS :
	    ACTOR_PASSWORD_OK;
}

void
actor_password_set(struct actor *a, const char *password,
    const uint8_t salt[SCRAM_SALT], int64_t now_us)
{
	scram_verifier_make(&a->verifier, password, salt, SCRAM_ITERATIONS);
	a->password_set_us = now_us;
	a->failed = 0;
	a->locked_until_us = 0;
}

enum actor_state
actor_state(const struct actor *a, const struct actor_rules *r, int64_t now_us)
{
	if (now_us < a->locked_until_us)
		return ACTOR_LOCKED;
	if (a->disabled)
		return ACTOR_DISABLED;
	if (a->ghost || r->password_max_age_days == 0)
		return ACTOR_OK;
	return now_us - a->password_set_us >
	    (int64_t)r->password_max_age_days * day_us ? ACTOR_EXPIRED : ACTOR_OK;
}

bool
actor_failed(struct actor *a, const struct actor_rules *r, int64_t now_us)
{
	if (now_us < a->locked_until_us)
		return false;
	if (++a->failed < r->lockout_failures)
		return false;
	a->failed = 0;
	a->locked_until_us = now_us + (int64_t)r->lockout_minutes * minute_us;
	return true;
}

bool
actor_succeeded(struct actor *a)
{
	bool changed = a->failed != 0 || a->locked_until_us != 0;

	a->failed = 0;
	a->locked_until_us = 0;
	return changed;
}

/* --- the file ----------------------------------------------------------- */

void
actors_print(const struct actors *a, struct buf *out)
{
	char secret[SCRAM_KEY * 2];

	b64_encode(secret, a->secret, SCRAM_KEY);
	buf_printf(out, HEADER "%s\n", secret);
	for (size_t i = 0; i < a->n; i++) {
		const struct actor *p = a->v[i];

		buf_printf(out, "%s\t%s\t%s\t%" PRId64 "\t%" PRId64 "\t%u\t%" PRId64
		    "\t", p->name, p->role, p->disabled ? "disabled" : "enabled",
		    p->created_us, p->password_set_us, p->failed,
		    p->locked_until_us);
		scram_verifier_print(&p->verifier, out);
		buf_str(out, "\n");
	}
	sodium_memzero(secret, sizeof(secret));
}

/* Up to the next `end`, which is taken. */
static struct slice
take(struct rd *r, char end)
{
	const uint8_t *p = r->bad ? NULL : memchr(r->p, end, r->left);
	struct slice s = {NULL, 0};

	if (p == NULL) {
		r->bad = true;
		return s;
	}
	s = rd_bytes(r, (size_t)(p - r->p));
	rd_u8(r);
	return s;
}

static bool
take_text(struct rd *r, char *out, size_t cap)
{
	struct slice s = take(r, '\t');

	if (s.len >= cap || (s.len > 0 && memchr(s.p, 0, s.len) != NULL)) {
		r->bad = true;
		s.len = 0;
	}
	if (s.len > 0)
		memcpy(out, s.p, s.len);
	out[s.len] = 0;
	return !r->bad;
}

static int64_t
take_number(struct rd *r)
{
	struct slice s = take(r, '\t');
	int64_t v = 0;

	if (s.len == 0 || s.len > 18)
		r->bad = true;
	for (size_t i = 0; i < s.len && !r->bad; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			r->bad = true;
		else
			v = v * 10 + (s.p[i] - '0');
	}
	return r->bad ? 0 : v;
}

static enum err
parse_line(struct actors *a, struct slice line)
{
	struct rd r = rd_init(line.p, line.len);
	char name[ACTOR_NAME_MAX + 1], role[ACTOR_NAME_MAX + 1], state[16];
	struct actor f = {0}, *p;
	int64_t failed;
	enum err err;

	take_text(&r, name, sizeof(name));
	take_text(&r, role, sizeof(role));
	take_text(&r, state, sizeof(state));
	f.created_us = take_number(&r);
	f.password_set_us = take_number(&r);
	failed = take_number(&r);
	f.locked_until_us = take_number(&r);
	f.disabled = strcmp(state, "disabled") == 0;
	if (r.bad || failed > UINT32_MAX ||
	    (!f.disabled && strcmp(state, "enabled") != 0) ||
	    scram_verifier_parse(&f.verifier, rd_bytes(&r, r.left)) != ERR_OK)
		return ERR_FORMAT;
	if ((err = actors_add(a, name, role, f.created_us, &p)) != ERR_OK)
		return err == ERR_NOMEM ? err : ERR_FORMAT;
	p->disabled = f.disabled;
	p->password_set_us = f.password_set_us;
	p->failed = (uint32_t)failed;
	p->locked_until_us = f.locked_until_us;
	p->verifier = f.verifier;
	return ERR_OK;
}

enum err
actors_parse(struct actors **out, struct slice text, unsigned *line)
{
	struct rd r = rd_init(text.p, text.len);
	struct slice head = take(&r, '\n');
	uint8_t secret[SCRAM_KEY + 2];
	size_t n = sizeof(HEADER) - 1, len;
	struct actors *a;
	enum err err = ERR_OK;

	*line = 1;
	if (r.bad || head.len < n || memcmp(head.p, HEADER, n) != 0 ||
	    !b64_decode(secret, sizeof(secret), (const char *)head.p + n,
	    head.len - n, &len) || len != SCRAM_KEY)
		return ERR_FORMAT;
	if ((a = actors_new(secret)) == NULL)
		return ERR_NOMEM;
	while (r.left > 0 && err == ERR_OK) {
		struct slice s = take(&r, '\n');

		++*line;
		err = r.bad ? ERR_FORMAT : parse_line(a, s);
	}
	if (err != ERR_OK) {
		actors_free(a);
		return err;
	}
	*out = a;
	return ERR_OK;
}
