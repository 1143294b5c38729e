// SPDX-License-Identifier: MIT
// Is a card blank? Real reads, and a bounded number of them: probe.h says which and why.
#include "core/card/probe_parts.h"

#include <string.h>

#define BLANK_RUN (SDB_PROBE_BUFFER / SDB_SECTOR) // sectors of a command
#define BLANK_MIB 2048u                           // read in full
#define BLANK_LAST 272u                           // and the last 136 KiB
#define BLANK_FINE (4 * BLANK_MIB)                // up to here one of 4 sectors
#define BLANK_COARSE (16 * BLANK_MIB)             // up to here one of 32
#define BLANK_NEAR (1024 * BLANK_MIB)             // up to here each MiB and each cylinder
#define BLANK_CYLINDER 16065u // 255 heads of 63 sectors: where partitions once began
#define BLANK_SAMPLES 512u
#define BLANK_OCTAVE 4u // samples in each doubling of the distance
#define BLANK_NOTE 2056u

struct blank {
    const struct sdb_bdev *dev;
    uint8_t *buf;
    uint8_t fill;  // what the first byte is
    bool blank;    // everything read so far is `fill`
    uint32_t lost; // where a volume begins, 0: none seen
    uint32_t note; // see sdb_probe_unread()
};

static bool blank_sector(const struct blank *b, uint32_t lba, const uint8_t *sector) {
    return (sector[0] == b->fill && memcmp(sector, sector + 1, SDB_SECTOR - 1) == 0) ||
           (lba == b->note && lba != 0);
}

// The first sector of all is in buf: what the others are to be.
static void blank_begin(struct blank *b) {
    b->fill = b->buf[0];
    b->blank = b->fill == 0x00 || b->fill == 0xff;
}

// Reads up to `count` sectors from lba on, those before `to`. Returns 1 if there is no need to go
// on: a volume was seen.
static int blank_run(struct blank *b, uint32_t lba, uint32_t to, uint32_t count) {
    if (lba >= to) {
        return 0;
    }
    count = to - lba < count ? to - lba : count;
    int res = b->dev->read(b->dev->ctx, lba, count, b->buf);
    if (res < 0) {
        return res;
    }
    if (lba == 0) {
        blank_begin(b);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *sector = b->buf + i * SDB_SECTOR;
        if (blank_sector(b, lba + i, sector)) {
            continue;
        }
        b->blank = false;
        if (lba + i != 0 && sdb_probe_is_volume(sector)) {
            b->lost = lba + i;
            return 1;
        }
    }
    return 0;
}

// From `from` on one sector of each that is a multiple of `step`, as long as all is blank.
static int blank_multiples(struct blank *b, uint32_t from, uint32_t to, uint32_t step) {
    uint32_t past = from % step;
    uint32_t at = past == 0 ? 0 : step - past; // from `from` on
    int res = 0;
    while (res == 0 && b->blank && from < to && at < to - from) {
        res = blank_run(b, from + at, to, 1);
        at = step < UINT32_MAX - at ? at + step : UINT32_MAX;
    }
    return res;
}

// All of what begins at `from`, also behind what is not blank: a volume may be seen.
static int blank_all(struct blank *b, uint32_t from, uint32_t to) {
    int res = 0;
    for (uint32_t at = from; res == 0 && at < to; at += BLANK_RUN) {
        res = blank_run(b, at, to, BLANK_RUN);
    }
    return res;
}

// A quarter of the way to the next doubling, and so on: where volumes begin. All of them, as above.
static int blank_octaves(struct blank *b) {
    int res = 0;
    for (uint32_t octave = BLANK_MIB; res == 0 && octave != 0 && octave < b->dev->sectors;
         octave <<= 1) {
        for (uint32_t i = 0; res == 0 && i < BLANK_OCTAVE; i++) {
            res = blank_run(b, octave + octave / BLANK_OCTAVE * i, b->dev->sectors, BLANK_RUN);
        }
    }
    return res;
}

static uint32_t blank_least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

// Up to 16 MiB, from sector `from` on: what comes first in there is a volume, or the rest of one.
// Of FAT32, wherever it begins, one of the sectors 0, 1, 6 and 7 is a multiple of 4.
static int blank_grid(struct blank *b, uint32_t from, uint32_t to) {
    int res = blank_multiples(b, from, blank_least(to, BLANK_FINE), 4);
    return res != 0 ? res : blank_multiples(b, from, blank_least(to, BLANK_COARSE), 32);
}

// What else probe.h promises, where the sectors before `first` were read in full.
static int blank_rest(struct blank *b, uint32_t from, uint32_t first, uint32_t to) {
    uint32_t near = blank_least(to, BLANK_NEAR);
    if (first == to || !b->blank) {
        return 0;
    }
    int res = blank_multiples(b, first, near, BLANK_MIB);
    res = res != 0 ? res : blank_multiples(b, first, near, BLANK_CYLINDER);
    for (uint32_t i = 0; res == 0 && b->blank && i < BLANK_SAMPLES; i++) {
        uint64_t at = (uint64_t)(to - from) * i / BLANK_SAMPLES;
        res = blank_run(b, from + (uint32_t)at, to, 1);
    }
    if (res != 0 || !b->blank) {
        return res;
    }
    return blank_all(b, to - first > BLANK_LAST ? to - BLANK_LAST : first, to);
}

int sdb_probe_blank(const struct sdb_bdev *dev, uint32_t *lost, uint8_t *buf) {
    struct blank b = {dev, buf, 0, true, 0, sdb_probe_unread(dev->sectors)};
    uint32_t first = blank_least(dev->sectors, BLANK_MIB);
    int res = blank_all(&b, 0, first);
    res = res != 0 ? res : blank_grid(&b, first, dev->sectors);
    res = res != 0 ? res : blank_octaves(&b);
    res = res != 0 ? res : blank_rest(&b, 0, first, dev->sectors);
    *lost = b.lost;
    return res < 0 ? res : b.blank;
}

int sdb_probe_blank_part(const struct sdb_bdev *dev, uint32_t from, uint32_t to, uint8_t *buf) {
    struct blank b = {dev, buf, 0, true, 0, sdb_probe_unread(dev->sectors)};
    if (from >= to) {
        return 1;
    }
    int res = dev->read(dev->ctx, from, 1, buf);
    if (res < 0) {
        return res;
    }
    blank_begin(&b);
    uint32_t first = to - from < BLANK_MIB ? to : from + BLANK_MIB;
    res = blank_all(&b, from, first);
    res = res != 0 ? res : blank_grid(&b, first, to);
    res = res != 0 ? res : blank_rest(&b, from, first, to);
    return res < 0 ? res : b.blank;
}

uint32_t sdb_probe_unread(uint32_t sectors) {
    return sectors > BLANK_NOTE + BLANK_LAST ? BLANK_NOTE : 0;
}
