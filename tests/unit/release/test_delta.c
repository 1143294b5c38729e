// SPDX-License-Identifier: MIT
// A package built anew from its index, the card and what is fetched; attempts that are cut short.
#include "core/bytes.h"
#include "core/error.h"
#include "core/release/delta.h"
#include "stage_assert.h"

// ---- A package and its index --------------------------------------------------------------------

struct made {
    uint8_t tar[64 * 1024];
    size_t size;
    uint8_t index[4096];
    size_t index_size;
    uint32_t count;
    size_t count_at; // where in the index the count is
    char last[SDB_PATH_MAX + 1];
};

static void put(struct made *m, const void *data, size_t len) {
    assert_true(m->index_size + len <= sizeof m->index);
    memcpy(m->index + m->index_size, data, len);
    m->index_size += len;
}

static void put_number(struct made *m, uint32_t n) {
    do {
        uint8_t b = (uint8_t)((n & 127) | (n > 127 ? 128 : 0));
        put(m, &b, 1);
        n >>= 7;
    } while (n > 0);
}

static void made_init(struct made *m) {
    memset(m, 0, sizeof *m);
    put(m, "sdbI\1", 5);
    m->count_at = m->index_size;
    put_number(m, 0);
}

static void made_tar(struct made *m, const void *data, size_t len) {
    size_t whole = (len + 511) / 512 * 512;
    assert_true(m->size + whole <= sizeof m->tar);
    memcpy(m->tar + m->size, data, len);
    m->size += whole;
}

static void made_member(struct made *m, const char *path, enum sdb_index_kind kind,
                        const void *data, size_t len) {
    uint8_t head[512], digest[32];
    assert_true(sdb_tarhead_make(head, path, kind, (uint32_t)len));
    made_tar(m, head, 512);
    made_tar(m, data, len);
    size_t shared = 0;
    while (shared < 62 && path[shared] != '\0' && path[shared] == m->last[shared]) {
        shared++;
    }
    put_number(m, 0); // one byte, to be set
    m->index[m->index_size - 1] = (uint8_t)(kind | shared << 2);
    put_number(m, (uint32_t)(strlen(path) - shared));
    put(m, path + shared, strlen(path) - shared);
    strcpy(m->last, path);
    if (kind == SDB_INDEX_FILE) {
        put_number(m, (uint32_t)len);
        if (len > 0) {
            mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), data, len, digest);
            put(m, digest, SDB_INDEX_HASH);
        }
    }
    m->index[m->count_at] = (uint8_t)++m->count;
}

static void made_end(struct made *m) {
    put(m, "\3\2", 2); // two blocks of zeros
    m->size += 1024;
    m->index[m->count_at] = (uint8_t)++m->count;
}

static void made_noise(struct made *m, const char *path, size_t len, unsigned seed) {
    static uint8_t data[20000];
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(seed + i * 7 + i / 251 * seed);
    }
    made_member(m, path, SDB_INDEX_FILE, data, len);
}

// Releases that have most, but not all in common.
static void made_release(struct made *m, const char *version, unsigned seed) {
    char text[16];
    made_init(m);
    snprintf(text, sizeof text, "%s\n", version);
    made_member(m, "app/.version", SDB_INDEX_FILE, text, strlen(text));
    made_noise(m, "app/a.py", 3000, 1);
    made_noise(m, "app/changes.py", 2000, seed);
    made_member(m, "app/empty", SDB_INDEX_DIR, "", 0);
    made_member(m, "app/empty.py", SDB_INDEX_FILE, "", 0);
    if (seed % 2) {
        made_noise(m, "app/odd/only/here.py", 900, seed);
        made_noise(m, "app/z.py", 600, 5);
    } else {
        made_noise(m, "app/moved/z.py", 600, 5);
    }
    made_noise(m, "lib/b.py", 5000, 2);
    made_noise(m, "lib/same.py", 512, 3);
    if (seed % 2) {
        made_noise(m, "lib/sub/odd.py", 700, seed);
    }
    made_noise(m, "main.py", 1500, seed);
    made_end(m);
}

