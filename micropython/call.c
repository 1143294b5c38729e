// SPDX-License-Identifier: MIT
#include "call.h"

#include "core/error.h"

#include <string.h>

struct call_args {
    mp_obj_t (*fun)(struct call_args *args);
    mp_obj_t obj;
    qstr method;
    size_t n_args;
    const struct sdb_arg *args;
    void *buf;
    size_t len;
    bool write;
    int error;
    int (*take)(void *ctx, mp_obj_t obj);
};

// Runs args->fun; an exception of it is stored in *exception and the result is MP_OBJ_NULL. Small
// and not inlined: what setjmp does to local variables stays in here.
static MP_NOINLINE mp_obj_t call_protect(struct call_args *args, mp_obj_t *exception) {
    sdb_nlr_t nlr;
    if (SDB_PROTECT(&nlr)) {
        mp_obj_t result = args->fun(args);
        SDB_PROTECT_END();
        *exception = MP_OBJ_NULL;
        return result;
    }
    *exception = MP_OBJ_FROM_PTR(nlr.ret_val);
    return MP_OBJ_NULL;
}

static mp_obj_t call_attr_errno(struct call_args *a) {
    return mp_load_attr(a->obj, MP_QSTR_errno);
}

static int call_errno(struct sdb_call *call, mp_obj_t exception) {
    if (sdb_is_a(exception, SDB_TYPE_MEMORY_ERROR)) {
        return SDB_ENOMEM;
    }
    if (sdb_is_a(exception, SDB_TYPE_OS_ERROR)) {
        struct call_args a = {.fun = call_attr_errno, .obj = exception};
        mp_obj_t raised; // by an errno that is a property
        mp_obj_t value = call_protect(&a, &raised);
        if (raised == MP_OBJ_NULL && mp_obj_is_small_int(value) &&
            MP_OBJ_SMALL_INT_VALUE(value) > 0) {
            return -(int)MP_OBJ_SMALL_INT_VALUE(value);
        }
        return SDB_EIO;
    }
    call->pending = exception;
    return SDB_ECANCELED;
}

static int call_run(struct sdb_call *call, struct call_args *args, mp_obj_t *result) {
    mp_obj_t exception;
    *result = call_protect(args, &exception);
    return exception == MP_OBJ_NULL ? 0 : call_errno(call, exception);
}

static mp_obj_t call_method(struct call_args *a) {
    mp_obj_t dest[5];
    mp_load_method(a->obj, a->method, dest);
    for (size_t i = 0; i < a->n_args; i++) {
        const struct sdb_arg *arg = &a->args[i];
        // A path as bytes: names that a PC wrote to FAT need not be UTF-8, and then are no str.
        dest[2 + i] = arg->obj != MP_OBJ_NULL ? arg->obj
                      : arg->str != NULL
                          ? mp_obj_new_bytes((const byte *)arg->str, strlen(arg->str))
                          : mp_obj_new_int_from_uint(arg->num);
    }
    return mp_call_method_n_kw(a->n_args, 0, dest);
}

int sdb_call(struct sdb_call *call, mp_obj_t obj, qstr method, mp_obj_t *result, size_t n_args,
             const struct sdb_arg *args) {
    mp_obj_t ignored;
    if (obj == MP_OBJ_NULL) {
        return SDB_EINVAL; // nothing is open
    }
    struct call_args a = {
        .fun = call_method, .obj = obj, .method = method, .n_args = n_args, .args = args};
    return call_run(call, &a, result != NULL ? result : &ignored);
}

static mp_obj_t call_function(struct call_args *a) {
    return mp_call_function_n_kw(a->obj, 0, 0, NULL);
}

int sdb_call_function(struct sdb_call *call, mp_obj_t fun, mp_obj_t *result) {
    struct call_args a = {.fun = call_function, .obj = fun};
    return call_run(call, &a, result);
}

static mp_obj_t call_take(struct call_args *a) {
    a->error = a->take(a->buf, a->obj);
    return mp_const_none;
}

int sdb_call_take(struct sdb_call *call, int (*take)(void *ctx, mp_obj_t obj), void *ctx,
                  mp_obj_t obj) {
    mp_obj_t ignored;
    struct call_args a = {.fun = call_take, .obj = obj, .take = take, .buf = ctx};
    int res = call_run(call, &a, &ignored);
    return res < 0 ? res : a.error;
}

static mp_obj_t call_next(struct call_args *a) {
    return sdb_iternext(a->obj);
}

