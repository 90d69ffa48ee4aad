/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>

/* --- hashes ------------------------------------------------------------- */

static void
hmac(uint8_t out[SCRAM_KEY], const uint8_t key[SCRAM_KEY], const void *p,
    size_t n)
{
	unsigned len = SCRAM_KEY;

	must(HMAC(EVP_sha256(), key, SCRAM_KEY, p, n, out, &len) != NULL);
}

static void
xor(uint8_t out[SCRAM_KEY], const uint8_t a[SCRAM_KEY], const uint8_t b[SCRAM_KEY])
{
	for (int i = 0; i < SCRAM_KEY; i++)
		out[i] = a[i] ^ b[i];
}

static void
salted_keys(const char *password, const uint8_t *salt, size_t salt_len,
    uint32_t iterations, uint8_t client_key[SCRAM_KEY],
    uint8_t server_key[SCRAM_KEY])
{
	uint8_t salted[SCRAM_KEY];

	must(PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt,
	    (int)salt_len, (int)iterations, EVP_sha256(), SCRAM_KEY, salted) == 1);
	hmac(client_key, salted, "Client Key", 10);
	hmac(server_key, salted, "Server Key", 10);
	OPENSSL_cleanse(salted, sizeof(salted));
}

/* --- verifiers ---------------------------------------------------------- */

enum err
scram_password_plain(const char *password)
{
	for (const char *p = password; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			return ERR_AUTH;
	return *password ? ERR_OK : ERR_AUTH;
}

void
scram_verifier_make(struct scram_verifier *v, const char *password,
    const uint8_t salt[SCRAM_SALT], uint32_t iterations)
{
	uint8_t client_key[SCRAM_KEY];

	v->iterations = iterations;
	memcpy(v->salt, salt, SCRAM_SALT);
	salted_keys(password, salt, SCRAM_SALT, iterations, client_key,
	    v->server_key);
	SHA256(client_key, SCRAM_KEY, v->stored_key);
	OPENSSL_cleanse(client_key, sizeof(client_key));
}

bool
scram_verifier_check(const struct scram_verifier *v, const char *password)
{
	struct scram_verifier w;
	bool same;

	scram_verifier_make(&w, password, v->salt, v->iterations);
	same = CRYPTO_memcmp(w.stored_key, v->stored_key, SCRAM_KEY) == 0;
	OPENSSL_cleanse(&w, sizeof(w));
	return same;
}

static void
put_b64(struct buf *b, const void *p, size_t n)
{
	char text[128];

	must(b64_len(n) < sizeof(text));
	b64_encode(text, p, n);
	buf_str(b, text);
}

void
scram_verifier_print(const struct scram_verifier *v, struct buf *out)
{
	buf_printf(out, "SCRAM-SHA-256$%u:", v->iterations);
	put_b64(out, v->salt, SCRAM_SALT);
	buf_str(out, "$");
	put_b64(out, v->stored_key, SCRAM_KEY);
	buf_str(out, ":");
	put_b64(out, v->server_key, SCRAM_KEY);
}

/* --- attribute=value lists ---------------------------------------------- */

/* Takes "<name>=<value>" up to a comma or the end; the comma too. */
static struct slice
take_attr(struct rd *r, char name)
{
	const uint8_t *comma;
	struct slice v;

	if (rd_u8(r) != (uint8_t)name || rd_u8(r) != '=')
		r->bad = true;
	if (r->bad)
		return (struct slice){NULL, 0};
	comma = memchr(r->p, ',', r->left);
	v = rd_bytes(r, comma ? (size_t)(comma - r->p) : r->left);
	if (comma != NULL)
		rd_u8(r);
	return v;
}

/* Up to the character, which is taken but not part of it. */
static struct slice
take_until(struct rd *r, char end)
{
	const uint8_t *p = r->bad ? NULL : memchr(r->p, end, r->left);
	struct slice v;

	if (p == NULL) {
		r->bad = true;
		return (struct slice){NULL, 0};
	}
	v = rd_bytes(r, (size_t)(p - r->p));
	rd_u8(r);
	return v;
}

/* RFC 5802: printable ASCII but the comma. */
static bool
nonce_ok(struct slice s, size_t max)
{
	if (s.len == 0 || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == ',')
			return false;
	return true;
}

static bool
take_decimal(struct slice s, uint32_t max, uint32_t *out)
{
	uint32_t v = 0;

	if (s.len == 0 || s.len > 9 || s.p[0] == '0')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(s.p[i] - '0');
	}
	*out = v;
	return v <= max;
}

