// SPDX-License-Identifier: MIT
#include "core/release/tar.h"

#include <string.h>
#include "core/error.h"
#include "core/release/path.h"

// A header: offset and length of its fields.
#define TAR_NAME 0, 100
#define TAR_SIZE 124, 12
#define TAR_CHECKSUM 148, 8
#define TAR_TYPE 156
#define TAR_MAGIC 257
#define TAR_PREFIX 345, 155

enum tar_state { TAR_HEADER, TAR_FILE, TAR_LONG_NAME, TAR_PAX, TAR_SKIP, TAR_END };
enum tar_phase { TAR_LENGTH, TAR_KEY, TAR_VALUE };
enum tar_key { TAR_KEY_OTHER, TAR_KEY_PATH, TAR_KEY_SIZE };

void sdb_tar_init(struct sdb_tar *tar, const struct sdb_tar_events *events) {
    memset(tar, 0, sizeof *tar);
    tar->events = *events;
}

// Reads a number, octal or GNU's base-256, below 2^32.
static bool tar_number(const struct sdb_tar *tar, size_t at, size_t len, uint32_t *value) {
    const uint8_t *p = tar->block + at;
    const uint8_t *end = p + len;
    uint32_t n = 0;
    if (*p & 0x80) {
        n = *p++ & 0x7f;
        for (; p < end; p++) {
            if (n >> 24) {
                return false;
            }
            n = n << 8 | *p;
        }
    } else {
        while (p < end && *p == ' ') {
            p++;
        }
        for (; p < end && *p >= '0' && *p <= '7'; p++) {
            if (n >> 29) {
                return false;
            }
            n = n << 3 | (*p & 7u);
        }
        if (p < end && *p != ' ' && *p != '\0') {
            return false;
        }
    }
    *value = n;
    return true;
}

// The sum of all bytes, its own field taken as spaces. Old tars added them up as signed chars.
static bool tar_checksum_ok(const struct sdb_tar *tar, bool *zero) {
    uint32_t sum = 0, high = 0, all = 0, want;
    for (size_t i = 0; i < sizeof tar->block; i++) {
        uint8_t c = tar->block[i];
        all |= c;
        if (i - 148 < 8) {
            c = ' ';
        }
        sum += c;
        high += c >> 7;
    }
    *zero = all == 0;
    return tar_number(tar, TAR_CHECKSUM, &want) && (want == sum || want == sum - 256 * high);
}

// Appends a field that a NUL ends if it doesn't fill it.
static void tar_append(struct sdb_tar *tar, size_t at, size_t len) {
    while (len-- && tar->block[at]) {
        tar->path[tar->fill++] = (char)tar->block[at++];
    }
    tar->path[tar->fill] = '\0';
}

// The body has been seen whole.
static int tar_body_end(struct sdb_tar *tar) {
    int res = 0;
    if (tar->state == TAR_FILE) {
        res = tar->events.end(tar->events.ctx);
    } else if (tar->state == TAR_PAX && (tar->phase != TAR_LENGTH || tar->record_done != 0)) {
        res = SDB_EPKG_FIELD;
    }
    tar->state = tar->pad ? TAR_SKIP : TAR_HEADER;
    tar->left = tar->pad;
    tar->pad = 0;
    tar->fill = 0;
    return res < 0 ? res : 0;
}

static int tar_body(struct sdb_tar *tar, enum tar_state state, uint32_t size) {
    tar->state = (uint8_t)state;
    tar->left = size;
    tar->pad = (uint16_t)(-size & 511);
    tar->fill = 0;
    return size ? 0 : tar_body_end(tar);
}

