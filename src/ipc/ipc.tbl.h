/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between a gate worker and the ledger: the permission table.
 *
 *   IPC(name, number, direction, when, body)
 *
 * direction: G = gate to ledger, L = ledger to gate. when: the phase of the
 * connection (sid) in which the ledger accepts it:
 *   LINK  sid 0, about the worker itself     NEW   no session yet
 *   AUTH  between AUTH_FIRST and AUTH_OK     LIVE  after AUTH_OK
 *   ANY   any phase
 * A message in the wrong direction or phase, or whose body is not used up
 * exactly, is malformed: the ledger closes the worker's channel, which ends the
 * worker (the parent starts a new one), and writes an `incident` entry.
 *
 * Body notation: u8 u16 u32 u64 big-endian; s = u16 length + bytes; S = u32
 * length + bytes; n*( ) = u16 count + that many.
 */
/* gate -> ledger */
IPC(HELLO, 1, 'G', LINK, "u16 version, u16 worker")
IPC(AUTH_FIRST, 2, 'G', NEW, "s client_address, s actor, s database, u8 tls, s channel_binding, s mechanism, s client_first, s application_name")
IPC(AUTH_FINAL, 3, 'G', AUTH, "s client_final")
IPC(UP_AUTH, 4, 'G', LIVE, "u16 database, u32 method, S data; method = the code of the server's Authentication message")
IPC(SESSION_END, 5, 'G', ANY, "s reason")
IPC(STATEMENT, 6, 'G', LIVE, "u8 verdict_class, u32 count, u64 rows, u64 bytes, S shape, S original")
IPC(STMT_OPEN, 7, 'G', LIVE, "u8 verdict_class, u8 fallback_used, S shape, S original, n*(s table, s columns), n*(s domain)")
IPC(RELEASE, 8, 'G', LIVE, "u32 request, u32 nrows, u64 bytes, u8 last, rows; last = 1: the statement is complete with them; row = u8 nkeys | 0x80 if anon, [u32 anon], nkeys*(u8 domain_index, s key)")
IPC(STMT_END, 9, 'G', LIVE, "u64 rows, u64 bytes, u8 outcome; 0 complete, 1 cut, 2 error")
IPC(DENY, 10, 'G', LIVE, "b5 sqlstate, u8 why, s object, S shape, S original")
IPC(ALERT, 11, 'G', ANY, "s kind, s database, s object")
IPC(INCIDENT, 12, 'G', ANY, "s kind, s detail")
IPC(CATALOG, 13, 'G', LINK, "u16 database, s table, n*(s column)")
IPC(EPOCH, 14, 'G', LINK, "u16 database")
IPC(CANCEL, 15, 'G', LINK, "u32 process_id, u32 secret")
IPC(UP_AUTH_LINK, 16, 'G', LINK, "u16 database, u32 handle, u32 method, S data; as UP_AUTH, for the worker's own side connection")
/* ledger -> gate */
IPC(AUTH_CONT, 32, 'L', AUTH, "s server_first")
IPC(AUTH_OK, 33, 'L', AUTH, "s server_final, u64 session, u16 database, u16 role")
IPC(AUTH_FAIL, 34, 'L', ANY, "b5 sqlstate, s message; 28P01 wrong, KB006 disabled/locked/expired, KB005 cannot seal, 3D000 database not permitted")
IPC(UP_REPLY, 35, 'L', ANY, "u32 handle, u8 status, S payload; status 0 send payload as a 'p' message, 1 nothing to send, 2 refused. handle 0 for UP_AUTH")
IPC(GRANT, 36, 'L', LIVE, "u32 request, u32 granted_rows, u8 reason, u8 window, u64 used, u64 limit, u64 frees_at_us; reason 0 all, 1 budget, 2 hold, 3 cannot seal, 4 observed (all granted, over budget)")
IPC(BASELINE, 37, 'L', LINK, "u16 database, s table, n*(s column)")
IPC(EPOCH_ALL, 38, 'L', LINK, "u16 database")
IPC(CANCEL_ALL, 39, 'L', LINK, "u32 process_id, u32 secret")
IPC(KILL, 40, 'L', ANY, "b5 sqlstate, s message")
