// SPDX-License-Identifier: MIT
// Making a FAT filesystem on a card, with what FatFs's own mkfs can't give: an MBR, a partition
// aligned to the card's erase blocks, room for the journal before it, and an order of writes that
// leaves a card cut in the middle recognisable.
#ifndef SDB_MKFS_H
#define SDB_MKFS_H

#include <stdbool.h>

#include "core/bdev.h"
#include "core/card/fatgeo.h"

// Formats the whole card as FAT16 (volumes below 300 MiB) or FAT32 with one FAT, clusters of the
// sizes that Windows uses. `serial` becomes the volume's serial number. `buf` of `len` bytes (at
// least 512, more is faster: 4096) is working memory. Everything on the card is lost.
// Returns 0, SDB_ENOSPC for a card of less than 3 MiB, or the card's error.
// Source: Microsoft FAT specification 1.03.
int sdb_mkfs_fat(const struct sdb_bdev *dev, uint32_t serial, uint8_t *buf, uint32_t len);

// Writes to sector 0 that the card is being formatted, which sdb_mkfs_fat does first of all, and
// whoever makes another filesystem should. While that is written it is said in another sector, too
// (sdb_probe_unread), so that a blank card which is cut here is known. `buf`: 512 bytes. Returns 0
// or the card's error.
int sdb_mkfs_begin(const struct sdb_bdev *dev, uint8_t *buf);

// Takes that other sector back, when sector 0 is what it is to be.
int sdb_mkfs_end(const struct sdb_bdev *dev, uint8_t *buf);

// Does sector 0, in `sector`, say so?
bool sdb_mkfs_unfinished(const uint8_t *sector);

// Makes the MBR in `buf` (512 bytes) that belongs to a volume of sdb_mkfs_fat's on this card.
// Returns 1 with *geo, 0 if there is no such volume, or the card's error.
int sdb_mkfs_table(const struct sdb_bdev *dev, struct sdb_fatgeo *geo, uint8_t *buf);

#endif
