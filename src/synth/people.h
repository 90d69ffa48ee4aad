/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing surnames, given names, homes and households. */
#ifndef KB_SYNTH_PEOPLE_H
#define KB_SYNTH_PEOPLE_H

#include <stddef.h>

#include "base/err.h"
#include "synth/rng.h"

struct people;

enum err people_open(struct people **out);
void people_close(struct people *p);

struct home {
	char zip[8], pref[24], city[96], town[256];
	unsigned chome, banchi, go;
	char building[64];	/* "" or "コーポ高橋" */
	unsigned room;
};

struct person {
	char surname[64], given[64];	/* kanji */
	char surname_kana[96], given_kana[96];	/* katakana */
	unsigned year, month, day;
	bool female;
	char phone[16];
	char email[48];		/* or "" */
};

void people_surname(const struct people *p, struct rng *r, struct person *x);
void people_given(const struct people *p, struct rng *r, struct person *x);
void people_home(const struct people *p, struct rng *r, struct home *h);
void people_mobile(struct rng *r, char out[16]);
void people_landline(struct rng *r, char out[16]);
/* A character of a name in one of its rarer forms, as registered; in place. */
bool people_rare_form(struct rng *r, char *name, size_t cap);
/* 東京都渋谷区神宮前一丁目... in one of six ways of writing. */
void home_text(const struct home *h, unsigned style, char *out, size_t cap);
#define HOME_STYLES 6

#endif
