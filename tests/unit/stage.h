// SPDX-License-Identifier: MIT
// A card with release 1.0.0 on it, a package of 2.0.0, and the way from one to the other.
#ifndef SDB_STAGE_H
#define SDB_STAGE_H

#include "core/release/install.h"
#include "memfs.h"
#include "package.h"
#include "core/release/record_fs.h"

struct stage {
    struct memfs mem;
    struct sdb_fs fs;
    struct sdb_record_store store; // files on `mem`
    struct package pkg;
    struct package_hash hash, file_hash;
    uint32_t table[64][2];
    struct sdb_names names;
    struct sdb_install_config cfg;
    uint8_t gather[4096]; // for cfg.gather
    struct sdb_install in;
    size_t piece;         // bytes fed at a time
    unsigned checkpoints; // calls of the callback
    unsigned musts;       // of these, with `must`
    unsigned fail_at;     // checkpoint of this number fails with SDB_EIO
};

void stage_init(struct stage *s); // an empty card, an empty package
void stage_free(struct stage *s);

void stage_old(struct memfs *m);       // the card with release 1.0.0 and the user's own files
void stage_want(struct memfs *m);      // the same with 2.0.0 in its place
void stage_package(struct package *p); // 2.0.0, complete
void stage_reset(struct stage *s, const struct memfs *content); // a fresh card, all counters at 0

int stage_begin(struct stage *s); // and clean; every step of the engine checks for open handles
int stage_feed(struct stage *s);  // the package, and finish
int stage_run(struct stage *s);   // both
int stage_abort(struct stage *s);

#endif
