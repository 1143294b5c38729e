// SPDX-License-Identifier: MIT
#include "cli/fleet/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"
#include "core/semver.h"

#define TEXT_ROOM (1u << 17) // of the table, a power of two above FLEET_TEXTS
#define OTHER_TEXT "(others)"
#define HOUR 3600

static uint32_t hash(const char *text) {
    uint32_t h = 2166136261u;
    for (; *text != '\0'; text++) {
        h = (h ^ (uint8_t)*text) * 16777619u;
    }
    return h ^ h >> 15;
}

static void *grown(void *list, uint32_t count, size_t size) {
    // Doubles at powers of two.
    if ((count & (count - 1)) == 0) {
        list = realloc(list, (count > 0 ? count * 2 : 1) * size);
        if (list == NULL) {
            tool_die("out of memory");
        }
    }
    return list;
}

static uint32_t intern(struct fleet *f, const char *text) {
    uint32_t i = hash(text) & (TEXT_ROOM - 1);
    while (f->text_table[i] != 0) {
        if (strcmp(f->texts[f->text_table[i] - 1], text) == 0) {
            return f->text_table[i] - 1;
        }
        i = (i + 1) & (TEXT_ROOM - 1);
    }
    if (f->text_count >= FLEET_TEXTS) {
        return strcmp(text, OTHER_TEXT) != 0 ? intern(f, OTHER_TEXT) : 0;
    }
    f->texts = grown(f->texts, f->text_count, sizeof *f->texts);
    f->texts[f->text_count] = tool_format("%s", text);
    f->text_table[i] = ++f->text_count;
    return f->text_count - 1;
}

// Releases are few: looked for one after the other, the last one found first.
static uint32_t release_of(struct fleet *f, const char *version) {
    for (uint32_t i = f->release_count; i-- > 0;) {
        if (strcmp(f->releases[i].version, version) == 0) {
            return i;
        }
    }
    if (f->release_count >= FLEET_RELEASES) {
        return 0;
    }
    f->releases = grown(f->releases, f->release_count, sizeof *f->releases);
    f->releases[f->release_count] =
        (struct release){.version = tool_format("%s", version), .rollout = -1};
    return f->release_count++;
}

void fleet_init(struct fleet *f) {
    memset(f, 0, sizeof *f);
    f->text_table = tool_alloc(TEXT_ROOM * sizeof *f->text_table);
    f->board_room = 1024;
    f->board_table = tool_alloc(f->board_room * sizeof *f->board_table);
    intern(f, "");
    intern(f, OTHER_TEXT);
    release_of(f, "-");
    f->stuck_after = 24 * HOUR;
    f->gone_after = 48 * HOUR;
}

void fleet_free(struct fleet *f) {
    for (uint32_t i = 0; i < f->board_count; i++) {
        free((char *)f->boards[i].id);
    }
    for (uint32_t i = 0; i < f->release_count; i++) {
        free((char *)f->releases[i].version);
        free(f->releases[i].points);
    }
    for (uint32_t i = 0; i < f->text_count; i++) {
        free(f->texts[i]);
    }
    free(f->boards);
    free(f->board_table);
    free(f->releases);
    free(f->texts);
    free(f->text_table);
}

const char *fleet_text(const struct fleet *f, uint32_t n) {
    return f->texts[n];
}

const char *fleet_version(const struct fleet *f, uint32_t n) {
    return f->releases[n].version;
}

const char *fleet_event(unsigned event) {
    static const char *const names[] = {"none", "staged", "trial", "confirmed", "failed"};
    return event < sizeof names / sizeof *names ? names[event] : "?";
}

// ---- Boards -------------------------------------------------------------------------------------

static uint32_t *board_place(const struct fleet *f, const char *id) {
    uint32_t i = hash(id) & (f->board_room - 1);
    while (f->board_table[i] != 0 && strcmp(f->boards[f->board_table[i] - 1].id, id) != 0) {
        i = (i + 1) & (f->board_room - 1);
    }
    return &f->board_table[i];
}

