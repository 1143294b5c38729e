// SPDX-License-Identifier: MIT
// sdboot verify: what a board would say of what a web server offers.
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "accept.h"
#include "commands.h"
#include "core/error.h"
#include "core/web/minisign.h"
#include "list.h"
#include "minisign.h"
#include "remote.h"
#include "report.h"
#include "site.h"
#include "tool.h"

static const char help[] =
    "usage: sdboot verify [OPTION...] FOLDER|URL\n"
    "\n"
    "Checks a folder of releases, or a server, as a board would: the list, its signature, each\n"
    "package; of a server also redirects, lengths, parts, compression, caches. Names every fault;\n"
    "exit code 1 if there is one. What costs boards only time is a note.\n"
    "\n"
    "  -p, --public FILE  the board's public keys: the list must be signed by one of them\n"
    "      --ca FILE      believe servers with certificates of these authorities\n"
    "      --json         one JSON object instead of words\n"
    "  -q, --quiet        says faults only\n"
    "\n"
    "  sdboot verify -p sdboot.pub www\n"
    "  sdboot verify -p sdboot.pub https://example.org/lamp\n";

static struct report report;
static bool quiet;

static void fault(const char *what, const char *why) {
    report_fault(&report, "%s: %s", what, why);
}

static void note(const char *what, const char *why) {
    if (!quiet || report.json) {
        report_note(&report, "%s: %s", what, why);
    }
}

static void check_signature(const char *folder, const struct site *site, const char *keys_path) {
    struct tool_text keys;
    struct tool_text signature;
    char *path = tool_format("%s/versions.minisig", folder);
    if (!tool_read(keys_path, 65536, &keys)) {
        tool_die("%s: no such file", keys_path);
    }
    if (!tool_read(path, 65536, &signature)) {
        fault(path, "there is none: boards with a key take nothing from here");
    } else {
        int res = signature.len > SDB_MINISIG_MAX
                      ? SDB_ESIG_FORMAT
                      : minisign_verify(site->text.data, site->text.len, signature.data,
                                        signature.len, keys.data, keys.len);
        if (res < 0) {
            fault(path, sdb_strerror(res));
        }
        free(signature.data);
    }
    free(keys.data);
    free(path);
}

static bool as_said(const char *path, const struct sdb_release *release) {
    uint8_t sha256[32];
    if (!release->has_sha256 && release->size == 0) {
        return true;
    }
    struct stat st;
    accept_sha256(path, sha256);
    uint64_t size = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    if (release->size != 0 && release->size != size) {
        fault(path, sdb_strerror(SDB_EPKG_SIZE));
        return false;
    }
    if (release->has_sha256 && memcmp(release->sha256, sha256, sizeof sha256) != 0) {
        fault(path, sdb_strerror(SDB_EPKG_HASH));
        return false;
    }
    return true;
}

// The index beside a package: boards without it, or with a wrong one, fetch the whole package.
static void check_index(const struct site *site, const char *path, const char *file) {
    char *said = list_detail(site, file, "index");
    char *index = tool_format("%s.idx", path);
    if (said != NULL && access(index, F_OK) != 0) {
        fault(index, "listed (index=), but not there: boards fetch whole packages");
    } else if (said != NULL) {
        uint8_t digest[32];
        char text[65];
        accept_sha256(index, digest);
        for (int i = 0; i < 32; i++) {
            snprintf(text + 2 * i, 3, "%02x", digest[i]);
        }
        if (strcasecmp(text, said) != 0) {
            fault(index, "its hash is not what the list says (index=)");
        }
    }
    free(index);
    free(said);
}

