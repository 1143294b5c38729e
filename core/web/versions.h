// SPDX-License-Identifier: MIT
// The server's `versions` file: a line "semver;file;sha1" a release, and what lines "# sdboot" say
// of it (docs/FORMAT.md). It is read as it arrives, in any pieces and bounded memory, and only the
// release to install is kept.
#ifndef SDB_VERSIONS_H
#define SDB_VERSIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include "core/semver.h"
#include "core/web/details.h"

#define SDB_VERSIONS_MAX (256u * 1024) // bytes of the whole file
#define SDB_VERSIONS_LINE_MAX 383      // bytes of a line that isn't skipped
#define SDB_FILE_MAX 127               // bytes of a file name

struct sdb_release {
    char version[SDB_VERSION_MAX + 1];
    char file[SDB_FILE_MAX + 1]; // relative to the server's URL, safe to append to it as it is
    uint8_t sha1[20];
    uint8_t sha256[32];
    uint8_t index[32]; // SHA-256 of the file's index, which is called as it is and ".idx"
    bool has_index;
    bool has_sha1;   // for those who have no better one
    bool has_sha256; // the one that counts if it is there
    uint32_t size;   // bytes of the file, 0: not said
};

struct sdb_versions {
    uint32_t total; // bytes fed
    uint16_t good;  // lines that are releases
    uint16_t bad;   // lines that had to be skipped
    bool excluded;  // there is a newer release, but not a newer one than `exclude`

    // The highest release above the running one and v->best that is not for this board, and why.
    // Empty, SDB_HELD_NOT: there is none.
    char held[SDB_VERSION_MAX + 1];
    uint8_t why; // enum sdb_held

    // Internal.
    bool force;
    bool zeros;    // there were some: the file is UTF-16, or garbage
    uint16_t fill; // bytes in `line`; one more than a line may have: it is longer
    const char *current;
    const char *exclude;
    int error; // of a line "# sdboot"

    struct sdb_release best;    // the newest so far; best.version is empty if there is none
    struct sdb_details details; // what lines "# sdboot" have said so far

    // Internal.
    char line[SDB_VERSIONS_LINE_MAX + 1]; // the beginning of the line that is read
};

// Starts a file. `current` is the running version; `exclude` a version that failed, or NULL: only
// newer ones are chosen, or two bad releases would take turns for ever; `force` chooses the highest
// release even if it isn't newer. Both strings must live until sdb_versions_finish(). Returns 0, or
// SDB_EVER_RUNNING if `current` is no version and `force` not given: what is newer is not known.
int sdb_versions_init(struct sdb_versions *v, const char *current, const char *exclude, bool force);

// What the list must suit: from here on releases that are not for `board` are held. It and its
// strings must live until sdb_versions_finish().
void sdb_versions_for(struct sdb_versions *v, const struct sdb_details_board *board);

// Takes the next `len` bytes. Returns 0, or SDB_EVER_LONG once the file is too long.
int sdb_versions_feed(struct sdb_versions *v, const void *data, size_t len);

// Ends the file. Returns 1 if v->best is to be installed, 0 if there is nothing newer, or
// SDB_EVER_GARBAGE (lines, but no release), SDB_EVER_HASH (v->best would be it, but has no
// well-formed hash), SDB_EVER_LONG, _LINE, _PRODUCT, _OLD, _EXPIRED.
int sdb_versions_finish(struct sdb_versions *v);

#endif
