// SPDX-License-Identifier: MIT
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
#include "index.h"
#include "keep.h"
#include "list.h"
#include "minisign.h"
#include "package.h"
#include "site.h"
#include "tool.h"

static const char help[] =
    "usage: sdboot release -v VERSION -o FOLDER [OPTION...] PATH...\n"
    "\n"
    "Packs the PATHs as release VERSION and publishes it in a web server's FOLDER: the package, "
    "the\n"
    "list of releases, its signature; and an index, so that boards fetch only what they have not.\n"
    "What a board would refuse is not published, nor is a version that is not newer. The same\n"
    "files give the same bytes.\n"
    "\n"
    "  -v, --version V      \"0.0.2\"; app/.version is made, or must say the same\n"
    "  -o, --output DIR     the folder that the web server serves\n"
    "  -C, --from DIR       PATHs are relative to this one (.)\n"
    "  -k, --key FILE       signs the list with this secret key, as sdboot sign does\n"
    "  -f, --force          publishes a version that is not newer than the newest\n"
    "\n"
    "For whom it is (signed or not, boards before 0.9 take it all the same):\n"
    "      --board NAMES    boards that are called one of these: esp32,ESP32_GENERIC_S3\n"
    "      --channel NAME   boards that follow this channel\n"
    "      --min V          boards that run V or newer\n"
    "      --rollout N      N per cent of the boards; sdboot rollout raises it later\n"
    "      --product NAMES  boards of these products; holds for the whole list\n"
    "      --expires DAY    the whole list is good until 2027-01-31, or for +90 days\n"
    "\n"
    "  -m, --mpy-cross PROG compiles .py files to .mpy with this mpy-cross of MicroPython, but "
    "for\n"
    "                       main.py and boot.py\n"
    "  -x, --except GLOB    and those; may be given several times\n"
    "      --march ARCH     what mpy-cross -march gets\n"
    "      --keep N         removes all but the newest N versions and those that they need (min)\n"
    "      --folders        folders get entries of their own: boards that still run the original\n"
    "                       updater need them\n"
    "      --to github      says how the folder becomes a release on GitHub, and the boards' URL\n"
    "\n"
    "  sdboot release -v 0.0.2 -C src -o www -k sdboot.key app main.py\n"
    "  sdboot release -v 0.0.3 -o www -k sdboot.key --rollout 5 -m mpy-cross -x 'app/raw*' app\n";

struct release_options {
    const char *version;
    const char *output;
    const char *from;
    const char *key;
    bool force;
    const char *board, *channel, *min, *rollout, *product;
    char *expires;
    struct package_compiler compiler;
    unsigned keep; // 0: all
    bool folders;
    bool github;
};

static char *draft; // a package that is not published yet

static void remove_draft(void) {
    if (draft != NULL) {
        unlink(draft);
    }
}

enum { BOARD = 256, CHANNEL, MIN, ROLLOUT, PRODUCT, EXPIRES, MARCH, KEEP, FOLDERS, TO };

// What stands in a word of the list.
static const char *word(const char *option, const char *value) {
    tool_value(option, value);
    for (const char *p = value; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~') {
            tool_die("%s: \"%s\": names without blanks, with commas between them", option, value);
        }
    }
    return value;
}

static void parse_more(int c, struct release_options *o) {
    switch (c) {
    case BOARD:
        o->board = word("--board", optarg);
        break;
    case CHANNEL:
        o->channel = word("--channel", optarg);
        break;
    case MIN:
        o->min = word("--min", optarg);
        if (!sdb_semver_valid(o->min) || strlen(o->min) > SDB_VERSION_MAX) {
            tool_die("--min: \"%s\" is no version", o->min);
        }
        break;
    case ROLLOUT:
        o->rollout = optarg;
        tool_number("--rollout", optarg, 0, 100);
        break;
    case PRODUCT:
        o->product = word("--product", optarg);
        break;
    case EXPIRES:
        o->expires = tool_day("--expires", optarg);
        break;
    case MARCH:
        o->compiler.march = tool_value("--march", optarg);
        break;
    case KEEP:
        o->keep = (unsigned)tool_number("--keep", optarg, 1, 100000);
        break;
    case FOLDERS:
        o->folders = true;
        break;
    case TO:
        if (strcmp(optarg, "github") != 0) {
            tool_die("--to: \"%s\": github is known, any other server takes the folder as it is",
                     optarg);
        }
        o->github = true;
        break;
    default:
        exit(TOOL_TROUBLE); // getopt has said why
    }
}

