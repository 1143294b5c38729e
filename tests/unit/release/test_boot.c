// SPDX-License-Identifier: MIT
// The state machine of a boot: trials, confirmation, the way back, checking content. The power may
// go at every change, and every call may fail.
#include "unit.h"
#include "core/release/boot.h"
#include "core/error.h"
#include "stage_assert.h"

struct rig {
    struct stage stage;
    struct memfs old;    // 1.0.0
    struct memfs staged; // 2.0.0 waits
    struct memfs trial;  // 2.0.0 has had its three boots
    struct sdb_boot boot;
    struct package_hash sha256;
    uint8_t buf[100]; // smaller than the files
};

// A boot as the board does it; returns what sdb_boot_run did.
static int boot(struct rig *rig, bool counts) {
    struct sdb_boot *b = &rig->boot;
    memset(b, 0xa5, sizeof *b);
    b->fs = &rig->stage.fs;
    b->store = &rig->stage.store;
    b->hash = &rig->sha256.hash;
    b->buf = rig->buf;
    b->len = sizeof rig->buf;
    b->trials = 3;
    b->swap.whole = false;
    int res = sdb_boot_load(b);
    res = res < 0 ? res : sdb_boot_run(b, counts);
    int tidy = res < 0 ? res : 1;
    while (tidy == 1) {
        tidy = sdb_boot_tidy(b);
    }
    return tidy < 0 ? tidy : res;
}

static void keep(struct memfs *to, const struct memfs *from) {
    memfs_free(to);
    memfs_copy(to, from);
}

static int setup(void **state) {
    static struct rig rig;
    memset(&rig, 0, sizeof rig);
    stage_init(&rig.stage);
    rig.stage.cfg.file_hash = &rig.stage.file_hash.hash;
    package_hash_init(&rig.sha256, MBEDTLS_MD_SHA256);
    stage_package(&rig.stage.pkg);
    stage_old(&rig.old);
    stage_reset(&rig.stage, &rig.old);
    if (stage_run(&rig.stage) != 0) {
        return -1;
    }
    keep(&rig.staged, &rig.stage.mem);
    for (int i = 0; i < 3; i++) {
        if (boot(&rig, true) != (i == 0 ? SDB_BOOT_SWAPPED : SDB_BOOT_NOTHING)) {
            return -1;
        }
    }
    keep(&rig.trial, &rig.stage.mem);
    *state = &rig;
    return 0;
}

static int teardown(void **state) {
    struct rig *rig = *state;
    assert_int_equal(memfs_open_handles(&rig->stage.mem), 0);
    stage_free(&rig->stage);
    package_hash_free(&rig->sha256);
    memfs_free(&rig->old);
    memfs_free(&rig->staged);
    memfs_free(&rig->trial);
    return 0;
}

// 1.0.0 runs again, to the byte, and the record says what became of 2.0.0.
static void assert_taken_back(struct rig *rig, uint8_t event) {
    struct sdb_record r;
    assert_same(&rig->stage.mem, "", &rig->old, "", true);
    assert_int_equal(sdb_record_load(&rig->stage.store, &r), 0);
    assert_int_equal(r.state, SDB_IDLE);
    assert_int_equal(r.event, event);
    assert_string_equal(r.bad, "2.0.0");
    assert_string_equal(r.event_version, "2.0.0");
    assert_null(memfs_find(&rig->stage.mem, "/next"));
    assert_null(memfs_find(&rig->stage.mem, "/prev"));
    assert_null(memfs_find(&rig->stage.mem, "/.sdboot/old"));
    assert_null(memfs_find(&rig->stage.mem, "/.sdboot/added"));
}
#define assert_taken_back(...) UNIT_FROM(assert_taken_back(__VA_ARGS__))

static void test_attempts_run_out(void **state) {
    struct rig *rig = *state;
    stage_reset(&rig->stage, &rig->staged);
    for (int left = 2; left >= 0; left--) {
        UNIT_CASE(left);
        assert_int_equal(boot(rig, true), left == 2 ? SDB_BOOT_SWAPPED : SDB_BOOT_NOTHING);
        assert_int_equal(rig->boot.record.state, SDB_TRIAL);
        assert_int_equal(rig->boot.record.left, left);
        for (int i = 0; i < 3; i++) { // soft resets in between
            assert_int_equal(boot(rig, false), SDB_BOOT_NOTHING);
            assert_int_equal(rig->boot.record.left, left);
        }
    }
    assert_int_equal(boot(rig, true), SDB_BOOT_REVERTED);
    assert_taken_back(rig, SDB_EVENT_EXPIRED);
    unsigned mutations = rig->stage.mem.mutations;
    assert_int_equal(boot(rig, true), SDB_BOOT_NOTHING);
    assert_int_equal(rig->stage.mem.mutations, mutations);
}

