// SPDX-License-Identifier: MIT
#include "core/release/install.h"

#include "core/error.h"
#include "core/release/install_member.h"
#include "core/release/install_prune.h"
#include "core/release/path.h"
#include "core/release/settle.h"
#include "core/semver.h"

#include <string.h>

#define INSTALL_BUDGET 16 // entries removed in one step

// ---- Clean-up ----------------------------------------------------------------------------------

static bool install_resumes(const struct sdb_install *in) {
    return in->cfg.resume > 0 && !in->aborting;
}

// What is removed, in this order: staged files first, so that an abort is a prefix of a clean-up.
static const char *install_leftover(const struct sdb_install *in, int phase) {
    switch (phase) {
    case 0:
        return SDB_DIR_APP2;
    case 1:
        return SDB_DIR_NEW2;
    case 2:
        return in->cfg.next_dir; // of it the manifest only, if the rest stays
    case 3:
        return install_resumes(in) ? SDB_DIR_OLD : SDB_DIR_NEW;
    case 4:
        return SDB_DIR_OLD;
    case 5:
        return SDB_FILE_ADDED;
    default:
        return SDB_DIR_PREV;
    }
}

static void install_enter_phase(struct sdb_install *in, uint8_t phase) {
    const char *name = install_leftover(in, phase);
    in->phase = phase;
    in->path[0] = '/';
    strcpy(in->path + (name[0] != '/'), name);
    if (phase == 2 && install_resumes(in)) {
        strcat(in->path, "/" SDB_MANIFEST_FILE);
    }
    sdb_tree_init(&in->tree, in->cfg.fs, in->path);
}

int sdb_install_checkpoint(struct sdb_install *in, bool must) {
    return in->cfg.checkpoint != NULL ? in->cfg.checkpoint(in->cfg.ctx, must) : 0;
}

static int install_remove(struct sdb_install *in, uint8_t phases) {
    if (in->phase >= phases) {
        return 0;
    }
    int more = sdb_tree_step(&in->tree, INSTALL_BUDGET);
    int res = more < 0 ? more : sdb_install_checkpoint(in, more == 0);
    if (res < 0 || more == 1) {
        return res < 0 ? res : 1;
    }
    if (in->phase + 1 < phases) {
        install_enter_phase(in, in->phase + 1);
        return 1;
    }
    in->phase = phases;
    return 0;
}

int sdb_install_clean(struct sdb_install *in) {
    return in->begun ? install_remove(in, in->second ? 2 : 7) : 0;
}

// ---- The install as a whole --------------------------------------------------------------------

static bool install_dirname_ok(const char *name) {
    size_t len = strlen(name);
    char clean[SDB_DIRNAME_MAX + 1];
    if (len == 0 || len > SDB_DIRNAME_MAX || strchr(name, '/') != NULL || name[0] == '.') {
        return false;
    }
    strcpy(clean, name);
    return sdb_path_clean(clean) > 0 && !sdb_path_is_alias(name, len);
}

// Has a swap been begun and come to nothing, on a card that is full, say? Its first step would have
// left one of these, which clean has removed before. Returns 1, 0 or an error.
static int install_swap_undone(const struct sdb_install *in, const struct sdb_record *record) {
    static const char traces[][16] = {SDB_DIR_OLD, SDB_FILE_ADDED, SDB_DIR_PREV};
    const struct sdb_fs *fs = in->cfg.fs;
    char next[SDB_DIRNAME_MAX + 2] = "/";
    for (size_t i = 0; i < sizeof(traces) / sizeof(*traces); i++) {
        int type = fs->stat(fs->ctx, traces[i], NULL);
        if (type != SDB_ENOENT) {
            return type < 0 ? type : 0;
        }
    }
    if (record->next_dir[0] == '\0') {
        return 0;
    }
    strcpy(next + 1, record->next_dir);
    int type = fs->stat(fs->ctx, next, NULL);
    return type == SDB_FS_DIR ? 1 : type < 0 && type != SDB_ENOENT ? type : 0;
}

