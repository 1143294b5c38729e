// SPDX-License-Identifier: MIT
// Part of port.h: a module that is built into a firmware. Types and dictionaries are constants.
#ifndef SDB_PORT_FIRMWARE_H
#define SDB_PORT_FIRMWARE_H

#define SDB_TYPE_BYTEARRAY (&mp_type_bytearray)
#define SDB_TYPE_OS_ERROR (&mp_type_OSError)

#define SDB_PROTECT(nlr) (nlr_push(nlr) == 0)
#define SDB_PROTECT_END() nlr_pop()
typedef nlr_buf_t sdb_nlr_t;

#define SDB_TYPE_MEMORY_ERROR (&mp_type_MemoryError)

static inline bool sdb_is_a(mp_obj_t exception, const mp_obj_type_t *type) {
    return mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(type));
}

static inline mp_obj_t sdb_iternext(mp_obj_t iter) {
    return mp_iternext(iter);
}

#define sdb_new0(type) m_new0(type, 1)

// ---- Types and modules --------------------------------------------------------------------------

#define SDB_TABLE_ENTRY(name, object) {MP_ROM_QSTR(name), MP_ROM_PTR(&object)},

// A type `type` with a constructor and the methods METHODS(X) = X(MP_QSTR_name, object) ...
#define SDB_TYPE(type, name, new, METHODS)                                                         \
    static const mp_rom_map_elem_t type##_table[] = {METHODS(SDB_TABLE_ENTRY)};                    \
    static MP_DEFINE_CONST_DICT(type##_locals, type##_table);                                      \
    MP_DEFINE_CONST_OBJ_TYPE(type, name, MP_TYPE_FLAG_NONE, make_new, new, locals_dict,            \
                             &type##_locals)
// Likewise, with a function that looks up attributes.
#define SDB_TYPE_ATTR(type, name, new, METHODS, lookup)                                            \
    static const mp_rom_map_elem_t type##_table[] = {METHODS(SDB_TABLE_ENTRY)};                    \
    static MP_DEFINE_CONST_DICT(type##_locals, type##_table);                                      \
    MP_DEFINE_CONST_OBJ_TYPE(type, name, MP_TYPE_FLAG_NONE, make_new, new, attr, lookup,           \
                             locals_dict, &type##_locals)
// An iterator, which Python can't make.
#define SDB_TYPE_ITERATOR(type, name, METHODS, next)                                               \
    static const mp_rom_map_elem_t type##_table[] = {METHODS(SDB_TABLE_ENTRY)};                    \
    static MP_DEFINE_CONST_DICT(type##_locals, type##_table);                                      \
    MP_DEFINE_CONST_OBJ_TYPE(type, name, MP_TYPE_FLAG_ITER_IS_ITERNEXT, iter, next, locals_dict,   \
                             &type##_locals)
#define SDB_TYPE_DECLARE(type) extern const mp_obj_type_t type
#define SDB_TYPE_PTR(type) (&(type))

// The module `name` with the functions and types GLOBALS(X), TYPES(T) = T(type) ...
#define SDB_MODULE(module, name, GLOBALS, TYPES)                                                   \
    static const mp_rom_map_elem_t module##_table[] = {                                            \
        {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(name)}, GLOBALS(SDB_TABLE_ENTRY)};             \
    static MP_DEFINE_CONST_DICT(module##_globals, module##_table);                                 \
    const mp_obj_module_t module = {                                                               \
        .base = {&mp_type_module},                                                                 \
        .globals = (mp_obj_dict_t *)&module##_globals,                                             \
    }

#endif
