// SPDX-License-Identifier: MIT
// Installing a release: a package streams in, once, and is staged beside the running release.
//
//   sdb_install_begin        checks the state; a release staged earlier waits until finish
//   sdb_install_clean        removes what earlier attempts left and the old prev/ (repeat while 1)
//   sdb_install_feed         takes the next bytes of the tar, any number
//   sdb_install_keep         before a file that is staged already
//   sdb_install_verify       the package has ended: is it what was announced?
//   sdb_install_finish       verifies if that was not done; from here on the next boot swaps it in;
//                            what waited before is removed (repeat while 1)
//   sdb_install_abort        instead of finish, or after an error: removes what was staged
//   sdb_install_suspend      likewise, but what is staged stays for another attempt
//
// The manifest of the release, app/.manifest, is written along the way.
//
// app/… is written to next/…, files outside app/ to .sdboot/new/… and only if their content
// differs from what is there. The running release is never touched.
#ifndef SDB_INSTALL_H
#define SDB_INSTALL_H

#include "core/fs.h"
#include "core/release/hash.h"
#include "core/release/layout.h"
#include "core/release/manifest.h"
#include "core/release/names.h"
#include "core/release/record.h"
#include "core/release/tar.h"
#include "core/release/tree.h"

struct sdb_install_config {
    const struct sdb_fs *fs;     // must outlive the install, as everything here
    const struct sdb_hash *hash; // of the whole package; the caller has started it
    const struct sdb_record_store *store;
    const char *main_dir;             // "app": the directory that a release owns whole
    const char *next_dir;             // "next"
    const char *version;              // announced version; app/.version in the package must agree
    const struct sdb_hash *file_hash; // SHA-256 for the manifest; NULL: the release has none

    // Memory in which writes are gathered, so that the filesystem gets pieces of this size at
    // multiples of it: best a cluster, or 4096. NULL and 0: none.
    uint8_t *gather;
    size_t gather_size;

    // Called at a file boundary, where a transaction may be committed; with `must` it has to be:
    // what follows must not share a transaction with what came before. May be NULL.
    int (*checkpoint)(void *ctx, bool must);
    void *ctx;

    // What an earlier attempt has staged stays, for sdb_install_keep(); what the package has not is
    // removed at the end. And no more than `resume` bytes, or one file, are lost if the power goes.
    // 0: nothing stays.
    uint32_t resume;

    uint8_t digest[SDB_HASH_MAX]; // announced hash of the whole package, hash->size bytes
};

struct sdb_install {
    // What is small comes first: native code reaches it with shorter instructions.
    uint32_t size;   // of the member
    uint32_t done;   // bytes of it seen
    uint32_t files;  // members that are files, so far
    uint32_t since;  // bytes written since the last checkpoint that had to be, if cfg.resume
    size_t gathered; // bytes in cfg.gather
    int out;         // handle of the file being written, or -1
    int cmp;         // handle of the live file compared with, or -1
    uint8_t phase;
    bool begun;          // begin succeeded
    bool resumed;        // an earlier attempt has staged something
    bool placed_version; // next/.version is written
    bool aborting;
    bool has_app;
    bool is_version;   // this member is app/.version
    bool has_version;  // the package has one
    bool written;      // this member is being staged, not equal to what is there
    bool skipped_boot; // the package has a boot.py
    bool second;       // another release is staged, and stays so until finish
    bool settling;     // finish has recorded this one instead
    bool verified;     // its hash is right, all of it is on the card
    bool keep;         // the next member is staged already ...
    bool kept;         // ... and this one is
    int error;         // first error: the install is dead

    struct sdb_install_config cfg;
    struct sdb_names names;
    struct sdb_tar tar;
    struct sdb_tree tree;
    struct sdb_textfile manifest;
    char path[SDB_PATH_MAX + 1];      // the member being written
    char live[SDB_PATH_MAX + 1];      // what it will replace, if outside main_dir
    uint8_t buf[512];                 // live content, to compare and to copy
    char found[SDB_VERSION_FILE_MAX]; // beginning of app/.version in the package
};

// `names` is copied; its table stays the caller's. Returns 0; SDB_EINVAL for directory names or a
// version that can't be recorded; SDB_EBUSY if a swap is half done (boot first) or a
// trial is not confirmed; an error of the store or the filesystem.
int sdb_install_begin(struct sdb_install *in, const struct sdb_install_config *cfg,
                      const struct sdb_names *names);

// One bounded piece of cleaning; returns 1 while there is more to do, then 0.
int sdb_install_clean(struct sdb_install *in);

// The next `len` bytes of the package. Fastest with pieces of a multiple of 512 bytes. Returns 0
// or an error: SDB_EPKG_* if the package is refused (in->tar.path tells at which member).
int sdb_install_feed(struct sdb_install *in, const void *data, size_t len);

// The file that comes next in the package is staged, with this very content: it is not written.
void sdb_install_keep(struct sdb_install *in);

// Stops for now, instead of sdb_install_abort(): what is staged whole stays for the next attempt
// with cfg.resume. Returns 0 or an error of the filesystem.
int sdb_install_suspend(struct sdb_install *in);

// The package has ended. Verifies it: what is in next/ and .sdboot/new/ then is the release, whole.
int sdb_install_verify(struct sdb_install *in);

// Verifies the package, if that was not done, and records it as staged. If another release was,
// this one takes its place: 1 while there is more to do, then 0; the next boot does what is not
// done.
int sdb_install_finish(struct sdb_install *in);

// Removes what was staged, but for a release staged earlier; returns 1 while there is more to do,
// then 0. After an error it may be called again. Does nothing if begin failed.
int sdb_install_abort(struct sdb_install *in);

#endif
