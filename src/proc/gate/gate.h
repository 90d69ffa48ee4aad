/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate worker: one libuv loop that speaks PostgreSQL's protocol to both
 * sides. Reads hostile bytes, so it holds no key, opens no file (L10).
 *
 * One file a concern:
 *   gate.c    the worker: start, listening, ticks     link.c   channel to the ledger
 *   side.c    a connection of its own to each database: catalog, epoch
 *   front.c   a client: start-up, authentication       back.c   its server connection
 *   query.c   client messages of a protected database  judge.c  verdicts, cache
 *   reply.c   server messages of a protected database  meter.c  sealing before release
 *   relay.c   an unprotected database: bytes through, statements counted
 *   cancel.c  cancel requests
 *
 * Invariants:
 *  1. Nothing of a charged row is in the sendable part of front.out before the
 *     ledger's GRANT for it came (L1). `hold` marks where that part ends.
 *  2. No statement reaches the server of a protected database without a verdict
 *     that holds for the session's context at that point of the stream (L3).
 *  3. Every message sent to the server has an entry in `ops` that says what
 *     becomes of its answers.
 */
#ifndef KB_PROC_GATE_GATE_H
#define KB_PROC_GATE_GATE_H

#include <libintl.h>

#include "base/buf.h"
#include "base/map.h"
#include "catalog/catalog.h"
#include "conf/conf.h"
#include "ipc/ipc.h"
#include "os/conn.h"
#include "pg/msg.h"
#include "pg/row.h"
#include "sql/sql.h"
#include "verdict/verdict.h"

#define _(s) gettext(s)
#define N_(s) (s)

#define SCRATCH_BYTES (256u << 10)
#define FRONT_OUT_MAX (64u << 20)	/* one message, when it must be held whole */
#define FRONT_OUT_HIGH (1u << 20)	/* stop reading the server above this */
#define BACK_OUT_HIGH (1u << 20)	/* stop reading the client above this */
#define CHUNK_BYTES (64u << 10)	/* rows sealed in one request */
#define CHUNK_ROWS 4000
#define COLLECT_MAX (1u << 20)	/* server messages that must be read whole */
#define CONNECT_TIMEOUT_S 15	/* to a server, without connect_timeout */
#define SPARE_CLIENTS 64	/* above max_clients: are told so, or cancel */

struct gate;
struct session;

/* A judged statement text: cached by shape, shared by sessions. */
struct judged {
	unsigned refs;
	struct verdict v;	/* of what is executed, hidden key included */
	enum sql_kind kind;
	char *hidden;		/* "expr, " inserted first; NULL: none */
	unsigned nhidden;	/* columns that it adds: stripped from every row */
	enum verdict_class class;	/* how rows are charged: v's, or its fallback */
	uint64_t epoch;
	bool plain;		/* may be sent as it came, by shape alone */
	bool first_row_only;	/* ROWS: charged once, with the first row */
	bool keeps_context;	/* SET of something that no name depends on */
	char sqlstate[6];	/* refused: code, text */
	char *message;
	char *hint;
	char *domains[VERDICT_MAX_KEYS];	/* whose keys v.keys are: names */
};

enum op_type {
	OP_QUERY, OP_PARSE, OP_BIND, OP_DESCRIBE_STMT, OP_DESCRIBE_PORTAL,
	OP_EXECUTE, OP_CLOSE, OP_SYNC
};

/* What an answer of the server belongs to. */
struct op {
	enum op_type type;
	uint8_t internal;	/* enum op_internal: the gate's own message */
	bool quiet;		/* its ReadyForQuery is not the client's (split text) */
	bool cut;		/* the budget ended in it: drop the rest */
	bool poisoned;		/* sent to fail; refusal in j or `text` */
	bool charged;		/* s->charge is about it */
	bool saw_error;
	bool complete;		/* OP_QUERY: only its ReadyForQuery is to come */
	bool began;		/* OP_QUERY: hidden BEGIN opened before */
	uint32_t copy_ends;	/* CopyDone/CopyFail sent before it */
	struct stmt *stmt;	/* shares; NULL: the gate's own, or no statement */
	char *name;		/* PARSE, BIND, CLOSE: the object */
	char object;		/* CLOSE, DESCRIBE: 'S' or 'P' */
	void *undo;		/* what `name` was before (PARSE, BIND, CLOSE), for failure */
	bool has_undo;
	bool changes_context;
	/* row description of what is being returned */
	uint16_t ncols;
	uint8_t *formats;	/* result formats of the portal: n * u16 */
	unsigned formats_count;
	uint64_t rows;
	bool copy_first;	/* next CopyData is the first (binary header, CSV header) */
};

