// SPDX-License-Identifier: MIT
#include "core/release/delta.h"

#include <string.h>

#include "core/bytes.h"
#include "core/error.h"
#include "core/release/layout.h"
#include "core/release/path.h"
#include "core/release/record.h"

// Where an entry of the package comes from. The numbers below are of entries on their own.
enum {
    DELTA_MADE = 0,     // needs no source: a directory, an empty file, zeros
    DELTA_FETCH = 1,    // lies in a range that begins before
    DELTA_SAME = 2,     // the running release has it under the same path
    DELTA_STAGED = 3,   // it is staged already
    DELTA_VERSION = 4,  // the version
    DELTA_VERSION1 = 5, // the version and a newline
};
#define DELTA_MOVED 0x40000000u // + line of the manifest
#define DELTA_RUN 0x80000000u   // + end of the range that begins with this entry

// ---- The card ----------------------------------------------------------------------------------

static bool delta_missing(int res) {
    return res == SDB_ENOENT || res == SDB_ENOTDIR;
}

// Writes to d->path where the entry is in the running release.
static void delta_live(struct sdb_delta *d) {
    d->path[0] = '/';
    strcpy(d->path + 1, d->index.path);
}

// Where files outside main_dir are staged: elsewhere while another release waits (install.h).
static const char *delta_outside(const struct sdb_delta *d) {
    return strcmp(d->cfg.next_dir, &SDB_DIR_APP2[1]) == 0 ? SDB_DIR_NEW2 : SDB_DIR_NEW;
}

// Writes to d->path where the entry is staged.
static void delta_staged(struct sdb_delta *d) {
    const char *path = d->index.path;
    const char *dir = delta_outside(d);
    d->path[0] = '\0';
    if (sdb_path_under(path, d->cfg.main_dir)) {
        path += strlen(d->cfg.main_dir);
        path += *path == '/';
        dir = d->cfg.next_dir;
        strcpy(d->path, "/");
    }
    strcat(d->path, dir);
    strcat(d->path, "/");
    strcat(d->path, path);
}

static bool delta_is_version(const struct sdb_delta *d) {
    size_t len = strlen(d->cfg.main_dir);
    return sdb_path_under(d->index.path, d->cfg.main_dir) && d->index.path[len] == '/' &&
           strcmp(d->index.path + len + 1, SDB_VERSION_FILE) == 0;
}

static bool delta_hash_is(const struct sdb_delta *d, const uint8_t *digest) {
    return memcmp(digest, d->index.hash, SDB_INDEX_HASH) == 0;
}

// Is d->path a file with the entry's size and hash? Returns 1, 0 or an error.
static int delta_good(struct sdb_delta *d) {
    const struct sdb_fs *fs = d->cfg.fs;
    const struct sdb_hash *hash = d->cfg.hash;
    uint8_t digest[SDB_HASH_MAX];
    uint32_t size;
    int res = fs->stat(fs->ctx, d->path, &size);
    if (res != SDB_FS_FILE || size != d->index.size) {
        return res < 0 && !delta_missing(res) ? res : 0;
    }
    int file = fs->open(fs->ctx, d->path, 'r');
    if (file < 0) {
        return file;
    }
    res = hash->start(hash->ctx);
    while (res == 0) {
        int n = fs->read(fs->ctx, file, d->cfg.buf, d->cfg.buf_size);
        if (n <= 0) {
            res = n;
            break;
        }
        res = hash->update(hash->ctx, d->cfg.buf, (size_t)n);
    }
    fs->close(fs->ctx, file);
    res = res < 0 ? res : hash->digest(hash->ctx, digest);
    return res < 0 ? res : delta_hash_is(d, digest);
}

// ---- The manifest of the running release -------------------------------------------------------

static void delta_manifest_open(struct sdb_delta *d) {
    sdb_textfile_close(&d->manifest);
    d->path[0] = '/';
    strcpy(d->path + 1, d->cfg.main_dir);
    strcat(d->path, "/" SDB_MANIFEST_FILE);
    sdb_textfile_init(&d->manifest, d->cfg.fs, d->path);
    d->ordinal = 0;
}

