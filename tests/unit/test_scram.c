/* SPDX-License-Identifier: Apache-2.0 */
/* SCRAM: the vector of RFC 7677, both sides against each other, and refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pg/scram.h"

static const uint8_t nonce_a[SCRAM_NONCE] = "client nonce 0123";
static const uint8_t nonce_b[SCRAM_NONCE] = "server nonce 4567";
static const uint8_t salt[SCRAM_SALT] = "0123456789abcde";

static struct slice
used(const struct buf *b)
{
	return (struct slice){buf_head(b), buf_used(b)};
}

static struct slice
str(const char *s)
{
	return slice_cstr(s);
}

static void
rfc7677_vector(void **state)
{
	static const char first_bare[] = "n=user,r=rOprNGfwEbeRWgbNEkqO";
	static const char server_first[] =
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
	static const char client_final[] =
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
	struct scram_server s = {.gs2 = "n,,",
	    .nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"};
	uint8_t rfc_salt[SCRAM_SALT];
	struct buf out;
	size_t n;

	assert_true(b64_decode(rfc_salt, sizeof(rfc_salt),
	    "W22ZaJ0SNY7soEsUEjb6gQ==", 24, &n));
	scram_verifier_make(&s.v, "pencil", rfc_salt, 4096);
	buf_init(&s.auth, 4096);
	buf_init(&out, 4096);
	buf_printf(&s.auth, "%s,%s,", first_bare, server_first);
	assert_int_equal(scram_server_final(&s, str(client_final), &out), ERR_OK);
	assert_true(slice_is(used(&out),
	    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
	scram_server_fini(&s);
	buf_fini(&out);
}

/* Both sides; returns what the server said of the client's proof. */
static enum err
talk(const char *right, const char *typed, const char *mechanism,
    const char *gs2, const char *binding, const char *seen, int flip)
{
	struct scram_verifier v;
	struct scram_server s;
	struct scram_client c;
	struct scram_cache cache = {0};
	struct buf first, sfirst, final, sfinal;
	enum err err;

	buf_init(&first, 4096);
	buf_init(&sfirst, 4096);
	buf_init(&final, 4096);
	buf_init(&sfinal, 4096);
	scram_verifier_make(&v, right, salt, SCRAM_ITERATIONS);
	scram_client_first(&c, nonce_a, &first);
	if (gs2 != NULL) {
		buf_clear(&first);
		buf_printf(&first, "%sn=,r=%s", gs2, c.nonce);
	}
	err = scram_server_first(&s, &v, str(mechanism), str(binding), used(&first),
	    nonce_b, &sfirst);
	if (err != ERR_OK)
		goto out;
	assert_int_equal(scram_client_final(&c, typed, &cache, used(&sfirst),
	    &final), ERR_OK);
	assert_int_equal(cache.iterations, SCRAM_ITERATIONS);
	if (seen != NULL) {
		/* The library's client does not bind; put the binding in. */
		char raw[128], text[192];
		struct buf bound;

		snprintf(raw, sizeof(raw), "%s%s", gs2, seen);
		b64_encode(text, raw, strlen(raw));
		buf_init(&bound, 4096);
		buf_printf(&bound, "c=%s%.*s", text, (int)(buf_used(&final) - 6),
		    (const char *)buf_head(&final) + 6);
		buf_fini(&final);
		final = bound;
	}
	if (flip >= 0)
		buf_head(&final)[(size_t)flip % buf_used(&final)] ^= 1;
	err = scram_server_final(&s, used(&final), &sfinal);
	if (err == ERR_OK) {
		assert_int_equal(scram_client_verify(&c, used(&sfinal)), ERR_OK);
		assert_int_equal(scram_client_verify(&c, used(&sfinal)),
		    ERR_DENIED);
	}
out:
	scram_server_fini(&s);
	buf_fini(&first);
	buf_fini(&sfirst);
	buf_fini(&final);
	buf_fini(&sfinal);
	return err;
}

static void
right_and_wrong(void **state)
{
	assert_int_equal(talk("correct horse", "correct horse", SCRAM_SHA_256, NULL,
	    "", NULL, -1), ERR_OK);
	assert_int_equal(talk("correct horse", "correct hors", SCRAM_SHA_256, NULL,
	    "", NULL, -1), ERR_AUTH);
	/* No single changed bit of the last message is accepted. */
	for (int i = 0; i < 110; i++)
		assert_int_not_equal(talk("correct horse", "correct horse",
		    SCRAM_SHA_256, NULL, "", NULL, i), ERR_OK);
}

