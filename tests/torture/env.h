// SPDX-License-Identifier: MIT
// What a scenario runs in: a card, the journal or the reference in its place, FatFs on top.
//
// Every scenario runs first on the reference: FatFs on a plain card, where each commit is a note of
// what the volume holds. Then with the journal, logged: whatever a power cut leaves must be, after
// recovery, exactly what the reference had at the commit before, or at the one in progress.
#ifndef TORTURE_ENV_H
#define TORTURE_ENV_H

#include "core/release/record.h"
#include "core/journal/volume_make.h"
#include "fatcheck.h"
#include "cli/card/ff_fs.h"
#include "ff_raise.h"
#include "lfs_check.h"
#include "ramdev.h"
#include "volume.h"
#include "lib/oofatfs/ff.h"

// States of a run, in order: what the reference had at each commit.
struct states {
    uint64_t *digest;
    uint64_t *loose; // without what FSInfo says: an I/O error makes FatFs neglect it
    uint64_t *visible;
    uint64_t *outcome; // littlefs: what is visible after the next boot
    size_t count;
    size_t capacity;
};

struct env {
    bool reference;
    const struct volume *vol;
    struct image *img;    // the card; of the reference: what is committed
    struct image pending; // reference: what is not
    struct ramdev dev;
    struct sdb_bdev card;     // of dev
    struct sdb_volume volume; // core's own idea of it
    struct sdb_volume_make make;
    struct sdb_journal *journal;
    struct sdb_bdev mounted; // what FatFs sees
    FATFS fs;
    struct ff_fs files;
    struct sdb_fs engine_fs; // for the engine, on fs
    struct lfs *lfs;         // littlefs instead of FatFs
    bool booted;
    bool open;
    bool deferred;
    bool log; // small commits are records of the journal's log
    struct states *states;
    uint64_t fs_digest; // of the last commit
    uint64_t fs_visible;
    uint64_t fs_loose;
    uint64_t record_digest; // of the last record saved
    uint8_t slots[2][512];  // reference: the record store
    bool unsynced;          // scenario: leaks are expected at commits
    const char *trouble;    // what the reference did wrong, or a commit
    uint32_t seed;
};

// One run on `img` of shape `vol`. Reference: fills `states`. Otherwise log may be NULL.
void env_init(struct env *e, bool reference, const struct volume *vol, struct image *img,
              struct states *states, struct oplog *log);
void env_free(struct env *e);
void states_add(struct env *e);
void states_free(struct states *s);

// Power on: find the control area, replay, verify, and with `create` make one if there is none.
// Returns 0, or < 0 with *why. Doesn't mount.
int env_boot(struct env *e, bool create, const char **why);
FRESULT env_mount(struct env *e);

// All of these return 0 or a negative error.
int env_begin(struct env *e);
int env_checkpoint(struct env *e);
int env_commit(struct env *e);
int env_abort(struct env *e); // mounts again
void env_defer(struct env *e, bool deferred);
int env_sync(struct env *e);

// The record store of the run: what is pending is committed before a record is written.
void env_record_store(struct env *e, struct sdb_record_store *store);

// Checks the card, FAT or littlefs, when nothing is in progress. False with *why.
bool env_check(struct env *e, uint64_t *visible, const char **why);

// State of the card `img`: with the record in the control area `c`, if there is one.
uint64_t env_state(uint64_t fs_digest, uint64_t record_digest);
uint64_t env_record_digest(const struct sdb_record_store *store);

#endif