static void test_confirm(void **state) {
    struct rig *rig = *state;
    stage_reset(&rig->stage, &rig->trial);
    assert_int_equal(sdb_boot_load(&rig->boot), 0);
    assert_int_equal(sdb_boot_confirm(rig->boot.store, &rig->boot.record), 1);
    assert_int_equal(sdb_boot_confirm(rig->boot.store, &rig->boot.record), 0);
    assert_int_equal(boot(rig, true), SDB_BOOT_NOTHING);
    assert_int_equal(rig->boot.record.event, SDB_EVENT_CONFIRMED);
    assert_string_equal(rig->boot.record.event_version, "2.0.0");
    assert_int_equal(sdb_boot_rollback(&rig->boot, SDB_EVENT_ROLLED_BACK), 0);
    assert_int_equal(sdb_boot_rollback(&rig->boot, SDB_EVENT_ROLLED_BACK), 0); // it is going to
    assert_int_equal(boot(rig, false), SDB_BOOT_REVERTED);
    assert_taken_back(rig, SDB_EVENT_ROLLED_BACK);
    assert_int_equal(sdb_boot_rollback(&rig->boot, SDB_EVENT_ROLLED_BACK), SDB_ENOENT);
}

static void test_rollback_of_what_is_staged(void **state) {
    struct rig *rig = *state;
    stage_reset(&rig->stage, &rig->staged);
    assert_int_equal(sdb_boot_load(&rig->boot), 0);
    rig->boot.record.state = SDB_SWAPPING;
    assert_int_equal(sdb_boot_rollback(&rig->boot, SDB_EVENT_ROLLED_BACK), SDB_EBUSY);
    assert_int_equal(sdb_boot_load(&rig->boot), 0);
    assert_int_equal(sdb_boot_rollback(&rig->boot, SDB_EVENT_ROLLED_BACK), 1);
    assert_int_equal(boot(rig, true), SDB_BOOT_NOTHING);
    assert_null(memfs_find(&rig->stage.mem, "/next"));
    assert_int_equal(rig->boot.record.flags, 0);
    assert_string_equal(rig->boot.record.bad, "");
}

// A release that is given up goes at once, and nothing else does, wherever the power fails.
static void test_removal_of_what_is_staged(void **state) {
    struct rig *rig = *state;
    struct sdb_boot *b = &rig->boot;
    int left = 1;
    for (unsigned cut = 0; left != 0; cut++) {
        UNIT_CASE(cut);
        stage_reset(&rig->stage, &rig->staged);
        memfs_text(&rig->stage.mem, "/.sdboot/app/half", "of another one");
        assert_int_equal(sdb_boot_load(b), 0);
        assert_int_equal(sdb_boot_remove_staged(b), 0); // it waits still
        assert_non_null(memfs_find(&rig->stage.mem, "/next/main.py"));
        memfs_power_on(&rig->stage.mem);
        rig->stage.mem.cut = true;
        rig->stage.mem.cut_at = cut;
        left = sdb_boot_rollback(b, 0);
        while (left == 1) {
            left = sdb_boot_remove_staged(b);
        }
        memfs_power_on(&rig->stage.mem);
        assert_int_equal(sdb_boot_load(b), 0);
        if (b->record.state == SDB_IDLE) { // else it was cut before it began
            int more;
            do {
                more = sdb_boot_remove_staged(b);
            } while (more == 1);
            assert_int_equal(more, 0);
            assert_same(&rig->stage.mem, "", &rig->old, "", true);
            assert_null(memfs_find(&rig->stage.mem, "/.sdboot/new"));
            assert_null(memfs_find(&rig->stage.mem, "/.sdboot/app"));
            assert_int_equal(b->record.flags, 0);
        }
    }
}

// Any file of the release that differs, is cut short or gone takes it back in its first boot.
static void test_content(void **state) {
    struct rig *rig = *state;
    const char *paths[] = {"/next/main.py", "/next/lib/a.py", "/.sdboot/new/main.py",
                           "/.sdboot/new/www/index.html", "/next/.version"};
    for (size_t i = 0; i < 3 * COUNT(paths); i++) {
        UNIT_CASE(i);
        const char *path = paths[i / 3];
        uint8_t data[8192];
        stage_reset(&rig->stage, &rig->staged);
        const struct memfs_node *node = memfs_find(&rig->stage.mem, path);
        assert_non_null(node);
        size_t size = node->size;
        memcpy(data, node->data, size);
        data[size / 2] ^= 1;
        if (i % 3 == 2 && strcmp(path, "/next/.version") != 0) {
            memfs_delete(&rig->stage.mem, path);
        } else {
            memfs_put(&rig->stage.mem, path, data, size - i % 3);
        }
        if (strncmp(path, "/.sdboot", 8) == 0 && i % 3 == 2 && strstr(path, "main.py")) {
            continue; // then the live main.py stays: the old one, which differs from the manifest
        }
        assert_int_equal(boot(rig, true), SDB_BOOT_REVERTED);
        assert_int_equal(rig->boot.record.event, SDB_EVENT_CORRUPT);
        assert_same(&rig->stage.mem, "", &rig->old, "", true);
    }
}

