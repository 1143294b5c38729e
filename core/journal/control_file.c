// SPDX-License-Identifier: MIT
// A control area in the file /.sdboot/journal, made in a transaction that the area itself carries.
#include "core/journal/control_file.h"

#include <string.h>

#include "core/error.h"
#include "core/journal/control_disk.h"

#define FILE_END16 0xFFFFu
#define FILE_END32 0x0FFFFFFFu

static void file_set_entry(const struct sdb_fatgeo *geo, uint8_t *sector, uint32_t cluster,
                           uint32_t next) {
    if (geo->type == 16) {
        sdb_put16(sector + 2 * (cluster & 255), next & FILE_END16);
        return;
    }
    uint8_t *entry = sector + 4 * (cluster & 127);
    sdb_put32(entry, (sdb_get32(entry) & ~FILE_END32) | next);
}

int sdb_control_reserve(struct sdb_journal *j, const struct sdb_control *c, uint8_t *buf) {
    const struct sdb_fatgeo *geo = sdb_journal_geo(j);
    struct sdb_bdev view;
    sdb_journal_bdev(j, &view);
    uint32_t last = sdb_fatgeo_cluster(geo, c->lba + c->sectors - 1);
    for (uint32_t cluster = c->file_first; cluster <= last;) {
        uint32_t lba = sdb_fatgeo_entry_lba(geo, cluster);
        int err = control_get(&view, lba, buf);
        for (; cluster <= last && sdb_fatgeo_entry_lba(geo, cluster) == lba; cluster++) {
            file_set_entry(geo, buf, cluster, cluster < last ? cluster + 1 : FILE_END32);
        }
        for (uint32_t fat = 0; fat < geo->fats && err == 0; fat++) {
            err = control_put(&view, lba + fat * geo->fat_sectors, buf);
        }
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

// FSInfo counts free clusters: those of the file are none any more.
static int file_count_free(const struct sdb_bdev *view, const struct sdb_fatgeo *geo,
                           const struct sdb_control *c, uint8_t *buf) {
    uint32_t clusters = sdb_fatgeo_cluster(geo, c->lba + c->sectors - 1) - c->file_first + 1;
    int err = geo->type == 32 ? control_get(view, geo->start, buf) : SDB_ENOENT;
    uint32_t at = sdb_get16(buf + SDB_BOOT_FSINFO);
    if (err < 0 || at == 0 || geo->start + at >= geo->fat) {
        return err == SDB_ENOENT ? 0 : err;
    }
    err = control_get(view, geo->start + at, buf);
    uint32_t count = sdb_get32(buf + SDB_FSINFO_FREE);
    if (err < 0 || sdb_get32(buf) != SDB_FSINFO_LEAD ||
        sdb_get32(buf + SDB_FSINFO_MAGIC_AT) != SDB_FSINFO_MAGIC || count > geo->clusters ||
        count < clusters) {
        return err;
    }
    sdb_put32(buf + SDB_FSINFO_FREE, count - clusters);
    return control_put(view, geo->start + at, buf);
}

int sdb_control_find_file(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo,
                          struct sdb_fatdir *found, uint8_t *buf) {
    int err = sdb_fatdir_find_dir(dev, geo, 0, CONTROL_DIR, found, buf);
    if (err == 0) {
        err = found->first < 2
                  ? SDB_ENOENT
                  : sdb_fatdir_find_file(dev, geo, found->first, CONTROL_FILE, found, buf);
    }
    return err;
}

int sdb_control_place_file(struct sdb_journal *j, const struct sdb_bdev *card,
                           struct sdb_control *c, const struct sdb_control *from, uint8_t *buf) {
    const struct sdb_fatgeo *geo = sdb_journal_geo(j);
    struct sdb_bdev view;
    struct sdb_fatdir entry;
    sdb_journal_bdev(j, &view);
    int err = sdb_control_find_file(&view, geo, &entry, buf);
    if (err == 0 && entry.first != 0) {
        err = SDB_EEXIST; // it is to be empty
    }
    if (err == 0) {
        uint8_t *at = buf + entry.at;
        c->entry_lba = entry.lba;
        c->entry_at = entry.at;
        sdb_put16(at + SDB_FATDIR_FIRST, c->file_first & 0xFFFF);
        sdb_put16(at + SDB_FATDIR_FIRST_HIGH, c->file_first >> 16);
        sdb_put32(at + SDB_FATDIR_SIZE, c->file_size);
        err = control_put(&view, entry.lba, buf);
    }
    if (err == 0) {
        err = file_count_free(&view, geo, c, buf);
    }
    if (err == 0) {
        err = sdb_journal_failed(j);
    }
    if (err == 0) {
        err = control_flush(card);
    }
    if (err == 0) {
        err = sdb_control_make(card, geo, c, from, buf);
    }
    return err == 0 ? sdb_journal_commit(j) : err;
}
