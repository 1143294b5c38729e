// SPDX-License-Identifier: MIT
// Versions, up to three of them with a space between: their order must be one.
#include "fuzz.h"
#include "core/semver.h"

static int sign(int n) {
    return (n > 0) - (n < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_string(data, size);
    const char *v[3];
    int n = 0;
    for (char *part = strtok(text, " "); part && n < 3; part = strtok(NULL, " ")) {
        if (sdb_semver_valid(part)) {
            v[n++] = part;
        }
    }
    for (int i = 0; i < n; i++) {
        CHECK(sdb_semver_compare(v[i], v[i]) == 0);
        for (int k = 0; k < n; k++) {
            int order = sign(sdb_semver_compare(v[i], v[k]));
            CHECK(order == -sign(sdb_semver_compare(v[k], v[i])));
            for (int m = 0; m < n; m++) {
                int next = sign(sdb_semver_compare(v[k], v[m]));
                int both = sign(sdb_semver_compare(v[i], v[m]));
                CHECK(order != next || both == order);
                CHECK(order != 0 || both == next);
            }
        }
    }
    free(text);
    return 0;
}
