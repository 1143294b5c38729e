// SPDX-License-Identifier: MIT
// The index of a package, from which boards learn what they need not fetch (docs/FORMAT.md).
#ifndef SDBOOT_INDEX_H
#define SDBOOT_INDEX_H

#include "tool.h"

// Makes the index of the tar in `package`, which the caller keeps. The caller frees what is
// returned.
struct tool_text index_make(const struct tool_text *package);

#endif
