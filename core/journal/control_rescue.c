// SPDX-License-Identifier: MIT
// Nothing on the card can be mounted. Is it one of ours whose sector 0, boot sector or first 4 KiB
// are lost?
#include <string.h>

#include "core/card/mkfs.h"
#include "core/error.h"
#include "core/journal/control_copy.h"

#define RESCUE_FIRST 8u      // sectors of the first 4 KiB
#define RESCUE_FAR 0x800000u // sectors of the largest FAT16 volume: 4 GiB
// Where the search ends on a card of any size, 32 GiB: 65,536 reads, half a minute. A file is made
// in the first clusters that are free.
#define RESCUE_END 0x4000000u

// A table from which all partitions have been deleted.
static bool rescue_is_empty(const uint8_t *s) {
    for (uint32_t i = CONTROL_MBR_TABLE; i < CONTROL_SIGNATURE_AT; i++) {
        if (s[i] != 0) {
            return false;
        }
    }
    return copy_signed(s);
}

// Is the table of partitions in `s` one that somebody made, be it an empty one?
static bool rescue_is_table(const uint8_t *s, uint32_t card_sectors) {
    bool any = rescue_is_empty(s);
    for (int i = 0; i < MBR_ENTRIES; i++) {
        const uint8_t *entry = copy_partition(s, i);
        uint32_t start = sdb_get32(entry + MBR_START);
        if ((entry[0] & 0x7F) != 0) {
            return false;
        }
        any |= entry[MBR_TYPE] != 0 && start != 0 && start < card_sectors;
    }
    return any && copy_signed(s);
}

static bool rescue_is_fat(const uint8_t *s) {
    return s[0] >= 0xF0 && s[1] == 0xFF && s[2] == 0xFF && !control_uniform(s);
}

int sdb_control_sees_fat(const struct sdb_bdev *card, const struct sdb_fatgeo *geo, uint8_t *buf) {
    for (uint32_t i = 0; i < geo->fats; i++) {
        int err = control_get(card, geo->fat + i * geo->fat_sectors, buf);
        if (err < 0) {
            return err;
        }
        if (rescue_is_fat(buf)) {
            return (int)i + 1;
        }
    }
    return 0;
}

// Is `x` what is left of `y`: erased, or with some bits flipped?
static bool rescue_is_left(const uint8_t *x, const uint8_t *y) {
    return control_uniform(x) || copy_bits(x, y, SDB_SECTOR) <= COPY_NEAR;
}

// Makes FSInfo anew in `s`, counting the free clusters.
static int rescue_fsinfo(const struct sdb_bdev *card, const struct sdb_fatgeo *geo, uint8_t *s) {
    uint32_t count = 0;
    uint32_t at = 0;
    for (uint32_t cluster = 2; cluster <= geo->clusters + 1; cluster++) {
        uint32_t next;
        int err = sdb_fatdir_next(card, geo, s, &at, cluster, &next);
        if (err < 0) {
            return err;
        }
        count += next == 0;
    }
    memset(s, 0, SDB_SECTOR);
    sdb_put32(s, SDB_FSINFO_LEAD);
    sdb_put32(s + SDB_FSINFO_MAGIC_AT, SDB_FSINFO_MAGIC);
    sdb_put32(s + SDB_FSINFO_FREE, count);
    sdb_put32(s + SDB_FSINFO_NEXT, 2);
    sdb_put16(s + CONTROL_SIGNATURE_AT, CONTROL_SIGNATURE);
    return 0;
}

// What else of a volume without MBR lay in the first 4 KiB and has been erased. `boot`: its boot
// sector, `x` 512 bytes.
static int rescue_first(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                        const uint8_t *boot, uint8_t *x) {
    int err = 0;
    uint32_t fsinfo = geo->type == 32 ? sdb_get16(boot + SDB_BOOT_FSINFO) : 0;
    for (uint32_t lba = 1; lba < RESCUE_FIRST && err == 0; lba++) {
        err = control_get(card, lba, x);
        if (err < 0 || !control_uniform(x)) {
            continue;
        }
        const uint8_t *right = NULL;
        if (lba >= geo->fat && lba - geo->fat < geo->fat_sectors && geo->fats == 2) {
            uint8_t was = x[0];
            err = control_get(card, lba + geo->fat_sectors, x);
            right = control_uniform(x) && x[0] == was ? NULL : x;
        } else if (lba < geo->fat && geo->backup != 0 && lba == geo->backup) {
            right = boot;
        } else if (lba < geo->fat && fsinfo != 0 &&
                   (lba == fsinfo || (geo->backup != 0 && lba == geo->backup + fsinfo))) {
            err = rescue_fsinfo(card, geo, x);
            right = x;
        }
        if (err == 0 && right != NULL) {
            err = control_put(card, lba, right);
        }
    }
    return err;
}

