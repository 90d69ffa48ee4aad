/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The people (and programs) who may ask for data: STATE/actors. Pure: the
 * caller reads and writes the file; passwords are never kept, only SCRAM
 * verifiers. Called by the ledger process and, when it is down, by the verb.
 *
 * File: "kuraban-actors 1 <base64 secret>" LF, then one line an actor:
 *   name TAB role TAB "disabled"|"enabled" TAB created TAB password set TAB
 *   failed TAB locked until TAB verifier LF
 * times in microseconds since 1970; the secret makes the salts of names that do
 * not exist, so that they stay the same.
 *
 * Invariant: a name that does not exist behaves as one that does and whose
 * password nobody knows: same messages, same work, same lock-out ("ghosts").
 */
#ifndef KB_ACTOR_ACTOR_H
#define KB_ACTOR_ACTOR_H

#include "base/buf.h"
#include "base/err.h"
#include "pg/scram.h"

enum {
	ACTOR_NAME_MAX = 63,		/* PostgreSQL's limit of a user name */
	ACTOR_PASSWORD_MAX = 256,
	ACTOR_PASSWORD_BESIDE_NAME = 8,	/* characters that are not the name */
	ACTORS_MAX = 100000,
	ACTORS_FILE_MAX = ACTORS_MAX * 512,
	ACTOR_GHOSTS_MAX = 1024		/* the oldest is forgotten */
};

struct actor {
	char name[ACTOR_NAME_MAX + 1];
	char role[ACTOR_NAME_MAX + 1];
	bool disabled, ghost;
	int64_t created_us, password_set_us;
	uint32_t failed;		/* wrong passwords in a row */
	int64_t locked_until_us;	/* 0: never was */
	struct scram_verifier verifier;
};

struct actor_rules {
	unsigned password_min_length, password_max_age_days;
	unsigned lockout_failures, lockout_minutes;
};

struct actors;

/* An empty store. secret: random bytes. NULL without memory. */
struct actors *actors_new(const uint8_t secret[SCRAM_KEY]);
void actors_free(struct actors *a);
/* ERR_FORMAT, ERR_NOMEM; *line says where. */
enum err actors_parse(struct actors **out, struct slice text, unsigned *line);
void actors_print(const struct actors *a, struct buf *out);

size_t actors_count(const struct actors *a);
/* In order of their making; shares. */
struct actor *actors_at(const struct actors *a, size_t i);
struct actor *actors_find(const struct actors *a, const char *name); /* or NULL */
/* The actor, or the ghost of that name. NULL only for a name that cannot be. */
struct actor *actors_claim(struct actors *a, const char *name);

/* ERR_FORMAT: not a name; ERR_EXISTS; ERR_TOOBIG: too many. */
enum err actors_add(struct actors *a, const char *name, const char *role,
    int64_t now_us, struct actor **out);
/* Takes back the last actors_add(). */
void actors_remove_last(struct actors *a);
bool actor_name_ok(const char *name);

enum actor_password {
	ACTOR_PASSWORD_OK,
	ACTOR_PASSWORD_SHORT,
	ACTOR_PASSWORD_LONG,
	ACTOR_PASSWORD_NAME,		/* little more than the actor's name */
	ACTOR_PASSWORD_REPEATS,		/* fewer than 4 different characters */
	ACTOR_PASSWORD_CHARS		/* other than printable ASCII; see scram.h */
};
enum actor_password actor_password_judge(const struct actor_rules *r,
    const char *name, const char *password);
/* Sets it, and unlocks. The caller has judged it. salt: random bytes. */
void actor_password_set(struct actor *a, const char *password,
    const uint8_t salt[SCRAM_SALT], int64_t now_us);

enum actor_state { ACTOR_OK, ACTOR_LOCKED, ACTOR_DISABLED, ACTOR_EXPIRED };
enum actor_state actor_state(const struct actor *a, const struct actor_rules *r,
    int64_t now_us);
/* Counts a wrong password; true when it locked the actor just now. */
bool actor_failed(struct actor *a, const struct actor_rules *r, int64_t now_us);
/* A right one; true when that changed anything that the file holds. */
bool actor_succeeded(struct actor *a);

#endif
