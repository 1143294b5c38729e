// SPDX-License-Identifier: MIT
// sim/board.h's files of the host, on the emulator's streams.
#include <string.h>

#include "emu.h"

int sim_file_open(const char *path, enum sim_file_mode mode) {
    return emu_open(path, mode);
}

void sim_file_close(int file) {
    emu_close(file);
}

int64_t sim_file_size(int file) {
    return emu_size(file);
}

bool sim_file_read(int file, uint64_t offset, void *buf, size_t len) {
    uint8_t *at = buf;
    if (!emu_seek(file, offset)) {
        return false;
    }
    while (len != 0) {
        int n = emu_read(file, at, len);
        if (n <= 0) {
            return false;
        }
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool sim_file_write(int file, uint64_t offset, const void *buf, size_t len) {
    return emu_seek(file, offset) && emu_write(file, buf, len);
}

const uint8_t *sim_file_map(int file, size_t len) {
    (void)file;
    (void)len;
    return NULL;
}

bool sim_file_append(int file, const char *text) {
    return emu_write(file, text, strlen(text));
}

int64_t sim_host_clock_ns(void) {
    return emu_seconds() * 1000000000LL;
}