#define CUT_TEXT "kuraban: budget reached"	/* fails, and says why in the server's log */

enum op_internal {
	INT_NONE, INT_QUIET,	/* answers are dropped */
	INT_TREE,		/* notices carry the rewritten tree: collected */
	INT_FAIL,		/* sent to fail: its error is dropped */
	INT_READY,		/* the same; its ReadyForQuery becomes the client's */
	INT_BEGIN, INT_END	/* first and last of a group */
};

/*
 * What one executable statement is: shared by the prepared statement, its
 * portals and the ops that run it.
 */
struct stmt {
	unsigned refs;
	char *text;		/* as the client sent it */
	size_t len;
	uint64_t hash;		/* of its shape */
	struct judged *j;
	enum sql_kind kind;
	char *name;		/* cursor, prepared statement, setting it is about */
	char *value;		/* SET: the constant, or NULL */
	struct pg_copy copy;
	bool copy_header;
	bool temp;
};

struct pstmt {			/* a prepared statement, protocol or SQL */
	struct stmt *stmt;
	struct buf types;	/* as in Parse */
	uint64_t ctx;
	bool pending;		/* its Parse is not answered yet */
	uint64_t syncs;		/* Syncs sent before it */
};

struct portal {			/* a portal, also one that DECLARE made */
	struct stmt *stmt;
	uint8_t *formats;
	unsigned formats_count;
	bool pending;
	uint64_t syncs;
};

/* A run of rows that waits for the ledger. */
struct chunk {
	struct chunk *next;
	uint32_t request;
	uint64_t start, end;	/* stream positions in front.out */
	uint32_t nrows;
};

#define TALLIES 4
struct tally {			/* free statements, counted until logged */
	uint64_t hash;
	char *shape;
	size_t shape_len;
	char *original;
	size_t original_len;
	uint32_t count;
	uint64_t rows, bytes;
	uint8_t class;
};

enum phase {
	PH_START,		/* start-up packet, TLS */
	PH_AUTH,		/* SASL */
	PH_CONNECT,		/* to the server */
	PH_LIVE,
	PH_CLOSING
};

/* What the session waits for before it takes the next client message. */
enum wait {
	WAIT_NONE,
	WAIT_TREE,		/* the server's tree of the statement in `judge` */
	WAIT_CATALOG,
	WAIT_DRAIN,		/* answers that decide names or context are to come */
	WAIT_METER,		/* a charged query is not wholly decided: only Sync passes */
	WAIT_COMMIT,		/* a charged change: nothing passes */
	WAIT_COPY,		/* COPY data came before the server's CopyInResponse */
	WAIT_PIECE,		/* a piece of a multi-statement text runs */
	WAIT_CANCEL		/* the cut statement's cancel is on its way */
};

/* The ledger's answer about one chunk (IPC_GRANT). */
struct grant {
	uint32_t request, rows;
	uint8_t reason, window;
	uint64_t used, limit, frees_at_us;
};

struct back;

struct session {
	uint32_t sid;
	struct gate *gate;
	struct session *prev, *next;
	enum phase phase;
	enum wait wait;
	struct conn front;
	struct back *back;
	struct db *db;
	const struct conf_role *role;
	uint64_t id;		/* the ledger's session number */
	char *actor, *peer, *app;
	struct buf startup;	/* parameters for the server, "name\0value\0"... */
	struct buf in;		/* client bytes not yet taken */
	uint64_t started_us;
	uint32_t cancel_key;
	unsigned sasl_step;
	bool tls_asked, gss_asked, back_ready, closing_after_flush;
	bool too_many;		/* above max_clients */
	uint8_t minor_asked;	/* protocol 3.x asked for */

	/* stream to the client */
	uint64_t out_base;	/* stream position of front.out's head */
	struct chunk *chunks, **chunks_tail;
	uint32_t next_request;
	const uint8_t *run;	/* bytes of the scratch buffer to be sent next */
	size_t run_len;

	/* relay of one message that is longer than what was read */
	uint32_t front_left;	/* client message: bytes to pass on */
	bool front_drop;
	uint64_t back_left;	/* server message: bytes to pass on */
	bool back_drop;

