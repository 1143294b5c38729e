// SPDX-License-Identifier: MIT
// A volume whose control area is missing, old or damaged: what is done once in a card's life, or
// after somebody has changed it.
//
//   sdb_volume_prepare     repairs, takes over what is there, makes an area in the MBR's gap; or
//   sdb_volume_begin_file  finds that it has to be a file: between these two the caller mounts
//   sdb_volume_make_file   sdb_volume_bdev, a transaction, and hands the filesystem over
#ifndef SDB_VOLUME_MAKE_H
#define SDB_VOLUME_MAKE_H

#include "core/journal/volume.h"

enum {
    SDB_MADE_RESTORED = 1, // sector 0 or the boot sector was damaged, and is what it was
    SDB_MADE_REPLACED = 2, // an older area was
};

struct sdb_volume_make {
    struct sdb_control from; // the area whose record is taken over, if has_from
    struct sdb_control gap;  // what the gap has room for, sectors 0: nothing
    bool has_from;
    unsigned done; // SDB_MADE_*
};

// Opens the volume as sdb_volume_open does, repairs what is damaged, and if the journal is wanted
// makes a control area: the larger one of gap and file. `buf` of `len` bytes, 1024 at least, more
// is faster. Returns 0 (sdb_volume_why says whether it is journalled; SDB_ENOSPC: try
// sdb_volume_begin_file), SDB_ENOENT if there is no FAT volume, or an error with which nothing must
// be mounted. Every write of it may be cut.
int sdb_volume_prepare(struct sdb_volume_make *m, struct sdb_volume *v, const struct sdb_bdev *card,
                       bool journal, uint8_t *buf, uint32_t len);

// Begins and ends the making of /.sdboot/journal. Returns 0, or an error: try sdb_volume_make_last.
int sdb_volume_begin_file(struct sdb_volume_make *m, struct sdb_volume *v, uint8_t *buf,
                          uint32_t len);
int sdb_volume_make_file(struct sdb_volume_make *m, struct sdb_volume *v, const struct sdb_fs *fs,
                         uint8_t *buf);

// The file could not be made: what little the gap has room for is taken after all, or an older area
// is converted where it is. Returns 0, or why there is no journal: the card is used without.
int sdb_volume_make_last(struct sdb_volume_make *m, struct sdb_volume *v, uint8_t *buf);

#endif
