// SPDX-License-Identifier: MIT
// CRC-32 (IEEE 802.3, reflected, polynomial 0xEDB88320), as in zlib.
#ifndef SDB_CRC32_H
#define SDB_CRC32_H

#include <stddef.h>
#include <stdint.h>

// Continues `crc` (0 to start) over `len` bytes at `data`; returns the new value.
uint32_t sdb_crc32(uint32_t crc, const void *data, size_t len);

#endif
