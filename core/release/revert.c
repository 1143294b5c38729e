// SPDX-License-Identifier: MIT
#include "core/release/revert.h"

#include "core/error.h"
#include "core/release/carry.h"
#include "core/release/layout.h"

#include <string.h>

// What /app/.version says, "" if there is none. Returns 0 or an error: without its version the
// release would be installed again.
static int revert_read_version(struct sdb_swap *swap, const struct sdb_record *record,
                               char version[SDB_VERSION_MAX + 1]) {
    const struct sdb_fs *fs = swap->fs;
    swap->live[0] = '/';
    strcpy(swap->live + 1, record->main_dir);
    strcat(swap->live, "/" SDB_VERSION_FILE);
    version[0] = '\0';
    int file = fs->open(fs->ctx, swap->live, 'r');
    if (file < 0) {
        return file == SDB_ENOENT ? 0 : file;
    }
    char text[SDB_VERSION_FILE_MAX];
    int n = fs->read(fs->ctx, file, text, sizeof(text));
    fs->close(fs->ctx, file);
    if (n < 0) {
        return n;
    }
    sdb_version_word(text, (size_t)n, version);
    return 0;
}

// Is there an application to go back to? Without an app/ before it the swap has made an empty
// prev/: then what ran before was a main.py, if the release has replaced one. Going back to nothing
// would leave the board with less than it has. Returns 0, SDB_ENOENT if there is none, or an error.
static int revert_possible(struct sdb_swap *swap) {
    const struct sdb_fs *fs = swap->fs;
    int type = fs->stat(fs->ctx, SDB_DIR_PREV, NULL);
    if (type != SDB_FS_DIR) {
        return type < 0 ? type : SDB_ENOENT;
    }
    int dir = fs->opendir(fs->ctx, SDB_DIR_PREV);
    if (dir < 0) {
        return dir;
    }
    int res = fs->readdir(fs->ctx, dir, &swap->tree.entry);
    fs->closedir(fs->ctx, dir);
    if (res != 0) {
        return res < 0 ? res : 0;
    }
    type = fs->stat(fs->ctx, SDB_DIR_OLD "/" SDB_NAME_MAIN, NULL);
    return type == SDB_FS_FILE ? 0 : type < 0 && type != SDB_ENOTDIR ? type : SDB_ENOENT;
}

int sdb_revert_begin(struct sdb_swap *swap, const struct sdb_fs *fs,
                     const struct sdb_record_store *store, struct sdb_record *record,
                     uint8_t event) {
    swap->fs = fs;
    int possible = revert_possible(swap);
    if (possible < 0) {
        return possible;
    }
    if (record->main_dir[0] == '\0') {
        strcpy(record->main_dir, "app");
        strcpy(record->next_dir, "next");
    }
    char version[SDB_VERSION_MAX + 1];
    if (record->state == SDB_TRIAL) {
        memcpy(version, record->version, sizeof(version)); // no need to read what may be damaged
    } else {
        int res = revert_read_version(swap, record, version);
        if (res < 0) {
            return res;
        }
    }
    record->state = SDB_REVERTING;
    record->event = event;
    memcpy(record->bad, version, sizeof(version));
    memcpy(record->event_version, version, sizeof(version));
    return sdb_record_save(store, record);
}

// A directory has the name of a file that is to return: its content, the application's perhaps,
// goes below .sdboot/new/ and stays there until the next install.
static int revert_set_aside(struct sdb_swap *swap) {
    const struct sdb_fs *fs = swap->fs;
    strcpy(swap->old, SDB_DIR_NEW);
    strcat(swap->old, swap->live);
    int res = sdb_tree_parents(fs, swap->old, 0);
    return res < 0 ? res : fs->rename(fs->ctx, swap->live, swap->old);
}

// A file of .sdboot/old/ goes back to where it was; what the bad release put there goes.
static int revert_restore_file(void *ctx, const char *path) {
    struct sdb_swap *swap = ctx;
    const struct sdb_fs *fs = swap->fs;
    strcpy(swap->live, path + sizeof(SDB_DIR_OLD) - 1);
    if (swap->live[0] == '\0') {
        return fs->remove(fs->ctx, path); // a file instead of SDB_DIR_OLD: nothing of ours
    }
    int type = fs->stat(fs->ctx, swap->live, NULL);
    int res = type == SDB_FS_FILE  ? fs->remove(fs->ctx, swap->live)
              : type == SDB_FS_DIR ? revert_set_aside(swap)
              : type == SDB_ENOENT ? 0
                                   : type;
    return res < 0 ? res : fs->rename(fs->ctx, path, swap->live);
}

