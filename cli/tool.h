// SPDX-License-Identifier: MIT
// What the commands of the host tool share: messages, files, exit codes.
#ifndef SDBOOT_TOOL_H
#define SDBOOT_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Exit codes. What is checked is bad: a refused release, a wrong signature. Trouble: it could not
// be checked or done, because of how the command was called or of the files.
enum { TOOL_GOOD = 0, TOOL_BAD = 1, TOOL_TROUBLE = 2 };

// "sdboot: ..." to stderr, and the end with TOOL_TROUBLE.
_Noreturn void tool_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Likewise with TOOL_BAD: what was asked for would be wrong.
_Noreturn void tool_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
// "sdboot: ..." to stderr.
void tool_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Memory or the end.
void *tool_alloc(size_t size);
char *tool_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct tool_text {
    char *data; // NUL-terminated; the caller frees it
    size_t len;
};

// Reads a file of at most `most` bytes. Returns false if there is none; dies of anything else.
bool tool_read(const char *path, size_t most, struct tool_text *text);

// Replaces a file as a whole: whoever reads it meanwhile, or after a power cut, gets the old
// content or the new one. `mode`: permissions.
void tool_write(const char *path, const void *data, size_t len, unsigned mode);

// What tool_write() does with a file that has been written already: `from` becomes `to`.
void tool_replace(const char *from, const char *to);

// The value of the option that getopt_long() has just returned, which must not be empty.
const char *tool_value(const char *option, const char *value);

// Makes the folders of `path` that are missing, but for its first `from` bytes. Dies if it can't.
void tool_make_parents(char *path, size_t from);

// A whole number from `least` to `most`. Dies if it is none.
long tool_number(const char *option, const char *text, long least, long most);

// A day, "2027-01-31", or "+90" for that many days from today on; the caller frees it. Dies if it
// is none.
char *tool_day(const char *option, const char *text);

// Seconds since 1970 for what is written: now, or what the environment's SOURCE_DATE_EPOCH says,
// for images that come out the same each time.
int64_t tool_now(void);

// Keeps a folder to this process until it ends. Dies if another one has it.
void tool_lock(const char *folder);

#endif
