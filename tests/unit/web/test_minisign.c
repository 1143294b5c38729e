// SPDX-License-Identifier: MIT
#include "unit.h"

#include "core/error.h"
#include "core/web/minisign.h"

// Made by minisign 0.11, `minisign -S -l -t "release 0.0.1"`.
#define KEY_LINE "RWQrJgtgaxQFfymQLlUACHUe1qC4/PZ9VsB0UoCAhACXACczafAxkLNJ"
#define SIG_LINE                                                                                   \
    "RWQrJgtgaxQFf+QBwze7uggHf6/SKdgLvHmZfG0FluCZG57WbNz8bvTZROAu4NTUFeGA3OOnWUASm2054vH3A5vif"    \
    "+uyGP0iOA8="
#define GLOBAL_LINE                                                                                \
    "z724m2CJGQPz8H1w1BfV8es28LVgfO00VZURirQuBIEr6MH4i8watlIu36cceNEhw+eXPPTLRS4XArTxLm8DCg=="
#define UNTRUSTED "untrusted comment: signature from minisign secret key"
#define TRUSTED "trusted comment: release 0.0.1"

static const uint8_t key_id[8] = {0x2b, 0x26, 0x0b, 0x60, 0x6b, 0x14, 0x05, 0x7f};

static int parse(struct sdb_minisig *s, const char *text) {
    return sdb_minisig_parse(s, text, strlen(text));
}

static void test_a_signature_file(void **state) {
    (void)state;
    static const char *const ends[] = {"\n", "\r\n"};
    for (size_t i = 0; i < COUNT(ends); i++) {
        UNIT_CASE(i);
        struct sdb_minisig s;
        char text[600];
        snprintf(text, sizeof text, "%s%s%s%s%s%s%s%s", UNTRUSTED, ends[i], SIG_LINE, ends[i],
                 TRUSTED, ends[i], GLOBAL_LINE, i == 0 ? "" : "\r\n\r\n");
        assert_int_equal(parse(&s, text), 0);
        assert_memory_equal(s.id, key_id, 8);
        assert_int_equal(s.comment_len, strlen("release 0.0.1"));
        assert_memory_equal(s.comment, "release 0.0.1", s.comment_len);
        assert_int_equal(s.sig[0], 0xe4);
        assert_int_equal(s.sig[63], 0x0f);
        assert_int_equal(s.global[0], 0xcf);
        assert_int_equal(s.global[63], 0x0a);
    }
}

static void test_what_is_no_signature_file(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *text;
    } cases[] = {
        {"empty", ""},
        {"HTML", "<!DOCTYPE html>\n<title>log in</title>\n"},
        {"one line", UNTRUSTED "\n"},
        {"no comment", SIG_LINE "\n" TRUSTED "\n" GLOBAL_LINE "\n"},
        {"no second signature", UNTRUSTED "\n" SIG_LINE "\n" TRUSTED "\n"},
        {"comments swapped", TRUSTED "\n" SIG_LINE "\n" UNTRUSTED "\n" GLOBAL_LINE "\n"},
        {"signatures swapped", UNTRUSTED "\n" GLOBAL_LINE "\n" TRUSTED "\n" SIG_LINE "\n"},
        {"more after it", UNTRUSTED "\n" SIG_LINE "\n" TRUSTED "\n" GLOBAL_LINE "\nmore\n"},
        {"space in base64", UNTRUSTED "\n " SIG_LINE "\n" TRUSTED "\n" GLOBAL_LINE "\n"},
        {"a public key", UNTRUSTED "\n" KEY_LINE "\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        struct sdb_minisig s;
        assert_int_equal(parse(&s, cases[i].text), SDB_ESIG_FORMAT);
    }
}

