// SPDX-License-Identifier: MIT
#include "core/card/fatgeo.h"

#include <string.h>

#include "core/bytes.h"
#include "core/error.h"

// FatFs draws its lines one cluster above the specification (4085 is FAT12 to one and FAT16 to the
// other); a volume exactly on a line is never trusted.
#define FATGEO_MAX12 4085u
#define FATGEO_MAX16 65525u
#define FATGEO_MAX32 0x0FFFFFF5u

bool sdb_fatgeo_is_boot_sector(const uint8_t *s) {
    if (sdb_get16(s + 510) != 0xAA55) {
        return false;
    }
    if (s[0] != 0xEB && s[0] != 0xE9 && s[0] != 0xE8) {
        return false;
    }
    return memcmp(s + 54, "FAT", 3) == 0 || memcmp(s + 82, "FAT32", 5) == 0;
}

int sdb_fatgeo_parse(struct sdb_fatgeo *geo, const uint8_t *s, uint32_t start,
                     uint32_t card_sectors) {
    memset(geo, 0, sizeof *geo);
    if (!sdb_fatgeo_is_boot_sector(s) || sdb_get16(s + 11) != SDB_SECTOR) {
        return SDB_ENOENT;
    }
    uint32_t per_cluster = s[13];
    uint32_t reserved = sdb_get16(s + 14);
    uint32_t root_entries = sdb_get16(s + 17);
    geo->start = start;
    geo->fats = s[16];
    geo->sectors = sdb_get16(s + 19);
    if (geo->sectors == 0) {
        geo->sectors = sdb_get32(s + 32);
    }
    geo->fat_sectors = sdb_get16(s + 22);
    if (geo->fat_sectors == 0) {
        geo->fat_sectors = sdb_get32(s + 36);
    }
    if (per_cluster == 0 || (per_cluster & (per_cluster - 1)) != 0 || reserved == 0 ||
        geo->fats < 1 || geo->fats > 2 || root_entries % 16 != 0 ||
        geo->fat_sectors > 0x10000000u) {
        return SDB_ENOENT;
    }
    while ((1u << geo->cluster_shift) < per_cluster) {
        geo->cluster_shift++;
    }
    geo->root_sectors = root_entries / 16;
    uint32_t system = reserved + geo->fat_sectors * geo->fats + geo->root_sectors;
    if (geo->sectors < system || start + geo->sectors < start) {
        return SDB_ENOENT;
    }
    geo->clusters = (geo->sectors - system) >> geo->cluster_shift;
    if (geo->clusters == 0 || geo->clusters > FATGEO_MAX32) {
        return SDB_ENOENT;
    }
    geo->type = geo->clusters <= FATGEO_MAX12 ? 12 : geo->clusters <= FATGEO_MAX16 ? 16 : 32;
    geo->fat = start + reserved;
    geo->data = start + system;

    // FatFs mounts nothing whose FAT is too short. FAT12: three bytes for two entries.
    uint32_t entries = geo->clusters + 2;
    uint32_t needed = geo->type == 12   ? (entries * 3 / 2 + (entries & 1) + 511) / 512
                      : geo->type == 16 ? (entries + 255) / 256
                                        : (entries + 127) / 128;
    if (geo->fat_sectors < needed) {
        return SDB_ENOENT;
    }
    geo->safe = geo->type != 12 && start + geo->sectors <= card_sectors;
    if (geo->type == 32) {
        if (root_entries != 0 || sdb_get16(s + 42) != 0) {
            return SDB_ENOENT;
        }
        geo->root = sdb_get32(s + 44);
        geo->backup = sdb_get16(s + 50);
        if (geo->backup >= reserved) {
            geo->backup = 0;
        }
        // With mirroring off, FatFs and a PC would look at different FATs.
        if ((s[40] & 0x80) != 0 || geo->root < 2 || geo->root > geo->clusters + 1) {
            geo->safe = false;
        }
    } else {
        if (root_entries == 0) {
            return SDB_ENOENT;
        }
        geo->root = geo->fat + geo->fat_sectors * geo->fats;
        if (geo->clusters == FATGEO_MAX16) {
            geo->safe = false;
        }
    }
    return 0;
}

int sdb_fatgeo_read(struct sdb_fatgeo *geo, const struct sdb_bdev *card, uint8_t *buf) {
    int err = card->read(card->ctx, 0, 1, buf);
    if (err < 0) {
        return err;
    }
    if (sdb_fatgeo_is_boot_sector(buf)) {
        return sdb_fatgeo_parse(geo, buf, 0, card->sectors);
    }
    if (sdb_get16(buf + 510) != 0xAA55) {
        return SDB_ENOENT;
    }
    uint32_t start[4];
    uint32_t first = card->sectors;
    for (int i = 0; i < 4; i++) {
        const uint8_t *entry = buf + 446 + 16 * i;
        uint32_t at = sdb_get32(entry + 8);
        start[i] = entry[4] != 0 ? at : 0; // FatFs skips type 0; something may be there
        if ((entry[4] != 0 || at != 0) && at < first) {
            first = at;
        }
    }
    for (int i = 0; i < 4; i++) {
        if (start[i] == 0 || start[i] >= card->sectors) {
            continue;
        }
        err = card->read(card->ctx, start[i], 1, buf);
        if (err < 0) {
            return err;
        }
        if (!sdb_fatgeo_is_boot_sector(buf)) {
            continue;
        }
        err = sdb_fatgeo_parse(geo, buf, start[i], card->sectors);
        if (err == 0) {
            geo->mbr = true;
            geo->gap = first > 1 ? first - 1 : 0;
        }
        return err;
    }
    return SDB_ENOENT;
}

uint32_t sdb_fatgeo_lba(const struct sdb_fatgeo *geo, uint32_t cluster) {
    return geo->data + ((cluster - 2) << geo->cluster_shift);
}

uint32_t sdb_fatgeo_cluster(const struct sdb_fatgeo *geo, uint32_t lba) {
    if (lba < geo->data) {
        return 0;
    }
    uint32_t index = (lba - geo->data) >> geo->cluster_shift;
    return index < geo->clusters ? index + 2 : 0;
}

uint32_t sdb_fatgeo_entry(const struct sdb_fatgeo *geo, const uint8_t *sector, uint32_t cluster) {
    if (geo->type == 16) {
        return sdb_get16(sector + 2 * (cluster & 255));
    }
    return sdb_get32(sector + 4 * (cluster & 127)) & 0x0FFFFFFF;
}

uint32_t sdb_fatgeo_entry_lba(const struct sdb_fatgeo *geo, uint32_t cluster) {
    return geo->fat + (cluster >> (geo->type == 16 ? 8 : 7));
}
