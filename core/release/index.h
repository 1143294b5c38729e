// SPDX-License-Identifier: MIT
// The index of a package: what is where in it, and hashes of the files, so that a board fetches
// only what it has not (docs/FORMAT.md). Read as it comes, in constant memory.
#ifndef SDB_INDEX_H
#define SDB_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fs.h"

#define SDB_INDEX_MAGIC "sdbI"
#define SDB_INDEX_VERSION 1
#define SDB_INDEX_HASH 6 // bytes of a file's SHA-256 that it has
#define SDB_INDEX_BLOCK 512u

// What comes next in the package.
enum sdb_index_kind {
    SDB_INDEX_FILE = 0,  // a header that sdb_tarhead_make() makes, and content filled up to a block
    SDB_INDEX_DIR = 1,   // such a header of a directory
    SDB_INDEX_RAW = 2,   // blocks of any content
    SDB_INDEX_ZEROS = 3, // blocks of zeros
};

struct sdb_index {
    // Of the entry last read.
    uint8_t kind;                 // enum sdb_index_kind
    uint8_t hash[SDB_INDEX_HASH]; // of a file: the beginning of its SHA-256
    uint32_t at;                  // place in the package, bytes
    uint32_t end;                 // place behind it, a multiple of a block
    uint32_t size;                // of a file: bytes of its content
    uint32_t number;              // of the entry, from 0
    uint32_t count;               // entries of the whole index
    char path[SDB_PATH_MAX + 1];  // of a file or directory, without '/' at the end

    // Internal.
    int error;
    const uint8_t *p, *piece_end;
    int (*more)(void *ctx, const uint8_t **piece);
    void *ctx;
};

// Starts to read. more() sets *piece to the next bytes, which stay valid until it is called again,
// and returns their number, 0 at the end, or a negative error. Returns 0, SDB_EINVAL if this is no
// index or one of a newer version, or what more() returned.
int sdb_index_open(struct sdb_index *ix, int (*more)(void *ctx, const uint8_t **piece), void *ctx);

// Reads the next entry. Returns 1, 0 behind the last one, SDB_EINVAL for what is none, or what
// more() returned; errors are final.
int sdb_index_next(struct sdb_index *ix);

// Writes the header (a block) of a file or directory as packages of the host tool have it. Returns
// false if the path does not fit.
bool sdb_tarhead_make(uint8_t block[SDB_INDEX_BLOCK], const char *path, enum sdb_index_kind kind,
                      uint32_t size);

#endif
