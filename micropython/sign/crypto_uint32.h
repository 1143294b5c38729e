// SPDX-License-Identifier: MIT
// What tinyssh's arithmetic takes from cryptoint, without its assembler for PCs.
#ifndef SDB_CRYPTO_UINT32_H
#define SDB_CRYPTO_UINT32_H

#include "core/bytes.h"

typedef uint32_t crypto_uint32;

static inline crypto_uint32 crypto_uint32_load(const unsigned char *s) {
    return sdb_get32(s);
}

static inline void crypto_uint32_store(unsigned char *s, crypto_uint32 x) {
    sdb_put32(s, x);
}

#endif
