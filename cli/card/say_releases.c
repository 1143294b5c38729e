// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/card/say.h"
#include "cli/tool.h"
#include "core/error.h"
#include "core/release/layout.h"

#define REASON "/.sdboot/reason"

static const char *const states[] = {"idle", "staged", "swapping", "trial", "reverting"};
static const char *const events[] = {"none",        "installed", "confirmed",
                                     "rolled back", "expired",   "corrupt"};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char *name_of(const char *const *names, size_t count, unsigned n) {
    return n < count ? names[n] : "unknown";
}

// Text that the card says, fit for a terminal.
static char *clean(const char *text) {
    char *copy = tool_format("%s", text);
    for (char *p = copy; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 127) {
            *p = '?';
        }
    }
    return copy;
}

// Why main.py of the release `version` had ended, NULL if that is not known.
static char *reason_of(struct card *c, const char *version) {
    char text[512];
    if (card_read_text(c, REASON, text, sizeof text) <= 0) {
        return NULL;
    }
    char *end = strchr(text, '\n');
    if (end == NULL || (size_t)(end - text) != strlen(version) ||
        strncmp(text, version, strlen(version)) != 0) {
        return NULL;
    }
    end[1 + strcspn(end + 1, "\r\n")] = '\0';
    return end[1] != '\0' ? clean(end + 1) : NULL;
}

// What happened last, told.
static void say_event(struct report *r, struct card *c, const struct sdb_record *rec,
                      const char *running) {
    char *of = clean(rec->event_version);
    char *reason = reason_of(c, rec->event_version);
    report_text(r, "record.event", name_of(events, COUNT(events), rec->event));
    report_text(r, "record.event_version", *of ? of : NULL);
    report_text(r, "record.reason", reason);
    switch (rec->event) {
    case SDB_EVENT_INSTALLED:
        report_line(r, "happened", "release %s was installed", of);
        break;
    case SDB_EVENT_CONFIRMED:
        report_line(r, "happened", "release %s ran and was confirmed", of);
        break;
    case SDB_EVENT_ROLLED_BACK:
        report_line(r, "happened", "release %s was taken back by hand (sdboot.rollback())", of);
        break;
    case SDB_EVENT_EXPIRED:
    case SDB_EVENT_CORRUPT: {
        bool stays = rec->state == SDB_IDLE && strcmp(of, running) == 0;
        report_line(r, "happened", "release %s %s: %s", of,
                    stays ? "failed its trial and stays, there was none before it"
                          : "was taken back",
                    rec->event == SDB_EVENT_CORRUPT
                        ? "its files on the card differed from what was sent"
                        : "it did not call sdboot.confirm() within its trial boots");
        report_fault(r, "release %s failed on this board%s%s", of,
                     reason != NULL ? "; its main.py had ended with: " : "",
                     reason != NULL ? reason : "");
        break;
    }
    default:
        report_line(r, "happened", "no update yet");
        break;
    }
    free(reason);
    free(of);
}

static void say_next(struct report *r, const struct sdb_record *rec, bool has_main) {
    char *v = clean(rec->version);
    switch (rec->state) {
    case SDB_STAGED:
        report_line(r, "next boot", "puts release %s in place, which is then on trial", v);
        break;
    case SDB_SWAPPING:
        report_line(r, "next boot", "goes on putting release %s in place", v);
        report_note(r, "putting release %s in place was interrupted", v);
        break;
    case SDB_TRIAL:
        if (rec->left == 0) {
            report_line(r, "next boot", "takes release %s back: its trial boots are used up", v);
            report_fault(r, "release %s has used up its trial boots without a confirm()", v);
        } else {
            report_line(r, "next boot", "runs release %s on trial, %u of %u boots are left", v,
                        rec->left, rec->trials);
        }
        break;
    case SDB_REVERTING:
        report_line(r, "next boot", "goes on taking the running release back");
        report_note(r, "a release is being taken back");
        break;
    default:
        report_line(r, "next boot", "%s",
                    has_main ? "runs main.py, nothing else is to be done"
                             : "there is no main.py: the board stays at its REPL");
        break;
    }
    if (!has_main) {
        report_note(r, "there is no main.py on the card: nothing runs by itself");
    }
    free(v);
}

static void say_version(struct report *r, struct card *c, const char *folder, const char *label,
                        const char *key, char version[SDB_VERSION_MAX + 1]) {
    char *path = tool_format("/%s", folder);
    int type = c->fs.stat(c->fs.ctx, path, NULL);
    int res = type >= 0 ? card_version(c, folder, version) : 0;
    if (type < 0) {
        version[0] = '\0';
    }
    if (res < 0) {
        report_fault(r, "/%s/.version can't be read: %s", folder, sdb_strerror(res));
    } else if (*version != '\0' && !sdb_semver_valid(version)) {
        report_fault(r,
                     "/%s/.version says \"%s\", which is no version: the board updates nothing "
                     "until it is put right",
                     folder, version);
    }
    report_text(r, key, *version != '\0' ? version : NULL);
    if (*version != '\0') {
        report_line(r, label, "%s (%s/)", version, folder);
    } else if (type >= 0) {
        report_line(r, label, "in %s/, without a version", folder);
    } else if (strcmp(label, "running") == 0) {
        report_line(r, label, "no release: there is no /%s", folder);
    }
    free(path);
}

void say_releases(struct report *r, struct card *c) {
    struct sdb_record rec;
    char version[SDB_VERSION_MAX + 1];
    char running[SDB_VERSION_MAX + 1];
    if (!c->mounted) {
        return;
    }
    int res = sdb_record_load(&c->store, &rec);
    if (res < 0) {
        report_fault(r, "the state record can't be read: %s", sdb_strerror(res));
        return;
    }
    const char *main_dir = rec.main_dir[0] != '\0' ? rec.main_dir : "app";
    const char *next_dir = rec.next_dir[0] != '\0' ? rec.next_dir : "next";
    report_number(r, "record.seq", rec.seq);
    report_text(r, "record.state", name_of(states, COUNT(states), rec.state));
    report_number(r, "record.attempts_left", rec.left);
    say_version(r, c, main_dir, "running", "running", running);
    say_version(r, c, SDB_NAME_PREV, "before it", "previous", version);
    say_version(r, c, next_dir, rec.state == SDB_STAGED ? "staged" : "unfinished", "next", version);
    if (rec.bad[0] != '\0') {
        char *bad = clean(rec.bad);
        report_text(r, "record.bad", bad);
        report_line(r, "refused", "%s: it has failed here and is not installed again", bad);
        free(bad);
    }
    report_line(r, "record", "number %u: %s%s%s", rec.seq,
                name_of(states, COUNT(states), rec.state), rec.state != SDB_IDLE ? ", " : "",
                rec.state != SDB_IDLE ? rec.version : "");
    say_event(r, c, &rec, running);
    say_next(r, &rec, c->fs.stat(c->fs.ctx, "/" SDB_NAME_MAIN, NULL) == SDB_FS_FILE);
}