static void
channel_binding(void **state)
{
	const char *hash = "0123456789abcdef0123456789abcdef";

	/* "y" although we offered -PLUS: a downgrade by somebody between. */
	assert_int_equal(talk("p", "p", SCRAM_SHA_256, "y,,", hash, NULL, -1),
	    ERR_AUTH);
	/* Without TLS there was nothing to offer: then the wrong c= is all. */
	assert_int_equal(talk("p", "p", SCRAM_SHA_256, "n,,", hash, NULL, -1),
	    ERR_OK);
	assert_int_equal(talk("p", "p", SCRAM_SHA_256_PLUS, "n,,", hash, NULL, -1),
	    ERR_AUTH);
	assert_int_equal(talk("p", "p", SCRAM_SHA_256_PLUS,
	    "p=tls-server-end-point,,", "", NULL, -1), ERR_AUTH);
	assert_int_equal(talk("p", "p", SCRAM_SHA_256_PLUS, "p=tls-unique,,", hash,
	    NULL, -1), ERR_AUTH);
	assert_int_equal(talk("p", "p", SCRAM_SHA_256, "p=tls-server-end-point,,",
	    hash, NULL, -1), ERR_AUTH);
	/* Another certificate seen by the client: a man in the middle. */
	assert_int_equal(talk("p", "p", SCRAM_SHA_256_PLUS,
	    "p=tls-server-end-point,,", hash, "another certificate's hash......",
	    -1), ERR_AUTH);
}

static const char plus_final[] =
	    "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsMDEyMzQ1Njc4OWFiY2RlZj"
	    "AxMjM0NTY3ODlhYmNkZWY=,r=abcdefghijc2VydmVyIG5vbmNlIDQ1N"
	    "jcA,p=PNb3KWb296LOb5nTKyn4QMGE50EeywnbkJ9YRNM0fCg=";

/* A -PLUS exchange whose proof was computed over the binding. */
static void
channel_binding_right(void **state)
{
	const char *hash = "0123456789abcdef0123456789abcdef";
	struct scram_verifier v;
	struct scram_server s;
	struct buf first, sfirst, out;

	buf_init(&first, 4096);
	buf_init(&sfirst, 4096);
	buf_init(&out, 4096);
	scram_verifier_make(&v, "p", salt, SCRAM_ITERATIONS);
	buf_str(&first, "p=tls-server-end-point,,n=,r=abcdefghij");
	assert_int_equal(scram_server_first(&s, &v, str(SCRAM_SHA_256_PLUS),
	    str(hash), used(&first), nonce_b, &sfirst), ERR_OK);
	assert_true(slice_is(used(&sfirst),
	    "r=abcdefghijc2VydmVyIG5vbmNlIDQ1NjcA,s=MDEyMzQ1Njc4OWFiY"
	    "2RlAA==,i=4096"));
	/* From an independent implementation (Python's hmac and hashlib). */
	assert_int_equal(scram_server_final(&s, str(plus_final), &out), ERR_OK);
	assert_true(slice_is(used(&out),
	    "v=VUQfzNzNZTFqhcQDIwKGyupqs73R1CCUdLXYaq5joCc="));
	scram_server_fini(&s);
	/* The same right proof by one who saw another certificate. */
	assert_int_equal(scram_server_first(&s, &v, str(SCRAM_SHA_256_PLUS),
	    str("another certificate's hash......"), used(&first), nonce_b,
	    &sfirst), ERR_OK);
	assert_int_equal(scram_server_final(&s, str(plus_final), &out), ERR_AUTH);
	scram_server_fini(&s);
	/* "y" is a downgrade at once where -PLUS was offered. */
	assert_int_equal(scram_server_first(&s, &v, str(SCRAM_SHA_256), str(hash),
	    str("y,,n=,r=abcdefghij"), nonce_b, &sfirst), ERR_AUTH);
	scram_server_fini(&s);
	assert_int_equal(scram_server_first(&s, &v, str(SCRAM_SHA_256), str(""),
	    str("y,,n=,r=abcdefghij"), nonce_b, &sfirst), ERR_OK);
	scram_server_fini(&s);
	buf_fini(&first);
	buf_fini(&sfirst);
	buf_fini(&out);
}

static void
malformed_server_side(void **state)
{
	static const char *const bad[] = {
		"", "n", "n,", "n,,", "n,,n=", "n,,n=,", "n,,n=,r=", "n,,n=,r=a,",
		"n,,n=,r=a,x=1", "n,,n=,r=a b", "n,a=root,n=,r=abc", "x,,n=,r=abc",
		"n,,m=ext,n=,r=abc", ",,n=,r=abc", "n,,r=abc,n=", "n,,n=,r=\x80",
	};
	struct scram_verifier v;
	struct buf out;

	buf_init(&out, 4096);
	scram_verifier_make(&v, "p", salt, SCRAM_ITERATIONS);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct scram_server s;

		assert_int_equal(scram_server_first(&s, &v, str(SCRAM_SHA_256),
		    str(""), str(bad[i]), nonce_b, &out), ERR_FORMAT);
		scram_server_fini(&s);
	}
	buf_fini(&out);
}

