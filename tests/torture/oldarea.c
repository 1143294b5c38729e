// SPDX-License-Identifier: MIT
#include "oldarea.h"

#include <stdio.h>
#include <string.h>

#include "core/journal/control_file.h"
#include "scenario.h"
#include "tests/unit/journal/old_ident.h"

#define OLD_FILE_SECTORS 128u

int old_area_file(struct env *e) {
    if (e->vol->layout != LAYOUT_SUPERFLOPPY) {
        return 0;
    }
    int err = e->engine_fs.mkdir(e->engine_fs.ctx, "/.sdboot");
    return err < 0 ? err : put_file(e, "/.sdboot/journal", 9, OLD_FILE_SECTORS * 512, 4096);
}

uint64_t old_area_make(const struct volume *vol, struct image *img) {
    static const uint8_t zero[512];
    struct ramdev dev;
    struct sdb_bdev card;
    struct sdb_fatgeo geo;
    struct sdb_fatdir entry;
    struct sdb_control_store slots;
    struct sdb_record_store store;
    struct sdb_record r;
    struct sdb_control c = {.version = 1};
    uint8_t s[512];
    ramdev_init(&dev, img, vol->sectors);
    ramdev_bdev(&dev, &card);
    if (sdb_fatgeo_read(&geo, &card, s) < 0) {
        return 0;
    }
    if (geo.mbr) {
        c.lba = vol->layout == LAYOUT_GAP ? 128 : 1;
        c.sectors = vol->layout == LAYOUT_GAP ? 512 : geo.gap;
    } else {
        if (sdb_control_find_file(&card, &geo, &entry, s) < 0) {
            return 0;
        }
        c.lba = sdb_fatgeo_lba(&geo, entry.first);
        c.sectors = OLD_FILE_SECTORS;
        c.entry_lba = entry.lba;
        c.entry_at = entry.at;
        c.file_first = entry.first;
        c.file_size = entry.size;
    }
    for (uint32_t i = 0; i < c.sectors; i++) {
        image_set(img, c.lba + i, blob_get(zero));
    }
    old_ident(&c, s);
    image_set(img, c.lba, blob_get(s));
    memcpy(s, image_get(img, 0)->data, 512);
    old_pointer(&c, s);
    image_set(img, 0, blob_get(s));
    if (!geo.mbr && geo.backup != 0) {
        image_set(img, geo.backup, blob_get(s));
    }
    sdb_control_record_store(&slots, &card, &c, &store);
    for (int i = 0; i < 3; i++) {
        if (sdb_record_load(&store, &r) < 0) {
            return 0;
        }
        r.state = SDB_TRIAL;
        r.left = (uint8_t)(3 - i);
        snprintf(r.version, sizeof r.version, "1.%d.0", i);
        if (sdb_record_save(&store, &r) < 0) {
            return 0;
        }
    }
    return env_record_digest(&store);
}
