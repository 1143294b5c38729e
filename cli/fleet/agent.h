// SPDX-License-Identifier: MIT
// What a board says of itself in each request (docs/FORMAT.md, "What a board says of itself").
#ifndef SDBOOT_AGENT_H
#define SDBOOT_AGENT_H

#include <stdbool.h>
#include <stddef.h>

#define AGENT_FIELD 208  // bytes of a field, decoded, with its end
#define AGENT_REASON 208 // of a reason

enum agent_event { AGENT_NONE, AGENT_STAGED, AGENT_TRIAL, AGENT_CONFIRMED, AGENT_FAILED };

struct agent {
    char tool[AGENT_FIELD];  // version of sdboot
    char board[AGENT_FIELD]; // "esp32"
    char id[AGENT_FIELD];
    char running[AGENT_FIELD]; // version, or "-"
    enum agent_event event;
    char version[AGENT_FIELD]; // that the event is about, "" for none
    char reason[AGENT_REASON]; // why it failed
};

enum agent_kind {
    AGENT_OTHER,  // none of ours
    AGENT_SILENT, // a board that says nothing of itself
    AGENT_BROKEN, // begins as ours do, and is none
    AGENT_BOARD,
};

// Reads a User-Agent of `len` bytes.
enum agent_kind agent_read(const char *text, size_t len, struct agent *a);

#endif
