// SPDX-License-Identifier: MIT
#include "cli/card/fat.h"

#include <string.h>
#include <time.h>

#include "cli/tool.h"
#include "lib/oofatfs/diskio.h"

DRESULT disk_read(void *drv, BYTE *buf, DWORD sector, UINT count) {
    struct fat *f = drv;
    return f->dev.read(f->dev.ctx, sector, count, buf) == 0 ? RES_OK : RES_ERROR;
}

DRESULT disk_write(void *drv, const BYTE *buf, DWORD sector, UINT count) {
    struct fat *f = drv;
    return f->dev.write(f->dev.ctx, sector, count, buf) == 0 ? RES_OK : RES_ERROR;
}

DRESULT disk_ioctl(void *drv, BYTE cmd, void *buf) {
    struct fat *f = drv;
    switch (cmd) {
    case CTRL_SYNC:
        return f->dev.sync(f->dev.ctx) == 0 ? RES_OK : RES_ERROR;
    case GET_SECTOR_COUNT:
        *(DWORD *)buf = f->dev.sectors;
        return RES_OK;
    case GET_SECTOR_SIZE:
        *(WORD *)buf = SDB_SECTOR;
        return RES_OK;
    case GET_BLOCK_SIZE:
        *(DWORD *)buf = 1;
        return RES_OK;
    case IOCTL_INIT:
    case IOCTL_STATUS:
        *(DSTATUS *)buf = 0;
        return RES_OK;
    default:
        return RES_PARERR;
    }
}

DWORD get_fattime(void) {
    time_t now = (time_t)tool_now();
    struct tm t;
    localtime_r(&now, &t);
    if (t.tm_year < 80) {
        return 1u << 21 | 1u << 16; // FAT knows nothing before 1980
    }
    return (DWORD)(t.tm_year - 80) << 25 | (DWORD)(t.tm_mon + 1) << 21 | (DWORD)t.tm_mday << 16 |
           (DWORD)t.tm_hour << 11 | (DWORD)t.tm_min << 5 | (DWORD)t.tm_sec >> 1;
}

int fat_mount(struct fat *f, const struct sdb_bdev *dev, struct sdb_fs *out) {
    memset(f, 0, sizeof *f);
    f->dev = *dev;
    f->fs.drv = f;
    ff_fs_init(&f->open, &f->fs, out);
    return ff_fs_error(f_mount(&f->fs));
}
