// SPDX-License-Identifier: MIT
// The journal's bytes on the card and what its parts share. Private to core/journal's journal.c,
// capture.c, read.c, freed.c, commit.c, log.c, log_replay.c and replay.c.
#ifndef SDB_JOURNAL_DISK_H
#define SDB_JOURNAL_DISK_H

#include "core/journal/area.h"
#include "core/journal/journal.h"

// Header sector and index sectors, little-endian. The header is index block 0.
#define JOURNAL_MAGIC 0x4A626473u // "sdbJ"
#define JOURNAL_VERSION 2u
#define JOURNAL_AT_VERSION 4 // and above it the epoch of the log that the commit ends, 0: none
#define JOURNAL_EPOCH_SHIFT 8
#define JOURNAL_EPOCHS 0xFFFFFFu
#define JOURNAL_AT_AREA 8
#define JOURNAL_AT_SECTORS 12
#define JOURNAL_AT_COUNT 16        // and two marks above it
#define JOURNAL_PART 0x80000000u   // the commit ends in the middle of an operation
#define JOURNAL_PARTED 0x40000000u // so did the last one in place; alone in a cleared header
#define JOURNAL_AT_INDEX_CRC 20    // of index blocks 1.., chained; 0 if there are none
#define JOURNAL_AT_BLOCK 24        // number of this index block
#define JOURNAL_AT_ENTRIES 28      // {lba, crc of new, crc of old} each
#define JOURNAL_ENTRY 12
#define JOURNAL_PER_BLOCK SDB_INDEX_ENTRIES
#define JOURNAL_AT_CRC 508 // of the bytes before it

_Static_assert(JOURNAL_AT_ENTRIES + JOURNAL_ENTRY * JOURNAL_PER_BLOCK == JOURNAL_AT_CRC, "index");
_Static_assert(SDB_JOURNAL_RAM >= 4 && SDB_JOURNAL_RAM <= JOURNAL_PER_BLOCK, "one block for all");
// The log's anchor, and its records behind it.
#define JOURNAL_ANCHOR_MAGIC 0x4C626473u // "sdbL"
#define JOURNAL_RECORD_MAGIC 0x4B626473u // "sdbK"
#define JOURNAL_LOG_AREA 4               // lba of the area
#define JOURNAL_LOG_EPOCH 8
#define JOURNAL_LOG_SECTORS 12  // anchor: length of the area
#define JOURNAL_LOG_SEQUENCE 12 // record: its number, 2 bytes
#define JOURNAL_LOG_COUNT 14    // record: number of changes, 2 bytes
#define JOURNAL_LOG_MARKS 16    // anchor: JOURNAL_PARTED, or 0
#define JOURNAL_LOG_CHANGES 16
#define JOURNAL_CHANGE 12 // bytes of one before its own: lba, CRC, from and kind, length

enum journal_kind { // of a change
    JOURNAL_HOME,   // the sector's first in this epoch, the CRC is of what is on the card
    JOURNAL_AGAIN,  // the CRC is of what the changes before have left
    JOURNAL_COPY, // begins as a copy of another sector (4 bytes more: its lba, 0: zeros), whatever
                  // is on the card; the CRC is of the result
};
#define JOURNAL_KIND_SHIFT 9

_Static_assert(SDB_CONTROL_MAX <= 0xFFFF, "slots have 16 bits in a run");

// Runs beyond these are for what is in memory when it comes to a commit.
#define JOURNAL_RUNS_MAX (SDB_JOURNAL_RUNS - 2 * SDB_JOURNAL_RAM)

// Held: goes straight to the card, but later, see sdb_journal_hold().
enum { JOURNAL_EMPTY, JOURNAL_CLEAN, JOURNAL_DIRTY, JOURNAL_HELD };
#define JOURNAL_HELD_MAX 2u
#define JOURNAL_AHEAD (SDB_JOURNAL_RAM * 2 / 3)

// Header, slots, then index blocks 1.. : what fits in memory is committed in one command.
static inline uint32_t journal_slot_lba(const struct sdb_journal *j, uint32_t slot) {
    return j->area + SDB_CONTROL_HEADER + 1 + slot;
}

