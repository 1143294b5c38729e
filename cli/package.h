// A release's package: a tar of what is named, the same bytes for the same files.
#ifndef SDBOOT_PACKAGE_H
#define SDBOOT_PACKAGE_H

#include <stddef.h>

// Packs `paths` (files and folders, relative to `folder`) into the new file `out`. Times, owners
// and permissions are the same for everyone, names are sorted. A file app/.version with `version`
// is added if there is none. Left out: what editors and systems leave behind (__pycache__, .git,
// .DS_Store, ._*), and app/.manifest, which boards make. Dies of anything that can't be packed: a
// link, a name that is missing.
void package_write(const char *out, const char *folder, char *const *paths, size_t count,
                   const char *version);

#endif
