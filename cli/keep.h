// SPDX-License-Identifier: MIT
// Old releases: which of them a list still needs. And how a folder becomes a release on GitHub.
#ifndef SDBOOT_KEEP_H
#define SDBOOT_KEEP_H

#include "site.h"

struct keep; // files that nothing names any more

// Removes from the list all but the newest `n` versions (0: none is removed) and those that these
// need: for each min= the lowest version that satisfies it.
struct keep *keep_newest(struct site *site, unsigned n);

// Likewise one version. Returns NULL if it is not listed.
struct keep *keep_without(struct site *site, const char *version);

// Removes the packages themselves, once the list without them is published.
void keep_remove(struct keep *keep, const char *folder);

// Says how to upload the folder, and where boards find it. Dies of names that GitHub would change.
void github_say(const struct site *site, const char *folder, const char *version);

#endif
