// SPDX-License-Identifier: MIT
// Assertions on a stage, for the tests of what installs and swaps.
#ifndef SDB_STAGE_ASSERT_H
#define SDB_STAGE_ASSERT_H

#include "stage.h"
#include "unit.h"

// Setup and teardown of a test with a stage that has release 1.0.0 on it.
static inline int stage_setup(void **state) {
    static struct stage stage;
    unit_reset(NULL);
    stage_init(&stage);
    stage_old(&stage.mem);
    *state = &stage;
    return 0;
}

static inline int stage_teardown(void **state) {
    struct stage *s = *state;
    assert_int_equal(memfs_open_handles(&s->mem), 0);
    stage_free(s);
    return 0;
}

// The trees at `pa` in `a` and at `pb` in `b` are equal (see memfs_list for `live`).
static inline void assert_same(const struct memfs *a, const char *pa, const struct memfs *b,
                               const char *pb, bool live) {
    char *x = memfs_list(a, pa, live);
    char *y = memfs_list(b, pb, live);
    assert_string_equal(x, y);
    free(x);
    free(y);
}
#define assert_same(...) UNIT_FROM(assert_same(__VA_ARGS__))

static inline struct sdb_record record_of(struct stage *s) {
    struct sdb_record r;
    assert_int_equal(sdb_record_load(&s->store, &r), 0);
    return r;
}

// What an abort leaves: nothing staged, the record IDLE, the live tree as it was.
static inline void assert_untouched(struct stage *s, const struct memfs *before) {
    assert_int_equal(record_of(s).state, SDB_IDLE);
    assert_null(memfs_find(&s->mem, "/next"));
    assert_null(memfs_find(&s->mem, "/.sdboot/new"));
    assert_same(&s->mem, "", before, "", true);
}
#define assert_untouched(...) UNIT_FROM(assert_untouched(__VA_ARGS__))

#endif
