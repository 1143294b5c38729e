// SPDX-License-Identifier: MIT
// The journal and the geometry it trusts, call by call. What power cuts do is tests/torture's.
#define START 63u
#include "small_card.h"

#include "core/journal/control.h"

#define AREA_SECTORS 62u

// Clusters 2 to 9 are allocated, the journal is in the gap.
static int setup(void **state) {
    (void)state;
    make_card(10);
    sdb_journal_init(&j, &card, &geo, AREA, AREA_SECTORS);
    sdb_journal_bdev(&j, &dev);
    return 0;
}

static void put(uint32_t lba, uint8_t value) {
    uint8_t s[SDB_SECTOR];
    memset(s, value, sizeof s);
    assert_int_equal(dev.write(dev.ctx, lba, 1, s), 0);
}

static uint8_t get(uint32_t lba) {
    uint8_t s[SDB_SECTOR];
    assert_int_equal(dev.read(dev.ctx, lba, 1, s), 0);
    return s[0];
}

static void geometry(void **state) {
    (void)state;
    uint8_t s[SDB_SECTOR];
    struct sdb_fatgeo g;
    assert_int_equal(geo.type, 16);
    assert_int_equal(geo.clusters, CLUSTERS);
    assert_int_equal(geo.gap, START - 1);
    assert_true(geo.safe && geo.mbr);
    assert_int_equal(sdb_fatgeo_cluster(&geo, DATA), 2);
    assert_int_equal(sdb_fatgeo_cluster(&geo, DATA - 1), 0);
    assert_int_equal(sdb_fatgeo_cluster(&geo, DATA + CLUSTERS), 0);
    boot_sector(s);
    assert_int_equal(sdb_fatgeo_parse(&g, s, START, SECTORS - 1), 0);
    assert_false(g.safe); // longer than the card
    sdb_put32(s + 32, SECTORS - START - CLUSTERS + 4085);
    assert_int_equal(sdb_fatgeo_parse(&g, s, START, SECTORS), 0);
    assert_false(g.safe); // on the line between FAT12 and FAT16
    sdb_put32(s + 32, SECTORS - START - CLUSTERS + 4086);
    assert_int_equal(sdb_fatgeo_parse(&g, s, START, SECTORS), 0);
    assert_true(g.safe);
    s[16] = 3;
    assert_int_equal(sdb_fatgeo_parse(&g, s, START, SECTORS), SDB_ENOENT);
    boot_sector(s);
    sdb_put16(s + 22, 16);
    assert_int_equal(sdb_fatgeo_parse(&g, s, START, SECTORS), SDB_ENOENT); // FAT too short
}

static void free_clusters_pass(void **state) {
    (void)state;
    put(DATA + 8, 7); // cluster 10, free
    assert_int_equal(card_data[DATA + 8][0], 7);
    put(DATA + 7, 8); // cluster 9, allocated
    assert_int_equal(card_data[DATA + 7][0], 0);
    assert_int_equal(get(DATA + 7), 8);
    assert_int_equal(dev.sync(dev.ctx), 0);
    assert_int_equal(card_data[DATA + 7][0], 8);
}

static void freed_in_this_transaction_is_not_free(void **state) {
    (void)state;
    uint8_t fat[SDB_SECTOR];
    memcpy(fat, card_data[FAT], sizeof fat);
    sdb_put16(fat + 2 * 9, 0);
    assert_int_equal(dev.write(dev.ctx, FAT, 1, fat), 0);
    put(DATA + 7, 9);
    assert_int_equal(card_data[DATA + 7][0], 0);
    assert_int_equal(dev.sync(dev.ctx), 0);
    put(DATA + 7, 10); // now it is
    assert_int_equal(card_data[DATA + 7][0], 10);
}

static void explicit_transaction(void **state) {
    (void)state;
    assert_int_equal(sdb_journal_begin(&j), 0);
    assert_int_equal(sdb_journal_begin(&j), SDB_EBUSY);
    put(ROOT, 1);
    assert_int_equal(dev.sync(dev.ctx), 0);
    assert_int_equal(card_data[ROOT][0], 0);
    sdb_journal_abort(&j);
    assert_int_equal(get(ROOT), 0);
    assert_int_equal(sdb_journal_begin(&j), 0);
    put(ROOT, 2);
    assert_int_equal(sdb_journal_commit(&j), 0);
    assert_int_equal(card_data[ROOT][0], 2);
    sdb_journal_defer(&j, true);
    put(ROOT, 3);
    assert_int_equal(dev.sync(dev.ctx), 0);
    assert_int_equal(card_data[ROOT][0], 2);
    sdb_journal_defer(&j, false);
    assert_int_equal(dev.sync(dev.ctx), 0);
    assert_int_equal(card_data[ROOT][0], 3);
}

