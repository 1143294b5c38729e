// SPDX-License-Identifier: MIT
// The control area: where it goes, what becomes of an old one, and cards whose first sectors are
// damaged.
#include "unit.h"

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/volume_make.h"
#include "core/release/record.h"
#include "fatcard.h"

static uint8_t buf[4096];
static struct sdb_volume volume;
static struct sdb_volume_make make;

static const struct fatcard shapes[] = {
    {"fat16 superfloppy", 0, 1, 16, 1, 4},  {"fat16 superfloppy, two FATs", 0, 1, 16, 2, 4},
    {"fat32 superfloppy", 0, 32, 32, 2, 1}, {"fat16 at 63", 63, 4, 16, 2, 4},
    {"fat32 at 63", 63, 32, 32, 1, 1},      {"fat16 at 2048", 2048, 1, 16, 1, 4},
    {"fat32 at 8192", 8192, 32, 32, 2, 1},
};

static void card_of(size_t shape, struct ramdisk *d) {
    fatcard_format(d, &shapes[shape]);
}

static void put_file(void) {
    static struct fatcard_fs fs;
    struct sdb_bdev view;
    int err = sdb_volume_begin_file(&make, &volume, buf, sizeof buf);
    if (err == 0) {
        sdb_volume_bdev(&volume, &view);
        fatcard_mount(&fs, &view);
        err = sdb_volume_make_file(&make, &volume, &fs.fs, buf);
    }
    if (err < 0) {
        sdb_volume_make_last(&make, &volume, buf);
    }
}

static bool restored; // the last boot has said so
static unsigned taken_over;

// What micropython/sdboot/card.py does at power-on. Returns 0 or why nothing can be mounted.
static int boot(struct ramdisk *d) {
    restored = false;
    taken_over = 0;
    int err = sdb_volume_open(&volume, &d->dev, true, buf);
    if (err == 0 && sdb_volume_why(&volume) == 0 && !sdb_volume_needs_care(&volume)) {
        return 0;
    }
    for (int again = 0; again < 2; again++) {
        err = sdb_volume_prepare(&make, &volume, &d->dev, true, buf, sizeof buf);
        if (err != SDB_ENOENT || again > 0) {
            break;
        }
        int res = sdb_control_rescue(&d->dev, buf, sizeof buf);
        if (res != SDB_RESCUE_DONE) {
            return res < 0 ? res : SDB_ENOENT;
        }
        restored = true;
    }
    if (err == 0 && sdb_volume_why(&volume) == SDB_ENOSPC) {
        put_file();
    }
    restored |= (make.done & SDB_MADE_RESTORED) != 0;
    taken_over = make.done & SDB_MADE_REPLACED;
    if (err == 0) {
        err = sdb_volume_open(&volume, &d->dev, true, buf);
    }
    return err;
}

static void save_record(uint8_t left) {
    struct sdb_record_store store;
    struct sdb_record r;
    sdb_volume_store(&volume, &store);
    assert_int_equal(sdb_record_load(&store, &r), 0);
    r.left = left;
    r.state = SDB_TRIAL;
    assert_int_equal(sdb_record_save(&store, &r), 0);
}

static int record_left(void) {
    struct sdb_record_store store;
    struct sdb_record r;
    assert_true(sdb_volume_has_record(&volume));
    sdb_volume_store(&volume, &store);
    assert_int_equal(sdb_record_load(&store, &r), 0);
    return r.left;
}

// The user's clusters are what they were.
static void check_data(struct ramdisk *d) {
    struct sdb_fatgeo geo;
    uint8_t s[SDB_SECTOR];
    fatcard_geo(d, &geo);
    for (uint32_t i = 3; i < 3 + FATCARD_USED; i++) {
        ramdisk_get(d, sdb_fatgeo_lba(&geo, i), s);
        assert_int_equal(s[77], FATCARD_BYTE);
    }
}

// A card in use: with an area and a record.
static void in_use(size_t shape, struct ramdisk *d) {
    card_of(shape, d);
    assert_int_equal(boot(d), 0);
    assert_int_equal(sdb_volume_why(&volume), 0);
    save_record(77);
    ramdisk_power_on(d);
}

