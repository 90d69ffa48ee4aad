/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, readings, birth dates and telephone numbers, from folded text to
 * values that compare. names_open() builds the lookup sets from the raw
 * dictionaries (about 50 ms); the rest is pure.
 */
#ifndef KB_TRACE_NAMES_H
#define KB_TRACE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "trace/text.h"

struct names;

enum err names_open(struct names **out);
void names_close(struct names *n);

/* A person's name; surname and given are parts of `all`, which has no space. */
struct name {
	uint16_t all[64];
	uint8_t n;
	uint8_t split;		/* length of the surname; 0: not known */
	bool kana;		/* all of it is kana */
};

/*
 * Titles (様), parentheses and spaces go. Without a space the split comes from
 * the dictionaries; reading (may be NULL) helps to choose.
 */
void name_parse(const struct names *d, struct name *out, const struct text *t,
    const struct name *reading);
/* A reading in kana; kanji (may be NULL) tells where the surname ends. */
void kana_parse(const struct names *d, struct name *out, const struct text *t,
    const struct name *kanji);

enum { DATE_NO_DAY = 1, DATE_NO_MONTH = 2, DATE_TWO_DIGITS = 4,
    DATE_SERIAL = 8, DATE_INVALID = 16, DATE_ERA = 32 };

struct date {
	uint16_t year;		/* 0: none */
	uint8_t month, day;
	uint8_t flags;
};

/* format: strptime-like %Y %m %d %y, or NULL to recognise. */
void date_parse(struct date *out, const struct text *t, const char *format);
/* year << 9 | month << 5 | day; 0: none. */
static inline uint32_t
date_pack(const struct date *d)
{
	return d->year ? (uint32_t)d->year << 9 | (uint32_t)d->month << 5 |
	    d->day : 0;
}

enum phone_kind { PHONE_NONE, PHONE_LAND, PHONE_MOBILE, PHONE_OTHER,
    PHONE_DAMAGED, PHONE_FILLER };

struct phone {
	uint64_t number;	/* digits without the leading 0; 0: none */
	enum phone_kind kind;
};

void phone_parse(struct phone *out, const struct text *t);
/* "0312345678"; out of 16 bytes. */
void phone_text(char *out, const struct phone *p);

#endif
