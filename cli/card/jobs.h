// SPDX-License-Identifier: MIT
// The commands of `sdboot card` that do something. Each returns an exit code.
#ifndef SDBOOT_JOBS_H
#define SDBOOT_JOBS_H

#include <stdbool.h>
#include <stddef.h>

struct job_options {
    const char *output; // extract: the folder
    bool dry_run;       // repair, sync: nothing is written
    bool discard;       // repair: an interrupted commit is thrown away
    char **paths;       // extract: what
    size_t path_count;  // 0: everything
};

int job_extract(const char *path, const struct job_options *o, bool json);
int job_repair(const char *path, const struct job_options *o, bool json);
int job_sync(const char *path, const struct job_options *o, bool json);

#endif
