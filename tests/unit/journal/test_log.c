// SPDX-License-Identifier: MIT
// The journal's log against a model of it: small patches, syncs, transactions, boots that nobody
// has seen coming, commands that fail; on a volume all of whose clusters are in use.
#define START 700u
#include "small_card.h"

#include "core/crc32.h"
#include "draw.h"

#define AREA_SECTORS 200u
#define ANCHOR (AREA + AREA_SECTORS - 1 - 50)
#define USED 40u // sectors that are patched
#define MUCH 400u

static uint8_t now[USED][SDB_SECTOR];
static uint8_t safe[USED][SDB_SECTOR];

static int power_on(void) {
    sdb_journal_init(&j, &card, &geo, AREA, AREA_SECTORS);
    int res = sdb_journal_replay(&j);
    sdb_journal_log(&j, true);
    sdb_journal_bdev(&j, &dev);
    return res;
}

static int setup(void **state) {
    (void)state;
    make_card(CLUSTERS + 2);
    memset(now, 0, sizeof now);
    memset(safe, 0, sizeof safe);
    assert_int_equal(power_on(), SDB_REPLAY_NONE);
    return 0;
}

static int patch(uint32_t i, uint32_t at, uint32_t len) {
    for (uint32_t k = at; k < at + len; k++) {
        now[i][k] = (uint8_t)(now[i][k] + 1 + draw(200));
    }
    return dev.write(dev.ctx, DATA + i, 1, now[i]);
}

static void reads_as(uint8_t (*expected)[SDB_SECTOR]) {
    uint8_t s[SDB_SECTOR];
    for (uint32_t i = 0; i < USED; i++) {
        assert_int_equal(dev.read(dev.ctx, DATA + i, 1, s), 0);
        assert_memory_equal(s, expected[i], SDB_SECTOR);
    }
}

static void one_sector_a_commit(void **state) {
    (void)state;
    assert_int_equal(patch(0, 10, 4) | patch(1, 500, 12), 0);
    assert_int_equal(dev.sync(dev.ctx), 0); // with the first anchor
    assert_int_equal(written, 2);
    assert_int_equal(patch(0, 14, 4), 0);
    assert_int_equal(dev.sync(dev.ctx), 0);
    assert_int_equal(written, 3);
    assert_int_equal(sdb_journal_records(&j), 2);
    assert_int_equal(card_data[DATA][10], 0);
    assert_int_equal(sdb_journal_checkpoint(&j), 0);
    assert_memory_equal(card_data[DATA], now[0], SDB_SECTOR);
    assert_int_equal(sdb_journal_records(&j), 0);
}

static void replayed(void **state) {
    (void)state;
    assert_int_equal(patch(0, 10, 4) | patch(7, 0, 100), 0);
    assert_int_equal(dev.sync(dev.ctx), 0);
    assert_int_equal(patch(0, 12, 4), 0);
    assert_int_equal(dev.sync(dev.ctx), 0);
    assert_int_equal(power_on(), SDB_REPLAY_DONE);
    assert_int_equal(sdb_journal_found(&j), 2);
    assert_memory_equal(card_data[DATA], now[0], SDB_SECTOR);
    assert_memory_equal(card_data[DATA + 7], now[7], SDB_SECTOR);
    assert_int_equal(power_on(), SDB_REPLAY_NONE);
}

static void foreign_changes_stand(void **state) {
    (void)state;
    assert_int_equal(patch(0, 10, 4) | patch(7, 0, 100), 0);
    assert_int_equal(dev.sync(dev.ctx), 0);
    card_data[DATA + 7][300] = 1;
    writes = 0;
    assert_int_equal(power_on(), SDB_REPLAY_FOREIGN);
    assert_int_equal(writes, 0);
    memset(now, 0, sizeof now);
    now[7][300] = 1;
    reads_as(now);
    assert_int_equal(patch(3, 0, 1), 0);
    assert_int_equal(power_on(), SDB_REPLAY_NONE); // forgotten by the first write
}

static void an_abort_keeps_records(void **state) {
    (void)state;
    assert_int_equal(patch(0, 10, 4), 0);
    assert_int_equal(dev.sync(dev.ctx), 0);
    memcpy(safe, now, sizeof safe);
    assert_int_equal(patch(0, 10, 4), 0);
    sdb_journal_abort(&j);
    reads_as(safe);
}

static void records_that_make_no_sense(void **state) {
    // With a right CRC: nothing is written that they name.
    static const uint32_t fields[][2] = {
        {0, SECTORS}, {0, AREA + 3}, {8, 3 << 9}, {10, 600}, {8, 511}};
    for (uint32_t i = 0; i < COUNT(fields); i++) {
        UNIT_CASE(i);
        setup(state);
        assert_int_equal(patch(0, 10, 4), 0);
        assert_int_equal(dev.sync(dev.ctx), 0);
        uint8_t *record = card_data[ANCHOR + 1];
        if (fields[i][0] == 0) {
            sdb_put32(record + 16, fields[i][1]);
        } else {
            sdb_put16(record + 16 + fields[i][0], fields[i][1]);
        }
        sdb_put32(record + 508, sdb_crc32(0, record, 508));
        writes = 0;
        assert_int_equal(power_on(), SDB_REPLAY_FOREIGN);
        assert_int_equal(writes, 0);
    }
}