static void nothing_captured_writes_nothing(void **state) {
    (void)state;
    assert_int_equal(dev.sync(dev.ctx), 0);
    assert_int_equal(sdb_journal_replay(&j), SDB_REPLAY_NONE);
    assert_int_equal(writes, 0);
    assert_int_equal(reads, 1);
}

static void spills_and_is_full(void **state) {
    (void)state;
    uint8_t s[SDB_SECTOR] = {1};
    assert_int_equal(sdb_journal_begin(&j), 0);
    uint32_t room = sdb_journal_room(&j);
    assert_int_equal(room, 55);
    for (uint32_t i = 0; i < FAT_SECTORS; i++) {
        put(FAT + i, (uint8_t)(i + 1));
    }
    assert_true(room - FAT_SECTORS == sdb_journal_room(&j));
    for (uint32_t i = 0; i < FAT_SECTORS; i++) {
        UNIT_CASE(i);
        assert_int_equal(get(FAT + i), i + 1);
    }
    int err = 0;
    for (uint32_t i = 0; i < 32 && err == 0; i++) {
        err = dev.write(dev.ctx, ROOT + i, 1, s);
    }
    for (uint32_t i = 0; i < 6 && err == 0; i++) {
        err = dev.write(dev.ctx, DATA + i, 1, s);
    }
    assert_int_equal(err, 0);
    assert_int_equal(sdb_journal_room(&j), 0);
    assert_int_equal(dev.write(dev.ctx, START, 1, s), SDB_ENOSPC);
    assert_int_equal(dev.sync(dev.ctx), SDB_ENOSPC); // sticks
    assert_int_equal(card_data[ROOT][0], 0);
    sdb_journal_abort(&j);
    put(ROOT, 5);
    assert_int_equal(dev.sync(dev.ctx), 0);
    assert_int_equal(card_data[ROOT][0], 5);
}

static void control_area_is_guarded(void **state) {
    (void)state;
    uint8_t s[2 * SDB_SECTOR] = {0};
    assert_int_equal(dev.write(dev.ctx, AREA + AREA_SECTORS - 1, 2, s), SDB_EPERM);
    assert_int_equal(dev.sync(dev.ctx), SDB_EPERM);
}

// Fails each write of a commit in turn: old or new, and replay completes it.
static void commit_fails_at_each_write(void **state) {
    for (unsigned n = 1; n < 8; n++) {
        UNIT_CASE(n);
        setup(state);
        put(ROOT, 1);
        put(FAT, 1);
        put(DATA, 1);
        fail_write = n;
        int err = dev.sync(dev.ctx);
        bool all = fail_write > 0;
        fail_write = 0;
        assert_int_equal(err, all ? 0 : SDB_EIO);
        if (sdb_journal_is_dead(&j)) {
            uint8_t s[SDB_SECTOR] = {0};
            sdb_journal_abort(&j);
            assert_int_equal(get(ROOT), 1); // still what was committed
            assert_int_equal(dev.write(dev.ctx, ROOT, 1, s), SDB_EIO);
        }
        sdb_journal_init(&j, &card, &geo, AREA, AREA_SECTORS);
        assert_true(sdb_journal_replay(&j) >= 0);
        assert_int_equal(card_data[ROOT][0], n <= 1 ? 0 : 1);
        assert_int_equal(card_data[DATA][0], card_data[ROOT][0]);
        assert_int_equal(sdb_journal_replay(&j), SDB_REPLAY_NONE);
    }
}

static void foreign_changes_stand(void **state) {
    (void)state;
    put(ROOT, 1);
    put(DATA, 1);
    put(FAT, 1);
    fail_write = 2; // header with slots, then the first sector home
    assert_int_equal(dev.sync(dev.ctx), SDB_EIO);
    card_data[ROOT][5] = 99;
    card_data[DATA][5] = 99;
    sdb_journal_init(&j, &card, &geo, AREA, AREA_SECTORS);
    writes = 0;
    assert_int_equal(sdb_journal_replay(&j), SDB_REPLAY_FOREIGN);
    assert_int_equal(writes, 0);
    put(DATA + 20, 1); // the first write forgets the commit
    sdb_journal_init(&j, &card, &geo, AREA, AREA_SECTORS);
    assert_int_equal(sdb_journal_replay(&j), SDB_REPLAY_NONE);
    assert_int_equal(card_data[ROOT][5], 99);
}

