// SPDX-License-Identifier: MIT
#include "cli/serve/answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/fleet/fleet.h"
#include "cli/serve/range.h"
#include "cli/tool.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *header(struct MHD_Connection *c, const char *name) {
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static void add(struct MHD_Response *r, const char *name, char *value) {
    MHD_add_response_header(r, name, value);
    free(value);
}

// Text of a request, fit for a log and a terminal.
static char *clean(const char *text) {
    char *copy = tool_format("%s", text != NULL && *text != '\0' ? text : "-");
    for (char *p = copy; *p != '\0'; p++) {
        *p = (unsigned char)*p < ' ' || *p == '"' || *p == '\\' || *p == 127 ? '?' : *p;
    }
    return copy;
}

// ---- The line about it --------------------------------------------------------------------------

static void say(const struct serve *s, struct MHD_Connection *c, const char *method,
                const char *url, unsigned status, uint64_t sent, const char *what) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char address[INET6_ADDRSTRLEN] = "-";
    char now[32];
    char stamp[40];
    struct agent a;
    time_t t = time(NULL);
    struct tm tm;
    const char *sent_agent = header(c, "User-Agent");
    char *agent = clean(sent_agent);
    char *path = clean(url);
    if (info != NULL && info->client_addr->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr,
                  address, sizeof address);
    } else if (info != NULL && info->client_addr->sa_family == AF_INET6) {
        inet_ntop(AF_INET6,
                  &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr,
                  address, sizeof address);
    }
    localtime_r(&t, &tm);
    strftime(now, sizeof now, "%H:%M:%S", &tm);
    strftime(stamp, sizeof stamp, "%d/%b/%Y:%H:%M:%S %z", &tm);
    pthread_mutex_lock(&log_lock);
    if (!s->quiet) {
        if (sent_agent != NULL && agent_read(sent_agent, strlen(sent_agent), &a) == AGENT_BOARD) {
            char name[AGENT_FIELD];
            fleet_name(a.id, name);
            printf("%s %s (%s) runs %s, %s%s%s%s%s: ", now, name, a.board, a.running,
                   fleet_event(a.event), *a.version ? " " : "", a.version, *a.reason ? " " : "",
                   a.reason);
        } else {
            printf("%s %s %s: ", now, address, agent);
        }
        printf("%s %s %u, %llu bytes%s\n", method, path, status, (unsigned long long)sent, what);
        fflush(stdout);
    }
    if (s->log != NULL) {
        fprintf(s->log, "%s - - [%s] \"%s %s HTTP/1.1\" %u %llu \"-\" \"%s\"\n", address, stamp,
                method, path, status, (unsigned long long)sent, agent);
        fflush(s->log);
    }
    pthread_mutex_unlock(&log_lock);
    free(agent);
    free(path);
}

// ---- A body that breaks off ---------------------------------------------------------------------

struct broken {
    int fd;
    uint64_t from;
    uint64_t until; // bytes of it that are sent
};

static ssize_t broken_read(void *cls, uint64_t at, char *buf, size_t most) {
    const struct broken *b = cls;
    if (at >= b->until) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    uint64_t left = b->until - at;
    ssize_t n = pread(b->fd, buf, left < most ? (size_t)left : most, (off_t)(b->from + at));
    return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void broken_free(void *cls) {
    struct broken *b = cls;
    close(b->fd);
    free(b);
}

// ---- The answer ---------------------------------------------------------------------------------

static enum MHD_Result refuse(const struct serve *s, struct MHD_Connection *c, const char *method,
                              const char *url, unsigned status, const char *text) {
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                                             MHD_RESPMEM_PERSISTENT);
    enum MHD_Result res = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    say(s, c, method, url, status, strlen(text), "");
    return res;
}

// Opens the file of a URL; below the folder, and nothing that is hidden. Returns -1 if there is
// none.
static int open_file(const struct serve *s, const char *url, struct stat *st) {
    if (strstr(url, "/.") != NULL || url[0] != '/') {
        return -1;
    }
    char *path = tool_format("%s%s", s->folder, url);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool is_lost(const struct serve *s) {
    static unsigned state;
    static bool seeded;
    pthread_mutex_lock(&log_lock);
    if (!seeded) {
        state = s->seed;
        seeded = true;
    }
    state = state * 1103515245u + 12345u;
    bool lost = (state >> 16) % 100 < s->loss;
    pthread_mutex_unlock(&log_lock);
    return lost;
}

static struct MHD_Response *body(const struct serve *s, int fd, const struct range *range,
                                 uint64_t *sent, const char **what) {
    *sent = range->length;
    *what = "";
    if (s->loss > 0 && range->length > 1 && is_lost(s)) {
        struct broken *b = tool_alloc(sizeof *b);
        *b = (struct broken){fd, range->from, range->length / 2};
        *sent = b->until;
        *what = " and broken off (--loss)";
        return MHD_create_response_from_callback(range->length, 4096, broken_read, b, broken_free);
    }
    return MHD_create_response_from_fd_at_offset64(range->length, fd, range->from);
}

enum MHD_Result answer(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                       const char *version, const char *data, size_t *data_len, void **state) {
    const struct serve *s = cls;
    struct stat st;
    struct range range;
    uint64_t sent;
    const char *what;
    (void)version, (void)data, (void)data_len, (void)state;
    bool head = strcmp(method, "HEAD") == 0;
    if (s->delay > 0) {
        usleep(s->delay * 1000u);
    }
    if (!head && strcmp(method, "GET") != 0) {
        return refuse(s, c, method, url, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
    }
    int fd = open_file(s, url, &st);
    if (fd < 0) {
        return refuse(s, c, method, url, MHD_HTTP_NOT_FOUND, "there is no such file\n");
    }
    char *tag =
        tool_format("\"%llx-%llx%llx\"", (unsigned long long)st.st_size,
                    (unsigned long long)st.st_mtim.tv_sec, (unsigned long long)st.st_mtim.tv_nsec);
    const char *wanted = header(c, "If-Range");
    const char *asked = wanted == NULL || range_tag(wanted, tag) ? header(c, "Range") : NULL;
    unsigned status = MHD_HTTP_OK;
    if (range_tag(header(c, "If-None-Match"), tag)) {
        status = MHD_HTTP_NOT_MODIFIED;
    } else if (!range_read(asked, (uint64_t)st.st_size, &range)) {
        status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
    } else if (range.part) {
        status = MHD_HTTP_PARTIAL_CONTENT;
    }
    struct MHD_Response *r;
    if (status == MHD_HTTP_NOT_MODIFIED || status == MHD_HTTP_RANGE_NOT_SATISFIABLE) {
        close(fd);
        sent = 0;
        what = "";
        r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        if (status == MHD_HTTP_RANGE_NOT_SATISFIABLE) {
            add(r, "Content-Range", tool_format("bytes */%lld", (long long)st.st_size));
        }
    } else {
        r = body(s, fd, &range, &sent, &what);
        if (range.part) {
            add(r, "Content-Range",
                tool_format("bytes %llu-%llu/%lld", (unsigned long long)range.from,
                            (unsigned long long)(range.from + range.length - 1),
                            (long long)st.st_size));
        }
    }
    if (r == NULL) {
        free(tag);
        return MHD_NO;
    }
    add(r, "ETag", tag);
    MHD_add_response_header(r, "Accept-Ranges", "bytes");
    MHD_add_response_header(r, "Cache-Control", "no-cache");
    MHD_add_response_header(r, "Content-Type", "application/octet-stream");
    enum MHD_Result res = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    say(s, c, method, url, status, head ? 0 : sent, what);
    return res;
}
