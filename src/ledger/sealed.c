/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/sealed.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/vfs.h"

enum {
	SLOT_BYTES = 64,		/* key, salt */
	SALT_BYTES = 32,
	SEGMENT_RECORDS = 65536,
	HEAD_BYTES = 12,		/* record number, length: also authenticated */
	NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	WAITING_MAX = 32 << 20
};

struct sealed {
	const struct vfs *vfs;
	char *dir;
	struct vfs_file *keys, *segment;
	uint64_t segment_number;
	uint64_t segment_bytes;
	uint64_t next;			/* record number to give */
	uint64_t first_waiting;		/* of what `slots` and `texts` hold */
	struct buf slots, texts;
};

static void
path_of(const struct sealed *s, char *out, size_t cap, uint64_t segment)
{
	snprintf(out, cap, "%s/%06llu", s->dir, (unsigned long long)segment);
}

static uint64_t
segment_of(uint64_t record)
{
	return (record - 1) / SEGMENT_RECORDS;
}

/* SHA-256(salt || text): nothing to guess without the salt. */
static void
commit_to(uint8_t out[SEALED_COMMITMENT_BYTES], const uint8_t *salt,
    struct slice text)
{
	crypto_hash_sha256_state h;

	crypto_hash_sha256_init(&h);
	crypto_hash_sha256_update(&h, salt, SALT_BYTES);
	crypto_hash_sha256_update(&h, text.p, text.len);
	crypto_hash_sha256_final(&h, out);
}

static enum err
open_segment(struct sealed *s, uint64_t number)
{
	char path[4200];
	enum err e;

	if (s->segment != NULL && s->segment_number == number)
		return ERR_OK;
	if (s->segment != NULL)
		s->vfs->close(s->segment);
	s->segment = NULL;
	path_of(s, path, sizeof(path), number);
	e = s->vfs->open(s->vfs, &s->segment, path,
	    VFS_WRITE | VFS_CREATE | VFS_PRIVATE, NULL);
	if (e == ERR_OK)
		e = s->vfs->size(s->segment, &s->segment_bytes);
	s->segment_number = number;
	return e;
}

enum err
sealed_open(struct sealed **out, const char *dir, const struct vfs *vfs)
{
	struct sealed *s = calloc(1, sizeof(*s));
	char path[4200];
	uint64_t bytes = 0;
	enum err e;

	if (s == NULL)
		return ERR_NOMEM;
	s->vfs = vfs ? vfs : vfs_os();
	buf_init(&s->slots, WAITING_MAX);
	buf_init(&s->texts, WAITING_MAX);
	if (sodium_init() < 0 || (s->dir = strdup(dir)) == NULL) {
		e = ERR_NOMEM;
		goto out;
	}
	if ((e = vfs_mkdir_sync(s->vfs, dir, "sealed.dir")) != ERR_OK)
		goto out;
	snprintf(path, sizeof(path), "%s/keys", dir);
	e = s->vfs->open(s->vfs, &s->keys, path,
	    VFS_WRITE | VFS_CREATE | VFS_PRIVATE, NULL);
	if (e != ERR_OK || (e = s->vfs->size(s->keys, &bytes)) != ERR_OK)
		goto out;
	/* A slot cut short by a power cut is nobody's: go past it. */
	s->next = (bytes + SLOT_BYTES - 1) / SLOT_BYTES + 1;
	s->first_waiting = s->next;
	e = open_segment(s, segment_of(s->next));
out:
	if (e != ERR_OK) {
		sealed_close(s);
		s = NULL;
	}
	*out = s;
	return e;
}

void
sealed_close(struct sealed *s)
{
	if (s == NULL)
		return;
	if (s->segment != NULL && s->keys != NULL)
		sealed_flush(s);
	if (s->segment != NULL)
		s->vfs->close(s->segment);
	if (s->keys != NULL)
		s->vfs->close(s->keys);
	if (s->slots.data != NULL)
		sodium_memzero(s->slots.data, s->slots.cap);
	buf_fini(&s->slots);
	buf_fini(&s->texts);
	free(s->dir);
	free(s);
}

enum err
sealed_put(struct sealed *s, struct slice text, uint64_t *record,
    uint8_t commitment[SEALED_COMMITMENT_BYTES])
{
	uint8_t slot[SLOT_BYTES], nonce[NONCE_BYTES], *to;
	size_t n = text.len < SEALED_TEXT_MAX ? text.len : SEALED_TEXT_MAX, mark;

	text.len = n;
	if (buf_used(&s->texts) + n + HEAD_BYTES + NONCE_BYTES + TAG_BYTES >
	    WAITING_MAX || segment_of(s->next) != s->segment_number)
		return ERR_NOSPACE;
	randombytes_buf(slot, sizeof(slot));
	randombytes_buf(nonce, sizeof(nonce));
	mark = buf_used(&s->texts);
	buf_u64(&s->texts, s->next);
	buf_u32(&s->texts, (uint32_t)n);
	buf_put(&s->texts, nonce, sizeof(nonce));
	if ((to = buf_room(&s->texts, n + TAG_BYTES)) == NULL)
		return ERR_NOMEM;
	crypto_aead_xchacha20poly1305_ietf_encrypt(to, NULL, text.p, n,
	    buf_head(&s->texts) + mark, HEAD_BYTES, NULL, nonce, slot);
	buf_added(&s->texts, n + TAG_BYTES);
	buf_put(&s->slots, slot, sizeof(slot));
	commit_to(commitment, slot + crypto_aead_xchacha20poly1305_ietf_KEYBYTES, text);
	sodium_memzero(slot, sizeof(slot));
	*record = s->next++;
	return ERR_OK;
}

