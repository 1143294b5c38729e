// SPDX-License-Identifier: MIT
// What FatFs mounts and what it does not, on the borders of its checks (ff.c, find_volume); and how
// far the gap before the first partition reaches.
#include "unit.h"
#include "core/bytes.h"
#include "core/error.h"
#include "core/card/fatgeo.h"
#include "ramdisk.h"

static void boot_sector(uint8_t *s, uint32_t clusters, uint32_t fat_sectors, bool fat32) {
    memset(s, 0, SDB_SECTOR);
    s[0] = 0xeb;
    sdb_put16(s + 11, SDB_SECTOR);
    s[13] = 1;
    sdb_put16(s + 14, 32);
    s[16] = 1;
    sdb_put16(s + 17, fat32 ? 0 : 512);
    sdb_put32(s + 32, 32 + fat_sectors + (fat32 ? 0 : 32) + clusters);
    if (fat32) {
        sdb_put32(s + 36, fat_sectors);
        sdb_put32(s + 44, 2);
        memcpy(s + 82, "FAT32   ", 8);
    } else {
        sdb_put16(s + 22, fat_sectors);
        memcpy(s + 54, "FAT     ", 8);
    }
    sdb_put16(s + 510, 0xaa55);
}

// Bytes of a FAT, as FatFs counts them.
static uint32_t fatfs_bytes(uint32_t clusters) {
    uint32_t entries = clusters + 2;
    return clusters > 65525  ? entries * 4
           : clusters > 4085 ? entries * 2
                             : entries * 3 / 2 + (entries & 1);
}

// Every FAT12, and FAT16 and FAT32 about their borders: the shortest FAT that FatFs takes is taken,
// one sector less is not.
static void test_length_of_fat(void **state) {
    (void)state;
    for (uint32_t clusters = 1; clusters < 66100; clusters++) {
        if (clusters == 4300) {
            clusters = 65300;
        }
        UNIT_CASE(clusters);
        uint8_t s[SDB_SECTOR];
        struct sdb_fatgeo geo;
        uint32_t needed = (fatfs_bytes(clusters) + 511) / 512;
        bool fat32 = clusters > 65525;
        boot_sector(s, clusters, needed, fat32);
        assert_int_equal(sdb_fatgeo_parse(&geo, s, 100, 1000000), 0);
        assert_int_equal(geo.clusters, clusters);
        assert_int_equal(geo.type, fat32 ? 32 : clusters > 4085 ? 16 : 12);
        boot_sector(s, clusters, needed - 1, fat32);
        if (needed > 1) {
            assert_int_equal(sdb_fatgeo_parse(&geo, s, 100, 1000000), SDB_ENOENT);
        }
        // FAT32's layout with fewer clusters, and FAT16's with more, are none.
        boot_sector(s, clusters, needed, !fat32);
        assert_int_equal(sdb_fatgeo_parse(&geo, s, 100, 1000000), SDB_ENOENT);
    }
}

// The longest volumes that 32 bits can hold.
static void test_huge(void **state) {
    (void)state;
    const uint32_t starts[] = {0, 2048, 8192, 0x7fffffff};
    for (size_t i = 0; i < COUNT(starts); i++) {
        UNIT_CASE(starts[i]);
        uint8_t s[SDB_SECTOR];
        struct sdb_fatgeo geo;
        uint32_t sectors = 0xffffffff - starts[i];
        boot_sector(s, 1, 0x80000, true);
        s[13] = 128;
        sdb_put32(s + 32, sectors);
        assert_int_equal(sdb_fatgeo_parse(&geo, s, starts[i], 0xffffffff), 0);
        assert_true(geo.safe);
        uint32_t last = geo.clusters + 1;
        uint32_t lba = sdb_fatgeo_lba(&geo, last);
        assert_true(lba >= geo.data && lba <= 0xffffffff - 128);
        assert_int_equal(sdb_fatgeo_cluster(&geo, lba + 127), last);
        sdb_put32(s + 32, 0xffffffff); // longer than the card, and past 32 bits
        assert_int_equal(sdb_fatgeo_parse(&geo, s, starts[i] + 1, 0xffffffff), SDB_ENOENT);
    }
}

static void partition(struct ramdisk *d, int i, uint8_t type, uint32_t start) {
    uint8_t entry[16] = {0};
    entry[4] = type;
    sdb_put32(entry + 8, start);
    sdb_put32(entry + 12, 100);
    ramdisk_poke(d, 446 + 16u * (unsigned)i, entry, 16);
    ramdisk_poke(d, 510, "\x55\xaa", 2);
}

// FatFs takes the first partition with a boot sector, good or not; the gap ends where anything
// begins, also a partition of type 0.
static void test_partitions(void **state) {
    (void)state;
    uint8_t s[SDB_SECTOR], buf[SDB_SECTOR];
    struct sdb_fatgeo geo;
    struct ramdisk d;
    ramdisk_init(&d, 100000, 0);
    boot_sector(s, 5000, 20, false);
    ramdisk_put(&d, 8192, s);
    ramdisk_put(&d, 50000, s);
    partition(&d, 1, 0x0e, 50000);
    partition(&d, 3, 0x0e, 8192);
    assert_int_equal(sdb_fatgeo_read(&geo, &d.dev, buf), 0);
    assert_int_equal(geo.start, 50000);
    assert_int_equal(geo.gap, 8191);
    partition(&d, 1, 0, 50000); // skipped
    assert_int_equal(sdb_fatgeo_read(&geo, &d.dev, buf), 0);
    assert_int_equal(geo.start, 8192);
    partition(&d, 0, 0, 3000);
    assert_int_equal(sdb_fatgeo_read(&geo, &d.dev, buf), 0);
    assert_int_equal(geo.gap, 2999);
    partition(&d, 0, 0xee, 1); // a hybrid: GPT from sector 1 on
    assert_int_equal(sdb_fatgeo_read(&geo, &d.dev, buf), 0);
    assert_int_equal(geo.gap, 0);
    partition(&d, 0, 0x0e, 60000);
    s[13] = 3; // no power of 2: this one is in the way
    ramdisk_put(&d, 60000, s);
    assert_int_equal(sdb_fatgeo_read(&geo, &d.dev, buf), SDB_ENOENT);
    ramdisk_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_length_of_fat),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_partitions),
    };
    return cmocka_run_group_tests_name("fatgeo", tests, NULL, NULL);
}
