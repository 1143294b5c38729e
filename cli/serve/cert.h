// SPDX-License-Identifier: MIT
// A certificate made on the spot, for https:// on a bench.
#ifndef SDBOOT_CERT_H
#define SDBOOT_CERT_H

struct cert {
    char *key;    // PEM
    char *pem;    // PEM of the certificate, which signs itself
    char pin[65]; // SHA-256 of its public key, as OTA(pin=) takes it
};

// For a server that is called `host`, localhost and 127.0.0.1. Dies if it can't be made.
void cert_make(struct cert *c, const char *host);

#endif