static void check_release(const char *folder, const struct sdb_release *release, json_t *good) {
    char member[ACCEPT_MEMBER_MAX];
    char *path = tool_format("%s/%s", folder, release->file);
    if (!release->has_sha1 && !release->has_sha256) {
        fault(release->version, sdb_strerror(SDB_EVER_HASH));
    } else if (access(path, F_OK) != 0) {
        fault(path, "listed, but not there");
    } else {
        uint8_t sha1[20];
        memcpy(sha1, release->sha1, sizeof sha1);
        if (!release->has_sha1) { // the SHA-256 is compared below
            accept_sha1(path, sha1);
        }
        int res = accept_package(path, release->version, sha1, member);
        if (res < 0) {
            char *what = tool_format("%s%s%s", path, *member ? ": " : "", member);
            fault(what, sdb_strerror(res));
            free(what);
        } else if (as_said(path, release)) {
            json_array_append_new(good, json_string(release->version));
            if (!quiet && !report.json) {
                printf("%s: good, %s\n", release->version, release->file);
            }
        }
    }
    free(path);
}

// What is said of the list and of its files: whether boards can read it, and whether it is true.
static void check_list(const char *what, const struct site *site, bool signed_one) {
    char today[16];
    time_t now = time(NULL);
    strftime(today, sizeof today, "%Y%m%d", gmtime(&now));
    if (site->unreadable != 0) {
        fault(what, sdb_strerror(SDB_EVER_LINE));
    }
    if (site->said.expires != 0 && site->said.expires < strtoul(today, NULL, 10)) {
        fault(what, sdb_strerror(SDB_EVER_EXPIRED));
    }
    if (signed_one && site->said.seq == 0) {
        note(what, "has no seq: an older list that you have signed could be served in its place "
                   "(sdboot release -k writes one)");
    }
}

static void check_folder(const char *folder, const char *keys) {
    struct site site;
    unsigned releases = 0;
    json_t *good = json_array();
    char *name = tool_format("%s/versions", folder);
    site_read(&site, folder);
    if (site.count == 0) {
        tool_die("%s: no such file, or empty", name);
    }
    if (keys != NULL) {
        check_signature(folder, &site, keys);
    }
    check_list(name, &site, keys != NULL);
    for (size_t i = 0; i < site.count; i++) {
        const struct site_line *line = &site.lines[i];
        if (line->is_release) {
            char *path = tool_format("%s/%s", folder, line->release.file);
            check_release(folder, &line->release, good);
            check_index(&site, path, line->release.file);
            free(path);
            releases++;
        } else if (line->text[0] != '\0' && line->text[0] != '#') {
            char *what = tool_format("%s, line %zu", name, i + 1);
            fault(what, "no release, boards skip it");
            free(what);
        }
    }
    if (releases == 0) {
        fault(folder, "no release is listed");
    }
    report_set(&report, "good", good);
    site_free(&site);
    free(name);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place) {
    (void)st, (void)type, (void)place;
    return remove(path);
}

static char fetched[] = "/tmp/sdboot-verify-XXXXXX";

static void remove_fetched(void) {
    nftw(fetched, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int command_verify(int argc, char **argv) {
    enum { JSON = 256, CA };
    static const struct option options[] = {
        {"public", required_argument, NULL, 'p'}, {"quiet", no_argument, NULL, 'q'},
        {"json", no_argument, NULL, JSON},        {"ca", required_argument, NULL, CA},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    const char *keys = NULL;
    const char *ca = NULL;
    bool json = false;
    int c;
    while ((c = getopt_long(argc, argv, "p:qh", options, NULL)) != -1) {
        switch (c) {
        case 'p':
            keys = tool_value("-p", optarg);
            break;
        case 'q':
            quiet = true;
            break;
        case JSON:
            json = true;
            break;
        case CA:
            ca = tool_value("--ca", optarg);
            break;
        case 'h':
            fputs(help, stdout);
            return TOOL_GOOD;
        default:
            return TOOL_TROUBLE;
        }
    }
    if (argc - optind != 1) {
        tool_die("verify needs one folder or URL; --help shows how");
    }
    report_init(&report, json);
    const char *what = argv[optind];
    if (remote_is_url(what)) {
        if (mkdtemp(fetched) == NULL) {
            tool_die("%s: %s", fetched, strerror(errno));
        }
        atexit(remove_fetched);
        if (remote_fetch(what, fetched, ca, fault, note)) {
            check_folder(fetched, keys);
        }
    } else {
        check_folder(what, keys);
    }
    return report_end(&report);
}
