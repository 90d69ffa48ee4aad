/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of pg_catalog. First match counts; a name that ends in * is a prefix;
 * nargs -1 is any number of arguments. What is not listed is FN_PURE (it depends
 * on its arguments and on definitions only) if the server says that it is
 * immutable, else FN_REFUSED: so a new function of a later version is refused.
 *
 *	FN(name, nargs, class, reason)
 *	FN_STABLE(names, reason): FN_PURE ones that are not immutable
 *	FN_COLUMNS(name, opaque result columns as a bit mask (1 << (n - 1)), reason)
 *	AGG(name, kind, reason): aggregates and window functions; others are ANY
 */
#ifndef FN
#define FN(name, nargs, class, reason)
#endif
#ifndef FN_STABLE
#define FN_STABLE(names, reason)
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

FN_STABLE("age date* extract interval_pl_timestamptz make_timestamptz now overlaps "
    "statement_timestamp time timestamp* timetz timezone transaction_timestamp to_char "
    "to_date to_number to_timestamp in_range generate_series money numeric length",
    "time zone and format settings")
FN_STABLE("anytextcat textanycat array_to_json array_to_string concat concat_ws convert "
    "convert_from convert_to format quote_literal quote_nullable to_json to_jsonb "
    "json_* jsonb_* row_to_json xml xml_is_well_formed", "output functions of types")
FN_STABLE("get_current_ts_config phraseto_tsquery plainto_tsquery to_tsquery to_tsvector "
    "websearch_to_tsquery ts_debug ts_headline ts_match_tq ts_match_tt ts_parse "
    "ts_token_type", "text search settings")
FN_STABLE("enum_first enum_last enum_range regclass to_reg* format_type col_description "
    "obj_description shobj_description aclexplode oidvectortypes "
    "has_*", "definitions and rights")
FN_STABLE("current_database current_schema current_schemas current_user session_user "
    "getpgusername getdatabaseencoding inet_* version row_security_active mxid_age "
    "txid_current* current_setting", "the session; settings take no personal data")
FN_STABLE("pg_available_extension* pg_backend_pid pg_char_to_encoding pg_client_encoding "
    "pg_collation_for pg_collation_is_visible pg_column_compression "
    "pg_column_is_updatable pg_column_size pg_conf_load_time pg_config "
    "pg_conversion_is_visible pg_current_snapshot pg_current_xact_id* "
    "pg_describe_object pg_encoding_to_char pg_extension_update_paths "
    "pg_filenode_relation pg_function_is_visible pg_get_* pg_has_role "
    "pg_identify_object* pg_index_* pg_indexam_has_property pg_is_other_temp_schema "
    "pg_listening_channels pg_mcv_list_items pg_my_temp_schema pg_opclass_is_visible "
    "pg_operator_is_visible pg_opfamily_is_visible pg_options_to_table "
    "pg_postmaster_start_time pg_relation_* pg_replication_origin_oid "
    "pg_sequence_parameters pg_settings_get_flags pg_show_all_settings "
    "pg_statistics_obj_is_visible pg_table_is_visible pg_tablespace_* pg_timezone_* "
    "pg_trigger_depth pg_ts_* pg_type_is_visible pg_typeof", "definitions and state")
FN_STABLE("pg_stat_get_*", "counters; those of filtered rows are above")

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
#undef FN_STABLE
#undef FN_COLUMNS
#undef AGG
