// SPDX-License-Identifier: MIT
#include "list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/web/details.h"

#define BLANKS " \t\r"

static bool is_ours(const char *line) {
    return line[0] == '#' && sdb_details_is(line + 1);
}

char *list_word(const char *line, const char *key) {
    size_t len = strlen(key);
    if (!is_ours(line)) {
        return NULL;
    }
    for (const char *p = line; *(p += strspn(p, BLANKS)) != '\0'; p += strcspn(p, BLANKS)) {
        if (strncmp(p, key, len) == 0 && p[len] == '=') {
            return tool_format("%.*s", (int)strcspn(p + len + 1, BLANKS), p + len + 1);
        }
    }
    return NULL;
}

// The line with key=value in it, in the place of what it said before.
static char *with_word(const char *line, const char *key, const char *value) {
    size_t len = strlen(key);
    char *out = tool_format("%s", "");
    bool done = value == NULL;
    for (const char *p = line; *(p += strspn(p, BLANKS)) != '\0'; p += strcspn(p, BLANKS)) {
        int n = (int)strcspn(p, BLANKS);
        bool is_it = strncmp(p, key, len) == 0 && p[len] == '=';
        char *longer;
        if (is_it && (value == NULL || done)) {
            continue;
        }
        const char *gap = *out != '\0' ? " " : "";
        if (is_it) {
            longer = tool_format("%s%s%s=%s", out, gap, key, value);
            done = true;
        } else {
            longer = tool_format("%s%s%.*s", out, gap, n, p);
        }
        free(out);
        out = longer;
    }
    if (!done) {
        char *longer = tool_format("%s %s=%s", out, key, value);
        free(out);
        out = longer;
    }
    return out;
}

bool list_is_about(const struct site *site, size_t i, const char *file) {
    char *name = list_word(site->lines[i].text, "file");
    bool is_it = name != NULL && strcmp(name, file) == 0;
    free(name);
    return is_it;
}

char *list_detail(const struct site *site, const char *file, const char *key) {
    for (size_t i = site->count; i-- > 0;) {
        if (list_is_about(site, i, file)) {
            return list_word(site->lines[i].text, key);
        }
    }
    return NULL;
}

void list_insert(struct site *site, size_t at, char *text, const struct sdb_release *release) {
    site->lines = realloc(site->lines, (site->count + 1) * sizeof *site->lines);
    if (site->lines == NULL) {
        tool_die("out of memory");
    }
    memmove(site->lines + at + 1, site->lines + at, (site->count - at) * sizeof *site->lines);
    memset(&site->lines[at], 0, sizeof site->lines[at]);
    site->lines[at].text = text;
    if (release != NULL) {
        site->lines[at].is_release = true;
        site->lines[at].release = *release;
    }
    site->count++;
}

void list_remove(struct site *site, size_t at) {
    free(site->lines[at].text);
    memmove(site->lines + at, site->lines + at + 1, (site->count - at - 1) * sizeof *site->lines);
    site->count--;
}

static bool is_of_list(const char *line) {
    char *file = list_word(line, "file");
    bool is_it = is_ours(line) && file == NULL;
    free(file);
    return is_it;
}

void list_set(struct site *site, size_t release, const char *file, const char *key,
              const char *value) {
    size_t i = site->count;
    if (file != NULL) {
        for (i = release; i > 0 && !list_is_about(site, i - 1, file); i--) {
        }
        i = i > 0 ? i - 1 : site->count;
    } else {
        for (size_t k = 0; k < site->count && i == site->count; k++) {
            char *known =
                is_of_list(site->lines[k].text) ? list_word(site->lines[k].text, key) : NULL;
            i = known != NULL ? k : i;
            free(known);
        }
        for (size_t k = 0; k < site->count && i == site->count; k++) {
            i = is_of_list(site->lines[k].text) ? k : i;
        }
    }
    if (i == site->count) {
        if (value == NULL) {
            return;
        }
        i = file != NULL ? release : 0;
        list_insert(site, i,
                    file != NULL ? tool_format("# sdboot file=%s", file) : tool_format("# sdboot"),
                    NULL);
    }
    char *line = with_word(site->lines[i].text, key, value);
    free(site->lines[i].text);
    site->lines[i].text = line;
}

void list_withdraw(struct site *site, size_t i) {
    char *file = tool_format("%s", site->lines[i].release.file);
    bool shared = false;
    list_remove(site, i);
    for (size_t k = 0; k < site->count; k++) {
        shared |= site->lines[k].is_release && strcmp(site->lines[k].release.file, file) == 0;
    }
    for (size_t k = site->count; !shared && k-- > 0;) {
        if (list_is_about(site, k, file)) {
            list_remove(site, k);
        }
    }
    free(file);
}

// ---- Publishing ---------------------------------------------------------------------------------

static char *list_text(const struct site *site) {
    char *text = tool_format("%s", "");
    for (size_t i = 0; i < site->count; i++) {
        char *longer = tool_format("%s%s\n", text, site->lines[i].text);
        free(text);
        text = longer;
    }
    return text;
}

// Would a board read it?
static void check(const char *text) {
    struct sdb_versions v;
    int res = sdb_versions_init(&v, "0", NULL, true);
    if (res == 0) {
        res = sdb_versions_feed(&v, text, strlen(text));
    }
    if (res == 0) {
        res = sdb_versions_finish(&v);
    }
    if (res < 0 && res != SDB_EVER_GARBAGE) { // an empty one, when the last is withdrawn
        tool_refuse("boards would refuse the list: %s", sdb_strerror(res));
    }
}

// Signed lists are numbered: an old one can't be served again then.
static void count_on(struct site *site) {
    unsigned long seq = 0;
    for (size_t i = 0; i < site->count; i++) {
        char *said = is_of_list(site->lines[i].text) ? list_word(site->lines[i].text, "seq") : NULL;
        seq = said != NULL ? strtoul(said, NULL, 10) : seq;
        free(said);
    }
    if (seq >= UINT32_MAX) {
        tool_die("the list has the highest number that there is, %lu", seq);
    }
    char *next = tool_format("%lu", seq + 1);
    list_set(site, 0, NULL, "seq", next);
    free(next);
}

void list_publish(struct site *site, const char *folder, const struct minisign_secret *secret,
                  const char *comment, bool unsigned_too) {
    char *versions = tool_format("%s/versions", folder);
    char *signature = tool_format("%s/versions.minisig", folder);
    bool is_signed = access(signature, F_OK) == 0;
    if (secret != NULL) {
        count_on(site);
    } else if (is_signed && !unsigned_too) {
        tool_refuse("%s is signed: give the key with -k, or boards with a key would refuse it",
                    versions);
    }
    char *text = list_text(site);
    check(text);
    if (secret != NULL) {
        char *made = minisign_sign(secret, text, strlen(text), comment);
        tool_write(signature, made, strlen(made), 0644);
        free(made);
    } else if (is_signed) {
        tool_warn("%s is of an older list: sdboot sign -s KEY %s", signature, versions);
    }
    tool_write(versions, text, strlen(text), 0644);
    free(text);
    free(versions);
    free(signature);
}
