// SPDX-License-Identifier: MIT
// Shared by the parts of the explorer.
#ifndef TORTURE_CASES_H
#define TORTURE_CASES_H

#include "explore.h"

enum variant {
    VARIANT_CLEAN = 0,
    VARIANT_RANDOM,
    VARIANT_ONES,
    VARIANT_PREFIX,
    VARIANT_PREFIX_GARBAGE,
    VARIANT_ERROR, // an I/O error instead of a cut; `at` is the call
    VARIANT_ERRORS,
    VARIANT_PARTIAL,
    VARIANT_SUBSET = 16, // plus the mask or the number of the sample
};

void job_fail(struct job *job, const char *why, const char *where);
bool job_stopped(const struct job *job);

// Recovers a copy of `img` and judges it: one of the states lo..hi must result. Cuts the recovery
// in its turn.
void case_judge(struct job *job, const struct image *img, uint32_t lo, uint32_t hi);

// The same on littlefs.
void lfs_case_judge(struct job *job, const struct image *img, uint32_t lo, uint32_t hi);

void explore_log(struct job *job, const struct image *start, const struct oplog *log, bool outer,
                 uint32_t lo, uint32_t hi);

// Runs `fsck.fat -n` on a copy of `img`. Returns true if it finds nothing wrong.
bool fsck_ok(const struct volume *vol, const struct image *img, bool leaks_allowed);

#endif
