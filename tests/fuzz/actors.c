/* SPDX-License-Identifier: Apache-2.0 */
/* STATE/actors: what is read is written again the same. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "actor/actor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct actors *a, *b;
	struct buf one, two;
	unsigned line;

	if (actors_parse(&a, (struct slice){data, size}, &line) != ERR_OK)
		return 0;
	buf_init(&one, 1u << 24);
	buf_init(&two, 1u << 24);
	actors_print(a, &one);
	must(actors_parse(&b, (struct slice){buf_head(&one), buf_used(&one)},
	    &line) == ERR_OK);
	actors_print(b, &two);
	must(buf_used(&one) == buf_used(&two) &&
	    memcmp(buf_head(&one), buf_head(&two), buf_used(&one)) == 0);
	actors_free(a);
	actors_free(b);
	buf_fini(&one);
	buf_fini(&two);
	return 0;
}
