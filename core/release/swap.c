// SPDX-License-Identifier: MIT
#include "core/release/swap.h"

#include "core/error.h"
#include "core/release/carry.h"
#include "core/release/layout.h"

#include <string.h>

void sdb_swap_set_dirs(struct sdb_swap *swap, const struct sdb_record *record) {
    swap->live[0] = swap->old[0] = '/';
    strcpy(swap->live + 1, record->next_dir);
    strcpy(swap->old + 1, record->main_dir);
}

// Paths below .sdboot/new are the live paths: "/.sdboot/new/lib/x.py" replaces "/lib/x.py".
static void swap_set_live(struct sdb_swap *swap, const char *path) {
    strcpy(swap->live, path + sizeof(SDB_DIR_NEW) - 1);
}

// Moves whatever has the path swap->live to the same path below .sdboot/old.
static int swap_evict(struct sdb_swap *swap) {
    const struct sdb_fs *fs = swap->fs;
    strcpy(swap->old, SDB_DIR_OLD);
    strcat(swap->old, swap->live);
    int res = sdb_tree_parents(fs, swap->old, 0);
    return res < 0 ? res : fs->rename(fs->ctx, swap->live, swap->old);
}

// Notes that swap->live is new, before it is made. It is not if the old one has been moved away, by
// this swap before a power cut.
static int swap_note_added(struct sdb_swap *swap) {
    const struct sdb_fs *fs = swap->fs;
    strcpy(swap->old, SDB_DIR_OLD);
    strcat(swap->old, swap->live);
    int res = fs->stat(fs->ctx, swap->old, NULL);
    if (res != SDB_ENOENT && res != SDB_ENOTDIR) { // the latter below a file that was moved away
        return res < 0 ? res : 0;
    }
    sdb_textfile_init(&swap->added, fs, SDB_FILE_ADDED);
    res = sdb_textfile_puts(&swap->added, swap->live);
    if (res == 0) {
        res = sdb_textfile_put(&swap->added, '\n');
    }
    return res < 0 ? res : sdb_textfile_flush(&swap->added);
}

// Makes the directory swap->live. A file of that name, made by the application since the release
// was staged, must not stop the swap half-way.
static int swap_make_live(struct sdb_swap *swap) {
    const struct sdb_fs *fs = swap->fs;
    int type = fs->stat(fs->ctx, swap->live, NULL);
    if (type == SDB_FS_DIR || (type < 0 && type != SDB_ENOENT)) {
        return type < 0 ? type : 0;
    }
    int res = type == SDB_FS_FILE ? swap_evict(swap) : swap_note_added(swap);
    return res < 0 ? res : fs->mkdir(fs->ctx, swap->live);
}

