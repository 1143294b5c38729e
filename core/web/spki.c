// SPDX-License-Identifier: MIT
#include "core/web/spki.h"

// What is left of the element that is being read, and the next element in it.
struct der {
    const uint8_t *at;
    const uint8_t *end;
};

// Reads tag and length of the next element (X.690, 8.1). Returns its tag with `body` set to its
// content and `d` behind it, or -1.
static int der_next(struct der *d, struct der *body) {
    size_t left = (size_t)(d->end - d->at);
    if (left < 2) {
        return -1;
    }
    int tag = d->at[0];
    size_t len = d->at[1];
    size_t head = 2;
    if (len >= 0x80) {
        size_t bytes = len & 0x7f;
        if (bytes < 1 || bytes > 3 || left < 2 + bytes) {
            return -1;
        }
        len = 0;
        for (size_t i = 0; i < bytes; i++) {
            len = len << 8 | d->at[2 + i];
        }
        head += bytes;
    }
    if (len > left - head) {
        return -1;
    }
    body->at = d->at + head;
    body->end = body->at + len;
    d->at = body->end;
    return tag;
}

const uint8_t *sdb_spki(const uint8_t *der, size_t len, size_t *size) {
    enum { SEQUENCE = 0x30, VERSION = 0xa0 };
    struct der all = {der, der + len};
    struct der certificate;
    struct der tbs;
    struct der field;
    if (der_next(&all, &certificate) != SEQUENCE || der_next(&certificate, &tbs) != SEQUENCE) {
        return NULL;
    }
    // version (if not 1), serial number, algorithm, issuer, validity, subject
    int skip = tbs.at < tbs.end && *tbs.at == VERSION ? 6 : 5;
    for (; skip > 0; skip--) {
        if (der_next(&tbs, &field) < 0) {
            return NULL;
        }
    }
    const uint8_t *start = tbs.at;
    if (der_next(&tbs, &field) != SEQUENCE) {
        return NULL;
    }
    *size = (size_t)(tbs.at - start);
    return start;
}
