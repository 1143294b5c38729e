// SPDX-License-Identifier: MIT
// Module _sdhttp: speaks to a web server. Loaded to look for a release.
#include "port.h"

#include "core/web/http.h"
#include "core/web/spki.h"
#include "core/web/url.h"

// ---- Http(location): reads a response -----------------------------------------------------------

SDB_TYPE_DECLARE(sdb_http_type);

struct sdhttp_http {
    mp_obj_base_t base;
    mp_obj_t location; // keeps the memory alive that a redirect's address is put in
    struct sdb_http http;
};

// `location`: a bytearray, used until the headers are done
static mp_obj_t http_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                              const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[0], &buf, MP_BUFFER_WRITE);
    struct sdhttp_http *self = mp_obj_malloc(struct sdhttp_http, type);
    self->location = args[0];
    sdb_http_init(&self->http, buf.buf, (uint16_t)(buf.len < 0xffff ? buf.len : 0xffff));
    return MP_OBJ_FROM_PTR(self);
}

// feed(buf, start, length) -> number of body bytes, moved to buf[start], or a negative error
static mp_obj_t http_feed(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    struct sdhttp_http *self = sdb_object(args[0], SDB_TYPE_PTR(sdb_http_type));
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[1], &buf, MP_BUFFER_WRITE);
    size_t start = (size_t)mp_obj_get_int(args[2]);
    size_t len = (size_t)mp_obj_get_int(args[3]);
    if (start > buf.len || len > buf.len - start) {
        mp_raise_ValueError(MP_ERROR_TEXT("beyond buffer"));
    }
    return MP_OBJ_NEW_SMALL_INT(sdb_http_feed(&self->http, (uint8_t *)buf.buf + start, len));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(http_feed_obj, 4, 4, http_feed);

// eof() -> 0 if the response may end here, or a negative error
static mp_obj_t http_eof(mp_obj_t self_in) {
    struct sdhttp_http *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_http_type));
    return MP_OBJ_NEW_SMALL_INT(sdb_http_eof(&self->http));
}
static MP_DEFINE_CONST_FUN_OBJ_1(http_eof_obj, http_eof);

// head() -> (status, length or -1, done); status 0 until the header is complete
static mp_obj_t http_head(mp_obj_t self_in) {
    struct sdhttp_http *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_http_type));
    const struct sdb_http *h = &self->http;
    mp_obj_t items[3] = {
        MP_OBJ_NEW_SMALL_INT(h->headers_done ? h->status : 0),
        h->has_length ? mp_obj_new_int_from_uint(h->length) : MP_OBJ_NEW_SMALL_INT(-1),
        mp_obj_new_bool(h->done),
    };
    return mp_obj_new_tuple(3, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(http_head_obj, http_head);

// done() -> was all of the body there?
static mp_obj_t http_done(mp_obj_t self_in) {
    struct sdhttp_http *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_http_type));
    return mp_obj_new_bool(self->http.done);
}
static MP_DEFINE_CONST_FUN_OBJ_1(http_done_obj, http_done);

// details() -> (keeps, validator, range), see core/web/http.h; range: (first, last, total) or None
static mp_obj_t http_details(mp_obj_t self_in) {
    struct sdhttp_http *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_http_type));
    const struct sdb_http *h = &self->http;
    size_t len = 0;
    while (h->validator[len]) {
        len++;
    }
    mp_obj_t range = mp_const_none;
    if (h->has_range) {
        mp_obj_t numbers[3] = {
            mp_obj_new_int_from_uint(h->first),
            mp_obj_new_int_from_uint(h->last),
            mp_obj_new_int_from_uint(h->total),
        };
        range = mp_obj_new_tuple(3, numbers);
    }
    mp_obj_t items[3] = {mp_obj_new_bool(h->keeps), mp_obj_new_str(h->validator, len), range};
    return mp_obj_new_tuple(3, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(http_details_obj, http_details);

#define HTTP_METHODS(X)                                                                            \
    X(MP_QSTR_feed, http_feed_obj)                                                                 \
    X(MP_QSTR_eof, http_eof_obj)                                                                   \
    X(MP_QSTR_head, http_head_obj)                                                                 \
    X(MP_QSTR_done, http_done_obj)                                                                 \
    X(MP_QSTR_details, http_details_obj)

SDB_TYPE(sdb_http_type, MP_QSTR_Http, http_make_new, HTTP_METHODS);

// ---- URLs ---------------------------------------------------------------------------------------

// split(url) -> (secure, what Host says, host, port, path and query) or a negative error
static mp_obj_t mod_split(mp_obj_t url) {
    size_t len;
    const char *text = mp_obj_str_get_data(url, &len);
    struct sdb_url u;
    int res = sdb_url_split(&u, text, len);
    if (res < 0) {
        return MP_OBJ_NEW_SMALL_INT(res);
    }
    mp_obj_t items[5] = {
        mp_obj_new_bool(u.secure),          mp_obj_new_str(u.authority, u.authority_len),
        mp_obj_new_str(u.host, u.host_len), MP_OBJ_NEW_SMALL_INT(u.port),
        mp_obj_new_str(u.path, u.path_len),
    };
    return mp_obj_new_tuple(5, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_split_obj, mod_split);

// resolve(base, buf) -> the URL that the reference in `buf`, a bytearray that ends with its first
// NUL, means at the URL `base`, or a negative error
static mp_obj_t mod_resolve(mp_obj_t base, mp_obj_t ref) {
    size_t base_len;
    const char *text = mp_obj_str_get_data(base, &base_len);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(ref, &buf, MP_BUFFER_READ);
    const char *at = buf.buf;
    size_t len = 0;
    while (len < buf.len && at[len] != '\0') {
        len++;
    }
    char *out = m_new(char, SDB_URL_MAX + 1);
    int res = sdb_url_resolve(text, base_len, at, len, out);
    mp_obj_t result = res < 0 ? MP_OBJ_NEW_SMALL_INT(res) : mp_obj_new_str(out, (size_t)res);
    m_del(char, out, SDB_URL_MAX + 1);
    return result;
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_resolve_obj, mod_resolve);

// spki(certificate) -> its public key in DER, bytes: what is pinned; None if it is no certificate
static mp_obj_t mod_spki(mp_obj_t der) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(der, &buf, MP_BUFFER_READ);
    size_t size;
    const uint8_t *key = sdb_spki(buf.buf, buf.len, &size);
    return key == NULL ? mp_const_none : mp_obj_new_bytes(key, size);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_spki_obj, mod_spki);

// ---- The module ---------------------------------------------------------------------------------

#define SDHTTP_TYPES(T) T(sdb_http_type)
#define SDHTTP_GLOBALS(X)                                                                          \
    X(MP_QSTR_Http, sdb_http_type)                                                                 \
    X(MP_QSTR_split, mod_split_obj)                                                                \
    X(MP_QSTR_resolve, mod_resolve_obj)                                                            \
    X(MP_QSTR_spki, mod_spki_obj)

SDB_MODULE(sdb_mod_sdhttp, MP_QSTR__sdhttp, SDHTTP_GLOBALS, SDHTTP_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdhttp, sdb_mod_sdhttp);
