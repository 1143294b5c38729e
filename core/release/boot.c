// SPDX-License-Identifier: MIT
#include "core/release/boot.h"

#include "core/error.h"
#include "core/release/layout.h"
#include "core/release/path.h"
#include "core/release/settle.h"

#include <string.h>

#define BOOT_BUDGET 16 // entries removed in one step

// Could an install have recorded this name of a directory?
static bool boot_dir_ok(const char *name) {
    for (const char *p = name; *p != '\0'; p++) {
        if (*p == '/' || (uint8_t)*p < ' ') {
            return false;
        }
    }
    return name[0] != '\0' && name[0] != '.' && !sdb_path_under_nocase(name, SDB_NAME_PREV);
}

int sdb_boot_load(struct sdb_boot *b) {
    struct sdb_record *r = &b->record;
    int res = sdb_record_load(b->store, r);
    bool none = r->main_dir[0] == '\0' && r->next_dir[0] == '\0';
    if (res < 0 || none ||
        (boot_dir_ok(r->main_dir) && boot_dir_ok(r->next_dir) &&
         !sdb_path_under_nocase(r->main_dir, r->next_dir))) {
        return res;
    }
    // Following a record that is none of ours could remove the application.
    r->main_dir[0] = r->next_dir[0] = '\0';
    r->state = SDB_IDLE;
    r->flags = 0;
    return sdb_record_save(b->store, r);
}

static int boot_take_back(struct sdb_boot *b, uint8_t event) {
    return sdb_revert_begin(&b->swap, b->fs, b->store, &b->record, event);
}

// Reads the whole release again: what the card has kept, not what was sent to it.
static int boot_check_content(struct sdb_boot *b) {
    if (b->hash == NULL) {
        return 0;
    }
    int res = 0;
    // Twice if need be: one read that went wrong on the way must not cost the release.
    for (int i = 0; i < 2; i++) {
        sdb_verify_init(&b->verify, b->fs, b->hash, b->record.main_dir, b->buf, b->len);
        res = sdb_verify_all(&b->verify);
        if (res == 0 || res == SDB_ECANCELED) {
            break;
        }
    }
    return res;
}

static int boot_trial(struct sdb_boot *b, bool counts) {
    struct sdb_record *r = &b->record;
    if (r->left == r->trials) {
        int res = boot_check_content(b);
        if (res < 0) {
            // A file that can't be read is as bad as one that differs.
            return res == SDB_ECANCELED ? res : boot_take_back(b, SDB_EVENT_CORRUPT);
        }
    } else if (!counts) {
        return 0;
    }
    if (r->left == 0) {
        return boot_take_back(b, SDB_EVENT_EXPIRED);
    }
    r->left--;
    return sdb_record_save(b->store, r);
}

// A trial that can't be undone, because the release is the first on the card or somebody has
// removed prev/, would go on for ever: end it, and say why the release should not run. It is not
// `bad`: installing it again may be the way out.
static int boot_end_hopeless(struct sdb_boot *b) {
    struct sdb_record *r = &b->record;
    r->event = r->left == r->trials ? SDB_EVENT_CORRUPT : SDB_EVENT_EXPIRED;
    strcpy(r->event_version, r->version);
    r->state = SDB_IDLE;
    r->left = 0;
    return sdb_record_save(b->store, r);
}

int sdb_boot_run(struct sdb_boot *b, bool counts) {
    struct sdb_record *r = &b->record;
    int result = SDB_BOOT_NOTHING;
    int res = 0;
    if (r->state == SDB_STAGED) {
        r->trials = b->trials;
    }
    while ((res = sdb_settle_step(&b->swap.tree, b->fs, b->store, r, SDB_SWAP_BUDGET)) == 1) {
        res = sdb_record_save(b->store, r); // commits what is done so far, so that no journal fills
        if (res < 0) {
            break;
        }
    }
    if (res >= 0 && (r->state == SDB_STAGED || r->state == SDB_SWAPPING)) {
        res = sdb_swap(&b->swap, b->fs, b->store, r);
        result = SDB_BOOT_SWAPPED;
    }
    if (res >= 0 && r->state == SDB_TRIAL) {
        res = boot_trial(b, counts);
        if (res == SDB_ENOENT) {
            res = boot_end_hopeless(b);
            result = SDB_BOOT_KEPT;
        }
    }
    if (res >= 0 && r->state == SDB_REVERTING) {
        res = sdb_revert(&b->swap, b->fs, b->store, r);
        result = SDB_BOOT_REVERTED;
    }
    return res < 0 ? res : result;
}

// Removes next/, and before and after it what else a release that waits has on the card, if it is
// `staged`. 1 while there is more to do, then 0.
static int boot_remove(struct sdb_boot *b, bool staged) {
    static const char places[][16] = {SDB_DIR_APP2, SDB_DIR_NEW2, "", SDB_DIR_NEW};
    struct sdb_record *r = &b->record;
    if (r->state != SDB_IDLE || !(r->flags & SDB_FLAG_LEFTOVER) || r->next_dir[0] == '\0') {
        return 0;
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        bool next = places[i][0] == '\0';
        if (!next && !staged) {
            continue;
        }
        b->swap.live[0] = '/';
        strcpy(b->swap.live + next, next ? r->next_dir : places[i]);
        sdb_tree_init(&b->swap.tree, b->fs, b->swap.live);
        int res = sdb_tree_step(&b->swap.tree, BOOT_BUDGET);
        if (res != 0) {
            return res;
        }
    }
    r->flags &= (uint8_t)~SDB_FLAG_LEFTOVER;
    return sdb_record_save(b->store, r);
}

int sdb_boot_tidy(struct sdb_boot *b) {
    return boot_remove(b, false);
}

int sdb_boot_remove_staged(struct sdb_boot *b) {
    return boot_remove(b, true);
}

int sdb_boot_confirm(const struct sdb_record_store *store, struct sdb_record *r) {
    if (r->state != SDB_TRIAL) {
        return 0;
    }
    r->state = SDB_IDLE;
    r->left = 0;
    r->event = SDB_EVENT_CONFIRMED;
    strcpy(r->event_version, r->version);
    int res = sdb_record_save(store, r);
    return res < 0 ? res : 1;
}

int sdb_boot_rollback(struct sdb_boot *b, uint8_t event) {
    if (b->record.state == SDB_REVERTING) {
        return 0;
    }
    if (b->record.state == SDB_STAGED) {
        // Its files are the caller's to remove, or the next install's, next/ the next boot's.
        b->record.state = SDB_IDLE;
        b->record.version[0] = '\0';
        b->record.flags = SDB_FLAG_LEFTOVER;
        int res = sdb_record_save(b->store, &b->record);
        return res < 0 ? res : 1;
    }
    if (b->record.state != SDB_IDLE && b->record.state != SDB_TRIAL) {
        return SDB_EBUSY;
    }
    return boot_take_back(b, event);
}
