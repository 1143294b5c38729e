// SPDX-License-Identifier: MIT
#include "accept.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/hash.h"
#include "core/error.h"
#include "core/release/install.h"
#include "tool.h"

// ---- A card with nothing on it that swallows what is written -----------------------------------

static int void_stat(void *ctx, const char *path, uint32_t *size) {
    (void)ctx, (void)path, (void)size;
    return SDB_ENOENT;
}

static int void_open(void *ctx, const char *path, char mode) {
    (void)ctx, (void)path;
    return mode == 'r' ? SDB_ENOENT : 0;
}

static int void_read(void *ctx, int file, void *buf, size_t len) {
    (void)ctx, (void)file, (void)buf, (void)len;
    return 0;
}

static int void_write(void *ctx, int file, const void *buf, size_t len) {
    (void)ctx, (void)file, (void)buf, (void)len;
    return 0;
}

static int void_close(void *ctx, int file) {
    (void)ctx, (void)file;
    return 0;
}

static int void_path(void *ctx, const char *path) {
    (void)ctx, (void)path;
    return SDB_ENOENT;
}

static int void_readdir(void *ctx, int dir, struct sdb_dirent *entry) {
    (void)ctx, (void)dir, (void)entry;
    return 0;
}

static void void_closedir(void *ctx, int dir) {
    (void)ctx, (void)dir;
}

static int void_mkdir(void *ctx, const char *path) {
    (void)ctx, (void)path;
    return 0;
}

static int void_rename(void *ctx, const char *from, const char *to) {
    (void)ctx, (void)from, (void)to;
    return 0;
}

static const struct sdb_fs void_fs = {
    .stat = void_stat,
    .open = void_open,
    .read = void_read,
    .write = void_write,
    .close = void_close,
    .opendir = void_path,
    .readdir = void_readdir,
    .closedir = void_closedir,
    .mkdir = void_mkdir,
    .remove = void_path,
    .rmdir = void_path,
    .rename = void_rename,
};

static int slot_read(void *ctx, int slot, uint8_t *buf) {
    memcpy(buf, (uint8_t *)ctx + (size_t)slot * SDB_RECORD_SIZE, SDB_RECORD_SIZE);
    return 0;
}

static int slot_write(void *ctx, int slot, const uint8_t *buf) {
    memcpy((uint8_t *)ctx + (size_t)slot * SDB_RECORD_SIZE, buf, SDB_RECORD_SIZE);
    return 0;
}

// ---- Names: a board has little memory for them, a PC enough -------------------------------------

static int names_grow(void *ctx, struct sdb_names *names) {
    (void)ctx;
    names->capacity *= 2;
    names->table = realloc(names->table, names->capacity * sizeof *names->table);
    return names->table != NULL ? 0 : SDB_ENOMEM;
}

static FILE *open_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        tool_die("%s: %s", path, strerror(errno));
    }
    return f;
}

static size_t read_piece(FILE *f, const char *path, uint8_t *piece, size_t size) {
    size_t n = fread(piece, 1, size, f);
    if (n == 0 && ferror(f)) {
        tool_die("%s: %s", path, strerror(errno));
    }
    return n;
}

int accept_package(const char *path, const char *version, const uint8_t sha1[20],
                   char member[ACCEPT_MEMBER_MAX]) {
    static struct sdb_install in;
    static uint8_t piece[65536];
    uint8_t slots[2 * SDB_RECORD_SIZE] = {0};
    const struct sdb_record_store store = {slots, slot_read, slot_write};
    mbedtls_md_context_t md[2];
    struct sdb_hash whole = hash_of(&md[0], MBEDTLS_MD_SHA1);
    struct sdb_hash each = hash_sha256(&md[1]);
    struct sdb_names names = {.capacity = 256, .grow = names_grow};
    names.table = tool_alloc(names.capacity * sizeof *names.table);
    struct sdb_install_config cfg = {
        .fs = &void_fs,
        .hash = &whole,
        .store = &store,
        .main_dir = "app",
        .next_dir = "next",
        .version = version,
        .file_hash = &each,
    };
    memcpy(cfg.digest, sha1, 20);

    FILE *f = open_file(path);
    memset(&in, 0, sizeof in);
    int res = sdb_install_begin(&in, &cfg, &names);
    while (res == 0) {
        res = sdb_install_clean(&in);
        if (res <= 0) {
            break;
        }
        res = 0;
    }
    size_t n;
    while (res == 0 && (n = read_piece(f, path, piece, sizeof piece)) > 0) {
        res = sdb_install_feed(&in, piece, n);
    }
    snprintf(member, ACCEPT_MEMBER_MAX, "%s", res < 0 ? in.tar.path : "");
    if (res == 0) {
        res = sdb_install_finish(&in);
    }
    fclose(f);
    free(in.names.table);
    hash_free(&md[0]);
    hash_free(&md[1]);
    return res;
}

static void hash_file(const char *path, mbedtls_md_type_t type, uint8_t *digest) {
    static uint8_t piece[65536];
    mbedtls_md_context_t md;
    struct sdb_hash hash = hash_of(&md, type);
    FILE *f = open_file(path);
    size_t n;
    while ((n = read_piece(f, path, piece, sizeof piece)) > 0) {
        hash.update(hash.ctx, piece, n);
    }
    hash.digest(hash.ctx, digest);
    fclose(f);
    hash_free(&md);
}

void accept_sha1(const char *path, uint8_t sha1[20]) {
    hash_file(path, MBEDTLS_MD_SHA1, sha1);
}

void accept_sha256(const char *path, uint8_t sha256[32]) {
    hash_file(path, MBEDTLS_MD_SHA256, sha256);
}
