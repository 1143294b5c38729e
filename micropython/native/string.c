// SPDX-License-Identifier: MIT
// More of <string.h>, for the modules that need it.
#include <string.h>

__attribute__((used)) char *strcpy(char *to, const char *from) {
    memcpy(to, from, strlen(from) + 1);
    return to;
}

int strcmp(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n) {
    for (; n > 0 && *a != '\0' && *a == *b; n--) {
        a++;
        b++;
    }
    return n > 0 ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strcat(char *to, const char *from) {
    strcpy(to + strlen(to), from);
    return to;
}

char *strchr(const char *s, int c) {
    for (; *s != (char)c; s++) {
        if (*s == '\0') {
            return NULL;
        }
    }
    return (char *)s;
}

char *strrchr(const char *s, int c) {
    const char *found = NULL;
    for (; (s = strchr(s, c)) != NULL; s++) {
        found = s;
    }
    return (char *)found;
}

// The length of the start of `s` that is made of `set`, or of anything else.
static size_t libc_span(const char *s, const char *set, bool in) {
    size_t n = 0;
    while (s[n] != '\0' && (strchr(set, s[n]) != NULL) == in) {
        n++;
    }
    return n;
}

size_t strspn(const char *s, const char *accept) {
    return libc_span(s, accept, true);
}

size_t strcspn(const char *s, const char *reject) {
    return libc_span(s, reject, false);
}