// The boot sector of the volume at `start`, the best there is: its own, the copy in the area (0:
// none), FAT32's backup. Returns 1 with it in `x` and *geo, *own if it needs no restoring; 0 or the
// card's error.
static int rescue_boot(const struct sdb_bdev *card, uint32_t start, uint32_t copy,
                       struct sdb_fatgeo *geo, bool *own, uint8_t *x) {
    const uint32_t from[3] = {start, copy, start + BOOT_BACKUP};
    uint8_t *now = x + SDB_SECTOR;
    for (int i = 0; i < 3; i++) {
        if ((i > 0 && from[i] == 0) || from[i] >= card->sectors) {
            continue;
        }
        int err = control_get(card, from[i], x);
        if (err < 0) {
            return err;
        }
        *own = i == 0;
        uint32_t hidden = sdb_get32(x + BOOT_HIDDEN_AT);
        if (sdb_fatgeo_parse(geo, x, start, card->sectors) < 0 ||
            (i == 2 && geo->backup != BOOT_BACKUP) || (i > 0 && hidden != 0 && hidden != start)) {
            continue;
        }
        err = *own ? 0 : control_get(card, start, now);
        if (err < 0 || *own || rescue_is_left(now, x)) {
            return err < 0 ? err : 1;
        }
    }
    return 0;
}

// The boot sector of the volume at `start`. Returns 0 if there is no volume, 1 if it was written, 2
// if it is in order, or the card's error.
static int rescue_partition(const struct sdb_bdev *card, uint32_t start, uint32_t copy,
                            uint8_t *x) {
    struct sdb_fatgeo geo;
    bool own = false;
    int res = rescue_boot(card, start, copy, &geo, &own, x);
    int seen = res == 1 ? sdb_control_sees_fat(card, &geo, x + SDB_SECTOR) : 0;
    if (res < 0 || seen < 0) {
        return res < 0 ? res : seen;
    }
    if (res == 0 || seen == 0) {
        return 0;
    }
    if (!own) {
        res = control_put(card, start, x);
        if (res == 0) {
            res = control_flush(card);
        }
    }
    return res < 0 ? res : own ? 2 : 1;
}

// The area `c` has been found. Returns enum sdb_rescue or the card's error.
static int rescue_from(const struct sdb_bdev *card, const struct sdb_control *c, uint8_t *buf) {
    uint8_t *y = buf;
    uint8_t *x = buf + SDB_SECTOR;
    struct sdb_fatgeo geo;
    struct sdb_control at;
    int err = control_get(card, c->lba + SDB_CONTROL_SECTOR0, y);
    if (err == 0) {
        err = control_get(card, 0, x);
    }
    if (err < 0) {
        return err;
    }
    if (!copy_signed(y) || !sdb_control_pointer(y, card->sectors, &at.lba, &at.sectors) ||
        at.lba != c->lba || at.sectors != c->sectors) {
        return SDB_RESCUE_NONE;
    }
    bool left = rescue_is_left(x, y) && (!rescue_is_empty(x) || rescue_is_empty(y));
    if (!left && rescue_is_table(x, card->sectors)) {
        return SDB_RESCUE_NONE; // somebody has made partitions since
    }
    if (sdb_fatgeo_parse(&geo, y, 0, card->sectors) == 0) {
        int seen = sdb_control_sees_fat(card, &geo, x);
        if (seen <= 0) {
            return seen < 0 ? seen : SDB_RESCUE_LOST;
        }
        err = rescue_first(card, &geo, y, x);
    } else {
        int found = 0;
        for (int i = 0; i < MBR_ENTRIES && found == 0; i++) {
            const uint8_t *entry = copy_partition(y, i);
            uint32_t start = entry[MBR_TYPE] != 0 ? sdb_get32(entry + MBR_START) : 0;
            if (start != 0 && start < card->sectors) {
                found = rescue_partition(card, start, c->lba + SDB_CONTROL_BOOT, y);
                err = found < 0 ? found : control_get(card, c->lba + SDB_CONTROL_SECTOR0, y);
            }
        }
        if (found == 0 && err == 0) {
            return SDB_RESCUE_LOST;
        }
    }
    if (err == 0) {
        err = control_flush(card);
    }
    if (err == 0) {
        err = control_put(card, 0, y);
    }
    if (err == 0) {
        err = control_flush(card);
    }
    return err < 0 ? err : SDB_RESCUE_DONE;
}

