/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to src/verdict: the state of one judgement.
 *
 * An INSTANCE is one appearance of a personal relation in the statement. While
 * rows are joined, filtered and computed with, a value depends on at most one
 * row of each instance, so its taint is a set of instances. "Row" may be read as
 * "the rows of one subject": every rule below holds for both, which is what lets
 * GROUP BY key and sub-queries correlated by the key stay exact.
 *
 * Where rows are put together (aggregates, DISTINCT, windows, sub-queries as
 * values) the set is left behind: a value that shows one of the rows keeps its
 * instances in `one`, or as a number in `extra`; one that may show all of them is
 * `opaque` and is charged by its bytes.
 *
 * The asymmetry of keys: a value that SHOWS a subject key shows that person (k),
 * but a row's presence that depends on keys only is free, because the keys are
 * not personal data: which keys exist is the same in two databases that differ
 * only in personal columns. So k counts in values, and never in presence.
 */
#ifndef KB_VERDICT_FLOW_H
#define KB_VERDICT_FLOW_H

#include "pg/tree.h"
#include "verdict/verdict.h"

#define MAX_INSTANCES 64	/* further ones are opaque */
#define MAX_DEPTH 1500		/* of nested analysis, on the stack */
#define MAX_STEPS (8u << 20)	/* visited nodes */

struct taint {
	uint64_t p;		/* instances whose personal columns it depends on */
	uint64_t k;		/* instances whose key it shows */
	uint64_t one;		/* instances of which it shows a row that stood for several */
	uint32_t extra;		/* more persons at most that it shows */
	bool dep;		/* depends on personal columns, not on keys alone */
	bool opaque;		/* may show any number of persons */
	bool vague;		/* depends on other rows too, by a little (duplicates) */
	/*
	 * The one row that it shows was chosen among others (max, a sub-query that
	 * may be empty): shown, it counts as that row, but a condition on it says
	 * something of every row ("the largest mismatch is 0").
	 */
	bool chosen;
};

struct value {
	struct taint t;
	int key_of;		/* a plain copy of this instance's key; -1 */
};

/* Also a row of a UNION ALL, which is a row of either side. */
struct instance {
	uint16_t domain;	/* UINT16_MAX: no key */
	uint32_t type;		/* of the key */
	bool not_null;
	uint64_t same;		/* instances whose rows beside it belong to its subject */
};

/* What a query gives to whoever reads it. */
struct result {
	struct value *cols;
	size_t ncols;
	struct taint presence, order;
	bool correlated;	/* reads columns of an outer query */
};

struct query;

struct cte {
	const struct tree *node, *name;
	struct query *q;
	struct result r;
	struct taint self;	/* of a recursive one, while it is analysed */
	unsigned first, end;	/* instances */
	enum { CTE_NEW, CTE_BUSY, CTE_DONE } state;
};

struct rte {
	const struct tree *node;
	enum { RTE_NEW, RTE_BUSY, RTE_DONE } state;
	const struct catalog_rel *rel;	/* of relations */
	uint32_t relid;
	int inst;			/* of personal relations; -1 */
	bool opaque;			/* its columns, whatever the catalog says */
	struct value *cols;		/* of all others but joins */
	size_t ncols;
	const struct tree *aliases;	/* of joins: joinaliasvars */
	struct query *sub;		/* of sub-queries and CTEs */
	unsigned first, end;		/* instances in it */
	struct taint presence, order;
};

struct twin {
	const struct rte *rte;
	int64_t attnum;
	int inst;
	struct twin *next;
};

struct query {
	const struct tree *node;
	struct query *outer;
	struct rte *rtes;
	size_t nrtes;
	struct cte *ctes;
	size_t nctes;
	unsigned base;		/* instances below it belong to outer queries */
	unsigned sinks;		/* calls of sinks before it */
	struct taint presence, order;	/* so far; of groups: of the rows in them */
	struct taint having;
	struct twin *twins;
	uint64_t group;		/* instances that one group holds one subject of */
	struct taint multi;	/* of UPDATE's multiple assignments from a sub-query */
	bool gathers;		/* its rows are groups, distinct, or of set operations */
	bool tag_depends;
	struct value *excluded;	/* ON CONFLICT: the proposed row */
	size_t nexcluded, excluded_rte;
	bool correlated;
	bool targets;		/* its targets are being judged */
	uint8_t shown[208];	/* columns that somebody read, a bit each */
};

