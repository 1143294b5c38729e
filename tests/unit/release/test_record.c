// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/release/record.h"

// Two slots in memory; each may be missing or unreadable.
struct slots {
    uint8_t data[2][SDB_RECORD_SIZE];
    int error[2]; // of reading
    int write_error;
    int reads, writes, last;
};

static int slot_read(void *ctx, int slot, uint8_t *buf) {
    struct slots *s = ctx;
    assert_in_range(slot, 0, 1);
    s->reads++;
    if (s->error[slot] == 0) {
        memcpy(buf, s->data[slot], SDB_RECORD_SIZE);
    }
    return s->error[slot];
}

static int slot_write(void *ctx, int slot, const uint8_t *buf) {
    struct slots *s = ctx;
    assert_in_range(slot, 0, 1);
    s->writes++;
    s->last = slot;
    if (s->write_error == 0) {
        memcpy(s->data[slot], buf, SDB_RECORD_SIZE);
        s->error[slot] = 0;
    }
    return s->write_error;
}

static struct sdb_record_store store_of(struct slots *s) {
    memset(s, 0, sizeof *s);
    s->error[0] = s->error[1] = SDB_ENOENT;
    return (struct sdb_record_store){s, slot_read, slot_write};
}

// Of each test.
static struct slots s;
static struct sdb_record_store store;
static struct sdb_record r, back;

static void longest(char *to, size_t len, char c) {
    memset(to, c, len);
    to[len] = '\0';
}

static struct sdb_record sample(void) {
    struct sdb_record r;
    memset(&r, 0, sizeof r);
    r.state = SDB_TRIAL;
    r.left = 2;
    r.trials = 3;
    r.event = SDB_EVENT_EXPIRED;
    r.flags = 0x5a;
    r.signed_seq = 0x89abcdef;
    longest(r.version, SDB_VERSION_MAX, 'v');
    longest(r.bad, SDB_VERSION_MAX, 'b');
    longest(r.event_version, SDB_VERSION_MAX, 'e');
    longest(r.main_dir, SDB_DIRNAME_MAX, 'm');
    longest(r.next_dir, SDB_DIRNAME_MAX, 'n');
    return r;
}

static int setup(void **state) {
    unit_reset(state);
    store = store_of(&s);
    r = sample();
    return 0;
}

// A record is in the first slot.
static int setup_saved(void **state) {
    setup(state);
    return sdb_record_save(&store, &r);
}

static void assert_same(const struct sdb_record *a, const struct sdb_record *b) {
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->left, b->left);
    assert_int_equal(a->trials, b->trials);
    assert_int_equal(a->event, b->event);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->signed_seq, b->signed_seq);
    assert_string_equal(a->version, b->version);
    assert_string_equal(a->bad, b->bad);
    assert_string_equal(a->event_version, b->event_version);
    assert_string_equal(a->main_dir, b->main_dir);
    assert_string_equal(a->next_dir, b->next_dir);
}
#define assert_same(...) UNIT_FROM(assert_same(__VA_ARGS__))

static void test_none(void **state) {
    (void)state;
    struct sdb_record zero;
    for (int garbage = 0; garbage < 4; garbage++) {
        UNIT_CASE(garbage);
        s.error[0] = garbage & 1 ? 0 : SDB_ENOENT;
        s.error[1] = garbage & 2 ? 0 : SDB_ENOENT;
        memset(s.data, garbage == 3 ? 0xff : 0, sizeof s.data);
        memset(&r, 0xa5, sizeof r);
        memset(&zero, 0, sizeof zero);
        assert_int_equal(sdb_record_load(&store, &r), 0);
        assert_memory_equal(&r, &zero, sizeof r);
        assert_int_equal(r.state, SDB_IDLE);
    }
    assert_int_equal(s.writes, 0);
}

static void test_save_and_load(void **state) {
    (void)state;
    for (uint32_t seq = 1; seq < 10; seq++) {
        UNIT_CASE(seq);
        r.left = (uint8_t)seq;
        assert_int_equal(sdb_record_save(&store, &r), 0);
        assert_int_equal(r.seq, seq);
        assert_int_equal(s.last, (seq - 1) % 2);
        assert_int_equal(sdb_record_load(&store, &back), 0);
        assert_same(&r, &back);
    }
    assert_int_equal(s.writes, 9);
}

// The bytes are fixed: cards outlive the firmware that wrote them.
static void test_layout(void **state) {
    (void)state;
    uint8_t want[512];
    memset(want, 0, sizeof want);
    memcpy(want, "SDBR\x01\x03\x02\x03\x04\x5a\0\0\x01\0\0\0\xef\xcd\xab\x89", 20);
    memset(want + 32, 'v', 47);
    memset(want + 80, 'b', 47);
    memset(want + 128, 'e', 47);
    memset(want + 176, 'm', 31);
    memset(want + 208, 'n', 31);
    sdb_put32(want + 508, sdb_crc32(0, want, 508));
    assert_int_equal(sdb_record_save(&store, &r), 0);
    assert_memory_equal(s.data[0], want, 512);
}

// Values of the states and events are on cards, too.
static void test_values(void **state) {
    (void)state;
    assert_int_equal(SDB_IDLE, 0);
    assert_int_equal(SDB_STAGED, 1);
    assert_int_equal(SDB_SWAPPING, 2);
    assert_int_equal(SDB_TRIAL, 3);
    assert_int_equal(SDB_REVERTING, 4);
    assert_int_equal(SDB_EVENT_INSTALLED, 1);
    assert_int_equal(SDB_EVENT_CONFIRMED, 2);
    assert_int_equal(SDB_EVENT_ROLLED_BACK, 3);
    assert_int_equal(SDB_EVENT_EXPIRED, 4);
    assert_int_equal(SDB_EVENT_CORRUPT, 5);
}

