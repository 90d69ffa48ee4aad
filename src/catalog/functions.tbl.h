/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of pg_catalog that are not what the others are: FN_PURE, depending
 * on their arguments and on definitions only. First match counts; a name that
 * ends in * is a prefix; nargs -1 is any number of arguments.
 *
 * Every volatile function of PostgreSQL 15 is listed, also where it is PURE, so
 * that a new one in a later version fails the test instead of passing.
 *
 *	FN(name, nargs, class, reason)
 *	FN_COLUMNS(name, opaque result columns as a bit mask (1 << (n - 1)), reason)
 *	AGG(name, kind, reason): aggregates and window functions; others are ANY
 */
#ifndef FN
#define FN(name, nargs, class, reason)
#endif
#ifndef FN_COLUMNS
#define FN_COLUMNS(name, mask, reason)
#endif
#ifndef AGG
#define AGG(name, kind, reason)
#endif

/* Run SQL text or read tables by name: their tables are not in the tree. */
FN("query_to_xml*", -1, REFUSED, "runs SQL text")
FN("cursor_to_xml*", -1, REFUSED, "reads a cursor by name")
FN("table_to_xml*", -1, REFUSED, "reads a table by name")
FN("schema_to_xml*", -1, REFUSED, "reads all tables of a schema")
FN("database_to_xml*", -1, REFUSED, "reads all tables")
FN("ts_stat", -1, REFUSED, "runs SQL text")
FN("ts_rewrite", 2, REFUSED, "runs SQL text")
FN("pg_extension_config_dump", -1, REFUSED, "for extension scripts")

/* Take a type by OID and run that type's code (checks of a domain). */
FN("domain_in", -1, REFUSED, "runs the checks of a domain given by OID")
FN("array_in", -1, REFUSED, "runs the input function of a type given by OID")
FN("record_in", -1, REFUSED, "runs the input functions of a type given by OID")
FN("range_in", -1, REFUSED, "runs the input function of a type given by OID")
FN("multirange_in", -1, REFUSED, "runs the input function of a type given by OID")

/* Files, large objects, WAL: data outside of the tables that the catalog knows. */
FN("pg_read_*", -1, REFUSED, "reads files of the server")
FN("pg_ls_*", -1, REFUSED, "lists files of the server")
FN("pg_stat_file", -1, REFUSED, "reads files of the server")
FN("pg_file_*", -1, REFUSED, "writes files of the server")
FN("pg_execute*", -1, REFUSED, "runs programs")
FN("lo_*", -1, REFUSED, "large objects have no columns")
FN("loread", -1, REFUSED, "large objects have no columns")
FN("lowrite", -1, REFUSED, "large objects have no columns")
FN("pg_logical_slot_*", -1, REFUSED, "shows the changes of all tables")
FN("pg_create_physical_replication_slot", -1, REFUSED, "replication")
FN("pg_create_logical_replication_slot", -1, REFUSED, "replication")
FN("pg_copy_physical_replication_slot", -1, REFUSED, "replication")
FN("pg_copy_logical_replication_slot", -1, REFUSED, "replication")
FN("pg_drop_replication_slot", -1, REFUSED, "replication")
FN("pg_replication_slot_advance", -1, REFUSED, "replication")
FN("pg_replication_origin_create", -1, REFUSED, "replication")
FN("pg_replication_origin_drop", -1, REFUSED, "replication")
FN("pg_replication_origin_advance", -1, REFUSED, "replication")
FN("pg_replication_origin_session_*", -1, REFUSED, "replication")
FN("pg_replication_origin_xact_*", -1, REFUSED, "replication")
FN("pg_replication_origin_progress", -1, PURE, "a position in the WAL")
FN("pg_backup_*", -1, REFUSED, "copies the whole cluster")
FN("binary_upgrade_*", -1, REFUSED, "changes catalogs")
FN("pg_import_system_collations", -1, REFUSED, "changes catalogs")
FN("pg_nextoid", -1, REFUSED, "changes catalogs")
FN("pg_stop_making_pinned_objects", -1, REFUSED, "changes catalogs")
FN("plpgsql_*", -1, REFUSED, "runs code")
FN("fmgr_*", -1, REFUSED, "runs code")

