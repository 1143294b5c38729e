// SPDX-License-Identifier: MIT
// Cards whose first sectors are damaged, or changed by a PC: what is put back, and what stands.
#include "control_card.h"

#include "core/bytes.h"
#include "core/crc32.h"

// Any bit of sector 0 and of the boot sector.
static void test_flipped_bits(void **state) {
    (void)state;
    const uint32_t every = unit_every(5); // so each bit of a byte comes in five bytes
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct used card;
        uint8_t right[SDB_SECTOR], s[SDB_SECTOR];
        unsigned count = 0;
        in_use(i, &card);
        for (int which = 0; which <= (card.geo.mbr ? 1 : 0); which++) {
            const uint32_t lba = which ? card.geo.start : 0;
            ramdisk_get(&card.d, lba, right);
            for (uint32_t bit = 0; bit < 8 * SDB_SECTOR; bit += every) {
                UNIT_CASE(bit);
                memcpy(s, right, sizeof s);
                s[bit / 8] ^= (uint8_t)(1u << bit % 8);
                ramdisk_put(&card.d, lba, s);
                count += works(&card.d, &card);
                ramdisk_get(&card.d, lba, s);
                if (memcmp(s, right, sizeof s) != 0) { // it did not matter: the copy has followed
                    ramdisk_put(&card.d, lba, right);
                    works(&card.d, &card);
                }
            }
        }
        assert_true(count > 8 * 30 / every); // all bits of what leads to the files
        check_data(&card.d);
        ramdisk_free(&card.d);
    }
}

// Erased: sector 0, the first 4 KiB, the boot sector. Half of it, and garbage in sector 0.
static void test_erased(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct used before;
        struct ramdisk d;
        in_use(i, &before);
        const struct sdb_fatgeo *geo = &before.geo;
        for (int how = 0; how < 8; how++) {
            UNIT_CASE(how);
            uint8_t s[SDB_SECTOR];
            const int value = how % 2 ? 0xFF : 0;
            bool hopeless = false;
            ramdisk_copy(&d, &before.d);
            if (how < 2) {
                fill(&d, 0, 1, value);
            } else if (how < 4) {
                fill(&d, 0, 8, value);
                hopeless = geo->start == 0 && geo->fats == 1 && geo->type == 16;
            } else if (how < 6) {
                fill(&d, geo->start, 1, value);
            } else {
                ramdisk_get(&d, 0, s);
                for (uint32_t k = how == 6 ? 0 : 256; k < SDB_SECTOR; k++) {
                    s[k] = (uint8_t)sdb_crc32(k, s, k);
                }
                ramdisk_put(&d, 0, s);
            }
            if (hopeless) {
                assert_int_equal(boot(&d), SDB_ENOENT);
                assert_int_equal(sdb_control_rescue(&d.dev, buf, sizeof buf), SDB_RESCUE_LOST);
                assert_int_equal(d.writes, 0);
            } else {
                works(&d, &before);
                check_data(&d);
                // Both FATs are whole.
                for (uint32_t fat = 0; fat < geo->fats; fat++) {
                    for (uint32_t k = 0; k < 8; k++) {
                        uint8_t t[SDB_SECTOR];
                        ramdisk_get(&d, geo->fat + fat * geo->fat_sectors + k, s);
                        ramdisk_get(&before.d, geo->fat + k, t);
                        assert_memory_equal(s, t, SDB_SECTOR);
                    }
                }
            }
            ramdisk_free(&d);
        }
        ramdisk_free(&before.d);
    }
}

// Power fails while it is put right.
static void test_repair_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct used before;
        struct ramdisk d;
        in_use(i, &before);
        const struct sdb_fatgeo *geo = &before.geo;
        if (geo->start == 0 && geo->fats == 1) {
            fill(&before.d, 0, 1, 0);
        } else {
            fill(&before.d, 0, 8, 0xFF);
        }
        for (uint64_t cut = 0;; cut++) {
            UNIT_CASE(cut);
            ramdisk_copy(&d, &before.d);
            d.cut = true;
            d.cut_at = cut;
            bool whole = boot(&d) == 0;
            ramdisk_power_on(&d);
            works(&d, &before);
            ramdisk_free(&d);
            if (whole) {
                break;
            }
        }
        ramdisk_free(&before.d);
    }
}

