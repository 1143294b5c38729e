// SPDX-License-Identifier: MIT
// What tinyssh's arithmetic takes from cryptoint, without its assembler for PCs.
#ifndef SDB_CRYPTO_INT64_H
#define SDB_CRYPTO_INT64_H

#include <stdint.h>

typedef int64_t crypto_int64;

#endif
