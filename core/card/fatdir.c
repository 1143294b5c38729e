#include "core/card/fatdir.h"

#include <string.h>

#include "core/bytes.h"
#include "core/error.h"

enum {
    FATDIR_ATTRIBUTES = 11,
    FATDIR_DIRECTORY = 0x10,
    FATDIR_VOLUME = 0x08,
    FATDIR_LONG = 0x0F,    // attributes of a part of a long name
    FATDIR_ONLY = 0x41,    // first byte of a long name's only part
    FATDIR_FREE = 0xE5,    // first byte of an unused entry
    FATDIR_SECTORS = 4096, // a directory has at most 65,536 entries
};

// What is looked for: a directory by its long name, or a file by its short one.
struct fatdir_want {
    const char *long_name;
    const char *short_name;
    int sum; // checksum in the matching long name just seen, -1: none
};

int sdb_fatdir_next(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint8_t *buf,
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

// Where the characters of a long-name entry are.
static uint32_t fatdir_long_at(uint32_t i) {
    return i < 5 ? 1 + 2 * i : i < 11 ? 14 + 2 * (i - 5) : 28 + 2 * (i - 11);
}

static bool fatdir_is_long(const uint8_t *entry, const char *name) {
    if (entry[0] != FATDIR_ONLY || entry[FATDIR_ATTRIBUTES] != FATDIR_LONG) {
        return false;
    }
    for (uint32_t i = 0;; i++) {
        if (sdb_get16(entry + fatdir_long_at(i)) != (uint8_t)name[i]) {
            return false;
        }
        if (name[i] == 0) {
            return true;
        }
    }
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
        } else if (fatdir_is_long(entry, want->long_name)) {
            want->sum = entry[13];
        } else {
            bool is =
                want->sum == fatdir_sum(entry) && entry[0] != FATDIR_FREE &&
                (entry[FATDIR_ATTRIBUTES] & (FATDIR_DIRECTORY | FATDIR_VOLUME)) == FATDIR_DIRECTORY;
            want->sum = -1;
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

int sdb_fatdir_find_dir(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint32_t dir,
                        const char *name, struct sdb_fatdir *found, uint8_t *buf) {
    struct fatdir_want want = {name, NULL, -1};
    return fatdir_find(dev, geo, dir, &want, found, buf);
}

int sdb_fatdir_find_file(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint32_t dir,
                         const char *name, struct sdb_fatdir *found, uint8_t *buf) {
    struct fatdir_want want = {NULL, name, -1};
    return fatdir_find(dev, geo, dir, &want, found, buf);
}
