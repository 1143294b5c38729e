// SPDX-License-Identifier: MIT
// Formatting: every size gives a volume that fsck.fat and FatFs accept, and a cut leaves no riddle.
#include "unit.h"
#include "core/bytes.h"
#include "core/error.h"
#include "core/card/fatgeo.h"
#include "core/card/mkfs.h"
#include "core/card/probe.h"
#include "core/journal/control.h"
#include "ramdisk.h"

#define MIB 2048u
#define GIB (1024 * MIB)

static uint8_t buf[32768];

static int kind_of(const struct ramdisk *d, struct sdb_probe *probe) {
    uint8_t space[SDB_PROBE_BUFFER];
    assert_int_equal(sdb_probe(&d->dev, probe, space), 0);
    return probe->kind;
}

static void fsck(const struct ramdisk *d, uint32_t start) {
    static const char image[] = OUT "/mkfs.img";
    char command[512];
    ramdisk_save(d, start, image);
    snprintf(command, sizeof command, "PATH=$PATH:/sbin:/usr/sbin fsck.fat -n %s >%s.log 2>&1",
             image, image);
    if (system(command) != 0) {
        fail_msg("%u sectors: see %s.log", (unsigned)d->dev.sectors, image);
    }
    remove(image);
}

static void check(uint32_t sectors, bool with_fsck) {
    struct ramdisk d;
    struct sdb_fatgeo geo;
    struct sdb_probe probe;
    uint8_t mbr[SDB_SECTOR], boot[SDB_SECTOR];
    ramdisk_init(&d, sectors, 0);
    assert_int_equal(sdb_mkfs_fat(&d.dev, 0x12345678, buf, sizeof buf), 0);
    assert_int_equal(sdb_fatgeo_read(&geo, &d.dev, boot), 0);
    assert_true(geo.safe && geo.mbr);
    uint32_t align = sectors >= 64 * MIB ? 4 * MIB : 1024;
    assert_int_equal(geo.start % align, 0);
    assert_int_equal(geo.data % align, 0);
    assert_true(geo.gap >= 1023);
    assert_int_equal(geo.fats, 1);
    assert_int_equal(geo.type, sectors - align >= 300 * MIB ? 32 : 16);
    assert_true(geo.start + geo.sectors == sectors);
    assert_true(geo.data + (geo.clusters << geo.cluster_shift) <= sectors);
    assert_true(sectors - geo.data - (geo.clusters << geo.cluster_shift) < 1u << geo.cluster_shift);
    assert_int_equal(kind_of(&d, &probe), SDB_PROBE_FAT);
    assert_int_equal(probe.volume, geo.start);

    ramdisk_get(&d, 0, mbr);
    assert_memory_equal(mbr + 440, "\x78\x56\x34\x12", 4);
    assert_int_equal(mbr[446 + 4], geo.type == 32 ? 0x0c : 0x0e);
    assert_int_equal(sdb_get32(mbr + 446 + 8), geo.start);
    assert_int_equal(sdb_get32(mbr + 446 + 12), geo.sectors);
    ramdisk_get(&d, geo.start, boot);
    assert_memory_equal(boot + (geo.type == 32 ? 67 : 39), "\x78\x56\x34\x12", 4);
    if (geo.type == 32) {
        uint8_t copy[SDB_SECTOR], info[SDB_SECTOR];
        ramdisk_get(&d, geo.start + 6, copy);
        assert_memory_equal(boot, copy, SDB_SECTOR);
        ramdisk_get(&d, geo.start + 1, info);
        assert_int_equal(sdb_get32(info + 488), geo.clusters - 1);
    }
    if (with_fsck) {
        fsck(&d, geo.start);
    }
    ramdisk_free(&d);
}

static void test_sizes(void **state) {
    (void)state;
    const uint32_t sizes[] = {
        3 * MIB,
        3 * MIB + 1,
        4 * MIB + 77,
        5 * MIB,
        5 * MIB + 1023,
        5 * MIB + 1024,
        5 * MIB + 1025,
        16 * MIB,
        20 * MIB + 1023,
        20 * MIB + 1024,
        32 * MIB,
        33 * MIB,
        64 * MIB - 1,
        64 * MIB,
        64 * MIB + 1,
        128 * MIB,
        254 * MIB - 1,
        254 * MIB,
        256 * MIB,
        304 * MIB - 1,
        304 * MIB,
        304 * MIB + 1,
        512 * MIB,
        1 * GIB,
        2 * GIB - 5,
        4 * GIB,
        8 * GIB,
        8 * GIB + 4 * MIB,
        16 * GIB,
        32 * GIB,
        32 * GIB + 4 * MIB,
        64 * GIB,
    };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        check(sizes[i], sizes[i] <= 32 * GIB);
    }
}

