/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/msg.h"

#include <string.h>

enum err
pg_head(struct pg_head *out, const uint8_t *p, size_t len)
{
	struct rd r = rd_init(p, len);
	uint32_t n;

	out->type = (char)rd_u8(&r);
	n = rd_u32(&r);
	if (r.bad)
		return ERR_SHORT;
	if (n < 4)
		return ERR_FORMAT;
	if (n - 4 > PG_MSG_MAX)
		return ERR_TOOBIG;
	out->len = n - 4;
	return ERR_OK;
}

bool
pg_client_type(char type)
{
	return type != 0 && strchr("BCDEFHPQSXcdfp", type) != NULL;
}

bool
pg_server_type(char type)
{
	return type != 0 && strchr("123ACDEGHIKNRSTVWZcdnstv", type) != NULL;
}

size_t
pg_begin(struct buf *b, char type)
{
	size_t mark = buf_used(b);

	buf_u8(b, (uint8_t)type);
	buf_u32(b, 0);
	return mark;
}

void
pg_end(struct buf *b, size_t mark)
{
	if (!b->bad)
		buf_set_u32(b, mark + 1, (uint32_t)(buf_used(b) - mark - 1));
}

const char *
pg_field(struct slice body, char code)
{
	struct rd r = rd_init(body.p, body.len);
	const char *found = NULL;
	char c;

	while ((c = (char)rd_u8(&r)) != 0 && !r.bad) {
		const char *s = rd_cstr(&r);

		if (c == code && found == NULL && !r.bad)
			found = s;
	}
	return r.bad ? NULL : found;
}

static void
put_field(struct buf *b, char code, const char *s)
{
	if (s != NULL) {
		buf_u8(b, (uint8_t)code);
		buf_cstr(b, s);
	}
}

void
pg_put_error(struct buf *b, char type, const char *severity,
    const char *sqlstate, const char *message, const char *detail,
    const char *hint)
{
	size_t mark = pg_begin(b, type);

	put_field(b, 'S', severity);
	put_field(b, 'V', severity);
	put_field(b, 'C', sqlstate);
	put_field(b, 'M', message);
	put_field(b, 'D', detail);
	put_field(b, 'H', hint);
	buf_u8(b, 0);
	pg_end(b, mark);
}

void
pg_put_withheld(struct buf *b, char type, struct slice body, const char *text,
    const char *detail)
{
	struct rd r = rd_init(body.p, body.len);
	size_t mark = pg_begin(b, type);
	char c;

	while ((c = (char)rd_u8(&r)) != 0 && !r.bad) {
		const char *s = rd_cstr(&r);

		if (!r.bad && strchr("SVCPFLRstcdn", c) != NULL)
			put_field(b, c, s);
	}
	put_field(b, 'M', text);
	put_field(b, 'D', detail);
	buf_u8(b, 0);
	pg_end(b, mark);
}

void
pg_put_ready(struct buf *b, char status)
{
	size_t mark = pg_begin(b, 'Z');

	buf_u8(b, (uint8_t)status);
	pg_end(b, mark);
}

void
pg_put_query(struct buf *b, const char *sql)
{
	size_t mark = pg_begin(b, 'Q');

	buf_cstr(b, sql);
	pg_end(b, mark);
}

void
pg_put_parse(struct buf *b, const char *name, struct slice sql,
    struct slice param_types)
{
	size_t mark = pg_begin(b, 'P');

	buf_cstr(b, name);
	buf_put(b, sql.p, sql.len);
	buf_u8(b, 0);
	if (param_types.len > 0)
		buf_put(b, param_types.p, param_types.len);
	else
		buf_u16(b, 0);
	pg_end(b, mark);
}

void
pg_put_bind(struct buf *b, const char *portal, const char *stmt)
{
	size_t mark = pg_begin(b, 'B');

	buf_cstr(b, portal);
	buf_cstr(b, stmt);
	buf_u16(b, 0);
	buf_u16(b, 0);
	buf_u16(b, 0);
	pg_end(b, mark);
}

void
pg_put_execute(struct buf *b, const char *portal)
{
	size_t mark = pg_begin(b, 'E');

	buf_cstr(b, portal);
	buf_u32(b, 0);
	pg_end(b, mark);
}

void
pg_put_close(struct buf *b, char kind, const char *name)
{
	size_t mark = pg_begin(b, 'C');

	buf_u8(b, (uint8_t)kind);
	buf_cstr(b, name);
	pg_end(b, mark);
}

void
pg_put_empty(struct buf *b, char type)
{
	pg_end(b, pg_begin(b, type));
}

void
pg_put_param(struct buf *b, const char *name, const char *value)
{
	size_t mark = pg_begin(b, 'S');

	buf_cstr(b, name);
	buf_cstr(b, value);
	pg_end(b, mark);
}

enum err
pg_read_bind(struct pg_bind *out, struct slice body)
{
	struct rd r = rd_init(body.p, body.len);
	uint16_t n;

	out->portal = rd_cstr(&r);
	out->stmt = rd_cstr(&r);
	n = rd_u16(&r);
	rd_bytes(&r, (size_t)n * 2);
	n = rd_u16(&r);
	for (; n > 0 && !r.bad; n--) {
		uint32_t len = rd_u32(&r);

		if (len != UINT32_MAX)
			rd_bytes(&r, len);
	}
	out->head = (struct slice){body.p, body.len - r.left};
	out->nformats = rd_u16(&r);
	out->formats = rd_bytes(&r, (size_t)out->nformats * 2);
	return rd_end(&r) ? ERR_OK : ERR_FORMAT;
}

static const struct {
	char state[6];
	const char *name;
} conditions[] = {
#define CONDITION(state, name) {state, name},
#include "pg/conditions.tbl.h"
#undef CONDITION
};

bool
pg_condition_known(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		if (strcmp(conditions[i].state, sqlstate) == 0)
			return true;
	}
	return false;
}

const char *
pg_condition(const char *sqlstate)
{
	const char *class = "error";

	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		if (strcmp(conditions[i].state, sqlstate) == 0)
			return conditions[i].name;
		if (strncmp(conditions[i].state, sqlstate, 2) == 0 &&
		    strcmp(conditions[i].state + 2, "000") == 0)
			class = conditions[i].name;
	}
	return class;
}
