/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles of entries, `state`, and heads of index segments. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "ledger/files.h"
#include "ledger/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	struct slice entry;
	struct segment g = {0, 1, 1};
	struct state s;
	uint32_t words;
	size_t sum = 0;
	struct buf b;

	while (bundle_next(&r, &entry)) {
		must(entry.len + 2 <= size);
		sum += entry.len + 2;
	}
	must(sum <= size && (r.bad || sum == size));
	if (state_parse(&s, (struct slice){data, size}) == ERR_OK) {
		buf_init(&b, STATE_MAX);
		state_put(&b, &s);	/* one spelling */
		must(buf_used(&b) == size && memcmp(buf_head(&b), data, size) == 0);
		buf_fini(&b);
	}
	if (size >= INDEX_HEAD)
		segment_head(data, &g, &words);
	return 0;
}
