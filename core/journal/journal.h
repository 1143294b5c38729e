// SPDX-License-Identifier: MIT
// A block device that makes what is written to a FAT volume between two commits all or nothing.
//
//   sdb_journal_init      once; then sdb_journal_replay, before any filesystem mounts
//   sdb_journal_bdev      the block device to mount
//   autocommit            every sync of the device is a commit (the state after init)
//   sdb_journal_begin     an explicit transaction, ended by sdb_journal_commit or _abort
//   sdb_journal_defer     around the operations of a background task: their syncs are no commits,
//                         anybody else's sync commits theirs as well
//
// A write to a cluster that the committed FAT calls free goes straight to the card, where nobody
// can see it yet. Every other write is captured: in memory, in a slot on the card beyond that.
// docs/FORMAT.md fixes the bytes, docs/DESIGN.md argues why it holds.
#ifndef SDB_JOURNAL_H
#define SDB_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bdev.h"
#include "core/card/fatgeo.h"

#ifndef SDB_JOURNAL_RAM
#define SDB_JOURNAL_RAM 12u // sectors held in memory; more is faster, 4 to 40
#endif
#ifndef SDB_JOURNAL_LOG
#define SDB_JOURNAL_LOG 1 // 0: no log is written, and one that waits on a card is SDB_ELOG
#endif
#define SDB_JOURNAL_RUNS 200u // runs of neighbouring sectors that are captured on the card
#define SDB_JOURNAL_YOUNG 8u  // clusters that were free a moment ago and are not yet full

enum sdb_replay {
    SDB_REPLAY_NONE = 0,    // nothing was committed and not yet in place
    SDB_REPLAY_DONE = 1,    // a commit has been put in place
    SDB_REPLAY_FOREIGN = 2, // somebody has changed the card since: nothing overwritten
};

// Internal: the journal's own files look in here, everybody else calls functions.
struct sdb_journal_run {
    uint32_t lba; // first sector
    uint16_t count;
    uint16_t slot; // slot of the first sector, the others follow
};

struct sdb_journal_buffer { // what ram[] holds
    uint32_t lba;
    uint32_t old;    // dirty: CRC of the content on the card
    uint32_t used;   // clock of the last use
    uint32_t logged; // in_log: CRC of the content that the log leads to
    uint16_t from;   // bytes changed since the capture, or since the last record: from here on
    uint16_t to;     // up to here
    uint8_t state;   // JOURNAL_EMPTY, _CLEAN, _DIRTY, _HELD
    bool known;      // `old` is known
    bool fresh;      // dirty: nothing committed is on the card there, it may be written at any time
    bool in_log;     // dirty: there is a record that changes it
};

struct sdb_journal_young {
    uint32_t cluster;    // 0: none
    uint32_t used;       // clock of the last use
    uint32_t written[4]; // a bit for each of its sectors
    bool since;          // written to since the last sync that was a commit in place
    bool homed;          // a sector of it that is in the log has been written in place
};

struct sdb_journal {
    const struct sdb_bdev *card;
    struct sdb_fatgeo geo;
    uint32_t area;         // LBA of the control area; 0: none, RAM only, nothing can be committed
    uint32_t area_sectors; // its length
    uint32_t slots;        // captured sectors that fit
    uint32_t spilled;      // slots in use
    uint32_t run_count;
    uint32_t dirty;      // captured sectors in ram[]
    uint32_t held;       // sectors in ram[] that go straight to the card, but later
    uint32_t clock;      // counts uses
    uint32_t marks;      // JOURNAL_PART, _PARTED
    uint32_t last;       // sector that was read by itself last, of the FAT none
    uint32_t row;        // those read one after the other up to it
    uint32_t fat_lba;    // which sector is in fat[]; 0: none
    uint32_t full_from;  // clusters written whole since the last sync, from here on
    uint32_t full_count; // how many
    int failed;          // first error since the last commit, 0: none; only abort helps
    bool stale;          // the header on the card is of a commit that must not be replayed
    bool dead;           // a commit could not be ended: no more writes until the next boot
    bool committed;      // that commit is past the commit point
    bool open;           // explicit transaction
    bool deferred;       // syncs are not commits
    bool passed;         // something went straight to the card since the last barrier
    bool masked;         // the filesystem has seen marks in the FAT
    bool forgot;         // since the last sync a free cluster was written to that is not in young[]
    bool log;            // small commits become records of the log
    bool unlogged;       // the next commit can't be one
    bool fat_logged;     // the log changes the FAT
    bool due;            // what the log holds has been dropped from memory: replay comes first
    uint32_t ring;       // sectors of the log and its anchor, 0: there is no room for it
    uint32_t epoch;      // of the log, 0: there is no anchor on the card
    uint32_t records;    // written in this epoch
    uint32_t found;      // by the last replay
    struct sdb_journal_buffer buffers[SDB_JOURNAL_RAM];
    struct sdb_journal_run runs[SDB_JOURNAL_RUNS]; // in the order of lba
    struct sdb_journal_young young[SDB_JOURNAL_YOUNG];
    uint8_t fat[SDB_SECTOR];                      // a sector of the committed FAT
    uint8_t ram[SDB_JOURNAL_RAM + 1][SDB_SECTOR]; // ram[0]: header, scratch; buffer i is ram[i + 1]
};

