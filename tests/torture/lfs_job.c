// SPDX-License-Identifier: MIT
// One scenario on littlefs. There are no transactions: each operation of littlefs that commits is a
// state. The run notes, after each, what a mount of the card shows and what the next boot makes of
// it; a power cut must leave the state before the operation in progress or the one after it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "engine.h"
#include "try.h"

static void lfs_env(struct env *e, const struct job *job, struct image *img, struct oplog *log) {
    memset(e, 0, sizeof *e);
    e->vol = &job->vol;
    e->img = img;
    ramdev_init(&e->dev, img, job->vol.sectors);
    e->dev.log = log;
    ramdev_bdev(&e->dev, &e->card);
    e->lfs = malloc(sizeof *e->lfs);
    lfs_init(e->lfs, &e->card, job->vol.lfs_block);
}

// Power on: the boot finishes what was begun, the application confirms and writes a file.
static int lfs_recover(struct env *e, uint64_t *visible, const char **why) {
    static struct sdb_boot b;
    static uint8_t wrote[900];
    static uint8_t back[901];
    struct sdb_record_store store;
    const struct sdb_fs *fs = &e->engine_fs;
    *why = "the board does not boot";
    int result = engine_boot(e, &b, &store);
    if (result < 0 || sdb_boot_confirm(b.store, &b.record) < 0) {
        return -1;
    }
    *why = "afterwards nothing can be written";
    const char *path = "/data/next time.txt";
    fs->remove(fs->ctx, "/filler0.bin");
    if (put_file(e, path, 777, sizeof wrote, 512) < 0) {
        return -1;
    }
    *why = "what is written afterwards reads back wrong";
    fill(wrote, sizeof wrote, 777, 0);
    int file = fs->open(fs->ctx, path, 'r');
    int n = file < 0 ? -1 : fs->read(fs->ctx, file, back, sizeof back);
    if (n != (int)sizeof wrote || memcmp(wrote, back, sizeof wrote) != 0 ||
        fs->close(fs->ctx, file) < 0) {
        return -1;
    }
    return env_check(e, visible, why) ? result : -1;
}

struct noting {
    struct job *job;
    struct env *e;
    uint64_t last;
};

static void job_note(void *ctx, bool done) {
    struct noting *n = ctx;
    struct env *e = n->e;
    struct lfs_check check;
    e->dev.hi = e->dev.lo + 1;
    if (!done) {
        return;
    }
    e->dev.lo = e->dev.hi;
    if (!e->states) {
        return;
    }
    if (!lfs_check(e->vol, e->img, false, &check)) {
        e->trouble = check.error;
        return;
    }
    e->fs_digest = check.digest;
    e->fs_visible = check.visible;
    states_add(e);
    struct states *s = e->states;
    if (s->count > 1 && check.digest == n->last) {
        s->outcome[s->count - 1] = s->outcome[s->count - 2];
    } else {
        struct image copy;
        struct env after;
        image_init(&copy, e->img);
        lfs_env(&after, n->job, &copy, NULL);
        if (lfs_recover(&after, &s->outcome[s->count - 1], &e->trouble) >= 0) {
            e->trouble = NULL;
        }
        env_free(&after);
        image_free(&copy);
    }
    n->last = check.digest;
}

static bool lfs_found(const uint64_t *list, uint64_t value, size_t lo, size_t hi) {
    for (size_t i = lo; i <= hi; i++) {
        if (list[i] == value) {
            return true;
        }
    }
    return false;
}

static bool lfs_io_error(const struct job *job) {
    return job->variant[0] >= VARIANT_ERROR && job->variant[0] < VARIANT_SUBSET;
}

// Before anything is repaired: the state before or the one after.
static bool lfs_judge_found(struct job *job, const struct image *img, uint32_t lo, uint32_t hi) {
    struct lfs_check check;
    if (!lfs_check(&job->vol, img, false, &check)) {
        job_fail(job, check.error, check.where);
        return false;
    }
    // After an I/O error a release that can't be read is taken back: another way.
    if (job->depth > 0 || (job->scenario->two && lfs_io_error(job)) ||
        lfs_found(job->states.digest, env_state(check.digest, 0), lo, hi)) {
        return true;
    }
    job_fail(job, "neither the state before nor the one after", "");
    return false;
}