static int swap_replace_file(void *ctx, const char *path) {
    struct sdb_swap *swap = ctx;
    const struct sdb_fs *fs = swap->fs;
    swap_set_live(swap, path);
    if (swap->live[0] == '\0') {
        return fs->remove(fs->ctx, path); // a file instead of SDB_DIR_NEW: nothing of ours
    }
    for (char *p = strchr(swap->live + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        int res = swap_make_live(swap);
        *p = '/';
        if (res < 0) {
            return res;
        }
    }
    // If both are there, the live one is the old one: the new one leaves `path` by taking its
    // place. That makes the step safe to repeat.
    int res = fs->stat(fs->ctx, swap->live, NULL);
    if (res > 0) {
        res = swap_evict(swap);
    } else if (res == SDB_ENOENT) {
        res = swap_note_added(swap);
    }
    return res < 0 ? res : fs->rename(fs->ctx, path, swap->live);
}

static int swap_make_dir(void *ctx, const char *path) {
    struct sdb_swap *swap = ctx;
    swap_set_live(swap, path);
    return swap_make_live(swap);
}

static int swap_whole_dir(void *ctx) {
    return sdb_swap_dir(ctx, SDB_DIR_OLD, true);
}

// Makes sure that app/ can become prev/: install has removed that, but somebody may have made one
// since. There is no app/ any more if the prev/ that is there was one.
static int swap_clear_prev(struct sdb_swap *swap) {
    sdb_tree_init(&swap->tree, swap->fs, SDB_DIR_PREV);
    return sdb_tree_run(&swap->tree);
}

static int swap_dirs(struct sdb_swap *swap, const struct sdb_record *record) {
    const struct sdb_fs *fs = swap->fs;
    sdb_swap_set_dirs(swap, record);
    const char *next = swap->live;
    const char *app = swap->old;
    int res = fs->stat(fs->ctx, next, NULL);
    if (res != SDB_FS_DIR) {
        return res < 0 && res != SDB_ENOENT ? res : 0; // renamed before the power failed
    }
    res = fs->stat(fs->ctx, app, NULL);
    if (res > 0) {
        res = swap_clear_prev(swap);
        if (res == 0) {
            res = fs->rename(fs->ctx, app, SDB_DIR_PREV);
        }
    } else if (res == SDB_ENOENT) {
        res = fs->stat(fs->ctx, SDB_DIR_PREV, NULL);
        if (res == SDB_ENOENT) {
            // No release before this one; what it replaces outside app/ can be restored all the
            // same.
            res = fs->mkdir(fs->ctx, SDB_DIR_PREV);
        }
    }
    return res < 0 ? res : fs->rename(fs->ctx, next, app);
}

static int swap_save(const struct sdb_record_store *store, struct sdb_record *record,
                     uint8_t state) {
    record->state = state;
    return sdb_record_save(store, record);
}

static int swap_begin(struct sdb_swap *swap, const struct sdb_record_store *store,
                      struct sdb_record *record) {
    const struct sdb_fs *fs = swap->fs;
    swap->live[0] = '/';
    strcpy(swap->live + 1, record->next_dir);
    int res = fs->stat(fs->ctx, swap->live, NULL);
    if (res == SDB_ENOENT || res == SDB_FS_FILE) {
        // Somebody removed it, on a PC perhaps.
        res = swap_save(store, record, SDB_IDLE);
        return res < 0 ? res : SDB_ENOENT;
    }
    record->flags &= (uint8_t)~SDB_FLAG_LEFTOVER; // next/ is another one now
    return res < 0 ? res : swap_save(store, record, SDB_SWAPPING);
}

int sdb_swap(struct sdb_swap *swap, const struct sdb_fs *fs, const struct sdb_record_store *store,
             struct sdb_record *record) {
    swap->fs = fs;
    int res = 0;
    if (record->state == SDB_STAGED) {
        res = swap_begin(swap, store, record);
    } else if (record->state != SDB_SWAPPING) {
        return 0;
    }
    if (res < 0) {
        return res;
    }
    sdb_tree_init(&swap->tree, fs, SDB_DIR_NEW);
    swap->tree.file = swap_replace_file;
    swap->tree.dir = swap_make_dir;
    swap->tree.whole = swap->whole ? swap_whole_dir : NULL;
    swap->tree.ctx = swap;
    while ((res = sdb_tree_step(&swap->tree, SDB_SWAP_BUDGET)) == 1) {
        // Many files: with the record what is done so far is committed, so that no journal fills.
        res = swap_save(store, record, SDB_SWAPPING);
        if (res < 0) {
            return res;
        }
    }
    if (res == 0) {
        res = swap_dirs(swap, record);
    }
    if (res == 0) {
        res = sdb_carry(swap, SDB_DIR_PREV, store, record);
    }
    if (res < 0) {
        return res;
    }
    record->event = SDB_EVENT_INSTALLED;
    strcpy(record->event_version, record->version);
    record->left = record->trials;
    if (record->bad[0] != '\0' && sdb_semver_compare(record->bad, record->version) == 0) {
        record->bad[0] = '\0'; // forced: it gets another chance
    }
    res = swap_save(store, record, record->trials > 0 ? SDB_TRIAL : SDB_IDLE);
    return res < 0 ? res : 1;
}
