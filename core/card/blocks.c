// SPDX-License-Identifier: MIT
#include "core/card/blocks.h"

#include "core/error.h"

#include <string.h>

// A piece of a transfer: whole sectors, or a part of one.
struct blocks_piece {
    uint32_t lba;
    uint32_t off; // in the sector; whole sectors: 0
    uint32_t len; // bytes; whole sectors: a multiple of 512
};

static void blocks_next(struct blocks_piece *p, uint32_t left) {
    if (p->off == 0 && left >= SDB_SECTOR) {
        p->len = left / SDB_SECTOR * SDB_SECTOR;
    } else {
        p->len = SDB_SECTOR - p->off < left ? SDB_SECTOR - p->off : left;
    }
}

static void blocks_advance(struct blocks_piece *p) {
    p->lba += (p->off + p->len) / SDB_SECTOR;
    p->off = (p->off + p->len) % SDB_SECTOR;
}

static int blocks_start(const struct sdb_bdev *dev, uint32_t block_size, uint32_t block,
                        uint32_t off, uint32_t len, struct blocks_piece *p) {
    uint32_t per_block = block_size / SDB_SECTOR;
    uint32_t skip = off / SDB_SECTOR;
    uint32_t last =
        len / SDB_SECTOR + (len % SDB_SECTOR + off % SDB_SECTOR + SDB_SECTOR - 1) / SDB_SECTOR;
    if (block > dev->sectors / per_block || skip > dev->sectors - block * per_block ||
        last > dev->sectors - block * per_block - skip) {
        return SDB_EINVAL;
    }
    p->lba = block * per_block + skip;
    p->off = off % SDB_SECTOR;
    return 0;
}

int sdb_blocks_read(const struct sdb_bdev *dev, uint32_t block_size, uint32_t block, uint32_t off,
                    void *buf, uint32_t len, uint8_t *bounce) {
    struct blocks_piece p;
    uint8_t *out = buf;
    int res = blocks_start(dev, block_size, block, off, len, &p);
    for (; res == 0 && len > 0; len -= p.len, out += p.len, blocks_advance(&p)) {
        blocks_next(&p, len);
        if (p.len >= SDB_SECTOR) {
            res = dev->read(dev->ctx, p.lba, p.len / SDB_SECTOR, out);
        } else {
            res = dev->read(dev->ctx, p.lba, 1, bounce);
            memcpy(out, bounce + p.off, p.len);
        }
    }
    return res;
}

int sdb_blocks_write(const struct sdb_bdev *dev, uint32_t block_size, uint32_t block, uint32_t off,
                     const void *buf, uint32_t len, uint8_t *bounce) {
    struct blocks_piece p;
    const uint8_t *in = buf;
    int res = blocks_start(dev, block_size, block, off, len, &p);
    for (; res == 0 && len > 0; len -= p.len, in += p.len, blocks_advance(&p)) {
        blocks_next(&p, len);
        if (p.len >= SDB_SECTOR) {
            res = dev->write(dev->ctx, p.lba, p.len / SDB_SECTOR, in);
        } else {
            res = dev->read(dev->ctx, p.lba, 1, bounce);
            if (res == 0) {
                memcpy(bounce + p.off, in, p.len);
                res = dev->write(dev->ctx, p.lba, 1, bounce);
            }
        }
    }
    return res;
}

int sdb_blocks_program(const struct sdb_bdev *dev, uint32_t block_size, uint32_t block,
                       uint32_t off, const void *buf, uint32_t len, uint8_t *bounce) {
    int res = sdb_blocks_write(dev, block_size, block, off, buf, len, bounce);
    return res < 0 ? res : dev->sync(dev->ctx);
}
