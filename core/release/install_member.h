// SPDX-License-Identifier: MIT
// The members of a package: where each goes, how it gets there. Private to
// core/release/install*.c.
#ifndef SDB_INSTALL_MEMBER_H
#define SDB_INSTALL_MEMBER_H

#include "core/release/install.h"

// Prepares the tar reader to hand its members on.
void sdb_install_member_init(struct sdb_install *in);

// Adds app/.version to the manifest if the package has none.
int sdb_install_member_add_version(struct sdb_install *in);

// Closes what is open; returns what closing the written file returned.
int sdb_install_member_close(struct sdb_install *in);

// Sets in->path to the directory that becomes main_dir.
void sdb_install_member_dir(struct sdb_install *in);

// Calls cfg.checkpoint, if there is one. Returns 0 or what that returned.
int sdb_install_checkpoint(struct sdb_install *in, bool must);

#endif
