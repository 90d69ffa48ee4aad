/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes between psql and the gate, one connection at a time, counted as they
 * arrive: psql itself shows nothing of a result that ended in an error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/demo.h"

static int
inet_socket(struct sockaddr_in *a, unsigned port)
{
	*a = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

bool
demo_wire_open(struct demo_wire *w, unsigned to)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	*w = (struct demo_wire){.client = -1, .server = -1, .to = to};
	if ((w->listener = inet_socket(&a, 0)) < 0)
		return false;
	if (bind(w->listener, (struct sockaddr *)&a, len) != 0 ||
	    listen(w->listener, 8) != 0 ||
	    getsockname(w->listener, (struct sockaddr *)&a, &len) != 0) {
		demo_wire_close(w);
		return false;
	}
	w->port = ntohs(a.sin_port);
	return true;
}

static void
hang_up(struct demo_wire *w)
{
	if (w->client >= 0)
		close(w->client);
	if (w->server >= 0)
		close(w->server);
	w->client = w->server = -1;
}

void
demo_wire_close(struct demo_wire *w)
{
	hang_up(w);
	if (w->listener >= 0)
		close(w->listener);
	w->listener = -1;
}

void
demo_wire_poll(const struct demo_wire *w, struct pollfd v[3])
{
	v[0] = (struct pollfd){w->client < 0 ? w->listener : -1, POLLIN, 0};
	v[1] = (struct pollfd){w->client, POLLIN, 0};
	v[2] = (struct pollfd){w->server, POLLIN, 0};
}

static void
take(struct demo_wire *w)
{
	struct sockaddr_in a;

	if ((w->client = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
		return;
	w->server = inet_socket(&a, w->to);
	if (w->server < 0 || connect(w->server, (struct sockaddr *)&a, sizeof(a)) != 0)
		hang_up(w);
}

/* Blocks while the other side does not read: both are on this machine and do. */
static void
carry(struct demo_wire *w, int from, int to, struct demo_seen *seen)
{
	static uint8_t chunk[65536];
	ssize_t n = read(from, chunk, sizeof(chunk)), done, k;

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0 && seen != NULL)
		demo_seen_feed(seen, chunk, (size_t)n);
	for (done = 0; done < n; done += k)
		if ((k = write(to, chunk + done, (size_t)(n - done))) <= 0)
			break;
	if (n <= 0 || done < n)
		hang_up(w);
}

void
demo_wire_event(struct demo_wire *w, const struct pollfd v[3], struct demo_seen *seen)
{
	if (v[0].revents != 0)
		take(w);
	if (v[1].revents != 0 && w->client >= 0)
		carry(w, w->client, w->server, NULL);
	if (v[2].revents != 0 && w->server >= 0)
		carry(w, w->server, w->client, seen);
}
