/* SPDX-License-Identifier: Apache-2.0 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ledger/sealed.h"

#include <inttypes.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/files.h"

#define SYNC(name, label, loss) static const char SITE_##name[] = label;
#include "ledger/sealed_sync.tbl.h"
#undef SYNC

enum {
	SLOT = 128,
	SLOT_SUM = 76,		/* where a slot's own sum is */
	SEGMENT_RECORDS = 65536,
	WAITING_MAX = 1024,		/* records; also what a crash can lose */
	POOL = 64 * 64,		/* random bytes fetched at once: 64 records' */
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	KEY = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	SALT = 32
};
#define WAITING_BYTES (16u << 20)

struct waiting {
	uint8_t key[KEY], salt[SALT];
	uint32_t len;			/* of the text */
	uint8_t *sealed;		/* owns; len + TAG */
};

struct sealed {
	const struct vfs *vfs;
	char dir[PATH_BYTES];
	struct vfs_file *keys;
	uint64_t first;			/* number of waiting[0] */
	size_t n, bytes;
	struct waiting *waiting;	/* owns WAITING_MAX, guarded; NULL: a reader */
	uint8_t *pool;			/* owns POOL, guarded: random, not yet used */
	size_t pool_left;
};

static void
segment_path(const struct sealed *s, uint64_t record, char out[PATH_BYTES + 24])
{
	snprintf(out, PATH_BYTES + 24, "%s/%06" PRIu64, s->dir,
	    (record - 1) / SEGMENT_RECORDS);
}

