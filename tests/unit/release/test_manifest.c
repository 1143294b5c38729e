// SPDX-License-Identifier: MIT
// The manifest and the text file under it, against what coreutils' sha256sum writes and accepts.
#include "core/error.h"
#include "core/release/manifest.h"
#include "memfs_assert.h"
#include "package.h"
#include "core/release/verify.h"

static struct sdb_textfile text;

static void digest_of(const char *text, uint8_t *digest) {
    struct package_hash h;
    package_hash_init(&h, MBEDTLS_MD_SHA256);
    assert_int_equal(h.hash.start(&h), 0);
    assert_int_equal(h.hash.update(&h, text, strlen(text)), 0);
    assert_int_equal(h.hash.digest(&h, digest), 0);
    package_hash_free(&h);
}

// The `i`-th of many names, and a digest that is its own.
static void name_of(int i, char name[64], uint8_t *digest) {
    snprintf(name, 64, "app/a name with spaces and \xc3\xbc %d", i);
    digest_of(name, digest);
}

// Lines written, read again; and the very bytes that sha256sum prints.
static void test_lines(void **state) {
    struct rig *rig = *state;
    uint8_t digest[32], found[32];
    char path[SDB_PATH_MAX + 1];
    bool kept = false;
    sdb_textfile_init(&text, &rig->fs, "/m");
    for (int i = 0; i < 50; i++) {
        UNIT_CASE(i);
        char name[64];
        name_of(i, name, digest);
        assert_int_equal(sdb_manifest_add(&text, digest, name, strlen(name) & 1), 0);
    }
    assert_int_equal(sdb_textfile_flush(&text), 0);
    assert_int_equal(sdb_textfile_flush(&text), 0);

    sdb_textfile_init(&text, &rig->fs, "/m");
    for (int i = 0; i < 50; i++) {
        UNIT_CASE(i);
        char name[64];
        name_of(i, name, digest);
        assert_int_equal(sdb_manifest_next(&text, found, path, &kept), 1);
        assert_memory_equal(found, digest, sizeof digest);
        assert_string_equal(path, name);
        assert_int_equal(kept, strlen(name) & 1);
    }
    assert_int_equal(sdb_manifest_next(&text, found, path, &kept), 0);
    sdb_textfile_close(&text);
    sdb_textfile_close(&text);

    memfs_delete(&rig->mem, "/m");
    digest_of("", digest);
    sdb_textfile_init(&text, &rig->fs, "/m");
    assert_int_equal(sdb_manifest_add(&text, digest, "app/empty", false), 0);
    assert_int_equal(sdb_textfile_flush(&text), 0);
    static const char line[] =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  app/empty\n";
    const struct memfs_node *node = memfs_find(&rig->mem, "/m");
    assert_int_equal(node->size, sizeof line - 1);
    assert_memory_equal(node->data, line, sizeof line - 1);
}

static void test_bad_lines(void **state) {
    struct rig *rig = *state;
    static const char good[] =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  app/empty\n";
    uint8_t digest[32];
    char path[SDB_PATH_MAX + 1];
    bool kept;
    // Cut short anywhere, and each byte of digest and separator replaced.
    for (size_t i = 1; i < 2 * (sizeof good - 1); i++) {
        UNIT_CASE(i);
        char bad[sizeof good];
        memcpy(bad, good, sizeof good);
        size_t at = i / 2;
        if (i % 2 == 0) {
            bad[at] = '\0';
        } else if (at < 66) {
            bad[at] = at < 64 ? 'g' : '-';
        } else {
            continue;
        }
        memfs_put(&rig->mem, "/m", bad, i % 2 == 0 ? at : sizeof good - 1);
        sdb_textfile_init(&text, &rig->fs, "/m");
        assert_int_equal(sdb_manifest_next(&text, digest, path, &kept), SDB_EINVAL);
        sdb_textfile_close(&text);
    }
    memfs_put(&rig->mem, "/m", "", 0);
    sdb_textfile_init(&text, &rig->fs, "/m");
    assert_int_equal(sdb_manifest_next(&text, digest, path, &kept), 0);
    sdb_textfile_close(&text);
    sdb_textfile_init(&text, &rig->fs, "/none");
    assert_int_equal(sdb_manifest_next(&text, digest, path, &kept), SDB_ENOENT);
}

