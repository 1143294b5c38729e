// SPDX-License-Identifier: MIT
// The manifest of a release: a line a file as `sha256sum` prints and `sha256sum -c` checks, 64 hex
// digits, two spaces, path from the card's root, newline. Instead of the second space there is a
// "*" (sha256sum's sign for "binary") if the install has not written the file: it was there
// already.
#ifndef SDB_MANIFEST_H
#define SDB_MANIFEST_H

#include <stdbool.h>

#include "core/release/textfile.h"

#define SDB_MANIFEST_DIGEST 32 // bytes, SHA-256

// Appends a line for `path`; `kept`: it has not been written. It reaches the card as
// sdb_textfile_put says.
int sdb_manifest_add(struct sdb_textfile *manifest, const uint8_t *digest, const char *path,
                     bool kept);

// Reads the next line: digest (32 bytes), path (SDB_PATH_MAX + 1 bytes) and *kept. Returns 1, 0 at
// the end, SDB_ENOENT if there is no manifest, SDB_EINVAL for a line that is none, or the
// filesystem's error.
int sdb_manifest_next(struct sdb_textfile *manifest, uint8_t *digest, char *path, bool *kept);

#endif
