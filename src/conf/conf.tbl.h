/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every option of kuraban.conf, one line each: the single source for the reader
 * and for docs/manual/conf.md.
 *
 *   OPT(scope, name, kind, field, default, low, high, text)
 *   LIST(scope, name, field, count_field, default, text)
 *
 * scope: where it is written; ROOT is outside all sections. default: as it would
 * be written, NULL when there is none. low, high: of NUMBER, LIMIT.
 * kind: TEXT, NUMBER (unsigned), LIMIT (uint64_t), YESNO, or a word of a list:
 * EXCESS, PERSONAL, DDL, LANGUAGE.
 */
LIST(ROOT, "listen", listen, nlisten, "127.0.0.1:6432",
    "Addresses that clients connect to: IPv4:port or [IPv6]:port.")
OPT(ROOT, "state", TEXT, state, "/var/lib/kuraban", 0, 0,
    "Directory of the ledger, its keys and the actors. Absolute path.")
OPT(ROOT, "origin", TEXT, origin, NULL, 0, 0,
    "Name of the ledger in its checkpoints, like a host name with a path. "
    "Without it: kuraban.local/ and the host's name. Only a new ledger takes it.")
OPT(ROOT, "tls_cert", TEXT, tls_cert, NULL, 0, 0,
    "PEM file with the certificate chain shown to clients.")
OPT(ROOT, "tls_key", TEXT, tls_key, NULL, 0, 0,
    "PEM file with the key of tls_cert.")
OPT(ROOT, "tls_required", YESNO, tls_required, "false", 0, 0,
    "Refuse clients that do not use TLS.")
OPT(ROOT, "workers", NUMBER, workers, NULL, 1, 64,
    "Gate processes. Without it: one a CPU, at most 8.")
OPT(ROOT, "max_clients", NUMBER, max_clients, "1000", 1, 100000,
    "Client connections at the same time, all workers together.")
OPT(ROOT, "login_timeout", NUMBER, login_timeout_s, "60", 1, 600,
    "Seconds that a client has to log in.")
OPT(ROOT, "language", LANGUAGE, language, NULL, 0, 0,
    "Language of the messages to clients, en or ja. Without it: from LANG.")
OPT(ROOT, "user_gate", TEXT, user_gate, NULL, 0, 0,
    "User that the gate processes run as when started as root.")
OPT(ROOT, "user_ledger", TEXT, user_ledger, NULL, 0, 0,
    "User that the ledger process runs as when started as root.")
OPT(ROOT, "password_min_length", NUMBER, password_min_length, "12", 8, 128,
    "Shortest password that `kuraban actor` accepts, in characters.")
OPT(ROOT, "password_max_age_days", NUMBER, password_max_age_days, "180", 0, 3650,
    "Days until a password expires. 0: never.")
OPT(ROOT, "lockout_failures", NUMBER, lockout_failures, "10", 1, 1000,
    "Wrong passwords in a row that lock an actor.")
OPT(ROOT, "lockout_minutes", NUMBER, lockout_minutes, "15", 1, 10080,
    "How long a locked actor stays locked.")
OPT(ROOT, "ledger_low_water_mb", NUMBER, ledger_low_water_mb, "256", 1, 1048576,
    "Nothing is released while the ledger's disk has less free space than this.")

OPT(DATABASE, "engine", TEXT, engine, "postgresql", 0, 0,
    "Kind of database server. Only postgresql.")
OPT(DATABASE, "upstream", TEXT, upstream_text, NULL, 0, 0,
    "How the gate reaches the database, in libpq keywords: host, hostaddr, port, "
    "dbname, user, password, passfile, sslmode, sslrootcert, sslcert, sslkey, "
    "options, connect_timeout (15 seconds without it). Required.")
OPT(DATABASE, "personal", PERSONAL, unprotected, NULL, 0, 0,
    "\"none\" declares that the whole database holds no personal data: its "
    "statements are logged and pass. Needs declared_by and since.")
OPT(DATABASE, "declared_by", TEXT, declared_by, NULL, 0, 0,
    "Who declared personal = \"none\".")
OPT(DATABASE, "since", TEXT, since, NULL, 0, 0,
    "Since when that holds, YYYY-MM-DD.")

OPT(TABLE, "subject", TEXT, subject, NULL, 0, 0,
    "Column that says whose data a row is. Required with personal.")
OPT(TABLE, "subject_of", TEXT, subject_of, NULL, 0, 0,
    "Table whose people the subject column names, as schema.table, when the key "
    "is not this table's own. Somebody counted there is not counted twice.")
LIST(TABLE, "personal", personal, npersonal, NULL,
    "Columns that hold personal data.")
OPT(TABLE, "open", YESNO, open, "false", 0, 0,
    "Declares that the table holds no personal data.")
OPT(TABLE, "declared_by", TEXT, declared_by, NULL, 0, 0,
    "Who declared the table open.")
OPT(TABLE, "since", TEXT, since, NULL, 0, 0,
    "Since when that holds, YYYY-MM-DD.")

OPT(FUNCTION, "open", YESNO, open, "false", 0, 0,
    "true: its result holds no personal data. false: it may be called, and what "
    "it returns is charged by bytes. A function without a section is refused.")

LIST(ROLE, "databases", databases, ndatabases, NULL,
    "Databases that actors of this role may use. Required.")
OPT(ROLE, "subjects_per_day", LIMIT, limit[WINDOW_DAY], NULL, 0, 1000000000000,
    "Distinct people whose data one actor may receive on one calendar day.")
OPT(ROLE, "subjects_per_30days", LIMIT, limit[WINDOW_30DAYS], NULL, 0, 1000000000000,
    "The same in any 30 days.")
OPT(ROLE, "subjects_per_year", LIMIT, limit[WINDOW_YEAR], NULL, 0, 1000000000000,
    "The same in one calendar year.")
OPT(ROLE, "subjects_ever", LIMIT, limit[WINDOW_EVER], NULL, 0, 1000000000000,
    "The same without an end.")
OPT(ROLE, "on_excess", EXCESS, on_excess, "refuse", 0, 0,
    "What happens at a limit: refuse (the result is cut there), hold (a "
    "supervisor must grant), observe (passes, and an alert is sealed).")
OPT(ROLE, "ddl", DDL, ddl_allowed, "refuse", 0, 0,
    "allow or refuse: may change the definitions of covered tables.")
OPT(ROLE, "contact", TEXT, contact, NULL, 0, 0,
    "How to ask for a grant. Shown to the client with KB001.")