// Prepares `j` for the volume `geo` on `card`, both the caller's; card must outlive j, geo is
// copied. `area`/`sectors`: the control area (control.h); 0/0, or of no length that there is: none.
// Autocommit.
void sdb_journal_init(struct sdb_journal *j, const struct sdb_bdev *card,
                      const struct sdb_fatgeo *geo, uint32_t area, uint32_t sectors);

// Puts a committed transaction in place that a power cut has left. Right after init. May itself be
// cut at any write and repeated. Returns enum sdb_replay or the card's error (nothing mounted may
// write then), SDB_ELOG among them. After SDB_REPLAY_FOREIGN the first write through the journal
// forgets the commit.
int sdb_journal_replay(struct sdb_journal *j);

// Small commits become records of a log, one sector each; every so many of them, and whenever
// something else is called here that commits, what they say goes to where it belongs. Until then
// only a reader of the log sees it: replay is one. Without room for a log nothing changes. To be
// called again after sdb_journal_init.
void sdb_journal_log(struct sdb_journal *j, bool on);

// Records in the log; -1: there is none.
int sdb_journal_records(const struct sdb_journal *j);

// Those that the last replay has found.
uint32_t sdb_journal_found(const struct sdb_journal *j);

// After a replay: was the last commit one of several, made in the middle of an operation of the
// filesystem for which the journal was too small? Clusters may belong to no file then.
bool sdb_journal_parted(const struct sdb_journal *j);

// Forgets a commit that replay has called foreign, for a volume that will be written past the
// journal. Returns 0 or the card's error (nothing may be written then).
int sdb_journal_forget(struct sdb_journal *j);

// The block device to mount; j must outlive it. A failed write or sync means: nothing of this
// transaction will be committed, every further write fails; sdb_journal_abort and mount again.
// Writes to the control area fail with SDB_EPERM, writes beyond what fits with SDB_ENOSPC.
void sdb_journal_bdev(struct sdb_journal *j, struct sdb_bdev *out);

// Begins an explicit transaction; commits what is pending first. SDB_EBUSY if one is open.
int sdb_journal_begin(struct sdb_journal *j);

// Commits all that is pending and ends an explicit transaction. The filesystem must not be in the
// middle of an operation. On an error before the commit point the old state is intact and `failed`
// is set; after it the journal is `dead` and the next replay finishes the work.
int sdb_journal_commit(struct sdb_journal *j);

// Commits all that is pending; an explicit transaction stays open.
int sdb_journal_checkpoint(struct sdb_journal *j);

// Forgets all that is pending and ends an explicit transaction. The filesystem on top holds
// memories of it and must be mounted again. What is in the log stays committed: the next access
// puts it in place.
void sdb_journal_abort(struct sdb_journal *j);

// While set, a sync is not a commit, and what is captured waits for the next one.
void sdb_journal_defer(struct sdb_journal *j, bool deferred);

// Captured sectors that still fit, and those that fit in an empty journal.
uint32_t sdb_journal_room(const struct sdb_journal *j);
uint32_t sdb_journal_slots(const struct sdb_journal *j);

// Half full: a long transaction checkpoints now.
bool sdb_journal_full(const struct sdb_journal *j);

// Is there an explicit transaction? Are syncs no commits?
bool sdb_journal_is_open(const struct sdb_journal *j);
bool sdb_journal_is_deferred(const struct sdb_journal *j);

// The first error since the last commit (only abort helps), 0: none.
int sdb_journal_failed(const struct sdb_journal *j);

// A commit could not be ended: nothing is written any more until the next replay.
bool sdb_journal_is_dead(const struct sdb_journal *j);

// Of a dead journal: has its last commit passed the commit point? Then it is in place, or will be
// after a replay; else a replay has to tell.
bool sdb_journal_is_committed(const struct sdb_journal *j);

// The volume; j's own.
const struct sdb_fatgeo *sdb_journal_geo(const struct sdb_journal *j);

#endif
