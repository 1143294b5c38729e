// SPDX-License-Identifier: MIT
// The state machine of a boot: finishes what was begun, puts a staged release in place, counts its
// trial boots, takes it back.
//
//   STAGED ──▶ SWAPPING ──▶ TRIAL ── sdb_boot_confirm ──▶ IDLE
//                             │ attempts used up, or content differs from the manifest,
//                             ▼ or sdb_boot_rollback (also from IDLE)
//                         REVERTING ──▶ IDLE, the version is remembered as bad
#ifndef SDB_BOOT_H
#define SDB_BOOT_H

#include "core/release/revert.h"
#include "core/release/verify.h"

enum sdb_boot_result {
    SDB_BOOT_NOTHING = 0,
    SDB_BOOT_SWAPPED = 1,  // a release has been put in place
    SDB_BOOT_REVERTED = 2, // the release before is the running one again
    SDB_BOOT_KEPT = 3,     // the trial has failed, but there is none to go back to: it is over
};

// Working memory of a boot, caller-owned.
struct sdb_boot {
    const struct sdb_fs *fs;
    const struct sdb_record_store *store;
    const struct sdb_hash *hash; // SHA-256 for the first trial boot; NULL: content is not checked
    uint8_t *buf;                // memory to read files with, and its size
    size_t len;
    uint8_t trials;           // trial boots that a release gets
    struct sdb_record record; // as loaded, then as it is on the card
    struct sdb_swap swap;
    struct sdb_verify verify;
};

// Loads the record into b->record. To be called before the functions below. One with names of
// directories that no install has recorded is made idle.
int sdb_boot_load(struct sdb_boot *b);

// Does what the record asks for. `counts`: this boot is one of a trial's (not after a soft reset,
// say). Returns enum sdb_boot_result or an error: what runs is then whatever is in app/, and the
// record says what the next boot is to do. To be run in a transaction where there are some; the
// record store must commit before it writes.
int sdb_boot_run(struct sdb_boot *b, bool counts);

// Removes what a release taken back has left (SDB_FLAG_LEFTOVER): to be called, outside of a
// transaction, after sdb_boot_run until it doesn't return 1. Returns 1 while there is more to do,
// else 0, or an error: the next boot goes on.
int sdb_boot_tidy(struct sdb_boot *b);

// Removes all that a release has left that was given up before it ran: to be called after
// sdb_boot_rollback has returned 1, until it doesn't return 1, as sdb_boot_tidy.
int sdb_boot_remove_staged(struct sdb_boot *b);

// Ends the trial that the loaded record `r` tells of: returns 1 if there was one, else 0, or an
// error.
int sdb_boot_confirm(const struct sdb_record_store *store, struct sdb_record *r);

// Has the next boot take the running release back because of `event`, enum sdb_event (0 too if it
// is going to anyway). If another is staged, that is given up instead: 1. Returns 0, SDB_ENOENT if
// there is no release before it, SDB_EBUSY in the middle of a swap, or an error.
int sdb_boot_rollback(struct sdb_boot *b, uint8_t event);

#endif
