#include "check.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "../crypto/ecdsa_form.h"
#include "../crypto/key_private.h"

/* Any length of salt. */
static bool use_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_AUTO) == 1;
}

bool ahk_check(const ahk_key *key, ahk_slice message, ahk_slice signature, const char *digest, ahk_scheme scheme)
{
    AHK_REQUIRE(key != NULL && ahk_slice_is_valid(message) && ahk_slice_is_valid(signature) && digest != NULL);
    unsigned char der[AHK_ECDSA_DER_MAX];
    const bool other = scheme == AHK_SCHEME_OTHER;
    if (other && key->type == AHK_KEY_EC) {
        signature = (ahk_slice){der, ahk_ecdsa_to_der(signature, der)};
    }
    EVP_PKEY_CTX *pkey_ctx = NULL; /* the other one's */
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = EVP_get_digestbyname(digest);
    const bool ready = ctx != NULL && md != NULL && EVP_DigestVerifyInit(ctx, &pkey_ctx, md, NULL, key->pkey) == 1 &&
                       (!other || key->type == AHK_KEY_EC || use_pss(pkey_ctx));
    const bool valid =
        ready && EVP_DigestVerify(ctx, signature.data, signature.length, message.data, message.length) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return valid;
}
