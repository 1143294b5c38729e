// SPDX-License-Identifier: MIT
#include "cli/fleet/agent.h"

#include <stdint.h>
#include <string.h>

#include "core/semver.h"

struct cursor {
    const char *at;
    const char *end;
};

static int hex(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// The text up to one of `stops` or the end, with %XX decoded. Returns false if it does not fit, or
// holds what no board writes.
static bool take(struct cursor *c, const char *stops, char *out, size_t room) {
    size_t len = 0;
    while (c->at < c->end && strchr(stops, *c->at) == NULL) {
        char byte = *c->at++;
        if (byte == '%') {
            int high = c->end - c->at >= 2 ? hex(c->at[0]) : -1;
            int low = high >= 0 ? hex(c->at[1]) : -1;
            if (low < 0) {
                return false;
            }
            byte = (char)(high << 4 | low);
            byte = (uint8_t)byte < ' ' || byte == 127 ? '?' : byte; // for a terminal
            c->at += 2;
        } else if (byte < ' ' || byte > '~') {
            return false;
        }
        if (len + 1 >= room) {
            return false;
        }
        out[len++] = byte;
    }
    out[len] = '\0';
    return len > 0;
}

static bool skip(struct cursor *c, const char *text) {
    size_t len = strlen(text);
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0) {
        return false;
    }
    c->at += len;
    return true;
}

static bool take_event(struct cursor *c, struct agent *a) {
    static const char *const words[] = {"none", "staged", "trial", "confirmed", "failed"};
    char word[16];
    if (!take(c, " )", word, sizeof word)) {
        return false;
    }
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0) {
            a->event = (enum agent_event)i;
            return i == AGENT_NONE || (skip(c, " ") && take(c, " )", a->version, AGENT_FIELD) &&
                                       sdb_semver_valid(a->version));
        }
    }
    return false;
}

enum agent_kind agent_read(const char *text, size_t len, struct agent *a) {
    struct cursor c = {text, text + len};
    a->version[0] = a->reason[0] = '\0';
    if (!skip(&c, "sdboot/")) {
        return AGENT_OTHER;
    }
    if (!take(&c, " (", a->tool, sizeof a->tool)) {
        return AGENT_BROKEN;
    }
    if (c.at == c.end) {
        return AGENT_SILENT;
    }
    bool good = skip(&c, " (") && take(&c, ";)", a->board, sizeof a->board) && skip(&c, "; ") &&
                take(&c, ";)", a->id, sizeof a->id) && skip(&c, "; ") &&
                take(&c, ";)", a->running, sizeof a->running) && skip(&c, "; ") &&
                take_event(&c, a);
    good = good && (strcmp(a->running, "-") == 0 || sdb_semver_valid(a->running));
    if (good && a->event == AGENT_FAILED && skip(&c, " ")) {
        good = take(&c, ")", a->reason, sizeof a->reason);
    }
    return good && skip(&c, ")") && c.at == c.end ? AGENT_BOARD : AGENT_BROKEN;
}
