// SPDX-License-Identifier: MIT
// Functions of C's library that sdboot's core uses in firmware, and that MicroPython's own part of
// it (shared/libc) does not have; not every port links another.
#include <string.h>

__attribute__((weak)) char *strrchr(const char *s, int c) {
    const char *found = NULL;
    do {
        found = *s == (char)c ? s : found;
    } while (*s++ != '\0');
    return (char *)found;
}
