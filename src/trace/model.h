/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The comparison of two mentions: how far each field agrees (a level), what a
 * level weighs (Fellegi-Sunter, log2 of m/u, learned by EM from the files
 * themselves), how rare the shared value is, and what can never be one person.
 *
 * Field independence does not hold inside a household, so rules stand above the
 * weights: different given names are different persons whatever else agrees.
 */
#ifndef KB_TRACE_MODEL_H
#define KB_TRACE_MODEL_H

#include "trace/record.h"

#define FIELDS_MAX GENERIC_MAX
#define LEVELS_MAX 8
#define LEVEL_MISSING 7
/*
 * A further row of weights: the telephone of who lives elsewhere than before.
 * Who moves changes the number too, so the two are not independent.
 */
#define F_MOVED FIELDS_MAX
#define ROWS_MAX (FIELDS_MAX + 1)

/* Fields of Japanese lists, in struct levels order. */
enum { F_SURNAME, F_GIVEN, F_BIRTH, F_SEX, F_ADDRESS, F_PHONE, F_EMAIL,
    F_COUNT };

struct levels {
	uint8_t v[FIELDS_MAX];
};

/* How often each value occurs, by hash: three counts a table cover bombs. */
struct freq {
	uint32_t *count[2];	/* in the list, in ours */
	float *rare;		/* log2 of rarity; then there are no counts */
	uint32_t mask;
};

#define TABLES_MAX 16

struct model {
	const struct schema *schema;	/* NULL: Japanese lists */
	unsigned nfields;
	size_t stride;			/* bytes a mention */
	uint8_t nlevels[FIELDS_MAX];
	float m[ROWS_MAX][LEVELS_MAX], u[ROWS_MAX][LEVELS_MAX];
	float w[ROWS_MAX][LEVELS_MAX];		/* log2(m / u) */
	float log_m[ROWS_MAX][LEVELS_MAX];
	struct freq freq[TABLES_MAX];
	double total[2];		/* mentions in the list, in ours */
};

enum err model_init(struct model *m, const struct schema *s);
void model_fini(struct model *m);

/* Counts the values of n mentions of a side (0 list, 1 ours); 2 threads. */
enum err model_count(struct model *m, const uint8_t *sigs, size_t n,
    unsigned side, size_t larger);
/* Counting is done: keeps how rare values are, and not how often. */
void model_counted(struct model *m);
/* Levels of a pair; false when it cannot be one person whatever agrees. */
bool model_compare(const struct model *m, const uint8_t *a, const uint8_t *b,
    struct levels *out);
/* All levels, for learning: no rule cuts the comparison short. */
void model_levels(const struct model *m, const uint8_t *a, const uint8_t *b,
    struct levels *out);
/* Sum of weights, values taken as ordinary. */
float model_weight(const struct model *m, const struct levels *l);
/* The same with the rarity of what agrees. */
float model_weight_rare(const struct model *m, const struct levels *l,
    const uint8_t *a, const uint8_t *b);
/* Most that rarity may add to a pair's weight. */
#define MODEL_RARE_MAX 40.0f

const char *model_field_name(const struct model *m, unsigned f);
const char *model_level_name(const struct model *m, unsigned f, unsigned level);

/* Patterns of levels and how often they occurred. */
struct patterns {
	uint64_t *key;
	uint32_t *count;
	size_t cap, used, total;
};

enum err patterns_init(struct patterns *p);
void patterns_fini(struct patterns *p);
/* apart: the rules say that these are two persons. */
void patterns_add(struct patterns *p, const struct levels *l, unsigned nfields,
    bool apart);
/* u from pairs taken at random. */
void model_learn_u(struct model *m, const struct patterns *random);
/*
 * One EM run over the pairs of a blocking pass. fields: bit set of those the
 * pass does not itself make agree. chance: how many of the pairs agree by
 * chance, where that is known (else negative): EM alone takes those who moved
 * for strangers. Adds expected counts to sum; returns the expected matches.
 */
double model_em(const struct model *m, const struct patterns *p,
    uint32_t fields, double chance, double sum[ROWS_MAX][LEVELS_MAX]);
/* m from the sums of all passes, weights from m and u. */
void model_learn_m(struct model *m, double sum[ROWS_MAX][LEVELS_MAX]);

#endif
