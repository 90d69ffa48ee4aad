/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring: the input is laid over a valid ring with two frames. Whatever it is,
 * reading ends, and gives frames that follow each other and are whole.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/wal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct ram {
	struct vfs_file base;
	const uint8_t *p;
	size_t len;
};

static enum err
ram_read(struct vfs_file *f, void *buf, size_t n, uint64_t off, size_t *got)
{
	struct ram *r = (struct ram *)f;

	*got = off >= r->len ? 0 : n < r->len - off ? n : r->len - off;
	if (*got > 0)
		memcpy(buf, r->p + off, *got);
	return ERR_OK;
}

static void
ram_close(struct vfs_file *f)
{
	(void)f;
}

static enum err
take(void *arg, struct frame *f)
{
	uint64_t *seq = arg;
	struct slice p = frame_payload(f), e;
	struct rd r = rd_init(p.p, p.len);
	uint32_t n = 0;

	must(f->seq == (*seq)++);
	while (r.left > 0) {
		e = rd_lp16(&r);
		must(!r.bad && e.len <= p.len);
		n++;
	}
	must(n == f->count);
	frame_free(f);
	return ERR_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct vfs ram = {.read = ram_read, .close = ram_close};
	struct ram file = {{&ram}, data, size};
	struct wal w = {.file = &file.base, .end = size, .frame_max = WAL_FRAME_MIN};
	struct wal_pos pos = {0, 1, {{0}}};
	struct frame f;
	uint64_t seq = 1;

	if (size < 8 + WAL_BLOCK || size > WAL_MIN)
		return 0;
	/* the first bytes say where to begin; the id is zeros */
	pos.offset = (uint64_t)data[0] * WAL_BLOCK;
	pos.seq = seq = data[1];
	wal_walk(&w, &pos, data[2], take, &seq);
	must(w.head.seq == seq || w.live == 0);
	wal_nothing_later(&w);
	if (frame_head(&f, data, w.id) && f.bytes <= size)
		frame_whole(&f, data);
	w.file = NULL;
	wal_close(&w);
	return 0;
}
