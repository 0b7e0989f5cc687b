/* The inside of a key, for the files of csrc/crypto and csrc/keytool alone. */
#ifndef AHK_KEY_PRIVATE_H
#define AHK_KEY_PRIVATE_H

#include <openssl/evp.h>

#include "key.h"
#include "sign.h"

struct ahk_key {
    EVP_PKEY *pkey;
    ahk_key_half half;
    ahk_key_type type;
    char fingerprint[AHK_FINGERPRINT_SIZE];

    /* Initialised contexts, one a digest, made at first use; each operation works on a copy in
     * `scratch`. Setting one up costs ten times a copy, and since OpenSSL 3.2 a finished one cannot
     * be used again. */
    EVP_MD_CTX *signing[AHK_DIGESTS];
    EVP_MD_CTX *verifying[AHK_DIGESTS];
    EVP_MD_CTX *scratch;
};

#endif
