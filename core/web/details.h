// SPDX-License-Identifier: MIT
// What the lines "# sdboot key=value ..." of a `versions` file say, of the list as a whole and of
// single files (docs/FORMAT.md). Who else reads the list takes them for comments.
#ifndef SDB_DETAILS_H
#define SDB_DETAILS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDB_DETAILS_FILES 8 // lines with file= that are remembered until their releases come

// Whom the list must suit. Strings may name several things, with commas between; "": none.
struct sdb_details_board {
    const char *names;   // what this board is called: "esp32,ESP32_GENERIC_S3"
    const char *channel; // what it takes beside releases for everybody: "beta"
    const char *product; // what it is; "": lists of any product are good
    const void *id;      // tells this device from others, id_len bytes
    size_t id_len;
    uint32_t today; // 20270131 is 2027-01-31 (UTC); 0: not known
    uint32_t floor; // `seq` of the list must not be below
};

// Why a release is not for this board.
enum sdb_held {
    SDB_HELD_NOT = 0,
    SDB_HELD_BOARD = 1,   // for other boards
    SDB_HELD_CHANNEL = 2, // in a channel that this one does not follow
    SDB_HELD_MIN = 3,     // for boards that run a newer one than this
    SDB_HELD_ROLLOUT = 4, // not this one's turn yet
    SDB_HELD_LOST = 5,    // what is said of it may be too far above
};

// What is said of a file.
struct sdb_details_file {
    uint32_t name; // its name's hash, 0: none
    uint32_t size; // bytes, 0: not said
    uint8_t sha256[32];
    uint8_t index[32]; // SHA-256 of its index
    bool has_sha256;
    bool has_index;
    bool used;       // a release has been met that it is about
    uint8_t held;    // enum sdb_held, without the rollout
    uint8_t rollout; // per cent of the boards
};

struct sdb_details {
    uint32_t seq;     // 0: not said
    uint32_t expires; // last day that the list is good for, as `today`; 0: not said
    bool for_product; // it says for which product it is ...
    bool product;     // ... and that is the board's
    bool lost;        // something said of a file, and forgotten before its release came

    // Internal.
    const struct sdb_details_board *board; // NULL: nothing is held
    const char *current;
    uint8_t next; // place in `files` for the next one
    struct sdb_details_file files[SDB_DETAILS_FILES];
};

// Takes a line, NUL-terminated, from behind its '#'; cuts it to pieces. Returns 0, also if it is
// but a comment, or SDB_EVER_LINE if it can't be read.
int sdb_details_line(struct sdb_details *d, char *line);

// What is said of `file`, the last time if several times, or NULL.
struct sdb_details_file *sdb_details_find(struct sdb_details *d, const char *file);

// Why a release of which `f` is said (NULL: nothing) is not for the board; SDB_HELD_NOT: it is.
// `everybody`: without regard to the rollout.
enum sdb_held sdb_details_held(const struct sdb_details *d, const struct sdb_details_file *f,
                               const char *version, bool everybody);

// Whether the list as a whole is for the board, now: 0 or SDB_EVER_PRODUCT, _OLD, _EXPIRED.
int sdb_details_check(const struct sdb_details *d);

// The board's place among a hundred for the rollout of `version`, 0 to 99: those below rollout= get
// it. A device has another one for each version.
unsigned sdb_details_share(const void *id, size_t id_len, const char *version);

// Reads a digest of `size` bytes, written as hex digits of either case and nothing behind them.
// Returns false if `hex` is none.
bool sdb_details_digest(const char *hex, uint8_t *out, size_t size);

// Is a line that begins with '#' and goes on with `line` one of ours?
bool sdb_details_is(const char *line);

#endif
