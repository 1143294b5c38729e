// SPDX-License-Identifier: MIT
// Sector 0 and the boot sector are valid, but not what their copies in the area say. Either a PC
// has changed them, then the copies follow; or a bit has flipped, then they are put back.
#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/control_copy.h"

enum { REPAIR_KEEP, REPAIR_RESTORE };

// Bytes of a boot sector that lead to the files: without label, serial number, the mark of an
// unclean shutdown, boot code and the geometry of disks of another age.
static bool repair_matters(uint32_t at, bool fat32) {
    return at < 3 || (at >= 11 && at < 24) || (at >= 32 && at < 36) ||
           (fat32 ? (at >= 36 && at < 52) || (at >= 82 && at < 87) : at >= 54 && at < 57) ||
           at >= CONTROL_SIGNATURE_AT;
}

static uint32_t repair_crc(const uint8_t *s, bool fat32) {
    uint32_t crc = 0;
    for (uint32_t i = 0; i < SDB_SECTOR; i++) {
        if (repair_matters(i, fat32)) {
            crc = sdb_crc32(crc, s + i, 1);
        }
    }
    return crc;
}

// The boot sector `x` of the volume that begins at `start`, and its copy `y`.
static int repair_boot(const struct sdb_bdev *card, uint32_t start, const uint8_t *x, uint8_t *y) {
    struct sdb_fatgeo geo;
    uint32_t bits = copy_bits(x, y, SDB_SECTOR);
    if (!copy_signed(y) || sdb_fatgeo_parse(&geo, y, start, card->sectors) < 0 ||
        bits > COPY_NEAR) {
        return REPAIR_KEEP;
    }
    bool fat32 = geo.type == 32;
    uint32_t now = repair_crc(x, fat32);
    uint32_t then = repair_crc(y, fat32);
    if (now == then) {
        return REPAIR_KEEP;
    }
    if (fat32 && geo.backup != 0) {
        // The third one decides.
        int err = control_get(card, start + geo.backup, y);
        uint32_t crc = repair_crc(y, fat32);
        if (err < 0 || crc == now) {
            return err < 0 ? err : REPAIR_KEEP;
        }
        if (crc == then) {
            return REPAIR_RESTORE;
        }
    }
    if (bits == 1) {
        return REPAIR_RESTORE;
    }
    // Several bits, and nobody to ask but the FAT itself.
    int seen = sdb_control_sees_fat(card, &geo, y);
    if (seen > 0 && sdb_fatgeo_parse(&geo, x, start, card->sectors) == 0) {
        int other = sdb_control_sees_fat(card, &geo, y);
        return other < 0 ? other : other == 0 ? REPAIR_RESTORE : REPAIR_KEEP;
    }
    return seen < 0 ? seen : REPAIR_KEEP;
}

// The MBR `x`, which leads to the volume `geo`, and its copy `y`. Who makes partitions changes more
// than a bit.
static int repair_mbr(const struct sdb_bdev *card, const struct sdb_fatgeo *geo, const uint8_t *x,
                      const uint8_t *y) {
    if (!copy_signed(y) || copy_bits(x, y, SDB_SECTOR) != 1) {
        return REPAIR_KEEP;
    }
    for (int i = 0; i < MBR_ENTRIES; i++) {
        const uint8_t *now = copy_partition(x, i);
        const uint8_t *then = copy_partition(y, i);
        uint32_t start = sdb_get32(now + MBR_START);
        uint32_t size = sdb_get32(now + MBR_SIZE);
        if (copy_bits(now + MBR_START, then + MBR_START, 4) != 0 ||
            (now[MBR_TYPE] == 0) != (then[MBR_TYPE] == 0)) {
            return REPAIR_RESTORE;
        }
        // A partition may be made longer, but holds its volume and ends on the card.
        if (size != sdb_get32(then + MBR_SIZE) && (start == 0 || size > card->sectors - start ||
                                                   (start == geo->start && size < geo->sectors))) {
            return REPAIR_RESTORE;
        }
    }
    return REPAIR_KEEP;
}

// One sector and its copy. Returns 1 if it was restored, 0, or the card's error.
static int repair_one(const struct sdb_bdev *card, const struct sdb_fatgeo *geo, uint32_t lba,
                      uint32_t copy, uint8_t *x) {
    uint8_t *y = x + SDB_SECTOR;
    int err = control_get(card, lba, x);
    if (err == 0) {
        err = control_get(card, copy, y);
    }
    if (err < 0 || copy_bits(x, y, SDB_SECTOR) == 0) {
        return err;
    }
    int what = lba == 0 && geo->mbr ? repair_mbr(card, geo, x, y) : repair_boot(card, lba, x, y);
    if (what == REPAIR_RESTORE) {
        err = control_get(card, copy, x);
    }
    if (what >= 0 && err == 0) {
        err = control_put(card, what == REPAIR_RESTORE ? lba : copy, x);
    }
    if (what >= 0 && err == 0) {
        err = control_flush(card);
    }
    return what < 0 ? what : err < 0 ? err : what == REPAIR_RESTORE;
}

int sdb_control_compare(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                        const struct sdb_control *c, uint8_t *buf, uint32_t len) {
    if (len < 2 * SDB_SECTOR) {
        return SDB_EINVAL;
    }
    int restored = repair_one(card, geo, 0, c->lba + SDB_CONTROL_SECTOR0, buf);
    if (restored != 0 || !geo->mbr) {
        return restored; // what the boot sector is has to be found out anew
    }
    return repair_one(card, geo, geo->start, c->lba + SDB_CONTROL_BOOT, buf);
}
