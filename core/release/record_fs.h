// SPDX-License-Identifier: MIT
// The state record as two files, /.sdboot/record.0 and .1: on littlefs, and on a FAT card that has
// no room for a control area.
#ifndef SDB_RECORD_FS_H
#define SDB_RECORD_FS_H

#include "core/fs.h"
#include "core/release/record.h"

// Fills in `store`. `fs` must outlive it.
void sdb_record_fs(struct sdb_record_store *store, const struct sdb_fs *fs);

#endif
