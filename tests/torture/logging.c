// SPDX-License-Identifier: MIT
// An application whose small commits become records of the journal's log.
#include <stdio.h>

#include "engine.h"
#include "try.h"

static int write_some(FIL *f, uint32_t seed, uint32_t from, uint32_t size) {
    static uint8_t buf[4096];
    UINT n;
    fill(buf, size, seed, from);
    TRY(f_write(f, buf, size, &n));
    return n < size ? -28 : 0;
}

static int append_to(struct env *e, FIL *f, const char *path) {
    TRY(f_open(&e->fs, f, path, FA_WRITE | FA_OPEN_ALWAYS));
    TRY(f_lseek(f, f_size(f)));
    return 0;
}

// Lines until the log has begun anew more than once, over sectors and clusters.
int run_log_append(struct env *e) {
    FIL f;
    TRY(env_mount(e));
    TRY(append_to(e, &f, "/data/log.txt"));
    for (uint32_t line = 0; line < 36; line++) {
        TRY(write_some(&f, 500, line * 100, 100));
        TRY(f_sync(&f));
    }
    TRY(f_close(&f));
    // Where it goes on after a reset that nobody has seen coming.
    const char *why;
    TRY(env_boot(e, false, &why));
    TRY(env_mount(e));
    TRY(append_to(e, &f, "/data/log.txt"));
    TRY(write_some(&f, 501, 0, 30));
    TRY(f_close(&f));
    return 0;
}

// Two logs at the same time, one with long lines, and other work in between.
int run_log_mixed(struct env *e) {
    FIL a;
    FIL b;
    TRY(env_mount(e));
    TRY(append_to(e, &a, "/data/log.txt"));
    TRY(append_to(e, &b, "/data/the other log.txt"));
    for (uint32_t i = 0; i < 7; i++) {
        TRY(write_some(&a, 510, i * 60, 60));
        TRY(f_sync(&a));
        TRY(write_some(&b, 511, i * 150, 150));
        TRY(f_sync(&b));
    }
    TRY(put_file(e, "/data/settings.json", 512, 600, 512));
    TRY(write_some(&a, 513, 0, 60));
    TRY(f_sync(&a));
    TRY(write_some(&b, 514, 0, 1300));
    TRY(f_sync(&b));
    TRY(f_unlink(&e->fs, "/data/table.bin"));
    TRY(write_some(&a, 515, 0, 60));
    TRY(f_sync(&a));
    TRY(f_close(&b));
    TRY(write_some(&a, 516, 0, 60));
    TRY(f_close(&a));
    return 0;
}

// Patches in place, at random, and a byte that comes and goes.
int run_log_patch(struct env *e) {
    static const uint16_t places[] = {0, 4000, 510, 7000, 4010, 0, 8990, 2050, 0, 4000};
    FIL f;
    TRY(env_mount(e));
    TRY(f_open(&e->fs, &f, "/data/table.bin", FA_READ | FA_WRITE));
    for (uint32_t i = 0; i < sizeof places / sizeof *places; i++) {
        TRY(f_lseek(&f, places[i]));
        TRY(write_some(&f, 520 + i, 0, 9));
        TRY(f_sync(&f));
    }
    for (uint32_t i = 0; i < 6; i++) {
        UINT n;
        TRY(f_lseek(&f, 1500));
        TRY(f_write(&f, i % 2 ? "on " : "off", 3, &n));
        TRY(f_sync(&f));
        TRY(i == 3 ? put_file(e, "/data/small.txt", 530, 20, 20) : 0);
    }
    TRY(f_close(&f));
    return 0;
}

// Transactions, given up and not, checkpoints, and the state record among records of the log.
int run_log_transactions(struct env *e) {
    struct sdb_record_store store;
    struct sdb_record r;
    FIL f;
    env_record_store(e, &store);
    TRY(env_mount(e));
    for (uint32_t round = 0; round < 4; round++) {
        TRY(append_to(e, &f, "/data/log.txt"));
        for (uint32_t line = 0; line < 4; line++) {
            TRY(write_some(&f, 540 + round, line * 40, 40));
            TRY(f_sync(&f));
        }
        TRY(f_close(&f));
        if (round == 2) {
            TRY(sdb_record_load(&store, &r));
            r.state = SDB_STAGED;
            TRY(sdb_record_save(&store, &r));
            continue;
        }
        TRY(env_begin(e));
        TRY(put_file(e, "/data/one.txt", 550 + round, 700, 512));
        TRY(move_over(e, "/data/one.txt", "/data/settings.json"));
        TRY(round == 1 ? env_abort(e) : env_commit(e));
    }
    TRY(append_to(e, &f, "/data/log.txt"));
    TRY(write_some(&f, 560, 0, 40));
    TRY(f_close(&f));
    return env_checkpoint(e);
}