// After the boot: what the boot makes of the state before or after; and of an update, in any case,
// the old release or the new one.
static bool lfs_judge_booted(struct job *job, uint64_t visible, int result, uint32_t lo,
                             uint32_t hi) {
    const struct states *s = &job->states;
    bool ok;
    if (job->scenario->two && (job->depth > 0 || lfs_io_error(job))) {
        ok = lfs_found(s->outcome, visible, 0, s->count - 1);
    } else if (job->depth > 1 && result == SDB_BOOT_REVERTED) {
        ok = true; // the trial's boots are used up, the application's files are newer
    } else {
        ok = lfs_found(s->outcome, visible, lo, hi);
    }
    if (!ok) {
        job_fail(job, "after the boot: neither the old nor the new", "");
    }
    return ok;
}

void lfs_case_judge(struct job *job, const struct image *img, uint32_t lo, uint32_t hi) {
    job->totals->cases++;
    if (!set64_add(&job->seen, mix2(img->hash, (uint64_t)lo << 32 | hi)) && !job->opt.replay) {
        return;
    }
    job->totals->distinct++;
    hi = hi < job->states.count ? hi : (uint32_t)job->states.count - 1;
    if (!lfs_judge_found(job, img, lo, hi)) {
        return;
    }
    struct image recovered;
    struct oplog log = {0};
    struct env e;
    uint64_t visible;
    const char *why;
    bool deeper = job->depth + 1 < DEPTH_MAX;
    image_init(&recovered, img);
    lfs_env(&e, job, &recovered, deeper ? &log : NULL);
    int result = lfs_recover(&e, &visible, &why);
    if (result < 0) {
        job_fail(job, why, "");
    } else if (lfs_judge_booted(job, visible, result, lo, hi)) {
        size_t writes = log.count;
        job->counter++;
        e.dev.log = NULL;
        if (job->scenario->resume && (job->counter % 16 == 3 || job->opt.replay) &&
            !job->scenario->resume(&e, job->states.visible[job->states.count - 1], &why)) {
            job_fail(job, why, "(when the update is carried on)");
        }
        log.count = writes;
        // Cuts in the recovery: of all clean cuts if all volumes are asked for, else of samples.
        uint32_t sample = job->opt.stride < 16 ? job->opt.stride : 16;
        bool descend = job->depth > 0                     ? job->counter % 256 == 0
                       : job->variant[0] == VARIANT_CLEAN ? job->at[0] % sample == 0
                                                          : job->counter % (32 * sample) == 0;
        if (deeper && (descend || job->opt.replay)) {
            job->depth++;
            explore_log(job, img, &log, false, lo, hi);
            job->depth--;
        }
    }
    env_free(&e);
    oplog_free(&log);
    image_free(&recovered);
}

// ---- the run

static bool lfs_wrong(struct job *job, const char *what, const char *detail) {
    printf("BROKEN %s on %s: %s %s %s\n", job->scenario->name, job->vol.name, what,
           detail ? detail : "", try_failed);
    fflush(stdout);
    job->totals->failures++;
    return false;
}

static bool lfs_prepare(struct job *job) {
    struct env e;
    image_init(&job->base, NULL);
    lfs_format(&job->vol, &job->base);
    lfs_env(&e, job, &job->base, NULL);
    bool ok = env_mount(&e) == FR_OK && populate(&e) == 0 &&
              (!job->scenario->prepare || job->scenario->prepare(&e) == 0);
    env_free(&e);
    return ok || lfs_wrong(job, "preparation", "");
}

