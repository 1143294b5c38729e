// SPDX-License-Identifier: MIT
// Checking a release on the card against its manifest.
#ifndef SDB_VERIFY_H
#define SDB_VERIFY_H

#include "core/release/hash.h"
#include "core/release/manifest.h"

struct sdb_verify {
    const struct sdb_fs *fs;
    const struct sdb_hash *hash; // SHA-256
    struct sdb_textfile manifest;
    char path[SDB_PATH_MAX + 2]; // "/" and the file that was checked last
    uint8_t *buf;                // caller's memory to read files with, more is faster
    size_t len;
    bool written_only; // pass over files that were there before the install, and are the
                       // application's
};

// Prepares to check the release in `main_dir` ("app") by its manifest. A name of more than
// SDB_NAME_MAX bytes is one that does not exist.
void sdb_verify_init(struct sdb_verify *v, const struct sdb_fs *fs, const struct sdb_hash *hash,
                     const char *main_dir, uint8_t *buf, size_t len);

// Checks the next file. Returns 1 if it is as it should be, SDB_EVERIFY if it differs or is missing
// (v->path names it; go on), 0 when all have been checked, SDB_ENOENT if there is no manifest, or
// another error. After anything but 1 and SDB_EVERIFY the manifest is closed.
int sdb_verify_next(struct sdb_verify *v);

// Checks what the install has written, up to the first difference. What was there already may have
// been changed by the application since, which is no damage. Returns 0 (all is well, or there is no
// manifest), SDB_EVERIFY or another error.
int sdb_verify_all(struct sdb_verify *v);

#endif