static void test_places(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        card_of(i, &d);
        assert_int_equal(boot(&d), 0);
        assert_int_equal(sdb_volume_why(&volume), 0);
        bool gap = shapes[i].start >= 2048;
        const struct sdb_control *c = &volume.control;
        assert_int_equal(c->entry_lba == 0, gap);
        assert_int_equal(c->lba % (gap ? 32 : 1024), 0);
        assert_true(c->sectors >= (gap ? shapes[i].start - 128 : 512));
        check_data(&d);
        for (int again = 0; again < 2; again++) {
            ramdisk_power_on(&d);
            assert_int_equal(boot(&d), 0);
            assert_false(restored);
            assert_int_equal(d.writes, 0);
            assert_true(d.reads < 16);
        }
        // Every copy is there.
        uint8_t a[SDB_SECTOR], b[SDB_SECTOR];
        ramdisk_get(&d, 0, a);
        ramdisk_get(&d, c->lba + SDB_CONTROL_SECTOR0, b);
        assert_memory_equal(a, b, SDB_SECTOR);
        if (shapes[i].start != 0) {
            ramdisk_get(&d, shapes[i].start, a);
            ramdisk_get(&d, c->lba + SDB_CONTROL_BOOT, b);
            assert_memory_equal(a, b, SDB_SECTOR);
        }
        ramdisk_free(&d);
    }
}

// ---- damage -------------------------------------------------------------------------------------

// The card works as it did, with its area and its record; after that there is nothing to be done.
// Returns whether something was said to be restored.
static bool works(struct ramdisk *d, const struct sdb_control *area, const struct sdb_fatgeo *geo) {
    struct sdb_fatgeo now;
    assert_int_equal(boot(d), 0);
    bool said = restored;
    assert_int_equal(sdb_volume_why(&volume), 0);
    assert_int_equal(volume.control.lba, area->lba);
    assert_int_equal(volume.control.sectors, area->sectors);
    assert_int_equal(record_left(), 77);
    fatcard_geo(d, &now);
    assert_memory_equal(&now, geo, sizeof now);
    ramdisk_power_on(d);
    assert_int_equal(boot(d), 0);
    assert_false(restored);
    assert_int_equal(d->writes, 0);
    return said;
}

// Any bit of sector 0 and of the boot sector.
static void test_flipped_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        struct sdb_fatgeo geo;
        uint8_t right[SDB_SECTOR], s[SDB_SECTOR];
        unsigned count = 0;
        in_use(i, &d);
        struct sdb_control area = volume.control;
        fatcard_geo(&d, &geo);
        for (int which = 0; which <= (geo.mbr ? 1 : 0); which++) {
            const uint32_t lba = which ? geo.start : 0;
            ramdisk_get(&d, lba, right);
            for (uint32_t bit = 0; bit < 8 * SDB_SECTOR; bit++) {
                UNIT_CASE(bit);
                memcpy(s, right, sizeof s);
                s[bit / 8] ^= (uint8_t)(1u << bit % 8);
                ramdisk_put(&d, lba, s);
                count += works(&d, &area, &geo);
                ramdisk_get(&d, lba, s);
                if (memcmp(s, right, sizeof s) != 0) { // it did not matter: the copy has followed
                    ramdisk_put(&d, lba, right);
                    works(&d, &area, &geo);
                }
            }
        }
        assert_true(count > 8 * 30); // all bits of what leads to the files
        check_data(&d);
        ramdisk_free(&d);
    }
}

static void fill(struct ramdisk *d, uint32_t lba, uint32_t count, int value) {
    uint8_t s[SDB_SECTOR];
    memset(s, value, sizeof s);
    for (uint32_t i = 0; i < count; i++) {
        ramdisk_put(d, lba + i, s);
    }
}

