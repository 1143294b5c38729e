// SPDX-License-Identifier: MIT
// Accepts and refuses the same signatures as libsodium: random ones, mutated ones, and those that
// implementations disagree about (Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs, 2020):
// keys and R of small or mixed order, S not reduced, coordinates not reduced.
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/web/blake2b.h"
#include "micropython/sign/ed25519.h"

#define MESSAGE_MAX 700

struct signed_message {
    uint8_t key[32];
    uint8_t secret[64];
    uint8_t sig[64];
    uint8_t message[MESSAGE_MAX];
    uint32_t len;
};

static unsigned long long accepted;
static unsigned long long refused;
static unsigned long long wrong;

static bool ours(const struct signed_message *m) {
    struct sdb_ed25519 e;
    sdb_ed25519_begin(&e, m->sig, m->key);
    for (uint32_t at = 0; at < m->len;) {
        uint32_t n = 1 + randombytes_uniform(m->len - at);
        sdb_ed25519_feed(&e, m->message + at, n);
        at += n;
    }
    return sdb_ed25519_end(&e);
}

// Instead of comparing: prints every so many cases with libsodium's answer, for other machines.
static unsigned print_every;

static void compare(const struct signed_message *m, const char *what) {
    bool theirs = crypto_sign_verify_detached(m->sig, m->message, m->len, m->key) == 0;
    if (print_every > 0) {
        static unsigned count;
        char hex[3][2 * MESSAGE_MAX + 1];
        if (count++ % print_every == 0) {
            sodium_bin2hex(hex[0], sizeof hex[0], m->key, 32);
            sodium_bin2hex(hex[1], sizeof hex[1], m->sig, 64);
            sodium_bin2hex(hex[2], sizeof hex[2], m->message, m->len);
            printf("%d %s %s %s\n", theirs, hex[0], hex[1], hex[2]);
        }
        return;
    }
    bool good = ours(m);
    good ? accepted++ : refused++;
    if (good != theirs) {
        char hex[200];
        wrong++;
        printf("%s: we say %d, libsodium %d\n", what, good, theirs);
        printf("  key %s\n", sodium_bin2hex(hex, sizeof hex, m->key, 32));
        printf("  sig %s\n", sodium_bin2hex(hex, sizeof hex, m->sig, 64));
    }
}

// A random one. To be printed: what minisign's second signature is of, 64 bytes and a line of text.
static void set_message(struct signed_message *m) {
    m->len = print_every > 0 ? 64 + randombytes_uniform(200) : randombytes_uniform(MESSAGE_MAX + 1);
    randombytes_buf(m->message, m->len);
    for (uint32_t i = 64; print_every > 0 && i < m->len; i++) {
        m->message[i] = (uint8_t)('!' + m->message[i] % 90);
    }
}

static void sign(struct signed_message *m) {
    unsigned long long n;
    crypto_sign_keypair(m->key, m->secret);
    set_message(m);
    crypto_sign_detached(m->sig, &n, m->message, m->len, m->secret);
}