	/* protected sessions */
	struct op *ops;
	size_t ops_head, ops_len, ops_cap;
	struct map stmts, portals;
	char txn;		/* status of the last ReadyForQuery */
	uint64_t ctx;		/* name-resolution context, hash chain */
	uint64_t syncs;		/* Syncs and queries sent */
	bool txn_dirty;		/* context changed inside the transaction */
	bool txn_ddl;
	bool txn_touched;	/* personal data was touched in this transaction */
	bool skip_to_sync;	/* client's rest of the pipeline is not executed */
	bool drop_to_sync;	/* server's answers up to ReadyForQuery are not passed */
	bool in_pipeline;	/* messages were sent since the last Sync */
	bool tree_ready;	/* kb$on, kb$off are prepared */
	bool std_strings;
	bool copy_in;
	uint32_t copy_ends;
	bool poison_pending;

	struct judge *judge;	/* the statement being judged */

	/* multi-statement text, one piece at a time */
	char *pieces;
	struct sql_list piece_list;
	size_t piece_next;
	bool pieces_began;	/* a hidden BEGIN was sent */
	bool pieces_failed;

	/* the charged statement: one at a time */
	bool charged;		/* not wholly decided */
	struct stmt *charge;	/* shares */
	bool charge_opened;	/* STMT_OPEN was sent */
	bool charge_ended;	/* its end was told with its last rows */
	bool charge_over;	/* its last answer is in */
	bool charge_cut;	/* the budget ended in it */
	bool charge_failed;	/* the server reported an error for it */
	struct grant cut_by;	/* why */
	bool cut_untold;	/* the client's error is still to be sent */
	bool cutting;		/* the server is still being cancelled */
	unsigned held_ready;	/* ReadyForQuery behind it that wait for the decision */
	bool held_piece;
	bool flush_asked;
	struct buf rows;	/* RELEASE body being filled */
	uint32_t rows_n;
	uint64_t rows_start, rows_bytes;
	uint64_t charge_rows, charge_bytes;
	uint32_t first_request;	/* grants of earlier ones are of a cut statement */

	struct tally tallies[TALLIES];
	uint64_t wait_since_us;	/* WAIT_CATALOG */
	bool leaving;		/* the client said Terminate */
	bool kill;
	unsigned kill_ticks;
	uint32_t outstanding;	/* relay: ReadyForQuery still to come */
};

/* A database of the configuration, as this worker sees it. */
struct db {
	struct gate *gate;
	const struct conf_database *conf;
	uint16_t index;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	SSL_CTX *tls;		/* NULL: sslmode disable */
	uint64_t connect_us;	/* a login to it may take; UINT64_MAX: any time */
	struct catalog *catalog;	/* NULL until loaded */
	uint64_t epoch;
	struct map cache;	/* shape -> struct judged */
	size_t cache_bytes;
	struct side *side;
	uint64_t side_next_us;
};

struct gate {
	uv_loop_t loop;
	const struct conf *conf;
	unsigned worker;
	int listen_fd[16];
	uv_poll_t listen_poll[16];
	unsigned nlisten;
	uv_timer_t tick;
	struct db *dbs;
	struct session *sessions;
	size_t nsessions;
	_Atomic uint32_t *counts;	/* sessions of each worker; shared by all */
	bool deaf;		/* no file descriptors: listens again at the next tick */
	struct map by_sid;
	uint32_t next_sid;
	SSL_CTX *tls;		/* the gate's own certificate; NULL: no TLS */
	uint8_t cert_hash[64];	/* tls-server-end-point */
	size_t cert_hash_len;
	uint8_t *scratch;
	/* ledger */
	uv_poll_t link_poll;
	int link_fd;
	struct buf link_in, link_out;
	int link_events;
	bool link_dead;
	bool link_dirty;
	uint64_t tick_count;
	bool stopping;
};

/* gate.c */
int gate_main(int argc, char **argv);
void gate_count(struct gate *g);	/* nsessions changed */
void gate_flush(struct gate *g);	/* end of an event: send what was queued */
struct session *gate_session(struct gate *g, uint32_t sid);

/* link.c */
void link_start(struct gate *g, int fd);
void link_flush(struct gate *g);
void link_alert(struct gate *g, const char *kind, const char *db, const char *object);
void link_incident(struct session *s, const char *kind, const char *detail);
void link_deny(struct session *s, const char *sqlstate, unsigned why,
    const char *object, const char *text, size_t len);
