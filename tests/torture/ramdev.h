// SPDX-License-Identifier: MIT
// A card in memory behind struct sdb_bdev: counts everything, can keep a log of its writes, can
// fail at a given call.
#ifndef TORTURE_RAMDEV_H
#define TORTURE_RAMDEV_H

#include "core/bdev.h"
#include "image.h"

enum op_kind { OP_WRITE, OP_SYNC };

// One sector written, or a sync. `lo`..`hi`: the states of the run that are right from now on until
// the next one.
struct op {
    const struct blob *blob;
    uint32_t lba;
    uint32_t kind;
    uint32_t lo;
    uint32_t hi;
};

struct oplog {
    struct op *ops;
    size_t count;
    size_t capacity;
};

enum fail_mode { FAIL_ONCE, FAIL_ON };

struct ramdev {
    struct image *img;
    struct oplog *log; // may be NULL
    uint32_t sectors;
    uint32_t lo; // copied into the log
    uint32_t hi;
    // Calls, in commands and sectors.
    uint64_t reads;
    uint64_t read_sectors;
    uint64_t writes;
    uint64_t write_sectors;
    uint64_t syncs;
    // From call number fail_at (counted from 1) on, calls return fail_with. 0: never.
    uint64_t calls;
    uint64_t fail_at;
    int fail_mode;
    int fail_with;
    bool waiting; // something was written since the last sync
    bool partial; // a failing write of several sectors has written the first half of them
};

void ramdev_init(struct ramdev *dev, struct image *img, uint32_t sectors);
void ramdev_bdev(struct ramdev *dev, struct sdb_bdev *out);
void oplog_free(struct oplog *log);

#endif