struct touched {
	uint32_t relid;
	const struct catalog_rel *rel;
	bool all, uncovered;
	uint8_t cols[208];	/* bit set by attnum */
};

struct judge {
	struct verdict *v;
	const struct catalog *c;
	struct instance inst[MAX_INSTANCES];
	unsigned ninst;
	struct touched *touched;
	size_t ntouched;
	unsigned depth, steps, nsinks;
	const char *sink;	/* the last one */
	struct block *blocks;
	enum err err;
	bool stop;		/* refused or failed: nothing counts any more */
	bool quiet;		/* columns that are looked at are not noted as read */
	bool several;		/* rules made several queries: the tag counts one's rows */
};

/* judge.c */
void *judge_alloc(struct judge *, size_t n, size_t size);
void judge_refuse(struct judge *, enum verdict_why, const char *object);
void judge_refuse_node(struct judge *, const struct tree *);
bool judge_enter(struct judge *);
void judge_leave(struct judge *);
/* Notes a column (0: all) as read, for the ledger. */
void judge_touch(struct judge *, const struct rte *, int attnum, bool uncovered);
int judge_instance(struct judge *, struct instance);	/* -1: too many */

/* taint.c */
static inline uint64_t
bit(int inst)
{
	return inst < 0 ? 0 : UINT64_C(1) << inst;
}
/* Instances a..b-1. */
static inline uint64_t
bits(unsigned a, unsigned b)
{
	uint64_t below_b = b >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << b) - 1;
	uint64_t below_a = a >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << a) - 1;

	return below_b & ~below_a;
}
static inline struct value
value_free(void)
{
	return (struct value){.key_of = -1};
}
bool taint_any(struct taint);
void taint_merge(struct taint *, struct taint);
void taint_presence(struct taint *, struct taint);	/* adds its personal part */
uint32_t taint_weight(struct taint);	/* of a cell; VERDICT_OPAQUE */
uint64_t judge_same(const struct judge *, uint64_t insts);	/* closure */
/* Moves the instances of query q that are not in keep into `one`. */
void taint_leave(const struct judge *, const struct query *, uint64_t keep,
    struct taint *);
/* Instances from base on that stand for an outer subject become that one. */
void taint_absorb(const struct judge *, unsigned base, struct taint *);
/* Depends on nothing but single subjects of the instances in `within`. */
bool taint_rowwise(struct taint, uint64_t within);

/* expr.c */
struct value expr_eval(struct judge *, struct query *, const struct tree *);
struct taint expr_list(struct judge *, struct query *, const struct tree *);
/*
 * A condition of rows, AND-ed parts one by one. FILTER: rows that do not meet it
 * are gone. OUTER: they stay, without the nullable side. FULL: both ways.
 */
enum cond { COND_FILTER, COND_OUTER, COND_FULL };
void expr_qual(struct judge *, struct query *, const struct tree *, enum cond,
    uint64_t nullable, struct taint *presence);
/* A whole expression (target, condition): sinks in it must not depend on persons. */
void expr_check_sink(struct judge *, unsigned nsinks_before, struct taint);
bool expr_is_and(const struct tree *);
bool expr_is_equality(const struct tree *);
void expr_operator(struct judge *, const struct tree *, const char *op_field,
    struct taint *);

/* query.c */
/* A query, inner or not (outer NULL); NULL when it is refused. */
struct query *query_run(struct judge *, const struct tree *, struct query *outer,
    struct result *);
void query_from(struct judge *, struct query *);
/*
 * Columns of an inner query are noted as read when somebody outside reads them:
 * a view has more columns than a statement asks for. 0: all.
 */
void query_show(struct judge *, struct query *, int64_t column);
/* A list of TARGETENTRY; values (may be NULL) by position, columns by resno. */
void query_targets(struct judge *, struct query *, const struct tree *,
    struct value **values, struct result *);
/*
 * SORTGROUPCLAUSEs: adds the taint of what they name, and the instances whose
 * key is among them. values: of the targets by position; NULL: computed anew.
 */
void query_sort_refs(struct judge *, struct query *, const struct tree *clauses,
    const struct tree *targets, const struct value *values, struct taint *, uint64_t *keys);

/* rte.c */
struct rte *query_rte(struct judge *, struct query *, int64_t index);
struct value rte_column(struct judge *, struct query *, struct rte *, int64_t attnum);
void query_ctes(struct judge *, struct query *);

/* write.c */
void write_analyze(struct judge *, struct query *, struct result *);

#endif
