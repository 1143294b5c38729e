// SPDX-License-Identifier: MIT
// Directories and cluster chains of a FAT volume, sector by sector: for what must be found before
// a filesystem is mounted, or beside one.
#ifndef SDB_FATDIR_H
#define SDB_FATDIR_H

#include "core/bdev.h"
#include "core/card/fatgeo.h"

#define SDB_FATDIR_ENTRY 32u     // bytes of a directory entry
#define SDB_FATDIR_FIRST_HIGH 20 // in an entry: first cluster, upper half (FAT32)
#define SDB_FATDIR_FIRST 26      // lower half
#define SDB_FATDIR_SIZE 28       // bytes of the file

// Where a directory entry is and what it says.
struct sdb_fatdir {
    uint32_t lba;   // sector of the card
    uint32_t at;    // offset in it
    uint32_t first; // first cluster, 0: empty
    uint32_t size;  // bytes, of a file
};

// Looks in the directory that begins at cluster `dir` (0: the root) for a directory with the long
// or short name `name`, as FatFs compares names: upper and lower case are one. All characters
// beyond ASCII are one as well. `buf`: 512 bytes, holds the entry's sector afterwards. Returns 0
// with *found, SDB_ENOENT or the device's error.
int sdb_fatdir_find_dir(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint32_t dir,
                        const char *name, struct sdb_fatdir *found, uint8_t *buf);

// Looks for a file with the short name `name`: 11 characters, padded with spaces.
int sdb_fatdir_find_file(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint32_t dir,
                         const char *name, struct sdb_fatdir *found, uint8_t *buf);

// Clears the attribute "read-only" of what FatFs calls `path` (absolute, in bytes of its code
// page): FatFs has no call for it and removes nothing that has it. Writes one sector through `dev`,
// what the volume is mounted on; FatFs must not have that sector in its window. Of several names
// that differ in characters beyond ASCII only, the first that is read-only is taken. `buf`: 512
// bytes. Returns 0, SDB_ENOENT if nothing of that name is read-only, or the device's error.
int sdb_fatdir_writable(const struct sdb_bdev *dev, const char *path, uint8_t *buf);

// Do the 32 bytes at `entry` describe a file with that short name? *found gets first and size.
bool sdb_fatdir_is_file(const uint8_t *entry, const char *name, struct sdb_fatdir *found);

// The entry of `cluster` in the first FAT: 0 free, or the next cluster of the chain. *at: which
// sector of the FAT is in buf, 0 for none. Returns 0, SDB_ENOENT for a cluster that the volume does
// not have, or the device's error.
int sdb_fatdir_next(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint8_t *buf,
                    uint32_t *at, uint32_t cluster, uint32_t *next);

#endif
