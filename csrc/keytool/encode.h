/* Writes a key in the forms that programs and consoles ask for, each as the openssl command writes it. */
#ifndef AHK_KEYTOOL_ENCODE_H
#define AHK_KEYTOOL_ENCODE_H

#include <openssl/evp.h>

#include "../crypto/key.h"

typedef enum {
    AHK_ENCODE_PKCS8,  /* PEM; of a private key */
    AHK_ENCODE_PKCS1,  /* PEM; the older form: PKCS#1 of RSA, either half, and SEC1 of a private EC key */
    AHK_ENCODE_SPKI,   /* PEM; the public half of either */
    AHK_ENCODE_DER,    /* PKCS#8 of a private key, SubjectPublicKeyInfo of a public one */
    AHK_ENCODE_BASE64, /* SubjectPublicKeyInfo as bare base64 on one line: what AlipayHK's console takes */
    AHK_ENCODINGS
} ahk_encoding;

/* Bytes that are cleansed when they are freed. */
typedef struct {
    unsigned char *data;
    size_t length;
    size_t room;
} ahk_encoded;

/* Whether what comes out holds the private half. */
bool ahk_encoding_is_private(const ahk_key *key, ahk_encoding encoding);

/* Nothing is to be freed on failure. The key is not changed. */
AHK_MUST_USE bool ahk_encode(const ahk_key *key, ahk_encoding encoding, ahk_encoded *out, ahk_error *err);

/* PKCS#8, DER, of any key of OpenSSL's. */
AHK_MUST_USE bool ahk_encode_pkcs8_der(const EVP_PKEY *pkey, ahk_encoded *out, ahk_error *err);

void ahk_encoded_free(ahk_encoded *encoded);

#endif
