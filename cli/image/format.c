// SPDX-License-Identifier: MIT
#include "cli/image/format.h"

#include <string.h>

#include "cli/card/fat.h"
#include "cli/card/lfs.h"
#include "cli/tool.h"
#include "core/card/mkfs.h"
#include "core/error.h"
#include "core/journal/volume_make.h"

#define WIPE_BLOCKS 32 // behind sector 256 nothing looks for a mark
#define BUFFER 4096

static uint8_t buf[BUFFER];

static _Noreturn void failed(const struct device *d, int res) {
    if (res == SDB_ENOSPC) {
        tool_die("%s: too small: 3 MiB is the least for FAT", d->path);
    }
    tool_die("%s: can't be formatted: %s (%d)", d->path, sdb_strerror(res), -res);
}

// The control area: in the gap before the partition, or else in a file.
static int make_area(struct device *d) {
    static struct sdb_volume volume;
    static struct sdb_volume_make make;
    static struct fat fat;
    struct sdb_bdev top;
    struct sdb_fs fs;
    int res = sdb_volume_prepare(&make, &volume, &d->bdev, true, buf, sizeof buf);
    if (res < 0 || sdb_volume_why(&volume) != SDB_ENOSPC) {
        return res;
    }
    res = sdb_volume_begin_file(&make, &volume, buf, sizeof buf);
    if (res == 0) {
        sdb_volume_bdev(&volume, &top);
        res = fat_mount(&fat, &top, &fs);
        res = res == 0 ? sdb_volume_make_file(&make, &volume, &fs, buf) : res;
    }
    if (res < 0) {
        res = sdb_volume_make_last(&make, &volume, buf);
    }
    return res == SDB_ENOSPC ? 0 : res; // used without a journal, as the board does
}

static int format_fat(struct device *d, uint32_t serial) {
    int res = sdb_mkfs_fat(&d->bdev, serial, buf, sizeof buf);
    return res == 0 ? make_area(d) : res;
}

static int format_lfs(struct device *d) {
    static struct lfs lfs;
    const struct sdb_bdev *dev = &d->bdev;
    const uint32_t block = LFS_BLOCK / SDB_SECTOR;
    int res = dev->sectors / block >= WIPE_BLOCKS ? sdb_mkfs_begin(dev, buf) : SDB_ENOSPC;
    memset(buf, 0, sizeof buf);
    if (res == 0) {
        res = dev->write(dev->ctx, 1, block - 1, buf);
    }
    for (uint32_t i = 1; i < WIPE_BLOCKS && res == 0; i++) {
        res = dev->write(dev->ctx, i * block, block, buf);
    }
    if (res == 0) {
        lfs_init(&lfs, dev, LFS_BLOCK);
        res = lfs2_format(&lfs.fs, &lfs.cfg);
    }
    return res == 0 ? sdb_mkfs_end(dev, buf) : res;
}

void format_card(struct device *d, bool littlefs, uint32_t serial) {
    int res = littlefs ? format_lfs(d) : format_fat(d, serial);
    if (res < 0) {
        failed(d, res);
    }
}
