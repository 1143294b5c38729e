// SPDX-License-Identifier: MIT
// Little-endian fields of on-disk structures at any alignment.
#ifndef SDB_BYTES_H
#define SDB_BYTES_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&                                                   \
    (defined(__x86_64__) || defined(__ARM_FEATURE_UNALIGNED))

// One access, where the processor can do it. gcc finds that by itself, but not with -Os.
static inline uint16_t sdb_get16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t sdb_get32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline void sdb_put16(uint8_t *p, uint32_t v) {
    uint16_t half = (uint16_t)v;
    memcpy(p, &half, sizeof(half));
}

static inline void sdb_put32(uint8_t *p, uint32_t v) {
    memcpy(p, &v, sizeof(v));
}

#else

static inline uint16_t sdb_get16(const uint8_t *p) {
    return (uint16_t)(p[0] | (p[1] << 8));
}

static inline uint32_t sdb_get32(const uint8_t *p) {
    return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

static inline void sdb_put16(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void sdb_put32(uint8_t *p, uint32_t v) {
    sdb_put16(p, v);
    sdb_put16(p + 2, v >> 16);
}

#endif

#endif
