// SPDX-License-Identifier: MIT
// Files that the application has made in main_dir: they go along when another release takes its
// place.
#ifndef SDB_CARRY_H
#define SDB_CARRY_H

#include "core/release/swap.h"

// Moves from `from` ("/prev", "/next"), which was main_dir until now, to record->main_dir what is
// in no line of `from`'s manifest and has no successor there. Without a manifest nothing says what
// the application has made: what is no code (*.py, *.mpy) and has no leading dot is moved then. May
// be repeated after a power cut. `record` is saved after every SDB_SWAP_BUDGET files, so that no
// journal fills. Returns 0; 1 if something could not be moved: it stays in `from`, which is no
// reason to stop an update or the way back; SDB_ECANCELED.
int sdb_carry(struct sdb_swap *swap, const char *from, const struct sdb_record_store *store,
              struct sdb_record *record);

#endif
