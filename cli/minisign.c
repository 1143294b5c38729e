// SPDX-License-Identifier: MIT
#include "minisign.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/error.h"
#include "core/web/minisign.h"
#include "tool.h"

// A secret key's bytes, as minisign 0.11 writes them. What is behind the limits is encrypted.
enum {
    SECRET_ALGORITHM = 0, // "Ed"
    SECRET_KDF = 2,       // "Sc": scrypt; 0, 0: not encrypted
    SECRET_CHECKSUM = 4,  // "B2"
    SECRET_SALT = 6,
    SECRET_OPSLIMIT = 38,
    SECRET_MEMLIMIT = 46,
    SECRET_ID = 54,
    SECRET_KEY = 62,
    SECRET_CHECK = 126, // BLAKE2b of algorithm, id and key
    SECRET_SIZE = 158,
    SECRET_SECRET = SECRET_SIZE - SECRET_ID,
};

static void minisign_check(const uint8_t *secret, uint8_t check[32]) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, secret + SECRET_ALGORITHM, 2);
    crypto_generichash_update(&state, secret + SECRET_ID, SECRET_CHECK - SECRET_ID);
    crypto_generichash_final(&state, check, 32);
}

static void minisign_crypt(uint8_t *secret, const char *password) {
    uint8_t stream[SECRET_SECRET];
    uint64_t ops = sdb_get32(secret + SECRET_OPSLIMIT) |
                   (uint64_t)sdb_get32(secret + SECRET_OPSLIMIT + 4) << 32;
    uint64_t memory = sdb_get32(secret + SECRET_MEMLIMIT) |
                      (uint64_t)sdb_get32(secret + SECRET_MEMLIMIT + 4) << 32;
    if (memory > SIZE_MAX ||
        crypto_pwhash_scryptsalsa208sha256(stream, sizeof stream, password, strlen(password),
                                           secret + SECRET_SALT, ops, (size_t)memory) != 0) {
        tool_die("not enough memory to decrypt the key");
    }
    for (size_t i = 0; i < sizeof stream; i++) {
        secret[SECRET_ID + i] ^= stream[i];
    }
    sodium_memzero(stream, sizeof stream);
}

static char *minisign_base64(const uint8_t *data, size_t len) {
    size_t room = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
    char *text = tool_alloc(room);
    return sodium_bin2base64(text, room, data, len, sodium_base64_VARIANT_ORIGINAL);
}

void minisign_generate(const char *password, char **secret_text, char **public_text) {
    uint8_t secret[SECRET_SIZE] = {0};
    uint8_t public[42] = {'E', 'd'};
    memcpy(secret, "Ed\0\0B2", 6);
    randombytes_buf(secret + SECRET_ID, 8);
    crypto_sign_keypair(public + 10, secret + SECRET_KEY);
    memcpy(public + 2, secret + SECRET_ID, 8);
    minisign_check(secret, secret + SECRET_CHECK);
    if (*password != '\0') {
        memcpy(secret + SECRET_KDF, "Sc", 2);
        randombytes_buf(secret + SECRET_SALT, 32);
        sdb_put32(secret + SECRET_OPSLIMIT, crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE);
        sdb_put32(secret + SECRET_MEMLIMIT, crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE);
        minisign_crypt(secret, password);
    }
    char *text = minisign_base64(secret, sizeof secret);
    *secret_text = tool_format("untrusted comment: %s secret key\n%s\n",
                               *password ? "minisign encrypted" : "minisign", text);
    sodium_memzero(text, strlen(text));
    free(text);
    text = minisign_base64(public, sizeof public);
    // The id as minisign prints it: a number of 64 bits.
    char id[17];
    for (int i = 0; i < 8; i++) {
        snprintf(id + 2 * i, 3, "%02X", public[9 - i]);
    }
    *public_text = tool_format("untrusted comment: minisign public key %s\n%s\n", id, text);
    free(text);
    sodium_memzero(secret, sizeof secret);
}

