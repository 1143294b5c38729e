// SPDX-License-Identifier: MIT
// The journal against a model of it: random writes, reads, commits, transactions, failures of the
// card and power cuts, on a volume all of whose clusters are in use, so that everything is
// captured. Each sector has a number that grows with each write to it.
#define START 700u
#include "small_card.h"
#include "draw.h"

#define WRITTEN 900u // sectors of the volume that are written to
#define MOST 9u      // at once

static uint32_t area_sectors;
static uint32_t now[WRITTEN];  // numbers as the filesystem sees them
static uint32_t safe[WRITTEN]; // as the last commit has left them
static bool parted;            // nothing was committed since power failed between two parts

static void start(void) {
    sdb_journal_init(&j, &card, &geo, AREA, area_sectors);
    assert_true(sdb_journal_replay(&j) >= 0);
    sdb_journal_bdev(&j, &dev);
}

static int write_some(void) {
    static uint8_t buf[MOST][SDB_SECTOR];
    uint32_t count = 1 + draw(MOST);
    uint32_t at = draw(WRITTEN - count);
    for (uint32_t i = 0; i < count; i++) {
        memset(buf[i], (int)(now[at + i] + 1), SDB_SECTOR);
        sdb_put32(buf[i], ++now[at + i]);
        sdb_put32(buf[i] + 4, at + i);
    }
    return dev.write(dev.ctx, DATA + at, count, buf);
}

static void read_some(void) {
    static uint8_t buf[3 * MOST][SDB_SECTOR];
    uint32_t count = 1 + draw(3 * MOST);
    uint32_t at = draw(WRITTEN - count);
    bool singly = draw(2) == 0; // as directories are read
    for (uint32_t i = 0; i < (singly ? count : 1); i++) {
        assert_int_equal(dev.read(dev.ctx, DATA + at + i, singly ? 1 : count, buf[i]), 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(sdb_get32(buf[i]), now[at + i]);
        assert_int_equal(buf[i][SDB_SECTOR - 1], (uint8_t)now[at + i]);
    }
}

// What the card holds after a failure. Within a transaction nothing or all of it; else no number
// that is older than the last commit, nor one that was never written.
static void check_card(bool transaction) {
    uint32_t old = 0;
    uint32_t new = 0;
    uint32_t changed = 0;
    uint32_t missing = 0;
    for (uint32_t i = 0; i < WRITTEN; i++) {
        uint32_t there = sdb_get32(card_data[DATA + i]);
        assert_int_equal(card_data[DATA + i][SDB_SECTOR - 1], (uint8_t)there);
        assert_true(there >= safe[i] && there <= now[i]);
        changed += there != safe[i];
        missing += there != now[i];
        if (now[i] != safe[i]) {
            old += there == safe[i];
            new += there == now[i];
            assert_true(!transaction || there == safe[i] || there == now[i]);
        }
        safe[i] = now[i] = there;
    }
    assert_true(!transaction || old == 0 || new == 0);
    parted = changed > 0 ? missing > 0 : parted;
    assert_int_equal(sdb_journal_parted(&j), parted);
}

static void live(uint32_t steps) {
    bool open = false;
    for (uint32_t step = 0; step < steps; step++) {
        int err = 0;
        if (draw(30) == 0 && fail_write == 0) {
            fail_write = 1 + draw(40);
            stays_failed = draw(2) == 0;
            torn = draw(MOST);
        }
        uint32_t what = draw(12);
        bool commits = what == 0;
        if (commits) {
            err = open ? sdb_journal_commit(&j) : dev.sync(dev.ctx);
        } else if (what == 1 && !open) {
            err = sdb_journal_begin(&j); // commits what is pending
            open = err == 0;
            if (open) {
                parted = false;
                memcpy(safe, now, sizeof safe);
            }
        } else if (what < 5) {
            read_some();
        } else {
            err = write_some();
        }
        if (err == 0 && !commits) {
            continue;
        }
        if (err == 0) { // a commit
            parted = false;
            memcpy(safe, now, sizeof safe);
            open = false;
            for (uint32_t i = 0; i < WRITTEN; i++) {
                assert_int_equal(sdb_get32(card_data[DATA + i]), now[i]);
            }
            continue;
        }
        assert_true(err == SDB_EIO || (err == SDB_ENOSPC && open));
        fail_write = 0;
        if (sdb_journal_is_dead(&j) || stays_failed) {
            start();
        } else {
            sdb_journal_abort(&j);
        }
        check_card(open);
        open = false;
    }
}

static void test_model(void **state) {
    (void)state;
    static const uint32_t areas[] = {32, 62, 200, 690};
    for (uint32_t i = 0; i < 40; i++) {
        UNIT_CASE(i);
        seed = i;
        parted = false;
        area_sectors = areas[i % COUNT(areas)];
        make_card(CLUSTERS + 2);
        memset(now, 0, sizeof now);
        memset(safe, 0, sizeof safe);
        start();
        live(1500);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
