// SPDX-License-Identifier: MIT
// The board's options, as board.py writes them: a file of lines "name value".
#include <string.h>

#include "emu.h"

#define OPTIONS_HEAP (128 * 1024)

uint32_t emu_exec_limit = EMU_EXEC_MAX;
bool sim_host;

static _Noreturn void options_fail(const char *name, const char *value, const char *mistake) {
    static char text[160];
    const char *parts[] = {
        "board: --", name, ": \"", value, "\" is not ", mistake, "; --help lists the options"};
    size_t len = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        size_t n = strlen(parts[i]);
        n = n < sizeof(text) - 1 - len ? n : sizeof(text) - 1 - len;
        memcpy(text + len, parts[i], n);
        len += n;
    }
    text[len] = '\0';
    sim_power_off(2, text);
}

// That of an emulated board alone; board.py has checked it.
static void options_exec(const char *value) {
    emu_exec_limit = 0;
    for (; *value != '\0'; value++) {
        emu_exec_limit = emu_exec_limit * 10 + (uint32_t)(*value - '0');
    }
}

static void options_line(const char *name, const char *value) {
    if (strcmp(name, "exec") == 0) {
        options_exec(value);
        return;
    }
    const char *mistake = sim_option(name, value);
    if (mistake != NULL) {
        options_fail(name, value, mistake);
    }
    if (sim_opt.heap > EMU_HEAP_MAX) {
        options_fail(name, value, "a size from 16K to 2M");
    }
}

void emu_options_read(void) {
    static char text[2048]; // values stay in it
    sim_options_default();
    sim_opt.heap = OPTIONS_HEAP;
    int file = emu_open("options", SIM_FILE_READ);
    int64_t size = file < 0 ? -1 : emu_size(file);
    if (size < 0 || size >= (int64_t)sizeof(text) || !sim_file_read(file, 0, text, (size_t)size)) {
        sim_power_off(2, "board: no options; emu/board.py starts it");
    }
    emu_close(file);
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        char *value = strchr(line, ' ');
        *value = '\0';
        options_line(line, value + 1);
    }
}
