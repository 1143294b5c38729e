// Making a control area, and making good a sector 0 that was torn while its pointer was written.
#include <string.h>

#include "core/crc32.h"
#include "core/journal/control_disk.h"
#include "core/error.h"

static int control_put(const struct sdb_bdev *card, uint32_t lba, const uint8_t *buf) {
    return card->write(card->ctx, lba, 1, buf);
}

static int control_get(const struct sdb_bdev *card, uint32_t lba, uint8_t *buf) {
    return card->read(card->ctx, lba, 1, buf);
}

static int control_flush(const struct sdb_bdev *card) {
    return card->sync(card->ctx);
}

static bool control_uniform(const uint8_t *s, uint8_t value) {
    for (uint32_t i = 0; i < SDB_SECTOR; i++) {
        if (s[i] != value) {
            return false;
        }
    }
    return true;
}

static uint32_t control_step(uint32_t lba) {
    return lba < CONTROL_NEAR ? CONTROL_NEAR_STEP : CONTROL_FAR_STEP;
}

// Writes `buf` to every sector of the area where rescue looks, and to that of the twin.
static int control_mark(const struct sdb_bdev *card, const struct sdb_control *c,
                        const uint8_t *buf) {
    for (uint32_t lba = c->lba + 1; lba < c->lba + c->sectors; lba++) {
        if (lba == c->lba + SDB_CONTROL_SECTOR0 || lba % control_step(lba) == 0) {
            int err = control_put(card, lba, buf);
            if (err < 0) {
                return err;
            }
        }
    }
    return control_flush(card);
}

static int control_write_ident(const struct sdb_bdev *card, const struct sdb_control *c,
                               uint32_t twin_crc, uint8_t *buf) {
    memset(buf, 0, SDB_SECTOR);
    sdb_put32(buf, CONTROL_IDENT_MAGIC);
    sdb_put32(buf + 4, CONTROL_VERSION);
    sdb_put32(buf + 8, c->lba);
    sdb_put32(buf + 12, c->sectors);
    sdb_put32(buf + 16, c->entry_lba);
    sdb_put32(buf + 20, c->entry_at);
    sdb_put32(buf + 24, c->file_first);
    sdb_put32(buf + 28, c->file_size);
    sdb_put32(buf + CONTROL_TWIN_CRC_AT, twin_crc);
    sdb_put32(buf + 508, sdb_crc32(0, buf, 508));
    int err = control_put(card, c->lba, buf);
    return err == 0 ? control_flush(card) : err;
}

// Reads sector 0 and puts the pointer in.
static int control_new_sector(const struct sdb_bdev *card, const struct sdb_control *c,
                              uint8_t *buf) {
    int err = control_get(card, 0, buf);
    uint8_t *p = buf + CONTROL_POINTER_AT;
    sdb_put32(p, CONTROL_POINTER_MAGIC);
    sdb_put32(p + 4, c->lba);
    sdb_put32(p + 8, c->sectors);
    sdb_put32(p + 12, sdb_crc32(0, p, 12));
    return err;
}

// A FAT32 volume that is the whole card keeps a copy of sector 0: it must say the same, for
// checkers compare the two, and rescue takes it from there. Only if it is a copy, a pointer of
// another attempt aside, or torn. Leaves the new sector 0 in buf.
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

int sdb_control_make(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                     const struct sdb_control *c, uint8_t *buf) {
    // Nothing left of an earlier life may look like a header or a record.
    memset(buf, 0, SDB_SECTOR);
    int err = control_put(card, c->lba + SDB_CONTROL_HEADER, buf);
    if (err == 0) {
        err = control_put(card, c->lba + SDB_CONTROL_RECORD, buf);
    }
    if (err == 0) {
        err = control_put(card, c->lba + c->sectors - 1, buf);
    }
    if (err == 0) {
        err = control_new_sector(card, c, buf);
    }
    if (err == 0) {
        err = control_write_ident(card, c, sdb_crc32(0, buf, SDB_SECTOR), buf);
    }
    // Sector 0 may be torn while it is written: what it shall be is on the card before.
    if (err == 0) {
        err = control_new_sector(card, c, buf);
    }
    if (err == 0) {
        err = control_mark(card, c, buf);
    }
    if (err == 0 && !geo->mbr && geo->backup != 0) {
        err = control_backup(card, geo, c, buf);
    }
    if (err == 0) {
        err = control_put(card, 0, buf);
    }
    if (err == 0) {
        err = control_flush(card);
    }
    if (err == 0) {
        memset(buf, 0, SDB_SECTOR);
        err = control_mark(card, c, buf);
    }
    return err;
}

