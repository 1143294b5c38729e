// SPDX-License-Identifier: MIT
// sdboot card check on cards of sdboot that were changed at random, by bytes and by bits.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/card/card.h"
#include "cli/card/say.h"
#include "cli/image/format.h"
#include "cli/tool.h"
#include "tool_fuzz.h"

#define SIZE (8u << 20)
#define SECTORS (SIZE / SDB_SECTOR)
#define CHANGES 64

struct base {
    int fd;
    char path[32];
    uint8_t *sound; // its content
    uint32_t *used; // sectors that hold something
    uint32_t used_count;
};

static struct base bases[2];

static void put(struct sdb_fs *fs, const char *path, const char *text) {
    int file = fs->open(fs->ctx, path, 'w');
    if (file < 0 || fs->write(fs->ctx, file, text, strlen(text)) < 0 ||
        fs->close(fs->ctx, file) < 0) {
        abort();
    }
}

static void make(struct base *b, bool littlefs) {
    static struct device device;
    static struct card card;
    b->fd = memfd_create("card", 0);
    snprintf(b->path, sizeof b->path, "/proc/self/fd/%d", b->fd);
    if (b->fd < 0 || ftruncate(b->fd, SIZE) != 0) {
        abort();
    }
    device_open(&device, b->path, true);
    format_card(&device, littlefs, 1);
    device_close(&device);
    card_open(&card, b->path, true);
    card.fs.mkdir(card.fs.ctx, "/app");
    card.fs.mkdir(card.fs.ctx, "/a rather long name of a folder");
    put(&card.fs, "/app/.version", "0.0.1\n");
    put(&card.fs, "/app/.manifest",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  main.py\n");
    put(&card.fs, "/main.py", "print(1)\n");
    put(&card.fs, "/a rather long name of a folder/file with a long name.txt", "x");
    struct sdb_record record = {.state = SDB_TRIAL, .left = 2, .trials = 3};
    strcpy(record.version, "0.0.1");
    if (sdb_record_save(&card.store, &record) < 0) {
        abort();
    }
    card_close(&card);
    b->sound = malloc(SIZE);
    b->used = malloc(SECTORS * sizeof *b->used);
    if (pread(b->fd, b->sound, SIZE, 0) != SIZE) {
        abort();
    }
    for (uint32_t i = 0; i < SECTORS; i++) {
        static const uint8_t zero[SDB_SECTOR];
        if (memcmp(b->sound + (size_t)i * SDB_SECTOR, zero, SDB_SECTOR) != 0) {
            b->used[b->used_count++] = i;
        }
    }
}

static void check(const char *path) {
    static struct card c;
    struct report r;
    report_init(&r, true);
    card_open(&c, path, false);
    say_card(&r, &c);
    say_journal(&r, &c);
    say_releases(&r, &c);
    say_manifest(&r, &c, true);
    say_consistency(&r, &c);
    card_close(&c);
    report_end(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Each change: which of the sectors that hold something, where, what (two bytes and a way).
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t touched[CHANGES];
    uint32_t count = 0;
    if (bases[0].sound == NULL) {
        make(&bases[0], false);
        make(&bases[1], true);
    }
    if (size < 1) {
        return 0;
    }
    struct base *b = &bases[data[0] & 1];
    for (data++, size--; size >= 6 && count < CHANGES; data += 6, size -= 6, count++) {
        uint32_t sector = b->used[(data[0] | (uint32_t)data[1] << 8) % b->used_count];
        uint32_t at = sector * SDB_SECTOR + (data[2] | (uint32_t)(data[3] & 1) << 8);
        uint8_t byte = data[3] & 2 ? data[4] : b->sound[at] ^ (uint8_t)(1u << data[4] % 8);
        uint8_t pair[2] = {byte, data[5]};
        touched[count] = sector;
        if (pwrite(b->fd, pair, at % SDB_SECTOR < SDB_SECTOR - 1 && (data[3] & 4) ? 2 : 1, at) <
            1) {
            abort();
        }
    }
    int before = dup(b->fd);
    if (setjmp(tool_fuzz_end) == 0) {
        check(b->path);
    } else { // what it has opened is left open
        close_range((unsigned)before + 1, ~0u, 0);
    }
    close(before);
    for (uint32_t i = 0; i < count; i++) {
        size_t at = (size_t)touched[i] * SDB_SECTOR;
        if (pwrite(b->fd, b->sound + at, SDB_SECTOR, (off_t)at) != SDB_SECTOR) {
            abort();
        }
    }
    return 0;
}
