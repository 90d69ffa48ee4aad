/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write-ahead ring: STATE/ledger/wal, docs/spec/ledger.md section 7.
 *
 *	block 0   "KBRING\0\1" u64 bytes of the ring with this block, id[16],
 *		  sha256 of the 32 bytes before; zeros
 *	frame     at a multiple of 4096 bytes:
 *		  "KBFRAME\1" u32 epoch, u32 count, u64 seq, u64 first, u32 len,
 *		  u32 blocks, id[16], prev[32], sum[32], zero[8], payload[len], zeros
 *
 * payload: count times (u16 length, entry), as in a bundle. sum: SHA-256 of the
 * whole frame, padding too, with sum itself as zeros; prev: sum of the frame
 * before. A frame lies behind the one before it, or at block 1 when it does not
 * fit before the end. The magic holds bytes that no entry (JSON) can contain.
 *
 * Invariants:
 *  1. A block of a live frame is never written again.
 *  2. Frame seq+1 is written only after frame seq is durable, so a valid frame
 *     behind an invalid one means damage, not a power cut.
 *  3. seq grows by one for ever, so a frame of an earlier round is never taken
 *     for a new one.
 *  4. A start writes its epoch to `state` before its first frame. So a frame of an
 *     earlier epoch with a seq that `state` still waits for was never promised: it
 *     was not there at that start (a mirror may show it later), and never is.
 */
#ifndef KB_LEDGER_WAL_H
#define KB_LEDGER_WAL_H

#include "base/bytes.h"
#include "base/err.h"
#include "merkle/tree.h"
#include "os/vfs.h"

enum {
	WAL_BLOCK = 4096,
	WAL_HEAD = 128,			/* bytes of a frame before its payload */
	WAL_ID = 16,
	WAL_FRAME_MIN = 17 * WAL_BLOCK,	/* holds the longest entry */
	WAL_FRAME_MAX = 1 << 20,
	WAL_MIN = 512 << 10,
	WAL_DEFAULT = 64 << 20
};
#define WAL_MAX (1u << 30)

/* Where the next frame is expected, and what it must say. */
struct wal_pos {
	uint64_t offset, seq;
	struct merkle_hash prev;
};

struct frame {
	struct frame *next;
	uint64_t seq, first, offset;
	uint32_t epoch, count, len;
	size_t bytes;			/* whole blocks */
	struct merkle_hash prev, sum;
	uint8_t *block;			/* owns; aligned */
};

static inline struct slice
frame_payload(const struct frame *f)
{
	return (struct slice){f->block + WAL_HEAD, f->len};
}
static inline struct wal_pos
frame_after(const struct frame *f)
{
	return (struct wal_pos){f->offset + f->bytes, f->seq + 1, f->sum};
}
void frame_free(struct frame *f);	/* NULL is fine */

/*
 * Reads a frame's head from one block: fills all but offset, next, block. false:
 * there is no frame. Says nothing about the rest of it.
 */
bool frame_head(struct frame *out, const uint8_t block[WAL_BLOCK],
    const uint8_t id[WAL_ID]);
/* Checks sum and payload of a whole frame whose head was read. */
bool frame_whole(const struct frame *f, const uint8_t *bytes);

struct wal {
	struct vfs_file *file;
	uint64_t end;			/* bytes of the ring with block 0 */
	size_t frame_max;
	uint8_t id[WAL_ID];
	struct wal_pos head;		/* the next frame */
	uint32_t epoch;			/* what it has at least */
	uint64_t tail;			/* offset of the oldest live frame */
	uint64_t live;			/* live frames */
	uint8_t *win;			/* owns; read-ahead of a walk */
	uint64_t win_at;
	size_t win_len;
};

/* Makes the ring file, really filled with zeros. */
enum err wal_create(const struct vfs *v, const char *path, uint64_t bytes);
enum err wal_open(struct wal *w, const struct vfs *v, const char *path,
    bool writable);
void wal_close(struct wal *w);
/*
 * Goes through the frames from pos on, none older than epoch, and hands each to
 * take (takes f). At the end w->head is where the next frame goes, and all frames
 * are live.
 */
enum err wal_walk(struct wal *w, const struct wal_pos *pos, uint32_t epoch,
    enum err (*take)(void *arg, struct frame *f), void *arg);
/* After a walk, without a writer: ERR_BROKEN when invariant 2 does not hold. */
enum err wal_nothing_later(struct wal *w);
/* Is there room for a frame of that many bytes? *at: where it goes. */
bool wal_room(const struct wal *w, size_t bytes, uint64_t *at);
/* Bytes of live frames at most. */
uint64_t wal_used(const struct wal *w);
/*
 * Seals the frame (its head and sum) and makes it durable at offset at; then
 * wal_wrote() counts it. Two calls, so that a lock over the second is enough.
 */
enum err wal_write(struct wal *w, struct frame *f, uint64_t at);
void wal_wrote(struct wal *w, const struct frame *f);
/* The oldest live frame is no longer needed. next: the one after it, or NULL. */
void wal_recycle(struct wal *w, const struct frame *next);

#endif
