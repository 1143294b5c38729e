// SPDX-License-Identifier: MIT
// Blocks of any size, read and written at any offset, on a card that knows whole sectors only:
// what littlefs asks of a block device.
#ifndef SDB_BLOCKS_H
#define SDB_BLOCKS_H

#include "core/bdev.h"

// Reads `len` bytes from byte `off` of the block `block` of `block_size` bytes (a multiple of 512).
// Whole sectors go straight to `buf`; the rest goes through the 512 bytes at `bounce`.
// Returns 0, SDB_EINVAL beyond the end of the card, or the card's error.
int sdb_blocks_read(const struct sdb_bdev *dev, uint32_t block_size, uint32_t block, uint32_t off,
                    void *buf, uint32_t len, uint8_t *bounce);

// Writes likewise; a part of a sector is read first.
int sdb_blocks_write(const struct sdb_bdev *dev, uint32_t block_size, uint32_t block, uint32_t off,
                     const void *buf, uint32_t len, uint8_t *bounce);

// Writes likewise and waits until it is on the medium. littlefs before version 2.9 needs this: it
// does not wait between a file's content and the commit that points at it, so that a card which
// reorders writes could leave pointers into nothing, and with them a card that can't be written.
int sdb_blocks_program(const struct sdb_bdev *dev, uint32_t block_size, uint32_t block,
                       uint32_t off, const void *buf, uint32_t len, uint8_t *bounce);

#endif
