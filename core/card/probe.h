// What is on a card? Read, never guessed: an error of the card is an error, not "nothing there".
#ifndef SDB_PROBE_H
#define SDB_PROBE_H

#include "core/bdev.h"

enum sdb_probe_kind {
    SDB_PROBE_BLANK,    // first sector all 0x00 or 0xFF, no trace of a filesystem behind it
    SDB_PROBE_UNKNOWN,  // content of no known shape
    SDB_PROBE_FAT,      // FAT12, FAT16 or FAT32, as FatFs would mount it
    SDB_PROBE_LITTLEFS, // littlefs version 2
    SDB_PROBE_EXFAT_EMPTY,
    SDB_PROBE_FOREIGN, // a filesystem that we don't use, or a damaged one that can be repaired
};

struct sdb_probe {
    int kind;            // enum sdb_probe_kind
    uint32_t volume;     // first sector of the volume that `kind` is about
    uint32_t block_size; // littlefs: bytes of a block, as its superblock says
    const char *name;    // "FAT", "NTFS", "damaged FAT", …: constant text for messages
};

// Examines the card with at most 80 sector reads through the 512 bytes at buf. Returns 0 or the
// card's error.
// Sources: Microsoft FAT specification 1.03, exFAT specification 1.00, littlefs SPEC.md,
// and the magic numbers of the other filesystems.
int sdb_probe(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf);

#endif
