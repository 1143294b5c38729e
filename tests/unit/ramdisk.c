// SPDX-License-Identifier: MIT
#define _GNU_SOURCE // SEEK_DATA
#define _FILE_OFFSET_BITS 64
#include "ramdisk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

#define PAGE_SECTORS 512u
#define PAGE_BYTES (PAGE_SECTORS * SDB_SECTOR)

#define RAMDISK_CHECK(condition)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "ramdisk:%d: not so: %s\n", __LINE__, #condition);                     \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static size_t page_count(const struct ramdisk *d) {
    return d->dev.sectors / PAGE_SECTORS + 1;
}

static bool all_fill(const struct ramdisk *d, const uint8_t *data, size_t len) {
    return len == 0 || (data[0] == d->fill && memcmp(data, data + 1, len - 1) == 0);
}

void ramdisk_get(const struct ramdisk *d, uint32_t lba, void *sector) {
    RAMDISK_CHECK(lba < d->dev.sectors);
    const uint8_t *page = d->pages[lba / PAGE_SECTORS];
    if (page == NULL) {
        memset(sector, d->fill, SDB_SECTOR);
    } else {
        memcpy(sector, page + lba % PAGE_SECTORS * SDB_SECTOR, SDB_SECTOR);
    }
}

void ramdisk_put(struct ramdisk *d, uint32_t lba, const void *sector) {
    RAMDISK_CHECK(lba < d->dev.sectors);
    uint8_t **page = &d->pages[lba / PAGE_SECTORS];
    if (*page == NULL) {
        if (all_fill(d, sector, SDB_SECTOR)) {
            return;
        }
        *page = malloc(PAGE_BYTES);
        RAMDISK_CHECK(*page != NULL);
        memset(*page, d->fill, PAGE_BYTES);
    }
    memcpy(*page + lba % PAGE_SECTORS * SDB_SECTOR, sector, SDB_SECTOR);
}

void ramdisk_poke(struct ramdisk *d, uint64_t byte, const void *data, uint32_t len) {
    uint8_t sector[SDB_SECTOR];
    const uint8_t *from = data;
    for (uint32_t i = 0; i < len; i++, byte++) {
        ramdisk_get(d, (uint32_t)(byte / SDB_SECTOR), sector);
        sector[byte % SDB_SECTOR] = from[i];
        ramdisk_put(d, (uint32_t)(byte / SDB_SECTOR), sector);
    }
}

static bool in_range(const struct ramdisk *d, uint32_t lba, uint32_t count) {
    return count > 0 && lba < d->dev.sectors && count <= d->dev.sectors - lba;
}

static int disk_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    struct ramdisk *d = ctx;
    RAMDISK_CHECK(in_range(d, lba, count));
    d->reads++;
    d->read_sectors += count;
    if (d->reads == d->fail_read) {
        return SDB_EIO;
    }
    for (uint32_t i = 0; i < count; i++) {
        ramdisk_get(d, lba + i, (uint8_t *)buf + i * SDB_SECTOR);
    }
    return 0;
}

static int disk_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    struct ramdisk *d = ctx;
    RAMDISK_CHECK(in_range(d, lba, count));
    d->writes++;
    if (d->read_only) {
        return SDB_EROFS;
    }
    if (d->writes == d->fail_write) {
        return SDB_EIO;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (d->cut && d->written_sectors >= d->cut_at) {
            if (d->torn) {
                uint8_t half[SDB_SECTOR];
                memset(half, 0xA5, sizeof half);
                memcpy(half, (const uint8_t *)buf + i * SDB_SECTOR, SDB_SECTOR / 2);
                ramdisk_put(d, lba + i, half);
                d->torn = false;
            }
            return SDB_EIO;
        }
        ramdisk_put(d, lba + i, (const uint8_t *)buf + i * SDB_SECTOR);
        d->written_sectors++;
    }
    return 0;
}

static int disk_sync(void *ctx) {
    struct ramdisk *d = ctx;
    d->syncs++;
    return d->syncs == d->fail_sync ? SDB_EIO : 0;
}

