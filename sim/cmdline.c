// SPDX-License-Identifier: MIT
// The command line of the board.
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"

// Default time model, from published figures of an ESP32's SDMMC slot: raw 64 KiB accesses reach
// 2.7 MB/s (write) and 3.7 MB/s (read) on one data line, while accesses of 256 bytes stay at
// 0.58 and 0.70 MB/s even on four, that is about 0.4 ms an access whatever its size.
struct sim_options sim_opt = {
    .heap = 256 * 1024,
    .max_resets = -1,
    .unique_id = {0x24, 0x0a, 0xc4, 0x00, 0x00, 0x01},
    .wifi_delay_ms = 50,
    .command_us = 400,
    .read_kbs = 3700,
    .write_kbs = 2700,
};

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

static uint64_t options_number(const char *name, const char *text, uint64_t max, char **end) {
    char *stop;
    errno = 0;
    uint64_t n = strtoull(text, &stop, 0);
    if (stop == text || !isdigit((unsigned char)text[0]) || errno != 0 || n > max ||
        (end == NULL && *stop != '\0')) {
        options_fail("%s: \"%s\" is not a number up to %llu", name, text, (unsigned long long)max);
    }
    if (end != NULL) {
        *end = stop;
    }
    return n;
}

static size_t options_size(const char *name, const char *text) {
    char *end;
    uint64_t n = options_number(name, text, 1u << 30, &end);
    if (toupper((unsigned char)*end) == 'K') {
        n <<= 10;
        end++;
    } else if (toupper((unsigned char)*end) == 'M') {
        n <<= 20;
        end++;
    }
    if (*end != '\0' || n < 16 * 1024 || n > (1u << 30)) {
        options_fail("%s: \"%s\" is not a size from 16K to 1024M", name, text);
    }
    return (size_t)n;
}

static void options_pin(const char *text) {
    char *end;
    uint64_t pin = options_number("--pin", text, SIM_PINS - 1, &end);
    if (strcmp(end, "=0") != 0 && strcmp(end, "=1") != 0) {
        options_fail("--pin: \"%s\" is not N=0 or N=1", text);
    }
    sim_opt.pin[pin] = (int8_t)(end[1] - '0');
}

static void options_bad(const char *text) {
    char *end;
    if (sim_opt.bad_count == SIM_BAD_RANGES) {
        options_fail("--card-bad: more than %d", SIM_BAD_RANGES);
    }
    uint32_t first = (uint32_t)options_number("--card-bad", text, UINT32_MAX, &end);
    uint32_t last = first;
    if (*end == '-') {
        last = (uint32_t)options_number("--card-bad", end + 1, UINT32_MAX, NULL);
    } else if (*end != '\0') {
        options_fail("--card-bad: \"%s\" is not LBA or LBA-LBA", text);
    }
    sim_opt.bad[sim_opt.bad_count].first = first;
    sim_opt.bad[sim_opt.bad_count].last = last;
    sim_opt.bad_count++;
}

static void options_unique_id(const char *text) {
    bool good = strlen(text) == 12;
    for (int i = 0; good && i < 6; i++) {
        unsigned byte;
        good = isxdigit((unsigned char)text[2 * i]) && isxdigit((unsigned char)text[2 * i + 1]) &&
               sscanf(text + 2 * i, "%2x", &byte) == 1;
        if (good) {
            sim_opt.unique_id[i] = (uint8_t)byte;
        }
    }
    if (!good) {
        options_fail("--unique-id: \"%s\" is not 12 hexadecimal digits", text);
    }
}

static bool options_one(const char *name, const char *value) {
    if (strcmp(name, "--card") == 0) {
        sim_opt.card = value;
    } else if (strcmp(name, "--flash") == 0) {
        sim_opt.flash = value;
    } else if (strcmp(name, "--heap") == 0) {
        sim_opt.heap = options_size(name, value);
    } else if (strcmp(name, "--pin") == 0) {
        options_pin(value);
    } else if (strcmp(name, "--flash-cut") == 0) {
        sim_opt.flash_cut = options_number(name, value, UINT64_MAX, NULL);
    } else if (strcmp(name, "--cut") == 0) {
        sim_opt.cut = options_number(name, value, UINT64_MAX, NULL);
    } else if (strcmp(name, "--card-init-fails") == 0) {
        sim_opt.card_init_fails = (uint32_t)options_number(name, value, UINT32_MAX, NULL);
    } else if (strcmp(name, "--card-bad") == 0) {
        options_bad(value);
    } else if (strcmp(name, "--card-fail") == 0) {
        if (!sim_card_fail(value, false)) {
            options_fail("--card-fail: \"%s\" is not rN, wN, rN+, wN+ or wN/", value);
        }
    } else if (strcmp(name, "--max-resets") == 0) {
        sim_opt.max_resets = (int64_t)options_number(name, value, INT64_MAX, NULL);
    } else if (strcmp(name, "--unique-id") == 0) {
        options_unique_id(value);
    } else if (strcmp(name, "--wifi-delay") == 0) {
        bool never = strcmp(value, "never") == 0;
        sim_opt.wifi_delay_ms = never ? -1 : (int32_t)options_number(name, value, INT32_MAX, NULL);
    } else if (strcmp(name, "--clock") == 0) {
        sim_opt.clock_set = strcmp(value, "host") == 0;
        if (!sim_opt.clock_set && strcmp(value, "unset") != 0) {
            options_fail("--clock: \"%s\" is neither \"unset\" nor \"host\"", value);
        }
    } else if (strcmp(name, "--stats") == 0) {
        sim_opt.stats = value;
    } else if (strcmp(name, "--trace") == 0) {
        sim_opt.trace = value;
    } else if (strcmp(name, "--card-command-us") == 0) {
        sim_opt.command_us = (uint32_t)options_number(name, value, UINT32_MAX, NULL);
    } else if (strcmp(name, "--card-read-kbs") == 0) {
        sim_opt.read_kbs = (uint32_t)options_number(name, value, UINT32_MAX, NULL);
    } else if (strcmp(name, "--card-write-kbs") == 0) {
        sim_opt.write_kbs = (uint32_t)options_number(name, value, UINT32_MAX, NULL);
    } else {
        return false;
    }
    return true;
}

void sim_options_parse(int argc, char **argv) {
    memset(sim_opt.pin, -1, sizeof(sim_opt.pin));
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(options_help, stdout);
            exit(0);
        }
        if (strcmp(argv[i], "--card-ro") == 0) {
            sim_opt.card_read_only = true;
            continue;
        }
        const char *value = argv[i + 1] != NULL ? argv[i + 1] : "";
        if (!options_one(argv[i], value)) {
            options_fail("unknown option \"%s\"", argv[i]);
        }
        if (argv[i + 1] == NULL) {
            options_fail("%s needs a value", argv[i]);
        }
        i++;
    }
    if (sim_opt.read_kbs == 0 || sim_opt.write_kbs == 0) {
        options_fail("a card that moves 0 bytes a second");
    }
}
