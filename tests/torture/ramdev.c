// SPDX-License-Identifier: MIT
#include "ramdev.h"

#include <stdlib.h>
#include <string.h>

static int ramdev_call(struct ramdev *dev) {
    dev->calls++;
    bool fail = dev->fail_at != 0 && (dev->fail_mode == FAIL_ONCE ? dev->calls == dev->fail_at
                                                                  : dev->calls >= dev->fail_at);
    return fail ? dev->fail_with : 0;
}

static void ramdev_log(struct ramdev *dev, uint32_t kind, uint32_t lba, const struct blob *blob) {
    struct oplog *log = dev->log;
    if (!log) {
        return;
    }
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 256;
        log->ops = realloc(log->ops, log->capacity * sizeof *log->ops);
    }
    log->ops[log->count++] = (struct op){blob, lba, kind, dev->lo, dev->hi};
}

static int ramdev_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    struct ramdev *dev = ctx;
    uint8_t *out = buf;
    dev->reads++;
    dev->read_sectors += count;
    int err = ramdev_call(dev);
    if (err < 0) {
        return err;
    }
    if (count == 0 || lba >= dev->sectors || count > dev->sectors - lba) {
        return -5;
    }
    for (uint32_t i = 0; i < count; i++) {
        memcpy(out + 512 * i, image_get(dev->img, lba + i)->data, 512);
    }
    return 0;
}

static int ramdev_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    struct ramdev *dev = ctx;
    const uint8_t *in = buf;
    dev->writes++;
    dev->write_sectors += count;
    int err = ramdev_call(dev);
    if (count == 0 || lba >= dev->sectors || count > dev->sectors - lba) {
        return -5;
    }
    uint32_t n = err < 0 ? (dev->partial ? (count + 1) / 2 : 0) : count;
    for (uint32_t i = 0; i < n; i++) {
        const struct blob *blob = blob_get(in + 512 * i);
        image_set(dev->img, lba + i, blob);
        dev->waiting = true;
        ramdev_log(dev, OP_WRITE, lba + i, blob);
    }
    return err;
}

static int ramdev_sync(void *ctx) {
    struct ramdev *dev = ctx;
    dev->syncs++;
    int err = ramdev_call(dev);
    if (err < 0) {
        return err;
    }
    dev->waiting = false;
    ramdev_log(dev, OP_SYNC, 0, NULL);
    return 0;
}

void ramdev_init(struct ramdev *dev, struct image *img, uint32_t sectors) {
    memset(dev, 0, sizeof *dev);
    dev->img = img;
    dev->sectors = sectors;
    dev->fail_with = -5;
}

void ramdev_bdev(struct ramdev *dev, struct sdb_bdev *out) {
    out->ctx = dev;
    out->sectors = dev->sectors;
    out->read = ramdev_read;
    out->write = ramdev_write;
    out->sync = ramdev_sync;
}

void oplog_free(struct oplog *log) {
    free(log->ops);
    memset(log, 0, sizeof *log);
}