static int lfs_play(struct job *job, struct env *e, struct image *img, struct oplog *log,
                    struct noting *noting, struct states *states) {
    try_failed[0] = '\0';
    image_init(img, &job->base);
    uint64_t fail_at = e->dev.fail_at;
    int mode = e->dev.fail_mode;
    bool partial = e->dev.partial;
    lfs_env(e, job, img, log);
    e->dev.fail_at = fail_at;
    e->dev.fail_mode = mode;
    e->dev.partial = partial;
    e->states = states;
    *noting = (struct noting){job, e, 0};
    if (states) {
        job_note(noting, true); // the state before anything
        e->dev.lo = e->dev.hi = 0;
    }
    e->lfs->note = job_note;
    e->lfs->note_ctx = noting;
    return job->scenario->run(e);
}

static void lfs_errors(struct job *job, uint64_t calls) {
    uint64_t step = 1 + calls / 400;
    for (uint64_t call = 1; call <= calls; call += job->opt.replay ? 1 : step) {
        for (int v = VARIANT_ERROR; v <= VARIANT_PARTIAL && !job_stopped(job); v++) {
            struct image img;
            struct env e = {0};
            struct noting noting;
            char token[64];
            job->depth = 0;
            job->at[0] = (uint32_t)call;
            job->variant[0] = (uint32_t)v;
            snprintf(token, sizeof token, "%s.%u.%u.%d", job->scenario->name, job->volume_index,
                     job->at[0], v);
            if (job->opt.replay && strncmp(token, job->opt.replay, strlen(token)) != 0) {
                continue;
            }
            e.dev.fail_at = call;
            e.dev.fail_mode = v == VARIANT_ERRORS ? FAIL_ON : FAIL_ONCE;
            e.dev.partial = v == VARIANT_PARTIAL;
            lfs_play(job, &e, &img, NULL, &noting, NULL);
            job->totals->errors++;
            // A close() after a write that failed changes nothing, but was counted; an open() for
            // writing that failed was not.
            uint32_t lo = e.dev.lo > 0 ? e.dev.lo - 1 : 0;
            lfs_case_judge(job, &img, lo, 1 + (e.dev.hi > e.dev.lo ? e.dev.hi : e.dev.lo));
            env_free(&e);
            image_free(&img);
        }
    }
}

static bool lfs_two(const struct states *s) {
    uint64_t other = s->outcome[0];
    for (size_t i = 0; i < s->count; i++) {
        uint64_t v = s->outcome[i];
        other = other == s->outcome[0] ? v : other;
        if (v != s->outcome[0] && v != other) {
            return false;
        }
    }
    return true;
}

bool lfs_job_run(struct job *job) {
    struct image img;
    struct env e = {0};
    struct oplog log = {0};
    struct noting noting;
    blob_reset();
    if (!lfs_prepare(job)) {
        return false;
    }
    int err = lfs_play(job, &e, &img, &log, &noting, &job->states);
    job->lo_end = e.dev.lo;
    uint64_t calls = e.dev.calls;
    bool ok = err == 0 && !e.trouble && job->lo_end + 1 == job->states.count;
    if (!ok) {
        lfs_wrong(job, "the run failed", e.trouble);
    }
    if (ok && job->scenario->two) {
        ok = lfs_two(&job->states) ||
             lfs_wrong(job, "a release that is neither the old nor the new one", "");
    }
    env_free(&e);
    image_free(&img);
    if (ok) {
        uint64_t before = job->totals->cases;
        uint64_t distinct = job->totals->distinct;
        job->stride = 64;
        explore_log(job, &job->base, &log, true, 0, 0);
        lfs_errors(job, calls);
        if (job->opt.verbose) {
            printf("%-12s %-28s writes %zu, states %zu, cases %llu, distinct %llu\n",
                   job->scenario->name, job->vol.name, log.count, job->states.count,
                   (unsigned long long)(job->totals->cases - before),
                   (unsigned long long)(job->totals->distinct - distinct));
            fflush(stdout);
        }
    }
    oplog_free(&log);
    set64_free(&job->seen);
    states_free(&job->states);
    image_free(&job->base);
    return ok;
}