static inline uint32_t journal_block_lba(const struct sdb_journal *j, uint32_t block) {
    return j->area + SDB_CONTROL_HEADER + (block == 0 ? 0 : j->slots + block);
}

static inline bool journal_logs(const struct sdb_journal *j) {
    return SDB_JOURNAL_LOG && j->log;
}

static inline uint32_t journal_anchor_lba(const struct sdb_journal *j) {
    return j->area + sdb_area_anchor(j->area_sectors);
}

// The first four bytes of a header behind its magic.
static inline uint32_t journal_version(const struct sdb_journal *j) {
    return JOURNAL_VERSION | j->epoch << JOURNAL_EPOCH_SHIFT;
}

static inline uint8_t *journal_ram(struct sdb_journal *j, uint32_t buffer) {
    return j->ram[buffer + 1];
}

// Both FATs hold the same: what is written to the first one goes to the second at the commit.
static inline bool journal_mirrors(const struct sdb_journal *j) {
    return j->geo.safe && j->geo.fats == 2;
}

static inline bool journal_in_fat(const struct sdb_journal *j, uint32_t lba) {
    return lba - j->geo.fat < j->geo.fat_sectors; // the first one
}

static inline bool journal_in_area(const struct sdb_journal *j, uint32_t lba, uint32_t count) {
    return lba < j->area + j->area_sectors && j->area < lba + count;
}

int sdb_journal_card_read(struct sdb_journal *j, uint32_t lba, uint32_t count, void *buf);
int sdb_journal_card_write(struct sdb_journal *j, uint32_t lba, uint32_t count, const void *buf);
int sdb_journal_card_sync(struct sdb_journal *j);

// ---- capture.c

// Number of the first run that ends behind `lba`, or run_count.
uint32_t sdb_journal_run(const struct sdb_journal *j, uint32_t lba);

// The run that `lba` is in, or NULL.
const struct sdb_journal_run *sdb_journal_run_of(const struct sdb_journal *j, uint32_t lba);

// The run that `slot` is in; there is one for every slot in use.
const struct sdb_journal_run *sdb_journal_run_at(const struct sdb_journal *j, uint32_t slot);

// The buffer that holds `lba`, or SDB_JOURNAL_RAM.
uint32_t sdb_journal_buffer(const struct sdb_journal *j, uint32_t lba);

// A buffer that captures nothing, the one that was used longest ago; SDB_JOURNAL_RAM: none.
uint32_t sdb_journal_spare(const struct sdb_journal *j);

bool sdb_journal_captured(const struct sdb_journal *j, uint32_t lba);

// Holds back one sector that may go straight to the card. Returns 1, 0 if it can't be held, or an
// error of the card. sdb_journal_let_go() writes what is held, at the latest before a commit.
int sdb_journal_hold(struct sdb_journal *j, uint32_t lba, const uint8_t *data);
int sdb_journal_let_go(struct sdb_journal *j);

// Captures sectors that are not captured yet: sets *done to how many, at least 1 if there is no
// error. SDB_ENOSPC if nothing fits.
int sdb_journal_capture(struct sdb_journal *j, uint32_t lba, uint32_t count, const uint8_t *data,
                        uint32_t *done);

// What is in memory likewise for `lba` as written to the card past it.
void sdb_journal_write_cached(struct sdb_journal *j, uint32_t lba, uint32_t count,
                              const uint8_t *data);

// Sorts the buffers: those that capture something first, in the order of their sectors.
void sdb_journal_sort(struct sdb_journal *j);

// Neighbours from sorted buffer `i` on, at least 1.
uint32_t sdb_journal_group(const struct sdb_journal *j, uint32_t i);

// Puts all captured sectors into slots.
int sdb_journal_spill_all(struct sdb_journal *j);

// Forgets what is captured, cached, or both.
void sdb_journal_drop(struct sdb_journal *j);

// ---- read.c

// Reads through what is captured. Returns 0 or the card's error.
int sdb_journal_read(struct sdb_journal *j, uint32_t lba, uint32_t count, uint8_t *out);

// ---- freed.c

