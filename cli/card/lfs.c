// SPDX-License-Identifier: MIT
#include "cli/card/lfs.h"

#include <string.h>

#include "core/bytes.h"
#include "core/card/blocks.h"
#include "core/error.h"

static int lfs_card_read(const struct lfs2_config *c, lfs2_block_t block, lfs2_off_t off, void *buf,
                         lfs2_size_t len) {
    struct lfs *f = c->context;
    return sdb_blocks_read(f->dev, c->block_size, block, off, buf, len, f->bounce);
}

static int lfs_card_prog(const struct lfs2_config *c, lfs2_block_t block, lfs2_off_t off,
                         const void *buf, lfs2_size_t len) {
    struct lfs *f = c->context;
    return sdb_blocks_program(f->dev, c->block_size, block, off, buf, len, f->bounce);
}

static int lfs_card_erase(const struct lfs2_config *c, lfs2_block_t block) {
    (void)c;
    (void)block;
    return 0;
}

static int lfs_card_sync(const struct lfs2_config *c) {
    struct lfs *f = c->context;
    return f->dev->sync(f->dev->ctx);
}

void lfs_note(struct lfs *f, bool done) {
    if (f->note != NULL) {
        f->note(f->note_ctx, done);
    }
}

static int lfs_stat(void *ctx, const char *path, uint32_t *size) {
    struct lfs *f = ctx;
    struct lfs2_info info;
    int res = lfs2_stat(&f->fs, path, &info);
    if (res < 0) {
        return res;
    }
    if (size != NULL) {
        *size = info.type == LFS2_TYPE_REG ? info.size : 0;
    }
    return info.type == LFS2_TYPE_DIR ? SDB_FS_DIR : SDB_FS_FILE;
}

// As MicroPython opens files, with their time as an attribute: nanoseconds since 1970.
static int lfs_open(void *ctx, const char *path, char mode) {
    struct lfs *f = ctx;
    int i = 0;
    int res;
    while (i < LFS_FILES && f->used[i]) {
        i++;
    }
    if (i == LFS_FILES) {
        return SDB_ENOMEM;
    }
    int flags = mode == 'r'   ? LFS2_O_RDONLY
                : mode == '+' ? LFS2_O_RDWR
                : mode == 'w' ? LFS2_O_WRONLY | LFS2_O_CREAT | LFS2_O_TRUNC
                : mode == 'x' ? LFS2_O_WRONLY | LFS2_O_CREAT | LFS2_O_EXCL
                              : LFS2_O_WRONLY | LFS2_O_CREAT | LFS2_O_APPEND;
    uint64_t now = f->now != NULL ? f->now() * 1000000000u : 0;
    sdb_put32(f->mtime[i], (uint32_t)now);
    sdb_put32(f->mtime[i] + 4, (uint32_t)(now >> 32));
    f->attrs[i] = (struct lfs2_attr){1, f->mtime[i], sizeof f->mtime[i]};
    memset(&f->file_cfg[i], 0, sizeof f->file_cfg[i]);
    f->file_cfg[i].buffer = f->file_buf[i];
    f->file_cfg[i].attrs = &f->attrs[i];
    f->file_cfg[i].attr_count = 1;
    if (flags & LFS2_O_CREAT) {
        LFS_NOTED(f, res, lfs2_file_opencfg(&f->fs, &f->files[i], path, flags, &f->file_cfg[i]));
    } else {
        res = lfs2_file_opencfg(&f->fs, &f->files[i], path, flags, &f->file_cfg[i]);
    }
    f->used[i] = res >= 0;
    return res < 0 ? res : i;
}

static int lfs_read(void *ctx, int file, void *buf, size_t len) {
    struct lfs *f = ctx;
    return lfs2_file_read(&f->fs, &f->files[file], buf, (lfs2_size_t)len);
}

