// SPDX-License-Identifier: MIT
// Putting a staged release into place, at boot, before anything on the card is open.
//
// The swap is a list of renames, each of which is either done or not, in an order that lets it be
// taken up again from any point: the record says SWAPPING until the last one is done.
#ifndef SDB_SWAP_H
#define SDB_SWAP_H

#include "core/fs.h"
#include "core/release/record.h"
#include "core/release/textfile.h"
#include "core/release/tree.h"

#include <stdbool.h>

#define SDB_SWAP_NAMES 128 // of a directory, in memory at a time

// Working memory of a swap, caller-owned.
struct sdb_swap {
    const struct sdb_fs *fs;
    // All between two saves of the record is one transaction: a directory may be missing for a
    // while, so one with many files changes places as a whole. The caller's to set.
    bool whole;
    struct sdb_tree tree;
    char live[SDB_PATH_MAX + 1];       // the file being replaced
    char old[SDB_PATH_MAX + 1];        // where it is kept
    struct sdb_textfile added;         // what the release adds outside main_dir
    uint32_t names[SDB_SWAP_NAMES][2]; // their keys (sdb_path_key); 0, 0: struck off
};

// Does what `record` asks for: STAGED or SWAPPING → next/ becomes app/, app/ becomes prev/, files
// in .sdboot/new/ take their places, what they replace goes to .sdboot/old/, and the names of those
// that replace nothing to .sdboot/added. The record then says TRIAL if the release gets trial
// boots, else IDLE. Returns 1 when a release has been swapped in, 0 when there was nothing to do,
// or an error: SDB_ENOENT if the staged release is gone (the record is IDLE again, the running
// release untouched). After any other error the record still says what is to be done and the next
// boot tries again.
int sdb_swap(struct sdb_swap *swap, const struct sdb_fs *fs, const struct sdb_record_store *store,
             struct sdb_record *record);

// Private to swap.c and revert.c: entries moved between two saves of the record.
#define SDB_SWAP_BUDGET 64

// Likewise: the directory at swap->tree.path takes the place of the live one, which goes below
// `aside`, but for what has no successor: FatFs looks for each name in a directory from its start
// on, so that file by file takes a time that grows with the square of their number. `note`: what is
// new is added to SDB_FILE_ADDED. Returns 1, 0 if that is to be done file by file (few files, a
// directory among them, much that has no successor), or an error.
int sdb_swap_dir(struct sdb_swap *swap, const char *aside, bool note);

// Likewise: "/next" to swap->live, "/app" to swap->old.
void sdb_swap_set_dirs(struct sdb_swap *swap, const struct sdb_record *record);

#endif
