/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the book share. Private to this folder. */
#ifndef KB_PROC_LEDGER_PARTS_H
#define KB_PROC_LEDGER_PARTS_H

#include "proc/ledger/book.h"

/* dir/name into out; false when too long. */
bool book_path(char out[BOOK_PATH_MAX], const char *dir, const char *name);

/* replay.c: applies one entry to meter, baselines, hash, alerts. */
enum err replay_entry(struct book *b, uint64_t index, struct slice entry);
/* Notes the alert; false when it was said today already. */
bool alert_note(struct book *b, int32_t day, struct slice what,
    struct slice object, struct slice actor, struct slice database);
/* An alert "uncovered" names what the status must show (L7). */
void uncovered_note(struct book *b, struct slice what, struct slice database,
    struct slice object);
void replay_hash(uint8_t out[32], struct slice entry);
void baselines_drop(struct book *b);
struct book_baseline *baseline_make(struct book *b, const char *database,
    struct slice table);

/* snap.c: fills meter, baselines, conf_hash, snap_covers, last_hash. */
enum err snap_load(struct book *b);

#endif
