// SPDX-License-Identifier: MIT
// The emulator's services by semihosting: a trap with the number of a call and its arguments, in
// the words of Arm's specification "Semihosting for AArch32 and AArch64", which RISC-V shares.
#include <string.h>

#include "emu.h"

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_SEEK = 0x0a,
    SYS_FLEN = 0x0c,
    SYS_TIME = 0x11,
    SYS_EXIT_EXTENDED = 0x20,
    SYS_ELAPSED = 0x30,
};

#define APPLICATION_EXIT 0x20026

static int32_t semi_call(uint32_t number, void *arguments) {
#if defined(__riscv)
    register uint32_t a0 __asm__("a0") = number;
    register void *a1 __asm__("a1") = arguments;
    // The three instructions must be of 32 bits and on one page.
    __asm__ volatile(".option push\n"
                     ".option norvc\n"
                     ".balign 16\n"
                     "slli zero, zero, 0x1f\n"
                     "ebreak\n"
                     "srai zero, zero, 7\n"
                     ".option pop\n"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return (int32_t)a0;
#else
    register uint32_t r0 __asm__("r0") = number;
    register void *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
#endif
}

static int semi_open(const char *path, uint32_t mode) {
    uint32_t arg[3] = {(uint32_t)path, mode, strlen(path)};
    return semi_call(SYS_OPEN, arg);
}

int emu_std(enum emu_std which) {
    static int files[EMU_STDERR + 1]; // plus one
    if (files[which] == 0) {
        files[which] = 1 + semi_open(which == EMU_STDOUT ? "/dev/stdout" : "/dev/stderr", 9);
    }
    return files[which] - 1;
}

int emu_open(const char *path, enum sim_file_mode mode) {
    // fopen's "rb", "r+b", "wb", "ab".
    static const uint8_t modes[] = {
        [SIM_FILE_READ] = 1,
        [SIM_FILE_UPDATE] = 3,
        [SIM_FILE_CREATE] = 5,
        [SIM_FILE_APPEND] = 9,
    };
    return semi_open(path, modes[mode]);
}

void emu_close(int file) {
    uint32_t arg[1] = {(uint32_t)file};
    semi_call(SYS_CLOSE, arg);
}

int64_t emu_size(int file) {
    uint32_t arg[1] = {(uint32_t)file};
    return semi_call(SYS_FLEN, arg);
}

bool emu_seek(int file, uint64_t offset) {
    uint32_t arg[2] = {(uint32_t)file, (uint32_t)offset};
    return offset <= INT32_MAX && semi_call(SYS_SEEK, arg) == 0;
}

int emu_read(int file, void *buf, size_t len) {
    uint32_t arg[3] = {(uint32_t)file, (uint32_t)buf, len};
    int32_t left = semi_call(SYS_READ, arg);
    return left < 0 ? -1 : (int)(len - (uint32_t)left);
}

bool emu_write(int file, const void *buf, size_t len) {
    uint32_t arg[3] = {(uint32_t)file, (uint32_t)buf, len};
    return semi_call(SYS_WRITE, arg) == 0;
}

uint64_t emu_elapsed_ns(void) {
    uint32_t arg[2] = {0, 0};
    semi_call(SYS_ELAPSED, arg);
    return (uint64_t)arg[1] << 32 | arg[0];
}

uint32_t emu_seconds(void) {
    return (uint32_t)semi_call(SYS_TIME, NULL);
}

_Noreturn void emu_exit(int status) {
    uint32_t arg[2] = {APPLICATION_EXIT, (uint32_t)status};
    for (;;) {
        semi_call(SYS_EXIT_EXTENDED, arg);
    }
}
