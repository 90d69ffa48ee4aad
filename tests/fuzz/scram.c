/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte chooses the parser, the rest is its input. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pg/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t zero[SCRAM_KEY];

static void
server(struct slice in, bool plus)
{
	struct scram_verifier v;
	struct scram_server s;
	struct buf out;

	scram_verifier_mock(&v, zero, "fuzz");
	buf_init(&out, 8192);
	if (scram_server_first(&s, &v,
	    slice_cstr(plus ? SCRAM_SHA_256_PLUS : SCRAM_SHA_256),
	    (struct slice){zero, plus ? SCRAM_KEY : 0}, in, zero, &out) == ERR_OK)
		(void)scram_server_final(&s, in, &out);
	scram_server_fini(&s);
	buf_fini(&out);
}

static void
final(struct slice in)
{
	struct scram_server s = {.gs2 = "n,,", .nonce = "abcdef"};
	struct buf out;

	buf_init(&s.auth, 8192);
	buf_init(&out, 8192);
	/* Nobody has a proof for this verifier. */
	must(scram_server_final(&s, in, &out) != ERR_OK);
	scram_server_fini(&s);
	buf_fini(&out);
}

static void
client(struct slice in)
{
	struct scram_client c;
	/* Filled, so that no input costs a key derivation. */
	struct scram_cache cache = {.iterations = 4096, .salt_len = 3,
	    .salt = "ABC"};
	struct buf out;

	buf_init(&out, 8192);
	scram_client_first(&c, zero, &out);
	if (memmem(in.p, in.len, "i=4096", 6) != NULL)
		(void)scram_client_final(&c, "p", &cache, in, &out);
	c.state = SCRAM_CLIENT_FINAL;
	(void)scram_client_verify(&c, in);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scram_verifier v;
	struct slice in = {data + 1, size - 1};

	if (size < 1)
		return 0;
	switch (data[0] % 6) {
	case 0:
	case 1:
		server(in, data[0] % 6 == 1);
		break;
	case 2:
		final(in);
		break;
	case 3:
		client(in);
		break;
	case 4:
		(void)scram_verifier_parse(&v, in);
		break;
	case 5:
		(void)scram_offered(in, SCRAM_SHA_256);
		break;
	}
	return 0;
}
