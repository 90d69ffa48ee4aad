/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The originals of statements, with their literals, apart from the ledger and
 * erasable (L8): STATE/sealed/. docs/spec/ledger.md, section 9.
 *
 * A record is encrypted (XChaCha20-Poly1305) under its own random key, which lies
 * in a slot of a key file. Erasing overwrites the slot with zeros and syncs it;
 * the record and the ledger stay as they are. The ledger's entry holds the
 * record's number and a salted commitment to the text; the salt lies with the key
 * and goes with it, so nothing that could be guessed stays behind.
 *
 * Putting is buffered and costs no disk access: a power cut may lose the newest
 * records, never an entry. sealed_flush() writes them; call it when idle or after
 * a commit. One writer (the ledger process), any readers.
 */
#ifndef KB_LEDGER_SEALED_H
#define KB_LEDGER_SEALED_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

struct vfs;
struct sealed;

#define SEALED_TEXT_MAX (1u << 20)	/* a longer text is cut */
#define SEALED_COMMITMENT_BYTES 32

/*
 * dir: STATE/sealed; created when missing. vfs NULL: the real one. The writer;
 * ERR_BUSY when there is one. Numbers of records that a crash lost are not given
 * again.
 */
enum err sealed_open(struct sealed **out, const char *dir, const struct vfs *vfs);
/* For verbs beside a running writer: sealed_get() alone. ERR_NOTFOUND. */
enum err sealed_open_reader(struct sealed **out, const char *dir,
    const struct vfs *vfs);
void sealed_close(struct sealed *s);	/* flushes; NULL is fine */

/*
 * Seals one text; record numbers begin at 1. entry fields: `sealed` = *record,
 * `commitment`. Never touches the disk. ERR_NOSPACE: too much is waiting (flush);
 * the entry is then written without it.
 */
enum err sealed_put(struct sealed *s, struct slice text, uint64_t *record,
    uint8_t commitment[SEALED_COMMITMENT_BYTES]);
/* Writes and syncs what was put. An error loses texts, not entries; say so. */
enum err sealed_flush(struct sealed *s);

/*
 * Reads one record (also unflushed ones of this process) and checks it against
 * the commitment when that is not NULL. Appends the text to out. ERR_NOTFOUND:
 * there is none or it was erased; ERR_BROKEN: it does not match.
 */
enum err sealed_get(struct sealed *s, uint64_t record,
    const uint8_t *commitment, struct buf *out);
/*
 * Makes a record unreadable for good; durable on return. ERR_NOTFOUND. On disks
 * that keep old blocks (flash, copy-on-write) the medium itself may remember the
 * slot until it is overwritten or discarded.
 */
enum err sealed_erase(struct sealed *s, uint64_t record);

#endif
