// SPDX-License-Identifier: MIT
// sdboot card: what is on a card, and what has happened to it.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/card/fatcheck.h"
#include "cli/card/jobs.h"
#include "cli/card/say.h"
#include "cli/commands.h"
#include "cli/tool.h"
#include "core/error.h"

static const char help[] =
    "usage: sdboot card COMMAND [OPTION...] CARD [PATH...]\n"
    "\n"
    "CARD is an image, or the device of a card reader (/dev/sdX, not mounted).\n"
    "\n"
    "  info      what is on it, which release runs, what happened, what the next boot does\n"
    "  check     that, every file of the release, and the whole filesystem, all of which is read\n"
    "  manifest  each file of the release against its manifest\n"
    "  extract   copies files to the PC: all, or PATHs\n"
    "  repair    does what the next boot would do (an interrupted commit, damaged first sectors),\n"
    "            frees lost clusters, counts anew. What it can't put right it leaves alone\n"
    "  sync      puts in place what waits in the journal, so that a PC sees all of it\n"
    "\n"
    "  -o, --output DIR  extract: where to (.)\n"
    "  -n, --dry-run     repair, sync: say what would be done\n"
    "      --discard     repair: throws the interrupted commit away instead\n"
    "      --json        one JSON object instead of words\n"
    "\n"
    "Only repair and sync write to the card. Exit codes: 0 all is well, 1 something is wrong with\n"
    "the card, 2 it could not be looked at.\n"
    "\n"
    "  sdboot card info /dev/sdb\n"
    "  sdboot card check card.img --json\n"
    "  sdboot card extract card.img -o rescued /logs\n";

enum { OPTION_JSON = 256, OPTION_DISCARD };

static const struct {
    const char *name;
    enum { INFO, CHECK, MANIFEST, EXTRACT, REPAIR, SYNC } what;
} jobs[] = {
    {"info", INFO},       {"check", CHECK},   {"manifest", MANIFEST},
    {"extract", EXTRACT}, {"repair", REPAIR}, {"sync", SYNC},
};

static int job_named(const char *name) {
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        if (strcmp(jobs[i].name, name) == 0) {
            return (int)jobs[i].what;
        }
    }
    tool_die("there is no command \"card %s\"; sdboot card --help lists them", name);
}

static int look(int what, const char *path, bool json) {
    static struct card c;
    struct report r;
    report_init(&r, json);
    card_open(&c, path, false);
    say_card(&r, &c);
    if (what != MANIFEST) {
        say_journal(&r, &c);
        say_releases(&r, &c);
    }
    if (what != INFO) {
        say_manifest(&r, &c, what == MANIFEST);
    }
    if (what == CHECK) {
        say_consistency(&r, &c);
    }
    if (c.device.failed > 0) {
        report_fault(&r, "the card could not be read %u times, first at sector %u: %s",
                     c.device.failed, c.device.bad_lba, strerror(c.device.bad_errno));
    }
    card_close(&c);
    return report_end(&r);
}

int command_card(int argc, char **argv) {
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'}, {"dry-run", no_argument, NULL, 'n'},
        {"json", no_argument, NULL, OPTION_JSON}, {"discard", no_argument, NULL, OPTION_DISCARD},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    bool json = false;
    struct job_options o = {.output = "."};
    int c;
    while ((c = getopt_long(argc, argv, "o:nh", options, NULL)) != -1) {
        switch (c) {
        case 'o':
            o.output = tool_value("-o", optarg);
            break;
        case 'n':
            o.dry_run = true;
            break;
        case OPTION_JSON:
            json = true;
            break;
        case OPTION_DISCARD:
            o.discard = true;
            break;
        case 'h':
            fputs(help, stdout);
            return TOOL_GOOD;
        default:
            return TOOL_TROUBLE;
        }
    }
    if (argc - optind < 2) {
        tool_die("card needs a command and a card; sdboot card --help shows how");
    }
    int what = job_named(argv[optind]);
    const char *path = argv[optind + 1];
    if (argc - optind > 2 && what != EXTRACT) {
        tool_die("card %s takes one card", argv[optind]);
    }
    o.paths = argv + optind + 2;
    o.path_count = (size_t)(argc - optind - 2);
    switch (what) {
    case EXTRACT:
        return job_extract(path, &o, json);
    case REPAIR:
        return job_repair(path, &o, json);
    case SYNC:
        return job_sync(path, &o, json);
    default:
        return look(what, path, json);
    }
}
