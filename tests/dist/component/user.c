// SPDX-License-Identifier: MIT
// Firmware in C that uses the component.
#include <stdio.h>

#include "core/error.h"
#include "core/journal/volume.h"
#include "core/release/boot.h"

int main(void) {
    puts(sdb_strerror(SDB_ENOSPC));
    return 0;
}