// Sector after sector is read in larger commands from the third on; one of them that can't be read
// is nobody's error but its own, and what is captured is read as it was written.
static void reads_ahead(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        memset(card_data[DATA + i], (int)i, SDB_SECTOR);
    }
    for (uint32_t i = 0; i < 50; i++) {
        assert_int_equal(get(DATA + i), i);
    }
    assert_int_equal(reads, 10); // 1, 1, 2, 4, then 8
    bad = DATA + 60;
    put(DATA + 4, 77);
    for (uint32_t i = 55; i < 100; i++) {
        uint8_t s[SDB_SECTOR];
        UNIT_CASE(i);
        assert_int_equal(dev.read(dev.ctx, DATA + i, 1, s), i == 60 ? SDB_EIO : 0);
        assert_true(i == 60 || s[0] == i);
        sdb_journal_abort(&j);
    }
    bad = SECTORS;
    put(DATA + 4, 77);
    for (uint32_t i = 0; i < 20; i++) {
        UNIT_CASE(i);
        assert_int_equal(get(DATA + i), i == 4 ? 77 : i);
    }
}

static void blank_card_is_not_searched_for_long(void **state) {
    (void)state;
    uint8_t buf[2 * SDB_SECTOR];
    memset(card_data, 0, sizeof card_data);
    assert_int_equal(sdb_control_rescue(&card, buf, sizeof buf), SDB_RESCUE_NONE);
    assert_int_equal(writes, 0);
    assert_true(reads <= 660);
}

// A sector as FatFs makes those of directories: `n` entries.
static void put_entries(uint32_t lba, unsigned n) {
    uint8_t s[SDB_SECTOR] = {0};
    for (unsigned i = 0; i < n; i++) {
        memcpy(s + 32 * i, "NAME    MPY ", 12);
        s[32 * i] = (uint8_t)('A' + i);
    }
    assert_int_equal(dev.write(dev.ctx, lba, 1, s), 0);
}

// Directories that grow in the background are written once for all of their entries.
static void held(void **state) {
    (void)state;
    uint8_t s[3 * SDB_SECTOR];
    uint32_t lba = DATA + 100;
    put_entries(lba, 1);
    assert_int_equal(writes, 1); // a sync may come any time: nothing waits
    sdb_journal_defer(&j, true);
    writes = 0;
    for (unsigned n = 1; n <= 16; n++) {
        put_entries(lba + 1, n);
    }
    put(lba + 2, 0x55); // content does not wait
    assert_int_equal(writes, 1);
    assert_int_equal(card_data[lba + 1][0], 0);
    assert_int_equal(get(lba + 1), 'A');
    assert_int_equal(dev.read(dev.ctx, lba, 3, s), 0);
    assert_int_equal(s[SDB_SECTOR + 15 * 32], 'P');
    // No more than two of them wait.
    put_entries(lba + 3, 1);
    put_entries(lba + 4, 2);
    assert_int_equal(writes, 3);
    assert_int_equal(card_data[lba + 1][15 * 32], 'P');
    put_entries(lba + 5, 1);
    // Memory full of what is captured leaves them alone, and they are on the card before a commit
    // is.
    for (uint32_t i = 0; i < 2 * SDB_JOURNAL_RAM; i++) {
        put(ROOT + 2 * (i % 16), (uint8_t)i);
    }
    assert_int_equal(card_data[lba + 4][0], 0);
    assert_int_equal(get(lba + 4), 'A');
    unsigned before = writes;
    fail_write = 2; // one of them, then no more: nothing is committed
    assert_int_equal(sdb_journal_checkpoint(&j), SDB_EIO);
    assert_int_equal(writes, before + 1);
    sdb_journal_abort(&j);
    assert_int_equal(card_data[ROOT][0], 0);
    assert_true((get(lba + 4) == 'A') != (get(lba + 5) == 'A')); // forgotten with the rest
    sdb_journal_defer(&j, true);
    put_entries(lba + 3, 3);
    assert_int_equal(sdb_journal_checkpoint(&j), 0);
    assert_int_equal(card_data[lba + 3][64], 'C');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(geometry, setup),
        cmocka_unit_test_setup(free_clusters_pass, setup),
        cmocka_unit_test_setup(freed_in_this_transaction_is_not_free, setup),
        cmocka_unit_test_setup(explicit_transaction, setup),
        cmocka_unit_test_setup(nothing_captured_writes_nothing, setup),
        cmocka_unit_test_setup(spills_and_is_full, setup),
        cmocka_unit_test_setup(held, setup),
        cmocka_unit_test_setup(control_area_is_guarded, setup),
        cmocka_unit_test_setup(commit_fails_at_each_write, setup),
        cmocka_unit_test_setup(foreign_changes_stand, setup),
        cmocka_unit_test_setup(reads_ahead, setup),
        cmocka_unit_test_setup(blank_card_is_not_searched_for_long, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
