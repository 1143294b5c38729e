// SPDX-License-Identifier: MIT
#include "cli/card/fat.h"

#include <string.h>
#include <time.h>

#include "cli/tool.h"
#include "core/error.h"
#include "lib/oofatfs/diskio.h"

// ---- What FatFs calls ---------------------------------------------------------------------------

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

// ---- What the core calls ------------------------------------------------------------------------

static int fat_error(FRESULT res) {
    static const int16_t table[] = {
        [FR_OK] = 0,
        [FR_DISK_ERR] = SDB_EIO,
        [FR_INT_ERR] = SDB_EIO,
        [FR_NOT_READY] = SDB_EBUSY,
        [FR_NO_FILE] = SDB_ENOENT,
        [FR_NO_PATH] = SDB_ENOENT,
        [FR_INVALID_NAME] = SDB_EINVAL,
        [FR_DENIED] = SDB_EACCES, // as MicroPython has it
        [FR_EXIST] = SDB_EEXIST,
        [FR_INVALID_OBJECT] = SDB_EINVAL,
        [FR_WRITE_PROTECTED] = SDB_EROFS,
        [FR_INVALID_DRIVE] = SDB_ENODEV,
        [FR_NOT_ENABLED] = SDB_ENODEV,
        [FR_NO_FILESYSTEM] = SDB_ENODEV,
    };
    return res < sizeof table / sizeof *table ? table[res] : SDB_EIO;
}

static int fat_stat(void *ctx, const char *path, uint32_t *size) {
    struct fat *f = ctx;
    FILINFO info;
    FRESULT res = f_stat(&f->fs, path, &info);
    if (res != FR_OK) {
        return fat_error(res);
    }
    if (size != NULL) {
        *size = (uint32_t)info.fsize;
    }
    return info.fattrib & AM_DIR ? SDB_FS_DIR : SDB_FS_FILE;
}

static int fat_open(void *ctx, const char *path, char mode) {
    struct fat *f = ctx;
    int i = f->used[0] ? 1 : 0;
    if (f->used[i]) {
        return SDB_ENOMEM;
    }
    BYTE how = mode == 'r'   ? FA_READ
               : mode == 'w' ? FA_WRITE | FA_CREATE_ALWAYS
               : mode == 'x' ? FA_WRITE | FA_CREATE_NEW
                             : FA_WRITE | FA_OPEN_APPEND;
    FRESULT res = f_open(&f->fs, &f->files[i], path, how);
    f->used[i] = res == FR_OK;
    return res == FR_OK ? i : fat_error(res);
}

static int fat_read(void *ctx, int file, void *buf, size_t len) {
    struct fat *f = ctx;
    UINT n;
    FRESULT res = f_read(&f->files[file], buf, (UINT)len, &n);
    return res == FR_OK ? (int)n : fat_error(res);
}

static int fat_write(void *ctx, int file, const void *buf, size_t len) {
    struct fat *f = ctx;
    UINT n;
    FRESULT res = f_write(&f->files[file], buf, (UINT)len, &n);
    return res != FR_OK ? fat_error(res) : n < len ? SDB_ENOSPC : 0;
}

static int fat_close(void *ctx, int file) {
    struct fat *f = ctx;
    f->used[file] = false;
    return fat_error(f_close(&f->files[file]));
}

static int fat_opendir(void *ctx, const char *path) {
    struct fat *f = ctx;
    return fat_error(f_opendir(&f->fs, &f->dirs[0], path));
}

static int fat_readdir(void *ctx, int dir, struct sdb_dirent *entry) {
    struct fat *f = ctx;
    FILINFO info;
    FRESULT res = f_readdir(&f->dirs[dir], &info);
    if (res != FR_OK || info.fname[0] == 0) {
        return fat_error(res);
    }
    entry->type = info.fattrib & AM_DIR ? SDB_FS_DIR : SDB_FS_FILE;
    size_t len = strnlen(info.fname, SDB_NAME_MAX);
    memcpy(entry->name, info.fname, len);
    entry->name[len] = '\0';
    return 1;
}

static void fat_closedir(void *ctx, int dir) {
    struct fat *f = ctx;
    f_closedir(&f->dirs[dir]);
}

static int fat_mkdir(void *ctx, const char *path) {
    struct fat *f = ctx;
    return fat_error(f_mkdir(&f->fs, path));
}

static int fat_remove(void *ctx, const char *path) {
    struct fat *f = ctx;
    return fat_error(f_unlink(&f->fs, path));
}

static int fat_rename(void *ctx, const char *from, const char *to) {
    struct fat *f = ctx;
    return fat_error(f_rename(&f->fs, from, to));
}

int fat_mount(struct fat *f, const struct sdb_bdev *dev, struct sdb_fs *out) {
    memset(f, 0, sizeof *f);
    f->dev = *dev;
    f->fs.drv = f;
    *out = (struct sdb_fs){
        .ctx = f,
        .stat = fat_stat,
        .open = fat_open,
        .read = fat_read,
        .write = fat_write,
        .close = fat_close,
        .opendir = fat_opendir,
        .readdir = fat_readdir,
        .closedir = fat_closedir,
        .mkdir = fat_mkdir,
        .remove = fat_remove,
        .rmdir = fat_remove,
        .rename = fat_rename,
    };
    return fat_error(f_mount(&f->fs));
}