// Erased: sector 0, the first 4 KiB, the boot sector. Half of it, and garbage in sector 0.
static void test_erased(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk before, d;
        struct sdb_fatgeo geo;
        in_use(i, &before);
        struct sdb_control area = volume.control;
        fatcard_geo(&before, &geo);
        for (int how = 0; how < 8; how++) {
            UNIT_CASE(how);
            uint8_t s[SDB_SECTOR];
            const int value = how % 2 ? 0xFF : 0;
            bool hopeless = false;
            ramdisk_copy(&d, &before);
            if (how < 2) {
                fill(&d, 0, 1, value);
            } else if (how < 4) {
                fill(&d, 0, 8, value);
                hopeless = geo.start == 0 && geo.fats == 1 && geo.type == 16;
            } else if (how < 6) {
                fill(&d, geo.start, 1, value);
            } else {
                ramdisk_get(&d, 0, s);
                for (uint32_t k = how == 6 ? 0 : 256; k < SDB_SECTOR; k++) {
                    s[k] = (uint8_t)sdb_crc32(k, s, k);
                }
                ramdisk_put(&d, 0, s);
            }
            if (hopeless) {
                assert_int_equal(boot(&d), SDB_ENOENT);
                assert_int_equal(sdb_control_rescue(&d.dev, buf, sizeof buf), SDB_RESCUE_LOST);
                assert_int_equal(d.writes, 0);
            } else {
                works(&d, &area, &geo);
                check_data(&d);
                // Both FATs are whole.
                for (uint32_t fat = 0; fat < geo.fats; fat++) {
                    for (uint32_t k = 0; k < 8; k++) {
                        uint8_t t[SDB_SECTOR];
                        ramdisk_get(&d, geo.fat + fat * geo.fat_sectors + k, s);
                        ramdisk_get(&before, geo.fat + k, t);
                        assert_memory_equal(s, t, SDB_SECTOR);
                    }
                }
            }
            ramdisk_free(&d);
        }
        ramdisk_free(&before);
    }
}

// Power fails while it is put right.
static void test_repair_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk before, d;
        struct sdb_fatgeo geo;
        in_use(i, &before);
        struct sdb_control area = volume.control;
        fatcard_geo(&before, &geo);
        if (geo.start == 0 && geo.fats == 1) {
            fill(&before, 0, 1, 0);
        } else {
            fill(&before, 0, 8, 0xFF);
        }
        for (uint64_t cut = 0;; cut++) {
            UNIT_CASE(cut);
            ramdisk_copy(&d, &before);
            d.cut = true;
            d.cut_at = cut;
            bool whole = boot(&d) == 0;
            ramdisk_power_on(&d);
            works(&d, &area, &geo);
            ramdisk_free(&d);
            if (whole) {
                break;
            }
        }
        ramdisk_free(&before);
    }
}

// What a PC does to the first sectors stands, and the copies follow.
static void test_changed_on_a_pc(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk before, d;
        struct sdb_fatgeo geo;
        in_use(i, &before);
        struct sdb_control area = volume.control;
        fatcard_geo(&before, &geo);
        uint32_t tail = geo.type == 32 ? 64 : 36;
        for (int how = 0; how < 5; how++) {
            UNIT_CASE(how);
            uint8_t s[SDB_SECTOR], now[SDB_SECTOR], mbr[SDB_SECTOR];
            ramdisk_copy(&d, &before);
            ramdisk_get(&d, geo.start, s);
            ramdisk_get(&d, 0, mbr);
            if (how == 0) {
                s[tail + 1] ^= 1; // not cleanly unmounted
            } else if (how == 1) {
                memcpy(s + tail + 7, "NEW NAME   ", 11);
            } else if (how == 2) { // another serial number, one root entry more or less of them
                sdb_put32(s + tail + 3, 0x87654321);
                memcpy(s + 3, "mkfs.fat", 8);
            } else if (how == 3) { // shorter by 64 clusters: the backup says the same
                sdb_put32(s + 32, geo.sectors - (64u << geo.cluster_shift));
                sdb_put32(s + tail + 3, 0x87654321);
                if (geo.backup != 0) {
                    ramdisk_put(&d, geo.start + geo.backup, s);
                }
            } else if (geo.mbr) { // a second partition
                memcpy(mbr + 462, "\x00\xFE\xFF\xFF\x83\xFE\xFF\xFF", 8);
                sdb_put32(mbr + 470, d.dev.sectors - 100);
                sdb_put32(mbr + 474, 100);
                ramdisk_put(&d, 0, mbr);
            }
            ramdisk_put(&d, geo.start, s);
            assert_int_equal(boot(&d), 0);
            assert_false(restored);
            assert_int_equal(sdb_volume_why(&volume), 0);
            assert_int_equal(volume.control.lba, area.lba);
            assert_int_equal(record_left(), 77);
            ramdisk_get(&d, geo.start, now);
            assert_memory_equal(now, s, SDB_SECTOR);
            ramdisk_power_on(&d);
            assert_int_equal(boot(&d), 0);
            assert_int_equal(d.writes, 0);
            // From now on this is what is put back.
            fill(&d, 0, 1, 0);
            assert_int_equal(boot(&d), 0);
            assert_true(restored);
            ramdisk_get(&d, geo.start, now);
            assert_memory_equal(now, s, SDB_SECTOR);
            ramdisk_free(&d);
        }
        ramdisk_free(&before);
    }
}

