// SPDX-License-Identifier: MIT
// Cards for the tests of the probe.
#ifndef SDB_PROBE_CARDS_H
#define SDB_PROBE_CARDS_H

#include "unit.h"
#include "core/bytes.h"
#include "core/error.h"
#include "core/card/probe.h"
#include "ramdisk.h"

#define MIB 2048u
#define GIB (1024 * MIB)
#define UNKNOWN "no known filesystem, but is not blank"
#define PROBE_READS 7700u // commands, at most

// Runs `command` with %s replaced by a file of so many sectors, and puts that at `lba`. Returns
// false if there is no such program.
static inline bool try_volume(struct ramdisk *d, uint32_t lba, uint32_t sectors,
                              const char *command) {
    char image[300], line[1000];
    snprintf(image, sizeof image, "%s/probe-%s.img", OUT, UNIT_FILE);
    FILE *f = fopen(image, "w");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)sectors * SDB_SECTOR - 1, SEEK_SET), 0);
    fputc(0, f);
    fclose(f);
    int n = snprintf(line, sizeof line, "export PATH=$PATH:/sbin:/usr/sbin; ");
    int word = (int)strcspn(command, " ");
    n += snprintf(line + n, sizeof line - (size_t)n, "command -v %.*s >/dev/null || exit 77; ",
                  word, command);
    n += snprintf(line + n, sizeof line - (size_t)n, command, image);
    snprintf(line + n, sizeof line - (size_t)n, " >%s.log 2>&1", image);
    int res = system(line);
    if (res == 77 << 8) {
        remove(image);
        print_message("%.*s is not there: skipped\n", word, command);
        return false;
    }
    if (res != 0) {
        fail_msg("%s: see %s.log", line, image);
    }
    ramdisk_load(d, lba, image);
    remove(image);
    return true;
}

static inline void make_volume(struct ramdisk *d, uint32_t lba, uint32_t sectors,
                               const char *command) {
    assert_true(try_volume(d, lba, sectors, command));
}

static inline struct sdb_probe probe(struct ramdisk *d) {
    struct sdb_probe p;
    uint8_t *buf = malloc(SDB_PROBE_BUFFER); // its exact size: a byte too many is found
    assert_non_null(buf);
    memset(&p, 0xa5, sizeof p);
    d->reads = 0;
    assert_int_equal(sdb_probe(&d->dev, &p, buf), 0);
    free(buf);
    assert_true(d->reads <= PROBE_READS);
    assert_int_equal(d->writes, 0);
    assert_non_null(p.name);
    assert_non_null(p.advice);
    return p;
}

// An error of any read is an error, never a kind: of every one in steps of `step`.
static inline void read_errors(struct ramdisk *d, unsigned step) {
    unsigned reads = (probe(d), d->reads);
    for (unsigned n = 1; n <= reads; n += step) {
        UNIT_CASE(n);
        struct sdb_probe p;
        uint8_t buf[SDB_PROBE_BUFFER];
        d->reads = 0;
        d->fail_read = n;
        assert_int_equal(sdb_probe(&d->dev, &p, buf), SDB_EIO);
        assert_int_equal(d->reads, n); // and no other after it
    }
    d->fail_read = 0;
}

static inline void expect(struct ramdisk *d, int kind, uint32_t volume, const char *name) {
    struct sdb_probe p = probe(d);
    if (p.kind != kind || p.volume != volume || strcmp(p.name, name) != 0) {
        fail_msg("want %d at %u \"%s\", got %d at %u \"%s\"", kind, (unsigned)volume, name, p.kind,
                 (unsigned)p.volume, p.name);
    }
    read_errors(d, d->reads / 7 + 1);
}
#define expect(...) UNIT_FROM(expect(__VA_ARGS__))

// Is it formatted under "auto"?
static inline bool formatted(struct ramdisk *d) {
    int kind = probe(d).kind;
    return kind == SDB_PROBE_BLANK || kind == SDB_PROBE_EXFAT_EMPTY || kind == SDB_PROBE_UNFINISHED;
}

static inline void partition(struct ramdisk *d, int i, uint8_t type, uint32_t start,
                             uint32_t sectors) {
    uint8_t mbr[SDB_SECTOR];
    ramdisk_get(d, 0, mbr);
    uint8_t *entry = mbr + 446 + 16 * i;
    entry[4] = type;
    sdb_put32(entry + 8, start);
    sdb_put32(entry + 12, sectors);
    sdb_put16(mbr + 510, 0xaa55);
    ramdisk_put(d, 0, mbr);
}

#endif