// A directory that had to make room for a file of the bad release.
static int revert_restore_dir(void *ctx, const char *path) {
    struct sdb_swap *swap = ctx;
    const struct sdb_fs *fs = swap->fs;
    strcpy(swap->live, path + sizeof(SDB_DIR_OLD) - 1);
    int type = fs->stat(fs->ctx, swap->live, NULL);
    int res = type == SDB_FS_FILE ? fs->remove(fs->ctx, swap->live) : 0;
    if (res == 0 && type != SDB_FS_DIR) {
        res = fs->mkdir(fs->ctx, swap->live);
    }
    return res;
}

static int revert_whole_dir(void *ctx) {
    return sdb_swap_dir(ctx, SDB_DIR_NEW, false);
}

// Removes the files and the empty directories named in SDB_FILE_ADDED, as often as that frees
// another directory. Lines that can't be read end the list: what they named stays, but the release
// before must run again. Returns 0 or an error.
static int revert_remove_added(struct sdb_swap *swap) {
    const struct sdb_fs *fs = swap->fs;
    bool again = true;
    int res = 0;
    while (again && res >= 0) {
        again = false;
        sdb_textfile_init(&swap->added, fs, SDB_FILE_ADDED);
        while ((res = sdb_textfile_path(&swap->added, swap->live)) == 1) {
            int type = fs->stat(fs->ctx, swap->live, NULL);
            int gone = type == SDB_FS_FILE  ? fs->remove(fs->ctx, swap->live)
                       : type == SDB_FS_DIR ? fs->rmdir(fs->ctx, swap->live)
                                            : type;
            again = again || gone == 0;
            // Not empty, which FatFs calls "denied": the application has put something there.
            if (gone < 0 && gone != SDB_ENOENT && gone != SDB_ENOTEMPTY && gone != SDB_EACCES) {
                res = gone;
                break;
            }
        }
        sdb_textfile_close(&swap->added);
        res = res == SDB_EINVAL ? 0 : res;
    }
    if (res == 0) {
        res = fs->remove(fs->ctx, SDB_FILE_ADDED);
    }
    return res == SDB_ENOENT ? 0 : res;
}

static int revert_dirs(struct sdb_swap *swap, const struct sdb_record *record) {
    const struct sdb_fs *fs = swap->fs;
    sdb_swap_set_dirs(swap, record);
    const char *next = swap->live;
    const char *app = swap->old;
    int res = fs->stat(fs->ctx, SDB_DIR_PREV, NULL);
    if (res != SDB_FS_DIR) {
        return res < 0 && res != SDB_ENOENT ? res : 0; // renamed before the power failed
    }
    res = fs->stat(fs->ctx, app, NULL);
    if (res > 0) {
        // Somebody may have made a directory of that name since the swap.
        sdb_tree_init(&swap->tree, fs, next);
        res = sdb_tree_run(&swap->tree);
        if (res == 0) {
            res = fs->rename(fs->ctx, app, next);
        }
    }
    if (res < 0 && res != SDB_ENOENT) {
        return res;
    }
    return fs->rename(fs->ctx, SDB_DIR_PREV, app);
}

// Without an app/ before it the swap has made an empty prev/.
static void revert_remove_empty(struct sdb_swap *swap, const struct sdb_record *record) {
    const struct sdb_fs *fs = swap->fs;
    swap->live[0] = '/';
    strcpy(swap->live + 1, record->main_dir);
    fs->rmdir(fs->ctx, swap->live); // fails if there is anything in it, as is usual
}

int sdb_revert(struct sdb_swap *swap, const struct sdb_fs *fs, const struct sdb_record_store *store,
               struct sdb_record *record) {
    if (record->state != SDB_REVERTING) {
        return 0;
    }
    swap->fs = fs;
    sdb_tree_init(&swap->tree, fs, SDB_DIR_OLD);
    swap->tree.file = revert_restore_file;
    swap->tree.dir = revert_restore_dir;
    swap->tree.whole = swap->whole ? revert_whole_dir : NULL;
    swap->tree.ctx = swap;
    int res;
    while ((res = sdb_tree_step(&swap->tree, SDB_SWAP_BUDGET)) == 1) {
        // Many files: with the record what is done so far is committed, so that no journal fills.
        res = sdb_record_save(store, record);
        if (res < 0) {
            return res;
        }
    }
    if (res == 0) {
        res = revert_remove_added(swap);
    }
    if (res == 0) {
        res = revert_dirs(swap, record);
    }
    if (res == 0) {
        sdb_swap_set_dirs(swap, record);
        char next[SDB_DIRNAME_MAX + 2];
        strcpy(next, swap->live);
        res = sdb_carry(swap, next, store, record);
    }
    if (res < 0) {
        return res;
    }
    revert_remove_empty(swap, record);
    record->state = SDB_IDLE;
    record->left = 0;
    if (res == 0) { // else the next install removes it
        record->flags |= SDB_FLAG_LEFTOVER;
    }
    res = sdb_record_save(store, record);
    return res < 0 ? res : 1;
}
