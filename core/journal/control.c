#include "core/journal/control.h"

#include <string.h>

#include "core/bytes.h"
#include "core/journal/control_disk.h"
#include "core/crc32.h"
#include "core/error.h"

bool sdb_control_pointer(const uint8_t *sector, uint32_t card_sectors, uint32_t *lba,
                         uint32_t *sectors) {
    const uint8_t *p = sector + CONTROL_POINTER_AT;
    *lba = sdb_get32(p + 4);
    *sectors = sdb_get32(p + 8);
    return sdb_get32(p) == CONTROL_POINTER_MAGIC && sdb_get32(p + 12) == sdb_crc32(0, p, 12) &&
           *lba != 0 && *sectors >= SDB_CONTROL_MIN && *sectors <= SDB_CONTROL_MAX &&
           *lba < card_sectors && *sectors <= card_sectors - *lba;
}

bool sdb_control_ident(const uint8_t *s, uint32_t lba, struct sdb_control *c) {
    if (sdb_get32(s) != CONTROL_IDENT_MAGIC || sdb_get32(s + 4) != CONTROL_VERSION ||
        sdb_get32(s + 8) != lba || sdb_get32(s + 508) != sdb_crc32(0, s, 508)) {
        return false;
    }
    c->lba = lba;
    c->sectors = sdb_get32(s + 12);
    c->entry_lba = sdb_get32(s + 16);
    c->entry_at = sdb_get32(s + 20);
    c->file_first = sdb_get32(s + 24);
    c->file_size = sdb_get32(s + 28);
    return c->sectors >= SDB_CONTROL_MIN && c->sectors <= SDB_CONTROL_MAX &&
           c->entry_at <= SDB_SECTOR - 32;
}

int sdb_control_find(const struct sdb_bdev *card, struct sdb_control *c, uint8_t *buf) {
    memset(c, 0, sizeof *c);
    int err = card->read(card->ctx, 0, 1, buf);
    if (err < 0) {
        return err;
    }
    return sdb_control_pointer(buf, card->sectors, &c->lba, &c->sectors) ? 0 : SDB_ENOENT;
}

// The entry of `cluster` through one sector of buffer; *at says which sector of the FAT is in it.
int sdb_control_next(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint8_t *buf,
                     uint32_t *at, uint32_t cluster, uint32_t *next) {
    if (cluster < 2 || cluster > geo->clusters + 1) {
        return SDB_ENOENT;
    }
    uint32_t lba = sdb_fatgeo_entry_lba(geo, cluster);
    if (lba != *at) {
        *at = 0;
        int err = dev->read(dev->ctx, lba, 1, buf);
        if (err < 0) {
            return err;
        }
        *at = lba;
    }
    *next = sdb_fatgeo_entry(geo, buf, cluster);
    return 0;
}

// Do the clusters of the area still belong to the file, in one piece?
static int control_verify_chain(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                                const struct sdb_control *c, uint8_t *buf) {
    uint32_t first = sdb_fatgeo_cluster(geo, c->lba);
    uint32_t last = sdb_fatgeo_cluster(geo, c->lba + c->sectors - 1);
    uint32_t most = (c->file_size >> geo->cluster_shift) / SDB_SECTOR + 2;
    uint32_t at = 0;
    uint32_t next = c->file_first;
    while (next != first) {
        int err = most-- == 0 ? SDB_ENOENT : sdb_control_next(card, geo, buf, &at, next, &next);
        if (err < 0) {
            return err;
        }
    }
    for (uint32_t cluster = first; cluster <= last; cluster++) {
        int err =
            next != cluster ? SDB_ENOENT : sdb_control_next(card, geo, buf, &at, cluster, &next);
        if (err < 0) {
            return err;
        }
    }
    return next == 0 ? SDB_ENOENT : 0;
}

int sdb_control_verify(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                       struct sdb_control *c, uint8_t *buf) {
    uint32_t sectors = c->sectors;
    int err = card->read(card->ctx, c->lba, 1, buf);
    if (err < 0) {
        return err;
    }
    if (!sdb_control_ident(buf, c->lba, c) || c->sectors != sectors) {
        return SDB_ENOENT;
    }
    if (c->entry_lba == 0) {
        return geo->mbr && c->lba + c->sectors <= 1 + geo->gap ? 0 : SDB_ENOENT;
    }
    if (!geo->safe || c->entry_lba >= geo->start + geo->sectors || c->lba < geo->data ||
        c->lba + c->sectors > geo->start + geo->sectors) {
        return SDB_ENOENT;
    }
    err = card->read(card->ctx, c->entry_lba, 1, buf);
    if (err < 0) {
        return err;
    }
    const uint8_t *entry = buf + c->entry_at;
    if (!control_is_journal(entry) || control_first(entry) != c->file_first ||
        sdb_get32(entry + 28) != c->file_size) {
        return SDB_ENOENT;
    }
    return control_verify_chain(card, geo, c, buf);
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
