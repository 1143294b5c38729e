// SPDX-License-Identifier: MIT
// The journal below a filesystem that does what FatFs does with files that grow and are written
// anew: clusters are taken and freed, sectors of them filled piece by piece, the entry follows with
// a sync. With the log and without it; power cuts, commands that fail, transactions.
#include "unit.h"

#include "core/error.h"
#include "core/journal/journal.h"
#include "fat16.h"

#define START 700u
#define CLUSTERS 4200u
#define PER_CLUSTER 4u
#define FAT_SECTORS 17u
#define FAT (START + 1)
#define ROOT (FAT + 2 * FAT_SECTORS)
#define DATA (ROOT + 32)
#define SECTORS (DATA + CLUSTERS * PER_CLUSTER)
#define AREA 1u
#define FILES 3u
#define TAKEN 60u // clusters that may be used, the others are somebody else's
#define END 0xFFFFu

static uint8_t card_data[SECTORS][SDB_SECTOR];
static uint32_t fail_call; // this many more calls, then they fail; 0: never
static bool stays_failed;  // all of them from then on: the power is off
static uint32_t torn;      // a command that fails has written so many of its sectors

static bool fails(void) {
    if (fail_call == 1) {
        fail_call = stays_failed ? 1 : 0;
        return true;
    }
    fail_call -= fail_call > 0;
    return false;
}

static int card_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    (void)ctx;
    assert_true(lba < SECTORS && count <= SECTORS - lba);
    if (fails()) {
        return SDB_EIO;
    }
    memcpy(buf, card_data[lba], count * SDB_SECTOR);
    return 0;
}

static int card_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    (void)ctx;
    assert_true(lba < SECTORS && count <= SECTORS - lba);
    if (fails()) {
        memcpy(card_data[lba], buf, (torn < count ? torn : 0) * SDB_SECTOR);
        torn = 0;
        return SDB_EIO;
    }
    memcpy(card_data[lba], buf, count * SDB_SECTOR);
    return 0;
}

static int card_sync(void *ctx) {
    (void)ctx;
    return fails() ? SDB_EIO : 0;
}

static const struct sdb_bdev card = {NULL, SECTORS, card_read, card_write, card_sync};
static struct sdb_fatgeo geo;
static struct sdb_journal j;
static struct sdb_bdev dev;
static uint32_t area_sectors;
static bool log_on;
static uint32_t seed;

struct file {
    uint32_t life; // counts how often it was written anew: content differs
    uint32_t size;
};

static struct file now[FILES];
static struct file safe[FILES];
static uint32_t last[FILES]; // last cluster, 0: none
static uint32_t hint;        // FatFs goes on from here

