// SPDX-License-Identifier: MIT
// Builds a package anew from its index, from what is on the card and from what is missing there:
// the running release and, after an attempt that was cut short, what had been staged. The result
// goes to sdb_install_feed() as if all of it had been fetched; whether it is the package is for its
// hash to say.
//
//   sdb_delta_begin       reads the running release's manifest
//   sdb_delta_plan        looks for the next file on the card (repeat while 1)
//   sdb_delta_read        the next bytes of the package; 0: fetch d->want bytes at d->want_at ...
//   sdb_delta_took        ... and say so
//   sdb_delta_end         closes what is open, at any time
#ifndef SDB_DELTA_H
#define SDB_DELTA_H

#include "core/release/hash.h"
#include "core/release/index.h"
#include "core/release/manifest.h"

// A range is fetched along with the one before it if there are no more bytes between them: a
// request of its own would cost more.
#define SDB_DELTA_GAP 1024u

struct sdb_delta_config {
    const struct sdb_fs *fs;     // must outlive the delta, as everything here
    const struct sdb_hash *hash; // SHA-256
    const char *main_dir;
    const char *next_dir;
    const char *version; // of the package

    // The index, as sdb_index_open() reads it; rewind() starts it anew.
    void (*rewind)(void *ctx);
    int (*more)(void *ctx, const uint8_t **piece);
    void *ctx;

    uint32_t *plan;    // an entry for each of the index
    size_t plan_size;  // entries
    uint32_t *known;   // beginnings of the hashes in the manifest, for files that have moved
    size_t known_size; // entries: of what is beyond, no moved file is found
    uint8_t *buf;      // to read files into
    size_t buf_size;   // at least 1
};

struct sdb_delta {
    uint32_t want;    // bytes to fetch next, 0: none, the package is complete
    uint32_t want_at; // where in the package they are
    bool kept;        // what sdb_delta_read() has returned is the header of a file that is staged
    uint32_t fetch;   // bytes to be fetched in all, as planned
    uint32_t ranges;  // in as many pieces

    // Internal.
    bool planned;
    bool staged;          // there may be files that are staged already
    int file;             // source that is being read, or -1
    uint32_t left;        // bytes of it
    uint32_t zeros;       // bytes of zeros that are due
    uint32_t run;         // entry that begins the range being planned, plan_size: none
    uint32_t run_from;    // where that range begins in the package
    uint32_t run_end;     // and ends
    uint32_t run_last;    // last entry in it
    uint32_t known_count; // entries of cfg.known
    bool broken;          // the manifest can't be read as one
    bool known_all;       // the manifest was read to its end
    uint32_t ordinal;     // of the manifest's next line
    struct sdb_delta_config cfg;
    struct sdb_index index;
    struct sdb_textfile manifest;
    char path[SDB_PATH_MAX + 1];
};

// Returns 0, SDB_EINVAL if the index can't be read, SDB_ENOMEM if plan_size is too small for it, or
// an error of the filesystem. After an error, too, sdb_delta_end() has to be called.
int sdb_delta_begin(struct sdb_delta *d, const struct sdb_delta_config *cfg);

// Looks for the next file of the package on the card, and hashes what it finds. What is staged and
// of no use is removed. Returns 1 while there is more to do, then 0, or an error.
int sdb_delta_plan(struct sdb_delta *d);

// Writes up to `len` (at least SDB_INDEX_BLOCK) bytes of the package to `buf`, returns their
// number; 0 if bytes have to be fetched first, or at the end. SDB_EIO if a file has changed since.
int sdb_delta_read(struct sdb_delta *d, uint8_t *buf, size_t len);

// `len` of the d->want bytes have been fetched.
void sdb_delta_took(struct sdb_delta *d, uint32_t len);

// Closes what is open.
void sdb_delta_end(struct sdb_delta *d);

#endif
