// SPDX-License-Identifier: MIT
// A tar archive, read as it arrives in any pieces and constant memory: ustar and pax (POSIX.1-2008,
// pax), Unix v7, and what GNU tar adds (long names, base-256 numbers).
#ifndef SDB_TAR_H
#define SDB_TAR_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include "core/fs.h"

// What is found, in the archive's order. A negative return stops the reader, which then returns it.
struct sdb_tar_events {
    void *ctx; // handed to every callback, owned by the caller
    // A member: its plain path (sdb_path_clean()), SDB_FS_FILE or SDB_FS_DIR, size in bytes (0 of a
    // directory). `path` is valid during the call. Returns 1 to have the member skipped.
    int (*begin)(void *ctx, const char *path, int type, uint32_t size);
    // The next piece of a file, as large as the input has it. Not called for an empty file.
    int (*data)(void *ctx, const void *data, size_t len);
    // All of a file was there. Not called for directories.
    int (*end)(void *ctx);
};

struct sdb_tar {
    struct sdb_tar_events events;

    // Internal. What is small comes first: native code reaches it with shorter instructions.
    int error;
    uint8_t state;        // enum tar_state
    uint8_t zeros;        // zero blocks in a row
    bool started;         // there was a header
    bool has_path;        // an extended header gave `path` ...
    bool has_size;        // ... and `size` of the next member
    bool global;          // the extended header is a global one
    uint8_t phase;        // enum tar_phase: place in a pax record
    uint8_t key;          // enum tar_key: what the record sets
    uint16_t fill;        // bytes in `block`, or in `path` while it is being read
    uint16_t pad;         // bytes after the body up to the next block
    uint32_t litter;      // members skipped because macOS has added them (sdb_path_is_litter)
    uint32_t left;        // bytes of the body not yet seen
    uint32_t size;        // from an extended header
    uint32_t record_len;  // bytes of a pax record, by its own account
    uint32_t record_done; // of these, seen
    uint8_t block[512];

    // Path of the member last seen; after an error about a member, of that one.
    char path[SDB_PATH_MAX + 1];
};

// Starts an archive; `events` is copied.
void sdb_tar_init(struct sdb_tar *tar, const struct sdb_tar_events *events);

// Takes the next `len` bytes. Returns 0, SDB_EPKG_*, or what a callback returned; that is final.
// What follows the end of the archive is ignored.
int sdb_tar_feed(struct sdb_tar *tar, const void *data, size_t len);

// The input has ended: returns 0 if that was the end of an archive, else SDB_EPKG_TRUNCATED,
// SDB_EPKG_NOT_TAR or the error that stopped the reader. An archive ends in two zero blocks; we are
// content with one, as other readers are, but not with none: it could have lost members.
int sdb_tar_finish(struct sdb_tar *tar);

#endif