static bool
take_key(struct slice s, uint8_t *out, size_t want)
{
	uint8_t tmp[SCRAM_KEY + 2];
	size_t len;

	if (!b64_decode(tmp, sizeof(tmp), (const char *)s.p, s.len, &len) ||
	    len != want)
		return false;
	memcpy(out, tmp, want);
	return true;
}

enum err
scram_verifier_parse(struct scram_verifier *v, struct slice text)
{
	struct rd r = rd_init(text.p, text.len);
	struct slice name = take_until(&r, '$'), iterations = take_until(&r, ':');
	struct slice salt = take_until(&r, '$'), stored = take_until(&r, ':');
	struct scram_verifier w;

	if (r.bad || !slice_is(name, SCRAM_SHA_256) ||
	    !take_decimal(iterations, SCRAM_ITERATIONS_MAX, &w.iterations) ||
	    w.iterations < SCRAM_ITERATIONS ||
	    !take_key(salt, w.salt, SCRAM_SALT) ||
	    !take_key(stored, w.stored_key, SCRAM_KEY) ||
	    !take_key(rd_bytes(&r, r.left), w.server_key, SCRAM_KEY))
		return ERR_FORMAT;
	*v = w;
	return ERR_OK;
}

void
scram_verifier_mock(struct scram_verifier *v, const uint8_t secret[SCRAM_KEY],
    const char *name)
{
	uint8_t h[SCRAM_KEY];

	hmac(h, secret, name, strlen(name));
	v->iterations = SCRAM_ITERATIONS;
	memcpy(v->salt, h, SCRAM_SALT);
	/* Whose preimage nobody knows. */
	hmac(v->stored_key, secret, h, sizeof(h));
	hmac(v->server_key, secret, v->stored_key, SCRAM_KEY);
}

/* --- server ------------------------------------------------------------- */

/* The gs2 header, "p=tls-server-end-point,," "y,," or "n,,", and what it means. */
static enum err
server_gs2(struct scram_server *s, struct rd *r)
{
	const uint8_t *start = r->p;
	struct slice flag = take_until(r, ','), authzid = take_until(r, ',');
	size_t len;

	if (r->bad || flag.len == 0 || authzid.len > 0)
		return ERR_FORMAT;
	len = (size_t)(r->p - start);
	if (len >= sizeof(s->gs2))
		return ERR_FORMAT;
	memcpy(s->gs2, start, len);
	s->gs2[len] = 0;
	if (slice_is(flag, "n"))
		return s->plus ? ERR_AUTH : ERR_OK;
	if (slice_is(flag, "y"))
		/* "I can, you cannot": but we offered it. Somebody cut it out. */
		return s->plus || s->binding_len > 0 ? ERR_AUTH : ERR_OK;
	if (slice_is(flag, "p=tls-server-end-point"))
		return s->plus ? ERR_OK : ERR_AUTH;
	return flag.p[0] == 'p' ? ERR_AUTH : ERR_FORMAT;
}

enum err
scram_server_first(struct scram_server *s, const struct scram_verifier *v,
    struct slice mechanism, struct slice binding, struct slice client_first,
    const uint8_t nonce[SCRAM_NONCE], struct buf *out)
{
	struct rd r = rd_init(client_first.p, client_first.len);
	struct slice user, theirs, bare;
	size_t mark = buf_used(out), n;
	enum err err;

	*s = (struct scram_server){.v = *v};
	buf_init(&s->auth, 4 * SCRAM_MAX_BYTES);
	if (client_first.len > SCRAM_MAX_BYTES || binding.len > SCRAM_BINDING_MAX)
		return ERR_FORMAT;
	if (binding.len > 0)
		memcpy(s->binding, binding.p, binding.len);
	s->binding_len = binding.len;
	s->plus = slice_is(mechanism, SCRAM_SHA_256_PLUS);
	if (!s->plus && !slice_is(mechanism, SCRAM_SHA_256))
		return ERR_AUTH;
	if (s->plus && binding.len == 0)
		return ERR_AUTH;
	if ((err = server_gs2(s, &r)) != ERR_OK)
		return err;
	bare = (struct slice){r.p, r.left};
	/* PostgreSQL clients send an empty name; the startup message has it. */
	user = take_attr(&r, 'n');
	theirs = take_attr(&r, 'r');
	if (!rd_end(&r) || user.len > 256 || !nonce_ok(theirs, SCRAM_NONCE_MAX) ||
	    bare.p[bare.len - 1] == ',')
		return ERR_FORMAT;
	memcpy(s->nonce, theirs.p, theirs.len);
	n = theirs.len;
	b64_encode(s->nonce + n, nonce, SCRAM_NONCE);
	buf_printf(out, "r=%s,s=", s->nonce);
	put_b64(out, s->v.salt, SCRAM_SALT);
	buf_printf(out, ",i=%u", s->v.iterations);
	if (out->bad)
		return ERR_NOMEM;
	buf_put(&s->auth, bare.p, bare.len);
	buf_str(&s->auth, ",");
	buf_put(&s->auth, buf_head(out) + mark, buf_used(out) - mark);
	buf_str(&s->auth, ",");
	return s->auth.bad ? ERR_NOMEM : ERR_OK;
}

