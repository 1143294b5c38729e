// SPDX-License-Identifier: MIT
// Module _sdprobe: what is on a card that is new to sdboot, or one that has lost its first sectors.
// Loaded for such a card, and for what a PC has made read-only.
#include "objdev.h"

#include "core/card/fatdir.h"
#include "core/card/probe.h"
#include "core/error.h"
#include "core/journal/control.h"

struct mod_probe {
    struct sdb_objdev dev;
    uint8_t buf[SDB_PROBE_BUFFER];
};

// probe(card) -> (kind, name, first sector of the volume, littlefs block size, advice, the four
// types of an MBR's partitions) or -errno
static mp_obj_t mod_probe(mp_obj_t card) {
    static const char kinds[][12] = {"blank",   "unknown", "fat",        "littlefs",  "exfat-empty",
                                     "foreign", "lost",    "partitions", "unfinished"};
    struct mod_probe *work = sdb_new0(struct mod_probe);
    struct sdb_probe probe;
    SDB_KEEP(work);
    int res = sdb_objdev_init(&work->dev, card);
    if (res == 0) {
        res = sdb_probe(&work->dev.dev, &probe, work->buf);
    }
    mp_obj_t code = sdb_call_end(&work->dev.call, res);
    m_del(struct mod_probe, work, 1);
    if (res < 0) {
        return code;
    }
    mp_obj_t items[6] = {sdb_str(kinds[probe.kind]),
                         sdb_str(probe.name),
                         mp_obj_new_int_from_uint(probe.volume),
                         mp_obj_new_int_from_uint(probe.block_size),
                         sdb_str(probe.advice),
                         mp_obj_new_int_from_uint(probe.types)};
    return mp_obj_new_tuple(6, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_probe_obj, mod_probe);

// rescue(card) -> 0; 1: the card can be read again, its first sectors are restored from copies; 2:
// it is one of sdboot's, but too much is lost; or -errno
static mp_obj_t mod_rescue(mp_obj_t card) {
    struct mod_probe *work = sdb_new0(struct mod_probe);
    SDB_KEEP(work);
    int res = sdb_objdev_init(&work->dev, card);
    if (res == 0) {
        res = sdb_control_rescue(&work->dev.dev, work->buf, sizeof(work->buf));
    }
    mp_obj_t code = sdb_call_end(&work->dev.call, res);
    m_del(struct mod_probe, work, 1);
    return code;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_rescue_obj, mod_rescue);

// writable(device, path) -> 0, or -errno: -ENOENT if nothing of that name is read-only. The device
// is what the filesystem is mounted on, which must not have the directory's sector in memory; the
// path ends with a zero byte.
static mp_obj_t mod_writable(mp_obj_t device, mp_obj_t path_in) {
    mp_buffer_info_t path;
    mp_get_buffer_raise(path_in, &path, MP_BUFFER_READ);
    if (path.len == 0 || ((const char *)path.buf)[path.len - 1] != '\0') {
        return MP_OBJ_NEW_SMALL_INT(SDB_EINVAL);
    }
    struct mod_probe *work = sdb_new0(struct mod_probe);
    SDB_KEEP(work);
    int res = sdb_objdev_init(&work->dev, device);
    if (res == 0) {
        res = sdb_fatdir_writable(&work->dev.dev, path.buf, work->buf);
    }
    mp_obj_t code = sdb_call_end(&work->dev.call, res);
    m_del(struct mod_probe, work, 1);
    return code;
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_writable_obj, mod_writable);

#define SDPROBE_TYPES(T)
#define SDPROBE_GLOBALS(X)                                                                         \
    X(MP_QSTR_probe, mod_probe_obj)                                                                \
    X(MP_QSTR_rescue, mod_rescue_obj)                                                              \
    X(MP_QSTR_writable, mod_writable_obj)

SDB_MODULE(sdb_mod_sdprobe, MP_QSTR__sdprobe, SDPROBE_GLOBALS, SDPROBE_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdprobe, sdb_mod_sdprobe);