static int install_set_state(struct sdb_install *in, uint8_t state) {
    struct sdb_record record;
    int res = sdb_record_load(in->cfg.store, &record);
    if (res < 0) {
        return res;
    }
    if (record.state == SDB_SWAPPING) {
        res = install_swap_undone(in, &record);
        if (res != 1) {
            return res < 0 ? res : SDB_EBUSY;
        }
    }
    if (record.state == SDB_REVERTING || record.state == SDB_TRIAL) {
        return SDB_EBUSY;
    }
    if (record.state == state && state == SDB_IDLE) {
        return 0; // nothing to write
    }
    record.state = state;
    record.flags &= (uint8_t)~SDB_FLAG_SECOND;
    if (state == SDB_STAGED && in->second) {
        record.flags |= SDB_FLAG_SECOND;
    }
    strcpy(record.version, state == SDB_STAGED ? in->cfg.version : "");
    strcpy(record.main_dir, in->cfg.main_dir);
    strcpy(record.next_dir, in->cfg.next_dir);
    return sdb_record_save(in->cfg.store, &record);
}

// While a release waits, the next one is staged elsewhere: should that fail, the first is there
// still. Returns 1 if so, 0, or an error.
static int install_waiting(struct sdb_install *in) {
    struct sdb_record record;
    int res = sdb_record_load(in->cfg.store, &record);
    if (res < 0 || record.state != SDB_STAGED) {
        return res;
    }
    do { // a third one
        res = sdb_settle_step(&in->tree, in->cfg.fs, in->cfg.store, &record, INSTALL_BUDGET);
        res = res == 1 ? sdb_install_checkpoint(in, false) : res;
    } while (res == 0 && record.flags & SDB_FLAG_SECOND);
    return res < 0 ? res : 1;
}

int sdb_install_begin(struct sdb_install *in, const struct sdb_install_config *cfg,
                      const struct sdb_names *names) {
    memset(in, 0, sizeof(*in));
    in->cfg = *cfg;
    in->names = *names;
    in->names.count = 0;
    in->out = -1;
    in->cmp = -1;
    if (!install_dirname_ok(cfg->main_dir) || !install_dirname_ok(cfg->next_dir) ||
        sdb_path_under_nocase(cfg->main_dir, cfg->next_dir) ||
        sdb_path_under_nocase(SDB_NAME_PREV, cfg->main_dir) ||
        sdb_path_under_nocase(SDB_NAME_PREV, cfg->next_dir) ||
        strlen(cfg->version) > SDB_VERSION_MAX || !sdb_semver_valid(cfg->version)) {
        in->error = SDB_EINVAL;
        return in->error;
    }
    sdb_install_member_init(in);
    // If this fails, next/ may be a release that is being swapped in: clean and abort must leave it
    // alone.
    int waiting = install_waiting(in);
    in->second = waiting == 1;
    if (in->second) {
        in->cfg.resume = 0; // what is staged is the other one
    }
    in->error = waiting != 0 ? waiting < 0 ? waiting : 0 : install_set_state(in, SDB_IDLE);
    in->begun = in->error == 0;
    sdb_install_member_dir(in);
    in->resumed = in->cfg.resume > 0 && cfg->fs->stat(cfg->fs->ctx, in->path, NULL) >= 0;
    strcat(in->path, "/" SDB_MANIFEST_FILE);
    sdb_textfile_init(&in->manifest, cfg->fs, in->path);
    install_enter_phase(in, 0);
    return in->error;
}

// Does the record speak of this release, the second one, though finish has failed?
static int install_is_recorded(struct sdb_install *in) {
    struct sdb_record record;
    int res = sdb_record_load(in->cfg.store, &record);
    return res < 0 ? res : record.state == SDB_STAGED && (record.flags & SDB_FLAG_SECOND) != 0;
}

