// SPDX-License-Identifier: MIT
// What is found on a card at power on: pointer, identity, journal header, index and slots, boot
// sector. A card as sdboot makes it is changed in places that the input names, some get a right
// CRC; then it is opened. Nothing may be written but what a valid header names, sector 0 and the
// gap behind it; and nothing of what a header names if the card is called foreign.
#include "fuzz.h"
#include "core/bytes.h"
#include "core/journal/control.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/card/mkfs.h"
#include "core/card/probe.h"
#include "core/journal/volume_make.h"

#define SECTORS 16384u
#define NAMED_MAX 65536

static uint8_t base[SECTORS][512];
static uint8_t card[SECTORS][512];
static bool dirty[SECTORS];
static uint32_t touched[SECTORS];
static uint32_t touched_count;
static bool watching;
static uint32_t gap_end; // first sector of the volume
static uint32_t area;
static uint32_t area_sectors;
static uint32_t slot0;
static uint32_t named[NAMED_MAX];
static uint32_t named_count;
static unsigned home_writes;

static void touch(uint32_t lba) {
    if (!dirty[lba]) {
        dirty[lba] = true;
        touched[touched_count++] = lba;
    }
}

static bool is_named(uint32_t lba) {
    for (uint32_t i = 0; i < named_count; i++) {
        if (named[i] == lba) {
            return true;
        }
    }
    return false;
}

static int card_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    (void)ctx;
    if (lba >= SECTORS || count > SECTORS - lba) {
        return SDB_EIO;
    }
    memcpy(buf, card[lba], 512u * count);
    return 0;
}

static int card_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    (void)ctx;
    CHECK(lba < SECTORS && count <= SECTORS - lba);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = lba + i;
        bool home = watching && is_named(at);
        // The boot sector is put back from one of its copies, also if a foreign header names it.
        const uint8_t *s = (const uint8_t *)buf + 512u * i;
        bool boot = at == gap_end && (memcmp(s, card[area + SDB_CONTROL_BOOT], 512) == 0 ||
                                      memcmp(s, card[gap_end + 6], 512) == 0);
        home_writes += home && at >= gap_end && !boot; // a new area may be made in the gap
        CHECK(!watching || home || at < gap_end || boot);
        touch(at);
        memcpy(card[at], (const uint8_t *)buf + 512u * i, 512);
    }
    return 0;
}

static int card_sync(void *ctx) {
    (void)ctx;
    return 0;
}

static const struct sdb_bdev dev = {NULL, SECTORS, card_read, card_write, card_sync};

static void make_base(void) {
    static bool made;
    static struct sdb_volume v;
    static struct sdb_volume_make m;
    uint8_t buf[1024];
    if (made) {
        return;
    }
    made = true;
    CHECK(sdb_mkfs_fat(&dev, 1, buf, sizeof buf) == 0);
    CHECK(sdb_volume_prepare(&m, &v, &dev, true, buf, sizeof buf) == 0 && sdb_volume_why(&v) == 0);
    area = v.control.lba;
    gap_end = sdb_journal_geo(&v.journal)->gap + 1;
    // A commit of two sectors whose last step was cut off.
    uint8_t *h = card[area + SDB_CONTROL_HEADER];
    area_sectors = v.control.sectors;
    slot0 = area + SDB_CONTROL_HEADER + 1;
    sdb_put32(h, 0x4A626473);
    sdb_put32(h + 4, 2);
    sdb_put32(h + 8, area);
    sdb_put32(h + 12, v.control.sectors);
    sdb_put32(h + 16, 2);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t home = gap_end + 40 + i;
        memset(card[slot0 + i], 0x31 + (int)i, 512);
        sdb_put32(h + 28 + 12 * i, home);
        sdb_put32(h + 32 + 12 * i, sdb_crc32(0, card[slot0 + i], 512));
        sdb_put32(h + 36 + 12 * i, sdb_crc32(0, card[home], 512));
    }
    sdb_put32(h + 508, sdb_crc32(0, h, 508));
    memcpy(base, card, sizeof base);
    touched_count = 0;
    memset(dirty, 0, sizeof dirty);
}

