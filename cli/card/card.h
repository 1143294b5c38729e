// SPDX-License-Identifier: MIT
// A card as a board would find it: from its first sector to the filesystem. Nothing is written to
// it but by those who ask for that: it is worked on through an overlay in memory.
#ifndef SDBOOT_CARD_H
#define SDBOOT_CARD_H

#include <stdbool.h>

#include "cli/card/device.h"
#include "cli/card/fat.h"
#include "cli/card/lfs.h"
#include "cli/card/overlay.h"
#include "core/card/fatgeo.h"
#include "core/card/probe.h"
#include "core/journal/control.h"
#include "core/journal/volume_make.h"
#include "core/release/record.h"

#define CARD_BUFFER 4096

struct card {
    struct device device;
    struct overlay overlay;
    const struct sdb_bdev *dev; // the overlay's, or the device itself: what is worked on

    struct sdb_probe probe; // what the card was found to hold, before anything else
    int rescue;             // enum sdb_rescue, or an error: the first sectors put back
    bool is_fat, is_lfs;

    // FAT
    struct sdb_fatgeo geo;
    struct sdb_control area; // as its identity says, lba 0: no pointer
    int area_found;          // 0, or why there is none
    struct sdb_volume volume;
    struct sdb_volume_make make; // what was repaired
    int replay;                  // enum sdb_replay: what the journal held
    size_t replayed;             // sectors that putting it in place changes, in memory

    struct fat fat;
    struct lfs lfs;
    struct sdb_fs fs;    // if `mounted`
    struct sdb_bdev top; // what it is mounted on
    bool mounted;
    int mount_error;
    struct sdb_record_store store;
    bool has_store;
    uint8_t buf[CARD_BUFFER];
};

// Opens the card, replays its journal, repairs its first sectors, mounts it: in memory, or, with
// `write`, on the card itself. Dies of what makes a card unreadable, in one line; what is merely
// not ours is in c->probe.
void card_open(struct card *c, const char *path, bool write);
void card_close(struct card *c);

// Dies of an error that the card has given, in words.
_Noreturn void card_failed(struct card *c, int error);

// A short text of a file, NUL-terminated, cut at `room` - 1 bytes. Returns its length or an error.
int card_read_text(struct card *c, const char *path, char *text, size_t room);

// The version in `folder`/.version: "" if there is no such file. Returns 0 or an error.
int card_version(struct card *c, const char *folder, char version[SDB_VERSION_MAX + 1]);

#endif
