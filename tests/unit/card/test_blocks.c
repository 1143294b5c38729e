// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/card/blocks.h"
#include "core/error.h"
#include "ramdisk.h"

#define SECTORS 64u
#define BYTES (SECTORS * SDB_SECTOR)

static uint8_t model[BYTES], bounce[SDB_SECTOR];

static void fill(struct ramdisk *d) {
    ramdisk_init(d, SECTORS, 0);
    for (uint32_t i = 0; i < BYTES; i++) {
        model[i] = (uint8_t)(i * 7 + i / 512);
    }
    ramdisk_poke(d, 0, model, BYTES);
}

static void assert_model(const struct ramdisk *d) {
    uint8_t sector[SDB_SECTOR];
    for (uint32_t lba = 0; lba < SECTORS; lba++) {
        UNIT_CASE(lba);
        ramdisk_get(d, lba, sector);
        assert_memory_equal(sector, model + lba * SDB_SECTOR, SDB_SECTOR);
    }
}
#define assert_model(...) UNIT_FROM(assert_model(__VA_ARGS__))

// Random transfers of every alignment against an array of bytes.
static void test_model(void **state) {
    (void)state;
    const uint32_t sizes[] = {512, 1024, 4096, 512 * 5, BYTES};
    uint32_t seed = 7;
    struct ramdisk d;
    fill(&d);
    for (int i = 0; i < 20000; i++) {
        UNIT_CASE(i);
        uint32_t size = sizes[unit_random(&seed) % COUNT(sizes)];
        uint32_t block = unit_random(&seed) % (BYTES / size + 2);
        uint32_t off = unit_random(&seed) % (size + size / 2);
        uint32_t len = unit_random(&seed) % 2 ? unit_random(&seed) % 1600 : unit_random(&seed) % 9;
        if (unit_random(&seed) % 4 == 0) {
            off = off / 512 * 512;
            len = len / 512 * 512;
        }
        uint64_t at = (uint64_t)block * size + off;
        int want =
            (at + len + 511) / 512 * 512 <= BYTES + 511 && at + len <= BYTES ? 0 : SDB_EINVAL;
        uint8_t *buf = malloc(len + 1); // its exact size: a byte too many is found
        assert_non_null(buf);
        d.writes = 0;
        if (unit_random(&seed) % 2) {
            int res = sdb_blocks_read(&d.dev, size, block, off, buf, len, bounce);
            assert_int_equal(res, want);
            assert_true(res < 0 || memcmp(buf, model + at, len) == 0);
            assert_int_equal(d.writes, 0);
        } else {
            for (uint32_t k = 0; k < len; k++) {
                buf[k] = (uint8_t)unit_random(&seed);
            }
            int res = sdb_blocks_write(&d.dev, size, block, off, buf, len, bounce);
            assert_int_equal(res, want);
            if (res == 0) {
                memcpy(model + at, buf, len);
                assert_in_range(d.writes, len > 0, 3);
            } else {
                assert_int_equal(d.writes, 0);
            }
        }
        free(buf);
        if (i % 500 == 0) {
            assert_model(&d);
        }
    }
    assert_model(&d);
    ramdisk_free(&d);
}

// Whole sectors are one command, without bounce buffer and without reading first.
static void test_commands(void **state) {
    (void)state;
    static uint8_t buf[8192];
    const struct {
        uint32_t off, len;
        unsigned reads, writes;
    } cases[] = {
        {0, 4096, 0, 1}, {512, 512, 0, 1}, {0, 1, 1, 1},      {511, 1, 1, 1},
        {511, 2, 2, 2},  {1, 511, 1, 1},   {1, 512, 2, 2},    {1, 4096, 2, 3},
        {0, 4097, 1, 2}, {0, 0, 0, 0},     {100, 8000, 2, 3},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        fill(&d);
        assert_int_equal(sdb_blocks_write(&d.dev, 4096, 2, cases[i].off, buf, cases[i].len, bounce),
                         0);
        assert_int_equal(d.reads, cases[i].reads);
        assert_int_equal(d.writes, cases[i].writes);
        d.reads = 0;
        assert_int_equal(sdb_blocks_read(&d.dev, 4096, 2, cases[i].off, buf, cases[i].len, bounce),
                         0);
        assert_int_equal(d.reads, cases[i].writes);
        ramdisk_free(&d);
    }
}

