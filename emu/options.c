// SPDX-License-Identifier: MIT
// The board's options, as board.py writes them: a file of lines "name value".
#include <stdlib.h>
#include <string.h>

#include "emu.h"

struct sim_options sim_opt = {
    .heap = 128 * 1024,
    .max_resets = -1,
    .unique_id = {0x24, 0x0a, 0xc4, 0x00, 0x00, 0x01},
    .wifi_delay_ms = 50,
    .command_us = 400,
    .read_kbs = 3700,
    .write_kbs = 2700,
};
uint32_t emu_exec_limit = EMU_EXEC_MAX;
bool sim_host;

static uint64_t options_number(const char **at) {
    uint64_t n = 0;
    while (**at == ' ' || **at == '=' || **at == '-') {
        (*at)++;
    }
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        n = n * 10 + (uint64_t)(**at - '0');
    }
    return n;
}

// board.py has checked names and numbers.
static void options_line(const char *line) {
    const char *at = strchr(line, ' ');
    size_t len = (size_t)(at - line);
#define OPTION_IS(text) (len == sizeof(text) - 1 && memcmp(line, text, len) == 0)
    uint64_t n = options_number(&at);
    if (OPTION_IS("card")) {
        sim_opt.card = "card";
    } else if (OPTION_IS("flash")) {
        sim_opt.flash = "flash";
    } else if (OPTION_IS("stats")) {
        sim_opt.stats = "stats";
    } else if (OPTION_IS("trace")) {
        sim_opt.trace = "trace";
    } else if (OPTION_IS("heap")) {
        sim_opt.heap = (size_t)n;
    } else if (OPTION_IS("exec")) {
        emu_exec_limit = (uint32_t)n;
    } else if (OPTION_IS("pin")) {
        sim_opt.pin[n] = (int8_t)options_number(&at);
    } else if (OPTION_IS("cut")) {
        sim_opt.cut = n;
    } else if (OPTION_IS("max-resets")) {
        sim_opt.max_resets = (int64_t)n;
    } else if (OPTION_IS("card-init-fails")) {
        sim_opt.card_init_fails = (uint32_t)n;
    } else if (OPTION_IS("card-ro")) {
        sim_opt.card_read_only = true;
    } else if (OPTION_IS("card-bad")) {
        sim_opt.bad[sim_opt.bad_count].first = (uint32_t)n;
        sim_opt.bad[sim_opt.bad_count++].last = (uint32_t)options_number(&at);
    } else if (OPTION_IS("clock-set")) {
        sim_opt.clock_set = true;
    }
#undef OPTION_IS
}

void emu_options_read(void) {
    static char text[2048];
    memset(sim_opt.pin, -1, sizeof(sim_opt.pin));
    int file = emu_open("options", SIM_FILE_READ);
    int64_t size = file < 0 ? -1 : emu_size(file);
    if (size < 0 || size >= (int64_t)sizeof(text) || !sim_file_read(file, 0, text, (size_t)size)) {
        sim_power_off(2, "board: no options; emu/board.py starts it");
    }
    emu_close(file);
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        options_line(line);
    }
}