// Every size in small steps where the type or the cluster size changes.
static void test_boundaries(void **state) {
    (void)state;
    const uint32_t around[] = {3, 4, 5, 6, 19, 20, 21, 64, 250, 254, 300, 304};
    for (size_t i = 0; i < COUNT(around); i++) {
        for (uint32_t n = 0; n < 2048; n += 113) {
            check(around[i] * MIB + n, false);
        }
    }
}

static void test_huge(void **state) {
    (void)state;
    const uint32_t sizes[] = {128 * GIB, 512 * GIB + 3, 0x80000000u, 0xffffffffu};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        check(sizes[i], false);
    }
}

static void test_too_small(void **state) {
    (void)state;
    const uint32_t sizes[] = {0, 1, 1024, 2048, 3 * MIB - 1};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        ramdisk_init(&d, sizes[i], 0);
        assert_int_equal(sdb_mkfs_fat(&d.dev, 1, buf, sizeof buf), SDB_ENOSPC);
        assert_int_equal(d.writes, 0);
        ramdisk_free(&d);
    }
}

// The size of the buffer changes the number of commands, not the result.
static void test_buffers(void **state) {
    (void)state;
    struct ramdisk a, b;
    ramdisk_init(&a, 8 * MIB, 0xff);
    ramdisk_init(&b, 8 * MIB, 0xff);
    assert_int_equal(sdb_mkfs_fat(&a.dev, 1, buf, 512), 0);
    assert_int_equal(sdb_mkfs_fat(&b.dev, 1, buf, 4096 + 100), 0);
    assert_true(ramdisk_same(&a, &b));
    assert_true(a.writes > 6 * b.writes);
    ramdisk_free(&a);
    ramdisk_free(&b);
}

// Content that a card might have had, to be formatted away.
static void old_content(struct ramdisk *d, int what) {
    static uint8_t text[SDB_SECTOR];
    memset(text, 'x', sizeof text);
    if (what == 1) { // unknown content everywhere in front
        for (uint32_t lba = 0; lba < 3000; lba++) {
            ramdisk_put(d, lba, text);
        }
    } else if (what == 2) { // a FAT of our own
        assert_int_equal(sdb_mkfs_fat(&d->dev, 99, buf, 4096), 0);
        ramdisk_put(d, 5000, text);
    } else if (what == 3) { // ext
        ramdisk_poke(d, 1024 + 56, "\x53\xef", 2);
    }
}

// Cut at every sector: said to be unfinished until it is the new volume, whatever was there before.
// Only before the gap has been wiped may the marks of another filesystem remain visible.
static void test_cuts(void **state) {
    (void)state;
    for (int what = 0; what < 4; what++) {
        UNIT_CASE(what);
        struct ramdisk before, d;
        ramdisk_init(&before, 3 * MIB, what == 0 ? 0xff : 0);
        old_content(&before, what);
        ramdisk_power_on(&before);
        unsigned unfinished = 0;
        const uint32_t every = unit_every(5);
        for (uint64_t cut = 0;; cut += cut < 32 ? 1 : every) {
            UNIT_CASE(cut);
            struct sdb_probe probe;
            ramdisk_copy(&d, &before);
            d.cut = true;
            d.cut_at = cut;
            int res = sdb_mkfs_fat(&d.dev, 1, buf, 4096);
            int kind = kind_of(&d, &probe);
            ramdisk_free(&d);
            if (res == 0) {
                assert_int_equal(kind, SDB_PROBE_FAT);
                assert_true(unfinished > 1000 / every);
                break;
            }
            assert_int_equal(res, SDB_EIO);
            if (cut <= 1) { // the first is a note where nobody looks for content
                assert_int_equal(kind, what == 0
                                           ? (cut == 0 ? SDB_PROBE_BLANK : SDB_PROBE_UNFINISHED)
                                       : what == 1 ? SDB_PROBE_UNKNOWN
                                       : what == 2 ? SDB_PROBE_FAT
                                                   : SDB_PROBE_FOREIGN);
            } else if (what == 3 && cut <= 4) {
                assert_int_equal(kind, SDB_PROBE_FOREIGN);
            } else {
                if (kind != SDB_PROBE_UNFINISHED) {
                    fail_msg("content %d, cut %u: %s", what, (unsigned)cut, probe.name);
                }
                unfinished++;
            }
        }
        ramdisk_free(&before);
    }
}

