// SPDX-License-Identifier: MIT
// The internal flash: module esp32 with its class Partition, of which the board has one, "vfs".
// A NOR flash: erasing sets bits in units of 4096 bytes, writing only clears them.
#include <stdio.h>
#include <string.h>

#include "extmod/vfs.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"

#include "board.h"

#define FLASH_BLOCK 4096u
#define FLASH_SIZE (2u * 1024 * 1024)
#define FLASH_ADDRESS 0x200000
#define FLASH_TYPE_APP 0
#define FLASH_TYPE_DATA 1
#define FLASH_SUBTYPE_ANY 0xff
#define FLASH_SUBTYPE_FAT 0x81

struct flash_obj {
    mp_obj_base_t base;
};

static int flash_fd = -1;
static const uint8_t *flash_map; // littlefs reads many small pieces
static uint32_t flash_size;
static const mp_obj_type_t flash_partition_type;
static const struct flash_obj flash_vfs_obj = {{&flash_partition_type}};

static bool flash_fill(uint32_t offset, uint32_t len) {
    uint8_t blank[FLASH_BLOCK];
    memset(blank, 0xff, sizeof(blank));
    while (len != 0) {
        uint32_t n = len < FLASH_BLOCK ? len : FLASH_BLOCK;
        if (!sim_file_write(flash_fd, offset, blank, n)) {
            return false;
        }
        offset += n;
        len -= n;
    }
    return true;
}

void sim_flash_open(void) {
    if (sim_opt.flash != NULL) {
        flash_fd = sim_file_open(sim_opt.flash, SIM_FILE_UPDATE);
    } else if (sim->flash_fd >= 0) {
        flash_fd = sim->flash_fd;
    } else {
        flash_fd = sim->flash_fd = sim_memory_file("flash");
    }
    char message[512];
    int64_t size = flash_fd < 0 ? -1 : sim_file_size(flash_fd);
    if (size < 0) {
        snprintf(message, sizeof(message),
                 "board: the flash image \"%s\" can't be opened; sim/flash.py makes one",
                 sim_opt.flash);
        sim_power_off(2, message);
    }
    sim_own_fd(flash_fd);
    if (size == 0 && flash_fill(0, FLASH_SIZE)) {
        size = FLASH_SIZE;
    }
    if (size < 4 * FLASH_BLOCK || size % FLASH_BLOCK != 0 || size > (64 << 20)) {
        snprintf(message, sizeof(message),
                 "board: the flash image \"%s\" is not a multiple of 4096 bytes up to 64 MiB",
                 sim_opt.flash);
        sim_power_off(2, message);
    }
    flash_size = (uint32_t)size;
    flash_map = sim_file_map(flash_fd, flash_size);
}

static void flash_check(uint64_t offset, size_t len) {
    if (offset > flash_size || len > flash_size - offset) {
        check_esp_err(ESP_ERR_INVALID_SIZE);
    }
}

// The board's power fails now.
static bool flash_cut(void) {
    return sim_opt.flash_cut != 0 && sim->flash_erases + sim->flash_writes >= sim_opt.flash_cut;
}

static void flash_erase(uint64_t offset, size_t len) {
    flash_check(offset, len);
    if (offset % FLASH_BLOCK != 0 || len % FLASH_BLOCK != 0) {
        check_esp_err(ESP_ERR_INVALID_ARG);
    }
    sim->flash_erases += len / FLASH_BLOCK;
    bool cut = flash_cut();
    len = cut ? len / 2 : len;
    if (!flash_fill((uint32_t)offset, (uint32_t)len)) {
        check_esp_err(ESP_FAIL);
    }
    if (cut) {
        sim_power_off(SIM_EXIT_CUT, "board: power cut");
    }
}

static void flash_read(uint64_t offset, uint8_t *buf, size_t len) {
    flash_check(offset, len);
    if (flash_map != NULL) {
        memcpy(buf, flash_map + offset, len);
    } else if (!sim_file_read(flash_fd, offset, buf, len)) {
        check_esp_err(ESP_FAIL);
    }
}

static void flash_write(uint64_t offset, const uint8_t *buf, size_t len) {
    flash_check(offset, len);
    sim->flash_writes++;
    bool cut = flash_cut();
    len = cut ? len / 2 : len;
    uint8_t part[512];
    while (len != 0) {
        size_t n = len < sizeof(part) ? len : sizeof(part);
        flash_read(offset, part, n);
        for (size_t i = 0; i < n; i++) {
            part[i] &= buf[i];
        }
        if (!sim_file_write(flash_fd, offset, part, n)) {
            check_esp_err(ESP_FAIL);
        }
        offset += n;
        buf += n;
        len -= n;
    }
    if (cut) {
        sim_power_off(SIM_EXIT_CUT, "board: power cut");
    }
}

// class Partition

static void flash_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mp_printf(print, "<Partition type=%u, subtype=%u, address=%u, size=%u, label=vfs, encrypted=0>",
              FLASH_TYPE_DATA, FLASH_SUBTYPE_FAT, FLASH_ADDRESS, (unsigned)flash_size);
}

static mp_obj_t flash_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                               const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    if (mp_obj_is_str(args[0]) && strcmp(mp_obj_str_get_str(args[0]), "vfs") == 0) {
        return MP_OBJ_FROM_PTR(&flash_vfs_obj);
    }
    mp_raise_OSError(MP_ENOENT);
}

