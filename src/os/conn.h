/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A non-blocking stream socket on a libuv loop, plain or TLS (OpenSSL), with an
 * output buffer. uv_poll is used rather than uv_tcp: bytes go from one recv(2)
 * straight to one send(2), with no allocation or callback between.
 *
 * Owned by its session; the handle is closed by conn_close(), whose callback is
 * the only point where the memory may be freed.
 */
#ifndef KB_OS_CONN_H
#define KB_OS_CONN_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/buf.h"

struct conn {
	uv_poll_t poll;
	int fd;			/* -1: not open */
	SSL *ssl;		/* NULL: plain */
	struct buf out;		/* accepted, not yet sent */
	int events;		/* what the poll waits for now */
	bool want_read;		/* the owner's wish; see conn_watch */
	bool ssl_wants_write;	/* a TLS read or handshake waits to write */
	bool ssl_wants_read;	/* a TLS write waits to read */
	bool failed;		/* an error or end of stream was seen */
	void (*ready)(struct conn *c, int events);
	void (*closed)(struct conn *c);
	void *owner;
};

/* Takes the fd. out_max bounds the output buffer. */
void conn_init(struct conn *c, uv_loop_t *loop, int fd, size_t out_max,
    void (*ready)(struct conn *, int), void *owner);
/* Non-blocking connect; the first writable event tells the outcome. */
int conn_connect(const struct sockaddr *sa, socklen_t len); /* fd or -1 */
int conn_connect_error(const struct conn *c);	/* SO_ERROR */

/* Starts TLS on what follows; server side when ctx is one. */
bool conn_start_tls(struct conn *c, SSL_CTX *ctx, bool server,
    const char *verify_host);
/* 1 done, 0 in progress, -1 failed. */
int conn_handshake(struct conn *c);

/* > 0 bytes; 0: nothing now; -1: end or error (failed is set). */
ssize_t conn_recv(struct conn *c, void *p, size_t cap);
/* Bytes already decrypted inside TLS: no poll event will come for them. */
bool conn_pending(const struct conn *c);
/* Sends up to len bytes now; 0 when the socket is full; -1 error. */
ssize_t conn_send(struct conn *c, const void *p, size_t len);
/* Sends from out, at most max bytes of it. false: the connection failed. */
bool conn_flush(struct conn *c, size_t max);
/* Sets the poll's events from want_read and whether `sendable` bytes wait. */
void conn_watch(struct conn *c, size_t sendable);

void conn_close(struct conn *c, void (*closed)(struct conn *));

/* One short text of the last TLS error, for messages. */
const char *conn_tls_error(void);

#endif
