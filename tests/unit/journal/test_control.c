// SPDX-License-Identifier: MIT
// The control area: where it goes, and how it is found again.
#include "control_card.h"

static void test_places(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        fatcard_format(&d, &shapes[i]);
        assert_int_equal(boot(&d), 0);
        assert_int_equal(sdb_volume_why(&volume), 0);
        bool gap = shapes[i].start >= 2048;
        const struct sdb_control *c = &volume.control;
        assert_int_equal(c->entry_lba == 0, gap);
        assert_int_equal(c->lba % (gap ? 32 : 1024), 0);
        assert_true(c->sectors >= (gap ? shapes[i].start - 128 : 512));
        check_data(&d);
        for (int again = 0; again < 2; again++) {
            ramdisk_power_on(&d);
            assert_int_equal(boot(&d), 0);
            assert_false(restored);
            assert_int_equal(d.writes, 0);
            assert_true(d.reads < 16);
        }
        // Every copy is there.
        uint8_t a[SDB_SECTOR], b[SDB_SECTOR];
        ramdisk_get(&d, 0, a);
        ramdisk_get(&d, c->lba + SDB_CONTROL_SECTOR0, b);
        assert_memory_equal(a, b, SDB_SECTOR);
        if (shapes[i].start != 0) {
            ramdisk_get(&d, shapes[i].start, a);
            ramdisk_get(&d, c->lba + SDB_CONTROL_BOOT, b);
            assert_memory_equal(a, b, SDB_SECTOR);
        }
        ramdisk_free(&d);
    }
}

// The pointer or the identity is gone, the rest is there: found again, with the record.
static void test_lost_pointer(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        for (int how = 0; how < 2; how++) {
            UNIT_CASE(how);
            struct used card;
            uint8_t s[SDB_SECTOR];
            in_use(i, &card);
            if (how == 0) {
                ramdisk_get(&card.d, 0, s);
                memset(s + 384, 0x90, 16);
                ramdisk_put(&card.d, 0, s);
            } else {
                ramdisk_get(&card.d, card.area.lba, s);
                s[100] ^= 4;
                ramdisk_put(&card.d, card.area.lba, s);
            }
            works(&card.d, &card);
            check_data(&card.d);
            ramdisk_free(&card.d);
        }
    }
}

// An area that is much smaller than it would be made now, in a gap that has grown.
static void test_small_area(void **state) {
    (void)state;
    struct used card;
    struct ramdisk *d = &card.d;
    uint8_t s[SDB_SECTOR];
    in_use(6, &card);
    struct sdb_control area = card.area, small = area;
    small.sectors = small.wanted = 256;
    assert_int_equal(sdb_control_make(&d->dev, &card.geo, &small, &area, s), 0);
    // The record's second slot is where it was not before.
    ramdisk_get(d, area.lba + area.sectors - 1, s);
    ramdisk_put(d, small.lba + small.sectors - 1, s);
    fill(d, area.lba + area.sectors - 1, 1, 0);
    ramdisk_power_on(d);
    assert_int_equal(boot(d), 0);
    assert_true(taken_over);
    assert_int_equal(sdb_volume_why(&volume), 0);
    assert_true(volume.control.sectors > 7000);
    assert_int_equal(record_left(), 77);
    ramdisk_power_on(d);
    assert_int_equal(boot(d), 0);
    assert_int_equal(d->writes, 0);
    ramdisk_free(d);
}

// An identity that says its area goes on behind the last cluster.
static void test_behind_the_last_cluster(void **state) {
    (void)state;
    struct used card;
    in_use(0, &card);
    struct ramdisk *d = &card.d;
    struct sdb_fatgeo geo = card.geo;
    struct sdb_control c = card.area;
    assert_int_equal(sdb_control_verify(&d->dev, &geo, &c, buf), 0);
    c.sectors = d->dev.sectors - c.lba;
    assert_int_equal(sdb_control_verify(&d->dev, &geo, &c, buf), SDB_ENOENT);
    geo.clusters = sdb_fatgeo_cluster(&geo, c.lba) - 1; // the volume has been made shorter
    c.sectors = card.area.sectors;
    assert_int_equal(sdb_control_verify(&d->dev, &geo, &c, buf), SDB_ENOENT);
    ramdisk_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_lost_pointer),
        cmocka_unit_test(test_small_area),
        cmocka_unit_test(test_behind_the_last_cluster),
    };
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
