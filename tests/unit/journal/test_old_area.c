// SPDX-License-Identifier: MIT
// Control areas of version 1, as sdboot made them before: their commit is replayed, their record
// kept, and a new area takes their place.
#include "control_card.h"
#include "old_ident.h"

// As sdboot made it before: 512 sectors in a gap, or all of a small one, or 64 KiB of a file. With
// a commit of two sectors that has not reached its end.
static void old_area(size_t shape, struct ramdisk *d, struct sdb_control *c, uint32_t home[2]) {
    static struct fatcard_fs fs;
    struct sdb_fatgeo geo;
    uint8_t s[SDB_SECTOR];
    fatcard_format(d, &shapes[shape]);
    memset(c, 0, sizeof *c);
    fatcard_geo(d, &geo);
    c->version = 1;
    if (geo.mbr) {
        c->lba = geo.gap > 256 ? 128 : 1;
        c->sectors = geo.gap > 700 ? 512 : geo.gap;
    } else {
        fatcard_mount(&fs, &d->dev);
        assert_int_equal(fs.fs.mkdir(fs.fs.ctx, "/.sdboot"), 0);
        assert_int_equal(fs.fs.open(fs.fs.ctx, "/.sdboot/journal", 'w'), 0);
        uint32_t first = 100, last = first + (128u >> geo.cluster_shift) - 1;
        for (uint32_t k = first; k <= last; k++) {
            fatcard_set(&d->dev, &geo, k, k < last ? k + 1 : 0x0FFFFFFF);
        }
        uint32_t dir = 2;
        do { // the directory's cluster: it begins with the file's name
            ramdisk_get(d, sdb_fatgeo_lba(&geo, ++dir), s);
        } while (memcmp(s, "JOURNAL ", 8) != 0);
        c->entry_lba = sdb_fatgeo_lba(&geo, dir);
        c->file_first = first;
        c->file_size = 65536;
        sdb_put16(s + 26, first);
        sdb_put32(s + 28, 65536);
        ramdisk_put(d, c->entry_lba, s);
        c->lba = sdb_fatgeo_lba(&geo, first);
        c->sectors = 128;
        if (geo.type == 32) { // its free count
            ramdisk_get(d, geo.start + 1, s);
            sdb_put32(s + 488, sdb_get32(s + 488) - (last - first + 2));
            ramdisk_put(d, geo.start + 1, s);
        }
    }
    old_ident(c, s);
    ramdisk_put(d, c->lba, s);
    ramdisk_get(d, 0, s);
    old_pointer(c, s);
    ramdisk_put(d, 0, s);
    if (!geo.mbr && geo.backup != 0) {
        ramdisk_put(d, geo.backup, s);
    }
    uint32_t slots = c->sectors - 4;
    while (slots + (slots - 1) / 40 > c->sectors - 4) {
        slots--;
    }
    uint8_t h[SDB_SECTOR] = {0};
    memcpy(h, "sdbJ", 4);
    sdb_put32(h + 4, 1);
    sdb_put32(h + 8, c->lba);
    sdb_put32(h + 12, c->sectors);
    sdb_put32(h + 16, 2);
    for (uint32_t k = 0; k < 2; k++) {
        home[k] = sdb_fatgeo_lba(&geo, 10 + k);
        ramdisk_get(d, home[k], s);
        sdb_put32(h + 36 + 12 * k, sdb_crc32(0, s, SDB_SECTOR));
        memset(s, 'A' + (int)k, sizeof s);
        s[77] = FATCARD_BYTE;
        sdb_put32(h + 28 + 12 * k, home[k]);
        sdb_put32(h + 32 + 12 * k, sdb_crc32(0, s, SDB_SECTOR));
        ramdisk_put(d, c->lba + c->sectors - 1 - slots + k, s);
    }
    old_seal(h);
    ramdisk_put(d, c->lba + 2, h);
    struct sdb_control_store slots_of;
    struct sdb_record_store store;
    struct sdb_record r;
    sdb_control_record_store(&slots_of, &d->dev, c, &store);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(sdb_record_load(&store, &r), 0);
        r.left = (uint8_t)(75 + k);
        assert_int_equal(sdb_record_save(&store, &r), 0);
    }
    ramdisk_power_on(d);
}

