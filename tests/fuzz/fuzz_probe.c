// SPDX-License-Identifier: MIT
// The probe: any card gives a kind or nothing worse; an error of a read is an error. The input is a
// list of 32-byte pieces and where they are on the card.
#include "fuzz.h"
#include "core/error.h"
#include "core/card/probe.h"

#define CARD 4096u

static uint8_t card[CARD * SDB_SECTOR];

struct fault {
    unsigned reads, fail;
};

static int card_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    struct fault *f = ctx;
    CHECK(count >= 1 && lba < CARD && count <= CARD - lba);
    memcpy(buf, card + (size_t)lba * SDB_SECTOR, (size_t)count * SDB_SECTOR);
    return ++f->reads == f->fail ? SDB_EIO : 0;
}

static int card_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    (void)ctx;
    (void)lba;
    (void)count;
    (void)buf;
    CHECK(false);
    return SDB_EROFS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fault f = {0, 0};
    const struct sdb_bdev dev = {&f, CARD, card_read, card_write, NULL};
    struct sdb_probe first, again;
    uint8_t *buf = malloc(SDB_PROBE_BUFFER); // its exact size: a byte too many is found
    CHECK(buf != NULL);
    if (size < 1) {
        free(buf);
        return 0;
    }
    memset(card, data[0] & 1 ? 0xff : 0, sizeof card);
    if (data[0] & 2) {
        memcpy(card + 510, "\x55\xaa", 2);
        card[446 + 4] = 0x0c; // a partition at sector 64
        memset(card + 446 + 8, 0, 4);
        card[446 + 8] = 64;
    }
    uint8_t mode = data[0];
    for (data++, size--; size > 3;) {
        size_t at = (((size_t)data[0] << 8 | data[1]) * 32) % sizeof card;
        size_t n = size - 2 < 32 ? size - 2 : 32;
        memcpy(card + at, data + 2, n);
        data += 2 + n;
        size -= 2 + n;
    }
    memset(&first, 0xa5, sizeof first);
    CHECK(sdb_probe(&dev, &first, buf) == 0);
    CHECK(first.kind >= SDB_PROBE_BLANK && first.kind <= SDB_PROBE_UNFINISHED);
    CHECK(first.name != NULL && first.advice != NULL && first.volume < CARD);
    CHECK(f.reads >= 1 && f.reads <= 2100);
    bool uniform = card[0] == 0 || card[0] == 0xff;
    size_t half = sizeof card / 2; // the first MiB of two
    uniform = uniform && memcmp(card, card + 1, half - 1) == 0 &&
              memcmp(card, card + sizeof card - 272 * SDB_SECTOR, 272 * SDB_SECTOR) == 0;
    CHECK(first.kind != SDB_PROBE_BLANK || uniform);

    unsigned reads = f.reads;
    f.reads = 0;
    f.fail = mode % reads + 1;
    CHECK(sdb_probe(&dev, &again, buf) == SDB_EIO && f.reads == f.fail);
    f.fail = f.reads = 0;
    CHECK(sdb_probe(&dev, &again, buf) == 0);
    CHECK(again.kind == first.kind && again.volume == first.volume && again.name == first.name);
    free(buf);
    return 0;
}
