// SPDX-License-Identifier: MIT
// The versions file: how it is cut must not matter, and what is chosen must be usable.
#include "fuzz.h"
#include "core/error.h"
#include "core/semver.h"
#include "core/web/versions.h"

static const struct sdb_details_board board = {
    .names = "esp32,ESP32_GENERIC",
    .channel = "beta",
    .product = "",
    .id = "\x24\x0a\xc4\0\0\1",
    .id_len = 6,
    .today = 20270131,
    .floor = 17,
};

static int run(const uint8_t *data, size_t size, uint32_t seed, uint8_t flags,
               struct sdb_versions *v) {
    sdb_versions_init(v, "1.2.3", "1.3.0", flags & 1);
    if (flags & 4) {
        sdb_versions_for(v, &board);
    }
    for (size_t n; size > 0; data += n, size -= n) {
        uint8_t *piece = fuzz_piece(data, size, &seed, &n);
        CHECK(sdb_versions_feed(v, piece, n) == 0); // too short to be too long
        free(piece);
    }
    return sdb_versions_finish(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sdb_versions whole, cut;
    if (size == 0) {
        return 0;
    }
    bool force = data[0] & 1;
    int res = run(data + 1, size - 1, 0, data[0], &whole);
    CHECK(run(data + 1, size - 1, data[0] | 0x100u, data[0], &cut) == res);
    CHECK(whole.good == cut.good && whole.bad == cut.bad && whole.total == size - 1);
    CHECK(memcmp(&whole.best, &cut.best, sizeof cut.best) == 0);
    bool whole_list = res == 0 || res == 1 || res == SDB_EVER_HASH;
    CHECK(whole_list || res == SDB_EVER_GARBAGE || res == SDB_EVER_LINE || res == SDB_EVER_OLD ||
          res == SDB_EVER_EXPIRED);
    CHECK((res == SDB_EVER_GARBAGE) == (whole.good == 0 && (whole.bad > 0 || whole.zeros)));
    CHECK(whole.excluded == cut.excluded);
    const struct sdb_details *said = &whole.details;
    CHECK(said->seq == cut.details.seq && said->expires == cut.details.expires);
    CHECK(strcmp(whole.held, cut.held) == 0 && whole.why == cut.why);
    if (whole_list && (data[0] & 4)) {
        CHECK(said->seq >= 17 && (said->expires == 0 || said->expires >= 20270131));
    }
    if (whole_list && whole.held[0] != '\0') {
        CHECK(whole.why > SDB_HELD_NOT && whole.why <= SDB_HELD_LOST);
        CHECK(sdb_semver_valid(whole.held) && sdb_semver_compare(whole.held, "1.2.3") > 0);
        CHECK(whole.best.version[0] == '\0' ||
              sdb_semver_compare(whole.held, whole.best.version) > 0);
    }
    const struct sdb_release *best = &whole.best;
    if (best->version[0] != '\0') {
        CHECK(sdb_semver_valid(best->version) && sdb_semver_compare(best->version, "1.3.0") > 0);
        bool newer = sdb_semver_compare(best->version, "1.2.3") > 0;
        CHECK(!whole_list || (res == 0) == !(force || newer));
        CHECK(res != 1 || best->has_sha1 || best->has_sha256);
        CHECK(best->file[0] != '\0' && best->file[0] != '/' &&
              best->file[strlen(best->file) - 1] != '/');
        CHECK(strpbrk(best->file, " \\:?#%;\"<>") == NULL && strstr(best->file, "//") == NULL);
        CHECK(strncmp(best->file, "../", 3) != 0 && strstr(best->file, "/../") == NULL);
        for (const char *p = best->file; *p; p++) {
            CHECK(*p > ' ' && *p < 0x7f);
        }
    }
    return 0;
}