/* Effects outside of the result: others can see the arguments, or that a row was there. */
FN("pg_notify", -1, SINK, "sends its arguments to other sessions")
FN("setval", -1, SINK, "stores a number")
FN("nextval", -1, SINK, "stores how often it ran")
FN("setseed", -1, SINK, "stores a number")
FN("pg_advisory_*", -1, SINK, "locks are shown to others")
FN("pg_try_advisory_*", -1, SINK, "locks are shown to others")
FN("pg_sleep*", -1, SINK, "time can be measured")
FN("pg_logical_emit_message", -1, SINK, "writes to the WAL")
FN("pg_terminate_backend", -1, SINK, "can be seen by others")
FN("pg_cancel_backend", -1, SINK, "can be seen by others")
FN("pg_log_backend_memory_contexts", -1, SINK, "writes to the server's log")
FN("pg_rotate_logfile*", -1, SINK, "changes the server's log")
FN("pg_reload_conf", -1, SINK, "acts on the server")
FN("pg_promote", -1, SINK, "acts on the server")
FN("pg_switch_wal", -1, SINK, "acts on the server")
FN("pg_wal_replay_*", -1, SINK, "acts on the server")
FN("pg_create_restore_point", -1, SINK, "writes its argument to the WAL")
FN("pg_export_snapshot", -1, SINK, "writes a file")
FN("pg_stat_reset*", -1, SINK, "acts on the statistics")
FN("pg_stat_force_next_flush", -1, SINK, "acts on the statistics")
FN("pg_stat_clear_snapshot", -1, SINK, "acts on the statistics")
FN("brin_summarize_*", -1, SINK, "maintains an index")
FN("brin_desummarize_range", -1, SINK, "maintains an index")
FN("gin_clean_pending_list", -1, SINK, "maintains an index")

FN("set_config", -1, SETTING, "judged by the setting that it changes")

/* Show other people's statements or values of columns, whatever the arguments. */
FN("pg_stat_get_backend_activity", -1, OPAQUE, "the statement of another session")
FN("pg_prepared_statement", -1, OPAQUE, "texts of statements")
FN("pg_cursor", -1, OPAQUE, "texts of statements")
FN("pg_get_backend_memory_contexts", -1, OPAQUE, "texts of statements")
FN("pg_show_all_file_settings", -1, OPAQUE, "the server's files")
FN("pg_hba_file_rules", -1, OPAQUE, "the server's files")
FN("pg_ident_file_mappings", -1, OPAQUE, "the server's files")
FN("pg_stat_get_wal_receiver", -1, OPAQUE, "a connection string")
FN("pg_stat_get_tuples_fetched", -1, OPAQUE, "counts the rows that a filter met")
FN("pg_stat_get_tuples_returned", -1, OPAQUE, "counts the rows that a filter met")
FN("pg_stat_get_tuples_updated", -1, OPAQUE, "counts the rows that a filter met")
FN("pg_stat_get_tuples_deleted", -1, OPAQUE, "counts the rows that a filter met")
FN("pg_stat_get_tuples_hot_updated", -1, OPAQUE, "counts the rows that a filter met")
FN("pg_stat_get_xact_tuples_fetched", -1, OPAQUE, "counts the rows that a filter met")
FN("pg_stat_get_xact_tuples_returned", -1, OPAQUE, "counts the rows that a filter met")
FN("pg_stat_get_xact_tuples_updated", -1, OPAQUE, "counts the rows that a filter met")
FN("pg_stat_get_xact_tuples_deleted", -1, OPAQUE, "counts the rows that a filter met")
FN("pg_stat_get_xact_tuples_hot_updated", -1, OPAQUE, "counts the rows that a filter met")

FN_COLUMNS("pg_stat_get_activity", 1u << 5, "query: the statement of another session")