static void test_no_manifest(void **state) {
    struct rig *rig = *state;
    stage_reset(&rig->stage, &rig->staged);
    memfs_delete(&rig->stage.mem, "/next/.manifest");
    assert_int_equal(boot(rig, true), SDB_BOOT_SWAPPED);
    assert_int_equal(rig->boot.record.state, SDB_TRIAL);
}

// The first release of a card, with or without a main.py before it, that the release replaces or
// leaves as it is.
static void first_release(struct rig *rig, const struct memfs *from, bool main_py) {
    stage_reset(&rig->stage, from);
    memfs_delete(&rig->stage.mem, "/app");
    memfs_delete(&rig->stage.mem, "/prev");
    if (!main_py) {
        memfs_delete(&rig->stage.mem, "/main.py");
    }
}

static void test_first_release_stays(void **state) {
    struct rig *rig = *state;
    struct memfs want;
    memfs_init(&want);
    stage_want(&want);
    for (int damaged = 0; damaged < 2; damaged++) {
        for (int empty = 0; empty < 2; empty++) {
            first_release(rig, &rig->staged, false);
            if (empty) {
                memfs_dir(&rig->stage.mem, "/app"); // becomes an empty prev/ as well
            }
            if (damaged) {
                memfs_text(&rig->stage.mem, "/next/lib/a.py", "not this");
            }
            for (int i = damaged ? 3 : 0; i < 4; i++) {
                int want_result = i == 3 ? SDB_BOOT_KEPT : i ? SDB_BOOT_NOTHING : SDB_BOOT_SWAPPED;
                assert_int_equal(boot(rig, true), want_result);
            }
            const struct sdb_record *r = &rig->boot.record;
            assert_int_equal(r->state, SDB_IDLE);
            assert_int_equal(r->event, damaged ? SDB_EVENT_CORRUPT : SDB_EVENT_EXPIRED);
            assert_string_equal(r->event_version, "2.0.0");
            assert_string_equal(r->bad, "");
            unsigned mutations = rig->stage.mem.mutations;
            assert_int_equal(sdb_boot_rollback(&rig->boot, SDB_EVENT_ROLLED_BACK), SDB_ENOENT);
            assert_int_equal(boot(rig, true), SDB_BOOT_NOTHING);
            assert_int_equal(rig->stage.mem.mutations, mutations);
            if (!damaged) {
                memfs_delete(&rig->stage.mem, "/app/.manifest"); // written by the install
                assert_same(&rig->stage.mem, "", &want, "", true);
            }
        }
    }
    memfs_free(&want);
}

// What ran before was a main.py alone: that is worth going back to.
static void test_main_py_before_the_first_release(void **state) {
    struct rig *rig = *state;
    struct memfs before;
    memfs_init(&before);
    stage_old(&before);
    memfs_delete(&before, "/app");
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        first_release(rig, &rig->staged, true);
        assert_int_equal(boot(rig, true), SDB_BOOT_SWAPPED);
        if (by_hand) {
            assert_int_equal(sdb_boot_rollback(&rig->boot, SDB_EVENT_ROLLED_BACK), 0);
        } else {
            assert_int_equal(boot(rig, true), SDB_BOOT_NOTHING);
            assert_int_equal(boot(rig, true), SDB_BOOT_NOTHING);
        }
        assert_int_equal(boot(rig, true), SDB_BOOT_REVERTED);
        assert_same(&rig->stage.mem, "", &before, "", true);
        assert_string_equal(rig->boot.record.bad, "2.0.0");
        assert_int_equal(sdb_boot_rollback(&rig->boot, SDB_EVENT_ROLLED_BACK), SDB_ENOENT);
    }
    memfs_free(&before);
}

// A release that can't be read back at once is no reason to end the trial.
static void test_first_release_unreadable(void **state) {
    struct rig *rig = *state;
    int res = -1;
    for (unsigned call = 1; res < 0; call++) {
        first_release(rig, &rig->staged, false);
        for (int i = 0; i < 3; i++) {
            assert_in_range(boot(rig, true), 0, SDB_BOOT_SWAPPED);
        }
        memfs_power_on(&rig->stage.mem);
        rig->stage.mem.fail_at = call;
        rig->stage.mem.fail_error = SDB_EIO;
        res = boot(rig, true);
        res = rig->stage.mem.calls < call ? res : -1;
        memfs_power_on(&rig->stage.mem);
        boot(rig, true);
        assert_int_equal(rig->boot.record.event, SDB_EVENT_EXPIRED);
        assert_int_equal(rig->boot.record.state, SDB_IDLE);
        assert_non_null(memfs_find(&rig->stage.mem, "/app/main.py"));
    }
}

