/* SPDX-License-Identifier: Apache-2.0 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "merkle/note.h"

#include <inttypes.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char dash[] = "\xe2\x80\x94 ";	/* em dash, space */

/* Valid UTF-8 without control characters; newlines as the caller says. */
static bool
text_ok(struct slice s, bool newlines)
{
	size_t n;

	for (size_t i = 0; i < s.len; i += n) {
		if ((n = utf8_char(s.p + i, s.len - i)) == 0)
			return false;
		if (s.p[i] < 0x20 && !(newlines && s.p[i] == '\n'))
			return false;
	}
	return true;
}

/* Unicode White_Space beyond ASCII, as UTF-8. */
static bool
has_space(struct slice s)
{
	static const char *const wide[] = {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80",
	    "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83",
	    "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
	    "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
	    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

	if (memchr(s.p, ' ', s.len) != NULL)
		return true;
	for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
		if (memmem(s.p, s.len, wide[i], strlen(wide[i])) != NULL)
			return true;
	return false;
}

bool
note_name_ok(struct slice name)
{
	return name.len > 0 && name.len <= NOTE_NAME_MAX && text_ok(name, false) &&
	    memchr(name.p, '+', name.len) == NULL && !has_space(name);
}

uint32_t
note_key_id(const char *name, uint8_t type, const uint8_t pub[32])
{
	uint8_t h[32];
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, name, strlen(name));
	SHA256_Update(&c, "\n", 1);
	SHA256_Update(&c, &type, 1);
	SHA256_Update(&c, pub, 32);
	SHA256_Final(h, &c);
	return (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 |
	    h[3];
}

void
note_key_make(struct note_key *out, const char *name, uint8_t type,
    const uint8_t pub[32])
{
	struct slice s = slice_cstr(name);

	must(note_name_ok(s));
	memcpy(out->name, name, s.len + 1);
	out->type = type;
	memcpy(out->pub, pub, 32);
	out->id = note_key_id(name, type, pub);
}

enum err
note_key_parse(struct note_key *out, struct slice vkey)
{
	struct note_key k;
	const uint8_t *end = vkey.p + vkey.len, *a, *b;
	uint8_t id[4], raw[64];
	size_t len;

	if (vkey.len == 0 || (a = memchr(vkey.p, '+', vkey.len)) == NULL ||
	    (b = memchr(a + 1, '+', (size_t)(end - a) - 1)) == NULL ||
	    b - a != 9 || !hex_decode(id, (const char *)a + 1, 8) ||
	    end - b - 1 > 64 ||
	    !b64_decode(raw, sizeof raw, (const char *)b + 1, (size_t)(end - b) - 1,
	    &len) || len != 33)
		return ERR_FORMAT;
	for (const uint8_t *p = a + 1; p < b; p++)
		if (*p >= 'A' && *p <= 'F')
			return ERR_FORMAT;
	if (!note_name_ok((struct slice){vkey.p, (size_t)(a - vkey.p)}) ||
	    (raw[0] != NOTE_ED25519 && raw[0] != NOTE_COSIGNATURE))
		return ERR_FORMAT;
	memcpy(k.name, vkey.p, (size_t)(a - vkey.p));
	k.name[a - vkey.p] = 0;
	note_key_make(&k, k.name, raw[0], raw + 1);
	if (k.id != ((uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 |
	    (uint32_t)id[2] << 8 | id[3]))
		return ERR_FORMAT;
	*out = k;
	return ERR_OK;
}

void
note_key_put(struct buf *out, const struct note_key *k)
{
	uint8_t raw[33];
	char text[45];

	raw[0] = k->type;
	memcpy(raw + 1, k->pub, 32);
	b64_encode(text, raw, sizeof raw);
	buf_printf(out, "%s+%08" PRIx32 "+%s", k->name, k->id, text);
}

/* Splits at the last empty line. */
static bool
split(struct slice note, struct slice *text, struct slice *sigs)
{
	const uint8_t *at;

	if (note.len < 3 || note.len > NOTE_MAX_BYTES ||
	    note.p[note.len - 1] != '\n' || !text_ok(note, true))
		return false;
	for (at = note.p + note.len - 2; at > note.p; at--)
		if (at[0] == '\n' && at[-1] == '\n')
			break;
	if (at <= note.p)
		return false;
	*text = (struct slice){note.p, (size_t)(at - note.p)};
	*sigs = (struct slice){at + 1, note.len - text->len - 1};
	return sigs->len > 0;
}

struct sig {
	struct slice name;
	uint32_t id;
	uint8_t bytes[8192];
	size_t len;
};

/* Takes one "— name base64" line off the front. */
static bool
sig_next(struct slice *rest, struct sig *s)
{
	const uint8_t *end = memchr(rest->p, '\n', rest->len), *p = rest->p, *sp;
	uint8_t raw[sizeof s->bytes + 4];
	size_t len;

	if (end == NULL || (size_t)(end - p) < sizeof dash - 1 ||
	    memcmp(p, dash, sizeof dash - 1) != 0)
		return false;
	p += sizeof dash - 1;
	if ((sp = memchr(p, ' ', (size_t)(end - p))) == NULL ||
	    !b64_decode(raw, sizeof raw, (const char *)sp + 1,
	    (size_t)(end - sp) - 1, &len) || len < 5)
		return false;
	s->name = (struct slice){p, (size_t)(sp - p)};
	if (!note_name_ok(s->name))
		return false;
	s->id = (uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 |
	    (uint32_t)raw[2] << 8 | raw[3];
	s->len = len - 4;
	memcpy(s->bytes, raw + 4, s->len);
	rest->len -= (size_t)(end - rest->p) + 1;
	rest->p = end + 1;
	return true;
}

static bool
cosignature_ok(const struct sig *s, struct slice text, const struct note_key *k)
{
	struct rd r = rd_init(s->bytes, s->len);
	uint64_t time = rd_u64(&r);
	struct buf m;
	bool ok;

	if (s->len != 72 || time == 0 || time > INT64_MAX)
		return false;
	buf_init(&m, NOTE_MAX_BYTES + 64);
	buf_printf(&m, "cosignature/v1\ntime %" PRIu64 "\n", time);
	buf_put(&m, text.p, text.len);
	ok = !m.bad && crypto_sign_verify_detached(s->bytes + 8, buf_head(&m),
	    buf_used(&m), k->pub) == 0;
	buf_fini(&m);
	return ok;
}

static bool
sig_ok(const struct sig *s, struct slice text, const struct note_key *k)
{
	if (k->type == NOTE_COSIGNATURE)
		return cosignature_ok(s, text, k);
	return s->len == 64 &&
	    crypto_sign_verify_detached(s->bytes, text.p, text.len, k->pub) == 0;
}

enum err
note_verify(struct slice note, const struct note_key *keys, size_t nkeys,
    struct slice *text, uint64_t *good)
{
	struct slice body, sigs;
	uint64_t found = 0;
	struct sig s;

	must(nkeys <= 64);
	if (!split(note, &body, &sigs))
		return ERR_FORMAT;
	for (int lines = 0; sigs.len > 0; lines++) {
		if (lines == NOTE_LINES_MAX || !sig_next(&sigs, &s))
			return ERR_FORMAT;
		for (size_t i = 0; i < nkeys; i++) {
			if (s.id != keys[i].id || !slice_is(s.name, keys[i].name))
				continue;
			if (!sig_ok(&s, body, &keys[i]))
				return ERR_BROKEN;
			found |= 1ull << i;
		}
	}
	if (good != NULL)
		*good = found;
	if (found == 0)
		return ERR_AUTH;
	*text = body;
	return ERR_OK;
}

void
note_sign(struct buf *out, struct slice text, const struct note_key *key,
    const uint8_t secret[64])
{
	uint8_t raw[68];
	char line[(sizeof raw + 2) / 3 * 4 + 1];

	must(text.len > 0 && text.p[text.len - 1] == '\n');
	raw[0] = (uint8_t)(key->id >> 24);
	raw[1] = (uint8_t)(key->id >> 16);
	raw[2] = (uint8_t)(key->id >> 8);
	raw[3] = (uint8_t)key->id;
	crypto_sign_detached(raw + 4, NULL, text.p, text.len, secret);
	b64_encode(line, raw, sizeof raw);
	buf_put(out, text.p, text.len);
	buf_printf(out, "\n%s%s %s\n", dash, key->name, line);
}

void
checkpoint_put(struct buf *out, const struct checkpoint *c)
{
	char root[45];

	b64_encode(root, c->root.b, MERKLE_BYTES);
	buf_printf(out, "%s\n%" PRIu64 "\n%s\n", c->origin, c->size, root);
}

static bool
line_next(struct slice *rest, struct slice *line)
{
	const uint8_t *end = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;

	if (end == NULL)
		return false;
	*line = (struct slice){rest->p, (size_t)(end - rest->p)};
	rest->len -= line->len + 1;
	rest->p = end + 1;
	return true;
}

enum err
checkpoint_parse(struct checkpoint *out, struct slice text)
{
	struct slice origin, size, root;
	struct checkpoint c = {.size = 0};
	size_t n;

	if (!line_next(&text, &origin) || !line_next(&text, &size) ||
	    !line_next(&text, &root) || text.len != 0 || !note_name_ok(origin))
		return ERR_FORMAT;
	if (size.len == 0 || size.len > 20 || (size.len > 1 && size.p[0] == '0'))
		return ERR_FORMAT;
	for (size_t i = 0; i < size.len; i++) {
		unsigned d = (unsigned)size.p[i] - '0';

		if (d > 9 || c.size > (UINT64_MAX - d) / 10)
			return ERR_FORMAT;
		c.size = c.size * 10 + d;
	}
	if (root.len != 44 || !b64_decode(c.root.b, sizeof c.root.b,
	    (const char *)root.p, root.len, &n) || n != MERKLE_BYTES)
		return ERR_FORMAT;
	memcpy(c.origin, origin.p, origin.len);
	c.origin[origin.len] = 0;
	*out = c;
	return ERR_OK;
}
