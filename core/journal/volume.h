// A FAT volume made safe: what a board does with a card between power-on and mounting.
//
//   sdb_volume_open      replays the journal, finds the control area
//   sdb_volume_prepare   likewise, and makes one in the MBR's gap if there is none
//   sdb_volume_bdev      what to mount
//   sdb_volume_make_file if there was no room in the gap: puts the area in a file
//   sdb_volume_store     where the state record is
#ifndef SDB_VOLUME_H
#define SDB_VOLUME_H

#include "core/journal/control.h"
#include "core/fs.h"
#include "core/journal/journal.h"

struct sdb_volume {
    const struct sdb_bdev *card;
    struct sdb_control control;
    struct sdb_control_store slots;
    struct sdb_record_store area_store;
    int replay;  // enum sdb_replay: what the journal held
    int without; // why there is no control area: 0 there is one, or a negative error
    bool wanted; // the volume is to be mounted through the journal
    struct sdb_journal journal;
};

// Opens the FAT volume on `card`, which must outlive `v`. `journal`: mount it through the journal;
// otherwise a commit that was cut short is still put in place, and an area that exists still holds
// the state record. `buf`: 512 bytes.
// Returns 0 (v->without says whether it is journalled; SDB_ENOENT there: no control area yet),
// SDB_ENOENT if there is no FAT volume, or the card's error. Every write of it may be cut.
int sdb_volume_open(struct sdb_volume *v, const struct sdb_bdev *card, bool journal, uint8_t *buf);

// Opens the volume with its journal, and makes a control area in the gap behind the MBR if there is
// none. Returns as sdb_volume_open; v->without is SDB_ENOSPC if there is no room: try
// sdb_volume_make_file. Every write of it may be cut.
int sdb_volume_prepare(struct sdb_volume *v, const struct sdb_bdev *card, uint8_t *buf);

// The block device to mount: the journal, or the card itself without one.
void sdb_volume_bdev(struct sdb_volume *v, struct sdb_bdev *out);

// Begins and ends the making of /.sdboot/journal. In between the caller mounts the volume's block
// device (sdb_volume_bdev, now a transaction in memory) as `fs`.
// Returns 0, or an error: mount again; the card is as it was and is used without journal.
int sdb_volume_begin_file(struct sdb_volume *v);
int sdb_volume_make_file(struct sdb_volume *v, const struct sdb_fs *fs, uint8_t *buf);

// The record in the control area; what the journal holds is committed before a record is written.
// Only if v->without is 0.
void sdb_volume_store(struct sdb_volume *v, struct sdb_record_store *store);

#endif
