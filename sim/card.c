// SPDX-License-Identifier: MIT
// The card in the slot: an image file with faults, counters and a time model.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "py/mperrno.h"
#include "py/runtime.h"

#include "board.h"

static int card_fd = -1;
static int card_trace_fd = -1;
static uint32_t card_sectors;
static struct {
    char command, how;
    uint64_t at; // number of the command, 0: never
} card_fault;

static _Noreturn void card_open_failed(const char *what, const char *path) {
    char message[512];
    snprintf(message, sizeof(message), "board: %s \"%s\" can't be opened", what, path);
    sim_power_off(2, message);
}

void sim_card_open(void) {
    if (sim_opt.trace != NULL) {
        bool first = sim->resets_hard == 0;
        card_trace_fd = sim_file_open(sim_opt.trace, first ? SIM_FILE_CREATE : SIM_FILE_APPEND);
        if (card_trace_fd < 0) {
            card_open_failed("the trace file", sim_opt.trace);
        }
        sim_own_fd(card_trace_fd);
    }
    if (sim_opt.card == NULL) {
        return;
    }
    enum sim_file_mode mode = sim_opt.card_read_only ? SIM_FILE_READ : SIM_FILE_UPDATE;
    card_fd = sim->card_fd >= 0 ? sim->card_fd : sim_file_open(sim_opt.card, mode);
    int64_t size = card_fd < 0 ? -1 : sim_file_size(card_fd);
    if (size < 0) {
        card_open_failed("the card image", sim_opt.card);
    }
    sim_own_fd(card_fd);
    uint64_t sectors = (uint64_t)size / SIM_SECTOR;
    card_sectors = sectors > UINT32_MAX ? UINT32_MAX : (uint32_t)sectors;
}

void sim_card_copy(void) {
    if (card_fd < 0) {
        return;
    }
    sim->card_fd = sim_memory_file("card");
    if (!sim_file_copy(card_fd, sim->card_fd)) {
        sim_power_off(2, "board: the card can't be copied");
    }
    card_fd = sim->card_fd;
    sim_own_fd(card_fd);
}

bool sim_card_fail(const char *what, bool from_now) {
    card_fault.at = 0;
    if (what[0] == '\0') {
        return true;
    }
    const char *end = what + 1;
    uint64_t n = 0;
    while (*end >= '0' && *end <= '9' && n < UINT32_MAX) {
        n = n * 10 + (uint64_t)(*end++ - '0');
    }
    bool write = what[0] == 'w';
    if ((!write && what[0] != 'r') || n == 0 ||
        (*end != '\0' && (strchr(write ? "+/" : "+", *end) == NULL || end[1] != '\0'))) {
        return false;
    }
    card_fault.command = what[0];
    card_fault.how = *end;
    card_fault.at = n;
    if (from_now) {
        card_fault.at += write ? sim->card_write_commands : sim->card_read_commands;
    }
    return true;
}

static bool card_fails(char command, uint64_t number) {
    return card_fault.at != 0 && command == card_fault.command &&
           (card_fault.how == '+' ? number >= card_fault.at : number == card_fault.at);
}

bool sim_card_pull(void) {
    sim->card_out = !sim->card_out;
    sim->card_waits = true;
    return sim->card_out;
}

uint32_t sim_card_sectors(void) {
    return card_sectors;
}

int sim_card_init(void) {
    sim->card_inits++;
    if (card_fd < 0 || sim->card_out || sim->card_inits <= sim_opt.card_init_fails) {
        return ESP_ERR_TIMEOUT;
    }
    sim->card_waits = false;
    return ESP_OK;
}

static void card_count(char command, uint32_t lba, uint32_t count, uint32_t kbs) {
    // Bytes a millisecond are 1000 bytes a second.
    sim->card_ns += sim_opt.command_us * 1000ull + count * (uint64_t)SIM_SECTOR * 1000000u / kbs;
    if (card_trace_fd >= 0) {
        char line[32];
        snprintf(line, sizeof(line), "%c %u %u\n", command, (unsigned)lba, (unsigned)count);
        sim_file_append(card_trace_fd, line);
    }
}