static void flip(uint8_t *bytes, uint32_t len) {
    uint32_t bit = randombytes_uniform(8 * len);
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

// Adds a little-endian number of 32 bytes, as S + L is made.
static void add(uint8_t *to, const uint8_t *number) {
    unsigned carry = 0;
    for (int i = 0; i < 32; i++) {
        carry += to[i] + number[i];
        to[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static const uint8_t group_order[32] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

// The y coordinates of the eight points of small order, and how else they can be written.
static const char *const small[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};
#define SMALL (sizeof small / sizeof *small)

static void small_point(uint8_t point[32], unsigned i) {
    sodium_hex2bin(point, 32, small[i / 2 % SMALL], 64, NULL, NULL, NULL);
    point[31] |= (uint8_t)(i % 2 << 7);
}

// S = 0 and R = the neutral element or the key itself satisfy lax checks for keys of small order.
static void small_order(void) {
    struct signed_message m;
    for (unsigned k = 0; k < 2 * SMALL; k++) {
        for (unsigned r = 0; r < 2 * SMALL; r++) {
            for (int message = 0; message < 16; message++) {
                memset(&m, 0, sizeof m);
                m.len = print_every > 0 ? 65 : 1;
                m.message[0] = (uint8_t)message;
                m.message[m.len - 1] = (uint8_t)(m.len > 1 ? 'x' : message);
                small_point(m.key, k);
                small_point(m.sig, r);
                compare(&m, "key and R of small order");
            }
        }
        sign(&m);
        small_point(m.key, k);
        compare(&m, "key of small order");
        sign(&m);
        small_point(m.sig, k);
        compare(&m, "R of small order");
    }
}

// Keys and R with a part of small order: what is true without the factor 8 is accepted.
static void mixed_order(void) {
    struct signed_message m;
    for (unsigned k = 0; k < 2 * SMALL; k++) {
        uint8_t torsion[32];
        uint8_t hash[64];
        uint8_t scalar[32];
        uint8_t nonce[32];
        uint8_t product[32];
        crypto_hash_sha512_state state;
        small_point(torsion, k);
        for (int i = 0; i < 64; i++) {
            sign(&m);
            crypto_core_ed25519_scalar_random(scalar);
            crypto_core_ed25519_scalar_random(nonce);
            crypto_scalarmult_ed25519_base_noclamp(m.key, scalar);
            crypto_scalarmult_ed25519_base_noclamp(m.sig, nonce);
            // By turns the key, R, and both.
            if (i % 3 != 1 && crypto_core_ed25519_add(m.key, m.key, torsion) != 0) {
                continue;
            }
            if (i % 3 != 0 && crypto_core_ed25519_add(m.sig, m.sig, torsion) != 0) {
                continue;
            }
            crypto_hash_sha512_init(&state);
            crypto_hash_sha512_update(&state, m.sig, 32);
            crypto_hash_sha512_update(&state, m.key, 32);
            crypto_hash_sha512_update(&state, m.message, m.len);
            crypto_hash_sha512_final(&state, hash);
            uint8_t h[32];
            crypto_core_ed25519_scalar_reduce(h, hash);
            crypto_core_ed25519_scalar_mul(product, h, scalar);
            crypto_core_ed25519_scalar_add(m.sig + 32, product, nonce);
            compare(&m, "mixed order");
            add(m.sig + 32, group_order);
            compare(&m, "mixed order, S not reduced");
        }
    }
}

// R of small order, in every way it can be written, that satisfies the equation: S = h a, with h of
// R as it is written and of R reduced. S as it is, and with more and more of the group's order
// added.
static void true_with_small_r(void) {
    struct signed_message m;
    for (unsigned k = 0; k < 2 * SMALL; k++) {
        for (int reduced = 0; reduced < 2; reduced++) {
            uint8_t scalar[32];
            uint8_t hash[64];
            uint8_t h[32];
            crypto_hash_sha512_state state;
            sign(&m);
            crypto_core_ed25519_scalar_random(scalar);
            crypto_scalarmult_ed25519_base_noclamp(m.key, scalar);
            small_point(m.sig, k);
            crypto_hash_sha512_init(&state);
            uint8_t written[32];
            memcpy(written, m.sig, 32);
            if (reduced && (written[31] & 0x7f) == 0x7f && written[0] >= 0xed) {
                memset(written, 0, 31);
                written[0] = (uint8_t)(m.sig[0] - 0xed);
                written[31] = m.sig[31] & 0x80;
            }
            crypto_hash_sha512_update(&state, written, 32);
            crypto_hash_sha512_update(&state, m.key, 32);
            crypto_hash_sha512_update(&state, m.message, m.len);
            crypto_hash_sha512_final(&state, hash);
            crypto_core_ed25519_scalar_reduce(h, hash);
            crypto_core_ed25519_scalar_mul(m.sig + 32, h, scalar);
            for (int more = 0; more < 16; more++) {
                compare(&m, "R of small order, S of its hash");
                add(m.sig + 32, group_order);
            }
        }
    }
}

// Good signatures with S + L, S + 2 L ... up to what 256 bits hold, and with S = 0, L, L - 1, 2^256
// - 1.
static void s_not_reduced(void) {
    struct signed_message m;
    for (int i = 0; i < 64; i++) {
        sign(&m);
        for (int more = 0; more < 16; more++) {
            compare(&m, "S not reduced");
            add(m.sig + 32, group_order);
        }
        memset(m.sig + 32, i % 4 == 3 ? 0xff : 0, 32);
        if (i % 4 == 1 || i % 4 == 2) {
            memcpy(m.sig + 32, group_order, 32);
            m.sig[32] = (uint8_t)(m.sig[32] - (i % 4 == 2));
        }
        compare(&m, "S at its limits");
    }
}

// Every key whose y is written as a number of the field's size or more.
static void not_reduced(void) {
    struct signed_message m;
    for (unsigned low = 0xed; low <= 0xff; low++) {
        for (unsigned top = 0x7f; top <= 0xff; top += 0x80) {
            sign(&m);
            memset(m.key, 0xff, 32);
            m.key[0] = (uint8_t)low;
            m.key[31] = (uint8_t)top;
            compare(&m, "key not reduced");
            sign(&m);
            memset(m.sig, 0xff, 32);
            m.sig[0] = (uint8_t)low;
            m.sig[31] = (uint8_t)top;
            compare(&m, "R not reduced");
        }
    }
}

static void random_one(unsigned long long i) {
    struct signed_message m;
    sign(&m);
    switch (i % 8) {
    case 0:
        break;
    case 1:
        flip(m.sig, 32);
        break;
    case 2:
        flip(m.sig + 32, 32);
        break;
    case 3:
        flip(m.key, 32);
        break;
    case 4:
        if (print_every > 0) {
            flip(m.message, 64);
            break;
        }
        m.len = m.len > 0 ? m.len - 1 : 1;
        m.message[0] ^= (uint8_t)(m.len == 1);
        break;
    case 5:
        add(m.sig + 32, group_order);
        break;
    case 6:
        randombytes_buf(m.sig, sizeof m.sig);
        break;
    case 7:
        flip(m.message, print_every > 0 ? 64 : m.len > 0 ? m.len : 1);
        break;
    }
    compare(&m, "random");
}

// RFC 8032, section 7.1, TEST 3.
static bool known(void) {
    struct signed_message m;
    m.len = 2;
    memcpy(m.message, "\xaf\x82", 2);
    sodium_hex2bin(m.key, 32, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                   64, NULL, NULL, NULL);
    sodium_hex2bin(m.sig, 64,
                   "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                   "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
                   128, NULL, NULL, NULL);
    bool good = ours(&m);
    m.message[1] ^= 1;
    return good && !ours(&m);
}

static void hashes(unsigned long long cases) {
    static uint8_t data[3000];
    for (unsigned long long i = 0; i < cases; i++) {
        uint8_t digest[2][64];
        struct sdb_blake2b b;
        size_t len = i < sizeof data ? (size_t)i : randombytes_uniform(sizeof data);
        randombytes_buf(data, len);
        sdb_blake2b_begin(&b);
        for (size_t at = 0; at < len;) {
            size_t n = randombytes_uniform(4) == 0 ? 128 : 1 + randombytes_uniform(300);
            n = n < len - at ? n : len - at;
            sdb_blake2b_feed(&b, data + at, n);
            at += n;
        }
        sdb_blake2b_end(&b, digest[0]);
        crypto_generichash(digest[1], 64, data, len, NULL, 0);
        if (memcmp(digest[0], digest[1], 64) != 0) {
            printf("BLAKE2b of %zu bytes differs\n", len);
            wrong++;
        }
    }
}

int main(int argc, char **argv) {
    unsigned long long cases = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
    if (sodium_init() < 0) {
        return 2;
    }
    print_every = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
    if (print_every == 0 && !known()) {
        printf("the example of RFC 8032 is not accepted\n");
        wrong++;
    }
    small_order();
    mixed_order();
    true_with_small_r();
    s_not_reduced();
    not_reduced();
    for (unsigned long long i = 0; i < cases; i++) {
        random_one(i);
    }
    if (print_every > 0) {
        return 0;
    }
    hashes(cases);
    printf("sign: accepted=%llu refused=%llu other-than-libsodium=%llu\n", accepted, refused,
           wrong);
    return wrong != 0;
}
