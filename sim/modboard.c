// SPDX-License-Identifier: MIT
// Module _board: what frozen code and tests ask the simulator. A real board has no such module.
#include "py/runtime.h"

#include "board.h"

// Milliseconds until Wi-Fi connects, -1: never.
static mp_obj_t board_wifi_delay_ms(void) {
    return mp_obj_new_int(sim_opt.wifi_delay_ms);
}
static MP_DEFINE_CONST_FUN_OBJ_0(board_wifi_delay_ms_obj, board_wifi_delay_ms);

// The GPIOs that open card slots use.
static mp_obj_t board_card_pins(void) {
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (int pin = 0; pin < SIM_PINS; pin++) {
        if (sim_pins_of_card() >> pin & 1) {
            mp_obj_list_append(list, MP_OBJ_NEW_SMALL_INT(pin));
        }
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_0(board_card_pins_obj, board_card_pins);

static mp_obj_t board_card_writes(void) {
    return mp_obj_new_int_from_ull(sim->card_write_sectors);
}
static MP_DEFINE_CONST_FUN_OBJ_0(board_card_writes_obj, board_card_writes);

static mp_obj_t board_card_reads(void) {
    return mp_obj_new_int_from_ull(sim->card_read_sectors);
}
static MP_DEFINE_CONST_FUN_OBJ_0(board_card_reads_obj, board_card_reads);

// card_commands() -> (reads, writes), those that failed included
static mp_obj_t board_card_commands(void) {
    mp_obj_t items[2] = {
        mp_obj_new_int_from_ull(sim->card_read_commands),
        mp_obj_new_int_from_ull(sim->card_write_commands),
    };
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(board_card_commands_obj, board_card_commands);

// card_fail(what): as --card-fail, counted from now on; "" for no failures
static mp_obj_t board_card_fail(mp_obj_t what) {
    if (!sim_card_fail(mp_obj_str_get_str(what), true)) {
        mp_raise_ValueError(MP_ERROR_TEXT("not rN, wN, rN+, wN+ or wN/"));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(board_card_fail_obj, board_card_fail);

// fork() -> None on a copy of this board and its card, which goes on by itself, through resets too;
// here its exit status, when it has been switched off
static mp_obj_t board_fork(void) {
    int status = sim_fork();
    return status < 0 ? mp_const_none : MP_OBJ_NEW_SMALL_INT(status);
}
static MP_DEFINE_CONST_FUN_OBJ_0(board_fork_obj, board_fork);

static const mp_rom_map_elem_t board_module_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__board)},
    {MP_ROM_QSTR(MP_QSTR_wifi_delay_ms), MP_ROM_PTR(&board_wifi_delay_ms_obj)},
    {MP_ROM_QSTR(MP_QSTR_card_commands), MP_ROM_PTR(&board_card_commands_obj)},
    {MP_ROM_QSTR(MP_QSTR_card_fail), MP_ROM_PTR(&board_card_fail_obj)},
    {MP_ROM_QSTR(MP_QSTR_fork), MP_ROM_PTR(&board_fork_obj)},
    {MP_ROM_QSTR(MP_QSTR_card_pins), MP_ROM_PTR(&board_card_pins_obj)},
    {MP_ROM_QSTR(MP_QSTR_card_reads), MP_ROM_PTR(&board_card_reads_obj)},
    {MP_ROM_QSTR(MP_QSTR_card_writes), MP_ROM_PTR(&board_card_writes_obj)},
};
static MP_DEFINE_CONST_DICT(board_module_dict, board_module_table);

const mp_obj_module_t sim_board_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&board_module_dict,
};
MP_REGISTER_MODULE(MP_QSTR__board, sim_board_module);
