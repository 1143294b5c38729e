// SPDX-License-Identifier: MIT
#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

#define ERROR_LIST(X)                                                                              \
    X(SDB_OK, "no error")                                                                          \
    X(SDB_EPERM, "not permitted by the card's driver")                                             \
    X(SDB_ENOENT, "no such file or directory")                                                     \
    X(SDB_EIO, "input or output error: check the card, its contacts and supply")                   \
    X(SDB_ENOMEM, "out of memory: gc.collect() before it, import less")                            \
    X(SDB_EACCES, "denied: card or folder full, or a read-only file")                              \
    X(SDB_EBUSY, "busy: try again when what is going on has ended")                                \
    X(SDB_EEXIST, "exists already: remove or rename it")                                           \
    X(SDB_ENODEV, "no such device: is the card in?")                                               \
    X(SDB_ENOTDIR, "not a directory: a file has that name, remove it")                             \
    X(SDB_EISDIR, "is a directory: a file is wanted there, remove it")                             \
    X(SDB_EINVAL, "invalid argument or data, see docs/ERRORS.md")                                  \
    X(SDB_ENOSPC, "no space left on the card: delete files, it or its root folder is full")        \
    X(SDB_EROFS, "read-only: a switch, or a worn card, which is to be replaced")                   \
    X(SDB_ENAMETOOLONG, "name too long: shorten it")                                               \
    X(SDB_ENOTEMPTY, "directory not empty: remove what is in it")                                  \
    X(SDB_ECANCELED, "interrupted: call it again")                                                 \
    X(SDB_EPKG_TRUNCATED, "package: cut short, upload it again")                                   \
    X(SDB_EPKG_NOT_TAR, "package: not a tar file, publish a plain .tar")                           \
    X(SDB_EPKG_CHECKSUM, "package: damaged, header checksum is wrong, upload it again")            \
    X(SDB_EPKG_FIELD, "package: number, name or extended header that can't be read, pack it anew") \
    X(SDB_EPKG_TYPE, "package: link, device or sparse file, pack plain files only")                \
    X(SDB_EPKG_ABSOLUTE, "package: absolute path, pack from within its folder")                    \
    X(SDB_EPKG_PARENT, "package: path with '..'")                                                  \
    X(SDB_EPKG_CHARACTER, "package: name that is not UTF-8 or that FAT can't hold, rename it")     \
    X(SDB_EPKG_LONG, "package: path too long, shorten it")                                         \
    X(SDB_EPKG_DUPLICATE, "package: same name twice, or differing in case only, rename one")       \
    X(SDB_EPKG_RESERVED, "package: writes to a name that sdboot keeps for itself, rename it")      \
    X(SDB_EPKG_NO_APP, "package: no file below app/, pack that folder too")                        \
    X(SDB_EPKG_VERSION, "package: app/.version is not the announced version, publish it again")    \
    X(SDB_EPKG_SIZE, "package: size is not the announced one, publish it again")                   \
    X(SDB_EPKG_HASH, "package: hash is not the announced one, update 'versions'")                  \
    X(SDB_EPKG_MANY, "package: too many files, put some into one")                                 \
    X(SDB_EPKG_CONFLICT, "package: file and directory of the same name, rename one")               \
    X(SDB_ESIG_FORMAT, "signature: no .minisig file of minisign's, sign again")                    \
    X(SDB_ESIG_KEY,                                                                                \
      "signature: made with a key that this board does not trust, sign with another")              \
    X(SDB_ESIG_KEYS, "the board's own list of public keys can't be read: write sdboot.pub anew")   \
    X(SDB_ESIG_WRONG, "signature: wrong, the file or its signature has been changed, sign again")  \
    X(SDB_EPKG_ALIAS, "package: name like LIB~1 that FAT has for other files, rename it")          \
    X(SDB_EVERIFY, "a file is missing or differs from the manifest: install the release again")    \
    X(SDB_ELOG, "there is a log of small commits on it: boot(journal=\"log\") once")               \
    X(SDB_EVER_GARBAGE, "versions: no line is a release, want semver;file;sha1")                   \
    X(SDB_EVER_HASH, "versions: newest release has no valid sha1, publish it again")               \
    X(SDB_EVER_LONG, "versions: file too long, take old releases out")                             \
    X(SDB_EVER_RUNNING, "no version: write it anew, such as 1.2.3, or use force_update=True")      \
    X(SDB_EVER_LINE, "versions: a line '# sdboot' can't be read, publish the release again")       \
    X(SDB_EVER_PRODUCT, "versions: not of this board's product, ask another server")               \
    X(SDB_EVER_OLD, "versions: an old list again (seq), a newer one was seen before")              \
    X(SDB_EVER_EXPIRED, "versions: expired, sign and publish it anew")                             \
    X(SDB_EHTTP_GARBAGE, "server: answer is not HTTP/1.x, is the url right?")                      \
    X(SDB_EHTTP_LONG, "server: header too long, have it send less")                                \
    X(SDB_EHTTP_SHORT, "server: connection closed too early, try again")                           \
    X(SDB_EHTTP_LENGTH, "server: length of the answer can't be read, try another server")          \
    X(SDB_EHTTP_CODING, "server: answer is compressed or encoded, serve the file as it is")        \
    X(SDB_EURL_SCHEME, "url: must begin with http:// or https://")                                 \
    X(SDB_EURL_HOST, "url: no host, or a port that is no number, want http://host:port/folder")    \
    X(SDB_EURL_USER, "url: user and password are not sent, use headers=")                          \
    X(SDB_EURL_TEXT, "url: write blanks and others as %XX, a name with umlauts as xn--")           \
    X(SDB_EURL_LONG, "url: too long, shorten it")

#define ERROR_CODE(code, text) (uint8_t)(-(code)),
#define ERROR_TEXT(code, text) text "\0"

const char *sdb_strerror(int error) {
    // One string after the other, found by counting: a table of pointers would need relocations.
    static const uint8_t codes[] = {ERROR_LIST(ERROR_CODE)};
    static const char texts[] = ERROR_LIST(ERROR_TEXT) "error";
    const char *text = texts;
    for (size_t i = 0; i < sizeof codes && -(int)codes[i] != error; i++) {
        while (*text++) {
        }
    }
    return text;
}
