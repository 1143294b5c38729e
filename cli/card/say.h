// SPDX-License-Identifier: MIT
// A card in words. Each function adds to the report what it is about.
#ifndef SDBOOT_SAY_H
#define SDBOOT_SAY_H

#include "cli/card/card.h"
#include "cli/report.h"

// Size, and what is on it.
void say_card(struct report *r, struct card *c);

// Pointer, control area, copies, and what the journal holds. FAT only.
void say_journal(struct report *r, struct card *c);

// Record and releases: what runs, what happened, what the next boot does. If it is mounted.
void say_releases(struct report *r, struct card *c);

// Every file of the running release against its manifest; `each`: a line a file.
void say_manifest(struct report *r, struct card *c, bool each);

// Is the filesystem consistent?
void say_consistency(struct report *r, struct card *c);

// "1.5 GiB"; the text is one of a few static ones.
const char *say_size(uint64_t bytes);

#endif
