// SPDX-License-Identifier: MIT
// Where a new control area goes: the longest free run in the gap behind the MBR, or free clusters
// in one piece for a file.
#include <string.h>

#include "core/error.h"
#include "core/journal/control_disk.h"

struct place_gap {
    const struct sdb_control *keep;
    struct sdb_control ours; // an area that has been come across
    uint32_t step;           // an area begins at multiples of this
    uint32_t run;            // sectors of the run in hand
};

static bool place_in(uint32_t lba, const struct sdb_control *c) {
    return c != NULL && lba - c->lba < c->sectors;
}

// May the sector `lba`, whose content is at `s`, be written over?
static bool place_is_free(struct place_gap *p, uint32_t lba, const uint8_t *s) {
    struct sdb_control found;
    if (place_in(lba, p->keep)) {
        return false;
    }
    if (sdb_control_ident(s, lba, &found)) {
        p->ours = found;
    }
    return place_in(lba, &p->ours) || (s[0] == 0 && control_uniform(s));
}

int sdb_control_find_gap(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                         const struct sdb_control *keep, struct sdb_control *c, uint8_t *buf,
                         uint32_t len) {
    struct place_gap p = {.keep = keep, .step = geo->gap < CONTROL_GAP_NEAR ? 1 : CONTROL_GAP_STEP};
    uint32_t end = geo->gap < CONTROL_GAP_END ? geo->gap : CONTROL_GAP_END - 1;
    memset(c, 0, sizeof *c);
    if (sdb_control_gap_size(geo) == 0 || end >= card->sectors) {
        return SDB_ENOSPC;
    }
    // Keep away from the erase block that sector 0 is in, unless there is room nowhere else.
    for (uint32_t from = sdb_control_gap_from(geo); c->sectors < SDB_CONTROL_MIN; from = p.step) {
        p.run = 0;
        for (uint32_t lba = from; lba <= end && c->sectors < SDB_CONTROL_MAX;) {
            uint32_t n = end + 1 - lba < len / SDB_SECTOR ? end + 1 - lba : len / SDB_SECTOR;
            int err = card->read(card->ctx, lba, n, buf);
            if (err < 0) {
                return err;
            }
            for (uint32_t i = 0; i < n; i++, lba++) {
                bool is_free = place_is_free(&p, lba, buf + i * SDB_SECTOR);
                p.run = is_free && (p.run > 0 || lba % p.step == 0) ? p.run + 1 : 0;
                if (p.run > c->sectors && c->sectors < SDB_CONTROL_MAX) {
                    c->sectors = p.run;
                    c->lba = lba + 1 - p.run;
                }
            }
        }
        if (from == p.step) {
            break;
        }
    }
    return c->sectors >= SDB_CONTROL_MIN ? 0 : SDB_ENOSPC;
}

// `run` free clusters end before cluster `end`: is that the best place so far?
static void place_consider(const struct sdb_fatgeo *geo, uint32_t end, uint32_t run,
                           struct sdb_control *c) {
    uint32_t first = sdb_fatgeo_lba(geo, end - run);
    uint32_t after = first + (run << geo->cluster_shift);
    uint32_t lba = (first + CONTROL_FILE_STEP - 1) / CONTROL_FILE_STEP * CONTROL_FILE_STEP;
    if (run > 0 && lba >= first && lba < after && after - lba > c->sectors) {
        c->lba = lba;
        c->sectors = after - lba;
    }
}

int sdb_control_find_free(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                          struct sdb_control *c, uint8_t *buf, uint32_t len) {
    const uint32_t want = sdb_control_file_size(geo);
    const uint32_t per = geo->type == 16 ? 256 : 128;
    uint32_t run = 0;
    memset(c, 0, sizeof *c);
    if (want == 0) {
        return SDB_ENOSPC;
    }
    for (uint32_t cluster = 0; cluster <= geo->clusters + 1 && c->sectors < want;) {
        uint32_t lba = sdb_fatgeo_entry_lba(geo, cluster);
        uint32_t n = geo->fat + geo->fat_sectors - lba;
        n = n < len / SDB_SECTOR ? n : len / SDB_SECTOR;
        int err = card->read(card->ctx, lba, n, buf);
        if (err < 0) {
            return err;
        }
        for (uint32_t i = 0; i < n * per && cluster <= geo->clusters + 1; i++, cluster++) {
            const uint8_t *sector = buf + i / per * SDB_SECTOR;
            if (cluster >= 2 && sdb_fatgeo_entry(geo, sector, cluster) == 0) {
                run++;
                continue;
            }
            place_consider(geo, cluster, run, c);
            run = 0;
        }
        place_consider(geo, cluster, run, c);
    }
    // A card that is nearly full keeps half of what is left.
    uint32_t most = c->sectors >= want ? want : c->sectors / 2;
    if (c->sectors < SDB_CONTROL_FILE_MIN) {
        return SDB_ENOSPC;
    }
    c->sectors = most < SDB_CONTROL_FILE_MIN ? SDB_CONTROL_FILE_MIN : most;
    c->file_first = sdb_fatgeo_cluster(geo, c->lba);
    c->file_size = (c->lba + c->sectors - sdb_fatgeo_lba(geo, c->file_first)) * SDB_SECTOR;
    return 0;
}
