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

int run_expiry(struct env *e);
int prepare_first(struct env *e);
int run_first(struct env *e);
int run_abort(struct env *e);
int run_refused(struct env *e);
int prepare_full_update(struct env *e);
int run_full_update(struct env *e);
bool resume_full_update(struct env *e, uint64_t visible, const char **why);

// littlefs
int run_lfs_application(struct env *e);
int run_lfs_logging(struct env *e);
int run_lfs_records(struct env *e);

// After a recovered cut: boot on, update again if need be. True if then the release that
// hashes to `visible` is there and nothing is wrong or leaked.
bool resume_update(struct env *e, uint64_t visible, const char **why);

#endif