// Reads the manifest's next line: 1 with d->path, 0 if there are no more.
static int delta_manifest_next(struct sdb_delta *d, uint8_t *digest) {
    bool kept;
    d->path[0] = '/';
    d->path[1] = '\0';
    char *rest = d->path + 1;
    // One byte less than the reader may use: a path that long is in no package.
    int res = sdb_manifest_next(&d->manifest, digest, rest, &kept);
    d->ordinal++;
    d->broken = d->broken || res == SDB_EINVAL;
    return delta_missing(res) || res == SDB_EINVAL ? 0 : res;
}

static int delta_manifest_load(struct sdb_delta *d) {
    uint8_t digest[SDB_MANIFEST_DIGEST];
    int res = 1;
    delta_manifest_open(d);
    while (res == 1 && d->known_count < d->cfg.known_size) {
        res = delta_manifest_next(d, digest);
        if (res == 1) {
            d->cfg.known[d->known_count++] = sdb_get32(digest);
        }
    }
    d->known_all = res == 0 && d->known_count > 0 && !d->broken;
    delta_manifest_open(d);
    return res < 0 ? res : 0;
}

// May a file of the running release have the entry's content? Its manifest tells without reading.
static bool delta_may_be_known(const struct sdb_delta *d) {
    bool may = !d->known_all || !sdb_path_under(d->index.path, d->cfg.main_dir);
    for (uint32_t i = 0; i < d->known_count && !may; i++) {
        may = d->cfg.known[i] == sdb_get32(d->index.hash);
    }
    return may;
}

// Sets d->path to the path in line `n` of the manifest.
static int delta_manifest_path(struct sdb_delta *d, uint32_t n) {
    uint8_t digest[SDB_MANIFEST_DIGEST];
    int res = 1;
    if (d->ordinal > n) {
        delta_manifest_open(d);
    }
    while (res == 1 && d->ordinal <= n) {
        res = delta_manifest_next(d, digest);
    }
    return res;
}

// Looks for the entry's content under another path. Returns its line, or an error: SDB_ENOENT.
static int delta_moved(struct sdb_delta *d) {
    uint32_t first = sdb_get32(d->index.hash);
    for (uint32_t i = 0; i < d->known_count; i++) {
        if (d->cfg.known[i] != first) {
            continue;
        }
        int res = delta_manifest_path(d, i);
        res = res == 1 ? delta_good(d) : res;
        if (res != 0) {
            return res < 0 ? res : (int)i;
        }
    }
    return SDB_ENOENT;
}

// ---- The plan ----------------------------------------------------------------------------------

static int delta_index_open(struct sdb_delta *d) {
    d->cfg.rewind(d->cfg.ctx);
    return sdb_index_open(&d->index, d->cfg.more, d->cfg.ctx);
}

// Is anything staged, by an attempt that was cut short?
static int delta_any_staged(struct sdb_delta *d) {
    const struct sdb_fs *fs = d->cfg.fs;
    d->path[0] = '/';
    strcpy(d->path + 1, d->cfg.next_dir);
    int next = fs->stat(fs->ctx, d->path, NULL);
    int outside = fs->stat(fs->ctx, delta_outside(d), NULL);
    d->staged = next >= 0 || outside >= 0;
    int res = next < 0 && !delta_missing(next) ? next : outside;
    return res < 0 && !delta_missing(res) ? res : 0;
}

int sdb_delta_begin(struct sdb_delta *d, const struct sdb_delta_config *cfg) {
    memset(d, 0, sizeof(*d));
    d->cfg = *cfg;
    d->file = -1;
    d->manifest.file = -1;
    d->manifest.fs = cfg->fs;
    int res = delta_index_open(d);
    if (res == 0 && (d->index.count > cfg->plan_size || d->index.count >= DELTA_MOVED)) {
        res = SDB_ENOMEM;
    }
    d->run = UINT32_MAX;
    res = res < 0 ? res : delta_any_staged(d);
    return res < 0 ? res : delta_manifest_load(d);
}

// Is the version the content of the entry?
static int delta_version(struct sdb_delta *d, bool newline) {
    const struct sdb_hash *hash = d->cfg.hash;
    uint8_t digest[SDB_HASH_MAX];
    size_t len = strlen(d->cfg.version);
    if (d->index.size != len + newline) {
        return 0;
    }
    int res = hash->start(hash->ctx);
    res = res < 0 ? res : hash->update(hash->ctx, d->cfg.version, len);
    res = res < 0 || !newline ? res : hash->update(hash->ctx, "\n", 1);
    res = res < 0 ? res : hash->digest(hash->ctx, digest);
    return res < 0 ? res : delta_hash_is(d, digest);
}

