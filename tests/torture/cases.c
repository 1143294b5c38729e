// SPDX-License-Identifier: MIT
#include "cases.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"

// Does the card go on working? A file is written and read back, and nothing else changes.
static bool goes_on(struct env *e, const char **why) {
    static uint8_t wrote[900];
    static uint8_t read[900];
    FIL f;
    UINT n = 0;
    struct fatcheck check;
    *why = "afterwards nothing can be written";
    fill(wrote, sizeof wrote, 777, 0);
    if (env_mount(e) != FR_OK) {
        *why = "afterwards it can't be mounted";
        return false;
    }
    f_unlink(&e->fs, "/filler0.bin");
    if (put_file(e, "/data/next time.txt", 777, sizeof wrote, 512) < 0 ||
        f_open(&e->fs, &f, "/data/next time.txt", FA_READ) != FR_OK ||
        f_read(&f, read, sizeof read, &n) != FR_OK) {
        return false;
    }
    f_close(&f);
    if (n != sizeof read || memcmp(read, wrote, n) != 0) {
        *why = "what is written afterwards reads back wrong";
        return false;
    }
    *why = check.error;
    bool ok = fatcheck(e->img, &check);
    *why = check.error;
    return ok;
}

static bool in_states(const struct job *job, uint64_t state, uint32_t lo, uint32_t hi) {
    for (uint32_t i = lo; i <= hi && i < job->states.count; i++) {
        if ((job->loose ? job->states.loose[i] : job->states.digest[i]) == state) {
            return true;
        }
    }
    return false;
}

static bool case_recover(struct job *job, struct env *e, uint32_t lo, uint32_t hi) {
    const char *why = "";
    struct fatcheck check;
    struct sdb_record_store store;
    e->states = &job->states;
    if (env_boot(e, job->scenario->fresh, &why) < 0) {
        job_fail(job, "recovery:", why);
        return false;
    }
    if (!fatcheck(e->img, &check)) {
        job_fail(job, check.error, check.where);
        return false;
    }
    if (job->scenario->fresh) {
        // Gap or file, whichever found room: no matter to the user's files.
        bool found = false;
        for (uint32_t i = lo; i <= hi && i < job->states.count; i++) {
            found |= job->states.visible[i] == check.visible;
        }
        if (!found || check.leaks + check.overlong > 0) {
            job_fail(job, "the user's files are not what they were", "");
        }
        env_record_store(e, &store);
        if (found && job->scenario->old && env_record_digest(&store) != job->record) {
            job_fail(job, "the state record is lost", "");
            return false;
        }
        return found;
    }
    if (job->loose && job->scenario->two) {
        // A release that can't be read is taken back: another way, to one of the two releases.
        bool found = false;
        for (size_t i = 0; i < job->states.count; i++) {
            found |= job->states.visible[i] == check.visible;
        }
        if (!found || check.leaks + check.overlong > 0) {
            job_fail(job, "neither the old nor the new release", "");
        }
        return found;
    }
    env_record_store(e, &store);
    uint64_t digest = job->loose ? check.loose : check.digest;
    if (!in_states(job, env_state(digest, env_record_digest(&store)), lo, hi)) {
        job_fail(job, "neither the state before nor the one after", "");
        return false;
    }
    return true;
}

// Does the log on the card change a sector first that the PC has changed? One is enough for the
// board to know; it can't know of others.
static bool strange_base(const struct image *before, const struct image *after, uint32_t anchor,
                         uint32_t area, uint32_t area_end) {
    uint32_t epoch = sdb_get32(image_get(after, anchor)->data + 8);
    for (uint32_t lba = anchor + 1; lba < area_end; lba++) {
        const uint8_t *s = image_get(after, lba)->data;
        uint32_t at = 16;
        if (memcmp(s, "sdbK", 4) != 0 || sdb_get32(s + 4) != area || sdb_get32(s + 8) != epoch ||
            sdb_get16(s + 12) != lba - anchor - 1 || sdb_get32(s + 508) != sdb_crc32(0, s, 508)) {
            break;
        }
        for (uint32_t n = sdb_get16(s + 14); n > 0; n--) {
            uint32_t kind = sdb_get16(s + at + 8) >> 9;
            uint32_t home = sdb_get32(s + at);
            if (kind == 0 && image_get(after, home) != image_get(before, home)) {
                return true;
            }
            at += 12 + (kind == 2 ? 4 : 0) + sdb_get16(s + at + 10);
        }
    }
    return false;
}

// How many of the sectors that the header on the card tells of have a content that is neither what
// they had before the PC nor what the commit would give them? Two tell the board that somebody was
// there; with fewer it can't know (docs/DESIGN.md).
static unsigned strange_homes(const struct image *before, const struct image *after) {
    const uint8_t *pointer = image_get(after, 0)->data + 384;
    uint32_t area = sdb_get32(pointer + 4);
    const uint8_t *header = image_get(after, area + SDB_CONTROL_HEADER)->data;
    unsigned strange = 0;
    if (memcmp(pointer, "sdbP", 4) != 0) {
        return 2;
    }
    uint32_t sectors = sdb_get32(pointer + 8);
    uint32_t anchor = area + sdb_area_anchor(sectors);
    const uint8_t *a = image_get(after, anchor)->data;
    bool commit = memcmp(header, "sdbJ", 4) == 0;
    for (uint32_t i = 0; commit && i < sdb_get32(header + 16) && i < 40; i++) {
        const uint8_t *slot = image_get(after, area + SDB_CONTROL_HEADER + 1 + i)->data;
        commit =
            sdb_crc32(0, slot, 512) == sdb_get32(header + 32 + 12 * i); // else it was cut short
    }
    if (memcmp(a, "sdbL", 4) == 0 && (!commit || sdb_get32(a + 8) != sdb_get32(header + 4) >> 8)) {
        return strange_base(before, after, anchor, area, area + sectors - 1) ? 2 : 0;
    }
    if (!commit) {
        return 2;
    }
    for (uint32_t i = 0; i < sdb_get32(header + 16) && i < 40; i++) {
        uint32_t lba = sdb_get32(header + 28 + 12 * i);
        const struct blob *now = image_get(after, lba);
        strange += now != image_get(before, lba) &&
                   now != image_get(after, area + SDB_CONTROL_HEADER + 1 + i);
    }
    return strange;
}

