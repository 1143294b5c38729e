// SPDX-License-Identifier: MIT
// A directory of many files that changes places with its successor as a whole.
#include "core/error.h"
#include "core/release/layout.h"
#include "core/release/path.h"
#include "core/release/swap.h"

#include <string.h>

#define SWAP_DIR_MANY 16u // files from which on it is worth it
// Files that are moved one by one at most: they are one transaction, which any journal holds.
#define SWAP_DIR_KEPT 32u

// Fills swap->names with the keys of names, from entry `from` of `dir` on. Returns how many, or an
// error; SDB_EISDIR if there is a directory and `files` only are wanted.
static int dir_names(struct sdb_swap *swap, const char *dir, uint32_t from, bool files) {
    const struct sdb_fs *fs = swap->fs;
    int handle = fs->opendir(fs->ctx, dir);
    if (handle < 0) {
        return handle;
    }
    uint32_t n = 0;
    int res = 1;
    while (n < SDB_SWAP_NAMES && (res = fs->readdir(fs->ctx, handle, &swap->tree.entry)) == 1) {
        if (files && swap->tree.entry.type == SDB_FS_DIR) {
            res = SDB_EISDIR;
            break;
        }
        if (from > 0) {
            from--;
        } else {
            sdb_path_key(swap->tree.entry.name, swap->names[n++]);
        }
    }
    fs->closedir(fs->ctx, handle);
    return res < 0 ? res : (int)n;
}

// Strikes those of the first `n` names that are in `dir` as well. Adds their number to *found, sets
// *total to that of all entries. Returns 0 or an error.
static int dir_strike(struct sdb_swap *swap, const char *dir, int n, uint32_t *found,
                      uint32_t *total) {
    const struct sdb_fs *fs = swap->fs;
    struct sdb_dirent *entry = &swap->tree.entry;
    int handle = fs->opendir(fs->ctx, dir);
    if (handle < 0) {
        return handle;
    }
    int res;
    *total = 0;
    while ((res = fs->readdir(fs->ctx, handle, entry)) == 1) {
        uint32_t key[2];
        sdb_path_key(entry->name, key);
        ++*total;
        if (strlen(swap->tree.path) + 1 + strlen(entry->name) > SDB_PATH_MAX) {
            res = SDB_ENAMETOOLONG; // nobody else's file may be in the way
            break;
        }
        for (int i = 0; i < n; i++) {
            if (memcmp(swap->names[i], key, sizeof key) == 0) {
                memset(swap->names[i], 0, sizeof key);
                ++*found;
                break;
            }
        }
    }
    fs->closedir(fs->ctx, handle);
    return res;
}

// The release adds swap->live. No other name has its key, and FatFs must say so too.
static int dir_note(struct sdb_swap *swap) {
    int res = swap->fs->stat(swap->fs->ctx, swap->live, NULL);
    if (res != SDB_ENOENT) {
        return res < 0 ? res : 0;
    }
    res = sdb_textfile_puts(&swap->added, swap->live);
    return res == 0 ? sdb_textfile_put(&swap->added, '\n') : res;
}

// swap->old has no successor: it goes to where the others will be. Returns 1 if it is gone.
static int dir_keep(struct sdb_swap *swap) {
    const struct sdb_fs *fs = swap->fs;
    int res = fs->stat(fs->ctx, swap->tree.path, NULL);
    if (res == SDB_ENOENT) {
        res = fs->rename(fs->ctx, swap->old, swap->tree.path);
        return res == 0 ? 1 : res;
    }
    return res < 0 ? res : 0;
}

