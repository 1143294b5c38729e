// SPDX-License-Identifier: MIT
#include "explore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "try.h"

char try_failed[160];

static void token_print(const struct job *job, char *out, size_t size) {
    int n = snprintf(out, size, "%s.%u", job->scenario->name, job->volume_index);
    for (int i = 0; i <= job->depth; i++) {
        n += snprintf(out + n, size - (size_t)n, ".%u.%u", job->at[i], job->variant[i]);
    }
}

void job_fail(struct job *job, const char *why, const char *where) {
    char token[120];
    job->totals->failures++;
    token_print(job, token, sizeof token);
    if (job->totals->failures <= 20 || job->opt.replay) {
        printf("FAILED %s on %s: %s %s %s\n  REPLAY=%s\n", job->scenario->name, job->vol.name, why,
               where, try_failed, token);
        fflush(stdout);
    }
}

bool job_stopped(const struct job *job) {
    return job->opt.stop && job->totals->failures > 0;
}

// ---- choosing the subsets of pending writes that get to the card

static uint32_t name_hash(const char *name) {
    uint32_t hash = 0;
    for (; *name != '\0'; name++) {
        hash = hash * 31 + (uint8_t)*name;
    }
    return hash;
}

static uint32_t case_random(const struct job *job, uint32_t salt) {
    uint64_t x = mix2(job->volume_index * 131u + name_hash(job->scenario->name), salt);
    for (int i = 0; i <= job->depth; i++) {
        x = mix2(x, (uint64_t)job->at[i] << 32 | job->variant[i]);
    }
    return (uint32_t)(x >> 16);
}

static const struct blob *garbage(const struct job *job, const struct op *op, uint32_t kind) {
    uint8_t s[512];
    uint32_t cut = 1 + case_random(job, 1) % 511;
    const uint8_t *fresh = op->blob->data;
    switch (kind) {
    case VARIANT_RANDOM:
        fill(s, 512, 9000 + case_random(job, 2) % 4, 0);
        break;
    case VARIANT_ONES:
        memset(s, 0xFF, 512);
        break;
    case VARIANT_PREFIX_GARBAGE:
        fill(s, 512, 9100 + cut % 4, 0);
        cut &= ~3u;
        memcpy(s, fresh, cut);
        break;
    default:
        memset(s, 0, 512);
        memcpy(s, fresh, cut);
        break;
    }
    return blob_get(s);
}

static const struct blob *prefix(const struct job *job, const struct image *img,
                                 const struct op *op) {
    uint8_t s[512];
    uint32_t cut = 1 + case_random(job, 1) % 511;
    memcpy(s, image_get(img, op->lba)->data, 512);
    memcpy(s, op->blob->data, cut);
    return blob_get(s);
}

// What is being explored: a log of writes onto `start`, cut before each of them.
struct explore {
    struct job *job;
    const struct op *ops;
    size_t count;
    size_t synced; // ops before this one are durable
    struct image durable;
    struct image current; // all before the cut, in order
    struct image image;   // the case
    bool outer;           // the log of the run itself: its ops say which states are right
    uint32_t lo;
    uint32_t hi;
};

static bool wanted(const struct job *job, uint32_t i, uint32_t variant) {
    if (!job->opt.replay) {
        return true;
    }
    char token[140];
    struct job probe = *job;
    probe.at[probe.depth] = i;
    probe.variant[probe.depth] = variant;
    token_print(&probe, token, sizeof token);
    size_t n = strlen(token);
    return strncmp(job->opt.replay, token, n) == 0 &&
           (job->opt.replay[n] == 0 || job->opt.replay[n] == '.');
}

static void select_case(struct explore *x, size_t i, uint32_t variant) {
    x->job->at[x->job->depth] = (uint32_t)i;
    x->job->variant[x->job->depth] = variant;
}

static void judge(struct explore *x, size_t i, struct image *img, bool in_flight) {
    uint32_t lo = x->lo;
    uint32_t hi = x->hi;
    if (x->outer) {
        lo = i < x->count ? x->ops[i].lo : x->job->lo_end;
        hi = in_flight ? x->ops[i].hi : i > 0 ? x->ops[i - 1].hi : lo;
        hi = hi > lo ? hi : lo;
    }
    if (x->job->vol.lfs_block) {
        lfs_case_judge(x->job, img, lo, hi);
    } else {
        case_judge(x->job, img, lo, hi);
    }
}

