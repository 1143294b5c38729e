// SPDX-License-Identifier: MIT
#include "core/release/manifest.h"

#include "core/error.h"

#define MANIFEST_DIGITS (2 * SDB_MANIFEST_DIGEST)

static char manifest_digit(uint32_t n) {
    return (char)(n < 10 ? '0' + n : 'a' + n - 10);
}

static int manifest_value(int c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : SDB_EINVAL;
}

int sdb_manifest_add(struct sdb_textfile *manifest, const uint8_t *digest, const char *path,
                     bool kept) {
    int res = 0;
    for (uint32_t i = 0; res == 0 && i < MANIFEST_DIGITS; i++) {
        uint32_t byte = digest[i / 2];
        res = sdb_textfile_put(manifest, manifest_digit(i % 2 == 0 ? byte >> 4 : byte & 15));
    }
    if (res == 0) {
        res = sdb_textfile_puts(manifest, kept ? " *" : "  ");
    }
    if (res == 0) {
        res = sdb_textfile_puts(manifest, path);
    }
    return res < 0 ? res : sdb_textfile_put(manifest, '\n');
}

int sdb_manifest_next(struct sdb_textfile *manifest, uint8_t *digest, char *path, bool *kept) {
    for (uint32_t i = 0; i < MANIFEST_DIGITS + 2; i++) {
        int c = sdb_textfile_get(manifest);
        if (c < 0 || (c == 0 && i == 0)) {
            return c;
        }
        if (i >= MANIFEST_DIGITS) {
            *kept = c == '*';
            if (c != ' ' && (c != '*' || i == MANIFEST_DIGITS)) {
                return SDB_EINVAL;
            }
            continue;
        }
        int value = manifest_value(c);
        if (value < 0) {
            return value;
        }
        digest[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : digest[i / 2] | value);
    }
    int res = sdb_textfile_path(manifest, path);
    return res == 0 ? SDB_EINVAL : res;
}
