// SPDX-License-Identifier: MIT
// Part of port.h: a native module. Types and dictionaries are filled in when it is imported. Every
// native module is one translation unit, so that what is defined here is defined once.
#ifndef SDB_PORT_NATIVE_H
#define SDB_PORT_NATIVE_H

#include "py/nlr.h"

// Variables must be global, to be found through the global offset table.
#define SDB_BSS __attribute__((externally_visible))

// Types that the table of functions doesn't have, looked up once.
SDB_BSS const mp_obj_type_t *sdb_type_bytearray;
SDB_BSS const mp_obj_type_t *sdb_type_os_error;
SDB_BSS const mp_obj_type_t *sdb_type_memory_error;
SDB_BSS mp_obj_t sdb_isinstance;
#define SDB_TYPE_OS_ERROR sdb_type_os_error
#define SDB_TYPE_MEMORY_ERROR sdb_type_memory_error
#define SDB_TYPE_BYTEARRAY sdb_type_bytearray

// The firmware of a windowed Xtensa pushes in two steps, as py/emitnative.c does it: nlr_push links
// the buffer, setjmp fills what follows it: 17 words of newlib's jmp_buf.
#if defined(__XTENSA_WINDOWED_ABI__)
typedef struct {
    void *prev;
    void *ret_val;
    uint32_t jmpbuf[17 + 3];
} sdb_nlr_t;
#define SDB_PROTECT(nlr)                                                                           \
    (mp_fun_table.nlr_push((nlr_buf_t *)(nlr)),                                                    \
     ((int (*)(void *))mp_fun_table.setjmp_)((nlr)->jmpbuf) == 0)
#else
typedef nlr_buf_t sdb_nlr_t;
#define SDB_PROTECT(nlr) (mp_fun_table.nlr_push(nlr) == 0)
#endif
#define SDB_PROTECT_END() mp_fun_table.nlr_pop()

#define mp_call_method_n_kw(n_args, n_kw, args) mp_fun_table.call_method_n_kw(n_args, n_kw, args)

__attribute__((unused)) static MP_NOINLINE bool sdb_is_a(mp_obj_t exception,
                                                         const mp_obj_type_t *type) {
    mp_obj_t args[2] = {exception, MP_OBJ_FROM_PTR(type)};
    return mp_call_function_n_kw(sdb_isinstance, 2, 0, args) == mp_const_true;
}

static inline mp_obj_t sdb_iternext(mp_obj_t iter) {
    mp_obj_iter_buf_t buf = {{NULL}, {iter}}; // no type: the iterator is in buf[0]
    return mp_fun_table.iternext(&buf);
}

static inline void *sdb_malloc0(size_t len) {
    return mp_fun_table.memset_(m_malloc(len), 0, len);
}
#define sdb_new0(type) ((type *)sdb_malloc0(sizeof(type)))

// ---- Types and modules --------------------------------------------------------------------------

MP_NOINLINE void sdb_table_add(mp_obj_dict_t *dict, qstr name, const void *object) {
    mp_map_elem_t *elem = &dict->map.table[dict->map.used++];
    elem->key = MP_OBJ_NEW_QSTR(name);
    elem->value = MP_OBJ_FROM_PTR(object);
}

MP_NOINLINE void sdb_type_init(mp_obj_full_type_t *type, qstr name, mp_make_new_fun_t new,
                               mp_obj_dict_t *locals, mp_map_elem_t *table, size_t n) {
    type->base.type = &mp_type_type;
    type->name = name;
    if (new != NULL) {
        MP_OBJ_TYPE_SET_SLOT(type, make_new, new, 0);
    }
    MP_OBJ_TYPE_SET_SLOT(type, locals_dict, locals, 1);
    locals->base.type = mp_fun_table.type_dict;
    locals->map.all_keys_are_qstrs = 1;
    locals->map.is_fixed = 1;
    locals->map.is_ordered = 1;
    locals->map.alloc = n;
    locals->map.table = table;
}

#define SDB_TABLE_COUNT(name, object) +1
#define SDB_TABLE_ADD(name, object) sdb_table_add(dict, name, &object);

// `MORE` are statements.
#define SDB_TYPE_MORE(type, name, new, METHODS, MORE)                                              \
    SDB_BSS mp_obj_full_type_t type;                                                               \
    SDB_BSS mp_obj_dict_t type##_locals;                                                           \
    SDB_BSS mp_map_elem_t type##_table[0 METHODS(SDB_TABLE_COUNT)];                                \
    static void type##_init(void) {                                                                \
        mp_obj_dict_t *dict = &type##_locals;                                                      \
        sdb_type_init(&type, name, new, &type##_locals, type##_table,                              \
                      MP_ARRAY_SIZE(type##_table));                                                \
        METHODS(SDB_TABLE_ADD)                                                                     \
        MORE;                                                                                      \
    }
#define SDB_TYPE(type, name, new, METHODS) SDB_TYPE_MORE(type, name, new, METHODS, )
#define SDB_TYPE_ATTR(type, name, new, METHODS, lookup)                                            \
    SDB_TYPE_MORE(type, name, new, METHODS, MP_OBJ_TYPE_SET_SLOT(&type, attr, lookup, 2))
#define SDB_TYPE_ITERATOR(type, name, METHODS, next)                                               \
    SDB_TYPE_MORE(type, name, NULL, METHODS, type.flags = MP_TYPE_FLAG_ITER_IS_ITERNEXT;           \
                  MP_OBJ_TYPE_SET_SLOT(&type, iter, next, 2))
#define SDB_TYPE_DECLARE(type) extern mp_obj_full_type_t type
#define SDB_TYPE_PTR(type) ((const mp_obj_type_t *)&(type))

#define SDB_STORE_GLOBAL(name, object) mp_store_global(name, MP_OBJ_FROM_PTR(&object));
#define SDB_INIT_TYPE(type) type##_init();

// `self` stays among the globals: before MicroPython 1.24 nothing else keeps the module's memory.
#define SDB_MODULE(module, name, GLOBALS, TYPES)                                                   \
    SDB_BSS mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) { \
        (void)n_args;                                                                              \
        (void)n_kw;                                                                                \
        (void)args;                                                                                \
        MP_DYNRUNTIME_INIT_ENTRY                                                                   \
        sdb_type_bytearray = &mp_type_bytearray;                                                   \
        sdb_type_os_error = MP_OBJ_TO_PTR(mp_load_global(MP_QSTR_OSError));                        \
        sdb_type_memory_error = MP_OBJ_TO_PTR(mp_load_global(MP_QSTR_MemoryError));                \
        sdb_isinstance = mp_load_global(MP_QSTR_isinstance);                                       \
        TYPES(SDB_INIT_TYPE)                                                                       \
        GLOBALS(SDB_STORE_GLOBAL)                                                                  \
        mp_store_global(MP_QSTR___init__, MP_OBJ_FROM_PTR(self));                                  \
        MP_DYNRUNTIME_INIT_EXIT                                                                    \
    }                                                                                              \
    struct sdb_module_end
#define MP_REGISTER_MODULE(name, module) struct sdb_module_end

#endif