static void old_taken_over(struct ramdisk *d, const uint32_t home[2]) {
    uint8_t s[SDB_SECTOR];
    assert_int_equal(boot(d), 0);
    assert_int_equal(sdb_volume_why(&volume), 0);
    assert_int_equal(volume.control.version, 2);
    assert_int_equal(record_left(), 77);
    for (uint32_t k = 0; k < 2; k++) {
        ramdisk_get(d, home[k], s);
        assert_int_equal(s[100], 'A' + (int)k);
    }
    check_data(d);
    ramdisk_power_on(d);
    assert_int_equal(boot(d), 0);
    assert_int_equal(d->writes, 0);
}

// Replayed, then replaced, with the power cut at every write; `full`: where there is no room for
// more it is converted where it is.
static void old_cuts(size_t i, bool full) {
    struct ramdisk before, d;
    struct sdb_control c;
    uint32_t home[2];
    old_area(i, &before, &c, home);
    if (full) {
        fatcard_fill(&before, 0);
        fill(&before, 640, shapes[i].start > 640 ? shapes[i].start - 640 : 0, 'x');
    }
    unsigned cuts = 0;
    for (;; cuts++) {
        UNIT_CASE(cuts);
        for (int torn = 0; torn < 2; torn++) {
            UNIT_CASE(torn);
            ramdisk_copy(&d, &before);
            d.cut = true;
            d.cut_at = cuts;
            d.torn = torn;
            bool whole = boot(&d) == 0 && sdb_volume_why(&volume) == 0;
            ramdisk_power_on(&d);
            old_taken_over(&d, home);
            assert_true(full || volume.control.sectors > c.sectors);
            assert_int_equal(full, volume.control.lba == c.lba);
            ramdisk_free(&d);
            if (whole) {
                assert_true(cuts > 5);
                ramdisk_free(&before);
                return;
            }
        }
    }
}

static void test_old_areas(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        old_cuts(i, false);
    }
}

static void test_old_areas_without_room(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        if (shapes[i].start < 2048) {
            old_cuts(i, true);
        }
    }
}

// A PC has written where the commit would go: it is dropped, the area replaced all the same.
static void test_old_foreign(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        struct sdb_control c;
        uint32_t home[2];
        old_area(i, &d, &c, home);
        fill(&d, home[0], 1, FATCARD_BYTE + 1);
        fill(&d, home[1], 1, FATCARD_BYTE + 1);
        assert_int_equal(boot(&d), 0);
        assert_int_equal(sdb_volume_why(&volume), 0);
        assert_int_equal(record_left(), 77);
        uint8_t s[SDB_SECTOR];
        ramdisk_get(&d, home[0], s);
        assert_int_equal(s[100], FATCARD_BYTE + 1);
        ramdisk_free(&d);
    }
}

// Nothing can be written: the record can still be read, and with journal=False nothing is made.
static void test_old_unwanted(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        struct sdb_control c;
        uint32_t home[2];
        old_area(i, &d, &c, home);
        assert_int_equal(sdb_volume_prepare(&make, &volume, &d.dev, false, buf, sizeof buf), 0);
        assert_int_equal(sdb_volume_why(&volume), SDB_ECANCELED);
        assert_int_equal(record_left(), 77);
        assert_int_equal(volume.control.lba, c.lba);
        ramdisk_power_on(&d);
        d.read_only = true; // the commit is in place
        assert_int_equal(boot(&d), 0);
        assert_int_equal(record_left(), 77);
        assert_true(sdb_volume_why(&volume) < 0);
        assert_int_equal(d.written_sectors, 0);
        ramdisk_power_on(&d);
        old_taken_over(&d, home);
        ramdisk_free(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_areas),
        cmocka_unit_test(test_old_areas_without_room),
        cmocka_unit_test(test_old_foreign),
        cmocka_unit_test(test_old_unwanted),
    };
    return cmocka_run_group_tests_name("old_area", tests, NULL, NULL);
}
