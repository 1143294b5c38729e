// SPDX-License-Identifier: MIT
// Setup and teardown of a test with a memfs, empty and without faults.
#ifndef SDB_MEMFS_ASSERT_H
#define SDB_MEMFS_ASSERT_H

#include "memfs.h"
#include "unit.h"

struct rig {
    struct memfs mem;
    struct sdb_fs fs;
};

static inline int rig_setup(void **state) {
    static struct rig rig;
    unit_reset(NULL);
    memfs_init(&rig.mem);
    memfs_ops(&rig.mem, &rig.fs);
    *state = &rig;
    return 0;
}

static inline int rig_teardown(void **state) {
    struct rig *rig = *state;
    assert_int_equal(memfs_open_handles(&rig->mem), 0);
    memfs_free(&rig->mem);
    return 0;
}

#endif
