// SPDX-License-Identifier: MIT
// A FAT volume between power-on and mounting.
#include "unit.h"
#include "core/bytes.h"
#include "core/error.h"
#include "memfs.h"
#include "core/card/mkfs.h"
#include "ramdisk.h"
#include "core/journal/volume_make.h"
#include "core/release/record.h"

#define MIB 2048u

static uint8_t buf[4096];
static struct sdb_volume volume;
static struct sdb_volume_make make;

static void format(struct ramdisk *d, uint32_t sectors) {
    ramdisk_init(d, sectors, 0);
    assert_int_equal(sdb_mkfs_fat(&d->dev, 1, buf, sizeof buf), 0);
    ramdisk_power_on(d);
}

static int open_volume(struct ramdisk *d, bool journal) {
    memset(&volume, 0xa5, sizeof volume);
    return journal ? sdb_volume_prepare(&make, &volume, &d->dev, true, buf, sizeof buf)
                   : sdb_volume_open(&volume, &d->dev, false, buf);
}

// A volume that begins at sector 0: no gap to put anything in.
static void superfloppy(struct ramdisk *d) {
    struct ramdisk made;
    uint8_t sector[SDB_SECTOR];
    format(&made, 8 * MIB);
    ramdisk_init(d, 8 * MIB - 1024, 0);
    for (uint32_t lba = 0; lba < d->dev.sectors; lba++) {
        ramdisk_get(&made, lba + 1024, sector);
        ramdisk_put(d, lba, sector);
    }
    ramdisk_free(&made);
}

static void test_first_and_second_open(void **state) {
    (void)state;
    const uint32_t sizes[] = {3 * MIB, 64 * MIB, 512 * MIB, 0xffffffff};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        format(&d, sizes[i]);
        assert_int_equal(open_volume(&d, true), 0);
        assert_int_equal(volume.without, 0);
        assert_int_equal(volume.replay, SDB_REPLAY_NONE);
        assert_int_equal(volume.control.entry_lba, 0);
        assert_true(volume.control.lba >= 1);
        assert_true(volume.control.sectors >= SDB_CONTROL_MIN);
        assert_true(volume.control.lba + volume.control.sectors <=
                    sdb_journal_geo(&volume.journal)->start);
        assert_true(d.writes > 0);
        struct sdb_control first = volume.control;

        for (int again = 0; again < 4; again++) {
            UNIT_CASE(again);
            ramdisk_power_on(&d);
            assert_int_equal(open_volume(&d, again % 2 == 0), 0);
            assert_int_equal(volume.without, 0);
            assert_int_equal(d.writes, 0);
            assert_true(d.reads < 12);
            assert_int_equal(volume.control.lba, first.lba);
            assert_int_equal(volume.control.sectors, first.sectors);
        }
        ramdisk_free(&d);
    }
}

// The making of the area may be cut at any sector: the next open has it, and the same FAT.
static void test_cuts(void **state) {
    (void)state;
    struct ramdisk before, d;
    uint8_t boot[SDB_SECTOR], now[SDB_SECTOR];
    format(&before, 3 * MIB);
    ramdisk_get(&before, 1024, boot);
    for (uint64_t cut = 0;; cut++) {
        UNIT_CASE(cut);
        ramdisk_copy(&d, &before);
        d.cut = true;
        d.cut_at = cut;
        int res = open_volume(&d, true);
        bool whole = res == 0 && volume.without == 0;
        ramdisk_power_on(&d);
        assert_int_equal(open_volume(&d, true), 0);
        assert_int_equal(volume.without, 0);
        ramdisk_get(&d, 1024, now);
        assert_memory_equal(boot, now, SDB_SECTOR);
        ramdisk_free(&d);
        if (whole) {
            assert_true(cut > 3);
            break;
        }
    }
    ramdisk_free(&before);
}