static void test_a_signature_of_a_hash(void **state) {
    (void)state;
    struct sdb_minisig s;
    char text[] = UNTRUSTED "\n" SIG_LINE "\n" TRUSTED "\n" GLOBAL_LINE "\n";
    char *base64 = text + strlen(UNTRUSTED) + 1;
    assert_int_equal(parse(&s, text), 0);
    assert_false(s.prehashed);
    memcpy(base64, "RUQ", 3); // "ED"
    assert_int_equal(parse(&s, text), 0);
    assert_true(s.prehashed);
    memcpy(base64, "RWR", 3); // the id differs
    assert_int_equal(parse(&s, text), 0);
    assert_false(s.prehashed);
    memcpy(base64, "RXQ", 3); // "Et"
    assert_int_equal(parse(&s, text), SDB_ESIG_FORMAT);
}

// Every character of the base64 counts, and there is but one way to write a signature.
static void test_base64_is_strict(void **state) {
    (void)state;
    char text[] = UNTRUSTED "\n" SIG_LINE "\n" TRUSTED "\n" GLOBAL_LINE "\n";
    char *base64 = text + strlen(UNTRUSTED) + 1;
    struct sdb_minisig s;
    for (size_t i = 0; i < strlen(SIG_LINE); i++) {
        UNIT_CASE(i);
        char was = base64[i];
        for (const char *bad = " -_.\t=?"; *bad; bad++) {
            if (*bad != was) {
                base64[i] = *bad;
                assert_int_equal(parse(&s, text), SDB_ESIG_FORMAT);
            }
        }
        base64[i] = was;
    }
    base64[strlen(SIG_LINE) - 2] = '9'; // bits behind the last byte
    assert_int_equal(parse(&s, text), SDB_ESIG_FORMAT);
}

static void test_every_shorter_text_is_refused(void **state) {
    (void)state;
    static const char text[] = UNTRUSTED "\n" SIG_LINE "\n" TRUSTED "\n" GLOBAL_LINE;
    struct sdb_minisig s;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        UNIT_CASE(len);
        char *copy = malloc(len + 1);
        memcpy(copy, text, len);
        assert_int_equal(sdb_minisig_parse(&s, copy, len), SDB_ESIG_FORMAT);
        free(copy);
    }
    assert_int_equal(sdb_minisig_parse(&s, text, sizeof text - 1), 0);
}

static void test_keys(void **state) {
    (void)state;
    static const char other[] = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    static const struct {
        const char *text;
        int result;
        int count;
    } cases[] = {
        {KEY_LINE, 0, 1},
        {KEY_LINE "\n", 0, 1},
        {"untrusted comment: minisign public key 7F05146B600B262B\r\n" KEY_LINE "\r\n", 0, 1},
        {"# the old one\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n\n" KEY_LINE, 0,
         2},
        {"", SDB_ESIG_KEY, 0},
        {"# none\n", SDB_ESIG_KEY, 0},
        {"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3", SDB_ESIG_KEY, 1},
        {"RWQf6LRC", SDB_ESIG_KEYS, SDB_ESIG_KEYS},
        {"key: " KEY_LINE, SDB_ESIG_KEYS, SDB_ESIG_KEYS},
        {SIG_LINE, SDB_ESIG_KEYS, SDB_ESIG_KEYS},
        {KEY_LINE "\n" KEY_LINE "\nx", 0, SDB_ESIG_KEYS},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        uint8_t key[32] = {0};
        assert_int_equal(sdb_minisign_key(cases[i].text, strlen(cases[i].text), key_id, key),
                         cases[i].result);
        assert_int_equal(sdb_minisign_count(cases[i].text, strlen(cases[i].text)), cases[i].count);
        assert_int_equal(key[0], cases[i].result == 0 ? 0x29 : 0);
        assert_int_equal(key[31], cases[i].result == 0 ? 0x49 : 0);
    }
    assert_int_equal(strlen(other), strlen(KEY_LINE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_signature_file),
        cmocka_unit_test(test_what_is_no_signature_file),
        cmocka_unit_test(test_a_signature_of_a_hash),
        cmocka_unit_test(test_base64_is_strict),
        cmocka_unit_test(test_every_shorter_text_is_refused),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests_name("minisign", tests, NULL, NULL);
}
