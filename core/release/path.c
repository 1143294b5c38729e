// SPDX-License-Identifier: MIT
#include "core/release/path.h"

#include <string.h>
#include "core/crc32.h"
#include "core/error.h"

// Is the name UTF-8 (RFC 3629)? MicroPython can't list a directory with other names on littlefs.
static bool path_is_utf8(const char *name, size_t len) {
    for (size_t i = 0; i < len;) {
        uint32_t c = (uint8_t)name[i++];
        uint32_t more = c < 0x80   ? 0
                        : c < 0xc2 ? 9
                        : c < 0xe0 ? 1
                        : c < 0xf0 ? 2
                        : c < 0xf5 ? 3
                                   : 9;
        // What may follow the first byte excludes overlong forms, surrogates, more than U+10FFFF.
        uint32_t low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
        uint32_t high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        if (more > len - i) {
            return false;
        }
        for (; more > 0; more--, low = 0x80, high = 0xbf) {
            c = (uint8_t)name[i++];
            if (c < low || c > high) {
                return false;
            }
        }
    }
    return true;
}

static int path_check(const char *name, size_t len) {
    if (len == 2 && name[0] == '.' && name[1] == '.') {
        return SDB_EPKG_PARENT;
    }
    static const char refused[] = "\\:*\"<>?|\x7f";
    for (size_t i = 0; i < len; i++) {
        for (const char *r = refused; *r; r++) {
            if ((uint8_t)name[i] < ' ' || name[i] == *r) {
                return SDB_EPKG_CHARACTER;
            }
        }
    }
    if (!path_is_utf8(name, len) || name[len - 1] == '.' || name[len - 1] == ' ') {
        return SDB_EPKG_CHARACTER;
    }
    return len > SDB_NAME_MAX ? SDB_EPKG_LONG : 0;
}

int sdb_path_clean(char *path) {
    if (*path == '/') {
        return SDB_EPKG_ABSOLUTE;
    }
    int error = 0;
    char *out = path;
    const char *in = path;
    while (*in) {
        size_t len = 0;
        while (in[len] && in[len] != '/') {
            len++;
        }
        if (len > 0 && !(len == 1 && *in == '.')) {
            if (error == 0) {
                error = path_check(in, len);
            }
            if (out != path) {
                *out++ = '/';
            }
            memmove(out, in, len);
            out += len;
        }
        in += len;
        if (*in) {
            in++;
        }
    }
    *out = '\0';
    if (error == 0 && out - path > SDB_PATH_MAX - SDB_PATH_PREFIX_MAX) {
        error = SDB_EPKG_LONG;
    }
    return error ? error : (int)(out - path);
}

bool sdb_path_is_litter(const char *path) {
    while (*path) {
        const char *end = strchr(path, '/');
        size_t len = end != NULL ? (size_t)(end - path) : strlen(path);
        if ((len >= 2 && path[0] == '.' && path[1] == '_') ||
            (len == 9 && memcmp(path, ".DS_Store", 9) == 0) ||
            (len == 8 && memcmp(path, "__MACOSX", 8) == 0)) {
            return true;
        }
        path += len + (end != NULL);
    }
    return false;
}

bool sdb_path_is_alias(const char *name, size_t len) {
    size_t body = 0;
    size_t tilde = len;
    for (; body < len && name[body] != '.'; body++) {
        if (name[body] == '~') {
            tilde = body;
        }
    }
    // Up to 8 bytes, a dot and up to 3; numbers are hexadecimal once there are many.
    if (body > 8 || len > body + 4 || tilde + 1 >= body) {
        return false;
    }
    for (size_t i = tilde + 1; i < body; i++) {
        char lower = (char)(name[i] | 0x20);
        if (!(name[i] >= '0' && name[i] <= '9') && !(lower >= 'a' && lower <= 'f')) {
            return false;
        }
    }
    return true;
}

static char path_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool sdb_path_under(const char *path, const char *dir) {
    while (*dir && *path == *dir) {
        path++;
        dir++;
    }
    return *dir == '\0' && (*path == '\0' || *path == '/');
}

bool sdb_path_under_nocase(const char *path, const char *dir) {
    while (*dir && path_lower(*path) == path_lower(*dir)) {
        path++;
        dir++;
    }
    return *dir == '\0' && (*path == '\0' || *path == '/');
}

void sdb_path_key(const char *path, uint32_t key[2]) {
    key[0] = 0;
    key[1] = 0x811c9dc5;
    for (; *path; path++) {
        uint8_t c = (uint8_t)path_lower(*path);
        key[0] = sdb_crc32(key[0], &c, 1);
        key[1] = (key[1] ^ c) * 0x01000193;
    }
}
