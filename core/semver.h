// Versions after Semantic Versioning 2.0.0.
#ifndef SDB_SEMVER_H
#define SDB_SEMVER_H

#include <stdbool.h>

#define SDB_VERSION_MAX 47 // bytes of the longest version that is recorded or installed

// Is `v` a version by the grammar of SemVer 2.0.0? ("1.2.3", "1.0.0-rc.1+build"; not "v1.2" or
// "01.0.0"). Any length.
bool sdb_semver_valid(const char *v);

// Precedence (section 11): negative if `a` is older than `b`, positive if newer, 0 if equal. Build
// metadata doesn't count; numbers may have any number of digits. Both must be valid.
int sdb_semver_compare(const char *a, const char *b);

#endif