// Finds the first run of CONTROL_PLACE_MAX sectors from `from` on, up to the end of the gap, that
// are zero or ours, or the longest one.
static int control_find_run(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                            uint32_t from, struct sdb_control *c, uint8_t *buf) {
    struct sdb_control old = {0};
    memset(c, 0, sizeof *c);
    int err = control_get(card, 0, buf);
    if (err == 0 && !sdb_control_pointer(buf, card->sectors, &old.lba, &old.sectors)) {
        old.sectors = 0;
    }
    uint32_t run = 0;
    for (uint32_t lba = from; lba <= geo->gap && err == 0 && c->sectors < CONTROL_PLACE_MAX;
         lba++) {
        bool ours = lba - old.lba < old.sectors;
        if (!ours) {
            err = control_get(card, lba, buf);
            struct sdb_control found;
            if (err == 0 && sdb_control_ident(buf, lba, &found)) {
                old = found;
                ours = true;
            } else {
                ours = err == 0 && control_uniform(buf, 0);
            }
        }
        run = ours ? run + 1 : 0;
        if (run > c->sectors) {
            c->sectors = run;
            c->lba = lba + 1 - run;
        }
    }
    return err;
}

int sdb_control_place_gap(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                          struct sdb_control *c, uint8_t *buf) {
    if (!geo->mbr || geo->gap < SDB_CONTROL_MIN || geo->gap >= card->sectors) {
        return SDB_ENOSPC;
    }
    // If there is room, keep away from the erase block that sector 0 is in.
    uint32_t from = geo->gap >= 2 * SDB_CONTROL_FILE_MIN ? SDB_CONTROL_FILE_MIN : 1;
    int err = control_find_run(card, geo, from, c, buf);
    if (err == 0 && c->sectors < SDB_CONTROL_MIN && from > 1) {
        err = control_find_run(card, geo, 1, c, buf);
    }
    if (err == 0 && c->sectors < SDB_CONTROL_MIN) {
        err = SDB_ENOSPC;
    }
    return err == 0 ? sdb_control_make(card, geo, c, buf) : err;
}

// Is `lba` part of an area being made? Returns 1 with the right sector 0 in buf.
static int control_rescue_at(const struct sdb_bdev *card, uint32_t lba, uint8_t *buf) {
    struct sdb_control c;
    int err = control_get(card, lba, buf);
    if (err < 0) {
        return err;
    }
    if (!sdb_control_ident(buf, lba, &c)) {
        if (!sdb_control_pointer(buf, card->sectors, &c.lba, &c.sectors) ||
            lba - c.lba >= c.sectors) {
            return 0;
        }
        uint32_t first = c.lba;
        err = control_get(card, first, buf);
        if (err < 0) {
            return err;
        }
        if (!sdb_control_ident(buf, first, &c)) {
            return 0;
        }
    }
    uint32_t crc = sdb_get32(buf + CONTROL_TWIN_CRC_AT);
    err = control_get(card, c.lba + SDB_CONTROL_SECTOR0, buf);
    if (err < 0) {
        return err;
    }
    return sdb_crc32(0, buf, SDB_SECTOR) == crc;
}

// The copy of sector 0 that FAT32 keeps, if it has our pointer in it.
static int control_rescue_backup(const struct sdb_bdev *card, uint8_t *buf) {
    struct sdb_fatgeo geo;
    struct sdb_control c = {0};
    int err = control_get(card, 6, buf);
    if (err < 0) {
        return err;
    }
    return sdb_fatgeo_parse(&geo, buf, 0, card->sectors) == 0 && geo.backup == 6 &&
           sdb_control_pointer(buf, card->sectors, &c.lba, &c.sectors);
}

// Is there the beginning of a FAT where a FAT16 volume without MBR has it?
static int control_sees_fat(const struct sdb_bdev *card, uint8_t *buf) {
    for (uint32_t lba = 1; lba <= CONTROL_RESERVED && lba < card->sectors; lba++) {
        int err = control_get(card, lba, buf);
        if (err < 0) {
            return err;
        }
        if (buf[0] >= 0xF0 && buf[1] == 0xFF && buf[2] == 0xFF && !control_uniform(buf, 0xFF)) {
            return 1;
        }
    }
    return 0;
}

int sdb_control_rescue(const struct sdb_bdev *card, uint8_t *buf) {
    int found = card->sectors > 6 ? control_rescue_backup(card, buf) : 0;
    uint32_t near = card->sectors < CONTROL_NEAR ? card->sectors : CONTROL_NEAR;
    uint32_t far = card->sectors < CONTROL_FAR ? card->sectors : CONTROL_FAR;
    uint32_t lba = CONTROL_NEAR_STEP;
    for (; lba < near && found == 0; lba += CONTROL_NEAR_STEP) {
        found = control_rescue_at(card, lba, buf);
    }
    if (found == 0) {
        // A blank card must not cost a minute of reading.
        int fat = control_sees_fat(card, buf);
        found = fat < 0 ? fat : 0;
        for (; fat == 1 && lba < far && found == 0; lba += CONTROL_FAR_STEP) {
            found = control_rescue_at(card, lba, buf);
        }
    }
    if (found == 1) {
        found = control_put(card, 0, buf);
        if (found == 0) {
            found = control_flush(card);
        }
        return found == 0 ? 1 : found;
    }
    return found;
}