int sdb_call_next(struct sdb_call *call, mp_obj_t iter, mp_obj_t *item) {
    struct call_args a = {.fun = call_next, .obj = iter};
    int res = call_run(call, &a, item);
    return res < 0 ? res : *item != MP_OBJ_STOP_ITERATION;
}

static mp_obj_t call_stream(struct call_args *a) {
    const mp_stream_p_t *stream =
        mp_get_stream_raise(a->obj, a->write ? MP_STREAM_OP_WRITE : MP_STREAM_OP_READ);
    mp_uint_t n = a->write ? stream->write(a->obj, a->buf, a->len, &a->error)
                           : stream->read(a->obj, a->buf, a->len, &a->error);
    a->len = n;
    return mp_const_none;
}

int sdb_call_stream(struct sdb_call *call, mp_obj_t stream, void *buf, size_t len, bool write) {
    mp_obj_t ignored;
    struct call_args a = {
        .fun = call_stream, .obj = stream, .buf = buf, .len = len, .write = write};
    int res = stream == MP_OBJ_NULL ? SDB_EINVAL : call_run(call, &a, &ignored);
    if (res < 0) {
        return res;
    }
    if (a.len == MP_STREAM_ERROR) {
        return a.error > 0 ? -a.error : SDB_EIO;
    }
    return a.len <= len ? (int)a.len : SDB_EIO; // of a stream in Python, which can say anything
}

mp_obj_t sdb_call_end(struct sdb_call *call, int res) {
    if (call->pending != MP_OBJ_NULL) {
        mp_obj_t exception = call->pending;
        call->pending = MP_OBJ_NULL;
        nlr_raise(exception);
    }
    return MP_OBJ_NEW_SMALL_INT(res);
}

static mp_obj_t call_attr_args(struct call_args *a) {
    return mp_load_attr(a->obj, MP_QSTR_args);
}

mp_obj_t sdb_call_named(mp_obj_t obj, qstr method, size_t n_args, const struct sdb_arg *args) {
    struct call_args a = {
        .fun = call_method, .obj = obj, .method = method, .n_args = n_args, .args = args};
    mp_obj_t exception, raised;
    mp_obj_t result = call_protect(&a, &exception);
    if (exception == MP_OBJ_NULL) {
        return result;
    }
    if (sdb_is_a(exception, SDB_TYPE_OS_ERROR) && sdb_may_allocate()) {
        struct call_args b = {.fun = call_attr_args, .obj = exception};
        mp_obj_t tuple = call_protect(&b, &raised);
        size_t n = 0;
        mp_obj_t *items;
        if (raised == MP_OBJ_NULL) { // else by args that are a property
            mp_obj_get_array(tuple, &n, &items);
        }
        if (n == 1 && items[0] == MP_OBJ_NEW_SMALL_INT(-SDB_EIO)) {
            sdb_raise_os_error(-SDB_EIO, "the card fails, or its filesystem is damaged: try "
                                         "again, check the card on a PC");
        }
        if (n == 1 && items[0] == MP_OBJ_NEW_SMALL_INT(SDB_ENOENT)) { // sic, of littlefs's chdir
            sdb_raise_os_error(-SDB_ENOENT, "no such folder");
        }
        if (n == 1 && items[0] == MP_OBJ_NEW_SMALL_INT(-SDB_ENOTEMPTY)) {
            sdb_raise_os_error(-SDB_ENOTEMPTY, "the folder is not empty");
        }
        if (n == 1 && items[0] == MP_OBJ_NEW_SMALL_INT(-SDB_EACCES)) {
            sdb_raise_os_error(-SDB_EACCES, "denied: read-only or in use, a folder that is not "
                                            "empty, or card or folder are full");
        }
    }
    nlr_raise(exception);
}

static mp_obj_t call_allocate(struct call_args *a) {
    (void)a;
    byte *some = m_new(byte, 1);
    m_del(byte, some, 1);
    return mp_const_none;
}

bool sdb_may_allocate(void) {
    mp_obj_t exception;
    struct call_args a = {.fun = call_allocate};
    call_protect(&a, &exception);
    return exception == MP_OBJ_NULL;
}

void sdb_raise_os_error(int code, const char *message) {
    mp_obj_t args[2] = {MP_OBJ_NEW_SMALL_INT(code), sdb_str(message)};
    nlr_raise(mp_call_function_n_kw(MP_OBJ_FROM_PTR(SDB_TYPE_OS_ERROR), 2, 0, args));
}
