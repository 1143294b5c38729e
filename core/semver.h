// SPDX-License-Identifier: MIT
// Versions as people write them, ordered after Semantic Versioning 2.0.0.
#ifndef SDB_SEMVER_H
#define SDB_SEMVER_H

#include <stdbool.h>
#include <stddef.h>

#define SDB_VERSION_MAX 47       // bytes of the longest version that is recorded or installed
#define SDB_VERSION_FILE_MAX 128 // bytes of a file .version that are looked at

// Reads the version that a file says in its first `len` bytes: its first word. UTF-8 and UTF-16
// (PowerShell's "echo 1.2.3 > .version") with and without byte order mark are read; what can't be
// part of a version, and the last byte of a word that is too long, becomes '?'. `word` is ""
// if there is none.
void sdb_version_word(const void *data, size_t len, char word[SDB_VERSION_MAX + 1]);

// Is `v` a version? That is one or more numbers with dots between them, then what SemVer allows:
// "-" and a pre-release, "+" and build metadata ("1.2.3", "1.0.0-rc.1+build"). A leading "v",
// missing numbers, more than three, and leading zeros are fine ("v1.2", "2024.03.07"), and so is a
// date with dashes ("2024-03-07"). Any length.
bool sdb_semver_valid(const char *v);

// Precedence (SemVer 2.0.0, section 11): negative if `a` is older than `b`, positive if newer, 0
// if equal. A missing number is 0, build metadata doesn't count; numbers may have any number of
// digits. Both must be valid.
int sdb_semver_compare(const char *a, const char *b);

#endif
