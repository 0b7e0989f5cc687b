#include "generate.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "../crypto/openssl_error.h"
#include "encode.h"

static bool choose(EVP_PKEY_CTX *ctx, ahk_key_type type, int bits)
{
    return type == AHK_KEY_RSA ? EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) == 1
                               : EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_secp224r1) == 1;
}

static EVP_PKEY *make_pkey(ahk_key_type type, int bits)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(type == AHK_KEY_RSA ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL);
    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 || !choose(ctx, type, bits) || EVP_PKEY_keygen(ctx, &pkey) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

ahk_key *ahk_generate(ahk_key_type type, int bits, ahk_error *err)
{
    AHK_REQUIRE(type == AHK_KEY_EC || (bits >= AHK_RSA_BITS_MIN && bits <= AHK_GENERATED_BITS_MAX));
    ahk_encoded der = {NULL, 0, 0};
    ahk_key *key = NULL;
    ERR_clear_error();
    EVP_PKEY *pkey = make_pkey(type, bits);
    if (pkey == NULL) {
        (void)ahk_fail_openssl(err, "OpenSSL cannot make a key");
    } else if (ahk_encode_pkcs8_der(pkey, &der, err)) {
        key = ahk_key_read(AHK_HALF_PRIVATE, (ahk_slice){der.data, der.length}, (ahk_slice){NULL, 0}, err);
    }
    ahk_encoded_free(&der);
    EVP_PKEY_free(pkey);
    return key;
}