// A program is a write that is followed by a sync, unless it failed.
static void test_program(void **state) {
    (void)state;
    uint8_t buf[700], found[700];
    struct ramdisk d;
    memset(buf, 0x5a, sizeof buf);
    ramdisk_init(&d, 64, 0);
    assert_int_equal(sdb_blocks_program(&d.dev, 4096, 1, 100, buf, sizeof buf, bounce), 0);
    assert_int_equal(d.syncs, 1);
    assert_int_equal(sdb_blocks_read(&d.dev, 4096, 1, 100, found, sizeof found, bounce), 0);
    assert_memory_equal(found, buf, sizeof buf);
    assert_int_equal(sdb_blocks_program(&d.dev, 4096, 9, 0, buf, 1, bounce), SDB_EINVAL);
    ramdisk_power_on(&d);
    d.fail_write = 1;
    assert_int_equal(sdb_blocks_program(&d.dev, 4096, 1, 0, buf, 512, bounce), SDB_EIO);
    assert_int_equal(d.syncs, 0);
    ramdisk_free(&d);
}

static void test_end_of_card(void **state) {
    (void)state;
    uint8_t buf[1024];
    const struct {
        uint32_t sectors, size, block, off, len;
        int res;
    } cases[] = {
        {64, 4096, 7, 4095, 1, 0},
        {64, 4096, 7, 4095, 2, SDB_EINVAL},
        {64, 4096, 7, 3584, 512, 0},
        {64, 4096, 7, 3584, 513, SDB_EINVAL},
        {64, 4096, 8, 0, 1, SDB_EINVAL},
        {64, 4096, 8, 0, 0, 0},
        {64, 4096, 9, 0, 0, SDB_EINVAL},
        {64, 4096, 0xffffffff, 0, 1, SDB_EINVAL},
        {64, 4096, 0, 0xffffffff, 1, SDB_EINVAL},
        {64, 4096, 0, 0, 0xffffffff, SDB_EINVAL},
        {64, 4096, 1, 0, 0xfffffe01, SDB_EINVAL},
        {64, 4096, 0x20000000, 0, 1, SDB_EINVAL}, // block * 8 sectors would be 0
        {60, 4096, 7, 2047, 1, 0},                // a card that ends in the middle of a block
        {60, 4096, 7, 2048, 1, SDB_EINVAL},
        {0xffffffff, 4096, 0x1fffffff, 3583, 1, 0},
        {0xffffffff, 4096, 0x1fffffff, 3584, 1, SDB_EINVAL},
        {0xffffffff, 4096, 0x1fffffff, 0xfffffff0, 1, SDB_EINVAL},
        {0xffffffff, 512, 0xfffffffe, 511, 1, 0},
        {0xffffffff, 512, 0xffffffff, 0, 1, SDB_EINVAL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        ramdisk_init(&d, cases[i].sectors, 0);
        int read = sdb_blocks_read(&d.dev, cases[i].size, cases[i].block, cases[i].off, buf,
                                   cases[i].len, bounce);
        int write = sdb_blocks_write(&d.dev, cases[i].size, cases[i].block, cases[i].off, buf,
                                     cases[i].len, bounce);
        if (read != cases[i].res || write != cases[i].res) {
            fail_msg("case %zu: %d, %d", i, read, write);
        }
        if (cases[i].res < 0) {
            assert_int_equal(d.reads + d.writes, 0);
        }
        ramdisk_free(&d);
    }
}

static void test_errors(void **state) {
    (void)state;
    static uint8_t buf[2048];
    for (unsigned n = 1; n <= 3; n++) {
        UNIT_CASE(n);
        struct ramdisk d;
        fill(&d);
        d.fail_read = n;
        assert_int_equal(sdb_blocks_read(&d.dev, 4096, 0, 100, buf, 1500, bounce), SDB_EIO);
        assert_int_equal(d.reads, n);
        d.reads = 0;
        d.fail_read = n < 3 ? n : 0;
        d.fail_write = n < 3 ? 0 : 3;
        assert_int_equal(sdb_blocks_write(&d.dev, 4096, 0, 100, buf, 1500, bounce), SDB_EIO);
        assert_int_equal(d.writes, n == 1 ? 0 : n == 2 ? 2 : 3);
        ramdisk_free(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),       cmocka_unit_test(test_commands),
        cmocka_unit_test(test_end_of_card), cmocka_unit_test(test_program),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
