/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's own small files: `state`, and names and heads of index segments. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ledger/files.h"
#include "ledger/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	char name[300], again[INDEX_NAME + 1];
	struct segment s;
	struct state st;
	struct buf b;
	uint32_t words;

	if (state_parse(&st, in) == ERR_OK) {
		/* There is one spelling. */
		buf_init(&b, STATE_MAX);
		state_put(&b, &st);
		must(!b.bad && buf_used(&b) == size &&
		    memcmp(buf_head(&b), data, size) == 0);
		buf_fini(&b);
	}
	if (size >= sizeof name)
		return 0;
	memcpy(name, data, size);
	name[size] = 0;
	if (segment_parse(&s, name)) {
		segment_name(again, &s);
		must(strcmp(name, again) == 0);
	}
	if (size >= INDEX_HEAD) {
		s = (struct segment){.first = data[15], .entries = data[19],
		    .tokens = data[23]};
		(void)segment_head(data, &s, &words);
	}
	return 0;
}