static void explore_in_flight(struct explore *x, size_t i) {
    const struct op *op = &x->ops[i];
    for (uint32_t v = VARIANT_RANDOM; v <= VARIANT_PREFIX_GARBAGE; v++) {
        if (!wanted(x->job, (uint32_t)i, v)) {
            continue;
        }
        select_case(x, i, v);
        image_clear(&x->image);
        image_set(&x->image, op->lba,
                  v == VARIANT_PREFIX ? prefix(x->job, &x->current, op) : garbage(x->job, op, v));
        judge(x, i, &x->image, true);
    }
}

static void explore_subset(struct explore *x, size_t i, uint32_t variant) {
    if (!wanted(x->job, (uint32_t)i, variant)) {
        return;
    }
    select_case(x, i, variant);
    size_t n = i - x->synced;
    uint32_t sample = variant - VARIANT_SUBSET;
    struct image layer;
    image_init(&layer, &x->durable);
    uint32_t spoiled = case_random(x->job, 4) % 4 == 0 ? case_random(x->job, 5) % (uint32_t)n : ~0u;
    for (size_t k = 0; k < n; k++) {
        bool taken;
        if (n <= 8) {
            taken = sample >> k & 1;
        } else if (sample % 2) {
            taken = case_random(x->job, 100 + (uint32_t)k) % 2;
        } else {
            taken = case_random(x->job, 100 + (uint32_t)k) % n >= 1 + sample % 4;
        }
        const struct op *op = &x->ops[x->synced + k];
        if (taken && op->kind == OP_WRITE) {
            image_set(&layer, op->lba,
                      k == spoiled ? garbage(x->job, op, VARIANT_RANDOM) : op->blob);
        }
    }
    judge(x, i, &layer, false);
    image_free(&layer);
}

static void explore_subsets(struct explore *x, size_t i) {
    size_t n = i - x->synced;
    if (n == 0) {
        return;
    }
    if (n <= 8 && x->outer) {
        // The full set is the clean cut; sets without the last write were had before it.
        for (uint32_t mask = 1u << (n - 1); mask < (1u << n) - 1; mask++) {
            explore_subset(x, i, VARIANT_SUBSET + mask);
        }
        return;
    }
    uint32_t samples = x->outer ? (n <= 64 ? 24 : 4) : 4;
    for (uint32_t s = 0; s < samples; s++) {
        uint32_t mask = n <= 8 ? 1u << (n - 1) | case_random(x->job, 50 + s) % (1u << (n - 1)) : s;
        explore_subset(x, i, VARIANT_SUBSET + mask);
    }
}

void explore_log(struct job *job, const struct image *start, const struct oplog *log, bool outer,
                 uint32_t lo, uint32_t hi) {
    struct explore x = {.job = job, .ops = log->ops, .count = log->count, .outer = outer};
    x.lo = lo;
    x.hi = hi;
    image_init(&x.durable, start);
    image_init(&x.current, &x.durable);
    image_init(&x.image, &x.current);
    for (size_t i = 0; i <= x.count && !job_stopped(job); i++) {
        // Refresh the layers' running hashes: their parents have changed.
        image_clear(&x.image);
        // Cuts in the recovery of a cut recovery are sampled, all else is complete.
        bool take = job->depth < 2 || case_random(job, 7 + (uint32_t)i) % job->stride == 0;
        if (i > 0 && x.ops[i - 1].kind == OP_SYNC) {
            image_fold(&x.current, &x.durable);
            image_clear(&x.image);
            x.synced = i;
        }
        if (take || job->opt.replay) {
            if (wanted(job, (uint32_t)i, VARIANT_CLEAN)) {
                select_case(&x, i, VARIANT_CLEAN);
                judge(&x, i, &x.image, false);
            }
            explore_subsets(&x, i);
            if (i < x.count && x.ops[i].kind == OP_WRITE) {
                explore_in_flight(&x, i);
            }
        }
        if (i < x.count && x.ops[i].kind == OP_WRITE) {
            image_set(&x.current, x.ops[i].lba, x.ops[i].blob);
        }
    }
    image_free(&x.image);
    image_free(&x.current);
    image_free(&x.durable);
}
