/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Japanese addresses: text to prefecture, municipality, town, numbers and what
 * is left (the building). The gazetteer is built at open from data/towns.tsv
 * (postal), towns-2022.tsv (names since changed) and mergers.csv. An old name
 * gives the place of today. address_parse() is pure and takes about 1 us.
 *
 * Numerals: kanji and arabic runs are one form on both sides, but a kanji run
 * counts as a house number only where a number is expected and a separator
 * stands before it, so that buildings keep theirs (9番地7千代田21ビル).
 */
#ifndef KB_TRACE_PLACES_H
#define KB_TRACE_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "trace/text.h"

struct places;

enum err places_open(struct places **out);
void places_close(struct places *p);

#define ADDRESS_NUMBERS 5
#define ADDRESS_NONE UINT32_MAX

enum address_level { ADDR_NOTHING, ADDR_PREF, ADDR_CITY, ADDR_TOWN, ADDR_NUMBER };

struct address {
	enum address_level level;
	bool ambiguous;		/* several municipalities fit */
	bool old;		/* written with a name that is no more */
	uint32_t pref;		/* 1..47; 0: not known */
	uint32_t city;		/* index, or ADDRESS_NONE */
	uint32_t town;		/* index, or ADDRESS_NONE */
	uint64_t town_hash;	/* of the town's name where it is not listed; or 0 */
	unsigned chome;		/* 0: none written */
	bool cho;		/* written as 丁 (堺市), not 丁目 */
	bool daiji;		/* written with 大字 */
	bool aza;		/* or with 字 */
	unsigned nnumbers;
	uint16_t number[ADDRESS_NUMBERS];
	unsigned town_begin, town_end;	/* units of the text: an unlisted town or
					 * what stands between town and numbers */
	unsigned rest;		/* where what is left begins */
};

void address_parse(const struct places *p, struct address *out,
    const struct text *t);
struct slice places_pref(const struct places *p, uint32_t pref);
struct slice places_city(const struct places *p, uint32_t city);
struct slice places_town(const struct places *p, uint32_t town);
uint32_t places_zip(const struct places *p, uint32_t town);
/* City and town of a postal code; ADDRESS_NONE when it has several or none. */
void places_by_zip(const struct places *p, uint32_t zip, uint32_t *city,
    uint32_t *town);
/* The town as it is written officially, with its 丁目 in kanji. */
size_t address_town_text(const struct places *p, const struct address *a,
    const struct text *t, char *out, size_t cap);
size_t address_number_text(const struct address *a, char *out, size_t cap);

#endif
