// SPDX-License-Identifier: MIT
// Making a control area. What will be needed if sector 0 is torn while its pointer is written is on
// the card before.
#include <string.h>

#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/control_disk.h"

static void control_set_pointer(const struct sdb_control *c, uint8_t *sector) {
    uint8_t *p = sector + CONTROL_POINTER_AT;
    sdb_put32(p, CONTROL_POINTER_MAGIC);
    sdb_put32(p + CONTROL_POINTER_LBA, c->lba);
    sdb_put32(p + CONTROL_POINTER_SECTORS, c->sectors);
    sdb_put32(p + CONTROL_POINTER_CRC, sdb_crc32(0, p, CONTROL_POINTER_CRC));
}

// Reads sector 0 and puts the pointer in.
static int control_new_sector(const struct sdb_bdev *card, const struct sdb_control *c,
                              uint8_t *buf) {
    int err = control_get(card, 0, buf);
    control_set_pointer(c, buf);
    return err;
}

int sdb_control_write_ident(const struct sdb_bdev *card, const struct sdb_control *c,
                            uint8_t *buf) {
    memset(buf, 0, SDB_SECTOR);
    sdb_put32(buf, CONTROL_IDENT_MAGIC);
    sdb_put32(buf + CONTROL_AT_VERSION, SDB_CONTROL_VERSION);
    sdb_put32(buf + CONTROL_AT_LBA, c->lba);
    sdb_put32(buf + CONTROL_AT_SECTORS, c->sectors);
    sdb_put32(buf + CONTROL_AT_ENTRY_LBA, c->entry_lba);
    sdb_put32(buf + CONTROL_AT_ENTRY_AT, c->entry_at);
    sdb_put32(buf + CONTROL_AT_FIRST, c->file_first);
    sdb_put32(buf + CONTROL_AT_SIZE, c->file_size);
    sdb_put32(buf + CONTROL_AT_WANTED, c->wanted);
    sdb_put32(buf + CONTROL_AT_CRC, sdb_crc32(0, buf, CONTROL_AT_CRC));
    return control_put(card, c->lba, buf);
}

// A FAT32 volume that is the whole card keeps a copy of sector 0: it must say the same, for
// checkers compare the two. Only if it is a copy, the pointer aside, or torn. Leaves the new
// sector 0 in buf.
static int control_backup(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                          const struct sdb_control *c, uint8_t *buf) {
    struct sdb_fatgeo other;
    int err = control_get(card, geo->start + geo->backup, buf);
    bool ours = err == 0 && sdb_fatgeo_parse(&other, buf, geo->start, card->sectors) < 0;
    memset(buf + CONTROL_POINTER_AT, 0, CONTROL_POINTER_SIZE);
    uint32_t crc = sdb_crc32(0, buf, SDB_SECTOR);
    if (err == 0) {
        err = control_get(card, 0, buf);
    }
    if (err == 0) {
        memset(buf + CONTROL_POINTER_AT, 0, CONTROL_POINTER_SIZE);
        ours |= crc == sdb_crc32(0, buf, SDB_SECTOR);
        err = control_new_sector(card, c, buf);
    }
    if (err == 0 && ours) {
        err = control_put(card, geo->start + geo->backup, buf);
        if (err == 0) {
            err = control_flush(card);
        }
    }
    return err;
}

int sdb_control_point(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                      const struct sdb_control *c, uint8_t *buf) {
    struct sdb_control at = {0};
    int err = control_get(card, 0, buf);
    if (err == 0 && sdb_control_pointer(buf, card->sectors, &at.lba, &at.sectors) &&
        at.lba == c->lba && at.sectors == c->sectors) {
        return 0;
    }
    if (err == 0) {
        err = control_new_sector(card, c, buf);
    }
    if (err == 0 && !geo->mbr && geo->backup != 0) {
        err = control_backup(card, geo, c, buf);
    }
    if (err == 0) {
        err = control_put(card, 0, buf);
    }
    return err == 0 ? control_flush(card) : err;
}

// The record slots, from the area before if there is one.
static int control_take_record(const struct sdb_bdev *card, const struct sdb_control *c,
                               const struct sdb_control *from, uint8_t *buf) {
    int err = 0;
    for (int slot = 0; slot < 2 && err == 0; slot++) {
        memset(buf, 0, SDB_SECTOR);
        if (from != NULL) {
            err =
                control_get(card, from->lba + (slot ? from->sectors - 1 : SDB_CONTROL_RECORD), buf);
        }
        if (err == 0) {
            err = control_put(card, c->lba + (slot ? c->sectors - 1 : SDB_CONTROL_RECORD), buf);
        }
    }
    return err;
}

int sdb_control_make(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                     const struct sdb_control *c, const struct sdb_control *from, uint8_t *buf) {
    // Nothing left of an earlier life may look like a header.
    memset(buf, 0, SDB_SECTOR);
    int err = control_put(card, c->lba + SDB_CONTROL_JOURNAL, buf);
    if (err == 0 && sdb_area_ring(c->sectors) > 0) {
        err = control_put(card, c->lba + sdb_area_anchor(c->sectors), buf);
    }
    if (err == 0 && (from == NULL || from->lba != c->lba)) {
        err = control_take_record(card, c, from, buf);
    }
    if (err == 0) {
        err = control_new_sector(card, c, buf);
    }
    if (err == 0) {
        err = control_put(card, c->lba + SDB_CONTROL_SECTOR0, buf);
    }
    if (err == 0 && geo->mbr) {
        err = control_get(card, geo->start, buf);
        if (err == 0) {
            err = control_put(card, c->lba + SDB_CONTROL_BOOT, buf);
        }
    }
    if (err == 0) {
        err = control_flush(card);
    }
    if (err == 0) {
        err = sdb_control_write_ident(card, c, buf);
    }
    if (err == 0) {
        err = control_flush(card);
    }
    return err == 0 ? sdb_control_point(card, geo, c, buf) : err;
}
