// SPDX-License-Identifier: MIT
#include "remote.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/web/http.h"
#include "core/web/minisign.h"
#include "core/web/url.h"
#include "list.h"
#include "site.h"
#include "tool.h"

#define REDIRECTS 5          // that a board follows
#define STALE_SECONDS 300    // that a list may be old without a note
#define INDEX_MAX (1u << 20) // bytes of a package's index
#define TIMEOUT 60L          // seconds without a byte
#define HEADS 4096           // bytes of a header's value that are looked at

// An answer, and what a board's own code says of its head.
struct reply {
    long status;
    struct sdb_http http;
    int error; // of that code
    char location[SDB_URL_MAX + 1];
    char etag[HEADS], range[HEADS], coding[HEADS], cache[HEADS];
    bool has_length;
    FILE *out;
    uint64_t bytes;
    uint64_t most; // no more are taken
};

struct remote {
    CURL *curl;
    const char *ca;
    remote_fault *fault, *note;
    char error[CURL_ERROR_SIZE];
};

bool remote_is_url(const char *text) {
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

static void take(const char *line, size_t len, const char *name, char *out) {
    size_t n = strlen(name);
    if (len <= n || strncasecmp(line, name, n) != 0) {
        return;
    }
    while (n < len && (line[n] == ' ' || line[n] == '\t')) {
        n++;
    }
    while (len > n && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' ')) {
        len--;
    }
    snprintf(out, HEADS, "%.*s", (int)(len - n), line + n);
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx) {
    struct reply *r = ctx;
    size_t len = size * count;
    char *copy = tool_format("%.*s", (int)len, data);
    take(data, len, "ETag:", r->etag);
    take(data, len, "Content-Range:", r->range);
    take(data, len, "Content-Encoding:", r->coding);
    take(data, len, "Cache-Control:", r->cache);
    if (strncmp(data, "HTTP/2", 6) != 0 && r->error == 0) {
        int res = sdb_http_feed(&r->http, copy, strlen(copy));
        r->error = res < 0 ? res : 0;
    }
    free(copy);
    return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx) {
    struct reply *r = ctx;
    size_t len = size * count;
    r->bytes += len;
    if (r->bytes > r->most) {
        return 0;
    }
    return r->out != NULL && fwrite(data, 1, len, r->out) != len ? 0 : len;
}

