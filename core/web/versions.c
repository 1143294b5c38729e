// SPDX-License-Identifier: MIT
#include "core/web/versions.h"

#include <string.h>
#include "core/error.h"

int sdb_versions_init(struct sdb_versions *v, const char *current, const char *exclude,
                      bool force) {
    memset(v, 0, sizeof *v);
    v->current = current;
    v->exclude = exclude != NULL && sdb_semver_valid(exclude) ? exclude : NULL;
    v->force = force;
    v->details.current = current;
    return force || sdb_semver_valid(current) ? 0 : SDB_EVER_RUNNING;
}

void sdb_versions_for(struct sdb_versions *v, const struct sdb_details_board *board) {
    v->details.board = board;
}

static bool versions_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

// Cuts the next field off *line, without the blanks around it. The last one takes all the rest.
static char *versions_field(char **line, bool last) {
    char *field = *line;
    while (versions_blank(*field)) {
        field++;
    }
    char *end = field;
    while (*end && (last || *end != ';')) {
        end++;
    }
    *line = *end ? end + 1 : end;
    while (end > field && (versions_blank(end[-1]) || (last && end[-1] == ';'))) {
        end--;
    }
    *end = '\0';
    return field;
}

// A file name goes into a URL as it is: only what RFC 3986 allows in a path counts. '%' is left out
// as it could spell "..", ':' as it could make a URL of its own.
static bool versions_file_ok(const char *file) {
    static const char marks[] = "-._~!$&'()*+,=@";
    size_t len = 0; // of the component
    size_t dots = 0;
    for (;; file++) {
        char lower = (char)(*file | 0x20);
        if (*file == '/' || *file == '\0') {
            if (len == 0 || (len == dots && len <= 2)) {
                return false; // empty, "." or ".."
            }
            if (*file == '\0') {
                return true;
            }
            len = 0;
            dots = 0;
            continue;
        }
        if (!(*file >= '0' && *file <= '9') && !(lower >= 'a' && lower <= 'z')) {
            const char *m = marks;
            while (*m && *m != *file) {
                m++;
            }
            if (*m == '\0') {
                return false;
            }
        }
        len++;
        dots += *file == '.';
    }
}

static bool versions_text(const struct sdb_versions *v, const char *line) {
    for (const char *p = line; p < v->line + v->fill; p++) {
        if (((uint8_t)*p < ' ' && !versions_blank(*p)) || *p == '\x7f') {
            return false;
        }
    }
    return true;
}

static bool versions_newer(const char *version, const char *than) {
    return *than == '\0' || sdb_semver_compare(version, than) > 0;
}

// Takes a line that has all its bytes in v->line. Returns false if it is no release.
static bool versions_release(struct sdb_versions *v, char *line) {
    if (!versions_text(v, line)) {
        return false;
    }
    const char *version = versions_field(&line, false);
    const char *file = versions_field(&line, false);
    size_t version_len = strlen(version);
    size_t file_len = strlen(file);
    if (version_len > SDB_VERSION_MAX || file_len > SDB_FILE_MAX || !sdb_semver_valid(version) ||
        !versions_file_ok(file)) {
        return false;
    }
    struct sdb_release *best = &v->best;
    const struct sdb_details_file *said = sdb_details_find(&v->details, file);
    enum sdb_held why = sdb_details_held(&v->details, said, version, v->force);
    if (why != SDB_HELD_NOT) {
        if (versions_newer(version, v->held)) {
            memcpy(v->held, version, version_len + 1);
            v->why = (uint8_t)why;
        }
        return true;
    }
    if (v->exclude != NULL && sdb_semver_compare(version, v->exclude) <= 0) {
        v->excluded = v->excluded || (!v->force && sdb_semver_compare(version, v->current) > 0);
    } else if (best->version[0] == '\0' || sdb_semver_compare(version, best->version) >= 0) {
        memcpy(best->version, version, version_len + 1);
        memcpy(best->file, file, file_len + 1);
        const char *sha1 = versions_field(&line, true);
        best->has_sha1 = sdb_details_digest(sha1, best->sha1, sizeof best->sha1);
        best->has_sha256 = false;
        best->has_index = false;
        best->size = 0;
        if (said != NULL) {
            best->size = said->size;
            best->has_sha256 = said->has_sha256;
            best->has_index = said->has_index;
            memcpy(best->sha256, said->sha256, sizeof best->sha256);
            memcpy(best->index, said->index, sizeof best->index);
        }
    }
    return true;
}

static void versions_line(struct sdb_versions *v) {
    bool whole = v->fill <= SDB_VERSIONS_LINE_MAX;
    char *line = v->line;
    line[whole ? v->fill : SDB_VERSIONS_LINE_MAX] = '\0';
    // A byte order mark, which some editors put in front: UTF-8's, or UTF-16's, whose zeros are
    // gone.
    if (memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
    } else if (memcmp(line, "\xff\xfe", 2) == 0 || memcmp(line, "\xfe\xff", 2) == 0) {
        line += 2;
    }
    while (versions_blank(*line)) {
        line++;
    }
    bool nothing = *line == '#' || (whole && line == v->line + v->fill);
    if (*line == '#' && sdb_details_is(line + 1)) {
        // Cut short, or with bytes that no text has, it might say less than was meant.
        int res = whole && versions_text(v, line) ? sdb_details_line(&v->details, line + 1)
                                                  : SDB_EVER_LINE;
        v->error = v->error < 0 ? v->error : res;
    }
    if (!nothing) {
        uint16_t *count = whole && versions_release(v, line) ? &v->good : &v->bad;
        if (*count < UINT16_MAX) {
            ++*count;
        }
    }
    v->fill = 0;
}

int sdb_versions_feed(struct sdb_versions *v, const void *data, size_t len) {
    const char *p = data;
    if (v->total > SDB_VERSIONS_MAX || len > SDB_VERSIONS_MAX - v->total) {
        v->total = SDB_VERSIONS_MAX + 1; // for good
        return SDB_EVER_LONG;
    }
    v->total += (uint32_t)len;
    for (; len > 0; len--, p++) {
        if (*p == '\0') {
            v->zeros = true; // UTF-16, of PowerShell's ">>": what is left is ASCII
        } else if (*p == '\n') {
            versions_line(v);
        } else if (v->fill <= SDB_VERSIONS_LINE_MAX) {
            v->line[v->fill++] = *p; // one byte more than fits a line: it is too long then
        }
    }
    return 0;
}

int sdb_versions_finish(struct sdb_versions *v) {
    if (v->total > SDB_VERSIONS_MAX) {
        return SDB_EVER_LONG;
    }
    versions_line(v);
    if (v->good == 0 && (v->bad || v->zeros)) {
        return SDB_EVER_GARBAGE;
    }
    int res = v->error < 0 ? v->error : sdb_details_check(&v->details);
    if (res < 0 && (v->good || res != SDB_EVER_PRODUCT)) {
        return res; // of no product, but empty: nothing to be had there
    }
    const char *best = v->best.version;
    if (v->held[0] != '\0' &&
        ((*best && !versions_newer(v->held, best)) || !sdb_semver_valid(v->current) ||
         !versions_newer(v->held, v->current))) {
        v->held[0] = '\0';
        v->why = SDB_HELD_NOT;
    }
    if (*best == '\0' || (!v->force && sdb_semver_compare(best, v->current) <= 0)) {
        return 0;
    }
    return v->best.has_sha1 || v->best.has_sha256 ? 1 : SDB_EVER_HASH;
}
