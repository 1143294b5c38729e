// SPDX-License-Identifier: MIT
// What is made of all the lines: counts, order, verdict.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fleet/fleet.h"
#include "cli/site.h"
#include "cli/tool.h"
#include "core/semver.h"
#include "core/web/details.h"

#define STUCK_FETCHED 5 // packages fetched without getting any further

// ---- The plan -----------------------------------------------------------------------------------

static int nibble(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The bytes that a board's rollout is computed of: its id has them in hexadecimal. From a board
// that writes something else: its text.
size_t fleet_id(const char *id, uint8_t out[AGENT_FIELD]) {
    size_t len = strlen(id);
    bool is_hex = len % 2 == 0;
    for (size_t i = 0; i < len && is_hex; i++) {
        is_hex = nibble(id[i]) >= 0;
    }
    if (!is_hex) {
        memcpy(out, id, len);
        return len;
    }
    for (size_t i = 0; i < len / 2; i++) {
        out[i] = (uint8_t)(nibble(id[2 * i]) << 4 | nibble(id[2 * i + 1]));
    }
    return len / 2;
}

void fleet_name(const char *id, char name[AGENT_FIELD]) {
    uint8_t bytes[AGENT_FIELD];
    size_t len = fleet_id(id, bytes);
    // Six and eight bytes are what processors have; some of those may be letters by chance.
    bool is_text = len != strlen(id) && len > 0 && len != 6 && len != 8;
    for (size_t i = 0; i < len && is_text; i++) {
        is_text = bytes[i] >= ' ' && bytes[i] < 127;
    }
    snprintf(name, AGENT_FIELD, "%.*s", is_text ? (int)len : AGENT_FIELD,
             is_text ? (const char *)bytes : id);
}

// rollout= of a file, 100 if nothing is said. The last that is said counts.
static int rollout_of(const struct site *site, const char *file) {
    int rollout = 100;
    for (size_t i = 0; i < site->count; i++) {
        char *line = tool_format("%s", site->lines[i].text);
        char *word = NULL;
        bool is_it = false;
        int said = -1;
        if (line[0] == '#' && sdb_details_is(line + 1)) {
            word = strtok(line + 1, " \t\r");
        }
        for (; word != NULL; word = strtok(NULL, " \t\r")) {
            is_it |= strncmp(word, "file=", 5) == 0 && strcmp(word + 5, file) == 0;
            said = strncmp(word, "rollout=", 8) == 0 ? atoi(word + 8) : said;
        }
        rollout = is_it ? (said >= 0 ? said : 100) : rollout;
        free(line);
    }
    return rollout;
}

void fleet_plan(struct fleet *f, const char *folder) {
    struct site site;
    site_read(&site, folder);
    for (size_t i = 0; i < site.count; i++) {
        const struct sdb_release *r = &site.lines[i].release;
        if (!site.lines[i].is_release) {
            continue;
        }
        for (uint32_t k = 1; k < f->release_count; k++) {
            if (strcmp(f->releases[k].version, r->version) == 0) {
                f->releases[k].rollout = rollout_of(&site, r->file);
            }
        }
    }
    site_free(&site);
}

static void count_plan(struct fleet *f, struct release *r) {
    uint8_t id[AGENT_FIELD];
    if (r->rollout < 0) {
        return;
    }
    for (uint32_t i = 0; i < f->board_count; i++) {
        const struct board *b = &f->boards[i];
        size_t len = fleet_id(b->id, id);
        if (r->rollout == 100 || sdb_details_share(id, len, r->version) < (unsigned)r->rollout) {
            r->planned++;
            r->planned_have += b->running != 0 &&
                               sdb_semver_compare(f->releases[b->running].version, r->version) >= 0;
        }
    }
}

// ---- Order --------------------------------------------------------------------------------------

static int trouble(const struct board *b) {
    return b->event == AGENT_FAILED ? 3 : b->stuck ? 2 : b->event == AGENT_TRIAL ? 1 : 0;
}

static int by_trouble(const void *a, const void *b) {
    const struct board *x = a;
    const struct board *y = b;
    if (trouble(x) != trouble(y)) {
        return trouble(y) - trouble(x);
    }
    return x->last != y->last ? (x->last > y->last ? -1 : 1) : strcmp(x->id, y->id);
}

static void count_board(struct fleet *f, struct board *b) {
    struct release *of = &f->releases[b->version];
    bool waits = b->event == AGENT_STAGED || b->event == AGENT_TRIAL;
    b->stuck = (waits && f->last - b->since >= f->stuck_after) || b->fetched >= STUCK_FETCHED;
    f->stuck += b->stuck;
    f->gone += f->last - b->last >= f->gone_after;
    f->releases[b->running].running++;
    of->confirmed += b->event == AGENT_CONFIRMED;
    of->trial += b->event == AGENT_TRIAL;
    of->staged += b->event == AGENT_STAGED;
    of->failed += b->event == AGENT_FAILED;
    // Who fetches again and again has no event to tell it by.
    (waits || b->event == AGENT_FAILED ? of : &f->releases[b->running])->stuck += b->stuck;
}

void fleet_finish(struct fleet *f) {
    for (uint32_t i = 0; i < f->board_count; i++) {
        count_board(f, &f->boards[i]);
    }
    for (uint32_t i = 1; i < f->release_count; i++) {
        count_plan(f, &f->releases[i]);
    }
    if (f->board_count > 0) {
        qsort(f->boards, f->board_count, sizeof *f->boards, by_trouble);
    }
}

// ---- Verdict ------------------------------------------------------------------------------------

static const struct release *named(const struct fleet *f, const char *version) {
    const struct release *found = NULL;
    for (uint32_t i = 1; i < f->release_count; i++) {
        const struct release *r = &f->releases[i];
        if (version != NULL ? sdb_semver_compare(r->version, version) == 0
                            : found == NULL || sdb_semver_compare(r->version, found->version) > 0) {
            found = r;
        }
    }
    return found;
}

const char *fleet_verdict(const struct fleet *f, const struct fleet_terms *terms, char why[256]) {
    const struct release *r = named(f, terms->version);
    if (r == NULL) {
        snprintf(why, 256, "no board has said anything of %s yet",
                 terms->version != NULL ? terms->version : "any release");
        return "wait";
    }
    uint32_t tried = r->confirmed + r->failed;
    double share = tried > 0 ? 100.0 * r->failed / tried : 0;
    if (r->failed > 0 && share > terms->max_failed) {
        snprintf(why, 256, "%s: %u of %u boards took it back (%.1f %%, %.1f %% at most)",
                 r->version, r->failed, tried, share, terms->max_failed);
        return "bad";
    }
    if (r->stuck > 0 && 100.0 * r->stuck > terms->max_failed * (tried + r->stuck)) {
        snprintf(why, 256, "%s: %u boards are stuck with it", r->version, r->stuck);
        return "bad";
    }
    if (r->confirmed < terms->min_confirmed) {
        snprintf(why, 256, "%s: %u boards have confirmed it, %u are asked for", r->version,
                 r->confirmed, terms->min_confirmed);
        return "wait";
    }
    snprintf(why, 256, "%s: %u boards have confirmed it, %u took it back", r->version, r->confirmed,
             r->failed);
    return "good";
}
