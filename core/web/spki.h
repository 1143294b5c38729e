// SPDX-License-Identifier: MIT
// The public key in an X.509 certificate: what a board pins.
#ifndef SDB_SPKI_H
#define SDB_SPKI_H

#include <stddef.h>
#include <stdint.h>

// Finds the SubjectPublicKeyInfo (RFC 5280, section 4.1) in the `len` bytes of a certificate in
// DER. Returns it, within `der`, with its length in *size; NULL if this is no certificate.
const uint8_t *sdb_spki(const uint8_t *der, size_t len, size_t *size);

#endif
