// SPDX-License-Identifier: MIT
// An area that the pointer in sector 0 does not lead to: because sector 0 was written anew, or
// because power failed while the area was moved.
#include <string.h>

#include "core/error.h"
#include "core/journal/control_disk.h"
#include "core/journal/control_file.h"

#define SEARCH_CLUSTERS 512u // of the file's chain that are looked at

// Is there an area of ours at `lba`? Returns 0 with *c, SDB_ENOENT or the card's error.
static int search_at(const struct sdb_bdev *card, const struct sdb_fatgeo *geo, uint32_t lba,
                     struct sdb_control *c, uint8_t *buf) {
    struct sdb_control found = {0};
    if (lba >= card->sectors) {
        return SDB_ENOENT;
    }
    int err = control_get(card, lba, buf);
    if (err == 0) {
        err = sdb_control_ident(buf, lba, &found) ? 0 : SDB_ENOENT;
    }
    if (err == 0) {
        err = sdb_control_verify(card, geo, &found, buf);
    }
    // While an area is replaced there are two, which say the same.
    if (err == 0 && found.version > c->version) {
        *c = found;
    }
    return err == SDB_ENOENT ? 0 : err;
}

static int search_gap(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                      struct sdb_control *c, uint8_t *buf) {
    int err = 0;
    for (uint32_t lba = 1; geo->mbr && lba <= geo->gap && lba < CONTROL_GAP_END && err == 0 &&
                           c->version < SDB_CONTROL_VERSION;
         lba += lba < CONTROL_GAP_NEAR ? 1 : CONTROL_GAP_STEP) {
        err = search_at(card, geo, lba, c, buf);
    }
    return err;
}

// In the file: version 2 begins at its first sector of a round number, version 1 at a cluster.
static int search_file(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                       struct sdb_control *c, uint8_t *buf) {
    struct sdb_fatdir entry;
    int err = sdb_control_find_file(card, geo, &entry, buf);
    if (err < 0 || entry.first < 2 || entry.first > geo->clusters + 1) {
        return err == SDB_ENOENT || err == 0 ? 0 : err;
    }
    uint32_t lba = sdb_fatgeo_lba(geo, entry.first);
    err =
        search_at(card, geo, lba + (CONTROL_FILE_STEP - 1 - (lba - 1) % CONTROL_FILE_STEP), c, buf);
    uint32_t cluster = entry.first;
    for (uint32_t n = 0; err == 0 && n < SEARCH_CLUSTERS && c->version == 0; n++) {
        uint32_t at = 0; // search_at() has used buf
        err = search_at(card, geo, sdb_fatgeo_lba(geo, cluster), c, buf);
        if (err == 0) {
            err = sdb_fatdir_next(card, geo, buf, &at, cluster, &cluster);
        }
        if (err == 0 && (cluster < 2 || cluster > geo->clusters + 1)) {
            break;
        }
    }
    return err == SDB_ENOENT ? 0 : err;
}

// The pointer leads to an area, as its copy of sector 0 says too, but the identity is gone.
static int search_target(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                         struct sdb_control *c, uint8_t *buf) {
    struct sdb_control at = {.version = SDB_CONTROL_VERSION};
    struct sdb_control copy = {0};
    struct sdb_fatdir entry;
    int err = control_get(card, 0, buf);
    if (err < 0 || !sdb_control_pointer(buf, card->sectors, &at.lba, &at.sectors)) {
        return err;
    }
    err = control_get(card, at.lba + SDB_CONTROL_SECTOR0, buf);
    if (err < 0 || !sdb_control_pointer(buf, card->sectors, &copy.lba, &copy.sectors) ||
        copy.lba != at.lba || copy.sectors != at.sectors) {
        return err;
    }
    if (sdb_fatgeo_cluster(geo, at.lba) != 0) {
        err = sdb_control_find_file(card, geo, &entry, buf);
        at.entry_lba = entry.lba;
        at.entry_at = entry.at;
        at.file_first = entry.first;
        at.file_size = entry.size;
    }
    if (err == 0) {
        err = sdb_control_verify(card, geo, &at, buf);
    }
    if (err == 0) {
        at.wanted = at.sectors;
        err = sdb_control_write_ident(card, &at, buf);
    }
    if (err == 0) {
        err = control_flush(card);
    }
    if (err == 0) {
        *c = at;
    }
    return err == SDB_ENOENT ? 0 : err;
}

int sdb_control_search(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                       struct sdb_control *c, uint8_t *buf) {
    struct sdb_control at;
    memset(c, 0, sizeof *c);
    int err = sdb_control_find(card, &at, buf);
    if (err == SDB_ENOENT && at.lba != 0) {
        err = search_target(card, geo, c, buf);
    }
    if (err < 0 && err != SDB_ENOENT) {
        return err;
    }
    err = search_gap(card, geo, c, buf);
    if (err == 0 && geo->safe && c->version < SDB_CONTROL_VERSION) {
        err = search_file(card, geo, c, buf);
    }
    return err < 0 ? err : c->version == 0 ? SDB_ENOENT : 0;
}
