// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void tool_say(const char *format, va_list ap) {
    fflush(stdout);
    fputs("sdboot: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
}

void tool_die(const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    tool_say(format, ap);
    va_end(ap);
    exit(TOOL_TROUBLE);
}

void tool_refuse(const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    tool_say(format, ap);
    va_end(ap);
    exit(TOOL_BAD);
}

void tool_warn(const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    tool_say(format, ap);
    va_end(ap);
}

void *tool_alloc(size_t size) {
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory == NULL) {
        tool_die("out of memory");
    }
    return memory;
}

char *tool_format(const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    int len = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    char *text = tool_alloc((size_t)len + 1);
    va_start(ap, format);
    vsnprintf(text, (size_t)len + 1, format, ap);
    va_end(ap);
    return text;
}

bool tool_read(const char *path, size_t most, struct tool_text *text) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        if (errno == ENOENT) {
            return false;
        }
        tool_die("%s: %s", path, strerror(errno));
    }
    size_t room = 4096;
    text->data = tool_alloc(room);
    text->len = 0;
    size_t n;
    while ((n = fread(text->data + text->len, 1, room - 1 - text->len, f)) > 0) {
        text->len += n;
        if (text->len > most) {
            tool_die("%s: larger than %zu bytes", path, most);
        }
        if (text->len == room - 1) {
            room *= 2;
            text->data = realloc(text->data, room);
            if (text->data == NULL) {
                tool_die("out of memory");
            }
        }
    }
    if (ferror(f)) {
        tool_die("%s: %s", path, strerror(errno));
    }
    fclose(f);
    text->data[text->len] = '\0';
    return true;
}

// Has the name of a file reached the disk? A rename is only safe when its folder is.
static void tool_sync_folder(const char *path) {
    char *copy = tool_format("%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY);
    if (fd < 0 || fsync(fd) != 0) {
        tool_die("%s: %s", path, strerror(errno));
    }
    close(fd);
    free(copy);
}

void tool_replace(const char *from, const char *to) {
    int fd = open(from, O_RDONLY);
    if (fd < 0 || fsync(fd) != 0) {
        tool_die("%s: %s", from, strerror(errno));
    }
    close(fd);
    if (rename(from, to) != 0) {
        tool_die("%s: %s", to, strerror(errno));
    }
    tool_sync_folder(to);
}

void tool_write(const char *path, const void *data, size_t len, unsigned mode) {
    char *fresh = tool_format("%s.new", path);
    unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (fd < 0) {
        tool_die("%s: %s", fresh, strerror(errno));
    }
    const char *from = data;
    while (len > 0) {
        ssize_t n = write(fd, from, len);
        if (n < 0) {
            int error = errno;
            unlink(fresh);
            tool_die("%s: %s", path, strerror(error));
        }
        from += n;
        len -= (size_t)n;
    }
    if (close(fd) != 0) {
        tool_die("%s: %s", path, strerror(errno));
    }
    tool_replace(fresh, path);
    free(fresh);
}

const char *tool_value(const char *option, const char *value) {
    if (value == NULL || *value == '\0') {
        tool_die("%s needs a value", option);
    }
    return value;
}

void tool_make_parents(char *path, size_t from) {
    for (char *p = path + from; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        if (*path != '\0' && mkdir(path, 0777) != 0 && errno != EEXIST) {
            tool_die("%s: %s", path, strerror(errno));
        }
        *p = '/';
    }
}

long tool_number(const char *option, const char *text, long least, long most) {
    char *end;
    errno = 0;
    long n = strtol(tool_value(option, text), &end, 10);
    if (errno != 0 || *end != '\0' || n < least || n > most) {
        tool_die("%s: \"%s\" is no number from %ld to %ld", option, text, least, most);
    }
    return n;
}

char *tool_day(const char *option, const char *text) {
    struct tm tm = {.tm_isdst = 0};
    char day[16];
    time_t when;
    if (text[0] == '+') {
        when = time(NULL) + tool_number(option, text + 1, 0, 36500) * 86400;
    } else {
        const char *end = strptime(text, "%Y-%m-%d", &tm);
        if (end == NULL || *end != '\0' || strlen(text) != 10) {
            tool_die("%s: \"%s\" is no day: 2027-01-31, or +90 for days from now on", option, text);
        }
        when = timegm(&tm);
    }
    gmtime_r(&when, &tm);
    strftime(day, sizeof day, "%Y-%m-%d", &tm);
    if (text[0] != '+' && strcmp(day, text) != 0) {
        tool_die("%s: there is no day %s", option, text);
    }
    return tool_format("%s", day);
}

int64_t tool_now(void) {
    const char *said = getenv("SOURCE_DATE_EPOCH");
    return said != NULL && *said != '\0' ? strtoll(said, NULL, 10) : (int64_t)time(NULL);
}

void tool_lock(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        tool_die("%s: %s", folder, strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        tool_die("%s: another sdboot works on it: try again", folder);
    }
}
