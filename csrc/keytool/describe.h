/* Tells of a key file what is in it. */
#ifndef AHK_KEYTOOL_DESCRIBE_H
#define AHK_KEYTOOL_DESCRIBE_H

#include <stdint.h>

#include "../crypto/key.h"

typedef enum { AHK_WRAPPED_PEM, AHK_WRAPPED_DER, AHK_WRAPPED_BASE64 } ahk_wrapping;

typedef struct {
    ahk_key *key;          /* NULL where it could not be read; otherwise the caller frees it */
    ahk_key_form form;     /* the structure; of an encrypted one what is known from outside */
    ahk_wrapping wrapping; /* how the structure stands in the file */
    bool is_encrypted;
    bool has_expiry; /* a certificate */
    int64_t expires; /* seconds since the epoch */
} ahk_description;

/* Reads a text with a key of either half; of several the private one. False and *err where it holds no key that the
 * library accepts, or its passphrase is wrong or missing: form, wrapping and is_encrypted are then right if the text
 * could be read as far as that. passphrase.data is NULL for none. The input is not kept. */
AHK_MUST_USE bool ahk_describe(ahk_slice input, ahk_slice passphrase, ahk_description *out, ahk_error *err);

/* The same of a file, whose bytes are cleansed before this returns. The message starts with the path. */
AHK_MUST_USE bool ahk_describe_file(const char *path, ahk_slice passphrase, ahk_description *out, ahk_error *err);

/* "PKCS#8", "PKCS#1", "SEC1", "SPKI", "certificate". */
const char *ahk_describe_form(ahk_key_form form);

#endif
