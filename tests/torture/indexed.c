// SPDX-License-Identifier: MIT
// Updates with an index: suspended, cut short anywhere, and gone on with.
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/release/delta.h"
#include "core/release/install.h"
#include "engine.h"

struct made {
    uint8_t tar[65536];
    size_t size;
    uint8_t index[2048];
    size_t index_size;
    bool given;
};

static void put(struct made *m, const void *data, size_t len) {
    memcpy(m->index + m->index_size, data, len);
    m->index_size += len;
}

static void put_number(struct made *m, uint32_t n) {
    do {
        uint8_t b = (uint8_t)((n & 127) | (n > 127 ? 128 : 0));
        put(m, &b, 1);
        n >>= 7;
    } while (n > 0);
}

static bool make(struct made *m, uint32_t seed) {
    static uint8_t data[8192];
    struct engine_running one;
    struct sdb_hash hash = engine_hash(&one, 32);
    uint8_t digest[SDB_HASH_MAX];
    memset(m, 0, sizeof *m);
    put(m, "sdbI\1", 5);
    put_number(m, engine_files + 1);
    for (unsigned i = 0; i < engine_files; i++) {
        const char *path;
        uint32_t size = engine_file(i, seed, &path, data);
        if (!sdb_tarhead_make(m->tar + m->size, path, SDB_INDEX_FILE, size)) {
            return false;
        }
        memcpy(m->tar + m->size + 512, data, size);
        m->size += 512 + (size + 511) / 512 * 512;
        put_number(m, SDB_INDEX_FILE);
        put_number(m, (uint32_t)strlen(path));
        put(m, path, strlen(path));
        put_number(m, size);
        if (size > 0) {
            hash.start(&one);
            hash.update(&one, data, size);
            hash.digest(&one, digest);
            put(m, digest, SDB_INDEX_HASH);
        }
    }
    put_number(m, SDB_INDEX_ZEROS);
    put_number(m, 2);
    m->size += 1024;
    return true;
}

static void made_rewind(void *ctx) {
    ((struct made *)ctx)->given = false;
}

static int made_more(void *ctx, const uint8_t **piece) {
    struct made *m = ctx;
    bool none = m->given;
    m->given = true;
    *piece = m->index;
    return none ? 0 : (int)m->index_size;
}

// Feeds the package, or its first pieces: `left` of them.
static int feed(struct sdb_install *in, struct sdb_delta *d, const struct made *m, int left) {
    static uint8_t buf[2048];
    while (left-- > 0) {
        int n = sdb_delta_read(d, buf, sizeof buf);
        if (n < 0) {
            return n;
        }
        if (n > 0) {
            if (d->kept) {
                sdb_install_keep(in);
            }
            n = sdb_install_feed(in, buf, (size_t)n);
        } else if (d->want > 0) {
            uint32_t len = d->want < sizeof buf ? d->want : sizeof buf;
            n = sdb_install_feed(in, m->tar + d->want_at, len);
            sdb_delta_took(d, len);
        } else {
            return sdb_install_finish(in);
        }
        if (n < 0) {
            return n;
        }
    }
    return 0;
}

int engine_install_indexed(struct env *e, enum engine_end end) {
    static struct made made;
    static struct sdb_install in;
    static struct sdb_delta delta;
    static uint8_t buf[1024];
    uint32_t table[64][2], plan[64], known[64];
    struct engine_running whole, one, member;
    struct sdb_hash hash = engine_hash(&whole, 20);
    struct sdb_hash file_hash = engine_hash(&one, 32);
    struct sdb_hash member_hash = engine_hash(&member, 32);
    struct sdb_names names = {.table = table, .capacity = 64};
    struct sdb_record_store store;
    struct engine_checkpoints points = {e, 0};
    struct sdb_install_config cfg = {.fs = &e->engine_fs,
                                     .hash = &hash,
                                     .store = &store,
                                     .main_dir = "app",
                                     .next_dir = "next",
                                     .version = "1.1.0",
                                     .file_hash = &file_hash,
                                     .checkpoint = engine_checkpoint,
                                     .ctx = &points,
                                     .resume = 4096};
    if (!make(&made, 2)) {
        return SDB_EINVAL;
    }
    const struct sdb_delta_config from = {.fs = &e->engine_fs,
                                          .hash = &member_hash,
                                          .main_dir = "app",
                                          .next_dir = "next",
                                          .version = "1.1.0",
                                          .rewind = made_rewind,
                                          .more = made_more,
                                          .ctx = &made,
                                          .plan = plan,
                                          .plan_size = 64,
                                          .known = known,
                                          .known_size = 64,
                                          .buf = buf,
                                          .buf_size = sizeof buf};
    env_record_store(e, &store);
    hash.update(&whole, made.tar, made.size);
    hash.digest(&whole, cfg.digest);
    hash.start(&whole);
    int err = sdb_install_begin(&in, &cfg, &names);
    err = err < 0 ? err : env_begin(e);
    while (err == 0 && (err = sdb_install_clean(&in)) == 1) {
        err = 0;
    }
    err = err < 0 ? err : env_checkpoint(e);
    err = err < 0 ? err : sdb_delta_begin(&delta, &from);
    while (err == 0 && (err = sdb_delta_plan(&delta)) == 1) {
        err = 0;
    }
    err = err < 0 ? err : feed(&in, &delta, &made, end == ENGINE_HALF ? 12 : 1000);
    if (end == ENGINE_HALF && err == 0) {
        err = sdb_install_suspend(&in);
    }
    sdb_delta_end(&delta);
    return err < 0 ? err : env_commit(e);
}

// Suspended half-way, power off and on, gone on with; then it is put in place.
int run_indexed(struct env *e) {
    static struct sdb_boot b;
    struct sdb_record_store store;
    int err = env_mount(e) == FR_OK ? engine_install_indexed(e, ENGINE_HALF) : SDB_EIO;
    if (err == 0) {
        err = engine_reset(e, &b, &store, SDB_BOOT_NOTHING);
    }
    if (err == 0) {
        err = engine_install_indexed(e, ENGINE_GOOD);
    }
    if (err == 0) {
        err = engine_reset(e, &b, &store, SDB_BOOT_SWAPPED);
    }
    return err == 0 ? sdb_boot_confirm(b.store, &b.record) < 0 ? SDB_EIO : 0 : err;
}
