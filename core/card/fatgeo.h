// SPDX-License-Identifier: MIT
// Where the parts of a FAT volume are. Read only; used by the journal to tell free clusters from
// everything else, and by whoever needs to know what FatFs would mount.
#ifndef SDB_FATGEO_H
#define SDB_FATGEO_H

#include <stdint.h>
#include <stdbool.h>

#include "core/bdev.h"

// FSInfo, a sector of FAT32: where the boot sector says which one it is, and what is in it.
// Source: Microsoft FAT specification 1.03, section 5.
#define SDB_BOOT_FSINFO 48
#define SDB_FSINFO_LEAD 0x41615252u // its first four bytes
#define SDB_FSINFO_MAGIC_AT 484
#define SDB_FSINFO_MAGIC 0x61417272u
#define SDB_FSINFO_FREE 488 // how many clusters are free
#define SDB_FSINFO_NEXT 492 // where to look for one

struct sdb_fatgeo {
    uint32_t start;        // LBA of the volume's boot sector
    uint32_t sectors;      // length of the volume in sectors
    uint32_t fat;          // LBA of the first FAT
    uint32_t fat_sectors;  // length of one FAT
    uint32_t root;         // FAT12/16: LBA of the root directory; FAT32: its first cluster
    uint32_t root_sectors; // FAT12/16: its length; FAT32: 0
    uint32_t data;         // LBA of cluster 2
    uint32_t clusters;     // number of clusters; the last one is clusters + 1
    uint16_t backup;       // FAT32: sector of the boot sector's backup within the volume, or 0
    uint8_t type;          // 12, 16 or 32
    uint8_t fats;          // 1 or 2
    uint8_t cluster_shift; // log2 of the sectors in a cluster
    bool safe;             // the free clusters can be told by the first FAT alone
    bool mbr;              // the volume is a partition
    uint32_t gap;          // sectors from LBA 1 on that belong to no partition (0: no MBR)
};

// Does FatFs take `sector` for a FAT boot sector? It mounts the first of a card that looks like
// one, and nothing if that one is no good.
bool sdb_fatgeo_is_boot_sector(const uint8_t *sector);

// Reads the boot sector in `sector` (512 bytes) of a volume that begins at LBA `start`, on a card
// of `card_sectors`. Returns 0, or SDB_ENOENT if it is none that FatFs would mount (clusters and
// type are set then if it was read so far). `safe` is false for FAT12, disabled mirroring, a
// cluster count on which FatFs and the specification disagree, a volume longer than the card:
// nobody may conclude from such a FAT that a cluster is free. Source: Microsoft FAT
// specification 1.03, sections 3.1 to 3.5.
int sdb_fatgeo_parse(struct sdb_fatgeo *geo, const uint8_t *sector, uint32_t start,
                     uint32_t card_sectors);

// Finds the volume that FatFs mounts: the card itself or the first partition that holds one.
// `buf` is 512 bytes of working memory. Returns 0, SDB_ENOENT (no FAT volume) or the card's error.
int sdb_fatgeo_read(struct sdb_fatgeo *geo, const struct sdb_bdev *card, uint8_t *buf);

// First sector of `cluster`, which must be in 2..clusters+1.
uint32_t sdb_fatgeo_lba(const struct sdb_fatgeo *geo, uint32_t cluster);

// The cluster that `lba` belongs to, or 0 if it is not in the data area.
uint32_t sdb_fatgeo_cluster(const struct sdb_fatgeo *geo, uint32_t lba);

// The entry of `cluster` in `sector`, the sector of the FAT that holds it (FAT16 and FAT32 only):
// 0 free, 2..clusters+1 the next one, more: end of chain or bad.
uint32_t sdb_fatgeo_entry(const struct sdb_fatgeo *geo, const uint8_t *sector, uint32_t cluster);

// LBA of the sector of the first FAT that holds the entry of `cluster` (FAT16 and FAT32 only).
uint32_t sdb_fatgeo_entry_lba(const struct sdb_fatgeo *geo, uint32_t cluster);

#endif
