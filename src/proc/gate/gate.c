/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker itself: start, sandbox, listening, the tick, the end.
 *
 * kuraban -x gate WORKER NLISTEN
 *   fd 3  channel to the ledger        fd 4  the configuration: name NUL text
 *   fd 5  sessions of each worker, memory that all workers share
 *   fd 6... listening sockets (SO_REUSEPORT, one set a worker)
 */
#include "proc/gate/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/say.h"
#include "os/sandbox.h"
#include "proc/users.h"
#include "proc/workers.h"

enum { FD_LEDGER = 3, FD_CONF = 4, FD_COUNTS = 5, FD_LISTEN = 6, TICK_MS = 250,
	LISTEN_MAX = 16 };

struct session *
gate_session(struct gate *g, uint32_t sid)
{
	return map_get(&g->by_sid, (struct slice){(uint8_t *)&sid, sizeof(sid)});
}

void
gate_count(struct gate *g)
{
	g->counts[g->worker] = (uint32_t)g->nsessions;
}

/* Sessions of all workers. */
static size_t
all_sessions(const struct gate *g)
{
	size_t n = 0;

	for (unsigned i = 0; i < WORKERS_MAX; i++)
		n += g->counts[i];
	return n;
}

static void on_accept(uv_poll_t *p, int status, int events);

static void
listen_again(struct gate *g, bool on)
{
	g->deaf = !on;
	for (unsigned i = 0; i < g->nlisten; i++) {
		if (on)
			uv_poll_start(&g->listen_poll[i], UV_READABLE, on_accept);
		else
			uv_poll_stop(&g->listen_poll[i]);
	}
}

static void
on_accept(uv_poll_t *p, int status, int events)
{
	struct gate *g = p->data;
	int listener, fd;
	size_t n;

	if (status < 0 || uv_fileno((uv_handle_t *)p, &listener) < 0)
		return;
	for (int i = 0; i < 32; i++) {
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			/* Those who wait would wake us again and again. */
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				listen_again(g, false);
			return;
		}
		n = all_sessions(g);
		if (g->stopping || n >= g->conf->max_clients + SPARE_CLIENTS)
			close(fd);
		else
			front_accept(g, fd, n >= g->conf->max_clients);
	}
}

static void
on_tick(uv_timer_t *t)
{
	struct gate *g = t->data;
	uint64_t now = clock_mono_us();

	g->tick_count++;
	if (g->deaf)
		listen_again(g, true);
	for (struct session *s = g->sessions, *next; s != NULL; s = next) {
		next = s->next;
		session_tick(s, now);
	}
	for (size_t i = 0; i < g->conf->ndatabases; i++)
		side_start(&g->dbs[i]);
}

static void
on_prepare(uv_prepare_t *p)
{
	link_flush(p->data);
}

static char *
read_all(int fd, size_t *len)
{
	struct stat st;
	char *p;

	if (fstat(fd, &st) < 0 || (p = malloc((size_t)st.st_size + 1)) == NULL)
		return NULL;
	if (pread(fd, p, (size_t)st.st_size, 0) != st.st_size) {
		free(p);
		return NULL;
	}
	p[st.st_size] = 0;
	*len = (size_t)st.st_size;
	return p;
}

/* Data for tls-server-end-point, RFC 5929 section 4.1. */
static bool
hash_certificate(struct gate *g)
{
	X509 *cert = SSL_CTX_get0_certificate(g->tls);
	const EVP_MD *md = EVP_sha256();
	unsigned len = 0;
	int mdnid, pknid;

	if (cert == NULL)
		return false;
	if (OBJ_find_sigid_algs(X509_get_signature_nid(cert), &mdnid, &pknid) &&
	    mdnid != NID_undef && mdnid != NID_md5 && mdnid != NID_sha1)
		md = EVP_get_digestbynid(mdnid);
	if (md == NULL || X509_digest(cert, md, g->cert_hash, &len) != 1)
		return false;
	g->cert_hash_len = len;
	return true;
}

