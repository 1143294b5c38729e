// SPDX-License-Identifier: MIT
// Names from a package: made plain, and refused if the card couldn't hold them or they lead away.
#ifndef SDB_PATH_H
#define SDB_PATH_H

#include <stdint.h>
#include <stdbool.h>
#include "core/fs.h"

#define SDB_PATH_PREFIX_MAX 32 // bytes kept free for where a path is put, such as "/.sdboot/new/"

// Makes a relative path plain, in place: drops "." components, doubled and trailing '/'. Returns
// the new length, 0 if nothing is left ("./"), or why it is refused: SDB_EPKG_ABSOLUTE, _PARENT,
// _CHARACTER (also what is not UTF-8, and a component that ends in '.' or ' ', which FAT drops
// silently), _LONG. A refused path remains readable, for the message.
int sdb_path_clean(char *path);

// Is a path of a package, as it comes, something that macOS adds by itself: is it below "__MACOSX",
// or has it a component ".DS_Store" or "._…" (AppleDouble)?
bool sdb_path_is_litter(const char *path);

// Can the component of `len` bytes be the short name, such as "SDBOOT~1" or "~1.SDB", under which
// FAT has another, longer name?
bool sdb_path_is_alias(const char *name, size_t len);

// Is plain `path` the plain, non-empty `dir` or something below it? The second form takes
// ASCII letters of either case as the same, as FAT does.
bool sdb_path_under(const char *path, const char *dir);
bool sdb_path_under_nocase(const char *path, const char *dir);

// Writes 64 bits that stand for `path` without regard to ASCII case (CRC-32, FNV-1a): equal for two
// names that FAT takes as one; by chance for one in 2^64 pairs of others.
void sdb_path_key(const char *path, uint32_t key[2]);

#endif
