// SPDX-License-Identifier: MIT
// Changing a list of releases, `versions`: its lines stay as they are but for those that must not.
#ifndef SDBOOT_LIST_H
#define SDBOOT_LIST_H

#include "minisign.h"
#include "site.h"

// Of a line "# sdboot": the value of `key`, or NULL. The caller frees it.
char *list_word(const char *line, const char *key);

// Does line `i` say something of the file `file`?
bool list_is_about(const struct site *site, size_t i, const char *file);

// What is said of `file`, the last that counts; NULL if nothing is. The caller frees it.
char *list_detail(const struct site *site, const char *file, const char *key);

// Sets a word of the line about `file` that stands before line `release` (its own), making one if
// there is none; of the list itself if `file` is NULL. NULL for `value` removes the word.
void list_set(struct site *site, size_t release, const char *file, const char *key,
              const char *value);

// Inserts a line before line `at`, or removes it. The list takes `text` over; `release` is copied,
// NULL: the line is none.
void list_insert(struct site *site, size_t at, char *text, const struct sdb_release *release);
void list_remove(struct site *site, size_t at);

// Removes the release in line `i` with what is said of its file, if no other line has the file.
void list_withdraw(struct site *site, size_t i);

// Publishes the list in `folder`, with the next number if it is signed or had one before: the
// signature first, then the list. What a board would not read is refused. `secret`: NULL for an
// unsigned list, which is refused where a signed one is, unless `unsigned_too`.
void list_publish(struct site *site, const char *folder, const struct minisign_secret *secret,
                  const char *comment, bool unsigned_too);

#endif