/* c= must be the gs2 header again, with the binding's bytes for -PLUS. */
static bool
server_binding_ok(const struct scram_server *s, struct slice c)
{
	uint8_t got[256], want[sizeof(s->gs2) + SCRAM_BINDING_MAX];
	size_t len, n = strlen(s->gs2);

	memcpy(want, s->gs2, n);
	if (s->plus) {
		memcpy(want + n, s->binding, s->binding_len);
		n += s->binding_len;
	}
	return b64_decode(got, sizeof(got), (const char *)c.p, c.len, &len) &&
	    len == n && CRYPTO_memcmp(got, want, n) == 0;
}

enum err
scram_server_final(struct scram_server *s, struct slice client_final,
    struct buf *out)
{
	struct rd r = rd_init(client_final.p, client_final.len);
	uint8_t proof[SCRAM_KEY], sig[SCRAM_KEY], stored[SCRAM_KEY];
	struct slice c, nonce;
	size_t bare;

	if (client_final.len > SCRAM_MAX_BYTES)
		return ERR_FORMAT;
	c = take_attr(&r, 'c');
	nonce = take_attr(&r, 'r');
	if (r.bad || r.p == client_final.p || r.p[-1] != ',')
		return ERR_FORMAT;
	bare = client_final.len - r.left - 1;
	if (!take_key(take_attr(&r, 'p'), proof, SCRAM_KEY) || !rd_end(&r) ||
	    client_final.p[client_final.len - 1] == ',')
		return ERR_FORMAT;
	if (!slice_is(nonce, s->nonce) || !server_binding_ok(s, c))
		return ERR_AUTH;
	buf_put(&s->auth, client_final.p, bare);
	if (s->auth.bad)
		return ERR_NOMEM;
	hmac(sig, s->v.stored_key, buf_head(&s->auth), buf_used(&s->auth));
	xor(proof, proof, sig);
	SHA256(proof, SCRAM_KEY, stored);
	OPENSSL_cleanse(proof, sizeof(proof));
	if (CRYPTO_memcmp(stored, s->v.stored_key, SCRAM_KEY) != 0)
		return ERR_AUTH;
	hmac(sig, s->v.server_key, buf_head(&s->auth), buf_used(&s->auth));
	buf_str(out, "v=");
	put_b64(out, sig, SCRAM_KEY);
	return out->bad ? ERR_NOMEM : ERR_OK;
}

void
scram_server_fini(struct scram_server *s)
{
	buf_fini(&s->auth);
	OPENSSL_cleanse(&s->v, sizeof(s->v));
}

/* --- client ------------------------------------------------------------- */

void
scram_client_first(struct scram_client *c, const uint8_t nonce[SCRAM_NONCE],
    struct buf *out)
{
	*c = (struct scram_client){.state = SCRAM_CLIENT_FIRST};
	b64_encode(c->nonce, nonce, SCRAM_NONCE);
	buf_printf(out, "n,,n=,r=%s", c->nonce);
}

static enum err
client_keys(struct scram_cache *cache, const char *password, struct slice salt64,
    struct slice iterations)
{
	uint8_t salt[SCRAM_SALT_MAX];
	uint32_t i;
	size_t len;

	if (!b64_decode(salt, sizeof(salt), (const char *)salt64.p, salt64.len,
	    &len) || len == 0 || !take_decimal(iterations, UINT32_MAX, &i))
		return ERR_FORMAT;
	if (i > SCRAM_ITERATIONS_MAX)
		return ERR_TOOBIG;
	if (cache->iterations == i && cache->salt_len == len &&
	    memcmp(cache->salt, salt, len) == 0)
		return ERR_OK;
	salted_keys(password, salt, len, i, cache->client_key, cache->server_key);
	memcpy(cache->salt, salt, len);
	cache->salt_len = len;
	cache->iterations = i;
	return ERR_OK;
}

