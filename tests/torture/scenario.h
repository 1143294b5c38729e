// SPDX-License-Identifier: MIT
// What the board does while the power fails.
#ifndef TORTURE_SCENARIO_H
#define TORTURE_SCENARIO_H

#include "env.h"

#define ON_FAT 1
#define ON_LFS 2

struct scenario {
    const char *name;
    int on;                        // filesystems; 0: FAT
    int (*prepare)(struct env *e); // before the run, on the reference card; may be NULL
    int (*run)(struct env *e);     // returns 0 or a negative error, stops at the first
    // After a cut and recovery: carry on until the visible release is `visible`; may be NULL.
    bool (*resume)(struct env *e, uint64_t visible, const char **why);
    bool fresh;    // no control area before the run: boot makes it
    bool old;      // but one of version 1: boot replaces it
    bool unsynced; // files are open while others are flushed: leaks by FatFs itself
    bool two;      // only two visible releases may ever be, the first state's and one
    bool small;    // only on volumes with clusters up to 4 KiB
    bool log;      // small commits are records of the journal's log
    bool few;      // only on volumes with few clusters: FAT16
};

bool scenario_on(const struct scenario *s, const struct volume *v);
extern const struct scenario scenarios[];
extern const unsigned scenario_count;

// User files of every card: a few, or with `crowded` so many that the root directory grows.
int populate(struct env *e);

// Helpers on the mounted volume; 0 or negative.
int put_file(struct env *e, const char *path, uint32_t seed, uint32_t size, uint32_t piece);
int move_over(struct env *e, const char *from, const char *to); // as MicroPython's rename
int leave_free(struct env *e, uint32_t clusters);               // fills the card with /filler…
int remove_tree(struct env *e, const char *path);
void fill(uint8_t *buf, uint32_t len, uint32_t seed, uint32_t from);

#endif