// A write torn after any number of bytes leaves the old record or the new one, and the next one
// saved counts in any case.
static void test_torn(void **state) {
    (void)state;
    struct slots before;
    for (int written = 0; written < 4; written++) {
        UNIT_CASE(written);
        for (size_t cut = 0; cut <= SDB_RECORD_SIZE; cut++) {
            UNIT_CASE(cut);
            store = store_of(&s);
            struct sdb_record old = sample(), next = sample();
            for (int i = 0; i < written; i++) {
                UNIT_CASE(i);
                assert_int_equal(sdb_record_save(&store, &old), 0);
            }
            before = s;
            next.state = SDB_IDLE;
            strcpy(next.version, "1.2.3");
            assert_int_equal(sdb_record_save(&store, &next), 0);
            uint8_t *slot = s.data[s.last];
            memcpy(slot + cut, before.data[s.last] + cut, SDB_RECORD_SIZE - cut);

            assert_int_equal(sdb_record_load(&store, &back), 0);
            if (back.seq == next.seq) {
                assert_same(&back, &next);
                assert_true(cut > 500);
            } else if (written == 0) {
                assert_int_equal(back.seq, 0);
                assert_int_equal(back.state, SDB_IDLE);
            } else {
                assert_same(&back, &old);
            }
            struct sdb_record last = sample();
            last.left = 77;
            assert_int_equal(sdb_record_save(&store, &last), 0);
            assert_true(last.seq == back.seq + 1);
            assert_int_equal(sdb_record_load(&store, &back), 0);
            assert_same(&back, &last);
        }
    }
}

// Any single bit that flips makes a record invalid.
static void test_bit_flips(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < SDB_RECORD_SIZE * 8; bit++) {
        UNIT_CASE(bit);
        s.data[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(sdb_record_load(&store, &back), 0);
        assert_int_equal(back.seq, 0);
        s.data[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void seal(uint8_t *slot) {
    sdb_put32(slot + 508, sdb_crc32(0, slot, 508));
}

static void test_sequence(void **state) {
    (void)state;
    assert_int_equal(sdb_record_save(&store, &r), 0);
    const uint32_t pairs[][2] = {
        {5, 6}, {6, 5}, {0x7fffffff, 0x80000000u}, {0xfffffffe, 1}, {0, 9}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        UNIT_CASE(i);
        for (int k = 0; k < 2; k++) {
            sdb_put32(s.data[k] + 12, pairs[i][k]);
            s.data[k][6] = (uint8_t)k;
            seal(s.data[k]);
        }
        int newest = pairs[i][1] > pairs[i][0];
        assert_int_equal(sdb_record_load(&store, &back), 0);
        assert_int_equal(back.seq, pairs[i][newest]);
        assert_int_equal(back.left, newest);
        struct slots kept = s;
        assert_int_equal(sdb_record_save(&store, &back), 0);
        assert_int_equal(back.seq, pairs[i][newest] + 1);
        assert_int_equal(s.last, !newest);
        memcpy(s.data, kept.data, sizeof s.data);
    }
}

static void test_other_format(void **state) {
    (void)state;
    s.data[0][4] = 2;
    seal(s.data[0]);
    assert_int_equal(sdb_record_load(&store, &back), 0);
    assert_int_equal(back.seq, 0);
}

// A slot without a NUL in any string, however it got its CRC.
static void test_unterminated(void **state) {
    (void)state;
    memset(s.data[0] + 32, 'x', 208 + 32 - 32);
    seal(s.data[0]);
    memset(&back, 0xa5, sizeof back);
    assert_int_equal(sdb_record_load(&store, &back), 0);
    assert_int_equal(strlen(back.version), SDB_VERSION_MAX);
    assert_int_equal(strlen(back.bad), SDB_VERSION_MAX);
    assert_int_equal(strlen(back.event_version), SDB_VERSION_MAX);
    assert_int_equal(strlen(back.main_dir), SDB_DIRNAME_MAX);
    assert_int_equal(strlen(back.next_dir), SDB_DIRNAME_MAX);
}

// An unreadable slot is never taken for an empty one.
static void test_errors(void **state) {
    (void)state;
    assert_int_equal(sdb_record_save(&store, &r), 0);
    for (int bad = 0; bad < 2; bad++) {
        UNIT_CASE(bad);
        s.writes = 0;
        s.error[bad] = SDB_EIO;
        assert_int_equal(sdb_record_load(&store, &back), SDB_EIO);
        assert_int_equal(back.state, SDB_IDLE);
        assert_int_equal(sdb_record_save(&store, &r), SDB_EIO);
        assert_int_equal(s.writes, 0);
        s.error[bad] = 0;
    }
    s.write_error = SDB_EROFS;
    assert_int_equal(sdb_record_save(&store, &r), SDB_EROFS);
    assert_int_equal(sdb_record_load(&store, &back), 0);
    assert_int_equal(back.seq, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_none, setup),
        cmocka_unit_test_setup(test_save_and_load, setup),
        cmocka_unit_test_setup(test_layout, setup),
        cmocka_unit_test_setup(test_values, setup),
        cmocka_unit_test_setup(test_torn, setup),
        cmocka_unit_test_setup(test_bit_flips, setup_saved),
        cmocka_unit_test_setup(test_sequence, setup_saved),
        cmocka_unit_test_setup(test_other_format, setup_saved),
        cmocka_unit_test_setup(test_unterminated, setup_saved),
        cmocka_unit_test_setup(test_errors, setup_saved),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
