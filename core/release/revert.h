// SPDX-License-Identifier: MIT
// The way back: the release before becomes the running one again, files outside app/ included.
//
// Like the swap, a list of steps that can be taken up again from any point: the record says
// REVERTING until the last one is done.
#ifndef SDB_REVERT_H
#define SDB_REVERT_H

#include "core/release/swap.h"

// Notes in `record` that the running release is to be taken back because of `event`, and saves it:
// its version (app/.version) is `bad` from now on. Returns 0, SDB_ENOENT if there is no release
// before it (prev/ is missing, or empty and the release has not replaced a main.py either): nothing
// has changed then. Or an error.
int sdb_revert_begin(struct sdb_swap *swap, const struct sdb_fs *fs,
                     const struct sdb_record_store *store, struct sdb_record *record,
                     uint8_t event);

// Takes the release back if `record` says REVERTING: prev/ becomes app/, what is in .sdboot/old/
// returns to its place, what the release added outside app/ goes. The bad release ends up in next/
// and SDB_FLAG_LEFTOVER says so. Returns 1 if that was done, 0 if there was nothing to do, or an
// error: the record still says what is to be done.
int sdb_revert(struct sdb_swap *swap, const struct sdb_fs *fs, const struct sdb_record_store *store,
               struct sdb_record *record);

#endif