static bool
start_tls(struct gate *g)
{
	const struct conf *c = g->conf;

	if (c->tls_cert == NULL)
		return true;
	g->tls = SSL_CTX_new(TLS_server_method());
	if (g->tls == NULL)
		return false;
	SSL_CTX_set_min_proto_version(g->tls, TLS1_2_VERSION);
	SSL_CTX_set_options(g->tls, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(g->tls, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_use_certificate_chain_file(g->tls, c->tls_cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(g->tls,
	    c->tls_key ? c->tls_key : c->tls_cert, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(g->tls) != 1 || !hash_certificate(g)) {
		say_error("%s: %s: %s", _("the gate's TLS certificate or key cannot be used"),
		    c->tls_cert, conn_tls_error());
		return false;
	}
	return true;
}

static bool
upstream_tls(struct db *db)
{
	const struct conf_upstream *u = &db->conf->upstream;
	const char *mode = u->sslmode ? u->sslmode : "prefer";

	if (strcmp(mode, "disable") == 0 || db->addr.ss_family == AF_UNIX)
		return true;
	db->tls = SSL_CTX_new(TLS_client_method());
	if (db->tls == NULL)
		return false;
	SSL_CTX_set_min_proto_version(db->tls, TLS1_2_VERSION);
	if (strncmp(mode, "verify-", 7) == 0) {
		SSL_CTX_set_verify(db->tls, SSL_VERIFY_PEER, NULL);
		if (u->sslrootcert == NULL ?
		    SSL_CTX_set_default_verify_paths(db->tls) != 1 :
		    SSL_CTX_load_verify_locations(db->tls, u->sslrootcert, NULL) != 1) {
			say_error("%s: %s", _("the root certificate cannot be read"),
			    u->sslrootcert ? u->sslrootcert : "-");
			return false;
		}
	}
	if (u->sslcert != NULL && (SSL_CTX_use_certificate_chain_file(db->tls,
	    u->sslcert) != 1 || SSL_CTX_use_PrivateKey_file(db->tls,
	    u->sslkey ? u->sslkey : u->sslcert, SSL_FILETYPE_PEM) != 1)) {
		say_error("%s: %s", _("the client certificate for the server cannot be used"),
		    u->sslcert);
		return false;
	}
	return true;
}

/* Addresses are looked up once: afterwards no file, so no resolver. */
static bool
resolve(struct db *db)
{
	const struct conf_upstream *u = &db->conf->upstream;
	const char *host = u->hostaddr ? u->hostaddr : u->host ? u->host : "127.0.0.1";
	const char *port = u->port ? u->port : "5432";
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *ai;
	int e;

	if (host[0] == '/') {
		struct sockaddr_un *un = (struct sockaddr_un *)&db->addr;

		un->sun_family = AF_UNIX;
		db->addr_len = sizeof(*un);
		return snprintf(un->sun_path, sizeof(un->sun_path),
		    "%s/.s.PGSQL.%s", host, port) < (int)sizeof(un->sun_path);
	}
	if ((e = getaddrinfo(host, port, &hints, &ai)) != 0) {
		say_error("%s \"%s\": %s", _("cannot look up the server of database"),
		    db->conf->name, gai_strerror(e));
		return false;
	}
	memcpy(&db->addr, ai->ai_addr, ai->ai_addrlen);
	db->addr_len = ai->ai_addrlen;
	freeaddrinfo(ai);
	return true;
}

/* As in libpq, but for that waiting for ever must be asked for, by 0. */
static uint64_t
connect_us(const struct conf_upstream *u)
{
	unsigned long s = CONNECT_TIMEOUT_S;

	if (u->connect_timeout != NULL)
		s = strtoul(u->connect_timeout, NULL, 10);
	return s == 0 ? UINT64_MAX : s * 1000000;
}

static bool
start_databases(struct gate *g)
{
	g->dbs = calloc(g->conf->ndatabases ? g->conf->ndatabases : 1,
	    sizeof(*g->dbs));
	must(g->dbs != NULL);
	for (size_t i = 0; i < g->conf->ndatabases; i++) {
		struct db *db = &g->dbs[i];

		db->gate = g;
		db->index = (uint16_t)i;
		db->conf = &g->conf->databases[i];
		db->epoch = 1;
		db->connect_us = connect_us(&db->conf->upstream);
		map_init(&db->cache);
		if (!resolve(db) || !upstream_tls(db))
			return false;
	}
	return true;
}

static bool
read_conf(struct gate *g)
{
	struct conf_notes notes;
	size_t len;
	char *text = read_all(FD_CONF, &len);
	struct conf *c = NULL;
	enum err e;

	if (text == NULL)
		return false;
	e = conf_parse(&c, text, text + strlen(text) + 1, &notes);
	conf_notes_fini(&notes);
	explicit_bzero(text, len);
	free(text);
	close(FD_CONF);
	g->conf = c;
	return e == ERR_OK;
}

static bool
listen_all(struct gate *g, unsigned n)
{
	if (n > LISTEN_MAX)
		return false;
	for (unsigned i = 0; i < n; i++) {
		g->listen_fd[i] = FD_LISTEN + (int)i;
		fcntl(g->listen_fd[i], F_SETFD, FD_CLOEXEC);
		if (uv_poll_init(&g->loop, &g->listen_poll[i], g->listen_fd[i]) < 0)
			return false;
		g->listen_poll[i].data = g;
		uv_poll_start(&g->listen_poll[i], UV_READABLE, on_accept);
	}
	g->nlisten = n;
	return true;
}

int
gate_main(int argc, char **argv)
{
	static struct gate g;
	static uv_prepare_t prepare;
	const char *why = "";
	bool landlock;
	uid_t uid;
	gid_t gid;

	if (argc < 3)
		return 2;
	g.worker = (unsigned)atoi(argv[1]) % WORKERS_MAX;
	say_role("gate");
	signal(SIGPIPE, SIG_IGN);
	if (!read_conf(&g)) {
		say_error("%s", _("the configuration could not be read"));
		return 2;
	}
	i18n_use(g.conf->language);
	tzset();
	must(uv_loop_init(&g.loop) == 0);
	g.scratch = malloc(SCRATCH_BYTES);
	must(g.scratch != NULL);
	map_init(&g.by_sid);
	g.next_sid = 1;
	g.counts = mmap(NULL, WORKERS_MAX * sizeof(*g.counts), PROT_READ | PROT_WRITE,
	    MAP_SHARED, FD_COUNTS, 0);
	if (g.counts == MAP_FAILED) {
		say_error("%s", strerror(errno));
		return 1;
	}
	close(FD_COUNTS);
	gate_count(&g);
	if (!sql_self_test()) {
		say_error("%s", _("libpg_query does not fit its headers: not safe to start"));
		return 1;
	}
	if (!start_tls(&g) || !start_databases(&g) ||
	    !listen_all(&g, (unsigned)atoi(argv[2])))
		return 1;
	link_start(&g, FD_LEDGER);
	uv_timer_init(&g.loop, &g.tick);
	g.tick.data = &g;
	uv_timer_start(&g.tick, on_tick, 0, TICK_MS);
	uv_prepare_init(&g.loop, &prepare);
	prepare.data = &g;
	uv_prepare_start(&prepare, on_prepare);

	if (geteuid() == 0 && (!users_lookup(g.conf->user_gate, USERS_GATE, &uid,
	    &gid, &why) || !sandbox_user(uid, gid, &why))) {
		say_error("%s: %s", _("cannot give up root"), why);
		return 1;
	}
	if (!sandbox_enter(SANDBOX_GATE, NULL, &landlock, &why)) {
		say_error("%s: %s", _("the sandbox could not be set up"), why);
		return 1;
	}
	if (!landlock && g.worker == 0)
		say_warn("%s", _("this kernel has no landlock; seccomp alone guards files"));
	uv_run(&g.loop, UV_RUN_DEFAULT);
	return g.link_dead ? 75 : 0;
}