char *minisign_password(const char *prompt, bool again) {
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    struct termios before;
    if (tty < 0 || tcgetattr(tty, &before) != 0) {
        return tool_format("%s", "");
    }
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    char *typed[2] = {NULL, NULL};
    for (int i = 0; i < (again ? 2 : 1); i++) {
        char line[256];
        dprintf(tty, "%s%s", i == 0 ? prompt : "Once more", ": ");
        tcsetattr(tty, TCSAFLUSH, &silent);
        ssize_t n = read(tty, line, sizeof line - 1);
        tcsetattr(tty, TCSAFLUSH, &before);
        dprintf(tty, "\n");
        n = n > 0 && line[n - 1] == '\n' ? n - 1 : n;
        line[n > 0 ? n : 0] = '\0';
        typed[i] = tool_format("%s", line);
        sodium_memzero(line, sizeof line);
    }
    close(tty);
    if (again && strcmp(typed[0], typed[1]) != 0) {
        tool_die("the two passwords differ");
    }
    free(typed[1]);
    return typed[0];
}

void minisign_load(struct minisign_secret *secret, const char *path) {
    uint8_t bytes[SECRET_SIZE];
    uint8_t check[32];
    struct tool_text text;
    size_t len = 0;
    if (!tool_read(path, 4096, &text)) {
        tool_die("%s: no such file; \"sdboot keygen\" makes a pair of keys", path);
    }
    char *line = memchr(text.data, '\n', text.len);
    if (line == NULL || strncmp(text.data, "untrusted comment:", 18) != 0 ||
        sodium_base642bin(bytes, sizeof bytes, line + 1, strcspn(line + 1, "\r\n"), NULL, &len,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        len != sizeof bytes || memcmp(bytes, "Ed", 2) != 0 ||
        memcmp(bytes + SECRET_CHECKSUM, "B2", 2) != 0) {
        tool_die("%s: not a secret key of minisign's", path);
    }
    sodium_memzero(text.data, text.len);
    free(text.data);
    if (memcmp(bytes + SECRET_KDF, "Sc", 2) == 0) {
        const char *given = getenv("SDBOOT_PASSWORD");
        char *password = given ? tool_format("%s", given) : minisign_password("Password", false);
        minisign_crypt(bytes, password);
        sodium_memzero(password, strlen(password));
        free(password);
    } else if (bytes[SECRET_KDF] != 0 || bytes[SECRET_KDF + 1] != 0) {
        tool_die("%s: encrypted in a way that is not known here", path);
    }
    minisign_check(bytes, check);
    if (sodium_memcmp(check, bytes + SECRET_CHECK, sizeof check) != 0) {
        tool_die("%s: wrong password, or the file is damaged", path);
    }
    memcpy(secret->id, bytes + SECRET_ID, sizeof secret->id);
    memcpy(secret->key, bytes + SECRET_KEY, sizeof secret->key);
    sodium_memzero(bytes, sizeof bytes);
}

char *minisign_sign(const struct minisign_secret *secret, const void *data, size_t len,
                    const char *comment) {
    uint8_t signature[74] = {'E', 'd'};
    uint8_t global[64];
    size_t comment_len = strlen(comment);
    uint8_t *both = tool_alloc(64 + comment_len);
    memcpy(signature + 2, secret->id, sizeof secret->id);
    crypto_sign_detached(signature + 10, NULL, data, len, secret->key);
    memcpy(both, signature + 10, 64);
    memcpy(both + 64, comment, comment_len);
    crypto_sign_detached(global, NULL, both, 64 + comment_len, secret->key);
    char *first = minisign_base64(signature, sizeof signature);
    char *second = minisign_base64(global, sizeof global);
    char *text =
        tool_format("untrusted comment: signature from sdboot\n%s\ntrusted comment: %s\n%s\n",
                    first, comment, second);
    free(first);
    free(second);
    free(both);
    return text;
}

int minisign_verify(const void *data, size_t len, const char *signature, size_t signature_len,
                    const char *keys, size_t keys_len) {
    struct sdb_minisig sig;
    uint8_t key[32];
    int res = sdb_minisig_parse(&sig, signature, signature_len);
    if (res == 0) {
        res = sdb_minisign_key(keys, keys_len, sig.id, key);
    }
    if (res < 0) {
        return res;
    }
    uint8_t *both = tool_alloc(64 + sig.comment_len);
    memcpy(both, sig.sig, 64);
    memcpy(both + 64, sig.comment, sig.comment_len);
    uint8_t digest[64];
    if (sig.prehashed) {
        crypto_generichash(digest, sizeof digest, data, len, NULL, 0);
        data = digest;
        len = sizeof digest;
    }
    bool good = crypto_sign_verify_detached(sig.global, both, 64 + sig.comment_len, key) == 0 &&
                crypto_sign_verify_detached(sig.sig, data, len, key) == 0;
    free(both);
    return good ? 0 : SDB_ESIG_WRONG;
}