static void test_record(void **state) {
    (void)state;
    struct ramdisk d;
    struct sdb_record_store store;
    struct sdb_record r;
    format(&d, 64 * MIB);
    for (uint32_t boot = 0; boot < 6; boot++) {
        UNIT_CASE(boot);
        assert_int_equal(open_volume(&d, boot % 3 != 2), 0);
        sdb_volume_store(&volume, &store);
        assert_int_equal(sdb_record_load(&store, &r), 0);
        assert_int_equal(r.seq, boot);
        assert_int_equal(r.left, boot);
        r.left = (uint8_t)(boot + 1);
        ramdisk_power_on(&d);
        assert_int_equal(sdb_record_save(&store, &r), 0);
        assert_int_equal(d.written_sectors, 1);
        assert_true(d.syncs > 0);
    }
    ramdisk_free(&d);
}

// What has been written before a record is on the card before the record is.
static void test_record_commits(void **state) {
    (void)state;
    struct ramdisk d;
    struct sdb_record_store store;
    struct sdb_record r;
    struct sdb_bdev dev;
    uint8_t sector[SDB_SECTOR];
    format(&d, 64 * MIB);
    assert_int_equal(open_volume(&d, true), 0);
    sdb_volume_bdev(&volume, &dev);
    sdb_volume_store(&volume, &store);
    assert_int_equal(sdb_record_load(&store, &r), 0);
    uint32_t root = sdb_journal_geo(&volume.journal)->root; // in use: captured
    memset(buf, 'x', SDB_SECTOR);
    assert_int_equal(dev.write(dev.ctx, root, 1, buf), 0);
    ramdisk_get(&d, root, sector);
    assert_int_equal(sector[0], 0);
    assert_int_equal(sdb_record_save(&store, &r), 0);
    ramdisk_get(&d, root, sector);
    assert_memory_equal(sector, "xxxx", 4);

    // Without the journal the card itself is mounted, and the record is where it was.
    assert_int_equal(open_volume(&d, false), 0);
    sdb_volume_bdev(&volume, &dev);
    assert_ptr_equal(dev.ctx, &d);
    sdb_volume_store(&volume, &store);
    assert_int_equal(sdb_record_load(&store, &r), 0);
    assert_int_equal(r.seq, 1);
    ramdisk_free(&d);
}

static void test_without_journal(void **state) {
    (void)state;
    struct ramdisk d;
    struct sdb_bdev dev;
    format(&d, 64 * MIB);
    assert_int_equal(open_volume(&d, false), 0);
    assert_int_equal(volume.without, SDB_ENOENT);
    assert_int_equal(d.writes, 0); // nothing is made
    sdb_volume_bdev(&volume, &dev);
    assert_ptr_equal(dev.ctx, &d);
    ramdisk_free(&d);
}

static void test_no_room(void **state) {
    (void)state;
    struct ramdisk d;
    struct sdb_bdev dev;
    superfloppy(&d);
    assert_int_equal(open_volume(&d, true), 0);
    assert_int_equal(volume.without, SDB_ENOSPC);
    assert_int_equal(d.writes, 0);
    sdb_volume_bdev(&volume, &dev);
    assert_ptr_equal(dev.ctx, &d);
    ramdisk_free(&d);

    // Somebody's data in the gap is not written over.
    static uint8_t text[SDB_SECTOR];
    memset(text, 'x', sizeof text);
    format(&d, 64 * MIB);
    for (uint32_t lba = 8; lba < 8192; lba += 16) {
        ramdisk_put(&d, lba, text);
    }
    assert_int_equal(open_volume(&d, true), 0);
    assert_int_equal(volume.without, SDB_ENOSPC);
    assert_int_equal(d.writes, 0);
    ramdisk_free(&d);
}

