// SPDX-License-Identifier: MIT
// A package built anew from its index, the card and what is fetched; attempts that are cut short.
#include "core/error.h"
#include "made.h"
#include "stage_assert.h"

struct attempt {
    uint32_t plan[64], known[64];
    uint8_t buf[512];
    struct package_hash hash;
    struct reader reader;
    struct sdb_delta delta;
    size_t fetched;
    unsigned pieces; // of the package, so far
    unsigned stop;   // after so many pieces, 0: never
};

static int attempt_feed(struct stage *s, struct attempt *a, const struct made *m) {
    struct sdb_delta *d = &a->delta;
    int res;
    for (;;) {
        if (a->stop != 0 && a->pieces++ == a->stop) {
            return SDB_ECANCELED;
        }
        res = sdb_delta_read(d, a->buf, sizeof a->buf);
        if (res < 0) {
            return res;
        }
        if (res > 0) {
            if (d->kept) {
                sdb_install_keep(&s->in);
            }
            res = sdb_install_feed(&s->in, a->buf, (size_t)res);
        } else if (d->want > 0) {
            uint32_t n = d->want < 700 ? d->want : 700;
            res = sdb_install_feed(&s->in, m->tar + d->want_at, n);
            a->fetched += n;
            sdb_delta_took(d, n);
        } else {
            while ((res = sdb_install_finish(&s->in)) == 1) {
            }
            return res;
        }
        if (res < 0) {
            return res;
        }
    }
}

// Stages `m`, or stops on the way.
static int attempt_run(struct stage *s, struct attempt *a, const struct made *m) {
    s->cfg.file_hash = &s->file_hash.hash;
    s->cfg.resume = 4096;
    s->pkg.data = (uint8_t *)m->tar;
    s->pkg.size = m->size;
    a->fetched = 0;
    a->pieces = 0;
    a->reader = (struct reader){m->index, m->index_size, 0, 7};
    int res = stage_begin(s);
    if (res == 0) {
        const struct sdb_delta_config cfg = {
            .fs = &s->fs,
            .hash = &a->hash.hash,
            .main_dir = "app",
            .next_dir = "next",
            .version = s->cfg.version,
            .rewind = reader_rewind,
            .more = reader_more,
            .ctx = &a->reader,
            .plan = a->plan,
            .plan_size = 64,
            .known = a->known,
            .known_size = 64,
            .buf = a->buf,
            .buf_size = sizeof a->buf,
        };
        res = sdb_delta_begin(&a->delta, &cfg);
        while (res == 0 && (res = sdb_delta_plan(&a->delta)) == 1) {
            res = 0;
        }
        if (res == 0) {
            res = attempt_feed(s, a, m);
        }
        sdb_delta_end(&a->delta);
        if (res < 0) {
            sdb_install_suspend(&s->in);
        }
    }
    s->pkg.data = NULL;
    s->pkg.size = 0;
    return res;
}

static struct attempt attempt;
static struct made first, second, third;

static int setup(void **state) {
    stage_setup(state);
    ((struct stage *)*state)->mem.most_files = 4; // two each of install and delta
    package_hash_init(&attempt.hash, MBEDTLS_MD_SHA256);
    made_release(&first, "1.0.1", 10);
    made_release(&second, "2.0.0", 21);
    made_release(&third, "3.0.0", 30);
    return 0;
}

static int teardown(void **state) {
    package_hash_free(&attempt.hash);
    return stage_teardown(state);
}

// What is staged when `m` comes whole, on a card like `before`.
static void wanted(struct stage *s, const struct memfs *before, const struct made *m,
                   struct memfs *out) {
    s->cfg.file_hash = &s->file_hash.hash;
    s->cfg.resume = 0;
    stage_reset(s, before);
    s->pkg.data = (uint8_t *)m->tar;
    s->pkg.size = m->size;
    assert_int_equal(stage_run(s), 0);
    s->pkg.data = NULL;
    s->pkg.size = 0;
    memfs_copy(out, &s->mem);
    stage_reset(s, before);
}

static void assert_staged(const struct memfs *a, const struct memfs *b) {
    assert_same(a, "/next", b, "/next", false);
    assert_same(a, "/.sdboot/new", b, "/.sdboot/new", false);
    assert_same(a, "", b, "", true);
}

// Staged by delta: the same as if all of it had come, and less of it has.
static void test_same_result(void **state) {
    struct stage *s = *state;
    struct memfs before, want;
    // The release that runs has come as a package, with a manifest.
    s->cfg.version = "1.0.1";
    memfs_copy(&before, &s->mem);
    wanted(s, &before, &first, &want);
    memfs_free(&s->mem);
    memfs_copy(&s->mem, &want);
    memfs_delete(&s->mem, "/app");
    memfs_move(&s->mem, "/next", "/app");
    memfs_put(&s->mem, "/main.py", memfs_find(&s->mem, "/.sdboot/new/main.py")->data, 1500);
    memfs_put(&s->mem, "/lib/b.py", memfs_find(&s->mem, "/.sdboot/new/lib/b.py")->data, 5000);
    memfs_delete(&s->mem, "/.sdboot");
    memfs_free(&before);
    memfs_free(&want);
    memfs_copy(&before, &s->mem);

    s->cfg.version = "2.0.0";
    wanted(s, &before, &second, &want);
    assert_int_equal(attempt_run(s, &attempt, &second), 0);
    assert_staged(&s->mem, &want);
    // changes.py, odd/only/here.py, same.py (the card's is another one), sub/odd.py, main.py; not
    // z.py, which was elsewhere.
    assert_in_range(attempt.fetched, 2000 + 900 + 512 + 700 + 1500,
                    2000 + 900 + 512 + 700 + 1500 + 4 * 1024);
    memfs_free(&before);
    memfs_free(&want);
}

