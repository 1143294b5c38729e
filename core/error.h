// Results of the core: 0 or a count on success, one of these on failure.
#ifndef SDB_ERROR_H
#define SDB_ERROR_H

// The first group has the values of errno on MicroPython and Linux, so a callback may return
// -errno and the core hands it on as it came.
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

    // A package that we refuse; nothing on the card has changed.
    SDB_EPKG_TRUNCATED = -200, // the tar ends in the middle of a member
    SDB_EPKG_NOT_TAR,          // first block is no tar header
    SDB_EPKG_CHECKSUM,         // a header's checksum is wrong
    SDB_EPKG_FIELD,            // a number or extended header can't be read
    SDB_EPKG_TYPE,             // link, device, fifo, sparse: neither file nor directory
    SDB_EPKG_ABSOLUTE,         // path begins with '/'
    SDB_EPKG_PARENT,           // path has a ".." component
    SDB_EPKG_CHARACTER,        // path has '\', ':' or a control byte, or what FAT can't hold
    SDB_EPKG_LONG,             // path or component too long
    SDB_EPKG_DUPLICATE,        // same name twice, or names that differ in case only
    SDB_EPKG_RESERVED,         // aimed at .sdboot/, boot.py or a directory of ours
    SDB_EPKG_NO_APP,           // no file below app/
    SDB_EPKG_VERSION,          // app/.version is not the announced version
    SDB_EPKG_SIZE,             // more or fewer bytes than announced
    SDB_EPKG_HASH,             // hash of the package is not the announced one
    SDB_EPKG_MANY,             // more members than the caller has memory for
    SDB_EPKG_CONFLICT,         // a file where a directory is needed, or the other way round

    // A release on the card.
    SDB_EVERIFY = -230, // a file is missing or differs from the manifest

    // The `versions` file.
    SDB_EVER_GARBAGE = -240, // no line of it is a release
    SDB_EVER_HASH,           // the release to install has no well-formed hash
    SDB_EVER_LONG,           // longer than we accept

    // An HTTP response.
    SDB_EHTTP_GARBAGE = -250, // not HTTP/1.x
    SDB_EHTTP_LONG,           // header longer than we accept
    SDB_EHTTP_SHORT,          // connection closed before the announced end
    SDB_EHTTP_LENGTH,         // Content-Length or chunk size can't be read
};

// What went wrong, in words for the user: lower case, no full stop, static storage. Codes that are
// not in this list give "error"; the caller adds the number.
const char *sdb_strerror(int error);

#endif
