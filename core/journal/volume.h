// SPDX-License-Identifier: MIT
// A FAT volume made safe: what a board does with a card between power-on and mounting.
//
//   sdb_volume_open      replays the journal, finds the control area
//   sdb_volume_bdev      what to mount
//   sdb_volume_store     where the state record is
//
// and for a card whose control area is missing, old or not what it should be, volume_make.h.
#ifndef SDB_VOLUME_H
#define SDB_VOLUME_H

#include "core/fs.h"
#include "core/journal/control.h"
#include "core/journal/journal.h"

// Internal: volume*.c look in here, everybody else calls functions.
struct sdb_volume {
    const struct sdb_bdev *card;
    struct sdb_control control;
    struct sdb_control_store slots;
    struct sdb_record_store area_store;
    int replay;  // enum sdb_replay: what the journal held
    bool parted; // sdb_journal_parted() after that
    int without; // why there is no control area for the journal: 0 there is one, or an error
    bool record; // there is one for the state record
    bool look;   // sdb_volume_prepare has something to do
    bool wanted; // the volume is to be mounted through the journal
    struct sdb_journal journal;
};

// Opens the FAT volume on `card`, which must outlive `v`. `journal`: mount it through the journal;
// otherwise a commit that was cut short is still put in place, and an area that exists still holds
// the state record. `buf`: 512 bytes.
// Returns 0, SDB_ENOENT if there is no FAT volume, or the card's error. Every write of it may be
// cut.
int sdb_volume_open(struct sdb_volume *v, const struct sdb_bdev *card, bool journal, uint8_t *buf);

// Is there something to be done before it is mounted: an area of an older version, or one that is
// much too small; sector 0 or the boot sector are not what they were? volume_make.h sees to it.
bool sdb_volume_needs_care(const struct sdb_volume *v);

// Why is what sdb_volume_bdev gives not journalled? 0: it is. SDB_ECANCELED: it was not wanted.
// SDB_ENOENT: there is no control area. Others: why none could be made.
int sdb_volume_why(const struct sdb_volume *v);

// Is there a control area for the state record (also without a journal)?
bool sdb_volume_has_record(const struct sdb_volume *v);

// Where it is: 0/0 without one.
void sdb_volume_area(const struct sdb_volume *v, uint32_t *lba, uint32_t *sectors);

// What the journal held at power-on: enum sdb_replay.
int sdb_volume_replayed(const struct sdb_volume *v);

// Was power lost in the middle of an operation that the journal was too small for? Space may be
// lost until a checker has run.
bool sdb_volume_parted(const struct sdb_volume *v);

// The journal; v's own.
struct sdb_journal *sdb_volume_journal(struct sdb_volume *v);

// The block device to mount: the journal, or the card itself without one.
void sdb_volume_bdev(struct sdb_volume *v, struct sdb_bdev *out);

// The record in the control area; what the journal holds is committed before a record is written.
// Only if sdb_volume_has_record.
void sdb_volume_store(struct sdb_volume *v, struct sdb_record_store *store);

#endif
