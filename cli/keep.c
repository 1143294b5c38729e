// SPDX-License-Identifier: MIT
#include "keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/semver.h"
#include "list.h"

struct keep {
    char **files;
    size_t count;
};

static bool is_release(const struct site *site, size_t i) {
    return site->lines[i].is_release;
}

static const char *version_of(const struct site *site, size_t i) {
    return site->lines[i].release.version;
}

static void drop(struct site *site, size_t i, struct keep *keep) {
    keep->files = realloc(keep->files, (keep->count + 1) * sizeof *keep->files);
    if (keep->files == NULL) {
        tool_die("out of memory");
    }
    keep->files[keep->count++] = tool_format("%s", site->lines[i].release.file);
    list_withdraw(site, i);
}

// Versions that are higher than that of line `i`.
static unsigned higher(const struct site *site, size_t i) {
    unsigned count = 0;
    for (size_t k = 0; k < site->count; k++) {
        bool counts =
            is_release(site, k) && sdb_semver_compare(version_of(site, k), version_of(site, i)) > 0;
        for (size_t m = 0; m < k && counts; m++) { // each version once
            counts = !is_release(site, m) ||
                     sdb_semver_compare(version_of(site, m), version_of(site, k)) != 0;
        }
        count += counts;
    }
    return count;
}

// The lowest version listed that is at least `min`.
static size_t step_to(const struct site *site, const char *min) {
    size_t found = site->count;
    for (size_t i = 0; i < site->count; i++) {
        if (is_release(site, i) && sdb_semver_compare(version_of(site, i), min) >= 0 &&
            (found == site->count ||
             sdb_semver_compare(version_of(site, i), version_of(site, found)) < 0)) {
            found = i;
        }
    }
    return found;
}

struct keep *keep_newest(struct site *site, unsigned n) {
    struct keep *keep = tool_alloc(sizeof *keep);
    bool *needed = tool_alloc(site->count * sizeof *needed);
    bool more = n > 0;
    for (size_t i = 0; i < site->count; i++) {
        needed[i] = is_release(site, i) && higher(site, i) < n;
    }
    while (more) { // a step may need another one
        more = false;
        for (size_t i = 0; i < site->count; i++) {
            char *min = needed[i] ? list_detail(site, site->lines[i].release.file, "min") : NULL;
            size_t step = min != NULL ? step_to(site, min) : site->count;
            for (size_t k = 0; k < site->count && step < site->count; k++) {
                if (is_release(site, k) && !needed[k] &&
                    sdb_semver_compare(version_of(site, k), version_of(site, step)) == 0) {
                    needed[k] = more = true;
                }
            }
            free(min);
        }
    }
    // From the end: what is said of a file stands above its line, and goes with it.
    for (size_t i = site->count; n > 0 && i-- > 0;) {
        if (i < site->count && is_release(site, i) && !needed[i]) {
            drop(site, i, keep);
        }
    }
    free(needed);
    return keep;
}

struct keep *keep_without(struct site *site, const char *version) {
    struct keep *keep = tool_alloc(sizeof *keep);
    for (size_t i = site->count; i-- > 0;) {
        if (i < site->count && is_release(site, i) &&
            sdb_semver_compare(version_of(site, i), version) == 0) {
            drop(site, i, keep);
        }
    }
    if (keep->count == 0) {
        free(keep);
        return NULL;
    }
    return keep;
}

void keep_remove(struct keep *keep, const char *folder) {
    struct site site;
    site_read(&site, folder);
    for (size_t i = 0; i < keep->count; i++) {
        bool named = false;
        for (size_t k = 0; k < site.count; k++) {
            named |=
                is_release(&site, k) && strcmp(site.lines[k].release.file, keep->files[i]) == 0;
        }
        char *path = tool_format("%s/%s", folder, keep->files[i]);
        if (!named && unlink(path) == 0) {
            printf("removed: %s\n", path);
        }
        char *index = tool_format("%s.idx", path);
        if (!named) {
            unlink(index);
        }
        free(index);
        free(path);
        free(keep->files[i]);
    }
    site_free(&site);
    free(keep->files);
    free(keep);
}

void github_say(const struct site *site, const char *folder, const char *version) {
    const char *repo = getenv("GITHUB_REPOSITORY");
    for (size_t i = 0; i < site->count; i++) {
        const char *file = site->lines[i].release.file;
        if (is_release(site, i) &&
            strspn(file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789._-") != strlen(file)) {
            tool_refuse("%s: GitHub would give this asset another name", file);
        }
    }
    printf("upload:     gh release create v%s %s/*\n"
           "boards' URL: https://github.com/%s/releases/latest/download\n",
           version, folder, repo != NULL && *repo != '\0' ? repo : "OWNER/REPOSITORY");
}
