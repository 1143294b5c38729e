// SPDX-License-Identifier: MIT
// What the fuzz targets share. A property that doesn't hold ends in CHECK(), which libFuzzer
// reports like a crash.
#ifndef SDB_FUZZ_H
#define SDB_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The next piece of `left` bytes: in its own memory, so that a read beyond it is found. `*seed` 0
// takes all of them. The caller frees it.
static inline uint8_t *fuzz_piece(const uint8_t *data, size_t left, uint32_t *seed, size_t *len) {
    *len = left;
    if (*seed) {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 17;
        *seed ^= *seed << 5;
        size_t most = *seed & 0x100 ? 700 : 5;
        *len = *seed % most + 1 < left ? *seed % most + 1 : left;
    }
    uint8_t *piece = malloc(*len);
    CHECK(piece != NULL);
    memcpy(piece, data, *len);
    return piece;
}

// A NUL-terminated copy of its exact size; the caller frees it.
static inline char *fuzz_string(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
