// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/crc32.h"

// The definition, bit by bit.
static uint32_t crc_reference(const uint8_t *p, size_t len) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

static void test_check_value(void **state) {
    (void)state;
    assert_int_equal(sdb_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(sdb_crc32(0, "", 0), 0);
}

static void test_random_data_in_pieces(void **state) {
    (void)state;
    uint32_t seed = 1;
    uint8_t data[600];
    for (size_t len = 0; len < sizeof data; len += 7) {
        UNIT_CASE(len);
        for (size_t i = 0; i < len; i++) {
            data[i] = (uint8_t)unit_random(&seed);
        }
        size_t cut = len ? unit_random(&seed) % len : 0;
        uint32_t crc = sdb_crc32(sdb_crc32(0, data, cut), data + cut, len - cut);
        assert_int_equal(crc, crc_reference(data, len));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_value),
        cmocka_unit_test(test_random_data_in_pieces),
    };
    return cmocka_run_group_tests_name("crc32", tests, NULL, NULL);
}
