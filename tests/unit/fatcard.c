// SPDX-License-Identifier: MIT
#include "fatcard.h"

#include <string.h>

#include "core/bytes.h"
#include "core/card/fatdir.h"
#include "core/error.h"
#include "unit.h"

#define END 0x0FFFFFFFu

static void boot_sector(const struct fatcard *s, uint32_t sectors, uint32_t fat, uint8_t *b) {
    bool fat32 = s->type == 32;
    uint8_t *tail = b + (fat32 ? 64 : 36);
    memset(b, 0, SDB_SECTOR);
    if (fat32) {
        memset(b + 90, 0xF4, 420); // boot code; without it, it looks like an MBR without partitions
    }
    memcpy(b, fat32 ? "\xEB\x58\x90MSDOS5.0" : "\xEB\x3C\x90MSDOS5.0", 11);
    sdb_put16(b + 11, SDB_SECTOR);
    b[13] = s->cluster;
    sdb_put16(b + 14, s->reserved);
    b[16] = s->fats;
    sdb_put16(b + 17, fat32 ? 0 : 512);
    b[21] = 0xF8;
    sdb_put16(b + 24, 63);
    sdb_put16(b + 26, 255);
    sdb_put32(b + 28, s->start);
    sdb_put32(b + 32, sectors);
    if (fat32) {
        sdb_put32(b + 36, fat);
        sdb_put32(b + 44, 2);
        sdb_put16(b + 48, 1);
        sdb_put16(b + 50, 6);
    } else {
        sdb_put16(b + 22, fat);
    }
    tail[2] = 0x29;
    sdb_put32(tail + 3, 0x20261125);
    memcpy(tail + 7, "CARD       ", 11);
    memcpy(tail + 18, fat32 ? "FAT32   " : "FAT16   ", 8);
    sdb_put16(b + 510, 0xAA55);
}

void fatcard_format(struct ramdisk *d, const struct fatcard *s) {
    uint8_t b[SDB_SECTOR];
    struct sdb_fatgeo geo;
    uint32_t clusters = s->type == 32 ? 65600 : 4200;
    uint32_t per = s->type == 32 ? 128 : 256;
    uint32_t fat = (clusters + 2 + per - 1) / per;
    uint32_t sectors =
        s->reserved + fat * s->fats + (s->type == 32 ? 0 : 32) + clusters * s->cluster;
    ramdisk_init(d, s->start + sectors, 0);
    if (s->start != 0) {
        memset(b, 0, sizeof b);
        memset(b, 0x90, 380); // boot code
        memcpy(b + 446, "\x00\xFE\xFF\xFF\x0C\xFE\xFF\xFF", 8);
        sdb_put32(b + 454, s->start);
        sdb_put32(b + 458, sectors);
        sdb_put16(b + 510, 0xAA55);
        ramdisk_put(d, 0, b);
    }
    boot_sector(s, sectors, fat, b);
    ramdisk_put(d, s->start, b);
    if (s->type == 32) {
        ramdisk_put(d, s->start + 6, b);
        memset(b, 0, sizeof b);
        sdb_put32(b, 0x41615252);
        sdb_put32(b + 484, 0x61417272);
        sdb_put32(b + 488, clusters - 1 - FATCARD_USED);
        sdb_put32(b + 492, 2);
        sdb_put16(b + 510, 0xAA55);
        ramdisk_put(d, s->start + 1, b);
    }
    fatcard_geo(d, &geo);
    fatcard_set(&d->dev, &geo, 0, 0x0FFFFFF8);
    fatcard_set(&d->dev, &geo, 1, END);
    fatcard_set(&d->dev, &geo, 2, END); // root on FAT32
    memset(b, FATCARD_BYTE, sizeof b);
    for (uint32_t i = 3; i < 3 + FATCARD_USED; i++) {
        fatcard_set(&d->dev, &geo, i, END);
        ramdisk_put(d, sdb_fatgeo_lba(&geo, i), b);
    }
    ramdisk_power_on(d);
}

void fatcard_geo(struct ramdisk *d, struct sdb_fatgeo *geo) {
    uint8_t b[SDB_SECTOR];
    assert_int_equal(sdb_fatgeo_read(geo, &d->dev, b), 0);
}

void fatcard_set(const struct sdb_bdev *view, const struct sdb_fatgeo *geo, uint32_t cluster,
                 uint32_t next) {
    uint8_t b[SDB_SECTOR];
    uint32_t lba = sdb_fatgeo_entry_lba(geo, cluster);
    assert_int_equal(view->read(view->ctx, lba, 1, b), 0);
    if (geo->type == 16) {
        sdb_put16(b + 2 * (cluster & 255), next & 0xFFFF);
    } else {
        sdb_put32(b + 4 * (cluster & 127), next);
    }
    for (uint32_t i = 0; i < geo->fats; i++) {
        // Not asserted: in a test of power cuts the card says no.
        view->write(view->ctx, lba + i * geo->fat_sectors, 1, b);
    }
}

static uint32_t get(const struct sdb_bdev *view, const struct sdb_fatgeo *geo, uint32_t cluster) {
    uint8_t b[SDB_SECTOR];
    uint32_t lba = sdb_fatgeo_entry_lba(geo, cluster);
    assert_int_equal(view->read(view->ctx, lba, 1, b), 0);
    return sdb_fatgeo_entry(geo, b, cluster);
}

