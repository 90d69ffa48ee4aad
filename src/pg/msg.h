/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL frontend/backend protocol 3.0: framing, the few messages that the
 * gate reads, and builders for those it writes. Pure.
 * Source: PostgreSQL 15 documentation, chapter 55 "Frontend/Backend Protocol".
 */
#ifndef KB_PG_MSG_H
#define KB_PG_MSG_H

#include "base/buf.h"
#include "base/err.h"

#define PG_PROTOCOL_3_0 0x00030000u
#define PG_CODE_CANCEL 80877102u
#define PG_CODE_SSL 80877103u
#define PG_CODE_GSSENC 80877104u

#define PG_STARTUP_MAX 10000	/* as the server's MAX_STARTUP_PACKET_LENGTH */
#define PG_HEAD_BYTES 5
#define PG_MSG_MAX 0x3fffffffu	/* the server's PQ_LARGE_MESSAGE_LIMIT */

#define PG_AUTH_OK 0
#define PG_AUTH_CLEARTEXT 3
#define PG_AUTH_MD5 5
#define PG_AUTH_SASL 10
#define PG_AUTH_SASL_CONTINUE 11
#define PG_AUTH_SASL_FINAL 12

/* A message's head: type and the length of the body (without the length word). */
struct pg_head {
	char type;
	uint32_t len;
};

/* ERR_SHORT below 5 bytes, ERR_FORMAT for a length below 4, ERR_TOOBIG. */
enum err pg_head(struct pg_head *out, const uint8_t *p, size_t len);

/* May a client send this type at all? Which may come during COPY IN? */
bool pg_client_type(char type);
/* Does the gate know this backend message type? */
bool pg_server_type(char type);

size_t pg_begin(struct buf *b, char type);
void pg_end(struct buf *b, size_t mark);

/*
 * Text fields of an ErrorResponse / NoticeResponse body: the value of the field
 * with this code, NULL when absent or the body is malformed.
 */
const char *pg_field(struct slice body, char code);

/*
 * An ErrorResponse (type 'E') or NoticeResponse ('N'). detail, hint may be NULL.
 */
void pg_put_error(struct buf *b, char type, const char *severity,
    const char *sqlstate, const char *message, const char *detail,
    const char *hint);
/*
 * The same message without what could carry data: severity, SQLSTATE, position,
 * source place and the names of schema, table, column, type, constraint stay;
 * the text becomes `text`, detail `detail`.
 */
void pg_put_withheld(struct buf *b, char type, struct slice body,
    const char *text, const char *detail);
void pg_put_ready(struct buf *b, char status);
void pg_put_query(struct buf *b, const char *sql);
void pg_put_parse(struct buf *b, const char *name, struct slice sql,
    struct slice param_types /* u16 count + oids, or empty: none */);
/* No parameters, text results. */
void pg_put_bind(struct buf *b, const char *portal, const char *stmt);
void pg_put_execute(struct buf *b, const char *portal);
void pg_put_close(struct buf *b, char kind, const char *name);
void pg_put_empty(struct buf *b, char type);	/* Sync 'S', Flush 'H', ... */
void pg_put_param(struct buf *b, const char *name, const char *value); /* 'S' */

/* SQLSTATE's condition name (errcodes appendix), or its class's, never NULL. */
const char *pg_condition(const char *sqlstate);
bool pg_condition_known(const char *sqlstate);

/* Result formats of a Bind message: */
struct pg_bind {
	const char *portal, *stmt;
	struct slice head;	/* from the portal name to before the result formats */
	uint16_t nformats;
	struct slice formats;	/* nformats * u16 */
};
enum err pg_read_bind(struct pg_bind *out, struct slice body);
/* Format (0 text, 1 binary) of result column i. */
static inline int
pg_format(const uint8_t *formats, unsigned nformats, unsigned i)
{
	if (nformats == 0)
		return 0;
	if (nformats == 1)
		i = 0;
	return i < nformats ? formats[2 * i] << 8 | formats[2 * i + 1] : 0;
}

#endif
