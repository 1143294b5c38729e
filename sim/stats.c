// SPDX-License-Identifier: MIT
// The board's counters, and its limit of resets.
#include "py/mpprint.h"

#include "board.h"

struct stats_file {
    int file;
    uint64_t offset;
};

static void stats_print(void *data, const char *text, size_t len) {
    struct stats_file *f = data;
    sim_file_write(f->file, f->offset, text, len);
    f->offset += len;
}

void sim_stats_write(void) {
    if (sim_opt.stats == NULL) {
        return;
    }
    struct stats_file f = {sim_file_open(sim_opt.stats, SIM_FILE_CREATE), 0};
    if (f.file < 0) {
        mp_printf(&mp_plat_print, "board: the --stats file can't be written\n");
        return;
    }
    mp_print_t print = {&f, stats_print};
    const struct {
        const char *name;
        uint64_t value;
    } counters[] = {
        {"card_inits", sim->card_inits},
        {"card_read_commands", sim->card_read_commands},
        {"card_read_sectors", sim->card_read_sectors},
        {"card_write_commands", sim->card_write_commands},
        {"card_write_sectors", sim->card_write_sectors},
        {"card_sync", sim->card_sync},
        {"flash_writes", sim->flash_writes},
        {"flash_erases", sim->flash_erases},
        {"resets_hard", sim->resets_hard},
        {"resets_soft", sim->resets_soft},
        {"modelled_card_ms", sim->card_ns / 1000000u},
    };
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        mp_printf(&print, "%s %u\n", counters[i].name, (unsigned)counters[i].value);
    }
    mp_printf(&print, "pins_shared");
    for (int pin = 0; pin < SIM_PINS; pin++) {
        if (sim->pins_shared >> pin & 1) {
            mp_printf(&print, " %d", pin);
        }
    }
    mp_printf(&print, "\n");
    sim_file_close(f.file);
}

void sim_stats_check_resets(void) {
    if (sim_opt.max_resets >= 0 &&
        sim->resets_hard + sim->resets_soft > (uint64_t)sim_opt.max_resets) {
        sim_power_off(SIM_EXIT_RESETS, "board: more resets than --max-resets allows");
    }
}

const char *sim_stats_cause(void) {
    static const char *const names[] = {
        [SIM_PWRON] = "rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n",
        [SIM_HARD] = "rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n",
        [SIM_WDT] = "rst:0x8 (TG1WDT_SYS_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n",
        [SIM_DEEPSLEEP] = "rst:0x5 (DEEPSLEEP_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n",
    };
    return names[sim->cause];
}
