// SPDX-License-Identifier: MIT
// Control areas as sdboot made them before version 2 of the format, docs/FORMAT.md.
#ifndef TORTURE_OLDAREA_H
#define TORTURE_OLDAREA_H

#include "env.h"

// Before FatFs has been there for the last time: the file that holds the area on a volume without
// gap. On the reference.
int old_area_file(struct env *e);

// Makes the area on the card `img`, with a record. Returns the record's digest, 0 if it went wrong.
uint64_t old_area_make(const struct volume *vol, struct image *img);

#endif
