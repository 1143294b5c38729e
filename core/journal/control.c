// SPDX-License-Identifier: MIT
#include "core/journal/control.h"

#include <string.h>

#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/control_disk.h"

#define CONTROL_GIB 0x200000u     // sectors
#define CONTROL_FILE_LARGE 8192u  // sectors of the file on volumes of 1 GiB and more
#define CONTROL_FILE_MEDIUM 2048u // on smaller ones
#define CONTROL_FILE_SHARE 32u    // part of the volume at most
// Sectors of the FAT that its chain may take, each boot reads them; with clusters below 4 KiB.
#define CONTROL_FILE_CHAIN 8u
#define CONTROL_FILE_CHAIN_SMALL 4u

bool sdb_control_pointer(const uint8_t *sector, uint32_t card_sectors, uint32_t *lba,
                         uint32_t *sectors) {
    const uint8_t *p = sector + CONTROL_POINTER_AT;
    *lba = sdb_get32(p + CONTROL_POINTER_LBA);
    *sectors = sdb_get32(p + CONTROL_POINTER_SECTORS);
    return sdb_get32(p) == CONTROL_POINTER_MAGIC &&
           sdb_get32(p + CONTROL_POINTER_CRC) == sdb_crc32(0, p, CONTROL_POINTER_CRC) &&
           *lba != 0 && *sectors >= SDB_CONTROL_MIN && *sectors <= SDB_CONTROL_MAX &&
           *lba < card_sectors && *sectors <= card_sectors - *lba;
}

bool sdb_control_ident(const uint8_t *s, uint32_t lba, struct sdb_control *c) {
    uint32_t version = sdb_get32(s + CONTROL_AT_VERSION);
    if (sdb_get32(s) != CONTROL_IDENT_MAGIC || version < SDB_CONTROL_VERSION_OLD ||
        version > SDB_CONTROL_VERSION || sdb_get32(s + CONTROL_AT_LBA) != lba ||
        sdb_get32(s + CONTROL_AT_CRC) != sdb_crc32(0, s, CONTROL_AT_CRC)) {
        return false;
    }
    c->lba = lba;
    c->version = version;
    c->sectors = sdb_get32(s + CONTROL_AT_SECTORS);
    c->entry_lba = sdb_get32(s + CONTROL_AT_ENTRY_LBA);
    c->entry_at = sdb_get32(s + CONTROL_AT_ENTRY_AT);
    c->file_first = sdb_get32(s + CONTROL_AT_FIRST);
    c->file_size = sdb_get32(s + CONTROL_AT_SIZE);
    c->wanted = sdb_get32(s + CONTROL_AT_WANTED);
    return c->sectors >= SDB_CONTROL_MIN && c->sectors <= SDB_CONTROL_MAX &&
           c->entry_at <= SDB_SECTOR - SDB_FATDIR_ENTRY;
}

int sdb_control_find(const struct sdb_bdev *card, struct sdb_control *c, uint8_t *buf) {
    memset(c, 0, sizeof *c);
    int err = control_get(card, 0, buf);
    if (err < 0) {
        return err;
    }
    struct sdb_control at = {.crc = sdb_crc32(0, buf, SDB_SECTOR)};
    if (!sdb_control_pointer(buf, card->sectors, &at.lba, &at.sectors)) {
        return SDB_ENOENT;
    }
    *c = at;
    err = control_get(card, c->lba, buf);
    if (err < 0) {
        return err;
    }
    return sdb_control_ident(buf, at.lba, c) && c->sectors == at.sectors ? 0 : SDB_ENOENT;
}

// Do the clusters of the area still belong to the file, in one piece?
static int control_verify_chain(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                                const struct sdb_control *c, uint8_t *buf) {
    uint32_t first = sdb_fatgeo_cluster(geo, c->lba);
    uint32_t last = sdb_fatgeo_cluster(geo, c->lba + c->sectors - 1);
    uint32_t most = (c->file_size >> geo->cluster_shift) / SDB_SECTOR + 2;
    uint32_t at = 0;
    uint32_t next = c->file_first;
    if (first == 0 || last < first) {
        return SDB_ENOENT; // it reaches beyond the last cluster
    }
    while (next != first) {
        int err = most-- == 0 ? SDB_ENOENT : sdb_fatdir_next(card, geo, buf, &at, next, &next);
        if (err < 0) {
            return err;
        }
    }
    for (uint32_t cluster = first; cluster <= last; cluster++) {
        int err =
            next != cluster ? SDB_ENOENT : sdb_fatdir_next(card, geo, buf, &at, cluster, &next);
        if (err < 0) {
            return err;
        }
    }
    return next == 0 ? SDB_ENOENT : 0;
}

