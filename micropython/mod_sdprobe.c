// Module _sdprobe: what is on a card that is new to sdboot, or one that has lost its first sectors.
// Loaded for such a card only.
#include "objdev.h"

#include "core/card/probe.h"
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

#define SDPROBE_TYPES(T)
#define SDPROBE_GLOBALS(X) X(MP_QSTR_probe, mod_probe_obj) X(MP_QSTR_rescue, mod_rescue_obj)

SDB_MODULE(sdb_mod_sdprobe, MP_QSTR__sdprobe, SDPROBE_GLOBALS, SDPROBE_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdprobe, sdb_mod_sdprobe);
