// SPDX-License-Identifier: MIT
// sdboot rollout and sdboot withdraw: a release that is published becomes wider, or goes.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "core/semver.h"
#include "keep.h"
#include "list.h"
#include "minisign.h"
#include "site.h"
#include "tool.h"

static const char rollout_help[] = "usage: sdboot rollout [-k KEY] PERCENT VERSION FOLDER\n"
                                   "\n"
                                   "Gives a published release to PERCENT of the boards. Raising it "
                                   "adds boards; lowering it takes\n"
                                   "nothing back from those that have it.\n"
                                   "\n"
                                   "  -k, --key FILE  signs the list anew with this secret key\n"
                                   "\n"
                                   "  sdboot rollout -k sdboot.key 25 0.0.2 www\n";

static const char withdraw_help[] =
    "usage: sdboot withdraw [-k KEY] VERSION FOLDER\n"
    "\n"
    "Takes a release from the list and removes its package: no further board gets it. Those that\n"
    "have it keep it until there is a newer one.\n"
    "\n"
    "  -k, --key FILE  signs the list anew with this secret key\n"
    "\n"
    "  sdboot withdraw -k sdboot.key 0.0.2 www\n";

// Reads the options, of which both have the same, and loads the key. Returns whether there is one.
static bool parse(int argc, char **argv, const char *help, int count,
                  struct minisign_secret *secret) {
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *key = NULL;
    int c;
    while ((c = getopt_long(argc, argv, "k:h", options, NULL)) != -1) {
        switch (c) {
        case 'k':
            key = tool_value("-k", optarg);
            break;
        case 'h':
            fputs(help, stdout);
            exit(TOOL_GOOD);
        default:
            exit(TOOL_TROUBLE);
        }
    }
    if (argc - optind != count) {
        tool_die("%s needs %d arguments; --help shows how", argv[0], count);
    }
    if (key != NULL) {
        minisign_load(secret, key);
    }
    return key != NULL;
}

static void load(struct site *site, const char *folder) {
    tool_lock(folder);
    site_read(site, folder);
    if (site->count == 0) {
        tool_die("%s/versions: no such file, or empty", folder);
    }
}

static const char *checked(const char *version) {
    if (!sdb_semver_valid(version)) {
        tool_die("\"%s\" is no version", version);
    }
    return version;
}

int command_rollout(int argc, char **argv) {
    struct minisign_secret secret;
    struct site site;
    bool has_key = parse(argc, argv, rollout_help, 3, &secret);
    const char *percent = argv[optind];
    const char *version = checked(argv[optind + 1]);
    const char *folder = argv[optind + 2];
    unsigned found = 0;
    char *share = tool_format("%ld", tool_number("PERCENT", percent, 0, 100));
    load(&site, folder);
    for (size_t i = 0; i < site.count; i++) {
        struct sdb_release r = site.lines[i].release;
        if (site.lines[i].is_release && sdb_semver_compare(r.version, version) == 0) {
            size_t before = site.count;
            list_set(&site, i, r.file, "rollout", share);
            i += site.count - before;
            found++;
        }
    }
    if (found == 0) {
        tool_refuse("%s is not published in %s", version, folder);
    }
    list_publish(&site, folder, has_key ? &secret : NULL, version, false);
    printf("%s goes to %s %% of the boards\n", version, share);
    site_free(&site);
    free(share);
    return TOOL_GOOD;
}

int command_withdraw(int argc, char **argv) {
    struct minisign_secret secret;
    struct site site;
    bool has_key = parse(argc, argv, withdraw_help, 2, &secret);
    const char *version = checked(argv[optind]);
    const char *folder = argv[optind + 1];
    load(&site, folder);
    struct keep *gone = keep_without(&site, version);
    if (gone == NULL) {
        tool_refuse("%s is not published in %s", version, folder);
    }
    list_publish(&site, folder, has_key ? &secret : NULL, version, false);
    keep_remove(gone, folder);
    printf("%s is withdrawn\n", version);
    site_free(&site);
    return TOOL_GOOD;
}
