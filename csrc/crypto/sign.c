#include "sign.h"

#include <openssl/err.h>

#include "ecdsa_form.h"
#include "key_private.h"
#include "openssl_error.h"

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
    if (EVP_MD_CTX_copy_ex(key->scratch, *template_slot) != 1) {
        ERR_clear_error();
        if (EVP_MD_CTX_reset(key->scratch) != 1 ||
            init(key->scratch, NULL, message_digest(digest), NULL, key->pkey) != 1) {
            return false;
        }
    }
    /* It is used once: OpenSSL need not work on a copy of its own. */
    EVP_MD_CTX_set_flags(key->scratch, EVP_MD_CTX_FLAG_FINALISE);
    return true;
}

/* What OpenSSL says it wrote is believed only where it can be: where memory is short, some releases call an
 * ECDSA signature of 4294967295 bytes a success. */
static bool complete_signature(const ahk_key *key, ahk_ecdsa_encoding encoding, unsigned char *signature,
                               size_t *length)
{
    if (key->type == AHK_KEY_RSA) {
        return *length == (size_t)EVP_PKEY_size(key->pkey);
    }
    unsigned char p1363[AHK_P1363_SIZE];
    if (*length > AHK_ECDSA_DER_MAX || !ahk_ecdsa_to_p1363((ahk_slice){signature, *length}, p1363)) {
        return false;
    }
    if (encoding == AHK_ECDSA_P1363) {
        memcpy(signature, p1363, sizeof p1363);
        *length = sizeof p1363;
    }
    return true;
}

bool ahk_sign(ahk_key *key, ahk_slice message, ahk_sign_options options, ahk_signature *out, ahk_error *err)
{
    AHK_REQUIRE(ahk_slice_is_valid(message) && options.digest < AHK_DIGESTS);
    ERR_clear_error();
    out->length = 0;
    if (key->half != AHK_HALF_PRIVATE) {
        return ahk_fail(err, "sign: a public key cannot sign, give the private one");
    }
    if (!ready_scratch(key, &key->signing[options.digest], EVP_DigestSignInit, options.digest)) {
        return ahk_fail_openssl(err, "sign: EVP_DigestSignInit");
    }
    size_t written = sizeof out->bytes;
    if (EVP_DigestSign(key->scratch, out->bytes, &written, message.data, message.length) != 1 ||
        !complete_signature(key, options.encoding, out->bytes, &written)) {
        return ahk_fail_openssl(err, "sign: EVP_DigestSign");
    }
    out->length = written;
    ERR_clear_error();
    return true;
}

/* Of a signature that is well formed. Where it is wrong, RSA always has an error that says so, ECDSA may have 0
 * for an answer alone. Whenever memory was short on the way, it has not been found to be wrong. */
static ahk_verdict judge(const ahk_key *key, int verified, ahk_error *err)
{
    bool wrong = ERR_peek_error() != 0 || (key->type == AHK_KEY_EC && verified == 0);
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
        wrong = wrong && ERR_GET_REASON(code) != ERR_R_MALLOC_FAILURE;
    }
    if (verified == 1 || wrong) {
        return verified == 1 ? AHK_VALID : AHK_INVALID;
    }
    (void)ahk_fail(err, "verify: could not be carried out (memory is short)");
    return AHK_NOT_VERIFIED;
}

/* Whether it has the length, and for ECDSA the form, that a signature of this key has; it is DER then. */
static bool is_well_formed(const ahk_key *key, ahk_slice *signature, ahk_ecdsa_encoding encoding, unsigned char *der)
{
    if (key->type == AHK_KEY_RSA) {
        return signature->length == (size_t)EVP_PKEY_size(key->pkey);
    }
    if (encoding == AHK_ECDSA_P1363) {
        *signature = (ahk_slice){der, ahk_ecdsa_to_der(*signature, der)};
    }
    return ahk_ecdsa_is_der(*signature);
}

ahk_verdict ahk_verify(ahk_key *key, ahk_slice message, ahk_slice signature, ahk_sign_options options, ahk_error *err)
{
    unsigned char der[AHK_ECDSA_DER_MAX];
    AHK_REQUIRE(ahk_slice_is_valid(message) && options.digest < AHK_DIGESTS);
    ERR_clear_error();
    if (!is_well_formed(key, &signature, options.encoding, der)) {
        return AHK_INVALID;
    }
    if (!ready_scratch(key, &key->verifying[options.digest], EVP_DigestVerifyInit, options.digest)) {
        (void)ahk_fail_openssl(err, "verify: EVP_DigestVerifyInit");
        return AHK_NOT_VERIFIED;
    }
    const int verified = EVP_DigestVerify(key->scratch, signature.data, signature.length, message.data, message.length);
    return judge(key, verified, err);
}
