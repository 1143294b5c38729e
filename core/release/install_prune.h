// SPDX-License-Identifier: MIT
// What an earlier attempt has staged and the package has not. Private to core/release/install*.c.
#ifndef SDB_INSTALL_PRUNE_H
#define SDB_INSTALL_PRUNE_H

#include "core/release/install.h"

// Removes it. All members have been seen. Returns 0 or an error.
int sdb_install_prune(struct sdb_install *in);

#endif
