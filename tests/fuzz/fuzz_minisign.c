// Signature files and lists of keys: whatever comes, no byte beyond the text is read, and what is
// accepted keeps its promises.
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
        (void)sdb_minisign_key(text + 8, size - 8, data, key);
    }
    return 0;
}