// May `lba` be written in place? 1 if nothing committed is there, 0 if it must be captured, or an
// error.
int sdb_journal_passes(struct sdb_journal *j, uint32_t lba);

// Notes that `count` sectors that may be are written in place.
int sdb_journal_note(struct sdb_journal *j, uint32_t lba, uint32_t count);

// A commit is in place. `sync`: the filesystem has written all that it remembers, so that clusters
// with anything in them are allocated in the committed FAT.
void sdb_journal_in_place(struct sdb_journal *j, bool sync);

// A sector of the log is written in place before its time; was one of this cluster?
void sdb_journal_set_homed(struct sdb_journal *j, uint32_t lba);
bool sdb_journal_is_homed(struct sdb_journal *j, uint32_t lba);

// Does `sector`, of the captured FAT, free clusters that the committed one has? 0, 1 or an error.
int sdb_journal_frees(struct sdb_journal *j, uint32_t lba, const uint8_t *sector);

// A sector of the captured FAT as the filesystem is to see it: clusters freed since the last commit
// are marked as bad; and back. Returns 0 or an error.
int sdb_journal_mask(struct sdb_journal *j, uint32_t lba, uint8_t *sector);
int sdb_journal_unmask(struct sdb_journal *j, uint32_t lba, uint8_t *sector);

// ---- commit.c

// Commits all that is pending. `part`: JOURNAL_PART, or 0.
int sdb_journal_commit_pending(struct sdb_journal *j, uint32_t part);

// Takes back the header on the card, and waits until that is on the medium.
int sdb_journal_take_back(struct sdb_journal *j);

// The commit on the card and the log that it ends are over: waits until that is on the medium.
int sdb_journal_clear(struct sdb_journal *j);

// Likewise, once what is committed has been written to where it belongs.
int sdb_journal_end(struct sdb_journal *j);

// Writes neighbours to where they belong, and to the second FAT.
int sdb_journal_go_home(struct sdb_journal *j, uint32_t lba, uint32_t count, const uint8_t *data);

// ---- replay.c

// After an abort: what the log holds, and memory no more, is put in place. Before anything else.
int sdb_journal_ready(struct sdb_journal *j);

// ---- log.c

// Reads the anchor; sets epoch and with it the number of slots.
int sdb_journal_read_anchor(struct sdb_journal *j);
void sdb_journal_set_epoch(struct sdb_journal *j, uint32_t epoch);

// Makes `epoch` begin, with no records: waits until that is on the medium.
int sdb_journal_write_anchor(struct sdb_journal *j, uint32_t epoch);

#if SDB_JOURNAL_LOG

// Buffer `i` will hold `data`: notes which bytes change.
void sdb_journal_change(struct sdb_journal *j, uint32_t i, const uint8_t *data);

// Keeps a sector in memory that may be written in place at any time.
int sdb_journal_keep_fresh(struct sdb_journal *j, uint32_t lba, const uint8_t *data);

// Writes those sectors in place; `keep`: not the two that were used last.
int sdb_journal_flush_fresh(struct sdb_journal *j, bool keep);

// Commits all that is pending with a record. 1: done, 0: it can't be, or an error.
int sdb_journal_write_record(struct sdb_journal *j);

#else

static inline void sdb_journal_change(struct sdb_journal *j, uint32_t i, const uint8_t *data) {
    (void)j, (void)i, (void)data;
}
static inline int sdb_journal_keep_fresh(struct sdb_journal *j, uint32_t lba, const uint8_t *data) {
    return sdb_journal_card_write(j, lba, 1, data);
}
static inline int sdb_journal_flush_fresh(struct sdb_journal *j, bool keep) {
    return (void)j, (void)keep, 0;
}
static inline int sdb_journal_write_record(struct sdb_journal *j) {
    return (void)j, 0;
}

#endif

// ---- log_replay.c

// Record `number` of the log in `s`?
bool sdb_journal_record_ok(const struct sdb_journal *j, const uint8_t *s, uint32_t number);

// Puts in place what the log holds. Returns enum sdb_replay or an error.
int sdb_journal_replay_log(struct sdb_journal *j);

#endif
