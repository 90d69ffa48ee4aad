/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made-up Japanese people, and what brokers do to lists of them, with the truth.
 * Seeded: the same options give the same bytes. It measures the tracer, so it
 * shares no code and no table with src/trace, only the raw dictionaries.
 * Every name, address and number here is drawn at random; none is a person's.
 */
#ifndef KB_SYNTH_SYNTH_H
#define KB_SYNTH_SYNTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct synth_population {
	const char *out;	/* directory: customers.csv, truth-population.csv */
	uint64_t seed;
	uint64_t rows;
	bool children;		/* rows are children, each with a guardian */
};

enum err synth_population(const struct synth_population *o);

struct synth_releases {
	const char *customers;	/* CSV with a header, any schema */
	const char *columns;	/* "header=role,..." or NULL: by its words */
	const char *out;	/* directory: releases.csv */
	uint64_t seed;
	unsigned count;
	double share;		/* mean share of the customers in one */
};

/* why: for people, what is wrong with the customers. */
enum err synth_releases(const struct synth_releases *o, char *why,
    size_t why_cap);

struct synth_broker {
	const char *customers;
	const char *columns;
	const char *releases;	/* or NULL: any customer */
	const char *culprits;	/* "R12,R90": ids in releases */
	const char *out;	/* directory: list.csv, truth.csv */
	uint64_t seed;
	double sample;		/* share of the customers who turn up */
	double foreign;		/* share of the list that is nobody of ours */
	double copies;		/* mean further rows of a person */
	double exact;		/* share of rows written twice as they are */
	double damage;		/* chance of each kind of damage, 0..1 */
	double cp932;		/* share of the lines in CP932, the rest UTF-8 */
};

enum err synth_broker(const struct synth_broker *o, char *why,
    size_t why_cap);

#endif