enum err
scram_client_final(struct scram_client *c, const char *password,
    struct scram_cache *cache, struct slice server_first, struct buf *out)
{
	struct rd r = rd_init(server_first.p, server_first.len);
	struct slice nonce, salt, iterations;
	uint8_t stored[SCRAM_KEY], sig[SCRAM_KEY];
	size_t ours = strlen(c->nonce), mark = buf_used(out);
	struct buf auth;
	enum err err;

	if (c->state != SCRAM_CLIENT_FIRST)
		return ERR_DENIED;
	if (server_first.len > SCRAM_MAX_BYTES)
		return ERR_TOOBIG;
	nonce = take_attr(&r, 'r');
	salt = take_attr(&r, 's');
	iterations = take_attr(&r, 'i');
	if (!rd_end(&r) || server_first.p[server_first.len - 1] == ',' ||
	    !nonce_ok(nonce, ours + SCRAM_NONCE_MAX))
		return ERR_FORMAT;
	if (nonce.len <= ours || memcmp(nonce.p, c->nonce, ours) != 0)
		return ERR_AUTH;
	if ((err = client_keys(cache, password, salt, iterations)) != ERR_OK)
		return err;
	buf_init(&auth, 4 * SCRAM_MAX_BYTES);
	buf_str(out, "c=biws,r=");
	buf_put(out, nonce.p, nonce.len);
	buf_printf(&auth, "n=,r=%s,", c->nonce);
	buf_put(&auth, server_first.p, server_first.len);
	buf_str(&auth, ",");
	if (!out->bad)
		buf_put(&auth, buf_head(out) + mark, buf_used(out) - mark);
	if (auth.bad || out->bad) {
		buf_fini(&auth);
		return ERR_NOMEM;
	}
	SHA256(cache->client_key, SCRAM_KEY, stored);
	hmac(sig, stored, buf_head(&auth), buf_used(&auth));
	xor(sig, sig, cache->client_key);
	hmac(c->server_sig, cache->server_key, buf_head(&auth), buf_used(&auth));
	buf_fini(&auth);
	buf_str(out, ",p=");
	put_b64(out, sig, SCRAM_KEY);
	c->state = SCRAM_CLIENT_FINAL;
	return out->bad ? ERR_NOMEM : ERR_OK;
}

enum err
scram_client_verify(struct scram_client *c, struct slice server_final)
{
	struct rd r = rd_init(server_final.p, server_final.len);
	uint8_t sig[SCRAM_KEY];
	struct slice v;

	if (c->state != SCRAM_CLIENT_FINAL)
		return ERR_DENIED;
	if (server_final.len > SCRAM_MAX_BYTES)
		return ERR_TOOBIG;
	v = take_attr(&r, 'v');
	if (!rd_end(&r) || !take_key(v, sig, SCRAM_KEY))
		return ERR_FORMAT;
	if (CRYPTO_memcmp(sig, c->server_sig, SCRAM_KEY) != 0)
		return ERR_AUTH;
	c->state = SCRAM_CLIENT_DONE;
	return ERR_OK;
}

bool
scram_offered(struct slice list, const char *mechanism)
{
	struct rd r = rd_init(list.p, list.len);
	bool found = false;

	for (;;) {
		const char *s = rd_cstr(&r);

		if (r.bad)
			return false;
		if (*s == 0)
			return found && rd_end(&r);
		found |= strcmp(s, mechanism) == 0;
	}
}

/* --- md5 ---------------------------------------------------------------- */

static bool
md5_hex(char out[33], const void *a, size_t na, const void *b, size_t nb)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t h[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	bool ok;

	ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, a, na) == 1 && EVP_DigestUpdate(ctx, b, nb) == 1 &&
	    EVP_DigestFinal_ex(ctx, h, &n) == 1 && n == 16;
	EVP_MD_CTX_free(ctx);
	if (ok)
		hex_encode(out, h, 16);
	return ok;
}

enum err
scram_md5_answer(char out[36], const char *user, const char *password,
    const uint8_t salt[4])
{
	char inner[33];

	memcpy(out, "md5", 3);
	return md5_hex(inner, password, strlen(password), user, strlen(user)) &&
	    md5_hex(out + 3, inner, 32, salt, 4) ? ERR_OK : ERR_AUTH;
}
