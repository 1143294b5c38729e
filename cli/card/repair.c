// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "cli/card/card.h"
#include "cli/card/fatcheck.h"
#include "cli/card/jobs.h"
#include "cli/card/say.h"
#include "cli/tool.h"
#include "core/error.h"
#include "core/journal/area.h"

#define OLD_HEADER 2u // sector of the journal's header in an area of version 1

// Throws the commit away that the journal of the card holds, before anything replays it. What of
// it was in place already stays.
static void discard(const struct sdb_bdev *dev) {
    struct sdb_control area;
    uint8_t buf[SDB_SECTOR];
    if (sdb_control_find(dev, &area, buf) != 0) {
        return;
    }
    uint32_t header =
        area.lba + (area.version < SDB_CONTROL_VERSION ? OLD_HEADER : SDB_CONTROL_HEADER);
    memset(buf, 0, sizeof buf);
    int res = dev->write(dev->ctx, header, 1, buf);
    if (res == 0 && area.version >= SDB_CONTROL_VERSION && sdb_area_ring(area.sectors) > 0) {
        res = dev->write(dev->ctx, area.lba + sdb_area_anchor(area.sectors), 1, buf); // its log
    }
    res = res == 0 ? dev->sync(dev->ctx) : res;
    if (res < 0) {
        tool_die("the journal's header can't be written: %s", strerror(-res));
    }
}

static void forget(void *ctx, enum fatcheck_weight weight, const char *path, const char *text) {
    (void)ctx, (void)weight, (void)path, (void)text;
}

// Lost clusters, FSInfo, the second FAT.
static void tidy(struct report *r, struct card *c, const char *done) {
    struct fatcheck f = {.fault = forget};
    uint32_t lba;
    if (c->geo.start + (uint64_t)c->geo.sectors > c->dev->sectors) {
        return;
    }
    int res = fatcheck(&f, &c->top, &c->geo, &lba);
    uint32_t count = c->geo.clusters - f.used;
    bool wrong_count = f.count_known && f.count != count;
    if (res == 0 && f.damage == 0 && (f.lost > 0 || f.differ > 0 || wrong_count)) {
        if (c->geo.type == 12) {
            report_note(r, "FAT12: lost clusters are left alone; fsck.fat -a frees them");
        } else {
            res = fatcheck_tidy(&f, c->dev, &c->geo);
            report_number(r, "repaired.lost_clusters", f.lost);
            report_number(r, "repaired.fat_sectors", f.differ);
            report_line(r, done, "%u lost clusters freed, %u sectors of the second FAT, FSInfo",
                        f.lost, f.differ);
        }
    }
    fatcheck_free(&f);
    if (res < 0) {
        card_failed(c, res);
    }
}

// Does the work on the card itself or, for a dry run, in memory. `whole`: all of a repair, else
// only what waits in the journal.
static void work(struct report *r, const char *path, const struct job_options *o, bool whole) {
    static struct card c;
    const char *done = o->dry_run ? "would do" : "done";
    card_open(&c, path, false);
    int replay = c.replay;
    bool restored = c.rescue == SDB_RESCUE_DONE || (c.make.done & SDB_MADE_RESTORED) != 0;
    bool readable = c.mounted;
    card_close(&c);
    if (!readable) {
        report_fault(r,
                     "%s: there is no filesystem of ours that could be repaired; sdboot card "
                     "info says what is on it",
                     path);
        return;
    }
    if (o->discard && replay != SDB_REPLAY_NONE && !o->dry_run) {
        struct device d;
        device_open(&d, path, true);
        discard(&d.bdev);
        device_close(&d);
    }
    if (o->discard && replay != SDB_REPLAY_NONE) {
        report_set(r, "repaired.discarded", json_true());
        report_line(r, done,
                    "the interrupted commit thrown away; parts of it may be in place: "
                    "check the card now");
    }
    card_open(&c, path, !o->dry_run);
    if (!o->discard && replay == SDB_REPLAY_DONE) {
        report_set(r, "repaired.replayed", json_true());
        report_line(r, done, "the interrupted commit put in place");
    } else if (!o->discard && replay == SDB_REPLAY_FOREIGN && whole && c.is_fat) {
        report_line(r, done, "the commit that fits the card no more is left out");
    }
    if (restored) {
        report_set(r, "repaired.restored", json_true());
        report_line(r, done, "damaged first sectors restored from their copies");
    }
    if (whole && c.is_fat && c.mounted) {
        tidy(r, &c, done);
    }
    bool changed = o->dry_run ? c.overlay.count > 0 : c.device.written > 0;
    report_set(r, "changed", json_boolean(changed || (o->discard && replay != SDB_REPLAY_NONE)));
    if (!changed && !(o->discard && replay != SDB_REPLAY_NONE)) {
        report_line(r, "done", "nothing: there was nothing to do");
    }
    card_close(&c);
}

// What is still wrong.
static void look_again(struct report *r, const char *path) {
    static struct card c;
    card_open(&c, path, false);
    say_consistency(r, &c);
    say_manifest(r, &c, false);
    card_close(&c);
}

int job_repair(const char *path, const struct job_options *o, bool json) {
    struct report r;
    report_init(&r, json);
    work(&r, path, o, true);
    if (r.fault_count == 0) {
        look_again(&r, path);
    }
    return report_end(&r);
}

int job_sync(const char *path, const struct job_options *o, bool json) {
    struct report r;
    if (o->discard) {
        tool_die("sync puts in place; to throw a commit away: sdboot card repair --discard");
    }
    report_init(&r, json);
    work(&r, path, o, false);
    return report_end(&r);
}
