// SPDX-License-Identifier: MIT
#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A board keeps but the best of all lines: fed one line, it says what it makes of that.
static bool read_line(const char *line, size_t len, struct sdb_release *release) {
    struct sdb_versions v;
    if (sdb_versions_init(&v, "0", NULL, true) != 0 || sdb_versions_feed(&v, line, len) != 0 ||
        sdb_versions_feed(&v, "\n", 1) != 0) {
        return false;
    }
    int res = sdb_versions_finish(&v);
    *release = v.best;
    return v.good == 1 && (res == 1 || v.best.version[0] != '\0');
}

static void read_said(struct site *site, struct site_line *line) {
    if (line->is_release) {
        const struct sdb_details_file *f = sdb_details_find(&site->said, line->release.file);
        if (f != NULL) {
            line->release.has_sha256 = f->has_sha256;
            line->release.size = f->size;
            memcpy(line->release.sha256, f->sha256, sizeof f->sha256);
        }
        return;
    }
    const char *text = line->text + strspn(line->text, " \t");
    if (*text == '#' && sdb_details_is(text + 1)) {
        char *copy = tool_format("%s", text + 1);
        bool good =
            strlen(line->text) <= SDB_VERSIONS_LINE_MAX && sdb_details_line(&site->said, copy) == 0;
        site->unreadable = good || site->unreadable ? site->unreadable : site->count;
        free(copy);
    }
}

void site_read(struct site *site, const char *folder) {
    char *path = tool_format("%s/versions", folder);
    memset(site, 0, sizeof *site);
    site->said.current = "0";
    if (!tool_read(path, SDB_VERSIONS_MAX, &site->text)) {
        site->text.data = tool_format("%s", "");
    }
    free(path);
    const char *at = site->text.data;
    const char *end = at + site->text.len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        site->lines = realloc(site->lines, (site->count + 1) * sizeof *site->lines);
        if (site->lines == NULL) {
            tool_die("out of memory");
        }
        struct site_line *line = &site->lines[site->count++];
        line->text = tool_format("%.*s", (int)len, at);
        line->is_release = read_line(at, len, &line->release);
        read_said(site, line);
        at += len + 1;
    }
}

void site_free(struct site *site) {
    for (size_t i = 0; i < site->count; i++) {
        free(site->lines[i].text);
    }
    free(site->lines);
    free(site->text.data);
}