// ---- Building it
// -----------------------------------------------------------------------------------

struct reader {
    const uint8_t *data;
    size_t size, at, piece;
};

static void reader_rewind(void *ctx) {
    ((struct reader *)ctx)->at = 0;
}

static int reader_more(void *ctx, const uint8_t **piece) {
    struct reader *r = ctx;
    size_t n = r->size - r->at < r->piece ? r->size - r->at : r->piece;
    *piece = r->data + r->at;
    r->at += n;
    return (int)n;
}

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

// ---- Tests
// -----------------------------------------------------------------------------------------

static void test_headers(void **state) {
    (void)state;
    uint8_t head[512];
    char path[400];
    memset(path, 'x', sizeof path);
    for (size_t len = 1; len < 300; len++) {
        for (size_t slash = 0; slash < len; slash += len < 90 ? 17 : 1) {
            path[len] = '\0';
            path[slash] = '/';
            for (int dir = 0; dir < 2; dir++) {
                size_t all = len + (size_t)dir, rest = all - slash - 1;
                bool fits = all <= 100 || (slash > 0 && slash <= 155 && rest > 0 && rest <= 100 &&
                                           slash + 1 < len);
                bool made = sdb_tarhead_make(head, path, dir ? SDB_INDEX_DIR : SDB_INDEX_FILE, 8);
                if (len > 99 && slash + 1 >= len) {
                    continue; // no name behind the last '/', which no index has
                }
                assert_int_equal(made, fits);
            }
            path[slash] = 'x';
        }
        path[len] = 'x';
    }
}

static void test_index_cut_or_changed(void **state) {
    (void)state;
    struct sdb_index ix;
    for (size_t piece = 1; piece < 9; piece++) {
        struct reader r = {second.index, second.index_size, 0, piece};
        assert_int_equal(sdb_index_open(&ix, reader_more, &r), 0);
        uint32_t seen = 0;
        while (sdb_index_next(&ix) == 1) {
            assert_int_equal(ix.at % 512, 0);
            assert_int_equal(ix.number, seen++);
        }
        assert_int_equal(seen, second.count);
        assert_int_equal(ix.end, second.size);
        assert_int_equal(sdb_index_next(&ix), 0);
        for (size_t size = 0; size < second.index_size; size++) {
            r = (struct reader){second.index, size, 0, piece};
            int res = sdb_index_open(&ix, reader_more, &r);
            while (res == 0 && (res = sdb_index_next(&ix)) == 1) {
                res = 0;
            }
            assert_int_equal(res, SDB_EINVAL);
            if (size > 6) {
                assert_int_equal(sdb_index_next(&ix), SDB_EINVAL);
            }
        }
    }
    const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"sdbJ\1\1\3\1", 8},                              // another magic
        {"sdbI\2\1\3\1", 8},                              // a newer version
        {"sdbI\1\1\3\0", 8},                              // no blocks
        {"sdbI\1\1\7\1", 8},                              // a path where none is
        {"sdbI\1\1\1\0", 8},                              // an empty path
        {"sdbI\1\1\5\1x", 9},                             // more in common than there was
        {"sdbI\1\1\1\1\0", 9},                            // a zero in a path
        {"sdbI\1\1\1\200\4x", 10},                        // too long a path
        {"sdbI\1\1\3\377\377\377\377\17", 12},            // more than 4 GiB
        {"sdbI\1\1\3\377\377\377\377\177\0", 13},         // a number of more than 32 bits
        {"sdbI\1\2\3\377\377\377\3\3\377\377\377\3", 16}, // together more than 4 GiB
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        UNIT_CASE(i);
        struct reader r = {(const uint8_t *)bad[i].bytes, bad[i].size, 0, 100};
        int res = sdb_index_open(&ix, reader_more, &r);
        while (res == 0 && (res = sdb_index_next(&ix)) == 1) {
            res = 0;
        }
        assert_int_equal(res, SDB_EINVAL);
    }
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
        cmocka_unit_test(test_headers),
        cmocka_unit_test_setup_teardown(test_index_cut_or_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_result, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resumed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leftovers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
