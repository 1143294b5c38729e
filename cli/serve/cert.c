// SPDX-License-Identifier: MIT
#include "cli/serve/cert.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/tool.h"

#define CERT_DAYS 30

static void must(int res) {
    if (res < 0) {
        tool_die("no certificate can be made: %s", gnutls_strerror(res));
    }
}

static char *text_of(gnutls_datum_t *pem) {
    char *text = tool_format("%.*s", (int)pem->size, (const char *)pem->data);
    gnutls_free(pem->data);
    return text;
}

// Boards compare the name in the certificate with that in the URL as text, also if it is an
// address.
static void add_name(gnutls_x509_crt_t crt, const char *name) {
    must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name),
                                              GNUTLS_FSAN_APPEND));
}

static void set_pin(struct cert *c, gnutls_x509_crt_t crt) {
    gnutls_pubkey_t key;
    gnutls_datum_t der;
    uint8_t digest[32];
    must(gnutls_pubkey_init(&key));
    must(gnutls_pubkey_import_x509(key, crt, 0));
    must(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der));
    must(gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, digest));
    for (int i = 0; i < 32; i++) {
        snprintf(c->pin + 2 * i, 3, "%02x", digest[i]);
    }
    gnutls_free(der.data);
    gnutls_pubkey_deinit(key);
}

void cert_make(struct cert *c, const char *host) {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;
    uint8_t serial[16];
    must(gnutls_x509_privkey_init(&key));
    must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    must(gnutls_x509_crt_init(&crt));
    must(gnutls_x509_crt_set_version(crt, 3));
    must(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial));
    serial[0] = (serial[0] & 0x7F) | 1; // positive, and not 0
    must(gnutls_x509_crt_set_serial(crt, serial, sizeof serial));
    must(gnutls_x509_crt_set_activation_time(crt, time(NULL) - 86400));
    must(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + CERT_DAYS * 86400));
    must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "sdboot serve", 12));
    add_name(crt, "localhost");
    add_name(crt, "127.0.0.1");
    if (strcmp(host, "localhost") != 0 && strcmp(host, "127.0.0.1") != 0) {
        add_name(crt, host);
    }
    must(gnutls_x509_crt_set_key(crt, key));
    must(gnutls_x509_crt_set_basic_constraints(crt, 1, -1));
    must(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0));
    must(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem));
    c->key = text_of(&pem);
    must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem));
    c->pem = text_of(&pem);
    set_pin(c, crt);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}