// Calls `what` for each of the `n` entries of `dir` from `from` on whose name is not struck, with
// that name behind the three paths. Returns the sum of what it returns, or an error.
static int dir_rest(struct sdb_swap *swap, const char *dir, uint32_t from, int n,
                    int (*what)(struct sdb_swap *swap)) {
    static const uint32_t struck[2] = {0, 0};
    const struct sdb_fs *fs = swap->fs;
    char *ends[3] = {swap->tree.path + strlen(swap->tree.path), swap->live + strlen(swap->live),
                     swap->old + strlen(swap->old)};
    int handle = fs->opendir(fs->ctx, dir);
    int res = handle;
    int sum = 0;
    for (int i = -(int)from; res >= 0 && i < n; i++) {
        res = fs->readdir(fs->ctx, handle, &swap->tree.entry);
        if (res != 1 || i < 0 || memcmp(swap->names[i], struck, sizeof struck) == 0) {
            continue;
        }
        for (int k = 0; k < 3; k++) {
            *ends[k] = '/';
            strcpy(ends[k] + 1, swap->tree.entry.name);
        }
        res = what(swap);
        sum += res;
        for (int k = 0; k < 3; k++) {
            *ends[k] = '\0';
        }
    }
    if (handle >= 0) {
        fs->closedir(fs->ctx, handle);
    }
    return res < 0 ? res : sum;
}

// Lets `what` have all entries of `dir` that `other` has not.
static int dir_each(struct sdb_swap *swap, const char *dir, const char *other,
                    int (*what)(struct sdb_swap *swap)) {
    uint32_t from = 0;
    uint32_t ignored = 0;
    int n;
    do {
        n = dir_names(swap, dir, from, false);
        int res = n < 0 ? n : dir_strike(swap, other, n, &ignored, &ignored);
        res = res < 0 ? res : dir_rest(swap, dir, from, n, what);
        if (res < 0) {
            return res;
        }
        from += (uint32_t)(n - res); // those that are gone are not listed any more
    } while (n == SDB_SWAP_NAMES);
    return 0;
}

// How many files has tree.path, how many of these has swap->live as well, and how much is in that?
// Returns 1 if they can change places, 0 or an error.
static int dir_compare(struct sdb_swap *swap, uint32_t *count, uint32_t *found, uint32_t *total) {
    const struct sdb_fs *fs = swap->fs;
    int n = dir_names(swap, swap->tree.path, 0, true);
    if (n < (int)SWAP_DIR_MANY) {
        return n < 0 && n != SDB_EISDIR ? n : 0;
    }
    int live = fs->stat(fs->ctx, swap->live, NULL);
    int old = fs->stat(fs->ctx, swap->old, NULL);
    if (live != SDB_FS_DIR || old != SDB_ENOENT) {
        int res = live < 0 ? live : old;
        return res < 0 && res != SDB_ENOENT && res != SDB_ENOTDIR ? res : 0;
    }
    *count = *found = 0;
    while (n > 0) {
        *count += (uint32_t)n;
        int res = dir_strike(swap, swap->live, n, found, total);
        if (res < 0) {
            return res == SDB_ENAMETOOLONG ? 0 : res;
        }
        n = n < SDB_SWAP_NAMES ? 0 : dir_names(swap, swap->tree.path, *count, true);
    }
    return n < 0 ? (n == SDB_EISDIR ? 0 : n) : *total - *found <= SWAP_DIR_KEPT;
}

int sdb_swap_dir(struct sdb_swap *swap, const char *aside, bool note) {
    const struct sdb_fs *fs = swap->fs;
    strcpy(swap->live, swap->tree.path + swap->tree.root);
    strcpy(swap->old, aside);
    strcat(swap->old, swap->tree.path + swap->tree.root);
    uint32_t count;
    uint32_t found;
    uint32_t total;
    int res = dir_compare(swap, &count, &found, &total);
    if (res <= 0) {
        return res;
    }
    if (note && found < count) {
        sdb_textfile_init(&swap->added, fs, SDB_FILE_ADDED);
        res = dir_each(swap, swap->tree.path, swap->live, dir_note);
        res = res == 0 ? sdb_textfile_flush(&swap->added) : res;
    }
    if (res >= 0 && total == 0) {
        res = fs->rmdir(fs->ctx, swap->live);
    } else if (res >= 0) {
        res = sdb_tree_parents(fs, swap->old, 0);
        res = res < 0 ? res : fs->rename(fs->ctx, swap->live, swap->old);
        res =
            res < 0 || found == total ? res : dir_each(swap, swap->old, swap->tree.path, dir_keep);
    }
    res = res < 0 ? res : fs->rename(fs->ctx, swap->tree.path, swap->live);
    return res < 0 ? res : 1;
}
