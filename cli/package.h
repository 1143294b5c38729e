// SPDX-License-Identifier: MIT
// A release's package: a tar of what is named, the same bytes for the same files.
#ifndef SDBOOT_PACKAGE_H
#define SDBOOT_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>

#define PACKAGE_EXCEPTIONS 64

// How .py files become .mpy; program NULL: they don't.
struct package_compiler {
    const char *program;                    // mpy-cross
    const char *march;                      // NULL: without
    const char *except[PACKAGE_EXCEPTIONS]; // patterns of paths that stay as they are
    size_t except_count;
};

// Leaves .py files whose path in the package fits `pattern` (fnmatch) as they are. `pattern` must
// outlive the compiler. Dies if there are too many.
void package_except(struct package_compiler *compiler, const char *pattern);

// Packs `paths` (files and folders, relative to `folder`) into the new file `out`. Times, owners
// and permissions are the same for everyone, names are sorted. A file app/.version with `version`
// is added if there is none. With `folders` each folder has an entry of its own, else those only
// that are empty. Left out: what editors and systems leave behind (__pycache__, .git, .DS_Store,
// ._*), and app/.manifest, which boards make. Dies of anything that can't be packed: a link, a name
// that is missing, a file that doesn't compile.
void package_write(const char *out, const char *folder, char *const *paths, size_t count,
                   const char *version, const struct package_compiler *compiler, bool folders);

#endif