// Partitions deleted or made anew on a PC, or another filesystem: nothing is put back.
static void test_given_up_on_a_pc(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk before, d;
        uint8_t s[SDB_SECTOR];
        in_use(i, &before);
        for (int how = 0; how < 3; how++) {
            UNIT_CASE(how);
            ramdisk_copy(&d, &before);
            ramdisk_get(&d, 0, s);
            memset(s + 446, 0, 64);
            memset(s, 0, 384);
            if (how == 1) {
                memcpy(s + 446, "\x00\xFE\xFF\xFF\x83\xFE\xFF\xFF", 8);
                sdb_put32(s + 454, 4096);
                sdb_put32(s + 458, 4096);
            } else if (how == 2) {
                memcpy(s + 446, "\x00\xFE\xFF\xFF\x83\xFE\xFF\xFF", 8);
                sdb_put32(s + 454, 4096);
                sdb_put32(s + 458, 4096);
                memset(s + 384, 0, 16);
            }
            sdb_put16(s + 510, 0xAA55);
            ramdisk_put(&d, 0, s);
            assert_int_equal(boot(&d), SDB_ENOENT);
            assert_int_equal(d.writes, 0);
            ramdisk_free(&d);
        }
        ramdisk_free(&before);
    }
}

// The pointer or the identity is gone, the rest is there: found again, with the record.
static void test_lost_pointer(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        for (int how = 0; how < 2; how++) {
            UNIT_CASE(how);
            struct ramdisk d;
            struct sdb_fatgeo geo;
            uint8_t s[SDB_SECTOR];
            in_use(i, &d);
            struct sdb_control area = volume.control;
            fatcard_geo(&d, &geo);
            if (how == 0) {
                ramdisk_get(&d, 0, s);
                memset(s + 384, 0x90, 16);
                ramdisk_put(&d, 0, s);
            } else {
                ramdisk_get(&d, area.lba, s);
                s[100] ^= 4;
                ramdisk_put(&d, area.lba, s);
            }
            works(&d, &area, &geo);
            check_data(&d);
            ramdisk_free(&d);
        }
    }
}

// ---- areas of version 1 -------------------------------------------------------------------------

static void old_seal(uint8_t *s) {
    sdb_put32(s + 508, sdb_crc32(0, s, 508));
}

