// SPDX-License-Identifier: MIT
// A card in memory as small as one with FAT16 can be: an MBR, the journal's area behind it, one
// volume at START, which the test defines. Its sectors are there to be looked at and changed;
// commands are counted, and fail to order. (ramdisk.h has cards of any size.)
#ifndef SDB_SMALL_CARD_H
#define SDB_SMALL_CARD_H

#include "core/bytes.h"
#include "core/error.h"
#include "core/journal/journal.h"
#include "unit.h"

#define CLUSTERS 4200u // of one sector
#define FAT_SECTORS 17u
#define FAT (START + 1)
#define ROOT (FAT + FAT_SECTORS)
#define DATA (ROOT + 32)
#define SECTORS (DATA + CLUSTERS)
#define AREA 1u

static uint8_t card_data[SECTORS][SDB_SECTOR];
static unsigned reads, writes; // commands
static unsigned written;       // sectors
static uint32_t bad = SECTORS; // this sector can't be read; SECTORS: all can
static unsigned fail_write;    // this many more writes succeed but for the last; 0: all do
static bool stays_failed;      // so do those that follow: the power is off
static uint32_t torn;          // then sectors of the first of them that get there, if it has more

static int card_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    (void)ctx;
    assert_true(lba < SECTORS && count <= SECTORS - lba);
    reads++;
    if (bad - lba < count) {
        return SDB_EIO;
    }
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
    writes++;
    written += count;
    memcpy(card_data[lba], buf, count * SDB_SECTOR);
    return 0;
}

static int card_sync(void *ctx) {
    (void)ctx;
    return 0;
}

static const struct sdb_bdev card = {NULL, SECTORS, card_read, card_write, card_sync};
static struct sdb_fatgeo geo;
static struct sdb_journal j; // on it
static struct sdb_bdev dev;  // what a filesystem sees

static inline void boot_sector(uint8_t *s) {
    memset(s, 0, SDB_SECTOR);
    s[0] = 0xEB;
    sdb_put16(s + 11, SDB_SECTOR);
    s[13] = 1; // sector a cluster
    sdb_put16(s + 14, 1);
    s[16] = 1; // FAT
    sdb_put16(s + 17, 512);
    sdb_put16(s + 22, FAT_SECTORS);
    sdb_put32(s + 32, SECTORS - START);
    memcpy(s + 54, "FAT16   ", 8);
    sdb_put16(s + 510, 0xAA55);
}

// Empty and without faults; the first `taken` entries of the FAT say that their cluster is
// somebody's.
static inline void make_card(uint32_t taken) {
    uint8_t buf[SDB_SECTOR];
    memset(card_data, 0, sizeof card_data);
    card_data[0][446 + 4] = 6;
    sdb_put32(card_data[0] + 446 + 8, START);
    sdb_put16(card_data[0] + 510, 0xAA55);
    boot_sector(card_data[START]);
    memset(card_data[FAT], 0xFF, 2 * taken);
    bad = SECTORS;
    fail_write = 0;
    stays_failed = false;
    assert_int_equal(sdb_fatgeo_read(&geo, &card, buf), 0);
    reads = writes = written = 0;
}

#endif