// A file or a directory: tells where it goes.
static int tar_member(struct sdb_tar *tar, char type, uint32_t size) {
    if (!tar->has_path) {
        tar->fill = 0;
        if (memcmp(tar->block + TAR_MAGIC, "ustar", 6) == 0) {
            tar_append(tar, TAR_PREFIX);
            if (tar->fill) {
                tar->path[tar->fill++] = '/';
            }
        }
        tar_append(tar, TAR_NAME);
    }
    if (tar->has_size) {
        size = tar->size;
    }
    tar->has_path = false;
    tar->has_size = false;
    size_t len = strlen(tar->path);
    // v7 has no type for directories.
    bool dir = type == '5' || (len > 0 && tar->path[len - 1] == '/');
    if (type != '\0' && type != '0' && type != '7' && type != '5') {
        return SDB_EPKG_TYPE;
    }
    if (sdb_path_is_litter(tar->path)) {
        tar->litter++;
        return tar_body(tar, TAR_SKIP, size);
    }
    int res = sdb_path_clean(tar->path);
    if (res < 0) {
        return res;
    }
    // Readers differ in whether a directory may have a body, so that one could hide members in it.
    if (dir ? size != 0 : res == 0) {
        return SDB_EPKG_FIELD;
    }
    bool skip = dir;
    if (res > 0) { // "./" is nothing to make
        res = tar->events.begin(tar->events.ctx, tar->path, dir ? SDB_FS_DIR : SDB_FS_FILE, size);
        skip = skip || res == 1;
    }
    if (res < 0) {
        return res;
    }
    return tar_body(tar, skip ? TAR_SKIP : TAR_FILE, size);
}

static int tar_header(struct sdb_tar *tar) {
    bool zero;
    bool sum_ok = tar_checksum_ok(tar, &zero);
    if (zero) {
        if (tar->has_path || tar->has_size) {
            return SDB_EPKG_TRUNCATED; // the member that they were for
        }
        tar->zeros++;
        tar->state = tar->zeros == 2 ? TAR_END : TAR_HEADER;
        return 0;
    }
    if (!sum_ok || tar->zeros) {
        bool tar_like = tar->started || memcmp(tar->block + TAR_MAGIC, "ustar", 5) == 0;
        return tar_like ? SDB_EPKG_CHECKSUM : SDB_EPKG_NOT_TAR;
    }
    tar->started = true;
    uint32_t size;
    if (!tar_number(tar, TAR_SIZE, &size)) {
        return SDB_EPKG_FIELD;
    }
    char type = (char)tar->block[TAR_TYPE];
    switch (type) {
    case 'L':
        tar->has_path = true;
        tar->path[0] = '\0';
        return size > sizeof tar->path ? SDB_EPKG_LONG : tar_body(tar, TAR_LONG_NAME, size);
    case 'K': // GNU's long target of the link that comes next, and is refused then
        return tar_body(tar, TAR_SKIP, size);
    case 'g':
    case 'x':
        tar->global = type == 'g';
        tar->phase = TAR_LENGTH;
        tar->record_len = 0;
        tar->record_done = 0;
        return tar_body(tar, TAR_PAX, size);
    default:
        return tar_member(tar, type, size);
    }
}

static int tar_name_byte(struct sdb_tar *tar, char c) {
    if (c == '\0' && tar->state == TAR_PAX) {
        return SDB_EPKG_FIELD;
    }
    if (tar->fill == SDB_PATH_MAX) {
        return c == '\0' ? 0 : SDB_EPKG_LONG;
    }
    tar->path[tar->fill++] = c;
    tar->path[tar->fill] = '\0';
    return 0;
}

// The key of a pax record is complete, in the first bytes of `block`.
static int tar_pax_key(struct sdb_tar *tar) {
    if (tar->fill >= 11 && memcmp(tar->block, "GNU.sparse.", 11) == 0) {
        return SDB_EPKG_TYPE;
    }
    tar->key = TAR_KEY_OTHER;
    if (tar->fill == 4 && memcmp(tar->block, "path", 4) == 0) {
        tar->key = TAR_KEY_PATH;
        tar->has_path = true;
        tar->path[0] = '\0';
    } else if (tar->fill == 4 && memcmp(tar->block, "size", 4) == 0) {
        tar->key = TAR_KEY_SIZE;
        tar->has_size = true;
        tar->size = 0;
    }
    tar->phase = TAR_VALUE;
    tar->fill = 0;
    // One path or size for all members to come makes no sense.
    return tar->global && tar->key != TAR_KEY_OTHER ? SDB_EPKG_FIELD : 0;
}

