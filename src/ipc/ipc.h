/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing of the messages between the roles (docs/spec/ipc.md).
 *
 *   u32 length of what follows, u16 type, u16 zero, u32 sid, body
 *
 * sid is the worker's own number of a client connection, 0 for the worker.
 * Bodies are written with buf_* and read with rd_*; see ipc.tbl.h. Pure.
 */
#ifndef KB_IPC_IPC_H
#define KB_IPC_IPC_H

#include "base/buf.h"
#include "base/err.h"

#define IPC_VERSION 1
#define IPC_MAX_BYTES (1u << 20)	/* one message: a release chunk is far below */
#define IPC_HEAD_BYTES 12

enum ipc_type {
#define IPC(name, number, direction, when, body) IPC_##name = number,
#include "ipc/ipc.tbl.h"
#undef IPC
};

enum ipc_when { IPC_LINK, IPC_NEW, IPC_AUTH, IPC_LIVE, IPC_ANY };

struct ipc_msg {
	enum ipc_type type;
	uint32_t sid;
	struct rd body;		/* borrows the input */
};

/* NULL for an unknown number. */
const char *ipc_name(unsigned type);
/* May a message of this type go in this direction ('G', 'L') in this phase? */
bool ipc_allowed(unsigned type, char direction, enum ipc_when when);

/* Starts a message in b; returns a mark for ipc_end. */
size_t ipc_begin(struct buf *b, enum ipc_type type, uint32_t sid);
void ipc_end(struct buf *b, size_t mark);

/*
 * Takes one message off the front of p[0..len). OK: *used bytes were it;
 * ERR_SHORT: more bytes are needed; ERR_FORMAT or ERR_TOOBIG: malformed.
 */
enum err ipc_next(struct ipc_msg *out, const uint8_t *p, size_t len, size_t *used);

#endif
