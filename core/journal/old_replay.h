// SPDX-License-Identifier: MIT
// Areas of version 1: what a power cut has left in their journal is put in place, then they are
// replaced. docs/FORMAT.md has their bytes.
#ifndef SDB_OLD_REPLAY_H
#define SDB_OLD_REPLAY_H

#include "core/journal/control.h"

// Puts a commit in place that the journal of the area `c` holds. May be cut at any write and
// repeated. `buf`: 1024 bytes. Returns enum sdb_replay or the card's error: nothing may be mounted
// then.
int sdb_old_replay(const struct sdb_bdev *card, const struct sdb_control *c, uint8_t *buf);

#endif
