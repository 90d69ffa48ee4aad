/* SPDX-License-Identifier: Apache-2.0 */
#include "os/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

/* The other side is gone when it answers nothing for two minutes. */
enum { KEEP_IDLE_S = 60, KEEP_EVERY_S = 10, KEEP_TRIES = 6 };

static void
conn_event(uv_poll_t *p, int status, int events)
{
	struct conn *c = p->data;

	if (status < 0) {
		/* recv will say why, after what came before the reset; libuv has
		 * stopped the poll: conn_watch must start it again. */
		events = UV_READABLE | UV_WRITABLE;
		c->events = 0;
	}
	c->ready(c, events);
}

void
conn_init(struct conn *c, uv_loop_t *loop, int fd, size_t out_max,
    void (*ready)(struct conn *, int), void *owner)
{
	int one = 1, idle = KEEP_IDLE_S, every = KEEP_EVERY_S, tries = KEEP_TRIES;

	*c = (struct conn){.fd = fd, .ready = ready, .owner = owner};
	buf_init(&c->out, out_max);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
	must(uv_poll_init(loop, &c->poll, fd) == 0);
	c->poll.data = c;
	c->want_read = true;
}

int
conn_connect(const struct sockaddr *sa, socklen_t len)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, sa, len) < 0 && errno != EINPROGRESS && errno != EAGAIN) {
		close(fd);
		return -1;
	}
	return fd;
}

int
conn_connect_error(const struct conn *c)
{
	int e = 0;
	socklen_t n = sizeof(e);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0)
		return errno;
	return e;
}

bool
conn_start_tls(struct conn *c, SSL_CTX *ctx, bool server, const char *verify_host)
{
	if ((c->ssl = SSL_new(ctx)) == NULL)
		return false;
	SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	if (SSL_set_fd(c->ssl, c->fd) != 1)
		return false;
	if (server) {
		SSL_set_accept_state(c->ssl);
		return true;
	}
	SSL_set_connect_state(c->ssl);
	if (verify_host != NULL) {
		SSL_set_tlsext_host_name(c->ssl, verify_host);
		SSL_set_hostflags(c->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		if (strspn(verify_host, "0123456789.:abcdefABCDEF") ==
		    strlen(verify_host) &&
		    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl),
		    verify_host) == 1)
			return true;
		return SSL_set1_host(c->ssl, verify_host) == 1;
	}
	return true;
}

/* Maps an SSL return value: 0 try later, -1 failed. */
static int
ssl_wait(struct conn *c, int n, bool writing)
{
	switch (SSL_get_error(c->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		c->ssl_wants_read = writing;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		c->ssl_wants_write = !writing;
		return 0;
	default:
		c->failed = true;
		return -1;
	}
}

int
conn_handshake(struct conn *c)
{
	int n;

	ERR_clear_error();
	c->ssl_wants_write = false;
	n = SSL_do_handshake(c->ssl);
	return n == 1 ? 1 : ssl_wait(c, n, false);
}

ssize_t
conn_recv(struct conn *c, void *p, size_t cap)
{
	ssize_t n;

	if (c->ssl != NULL) {
		ERR_clear_error();
		c->ssl_wants_write = false;
		n = SSL_read(c->ssl, p, cap > INT32_MAX ? INT32_MAX : (int)cap);
		return n > 0 ? n : ssl_wait(c, (int)n, false);
	}
	do {
		n = recv(c->fd, p, cap, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	c->failed = true;
	return -1;
}

bool
conn_pending(const struct conn *c)
{
	return c->ssl != NULL && SSL_pending(c->ssl) > 0;
}

ssize_t
conn_send(struct conn *c, const void *p, size_t len)
{
	ssize_t n;

	if (len == 0)
		return 0;
	if (c->ssl != NULL) {
		ERR_clear_error();
		c->ssl_wants_read = false;
		n = SSL_write(c->ssl, p, len > INT32_MAX ? INT32_MAX : (int)len);
		return n > 0 ? n : ssl_wait(c, (int)n, true);
	}
	do {
		n = send(c->fd, p, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	c->failed = true;
	return -1;
}

bool
conn_flush(struct conn *c, size_t max)
{
	while (max > 0 && buf_used(&c->out) > 0) {
		size_t n = buf_used(&c->out) < max ? buf_used(&c->out) : max;
		ssize_t sent = conn_send(c, buf_head(&c->out), n);

		if (sent < 0)
			return false;
		if (sent == 0)
			break;
		buf_drop(&c->out, (size_t)sent);
		max -= (size_t)sent;
	}
	return true;
}

void
conn_watch(struct conn *c, size_t sendable)
{
	int events = 0;

	if (c->fd < 0)
		return;
	if (c->want_read || (sendable > 0 && c->ssl_wants_read))
		events |= UV_READABLE;
	/* Bytes that TLS has read already give no event: a writable socket does. */
	if (sendable > 0 || c->ssl_wants_write || (c->want_read && conn_pending(c)))
		events |= UV_WRITABLE;
	if (events == c->events)
		return;
	c->events = events;
	if (events == 0)
		uv_poll_stop(&c->poll);
	else
		must(uv_poll_start(&c->poll, events, conn_event) == 0);
}

static void
conn_handle_closed(uv_handle_t *h)
{
	struct conn *c = h->data;

	if (c->closed != NULL)
		c->closed(c);
}

void
conn_close(struct conn *c, void (*closed)(struct conn *))
{
	c->closed = closed;
	if (c->ssl != NULL) {
		if (!c->failed)
			SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
		c->ssl = NULL;
	}
	buf_fini(&c->out);
	uv_poll_stop(&c->poll);
	close(c->fd);
	c->fd = -1;
	uv_close((uv_handle_t *)&c->poll, conn_handle_closed);
}

const char *
conn_tls_error(void)
{
	static char text[160];
	unsigned long e = ERR_peek_last_error();

	if (e == 0)
		return "connection closed";
	ERR_error_string_n(e, text, sizeof(text));
	return text;
}