// One request. Returns curl's result.
static CURLcode ask(struct remote *m, const char *url, const char *header, const char *range,
                    struct reply *r) {
    struct curl_slist *headers = curl_slist_append(NULL, "Accept:");
    if (header != NULL) {
        headers = curl_slist_append(headers, header);
    }
    sdb_http_init(&r->http, r->location, sizeof r->location);
    curl_easy_reset(m->curl);
    curl_easy_setopt(m->curl, CURLOPT_URL, url);
    curl_easy_setopt(m->curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(m->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(m->curl, CURLOPT_USERAGENT, "sdboot-verify/" SDBOOT_VERSION);
    curl_easy_setopt(m->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(m->curl, CURLOPT_RANGE, range);
    curl_easy_setopt(m->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(m->curl, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(m->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(m->curl, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(m->curl, CURLOPT_ERRORBUFFER, m->error);
    curl_easy_setopt(m->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(m->curl, CURLOPT_CONNECTTIMEOUT, TIMEOUT);
    curl_easy_setopt(m->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(m->curl, CURLOPT_LOW_SPEED_TIME, TIMEOUT);
    if (m->ca != NULL) {
        curl_easy_setopt(m->curl, CURLOPT_CAINFO, m->ca);
    }
    m->error[0] = '\0';
    CURLcode res = curl_easy_perform(m->curl);
    curl_easy_getinfo(m->curl, CURLINFO_RESPONSE_CODE, &r->status);
    curl_slist_free_all(headers);
    return res;
}

static void fault_of(struct remote *m, const char *url, CURLcode res) {
    m->fault(url, m->error[0] != '\0' ? m->error : curl_easy_strerror(res));
}

static void hold(char *url, const char *text) {
    snprintf(url, SDB_URL_MAX + 1, "%s", text);
}

// Where a redirect leads, into `url`. Returns false, and says why, if a board does not follow.
static bool follow(struct remote *m, char *url, const struct reply *r) {
    char next[SDB_URL_MAX + 1];
    int res = sdb_url_resolve(url, strlen(url), r->location, strlen(r->location), next);
    if (res < 0 || r->location[0] == '\0') {
        m->fault(url, res < 0 ? sdb_strerror(res) : "a redirect that leads nowhere");
        return false;
    }
    if (strncmp(url, "https:", 6) == 0 && strncmp(next, "https:", 6) != 0) {
        m->fault(url, "redirects from https to http: boards don't follow");
        return false;
    }
    hold(url, next);
    return true;
}

// Fetches `url`, redirects followed, into the file `path`. `url` becomes where it was in the end.
// Returns the status, 0 if there was no answer of use.
static long fetch(struct remote *m, char *url, const char *path, uint64_t most, struct reply *r) {
    for (int i = 0; i <= REDIRECTS; i++) {
        memset(r, 0, sizeof *r);
        r->most = most;
        r->out = fopen(path, "wb");
        if (r->out == NULL) {
            tool_die("%s: %s", path, strerror(errno));
        }
        CURLcode res = ask(m, url, NULL, NULL, r);
        if (fclose(r->out) != 0) {
            tool_die("%s: %s", path, strerror(errno));
        }
        if (res == CURLE_WRITE_ERROR && r->bytes > most) {
            m->fault(url, "is larger than a board takes");
            return 0;
        }
        if (res != CURLE_OK && res != CURLE_PARTIAL_FILE && r->status == 0) {
            fault_of(m, url, res);
            return 0;
        }
        if (r->error < 0) {
            m->fault(url, sdb_strerror(r->error));
            return 0;
        }
        if (res != CURLE_OK) {
            fault_of(m, url, res);
            return 0;
        }
        if (r->status < 300 || r->status >= 400 || r->status == 304) {
            return r->status;
        }
        if (!follow(m, url, r)) {
            return 0;
        }
    }
    m->fault(url, "more than five redirects: boards don't follow");
    return 0;
}

// How old a cache on the way may serve the list.
static long max_age(const char *cache) {
    const char *at = strstr(cache, "max-age=");
    return strstr(cache, "no-cache") != NULL || strstr(cache, "no-store") != NULL ? 0
           : at != NULL                                                           ? atol(at + 8)
                                                                                  : -1;
}

static void check_list(struct remote *m, const char *url, const struct reply *r) {
    struct reply again = {.most = SDB_VERSIONS_MAX};
    char *condition = tool_format("If-None-Match: %s", r->etag);
    if (max_age(r->cache) > STALE_SECONDS) {
        char *why = tool_format("may be served from caches for %ld s: boards learn of a release so "
                                "much later (Cache-Control)",
                                max_age(r->cache));
        m->note(url, why);
        free(why);
    }
    if (r->etag[0] == '\0') {
        m->note(url, "no ETag: the whole list is sent each time");
    } else if (ask(m, url, condition, NULL, &again) == CURLE_OK && again.status != 304) {
        m->note(url, "is sent again although it has not changed (If-None-Match)");
    }
    free(condition);
}

// A board asks for a part when it goes on with an update.
static void check_range(struct remote *m, const char *url, uint64_t size) {
    struct reply r = {.most = size};
    char *expected = tool_format("bytes 512-1023/%llu", (unsigned long long)size);
    CURLcode res = size >= 1024 ? ask(m, url, NULL, "512-1023", &r) : CURLE_OK;
    if (size < 1024) {
    } else if (r.status == 200) {
        m->note(url, "no parts (Range): what was interrupted begins anew");
    } else if (res != CURLE_OK || r.status != 206 || r.bytes != 512) {
        m->fault(url, "a part that is asked for (Range) comes as something else");
    } else if (strcmp(r.range, expected) != 0) {
        m->fault(url, "says of a part that it is another one (Content-Range)");
    }
    free(expected);
}

static char *join(const char *base, const char *name) {
    size_t len = strlen(base);
    return tool_format("%.*s/%s", (int)(len > 0 && base[len - 1] == '/' ? len - 1 : len), base,
                       name);
}

// Fetches `name`. Returns the status.
static long get(struct remote *m, const char *base, const char *name, const char *to, uint64_t most,
                char *url, struct reply *r) {
    char *first = join(base, name);
    char *path = tool_format("%s/%s", to, name);
    long status = 0;
    if (strlen(first) > SDB_URL_MAX) {
        m->fault(first, sdb_strerror(SDB_EURL_LONG));
    } else {
        hold(url, first);
        status = fetch(m, url, path, most, r);
    }
    if (status != 200) {
        remove(path);
    }
    free(first);
    free(path);
    return status;
}

static void get_packages(struct remote *m, const char *base, const char *to) {
    struct site site;
    char url[SDB_URL_MAX + 1];
    static struct reply r;
    site_read(&site, to);
    for (size_t i = 0; i < site.count; i++) {
        const char *file = site.lines[i].release.file;
        bool again = false;
        for (size_t k = 0; k < i; k++) {
            again |= site.lines[k].is_release && strcmp(site.lines[k].release.file, file) == 0;
        }
        if (!site.lines[i].is_release || again) {
            continue;
        }
        if (file[0] == '/' || strstr(file, "..") != NULL) { // not out of our folder
            m->fault(file, "is not below the list's URL");
            continue;
        }
        char *path = tool_format("%s/%s", to, file);
        tool_make_parents(path, strlen(to) + 1);
        long status = get(m, base, file, to, UINT32_MAX, url, &r);
        if (status != 200 && status != 0) {
            char *why = tool_format("the server answers %ld", status);
            m->fault(url, why);
            free(why);
        } else if (status == 200) {
            if (!r.http.has_length) {
                m->note(url, "no length is announced: no progress, and a cut is noticed late");
            }
            check_range(m, url, r.bytes);
        }
        char *said = list_detail(&site, file, "index");
        char *index = tool_format("%s.idx", file);
        if (said != NULL) { // that it is missing is seen in the folder
            get(m, base, index, to, INDEX_MAX, url, &r);
        }
        free(index);
        free(said);
        free(path);
    }
    site_free(&site);
}

bool remote_fetch(const char *base, const char *to, const char *ca, remote_fault *fault,
                  remote_fault *note) {
    struct remote m = {.ca = ca, .fault = fault, .note = note};
    struct sdb_url parts;
    char url[SDB_URL_MAX + 1];
    static struct reply r;
    int bad = sdb_url_split(&parts, base, strlen(base));
    if (bad < 0) {
        tool_die("%s: %s", base, sdb_strerror(bad));
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    m.curl = curl_easy_init();
    if (m.curl == NULL) {
        tool_die("out of memory");
    }
    long status = get(&m, base, "versions", to, SDB_VERSIONS_MAX, url, &r);
    if (status == 200) {
        check_list(&m, url, &r);
        get(&m, base, "versions.minisig", to, SDB_MINISIG_MAX, url, &r);
        get_packages(&m, base, to);
    } else if (status != 0) {
        char *why = tool_format("the server answers %ld", status);
        fault(url, why);
        free(why);
    }
    curl_easy_cleanup(m.curl);
    return status == 200;
}
