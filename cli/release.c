// sdboot release: packs, asks the boards' own code whether it is good, publishes.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accept.h"
#include "commands.h"
#include "core/error.h"
#include "core/semver.h"
#include "minisign.h"
#include "package.h"
#include "site.h"
#include "tool.h"

static const char help[] =
    "usage: sdboot release -v VERSION -o FOLDER [-C FOLDER] [-k KEY] PATH...\n"
    "\n"
    "Packs the PATHs as release VERSION and publishes it in a web server's FOLDER: the package, "
    "the\n"
    "list of releases, its signature. What a board would refuse is not published, nor is a "
    "version\n"
    "that is not newer. The same files give the same bytes.\n"
    "\n"
    "  -v, --version V   \"0.0.2\"; app/.version is made, or must say the same\n"
    "  -o, --output DIR  the folder that the web server serves\n"
    "  -C, --from DIR    PATHs are relative to this one (.)\n"
    "  -k, --key FILE    signs the list with this secret key, as sdboot sign does\n"
    "  -f, --force       publishes a version that is not newer than the newest\n"
    "\n"
    "  sdboot release -v 0.0.2 -C src -o www -k sdboot.key app main.py\n";

struct release_options {
    const char *version;
    const char *output;
    const char *from;
    const char *key;
    bool force;
};

static char *draft; // a package that is not published yet

static void remove_draft(void) {
    if (draft != NULL) {
        unlink(draft);
    }
}

static void parse(int argc, char **argv, struct release_options *o) {
    static const struct option options[] = {
        {"version", required_argument, NULL, 'v'},
        {"output", required_argument, NULL, 'o'},
        {"from", required_argument, NULL, 'C'},
        {"key", required_argument, NULL, 'k'},
        {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "v:o:C:k:fh", options, NULL)) != -1) {
        switch (c) {
        case 'v':
            o->version = tool_value("-v", optarg);
            break;
        case 'o':
            o->output = tool_value("-o", optarg);
            break;
        case 'C':
            o->from = tool_value("-C", optarg);
            break;
        case 'k':
            o->key = tool_value("-k", optarg);
            break;
        case 'f':
            o->force = true;
            break;
        case 'h':
            fputs(help, stdout);
            exit(TOOL_GOOD);
        default:
            exit(TOOL_TROUBLE); // getopt has said why
        }
    }
    if (o->version == NULL || o->output == NULL || optind == argc) {
        tool_die("a release needs -v VERSION, -o FOLDER and what is in it; --help shows how");
    }
    if (!sdb_semver_valid(o->version) || strlen(o->version) > SDB_VERSION_MAX) {
        tool_die("\"%s\" is no version: want numbers with dots, like 0.0.2 or 1.2.0-rc.1",
                 o->version);
    }
    // The list's fields are separated by these, and it is part of a file's name.
    if (strpbrk(o->version, "+") != NULL) {
        tool_die("\"%s\": build metadata makes no release newer, leave it out", o->version);
    }
}

// "0.0.2" -> "0_0_2-firmware.tar", the name that the first such tools gave packages.
static char *file_name(const char *version) {
    char *name = tool_format("%s-firmware.tar", version);
    for (char *p = name; p < name + strlen(version); p++) {
        if (*p == '.') {
            *p = '_';
        }
    }
    return name;
}

// Where the version is listed already. Refuses another content for it, and a
// version that is older than the newest.
static const struct site_line *listed(const struct site *site, const struct release_options *o,
                                      const uint8_t sha1[20]) {
    for (size_t i = 0; i < site->count; i++) {
        const struct site_line *line = &site->lines[i];
        if (!line->is_release || sdb_semver_compare(line->release.version, o->version) != 0) {
            continue;
        }
        if (!line->release.has_sha1 || memcmp(line->release.sha1, sha1, 20) != 0) {
            tool_refuse(
                "%s is published already, with other content: boards that have it would never "
                "get this one; give it a new version",
                o->version);
        }
        return line;
    }
    const struct sdb_release *newest = site_newest(site);
    if (newest != NULL && !o->force && sdb_semver_compare(o->version, newest->version) < 0) {
        tool_refuse(
            "%s is older than %s, which is published: no board would take it (--force does it "
            "all the same)",
            o->version, newest->version);
    }
    return NULL;
}

static void hex(const uint8_t sha1[20], char text[41]) {
    for (int i = 0; i < 20; i++) {
        snprintf(text + 2 * i, 3, "%02x", sha1[i]);
    }
}

static void sign_list(const struct release_options *o, const char *list,
                      const struct minisign_secret *secret) {
    char *path = tool_format("%s/versions.minisig", o->output);
    if (secret != NULL) {
        char *text = minisign_sign(secret, list, strlen(list), o->version);
        tool_write(path, text, strlen(text), 0644);
        free(text);
    } else if (access(path, F_OK) == 0) {
        tool_warn("%s is of an older list: sdboot sign -s KEY %s/versions", path, o->output);
    }
    free(path);
}

// The package comes first, the list that names it last: whoever asks meanwhile gets a whole
// release. Between signature and list a board sees a wrong signature, says so, and asks again
// later.
static void publish(const struct release_options *o, const struct site *site, const char *name,
                    const uint8_t sha1[20], const struct minisign_secret *secret) {
    char digest[41];
    hex(sha1, digest);
    char *package = tool_format("%s/%s", o->output, name);
    bool ended = site->text.len == 0 || site->text.data[site->text.len - 1] == '\n';
    char *list =
        tool_format("%s%s%s;%s;%s\n", site->text.data, ended ? "" : "\n", o->version, name, digest);
    tool_replace(draft, package);
    sign_list(o, list, secret);
    char *versions = tool_format("%s/versions", o->output);
    tool_write(versions, list, strlen(list), 0644);
    free(versions);
    free(list);
    free(package);
}

int command_release(int argc, char **argv) {
    struct release_options o = {.from = "."};
    struct minisign_secret secret;
    struct site site;
    uint8_t sha1[20];
    char member[ACCEPT_MEMBER_MAX];
    parse(argc, argv, &o);
    if (o.key != NULL) {
        minisign_load(&secret, o.key);
    }
    if (mkdir(o.output, 0755) != 0 && errno != EEXIST) {
        tool_die("%s: %s", o.output, strerror(errno));
    }
    char *name = file_name(o.version);
    draft = tool_format("%s/.%s.draft", o.output, name);
    atexit(remove_draft);
    package_write(draft, o.from, argv + optind, (size_t)(argc - optind), o.version);
    accept_sha1(draft, sha1);
    int res = accept_package(draft, o.version, sha1, member);
    if (res < 0) {
        tool_refuse("a board would refuse this: %s%s%s", member, *member ? ": " : "",
                    sdb_strerror(res));
    }
    site_read(&site, o.output);
    const struct site_line *there = listed(&site, &o, sha1);
    if (there != NULL) {
        sign_list(&o, site.text.data, o.key != NULL ? &secret : NULL);
        printf("%s is published already: %s\n", o.version, there->release.file);
    } else {
        publish(&o, &site, name, sha1, o.key != NULL ? &secret : NULL);
        printf("%s is published: %s/%s\n", o.version, o.output, name);
    }
    site_free(&site);
    free(name);
    return TOOL_GOOD;
}
