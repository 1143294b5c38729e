// SPDX-License-Identifier: MIT
// Files of the host, for the card, the flash and the reports.
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "board.h"

int sim_file_open(const char *path, enum sim_file_mode mode) {
    static const int flags[] = {
        [SIM_FILE_READ] = O_RDONLY,
        [SIM_FILE_UPDATE] = O_RDWR,
        [SIM_FILE_CREATE] = O_WRONLY | O_CREAT | O_TRUNC,
        [SIM_FILE_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
    };
    return open(path, flags[mode], 0666);
}

void sim_file_close(int file) {
    close(file);
}

int64_t sim_file_size(int file) {
    struct stat st;
    return fstat(file, &st) == 0 ? st.st_size : -1;
}

bool sim_file_read(int file, uint64_t offset, void *buf, size_t len) {
    return pread(file, buf, len, (off_t)offset) == (ssize_t)len;
}

bool sim_file_write(int file, uint64_t offset, const void *buf, size_t len) {
    return pwrite(file, buf, len, (off_t)offset) == (ssize_t)len;
}

const uint8_t *sim_file_map(int file, size_t len) {
    void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, file, 0);
    return map == MAP_FAILED ? NULL : map;
}

bool sim_file_copy(int from, int to) {
    off_t size = lseek(from, 0, SEEK_END);
    if (size < 0 || ftruncate(to, size) != 0) {
        return false;
    }
    static char buf[65536];
    off_t at = 0;
    while ((at = lseek(from, at, SEEK_DATA)) >= 0) {
        off_t end = lseek(from, at, SEEK_HOLE);
        while (at < end) {
            size_t n = end - at < (off_t)sizeof(buf) ? (size_t)(end - at) : sizeof(buf);
            if (pread(from, buf, n, at) != (ssize_t)n || pwrite(to, buf, n, at) != (ssize_t)n) {
                return false;
            }
            at += (off_t)n;
        }
    }
    return true; // no more data
}

bool sim_file_append(int file, const char *text) {
    size_t len = strlen(text);
    return write(file, text, len) == (ssize_t)len;
}

int64_t sim_host_clock_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}