/* Volatile, and yet nothing but definitions, the clock or the session's own state. */
FN("amvalidate", -1, PURE, "definitions")
FN("clock_timestamp", -1, PURE, "the clock")
FN("timeofday", -1, PURE, "the clock")
FN("random", -1, PURE, "chance")
FN("gen_random_uuid", -1, PURE, "chance")
FN("current_query", -1, PURE, "the client's own text")
FN("currtid2", -1, PURE, "where a row lies")
FN("currval", -1, PURE, "sequences take no personal data (nextval, setval)")
FN("lastval", -1, PURE, "sequences take no personal data (nextval, setval)")
FN("pg_sequence_last_value", -1, PURE, "sequences take no personal data (nextval, setval)")
FN("pg_blocking_pids", -1, PURE, "locks")
FN("pg_safe_snapshot_blocking_pids", -1, PURE, "locks")
FN("pg_isolation_test_session_is_blocked", -1, PURE, "locks")
FN("pg_lock_status", -1, PURE, "locks take no personal data (pg_advisory_*)")
FN("pg_notification_queue_usage", -1, PURE, "a size")
FN("pg_control_*", -1, PURE, "the server's state")
FN("pg_current_logfile", -1, PURE, "a file's name")
FN("pg_current_wal_*", -1, PURE, "a position in the WAL")
FN("pg_last_*", -1, PURE, "a position in the WAL")
FN("pg_get_wal_*", -1, PURE, "the server's state")
FN("pg_is_in_recovery", -1, PURE, "the server's state")
FN("pg_is_wal_replay_paused", -1, PURE, "the server's state")
FN("pg_jit_available", -1, PURE, "the server's state")
FN("pg_get_shmem_allocations", -1, PURE, "the server's state")
FN("pg_show_replication_origin_status", -1, PURE, "a position in the WAL")
FN("pg_collation_actual_version", -1, PURE, "definitions")
FN("pg_database_collation_actual_version", -1, PURE, "definitions")
FN("pg_partition_*", -1, PURE, "definitions")
FN("pg_prepared_xact", -1, PURE, "names of transactions")
FN("pg_get_multixact_members", -1, PURE, "transaction numbers")
FN("pg_xact_*", -1, PURE, "transaction numbers")
FN("txid_status", -1, PURE, "transaction numbers")
/* Sizes in pages: the one physical trace of personal values that is left free. */
FN("pg_relation_size", -1, PURE, "a size in pages")
FN("pg_table_size", -1, PURE, "a size in pages")
FN("pg_indexes_size", -1, PURE, "a size in pages")
FN("pg_total_relation_size", -1, PURE, "a size in pages")
FN("pg_database_size", -1, PURE, "a size in pages")
FN("pg_tablespace_size", -1, PURE, "a size in pages")
FN("pg_stat_get_xact_*", -1, PURE, "counters of scans, blocks and calls")
FN("pg_stat_get_recovery_prefetch", -1, PURE, "the server's state")
FN("pg_stat_have_stats", -1, PURE, "the server's state")
FN("ts_rewrite", 3, PURE, "works on its arguments")

AGG("count", COUNT, "a number of rows")
AGG("row_number", COUNT, "a number of rows")
AGG("rank", COUNT, "a number of rows")
AGG("dense_rank", COUNT, "a number of rows")
AGG("percent_rank", COUNT, "a share of rows")
AGG("cume_dist", COUNT, "a share of rows")
AGG("ntile", COUNT, "a number of rows")
AGG("min", PICK, "the value of one row")
AGG("max", PICK, "the value of one row")
AGG("mode", PICK, "the value of one row")
AGG("lag", PICK, "the value of one row")
AGG("lead", PICK, "the value of one row")
AGG("first_value", PICK, "the value of one row")
AGG("last_value", PICK, "the value of one row")
AGG("nth_value", PICK, "the value of one row")

#undef FN
#undef FN_COLUMNS
#undef AGG
