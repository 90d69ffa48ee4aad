/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes, checkpoints, key lines and tile names, from anybody. */
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "merkle/note.h"
#include "merkle/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice
all(const struct buf *b)
{
	return (struct slice){buf_head(b), buf_used(b)};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char vkey[] = "example.com/log+3f83aaea+"
	    "Ac7MFQfcHd1ylZUcKQiI8JWtuQRNG3PWlubfBl1oO9T8";
	struct slice in = {data, size}, text;
	struct note_key key;
	struct checkpoint c, d;
	struct tile t;
	struct buf b;
	char path[TILE_PATH_MAX + 8] = {0}, again[TILE_PATH_MAX];

	buf_init(&b, 2 * NOTE_MAX_BYTES);
	if (note_key_parse(&key, in) == ERR_OK) {	/* one spelling */
		note_key_put(&b, &key);
		must(slice_eq(all(&b), in));
		buf_clear(&b);
	}
	if (note_key_parse(&key, slice_cstr(vkey)) == ERR_OK &&
	    note_verify(in, &key, 1, &text, NULL) == ERR_OK)
		must(text.p == data && text.len < size);
	if (checkpoint_parse(&c, in) == ERR_OK) {	/* one spelling */
		checkpoint_put(&b, &c);
		must(slice_eq(all(&b), in));
		must(checkpoint_parse(&d, all(&b)) == ERR_OK && d.size == c.size);
	}
	if (size < sizeof path - 1 && memchr(data, 0, size) == NULL) {
		memcpy(path, data, size);
		if (tile_parse(&t, path)) {
			tile_path(again, &t);
			must(strcmp(path, again) == 0);
		}
	}
	buf_fini(&b);
	return 0;
}