// Takes one byte of an extended header: records "length key=value\n", where length counts all of
// it.
static int tar_pax_byte(struct sdb_tar *tar, char c) {
    bool digit = c >= '0' && c <= '9';
    tar->record_done++;
    switch (tar->phase) {
    case TAR_LENGTH:
        if (digit && tar->record_done < 10) {
            tar->record_len = tar->record_len * 10 + (uint32_t)(c - '0');
        } else if (c == ' ' && tar->record_done > 1) {
            tar->phase = TAR_KEY;
            tar->fill = 0;
        } else {
            return SDB_EPKG_FIELD;
        }
        return 0;
    case TAR_KEY:
        if (tar->record_done >= tar->record_len) {
            return SDB_EPKG_FIELD;
        }
        if (c == '=') {
            return tar_pax_key(tar);
        }
        if (tar->fill < sizeof tar->block) {
            tar->block[tar->fill++] = (uint8_t)c;
        }
        return 0;
    default:
        if (tar->record_done == tar->record_len) {
            tar->phase = TAR_LENGTH;
            tar->record_len = 0;
            tar->record_done = 0;
            bool empty = tar->fill == 0 && tar->key != TAR_KEY_OTHER;
            return c != '\n' || empty ? SDB_EPKG_FIELD : 0;
        }
        if (tar->key == TAR_KEY_PATH) {
            return tar_name_byte(tar, c);
        }
        if (tar->key == TAR_KEY_SIZE) {
            uint32_t d = (uint32_t)(c - '0');
            if (!digit || tar->size > (UINT32_MAX - d) / 10) {
                return SDB_EPKG_FIELD;
            }
            tar->size = tar->size * 10 + d;
            tar->fill = 1;
        }
        return 0;
    }
}

// Takes `len` bytes of the body, which has as many.
static int tar_body_bytes(struct sdb_tar *tar, const uint8_t *p, size_t len) {
    int res = 0;
    if (tar->state == TAR_FILE) {
        res = tar->events.data(tar->events.ctx, p, len);
    } else if (tar->state != TAR_SKIP) {
        for (; len > 0 && res == 0; len--, p++) {
            res =
                tar->state == TAR_PAX ? tar_pax_byte(tar, (char)*p) : tar_name_byte(tar, (char)*p);
        }
    }
    return res < 0 ? res : 0;
}

int sdb_tar_feed(struct sdb_tar *tar, const void *data, size_t len) {
    const uint8_t *p = data;
    while (len > 0 && tar->error == 0 && tar->state != TAR_END) {
        size_t n;
        if (tar->state == TAR_HEADER) {
            n = sizeof tar->block - tar->fill;
            n = n < len ? n : len;
            memcpy(tar->block + tar->fill, p, n);
            tar->fill = (uint16_t)(tar->fill + n);
            if (tar->fill == sizeof tar->block) {
                tar->fill = 0;
                tar->error = tar_header(tar);
            }
        } else {
            n = tar->left < len ? tar->left : len;
            tar->left -= (uint32_t)n;
            tar->error = tar_body_bytes(tar, p, n);
            if (tar->error == 0 && tar->left == 0) {
                tar->error = tar_body_end(tar);
            }
        }
        p += n;
        len -= n;
    }
    return tar->error;
}

int sdb_tar_finish(struct sdb_tar *tar) {
    if (tar->error == 0 && tar->zeros == 0) {
        tar->error = tar->started ? SDB_EPKG_TRUNCATED : SDB_EPKG_NOT_TAR;
    }
    return tar->error;
}
