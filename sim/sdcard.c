// SPDX-License-Identifier: MIT
// machine.SDCard with the arguments, checks and results of ports/esp32/machine_sdcard.c on a plain
// ESP32: slot 1 is the SDMMC host, slots 2 and 3 are SPI buses.
#include <string.h>

#include "extmod/vfs.h"
#include "py/mphal.h"
#include "py/runtime.h"

#include "board.h"
#include "sim_types.h"

#define SDCARD_SLOT_MIN 1
#define SDCARD_SLOT_MAX 3
#define SDCARD_PINS 6

struct sdcard_obj {
    mp_obj_base_t base;
    int slot;
    bool host_open;
    bool card_ready;
};

// The drivers' own state, one a slot. The SDMMC host can be initialised once, an SPI bus too.
static bool sdcard_slot_open[SDCARD_SLOT_MAX + 1];
static int8_t sdcard_slot_pins[SDCARD_SLOT_MAX + 1][SDCARD_PINS];

// SDMMC: CLK, CMD, D0 to D3. SPI: miso, mosi, sck, cs.
static const int8_t sdcard_default_pins[SDCARD_SLOT_MAX + 1][SDCARD_PINS] = {
    [1] = {14, 15, 2, 4, 12, 13},
    [2] = {19, 23, 18, 5, -1, -1},
    [3] = {2, 15, 14, 13, -1, -1},
};

static void sdcard_use_pins(int slot, bool used) {
    for (int i = 0; i < SDCARD_PINS; i++) {
        if (sdcard_slot_pins[slot][i] >= 0) {
            sim_pin_use(sdcard_slot_pins[slot][i], true, used);
        }
    }
}

static int sdcard_ensure_init(struct sdcard_obj *self) {
    if (self->card_ready) {
        return ESP_OK;
    }
    int err = sdcard_slot_open[self->slot] ? sim_card_init() : ESP_ERR_INVALID_STATE;
    self->card_ready = err == ESP_OK;
    return err;
}

static void sdcard_set_pin(int slot, int index, mp_obj_t pin) {
    if (pin != mp_const_none) {
        sdcard_slot_pins[slot][index] = (int8_t)machine_pin_get_id(pin);
    }
}

enum {
    ARG_slot,
    ARG_width,
    ARG_cd,
    ARG_wp,
    ARG_miso,
    ARG_mosi,
    ARG_sck,
    ARG_cs,
    ARG_freq,
};

static void sdcard_open_spi(int slot, const mp_arg_val_t *arg) {
    sdcard_set_pin(slot, 0, arg[ARG_miso].u_obj);
    sdcard_set_pin(slot, 1, arg[ARG_mosi].u_obj);
    sdcard_set_pin(slot, 2, arg[ARG_sck].u_obj);
    sdcard_set_pin(slot, 3, arg[ARG_cs].u_obj);
    sdcard_set_pin(slot, 4, arg[ARG_cd].u_obj);
    sdcard_set_pin(slot, 5, arg[ARG_wp].u_obj);
    check_esp_err(sdcard_slot_open[slot] ? ESP_ERR_INVALID_STATE : ESP_OK);
    sdcard_slot_open[slot] = true;
}

static void sdcard_open_sdmmc(int slot, const mp_arg_val_t *arg) {
    if (arg[ARG_cd].u_obj != mp_const_none) {
        machine_pin_get_id(arg[ARG_cd].u_obj);
    }
    if (arg[ARG_wp].u_obj != mp_const_none) {
        machine_pin_get_id(arg[ARG_wp].u_obj);
    }
    int width = (int)arg[ARG_width].u_int;
    if (width != 1 && width != 4) {
        mp_raise_ValueError(MP_ERROR_TEXT("width must be 1 or 4 (or 8 on slot 0)"));
    }
    if (width == 1) {
        sdcard_slot_pins[slot][3] = sdcard_slot_pins[slot][4] = sdcard_slot_pins[slot][5] = -1;
    }
}

