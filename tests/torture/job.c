// SPDX-License-Identifier: MIT
// One scenario on one volume: the reference, the run, its cuts, its I/O errors.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "oldarea.h"
#include "try.h"

static bool job_wrong(struct job *job, const char *what, const char *detail) {
    printf("BROKEN %s on %s: %s %s %s\n", job->scenario->name, job->vol.name, what, detail,
           try_failed);
    fflush(stdout);
    job->totals->failures++;
    return false;
}

// Runs `what` on the plain card.
static bool job_setup(struct job *job, int (*what)(struct env *)) {
    struct env e;
    struct states scratch = {0};
    env_init(&e, true, &job->vol, &job->base, &scratch, NULL);
    e.open = true;
    bool ok = env_mount(&e) == FR_OK && what(&e) == 0 && env_commit(&e) == 0 && !e.trouble;
    env_free(&e);
    states_free(&scratch);
    return ok;
}

// Formats the card, fills it as a user would, and gives it a control area.
static bool job_prepare(struct job *job) {
    struct env e;
    const char *why = "";
    image_init(&job->base, NULL);
    volume_format(&job->vol, &job->base);
    bool ok = job_setup(job, populate);
    if (ok && job->scenario->old) {
        ok = job_setup(job, old_area_file);
        job->record = ok ? old_area_make(&job->vol, &job->base) : 0;
        ok = job->record != 0;
    }
    if (ok && !job->scenario->fresh) {
        env_init(&e, false, &job->vol, &job->base, NULL, NULL);
        ok = env_boot(&e, true, &why) == 0;
        env_free(&e);
    }
    if (ok && job->scenario->prepare) {
        ok = job_setup(job, job->scenario->prepare);
    }
    return ok || job_wrong(job, "preparation", why);
}

static bool job_reference(struct job *job) {
    struct image img;
    struct env e;
    image_init(&img, &job->base);
    env_init(&e, true, &job->vol, &img, &job->states, NULL);
    e.unsynced = job->scenario->unsynced;
    const char *why = "failed";
    bool ok = env_boot(&e, false, &why) == 0 && job->scenario->run(&e) == 0;
    if (ok && e.trouble) {
        ok = false;
        why = e.trouble;
    }
    const struct states *s = &job->states;
    uint64_t other = s->visible[0];
    for (size_t i = 0; ok && job->scenario->two && i < s->count; i++) {
        if (other == s->visible[0]) {
            other = s->visible[i];
        } else if (s->visible[i] != s->visible[0] && s->visible[i] != other) {
            ok = false;
            why = "a release that is neither the old nor the new one";
        }
    }
    env_free(&e);
    image_free(&img);
    return ok || job_wrong(job, "reference:", why);
}

// One journalled run on a card that starts as `img`. Returns the scenario's result.
static int job_play(struct job *job, struct env *e, struct image *img, struct oplog *log,
                    uint64_t fail_at, int variant) {
    const char *why = "";
    try_failed[0] = '\0';
    image_init(img, &job->base);
    env_init(e, false, &job->vol, img, NULL, log);
    e->log = job->scenario->log;
    e->dev.fail_at = fail_at;
    e->dev.fail_mode = variant == VARIANT_ERRORS ? FAIL_ON : FAIL_ONCE;
    e->dev.partial = variant == VARIANT_PARTIAL;
    if (job->scenario->fresh) {
        return job->scenario->run(e);
    }
    int err = env_boot(e, false, &why);
    return err < 0 ? err : job->scenario->run(e);
}

static void job_error_case(struct job *job, uint64_t call, int variant) {
    struct image img;
    struct env e;
    char token[64];
    job->depth = 0;
    job->loose = true;
    job->at[0] = (uint32_t)call;
    job->variant[0] = (uint32_t)variant;
    if (job->opt.replay) {
        snprintf(token, sizeof token, "%s.%u.%u.%d", job->scenario->name, job->volume_index,
                 job->at[0], variant);
        if (strncmp(token, job->opt.replay, strlen(token)) != 0) {
            return;
        }
    }
    int err = job_play(job, &e, &img, NULL, call, variant);
    job->totals->errors++;
    uint32_t lo = e.dev.lo;
    uint32_t hi = e.dev.hi > lo ? e.dev.hi : lo;
    if (err == 0 && lo + 1 != job->states.count) {
        job_fail(job, "an I/O error was swallowed", "");
    }
    if (e.trouble) {
        job_fail(job, e.trouble, "");
    }
    // The board is switched off as it is: all that was written is on the card.
    case_judge(job, &img, lo, hi);
    // Or the application drops the transaction and goes on.
    if (err < 0 && variant != VARIANT_ERRORS && e.booted && !sdb_journal_is_dead(e.journal)) {
        e.dev.fail_at = 0;
        if (env_abort(&e) < 0) {
            job_fail(job, "after an I/O error it can't be mounted", "");
        }
        case_judge(job, &img, lo, hi);
    }
    env_free(&e);
    image_free(&img);
}

static void job_errors(struct job *job, uint64_t calls) {
    uint64_t step = 1;
    if (job->opt.budget > 0 && calls * 3 > job->opt.budget / 8) {
        step = calls * 3 / (job->opt.budget / 8 + 1) + 1;
    }
    step = job->opt.replay ? 1 : step;
    for (uint64_t call = 1 + job->volume_index % step; call <= calls; call += step) {
        for (int v = VARIANT_ERROR; v <= VARIANT_PARTIAL && !job_stopped(job); v++) {
            job_error_case(job, call, v);
        }
    }
}

bool job_run(struct job *job) {
    struct image img;
    struct env e;
    struct oplog log = {0};
    blob_reset();
    if (!job_prepare(job) || !job_reference(job)) {
        return false;
    }
    int err = job_play(job, &e, &img, &log, 0, 0);
    bool ok = err == 0;
    job->lo_end = e.dev.lo;
    uint64_t calls = e.dev.calls;
    if (!ok || job->lo_end + 1 != job->states.count) {
        job_wrong(job, "the run failed", e.dev.lo + 1 != job->states.count ? "(commits)" : "");
        ok = false;
    } else if (e.trouble) {
        job_wrong(job, e.trouble, "");
        ok = false;
    }
    env_free(&e);
    image_free(&img);
    if (ok) {
        uint64_t before = job->totals->cases;
        job->stride = 16;
        job->depth = 0;
        explore_log(job, &job->base, &log, true, 0, 0);
        job->depth = 0;
        job_errors(job, calls);
        if (job->opt.verbose) {
            printf("%-12s %-28s writes %zu, states %zu, cases %llu\n", job->scenario->name,
                   job->vol.name, log.count, job->states.count,
                   (unsigned long long)(job->totals->cases - before));
            fflush(stdout);
        }
    }
    oplog_free(&log);
    set64_free(&job->seen);
    states_free(&job->states);
    image_free(&job->base);
    return ok;
}
