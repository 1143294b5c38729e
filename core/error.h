// SPDX-License-Identifier: MIT
// Results of the core: 0 or a count on success, one of these on failure.
#ifndef SDB_ERROR_H
#define SDB_ERROR_H

// The first group has the values of errno on MicroPython and Linux, so a callback may return
// -errno and the core hands it on as it came. Codes of our own are in ranges, by which Python
// chooses the class of the exception (micropython/sdboot/_errors.py). None is beyond 255.
enum sdb_error {
    SDB_OK = 0,
    SDB_EPERM = -1,
    SDB_ENOENT = -2,
    SDB_EIO = -5,
    SDB_ENOMEM = -12,
    SDB_EACCES = -13, // FatFs: no room for a directory or an entry, or a read-only file
    SDB_EBUSY = -16,
    SDB_EEXIST = -17,
    SDB_ENODEV = -19,
    SDB_ENOTDIR = -20,
    SDB_EISDIR = -21,
    SDB_EINVAL = -22,
    SDB_ENOSPC = -28,
    SDB_EROFS = -30,
    SDB_ENAMETOOLONG = -36,
    SDB_ENOTEMPTY = -39,
    SDB_ECANCELED = -125,

    // 180 to 210: a package that we refuse; nothing on the card has changed.
    SDB_EPKG_TRUNCATED = -200, // the tar ends in the middle of a member
    SDB_EPKG_NOT_TAR = -199,   // first block is no tar header
    SDB_EPKG_CHECKSUM = -198,  // a header's checksum is wrong
    SDB_EPKG_FIELD = -197,     // a number or extended header can't be read
    SDB_EPKG_TYPE = -196,      // link, device, fifo, sparse: neither file nor directory
    SDB_EPKG_ABSOLUTE = -195,  // path begins with '/'
    SDB_EPKG_PARENT = -194,    // path has a ".." component
    SDB_EPKG_CHARACTER = -193, // path has '\', ':' or a control byte, or what FAT can't hold
    SDB_EPKG_LONG = -192,      // path or component too long
    SDB_EPKG_DUPLICATE = -191, // same name twice, or names that differ in case only
    SDB_EPKG_RESERVED = -190,  // aimed at .sdboot/, boot.py or a directory of ours
    SDB_EPKG_NO_APP = -189,    // no file below app/
    SDB_EPKG_VERSION = -188,   // app/.version is not the announced version
    SDB_EPKG_SIZE = -187,      // more or fewer bytes than announced
    SDB_EPKG_HASH = -186,      // hash of the package is not the announced one
    SDB_EPKG_MANY = -185,      // more members than the caller has memory for
    SDB_EPKG_CONFLICT = -184,  // a file where a directory is needed, or the other way round
    SDB_EPKG_ALIAS = -183,     // a name that FAT may have for another one

    // 211 to 220: a signature. What it signs is not used.
    SDB_ESIG_FORMAT = -220, // no signature file of minisign's
    SDB_ESIG_KEY = -218,    // made with a key that this board does not know
    SDB_ESIG_KEYS = -217,   // the board's own list of keys can't be read
    SDB_ESIG_WRONG = -216,  // not made with that key for this file

    // 221 to 230: a release on the card, and the card itself.
    SDB_EVERIFY = -230, // a file is missing or differs from the manifest
    SDB_ELOG = -229,    // it holds a log, and this is built without (journal.h)

    // 231 to 240: the `versions` file.
    SDB_EVER_GARBAGE = -240, // no line of it is a release
    SDB_EVER_HASH = -239,    // the release to install has no well-formed hash
    SDB_EVER_LONG = -238,    // longer than we accept
    SDB_EVER_RUNNING = -237, // the running version can't be read: nothing to compare with
    SDB_EVER_LINE = -236,    // a line "# sdboot" can't be read
    SDB_EVER_PRODUCT = -235, // the list is of another product, or says none
    SDB_EVER_OLD = -234,     // its number is below one that was accepted before
    SDB_EVER_EXPIRED = -233, // its last day is over

    // 241 to 255: an HTTP response.
    SDB_EHTTP_GARBAGE = -250, // not HTTP/1.x
    SDB_EHTTP_LONG = -249,    // header longer than we accept
    SDB_EHTTP_SHORT = -248,   // connection closed before the announced end
    SDB_EHTTP_LENGTH = -247,  // Content-Length or chunk size can't be read
    SDB_EHTTP_CODING = -246,  // the body is compressed or coded otherwise, unasked
    SDB_EURL_SCHEME = -245,   // neither http:// nor https://
    SDB_EURL_HOST = -244,     // host or port that can't be used
    SDB_EURL_USER = -243,     // user or password in it
    SDB_EURL_TEXT = -242,     // a character that no URL has
    SDB_EURL_LONG = -241,     // longer than we accept
};

// What went wrong, in words for the user: lower case, no full stop, static storage. Codes that are
// not in this list give "error"; the caller adds the number.
const char *sdb_strerror(int error);

#endif
