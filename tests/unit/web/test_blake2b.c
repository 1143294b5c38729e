// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/web/blake2b.h"

static void hash(const void *data, size_t len, size_t piece, char hex[129]) {
    struct sdb_blake2b b;
    uint8_t digest[64];
    sdb_blake2b_begin(&b);
    for (size_t at = 0; at < len; at += piece) {
        sdb_blake2b_feed(&b, (const char *)data + at, len - at < piece ? len - at : piece);
    }
    sdb_blake2b_end(&b, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
}

// RFC 7693, appendix A, and what b2sum says.
static void test_known(void **state) {
    (void)state;
    char hex[129];
    hash("abc", 3, 3, hex);
    assert_string_equal(hex, "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                             "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
    hash("", 0, 1, hex);
    assert_string_equal(hex, "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
                             "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce");
}

static void test_pieces(void **state) {
    (void)state;
    char data[1000];
    char whole[129];
    char cut[129];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (char)(i * 7);
    }
    for (size_t len = 0; len < sizeof data; len += len < 260 ? 1 : 61) {
        hash(data, len, sizeof data, whole);
        for (size_t piece = 1; piece < 300; piece += piece < 5 ? 1 : 61) {
            hash(data, len, piece, cut);
            assert_string_equal(cut, whole);
        }
    }
    hash(data, 128, 128, whole);
    hash(data, 129, 129, cut);
    assert_string_not_equal(cut, whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests_name("blake2b", tests, NULL, NULL);
}
