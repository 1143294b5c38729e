// SPDX-License-Identifier: MIT
// The answer of a web server (HTTP/1.x, RFC 9112), taken apart where it lies as it arrives.
#ifndef SDB_HTTP_H
#define SDB_HTTP_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#define SDB_HTTP_LINE_MAX 511 // bytes kept of a line; longer ones may come, if they don't matter
#define SDB_HTTP_VALIDATOR_MAX 71 // bytes kept of what names a version of the file
#define SDB_HTTP_HEAD_MAX 32768u  // bytes of all headers, and of what goes before a chunk

struct sdb_http {
    uint16_t status;   // 200, 404 ...; 0 before it is known
    bool headers_done; // all headers are known, body bytes may follow
    bool has_length;   // the body's length was announced ...
    bool chunked;      // ... or it comes in chunks; if neither, it ends with the connection
    bool done;         // all of the body was there
    uint32_t length;   // announced length of the body in bytes
    bool keeps;        // once `done`: the connection may be used again

    // Which bytes of the file the body is, as Content-Range says (RFC 9110, 14.4): `first` to
    // `last` of `total`, 0 if that was not said. Only if has_range.
    bool has_range;
    uint32_t first, last, total;

    // What names this version of the file: the ETag as the server wrote it, with its quotes, or the
    // date of Last-Modified if there is no ETag, or "". Printable ASCII.
    char validator[SDB_HTTP_VALIDATOR_MAX + 1];

    // Where an answer 3xx leads to, if the caller has given memory for it: a NUL-terminated
    // reference as the server wrote it, "" if it said none.
    char *location;
    uint16_t location_size; // bytes of that memory

    // Internal.
    uint8_t state; // enum http_state
    uint16_t head; // bytes since SDB_HTTP_HEAD_MAX began to count
    uint16_t fill; // bytes of the line
    bool moving;   // this line is the header Location
    uint16_t location_len;
    bool held;     // a header's line has ended, the header perhaps not
    bool has_etag; // the validator is one
    int error;     // what stopped the parser
    uint32_t left; // bytes of the body or chunk that are still to come
    char line[SDB_HTTP_LINE_MAX + 1];
};

// Starts a response to a GET. `location`: memory of `size` >= 1 bytes for what an answer 3xx says,
// the caller's until the headers are done; NULL and 0: none.
void sdb_http_init(struct sdb_http *http, char *location, uint16_t size);

// Takes all `len` (below 2^31) bytes of `buf`, moves the body bytes among them to its beginning and
// returns their number, or SDB_EHTTP_GARBAGE, _LONG, _LENGTH, _CODING, which is final. What follows
// the end of the response is dropped. Answers 1xx are skipped.
int sdb_http_feed(struct sdb_http *http, void *buf, size_t len);

// The connection was closed: returns 0 if the body is complete, SDB_EHTTP_SHORT if not, or the
// error that stopped the parser.
int sdb_http_eof(struct sdb_http *http);

#endif
