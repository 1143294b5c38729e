// SPDX-License-Identifier: MIT
// What gcc and the core expect of a C library, for modules that are linked with none.
#include <string.h>

// gcc calls these by itself. Equal bodies must not become one function: gcc would know a call of
// memmove by memcpy's name then, and expand it in place as a copy that does not bear overlaps.
__attribute__((used, no_icf)) void *memcpy(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

__attribute__((used, no_icf)) void *memmove(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

__attribute__((used)) void *memset(void *to, int c, size_t n) {
    return mp_fun_table.memset_(to, c, n);
}

__attribute__((used)) int memcmp(const void *a, const void *b, size_t n) {
    const unsigned char *p = a;
    const unsigned char *q = b;
    for (; n > 0; n--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}

__attribute__((used)) size_t strlen(const char *s) {
    size_t n = 0;
    while (s[n] != '\0') {
        n++;
    }
    return n;
}
