// SPDX-License-Identifier: MIT
// Module emu: what tests and frozen code ask the emulated board.
#include "py/mperrno.h"
#include "py/runtime.h"

#include "emu.h"

// Bytes of memory for code that native modules have taken.
static mp_obj_t mod_exec_used(void) {
    return mp_obj_new_int_from_uint(emu_exec_used());
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_exec_used_obj, mod_exec_used);

// The network: requests to board.py and its answers, see frozen/socket.py.
static int mod_net(bool out) {
    static int files[2]; // plus one
    if (files[out] == 0) {
        files[out] =
            1 + emu_open(out ? "net.out" : "net.in", out ? SIM_FILE_APPEND : SIM_FILE_READ);
    }
    if (files[out] == 0) {
        mp_raise_OSError(MP_ENODEV);
    }
    return files[out] - 1;
}

static mp_obj_t mod_net_write(mp_obj_t buf) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(buf, &info, MP_BUFFER_READ);
    if (!emu_write(mod_net(true), info.buf, info.len)) {
        mp_raise_OSError(MP_EIO);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_net_write_obj, mod_net_write);

// Fills `buf`.
static mp_obj_t mod_net_read(mp_obj_t buf) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(buf, &info, MP_BUFFER_WRITE);
    uint8_t *at = info.buf;
    while (info.len != 0) {
        int n = emu_read(mod_net(false), at, info.len);
        if (n <= 0) {
            mp_raise_OSError(MP_EIO);
        }
        at += n;
        info.len -= (size_t)n;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_net_read_obj, mod_net_read);

static const mp_rom_map_elem_t mod_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_emu)},
    {MP_ROM_QSTR(MP_QSTR_exec_used), MP_ROM_PTR(&mod_exec_used_obj)},
    {MP_ROM_QSTR(MP_QSTR_net_write), MP_ROM_PTR(&mod_net_write_obj)},
    {MP_ROM_QSTR(MP_QSTR_net_read), MP_ROM_PTR(&mod_net_read_obj)},
};
static MP_DEFINE_CONST_DICT(mod_dict, mod_table);

const mp_obj_module_t emu_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&mod_dict,
};
MP_REGISTER_MODULE(MP_QSTR_emu, emu_module);
