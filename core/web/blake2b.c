// SPDX-License-Identifier: MIT
#include "core/web/blake2b.h"

#include <string.h>

#include "core/bytes.h"

#define BLAKE2B_BLOCK 128u
#define BLAKE2B_ROUNDS 12
#define BLAKE2B_SIGMAS 10

static const uint64_t blake2b_iv[8] = {
    0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
    0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL,
};

// RFC 7693, 2.7: which words of the block go into each step of a round, two to a byte.
static const uint8_t blake2b_sigma[8 * BLAKE2B_SIGMAS] = {
    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, //
    0xea, 0x48, 0x9f, 0xd6, 0x1c, 0x02, 0xb7, 0x53, //
    0xb8, 0xc0, 0x52, 0xfd, 0xae, 0x36, 0x71, 0x94, //
    0x79, 0x31, 0xdc, 0xbe, 0x26, 0x5a, 0x40, 0xf8, //
    0x90, 0x57, 0x24, 0xaf, 0xe1, 0xbc, 0x68, 0x3d, //
    0x2c, 0x6a, 0x0b, 0x83, 0x4d, 0x75, 0xfe, 0x19, //
    0xc5, 0x1f, 0xed, 0x4a, 0x07, 0x63, 0x92, 0x8b, //
    0xdb, 0x7e, 0xc1, 0x39, 0x50, 0xf4, 0x86, 0x2a, //
    0x6f, 0xe9, 0xb3, 0x08, 0xc2, 0xd7, 0x14, 0xa5, //
    0xa2, 0x84, 0x76, 0x15, 0xfb, 0x9e, 0x3c, 0xd0, //
};

static uint64_t blake2b_word(const uint8_t *p) {
    return (uint64_t)sdb_get32(p + 4) << 32 | sdb_get32(p);
}

// By a constant: not every processor can shift 64 bits by a variable.
#define BLAKE2B_ROTATE(x, n) ((x) >> (n) | (x) << (64 - (n)))

static void blake2b_compress(struct sdb_blake2b *b, uint64_t last) {
    uint64_t v[16];
    memcpy(v, b->h, sizeof b->h);
    memcpy(v + 8, blake2b_iv, sizeof blake2b_iv);
    v[12] ^= b->total;
    v[14] ^= last;
    for (unsigned step = 0; step < 8 * BLAKE2B_ROUNDS; step++) {
        unsigned i = step & 3;
        unsigned turn = step >> 2 & 1; // columns, then diagonals
        uint8_t words = blake2b_sigma[step % (8 * BLAKE2B_SIGMAS)];
        uint64_t *a = v + i;
        uint64_t *x = v + 4 + ((i + turn) & 3);
        uint64_t *c = v + 8 + ((i + 2 * turn) & 3);
        uint64_t *d = v + 12 + ((i + 3 * turn) & 3);
        *a += *x + blake2b_word(b->block + 8 * (words >> 4));
        *d ^= *a;
        *d = BLAKE2B_ROTATE(*d, 32);
        *c += *d;
        *x ^= *c;
        *x = BLAKE2B_ROTATE(*x, 24);
        *a += *x + blake2b_word(b->block + 8 * (words & 15));
        *d ^= *a;
        *d = BLAKE2B_ROTATE(*d, 16);
        *c += *d;
        *x ^= *c;
        *x = BLAKE2B_ROTATE(*x, 63);
    }
    for (int i = 0; i < 8; i++) {
        b->h[i] ^= v[i] ^ v[i + 8];
    }
}

void sdb_blake2b_begin(struct sdb_blake2b *b) {
    memcpy(b->h, blake2b_iv, sizeof b->h);
    b->h[0] ^= 0x01010040; // a tree of one leaf, no key, 64 bytes
    b->total = 0;
}

void sdb_blake2b_feed(struct sdb_blake2b *b, const void *data, size_t len) {
    const uint8_t *from = data;
    while (len > 0) {
        uint32_t at = b->total % BLAKE2B_BLOCK;
        if (at == 0 && b->total > 0) {
            blake2b_compress(b, 0);
        }
        size_t n = BLAKE2B_BLOCK - at;
        n = n < len ? n : len;
        memcpy(b->block + at, from, n);
        b->total += (uint32_t)n;
        from += n;
        len -= n;
    }
}

void sdb_blake2b_end(struct sdb_blake2b *b, uint8_t digest[64]) {
    uint32_t at = b->total % BLAKE2B_BLOCK;
    if (at > 0 || b->total == 0) {
        memset(b->block + at, 0, BLAKE2B_BLOCK - at);
    }
    blake2b_compress(b, UINT64_MAX);
    for (int i = 0; i < 8; i++) {
        sdb_put32(digest + 8 * i, (uint32_t)b->h[i]);
        sdb_put32(digest + 8 * i + 4, (uint32_t)(b->h[i] >> 32));
    }
}
