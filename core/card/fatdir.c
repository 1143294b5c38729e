// SPDX-License-Identifier: MIT
#include "core/card/fatdir.h"

#include <string.h>

#include "core/bytes.h"
#include "core/error.h"

enum {
    FATDIR_ATTRIBUTES = 11,
    FATDIR_DIRECTORY = 0x10,
    FATDIR_VOLUME = 0x08,
    FATDIR_LONG = 0x0F, // attributes of a part of a long name
    FATDIR_LAST = 0x40, // in the first byte of a long name's last part, which comes first
    FATDIR_PART = 13,   // characters of a part
    FATDIR_NO = 0xFF,   // no long name that agrees
    FATDIR_READ_ONLY = 0x01,
    FATDIR_FREE = 0xE5,    // first byte of an unused entry
    FATDIR_SECTORS = 4096, // a directory has at most 65,536 entries
};

// What is looked for: what has a name and these attributes, or a file by its short name.
struct fatdir_want {
    const char *name;
    uint32_t len;
    uint8_t attributes;
    const char *short_name;
    uint8_t left; // parts of a long name that agrees so far which are still to come, FATDIR_NO
    uint8_t sum;  // its checksum
};

// FAT12: three bytes hold two entries, and one may reach into the next sector.
static int fatdir_next12(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint8_t *buf,
                         uint32_t *at, uint32_t cluster, uint32_t *next) {
    uint32_t value = 0;
    uint32_t byte = cluster + cluster / 2;
    for (uint32_t i = 0; i < 2; i++, byte++) {
        uint32_t lba = geo->fat + byte / SDB_SECTOR;
        int err = lba != *at ? dev->read(dev->ctx, lba, 1, buf) : 0;
        *at = err < 0 ? 0 : lba;
        if (err < 0) {
            return err;
        }
        value |= (uint32_t)buf[byte % SDB_SECTOR] << (8 * i);
    }
    *next = cluster & 1 ? value >> 4 : value & 0xFFF;
    return 0;
}

