// SPDX-License-Identifier: MIT
// Keys and signatures in the files of minisign: both ways with minisign itself. Signatures that are
// made here are of the file as it is ("Ed", minisign -S -l); boards take both of minisign's kinds.
#ifndef SDBOOT_MINISIGN_H
#define SDBOOT_MINISIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct minisign_secret {
    uint8_t id[8];
    uint8_t key[64];
};

// Makes a new pair: the text of both files, which the caller frees. `password`: "" leaves the
// secret key readable for whoever has the file.
void minisign_generate(const char *password, char **secret_text, char **public_text);

// Reads a secret key's file; asks for its password, or takes that of the environment's
// SDBOOT_PASSWORD, if there is one. Dies if that can't be done.
void minisign_load(struct minisign_secret *secret, const char *path);

// The text of a signature's file for `data`, which the caller frees. `comment` is signed too.
char *minisign_sign(const struct minisign_secret *secret, const void *data, size_t len,
                    const char *comment);

// Is `data` signed by `signature` with one of `keys` (texts of files)? 0, or SDB_ESIG_*.
int minisign_verify(const void *data, size_t len, const char *signature, size_t signature_len,
                    const char *keys, size_t keys_len);

// Asks for a password on the terminal, twice if `again`. "" if there is no terminal.
char *minisign_password(const char *prompt, bool again);

#endif
