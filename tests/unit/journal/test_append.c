// SPDX-License-Identifier: MIT
// The journal below a filesystem that does what FatFs does with files that grow and are written
// anew: clusters are taken and freed, sectors of them filled piece by piece, the entry follows with
// a sync. With the log and without it; power cuts, commands that fail, transactions.
#include "unit.h"

#include "core/bytes.h"
#include "core/error.h"
#include "core/journal/journal.h"
#include "draw.h"
#include "fatcard.h"

#define AREA 1u
#define FILES 3u
#define TAKEN 60u // clusters that may be used, the others are somebody else's
#define END 0xFFFFu

static const struct fatcard shape = {"append", 700, 1, 16, 2, 4};
static struct ramdisk card;
static struct sdb_fatgeo geo;
static uint32_t first_free; // the first of those clusters
static struct sdb_journal j;
static struct sdb_bdev dev;
static uint32_t area_sectors;
static bool log_on;

struct file {
    uint32_t life; // counts how often it was written anew: content differs
    uint32_t size;
};

static struct file now[FILES];
static struct file safe[FILES];
static uint32_t last[FILES]; // last cluster, 0: none
static uint32_t hint;        // FatFs goes on from here
static bool failing;         // something is going to

static uint8_t content(uint32_t file, uint32_t life, uint32_t at) {
    return (uint8_t)(file * 31 + life * 7 + at + (at >> 8) * 5);
}

static void make_card(void) {
    fatcard_format(&card, &shape);
    fatcard_fill(&card, TAKEN);
    fatcard_geo(&card, &geo);
    first_free = geo.clusters + 2 - TAKEN; // fatcard_fill() leaves the last ones
    ramdisk_power_on(&card);
    memset(now, 0, sizeof now);
    memset(safe, 0, sizeof safe);
    memset(last, 0, sizeof last);
}

// The card fails: a command, once, or all of them from now on, when the power goes.
static void fail_soon(void) {
    unsigned n = 1 + draw(30);
    switch (draw(5)) {
    case 0:
        card.fail_read = card.reads + n;
        break;
    case 1:
        card.fail_write = card.writes + n;
        break;
    case 2:
        card.fail_sync = card.syncs + n;
        break;
    default:
        card.cut = true;
        card.cut_at = card.written_sectors + n;
    }
    failing = true;
}

// ---- The filesystem

static int fat_get(uint32_t cluster, uint32_t *value) {
    uint8_t s[SDB_SECTOR];
    int err = dev.read(dev.ctx, sdb_fatgeo_entry_lba(&geo, cluster), 1, s);
    *value = err == 0 ? sdb_fatgeo_entry(&geo, s, cluster) : 0;
    return err;
}

static int fat_put(uint32_t cluster, uint32_t value) {
    uint8_t s[SDB_SECTOR];
    uint32_t lba = sdb_fatgeo_entry_lba(&geo, cluster);
    int err = dev.read(dev.ctx, lba, 1, s);
    sdb_put16(s + cluster % 256 * 2, value);
    err = err < 0 ? err : dev.write(dev.ctx, lba, 1, s);
    return err < 0 ? err : dev.write(dev.ctx, lba + geo.fat_sectors, 1, s);
}

static int entry(uint32_t f, bool put, uint32_t *first, uint32_t *size) {
    uint8_t s[SDB_SECTOR];
    int err = dev.read(dev.ctx, geo.root, 1, s);
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
    return dev.write(dev.ctx, geo.root, 1, s);
}

static uint32_t sector_of(uint32_t cluster, uint32_t at) {
    return sdb_fatgeo_lba(&geo, cluster) + at / SDB_SECTOR % shape.cluster;
}

static int take(uint32_t f, bool *full) {
    uint32_t first, size, value;
    for (uint32_t i = 0; i < TAKEN; i++) {
        uint32_t cluster = first_free + (hint + i) % TAKEN;
        int err = fat_get(cluster, &value);
        if (err == 0 && value == 0) {
            hint = cluster - first_free + 1;
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
        int err = at % (shape.cluster * SDB_SECTOR) == 0 ? take(f, &full) : 0;
        if (err < 0 || full) {
            return err;
        }
        uint32_t lba = sector_of(last[f], at);
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
    sdb_journal_init(&j, &card.dev, &geo, AREA, area_sectors);
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
            assert_in_range(cluster, first_free, first_free + TAKEN - 1);
            assert_int_equal(dev.read(dev.ctx, sector_of(cluster, at), 1, s), 0);
            for (uint32_t k = at; k < size && k < at + SDB_SECTOR; k++) {
                if (s[k - at] != content(f, expected[f].life, k)) {
                    return false;
                }
            }
            if ((at / SDB_SECTOR + 1) % shape.cluster == 0) {
                assert_int_equal(fat_get(cluster, &cluster), 0);
            }
        }
    }
    return true;
}

// After a commit each cluster that is taken is some file's, and no other one's; both FATs agree
// once nothing is left in the log.
static void check_fat(void) {
    bool seen[TAKEN] = {false};
    uint32_t next, size;
    for (uint32_t f = 0; f < FILES; f++) {
        assert_int_equal(entry(f, false, &next, &size), 0);
        while (next != 0 && next != END) {
            assert_in_range(next, first_free, first_free + TAKEN - 1);
            assert_false(seen[next - first_free]);
            seen[next - first_free] = true;
            assert_int_equal(fat_get(next, &next), 0);
        }
    }
    for (uint32_t i = 0; i < TAKEN; i++) {
        assert_int_equal(fat_get(first_free + i, &next), 0);
        assert_int_equal(next != 0, seen[i]);
    }
    for (uint32_t i = 0; i < geo.fat_sectors && sdb_journal_records(&j) <= 0; i++) {
        uint8_t one[SDB_SECTOR], two[SDB_SECTOR];
        ramdisk_get(&card, geo.fat + i, one);
        ramdisk_get(&card, geo.fat + geo.fat_sectors + i, two);
        assert_memory_equal(one, two, SDB_SECTOR);
    }
}

// After a failure: the state of the last commit, or of the one that was being made. Mounts again.
static void check(bool committing) {
    bool power = card.cut;
    ramdisk_power_on(&card);
    failing = false;
    if (sdb_journal_is_dead(&j) || power) {
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
        if (last[f] != 0 && now[f].size % (shape.cluster * SDB_SECTOR) == 0) {
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
        if (draw(40) == 0 && !failing) {
            fail_soon();
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
            if (!failing) {
                check_fat();
            }
        }
    }
    ramdisk_power_on(&card);
    start(); // the power goes
    assert_true(holds(safe));
}

static void model(void **state) {
    (void)state;
    static const uint32_t areas[] = {64, 200, 690};
    for (uint32_t i = 0; i < 24; i++) {
        UNIT_CASE(i);
        seed = i;
        failing = false;
        area_sectors = areas[i % COUNT(areas)];
        log_on = i % 4 != 3;
        make_card();
        start();
        live(1200);
        ramdisk_free(&card);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(model)};
    return cmocka_run_group_tests_name("append", tests, NULL, NULL);
}
