// SPDX-License-Identifier: MIT
#include "core/release/install_member.h"

#include "core/error.h"
#include "core/release/path.h"
#include "core/semver.h"

#include <string.h>

static int install_flush(struct sdb_install *in) {
    const struct sdb_fs *fs = in->cfg.fs;
    size_t n = in->gathered;
    in->gathered = 0;
    return n > 0 ? fs->write(fs->ctx, in->out, in->cfg.gather, n) : 0;
}

int sdb_install_member_close(struct sdb_install *in) {
    const struct sdb_fs *fs = in->cfg.fs;
    int res = 0;
    if (in->cmp >= 0) {
        fs->close(fs->ctx, in->cmp);
        in->cmp = -1;
    }
    if (in->out >= 0) {
        int flushed = install_flush(in);
        res = fs->close(fs->ctx, in->out);
        res = flushed < 0 ? flushed : res;
        in->out = -1;
    }
    return res;
}

// ---- Where a member goes -----------------------------------------------------------------------

// Refuses what FAT may have for another file or directory of the card, by its short name. Files in
// main_dir have none beside them but those of the package, which are not opened twice.
static int install_check_alias(const char *path, bool in_main, int type) {
    for (;;) {
        const char *end = strchr(path, '/');
        if (end == NULL && in_main && type == SDB_FS_FILE) {
            return 0;
        }
        if (sdb_path_is_alias(path, end != NULL ? (size_t)(end - path) : strlen(path))) {
            return SDB_EPKG_ALIAS;
        }
        if (end == NULL) {
            return 0;
        }
        path = end + 1;
    }
}

// Is `path` the file `name`, whose place is not in a package: to be skipped (1) or, as a directory,
// refused? 0 if it is something else.
static int install_skip(const char *path, const char *name, int type) {
    if (!sdb_path_under_nocase(path, name)) {
        return 0;
    }
    return type == SDB_FS_FILE && path[strlen(name)] == '\0' ? 1 : SDB_EPKG_RESERVED;
}

// Refuses what a package must not replace, and returns 1 for what is skipped; `path` is clean.
static int install_check_path(struct sdb_install *in, const char *path, bool in_main, int type) {
    const struct sdb_install_config *cfg = &in->cfg;
    if (sdb_path_under_nocase(path, SDB_DIR) || sdb_path_under_nocase(path, SDB_NAME_PREV) ||
        sdb_path_under_nocase(path, cfg->next_dir)) {
        return SDB_EPKG_RESERVED;
    }
    int res = install_check_alias(path, in_main, type);
    if (res < 0) {
        return res;
    }
    if (in_main) {
        const char *rest = path + strlen(cfg->main_dir);
        return *rest == '/' ? install_skip(rest + 1, SDB_MANIFEST_FILE, type) : 0;
    }
    // "App/" is app/ on FAT and another directory on littlefs.
    if (sdb_path_under_nocase(path, cfg->main_dir)) {
        return SDB_EPKG_RESERVED;
    }
    res = install_skip(path, SDB_FLASH_FILE, type);
    in->skipped_boot = in->skipped_boot || res == 1;
    return res;
}

void sdb_install_member_dir(struct sdb_install *in) {
    if (in->second) {
        strcpy(in->path, SDB_DIR_APP2);
        return;
    }
    in->path[0] = '/';
    strcpy(in->path + 1, in->cfg.next_dir);
}

// Sets in->path to where member `path` is staged, and in->live to what it will replace ("" for
// members of main_dir, which is replaced as a whole).
static void install_map_path(struct sdb_install *in, const char *path, bool in_main) {
    in->live[0] = '\0';
    if (in_main) {
        path += strlen(in->cfg.main_dir);
        path += *path == '/';
        sdb_install_member_dir(in);
    } else {
        in->live[0] = '/';
        strcpy(in->live + 1, path);
        strcpy(in->path, in->second ? SDB_DIR_NEW2 : SDB_DIR_NEW);
    }
    if (*path != '\0') {
        strcat(in->path, "/");
        strcat(in->path, path);
    }
}

static int install_mkdir(struct sdb_install *in) {
    const struct sdb_fs *fs = in->cfg.fs;
    int res = sdb_tree_parents(fs, in->path, 0);
    if (res == 0) {
        res = fs->mkdir(fs->ctx, in->path);
    }
    return res == SDB_EEXIST ? 0 : res;
}

static int install_create(struct sdb_install *in) {
    const struct sdb_fs *fs = in->cfg.fs;
    // app/.version is there before its turn comes. So may be what an index can't describe, and an
    // earlier attempt has left: names that this package has twice are refused before.
    char mode = in->is_version || in->resumed ? 'w' : 'x';
    in->written = true;
    int res = fs->open(fs->ctx, in->path, mode);
    if (res == SDB_ENOENT) {
        res = sdb_tree_parents(fs, in->path, 0);
        if (res == 0) {
            res = fs->open(fs->ctx, in->path, mode);
        }
    }
    in->out = res;
    // Names that are one to this filesystem only: its code page may know more cases than ours.
    return res == SDB_EEXIST ? SDB_EPKG_DUPLICATE : res < 0 ? res : 0;
}

