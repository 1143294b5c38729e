// SPDX-License-Identifier: MIT
// sdboot: releases for boards that boot from an SD card, made and checked on a PC.
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "tool.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    {"release", command_release, "pack a release and publish it in a folder"},
    {"rollout", command_rollout, "give a published release to more boards"},
    {"withdraw", command_withdraw, "take a release back from the server"},
    {"verify", command_verify, "check a folder or a server as a board would"},
    {"serve", command_serve, "serve a folder to boards on the bench"},
    {"keygen", command_keygen, "make a pair of keys"},
    {"sign", command_sign, "sign a folder's list of releases, or any file"},
    {"card", command_card, "what is on a board's card, and what has happened to it"},
    {"image", command_image, "make a ready card"},
    {"sim", command_sim, "start the simulated board on a card"},
    {"fleet", command_fleet, "which boards run what, from access logs"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void usage(FILE *to) {
    fputs("usage: sdboot COMMAND [OPTION...] [ARGUMENT...]\n\n", to);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].what);
    }
    fputs("\n"
          "sdboot COMMAND --help says more. Exit codes: 0 good, 1 what was checked is bad,\n"
          "2 it could not be done.\n"
          "\n"
          "  sdboot keygen\n"
          "  sdboot release -v 0.0.2 -C src -o www -k sdboot.key app main.py\n"
          "  sdboot verify -p sdboot.pub www\n",
          to);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        usage(stderr);
        return TOOL_TROUBLE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return TOOL_GOOD;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("sdboot " SDBOOT_VERSION);
        return TOOL_GOOD;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    tool_die("there is no command \"%s\"; sdboot --help lists them", argv[1]);
}
