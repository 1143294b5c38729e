// SPDX-License-Identifier: MIT
// What tinyssh's arithmetic takes from cryptoint, without its assembler for PCs.
#ifndef SDB_CRYPTO_UINT64_H
#define SDB_CRYPTO_UINT64_H

#include <stdint.h>

typedef uint64_t crypto_uint64;

static inline crypto_uint64 crypto_uint64_topbit_01(crypto_uint64 x) {
    return x >> 63;
}

static inline crypto_uint64 crypto_uint64_load_bigendian(const unsigned char *s) {
    uint32_t high = 0;
    uint32_t low = 0;
    for (int i = 0; i < 4; i++) {
        high = high << 8 | s[i];
        low = low << 8 | s[4 + i];
    }
    return (uint64_t)high << 32 | low;
}

static inline void crypto_uint64_store_bigendian(unsigned char *s, crypto_uint64 x) {
    uint32_t high = (uint32_t)(x >> 32);
    uint32_t low = (uint32_t)x;
    for (int i = 3; i >= 0; i--) {
        s[i] = (unsigned char)high;
        s[4 + i] = (unsigned char)low;
        high >>= 8;
        low >>= 8;
    }
}

#endif