// As sdboot made it before: 512 sectors in a gap, or all of a small one, or 64 KiB of a file. With
// a commit of two sectors that has not reached its end.
static void old_area(struct ramdisk *d, struct sdb_control *c, uint32_t home[2]) {
    static struct fatcard_fs fs;
    struct sdb_fatgeo geo;
    uint8_t s[SDB_SECTOR];
    memset(c, 0, sizeof *c);
    fatcard_geo(d, &geo);
    c->version = 1;
    if (geo.mbr) {
        c->lba = geo.gap > 256 ? 128 : 1;
        c->sectors = geo.gap > 700 ? 512 : geo.gap;
    } else {
        fatcard_mount(&fs, &d->dev);
        assert_int_equal(fs.fs.mkdir(fs.fs.ctx, "/.sdboot"), 0);
        assert_int_equal(fs.fs.open(fs.fs.ctx, "/.sdboot/journal", 'w'), 0);
        uint32_t first = 100, last = first + (128u >> geo.cluster_shift) - 1;
        for (uint32_t k = first; k <= last; k++) {
            fatcard_set(&d->dev, &geo, k, k < last ? k + 1 : 0x0FFFFFFF);
        }
        uint32_t dir = 2;
        do { // the directory's cluster: it begins with the file's name
            ramdisk_get(d, sdb_fatgeo_lba(&geo, ++dir), s);
        } while (memcmp(s, "JOURNAL ", 8) != 0);
        c->entry_lba = sdb_fatgeo_lba(&geo, dir);
        c->file_first = first;
        c->file_size = 65536;
        sdb_put16(s + 26, first);
        sdb_put32(s + 28, 65536);
        ramdisk_put(d, c->entry_lba, s);
        c->lba = sdb_fatgeo_lba(&geo, first);
        c->sectors = 128;
        if (geo.type == 32) { // its free count
            ramdisk_get(d, geo.start + 1, s);
            sdb_put32(s + 488, sdb_get32(s + 488) - (last - first + 2));
            ramdisk_put(d, geo.start + 1, s);
        }
    }
    memset(s, 0, sizeof s);
    memcpy(s, "sdbC", 4);
    sdb_put32(s + 4, 1);
    sdb_put32(s + 8, c->lba);
    sdb_put32(s + 12, c->sectors);
    sdb_put32(s + 16, c->entry_lba);
    sdb_put32(s + 20, c->entry_at);
    sdb_put32(s + 24, c->file_first);
    sdb_put32(s + 28, c->file_size);
    old_seal(s);
    ramdisk_put(d, c->lba, s);
    ramdisk_get(d, 0, s);
    memcpy(s + 384, "sdbP", 4);
    sdb_put32(s + 388, c->lba);
    sdb_put32(s + 392, c->sectors);
    sdb_put32(s + 396, sdb_crc32(0, s + 384, 12));
    ramdisk_put(d, 0, s);
    if (!geo.mbr && geo.backup != 0) {
        ramdisk_put(d, geo.backup, s);
    }
    uint32_t slots = c->sectors - 4;
    while (slots + (slots - 1) / 40 > c->sectors - 4) {
        slots--;
    }
    uint8_t h[SDB_SECTOR] = {0};
    memcpy(h, "sdbJ", 4);
    sdb_put32(h + 4, 1);
    sdb_put32(h + 8, c->lba);
    sdb_put32(h + 12, c->sectors);
    sdb_put32(h + 16, 2);
    for (uint32_t k = 0; k < 2; k++) {
        home[k] = sdb_fatgeo_lba(&geo, 10 + k);
        ramdisk_get(d, home[k], s);
        sdb_put32(h + 36 + 12 * k, sdb_crc32(0, s, SDB_SECTOR));
        memset(s, 'A' + (int)k, sizeof s);
        s[77] = FATCARD_BYTE;
        sdb_put32(h + 28 + 12 * k, home[k]);
        sdb_put32(h + 32 + 12 * k, sdb_crc32(0, s, SDB_SECTOR));
        ramdisk_put(d, c->lba + c->sectors - 1 - slots + k, s);
    }
    old_seal(h);
    ramdisk_put(d, c->lba + 2, h);
    struct sdb_control_store slots_of;
    struct sdb_record_store store;
    struct sdb_record r;
    sdb_control_record_store(&slots_of, &d->dev, c, &store);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(sdb_record_load(&store, &r), 0);
        r.left = (uint8_t)(75 + k);
        assert_int_equal(sdb_record_save(&store, &r), 0);
    }
    ramdisk_power_on(d);
}

static void old_taken_over(struct ramdisk *d, const uint32_t home[2]) {
    uint8_t s[SDB_SECTOR];
    assert_int_equal(boot(d), 0);
    assert_int_equal(sdb_volume_why(&volume), 0);
    assert_int_equal(volume.control.version, 2);
    assert_int_equal(record_left(), 77);
    for (uint32_t k = 0; k < 2; k++) {
        ramdisk_get(d, home[k], s);
        assert_int_equal(s[100], 'A' + (int)k);
    }
    check_data(d);
    ramdisk_power_on(d);
    assert_int_equal(boot(d), 0);
    assert_int_equal(d->writes, 0);
}

// Replayed, then replaced, with the power cut at every write; `full`: where there is no room for
// more it is converted where it is.
static void old_cuts(size_t i, bool full) {
    struct ramdisk before, d;
    struct sdb_control c;
    uint32_t home[2];
    card_of(i, &before);
    old_area(&before, &c, home);
    if (full) {
        fatcard_fill(&before, 0);
        fill(&before, 640, shapes[i].start > 640 ? shapes[i].start - 640 : 0, 'x');
    }
    unsigned cuts = 0;
    for (;; cuts++) {
        UNIT_CASE(cuts);
        for (int torn = 0; torn < 2; torn++) {
            UNIT_CASE(torn);
            ramdisk_copy(&d, &before);
            d.cut = true;
            d.cut_at = cuts;
            d.torn = torn;
            bool whole = boot(&d) == 0 && sdb_volume_why(&volume) == 0;
            ramdisk_power_on(&d);
            old_taken_over(&d, home);
            assert_true(full || volume.control.sectors > c.sectors);
            assert_int_equal(full, volume.control.lba == c.lba);
            ramdisk_free(&d);
            if (whole) {
                assert_true(cuts > 5);
                ramdisk_free(&before);
                return;
            }
        }
    }
}

static void test_old_areas(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        old_cuts(i, false);
    }
}

static void test_old_areas_without_room(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        if (shapes[i].start < 2048) {
            old_cuts(i, true);
        }
    }
}

