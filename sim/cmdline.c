// SPDX-License-Identifier: MIT
// The command line of the simulated board.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"

static const char options_help[] =
    "usage: board [options]\n"
    "       board --host [-X heapsize=N] script.py [args]\n"
    "\n"
    "An ESP32 board with MicroPython, a flash chip and a card slot. Without a terminal on\n"
    "stdin, the end of the input at the REPL switches the board off (exit status 0).\n"
    "On a terminal, Ctrl-] leaves it, and Ctrl-\\ (or signal USR2) pulls the card out of its\n"
    "slot and puts it back.\n"
    "\n"
    "  --card IMG            image file of the card in the slot; without it the slot is empty\n"
    "  --flash IMG           image file of the internal flash (an empty file becomes 2 MiB of\n"
    "                        blank flash); without it, blank flash that is forgotten at the end\n"
    "  --heap BYTES          MicroPython's heap, K or M may follow (256K; a pointer takes twice\n"
    "                        the space it takes on ESP32)\n"
    "  --pin N=0|1           level from outside at GPIO N; repeatable. Others read 1, or what\n"
    "                        the board itself drives\n"
    "  --cut N               power fails at the N-th sector written to the card, hard resets\n"
    "                        included: N-1 are written, exit status 75\n"
    "  --flash-cut N         power fails in the middle of the N-th time that the internal flash "
    "is\n"
    "                        erased or written: half of it is done\n"
    "  --card-init-fails N   the first N initialisations of the card time out\n"
    "  --card-bad LBA[-LBA]  these sectors can't be read; repeatable\n"
    "  --card-ro             the card can't be written\n"
    "  --card-fail WHAT      the N-th command of the card fails, hard resets included: rN a read,\n"
    "                        wN a write; wN+ all from then on, wN/ half of its sectors are "
    "written\n"
    "  --max-resets N        more than N resets, hard or soft, end the run with status 76\n"
    "  --unique-id HEX       machine.unique_id(), 12 digits (240ac4000001)\n"
    "  --wifi-delay MS|never time until WLAN.connect() has connected (50)\n"
    "  --clock unset|host    the clock starts at 2000-01-01, as after power-on, or is right\n"
    "  --stats FILE          counters as \"name value\" lines, written at the end\n"
    "  --trace FILE          a line for each command of the card: r|w lba sectors\n"
    "  --card-command-us N   time model of the card: microseconds a command (400)\n"
    "  --card-read-kbs N     and 1000 bytes a second reading (3700)\n"
    "  --card-write-kbs N    and writing (2700)\n"
    "  --host script.py ...  no board: MicroPython's unix port with the same modules, the host's\n"
    "                        files at \"/\", for tools that prepare images\n"
    "  --help\n";

static _Noreturn void options_fail(const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    fputs("board: ", stderr);
    vfprintf(stderr, format, ap);
    fputs("; --help lists the options\n", stderr);
    va_end(ap);
    exit(2);
}

void sim_options_parse(int argc, char **argv) {
    sim_options_default();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(options_help, stdout);
            exit(0);
        }
        const char *name = argv[i];
        bool alone = strcmp(name, "--card-ro") == 0;
        const char *value = alone || argv[i + 1] == NULL ? "" : argv[i + 1];
        const char *mistake =
            strncmp(name, "--", 2) == 0 ? sim_option(name + 2, value) : SIM_OPTION_UNKNOWN;
        if (mistake == SIM_OPTION_UNKNOWN) {
            options_fail("unknown option \"%s\"", name);
        }
        if (!alone && argv[i + 1] == NULL) {
            options_fail("%s needs a value", name);
        }
        if (mistake != NULL) {
            options_fail("%s: \"%s\" is not %s", name, value, mistake);
        }
        i += !alone;
    }
}
