// SPDX-License-Identifier: MIT
// Cards of all shapes with a control area on them, and how a board boots from them.
#ifndef SDB_CONTROL_CARD_H
#define SDB_CONTROL_CARD_H

#include "core/error.h"
#include "core/journal/volume_make.h"
#include "core/release/record.h"
#include "fatcard.h"
#include "unit.h"

static uint8_t buf[4096];
static struct sdb_volume volume;
static struct sdb_volume_make make;

static const struct fatcard shapes[] = {
    {"fat16 superfloppy", 0, 1, 16, 1, 4},  {"fat16 superfloppy, two FATs", 0, 1, 16, 2, 4},
    {"fat32 superfloppy", 0, 32, 32, 2, 1}, {"fat16 at 63", 63, 4, 16, 2, 4},
    {"fat32 at 63", 63, 32, 32, 1, 1},      {"fat16 at 2048", 2048, 1, 16, 1, 4},
    {"fat32 at 8192", 8192, 32, 32, 2, 1},
};

static inline void put_file(void) {
    static struct fatcard_fs fs;
    struct sdb_bdev view;
    int err = sdb_volume_begin_file(&make, &volume, buf, sizeof buf);
    if (err == 0) {
        sdb_volume_bdev(&volume, &view);
        fatcard_mount(&fs, &view);
        err = sdb_volume_make_file(&make, &volume, &fs.fs, buf);
    }
    if (err < 0) {
        sdb_volume_make_last(&make, &volume, buf);
    }
}

static bool restored; // the last boot has said so
static unsigned taken_over;

// What micropython/sdboot/card.py does at power-on. Returns 0 or why nothing can be mounted.
static inline int boot(struct ramdisk *d) {
    restored = false;
    taken_over = 0;
    int err = sdb_volume_open(&volume, &d->dev, true, buf);
    if (err == 0 && sdb_volume_why(&volume) == 0 && !sdb_volume_needs_care(&volume)) {
        return 0;
    }
    for (int again = 0; again < 2; again++) {
        err = sdb_volume_prepare(&make, &volume, &d->dev, true, buf, sizeof buf);
        if (err != SDB_ENOENT || again > 0) {
            break;
        }
        int res = sdb_control_rescue(&d->dev, buf, sizeof buf);
        if (res != SDB_RESCUE_DONE) {
            return res < 0 ? res : SDB_ENOENT;
        }
        restored = true;
    }
    if (err == 0 && sdb_volume_why(&volume) == SDB_ENOSPC) {
        put_file();
    }
    restored |= (make.done & SDB_MADE_RESTORED) != 0;
    taken_over = make.done & SDB_MADE_REPLACED;
    if (err == 0) {
        err = sdb_volume_open(&volume, &d->dev, true, buf);
    }
    return err;
}

static inline void save_record(uint8_t left) {
    struct sdb_record_store store;
    struct sdb_record r;
    sdb_volume_store(&volume, &store);
    assert_int_equal(sdb_record_load(&store, &r), 0);
    r.left = left;
    r.state = SDB_TRIAL;
    assert_int_equal(sdb_record_save(&store, &r), 0);
}

static inline int record_left(void) {
    struct sdb_record_store store;
    struct sdb_record r;
    assert_true(sdb_volume_has_record(&volume));
    sdb_volume_store(&volume, &store);
    assert_int_equal(sdb_record_load(&store, &r), 0);
    return r.left;
}

// The user's clusters are what they were.
static inline void check_data(struct ramdisk *d) {
    struct sdb_fatgeo geo;
    uint8_t s[SDB_SECTOR];
    fatcard_geo(d, &geo);
    for (uint32_t i = 3; i < 3 + FATCARD_USED; i++) {
        ramdisk_get(d, sdb_fatgeo_lba(&geo, i), s);
        assert_int_equal(s[77], FATCARD_BYTE);
    }
}

// A card in use, with an area and a record, as it was before something happens to it.
struct used {
    struct ramdisk d;
    struct sdb_control area;
    struct sdb_fatgeo geo;
};

static inline void in_use(size_t shape, struct used *u) {
    fatcard_format(&u->d, &shapes[shape]);
    assert_int_equal(boot(&u->d), 0);
    assert_int_equal(sdb_volume_why(&volume), 0);
    save_record(77);
    ramdisk_power_on(&u->d);
    u->area = volume.control;
    fatcard_geo(&u->d, &u->geo);
}

// The card works as it did, with its area and its record; after that there is nothing to be done.
// Returns whether something was said to be restored.
static inline bool works(struct ramdisk *d, const struct used *before) {
    struct sdb_fatgeo now;
    assert_int_equal(boot(d), 0);
    bool said = restored;
    assert_int_equal(sdb_volume_why(&volume), 0);
    assert_int_equal(volume.control.lba, before->area.lba);
    assert_int_equal(volume.control.sectors, before->area.sectors);
    assert_int_equal(record_left(), 77);
    fatcard_geo(d, &now);
    assert_memory_equal(&now, &before->geo, sizeof now);
    ramdisk_power_on(d);
    assert_int_equal(boot(d), 0);
    assert_false(restored);
    assert_int_equal(d->writes, 0);
    return said;
}

static inline void fill(struct ramdisk *d, uint32_t lba, uint32_t count, int value) {
    uint8_t s[SDB_SECTOR];
    memset(s, value, sizeof s);
    for (uint32_t i = 0; i < count; i++) {
        ramdisk_put(d, lba + i, s);
    }
}

#endif