/* A hostile upstream: cf. CVE-2026-6665. */
static void
malformed_client_side(void **state)
{
	char longer[3000];
	const char *bad[] = {
		"", "r=", "s=a,r=b", "%r=X,s=QUJD,i=4096", "r=%s", "r=%sX,s=,i=4096",
		"r=%sX,s=QUJD,i=0", "r=%sX,s=QUJD,i=-1", "r=%sX,s=QUJD,i=99999999999",
		"r=%sX,s=QUJD,i=4096,", "r=%sX,s=QU D,i=4096", "r=%s,s=QUJD,i=4096",
		"r=%sX,s=QUJD,i=200001", "m=x,r=%sX,s=QUJD,i=4096", longer,
	};

	memset(longer, 'a', sizeof(longer));
	memcpy(longer, "r=%s", 4);
	strcpy(longer + 2980, ",s=QUJD,i=4096");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct scram_client c;
		struct scram_cache cache = {0};
		struct buf out, msg;
		const char *at = strstr(bad[i], "%s");

		buf_init(&out, 4096);
		buf_init(&msg, 8192);
		scram_client_first(&c, nonce_a, &out);
		if (at != NULL)
			buf_printf(&msg, "%.*s%s%s", (int)(at - bad[i]), bad[i],
			    c.nonce, at + 2);
		else
			buf_str(&msg, bad[i]);
		assert_int_not_equal(scram_client_final(&c, "p", &cache, used(&msg),
		    &out), ERR_OK);
		/* And it does not come to believe the server by it. */
		assert_int_not_equal(scram_client_verify(&c, str("v=AAAAAAAAAAAAAAAA"
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")), ERR_OK);
		buf_fini(&out);
		buf_fini(&msg);
	}
}

static void
verifier_text(void **state)
{
	struct scram_verifier v, w;
	struct buf b;

	buf_init(&b, 1024);
	scram_verifier_make(&v, "secret", salt, SCRAM_ITERATIONS);
	scram_verifier_print(&v, &b);
	assert_int_equal(scram_verifier_parse(&w, used(&b)), ERR_OK);
	assert_memory_equal(&v, &w, sizeof(v));
	assert_true(scram_verifier_check(&w, "secret"));
	assert_false(scram_verifier_check(&w, "Secret"));
	for (size_t cut = 0; cut < buf_used(&b); cut++)
		assert_int_equal(scram_verifier_parse(&w,
		    (struct slice){buf_head(&b), cut}), ERR_FORMAT);
	buf_fini(&b);
	assert_int_equal(scram_password_plain("pass word~"), ERR_OK);
	assert_int_equal(scram_password_plain("p\xc3\xa4ss"), ERR_AUTH);
	assert_int_equal(scram_password_plain("p\x7f"), ERR_AUTH);
}

static void
mock_is_stable(void **state)
{
	uint8_t secret[SCRAM_KEY] = {1, 2, 3};
	struct scram_verifier a, b, c;

	scram_verifier_mock(&a, secret, "nobody");
	scram_verifier_mock(&b, secret, "nobody");
	scram_verifier_mock(&c, secret, "somebody");
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(a.salt, c.salt, sizeof(a.salt));
}

static void
md5_and_lists(void **state)
{
	char out[36];
	static const uint8_t four[4] = {1, 2, 3, 4};

	assert_int_equal(scram_md5_answer(out, "user", "secret", four), ERR_OK);
	assert_string_equal(out, "md5fccef98e4f1cf6cbe96b743fad4e8bd0");
	assert_true(scram_offered((struct slice){(const uint8_t *)
	    "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0", 34}, SCRAM_SHA_256));
	assert_false(scram_offered((struct slice){(const uint8_t *)
	    "SCRAM-SHA-256-PLUS\0", 20}, SCRAM_SHA_256));
	assert_false(scram_offered((struct slice){(const uint8_t *)
	    "SCRAM-SHA-256", 13}, SCRAM_SHA_256));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7677_vector),
		cmocka_unit_test(right_and_wrong),
		cmocka_unit_test(channel_binding),
		cmocka_unit_test(channel_binding_right),
		cmocka_unit_test(malformed_server_side),
		cmocka_unit_test(malformed_client_side),
		cmocka_unit_test(verifier_text),
		cmocka_unit_test(mock_is_stable),
		cmocka_unit_test(md5_and_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