static int lfs_write(void *ctx, int file, const void *buf, size_t len) {
    struct lfs *f = ctx;
    lfs2_ssize_t n = lfs2_file_write(&f->fs, &f->files[file], buf, (lfs2_size_t)len);
    return n < 0 ? n : (size_t)n < len ? SDB_ENOSPC : 0;
}

static int lfs_close(void *ctx, int file) {
    struct lfs *f = ctx;
    int res;
    f->used[file] = false;
    if (f->files[file].flags & LFS2_O_WRONLY) {
        LFS_NOTED(f, res, lfs2_file_close(&f->fs, &f->files[file]));
    } else {
        res = lfs2_file_close(&f->fs, &f->files[file]);
    }
    return res;
}

static int lfs_opendir(void *ctx, const char *path) {
    struct lfs *f = ctx;
    return lfs2_dir_open(&f->fs, &f->dir, path);
}

static int lfs_readdir(void *ctx, int dir, struct sdb_dirent *entry) {
    struct lfs *f = ctx;
    struct lfs2_info info;
    int res;
    (void)dir;
    do {
        res = lfs2_dir_read(&f->fs, &f->dir, &info);
    } while (res > 0 && (strcmp(info.name, ".") == 0 || strcmp(info.name, "..") == 0));
    if (res > 0) {
        entry->type = info.type == LFS2_TYPE_DIR ? SDB_FS_DIR : SDB_FS_FILE;
        size_t len = strnlen(info.name, SDB_NAME_MAX);
        memcpy(entry->name, info.name, len);
        entry->name[len] = '\0';
        return 1;
    }
    return res;
}

static void lfs_closedir(void *ctx, int dir) {
    struct lfs *f = ctx;
    (void)dir;
    lfs2_dir_close(&f->fs, &f->dir);
}

static int lfs_mkdir(void *ctx, const char *path) {
    struct lfs *f = ctx;
    int res;
    LFS_NOTED(f, res, lfs2_mkdir(&f->fs, path));
    return res;
}

static int lfs_remove(void *ctx, const char *path) {
    struct lfs *f = ctx;
    int res;
    LFS_NOTED(f, res, lfs2_remove(&f->fs, path));
    return res;
}

static int lfs_rename(void *ctx, const char *from, const char *to) {
    struct lfs *f = ctx;
    int res;
    LFS_NOTED(f, res, lfs2_rename(&f->fs, from, to));
    return res;
}

void lfs_init(struct lfs *f, const struct sdb_bdev *dev, uint32_t block_size) {
    memset(f, 0, sizeof *f);
    f->dev = dev;
    f->cfg.context = f;
    f->cfg.read = lfs_card_read;
    f->cfg.prog = lfs_card_prog;
    f->cfg.erase = lfs_card_erase;
    f->cfg.sync = lfs_card_sync;
    f->cfg.read_size = f->cfg.prog_size = SDB_SECTOR;
    f->cfg.block_size = block_size;
    f->cfg.block_count = dev->sectors / (block_size / SDB_SECTOR);
    f->cfg.block_cycles = 100;
    f->cfg.cache_size = block_size < LFS_CACHE ? block_size : LFS_CACHE;
    f->cfg.lookahead_size = LFS_LOOKAHEAD;
    f->cfg.read_buffer = f->read_buf;
    f->cfg.prog_buffer = f->prog_buf;
    f->cfg.lookahead_buffer = f->lookahead;
}

int lfs_mount(struct lfs *f, struct sdb_fs *out) {
    memset(f->used, 0, sizeof f->used);
    *out = (struct sdb_fs){
        .ctx = f,
        .stat = lfs_stat,
        .open = lfs_open,
        .read = lfs_read,
        .write = lfs_write,
        .close = lfs_close,
        .opendir = lfs_opendir,
        .readdir = lfs_readdir,
        .closedir = lfs_closedir,
        .mkdir = lfs_mkdir,
        .remove = lfs_remove,
        .rmdir = lfs_remove,
        .rename = lfs_rename,
    };
    return lfs2_mount(&f->fs, &f->cfg);
}
