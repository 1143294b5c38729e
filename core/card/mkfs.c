// SPDX-License-Identifier: MIT
#include "core/card/mkfs.h"

#include "core/bytes.h"
#include "core/card/probe.h"
#include "core/error.h"

#include <stdbool.h>
#include <string.h>

#define MKFS_MIB 2048u       // sectors
#define MKFS_GAP 1024u       // sectors before the first partition, at least
#define MKFS_NAME "sdboot  " // who has formatted it, in the boot sector

struct mkfs {
    const struct sdb_bdev *dev;
    uint8_t *buf;
    uint32_t buf_sectors;
    bool fat32;
    uint32_t start;    // first sector of the partition
    uint32_t sectors;  // of the partition
    uint32_t cluster;  // sectors of a cluster
    uint32_t reserved; // sectors before the FAT
    uint32_t fat;      // sectors of the FAT
    uint32_t root;     // sectors of the root directory, FAT16 only
};

static uint32_t mkfs_round_up(uint32_t n, uint32_t unit) {
    return (n + unit - 1) / unit * unit;
}

static int mkfs_write_zeros(const struct mkfs *m, uint32_t lba, uint32_t count) {
    memset(m->buf, 0, m->buf_sectors * SDB_SECTOR);
    while (count > 0) {
        uint32_t n = count < m->buf_sectors ? count : m->buf_sectors;
        int res = m->dev->write(m->dev->ctx, lba, n, m->buf);
        if (res < 0) {
            return res;
        }
        lba += n;
        count -= n;
    }
    return 0;
}

static int mkfs_write_one(const struct mkfs *m, uint32_t lba) {
    return m->dev->write(m->dev->ctx, lba, 1, m->buf);
}

// Chooses the layout: the data area begins on an aligned sector of the card, too.
static int mkfs_plan(struct mkfs *m) {
    uint32_t card = m->dev->sectors;
    uint32_t align = card >= 64 * MKFS_MIB ? 4 * MKFS_MIB : MKFS_GAP;
    if (card < 3 * MKFS_MIB) {
        return SDB_ENOSPC;
    }
    m->start = align;
    m->sectors = card - align;
    m->fat32 = m->sectors >= 300 * MKFS_MIB; // 65525 clusters at least, reserved ones aside
    if (m->fat32) {
        uint32_t gib = m->sectors / (1024 * MKFS_MIB);
        m->cluster = gib < 8 ? 8 : gib < 16 ? 16 : gib < 32 ? 32 : 64;
    } else {
        m->cluster = m->sectors >= 250 * MKFS_MIB  ? 16
                     : m->sectors >= 20 * MKFS_MIB ? 8
                     : m->sectors >= 5 * MKFS_MIB  ? 2
                                                   : 1;
        m->root = 32; // 512 entries
    }
    uint32_t per_sector = SDB_SECTOR / (m->fat32 ? 4 : 2);
    m->fat = m->sectors / m->cluster / per_sector + 1;
    uint32_t data = mkfs_round_up((m->fat32 ? 32 : 1) + m->fat + m->root, align);
    m->reserved = data - m->fat - m->root;
    return 0;
}

static void mkfs_boot_sector(const struct mkfs *m, uint32_t serial) {
    uint8_t *b = m->buf;
    uint8_t *ext = b + (m->fat32 ? 64 : 36); // the part that comes after the type's own fields
    memset(b, 0, SDB_SECTOR);
    memcpy(b, "\xeb\x58\x90" MKFS_NAME, 11);
    sdb_put16(b + 11, SDB_SECTOR);
    b[13] = (uint8_t)m->cluster;
    sdb_put16(b + 14, m->reserved);
    b[16] = 1; // FATs
    sdb_put16(b + 17, m->root * (SDB_SECTOR / 32));
    b[21] = 0xf8;
    sdb_put16(b + 24, 63); // geometry, for readers of another age
    sdb_put16(b + 26, 255);
    sdb_put32(b + 28, m->start);
    if (m->sectors < 0x10000 && !m->fat32) {
        sdb_put16(b + 19, m->sectors);
    } else {
        sdb_put32(b + 32, m->sectors);
    }
    if (m->fat32) {
        sdb_put32(b + 36, m->fat);
        sdb_put32(b + 44, 2); // root directory's cluster
        sdb_put16(b + SDB_BOOT_FSINFO, 1);
        sdb_put16(b + 50, 6); // backup of this sector
    } else {
        sdb_put16(b + 22, m->fat);
    }
    ext[0] = 0x80;
    ext[2] = 0x29;
    sdb_put32(ext + 3, serial);
    memcpy(ext + 7, "NO NAME    ", 11);
    memcpy(ext + 18, m->fat32 ? "FAT32   " : "FAT16   ", 8);
    sdb_put16(b + 510, 0xaa55);
}

static void mkfs_fsinfo(const struct mkfs *m) {
    uint32_t clusters = (m->sectors - m->reserved - m->fat) / m->cluster;
    memset(m->buf, 0, SDB_SECTOR);
    sdb_put32(m->buf, SDB_FSINFO_LEAD);
    sdb_put32(m->buf + SDB_FSINFO_MAGIC_AT, SDB_FSINFO_MAGIC);
    sdb_put32(m->buf + SDB_FSINFO_FREE, clusters - 1); // all but the root directory
    sdb_put32(m->buf + SDB_FSINFO_NEXT, 2);
    sdb_put16(m->buf + 510, 0xaa55);
}