int sdb_control_verify(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                       const struct sdb_control *c, uint8_t *buf) {
    if (c->lba == 0 || c->lba >= card->sectors || c->sectors > card->sectors - c->lba) {
        return SDB_ENOENT;
    }
    if (c->entry_lba == 0) {
        return geo->mbr && c->lba + c->sectors - 1 <= geo->gap ? 0 : SDB_ENOENT;
    }
    if (!geo->safe || c->entry_lba < geo->start || c->entry_lba - geo->start >= geo->sectors) {
        return SDB_ENOENT;
    }
    int err = control_get(card, c->entry_lba, buf);
    if (err < 0) {
        return err;
    }
    struct sdb_fatdir entry;
    if (!sdb_fatdir_is_file(buf + c->entry_at, CONTROL_FILE, &entry) ||
        entry.first != c->file_first || entry.size != c->file_size) {
        return SDB_ENOENT;
    }
    return control_verify_chain(card, geo, c, buf);
}

int sdb_control_differs(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                        const struct sdb_control *c, uint32_t boot, uint8_t *buf) {
    int err = control_get(card, c->lba + SDB_CONTROL_SECTOR0, buf);
    bool differs = err == 0 && sdb_crc32(0, buf, SDB_SECTOR) != c->crc;
    if (err == 0 && !differs && geo->mbr) {
        err = control_get(card, c->lba + SDB_CONTROL_BOOT, buf);
        differs = err == 0 && sdb_crc32(0, buf, SDB_SECTOR) != boot;
    }
    return err < 0 ? err : differs;
}

uint32_t sdb_control_gap_from(const struct sdb_fatgeo *geo) {
    return geo->gap >= 2 * CONTROL_GAP_KEEP ? CONTROL_GAP_KEEP
           : geo->gap >= CONTROL_GAP_NEAR   ? CONTROL_GAP_STEP
                                            : 1;
}

uint32_t sdb_control_gap_size(const struct sdb_fatgeo *geo) {
    uint32_t from = sdb_control_gap_from(geo);
    uint32_t size = geo->gap + 1 - from;
    if (!geo->mbr || geo->gap < SDB_CONTROL_MIN) {
        return 0;
    }
    return size < SDB_CONTROL_MAX ? size : SDB_CONTROL_MAX;
}

uint32_t sdb_control_file_size(const struct sdb_fatgeo *geo) {
    uint32_t size = geo->sectors < CONTROL_GIB ? CONTROL_FILE_MEDIUM : CONTROL_FILE_LARGE;
    uint32_t share = geo->sectors / CONTROL_FILE_SHARE;
    uint32_t chain = ((geo->cluster_shift < 3 ? CONTROL_FILE_CHAIN_SMALL : CONTROL_FILE_CHAIN) *
                      (geo->type == 16 ? 256u : 128u))
                     << geo->cluster_shift;
    size = size < share ? size : share;
    size = size < chain ? size : chain;
    size = size < SDB_CONTROL_FILE_MIN ? SDB_CONTROL_FILE_MIN : size;
    return geo->safe ? size : 0;
}

static uint32_t control_slot(const struct sdb_control_store *s, int slot) {
    return s->area.lba + (slot == 0 ? SDB_CONTROL_RECORD : s->area.sectors - 1);
}

static int control_record_read(void *ctx, int slot, uint8_t *buf) {
    struct sdb_control_store *s = ctx;
    return s->card->read(s->card->ctx, control_slot(s, slot), 1, buf);
}

static int control_record_write(void *ctx, int slot, const uint8_t *buf) {
    struct sdb_control_store *s = ctx;
    // The journal may have the other slot's truth in flight: one write at a time.
    int err = s->card->sync(s->card->ctx);
    if (err == 0) {
        err = s->card->write(s->card->ctx, control_slot(s, slot), 1, buf);
    }
    return err == 0 ? s->card->sync(s->card->ctx) : err;
}

void sdb_control_record_store(struct sdb_control_store *s, const struct sdb_bdev *card,
                              const struct sdb_control *c, struct sdb_record_store *out) {
    s->card = card;
    s->area = *c;
    out->ctx = s;
    out->read = control_record_read;
    out->write = control_record_write;
}