// Forgets what is staged under the entry's path and no use.
static int delta_unstage(struct sdb_delta *d) {
    const struct sdb_fs *fs = d->cfg.fs;
    delta_staged(d);
    int type = fs->stat(fs->ctx, d->path, NULL);
    bool dir = d->index.kind == SDB_INDEX_DIR;
    if (type < 0) {
        return delta_missing(type) ? 0 : type;
    }
    if (type == SDB_FS_FILE) {
        return fs->remove(fs->ctx, d->path);
    }
    return dir ? 0 : SDB_EISDIR;
}

// Where the entry's content is to be had: one of the numbers above, DELTA_FETCH if nowhere here.
static int delta_source(struct sdb_delta *d, uint32_t *source) {
    int res = 0;
    *source = DELTA_MADE;
    if (d->index.kind == SDB_INDEX_RAW) {
        *source = DELTA_FETCH;
    }
    if (d->index.kind == SDB_INDEX_RAW || d->index.kind == SDB_INDEX_ZEROS) {
        return 0;
    }
    strcpy(d->path, d->index.path);
    if (sdb_path_clean(d->path) < 0 || strcmp(d->path, d->index.path) != 0 ||
        strlen(d->path) + SDB_PATH_PREFIX_MAX + SDB_DIRNAME_MAX > SDB_PATH_MAX) {
        return SDB_EINVAL;
    }
    bool file = d->index.kind == SDB_INDEX_FILE && d->index.size > 0;
    bool version = file && delta_is_version(d);
    if (file && !version && d->staged) {
        delta_staged(d);
        res = delta_good(d);
        *source = DELTA_STAGED;
    }
    if (res == 0 && !version && d->staged) {
        res = delta_unstage(d);
        *source = DELTA_MADE;
    }
    if (!file || res != 0) {
        return res < 0 ? res : 0;
    }
    for (*source = DELTA_VERSION; version && res == 0 && *source <= DELTA_VERSION1; ++*source) {
        res = delta_version(d, *source == DELTA_VERSION1);
        if (res == 1) {
            return 0;
        }
    }
    if (res == 0 && !delta_may_be_known(d)) {
        *source = DELTA_FETCH;
        return 0;
    }
    if (res == 0) {
        delta_live(d);
        res = delta_good(d);
        *source = DELTA_SAME;
    }
    if (res == 0) {
        res = delta_moved(d);
        *source = res >= 0 ? DELTA_MOVED + (uint32_t)res : DELTA_FETCH;
        res = res == SDB_ENOENT ? 0 : res;
    }
    return res < 0 ? res : 0;
}

// The entry has to be fetched: along with the range before if that is near.
static void delta_add_range(struct sdb_delta *d) {
    const struct sdb_index *ix = &d->index;
    uint32_t *plan = d->cfg.plan;
    bool raw = ix->kind == SDB_INDEX_RAW;
    uint32_t from = raw ? ix->at : ix->at + SDB_INDEX_BLOCK;
    uint32_t end = raw ? ix->end : from + ix->size;
    if (d->run < ix->number && from - d->run_end <= SDB_DELTA_GAP) {
        for (uint32_t i = d->run_last + 1; i <= ix->number; i++) {
            plan[i] = DELTA_FETCH;
        }
        d->fetch += end - d->run_end;
    } else {
        d->run = ix->number;
        d->run_from = from;
        d->fetch += end - from;
        d->ranges++;
    }
    d->run_last = ix->number;
    d->run_end = end;
    plan[d->run] = DELTA_RUN + end;
}

int sdb_delta_plan(struct sdb_delta *d) {
    if (d->planned) {
        return 0;
    }
    int res = sdb_index_next(&d->index);
    if (res == 0) {
        d->planned = true;
        return delta_index_open(d);
    }
    uint32_t source;
    res = res < 0 ? res : delta_source(d, &source);
    if (res == 0 && d->index.end >= DELTA_RUN) {
        res = SDB_EINVAL;
    }
    if (res < 0) {
        return res;
    }
    d->cfg.plan[d->index.number] = source;
    if (source == DELTA_FETCH) {
        delta_add_range(d);
    } else if (source == DELTA_STAGED) {
        d->run = UINT32_MAX; // nothing is to be staged over it
    }
    return 1;
}

// ---- The package -------------------------------------------------------------------------------