// The file instead: in a transaction, given up on an error. Nothing that is in use has changed
// then.
static void test_file(void **state) {
    (void)state;
    struct ramdisk before, d;
    struct sdb_bdev dev;
    struct memfs mem;
    struct sdb_fs fs;
    superfloppy(&before);
    const struct {
        unsigned call; // that fails
        int error, res;
    } cases[] = {
        {1, SDB_EIO, SDB_EIO},       // mkdir
        {1, SDB_EACCES, SDB_ENOSPC}, // a full root directory, in FatFs's words
        {2, SDB_EIO, SDB_EIO},       // open
        {3, SDB_EIO, SDB_EIO},       // close
        {0, 0, SDB_ENOENT},          // all is well, but this filesystem is not on the card
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        ramdisk_copy(&d, &before);
        memfs_init(&mem);
        memfs_ops(&mem, &fs);
        assert_int_equal(open_volume(&d, true), 0);
        assert_int_equal(sdb_volume_why(&volume), SDB_ENOSPC);
        assert_int_equal(sdb_volume_begin_file(&make, &volume, buf, sizeof buf), 0);
        sdb_volume_bdev(&volume, &dev);
        assert_ptr_equal(dev.ctx, sdb_volume_journal(&volume));
        mem.fail_at = cases[i].call;
        mem.fail_error = cases[i].error;
        const int want = cases[i].res;
        assert_int_equal(sdb_volume_make_file(&make, &volume, &fs, buf), want);
        assert_int_equal(sdb_volume_why(&volume), want);
        assert_int_equal(sdb_volume_make_last(&make, &volume, buf), want);
        assert_false(sdb_volume_has_record(&volume));
        assert_int_equal(memfs_open_handles(&mem), 0);
        sdb_volume_bdev(&volume, &dev);
        assert_ptr_equal(dev.ctx, &d);
        memfs_free(&mem);
        assert_int_equal(d.writes, 0);
        ramdisk_free(&d);
    }
    ramdisk_free(&before);
}

// FAT12 can't be journalled: no file is tried.
static void test_fat12(void **state) {
    (void)state;
    struct ramdisk d;
    uint8_t boot[SDB_SECTOR];
    superfloppy(&d);
    ramdisk_get(&d, 0, boot);
    boot[13] = 32; // clusters so large that there are few
    ramdisk_put(&d, 0, boot);
    assert_int_equal(open_volume(&d, true), 0);
    assert_int_equal(sdb_journal_geo(&volume.journal)->type, 12);
    assert_int_equal(sdb_volume_begin_file(&make, &volume, buf, sizeof buf), SDB_ENOSPC);
    ramdisk_free(&d);
}

static void test_read_only(void **state) {
    (void)state;
    struct ramdisk d;
    format(&d, 64 * MIB);
    d.read_only = true;
    assert_int_equal(open_volume(&d, true), 0);
    assert_int_equal(volume.without, SDB_EROFS);
    ramdisk_power_on(&d);
    assert_int_equal(open_volume(&d, true), 0);
    assert_int_equal(volume.without, 0);
    // With an area it is opened as ever.
    d.read_only = true;
    assert_int_equal(open_volume(&d, true), 0);
    assert_int_equal(volume.without, 0);
    ramdisk_free(&d);
}

static void test_errors(void **state) {
    (void)state;
    struct ramdisk before, d;
    format(&before, 3 * MIB);
    for (int area = 0; area < 2; area++) {
        UNIT_CASE(area);
        ramdisk_copy(&d, &before);
        assert_int_equal(open_volume(&d, true), 0);
        unsigned reads = d.reads;
        if (area) {
            ramdisk_free(&before);
            ramdisk_copy(&before, &d);
            ramdisk_power_on(&d);
            assert_int_equal(open_volume(&d, true), 0);
            reads = d.reads;
        }
        ramdisk_free(&d);
        for (unsigned n = 1; n <= reads; n++) {
            UNIT_CASE(n);
            ramdisk_copy(&d, &before);
            d.fail_read = n;
            int res = open_volume(&d, true);
            // Either it can't be opened or it has no area; never an area that could not be read.
            assert_true(res == SDB_EIO || (res == 0 && volume.without < 0));
            if (area) {
                assert_int_equal(res, SDB_EIO);
                assert_int_equal(d.writes, 0);
            }
            ramdisk_power_on(&d);
            assert_int_equal(open_volume(&d, true), 0);
            assert_int_equal(volume.without, 0);
            ramdisk_free(&d);
        }
    }
    ramdisk_free(&before);
}

static void test_no_volume(void **state) {
    (void)state;
    for (int fill = 0; fill < 256; fill += 255) {
        UNIT_CASE(fill);
        struct ramdisk d;
        ramdisk_init(&d, 8192, (uint8_t)fill);
        assert_int_equal(open_volume(&d, true), SDB_ENOENT);
        assert_int_equal(d.writes, 0);
        ramdisk_free(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_and_second_open),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_record_commits),
        cmocka_unit_test(test_without_journal),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_fat12),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_no_volume),
    };
    return cmocka_run_group_tests_name("volume", tests, NULL, NULL);
}
