// SPDX-License-Identifier: MIT
// Paths: what is accepted must be plain, and stay as it is.
#include "fuzz.h"
#include "core/error.h"
#include "core/release/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = fuzz_string(data, size);
    size_t before = strlen(path);
    int len = sdb_path_clean(path);
    CHECK(strlen(path) <= before);
    if (len >= 0) {
        CHECK((size_t)len == strlen(path) && len <= SDB_PATH_MAX - SDB_PATH_PREFIX_MAX);
        CHECK(path[0] != '/' && strpbrk(path, "\\:*\"<>?|\x7f\n\r\t\x01\x1f") == NULL);
        char *copy = fuzz_string((uint8_t *)path, (size_t)len);
        CHECK(sdb_path_clean(copy) == len && strcmp(copy, path) == 0);
        for (char *part = strtok(copy, "/"); part; part = strtok(NULL, "/")) {
            size_t n = strlen(part);
            CHECK(n <= SDB_NAME_MAX && part[n - 1] != '.' && part[n - 1] != ' ');
            CHECK(strcmp(path, part) != 0 || sdb_path_under(path, part));
        }
        CHECK(strstr(path, "//") == NULL && (len == 0 || path[len - 1] != '/'));

        // Names that differ in case only are one to the key.
        uint32_t a[2], b[2];
        sdb_path_key(path, a);
        memcpy(copy, path, (size_t)len + 1);
        for (char *p = copy; *p; p++) {
            *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
        }
        sdb_path_key(copy, b);
        CHECK(a[0] == b[0] && a[1] == b[1] && sdb_path_under_nocase(path, copy));
        free(copy);
    } else {
        CHECK(len >= SDB_EPKG_ABSOLUTE && len <= SDB_EPKG_LONG);
    }
    free(path);
    return 0;
}
