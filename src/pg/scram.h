/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677, 5929) as PostgreSQL
 * speaks it, both sides, and the older password answers for an upstream. Pure but
 * for random nonces, which the caller may give (tests). Called by the ledger.
 *
 * The password is used as its bytes: PostgreSQL's SASLprep changes nothing in
 * ASCII, and where SASLprep fails PostgreSQL takes the bytes as they are. A
 * non-ASCII password that SASLprep would change (full-width letters, for one)
 * works through Kuraban only with clients that send it unprepared, so the actor
 * store refuses to set one (scram_password_plain()).
 *
 * Every string that comes from the other side is bounded by SCRAM_MAX_BYTES and
 * its parts by the limits below; nothing is ever appended to a fixed buffer
 * without its length (cf. CVE-2026-6664, CVE-2026-6665 of PgBouncer).
 */
#ifndef KB_PG_SCRAM_H
#define KB_PG_SCRAM_H

#include "base/buf.h"
#include "base/err.h"

enum {
	SCRAM_KEY = 32,
	SCRAM_SALT = 16,		/* of our own verifiers */
	SCRAM_SALT_MAX = 64,		/* an upstream's */
	SCRAM_NONCE = 18,		/* random bytes; 24 characters */
	SCRAM_NONCE_MAX = 128,		/* characters of the other side's part */
	SCRAM_ITERATIONS = 4096,
	SCRAM_ITERATIONS_MAX = 200000,	/* of an upstream: 50 ms of work */
	SCRAM_MAX_BYTES = 1024,		/* one message */
	SCRAM_BINDING_MAX = 64		/* a certificate's hash */
};

#define SCRAM_SHA_256 "SCRAM-SHA-256"
#define SCRAM_SHA_256_PLUS "SCRAM-SHA-256-PLUS"

struct scram_verifier {
	uint32_t iterations;
	uint8_t salt[SCRAM_SALT];
	uint8_t stored_key[SCRAM_KEY];
	uint8_t server_key[SCRAM_KEY];
};

/* ERR_AUTH: a password that SASLprep might change; see above. */
enum err scram_password_plain(const char *password);
void scram_verifier_make(struct scram_verifier *v, const char *password,
    const uint8_t salt[SCRAM_SALT], uint32_t iterations);
/* Is this the password? In constant time over the result. */
bool scram_verifier_check(const struct scram_verifier *v, const char *password);
/* "SCRAM-SHA-256$4096:salt$stored:server", as in pg_authid. */
void scram_verifier_print(const struct scram_verifier *v, struct buf *out);
enum err scram_verifier_parse(struct scram_verifier *v, struct slice text);
/* A verifier that nothing fits, always the same one for a name and secret. */
void scram_verifier_mock(struct scram_verifier *v, const uint8_t secret[SCRAM_KEY],
    const char *name);

/* --- server ------------------------------------------------------------- */

struct scram_server {
	struct scram_verifier v;
	uint8_t binding[SCRAM_BINDING_MAX];
	size_t binding_len;		/* 0: no channel binding to offer */
	bool plus;			/* the mechanism that was chosen */
	char gs2[64];			/* client's header, "p=...,," or "n,," */
	struct buf auth;		/* first-bare , server-first , final-bare */
	char nonce[SCRAM_NONCE_MAX + 32];
};

/*
 * binding: the hash of the server's certificate (tls-server-end-point), empty
 * without TLS. ERR_FORMAT: malformed; ERR_AUTH: mechanism or binding wrong, a
 * downgrade. Appends server-first-message to out. Always fini after it.
 */
enum err scram_server_first(struct scram_server *s, const struct scram_verifier *v,
    struct slice mechanism, struct slice binding, struct slice client_first,
    const uint8_t nonce[SCRAM_NONCE], struct buf *out);
/* ERR_AUTH: the proof is wrong. Appends server-final-message. */
enum err scram_server_final(struct scram_server *s, struct slice client_final,
    struct buf *out);
void scram_server_fini(struct scram_server *s);

/* --- client ------------------------------------------------------------- */

/* The slow part, kept for the next log-in with the same salt. */
struct scram_cache {
	uint8_t salt[SCRAM_SALT_MAX];
	size_t salt_len;
	uint32_t iterations;		/* 0: empty */
	uint8_t client_key[SCRAM_KEY], server_key[SCRAM_KEY];
};

struct scram_client {
	enum { SCRAM_CLIENT_NEW, SCRAM_CLIENT_FIRST, SCRAM_CLIENT_FINAL,
	    SCRAM_CLIENT_DONE } state;
	char nonce[SCRAM_NONCE * 2];
	uint8_t server_sig[SCRAM_KEY];
};

/* Appends client-first-message ("n,,n=,r=..."). */
void scram_client_first(struct scram_client *c, const uint8_t nonce[SCRAM_NONCE],
    struct buf *out);
/* Reads server-first-message, appends client-final-message. */
enum err scram_client_final(struct scram_client *c, const char *password,
    struct scram_cache *cache, struct slice server_first, struct buf *out);
/* ERR_AUTH: the server does not know the password either. */
enum err scram_client_verify(struct scram_client *c, struct slice server_final);
/* Is SCRAM-SHA-256 in the body of AuthenticationSASL (a list of cstrings)? */
bool scram_offered(struct slice list, const char *mechanism);

/* --- md5 ---------------------------------------------------------------- */

/* "md5" + 32 hex digits + NUL, the answer to AuthenticationMD5Password. */
enum err scram_md5_answer(char out[36], const char *user, const char *password,
    const uint8_t salt[4]);

#endif
