/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running ledger process: workers' channels, sessions, decisions. Private to
 * this folder; the process's contract is docs/spec/ipc.md and control.md.
 *
 * One turn of the loop reads what all channels have, handles every message,
 * commits the ledger once, and only then sends the answers (law L1): so the time
 * of one commit is shared by all that arrived during the one before.
 */
#ifndef KB_PROC_LEDGER_SERVER_H
#define KB_PROC_LEDGER_SERVER_H

#include <sys/types.h>

#include "ipc/ipc.h"
#include "proc/ledger/book.h"
#include "proc/workers.h"

enum {
	CONTROLS_MAX = 16,
	LINKS_MAX = 64,			/* side connections logging in, per worker */
	WORKER_IN_MAX = 2 * IPC_MAX_BYTES,
	WORKER_OUT_MAX = 64 << 20,	/* a gate that does not read is cut off */
	CONTROL_IN_MAX = 64 << 10,
	CONTROL_OUT_MAX = 64 << 20,
	STATEMENT_SQL_MAX = 4096
};

/* What a log-in to a database server has reached. */
struct up_auth {
	bool used;
	uint32_t handle;		/* of a link */
	uint16_t database;
	struct scram_client scram;
};

/* The end of a GRANT. */
struct told {
	uint8_t reason, window;
	uint64_t used, limit, frees_us;
};

/* A statement that releases (STMT_OPEN to its last RELEASE or STMT_END). Strings are owned. */
struct statement {
	uint8_t class;
	bool fallback;
	struct slice sql;
	struct entry_table *tables;
	size_t ntables;
	struct slice domains[ENTRY_DOMAINS_MAX];
	size_t ndomains;
	uint64_t sealed;		/* number of the original, 0 none */
	uint8_t commitment[SEALED_COMMITMENT_BYTES];
	uint64_t released;		/* entries written */
	uint64_t hold;			/* request number, 0 not asked */
	struct told cut;		/* what ended it early; reason 0: nothing */
	void *memory;			/* what all the slices point into */
};

struct session {
	uint32_t sid;
	enum { SESSION_AUTH, SESSION_LIVE, SESSION_DEAD } phase;
	struct worker *worker;
	uint64_t number;		/* its open entry's index + 1; 0 before LIVE */
	char name[ACTOR_NAME_MAX + 1];	/* the actor's; maybe nobody's before LIVE */
	char *address, *application;
	bool tls;
	uint16_t database, role;	/* positions in the configuration */
	char claimed_database[64];
	struct scram_server scram;
	struct up_auth up;
	struct statement *open;
	uint32_t meter_actor;
	uint64_t requests;		/* statements opened */
	int64_t since_us;
	uint64_t rows;			/* released */
	struct session *next;		/* of the server's list */
	struct session **prev;
};

struct worker {
	int fd;				/* -1: free slot */
	unsigned number;		/* as HELLO says */
	bool hello, broken;
	char gate[16];			/* number as text, for entries */
	struct buf in, out;
	struct map sessions;		/* u32 sid */
	struct up_auth links[LINKS_MAX];
	struct server *server;
};

struct control {
	int fd;				/* -1: free slot */
	uint32_t uid;
	struct buf in, out;
	bool closing;
};

struct arrays;

struct server {
	struct book book;
	const struct conf *conf;
	struct actor_rules rules;
	struct scram_cache *caches;	/* one a database */
	char **passwords;		/* of the upstreams; one a database */
	struct session *sessions;
	size_t nsessions;
	struct worker workers[WORKERS_MAX];
	struct control controls[CONTROLS_MAX];
	int control_fd, parent_fd;
	bool stopping;
	enum err fatal;			/* the ledger is broken */
	bool low;			/* below low water: nothing is released */
	bool stopped_said;		/* the incident of the writer before is appended */
	int64_t beat_us, snap_us;	/* of the newest entry, of the last snapshot */
	uint64_t beat_next;
	int64_t failed_minute;		/* entries of failed log-ins are bounded */
	unsigned failed_count;
	uid_t owner;			/* of the state directory */
	struct {
		uid_t uid;
		char name[64];
	} logins[3];
	struct arrays *arrays;		/* of release.c: kept between requests */
};

/* --- worker.c ----------------------------------------------------------- */

/* Handles every whole message in w->in. Malformed: w->broken and an incident. */
void worker_handle(struct server *s, struct worker *w);
void worker_open(struct server *s, int fd);
/* Ends its sessions, frees. */
void worker_close(struct server *s, struct worker *w, const char *why);

/* --- session.c ---------------------------------------------------------- */

struct session *session_new(struct server *s, struct worker *w, uint32_t sid);
struct session *session_find(const struct worker *w, uint32_t sid);
/* Writes the close entry of a live one, frees. */
void session_end(struct server *s, struct session *x, struct slice why);
/*
 * KILL; the session stays dead until the gate lets go of it. message is for the
 * client, why for the entry.
 */
void session_kill(struct server *s, struct session *x, const char *sqlstate,
    const char *message, const char *why);
struct entry_head session_head(struct server *s, const struct session *x);
void sessions_kill_actor(struct server *s, const char *name);

/* --- auth.c ------------------------------------------------------------- */

bool auth_first(struct server *s, struct worker *w, struct ipc_msg *m);
bool auth_final(struct server *s, struct session *x, struct ipc_msg *m);
/* The upstream's log-in; link: of the worker itself. */
bool up_auth(struct server *s, struct session *x, struct ipc_msg *m);
bool up_auth_link(struct server *s, struct worker *w, struct ipc_msg *m);

/* --- release.c ---------------------------------------------------------- */

bool stmt_open(struct server *s, struct session *x, struct ipc_msg *m);
bool stmt_release(struct server *s, struct session *x, struct ipc_msg *m);
bool stmt_end(struct server *s, struct session *x, struct ipc_msg *m);
bool stmt_free(struct server *s, struct session *x, struct ipc_msg *m);
bool stmt_deny(struct server *s, struct session *x, struct ipc_msg *m);
void statement_free(struct statement *t);
void arrays_free(struct arrays *a);

/* --- control.c ---------------------------------------------------------- */

void control_open(struct server *s, int fd);
void control_handle(struct server *s, struct control *c);
void control_close(struct control *c);

/* --- passfile.c --------------------------------------------------------- */

/* libpq's .pgpass; the password, to be freed, or NULL. */
char *passfile_find(const char *path, const struct conf_upstream *u);

/* --- serve.c ------------------------------------------------------------ */

struct serve_options {
	const char *dir;		/* the state directory */
	const struct vfs *vfs;		/* NULL: the real one */
	struct slice conf_text;		/* for its hash in the ledger */
	int parent_fd, control_fd;	/* -1: none */
	/* Gives up rights, after what is outside of dir was read. May be NULL. */
	bool (*enter)(const struct conf *c);
};
/*
 * Opens the state, says 'R', serves until told to stop. OK, ERR_BROKEN (the
 * ledger: exit 3), or why it could not start.
 */
enum err ledger_serve(const struct conf *c, const struct serve_options *o);
/* An entry that nobody waits for: what became of it. */
void server_entry(struct server *s, enum err err);
/* Commits the batch and sends the answers. */
void server_commit(struct server *s);
/* The login name of a user who may use the control socket, "" unknown. */
const char *server_login(const struct server *s, uint32_t uid);

#endif