static void
nonce_of(uint64_t record,
    uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES], uint8_t ad[8])
{
	for (int i = 0; i < 8; i++)
		ad[i] = (uint8_t)(record >> (56 - 8 * i));
	memset(nonce, 0, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
	memcpy(nonce, ad, 8);
}

/* --- opening ------------------------------------------------------------- */

static enum err
new_sealed(struct sealed **out, const char *dir, const struct vfs *vfs)
{
	struct sealed *s;

	if (sodium_init() < 0 || strlen(dir) + 64 > PATH_BYTES)
		return ERR_CONFIG;
	if ((s = calloc(1, sizeof *s)) == NULL)
		return ERR_NOMEM;
	s->vfs = vfs != NULL ? vfs : vfs_os();
	strcpy(s->dir, dir);
	*out = s;
	return ERR_OK;
}

/*
 * Leaves out as many numbers as may have been given to records that were never
 * written, and makes that durable before giving any.
 */
static enum err
reserve(struct sealed *s)
{
	uint64_t bytes, slots;
	enum err err;

	if ((err = s->vfs->size(s->keys, &bytes)) != ERR_OK)
		return err;
	slots = (bytes + SLOT - 1) / SLOT + WAITING_MAX;
	s->first = slots + 1;
	if ((err = s->vfs->truncate(s->keys, slots * SLOT)) != ERR_OK ||
	    (err = s->vfs->sync(s->keys, SITE_SEALED_KEYS)) != ERR_OK)
		return err;
	return s->vfs->sync_dir(s->vfs, s->dir, SITE_SEALED_DIR);
}

enum err
sealed_open(struct sealed **out, const char *dir, const struct vfs *vfs)
{
	char path[PATH_BYTES];
	struct sealed *s;
	enum err err;

	if ((err = new_sealed(&s, dir, vfs)) != ERR_OK)
		return err;
	s->waiting = sodium_allocarray(WAITING_MAX, sizeof *s->waiting);
	s->pool = sodium_malloc(POOL);
	if (s->waiting == NULL || s->pool == NULL)
		err = ERR_NOMEM;
	if (err == ERR_OK &&
	    (err = vfs_mkdir_sync(s->vfs, dir, SITE_SEALED_DIR)) == ERR_OK &&
	    (err = path_join(path, dir, "keys")) == ERR_OK &&
	    (err = s->vfs->open(s->vfs, &s->keys, path, VFS_WRITE | VFS_CREATE |
	    VFS_PRIVATE, NULL)) == ERR_OK &&
	    (err = s->vfs->lock(s->keys)) == ERR_OK)
		err = reserve(s);
	if (err != ERR_OK) {
		sealed_close(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

enum err
sealed_open_reader(struct sealed **out, const char *dir, const struct vfs *vfs)
{
	char path[PATH_BYTES];
	struct sealed *s;
	enum err err;

	if ((err = new_sealed(&s, dir, vfs)) != ERR_OK)
		return err;
	if ((err = path_join(path, dir, "keys")) != ERR_OK ||
	    (err = s->vfs->open(s->vfs, &s->keys, path, 0, NULL)) != ERR_OK) {
		sealed_close(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

static void
drop_waiting(struct sealed *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->waiting[i].sealed);
	if (s->waiting != NULL)
		sodium_memzero(s->waiting, s->n * sizeof *s->waiting);
	s->first += s->n;
	s->n = s->bytes = 0;
}

void
sealed_close(struct sealed *s)
{
	if (s == NULL)
		return;
	if (s->waiting != NULL && s->keys != NULL)
		sealed_flush(s);
	drop_waiting(s);
	if (s->keys != NULL)
		s->vfs->close(s->keys);
	if (s->waiting != NULL)
		sodium_free(s->waiting);
	sodium_free(s->pool);
	free(s);
}

/* --- putting ------------------------------------------------------------- */

/* From the kernel in larger pieces; what was given is gone from the pool. */
static void
random_take(struct sealed *s, uint8_t *out, size_t n)
{
	if (s->pool_left < n) {
		randombytes_buf(s->pool, POOL);
		s->pool_left = POOL;
	}
	s->pool_left -= n;
	memcpy(out, s->pool + s->pool_left, n);
	sodium_memzero(s->pool + s->pool_left, n);
}

static void
commit_to(uint8_t out[SEALED_COMMITMENT_BYTES], const uint8_t salt[SALT],
    const void *text, size_t len)
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, salt, SALT);
	SHA256_Update(&c, text, len);
	SHA256_Final(out, &c);
}

enum err
sealed_put(struct sealed *s, struct slice text, uint64_t *record,
    uint8_t commitment[SEALED_COMMITMENT_BYTES])
{
	uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES], ad[8];
	struct waiting *w;

	must(s->waiting != NULL);
	if (text.len > SEALED_TEXT_MAX)
		text.len = SEALED_TEXT_MAX;
	if (s->n == WAITING_MAX || s->bytes + text.len > WAITING_BYTES)
		return ERR_NOSPACE;
	w = &s->waiting[s->n];
	if ((w->sealed = malloc(text.len + TAG)) == NULL)
		return ERR_NOMEM;
	random_take(s, w->key, sizeof w->key);
	random_take(s, w->salt, sizeof w->salt);
	w->len = (uint32_t)text.len;
	*record = s->first + s->n;
	nonce_of(*record, nonce, ad);
	crypto_aead_xchacha20poly1305_ietf_encrypt(w->sealed, NULL, text.p, text.len,
	    ad, sizeof ad, NULL, nonce, w->key);
	commit_to(commitment, w->salt, text.p, text.len);
	s->n++;
	s->bytes += text.len;
	return ERR_OK;
}

/* Writes the waiting records [from, to), all of one segment, and syncs. */
static enum err
flush_texts(struct sealed *s, size_t from, size_t to, uint64_t *offsets)
{
	char path[PATH_BYTES + 24];
	struct vfs_file *f;
	size_t total = 0, n = 0;
	uint8_t *all;
	uint64_t at;
	enum err err;

	for (size_t i = from; i < to; i++)
		total += s->waiting[i].len + TAG;
	if ((all = malloc(total)) == NULL)
		return ERR_NOMEM;
	segment_path(s, s->first + from, path);
	err = s->vfs->open(s->vfs, &f, path, VFS_WRITE | VFS_CREATE | VFS_PRIVATE,
	    NULL);
	if (err != ERR_OK) {
		free(all);
		return err;
	}
	err = s->vfs->size(f, &at);
	for (size_t i = from; err == ERR_OK && i < to; i++) {
		size_t len = s->waiting[i].len + TAG;

		offsets[i] = at + n;
		memcpy(all + n, s->waiting[i].sealed, len);
		n += len;
	}
	if (err == ERR_OK)
		err = s->vfs->write(f, all, n, at);
	free(all);
	if (err == ERR_OK)
		err = s->vfs->sync(f, SITE_SEALED_TEXT);
	s->vfs->close(f);
	return err == ERR_OK ? s->vfs->sync_dir(s->vfs, s->dir, SITE_SEALED_DIR) : err;
}

static void
slot_sum(struct merkle_hash *out, uint64_t record, const uint8_t *slot)
{
	uint8_t be[8];
	SHA256_CTX c;

	for (int i = 0; i < 8; i++)
		be[i] = (uint8_t)(record >> (56 - 8 * i));
	SHA256_Init(&c);
	SHA256_Update(&c, slot, SLOT_SUM);
	SHA256_Update(&c, be, sizeof be);
	SHA256_Final(out->b, &c);
}

static enum err
flush_slots(struct sealed *s, const uint64_t *offsets)
{
	uint8_t *raw = sodium_allocarray(s->n, SLOT);
	struct merkle_hash sum;
	enum err err;

	if (raw == NULL)
		return ERR_NOMEM;
	sodium_memzero(raw, s->n * SLOT);
	for (size_t i = 0; i < s->n; i++) {
		const struct waiting *w = &s->waiting[i];
		struct buf b = {.data = raw + i * SLOT, .cap = SLOT, .max = SLOT};

		buf_put(&b, w->key, KEY);
		buf_put(&b, w->salt, SALT);
		buf_u64(&b, offsets[i]);
		buf_u32(&b, w->len);
		slot_sum(&sum, s->first + i, raw + i * SLOT);
		buf_put(&b, sum.b, MERKLE_BYTES);
	}
	err = s->vfs->write(s->keys, raw, s->n * SLOT, (s->first - 1) * SLOT);
	if (err == ERR_OK)
		err = s->vfs->sync(s->keys, SITE_SEALED_KEYS);
	sodium_free(raw);
	return err;
}

/*
 * Texts first: a slot that is there then points to a text. After an error the
 * records are lost; their numbers are not given again.
 */
enum err
sealed_flush(struct sealed *s)
{
	uint64_t offsets[WAITING_MAX];
	enum err err = ERR_OK;

	if (s->n == 0)
		return ERR_OK;
	for (size_t i = 0, to; err == ERR_OK && i < s->n; i = to) {
		uint64_t left = SEGMENT_RECORDS - (s->first + i - 1) % SEGMENT_RECORDS;

		to = s->n - i > left ? i + left : s->n;
		err = flush_texts(s, i, to, offsets);
	}
	if (err == ERR_OK)
		err = flush_slots(s, offsets);
	drop_waiting(s);
	return err;
}

/* --- getting ------------------------------------------------------------- */

static enum err
read_slot(struct sealed *s, uint64_t record, uint8_t raw[SLOT])
{
	struct merkle_hash sum;
	size_t got;
	enum err err;

	if (record == 0 || record > UINT64_MAX / SLOT)
		return ERR_NOTFOUND;
	err = s->vfs->read(s->keys, raw, SLOT, (record - 1) * SLOT, &got);
	if (err != ERR_OK)
		return err;
	if (got != SLOT)
		return ERR_NOTFOUND;
	slot_sum(&sum, record, raw);	/* zeros do not have it, nor a torn slot */
	return memcmp(sum.b, raw + SLOT_SUM, MERKLE_BYTES) == 0 ? ERR_OK :
	    ERR_NOTFOUND;
}

/* Reads the ciphertext of a record from its segment. */
static enum err
read_text(struct sealed *s, uint64_t record, uint64_t at, uint8_t *out, size_t len)
{
	char path[PATH_BYTES + 24];
	struct vfs_file *f;
	size_t got;
	enum err err;

	segment_path(s, record, path);
	if ((err = s->vfs->open(s->vfs, &f, path, 0, NULL)) != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_BROKEN : err;
	err = s->vfs->read(f, out, len, at, &got);
	s->vfs->close(f);
	return err == ERR_OK && got != len ? ERR_BROKEN : err;
}

static enum err
unseal(uint64_t record, const uint8_t *key, const uint8_t *salt,
    const uint8_t *sealed, size_t len, const uint8_t *commitment, struct buf *out)
{
	uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES], ad[8];
	uint8_t sum[SEALED_COMMITMENT_BYTES], *p = buf_room(out, len + 1);

	if (p == NULL)
		return ERR_NOMEM;
	nonce_of(record, nonce, ad);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(p, NULL, NULL, sealed,
	    len + TAG, ad, sizeof ad, nonce, key) != 0)
		return ERR_BROKEN;
	commit_to(sum, salt, p, len);
	if (commitment != NULL && memcmp(sum, commitment, sizeof sum) != 0)
		return ERR_BROKEN;
	buf_added(out, len);
	return ERR_OK;
}

enum err
sealed_get(struct sealed *s, uint64_t record, const uint8_t *commitment,
    struct buf *out)
{
	uint8_t raw[SLOT], *text;
	struct rd r = rd_init(raw + KEY + SALT, 12);
	uint64_t at;
	uint32_t len;
	enum err err;

	if (record >= s->first && record - s->first < s->n) {
		const struct waiting *w = &s->waiting[record - s->first];

		return unseal(record, w->key, w->salt, w->sealed, w->len, commitment,
		    out);
	}
	if ((err = read_slot(s, record, raw)) != ERR_OK)
		return err;
	at = rd_u64(&r);
	len = rd_u32(&r);
	if (len > SEALED_TEXT_MAX)
		return ERR_BROKEN;
	if ((text = malloc(len + TAG)) == NULL)
		return ERR_NOMEM;
	err = read_text(s, record, at, text, len + TAG);
	if (err == ERR_OK)
		err = unseal(record, raw, raw + KEY, text, len, commitment, out);
	free(text);
	sodium_memzero(raw, sizeof raw);
	return err;
}

enum err
sealed_erase(struct sealed *s, uint64_t record)
{
	static const uint8_t zero[SLOT];
	uint8_t raw[SLOT];
	enum err err;

	must(s->waiting != NULL);
	if ((err = sealed_flush(s)) != ERR_OK ||
	    (err = read_slot(s, record, raw)) != ERR_OK)
		return err;
	sodium_memzero(raw, sizeof raw);
	err = s->vfs->write(s->keys, zero, SLOT, (record - 1) * SLOT);
	return err == ERR_OK ? s->vfs->sync(s->keys, SITE_SEALED_KEYS) : err;
}