static void parse(int argc, char **argv, struct release_options *o) {
    static const struct option options[] = {
        {"version", required_argument, NULL, 'v'},
        {"output", required_argument, NULL, 'o'},
        {"from", required_argument, NULL, 'C'},
        {"key", required_argument, NULL, 'k'},
        {"force", no_argument, NULL, 'f'},
        {"mpy-cross", required_argument, NULL, 'm'},
        {"except", required_argument, NULL, 'x'},
        {"board", required_argument, NULL, BOARD},
        {"channel", required_argument, NULL, CHANNEL},
        {"min", required_argument, NULL, MIN},
        {"rollout", required_argument, NULL, ROLLOUT},
        {"product", required_argument, NULL, PRODUCT},
        {"expires", required_argument, NULL, EXPIRES},
        {"march", required_argument, NULL, MARCH},
        {"keep", required_argument, NULL, KEEP},
        {"folders", no_argument, NULL, FOLDERS},
        {"to", required_argument, NULL, TO},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "v:o:C:k:fm:x:h", options, NULL)) != -1) {
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
        case 'm':
            o->compiler.program = tool_value("-m", optarg);
            break;
        case 'x':
            package_except(&o->compiler, tool_value("-x", optarg));
            break;
        case 'h':
            fputs(help, stdout);
            exit(TOOL_GOOD);
        default:
            parse_more(c, o);
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

// "0.0.2" -> "0_0_2-firmware.tar", the name that the first such tools gave packages; one for some
// boards or a channel has these in its name.
static char *file_name(const struct release_options *o) {
    const char *of[] = {o->board, o->channel};
    char *name = tool_format("%s", o->version);
    for (char *p = name; *p != '\0'; p++) {
        *p = *p == '.' ? '_' : *p;
    }
    for (size_t i = 0; i < 2; i++) {
        if (of[i] != NULL) {
            char *longer = tool_format("%s-%s", name, of[i]);
            free(name);
            name = longer;
        }
    }
    for (char *p = name; *p != '\0'; p++) {
        bool fine = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
                    (*p >= 'A' && *p <= 'Z') || strchr("._-", *p) != NULL;
        *p = fine ? *p : '_';
    }
    char *file = tool_format("%s-firmware.tar", name);
    free(name);
    if (strlen(file) > SDB_FILE_MAX) {
        tool_die("%s: too long for a board, %u bytes at most", file, SDB_FILE_MAX);
    }
    return file;
}

static bool same_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

// Is what is listed for the same boards?
static bool same_boards(const struct site *site, const char *file,
                        const struct release_options *o) {
    char *board = list_detail(site, file, "board");
    char *channel = list_detail(site, file, "channel");
    bool same = same_text(board, o->board) && same_text(channel, o->channel);
    free(board);
    free(channel);
    return same;
}

// Where the version is listed already, for the same boards. Refuses another content for it, and a
// version that is older than the newest. site->count: nowhere.
static size_t listed(const struct site *site, const struct release_options *o,
                     const uint8_t sha1[20]) {
    const char *newest = NULL;
    for (size_t i = 0; i < site->count; i++) {
        const struct sdb_release *r = &site->lines[i].release;
        if (!site->lines[i].is_release || !same_boards(site, r->file, o)) {
            continue;
        }
        if (sdb_semver_compare(r->version, o->version) != 0) {
            if (newest == NULL || sdb_semver_compare(r->version, newest) > 0) {
                newest = r->version;
            }
            continue;
        }
        if (!r->has_sha1 || memcmp(r->sha1, sha1, 20) != 0) {
            tool_refuse(
                "%s is published already, with other content: boards that have it would never "
                "get this one; give it a new version",
                o->version);
        }
        return i;
    }
    if (newest != NULL && !o->force && sdb_semver_compare(o->version, newest) < 0) {
        tool_refuse(
            "%s is older than %s, which is published: no board would take it (--force does it "
            "all the same)",
            o->version, newest);
    }
    return site->count;
}

static char *hex(const uint8_t *digest, size_t len) {
    char *text = tool_alloc(2 * len + 1);
    for (size_t i = 0; i < len; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    return text;
}

// Writes the index of the draft beside where the package will be; its SHA-256 goes to `digest`.
static void write_index(const struct release_options *o, const char *name, uint8_t digest[32]) {
    struct tool_text package;
    char *path = tool_format("%s/%s.idx", o->output, name);
    if (!tool_read(draft, UINT32_MAX - 1u, &package)) {
        tool_die("%s: it is gone", draft);
    }
    struct tool_text index = index_make(&package);
    tool_write(path, index.data, index.len, 0644);
    accept_sha256(path, digest);
    free(index.data);
    free(package.data);
    free(path);
}

// Adds the line of the release, and above it what is said of its file.
static void enlist(struct site *site, const struct release_options *o, const char *name,
                   const uint8_t sha1[20]) {
    uint8_t sha256[32], index[32];
    struct stat st;
    accept_sha256(draft, sha256);
    write_index(o, name, index);
    if (stat(draft, &st) != 0) {
        tool_die("%s: %s", draft, strerror(errno));
    }
    struct sdb_release release = {.has_sha1 = true};
    snprintf(release.version, sizeof release.version, "%s", o->version);
    snprintf(release.file, sizeof release.file, "%s", name);
    memcpy(release.sha1, sha1, 20);
    char *one = hex(sha1, 20);
    char *two = hex(sha256, 32);
    char *three = hex(index, 32);
    char *size = tool_format("%lld", (long long)st.st_size);
    list_insert(site, site->count, tool_format("%s;%s;%s", o->version, name, one), &release);
    const struct {
        const char *key;
        const char *value;
    } said[] = {{"size", size},         {"sha256", two},         {"index", three},
                {"board", o->board},    {"channel", o->channel}, {"min", o->min},
                {"rollout", o->rollout}};
    list_set(site, site->count - 1, name, "size", size);
    for (size_t i = 1; i < sizeof said / sizeof *said; i++) {
        list_set(site, site->count - 1, name, said[i].key, said[i].value);
    }
    free(one);
    free(two);
    free(three);
    free(size);
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
    tool_lock(o.output);
    char *name = file_name(&o);
    draft = tool_format("%s/.%s.draft", o.output, name);
    atexit(remove_draft);
    package_write(draft, o.from, argv + optind, (size_t)(argc - optind), o.version, &o.compiler,
                  o.folders);
    accept_sha1(draft, sha1);
    int res = accept_package(draft, o.version, sha1, member);
    if (res < 0) {
        tool_refuse("a board would refuse this: %s%s%s", member, *member ? ": " : "",
                    sdb_strerror(res));
    }
    site_read(&site, o.output);
    size_t there = listed(&site, &o, sha1);
    bool fresh = there == site.count;
    if (o.product != NULL) {
        list_set(&site, 0, NULL, "product", o.product);
    }
    if (o.expires != NULL) {
        list_set(&site, 0, NULL, "expires", o.expires);
    }
    char *package = tool_format("%s/%s", o.output, fresh ? name : "");
    if (fresh) {
        enlist(&site, &o, name, sha1);
        // The package comes first, the list that names it last: whoever asks meanwhile gets a whole
        // release. Between signature and list a board sees a wrong signature, says so, and asks
        // again later.
        tool_replace(draft, package);
    }
    struct keep *old = keep_newest(&site, o.keep);
    list_publish(&site, o.output, o.key != NULL ? &secret : NULL, o.version, true);
    keep_remove(old, o.output);
    if (fresh) {
        printf("%s is published: %s\n", o.version, package);
    } else {
        printf("%s is published already\n", o.version);
    }
    if (o.github) {
        github_say(&site, o.output, o.version);
    }
    site_free(&site);
    free(package);
    free(name);
    free(o.expires);
    return TOOL_GOOD;
}
