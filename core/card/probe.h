// SPDX-License-Identifier: MIT
// What is on a card? Read, never guessed: an error of the card is an error, not "nothing there".
#ifndef SDB_PROBE_H
#define SDB_PROBE_H

#include "core/bdev.h"

#define SDB_PROBE_BUFFER 4096u // bytes

enum sdb_probe_kind {
    SDB_PROBE_BLANK,       // as far as it was read, and see sdb_probe, one value: 0x00 or 0xFF
    SDB_PROBE_UNKNOWN,     // content of no known shape
    SDB_PROBE_FAT,         // FAT12, FAT16 or FAT32 that FatFs mounts
    SDB_PROBE_LITTLEFS,    // littlefs version 2
    SDB_PROBE_EXFAT_EMPTY, // exFAT with nothing in it but what systems put there by themselves
    SDB_PROBE_FOREIGN,     // what we don't use, or what FatFs does not mount
    SDB_PROBE_LOST,        // a volume at `volume`, but no partition table that leads to it
    SDB_PROBE_PARTITIONS,  // a partition table with nothing known in its partitions
    SDB_PROBE_UNFINISHED,  // sdb_mkfs_begin or sdb_mkfs_fat was cut short
};

struct sdb_probe {
    int kind;            // enum sdb_probe_kind
    uint32_t volume;     // first sector of the volume that `kind` is about
    uint32_t block_size; // littlefs: bytes of a block, as its superblock says
    uint32_t types;      // types of the four partitions, the first in the lowest byte
    const char *name;    // "FAT", "NTFS", "damaged FAT", …: constant text for messages
    const char *advice;  // a sentence on what can be done about it, or ""
};

// Examines the card through the SDB_PROBE_BUFFER bytes at buf. Returns 0 or the card's error.
//
// FAT is what FatFs's find_volume would mount, and nothing else. Blank is a card of which all that
// is read has one value: the first MiB, the last 136 KiB, one sector of 4 up to 4 MiB and of 32 up
// to 16 MiB, one at every MiB and every 16,065 sectors up to the first GiB, 4 KiB at four places in
// each doubling of the distance from the start, and 512 evenly from one end to the other. Why that
// is enough: every filesystem, volume manager and partition table that we know of has its mark in
// the first MiB or the last 128 KiB; a volume whose partition table is lost begins at a round
// number of sectors, a MiB or a cylinder; and data without any of these lies where FAT and the like
// put it, from the start on, in pieces of 4 KiB and more. It costs at most 4,600 read commands,
// whatever the size of the card. To recognise what is not blank takes up to 1,000 where the first
// MiB is not, and for exFAT another 1,024, to see that its bitmap agrees.
//
// Sources: Microsoft FAT specification 1.03, exFAT specification 1.00, littlefs SPEC.md,
// and the magic numbers of the other filesystems.
int sdb_probe(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf);

// A sector that does not count when it is asked whether a card of `sectors` is blank, 0: there is
// none. What is written there before anything else can't make the card look used.
uint32_t sdb_probe_unread(uint32_t sectors);

#endif
