// SPDX-License-Identifier: MIT
// A fleet of boards as access logs show it: the last state of each, and what becomes of releases.
// Memory grows with the number of boards and versions, not with that of lines; both are limited.
#ifndef SDBOOT_FLEET_H
#define SDBOOT_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/fleet/agent.h"
#include "cli/fleet/logline.h"

#define FLEET_BOARDS 250000u // that are told apart; requests of more are counted only
#define FLEET_RELEASES 2000u // versions
#define FLEET_TEXTS 50000u   // different reasons, names of boards, …
#define FLEET_POINTS 20000u  // hours in which something changed, of one release

struct board {
    const char *id;
    uint32_t platform; // texts
    uint32_t tool;
    uint32_t running; // releases
    uint32_t version; // release that the event is about
    uint32_t reason;  // text
    uint8_t event;    // enum agent_event
    bool stuck;       // fleet_finish() says
    int64_t first, last;
    int64_t since; // first seen with this event
    uint32_t requests;
    uint32_t refused; // answered with 400 and more
    uint32_t fetched; // packages, since `since`
};

struct release {
    const char *version;
    // Boards, as they were last seen.
    uint32_t running, confirmed, trial, staged, failed, stuck;
    uint32_t ever_failed; // times that a board has taken it back
    // Boards more or fewer that run it, by the hour since 1970.
    struct point {
        int64_t hour;
        int32_t change;
    } * points;
    uint32_t point_count;
    int rollout;           // per cent of the boards, as `versions` says; -1: not listed
    uint32_t planned;      // boards that get it by that
    uint32_t planned_have; // of these, run it or a newer one
};

struct fleet {
    struct board *boards;
    uint32_t board_count;
    uint32_t *board_table; // places in boards + 1, by id
    uint32_t board_room;
    struct release *releases; // the first is "-": not known
    uint32_t release_count;
    char **texts; // the first is ""
    uint32_t text_count;
    uint32_t *text_table;
    uint64_t lines, ours, silent, broken, beyond;
    int64_t first, last; // of requests of boards
    int64_t stuck_after; // seconds
    int64_t gone_after;
    uint32_t gone; // boards not seen for so long
    uint32_t stuck;
};

void fleet_init(struct fleet *f);
void fleet_free(struct fleet *f);

// Takes a line of a log; for source_read(), ctx is the fleet.
bool fleet_line(void *ctx, struct logformat *format, const char *line, size_t len);

// What the server's list says: rollout of each release. `folder` has the file `versions`.
void fleet_plan(struct fleet *f, const char *folder);

// Counts, and puts boards into the order of their troubles.
void fleet_finish(struct fleet *f);

// The bytes of a board's id; returns their number.
size_t fleet_id(const char *id, uint8_t out[AGENT_FIELD]);

// What to call a board: OTA(device_id=b"kitchen") as that text, any other id as it is.
void fleet_name(const char *id, char name[AGENT_FIELD]);

const char *fleet_text(const struct fleet *f, uint32_t n);
const char *fleet_version(const struct fleet *f, uint32_t n);
const char *fleet_event(unsigned event);

// When it is well with a release.
struct fleet_terms {
    const char *version;    // NULL: the newest that any board has heard of
    double max_failed;      // per cent of the boards that tried
    uint32_t min_confirmed; // boards
};

// Is it well with that release? Returns "good", "wait" or "bad", and says why.
const char *fleet_verdict(const struct fleet *f, const struct fleet_terms *terms, char why[256]);

#endif
