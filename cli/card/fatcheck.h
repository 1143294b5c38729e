// SPDX-License-Identifier: MIT
// Is a FAT volume consistent? Every chain is followed, every directory read; written from
// Microsoft's specification (1.03), it shares no line with FatFs.
#ifndef SDBOOT_FATCHECK_H
#define SDBOOT_FATCHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bdev.h"
#include "core/card/fatgeo.h"

enum fatcheck_weight {
    FATCHECK_NOTE,   // nothing is lost by it: room, a count
    FATCHECK_DAMAGE, // a file, or what is written next, may be
};

struct fatcheck {
    // Called for each fault. `path`: the file or folder ("": the volume); `text`: what is wrong.
    void (*fault)(void *ctx, enum fatcheck_weight weight, const char *path, const char *text);
    void *ctx;

    uint32_t files;
    uint32_t folders;
    uint64_t bytes;  // of all files
    uint32_t used;   // clusters that the first FAT says are taken
    uint32_t lost;   // of these, belong to nothing
    uint32_t bad;    // clusters marked as bad
    uint32_t differ; // sectors in which the second FAT is another than the first
    uint32_t damage, notes;
    bool count_known; // FAT32: FSInfo claims a count of free clusters ...
    uint32_t count;   // ... this one
    uint8_t *claimed; // a bit a cluster: it belongs to something
    uint32_t *next;   // the FAT, an entry a cluster
};

// Examines the volume `geo` on `dev`. `c`: fault and ctx are set, the rest zero. Returns 0, or the
// card's error at `*lba`. fatcheck_free() frees what it holds.
int fatcheck(struct fatcheck *c, const struct sdb_bdev *dev, const struct sdb_fatgeo *geo,
             uint32_t *lba);
void fatcheck_free(struct fatcheck *c);

// Puts right what can be without a choice to make: lost clusters are freed, the second FAT follows
// the first, FSInfo is counted anew. After fatcheck(), on a volume without damage but a second FAT
// that differs, FAT16 and FAT32 only. Returns 0 or the card's error.
int fatcheck_tidy(struct fatcheck *c, const struct sdb_bdev *dev, const struct sdb_fatgeo *geo);

#endif