// Records with a right CRC that tell of directories that nobody can have recorded: following them
// could remove the application.
static void test_nonsense_directories(void **state) {
    struct rig *rig = *state;
    static const char *const names[][2] = {
        {"app", "app"}, {"app", "APP"}, {"app", ""},     {"", "next"},  {"..", "next"},
        {"app", "."},   {"a/b", "c"},   {"app", "Prev"}, {"prev", "x"}, {"app", "n\next"},
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        for (uint8_t st = SDB_IDLE; st <= SDB_REVERTING; st++) {
            struct sdb_record r;
            stage_reset(&rig->stage, &rig->old);
            assert_int_equal(sdb_record_load(&rig->stage.store, &r), 0);
            r.state = st;
            r.left = 1;
            r.trials = 3;
            r.flags = SDB_FLAG_LEFTOVER;
            strcpy(r.main_dir, names[i][0]);
            strcpy(r.next_dir, names[i][1]);
            assert_int_equal(sdb_record_save(&rig->stage.store, &r), 0);
            for (int again = 0; again < 2; again++) {
                assert_int_equal(boot(rig, true), SDB_BOOT_NOTHING);
                assert_int_equal(rig->boot.record.state, SDB_IDLE);
                assert_same(&rig->stage.mem, "", &rig->old, "", true);
            }
            assert_int_equal(sdb_record_load(&rig->stage.store, &r), 0);
            assert_int_equal(r.state, SDB_IDLE);
        }
    }
}

// What a scenario does before the boot that is cut; returns the event that it ends with.
static uint8_t prepare(struct rig *rig, int scenario) {
    stage_reset(&rig->stage, scenario == 2 ? &rig->staged : &rig->trial);
    switch (scenario) {
    case 0:
        return SDB_EVENT_EXPIRED;
    case 1:
        assert_int_equal(sdb_boot_load(&rig->boot), 0);
        assert_int_equal(sdb_boot_rollback(&rig->boot, SDB_EVENT_ROLLED_BACK), 0);
        return SDB_EVENT_ROLLED_BACK;
    default:
        memfs_text(&rig->stage.mem, "/next/main.py", "not this");
        return SDB_EVENT_CORRUPT;
    }
}

static void test_cuts(void **state) {
    struct rig *rig = *state;
    for (int scenario = 0; scenario < 3; scenario++) {
        UNIT_CASE(scenario);
        for (int fat = 0; fat < 2; fat++) {
            UNIT_CASE(fat);
            for (unsigned cut = 0;; cut++) {
                UNIT_CASE(cut);
                uint8_t event = prepare(rig, scenario);
                rig->stage.mem.fat = fat;
                memfs_power_on(&rig->stage.mem);
                rig->stage.mem.cut = true;
                rig->stage.mem.cut_at = cut;
                int res = boot(rig, true);
                memfs_power_on(&rig->stage.mem);
                boot(rig, true); // takes it up
                assert_taken_back(rig, event);
                if (res >= 0) {
                    assert_in_range(cut, 5, 1000);
                    break;
                }
            }
        }
    }
}

static void test_errors(void **state) {
    struct rig *rig = *state;
    for (int scenario = 0; scenario < 2; scenario++) {
        UNIT_CASE(scenario);
        for (unsigned late = 0; late < 2; late++) {
            UNIT_CASE(late);
            int res = -1;
            for (unsigned call = 1; res < 0; call++) {
                UNIT_CASE(call);
                uint8_t event = prepare(rig, scenario);
                memfs_power_on(&rig->stage.mem);
                rig->stage.mem.fail_at = call;
                rig->stage.mem.fail_late = late;
                rig->stage.mem.fail_error = SDB_EIO;
                res = boot(rig, true);
                res = rig->stage.mem.calls < call ? res : -1;
                memfs_power_on(&rig->stage.mem);
                boot(rig, true);
                assert_taken_back(rig, event);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attempts_run_out),
        cmocka_unit_test(test_confirm),
        cmocka_unit_test(test_rollback_of_what_is_staged),
        cmocka_unit_test(test_removal_of_what_is_staged),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_no_manifest),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_first_release_stays),
        cmocka_unit_test(test_main_py_before_the_first_release),
        cmocka_unit_test(test_first_release_unreadable),
        cmocka_unit_test(test_nonsense_directories),
    };
    return cmocka_run_group_tests_name("boot", tests, setup, teardown);
}