static mp_obj_t sdcard_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                                const mp_obj_t *args) {
    static const mp_arg_t allowed[] = {
        {MP_QSTR_slot, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 1}},
        {MP_QSTR_width, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 1}},
        {MP_QSTR_cd, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_wp, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_miso, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_mosi, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_sck, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_cs, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_freq, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 20000000}},
    };
    mp_arg_val_t arg[MP_ARRAY_SIZE(allowed)];
    mp_map_t kw_args;
    mp_map_init_fixed_table(&kw_args, n_kw, args + n_args);
    mp_arg_parse_all(n_args, args, &kw_args, MP_ARRAY_SIZE(allowed), allowed, arg);

    int slot = (int)arg[ARG_slot].u_int;
    if (slot < SDCARD_SLOT_MIN || slot > SDCARD_SLOT_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid slot number"));
    }
    bool is_spi = slot >= 2;
    if (!is_spi && (arg[ARG_miso].u_obj != mp_const_none || arg[ARG_mosi].u_obj != mp_const_none ||
                    arg[ARG_cs].u_obj != mp_const_none)) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid config: SDMMC slot with SPI pin arguments"));
    }

    struct sdcard_obj *self = mp_obj_malloc_with_finaliser(struct sdcard_obj, type);
    self->slot = slot;
    self->host_open = false;
    self->card_ready = false;
    if (!is_spi) {
        check_esp_err(sdcard_slot_open[slot] ? ESP_ERR_INVALID_STATE : ESP_OK);
        sdcard_slot_open[slot] = true;
    }
    // From here on the finaliser of an object whose construction failed closes the slot, even if
    // another object has opened it. So does the real one.
    self->host_open = true;
    sdcard_use_pins(slot, false);
    memcpy(sdcard_slot_pins[slot], sdcard_default_pins[slot], SDCARD_PINS);
    if (is_spi) {
        sdcard_open_spi(slot, arg);
    } else {
        sdcard_open_sdmmc(slot, arg);
    }
    sdcard_use_pins(slot, true);
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t sdcard_deinit(mp_obj_t self_in) {
    struct sdcard_obj *self = MP_OBJ_TO_PTR(self_in);
    if (self->host_open) {
        sdcard_slot_open[self->slot] = false;
        sdcard_use_pins(self->slot, false);
        self->host_open = false;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(sdcard_deinit_obj, sdcard_deinit);

static mp_obj_t sdcard_info(mp_obj_t self_in) {
    check_esp_err(sdcard_ensure_init(MP_OBJ_TO_PTR(self_in)));
    mp_obj_t tuple[2] = {
        mp_obj_new_int_from_ull((uint64_t)sim_card_sectors() * SIM_SECTOR),
        MP_OBJ_NEW_SMALL_INT(SIM_SECTOR),
    };
    return mp_obj_new_tuple(2, tuple);
}
static MP_DEFINE_CONST_FUN_OBJ_1(sdcard_info_obj, sdcard_info);

// The driver moves a buffer that DMA can't reach, here one that is not aligned to 4 bytes, through
// a bounce buffer: one command a sector.
static int sdcard_transfer(struct sdcard_obj *self, mp_obj_t block, const mp_buffer_info_t *info,
                           bool write) {
    mp_int_t lba = mp_obj_get_int(block);
    uint32_t count = (uint32_t)(info->len / SIM_SECTOR);
    uint8_t *buf = info->buf;
    if (!sdcard_slot_open[self->slot] || lba < 0 || lba > UINT32_MAX) {
        return ESP_ERR_INVALID_STATE;
    }
    uint32_t step = ((uintptr_t)buf & 3) == 0 ? count : 1;
    for (uint32_t done = 0; done < count; done += step) {
        uint8_t *part = buf + (size_t)done * SIM_SECTOR;
        uint32_t at = (uint32_t)lba + done;
        int err = write ? sim_card_write(at, step, part) : sim_card_read(at, step, part);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

static mp_obj_t sdcard_readblocks(mp_obj_t self_in, mp_obj_t block, mp_obj_t buf) {
    struct sdcard_obj *self = MP_OBJ_TO_PTR(self_in);
    if (sdcard_ensure_init(self) != ESP_OK) {
        return mp_const_false;
    }
    mp_buffer_info_t info;
    mp_get_buffer_raise(buf, &info, MP_BUFFER_WRITE);
    return mp_obj_new_bool(sdcard_transfer(self, block, &info, false) == ESP_OK);
}
static MP_DEFINE_CONST_FUN_OBJ_3(sdcard_readblocks_obj, sdcard_readblocks);

static mp_obj_t sdcard_writeblocks(mp_obj_t self_in, mp_obj_t block, mp_obj_t buf) {
    struct sdcard_obj *self = MP_OBJ_TO_PTR(self_in);
    if (sdcard_ensure_init(self) != ESP_OK) {
        return mp_const_false;
    }
    mp_buffer_info_t info;
    mp_get_buffer_raise(buf, &info, MP_BUFFER_READ);
    return mp_obj_new_bool(sdcard_transfer(self, block, &info, true) == ESP_OK);
}
static MP_DEFINE_CONST_FUN_OBJ_3(sdcard_writeblocks_obj, sdcard_writeblocks);

static mp_obj_t sdcard_ioctl(mp_obj_t self_in, mp_obj_t cmd, mp_obj_t arg) {
    struct sdcard_obj *self = MP_OBJ_TO_PTR(self_in);
    switch (mp_obj_get_int(cmd)) {
    case MP_BLOCKDEV_IOCTL_INIT:
        return MP_OBJ_NEW_SMALL_INT(sdcard_ensure_init(self) == ESP_OK ? 0 : -1);
    case MP_BLOCKDEV_IOCTL_DEINIT:
        self->card_ready = false;
        return MP_OBJ_NEW_SMALL_INT(0);
    case MP_BLOCKDEV_IOCTL_SYNC:
        sim->card_sync++;
        return MP_OBJ_NEW_SMALL_INT(0);
    case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
        if (sdcard_ensure_init(self) != ESP_OK) {
            return MP_OBJ_NEW_SMALL_INT(-1);
        }
        return MP_OBJ_NEW_SMALL_INT(sim_card_sectors());
    case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
        if (sdcard_ensure_init(self) != ESP_OK) {
            return MP_OBJ_NEW_SMALL_INT(-1);
        }
        return MP_OBJ_NEW_SMALL_INT(SIM_SECTOR);
    default:
        return MP_OBJ_NEW_SMALL_INT(-1);
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(sdcard_ioctl_obj, sdcard_ioctl);

static const mp_rom_map_elem_t sdcard_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&sdcard_info_obj)},
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&sdcard_deinit_obj)},
    {MP_ROM_QSTR(MP_QSTR_deinit), MP_ROM_PTR(&sdcard_deinit_obj)},
    {MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&sdcard_readblocks_obj)},
    {MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&sdcard_writeblocks_obj)},
    {MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&sdcard_ioctl_obj)},
};
static MP_DEFINE_CONST_DICT(sdcard_locals_dict, sdcard_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(machine_sdcard_type, MP_QSTR_SDCard, MP_TYPE_FLAG_NONE, make_new,
                         sdcard_make_new, locals_dict, &sdcard_locals_dict);
