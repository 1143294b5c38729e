// SPDX-License-Identifier: MIT
#include "micropython/sign/ed25519.h"

#include <string.h>

#include "core/bytes.h"
#include "names.h"

// One translation unit with the arithmetic, as native modules need it. Its constants are made
// const where they are not by the rule that copies it (tinyssh.mk).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wdiscarded-array-qualifiers"
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include "crypto_verify_32.h"

// Nothing that is checked is secret.
void cleanup_(void *data, long long len) {
    (void)data;
    (void)len;
}

int crypto_verify_32_tinyssh(const unsigned char *x, const unsigned char *y) {
    return memcmp(x, y, 32) != 0;
}

#include "fe.c"
#include "fe25519.c"
#include "ge25519.c"
#include "sc25519.c"
#include "crypto_hash_sha512_tinyssh.c"
#pragma GCC diagnostic pop

#define SHA512_BLOCK 128

void sdb_ed25519_feed(struct sdb_ed25519 *e, const void *data, size_t len) {
    const uint8_t *from = data;
    while (len > 0) {
        uint32_t at = e->total % SHA512_BLOCK;
        size_t n = SHA512_BLOCK - at;
        n = n < len ? n : len;
        memcpy(e->block + at, from, n);
        e->total += (uint32_t)n;
        from += n;
        len -= n;
        if (e->total % SHA512_BLOCK == 0) {
            blocks(e->state, e->block, SHA512_BLOCK);
        }
    }
}

void sdb_ed25519_begin(struct sdb_ed25519 *e, const uint8_t sig[64], const uint8_t key[32]) {
    static const uint64_t start[8] = {
        0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
        0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL,
    };
    memcpy(e->state, start, sizeof e->state);
    memcpy(e->sig, sig, sizeof e->sig);
    memcpy(e->key, key, sizeof e->key);
    e->total = 0;
    sdb_ed25519_feed(e, sig, 32);
    sdb_ed25519_feed(e, key, 32);
}

static void ed25519_digest(struct sdb_ed25519 *e, uint8_t digest[64]) {
    uint32_t bits = e->total << 3; // a message has less than 512 MiB
    uint8_t length[16] = {0};
    uint8_t pad = 0x80;
    sdb_put32(length, bits);
    do {
        sdb_ed25519_feed(e, &pad, 1);
        pad = 0;
    } while (e->total % SHA512_BLOCK != SHA512_BLOCK - sizeof length);
    for (size_t i = sizeof length; i > 0; i--) {
        sdb_ed25519_feed(e, &length[i - 1], 1);
    }
    for (int i = 0; i < 8; i++) {
        crypto_uint64_store_bigendian(digest + 8 * i, e->state[i]);
    }
}

// RFC 8032, 5.1.7: S is a number below the order of the group. Both are little-endian.
static bool ed25519_s_is_canonical(const uint8_t *s) {
    for (int i = 31; i >= 0; i--) {
        if (s[i] != L[i]) {
            return s[i] < L[i];
        }
    }
    return false;
}

// Decodes a point that generates a group of large order; its x is negated. `canonical`: its y must
// be written as a number below the field's size.
static bool ed25519_point(ge25519 point, const uint8_t *s, bool canonical) {
    ge25519 eight;
    uint8_t y[32];
    if (ge25519_frombytes_negate_vartime(point, s) != 0) {
        return false;
    }
    fe25519_tobytes(y, point[1]);
    y[31] |= s[31] & 0x80;
    if (canonical && memcmp(y, s, sizeof y) != 0) {
        return false;
    }
    // Eight times a point of small order is the neutral element: x = 0.
    dbl(eight, point);
    dbl(eight, eight);
    dbl(eight, eight);
    return fe25519_isnonzero(eight[0]);
}

bool sdb_ed25519_end(struct sdb_ed25519 *e) {
    ge25519 a;
    ge25519 r;
    uint8_t bytes[64];
    if (!ed25519_s_is_canonical(e->sig + 32) || !ed25519_point(r, e->sig, false) ||
        !ed25519_point(a, e->key, true)) {
        return false;
    }
    ed25519_digest(e, bytes);
    sc25519_reduce(bytes);
    ge25519_scalarmult(a, a, bytes);
    ge25519_scalarmult_base(r, e->sig + 32);
    ge25519_add(r, r, a);
    ge25519_tobytes(bytes, r);
    return memcmp(bytes, e->sig, 32) == 0;
}
