// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "cli/card/say.h"
#include "cli/tool.h"
#include "core/error.h"

const char *say_size(uint64_t bytes) {
    static char texts[4][32];
    static unsigned turn;
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    char *text = texts[turn++ % 4];
    double size = (double)bytes;
    unsigned unit = 0;
    for (; size >= 1024 && unit < 4; unit++) {
        size /= 1024;
    }
    bool whole = size >= 100 || size == (double)(uint64_t)size;
    snprintf(text, 32, whole ? "%.0f %s" : "%.1f %s", size, units[unit]);
    return text;
}

static void say_fat(struct report *r, struct card *c) {
    const struct sdb_fatgeo *g = &c->geo;
    uint32_t cluster = SDB_SECTOR << g->cluster_shift;
    report_text(r, "filesystem", "fat");
    report_number(r, "fat.type", g->type);
    report_number(r, "fat.start", g->start);
    report_number(r, "fat.sectors", g->sectors);
    report_number(r, "fat.clusters", g->clusters);
    report_number(r, "fat.cluster_bytes", cluster);
    report_number(r, "fat.fats", g->fats);
    report_set(r, "fat.partition", json_boolean(g->mbr));
    char *where = g->mbr ? tool_format("in a partition from sector %u on", g->start)
                         : tool_format("on the whole card, without a partition table");
    report_line(r, "holds", "FAT%d %s: %s, %u clusters of %s, %d FAT%s", g->type, where,
                say_size((uint64_t)g->sectors * SDB_SECTOR), g->clusters, say_size(cluster),
                g->fats, g->fats == 1 ? "" : "s");
    if (g->start + (uint64_t)g->sectors > c->dev->sectors) {
        report_fault(r,
                     "the volume is longer than the card, by %s: the image is cut short, or the "
                     "card is not what it says",
                     say_size((g->start + (uint64_t)g->sectors - c->dev->sectors) * SDB_SECTOR));
    } else if (!g->safe) {
        report_note(r, "on this FAT nobody can tell for sure which clusters are free: the journal "
                       "takes in all that is written");
    }
}

static void say_foreign(struct report *r, struct card *c) {
    static const char *const kinds[] = {"blank",    "unknown",     "fat",
                                        "littlefs", "exfat-empty", "foreign",
                                        "lost",     "partitions",  "unfinished"};
    const struct sdb_probe *p = &c->probe;
    report_text(r, "filesystem", NULL);
    report_text(r, "kind", (size_t)p->kind < sizeof kinds / sizeof *kinds ? kinds[p->kind] : "?");
    report_text(r, "holds", p->name);
    report_line(r, "holds", "%s", p->name);
    if (p->kind == SDB_PROBE_LITTLEFS) {
        report_fault(r, "littlefs at sector %u: sdboot wants it on the whole card", p->volume);
    } else if (p->kind == SDB_PROBE_BLANK || p->kind == SDB_PROBE_EXFAT_EMPTY) {
        report_line(r, "next boot", "formats it: nothing of anybody's is on it");
        report_note(r, "there is nothing on this card");
    } else if (p->kind == SDB_PROBE_UNFINISHED) {
        report_line(r, "next boot", "formats it: a format was cut short");
        report_fault(r, "formatting this card was cut short");
    } else if (p->kind == SDB_PROBE_LOST) {
        report_fault(r, "%s at sector %u, but no partition table that leads to it", p->name,
                     p->volume);
    } else {
        report_fault(r, "%s: no board mounts this card, and none formats it by itself%s%s", p->name,
                     *p->advice ? ". " : "", p->advice);
    }
    if (c->rescue == SDB_RESCUE_LOST) {
        report_fault(r,
                     "it is a card of sdboot, but its first sectors are lost, with parts of which "
                     "there is no copy: rescue its files with testdisk or photorec");
    }
}

void say_card(struct report *r, struct card *c) {
    const struct device *d = &c->device;
    report_text(r, "card", d->path);
    report_number(r, "bytes", (long long)d->bytes);
    report_number(r, "sectors", d->bdev.sectors);
    report_line(r, "card", "%s: %s of %s, %u sectors", d->path, d->is_block ? "device" : "image",
                say_size(d->bytes), d->bdev.sectors);
    if (d->bytes % SDB_SECTOR != 0) {
        report_note(r, "the last %u bytes are no whole sector: not looked at",
                    (unsigned)(d->bytes % SDB_SECTOR));
    }
    if (c->rescue == SDB_RESCUE_DONE) {
        report_fault(r, "the first sectors are damaged (%s is what they look like); %s",
                     c->probe.name,
                     d->writable ? "they have been restored from their copies"
                                 : "the next boot restores them from their copies, and so does "
                                   "`sdboot card repair`");
    }
    if (c->is_fat) {
        say_fat(r, c);
    } else if (c->is_lfs) {
        report_text(r, "filesystem", "littlefs");
        report_number(r, "littlefs.block_bytes", c->probe.block_size);
        report_line(r, "holds", "littlefs on the whole card, blocks of %s",
                    say_size(c->probe.block_size));
    } else {
        say_foreign(r, c);
    }
    if ((c->is_fat || c->is_lfs) && !c->mounted) {
        report_fault(r, "the %s can't be mounted: %s (%d)", c->is_fat ? "FAT" : "littlefs",
                     sdb_strerror(c->mount_error), -c->mount_error);
    }
    if (c->is_fat && c->mounted) {
        DWORD clusters = 0;
        if (f_getfree(&c->fat.fs, &clusters) == FR_OK) {
            uint64_t bytes = ((uint64_t)clusters * SDB_SECTOR) << c->geo.cluster_shift;
            report_number(r, "free_bytes", (long long)bytes);
            report_line(r, "free", "%s", say_size(bytes));
        }
    } else if (c->is_lfs && c->mounted) {
        lfs2_ssize_t used = lfs2_fs_size(&c->lfs.fs);
        if (used >= 0 && (uint32_t)used <= c->lfs.cfg.block_count) {
            uint64_t bytes =
                (uint64_t)(c->lfs.cfg.block_count - (uint32_t)used) * c->probe.block_size;
            report_number(r, "free_bytes", (long long)bytes);
            report_line(r, "free", "%s", say_size(bytes));
        }
    }
}
