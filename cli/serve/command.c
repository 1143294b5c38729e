// SPDX-License-Identifier: MIT
// sdboot serve: a web server for the bench.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <microhttpd.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/serve/answer.h"
#include "cli/serve/cert.h"
#include "cli/tool.h"

#define PORT 8000
#define IDLE_SECONDS 60

static const char help[] =
    "usage: sdboot serve [OPTION...] FOLDER\n"
    "\n"
    "Serves a folder of releases to boards on the bench, until Ctrl-C. A line for each request "
    "says\n"
    "what the board says of itself. Not for the internet: any web server does that better.\n"
    "\n"
    "  -p, --port N    (8000; 0: any that is free)\n"
    "  -a, --address A listens at this address only\n"
    "  -s, --https     with a certificate made on the spot; says what the board needs\n"
    "      --name HOST   that boards call the server by (its address)\n"
    "      --ca FILE     where the certificate is written to, for OTA(ca=)\n"
    "  -l, --log FILE  the requests, as nginx writes them: for sdboot fleet\n"
    "      --delay MS  waits before each answer\n"
    "      --loss P    breaks off P per cent of the answers half-way; --seed N: other ones\n"
    "  -q, --quiet     no lines\n"
    "\n"
    "  sdboot serve www\n"
    "  sdboot serve --https --ca ca.pem --loss 20 www\n";

enum { NAME = 256, CA, DELAY, LOSS, SEED };

struct options {
    struct serve serve;
    const char *address, *name, *ca;
    unsigned port;
    bool https;
};

static void parse(int argc, char **argv, struct options *o) {
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},    {"address", required_argument, NULL, 'a'},
        {"https", no_argument, NULL, 's'},         {"name", required_argument, NULL, NAME},
        {"ca", required_argument, NULL, CA},       {"log", required_argument, NULL, 'l'},
        {"delay", required_argument, NULL, DELAY}, {"loss", required_argument, NULL, LOSS},
        {"seed", required_argument, NULL, SEED},   {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "p:a:sl:qh", options, NULL)) != -1) {
        switch (c) {
        case 'p':
            o->port = (unsigned)tool_number("-p", optarg, 0, 65535);
            break;
        case 'a':
            o->address = tool_value("-a", optarg);
            break;
        case 's':
            o->https = true;
            break;
        case NAME:
            o->name = tool_value("--name", optarg);
            break;
        case CA:
            o->ca = tool_value("--ca", optarg);
            break;
        case 'l':
            o->serve.log = fopen(tool_value("-l", optarg), "ae");
            if (o->serve.log == NULL) {
                tool_die("%s: %s", optarg, strerror(errno));
            }
            break;
        case DELAY:
            o->serve.delay = (unsigned)tool_number("--delay", optarg, 0, 600000);
            break;
        case LOSS:
            o->serve.loss = (unsigned)tool_number("--loss", optarg, 0, 100);
            break;
        case SEED:
            o->serve.seed = (unsigned)tool_number("--seed", optarg, 0, 1000000000);
            break;
        case 'q':
            o->serve.quiet = true;
            break;
        case 'h':
            fputs(help, stdout);
            exit(TOOL_GOOD);
        default:
            exit(TOOL_TROUBLE);
        }
    }
    if (argc - optind != 1) {
        tool_die("serve needs one folder; --help shows how");
    }
    o->serve.folder = argv[optind];
}

// The address that boards in the same network reach this machine at.
static const char *own_address(void) {
    static char text[INET_ADDRSTRLEN] = "127.0.0.1";
    struct ifaddrs *list;
    if (getifaddrs(&list) == 0) {
        for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
            if (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET &&
                !(i->ifa_flags & IFF_LOOPBACK) && (i->ifa_flags & IFF_UP)) {
                inet_ntop(AF_INET,
                          &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr, text,
                          sizeof text);
                break;
            }
        }
        freeifaddrs(list);
    }
    return text;
}

static struct MHD_Daemon *start(const struct options *o, const struct cert *cert) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)o->port)};
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     (o->https ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_KEY, 0, cert->key},
                                   {MHD_OPTION_HTTPS_MEM_CERT, 0, cert->pem},
                                   {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    if (o->address != NULL && inet_pton(AF_INET, o->address, &at.sin_addr) != 1) {
        tool_die("-a: \"%s\" is no IPv4 address", o->address);
    }
    errno = 0;
    struct MHD_Daemon *d = MHD_start_daemon(
        flags, (uint16_t)o->port, NULL, NULL, answer, (void *)(uintptr_t)&o->serve,
        MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_ARRAY, o->https ? tls : none, MHD_OPTION_END);
    if (d == NULL) {
        tool_die("port %u can't be served: %s", o->port,
                 errno != 0 ? strerror(errno) : "the TLS library refuses");
    }
    return d;
}

int command_serve(int argc, char **argv) {
    static struct options o = {.port = PORT, .serve = {.seed = 1}};
    struct cert cert = {0};
    struct stat st;
    sigset_t signals;
    int which;
    parse(argc, argv, &o);
    if (stat(o.serve.folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        tool_die("%s: no folder", o.serve.folder);
    }
    const char *name = o.name != NULL ? o.name : o.address != NULL ? o.address : own_address();
    if (o.https) {
        cert_make(&cert, name);
    }
    // Before threads begin: they inherit it.
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    struct MHD_Daemon *d = start(&o, &cert);
    unsigned port = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port;
    printf("%s is served: OTA(\"http%s://%s:%u\"%s%s%s)\n", o.serve.folder, o.https ? "s" : "",
           name, port, o.https ? ", pin=\"" : "", cert.pin, o.https ? "\"" : "");
    if (o.https && o.ca != NULL) {
        tool_write(o.ca, cert.pem, strlen(cert.pem), 0644);
        printf("or with ca=open(\"%s\").read(), which needs a board whose clock is set\n", o.ca);
    }
    fflush(stdout);
    sigwait(&signals, &which);
    MHD_stop_daemon(d);
    if (o.serve.log != NULL && fclose(o.serve.log) != 0) {
        tool_die("the log can't be written: %s", strerror(errno));
    }
    free(cert.key);
    free(cert.pem);
    return TOOL_GOOD;
}