static mp_obj_t flash_find(size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw_args) {
    enum { ARG_type, ARG_subtype, ARG_label, ARG_block_size };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_type, MP_ARG_INT, {.u_int = FLASH_TYPE_APP}},
        {MP_QSTR_subtype, MP_ARG_INT, {.u_int = FLASH_SUBTYPE_ANY}},
        {MP_QSTR_label, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_block_size, MP_ARG_INT, {.u_int = FLASH_BLOCK}},
    };
    mp_arg_val_t arg[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, arg);
    if (arg[ARG_block_size].u_int != FLASH_BLOCK) {
        mp_raise_ValueError(MP_ERROR_TEXT("the simulated flash has blocks of 4096 bytes only"));
    }
    mp_obj_t list = mp_obj_new_list(0, NULL);
    mp_obj_t label = arg[ARG_label].u_obj;
    mp_int_t subtype = arg[ARG_subtype].u_int;
    if (arg[ARG_type].u_int == FLASH_TYPE_DATA &&
        (subtype == FLASH_SUBTYPE_ANY || subtype == FLASH_SUBTYPE_FAT) &&
        (label == mp_const_none || strcmp(mp_obj_str_get_str(label), "vfs") == 0)) {
        mp_obj_list_append(list, MP_OBJ_FROM_PTR(&flash_vfs_obj));
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(flash_find_fun_obj, 0, flash_find);
static MP_DEFINE_CONST_STATICMETHOD_OBJ(flash_find_obj, MP_ROM_PTR(&flash_find_fun_obj));

static mp_obj_t flash_info(mp_obj_t self_in) {
    (void)self_in;
    mp_obj_t tuple[] = {
        MP_OBJ_NEW_SMALL_INT(FLASH_TYPE_DATA), MP_OBJ_NEW_SMALL_INT(FLASH_SUBTYPE_FAT),
        MP_OBJ_NEW_SMALL_INT(FLASH_ADDRESS),   MP_OBJ_NEW_SMALL_INT(flash_size),
        MP_OBJ_NEW_QSTR(MP_QSTR_vfs),          mp_const_false,
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(tuple), tuple);
}
static MP_DEFINE_CONST_FUN_OBJ_1(flash_info_obj, flash_info);

static uint64_t flash_offset(size_t n_args, const mp_obj_t *args) {
    uint64_t offset = (uint64_t)mp_obj_get_int(args[1]) * FLASH_BLOCK;
    return n_args == 4 ? offset + (uint64_t)mp_obj_get_int(args[3]) : offset;
}

static mp_obj_t flash_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[2], &info, MP_BUFFER_WRITE);
    flash_read(flash_offset(n_args, args), info.buf, info.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_readblocks_obj, 3, 4, flash_readblocks);

static mp_obj_t flash_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[2], &info, MP_BUFFER_READ);
    uint64_t offset = flash_offset(n_args, args);
    if (n_args == 3) {
        flash_erase(offset, info.len);
    }
    flash_write(offset, info.buf, info.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_writeblocks_obj, 3, 4, flash_writeblocks);

static mp_obj_t flash_ioctl(mp_obj_t self_in, mp_obj_t cmd, mp_obj_t arg) {
    (void)self_in;
    switch (mp_obj_get_int(cmd)) {
    case MP_BLOCKDEV_IOCTL_INIT:
    case MP_BLOCKDEV_IOCTL_DEINIT:
    case MP_BLOCKDEV_IOCTL_SYNC:
        return MP_OBJ_NEW_SMALL_INT(0);
    case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
        return MP_OBJ_NEW_SMALL_INT(flash_size / FLASH_BLOCK);
    case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
        return MP_OBJ_NEW_SMALL_INT(FLASH_BLOCK);
    case MP_BLOCKDEV_IOCTL_BLOCK_ERASE:
        flash_erase((uint64_t)mp_obj_get_int(arg) * FLASH_BLOCK, FLASH_BLOCK);
        return MP_OBJ_NEW_SMALL_INT(0);
    default:
        return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(flash_ioctl_obj, flash_ioctl);

static const mp_rom_map_elem_t flash_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_find), MP_ROM_PTR(&flash_find_obj)},
    {MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&flash_info_obj)},
    {MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&flash_readblocks_obj)},
    {MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&flash_writeblocks_obj)},
    {MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&flash_ioctl_obj)},
    {MP_ROM_QSTR(MP_QSTR_TYPE_APP), MP_ROM_INT(FLASH_TYPE_APP)},
    {MP_ROM_QSTR(MP_QSTR_TYPE_DATA), MP_ROM_INT(FLASH_TYPE_DATA)},
};
static MP_DEFINE_CONST_DICT(flash_locals_dict, flash_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(flash_partition_type, MP_QSTR_Partition, MP_TYPE_FLAG_NONE,
                                make_new, flash_make_new, print, flash_print, locals_dict,
                                &flash_locals_dict);

static const mp_rom_map_elem_t flash_module_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_esp32)},
    {MP_ROM_QSTR(MP_QSTR_Partition), MP_ROM_PTR(&flash_partition_type)},
};
static MP_DEFINE_CONST_DICT(flash_module_dict, flash_module_table);

const mp_obj_module_t sim_esp32_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&flash_module_dict,
};
MP_REGISTER_MODULE(MP_QSTR_esp32, sim_esp32_module);
