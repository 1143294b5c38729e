// SPDX-License-Identifier: MIT
// Private to the files probe*.c.
#ifndef SDB_PROBE_PARTS_H
#define SDB_PROBE_PARTS_H

#include <stdbool.h>

#include "core/card/probe.h"

// A kind that sdb_probe replaces: exFAT, and nobody has looked yet what is in it.
enum { PROBE_EXFAT = 64 };

// Functions that look for something return 1 if it was found, 0 if not, or the card's error.

// Reads one sector; beyond the end of the card there are zeros.
int sdb_probe_read(const struct sdb_bdev *dev, uint32_t lba, uint8_t *buf);

// Sets kind, name and advice; returns 1.
int sdb_probe_found(struct sdb_probe *probe, int kind, const char *name, const char *advice);

// A volume by its first sector, which is in `boot` (512 bytes): FAT, good or not, and the magic
// numbers in it. probe->volume is where it begins.
int sdb_probe_boot(const struct sdb_bdev *dev, struct sdb_probe *probe, const uint8_t *boot);

// A volume of `sectors` (its partition says) by what is in its other sectors.
int sdb_probe_marks(const struct sdb_bdev *dev, struct sdb_probe *probe, uint32_t sectors,
                    uint8_t *buf);

// littlefs in block `block`, 0 or 1, the size of which is not known beforehand.
int sdb_probe_littlefs(const struct sdb_bdev *dev, struct sdb_probe *probe, int block,
                       uint8_t *buf);

// The exFAT volume at probe->volume: empty, with files, or damaged. *end becomes the first sector
// behind it, if it is empty. Uses all of buf.
int sdb_probe_exfat(const struct sdb_bdev *dev, struct sdb_probe *probe, uint32_t *end,
                    uint8_t *buf);

// Is the card proved blank (1)? If not, *lost is the sector in which a volume begins that could be
// seen on the way, or 0. Uses all of buf.
int sdb_probe_blank(const struct sdb_bdev *dev, uint32_t *lost, uint8_t *buf);

// Have the sectors from `from` to `to`, the first MiB of them, the last ones and samples, one
// value?
int sdb_probe_blank_part(const struct sdb_bdev *dev, uint32_t from, uint32_t to, uint8_t *buf);

// Has the boot sector the marks of FAT (most of them: some may be damaged), exFAT or NTFS?
bool sdb_probe_is_fat(const uint8_t *boot);
bool sdb_probe_is_volume(const uint8_t *boot);

#endif
