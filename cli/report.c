// SPDX-License-Identifier: MIT
#include "cli/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/tool.h"

#define REPORT_MOST 200 // faults that are named, of each kind

void report_init(struct report *r, bool json) {
    memset(r, 0, sizeof *r);
    r->json = json;
    r->root = json_object();
    r->faults = json_array();
    r->notes = json_array();
}

void report_line(struct report *r, const char *label, const char *format, ...) {
    va_list ap;
    if (r->json) {
        return;
    }
    printf("%-10s ", label);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
}

void report_set(struct report *r, const char *key, json_t *value) {
    json_t *object = r->root;
    const char *dot;
    while ((dot = strchr(key, '.')) != NULL) {
        char *name = tool_format("%.*s", (int)(dot - key), key);
        json_t *inner = json_object_get(object, name);
        if (!json_is_object(inner)) {
            inner = json_object();
            json_object_set_new(object, name, inner);
        }
        free(name);
        object = inner;
        key = dot + 1;
    }
    json_object_set_new(object, key, value);
}

void report_text(struct report *r, const char *key, const char *text) {
    json_t *value = text != NULL ? json_string(text) : json_null();
    report_set(r, key, value != NULL ? value : json_string_nocheck("(not UTF-8)"));
}

void report_number(struct report *r, const char *key, long long number) {
    report_set(r, key, json_integer(number));
}

static void report_add(struct report *r, json_t *list, unsigned *count, const char *word,
                       const char *format, va_list ap) {
    char text[8192];
    vsnprintf(text, sizeof text, format, ap);
    if (++*count > REPORT_MOST) {
        return;
    }
    json_t *value = json_string(text);
    json_array_append_new(list, value != NULL ? value : json_string_nocheck("(not UTF-8)"));
    if (!r->json) {
        const char *colour = !isatty(STDOUT_FILENO) ? NULL : list == r->faults ? "31" : "33";
        if (colour != NULL) {
            printf("\033[%sm%-10s\033[0m %s\n", colour, word, text);
        } else {
            printf("%-10s %s\n", word, text);
        }
    }
}

void report_fault(struct report *r, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    report_add(r, r->faults, &r->fault_count, "FAULT", format, ap);
    va_end(ap);
}

void report_note(struct report *r, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    report_add(r, r->notes, &r->note_count, "note", format, ap);
    va_end(ap);
}

int report_end(struct report *r) {
    if (r->json) {
        json_object_set_new(r->root, "faults", r->faults);
        json_object_set_new(r->root, "notes", r->notes);
        json_object_set_new(r->root, "fault_count", json_integer(r->fault_count));
        json_dumpf(r->root, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        if (r->fault_count > REPORT_MOST || r->note_count > REPORT_MOST) {
            printf("           %u faults, %u notes, of which %d of each are named\n",
                   r->fault_count, r->note_count, REPORT_MOST);
        }
        json_decref(r->faults);
        json_decref(r->notes);
    }
    json_decref(r->root);
    if (fflush(stdout) != 0) {
        tool_die("the output can't be written");
    }
    return r->fault_count > 0 ? TOOL_BAD : TOOL_GOOD;
}
