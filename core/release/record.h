// SPDX-License-Identifier: MIT
// The state record: what the next boot has to know, 512 bytes, kept in two slots that are written
// alternately, so that a write torn by a power cut leaves the one before it. docs/FORMAT.md fixes
// the bytes.
#ifndef SDB_RECORD_H
#define SDB_RECORD_H

#include <stdint.h>
#include <stdbool.h>

#include "core/semver.h"
#include "core/slots.h"

#define SDB_DIRNAME_MAX 31 // bytes of main_dir, new_version_dir

enum sdb_state {
    SDB_IDLE = 0,
    SDB_STAGED = 1,    // a verified release waits in next/ and .sdboot/new/
    SDB_SWAPPING = 2,  // the swap has begun: it must be finished before anything else
    SDB_TRIAL = 3,     // the new release runs, not yet confirmed
    SDB_REVERTING = 4, // the way back has begun
};

enum sdb_event {
    SDB_EVENT_NONE = 0,
    SDB_EVENT_INSTALLED = 1,
    SDB_EVENT_CONFIRMED = 2,
    SDB_EVENT_ROLLED_BACK = 3, // by hand
    SDB_EVENT_EXPIRED = 4,     // attempts used up without confirm()
    SDB_EVENT_CORRUPT = 5,     // content on the card differs from the manifest
};

enum sdb_flag {
    SDB_FLAG_LEFTOVER = 1, // in IDLE: next/ is a release taken back, to be removed
    SDB_FLAG_SECOND = 2,   // in STAGED: the release is in SDB_DIR_APP2 and SDB_DIR_NEW2 (settle.h)
};

struct sdb_record {
    uint32_t seq;                      // of this record; the higher one of two valid slots counts
    uint8_t state;                     // enum sdb_state
    uint8_t left;                      // trial boots left, in TRIAL
    uint8_t trials;                    // trial boots that a release gets
    uint8_t event;                     // enum sdb_event: the last one
    uint8_t flags;                     // enum sdb_flag, or-ed
    uint32_t signed_seq;               // not used: the number is on the internal flash
    char version[SDB_VERSION_MAX + 1]; // in STAGED and SWAPPING the next one, else unused
    char bad[SDB_VERSION_MAX + 1];     // release that took itself back
    char event_version[SDB_VERSION_MAX + 1]; // release that `event` is about
    char main_dir[SDB_DIRNAME_MAX + 1];      // "app"
    char next_dir[SDB_DIRNAME_MAX + 1];      // "next"
};

// Loads the newest valid record. A card without one gives an IDLE record with seq 0. Returns 0, or
// the store's error if a slot could not be read (never a reason to think that there is none).
int sdb_record_load(const struct sdb_record_store *store, struct sdb_record *record);

// Writes `record` with the next sequence number into the slot that does not hold the newest.
// Returns 0 or the store's error.
int sdb_record_save(const struct sdb_record_store *store, struct sdb_record *record);

#endif