// Writes more than fits, as one operation of a filesystem; stops where the card does.
static int write_much(void) {
    uint8_t s[SDB_SECTOR];
    int err = 0;
    memset(s, 0xA5, sizeof s);
    for (uint32_t i = 0; i < MUCH && err == 0; i++) {
        err = dev.write(dev.ctx, DATA + USED + i, 1, s);
    }
    return err == 0 ? dev.sync(dev.ctx) : err;
}

// Power fails at each write of it: some of it is there and not all if, and only if, the card says
// that it was written in parts. Whatever is committed next is the end of that.
static void parts_are_marked(void **state) {
    bool all = false;
    unsigned some = 0;
    for (unsigned n = 1; !all; n++) {
        UNIT_CASE(n);
        setup(state);
        assert_int_equal(patch(0, 10, 4), 0);
        assert_int_equal(dev.sync(dev.ctx), 0);
        fail_write = n;
        all = write_much() == 0;
        fail_write = 0;
        assert_true(power_on() >= 0);
        uint32_t there = 0;
        for (uint32_t i = 0; i < MUCH; i++) {
            there += card_data[DATA + USED + i][0] == 0xA5;
        }
        assert_int_equal(sdb_journal_parted(&j), there > 0 && there < MUCH);
        assert_true(!all || there == MUCH);
        if (sdb_journal_parted(&j)) {
            some++;
            assert_int_equal(power_on(), SDB_REPLAY_NONE);
            assert_true(sdb_journal_parted(&j));
            assert_int_equal(n % 2 == 0 ? patch(1, 10, 4) : 0, 0);
            assert_int_equal(dev.sync(dev.ctx), 0);
            assert_true(power_on() >= 0);
            assert_false(sdb_journal_parted(&j));
        }
    }
    assert_true(some > 20);
}

static void live(uint32_t steps) {
    bool open = false;
    for (uint32_t step = 0; step < steps; step++) {
        int err = 0;
        bool commits = false;
        if (draw(25) == 0) {
            fail_write = 1 + draw(12);
        }
        uint32_t what = draw(40);
        if (what == 0 && !open) {
            err = sdb_journal_begin(&j);
            open = err == 0;
            commits = true;
        } else if (what == 1 && open) {
            err = sdb_journal_commit(&j);
            open = err != 0;
            commits = true;
        } else if (what == 2) {
            fail_write = 0;
            memcpy(now, safe, sizeof now);
            open = false;
            assert_true(power_on() >= 0);
        } else if (what == 3) {
            fail_write = 0;
            memcpy(now, safe, sizeof now);
            open = false;
            sdb_journal_abort(&j);
        } else if (what == 4) {
            reads_as(now);
        } else if (what < 22) {
            err = dev.sync(dev.ctx);
            commits = !open;
        } else {
            uint32_t at = draw(SDB_SECTOR);
            uint32_t len = 1 + draw(what < 26 ? 400 : 20);
            err =
                patch(draw(draw(2) ? 3 : USED), at, at + len > SDB_SECTOR ? SDB_SECTOR - at : len);
        }
        if (err == 0 && commits) {
            memcpy(safe, now, sizeof safe);
        }
        if (err == 0) {
            continue;
        }
        // All of it or nothing.
        fail_write = 0;
        if (draw(2) == 0 || sdb_journal_is_dead(&j)) {
            assert_true(power_on() >= 0);
        } else {
            sdb_journal_abort(&j);
        }
        bool all = commits;
        for (uint32_t i = 0; i < USED && all; i++) {
            uint8_t s[SDB_SECTOR];
            assert_int_equal(dev.read(dev.ctx, DATA + i, 1, s), 0);
            all = memcmp(s, now[i], SDB_SECTOR) == 0;
        }
        memcpy(all ? safe : now, all ? now : safe, sizeof now);
        reads_as(now);
        open = false;
    }
}

static void model(void **state) {
    for (uint32_t i = 0; i < 40; i++) {
        UNIT_CASE(i);
        seed = i;
        setup(state);
        live(1500);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_sector_a_commit, setup),
        cmocka_unit_test_setup(replayed, setup),
        cmocka_unit_test_setup(foreign_changes_stand, setup),
        cmocka_unit_test_setup(an_abort_keeps_records, setup),
        cmocka_unit_test_setup(records_that_make_no_sense, setup),
        cmocka_unit_test(parts_are_marked),
        cmocka_unit_test(model),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
