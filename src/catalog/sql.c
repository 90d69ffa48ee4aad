/* SPDX-License-Identifier: Apache-2.0 */
/* The queries on the side connection; the columns are those of load.c. */
#include "catalog/catalog.h"

/*
 * User code that a write may run: triggers, and functions in checks and in the
 * expressions of indexes.
 */
static const char rels_sql[] =
    "SELECT c.oid, n.nspname, c.relname, c.relkind,"
    " c.oid >= 16384 AND ("
    "EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid"
    " AND NOT t.tgisinternal AND t.tgenabled <> 'D')"
    " OR EXISTS (SELECT FROM pg_catalog.pg_constraint k, pg_catalog.pg_depend d"
    " WHERE k.conrelid = c.oid AND d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass"
    " AND d.objid = k.oid AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass"
    " AND d.refobjid >= 16384)"
    " OR EXISTS (SELECT FROM pg_catalog.pg_index i, pg_catalog.pg_depend d"
    " WHERE i.indrelid = c.oid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
    " AND d.objid = i.indexrelid AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass"
    " AND d.refobjid >= 16384)),"
    " c.relrowsecurity,"
    " (SELECT pg_catalog.array_to_string(p.partattrs::pg_catalog.int2[], ',')"
    " FROM pg_catalog.pg_partitioned_table p WHERE p.partrelid = c.oid)"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')";

static const char cols_sql[] =
    "SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.attnotnull,"
    " a.attgenerated <> '',"
    " CASE WHEN a.attgenerated <> '' THEN (SELECT pg_catalog.string_agg(d.refobjsubid::text, ',')"
    " FROM pg_catalog.pg_attrdef f JOIN pg_catalog.pg_depend d"
    " ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid"
    " WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum"
    " AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
    " AND d.refobjid = a.attrelid AND d.refobjsubid <> a.attnum) END,"
    " EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid"
    " AND (i.indisunique OR i.indisexclusion) AND (a.attnum = ANY (i.indkey)"
    " OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))"
    " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
    " WHERE a.attnum > 0 AND NOT a.attisdropped"
    " AND (c.oid >= 16384 AND c.relkind IN ('r', 'p', 'm', 'f')"
    " OR c.oid IN (SELECT s.oid FROM pg_catalog.pg_class s WHERE s.relnamespace ="
    " 'pg_catalog'::pg_catalog.regnamespace AND s.relname IN ("
#define SYSTEM(name, columns, reason) "'" name "',"
#include "catalog/systems.tbl.h"
#undef SYSTEM
    "'')))";

static const char inherits_sql[] =
    "SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i"
    " JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('r', 'p', 'f')";

static const char fks_sql[] =
    "SELECT k.conrelid, k.conkey[1], k.confrelid, k.confkey[1]"
    " FROM pg_catalog.pg_constraint k"
    " WHERE k.contype = 'f' AND pg_catalog.cardinality(k.conkey) = 1";

static const char functions_sql[] =
    "SELECT p.oid, n.nspname, p.proname, p.pronargs, p.prokind,"
    " p.provolatile FROM pg_catalog.pg_proc p"
    " JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace";

static const char operators_sql[] =
    "SELECT o.oid, o.oprcode::pg_catalog.oid FROM pg_catalog.pg_operator o"
    " WHERE o.oid >= 16384";

/*
 * The last column names the types that this one is made of. A type is plain by
 * itself when its own input function is the server's and no check of it, and no
 * canonical or comparing function of a range, is a user's.
 */
static const char types_sql[] =
    "SELECT t.oid, t.typinput::pg_catalog.oid < 16384"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k, pg_catalog.pg_depend d"
    " WHERE k.contypid = t.oid AND d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass"
    " AND d.objid = k.oid AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass"
    " AND d.refobjid >= 16384)"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_range r WHERE (r.rngtypid = t.oid"
    " OR r.rngmultitypid = t.oid) AND (r.rngcanonical::pg_catalog.oid >= 16384"
    " OR r.rngsubopc >= 16384)),"
    " pg_catalog.concat_ws(',', nullif(t.typbasetype, 0), nullif(t.typelem, 0),"
    " (SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid"
    " OR r.rngmultitypid = t.oid),"
    " (SELECT pg_catalog.string_agg(a.atttypid::text, ',') FROM pg_catalog.pg_attribute a"
    " WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))"
    " FROM pg_catalog.pg_type t WHERE t.oid >= 16384";

static const char epoch_sql[] =
    "SELECT (pg_catalog.sum(pg_catalog.hashtextextended(e.k || ',' || e.o || ',' || e.x, 0)"
    "::numeric) % 9223372036854775807)::pg_catalog.int8 FROM ("
    "SELECT 1 AS k, c.oid::text AS o, c.xmin::text AS x FROM pg_catalog.pg_class c"
    " WHERE c.relpersistence <> 't' AND c.relkind <> 't'"
    " UNION ALL SELECT 2, a.attrelid || ' ' || a.attnum, a.xmin::text"
    " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
    " WHERE c.relpersistence <> 't' AND c.relkind NOT IN ('t', 'i', 'I')"
#define EPOCH(k, table) \
    " UNION ALL SELECT " k ", t.oid::text, t.xmin::text FROM pg_catalog." table " t"
    EPOCH("3", "pg_constraint") EPOCH("4", "pg_trigger") EPOCH("5", "pg_proc")
    EPOCH("6", "pg_rewrite") EPOCH("7", "pg_policy") EPOCH("8", "pg_operator")
    EPOCH("9", "pg_attrdef") EPOCH("10", "pg_cast")
    " UNION ALL SELECT 11, n.oid::text, n.xmin::text FROM pg_catalog.pg_namespace n"
    " WHERE n.nspname !~ '^pg_(toast_)?temp_'"
    " UNION ALL SELECT 12, t.oid::text, t.xmin::text FROM pg_catalog.pg_type t"
    " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
    " WHERE n.nspname !~ '^pg_(toast_)?temp_'"
    " UNION ALL SELECT 13, i.inhrelid || ' ' || i.inhparent, i.xmin::text"
    " FROM pg_catalog.pg_inherits i) e";

const char *
catalog_sql(enum catalog_part part)
{
	switch (part) {
	case CATALOG_RELS:
		return rels_sql;
	case CATALOG_COLS:
		return cols_sql;
	case CATALOG_INHERITS:
		return inherits_sql;
	case CATALOG_FKS:
		return fks_sql;
	case CATALOG_FUNCTIONS:
		return functions_sql;
	case CATALOG_OPERATORS:
		return operators_sql;
	case CATALOG_TYPES:
		return types_sql;
	case CATALOG_PARTS:
		break;
	}
	return NULL;
}

const char *
catalog_epoch_sql(void)
{
	return epoch_sql;
}