void link_statement(struct session *s, const struct tally *st);
bool link_congested(const struct gate *g);

/* side.c */
void side_start(struct db *db);
void side_reload(struct db *db);	/* definitions changed: load the catalog again */
void side_up_reply(struct gate *g, uint32_t handle, uint8_t status, struct slice payload);
void side_baseline(struct gate *g, struct rd *body);
bool side_ready(const struct db *db);
void db_bump(struct db *db, bool tell);

/* front.c */
void front_accept(struct gate *g, int fd, bool too_many);
void front_ready(struct conn *c, int events);
void front_auth(struct session *s, enum ipc_type type, struct rd *body);
void session_close(struct session *s);
void session_finish(struct session *s);
void session_fatal(struct session *s, const char *sqlstate, const char *message,
    const char *detail, const char *hint);
void session_protocol_error(struct session *s, const char *what);
void session_update(struct session *s);	/* flush, set poll events, resume */
void session_tick(struct session *s, uint64_t now_us);
void front_live(struct session *s);	/* the server is ready for queries */
void front_take(struct session *s);	/* takes client messages while it may */
bool front_copy_comes(struct session *s);
/* Makes what was queued so far part of front.out. */
void front_settle(struct session *s);
/* front.out, to append a message to: the only way to write it in order. */
static inline struct buf *
front_out(struct session *s)
{
	front_settle(s);
	return &s->front.out;
}
/* Queues bytes for the client: after everything before, held if that is held. */
void front_put(struct session *s, const void *p, size_t len);
size_t front_sendable(const struct session *s);
/* Counts executions and rows of a statement of this shape. */
void tally_count(struct session *s, enum verdict_class class, uint64_t hash, const char *text, size_t len,
    uint32_t count, uint64_t rows);
void tally_flush(struct session *s);

/* upstream.c: connect, TLS, start-up and authentication to a database server */
enum up_phase { UP_CONNECT, UP_SSL, UP_TLS, UP_AUTH, UP_LIVE, UP_CLOSED };
struct up {
	struct conn conn;
	struct db *db;
	enum up_phase phase;
	uint64_t started_us;
	struct buf in;			/* until live: bytes of incomplete messages */
	struct buf params;		/* start-up parameters: name\0value\0 ... */
	void *owner;
	/* The server wants authentication: answer with up_password(). */
	void (*auth)(struct up *u, uint32_t code, struct slice data);
	/* Messages between authentication and the first ReadyForQuery. */
	void (*greet)(struct up *u, char type, struct slice body);
	/* Bytes once live. They are in the worker's scratch buffer. */
	void (*data)(struct up *u, const uint8_t *p, size_t len);
	/* Event handled: flush and set poll events. */
	void (*settle)(struct up *u);
	/* body: the server's ErrorResponse, or empty. The owner closes. */
	void (*fail)(struct up *u, const char *why, struct slice body);
	void (*closed)(struct up *u);
};
/* It has not let the gate in, and should have by now. */
bool up_late(const struct up *u, uint64_t now_us);
bool up_start(struct up *u, struct db *db, const char *application_name);
void up_password(struct up *u, struct slice payload);
void up_close(struct up *u);

/* back.c */
struct back {
	struct up up;
	struct session *session;	/* NULL once the session let go of it */
	uint32_t pid, secret;
};
void back_start(struct session *s);
void back_close(struct session *s);
void back_up_reply(struct session *s, uint8_t status, struct slice payload);
void back_put(struct session *s, const void *p, size_t len);
struct buf *back_out(struct session *s);

/* query.c */
void query_message(struct session *s, struct pg_head h, struct slice body);
void query_piece_done(struct session *s);
/* Sends what fails on the server: after a cut, the client was told of an error, so
 * its transaction must be one. No answer is the client's, but as `how` says. */
void query_abort(struct session *s, enum op_internal how);
void query_judged(struct session *s);	/* the verdict waited for is there */
/*
 * A prepared statement was judged again, for the session's context as it is now.
 * The text on the server is the old one. false: it is not what was judged.
 */
bool pstmt_judged(struct session *s, struct pstmt *ps, const struct judge *j);
struct op *op_push(struct session *s, enum op_type type);
struct op *op_head(struct session *s);
struct op *op_at(struct session *s, size_t i);
void op_pop(struct session *s);
void op_undo(struct session *s, struct op *op);
void ctx_changed(struct session *s, const char *text, size_t len, bool unique);
struct stmt *stmt_ref(struct stmt *st);
void stmt_unref(struct stmt *st);
void pstmt_free(struct pstmt *p);
void portal_free(struct portal *p);
void query_op_done(struct session *s, struct op *op, const char *tag);
void query_drained(struct session *s);
static inline struct judged *
op_judged(const struct op *op)
{
	return op->stmt ? op->stmt->j : NULL;
}

