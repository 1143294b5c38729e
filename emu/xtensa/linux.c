// SPDX-License-Identifier: MIT
// The emulator's services: system calls of Linux, which qemu-xtensa passes on to the host.
#include "emu.h"

enum {
    NR_OPEN = 8,
    NR_CLOSE = 9,
    NR_READ = 12,
    NR_WRITE = 13,
    NR_LSEEK = 15,
    NR_EXIT = 118,
    NR_CLOCK_GETTIME = 245,
};

enum { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT = 0100, O_TRUNC = 01000, O_APPEND = 02000 };
enum { SEEK_SET, SEEK_END = 2 };
enum { CLOCK_REALTIME, CLOCK_MONOTONIC };

int xt_syscall(int number, uintptr_t a, uintptr_t b, uintptr_t c); // start.S

int emu_std(enum emu_std which) {
    return (int)which;
}

int emu_open(const char *path, enum sim_file_mode mode) {
    static const int flags[] = {
        [SIM_FILE_READ] = O_RDONLY,
        [SIM_FILE_UPDATE] = O_RDWR,
        [SIM_FILE_CREATE] = O_WRONLY | O_CREAT | O_TRUNC,
        [SIM_FILE_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
    };
    return xt_syscall(NR_OPEN, (uintptr_t)path, (uintptr_t)flags[mode], 0666);
}

void emu_close(int file) {
    xt_syscall(NR_CLOSE, (uintptr_t)file, 0, 0);
}

int64_t emu_size(int file) {
    return xt_syscall(NR_LSEEK, (uintptr_t)file, 0, SEEK_END);
}

bool emu_seek(int file, uint64_t offset) {
    return offset <= INT32_MAX &&
           xt_syscall(NR_LSEEK, (uintptr_t)file, (uintptr_t)offset, SEEK_SET) >= 0;
}

int emu_read(int file, void *buf, size_t len) {
    return xt_syscall(NR_READ, (uintptr_t)file, (uintptr_t)buf, len);
}

bool emu_write(int file, const void *buf, size_t len) {
    const uint8_t *at = buf;
    while (len != 0) {
        int n = xt_syscall(NR_WRITE, (uintptr_t)file, (uintptr_t)at, len);
        if (n <= 0) {
            return false;
        }
        at += n;
        len -= (size_t)n;
    }
    return true;
}

uint64_t emu_elapsed_ns(void) {
    static uint64_t start;
    uint32_t time[2] = {0, 0};
    xt_syscall(NR_CLOCK_GETTIME, CLOCK_MONOTONIC, (uintptr_t)time, 0);
    uint64_t now = time[0] * 1000000000ull + time[1];
    if (start == 0) {
        start = now;
    }
    return now - start;
}

uint32_t emu_seconds(void) {
    uint32_t time[2] = {0, 0};
    xt_syscall(NR_CLOCK_GETTIME, CLOCK_REALTIME, (uintptr_t)time, 0);
    return time[0];
}

_Noreturn void emu_exit(int status) {
    for (;;) {
        xt_syscall(NR_EXIT, (uintptr_t)status, 0, 0);
    }
}
