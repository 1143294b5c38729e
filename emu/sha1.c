// SPDX-License-Identifier: MIT
// SHA-1, RFC 3174.
#include <string.h>

#include "lib/axtls/crypto/crypto.h"

static uint32_t sha1_rotate(uint32_t x, int n) {
    return x << n | x >> (32 - n);
}

static void sha1_block(SHA1_CTX *ctx) {
    uint32_t w[80];
    for (int i = 0; i < 16; i++) {
        const uint8_t *b = ctx->block + 4 * i;
        w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
    for (int i = 16; i < 80; i++) {
        w[i] = sha1_rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    uint32_t a = ctx->state[0], b = ctx->state[1], c = ctx->state[2], d = ctx->state[3];
    uint32_t e = ctx->state[4];
    for (int i = 0; i < 80; i++) {
        uint32_t f, k;
        if (i < 20) {
            f = (b & c) | (~b & d);
            k = 0x5a827999;
        } else if (i < 40) {
            f = b ^ c ^ d;
            k = 0x6ed9eba1;
        } else if (i < 60) {
            f = (b & c) | (b & d) | (c & d);
            k = 0x8f1bbcdc;
        } else {
            f = b ^ c ^ d;
            k = 0xca62c1d6;
        }
        uint32_t t = sha1_rotate(a, 5) + f + e + w[i] + k;
        e = d;
        d = c;
        c = sha1_rotate(b, 30);
        b = a;
        a = t;
    }
    ctx->state[0] += a;
    ctx->state[1] += b;
    ctx->state[2] += c;
    ctx->state[3] += d;
    ctx->state[4] += e;
}

void SHA1_Init(SHA1_CTX *ctx) {
    static const uint32_t start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    memcpy(ctx->state, start, sizeof(start));
    ctx->bytes = 0;
}

void SHA1_Update(SHA1_CTX *ctx, const uint8_t *data, int len) {
    while (len > 0) {
        int at = (int)(ctx->bytes % 64);
        int n = len < 64 - at ? len : 64 - at;
        memcpy(ctx->block + at, data, (size_t)n);
        ctx->bytes += (uint64_t)n;
        data += n;
        len -= n;
        if (at + n == 64) {
            sha1_block(ctx);
        }
    }
}

void SHA1_Final(uint8_t *digest, SHA1_CTX *ctx) {
    static const uint8_t mark = 0x80, zero = 0;
    uint64_t bits = ctx->bytes * 8;
    SHA1_Update(ctx, &mark, 1);
    while (ctx->bytes % 64 != 56) {
        SHA1_Update(ctx, &zero, 1);
    }
    uint8_t length[8];
    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    SHA1_Update(ctx, length, 8);
    for (int i = 0; i < 20; i++) {
        digest[i] = (uint8_t)(ctx->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}