// What the next boot makes of it: formats it anew, or has it back.
static bool goes_on(struct ramdisk *d) {
    struct sdb_probe probe;
    struct sdb_fatgeo geo;
    int kind = kind_of(d, &probe);
    if (kind == SDB_PROBE_BLANK || kind == SDB_PROBE_UNFINISHED || kind == SDB_PROBE_FAT) {
        return true;
    }
    return sdb_control_rescue(&d->dev, buf, 4096) == SDB_RESCUE_DONE &&
           sdb_fatgeo_read(&geo, &d->dev, buf) == 0;
}

// A blank card, and the power fails in any write: the sector is what it was in part, or garbage.
static void test_torn(void **state) {
    (void)state;
    const uint32_t sizes[] = {3 * MIB, 64 * MIB, 100 * MIB + 777, 400 * MIB};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        uint8_t fill = i & 1 ? 0xff : 0;
        ramdisk_init(&d, sizes[i], fill);
        uint32_t note = sdb_probe_unread(sizes[i]);
        assert_true(note > 1024 * 2 && note < 2560);
        assert_int_equal(sdb_mkfs_fat(&d.dev, 1, buf, 4096), 0);
        uint64_t writes = d.written_sectors;
        ramdisk_free(&d);
        for (uint64_t cut = 0; cut < writes; cut++) {
            UNIT_CASE(cut);
            if (cut > 20 && cut + 20 < writes && cut % 499 != 0) {
                continue;
            }
            for (int garbage = 0; garbage < 2; garbage++) {
                ramdisk_init(&d, sizes[i], fill);
                d.cut = true;
                d.torn = garbage;
                d.cut_at = cut;
                assert_int_equal(sdb_mkfs_fat(&d.dev, 1, buf, 4096), SDB_EIO);
                ramdisk_power_on(&d);
                assert_true(goes_on(&d));
                ramdisk_free(&d);
            }
        }
    }
}

// The note alone formats nothing: with anything else on the card it is data.
static void test_torn_beside_data(void **state) {
    (void)state;
    static uint8_t text[SDB_SECTOR];
    const uint32_t at[] = {1, 63, 2047, 8192, 64 * MIB - 1};
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < COUNT(at); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        struct sdb_probe probe;
        ramdisk_init(&d, 64 * MIB, 0);
        ramdisk_put(&d, at[i], text);
        d.cut = d.torn = true;
        d.cut_at = 1; // in sector 0
        assert_int_equal(sdb_mkfs_begin(&d.dev, buf), SDB_EIO);
        ramdisk_power_on(&d);
        int kind = kind_of(&d, &probe);
        assert_true(kind != SDB_PROBE_BLANK && kind != SDB_PROBE_UNFINISHED);
        ramdisk_free(&d);
    }
}

static void test_errors(void **state) {
    (void)state;
    struct ramdisk d;
    ramdisk_init(&d, 4 * MIB, 0);
    assert_int_equal(sdb_mkfs_fat(&d.dev, 1, buf, sizeof buf), 0);
    unsigned writes = d.writes;
    assert_true(d.syncs >= 3);
    ramdisk_free(&d);
    for (unsigned n = 1; n <= writes; n++) {
        UNIT_CASE(n);
        ramdisk_init(&d, 4 * MIB, 0xff);
        d.fail_write = n;
        assert_int_equal(sdb_mkfs_fat(&d.dev, 1, buf, sizeof buf), SDB_EIO);
        assert_int_equal(d.writes, n); // and nothing after it
        ramdisk_free(&d);
    }
    ramdisk_init(&d, 4 * MIB, 0);
    d.read_only = true;
    assert_int_equal(sdb_mkfs_fat(&d.dev, 1, buf, sizeof buf), SDB_EROFS);
    ramdisk_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),   cmocka_unit_test(test_boundaries),
        cmocka_unit_test(test_huge),    cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_buffers), cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_torn),    cmocka_unit_test(test_torn_beside_data),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests_name("mkfs", tests, NULL, NULL);
}