// Opens the file that has the entry's content.
static int delta_open(struct sdb_delta *d, uint32_t source) {
    const struct sdb_fs *fs = d->cfg.fs;
    int res = 1;
    if (source >= DELTA_MOVED) {
        res = delta_manifest_path(d, source - DELTA_MOVED);
    } else if (source == DELTA_STAGED) {
        delta_staged(d);
    } else {
        delta_live(d);
    }
    res = res == 1 ? fs->open(fs->ctx, d->path, 'r') : res == 0 ? SDB_EIO : res;
    d->file = res;
    d->left = d->index.size;
    return res < 0 ? res : 0;
}

// What comes behind the header that has just been made, or instead of one.
static int delta_body(struct sdb_delta *d, uint32_t source) {
    const struct sdb_index *ix = &d->index;
    if (source >= DELTA_RUN) {
        d->want_at = ix->kind == SDB_INDEX_RAW ? ix->at : ix->at + SDB_INDEX_BLOCK;
        d->want = source - DELTA_RUN - d->want_at;
        return 0;
    }
    if (ix->kind == SDB_INDEX_ZEROS) {
        d->zeros = ix->end - ix->at;
        return 0;
    }
    d->kept = source == DELTA_STAGED;
    if (ix->size == 0) {
        return 0;
    }
    if (source == DELTA_VERSION || source == DELTA_VERSION1) {
        d->left = ix->size; // without a file
        return 0;
    }
    return delta_open(d, source);
}

static int delta_next(struct sdb_delta *d, uint8_t *buf) {
    const struct sdb_index *ix = &d->index;
    uint32_t source;
    do {
        int res = sdb_index_next(&d->index);
        if (res <= 0) {
            return res;
        }
        source = d->cfg.plan[ix->number];
    } while (source == DELTA_FETCH);
    bool head = ix->kind == SDB_INDEX_FILE || ix->kind == SDB_INDEX_DIR;
    if (head && !sdb_tarhead_make(buf, ix->path, (enum sdb_index_kind)ix->kind, ix->size)) {
        return SDB_EINVAL;
    }
    int res = delta_body(d, source);
    return res < 0 ? res : head ? (int)SDB_INDEX_BLOCK : 1;
}

static void delta_close(struct sdb_delta *d) {
    const struct sdb_fs *fs = d->cfg.fs;
    if (d->file >= 0) {
        fs->close(fs->ctx, d->file);
        d->file = -1;
    }
}

static int delta_content(struct sdb_delta *d, uint8_t *buf, size_t len) {
    const struct sdb_fs *fs = d->cfg.fs;
    int n;
    if (d->file < 0) { // the version, with or without a newline
        n = (int)d->left;
        size_t chars = strlen(d->cfg.version);
        memcpy(buf, d->cfg.version, chars);
        memset(buf + chars, '\n', d->left - chars);
    } else {
        n = fs->read(fs->ctx, d->file, buf, len < d->left ? len : d->left);
    }
    if (n <= 0) {
        return n < 0 ? n : SDB_EIO;
    }
    d->left -= (uint32_t)n;
    if (d->left == 0) {
        delta_close(d);
        d->zeros = -d->index.size & (SDB_INDEX_BLOCK - 1);
    }
    return n;
}

int sdb_delta_read(struct sdb_delta *d, uint8_t *buf, size_t len) {
    d->kept = false;
    if (!d->planned || len < SDB_INDEX_BLOCK) {
        return SDB_EINVAL;
    }
    for (;;) {
        if (d->zeros > 0) {
            uint32_t n = d->zeros < len ? d->zeros : (uint32_t)len;
            memset(buf, 0, n);
            d->zeros -= n;
            return (int)n;
        }
        if (d->left > 0) {
            return delta_content(d, buf, len);
        }
        if (d->want > 0) {
            return 0;
        }
        int res = delta_next(d, buf);
        if (res != 1) {
            return res;
        }
    }
}

void sdb_delta_took(struct sdb_delta *d, uint32_t len) {
    len = len < d->want ? len : d->want;
    d->want_at += len;
    d->want -= len;
    if (d->want == 0) {
        d->zeros = -d->want_at & (SDB_INDEX_BLOCK - 1);
    }
}

void sdb_delta_end(struct sdb_delta *d) {
    delta_close(d);
    sdb_textfile_close(&d->manifest);
}
