/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of ledger entries and their fields, in the order in which they are
 * written: the single source for struct entry_*, the builders, enum entry_kind
 * and the table in docs/spec/ledger.md.
 *
 *   ENTRY(kind)                  begins a kind
 *   FIELD(kind, type, name)      type:
 *       TEXT    string; not written when its p is NULL
 *       LONG    as TEXT, with the larger limit (ENTRY_LONG_MAX)
 *       NUM     unsigned number
 *       OPT     unsigned number; not written when 0
 *       FLAG    true or false
 *       TIME    RFC 3339 as the entry's own time; not written when 0
 *       TABLES  array of {"table":"schema.name","columns":"a,b"}
 *       NAMES   array of strings
 *       TOKENS  array of base64 strings, one for each of "domains"
 *       PAIRS   object of strings
 *       SALTED  base64 of 32 bytes; not written when NULL
 *   END(kind)
 *
 * Before these, every entry has v, kind, time and those of gate, session, actor,
 * role, database that were given (struct entry_head).
 */
ENTRY(start)			/* the ledger process started; all sessions before are over */
	FIELD(start, TEXT, version)
	FIELD(start, TEXT, config)	/* hash of the configuration in force */
	FIELD(start, NUM, workers)
END(start)
ENTRY(stop)
	FIELD(stop, TEXT, version)
	FIELD(stop, TEXT, config)
	FIELD(stop, NUM, workers)
	FIELD(stop, TEXT, why)
END(stop)
ENTRY(session)
	FIELD(session, TEXT, event)	/* open, close, failed */
	FIELD(session, TEXT, address)
	FIELD(session, FLAG, tls)
	FIELD(session, TEXT, application)
	FIELD(session, TEXT, why)	/* of close and failed */
END(session)
ENTRY(statement)		/* free statements (count of them) or the end of a charged one */
	FIELD(statement, OPT, request)
	FIELD(statement, TEXT, class)
	FIELD(statement, NUM, count)
	FIELD(statement, NUM, rows)
	FIELD(statement, NUM, bytes)
	FIELD(statement, TEXT, outcome)	/* complete, cut, error */
	FIELD(statement, LONG, sql)	/* shape: no literal in it */
	FIELD(statement, OPT, sealed)	/* number of the sealed record */
	FIELD(statement, SALTED, commitment)
END(statement)
ENTRY(release)
	FIELD(release, TABLES, tables)
	FIELD(release, TEXT, class)	/* verdict class */
	FIELD(release, NUM, request)	/* statement's number in the session */
	FIELD(release, LONG, sql)	/* hash of the shape, or the shape */
	FIELD(release, NUM, rows)
	FIELD(release, NUM, bytes)
	FIELD(release, NUM, anon)	/* subjects charged without a key */
	FIELD(release, LONG, moved)	/* meter.md 3: "day:count ..." of subjects known
					   under an earlier year's token */
	FIELD(release, TEXT, outcome)	/* all, cut, observed */
	FIELD(release, TEXT, end)	/* complete: the statement ended with these rows */
	FIELD(release, OPT, grant)	/* number of the grant it was charged to */
	FIELD(release, OPT, sealed)
	FIELD(release, SALTED, commitment)
	FIELD(release, NAMES, domains)
	FIELD(release, TOKENS, subjects)
END(release)
ENTRY(deny)
	FIELD(deny, TEXT, sqlstate)
	FIELD(deny, TEXT, why)
	FIELD(deny, TEXT, object)
	FIELD(deny, LONG, sql)
	FIELD(deny, OPT, sealed)
	FIELD(deny, SALTED, commitment)
END(deny)
ENTRY(alert)
	FIELD(alert, TEXT, what)
	FIELD(alert, TEXT, object)
	FIELD(alert, LONG, detail)
END(alert)
ENTRY(grant)
	FIELD(grant, TEXT, what)	/* asked, given, refused, withdrawn */
	FIELD(grant, NUM, id)
	FIELD(grant, TEXT, by)
	FIELD(grant, LONG, sql)
	FIELD(grant, OPT, subjects_max)
	FIELD(grant, TIME, until)
	FIELD(grant, LONG, why)
END(grant)
ENTRY(policy)
	FIELD(policy, TEXT, what)
	FIELD(policy, TEXT, who)
	FIELD(policy, PAIRS, detail)
END(policy)
ENTRY(key)
	FIELD(key, TEXT, what)
	FIELD(key, TEXT, id)
END(key)
ENTRY(heartbeat)
	FIELD(heartbeat, NUM, sessions)	/* open now */
END(heartbeat)
ENTRY(erase)
	FIELD(erase, TEXT, what)	/* sealed, subject */
	FIELD(erase, TEXT, by)
	FIELD(erase, TEXT, basis)
	FIELD(erase, OPT, sealed)
	FIELD(erase, NAMES, domains)
	FIELD(erase, TOKENS, subjects)
END(erase)
ENTRY(incident)
	FIELD(incident, TEXT, what)
	FIELD(incident, LONG, detail)
END(incident)
