-- SPDX-License-Identifier: Apache-2.0
-- Monitoring: postgres_exporter, Zabbix, check_postgres, Datadog, and people at night.

-- free: is it up
SELECT 1;

-- free: version and uptime
SELECT version(), pg_postmaster_start_time(), now() - pg_postmaster_start_time() AS uptime, current_setting('server_version_num');

-- free: standby or not
SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_lsn() END;

-- free: connections by state
SELECT datname, state, count(*), max(extract(epoch FROM now() - xact_start)) AS max_tx FROM pg_stat_activity GROUP BY datname, state;

-- free: connections against the limit
SELECT count(*) AS used, current_setting('max_connections')::int AS allowed FROM pg_stat_activity;

-- free: long transactions, without their texts
SELECT pid, usename, state, now() - xact_start AS since FROM pg_stat_activity WHERE xact_start < now() - interval '5 minutes' ORDER BY since DESC;

-- free: waiting sessions
SELECT pid, wait_event_type, wait_event, count(*) OVER () FROM pg_stat_activity WHERE wait_event IS NOT NULL AND state = 'active';

-- free: who blocks whom
SELECT blocked.pid AS blocked_pid, blocked.usename, blocking.pid AS blocking_pid, blocking.usename, blocking.state FROM pg_stat_activity blocked JOIN LATERAL unnest(pg_blocking_pids(blocked.pid)) b (pid) ON true JOIN pg_stat_activity blocking ON blocking.pid = b.pid;

-- free: who blocks whom, by pg_locks
SELECT bl.pid AS blocked, kl.pid AS blocking, bl.mode, kl.mode FROM pg_locks bl JOIN pg_locks kl ON kl.transactionid = bl.transactionid AND kl.pid <> bl.pid WHERE NOT bl.granted;

-- free: database counters
SELECT datname, numbackends, xact_commit, xact_rollback, blks_read, blks_hit, temp_files, temp_bytes, deadlocks, conflicts FROM pg_stat_database WHERE datname NOT LIKE 'template%';

-- free: database counters of tuples
SELECT datname, tup_returned, tup_fetched, tup_inserted, tup_updated, tup_deleted FROM pg_stat_database;

-- free: cache hit rate
SELECT round(100.0 * sum(blks_hit) / nullif(sum(blks_hit + blks_read), 0), 2) FROM pg_stat_database;

-- free: table counters: scans, live and dead rows, vacuum
SELECT schemaname, relname, seq_scan, idx_scan, n_live_tup, n_dead_tup, n_mod_since_analyze, last_vacuum, last_autovacuum, last_analyze, vacuum_count FROM pg_stat_user_tables ORDER BY relname;

-- free: table counters: everything
SELECT * FROM pg_stat_user_tables;
-- known charged some: counters of rows tell how many a filter met, also of a statement that showed none: charged by bytes; the other counters are free

-- free: table counters: rows read by scans
SELECT relname, seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables ORDER BY seq_tup_read DESC LIMIT 10;
-- known charged some: counters of rows tell how many a filter met, also of a statement that showed none: charged by bytes; the other counters are free

-- free: table counters: rows written
SELECT relname, n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd FROM pg_stat_user_tables ORDER BY relname;
-- known charged some: counters of rows tell how many a filter met, also of a statement that showed none: charged by bytes; the other counters are free

-- free: share of sequential scans
SELECT relname, 100 * seq_scan / nullif(seq_scan + idx_scan, 0) AS percent FROM pg_stat_user_tables WHERE seq_scan + idx_scan > 0 ORDER BY 2 DESC;

-- free: tables that need a vacuum
SELECT relname, n_dead_tup, n_live_tup, round(100.0 * n_dead_tup / nullif(n_live_tup + n_dead_tup, 0), 1) AS dead FROM pg_stat_user_tables WHERE n_dead_tup > 1000 ORDER BY dead DESC;

-- free: indexes that nobody uses
SELECT relname, indexrelname, idx_scan, pg_relation_size(indexrelid) FROM pg_stat_user_indexes WHERE idx_scan = 0 ORDER BY 4 DESC;

-- free: indexes, everything
SELECT * FROM pg_stat_user_indexes;
-- known charged some: counters of rows tell how many a filter met, also of a statement that showed none: charged by bytes; the other counters are free

-- free: I/O of tables
SELECT relname, heap_blks_read, heap_blks_hit, idx_blks_read, idx_blks_hit FROM pg_statio_user_tables ORDER BY heap_blks_read DESC;

-- free: sizes of tables
SELECT relname, pg_size_pretty(pg_total_relation_size(oid)) FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace ORDER BY pg_total_relation_size(oid) DESC LIMIT 20;

