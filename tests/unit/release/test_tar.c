// SPDX-License-Identifier: MIT
// The tar reader on what real tools wrote (archives.py), in pieces of every size.
#include "tar_trace.h"
#include "core/error.h"
#include <dirent.h>

static uint8_t *load(const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *len = (size_t)ftell(f);
    rewind(f);
    uint8_t *data = malloc(*len + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *len, f), *len);
    data[*len] = '\0';
    fclose(f);
    return data;
}

// Reads every archive with `piece` as in trace_feed() and compares with its list.
static void read_all(size_t piece, uint32_t seed) {
    DIR *dir = opendir(ARCHIVES);
    assert_non_null(dir);
    int archives = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t name_len = strlen(e->d_name);
        if (name_len < 4 || strcmp(e->d_name + name_len - 4, ".tar") != 0) {
            continue;
        }
        char path[4096];
        size_t tar_len, list_len;
        snprintf(path, sizeof path, "%s/%s", ARCHIVES, e->d_name);
        uint8_t *data = load(path, &tar_len);
        snprintf(path, sizeof path, "%s/%.*s.list", ARCHIVES, (int)name_len - 4, e->d_name);
        uint8_t *list = load(path, &list_len);

        struct trace t;
        struct sdb_tar tar;
        trace_start(&t, &tar);
        int res = trace_feed(&tar, data, tar_len, piece, &seed);
        if (res != 0 || t.len != list_len || memcmp(t.text, list, list_len) != 0) {
            fail_msg("%s: %d at %s, expected:\n%.2000s\nfound:\n%.2000s", e->d_name, res, tar.path,
                     (char *)list, t.text);
        }
        free(t.text);
        free(list);
        free(data);
        archives++;
    }
    closedir(dir);
    assert_true(archives >= 80);
}

static void test_whole(void **state) {
    (void)state;
    read_all(SIZE_MAX, 1);
}

static void test_byte_by_byte(void **state) {
    (void)state;
    read_all(1, 1);
}

static void test_fixed_pieces(void **state) {
    (void)state;
    read_all(512, 1);
    read_all(511, 1);
    read_all(4096, 1);
}

static void test_random_pieces(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 4; seed++) {
        read_all(0, seed);
    }
}

// Wherever a real archive is cut before its end, that is noticed.
static void test_every_cut(void **state) {
    (void)state;
    size_t len, end;
    uint8_t *data = load(ARCHIVES "/gnu-pax-long-dot.tar", &len);
    for (end = len; data[end - 1] == 0; end--) {
    }
    end = (end + 511) / 512 * 512; // the last member ends here, zero blocks follow
    struct sdb_tar tar;
    const uint32_t every = unit_every(3);
    for (size_t cut = 0; cut <= len; cut += cut > 6000 && cut + 600 < end ? 37 : every) {
        struct trace t;
        trace_start(&t, &tar);
        int res = trace_feed(&tar, data, cut, SIZE_MAX, NULL);
        free(t.text);
        int want = cut < 512 ? SDB_EPKG_NOT_TAR : cut < end + 512 ? SDB_EPKG_TRUNCATED : 0;
        if (res != want) {
            fail_msg("cut at %zu of %zu: %d", cut, len, res);
        }
    }
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_fixed_pieces), cmocka_unit_test(test_random_pieces),
        cmocka_unit_test(test_every_cut),
    };
    return cmocka_run_group_tests_name("tar", tests, NULL, NULL);
}
