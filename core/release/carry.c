// SPDX-License-Identifier: MIT
#include "core/release/carry.h"

#include "core/error.h"
#include "core/release/layout.h"
#include "core/release/manifest.h"

#include <string.h>

// In struct sdb_swap: tree.path is where we are below `from`, live the same place in main_dir,
// added reads the manifest, old is its line.
struct carry {
    struct sdb_swap *swap;
    const char *from;
    const struct sdb_record_store *store;
    struct sdb_record *record;
    size_t root;   // length of `from`
    size_t main;   // length of main_dir with the '/' before it, as in live
    uint32_t line; // of the manifest, the next one
    uint32_t moved;
    bool known; // the manifest can be read
    bool again; // an error has come before: what can't be read is done without
};

static void carry_rewind(struct carry *c) {
    struct sdb_swap *swap = c->swap;
    sdb_textfile_close(&swap->added);
    strcpy(swap->old, c->from);
    strcat(swap->old, "/" SDB_MANIFEST_FILE);
    sdb_textfile_init(&swap->added, swap->fs, swap->old);
    c->line = 0;
}

// Is swap->live, or something below it, in the manifest? Its lines are in the order of the
// directory, mostly: the search goes on where the last one has ended. Returns 1, 0 or an error.
static int carry_listed(struct carry *c) {
    struct sdb_swap *swap = c->swap;
    const char *name = swap->live + 1;
    size_t len = strlen(name);
    uint32_t begin = c->line;
    bool again = false;
    uint8_t digest[SDB_MANIFEST_DIGEST];
    bool kept;
    while (!again || c->line < begin) {
        int res = sdb_manifest_next(&swap->added, digest, swap->old, &kept);
        if (res < 0 || (res == 0 && again)) {
            return res;
        }
        if (res == 0) {
            carry_rewind(c);
            again = true;
            continue;
        }
        c->line++;
        if (strncmp(swap->old, name, len) == 0 &&
            (swap->old[len] == '\0' || swap->old[len] == '/')) {
            return 1;
        }
    }
    return 0;
}

static bool carry_ends(const char *name, const char *end) {
    size_t len = strlen(name);
    size_t tail = strlen(end);
    return len >= tail && strcmp(name + len - tail, end) == 0;
}

// Has the application made swap->live? Returns 1, 0 or an error.
static int carry_is_made(struct carry *c, int type) {
    const char *rest = c->swap->live + c->main;
    if (strcmp(rest, "/" SDB_MANIFEST_FILE) == 0) {
        return 0;
    }
    int res = c->known ? carry_listed(c) : 0;
    if (res == SDB_ECANCELED || (res < 0 && res != SDB_ENOENT && res != SDB_EINVAL && !c->again)) {
        return res;
    }
    c->known = c->known && res >= 0; // a manifest that is damaged says nothing more
    if (c->known) {
        return res == 0;
    }
    return type == SDB_FS_FILE && rest[1] != '.' && !carry_ends(rest, ".py") &&
           !carry_ends(rest, ".mpy");
}

// Moves what is at tree.path. Returns 0 or an error.
static int carry_move(struct carry *c) {
    struct sdb_swap *swap = c->swap;
    const struct sdb_fs *fs = swap->fs;
    int res = sdb_tree_parents(fs, swap->live, c->main + 1);
    if (res == SDB_ENOTDIR) {
        return 0;
    }
    if (res == 0) {
        res = fs->rename(fs->ctx, swap->tree.path, swap->live);
    }
    if (res == 0 && ++c->moved % SDB_SWAP_BUDGET == 0) {
        res = sdb_record_save(c->store, c->record);
    }
    return res;
}

enum { CARRY_NEXT, CARRY_INTO, CARRY_WHOLE };

// What is to be done with the entry at tree.path? A file is moved. Returns CARRY_INTO if it is a
// directory to be looked into, CARRY_WHOLE if it is one to be moved, CARRY_NEXT, or an error.
static int carry_entry(struct carry *c) {
    struct sdb_swap *swap = c->swap;
    const struct sdb_fs *fs = swap->fs;
    bool dir = swap->tree.entry.type == SDB_FS_DIR;
    int made = carry_is_made(c, swap->tree.entry.type);
    int there = made == 1 ? fs->stat(fs->ctx, swap->live, NULL) : 0;
    if (made < 0 || (there < 0 && there != SDB_ENOENT && there != SDB_ENOTDIR)) {
        return made < 0 ? made : there;
    }
    if (there >= 0) { // what the release has there counts
        return dir ? CARRY_INTO : CARRY_NEXT;
    }
    return dir ? CARRY_WHOLE : carry_move(c);
}