/* judge.c */
struct judge {			/* one statement on its way to a verdict */
	char *text;		/* owned: what the client sent */
	size_t len;
	struct buf types;	/* Parse's parameter types */
	char *shape;
	size_t shape_len;
	uint64_t hash;
	struct sql_list list;
	enum sql_kind kind;
	struct buf tree_text;	/* what is Parsed to get the tree */
	struct buf tree;
	size_t first_target;	/* in tree_text; 0: nothing may be inserted */
	char *hidden;		/* tried: "expr, " */
	bool as_prepare;	/* tree_text is a PREPARE to be executed */
	int target_class;
	bool extended;		/* comes from Parse or Bind, not Query */
	unsigned round, trees;
	unsigned nhidden;
	size_t ncols;		/* result columns before the hidden ones */
	bool explain, analyze;
	struct judged *result;
	bool wait_catalog;
	struct buf error;	/* the server's own error for it: relayed */
	bool failed;
	char mode;		/* 'Q' query, 'P' parse, 'B' bind */
	/* An EXECUTE (owned) that waits: this judges again what it names. */
	struct judge *execute;
	char *name;		/* P: the statement's name */
	struct buf msg;		/* B: the Bind that waits */
};
/* The cached verdict of a text that may run as it came; NULL: judge it. */
struct judged *judged_peek(struct session *s, const char *text, size_t len,
    struct slice types, uint64_t *hash);
/*
 * Starts judging; true: j->result (or j->failed) is there already. Otherwise the
 * session waits and query_judged() is called later.
 */
bool judge_start(struct session *s, struct judge *j);
/* s->judge->execute goes on: what it names was judged again. */
void judge_execute(struct session *s);
void judge_tree_done(struct session *s, struct slice error);
void judge_catalog_ready(struct session *s);
void judge_free(struct judge *j);
struct judged *judged_refusal(const char *sqlstate, const char *message,
    const char *hint, unsigned why, const char *object);
/*
 * The text to be executed for a judged statement: `text` itself with the hidden
 * key inserted. Allocated.
 */
char *judged_text(const struct judged *v, const char *text,
    const struct sql_stmt *st);
bool setting_is(const struct sql_stmt *st, const char *name);
/* May a session set this? value: the constant, NULL for RESET or a list. */
bool setting_allowed(const char *name, const char *value);
struct judged *judged_ref(struct judged *j);
void judged_unref(struct judged *j);
void cache_clear(struct db *db);

/* reply.c */
void reply_ready(struct session *s);	/* ReadyForQuery, with s->txn */
/* A ParameterStatus of the server that changes how the gate reads. */
void reply_parameter(struct session *s, const char *name, const char *value);
void reply_bytes(struct session *s, const uint8_t *p, size_t len);

/* meter.c */
void meter_begin(struct session *s, struct op *op);
/* A row of the charged statement, queued for the client as [start, end). */
void meter_row(struct session *s, const struct op *op, uint64_t start,
    const struct pg_cell *cells, size_t n);
/* A COPY line. */
void meter_line(struct session *s, uint64_t start, struct slice line);
/* Something else of it that shows up to `units` subjects. */
void meter_units(struct session *s, uint64_t start, uint32_t units);
void meter_flush(struct session *s);	/* ends the chunk being filled */
void meter_over(struct session *s);	/* the statement's last answer is in */
void meter_grant(struct session *s, struct rd *body);
bool judged_charges(const struct judged *j);
/* The class that the ledger is told. */
enum verdict_class judged_class(const struct judged *j);
static inline uint64_t
front_pos(const struct session *s)
{
	return s->out_base + buf_used(&s->front.out);
}

/* relay.c */
void relay_front(struct session *s, const uint8_t *p, size_t len);
void relay_back(struct session *s, const uint8_t *p, size_t len);

/* cancel.c */
void cancel_request(struct gate *g, uint32_t pid, uint32_t secret);
bool cancel_local(struct gate *g, uint32_t pid, uint32_t secret);
void cancel_abandoned(struct session *s);
void cancel_back(struct session *s, void (*done)(struct session *));

#endif