static void board_table_grow(struct fleet *f) {
    free(f->board_table);
    f->board_room *= 2;
    f->board_table = tool_alloc(f->board_room * sizeof *f->board_table);
    for (uint32_t i = 0; i < f->board_count; i++) {
        *board_place(f, f->boards[i].id) = i + 1;
    }
}

// The board of that id, NULL if there are too many. *fresh: it was not known yet.
static struct board *board_of(struct fleet *f, const char *id, bool *fresh) {
    uint32_t *place = board_place(f, id);
    *fresh = *place == 0;
    if (!*fresh) {
        return &f->boards[*place - 1];
    }
    if (f->board_count >= FLEET_BOARDS) {
        return NULL;
    }
    if (2 * f->board_count >= f->board_room) {
        board_table_grow(f);
        place = board_place(f, id);
    }
    f->boards = grown(f->boards, f->board_count, sizeof *f->boards);
    struct board *b = &f->boards[f->board_count];
    memset(b, 0, sizeof *b);
    b->id = tool_format("%s", id);
    *place = ++f->board_count;
    return b;
}

static void add_point(struct release *r, int64_t when, int change) {
    int64_t hour = when / HOUR;
    if (r->point_count > 0 &&
        (r->points[r->point_count - 1].hour == hour || r->point_count >= FLEET_POINTS)) {
        r->points[r->point_count - 1].change += change;
        return;
    }
    r->points = grown(r->points, r->point_count, sizeof *r->points);
    r->points[r->point_count++] = (struct point){hour, change};
}

static void update(struct fleet *f, struct board *b, const struct agent *a, int64_t when,
                   bool fresh) {
    uint32_t running = release_of(f, a->running);
    uint32_t version = a->version[0] != '\0' ? release_of(f, a->version) : 0;
    if (fresh || running != b->running) {
        if (!fresh) {
            add_point(&f->releases[b->running], when, -1);
        }
        add_point(&f->releases[running], when, 1);
        b->running = running;
    }
    if (fresh || b->event != a->event || b->version != version) {
        b->since = when;
        b->fetched = 0;
        b->event = (uint8_t)a->event;
        b->version = version;
        f->releases[version].ever_failed += a->event == AGENT_FAILED;
    }
    b->platform = intern(f, a->board);
    b->tool = intern(f, a->tool);
    b->reason = intern(f, a->reason);
    b->last = when;
}

static bool is_package(const struct logline *l) {
    static const char list[] = "versions";
    const char *name = l->path;
    size_t len = l->path_len;
    for (size_t i = 0; i < l->path_len; i++) {
        if (l->path[i] == '/') {
            name = l->path + i + 1;
            len = l->path_len - i - 1;
        }
    }
    bool is_list = len >= sizeof list - 1 && memcmp(name, list, sizeof list - 1) == 0;
    return l->get && l->status == 200 && !is_list;
}

bool fleet_line(void *ctx, struct logformat *format, const char *line, size_t len) {
    struct fleet *f = ctx;
    struct logline l;
    struct agent a;
    f->lines++;
    if (!logline_read(format, line, len, &l)) {
        return true;
    }
    switch (agent_read(l.agent, l.agent_len, &a)) {
    case AGENT_OTHER:
        return true;
    case AGENT_SILENT:
        f->silent++;
        return true;
    case AGENT_BROKEN:
        f->broken++;
        return true;
    case AGENT_BOARD:
        break;
    }
    bool fresh;
    struct board *b = board_of(f, a.id, &fresh);
    f->ours++;
    f->first = l.when > 0 && (f->first == 0 || l.when < f->first) ? l.when : f->first;
    f->last = l.when > f->last ? l.when : f->last;
    if (b == NULL) {
        f->beyond++;
        return true;
    }
    b->requests++;
    b->refused += l.status >= 400;
    if (fresh) {
        b->first = l.when;
    }
    if (fresh || l.when >= b->last) { // lines of several servers may be mixed
        update(f, b, &a, l.when, fresh);
    }
    b->fetched += is_package(&l);
    return true;
}
