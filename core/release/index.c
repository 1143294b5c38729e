// SPDX-License-Identifier: MIT
#include "core/release/index.h"

#include <string.h>

#include "core/error.h"

// The first byte of an entry: its kind, and how many bytes of the path before this one also has.
#define INDEX_KIND 3u
#define INDEX_SHARED_SHIFT 2
#define INDEX_SHARED_MORE 63u // in a number that follows

static int index_byte(struct sdb_index *ix) {
    if (ix->p == ix->piece_end) {
        int n = ix->more(ix->ctx, &ix->p);
        if (n <= 0) {
            ix->piece_end = ix->p;
            return n < 0 ? n : SDB_EINVAL; // it ends in the middle
        }
        ix->piece_end = ix->p + n;
    }
    return *ix->p++;
}

// A number, seven bits a byte, the lowest first; the highest bit says that more follow.
static int index_number(struct sdb_index *ix, uint32_t *value) {
    uint32_t n = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        int c = index_byte(ix);
        if (c < 0) {
            return c;
        }
        if (shift == 28 && c > 15) {
            return SDB_EINVAL;
        }
        n |= ((uint32_t)c & 127) << shift;
        if (c < 128) {
            *value = n;
            return 0;
        }
    }
    return SDB_EINVAL;
}

static int index_path(struct sdb_index *ix, uint32_t shared) {
    uint32_t more;
    int res = shared == INDEX_SHARED_MORE ? index_number(ix, &shared) : 0;
    res = res < 0 ? res : index_number(ix, &more);
    if (res < 0) {
        return res;
    }
    if (shared > strlen(ix->path) || more > SDB_PATH_MAX - shared || shared + more == 0) {
        return SDB_EINVAL;
    }
    for (; more > 0; more--) {
        int c = index_byte(ix);
        if (c <= 0) {
            return c < 0 ? c : SDB_EINVAL;
        }
        ix->path[shared++] = (char)c;
    }
    ix->path[shared] = '\0';
    return 0;
}

int sdb_index_open(struct sdb_index *ix, int (*more)(void *ctx, const uint8_t **piece), void *ctx) {
    static const char magic[] = SDB_INDEX_MAGIC;
    memset(ix, 0, sizeof(*ix));
    ix->more = more;
    ix->ctx = ctx;
    for (int i = 0; i < 5; i++) {
        int c = index_byte(ix);
        if (c != (i < 4 ? magic[i] : SDB_INDEX_VERSION)) {
            ix->error = c < 0 ? c : SDB_EINVAL;
            return ix->error;
        }
    }
    ix->error = index_number(ix, &ix->count);
    ix->number = UINT32_MAX; // the next one is 0
    return ix->error;
}

static int index_entry(struct sdb_index *ix) {
    int first = index_byte(ix);
    if (first < 0) {
        return first;
    }
    ix->kind = (uint8_t)first & INDEX_KIND;
    ix->size = 0;
    ix->at = ix->end;
    uint32_t left = (UINT32_MAX - ix->at) / SDB_INDEX_BLOCK; // blocks that a package may still have
    uint32_t blocks = 1;
    int res = 0;
    if (ix->kind == SDB_INDEX_RAW || ix->kind == SDB_INDEX_ZEROS) {
        res = first > (int)INDEX_KIND ? SDB_EINVAL : index_number(ix, &blocks);
    } else {
        res = index_path(ix, (uint32_t)first >> INDEX_SHARED_SHIFT);
        if (res == 0 && ix->kind == SDB_INDEX_FILE) {
            res = index_number(ix, &ix->size);
            blocks += ix->size / SDB_INDEX_BLOCK + (ix->size % SDB_INDEX_BLOCK != 0);
            for (int i = 0; res == 0 && ix->size > 0 && i < SDB_INDEX_HASH; i++) {
                int c = index_byte(ix);
                ix->hash[i] = (uint8_t)c;
                res = c < 0 ? c : 0;
            }
        }
    }
    if (res < 0) {
        return res;
    }
    if (blocks == 0 || blocks > left) {
        return SDB_EINVAL;
    }
    ix->end = ix->at + blocks * SDB_INDEX_BLOCK;
    return 1;
}

int sdb_index_next(struct sdb_index *ix) {
    if (ix->error < 0) {
        return ix->error;
    }
    if (ix->number + 1 == ix->count) {
        return 0;
    }
    ix->number++;
    int res = index_entry(ix);
    ix->error = res < 0 ? res : 0;
    return res;
}

// ---- Headers -----------------------------------------------------------------------------------

// Octal digits, the rest of the field is there already.
static void tarhead_octal(uint8_t *field, unsigned digits, uint32_t value) {
    while (digits > 0) {
        field[--digits] = (uint8_t)('0' + (value & 7));
        value >>= 3;
    }
}

bool sdb_tarhead_make(uint8_t block[SDB_INDEX_BLOCK], const char *path, enum sdb_index_kind kind,
                      uint32_t size) {
    bool dir = kind == SDB_INDEX_DIR;
    size_t len = strlen(path);
    size_t whole = len + dir;
    size_t cut = 0; // length of the prefix
    if (whole > 100) {
        // The first '/' after which the rest fits.
        for (cut = whole - 101; cut < len && path[cut] != '/'; cut++) {
        }
        if (cut >= len || cut == 0 || cut > 155 || cut + 1 >= whole) {
            return false;
        }
    }
    memset(block, 0, SDB_INDEX_BLOCK);
    memcpy(block + 345, path, cut);
    size_t from = cut > 0 ? cut + 1 : 0;
    memcpy(block, path + from, len - from);
    if (dir) {
        block[len - from] = '/';
    }
    for (unsigned at = 100; at < 124; at += 8) { // mode, uid, gid
        memcpy(block + at, "000000 ", 7);
    }
    memcpy(block + 329, "000000 ", 7); // devmajor, devminor
    memcpy(block + 337, "000000 ", 7);
    tarhead_octal(block + 100, 6, dir ? 0755 : 0644);
    tarhead_octal(block + 124, 11, size);
    tarhead_octal(block + 136, 11, 0);
    block[135] = block[147] = ' ';
    block[156] = dir ? '5' : '0';
    memcpy(block + 257, "ustar\00000", 8);
    memset(block + 148, ' ', 8);
    uint32_t sum = 0;
    for (unsigned i = 0; i < SDB_INDEX_BLOCK; i++) {
        sum += block[i];
    }
    tarhead_octal(block + 148, 6, sum);
    block[154] = '\0';
    return true;
}
