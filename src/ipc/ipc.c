/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/ipc.h"

static const struct {
	const char *name;
	char direction;
	enum ipc_when when;
} ipc_tbl[64] = {
#define IPC(name, number, direction, when, body) \
	[number] = {#name, direction, IPC_##when},
#include "ipc/ipc.tbl.h"
#undef IPC
};

const char *
ipc_name(unsigned type)
{
	return type < 64 ? ipc_tbl[type].name : NULL;
}

bool
ipc_allowed(unsigned type, char direction, enum ipc_when when)
{
	return ipc_name(type) != NULL && ipc_tbl[type].direction == direction &&
	    (ipc_tbl[type].when == when || ipc_tbl[type].when == IPC_ANY);
}

size_t
ipc_begin(struct buf *b, enum ipc_type type, uint32_t sid)
{
	size_t mark = buf_used(b);

	buf_u32(b, 0);
	buf_u16(b, (uint16_t)type);
	buf_u16(b, 0);
	buf_u32(b, sid);
	return mark;
}

void
ipc_end(struct buf *b, size_t mark)
{
	if (!b->bad)
		buf_set_u32(b, mark, (uint32_t)(buf_used(b) - mark - 4));
}

enum err
ipc_next(struct ipc_msg *out, const uint8_t *p, size_t len, size_t *used)
{
	struct rd r = rd_init(p, len);
	uint32_t n = rd_u32(&r);
	unsigned type;

	if (r.bad)
		return ERR_SHORT;
	if (n > IPC_MAX_BYTES)
		return ERR_TOOBIG;
	if (n < IPC_HEAD_BYTES - 4)
		return ERR_FORMAT;
	if (r.left < n)
		return ERR_SHORT;
	type = rd_u16(&r);
	if (rd_u16(&r) != 0 || ipc_name(type) == NULL)
		return ERR_FORMAT;
	out->type = (enum ipc_type)type;
	out->sid = rd_u32(&r);
	out->body = rd_init(r.p, n - (IPC_HEAD_BYTES - 4));
	*used = (size_t)n + 4;
	return ERR_OK;
}
