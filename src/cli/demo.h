/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demonstration (verb_demo.c) and its parts: a private PostgreSQL with made-up
 * people, the gate before it, and the count of those who reached the client.
 */
#ifndef KB_CLI_DEMO_H
#define KB_CLI_DEMO_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Who is named in a stream of bytes. Each person's phone number (000-NNNN-NNNN)
 * and e-mail address (cNNNNNNNN@) carry the person's number; both are found in
 * the text itself and in base64 of it. Pure.
 */
struct demo_scan {
	unsigned phone, mail;	/* characters matched so far */
	uint32_t phone_id, mail_id;
};

struct demo_seen {
	uint8_t *bits;		/* owns */
	uint32_t max, count;	/* people 1..max; distinct ones seen */
	struct demo_scan plain;
	struct {
		struct demo_scan scan;
		uint32_t bits;
		int have;	/* -n: n characters are skipped yet */
	} base64[4];		/* one for each alignment */
};

bool demo_seen_init(struct demo_seen *s, uint32_t max);
void demo_seen_fini(struct demo_seen *s);
void demo_seen_feed(struct demo_seen *s, const void *p, size_t len);
bool demo_seen_has(const struct demo_seen *s, uint32_t id);
/* Adds those of `from`; returns how many were new. */
uint32_t demo_seen_add(struct demo_seen *s, const struct demo_seen *from);

/* A relay to a port of this machine; see demo_wire.c. */
struct demo_wire {
	int listener, client, server;
	unsigned port, to;
};
bool demo_wire_open(struct demo_wire *w, unsigned to);
void demo_wire_close(struct demo_wire *w);
void demo_wire_poll(const struct demo_wire *w, struct pollfd v[3]);
/* seen: fed with what comes from the server. */
void demo_wire_event(struct demo_wire *w, const struct pollfd v[3],
    struct demo_seen *seen);

/* A program that was run: its exit status and what it said. */
struct demo_result {
	int status;		/* exit status; -1: killed or not started */
	char error[1024];	/* the first line of standard error, without its newline */
	char state[6];		/* SQLSTATE in it (psql, VERBOSITY=verbose); "" when none */
	uint64_t bytes;		/* of standard output */
	double seconds;
};

struct demo_run {
	const char *const *argv;
	const char *input;	/* to its standard input; NULL: nothing */
	struct demo_wire *wire;	/* its connection, or NULL */
	struct demo_seen *seen;	/* fed with what reaches it there */
	int output;		/* descriptor that standard output is copied to; -1: none */
	uid_t uid;		/* who it runs as; 0 when already that one */
	gid_t gid;
	bool anyway;		/* a signal to the demonstration does not end it */
};

/* Runs it to its end; a signal to the demonstration ends it too. */
void demo_run(const struct demo_run *r, struct demo_result *out);
/* Starts one that stays; dies with the demonstration unless `stays`. -1: cannot. */
pid_t demo_start(const struct demo_run *r, int log_fd, bool stays);
/* false: it ended by itself. */
bool demo_alive(pid_t pid);
/* Asks it to end (SIGTERM, or as told) and waits; kills after 10 s. */
void demo_stop(pid_t pid, int signal);
/* A TCP port of 127.0.0.1 that is free now; 0: none. */
unsigned demo_port(void);
/* Set by SIGINT, SIGTERM, SIGHUP once demo_signals() was called. */
bool demo_stopped(void);
void demo_signals(void);

/* The database: definitions, then `people` customers with orders. */
extern const char demo_sql_schema[];
extern const char demo_sql_fill[];	/* psql variable people */

#endif