// FAT and root directory: all zeros but for the first entries.
static int mkfs_tables(const struct mkfs *m) {
    uint32_t fat = m->start + m->reserved;
    int res = mkfs_write_zeros(m, fat + 1, m->fat - 1 + (m->fat32 ? m->cluster : m->root));
    if (res < 0) {
        return res;
    }
    memset(m->buf, 0, SDB_SECTOR);
    if (m->fat32) {
        sdb_put32(m->buf, 0x0ffffff8);
        sdb_put32(m->buf + 4, 0x0fffffff);
        sdb_put32(m->buf + 8, 0x0fffffff);
    } else {
        sdb_put32(m->buf, 0xfffffff8);
    }
    return mkfs_write_one(m, fat);
}

static int mkfs_boot_sectors(const struct mkfs *m, uint32_t serial) {
    int res = mkfs_write_zeros(m, m->start + 1, 31 < m->reserved - 1 ? 31 : m->reserved - 1);
    mkfs_fsinfo(m);
    for (uint32_t copy = 0; res == 0 && m->fat32 && copy <= 6; copy += 6) {
        res = mkfs_write_one(m, m->start + copy + 1);
    }
    mkfs_boot_sector(m, serial);
    // FAT16 gets the backup, too: probe recognises a damaged volume by it.
    if (res == 0) {
        res = mkfs_write_one(m, m->start + 6);
    }
    return res < 0 ? res : mkfs_write_one(m, m->start);
}

static void mkfs_mbr(uint8_t *s, bool fat32, uint32_t start, uint32_t sectors, uint32_t serial) {
    uint8_t *entry = s + 446;
    memset(s, 0, SDB_SECTOR);
    sdb_put32(s + 440, serial);
    memcpy(entry + 1, "\xfe\xff\xff", 3); // no CHS address
    entry[4] = fat32 ? 0x0c : 0x0e;       // FAT32, FAT16, both with LBA
    memcpy(entry + 5, "\xfe\xff\xff", 3);
    sdb_put32(entry + 8, start);
    sdb_put32(entry + 12, sectors);
    sdb_put16(s + 510, 0xaa55);
}

int sdb_mkfs_table(const struct sdb_bdev *dev, struct sdb_fatgeo *geo, uint8_t *buf) {
    static const uint16_t starts[2] = {4 * MKFS_MIB, MKFS_GAP};
    for (int i = 0; i < 2; i++) {
        const uint32_t start = starts[i];
        if (start >= dev->sectors) {
            continue;
        }
        int res = dev->read(dev->ctx, start, 1, buf);
        if (res < 0) {
            return res;
        }
        if (memcmp(buf + 3, MKFS_NAME, 8) == 0 && sdb_get32(buf + 28) == start &&
            sdb_fatgeo_parse(geo, buf, start, dev->sectors) == 0 &&
            geo->sectors == dev->sectors - start) {
            uint32_t serial = sdb_get32(buf + (geo->type == 32 ? 67 : 39));
            mkfs_mbr(buf, geo->type == 32, start, geo->sectors, serial);
            return 1;
        }
    }
    return 0;
}

static void mkfs_begun(uint8_t *sector) {
    static const char text[] = "sdboot is formatting this card; what was on it is lost.\n";
    memset(sector, 0, SDB_SECTOR);
    memcpy(sector, text, sizeof text);
}

int sdb_mkfs_begin(const struct sdb_bdev *dev, uint8_t *buf) {
    // Sector 0 may be torn, and a blank card is not blank any more: it is said elsewhere before.
    uint32_t note = sdb_probe_unread(dev->sectors);
    int res = 0;
    mkfs_begun(buf);
    if (note != 0) {
        res = dev->write(dev->ctx, note, 1, buf);
        res = res < 0 ? res : dev->sync(dev->ctx);
    }
    if (res == 0) {
        res = dev->write(dev->ctx, 0, 1, buf);
    }
    return res < 0 ? res : dev->sync(dev->ctx);
}

int sdb_mkfs_end(const struct sdb_bdev *dev, uint8_t *buf) {
    uint32_t note = sdb_probe_unread(dev->sectors);
    memset(buf, 0, SDB_SECTOR);
    return note != 0 ? dev->write(dev->ctx, note, 1, buf) : 0;
}

bool sdb_mkfs_unfinished(const uint8_t *sector) {
    uint8_t begun[SDB_SECTOR];
    mkfs_begun(begun);
    return memcmp(sector, begun, SDB_SECTOR) == 0;
}

int sdb_mkfs_fat(const struct sdb_bdev *dev, uint32_t serial, uint8_t *buf, uint32_t len) {
    struct mkfs m = {.dev = dev, .buf = buf, .buf_sectors = len / SDB_SECTOR};
    int res = mkfs_plan(&m);
    // Sector 0 goes first and comes back last: in between, it says what is going on. The other
    // sectors of the gap may hold the marks of what was there before, and the control area takes
    // only those that are zero.
    if (res == 0) {
        res = sdb_mkfs_begin(dev, buf);
    }
    if (res == 0) { // from here on sector 0 is enough, which a boot sector can replace
        res = sdb_mkfs_end(dev, buf);
    }
    if (res == 0) {
        res = mkfs_write_zeros(&m, 1, m.start - 1);
    }
    if (res == 0) {
        res = mkfs_tables(&m);
    }
    if (res == 0) {
        res = mkfs_boot_sectors(&m, serial);
    }
    if (res == 0) {
        res = dev->sync(dev->ctx);
    }
    if (res == 0) {
        mkfs_mbr(buf, m.fat32, m.start, m.sectors, serial);
        res = mkfs_write_one(&m, 0);
    }
    return res < 0 ? res : dev->sync(dev->ctx);
}