// A PC has written where the commit would go: it is dropped, the area replaced all the same.
static void test_old_foreign(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        struct sdb_control c;
        uint32_t home[2];
        card_of(i, &d);
        old_area(&d, &c, home);
        fill(&d, home[0], 1, FATCARD_BYTE + 1);
        fill(&d, home[1], 1, FATCARD_BYTE + 1);
        assert_int_equal(boot(&d), 0);
        assert_int_equal(sdb_volume_why(&volume), 0);
        assert_int_equal(record_left(), 77);
        uint8_t s[SDB_SECTOR];
        ramdisk_get(&d, home[0], s);
        assert_int_equal(s[100], FATCARD_BYTE + 1);
        ramdisk_free(&d);
    }
}

// Nothing can be written: the record can still be read, and with journal=False nothing is made.
static void test_old_unwanted(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        struct sdb_control c;
        uint32_t home[2];
        card_of(i, &d);
        old_area(&d, &c, home);
        assert_int_equal(sdb_volume_prepare(&make, &volume, &d.dev, false, buf, sizeof buf), 0);
        assert_int_equal(sdb_volume_why(&volume), SDB_ECANCELED);
        assert_int_equal(record_left(), 77);
        assert_int_equal(volume.control.lba, c.lba);
        ramdisk_power_on(&d);
        d.read_only = true; // the commit is in place
        assert_int_equal(boot(&d), 0);
        assert_int_equal(record_left(), 77);
        assert_true(sdb_volume_why(&volume) < 0);
        assert_int_equal(d.written_sectors, 0);
        ramdisk_power_on(&d);
        old_taken_over(&d, home);
        ramdisk_free(&d);
    }
}

// An area that is much smaller than it would be made now, in a gap that has grown.
static void test_small_area(void **state) {
    (void)state;
    struct ramdisk d;
    uint8_t s[SDB_SECTOR];
    in_use(6, &d);
    struct sdb_control area = volume.control;
    struct sdb_fatgeo geo;
    fatcard_geo(&d, &geo);
    struct sdb_control small = area;
    small.sectors = small.wanted = 256;
    assert_int_equal(sdb_control_make(&d.dev, &geo, &small, &area, s), 0);
    // The record's second slot is where it was not before.
    ramdisk_get(&d, area.lba + area.sectors - 1, s);
    ramdisk_put(&d, small.lba + small.sectors - 1, s);
    fill(&d, area.lba + area.sectors - 1, 1, 0);
    ramdisk_power_on(&d);
    assert_int_equal(boot(&d), 0);
    assert_true(taken_over);
    assert_int_equal(sdb_volume_why(&volume), 0);
    assert_true(volume.control.sectors > 7000);
    assert_int_equal(record_left(), 77);
    ramdisk_power_on(&d);
    assert_int_equal(boot(&d), 0);
    assert_int_equal(d.writes, 0);
    ramdisk_free(&d);
}

// ---- by reading only ----------------------------------------------------------------------------

// An identity that says its area goes on behind the last cluster.
static void test_behind_the_last_cluster(void **state) {
    (void)state;
    struct ramdisk d;
    struct sdb_fatgeo geo;
    in_use(0, &d);
    fatcard_geo(&d, &geo);
    struct sdb_control c = volume.control;
    assert_int_equal(sdb_control_verify(&d.dev, &geo, &c, buf), 0);
    c.sectors = d.dev.sectors - c.lba;
    assert_int_equal(sdb_control_verify(&d.dev, &geo, &c, buf), SDB_ENOENT);
    geo.clusters = sdb_fatgeo_cluster(&geo, c.lba) - 1; // the volume has been made shorter
    c.sectors = volume.control.sectors;
    assert_int_equal(sdb_control_verify(&d.dev, &geo, &c, buf), SDB_ENOENT);
    ramdisk_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_erased),
        cmocka_unit_test(test_repair_cut),
        cmocka_unit_test(test_changed_on_a_pc),
        cmocka_unit_test(test_given_up_on_a_pc),
        cmocka_unit_test(test_lost_pointer),
        cmocka_unit_test(test_old_areas),
        cmocka_unit_test(test_old_areas_without_room),
        cmocka_unit_test(test_old_foreign),
        cmocka_unit_test(test_old_unwanted),
        cmocka_unit_test(test_small_area),
        cmocka_unit_test(test_behind_the_last_cluster),
    };
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