// A parent of in->live that is a file would make the swap fail: better to refuse now.
static int install_check_parents(struct sdb_install *in) {
    const struct sdb_fs *fs = in->cfg.fs;
    for (char *p = strchr(in->live + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        int type = fs->stat(fs->ctx, in->live, NULL);
        *p = '/';
        if (type == SDB_FS_FILE) {
            return SDB_EPKG_CONFLICT;
        }
        if (type < 0) {
            return type == SDB_ENOENT ? 0 : type;
        }
    }
    return 0;
}

// Looks at what an outside member will replace. A file of the same size is compared first.
static int install_begin_outside(struct sdb_install *in, int type, uint32_t size) {
    const struct sdb_fs *fs = in->cfg.fs;
    uint32_t live_size;
    int res = install_check_parents(in);
    if (res < 0) {
        return res;
    }
    int live = fs->stat(fs->ctx, in->live, &live_size);
    if (live < 0 && live != SDB_ENOENT) {
        return live;
    }
    if (live >= 0 && live != type) {
        return SDB_EPKG_CONFLICT;
    }
    if (type == SDB_FS_DIR) {
        return live == SDB_FS_DIR ? 0 : install_mkdir(in);
    }
    if (live == SDB_FS_FILE && live_size == size) {
        in->cmp = fs->open(fs->ctx, in->live, 'r');
        return in->cmp < 0 ? in->cmp : 0;
    }
    return install_create(in);
}

// ---- Members, as the tar reader hands them on --------------------------------------------------

static int install_hash_start(struct sdb_install *in) {
    const struct sdb_hash *hash = in->cfg.file_hash;
    return hash != NULL ? hash->start(hash->ctx) : 0;
}

static int install_hash_update(struct sdb_install *in, const void *data, size_t len) {
    const struct sdb_hash *hash = in->cfg.file_hash;
    return hash != NULL ? hash->update(hash->ctx, data, len) : 0;
}

static int install_hash_end(struct sdb_install *in, const char *path) {
    const struct sdb_hash *hash = in->cfg.file_hash;
    uint8_t digest[SDB_HASH_MAX];
    int res = hash != NULL ? hash->digest(hash->ctx, digest) : 0;
    return res < 0 || hash == NULL ? res
                                   : sdb_manifest_add(&in->manifest, digest, path, !in->written);
}

static int install_write(struct sdb_install *in, const void *data, size_t len);

// Writes app/.version before everything else in app/: a boot then finds it with the same few reads
// however many files there are. Packages need not have one, the boards of the original want it.
static int install_place_version(struct sdb_install *in) {
    if (in->placed_version) {
        return 0;
    }
    in->placed_version = true;
    sdb_install_member_dir(in);
    strcat(in->path, "/" SDB_VERSION_FILE);
    int res = install_create(in);
    if (res == 0) {
        res = install_write(in, in->cfg.version, strlen(in->cfg.version));
    }
    int closed = sdb_install_member_close(in);
    return res < 0 ? res : closed;
}

// What is lost if the power goes now, a member of `size` bytes included, must not be too much.
static int install_limit_loss(struct sdb_install *in, uint32_t size) {
    uint32_t limit = in->cfg.resume;
    if (in->since == 0 || (size <= limit && in->since <= limit - size)) {
        in->since += size;
        return 0;
    }
    in->since = size;
    return sdb_install_checkpoint(in, true);
}

static int install_on_begin(void *ctx, const char *path, int type, uint32_t size) {
    struct sdb_install *in = ctx;
    bool in_main = sdb_path_under(path, in->cfg.main_dir);
    int res = install_check_path(in, path, in_main, type);
    if (res != 0) {
        return res;
    }
    in->kept = in->keep && in->cfg.resume > 0 && type == SDB_FS_FILE;
    in->keep = false;
    in->is_version = false;
    res = install_place_version(in);
    if (res < 0) {
        return res;
    }
    strcpy(in->path, path);
    res = sdb_names_add(&in->names, in->path, type == SDB_FS_DIR);
    if (res < 0) {
        return res;
    }
    install_map_path(in, path, in_main);
    in->size = size;
    in->done = 0;
    in->written = in->kept;
    if (in->cfg.resume > 0 && !in->kept) {
        res = install_limit_loss(in, size);
        if (res < 0) {
            return res;
        }
    }
    if (type == SDB_FS_FILE) {
        in->files++;
        res = install_hash_start(in);
        if (res < 0) {
            return res;
        }
        if (in_main) {
            if (strchr(path, '/') == NULL) {
                return SDB_EPKG_CONFLICT; // a file named app
            }
            in->has_app = true;
            in->is_version = strcmp(strchr(path, '/') + 1, SDB_VERSION_FILE) == 0;
            in->has_version = in->has_version || in->is_version;
            return in->kept ? 0 : install_create(in);
        }
    } else if (in_main) {
        return install_mkdir(in);
    }
    return in->kept ? 0 : install_begin_outside(in, type, size);
}

static int install_write(struct sdb_install *in, const void *data, size_t len) {
    const struct sdb_fs *fs = in->cfg.fs;
    const uint8_t *p = data;
    if (in->cfg.gather_size == 0) {
        return fs->write(fs->ctx, in->out, data, len);
    }
    while (len > 0) {
        size_t room = in->cfg.gather_size - in->gathered;
        size_t n = len < room ? len : room;
        memcpy(in->cfg.gather + in->gathered, p, n);
        in->gathered += n;
        p += n;
        len -= n;
        if (in->gathered == in->cfg.gather_size) {
            int res = install_flush(in);
            if (res < 0) {
                return res;
            }
        }
    }
    return 0;
}

// The live file differs after `same` bytes that were equal: stage those, then go on writing.
static int install_diverge(struct sdb_install *in, uint32_t same) {
    const struct sdb_fs *fs = in->cfg.fs;
    fs->close(fs->ctx, in->cmp);
    in->cmp = -1;
    int res = install_create(in);
    if (res < 0 || same == 0) {
        return res;
    }
    in->cmp = fs->open(fs->ctx, in->live, 'r');
    if (in->cmp < 0) {
        return in->cmp;
    }
    while (same > 0) {
        size_t n = same < sizeof(in->buf) ? same : sizeof(in->buf);
        res = fs->read(fs->ctx, in->cmp, in->buf, n);
        if (res <= 0) {
            return res < 0 ? res : SDB_EIO; // it was longer a moment ago
        }
        same -= (uint32_t)res;
        res = install_write(in, in->buf, (size_t)res);
        if (res < 0) {
            return res;
        }
    }
    fs->close(fs->ctx, in->cmp);
    in->cmp = -1;
    return 0;
}

// Compares with the live file; returns how many bytes need no writing, or an error.
static int install_compare(struct sdb_install *in, const uint8_t *data, size_t len) {
    const struct sdb_fs *fs = in->cfg.fs;
    size_t pos = 0;
    while (pos < len) {
        size_t n = len - pos < sizeof(in->buf) ? len - pos : sizeof(in->buf);
        int res = fs->read(fs->ctx, in->cmp, in->buf, n);
        if (res < 0) {
            return res;
        }
        if (res == 0 || memcmp(in->buf, data + pos, (size_t)res) != 0) {
            res = install_diverge(in, in->done + (uint32_t)pos);
            return res < 0 ? res : (int)pos;
        }
        pos += (size_t)res;
    }
    return (int)pos;
}

static int install_on_data(void *ctx, const void *data, size_t len) {
    struct sdb_install *in = ctx;
    size_t pos = 0;
    if (in->is_version && in->done < sizeof(in->found)) {
        size_t room = sizeof(in->found) - in->done;
        memcpy(in->found + in->done, data, len < room ? len : room);
    }
    int res = install_hash_update(in, data, len);
    if (res == 0 && in->cmp >= 0) {
        res = install_compare(in, data, len);
        pos = res < 0 ? 0 : (size_t)res;
    }
    if (res < 0) {
        return res;
    }
    in->done += (uint32_t)len;
    if (in->kept) {
        return 0;
    }
    return pos < len ? install_write(in, (const uint8_t *)data + pos, len - pos) : 0;
}

// Does app/.version say what was announced, if perhaps in other words ("v1.2", "1.2.0")?
static bool install_version_agrees(const struct sdb_install *in) {
    char word[SDB_VERSION_MAX + 1];
    size_t len = in->size < sizeof(in->found) ? in->size : sizeof(in->found);
    sdb_version_word(in->found, len, word);
    return sdb_semver_valid(word) && sdb_semver_compare(word, in->cfg.version) == 0;
}

static int install_on_end(void *ctx) {
    struct sdb_install *in = ctx;
    int res = sdb_install_member_close(in);
    if (res == 0 && in->is_version && !install_version_agrees(in)) {
        res = SDB_EPKG_VERSION;
    }
    if (res == 0) {
        res = install_hash_end(in, in->tar.path);
    }
    return res < 0 ? res : sdb_install_checkpoint(in, false);
}

void sdb_install_member_init(struct sdb_install *in) {
    const struct sdb_tar_events events = {in, install_on_begin, install_on_data, install_on_end};
    sdb_tar_init(&in->tar, &events);
}

int sdb_install_member_add_version(struct sdb_install *in) {
    if (in->has_version) {
        return 0;
    }
    in->written = true;
    int res = install_hash_start(in);
    if (res == 0) {
        res = install_hash_update(in, in->cfg.version, strlen(in->cfg.version));
    }
    strcpy(in->path, in->cfg.main_dir);
    strcat(in->path, "/" SDB_VERSION_FILE);
    return res < 0 ? res : install_hash_end(in, in->path);
}