// What a PC does to the first sectors stands, and the copies follow.
static void test_changed_on_a_pc(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct used before;
        struct ramdisk d;
        in_use(i, &before);
        const struct sdb_fatgeo *geo = &before.geo;
        uint32_t tail = geo->type == 32 ? 64 : 36;
        for (int how = 0; how < 5; how++) {
            UNIT_CASE(how);
            uint8_t s[SDB_SECTOR], now[SDB_SECTOR], mbr[SDB_SECTOR];
            ramdisk_copy(&d, &before.d);
            ramdisk_get(&d, geo->start, s);
            ramdisk_get(&d, 0, mbr);
            if (how == 0) {
                s[tail + 1] ^= 1; // not cleanly unmounted
            } else if (how == 1) {
                memcpy(s + tail + 7, "NEW NAME   ", 11);
            } else if (how == 2) { // another serial number, one root entry more or less of them
                sdb_put32(s + tail + 3, 0x87654321);
                memcpy(s + 3, "mkfs.fat", 8);
            } else if (how == 3) { // shorter by 64 clusters: the backup says the same
                sdb_put32(s + 32, geo->sectors - (64u << geo->cluster_shift));
                sdb_put32(s + tail + 3, 0x87654321);
                if (geo->backup != 0) {
                    ramdisk_put(&d, geo->start + geo->backup, s);
                }
            } else if (geo->mbr) { // a second partition
                memcpy(mbr + 462, "\x00\xFE\xFF\xFF\x83\xFE\xFF\xFF", 8);
                sdb_put32(mbr + 470, d.dev.sectors - 100);
                sdb_put32(mbr + 474, 100);
                ramdisk_put(&d, 0, mbr);
            }
            ramdisk_put(&d, geo->start, s);
            assert_int_equal(boot(&d), 0);
            assert_false(restored);
            assert_int_equal(sdb_volume_why(&volume), 0);
            assert_int_equal(volume.control.lba, before.area.lba);
            assert_int_equal(record_left(), 77);
            ramdisk_get(&d, geo->start, now);
            assert_memory_equal(now, s, SDB_SECTOR);
            ramdisk_power_on(&d);
            assert_int_equal(boot(&d), 0);
            assert_int_equal(d.writes, 0);
            // From now on this is what is put back.
            fill(&d, 0, 1, 0);
            assert_int_equal(boot(&d), 0);
            assert_true(restored);
            ramdisk_get(&d, geo->start, now);
            assert_memory_equal(now, s, SDB_SECTOR);
            ramdisk_free(&d);
        }
        ramdisk_free(&before.d);
    }
}

// Partitions deleted or made anew on a PC, or another filesystem: nothing is put back.
static void test_given_up_on_a_pc(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct used before;
        struct ramdisk d;
        uint8_t s[SDB_SECTOR];
        in_use(i, &before);
        for (int how = 0; how < 3; how++) {
            UNIT_CASE(how);
            ramdisk_copy(&d, &before.d);
            ramdisk_get(&d, 0, s);
            memset(s + 446, 0, 64);
            memset(s, 0, 384);
            if (how > 0) {
                memcpy(s + 446, "\x00\xFE\xFF\xFF\x83\xFE\xFF\xFF", 8);
                sdb_put32(s + 454, 4096);
                sdb_put32(s + 458, 4096);
            }
            if (how == 2) {
                memset(s + 384, 0, 16);
            }
            sdb_put16(s + 510, 0xAA55);
            ramdisk_put(&d, 0, s);
            assert_int_equal(boot(&d), SDB_ENOENT);
            assert_int_equal(d.writes, 0);
            ramdisk_free(&d);
        }
        ramdisk_free(&before.d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flipped_bits),     cmocka_unit_test(test_erased),
        cmocka_unit_test(test_repair_cut),       cmocka_unit_test(test_changed_on_a_pc),
        cmocka_unit_test(test_given_up_on_a_pc),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