static void note_header(uint32_t lba, uint32_t sectors, uint32_t at) {
    if (lba + at >= SECTORS) {
        return;
    }
    const uint8_t *h = card[lba + at];
    if (memcmp(h, "sdbJ", 4) != 0 || sdb_get32(h + 508) != sdb_crc32(0, h, 508) ||
        sdb_get32(h + 8) != lba || sdb_get32(h + 12) != sectors) {
        return;
    }
    named[named_count++] = lba + at; // the header itself is cleared
    uint8_t buf[512];
    struct sdb_fatgeo geo;
    bool mirrors = sdb_fatgeo_read(&geo, &dev, buf) == 0 && geo.fats == 2;
    uint32_t n = sdb_get32(h + 16);
    uint32_t slots = sectors >= SDB_CONTROL_MIN ? sdb_area_slots(sectors) : 0;
    for (uint32_t i = 0; i < n && i < slots; i++) {
        bool first = at != SDB_CONTROL_HEADER || i < 40; // index blocks follow the header, or slots
        uint32_t block = lba + at + (first ? i / 40 : slots + i / 40);
        uint32_t home = block < SECTORS ? sdb_get32(card[block] + 28 + 12 * (i % 40)) : 0;
        named[named_count++] = home;
        // What goes to the first FAT goes to the second one as well.
        if (mirrors && home - geo.fat < geo.fat_sectors) {
            named[named_count++] = home + geo.fat_sectors;
        }
    }
}

// All that the header and index blocks of the area that the pointer names could mean.
static void note_named(void) {
    const uint8_t *p = card[0] + 384;
    uint32_t lba = sdb_get32(p + 4);
    uint32_t sectors = sdb_get32(p + 8);
    named_count = 0;
    note_header(area, area_sectors, SDB_CONTROL_HEADER); // found without the pointer as well
    if (memcmp(p, "sdbP", 4) != 0 || sdb_get32(p + 12) != sdb_crc32(0, p, 12) || lba >= SECTORS ||
        sectors > SECTORS - lba) {
        return;
    }
    note_header(lba, sectors, SDB_CONTROL_HEADER);
    note_header(lba, sectors, 2); // an area of version 1
}

// One change: where, at which byte, how many, CRC or not; then the bytes.
static size_t change(const uint8_t *data, size_t size) {
    uint32_t lba = data[0] % 8 == 0   ? 0
                   : data[0] % 8 == 1 ? gap_end
                   : data[0] % 8 == 2 ? gap_end + 40 + data[0] / 8 % 2
                   : data[0] % 8 == 3 ? slot0 + data[0] / 8 % 2
                   : data[0] % 8 == 4 ? (uint32_t)(data[0] / 8) * 500
                                      : area + data[0] % 8 - 5 + data[0] / 64;
    uint32_t at = (uint32_t)(data[1] | (data[2] & 1) << 8);
    size_t len = data[3] % 32;
    len = len < size - 4 ? len : size - 4;
    len = len < 512 - at ? len : 512 - at;
    lba %= SECTORS;
    touch(lba);
    memcpy(card[lba] + at, data + 4, len);
    if (data[2] & 2) {
        sdb_put32(card[lba] + 508, sdb_crc32(0, card[lba], 508));
    }
    if (data[2] & 4 && lba == 0) {
        sdb_put32(card[0] + 396, sdb_crc32(0, card[0] + 384, 12));
    }
    return 4 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sdb_volume v;
    static struct sdb_volume_make m;
    struct sdb_probe probe;
    uint8_t buf[SDB_PROBE_BUFFER];
    make_base();
    while (touched_count > 0) {
        uint32_t lba = touched[--touched_count];
        dirty[lba] = false;
        memcpy(card[lba], base[lba], 512);
    }
    if (size < 1) {
        return 0;
    }
    bool journal = data[0] & 1;
    for (size_t at = 1; at + 4 < size;) {
        at += change(data + at, size - at);
    }
    note_named();
    home_writes = 0;
    watching = true;
    CHECK(sdb_probe(&dev, &probe, buf) == 0);
    CHECK(touched_count <= SECTORS && home_writes == 0);
    int res = sdb_volume_prepare(&m, &v, &dev, journal, buf, sizeof buf);
    CHECK(res <= 0);
    if (res == SDB_ENOENT && probe.kind <= SDB_PROBE_UNKNOWN) {
        int rescued = sdb_control_rescue(&dev, buf, sizeof buf);
        CHECK(rescued >= SDB_RESCUE_NONE && rescued <= SDB_RESCUE_LOST);
    }
    if (res == 0 && sdb_volume_replayed(&v) == SDB_REPLAY_FOREIGN && journal &&
        sdb_volume_why(&v) == 0) {
        CHECK(home_writes == 0);
    }
    watching = false;
    return 0;
}