// Goes through the directory at tree.path, from behind the subdirectory whose name is there still
// if `resume`. Returns 1 if tree.path is a subdirectory now, 0 at the end, or an error.
static int carry_dir(struct carry *c, bool resume) {
    struct sdb_swap *swap = c->swap;
    const struct sdb_fs *fs = swap->fs;
    const struct sdb_dirent *entry = &swap->tree.entry;
    char *path = swap->tree.path + strlen(swap->tree.path);
    char *live = swap->live + strlen(swap->live);
    int dir = fs->opendir(fs->ctx, swap->tree.path);
    int res = dir;
    while (res >= 0 && (res = fs->readdir(fs->ctx, dir, &swap->tree.entry)) == 1) {
        if (resume) {
            resume = strcmp(path + 1, entry->name) != 0;
            continue;
        }
        size_t name = strlen(entry->name) + 1;
        if ((size_t)(path - swap->tree.path) + name > SDB_PATH_MAX ||
            (size_t)(live - swap->live) + name > SDB_PATH_MAX) {
            continue;
        }
        *path = *live = '/';
        strcpy(path + 1, entry->name);
        strcpy(live + 1, entry->name);
        res = carry_entry(c);
        if (res != CARRY_NEXT) {
            break;
        }
        *path = *live = '\0';
    }
    if (dir >= 0) {
        fs->closedir(fs->ctx, dir);
    }
    return res;
}

// The directory at tree.path is the application's: it is moved unless it is empty, as one of a
// release may be that no manifest names. Returns 1 if it has been moved, 0, or an error.
static int carry_whole(struct carry *c) {
    struct sdb_swap *swap = c->swap;
    const struct sdb_fs *fs = swap->fs;
    int dir = fs->opendir(fs->ctx, swap->tree.path);
    if (dir < 0) {
        return dir;
    }
    int res = fs->readdir(fs->ctx, dir, &swap->tree.entry);
    fs->closedir(fs->ctx, dir);
    uint32_t before = c->moved;
    res = res == 1 ? carry_move(c) : res;
    return res < 0 ? res : c->moved != before;
}

static int carry_all(struct carry *c) {
    struct sdb_swap *swap = c->swap;
    bool resume = false;
    int res;
    while ((res = carry_dir(c, resume)) >= 0) {
        resume = false;
        if (res == CARRY_INTO) {
            continue;
        }
        if (res == CARRY_NEXT && strlen(swap->tree.path) == c->root) {
            break;
        }
        if (res == CARRY_WHOLE) {
            res = carry_whole(c);
            if (res < 0) {
                break;
            }
        }
        resume = res == 0; // what has been moved is not in the listing any more
        *strrchr(swap->tree.path, '/') = '\0';
        *strrchr(swap->live, '/') = '\0';
    }
    return res;
}

static int carry_run(struct carry *c) {
    struct sdb_swap *swap = c->swap;
    const struct sdb_fs *fs = swap->fs;
    c->known = true; // if not, the first question tells
    strcpy(swap->tree.path, c->from);
    swap->live[0] = '/';
    strcpy(swap->live + 1, c->record->main_dir);
    carry_rewind(c);
    int res = fs->stat(fs->ctx, swap->live, NULL);
    if (res == SDB_FS_DIR) {
        res = fs->stat(fs->ctx, c->from, NULL);
    }
    res = res == SDB_FS_DIR ? carry_all(c) : res;
    sdb_textfile_close(&swap->added);
    return res < 0 && res != SDB_ENOENT ? res : 0;
}

int sdb_carry(struct sdb_swap *swap, const char *from, const struct sdb_record_store *store,
              struct sdb_record *record) {
    struct carry c = {.swap = swap, .from = from, .store = store, .record = record};
    c.root = strlen(from);
    c.main = strlen(record->main_dir) + 1;
    sdb_textfile_init(&swap->added, swap->fs, from); // nothing to close
    int res = carry_run(&c);
    if (res < 0 && res != SDB_ECANCELED) {
        c.again = true;
        res = carry_run(&c); // a read that went wrong on the way must not cost a file
    }
    return res < 0 && res != SDB_ECANCELED ? 1 : res;
}
