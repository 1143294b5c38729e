// SPDX-License-Identifier: MIT
// The board's options, by name. The simulated board has them from its command line, an emulated one
// from a file.
#include <string.h>

#include "board.h"

struct sim_options sim_opt;
const char SIM_OPTION_UNKNOWN[] = "an option";

// The time model is from published figures of an ESP32's SDMMC slot: raw 64 KiB accesses reach
// 2.7 MB/s (write) and 3.7 MB/s (read) on one data line, while accesses of 256 bytes stay at
// 0.58 and 0.70 MB/s even on four, that is about 0.4 ms an access whatever its size.
void sim_options_default(void) {
    static const uint8_t id[] = {0x24, 0x0a, 0xc4, 0x00, 0x00, 0x01};
    memset(&sim_opt, 0, sizeof(sim_opt));
    memset(sim_opt.pin, -1, sizeof(sim_opt.pin));
    memcpy(sim_opt.unique_id, id, sizeof(id));
    sim_opt.heap = 256 * 1024;
    sim_opt.max_resets = -1;
    sim_opt.wifi_delay_ms = 50;
    sim_opt.command_us = 400;
    sim_opt.read_kbs = 3700;
    sim_opt.write_kbs = 2700;
}

// ---- Values ------------------------------------------------------------------------------------

static bool option_digits(const char **at, uint64_t max, uint64_t *n) {
    const uint64_t most = (UINT64_MAX - 9) / 10;
    const char *start = *at;
    *n = 0;
    for (; **at >= '0' && **at <= '9' && *n <= most; (*at)++) {
        *n = *n * 10 + (uint64_t)(**at - '0');
    }
    return *at != start && *n <= max;
}

static bool option_number(const char *text, uint64_t max, uint64_t *n) {
    return option_digits(&text, max, n) && *text == '\0';
}

static bool option_size(const char *text) {
    uint64_t n;
    if (!option_digits(&text, 1u << 30, &n)) {
        return false;
    }
    if (*text == 'K' || *text == 'k') {
        n <<= 10;
        text++;
    } else if (*text == 'M' || *text == 'm') {
        n <<= 20;
        text++;
    }
    sim_opt.heap = (size_t)n;
    return *text == '\0' && n >= 16 * 1024 && n <= (1u << 30);
}

static bool option_pin(const char *text) {
    uint64_t pin;
    if (!option_digits(&text, SIM_PINS - 1, &pin) ||
        (strcmp(text, "=0") != 0 && strcmp(text, "=1") != 0)) {
        return false;
    }
    sim_opt.pin[pin] = (int8_t)(text[1] - '0');
    return true;
}

static bool option_bad(const char *text) {
    uint64_t first, last;
    if (sim_opt.bad_count == SIM_BAD_RANGES || !option_digits(&text, UINT32_MAX, &first)) {
        return false;
    }
    last = first;
    if (*text == '-') {
        text++;
        if (!option_digits(&text, UINT32_MAX, &last)) {
            return false;
        }
    }
    sim_opt.bad[sim_opt.bad_count].first = (uint32_t)first;
    sim_opt.bad[sim_opt.bad_count++].last = (uint32_t)last;
    return *text == '\0';
}

static int option_hex(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool option_unique_id(const char *text) {
    if (strlen(text) != 2 * sizeof(sim_opt.unique_id)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(sim_opt.unique_id); i++) {
        int high = option_hex(text[2 * i]), low = option_hex(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        sim_opt.unique_id[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool option_wifi_delay(const char *text) {
    uint64_t n = 0;
    bool never = strcmp(text, "never") == 0;
    if (!never && !option_number(text, INT32_MAX, &n)) {
        return false;
    }
    sim_opt.wifi_delay_ms = never ? -1 : (int32_t)n;
    return true;
}

static bool option_clock(const char *text) {
    sim_opt.clock_set = strcmp(text, "host") == 0;
    return sim_opt.clock_set || strcmp(text, "unset") == 0;
}

static bool option_fail(const char *text) {
    return sim_card_fail(text, false);
}

static bool option_read_only(const char *text) {
    (void)text;
    sim_opt.card_read_only = true;
    return true;
}

// ---- Names -------------------------------------------------------------------------------------

static const struct {
    const char *name;
    const char **value;
} option_texts[] = {
    {"card", &sim_opt.card},
    {"flash", &sim_opt.flash},
    {"stats", &sim_opt.stats},
    {"trace", &sim_opt.trace},
};

static const struct {
    const char *name;
    uint64_t *wide; // one of the two
    uint32_t *value;
    uint64_t least;
} option_numbers[] = {
    {"cut", &sim_opt.cut, NULL, 0},
    {"flash-cut", &sim_opt.flash_cut, NULL, 0},
    {"max-resets", (uint64_t *)&sim_opt.max_resets, NULL, 0},
    {"card-init-fails", NULL, &sim_opt.card_init_fails, 0},
    {"card-command-us", NULL, &sim_opt.command_us, 0},
    {"card-read-kbs", NULL, &sim_opt.read_kbs, 1},
    {"card-write-kbs", NULL, &sim_opt.write_kbs, 1},
};

static const struct {
    const char *name;
    bool (*take)(const char *text);
    const char *what;
} option_others[] = {
    {"heap", option_size, "a size from 16K to 1024M"},
    {"pin", option_pin, "N=0 or N=1"},
    {"card-bad", option_bad, "LBA or LBA-LBA, or there are too many"},
    {"card-fail", option_fail, "rN, wN, rN+, wN+ or wN/"},
    {"card-ro", option_read_only, ""},
    {"unique-id", option_unique_id, "12 hexadecimal digits"},
    {"wifi-delay", option_wifi_delay, "a number or \"never\""},
    {"clock", option_clock, "\"unset\" or \"host\""},
};

#define OPTION_COUNT(table) (sizeof(table) / sizeof(*(table)))

const char *sim_option(const char *name, const char *value) {
    for (size_t i = 0; i < OPTION_COUNT(option_texts); i++) {
        if (strcmp(name, option_texts[i].name) == 0) {
            *option_texts[i].value = value;
            return NULL;
        }
    }
    for (size_t i = 0; i < OPTION_COUNT(option_numbers); i++) {
        if (strcmp(name, option_numbers[i].name) == 0) {
            uint64_t n;
            uint64_t max = option_numbers[i].wide != NULL ? INT64_MAX : UINT32_MAX;
            if (!option_number(value, max, &n) || n < option_numbers[i].least) {
                return "a number that it can be";
            }
            if (option_numbers[i].wide != NULL) {
                *option_numbers[i].wide = n;
            } else {
                *option_numbers[i].value = (uint32_t)n;
            }
            return NULL;
        }
    }
    for (size_t i = 0; i < OPTION_COUNT(option_others); i++) {
        if (strcmp(name, option_others[i].name) == 0) {
            return option_others[i].take(value) ? NULL : option_others[i].what;
        }
    }
    return SIM_OPTION_UNKNOWN;
}
