// SPDX-License-Identifier: MIT
#include "core/release/names.h"

#include "core/crc32.h"
#include "core/error.h"
#include "core/release/path.h"

#include <string.h>

// An entry: CRC-32 and 16 bits of another hash of the path folded to lower case, then 15 bits of
// the path as it is and one bit for "directory".
static void names_entry(const char *path, bool directory, uint32_t entry[2]) {
    sdb_path_key(path, entry);
    uint32_t exact = sdb_crc32(0, path, strlen(path)) & 0x7fff;
    entry[1] = (entry[1] << 16) | (exact << 1) | directory;
}

static int names_add_one(struct sdb_names *names, const char *path, bool directory) {
    uint32_t entry[2];
    names_entry(path, directory, entry);
    for (size_t i = 0; i < names->count; i++) {
        uint32_t differs = names->table[i][1] ^ entry[1];
        if (names->table[i][0] != entry[0] || differs >> 16 != 0) {
            continue;
        }
        if (differs == 1) {
            return SDB_EPKG_CONFLICT;
        }
        return directory && differs == 0 ? 0 : SDB_EPKG_DUPLICATE;
    }
    if (names->count == names->capacity) {
        int res = names->grow != NULL ? names->grow(names->ctx, names) : SDB_EPKG_MANY;
        if (res < 0) {
            return res;
        }
    }
    names->table[names->count][0] = entry[0];
    names->table[names->count][1] = entry[1];
    names->count++;
    return 0;
}

int sdb_names_add(struct sdb_names *names, char *path, bool directory) {
    for (char *p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        int res = names_add_one(names, path, true);
        *p = '/';
        if (res < 0) {
            return res;
        }
    }
    return names_add_one(names, path, directory);
}

bool sdb_names_has(const struct sdb_names *names, const char *path, bool directory) {
    uint32_t entry[2];
    names_entry(path, directory, entry);
    for (size_t i = 0; i < names->count; i++) {
        uint32_t differs = names->table[i][1] ^ entry[1];
        if (names->table[i][0] == entry[0] && (differs >> 16) == 0 && (differs & 1) == 0) {
            return true;
        }
    }
    return false;
}
