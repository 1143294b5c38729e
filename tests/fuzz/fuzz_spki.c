// SPDX-License-Identifier: MIT
// Certificates: no byte beyond them is read, and the key is a piece of them.
#include "fuzz.h"
#include "core/web/spki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t len = 0;
    const uint8_t *key = sdb_spki(data, size, &len);
    if (key != NULL) {
        CHECK(key > data && len >= 2 && key + len <= data + size && key[0] == 0x30);
    }
    return 0;
}
