/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/row.h"

#include <stdio.h>
#include <string.h>

/* Type OIDs that are fixed for ever (pg_type.dat). */
enum { OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25,
    OID_BPCHAR = 1042, OID_VARCHAR = 1043, OID_UUID = 2950 };

enum err
pg_row(struct pg_cell *cells, size_t cap, size_t *n, struct slice body)
{
	struct rd r = rd_init(body.p, body.len);
	size_t count = rd_u16(&r);

	for (size_t i = 0; i < count && !r.bad; i++) {
		uint32_t len = rd_u32(&r);
		struct pg_cell c = {{NULL, 0}, true};

		if (len != UINT32_MAX)
			c = (struct pg_cell){rd_bytes(&r, len), false};
		if (i < cap)
			cells[i] = c;
	}
	*n = count;
	return rd_end(&r) ? ERR_OK : ERR_FORMAT;
}

static enum err
binary_cell(struct slice line, unsigned col, struct pg_cell *cell,
    struct slice *rest)
{
	struct rd r = rd_init(line.p, line.len);
	unsigned n = rd_u16(&r);

	if (col >= n)
		return ERR_NOTFOUND;
	for (unsigned i = 0; i <= col; i++) {
		uint32_t len = rd_u32(&r);

		cell->null = len == UINT32_MAX;
		cell->value = cell->null ? (struct slice){NULL, 0} :
		    rd_bytes(&r, len);
	}
	*rest = (struct slice){r.p, r.left};
	return r.bad ? ERR_FORMAT : ERR_OK;
}

/* The length of the text cell at the front of p. */
static size_t
text_cell_len(const struct pg_copy *c, const uint8_t *p, size_t len)
{
	size_t i = 0;
	bool quoted = false;

	for (; i < len; i++) {
		char ch = (char)p[i];

		if (c->format == PG_COPY_CSV) {
			if (quoted && ch == c->escape && i + 1 < len &&
			    ((char)p[i + 1] == c->quote || (char)p[i + 1] == c->escape))
				i++;
			else if (ch == c->quote)
				quoted = !quoted;
			else if (!quoted && (ch == c->delimiter || ch == '\n'))
				break;
		} else if (ch == '\\' && i + 1 < len) {
			i++;
		} else if (ch == c->delimiter || ch == '\n') {
			break;
		}
	}
	return i;
}

enum err
pg_copy_cell(const struct pg_copy *c, struct slice line, unsigned col,
    struct pg_cell *cell, struct slice *rest)
{
	if (c->format == PG_COPY_BINARY)
		return binary_cell(line, col, cell, rest);
	for (unsigned i = 0;; i++) {
		size_t n = text_cell_len(c, line.p, line.len);
		bool last = n >= line.len || line.p[n] == '\n';

		if (i == col) {
			cell->value = (struct slice){line.p, n};
			cell->null = c->format == PG_COPY_TEXT ?
			    slice_is(cell->value, "\\N") : n == 0;
			if (!last)
				n++;
			*rest = (struct slice){line.p + n, line.len - n};
			return ERR_OK;
		}
		if (last)
			return ERR_NOTFOUND;
		line.p += n + 1;
		line.len -= n + 1;
	}
}

static size_t
key_cut(char out[PG_KEY_MAX], const uint8_t *p, size_t len)
{
	if (len <= PG_KEY_MAX) {
		memcpy(out, p, len);
		return len;
	}
	return (size_t)snprintf(out, PG_KEY_MAX, "long:%016llx%016llx",
	    (unsigned long long)hash64(p, len, 1),
	    (unsigned long long)hash64(p, len, 2));
}

size_t
pg_key(char out[PG_KEY_MAX], struct slice value, int format, uint32_t type)
{
	struct rd r = rd_init(value.p, value.len);
	char hex[33];

	if (format == 0 || type == OID_TEXT || type == OID_VARCHAR ||
	    type == OID_BPCHAR)
		return key_cut(out, value.p, value.len);
	if (type == OID_INT4 && value.len == 4)
		return (size_t)snprintf(out, PG_KEY_MAX, "%d", (int32_t)rd_u32(&r));
	if (type == OID_INT8 && value.len == 8)
		return (size_t)snprintf(out, PG_KEY_MAX, "%lld",
		    (long long)rd_u64(&r));
	if (type == OID_INT2 && value.len == 2)
		return (size_t)snprintf(out, PG_KEY_MAX, "%d", (int16_t)rd_u16(&r));
	if (type == OID_UUID && value.len == 16) {
		hex_encode(hex, value.p, 16);
		return (size_t)snprintf(out, PG_KEY_MAX,
		    "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		    hex + 16, hex + 20);
	}
	/* Another type's binary form: a name of its own, so at worst charged twice. */
	out[0] = 'b';
	out[1] = ':';
	if (value.len <= PG_KEY_MAX - 2) {
		memcpy(out + 2, value.p, value.len);
		return value.len + 2;
	}
	return key_cut(out, value.p, value.len);
}

size_t
pg_copy_key(char out[PG_KEY_MAX], const struct pg_copy *c, struct slice raw,
    uint32_t type)
{
	uint8_t plain[PG_KEY_MAX * 2];
	size_t n = 0, i = 0;
	bool csv = c->format == PG_COPY_CSV;

	if (c->format == PG_COPY_BINARY)
		return pg_key(out, raw, 1, type);
	if (memchr(raw.p, csv ? c->quote : '\\', raw.len) == NULL)
		return key_cut(out, raw.p, raw.len);
	for (; i < raw.len && n < sizeof(plain); i++) {
		uint8_t ch = raw.p[i];

		if (csv && (char)ch == c->escape && i + 1 < raw.len &&
		    (char)raw.p[i + 1] == c->quote)
			ch = raw.p[++i];
		else if (csv && (char)ch == c->quote)
			continue;
		else if (!csv && ch == '\\' && i + 1 < raw.len) {
			static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
			const char *at;

			ch = raw.p[++i];
			if ((at = strchr(from, ch)) != NULL && ch != 0)
				ch = (uint8_t)to[at - from];
		}
		plain[n++] = ch;
	}
	return i < raw.len ? key_cut(out, raw.p, raw.len) : key_cut(out, plain, n);
}