/* Texts first: a key without its text is harmless, a text needs its key. */
enum err
sealed_flush(struct sealed *s)
{
	enum err e = ERR_OK;

	if (buf_used(&s->slots) > 0) {
		e = s->vfs->write(s->keys, buf_head(&s->slots), buf_used(&s->slots),
		    (s->first_waiting - 1) * SLOT_BYTES);
		if (e == ERR_OK)
			e = s->vfs->write(s->segment, buf_head(&s->texts),
			    buf_used(&s->texts), s->segment_bytes);
		if (e == ERR_OK)
			e = s->vfs->sync(s->segment, "sealed.text");
		if (e == ERR_OK)
			e = s->vfs->sync(s->keys, "sealed.key");
		if (e == ERR_OK)
			s->segment_bytes += buf_used(&s->texts);
		/* After an error they are lost, as the contract says. */
		sodium_memzero(buf_head(&s->slots), buf_used(&s->slots));
		buf_clear(&s->slots);
		buf_clear(&s->texts);
		s->first_waiting = s->next;
	}
	if (e == ERR_OK)
		e = open_segment(s, segment_of(s->next));
	return e;
}

static enum err
read_slot(struct sealed *s, uint64_t record, uint8_t slot[SLOT_BYTES])
{
	size_t got;
	enum err e;

	if (record == 0 || record >= s->next)
		return ERR_NOTFOUND;
	if (record >= s->first_waiting) {
		memcpy(slot, buf_head(&s->slots) +
		    (record - s->first_waiting) * SLOT_BYTES, SLOT_BYTES);
		return ERR_OK;
	}
	e = s->vfs->read(s->keys, slot, SLOT_BYTES, (record - 1) * SLOT_BYTES, &got);
	if (e == ERR_OK && (got != SLOT_BYTES || sodium_is_zero(slot, SLOT_BYTES)))
		e = ERR_NOTFOUND;
	return e;
}

static enum err
open_record(const uint8_t *p, size_t n, const uint8_t slot[SLOT_BYTES],
    const uint8_t *commitment, struct buf *out)
{
	uint8_t sum[SEALED_COMMITMENT_BYTES], *to = buf_room(out, n + 1);

	if (to == NULL)
		return ERR_TOOBIG;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(to, NULL, NULL,
	    p + HEAD_BYTES + NONCE_BYTES, n + TAG_BYTES, p, HEAD_BYTES,
	    p + HEAD_BYTES, slot) != 0)
		return ERR_BROKEN;
	commit_to(sum, slot + crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	    (struct slice){to, n});
	if (commitment != NULL && sodium_memcmp(sum, commitment, sizeof(sum)) != 0)
		return ERR_BROKEN;
	buf_added(out, n);
	return ERR_OK;
}

/* Finds the record in a run of records; ERR_NOTFOUND when it is not there. */
static enum err
find_record(const uint8_t *p, size_t len, uint64_t record,
    const uint8_t slot[SLOT_BYTES], const uint8_t *commitment, struct buf *out)
{
	struct rd r = rd_init(p, len);

	while (r.left > 0) {
		const uint8_t *at = r.p;
		uint64_t number = rd_u64(&r);
		uint32_t n = rd_u32(&r);

		rd_bytes(&r, (size_t)NONCE_BYTES + n + TAG_BYTES);
		if (r.bad)
			break;
		if (number == record)
			return open_record(at, n, slot, commitment, out);
	}
	return ERR_NOTFOUND;
}

enum err
sealed_get(struct sealed *s, uint64_t record, const uint8_t *commitment,
    struct buf *out)
{
	uint8_t slot[SLOT_BYTES], *all = NULL;
	char path[4200];
	size_t len = 0;
	enum err e = read_slot(s, record, slot);

	if (e == ERR_OK && record >= s->first_waiting) {
		e = find_record(buf_head(&s->texts), buf_used(&s->texts), record,
		    slot, commitment, out);
	} else if (e == ERR_OK) {
		path_of(s, path, sizeof(path), segment_of(record));
		e = vfs_read_all(s->vfs, path, (size_t)1 << 36, &all, &len);
		if (e == ERR_OK)
			e = find_record(all, len, record, slot, commitment, out);
		free(all);
	}
	sodium_memzero(slot, sizeof(slot));
	return e;
}

enum err
sealed_erase(struct sealed *s, uint64_t record)
{
	static const uint8_t zeros[SLOT_BYTES];
	uint8_t slot[SLOT_BYTES];
	enum err e;

	if (record >= s->first_waiting && (e = sealed_flush(s)) != ERR_OK)
		return e;
	if ((e = read_slot(s, record, slot)) != ERR_OK)
		return e;
	sodium_memzero(slot, sizeof(slot));
	e = s->vfs->write(s->keys, zeros, SLOT_BYTES, (record - 1) * SLOT_BYTES);
	return e == ERR_OK ? s->vfs->sync(s->keys, "sealed.erase") : e;
}