static void test_path_lengths(void **state) {
    struct rig *rig = *state;
    char line[SDB_PATH_MAX + 3];
    char path[SDB_PATH_MAX + 1];
    memset(line, 'x', sizeof line);
    for (size_t len = SDB_PATH_MAX - 1; len <= SDB_PATH_MAX + 1; len++) {
        UNIT_CASE(len);
        line[len] = '\n';
        memfs_put(&rig->mem, "/list", line, len + 1);
        line[len] = 'x';
        sdb_textfile_init(&text, &rig->fs, "/list");
        bool fits = len <= SDB_PATH_MAX;
        assert_int_equal(sdb_textfile_path(&text, path), fits ? 1 : SDB_EINVAL);
        if (fits) {
            assert_int_equal(strlen(path), len);
            assert_int_equal(sdb_textfile_path(&text, path), 0);
        }
        sdb_textfile_close(&text);
    }
    memfs_put(&rig->mem, "/list", "\n", 1);
    sdb_textfile_init(&text, &rig->fs, "/list");
    assert_int_equal(sdb_textfile_path(&text, path), SDB_EINVAL);
    sdb_textfile_close(&text);
}

// Every error of the filesystem arrives, and nothing stays open.
static void test_errors(void **state) {
    struct rig *rig = *state;
    for (unsigned call = 1; call < 4; call++) {
        UNIT_CASE(call);
        memfs_power_on(&rig->mem);
        rig->mem.fail_at = call;
        rig->mem.fail_error = SDB_EIO;
        sdb_textfile_init(&text, &rig->fs, "/e");
        assert_int_equal(sdb_textfile_puts(&text, "text"), 0);
        assert_int_equal(sdb_textfile_flush(&text), SDB_EIO);
        assert_int_equal(memfs_open_handles(&rig->mem), 0);
    }
}

static void test_verify(void **state) {
    struct rig *rig = *state;
    struct package_hash sha256;
    static struct sdb_verify v;
    uint8_t digest[32], buf[3];
    package_hash_init(&sha256, MBEDTLS_MD_SHA256);
    sdb_textfile_init(&text, &rig->fs, "/app/.manifest");
    memfs_dir(&rig->mem, "/app");
    const char *texts[] = {"", "one", "a longer text", "four"};
    const char *paths[] = {"app/empty", "app/one", "lib/two", "app/four"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        UNIT_CASE(i);
        char full[32];
        snprintf(full, sizeof full, "/%s", paths[i]);
        memfs_text(&rig->mem, full, texts[i]);
        digest_of(texts[i], digest);
        assert_int_equal(sdb_manifest_add(&text, digest, paths[i], false), 0);
    }
    assert_int_equal(sdb_textfile_flush(&text), 0);
    sdb_verify_init(&v, &rig->fs, &sha256.hash, "app", buf, sizeof buf);
    for (size_t i = 0; i < COUNT(texts); i++) {
        UNIT_CASE(i);
        assert_int_equal(sdb_verify_next(&v), 1);
    }
    assert_int_equal(sdb_verify_next(&v), 0);
    sdb_verify_init(&v, &rig->fs, &sha256.hash, "app", buf, sizeof buf);
    assert_int_equal(sdb_verify_all(&v), 0);

    memfs_text(&rig->mem, "/app/one", "two");
    memfs_delete(&rig->mem, "/lib/two");
    sdb_verify_init(&v, &rig->fs, &sha256.hash, "app", buf, sizeof buf);
    const int results[] = {1, SDB_EVERIFY, SDB_EVERIFY, 1, 0};
    for (size_t i = 0; i < COUNT(results); i++) {
        UNIT_CASE(i);
        assert_int_equal(sdb_verify_next(&v), results[i]);
        if (results[i] == SDB_EVERIFY) {
            assert_string_equal(v.path + 1, paths[i]);
        }
    }
    sdb_verify_init(&v, &rig->fs, &sha256.hash, "app", buf, sizeof buf);
    assert_int_equal(sdb_verify_all(&v), SDB_EVERIFY);
    assert_int_equal(memfs_open_handles(&rig->mem), 0);
    sdb_verify_init(&v, &rig->fs, &sha256.hash, "other", buf, sizeof buf);
    assert_int_equal(sdb_verify_all(&v), 0); // no manifest: nothing to say against it
    sdb_verify_init(&v, &rig->fs, &sha256.hash, "other", buf, sizeof buf);
    assert_int_equal(sdb_verify_next(&v), SDB_ENOENT);
    package_hash_free(&sha256);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_lines),  TEST(test_bad_lines), TEST(test_path_lengths),
        TEST(test_errors), TEST(test_verify),
    };
    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
