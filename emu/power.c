// SPDX-License-Identifier: MIT
// Power and resets. A hard reset ends the machine with a status that has board.py start it again;
// what outlives it is in a file.
#include <string.h>

#include "emu.h"

struct emu_state emu_state;
struct sim_state *sim = &emu_state.board;

static void power_say(enum emu_std where, const char *text) {
    emu_write(emu_std(where), text, strlen(text));
}

void sim_power_on(void) {
    int file = emu_open("state", SIM_FILE_READ);
    if (file >= 0) {
        sim_file_read(file, 0, &emu_state, sizeof(emu_state));
        emu_close(file);
    } else {
        sim->cause = SIM_PWRON;
        sim->flash_fd = -1;
        sim->card_fd = -1;
        sim_clock_set_ns(-1);
    }
    power_say(EMU_STDOUT, sim_stats_cause());
}

_Noreturn void sim_power_off(int status, const char *message) {
    if (message != NULL) {
        power_say(EMU_STDERR, message);
        power_say(EMU_STDERR, "\n");
    }
    sim_stats_write();
    emu_exit(status);
}

_Noreturn void sim_hard_reset(enum sim_cause cause) {
    sim->cause = cause;
    sim->resets_hard++;
    sim_stats_check_resets();
    sim->clock_ns += (int64_t)sim_now_ns(); // which starts at 0 again
    int file = emu_open("state", SIM_FILE_CREATE);
    if (file < 0 || !sim_file_write(file, 0, &emu_state, sizeof(emu_state))) {
        sim_power_off(2, "board: the reset failed");
    }
    emu_close(file);
    emu_exit(EMU_EXIT_RESET);
}

void sim_count_soft_reset(void) {
    sim->resets_soft++;
    sim->cause = SIM_SOFT;
    sim_stats_check_resets();
}

// What dies with the interpreter.
void sim_close_foreign_fds(void) {
    emu_exec_free();
}

void sim_own_fd(int fd) {
    (void)fd;
}

// Blank flash that is forgotten: board.py always gives a file.
int sim_memory_file(const char *name) {
    (void)name;
    return -1;
}

int sim_fork(void) {
    sim_power_off(2, "board: an emulated board can't be copied");
}
