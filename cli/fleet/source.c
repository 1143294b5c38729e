// SPDX-License-Identifier: MIT
#include "cli/fleet/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/tool.h"

#define SOURCE_BLOCK 65536

struct source {
    struct logformat format;
    source_line *each;
    void *ctx;
    size_t fill;
    bool going;
    char line[SOURCE_LINE];
};

static void give(struct source *s, const char *line, size_t len) {
    if (len > 0 && line[len - 1] == '\r') {
        len--;
    }
    s->going = s->each(s->ctx, &s->format, line, len);
}

// Lines that are whole are looked at where they are.
static void feed(struct source *s, const char *data, size_t len) {
    while (len > 0 && s->going) {
        const char *end = memchr(data, '\n', len);
        size_t n = end != NULL ? (size_t)(end - data) : len;
        if (end != NULL && s->fill == 0) {
            give(s, data, n < SOURCE_LINE ? n : SOURCE_LINE);
        } else {
            size_t room = SOURCE_LINE - s->fill;
            memcpy(s->line + s->fill, data, n < room ? n : room);
            s->fill += n < room ? n : room;
            if (end != NULL) {
                give(s, s->line, s->fill);
                s->fill = 0;
            }
        }
        n += end != NULL;
        data += n;
        len -= n;
    }
}

uint64_t source_read(const char *path, source_line *each, void *ctx) {
    struct source *s = tool_alloc(sizeof *s);
    struct archive *a = archive_read_new();
    struct archive_entry *entry;
    uint64_t total = 0;
    struct stat st;
    const void *data;
    size_t len;
    la_int64_t at;
    s->each = each;
    s->ctx = ctx;
    s->going = true;
    bool is_stdin = strcmp(path, "-") == 0;
    if (!is_stdin && stat(path, &st) != 0) {
        tool_die("%s: %s", path, strerror(errno));
    }
    if (!is_stdin && S_ISDIR(st.st_mode)) {
        tool_die("%s: a folder; give log files", path);
    }
    archive_read_support_filter_all(a);
    archive_read_support_format_raw(a);
    archive_read_support_format_empty(a);
    int res = is_stdin ? archive_read_open_fd(a, STDIN_FILENO, SOURCE_BLOCK)
                       : archive_read_open_filename(a, path, SOURCE_BLOCK);
    if (res == ARCHIVE_OK) {
        res = archive_read_next_header(a, &entry);
    }
    while (res == ARCHIVE_OK && s->going) {
        res = archive_read_data_block(a, &data, &len, &at);
        if (res == ARCHIVE_OK) {
            total += len;
            feed(s, data, len);
        }
    }
    if (res != ARCHIVE_EOF && s->going) {
        tool_die("%s: %s", path,
                 archive_error_string(a) ? archive_error_string(a) : "can't be read");
    }
    if (s->fill > 0 && s->going) {
        give(s, s->line, s->fill);
    }
    archive_read_free(a);
    free(s);
    return total;
}

struct dated {
    char *path;
    int64_t first;
    size_t place;
};

static bool first_time(void *ctx, struct logformat *f, const char *line, size_t len) {
    int64_t *t = ctx;
    *t = logline_time(f, line, len);
    return *t == 0;
}

static int by_time(const void *a, const void *b) {
    const struct dated *x = a;
    const struct dated *y = b;
    return x->first != y->first ? (x->first < y->first ? -1 : 1)
                                : (x->place > y->place) - (x->place < y->place);
}

void source_sort(char **paths, size_t count) {
    struct dated *list = tool_alloc(count * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct dated){paths[i], INT64_MAX, i};
        if (strcmp(paths[i], "-") != 0) {
            source_read(paths[i], first_time, &list[i].first);
        }
    }
    qsort(list, count, sizeof *list, by_time);
    for (size_t i = 0; i < count; i++) {
        paths[i] = list[i].path;
    }
    free(list);
}
