/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk in memory under the vfs of src/os/vfs.h, that loses what was not synced.
 *
 * What programs see is one thing, what survives a power cut another:
 *  - a write counts sector by sector (512 bytes); without a sync each sector of it
 *    may or may not be there, whatever the order was;
 *  - so may each creation, renaming and removal of a name without a sync of its
 *    directory; a synced file without its name is lost;
 *  - a longer file may have its new length without its data: zeros or junk;
 *  - a write to a VFS_DSYNC file is durable at its end, and torn within;
 *  - after a failed sync, what it should have written is forgotten (fsyncgate).
 */
#ifndef KB_TESTS_SIMDISK_H
#define KB_TESTS_SIMDISK_H

#include "os/vfs.h"

struct simdisk;

struct simdisk *simdisk_new(uint64_t seed);
void simdisk_free(struct simdisk *d);
const struct vfs *simdisk_vfs(struct simdisk *d);

/* The power goes at the n-th change from now on: all calls fail from there. */
void simdisk_cut_after(struct simdisk *d, uint64_t n);
bool simdisk_dead(const struct simdisk *d);
/* Power back on after a cut: keeps what survived. All files must be closed. */
void simdisk_reboot(struct simdisk *d);
/* After a mere kill: everything is as programs saw it, synced or not. */
void simdisk_revive(struct simdisk *d);

/* The n-th call from now on (of any kind) fails with err; 0: none. */
void simdisk_fail_after(struct simdisk *d, uint64_t n, enum err err);
bool simdisk_failed(const struct simdisk *d);		/* it did */
const char *simdisk_failed_site(const struct simdisk *d);	/* of a sync; or NULL */
/* Syncs of this site do nothing and say that all is well; NULL: none. */
void simdisk_ignore(struct simdisk *d, const char *site);
void simdisk_capacity(struct simdisk *d, uint64_t bytes);

uint64_t simdisk_reads(const struct simdisk *d);	/* read calls so far */
uint64_t simdisk_calls(const struct simdisk *d);
/* A file as programs see it, power or not; free() *p. false: there is none. */
bool simdisk_peek(struct simdisk *d, const char *path, uint8_t **p, size_t *len);
/* Changes one bit of a file's bytes, seen and durable. */
bool simdisk_flip(struct simdisk *d, const char *path, uint64_t bit);

/* The generator that the tests use: small, seeded. */
uint64_t simdisk_random(struct simdisk *d);

#endif