// Cut short after any piece, suspended or by the power; then the same release comes, or another
// one.
static void test_resumed(void **state) {
    struct stage *s = *state;
    struct memfs before, want[2];
    memfs_copy(&before, &s->mem);
    s->cfg.version = "2.0.0";
    wanted(s, &before, &second, &want[0]);
    s->cfg.version = "3.0.0";
    wanted(s, &before, &third, &want[1]);
    attempt.stop = 0;
    s->cfg.version = "2.0.0";
    assert_int_equal(attempt_run(s, &attempt, &second), 0);
    size_t all = attempt.fetched;
    unsigned mutations = s->mem.mutations;
    for (int other = 0; other < 2; other++) {
        UNIT_CASE(other);
        size_t least = all;
        for (unsigned stop = 1; stop < 60; stop++) {
            UNIT_CASE(stop);
            stage_reset(s, &before);
            s->cfg.version = "2.0.0";
            attempt.stop = stop;
            int res = attempt_run(s, &attempt, &second);
            attempt.stop = 0;
            if (res == 0) {
                break; // not cut short: it waits, and what comes now is a second one
            }
            assert_int_equal(res, SDB_ECANCELED);
            s->cfg.version = other ? "3.0.0" : "2.0.0";
            assert_int_equal(attempt_run(s, &attempt, other ? &third : &second), 0);
            assert_staged(&s->mem, &want[other]);
            least = attempt.fetched < least ? attempt.fetched : least;
        }
        assert_true(other || least == 0); // all of it was there
        for (unsigned cut = 0; cut <= mutations; cut++) {
            UNIT_CASE(cut);
            stage_reset(s, &before);
            s->mem.cut = true;
            s->mem.cut_at = cut;
            s->cfg.version = "2.0.0";
            attempt_run(s, &attempt, &second);
            memfs_power_on(&s->mem);
            s->cfg.version = other ? "3.0.0" : "2.0.0";
            assert_int_equal(attempt_run(s, &attempt, other ? &third : &second), 0);
            assert_staged(&s->mem, &want[other]);
        }
    }
    memfs_free(&before);
    memfs_free(&want[0]);
    memfs_free(&want[1]);
}

// Whatever is in the way of staging ends in an error or in the right release.
static void test_leftovers(void **state) {
    struct stage *s = *state;
    struct memfs before, want;
    memfs_copy(&before, &s->mem);
    s->cfg.version = "2.0.0";
    wanted(s, &before, &second, &want);
    const struct {
        const char *file, *dir;
    } cases[] = {
        {"/next/other.py", NULL},
        {"/next/deep/er/other.py", NULL},
        {"/next/a.py", NULL},
        {"/next/empty", NULL},
        {"/next/.manifest", NULL},
        {"/next/.version", NULL},
        {"/.sdboot/new/other.py", NULL},
        {"/.sdboot/new/lib/same.py", NULL},
        {"/.sdboot/new/x/y/z/a.py", NULL},
        {NULL, "/next/deep/er"},
        {NULL, "/.sdboot/new/lib/deep"},
        {"/next/odd/a/b", "/next/odd/only/c"},
        {"/next/odd", NULL},
        {NULL, "/next/a.py"},
        {"/.sdboot/new/lib", NULL},
        {NULL, "/.sdboot/new/main.py"},
    };
    attempt.stop = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        stage_reset(s, &before);
        if (cases[i].file != NULL) {
            memfs_text(&s->mem, cases[i].file, "left");
        }
        if (cases[i].dir != NULL) {
            memfs_dir(&s->mem, cases[i].dir);
        }
        int res = attempt_run(s, &attempt, &second);
        assert_int_equal(res == 0, i < 12);
        if (res == 0) {
            assert_staged(&s->mem, &want);
        }
    }
    memfs_free(&before);
    memfs_free(&want);
}

// An index that leads out of what is staged removes nothing there.
static void test_paths(void **state) {
    struct stage *s = *state;
    static const char *const paths[] = {
        "../main.py", "app/../../main.py", "/main.py", "app//a", "./x", "app/..", "app/a:b"};
    attempt.stop = 0;
    memfs_text(&s->mem, "/next/left", "x");
    for (size_t i = 0; i < COUNT(paths); i++) {
        UNIT_CASE(i);
        made_init(&third);
        made_noise(&third, paths[i], 10, 1);
        made_end(&third);
        assert_int_equal(attempt_run(s, &attempt, &third), SDB_EINVAL);
        assert_non_null(memfs_find(&s->mem, "/main.py"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_result, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resumed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leftovers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