-- free: sizes of databases
SELECT datname, pg_database_size(datname) FROM pg_database WHERE datallowconn;

-- free: wraparound
SELECT datname, age(datfrozenxid), mxid_age(datminmxid) FROM pg_database ORDER BY 2 DESC;

-- free: wraparound of tables
SELECT oid::regclass, age(relfrozenxid) FROM pg_class WHERE relkind IN ('r', 't', 'm') ORDER BY 2 DESC LIMIT 10;

-- free: checkpoints
SELECT checkpoints_timed, checkpoints_req, buffers_checkpoint, buffers_clean, buffers_backend, stats_reset FROM pg_stat_bgwriter;

-- free: WAL
SELECT wal_records, wal_fpi, wal_bytes, wal_buffers_full FROM pg_stat_wal;

-- free: archiver
SELECT archived_count, last_archived_wal, failed_count FROM pg_stat_archiver;

-- free: replication
SELECT application_name, state, sync_state, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) AS lag FROM pg_stat_replication;

-- free: replication slots
SELECT slot_name, slot_type, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) AS kept FROM pg_replication_slots;

-- free: vacuum in progress
SELECT p.pid, p.relid::regclass, p.phase, p.heap_blks_scanned, p.heap_blks_total FROM pg_stat_progress_vacuum p;

-- free: index builds in progress
SELECT pid, phase, blocks_done, blocks_total, tuples_done FROM pg_stat_progress_create_index;

-- free: settings that differ from the default
SELECT name, setting, unit, source FROM pg_settings WHERE source NOT IN ('default', 'override') ORDER BY name;

-- free: settings waiting for a restart
SELECT name FROM pg_settings WHERE pending_restart;

-- free: bloat by an estimate from pg_class and pg_attribute
SELECT c.relname, c.relpages, ceil(c.reltuples * (24 + 4 + (SELECT coalesce(sum(CASE WHEN a.attlen > 0 THEN a.attlen ELSE 16 END), 0) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)) / 8168) AS expected FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 2 DESC;

-- free: average width of columns, as the well-known bloat query takes them from pg_stats (numbers only)
SELECT tablename, sum((1 - null_frac) * avg_width) AS width, max(null_frac) FROM pg_stats WHERE schemaname = 'public' GROUP BY tablename ORDER BY 1;
-- known charged some: pg_stats computes on samples of the columns' values; pg_class.relpages is free

-- free: invalid indexes
SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;

-- free: duplicate indexes
SELECT indrelid::regclass, array_agg(indexrelid::regclass) FROM pg_index GROUP BY indrelid, indkey, indclass, indexprs::text, indpred::text HAVING count(*) > 1;

-- free: foreign keys without an index
SELECT c.conrelid::regclass, c.conname FROM pg_constraint c WHERE c.contype = 'f' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey) ORDER BY 1, 2;

-- free: sequences near their end
SELECT schemaname, sequencename, last_value, max_value, round(100.0 * coalesce(last_value, 0) / max_value, 2) AS used FROM pg_sequences ORDER BY used DESC;

-- free: functions' counters
SELECT funcid, schemaname, funcname, calls, total_time FROM pg_stat_user_functions;

-- free: TLS of sessions
SELECT pid, ssl, version, cipher FROM pg_stat_ssl;

-- free: buffers of SLRU
SELECT name, blks_hit, blks_read FROM pg_stat_slru;

-- free: locks by mode
SELECT mode, count(*) FROM pg_locks GROUP BY mode ORDER BY 2 DESC;

-- free: queries that take long, with their texts (others' literals may be in it)
SELECT pid, now() - query_start AS since, left(query, 60) FROM pg_stat_activity WHERE state = 'active' AND query_start < now() - interval '1 hour';

-- free: end a session of one's own that hangs
SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND state_change < now() - interval '1 day';

-- free: rotate statistics
SELECT pg_stat_get_snapshot_timestamp();

-- free: queue length of the application
SELECT queue, count(*), min(run_at) FROM jobs WHERE done_at IS NULL GROUP BY queue;

-- free: age of the newest order (is the shop alive)
SELECT extract(epoch FROM timestamptz '2026-07-01' - max(ordered_at)) FROM orders;

-- free: role memberships and expiry of passwords
SELECT rolname, rolcanlogin, rolvaliduntil, rolconnlimit FROM pg_roles ORDER BY 1;

-- free: heartbeat row
INSERT INTO app_settings (key, value) VALUES ('heartbeat', 'x') ON CONFLICT (key) DO UPDATE SET updated_at = now();
