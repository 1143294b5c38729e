// SPDX-License-Identifier: MIT
// A control area in a file. Private to core/journal/control*.c and volume*.c.
#ifndef SDB_CONTROL_FILE_H
#define SDB_CONTROL_FILE_H

#include "core/card/fatdir.h"
#include "core/journal/control.h"

// Captures the FAT entries of the file that `c` shall be in (sdb_control_find_free), in an explicit
// transaction of `j`, which was made for that area: a filesystem mounted on it then leaves those
// clusters alone. Returns 0 or an error: sdb_journal_abort.
int sdb_control_reserve(struct sdb_journal *j, const struct sdb_control *c, uint8_t *buf);

// The filesystem has made the empty file /.sdboot/journal in that transaction: gives it its
// clusters, makes the area in them, with the record of `from` (NULL: none), and commits. The
// clusters are free as far as the card knows, so that all of it can be done before the commit,
// which the area itself carries, changes anything. Returns 0; SDB_ENOENT without such a file; or
// the card's error. On any error: sdb_journal_abort and mount again.
int sdb_control_place_file(struct sdb_journal *j, const struct sdb_bdev *card,
                           struct sdb_control *c, const struct sdb_control *from, uint8_t *buf);

// Finds the directory entry of /.sdboot/journal. Returns 0, SDB_ENOENT or the device's error.
int sdb_control_find_file(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo,
                          struct sdb_fatdir *found, uint8_t *buf);

#endif
