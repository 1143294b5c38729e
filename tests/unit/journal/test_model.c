// SPDX-License-Identifier: MIT
// The journal against a model of it: random writes, reads, commits, transactions, failures of the
// card and power cuts, on a volume all of whose clusters are in use, so that everything is
// captured. Each sector has a number that grows with each write to it.
#include "unit.h"

#include "core/bytes.h"
#include "core/error.h"
#include "core/journal/journal.h"
#include "fat16.h"

#define START 700u
#define CLUSTERS 4200u
#define FAT_SECTORS 17u
#define FAT (START + 1)
#define DATA (FAT + FAT_SECTORS + 32)
#define SECTORS (DATA + CLUSTERS)
#define AREA 1u
#define WRITTEN 900u // sectors of the volume that are written to
#define MOST 9u      // at once

static uint8_t card_data[SECTORS][SDB_SECTOR];
static uint32_t fail_write; // this many more commands are done, then they fail; 0: never
static bool stays_failed;   // from then on: the power is off
static uint32_t torn;       // then sectors of the first of them that get there, if there are more

static int card_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    (void)ctx;
    assert_true(lba < SECTORS && count <= SECTORS - lba);
    memcpy(buf, card_data[lba], count * SDB_SECTOR);
    return 0;
}

static int card_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    (void)ctx;
    assert_true(lba < SECTORS && count <= SECTORS - lba);
    if (fail_write == 1) {
        fail_write = stays_failed ? 1 : 0;
        if (stays_failed && torn < count) {
            memcpy(card_data[lba], buf, torn * SDB_SECTOR);
            torn = 0; // the card is off from here on
        }
        return SDB_EIO;
    }
    fail_write -= fail_write > 0;
    memcpy(card_data[lba], buf, count * SDB_SECTOR);
    return 0;
}

static int card_sync(void *ctx) {
    (void)ctx;
    return 0;
}

static const struct sdb_bdev card = {NULL, SECTORS, card_read, card_write, card_sync};
static struct sdb_fatgeo geo;
static struct sdb_journal j;
static struct sdb_bdev dev;
static uint32_t area_sectors;
static uint32_t now[WRITTEN];  // numbers as the filesystem sees them
static uint32_t safe[WRITTEN]; // as the last commit has left them
static bool parted;            // nothing was committed since power failed between two parts
static uint32_t seed;

static uint32_t draw(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static void start(void) {
    sdb_journal_init(&j, &card, &geo, AREA, area_sectors);
    assert_true(sdb_journal_replay(&j) >= 0);
    sdb_journal_bdev(&j, &dev);
}

static const struct fat16 volume = {START, SECTORS - START, 1, 1, FAT_SECTORS};

static void make_card(void) {
    uint8_t buf[SDB_SECTOR];
    memset(card_data, 0, sizeof card_data);
    fat16_make(card_data, &volume);
    memset(card_data[FAT], 0xFF, FAT_SECTORS * SDB_SECTOR);
    assert_int_equal(sdb_fatgeo_read(&geo, &card, buf), 0);
    memset(now, 0, sizeof now);
    memset(safe, 0, sizeof safe);
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
        fail_write = 0;
        parted = false;
        area_sectors = areas[i % COUNT(areas)];
        make_card();
        start();
        live(1500);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
