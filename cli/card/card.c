// SPDX-License-Identifier: MIT
#include "cli/card/card.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"
#include "core/error.h"
#include "core/release/layout.h"
#include "core/release/record_fs.h"

void card_failed(struct card *c, int error) {
    const struct device *d = &c->device;
    if (d->failed > 0) {
        tool_die("%s: can't be %s at sector %u: %s", d->path,
                 d->writable && d->bad_errno == ENOSPC ? "written" : "read", d->bad_lba,
                 strerror(d->bad_errno));
    }
    tool_die("%s: %s (%d)", d->path, sdb_strerror(error), -error);
}

// The kinds that may be a card of ours whose first sector is torn or erased: as a board has it.
static bool may_be_ours(const struct sdb_probe *p) {
    return p->kind == SDB_PROBE_UNKNOWN || p->kind == SDB_PROBE_LOST ||
           p->kind == SDB_PROBE_PARTITIONS || strncmp(p->name, "damaged", 7) == 0;
}

static void look(struct card *c, struct sdb_probe *probe) {
    int res = sdb_probe(c->dev, probe, c->buf);
    if (res < 0) {
        card_failed(c, res);
    }
    c->is_fat = probe->kind == SDB_PROBE_FAT;
    c->is_lfs = probe->kind == SDB_PROBE_LITTLEFS && probe->volume == 0;
}

static void mount_fat(struct card *c) {
    int res = sdb_fatgeo_read(&c->geo, c->dev, c->buf);
    if (res < 0) {
        card_failed(c, res);
    }
    c->area_found = sdb_control_find(c->dev, &c->area, c->buf);
    size_t before = overlay_changed(&c->overlay);
    res = sdb_volume_open(&c->volume, c->dev, true, c->buf);
    c->replayed = overlay_changed(&c->overlay) - before;
    c->replay = res == 0 ? sdb_volume_replayed(&c->volume) : 0;
    if (res == 0 && sdb_volume_needs_care(&c->volume)) {
        res = sdb_volume_prepare(&c->make, &c->volume, c->dev, true, c->buf, sizeof c->buf);
        if (res == 0 && c->replay == SDB_REPLAY_NONE) { // it may be an older journal's
            c->replay = sdb_volume_replayed(&c->volume);
        }
    }
    if (res < 0) {
        card_failed(c, res);
    }
    sdb_volume_bdev(&c->volume, &c->top);
    c->mount_error = fat_mount(&c->fat, &c->top, &c->fs);
    c->mounted = c->mount_error == 0;
    c->has_store = sdb_volume_has_record(&c->volume);
    if (c->has_store) {
        sdb_volume_store(&c->volume, &c->store);
    }
}

static uint64_t lfs_now(void) {
    return (uint64_t)tool_now();
}

static void mount_lfs(struct card *c) {
    uint32_t block = c->probe.block_size;
    if (block < SDB_SECTOR || block % SDB_SECTOR != 0 || block / SDB_SECTOR > c->dev->sectors) {
        c->mount_error = SDB_EINVAL;
        return;
    }
    lfs_init(&c->lfs, c->dev, block);
    c->lfs.now = lfs_now;
    c->top = *c->dev;
    c->mount_error = lfs_mount(&c->lfs, &c->fs);
    c->mounted = c->mount_error == 0;
}

void card_open(struct card *c, const char *path, bool write) {
    memset(c, 0, sizeof *c);
    device_open(&c->device, path, write);
    overlay_init(&c->overlay, &c->device.bdev);
    c->dev = write ? &c->device.bdev : &c->overlay.bdev;
    look(c, &c->probe);
    if (may_be_ours(&c->probe)) {
        c->rescue = sdb_control_rescue(c->dev, c->buf, sizeof c->buf);
        if (c->rescue < 0) {
            card_failed(c, c->rescue);
        }
        if (c->rescue == SDB_RESCUE_DONE) {
            struct sdb_probe again;
            look(c, &again);
        }
    }
    if (c->is_fat) {
        mount_fat(c);
    } else if (c->is_lfs) {
        mount_lfs(c);
    }
    if (c->mounted && !c->has_store) {
        sdb_record_fs(&c->store, &c->fs);
        c->has_store = true;
    }
}

void card_close(struct card *c) {
    overlay_free(&c->overlay);
    device_close(&c->device);
}

int card_read_text(struct card *c, const char *path, char *text, size_t room) {
    size_t len = 0;
    int file = c->fs.open(c->fs.ctx, path, 'r');
    text[0] = '\0';
    if (file < 0) {
        return file;
    }
    int n = 1;
    while (n > 0 && len < room - 1) {
        n = c->fs.read(c->fs.ctx, file, text + len, room - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    c->fs.close(c->fs.ctx, file);
    text[len] = '\0';
    return n < 0 ? n : (int)len;
}

int card_version(struct card *c, const char *folder, char version[SDB_VERSION_MAX + 1]) {
    char text[SDB_VERSION_FILE_MAX + 1];
    char *path = tool_format("/%s/" SDB_VERSION_FILE, folder);
    int len = card_read_text(c, path, text, sizeof text);
    free(path);
    version[0] = '\0';
    if (len >= 0) {
        sdb_version_word(text, (size_t)len, version);
        if (version[0] == '\0') {
            strcpy(version, "?");
        }
    }
    return len == SDB_ENOENT || len >= 0 ? 0 : len;
}
