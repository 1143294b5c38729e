#include "path.h"

#include <string.h>
#include "crc32.h"
#include "error.h"

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
    if (name[len - 1] == '.' || name[len - 1] == ' ') {
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
