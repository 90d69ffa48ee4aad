/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracer as a whole: from files to a report directory. Called by the verb.
 * Everything is written beside the directory first and renamed at the end, so a
 * run that is stopped leaves nothing. Results depend on the inputs alone.
 */
#ifndef KB_TRACE_TRACE_H
#define KB_TRACE_TRACE_H

#include "trace/attribute.h"
#include "trace/link.h"
#include "trace/table.h"

struct trace_options {
	const char *list, *ours;	/* files */
	const void *ours_data;		/* or CSV in memory, with its length */
	size_t ours_len;
	const char *ours_name;		/* for people: file or database */
	const char *releases, *background, *history, *canaries;	/* or NULL */
	const char *out;
	const char *columns;		/* told for the list, or NULL */
	const char *ours_columns;
	const char *schema;
	unsigned long called, reached;	/* call sample; 0: none */
	unsigned threads;
	/* Releases from elsewhere (the ledger), instead of the file. */
	enum err (*load_releases)(void *arg, const struct table *ours,
	    struct release **r, size_t *n, uint64_t *unknown, char *why,
	    size_t why_cap);
	void *load_arg;
	/*
	 * Often. part of the stage, or -1 where its end is not known; rate: rows
	 * or pairs a second, or 0. false stops the run with ERR_CLOSED.
	 */
	bool (*progress)(void *arg, const char *stage, double part,
	    double rate);
	void *arg;
};

struct estimate {
	double estimate, low, high;
};

enum trace_verdict { VERDICT_OURS, VERDICT_NOT_OURS, VERDICT_UNCLEAR };
/* Why it is unclear. */
enum trace_doubt { DOUBT_NONE,
    DOUBT_EMPTY,		/* no row to judge by */
    DOUBT_SILENT,		/* its columns say too little to link anybody */
    DOUBT_SPELLING,		/* our people, spelled by somebody else */
    DOUBT_SHARE };		/* too many for chance, too few for proof */

struct trace_item {
	char name[64];
	enum column_kind kind;		/* COL_NONE: of a schema */
	bool in_list, in_ours;
	double filled;			/* share of the list's rows */
};

struct trace_service {
	char name[96];
	uint64_t persons;
};

struct trace_window {
	char from[16], to[16];		/* "" where nothing bounds it */
	uint64_t values;		/* versions that bound it */
};

#define TRACE_ITEMS 32
#define TRACE_SERVICES 32

/* Everything the report says. */
struct trace_result {
	struct estimate rows, exact_duplicates, records, persons, persons_ours;
	struct estimate only_ours;	/* not in the background list either */
	struct estimate reach;		/* persons x share reached by telephone */
	bool has_background, has_reach, has_canaries, has_releases,
	    has_history;
	enum trace_verdict verdict;
	enum trace_doubt doubt;
	uint64_t canaries, canaries_hit;
	uint64_t comparable;		/* persons who say enough to be linked */
	uint64_t comparable_ours;	/* of these linked */
	uint64_t rare_same, rare_other;	/* rare forms kept; replaced */
	uint64_t pairs_same, pairs_other;	/* our child's guardian: as we
					 * have it; somebody else */
	uint64_t stale;			/* values that were ours and are no more */
	double rare_bits;
	struct trace_item item[TRACE_ITEMS];
	unsigned nitems;
	unsigned unread_columns;	/* of the list, with something in them */
	struct trace_service service[TRACE_SERVICES];
	unsigned nservices;
	struct release *release;
	size_t nreleases;
	uint64_t unknown_subjects;	/* in releases, not in ours */
	uint64_t unknown_canaries, unknown_history;	/* likewise */
	char list_sha256[65];		/* "" for what came through a pipe */
	struct attribution attribution;
	struct trace_window window, *group_window;
	double overlap[8][8];		/* of the first releases of the groups */
	struct table list, ours;
	struct link_result link;
	double threshold;
};

enum err trace_run(const struct trace_options *o, struct trace_result *r,
    char *why, size_t why_cap);
void trace_fini(struct trace_result *r);

/* report_*.c: the three files of the report directory. */
enum err report_matches(const struct trace_result *r, const uint8_t *sigs,
    const struct trace_options *o, const char *path);
enum err report_json(const struct trace_result *r, const char *path);
enum err report_html(const struct trace_result *r,
    const struct trace_options *o, const char *path);

/* Where a subject's key is in ours. */
struct key_map {
	uint64_t *hash;
	uint32_t *row;
	size_t cap;
};
enum err key_map_init(struct key_map *m, const struct table *ours);
uint32_t key_map_get(const struct key_map *m, uint64_t hash);
void key_map_fini(struct key_map *m);

/* evidence.c: what goes beyond matching. */
enum err evidence_canaries(struct trace_result *r, const struct key_map *keys,
    const struct trace_options *o, char *why, size_t why_cap);
enum err evidence_history(struct trace_result *r, const struct key_map *keys,
    const struct trace_options *o, char *why, size_t why_cap);
enum err evidence_releases(struct trace_result *r, const struct key_map *keys,
    const struct trace_options *o, char *why, size_t why_cap);
void evidence_pairs(struct trace_result *r, const uint8_t *sigs);
void evidence_rare(struct trace_result *r, const uint8_t *sigs);
void evidence_items(struct trace_result *r, const struct schema *s);
enum err evidence_services(struct trace_result *r);
void evidence_verdict(struct trace_result *r);
/* ours rows with an accepted link, a bit set; caller frees. */
uint64_t *evidence_leak(const struct trace_result *r);

#endif
