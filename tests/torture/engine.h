// SPDX-License-Identifier: MIT
// Scenarios with the update engine itself.
#ifndef TORTURE_ENGINE_H
#define TORTURE_ENGINE_H

#include "core/release/boot.h"
#include "scenario.h"

int prepare_update(struct env *e);
int prepare_second(struct env *e);
int run_update(struct env *e);
int run_rollback(struct env *e);

// How an install goes. All but the first fail, and are aborted.
enum engine_end { ENGINE_GOOD, ENGINE_HALF, ENGINE_HASH, ENGINE_SHORT, ENGINE_FULL };
int engine_install(struct env *e, enum engine_end end);
int engine_boot(struct env *e, struct sdb_boot *b, struct sdb_record_store *store);
int engine_reset(struct env *e, struct sdb_boot *b, struct sdb_record_store *store, int expect);

// The release's files: path and content (8192 bytes) of the i-th, returns its size.
extern const unsigned engine_files;
unsigned engine_file(unsigned i, uint32_t seed, const char **path, uint8_t *buf);

// A hash of the torture's own.
struct engine_running {
    uint64_t a;
    uint64_t b;
    size_t size;
};
struct sdb_hash engine_hash(struct engine_running *running, size_t size);

struct engine_checkpoints {
    struct env *e;
    unsigned files;
};
int engine_checkpoint(void *ctx, bool must);

// The release comes with an index: what the card has is not fetched, what was staged stays. With
// ENGINE_HALF it is suspended on the way.
int engine_install_indexed(struct env *e, enum engine_end end);
int run_indexed(struct env *e);
bool resume_indexed(struct env *e, uint64_t visible, const char **why);

int prepare_many(struct env *e);
int run_many(struct env *e);
int run_expiry(struct env *e);
int prepare_first(struct env *e);
int run_first(struct env *e);
int run_abort(struct env *e);
int run_refused(struct env *e);
int prepare_full_update(struct env *e);
int run_full_update(struct env *e);
bool resume_full_update(struct env *e, uint64_t visible, const char **why);

// The journal's log.
int run_log_append(struct env *e);
int run_log_mixed(struct env *e);
int run_log_patch(struct env *e);
int run_log_transactions(struct env *e);

// littlefs
int run_lfs_application(struct env *e);
int run_lfs_logging(struct env *e);
int run_lfs_records(struct env *e);

// After a recovered cut: boot on, update again if need be. True if then the release that
// hashes to `visible` is there and nothing is wrong or leaked.
bool resume_update(struct env *e, uint64_t visible, const char **why);

#endif
