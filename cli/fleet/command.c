// SPDX-License-Identifier: MIT
// sdboot fleet: which boards run what, from a web server's access logs.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/fleet/show.h"
#include "cli/fleet/source.h"
#include "cli/tool.h"
#include "core/semver.h"

#define ALL UINT32_MAX

static const char help[] =
    "usage: sdboot fleet [OPTION...] LOG...\n"
    "\n"
    "Which boards run which release, and what became of it, from access logs: nginx's and "
    "Apache's\n"
    "combined format, S3, CloudFront; also compressed, also from standard input (-). Boards tell "
    "of\n"
    "themselves in each request (OTA(report=False) keeps them from it).\n"
    "\n"
    "  -w, --www DIR        the folder that is served: says how far the rollout is\n"
    "      --json           one JSON object instead of a table\n"
    "      --html FILE      a page with plots, in one file\n"
    "      --boards N       list at most N boards, those with troubles first (50; JSON 10000,\n"
    "                       page 500; 0: all)\n"
    "      --stuck HOURS    a release staged or on trial for so long is stuck (24)\n"
    "      --gone HOURS     a board not seen for so long is gone (48)\n"
    "  -a, --alert          exit code 1 unless it is well with a release:\n"
    "  -r, --release V        this one (the newest that a board knows of)\n"
    "      --min-confirmed N  so many boards have confirmed it (1)\n"
    "      --max-failed P     at most P per cent of those who tried took it back (0)\n"
    "\n"
    "  sdboot fleet /var/log/nginx/access.log*\n"
    "  sdboot fleet --alert -r 0.0.2 --min-confirmed 5 access.log && sdboot rollout 100 0.0.2 www\n"
    "  aws s3 cp s3://logs/today - | sdboot fleet --html fleet.html -\n";

struct options {
    bool json, alert;
    const char *html, *www;
    uint32_t boards;
    struct fleet_terms terms;
};

static double per_cent(const char *option, const char *text) {
    char *end;
    double n = strtod(tool_value(option, text), &end);
    if (*end != '\0' || !(n >= 0 && n <= 100)) {
        tool_die("%s: \"%s\" is no number from 0 to 100", option, text);
    }
    return n;
}

enum { JSON = 256, HTML, BOARDS, STUCK, GONE, MIN_CONFIRMED, MAX_FAILED };

static void parse(int argc, char **argv, struct options *o, struct fleet *f) {
    static const struct option options[] = {
        {"www", required_argument, NULL, 'w'},
        {"json", no_argument, NULL, JSON},
        {"html", required_argument, NULL, HTML},
        {"boards", required_argument, NULL, BOARDS},
        {"stuck", required_argument, NULL, STUCK},
        {"gone", required_argument, NULL, GONE},
        {"alert", no_argument, NULL, 'a'},
        {"release", required_argument, NULL, 'r'},
        {"min-confirmed", required_argument, NULL, MIN_CONFIRMED},
        {"max-failed", required_argument, NULL, MAX_FAILED},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "w:ar:h", options, NULL)) != -1) {
        switch (c) {
        case 'w':
            o->www = tool_value("-w", optarg);
            break;
        case JSON:
            o->json = true;
            break;
        case HTML:
            o->html = tool_value("--html", optarg);
            break;
        case BOARDS:
            o->boards = (uint32_t)tool_number("--boards", optarg, 0, FLEET_BOARDS);
            o->boards = o->boards == 0 ? ALL : o->boards;
            break;
        case STUCK:
            f->stuck_after = tool_number("--stuck", optarg, 0, 100000) * 3600;
            break;
        case GONE:
            f->gone_after = tool_number("--gone", optarg, 0, 100000) * 3600;
            break;
        case 'a':
            o->alert = true;
            break;
        case 'r':
            o->terms.version = tool_value("-r", optarg);
            break;
        case MIN_CONFIRMED:
            o->terms.min_confirmed =
                (uint32_t)tool_number("--min-confirmed", optarg, 0, FLEET_BOARDS);
            break;
        case MAX_FAILED:
            o->terms.max_failed = per_cent("--max-failed", optarg);
            break;
        case 'h':
            fputs(help, stdout);
            exit(TOOL_GOOD);
        default:
            exit(TOOL_TROUBLE);
        }
    }
    if (optind == argc) {
        tool_die("fleet needs a log (- is standard input); --help shows how");
    }
    if (o->terms.version != NULL && !sdb_semver_valid(o->terms.version)) {
        tool_die("-r: \"%s\" is no version", o->terms.version);
    }
}

static const struct fleet *sorted; // by qsort, for newest_first()

static int newest_first(const void *a, const void *b) {
    return sdb_semver_compare(fleet_version(sorted, *(const uint32_t *)b),
                              fleet_version(sorted, *(const uint32_t *)a));
}

static void write_page(const struct show *s, const char *path) {
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        tool_die("out of memory");
    }
    show_html(s, out);
    if (fclose(out) != 0) {
        tool_die("out of memory");
    }
    tool_write(path, text, len, 0644);
    free(text);
}

int command_fleet(int argc, char **argv) {
    struct options o = {.terms = {.min_confirmed = 1}};
    struct fleet f;
    char why[256];
    fleet_init(&f);
    parse(argc, argv, &o, &f);
    size_t count = (size_t)(argc - optind);
    source_sort(argv + optind, count);
    for (size_t i = 0; i < count; i++) {
        source_read(argv[(size_t)optind + i], fleet_line, &f);
    }
    if (o.www != NULL) {
        fleet_plan(&f, o.www);
    }
    fleet_finish(&f);
    uint32_t *order = tool_alloc(f.release_count * sizeof *order);
    for (uint32_t i = 1; i < f.release_count; i++) {
        order[i - 1] = i;
    }
    sorted = &f;
    qsort(order, f.release_count - 1, sizeof *order, newest_first);
    struct show s = {.fleet = &f, .order = order, .order_count = f.release_count - 1};
    s.verdict = o.alert ? fleet_verdict(&f, &o.terms, why) : NULL;
    s.why = why;
    if (o.html != NULL) {
        s.boards = o.boards > 0 ? o.boards : 500;
        write_page(&s, o.html);
    }
    s.boards = o.boards > 0 ? o.boards : o.json ? 10000 : 50;
    if (o.json) {
        show_json(&s);
    } else {
        show_words(&s);
    }
    if (fflush(stdout) != 0) {
        tool_die("the output can't be written");
    }
    bool good = s.verdict == NULL || strcmp(s.verdict, "good") == 0;
    free(order);
    fleet_free(&f);
    return good ? TOOL_GOOD : TOOL_BAD;
}
