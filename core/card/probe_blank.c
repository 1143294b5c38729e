// SPDX-License-Identifier: MIT
// Is a card blank? Real reads, and a bounded number of them: probe.h says which and why.
#include "core/card/probe_parts.h"

#include <string.h>

#define BLANK_RUN (SDB_PROBE_BUFFER / SDB_SECTOR) // sectors of a command
#define BLANK_FIRST 2048u                         // read in full: the first MiB
#define BLANK_LAST 272u                           // and the last 136 KiB
#define BLANK_SAMPLES 128u
#define BLANK_OCTAVE 4u // samples in each doubling of the distance

struct blank {
    const struct sdb_bdev *dev;
    uint8_t *buf;
    uint8_t fill;  // what the first byte is
    bool blank;    // everything read so far is `fill`
    uint32_t lost; // where a volume begins, 0: none seen
};

static bool blank_sector(const struct blank *b, const uint8_t *sector) {
    return sector[0] == b->fill && memcmp(sector, sector + 1, SDB_SECTOR - 1) == 0;
}

// The first sector of all is in buf: what the others are to be.
static void blank_begin(struct blank *b) {
    b->fill = b->buf[0];
    b->blank = b->fill == 0x00 || b->fill == 0xff;
}

// Reads up to BLANK_RUN sectors from lba on, those before `to`. Returns 1 if there is no need to go
// on: a volume was seen.
static int blank_run(struct blank *b, uint32_t lba, uint32_t to) {
    if (lba >= to) {
        return 0;
    }
    uint32_t count = to - lba < BLANK_RUN ? to - lba : BLANK_RUN;
    int res = b->dev->read(b->dev->ctx, lba, count, b->buf);
    if (res < 0) {
        return res;
    }
    if (lba == 0) {
        blank_begin(b);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *sector = b->buf + i * SDB_SECTOR;
        if (blank_sector(b, sector)) {
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

static int blank_range(struct blank *b, uint32_t from, uint32_t to) {
    int res = 0;
    for (uint32_t at = 0; res == 0 && at < to - from; at += BLANK_RUN) {
        res = blank_run(b, from + at, to);
    }
    return res;
}

// A quarter of the way to the next doubling, and so on: where volumes begin.
static int blank_octaves(struct blank *b) {
    int res = 0;
    for (uint32_t octave = BLANK_FIRST; res == 0 && octave != 0 && octave < b->dev->sectors;
         octave <<= 1) {
        for (uint32_t i = 0; res == 0 && i < BLANK_OCTAVE; i++) {
            res = blank_run(b, octave + octave / BLANK_OCTAVE * i, b->dev->sectors);
        }
    }
    return res;
}

// The first sector of the sample `i` of those that are spread evenly.
static uint32_t blank_sample(uint32_t from, uint32_t to, uint32_t i) {
    uint32_t step = (to - from) / BLANK_SAMPLES;
    uint32_t rest = (to - from) % BLANK_SAMPLES;
    return from + i * step + i * rest / BLANK_SAMPLES;
}

// From `from` to `to`, evenly, and what is before `to`. Stops at what is not blank.
static int blank_evenly(struct blank *b, uint32_t from, uint32_t to) {
    int res = 0;
    for (uint32_t i = 0; res == 0 && b->blank && i < BLANK_SAMPLES; i++) {
        res = blank_run(b, blank_sample(from, to, i), to);
    }
    return res != 0 || !b->blank
               ? res
               : blank_range(b, to - from < BLANK_LAST ? from : to - BLANK_LAST, to);
}

int sdb_probe_blank(const struct sdb_bdev *dev, uint32_t *lost, uint8_t *buf) {
    struct blank b = {dev, buf, 0, true, 0};
    int res = blank_range(&b, 0, dev->sectors < BLANK_FIRST ? dev->sectors : BLANK_FIRST);
    if (res == 0) {
        res = blank_octaves(&b);
    }
    if (res == 0 && b.blank && dev->sectors > BLANK_FIRST) {
        res = blank_evenly(&b, 0, dev->sectors);
    }
    *lost = b.lost;
    return res < 0 ? res : b.blank;
}

int sdb_probe_blank_part(const struct sdb_bdev *dev, uint32_t from, uint32_t to, uint8_t *buf) {
    struct blank b = {dev, buf, 0, true, 0};
    if (from >= to) {
        return 1;
    }
    int res = dev->read(dev->ctx, from, 1, buf);
    blank_begin(&b);
    if (res == 0) {
        res = blank_range(&b, from, to - from < BLANK_FIRST ? to : from + BLANK_FIRST);
    }
    if (res == 0 && b.blank) {
        res = blank_evenly(&b, from, to);
    }
    return res < 0 ? res : b.blank;
}

uint32_t sdb_probe_unread(uint32_t sectors) {
    // Behind the first MiB, before the second sample of the octave that begins there.
    const uint32_t end = BLANK_FIRST + BLANK_FIRST / BLANK_OCTAVE;
    if (sectors < end + BLANK_LAST) {
        return 0;
    }
    for (uint32_t lba = BLANK_FIRST + BLANK_RUN; lba < end; lba++) {
        bool read = false;
        for (uint32_t i = 0; i < BLANK_SAMPLES; i++) { // of the whole card, and without sector 0
            read |= lba - blank_sample(0, sectors, i) < BLANK_RUN;
            read |= lba - blank_sample(1, sectors, i) < BLANK_RUN;
        }
        if (!read) {
            return lba;
        }
    }
    return 0;
}