int sdb_fatdir_next(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint8_t *buf,
                    uint32_t *at, uint32_t cluster, uint32_t *next) {
    if (cluster < 2 || cluster > geo->clusters + 1) {
        return SDB_ENOENT;
    }
    if (geo->type == 12) {
        return fatdir_next12(dev, geo, buf, at, cluster, next);
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

// Where the characters of a long-name entry are.
static uint32_t fatdir_long_at(uint32_t i) {
    return i < 5 ? 1 + 2 * i : i < 11 ? 14 + 2 * (i - 5) : 28 + 2 * (i - 11);
}

// Are these characters one to FatFs? Beyond ASCII that takes a table: all of them are.
static bool fatdir_same(uint32_t a, uint32_t b) {
    uint32_t low = a | 0x20;
    return a >= 0x80 ? b >= 0x80 : a == b || (low == (b | 0x20) && low >= 'a' && low <= 'z');
}

// A part of a long name, the last of them first. Notes what is still to come if it agrees.
static void fatdir_part(const uint8_t *entry, struct fatdir_want *want) {
    uint32_t n = entry[0] & 0x3F; // the first has number 1
    uint32_t at = (n - 1) * FATDIR_PART;
    bool is = n > 0 && n == want->left && entry[13] == want->sum;
    if (entry[0] & FATDIR_LAST) {
        is = n > 0 && at < want->len && want->len <= at + FATDIR_PART;
        want->sum = entry[13];
    }
    for (uint32_t i = 0; is && i < FATDIR_PART && at + i <= want->len; i++) {
        uint32_t unit = sdb_get16(entry + fatdir_long_at(i));
        is = at + i < want->len ? fatdir_same((uint8_t)want->name[at + i], unit) : unit == 0;
    }
    want->left = is ? (uint8_t)(n - 1) : FATDIR_NO;
}

// Is `name` the short name of this entry?
static bool fatdir_is_short(const uint8_t *entry, const struct fatdir_want *want) {
    uint32_t i = 0;
    for (uint32_t at = 0; at < 11; at++) {
        if (at == 8 && i < want->len && want->name[i] == '.') {
            i++;
        }
        uint8_t c = ' ';
        if (i < want->len && want->name[i] != '.') {
            c = (uint8_t)want->name[i++];
        }
        // 5 stands for a first character that would mean a free entry.
        if (!fatdir_same(c, entry[at] == 5 ? FATDIR_FREE : entry[at])) {
            return false;
        }
    }
    return i == want->len;
}

static uint8_t fatdir_sum(const uint8_t *name) {
    uint8_t sum = 0;
    for (int i = 0; i < 11; i++) {
        sum = (uint8_t)((sum >> 1) + ((sum & 1) << 7) + name[i]);
    }
    return sum;
}

bool sdb_fatdir_is_file(const uint8_t *entry, const char *name, struct sdb_fatdir *found) {
    found->first = sdb_get16(entry + SDB_FATDIR_FIRST) |
                   ((uint32_t)sdb_get16(entry + SDB_FATDIR_FIRST_HIGH) << 16);
    found->size = sdb_get32(entry + SDB_FATDIR_SIZE);
    return memcmp(entry, name, 11) == 0 &&
           (entry[FATDIR_ATTRIBUTES] & (FATDIR_DIRECTORY | FATDIR_VOLUME)) == 0;
}

// Looks through one sector. Returns 1 if it is there, 0 if the directory goes on, SDB_ENOENT at its
// end.
static int fatdir_scan(const uint8_t *s, struct fatdir_want *want, struct sdb_fatdir *found) {
    for (uint32_t at = 0; at < SDB_SECTOR; at += SDB_FATDIR_ENTRY) {
        const uint8_t *entry = s + at;
        if (entry[0] == 0) {
            return SDB_ENOENT;
        }
        found->at = at;
        if (want->short_name != NULL) {
            if (sdb_fatdir_is_file(entry, want->short_name, found)) {
                return 1;
            }
        } else if (entry[FATDIR_ATTRIBUTES] == FATDIR_LONG) {
            fatdir_part(entry, want);
        } else {
            bool is = want->left == 0 && want->sum == fatdir_sum(entry);
            want->left = FATDIR_NO;
            is = (is || fatdir_is_short(entry, want)) && entry[0] != FATDIR_FREE &&
                 (entry[FATDIR_ATTRIBUTES] & want->attributes) == want->attributes &&
                 (entry[FATDIR_ATTRIBUTES] & FATDIR_VOLUME) == 0;
            if (is) {
                sdb_fatdir_is_file(entry, (const char *)entry, found);
                return 1;
            }
        }
    }
    return 0;
}

static int fatdir_find(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint32_t dir,
                       struct fatdir_want *want, struct sdb_fatdir *found, uint8_t *buf) {
    uint32_t cluster = dir == 0 && geo->type == 32 ? geo->root : dir;
    // A chain that runs in a circle ends here as well.
    for (uint32_t n = 0; n < FATDIR_SECTORS; n++) {
        uint32_t in = cluster == 0 ? n : n & ((1u << geo->cluster_shift) - 1);
        uint32_t have = 0;
        int err = 0;
        if (cluster != 0 && n != 0 && in == 0) {
            err = sdb_fatdir_next(dev, geo, buf, &have, cluster, &cluster);
        }
        if (dir == 0 && geo->type != 32) {
            err = n < geo->root_sectors ? 0 : SDB_ENOENT;
        } else if (err == 0 && (cluster < 2 || cluster > geo->clusters + 1)) {
            err = SDB_ENOENT;
        }
        if (err == 0) {
            found->lba = (cluster == 0 ? geo->root : sdb_fatgeo_lba(geo, cluster)) + in;
            err = dev->read(dev->ctx, found->lba, 1, buf);
        }
        if (err == 0) {
            err = fatdir_scan(buf, want, found);
        }
        if (err != 0) {
            return err == 1 ? 0 : err;
        }
    }
    return SDB_ENOENT;
}

// A directory with the name at the beginning of `path`.
static struct fatdir_want fatdir_want(const char *path) {
    struct fatdir_want want = {.name = path, .left = FATDIR_NO, .attributes = FATDIR_DIRECTORY};
    while (path[want.len] != '\0' && path[want.len] != '/') {
        want.len++;
    }
    return want;
}

int sdb_fatdir_find_dir(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint32_t dir,
                        const char *name, struct sdb_fatdir *found, uint8_t *buf) {
    struct fatdir_want want = fatdir_want(name);
    return fatdir_find(dev, geo, dir, &want, found, buf);
}

int sdb_fatdir_find_file(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint32_t dir,
                         const char *name, struct sdb_fatdir *found, uint8_t *buf) {
    struct fatdir_want want = {.short_name = name};
    return fatdir_find(dev, geo, dir, &want, found, buf);
}

int sdb_fatdir_writable(const struct sdb_bdev *dev, const char *path, uint8_t *buf) {
    struct sdb_fatgeo geo;
    struct sdb_fatdir found = {0};
    int res = sdb_fatgeo_read(&geo, dev, buf);
    uint32_t dir = 0;
    while (res == 0) {
        while (*path == '/') {
            path++;
        }
        struct fatdir_want want = fatdir_want(path);
        path += want.len;
        if (*path == '\0') {
            want.attributes = FATDIR_READ_ONLY;
        }
        res = fatdir_find(dev, &geo, dir, &want, &found, buf);
        if (res < 0) {
            break;
        }
        if (*path == '\0') {
            buf[found.at + FATDIR_ATTRIBUTES] &= (uint8_t)~FATDIR_READ_ONLY;
            return dev->write(dev->ctx, found.lba, 1, buf);
        }
        dir = geo.type == 32 ? found.first : found.first & 0xFFFF;
        res = dir == 0 ? SDB_ENOENT : 0;
    }
    return res;
}
