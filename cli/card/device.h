// SPDX-License-Identifier: MIT
// A card in a PC: an image file, or the device of a card reader.
#ifndef SDBOOT_DEVICE_H
#define SDBOOT_DEVICE_H

#include <stdbool.h>

#include "core/bdev.h"

struct device {
    struct sdb_bdev bdev; // what the core sees
    const char *path;
    int fd;
    bool is_block; // a device, not an image
    bool writable;
    uint64_t bytes;   // of the image or device
    uint32_t failed;  // commands that have failed
    uint32_t bad_lba; // sector of the first of them
    int bad_errno;
    uint64_t written; // sectors
};

// Opens the image or device `path`, which must live as long as `d`. Dies, with a line that says
// why, if it is no card, is mounted or used by somebody else, or can't be opened.
void device_open(struct device *d, const char *path, bool write);

// Waits until all is on the medium. Dies if that fails.
void device_close(struct device *d);

#endif
