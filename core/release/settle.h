// SPDX-License-Identifier: MIT
// A release that was staged while another one waited takes the other's place.
#ifndef SDB_SETTLE_H
#define SDB_SETTLE_H

#include "core/release/record.h"
#include "core/release/tree.h"

// One step for a record with SDB_FLAG_SECOND: removes up to `budget` entries of the release that
// waited before, moves the new one to next/ and SDB_DIR_NEW at last and clears the flag. May be
// repeated after a power cut. Returns 1 while there is more to do, 0, or an error.
int sdb_settle_step(struct sdb_tree *tree, const struct sdb_fs *fs,
                    const struct sdb_record_store *store, struct sdb_record *record, int budget);

#endif
