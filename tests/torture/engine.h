// Scenarios with the update engine itself.
#ifndef TORTURE_ENGINE_H
#define TORTURE_ENGINE_H

#include "scenario.h"

int prepare_update(struct env *e);
int prepare_second(struct env *e);
int run_update(struct env *e);
int run_rollback(struct env *e);

// After a recovered cut: boot on, update again if need be. True if then the release that
// hashes to `visible` is there and nothing is wrong or leaked.
bool resume_update(struct env *e, uint64_t visible, const char **why);

#endif
