// SPDX-License-Identifier: MIT
#include "unit.h"

#include "core/web/spki.h"

// A certificate of a version without extensions is built here, element by element; real ones are in
// tests/board/test_tls.py, whose keys openssl has taken out.
struct text {
    uint8_t bytes[2048];
    size_t len;
};

static void put(struct text *t, int tag, const void *body, size_t len) {
    t->bytes[t->len++] = (uint8_t)tag;
    if (len >= 0x100) {
        t->bytes[t->len++] = 0x82;
        t->bytes[t->len++] = (uint8_t)(len >> 8);
    } else if (len >= 0x80) {
        t->bytes[t->len++] = 0x81;
    }
    t->bytes[t->len++] = (uint8_t)len;
    memcpy(t->bytes + t->len, body, len);
    t->len += len;
}

// Returns the certificate; its key is `key_len` bytes of 7.
static struct text certificate(bool version, size_t key_len, size_t *key_at) {
    static const uint8_t filler[] = {1, 2, 3, 4, 5};
    struct text tbs = {.len = 0};
    struct text key = {.len = 0};
    struct text signed_part = {.len = 0};
    struct text whole = {.len = 0};
    uint8_t sevens[1024];
    memset(sevens, 7, sizeof sevens);
    put(&key, 0x03, sevens, key_len);
    if (version) {
        put(&tbs, 0xa0, filler, 3);
    }
    put(&tbs, 0x02, filler, 5); // serial number
    for (int i = 0; i < 4; i++) {
        put(&tbs, 0x30, filler, (size_t)i);
    }
    size_t at = tbs.len;
    put(&tbs, 0x30, key.bytes, key.len);
    put(&tbs, 0xa3, filler, 5);
    put(&signed_part, 0x30, tbs.bytes, tbs.len);
    at += signed_part.len - tbs.len;
    put(&signed_part, 0x03, filler, 5); // the signature
    put(&whole, 0x30, signed_part.bytes, signed_part.len);
    *key_at = at + whole.len - signed_part.len;
    return whole;
}

static void test_the_key_is_found(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 32, 200, 600};
    for (size_t i = 0; i < 2 * COUNT(lengths); i++) {
        UNIT_CASE(i);
        size_t at;
        size_t size = 0;
        struct text c = certificate(i % 2, lengths[i / 2], &at);
        const uint8_t *key = sdb_spki(c.bytes, c.len, &size);
        assert_ptr_equal(key, c.bytes + at);
        assert_int_equal(key[0], 0x30);
        size_t body = lengths[i / 2] + 2 + (lengths[i / 2] > 127) + (lengths[i / 2] > 255);
        assert_int_equal(size, body + 2 + (body > 127) + (body > 255));
        assert_int_equal(key[size], 0xa3); // what comes behind it
    }
}

static void test_cut_short(void **state) {
    (void)state;
    size_t at;
    struct text c = certificate(true, 200, &at);
    for (size_t len = 0; len < c.len; len++) {
        UNIT_CASE(len);
        size_t size;
        uint8_t *copy = malloc(len + 1); // AddressSanitizer sees a byte too many
        memcpy(copy, c.bytes, len);
        assert_null(sdb_spki(copy, len, &size));
        free(copy);
    }
}

static void test_no_certificate(void **state) {
    (void)state;
    static const uint8_t texts[][8] = {
        {0x31, 2, 0x30, 0},          // no sequence
        {0x30, 2, 0x31, 0},          // nor in it
        {0x30, 2, 0x30, 0},          // an empty one
        {0x30, 0x80, 0x30, 0},       // length that BER has
        {0x30, 0x84, 0, 0, 0, 2, 0}, // and more bytes of it than a certificate needs
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        UNIT_CASE(i);
        size_t size;
        assert_null(sdb_spki(texts[i], sizeof texts[i], &size));
    }
    // Another element where the key should be.
    size_t at;
    size_t size;
    struct text c = certificate(false, 32, &at);
    c.bytes[at] = 0x31;
    assert_null(sdb_spki(c.bytes, c.len, &size));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_key_is_found),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_no_certificate),
    };
    return cmocka_run_group_tests_name("spki", tests, NULL, NULL);
}
