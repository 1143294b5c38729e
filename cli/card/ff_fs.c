// SPDX-License-Identifier: MIT
#include "cli/card/ff_fs.h"

#include <string.h>

#include "core/error.h"

int ff_fs_error(FRESULT res) {
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

static int ff_stat(void *ctx, const char *path, uint32_t *size) {
    struct ff_fs *f = ctx;
    FILINFO info;
    FRESULT res = f_stat(f->fs, path, &info);
    if (res != FR_OK) {
        return ff_fs_error(res);
    }
    if (size != NULL) {
        *size = (uint32_t)info.fsize;
    }
    return info.fattrib & AM_DIR ? SDB_FS_DIR : SDB_FS_FILE;
}

static int ff_open(void *ctx, const char *path, char mode) {
    struct ff_fs *f = ctx;
    int i = 0;
    while (i < FF_FS_FILES && f->used[i]) {
        i++;
    }
    if (i == FF_FS_FILES) {
        return SDB_ENOMEM;
    }
    BYTE how = mode == 'r'   ? FA_READ
               : mode == 'w' ? FA_WRITE | FA_CREATE_ALWAYS
               : mode == 'x' ? FA_WRITE | FA_CREATE_NEW
                             : FA_WRITE | FA_OPEN_APPEND;
    FRESULT res = f_open(f->fs, &f->files[i], path, how);
    f->used[i] = res == FR_OK;
    return res == FR_OK ? i : ff_fs_error(res);
}

static int ff_read(void *ctx, int file, void *buf, size_t len) {
    struct ff_fs *f = ctx;
    UINT n;
    FRESULT res = f_read(&f->files[file], buf, (UINT)len, &n);
    return res == FR_OK ? (int)n : ff_fs_error(res);
}

static int ff_write(void *ctx, int file, const void *buf, size_t len) {
    struct ff_fs *f = ctx;
    UINT n;
    FRESULT res = f_write(&f->files[file], buf, (UINT)len, &n);
    return res != FR_OK ? ff_fs_error(res) : n < len ? SDB_ENOSPC : 0;
}

static int ff_close(void *ctx, int file) {
    struct ff_fs *f = ctx;
    f->used[file] = false;
    return ff_fs_error(f_close(&f->files[file]));
}

static int ff_opendir(void *ctx, const char *path) {
    struct ff_fs *f = ctx;
    return ff_fs_error(f_opendir(f->fs, &f->dir, path));
}

static int ff_readdir(void *ctx, int dir, struct sdb_dirent *entry) {
    struct ff_fs *f = ctx;
    FILINFO info;
    (void)dir;
    FRESULT res = f_readdir(&f->dir, &info);
    if (res != FR_OK || info.fname[0] == 0) {
        return ff_fs_error(res);
    }
    entry->type = info.fattrib & AM_DIR ? SDB_FS_DIR : SDB_FS_FILE;
    size_t len = strnlen(info.fname, SDB_NAME_MAX);
    memcpy(entry->name, info.fname, len);
    entry->name[len] = '\0';
    return 1;
}

static void ff_closedir(void *ctx, int dir) {
    struct ff_fs *f = ctx;
    (void)dir;
    f_closedir(&f->dir);
}

static int ff_mkdir(void *ctx, const char *path) {
    struct ff_fs *f = ctx;
    return ff_fs_error(f_mkdir(f->fs, path));
}

static int ff_remove(void *ctx, const char *path) {
    struct ff_fs *f = ctx;
    return ff_fs_error(f_unlink(f->fs, path));
}

static int ff_rename(void *ctx, const char *from, const char *to) {
    struct ff_fs *f = ctx;
    return ff_fs_error(f_rename(f->fs, from, to));
}

void ff_fs_init(struct ff_fs *f, FATFS *fs, struct sdb_fs *out) {
    memset(f, 0, sizeof *f);
    f->fs = fs;
    *out = (struct sdb_fs){
        .ctx = f,
        .stat = ff_stat,
        .open = ff_open,
        .read = ff_read,
        .write = ff_write,
        .close = ff_close,
        .opendir = ff_opendir,
        .readdir = ff_readdir,
        .closedir = ff_closedir,
        .mkdir = ff_mkdir,
        .remove = ff_remove,
        .rmdir = ff_remove,
        .rename = ff_rename,
    };
}
