// SPDX-License-Identifier: MIT
#include "cli/serve/range.h"

#include <string.h>

// Digits; false if there are none or too many.
static bool number(const char **p, uint64_t *value) {
    const char *start = *p;
    *value = 0;
    while (**p >= '0' && **p <= '9') {
        *value = *value * 10 + (uint64_t)(*(*p)++ - '0');
    }
    return *p > start && *p - start < 19;
}

bool range_read(const char *text, uint64_t size, struct range *r) {
    uint64_t first;
    uint64_t last = UINT64_MAX;
    *r = (struct range){0, size, false};
    if (text == NULL || strncmp(text, "bytes=", 6) != 0) {
        return true;
    }
    const char *p = text + 6;
    if (*p == '-') {
        p++;
        if (!number(&p, &last) || *p != '\0') {
            return true;
        }
        if (last == 0 || size == 0) {
            return false;
        }
        r->length = last < size ? last : size;
        r->from = size - r->length;
        r->part = true;
        return true;
    }
    if (!number(&p, &first) || *p++ != '-' || (*p != '\0' && !number(&p, &last)) || *p != '\0' ||
        last < first) {
        return true;
    }
    if (first >= size) {
        return false;
    }
    last = last < size - 1 ? last : size - 1;
    *r = (struct range){first, last - first + 1, true};
    return true;
}

bool range_tag(const char *header, const char *tag) {
    size_t len = strlen(tag);
    for (const char *p = header; p != NULL && *p != '\0';) {
        p += strspn(p, " \t,");
        size_t n = strcspn(p, ",");
        while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t')) {
            n--;
        }
        if ((n == len && memcmp(p, tag, len) == 0) || (n == 1 && *p == '*')) {
            return true;
        }
        p += strcspn(p, ",");
    }
    return false;
}
