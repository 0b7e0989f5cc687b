#include "sign.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "key_private.h"
#include "openssl_error.h"

enum { P224_BYTES = 28, P224_DER_MAX = 2 * (P224_BYTES + 3) + 2 };

typedef int (*init_function)(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *, EVP_PKEY *);

ahk_sign_options ahk_sign_defaults(const ahk_key *key)
{
    return (ahk_sign_options){key->type == AHK_KEY_RSA ? AHK_SHA256 : AHK_SHA224, AHK_ECDSA_DER};
}

static const EVP_MD *message_digest(ahk_digest digest)
{
    return digest == AHK_SHA224 ? EVP_sha224() : EVP_sha256();
}

/* Leaves in key->scratch a context ready for one operation: a copy of the template, or, where a
 * provider cannot copy (hardware tokens), a fresh one. */
static bool ready_scratch(ahk_key *key, EVP_MD_CTX **template_slot, init_function init, ahk_digest digest)
{
    if (key->scratch == NULL) {
        key->scratch = EVP_MD_CTX_new();
    }
    if (*template_slot == NULL) {
        EVP_MD_CTX *fresh = EVP_MD_CTX_new();
        if (fresh == NULL || init(fresh, NULL, message_digest(digest), NULL, key->pkey) != 1) {
            EVP_MD_CTX_free(fresh);
            return false;
        }
        *template_slot = fresh;
    }
    if (key->scratch == NULL) {
        return false;
    }
    if (EVP_MD_CTX_copy_ex(key->scratch, *template_slot) == 1) {
        return true;
    }
    ERR_clear_error();
    return EVP_MD_CTX_reset(key->scratch) == 1 &&
           init(key->scratch, NULL, message_digest(digest), NULL, key->pkey) == 1;
}

static bool der_to_p1363(const unsigned char *der, size_t der_length, unsigned char *out)
{
    const unsigned char *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der_length);
    if (sig == NULL) {
        return false;
    }
    const BIGNUM *r = NULL;
    const BIGNUM *s = NULL;
    ECDSA_SIG_get0(sig, &r, &s);
    const bool done =
        BN_bn2binpad(r, out, P224_BYTES) == P224_BYTES && BN_bn2binpad(s, out + P224_BYTES, P224_BYTES) == P224_BYTES;
    ECDSA_SIG_free(sig);
    return done;
}

static bool p1363_to_der(ahk_slice p1363, unsigned char *der, size_t *der_length)
{
    if (p1363.length != 2 * (size_t)P224_BYTES) {
        return false;
    }
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(p1363.data, P224_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(p1363.data + P224_BYTES, P224_BYTES, NULL);
    if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(sig);
        return false;
    }
    /* r and s belong to sig now. */
    unsigned char *p = der;
    const int length = i2d_ECDSA_SIG(sig, NULL);
    const bool fits = length > 0 && length <= P224_DER_MAX && i2d_ECDSA_SIG(sig, &p) == length;
    ECDSA_SIG_free(sig);
    *der_length = fits ? (size_t)length : 0;
    return fits;
}

bool ahk_sign(ahk_key *key, ahk_slice message, ahk_sign_options options, unsigned char *signature, size_t *length,
              ahk_error *err)
{
    ERR_clear_error();
    if (key->half != AHK_HALF_PRIVATE) {
        return ahk_fail(err, "sign: a public key cannot sign, give the private one");
    }
    if (!ready_scratch(key, &key->signing[options.digest], EVP_DigestSignInit, options.digest)) {
        return ahk_fail_openssl(err, "sign: EVP_DigestSignInit");
    }
    *length = AHK_SIGNATURE_MAX;
    if (EVP_DigestSign(key->scratch, signature, length, message.data, message.length) != 1) {
        return ahk_fail_openssl(err, "sign: EVP_DigestSign");
    }
    if (key->type == AHK_KEY_EC && options.encoding == AHK_ECDSA_P1363) {
        unsigned char p1363[2 * P224_BYTES];
        if (!der_to_p1363(signature, *length, p1363)) {
            return ahk_fail_openssl(err, "sign: the signature does not fit P1363");
        }
        for (size_t i = 0; i < sizeof p1363; i++) {
            signature[i] = p1363[i];
        }
        *length = sizeof p1363;
    }
    ERR_clear_error();
    return true;
}

bool ahk_verify(ahk_key *key, ahk_slice message, ahk_slice signature, ahk_sign_options options)
{
    ERR_clear_error();
    unsigned char der[P224_DER_MAX];
    bool valid = true;
    if (key->type == AHK_KEY_EC && options.encoding == AHK_ECDSA_P1363) {
        size_t der_length = 0;
        valid = p1363_to_der(signature, der, &der_length);
        signature = (ahk_slice){der, der_length};
    }
    valid = valid && ready_scratch(key, &key->verifying[options.digest], EVP_DigestVerifyInit, options.digest) &&
            EVP_DigestVerify(key->scratch, signature.data, signature.length, message.data, message.length) == 1;
    ERR_clear_error();
    return valid;
}
