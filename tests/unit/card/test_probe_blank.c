// SPDX-License-Identifier: MIT
// A card is blank if everything that is read has one value; and what is read reaches everywhere.
#define UNIT_FILE "blank"
#include "probe_cards.h"
#include "core/card/mkfs.h"

static void test_blank(void **state) {
    (void)state;
    const uint32_t sizes[] = {1,           2,        8,           100,       2047,     2048,
                              2049,        2320,     131072,      32 * GIB,  1u << 30, 0x7fffffff,
                              0x80000000u, 3u << 30, 0xfffffff0u, 0xffffffff};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        UNIT_CASE(sizes[i]);
        for (int fill = 0; fill < 256; fill += fill < 2 ? 1 : 253) {
            UNIT_CASE(fill);
            struct ramdisk d;
            ramdisk_init(&d, sizes[i], (uint8_t)fill);
            bool blank = fill == 0 || fill == 0xff;
            expect(&d, blank ? SDB_PROBE_BLANK : SDB_PROBE_UNKNOWN, 0, blank ? "nothing" : UNKNOWN);
            assert_true(d.reads <= 4600 + 100);
            ramdisk_free(&d);
        }
    }
}

// One byte that is not like the others, at each place that is promised to be read.
static void test_one_byte(void **state) {
    (void)state;
    const uint32_t sizes[] = {3 * MIB, 64 * MIB + 77, 32 * GIB, 512 * GIB, 0xffffffff};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        UNIT_CASE(sizes[i]);
        uint32_t n = sizes[i];
        uint32_t places[300], count = 0;
        for (uint32_t lba = 0; lba < n && lba < 16 * MIB; lba += lba < MIB ? 131 : 2992) {
            places[count++] = lba < MIB ? lba : lba / 32 * 32;
        }
        for (uint32_t k = 16; k < 1024 && k * MIB < n; k += 151) {
            places[count++] = k * MIB;
            places[count++] = k / 8 * 16065 < n ? k / 8 * 16065 : 0;
        }
        for (uint32_t k = 1; k <= 272; k += 31) {
            places[count++] = n - k;
        }
        for (uint32_t k = 0; k < 512; k += 31) { // evenly: 1/2, 1/4, … to the sector
            places[count++] = (uint32_t)((uint64_t)n * k / 512);
        }
        for (uint64_t lba = 2048; lba < n; lba *= 2) {
            places[count++] = (uint32_t)lba;
            places[count++] = (uint32_t)lba + (lba + lba / 2 < n ? (uint32_t)lba / 2 : 0);
        }
        assert_true(count <= COUNT(places));
        for (int fill = 0; fill < 256; fill += 255) {
            struct ramdisk d;
            ramdisk_init(&d, n, (uint8_t)fill);
            for (uint32_t k = 0; k < count; k++) {
                UNIT_CASE(places[k]);
                uint64_t at = (uint64_t)places[k] * 512 + k * 37 % 512;
                uint8_t was = (uint8_t)fill, other = (uint8_t)(fill ^ 1 << k % 8);
                ramdisk_poke(&d, at, &other, 1);
                assert_int_equal(probe(&d).kind, SDB_PROBE_UNKNOWN);
                ramdisk_poke(&d, at, &was, 1);
            }
            assert_int_equal(probe(&d).kind, SDB_PROBE_BLANK);
            ramdisk_free(&d);
        }
    }
}

// Zeros and 0xFF on one card: something has been there.
static void test_two_values(void **state) {
    (void)state;
    uint8_t ff[SDB_SECTOR];
    struct ramdisk d;
    memset(ff, 0xff, sizeof ff);
    ramdisk_init(&d, 64 * MIB, 0);
    for (uint32_t lba = 1000; lba < 1100; lba++) {
        ramdisk_put(&d, lba, ff);
    }
    expect(&d, SDB_PROBE_UNKNOWN, 0, UNKNOWN);
    ramdisk_free(&d);
}

// Every read of a blank card and of some others fails.
static void test_errors(void **state) {
    (void)state;
    struct ramdisk d;
    uint8_t buf[4096];
    ramdisk_init(&d, 64 * MIB, 0);
    read_errors(&d, 1 + d.reads / 300);
    partition(&d, 0, 0x05, 2048, 60 * MIB);
    read_errors(&d, 1 + d.reads / 300);
    assert_int_equal(sdb_mkfs_begin(&d.dev, buf), 0);
    ramdisk_power_on(&d);
    read_errors(&d, 1 + d.reads / 300);
    ramdisk_free(&d);
    ramdisk_init(&d, 32 * MIB, 0);
    make_volume(&d, 0, 32 * MIB, "mkfs.exfat %s");
    read_errors(&d, 1 + d.reads / 300);
    ramdisk_free(&d);
}

// The partition table is gone: a volume is seen where such begin.
static void test_lost(void **state) {
    (void)state;
    const uint32_t starts[] = {1,         57,    63,    128,   249,   2047,  2048,
                               5000,      8192,  12352, 16384, 32000, 32768, 32 * 2048 + 2048,
                               16065 * 3, 65536, 131072};
    const struct {
        const char *command, *name;
        uint32_t sectors;
    } volumes[] = {
        {"mkfs.fat -F 32 -s 1 %s", "FAT", 40 * MIB},
        {"mkfs.fat -F 16 %s", "FAT", 16 * MIB},
        {"mkfs.exfat %s", "exFAT", 16 * MIB},
        {"mkntfs -F -f -q %s", "NTFS", 8 * MIB},
    };
    for (size_t v = 0; v < COUNT(volumes); v++) {
        UNIT_CASE(v);
        for (size_t i = 0; i < COUNT(starts); i++) {
            UNIT_CASE(starts[i]);
            struct ramdisk d;
            ramdisk_init(&d, 128 * MIB, 0);
            make_volume(&d, starts[i], volumes[v].sectors, volumes[v].command);
            struct sdb_probe p = probe(&d);
            assert_false(formatted(&d));
            // Before, it is taken for the rest of one that is the whole card; behind, its data may
            // be seen first.
            if (starts[i] >= 57 && (starts[i] <= 16 * MIB || (starts[i] & (starts[i] - 1)) == 0)) {
                assert_int_equal(p.kind, SDB_PROBE_LOST);
                assert_string_equal(p.name, volumes[v].name);
                assert_int_equal(p.volume, starts[i]);
                assert_true(strlen(p.advice) > 0);
            }
            ramdisk_free(&d);
        }
    }
}

// The same with the volume's first sector gone, too: the backup of FAT32 says where it began.
static void test_lost_backup(void **state) {
    (void)state;
    const uint8_t zeros[SDB_SECTOR] = {0};
    struct ramdisk d;
    ramdisk_init(&d, 64 * MIB, 0);
    make_volume(&d, 8192, 40 * MIB, "mkfs.fat -F 32 -s 1 -h 8192 %s");
    ramdisk_put(&d, 8192, zeros);
    expect(&d, SDB_PROBE_LOST, 8192, "FAT");
    ramdisk_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blank),      cmocka_unit_test(test_one_byte),
        cmocka_unit_test(test_two_values), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_lost),       cmocka_unit_test(test_lost_backup),
    };
    return cmocka_run_group_tests_name("probe_blank", tests, NULL, NULL);
}
