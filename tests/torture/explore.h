// SPDX-License-Identifier: MIT
// All the ways in which power can fail during a run, and what must be true after each.
#ifndef TORTURE_EXPLORE_H
#define TORTURE_EXPLORE_H

#include "scenario.h"

struct totals {
    uint64_t cases;
    uint64_t distinct;
    uint64_t failures;
    uint64_t fsck;    // images that fsck.fat has seen
    uint64_t errors;  // of the cases: I/O errors
    uint64_t foreign; // cards that a PC has written to between cut and recovery
};

struct options {
    uint64_t budget;    // cases a job may take, about; 0: no limit
    const char *replay; // token, or NULL
    const char *only;   // part of a scenario's name, or NULL
    unsigned stride;    // take every stride-th volume of a scenario
    bool stop;          // at the first failure
    bool verbose;
};

#define DEPTH_MAX 3

struct job {
    const struct scenario *scenario;
    unsigned volume_index;
    struct volume vol;
    struct options opt;
    struct totals *totals;
    struct image base;
    struct states states;
    struct set64 seen;
    bool loose;      // FSInfo may be off
    uint64_t record; // digest of the record in an area of version 1
    uint32_t lo_end; // state after the whole run
    uint32_t stride; // take every stride-th case of the sampled kinds
    // The case in hand, as far as it has been descended to.
    int depth;
    uint32_t at[DEPTH_MAX];
    uint32_t variant[DEPTH_MAX];
    uint64_t counter;
};

// Runs scenario × volume with all its faults. Returns false if the scenario itself went wrong.
bool job_run(struct job *job);
bool lfs_job_run(struct job *job);

#endif