int sdb_install_abort(struct sdb_install *in) {
    if (!in->begun) {
        return 0;
    }
    if (!in->aborting) {
        sdb_install_member_close(in);
        // finish may have failed with the record on the card nevertheless.
        int res = in->second ? install_is_recorded(in) : install_set_state(in, SDB_IDLE);
        if (res == 1) {
            in->begun = false; // it is the release that waits now
            res = 0;
        }
        in->error = res < 0 ? res : SDB_ECANCELED;
        if (res < 0) {
            return res;
        }
        in->aborting = true;
        install_enter_phase(in, 0);
    }
    return in->begun ? install_remove(in, in->second ? 2 : 4) : 0;
}

void sdb_install_keep(struct sdb_install *in) {
    in->keep = true;
}

int sdb_install_suspend(struct sdb_install *in) {
    const struct sdb_fs *fs = in->cfg.fs;
    bool half = in->out >= 0;
    if (!in->begun) {
        return 0;
    }
    in->error = SDB_ECANCELED;
    int res = sdb_install_member_close(in);
    if (half) {
        res = fs->remove(fs->ctx, in->path);
    }
    int kept = sdb_install_checkpoint(in, true);
    return res < 0 ? res : kept;
}

int sdb_install_feed(struct sdb_install *in, const void *data, size_t len) {
    if (in->error == 0) {
        in->error = in->verified ? SDB_EINVAL : in->cfg.hash->update(in->cfg.hash->ctx, data, len);
    }
    if (in->error == 0) {
        in->error = sdb_tar_feed(&in->tar, data, len);
    }
    return in->error;
}

int sdb_install_verify(struct sdb_install *in) {
    uint8_t digest[SDB_HASH_MAX];
    int res = in->error;
    if (in->verified || res < 0) {
        return res;
    }
    res = in->cfg.hash->digest(in->cfg.hash->ctx, digest);
    if (res == 0 && memcmp(digest, in->cfg.digest, in->cfg.hash->size) != 0) {
        res = SDB_EPKG_HASH;
    }
    if (res == 0) {
        res = sdb_tar_finish(&in->tar);
    }
    if (res == 0 && !in->has_app) {
        res = SDB_EPKG_NO_APP;
    }
    if (res == 0) {
        res = sdb_install_member_add_version(in);
    }
    if (res == 0 && in->cfg.resume > 0) {
        res = sdb_install_prune(in);
    }
    if (res == 0) {
        res = sdb_textfile_flush(&in->manifest);
    }
    in->error = res;
    in->verified = res == 0;
    return res;
}

// Both places of a release that is staged while another one waits must be there: what is missing
// later has been moved already.
static int install_complete(struct sdb_install *in) {
    const struct sdb_fs *fs = in->cfg.fs;
    if (!in->second) {
        return 0;
    }
    int type = fs->stat(fs->ctx, SDB_DIR_NEW2, NULL);
    return type == SDB_ENOENT ? fs->mkdir(fs->ctx, SDB_DIR_NEW2) : type < 0 ? type : 0;
}

// The release that waited before goes. The next boot does it if this fails. Returns 1 while there
// is more to do, then 0.
static int install_settle(struct sdb_install *in) {
    struct sdb_record record;
    int res = sdb_record_load(in->cfg.store, &record);
    if (res == 0) {
        res = sdb_settle_step(&in->tree, in->cfg.fs, in->cfg.store, &record, INSTALL_BUDGET);
    }
    return res == 1 && sdb_install_checkpoint(in, false) == 0;
}

int sdb_install_finish(struct sdb_install *in) {
    if (in->settling) {
        return install_settle(in);
    }
    int res = sdb_install_verify(in);
    if (res == 0) {
        res = install_complete(in);
    }
    if (res == 0) {
        res = sdb_install_checkpoint(in, true); // content before the record that speaks of it
    }
    if (res == 0) {
        res = install_set_state(in, SDB_STAGED);
    }
    in->error = res;
    in->settling = res == 0 && in->second;
    return in->settling ? 1 : res;
}
