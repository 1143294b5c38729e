// SPDX-License-Identifier: MIT
#include <string.h>

#include "cli/card/say.h"
#include "core/error.h"

static void say_pointer(struct report *r, const struct card *c) {
    const struct sdb_control *a = &c->area;
    report_number(r, "area.lba", a->lba);
    report_number(r, "area.sectors", a->sectors);
    report_number(r, "area.version", a->version);
    report_text(r, "area.place", a->lba == 0 ? NULL : a->entry_lba != 0 ? "file" : "gap");
    if (a->lba == 0) {
        report_line(r, "pointer",
                    "none in sector 0: no sdboot has used this card, or a PC has "
                    "written sector 0 anew");
    } else if (c->area_found != 0) {
        report_line(r, "pointer", "to %u sectors from sector %u on", a->sectors, a->lba);
        report_fault(r, "the pointer in sector 0 leads to sector %u, where no control area is",
                     a->lba);
    } else {
        report_line(r, "pointer", "to a control area of %u sectors (%s) from sector %u on, %s",
                    a->sectors, say_size((uint64_t)a->sectors * SDB_SECTOR), a->lba,
                    a->entry_lba != 0 ? "in /.sdboot/journal" : "between MBR and first partition");
    }
}

static void say_commit(struct report *r, const struct card *c) {
    static const char *const states[] = {"empty", "pending", "foreign"};
    unsigned state = (unsigned)c->replay;
    report_text(r, "journal.state", state < 3 ? states[state] : "unknown");
    if (c->replay == SDB_REPLAY_DONE) {
        report_number(r, "journal.sectors", (long long)c->replayed);
        uint32_t records = sdb_journal_found(&c->volume.journal);
        report_number(r, "journal.records", records);
        if (records > 0) {
            report_line(r, "journal", "a log of %u small commits (boot(journal=\"log\"))", records);
        } else {
            report_line(r, "journal",
                        "a commit that a power cut (or pulling the card) has interrupted");
        }
        if (records > 0 && !c->device.writable) {
            report_note(
                r,
                "%zu sectors are to be put in place from the log: the next boot does it, and "
                "so does `sdboot card sync`; a PC sees the files as they were before, what "
                "is said below is how they are with it",
                c->replayed);
        } else if (c->device.writable) {
            report_note(r, "the interrupted commit has been put in place");
        } else {
            report_note(r,
                        "an interrupted commit waits in the journal, %zu sectors are to be put in "
                        "place: the next boot does it, and so does `sdboot card repair`; what is "
                        "said below is how the card is with it",
                        c->replayed);
        }
    } else if (c->replay == SDB_REPLAY_FOREIGN) {
        report_line(r, "journal", "a commit that was never finished, and no longer fits the card");
        report_fault(r, "somebody else, a PC perhaps, has written to this card after a power cut "
                        "had interrupted a commit: the commit is left out, the card is used as it "
                        "is");
    } else {
        report_line(r, "journal", "empty: nothing was interrupted");
    }
}

void say_journal(struct report *r, struct card *c) {
    if (!c->is_fat) {
        return;
    }
    say_pointer(r, c);
    uint32_t lba, sectors;
    int why = sdb_volume_why(&c->volume);
    sdb_volume_area(&c->volume, &lba, &sectors);
    if (lba == 0) {
        report_text(r, "journal.state", "none");
        report_line(r, "journal", "none");
        if (c->area.lba != 0 && c->area_found == 0) {
            report_fault(r, "the control area that the pointer leads to is not ours any more: its "
                            "file was deleted or moved, or a partition covers it");
        } else {
            report_note(r, "without a journal (%s): the next boot makes one if there is room",
                        why == SDB_ENOSPC ? "a file is to be made for it" : "there is none yet");
        }
        return;
    }
    say_commit(r, c);
    if (c->make.done & SDB_MADE_RESTORED) {
        report_fault(r, "sector 0 or the boot sector is not what it was; %s",
                     c->device.writable
                         ? "it has been restored from its copy"
                         : "the next boot restores it from its copy, as does `sdboot card repair`");
    }
    if (c->area.version != 0 && c->area.version < SDB_CONTROL_VERSION) {
        report_note(r, "the control area is of an older sdboot: the next boot replaces it");
    }
}