void fatcard_fill(struct ramdisk *d, uint32_t left) {
    struct sdb_fatgeo geo;
    fatcard_geo(d, &geo);
    for (uint32_t i = geo.clusters + 1; i >= 2; i--) {
        if (get(&d->dev, &geo, i) == 0) {
            if (left > 0) {
                left--;
            } else {
                fatcard_set(&d->dev, &geo, i, END);
            }
        }
    }
}

// Adds an entry to the directory whose first sector is `lba`.
static int add(struct fatcard_fs *f, uint32_t lba, const char *name, uint8_t attributes,
               uint32_t first) {
    static const char long_name[] = ".sdboot";
    uint8_t b[SDB_SECTOR];
    uint32_t at = 0;
    int err = f->view.read(f->view.ctx, lba, 1, b);
    while (b[at] != 0) {
        at += 32;
        assert_true(at < SDB_SECTOR - 64);
    }
    if (attributes == 0x10) { // the only directory has a long name
        uint8_t sum = 0;
        for (int i = 0; i < 11; i++) {
            sum = (uint8_t)((sum >> 1) + ((sum & 1) << 7) + (uint8_t)name[i]);
        }
        memset(b + at, 0xFF, 32);
        b[at] = 0x41;
        b[at + 11] = 0x0F;
        b[at + 12] = b[at + 26] = b[at + 27] = 0;
        b[at + 13] = sum;
        for (uint32_t i = 0; i < 8; i++) {
            sdb_put16(b + at + (i < 5 ? 1 + 2 * i : 14 + 2 * (i - 5)), (uint8_t)long_name[i]);
        }
        at += 32;
    }
    memset(b + at, 0, 32);
    memcpy(b + at, name, 11);
    b[at + 11] = attributes;
    sdb_put16(b + at + 20, first >> 16);
    sdb_put16(b + at + 26, first & 0xFFFF);
    return err < 0 ? err : f->view.write(f->view.ctx, lba, 1, b);
}

static int fs_mkdir(void *ctx, const char *path) {
    struct fatcard_fs *f = ctx;
    struct sdb_fatdir found;
    uint8_t b[SDB_SECTOR];
    assert_string_equal(path, "/.sdboot");
    int err = sdb_fatdir_find_dir(&f->view, &f->geo, 0, ".sdboot", &found, b);
    if (err != SDB_ENOENT) {
        return err == 0 ? SDB_EEXIST : err;
    }
    uint32_t cluster = 2;
    while (get(&f->view, &f->geo, cluster) != 0) {
        if (++cluster > f->geo.clusters + 1) {
            return SDB_EACCES;
        }
    }
    memset(b, 0, sizeof b);
    for (uint32_t i = 0; i < 1u << f->geo.cluster_shift && err < 0; i++) {
        int res = f->view.write(f->view.ctx, sdb_fatgeo_lba(&f->geo, cluster) + i, 1, b);
        if (res < 0) {
            return res;
        }
    }
    fatcard_set(&f->view, &f->geo, cluster, END);
    uint32_t root = f->geo.type == 32 ? sdb_fatgeo_lba(&f->geo, f->geo.root) : f->geo.root;
    return add(f, root, "SDBOOT~1   ", 0x10, cluster);
}

static int fs_open(void *ctx, const char *path, char mode) {
    struct fatcard_fs *f = ctx;
    struct sdb_fatdir dir, found;
    uint8_t b[SDB_SECTOR];
    assert_string_equal(path, "/.sdboot/journal");
    assert_int_equal(mode, 'w');
    int err = sdb_fatdir_find_dir(&f->view, &f->geo, 0, ".sdboot", &dir, b);
    if (err < 0) {
        return err;
    }
    err = sdb_fatdir_find_file(&f->view, &f->geo, dir.first, "JOURNAL    ", &found, b);
    if (err == SDB_ENOENT) {
        return add(f, sdb_fatgeo_lba(&f->geo, dir.first), "JOURNAL    ", 0x20, 0);
    }
    if (err == 0) {
        sdb_put16(b + found.at + 20, 0);
        sdb_put16(b + found.at + 26, 0);
        sdb_put32(b + found.at + 28, 0);
        err = f->view.write(f->view.ctx, found.lba, 1, b);
    }
    for (uint32_t next; err == 0 && found.first >= 2 && found.first <= f->geo.clusters + 1;
         found.first = next) {
        next = get(&f->view, &f->geo, found.first);
        fatcard_set(&f->view, &f->geo, found.first, 0);
    }
    return err;
}

static int fs_close(void *ctx, int file) {
    (void)ctx;
    return file;
}

void fatcard_mount(struct fatcard_fs *f, const struct sdb_bdev *view) {
    uint8_t b[SDB_SECTOR];
    memset(f, 0, sizeof *f);
    f->view = *view;
    assert_int_equal(sdb_fatgeo_read(&f->geo, view, b), 0);
    f->fs.ctx = f;
    f->fs.mkdir = fs_mkdir;
    f->fs.open = fs_open;
    f->fs.close = fs_close;
}
