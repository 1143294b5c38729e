// SPDX-License-Identifier: MIT
#include "volume.h"

#include <stdio.h>
#include <string.h>

#include "core/bytes.h"

void volume_shape(struct volume *v) {
    static const char *const layouts[] = {"gap", "gap62", "sfd"};
    uint32_t reserved = v->type == 32 ? 32 : 1;
    uint32_t root_sectors = v->type == 32 ? 0 : 32;
    uint32_t per = v->type == 32 ? 128 : 256;
    v->clusters = v->type == 32 ? 65600 : 4200;
    v->start = v->layout == LAYOUT_GAP ? 8192 : v->layout == LAYOUT_SMALL_GAP ? 63 : 0;
    v->fat = v->start + reserved;
    v->fat_sectors = (v->clusters + 2 + per - 1) / per;
    v->root = v->fat + v->fat_sectors * (uint32_t)v->fats;
    v->data = v->root + root_sectors;
    if (v->type == 32) {
        v->root = v->data;
    }
    v->sectors = v->data + v->clusters * v->cluster_sectors + (v->cluster_sectors > 3 ? 3 : 0);
    snprintf(v->name, sizeof v->name, "fat%d-%u-%d-%s-%s", v->type, 512 * v->cluster_sectors,
             v->fats, layouts[v->layout], v->crowded ? "crowded" : "empty");
}

// A sector of 16 entries that look live and point at clusters 2 to 17.
static const struct blob *volume_stale(uint32_t lba) {
    uint8_t s[512];
    for (unsigned i = 0; i < 16; i++) {
        uint8_t *e = s + 32 * i;
        memset(e, 0, 32);
        memcpy(e, "STALE  xTXT", 11);
        e[6] = (uint8_t)('A' + i);
        e[7] = (uint8_t)('0' + lba % 4);
        e[11] = i % 5 == 4 ? 0x10 : 0x20;
        sdb_put16(e + 26, 2 + i);
        sdb_put32(e + 28, i % 5 == 4 ? 0 : 700);
    }
    return blob_get(s);
}

static const struct blob *volume_unwritten(void *ctx, uint32_t lba) {
    const struct volume *v = ctx;
    static const struct blob *stale[4];
    static const struct blob *zero;
    static unsigned epoch = ~0u;
    if (epoch != blob_epoch) {
        epoch = blob_epoch;
        zero = blob_zero();
        for (uint32_t i = 0; i < 4; i++) {
            stale[i] = volume_stale(i);
        }
    }
    return lba >= v->data ? stale[lba % 4] : zero;
}

static void volume_put(struct image *img, uint32_t lba, const uint8_t *s) {
    image_set(img, lba, blob_get(s));
}

static void volume_boot(const struct volume *v, uint8_t *s) {
    memset(s, 0, 512);
    memcpy(s, "\xEB\x58\x90TORTURE ", 11);
    s[0] = 0xEB;
    s[1] = v->type == 32 ? 0x58 : 0x3C;
    sdb_put16(s + 11, 512);
    s[13] = (uint8_t)v->cluster_sectors;
    sdb_put16(s + 14, v->type == 32 ? 32 : 1);
    s[16] = (uint8_t)v->fats;
    sdb_put16(s + 17, v->type == 32 ? 0 : 512);
    s[21] = 0xF8;
    sdb_put16(s + 24, 63);
    sdb_put16(s + 26, 255);
    sdb_put32(s + 28, v->start);
    sdb_put32(s + 32, v->sectors - v->start);
    uint8_t *tail = s + 36;
    if (v->type == 32) {
        sdb_put32(s + 36, v->fat_sectors);
        sdb_put32(s + 44, 2);
        sdb_put16(s + 48, 1);
        sdb_put16(s + 50, 6);
        tail = s + 64;
    } else {
        sdb_put16(s + 22, v->fat_sectors);
    }
    tail[0] = 0x80;
    tail[2] = 0x29;
    sdb_put32(tail + 3, 0x12345678);
    memcpy(tail + 7, "NO NAME    ", 11);
    memcpy(tail + 18, v->type == 32 ? "FAT32   " : "FAT16   ", 8);
    memset(tail + 26, 0x5A, (size_t)(s + 510 - (tail + 26))); // boot code that somebody wrote
    sdb_put16(s + 510, 0xAA55);
}

void volume_format(const struct volume *v, struct image *img) {
    uint8_t s[512];
    img->unwritten = volume_unwritten;
    img->ctx = (void *)v;
    if (v->start != 0) {
        memset(s, 0, 512);
        memset(s, 0x5B, 440);
        s[446 + 4] = v->type == 32 ? 0x0C : 0x06;
        sdb_put32(s + 446 + 8, v->start);
        sdb_put32(s + 446 + 12, v->sectors - v->start);
        sdb_put16(s + 510, 0xAA55);
        volume_put(img, 0, s);
    }
    volume_boot(v, s);
    volume_put(img, v->start, s);
    if (v->type == 32) {
        volume_put(img, v->start + 6, s);
        memset(s, 0, 512);
        sdb_put32(s, 0x41615252);
        sdb_put32(s + 484, 0x61417272);
        sdb_put32(s + 488, v->clusters - 1);
        sdb_put32(s + 492, 2);
        sdb_put16(s + 510, 0xAA55);
        volume_put(img, v->start + 1, s);
    }
    memset(s, 0, 512);
    if (v->type == 32) {
        sdb_put32(s, 0x0FFFFFF8);
        sdb_put32(s + 4, 0x0FFFFFFF);
        sdb_put32(s + 8, 0x0FFFFFFF);
    } else {
        sdb_put16(s, 0xFFF8);
        sdb_put16(s + 2, 0xFFFF);
    }
    for (int i = 0; i < v->fats; i++) {
        volume_put(img, v->fat + (uint32_t)i * v->fat_sectors, s);
    }
    memset(s, 0, 512);
    for (uint32_t i = 0; v->type == 32 && i < v->cluster_sectors; i++) {
        volume_put(img, v->root + i, s);
    }
}

bool volume_nth(unsigned n, struct volume *v) {
    static const uint8_t clusters[] = {1, 8, 64, 128};
    memset(v, 0, sizeof *v);
    if (n >= FAT_VOLUMES) {
        v->lfs_block = n == FAT_VOLUMES ? 4096 : 512;
        v->sectors = 2048 * 2;
        snprintf(v->name, sizeof v->name, "littlefs-%u", (unsigned)v->lfs_block);
        return n < FAT_VOLUMES + 2;
    }
    v->type = n % 2 ? 32 : 16;
    n /= 2;
    v->cluster_sectors = clusters[n % 4];
    n /= 4;
    v->layout = (int)(n % 3);
    n /= 3;
    v->fats = n % 2 ? 2 : 1;
    n /= 2;
    v->crowded = n % 2;
    volume_shape(v);
    return true;
}