static uint32_t draw(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static uint8_t content(uint32_t file, uint32_t life, uint32_t at) {
    return (uint8_t)(file * 31 + life * 7 + at + (at >> 8) * 5);
}

static const struct fat16 volume = {START, SECTORS - START, PER_CLUSTER, 2, FAT_SECTORS};

static void make_card(void) {
    uint8_t buf[SDB_SECTOR];
    memset(card_data, 0, sizeof card_data);
    fat16_make(card_data, &volume);
    memset(card_data[FAT], 0xFF, FAT_SECTORS * SDB_SECTOR);
    memset(card_data[FAT] + 4, 0, 2 * TAKEN);
    memcpy(card_data[FAT + FAT_SECTORS], card_data[FAT], FAT_SECTORS * SDB_SECTOR);
    assert_int_equal(sdb_fatgeo_read(&geo, &card, buf), 0);
    memset(now, 0, sizeof now);
    memset(safe, 0, sizeof safe);
}

// ---- The filesystem

static int fat_get(uint32_t cluster, uint32_t *value) {
    uint8_t s[SDB_SECTOR];
    int err = dev.read(dev.ctx, FAT + cluster / 256, 1, s);
    *value = sdb_get16(s + cluster % 256 * 2);
    return err;
}

static int fat_put(uint32_t cluster, uint32_t value) {
    uint8_t s[SDB_SECTOR];
    int err = dev.read(dev.ctx, FAT + cluster / 256, 1, s);
    sdb_put16(s + cluster % 256 * 2, value);
    err = err < 0 ? err : dev.write(dev.ctx, FAT + cluster / 256, 1, s);
    return err < 0 ? err : dev.write(dev.ctx, FAT + FAT_SECTORS + cluster / 256, 1, s);
}

static int entry(uint32_t f, bool put, uint32_t *first, uint32_t *size) {
    uint8_t s[SDB_SECTOR];
    int err = dev.read(dev.ctx, ROOT, 1, s);
    uint8_t *at = s + 32 * f;
    if (err < 0 || !put) {
        *first = sdb_get16(at + 26);
        *size = sdb_get32(at + 28);
        return err;
    }
    memcpy(at, "FILE    TXT ", 12);
    at[4] = (uint8_t)('0' + f);
    sdb_put16(at + 26, *first);
    sdb_put32(at + 28, *size);
    return dev.write(dev.ctx, ROOT, 1, s);
}

static int take(uint32_t f, bool *full) {
    uint32_t first, size, value;
    for (uint32_t i = 0; i < TAKEN; i++) {
        uint32_t cluster = 2 + (hint + i) % TAKEN;
        int err = fat_get(cluster, &value);
        if (err == 0 && value == 0) {
            hint = cluster - 1;
            err = fat_put(cluster, END);
            if (err == 0 && last[f] != 0) {
                err = fat_put(last[f], cluster);
            } else if (err == 0) {
                err = entry(f, false, &first, &size);
                err = err < 0 ? err : entry(f, true, &cluster, &size);
            }
            last[f] = cluster;
            return err;
        }
        if (err < 0) {
            return err;
        }
    }
    *full = true;
    return 0;
}

// Adds `n` bytes; the size is written with the next sync.
static int append(uint32_t f, uint32_t n) {
    while (n > 0) {
        uint8_t s[SDB_SECTOR];
        uint32_t at = now[f].size;
        bool full = false;
        int err = at % (PER_CLUSTER * SDB_SECTOR) == 0 ? take(f, &full) : 0;
        if (err < 0 || full) {
            return err;
        }
        uint32_t lba = DATA + (last[f] - 2) * PER_CLUSTER + at / SDB_SECTOR % PER_CLUSTER;
        err = at % SDB_SECTOR != 0 ? dev.read(dev.ctx, lba, 1, s) : 0;
        if (err < 0) {
            return err;
        }
        do {
            s[at % SDB_SECTOR] = content(f, now[f].life, at);
            at++;
            n--;
        } while (n > 0 && at % SDB_SECTOR != 0);
        err = dev.write(dev.ctx, lba, 1, s);
        if (err < 0) {
            return err;
        }
        now[f].size = at;
    }
    return 0;
}

static int put_size(uint32_t f) {
    uint32_t first, size;
    int err = entry(f, false, &first, &size);
    return err < 0 ? err : entry(f, true, &first, &now[f].size);
}

// As open(…, "w") does: the entry, then the chain.
static int anew(uint32_t f) {
    uint32_t cluster, size;
    uint32_t none = 0;
    int err = entry(f, false, &cluster, &size);
    err = err < 0 ? err : entry(f, true, &none, &none);
    while (err == 0 && cluster != 0 && cluster != END) {
        uint32_t next;
        err = fat_get(cluster, &next);
        err = err < 0 ? err : fat_put(cluster, 0);
        cluster = next;
    }
    last[f] = 0;
    now[f].size = 0;
    now[f].life++;
    return err;
}

static int sync_all(void) {
    int err = 0;
    for (uint32_t f = 0; f < FILES && err == 0; f++) {
        err = put_size(f);
    }
    return err == 0 ? dev.sync(dev.ctx) : err;
}

// ---- The model

static void start(void) {
    sdb_journal_init(&j, &card, &geo, AREA, area_sectors);
    assert_true(sdb_journal_replay(&j) >= 0);
    sdb_journal_log(&j, log_on);
    sdb_journal_bdev(&j, &dev);
}

static bool holds(const struct file *expected) {
    for (uint32_t f = 0; f < FILES; f++) {
        uint32_t cluster, size;
        assert_int_equal(entry(f, false, &cluster, &size), 0);
        if (size != expected[f].size) {
            return false;
        }
        for (uint32_t at = 0; at < size; at += SDB_SECTOR) {
            uint8_t s[SDB_SECTOR];
            uint32_t lba = DATA + (cluster - 2) * PER_CLUSTER + at / SDB_SECTOR % PER_CLUSTER;
            assert_in_range(cluster, 2, 1 + TAKEN);
            assert_int_equal(dev.read(dev.ctx, lba, 1, s), 0);
            for (uint32_t k = at; k < size && k < at + SDB_SECTOR; k++) {
                if (s[k - at] != content(f, expected[f].life, k)) {
                    return false;
                }
            }
            if ((at / SDB_SECTOR + 1) % PER_CLUSTER == 0) {
                assert_int_equal(fat_get(cluster, &cluster), 0);
            }
        }
    }
    return true;
}

// After a commit each cluster that is taken is some file's, and no other one's; both FATs agree
// once nothing is left in the log.
static void check_fat(void) {
    bool seen[2 + TAKEN] = {false};
    uint32_t next, size;
    for (uint32_t f = 0; f < FILES; f++) {
        assert_int_equal(entry(f, false, &next, &size), 0);
        while (next != 0 && next != END) {
            assert_in_range(next, 2, 1 + TAKEN);
            assert_false(seen[next]);
            seen[next] = true;
            assert_int_equal(fat_get(next, &next), 0);
        }
    }
    for (uint32_t cluster = 2; cluster < 2 + TAKEN; cluster++) {
        assert_int_equal(fat_get(cluster, &next), 0);
        assert_int_equal(next != 0, seen[cluster]);
    }
    if (sdb_journal_records(&j) <= 0) {
        assert_memory_equal(card_data[FAT], card_data[FAT + FAT_SECTORS], SDB_SECTOR);
    }
}

// After a failure: the state of the last commit, or of the one that was being made. Mounts again.
static void check(bool committing) {
    fail_call = 0;
    if (sdb_journal_is_dead(&j) || stays_failed) {
        start();
    } else {
        sdb_journal_abort(&j);
    }
    if (!holds(safe)) {
        assert_true(committing && holds(now));
        memcpy(safe, now, sizeof safe);
    }
    memcpy(now, safe, sizeof now);
    for (uint32_t f = 0; f < FILES; f++) {
        uint32_t next, size;
        assert_int_equal(entry(f, false, &next, &size), 0);
        last[f] = 0;
        while (next != 0 && next != END) {
            last[f] = next;
            assert_int_equal(fat_get(next, &next), 0);
        }
        // A chain longer than its file: as fsck would, cut off by writing the file anew.
        if (last[f] != 0 && now[f].size % (PER_CLUSTER * SDB_SECTOR) == 0) {
            assert_int_equal(anew(f), 0);
        }
    }
    assert_int_equal(sync_all(), 0);
    memcpy(safe, now, sizeof safe);
}

static void live(uint32_t steps) {
    bool open = false;
    for (uint32_t step = 0; step < steps; step++) {
        int err = 0;
        if (draw(40) == 0 && fail_call == 0) {
            fail_call = 1 + draw(60);
            stays_failed = draw(2) == 0;
            torn = draw(8);
        }
        uint32_t what = draw(30);
        uint32_t f = draw(FILES);
        bool commits = true;
        if (what == 0 && !open) {
            err = sync_all();
            err = err < 0 ? err : sdb_journal_begin(&j);
            open = err == 0;
        } else if (what == 1 && open) {
            err = sync_all();
            err = err < 0 ? err : sdb_journal_commit(&j);
            open = err < 0 && open;
        } else if (what < 14) {
            err = sync_all();
            commits = !open;
        } else if (what == 14) {
            err = anew(f);
            commits = false;
        } else {
            err = append(f, 1 + draw(what == 15 ? 5000 : 120));
            commits = false;
        }
        if (err < 0) {
            assert_true(err == SDB_EIO || (err == SDB_ENOSPC && open));
            check(commits);
            open = false;
        } else if (commits) {
            memcpy(safe, now, sizeof safe);
            if (fail_call == 0) {
                check_fat();
            }
        }
    }
    fail_call = 0;
    start(); // the power goes
    assert_true(holds(safe));
}

static void model(void **state) {
    (void)state;
    static const uint32_t areas[] = {64, 200, 690};
    for (uint32_t i = 0; i < 24; i++) {
        UNIT_CASE(i);
        seed = i;
        fail_call = 0;
        area_sectors = areas[i % COUNT(areas)];
        log_on = i % 4 != 3;
        make_card();
        memset(last, 0, sizeof last);
        start();
        live(1200);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(model)};
    return cmocka_run_group_tests_name("append", tests, NULL, NULL);
}
