// SPDX-License-Identifier: MIT
// Module _sdsign: is a file signed by a key of ours? Loaded to verify only.
#include "micropython/port.h"

#include "core/error.h"
#include "core/web/blake2b.h"
#include "core/web/minisign.h"
#include "micropython/sign/ed25519.h"

// ---- Signature(text, keys): a file of minisign's, and the keys that this board trusts
// ------------

struct sdsign_signature {
    mp_obj_base_t base;
    mp_obj_t text; // keeps the bytes alive that minisig.comment points into
    struct sdb_minisig minisig;
    struct sdb_ed25519 ed25519;
    struct sdb_blake2b blake2b; // of the file, if that is what is signed
};

// Reads `text` (bytes of a .minisig file) and looks up its key in `keys` (bytes or str, lines of
// public keys), then checks the trusted comment. What it signs can be fed then.
static mp_obj_t signature_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                                   const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    mp_buffer_info_t text;
    mp_buffer_info_t keys;
    mp_get_buffer_raise(args[0], &text, MP_BUFFER_READ);
    mp_get_buffer_raise(args[1], &keys, MP_BUFFER_READ);
    struct sdsign_signature *self = mp_obj_malloc(struct sdsign_signature, type);
    self->text = args[0];
    uint8_t key[32];
    int res = sdb_minisig_parse(&self->minisig, text.buf, text.len);
    if (res == 0) {
        res = sdb_minisign_key(keys.buf, keys.len, self->minisig.id, key);
    }
    if (res == 0) {
        struct sdb_ed25519 *e = &self->ed25519;
        sdb_ed25519_begin(e, self->minisig.global, key);
        sdb_ed25519_feed(e, self->minisig.sig, sizeof(self->minisig.sig));
        sdb_ed25519_feed(e, self->minisig.comment, self->minisig.comment_len);
        res = sdb_ed25519_end(e) ? 0 : SDB_ESIG_WRONG;
    }
    if (res < 0) {
        return MP_OBJ_NEW_SMALL_INT(res);
    }
    sdb_ed25519_begin(&self->ed25519, self->minisig.sig, key);
    sdb_blake2b_begin(&self->blake2b);
    return MP_OBJ_FROM_PTR(self);
}

// feed(data): the next bytes of the signed file
static mp_obj_t signature_feed(mp_obj_t self_in, mp_obj_t data) {
    struct sdsign_signature *self = MP_OBJ_TO_PTR(self_in);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(data, &buf, MP_BUFFER_READ);
    if (self->minisig.prehashed) {
        sdb_blake2b_feed(&self->blake2b, buf.buf, buf.len);
    } else {
        sdb_ed25519_feed(&self->ed25519, buf.buf, buf.len);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(signature_feed_obj, signature_feed);

// finish() -> 0: the file is signed, or a negative error. Once only.
static mp_obj_t signature_finish(mp_obj_t self_in) {
    struct sdsign_signature *self = MP_OBJ_TO_PTR(self_in);
    if (self->minisig.prehashed) {
        uint8_t digest[64];
        sdb_blake2b_end(&self->blake2b, digest);
        sdb_ed25519_feed(&self->ed25519, digest, sizeof(digest));
    }
    int res = sdb_ed25519_end(&self->ed25519) ? 0 : SDB_ESIG_WRONG;
    memset(self->ed25519.sig, 0xff, sizeof(self->ed25519.sig)); // no signature of anything
    return MP_OBJ_NEW_SMALL_INT(res);
}
static MP_DEFINE_CONST_FUN_OBJ_1(signature_finish_obj, signature_finish);

// comment() -> the trusted comment, bytes
static mp_obj_t signature_comment(mp_obj_t self_in) {
    const struct sdsign_signature *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_bytes((const byte *)self->minisig.comment, self->minisig.comment_len);
}
static MP_DEFINE_CONST_FUN_OBJ_1(signature_comment_obj, signature_comment);

// id() -> of the key that made it, 8 bytes
static mp_obj_t signature_id(mp_obj_t self_in) {
    struct sdsign_signature *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_bytes(self->minisig.id, sizeof(self->minisig.id));
}
static MP_DEFINE_CONST_FUN_OBJ_1(signature_id_obj, signature_id);

#define SIGNATURE_METHODS(X)                                                                       \
    X(MP_QSTR_feed, signature_feed_obj)                                                            \
    X(MP_QSTR_finish, signature_finish_obj)                                                        \
    X(MP_QSTR_comment, signature_comment_obj)                                                      \
    X(MP_QSTR_id, signature_id_obj)

SDB_TYPE(sdb_signature_type, MP_QSTR_Signature, signature_make_new, SIGNATURE_METHODS);

// knows(keys, id) -> is there a key with this id, 8 bytes, in `keys`?
static mp_obj_t mod_knows(mp_obj_t keys_in, mp_obj_t id_in) {
    uint8_t key[32];
    mp_buffer_info_t keys;
    mp_buffer_info_t id;
    mp_get_buffer_raise(keys_in, &keys, MP_BUFFER_READ);
    mp_get_buffer_raise(id_in, &id, MP_BUFFER_READ);
    return mp_obj_new_bool(id.len == 8 && sdb_minisign_key(keys.buf, keys.len, id.buf, key) == 0);
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_knows_obj, mod_knows);

// count(keys) -> number of keys in a text, or a negative error
static mp_obj_t mod_count(mp_obj_t keys_in) {
    mp_buffer_info_t keys;
    mp_get_buffer_raise(keys_in, &keys, MP_BUFFER_READ);
    return MP_OBJ_NEW_SMALL_INT(sdb_minisign_count(keys.buf, keys.len));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_count_obj, mod_count);

#define SDSIGN_TYPES(T) T(sdb_signature_type)
#define SDSIGN_GLOBALS(X)                                                                          \
    X(MP_QSTR_Signature, sdb_signature_type)                                                       \
    X(MP_QSTR_knows, mod_knows_obj)                                                                \
    X(MP_QSTR_count, mod_count_obj)

SDB_MODULE(sdb_mod_sdsign, MP_QSTR__sdsign, SDSIGN_GLOBALS, SDSIGN_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdsign, sdb_mod_sdsign);
