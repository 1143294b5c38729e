// SPDX-License-Identifier: MIT
// Signature files and lists of keys: whatever comes, no byte beyond the text is read, and what is
// accepted keeps its promises.
#include "core/error.h"
#include "core/web/minisign.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sdb_minisig s;
    uint8_t key[32];
    const char *text = (const char *)data;
    if (sdb_minisig_parse(&s, text, size) == 0) {
        CHECK(s.comment >= text && s.comment + s.comment_len <= text + size);
        for (size_t i = 0; i < s.comment_len; i++) {
            CHECK(s.comment[i] != '\n');
        }
    }
    if (size >= 8) {
        int found = sdb_minisign_key(text + 8, size - 8, data, key);
        int count = sdb_minisign_count(text + 8, size - 8);
        CHECK(found == 0 || found == SDB_ESIG_KEY || found == SDB_ESIG_KEYS);
        CHECK(count >= 0 || count == SDB_ESIG_KEYS);
        CHECK(found != 0 || count != 0);
        CHECK((found == SDB_ESIG_KEYS) <= (count == SDB_ESIG_KEYS));
    }
    return 0;
}
