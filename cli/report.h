// SPDX-License-Identifier: MIT
// What a command has found, in words or as one JSON object (--json).
#ifndef SDBOOT_REPORT_H
#define SDBOOT_REPORT_H

#include <jansson.h>
#include <stdbool.h>

struct report {
    bool json;
    json_t *root;
    json_t *faults;
    json_t *notes;
    unsigned fault_count;
    unsigned note_count;
};

void report_init(struct report *r, bool json);

// "label   text", in words only.
void report_line(struct report *r, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// A value of the JSON object; `key` may lead into objects: "journal.lba". Takes `value` over.
void report_set(struct report *r, const char *key, json_t *value);
void report_text(struct report *r, const char *key, const char *text); // NULL: null
void report_number(struct report *r, const char *key, long long number);

// Something that is wrong, or worth knowing: a line of its own at the end, and in "faults" or
// "notes".
void report_fault(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void report_note(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Prints what is left to be printed. Returns the exit code: TOOL_BAD after a fault, else TOOL_GOOD.
int report_end(struct report *r);

#endif
