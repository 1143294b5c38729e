// SPDX-License-Identifier: MIT
// The set of names in a package, to refuse duplicates and names that differ in case only, which
// would be one file on FAT and two on littlefs or a PC.
#ifndef SDB_NAMES_H
#define SDB_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sdb_names {
    uint32_t (*table)[2]; // caller's memory, 8 bytes a name; names are kept as hashes
    size_t capacity;      // entries of table
    size_t count;

    // Called when the table is full: replaces it by a larger one with the same content and returns
    // 0, or an error. NULL: a full table is SDB_EPKG_MANY.
    int (*grow)(void *ctx, struct sdb_names *names);
    void *ctx;
};

// Adds the file or directory `path` and its parent directories; path is changed while this runs
// and restored. Directories may be added more than once. Returns 0, SDB_EPKG_DUPLICATE,
// SDB_EPKG_CONFLICT (a file and a directory of one name) or SDB_EPKG_MANY (table full), or
// what grow returned.
// Two different names are taken for one with a probability of 2^-48.
int sdb_names_add(struct sdb_names *names, char *path, bool directory);

// Has `path` been added as a directory, or as a file? Without regard to ASCII case.
bool sdb_names_has(const struct sdb_names *names, const char *path, bool directory);

#endif
