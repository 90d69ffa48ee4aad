/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed notes, verifier keys and checkpoints as in C2SP signed-note,
 * tlog-checkpoint and tlog-cosignature. Pure but for libsodium.
 * docs/spec/ledger.md, section 6. Call sodium_init() before.
 */
#ifndef KB_MERKLE_NOTE_H
#define KB_MERKLE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "merkle/tree.h"

#define NOTE_MAX_BYTES 65536u	/* a checkpoint with many cosignatures */
#define NOTE_LINES_MAX 64	/* signature lines */
#define NOTE_NAME_MAX 255
#define NOTE_ED25519 0x01
#define NOTE_COSIGNATURE 0x04	/* cosignature/v1: a time before the signature */

struct note_key {		/* what a vkey line says */
	char name[NOTE_NAME_MAX + 1];
	uint8_t type;
	uint32_t id;
	uint8_t pub[32];
};

/* A name that notes allow: not empty, no space, no '+', valid UTF-8. */
bool note_name_ok(struct slice name);
uint32_t note_key_id(const char *name, uint8_t type, const uint8_t pub[32]);
/* ERR_FORMAT also when the id does not belong to the key. */
enum err note_key_parse(struct note_key *out, struct slice vkey);
void note_key_make(struct note_key *out, const char *name, uint8_t type,
    const uint8_t pub[32]);
void note_key_put(struct buf *out, const struct note_key *k);	/* no newline */

/*
 * Checks a note against the keys one knows. text: the signed text with its last
 * newline. good (may be NULL): bit i is set when keys[i] signed. ERR_FORMAT:
 * malformed; ERR_BROKEN: a known key's signature is wrong; ERR_AUTH: none of the
 * keys signed.
 */
enum err note_verify(struct slice note, const struct note_key *keys, size_t nkeys,
    struct slice *text, uint64_t *good);
/* text (ending in a newline), blank line, one Ed25519 signature line. */
void note_sign(struct buf *out, struct slice text, const struct note_key *key,
    const uint8_t secret[64]);

struct checkpoint {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size;
	struct merkle_hash root;
};
void checkpoint_put(struct buf *out, const struct checkpoint *c);
/* The text of a note. Lines after the root (extensions) are ERR_FORMAT here. */
enum err checkpoint_parse(struct checkpoint *out, struct slice text);

#endif