// The card as the cut left it goes into a PC, which writes to it: the PC's truth must stand, and
// the board's next transactions must not bring back what was committed before.
static void case_foreign(struct job *job, const struct image *img) {
    struct image pc;
    struct env e;
    struct fatcheck check;
    struct states scratch = {0};
    const char *why = "";
    image_init(&pc, img);
    if (fatcheck(&pc, &check)) { // else a PC would repair it: no telling what comes out
        env_init(&e, true, &job->vol, &pc, &scratch, NULL);
        e.open = e.unsynced = true;
        bool ok = env_mount(&e) == FR_OK && put_file(&e, "/data/PC.TXT", 1, 2500, 512) == 0 &&
                  put_file(&e, "/PC.TXT", 2, 700, 512) == 0 &&
                  put_file(&e, "/data/log.txt", 3, 10, 512) == 0;
        ok = ok && f_unlink(&e.fs, "/PC.TXT") == FR_OK && env_commit(&e) == 0;
        uint64_t digest = e.fs_loose;
        env_free(&e);
        if (ok && strange_homes(img, &pc) >= 2) {
            job->totals->foreign++;
            env_init(&e, false, &job->vol, &pc, NULL, NULL);
            env_boot(&e, job->scenario->fresh, &why);
            if (!fatcheck(&pc, &check) || check.loose != digest) {
                job_fail(job, "what a PC wrote is gone", check.error ? check.error : "");
            } else if (!goes_on(&e, &why)) {
                job_fail(job, why, "(after a PC had the card)");
            }
            env_free(&e);
            env_init(&e, false, &job->vol, &pc, NULL, NULL);
            if (env_boot(&e, false, &why) < 0 && e.volume.replay == SDB_REPLAY_FOREIGN) {
                job_fail(job, "still foreign after new commits", "");
            }
            env_free(&e);
        }
    }
    states_free(&scratch);
    image_free(&pc);
}

static void case_follow_up(struct job *job, struct env *e) {
    const char *why;
    job->counter++;
    if (job->counter % 512 == 7 || job->opt.replay) {
        job->totals->fsck++;
        if (!fsck_ok(&job->vol, e->img, job->scenario->unsynced)) {
            job_fail(job, "fsck.fat complains", "");
        }
    }
    if (job->counter % 16 == 3 || job->opt.replay) {
        e->dev.log = NULL;
        uint64_t last = job->states.visible[job->states.count - 1];
        if (job->scenario->resume && !job->scenario->resume(e, last, &why)) {
            job_fail(job, why, "(when the update is carried on)");
        } else if (!goes_on(e, &why)) {
            job_fail(job, why ? why : "", "(a file written after recovery)");
        }
    }
}

// Making a control area is a long recovery, begun anew after every cut: on every eighth volume each
// cut of it is cut again completely, on the others, for subsets of writes, and below that, samples.
static bool case_descend(const struct job *job) {
    if (!job->scenario->fresh || job->opt.replay) {
        return true;
    }
    if (job->volume_index % 8 != job->volume_index / 8 % 8) {
        return job->counter % (job->depth == 0 ? 16 : 1024) == 0;
    }
    if (job->depth == 0) {
        return job->variant[0] < VARIANT_SUBSET || job->counter % 16 == 0;
    }
    return job->counter % 1024 == 0;
}

void case_judge(struct job *job, const struct image *img, uint32_t lo, uint32_t hi) {
    job->totals->cases++;
    uint64_t key = mix2(img->hash, (uint64_t)lo << 32 | hi);
    if (!set64_add(&job->seen, key) && !job->opt.replay) {
        return;
    }
    job->totals->distinct++;
    struct image recovered;
    struct oplog log = {0};
    struct env e;
    image_init(&recovered, img);
    bool deeper = job->depth + 1 < DEPTH_MAX;
    env_init(&e, false, &job->vol, &recovered, NULL, deeper ? &log : NULL);
    if (job->scenario->fresh) {
        // Creation and its commit happen during recovery: the state after is right as well.
        hi = job->states.count - 1 > hi ? hi + 1 : hi;
    }
    e.log = job->scenario->log && job->counter % 2 == 0; // or another boot.py since
    if (case_recover(job, &e, lo, hi)) {
        size_t writes = log.count;
        case_follow_up(job, &e);
        log.count = writes;
        if (writes > 0 && job->depth == 0 && !job->scenario->fresh && job->counter % 4 == 1) {
            case_foreign(job, img);
        }
        if (writes > 0 && deeper && case_descend(job)) {
            job->depth++;
            explore_log(job, img, &log, false, lo, hi);
            job->depth--;
        }
    }
    env_free(&e);
    oplog_free(&log);
    image_free(&recovered);
}
