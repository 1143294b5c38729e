// SPDX-License-Identifier: MIT
#include "cli/fleet/show.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "cli/tool.h"

const char *show_time(int64_t when) {
    static char texts[4][32];
    static unsigned turn;
    char *text = texts[turn++ % 4];
    time_t t = (time_t)when;
    struct tm tm;
    if (when <= 0 || gmtime_r(&t, &tm) == NULL) {
        return "-";
    }
    strftime(text, sizeof texts[0], "%Y-%m-%d %H:%M", &tm);
    return text;
}

void show_words(const struct show *s) {
    const struct fleet *f = s->fleet;
    printf("%u boards in %llu of %llu lines, %s to %s (UTC)\n", f->board_count,
           (unsigned long long)f->ours, (unsigned long long)f->lines, show_time(f->first),
           show_time(f->last));
    if (f->silent > 0 || f->broken > 0) {
        printf("%llu requests of boards that say nothing of themselves, %llu that can't be read\n",
               (unsigned long long)f->silent, (unsigned long long)f->broken);
    }
    if (f->beyond > 0) {
        printf("%llu requests of further boards: more than %u are not told apart\n",
               (unsigned long long)f->beyond, FLEET_BOARDS);
    }
    printf("%u are stuck, %u were not seen for %lld hours\n\n", f->stuck, f->gone,
           (long long)f->gone_after / 3600);
    printf("%-16s %8s %9s %6s %6s %9s %6s  %s\n", "RELEASE", "RUN IT", "CONFIRMED", "TRIAL",
           "STAGED", "TOOK BACK", "STUCK", "ROLLOUT");
    for (uint32_t i = 0; i < s->order_count; i++) {
        const struct release *r = &f->releases[s->order[i]];
        printf("%-16s %8u %9u %6u %6u %9u %6u  ", r->version, r->running, r->confirmed, r->trial,
               r->staged, r->failed, r->stuck);
        if (r->rollout >= 0) {
            printf("%d %%: %u of %u boards have it", r->rollout, r->planned_have, r->planned);
        }
        putchar('\n');
    }
    printf("\n%-24s %-10s %-12s %-16s %s\n", "BOARD", "KIND", "RUNS", "LAST SEEN", "LAST EVENT");
    for (uint32_t i = 0; i < f->board_count && i < s->boards; i++) {
        const struct board *b = &f->boards[i];
        const char *reason = fleet_text(f, b->reason);
        char name[AGENT_FIELD];
        fleet_name(b->id, name);
        printf("%-24s %-10s %-12s %-16s %s%s%s%s%s%s\n", name, fleet_text(f, b->platform),
               fleet_version(f, b->running), show_time(b->last), fleet_event(b->event),
               b->version != 0 ? " " : "", b->version != 0 ? fleet_version(f, b->version) : "",
               *reason ? ": " : "", reason, b->stuck ? " (STUCK)" : "");
    }
    if (f->board_count > s->boards) {
        printf("... and %u more (--boards N)\n", f->board_count - s->boards);
    }
    if (s->verdict != NULL) {
        printf("\n%s: %s\n", s->verdict, s->why);
    }
}

static json_t *text(const char *value) {
    json_t *t = json_string(value);
    return t != NULL ? t : json_string("?"); // not UTF-8
}

static json_t *release_json(const struct release *r) {
    json_t *o = json_object();
    json_object_set_new(o, "version", text(r->version));
    const struct {
        const char *key;
        uint32_t value;
    } counts[] = {{"running", r->running},        {"confirmed", r->confirmed}, {"trial", r->trial},
                  {"staged", r->staged},          {"failed", r->failed},       {"stuck", r->stuck},
                  {"ever_failed", r->ever_failed}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        json_object_set_new(o, counts[i].key, json_integer(counts[i].value));
    }
    if (r->rollout >= 0) {
        json_object_set_new(o, "rollout", json_integer(r->rollout));
        json_object_set_new(o, "planned", json_integer(r->planned));
        json_object_set_new(o, "planned_have", json_integer(r->planned_have));
    }
    return o;
}

static json_t *board_json(const struct fleet *f, const struct board *b) {
    json_t *o = json_object();
    char name[AGENT_FIELD];
    fleet_name(b->id, name);
    json_object_set_new(o, "id", text(b->id));
    json_object_set_new(o, "name", text(name));
    json_object_set_new(o, "board", text(fleet_text(f, b->platform)));
    json_object_set_new(o, "sdboot", text(fleet_text(f, b->tool)));
    json_object_set_new(o, "running", text(fleet_version(f, b->running)));
    json_object_set_new(o, "event", text(fleet_event(b->event)));
    json_object_set_new(o, "version",
                        b->version != 0 ? text(fleet_version(f, b->version)) : json_null());
    json_object_set_new(o, "reason", text(fleet_text(f, b->reason)));
    json_object_set_new(o, "stuck", json_boolean(b->stuck));
    json_object_set_new(o, "first", json_integer(b->first));
    json_object_set_new(o, "last", json_integer(b->last));
    json_object_set_new(o, "requests", json_integer(b->requests));
    json_object_set_new(o, "refused", json_integer(b->refused));
    return o;
}

void show_json(const struct show *s) {
    const struct fleet *f = s->fleet;
    json_t *root = json_object();
    json_t *releases = json_array();
    json_t *boards = json_array();
    json_object_set_new(root, "lines", json_integer((json_int_t)f->lines));
    json_object_set_new(root, "requests", json_integer((json_int_t)f->ours));
    json_object_set_new(root, "silent", json_integer((json_int_t)f->silent));
    json_object_set_new(root, "unreadable", json_integer((json_int_t)f->broken));
    json_object_set_new(root, "first", json_integer(f->first));
    json_object_set_new(root, "last", json_integer(f->last));
    json_object_set_new(root, "board_count", json_integer(f->board_count));
    json_object_set_new(root, "beyond", json_integer((json_int_t)f->beyond));
    json_object_set_new(root, "stuck", json_integer(f->stuck));
    json_object_set_new(root, "gone", json_integer(f->gone));
    for (uint32_t i = 0; i < s->order_count; i++) {
        json_array_append_new(releases, release_json(&f->releases[s->order[i]]));
    }
    for (uint32_t i = 0; i < f->board_count && i < s->boards; i++) {
        json_array_append_new(boards, board_json(f, &f->boards[i]));
    }
    json_object_set_new(root, "releases", releases);
    json_object_set_new(root, "boards", boards);
    if (s->verdict != NULL) {
        json_object_set_new(root, "verdict", text(s->verdict));
        json_object_set_new(root, "why", text(s->why));
    }
    json_dumpf(root, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(root);
}