void ramdisk_init(struct ramdisk *d, uint32_t sectors, uint8_t fill) {
    memset(d, 0, sizeof *d);
    d->dev = (struct sdb_bdev){d, sectors, disk_read, disk_write, disk_sync};
    d->fill = fill;
    d->pages = calloc(page_count(d), sizeof *d->pages);
    RAMDISK_CHECK(d->pages != NULL);
}

void ramdisk_copy(struct ramdisk *to, const struct ramdisk *from) {
    ramdisk_init(to, from->dev.sectors, from->fill);
    for (size_t i = 0; i < page_count(from); i++) {
        if (from->pages[i] != NULL) {
            to->pages[i] = malloc(PAGE_BYTES);
            RAMDISK_CHECK(to->pages[i] != NULL);
            memcpy(to->pages[i], from->pages[i], PAGE_BYTES);
        }
    }
}

void ramdisk_free(struct ramdisk *d) {
    for (size_t i = 0; i < page_count(d); i++) {
        free(d->pages[i]);
    }
    free(d->pages);
    memset(d, 0, sizeof *d);
}

void ramdisk_power_on(struct ramdisk *d) {
    d->reads = d->writes = d->syncs = 0;
    d->fail_read = d->fail_write = d->fail_sync = 0;
    d->read_sectors = d->written_sectors = d->cut_at = 0;
    d->cut = d->torn = d->read_only = false;
}

bool ramdisk_same(const struct ramdisk *a, const struct ramdisk *b) {
    uint8_t x[SDB_SECTOR], y[SDB_SECTOR];
    RAMDISK_CHECK(a->dev.sectors == b->dev.sectors && a->fill == b->fill);
    for (uint32_t lba = 0; lba < a->dev.sectors; lba++) {
        if (a->pages[lba / PAGE_SECTORS] == NULL && b->pages[lba / PAGE_SECTORS] == NULL) {
            continue;
        }
        ramdisk_get(a, lba, x);
        ramdisk_get(b, lba, y);
        if (memcmp(x, y, SDB_SECTOR) != 0) {
            return false;
        }
    }
    return true;
}

void ramdisk_save(const struct ramdisk *d, uint32_t from, const char *path) {
    uint32_t count = d->dev.sectors - from;
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    RAMDISK_CHECK(d->fill == 0 && fd >= 0 && ftruncate(fd, (off_t)count * SDB_SECTOR) == 0);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t sector[SDB_SECTOR];
        if (d->pages[(from + i) / PAGE_SECTORS] == NULL) {
            uint32_t skip = PAGE_SECTORS - (from + i) % PAGE_SECTORS;
            i = count - i > skip ? i + skip - 1 : count - 1;
            continue;
        }
        ramdisk_get(d, from + i, sector);
        if (!all_fill(d, sector, SDB_SECTOR)) {
            RAMDISK_CHECK(pwrite(fd, sector, SDB_SECTOR, (off_t)i * SDB_SECTOR) == SDB_SECTOR);
        }
    }
    RAMDISK_CHECK(close(fd) == 0);
}

void ramdisk_load(struct ramdisk *d, uint32_t to, const char *path) {
    static uint8_t sector[SDB_SECTOR];
    int fd = open(path, O_RDONLY);
    RAMDISK_CHECK(fd >= 0);
    off_t at = 0;
    // Holes are skipped: large images are mostly that.
    while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
        off_t end = lseek(fd, at, SEEK_HOLE);
        for (at -= at % SDB_SECTOR; at < end; at += SDB_SECTOR) {
            uint64_t lba = to + (uint64_t)at / SDB_SECTOR;
            memset(sector, 0, SDB_SECTOR);
            RAMDISK_CHECK(pread(fd, sector, SDB_SECTOR, at) > 0);
            if (lba < d->dev.sectors) {
                ramdisk_put(d, (uint32_t)lba, sector);
            }
        }
    }
    close(fd);
}