// FAT32 that has no area of ours, but its backup of the boot sector.
static int rescue_backup(const struct sdb_bdev *card, uint8_t *buf) {
    int res = rescue_partition(card, 0, 0, buf);
    if (res != 0) {
        return res == 1 ? SDB_RESCUE_DONE : res < 0 ? res : SDB_RESCUE_NONE;
    }
    for (int i = 0; i < MBR_ENTRIES && res == 0; i++) {
        res = control_get(card, 0, buf);
        const uint8_t *entry = copy_partition(buf, i);
        uint32_t start = sdb_get32(entry + MBR_START);
        if (res == 0 && copy_signed(buf) && entry[MBR_TYPE] != 0 && start != 0 &&
            start < card->sectors) {
            res = rescue_partition(card, start, 0, buf);
        }
    }
    return res == 1 ? SDB_RESCUE_DONE : res < 0 ? res : SDB_RESCUE_NONE;
}

// A card that sdboot has formatted and that has no area yet, or none that was found: its MBR
// follows from the boot sector. That may be the last write of the format, torn.
static int rescue_table(const struct sdb_bdev *card, uint8_t *buf) {
    struct sdb_fatgeo geo;
    int res = control_get(card, 0, buf);
    if (res < 0 || rescue_is_table(buf, card->sectors)) {
        return res < 0 ? res : SDB_RESCUE_NONE;
    }
    res = sdb_mkfs_table(card, &geo, buf);
    int seen = res == 1 ? sdb_control_sees_fat(card, &geo, buf + SDB_SECTOR) : 0;
    if (res < 0 || seen <= 0) {
        return res < 0 ? res : seen;
    }
    res = control_put(card, 0, buf);
    res = res < 0 ? res : control_flush(card);
    return res < 0 ? res : SDB_RESCUE_DONE;
}

struct rescue_scan {
    bool any; // something is on the card
    bool fat; // a FAT, or its boot sector
};

// Is there an area at `lba` that puts things right?
static int rescue_at(const struct sdb_bdev *card, uint32_t lba, struct rescue_scan *scan,
                     uint8_t *buf) {
    struct sdb_control c;
    struct sdb_fatgeo geo;
    int err = control_get(card, lba, buf);
    if (err < 0) {
        return err;
    }
    scan->any |= !control_uniform(buf);
    scan->fat |= rescue_is_fat(buf) || sdb_fatgeo_parse(&geo, buf, lba, card->sectors) == 0;
    return sdb_control_ident(buf, lba, &c) && c.version == SDB_CONTROL_VERSION
               ? rescue_from(card, &c, buf)
               : SDB_RESCUE_NONE;
}

// Sectors from `lba` on. Those of the gap are looked at first.
static int rescue_search(const struct sdb_bdev *card, uint32_t lba, struct rescue_scan *scan,
                         uint8_t *buf) {
    const bool near = lba < CONTROL_GAP_END;
    int best = SDB_RESCUE_NONE;
    for (;;) {
        bool far = lba >= CONTROL_GAP_END;
        uint32_t end = near ? CONTROL_GAP_END : scan->fat ? RESCUE_END : RESCUE_FAR;
        if (lba >= end || lba >= card->sectors || (far && !scan->any)) {
            return best; // a blank card must not cost a minute of reading
        }
        int res = rescue_at(card, lba, scan, buf);
        if (res < 0 || res == SDB_RESCUE_DONE) {
            return res;
        }
        best = res > best ? res : best;
        uint32_t step = lba < CONTROL_GAP_NEAR ? 1 : far ? CONTROL_FILE_STEP : CONTROL_GAP_STEP;
        if (lba > UINT32_MAX - step) {
            return best;
        }
        lba += step;
    }
}

int sdb_control_rescue(const struct sdb_bdev *card, uint8_t *buf, uint32_t len) {
    struct sdb_control c;
    if (len < 2 * SDB_SECTOR) {
        return SDB_EINVAL;
    }
    int res = sdb_control_find(card, &c, buf);
    if (res == 0 && c.version == SDB_CONTROL_VERSION) {
        res = rescue_from(card, &c, buf);
    } else {
        res = res == SDB_ENOENT ? SDB_RESCUE_NONE : res;
    }
    struct rescue_scan scan = {false, false};
    int lost = res == SDB_RESCUE_LOST;
    if (res == SDB_RESCUE_NONE) {
        res = rescue_search(card, 1, &scan, buf);
        lost |= res == SDB_RESCUE_LOST;
        res = res == SDB_RESCUE_NONE ? rescue_table(card, buf) : res;
        if (res == SDB_RESCUE_NONE || res == SDB_RESCUE_LOST) {
            res = rescue_search(card, CONTROL_GAP_END, &scan, buf);
            lost |= res == SDB_RESCUE_LOST;
        }
    }
    if (res == SDB_RESCUE_NONE || res == SDB_RESCUE_LOST) {
        res = rescue_backup(card, buf);
        res = res == SDB_RESCUE_NONE && lost ? SDB_RESCUE_LOST : res;
    }
    return res;
}