static bool card_is_bad(uint32_t lba, uint32_t count) {
    for (int i = 0; i < sim_opt.bad_count; i++) {
        if (lba <= sim_opt.bad[i].last && sim_opt.bad[i].first - lba < count) {
            return true;
        }
        if (lba >= sim_opt.bad[i].first && lba <= sim_opt.bad[i].last) {
            return true;
        }
    }
    return false;
}

static bool card_has(uint32_t lba, uint32_t count) {
    return card_fd >= 0 && lba < card_sectors && count <= card_sectors - lba;
}

int sim_card_read(uint32_t lba, uint32_t count, uint8_t *buf) {
    if (!card_has(lba, count)) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (sim->card_out || sim->card_waits) {
        return ESP_ERR_TIMEOUT;
    }
    sim->card_read_commands++;
    sim->card_read_sectors += count;
    card_count('r', lba, count, sim_opt.read_kbs);
    if (card_is_bad(lba, count) || card_fails('r', sim->card_read_commands)) {
        memset(buf, 0xdb, (size_t)count * SIM_SECTOR / 2); // what a transfer leaves that breaks off
        return ESP_ERR_INVALID_CRC;
    }
    bool done = sim_file_read(card_fd, (uint64_t)lba * SIM_SECTOR, buf, (size_t)count * SIM_SECTOR);
    return done ? ESP_OK : ESP_FAIL;
}

int sim_card_write(uint32_t lba, uint32_t count, const uint8_t *buf) {
    if (!card_has(lba, count)) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (sim->card_out || sim->card_waits) {
        return ESP_ERR_TIMEOUT;
    }
    if (sim_opt.card_read_only) {
        return ESP_ERR_INVALID_RESPONSE;
    }
    bool fails = card_fails('w', sim->card_write_commands + 1);
    if (fails) {
        // A single sector is written then, and reported to be not.
        count = card_fault.how == '/' ? (count + 1) / 2 : 0;
    }
    bool cut = sim_opt.cut != 0 && count >= sim_opt.cut - sim->card_write_sectors;
    if (cut) {
        count = (uint32_t)(sim_opt.cut - sim->card_write_sectors - 1);
    }
    if (count != 0) {
        size_t size = (size_t)count * SIM_SECTOR;
        if (!sim_file_write(card_fd, (uint64_t)lba * SIM_SECTOR, buf, size)) {
            return ESP_FAIL;
        }
        sim->card_write_sectors += count;
        card_count('w', lba, count, sim_opt.write_kbs);
    }
    if (count != 0 || fails) {
        sim->card_write_commands++;
    }
    if (cut) {
        sim_power_off(SIM_EXIT_CUT, "board: power cut");
    }
    return fails ? ESP_ERR_TIMEOUT : ESP_OK;
}

static const char *card_error_name(int code) {
    switch (code) {
    case ESP_FAIL:
        return "ESP_FAIL";
    case ESP_ERR_INVALID_ARG:
        return "ESP_ERR_INVALID_ARG";
    case ESP_ERR_INVALID_STATE:
        return "ESP_ERR_INVALID_STATE";
    case ESP_ERR_INVALID_SIZE:
        return "ESP_ERR_INVALID_SIZE";
    case ESP_ERR_TIMEOUT:
        return "ESP_ERR_TIMEOUT";
    default:
        return "UNKNOWN ERROR";
    }
}

void check_esp_err(int code) {
    if (code == ESP_OK) {
        return;
    }
    const char *name = card_error_name(code);
    mp_obj_t args[2] = {
        MP_OBJ_NEW_SMALL_INT(code == ESP_ERR_TIMEOUT ? MP_ETIMEDOUT : -code),
        mp_obj_new_str_from_cstr(name),
    };
    nlr_raise(mp_obj_exception_make_new(&mp_type_OSError, 2, 0, args));
}
