// SPDX-License-Identifier: MIT
// sdboot keygen and sdboot sign: minisign's keys and signatures, of the kind that boards check.
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "minisign.h"
#include "tool.h"

static const char keygen_help[] =
    "usage: sdboot keygen [-p FILE] [-s FILE] [-W]\n"
    "\n"
    "Makes a pair of keys, in the files of minisign. The public one goes on the internal flash of\n"
    "each board, as sdboot.pub; keep the secret one where no board and no server is.\n"
    "\n"
    "  -p, --public FILE  (sdboot.pub)\n"
    "  -s, --secret FILE  (sdboot.key)\n"
    "  -W, --without-password  the secret key is not encrypted: for a CI job that keeps it safe\n"
    "\n"
    "The password is asked for, or taken from the environment: SDBOOT_PASSWORD.\n"
    "\n"
    "  sdboot keygen\n";

static const char sign_help[] =
    "usage: sdboot sign [-s KEY] [-t COMMENT] FILE...\n"
    "\n"
    "Signs each FILE: FILE.minisig, as \"minisign -S\" does. For releases sign the server's\n"
    "`versions`; sdboot release -k does it along with the rest.\n"
    "\n"
    "  -s, --secret FILE   (sdboot.key)\n"
    "  -t, --comment TEXT  signed too, and shown by boards (the date)\n"
    "\n"
    "  sdboot sign -s sdboot.key www/versions\n";

static void refuse_to_replace(const char *path) {
    if (access(path, F_OK) == 0) {
        tool_die("%s exists: a key that is lost can't be made again, it is not replaced", path);
    }
}

int command_keygen(int argc, char **argv) {
    static const struct option options[] = {
        {"public", required_argument, NULL, 'p'},
        {"secret", required_argument, NULL, 's'},
        {"without-password", no_argument, NULL, 'W'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *public_path = "sdboot.pub";
    const char *secret_path = "sdboot.key";
    bool open = false;
    int c;
    while ((c = getopt_long(argc, argv, "p:s:Wh", options, NULL)) != -1) {
        switch (c) {
        case 'p':
            public_path = tool_value("-p", optarg);
            break;
        case 's':
            secret_path = tool_value("-s", optarg);
            break;
        case 'W':
            open = true;
            break;
        case 'h':
            fputs(keygen_help, stdout);
            return TOOL_GOOD;
        default:
            return TOOL_TROUBLE;
        }
    }
    if (optind != argc) {
        tool_die("keygen takes no arguments; --help shows how");
    }
    refuse_to_replace(public_path);
    refuse_to_replace(secret_path);
    const char *given = getenv("SDBOOT_PASSWORD");
    char *password = open    ? tool_format("%s", "")
                     : given ? tool_format("%s", given)
                             : minisign_password("Password for the secret key", true);
    if (!open && *password == '\0') {
        tool_die("a secret key needs a password, or -W");
    }
    char *secret_text;
    char *public_text;
    minisign_generate(password, &secret_text, &public_text);
    tool_write(secret_path, secret_text, strlen(secret_text), 0600);
    tool_write(public_path, public_text, strlen(public_text), 0644);
    sodium_memzero(secret_text, strlen(secret_text));
    sodium_memzero(password, strlen(password));
    printf("%s is the secret key, %s goes on the boards:\n    mpremote cp %s :sdboot.pub\n",
           secret_path, public_path, public_path);
    free(secret_text);
    free(public_text);
    free(password);
    return TOOL_GOOD;
}

int command_sign(int argc, char **argv) {
    static const struct option options[] = {
        {"secret", required_argument, NULL, 's'},
        {"comment", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *secret_path = "sdboot.key";
    const char *comment = NULL;
    int c;
    while ((c = getopt_long(argc, argv, "s:t:h", options, NULL)) != -1) {
        switch (c) {
        case 's':
            secret_path = tool_value("-s", optarg);
            break;
        case 't':
            comment = optarg;
            break;
        case 'h':
            fputs(sign_help, stdout);
            return TOOL_GOOD;
        default:
            return TOOL_TROUBLE;
        }
    }
    if (optind == argc) {
        tool_die("sign needs a file; --help shows how");
    }
    if (comment != NULL && (strpbrk(comment, "\r\n") != NULL || strlen(comment) > 1024)) {
        tool_die("the comment is one line of at most 1024 bytes");
    }
    struct minisign_secret secret;
    minisign_load(&secret, secret_path);
    char now[32];
    time_t t = time(NULL);
    strftime(now, sizeof now, "%Y-%m-%d", gmtime(&t));
    for (int i = optind; i < argc; i++) {
        struct tool_text text;
        if (!tool_read(argv[i], 1u << 30, &text)) {
            tool_die("%s: no such file", argv[i]);
        }
        char *path = tool_format("%s.minisig", argv[i]);
        char *signature = minisign_sign(&secret, text.data, text.len, comment ? comment : now);
        tool_write(path, signature, strlen(signature), 0644);
        free(signature);
        free(path);
        free(text.data);
    }
    sodium_memzero(&secret, sizeof secret);
    return TOOL_GOOD;
}
